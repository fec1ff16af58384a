/* Rows and the normalizing of single values: every refusal is seen, with its place and its advice.
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
#include "base/diag.h"
#include "base/text.h"
#include "model/batch.h"
#include "model/schema.h"

static struct arena arena;
static struct diag diag;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	diag_init(&diag, &arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static const struct attr_def *row(const struct type_def *t, const char *key)
{
	return &t->attrs[attr_of(t, key)];
}

/* The value as if it stood at line 7, column 11 of x.ini. */
static const char *normalize_of(const struct type_def *t, const char *key, const char *text)
{
	struct span span = {0, 7, 11};
	struct raw_key raw = {.name = key,
	                      .pos = {"x.ini", 7, 1},
	                      .text = text,
	                      .n = strlen(text),
	                      .spans = &span,
	                      .nspans = 1};
	struct value_source src = {.key = &raw};

	diag_init(&diag, &arena);
	return schema_normalize(&arena, row(t, key), text, strlen(text), &src, &diag);
}

static const char *normalize(const char *key, const char *text)
{
	return normalize_of(&type_job, key, text);
}

static const char *all_text(void)
{
	const char *s = "";

	for (size_t i = 0; i < diag.n; i++)
		s = arena_printf(&arena, "%s%s|%s\n", s, diag.v[i].msg,
		                 diag.v[i].hint ? diag.v[i].hint : "");
	return s;
}

static void expect_wire(const char *key, const char *text, const char *wire)
{
	const char *got = normalize(key, text);

	if (!got || diag.errors || diag.warnings)
		fail_msg("%s = %s: %s", key, text, all_text());
	assert_string_equal(got, wire);
}

/* Wrong: nothing comes back, and every given word stands in the messages. */
static void expect_error(const char *key, const char *text, size_t errors, unsigned col,
                         const char *words)
{
	const char *word;

	assert_null(normalize(key, text));
	assert_int_equal(diag.errors, errors);
	assert_int_equal(diag.v[0].pos.line, 7);
	assert_int_equal(diag.v[0].pos.col, col);
	for (size_t i = 0; (word = text_field(&arena, words, '|', i)); i++)
		if (!strstr(all_text(), word))
			fail_msg("%s = %s: no \"%s\" in: %s", key, text, word, all_text());
}

static void expect_warning(const char *key, const char *text, unsigned col, const char *word)
{
	assert_string_equal(normalize(key, text), text);
	assert_int_equal(diag.errors, 0);
	assert_int_equal(diag.warnings, 1);
	assert_int_equal(diag.v[0].pos.col, col);
	if (!strstr(all_text(), word))
		fail_msg("%s = %s: no \"%s\" in: %s", key, text, word, all_text());
}

static void test_tables(void **state)
{
	const char *fault = schema_check();

	(void)state;
	if (fault)
		fail_msg("%s", fault);
}

/* The argument walk: A_SEED stands on exactly the arguments of the reference document. */
static void test_seed(void **state)
{
	const char *dir = getenv("TEST_VECTORS");
	char line[128];
	size_t n = 0, rows = 0;
	FILE *f;

	(void)state;
	f = fopen(arena_printf(&arena, "%s/reference-arguments.txt", dir ? dir : "tests/vectors"),
	          "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		int i;

		line[strcspn(line, "\n")] = '\0';
		i = attr_find(&type_job, line);
		if (i < 0 || !(type_job.attrs[i].flags & A_SEED))
			fail_msg("the reference has %s", line);
		n++;
	}
	fclose(f);
	for (size_t i = 0; i < type_job.nattrs; i++)
		rows += (type_job.attrs[i].flags & A_SEED) != 0;
	assert_int_equal(n, 44);
	assert_int_equal(rows, n);
}

static void test_find(void **state)
{
	(void)state;
	for (size_t t = 0; types[t]; t++) {
		assert_ptr_equal(type_find(types[t]->name), types[t]);
		for (size_t i = 0; i < types[t]->nattrs; i++)
			assert_int_equal(attr_find(types[t], types[t]->attrs[i].key), i);
	}
	assert_null(type_find("alicloud_dts_synchronization_job"));
	assert_int_equal(attr_find(&type_job, "topology"), -1);
	assert_int_equal(attr_find(&type_job, ""), -1);
}

