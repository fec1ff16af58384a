#include "sim_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "sim/auth.h"
#include "sim/fields.h"
#include "sim/request.h"

void fx_init(struct fx *f, const char *scenario, bool instant)
{
	struct err e = {0};

	memset(f, 0, sizeof(*f));
	scenario_init(&f->sc[0]);
	scenario_init(&f->sc[1]);
	if (scenario_parse(&f->sc[0], "scenario", scenario, strlen(scenario), &e) != 0)
		fail_msg("%s", e.msg);
	arena_init(&f->a);
	arena_init(&f->mine);
	f->wall_ms = INT64_C(1795600000000);
	f->now_ms = f->wall_ms;
	world_init(&f->w, &f->sc[0]);
	f->w.spare = &f->sc[1];
	f->w.key_id = FX_KEY;
	f->w.key_secret = FX_SECRET;
	f->w.instant = instant;
	buf_init(&f->rs.body, (size_t)64 << 20);
	buf_init(&f->rs.log, (size_t)64 << 20);
}

void fx_release(struct fx *f)
{
	buf_release(&f->rs.body);
	buf_release(&f->rs.log);
	world_release(&f->w);
	scenario_release(&f->sc[0]);
	scenario_release(&f->sc[1]);
	arena_release(&f->a);
	arena_release(&f->mine);
}

void fx_pass(struct fx *f, int64_t ms)
{
	f->now_ms += ms;
	f->wall_ms += ms;
}

int fx_raw(struct fx *f, const struct sim_request *rq)
{
	struct buf body = f->rs.body, log = f->rs.log;
	struct sim_request own = *rq;

	memset(&f->rs, 0, sizeof(f->rs));
	f->rs.body = body;
	f->rs.log = log;
	buf_reset(&f->rs.body);
	buf_reset(&f->rs.log);
	own.now_ms = f->now_ms;
	own.wall_ms = f->wall_ms;
	sim_handle(&f->w, &f->a, &own, &f->rs);
	f->j = json_parse(&f->a, buf_str(&f->rs.body), f->rs.body.n, NULL);
	return f->rs.cut != CUT_NONE ? 0 : f->rs.status;
}

static void add_pair(struct buf *b, const char *name, const char *value)
{
	if (b->n > 0 && b->p[b->n - 1] != '?')
		buf_putc(b, '&');
	text_percent(b, name, strlen(name));
	buf_putc(b, '=');
	text_percent(b, value, strlen(value));
}

static void sign(struct fx *f, struct buf *target, struct sim_request *rq)
{
	struct params p;
	uint8_t d[20];
	char b64[32];
	char *sts;

	request_params(rq, &f->a, &p);
	sts = auth_v1_string(&f->a, rq, &p);
	hash_hmac_sha1(FX_SECRET "&", strlen(FX_SECRET) + 1, sts, strlen(sts), d);
	hash_base64(d, sizeof(d), b64);
	add_pair(target, "Signature", b64);
	rq->target = buf_str(target);
}

int fx_callv(struct fx *f, const char *action, const struct fx_pair *v, size_t n)
{
	static const struct sim_header form_header[] = {
		{"Content-Type", "application/x-www-form-urlencoded"}};
	struct sim_request rq = {.method = "POST", .headers = form_header, .nheaders = 1};
	struct buf target, body;
	char stamp[21], nonce[32];
	int rc;

	arena_reset(&f->a);
	buf_init(&target, (size_t)8 << 20);
	buf_init(&body, (size_t)8 << 20);
	text_utc(f->wall_ms / 1000, stamp);
	snprintf(nonce, sizeof(nonce), "nonce-%d", ++f->nonce);
	buf_puts(&target, "/?");
	add_pair(&target, "Action", action);
	add_pair(&target, "Version", "2020-01-01");
	add_pair(&target, "Format", "JSON");
	add_pair(&target, "AccessKeyId", FX_KEY);
	add_pair(&target, "SignatureMethod", "HMAC-SHA1");
	add_pair(&target, "SignatureVersion", "1.0");
	add_pair(&target, "SignatureNonce", nonce);
	add_pair(&target, "Timestamp", stamp);
	for (size_t i = 0; i < n; i++)
		add_pair(f->form ? &body : &target, v[i].name, v[i].value);
	rq.target = buf_str(&target);
	rq.body = buf_str(&body);
	rq.body_n = body.n;
	sign(f, &target, &rq);
	rc = fx_raw(f, &rq);
	buf_release(&target);
	buf_release(&body);
	return rc;
}

