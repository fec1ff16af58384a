/*
 * Calls: queue -> (intent -> flush) -> sign -> send -> answer -> verdict.
 * What is surely not executed is sent again here, with a new nonce; what is
 * unknown goes to the owner, who looks (design.md 5, 6).
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/run_internal.h"

#define CALL_ATTEMPTS 12u
#define CALL_BUDGET_MS (5 * 60 * 1000)
#define FIRST_ANSWER_MS (60 * 1000) /* without any usable answer a run ends (design.md 5) */

static void queue_push(struct call_queue *q, struct call *c)
{
	c->next = NULL;
	if (q->tail)
		q->tail->next = c;
	else
		q->head = c;
	q->tail = c;
	q->n++;
}

static struct call *queue_pop(struct call_queue *q)
{
	struct call *c = q->head;

	if (!c)
		return NULL;
	q->head = c->next;
	if (!q->head)
		q->tail = NULL;
	q->n--;
	return c;
}

static bool is_write(const struct call *c)
{
	return c->api->repeat != REPEAT_READ;
}

struct call *call_new(struct run *r, enum api_action action, call_done done, void *owner)
{
	struct call *c = sys_malloc(sizeof *c);

	*c = (struct call){.r = r, .api = api_def(action), .done = done, .owner = owner};
	c->repeat = c->api->repeat;
	c->fresh = c->api->fresh;
	arena_init(&c->a);
	return c;
}

static void call_free(struct call *c)
{
	timer_clear(&c->r->timers, &c->timer);
	if (c->body)
		hash_wipe((void *)(uintptr_t)c->body, strlen(c->body));
	arena_release(&c->a);
	sys_free(c);
}

void call_start(struct call *c)
{
	c->begun_ms = sys_now_ms();
	queue_push(&c->r->queue[is_write(c) ? QUEUE_WRITE : QUEUE_READ], c);
}

void call_outcome(struct call *c, enum outcome o, const char *note)
{
	if (c->intent && c->r->o.state)
		state_outcome(c->r->o.state, c->intent, o, note);
	c->intent = 0;
}

/* ---- limits ------------------------------------------------------------ */

static bool rate_take(struct run *r, enum api_rate k)
{
	struct rate *t = &r->rate[k];
	int64_t now = sys_now_ms();

	t->tokens += (double)(now - t->filled_ms) * t->per_s / 1000.0;
	t->filled_ms = now;
	if (t->tokens > t->per_s / 4 + 1)
		t->tokens = t->per_s / 4 + 1;
	if (t->tokens < 1)
		return false;
	t->tokens -= 1;
	return true;
}

/* Additive up, multiplicative down. */
static void rate_learn(struct run *r, enum api_rate k, bool throttled)
{
	struct rate *t = &r->rate[k];

	if (throttled) {
		t->per_s = t->per_s / 2 < t->min_per_s ? t->min_per_s : t->per_s / 2;
		t->tokens = 0;
	} else if (t->per_s < t->max_per_s) {
		t->per_s += t->per_s < 20 ? 0.2 : 0.5;
	}
}

static int64_t rate_wait_ms(const struct run *r, enum api_rate k)
{
	const struct rate *t = &r->rate[k];
	double missing = 1 - t->tokens;

	return missing <= 0 ? 0 : (int64_t)(missing * 1000.0 / t->per_s) + 1;
}

/* ---- sending ----------------------------------------------------------- */

static void note_intent(struct call *c)
{
	struct intent i = {.address = c->address,
	                   .action = c->api->name,
	                   .wall_ms = run_server_ms(c->r),
	                   .nonce = c->repeat == REPEAT_NEVER ? c->nonce : NULL,
	                   .detail = c->detail};

	if (c->r->o.state && !c->intent)
		c->intent = state_intent(c->r->o.state, &i);
}

static void new_nonce(struct call *c)
{
	uint8_t bytes[16];

	sys_random(bytes, sizeof bytes);
	hash_hex(bytes, sizeof bytes, c->nonce);
}

static const char *header(struct call *c, const char *name, const char *value)
{
	return arena_printf(&c->a, "%s: %s", name, value);
}

/* A list that is asked at the host of another region is empty (dts-api.md 2), so each region is asked at its own. */
static void place_of(struct call *c, const char **url, const char **host)
{
	const struct run_opts *o = &c->r->o;

	*host = o->one_endpoint || !c->req.region || text_eq(c->req.region, o->region)
	                ? NULL
	                : dts_region_host(c->req.region, false);
	*url = *host ? arena_printf(&c->a, "https://%s", *host) : o->endpoint_url;
	if (!*host)
		*host = o->host;
}

