#include "base/json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/err.h"
#include "base/json_internal.h"
#include "base/text.h"

/* cJSON's allocator takes no context. Set during json_parse() only. A test serves the simulator from a thread of its own. */
static _Thread_local struct arena *cjson_arena;

static void *cjson_malloc(size_t n)
{
	return arena_alloc(cjson_arena, n);
}

static void cjson_free(void *p)
{
	(void)p; /* goes with the arena */
}

/* For good: set and taken back each time, another thread would be without them in between. */
static void use_our_allocator(void)
{
	static cJSON_Hooks hooks = {cjson_malloc, cjson_free};
	static bool done;

	if (!done)
		cJSON_InitHooks(&hooks);
	done = true;
}

/* ---- parsing ---- */

static void take_value(struct arena *a, struct json *to, const cJSON *from,
                       const struct json_facts *f, size_t *numbers)
{
	if (from->string)
		to->key = arena_strdup(a, from->string);
	if (cJSON_IsBool(from)) {
		to->type = JSON_BOOL;
		to->b = cJSON_IsTrue(from);
	} else if (cJSON_IsNumber(from)) {
		to->type = JSON_NUMBER;
		to->d = from->valuedouble;
		to->is_int = f->whole.v[(*numbers)++];
		to->i = to->is_int ? (int64_t)from->valuedouble : 0;
	} else if (cJSON_IsString(from)) {
		to->type = JSON_STRING;
		to->s = arena_strdup(a, from->valuestring);
	} else if (cJSON_IsArray(from)) {
		to->type = JSON_ARRAY;
	} else if (cJSON_IsObject(from)) {
		to->type = JSON_OBJECT;
	} /* else null, which is zero */
}

/* Our tree from that of cJSON; NULL where a number is out of range. */
static struct json *take_tree(struct arena *a, const cJSON *from, const struct json_facts *f)
{
	struct {
		const cJSON *from; /* next element to take */
		struct json *to;   /* its parent */
	} open[JSON_DEPTH + 1];
	size_t depth = 0, numbers = 0;
	struct json *root = arena_new(a, struct json);

	take_value(a, root, from, f, &numbers);
	if (from->child) {
		open[0].from = from->child;
		open[0].to = root;
		depth = 1;
	}
	while (depth) {
		const cJSON *c = open[depth - 1].from;
		struct json *v;

		if (!c) {
			depth--;
			continue;
		}
		open[depth - 1].from = c->next;
		v = arena_new(a, struct json);
		take_value(a, v, c, f, &numbers);
		json_add(open[depth - 1].to, v->key, v);
		if (c->child) {
			open[depth].from = c->child;
			open[depth].to = v;
			depth++;
		}
	}
	return root;
}

struct json *json_parse(struct arena *a, const char *text, size_t n, struct json_err *e)
{
	struct json_facts facts = {0};
	struct json_err none;
	struct arena scratch;
	struct json *root = NULL;
	cJSON *tree;

	if (!e)
		e = &none;
	arena_init(&scratch);
	if (json_scan(text, n, &scratch, &facts, e) == 0) {
		cjson_arena = &scratch;
		use_our_allocator();
		tree = cJSON_ParseWithLength(text, n);
		cjson_arena = NULL;
		if (tree) {
			root = take_tree(a, tree, &facts);
		} else {
			/* The scan is the stricter one (fuzzed); this is for a new cJSON. */
			*e = (struct json_err){.off = 0, .first_off = SIZE_MAX};
			snprintf(e->msg, sizeof e->msg, "the JSON reader refuses this text");
		}
	}
	arena_release(&scratch);
	return root;
}

/* ---- looking up ---- */

/* The member whose key is the n bytes at key. */
static const struct json *member(const struct json *obj, const char *key, size_t n)
{
	if (!obj || obj->type != JSON_OBJECT)
		return NULL;
	for (const struct json *c = obj->child; c; c = c->next)
		if (strncmp(c->key, key, n) == 0 && c->key[n] == '\0')
			return c;
	return NULL;
}

