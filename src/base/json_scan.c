/*
 * The strict reading of JSON text: everything that cJSON lets pass is refused
 * here, with the place and a message for the person who wrote it. Builds
 * nothing; a text that passes means exactly one thing to every parser.
 */
#include "base/json_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

/* What may come next. */
enum state {
	WANT_VALUE,
	WANT_VALUE_OR_END,
	WANT_KEY,
	WANT_KEY_OR_END,
	WANT_COLON,
	WANT_COMMA_OR_END,
	WANT_NOTHING
};

/*
 * The keys of all open objects lie on one stack, innermost last, and are found
 * through one hash table with linear probing. Closing an object takes its keys
 * off in reverse order of insertion, so each removed slot is the last one
 * probed by nobody who stays: no tombstones, and the table holds open objects
 * only, however large the document is.
 */
struct key {
	const char *p; /* decoded */
	size_t n, off;
	uint32_t hash, slot;
	unsigned depth; /* of its object */
};

struct scan {
	const char *s;
	size_t n, at;
	struct arena *scratch;
	struct json_facts *facts;
	struct json_err *e;
	size_t comma; /* offset of the last comma */
	unsigned depth;
	struct {
		size_t off; /* of the bracket */
		bool object;
		size_t first_key; /* index of its first key */
	} open[JSON_DEPTH];
	VEC(struct key) keys;
	uint32_t *table;  /* index into keys + 1; 0: free */
	size_t table_cap; /* a power of two, more than twice keys.n */
};

static int fail(struct scan *sc, size_t off, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct scan *sc, size_t off, const char *fmt, ...)
{
	va_list ap;

	sc->e->off = off;
	sc->e->first_off = SIZE_MAX;
	va_start(ap, fmt);
	vsnprintf(sc->e->msg, sizeof sc->e->msg, fmt, ap);
	va_end(ap);
	return -1;
}

/* The byte at offset i, or NUL behind the end (no NUL lies within: checked before). */
static char byte_at(const struct scan *sc, size_t i)
{
	return i < sc->n ? sc->s[i] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80;
}

static bool is_typographic_quote(const char *s, size_t left)
{
	return left >= 3 && memcmp(s, "\xE2\x80", 2) == 0 && (unsigned char)s[2] >= 0x98 &&
	       (unsigned char)s[2] <= 0x9F;
}

/* What is wrong at sc->at, where something else than `wanted` stands. */
static int unexpected(struct scan *sc, const char *wanted)
{
	const char *p = sc->s + sc->at;
	size_t left = sc->n - sc->at;

	if (is_typographic_quote(p, left))
		return fail(sc, sc->at, "a typographic quote; write a plain \"");
	if (*p == '\'')
		return fail(sc, sc->at, "a single quote; JSON has double quotes only");
	if (*p == '/' && (byte_at(sc, sc->at + 1) == '/' || byte_at(sc, sc->at + 1) == '*'))
		return fail(sc, sc->at, "a comment; JSON has none");
	if (*p == '#')
		return fail(sc, sc->at, "a comment; JSON has none");
	if (*p > 0x20 && *p < 0x7F)
		return fail(sc, sc->at, "expected %s, found '%c'", wanted, *p);
	return fail(sc, sc->at, "expected %s", wanted);
}

/* ---- strings ---- */

