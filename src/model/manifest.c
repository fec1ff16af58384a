/*
 * The reader works line by line in front of inih: it puts logical lines
 * together (continuations, JSON over several lines), keeps where each piece
 * stood, and hands inih one clean `name=value` line at a time. Headers reach
 * inih as numbers, because it cuts section names at 49 bytes without a word;
 * so do names, because it looks each of their characters up in a list.
 * Every byte is looked at a bounded number of times, whatever the mistakes.
 */
#include "model/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "model/manifest_line.h"

/* inih must be built alike (vendor/inih.sh); handle() notices when it was not. */
#ifndef INI_HANDLER_LINENO
#define INI_HANDLER_LINENO 1
#endif
#include <ini.h>

#define SHOWN_CELLS 40

/* A key name of this file and where it stood last; block counts from 1. Equal values in a row
 * share their text. */
struct seen {
	const char *name;
	size_t block, key;
	const char *text;
	size_t n;
};

/* How far a JSON value has come. */
struct nesting {
	size_t depth;
	bool in_string;
	/* opening quote of the first string that its line does not close; line 0: none */
	struct pos string_at;
};

struct reader {
	struct manifest *m;
	struct diag *d;
	const char *file;
	struct arena tmp; /* until the end of this file */

	struct lines in;

	struct block block; /* being read; keys in `keys` until it ends */
	bool in_block;
	VEC(struct raw_key) keys;
	struct map names; /* key name -> index in seen */
	VEC(struct seen) seen;
	size_t id;           /* of the key under way, in seen */
	bool orphan_said;    /* "key outside of a section" */
	bool garbage_said;   /* "expected key = value", once per run of such lines */
	struct raw_key last; /* for messages: the key before, name NULL if none */

	/* The logical line under way to inih. */
	struct buf value;
	size_t value_n; /* wanted length, also past the ceiling */
	VEC(struct span) spans;
	const char *name;
	struct pos name_pos;
	bool continued, bad;
	struct buf feed;
	size_t fed;
};

/* Passwords are one line, whatever they begin with (design.md 2: secrets are never continued). */
static bool is_password(const char *name)
{
	return text_ends(name, "_password");
}

static const char *shown(struct reader *r, const char *s, size_t n)
{
	return text_safe_dup(&r->tmp, arena_strndup(&r->tmp, s, n < 400 ? n : 400), SHOWN_CELLS);
}

/* Values -------------------------------------------------------------------------------------- */

static void value_begin(struct reader *r)
{
	buf_reset(&r->value);
	r->value_n = 0;
	r->spans.n = 0;
	r->continued = false;
	r->bad = false;
}

/* Adds [from, to) of a line. */
static void value_add(struct reader *r, const struct line *l, size_t from, size_t to)
{
	line_trim(l->s, &from, &to);
	if (r->spans.n && from == to)
		return;
	if (r->value_n) {
		buf_putc(&r->value, ' ');
		r->value_n++;
	}
	struct pos p = line_pos(&r->in, l, from);
	if (r->spans.n && !r->value_n)
		r->spans.n = 0; /* the line of the key was empty: the value begins here */
	*VEC_PUSH(&r->tmp, &r->spans) = (struct span){(uint32_t)r->value_n, p.line, p.col};
	buf_add(&r->value, l->s + from, to - from);
	r->value_n += to - from;
	r->bad = r->bad || l->bad;
}

/* Counts brackets in [i, to) of a line; returns true when they balance. */
static bool nest(const struct reader *r, struct nesting *b, const struct line *l, size_t i,
                 size_t to)
{
	size_t quote = 0;

	b->in_string = false;
	for (; i < to; i++) {
		char c = l->s[i];

		if (b->in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				b->in_string = false;
		} else if (c == '"') {
			b->in_string = true;
			quote = i;
		} else if (c == '{' || c == '[') {
			b->depth++;
		} else if (c == '}' || c == ']') {
			if (!--b->depth)
				return true;
		}
	}
	if (b->in_string && !b->string_at.line)
		b->string_at = line_pos(&r->in, l, quote);
	return false;
}