const struct json *json_get(const struct json *obj, const char *key)
{
	return member(obj, key, strlen(key));
}

const struct json *json_path(const struct json *obj, const char *path)
{
	for (;;) {
		size_t n = strcspn(path, ".");

		obj = member(obj, path, n);
		if (!obj || !path[n])
			return obj;
		path += n + 1;
	}
}

const char *json_str(const struct json *obj, const char *path)
{
	const struct json *v = json_path(obj, path);

	return v && v->type == JSON_STRING ? v->s : NULL;
}

const char *json_scalar(struct arena *a, const struct json *v)
{
	switch (v->type) {
	case JSON_STRING:
		return v->s;
	case JSON_BOOL:
		return v->b ? "true" : "false";
	case JSON_NUMBER:
		return json_write_dup(a, v, false);
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return NULL;
}

const char *json_text(struct arena *a, const struct json *obj, const char *path)
{
	const struct json *v = json_path(obj, path);

	return v ? json_scalar(a, v) : NULL;
}

bool json_true(const struct json *v)
{
	return v && ((v->type == JSON_BOOL && v->b) ||
	             (v->type == JSON_STRING && text_ieq(v->s, "true")));
}

/* ---- building ---- */

struct json *json_new(struct arena *a, enum json_type t)
{
	struct json *v = arena_new(a, struct json);

	v->type = t;
	if (t == JSON_STRING)
		v->s = "";
	v->is_int = t == JSON_NUMBER;
	return v;
}

struct json *json_new_str(struct arena *a, const char *s)
{
	struct json *v = json_new(a, JSON_STRING);

	v->s = s;
	return v;
}

struct json *json_new_int(struct arena *a, int64_t i)
{
	struct json *v = json_new(a, JSON_NUMBER);

	v->i = i;
	v->d = (double)i;
	return v;
}

struct json *json_new_bool(struct arena *a, bool b)
{
	struct json *v = json_new(a, JSON_BOOL);

	v->b = b;
	return v;
}

void json_add(struct json *parent, const char *key, struct json *child)
{
	if (parent->type != JSON_OBJECT && parent->type != JSON_ARRAY)
		BUG("child for a scalar");
	if ((parent->type == JSON_OBJECT) != (key != NULL))
		BUG("a member needs a key, an element has none");
	if (child->next)
		BUG("value \"%s\" stands in a tree already", child->key ? child->key : "");
	child->key = key;
	if (parent->last)
		parent->last->next = child;
	else
		parent->child = child;
	parent->last = child;
	parent->n++;
}

/* A copy of one value without its children and siblings. */
static struct json *copy_one(struct arena *a, const struct json *v)
{
	struct json *c = arena_new(a, struct json);

	*c = *v;
	c->child = c->last = c->next = NULL;
	c->n = 0;
	return c;
}

static struct json *copy(struct arena *a, const struct json *v, const char *without)
{
	struct level {
		const struct json *next; /* next child to copy */
		struct json *to;
	};
	/* No fixed depth: built trees may go deeper than parsed ones. */
	VEC(struct level) open = {0};
	struct json *root = copy_one(a, v);
	struct arena scratch;

	root->key = NULL; /* it stands in no object yet */
	arena_init(&scratch);
	*VEC_PUSH(&scratch, &open) = (struct level){v->child, root};
	while (open.n) {
		struct level *l = &open.v[open.n - 1];
		const struct json *from = l->next;
		struct json *to;

		if (!from) {
			open.n--;
			continue;
		}
		l->next = from->next;
		if (without && from->key && strcmp(from->key, without) == 0)
			continue;
		to = copy_one(a, from);
		json_add(l->to, from->key, to);
		if (from->child)
			*VEC_PUSH(&scratch, &open) = (struct level){from->child, to};
	}
	arena_release(&scratch);
	return root;
}

struct json *json_clone(struct arena *a, const struct json *v)
{
	return copy(a, v, NULL);
}

struct json *json_without(struct arena *a, const struct json *v, const char *key)
{
	return copy(a, v, key);
}
