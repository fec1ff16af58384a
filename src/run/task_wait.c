/*
 * Waiting: what a look at the service means for the current step. After our
 * own start, configure or reset a failure seen before the first moving status
 * is the old one, for a bounded time; afterwards it is real at once.
 */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/exec_internal.h"

#define LIST_LAG_MS 3000 /* for so long a list may show what was before (dts-api.md 9) */
#define GRACE_MS 60000   /* start and suspend may take so long to show (dts-api.md 3.3) */

enum after { AFTER_WAIT, AFTER_OK, AFTER_FAILED, AFTER_GONE };

static enum step current(const struct task *t)
{
	return t->op->steps[t->step];
}

static const char *want(const struct task *t, const char *key)
{
	return t->vals ? t->vals[attr_of(t->op->type, key)] : NULL;
}

int64_t task_timeout_ms(const struct task *t)
{
	const struct lifecycle *l = t->op->want == RES_NONE ? NULL : &t->x->b->v[t->op->want].life;

	switch (t->op->kind) {
	case OP_CREATE:
	case OP_RESUME:
	case OP_REPLACE:
		return l && l->timeout_create_ms > 0 ? l->timeout_create_ms : 20 * 60000;
	case OP_DELETE:
		return l && l->timeout_delete_ms > 0 ? l->timeout_delete_ms : 20 * 60000;
	default:
		return l && l->timeout_update_ms > 0 ? l->timeout_update_ms : 10 * 60000;
	}
}

static bool grace_over(const struct task *t)
{
	return sys_now_ms() - t->issued_ms > (int64_t)(GRACE_MS * t->x->r->o.poll_scale);
}

/* Within the settling time of the last change no answer proves an absence, but for "it was released". */
static bool may_be_gone(const struct task *t)
{
	const struct record *rec = t->rec ? t->rec : t->op->have;
	int64_t settle = t->x->r->o.settle_ms;

	/* What this run saw before it began to delete, and what the service does not know by its id now, went with its jobs. */
	if (t->op->kind == OP_DELETE && t->op->seen)
		return true;
	return t->watch.released || ((!rec || sys_wall_ms() - rec->updated_ms >= settle) &&
	                             (!t->sent_ms || sys_now_ms() - t->sent_ms >= settle));
}

static bool failure_is_real(const struct task *t)
{
	return t->moved || !t->old_failure || grace_over(t);
}

static enum after after_created(struct task *t, const struct observed *o)
{
	const char *status = want(t, "status");

	if (status_satisfies(o->status, status) && o->status != ST_NOT_CONFIGURED)
		return AFTER_OK;
	/* Bought with the word not to start it, and nobody says more: there it rests. */
	if (o->status == ST_PRECHECK_PASS && text_empty(status) &&
	    text_ieq(want(t, "auto_start"), "false"))
		return AFTER_OK;
	if (o->status == ST_LOCKED)
		return AFTER_FAILED;
	if (status_class(o->status) == SC_FAILED)
		return failure_is_real(t) ? AFTER_FAILED : AFTER_WAIT;
	return AFTER_WAIT;
}

/* A change of a running job shows as Modifying; a list that lags still shows the rest before it. */
static bool changes_over(const struct task *t)
{
	enum step s = current(t);
	bool modifies = s == DO_OBJECTS || s == DO_RESERVED || s == DO_ENDPOINT_SRC ||
	                s == DO_ENDPOINT_DEST;

	return !modifies || t->step_moved ||
	       sys_now_ms() - t->sent_ms > (int64_t)(LIST_LAG_MS * t->x->r->o.poll_scale);
}

/* Some classes have two spellings. */
static bool class_there(const struct task *t, const struct observed *o)
{
	const char *wanted = want(t, "instance_class");
	const struct attr_def *at = &t->op->type->attrs[attr_of(t->op->type, "instance_class")];

	return wanted && o->cls && attr_satisfied(at, wanted, o->cls);
}

static enum after after_step(struct task *t, const struct observed *o)
{
	enum step s = current(t);

