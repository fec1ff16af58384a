/*
 * Objects of the world as rows of fields: from the rows come the text form in
 * the world file, deep copies (what a lagging list still shows) and the
 * control operation that changes any one field.
 */
#ifndef SIM_FIELDS_H
#define SIM_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct json;

enum field_type { F_STR, F_I64, F_BOOL, F_STATUS, F_TURNS };

struct field {
	const char *name; /* in the world file */
	enum field_type type;
	size_t off;
};

extern const struct field job_fields[], instance_fields[]; /* of struct job, struct instance */
extern const size_t job_nfields, instance_nfields;

/* Owned strings: NULL and "" are the same thing and kept as NULL. */
void str_set(char **p, const char *s);
const char *str_or(const char *s); /* "" for NULL */

void fields_copy(const struct field *f, size_t n, const void *from, void *to); /* to: zeroed */
void fields_free(const struct field *f, size_t n, void *obj);
/* One JSON object without line ends; fields with the value 0 or "" are left out. */
void fields_write(struct buf *out, const struct field *f, size_t n, const void *obj);
/* False: wrong type or unknown name, *bad is the name. */
bool fields_read(const struct field *f, size_t n, const struct json *obj, void *to,
                 const char **bad);
/* Set one field from text. */
bool fields_set(const struct field *f, size_t n, void *obj, const char *name, const char *value);

#endif
