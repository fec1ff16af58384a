/*
 * Signatures as a server sees them: the official vectors, and everything that is wrong with a
 * request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim/auth.h"
#include "sim/call.h"
#include "sim/params.h"
#include "sim_fixture.h"

static struct json *vectors(struct arena *a, const char *name)
{
	const char *dir = getenv("TEST_VECTORS");
	struct buf b;
	struct json *o;
	struct json_err e;

	buf_init(&b, 4 << 20);
	if (sys_read_file(arena_printf(a, "%s/%s", dir ? dir : "tests/vectors", name), &b) != 0)
		fail_msg("cannot read %s", name);
	o = json_parse(a, arena_strndup(a, buf_str(&b), b.n), b.n, &e);
	if (!o)
		fail_msg("%s: %s", name, e.msg);
	buf_release(&b);
	return o;
}

/* The wire form of a vector as the request the server gets. */
static void wire_request(struct arena *a, const struct json *c, struct sim_request *rq)
{
	const struct json *w = json_get(c, "wire"), *h = json_get(w, "headers"), *m;
	struct sim_header *v = arena_array(a, struct sim_header, h->n + 1);

	memset(rq, 0, sizeof(*rq));
	rq->method = json_str(w, "method");
	rq->target = json_str(w, "target");
	rq->body = json_str(w, "body");
	rq->body_n = strlen(rq->body);
	rq->headers = v;
	for (m = h->child; m; m = m->next) {
		v[rq->nheaders].name = m->key;
		v[rq->nheaders++].value = m->s;
	}
}

static const char *header_part(struct arena *a, const struct sim_request *rq, const char *name)
{
	const char *h = request_header(rq, "Authorization"), *p = strstr(h, name);
	size_t n;

	assert_non_null(p);
	p += strlen(name);
	n = strcspn(p, ",");
	return arena_strndup(a, p, n);
}

static void test_v3_vectors(void **st)
{
	struct arena a;
	struct json *all;
	size_t n = 0;

	(void)st;
	arena_init(&a);
	all = vectors(&a, "signature-v3.json");
	for (const struct json *c = json_get(all, "cases")->child; c; c = c->next, n++) {
		struct sim_request rq;
		struct params p;
		const char *text, *secret = json_str(c, "input.access_key_secret");
		char hex[65], *sts;
		uint8_t d[32];

		wire_request(&a, c, &rq);
		request_params(&rq, &a, &p);
		text = auth_v3_canonical(&a, &rq, &p, header_part(&a, &rq, "SignedHeaders="));
		if (strcmp(text, json_str(c, "expect.canonical_request")) != 0)
			fail_msg("%s: canonical request\n%s", json_str(c, "id"), text);
		hash_sha256(text, strlen(text), d);
		hash_hex(d, sizeof(d), hex);
		sts = arena_printf(&a, "ACS3-HMAC-SHA256\n%s", hex);
		assert_string_equal(sts, json_str(c, "expect.string_to_sign"));
		hash_hmac_sha256(secret, strlen(secret), sts, strlen(sts), d);
		hash_hex(d, sizeof(d), hex);
		assert_string_equal(hex, header_part(&a, &rq, "Signature="));
	}
	assert_int_equal(n, 45);
	arena_release(&a);
}

static void test_v1_vectors(void **st)
{
	struct arena a;
	struct json *all;
	size_t n = 0;

	(void)st;
	arena_init(&a);
	all = vectors(&a, "signature-v1.json");
	for (const struct json *c = json_get(all, "cases")->child; c; c = c->next, n++) {
		struct sim_request rq;
		struct params p;
		char *text, *key, b64[32];
		uint8_t d[20];

		wire_request(&a, c, &rq);
		request_params(&rq, &a, &p);
		text = auth_v1_string(&a, &rq, &p);
		if (strcmp(text, json_str(c, "expect.string_to_sign")) != 0)
			fail_msg("%s: string to sign\n%s", json_str(c, "id"), text);
		key = arena_printf(&a, "%s&", json_str(c, "input.access_key_secret"));
		hash_hmac_sha1(key, strlen(key), text, strlen(text), d);
		hash_base64(d, sizeof(d), b64);
		assert_string_equal(b64, json_str(c, "expect.signature"));
	}
	assert_int_equal(n, 16);
	arena_release(&a);
}