	if (!o && s == DO_WAIT_GONE)
		return AFTER_OK;
	if (!o) /* it will not come back, so do not wait for the timeout */
		return may_be_gone(t) ? AFTER_GONE : AFTER_WAIT;
	switch (s) {
	case DO_WAIT_GONE:
		return AFTER_WAIT;
	case DO_WAIT_CREATED:
		return after_created(t, o);
	case DO_START:
		if (status_class(o->status) == SC_RUNNING)
			return AFTER_OK;
		break;
	case DO_SUSPEND:
		if (o->status == ST_SUSPENDING)
			return AFTER_OK;
		break;
	case DO_RESET:
		return o->status == ST_NOT_CONFIGURED ? AFTER_OK : AFTER_WAIT;
	case DO_PRECHECK:
		if (o->status == ST_PRECHECK_PASS)
			return AFTER_OK;
		break;
	case DO_CLASS:
		if (!class_there(t, o))
			return AFTER_WAIT;
		return status_class(o->status) == SC_MOVING && o->status != ST_INITIALIZING
		               ? AFTER_WAIT
		               : AFTER_OK;
	default:
		if (status_class(o->status) == SC_MOVING && o->status != ST_INITIALIZING &&
		    !(o->status == ST_PRECHECK_PASS &&
		      (plan_rests_checked(t->op) || !step_def(s)->legal))) {
			t->step_moved = true;
			return AFTER_WAIT;
		}
		return changes_over(t) ? AFTER_OK : AFTER_WAIT;
	}
	if (o->status == ST_LOCKED)
		return AFTER_FAILED;
	return status_class(o->status) == SC_FAILED && failure_is_real(t) ? AFTER_FAILED
	                                                                  : AFTER_WAIT;
}

/* ---- failures -------------------------------------------------------------- */

static bool in_list(const struct task *t, const char *item)
{
	return t->op->want != RES_NONE &&
	       text_has_field(t->x->b->v[t->op->want].life.skip_precheck, ',', item, true);
}

static void restart(struct task *t)
{
	struct call *c;

	t->old_failure = true;
	t->moved = false;
	t->issued_ms = sys_now_ms();
	c = call_new(t->x->r, API_START_DTS_JOB, restart_done, t);
	dts_call_init(&c->req, &c->a, API_START_DTS_JOB, t->region);
	dts_param(&c->req, "DtsJobId", t->rec->job_id);
	dts_param(&c->req, "DtsInstanceId", t->rec->instance_id);
	if (t->watch.reverse || t->two_way)
		dts_param(&c->req, "SynchronizationDirection",
		          t->watch.reverse ? "Reverse" : "Forward");
	c->address = t->op->address;
	call_start(c);
}

void restart_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct task *t = c->owner;

	(void)reply;
	call_outcome(c, v == VERDICT_OK ? OUTCOME_DONE : OUTCOME_FAILED, NULL);
	if (t->state != TASK_ENDED) /* whatever it said, the status tells */
		task_watch(t, LOOK_AFTER, false);
}

static const char *precheck_hint(const struct task *t)
{
	return current(t) == DO_PRECHECK
	               ? "nothing was bought and nothing is to pay; mend the cause, and the next run checks "
	                 "the free job again, or makes it anew if its section has changed"
	               : "mend the cause; the next run starts the job again and buys nothing new";
}

static void skip_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct task *t = c->owner;

	call_outcome(c, v == VERDICT_OK ? OUTCOME_DONE : OUTCOME_FAILED, reply->code);
	if (t->state == TASK_ENDED)
		return;
	if (v != VERDICT_OK) {
		reply_err(&t->err, c->api, reply);
		err_hint(&t->err, "%s", precheck_hint(t));
		task_end(t, RES_FAILED);
		return;
	}
	run_note(t->x->r, t->op, "precheck items skipped as skip_precheck says");
	restart(t);
}

/* All failed items may be skipped and the section says so: skip them once and start again. */
static bool skip_items(struct task *t)
{
	const char **items;
	struct call *c;

	if (t->skipped || !t->nitems)
		return false;
	for (size_t i = 0; i < t->nitems; i++)
		if (!in_list(t, t->items[i].item) || t->items[i].never_skip)
			return false;
	t->skipped = true;
	c = call_new(t->x->r, API_SKIP_PRE_CHECK, skip_done, t);
	items = arena_array(&c->a, const char *, t->nitems);
	for (size_t i = 0; i < t->nitems; i++)
		items[i] = t->items[i].item;
	dts_encode_skip(&c->req, &c->a, t->region, t->rec->job_id, items, t->nitems);
	c->address = t->op->address;
	call_start(c);
	return true;
}

