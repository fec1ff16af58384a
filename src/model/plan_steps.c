/* From the kind of an operation and its differences to steps, impact and notes. */
#include <stdarg.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "model/plan_internal.h"

void plan_step_add(struct op *op, enum step s)
{
	if (op->nsteps == OP_STEPS_MAX)
		BUG("%s: too many steps", op->address);
	op->steps[op->nsteps++] = s;
	op->impact |= step_def(s)->impact;
}

void plan_note(struct planner *pl, struct op *op, const char *fmt, ...)
{
	const char **notes = arena_array(pl->a, const char *, op->nnotes + 1);
	va_list ap;

	for (size_t i = 0; i < op->nnotes; i++)
		notes[i] = op->notes[i];
	va_start(ap, fmt);
	notes[op->nnotes++] = arena_vprintf(pl->a, fmt, ap);
	va_end(ap);
	op->notes = notes;
}

/* The user's own reserve may say that configuring must not start the job. */
static bool user_disables_autostart(const struct planner *pl, const struct resource *r)
{
	const char *reserve = res_get(r, "reserve");
	struct json *j = reserve ? json_parse(pl->a, reserve, strlen(reserve), NULL) : NULL;

	return j && text_ieq(json_str(j, "autoStartModulesAfterConfig"), "none");
}

static void add_after_configure(struct planner *pl, struct op *op, const struct resource *r)
{
	const char *status = res_get(r, "status");

	if (text_ieq(status, "Synchronizing") && user_disables_autostart(pl, r))
		plan_step_add(op, DO_START);
	plan_step_add(op, DO_WAIT_CREATED);
	if (!res_get(r, "job_parameters"))
		return;
	if (text_ieq(status, "Suspending"))
		plan_note(
			pl, op,
			"job_parameters need a running job: they are set when the job is started");
	else
		plan_step_add(op, DO_PARAMS);
}

static void add_job_steps(struct planner *pl, struct op *op, const struct resource *r)
{
	if (res_val(r, "dts_instance_id")->state != V_UNSET) {
		plan_step_add(op, DO_CONFIGURE);
	} else {
		plan_step_add(op, DO_CONFIGURE_FREE);
		plan_step_add(op, DO_PRECHECK);
		plan_step_add(op, DO_BUY_JOB);
		plan_step_add(op, DO_RENAME);
		if (res_get(r, "tags"))
			plan_step_add(op, DO_TAGS);
		plan_note(
			pl, op,
			"configure first (experimental): nothing is bought unless the precheck passes");
	}
	add_after_configure(pl, op, r);
}

void plan_steps_create(struct planner *pl, struct op *op)
{
	const struct resource *r = &pl->b->v[op->want];

	if (op->type == &type_job) {
		add_job_steps(pl, op, r);
		return;
	}
	plan_step_add(op, DO_BUY);
	if (res_get(r, "tags"))
		plan_step_add(op, DO_TAGS);
	op->impact &= ~(unsigned)IMPACT_ONLINE;
}

/* Does what changed belong to the purchase of a job that carries it itself? Emptying the instance would not change it. */
static bool bought_anew(const struct op *op)
{
	for (size_t i = 0; i < op->nchanges; i++) {
		const struct attr_def *at = &op->type->attrs[op->changes[i].attr];

		if ((at->flags & A_PURCHASE) && at->route == ROUTE_REPLACE)
			return true;
	}
	return false;
}

void plan_steps_replace(struct planner *pl, struct op *op)
{
	const struct resource *r = &pl->b->v[op->want];

	if (op->type == &type_job && bought_anew(op)) {
		plan_step_add(op, DO_VERIFY);
		plan_step_add(op, DO_DELETE);
		plan_step_add(op, DO_WAIT_GONE);
		add_job_steps(pl, op, r);
	} else if (op->type == &type_instance) {
		plan_step_add(op, DO_VERIFY);
		plan_step_add(op, DO_DELETE);
		plan_step_add(op, DO_WAIT_GONE);
		plan_step_add(op, DO_BUY);
	} else {
		bool moved = r->instance != RES_NONE && pl->op_of[r->instance] != RES_NONE &&
		             (pl->ops.v[pl->op_of[r->instance]].kind == OP_CREATE ||
		              pl->ops.v[pl->op_of[r->instance]].kind == OP_REPLACE);
		const char *id =
			batch_text(pl->a, res_val(r, "dts_instance_id"), planner_lookup, pl);

		if (moved) {
			/* The old job went with its instance. */
			plan_step_add(op, DO_CONFIGURE);
		} else {
			plan_step_add(op, DO_VERIFY);
			plan_step_add(op, DO_RESET); /* keeps the paid instance */
			plan_step_add(op, DO_CONFIGURE);
			if (op->have && id && !text_eq(id, op->have->instance_id))
				plan_note(pl, op, "instance %s stays, empty and billed",
				          op->have->instance_id);
		}
		add_after_configure(pl, op, r);
	}
	op->impact |= IMPACT_REPLACE | IMPACT_RESYNC;
}

