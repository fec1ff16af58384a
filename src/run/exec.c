/*
 * Executing a plan: readiness is a counter per task, ready tasks are ordered
 * by longest remaining path; every loop turn begins what is ready, makes the
 * intents durable with one sync, sends, and waits. A waiting task is a watch
 * in the poller and costs memory only.
 */
#include "run/exec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/exec_internal.h"

#define DRAIN_MS 10000 /* replies of calls in flight are awaited so long after a signal */

/* ---- ready heap --------------------------------------------------------- */

static bool ready_before(const struct exec *x, uint32_t a, uint32_t b)
{
	return x->height[a] != x->height[b] ? x->height[a] > x->height[b] : a < b;
}

static void ready_push(struct exec *x, uint32_t t)
{
	size_t i = x->nready++;

	while (i > 0 && ready_before(x, t, x->ready[(i - 1) / 2])) {
		x->ready[i] = x->ready[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	x->ready[i] = t;
	x->tasks[t].state = TASK_READY;
}

static uint32_t ready_pop(struct exec *x)
{
	uint32_t top = x->ready[0], last = x->ready[--x->nready];
	size_t i = 0;

	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= x->nready)
			break;
		if (c + 1 < x->nready && ready_before(x, x->ready[c + 1], x->ready[c]))
			c++;
		if (!ready_before(x, x->ready[c], last))
			break;
		x->ready[i] = x->ready[c];
		i = c;
	}
	x->ready[i] = last;
	return top;
}

/* ---- records ------------------------------------------------------------- */

const char *exec_lookup(void *ctx, uint32_t res, enum computed what)
{
	const struct exec *x = ctx;
	const struct task *t = x->task_of[res] == RES_NONE ? NULL : &x->tasks[x->task_of[res]];
	const struct record *rec =
		t && t->rec ? t->rec : state_get(x->r->o.state, x->b->v[res].address);

	/* Renamed by `was`, and its turn has not come: it may wait for who asks. */
	if (!rec && t && t->op->have && t->op->kind != OP_CREATE && t->op->kind != OP_REPLACE)
		rec = t->op->have;

	if (!rec)
		return NULL;
	switch (what) {
	case COMP_ID:
		return rec->id;
	case COMP_INSTANCE_ID:
		return rec->instance_id;
	case COMP_JOB_ID:
		return rec->job_id;
	case COMP_STATUS:
		return rec->status;
	}
	return NULL;
}

void task_put(struct task *t)
{
	if (!t->rec)
		return;
	t->rec->updated_ms = sys_wall_ms();
	state_put(t->x->r->o.state, t->rec);
	if (t->op->have && !text_eq(t->op->have->address, t->op->address))
		state_del(t->x->r->o.state, t->op->have->address);
}

/* Of a job alone: an instance shows the status of its job. Lists and Detail spell one status in two ways, which is no news. */
static void record_status(struct task *t)
{
	struct record *rec = t->rec;

	if (!rec || t->op->type != &type_job || !t->raw[0] ||
	    (rec->status && status_parse(rec->status) == t->status))
		return;
	rec->status_since_ms = sys_wall_ms();
	rec->status = arena_strdup(t->x->a, t->raw);
}

void task_saw(struct task *t, const struct observed *o)
{
	struct event ev = {.kind = EV_STATUS, .op = t->op, .index = t->idx, .text = t->raw};

	if (!o)
		return;
	t->status = o->status;
	t->two_way = t->two_way || o->two_way;
	if (status_class(o->status) == SC_MOVING || status_class(o->status) == SC_RUNNING)
		t->moved = true;
	if (text_eq(t->raw, o->raw_status))
		return;
	snprintf(t->raw, sizeof t->raw, "%s", o->raw_status);
	record_status(t);
	ev.done = t->x->done;
	ev.total = t->x->total;
	run_event(t->x->r, &ev);
}

/* ---- ending ------------------------------------------------------------- */

