/*
 * The plan: matches sections, records and observed jobs, decides the kind of
 * each operation, and orders them. Creates and updates follow the batch's
 * dependencies; deletes run against the recorded ones.
 */
#include "model/plan.h"

#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "model/plan_internal.h"

static const char *const kind_names[OP__COUNT] = {
	[OP_NOOP] = "no change", [OP_CREATE] = "create", [OP_RESUME] = "resume creation",
	[OP_ADOPT] = "import",   [OP_UPDATE] = "update", [OP_REPLACE] = "replace",
	[OP_DELETE] = "delete",  [OP_FORGET] = "forget", [OP_MOVE] = "move",
};

static const char *const impact_names[7] = {"online",  "pause", "resync",      "resume-at-offset",
                                            "replace", "pays",  "stops-paying"};

const char *op_kind_name(enum op_kind k)
{
	return kind_names[k];
}

const char *impact_name(unsigned bit_index)
{
	return impact_names[bit_index];
}

/* ---- matching -------------------------------------------------------- */

static const struct observed *find_row(const struct inventory *inv, const struct record *r)
{
	const struct observed *o;

	if (r->type == &type_instance)
		return inventory_instance(inv, r->instance_id, false);
	o = inventory_job(inv, r->job_id ? r->job_id : r->id);
	if (o && (text_eq(o->instance_id, r->instance_id) || !*o->instance_id ||
	          text_empty(r->instance_id)))
		return o;
	/* Job ids go stale after a reset (dts-api.md 13 #25): the instance and the direction still tell. */
	return inventory_instance(inv, r->instance_id, record_reverse(r));
}

/* The instance is there, but empty: the job is gone unless a creation of ours is under way. */
static bool emptied(const struct record *r, const struct observed *seen)
{
	return r->type == &type_job && seen->status == ST_NOT_CONFIGURED && r->step == STEP_DONE;
}

const struct observed *plan_seen(const struct inventory *inv, const struct record *r, bool *left)
{
	const struct observed *o = find_row(inv, r);

	*left = o && emptied(r, o);
	return o;
}

const struct observed *planner_find(const struct planner *pl, const struct record *r)
{
	return pl->o->refresh ? find_row(pl->inv, r) : NULL;
}

bool planner_is_gone(const struct planner *pl, const struct record *r, const struct observed *seen)
{
	if (!pl->o->refresh || !pl->inv->complete)
		return r->gone_ms > 0; /* the record is trusted */
	return !seen || emptied(r, seen);
}

static void match_records(struct planner *pl)
{
	for (size_t i = 0; i < pl->recs->n; i++) {
		const struct record *r = pl->recs->v[i];

		map_put(&pl->rec_by_addr, r->address, (uint32_t)i);
		if (r->type == &type_instance && !text_empty(r->instance_id))
			map_put(&pl->rec_by_instance, r->instance_id, (uint32_t)i);
	}
	for (size_t i = 0; i < pl->b->n; i++) {
		const struct resource *r = &pl->b->v[i];
		uint32_t k = map_get(&pl->rec_by_addr, r->address);
		uint32_t old = r->life.was ? map_get(&pl->rec_by_addr, r->life.was) : MAP_NONE;

		if (k != MAP_NONE && old != MAP_NONE &&
		    map_get(&pl->b->by_address, r->life.was) == MAP_NONE)
			diag_error(pl->d, r->pos,
			           "keep one of them: `dtsbatch state rm` forgets the other",
			           "%s: `was = %s`, but the state has both", r->address,
			           r->life.was);
		if (k == MAP_NONE && old != MAP_NONE) {
			if (map_get(&pl->b->by_address, r->life.was) != MAP_NONE)
				diag_error(pl->d, r->pos,
				           "take the old section out, or the `was` key",
				           "%s: `was = %s`, but that section still exists",
				           r->address, r->life.was);
			k = old;
		}
		if (k == MAP_NONE)
			continue;
		pl->section_of[k] = (uint32_t)i;
		pl->have[i] = pl->recs->v[k];
		pl->seen[i] = planner_find(pl, pl->recs->v[k]);
	}
}

const char *planner_lookup(void *ctx, uint32_t res, enum computed what)
{
	const struct planner *pl = ctx;
	const struct record *r = pl->have[res];
	const struct op *op = pl->op_of[res] == RES_NONE ? NULL : &pl->ops.v[pl->op_of[res]];

	if (op && op->kind == OP_ADOPT && op->seen) {
		if (what == COMP_STATUS)
			return op->seen->raw_status;
		if (what == COMP_INSTANCE_ID || (what == COMP_ID && op->type == &type_instance))
			return op->seen->instance_id;
		return op->seen->job_id;
	}
	if (!r || (op && (op->kind == OP_CREATE || op->kind == OP_DELETE || op->kind == OP_FORGET)))
		return NULL;
	if (op && op->kind == OP_REPLACE &&
	    (op->type == &type_instance || what == COMP_ID || what == COMP_JOB_ID))
		return NULL;
	switch (what) {
	case COMP_ID:
		return r->id;
	case COMP_INSTANCE_ID:
		return r->instance_id;
	case COMP_JOB_ID:
		return r->job_id;
	case COMP_STATUS:
		return pl->seen[res] ? pl->seen[res]->raw_status : r->status;
	}
	return NULL;
}