int fx_call(struct fx *f, const char *action, ...)
{
	struct fx_pair v[FX_PAIRS];
	const char *name;
	size_t n = 0;
	va_list ap;

	va_start(ap, action);
	while ((name = va_arg(ap, const char *)) != NULL) {
		v[n].name = name;
		v[n++].value = va_arg(ap, const char *);
	}
	va_end(ap);
	return fx_callv(f, action, v, n);
}

const char *fx_get(const struct fx *f, const char *path)
{
	return str_or(f->j != NULL ? json_str(f->j, path) : NULL);
}

const char *fx_code(const struct fx *f)
{
	if (f->rs.status != 200)
		return fx_get(f, "Code");
	return f->j != NULL && json_get(f->j, "Success") != NULL &&
	                       !json_true(json_get(f->j, "Success"))
	               ? fx_get(f, "ErrCode")
	               : "";
}

const char *fx_status(struct fx *f, const char *job)
{
	if (fx_call(f, "DescribeDtsJobDetail", "DtsJobId", job, NULL) != 200)
		return fx_code(f);
	return fx_get(f, "Status");
}

size_t fx_buy_pairs(struct fx_pair *v)
{
	static const struct fx_pair d[] = {
		{"RegionId", "cn-hangzhou"},
		{"Type", "SYNC"},
		{"SourceRegion", "cn-hangzhou"},
		{"DestinationRegion", "cn-hangzhou"},
		{"PayType", "PostPaid"},
		{"InstanceClass", "small"},
		{"SyncArchitecture", "oneway"},
		{"SourceEndpointEngineName", "MySQL"},
		{"DestinationEndpointEngineName", "MySQL"},
	};

	memcpy(v, d, sizeof(d));
	return sizeof(d) / sizeof(d[0]);
}

size_t fx_configure_pairs(struct fx_pair *v)
{
	static const struct fx_pair d[] = {
		{"RegionId", "cn-hangzhou"},
		{"DtsJobName", "orders"},
		{"JobType", "SYNC"},
		{"StructureInitialization", "true"},
		{"DataInitialization", "true"},
		{"DataSynchronization", "true"},
		{"SourceEndpointInstanceType", "RDS"},
		{"SourceEndpointEngineName", "MySQL"},
		{"SourceEndpointInstanceID", "rm-source"},
		{"SourceEndpointRegion", "cn-hangzhou"},
		{"SourceEndpointUserName", "dts"},
		{"SourceEndpointPassword", "EXAMPLE-source"},
		{"DestinationEndpointInstanceType", "RDS"},
		{"DestinationEndpointEngineName", "MySQL"},
		{"DestinationEndpointInstanceID", "rm-target"},
		{"DestinationEndpointRegion", "cn-hangzhou"},
		{"DestinationEndpointUserName", "dts"},
		{"DestinationEndpointPassword", "EXAMPLE-target"},
		{"DbList", "{\"shop\":{\"name\":\"shop\",\"all\":true}}"},
		{"Reserve", "{\"targetTableMode\":\"0\"}"},
	};

	memcpy(v, d, sizeof(d));
	return sizeof(d) / sizeof(d[0]);
}

void fx_set(struct fx_pair *v, size_t *n, const char *name, const char *value)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(v[i].name, name) != 0)
			continue;
		if (value != NULL)
			v[i].value = value;
		else
			v[i] = v[--*n];
		return;
	}
	if (value != NULL) {
		v[*n].name = name;
		v[(*n)++].value = value;
	}
}

void fx_buy(struct fx *f)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_buy_pairs(v);

	assert_int_equal(fx_callv(f, "CreateDtsInstance", v, n), 200);
	assert_string_equal(fx_code(f), "");
	f->instance = arena_strdup(&f->mine, fx_get(f, "InstanceId"));
	f->job = arena_strdup(&f->mine, fx_get(f, "JobId"));
}

void fx_configure(struct fx *f, const char *reserve)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_configure_pairs(v);

	fx_set(v, &n, "DtsInstanceId", f->instance);
	if (reserve != NULL)
		fx_set(v, &n, "Reserve", reserve);
	assert_int_equal(fx_callv(f, "ConfigureDtsJob", v, n), 200);
	if (fx_code(f)[0] != '\0')
		fail_msg("%s", buf_str(&f->rs.body));
}
