#include "base/err.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* One row per code: its exit status and its rank among several failures of one run. A signal
 * outranks all of them and is no code. What ends a run before it begins ranks highest. */
static const struct {
	const char *name;
	int status;
	int rank;
} rows[] = {
	[ERR_NONE] = {"none", 0, 0},
	[ERR_FAILED] = {"failed", 1, 1},
	[ERR_PARTIAL] = {"partial", 3, 2},
	[ERR_LATER] = {"later", 75, 3},
	[ERR_UNREACHABLE] = {"unreachable", 69, 4},
	[ERR_DENIED] = {"denied", 77, 5},
	[ERR_STATE_CREATE] = {"state_create", 73, 6},
	[ERR_STATE_WRITE] = {"state_write", 74, 7},
	[ERR_DECISION] = {"decision", 4, 8},
	[ERR_STATE_READ] = {"state_read", 78, 9},
	[ERR_MANIFEST] = {"manifest", 65, 10},
	[ERR_USAGE] = {"usage", 64, 11},
};
_Static_assert(sizeof rows / sizeof *rows == ERR__COUNT, "one row per code");

/* Formats into out and, if it had to cut, ends on a whole UTF-8 character. */
static void put(char *out, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, size, fmt, ap);
	size_t last = size - 1; /* where the last character begins */
	uint32_t cp;

	if (n < 0) {
		out[0] = '\0';
		return;
	}
	if ((size_t)n < size)
		return;
	do
		last--;
	while (last && ((unsigned char)out[last] & 0xC0) == 0x80);
	if (!text_utf8_next(out + last, size - 1 - last, &cp))
		out[last] = '\0';
}

int err_set(struct err *e, enum err_code c, const char *fmt, ...)
{
	char msg[sizeof e->msg]; /* the arguments may lie inside *e */
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	put(msg, sizeof msg, fmt, ap);
	va_end(ap);
	e->code = c;
	e->subject[0] = e->hint[0] = '\0';
	memcpy(e->msg, msg, sizeof e->msg);
	return -1;
}

static void join(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void join(struct err *e, const char *fmt, ...)
{
	char msg[sizeof e->msg];
	va_list ap;

	va_start(ap, fmt);
	put(msg, sizeof msg, fmt, ap);
	va_end(ap);
	memcpy(e->msg, msg, sizeof e->msg);
}

int err_ctx(struct err *e, const char *fmt, ...)
{
	char outer[sizeof e->msg];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	put(outer, sizeof outer, fmt, ap);
	va_end(ap);
	join(e, "%s: %s", outer, e->msg);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	char hint[sizeof e->hint];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	put(hint, sizeof hint, fmt, ap);
	va_end(ap);
	memcpy(e->hint, hint, sizeof e->hint);
	return -1;
}

void err_subject(struct err *e, const char *subject)
{
	if (e)
		snprintf(e->subject, sizeof e->subject, "%s", subject ? subject : "");
}

int err_exit_status(enum err_code c)
{
	if ((unsigned)c >= ERR__COUNT)
		BUG("error code %d", (int)c);
	return rows[c].status;
}

const char *err_name(enum err_code c)
{
	if ((unsigned)c >= ERR__COUNT)
		BUG("error code %d", (int)c);
	return rows[c].name;
}

enum err_code err_worse(enum err_code a, enum err_code b)
{
	if ((unsigned)a >= ERR__COUNT || (unsigned)b >= ERR__COUNT)
		BUG("error codes %d and %d", (int)a, (int)b);
	return rows[b].rank > rows[a].rank ? b : a;
}

void err_bug(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "dtsbatch: fault of the program at %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
