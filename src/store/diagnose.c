/*
 * What is wrong with a snapshot that does not load. Slow and thorough: it
 * runs only when something is wrong, or for `state verify`.
 */
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/text.h"

static const char hint_edited[] =
	"undo the edit or the merge (take one side whole), or restore the file; `dtsbatch state "
	"verify` checks it";
static const char hint_newer[] = "use that version of dtsbatch, or a newer one";
static const char hint_crlf[] =
	"something converted the line ends: put `*.state.json -text` into .gitattributes and check "
	"the file out anew; `dtsbatch state verify` checks it";

struct look {
	struct diag *d;
	struct arena a;
	const char *p, *name;
	size_t n;
	size_t lines, bad, markers;
	char ours[64]; /* name of the first side of the conflict that is being read */
	unsigned opened;
};

/* "x.state.journal" for "/dir/x.state.json" */
static const char *journal_of(const struct look *k)
{
	const char *slash = strrchr(k->name, '/'), *base = slash ? slash + 1 : k->name;
	const char *end = strstr(base, ".json");

	return arena_printf(k->d->a, "%.*s.journal",
	                    (int)(end ? (size_t)(end - base) : strlen(base)), base);
}

static const char *hint_restore(const struct look *k)
{
	return arena_printf(
		k->d->a,
		"the file is left as it is. `dtsbatch state verify` says what can be recovered; "
		"restore it from version control or a backup, or move it away with its journal (%s) and make it "
		"again from manifest and account by `dtsbatch state rebuild`",
		journal_of(k));
}

static const char *hint_conflict(const struct look *k)
{
	return arena_printf(
		k->d->a,
		"take one side (for example `git checkout --theirs FILE`, the one with the higher "
		"serial), then run `dtsbatch state verify`; a journal (%s) is not touched by a "
		"merge",
		journal_of(k));
}

static struct pos at_line(const struct look *k, size_t line)
{
	return (struct pos){.file = k->name, .line = (unsigned)line, .col = line ? 1 : 0};
}

static bool begins(const char *s, size_t n, const char *what)
{
	return n >= strlen(what) && memcmp(s, what, strlen(what)) == 0;
}

static void rest_of_line(char *out, size_t cap, const char *s, size_t n)
{
	size_t w = 0;

	for (; n && w + 1 < cap; s++, n--)
		if ((unsigned char)*s >= ' ' && *s != 0x7f)
			out[w++] = *s;
	out[w] = '\0';
}

/* A conflict is reported once, at its first line, with the names of both sides. */
static bool conflict_marker(struct look *k, const char *s, size_t n)
{
	char theirs[64];

	if (begins(s, n, "<<<<<<< ")) {
		rest_of_line(k->ours, sizeof(k->ours), s + 8, n - 8);
		k->opened = (unsigned)k->lines;
		return true;
	}
	if (begins(s, n, ">>>>>>> ")) {
		rest_of_line(theirs, sizeof(theirs), s + 8, n - 8);
		k->markers++;
		diag_error(k->d, at_line(k, k->opened ? k->opened : k->lines), hint_conflict(k),
		           "conflict marker of a version control system: one side is \"%s\", the "
		           "other is \"%s\" "
		           "(to line %zu)",
		           k->ours[0] ? k->ours : "?", theirs, k->lines);
		k->opened = 0;
		return true;
	}
	if (k->opened && (begins(s, n, "=======") || begins(s, n, "|||||||")))
		return true;
	return false;
}

/* Can the line stand in a snapshot? A reason, or NULL. */
static const char *line_wrong(struct look *k, const char *s, size_t n)
{
	struct json_err je = {0};
	size_t len = n && s[n - 1] == ',' ? n - 1 : n;
	char *text;

	if (begins(s, n, "],") || (n == 1 && (*s == '{' || *s == '}')) || (n && s[n - 1] == '['))
		return NULL;
	if (begins(s, n, "{") && json_parse(&k->a, s, len, &je)) {
		struct err e;

		if (begins(s, n, "{\"address\":") &&
		    !decode_record(&k->a, json_parse(&k->a, s, len, &je), &e))
			return arena_strdup(&k->a, e.msg);
		return NULL;
	}
	if (begins(s, n, "{"))
		return arena_printf(&k->a, "not valid JSON: %s (byte %zu of the line)", je.msg,
		                    je.off + 1);
	text = arena_printf(&k->a, "{%.*s}", (int)(len < (1U << 30) ? len : 0), s);
	if (!begins(s, n, "\"") || !json_parse(&k->a, text, strlen(text), &je))
		return "not a line of a state file";
	return NULL;
}

