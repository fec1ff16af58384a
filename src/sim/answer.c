/*
 * Answers: the envelope of each operation, both failure forms, JSON and XML (dts-api.md 1.1, 1.2).
 */
#include "sim/call.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/params.h"
#include "sim/scenario.h"
#include "sim/world.h"

#define XML_DEPTH 24

const char *arg(const struct call *c, const char *name)
{
	const char *v = params_get(&c->p, name);

	return text_empty(v) ? NULL : v;
}

bool arg_true(const struct call *c, const char *name)
{
	return text_eq(arg(c, name), "true");
}

int64_t arg_int(const struct call *c, const char *name, int64_t otherwise)
{
	const char *v = arg(c, name);
	int64_t n;

	return v != NULL && text_int(v, INT64_MIN / 2, INT64_MAX / 2, &n) ? n : otherwise;
}

struct code_row {
	const char *code;
	int http;
	const char *message;
};
/* alibaba-auth.md 4.3 and dts-api/errors.json; "not published" texts are ours. */
static const struct code_row codes[] = {
	{"Throttling", 400, "Request was denied due to request throttling."},
	{"Throttling.User", 400, "Request was denied due to user flow control."},
	{"Throttling.Api", 400, "Request was denied due to api flow control."},
	{"DTS.Msg.Throttling.User", 400, "Request was denied due to user flow control."},
	{"Rejected.Throttling", 400, "Request was denied due to request throttling."},
	{"ServiceUnavailable", 500,
         "The request has failed due to a temporary failure of the server."},
	{"ServiceUnavailableTemporary", 503,
         "The request has failed due to a temporary failure of the server."},
	{"InternalError", 500, "The request processing has failed due to some unknown error."},
	{"SignatureNonceUsed", 400, "Specified signature nonce was used already."},
	{"InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired."},
	{"InvalidSecurityToken.Expired", 403, "Specified SecurityToken is expired."},
	{"InvalidAccessKeyId.NotFound", 404, "Specified access key is not found."},
	{"LXBuyError", 403, "Buy instance error.ARREARAGE"},
	{"DTS.Msg.LXPayOrder.InsufficientBalance", 403, "The balance is too low to pay the order."},
	{"DTS.Msg.LXCreateOrderError", 403, "The order was refused."},
	{"DTS.Msg.LXCreateOrder.NotFoundPricePlan", 403, "No price plan was found."},
	{"CheckJobFailed.ServerUnAvailable", 403,
         "Unable to check whether the node can connect to the database because the node "
         "service is unavailable."},
	{"SQLExecuteError", 403, "SQL execute error."},
	{"NoPermission", 403,
         "You are not authorized to do this action. You should be authorized by RAM."},
	{"Forbidden.RAM", 403,
         "User not authorized to operate on the specified resource, or this API doesn't "
         "support RAM."},
	{"Forbidden.InstanceNotFound", 403, "The specified Instance Not Found."},
	{"InvalidJobId", 403, "The specified job id is invalid."},
	{"InvalidJobStatus", 403, "The job status does not allow this operation."},
	{"InvalidTaskStatus", 403, "The task status does not allow this operation."},
	{"OperationDenied", 403, "The operation is not permitted."},
	{"UnSupportedTaskType", 403, "The operation does not apply to this kind of job."},
	{"DTS.Msg.OperationDenied.JobStatusModifying", 403, "The job is being modified."},
	{"DTS.Msg.OperationDenied.NotPurchased", 403, "The job has not been purchased."},
	{"DTS.Msg.ModifyDenied.JobStatusNotRunning", 403, "The job is not running."},
	{"DTS.Msg.CheckStatus.InvalidInitStatus", 403, "The job is being initialized."},
	{"UpdateJob.OperationDenied.InitStatus", 403,
         "The operation is not permitted due to Dts job status is init."},
	{"InvalidParameter.KafkaBrokerInvalid", 403,
         "kafka broker configuration must be intranet IP"},
	{"InvalidParameter.KafkaHostInvalid", 403, "kafka host name should be intranet IP"},
	{"DTS.Msg.InvalidParameter.AliyunUidFormat", 403, "The format of the account id is wrong."},
	{"DTS.Msg.InvalidEndpoint", 200, "The endpoint is invalid."},
};

