/*
 * Everything the encoder can emit against the published metadata, and against
 * what the reference program sent for the same work (recorded requests).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "remote/dts.h"

static struct arena a;

static int setup(void **state)
{
	(void)state;
	arena_init(&a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&a);
	return 0;
}

static char *slurp(const char *name)
{
	const char *dir = getenv("TEST_VECTORS");
	char *path = arena_printf(&a, "%s/%s", dir ? dir : "tests/vectors", name), *s;
	struct buf b;

	buf_init(&b, (size_t)8 << 20);
	if (sys_read_file(path, &b))
		fail_msg("%s cannot be read", path);
	s = arena_strndup(&a, buf_str(&b), b.n);
	buf_release(&b);
	return s;
}

static struct json *parse(const char *text)
{
	struct json_err e = {0};
	struct json *v = json_parse(&a, text, strlen(text), &e);

	if (!v)
		fail_msg("%s at %zu: %s", e.msg, e.off, text);
	return v;
}

/* ---- metadata ------------------------------------------------------------------ */

static const struct json *metadata(enum api_action action)
{
	return parse(slurp(arena_printf(&a, "operations/%s.json", api_def(action)->name)));
}

static const struct json *by_name(const struct json *list, const char *name, size_t n)
{
	for (const struct json *p = list ? list->child : NULL; p; p = p->next)
		if (strlen(json_str(p, "name")) == n && !strncmp(json_str(p, "name"), name, n))
			return p;
	return NULL;
}

/* The row of "Tag.3.Key", "ResourceId.1", "DtsJobId". */
static const struct json *row_of(const struct json *op, const char *name)
{
	const struct json *p = by_name(json_get(op, "parameters"), name, strcspn(name, "."));
	const char *dot = strchr(name, '.');
	bool list = p && !strcmp(json_str(p, "type"), "RepeatList");

	if (!p || list != (dot != NULL))
		return NULL;
	if (!dot)
		return p;
	dot += 1 + strspn(dot + 1, "0123456789");
	if (!*dot)
		return json_get(p, "sub_parameters") ? NULL : p;
	return by_name(json_get(p, "sub_parameters"), dot + 1, strlen(dot + 1));
}

static void check_value(const char *action, const struct json *row, const struct pair *p)
{
	const char *type = json_str(row, "type");
	int64_t n;

	if (!strcmp(type, "Boolean") && strcmp(p->value, "true") != 0 && strcmp(p->value, "false") != 0)
		fail_msg("%s %s=%s: no boolean", action, p->name, p->value);
	if ((!strcmp(type, "Integer") || !strcmp(type, "Long")) && !text_int(p->value, 0, INT64_MAX, &n))
		fail_msg("%s %s=%s: no whole number", action, p->name, p->value);
}

static void check_pairs(const struct json *op, const struct pair *v, size_t n, const char *position)
{
	for (size_t i = 0; i < n; i++) {
		const struct json *row = row_of(op, v[i].name);

		if (!row)
			fail_msg("%s has no %s", json_str(op, "name"), v[i].name);
		if (strcmp(json_str(row, "position"), position) != 0)
			fail_msg("%s %s: position", json_str(op, "name"), v[i].name);
		check_value(json_str(op, "name"), row, &v[i]);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(v[i].name, v[k].name))
				fail_msg("%s %s twice", json_str(op, "name"), v[i].name);
	}
}

static const char *value_in(const struct pair *v, size_t n, const char *name, bool prefix)
{
	size_t k = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name) || (prefix && !strncmp(v[i].name, name, k) && v[i].name[k] == '.'))
			return v[i].value;
	return NULL;
}

static const char *value_of(const struct dts_call *c, const char *name)
{
	const char *s = value_in(c->query, c->nquery, name, false);

	return s ? s : value_in(c->form, c->nform, name, false);
}

