/* Everything the encoder can emit against the published metadata, and what each step says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "remote/dts.h"
#include "wire_fixture.h"

/* ---- metadata ------------------------------------------------------------------ */

static const struct json *metadata(enum api_action action)
{
	return wire_parse(
		&a, wire_read(&a, arena_printf(&a, "operations/%s.json", api_def(action)->name)));
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

	if (!strcmp(type, "Boolean") && strcmp(p->value, "true") != 0 &&
	    strcmp(p->value, "false") != 0)
		fail_msg("%s %s=%s: no boolean", action, p->name, p->value);
	if ((!strcmp(type, "Integer") || !strcmp(type, "Long")) &&
	    !text_int(p->value, 0, INT64_MAX, &n))
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

static void check_call(const struct dts_call *c)
{
	const struct json *op = metadata(c->action);

	assert_string_equal(json_str(op, "name"), api_def(c->action)->name);
	check_pairs(op, c->query, c->nquery, "Query");
	check_pairs(op, c->form, c->nform, "Body");
	for (const struct json *p = json_get(op, "parameters")->child; p; p = p->next) {
		bool list = !strcmp(json_str(p, "type"), "RepeatList");

		if (json_get(p, "required")->b &&
		    !wire_value_in(c->query, c->nquery, json_str(p, "name"), list) &&
		    !wire_value_in(c->form, c->nform, json_str(p, "name"), list))
			fail_msg("%s lacks %s", api_def(c->action)->name, json_str(p, "name"));
	}
	/* RegionId always (dts-api.md 1). */
	assert_string_equal(wire_value(c, "RegionId"), "cn-hangzhou");
}

/* ---- inputs -------------------------------------------------------------------- */

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
	return s == DO_START     ? API_START_DTS_JOB
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
		if (s->op.type == &type_instance && step != DO_BUY && step != DO_CLASS &&
		    step != DO_PAYTYPE && step != DO_TWOWAY && step != DO_GROUP &&
		    step != DO_TAGS && step != DO_UNTAG && step != DO_DELETE)
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
		assert_string_equal(wire_value(&c, "DtsJobIds"), "j1,j2,j3");
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
			wire_input(&s, both[t]);
			fill(&s);
			s.op.have = &s.have;
			s.had[attr_of(both[t], "tags")] = "{\"gone\":\"1\",\"team\":\"a\"}";
			s.in.two_way = variant & 1;
			s.in.reverse = variant == 3;
			if (variant & 2)
				*wire_slot(&s, "payment_type") = "Subscription";
			each_step(&s, ids);
		}
}

static void test_reads(void **state)
{
	static const char *const ids[] = {"dtsa", "dtsb"}, *const items[] = {"CHECK_SRC",
	                                                                     "CHECK_SAME_OBJ"};
	struct dts_call c;

	(void)state;
	dts_encode_list(&c, &a, "cn-hangzhou", 3, NULL, false);
	check_call(&c);
	assert_string_equal(wire_value(&c, "JobType"), "SYNC");
	assert_string_equal(wire_value(&c, "PageNumber"), "3");
	assert_string_equal(wire_value(&c, "PageSize"), "100");
	assert_string_equal(wire_value(&c, "Region"), "cn-hangzhou");
	assert_string_equal(wire_value(&c, "WithoutDbList"), "true");
	dts_encode_list(&c, &a, "cn-hangzhou", 1, "dtsa", true);
	check_call(&c);
	assert_string_equal(wire_value(&c, "DtsInstanceId"), "dtsa");
	assert_null(wire_value(&c, "WithoutDbList"));
	dts_encode_detail(&c, &a, "cn-hangzhou", "dtsa", NULL, true);
	check_call(&c);
	assert_string_equal(wire_value(&c, "DtsInstanceID"), "dtsa");
	assert_string_equal(wire_value(&c, "SynchronizationDirection"), "Reverse");
	dts_encode_config(&c, &a, "cn-hangzhou", "j");
	check_call(&c);
	dts_encode_precheck(&c, &a, "cn-hangzhou", "j");
	check_call(&c);
	dts_encode_monitor(&c, &a, "cn-hangzhou", "j");
	check_call(&c);
	dts_encode_tags(&c, &a, "cn-hangzhou", ids, 2, "next");
	check_call(&c);
	assert_string_equal(wire_value(&c, "ResourceId.2"), "dtsb");
	dts_encode_tag(&c, &a, "cn-hangzhou", "dtsa", "k", "");
	check_call(&c);
	assert_string_equal(wire_value(&c, "Tag.1.Value"), ""); /* an empty value is one */
	dts_encode_untag(&c, &a, "cn-hangzhou", "dtsa", ids, 2);
	check_call(&c);
	dts_encode_skip(&c, &a, "cn-hangzhou", "j", items, 2);
	check_call(&c);
	assert_string_equal(wire_value(&c, "SkipPreCheckItems"),
	                    "[\"CHECK_SRC\",\"CHECK_SAME_OBJ\"]");
	assert_string_equal(wire_value(&c, "SkipPreCheckNames"),
	                    "[\"CHECK_SRC_DETAIL\",\"CHECK_SAME_OBJ_DETAIL\"]");
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
	assert_string_equal(wire_value(&c, "Status"), "Failed");
}

