/*
 * Purchases whose answer was lost (design.md 6, dts-api.md 9.1). The API has
 * no token for a purchase, so what was bought is found by shape and time:
 * instances of one shape that we bought are interchangeable, so it is enough
 * that there are not more of them than open intents.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "run/run_internal.h"

#define SKEW_MS 2000 /* CreateTime has whole seconds */

/* request parameter -> path in a list row */
static const struct {
	const char *param, *path;
	bool engine;
} shape_rows[] = {
	{"SourceRegion", "SourceEndpoint.Region", false},
	{"DestinationRegion", "DestinationEndpoint.Region", false},
	{"SourceEndpointEngineName", "SourceEndpoint.EngineName", true},
	{"DestinationEndpointEngineName", "DestinationEndpoint.EngineName", true},
	{"InstanceClass", "DtsJobClass", false},
	{"PayType", "PayType", false},
	{"ResourceGroupId", "ResourceGroupId", false},
};
#define NSHAPE (sizeof shape_rows / sizeof *shape_rows)

static bool row_fits(struct arena *a, const struct json *detail, const struct json *row)
{
	for (size_t i = 0; i < NSHAPE; i++) {
		const char *want = json_text(a, detail, shape_rows[i].param);
		const char *have = json_text(a, row, shape_rows[i].path);

		if (!want || !have || !*have)
			continue; /* not said, or not told: no evidence against it */
		if (shape_rows[i].engine ? !engine_same(want, have) : !text_ieq(want, have))
			return false;
	}
	return true;
}

struct json *purchase_shape(struct arena *a, const struct dts_call *call,
                            const struct inventory *inv)
{
	struct json *o = json_new(a, JSON_OBJECT);
	struct json *before = json_new(a, JSON_ARRAY);

	for (size_t i = 0; i < NSHAPE; i++)
		for (size_t k = 0; k < call->nquery; k++)
			if (text_eq(call->query[k].name, shape_rows[i].param))
				json_add(o, shape_rows[i].param,
				         json_new_str(a, arena_strdup(a, call->query[k].value)));
	for (size_t i = 0; inv && i < inv->n; i++)
		if (inv->v[i]->status == ST_NOT_CONFIGURED && row_fits(a, o, inv->v[i]->row))
			json_add(before, NULL, json_new_str(a, inv->v[i]->instance_id));
	json_add(o, "before", before);
	return o;
}

static bool same_shape(struct arena *a, const struct json *x, const struct json *y)
{
	for (size_t i = 0; i < NSHAPE; i++) {
		const char *p = json_text(a, x, shape_rows[i].param),
			   *q = json_text(a, y, shape_rows[i].param);

		if (!text_ieq(p ? p : "", q ? q : ""))
			return false;
	}
	return true;
}

static bool was_before(const struct json *detail, const char *instance_id)
{
	const struct json *before = json_get(detail, "before");

	for (const struct json *b = before ? before->child : NULL; b; b = b->next)
		if (text_eq(b->s, instance_id))
			return true;
	return false;
}

static bool in_state(const struct run *r, const char *instance_id)
{
	size_t n;
	const struct record *const *v = state_list(r->o.state, &n);

	for (size_t i = 0; i < n; i++)
		if (text_eq(v[i]->instance_id, instance_id))
			return true;
	return false;
}

/* Tagged as somebody else's? */
static bool foreign_tag(const struct run *r, const struct json *row)
{
	const struct json *tags = json_get(row, "TagList");

	for (const struct json *t = tags ? tags->child : NULL; t; t = t->next)
		if (text_eq(json_str(t, "TagKey"), LINEAGE_TAG) &&
		    !text_eq(json_str(t, "TagValue"), state_lineage(r->o.state)))
			return true;
	return false;
}

static bool is_candidate(struct run *r, const struct purchase *p, const struct observed *o,
                         const struct inventory *later, int64_t earliest_ms)
{
	const struct observed *again = inventory_instance(later, o->instance_id, false);

	return o->status == ST_NOT_CONFIGURED && !o->reverse && *o->instance_id && again &&
	       again->status == ST_NOT_CONFIGURED && row_fits(&r->a, p->detail, o->row) &&
	       (o->created_s < 0 || o->created_s * 1000 >= earliest_ms - SKEW_MS) &&
	       !was_before(p->detail, o->instance_id) && !in_state(r, o->instance_id) &&
	       !foreign_tag(r, o->row);
}

struct group {
	struct purchase **v;
	size_t n;
	size_t here; /* of them, those that may have arrived */
	const struct observed **found;
	size_t nfound;
};

static void decide_group(struct run *r, struct group *g)
{
	const char *list = "";
	size_t k = 0;

	for (size_t i = 0; i < g->n; i++)
		g->here += g->v[i]->arrived != ARRIVED_NO;
	if (g->nfound > g->here && g->here == 0) {
		/* The fence says that none of ours arrived: whatever stands there is somebody else's. */
		g->nfound = 0;
	}
	if (g->nfound > g->here || (r->o.adopt_ask && g->nfound)) {
		for (size_t i = 0; i < g->nfound && i < 10; i++)
			list = arena_printf(&r->a, "%s%s%s", list, i ? ", " : "",
			                    g->found[i]->instance_id);
		for (size_t i = 0; i < g->n; i++) {
			g->v[i]->result = PURCHASE_DECIDE;
			g->v[i]->why = arena_printf(
				&r->a,
				"the answer of a purchase was lost; %zu instance%s could be it: %s",
				g->nfound, g->nfound == 1 ? "" : "s", list);
		}
		return;
	}
	/* Those that surely arrived take first, those that surely did not take nothing. */
	for (int want = ARRIVED_YES; want >= ARRIVED_UNKNOWN; want--)
		for (size_t i = 0; i < g->n; i++)
			if (g->v[i]->arrived == (enum arrived)want && k < g->nfound) {
				g->v[i]->found = g->found[k++];
				g->v[i]->result = PURCHASE_ADOPT;
			}
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i]->result == PURCHASE_OPEN)
			g->v[i]->result = PURCHASE_MISSING;
}

void purchases_settle(struct run *r, struct purchase **v, size_t n, const struct inventory *inv1,
                      const struct inventory *inv2)
{
	bool *taken = arena_array(&r->a, bool, n + 1);

	for (size_t i = 0; i < n; i++) {
		struct group g = {.v = arena_array(&r->a, struct purchase *, n)};
		int64_t earliest = v[i]->sent_ms;

		if (taken[i])
			continue;
		for (size_t k = i; k < n; k++)
			if (!taken[k] && text_eq(v[k]->region, v[i]->region) &&
			    same_shape(&r->a, v[k]->detail, v[i]->detail)) {
				taken[k] = true;
				g.v[g.n++] = v[k];
				earliest = v[k]->sent_ms < earliest ? v[k]->sent_ms : earliest;
			}
		g.found = arena_array(&r->a, const struct observed *, inv1->n + 1);
		for (size_t k = 0; k < inv1->n; k++)
			if (is_candidate(r, g.v[0], inv1->v[k], inv2, earliest))
				g.found[g.nfound++] = inv1->v[k];
		decide_group(r, &g);
	}
}
