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
	int dir;

	if (r->type == &type_instance)
		return inventory_instance(inv, r->instance_id, false);
	o = inventory_job(inv, r->job_id ? r->job_id : r->id);
	if (o && (text_eq(o->instance_id, r->instance_id) || !*o->instance_id ||
	          text_empty(r->instance_id)))
		return o;
	/* Job ids go stale after a reset (dts-api.md 13 #25): the instance and the direction still tell. */
	dir = attr_find(r->type, "synchronization_direction");
	return inventory_instance(inv, r->instance_id,
	                          dir >= 0 && text_ieq(r->attrs[dir], "Reverse"));
}

/* The instance is there, but empty: the job is gone unless a creation of ours is under way. */
static bool emptied(const struct record *r, const struct observed *seen)
{
	return r->type == &type_job && seen->status == ST_NOT_CONFIGURED && r->step == STEP_DONE;
}

const struct observed *plan_seen(const struct inventory *inv, const struct record *r)
{
	const struct observed *o = find_row(inv, r);

	return o && !emptied(r, o) ? o : NULL;
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
	for (size_t i = 0; i < pl->recs->n; i++)
		map_put(&pl->rec_by_addr, pl->recs->v[i]->address, (uint32_t)i);
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
		pl->claimed[k] = true;
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

static bool matches(const char *const *globs, size_t n, const char *address)
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
		pl->picked[i] = !pl->o->ntargets ||
		                matches(pl->o->targets, pl->o->ntargets, pl->b->v[i].address);
	for (size_t k = n;
	     pl->o->ntargets && k-- > 0;) { /* users first: a picked one picks what it needs */
		uint32_t i = order[k];

		for (uint32_t e = g->out_at[i]; pl->picked[i] && e < g->out_at[i + 1]; e++)
			pl->picked[g->out[e]] = true;
	}
	for (size_t k = 0; pl->o->nexcludes && k < n; k++) {
		uint32_t i = order[k];

		if (matches(pl->o->excludes, pl->o->nexcludes, pl->b->v[i].address))
			pl->picked[i] = false;
		for (uint32_t e = g->out_at[i]; e < g->out_at[i + 1]; e++)
			if (!pl->picked[g->out[e]])
				pl->picked[i] = false;
	}
}

static bool record_picked(const struct planner *pl, const struct record *r)
{
	if (pl->o->nexcludes && matches(pl->o->excludes, pl->o->nexcludes, r->address))
		return false;
	return !pl->o->ntargets || matches(pl->o->targets, pl->o->ntargets, r->address);
}

/* ---- one section ----------------------------------------------------- */

static struct op *new_op(struct planner *pl, const char *address, const struct type_def *type)
{
	struct op *op = VEC_PUSH(pl->a, &pl->ops);

	*op = (struct op){.address = address, .type = type, .want = RES_NONE};
	return op;
}

static const char *replace_refusal(struct planner *pl, const struct diff *df, const struct op *op)
{
	const char *extra =
		df->endpoint_keys
			? "; for the same data behind another address, `endpoint_change = same-data` lets the "
			  "endpoint be changed in place"
			: "";

	return arena_printf(
		pl->a, "only a replacement can change %s: `replace = allowed` in [%s] permits it%s",
		df->replace_keys, op->address, extra);
}

/* A subscription cannot be deleted by the API; emptying it (ResetDtsJob) is no deletion. */
static void refuse_prepaid(struct op *op)
{
	bool deletes = false;

	for (unsigned i = 0; i < op->nsteps; i++)
		deletes = deletes || op->steps[i] == DO_DELETE;
	if (deletes && !op->refused && op->seen && text_ieq(op->seen->pay_type, "PrePaid"))
		op->refused =
			"prepaid: the API cannot delete it; unsubscribe in the console, then `dtsbatch state rm`";
}

/* ResetDtsJob is refused while the instance is locked. */
static void refuse_locked(struct planner *pl, struct op *op)
{
	for (unsigned i = 0; i < op->nsteps && !op->refused; i++)
		if (op->steps[i] == DO_RESET && op->seen && op->seen->status == ST_LOCKED)
			op->refused = plan_why_not_running(pl, op->seen);
}

