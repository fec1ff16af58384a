/* Shared by compare.c, convert.c and json_diff.c; nobody else includes it. */
#ifndef MODEL_COMPARE_H
#define MODEL_COMPARE_H

#include <stdbool.h>

struct arena;
struct json;

/* Equal as the service sees it: 64 = "64", true = "true". */
bool compare_scalar(struct arena *a, const struct json *x, const struct json *y);
/* An object list brought to one form: no `state`, no default `name`, `all` spelled out, no empty
 * members. NULL: no JSON object. */
struct json *compare_objects(struct arena *a, const char *text);

#endif
