/* What becomes of one section: created, resumed, changed, replaced, taken over, or gone. */
#include <string.h>

#include "base/text.h"
#include "model/plan_internal.h"

#define CLASS_ONLY_RISES                                                                           \
	"the class can only rise: mend the section; lowering it takes a ticket to the vendor"

static const char *replace_refusal(struct planner *pl, const struct diff *df, const struct op *op)
{
	const char *extra =
		df->endpoint_keys
			? "; for the same data behind another address, `endpoint_change = same-data` lets the "
			  "endpoint be changed in place"
		: df->fixed_end
			? arena_printf(pl->a, "; the service moves no %s of this type in place",
	                               df->fixed_end)
			: "";

	return arena_printf(
		pl->a, "only a replacement can change %s: `replace = allowed` in [%s] permits it%s",
		df->replace_keys, op->address, extra);
}

/* A subscription cannot be deleted by the API; emptying it (ResetDtsJob) is no deletion. */
void plan_refuse_prepaid(struct op *op)
{
	if (plan_has_step(op, DO_DELETE) && !op->refused && op->seen &&
	    text_ieq(op->seen->pay_type, "PrePaid"))
		op->refused =
			"prepaid: the API cannot delete it; unsubscribe in the console, then `dtsbatch state rm`";
}

/* ResetDtsJob is refused while the instance is locked. */
void plan_refuse_locked(struct planner *pl, struct op *op)
{
	if (plan_has_step(op, DO_RESET) && !op->refused && op->seen &&
	    op->seen->status == ST_LOCKED)
		op->refused = plan_why_not_running(pl, op->seen);
}

/* Paid in advance, or about to be: the change of payment comes first. */
static bool stays_prepaid(const struct op *op, const struct resource *r)
{
	const char *want = res_get(r, "payment_type");

	return want ? text_ieq(want, "Subscription")
	            : op->seen && text_ieq(op->seen->pay_type, "PrePaid");
}

/* What UpgradeTwoWay takes (dts-api.md 3.3 and 4). */
static void refuse_two_way(const struct planner *pl, struct op *op, const struct resource *r)
{
	static const char *const ends[] = {"source_endpoint_engine_name",
	                                   "destination_endpoint_engine_name"};
	const char *cls = plan_wanted_class(pl->b, op->want);

	if (!cls && op->seen)
		cls = op->seen->cls;
	if (stays_prepaid(op, r))
		op->refused =
			"a subscription cannot be made two-way: the service does that for pay-as-you-go "
			"instances alone";
	if (cls && class_rank(cls) > class_rank("large"))
		op->refused =
			"the service makes instances of the classes micro to large two-way, no higher ones";
	for (size_t i = 0; i < 2; i++)
		if (res_get(r, ends[i]) && !engine_equal(res_get(r, ends[i]), "MySQL"))
			op->refused =
				"the service makes pairs of MySQL and MySQL two-way, no others";
}

static void decide_existing(struct planner *pl, struct op *op, const struct resource *r)
{
	struct diff df;
	bool forced = planner_matches(pl->o->replaces, pl->o->nreplaces, r->address);
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
	if (instance_new || forced || (df.replace && !plan_reconfigurable(op))) {
		bool adopt = op->kind == OP_ADOPT;

		op->kind = OP_REPLACE;
		op->why = instance_new ? "its instance is new"
		          : forced     ? "asked for by --replace"
		                       : arena_printf(pl->a, "%s changed", df.replace_keys);
		if (adopt && instance_new)
			op->refused = arena_printf(
				pl->a,
				"it lives on an instance that exists, but %s is to be %s: import that instance with it",
				pl->b->v[r->instance].address,
				pl->ops.v[pl->op_of[r->instance]].kind == OP_CREATE ? "created"
										    : "replaced");
		else if (adopt && !df.replace)
			op->refused = "import it first: --replace is for what the state knows";
		else if (adopt)
			op->refused = arena_printf(
				pl->a,
				"what is imported differs in %s, which only a replacement can "
				"change: mend the section",
				df.replace_keys);
		else if (r->life.protect || (op->have && op->have->protect))
			op->refused = "protected: `protect = true` forbids a replacement";
		else if (!instance_new && !forced && !r->life.replace_allowed)
			op->refused = replace_refusal(pl, &df, op);
		if (df.lower_class && !op->refused)
			op->refused = CLASS_ONLY_RISES;
		plan_steps_replace(pl, op, &df);
		plan_refuse_prepaid(op);
		plan_refuse_locked(pl, op);
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
			op->refused = CLASS_ONLY_RISES;
		if (df.impossible)
			op->refused = df.impossible;
		if (df.routes & (1u << ROUTE_TWOWAY))
			refuse_two_way(pl, op, r);
	}
	if (op->kind == OP_NOOP && !text_eq(op->have->address, r->address)) {
		op->kind = OP_MOVE;
		op->why = arena_printf(pl->a, "was %s", op->have->address);
	}
	plan_left(pl, op);
}

static bool was_sent(const struct planner *pl, const struct op *op)
{
	for (size_t i = 0; i < pl->o->nsent; i++)
		if (text_eq(pl->o->sent[i], op->address))
			return true;
	return false;
}