/*
 * Every vector of ours through the whole check at its own date; one changed byte must be refused.
 */
static const char *through(const struct json *c, bool damage)
{
	static char code[64];
	struct call call;
	struct sim_request rq;
	struct scenario sc;
	struct world w;
	struct arena a;
	const char *date = json_str(c, "input.date") ? json_str(c, "input.date")
	                                             : json_str(c, "input.timestamp");
	char *body;

	arena_init(&a);
	scenario_init(&sc);
	world_init(&w, &sc);
	w.key_id = json_str(c, "input.access_key_id");
	w.key_secret = json_str(c, "input.access_key_secret");
	wire_request(&a, c, &rq);
	rq.wall_ms = text_utc_parse(date) * 1000;
	if (damage) { /* last byte of body or query */
		body = arena_strdup(&a, rq.body_n > 0 ? rq.body : rq.target);
		body[strlen(body) - 1] ^= 1;
		*(rq.body_n > 0 ? &rq.body : &rq.target) = body;
	}
	memset(&call, 0, sizeof(call));
	call.w = &w;
	call.a = &a;
	call.rq = &rq;
	request_params(&rq, &a, &call.p);
	auth_begin(&call);
	snprintf(code, sizeof(code), "%s", auth_check(&call) == 0 ? "" : call.code);
	world_release(&w);
	scenario_release(&sc);
	arena_release(&a);
	return code;
}

static void test_vectors_through(void **st)
{
	static const char *const files[] = {"signature-v3.json", "signature-v1.json"};
	struct arena a;
	const char *code;

	(void)st;
	arena_init(&a);
	for (size_t k = 0; k < 2; k++) {
		for (const struct json *c = json_get(vectors(&a, files[k]), "cases")->child; c;
		     c = c->next) {
			code = through(c, false);
			if (code[0] != '\0')
				fail_msg("%s refused: %s", json_str(c, "id"), code);
			if (json_str(c, "wire.body")[0] == '\0' &&
			    !strchr(json_str(c, "wire.target"), '='))
				continue;
			code = through(c, true);
			if (strcmp(code, "SignatureDoesNotMatch") != 0 &&
			    strcmp(code, "ContentMD5NotMatched") != 0 &&
			    strcmp(code, "IncompleteSignature") != 0)
				fail_msg("%s damaged: '%s'", json_str(c, "id"), code);
		}
	}
	arena_release(&a);
}

/* --- V3 by hand, to do each thing wrong ----------------------------------- */

#define V3_HEADERS 10

struct v3 {
	struct sim_header h[V3_HEADERS];
	size_t n;
	struct sim_request rq;
	char auth[1024], stamp[24], nonce[40], hash[65];
};

static const char *const v3_signed =
	"host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";

static void v3_header(struct v3 *v, const char *name, const char *value)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->h[i].name, name) == 0) {
			if (value)
				v->h[i].value = value;
			else
				v->h[i] = v->h[--v->n];
			v->rq.nheaders = v->n;
			return;
		}
	v->h[v->n].name = name;
	v->h[v->n++].value = value;
	v->rq.headers = v->h;
	v->rq.nheaders = v->n;
}

static void v3_begin(struct fx *f, struct v3 *v, const char *action, const char *target)
{
	uint8_t d[32];

	memset(v, 0, sizeof(*v));
	v->rq.method = "POST";
	v->rq.target = target;
	v->rq.body = "";
	text_utc(f->wall_ms / 1000, v->stamp);
	snprintf(v->nonce, sizeof(v->nonce), "v3-%d", ++f->nonce);
	hash_sha256("", 0, d);
	hash_hex(d, sizeof(d), v->hash);
	v3_header(v, "Host", "dts.aliyuncs.com");
	v3_header(v, "x-acs-action", action);
	v3_header(v, "x-acs-version", "2020-01-01");
	v3_header(v, "x-acs-date", v->stamp);
	v3_header(v, "x-acs-signature-nonce", v->nonce);
	v3_header(v, "x-acs-content-sha256", v->hash);
}

