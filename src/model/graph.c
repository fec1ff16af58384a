#include "model/graph.h"

#include <string.h>

#include "base/arena.h"

/* Counting sort of the edges by one end. at: n+1 entries, zeroed; idx: where each edge of `in`
 * goes. */
static void rows_by(uint32_t n, const struct edge *in, size_t ne, bool by_from, uint32_t *at,
                    struct edge *out)
{
	for (size_t i = 0; i < ne; i++)
		at[(by_from ? in[i].from : in[i].to) + 1]++;
	for (uint32_t i = 0; i < n; i++)
		at[i + 1] += at[i];
	/* at[] doubles as the write cursor and is moved back by one row afterwards. */
	for (size_t i = 0; i < ne; i++)
		out[at[by_from ? in[i].from : in[i].to]++] = in[i];
	for (uint32_t i = n; i > 0; i--)
		at[i] = at[i - 1];
	at[0] = 0;
}

void graph_build(struct graph *g, struct arena *a, uint32_t n, const struct edge *e, size_t ne)
{
	*g = (struct graph){.n = n};
	g->out_at = arena_array(a, uint32_t, (size_t)n + 1);
	g->in_at = arena_array(a, uint32_t, (size_t)n + 1);

	struct arena tmp;
	arena_init(&tmp);
	struct edge *by_to = arena_array(&tmp, struct edge, ne + 1);
	struct edge *sorted = arena_array(&tmp, struct edge, ne + 1);
	uint32_t *at = arena_array(&tmp, uint32_t, (size_t)n + 1);
	/* A stable sort by `to`, then by `from`: rows come out sorted, so that duplicates are
	 * neighbours. */
	rows_by(n, e, ne, false, at, by_to);
	memset(at, 0, ((size_t)n + 1) * sizeof *at);
	rows_by(n, by_to, ne, true, at, sorted);
	size_t m = 0;
	for (size_t i = 0; i < ne; i++)
		if (!m || sorted[i].from != sorted[m - 1].from || sorted[i].to != sorted[m - 1].to)
			sorted[m++] = sorted[i];

	rows_by(n, sorted, m, true, g->out_at, by_to);
	g->out = arena_array(a, uint32_t, m + 1);
	for (size_t i = 0; i < m; i++)
		g->out[i] = by_to[i].to;
	rows_by(n, sorted, m, false, g->in_at, by_to);
	g->in = arena_array(a, uint32_t, m + 1);
	for (size_t i = 0; i < m; i++)
		g->in[i] = by_to[i].from;
	arena_release(&tmp);
}

/* Binary heap of node numbers, smallest first. */
static void heap_push(uint32_t *h, size_t *n, uint32_t x)
{
	size_t i = (*n)++;
	while (i && h[(i - 1) / 2] > x) {
		h[i] = h[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h[i] = x;
}

static uint32_t heap_pop(uint32_t *h, size_t *n)
{
	uint32_t top = h[0], x = h[--*n];
	size_t i = 0;
	for (;;) {
		size_t c = 2 * i + 1;
		if (c >= *n)
			break;
		if (c + 1 < *n && h[c + 1] < h[c])
			c++;
		if (h[c] >= x)
			break;
		h[i] = h[c];
		i = c;
	}
	h[i] = x;
	return top;
}

bool graph_order(const struct graph *g, struct arena *a, uint32_t *order)
{
	uint32_t *waits = arena_array(a, uint32_t, (size_t)g->n + 1);
	uint32_t *heap = arena_array(a, uint32_t, (size_t)g->n + 1);
	size_t nheap = 0, done = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		waits[i] = g->out_at[i + 1] - g->out_at[i];
		if (!waits[i])
			heap_push(heap, &nheap, i);
	}
	while (nheap) {
		uint32_t i = heap_pop(heap, &nheap);
		order[done++] = i;
		for (uint32_t k = g->in_at[i]; k < g->in_at[i + 1]; k++)
			if (!--waits[g->in[k]])
				heap_push(heap, &nheap, g->in[k]);
	}
	return done == g->n;
}

/* Nodes from which a cycle can be reached: what remains after taking away, again and again, what
 * needs nothing. */
static bool *cyclic_part(const struct graph *g, struct arena *a, uint32_t *first)
{
	bool *left = arena_array(a, bool, (size_t)g->n + 1);
	uint32_t *waits = arena_array(a, uint32_t, (size_t)g->n + 1);
	uint32_t *stack = arena_array(a, uint32_t, (size_t)g->n + 1);
	size_t n = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		left[i] = true;
		waits[i] = g->out_at[i + 1] - g->out_at[i];
		if (!waits[i])
			stack[n++] = i;
	}
	while (n) {
		uint32_t i = stack[--n];
		left[i] = false;
		for (uint32_t k = g->in_at[i]; k < g->in_at[i + 1]; k++)
			if (!--waits[g->in[k]])
				stack[n++] = g->in[k];
	}
	for (*first = 0; *first < g->n && !left[*first]; ++*first)
		;
	return left;
}

/* A node on a cycle: from `at`, always take the first needed node that remains, until one comes
 * again. */
static uint32_t on_cycle(const struct graph *g, struct arena *a, const bool *left, uint32_t at)
{
	bool *seen = arena_array(a, bool, (size_t)g->n + 1);
	while (!seen[at]) {
		seen[at] = true;
		for (uint32_t k = g->out_at[at]; k < g->out_at[at + 1]; k++)
			if (left[g->out[k]]) {
				at = g->out[k];
				break;
			}
	}
	return at;
}

size_t graph_cycle(const struct graph *g, struct arena *a, uint32_t **path)
{
	uint32_t first;
	const bool *left = cyclic_part(g, a, &first);
	if (first == g->n)
		return 0;
	uint32_t root = on_cycle(g, a, left, first);

	/* Breadth first from root back to root. */
	uint32_t *came =
		arena_array(a, uint32_t, (size_t)g->n + 1); /* predecessor + 1; 0: not reached */
	uint32_t *queue = arena_array(a, uint32_t, (size_t)g->n + 1);
	size_t head = 0, tail = 0;
	queue[tail++] = root;
	while (!came[root] && head < tail) {
		uint32_t i = queue[head++];
		for (uint32_t k = g->out_at[i]; k < g->out_at[i + 1]; k++) {
			uint32_t to = g->out[k];
			if (came[to])
				continue;
			came[to] = i + 1;
			if (to != root)
				queue[tail++] = to;
		}
	}
	size_t n = 0, low = 0;
	uint32_t i = root;
	do { /* from the end to the beginning */
		queue[n++] = i;
		i = came[i] - 1;
	} while (i != root);
	uint32_t *p = arena_array(a, uint32_t, n);
	for (size_t k = 0; k < n; k++) {
		p[k] = queue[(n - k) % n];
		if (p[k] < p[low])
			low = k;
	}
	/* Begin at the smallest index, so that the same cycle always reads the same. */
	*path = arena_array(a, uint32_t, n);
	for (size_t k = 0; k < n; k++)
		(*path)[k] = p[(low + k) % n];
	return n;
}

void graph_height(const struct graph *g, struct arena *a, uint32_t *height)
{
	uint32_t *order = arena_array(a, uint32_t, (size_t)g->n + 1);
	for (uint32_t i = 0; i < g->n; i++)
		height[i] = 1;
	if (!graph_order(g, a, order))
		return;
	for (uint32_t j = g->n; j > 0; j--) {
		uint32_t i = order[j - 1];
		for (uint32_t k = g->in_at[i]; k < g->in_at[i + 1]; k++)
			if (height[g->in[k]] >= height[i])
				height[i] = height[g->in[k]] + 1;
	}
}
