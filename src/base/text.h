/*
 * Text helpers: comparison, UTF-8, terminal safety, near misses, percent
 * encoding, durations and times. Pure.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

bool text_eq(const char *a, const char *b);  /* NULL equals NULL only */
bool text_ieq(const char *a, const char *b); /* ASCII case ignored */
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
bool text_empty(const char *s); /* NULL or "" */

/* Byte offset of the first invalid UTF-8 sequence (overlong, surrogate, > U+10FFFF), or n. */
size_t text_utf8_bad(const char *s, size_t n);
/* One code point at s (n bytes at most): its length, or 0 where invalid, cut short or n is 0. */
size_t text_utf8_next(const char *s, size_t n, uint32_t *cp);
size_t text_utf8_put(uint32_t cp, char out[4]); /* bytes written; cp must be valid */
int text_hex_digit(char c);                     /* its value, or -1 */
unsigned text_cells(uint32_t cp);               /* terminal cells of a code point: 0, 1 or 2 */
/* Terminal cells of a valid UTF-8 text: East Asian wide and emoji 2, combining 0. */
size_t text_width(const char *s);
/* Columns are counted in code points from 1: the column of byte `off` in s. */
unsigned text_column(const char *s, size_t off);

/* Append s with C0, C1, DEL, bidi controls and invalid UTF-8 escaped (\n, \x1b, \u0085 ...). At
 * most max_cells cells (0: no limit), cut with an ellipsis. For everything from the service or a
 * manifest that reaches a terminal. */
void text_safe(struct buf *out, const char *s, size_t n, size_t max_cells);
char *text_safe_dup(struct arena *a, const char *s, size_t max_cells);

/* The candidate nearest to word (edit distance, neighbour swaps count 1; case and '-' '_' '.' do
 * not count; a name that begins with word is near) or NULL when none is near enough to suggest.
 * names: n pointers. */
const char *text_nearest(const char *word, const char *const *names, size_t n);
/* '*' and '?' glob over a whole address; no recursion. */
bool text_glob(const char *pattern, const char *s);

/* RFC 3986 as in alibaba-auth.md 1.4: A-Za-z0-9-_.~ stay, every other byte is %XX (upper case). */
void text_percent(struct buf *out, const char *s, size_t n);
/* Decode %XX (and '+' as blank if plus); returns false on a broken escape. */
bool text_unpercent(struct buf *out, const char *s, size_t n, bool plus);

/* "90s" "25m" "2h" "1d" "500ms"; plain digits are seconds. Milliseconds, or -1. */
int64_t text_duration_ms(const char *s);
/* "3 s", "4 min 10 s", "2 h 5 min": for people. */
char *text_duration(struct arena *a, int64_t ms);
/* Whole decimal number in [lo, hi]; no sign but '-', no blanks. */
bool text_int(const char *s, int64_t lo, int64_t hi, int64_t *out);

/* UTC <-> "YYYY-MM-DDThh:mm:ssZ". Seconds since the epoch; parse returns -1 on any other form
 * (fractions of a second are accepted and dropped). out: at least 21 bytes. */
void text_utc(int64_t epoch_s, char out[21]);
int64_t text_utc_parse(const char *s);
/* "Wed, 25 Nov 2026 17:12:00 GMT" (HTTP Date header), or -1. */
int64_t text_http_date_parse(const char *s);

/* The n-th (from 0) field of a list separated by sep, trimmed of blanks and tabs; NULL past the
 * end. "" and NULL are lists without fields; "a," has an empty second one. */
char *text_field(struct arena *a, const char *list, char sep, size_t n);
/* Is word one of these fields, trimmed? any_case: ASCII letters are compared without case. */
bool text_has_field(const char *list, char sep, const char *word, bool any_case);

#endif