static void v3_sign(struct fx *f, struct v3 *v, const char *names, const char *secret)
{
	struct params p;
	char hex[65], *text, *sts;
	uint8_t d[32];

	request_params(&v->rq, &f->mine, &p);
	text = auth_v3_canonical(&f->mine, &v->rq, &p, names);
	hash_sha256(text, strlen(text), d);
	hash_hex(d, sizeof(d), hex);
	sts = arena_printf(&f->mine, "ACS3-HMAC-SHA256\n%s", hex);
	hash_hmac_sha256(secret, strlen(secret), sts, strlen(sts), d);
	hash_hex(d, sizeof(d), hex);
	snprintf(v->auth, sizeof(v->auth),
	         "ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s", FX_KEY, names,
	         hex);
	v3_header(v, "Authorization", v->auth);
}

#define LIST "/?Region=cn-hangzhou&RegionId=cn-hangzhou&JobType=SYNC"

static void expect(struct fx *f, struct v3 *v, int status, const char *code)
{
	int got;

	arena_reset(&f->a);
	got = fx_raw(f, &v->rq);
	if (got != status || strcmp(fx_code(f), code) != 0)
		fail_msg("wanted %d %s, got %d %s", status, code, got, buf_str(&f->rs.body));
}

static void test_v3_right(void **st)
{
	struct v3 v;
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	expect(&f, &v, 200, "");
	assert_non_null(f.j); /* JSON without Format: V3 goes by Accept */
	/* names in any case, signed list too */
	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_header(&v, "User-Agent", "  python  requests ");
	v3_sign(&f, &v, arena_printf(&f.mine, "accept;%s;user-agent", v3_signed), FX_SECRET);
	expect(&f, &v, 200, ""); /* python signs more than it must */
	fx_release(&f);
}

static void test_v3_wrong(void **st)
{
	struct v3 v;
	struct fx f;

	(void)st;
	fx_init(&f, "", false);

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	expect(&f, &v, 400, "MissingAccessKeyId"); /* no signature at all */

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, "wrong-secret");
	expect(&f, &v, 400, "SignatureDoesNotMatch");
	assert_non_null(strstr(fx_get(&f, "Message"),
	                       "server CanonicalRequest is [POST\n/\nJobType=SYNC&"));

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	v.rq.target = LIST "&PageSize=100"; /* a parameter added on the way */
	expect(&f, &v, 400, "SignatureDoesNotMatch");

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	v.rq.method = "GET";
	expect(&f, &v, 400, "SignatureDoesNotMatch");

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	v.rq.body = "DbList=x";
	v.rq.body_n = 8;
	expect(&f, &v, 400, "ContentMD5NotMatched");

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v,
	        "x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version",
	        FX_SECRET);
	expect(&f, &v, 400, "IncompleteSignature"); /* host is not signed */

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	v3_header(&v, "x-acs-source-ip", "192.0.2.1");
	expect(&f, &v, 400, "IncompleteSignature"); /* an x-acs header nobody signed */

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	v3_header(&v, "Content-Type", "application/x-www-form-urlencoded");
	expect(&f, &v, 400, "IncompleteSignature"); /* content-type sent and not signed */

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	v3_header(&v, "x-acs-signature-nonce", NULL);
	expect(&f, &v, 400, "IncompleteSignature");

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_header(&v, "Authorization",
	          "ACS3-HMAC-SM3 Credential=" FX_KEY ",SignedHeaders=host,Signature=00");
	expect(&f, &v, 400, "UnsupportedSignatureMethod");

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_header(&v, "Authorization",
	          "ACS3-HMAC-SHA256 Credential=nobody,SignedHeaders=host;x-acs-action;"
	          "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature="
	          "0000000000000000000000000000000000000000000000000000000000000000");
	expect(&f, &v, 404, "InvalidAccessKeyId.NotFound");

	v3_begin(&f, &v, "DescribeDtsJobs", "/other?Region=cn-hangzhou");
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	expect(&f, &v, 404, "InvalidApi.NotFound");

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_header(&v, "x-acs-version", "2016-08-01");
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	expect(&f, &v, 400, "InvalidVersion");

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_header(&v, "x-acs-action", NULL);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	expect(&f, &v, 400, "MissingAction");

	v3_begin(&f, &v, "DeleteMigrationJob", "/?MigrationJobId=x");
	v.rq.method = "GET"; /* POST only by the metadata */
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	expect(&f, &v, 400, "UnsupportedHTTPMethod");

	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v.rq.method = "PUT";
	expect(&f, &v, 400, "UnsupportedHTTPMethod");
	fx_release(&f);
}

