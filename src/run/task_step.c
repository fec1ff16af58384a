/* One step of a task: begin it, send its call, take its answer, record its effect. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/exec_internal.h"

static enum step current(const struct task *t)
{
	return t->op->steps[t->step];
}

static const struct resource *wanted(const struct task *t)
{
	return t->op->want == RES_NONE ? NULL : &t->x->b->v[t->op->want];
}

static void make_vals(struct task *t)
{
	const struct resource *r = wanted(t);
	size_t n = t->op->type->nattrs;

	if (!r || t->vals)
		return;
	t->vals = arena_array(t->x->a, const char *, n);
	for (size_t i = 0; i < n; i++)
		t->vals[i] = batch_text(t->x->a, &r->vals[i], exec_lookup, t->x);
	if (t->op->type == &type_instance)
		t->vals[attr_of(t->op->type, "instance_class")] =
			plan_wanted_class(t->x->b, t->op->want);
}

static const char *val(struct task *t, const char *key)
{
	make_vals(t);
	return t->vals ? t->vals[attr_of(t->op->type, key)] : NULL;
}

/* ---- effects on the record -------------------------------------------------- */

bool step_carries(const struct attr_def *at, enum step s)
{
	if (s == STEP__COUNT)
		return true;
	if (s == DO_BUY || s == DO_BUY_JOB)
		return at->create == API_CREATE_DTS_INSTANCE;
	if (s == DO_CONFIGURE_FREE) /* under a name of its own */
		return at->create == API_CONFIGURE_DTS_JOB && at->route != ROUTE_NAME;
	if (s == DO_CONFIGURE)
		return at->create == API_CONFIGURE_DTS_JOB && !(at->flags & A_FREE);
	if (s == DO_UNTAG)
		return at->route == ROUTE_TAGS;
	if ((s == DO_ENDPOINT_SRC || s == DO_ENDPOINT_DEST) && at->route == ROUTE_PASSWORD)
		return ((at->flags & A_SOURCE) != 0) ==
		       (s == DO_ENDPOINT_SRC); /* the account moves with its end */
	if (s == DO_TAGS) /* what was dropped is forgotten only when it has been removed */
		return false;
	return route_step(at->route, at->flags & A_SOURCE) == s;
}

/* Taken over as it is: what differs is not what was last applied, so the next plan shows it. */
static bool left_as_it_is(const struct op *op, size_t attr)
{
	for (size_t i = 0; op->as_it_is && i < op->nchanges; i++)
		if (op->changes[i].attr == attr)
			return true;
	return false;
}

static bool is_unsent(const struct op *op, size_t attr)
{
	for (size_t i = 0; op->kind == OP_RESUME && i < op->nchanges; i++)
		if (op->changes[i].attr == attr)
			return op->changes[i].unsent;
	return false;
}

/* What is configured anew does not have what the section no longer says. */
static bool forgets(const struct attr_def *at, enum step s)
{
	return (s == DO_CONFIGURE || s == DO_CONFIGURE_FREE) && !(at->flags & A_PURCHASE);
}

void record_apply(struct task *t, enum step s)
{
	const struct resource *r = wanted(t);
	const char **applied;

	if (!r || !t->rec)
		return;
	applied = arena_array(t->x->a, const char *, r->type->nattrs);
	plan_applied(t->x->a, t->x->b, r, state_fp_key(t->x->r->o.state), exec_lookup, t->x,
	             applied);
	if (r->type == &type_instance && plan_wanted_class(t->x->b, t->op->want))
		applied[attr_of(r->type, "instance_class")] =
			plan_wanted_class(t->x->b, t->op->want);
	for (size_t i = 0; i < r->type->nattrs; i++)
		if (!step_carries(&r->type->attrs[i], s) || is_unsent(t->op, i) ||
		    left_as_it_is(t->op, i) ||
		    (t->op->params_wait && r->type->attrs[i].route == ROUTE_PARAMS))
			continue;
		else if (applied[i])
			t->rec->attrs[i] = applied[i];
		else if (forgets(&r->type->attrs[i], s) && plan_is_left(t->x->b, r, t->rec, i))
			t->rec->attrs[i] = NULL;
}

