/*
 * The JSON reader: every byte of an accepted tree is touched, its canonical
 * text must parse again to an equal tree, and its copies must be equal, too.
 * What is refused must have its offset within the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

/* Counts and lengths are as they say, keys only where they belong. */
static size_t walk(struct arena *a, const struct json *root)
{
	struct ref {
		const struct json *v;
	};
	VEC(struct ref) open = {0};
	size_t nodes = 0;

	VEC_PUSH(a, &open)->v = root;
	while (open.n) {
		const struct json *v = open.v[--open.n].v, *last = NULL;
		size_t n = 0;

		nodes++;
		check(v->type != JSON_STRING || text_utf8_bad(v->s, strlen(v->s)) == strlen(v->s));
		check(v->type != JSON_NUMBER || !v->is_int || (double)v->i == v->d);
		for (const struct json *c = v->child; c; last = c, c = c->next) {
			n++;
			check((v->type == JSON_OBJECT) == (c->key != NULL));
			check(!c->key || json_get(v, c->key) == c);
			VEC_PUSH(a, &open)->v = c;
		}
		check(n == v->n && last == v->last);
		check(!n || v->type == JSON_ARRAY || v->type == JSON_OBJECT);
	}
	return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct json_err e = {0};
	struct json *v;

	arena_init(&a);
	v = json_parse(&a, (const char *)data, size, &e);
	if (!v) {
		check(e.off <= size && e.msg[0] && strlen(e.msg) < sizeof e.msg);
		check(text_utf8_bad(e.msg, strlen(e.msg)) == strlen(e.msg));
		check(e.first_off == SIZE_MAX || (e.first_off < e.off && data[e.first_off] == '"'));
	} else {
		size_t nodes = walk(&a, v);

		for (int sorted = 0; sorted < 2; sorted++) {
			char *text = json_write_dup(&a, v, sorted);
			struct json *again = json_parse(&a, text, strlen(text), &e);

			check(again && json_equal(v, again) && walk(&a, again) == nodes);
			check(strcmp(json_write_dup(&a, again, sorted), text) == 0);
		}
		check(json_equal(v, json_clone(&a, v)));
		check(walk(&a, json_without(&a, v, "a")) <= nodes);
	}
	arena_release(&a);
	return 0;
}