static void test_date(void **st)
{
	static const struct {
		const char *date;
		int64_t off_s;
		const char *code;
	} rows[] = {
		{NULL, -899, ""},
		{NULL, 899, ""},
		{NULL, -901, "InvalidTimeStamp.Expired"},
		{NULL, 901, "InvalidTimeStamp.Expired"},
		{"", 0, "IllegalTimestamp"},
		{"2026-11-25", 0, "InvalidTimeStamp.Format"},
		{"2026-11-25T12:00:00", 0, "InvalidTimeStamp.Format"},
		{"2026-11-25T12:00:00.5Z", 0, "InvalidTimeStamp.Format"},
		{"2026-13-25T12:00:00Z", 0, "InvalidTimeStamp.Format"},
		{"Wed, 25 Nov 2026 17:12:00 GMT", 0, "InvalidTimeStamp.Format"},
	};
	struct v3 v;
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v3_begin(&f, &v, "DescribeDtsJobs", LIST);
		if (rows[i].date)
			v3_header(&v, "x-acs-date", rows[i].date);
		else
			text_utc(f.wall_ms / 1000 + rows[i].off_s, v.stamp);
		v3_sign(&f, &v, v3_signed, FX_SECRET);
		expect(&f, &v, rows[i].code[0] ? 400 : 200, rows[i].code);
	}
	fx_release(&f);

	/* a server whose clock is an hour ahead */
	fx_init(&f, "[auth]\nclock_offset = 1h\n", false);
	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	expect(&f, &v, 400, "InvalidTimeStamp.Expired");
	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	text_utc(f.wall_ms / 1000 + 3600, v.stamp);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	expect(&f, &v, 200, "");
	fx_release(&f);
}