static void release_successors(struct exec *x, uint32_t i)
{
	const struct graph *g = &x->p->graph;

	for (uint32_t e = g->in_at[i]; e < g->in_at[i + 1]; e++) {
		struct task *s = &x->tasks[g->in[e]];

		if (x->tasks[i].result != RES_DONE && s->blocked_by == RES_NONE)
			s->blocked_by = i;
		if (--s->waits == 0 && s->state == TASK_WAITING)
			ready_push(x, s->idx);
	}
}

void task_end(struct task *t, enum op_result res)
{
	struct exec *x = t->x;
	struct event ev = {.kind = EV_OP_DONE,
	                   .op = t->op,
	                   .index = t->idx,
	                   .result = res,
	                   .text = t->raw,
	                   .items = t->items,
	                   .nitems = t->nitems,
	                   .skips = t->op->want == RES_NONE
	                                    ? NULL
	                                    : t->x->b->v[t->op->want].life.skip_precheck};

	if (t->state == TASK_ENDED)
		return;
	watch_end(&t->watch);
	timer_clear(&x->r->timers, &t->timer);
	timer_clear(&x->r->timers, &t->adoption.timer);
	t->state = TASK_ENDED;
	t->result = res;
	x->open--;
	if (t->op->kind != OP_NOOP)
		x->done++;
	if (res == RES_FAILED && x->r->o.fail_fast)
		x->fail_stop = true;
	ev.done = x->done;
	ev.total = x->total;
	ev.err = t->err.code ? &t->err : NULL;
	ev.elapsed_ms = 0;
	run_event(x->r, &ev);
	release_successors(x, t->idx);
}

void task_fail(struct task *t, enum err_code c, const char *fmt, ...)
{
	char text[sizeof t->err.msg], hint[sizeof t->err.hint];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	memcpy(hint, t->err.hint, sizeof hint); /* given before; a new error begins without one */
	err_set(&t->err, c, "%s", text);
	err_subject(&t->err, t->op->address);
	if (*hint)
		err_hint(&t->err, "%s", hint);
	task_end(t, c == ERR_DECISION ? RES_DECISION : RES_FAILED);
}

/* Lifecycle facts of the section that the record carries for the day the section is gone. */
static void record_finish(struct task *t)
{
	const struct resource *r = t->op->want == RES_NONE ? NULL : &t->x->b->v[t->op->want];
	struct record *rec = t->rec;

	if (!r || !rec)
		return;
	rec->address = r->address;
	rec->file = r->file;
	rec->protect = r->life.protect;
	rec->destroy_forgets = r->life.destroy_forgets;
	if (t->op->stays_gone) { /* what was last applied stays as it was */
		if (!rec->gone_ms)
			rec->gone_ms = sys_wall_ms();
		return;
	}
	rec->gone_ms = 0;
	rec->step = STEP_DONE;
	rec->paused_by_us = rec->leaving = false;
	record_status(t);
	rec->ndeps = r->ndeps;
	rec->deps = arena_array(t->x->a, const char *, r->ndeps + 1);
	for (size_t i = 0; i < r->ndeps; i++)
		rec->deps[i] = t->x->b->v[r->deps[i]].address;
	record_apply(t, STEP__COUNT);
	for (size_t i = 0; i < r->type->nattrs; i++)
		if (plan_is_left(t->x->b, r, rec, i))
			attr_add(&rec->left, i);
		else
			attr_del(&rec->left, i);
}

static bool same_strings(const char *const *a, const char *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!text_eq(a[i], b[i]))
			return false;
	return true;
}

/* Nothing is written for a resource that is as it was recorded: a no-op run leaves the state file alone. */
static bool record_same(const struct record *a, const struct record *b)
{
	return b && text_eq(a->address, b->address) && text_eq(a->id, b->id) &&
	       text_eq(a->job_id, b->job_id) && text_eq(a->instance_id, b->instance_id) &&
	       a->step == b->step && a->protect == b->protect &&
	       a->destroy_forgets == b->destroy_forgets && a->paused_by_us == b->paused_by_us &&
	       a->leaving == b->leaving && a->gone_ms == b->gone_ms && text_eq(a->file, b->file) &&
	       a->ndeps == b->ndeps && same_strings(a->deps, b->deps, a->ndeps) &&
	       same_strings((const char *const *)a->attrs, (const char *const *)b->attrs,
	                    a->type->nattrs) &&
	       !memcmp(&a->left, &b->left, sizeof a->left) &&
	       (a->status != NULL) == (b->status != NULL) &&
	       (!a->status || status_parse(a->status) == status_parse(b->status));
}

