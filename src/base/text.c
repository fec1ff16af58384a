#include "base/text.h"

#include <limits.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool text_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_ieq(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool text_empty(const char *s)
{
	return !s || !*s;
}

size_t text_utf8_next(const char *s, size_t n, uint32_t *cp)
{
	/* Unicode table 3-7: the range of the second byte excludes overlong forms, surrogates and
	 * what lies beyond U+10FFFF; all further ones are 80..BF. */
	unsigned char c = n ? (unsigned char)s[0] : 0xFF, lo = 0x80, hi = 0xBF;
	size_t len;
	uint32_t v;

	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	if (c >= 0xC2 && c <= 0xDF) {
		len = 2;
		v = c & 0x1F;
	} else if (c >= 0xE0 && c <= 0xEF) {
		len = 3;
		v = c & 0x0F;
		lo = c == 0xE0 ? 0xA0 : 0x80;
		hi = c == 0xED ? 0x9F : 0xBF;
	} else if (c >= 0xF0 && c <= 0xF4) {
		len = 4;
		v = c & 0x07;
		lo = c == 0xF0 ? 0x90 : 0x80;
		hi = c == 0xF4 ? 0x8F : 0xBF;
	} else {
		return 0;
	}
	for (size_t i = 1; i < len; i++, lo = 0x80, hi = 0xBF) {
		unsigned char x;

		if (i >= n)
			return 0;
		x = (unsigned char)s[i];
		if (x < lo || x > hi)
			return 0;
		v = v << 6 | (x & 0x3F);
	}
	*cp = v;
	return len;
}

size_t text_utf8_put(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

int text_hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t text_utf8_bad(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint64_t eight;
		uint32_t cp;
		size_t len;

		if (n - i >= sizeof eight) { /* plain ASCII, eight bytes at a time */
			memcpy(&eight, s + i, sizeof eight);
			if (!(eight & 0x8080808080808080u)) {
				i += sizeof eight;
				continue;
			}
		}
		len = text_utf8_next(s + i, n - i, &cp);
		if (!len)
			return i;
		i += len;
	}
	return n;
}

unsigned text_column(const char *s, size_t off)
{
	unsigned col = 1;

	for (size_t i = 0; i < off; i++)
		if (((unsigned char)s[i] & 0xC0) != 0x80)
			col++;
	/* off inside a character: the column of that character */
	if (off && ((unsigned char)s[off] & 0xC0) == 0x80)
		col--;
	return col;
}

/* What must not reach a terminal as it is: it could move the cursor, hide or reorder text. */
static bool unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7F && cp <= 0x9F) || cp == 0x061C || cp == 0x200E ||
	       cp == 0x200F || (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) ||
	       cp == 0xFEFF || (cp >= 0xFFF9 && cp <= 0xFFFB) || (cp >= 0xE0000 && cp <= 0xE007F);
}

/* The piece at s as it will be shown: the bytes taken, the text (in esc or s) and its cells. */
struct piece {
	size_t taken, n, cells;
	const char *p;
	char esc[12];
};

static char *hex_digits(char *p, uint32_t v, int digits)
{
	while (digits--)
		*p++ = "0123456789abcdef"[v >> 4 * digits & 15];
	return p;
}

static void piece_at(struct piece *o, const char *s, size_t n)
{
	static const char named[] = "abtnvfr"; /* 7..13 */
	uint32_t cp = 0;
	size_t len = text_utf8_next(s, n, &cp);
	char *e = o->esc;

	o->taken = len ? len : 1;
	if (len && !unsafe(cp)) {
		o->p = s;
		o->n = len;
		o->cells = text_cells(cp);
		return;
	}
	*e++ = '\\';
	if (!len) {
		*e++ = 'x';
		e = hex_digits(e, (unsigned char)*s, 2);
	} else if (cp >= 8 && cp <= 13) {
		*e++ = named[cp - 7];
	} else if (cp < 0x80) {
		*e++ = 'x';
		e = hex_digits(e, cp, 2);
	} else if (cp < 0x10000) {
		*e++ = 'u';
		e = hex_digits(e, cp, 4);
	} else {
		*e++ = 'U';
		e = hex_digits(e, cp, 8);
	}
	o->p = o->esc;
	o->n = o->cells = (size_t)(e - o->esc);
}

void text_safe(struct buf *out, const char *s, size_t n, size_t max_cells)
{
	struct piece o = {0};
	size_t cells = 0, cut = 0, end = n;

	if (max_cells) {
		/* cut: the most that leaves a cell for the ellipsis. */
		for (size_t i = 0; i < n; i += o.taken) {
			piece_at(&o, s + i, n - i);
			cells += o.cells;
			if (cells < max_cells)
				cut = i + o.taken;
			if (cells > max_cells) {
				end = cut;
				break;
			}
		}
	}
	for (size_t i = 0; i < end; i += o.taken) {
		piece_at(&o, s + i, n - i);
		buf_add(out, o.p, o.n);
	}
	if (end < n)
		buf_puts(out, "\xE2\x80\xA6");
}

char *text_safe_dup(struct arena *a, const char *s, size_t max_cells)
{
	struct buf b;
	char *copy;

	buf_init(&b, SIZE_MAX);
	text_safe(&b, s, strlen(s), max_cells);
	copy = arena_strndup(a, buf_str(&b), b.n);
	buf_release(&b);
	return copy;
}