static void check_call(const struct dts_call *c)
{
	const struct json *op = metadata(c->action);

	assert_string_equal(json_str(op, "name"), api_def(c->action)->name);
	check_pairs(op, c->query, c->nquery, "Query");
	check_pairs(op, c->form, c->nform, "Body");
	for (const struct json *p = json_get(op, "parameters")->child; p; p = p->next) {
		bool list = !strcmp(json_str(p, "type"), "RepeatList");

		if (json_get(p, "required")->b && !value_in(c->query, c->nquery, json_str(p, "name"), list) &&
		    !value_in(c->form, c->nform, json_str(p, "name"), list))
			fail_msg("%s lacks %s", api_def(c->action)->name, json_str(p, "name"));
	}
	/* RegionId always (dts-api.md 1). */
	assert_string_equal(value_of(c, "RegionId"), "cn-hangzhou");
}

/* ---- inputs -------------------------------------------------------------------- */

struct setting {
	struct step_input in;
	struct op op;
	struct record have;
	struct observed seen;
	const char *vals[ATTR_MAX], *had[ATTR_MAX];
};

static void input(struct setting *s, const struct type_def *t)
{
	memset(s, 0, sizeof *s);
	s->op = (struct op){.address = "x", .type = t, .want = RES_NONE, .kind = OP_CREATE};
	s->have.attrs = s->had;
	s->in = (struct step_input){.op = &s->op, .vals = s->vals, .region = "cn-hangzhou", .instance_id = "dtsi", .job_id = "j",
	                            .client_token = "token", .free_name = "name~0a"};
}

static const char **slot(struct setting *s, const char *key)
{
	return &s->vals[attr_of(s->op.type, key)];
}

static const char *sample(const struct attr_def *at)
{
	switch (at->kind) {
	case AK_BOOL:
		return "true";
	case AK_INT:
		return arena_printf(&a, "%lld", (long long)(at->min ? at->min : 10));
	case AK_ENUM:
		return arena_strndup(&a, at->values, strcspn(at->values, "|"));
	case AK_OBJECT:
		return "{\"k\":\"v\"}";
	case AK_LIST:
		return "[{\"module\":\"07\",\"name\":\"n\",\"value\":\"1\"}]";
	case AK_PHONES:
		return "13000000000,13000000001";
	case AK_TAGS:
		return "{\"empty\":\"\",\"team\":\"a\"}";
	case AK_STR:
		break;
	}
	return arena_printf(&a, "text of %s", at->key);
}

static void fill(struct setting *s)
{
	for (size_t i = 0; i < s->op.type->nattrs; i++)
		s->vals[i] = sample(&s->op.type->attrs[i]);
}

/* ---- metadata ------------------------------------------------------------------ */

static enum api_action single_of(enum step s)
{
	return s == DO_START    ? API_START_DTS_JOB
	       : s == DO_SUSPEND ? API_SUSPEND_DTS_JOB
	       : s == DO_DELETE  ? API_DELETE_DTS_JOB
	                         : step_def(s)->action;
}

static void each_step(struct setting *s, const char *const *ids)
{
	for (int i = STEP_NONE + 1; i < STEP__COUNT; i++) {
		enum step step = (enum step)i;
		struct dts_call c;

		if (step_def(step)->action == API_NONE)
			continue;
		if (s->op.type == &type_instance && step != DO_BUY && step != DO_CLASS && step != DO_PAYTYPE && step != DO_TWOWAY &&
		    step != DO_GROUP && step != DO_TAGS && step != DO_UNTAG && step != DO_DELETE)
			continue;
		dts_encode(&c, &a, step, &s->in);
		assert_int_equal(c.action, single_of(step));
		check_call(&c);
		if (step != DO_START && step != DO_SUSPEND && step != DO_DELETE)
			continue;
		s->in.job_ids = ids;
		s->in.njob_ids = 3;
		dts_encode(&c, &a, step, &s->in);
		assert_int_equal(c.action, step_def(step)->action);
		check_call(&c);
		assert_string_equal(value_of(&c, "DtsJobIds"), "j1,j2,j3");
		s->in.job_ids = NULL;
		s->in.njob_ids = 0;
	}
}

