#include "wire_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/sys.h"
#include "base/text.h"

char *wire_read(struct arena *a, const char *name)
{
	const char *dir = getenv("TEST_VECTORS");
	char *path = arena_printf(a, "%s/%s", dir ? dir : "tests/vectors", name), *s;
	struct buf b;

	buf_init(&b, (size_t)8 << 20);
	if (sys_read_file(path, &b))
		fail_msg("%s cannot be read", path);
	s = arena_strndup(a, buf_str(&b), b.n);
	buf_release(&b);
	return s;
}

struct json *wire_parse(struct arena *a, const char *text)
{
	struct json_err e = {0};
	struct json *v = json_parse(a, text, strlen(text), &e);

	if (!v)
		fail_msg("%s at %zu: %s", e.msg, e.off, text);
	return v;
}

const char *wire_value_in(const struct pair *v, size_t n, const char *name, bool prefix)
{
	size_t k = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name) ||
		    (prefix && !strncmp(v[i].name, name, k) && v[i].name[k] == '.'))
			return v[i].value;
	return NULL;
}

const char *wire_value(const struct dts_call *c, const char *name)
{
	const char *s = wire_value_in(c->query, c->nquery, name, false);

	return s ? s : wire_value_in(c->form, c->nform, name, false);
}

void wire_input(struct setting *s, const struct type_def *t)
{
	memset(s, 0, sizeof *s);
	s->op = (struct op){.address = "x", .type = t, .want = RES_NONE, .kind = OP_CREATE};
	s->have.attrs = s->had;
	s->in = (struct step_input){.op = &s->op,
	                            .vals = s->vals,
	                            .region = "cn-hangzhou",
	                            .instance_id = "dtsi",
	                            .job_id = "j",
	                            .client_token = "token",
	                            .free_name = "name~0a"};
}

const char **wire_slot(struct setting *s, const char *key)
{
	return &s->vals[attr_of(s->op.type, key)];
}
