/* What must come after what, and what therefore may not happen: over the operations, when all of them are decided. */
#include <string.h>

#include "base/text.h"
#include "model/plan_internal.h"

/* ---- edges ------------------------------------------------------------ */

static void need(struct planner *pl, uint32_t op, uint32_t before)
{
	if (op == RES_NONE || before == RES_NONE || op == before)
		return;
	*VEC_PUSH(pl->a, &pl->edges) = (struct edge){op, before};
}

static bool is_removal(const struct op *op)
{
	return op->kind == OP_DELETE || op->kind == OP_FORGET;
}

static void edges_of_sections(struct planner *pl)
{
	for (uint32_t i = 0; i < pl->b->n; i++) {
		const struct graph *g = &pl->b->graph;

		if (pl->op_of[i] == RES_NONE || is_removal(&pl->ops.v[pl->op_of[i]]))
			continue;
		for (uint32_t e = g->out_at[i]; e < g->out_at[i + 1]; e++)
			if (pl->op_of[g->out[e]] != RES_NONE &&
			    !is_removal(&pl->ops.v[pl->op_of[g->out[e]]]) &&
			    pl->job_first[g->out[e]] != pl->op_of[i])
				need(pl, pl->op_of[i], pl->op_of[g->out[e]]);
		need(pl, pl->op_of[i], pl->job_first[i]);
	}
}

/* ---- what an instance takes only while its job runs ---------------------------- */

/* The op of the Forward job on an instance section; NULL: none in this plan. */
static const struct op *forward_job(const struct planner *pl, uint32_t inst)
{
	const struct graph *g = &pl->b->graph;

	for (uint32_t e = g->in_at[inst]; e < g->in_at[inst + 1]; e++) {
		const struct resource *job = &pl->b->v[g->in[e]];

		if (job->type == &type_job && job->instance == inst &&
		    pl->op_of[g->in[e]] != RES_NONE && !res_reverse(job))
			return &pl->ops.v[pl->op_of[g->in[e]]];
	}
	return NULL;
}

static void refuse_resting(struct planner *pl, struct op *op, const struct op *job)
{
	const char *why = plan_why_not_running(pl, op->seen);

	if (op->seen->status == ST_LOCKED)
		op->refused = why;
	else if (job)
		op->refused = arena_printf(pl->a, "%s: set status = Synchronizing in [%s]", why,
		                           job->address);
	else
		op->refused = arena_printf(pl->a, "%s, and nothing in this plan starts it", why);
}

/* The class and the topology of an instance are changed while its job runs (dts-api.md 3.3). Where the job's own op makes it
 * run, the instance waits for that; where nothing does, the change is refused. */
void plan_order_resting(struct planner *pl)
{
	for (uint32_t i = 0; i < pl->b->n; i++) {
		struct op *op = pl->op_of[i] == RES_NONE ? NULL : &pl->ops.v[pl->op_of[i]];
		enum status_class c;
		const struct op *job;

		if (!op || op->type != &type_instance || op->refused || !op->seen ||
		    !plan_needs_run(op))
			continue;
		c = status_class(op->seen->status);
		if (c == SC_RUNNING || c == SC_MOVING)
			continue;
		job = forward_job(pl, i);
		if (job && !job->refused && !is_removal(job) && plan_runs_after(pl, job))
			pl->job_first[i] = (uint32_t)(job - pl->ops.v);
		else
			refuse_resting(pl, op, job);
	}
}

/* Other dependencies may close a circle over a job that is to go first: then its instance cannot be changed in this run. */
void plan_refuse_job_first(struct planner *pl)
{
	for (uint32_t i = 0; i < pl->b->n; i++) {
		if (pl->job_first[i] == RES_NONE)
			continue;
		pl->job_first[i] = RES_NONE;
		pl->ops.v[pl->op_of[i]].refused =
			"this needs its job to run first, which other dependencies forbid: start the job, then apply this";
	}
}

static uint32_t removal_of(const struct planner *pl, const char *address)
{
	uint32_t k = map_get(&pl->rec_by_addr, address);
	uint32_t res = map_get(&pl->b->by_address, address);

	if (k != MAP_NONE && pl->del_of[k] != RES_NONE)
		return pl->del_of[k];
	if (res != MAP_NONE && pl->op_of[res] != RES_NONE && is_removal(&pl->ops.v[pl->op_of[res]]))
		return pl->op_of[res];
	return RES_NONE;
}