static void test_steps(void **state)
{
	static const char *const ids[] = {"j1", "j2", "j3"};
	static const struct type_def *const both[] = {&type_job, &type_instance};
	struct setting s;

	(void)state;
	for (size_t t = 0; t < 2; t++)
		for (int variant = 0; variant < 4; variant++) {
			input(&s, both[t]);
			fill(&s);
			s.op.have = &s.have;
			s.had[attr_of(both[t], "tags")] = "{\"gone\":\"1\",\"team\":\"a\"}";
			s.in.two_way = variant & 1;
			s.in.reverse = variant == 3;
			if (variant & 2)
				*slot(&s, "payment_type") = "Subscription";
			each_step(&s, ids);
		}
}

static void test_reads(void **state)
{
	static const char *const ids[] = {"dtsa", "dtsb"}, *const items[] = {"CHECK_SRC", "CHECK_SAME_OBJ"};
	struct dts_call c;

	(void)state;
	dts_encode_list(&c, &a, "cn-hangzhou", 3, NULL, false);
	check_call(&c);
	assert_string_equal(value_of(&c, "JobType"), "SYNC");
	assert_string_equal(value_of(&c, "PageNumber"), "3");
	assert_string_equal(value_of(&c, "PageSize"), "100");
	assert_string_equal(value_of(&c, "Region"), "cn-hangzhou");
	assert_string_equal(value_of(&c, "WithoutDbList"), "true");
	dts_encode_list(&c, &a, "cn-hangzhou", 1, "dtsa", true);
	check_call(&c);
	assert_string_equal(value_of(&c, "DtsInstanceId"), "dtsa");
	assert_null(value_of(&c, "WithoutDbList"));
	dts_encode_detail(&c, &a, "cn-hangzhou", "dtsa", NULL, true);
	check_call(&c);
	assert_string_equal(value_of(&c, "DtsInstanceID"), "dtsa");
	assert_string_equal(value_of(&c, "SynchronizationDirection"), "Reverse");
	dts_encode_config(&c, &a, "cn-hangzhou", "j");
	check_call(&c);
	dts_encode_precheck(&c, &a, "cn-hangzhou", "j");
	check_call(&c);
	dts_encode_monitor(&c, &a, "cn-hangzhou", "j");
	check_call(&c);
	dts_encode_tags(&c, &a, "cn-hangzhou", ids, 2, "next");
	check_call(&c);
	assert_string_equal(value_of(&c, "ResourceId.2"), "dtsb");
	dts_encode_tag(&c, &a, "cn-hangzhou", "dtsa", "k", "");
	check_call(&c);
	assert_string_equal(value_of(&c, "Tag.1.Value"), ""); /* an empty value is one */
	dts_encode_untag(&c, &a, "cn-hangzhou", "dtsa", ids, 2);
	check_call(&c);
	dts_encode_skip(&c, &a, "cn-hangzhou", "j", items, 2);
	check_call(&c);
	assert_string_equal(value_of(&c, "SkipPreCheckItems"), "[\"CHECK_SRC\",\"CHECK_SAME_OBJ\"]");
	assert_string_equal(value_of(&c, "SkipPreCheckNames"), "[\"CHECK_SRC_DETAIL\",\"CHECK_SAME_OBJ_DETAIL\"]");
}

static void test_param(void **state)
{
	struct dts_call c;

	(void)state;
	dts_call_init(&c, &a, API_DESCRIBE_DTS_JOBS, "cn-hangzhou");
	dts_param(&c, "Status", "NotConfigured");
	dts_param(&c, "Status", "Failed"); /* in place of the former */
	dts_param(&c, "Tags", NULL);
	dts_param(&c, "Tags", "");
	assert_int_equal(c.nquery, 2);
	assert_string_equal(value_of(&c, "Status"), "Failed");
}

/* ---- what the steps say ----------------------------------------------------------- */

static void same_json(const char *mine, const char *theirs)
{
	if (!mine || !json_equal(parse(mine), parse(theirs)))
		fail_msg("%s\n%s", mine ? mine : "(none)", theirs);
}

