#include "base/json_internal.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

void json_number_text(double d, char out[40])
{
	if (!isfinite(d))
		BUG("a number that JSON cannot hold");
	if (d >= -JSON_EXACT_MAX && d <= JSON_EXACT_MAX && d == (double)(int64_t)d) {
		snprintf(out, 40, "%" PRId64, (int64_t)d);
		return;
	}
	/* 15 digits are always kept, except where a double has fewer bits. */
	for (int digits = fabs(d) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		snprintf(out, 40, "%.*g", digits, d);
		if (strtod(out, NULL) == d)
			break;
	}
	/* Digits only would be an integer beyond 2^53, which we do not read. */
	if (!strpbrk(out, ".e"))
		memcpy(out + strlen(out), ".0", 3);
}

void json_write_str(struct buf *out, const char *s)
{
	static const char named[] = "btnvfr"; /* 8..13; 11 has no name in JSON */
	const char *from = s;                 /* what is not copied yet */

	buf_putc(out, '"');
	for (;;) {
		unsigned char c = (unsigned char)*s;
		uint32_t cp;
		size_t len;

		if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
			s++;
			continue;
		}
		len = c >= 0x80 ? text_utf8_next(s, 4, &cp) : 0;
		if (len) {
			s += len;
			continue;
		}
		buf_add(out, from, (size_t)(s - from));
		if (!c)
			break;
		if (c >= 0x80)
			buf_puts(out, "\xEF\xBF\xBD");
		else if (c == '"' || c == '\\')
			buf_add(out, (char[]){'\\', (char)c}, 2);
		else if (c >= 8 && c <= 13 && c != 11)
			buf_add(out, (char[]){'\\', named[c - 8]}, 2);
		else
			buf_printf(out, "\\u%04x", c);
		from = ++s;
	}
	buf_putc(out, '"');
}

static void write_scalar(struct buf *out, const struct json *v)
{
	char number[40];

	switch (v->type) {
	case JSON_NULL:
		buf_puts(out, "null");
		break;
	case JSON_BOOL:
		buf_puts(out, v->b ? "true" : "false");
		break;
	case JSON_NUMBER:
		if (v->is_int) {
			buf_printf(out, "%" PRId64, v->i);
		} else {
			json_number_text(v->d, number);
			buf_puts(out, number);
		}
		break;
	case JSON_STRING:
		json_write_str(out, v->s);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		BUG("not a scalar");
	}
}

/* To be sorted. */
struct member {
	const struct json *v;
};

static int key_cmp(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->v->key, y->v->key);
}

/* The members of obj by key, or NULL if document order is that already. */
static const struct member *by_key(struct arena *scratch, const struct json *obj)
{
	struct member *v;
	size_t i = 0;
	bool in_order = true;

	for (const struct json *c = obj->child; c && c->next && in_order; c = c->next)
		in_order = strcmp(c->key, c->next->key) <= 0;
	if (in_order)
		return NULL;
	v = arena_array(scratch, struct member, obj->n);
	for (const struct json *c = obj->child; c; c = c->next)
		v[i++].v = c;
	qsort(v, obj->n, sizeof *v, key_cmp);
	return v;
}

/* An array or object that is being written. */
struct level {
	const struct json *v, *next; /* next: in document order */
	const struct member *order;  /* or sorted; NULL: document order */
	size_t done;
};

static void enter(struct buf *out, struct arena *scratch, struct level *l, const struct json *v,
                  bool sorted)
{
	l->v = v;
	l->next = v->child;
	l->order = sorted && v->type == JSON_OBJECT ? by_key(scratch, v) : NULL;
	l->done = 0;
	buf_putc(out, v->type == JSON_OBJECT ? '{' : '[');
}

void json_write(struct buf *out, const struct json *v, bool sorted)
{
	struct arena scratch;
	/* No fixed depth: built trees may go deeper than parsed ones. */
	VEC(struct level) open = {0};

	if (v->type != JSON_ARRAY && v->type != JSON_OBJECT) {
		write_scalar(out, v);
		return;
	}
	arena_init(&scratch);
	enter(out, &scratch, VEC_PUSH(&scratch, &open), v, sorted);
	while (open.n) {
		struct level *l = &open.v[open.n - 1];
		const struct json *c;

		c = l->next;
		if (l->order)
			c = l->done < l->v->n ? l->order[l->done].v : NULL;
		if (!c) {
			buf_putc(out, l->v->type == JSON_OBJECT ? '}' : ']');
			open.n--;
			continue;
		}
		l->next = c->next;
		if (l->done++)
			buf_putc(out, ',');
		if (l->v->type == JSON_OBJECT) {
			json_write_str(out, c->key);
			buf_putc(out, ':');
		}
		if (c->type == JSON_ARRAY || c->type == JSON_OBJECT)
			enter(out, &scratch, VEC_PUSH(&scratch, &open), c, sorted);
		else
			write_scalar(out, c);
	}
	arena_release(&scratch);
}

char *json_write_dup(struct arena *a, const struct json *v, bool sorted)
{
	struct buf b;
	char *text;

	buf_init(&b, SIZE_MAX);
	json_write(&b, v, sorted);
	text = arena_strndup(a, buf_str(&b), b.n);
	buf_release(&b);
	return text;
}

bool json_equal(const struct json *a, const struct json *b)
{
	struct buf x, y;
	bool equal;

	if (!a || !b)
		return a == b;
	if (a->type != b->type || a->n != b->n)
		return false;
	/* The sorted text is one for each meaning: no second definition that could differ. */
	buf_init(&x, SIZE_MAX);
	buf_init(&y, SIZE_MAX);
	json_write(&x, a, true);
	json_write(&y, b, true);
	equal = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
	buf_release(&x);
	buf_release(&y);
	return equal;
}
