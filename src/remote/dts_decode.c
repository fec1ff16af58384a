/*
 * Answers to values (dts-api.md 1.1, 1.2; alibaba-auth.md 4). Two failure
 * shapes exist: an HTTP error with Code, and HTTP 200 with Success false and
 * ErrCode. ErrCode alone never decides: official success samples have it.
 */
#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "remote/dts.h"
#include "remote/dts_internal.h"

#define EXCERPT_BYTES 2048 /* looked at for an excerpt */
#define EXCERPT_CELLS 80

/* ---- answers that are not from DTS ---------------------------------------- */

static const char *excerpt(struct arena *a, const char *body, size_t n)
{
	char *copy;
	size_t k = 0;
	bool blank = false;

	n = n < EXCERPT_BYTES ? n : EXCERPT_BYTES;
	copy = arena_strndup(a, n ? body : "", n);
	for (size_t i = 0; i < n; i++)
		if (!copy[i])
			copy[i] = '.';
	copy = arena_strdup(a, secret_mask(a, copy));
	for (const char *p = copy; *p; p++) { /* runs of blanks to one */
		if (isspace((unsigned char)*p)) {
			blank = k > 0;
			continue;
		}
		if (blank)
			copy[k++] = ' ';
		blank = false;
		copy[k++] = *p;
	}
	copy[k] = '\0';
	return k ? text_safe_dup(a, copy, EXCERPT_CELLS) : "empty answer";
}

static void unreadable(struct dts_reply *out, struct arena *a, const struct http_res *res,
                       const char *why)
{
	const char *type = text_empty(res->content_type)
	                           ? "no content type"
	                           : text_safe_dup(a, res->content_type, EXCERPT_CELLS);

	out->facts.readable = out->facts.success = false;
	out->facts.code = NULL;
	out->code = out->message = NULL;
	out->instance_id = out->job_id = NULL;
	out->root = NULL;
	out->raw = arena_printf(a, "not an answer of DTS (%s): HTTP %d, %s: %s", why, res->status,
	                        type, excerpt(a, res->body, res->body_n));
}

/* ---- members -------------------------------------------------------------- */

/* A text member under its usual name or, as some gateways write it, in lower case. */
static const char *member(struct arena *a, const struct json *root, const char *name,
                          const char *other)
{
	const char *s = json_text(a, root, name);

	return text_empty(s) && other ? json_text(a, root, other) : s;
}

/* Code is numeric text in many envelopes, and a word of success in some (alibaba-auth.md 4.2). */
static bool is_word(const char *code)
{
	static const char *const fine[] = {"success", "ok", "true"};

	if (text_empty(code) || strspn(code, "0123456789") == strlen(code))
		return false;
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
		if (text_ieq(code, fine[i]))
			return false;
	return true;
}

enum told { TOLD_NOTHING, TOLD_YES, TOLD_NO, TOLD_NONSENSE };

/* Boolean or text, by operation; absent in some (dts-api.md 1.1). */
static enum told told_success(const struct json *root)
{
	const struct json *v = json_get(root, "Success");

	if (!v)
		v = json_get(root, "success");
	if (!v || v->type == JSON_NULL)
		return TOLD_NOTHING;
	if (v->type == JSON_BOOL)
		return v->b ? TOLD_YES : TOLD_NO;
	if (v->type != JSON_STRING)
		return TOLD_NONSENSE;
	return text_ieq(v->s, "true")    ? TOLD_YES
	       : text_ieq(v->s, "false") ? TOLD_NO
	       : !*v->s                  ? TOLD_NOTHING
	                                 : TOLD_NONSENSE;
}

static int64_t number(struct arena *a, const struct json *root, const char *name, int64_t absent)
{
	const char *s = json_text(a, root, name);
	int64_t n;

	if (text_empty(s))
		return absent;
	return text_int(s, 0, INT64_MAX, &n) ? n : -1;
}

