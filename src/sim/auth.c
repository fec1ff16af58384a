#include "sim/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fence.h"
#include "sim/fields.h"
#include "sim/params.h"
#include "sim/scenario.h"
#include "sim/world.h"

#define TEXT_MAX_BYTES (16 << 20)
#define V3_NAME "ACS3-HMAC-SHA256"

void auth_begin(struct call *c)
{
	const char *auth = request_header(c->rq, "authorization");
	const char *format = params_get(&c->p, "Format"), *accept = request_header(c->rq, "accept");

	if (auth != NULL && text_starts(auth, "ACS3-"))
		c->sig = SIG_V3;
	else if (params_get(&c->p, "Signature") != NULL)
		c->sig = SIG_V1;
	c->action = c->sig == SIG_V1 ? NULL : request_header(c->rq, "x-acs-action");
	c->version = c->sig == SIG_V1 ? NULL : request_header(c->rq, "x-acs-version");
	c->nonce = c->sig == SIG_V1 ? arg(c, "SignatureNonce")
	                            : request_header(c->rq, "x-acs-signature-nonce");
	if (c->action == NULL)
		c->action = arg(c, "Action");
	if (c->version == NULL)
		c->version = arg(c, "Version");
	/*
	 * V1 answers XML unless told otherwise; V3 clients choose by Accept (alibaba-auth.md 1.1,
	 * 2.1).
	 */
	if (format != NULL)
		c->xml = !text_ieq(format, "JSON");
	else
		c->xml = c->sig == SIG_V3 ? accept != NULL && strstr(accept, "xml") != NULL &&
		                                    strstr(accept, "json") == NULL
		                          : request_header(c->rq, "x-acs-action") == NULL ||
		                                    c->sig == SIG_V1;
}

static int by_name(const void *a, const void *b)
{
	const struct pair *x = *(const struct pair *const *)a, *y = *(const struct pair *const *)b;
	int r = strcmp(x->name, y->name);

	return r != 0 ? r : (x > y) - (x < y); /* equal names keep their order */
}

static void canonical_pairs(struct buf *out, const struct pair **v, size_t n)
{
	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(out, '&');
		text_percent(out, v[i]->name, strlen(v[i]->name));
		buf_putc(out, '=');
		text_percent(out, v[i]->value, strlen(v[i]->value));
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "name:value\n": blanks around a value cut, several values sorted and joined with commas (1.2). */
static void canonical_header(struct buf *out, struct arena *a, const struct sim_request *rq,
                             const char *name)
{
	const char **v = arena_array(a, const char *, rq->nheaders + 1), *s;
	size_t n = 0, len;

	for (size_t i = 0; i < rq->nheaders; i++) {
		if (!text_ieq(rq->headers[i].name, name))
			continue;
		s = rq->headers[i].value;
		s += strspn(s, " \t");
		len = strlen(s);
		while (len > 0 && strchr(" \t", s[len - 1]) != NULL)
			len--;
		v[n++] = arena_strndup(a, s, len);
	}
	qsort(v, n, sizeof(*v), by_text);
	buf_printf(out, "%s:", name);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%s", i > 0 ? "," : "", v[i]);
	buf_putc(out, '\n');
}

char *auth_v3_canonical(struct arena *a, const struct sim_request *rq, const struct params *p,
                        const char *signed_headers)
{
	const struct pair **v = arena_array(a, const struct pair *, p->n + 1);
	const char *hash = request_header(rq, "x-acs-content-sha256");
	struct buf b;
	size_t n = 0;
	char *name, *text;

	buf_init(&b, TEXT_MAX_BYTES);
	buf_printf(&b, "%s\n/\n", rq->method);
	for (size_t i = 0; i < p->n; i++)
		if (!p->v[i].form)
			v[n++] = &p->v[i];
	canonical_pairs(&b, v, n);
	buf_putc(&b, '\n');
	for (size_t i = 0; (name = text_field(a, signed_headers, ';', i)) != NULL; i++)
		canonical_header(&b, a, rq, name);
	buf_printf(&b, "\n%s\n%s", signed_headers, hash != NULL ? hash : "");
	text = arena_strndup(a, buf_str(&b), b.n);
	buf_release(&b);
	return text;
}

char *auth_v1_string(struct arena *a, const struct sim_request *rq, const struct params *p)
{
	const struct pair **v = arena_array(a, const struct pair *, p->n + 1);
	struct buf b, s;
	size_t n = 0;
	char *text;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].name, "Signature") == 0)
			continue;
		if (!p->v[i].form && params_get(p, p->v[i].name) != p->v[i].value)
			continue; /* the form value of this name counts */
		v[n++] = &p->v[i];
	}
	buf_init(&b, TEXT_MAX_BYTES);
	buf_init(&s, TEXT_MAX_BYTES);
	canonical_pairs(&b, v, n);
	buf_printf(&s, "%s&%%2F&", rq->method);
	text_percent(&s, buf_str(&b), b.n);
	text = arena_strndup(a, buf_str(&s), s.n);
	buf_release(&b);
	buf_release(&s);
	return text;
}