/* Paid in advance, or about to be: the change of payment comes first. */
static bool stays_prepaid(const struct op *op, const struct resource *r)
{
	const char *want = res_get(r, "payment_type");

	return want ? text_ieq(want, "Subscription")
	            : op->seen && text_ieq(op->seen->pay_type, "PrePaid");
}

static void decide_existing(struct planner *pl, struct op *op, const struct resource *r)
{
	struct diff df;
	bool forced = matches(pl->o->replaces, pl->o->nreplaces, r->address);
	bool instance_new = r->instance != RES_NONE && pl->op_of[r->instance] != RES_NONE &&
	                    (pl->ops.v[pl->op_of[r->instance]].kind == OP_REPLACE ||
	                     pl->ops.v[pl->op_of[r->instance]].kind == OP_CREATE);

	plan_diff(pl, op, &df);
	plan_defer_parameters(pl, op, &df);
	if (op->have && op->have->step != STEP_DONE && op->kind != OP_ADOPT &&
	    (!instance_new || op->have->step == STEP_CONFIGURED_FREE)) {
		op->kind = OP_RESUME;
		op->why = arena_printf(pl->a, "an earlier run did not finish its creation (%s)",
		                       record_step_name(op->have->step));
		plan_steps_resume(pl, op, &df);
		return;
	}
	if (instance_new || forced ||
	    (df.replace &&
	     !(op->seen && op->type == &type_job && op->seen->status == ST_PRECHECK_FAILED))) {
		bool adopt = op->kind == OP_ADOPT;

		op->kind = OP_REPLACE;
		op->why = instance_new ? "its instance is new"
		          : forced     ? "asked for by --replace"
		                       : arena_printf(pl->a, "%s changed", df.replace_keys);
		if (r->life.protect || (op->have && op->have->protect))
			op->refused = "protected: `protect = true` forbids a replacement";
		else if (adopt)
			op->refused = arena_printf(
				pl->a,
				"what is imported differs in %s, which only a replacement can "
				"change: mend the section",
				df.replace_keys);
		else if (!instance_new && !forced && !r->life.replace_allowed)
			op->refused = replace_refusal(pl, &df, op);
		plan_steps_replace(pl, op);
		refuse_prepaid(op);
		refuse_locked(pl, op);
		return;
	}
	if (op->nchanges || (op->have && op->have->protect != r->life.protect) ||
	    plan_wakes(pl, op)) {
		if (op->kind != OP_ADOPT)
			op->kind = OP_UPDATE;
		if (!op->nchanges && plan_wakes(pl, op))
			op->why = "its instance can be changed only while it runs";
		if (op->have && op->have->protect != r->life.protect)
			op->protect = r->life.protect ? PROTECT_ON : PROTECT_OFF;
		plan_steps_update(pl, op, &df);
		if (df.lower_class)
			op->refused =
				"the class can only rise; lowering it takes a ticket to the vendor";
		if ((df.routes & (1u << ROUTE_TWOWAY)) && stays_prepaid(op, r))
			op->refused =
				"a subscription cannot be made two-way: the service does that for pay-as-you-go "
				"instances alone";
	}
	if (op->kind == OP_NOOP && !text_eq(op->have->address, r->address)) {
		op->kind = OP_MOVE;
		op->why = arena_printf(pl->a, "was %s", op->have->address);
	}
	plan_left(pl, op);
}

static void note_sent(struct planner *pl, struct op *op)
{
	bool sent = false;

	for (size_t i = 0; i < pl->o->nsent; i++)
		sent = sent || text_eq(pl->o->sent[i], op->address);
	if (sent && op->kind != OP_NOOP && !op->refused)
		plan_note(
			pl, op,
			"an earlier run sent something of this without an answer: it is looked for first, and sent again only if it had no effect");
}