static void take_items(struct task *t, const struct json *root)
{
	struct precheck_item *v;
	size_t n = dts_precheck_items(t->x->a, root, &v);

	t->items = arena_array(t->x->a, struct precheck_failure, n + 1);
	t->nitems = n;
	for (size_t i = 0; i < n; i++)
		t->items[i] = (struct precheck_failure){.item = v[i].item,
		                                        .message = v[i].message,
		                                        .repair = v[i].repair,
		                                        .explain = dts_precheck_explain(v[i].item),
		                                        .can_skip = v[i].can_skip,
		                                        .never_skip = v[i].never_skip};
}

static void items_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct task *t = c->owner;

	if (t->state == TASK_ENDED)
		return;
	if (v == VERDICT_OK && reply->root)
		take_items(t, reply->root);
	if (skip_items(t))
		return;
	err_hint(&t->err, "%s", precheck_hint(t));
	task_fail(t, ERR_FAILED, "the precheck failed (%s)", t->raw);
}

static void status_failed(struct task *t, const struct observed *o)
{
	struct call *c;

	watch_end(&t->watch);
	/* A swallowed start: sent once more, then the failure is believed (no more than two starts). */
	if (!t->moved && t->old_failure && !t->restarted && t->rec && t->rec->job_id) {
		t->restarted = true;
		restart(t);
		return;
	}
	/* Started for a change that needs it running: what if it never runs again? */
	if (current(t) == DO_START && t->step + 1 < t->op->nsteps)
		err_hint(
			&t->err,
			"what was to follow needs a running job: mend the cause, or make the job anew on its instance with --replace '%s'",
			t->op->address);
	if (o->status != ST_PRECHECK_FAILED) {
		task_fail(t, ERR_FAILED, "the job is %s%s%s", o->raw_status, o->error ? ": " : "",
		          o->error ? o->error : "");
		return;
	}
	c = call_new(t->x->r, API_DESCRIBE_PRE_CHECK_STATUS, items_done, t);
	c->into = t->x->a;
	dts_encode_precheck(&c->req, &c->a, t->region, t->rec->job_id);
	call_start(c);
}

/* ---- looking for a lost effect ------------------------------------------------ */

enum resend { RESEND_NOW, RESEND_LOOKS, RESEND_SETTLED };

static enum resend resend_policy(enum step s)
{
	switch (s) {
	case DO_OBJECTS: /* has a ClientToken */
	case DO_RESERVED:
	case DO_PARAMS:
	case DO_GROUP:
	case DO_TAGS:
	case DO_UNTAG:
	case DO_DELAY_RULE:
	case DO_ERROR_RULE:
	case DO_PASSWORD_SRC:
	case DO_PASSWORD_DEST:
	case DO_CLUSTER:
		return RESEND_NOW;
	case DO_CLASS:
	case DO_RESET:
	case DO_ENDPOINT_SRC:
	case DO_ENDPOINT_DEST:
	case DO_TWOWAY:
	case DO_PAYTYPE:
	case DO_BUY_JOB:
		return RESEND_SETTLED;
	default:
		return RESEND_LOOKS;
	}
}

/* ModifyDtsJob... and the like are harmless to send again; these order, empty or roll back, so they are looked for. */
bool step_resumes(enum step s)
{
	return s == DO_CONFIGURE || resend_policy(s) == RESEND_SETTLED;
}

/* Their answer says that an order was taken, not that it had its effect: the intent stays open until that is seen. */
bool step_is_ordered(enum step s)
{
	return s == DO_CLASS || s == DO_TWOWAY || s == DO_RESET;
}

static bool attr_there(const struct task *t, const struct observed *o, const char *key)
{
	int i = attr_find(t->op->type, key);
	const char *seen =
		i >= 0 && t->vals[i] ? attr_read(t->x->a, &t->op->type->attrs[i], o->row) : NULL;

	return seen && attr_satisfied(&t->op->type->attrs[i], t->vals[i], seen);
}

