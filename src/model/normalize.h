/* Helpers that normalize.c shares with the hooks of types/; nobody else includes it. */
#ifndef MODEL_NORMALIZE_H
#define MODEL_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

struct arena;
struct attr_def;
struct json;
struct value_source;

/* value_pos, or no position for a value that did not come from a file. */
struct pos source_pos(const struct value_source *src, size_t off);
/* Parses; reports broken JSON, duplicate keys and quoted JSON. type: JSON_OBJECT or JSON_ARRAY.
 * NULL when wrong. */
struct json *normalize_json(struct arena *a, const struct attr_def *at, const char *text, size_t n,
                            int type, const struct value_source *src, struct diag *d);
struct json *normalize_json_any(struct arena *a, const struct attr_def *at, const char *text,
                                size_t n, const struct value_source *src, struct diag *d);
bool normalize_json_is(const struct attr_def *at, const struct json *v, int type,
                       const struct value_source *src, struct diag *d);
/* Where "key" stands in JSON text: the first one of that name, which is near enough for a message;
 * else 0. */
size_t normalize_key_off(const char *text, const char *key);

#endif