static struct pos span_pos(const char *file, const char *text, const struct span *spans,
                           size_t nspans, size_t off)
{
	size_t lo = 0, hi = nspans;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (spans[mid].off <= off)
			lo = mid;
		else
			hi = mid;
	}
	const struct span *s = &spans[lo];
	return (struct pos){file, s->line,
	                    off <= s->off ? s->col
	                                  : s->col + text_column(text + s->off, off - s->off) - 1};
}

struct pos raw_pos(const struct raw_key *k, size_t off)
{
	if (!k->nspans)
		return k->pos;
	return span_pos(k->pos.file, k->text, k->spans, k->nspans, off > k->n ? k->n : off);
}

/* The bracket at the beginning never closes: one error there that names the line where the JSON
 * breaks. */
static void never_closes(struct reader *r, const struct nesting *b, const struct line *stop)
{
	const struct span *s = r->spans.v;
	struct pos open = {r->file, s->line, s->col};
	struct json_err je = {.off = SIZE_MAX};
	char c = *buf_str(&r->value);

	r->bad = true;
	r->block.broken = true;
	if (b->string_at.line) {
		diag_error(
			r->d, open, "close the string: a JSON string ends on the line it begins on",
			"%s: this `%c` is never closed; the JSON breaks at line %u, where a string "
			"is not closed",
			r->name, c, b->string_at.line);
		return;
	}
	/* With a byte behind it that is no JSON: an error there means that all before it is
	 * right. */
	size_t n = r->value.n;
	buf_putc(&r->value, '\x01');
	if (!r->value.over)
		json_parse(&r->tmp, buf_str(&r->value), r->value.n, &je);
	if (je.off < n) {
		struct pos p = span_pos(r->file, buf_str(&r->value), s, r->spans.n, je.off);
		diag_error(r->d, open, "close the brackets before that line",
		           "%s: this `%c` is never closed; the JSON breaks at line %u, column %u",
		           r->name, c, p.line, p.col);
		return;
	}
	diag_error(
		r->d, open,
		c == '{' ? "a value that begins with `{` ends with the `}` that closes it"
			 : "a value that begins with `[` ends with the `]` that closes it",
		stop ? "%s: this `%c` is never closed; the JSON breaks at line %u, where the next "
		       "section begins"
		     : "%s: this `%c` is never closed; the JSON breaks at line %u, where the file "
		       "ends",
		r->name, c, stop ? stop->no : r->in.no);
}

/* JSON from offset i of a line on, until its brackets balance, whatever the indentation. */
static void value_json(struct reader *r, struct line *l, size_t i)
{
	struct nesting b = {0};
	bool done = nest(r, &b, l, i, l->n);

	value_add(r, l, i, l->n);
	while (!done && line_next(&r->in, l)) {
		size_t from = line_text(l);

		if (from == SIZE_MAX)
			continue;
		if (line_is_header(l, from)) {
			line_back(&r->in, l);
			never_closes(r, &b, l);
			return;
		}
		done = nest(r, &b, l, from, l->n);
		value_add(r, l, from, l->n);
		r->continued = true;
	}
	if (!done) {
		never_closes(r, &b, NULL);
	} else if (b.string_at.line) {
		diag_error(
			r->d, b.string_at,
			"a JSON string ends on the line it begins on; write a line end inside it "
			"as \\n",
			"%s: this string is not closed", r->name);
		r->bad = true;
	}
}

static void value_read(struct reader *r, struct line *l, size_t from)
{
	size_t to = l->n;
	bool json = !is_password(r->name);

	line_trim(l->s, &from, &to);
	value_begin(r);
	if (json && from < to && (l->s[from] == '{' || l->s[from] == '[')) {
		value_json(r, l, from);
		return;
	}
	value_add(r, l, from, to);
	while (line_next(&r->in, l)) {
		size_t i = line_text(l);

		if (i == SIZE_MAX)
			continue;
		if (i == 0 || line_is_key(l, i) ||
		    (l->s[i] == '[' && (r->value_n || !json || line_is_header(l, i)))) {
			line_back(&r->in, l);
			return;
		}
		r->continued = true;
		if (json && !r->value_n && (l->s[i] == '{' || l->s[i] == '[')) {
			r->spans.n = 0;
			value_json(r, l, i);
			return;
		}
		value_add(r, l, i, l->n);
	}
}

