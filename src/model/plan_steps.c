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
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(pl->a, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < op->nnotes; i++) {
		if (text_eq(op->notes[i], text))
			return; /* said already */
		notes[i] = op->notes[i];
	}
	notes[op->nnotes++] = text;
	op->notes = notes;
}

/* The user's own reserve may say that configuring must not start the job. */
static bool user_disables_autostart(const struct planner *pl, const struct resource *r)
{
	const char *reserve = res_get(r, "reserve");
	struct json *j = reserve ? json_parse(pl->a, reserve, strlen(reserve), NULL) : NULL;

	return j && text_ieq(json_str(j, "autoStartModulesAfterConfig"), "none");
}

/* Does the job rest once it is configured? It does when it shall, and when nothing is said and it rested before. */
static bool rests_configured(const struct planner *pl, const struct op *op,
                             const struct resource *r)
{
	const char *status = res_get(r, "status");

	if (status)
		return text_ieq(status, "Suspending");
	return user_disables_autostart(pl, r) ||
	       (op->kind == OP_UPDATE && op->seen && op->seen->status == ST_NOT_STARTED);
}

static void parameters_later(struct planner *pl, struct op *op)
{
	op->params_wait = true;
	plan_note(pl, op,
	          "job_parameters need a running job: they are set when the job is started");
}

bool plan_has_step(const struct op *op, enum step s)
{
	for (unsigned i = 0; i < op->nsteps; i++)
		if (op->steps[i] == s)
			return true;
	return false;
}

/* What configuring carries only before the purchase follows by its own route; that is not yet a change to something that runs. */
static void add_not_carried(struct op *op, const struct resource *r)
{
	unsigned impact = op->impact;

	for (size_t i = 0; plan_has_step(op, DO_CONFIGURE) && i < r->type->nattrs; i++)
		if ((r->type->attrs[i].flags & A_FREE) && r->vals[i].state != V_UNSET)
			plan_step_add(op, route_step(r->type->attrs[i].route, false));
	op->impact = impact;
}

static void add_after_configure(struct planner *pl, struct op *op, const struct resource *r)
{
	if (text_ieq(res_get(r, "status"), "Synchronizing") && user_disables_autostart(pl, r))
		plan_step_add(op, DO_START);
	plan_step_add(op, DO_WAIT_CREATED);
	add_not_carried(op, r);
	if (!res_get(r, "job_parameters"))
		return;
	if (rests_configured(pl, op, r))
		parameters_later(pl, op);
	else
		plan_step_add(op, DO_PARAMS);
}

/* What is configured or bought once more takes what else has a meaning at creation only. */
static void mark_sent(struct op *op)
{
	bool configures = plan_has_step(op, DO_CONFIGURE) || plan_has_step(op, DO_CONFIGURE_FREE),
	     buys = plan_has_step(op, DO_BUY) || plan_has_step(op, DO_BUY_JOB);

	for (size_t i = 0; i < op->nchanges; i++) {
		struct change *c = &op->changes[i];
		enum api_action by = op->type->attrs[c->attr].create;

		if (text_eq(c->note, PLAN_NOTE_RECORDED) &&
		    ((by == API_CONFIGURE_DTS_JOB && configures) ||
		     (by == API_CREATE_DTS_INSTANCE && buys)))
			c->note = NULL;
	}
}

/* It decides the price, so it is not left unsaid. */
static void note_class(struct planner *pl, struct op *op)
{
	const struct attr_def *at = &op->type->attrs[attr_of(op->type, "instance_class")];

	if (!plan_wanted_class(pl->b, op->want))
		plan_note(pl, op, "instance_class is not set: %s is bought", at->def);
}