static int hex4(const struct scan *sc, size_t at)
{
	int v = 0;

	for (size_t i = at; i < at + 4; i++) {
		int d = text_hex_digit(byte_at(sc, i));

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* The \u escape at `at`. Fills its code point; returns its length, or -1. */
static int unicode_escape(struct scan *sc, size_t at, uint32_t *cp)
{
	int v = hex4(sc, at + 2), low;

	if (v < 0)
		return fail(sc, at, "\\u needs four hexadecimal digits");
	if (v == 0)
		return fail(sc, at, "\\u0000: a text cannot hold a NUL");
	*cp = (uint32_t)v;
	if (v < 0xD800 || v > 0xDFFF)
		return 6;
	if (v > 0xDBFF || byte_at(sc, at + 6) != '\\' || byte_at(sc, at + 7) != 'u')
		return fail(sc, at, "half of a surrogate pair");
	low = hex4(sc, at + 8);
	if (low < 0xDC00 || low > 0xDFFF)
		return fail(sc, at, "half of a surrogate pair");
	*cp = 0x10000 + ((uint32_t)(v - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
	return 12;
}

/* The escape at sc->at; moves behind it. */
static int scan_escape(struct scan *sc)
{
	char c = byte_at(sc, sc->at + 1);
	uint32_t cp;
	int len;

	if (c == 'u') {
		len = unicode_escape(sc, sc->at, &cp);
		if (len < 0)
			return -1;
		sc->at += (size_t)len;
		return 0;
	}
	switch (c) { /* quotes by the ten thousand in JSON that carries JSON: no strchr() here */
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		sc->at += 2;
		return 0;
	default:
		return fail(sc, sc->at, "an unknown escape; a backslash itself is written \\\\");
	}
}

/* A string at sc->at (on its quote); moves behind it. *escapes tells whether any were in it. */
static int scan_string(struct scan *sc, bool *escapes)
{
	size_t begin = sc->at++;

	*escapes = false;
	for (;;) {
		unsigned char c;

		while (sc->at < sc->n && (c = (unsigned char)sc->s[sc->at]) >= 0x20 && c != '"' &&
		       c != '\\')
			sc->at++;
		if (sc->at >= sc->n)
			return fail(sc, begin, "this string is never closed");
		if (sc->s[sc->at] == '"') {
			sc->at++;
			return 0;
		}
		if (sc->s[sc->at] != '\\') {
			if (sc->s[sc->at] == '\n' || sc->s[sc->at] == '\r')
				return fail(sc, sc->at,
				            "a line end in a string; close it or write \\n");
			return fail(sc, sc->at, "a control character in a string; write \\u%04x",
			            (unsigned char)sc->s[sc->at]);
		}
		*escapes = true;
		if (scan_escape(sc) < 0)
			return -1;
	}
}

/* Decodes the checked string between the quotes [from, to). Never longer than its source. */
static const char *decode(struct scan *sc, size_t from, size_t to, size_t *n)
{
	static const char named[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char *out = arena_alloc(sc->scratch, to - from + 1), *o = out;

	for (size_t i = from; i < to;) {
		uint32_t cp;

		if (sc->s[i] != '\\') {
			*o++ = sc->s[i++];
		} else if (sc->s[i + 1] == 'u') {
			i += (size_t)unicode_escape(sc, i, &cp);
			o += text_utf8_put(cp, o);
		} else {
			*o++ = meant[strchr(named, sc->s[i + 1]) - named];
			i += 2;
		}
	}
	*n = (size_t)(o - out);
	return out;
}

/* ---- keys ---- */

static void table_put(struct scan *sc, uint32_t key)
{
	size_t i = sc->keys.v[key].hash & (sc->table_cap - 1);

	while (sc->table[i])
		i = (i + 1) & (sc->table_cap - 1);
	sc->table[i] = key + 1;
	sc->keys.v[key].slot = (uint32_t)i;
}

static void table_grow(struct scan *sc)
{
	sc->table_cap = sc->table_cap ? sc->table_cap * 2 : 64;
	sc->table = arena_array(sc->scratch, uint32_t, sc->table_cap);
	/* In order of insertion: removal in reverse order stays exact. */
	for (uint32_t i = 0; i < sc->keys.n - 1; i++)
		table_put(sc, i);
}

/* How much of a key to show: whole characters, so that a message stays valid UTF-8. */
static int shown_len(const char *p, size_t n)
{
	if (n > 80)
		for (n = 80; n && ((unsigned char)p[n] & 0xC0) == 0x80;)
			n--;
	return (int)n;
}

/* The key whose text between the quotes is [from, to): refused if its object has it already. */
static int add_key(struct scan *sc, size_t from, size_t to, bool escapes)
{
	struct key *k = VEC_PUSH(sc->scratch, &sc->keys);
	uint64_t h;

	k->p = sc->s + from;
	k->n = to - from;
	k->off = from - 1;
	k->depth = sc->depth;
	if (escapes)
		k->p = decode(sc, from, to, &k->n);
	h = hash_fnv1a(k->p, k->n) ^ k->depth * 0x9E3779B97F4A7C15u;
	k->hash = (uint32_t)(h ^ h >> 32);
	if (sc->keys.n * 2 > sc->table_cap)
		table_grow(sc);
	for (size_t i = k->hash & (sc->table_cap - 1); sc->table[i];
	     i = (i + 1) & (sc->table_cap - 1)) {
		const struct key *other = &sc->keys.v[sc->table[i] - 1];

		if (other->hash == k->hash && other->depth == k->depth && other->n == k->n &&
		    memcmp(other->p, k->p, k->n) == 0) {
			fail(sc, k->off, "key \"%.*s\" appears twice in this object",
			     shown_len(k->p, k->n), k->p);
			sc->e->first_off = other->off;
			return -1;
		}
	}
	table_put(sc, (uint32_t)(sc->keys.n - 1));
	return 0;
}

/* ---- numbers ---- */

static size_t skip_digits(const struct scan *sc, size_t i)
{
	while (is_digit(byte_at(sc, i)))
		i++;
	return i;
}

/* A number at sc->at, which stands on '-' or a digit; moves behind it. */
static int scan_number(struct scan *sc)
{
	size_t begin = sc->at, first = begin + (sc->s[begin] == '-' ? 1 : 0);
	size_t i = skip_digits(sc, first);
	bool whole = byte_at(sc, i) != '.' && (byte_at(sc, i) | 0x20) != 'e';
	char copy[JSON_NUMBER_MAX + 1];

	if (i == first)
		return fail(sc, begin, "a minus sign without a number");
	if (sc->s[first] == '0' && i - first > 1)
		return fail(sc, begin, "a number must not begin with 0; put quotes around a text");
	if (whole && (i - first > 16 ||
	              (i - first == 16 && memcmp(sc->s + first, "9007199254740992", 16) > 0)))
		return fail(sc, begin, "an integer beyond 2^53 loses digits; put quotes around it");
	if (byte_at(sc, i) == '.') {
		i = skip_digits(sc, i + 1);
		if (sc->s[i - 1] == '.')
			return fail(sc, begin, "a number needs digits behind its point");
	}
	if ((byte_at(sc, i) | 0x20) == 'e') {
		i += byte_at(sc, i + 1) == '+' || byte_at(sc, i + 1) == '-' ? 2 : 1;
		if (!is_digit(byte_at(sc, i)))
			return fail(sc, begin, "a number needs digits in its exponent");
		i = skip_digits(sc, i);
	}
	if (i - begin > JSON_NUMBER_MAX)
		return fail(sc, begin, "a number of more than %d characters", JSON_NUMBER_MAX);
	if (!whole) {
		memcpy(copy, sc->s + begin, i - begin);
		copy[i - begin] = '\0';
		if (!isfinite(strtod(copy, NULL)))
			return fail(sc, begin, "a number out of range");
	}
	*VEC_PUSH(sc->scratch, &sc->facts->whole) = whole;
	sc->at = i;
	return 0;
}

/* ---- values ---- */

static int scan_literal(struct scan *sc)
{
	static const char *const words[] = {"true", "false", "null"};
	size_t n = 0;

	while (is_word(byte_at(sc, sc->at + n)) || (n && is_digit(byte_at(sc, sc->at + n))))
		n++;
	for (size_t i = 0; i < 3; i++)
		if (n == strlen(words[i]) && memcmp(sc->s + sc->at, words[i], n) == 0) {
			sc->at += n;
			return 0;
		}
	if (is_typographic_quote(sc->s + sc->at, sc->n - sc->at))
		return unexpected(sc, "a value");
	for (size_t i = 0; i < 3; i++)
		if (n == strlen(words[i]) && (sc->s[sc->at] | 0x20) == words[i][0])
			return fail(sc, sc->at, "true, false and null are written in lower case");
	return fail(sc, sc->at, "a text needs double quotes");
}

static int open_bracket(struct scan *sc, enum state *st)
{
	bool object = sc->s[sc->at] == '{';

	if (sc->depth == JSON_DEPTH)
		return fail(sc, sc->at, "nested more than %d deep", JSON_DEPTH);
	sc->open[sc->depth].off = sc->at++;
	sc->open[sc->depth].object = object;
	sc->open[sc->depth].first_key = sc->keys.n;
	sc->depth++;
	*st = object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
	return 0;
}

/* The state behind a whole value. */
static enum state after(const struct scan *sc)
{
	return sc->depth ? WANT_COMMA_OR_END : WANT_NOTHING;
}

static int close_bracket(struct scan *sc, enum state *st)
{
	bool object = sc->s[sc->at] == '}';

	if (object != sc->open[sc->depth - 1].object)
		return fail(sc, sc->at,
		            object ? "'}' where ']' has to close the array"
		                   : "']' where '}' has to close the object");
	sc->depth--;
	while (sc->keys.n > sc->open[sc->depth].first_key)
		sc->table[sc->keys.v[--sc->keys.n].slot] = 0;
	sc->at++;
	*st = after(sc);
	return 0;
}

static int scan_value(struct scan *sc, enum state *st)
{
	char c = sc->s[sc->at];
	bool escapes;
	int rc;

	if (c == '{' || c == '[')
		return open_bracket(sc, st);
	if (c == ']' && *st == WANT_VALUE_OR_END)
		return close_bracket(sc, st);
	if (c == '"')
		rc = scan_string(sc, &escapes);
	else if (c == '-' || is_digit(c))
		rc = scan_number(sc);
	else if (is_word(c))
		rc = scan_literal(sc);
	else if (c == ']' && sc->depth && !sc->open[sc->depth - 1].object)
		rc = fail(sc, sc->comma, "a trailing comma");
	else
		rc = unexpected(sc, "a value");
	if (rc == 0)
		*st = after(sc);
	return rc;
}

static int scan_key(struct scan *sc, enum state *st)
{
	size_t begin = sc->at;
	char c = sc->s[begin];
	bool escapes;

	if (c == '}' && *st == WANT_KEY_OR_END)
		return close_bracket(sc, st);
	if (c == '}')
		return fail(sc, sc->comma, "a trailing comma");
	if (c != '"') {
		if ((is_word(c) || is_digit(c)) &&
		    !is_typographic_quote(sc->s + begin, sc->n - begin))
			return fail(sc, begin, "keys need double quotes");
		return unexpected(sc, "a key in double quotes");
	}
	if (scan_string(sc, &escapes) < 0 || add_key(sc, begin + 1, sc->at - 1, escapes) < 0)
		return -1;
	*st = WANT_COLON;
	return 0;
}

/* The next token, which begins at sc->at; *st tells what it may be and what may follow. */
static int scan_token(struct scan *sc, enum state *st)
{
	char c = sc->s[sc->at];
	bool object = sc->depth && sc->open[sc->depth - 1].object;

	switch (*st) {
	case WANT_VALUE:
	case WANT_VALUE_OR_END:
		return scan_value(sc, st);
	case WANT_KEY:
	case WANT_KEY_OR_END:
		return scan_key(sc, st);
	case WANT_COLON:
		if (c != ':')
			return unexpected(sc, "':' after the key");
		sc->at++;
		*st = WANT_VALUE;
		return 0;
	case WANT_COMMA_OR_END:
		if (c == '}' || c == ']')
			return close_bracket(sc, st);
		if (c != ',')
			return unexpected(sc, object ? "',' or '}' after a member"
			                             : "',' or ']' after an element");
		sc->comma = sc->at++;
		*st = object ? WANT_KEY : WANT_VALUE;
		return 0;
	case WANT_NOTHING:
		break;
	}
	return fail(sc, sc->at, "more text after the end of the JSON value");
}

/* What concerns the bytes of the whole text. */
static int scan_bytes(struct scan *sc)
{
	const char *nul = sc->n ? memchr(sc->s, '\0', sc->n) : NULL;
	size_t bad = text_utf8_bad(sc->s, sc->n);

	if (nul && (size_t)(nul - sc->s) < bad)
		return fail(sc, (size_t)(nul - sc->s), "a NUL byte");
	if (bad < sc->n)
		return fail(sc, bad, "invalid UTF-8 (byte 0x%02x)", (unsigned char)sc->s[bad]);
	if (sc->n >= 3 && memcmp(sc->s, "\xEF\xBB\xBF", 3) == 0)
		return fail(sc, 0, "a byte order mark; JSON begins without one");
	return 0;
}

int json_scan(const char *text, size_t n, struct arena *scratch, struct json_facts *f,
              struct json_err *e)
{
	struct scan sc = {.s = text, .n = n, .scratch = scratch, .facts = f, .e = e};
	enum state st = WANT_VALUE;

	if (scan_bytes(&sc) < 0)
		return -1;
	for (;;) {
		while (sc.at < n && (text[sc.at] == ' ' || text[sc.at] == '\n' ||
		                     text[sc.at] == '\r' || text[sc.at] == '\t'))
			sc.at++;
		if (sc.at >= n)
			break;
		if (scan_token(&sc, &st) < 0)
			return -1;
	}
	if (sc.depth)
		return fail(&sc, sc.open[sc.depth - 1].off, "this bracket is never closed");
	if (st != WANT_NOTHING)
		return fail(&sc, n, "a JSON value is missing");
	return 0;
}
