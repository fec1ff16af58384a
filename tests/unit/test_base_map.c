/* Arena, vector, buffer, map, errors and diagnostics. */
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
#include "base/diag.h"
#include "base/err.h"
#include "base/map.h"

static void test_arena(void **st)
{
	struct arena a;
	char *p, *q;
	bool dirty = false;

	(void)st;
	arena_init(&a);
	for (size_t round = 0; round < 3; round++) {
		for (size_t n = 0; n < 3000; n += 7) {
			p = arena_alloc(&a, n);
			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t i = 0; i < n; i++)
				dirty |= p[i] != 0;
			memset(p, 0xA5, n);
		}
		/* The kept block is dirty: the next round must see zeros all the same. */
		arena_reset(&a);
		assert_int_equal(a.used, 0);
	}
	assert_false(dirty);
	p = arena_strndup(&a, "abcdef", 3);
	assert_string_equal(p, "abc");
	q = arena_alloc(&a, 3u << 20); /* larger than a block */
	memset(q, 1, 3u << 20);
	assert_string_equal(p, "abc");
	assert_string_equal(arena_printf(&a, "%s-%d", p, 7), "abc-7");
	assert_string_equal(arena_strdup(&a, ""), "");
	arena_release(&a);
	arena_alloc(&a, 1); /* usable again */
	arena_release(&a);
}

static void test_vector(void **st)
{
	struct arena a;
	struct point {
		int x, y;
	};
	VEC(struct point) v = {0}, w = {0};

	(void)st;
	arena_init(&a);
	for (int i = 0; i < 10000; i++) {
		VEC_PUSH(&a, &v)->x = i;
		if (i % 3 == 0)
			VEC_PUSH(&a, &w)->y = i; /* in between: v cannot always grow where it is */
	}
	assert_int_equal(v.n, 10000);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(v.v[i].x, i);
		assert_int_equal(v.v[i].y, 0);
	}
	for (int i = 0; i < (int)w.n; i++)
		assert_true(w.v[i].y == 3 * i && w.v[i].x == 0);
	{
		char *p = arena_alloc(&a, 10), *q;

		memset(p, 'x', 10);
		q = arena_grow(&a, p, 10, 20);
		assert_ptr_equal(p, q); /* the last piece */
		arena_alloc(&a, 1);
		q = arena_grow(&a, p, 20, 40);
		assert_ptr_not_equal(p, q);
		assert_memory_equal(q, "xxxxxxxxxx\0\0\0\0\0\0\0\0\0\0", 20);
	}
	arena_release(&a);
}

static void test_buf(void **st)
{
	struct buf b;

	(void)st;
	buf_init(&b, 10);
	assert_string_equal(buf_str(&b), "");
	buf_puts(&b, "12345");
	buf_printf(&b, "%d", 678);
	assert_false(b.over);
	assert_string_equal(buf_str(&b), "12345678");
	buf_printf(&b, "%s", "9ABC");
	assert_true(b.over);
	assert_string_equal(buf_str(&b), "123456789A");
	buf_putc(&b, 'x');
	buf_add(&b, "y", 1);
	assert_int_equal(b.n, 10);
	buf_reset(&b);
	assert_false(b.over);
	assert_string_equal(buf_str(&b), "");
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.n, 3);
	buf_add(&b, NULL, 0);
	buf_release(&b);
	buf_putc(&b, 'z'); /* usable again, same ceiling */
	assert_int_equal(b.max, 10);
	buf_release(&b);
	buf_init(&b, SIZE_MAX);
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, (char)('a' + i % 26));
	assert_int_equal(b.n, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	assert_int_equal(b.p[100000], '\0');
	buf_release(&b);
	buf_init(&b, 0);
	buf_putc(&b, 'x');
	assert_true(b.over && b.n == 0);
	buf_release(&b);
}

static void test_map(void **st)
{
	struct arena a;
	struct map m;
	const uint32_t n = 20000;

	(void)st;
	arena_init(&a);
	map_init(&m, &a);
	assert_int_equal(map_get(&m, "x"), MAP_NONE);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(map_put(&m, arena_printf(&a, "key%u", i), i), MAP_NONE);
	assert_int_equal(m.n, n);
	for (uint32_t i = 0; i < n; i++) {
		char key[32];

		snprintf(key, sizeof key, "key%u", i);
		assert_int_equal(map_get(&m, key), i);
	}
	assert_int_equal(map_get(&m, "key20000"), MAP_NONE);
	assert_int_equal(map_get(&m, ""), MAP_NONE);
	assert_int_equal(map_put(&m, "key7", 70), 7);
	assert_int_equal(map_get(&m, "key7"), 70);
	assert_int_equal(m.n, n);
	assert_int_equal(map_put(&m, "", 5), MAP_NONE);
	assert_int_equal(map_get(&m, ""), 5);
	arena_release(&a);
}

