#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "model/graph.h"

static void rows_are_sorted_and_unique(void **state)
{
	static const struct edge e[] = {{2, 1}, {0, 2}, {0, 1}, {2, 1}, {0, 2}, {1, 1}};
	struct graph g;

	(void)state;
	graph_build(&g, &a, 3, e, 6);
	assert_int_equal(g.out_at[0], 0);
	assert_int_equal(g.out_at[1], 2);
	assert_int_equal(g.out_at[2], 3);
	assert_int_equal(g.out_at[3], 4);
	assert_memory_equal(g.out, ((uint32_t[]){1, 2, 1, 1}), 4 * sizeof(uint32_t));
	assert_int_equal(g.in_at[1], 0);
	assert_int_equal(g.in_at[2], 3);
	assert_int_equal(g.in_at[3], 4);
	assert_memory_equal(g.in, ((uint32_t[]){0, 1, 2, 0}), 4 * sizeof(uint32_t));
}

static void empty_graph(void **state)
{
	struct graph g;
	uint32_t one, *path;

	(void)state;
	graph_build(&g, &a, 0, NULL, 0);
	assert_true(graph_order(&g, &a, &one));
	assert_int_equal(graph_cycle(&g, &a, &path), 0);
	graph_height(&g, &a, &one);
}

static void order_breaks_ties_by_index(void **state)
{
	static const struct edge e[] = {{0, 3}, {1, 3}, {4, 0}};
	struct graph g;
	uint32_t order[5];

	(void)state;
	graph_build(&g, &a, 5, e, 3);
	assert_true(graph_order(&g, &a, order));
	assert_memory_equal(order, ((uint32_t[]){2, 3, 0, 1, 4}), sizeof order);
}

static void height_is_the_longest_way_down(void **state)
{
	/* 0 <- 1 <- 2, 0 <- 3: node 0 is needed over two steps. */
	static const struct edge e[] = {{1, 0}, {2, 1}, {3, 0}};
	struct graph g;
	uint32_t h[5];

	(void)state;
	graph_build(&g, &a, 5, e, 3);
	graph_height(&g, &a, h);
	assert_memory_equal(h, ((uint32_t[]){3, 2, 1, 1, 1}), sizeof h);
}

static void cycle_of_one(void **state)
{
	static const struct edge e[] = {{1, 1}};
	struct graph g;
	uint32_t *path, order[2];

	(void)state;
	graph_build(&g, &a, 2, e, 1);
	assert_false(graph_order(&g, &a, order));
	assert_int_equal(graph_cycle(&g, &a, &path), 1);
	assert_int_equal(path[0], 1);
}

static void cycle_is_short_and_in_order(void **state)
{
	/* A tail 0 -> 1 into the cycle 1 -> 2 -> 3 -> 1 that has a detour 2 -> 4 -> 5 -> 3. */
	static const struct edge e[] = {{0, 1}, {1, 2}, {2, 3}, {3, 1},
	                                {2, 4}, {4, 5}, {5, 3}, {6, 0}};
	struct graph g;
	uint32_t *path;

	(void)state;
	graph_build(&g, &a, 7, e, 8);
	assert_int_equal(graph_cycle(&g, &a, &path), 3);
	assert_memory_equal(path, ((uint32_t[]){1, 2, 3}), 3 * sizeof *path);
}

/* Against a slow and obvious check, over random graphs. */
static void random_graphs(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		uint32_t n = 1 + (uint32_t)rand() % 12, *path;
		size_t ne = (size_t)rand() % 20;
		struct edge e[20];
		struct graph g;
		uint32_t order[12], at[12];
		bool reach[12][12] = {{false}}, cyclic = false;

		for (size_t i = 0; i < ne; i++) {
			e[i] = (struct edge){(uint32_t)rand() % n, (uint32_t)rand() % n};
			reach[e[i].from][e[i].to] = true;
		}
		for (uint32_t k = 0; k < n; k++)
			for (uint32_t i = 0; i < n; i++)
				for (uint32_t j = 0; j < n; j++)
					reach[i][j] = reach[i][j] || (reach[i][k] && reach[k][j]);
		for (uint32_t i = 0; i < n; i++)
			cyclic = cyclic || reach[i][i];
		graph_build(&g, &a, n, e, ne);
		assert_int_equal(graph_order(&g, &a, order), !cyclic);
		size_t len = graph_cycle(&g, &a, &path);
		assert_int_equal(len > 0, cyclic);
		for (size_t i = 0; i < len; i++) {
			bool edge = false;
			for (size_t k = 0; k < ne; k++)
				edge = edge ||
				       (e[k].from == path[i] && e[k].to == path[(i + 1) % len]);
			assert_true(edge);
		}
		if (cyclic)
			continue;
		for (uint32_t i = 0; i < n; i++)
			at[order[i]] = i;
		for (size_t i = 0; i < ne; i++)
			assert_true(at[e[i].to] < at[e[i].from]);
	}
}

/* No recursion: a million nodes in a row, open and closed. */
static void long_chain(void **state)
{
	const uint32_t n = 1000000;
	struct edge *e = malloc(n * sizeof *e);
	uint32_t *order = malloc(n * sizeof *order), *path;
	struct graph g;

	(void)state;
	for (uint32_t i = 0; i + 1 < n; i++)
		e[i] = (struct edge){i + 1, i};
	graph_build(&g, &a, n, e, n - 1);
	assert_true(graph_order(&g, &a, order));
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(order[i], i);
	graph_height(&g, &a, order);
	assert_int_equal(order[0], n);
	assert_int_equal(graph_cycle(&g, &a, &path), 0);

	e[n - 1] = (struct edge){0, n - 1};
	graph_build(&g, &a, n, e, n);
	assert_false(graph_order(&g, &a, order));
	assert_int_equal(graph_cycle(&g, &a, &path), n);
	free(order);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_are_sorted_and_unique, setup, teardown),
		cmocka_unit_test_setup_teardown(empty_graph, setup, teardown),
		cmocka_unit_test_setup_teardown(order_breaks_ties_by_index, setup, teardown),
		cmocka_unit_test_setup_teardown(height_is_the_longest_way_down, setup, teardown),
		cmocka_unit_test_setup_teardown(cycle_of_one, setup, teardown),
		cmocka_unit_test_setup_teardown(cycle_is_short_and_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(random_graphs, setup, teardown),
		cmocka_unit_test_setup_teardown(long_chain, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