/* A deletion waits for the deletions of all that was recorded to depend on it; an instance whose only job goes needs no call. */
static void edges_of_removals(struct planner *pl)
{
	for (uint32_t i = 0; i < pl->ops.n; i++) {
		struct op *op = &pl->ops.v[i];

		/* a job that is made anew may move away from an instance that goes */
		bool moves = op->kind == OP_REPLACE && op->type == &type_job;

		if ((!is_removal(op) && !moves) || !op->have)
			continue;
		for (size_t d = 0; d < op->have->ndeps; d++) {
			uint32_t target = removal_of(pl, op->have->deps[d]);
			struct op *dep;

			if (target == RES_NONE)
				continue;
			need(pl, target, i);
			if (moves)
				continue;
			dep = &pl->ops.v[target];
			if (op->kind == OP_DELETE && dep->kind == OP_DELETE &&
			    op->type == &type_job && dep->type == &type_instance &&
			    text_eq(op->have->instance_id, dep->have->instance_id) &&
			    !op->refused && !plan_two_way(dep->have) && !plan_two_way(op->have)) {
				dep->released_by = op->address;
				dep->nsteps = 0;
				dep->impact = 0;
				plan_step_add(dep, DO_WAIT_GONE);
				dep->impact = IMPACT_STOPS_PAYING;
				op->impact &= ~(unsigned)IMPACT_STOPS_PAYING;
			}
			if (op->refused && !dep->refused && dep->kind == OP_DELETE)
				dep->refused = arena_printf(pl->a, "%s, which lives on it, stays",
				                            op->address);
		}
	}
}

/* ---- what lives on an instance ------------------------------------------ */

static const struct op *op_of_record(const struct planner *pl, size_t rec)
{
	uint32_t res = pl->section_of[rec];

	if (pl->del_of[rec] != RES_NONE)
		return &pl->ops.v[pl->del_of[rec]];
	return res == RES_NONE || pl->op_of[res] == RES_NONE ? NULL : &pl->ops.v[pl->op_of[res]];
}

/* Is the job made anew on another instance, and reset on this one? */
static bool moves_away(const struct planner *pl, const struct op *op, const struct record *rec)
{
	const char *id =
		op->want == RES_NONE
			? NULL
			: batch_text(pl->a, res_val(&pl->b->v[op->want], "dts_instance_id"),
	                             planner_lookup, (void *)(uintptr_t)pl);

	return op->type == &type_job && op->kind == OP_REPLACE && op->want != RES_NONE &&
	       !text_eq(id, rec->instance_id);
}

/* Does this run take the recorded job away (or make it anew on another instance), so that its instance may go? */
static bool job_goes(const struct planner *pl, size_t rec, bool replaced)
{
	const struct op *op = op_of_record(pl, rec);

	if (!op || op->refused || pl->recs->v[rec]->protect)
		return false;
	if (op->kind ==
	    OP_FORGET) /* gone already; what on_destroy = forget leaves must stay alive */
		return planner_is_gone(pl, pl->recs->v[rec], op->seen);
	if (op->kind == OP_CREATE || op->kind == OP_DELETE || op->stays_gone)
		return true;
	return op->kind == OP_REPLACE && (replaced || moves_away(pl, op, pl->recs->v[rec]));
}

/* Why the recorded job does not go. */
static const char *why_it_stays(const struct planner *pl, size_t rec)
{
	const struct record *r = pl->recs->v[rec];
	const struct op *op = op_of_record(pl, rec);
	uint32_t k = pl->section_of[rec];

	if (r->protect || (k != RES_NONE && pl->b->v[k].life.protect))
		return "is protected";
	return op && op->kind == OP_FORGET ? "is only forgotten (on_destroy = forget)"
	                                   : "is no part of this change";
}

static bool takes_instance_away(const struct op *op)
{
	return op->type == &type_instance && !op->refused &&
	       (op->kind == OP_DELETE || op->kind == OP_REPLACE);
}

/* Releasing an instance releases every job on it: all of them must be part of this run, visibly. */
static void guard_instance(struct planner *pl, struct op *op, const struct map *jobs,
                           const uint32_t *next)
{
	uint32_t i = map_get(jobs, op->have->instance_id);
	bool known = i != MAP_NONE;

	for (; i != MAP_NONE; i = next[i])
		if (!job_goes(pl, i, op->kind == OP_REPLACE)) {
			op->refused = arena_printf(
				pl->a, "%s lives on it and would be lost with it, but %s",
				pl->recs->v[i]->address, why_it_stays(pl, i));
			return;
		}
	if (!known && op->seen && op->seen->status != ST_NOT_CONFIGURED)
		op->refused = arena_printf(
			pl->a,
			"job %s (\"%s\"), which this state does not know, runs on it: import it, or delete "
			"it in the console",
			op->seen->job_id, op->seen->name);
}