static void decide_new(struct planner *pl, struct op *op, const struct resource *r)
{
	op->kind = OP_CREATE;
	for (size_t i = 0; i < pl->o->nunsettled; i++)
		if (text_eq(pl->o->unsettled[i], r->address))
			op->why =
				"the answer of its purchase was lost: it is settled first, and bought only if it did not arrive";
	plan_list_values(pl, op);
	plan_steps_create(pl, op);
	if (r->type == &type_instance && text_ieq(res_get(r, "payment_type"), "Subscription"))
		plan_note(pl, op,
		          "a subscription is paid at once and cannot be deleted by the API");
}

static bool same_thing(const struct type_def *t, const struct observed *o, const struct record *r)
{
	return r->type == t && (t == &type_job ? text_eq(r->job_id, o->job_id)
	                                       : text_eq(r->instance_id, o->instance_id));
}

/* The address that has what op is to take, recorded or taken by a section before; NULL: none. */
static const char *holder_of(const struct planner *pl, const struct op *op)
{
	for (size_t i = 0; i < pl->recs->n; i++)
		if (same_thing(op->type, op->seen, pl->recs->v[i]))
			return pl->recs->v[i]->address;
	for (size_t i = 0; i < pl->ops.n; i++) {
		const struct op *o = &pl->ops.v[i];

		if (o != op && o->kind == OP_ADOPT && o->type == op->type && o->seen == op->seen)
			return o->address;
	}
	return NULL;
}

static void decide_import(struct planner *pl, struct op *op, const struct resource *r)
{
	const char *id = r->life.import_id;
	const char *dir = r->type == &type_job ? res_get(r, "synchronization_direction") : NULL;
	const char *holder;

	op->new_id = id;
	if (r->type == &type_job)
		op->seen = inventory_job(pl->inv, id);
	if (!op->seen)
		op->seen = inventory_instance(pl->inv, id,
		                              r->type == &type_job && text_ieq(dir, "Reverse"));
	op->kind = OP_ADOPT;
	op->why = arena_printf(pl->a, "import of %s", id);
	holder = op->seen ? holder_of(pl, op) : NULL;
	if (holder) {
		op->refused = arena_printf(
			pl->a,
			"%s is in the state already, as %s: `dtsbatch state mv` renames "
			"it",
			id, holder);
		return;
	}
	if (!op->seen) {
		op->refused =
			pl->o->refresh
				? arena_printf(pl->a,
		                               "%s does not exist in this account and region", id)
				: "an import needs to look: leave --refresh=false out";
		return;
	}
	if (r->type == &type_job && op->seen->status == ST_NOT_CONFIGURED) {
		op->refused =
			arena_printf(pl->a,
		                     "%s is an instance without a configured job: import it as an "
		                     "instance, a job section then configures it",
		                     id);
		return;
	}
	decide_existing(pl, op, r);
	if (!pl->o->take_only || op->kind != OP_ADOPT || op->refused)
		return;
	op->as_it_is = true;
	op->nsteps = 0;
	op->impact = 0;
	if (op->nchanges)
		plan_note(pl, op, "taken over as it is: what differs is changed by the next apply");
}

/* A job without incremental phase ends by itself and its instance is released: that is success, no reason to buy again. */
static bool ends_by_itself(const struct planner *pl, const struct resource *r)
{
	const struct graph *g = &pl->b->graph;
	uint32_t i = (uint32_t)(r - pl->b->v);

	if (r->type == &type_job)
		return text_eq(res_get(r, "data_synchronization"), "false");
	for (uint32_t e = g->in_at[i]; e < g->in_at[i + 1]; e++) {
		const struct resource *job = &pl->b->v[g->in[e]];

		if (job->type == &type_job &&
		    text_eq(res_get(job, "data_synchronization"), "false"))
			return true;
	}
	return false;
}

/* on_gone = forget: it is gone and shall not come back. */
static void leave_gone(struct planner *pl, struct op *op)
{
	int64_t since = op->have->gone_ms > 0 ? op->have->gone_ms : pl->o->now_ms;
	char when[21];

	op->kind = OP_NOOP;
	op->stays_gone = true;
	pl->p->marked += op->have->gone_ms == 0;
	text_utc(since / 1000, when);
	plan_note(
		pl, op,
		"gone on the service since %s; on_gone = forget: not created again; remove its section, or "
		"`dtsbatch state rm '%s'` to have it created anew",
		when, op->have->address);
}

