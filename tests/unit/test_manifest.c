/* Lines, values, positions and mistakes of the reader; nothing here knows a type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "batch_fixture.h"

static struct bfx f;

static int setup(void **state)
{
	(void)state;
	bfx_init(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bfx_release(&f);
	return 0;
}

static void parse(const char *text)
{
	bfx_parse(&f, "m.ini", text);
}

#define VALUE(header, key, want) assert_string_equal(bfx_key(&f, (header), (key))->text, (want))
#define POS(header, key, off, l, c)                                                                \
	do {                                                                                       \
		struct pos at_ = raw_pos(bfx_key(&f, (header), (key)), (off));                     \
		assert_string_equal(at_.file, "m.ini");                                            \
		assert_int_equal(at_.line, (l));                                                   \
		assert_int_equal(at_.col, (c));                                                    \
	} while (0)

static void plain_lines(void **state)
{
	(void)state;
	parse("; comment\n# comment\n\n[one]\nkey = value\nempty =\n k2\t=\t v 2 \t\n[two.x]\n  "
	      "a=b=c:d\n");
	assert_counts(&f, 0, 0);
	assert_int_equal(f.m.n, 2);
	assert_string_equal(f.m.v[0].header, "one");
	assert_int_equal(f.m.v[0].pos.line, 4);
	VALUE("one", "key", "value");
	POS("one", "key", 0, 5, 7);
	VALUE("one", "empty", "");
	VALUE("one", "k2", "v 2");
	VALUE("two.x", "a", "b=c:d");
	assert_int_equal(bfx_key(&f, "two.x", "a")->pos.col, 3);
}

static void bom_and_crlf(void **state)
{
	(void)state;
	parse("\xef\xbb\xbf[s]  \r\nr\t=\tcn-x \t\r\nj = {\r\n\t\"a\": 1  \r\n\t}\r\nlast = no "
	      "line end");
	assert_counts(&f, 0, 0);
	VALUE("s", "r", "cn-x");
	VALUE("s", "j", "{ \"a\": 1 }");
	VALUE("s", "last", "no line end");
	assert_int_equal(f.m.v[0].pos.col, 1);
}

static void literal_characters(void **state)
{
	(void)state;
	parse("[s]\na = p;1#2%20=3\"4'5\\6 ; x # y\nb = \"x'\nc = %(y)s $z \\\n");
	assert_counts(&f, 0, 0);
	VALUE("s", "a", "p;1#2%20=3\"4'5\\6 ; x # y");
	VALUE("s", "b", "\"x'");
	VALUE("s", "c", "%(y)s $z \\");
}

static void continuation(void **state)
{
	(void)state;
	parse("[s]\nphones = 1,\n    2,\n\n  ; a comment in between\n\t3\nnext = x\n  inner = y\n  "
	      "  and more\nz = \n   late\n");
	assert_counts(&f, 0, 0);
	VALUE("s", "phones", "1, 2, 3");
	POS("s", "phones", 3, 3, 5);
	POS("s", "phones", 6, 6, 2);
	assert_true(bfx_key(&f, "s", "phones")->continued);
	VALUE("s", "next", "x");
	assert_false(bfx_key(&f, "s", "next")->continued);
	VALUE("s", "inner", "y and more");
	VALUE("s", "z", "late");
	POS("s", "z", 0, 11, 4);
}

static void json_values(void **state)
{
	(void)state;
	parse("[s]\na = {\n\"x\": \"}\\\"{\",\n# note\n\n      \"y\": [1,\n2]\n}\nb = [\n {\"k\": "
	      "\"[\"}\n]\nc =\n  {\n \"n\": 1 }\nd = [x] y\n");
	assert_counts(&f, 0, 0);
	VALUE("s", "a", "{ \"x\": \"}\\\"{\", \"y\": [1, 2] }");
	POS("s", "a", 15, 6, 7);
	VALUE("s", "b", "[ {\"k\": \"[\"} ]");
	VALUE("s", "c", "{ \"n\": 1 }");
	VALUE("s", "d", "[x] y");
}

static void columns_count_characters(void **state)
{
	(void)state;
	parse("[s]\nkey = \xe8\xae\xa2\xe5\x8d\x95x {\n");
	POS("s", "key", 3, 2, 8);
	POS("s", "key", 6, 2, 9);
}

static void unclosed_bracket(void **state)
{
	(void)state;
	parse("[a.b]\nx = {\"k\": 1\ny = 2\n[c.d]\nz = 3\nw = [ {}, \n");
	assert_said(&f, DIAG_ERROR, 2, 5, "never closed");
	assert_said(&f, DIAG_ERROR, 2, 5, "line 3");
	VALUE("c.d", "z", "3");
	assert_said(&f, DIAG_ERROR, 6, 5, "where the file ends");
	assert_counts(&f, 2, 0);
	assert_true(f.m.v[0].broken);
	assert_true(bfx_key(&f, "a.b", "x")->bad);
}

static void unclosed_bracket_before_a_section(void **state)
{
	(void)state;
	parse("[a.b]\nx = {\"k\": {\n\"l\": 1}\n\n[c.d]\nz = 3\n");
	assert_said(&f, DIAG_ERROR, 2, 5, "line 5, where the next section begins");
	VALUE("c.d", "z", "3");
	assert_counts(&f, 1, 0);
}

static void arrays_are_no_headers(void **state)
{
	(void)state;
	parse("[s]\nx = [\n[1, 2],\n[true],\n[null],\n[\"a\"],\n[{}]\n]\ny = 1\n");
	assert_counts(&f, 0, 0);
	VALUE("s", "y", "1");
}

static void string_over_a_line_end(void **state)
{
	(void)state;
	parse("[s]\nx = {\"k\": \"never\n}\ny = 1\n");
	assert_said(&f, DIAG_ERROR, 2, 11, "this string is not closed");
	VALUE("s", "y", "1");
	assert_counts(&f, 1, 0);
}

static void passwords_are_one_line(void **state)
{
	(void)state;
	parse("[s]\nsource_endpoint_password = {[\nnext = 1\n");
	assert_counts(&f, 0, 0);
	VALUE("s", "source_endpoint_password", "{[");
	VALUE("s", "next", "1");
}

static void duplicate_keys(void **state)
{
	(void)state;
	parse("[s]\na = 1\nb = 2\n a = 3\n[t]\na = 4\n");
	assert_said(&f, DIAG_ERROR, 4, 2, "the first one stands at m.ini:2:1");
	assert_counts(&f, 1, 0);
	VALUE("s", "a", "1");
	VALUE("t", "a", "4");
}

static void bad_keys(void **state)
{
	(void)state;
	parse("[s]\nno equals here\nkey: value\n= x\nmy key = x\nk\xc3\xa9y = x\n");
	assert_said(&f, DIAG_ERROR, 2, 1, "expected `key = value`");
	assert_said(&f, DIAG_ERROR, 4, 1, "missing");
	assert_said(&f, DIAG_ERROR, 5, 3, "no key");
	assert_said(&f, DIAG_ERROR, 6, 2, "no key");
	assert_counts(&f, 4, 0);
}

static void text_behind_json(void **state)
{
	(void)state;
	parse("[s]\nx = {\"k\": 1}\n}\ny = 1\n");
	assert_said(&f, DIAG_ERROR, 3, 1, "the value of x (line 2) was complete");
	assert_counts(&f, 1, 0);
}

static void headers(void **state)
{
	(void)state;
	parse("[ s ]\na = 1\n[t] ; why\nb = 2\n[u\nc = 3\n  [v]\nd = 4\n");
	VALUE("s", "a", "1");
	assert_said(&f, DIAG_ERROR, 3, 5, "text behind the section header");
	VALUE("t", "b", "2");
	assert_said(&f, DIAG_ERROR, 5, 1, "`]`");
	assert_null(f.m.v[2].header);
	VALUE("v", "d", "4");
	assert_counts(&f, 2, 0);
}

static void no_section(void **state)
{
	(void)state;
	parse("");
	assert_said(&f, DIAG_ERROR, 1, 1, "empty");
	bfx_parse(&f, "c.ini", "; only a comment\n\n");
	assert_said(&f, DIAG_ERROR, 1, 1, "no section in this file");
	bfx_parse(&f, "k.ini", "a = 1\nb = 2\n");
	assert_said(&f, DIAG_ERROR, 1, 1, "a stands before the first section");
	assert_counts(&f, 3, 0);
}

static void bad_bytes(void **state)
{
	static const char text[] = "[s]\na = x\0y\nb = \xff\nc = caf\xe9\nd = ok\n";

	(void)state;
	manifest_parse(&f.m, "m.ini", text, sizeof text - 1, &f.d);
	assert_said(&f, DIAG_ERROR, 2, 6, "NUL byte");
	assert_said(&f, DIAG_ERROR, 3, 5, "invalid UTF-8 (in 2 lines)");
	assert_counts(&f, 2, 0);
	VALUE("s", "d", "ok");
	assert_true(bfx_key(&f, "s", "b")->bad);
}

static void other_encodings(void **state)
{
	(void)state;
	manifest_parse(&f.m, "m.ini", "\xff\xfe[\0s\0]\0", 8, &f.d);
	assert_said(&f, DIAG_ERROR, 1, 1, "UTF-16");
	bfx_parse(&f, "mac.ini", "[s]\ra = 1\r");
	assert_said(&f, DIAG_ERROR, 1, 4, "carriage return");
}

static char *filled(const char *before, size_t n, const char *after)
{
	size_t nb = strlen(before), na = strlen(after);
	char *s = malloc(nb + n + na + 1);

	memcpy(s, before, nb);
	memset(s + nb, 'x', n);
	memcpy(s + nb + n, after, na + 1);
	return s;
}

static void limits(void **state)
{
	char *s = filled("[s]\na = ", MANIFEST_VALUE_MAX, "\nb = 1\n");

	(void)state;
	parse(s);
	free(s);
	assert_counts(&f, 0, 0);
	assert_int_equal(bfx_key(&f, "s", "a")->n, MANIFEST_VALUE_MAX);
	VALUE("s", "b", "1");

	s = filled("[t]\na = ", MANIFEST_VALUE_MAX + 1, "\nb = 1\n");
	parse(s);
	free(s);
	assert_said(&f, DIAG_ERROR, 2, 5, "value of 1048577 bytes");
	VALUE("t", "b", "1");

	s = filled("[u]\n; ", 3 << 20, "\nb = 1\n");
	parse(s);
	free(s);
	VALUE("u", "b", "1");

	s = filled("[v]\n", MANIFEST_NAME_MAX + 1, " = 1\nb = 1\n");
	parse(s);
	free(s);
	assert_said(&f, DIAG_ERROR, 2, 1, "key of 65 bytes");

	s = filled("[", 2000, "]\nb = 1\n");
	parse(s);
	free(s);
	assert_said(&f, DIAG_ERROR, 1, 1, "header of 2000 bytes");
	assert_counts(&f, 3, 0);
}

static void too_large_a_file(void **state)
{
	char c = 'x';

	(void)state;
	manifest_parse(&f.m, "m.ini", &c, (size_t)MANIFEST_FILE_MAX + 1,
	               &f.d); /* refused before a byte is read */
	assert_said(&f, DIAG_ERROR, 1, 1, "64 MiB");
}