/* Is the intent about what has just gone? A purchase names no instance. */
static bool is_moot(const struct record *gone, const struct intent *i)
{
	return text_eq(json_str(i->detail, "instance"), gone->instance_id) &&
	       !text_empty(gone->instance_id) &&
	       (gone->type == &type_instance || text_eq(i->address, gone->address));
}

/* Orders that an earlier run sent for it: nobody will look for their effect any more. */
static void close_moot(struct task *t)
{
	struct state *st = t->x->r->o.state;
	size_t n, i = 0;
	const struct intent *v = state_intents(st, &n);

	while (i < n) {
		if (!is_moot(t->op->have, &v[i])) {
			i++;
			continue;
		}
		state_outcome(st, v[i].id, OUTCOME_DONE, "it is gone");
		v = state_intents(st, &n);
	}
}

const struct record *task_instance(const struct task *t)
{
	for (size_t i = 0; t->op->type == &type_job && t->rec && i < t->rec->ndeps; i++) {
		const struct record *r = state_get(t->x->r->o.state, t->rec->deps[i]);

		if (r && r->type == &type_instance && text_eq(r->instance_id, t->rec->instance_id))
			return r;
	}
	return NULL;
}

/* An instance is recorded with the id of its (forward) job, which a reset may have made a new one. */
static void tell_instance(const struct task *t)
{
	const struct record *r = task_instance(t);
	struct record *copy;

	if (!r || record_reverse(t->rec) || text_eq(r->job_id, t->rec->job_id))
		return;
	copy = record_copy(t->x->a, r);
	copy->job_id = t->rec->job_id;
	state_put(t->x->r->o.state, copy);
}

static void task_finish(struct task *t)
{
	const struct op *op = t->op;
	struct state *st = t->x->r->o.state;

	if (op->kind == OP_DELETE || op->kind == OP_FORGET) {
		close_moot(t);
		state_del(st, op->have->address);
		t->rec = NULL;
	} else {
		record_finish(t);
		if (t->rec && (op->kind != OP_NOOP || !record_same(t->rec, op->have)))
			task_put(t);
		tell_instance(t);
	}
	task_end(t, RES_DONE);
}

/* An import is also the answer to an open purchase question of that address. */
static void close_decided(struct task *t)
{
	size_t n;
	const struct intent *v = state_intents(t->x->r->o.state, &n);

	for (size_t i = 0; i < n; i++)
		if (text_eq(v[i].address, t->op->address)) {
			state_outcome(t->x->r->o.state, v[i].id, OUTCOME_FORGOTTEN,
			              "decided by import");
			v = state_intents(t->x->r->o.state, &n);
			i = (size_t)-1;
		}
}

void task_advance(struct task *t)
{
	t->step++;
	t->acting = false;
	t->looks = t->unknowns = t->busy = t->stale = t->contradicted = 0;
	t->single = t->again = t->step_moved = false;
	t->sent_ms = 0;
	t->step_ms = sys_now_ms();
	t->state = TASK_WAITING;
	if (t->step >= t->op->nsteps) {
		t->state = TASK_RUNNING;
		task_finish(t);
	} else {
		ready_push(t->x, t->idx);
	}
}

bool exec_may_begin(const struct task *t, enum step s)
{
	const struct run *r = t->x->r;
	int64_t left, need;

	if (t->x->fail_stop)
		return false;
	if (r->o.deadline_ms < 0)
		return true;
	left = r->begun_ms + r->o.deadline_ms - sys_now_ms();
	/* A purchase without its configuration would be paid for nothing. */
	need = (int64_t)((s == DO_BUY || s == DO_BUY_JOB ? 30000 : 5000) * r->o.poll_scale);
	return left > need;
}

/* ---- beginning ------------------------------------------------------------- */