/* Keys and headers ---------------------------------------------------------------------------- */

/* A piece of a line for a message. What follows a secret may be the rest of it, so it is not
 * shown. */
static const char *quoted(struct reader *r, const char *s, size_t n)
{
	if (r->last.name && (is_password(r->last.name) || !strcmp(r->last.name, "reserve")))
		return "this";
	return arena_printf(&r->tmp, "`%s`", shown(r, s, n));
}

static void expected_key(struct reader *r, const struct line *l, size_t i)
{
	const char *hint =
		"a comment begins with `;` or `#`; a long value goes on in indented lines";
	r->block.broken = true;
	if (r->garbage_said)
		return;
	r->garbage_said = true;
	if (memchr(l->s + i, ':', l->n - i))
		hint = "write `key = value`, with an equals sign";
	if (strchr("}],", l->s[i]) && r->last.name)
		hint = arena_printf(
			&r->tmp,
			"the value of %s (line %u) was complete before this line: a bracket too "
			"many or closed too early",
			r->last.name, r->last.pos.line);
	diag_error(r->d, line_pos(&r->in, l, i), hint, "expected `key = value`, found %s",
	           quoted(r, l->s + i, l->n - i));
}

/* Names come in the same order section after section, so the one behind the last one is tried
 * before the map. */
static bool name_known(struct reader *r, const char *s, size_t n)
{
	size_t next = r->id + 1 < r->seen.n ? r->id + 1 : 0;
	char name[MANIFEST_NAME_MAX + 1];
	uint32_t at;

	if (r->seen.n && !strncmp(r->seen.v[next].name, s, n) && !r->seen.v[next].name[n]) {
		r->id = next;
		return true;
	}
	memcpy(name, s, n);
	name[n] = '\0';
	at = map_get(&r->names, name);
	if (at != MAP_NONE)
		r->id = at;
	return at != MAP_NONE;
}

/* Checks the name at [i, to) of a line; reports and returns NULL when it is none. */
static const char *key_name(struct reader *r, const struct line *l, size_t i, size_t to)
{
	size_t bad = i;

	if (i == to) {
		diag_error(r->d, line_pos(&r->in, l, i), NULL, "the key before `=` is missing");
		return NULL;
	}
	if (to - i > MANIFEST_NAME_MAX) {
		diag_error(r->d, line_pos(&r->in, l, i), NULL,
		           "key of %zu bytes; a key has at most %d", to - i, MANIFEST_NAME_MAX);
		return NULL;
	}
	while (bad < to && line_name_char(l->s[bad]))
		bad++;
	if (bad < to) {
		diag_error(r->d, line_pos(&r->in, l, bad),
		           memchr(l->s + i, ':', to - i)
		                   ? "write `key = value`, with an equals sign"
		                   : "a key consists of letters, digits and `_`",
		           "%s is no key", quoted(r, l->s + i, to - i));
		return NULL;
	}
	if (!name_known(r, l->s + i, to - i)) {
		struct seen *s = VEC_PUSH(&r->tmp, &r->seen);
		*s = (struct seen){.name = arena_strndup(r->m->a, l->s + i, to - i)};
		r->id = r->seen.n - 1;
		map_put(&r->names, s->name, (uint32_t)r->id);
	}
	return r->seen.v[r->id].name;
}

static void put_number(struct buf *b, size_t n)
{
	char digits[24];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	buf_add(b, digits + at, sizeof digits - at);
}

