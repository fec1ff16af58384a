/* UTF-8, widths, terminal safety, near misses, globs, percent encoding, durations and dates. */
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
#include "base/text.h"

static struct arena a;

static int setup(void **st)
{
	(void)st;
	arena_init(&a);
	return 0;
}

static int teardown(void **st)
{
	(void)st;
	arena_release(&a);
	return 0;
}

static void test_compare(void **st)
{
	(void)st;
	assert_true(text_eq("a", "a"));
	assert_false(text_eq("a", "A"));
	assert_false(text_eq("a", NULL));
	assert_true(text_eq(NULL, NULL));
	assert_true(text_ieq("Running", "rUNNING"));
	assert_false(text_ieq("Running", "Runnin"));
	assert_false(text_ieq("@", "`")); /* differ by 0x20, but are no letters */
	assert_false(text_ieq(NULL, ""));
	assert_true(text_starts("instance.a", "instance."));
	assert_false(text_starts("ins", "instance."));
	assert_true(text_ends("a.ini", ".ini"));
	assert_false(text_ends("ini", ".ini"));
	assert_true(text_empty(NULL) && text_empty("") && !text_empty(" "));
}

static void test_utf8(void **st)
{
	static const struct {
		const char *s;
		size_t bad;
	} rows[] = {
		{"", 0},
		{"plain text of more than eight bytes", 35},
		{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9},
		{"12345678\xC3", 8},       /* cut short */
		{"ab\xC0\xAF", 2},         /* overlong */
		{"ab\xE0\x80\xAF", 2},     /* overlong */
		{"ab\xF0\x80\x80\x80", 2}, /* overlong */
		{"ab\xED\xA0\x80", 2},     /* surrogate */
		{"ab\xED\x9F\xBF", 5},     /* the last before them */
		{"ab\xF4\x90\x80\x80", 2}, /* beyond U+10FFFF */
		{"ab\xF4\x8F\xBF\xBF", 6}, /* U+10FFFF */
		{"ab\x80", 2},             /* continuation alone */
		{"ab\xE2\x82 1234567", 2},
	};
	char out[4];
	uint32_t cp;

	(void)st;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(text_utf8_bad(rows[i].s, strlen(rows[i].s)), rows[i].bad);
	assert_int_equal(text_utf8_next("\xF0\x9F\x98\x80", 4, &cp), 4);
	assert_int_equal(cp, 0x1F600);
	assert_int_equal(text_utf8_next("\xF0\x9F\x98\x80", 3, &cp), 0);
	assert_int_equal(text_utf8_next("", 0, &cp), 0);
	for (uint32_t v = 1; v <= 0x10FFFF; v += 37) {
		size_t n;

		if (v >= 0xD800 && v <= 0xDFFF)
			continue;
		n = text_utf8_put(v, out);
		assert_int_equal(text_utf8_next(out, n, &cp), n);
		assert_int_equal(cp, v);
	}
}

static void test_width(void **st)
{
	(void)st;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("\xE4\xB8\xAD\xE6\x96\x87"), 4); /* two Chinese characters */
	assert_int_equal(text_width("e\xCC\x81"), 1);                /* combining acute */
	assert_int_equal(text_width("\xF0\x9F\x98\x80"), 2);         /* emoji */
	assert_int_equal(text_width("\xEF\xBC\xA1"), 2);             /* full-width A */
	assert_int_equal(text_width("\xEA\xB0\x80"), 2);             /* Hangul syllable */
	assert_int_equal(text_width("\xE2\x80\xA6"), 1);             /* ellipsis */
	assert_int_equal(text_width("\xE2\x80\x8B"), 0);             /* zero width space */
	assert_int_equal(text_column("abc", 2), 3);
	assert_int_equal(text_column("\xC3\xA9z", 2), 2);
	assert_int_equal(text_column("\xC3\xA9z", 1), 1);
	assert_int_equal(text_column("", 0), 1);
}

static void assert_safe(const char *s, size_t max, const char *want)
{
	assert_string_equal(text_safe_dup(&a, s, max), want);
}