static void test_configure(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	input(&s, &type_job);
	*slot(&s, "dts_job_name") = "n";
	*slot(&s, "dts_instance_id") = "dtsi";
	*slot(&s, "reserve") = "{\"targetTableMode\":\"0\",\"srcSSL\":\"0\"}";
	*slot(&s, "source_endpoint_ssl") = "1";
	*slot(&s, "data_synchronization") = "true";
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	assert_string_equal(value_of(&c, "JobType"), "SYNC");
	assert_string_equal(value_of(&c, "DataSynchronization"), "true");
	assert_string_equal(value_of(&c, "DataInitialization"), "false"); /* never left out */
	assert_string_equal(value_of(&c, "StructureInitialization"), "false");
	same_json(value_of(&c, "Reserve"), "{\"targetTableMode\":\"0\",\"srcSSL\":\"1\"}");
	assert_null(value_of(&c, "SynchronizationDirection"));
	assert_null(value_of(&c, "DtsJobId"));
	/* To be paused: not started at all. */
	*slot(&s, "status") = "Suspending";
	s.in.two_way = true;
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	same_json(value_of(&c, "Reserve"), "{\"targetTableMode\":\"0\",\"srcSSL\":\"1\",\"autoStartModulesAfterConfig\":\"none\"}");
	assert_string_equal(value_of(&c, "SynchronizationDirection"), "Forward");
	/* Free, under its provisional name. */
	input(&s, &type_job);
	*slot(&s, "dts_job_name") = "n";
	dts_encode(&c, &a, DO_CONFIGURE_FREE, &s.in);
	assert_string_equal(value_of(&c, "DtsJobName"), "name~0a");
	assert_null(value_of(&c, "DtsInstanceId"));
	assert_null(value_of(&c, "DtsJobId"));
	assert_null(value_of(&c, "Reserve"));
	/* Once more, after the purchase: the ids say which job. */
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	assert_string_equal(value_of(&c, "DtsJobName"), "n");
	assert_string_equal(value_of(&c, "DtsInstanceId"), "dtsi");
	assert_string_equal(value_of(&c, "DtsJobId"), "j");
	/* A job that rests and is only configured anew stays at rest. */
	s.op.kind = OP_UPDATE;
	s.op.seen = &s.seen;
	s.seen.status = ST_NOT_STARTED;
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	same_json(value_of(&c, "Reserve"), "{\"autoStartModulesAfterConfig\":\"none\"}");
	s.seen.status = ST_PRECHECK_FAILED;
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	assert_null(value_of(&c, "Reserve"));
}

static void test_buy_job(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	input(&s, &type_job);
	*slot(&s, "payment_type") = "PayAsYouGo";
	*slot(&s, "instance_class") = "small";
	dts_encode(&c, &a, DO_BUY_JOB, &s.in);
	check_call(&c);
	assert_string_equal(value_of(&c, "JobId"), "j");
	assert_string_equal(value_of(&c, "PayType"), "PostPaid");
	assert_string_equal(value_of(&c, "InstanceClass"), "small");
	assert_string_equal(value_of(&c, "AutoStart"), "true"); /* autoStartModulesAfterConfig has no effect there */
	*slot(&s, "status") = "Suspending";
	dts_encode(&c, &a, DO_BUY_JOB, &s.in);
	assert_string_equal(value_of(&c, "AutoStart"), "false");
}

static void test_reserved(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	input(&s, &type_job);
	*slot(&s, "reserve") = "{\"targetTableMode\":\"2\",\"maxRetryTime\":\"43200\",\"srcSSL\":\"0\"}";
	*slot(&s, "destination_endpoint_ssl") = "1";
	s.op.seen = &s.seen;
	s.seen.row = parse("{\"Reserved\":\"{\\\"targetTableMode\\\":\\\"0\\\",\\\"maxRetryTime\\\":43200,\\\"srcSSL\\\":\\\"0\\\",\\\"added\\\":1}\","
	                   "\"DestinationEndpoint\":{\"SslSolutionEnum\":\"DISABLE\"}}");
	dts_encode(&c, &a, DO_RESERVED, &s.in);
	check_call(&c);
	assert_string_equal(value_of(&c, "ModifyTypeEnum"), "UPDATE_RESERVED");
	/* Changed keys of the user alone, never what the service added. */
	same_json(value_of(&c, "Reserved"), "{\"targetTableMode\":\"2\",\"destSSL\":\"1\"}");
	assert_null(value_of(&c, "DbList"));
	s.op.seen = NULL; /* not read: all of them */
	dts_encode(&c, &a, DO_RESERVED, &s.in);
	same_json(value_of(&c, "Reserved"), "{\"targetTableMode\":\"2\",\"maxRetryTime\":\"43200\",\"srcSSL\":\"0\",\"destSSL\":\"1\"}");
}