/* True when a logical line is ready for inih. */
static bool read_key(struct reader *r, struct line *l, size_t i)
{
	const char *eq = memchr(l->s + i, '=', l->n - i);
	size_t to = eq ? (size_t)(eq - l->s) : 0;

	if (!eq) {
		expected_key(r, l, i);
		return false;
	}
	r->garbage_said = false;
	r->name_pos = line_pos(&r->in, l, i);
	line_trim(l->s, &i, &to);
	bool known_bad = l->bad;
	const char *name =
		l->bad && text_utf8_bad(l->s + i, to - i) < to - i ? NULL : key_name(r, l, i, to);
	r->name = name ? name : "value";
	r->last = (struct raw_key){.name = name, .pos = r->name_pos};
	value_read(r, l, (size_t)(eq - l->s) + 1);
	r->bad = r->bad || known_bad;
	if (!name) {
		r->block.broken = true;
		return false;
	}
	if (!r->in_block) {
		if (!r->orphan_said)
			diag_error(r->d, r->name_pos,
			           "begin with a section such as [dtsbatch] or "
			           "[synchronization_job.NAME]",
			           "%s stands before the first section", name);
		r->orphan_said = true;
		return false;
	}
	if (r->value_n > MANIFEST_VALUE_MAX) {
		struct pos begin = {r->file, r->spans.v->line, r->spans.v->col};
		diag_error(r->d, begin, NULL,
		           "%s: value of %zu bytes; a value has at most %u (1 MiB)", name,
		           r->value_n, MANIFEST_VALUE_MAX);
		r->bad = true;
	}
	buf_reset(&r->feed);
	put_number(&r->feed, r->id);
	buf_putc(&r->feed, '=');
	if (!r->bad)
		buf_add(&r->feed, r->value.p, r->value.n);
	buf_putc(&r->feed, '\n');
	return true;
}

static void block_end(struct reader *r)
{
	struct manifest *m = r->m;

	if (!r->in_block)
		return;
	r->block.keys = arena_array(m->a, struct raw_key, r->keys.n + 1);
	if (r->keys.n)
		memcpy(r->block.keys, r->keys.v, r->keys.n * sizeof *r->keys.v);
	r->block.n = r->keys.n;
	*VEC_PUSH(m->a, m) = r->block;
	r->keys.n = 0;
	r->in_block = false;
}

/* End of the text between the brackets, or SIZE_MAX. A comment behind the header may hold
 * brackets of its own. */
static size_t header_end(const struct line *l, size_t i)
{
	size_t end = SIZE_MAX;

	for (; i < l->n; i++) {
		if (l->s[i] == ']')
			end = i;
		else if (end != SIZE_MAX && (l->s[i] == ';' || l->s[i] == '#') &&
		         line_blank(l->s[i - 1]))
			break;
	}
	return end;
}

static bool read_header(struct reader *r, const struct line *l, size_t i)
{
	size_t end = header_end(l, i), from = i + 1, to = end == SIZE_MAX ? l->n : end;
	size_t rest = to + 1, rest_to = l->n;

	block_end(r);
	r->in_block = true;
	r->garbage_said = false;
	r->last.name = NULL;
	r->block = (struct block){.pos = line_pos(&r->in, l, i)};
	line_trim(l->s, &from, &to);
	if (l->bad)
		r->block.header = NULL; /* its bytes are reported already */
	else if (end == SIZE_MAX)
		diag_error(r->d, r->block.pos, NULL, "the `]` of this section header is missing");
	else if (to - from > MANIFEST_HEADER_MAX)
		diag_error(r->d, r->block.pos, NULL,
		           "section header of %zu bytes; a name has at most %d", to - from,
		           MANIFEST_NAME_MAX);
	else
		r->block.header = arena_strndup(r->m->a, l->s + from, to - from);
	r->block.broken = !r->block.header;
	if (r->block.header && rest < rest_to) {
		line_trim(l->s, &rest, &rest_to);
		if (rest < rest_to)
			diag_error(r->d, line_pos(&r->in, l, rest),
			           "a comment stands on a line of its own",
			           "text behind the section header");
	}
	buf_reset(&r->feed);
	buf_putc(&r->feed, '[');
	put_number(&r->feed, r->m->n);
	buf_puts(&r->feed, "]\n");
	return true;
}

/* The next logical line into r->feed. */
static bool read_logical(struct reader *r)
{
	struct line l;

	while (line_next(&r->in, &l)) {
		size_t i = line_text(&l);

		if (i == SIZE_MAX)
			continue;
		if (l.s[i] == '[' ? read_header(r, &l, i) : read_key(r, &l, i)) {
			r->fed = 0;
			return true;
		}
	}
	return false;
}

/* inih ---------------------------------------------------------------------------------------- */

