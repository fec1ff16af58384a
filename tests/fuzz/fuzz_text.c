/*
 * Text that comes from outside: what text_safe() lets through to a terminal,
 * encodings and their inverses, masking of a secret in every form, and the
 * parsers of times and durations. First byte: how much of the input is secret.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static void safe(const char *s, size_t n)
{
	struct buf b;

	buf_init(&b, 1u << 20);
	for (size_t max = 0; max < 12; max++) {
		buf_reset(&b);
		text_safe(&b, s, n, max);
		check(text_utf8_bad(buf_str(&b), b.n) == b.n);
		check(!max || text_width(buf_str(&b)) <= max);
		for (size_t i = 0; i < b.n; i++)
			check((unsigned char)b.p[i] >= 0x20 && b.p[i] != 0x7F);
	}
	buf_release(&b);
}

static void inverse(const char *s, size_t n)
{
	struct buf x, y;

	buf_init(&x, 1u << 20);
	buf_init(&y, 1u << 20);
	text_percent(&x, s, n);
	check(text_unpercent(&y, buf_str(&x), x.n, true));
	check(y.n == n && memcmp(buf_str(&y), s, n) == 0);
	buf_reset(&y);
	text_unpercent(&y, s, n, false);
	check(y.n <= n);
	buf_release(&x);
	buf_release(&y);
}

static void masked(struct arena *a, const char *secret, const char *before, const char *behind)
{
	struct buf b;
	const char *out;

	if (strlen(secret) < 4)
		return;
	secret_dup(secret, strlen(secret));
	buf_init(&b, 1u << 20);
	for (int form = 0; form < 3; form++) {
		buf_reset(&b);
		buf_puts(&b, before);
		if (form == 0)
			buf_puts(&b, secret);
		else if (form == 1)
			text_percent(&b, secret, strlen(secret));
		else
			json_write_str(&b, secret);
		buf_puts(&b, behind);
		out = secret_mask(a, buf_str(&b));
		/* json_write_str() replaces what is not UTF-8: nothing secret is left then */
		check(form == 2 || strstr(out, "***"));
		/* the stars of the mark may complete a secret that has some itself */
		check(strchr(secret, '*') || !strstr(out, secret));
	}
	buf_release(&b);
	secret_wipe_all();
}

static void parsers(struct arena *a, const char *s)
{
	const char *names[] = {"source_endpoint_password", s, "status"};
	int64_t v, t = text_utc_parse(s);
	char utc[21];

	check(t >= -1 && text_http_date_parse(s) >= -1 && text_duration_ms(s) >= -1);
	if (t >= 0) {
		text_utc(t, utc);
		check(strncmp(utc, s, 19) == 0);
	}
	if (text_int(s, -5, 500, &v)) {
		check(v >= -5 && v <= 500);
		text_duration(a, v);
	}
	text_nearest(s, names, 3);
	check(strlen(s) > 64 || !*s || text_eq(text_nearest(s, names + 1, 1), s));
	check(text_glob("*", s));
	text_glob(s, "instance.orders-to-lake");
	for (size_t i = 0; text_field(a, s, ',', i);)
		i++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	size_t cut;
	char *s, *secret;

	if (!size)
		return 0;
	cut = size - 1 < data[0] ? size - 1 : data[0];
	data++;
	size--;
	arena_init(&a);
	s = arena_strndup(&a, (const char *)data, size);
	secret = arena_strndup(&a, (const char *)data, cut);
	safe(s, size);
	inverse(s, size);
	parsers(&a, s);
	masked(&a, secret, "Message: ", s + cut);
	masked(&a, secret, s + cut, " end");
	arena_release(&a);
	return 0;
}
