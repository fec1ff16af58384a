/* Shared by test_wire.c and test_wire_reference.c. */
#ifndef WIRE_FIXTURE_H
#define WIRE_FIXTURE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/json.h"
#include "remote/dts.h"

/* Everything a step needs, with nothing wanted yet. */
struct setting {
	struct step_input in;
	struct op op;
	struct record have;
	struct observed seen;
	const char *vals[ATTR_MAX], *had[ATTR_MAX];
};

char *wire_read(struct arena *a, const char *name); /* a file of tests/vectors */
struct json *wire_parse(struct arena *a, const char *text);
const char *wire_value(const struct dts_call *c, const char *name); /* NULL: not sent */
const char *wire_value_in(const struct pair *v, size_t n, const char *name, bool prefix);
void wire_input(struct setting *s, const struct type_def *t);
const char **wire_slot(struct setting *s, const char *key);

#endif