static bool endpoint_there(const struct task *t, const struct observed *o, bool source)
{
	for (size_t i = 0; i < t->op->type->nattrs; i++) {
		const struct attr_def *at = &t->op->type->attrs[i];
		const char *seen;

		if ((at->route != ROUTE_ENDPOINT && at->route != ROUTE_PASSWORD) ||
		    ((at->flags & A_SOURCE) != 0) != source || !t->vals[i] || at->from != READ_LIST)
			continue;
		seen = attr_read(t->x->a, at, o->row);
		if (seen && !attr_satisfied(at, t->vals[i], seen))
			return false;
	}
	return true;
}

/* What was refused as the password in use: is the user the wanted one, too? The password itself is never shown. */
static bool user_there(const struct task *t, const struct observed *o, const char *key)
{
	const struct attr_def *at = &t->op->type->attrs[attr_of(t->op->type, key)];
	const char *seen = attr_read(t->x->a, at, o->row);

	return t->err.code && (!want(t, key) || !seen || attr_satisfied(at, want(t, key), seen));
}

/* A job that never ran is configured once more: that it has our name is no sign then, only that it has begun. */
bool task_configures_again(const struct task *t)
{
	return t->op->kind != OP_REPLACE && t->op->seen && t->op->seen->status != ST_NOT_CONFIGURED;
}

static bool effect_there(const struct task *t, const struct observed *o)
{
	enum step s = current(t);

	if (!o)
		return s == DO_DELETE;
	switch (s) {
	case DO_CONFIGURE:
		return text_eq(o->name, want(t, "dts_job_name")) &&
		       o->status != ST_NOT_CONFIGURED &&
		       !(task_configures_again(t) && (step_def(s)->legal & ST_BIT(o->status)));
	case DO_RENAME:
		return text_eq(o->name, want(t, "dts_job_name"));
	case DO_CLASS:
		return o->status == ST_UPGRADE || class_there(t, o);
	case DO_START:
	case DO_PRECHECK:
		return status_class(o->status) == SC_RUNNING ||
		       status_class(o->status) == SC_MOVING;
	case DO_SUSPEND:
		return o->status == ST_SUSPENDING;
	case DO_RESET:
		return o->status == ST_NOT_CONFIGURED;
	case DO_TWOWAY:
		return o->two_way;
	case DO_PAYTYPE:
		return attr_there(t, o, "payment_type");
	case DO_BUY_JOB:
		return *o->instance_id != '\0';
	case DO_OBJECTS:
		return o->status == ST_MODIFYING;
	case DO_ENDPOINT_SRC:
		return endpoint_there(t, o, true);
	case DO_ENDPOINT_DEST:
		return endpoint_there(t, o, false);
	case DO_PASSWORD_SRC:
		return user_there(t, o, "source_endpoint_user_name");
	case DO_PASSWORD_DEST:
		return user_there(t, o, "destination_endpoint_user_name");
	default:
		return false;
	}
}

static void close_intent(struct task *t, enum outcome o)
{
	if (t->open_intent)
		state_outcome(t->x->r->o.state, t->open_intent, o, "looked up");
	t->open_intent = 0;
}

/* The service said that it cannot be done any more, which is also what it says when it was done. */
static bool look_refused(struct task *t, const struct observed *o, int64_t age)
{
	bool unclear = current(t) == DO_CONFIGURE && o && o->status == ST_NOT_CONFIGURED;

	if (t->looks < 2 || (unclear && age < t->x->r->o.settle_ms))
		return false;
	watch_end(&t->watch);
	close_intent(t, OUTCOME_FAILED);
	task_end(t, RES_FAILED);
	return true;
}