struct v3 {
	const char *key, *headers, *signature;
};

static int incomplete(struct call *c)
{
	return call_fail(c, 400, "IncompleteSignature",
	                 "The request signature does not conform to Aliyun standards.");
}

/* "ACS3-HMAC-SHA256 Credential=..,SignedHeaders=a;b,Signature=hex" */
static int parse_v3(struct call *c, struct v3 *v)
{
	const char *h = request_header(c->rq, "authorization");
	char *part;

	memset(v, 0, sizeof(*v));
	if (!text_starts(h, V3_NAME " "))
		return call_fail(c, 400, "UnsupportedSignatureMethod",
		                 "This signature method is not supported.");
	h += strlen(V3_NAME " ");
	for (size_t i = 0; (part = text_field(c->a, h, ',', i)) != NULL; i++) {
		if (text_starts(part, "Credential="))
			v->key = part + strlen("Credential=");
		else if (text_starts(part, "SignedHeaders="))
			v->headers = part + strlen("SignedHeaders=");
		else if (text_starts(part, "Signature="))
			v->signature = part + strlen("Signature=");
	}
	if (text_empty(v->key))
		return call_fail(c, 400, "MissingAccessKeyId",
		                 "AccessKeyId is mandatory for this action.");
	if (v->headers == NULL || v->headers[0] == '\0' || v->signature == NULL ||
	    strlen(v->signature) != 64)
		return incomplete(c);
	return 0;
}

static bool in_signed(const char *list, const char *name)
{
	size_t n = strlen(name), len;

	for (const char *p = list; p != NULL && *p != '\0'; p += *p == ';') {
		len = strcspn(p, ";");
		if (len == n && strncasecmp(p, name, n) == 0)
			return true;
		p += len;
	}
	return false;
}

/* 1.3: host, every x-acs-*, content-type when sent. */
static int required_signed(struct call *c, const char *list)
{
	const char *n;

	if (!in_signed(list, "host"))
		return incomplete(c);
	for (size_t i = 0; i < c->rq->nheaders; i++) {
		n = c->rq->headers[i].name;
		if (strncasecmp(n, "x-acs-", 6) != 0 && !text_ieq(n, "content-type"))
			continue;
		if (!in_signed(list, n))
			return incomplete(c);
	}
	return 0;
}

static int check_date(struct call *c, const char *date)
{
	int64_t t, now = c->rq->wall_ms / 1000 + c->w->sc->clock_offset_ms / 1000;

	if (text_empty(date))
		return call_fail(
			c, 400, "IllegalTimestamp",
			"The input parameter Timestamp that is mandatory for processing this "
			"request is not supplied.");
	t = strlen(date) == 20 ? text_utc_parse(date) : -1;
	if (t < 0)
		return call_fail(c, 400, "InvalidTimeStamp.Format",
		                 "Specified time stamp or date value is not well formatted.");
	if (llabs(t - now) > c->w->sc->skew_ms / 1000)
		return call_fail(c, 400, "InvalidTimeStamp.Expired",
		                 "Specified time stamp or date value is expired.");
	return 0;
}

static const char *secret_of(const struct world *w, const char *id)
{
	if (id == NULL)
		return NULL;
	if (w->key_id != NULL && strcmp(w->key_id, id) == 0)
		return str_or(w->key_secret);
	for (size_t i = 0; i < w->sc->keys.n; i++)
		if (strcmp(w->sc->keys.v[i].id, id) == 0)
			return w->sc->keys.v[i].secret;
	return NULL;
}

/*
 * 6: a temporary key needs its token; the scenario may know the right one, or let tokens expire by
 * use.
 */
static int check_token(struct call *c, const char *token)
{
	struct world *w = c->w;
	uint64_t h;

	if (text_starts(c->key_id, "STS.") && text_empty(token))
		return call_fail(c, 400, "MissingSecurityToken",
		                 "SecurityToken is mandatory for this action.");
	if (text_empty(token))
		return 0;
	if (w->sc->token != NULL && strcmp(w->sc->token, token) != 0)
		return call_fail(c, 400, "InvalidSecurityToken.MismatchWithAccessKey",
		                 "Specified SecurityToken mismatches with the AccessKey.");
	h = hash_fnv1a(token, strlen(token));
	if (h != w->token_hash) {
		w->token_hash = h;
		w->token_used = 0;
	}
	if (w->sc->token_uses > 0 && w->token_used >= w->sc->token_uses)
		return call_fail(c, 403, "InvalidSecurityToken.Expired",
		                 "Specified SecurityToken is expired.");
	w->token_used++;
	return 0;
}

