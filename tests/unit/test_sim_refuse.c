/* tests/sim/refused.txt: wrong requests, each refused with the documented code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim_fixture.h"

#define LIST "tests/sim/refused.txt"
#define MINIMUM 60

struct row {
	const char *name, *setup, *request, *expect;
};

static void settle(struct fx *f)
{
	fx_pass(f, 3600 * 1000);
}

static void buy_with(struct fx *f, const char *name, const char *value, const char *name2,
                     const char *value2)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_buy_pairs(v);

	fx_set(v, &n, name, value);
	fx_set(v, &n, name2, value2);
	if (text_eq(value, "PrePaid"))
		fx_set(v, &n, "UsedTime", "1");
	assert_int_equal(fx_callv(f, "CreateDtsInstance", v, n), 200);
	f->instance = arena_strdup(&f->mine, fx_get(f, "InstanceId"));
	f->job = arena_strdup(&f->mine, fx_get(f, "JobId"));
}

/* Flow B: configured and prechecked, not purchased. */
static void prechecked(struct fx *f)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_configure_pairs(v);

	assert_int_equal(fx_callv(f, "ConfigureDtsJob", v, n), 200);
	f->job = arena_strdup(&f->mine, fx_get(f, "DtsJobId"));
	fx_call(f, "StartDtsJob", "DtsJobId", f->job, NULL);
	settle(f);
	assert_string_equal(fx_status(f, f->job), "PreCheckPass");
}

static void migration(struct fx *f)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_configure_pairs(v);

	buy_with(f, "Type", "MIGRATION", "SyncArchitecture", NULL);
	fx_set(v, &n, "DtsInstanceId", f->instance);
	fx_set(v, &n, "JobType", "MIGRATION");
	assert_int_equal(fx_callv(f, "ConfigureDtsJob", v, n), 200);
	settle(f);
}

static void two_way(struct fx *f)
{
	buy_with(f, "SyncArchitecture", "bidirectional", "Quantity", "1");
	settle(f); /* until the list shows it */
	fx_call(f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "DtsInstanceId",
	        f->instance, NULL);
	assert_non_null(json_get(f->j, "DtsJobList")->child);
	f->reverse = arena_strdup(
		&f->mine, json_str(json_get(f->j, "DtsJobList")->child, "ReverseJob.DtsJobId"));
}

static void running(struct fx *f)
{
	fx_buy(f);
	fx_configure(f, NULL);
	settle(f);
	assert_string_equal(fx_status(f, f->job), "synchronizing");
}

static void set_status(struct fx *f, const char *status)
{
	struct sim_request rq = {.method = "GET"};

	rq.target =
		arena_printf(&f->mine, "/_sim/set?job=%s&field=status&value=%s", f->job, status);
	assert_int_equal(fx_raw(f, &rq), 200);
}

/* From one region to another. */
static void faraway(struct fx *f)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_configure_pairs(v);

	buy_with(f, "SourceRegion", "cn-beijing", "Quantity", "1");
	fx_set(v, &n, "DtsInstanceId", f->instance);
	fx_set(v, &n, "SourceEndpointRegion", "cn-beijing");
	assert_int_equal(fx_callv(f, "ConfigureDtsJob", v, n), 200);
	settle(f);
}

static void prepare(struct fx *f, const char *setup)
{
	if (strcmp(setup, "none") == 0)
		return;
	if (strcmp(setup, "prepaid") == 0) {
		buy_with(f, "PayType", "PrePaid", "Period", "Month");
	} else if (strcmp(setup, "twoway") == 0) {
		two_way(f);
	} else if (strcmp(setup, "kafka") == 0) {
		buy_with(f, "DestinationEndpointEngineName", "kafka", "Quantity", "1");
	} else if (strcmp(setup, "migration") == 0) {
		migration(f);
	} else if (strcmp(setup, "prechecked") == 0) {
		prechecked(f);
	} else if (strcmp(setup, "faraway") == 0) {
		faraway(f);
	} else if (strcmp(setup, "retrying") == 0 || strcmp(setup, "initializing") == 0) {
		running(f);
		set_status(f, setup[0] == 'r' ? "Retrying" : "Initializing");
	} else if (strcmp(setup, "bought") == 0) {
		fx_buy(f);
	} else if (strcmp(setup, "notstarted") == 0 || strcmp(setup, "prechecking") == 0) {
		fx_buy(f);
		fx_configure(f,
		             setup[0] == 'n' ? "{\"autoStartModulesAfterConfig\":\"none\"}" : NULL);
	} else {
		running(f);
		if (strcmp(setup, "paused") == 0)
			fx_call(f, "SuspendDtsJob", "DtsJobId", f->job, NULL);
		else if (strcmp(setup, "stopped") == 0)
			fx_call(f, "StopDtsJob", "DtsJobId", f->job, NULL);
		else if (strcmp(setup, "released") == 0)
			fx_call(f, "DeleteDtsJob", "DtsJobId", f->job, NULL);
		else if (strcmp(setup, "reset") == 0)
			fx_call(f, "ResetDtsJob", "DtsJobId", f->job, NULL);
		else if (strcmp(setup, "modifying") == 0)
			fx_call(f, "ModifyDtsJob", "DtsInstanceId", f->instance, "DbList",
			        "{\"b\":{}}", NULL);
		else if (strcmp(setup, "running") != 0)
			fail_msg("unknown setup %s", setup);
		assert_string_equal(fx_code(f), "");
		if (strcmp(setup, "modifying") != 0)
			fx_pass(f, 5000);
	}
}