static void test_parameters(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	input(&s, &type_job);
	*slot(&s, "job_parameters") = "[{\"module\":\"03\",\"name\":\"a\",\"value\":\"4\"},{\"module\":\"07\",\"name\":\"b\",\"value\":64}]";
	dts_encode(&c, &a, DO_PARAMS, &s.in); /* nothing known: all */
	same_json(value_of(&c, "Parameters"), "[{\"module\":\"03\",\"name\":\"a\",\"value\":\"4\"},{\"module\":\"07\",\"name\":\"b\",\"value\":64}]");
	s.op.have = &s.have;
	s.op.seen = &s.seen;
	s.had[attr_of(&type_job, "job_parameters")] =
	    "[{\"module\":\"03\",\"name\":\"a\",\"value\":\"4\"},{\"module\":\"07\",\"name\":\"gone\",\"value\":\"9\"},"
	    "{\"module\":\"07\",\"name\":\"gone2\",\"value\":\"9\"},{\"module\":\"07\",\"name\":\"lost\",\"value\":\"9\"}]";
	s.seen.config = parse("{\"Parameters\":[{\"Module\":\"03\",\"Name\":\"a\",\"RunningValue\":\"4\",\"DefaultValue\":\"1\"},"
	                      "{\"Module\":\"07\",\"Name\":\"b\",\"RunningValue\":\"1\",\"DefaultValue\":\"1\"},"
	                      "{\"Module\":\"07\",\"Name\":\"gone\",\"RunningValue\":\"9\",\"DefaultValue\":\"2\"},"
	                      "{\"Module\":\"07\",\"Name\":\"gone2\",\"RunningValue\":\"2\",\"DefaultValue\":\"2\"}]}");
	dts_encode(&c, &a, DO_PARAMS, &s.in); /* what differs, and what was taken out back to its default */
	same_json(value_of(&c, "Parameters"), "[{\"module\":\"07\",\"name\":\"b\",\"value\":64},{\"module\":\"07\",\"name\":\"gone\",\"value\":\"2\"}]");
}

static void test_endpoint_move(void **state)
{
	struct change changed;
	struct setting s;
	struct dts_call c;

	(void)state;
	input(&s, &type_job);
	*slot(&s, "source_endpoint_instance_type") = "MONGODB";
	*slot(&s, "source_endpoint_user_name") = "u";
	*slot(&s, "source_endpoint_password") = "p";
	*slot(&s, "destination_endpoint_instance_type") = "RDS";
	*slot(&s, "reserve") = "{\"srcEngineArchType\":\"2\"}";
	dts_encode(&c, &a, DO_ENDPOINT_SRC, &s.in);
	assert_string_equal(value_of(&c, "Endpoint"), "src");
	assert_string_equal(value_of(&c, "EndpointInstanceType"), "distributed_mongodb");
	assert_null(value_of(&c, "Password"));
	assert_null(value_of(&c, "ModifyAccount"));
	memset(&changed, 0, sizeof changed);
	changed.attr = (uint16_t)attr_of(&type_job, "source_endpoint_password");
	s.op.changes = &changed;
	s.op.nchanges = 1;
	dts_encode(&c, &a, DO_ENDPOINT_SRC, &s.in);
	assert_string_equal(value_of(&c, "ModifyAccount"), "true");
	assert_string_equal(value_of(&c, "Username"), "u");
	assert_string_equal(value_of(&c, "Password"), "p");
	dts_encode(&c, &a, DO_ENDPOINT_DEST, &s.in);
	assert_string_equal(value_of(&c, "Endpoint"), "dest");
	assert_string_equal(value_of(&c, "EndpointInstanceType"), "rds");
	assert_null(value_of(&c, "Password"));
}