/* The secret of the caller's key; NULL after call_fail. */
static const char *check_key(struct call *c)
{
	const char *secret = secret_of(c->w, c->key_id);

	if (c->w->sc->inactive != NULL && glob_list(c->w->sc->inactive, c->key_id))
		call_fail(c, 400, "InvalidAccessKeyId.Inactive",
		          "Specified access key is disabled.");
	else if (secret == NULL)
		call_fail(c, 404, "InvalidAccessKeyId.NotFound",
		          "Specified access key is not found.");
	else
		return secret;
	return NULL;
}

static int check_nonce(struct call *c)
{
	const struct scenario *sc = c->w->sc;
	bool write = c->op != NULL && c->op->rate == RATE_WRITE;

	if (sc->fence && fence_seen(c->w->fence, c->nonce, c->rq->wall_ms, sc->fence_ms, write))
		return call_fail(c, 400, "SignatureNonceUsed",
		                 "Specified signature nonce was used already.");
	return 0;
}

static int check_v3(struct call *c)
{
	const char *hash = request_header(c->rq, "x-acs-content-sha256"), *secret;
	char *canonical, *sts, hex[65];
	uint8_t d[32];
	struct v3 v;

	if (parse_v3(c, &v) != 0 || required_signed(c, v.headers) != 0)
		return -1;
	c->key_id = v.key;
	if (text_empty(hash) || text_empty(c->nonce))
		return incomplete(c);
	if (check_date(c, request_header(c->rq, "x-acs-date")) != 0)
		return -1;
	secret = check_key(c);
	if (secret == NULL || check_token(c, request_header(c->rq, "x-acs-security-token")) != 0)
		return -1;
	hash_sha256(c->rq->body, c->rq->body_n, d);
	hash_hex(d, sizeof(d), hex);
	if (strcmp(hex, hash) != 0)
		return call_fail(c, 400, "ContentMD5NotMatched",
		                 "The specified content hash does not match the body.");
	canonical = auth_v3_canonical(c->a, c->rq, &c->p, v.headers);
	hash_sha256(canonical, strlen(canonical), d);
	hash_hex(d, sizeof(d), hex);
	sts = arena_printf(c->a, V3_NAME "\n%s", hex);
	hash_hmac_sha256(secret, strlen(secret), sts, strlen(sts), d);
	hash_hex(d, sizeof(d), hex);
	if (!hash_equal(hex, v.signature, 64))
		return call_fail(c, 400, "SignatureDoesNotMatch",
		                 "Specified signature does not match our calculation. server "
		                 "StringToSign is "
		                 "[%s] server CanonicalRequest is [%s]",
		                 sts, canonical);
	return check_nonce(c);
}

static int check_v1(struct call *c)
{
	const char *method = arg(c, "SignatureMethod"), *secret;
	const char *given = arg(c, "Signature");
	char *sts, *key, b64[32];
	uint8_t d[20];

	c->key_id = arg(c, "AccessKeyId");
	if (c->key_id == NULL)
		return call_fail(c, 400, "MissingAccessKeyId",
		                 "AccessKeyId is mandatory for this action.");
	if (method == NULL || c->nonce == NULL || given == NULL ||
	    arg(c, "SignatureVersion") == NULL)
		return incomplete(c);
	if (strcmp(method, "HMAC-SHA1") != 0)
		return call_fail(c, 400, "InvalidSignatureMethod",
		                 "This signature method is not supported.");
	if (strcmp(arg(c, "SignatureVersion"), "1.0") != 0)
		return call_fail(c, 400, "InvalidParameter.SignatureVersion",
		                 "Specified signature version is not supported.");
	if (check_date(c, arg(c, "Timestamp")) != 0)
		return -1;
	secret = check_key(c);
	if (secret == NULL || check_token(c, arg(c, "SecurityToken")) != 0)
		return -1;
	sts = auth_v1_string(c->a, c->rq, &c->p);
	key = arena_printf(c->a, "%s&", secret);
	hash_hmac_sha1(key, strlen(key), sts, strlen(sts), d);
	hash_base64(d, sizeof(d), b64);
	if (strlen(given) != strlen(b64) || !hash_equal(b64, given, strlen(b64)))
		return call_fail(
			c, 400, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to "
			"sign is:%s",
			sts);
	return check_nonce(c);
}

int auth_check(struct call *c)
{
	if (c->sig == SIG_V3)
		return check_v3(c);
	if (c->sig == SIG_V1)
		return check_v1(c);
	if (arg(c, "AccessKeyId") == NULL)
		return call_fail(c, 400, "MissingAccessKeyId",
		                 "AccessKeyId is mandatory for this action.");
	return incomplete(c);
}
