#include "model/manifest_line.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

struct pos line_pos(const struct lines *in, const struct line *l, size_t off)
{
	if (l->plain || !off)
		return (struct pos){in->file, l->no, (unsigned)off + 1};
	/* The file need not end in a NUL, and text_column() looks at the byte it is asked about. */
	if (off >= l->n)
		return (struct pos){in->file, l->no, text_column(l->s, l->n - 1) + 1};
	return (struct pos){in->file, l->no, text_column(l->s, off)};
}

void line_trim(const char *s, size_t *from, size_t *to)
{
	while (*from < *to && line_blank(s[*from]))
		++*from;
	while (*to > *from && line_blank(s[*to - 1]))
		--*to;
}

static void tally(struct tally *t, struct pos p)
{
	if (!t->lines++)
		t->first = p;
}

/* Printable ASCII and tabs: most lines, and nothing in them needs a closer look. */
static bool is_plain(const char *s, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t v;

		memcpy(&v, s + i, sizeof v);
		/* No byte has its top bit set, and none is below 0x20 (or above a tab that is). */
		if ((v | (v - UINT64_C(0x2020202020202020))) & UINT64_C(0x8080808080808080))
			break;
	}
	for (; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\t') || c >= 0x80)
			return false;
	}
	return true;
}

static void check_bytes(struct lines *in, struct line *l)
{
	l->plain = is_plain(l->s, l->n);
	if (l->plain)
		return;
	const char *nul = memchr(l->s, 0, l->n);
	size_t bad = text_utf8_bad(l->s, l->n);
	const char *cr = memchr(l->s, '\r', l->n);

	if (nul)
		tally(&in->nul, line_pos(in, l, (size_t)(nul - l->s)));
	else if (bad < l->n)
		tally(&in->utf8, line_pos(in, l, bad));
	else if (cr)
		diag_error(in->d, line_pos(in, l, (size_t)(cr - l->s)),
		           "save the file with LF or CR LF line ends",
		           "a carriage return inside a line");
	l->bad = nul || bad < l->n || cr;
}

static bool is_marker(const struct line *l, char c)
{
	for (size_t i = 0; i < 7; i++)
		if (i >= l->n || l->s[i] != c)
			return false;
	return l->n == 7 || l->s[7] == ' ';
}

/* A conflict of a version control system: one error at its beginning, its first side is read,
 * the others are not. */
static bool is_conflict(struct lines *in, const struct line *l)
{
	bool inside = in->conflict.line != 0;

	if (!l->n || !strchr("<|=>", l->s[0]))
		return false;
	bool open = is_marker(l, '<'), base = is_marker(l, '|');
	bool middle = is_marker(l, '='), close = is_marker(l, '>');
	if (open || ((middle || close) && !inside))
		diag_error(in->d, line_pos(in, l, 0),
		           "take one side and remove the marker lines `<<<<<<<`, `=======` and "
		           "`>>>>>>>`",
		           "conflict marker of a version control system");
	if (open) {
		in->conflict = line_pos(in, l, 0);
		in->skip_side = false;
	} else if ((base || middle) && inside) {
		in->skip_side = true;
	} else if (close) {
		in->conflict.line = 0;
		in->skip_side = false;
	}
	return open || middle || close || (base && inside);
}

bool line_next(struct lines *in, struct line *l)
{
	if (in->have_ahead) {
		*l = in->ahead;
		in->have_ahead = false;
		return true;
	}
	while (in->p < in->end) {
		size_t rest = (size_t)(in->end - in->p);
		const char *lf = memchr(in->p, '\n', rest);

		*l = (struct line){
			.s = in->p, .n = lf ? (size_t)(lf - in->p) : rest, .no = ++in->no};
		in->p += l->n + (lf ? 1 : 0);
		if (l->n && l->s[l->n - 1] == '\r')
			l->n--;
		check_bytes(in, l);
		if (is_conflict(in, l) || in->skip_side)
			continue;
		return true;
	}
	return false;
}

void line_back(struct lines *in, const struct line *l)
{
	in->ahead = *l;
	in->have_ahead = true;
}

size_t line_text(const struct line *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!line_blank(l->s[i]))
			return l->s[i] == ';' || l->s[i] == '#' ? SIZE_MAX : i;
	return SIZE_MAX;
}

bool line_is_key(const struct line *l, size_t i)
{
	size_t from = i;

	while (i < l->n && line_name_char(l->s[i]))
		i++;
	if (i == from)
		return false;
	while (i < l->n && line_blank(l->s[i]))
		i++;
	return i < l->n && l->s[i] == '=';
}

bool line_is_header(const struct line *l, size_t i)
{
	size_t to = l->n, from = i + 1;

	if (i >= l->n || l->s[i] != '[')
		return false;
	line_trim(l->s, &from, &to);
	if (to <= from || l->s[to - 1] != ']')
		return false;
	to--;
	line_trim(l->s, &from, &to);
	size_t w = from;
	while (w < to && line_name_char(l->s[w]))
		w++;
	if (w == from || (l->s[from] >= '0' && l->s[from] <= '9') || l->s[from] == '-')
		return false;
	if (w == to) {
		size_t n = w - from;
		const char *s = l->s + from;
		return !((n == 4 && (!memcmp(s, "true", 4) || !memcmp(s, "null", 4))) ||
		         (n == 5 && !memcmp(s, "false", 5)));
	}
	return l->s[w] != ','; /* [TYPE "name"], [TYPE.NAME["a"]] */
}

void lines_report(const struct lines *in)
{
	static const char hint[] = "a manifest is text in UTF-8";

	if (in->nul.lines == 1)
		diag_error(in->d, in->nul.first, hint, "NUL byte");
	else if (in->nul.lines)
		diag_error(in->d, in->nul.first, hint, "NUL byte (in %zu lines)", in->nul.lines);
	if (in->utf8.lines == 1)
		diag_error(in->d, in->utf8.first, hint, "invalid UTF-8");
	else if (in->utf8.lines)
		diag_error(in->d, in->utf8.first, hint, "invalid UTF-8 (in %zu lines)",
		           in->utf8.lines);
}