/* The fence: a nonce tells whether a request ever arrived. */
static void test_fence(void **st)
{
	struct v3 buy, ask;
	struct fx f;

	(void)st;
	fx_init(&f,
	        "[fault.lost]\naction = CreateDtsInstance\nnth = 1\ndo = cut-before\n"
	        "[fault.reply]\naction = CreateDtsInstance\nnth = 2\ndo = cut-after\n",
	        false);
	for (int arrived = 0; arrived < 2; arrived++) {
		v3_begin(
			&f, &buy, "CreateDtsInstance",
			"/?RegionId=cn-hangzhou&Type=SYNC&SourceRegion=cn-hangzhou&DestinationRegion=cn-hangzhou"
			"&PayType=PostPaid");
		v3_sign(&f, &buy, v3_signed, FX_SECRET);
		expect(&f, &buy, 0, ""); /* either way the client sees no answer */
		v3_begin(&f, &ask, "DescribeDtsJobs", LIST);
		v3_header(&ask, "x-acs-signature-nonce", buy.nonce);
		v3_sign(&f, &ask, v3_signed, FX_SECRET);
		if (arrived)
			expect(&f, &ask, 400, "SignatureNonceUsed");
		else
			expect(&f, &ask, 200, "");
	}
	assert_int_equal(f.w.inst.n, 1);

	/* 14:59 later still, 15:00 later no longer */
	fx_pass(&f, 899 * 1000);
	v3_begin(&f, &ask, "DescribeDtsJobs", LIST);
	v3_header(&ask, "x-acs-signature-nonce", buy.nonce);
	v3_sign(&f, &ask, v3_signed, FX_SECRET);
	expect(&f, &ask, 400, "SignatureNonceUsed");
	fx_pass(&f, 1000);
	v3_begin(&f, &ask, "DescribeDtsJobs", LIST);
	v3_header(&ask, "x-acs-signature-nonce", buy.nonce);
	v3_sign(&f, &ask, v3_signed, FX_SECRET);
	expect(&f, &ask, 200, "");

	/* a wrong signature does not burn a nonce */
	v3_begin(&f, &ask, "DescribeDtsJobs", LIST);
	v3_sign(&f, &ask, v3_signed, "wrong");
	expect(&f, &ask, 400, "SignatureDoesNotMatch");
	v3_sign(&f, &ask, v3_signed, FX_SECRET);
	expect(&f, &ask, 200, "");
	fx_release(&f);

	fx_init(&f, "[auth]\nfence = off\n", false);
	v3_begin(&f, &ask, "DescribeDtsJobs", LIST);
	v3_sign(&f, &ask, v3_signed, FX_SECRET);
	expect(&f, &ask, 200, "");
	expect(&f, &ask, 200, "");
	fx_release(&f);
}

static void test_token(void **st)
{
	struct v3 v;
	struct fx f;
	const char *names = "host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;"
			    "x-acs-security-token;x-acs-signature-nonce;x-acs-version";

	(void)st;
	fx_init(&f, "[auth]\ntoken_uses = 2\n", false);
	for (int i = 0; i < 4; i++) {
		v3_begin(&f, &v, "DescribeDtsJobs", LIST);
		v3_header(&v, "x-acs-accesskey-id", FX_KEY);
		v3_header(&v, "x-acs-security-token", i < 3 ? "first-token" : "fresh-token");
		v3_sign(&f, &v, names, FX_SECRET);
		expect(&f, &v, i == 2 ? 403 : 200, i == 2 ? "InvalidSecurityToken.Expired" : "");
	}
	fx_release(&f);

	fx_init(&f, "[auth]\ntoken = right\nkeys = STS.ab:" FX_SECRET "\ninactive = LTAIoff*\n",
	        false);
	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_header(&v, "x-acs-accesskey-id", FX_KEY);
	v3_header(&v, "x-acs-security-token", "wrong");
	v3_sign(&f, &v, names, FX_SECRET);
	expect(&f, &v, 400, "InvalidSecurityToken.MismatchWithAccessKey");
	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	memcpy(strstr(v.auth, FX_KEY), "STS.ab", 6);
	expect(&f, &v, 400, "MissingSecurityToken");
	v3_begin(&f, &v, "DescribeDtsJobs", LIST);
	v3_sign(&f, &v, v3_signed, FX_SECRET);
	snprintf(v.auth, sizeof(v.auth),
	         "ACS3-HMAC-SHA256 Credential=LTAIoff1,SignedHeaders=%s,Signature=%064d", v3_signed,
	         0);
	expect(&f, &v, 400, "InvalidAccessKeyId.Inactive");
	fx_release(&f);
}

static void test_denied(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "[auth]\ndeny = Create*, Delete*\n", true);
	assert_int_equal(fx_call(&f, "DeleteDtsJob", "DtsJobId", "x", NULL), 403);
	assert_string_equal(fx_code(&f), "Forbidden.RAM");
	assert_string_equal(fx_get(&f, "AccessDeniedDetail.AuthAction"), "dts:DeleteDtsJob");
	fx_release(&f);
}