#define NEAR_MAX 64 /* longer words are no slips of the finger */

/* Letters that people mix up are one letter here. */
static char folded(char c)
{
	return c == '-' || c == ' ' || c == '.' ? '_' : lower(c);
}

/* Edit distance with neighbour swaps (optimal string alignment) of folded words up to NEAR_MAX. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned char row[3][NEAR_MAX + 1]; /* two rows back, one back, current: i % 3 */

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned char)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned char *cur = row[i % 3], *up = row[(i - 1) % 3], *up2 = row[(i + 1) % 3];

		cur[0] = (unsigned char)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = folded(a[i - 1]) == folded(b[j - 1]);
			unsigned best = up[j - 1] + (same ? 0u : 1u);

			if (up[j] + 1u < best)
				best = up[j] + 1u;
			if (cur[j - 1] + 1u < best)
				best = cur[j - 1] + 1u;
			if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
			    folded(a[i - 2]) == folded(b[j - 1]) && up2[j - 2] + 1u < best)
				best = up2[j - 2] + 1u;
			cur[j] = (unsigned char)best;
		}
	}
	return row[n % 3][m];
}

const char *text_nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word), limit = len < 3 ? 1 : (len + 2) / 3;
	const char *best = NULL;
	size_t best_score = SIZE_MAX;

	if (!len || len > NEAR_MAX)
		return NULL;
	if (limit > 4)
		limit = 4;
	/* Scores are doubled distances, so that among equals the one that begins alike wins. */
	for (size_t k = 0; k < n; k++) {
		size_t m = strlen(names[k]), common = 0, d, score;

		if (m > NEAR_MAX)
			continue;
		while (common < len && common < m &&
		       folded(word[common]) == folded(names[k][common]))
			common++;
		d = distance(word, len, names[k], m);
		if (common == len && len >= 3 && d > 1)
			d = 1; /* the word is the beginning of a name */
		if (d > limit || (d == len && d == m))
			continue;
		score = d * 2 + (common ? 0 : 1);
		if (score < best_score) {
			best_score = score;
			best = names[k];
		}
	}
	return best;
}

/* The character at s has this many bytes; a stray byte counts as one. */
static size_t char_len(const char *s)
{
	uint32_t cp;
	size_t len = text_utf8_next(s, 4, &cp);

	return len ? len : 1;
}

bool text_glob(const char *p, const char *s)
{
	/* star: behind the last '*'; from: where its match may end. */
	const char *star = NULL, *from = NULL;

	while (*s) {
		if (*p == '*') {
			star = ++p;
			from = s;
		} else if (*p == '?') {
			p++;
			s += char_len(s);
		} else if (*p == *s) {
			p++;
			s++;
		} else if (star) {
			/* Let the last star take one more; earlier stars never need to change. */
			p = star;
			from += char_len(from);
			s = from;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

void text_percent(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((lower(s[i]) >= 'a' && lower(s[i]) <= 'z') || is_digit(s[i]) || c == '-' ||
		    c == '_' || c == '.' || c == '~') {
			buf_putc(out, s[i]);
		} else {
			buf_putc(out, '%');
			buf_putc(out, "0123456789ABCDEF"[c >> 4]);
			buf_putc(out, "0123456789ABCDEF"[c & 15]);
		}
	}
}

bool text_unpercent(struct buf *out, const char *s, size_t n, bool plus)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%') {
			int hi = n - i > 2 ? text_hex_digit(s[i + 1]) : -1;
			int lo = n - i > 2 ? text_hex_digit(s[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			buf_putc(out, (char)(hi << 4 | lo));
			i += 2;
		} else {
			buf_putc(out, plus && s[i] == '+' ? ' ' : s[i]);
		}
	}
	return true;
}

bool text_int(const char *s, int64_t lo, int64_t hi, int64_t *out)
{
	bool minus = *s == '-';
	int64_t v = 0; /* built negative: INT64_MIN has no positive twin */

	if (minus)
		s++;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!is_digit(*s) || v < (INT64_MIN + (*s - '0')) / 10)
			return false;
		v = v * 10 - (*s - '0');
	}
	if (!minus) {
		if (v == INT64_MIN)
			return false;
		v = -v;
	}
	if (v < lo || v > hi)
		return false;
	*out = v;
	return true;
}

char *text_field(struct arena *a, const char *list, char sep, size_t n)
{
	const char *end;

	if (text_empty(list))
		return NULL;
	for (; n; n--) {
		list = strchr(list, sep);
		if (!list)
			return NULL;
		list++;
	}
	end = strchr(list, sep);
	if (!end)
		end = list + strlen(list);
	while (list < end && (*list == ' ' || *list == '\t'))
		list++;
	while (end > list && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return arena_strndup(a, list, (size_t)(end - list));
}

bool text_has_field(const char *list, char sep, const char *word, bool any_case)
{
	size_t n = strlen(word), len;

	for (const char *end, *p = list; !text_empty(list) && p; p = *end ? end + 1 : NULL) {
		end = strchr(p, sep);
		if (!end)
			end = p + strlen(p);
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		len = (size_t)(end - p);
		while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		if (len == n && (any_case ? strncasecmp(p, word, n) : strncmp(p, word, n)) == 0)
			return true;
	}
	return false;
}