static void test_safe(void **st)
{
	(void)st;
	assert_safe("plain \xE4\xB8\xAD", 0, "plain \xE4\xB8\xAD");
	assert_safe("a\nb\tc\x1b[31m", 0, "a\\nb\\tc\\x1b[31m");
	assert_safe("\x07\x08\x0b\x0c\r\x7f", 0, "\\x07\\b\\v\\f\\r\\x7f");
	assert_safe("\xC2\x85\xE2\x80\xAE\xEF\xBB\xBF", 0, "\\u0085\\u202e\\ufeff");
	assert_safe("x\xFF\xC3", 0, "x\\xff\\xc3");
	assert_safe("\xF3\xA0\x80\x81", 0, "\\U000e0001");
	assert_safe("12345", 5, "12345");
	assert_safe("123456", 5, "1234\xE2\x80\xA6");
	assert_safe("\xE4\xB8\xAD\xE6\x96\x87\xE4\xB8\xAD", 5,
	            "\xE4\xB8\xAD\xE6\x96\x87\xE2\x80\xA6");
	assert_safe("\xE4\xB8\xAD\xE6\x96\x87\xE4\xB8\xAD", 4, "\xE4\xB8\xAD\xE2\x80\xA6");
	assert_safe("abe\xCC\x81", 3, "abe\xCC\x81");
	assert_safe("ab\n", 3, "ab\xE2\x80\xA6"); /* an escape is whole or absent */
	assert_safe("ab", 1, "\xE2\x80\xA6");
}

static void test_nearest(void **st)
{
	static const char *const names[] = {"source_endpoint_password",
	                                    "dts_job_name",
	                                    "instance_class",
	                                    "status",
	                                    "db_list",
	                                    "region"};
	const size_t n = sizeof names / sizeof *names;

	(void)st;
	assert_string_equal(text_nearest("regoin", names, n), "region");
	assert_string_equal(text_nearest("DtsJobName", names, n), "dts_job_name");
	assert_string_equal(text_nearest("instance-class", names, n), "instance_class");
	assert_string_equal(text_nearest("stat", names, n), "status");
	assert_string_equal(text_nearest("dblist", names, n), "db_list");
	assert_string_equal(text_nearest("source_endpoint", names, n), "source_endpoint_password");
	assert_null(text_nearest("password_file", names, n));
	assert_null(text_nearest("xyz", names, n));
	assert_null(text_nearest("", names, n));
	assert_null(text_nearest("region", names, 0));
	assert_null(text_nearest("ab", (const char *const[]){"xy"}, 1));
	assert_string_equal(text_nearest("ba", (const char *const[]){"ab"}, 1),
	                    "ab"); /* a swap is one slip */
	/* one edit each: the one that begins alike wins, whatever the order */
	assert_string_equal(text_nearest("bat", (const char *const[]){"cat", "bar"}, 2), "bar");
	assert_string_equal(text_nearest("bat", (const char *const[]){"bar", "cat"}, 2), "bar");
}