static void test_rules(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	input(&s, &type_job);
	*slot(&s, "delay_notice") = "true";
	*slot(&s, "delay_rule_time") = "60";
	*slot(&s, "delay_phone") = "13000000000";
	dts_encode(&c, &a, DO_DELAY_RULE, &s.in);
	assert_string_equal(value_of(&c, "Type"), "delay");
	assert_string_equal(value_of(&c, "State"), "Y");
	assert_string_equal(value_of(&c, "DelayRuleTime"), "60");
	assert_string_equal(value_of(&c, "Phone"), "13000000000");
	dts_encode(&c, &a, DO_ERROR_RULE, &s.in);
	assert_string_equal(value_of(&c, "State"), "N");
	assert_null(value_of(&c, "DelayRuleTime"));
	s.op.seen = &s.seen; /* a new phone alone does not switch the alarm off */
	s.seen.monitor = parse("{\"MonitorRules\":[{\"Type\":\"error\",\"State\":\"Y\"}]}");
	dts_encode(&c, &a, DO_ERROR_RULE, &s.in);
	assert_string_equal(value_of(&c, "State"), "Y");
}

static void test_delete(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	input(&s, &type_instance);
	s.in.vals = NULL;
	s.in.job_id = NULL;
	dts_encode(&c, &a, DO_DELETE, &s.in); /* an instance without a job */
	assert_null(value_of(&c, "DtsJobId"));
	assert_string_equal(value_of(&c, "DtsInstanceId"), "dtsi");
	assert_string_equal(value_of(&c, "JobType"), "SYNC");
	assert_null(value_of(&c, "SynchronizationDirection"));
	input(&s, &type_job);
	s.in.two_way = s.in.reverse = true;
	dts_encode(&c, &a, DO_DELETE, &s.in);
	assert_string_equal(value_of(&c, "SynchronizationDirection"), "Reverse");
	dts_encode(&c, &a, DO_CLUSTER, &s.in);
	assert_string_equal(value_of(&c, "DtsJobIds"), "[\"j\"]");
}

/* ---- the reference ------------------------------------------------------------- */

enum how { OURS, THEIRS, JSON_VALUE, OBJECTS };

/* Where we send something else than the reference for the same work, and why. */
static const struct difference {
	const char *action, *name;
	enum how how;
	const char *why;
} differences[] = {
    {"CreateDtsInstance", "AutoPay", THEIRS, "the service's default; we send what the manifest says"},
    {"CreateDtsInstance", "AutoStart", THEIRS, "has no effect without JobId (dts-api.md 3.4)"},
    {"ConfigureDtsJob", "SynchronizationDirection", THEIRS, "the reference sends it empty for a one-way job"},
    {"ConfigureDtsJob", "DbList", OBJECTS, "`state` is the service's own, we never send it"},
    {"ConfigureDtsJob", "Reserve", JSON_VALUE, "order of the members"},
    {"ConfigureDtsJob", "DataCheckConfigure", JSON_VALUE, "order of the members"},
    {"ModifyDtsJob", "DbList", OBJECTS, "as above"},
    {"ModifyDtsJob", "Reserved", JSON_VALUE, "order of the members"},
    {"ModifyDtsJob", "ClientToken", OURS, "makes a repeat safe"},
    {"ModifyDtsJob", "DtsJobId", OURS, "a two-way instance has two jobs: without it the reference changes the wrong one"},
    {"ModifyDtsJob", "SynchronizationDirection", OURS, "likewise"},
    {"ModifyDtsJobPassword", "DtsInstanceId", OURS, "job ids can go stale"},
    {"ModifyDtsJobConfig", "Parameters", JSON_VALUE, "order of the members"},
    {"StartDtsJob", "DtsInstanceId", OURS, "job ids can go stale"},
    {"StartDtsJob", "SynchronizationDirection", THEIRS, "the default, on a one-way job"},
    {"SuspendDtsJob", "DtsInstanceId", OURS, "job ids can go stale"},
    {"SuspendDtsJob", "SynchronizationDirection", THEIRS, "the default, on a one-way job"},
    {"DeleteDtsJob", "JobType", OURS, "says which kind is meant"},
    {"DeleteDtsJob", "SynchronizationDirection", OURS, "Reverse releases the reverse link alone (dts-api.md 3.5)"},
};