static void record_start(struct task *t, enum record_step step)
{
	const struct resource *r = wanted(t);

	if (!t->rec) {
		t->rec = record_new(t->x->a, t->op->address, t->op->type);
		t->rec->created_ms = sys_wall_ms();
		t->rec->origin = ORIGIN_CREATED;
		t->rec->protect = r && r->life.protect;
		t->rec->destroy_forgets = r && r->life.destroy_forgets;
	}
	t->rec->region = t->region;
	t->rec->file = r ? r->file : t->rec->file;
	t->rec->step = step;
	if (r) {
		t->rec->ndeps = r->ndeps;
		t->rec->deps = arena_array(t->x->a, const char *, r->ndeps + 1);
		for (size_t i = 0; i < r->ndeps; i++)
			t->rec->deps[i] = t->x->b->v[r->deps[i]].address;
	}
}

static void set_ids(struct task *t, const char *instance_id, const char *job_id)
{
	struct record *rec = t->rec;

	if (!text_empty(instance_id))
		rec->instance_id = arena_strdup(t->x->a, instance_id);
	if (!text_empty(job_id))
		rec->job_id = arena_strdup(t->x->a, job_id);
	rec->id = t->op->type == &type_job ? rec->job_id : rec->instance_id;
}

static bool waits_after(enum step s)
{
	switch (s) {
	case DO_PRECHECK:
	case DO_CLASS:
	case DO_TWOWAY:
	case DO_CLUSTER:
	case DO_OBJECTS:
	case DO_RESERVED:
	case DO_ENDPOINT_SRC:
	case DO_ENDPOINT_DEST:
	case DO_START:
	case DO_SUSPEND:
	case DO_RESET:
		return true;
	default:
		return false;
	}
}

void step_effect(struct task *t, const char *instance_id, const char *job_id)
{
	enum step s = current(t);

	switch (s) {
	case DO_BUY:
		t->rec = NULL; /* a replacement is another instance */
		record_start(t, STEP_DONE);
		t->rec->origin = t->adopting ? ORIGIN_ADOPTED : ORIGIN_CREATED;
		set_ids(t, instance_id, job_id);
		break;
	case DO_CONFIGURE:
		record_start(t, STEP_CONFIGURED);
		set_ids(t, text_empty(instance_id) ? val(t, "dts_instance_id") : instance_id,
		        job_id);
		t->moved = false;
		t->status = ST_UNKNOWN;
		break;
	case DO_CONFIGURE_FREE:
		record_start(t, STEP_CONFIGURED_FREE);
		if (!t->rec->instance_id)
			t->rec->instance_id = "";
		set_ids(t, NULL, job_id);
		break;
	case DO_BUY_JOB:
		t->rec->step = STEP_CONFIGURED;
		set_ids(t, instance_id, job_id);
		break;
	default:
		break;
	}
	if (t->rec && t->op->kind != OP_DELETE && s != DO_DELETE && !step_is_ordered(s)) {
		record_apply(t, s);
		task_put(t);
	}
	if (waits_after(s))
		task_watch(t, LOOK_AFTER, false);
	else
		task_advance(t);
}

/* ---- answers --------------------------------------------------------------------- */

static void close_open_intent(struct task *t, enum outcome o)
{
	if (t->open_intent)
		state_outcome(t->x->r->o.state, t->open_intent, o, NULL);
	t->open_intent = 0;
}

static bool is_password(enum step s)
{
	return s == DO_PASSWORD_SRC || s == DO_PASSWORD_DEST;
}

/* The password in use is refused (dts-api.md 9): that is said of one that was sent before, or set by hand. No code is published. */
static bool refused_as_current(const struct task *t, const struct dts_reply *reply)
{
	if (!reply->message || !strstr(reply->message, "assword"))
		return false;
	return t->unknowns > 0 || t->op->kind == OP_RESUME || strstr(reply->message, "current");
}

