/* The home of secrets: lifetime, and masking in every form a quoted text may have. */
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
#include "base/secret.h"
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
	secret_wipe_all();
	arena_release(&a);
	return 0;
}

static void test_dup(void **st)
{
	char *huge = malloc(100000), *copy, *first;

	(void)st;
	assert_non_null(huge);
	first = secret_dup("password", 4);
	assert_string_equal(first, "pass");
	memset(huge, 'h', 100000);
	copy = secret_dup(huge, 100000);
	assert_int_equal(strlen(copy), 100000);
	for (int i = 0; i < 5000; i++)
		assert_string_equal(secret_dup("another one", 11), "another one");
	assert_string_equal(first, "pass");
	assert_string_equal(secret_dup(NULL, 0), "");
	free(huge);
}

static void test_forms(void **st)
{
	static const char secret[] = "p@ss+w \"o\\r/d\xC3\xA9\xF0\x9F\x98\x80";
	static const char *const quoted[] = {
		"p@ss+w \"o\\r/d\xC3\xA9\xF0\x9F\x98\x80",
		"p%40ss%2Bw%20%22o%5Cr%2Fd%C3%A9%F0%9F%98%80",
		"p%40ss%2bw%20%22o%5cr%2fd%c3%a9%f0%9f%98%80",
		"p%40ss%2Bw+%22o%5Cr%2Fd%C3%A9%F0%9F%98%80",
		"p%2540ss%252Bw%2520%2522o%255Cr%252Fd%25C3%25A9%25F0%259F%2598%2580",
		"p@ss+w \\\"o\\\\r/d\xC3\xA9\xF0\x9F\x98\x80",
		"p@ss+w \\\"o\\\\r\\/d\\u00e9\\uD83D\\uDE00",
		"\\u0070@ss\\u002bw \\\"o\\u005Cr\\/d\\u00E9\\ud83d\\ude00",
	};
	struct buf b;

	(void)st;
	secret_dup(secret, sizeof secret - 1);
	for (size_t i = 0; i < sizeof quoted / sizeof *quoted; i++) {
		const char *text =
			arena_printf(&a, "Message: <%s> and <%s>.", quoted[i], quoted[i]);

		assert_string_equal(secret_mask(&a, text), "Message: <***> and <***>.");
	}
	/* what we ourselves write */
	buf_init(&b, 1000);
	text_percent(&b, secret, sizeof secret - 1);
	assert_string_equal(secret_mask(&a, buf_str(&b)), "***");
	buf_reset(&b);
	json_write_str(&b, secret);
	assert_string_equal(secret_mask(&a, buf_str(&b)), "\"***\"");
	buf_release(&b);
}

static void test_places(void **st)
{
	const char *plain = "nothing to see, 100%, \\u12 \\ %4";

	(void)st;
	secret_dup("abc", 3); /* too short to be masked */
	assert_ptr_equal(secret_mask(&a, plain), plain);
	assert_string_equal(secret_mask(&a, "abc"), "abc");
	secret_dup("abcd", 4);
	secret_dup("cdef", 4);
	secret_dup("cdefgh", 6);
	assert_string_equal(secret_mask(&a, "abcd"), "***");
	assert_string_equal(secret_mask(&a, "abc"), "abc");
	assert_string_equal(secret_mask(&a, "xabcdx"), "x***x");
	assert_string_equal(secret_mask(&a, "abcdabcd"), "******");
	assert_string_equal(secret_mask(&a, "abcdef!"), "***!");   /* overlapping */
	assert_string_equal(secret_mask(&a, "abcdefgh!"), "***!"); /* the longer of two */
	secret_dup("tuvwxyz", 7);
	secret_dup("uvwx", 4);
	secret_dup("tuvw", 4);
	assert_string_equal(secret_mask(&a, "tuvwxyz!"), "***!"); /* one within the other */
	assert_string_equal(secret_mask(&a, "ab%63d ab%63%6"), "*** ab%63%6");
	assert_string_equal(secret_mask(&a, ""), "");
}

static void test_awkward(void **st)
{
	(void)st;
	/* secrets that look like an encoding themselves */
	secret_dup("%41%42", 6);
	secret_dup("a+b+c", 5);
	secret_dup("\\n\\t", 4);
	assert_string_equal(secret_mask(&a, "x%41%42x"), "x***x");
	assert_string_equal(secret_mask(&a, "x%2541%2542x"), "x***x");
	assert_string_equal(secret_mask(&a, "xa+b+cx"), "x***x");
	assert_string_equal(secret_mask(&a, "xa%2Bb%2bcx"), "x***x");
	assert_string_equal(secret_mask(&a, "x\\n\\tx"), "x***x");
	assert_string_equal(secret_mask(&a, "x\\\\n\\\\tx"), "x***x");
	assert_string_equal(secret_mask(&a, "x\\n\\t"), "x***");
}

static void test_wipe(void **st)
{
	(void)st;
	secret_dup("abcd", 4);
	secret_wipe_all();
	assert_string_equal(secret_mask(&a, "abcd"), "abcd");
	assert_string_equal(secret_dup("abcd", 4), "abcd");
	assert_string_equal(secret_mask(&a, "abcd"), "***");
	secret_wipe_all();
	secret_wipe_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_awkward, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wipe, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