static void test_v1_wrong(void **st)
{
	static const struct {
		const char *target;
		int status;
		const char *code;
	} rows[] = {
		{"/?Action=DescribeDtsJobs&Version=2020-01-01&Format=JSON&Signature=x", 400,
	         "MissingAccessKeyId"},
		{"/?Action=DescribeDtsJobs&Version=2020-01-01&Format=JSON&AccessKeyId=testid&Signature=x",
	         400, "IncompleteSignature"},
		{"/?Action=DescribeDtsJobs&Version=2020-01-01&Format=JSON&AccessKeyId=testid&SignatureMethod=HMAC-MD5"
	         "&SignatureVersion=1.0&SignatureNonce=1&Signature=x",
	         400, "InvalidSignatureMethod"},
		{"/?Action=DescribeDtsJobs&Version=2020-01-01&Format=JSON&AccessKeyId=testid&SignatureMethod=HMAC-SHA1"
	         "&SignatureVersion=2.0&SignatureNonce=1&Signature=x",
	         400, "InvalidParameter.SignatureVersion"},
		{"/?Action=DescribeDtsJobs&Version=2020-01-01&Format=JSON&AccessKeyId=testid&SignatureMethod=HMAC-SHA1"
	         "&SignatureVersion=1.0&SignatureNonce=1&Signature=x",
	         400, "IllegalTimestamp"},
		{"/?Action=DescribeDtsJobs&Format=JSON&AccessKeyId=testid&Signature=x", 400,
	         "MissingVersion"},
		{"/?Action=DescribeDtsJobs&Version=2020-01-01&Format=JSON&AccessKeyId=testid", 400,
	         "IncompleteSignature"},
	};
	struct sim_request rq = {.method = "POST", .body = ""};
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		arena_reset(&f.a);
		rq.target = rows[i].target;
		assert_int_equal(fx_raw(&f, &rq), rows[i].status);
		assert_string_equal(fx_code(&f), rows[i].code);
	}
	/* without Format the answer to V1 is XML */
	arena_reset(&f.a);
	rq.target = "/?Action=DescribeDtsJobs&Version=2020-01-01&Signature=x";
	fx_raw(&f, &rq);
	assert_non_null(strstr(buf_str(&f.rs.body), "<Error><RequestId>"));
	fx_release(&f);
}

/* Chinese, an emoji and everything that percent-encoding is about, signed the older way. */
static void test_v1_any_characters(void **st)
{
	static const char name[] =
		"\xe8\xae\xa2\xe5\x8d\x95 \xe5\x90\x8c\xe6\xad\xa5!*'()~+&=%/?#[]@";
	static const char objects[] =
		"{\"\xe5\xba\x93\":{\"name\":\"a\",\"all\":false,\"Table\":{\"t\":{\"name\":\"t\",\"all\":"
		"true,\"filter\":\"city in ('\xf0\x9f\x98\x80','O''Hare') and note like '100%*'\"}}}}";
	struct fx f;

	(void)st;
	for (int form = 0; form < 2; form++) {
		fx_init(&f, "", true);
		f.form = form;
		fx_buy(&f);
		fx_configure(&f, NULL);
		assert_int_equal(fx_call(&f, "ModifyDtsJobName", "DtsJobId", f.job, "DtsJobName",
		                         name, NULL),
		                 200);
		assert_string_equal(fx_code(&f), "");
		assert_int_equal(fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "DbList",
		                         objects, NULL),
		                 200);
		assert_string_equal(fx_code(&f), "");
		fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", f.job, NULL);
		assert_string_equal(fx_get(&f, "DtsJobName"), name);
		assert_non_null(strstr(fx_get(&f, "DbObject"), "O''Hare') and note like '100%*'"));
		fx_release(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v3_vectors),
		cmocka_unit_test(test_v1_vectors),
		cmocka_unit_test(test_vectors_through),
		cmocka_unit_test(test_v3_right),
		cmocka_unit_test(test_v3_wrong),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_v1_wrong),
		cmocka_unit_test(test_v1_any_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