static void send_call(struct call *c)
{
	struct run *r = c->r;
	const char *url, *host;
	struct signature sig;
	struct pair extra[2];
	size_t body_n = 0, nextra = 0, n = 0;
	const char *h[12];
	struct sign_request sr = {
		.method = "POST", .action = c->api->name, .version = "2020-01-01"};
	struct http_req hr;

	place_of(c, &url, &host);
	sr.host = host;
	if (c->req.nform && !c->body)
		c->body = sign_form(&c->a, c->req.form, c->req.nform, &body_n);
	if (c->body)
		body_n = strlen(c->body);
	sr.query = c->req.query;
	sr.nquery = c->req.nquery;
	sr.content_type = c->body ? "application/x-www-form-urlencoded" : NULL;
	sr.body = c->body;
	sr.body_n = body_n;
	sr.time_s = (sys_wall_ms() + r->sign_offset_ms) / 1000;
	sr.nonce = c->nonce;
	sr.extra = extra;
	sr.nextra = nextra;
	sign_v3(&sig, &c->a, &r->o.cred, &sr);
	h[n++] = header(c, "Authorization", sig.authorization);
	h[n++] = header(c, "x-acs-action", sr.action);
	h[n++] = header(c, "x-acs-version", sr.version);
	h[n++] = header(c, "x-acs-date", sig.date);
	h[n++] = header(c, "x-acs-signature-nonce", c->nonce);
	h[n++] = header(c, "x-acs-content-sha256", sig.body_hash);
	if (r->o.cred.token) {
		h[n++] = header(c, "x-acs-accesskey-id", r->o.cred.id);
		h[n++] = header(c, "x-acs-security-token", r->o.cred.token);
	}
	h[n++] = "Accept: application/json";
	if (sr.content_type)
		h[n++] = header(c, "Content-Type", sr.content_type);
	hr = (struct http_req){.url = url,
	                       .query = sig.query,
	                       .headers = h,
	                       .nheaders = n,
	                       .body = c->body ? c->body : "",
	                       .body_n = body_n,
	                       .fresh = c->fresh,
	                       .once = is_write(c),
	                       .timeout_ms = (int)(c->api->timeout_ms * r->o.timeout_scale),
	                       .user = c};
	r->stats.calls++;
	r->stats.by_action[c->req.action]++;
	r->calls_open++;
	if (is_write(c)) {
		r->stats.mutating++;
		r->mutating_in_flight++;
	}
	r->o.net->submit(r->o.net->ctx, &hr);
}

/* A call that will not be sent any more: the owner hears it like a failure. */
static void abandon(struct call *c)
{
	struct dts_reply reply = {.message = "not sent"};

	call_outcome(c, OUTCOME_FAILED, "not sent");
	c->done(c, &reply, VERDICT_FAIL);
	call_free(c);
}

static void retry_now(struct timer *t);

/* Those that wait for their next attempt. */
static void drop_retries(struct run *r)
{
	for (size_t i = 0; i < r->timers.n;) {
		struct timer *t = r->timers.v[i];

		if (t->fire != retry_now) {
			i++;
			continue;
		}
		timer_clear(&r->timers, t);
		abandon(t->arg);
		i = 0; /* the heap has moved */
	}
}

static void drop_queues(struct run *r)
{
	struct call *c;

	drop_retries(r);

	for (int q = 0; q < QUEUE__COUNT; q++)
		while ((c = queue_pop(&r->queue[q])))
			abandon(c);
	while ((c = queue_pop(&r->noted)))
		abandon(c);
}

/* Moves what limits allow from the queues; returns how long until the next token is due. */
static int64_t pump(struct run *r)
{
	int64_t wait = INT64_MAX;

	for (int q = 0; q < QUEUE__COUNT; q++) {
		while (r->queue[q].head) {
			struct call *c = r->queue[q].head;

			if (q == QUEUE_WRITE &&
			    r->mutating_in_flight + r->noted.n >= (size_t)r->o.parallelism)
				break;
			if (!rate_take(r, c->api->rate)) {
				int64_t w = rate_wait_ms(r, c->api->rate);

				wait = w < wait ? w : wait;
				break;
			}
			queue_pop(&r->queue[q]);
			if (!c->fixed_nonce)
				new_nonce(c);
			if (q == QUEUE_WRITE) {
				note_intent(c);
				queue_push(&r->noted, c);
			} else {
				send_call(c);
			}
		}
	}
	return wait;
}

