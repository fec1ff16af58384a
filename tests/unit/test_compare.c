/* Wanted against observed, reading answers, hiding secrets, differences for people, statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "model/schema.h"
#include "model/status.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static const struct attr_def *row(const char *key)
{
	return &type_job.attrs[attr_of(&type_job, key)];
}

static bool ok(const char *key, const char *want, const char *seen)
{
	return attr_satisfied(row(key), want, seen);
}

static void test_scalars(void **state)
{
	(void)state;
	assert_true(ok("dts_job_name", "a", "a"));
	assert_false(ok("dts_job_name", "a", "A"));
	assert_false(ok("dts_job_name", "a", NULL));
	assert_true(ok("source_endpoint_port", "3306", "3306"));
	assert_true(ok("source_endpoint_port", "03306", "3306"));
	assert_false(ok("source_endpoint_port", "3306", "3307"));
	assert_true(ok("data_initialization", "true", "TRUE"));
	assert_false(ok("data_initialization", "true", "false"));
	assert_true(ok("destination_endpoint_instance_type", "ads", "ADS"));
	assert_true(ok("destination_endpoint_engine_name", "Greenplum", "GREENPLUM"));
	assert_true(ok("source_endpoint_engine_name", "POLARDBX20", "DRDS"));
	assert_false(ok("source_endpoint_engine_name", "POLARDB_O", "PolarDB"));
	assert_true(ok("instance_class", "xxlarge", "2xlarge"));
	assert_false(ok("instance_class", "large", "small"));
	assert_true(ok("status", "Synchronizing", "Initializing"));
	assert_true(ok("status", "Synchronizing", "synchronizing"));
	assert_true(ok("status", "Suspending", "NotStarted"));
	assert_false(ok("status", "Synchronizing", "Failed"));
	assert_false(ok("status", "Suspending", "Synchronizing"));
	assert_true(ok("delay_phone", "13800000001,13800000002", "13800000002, 13800000001"));
	assert_true(ok("delay_phone", "13800000001", "1380000****"));
	assert_false(ok("delay_phone", "13800000001", "13800000001,13800000002"));
	assert_false(ok("delay_phone", "13800000001,13800000002", "13800000001,13800000003"));
}

static void test_objects(void **state)
{
	static const char *const want = "{\"shop\":{\"name\":\"shop\",\"all\":false,\"Table\":{"
					"\"t\":{\"name\":\"t\",\"all\":true},"
					"\"u\":{\"name\":\"u2\",\"all\":false,\"filter\":\"id>10\","
					"\"column\":{\"id\":{\"name\":\"id\"}}}}}}";

	(void)state;
	assert_true(ok("db_list", want, want));
	/* Other order, the service's state, defaults left out or spelled out. */
	assert_true(ok(
		"db_list", want,
		"{\"shop\":{\"Table\":{\"u\":{\"column\":{\"id\":{\"state\":\"normal\"}},\"filter\":"
		"\"id>10\",\"name\":\"u2\","
		"\"state\":\"normal\"},\"t\":{\"state\":\"checking\"}},\"state\":\"normal\"}}"));
	assert_true(
		ok("db_list", "{\"a\":{}}",
	           "{\"a\":{\"all\":true,\"name\":\"a\",\"state\":\"normal\",\"filter\":\"\"}}"));
	assert_true(
		ok("db_list", "{\"a\":{\"all\":true}}", "{\"a\":{\"all\":\"true\",\"Table\":{}}}"));
	assert_true(ok("db_list", "{\"state\":{\"name\":\"state\"}}",
	               "{\"state\":{\"state\":\"normal\"}}"));
	/* A table gone, a table more, another name, another filter, a filter taken away, a column
	 * more. */
	assert_false(ok("db_list", "{\"a\":{\"Table\":{\"t\":{},\"u\":{}}}}",
	                "{\"a\":{\"Table\":{\"t\":{}}}}"));
	assert_false(ok("db_list", "{\"a\":{\"Table\":{\"t\":{}}}}",
	                "{\"a\":{\"Table\":{\"t\":{},\"u\":{}}}}"));
	assert_false(ok("db_list", "{\"a\":{}}", "{\"a\":{},\"state\":{}}"));
	assert_false(ok("db_list", "{\"a\":{\"name\":\"b\"}}", "{\"a\":{}}"));
	assert_false(ok("db_list", "{\"a\":{\"Table\":{\"t\":{\"filter\":\"id>1\"}}}}",
	                "{\"a\":{\"Table\":{\"t\":{\"filter\":\"id>2\"}}}}"));
	assert_false(ok("db_list", "{\"a\":{\"Table\":{\"t\":{}}}}",
	                "{\"a\":{\"Table\":{\"t\":{\"filter\":\"id>2\"}}}}"));
	assert_false(ok("db_list", "{\"a\":{\"Table\":{\"t\":{\"column\":{\"x\":{}}}}}}",
	                "{\"a\":{\"Table\":{\"t\":{\"column\":{\"x\":{},\"y\":{}}}}}}"));
	assert_false(ok("db_list", "{\"a\":{\"all\":true}}", "{\"a\":{\"Table\":{\"t\":{}}}}"));
	/* Unknown members count, exactly. */
	assert_true(ok("db_list", "{\"a\":{\"x\":{\"k\":[1,{\"z\":1,\"y\":2}]}}}",
	               "{\"a\":{\"x\":{\"k\":[1,{\"y\":2,\"z\":1}]}}}"));
	assert_false(ok("db_list", "{\"a\":{\"part_key\":\"id\"}}", "{\"a\":{}}"));
	assert_false(ok("db_list", "{\"a\":{}}", "no json"));
}