/* The id of the job on this instance: of the task that went before it and may have made the job anew, else as it was seen. */
static const char *job_now(const struct task *t)
{
	const struct graph *g = &t->x->p->graph;

	for (uint32_t e = g->out_at[t->idx];
	     t->op->type == &type_instance && e < g->out_at[t->idx + 1]; e++) {
		const struct task *job = &t->x->tasks[g->out[e]];

		if (job->op->type == &type_job && job->rec &&
		    text_eq(job->rec->instance_id, t->op->have->instance_id))
			return job->rec->job_id;
	}
	return t->op->seen ? t->op->seen->job_id : NULL;
}

/* The old job went with its instance: this one is made like a new one. */
static bool moves_with_instance(const struct op *op)
{
	return op->kind == OP_REPLACE && op->type == &type_job && op->steps[0] == DO_CONFIGURE;
}

static struct record *first_record(struct task *t)
{
	const struct op *op = t->op;
	struct record *rec;

	if (op->kind == OP_ADOPT && op->seen) {
		bool job = op->type == &type_job;

		rec = record_new(t->x->a, op->address, op->type);
		rec->instance_id = arena_strdup(t->x->a, op->seen->instance_id);
		rec->job_id = arena_strdup(t->x->a, op->seen->job_id);
		rec->id = job ? rec->job_id : rec->instance_id;
		rec->origin = ORIGIN_IMPORTED;
		rec->step = STEP_DONE;
		rec->region = t->region;
		rec->created_ms = sys_wall_ms();
		return rec;
	}
	if (!op->have || op->kind == OP_CREATE || moves_with_instance(op))
		return NULL;
	rec = record_copy(t->x->a, op->have);
	rec->leaving = op->kind == OP_DELETE;
	rec->address = op->address;    /* `was`: every put from now on is under the new name */
	if (!text_empty(job_now(t))) { /* stale ids are mended on the way */
		rec->job_id = arena_strdup(t->x->a, job_now(t));
		if (op->type == &type_job)
			rec->id = rec->job_id;
		if (op->seen && op->type == &type_job &&
		    text_empty(rec->instance_id)) /* a free job that has been bought meanwhile */
			rec->instance_id = arena_strdup(t->x->a, op->seen->instance_id);
	}
	return rec;
}

static void task_begin(struct task *t)
{
	const struct op *op = t->op;

	t->state = TASK_RUNNING;
	t->op_ms = t->step_ms = sys_now_ms();
	if (op->refused) {
		task_fail(t, ERR_FAILED, "%s", op->refused);
		return;
	}
	if (t->blocked_by != RES_NONE &&
	    op->kind != OP_NOOP) { /* what needs nothing is not harmed */
		err_set(&t->err, ERR_FAILED, "not done, because %s did not succeed",
		        t->x->tasks[t->blocked_by].op->address);
		task_end(t, t->x->tasks[t->blocked_by].result == RES_DEFERRED ? RES_DEFERRED
		                                                              : RES_BLOCKED);
		return;
	}
	t->rec = first_record(t);
	if (t->rec && op->have && op->kind != OP_DELETE && !text_eq(op->have->address, op->address))
		task_put(
			t); /* durable with what is sent first: whatever dies then, one name has it */
	if (op->seen && !moves_with_instance(op)) {
		t->status = op->seen->status;
		t->two_way = op->seen->two_way;
		snprintf(t->raw, sizeof t->raw, "%s", op->seen->raw_status);
	}
	if (op->kind == OP_ADOPT)
		close_decided(t);
	if (op->nsteps == 0)
		task_finish(t);
	else
		step_begin(t);
}

static void run_ready(struct exec *x)
{
	while (x->nready && !run_stopping(x->r)) {
		struct task *t = &x->tasks[ready_pop(x)];

		if (t->state != TASK_READY)
			continue;
		t->state = TASK_RUNNING;
		if (t->op_ms == 0)
			task_begin(t);
		else
			step_begin(t);
	}
	joins_flush(x);
}

/* ---- settling purchases within the run ------------------------------------- */

static void settle_decided(struct exec *x);
static void settle_arm(struct exec *x);