/* ---- what the steps say ----------------------------------------------------------- */

static void same_json(const char *mine, const char *theirs)
{
	if (!mine || !json_equal(wire_parse(&a, mine), wire_parse(&a, theirs)))
		fail_msg("%s\n%s", mine ? mine : "(none)", theirs);
}

static void test_configure(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_job);
	*wire_slot(&s, "dts_job_name") = "n";
	*wire_slot(&s, "dts_instance_id") = "dtsi";
	*wire_slot(&s, "reserve") = "{\"targetTableMode\":\"0\",\"srcSSL\":\"0\"}";
	*wire_slot(&s, "source_endpoint_ssl") = "1";
	*wire_slot(&s, "data_synchronization") = "true";
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	assert_string_equal(wire_value(&c, "JobType"), "SYNC");
	assert_string_equal(wire_value(&c, "DataSynchronization"), "true");
	assert_string_equal(wire_value(&c, "DataInitialization"), "false"); /* never left out */
	assert_string_equal(wire_value(&c, "StructureInitialization"), "false");
	same_json(wire_value(&c, "Reserve"), "{\"targetTableMode\":\"0\",\"srcSSL\":\"1\"}");
	assert_null(wire_value(&c, "SynchronizationDirection"));
	assert_null(wire_value(&c, "DtsJobId"));
	/* To be paused: not started at all. */
	*wire_slot(&s, "status") = "Suspending";
	s.in.two_way = true;
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	same_json(
		wire_value(&c, "Reserve"),
		"{\"targetTableMode\":\"0\",\"srcSSL\":\"1\",\"autoStartModulesAfterConfig\":\"none\"}");
	assert_string_equal(wire_value(&c, "SynchronizationDirection"), "Forward");
	/* Free, under its provisional name. */
	wire_input(&s, &type_job);
	*wire_slot(&s, "dts_job_name") = "n";
	dts_encode(&c, &a, DO_CONFIGURE_FREE, &s.in);
	assert_string_equal(wire_value(&c, "DtsJobName"), "name~0a");
	assert_null(wire_value(&c, "DtsInstanceId"));
	assert_null(wire_value(&c, "DtsJobId"));
	assert_null(wire_value(&c, "Reserve"));
	/* Once more, after the purchase: the ids say which job. */
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	assert_string_equal(wire_value(&c, "DtsJobName"), "n");
	assert_string_equal(wire_value(&c, "DtsInstanceId"), "dtsi");
	assert_string_equal(wire_value(&c, "DtsJobId"), "j");
	/* A job that rests and is only configured anew stays at rest. */
	s.op.kind = OP_UPDATE;
	s.op.seen = &s.seen;
	s.seen.status = ST_NOT_STARTED;
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	same_json(wire_value(&c, "Reserve"), "{\"autoStartModulesAfterConfig\":\"none\"}");
	s.seen.status = ST_PRECHECK_FAILED;
	dts_encode(&c, &a, DO_CONFIGURE, &s.in);
	assert_null(wire_value(&c, "Reserve"));
}

