/* Between json.c, json_scan.c and json_write.c only. */
#ifndef BASE_JSON_INTERNAL_H
#define BASE_JSON_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/json.h"

/* Largest magnitude up to which every whole number is exact in a double. */
#define JSON_EXACT_MAX 9007199254740992.0
#define JSON_NUMBER_MAX 60 /* characters; cJSON reads no more than 63 */

/* For each number of the text, in its order: was it written without fraction and exponent? */
struct json_facts {
	VEC(bool) whole;
};

/* The strict check. Returns 0, or -1 with *e filled. What must not outlive the parse comes from
 * scratch. */
int json_scan(const char *text, size_t n, struct arena *scratch, struct json_facts *f,
              struct json_err *e);

/* Shortest text that reads back as d; whole numbers up to JSON_EXACT_MAX as integers. */
void json_number_text(double d, char out[40]);

#endif