static const struct difference *difference(const char *action, const char *name)
{
	for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++)
		if (!strcmp(differences[i].action, action) && !strcmp(differences[i].name, name))
			return &differences[i];
	return NULL;
}

static bool same_value(const struct difference *d, const char *mine, const char *theirs)
{
	struct json *x, *y;

	if (!strcmp(mine, theirs))
		return true;
	if (!d || (d->how != JSON_VALUE && d->how != OBJECTS))
		return false;
	x = parse(mine);
	y = parse(theirs);
	if (d->how == OBJECTS) {
		assert_null(strstr(mine, "\"state\""));
		y = json_without(&a, y, "state");
	}
	return json_equal(x, y);
}

static void compare(const char *line, const struct dts_call *c, const struct json *theirs)
{
	const char *action = api_def(c->action)->name;

	for (const struct json *p = theirs->child; p; p = p->next) {
		const struct difference *d = difference(action, p->key);
		const char *mine = value_of(c, p->key);

		if (mine ? !same_value(d, mine, p->s) : !d || d->how != THEIRS)
			fail_msg("%s: ours %s, theirs %s\n%s", p->key, mine ? mine : "(none)", p->s, line);
	}
	for (size_t i = 0; i < c->nquery + c->nform; i++) {
		const struct pair *p = i < c->nquery ? &c->query[i] : &c->form[i - c->nquery];
		const struct difference *d = difference(action, p->name);

		if (!json_get(theirs, p->name) && (!d || d->how != OURS))
			fail_msg("%s=%s is ours alone\n%s", p->name, p->value, line);
	}
}

/* The manifest values behind the parameters of a creating request. */
static void from_request(struct setting *s, enum api_action create, const struct json *params)
{
	for (size_t i = 0; i < s->op.type->nattrs; i++) {
		const struct attr_def *at = &s->op.type->attrs[i];
		const char *v = at->param && at->create == create ? json_str(params, at->param) : NULL;

		if (text_empty(v))
			continue;
		if (at->route == ROUTE_OBJECTS)
			v = json_write_dup(&a, json_without(&a, parse(v), "state"), false);
		else if (at->route == ROUTE_PAYTYPE)
			v = strcmp(v, "PostPaid") ? "Subscription" : "PayAsYouGo";
		s->vals[i] = v;
	}
	/* Defaults of the reference that a manifest does not have. */
	if (create == API_CREATE_DTS_INSTANCE)
		s->vals[attr_of(s->op.type, "auto_start")] = s->vals[attr_of(s->op.type, "auto_pay")] = NULL;
}