void plan_guard_instances(struct planner *pl)
{
	uint32_t *next = arena_array(pl->a, uint32_t, pl->recs->n + 1);
	struct map jobs;
	bool any = false;

	for (uint32_t i = 0; i < pl->ops.n; i++)
		any = any || takes_instance_away(&pl->ops.v[i]);
	if (!any)
		return;
	map_init(&jobs, pl->a);
	for (uint32_t i = 0; i < pl->recs->n; i++) {
		const struct record *r = pl->recs->v[i];

		next[i] = MAP_NONE;
		if (r->type != &type_job || text_empty(r->instance_id))
			continue;
		next[i] = map_get(&jobs, r->instance_id);
		map_put(&jobs, r->instance_id, i);
	}
	for (uint32_t i = 0; i < pl->ops.n; i++)
		if (takes_instance_away(&pl->ops.v[i]) && pl->ops.v[i].have)
			guard_instance(pl, &pl->ops.v[i], &jobs, next);
}

/* On a two-way instance Forward is configured first and deleted last (design.md 4). */
static void edges_of_directions(struct planner *pl)
{
	struct map forward;

	map_init(&forward, pl->a);
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < pl->ops.n; i++) {
			const struct op *op = &pl->ops.v[i];
			const char *inst = op->have ? op->have->instance_id : NULL;
			const char *dir = NULL;
			int at;

			if (op->type != &type_job)
				continue;
			if (op->want != RES_NONE) {
				const struct resource *r = &pl->b->v[op->want];

				dir = res_get(r, "synchronization_direction");
				if (r->instance != RES_NONE)
					inst = pl->b->v[r->instance].address;
				else if (res_get(r, "dts_instance_id"))
					inst = res_get(r, "dts_instance_id");
			} else {
				at = attr_find(op->type, "synchronization_direction");
				dir = at >= 0 ? op->have->attrs[at] : NULL;
			}
			if (!dir || !inst)
				continue;
			if (pass == 0 && text_ieq(dir, "Forward"))
				map_put(&forward, inst, i);
			if (pass == 1 && text_ieq(dir, "Reverse") &&
			    map_get(&forward, inst) != MAP_NONE) {
				uint32_t f = map_get(&forward, inst);
				bool removal = is_removal(op) && is_removal(&pl->ops.v[f]);

				if (removal)
					need(pl, f, i);
				else if (!is_removal(op) && !is_removal(&pl->ops.v[f]))
					need(pl, i, f);
			}
		}
	}
}

/* ---- the graph --------------------------------------------------------- */

/* False: instances that wait for their jobs close a circle. */
bool plan_order(struct planner *pl)
{
	bool flipped = false;

	pl->edges.n = 0;
	edges_of_sections(pl);
	edges_of_removals(pl);
	edges_of_directions(pl);
	graph_build(&pl->p->graph, pl->a, (uint32_t)pl->ops.n, pl->edges.v, pl->edges.n);
	for (uint32_t i = 0; i < pl->b->n; i++)
		flipped = flipped || pl->job_first[i] != RES_NONE;
	return !flipped ||
	       graph_order(&pl->p->graph, pl->a, arena_array(pl->a, uint32_t, pl->ops.n + 1));
}

/* The jobs of an instance that is to be bought: *refused, *gone are the last of them that is not allowed, that stays gone. False: one
 * of them is made, or there are none. */
static bool nobody_uses(const struct planner *pl, uint32_t i, const struct op **refused,
                        const struct op **gone)
{
	const struct graph *g = &pl->b->graph;

	*refused = *gone = NULL;
	for (uint32_t e = g->in_at[i]; e < g->in_at[i + 1]; e++) {
		const struct resource *job = &pl->b->v[g->in[e]];
		const struct op *op;

		if (job->type != &type_job || job->instance != i)
			continue;
		if (pl->op_of[g->in[e]] == RES_NONE)
			return false;
		op = &pl->ops.v[pl->op_of[g->in[e]]];
		if (op->refused)
			*refused = op;
		else if (op->stays_gone)
			*gone = op;
		else
			return false;
	}
	return *refused || *gone;
}

void plan_refuse_useless(struct planner *pl)
{
	for (size_t i = 0; i < pl->ops.n; i++) {
		struct op *op = &pl->ops.v[i];
		const struct op *refused, *gone;

		if (op->kind != OP_CREATE || op->type != &type_instance || op->want == RES_NONE ||
		    op->refused || !nobody_uses(pl, op->want, &refused, &gone))
			continue;
		if (gone)
			op->refused = arena_printf(
				pl->a,
				"it would be bought for nothing: its job %s is gone and `on_gone = forget` keeps it so; say "
				"the same here, or take both sections out",
				gone->address);
		else
			op->refused = arena_printf(
				pl->a, "it would be bought for nothing: its job %s is not allowed",
				refused->address);
	}
}