static void note_sent(struct planner *pl, struct op *op)
{
	if (was_sent(pl, op) && op->kind != OP_NOOP && !op->refused)
		plan_note(
			pl, op, "%s",
			pl->o->under_way
				? "the run that is under way is at work on it"
				: "an earlier run sent something of this without an answer: it is looked for first, and sent "
				  "again only if it had no effect");
}

static void decide_new(struct planner *pl, struct op *op, const struct resource *r)
{
	op->kind = OP_CREATE;
	for (size_t i = 0; i < pl->o->nunsettled; i++)
		if (text_eq(pl->o->unsettled[i], r->address))
			op->why =
				pl->o->under_way
					? "the run that is under way is buying it"
					: "the answer of its purchase was lost: it is settled first, and bought only if it did "
					  "not arrive";
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

/* What is seen under the id of a job, or of the instance that the job lives on. */
static const struct observed *find_import(const struct planner *pl, const struct resource *r,
                                          const char *id)
{
	const struct observed *o = r->type == &type_job ? inventory_job(pl->inv, id) : NULL;

	return o ? o : inventory_instance(pl->inv, id, res_reverse(r));
}

/* The id that section i is to take over: its own, or that of the instance of a job that is taken over with it. NULL: none. */
static const char *import_id(const struct planner *pl, uint32_t i)
{
	const struct graph *g = &pl->b->graph;
	const struct resource *r = &pl->b->v[i];

	if (r->life.import_id || r->type != &type_instance)
		return r->life.import_id;
	for (uint32_t e = g->in_at[i]; e < g->in_at[i + 1]; e++) {
		const struct resource *job = &pl->b->v[g->in[e]];
		const struct observed *o;

		if (job->type != &type_job || job->instance != i || !job->life.import_id ||
		    pl->have[g->in[e]] || !pl->picked[g->in[e]])
			continue;
		o = find_import(pl, job, job->life.import_id);
		if (o && *o->instance_id)
			return o->instance_id;
	}
	return NULL;
}

static void decide_import(struct planner *pl, struct op *op, const struct resource *r,
                          const char *id)
{
	const char *holder;

	op->new_id = id;
	op->seen = find_import(pl, r, id);
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
	if (op->kind == OP_REPLACE) { /* refused: nobody takes over what is to be made anew */
		op->kind = OP_ADOPT;
		op->why = arena_printf(pl->a, "import of %s", id);
		op->nsteps = 0;
		op->impact = 0;
		return;
	}
	if (!pl->o->take_only)
		return;
	op->as_it_is = true;
	op->nsteps = 0;
	op->impact = 0;
	if (op->refused) /* a change of what is taken over, which is not made now */
		plan_note(pl, op,
		          "taken over as it is; the next apply will refuse to change it: %s",
		          op->refused);
	else if (op->nchanges)
		plan_note(pl, op, "taken over as it is: what differs is changed by the next apply");
	op->refused = NULL;
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
	op->why = op->why ? arena_printf(pl->a, "gone on the service; %s", op->why)
	                  : "gone on the service";
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

/* A job that nobody recorded stands where this one is to be made: it is somebody's, and would be taken for the new one. */
static void refuse_on_taken_instance(struct planner *pl, struct op *op, const struct resource *r)
{
	const char *id;
	const struct observed *o;

	if (op->kind != OP_CREATE || op->type != &type_job || !pl->o->refresh || was_sent(pl, op))
		return;
	id = batch_text(pl->a, res_val(r, "dts_instance_id"), planner_lookup, pl);
	o = id && res_reverse(r) ? inventory_instance(pl->inv, id, false) : NULL;
	if (o && !o->two_way && r->instance == RES_NONE) {
		op->refused = arena_printf(
			pl->a,
			"instance %s is one-way: no Reverse job can be configured on it (sync_architecture = "
			"bidirectional in its section makes it two-way)",
			id);
		return;
	}
	o = id ? inventory_instance(pl->inv, id, res_reverse(r)) : NULL;
	if (!o || o->status == ST_NOT_CONFIGURED)
		return;
	for (size_t i = 0; i < pl->recs->n; i++) {
		const struct record *rec = pl->recs->v[i];

		if (rec->type != &type_job || !text_eq(rec->job_id, o->job_id))
			continue;
		pl->wanted_by[i] = op->address;
		op->refused = arena_printf(
			pl->a,
			"instance %s carries job %s, which is recorded as %s: if it is the same, `was = %s` here (or "
			"`dtsbatch state mv '%s' '%s'`) renames it",
			id, o->job_id, rec->address, strchr(rec->address, '.') + 1, rec->address,
			op->address);
		return;
	}
	op->refused = arena_printf(
		pl->a,
		"instance %s carries job %s (%s) already, which the state does not know: `dtsbatch import '%s' %s` "
		"takes it over",
		id, o->job_id, o->raw_status, op->address, o->job_id);
}

void plan_section(struct planner *pl, uint32_t i)
{
	const struct resource *r = &pl->b->v[i];
	struct op *op = planner_op(pl, r->address, r->type);

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
		const char *id = import_id(pl, i);

		if (id)
			decide_import(pl, op, r, id);
		else
			decide_new(pl, op, r);
		refuse_on_taken_instance(pl, op, r);
	} else if (planner_is_gone(pl, op->have, op->seen)) {
		decide_gone(pl, op, r);
	} else {
		decide_existing(pl, op, r);
	}
	refuse_on_gone_instance(pl, op, r);
	note_sent(pl, op);
	plan_notice(pl, op);
}