static void test_reserve(void **state)
{
	(void)state;
	assert_true(ok("reserve", "{\"targetTableMode\":\"0\"}",
	               "{\"srcHostPorts\":\"\",\"targetTableMode\":0}"));
	assert_true(ok("reserve", "{\"a.b\":true,\"n\":1.0}",
	               "{\"n\":\"1\",\"a.b\":\"true\",\"x\":1}"));
	assert_false(ok("reserve", "{\"a\":\"1\"}", "{\"a\":\"2\"}"));
	assert_false(ok("reserve", "{\"a\":\"1\"}", "{\"b\":\"1\"}"));
	assert_false(ok("reserve", "{\"a\":\"010\"}", "{\"a\":\"10\"}"));
	assert_true(ok("reserve", "{\"o\":{\"k\":[1,{\"x\":\"1\"}]}}",
	               "{\"o\":{\"more\":1,\"k\":[\"1\",{\"x\":1,\"y\":2}]}}"));
	assert_false(ok("reserve", "{\"o\":[1]}", "{\"o\":[1,2]}"));
	assert_false(ok("reserve", "{\"o\":null}", "{\"o\":\"x\"}"));
	assert_true(ok("reserve", "{\"o\":{\"k\":1}}",
	               "{\"o\":\"{\\\"k\\\":\\\"1\\\",\\\"z\\\":0}\"}"));
	assert_false(ok("reserve", "{\"o\":{\"k\":1}}", "{\"o\":\"{broken\"}"));
	/* What the service keeps to itself cannot be held against it. */
	assert_true(ok("reserve", "{\"srcSslCaCert\":\"PEM\"}", "{}"));
	assert_true(ok("reserve", "{\"srcSslCaCert\":\"PEM\"}", "{\"srcSslCaCert\":\"****\"}"));
	assert_false(ok("reserve", "{\"srcSslCaCert\":\"PEM\"}", "{\"srcSslCaCert\":\"OTHER\"}"));
}