static const struct code_row *code_find(const char *code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].code, code) == 0)
			return &codes[i];
	return NULL;
}

int code_status(const char *code)
{
	const struct code_row *r = code_find(code);

	return r != NULL ? r->http : text_starts(code, "Throttling") ? 400 : 403;
}

const char *code_message(const char *code)
{
	const struct code_row *r = code_find(code);

	return r != NULL ? r->message : code;
}

/*
 * The scenario may choose another form for a code, or the prefix (7: a code arrives with or
 * without it).
 */
static void apply_shape(struct call *c)
{
	const struct shape_row *s;

	for (size_t i = 0; i < c->w->sc->shape.n; i++) {
		s = &c->w->sc->shape.v[i];
		if (strcmp(s->code, c->code) != 0)
			continue;
		c->in_body = s->form == 'B';
		if (!c->in_body && c->http < 400)
			c->http = code_status(c->code) >= 400 ? code_status(c->code) : 403;
		if (s->prefix && !text_starts(c->code, "DTS.Msg."))
			c->code = arena_printf(c->a, "DTS.Msg.%s", c->code);
		return;
	}
}

int call_fail(struct call *c, int http, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	c->message = arena_vprintf(c->a, fmt, ap);
	va_end(ap);
	c->failed = true;
	c->in_body = false;
	c->http = http;
	c->code = code;
	c->dynamic = NULL;
	apply_shape(c);
	return -1;
}

int call_bad(struct call *c, const char *param)
{
	c->failed = true;
	c->in_body = true;
	c->http = 200;
	c->code = "InvalidParameterValid";
	c->message = "The Value of Input Parameter %s is not valid.";
	c->dynamic = param;
	apply_shape(c);
	return -1;
}

int call_missing(struct call *c, const char *param)
{
	return call_fail(c, 400, "MissingParameter",
	                 "The parameter \"%s\" is needed but no provided.", param);
}

int call_gone(struct call *c)
{
	return call_fail(c, 403, "Forbidden.InstanceNotFound", "The specified Instance Not Found.");
}

int call_state(struct call *c, const char *code)
{
	return call_fail(c, code_status(code), code, "%s", code_message(code));
}

void put(struct call *c, struct json *o, const char *key, const char *text)
{
	if (text != NULL)
		json_add(o, key, json_new_str(c->a, text));
}

void put_text(struct call *c, struct json *o, const char *key, const char *text)
{
	put(c, o, key, text != NULL ? text : "");
}

void put_int(struct call *c, struct json *o, const char *key, int64_t v)
{
	json_add(o, key, json_new_int(c->a, v));
}

void put_bool(struct call *c, struct json *o, const char *key, bool v)
{
	json_add(o, key, json_new_bool(c->a, v));
}

void put_time(struct call *c, struct json *o, const char *key, int64_t wall_ms)
{
	char *t;

	if (wall_ms == 0)
		return;
	t = arena_alloc(c->a, 21);
	text_utc(wall_ms / 1000, t);
	put(c, o, key, t);
}

static void xml_text(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		default:
			buf_putc(out, *s);
		}
}

struct xml_level {
	const struct json *next;
	const char *tag;  /* to close when the level is done; NULL: none (an array) */
	const char *each; /* name of the elements of an array */
};

/* Elements of an array repeat the name of the array: <DtsJobList>..</DtsJobList><DtsJobList>.. */
static void xml_write(struct buf *out, const char *root, const struct json *o, struct arena *a)
{
	struct xml_level st[XML_DEPTH];
	const struct json *v;
	const char *name;
	size_t n = 1;

	buf_printf(out, "<?xml version='1.0' encoding='UTF-8'?><%s>", root);
	st[0] = (struct xml_level){o->child, root, NULL};
	while (n > 0) {
		v = st[n - 1].next;
		if (v == NULL) {
			if (st[n - 1].tag != NULL)
				buf_printf(out, "</%s>", st[n - 1].tag);
			n--;
			continue;
		}
		st[n - 1].next = v->next;
		name = v->key != NULL ? v->key : st[n - 1].each;
		if (v->type == JSON_ARRAY && n < XML_DEPTH) {
			st[n++] = (struct xml_level){v->child, NULL, name};
		} else if (v->type == JSON_OBJECT && n < XML_DEPTH) {
			buf_printf(out, "<%s>", name);
			st[n++] = (struct xml_level){v->child, name, NULL};
		} else {
			buf_printf(out, "<%s>", name);
			xml_text(out, v->type == JSON_STRING ? v->s : json_write_dup(a, v, false));
			buf_printf(out, "</%s>", name);
		}
	}
}