static void test_families(void **state)
{
	(void)state;
	assert_true(class_rank("micro") < class_rank("small"));
	assert_true(class_rank("4xlarge") < class_rank("8xlarge"));
	assert_int_equal(class_rank("xxlarge"), class_rank("2xlarge"));
	assert_int_equal(class_rank("huge"), -1);
	assert_int_equal(class_rank(NULL), -1);
	assert_true(engine_same("Greenplum", "GREENPLUM"));
	assert_true(engine_same("DRDS", "POLARDBX20"));
	assert_true(engine_same("POLARDBX10", "drds"));
	assert_false(engine_same("PolarDB", "POLARDB_O"));
	assert_false(engine_same("ADS", "ADB30"));
	assert_true(instance_type_is_cloud("rds"));
	assert_true(instance_type_is_selfmanaged("EXPRESS"));
	assert_false(instance_type_is_cloud("others") || instance_type_is_selfmanaged("others"));
}

static void test_bool(void **state)
{
	(void)state;
	expect_wire("delay_notice", "true", "true");
	expect_wire("delay_notice", "false", "false");
	expect_error("delay_notice", "yes", 1, 11, "neither `true` nor `false`|write `true`");
	expect_error("delay_notice", "0", 1, 11, "write `false`");
	expect_error("delay_notice", "True", 1, 11, "write `true`");
	expect_error("delay_notice", "perhaps", 1, 11, "perhaps|write true or false");
	expect_error("structure_initialization", "true  ; schema first", 1, 11,
	             "no inline comments");
}

static void test_int(void **state)
{
	(void)state;
	expect_wire("delay_rule_time", "60", "60");
	expect_error("delay_rule_time", "60 # seconds", 1, 11,
	             "no whole number|no inline comments");
	expect_error("delay_rule_time", "1.5", 1, 11, "no whole number");
	expect_error("delay_rule_time", "60s", 1, 11, "without unit");
	expect_error("delay_rule_time", "0", 1, 11, "not within");
	expect_warning("delay_rule_time", "5", 11, "below 10 seconds");
	expect_wire("source_endpoint_port", "65535", "65535");
	expect_error("source_endpoint_port", "65536", 1, 11, "1 to 65535");
	expect_error("source_endpoint_port", "99999999999999999999", 1, 11, "no whole number");
	expect_wire("checkpoint", "1735660800", "1735660800");
	expect_error("checkpoint", "1735660800123", 1, 11, "milliseconds|write 1735660800");
	expect_error("checkpoint", "17356", 1, 11, "10 digits");
}

static void test_enum(void **state)
{
	(void)state;
	expect_wire("instance_class", "8xlarge", "8xlarge");
	expect_wire("destination_endpoint_instance_type", "ads", "ads");
	expect_wire("source_endpoint_engine_name", "MySQL", "MySQL");
	expect_warning("destination_endpoint_instance_type", "others", 11, "`OTHER`");
	expect_warning("source_endpoint_engine_name", "DRDS", 11, "`POLARDBX10`");
	expect_warning("instance_class", "Small", 11, "`small`");
	expect_warning("instance_class", "gigantic", 11, "known: micro, small");
	expect_warning("instance_class", "small   ; upgrade later", 11 + 8, "no inline comments");
	expect_error("status", "Paused", 1, 11, "Synchronizing, Suspending");
	expect_error("status", "synchronizing", 1, 11, "`Synchronizing`");
	assert_string_equal(normalize("payment_type", "PostPaid"), "PayAsYouGo");
	assert_int_equal(diag.warnings, 1);
	assert_string_equal(normalize_of(&type_instance, "payment_type", "prepaid"),
	                    "Subscription");
	assert_string_equal(
		normalize_of(&type_instance, "destination_endpoint_engine_name", "Greenplum"),
		"Greenplum");
	assert_int_equal(diag.n, 0);
}

static void test_text(void **state)
{
	(void)state;
	expect_wire("dts_job_name", "订单 同步!*'()~+&=%/?#[]@", "订单 同步!*'()~+&=%/?#[]@");
	expect_warning("dts_job_name", "habit  # team A", 11 + 7, "no inline comments");
	expect_wire("dts_job_name", "a;b#c", "a;b#c");
	expect_error("dts_job_name", "a\tb", 1, 12, "0x09");
	expect_error("dts_job_name", "a\xc2\x85", 1, 12, "control character");
	expect_wire("source_endpoint_password", "p;1#2%20=3\"4'5\\6$7${8}",
	            "p;1#2%20=3\"4'5\\6$7${8}");
	/* Never the text of a secret in a message. */
	assert_string_equal(normalize("source_endpoint_password", "hunter2 ;x"), "hunter2 ;x");
	assert_int_equal(diag.warnings, 1);
	assert_null(strstr(all_text(), "hunter2"));
	expect_wire("source_endpoint_password", "tab\there", "tab\there");
}