static void decide_gone(struct planner *pl, struct op *op, const struct resource *r)
{
	op->seen = NULL;
	if (op->have->step == STEP_CONFIGURED_FREE) { /* nothing was bought: it never came to be */
		decide_new(pl, op, r);
		op->why = "its free job is gone on the service";
		return;
	}
	if (r->life.on_gone == GONE_RECREATE && ends_by_itself(pl, r)) {
		op->kind = OP_CREATE;
		op->why = "gone on the service";
		op->refused =
			"without data_synchronization a job ends by itself; it is not bought again: take the section out or "
			"say `on_gone = forget`, or `dtsbatch state rm` it first to run it once more";
		return;
	}
	if (r->life.on_gone == GONE_FORGET) {
		leave_gone(pl, op);
		return;
	}
	decide_new(pl, op, r);
	op->why = "gone on the service";
	if (r->life.on_gone == GONE_FAIL)
		op->refused = "gone on the service, and on_gone = fail";
}

/* Nothing can be configured on an instance that is gone for good, and it is not bought again. */
static void refuse_on_gone_instance(struct planner *pl, struct op *op, const struct resource *r)
{
	const struct op *inst = r->type == &type_job && r->instance != RES_NONE &&
	                                        pl->op_of[r->instance] != RES_NONE
	                                ? &pl->ops.v[pl->op_of[r->instance]]
	                                : NULL;

	if (!inst || !inst->stays_gone || op->kind == OP_NOOP || op->refused)
		return;
	op->refused = arena_printf(
		pl->a,
		"its instance %s is gone on the service and `on_gone = forget` keeps it so: say the same here or "
		"take both sections out, or `dtsbatch state rm '%s'` to have it bought anew",
		inst->address, inst->address);
}

static void plan_delete(struct planner *pl, struct op *op, bool explicit_destroy);

static void plan_section(struct planner *pl, uint32_t i)
{
	const struct resource *r = &pl->b->v[i];
	struct op *op = new_op(pl, r->address, r->type);

	op->want = i;
	op->have = pl->have[i];
	op->seen = pl->seen[i];
	pl->op_of[i] = (uint32_t)pl->ops.n - 1;
	if (op->have)
		pl->p->recorded++;
	if (r->life.absent) {
		op->kind = OP_NOOP;
		if (op->have) {
			op->why = "ensure = absent";
			plan_delete(pl, op, false);
		}
		return;
	}
	if (!op->have) {
		if (r->life.import_id)
			decide_import(pl, op, r);
		else
			decide_new(pl, op, r);
	} else if (planner_is_gone(pl, op->have, op->seen)) {
		decide_gone(pl, op, r);
	} else {
		decide_existing(pl, op, r);
	}
	refuse_on_gone_instance(pl, op, r);
	note_sent(pl, op);
	plan_notice(pl, op);
}

/* ---- deletions ------------------------------------------------------- */

/* Will the instance this job lives on stay recorded after the run? Then the paid instance is emptied, not released. */
static bool instance_stays(const struct planner *pl, const struct record *job)
{
	for (size_t d = 0; d < job->ndeps; d++) {
		uint32_t k = map_get(&pl->rec_by_addr, job->deps[d]);
		const struct record *inst;
		uint32_t res;

		if (k == MAP_NONE)
			continue;
		inst = pl->recs->v[k];
		if (inst->type != &type_instance || !text_eq(inst->instance_id, job->instance_id))
			continue;
		if (pl->o->destroy)
			return !record_picked(pl, inst) || inst->protect || inst->destroy_forgets;
		res = map_get(&pl->b->by_address, inst->address);
		if (res != MAP_NONE)
			return !pl->b->v[res].life.absent;
		return !pl->o->prune || inst->protect;
	}
	return false;
}

static bool two_way_record(const struct record *r)
{
	int i = attr_find(r->type,
	                  r->type == &type_job ? "synchronization_direction" : "sync_architecture");

	return i >= 0 && r->attrs[i] &&
	       (r->type == &type_job || text_ieq(r->attrs[i], "bidirectional"));
}