static void test_buy_job(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_job);
	*wire_slot(&s, "payment_type") = "PayAsYouGo";
	*wire_slot(&s, "instance_class") = "small";
	dts_encode(&c, &a, DO_BUY_JOB, &s.in);
	check_call(&c);
	assert_string_equal(wire_value(&c, "JobId"), "j");
	assert_string_equal(wire_value(&c, "PayType"), "PostPaid");
	assert_string_equal(wire_value(&c, "InstanceClass"), "small");
	assert_string_equal(wire_value(&c, "AutoStart"),
	                    "true"); /* autoStartModulesAfterConfig has no effect there */
	*wire_slot(&s, "status") = "Suspending";
	dts_encode(&c, &a, DO_BUY_JOB, &s.in);
	assert_string_equal(wire_value(&c, "AutoStart"), "false");
}

static void test_reserved(void **state)
{
	const char *members[] = {"targetTableMode"};
	struct change changes[2];
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_job);
	*wire_slot(&s, "reserve") =
		"{\"targetTableMode\":\"2\",\"maxRetryTime\":\"43200\",\"srcSSL\":\"0\"}";
	*wire_slot(&s, "destination_endpoint_ssl") = "1";
	changes[0] =
		(struct change){.attr = (uint16_t)attr_of(&type_job, "destination_endpoint_ssl")};
	changes[1] = (struct change){
		.attr = (uint16_t)attr_of(&type_job, "reserve"), .members = members, .nmembers = 1};
	s.op.changes = changes;
	s.op.nchanges = 2;
	dts_encode(&c, &a, DO_RESERVED, &s.in);
	check_call(&c);
	assert_string_equal(wire_value(&c, "ModifyTypeEnum"), "UPDATE_RESERVED");
	/* The members that the plan found different, and SSL when it is; never the rest. */
	same_json(wire_value(&c, "Reserved"), "{\"targetTableMode\":\"2\",\"destSSL\":\"1\"}");
	assert_null(wire_value(&c, "DbList"));
	s.op.nchanges = 1;
	dts_encode(&c, &a, DO_RESERVED, &s.in);
	same_json(wire_value(&c, "Reserved"), "{\"destSSL\":\"1\"}");
	s.op.nchanges = 0; /* nothing known: all of them */
	dts_encode(&c, &a, DO_RESERVED, &s.in);
	same_json(
		wire_value(&c, "Reserved"),
		"{\"targetTableMode\":\"2\",\"maxRetryTime\":\"43200\",\"srcSSL\":\"0\",\"destSSL\":\"1\"}");
}

static void test_parameters(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_job);
	*wire_slot(&s, "job_parameters") =
		"[{\"module\":\"03\",\"name\":\"a\",\"value\":\"4\"},{\"module\":\"07\",\"name\":\"b\",\"value\":64}]";
	dts_encode(&c, &a, DO_PARAMS, &s.in); /* nothing known: all */
	same_json(
		wire_value(&c, "Parameters"),
		"[{\"module\":\"03\",\"name\":\"a\",\"value\":\"4\"},{\"module\":\"07\",\"name\":\"b\",\"value\":64}]");
	s.op.have = &s.have;
	s.op.seen = &s.seen;
	s.had[attr_of(&type_job, "job_parameters")] =
		"[{\"module\":\"03\",\"name\":\"a\",\"value\":\"4\"},{\"module\":\"07\",\"name\":\"gone\",\"value\":\"9\"},"
		"{\"module\":\"07\",\"name\":\"gone2\",\"value\":\"9\"},{\"module\":\"07\",\"name\":\"lost\",\"value\":\"9\"}]";
	s.seen.config = wire_parse(
		&a,
		"{\"Parameters\":[{\"Module\":\"03\",\"Name\":\"a\",\"RunningValue\":\"4\",\"DefaultValue\":\"1\"},"
		"{\"Module\":\"07\",\"Name\":\"b\",\"RunningValue\":\"1\",\"DefaultValue\":\"1\"},"
		"{\"Module\":\"07\",\"Name\":\"gone\",\"RunningValue\":\"9\",\"DefaultValue\":\"2\"},"
		"{\"Module\":\"07\",\"Name\":\"gone2\",\"RunningValue\":\"2\",\"DefaultValue\":\"2\"}]}");
	dts_encode(&c, &a, DO_PARAMS,
	           &s.in); /* what differs, and what was taken out back to its default */
	same_json(
		wire_value(&c, "Parameters"),
		"[{\"module\":\"07\",\"name\":\"b\",\"value\":64},{\"module\":\"07\",\"name\":\"gone\",\"value\":\"2\"}]");
}

