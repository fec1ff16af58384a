#include "sim/handle.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/auth.h"
#include "sim/call.h"
#include "sim/fault.h"
#include "sim/fields.h"
#include "sim/ops.h"
#include "sim/params.h"
#include "sim/reqlog.h"
#include "sim/scenario.h"
#include "sim/world.h"

#define VERSION "2020-01-01"

static void request_id(struct world *w, char out[37])
{
	uint64_t a = world_random(w), b = world_random(w);

	snprintf(out, 37, "%08X-%04X-4%03X-%04X-%012llX", (unsigned)(a >> 32),
	         (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
	         (unsigned)(0x8000 | ((b >> 48) & 0x3fff)),
	         (unsigned long long)(b & 0xffffffffffffu));
}

/* Steps 1 and 2 of alibaba-auth.md 4.5. */
static int check_action(struct call *c)
{
	bool post = strcmp(c->rq->method, "POST") == 0;

	if (!post && strcmp(c->rq->method, "GET") != 0)
		return call_fail(c, 400, "UnsupportedHTTPMethod",
		                 "This http method is not supported.");
	if (c->p.path[0] != '\0' && strcmp(c->p.path, "/") != 0)
		return call_fail(c, 404, "InvalidApi.NotFound",
		                 "Specified api is not found, please check your url and method.");
	if (c->action == NULL)
		return call_fail(c, 400, "MissingAction", "Action is mandatory for this action.");
	if (c->version == NULL)
		return call_fail(c, 400, "MissingVersion", "Version is mandatory for this action.");
	if (strcmp(c->version, VERSION) != 0)
		return call_fail(c, 400, "InvalidVersion",
		                 "Specified parameter Version is not valid.");
	c->op = op_find(c->action);
	if (c->op == NULL && op_unserved(c->action))
		return call_fail(c, 404, "InvalidApi.NotFound",
		                 "not simulated: the simulator does not serve %s.", c->action);
	if (c->op == NULL)
		return call_fail(c, 404, "InvalidApi.NotFound",
		                 "Specified api is not found, please check your url and method.");
	if (c->op->post_only && !post)
		return call_fail(c, 400, "UnsupportedHTTPMethod",
		                 "This http method is not supported.");
	return 0;
}

static int check_rate(struct call *c)
{
	const struct scenario *sc = c->w->sc;
	double rate = c->op->rate == RATE_LIST     ? sc->list_rate
	              : c->op->rate == RATE_DETAIL ? sc->detail_rate
	              : c->op->rate == RATE_READ   ? sc->read_rate
	                                           : sc->write_rate;

	if (sc->limits_off || rate <= 0)
		return 0;
	if (bucket_take(c->w->buckets, c->region, c->op->rate, rate, c->rq->wall_ms))
		return 0;
	c->retry_after_ms = sc->retry_after_ms;
	return call_state(c, "Throttling.User");
}

/* Faults that answer in the place of the service. */
static bool fault_answers(struct call *c, const struct fault *f)
{
	if (f->what != DO_CODE && f->what != DO_BODY_CODE)
		return false;
	call_fail(c, f->http != 0 ? f->http : code_status(f->code), f->code, "%s",
	          f->message != NULL ? f->message : code_message(f->code));
	c->in_body = f->what == DO_BODY_CODE;
	c->struck = true;
	c->retry_after_ms = f->retry_after_ms;
	return true;
}

/* Success without an effect; a purchase names an instance that does not exist. */
static void lost_effect(struct call *c)
{
	char id[16];

	if (strncmp(c->action, "Create", 6) != 0 && strcmp(c->action, "ConfigureDtsJob") != 0)
		return;
	world_new_id(c->w, id);
	put(c, c->out, strcmp(c->action, "CreateDtsInstance") == 0 ? "InstanceId" : "DtsInstanceId",
	    arg(c, "DtsInstanceId") != NULL ? arg(c, "DtsInstanceId")
	                                    : arena_printf(c->a, "dts%s", id));
	put(c, c->out, strcmp(c->action, "CreateDtsInstance") == 0 ? "JobId" : "DtsJobId",
	    arena_strdup(c->a, id));
}

static void run(struct call *c, const struct fault *f)
{
	c->region = arg(c, "RegionId") != NULL ? arg(c, "RegionId") : c->w->region;
	if (check_rate(c) != 0)
		return;
	if (f != NULL && !fault_effect(f) && fault_answers(c, f))
		return;
	if (params_check(c) != 0)
		return;
	if (!region_known(c->region)) {
		call_bad(c, "RegionId");
		return;
	}
	if (f != NULL && f->what == DO_LOST_EFFECT) {
		c->struck = true;
		lost_effect(c);
		return;
	}
	if (f != NULL && !fault_effect(f))
		return;
	if (c->op->run(c) == 0)
		stranger_acts(c);
	if (f != NULL && !c->failed)
		fault_answers(c, f); /* an error code although it worked */
}

static void plain_page(struct sim_response *out, int status, const char *text)
{
	buf_reset(&out->body);
	out->status = status;
	out->type = "text/html";
	buf_puts(&out->body, text);
}

/* What the wire makes of the answer. True: it is not what it was. */
static bool spoil(struct sim_response *out, const struct fault *f)
{
	if (f->retry_after_ms > 0)
		out->retry_after_ms = f->retry_after_ms;
	switch (f->what) {
	case DO_CUT_BEFORE:
	case DO_CUT_AFTER:
		out->cut = CUT_ALL;
		break;
	case DO_HALF:
		out->cut = CUT_HALF;
		break;
	case DO_HANG:
		out->cut = CUT_HANG;
		break;
	case DO_DELAY:
		out->delay_ms = f->delay_ms;
		break;
	case DO_GARBAGE:
		buf_reset(&out->body);
		buf_add(&out->body, "\x7f\x03{\"RequestId\":\xff\xfe", 17);
		break;
	case DO_HTML:
		plain_page(
			out, 200,
			"<html><body><h1>Welcome</h1>please log in to the network</body></html>");
		break;
	case DO_STATUS:
		plain_page(out, f->http, "<html><body><h1>Bad gateway</h1></body></html>");
		break;
	default:
		return false;
	}
	return true;
}

void sim_handle(struct world *w, struct arena *a, const struct sim_request *rq,
                struct sim_response *out)
{
	struct call c = {.w = w, .a = a, .rq = rq};
	struct fault *f = NULL;

	w->now_ms = rq->now_ms;
	w->wall_ms = rq->wall_ms;
	request_params(rq, a, &c.p);
	if (text_starts(c.p.path, "/_sim/") && control_handle(w, a, rq, &c.p, out))
		return;
	w->requests++;
	request_id(w, out->request_id);
	c.request_id = out->request_id;
	c.out = json_new(a, JSON_OBJECT);
	auth_begin(&c);
	f = fault_pick(&c);
	if (f != NULL &&
	    f->what == DO_CUT_BEFORE) { /* it never arrived: no nonce used, nothing checked */
		out->cut = CUT_ALL;
		c.struck = true;
	} else {
		if (check_action(&c) == 0 && auth_check(&c) == 0) {
			if (w->sc->deny != NULL && glob_list(w->sc->deny, c.action)) {
				call_state(&c, "Forbidden.RAM");
				c.denied = true;
			} else {
				run(&c, f);
			}
		}
		out->status = answer_write(&c, &out->body);
		out->type = answer_type(&c);
		out->retry_after_ms = c.retry_after_ms;
		if (f != NULL && spoil(out, f))
			c.struck = true;
	}
	out->effect = c.effect;
	reqlog_line(&out->log, &c, out, f);
}