static void add_job_steps(struct planner *pl, struct op *op, const struct resource *r)
{
	if (res_val(r, "dts_instance_id")->state != V_UNSET) {
		plan_step_add(op, DO_CONFIGURE);
	} else {
		note_class(pl, op);
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
	note_class(pl, op);
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

/* Does the service take the step only while the job runs? */
static bool step_needs_run(enum step d)
{
	unsigned legal = step_def(d)->legal;

	return (legal & ST_BIT(ST_SYNCHRONIZING)) && !(legal & ST_BIT(ST_FAILED));
}

static uint32_t routes_that_need_run(uint32_t routes)
{
	uint32_t out = 0;

	for (int r = 0; r < ROUTE__COUNT; r++)
		if ((routes & (1u << r)) && step_needs_run(route_step((enum route)r, true)))
			out |= 1u << r;
	return out;
}

/* One step per route, in the order of the reference (dts-api.md 11), passwords before what needs a connection. */
static void add_route_steps(struct op *op, const struct diff *df, uint32_t routes)
{
	static const enum route order[] = {
		ROUTE_NAME,     ROUTE_GROUP,    ROUTE_TAGS,    ROUTE_DELAY, ROUTE_ERROR,
		ROUTE_PASSWORD, ROUTE_ENDPOINT, ROUTE_PAYTYPE, ROUTE_CLASS, ROUTE_TWOWAY,
		ROUTE_CLUSTER,  ROUTE_RESERVED, ROUTE_OBJECTS, ROUTE_PARAMS};

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		if (!(df->routes & routes & (1u << order[i])))
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
	if (df->untag && (routes & (1u << ROUTE_TAGS)))
		plan_step_add(op, DO_UNTAG);
}

/* Is the instance of the recorded job replaced by this run, and the job made anew on the new one? */
static bool goes_with_instance(const struct planner *pl, const struct op *op,
                               const struct resource *r)
{
	const struct op *inst = r->instance == RES_NONE || pl->op_of[r->instance] == RES_NONE
	                                ? NULL
	                                : &pl->ops.v[pl->op_of[r->instance]];

	return inst && inst->kind == OP_REPLACE && inst->have && op->have &&
	       text_eq(inst->have->instance_id, op->have->instance_id);
}

/* What belongs to the instance and is no part of being configured anew, for a job that carries its purchase. */
#define PAIR_ROUTES                                                                                \
	(1u << ROUTE_GROUP | 1u << ROUTE_TAGS | 1u << ROUTE_CLASS | 1u << ROUTE_PAYTYPE |          \
	 1u << ROUTE_TWOWAY)

#define PAIR_RUNNING (1u << ROUTE_CLASS | 1u << ROUTE_TWOWAY) /* only while the job runs */

/* ResetDtsJob keeps the paid instance. What the service changes only while a job runs comes before the reset where one does. */
static void replace_on_instance(struct planner *pl, struct op *op, const struct diff *df,
                                const struct resource *r)
{
	const char *id = batch_text(pl->a, res_val(r, "dts_instance_id"), planner_lookup, pl);
	bool first = op->seen && op->seen->status == ST_SYNCHRONIZING;
	bool moves = op->have && !text_empty(op->have->instance_id) &&
	             res_val(r, "dts_instance_id")->state != V_UNSET &&
	             !text_eq(id, op->have->instance_id);

	if (first && !moves)
		add_route_steps(op, df, PAIR_ROUTES & PAIR_RUNNING);
	plan_step_add(op, DO_VERIFY);
	plan_step_add(op, DO_RESET);
	plan_step_add(op, DO_CONFIGURE);
	if (moves)
		plan_note(pl, op, "instance %s stays, empty and billed", op->have->instance_id);
	add_after_configure(pl, op, r);
	if (!moves)
		add_route_steps(op, df, first ? PAIR_ROUTES & ~PAIR_RUNNING : PAIR_ROUTES);
	if (!first && (df->routes & PAIR_ROUTES & PAIR_RUNNING) && rests_configured(pl, op, r) &&
	    !op->refused)
		op->refused =
			"the service changes the class, and makes two-way, only while the job runs: set "
			"status = Synchronizing";
}

void plan_steps_replace(struct planner *pl, struct op *op, const struct diff *df)
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
		if (res_get(r, "tags"))
			plan_step_add(op, DO_TAGS);
		op->impact &= ~(unsigned)IMPACT_ONLINE;
	} else if (goes_with_instance(pl, op, r)) {
		plan_step_add(op, DO_CONFIGURE); /* the old job went with its instance */
		add_after_configure(pl, op, r);
	} else {
		replace_on_instance(pl, op, df, r);
	}
	op->impact |= IMPACT_REPLACE | IMPACT_RESYNC;
	mark_sent(op);
}

