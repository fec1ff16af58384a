/*
 * The physical lines of a manifest: ends, bytes that are no text, conflict
 * markers, and what a line looks like. For manifest.c alone.
 */
#ifndef MODEL_MANIFEST_LINE_H
#define MODEL_MANIFEST_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* One line of the file, without its end. */
struct line {
	const char *s;
	size_t n;
	unsigned no;
	bool bad;   /* holds bytes that are no text (reported at the end of the file) */
	bool plain; /* ASCII without control characters: columns are bytes */
};

/* Mistakes that come in masses are reported once, with their number. */
struct tally {
	struct pos first;
	size_t lines;
};

struct lines {
	struct diag *d;
	const char *file;
	const char *p, *end; /* what is left of the file */
	unsigned no;         /* of the last line read */
	struct line ahead;
	bool have_ahead;
	struct pos conflict; /* opening marker of the conflict we are in; line 0: none */
	bool skip_side;      /* in the second side of it */
	struct tally nul, utf8;
};

/* False at the end of the file. Lines of a conflict's other sides are left out. */
bool line_next(struct lines *in, struct line *l);
void line_back(struct lines *in, const struct line *l); /* one line at most */
void lines_report(const struct lines *in);              /* what was only counted so far */

struct pos line_pos(const struct lines *in, const struct line *l, size_t off);
static inline bool line_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool line_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}
/* [*from, *to) of s without blanks at both ends. */
void line_trim(const char *s, size_t *from, size_t *to);
/* Offset of the first character that is not blank; SIZE_MAX for an empty line or a comment. */
size_t line_text(const struct line *l);
/* `word =`, from offset i on. */
bool line_is_key(const struct line *l, size_t i);
/* From offset i on, can this line inside JSON only be the next section? A bare word is no JSON. */
bool line_is_header(const struct line *l, size_t i);

#endif