static void settle_second(struct page_read *p)
{
	struct exec *x = p->owner;

	if (p->failed) {
		x->settle_busy = false;
		return;
	}
	settle_decided(x);
}

static void settle_first(struct page_read *p)
{
	struct exec *x = p->owner;

	if (p->failed) {
		x->settle_busy = false;
		return;
	}
	inventory_init(&x->settle2, x->a);
	x->settle_page = (struct page_read){.r = x->r,
	                                    .region = p->region,
	                                    .status = "NotConfigured",
	                                    .inv = &x->settle2,
	                                    .done = settle_second,
	                                    .owner = x};
	page_read_start(&x->settle_page);
}

/*
 * Bought instances of one shape are counted together, and what the fence says is part of the evidence: nothing is decided before
 * all of them have settled and all fences have answered. Comes back by itself when it is too early.
 */
static bool settle_early(struct exec *x, const char *region)
{
	for (size_t i = 0; i < x->settling.n; i++) {
		const struct task *t = x->settling.v[i];

		if (!text_eq(t->region, region) || t->state == TASK_ENDED)
			continue;
		if (t->buy.fence.open) /* fence_said() comes back */
			return true;
		if (purchase_end_ms(x->r, &t->buy) + x->r->o.settle_ms > run_server_ms(x->r)) {
			settle_arm(x);
			return true;
		}
	}
	return false;
}

static void settle_fire(struct timer *timer)
{
	struct exec *x = timer->arg;

	if (x->settle_busy || !x->settling.n || run_stopping(x->r) ||
	    settle_early(x, x->settling.v[0]->region))
		return;
	x->settle_busy = true;
	x->settle_region = x->settling.v[0]->region;
	inventory_init(&x->settle1, x->a);
	x->settle_page = (struct page_read){.r = x->r,
	                                    .region = x->settle_region,
	                                    .status = "NotConfigured",
	                                    .inv = &x->settle1,
	                                    .done = settle_first,
	                                    .owner = x};
	page_read_start(&x->settle_page);
}

static void settle_arm(struct exec *x)
{
	int64_t latest = 0;

	for (size_t i = 0; i < x->settling.n; i++) {
		int64_t end = purchase_end_ms(x->r, &x->settling.v[i]->buy);

		latest = end > latest ? end : latest;
	}
	if (!x->settling.n)
		return;
	x->settle_timer.fire = settle_fire;
	x->settle_timer.arg = x;
	timer_set(&x->r->timers, &x->settle_timer,
	          sys_now_ms() + (latest + x->r->o.settle_ms > run_server_ms(x->r)
	                                  ? latest + x->r->o.settle_ms - run_server_ms(x->r)
	                                  : 0));
}

static void fence_said(struct fence *f, enum arrived a)
{
	struct task *t = f->owner;

	t->buy.arrived = a;
	if (a != ARRIVED_UNKNOWN)
		run_note(f->r, t->op,
		         a == ARRIVED_YES
		                 ? "the purchase did arrive at the service: it is looked for"
		                 : "the purchase did not arrive at the service");
	settle_arm(t->x);
}

void settle_add(struct task *t)
{
	struct exec *x = t->x;
	struct event ev = {.kind = EV_NOTE, .op = t->op, .index = t->idx};

	ev.text =
		"the answer of its purchase was lost: nothing is bought again until the account's list has settled";
	run_event(x->r, &ev);
	*VEC_PUSH(x->a, &x->settling) = t;
	t->buy.fence.r = x->r;
	t->buy.fence.region = t->region;
	t->buy.fence.sent_ms = t->buy.sent_ms;
	t->buy.fence.done = fence_said;
	t->buy.fence.owner = t;
	fence_start(&t->buy.fence);
	settle_arm(x);
}