static void conflict_markers(void **state)
{
	(void)state;
	parse("[s]\n<<<<<<< HEAD\na = 1\n=======\na = 2\nb = 3\n>>>>>>> other\nj = {\n<<<<<<< x\n"
	      "\"k\": 1\n||||||| base\n\"k\": 0\n"
	      "=======\n\"k\": 2\n>>>>>>> y\n}\nc = 4\n");
	assert_said(&f, DIAG_ERROR, 2, 1, "conflict marker");
	assert_said(&f, DIAG_ERROR, 9, 1, "conflict marker");
	assert_counts(&f, 2, 0);
	VALUE("s", "a", "1");
	VALUE("s", "j", "{ \"k\": 1 }");
	VALUE("s", "c", "4");
}

static void conflict_that_never_ends(void **state)
{
	(void)state;
	parse("[s]\na = 1\n=======\nb = 2\n<<<<<<<\nc = 3\n");
	assert_said(&f, DIAG_ERROR, 3, 1, "conflict marker");
	assert_said(&f, DIAG_ERROR, 5, 1, "conflict marker");
	assert_counts(&f, 2, 0);
	VALUE("s", "b", "2");
	VALUE("s", "c", "3");
}

/* Sections whose names agree in their first 49 bytes stay apart; long values stay whole. */
static void limits_of_inih_do_not_show(void **state)
{
	char text[8192], long_name[80], value[3000];

	(void)state;
	memset(long_name, 'n', sizeof long_name);
	long_name[60] = '\0';
	memset(value, 'v', sizeof value);
	value[sizeof value - 1] = '\0';
	snprintf(text, sizeof text, "[t.%sa]\nk = %s\n[t.%sb]\nk:x = 1\nl = a ; b\n", long_name,
	         value, long_name);
	parse(text);
	assert_int_equal(f.m.n, 2);
	assert_string_not_equal(f.m.v[0].header, f.m.v[1].header);
	assert_int_equal(f.m.v[0].keys[0].n, sizeof value - 1);
	assert_int_equal(f.m.v[1].n, 1);
	assert_string_equal(f.m.v[1].keys[0].text, "a ; b");
	assert_counts(&f, 1, 0); /* "k:x" is no key */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		T(plain_lines), T(bom_and_crlf), T(literal_characters), T(continuation),
		T(json_values), T(unclosed_bracket), T(arrays_are_no_headers),
		T(columns_count_characters), T(duplicate_keys), T(bad_keys), T(text_behind_json),
		T(unclosed_bracket_before_a_section), T(headers), T(no_section),
		T(string_over_a_line_end), T(passwords_are_one_line), T(bad_bytes),
		T(other_encodings), T(limits), T(too_large_a_file), T(conflict_markers),
		T(conflict_that_never_ends), T(limits_of_inih_do_not_show),
	};
	/* clang-format on */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
