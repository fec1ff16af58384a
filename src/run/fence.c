/*
 * The nonce fence (alibaba-auth.md 1.8): the gateway refuses a signature nonce
 * for 15 minutes after it saw it. A harmless read signed with the nonce of a
 * purchase whose answer was lost tells whether the purchase ever arrived, and
 * when it did not, the burned nonce keeps a late copy of it out. A control
 * comes first: the nonce of a finished read must be refused, else the fence
 * says nothing. It only ever makes us more careful (settle.c).
 *
 * Asking burns the nonce as well. So that it is asked, and what was answered, is
 * written into the intent: a run that dies in between must not leave a read of
 * ours behind that looks like the purchase.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "run/run_internal.h"

#define NONCE_LIFE_MS (15 * 60000 - 30000)

static bool remembered(const struct fence *f, const char *key)
{
	return json_get(fence_purchase(f)->detail, key) != NULL;
}

static void remember(struct fence *f, const char *key, bool value)
{
	struct purchase *p = fence_purchase(f);
	struct arena *a = &f->r->a;
	struct json *d = p->detail ? json_clone(a, p->detail) : json_new(a, JSON_OBJECT);

	json_add(d, key, json_new_bool(a, value));
	p->detail = d;
	state_amend(f->r->o.state, p->intent, d);
}

static void fence_end(struct fence *f, enum arrived a)
{
	f->open = false;
	f->done(f, a);
}

static bool nonce_used(const struct dts_reply *reply)
{
	return text_eq(reply->code, "SignatureNonceUsed");
}

static void fence_call(struct fence *f, const char *nonce, call_done done)
{
	struct call *c = call_new(f->r, API_DESCRIBE_DTS_JOBS, done, f);

	dts_encode_list(&c->req, &c->a, f->region, 1, NULL, false);
	dts_param(&c->req, "Status", "NotConfigured");
	c->fixed_nonce = true;
	memcpy(c->nonce, nonce, sizeof c->nonce);
	call_start(c);
}

static void purchase_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct fence *f = c->owner;

	enum arrived a = nonce_used(reply) ? ARRIVED_YES
	                 : v == VERDICT_OK ? ARRIVED_NO
	                                   : ARRIVED_UNKNOWN;

	if (a == ARRIVED_YES && f->asked_before) {
		a = ARRIVED_UNKNOWN; /* by the purchase, or by the question of a run that died */
		if (!remembered(f, "refused"))
			remember(f, "refused",
			         true); /* nothing is taken over without being asked */
	} else if (a != ARRIVED_UNKNOWN && !remembered(f, "arrived")) {
		remember(f, "arrived", a == ARRIVED_YES);
	}
	fence_end(f, a);
}

static void control_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct fence *f = c->owner;
	struct err e = {0};

	(void)v;
	if (!nonce_used(reply)) {
		fence_end(f, ARRIVED_UNKNOWN); /* no fence here: it says nothing */
		return;
	}
	f->asked_before = remembered(f, "fence_asked");
	if (!f->asked_before) {
		remember(f, "fence_asked", true);
		if (state_flush(f->r->o.state, &e)) { /* said where the next flush fails */
			fence_end(f, ARRIVED_UNKNOWN);
			return;
		}
	}
	fence_call(f, f->nonce, purchase_done);
}

void fence_start(struct fence *f)
{
	const struct json *known = json_get(fence_purchase(f)->detail, "arrived");
	bool usable = f->nonce[0] && f->r->read_nonce[0] &&
	              run_server_ms(f->r) - f->sent_ms < NONCE_LIFE_MS;

	f->open = true;
	if (known)
		fence_end(f, json_true(known) ? ARRIVED_YES : ARRIVED_NO);
	else if (usable)
		fence_call(f, f->r->read_nonce, control_done);
	else
		fence_end(f, ARRIVED_UNKNOWN);
}