/* Like fgets, on our logical lines. */
static char *feed(char *str, int num, void *stream)
{
	struct reader *r = stream;
	size_t room = num > 0 ? (size_t)num - 1 : 0, n;

	if (!room || (r->fed >= r->feed.n && !read_logical(r)))
		return NULL;
	n = r->feed.n - r->fed < room ? r->feed.n - r->fed : room;
	memcpy(str, r->feed.p + r->fed, n);
	str[n] = '\0';
	r->fed += n;
	return str;
}

static void add_key(struct reader *r, struct seen *s, const char *value)
{
	struct raw_key *k = VEC_PUSH(&r->tmp, &r->keys);

	*k = (struct raw_key){
		.name = r->name, .pos = r->name_pos, .continued = r->continued, .bad = r->bad};
	k->n = r->bad ? 0 : r->value.n;
	if (!s->text || s->n != k->n || memcmp(s->text, value, k->n) != 0)
		s->text = arena_strndup(r->m->a, value, k->n);
	s->n = k->n;
	k->text = s->text;
	k->nspans = r->bad ? 1 : (uint32_t)r->spans.n;
	struct span *spans = arena_array(r->m->a, struct span, k->nspans);
	memcpy(spans, r->spans.v, k->nspans * sizeof *spans);
	k->spans = spans;
}

static int handle(void *user, const char *section, const char *name, const char *value, int lineno)
{
	struct reader *r = user;

	(void)section;
	(void)lineno;
	if (!name)
		return 1; /* a header: read_header() has begun the block */
	if (strtoul(name, NULL, 10) != r->id || strlen(value) != (r->bad ? 0 : r->value.n))
		BUG("inih was built with other options than ours");
	struct seen *s = &r->seen.v[r->id];
	if (s->block == r->m->n + 1) {
		struct pos first = r->keys.v[s->key].pos;
		diag_error(r->d, r->name_pos, "keep one of them",
		           "%s is given twice; the first one stands at %s:%u:%u", s->name,
		           first.file, first.line, first.col);
		return 1;
	}
	s->block = r->m->n + 1;
	s->key = r->keys.n;
	add_key(r, s, value);
	return 1;
}

/* A whole file ------------------------------------------------------------------------------- */

/* Files that are not worth reading. */
static bool refuse(struct reader *r, const char *text, size_t n)
{
	struct pos top = {r->file, 1, 1};

	if (n > MANIFEST_FILE_MAX)
		diag_error(r->d, top, "split it: a directory of manifests is one batch",
		           "file of %zu bytes; at most %u (64 MiB) are read", n, MANIFEST_FILE_MAX);
	else if (n >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
		diag_error(r->d, top, "save it as UTF-8", "this file is UTF-16");
	else
		return false;
	return true;
}

void manifest_init(struct manifest *m, struct arena *a)
{
	*m = (struct manifest){.a = a};
}

void manifest_parse(struct manifest *m, const char *file, const char *text, size_t n,
                    struct diag *d)
{
	struct reader r = {.m = m, .d = d, .file = arena_strdup(m->a, file)};
	size_t blocks = m->n, errors = d->errors;

	if (!n)
		text = ""; /* may be NULL: no arithmetic on it */

	if (m->nfiles == m->files_cap)
		m->files = arena_vec_grow(m->a, m->files, &m->files_cap, sizeof *m->files);
	m->files[m->nfiles++] = r.file;
	if (refuse(&r, text, n))
		return;
	bool bom = n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3);
	r.in = (struct lines){.d = d, .file = r.file, .p = text + (bom ? 3 : 0), .end = text + n};
	arena_init(&r.tmp);
	map_init(&r.names, &r.tmp);
	buf_init(&r.value, MANIFEST_VALUE_MAX);
	buf_init(&r.feed, MANIFEST_VALUE_MAX + MANIFEST_NAME_MAX + 2);
	if (ini_parse_stream(feed, &r, handle, &r) == -2)
		BUG("inih could not allocate");
	block_end(&r);
	lines_report(&r.in);
	if (m->n == blocks && d->errors == errors)
		diag_error(d, (struct pos){r.file, 1, 1},
		           "begin with a section such as [dtsbatch] or [synchronization_job.NAME]",
		           n ? "no section in this file" : "this file is empty: no section");
	buf_release(&r.feed);
	buf_release(&r.value);
	arena_release(&r.tmp);
}