static void adoption_done(struct adoption *ad, enum adopted res, const struct dts_reply *reply)
{
	struct task *t = ad->owner;
	struct exec *x = t->x;

	if (t->state == TASK_ENDED)
		return;
	switch (res) {
	case ADOPT_FAILED: /* the question stays open */
		reply_err(&t->err, api_def(API_TAG_RESOURCES), reply);
		task_end(t, run_stopping(x->r) ? RES_DEFERRED : RES_FAILED);
		return;
	case ADOPT_TAKEN:
		run_note(x->r, t->op,
		         "instance %s was taken by another state at the same time: given up",
		         ad->instance_id);
		t->buy.result = PURCHASE_OPEN;
		*VEC_PUSH(x->a, &x->settling) = t;
		settle_arm(x);
		return;
	case ADOPT_OURS:
		break;
	}
	run_note(x->r, t->op, "instance %s was bought by the lost call: adopted",
	         t->buy.instance_id);
	state_outcome(x->r->o.state, t->buy.intent, OUTCOME_DONE, "adopted");
	t->adopting = true;
	step_effect(t, t->buy.instance_id, t->buy.job_id);
}

static void adopt(struct task *t)
{
	t->buy.instance_id = arena_strdup(t->x->a, t->buy.found->instance_id);
	t->buy.job_id = arena_strdup(t->x->a, t->buy.found->job_id);
	t->adoption = (struct adoption){.r = t->x->r,
	                                .address = t->op->address,
	                                .region = t->region,
	                                .instance_id = t->buy.instance_id,
	                                .done = adoption_done,
	                                .owner = t};
	adoption_start(&t->adoption);
}

static void settle_one(struct exec *x, struct task *t)
{
	struct purchase *p = &t->buy;

	if (t->state == TASK_ENDED)
		return;
	switch (p->result) {
	case PURCHASE_DECIDE:
		err_set(&t->err, ERR_DECISION, "%s", p->why);
		err_subject(&t->err, t->op->address);
		run_ask_hint(x->r, &t->err, p);
		task_end(t, RES_DECISION);
		return;
	case PURCHASE_ADOPT:
		adopt(t);
		return;
	case PURCHASE_OPEN:
	case PURCHASE_MISSING:
		break;
	}
	run_note(x->r, t->op, "the lost purchase did not arrive: bought now");
	state_outcome(x->r->o.state, p->intent, OUTCOME_FAILED, "not found after settling");
	step_issue(t);
}

/* Those of the region that was listed are decided together; others wait for their turn. */
static void settle_decided(struct exec *x)
{
	size_t n = 0, all = x->settling.n;
	struct task **tasks = arena_array(x->a, struct task *, all);
	struct purchase **v = arena_array(x->a, struct purchase *, all);

	if (settle_early(x, x->settle_region)) { /* one was added since the first list */
		x->settle_busy = false;
		return;
	}
	for (size_t i = 0; i < all; i++) {
		struct task *t = x->settling.v[i];

		if (text_eq(t->region, x->settle_region)) {
			v[n] = &t->buy;
			tasks[n++] = t;
		}
	}
	purchases_settle(x->r, v, n, &x->settle1, &x->settle2);
	all = 0;
	for (size_t i = 0; i < x->settling.n; i++)
		if (x->settling.v[i]->buy.result == PURCHASE_OPEN)
			x->settling.v[all++] = x->settling.v[i];
	x->settling.n = all;
	x->settle_busy = false;
	for (size_t i = 0; i < n; i++)
		settle_one(x, tasks[i]);
	settle_arm(x);
}

/* ---- the whole ---------------------------------------------------------------- */

static void make_tasks(struct exec *x)
{
	const struct plan *p = x->p;

	x->tasks = arena_array(x->a, struct task, p->n + 1);
	x->task_of = arena_array(x->a, uint32_t, x->b->n + 1);
	x->ready = arena_array(x->a, uint32_t, p->n + 1);
	x->height = arena_array(x->a, uint32_t, p->n + 1);
	memset(x->task_of, 0xff, (x->b->n + 1) * sizeof *x->task_of);
	graph_height(&p->graph, x->a, x->height);
	x->open = p->n;
	for (uint32_t i = 0; i < p->n; i++) {
		struct task *t = &x->tasks[i];
		const struct op *op = &p->ops[i];

		*t = (struct task){.x = x, .op = op, .idx = i, .blocked_by = RES_NONE};
		t->waits = p->graph.out_at[i + 1] - p->graph.out_at[i];
		t->region = task_region(t);
		if (op->want != RES_NONE)
			x->task_of[op->want] = i;
		if (op->kind != OP_NOOP)
			x->total++;
	}
	for (uint32_t i = 0; i < p->n; i++)
		if (x->tasks[i].waits == 0)
			ready_push(x, i);
}

