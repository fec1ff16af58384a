/*
 * A list of diagnostics with positions, compiler style. All mistakes of a
 * manifest are collected (up to DIAG_MAX errors) before anybody gives up.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

#define DIAG_MAX 100

struct pos {
	const char *file;   /* as the user named it; NULL: no position */
	unsigned line, col; /* from 1; col in code points; 0: unknown */
};

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag_item {
	enum diag_level level;
	struct pos pos;
	const char *msg;  /* what is wrong */
	const char *hint; /* what to do, or NULL */
	bool alone;       /* a note that explains no other item */
	unsigned more;    /* how many times the same was said of the same place again */
};

struct diag {
	struct arena *a;
	struct diag_item *v;
	size_t n, cap;
	size_t errors, warnings; /* count those dropped past DIAG_MAX of their kind, too */
	bool dropping;           /* diag.c only: the last error or warning was dropped */
};

void diag_init(struct diag *d, struct arena *a);
void diag_error(struct diag *d, struct pos p, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void diag_warn(struct diag *d, struct pos p, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Explains the error or warning before it; dropped with it. */
void diag_note(struct diag *d, struct pos p, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A note that stands alone. */
void diag_remark(struct diag *d, struct pos p, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* By file, line, column; stable. Items without position last. A note stays behind the error or
 * warning it follows. */
void diag_sort(struct diag *d);

#endif