static void test_parameters(void **state)
{
	(void)state;
	assert_true(ok("job_parameters",
	               "[{\"module\":\"03\",\"name\":\"a\",\"value\":\"64\"},{\"module\":\"07\","
	               "\"name\":\"a\",\"value\":128}]",
	               "[{\"module\":\"07\",\"name\":\"a\",\"value\":\"128\"},{\"module\":\"07\","
	               "\"name\":\"b\",\"value\":\"1\"},"
	               "{\"module\":\"03\",\"name\":\"a\",\"value\":64}]"));
	assert_false(ok("job_parameters", "[{\"module\":\"03\",\"name\":\"a\",\"value\":1}]",
	                "[{\"module\":\"07\",\"name\":\"a\",\"value\":1}]"));
	assert_false(ok("job_parameters", "[{\"module\":\"03\",\"name\":\"a\",\"value\":1}]",
	                "[{\"module\":\"03\",\"name\":\"a\",\"value\":2}]"));
	assert_true(ok("job_parameters", "[{\"module\":\"03\",\"name\":\"a\",\"value\":true}]",
	               "[{\"module\":\"03\",\"name\":\"a\",\"value\":\"true\"}]"));
	assert_true(ok("job_parameters", "[]", "[{\"module\":\"03\",\"name\":\"a\",\"value\":2}]"));
}

static void test_tags(void **state)
{
	(void)state;
	assert_true(ok("tags", "{\"a\":\"1\"}", "{\"a\":\"1\",\"owner\":\"x\"}"));
	assert_false(ok("tags", "{\"a\":\"1\"}", "{\"a\":\"2\"}"));
	assert_false(ok("tags", "{\"a\":\"1\"}", "{}"));
}

static const char *read_of(const char *key, const char *json)
{
	return attr_read(&arena, row(key), json_parse(&arena, json, strlen(json), NULL));
}

static void test_read(void **state)
{
	static const char *const rules = "{\"MonitorRules\":[{\"Type\":\"error\",\"State\":\"N\"},{"
					 "\"Type\":\"delay\",\"State\":\"Y\","
					 "\"DelayRuleTime\":60,\"Phone\":\"13800000001\"}]}";

	(void)state;
	assert_string_equal(read_of("payment_type", "{\"PayType\":\"PostPaid\"}"), "PayAsYouGo");
	assert_string_equal(read_of("payment_type", "{\"PayType\":\"PREPAY\"}"), "Subscription");
	assert_string_equal(attr_wire(&arena, row("payment_type"), "PayAsYouGo"), "PostPaid");
	assert_string_equal(attr_wire(&arena, row("payment_type"), "Subscription"), "PrePaid");
	assert_string_equal(attr_wire(&arena, row("dts_job_name"), "PayAsYouGo"), "PayAsYouGo");
	assert_string_equal(read_of("source_endpoint_ssl",
	                            "{\"SourceEndpoint\":{\"SslSolutionEnum\":\"DISABLE\"}}"),
	                    "0");
	assert_string_equal(
		read_of("source_endpoint_ssl",
	                "{\"SourceEndpoint\":{\"SslSolutionEnum\":\"ENABLE_WITH_CERTIFICATE\"}}"),
		"1");
	assert_string_equal(read_of("destination_endpoint_ssl",
	                            "{\"DestinationEndpoint\":{\"SslSolutionEnum\":"
	                            "\"ENABLE_ONLY_4_KAFKA_SCRAM_SHA_256\"}}"),
	                    "3");
	assert_null(read_of("source_endpoint_ssl", "{\"SourceEndpoint\":{}}"));
	assert_string_equal(
		read_of("data_initialization", "{\"MigrationMode\":{\"DataInitialization\":true}}"),
		"true");
	assert_string_equal(read_of("data_initialization",
	                            "{\"MigrationMode\":{\"DataInitialization\":\"True\"}}"),
	                    "true");
	assert_string_equal(read_of("source_endpoint_port", "{\"SourceEndpoint\":{\"Port\":3306}}"),
	                    "3306");
	assert_null(read_of("source_endpoint_ip", "{\"SourceEndpoint\":{\"Ip\":\"\"}}"));
	assert_null(read_of("source_endpoint_ip", "{}"));
	assert_string_equal(
		read_of("db_list", "{\"DbObject\":\"{\\\"a\\\": {\\\"all\\\":true}}\"}"),
		"{\"a\":{\"all\":true}}");
	assert_null(read_of("db_list", "{\"DbObject\":\"\"}"));
	assert_null(read_of("reserve", "{\"Reserved\":\"[]\"}"));
	assert_string_equal(read_of("delay_notice", rules), "true");
	assert_string_equal(read_of("delay_rule_time", rules), "60");
	assert_string_equal(read_of("delay_phone", rules), "13800000001");
	assert_string_equal(read_of("error_notice", rules), "false");
	assert_null(read_of("error_phone", rules));
	assert_string_equal(read_of("error_notice", "{\"MonitorRules\":[]}"), "false");
	assert_null(read_of("error_notice", "{}"));
	assert_string_equal(read_of("job_parameters",
	                            "{\"Parameters\":[{\"Module\":\"03\",\"Name\":\"a.b\","
	                            "\"RunningValue\":\"5\",\"DefaultValue\":\"5\"}]}"),
	                    "[{\"module\":\"03\",\"name\":\"a.b\",\"value\":\"5\"}]");
	assert_string_equal(read_of("tags", "{\"TagList\":[{\"TagKey\":\"b\",\"TagValue\":\"1,2\"},"
	                                    "{\"TagKey\":\"a\",\"TagValue\":\"\"}]}"),
	                    "{\"a\":\"\",\"b\":\"1,2\"}");
	assert_null(read_of("source_endpoint_password", "{\"SourceEndpointPassword\":\"x\"}"));
}

