/* The strict reader, its messages and offsets, and the canonical writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

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

static struct json *parse(const char *text)
{
	struct json_err e = {0};
	struct json *v = json_parse(&a, text, strlen(text), &e);

	if (!v)
		fail_msg("%s: %s at %zu", text, e.msg, e.off);
	return v;
}

static void test_refused(void **st)
{
	/* clang-format off */
	static const struct {
		const char *text;
		size_t off;
		const char *msg; /* part of it */
	} rows[] = {
	    {"", 0, "missing"},
	    {"  ", 2, "missing"},
	    {"{\"a\":1,}", 6, "trailing comma"},
	    {"[1,\n]", 2, "trailing comma"},
	    {"[,1]", 1, "a value, found ','"},
	    {"[1,,2]", 3, "a value, found ','"},
	    {"{a:1}", 1, "keys need double quotes"},
	    {"{1:1}", 1, "keys need double quotes"},
	    {"{'a':1}", 1, "single quote"},
	    {"{,}", 1, "a key"},
	    {"{\"a\" 1}", 5, "':' after the key"},
	    {"{\"a\"}", 4, "':' after the key"},
	    {"{\"a\":}", 5, "a value, found '}'"},
	    {"{\"a\":1 \"b\":2}", 7, "',' or '}' after a member"},
	    {"[1 2]", 3, "',' or ']' after an element"},
	    {"[1,2", 0, "never closed"},
	    {"[{\"a\":[1,2]", 1, "never closed"},
	    {"{\"a\":", 0, "never closed"},
	    {"[\"abc", 1, "string is never closed"},
	    {"\"abc\\\"", 0, "string is never closed"},
	    {"[1}", 2, "']' has to close the array"},
	    {"{\"a\":1]", 6, "'}' has to close the object"},
	    {"[}", 1, "a value"},
	    {"{]", 1, "a key"},
	    {"]", 0, "a value"},
	    {"1 2", 2, "more text after"},
	    {"{} x", 3, "more text after"},
	    {"{}}", 2, "more text after"},
	    {"True", 0, "lower case"},
	    {"[nul]", 1, "double quotes"},
	    {"truex", 0, "double quotes"},
	    {"NaN", 0, "double quotes"},
	    {"[\xE2\x80\x9C" "a\xE2\x80\x9D]", 1, "typographic"},
	    {"{\xE2\x80\x9C" "a\xE2\x80\x9D:1}", 1, "typographic"},
	    {"\xEF\xBB\xBF{}", 0, "byte order mark"},
	    {"// x", 0, "comment"},
	    {"[1, # x", 4, "comment"},
	    {"01", 0, "must not begin with 0"},
	    {"-", 0, "without a number"},
	    {"-a", 0, "without a number"},
	    {"1.", 0, "behind its point"},
	    {"1.e3", 0, "behind its point"},
	    {"1e", 0, "exponent"},
	    {"1e+", 0, "exponent"},
	    {".5", 0, "a value"},
	    {"+1", 0, "a value"},
	    {"0x10", 1, "more text"},
	    {"1e999", 0, "out of range"},
	    {"[-1e999]", 1, "out of range"},
	    {"9007199254740993", 0, "2^53"},
	    {"-9007199254740993", 0, "2^53"},
	    {"10000000000000000", 0, "2^53"},
	    {"0.0000000000000000000000000000000000000000000000000000000000001", 0, "60 characters"},
	    {"\"\\u0000\"", 1, "\\u0000"},
	    {"\"\\ud800\"", 1, "surrogate"},
	    {"\"\\ud800\\u0041\"", 1, "surrogate"},
	    {"\"\\udc00\\ud800\"", 1, "surrogate"},
	    {"\"\\u12g4\"", 1, "four hexadecimal"},
	    {"\"\\u12", 1, "four hexadecimal"},
	    {"\"\\x41\"", 1, "unknown escape"},
	    {"\"\\", 1, "unknown escape"},
	    {"\"a\nb\"", 2, "line end"},
	    {"\"a\tb\"", 2, "\\u0009"},
	    {"\"a\x1f\"", 2, "\\u001f"},
	    {"\"a\xC3\"", 2, "UTF-8"},
	    {"\"\xED\xA0\x80\"", 1, "UTF-8"},
	    {"\v1", 0, "a value"},
	    {"[1]\xC2\xA0", 3, "more text"},
	};
	/* clang-format on */

	(void)st;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json_err e = {0};

		if (json_parse(&a, rows[i].text, strlen(rows[i].text), &e))
			fail_msg("accepted: %s", rows[i].text);
		if (e.off != rows[i].off || !strstr(e.msg, rows[i].msg) || e.first_off != SIZE_MAX)
			fail_msg("%s: \"%s\" at %zu, not \"%s\" at %zu", rows[i].text, e.msg, e.off,
			         rows[i].msg, rows[i].off);
		assert_null(json_parse(&a, rows[i].text, strlen(rows[i].text), NULL));
	}
	{
		struct json_err e;

		assert_null(json_parse(&a, "[1\0]", 4, &e));
		assert_int_equal(e.off, 2);
		assert_non_null(strstr(e.msg, "NUL"));
		assert_null(json_parse(&a, "12", 0, &e)); /* the length counts, not the NUL */
	}
	assert_int_equal(json_parse(&a, "1234", 2, NULL)->i, 12);
}