static void test_accounts(void **state)
{
	(void)state;
	expect_wire("source_endpoint_owner_id", "1200000000000017", "1200000000000017");
	expect_warning("source_endpoint_owner_id", "my-account", 11, "digits only");
	expect_wire("source_endpoint_role", "dts-reader", "dts-reader");
	expect_error("source_endpoint_role", "acs:ram::1200000000000017:role/dts-reader", 1, 11,
	             "bare name|write dts-reader");
}

static void test_phones(void **state)
{
	(void)state;
	expect_wire("delay_phone", "13800000001", "13800000001");
	expect_wire("delay_phone", "13800000001, 13800000002", "13800000001,13800000002");
	expect_error("error_phone", "13800000001，13800000002", 1, 22,
	             "fullwidth comma (U+FF0C)|separate");
	expect_error("delay_phone", "+8613800000003, 013800000004", 2, 11,
	             "`+8613800000003`|write 13800000003|`013800000004`|write 13800000004");
	assert_int_equal(diag.v[1].pos.col, 11 + 16);
	expect_error("delay_phone", "13800000001,,13800000002", 1, 11 + 12, "missing");
	expect_error("delay_phone", "13800000001,", 1, 11 + 12, "missing");
	expect_error("delay_phone", "1380000000", 1, 11, "11 digits");
	expect_error("delay_phone",
	             "13800000001,13800000002,13800000003,13800000004,13800000005,13800000006,"
	             "13800000007,13800000008,"
	             "13800000009,13800000010,13800000011",
	             1, 11, "11 numbers|at most 10");
}

static void test_tags(void **state)
{
	const char *many = "t0=v";

	(void)state;
	assert_string_equal(normalize_of(&type_instance, "tags", "team = data, env=prod"),
	                    "{\"env\":\"prod\",\"team\":\"data\"}");
	assert_string_equal(normalize_of(&type_instance, "tags", "q=a=b,e="),
	                    "{\"e\":\"\",\"q\":\"a=b\"}");
	assert_string_equal(
		normalize_of(&type_instance, "tags", "{\"k.x\": \"a,b\", \"b\": \"1\"}"),
		"{\"b\":\"1\",\"k.x\":\"a,b\"}");
	assert_null(normalize_of(&type_instance, "tags", "team"));
	assert_null(normalize_of(&type_instance, "tags", "a=1, a=2"));
	assert_non_null(strstr(all_text(), "twice"));
	assert_null(normalize_of(&type_instance, "tags", "a=1,"));
	assert_null(normalize_of(&type_instance, "tags", "{\"a\": {}}"));
	for (int i = 1; i <= 20; i++)
		many = arena_printf(&arena, "%s,t%d=v", many, i);
	assert_null(normalize_of(&type_instance, "tags", many));
	assert_non_null(strstr(all_text(), "21 tags"));
}

static void test_json(void **state)
{
	(void)state;
	expect_wire(
		"db_list",
		"{ \"b\" : {\"all\":true, \"name\": \"b\"}, \"a\": {\"name\":\"x\",\"n\":1.50} }",
		"{\"b\":{\"all\":true,\"name\":\"b\"},\"a\":{\"name\":\"x\",\"n\":1.5}}");
	expect_error("db_list", "{\"shop\": {\"name\": }}", 1, 11 + 18, "no JSON");
	expect_error("db_list", "[]", 1, 11, "keyed by database");
	expect_warning("db_list", "{}", 11, "all, or nothing");
	expect_error("db_list", "{\"a\":{},\"a\":{}}", 1, 11 + 8, "x.ini:7:12");
	expect_error("db_list", "{\"a\": 3}", 1, 12, "must be an object");
	expect_error("db_list", "{\"a\":{\"Table\":[]}}", 1, 17, "must be an object");
	expect_error("reserve", "[1]", 1, 11, "object is needed");
	expect_error("data_check_configure", "[1]", 1, 11, "object is needed");
	expect_error("db_list", "\"{\\\"shop\\\":{\\\"all\\\":true}}\"", 1, 11,
	             "write: db_list = {\"shop\":{\"all\":true}}");
	expect_wire("data_check_configure", "{}", "{}");
	expect_wire("reserve", "{\"targetTableMode\": \"2\"}", "{\"targetTableMode\":\"2\"}");
	assert_string_equal(normalize("reserve", "{\"a\":\"1\", \"retry.blind.seconds\": 600}"),
	                    "{\"a\":\"1\",\"retry.blind.seconds\":600}");
	assert_int_equal(diag.n, 1);
	assert_int_equal(diag.v[0].level, DIAG_NOTE);
}