/* ---- selection ------------------------------------------------------- */

bool planner_matches(const char *const *globs, size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++)
		if (text_glob(globs[i], address))
			return true;
	return false;
}

/* --target takes what it names and everything that needs; --exclude leaves out what it names and everything that needs it. */
static void pick(struct planner *pl, const uint32_t *order)
{
	const struct graph *g = &pl->b->graph;
	size_t n = pl->b->n;

	for (size_t i = 0; i < n; i++)
		pl->picked[i] = !pl->o->ntargets || planner_matches(pl->o->targets, pl->o->ntargets,
		                                                    pl->b->v[i].address);
	for (size_t k = n;
	     pl->o->ntargets && k-- > 0;) { /* users first: a picked one picks what it needs */
		uint32_t i = order[k];

		for (uint32_t e = g->out_at[i]; pl->picked[i] && e < g->out_at[i + 1]; e++)
			pl->picked[g->out[e]] = true;
	}
	for (size_t k = 0; pl->o->nexcludes && k < n; k++) {
		uint32_t i = order[k];

		if (planner_matches(pl->o->excludes, pl->o->nexcludes, pl->b->v[i].address))
			pl->picked[i] = false;
		for (uint32_t e = g->out_at[i]; e < g->out_at[i + 1]; e++)
			if (!pl->picked[g->out[e]])
				pl->picked[i] = false;
	}
}

bool planner_record_picked(const struct planner *pl, const struct record *r)
{
	if (pl->o->nexcludes && planner_matches(pl->o->excludes, pl->o->nexcludes, r->address))
		return false;
	return !pl->o->ntargets || planner_matches(pl->o->targets, pl->o->ntargets, r->address);
}

struct op *planner_op(struct planner *pl, const char *address, const struct type_def *type)
{
	struct op *op = VEC_PUSH(pl->a, &pl->ops);

	*op = (struct op){.address = address, .type = type, .want = RES_NONE};
	return op;
}

/* Of everything recorded, not only of what is asked about: one target is too little to tell a wrong account by. */
static void count_gone(struct planner *pl)
{
	for (size_t i = 0; i < pl->recs->n; i++) {
		const struct record *r = pl->recs->v[i];
		bool gone = planner_is_gone(pl, r, planner_find(pl, r));

		if (gone && (r->leaving ||
		             r->gone_ms)) /* an earlier run began to delete it, or told of it */
			continue;
		pl->p->known++;
		pl->p->gone += gone;
	}
}

/* ---- the whole --------------------------------------------------------- */

void plan_make(struct plan *p, struct arena *a, const struct batch *b,
               const struct record_list *recs, const struct inventory *inv,
               const struct plan_opts *o, struct diag *d)
{
	struct planner pl = {.p = p, .a = a, .b = b, .recs = recs, .inv = inv, .o = o, .d = d};
	uint32_t *order = arena_array(a, uint32_t, b->n + 1);

	*p = (struct plan){.open = o->nunsettled};
	map_init(&pl.rec_by_addr, a);
	map_init(&pl.rec_by_instance, a);
	pl.have = arena_array(a, const struct record *, b->n + 1);
	pl.seen = arena_array(a, const struct observed *, b->n + 1);
	pl.picked = arena_array(a, bool, b->n + 1);
	pl.op_of = arena_array(a, uint32_t, b->n + 1);
	pl.del_of = arena_array(a, uint32_t, recs->n + 1);
	pl.wanted_by = arena_array(a, const char *, recs->n + 1);
	pl.section_of = arena_array(a, uint32_t, recs->n + 1);
	pl.job_first = arena_array(a, uint32_t, b->n + 1);
	memset(pl.op_of, 0xff, (b->n + 1) * sizeof *pl.op_of);
	memset(pl.job_first, 0xff, (b->n + 1) * sizeof *pl.job_first);
	memset(pl.del_of, 0xff, (recs->n + 1) * sizeof *pl.del_of);
	memset(pl.section_of, 0xff, (recs->n + 1) * sizeof *pl.section_of);
	match_records(&pl);
	count_gone(&pl);
	if (!o->destroy && graph_order(&b->graph, a, order)) {
		pick(&pl, order);
		for (size_t k = 0; k < b->n; k++)
			if (pl.picked[order[k]])
				plan_section(&pl, order[k]);
			else
				p->left_out++;
	}
	plan_orphans(&pl);
	plan_twins(&pl);
	plan_order_resting(&pl);
	if (!plan_order(&pl)) {
		plan_refuse_job_first(&pl);
		plan_order(&pl);
	}
	plan_guard_instances(&pl);
	plan_refuse_useless(&pl);
	plan_money(&pl);
	p->ops = pl.ops.v;
	p->n = pl.ops.n;
	p->orphans = pl.orphans.v;
	p->norphans = pl.orphans.n;
	plan_blocked(&pl);
	plan_count(p);
}