static void test_duplicates(void **st)
{
	static const struct {
		const char *text;
		size_t off, first; /* first SIZE_MAX: accepted */
	} rows[] = {
		{"{\"a\":1,\"a\":2}", 7, 1},
		{"{\"a\":1,\"\\u0061\":2}", 7, 1},
		{"{\"\\/\":1,\"/\":2}", 8, 1},
		{"{\"a\":1,\"A\":2}", 0, SIZE_MAX},
		{"{\"\":1,\"\":2}", 6, 1},
		{"{\"a\":{\"a\":{\"a\":1}}}", 0, SIZE_MAX},
		{"[{\"a\":1},{\"a\":1}]", 0, SIZE_MAX},
		{"{\"x\":{\"a\":1},\"y\":{\"a\":1},\"x\":3}", 25, 1},
		{"{\"b\":{\"a\":1,\"b\":2},\"a\":3}", 0, SIZE_MAX},
	};
	struct json_err e;
	struct buf b;

	(void)st;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json *v = json_parse(&a, rows[i].text, strlen(rows[i].text), &e);

		assert_int_equal(!v, rows[i].first != SIZE_MAX);
		if (!v && (e.off != rows[i].off || e.first_off != rows[i].first))
			fail_msg("%s: %zu and %zu", rows[i].text, e.off, e.first_off);
	}
	/* an object with many keys, whose table grows while inner objects come and go */
	buf_init(&b, 1u << 20);
	buf_putc(&b, '{');
	for (int i = 0; i < 5000; i++)
		buf_printf(&b, "\"k%d\":{\"k%d\":1,\"k%d\":2},", i, i, i + 1);
	buf_puts(&b, "\"z\":0}");
	assert_non_null(json_parse(&a, b.p, b.n, &e));
	b.n--;
	buf_puts(&b, ",\"k4321\":0}");
	assert_null(json_parse(&a, b.p, b.n, &e));
	assert_int_equal(e.off, strstr(b.p, ",\"k4321\":0}") + 1 - b.p);
	assert_int_equal(e.first_off, strstr(b.p, "\"k4321\":{") - b.p);
	assert_non_null(strstr(e.msg, "\"k4321\""));
	buf_release(&b);
}

