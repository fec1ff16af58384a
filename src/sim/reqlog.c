#include "sim/reqlog.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fault.h"
#include "sim/handle.h"
#include "sim/ops.h"
#include "sim/scenario.h"

/* Secrets stand in parameters of their own and inside the JSON of Reserve and Reserved. */
static const char *masked_json(const struct call *c, const char *text)
{
	struct json *o = json_parse(c->a, text, strlen(text), NULL);

	if (o == NULL || o->type != JSON_OBJECT)
		return "***"; /* nothing is known about it, so nothing is shown */
	hide_secrets(c->a, o, "***");
	return json_write_dup(c->a, o, false);
}

static const char *masked(const struct call *c, const struct pair *p)
{
	if (p->value[0] == '\0')
		return "";
	if (secret_key_name(p->name))
		return "***";
	if (strcmp(p->name, "Reserve") == 0 || strcmp(p->name, "Reserved") == 0)
		return masked_json(c, p->value);
	return p->value;
}

static void pairs(struct buf *out, const struct call *c, bool form)
{
	bool first = true;

	buf_putc(out, '{');
	for (size_t i = 0; i < c->p.n; i++) {
		if (c->p.v[i].form != form)
			continue;
		if (!first)
			buf_putc(out, ',');
		first = false;
		json_write_str(out, c->p.v[i].name);
		buf_putc(out, ':');
		json_write_str(out, masked(c, &c->p.v[i]));
	}
	buf_putc(out, '}');
}

static void text(struct buf *out, const char *key, const char *value)
{
	buf_printf(out, ",\"%s\":", key);
	if (value != NULL)
		json_write_str(out, value);
	else
		buf_puts(out, "null");
}

void reqlog_line(struct buf *out, const struct call *c, const struct sim_response *r,
                 const struct fault *f)
{
	static const char *const sigs[] = {NULL, "v1", "v3"};

	buf_printf(out, "{\"n\":%lld,\"t\":%lld", (long long)c->w->requests,
	           (long long)c->rq->wall_ms);
	text(out, "action", c->action);
	text(out, "method", c->rq->method);
	text(out, "sig", sigs[c->sig]);
	text(out, "key", c->key_id);
	text(out, "nonce", c->nonce);
	buf_puts(out, ",\"query\":");
	pairs(out, c, false);
	buf_puts(out, ",\"form\":");
	pairs(out, c, true);
	/* status 0: the caller got no answer */
	buf_printf(out, ",\"status\":%d", r->cut == CUT_NONE ? r->status : 0);
	text(out, "code", c->failed ? c->code : NULL);
	text(out, "dynamic", c->failed ? c->dynamic : NULL);
	buf_printf(out, ",\"effect\":%s", c->effect ? "true" : "false");
	/* picked by the scenario; it may find nothing to do, as a code on a request that is refused anyway */
	text(out, "fault", f != NULL ? fault_name(f) : NULL);
	buf_printf(out, ",\"struck\":%s", c->struck ? "true" : "false");
	text(out, "request_id", r->request_id);
	text(out, "instance", c->instance);
	text(out, "job", c->job);
	buf_putc(out, '}');
}