static void test_endpoint_move(void **state)
{
	struct change changed;
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_job);
	*wire_slot(&s, "source_endpoint_instance_type") = "MONGODB";
	*wire_slot(&s, "source_endpoint_user_name") = "u";
	*wire_slot(&s, "source_endpoint_password") = "p";
	*wire_slot(&s, "destination_endpoint_instance_type") = "RDS";
	*wire_slot(&s, "reserve") = "{\"srcEngineArchType\":\"2\"}";
	dts_encode(&c, &a, DO_ENDPOINT_SRC, &s.in);
	assert_string_equal(wire_value(&c, "Endpoint"), "src");
	assert_string_equal(wire_value(&c, "EndpointInstanceType"), "distributed_mongodb");
	assert_null(wire_value(&c, "Password"));
	assert_null(wire_value(&c, "ModifyAccount"));
	memset(&changed, 0, sizeof changed);
	changed.attr = (uint16_t)attr_of(&type_job, "source_endpoint_password");
	s.op.changes = &changed;
	s.op.nchanges = 1;
	dts_encode(&c, &a, DO_ENDPOINT_SRC, &s.in);
	assert_string_equal(wire_value(&c, "ModifyAccount"), "true");
	assert_string_equal(wire_value(&c, "Username"), "u");
	assert_string_equal(wire_value(&c, "Password"), "p");
	dts_encode(&c, &a, DO_ENDPOINT_DEST, &s.in);
	assert_string_equal(wire_value(&c, "Endpoint"), "dest");
	assert_string_equal(wire_value(&c, "EndpointInstanceType"), "rds");
	assert_null(wire_value(&c, "Password"));
	/* What was set once and is said no longer stays, unless the end becomes another one. */
	s.op.have = &s.have;
	s.had[attr_of(&type_job, "source_endpoint_owner_id")] = "123";
	s.had[attr_of(&type_job, "source_endpoint_role")] = "dts";
	dts_encode(&c, &a, DO_ENDPOINT_SRC, &s.in);
	assert_string_equal(wire_value(&c, "AliyunUid"), "123");
	assert_string_equal(wire_value(&c, "RoleName"), "dts");
	changed.attr = (uint16_t)attr_of(&type_job, "source_endpoint_instance_id");
	dts_encode(&c, &a, DO_ENDPOINT_SRC, &s.in);
	assert_null(wire_value(&c, "AliyunUid"));
	assert_null(wire_value(&c, "RoleName"));
}

/* A password belongs to a user: as wanted, else as the service shows it, else as it was set. */
static void test_password_user(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_job);
	*wire_slot(&s, "source_endpoint_password") = "p";
	s.op.have = &s.have;
	s.had[attr_of(&type_job, "source_endpoint_user_name")] = "was";
	dts_encode(&c, &a, DO_PASSWORD_SRC, &s.in);
	assert_string_equal(wire_value(&c, "UserName"), "was");
	s.op.seen = &s.seen;
	s.seen.row = wire_parse(&a, "{\"SourceEndpoint\":{\"UserName\":\"shown\"}}");
	dts_encode(&c, &a, DO_PASSWORD_SRC, &s.in);
	assert_string_equal(wire_value(&c, "UserName"), "shown");
	*wire_slot(&s, "source_endpoint_user_name") = "wanted";
	dts_encode(&c, &a, DO_PASSWORD_SRC, &s.in);
	assert_string_equal(wire_value(&c, "UserName"), "wanted");
}

