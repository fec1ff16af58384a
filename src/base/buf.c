#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/sys.h"

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){.max = max_bytes < SIZE_MAX / 2 ? max_bytes : SIZE_MAX / 2};
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->over = false;
	if (b->p)
		b->p[0] = '\0';
}

void buf_release(struct buf *b)
{
	if (b->p)
		hash_wipe(b->p, b->cap);
	sys_free(b->p);
	buf_init(b, b->max);
}

/* Room for `more` bytes and the NUL. Not realloc(): that could leave an unwiped copy behind. */
static void room(struct buf *b, size_t more)
{
	size_t need = b->n + more + 1;
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (b->p && need <= b->cap)
		return;
	while (cap < need)
		cap *= 2;
	if (cap > b->max + 1) /* need <= max + 1: the caller clipped it */
		cap = b->max + 1;
	p = sys_malloc(cap);
	if (b->p) {
		memcpy(p, b->p, b->n + 1);
		hash_wipe(b->p, b->cap);
		sys_free(b->p);
	}
	b->p = p;
	b->cap = cap;
}

/* What of n bytes still fits. */
static size_t clip(struct buf *b, size_t n)
{
	if (n <= b->max - b->n)
		return n;
	b->over = true;
	return b->max - b->n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	n = clip(b, n);
	room(b, n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	if (b->p && b->n + 1 < b->cap) {
		b->p[b->n++] = c;
		b->p[b->n] = '\0';
	} else {
		buf_add(b, &c, 1);
	}
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	size_t fit, space = b->p ? b->cap - b->n : 0;
	int n;

	/* Into the room there is; a second time only if that was too little. */
	va_copy(again, ap);
	n = vsnprintf(space ? b->p + b->n : NULL, space, fmt, again);
	va_end(again);
	if (n < 0)
		BUG("cannot format \"%s\"", fmt);
	fit = clip(b, (size_t)n);
	if (fit == (size_t)n && fit < space) {
		b->n += fit;
		return;
	}
	room(b, fit);
	vsnprintf(b->p + b->n, fit + 1, fmt, ap);
	b->n += fit;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

const char *buf_str(const struct buf *b)
{
	return b->p ? b->p : "";
}