static bool look_effect(struct task *t, const struct observed *o)
{
	enum resend policy = resend_policy(current(t));
	int64_t age = sys_now_ms() - t->lost_ms;

	t->looks++;
	if (effect_there(t, o)) {
		watch_end(&t->watch);
		t->err = (struct err){0};
		if (!step_is_ordered(current(t)))
			close_intent(t, OUTCOME_DONE);
		step_effect(t, o ? o->instance_id : NULL, o ? o->job_id : NULL);
		return true;
	}
	if (t->err.code)
		return look_refused(t, o, age);
	if (policy == RESEND_LOOKS && t->looks < 2)
		return false;
	if (policy == RESEND_SETTLED && age < t->x->r->o.settle_ms)
		return false;
	watch_end(&t->watch);
	close_intent(t, OUTCOME_FAILED);
	if (t->unknowns > 5)
		task_fail(t, ERR_FAILED, "%s: no usable answer after %u tries",
		          step_def(current(t))->verb, t->unknowns);
	else
		step_issue(t);
	return true;
}

/* ---- a free job whose answer was lost ------------------------------------------ */

static void free_look(struct timer *timer)
{
	struct task *t = timer->arg;

	name_read_start(&t->free_look);
}

/* Sooner at first, as the poller does. */
static void free_look_later(struct task *t)
{
	int64_t age = sys_now_ms() - t->lost_ms;
	double scale = t->x->r->o.poll_scale;
	int64_t pause = age / 4, least = (int64_t)(500 * scale), most = (int64_t)(15000 * scale);

	pause = pause < least ? least : pause > most ? most : pause;
	t->timer = (struct timer){.fire = free_look, .arg = t};
	timer_set(&t->x->r->timers, &t->timer, sys_now_ms() + pause + 10);
}

/* Its name is ours alone, so what bears it is ours; that it is not there is believed when the lists have settled. */
static void free_looked(struct name_read *n, const struct observed *o, bool ok)
{
	struct task *t = n->owner;
	int64_t limit = task_timeout_ms(t);

	if (t->state == TASK_ENDED)
		return;
	if (o) {
		run_note(t->x->r, t->op, "free job %s found by its name", o->job_id);
		close_intent(t, OUTCOME_DONE);
		step_effect(t, NULL, o->job_id);
		return;
	}
	if (sys_now_ms() - t->op_ms > limit) {
		err_hint(&t->err, "the next run looks for it again; nothing was bought");
		task_fail(t, ERR_FAILED,
		          "the answer to %s was lost, and no job named %s showed up in %s",
		          step_def(current(t))->verb, n->name, text_duration(t->x->a, limit));
	} else if (!ok || sys_now_ms() - t->lost_ms < t->x->r->o.settle_ms) {
		free_look_later(t);
	} else {
		close_intent(t, OUTCOME_FAILED);
		if (t->unknowns > 5)
			task_fail(t, ERR_FAILED, "%s: no usable answer after %u tries",
			          step_def(current(t))->verb, t->unknowns);
		else
			step_issue(t);
	}
}

void task_find_free(struct task *t)
{
	t->free_look = (struct name_read){.r = t->x->r,
	                                  .region = t->region,
	                                  .name = t->free_name,
	                                  .done = free_looked,
	                                  .owner = t};
	free_look_later(t);
}

/* ---- before a delete ------------------------------------------------------------ */

static const char *moved_away(const struct task *t, const struct observed *o)
{
	const struct record *rec = t->op->have;
	const struct observed *planned = t->op->seen;
	int name = attr_find(rec->type, "dts_job_name");
	int src = attr_find(rec->type, "source_endpoint_instance_id");
	const char *recorded_name = name >= 0 ? rec->attrs[name] : NULL;
	const char *recorded_src = src >= 0 ? rec->attrs[src] : NULL;
	const char *seen_src = json_str(o->row, "SourceEndpoint.InstanceID");

	if (!text_eq(o->instance_id, rec->instance_id))
		return "its instance id";
	if (o->status == ST_NOT_CONFIGURED) /* emptied: it has no name and no source of its own */
		return NULL;
	if (planned && !text_eq(o->name, planned->name))
		return "its name (since the plan was made)";
	if (recorded_name && recorded_src && seen_src && !text_eq(o->name, recorded_name) &&
	    !text_eq(seen_src, recorded_src))
		return "its name and its source";
	return NULL;
}

/* What keeps the instance: once emptied, there is nothing left to reset. */
static bool empties_it(const struct task *t)
{
	return t->step + 1 < t->op->nsteps && t->op->steps[t->step + 1] == DO_RESET;
}