static void test_values(void **st)
{
	struct json *v = parse(
		"{\"i\":-12,\"max\":9007199254740992,\"d\":2.50,\"whole\":64.0,\"zero\":-0,"
		"\"t\":true,\"f\":false,\"n\":null,\"e\":[],\"o\":{},"
		"\"s\":\"q\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\",\"l\":[1,1.5,[2]]}");

	(void)st;
	assert_int_equal(v->n, 12);
	assert_true(json_get(v, "i")->is_int && json_get(v, "i")->i == -12);
	assert_true(json_get(v, "max")->i == 9007199254740992);
	assert_true(!json_get(v, "d")->is_int && json_get(v, "d")->d == 2.5);
	assert_true(!json_get(v, "whole")->is_int && json_get(v, "whole")->d == 64);
	assert_true(json_get(v, "zero")->is_int && json_get(v, "zero")->i == 0);
	assert_true(json_get(v, "t")->b && json_get(v, "t")->type == JSON_BOOL);
	assert_false(json_get(v, "f")->b);
	assert_int_equal(json_get(v, "n")->type, JSON_NULL);
	assert_null(json_get(v, "I")); /* case counts */
	assert_string_equal(json_str(v, "s"), "q\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80");
	assert_int_equal(json_get(v, "l")->n, 3);
	assert_false(json_get(v, "l")->child->next->is_int);
	assert_true(json_get(v, "l")->last->child->is_int && json_get(v, "l")->last->child->i == 2);
	assert_null(json_get(json_get(v, "l"), "x"));
	assert_string_equal(parse(" \"x\" ")->s, "x");
}

static void test_paths(void **st)
{
	struct json *v = parse(
		"{\"A\":{\"B\":{\"C\":\"x\"},\"n\":7,\"d\":0.5,\"t\":true,\"z\":null},\"AB\":1}");

	(void)st;
	assert_string_equal(json_str(v, "A.B.C"), "x");
	assert_null(json_str(v, "A.B.c"));
	assert_null(json_str(v, "A.B"));
	assert_null(json_str(v, "A.B.C.D"));
	assert_null(json_str(v, "A.n"));
	assert_null(json_path(NULL, "A"));
	assert_null(json_path(v, "A."));
	assert_string_equal(json_text(&a, v, "A.n"), "7");
	assert_string_equal(json_text(&a, v, "A.d"), "0.5");
	assert_string_equal(json_text(&a, v, "A.t"), "true");
	assert_string_equal(json_text(&a, v, "A.B.C"), "x");
	assert_null(json_text(&a, v, "A.z"));
	assert_null(json_text(&a, v, "A.B"));
	assert_null(json_text(&a, v, "nope"));
	v = parse("[true,\"true\",\"TRUE\",false,\"false\",1,null,\"\"]");
	{
		int i = 0;

		for (const struct json *c = v->child; c; c = c->next, i++)
			assert_int_equal(json_true(c), i < 3);
	}
	assert_false(json_true(NULL));
}