/* Durable, then send (design.md 6). Outcomes that wait in the buffer go with the same sync. */
static void flush_and_send(struct run *r)
{
	struct call *c;
	struct err e = {0};

	if (r->o.state && state_dirty(r->o.state) && state_flush(r->o.state, &e)) {
		r->fatal = e;
		r->dead = true;
		drop_queues(r);
		return;
	}
	while ((c = queue_pop(&r->noted)))
		send_call(c);
}

/* ---- answers ------------------------------------------------------------- */

static void retry_now(struct timer *t)
{
	struct call *c = t->arg;

	queue_push(&c->r->queue[is_write(c) ? QUEUE_WRITE : QUEUE_READ], c);
}

static bool may_retry(const struct call *c, const struct dts_reply *reply)
{
	int64_t now = sys_now_ms();
	int64_t budget = c->r->answered ? CALL_BUDGET_MS : FIRST_ANSWER_MS;

	(void)reply;
	return c->attempt + 1 < CALL_ATTEMPTS && now - c->begun_ms < budget && !run_stopping(c->r);
}

static void retry_later(struct call *c, const struct dts_reply *reply)
{
	int64_t pause = retry_pause_ms(&reply->facts, c->attempt, run_random(c->r));
	struct event ev = {.kind = EV_RETRY};

	c->attempt++;
	if (reply->facts.net != NET_OK)
		ev.tries = (unsigned)c->attempt;
	c->r->stats.retries++;
	if (c->repeat == REPEAT_NEVER) /* the next send is another intent with its own nonce */
		call_outcome(c, OUTCOME_FAILED, reply->code ? reply->code : "not sent");
	ev.text = arena_printf(&c->a, "%s: %s; again in %" PRId64 " ms", c->api->name,
	                       reply->code  ? reply->code
	                       : reply->raw ? reply->raw
	                                    : "no answer",
	                       pause);
	run_event(c->r, &ev);
	c->timer = (struct timer){.fire = retry_now, .arg = c};
	timer_set(&c->r->timers, &c->timer, sys_now_ms() + pause);
}

void reply_err(struct err *e, const struct api_def *api, const struct dts_reply *reply)
{
	const char *hint = retry_hint(&reply->facts);
	/* What the service says to an equal or lower class (dts-api.md 7): no word about our rights. */
	bool class_refused =
		api == api_def(API_TRANSFER_INSTANCE_CLASS) && text_eq(reply->code, "NoPermission");

	if (class_refused)
		hint = "so the service refuses a class that is not higher than the present one; if it is higher, the RAM "
		       "user lacks the right to change it";
	if (reply->code)
		err_set(e, class_refused ? ERR_FAILED : retry_err_code(&reply->facts),
		        "%s: %s: %s%s%s%s", api->name, reply->code,
		        reply->message ? reply->message : "",
		        reply->request_id ? " (RequestId " : "",
		        reply->request_id ? reply->request_id : "", reply->request_id ? ")" : "");
	else
		err_set(e, retry_err_code(&reply->facts), "%s: %s", api->name,
		        reply->raw       ? reply->raw
		        : reply->message ? reply->message
		                         : "no usable answer");
	if (hint)
		err_hint(e, "%s", hint);
}

static void learn_clock(struct run *r, const struct http_res *res)
{
	int64_t date = res->date ? text_http_date_parse(res->date) : -1;

	if (date < 0)
		return;
	/* The header has whole seconds: a difference below two is none. */
	r->clock_offset_ms = date * 1000 - sys_wall_ms();
	if (r->clock_offset_ms > -2000 && r->clock_offset_ms < 2000)
		r->clock_offset_ms = 0;
}

static void trace(struct call *c, const struct http_res *res, const struct dts_reply *reply,
                  enum verdict v)
{
	struct event ev = {.kind = EV_CALL};

	if (!c->r->o.verbose)
		return;
	ev.text = arena_printf(&c->a, "%s attempt %u: HTTP %d, %s, verdict %d, %" PRId64 " ms%s%s",
	                       c->api->name, c->attempt + 1, res->status,
	                       reply->code ? reply->code : "ok", (int)v, res->elapsed_ms,
	                       reply->request_id ? ", RequestId " : "",
	                       reply->request_id ? reply->request_id : "");
	run_event(c->r, &ev);
}