static const char *mark(void *ctx, struct arena *a, const char *text)
{
	return arena_printf(a, "%s%zu", (const char *)ctx, strlen(text));
}

static const char *redact(const char *key, const char *value)
{
	char prefix[] = "#";

	return attr_redact(&arena, row(key), value, mark, prefix);
}

static void test_redact(void **state)
{
	(void)state;
	assert_string_equal(
		redact("reserve",
	               "{\"a\":\"x\",\"srcSslCaCert\":\"PEM\",\"o\":{\"clientPassword\":[\"ab\",1]}}"),
		"{\"a\":\"x\",\"srcSslCaCert\":\"#3\",\"o\":{\"clientPassword\":[\"#2\",\"#1\"]}}");
	assert_string_equal(redact("reserve", "{\"destKafkaPartitionKey\":\"none\"}"),
	                    "{\"destKafkaPartitionKey\":\"none\"}");
	assert_string_equal(redact("db_list", "{\"password\":{\"name\":\"p\"}}"),
	                    "{\"password\":{\"name\":\"p\"}}");
	assert_string_equal(redact("source_endpoint_password", "abc"), "#3");
	assert_string_equal(redact("dts_job_name", "abc"), "abc");
	assert_null(redact("reserve", NULL));
}

static const char *diff(const char *key, const char *from, const char *to, size_t max)
{
	return attr_json_diff(&arena, row(key), from, to, max);
}

