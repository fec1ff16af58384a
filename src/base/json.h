/*
 * Strict JSON (cJSON inside, behind our own checks): UTF-8, case-exact keys,
 * no duplicate key, no NUL, no bytes after the document, depth <= JSON_DEPTH,
 * integers beyond 2^53 refused (numbers without fraction and exponent; more than
 * 60 characters, too). Trees live in an arena.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

#define JSON_DEPTH 64

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool b;
	bool is_int; /* number without fraction and exponent: value in i */
	int64_t i;
	double d;
	const char *s;             /* string value */
	const char *key;           /* name inside the parent object, else NULL */
	struct json *child, *next; /* members or elements in document order */
	struct json *last;         /* json.c only: the last child */
	size_t n;                  /* number of children */
};

struct json_err {
	size_t off;       /* byte offset of the mistake in the text */
	size_t first_off; /* duplicate key: where the first one stands; else SIZE_MAX */
	char msg[160];
};

/* NULL on failure, with *e filled (e may be NULL). */
struct json *json_parse(struct arena *a, const char *text, size_t n, struct json_err *e);

/* NULL if absent or not an object. Keys are compared byte by byte. */
const struct json *json_get(const struct json *obj, const char *key);
/* "SourceEndpoint.Region": walks objects; NULL if absent. */
const struct json *json_path(const struct json *obj, const char *path);
const char *json_str(const struct json *obj, const char *path); /* NULL unless a string */
/* Text of a string, number or bool ("true"); NULL for null, array or object. Takes the node, so keys may hold dots. */
const char *json_scalar(struct arena *a, const struct json *v);
/* The same of a member; NULL if absent, too. */
const char *json_text(struct arena *a, const struct json *obj, const char *path);
bool json_true(const struct json *v); /* true or "true" (any case): dts-api.md 1.1 */

/* Building. Keys and strings are not copied. */
struct json *json_new(struct arena *a, enum json_type t);
struct json *json_new_str(struct arena *a, const char *s);
struct json *json_new_int(struct arena *a, int64_t i);
struct json *json_new_bool(struct arena *a, bool b);
/* key is NULL in arrays. child must not stand in another tree. O(1). */
void json_add(struct json *parent, const char *key, struct json *child);
struct json *json_clone(struct arena *a, const struct json *v); /* deep copy, strings shared */
/* A copy without members called `key` at any depth. */
struct json *json_without(struct arena *a, const struct json *v, const char *key);

/* Canonical text: no blanks, members sorted by key bytes (sorted) or in document order. Numbers as
 * written if ints, else shortest round trip; whole numbers up to 2^53 always without fraction and
 * exponent (64.0 -> 64, 1e3 -> 1000). Appends to out. */
void json_write(struct buf *out, const struct json *v, bool sorted);
char *json_write_dup(struct arena *a, const struct json *v, bool sorted);
/* A string as a JSON string with quotes. Each byte of invalid UTF-8 becomes U+FFFD. */
void json_write_str(struct buf *out, const char *s);
/* Equality by meaning: member order ignored, 64 and 64.0 equal (the sorted texts are the same).
 * NULL equals NULL only. */
bool json_equal(const struct json *a, const struct json *b);

#endif