static bool before_first_start(const struct op *op)
{
	return op->seen &&
	       (op->seen->status == ST_NOT_CONFIGURED || op->seen->status == ST_NOT_STARTED ||
	        op->seen->status == ST_PRECHECK_FAILED);
}

bool plan_reconfigurable(const struct op *op)
{
	return op->type == &type_job && before_first_start(op) && !bought_anew(op);
}

/* What being configured once more does not carry: it is changed before or after. */
#define NOT_CONFIGURED_ROUTES                                                                      \
	(1u << ROUTE_STATUS | 1u << ROUTE_PARAMS | 1u << ROUTE_GROUP | 1u << ROUTE_TAGS |          \
	 1u << ROUTE_CLASS | 1u << ROUTE_PAYTYPE | 1u << ROUTE_TWOWAY | 1u << ROUTE_CLUSTER)

/* Changes that a job which never ran takes by being configured once more (dts-api.md 3.3). A failed precheck that shall rest
 * does, too: configured without start it is NotStarted, and a failed job cannot be paused. */
static bool reconfigures(const struct op *op, const struct diff *df, const char *want)
{
	const uint32_t simple = NOT_CONFIGURED_ROUTES | 1u << ROUTE_NAME | 1u << ROUTE_DELAY |
	                        1u << ROUTE_ERROR | 1u << ROUTE_PASSWORD;

	if (op->type != &type_job || !before_first_start(op))
		return false;
	return (df->routes & ~simple) || df->replace ||
	       (op->seen->status == ST_PRECHECK_FAILED && text_ieq(want, "Suspending"));
}

static bool is_failed(const struct op *op)
{
	return op->seen && status_class(op->seen->status) == SC_FAILED;
}

static const char *wanted_status(const struct planner *pl, const struct op *op)
{
	return op->type == &type_job && op->want != RES_NONE
	               ? res_get(&pl->b->v[op->want], "status")
	               : NULL;
}

bool plan_rests_checked(const struct op *op)
{
	return op->type == &type_job && op->seen && op->seen->status == ST_PRECHECK_PASS &&
	       *op->seen->instance_id && op->have && op->have->step == STEP_DONE &&
	       status_parse(op->have->status) == ST_PRECHECK_PASS;
}

void plan_defer_parameters(struct planner *pl, struct op *op, struct diff *df)
{
	enum job_status status = op->seen                       ? op->seen->status
	                         : op->have && op->have->status ? status_parse(op->have->status)
	                                                        : ST_UNKNOWN;
	size_t n = 0;

	if (op->type != &type_job || !res_get(&pl->b->v[op->want], "job_parameters") ||
	    (status != ST_NOT_STARTED && !plan_rests_checked(op) &&
	     !(!op->seen && status == ST_PRECHECK_PASS)) ||
	    text_ieq(wanted_status(pl, op), "Synchronizing"))
		return;
	op->params_wait = true; /* nor are they applied where they happen to be the defaults */
	if (!(df->routes & (1u << ROUTE_PARAMS)))
		return;
	for (size_t i = 0; i < op->nchanges; i++)
		if (op->type->attrs[op->changes[i].attr].route != ROUTE_PARAMS)
			op->changes[n++] = op->changes[i];
	op->nchanges = n;
	df->routes &= ~(1u << ROUTE_PARAMS);
	parameters_later(pl, op);
}

bool plan_needs_run(const struct op *op)
{
	for (unsigned i = 0; i < op->nsteps; i++)
		if (step_needs_run(op->steps[i]))
			return true;
	return false;
}

