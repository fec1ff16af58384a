/*
 * Growing byte buffer with a ceiling fixed at init. Going over the ceiling
 * sets `over` and drops what does not fit; callers check `over` once at the
 * end. The content is always NUL-terminated (not counted in n).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *p; /* NULL until the first write */
	size_t n, cap, max;
	bool over;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_reset(struct buf *b);   /* empty, memory kept */
void buf_release(struct buf *b); /* frees; wipes first */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
const char *buf_str(const struct buf *b); /* "" when empty; valid until the next write */

#endif