/* True when the call goes on by itself. */
static bool goes_on(struct call *c, const struct dts_reply *reply, enum verdict *v)
{
	struct run *r = c->r;

	if (*v == VERDICT_CLOCK) {
		if (!c->refreshed && r->clock_offset_ms && !run_stopping(r)) {
			c->refreshed = true;
			r->sign_offset_ms = r->clock_offset_ms;
			run_note(r, NULL,
			         "the clock here is off by %" PRId64
			         " s against the service: corrected for this run",
			         r->clock_offset_ms / 1000);
			retry_now(&(struct timer){.arg = c});
			return true;
		}
		*v = VERDICT_DENIED;
	}
	if (*v == VERDICT_REFRESH) /* the environment cannot give a newer one */
		*v = VERDICT_DENIED;
	if (*v == VERDICT_RETRY) {
		if (may_retry(c, reply)) {
			reply_err(&r->trouble, c->api, reply);
			retry_later(c, reply);
			return true;
		}
		*v = !r->answered && reply->facts.net != NET_OK ? VERDICT_UNREACHABLE
		                                                : VERDICT_FAIL;
	}
	return false;
}

static void on_result(void *arg, const struct http_res *res)
{
	struct call *c = res->user;
	struct run *r = arg;
	struct dts_reply reply;
	enum verdict v;

	r->calls_open--;
	if (is_write(c))
		r->mutating_in_flight--;
	dts_decode(&reply, c->into ? c->into : &c->a, c->req.action, res);
	if (!reply.raw && res->net_text)
		reply.raw = res->net_text;
	v = retry_verdict(&reply.facts, c->repeat);
	if (res->net == NET_OK && reply.facts.readable) {
		r->answered = true;
		r->last_answer_ms = sys_now_ms();
		learn_clock(r, res);
	}
	if (v == VERDICT_OK)
		r->trouble.code = ERR_NONE;
	if (v == VERDICT_OK ||
	    (v == VERDICT_RETRY && reply.code &&
	     (text_starts(reply.code, "Throttling") || text_eq(reply.code, "Rejected.Throttling"))))
		rate_learn(r, c->api->rate, v != VERDICT_OK);
	if (v == VERDICT_OK && !is_write(c) && !c->fixed_nonce)
		memcpy(r->read_nonce, c->nonce, sizeof r->read_nonce);
	trace(c, res, &reply, v);
	if (!c->fixed_nonce && goes_on(c, &reply, &v))
		return;
	/* For an equal or lower class the service says NoPermission (dts-api.md 7): no word about our rights. */
	if (v == VERDICT_DENIED && c->req.action == API_TRANSFER_INSTANCE_CLASS)
		v = VERDICT_FAIL;
	if (!c->fixed_nonce && (v == VERDICT_DENIED || v == VERDICT_UNREACHABLE)) {
		if (!r->dead)
			reply_err(&r->fatal, c->api, &reply);
		if (v == VERDICT_UNREACHABLE)
			r->fatal.code = ERR_UNREACHABLE;
		r->dead = true;
	}
	if (v == VERDICT_MONEY)
		r->money_stop = true;
	c->done(c, &reply, v);
	call_free(c);
}

/* Reading and settling end with the deadline, too; run_apply() brings its work to an end itself. */
static void heed_deadline(struct run *r, int64_t *until_ms)
{
	int64_t end = r->begun_ms + r->o.deadline_ms;

	if (r->o.deadline_ms < 0 || r->exec)
		return;
	if (sys_now_ms() >= end)
		run_fail(r, ERR_LATER, "the deadline was reached before the work began%s%s",
		         r->trouble.code ? "; last: " : "", r->trouble.code ? r->trouble.msg : "");
	else if (end < *until_ms)
		*until_ms = end;
}

void run_turn(struct run *r, int64_t until_ms)
{
	int64_t wait, now, next;

	heed_deadline(r, &until_ms);
	timers_fire(&r->timers, sys_now_ms());
	if (run_stopping(r))
		drop_queues(r);
	wait = pump(r);
	flush_and_send(r);
	now = sys_now_ms();
	next = timers_next(&r->timers);
	if (next > until_ms)
		next = until_ms;
	if (wait != INT64_MAX && now + wait < next)
		next = now + wait;
	if (next == INT64_MAX)
		next = now + 1000;
	r->o.net->wait(r->o.net->ctx, next > now ? next - now : 0,
	               r->stop_signal ? -1 : r->o.signal_fd, on_result, r);
}
