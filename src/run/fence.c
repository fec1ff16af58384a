/*
 * The nonce fence (alibaba-auth.md 1.8): the gateway refuses a signature nonce
 * for 15 minutes after it saw it. A harmless read signed with the nonce of a
 * purchase whose answer was lost tells whether the purchase ever arrived, and
 * when it did not, the burned nonce keeps a late copy of it out. A control
 * comes first: the nonce of a finished read must be refused, else the fence
 * says nothing. It only ever makes us more careful (settle.c).
 */
#include <string.h>

#include "base/text.h"
#include "run/run_internal.h"

#define NONCE_LIFE_MS (15 * 60000 - 30000)

static void fence_end(struct fence *f, enum arrived a)
{
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

	if (nonce_used(reply))
		fence_end(f, ARRIVED_YES);
	else if (v == VERDICT_OK)
		fence_end(f, ARRIVED_NO);
	else
		fence_end(f, ARRIVED_UNKNOWN);
}

static void control_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct fence *f = c->owner;

	(void)v;
	if (!nonce_used(reply)) {
		fence_end(f, ARRIVED_UNKNOWN); /* no fence here: it says nothing */
		return;
	}
	fence_call(f, f->nonce, purchase_done);
}

void fence_start(struct fence *f)
{
	bool usable = f->nonce[0] && f->r->read_nonce[0] &&
	              run_server_ms(f->r) - f->sent_ms < NONCE_LIFE_MS;

	if (usable)
		fence_call(f, f->r->read_nonce, control_done);
	else
		fence_end(f, ARRIVED_UNKNOWN);
}