/* Is something of its instance to be changed that the service changes only while this job runs? */
static bool instance_waits(const struct planner *pl, const struct op *op)
{
	const struct resource *r = &pl->b->v[op->want];
	const struct op *inst;

	if (op->type != &type_job || r->instance == RES_NONE ||
	    pl->op_of[r->instance] == RES_NONE || res_reverse(r))
		return false;
	inst = &pl->ops.v[pl->op_of[r->instance]];
	return inst->kind == OP_UPDATE && plan_needs_run(inst);
}

/* A failure is left alone unless the section wants the job to run, or what may have caused it changes, or something that
 * needs a running job: then it is started again, once. */
static bool restarts(const struct planner *pl, const struct op *op, const struct diff *df)
{
	const uint32_t causes = 1u << ROUTE_PASSWORD | 1u << ROUTE_ENDPOINT | 1u << ROUTE_OBJECTS |
	                        1u << ROUTE_RESERVED;

	return op->type == &type_job && is_failed(op) && !wanted_status(pl, op) &&
	       ((df->routes & causes) || routes_that_need_run(df->routes) ||
	        instance_waits(pl, op));
}

bool plan_wakes(const struct planner *pl, const struct op *op)
{
	return is_failed(op) && !wanted_status(pl, op) && instance_waits(pl, op);
}

bool plan_runs_after(const struct planner *pl, const struct op *op)
{
	bool configures = false;

	for (unsigned i = 0; i < op->nsteps; i++) {
		if (op->steps[i] == DO_START)
			return true;
		configures = configures || op->steps[i] == DO_CONFIGURE;
	}
	return configures && !rests_configured(pl, op, &pl->b->v[op->want]);
}

const char *plan_why_not_running(struct planner *pl, const struct observed *seen)
{
	if (seen->status == ST_LOCKED)
		return STATUS_LOCKED_TEXT;
	if (seen->status == ST_NOT_CONFIGURED || seen->status == ST_NOT_STARTED ||
	    seen->status == ST_PRECHECK_PASS)
		return "the service takes these changes only while the job runs, and it was never started";
	if (status_class(seen->status) == SC_FAILED)
		return arena_printf(
			pl->a,
			"the service takes these changes only while the job runs, and it is %s",
			seen->raw_status);
	return "the service takes these changes only while the job runs, and it is suspended";
}

/* A job that does not run, and that nothing in this plan makes run. NULL: everything planned is possible. */
static const char *impossible(struct planner *pl, const struct op *op, const struct diff *df)
{
	const char *want = wanted_status(pl, op);
	bool status = df->routes & (1u << ROUTE_STATUS);

	if (op->type != &type_job || !op->seen)
		return NULL;
	if (op->seen->status == ST_LOCKED)
		return status || routes_that_need_run(df->routes)
		               ? plan_why_not_running(pl, op->seen)
		               : NULL;
	if (is_failed(op) && text_ieq(want, "Suspending") && !reconfigures(op, df, want))
		return arena_printf(
			pl->a,
			"a job that is %s cannot be paused: status = Synchronizing starts it again, without `status` it is left alone",
			op->seen->raw_status);
	if ((status_class(op->seen->status) != SC_REST && !plan_rests_checked(op)) ||
	    plan_runs_after(pl, op) || !plan_needs_run(op))
		return NULL;
	return arena_printf(pl->a, "%s: set status = Synchronizing",
	                    plan_why_not_running(pl, op->seen));
}

static void add_reconfigured(struct planner *pl, struct op *op, const struct diff *df,
                             const struct resource *r)
{
	plan_step_add(op, DO_CONFIGURE);
	add_after_configure(pl, op, r);
	add_route_steps(op, df,
	                NOT_CONFIGURED_ROUTES & ~(1u << ROUTE_PARAMS | 1u << ROUTE_CLUSTER));
}