static void delete_steps(struct planner *pl, struct op *op, const struct record *r)
{
	plan_step_add(op, DO_VERIFY);
	if (r->type == &type_job && instance_stays(pl, r)) {
		plan_step_add(op, DO_RESET);
		op->impact = 0; /* not the resync of a replacement: nothing follows the reset */
		plan_note(pl, op,
		          "its instance stays: the job is reset, the instance is still billed");
		return;
	}
	plan_step_add(op, DO_DELETE);
	plan_step_add(op, DO_WAIT_GONE);
	if (r->type == &type_job && text_empty(r->instance_id)) {
		plan_note(pl, op, "a free job: nothing was bought for it");
		op->impact &= ~(unsigned)IMPACT_STOPS_PAYING;
	} else if (r->type == &type_job && !two_way_record(r)) {
		plan_note(pl, op, "releases instance %s", r->instance_id);
	}
}

static void plan_delete(struct planner *pl, struct op *op, bool explicit_destroy)
{
	const struct record *r = op->have;
	uint32_t k = map_get(&pl->b->by_address, r->address);
	/* What the manifest says today counts beside what the last apply recorded. */
	const struct lifecycle *life = k == MAP_NONE ? NULL : &pl->b->v[k].life;

	if (planner_is_gone(pl, r, op->seen)) {
		op->kind = OP_FORGET;
		op->why = "already gone on the service";
		return;
	}
	if (r->destroy_forgets || (life && life->destroy_forgets)) {
		op->kind = OP_FORGET;
		op->why = "on_destroy = forget";
		return;
	}
	op->kind = OP_DELETE;
	if (!op->why)
		op->why = explicit_destroy ? "destroy" : "its section was removed (--prune)";
	delete_steps(pl, op, r);
	if (life && life->protect)
		op->refused = "protected: `protect = true` forbids it";
	else if (r->protect)
		op->refused = "protected: `protect = true` is recorded; apply it as false first";
	refuse_prepaid(op);
	refuse_locked(pl, op);
}

static bool among(const char *const *files, size_t n, const char *file)
{
	for (size_t k = 0; k < n; k++)
		if (text_eq(files[k], file))
			return true;
	return false;
}

/* A section vanishes from a file that is read; one in a file that is not may stand there still. NULL: it is read. */
static const char *unseen_file(const struct planner *pl, const struct record *r)
{
	if (among(pl->o->missing_files, pl->o->nmissing_files, r->file))
		return arena_printf(
			pl->a,
			"%s, which held its section, is missing: nothing of it is pruned "
			"(`destroy --target` deletes it)",
			r->file);
	if (among(pl->o->unread_files, pl->o->nunread_files, r->file))
		return arena_printf(
			pl->a,
			"%s, which held its section, exists but was not named: nothing of it is "
			"pruned (name it, too; `destroy --target` deletes it)",
			r->file);
	return NULL;
}

/* What was said to stay gone has lost its section: nothing is left to decide, unless the section is only out of sight. */
static bool may_forget(const struct planner *pl, const struct record *r)
{
	return r->gone_ms > 0 && planner_is_gone(pl, r, planner_find(pl, r)) && !unseen_file(pl, r);
}