/* Refusals that may say: it was done before, by a call whose answer nobody got. */
static bool refusal_asks_for_a_look(const struct task *t, const struct dts_reply *reply)
{
	if (current(t) == DO_CONFIGURE)
		return (t->unknowns || !task_configures_again(t) || t->op->kind == OP_RESUME) &&
		       text_eq(reply->code, "UpdateJob.OperationDenied.InitStatus");
	if (is_password(current(t)))
		return refused_as_current(t, reply);
	if (current(t) == DO_TWOWAY) /* no code is published for "it is two-way already" */
		return true;
	return current(t) == DO_CLASS && text_eq(reply->code, "NoPermission");
}

static void look_at_refusal(struct task *t, struct call *c, const struct dts_reply *reply)
{
	call_outcome(c, OUTCOME_FAILED, reply->code);
	reply_err(&t->err, c->api, reply);
	err_subject(&t->err, t->op->address);
	t->looks = 0;
	t->lost_ms = sys_now_ms();
	task_watch(t, LOOK_EFFECT, true);
}

static void step_lost(struct task *t, struct call *c, const struct dts_reply *reply)
{
	struct exec *x = t->x;

	close_open_intent(t, OUTCOME_FAILED);
	t->open_intent = c->intent;
	c->intent = 0; /* stays open until looked up */
	t->unknowns++;
	t->lost_ms = sys_now_ms();
	if (current(t) == DO_BUY) {
		t->buy.intent = t->open_intent;
		t->open_intent = 0;
		memcpy(t->buy.fence.nonce, c->nonce, sizeof c->nonce);
		t->buy.result = PURCHASE_OPEN;
		purchase_ended(x->r, &t->buy, reply);
		settle_add(t);
		return;
	}
	run_note(x->r, t->op, "the answer to %s was lost: looking whether it had its effect",
	         c->api->name);
	t->looks = 0;
	if (current(t) == DO_CONFIGURE_FREE)
		task_find_free(t);
	else
		task_watch(t, LOOK_EFFECT, false);
}

/* What is left after a purchase that was refused: a job that costs nothing. */
static void say_unpaid(struct task *t)
{
	char hint[sizeof t->err.hint];

	snprintf(hint, sizeof hint, "%s", t->err.hint);
	err_hint(
		&t->err,
		"%s%snothing was paid; the free job %s passed its precheck and stays: the next run buys for it",
		hint, *hint ? "; " : "", t->rec->job_id);
}

static void step_failed(struct task *t, struct call *c, const struct dts_reply *reply)
{
	enum step s = current(t);

	reply_err(&t->err, c->api, reply);
	err_subject(&t->err, t->op->address);
	if (is_password(s) && reply->message && strstr(reply->message, "Password"))
		err_hint(
			&t->err,
			"the service takes a user name only together with a password that is not the current one");
	if (s == DO_BUY_JOB)
		say_unpaid(t);
	task_end(t, run_stopping(t->x->r) && !reply->code ? RES_DEFERRED : RES_FAILED);
}

static void issue_again(struct timer *timer)
{
	struct task *t = timer->arg;

	if (t->state != TASK_ENDED && !run_stopping(t->x->r) && !task_overdue(t))
		step_issue(t);
}

/* Nothing was made, and nothing is there whose status could tell when it may be tried again. */
static bool makes_something(enum step s)
{
	return s == DO_CONFIGURE_FREE || s == DO_BUY;
}

static void try_later(struct task *t)
{
	t->timer = (struct timer){.fire = issue_again, .arg = t};
	timer_set(&t->x->r->timers, &t->timer,
	          sys_now_ms() + (int64_t)(TRY_AGAIN_MS * t->x->r->o.poll_scale));
}