static void test_diff(void **state)
{
	(void)state;
	assert_string_equal(diff("db_list",
	                         "{\"shop\":{\"Table\":{\"t\":{\"filter\":\"id>10\"},\"old\":{},"
	                         "\"c\":{\"column\":{\"x\":{}}}}},\"crm\":{}}",
	                         "{\"shop\":{\"Table\":{\"t\":{\"filter\":\"id>20\"},\"orders\":{},"
	                         "\"c\":{\"column\":{\"y\":{}}}}},"
	                         "\"new\":{\"Table\":{\"a\":{},\"b\":{}}}}",
	                         20),
	                    "+ new (2 tables)\n- crm\n~ shop.t: filter \"id>10\" -> \"id>20\"\n+ "
	                    "shop.orders\n- shop.old\n"
	                    "+ shop.c.y\n- shop.c.x");
	assert_string_equal(
		diff("db_list", "{\"a\":{\"all\":true}}", "{\"a\":{\"state\":\"normal\"}}", 5), "");
	assert_string_equal(
		diff("db_list", "{\"a\":{}}", "{\"a\":{\"name\":\"b\",\"dml_op\":\"i\"}}", 5),
		"~ a: name \"b\"\n~ a: dml_op \"i\"");
	assert_string_equal(diff("db_list", NULL, "{\"a\":{},\"b\":{},\"c\":{}}", 2),
	                    "+ a\n+ b\n... and 1 more");
	assert_string_equal(
		diff("db_list", "{\"a\":{\"Table\":[1]}}", "{\"a\":{\"Table\":{\"t\":{}}}}", 5),
		"~ a: all true -> false\n+ a.t");
	assert_string_equal(
		diff("reserve", "{\"targetTableMode\":0,\"server\":1,\"same\":\"1\"}",
	             "{\"targetTableMode\":\"2\",\"same\":1,\"n\":{\"password\":\"x\"}}", 9),
		"~ targetTableMode: 0 -> \"2\"\n+ n: {\"password\":\"(secret)\"}");
	assert_null(strstr(
		diff("reserve", "{\"srcSslCaCert\":\"AAAA\"}", "{\"srcSslCaCert\":\"BBBB\"}", 9),
		"BBBB"));
	assert_string_equal(diff("job_parameters",
	                         "[{\"module\":\"03\",\"name\":\"a\",\"value\":\"1\"}]",
	                         "[{\"module\":\"03\",\"name\":\"a\",\"value\":2},{\"module\":"
	                         "\"07\",\"name\":\"b\",\"value\":3}]",
	                         9),
	                    "~ 03 a: \"1\" -> 2\n+ 07 b: 3");
	/* A name cannot make a line of its own. */
	assert_null(strchr(diff("db_list", "{}", "{\"a\\n- b\":{}}", 9), '\n'));
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(status_parse("synchronizing"), ST_SYNCHRONIZING);
	assert_int_equal(status_parse("PreCheckPass"), ST_PRECHECK_PASS);
	assert_int_equal(status_parse("Initializating"), ST_INITIALIZING);
	assert_int_equal(status_parse("Hibernating"), ST_UNKNOWN);
	assert_int_equal(status_parse(NULL), ST_UNKNOWN);
	for (int s = 1; s < ST__COUNT; s++)
		assert_int_equal(status_parse(status_name((enum job_status)s)), s);
	assert_int_equal(status_class(ST_UNKNOWN), SC_MOVING);
	assert_int_equal(status_class(ST_LOCKED), SC_BLOCKED);
	assert_int_equal(status_class(ST_FINISHED), SC_GONE);
	assert_true(status_satisfies(ST_NOT_STARTED, NULL));
	assert_true(status_satisfies(ST_SYNCHRONIZING, NULL));
	assert_false(status_satisfies(ST_PRECHECKING, NULL));
	assert_false(status_satisfies(ST_NOT_CONFIGURED, NULL));
	assert_false(status_satisfies(ST_FAILED, NULL));
	assert_false(status_satisfies(ST_NOT_STARTED, "Synchronizing"));
}

/* Lists of tens of thousands of tables must not cost by their square. */
static void test_big(void **state)
{
	size_t n = 20000, len = 0;
	char *a = arena_alloc(&arena, n * 48), *b = arena_alloc(&arena, n * 48);

	(void)state;
	strcpy(a, "{\"shop\":{\"Table\":{");
	len = strlen(a);
	for (size_t i = 0; i < n; i++) {
		const char *item =
			arena_printf(&arena, "%s\"t_%05zu\":{\"all\":true}", i ? "," : "", i);

		strcpy(a + len, item);
		len += strlen(item);
	}
	strcpy(a + len, "}}}");
	strcpy(b, a);
	assert_true(ok("db_list", a, b));
	b[len - 16] = 'x';
	assert_false(ok("db_list", a, b));
	assert_non_null(diff("db_list", a, b, 3));
}