/* An instance of this plan makes no call of its own: the deletion of this job releases it, and if it is an empty one. */
static bool releases_ours(const struct task *t)
{
	const struct plan *p = t->x->p;

	for (size_t i = 0; i < p->n; i++)
		if (text_eq(p->ops[i].released_by, t->op->address))
			return true;
	return false;
}

static bool nothing_left(const struct task *t, const struct observed *o)
{
	if (t->op->type != &type_job || o->status != ST_NOT_CONFIGURED)
		return false;
	return empties_it(t) || (t->op->kind == OP_DELETE && !releases_ours(t));
}

/* An earlier run, or somebody, made the job anew: what is deleted is the one that is there. */
static void take_job_id(struct task *t, const struct observed *o)
{
	if (!t->rec || text_empty(o->job_id) || text_eq(o->job_id, t->rec->job_id))
		return;
	t->rec->job_id = arena_strdup(t->x->a, o->job_id);
	if (t->op->type == &type_job)
		t->rec->id = t->rec->job_id;
}

static bool look_verify(struct task *t, const struct observed *o)
{
	const char *what;

	if (!o && !may_be_gone(t))
		return false;
	watch_end(&t->watch);
	if (!o || nothing_left(t, o)) {
		/* gone already, or emptied: nothing of ours is left to delete */
		run_note(t->x->r, t->op, "already gone on the service");
		if (t->op->kind == OP_DELETE) {
			t->step = t->op->nsteps;
			task_advance(t);
			return true;
		}
		while (t->step + 1 < t->op->nsteps && t->op->steps[t->step + 1] != DO_BUY &&
		       t->op->steps[t->step + 1] != DO_CONFIGURE &&
		       t->op->steps[t->step + 1] != DO_CONFIGURE_FREE)
			t->step++;
		t->status = ST_UNKNOWN;
		task_advance(t);
		return true;
	}
	what = moved_away(t, o);
	if (what) {
		err_hint(
			&t->err,
			"look at it in the console; `dtsbatch state rm` forgets it without deleting");
		task_fail(t, ERR_FAILED,
		          "not deleted: %s is no longer what the state knows (%s, \"%s\")", what,
		          o->instance_id, o->name);
		return true;
	}
	take_job_id(t, o);
	task_advance(t);
	return true;
}

/* ---- dispatch ---------------------------------------------------------------------- */

/* What was waited for may have been an order of our own, by an earlier run. */
static bool done_meanwhile(const struct task *t, const struct observed *o)
{
	return step_is_ordered(current(t)) && current(t) != DO_RESET && o->status != ST_UPGRADE &&
	       effect_there(t, o);
}

static bool look_legal(struct task *t, const struct observed *o)
{
	unsigned legal = step_def(current(t))->legal;
	enum step s = current(t);

	if (!o && !may_be_gone(t))
		return false;
	if (!o) {
		watch_end(&t->watch);
		task_fail(t, ERR_FAILED, "gone on the service");
		return true;
	}
	if (done_meanwhile(t, o)) {
		watch_end(&t->watch);
		step_effect(t, o->instance_id, o->job_id);
		return true;
	}
	if (!legal || (legal & ST_BIT(o->status))) {
		if (t->busy && t->busy < 3 && t->watch.absent == 0 && t->busy_status == o->status &&
		    t->looks++ < 1)
			return false; /* the service just said busy: give it one more interval */
		watch_end(&t->watch);
		step_issue(t);
		return true;
	}
	if ((s == DO_START && status_class(o->status) == SC_RUNNING) ||
	    (s == DO_SUSPEND && o->status == ST_SUSPENDING)) {
		watch_end(&t->watch);
		task_advance(t);
		return true;
	}
	if (status_class(o->status) == SC_MOVING ||
	    o->status == ST_INITIALIZING) /* the first copy ends, too */
		return false;
	watch_end(&t->watch);
	task_fail(t, ERR_FAILED, "%s is not possible while the job is %s", step_def(s)->verb,
	          o->raw_status);
	return true;
}