static void take_verdict(struct task *t, struct call *c, const struct dts_reply *reply,
                         enum verdict v)
{
	/* It may have stood in a queue for long: its settling time begins when it has ended. */
	t->sent_ms = sys_now_ms();
	if (t->state == TASK_ENDED) {
		call_outcome(c, v == VERDICT_OK ? OUTCOME_DONE : OUTCOME_UNKNOWN, NULL);
		return;
	}
	switch (v) {
	case VERDICT_OK:
		close_open_intent(t, OUTCOME_DONE);
		if (step_is_ordered(current(t))) {
			t->open_intent = c->intent;
			c->intent = 0;
		}
		call_outcome(c, OUTCOME_DONE, NULL);
		step_effect(t, reply->instance_id, reply->job_id);
		return;
	case VERDICT_LOOK:
		step_lost(t, c, reply);
		return;
	case VERDICT_BUSY:
		call_outcome(c, OUTCOME_FAILED, reply->code);
		t->busy++;
		if (makes_something(current(t)))
			try_later(t);
		else
			task_watch(t, LOOK_LEGAL, false);
		return;
	case VERDICT_GONE:
		call_outcome(c, OUTCOME_FAILED, reply->code);
		/* The id may be an old one, so to delete takes a look before it believes. */
		if ((!t->stale++ || current(t) == DO_DELETE) && t->rec &&
		    !text_empty(t->rec->instance_id)) {
			task_watch(t, LOOK_FIND, true);
			return;
		}
		if (current(t) == DO_DELETE) {
			step_effect(t, NULL, NULL);
			return;
		}
		break;
	default:
		if (v == VERDICT_FAIL && refusal_asks_for_a_look(t, reply)) {
			look_at_refusal(t, c, reply);
			return;
		}
		if (!text_eq(reply->message, "not sent"))
			call_outcome(c, OUTCOME_FAILED, reply->code);
		break;
	}
	step_failed(t, c, reply);
}

static void single_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	take_verdict(c->owner, c, reply, v);
}

/* ---- batches ----------------------------------------------------------------------- */

static void batch_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct task *next;

	/* One envelope for all, nothing per id (dts-api.md 4): good for all, or each one by itself. */
	call_outcome(c, v == VERDICT_OK ? OUTCOME_DONE : OUTCOME_FAILED, reply->code);
	for (struct task *t = c->owner; t; t = next) {
		next = t->next;
		t->next = NULL;
		if (t->state == TASK_ENDED)
			continue;
		if (v == VERDICT_OK) {
			step_effect(t, NULL, NULL);
		} else if (v == VERDICT_LOOK) {
			t->unknowns++;
			t->lost_ms = sys_now_ms();
			task_watch(t, LOOK_EFFECT, false);
		} else if (v == VERDICT_FAIL || v == VERDICT_BUSY || v == VERDICT_GONE) {
			t->single = true;
			if (text_eq(reply->message, "not sent") || run_stopping(t->x->r))
				task_end(t, RES_DEFERRED);
			else
				step_issue(t);
		} else {
			step_failed(t, c, reply);
		}
	}
}

static int join_slot(enum step s)
{
	return s == DO_START ? 0 : s == DO_SUSPEND ? 1 : s == DO_DELETE ? 2 : -1;
}

static const enum api_action join_action[3] = {API_START_DTS_JOBS, API_SUSPEND_DTS_JOBS,
                                               API_DELETE_DTS_JOBS};

static void input_of(struct task *t, struct step_input *in)
{
	const struct resource *r = wanted(t);
	int dir = attr_find(t->op->type, "synchronization_direction");
	const char *direction = dir < 0   ? NULL
	                        : t->vals ? t->vals[dir]
	                        : t->rec  ? t->rec->attrs[dir]
	                                  : NULL;

	*in = (struct step_input){.b = t->x->b,
	                          .op = t->op,
	                          .want = r,
	                          .vals = t->vals,
	                          .region = t->region,
	                          .client_token = t->token};
	in->reverse = task_reverse(t);
	in->two_way = t->two_way || !text_empty(direction);
	if (t->rec) {
		in->instance_id = t->rec->instance_id;
		in->job_id = t->rec->job_id;
	}
	if (t->op->type == &type_job && text_empty(in->instance_id) && !task_removes(t))
		in->instance_id = val(t, "dts_instance_id");
}