/* One step per route, in the order of the reference (dts-api.md 11), passwords before what needs a connection. */
static void add_route_steps(struct op *op, const struct diff *df)
{
	static const enum route order[] = {
		ROUTE_NAME,     ROUTE_GROUP,    ROUTE_TAGS,    ROUTE_DELAY, ROUTE_ERROR,
		ROUTE_PASSWORD, ROUTE_ENDPOINT, ROUTE_PAYTYPE, ROUTE_CLASS, ROUTE_TWOWAY,
		ROUTE_CLUSTER,  ROUTE_RESERVED, ROUTE_OBJECTS};

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		if (!(df->routes & (1u << order[i])))
			continue;
		if (order[i] == ROUTE_PASSWORD || order[i] == ROUTE_ENDPOINT) {
			bool ep = order[i] == ROUTE_ENDPOINT;

			if (ep ? df->ep_src : df->src)
				plan_step_add(op, route_step(order[i], true));
			if (ep ? df->ep_dest : df->dest)
				plan_step_add(op, route_step(order[i], false));
		} else {
			plan_step_add(op, route_step(order[i], false));
		}
	}
	if (df->untag)
		plan_step_add(op, DO_UNTAG);
}

static bool before_first_start(const struct op *op)
{
	return op->seen &&
	       (op->seen->status == ST_NOT_CONFIGURED || op->seen->status == ST_NOT_STARTED ||
	        op->seen->status == ST_PRECHECK_FAILED);
}

/* Changes that a job which never ran takes by being configured once more (dts-api.md 3.3). */
static bool reconfigures(const struct op *op, const struct diff *df)
{
	const uint32_t simple = 1u << ROUTE_NAME | 1u << ROUTE_STATUS | 1u << ROUTE_DELAY |
	                        1u << ROUTE_ERROR | 1u << ROUTE_GROUP | 1u << ROUTE_TAGS |
	                        1u << ROUTE_PARAMS | 1u << ROUTE_PASSWORD;

	return before_first_start(op) && ((df->routes & ~simple) || df->replace);
}

void plan_steps_update(struct planner *pl, struct op *op, const struct diff *df)
{
	const struct resource *r = &pl->b->v[op->want];
	const char *want = op->type == &type_job ? res_get(r, "status") : NULL;
	bool running = op->seen && status_class(op->seen->status) == SC_RUNNING;
	bool needs_running =
		df->routes & (1u << ROUTE_OBJECTS | 1u << ROUTE_RESERVED | 1u << ROUTE_CLASS |
	                      1u << ROUTE_ENDPOINT | 1u << ROUTE_PARAMS | 1u << ROUTE_TWOWAY);
	bool status_change = df->routes & (1u << ROUTE_STATUS);
	bool start = status_change && text_ieq(want, "Synchronizing");
	bool stop = status_change && text_ieq(want, "Suspending");
	bool failed = op->seen && status_class(op->seen->status) == SC_FAILED;

	if (op->type == &type_job && reconfigures(op, df)) {
		plan_step_add(op, DO_CONFIGURE);
		add_after_configure(pl, op, r);
		return;
	}
	/* A paused job takes object and reserve changes only while it runs: start first, then change. */
	if (start && needs_running && !running && !failed) {
		plan_step_add(op, DO_START);
		start = false;
	}
	add_route_steps(op, df);
	/* The cause of a failure may be among what was just changed: start after it. */
	if (start)
		plan_step_add(op, DO_START);
	if (df->routes & (1u << ROUTE_PARAMS))
		plan_step_add(op, DO_PARAMS);
	if (stop)
		plan_step_add(op, DO_SUSPEND);
	if (needs_running && op->seen && op->seen->status == ST_SUSPENDING &&
	    !text_ieq(want, "Synchronizing")) {
		plan_note(
			pl, op,
			"the job is suspended: these changes need a running job; set status = Synchronizing");
		op->refused =
			"the service takes these changes only while the job runs, and it is suspended";
	}
}