void plan_steps_update(struct planner *pl, struct op *op, const struct diff *df)
{
	const struct resource *r = &pl->b->v[op->want];
	const char *want = wanted_status(pl, op);
	bool status_change = df->routes & (1u << ROUTE_STATUS);
	bool start = (status_change && text_ieq(want, "Synchronizing")) || restarts(pl, op, df);
	uint32_t running = start ? routes_that_need_run(df->routes) : 1u << ROUTE_PARAMS;

	if (reconfigures(op, df, want)) {
		add_reconfigured(pl, op, df, r);
		op->impact |= IMPACT_ONLINE; /* it never ran: nothing stands still */
		mark_sent(op);
	} else {
		/* What may have caused a failure and can be changed at rest comes before the start, what needs it running after. */
		add_route_steps(op, df, ~running);
		if (start)
			plan_step_add(op, DO_START);
		add_route_steps(op, df, running & ~(1u << ROUTE_TAGS));
		if (status_change && text_ieq(want, "Suspending"))
			plan_step_add(op, DO_SUSPEND);
	}
	op->refused = impossible(pl, op, df);
}

/* Configured by an earlier run, which did not see it settle. */
static void resume_configured(struct planner *pl, struct op *op, const struct diff *df,
                              const struct resource *r)
{
	const char *want = res_get(r, "status");
	bool rests = op->seen->status == ST_SUSPENDING || op->seen->status == ST_NOT_STARTED;
	bool start = !text_ieq(want, "Suspending") &&
	             (is_failed(op) || (rests && text_ieq(want, "Synchronizing")));
	uint32_t running = start ? routes_that_need_run(df->routes) : 0;
	struct diff rest = *df;

	rest.routes &= ~(1u << ROUTE_STATUS | 1u << ROUTE_PARAMS);
	add_route_steps(op, &rest, ~running);
	if (start)
		plan_step_add(op, DO_START);
	plan_step_add(op, DO_WAIT_CREATED);
	add_route_steps(op, &rest, running & ~(1u << ROUTE_TAGS));
	if (res_get(r, "job_parameters") && !text_ieq(want, "Suspending"))
		plan_step_add(op, DO_PARAMS);
	if (text_ieq(want, "Suspending") && status_class(op->seen->status) == SC_RUNNING)
		plan_step_add(op, DO_SUSPEND);
	op->refused = impossible(pl, op, df);
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

/* The rest of a creation does not carry every change that was made meanwhile. */
static void mark_unsent(struct op *op)
{
	bool configures = plan_has_step(op, DO_CONFIGURE) || plan_has_step(op, DO_CONFIGURE_FREE);

	for (size_t i = 0; i < op->nchanges; i++) {
		struct change *c = &op->changes[i];
		const struct attr_def *at = &op->type->attrs[c->attr];

		if (at->route == ROUTE_STATUS || at->route == ROUTE_PARAMS ||
		    (configures && at->create == API_CONFIGURE_DTS_JOB) ||
		    plan_has_step(op, route_step(at->route, at->flags & A_SOURCE)) ||
		    (at->create == API_CREATE_DTS_INSTANCE && plan_has_step(op, DO_BUY_JOB)))
			continue;
		c->unsent = true;
		c->note = "not part of the creation that is resumed: compared again afterwards";
	}
}

static void resume_steps(struct planner *pl, struct op *op, const struct diff *df)
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
	if (!op->seen || op->seen->status == ST_NOT_CONFIGURED ||
	    reconfigures(op, df, res_get(r, "status"))) {
		plan_step_add(op, DO_CONFIGURE);
		add_after_configure(pl, op, r);
		add_route_steps(op, df,
		                rests_configured(pl, op, r) ? PAIR_ROUTES & ~PAIR_RUNNING
		                                            : PAIR_ROUTES);
		return;
	}
	resume_configured(pl, op, df, r);
}

void plan_steps_resume(struct planner *pl, struct op *op, const struct diff *df)
{
	resume_steps(pl, op, df);
	mark_sent(op);
	mark_unsent(op);
}