static void send_group(struct exec *x, int slot, struct task *head, size_t n)
{
	struct step_input in;
	struct call *c;
	const char **ids;
	struct json *list;

	if (n == 1) {
		head->single = true;
		step_issue(head);
		return;
	}
	c = call_new(x->r, join_action[slot], batch_done, head);
	ids = arena_array(&c->a, const char *, n);
	list = json_new(&c->a, JSON_ARRAY);
	n = 0;
	for (struct task *t = head; t; t = t->next) {
		ids[n++] = t->rec->job_id;
		json_add(list, NULL, json_new_str(&c->a, t->op->address));
	}
	input_of(head, &in);
	in.job_ids = ids;
	in.njob_ids = n;
	dts_encode(&c->req, &c->a, current(head), &in);
	c->address = head->op->address;
	c->detail = json_new(&c->a, JSON_OBJECT);
	json_add((struct json *)(uintptr_t)c->detail, "addresses", list);
	call_start(c);
}

static void joins_wake(struct timer *t)
{
	(void)t;
}

/* Up to ten of the list, of one region. */
static struct task *take_group(struct joins *j, size_t *n)
{
	struct task *head = j->head, *last = head;

	*n = 1;
	while (*n < BATCH_IDS && last->next && text_eq(last->next->region, head->region)) {
		last = last->next;
		(*n)++;
	}
	j->head = last->next;
	if (!j->head)
		j->tail = NULL;
	last->next = NULL;
	j->n -= *n;
	return head;
}

void joins_flush(struct exec *x)
{
	int64_t now = sys_now_ms(), due = INT64_MAX;

	for (int slot = 0; slot < 3; slot++) {
		struct joins *j = &x->joins[slot];
		bool old = j->head && now - j->first_ms >= JOIN_MS;

		while (j->head && (old || j->n >= BATCH_IDS)) {
			size_t n;
			struct task *head = take_group(j, &n);

			send_group(x, slot, head, n);
		}
		if (j->head && j->first_ms + JOIN_MS < due)
			due = j->first_ms + JOIN_MS;
	}
	if (due == INT64_MAX)
		return;
	x->joins_timer.fire = joins_wake;
	timer_set(&x->r->timers, &x->joins_timer, due);
}

/* ---- sending ------------------------------------------------------------------------- */

static const char *free_name(struct task *t)
{
	uint8_t b[5];
	char hex[11];

	sys_random(b, sizeof b);
	hash_hex(b, sizeof b, hex);
	return arena_printf(t->x->a, "%s~%s", val(t, "dts_job_name"), hex);
}

static const char *password_mark(struct task *t)
{
	return plan_fingerprint(t->x->a, state_fp_key(t->x->r->o.state),
	                        val(t, current(t) == DO_PASSWORD_SRC
	                                       ? "source_endpoint_password"
	                                       : "destination_endpoint_password"));
}

/* What a later run needs to settle this call by looking. */
static const struct json *intent_detail(struct task *t, struct call *c, const struct step_input *in)
{
	struct json *d;

	if (current(t) == DO_BUY) {
		t->buy = (struct purchase){.address = t->op->address,
		                           .region = t->region,
		                           .sent_ms = run_server_ms(t->x->r)};
		t->buy.detail = purchase_shape(t->x->a, &c->req, t->x->inv);
		return t->buy.detail;
	}
	d = json_new(&c->a, JSON_OBJECT);
	json_add(d, "step", json_new_str(&c->a, step_def(current(t))->verb));
	if (in->instance_id)
		json_add(d, "instance", json_new_str(&c->a, in->instance_id));
	if (in->job_id)
		json_add(d, "job", json_new_str(&c->a, in->job_id));
	if (in->free_name)
		json_add(d, "name", json_new_str(&c->a, in->free_name));
	else if (current(t) == DO_CONFIGURE)
		json_add(d, "name", json_new_str(&c->a, val(t, "dts_job_name")));
	if (is_password(current(t)) && password_mark(t))
		json_add(d, "password", json_new_str(&c->a, password_mark(t)));
	if (in->reverse)
		json_add(d, "reverse", json_new_bool(&c->a, true));
	json_add(d, "region", json_new_str(&c->a, t->region));
	return d;
}

static void new_token(struct task *t)
{
	uint8_t b[16];

	if (t->token[0] && t->unknowns)
		return; /* a repeat of the same change */
	sys_random(b, sizeof b);
	hash_hex(b, sizeof b, t->token);
}