/* After a signal, a deadline or a fatal error: replies of calls in flight are still recorded. */
static void drain(struct exec *x)
{
	int64_t until = sys_now_ms() + DRAIN_MS;

	while (x->r->calls_open && sys_now_ms() < until)
		run_turn(x->r, sys_now_ms() + 200);
	for (uint32_t i = 0; i < x->p->n; i++) {
		struct task *t = &x->tasks[i];

		if (t->state == TASK_ENDED)
			continue;
		if (t->op->kind != OP_NOOP && t->rec && t->state == TASK_RUNNING && t->acting)
			task_put(t);
		if (!t->err.code)
			err_set(&t->err, ERR_LATER, "left for the next run");
		t->waits = 1; /* not to be begun by what ends now */
		task_end(t, t->op->kind == OP_NOOP ? RES_DONE : RES_DEFERRED);
	}
}

static void worst_of(const struct exec *x, enum err_code *worst, size_t *bad)
{
	bool some_done = false;

	*worst = ERR_NONE;
	*bad = 0;
	for (uint32_t i = 0; i < x->p->n; i++) {
		const struct task *t = &x->tasks[i];

		some_done = some_done || t->result == RES_DONE;
		if (t->result == RES_DONE)
			continue;
		(*bad)++;
		if (t->result != RES_BLOCKED)
			*worst = err_worse(*worst, t->err.code ? t->err.code : ERR_FAILED);
	}
	if (*worst == ERR_FAILED && some_done)
		*worst = ERR_PARTIAL;
}

/* So that what shows elapsed times can go on showing them. */
static void tick(struct exec *x, int64_t *next_ms)
{
	struct event ev = {.kind = EV_TICK, .done = x->done, .total = x->total};
	int64_t now = sys_now_ms();

	if (x->r->o.obs.tick_ms <= 0 || now < *next_ms)
		return;
	*next_ms = now + x->r->o.obs.tick_ms;
	run_event(x->r, &ev);
}

static bool deadline_over(const struct run *r)
{
	return r->o.deadline_ms >= 0 && sys_now_ms() >= r->begun_ms + r->o.deadline_ms;
}

size_t run_apply(struct run *r, const struct plan *p, enum op_result *results, enum err_code *worst,
                 int *sig, struct err *e)
{
	struct exec x = {.r = r, .p = p, .b = r->o.batch, .a = &r->a};
	int64_t begun = sys_now_ms(), ticked = 0;
	struct err fe = {0};
	size_t bad;

	x.inv = r->before;
	r->exec = &x;
	make_tasks(&x);
	while (x.open && !run_stopping(r) && !deadline_over(r)) {
		int64_t until = r->o.deadline_ms >= 0 ? r->begun_ms + r->o.deadline_ms : INT64_MAX;

		run_ready(&x);
		tick(&x, &ticked);
		if (r->o.obs.tick_ms > 0 && ticked < until)
			until = ticked;
		if (x.open && !run_stopping(r))
			run_turn(r, x.nready ? sys_now_ms() : until);
	}
	r->finishing = true;
	timer_clear(&r->timers, &x.joins_timer);
	timer_clear(&r->timers, &x.settle_timer);
	drain(&x);
	if (!r->dead && state_flush(r->o.state, &fe)) {
		r->fatal = fe;
		r->dead = true;
	}
	worst_of(&x, worst, &bad);
	if (r->dead) {
		*worst = err_worse(*worst == ERR_LATER ? ERR_NONE : *worst, r->fatal.code);
		*e = r->fatal;
	}
	for (size_t i = 0; i < p->n; i++)
		results[i] = x.tasks[i].result;
	*sig = r->stop_signal;
	r->stats.apply_ms = sys_now_ms() - begun;
	r->stats.journal_bytes = state_bytes_written(r->o.state);
	r->exec = NULL;
	return bad;
}