/* The complete right request that the changes of a row start from. */
static size_t start_pairs(struct fx *f, const char *action, const char *setup, struct fx_pair *v)
{
	size_t n = 0;

	if (strcmp(action, "CreateDtsInstance") == 0)
		return fx_buy_pairs(v);
	if (strcmp(action, "ConfigureDtsJob") == 0) {
		n = fx_configure_pairs(v);
		if (f->instance)
			fx_set(v, &n, "DtsInstanceId", f->instance);
		if (strcmp(setup, "kafka") == 0) {
			fx_set(v, &n, "DestinationEndpointEngineName", "KAFKA");
			fx_set(v, &n, "DestinationEndpointInstanceType", "ECS");
			fx_set(v, &n, "DestinationEndpointInstanceID", "i-kafka");
			fx_set(v, &n, "DestinationEndpointPort", "9092");
			fx_set(v, &n, "StructureInitialization", "false");
			fx_set(v, &n, "Reserve",
			       "{\"destTopic\":\"t\",\"destVersion\":\"1.0\",\"destSSL\":\"0\","
			       "\"kafkaRecordFormat\":\"canal_json\"}");
		}
		return n;
	}
	fx_set(v, &n, "RegionId", "cn-hangzhou");
	if (strcmp(action, "DescribeDtsJobs") == 0)
		fx_set(v, &n, "Region", "cn-hangzhou");
	if (strstr(action, "agResources"))
		fx_set(v, &n, "ResourceType", "ALIYUN::DTS::INSTANCE");
	return n;
}

static const char *expand(struct fx *f, const char *value)
{
	struct buf b;
	char *s;

	buf_init(&b, 1 << 16);
	for (const char *p = value; *p; p++) {
		if (*p != '$') {
			buf_putc(&b, *p);
			continue;
		}
		p++;
		buf_puts(&b, *p == 'I'    ? f->instance
		             : *p == 'J'  ? f->job
		             : f->reverse ? f->reverse
		                          : "");
	}
	s = arena_strdup(&f->mine, buf_str(&b));
	buf_reset(&b);
	if (strchr(s, '%') && text_unpercent(&b, s, strlen(s), false))
		s = arena_strdup(&f->mine, buf_str(&b));
	buf_release(&b);
	return s;
}

static int send(struct fx *f, const struct row *r)
{
	struct fx_pair v[FX_PAIRS];
	char *action = text_field(&f->mine, r->request, ' ', 0), *token, *eq;
	size_t n = start_pairs(f, action, r->setup, v);

	for (size_t i = 1; (token = text_field(&f->mine, r->request, ' ', i)); i++) {
		if (token[0] == '-') {
			fx_set(v, &n, token + 1, NULL);
			continue;
		}
		eq = strchr(token, '=');
		if (!eq)
			continue;
		*eq = '\0';
		fx_set(v, &n, token, expand(f, eq + 1));
	}
	return fx_callv(f, action, v, n);
}

static bool refused(struct fx *f, const struct row *r, int status)
{
	const char *form = text_field(&f->mine, r->expect, ' ', 1),
		   *code = text_field(&f->mine, r->expect, ' ', 2);
	const char *part = strchr(r->expect, '~');
	int want = atoi(r->expect);
	bool ok = status == want && strcmp(fx_code(f), code) == 0;

	if (ok && form[0] == 'B')
		ok = !json_true(json_get(f->j, "Success")) && !json_get(f->j, "Code");
	if (ok && form[0] == 'A')
		ok = json_get(f->j, "Message") && json_get(f->j, "HostId") &&
		     !json_get(f->j, "Success");
	if (ok && part)
		ok = strstr(buf_str(&f->rs.body), part + 1) != NULL;
	/* a refusal changes nothing */
	return ok && !f->rs.effect;
}