static void plan_orphans(struct planner *pl)
{
	for (size_t i = 0; i < pl->recs->n; i++) {
		const struct record *r = pl->recs->v[i];
		struct op *op;

		if (pl->claimed[i] && !pl->o->destroy)
			continue;
		if (!record_picked(pl, r))
			continue;
		pl->p->recorded++;
		if (!pl->o->destroy && !pl->o->prune && !may_forget(pl, r)) {
			*VEC_PUSH(pl->a, &pl->orphans) = r->address;
			continue;
		}
		op = new_op(pl, r->address, r->type);
		op->have = r;
		op->seen = planner_find(pl, r);
		pl->del_of[i] = (uint32_t)pl->ops.n - 1;
		plan_delete(pl, op, pl->o->destroy);
		if (!pl->o->destroy && !op->refused && op->kind == OP_DELETE)
			op->refused = unseen_file(pl, r);
		plan_notice(pl, op);
	}
}

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
		    pl->op_of[g->in[e]] != RES_NONE &&
		    !text_ieq(res_get(job, "synchronization_direction"), "Reverse"))
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
static void order_resting_instances(struct planner *pl)
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
static void refuse_job_first(struct planner *pl)
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

		if (!is_removal(op) || !op->have)
			continue;
		for (size_t d = 0; d < op->have->ndeps; d++) {
			uint32_t target = removal_of(pl, op->have->deps[d]);
			struct op *dep;

			if (target == RES_NONE)
				continue;
			need(pl, target, i);
			dep = &pl->ops.v[target];
			if (op->kind == OP_DELETE && dep->kind == OP_DELETE &&
			    op->type == &type_job && dep->type == &type_instance &&
			    text_eq(op->have->instance_id, dep->have->instance_id) &&
			    !op->refused && !two_way_record(dep->have) &&
			    !two_way_record(op->have)) {
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
	uint32_t res;

	if (pl->del_of[rec] != RES_NONE)
		return &pl->ops.v[pl->del_of[rec]];
	for (res = 0; res < pl->b->n; res++)
		if (pl->have[res] == pl->recs->v[rec])
			return pl->op_of[res] == RES_NONE ? NULL : &pl->ops.v[pl->op_of[res]];
	return NULL;
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
	return replaced && op->kind == OP_REPLACE;
}

/* Why the recorded job does not go. */
static const char *why_it_stays(const struct planner *pl, size_t rec)
{
	const struct record *r = pl->recs->v[rec];
	const struct op *op = op_of_record(pl, rec);
	uint32_t k = map_get(&pl->b->by_address, r->address);

	if (r->protect || (k != MAP_NONE && pl->b->v[k].life.protect))
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

static void guard_instances(struct planner *pl)
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

/* False: instances that wait for their jobs close a circle. */
static bool make_graph(struct planner *pl)
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

/* ---- the whole --------------------------------------------------------- */

void plan_make(struct plan *p, struct arena *a, const struct batch *b,
               const struct record_list *recs, const struct inventory *inv,
               const struct plan_opts *o, struct diag *d)
{
	struct planner pl = {.p = p, .a = a, .b = b, .recs = recs, .inv = inv, .o = o, .d = d};
	uint32_t *order = arena_array(a, uint32_t, b->n + 1);

	*p = (struct plan){0};
	map_init(&pl.rec_by_addr, a);
	pl.have = arena_array(a, const struct record *, b->n + 1);
	pl.seen = arena_array(a, const struct observed *, b->n + 1);
	pl.picked = arena_array(a, bool, b->n + 1);
	pl.op_of = arena_array(a, uint32_t, b->n + 1);
	pl.del_of = arena_array(a, uint32_t, recs->n + 1);
	pl.claimed = arena_array(a, bool, recs->n + 1);
	pl.job_first = arena_array(a, uint32_t, b->n + 1);
	memset(pl.op_of, 0xff, (b->n + 1) * sizeof *pl.op_of);
	memset(pl.job_first, 0xff, (b->n + 1) * sizeof *pl.job_first);
	memset(pl.del_of, 0xff, (recs->n + 1) * sizeof *pl.del_of);
	match_records(&pl);
	count_gone(&pl);
	if (!o->destroy && graph_order(&b->graph, a, order)) {
		pick(&pl, order);
		for (size_t k = 0; k < b->n; k++)
			if (pl.picked[order[k]])
				plan_section(&pl, order[k]);
	}
	plan_orphans(&pl);
	plan_twins(&pl);
	order_resting_instances(&pl);
	if (!make_graph(&pl)) {
		refuse_job_first(&pl);
		make_graph(&pl);
	}
	guard_instances(&pl);
	plan_money(&pl);
	p->ops = pl.ops.v;
	p->n = pl.ops.n;
	p->orphans = pl.orphans.v;
	p->norphans = pl.orphans.n;
	plan_blocked(&pl);
	plan_count(p);
}
