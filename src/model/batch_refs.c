/*
 * References between resources: what they name, the graph they make,
 * circles, and the values that have to wait for other values.
 */
#include <string.h>

#include "base/text.h"
#include "model/batch_internal.h"

#define CIRCLES_MAX 10
#define EDGES_MAX 10000000

static const char *near_address(struct builder *bd, const char *base)
{
	if (!bd->base_names.n)
		for (size_t i = 0; i < bd->sections.n; i++)
			*VEC_PUSH(&bd->tmp, &bd->base_names) = bd->sections.v[i].base;
	return nearest_of(bd, base, bd->base_names.v, bd->base_names.n);
}

/* Name -> resources. item: NULL for all. Message parts go to *msg and *hint when it fails; both
 * NULL: reported elsewhere. */
static bool find(struct builder *bd, const char *base, const char *item, uint32_t *first,
                 uint32_t *n, const char **msg, const char **hint)
{
	uint32_t at = map_get(&bd->section_at, base);
	const struct section *s = at == MAP_NONE ? NULL : &bd->sections.v[at];

	*msg = *hint = NULL;
	if (!s) {
		const char *near = near_address(bd, base);
		*msg = arena_printf(&bd->tmp, "there is no section [%s]",
		                    text_safe_dup(&bd->tmp, base, 160));
		if (near)
			*hint = arena_printf(&bd->tmp, "did you mean %s?", near);
		return false;
	}
	if (s->broken)
		return false;
	if (!item) {
		*first = s->first;
		*n = s->count;
		return true;
	}
	if (!s->repeated) {
		*msg = arena_printf(&bd->tmp, "%s has no items: it has no for_each", base);
		*hint = arena_printf(&bd->tmp, "write %s", base);
		return false;
	}
	const char *address = arena_printf(&bd->tmp, "%s[\"%s\"]", base, item);
	uint32_t r = map_get(&bd->b->by_address, address);
	if (r == MAP_NONE) {
		const char *near = nearest_of(bd, item, s->items, s->count);
		*msg = arena_printf(&bd->tmp, "%s has no item `%s`", base,
		                    text_safe_dup(&bd->tmp, item, 60));
		if (near)
			*hint = arena_printf(&bd->tmp, "did you mean %s[\"%s\"]?", base, near);
		return false;
	}
	*first = r;
	*n = 1;
	return true;
}

uint32_t ref_target(struct builder *bd, const struct tpl *t, const struct tpl_part *p,
                    const struct scope *sc)
{
	char base[160];
	const char *msg, *hint;
	uint32_t first = 0, n = 0;
	const char *item = p->sub ? expand_sub(bd, p->sub, sc) : NULL;

	if (p->sub && !item)
		return RES_NONE;
	size_t type_n = strlen(p->type->name);
	const char *name = base;
	if (type_n + p->n + 2 <= sizeof base) {
		memcpy(base, p->type->name, type_n);
		base[type_n] = '.';
		memcpy(base + type_n + 1, p->s, p->n + 1);
	} else {
		name = arena_printf(&bd->tmp, "%s.%s", p->type->name, p->s);
	}
	bool ok = find(bd, name, item, &first, &n, &msg, &hint);
	if (ok && n == 1)
		return first;
	if (ok) {
		msg = n ? arena_printf(&bd->tmp, "%s is repeated (for_each)", name)
		        : arena_printf(&bd->tmp, "%s stands for no resource: its for_each is empty",
		                       name);
		hint = arena_printf(&bd->tmp, "name the item: ${%s[\"${each}\"].%s}", name,
		                    p->attr);
	}
	if (!msg)
		return RES_NONE;
	if (sc->p && sc->p->complaints >= 3) {
		bd->d->errors++;
		return RES_NONE;
	}
	if (sc->p)
		sc->p->complaints++;
	diag_error(bd->d, tpl_pos(t, p), hint, "%s: %s", t->k->name, msg);
	return RES_NONE;
}

bool address_range(struct builder *bd, const char *address, struct pos pos, uint32_t *first,
                   uint32_t *n)
{
	size_t len = strcspn(address, "[");
	const char *base = arena_strndup(&bd->tmp, address, len), *item = NULL, *msg, *hint;
	size_t rest = strlen(address + len);

	if (rest) {
		if (rest < 4 || address[len + 1] != '"' || !text_ends(address, "\"]")) {
			diag_error(bd->d, pos, "addresses are TYPE.NAME and TYPE.NAME[\"ITEM\"]",
			           "depends_on: `%s` is no address",
			           text_safe_dup(&bd->tmp, address, 60));
			return false;
		}
		item = arena_strndup(&bd->tmp, address + len + 2, rest - 4);
	}
	if (find(bd, base, item, first, n, &msg, &hint))
		return true;
	if (msg)
		diag_error(bd->d, pos, hint, "depends_on: %s", msg);
	return false;
}

void add_edge(struct builder *bd, uint32_t from, uint32_t to, struct pos pos)
{
	if (bd->edges.n == EDGES_MAX)
		diag_error(bd->d, pos, NULL, "more than %d dependencies in one batch", EDGES_MAX);
	if (bd->edges.n <= EDGES_MAX)
		*VEC_PUSH(&bd->tmp, &bd->edges) = (struct ref_edge){from, to, pos};
}