static const char *bare_code(const char *code)
{
	static const char prefix[] = "DTS.Msg.";

	return text_starts(code, prefix) ? code + sizeof prefix - 1 : code;
}

/* ErrMessage has one %s for DynamicMessage. */
static const char *put_in(struct arena *a, const char *msg, const char *dynamic)
{
	const char *at = strstr(msg, "%s");

	if (text_empty(dynamic) || text_ieq(dynamic, "null"))
		return msg;
	if (at)
		return arena_printf(a, "%.*s%s%s", (int)(at - msg), msg, dynamic, at + 2);
	return strstr(msg, dynamic) ? msg : arena_printf(a, "%s (%s)", msg, dynamic);
}

static const char *message_of(struct arena *a, const struct json *root)
{
	const char *msg = member(a, root, "Message", "message");
	const char *dynamic = json_text(a, root, "DynamicMessage");

	if (text_empty(msg))
		msg = json_text(a, root, "ErrMessage");
	if (text_empty(msg))
		return text_empty(dynamic) ? NULL : secret_mask(a, dynamic);
	return secret_mask(a, put_in(a, msg, dynamic));
}

/* ---- error texts inside answers ------------------------------------------- */

static bool is_error_text(const char *key)
{
	return text_ends(key, "Message") || text_ends(key, "Msg") || text_ends(key, "ErrDetail") ||
	       text_ends(key, "ErrData") || text_ends(key, "Workaround");
}

struct visit {
	struct json *v;
};

/* They may quote what we sent, passwords too. The other strings stay: they are compared. */
static void mask_tree(struct arena *a, struct json *root)
{
	VEC(struct visit) todo = {0};

	VEC_PUSH(a, &todo)->v = root;
	while (todo.n) {
		struct json *v = todo.v[--todo.n].v;

		if (v->type == JSON_STRING && v->key && *v->s && is_error_text(v->key))
			v->s = secret_mask(a, v->s);
		for (struct json *c = v->child; c; c = c->next)
			VEC_PUSH(a, &todo)->v = c;
	}
}

/* ---- pages ---------------------------------------------------------------- */

const char *dts_page_flaw(struct arena *a, const struct json *root)
{
	const struct json *rows = json_get(root, "DtsJobList");
	int64_t total = number(a, root, "TotalRecordCount", -1);
	int64_t page = number(a, root, "PageNumber", 1);
	int64_t n = rows && rows->type == JSON_ARRAY ? (int64_t)rows->n : 0;
	int64_t told = number(a, root, "PageRecordCount", n), expected;

	if (rows && rows->type != JSON_ARRAY && rows->type != JSON_NULL)
		return "DtsJobList is no list";
	if (total < 0 || page < 1 || told < 0)
		return "no usable counts";
	for (const struct json *r = rows ? rows->child : NULL; r; r = r->next)
		if (r->type != JSON_OBJECT || text_empty(json_str(r, "DtsJobId")))
			return "a row without DtsJobId";
	/* A page that lacks rows would make jobs look released. */
	expected = page > total / DTS_PAGE_ROWS + 1 ? 0 : total - (page - 1) * DTS_PAGE_ROWS;
	expected = expected < 0 ? 0 : expected < DTS_PAGE_ROWS ? expected : DTS_PAGE_ROWS;
	if (n != expected || n != told)
		return arena_printf(a, "%lld rows on page %lld, PageRecordCount %lld, total %lld",
		                    (long long)n, (long long)page, (long long)told,
		                    (long long)total);
	return NULL;
}

bool dts_page(const struct dts_reply *r, const struct json **rows, size_t *count, size_t *total)
{
	struct arena a;
	bool good;

	if (!r->root || !r->facts.success)
		return false;
	arena_init(&a);
	good = !dts_page_flaw(&a, r->root);
	if (good) {
		*rows = json_get(r->root, "DtsJobList");
		*count = *rows ? (*rows)->n : 0;
		*total = (size_t)number(&a, r->root, "TotalRecordCount", 0);
	}
	arena_release(&a);
	return good;
}

