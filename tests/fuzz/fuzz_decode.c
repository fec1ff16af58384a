/*
 * Any bytes as an answer: the decoder must not fail, and what it lets through
 * must be walkable to the last byte. The first bytes choose action and status.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "remote/dts.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static size_t touched;

static void touch(const char *s)
{
	touched += s ? strlen(s) : 0;
}

static void walk(struct arena *a, const struct json *root)
{
	VEC(const struct json *) todo = {0};

	*VEC_PUSH(a, &todo) = root;
	while (todo.n) {
		const struct json *v = todo.v[--todo.n];

		touch(v->key);
		if (v->type == JSON_STRING)
			touch(v->s);
		for (const struct json *c = v->child; c; c = c->next)
			*VEC_PUSH(a, &todo) = c;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const int statuses[] = {200, 400, 403, 500, 502, 302, 204, 100};
	struct http_res res = {.content_type = "application/json"};
	struct precheck_item *items;
	const struct json *rows;
	size_t count, total;
	struct dts_reply r;
	struct arena a;

	if (n < 2)
		return 0;
	arena_init(&a);
	res.status = statuses[p[0] % 8];
	res.body = (const char *)p + 2;
	res.body_n = n - 2;
	dts_decode(&r, &a, (enum api_action)(1 + p[1] % (API__COUNT - 1)), &res);
	touch(r.code);
	touch(r.message);
	touch(r.request_id);
	touch(r.instance_id);
	touch(r.job_id);
	touch(r.raw);
	if (r.facts.success && (!r.facts.readable || !r.root))
		abort();
	if (!r.facts.readable && (r.root || r.code || !r.raw))
		abort();
	if (r.root) {
		walk(&a, r.root);
		count = dts_precheck_items(&a, r.root, &items);
		for (size_t i = 0; i < count; i++) {
			touch(items[i].item);
			touch(items[i].message);
			touch(items[i].repair);
			touch(dts_precheck_explain(items[i].item));
		}
	}
	if (dts_page(&r, &rows, &count, &total) && count > DTS_PAGE_ROWS)
		abort();
	arena_release(&a);
	return 0;
}