static void test_glob(void **st)
{
	char many[4096];

	(void)st;
	assert_true(text_glob("sync.*", "sync.orders"));
	assert_false(text_glob("sync.*", "syncs.orders"));
	assert_true(text_glob("*", ""));
	assert_false(text_glob("", "a"));
	assert_true(text_glob("*a*b", "xxaxxbxb"));
	assert_false(text_glob("*a*b", "xxaxxbx"));
	assert_true(text_glob("a?c", "a\xC3\xA9"
	                             "c"));
	assert_false(text_glob("a?", "a"));
	assert_true(text_glob("a**", "a"));
	/* would take for ever if earlier stars were tried again */
	memset(many, 'a', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	assert_false(text_glob("*a*a*a*a*a*a*a*a*a*b", many));
}

static void test_percent(void **st)
{
	struct buf b;

	(void)st;
	buf_init(&b, 1000);
	text_percent(&b, "aZ09-_.~ +*/\xC3\xA9%", 15);
	assert_string_equal(buf_str(&b), "aZ09-_.~%20%2B%2A%2F%C3%A9%25");
	buf_reset(&b);
	assert_true(text_unpercent(&b, "a%2fb+c%C3%a9", 13, true));
	assert_string_equal(buf_str(&b), "a/b c\xC3\xA9");
	buf_reset(&b);
	assert_true(text_unpercent(&b, "a+b", 3, false));
	assert_string_equal(buf_str(&b), "a+b");
	assert_false(text_unpercent(&b, "%4", 2, false));
	assert_false(text_unpercent(&b, "%", 1, false));
	assert_false(text_unpercent(&b, "%4g", 3, false));
	assert_false(text_unpercent(&b, "%41", 2, false)); /* the digit behind n is not ours */
	buf_release(&b);
}

static void test_int(void **st)
{
	int64_t v = 7;

	(void)st;
	assert_true(text_int("0", 0, 10, &v) && v == 0);
	assert_true(text_int("-5", -5, 10, &v) && v == -5);
	assert_false(text_int("-6", -5, 10, &v));
	assert_false(text_int("11", -5, 10, &v));
	assert_int_equal(v, -5);
	assert_true(text_int("9223372036854775807", INT64_MIN, INT64_MAX, &v) && v == INT64_MAX);
	assert_true(text_int("-9223372036854775808", INT64_MIN, INT64_MAX, &v) && v == INT64_MIN);
	assert_false(text_int("9223372036854775808", INT64_MIN, INT64_MAX, &v));
	assert_false(text_int("-9223372036854775809", INT64_MIN, INT64_MAX, &v));
	assert_false(text_int("99999999999999999999", INT64_MIN, INT64_MAX, &v));
	assert_false(text_int("", 0, 10, &v) || text_int("-", 0, 10, &v) ||
	             text_int("+1", 0, 10, &v) || text_int(" 1", 0, 10, &v) ||
	             text_int("1 ", 0, 10, &v) || text_int("0x1", 0, 10, &v));
}

static void test_duration(void **st)
{
	static const struct {
		const char *s;
		int64_t ms;
	} in[] = {{"90s", 90000},
	          {"25m", 1500000},
	          {"2h", 7200000},
	          {"1d", 86400000},
	          {"500ms", 500},
	          {"7", -1},
	          {"0", 0},
	          {"", -1},
	          {"s", -1},
	          {"-1s", -1},
	          {"1 s", -1},
	          {"1h30m", -1},
	          {"1.5h", -1},
	          {"1H", -1},
	          {"9223372036854775807ms", INT64_MAX},
	          {"9223372036854775808ms", -1},
	          {"9223372036854775807d", -1}};
	static const struct {
		int64_t ms;
		const char *s;
	} out[] = {{0, "0 s"},
	           {-5, "0 s"},
	           {400, "400 ms"},
	           {3999, "3 s"},
	           {60000, "1 min"},
	           {250000, "4 min 10 s"},
	           {7500000, "2 h 5 min"},
	           {7200000, "2 h"},
	           {86400000, "1 d"},
	           {90000000, "1 d 1 h"}};

	(void)st;
	for (size_t i = 0; i < sizeof in / sizeof *in; i++)
		assert_int_equal(text_duration_ms(in[i].s), in[i].ms);
	for (size_t i = 0; i < sizeof out / sizeof *out; i++)
		assert_string_equal(text_duration(&a, out[i].ms), out[i].s);
}

static void test_utc(void **st)
{
	static const char *const bad[] = {"",
	                                  "2026-11-25",
	                                  "2026-11-25T17:12:00",
	                                  "2026-11-25 17:12:00Z",
	                                  "2026-13-25T17:12:00Z",
	                                  "2026-02-29T17:12:00Z",
	                                  "2100-02-29T00:00:00Z",
	                                  "2026-11-25T24:12:00Z",
	                                  "2026-11-25T17:60:00Z",
	                                  "2026-11-25T17:12:60Z",
	                                  "2026-11-25T17:12:00+01:00",
	                                  "2026-11-25T17:12:00.Z",
	                                  "2026-11-25T17:12:00ZZ",
	                                  "1969-12-31T23:59:59Z",
	                                  "2026-00-25T17:12:00Z",
	                                  "2026-11-00T17:12:00Z"};
	char s[21];

	(void)st;
	text_utc(0, s);
	assert_string_equal(s, "1970-01-01T00:00:00Z");
	text_utc(1795626720, s);
	assert_string_equal(s, "2026-11-25T17:12:00Z");
	text_utc(951782400, s);
	assert_string_equal(s, "2000-02-29T00:00:00Z");
	text_utc(-1, s);
	assert_string_equal(s, "1969-12-31T23:59:59Z");
	text_utc(INT64_MAX, s);
	assert_string_equal(s, "9999-12-31T23:59:59Z");
	text_utc(INT64_MIN, s);
	assert_string_equal(s, "0000-01-01T00:00:00Z");
	assert_int_equal(text_utc_parse("2026-11-25T17:12:00Z"), 1795626720);
	assert_int_equal(text_utc_parse("2026-11-25T17:12:00.123Z"), 1795626720);
	assert_int_equal(text_utc_parse("2000-02-29T00:00:00Z"), 951782400);
	/* every day for 200 years and back */
	for (int64_t t = 0; t < 73000ll * 86400; t += 86399) {
		text_utc(t, s);
		assert_int_equal(text_utc_parse(s), t);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(text_utc_parse(bad[i]), -1);
}

static void test_http_date(void **st)
{
	static const char *const bad[] = {"",
	                                  "Wed, 25 Nov 2026 17:12:00 UTC",
	                                  "Wed, 25 Nov 2026 17:12:0 GMT",
	                                  "Wed, 25 Nob 2026 17:12:00 GMT",
	                                  "Wxd, 25 Nov 2026 17:12:00 GMT",
	                                  "Wed, 31 Nov 2026 17:12:00 GMT",
	                                  "Wed, 25 Nov 2026 17:12:00 GMT ",
	                                  "Wed, xx Nov 2026 17:12:00 GMT"};

	(void)st;
	assert_int_equal(text_http_date_parse("Wed, 25 Nov 2026 17:12:00 GMT"), 1795626720);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(text_http_date_parse(bad[i]), -1);
}

static void test_field(void **st)
{
	(void)st;
	assert_string_equal(text_field(&a, " a , b,,c ", ',', 0), "a");
	assert_string_equal(text_field(&a, " a , b,,c ", ',', 1), "b");
	assert_string_equal(text_field(&a, " a , b,,c ", ',', 2), "");
	assert_string_equal(text_field(&a, " a , b,,c ", ',', 3), "c");
	assert_null(text_field(&a, " a , b,,c ", ',', 4));
	assert_null(text_field(&a, "", ',', 0));
	assert_null(text_field(&a, NULL, ',', 0));
}

static void test_has_field(void **state)
{
	(void)state;
	assert_true(text_has_field(" a , bc,,d ", ',', "bc", false));
	assert_true(text_has_field(" a , bc,,d ", ',', "d", false));
	assert_true(text_has_field("a,,b", ',', "", false));
	assert_true(text_has_field("a|b", '|', "b", false));
	assert_false(text_has_field("a,bc", ',', "b", false));
	assert_false(text_has_field("a,b", ',', "B", false));
	assert_true(text_has_field("a,b", ',', "B", true));
	assert_false(text_has_field("", ',', "", false));
	assert_false(text_has_field(NULL, ',', "a", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),   cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_width),     cmocka_unit_test(test_safe),
		cmocka_unit_test(test_nearest),   cmocka_unit_test(test_glob),
		cmocka_unit_test(test_percent),   cmocka_unit_test(test_int),
		cmocka_unit_test(test_duration),  cmocka_unit_test(test_utc),
		cmocka_unit_test(test_http_date), cmocka_unit_test(test_field),
		cmocka_unit_test(test_has_field),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