/* ---- whole answers -------------------------------------------------------- */

/* What a success must have; taken out on the way. NULL: fine, else what is wrong. */
static const char *promises(struct dts_reply *out, struct arena *a, enum api_action action,
                            const struct json *root)
{
	switch (action) {
	case API_CREATE_DTS_INSTANCE:
		out->instance_id = json_str(root, "InstanceId");
		out->job_id = json_str(root, "JobId");
		return text_empty(out->instance_id) ? "success without InstanceId" : NULL;
	case API_CONFIGURE_DTS_JOB:
		out->instance_id = json_str(root, "DtsInstanceId"); /* empty before the purchase */
		out->job_id = json_str(root, "DtsJobId");
		return text_empty(out->job_id) ? "success without DtsJobId" : NULL;
	case API_DESCRIBE_DTS_JOB_DETAIL:
		return text_empty(json_str(root, "DtsJobId")) ? "success without DtsJobId" : NULL;
	case API_DESCRIBE_DTS_JOBS:
		return dts_page_flaw(a, root);
	default:
		return NULL;
	}
}

static void failure(struct dts_reply *out, struct arena *a, const struct json *root)
{
	const char *code = member(a, root, "Code", "code");

	if (!is_word(code))
		code = json_text(a, root, "ErrCode");
	out->facts.success = false;
	out->code = is_word(code) ? bare_code(code) : NULL;
	out->facts.code = out->code;
	out->message = message_of(a, root);
}

/* NULL: decided; else what contradicts itself. */
static const char *judge(struct dts_reply *out, struct arena *a, enum api_action action,
                         const struct json *root)
{
	enum told told = told_success(root);
	int64_t inner = number(a, root, "HttpStatusCode", 200);
	bool http_error = out->facts.status >= 400;

	if (told == TOLD_NONSENSE || inner < 0)
		return "Success or HttpStatusCode make no sense";
	if (told == TOLD_YES && (http_error || inner >= 400))
		return "success and error at once";
	if (http_error || told == TOLD_NO || inner >= 400 ||
	    (told == TOLD_NOTHING && is_word(member(a, root, "Code", "code")))) {
		failure(out, a, root);
		return NULL;
	}
	out->facts.success = true;
	return promises(out, a, action, root);
}

void dts_decode(struct dts_reply *out, struct arena *a, enum api_action action,
                const struct http_res *res)
{
	struct json_err je = {0};
	struct json *root;
	const char *flaw;

	*out = (struct dts_reply){
		.facts = {.net = res->net, .status = res->status, .retry_after_ms = -1},
		.request_id = res->request_id ? arena_strdup(a, res->request_id) : NULL};
	if (res->retry_after)
		text_int(res->retry_after, 0, INT64_MAX, &out->facts.retry_after_ms);
	if (res->net != NET_OK) {
		out->raw = res->net_text ? secret_mask(a, arena_strdup(a, res->net_text))
		                         : "no answer";
		return;
	}
	if (res->status < 200 || (res->status >= 300 && res->status < 400)) {
		unreadable(out, a, res, res->status >= 300 ? "a redirect" : "its status");
		return;
	}
	root = json_parse(a, res->body ? res->body : "", res->body ? res->body_n : 0, &je);
	if (!root || root->type != JSON_OBJECT) {
		unreadable(out, a, res, root ? "no JSON object" : je.msg);
		return;
	}
	if (text_empty(member(a, root, "RequestId", "requestId"))) {
		unreadable(out, a, res, "no RequestId");
		return;
	}
	out->facts.readable = true;
	out->request_id = member(a, root, "RequestId", "requestId");
	flaw = judge(out, a, action, root);
	if (flaw) {
		unreadable(out, a, res, flaw);
		return;
	}
	mask_tree(a, root);
	out->root = root;
}