static enum api_action single_action(enum step s)
{
	return s == DO_START     ? API_START_DTS_JOB
	       : s == DO_SUSPEND ? API_SUSPEND_DTS_JOB
	       : s == DO_DELETE  ? API_DELETE_DTS_JOB
	                         : step_def(s)->action;
}

/*
 * Durable with the intent: a run that finds them gone afterwards knows why (guard.c). Deleting a job releases its instance.
 */
static void mark_leaving(struct task *t)
{
	const struct record *r;
	struct record *copy;

	if (!t->rec)
		return;
	t->rec->leaving = true;
	task_put(t);
	r = task_instance(t);
	if (!r)
		return;
	copy = record_copy(t->x->a, r);
	copy->leaving = true;
	state_put(t->x->r->o.state, copy);
}

void step_issue(struct task *t)
{
	struct exec *x = t->x;
	enum step s = current(t);
	struct step_input in;
	struct call *c;
	int slot = join_slot(s);

	watch_end(&t->watch);
	make_vals(t);
	t->acting = true;
	t->sent_ms = sys_now_ms();
	if (s == DO_START || s == DO_CONFIGURE || s == DO_RESET || s == DO_PRECHECK ||
	    s == DO_BUY_JOB) {
		t->old_failure = status_class(t->status) == SC_FAILED;
		t->moved = false;
		t->issued_ms = sys_now_ms();
	}
	if ((s == DO_BUY || s == DO_BUY_JOB) && x->r->money_stop) {
		if (s == DO_BUY_JOB)
			say_unpaid(t);
		task_fail(
			t, ERR_FAILED,
			"not bought: an order of this run was refused for lack of money or price plan");
		return;
	}
	if (s == DO_DELETE)
		mark_leaving(t);
	input_of(t, &in);
	/* Without one the same call would make a job that nobody pays for. */
	if (s == DO_CONFIGURE && text_empty(in.instance_id) &&
	    text_empty(val(t, "dts_instance_id"))) {
		task_fail(t, ERR_FAILED, "the id of its instance is not known: nothing was sent");
		return;
	}
	if (slot >= 0 && !t->single && !in.reverse && !in.two_way && !text_empty(in.job_id)) {
		struct joins *j = &x->joins[slot];

		t->next = NULL;
		if (j->tail)
			j->tail->next = t;
		else
			j->head = t;
		j->tail = t;
		if (j->n++ == 0)
			j->first_ms = sys_now_ms();
		return;
	}
	new_token(t);
	in.client_token = t->token;
	if (s == DO_CONFIGURE_FREE)
		in.free_name = t->free_name = free_name(t);
	c = call_new(x->r, single_action(s), single_done, t);
	dts_encode(&c->req, &c->a, s, &in);
	c->address = t->op->address;
	if (s == DO_CONFIGURE_FREE) { /* every repeat may make another free job */
		c->repeat = REPEAT_NEVER;
		c->fresh = true;
	}
	c->detail = intent_detail(t, c, &in);
	call_start(c);
}

/* ---- beginning -------------------------------------------------------------------------- */

/* A purchase of an earlier run whose answer was lost; NULL: there is none. */
static const struct intent *open_purchase(const struct task *t)
{
	size_t n;
	const struct intent *v = state_intents(t->x->r->o.state, &n);

	for (size_t i = 0; i < n; i++)
		if (text_eq(v[i].address, t->op->address) &&
		    text_eq(v[i].action, "CreateDtsInstance"))
			return &v[i];
	return NULL;
}

/* It is settled, not repeated. */
static void resume_purchase(struct task *t, const struct intent *i)
{
	purchase_from_intent(t->x->r, &t->buy, i);
	t->buy.region = t->region;
	t->unknowns++;
	t->acting = true;
	settle_add(t);
}