/* Words of the service for one thing. */
static void other_names(void **state)
{
	const struct attr_def *type =
		&type_job.attrs[attr_of(&type_job, "source_endpoint_instance_type")];
	const struct attr_def *region =
		&type_job.attrs[attr_of(&type_job, "source_endpoint_region")];

	(void)state;
	assert_true(attr_satisfied(type, "MONGODB", "distributed_mongodb"));
	assert_false(attr_satisfied(type, "RDS", "distributed_mongodb"));
	assert_true(attr_satisfied(type, "other", "OTHER"));
	assert_true(attr_satisfied(region, "cn-zhangbei", "cn-zhangjiakou"));
	assert_true(attr_satisfied(region, "cn-zhangjiakou", "cn-zhangbei"));
	assert_false(attr_satisfied(region, "cn-zhangbei", "cn-beijing"));
}

/* Secret members that no answer shows are compared by their fingerprints. */
static void hidden_members(void **state)
{
#define FP "\"hmac-sha256:"
	static const struct {
		const char *marked, *recorded, *seen;
		bool held;
	} rows[] = {
		{"{\"a\":1}", NULL, NULL, true},
		{"{\"password\":" FP "1\"}", "{\"password\":" FP "1\"}", "{}", true},
		{"{\"password\":" FP "2\"}", "{\"password\":" FP "1\"}", "{}", false},
		{"{\"password\":" FP "2\"}", "{\"password\":" FP "1\"}", NULL, false},
		{"{\"password\":" FP "2\"}", "{}", "{}", false},
		{"{\"password\":" FP "2\"}", NULL, "{}", false},
		/* shown by the service: compared there */
		{"{\"password\":" FP "2\"}", "{}", "{\"password\":\"clear\"}", true},
		{"{\"password\":" FP "2\"}", "{}", "{\"password\":\"***\"}", false},
		/* fingerprints that are lost, or cannot be made, tell nothing */
		{"{\"password\":" FP "2\"}", "{\"password\":" FP "\"}", "{}", true},
		{"{\"password\":" FP "\"}", "{\"password\":" FP "1\"}", "{}", true},
		/* deeper, and in arrays */
		{"{\"x\":{\"token\":" FP "2\"}}", "{\"x\":{\"token\":" FP "1\"}}", "{\"x\":{}}",
	         false},
		{"{\"x\":[1,{\"token\":" FP "2\"}]}", "{\"x\":[1,{\"token\":" FP "2\"}]}",
	         "{\"x\":[1,{}]}", true},
		{"{\"x\":[{\"token\":" FP "2\"},{\"token\":" FP "3\"}]}",
	         "{\"x\":[{\"token\":" FP "2\"}]}", NULL, false},
		/* text that holds JSON */
		{"{\"x\":{\"token\":" FP "2\"}}", "{}", "{\"x\":\"{\\\"token\\\":\\\"t\\\"}\"}",
	         true},
		/* all beneath a secret name is secret */
		{"{\"credentials\":{\"user\":" FP "1\",\"key\":" FP "2\"}}",
	         "{\"credentials\":{\"key\":" FP "2\",\"user\":" FP "1\"}}", "{}", true},
	};
#undef FP

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (attr_secrets_held(rows[i].marked, rows[i].recorded, rows[i].seen) !=
		    rows[i].held)
			fail_msg("row %zu: %s", i, rows[i].marked);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_scalars), T(test_objects), T(test_reserve),   T(test_parameters),
		T(test_tags),    T(test_read),    T(test_redact),    T(test_diff),
		T(test_status),  T(test_big),     T(hidden_members), T(other_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
