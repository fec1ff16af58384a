/*
 * What a person should know about a job beside the changes: that it failed or
 * is locked, how long it has been paused and what that costs, when a
 * subscription ends (the Notice section of the reference).
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/plan_internal.h"

#define HOUR 3600000LL
#define DAY (24 * HOUR)

const char *plan_failure_text(struct arena *a, const struct observed *seen, bool left_alone)
{
	return arena_printf(
		a, "the job is %s%s%s%s", seen->raw_status, seen->error ? ": " : "",
		seen->error ? seen->error : "",
		left_alone
			? "; it is started again when its password, an endpoint or its objects change, or something that "
			  "needs it running, or by status = Synchronizing"
			: "");
}

static int by_address(const void *key, const void *entry)
{
	return strcmp(key, (*(const struct record *const *)entry)->address);
}

/* The recorded instance that a recorded job lives on; NULL: it has no record of its own. */
static const struct record *instance_of(const struct record_list *recs, const struct record *job)
{
	for (size_t d = 0; d < job->ndeps; d++) {
		const struct record *const *r =
			bsearch(job->deps[d], recs->v, recs->n, sizeof *recs->v, by_address);

		if (r && (*r)->type == &type_instance &&
		    text_eq((*r)->instance_id, job->instance_id))
			return *r;
	}
	return NULL;
}

static const char *target(struct arena *a, const char *command, const char *address)
{
	return arena_printf(a, "%s --target '%s'", command, address);
}

/* A job alone would be reset and its instance billed on: all that is recorded of the instance goes together. */
const char *plan_release_text(struct arena *a, const struct record_list *recs,
                              const struct record *job, const struct observed *seen,
                              const char *words)
{
	const struct record *inst = instance_of(recs, job);
	const char *command, *both = "";

	if (text_ieq(seen->pay_type, "PrePaid"))
		return "being prepaid, it is released in the console only";
	command = arena_printf(a, "dtsbatch destroy%s", words ? words : "");
	if (inst)
		command = target(a, command, inst->address);
	command = target(a, command, job->address);
	for (size_t i = 0; inst && seen->two_way && i < recs->n; i++)
		if (recs->v[i] != job && recs->v[i]->type == &type_job &&
		    text_eq(recs->v[i]->instance_id, job->instance_id)) {
			command = target(a, command, recs->v[i]->address);
			both = ", and ends both directions";
		}
	return arena_printf(a, "`%s` releases it%s", command, both);
}

static void suspended_notice(struct planner *pl, struct op *op)
{
	const struct record *rec = op->have;
	int64_t since = rec && rec->status && status_parse(rec->status) == ST_SUSPENDING
	                        ? rec->status_since_ms
	                        : 0;
	int64_t age = pl->o->now_ms - since;
	char when[21];

	if (since > 0) {
		text_utc(since / 1000, when);
		plan_note(pl, op, "suspended at least since %s (%s)%s", when,
		          text_duration(pl->a, age),
		          age > 7 * DAY    ? "; past 7 days: the service turns it to failed"
		          : age > 6 * HOUR ? "; past 6 hours: it may not start again"
		                           : "");
	}
	/* What holds for all of them is said with the first. */
	plan_note(
		pl, op, "%s%s%s",
		pl->pauses++
			? "suspended, still billed"
			: "a suspended job is still billed and still reads the source's log; after 6 hours it may not "
			  "start, after 7 days it fails",
		rec ? "; " : "",
		rec ? plan_release_text(pl->a, pl->recs, rec, op->seen, pl->o->words) : "");
}

static void job_notice(struct planner *pl, struct op *op)
{
	const struct observed *seen = op->seen;

	if (status_class(seen->status) == SC_FAILED && op->want != RES_NONE)
		plan_note(pl, op, "%s%s",
		          plan_failure_text(pl->a, seen, !op->refused && !op->nsteps),
		          plan_has_step(op, DO_START) && !op->refused ? "; this starts it again"
		                                                      : "");
	if (seen->status == ST_LOCKED && !op->refused)
		plan_note(pl, op, "%s", plan_why_not_running(pl, seen));
	if (seen->status == ST_SUSPENDING && op->kind != OP_DELETE)
		suspended_notice(pl, op);
}

/* A call that the service takes only in another status waits for it; what moves by itself needs no call. */
static void notice_waiting(struct planner *pl, struct op *op)
{
	const struct observed *seen = op->seen;
	bool moving = status_class(seen->status) == SC_MOVING && seen->status != ST_UNKNOWN;
	const char *want = op->type == &type_job && op->want != RES_NONE
	                           ? res_get(&pl->b->v[op->want], "status")
	                           : NULL;

	if (op->refused || (!moving && seen->status != ST_INITIALIZING))
		return;
	for (unsigned i = 0; i < op->nsteps; i++) {
		unsigned legal = step_def(op->steps[i])->legal;

		if (legal && !(legal & ST_BIT(seen->status))) {
			plan_note(pl, op, "%s: waits until %s is over",
			          step_def(op->steps[i])->verb, seen->raw_status);
			return;
		}
	}
	if (status_approaches(seen->status, want))
		plan_note(pl, op, "%s: on its way to %s by itself", seen->raw_status, want);
}

/* What a failed precheck would be forgiven, where one may happen. */
static void skip_notice(struct planner *pl, struct op *op)
{
	const char *skips = op->want == RES_NONE ? NULL : pl->b->v[op->want].life.skip_precheck;
	bool checks = plan_has_step(op, DO_CONFIGURE) || plan_has_step(op, DO_PRECHECK) ||
	              plan_has_step(op, DO_START);

	if (skips && checks && !op->refused)
		plan_note(pl, op, "skip_precheck: a failure of %s is accepted", skips);
}

const char *plan_expiry_text(struct arena *a, const struct observed *seen, int64_t now_ms)
{
	int64_t left = seen->expire_s * 1000 - now_ms;
	char when[21];

	text_utc(seen->expire_s, when);
	if (left < 0)
		return arena_printf(
			a,
			"the subscription ended on %s: renew it, or the service locks and releases it",
			when);
	/* In units in which it seldom changes: a table that is watched shows changes. */
	left -= left % (left < 2 * DAY ? HOUR : DAY);
	return arena_printf(a, "prepaid until %s (%s left): suspending does not extend it", when,
	                    left ? text_duration(a, left) : "less than 1 h");
}

/* The instance, or the job that was bought with its own. */
static bool carries_payment(const struct planner *pl, const struct op *op)
{
	if (op->type == &type_instance)
		return true;
	return op->have && !instance_of(pl->recs, op->have) &&
	       (op->want == RES_NONE ||
	        res_val(&pl->b->v[op->want], "dts_instance_id")->state == V_UNSET);
}

void plan_notice(struct planner *pl, struct op *op)
{
	skip_notice(pl, op);
	if (!op->seen)
		return;
	if (op->kind == OP_NOOP || op->kind == OP_UPDATE || op->kind == OP_ADOPT)
		notice_waiting(pl, op);
	if (op->type == &type_job)
		job_notice(pl, op);
	if (carries_payment(pl, op) && text_ieq(op->seen->pay_type, "PrePaid") &&
	    op->seen->expire_s > 0)
		plan_note(pl, op, "%s, and the API cannot delete it",
		          plan_expiry_text(pl->a, op->seen, pl->o->now_ms));
}