static void test_state_member(void **state)
{
	(void)state;
	/* A database, a table and a column may be called state; members of that name are the
	 * service's. */
	expect_wire("db_list",
	            "{\"state\":{\"state\":\"normal\",\"name\":\"state\",\"Table\":{\"state\":{"
	            "\"state\":\"x\",\"column\":{\"state\":"
	            "{\"name\":\"state\",\"state\":\"y\"}}}}}}",
	            "{\"state\":{\"name\":\"state\",\"Table\":{\"state\":{\"column\":{\"state\":{"
	            "\"name\":\"state\"}}}}}}");
	assert_int_equal(diag.n, 1);
	assert_int_equal(diag.v[0].level, DIAG_NOTE);
	assert_string_equal(normalize("db_list", "{\"a\":{\"tables\":{}}}"),
	                    "{\"a\":{\"tables\":{}}}");
	assert_int_equal(diag.warnings, 1);
	assert_non_null(strstr(all_text(), "`Table`"));
	assert_non_null(normalize("db_list", "{\"a\":{\"Table\":{\"t\":{\"filter\":\"id>1;\"}}}}"));
	assert_int_equal(diag.warnings, 1);
}

static void test_old_format(void **state)
{
	(void)state;
	expect_error("db_list",
	             "[{\"DBName\": \"shop\", \"TableIncludes\": [{\"TableName\": \"customer\"}, "
	             "{\"TableName\": \"order\", "
	             "\"NewTableName\": \"orders\"}]}]",
	             1, 11,
	             "ConfigureSynchronizationJob|{\"shop\":{\"name\":\"shop\",\"all\":false,"
	             "\"Table\":{\"customer\":{\"name\":\"customer\","
	             "\"all\":true},\"order\":{\"name\":\"orders\",\"all\":true}}}}");
	expect_error("db_list", "[{\"DBName\": \"a\", \"NewDBName\": \"b\"}]", 1, 11,
	             "{\"a\":{\"name\":\"b\",\"all\":true}}");
}

static void test_too_long(void **state)
{
	char *big = arena_alloc(&arena, 1200000);

	(void)state;
	strcpy(big, "{\"a\":{\"filter\":\"");
	memset(big + strlen(big), 'x', 1048576);
	strcat(big, "\"}}");
	assert_null(normalize("db_list", big));
	assert_non_null(strstr(all_text(), "1 MB"));
}

static void test_parameters(void **state)
{
	(void)state;
	expect_wire("job_parameters",
	            "[ {\"module\": \"03\", \"name\": \"x\", \"value\": 64}, "
	            "{\"module\":\"07\",\"name\":\"x\",\"value\":\"1\"} ]",
	            "[{\"module\":\"03\",\"name\":\"x\",\"value\":64},{\"module\":\"07\",\"name\":"
	            "\"x\",\"value\":\"1\"}]");
	expect_error("job_parameters", "[{\"module\":\"03\",\"name\":\"x\"}]", 1, 11,
	             "entry 1 has no `value`");
	expect_error("job_parameters",
	             "[{\"module\":\"03\",\"name\":\"x\",\"value\":1},{\"module\":\"03\",\"name\":"
	             "\"x\",\"value\":2}]",
	             1, 11 + 23, "given twice");
	assert_non_null(
		normalize("job_parameters", "[{\"module\":\"99\",\"name\":\"x\",\"value\":1}]"));
	assert_int_equal(diag.warnings, 1);
	expect_error("job_parameters", "{}", 1, 11, "array is needed");
	expect_error("job_parameters", "[1]", 1, 11, "no `module`");
}

static void test_markdown(void **state)
{
	(void)state;
	for (size_t t = 0; types[t]; t++) {
		char *md = schema_markdown(&arena, types[t]);

		for (size_t i = 0; i < types[t]->nattrs; i++)
			assert_non_null(
				strstr(md, arena_printf(&arena, "| `%s`", types[t]->attrs[i].key)));
	}
	for (int r = 0; r < ROUTE__COUNT; r++)
		assert_non_null(route_text((enum route)r));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_tables),     T(test_seed),         T(test_find),     T(test_families),
		T(test_bool),       T(test_int),          T(test_enum),     T(test_text),
		T(test_accounts),   T(test_phones),       T(test_tags),     T(test_json),
		T(test_old_format), T(test_state_member), T(test_too_long), T(test_parameters),
		T(test_markdown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