static bool look_find(struct task *t, const struct observed *o)
{
	bool deletes = current(t) == DO_DELETE;

	watch_end(&t->watch);
	if (!o && deletes) { /* it is gone, not its id alone */
		step_effect(t, NULL, NULL);
		return true;
	}
	if (deletes && text_eq(o->job_id, t->rec->job_id)) { /* the service contradicts itself */
		t->unknowns++;
		t->looks = 0;
		t->lost_ms = sys_now_ms();
		task_watch(t, LOOK_EFFECT, false);
		return true;
	}
	if (!o || text_eq(o->job_id, t->rec->job_id)) {
		task_fail(t, ERR_FAILED, "the service does not know it any more");
		return true;
	}
	run_note(t->x->r, t->op, "job id %s is stale: %s by its instance", t->rec->job_id,
	         o->job_id);
	take_job_id(t, o);
	task_put(t);
	step_issue(t);
	return true;
}

/* The order was answered, the settling time is over, and nothing of it shows. What costs nothing is sent once more. */
static bool order_got_lost(struct task *t, const struct observed *o)
{
	enum step s = current(t);

	if (!step_is_ordered(s) || !o || sys_now_ms() - t->sent_ms < t->x->r->o.settle_ms ||
	    (status_class(o->status) == SC_MOVING && o->status != ST_INITIALIZING))
		return false;
	/* What was read may have been asked before the time was over: the look after this one was not. */
	if (t->contradicted++ < 2)
		return false;
	watch_end(&t->watch);
	close_intent(t, OUTCOME_FAILED);
	if (s == DO_RESET && !t->again) {
		t->again = true;
		run_note(t->x->r, t->op,
		         "the reset was answered, but the job is as it was: once more");
		step_issue(t);
		return true;
	}
	err_hint(&t->err, "look at the console; the next run asks for it again");
	task_fail(t, ERR_FAILED, "%s was answered, but had no effect: the job is %s",
	          step_def(s)->verb, o->raw_status);
	return true;
}

static bool look_after(struct task *t, const struct observed *o)
{
	switch (after_step(t, o)) {
	case AFTER_WAIT:
		/* Configured, but the service did not start it by itself: say so once. */
		if (o && current(t) == DO_WAIT_CREATED &&
		    (o->status == ST_NOT_STARTED || o->status == ST_PRECHECK_PASS) &&
		    !t->restarted && text_ieq(want(t, "status"), "Synchronizing") &&
		    grace_over(t)) {
			t->restarted = true;
			watch_end(&t->watch);
			restart(t);
			return true;
		}
		return order_got_lost(t, o);
	case AFTER_FAILED:
		status_failed(t, o);
		return true;
	case AFTER_GONE:
		watch_end(&t->watch);
		err_hint(
			&t->err,
			"somebody released it, or it ended by itself as a job without incremental phase does");
		task_fail(t, ERR_FAILED, "gone on the service%s%s", t->raw[0] ? ", last seen " : "",
		          t->raw);
		return true;
	case AFTER_OK:
		break;
	}
	watch_end(&t->watch);
	if (current(t) == DO_RESET && t->rec && *o->job_id) { /* the job id may be a new one */
		t->rec->job_id = arena_strdup(t->x->a, o->job_id);
		if (t->op->type == &type_job)
			t->rec->id = t->rec->job_id;
	}
	if (step_is_ordered(current(t))) {
		close_intent(t, OUTCOME_DONE);
		if (t->rec && t->op->kind != OP_DELETE) {
			if (current(t) == DO_RESET)
				t->rec->step = STEP_RESET;
			record_apply(t, current(t));
			task_put(t);
		}
	}
	if (current(t) == DO_WAIT_GONE && t->op->kind != OP_DELETE) { /* it is made anew */
		state_del(t->x->r->o.state, t->op->have->address);
		state_del(t->x->r->o.state, t->op->address); /* it may have been renamed */
		t->rec = NULL;
		t->status = ST_UNKNOWN;
	}
	task_advance(t);
	return true;
}

bool task_overdue(struct task *t)
{
	int64_t limit = task_timeout_ms(t);

	if (sys_now_ms() - t->op_ms <= limit)
		return false;
	watch_end(&t->watch);
	err_hint(&t->err, "the next run goes on from here");
	task_fail(t, ERR_FAILED, "still %s after %s", t->raw[0] ? t->raw : "unseen",
	          text_duration(t->x->a, limit));
	return true;
}