/* Circles ------------------------------------------------------------------------------------- */

static void build(struct builder *bd, struct graph *g, struct arena *a)
{
	struct edge *e = arena_array(&bd->tmp, struct edge, bd->edges.n + 1);

	for (size_t i = 0; i < bd->edges.n; i++)
		e[i] = (struct edge){bd->edges.v[i].from, bd->edges.v[i].to};
	graph_build(g, a, (uint32_t)bd->b->n, e, bd->edges.n);
}

/* Reports one circle and cuts it, so that the others can be found and an order exists. */
static void report_circle(struct builder *bd, const uint32_t *path, size_t n)
{
	uint32_t last = path[n - 1], first = path[0];
	struct pos pos = bd->b->v[first].pos;
	size_t kept = 0;
	struct buf b;

	buf_init(&b, 64 << 10);
	for (size_t i = 0; i <= n; i++)
		buf_printf(&b, "%s%s", i ? " -> " : "", bd->b->v[path[i % n]].address);
	for (size_t i = bd->edges.n; i-- > 0;)
		if (bd->edges.v[i].from == first && bd->edges.v[i].to == path[n > 1 ? 1 : 0])
			pos = bd->edges.v[i].pos;
	if (n == 1)
		diag_error(bd->d, pos, "use the value itself, or a variable", "%s refers to itself",
		           bd->b->v[first].address);
	else
		diag_error(bd->d, pos, "one of these references has to go",
		           "references in a circle: %s%s", buf_str(&b), b.over ? " ..." : "");
	buf_release(&b);
	for (size_t i = 0; i < bd->edges.n; i++)
		if (bd->edges.v[i].from != last || bd->edges.v[i].to != first)
			bd->edges.v[kept++] = bd->edges.v[i];
	bd->edges.n = kept;
}

/* After CIRCLES_MAX of them the rest of the edges is given up: the batch is walkable, and wrong
 * anyway. */
static void break_circles(struct builder *bd)
{
	for (size_t i = 0; i <= CIRCLES_MAX; i++) {
		struct graph g;
		uint32_t *path;
		struct arena a;

		arena_init(&a);
		build(bd, &g, &a);
		size_t n = graph_cycle(&g, &a, &path);
		if (n && i < CIRCLES_MAX)
			report_circle(bd, path, n);
		else if (n)
			bd->edges.n = 0;
		arena_release(&a);
		if (!n)
			return;
	}
}

/* Values that waited --------------------------------------------------------------------------- */

static void settle(struct builder *bd, uint32_t res)
{
	struct resource *r = &bd->b->v[res];

	for (uint32_t i = bd->pend_at[res]; i != RES_NONE; i = bd->pends.v[i].next) {
		const struct pend *w = &bd->pends.v[i];
		const struct attr_def *at = &r->type->attrs[w->attr];
		struct scope sc = {.each = r->each,
		                   .region = w->region ? w->region : bd->b->region,
		                   .json = is_json(at, w->p->k),
		                   .may_miss = true,
		                   .secret = at->flags & A_SECRET,
		                   .p = w->p};
		unsigned has = w->p->t->has;

		bind_cached(bd, at, w->p, &sc,
		            !(has & TPL_BIT(TPL_EACH)) && !(has & TPL_BIT(TPL_REGION) && w->region),
		            &r->vals[w->attr]);
	}
}

/* A job whose dts_instance_id is the id of an instance section, and nothing else. */
static void set_instance(struct builder *bd, struct resource *r)
{
	if (r->type != &type_job)
		return;
	const struct value *v = &r->vals[attr_quick(r->type, "dts_instance_id")];
	const struct part *p = v->state == V_UNKNOWN && v->nparts == 1 ? &v->parts[0] : NULL;

	if (p && !p->lit && bd->b->v[p->target].type == &type_instance &&
	    (p->what == COMP_ID || p->what == COMP_INSTANCE_ID))
		r->instance = p->target;
}

/* Own key, else the destination region of the instance, else that of the batch. */
static void set_region(struct builder *bd, struct resource *r)
{
	const struct resource *from = r->instance != RES_NONE ? &bd->b->v[r->instance] : r;

	if (r->region)
		return;
	if (from != r && from->region)
		r->region = from->region;
	else
		r->region = res_get(from, "destination_endpoint_region");
	if (!r->region)
		r->region = bd->b->region;
}

void refs_finish(struct builder *bd)
{
	struct batch *b = bd->b;
	uint32_t *order = arena_array(&bd->tmp, uint32_t, b->n + 1);

	build(bd, &b->graph, bd->a);
	if (!graph_order(&b->graph, &bd->tmp, order)) {
		break_circles(bd);
		build(bd, &b->graph, bd->a);
		graph_order(&b->graph, &bd->tmp, order);
	}
	for (size_t i = 0; i < b->n; i++) {
		struct resource *r = &b->v[order[i]];

		settle(bd, order[i]);
		set_instance(bd, r);
		set_region(bd, r);
		r->deps = b->graph.out + b->graph.out_at[order[i]];
		r->ndeps = b->graph.out_at[order[i] + 1] - b->graph.out_at[order[i]];
	}
}