static void test_err(void **st)
{
	static const enum err_code by_rank[] = {ERR_NONE,         ERR_FAILED,      ERR_PARTIAL,
	                                        ERR_LATER,        ERR_UNREACHABLE, ERR_DENIED,
	                                        ERR_STATE_CREATE, ERR_STATE_WRITE, ERR_DECISION};
	static const int status[] = {0, 1, 3, 75, 69, 77, 73, 74, 4};
	struct err e = {0};
	char longest[2000];

	(void)st;
	assert_int_equal(err_set(&e, ERR_LATER, "locked by %d", 7), -1);
	err_subject(&e, "sync.a");
	assert_int_equal(err_hint(&e, "wait for %s", "it"), -1);
	assert_int_equal(err_ctx(&e, "cannot open %s", "x.state"), -1);
	assert_int_equal(e.code, ERR_LATER);
	assert_string_equal(e.msg, "cannot open x.state: locked by 7");
	assert_string_equal(e.hint, "wait for it");
	err_set(&e, ERR_FAILED, "again: %s", e.msg); /* its own text as argument */
	assert_string_equal(e.msg, "again: cannot open x.state: locked by 7");
	assert_string_equal(e.hint, "");
	assert_string_equal(e.subject, "");
	/* two-byte characters from an odd offset: the limit falls into one */
	longest[0] = 'x';
	for (size_t i = 1; i + 2 < sizeof longest; i += 2)
		memcpy(longest + i, "\xC3\xA9", 3);
	err_set(&e, ERR_FAILED, "%s", longest);
	assert_int_equal(strlen(e.msg), 1023);
	err_set(&e, ERR_FAILED, "y%s", longest);
	assert_int_equal(strlen(e.msg), 1022);
	err_set(NULL, ERR_FAILED, "nobody listens");
	for (size_t i = 0; i < sizeof by_rank / sizeof *by_rank; i++) {
		assert_int_equal(err_exit_status(by_rank[i]), status[i]);
		for (size_t j = 0; j < i; j++) {
			assert_int_equal(err_worse(by_rank[i], by_rank[j]), by_rank[i]);
			assert_int_equal(err_worse(by_rank[j], by_rank[i]), by_rank[i]);
		}
	}
	assert_int_equal(err_exit_status(ERR_USAGE), 64);
	assert_int_equal(err_exit_status(ERR_MANIFEST), 65);
	assert_int_equal(err_exit_status(ERR_STATE_READ), 78);
	assert_string_equal(err_name(ERR_STATE_WRITE), "state_write");
}

static void test_diag(void **st)
{
	struct arena a;
	struct diag d;

	(void)st;
	arena_init(&a);
	diag_init(&d, &a);
	diag_error(&d, (struct pos){0}, NULL, "nowhere");
	diag_error(&d, (struct pos){"b.ini", 1, 1}, NULL, "b1");
	diag_error(&d, (struct pos){"a.ini", 9, 1}, "hint", "a9 %d", 5);
	diag_note(&d, (struct pos){"a.ini", 2, 1}, NULL, "first one here");
	diag_warn(&d, (struct pos){"a.ini", 3, 7}, NULL, "a3.7");
	diag_error(&d, (struct pos){"a.ini", 3, 2}, NULL, "a3.2");
	diag_error(&d, (struct pos){"a.ini", 3, 2}, NULL, "a3.2 second");
	diag_sort(&d);
	assert_int_equal(d.errors, 5);
	assert_int_equal(d.warnings, 1);
	{
		static const char *const want[] = {
			"a3.2", "a3.2 second", "a3.7", "a9 5", "first one here", "b1", "nowhere"};

		assert_int_equal(d.n, 7);
		for (size_t i = 0; i < 7; i++)
			assert_string_equal(d.v[i].msg, want[i]);
		assert_string_equal(d.v[3].hint, "hint");
	}
	for (unsigned i = 0; i < 200; i++) {
		diag_error(&d, (struct pos){"c.ini", i, 1}, NULL, "many");
		diag_note(&d, (struct pos){"c.ini", i, 1}, NULL, "why");
	}
	assert_int_equal(d.errors, 205);
	assert_int_equal(d.n, 7 + 2 * (DIAG_MAX - 5));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena), cmocka_unit_test(test_vector),
		cmocka_unit_test(test_buf),   cmocka_unit_test(test_map),
		cmocka_unit_test(test_err),   cmocka_unit_test(test_diag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