static struct json *form_a(struct call *c)
{
	struct json *o = json_new(c->a, JSON_OBJECT), *d;

	put(c, o, "RequestId", c->request_id);
	put(c, o, "HostId", "dts.aliyuncs.com");
	put(c, o, "Code", c->code);
	put(c, o, "Message",
	    c->dynamic != NULL && strstr(c->message, "%s") != NULL
	            ? arena_printf(c->a, "The Value of Input Parameter %s is not valid.",
	                           c->dynamic)
	            : c->message);
	put(c, o, "Recommend",
	    arena_printf(c->a,
	                 "https://error-center.aliyun.com/status/search?Keyword=%s&source=PopGw",
	                 c->code));
	if (c->denied) {
		d = json_new(c->a, JSON_OBJECT);
		put(c, d, "AuthAction", arena_printf(c->a, "dts:%s", c->action));
		put(c, d, "AuthPrincipalDisplayName", "simulated-user");
		put(c, d, "AuthPrincipalOwnerId", "1000000000000001");
		put(c, d, "AuthPrincipalType", "SubUser");
		put(c, d, "NoPermissionType", "ImplicitDeny");
		put(c, d, "PolicyType", "AccountLevelIdentityBasedPolicy");
		json_add(o, "AccessDeniedDetail", d);
	}
	return o;
}

static void put_success(struct call *c, struct json *o, bool ok)
{
	if (c->op->success == SUC_TEXT)
		put(c, o, "Success", ok ? "true" : "false");
	else if (c->op->success == SUC_BOOL || !ok)
		put_bool(c, o, "Success", ok);
	if (c->op->http == HTTP_TEXT)
		put(c, o, "HttpStatusCode", "200");
	else if (c->op->http == HTTP_INT)
		put_int(c, o, "HttpStatusCode", 200);
}

static struct json *form_b(struct call *c)
{
	struct json *o = json_new(c->a, JSON_OBJECT);

	put(c, o, "RequestId", c->request_id);
	put_success(c, o, false);
	put(c, o, "ErrCode", c->code);
	put(c, o, "ErrMessage", c->message);
	if (c->dynamic != NULL)
		put(c, o, "DynamicMessage", c->dynamic);
	return o;
}

static struct json *form_success(struct call *c)
{
	put(c, c->out, "RequestId", c->request_id);
	put_success(c, c->out, true);
	if (c->op->code == CODE_TEXT)
		put(c, c->out, "Code", "200");
	else if (c->op->code == CODE_INT)
		put_int(c, c->out, "Code", 200);
	if (c->w->sc->errcode_on_success)
		put(c, c->out, "ErrCode", "InternalError");
	return c->out;
}

int answer_write(struct call *c, struct buf *out)
{
	/* An operation without a Success field has no form B. */
	bool b = c->failed && c->in_body && c->op != NULL && c->op->success != SUC_NONE;
	struct json *o = !c->failed ? form_success(c) : b ? form_b(c) : form_a(c);

	if (!c->xml)
		json_write(out, o, false);
	else if (c->failed && !b)
		xml_write(out, "Error", o, c->a);
	else
		xml_write(out, arena_printf(c->a, "%sResponse", c->action), o, c->a);
	if (!c->failed || b)
		return 200;
	return c->http >= 400 ? c->http : 403;
}

const char *answer_type(const struct call *c)
{
	return c->xml ? "text/xml;charset=utf-8" : "application/json;charset=utf-8";
}
