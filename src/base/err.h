/*
 * Errors travel as values and are printed once, by cli/render.c.
 *
 * Fallible functions return 0 or -1 and fill a struct err (last parameter);
 * outputs are untouched on failure; nothing is allocated on the error path.
 * err_set() also empties subject and hint. A NULL err is allowed everywhere.
 * The code decides the exit status (design.md 3 is the only table of them).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_code {
	ERR_NONE,
	ERR_FAILED,       /* 1: an operation failed */
	ERR_PARTIAL,      /* 3 */
	ERR_DECISION,     /* 4: guard, ambiguous purchase */
	ERR_USAGE,        /* 64 */
	ERR_MANIFEST,     /* 65 */
	ERR_UNREACHABLE,  /* 69: DNS, connection, proxy, TLS */
	ERR_STATE_CREATE, /* 73: state cannot be created */
	ERR_STATE_WRITE,  /* 74: state cannot be written */
	ERR_LATER,        /* 75: locked, deadline, throttled out */
	ERR_DENIED,       /* 77: credentials, permission, wrong account */
	ERR_STATE_READ,   /* 78: state unreadable or of a newer format */
	ERR__COUNT
};

struct err {
	enum err_code code;
	char subject[192]; /* address or path, "" if none */
	char msg[1024];    /* one or more lines, no final line end */
	char hint[512];    /* what to do, "" if none */
};

/* Arguments may point into *e. Too long texts are cut at a whole character. All three return -1. */
int err_set(struct err *e, enum err_code c, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "outer: " before msg */
int err_ctx(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_subject(struct err *e, const char *subject);
int err_exit_status(enum err_code c);
const char *err_name(enum err_code c); /* "unreachable", "state_write": for --json output */
/* The higher-ranked of two codes. Rank of several failures of one run: signal > 4 > 73/74 > 77 >
 * 69 > 75 > 3 > 1. */
enum err_code err_worse(enum err_code a, enum err_code b);

/* Our own fault: message and abort. */
#define BUG(...) err_bug(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void err_bug(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