static bool encode_like(struct dts_call *c, struct setting *s, const char *action, const struct json *p)
{
	enum api_action act = api_find(action);
	bool dest = text_eq(json_str(p, "Endpoint"), "dest");

	input(s, act == API_CREATE_DTS_INSTANCE ? &type_instance : &type_job);
	s->in.instance_id = json_str(p, "DtsInstanceId");
	s->in.job_id = json_str(p, "DtsJobId");
	s->in.reverse = text_eq(json_str(p, "SynchronizationDirection"), "Reverse");
	switch (act) {
	case API_CREATE_DTS_INSTANCE:
		from_request(s, act, p);
		dts_encode(c, &a, DO_BUY, &s->in);
		return true;
	case API_CONFIGURE_DTS_JOB:
		from_request(s, act, p);
		dts_encode(c, &a, DO_CONFIGURE, &s->in);
		return true;
	case API_MODIFY_DTS_JOB:
		s->in.job_id = "j";
		*slot(s, "db_list") = json_str(p, "DbList") ? json_write_dup(&a, json_without(&a, parse(json_str(p, "DbList")), "state"), false) : NULL;
		*slot(s, "reserve") = json_str(p, "Reserved");
		dts_encode(c, &a, json_str(p, "Reserved") ? DO_RESERVED : DO_OBJECTS, &s->in);
		return true;
	case API_MODIFY_DTS_JOB_NAME:
		*slot(s, "dts_job_name") = json_str(p, "DtsJobName");
		dts_encode(c, &a, DO_RENAME, &s->in);
		return true;
	case API_MODIFY_DTS_JOB_PASSWORD:
		s->in.instance_id = "dtsi";
		*slot(s, dest ? "destination_endpoint_user_name" : "source_endpoint_user_name") = json_str(p, "UserName");
		*slot(s, dest ? "destination_endpoint_password" : "source_endpoint_password") = json_str(p, "Password");
		dts_encode(c, &a, dest ? DO_PASSWORD_DEST : DO_PASSWORD_SRC, &s->in);
		return true;
	case API_MODIFY_DTS_JOB_CONFIG:
		if (text_empty(json_str(p, "Parameters")))
			return false; /* the reference's own mistake: refused by the service */
		*slot(s, "job_parameters") = json_str(p, "Parameters");
		dts_encode(c, &a, DO_PARAMS, &s->in);
		return true;
	case API_TRANSFER_INSTANCE_CLASS:
		*slot(s, "instance_class") = json_str(p, "InstanceClass");
		dts_encode(c, &a, DO_CLASS, &s->in);
		return true;
	case API_START_DTS_JOB:
	case API_SUSPEND_DTS_JOB:
		s->in.instance_id = "dtsi";
		dts_encode(c, &a, act == API_START_DTS_JOB ? DO_START : DO_SUSPEND, &s->in);
		return true;
	case API_DELETE_DTS_JOB:
		dts_encode(c, &a, DO_DELETE, &s->in);
		return true;
	case API_DESCRIBE_DTS_JOB_DETAIL:
		dts_encode_detail(c, &a, "cn-hangzhou", json_str(p, "DtsInstanceID"), json_str(p, "DtsJobId"), s->in.reverse);
		return true;
	case API_DESCRIBE_DTS_JOB_CONFIG:
		dts_encode_config(c, &a, "cn-hangzhou", json_str(p, "DtsJobId"));
		return true;
	default:
		return false; /* DeleteSynchronizationJob: an older action for what DeleteDtsJob does */
	}
}

static void test_reference(void **state)
{
	static const char *const files[] = {"one-pair", "one-pair-explicit-start", "ten-kinds-of-endpoint", "bidirectional", "job-parameters"};
	size_t compared[API__COUNT] = {0};

	(void)state;
	for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
		char *text = slurp(arena_printf(&a, "reference-requests/%s.jsonl", files[f])), *save = NULL;

		for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			const struct json *r = parse(line);
			struct setting s;
			struct dts_call c;

			if (!encode_like(&c, &s, json_str(r, "action"), json_get(r, "parameters")))
				continue;
			compare(line, &c, json_get(r, "parameters"));
			compared[c.action]++;
		}
	}
	assert_true(compared[API_CONFIGURE_DTS_JOB] >= 14);
	assert_true(compared[API_CREATE_DTS_INSTANCE] >= 12);
	assert_true(compared[API_MODIFY_DTS_JOB] >= 3 && compared[API_MODIFY_DTS_JOB_PASSWORD] >= 4);
	assert_true(compared[API_START_DTS_JOB] && compared[API_SUSPEND_DTS_JOB] && compared[API_DELETE_DTS_JOB] &&
	            compared[API_MODIFY_DTS_JOB_CONFIG] && compared[API_TRANSFER_INSTANCE_CLASS] && compared[API_MODIFY_DTS_JOB_NAME]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_steps),    T(test_reads),      T(test_param),         T(test_configure), T(test_buy_job),
	    T(test_reserved), T(test_parameters), T(test_endpoint_move), T(test_rules),     T(test_delete),
	    T(test_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