static void test_write(void **st)
{
	static const char *const same[] = {
		"{}",
		"[]",
		"null",
		"\"\"",
		"[[],{},[{}]]",
		"{\"b\":1,\"a\":{\"d\":2,\"c\":3}}",
		"[0.1,-1.5,1e+300,5e-324,1.7976931348623157e+308,-9007199254740992]",
		"\"\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/\x7f\xC3\xA9\""};

	(void)st;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_string_equal(json_write_dup(&a, parse(same[i]), false), same[i]);
	assert_string_equal(json_write_dup(&a, parse(same[5]), true),
	                    "{\"a\":{\"c\":3,\"d\":2},\"b\":1}");
	assert_string_equal(
		json_write_dup(&a,
	                       parse("{\"\xC3\xA9\":1,\"z\":2,\"a\":3,\"Z\":4,\"\":5,\"aa\":6}"),
	                       true),
		"{\"\":5,\"Z\":4,\"a\":3,\"aa\":6,\"z\":2,\"\xC3\xA9\":1}");
	assert_string_equal(
		json_write_dup(
			&a, parse("[1.0,1e3,-0,-0.0,1e15,12345678901234568.0,9007199254740992.0]"),
			true),
		"[1,1000,0,0,1000000000000000,12345678901234568.0,9007199254740992]");
	assert_string_equal(json_write_dup(&a, json_new_str(&a, "a\xFF\xC3z"), false),
	                    "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"");
	{
		struct buf b;

		buf_init(&b, 5);
		json_write(&b, parse("[1,2,3,4]"), false);
		assert_true(b.over);
		assert_string_equal(buf_str(&b), "[1,2,");
		buf_release(&b);
	}
}

static void test_equal(void **st)
{
	static const struct {
		const char *x, *y;
		bool same;
	} rows[] = {
		{"64", "64.0", true},
		{"1e3", "1000", true},
		{"-0.0", "0", true},
		{"0.1", "0.10", true},
		{"1", "1.5", false},
		{"1", "\"1\"", false},
		{"null", "false", false},
		{"[]", "{}", false},
		{"[1,2]", "[2,1]", false},
		{"{\"a\":1,\"b\":[{\"c\":1,\"d\":2}]}", "{\"b\":[{\"d\":2,\"c\":1}],\"a\":1.0}",
	         true},
		{"{\"a\":1}", "{\"A\":1}", false},
		{"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
		{"\"\\u0061\"", "\"a\"", true},
	};

	(void)st;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(json_equal(parse(rows[i].x), parse(rows[i].y)), rows[i].same);
		assert_int_equal(json_equal(parse(rows[i].y), parse(rows[i].x)), rows[i].same);
	}
	assert_true(json_equal(NULL, NULL));
	assert_false(json_equal(NULL, parse("null")));
}

static void test_build(void **st)
{
	struct json *o = json_new(&a, JSON_OBJECT), *l = json_new(&a, JSON_ARRAY), *c;

	(void)st;
	json_add(o, "s", json_new_str(&a, "x"));
	json_add(o, "i", json_new_int(&a, INT64_MIN));
	json_add(o, "b", json_new_bool(&a, true));
	json_add(o, "l", l);
	json_add(l, NULL, json_new(&a, JSON_NULL));
	json_add(l, NULL, json_new(&a, JSON_NUMBER));
	assert_int_equal(o->n, 4);
	assert_string_equal(json_write_dup(&a, o, false),
	                    "{\"s\":\"x\",\"i\":-9223372036854775808,\"b\":true,\"l\":[null,0]}");
	c = json_clone(&a, json_get(o, "l"));
	assert_null(c->key);
	assert_null(c->next);
	json_add(c, NULL, json_new_bool(&a, false));
	assert_string_equal(json_write_dup(&a, c, false), "[null,0,false]");
	assert_int_equal(json_get(o, "l")->n, 2); /* the original is as it was */
	c = json_without(
		&a, parse("{\"x\":1,\"a\":{\"x\":{\"y\":2},\"b\":[{\"c\":4},{\"x\":5}]},\"xx\":6}"),
		"x");
	assert_string_equal(json_write_dup(&a, c, false),
	                    "{\"a\":{\"b\":[{\"c\":4},{}]},\"xx\":6}");
	assert_int_equal(c->n, 2);
}

/* Depth 64 passes, 65 does not; trees we build may be deeper than what we read. */
static void test_depth(void **st)
{
	char text[200];
	struct json_err e;
	struct json *v;

	(void)st;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	v = json_parse(&a, text, 128, &e);
	assert_non_null(v);
	for (int i = 0; i < 1000; i++) {
		struct json *outer = json_new(&a, JSON_ARRAY);

		json_add(outer, NULL, v);
		v = outer;
	}
	assert_int_equal(strlen(json_write_dup(&a, v, true)), 2128);
	assert_true(json_equal(v, json_clone(&a, v)));
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_null(json_parse(&a, text, 130, &e));
	assert_int_equal(e.off, 64);
	assert_non_null(strstr(e.msg, "64 deep"));
}

static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Eight times the keys; the bound is wide, a quadratic search would be far beyond it. */
static void test_linear(void **st)
{
	int64_t took[2] = {0};

	(void)st;
	for (int big = 0; big < 2; big++) {
		int keys = big ? 80000 : 10000;
		struct buf b;
		int64_t t;

		buf_init(&b, 64u << 20);
		buf_putc(&b, '{');
		for (int i = 0; i < keys; i++)
			buf_printf(&b, "%s\"key number %d\":%d", i ? "," : "",
			           (int)((int64_t)i * 7919 % 1000003), i);
		buf_putc(&b, '}');
		t = cpu_us();
		assert_non_null(json_parse(&a, b.p, b.n, NULL));
		took[big] = cpu_us() - t;
		buf_release(&b);
	}
	assert_true(took[1] < took[0] * 40 + 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_values),  cmocka_unit_test(test_paths),
		cmocka_unit_test(test_write),   cmocka_unit_test(test_equal),
		cmocka_unit_test(test_build),   cmocka_unit_test(test_depth),
		cmocka_unit_test(test_linear),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