static bool run_row(const struct row *r)
{
	struct fx f;
	int status;
	bool ok;

	fx_init(&f, "[limits]\noff = true\n[timing]\nfinished = 1d\n", false);
	prepare(&f, r->setup);
	status = send(&f, r);
	ok = refused(&f, r, status);
	if (!ok)
		print_error("%s: wanted %s, got %d %s\n", r->name, r->expect, status,
		            buf_str(&f.rs.body));
	/* the same in the form body of a POST */
	f.form = true;
	if (ok && !refused(&f, r, send(&f, r))) {
		print_error("%s in the form body: %s\n", r->name, buf_str(&f.rs.body));
		ok = false;
	}
	fx_release(&f);
	return ok;
}

static void test_refused(void **st)
{
	struct buf b;
	struct arena a;
	size_t rows = 0, bad = 0;
	char *line, *next;
	struct row r;

	(void)st;
	arena_init(&a);
	buf_init(&b, 1 << 20);
	if (sys_read_file(LIST, &b) != 0)
		fail_msg("cannot read " LIST);
	for (line = arena_strdup(&a, buf_str(&b)); line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		r.name = text_field(&a, line, '|', 0);
		r.setup = text_field(&a, line, '|', 1);
		r.request = text_field(&a, line, '|', 2);
		r.expect = text_field(&a, line, '|', 3);
		assert_non_null(r.expect);
		rows++;
		bad += !run_row(&r);
	}
	buf_release(&b);
	arena_release(&a);
	print_message("%zu wrong requests\n", rows);
	assert_true(rows >= MINIMUM);
	assert_int_equal(bad, 0);
}

/* Things too large or too odd for a line of the table. */
static void test_large(void **st)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_configure_pairs(v);
	struct buf b;
	struct fx f;

	(void)st;
	fx_init(&f, "[limits]\noff = true\n", true);
	fx_buy(&f);
	buf_init(&b, 4 << 20);
	buf_puts(&b, "{\"shop\":{\"name\":\"");
	while (b.n < (1 << 20))
		buf_puts(&b, "0123456789abcdef");
	buf_puts(&b, "\"}}");
	fx_set(v, &n, "DtsInstanceId", f.instance);
	fx_set(v, &n, "DbList", buf_str(&b));
	f.form = true;
	assert_int_equal(fx_callv(&f, "ConfigureDtsJob", v, n), 200);
	assert_string_equal(fx_code(&f), "InvalidParameterValid");
	assert_string_equal(fx_get(&f, "DynamicMessage"), "DbList");
	buf_release(&b);
	fx_release(&f);
}

static void test_more_than_twenty_tags(void **st)
{
	struct fx_pair v[FX_PAIRS];
	char names[42][24];
	size_t n = 0;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_set(v, &n, "RegionId", "cn-hangzhou");
	fx_set(v, &n, "ResourceType", "ALIYUN::DTS::INSTANCE");
	fx_set(v, &n, "ResourceId.1", f.instance);
	for (int i = 0; i < 21; i++) {
		snprintf(names[2 * i], 24, "Tag.%d.Key", i + 1);
		snprintf(names[2 * i + 1], 24, "Tag.%d.Value", i + 1);
		fx_set(v, &n, names[2 * i], names[2 * i]);
		fx_set(v, &n, names[2 * i + 1], "x");
	}
	fx_callv(&f, "TagResources", v, n);
	assert_string_equal(fx_code(&f), "InvalidParameterValid");
	fx_release(&f);
}

/* The scenario chooses the form and the prefix of a code, and lets unknown names pass. */
static void test_shapes(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f,
	        "[errors]\nForbidden.InstanceNotFound = body+prefix\nInvalidParameterValid = http\n[service]\nlenient = true\n",
	        true);
	assert_int_equal(
		fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", "nosuch", "Colour", "red", NULL),
		200);
	assert_string_equal(fx_code(&f), "DTS.Msg.Forbidden.InstanceNotFound");
	assert_int_equal(fx_call(&f, "DescribeDtsJobs", "Region", "mars", NULL), 403);
	assert_string_equal(fx_code(&f), "InvalidParameterValid");
	fx_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_more_than_twenty_tags),
		cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