/* The provider's default is sent: the price hangs on it. */
static void test_default_class(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_instance);
	dts_encode(&c, &a, DO_BUY, &s.in);
	assert_string_equal(wire_value(&c, "InstanceClass"), "small");
	*wire_slot(&s, "instance_class") = "large";
	dts_encode(&c, &a, DO_BUY, &s.in);
	assert_string_equal(wire_value(&c, "InstanceClass"), "large");
}

static void test_rules(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_job);
	*wire_slot(&s, "delay_notice") = "true";
	*wire_slot(&s, "delay_rule_time") = "60";
	*wire_slot(&s, "delay_phone") = "13000000000";
	dts_encode(&c, &a, DO_DELAY_RULE, &s.in);
	assert_string_equal(wire_value(&c, "Type"), "delay");
	assert_string_equal(wire_value(&c, "State"), "Y");
	assert_string_equal(wire_value(&c, "DelayRuleTime"), "60");
	assert_string_equal(wire_value(&c, "Phone"), "13000000000");
	dts_encode(&c, &a, DO_ERROR_RULE, &s.in);
	assert_string_equal(wire_value(&c, "State"), "N");
	assert_null(wire_value(&c, "DelayRuleTime"));
	s.op.seen = &s.seen; /* a new phone alone does not switch the alarm off */
	s.seen.monitor =
		wire_parse(&a, "{\"MonitorRules\":[{\"Type\":\"error\",\"State\":\"Y\"}]}");
	dts_encode(&c, &a, DO_ERROR_RULE, &s.in);
	assert_string_equal(wire_value(&c, "State"), "Y");
	/* It is sent whole: what is not managed is as it is; digits that are hidden, as they were set. */
	*wire_slot(&s, "delay_notice") = *wire_slot(&s, "delay_rule_time") =
		*wire_slot(&s, "delay_phone") = NULL;
	s.op.have = &s.have;
	s.had[attr_of(&type_job, "delay_rule_time")] = "60";
	s.had[attr_of(&type_job, "delay_phone")] = "13000000000";
	s.seen.monitor = wire_parse(&a, "{\"MonitorRules\":[{\"Type\":\"delay\",\"State\":\"Y\","
	                                "\"DelayRuleTime\":90,\"Phone\":\"130****0000\"}]}");
	dts_encode(&c, &a, DO_DELAY_RULE, &s.in);
	assert_string_equal(wire_value(&c, "State"), "Y");
	assert_string_equal(wire_value(&c, "DelayRuleTime"), "90");
	assert_string_equal(wire_value(&c, "Phone"), "13000000000");
}

static void test_delete(void **state)
{
	struct setting s;
	struct dts_call c;

	(void)state;
	wire_input(&s, &type_instance);
	s.in.vals = NULL;
	s.in.job_id = NULL;
	dts_encode(&c, &a, DO_DELETE, &s.in); /* an instance without a job */
	assert_null(wire_value(&c, "DtsJobId"));
	assert_string_equal(wire_value(&c, "DtsInstanceId"), "dtsi");
	assert_string_equal(wire_value(&c, "JobType"), "SYNC");
	assert_null(wire_value(&c, "SynchronizationDirection"));
	wire_input(&s, &type_job);
	s.in.two_way = s.in.reverse = true;
	dts_encode(&c, &a, DO_DELETE, &s.in);
	assert_string_equal(wire_value(&c, "SynchronizationDirection"), "Reverse");
	s.in.reverse = false; /* the other one of the pair is named, too */
	dts_encode(&c, &a, DO_DELETE, &s.in);
	assert_string_equal(wire_value(&c, "SynchronizationDirection"), "Forward");
	dts_encode(&c, &a, DO_CLUSTER, &s.in);
	assert_string_equal(wire_value(&c, "DtsJobIds"), "[\"j\"]");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_steps),         T(test_reads),         T(test_param),
		T(test_configure),     T(test_buy_job),       T(test_reserved),
		T(test_parameters),    T(test_endpoint_move), T(test_password_user),
		T(test_default_class), T(test_rules),         T(test_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