static void look_at_lines(struct look *k)
{
	const char *s = k->p, *end = k->p + k->n;

	while (s < end) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((lf ? lf : end) - s);
		const char *wrong;

		k->lines++;
		if (!conflict_marker(k, s, n)) {
			wrong = line_wrong(k, s, n);
			if (wrong) {
				k->bad++;
				diag_error(k->d, at_line(k, k->lines), hint_restore(k), "%s",
				           wrong);
			}
		}
		arena_reset(&k->a);
		s = lf ? lf + 1 : end;
	}
	if (k->opened) {
		k->markers++;
		diag_error(k->d, at_line(k, k->opened), hint_conflict(k),
		           "conflict marker of a version control system: one side is \"%s\", its "
		           "end is missing",
		           k->ours);
	}
}

static long format_number(const char *p, size_t n)
{
	static const char head[] = "\"format_version\":";
	const char *at =
		n > 8 && p[0] == '{' ? memmem(p, n < 256 ? n : 256, head, sizeof(head) - 1) : NULL;
	long v = 0;

	if (!at)
		return -1;
	for (at += sizeof(head) - 1; at < p + n && *at >= '0' && *at <= '9' && v < 100000000; at++)
		v = v * 10 + (*at - '0');
	return v;
}

static void conflicts_first(struct diag *d, size_t from)
{
	size_t w = from;

	/* A broken line between markers is the merge's fault: the markers are the news. */
	for (size_t i = from; i < d->n; i++) {
		struct diag_item it = d->v[i];

		if (!text_starts(it.msg, "conflict marker"))
			continue;
		memmove(&d->v[w + 1], &d->v[w], (i - w) * sizeof(d->v[0]));
		d->v[w++] = it;
	}
}

/* The last item becomes the first: it explains the others. */
static void to_front(struct diag *d, size_t from)
{
	struct diag_item last;

	if (d->n <= from)
		return;
	last = d->v[d->n - 1];
	memmove(&d->v[from + 1], &d->v[from], (d->n - 1 - from) * sizeof(last));
	d->v[from] = last;
}

void snapshot_diagnose(struct diag *d, const char *p, size_t n, const char *name)
{
	struct look k = {.d = d, .p = p, .n = n, .name = name};
	const char *nul = n ? memchr(p, '\0', n) : NULL;
	long format = format_number(p, n);
	size_t from = d->n;

	if (!n) {
		diag_error(d, at_line(&k, 0), hint_restore(&k),
		           "the state file is empty (0 bytes): this is damage, not a first run");
		return;
	}
	if (nul) {
		diag_error(d, at_line(&k, 0), hint_restore(&k),
		           "the state file holds NUL bytes (the first is byte %zu of %zu): damage, "
		           "as after a full disk or "
		           "a power cut",
		           (size_t)(nul - p) + 1, n);
		return;
	}
	if (format > STORE_FORMAT && snapshot_covered(p, n)) {
		diag_error(d, at_line(&k, 0), hint_newer,
		           "format_version %ld is newer than this dtsbatch understands (%d)",
		           format, STORE_FORMAT);
		return;
	}
	if (memchr(p, '\r', n)) {
		diag_error(d, at_line(&k, 0), hint_crlf, "the state file has CR LF line ends");
		return;
	}
	arena_init(&k.a);
	look_at_lines(&k);
	arena_release(&k.a);
	if (k.markers) {
		conflicts_first(d, from);
		return;
	}
	if (!snapshot_covered(p, n)) {
		diag_error(
			d, at_line(&k, 0), hint_restore(&k),
			"the state file is cut off or was written over: its last line, the check "
			"sum, is missing "
			"(%zu bytes, %zu lines)",
			n, k.lines);
		to_front(d, from);
	} else if (!k.bad) {
		diag_error(d, at_line(&k, 0), hint_edited,
		           "the check sum does not match, though every line is well formed: the "
		           "file was edited or merged "
		           "after dtsbatch wrote it, or a byte has changed");
	}
}