/* A call of an earlier run that may be on its way, or done: it is looked for before it is sent again. */
static bool resumes_call(struct task *t, enum step s)
{
	const char *action = api_def(single_action(s))->name;
	const char *instance = t->rec ? t->rec->instance_id : val(t, "dts_instance_id");
	struct run *r = t->x->r;
	int64_t ended = 0, age;
	size_t n;
	const struct intent *v = state_intents(r->o.state, &n);

	if (s == DO_CONFIGURE && task_configures_again(t)) /* harmless */
		return false;
	for (size_t i = 0; step_resumes(s) && i < n; i++) {
		if (!text_eq(v[i].address, t->op->address) || !text_eq(v[i].action, action) ||
		    !text_eq(json_str(v[i].detail, "step"), step_def(s)->verb) ||
		    !text_eq(json_str(v[i].detail, "instance"), instance))
			continue;
		t->open_intent = v[i].id;
		ended = call_end_ms(r, v[i].wall_ms, api_find(action));
	}
	if (!t->open_intent)
		return false;
	age = run_server_ms(r) > ended ? run_server_ms(r) - ended : 0;
	make_vals(t);
	t->acting = true;
	t->unknowns++;
	t->sent_ms = t->lost_ms = sys_now_ms() - age;
	run_note(r, t->op, "an earlier run sent %s: looking whether it had its effect", action);
	t->looks = 0;
	task_watch(t, LOOK_EFFECT, true);
	return true;
}

/* The same password was sent by an earlier run: nothing shows whether it arrived, so it is sent again and may be refused. */
static void repeats_password(struct task *t, enum step s)
{
	size_t n;
	const struct intent *v = state_intents(t->x->r->o.state, &n);

	for (size_t i = 0; is_password(s) && i < n; i++)
		if (text_eq(v[i].address, t->op->address) &&
		    text_eq(json_str(v[i].detail, "step"), step_def(s)->verb) &&
		    json_str(v[i].detail, "password") &&
		    text_eq(json_str(v[i].detail, "password"), password_mark(t))) {
			t->open_intent = v[i].id;
			t->unknowns++;
			return;
		}
}

static bool already_there(const struct task *t, enum step s)
{
	if (s == DO_START)
		return status_class(t->status) == SC_RUNNING;
	if (s == DO_SUSPEND)
		return t->status == ST_SUSPENDING || t->status == ST_NOT_STARTED;
	if (s == DO_PRECHECK) /* a start past the precheck needs the purchase */
		return t->status == ST_PRECHECK_PASS;
	return false;
}

static void begin_call(struct task *t, enum step s)
{
	unsigned legal = step_def(s)->legal;

	if (resumes_call(t, s))
		return;
	repeats_password(t, s);
	if (already_there(t, s)) {
		task_advance(t);
		return;
	}
	if (s == DO_PRECHECK && t->status == ST_PRECHECKING) { /* begun by an earlier run */
		t->acting = t->moved = true;
		t->issued_ms = sys_now_ms();
		task_watch(t, LOOK_AFTER, true);
		return;
	}
	if (!legal || t->status == ST_UNKNOWN || (legal & ST_BIT(t->status))) {
		step_issue(t);
		return;
	}
	task_watch(t, LOOK_LEGAL, true);
}

void step_begin(struct task *t)
{
	struct exec *x = t->x;
	enum step s = current(t);
	const struct intent *bought = s == DO_BUY ? open_purchase(t) : NULL;
	struct event ev = {.kind = EV_STEP,
	                   .op = t->op,
	                   .index = t->idx,
	                   .step = s,
	                   .verb = bought ? "find purchase" : NULL,
	                   .text = t->raw,
	                   .done = x->done,
	                   .total = x->total};

	if (!exec_may_begin(t, s)) {
		err_set(&t->err, ERR_LATER,
		        x->fail_stop ? "not begun: --fail-fast"
		                     : "not begun: it could not end before "
		                       "the deadline");
		task_end(t, RES_DEFERRED);
		return;
	}
	run_event(x->r, &ev);
	t->region = task_region(t);
	switch (s) {
	case DO_VERIFY:
		task_watch(t, LOOK_VERIFY, true);
		return;
	case DO_WAIT_CREATED:
	case DO_WAIT_GONE:
		make_vals(
			t); /* what it waits for stands there, and nothing may have been sent before */
		t->acting = true;
		task_watch(t, LOOK_AFTER, false);
		return;
	case DO_BUY:
		if (bought)
			resume_purchase(t, bought);
		else
			step_issue(t);
		return;
	default:
		begin_call(t, s);
		return;
	}
}
