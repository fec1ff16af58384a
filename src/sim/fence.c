#include "sim/fence.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"
#include "base/sys.h"

/* Two generations, each one window long: old nonces go away a generation at a time. */
struct generation {
	struct arena a;
	struct map at;
	VEC(const char *) nonce;
	VEC(int64_t) wall;
	VEC(bool) keep;
	int64_t begun;
};

struct fence {
	struct generation g[2];
	int now;
};

static void generation_init(struct generation *g, int64_t begun)
{
	memset(g, 0, sizeof(*g));
	arena_init(&g->a);
	map_init(&g->at, &g->a);
	g->begun = begun;
}

struct fence *fence_new(void)
{
	struct fence *f = sys_malloc(sizeof(*f));

	f->now = 0;
	generation_init(&f->g[0], 0);
	generation_init(&f->g[1], 0);
	return f;
}

void fence_free(struct fence *f)
{
	arena_release(&f->g[0].a);
	arena_release(&f->g[1].a);
	sys_free(f);
}

static bool generation_has(const struct generation *g, const char *nonce, int64_t not_before)
{
	uint32_t at = map_get(&g->at, nonce);

	return at != MAP_NONE && g->wall.v[at] >= not_before;
}

static void generation_add(struct generation *g, const char *nonce, int64_t wall, bool keep)
{
	const char *own = arena_strdup(&g->a, nonce);

	map_put(&g->at, own, (uint32_t)g->nonce.n);
	*VEC_PUSH(&g->a, &g->nonce) = own;
	*VEC_PUSH(&g->a, &g->wall) = wall;
	*VEC_PUSH(&g->a, &g->keep) = keep;
}

bool fence_seen(struct fence *f, const char *nonce, int64_t now_wall, int64_t window_ms, bool keep)
{
	int64_t not_before = now_wall - window_ms + 1;

	if (generation_has(&f->g[0], nonce, not_before) ||
	    generation_has(&f->g[1], nonce, not_before))
		return true;
	if (now_wall - f->g[f->now].begun >= window_ms) {
		f->now = 1 - f->now;
		arena_release(&f->g[f->now].a);
		generation_init(&f->g[f->now], now_wall);
	}
	generation_add(&f->g[f->now], nonce, now_wall, keep);
	return false;
}

void fence_write(const struct fence *f, struct buf *out, int64_t now_wall, int64_t window_ms)
{
	const struct generation *g;
	bool first = true;

	for (int k = 1; k >= 0; k--) {
		g = &f->g[k == 0 ? f->now : 1 - f->now];
		for (size_t i = 0; i < g->nonce.n; i++) {
			if (!g->keep.v[i] || g->wall.v[i] < now_wall - window_ms)
				continue;
			buf_puts(out, first ? "\n{\"nonce\": " : ",\n{\"nonce\": ");
			first = false;
			json_write_str(out, g->nonce.v[i]);
			buf_printf(out, ", \"wall_ms\": %lld}", (long long)g->wall.v[i]);
		}
	}
}

void fence_restore(struct fence *f, const char *nonce, int64_t wall_ms)
{
	struct generation *g = &f->g[f->now];

	if (g->begun == 0)
		g->begun = wall_ms;
	generation_add(g, nonce, wall_ms, true);
}