/*
 * Does the free job of an earlier run differ from what is wanted now? Its name, status, parameters and tags are set later
 * anyway, and what belongs to the purchase is said when it is bought.
 */
static bool free_job_outdated(const struct op *op)
{
	const uint32_t later =
		1u << ROUTE_NAME | 1u << ROUTE_STATUS | 1u << ROUTE_PARAMS | 1u << ROUTE_TAGS;

	for (size_t i = 0; i < op->nchanges; i++) {
		const struct attr_def *at = &op->type->attrs[op->changes[i].attr];

		if (!(at->flags & A_PURCHASE) && !(later & (1u << at->route)))
			return true;
	}
	return false;
}

/*
 * The free job goes on where it stopped. One whose section has changed is given up, which costs nothing: whether it could be
 * configured again depends on its status, and for some of them nothing is published (dts-api.md 22 #17).
 */
static void resume_free(struct planner *pl, struct op *op)
{
	const struct resource *r = &pl->b->v[op->want];
	bool bought = op->seen && *op->seen->instance_id;

	if (!bought && free_job_outdated(op)) {
		op->why =
			"its section has changed: the free job of an earlier run is given up and made anew";
		plan_step_add(op, DO_VERIFY);
		plan_step_add(op, DO_DELETE);
		plan_step_add(op, DO_WAIT_GONE);
		op->impact &= ~(unsigned)IMPACT_STOPS_PAYING;
		add_job_steps(pl, op, r);
		return;
	}
	if (!bought) {
		plan_step_add(op, DO_PRECHECK);
		plan_step_add(op, DO_BUY_JOB);
	}
	plan_step_add(op, DO_RENAME);
	if (res_get(r, "tags"))
		plan_step_add(op, DO_TAGS);
	add_after_configure(pl, op, r);
}

void plan_steps_resume(struct planner *pl, struct op *op, const struct diff *df)
{
	const struct resource *r = &pl->b->v[op->want];

	if (op->type == &type_instance) {
		plan_steps_update(pl, op, df);
		return;
	}
	if (op->have->step == STEP_CONFIGURED_FREE) {
		resume_free(pl, op);
		return;
	}
	if (!op->seen || op->seen->status == ST_NOT_CONFIGURED || reconfigures(op, df)) {
		plan_step_add(op, DO_CONFIGURE);
		add_after_configure(pl, op, r);
		return;
	}
	struct diff rest = *df;

	rest.routes &= ~(1u << ROUTE_STATUS | 1u << ROUTE_PARAMS);
	add_route_steps(op, &rest);
	if (status_class(op->seen->status) == SC_FAILED ||
	    (text_ieq(res_get(r, "status"), "Synchronizing") && op->seen->status == ST_NOT_STARTED))
		plan_step_add(op, DO_START);
	plan_step_add(op, DO_WAIT_CREATED);
	if (res_get(r, "job_parameters") && !text_ieq(res_get(r, "status"), "Suspending"))
		plan_step_add(op, DO_PARAMS);
	if (text_ieq(res_get(r, "status"), "Suspending") &&
	    status_class(op->seen->status) == SC_RUNNING)
		plan_step_add(op, DO_SUSPEND);
}

void plan_notice(struct planner *pl, struct op *op)
{
	const struct observed *seen = op->seen;
	char when[21];

	if (!seen)
		return;
	if (op->type == &type_job && seen->status == ST_SUSPENDING) {
		int64_t since = op->have && op->have->status &&
		                                status_parse(op->have->status) == ST_SUSPENDING
		                        ? op->have->status_since_ms
		                        : 0;

		if (since > 0) {
			int64_t age = pl->o->now_ms - since;

			text_utc(since / 1000, when);
			plan_note(pl, op, "suspended at least since %s (%s)%s", when,
			          text_duration(pl->a, age),
			          age > 7 * 86400000LL
			                  ? "; past 7 days: the service turns it to failed"
			          : age > 6 * 3600000LL ? "; past 6 hours: it may not start again"
			                                : "");
		}
		plan_note(
			pl, op,
			"a suspended job is still billed and still reads the source's log; after 6 hours it may not "
			"start, after 7 days it fails; `dtsbatch destroy --target '%s'` releases it",
			op->address);
	}
	if (op->type == &type_instance && text_ieq(seen->pay_type, "PrePaid") &&
	    seen->expire_s > 0) {
		text_utc(seen->expire_s, when);
		plan_note(
			pl, op,
			"prepaid until %s: suspending does not extend it, and the API cannot delete it",
			when);
	}
}