/* A read that is refused for ever ends with the timeout as well. */
static void on_silence(struct watch *w)
{
	struct task *t = w->owner;

	if (t->state != TASK_ENDED)
		task_overdue(t);
}

static bool on_seen(struct watch *w, const struct observed *o)
{
	struct task *t = w->owner;

	if (t->state == TASK_ENDED)
		return true;
	task_saw(t, o);
	if (task_overdue(t))
		return false;
	switch (t->look) {
	case LOOK_LEGAL:
		look_legal(t, o);
		break;
	case LOOK_AFTER:
		look_after(t, o);
		break;
	case LOOK_EFFECT:
		look_effect(t, o);
		break;
	case LOOK_VERIFY:
		look_verify(t, o);
		break;
	case LOOK_FIND:
		look_find(t, o);
		break;
	}
	return false; /* the looks end the watch themselves: they may have begun the next one */
}

bool task_removes(const struct task *t)
{
	enum step s = current(t);

	return s == DO_VERIFY || s == DO_DELETE || s == DO_WAIT_GONE;
}

/* Is it done to what exists, whatever the section wants now? */
static bool takes_away(const struct task *t)
{
	return t->op->nsteps && (task_removes(t) || current(t) == DO_RESET);
}

/* A replacement may change the direction: what is taken away is the job that exists, what is made is the wanted one. */
bool task_reverse(const struct task *t)
{
	const struct record *rec = t->rec ? t->rec : t->op->have;
	int dir = attr_find(t->op->type, "synchronization_direction");
	const char *wanted = dir >= 0 && t->vals ? t->vals[dir] : NULL,
		   *had = dir >= 0 && rec ? rec->attrs[dir] : NULL;

	if (takes_away(t))
		wanted = NULL;
	if (text_empty(wanted) && t->op->seen)
		return t->op->seen->reverse;
	return text_ieq(text_empty(wanted) ? had : wanted, "Reverse");
}

/* Where the current step looks and acts: what is taken away is where it was recorded, the rest where the section wants it. */
const char *task_region(const struct task *t)
{
	const struct op *op = t->op;
	const char *wanted = op->want == RES_NONE ? NULL : t->x->b->v[op->want].region;
	const char *had = op->have ? op->have->region : NULL;

	if (had && (!wanted || takes_away(t)))
		return had;
	return wanted ? wanted : t->x->r->o.region;
}

void task_watch(struct task *t, enum look why, bool now)
{
	struct watch *w = &t->watch;
	enum step s = current(t);
	const struct record *rec = t->rec ? t->rec : t->op->have;

	watch_end(w);
	t->look = why;
	t->busy_status = t->status;
	if (why == LOOK_LEGAL)
		t->looks = 0;
	w->owner = t;
	w->seen = on_seen;
	w->silence = on_silence;
	w->region = t->region;
	w->instance_id = rec && rec->instance_id ? rec->instance_id : "";
	if (!*w->instance_id && t->op->type == &type_job && t->vals && !task_removes(t) &&
	    want(t, "dts_instance_id"))
		w->instance_id = want(t, "dts_instance_id");
	w->job_id = rec ? rec->job_id : NULL;
	w->reverse = task_reverse(t);
	w->by_instance = t->op->type == &type_instance || !w->job_id || why == LOOK_FIND ||
	                 s == DO_RESET || s == DO_VERIFY || s == DO_DELETE ||
	                 (s == DO_CONFIGURE && why == LOOK_EFFECT);
	if (!*w->instance_id)
		w->by_instance = false;
	w->alone = why == LOOK_EFFECT || why == LOOK_FIND;
	/* A list that showed it before tells by its absence that it went; one that may never have shown it does not. */
	w->expects_gone = s == DO_WAIT_GONE && rec &&
	                  (sys_wall_ms() - rec->created_ms >= t->x->r->o.settle_ms ||
	                   (t->op->seen && t->op->seen->row && !t->op->seen->detail));
	w->next_ms = now ? sys_now_ms() : 0;
	watch_add(t->x->r, w);
}
