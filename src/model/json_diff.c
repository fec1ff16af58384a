/* What differs between two JSON values, in lines for people. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "model/compare.h"
#include "model/schema.h"

#define LINE_MAX 4096
#define VALUE_CELLS 80

struct lines {
	struct arena *a;
	struct buf out;
	size_t n, max;
};

static void line(struct lines *l, char sign, const char *what, const char *detail)
{
	if (l->n++ >= l->max)
		return;
	if (l->n > 1)
		buf_putc(&l->out, '\n');
	buf_putc(&l->out, sign);
	buf_putc(&l->out, ' ');
	/* A name with a line end in it must not look like two lines. */
	text_safe(&l->out, what, strlen(what), 0);
	if (detail)
		text_safe(&l->out, detail, strlen(detail), 0);
}

static const char *value_text(struct arena *a, const struct json *v)
{
	return text_safe_dup(a, json_write_dup(a, v, true), VALUE_CELLS);
}

static char *finish(struct lines *l)
{
	char *s;

	if (l->n > l->max)
		buf_printf(&l->out, "%s... and %zu more", l->max ? "\n" : "", l->n - l->max);
	s = arena_strdup(l->a, buf_str(&l->out));
	buf_release(&l->out);
	return s;
}

/* Members by name, once, instead of a scan per look-up. */
struct index {
	struct map by_key;
	const struct json **v;
};

static void index_make(struct index *x, struct arena *a, const struct json *obj)
{
	uint32_t i = 0;

	map_init(&x->by_key, a);
	x->v = arena_array(a, const struct json *, (obj ? obj->n : 0) + 1);
	for (const struct json *m = obj ? obj->child : NULL; m; m = m->next) {
		x->v[i] = m;
		map_put(&x->by_key, m->key, i++);
	}
}

static const struct json *index_get(const struct index *x, const char *key)
{
	uint32_t i = map_get(&x->by_key, key);

	return i == MAP_NONE ? NULL : x->v[i];
}

static const char *dotted(struct arena *a, const char *prefix, const char *key)
{
	return *prefix ? arena_printf(a, "%s.%s", prefix, key) : key;
}

/* The next level; anything but a map in that place is an attribute like others. */
static const struct json *sub_map(const struct json *v, const char *part)
{
	const struct json *sub = part ? json_get(v, part) : NULL;

	return sub && sub->type == JSON_OBJECT ? sub : NULL;
}

/* Attributes of one database, table or column: everything but the next level. */
static void diff_level(struct lines *l, const char *name, const struct json *from,
                       const struct json *to, const char *part)
{
	for (const struct json *t = to->child; t; t = t->next) {
		const struct json *f = json_get(from, t->key);

		if (t == sub_map(to, part))
			continue;
		if (!f)
			line(l, '~', name,
			     arena_printf(l->a, ": %s %s", t->key, value_text(l->a, t)));
		else if (!json_equal(f, t))
			line(l, '~', name,
			     arena_printf(l->a, ": %s %s -> %s", t->key, value_text(l->a, f),
			                  value_text(l->a, t)));
	}
	for (const struct json *f = from->child; f; f = f->next)
		if (f != sub_map(from, part) && !json_get(to, f->key))
			line(l, '~', name,
			     arena_printf(l->a, ": %s %s -> (none)", f->key, value_text(l->a, f)));
}

static const char *extent(struct arena *a, const struct json *v, const char *part, const char *unit)
{
	const struct json *sub = sub_map(v, part);

	return sub && sub->n ? arena_printf(a, " (%zu %s)", sub->n, unit) : NULL;
}

static const char *const part_of[] = {"Table", "column", NULL};
static const char *const unit_of[] = {"tables", "columns", ""};

struct level {
	const struct json *from, *to; /* maps; either may be NULL */
	const char *prefix;
	int depth;
};

/* Breadth is handled here, depth by the list of maps still to compare: three levels at most. */
static void diff_map(struct lines *l, struct level x, struct level *todo, size_t *n)
{
	const char *part = part_of[x.depth];
	struct index from, to;

	index_make(&from, l->a, x.from);
	index_make(&to, l->a, x.to);
	for (const struct json *t = x.to ? x.to->child : NULL; t; t = t->next) {
		const struct json *f = index_get(&from, t->key);
		const char *name = dotted(l->a, x.prefix, t->key);

		if (!f) {
			line(l, '+', name, extent(l->a, t, part, unit_of[x.depth]));
			continue;
		}
		if (f->type != JSON_OBJECT || t->type != JSON_OBJECT) {
			if (!json_equal(f, t))
				line(l, '~', name, NULL);
			continue;
		}
		diff_level(l, name, f, t, part);
		if (sub_map(f, part) || sub_map(t, part))
			todo[(*n)++] = (struct level){sub_map(f, part), sub_map(t, part), name,
			                              x.depth + 1};
	}
	for (const struct json *f = x.from ? x.from->child : NULL; f; f = f->next)
		if (!index_get(&to, f->key))
			line(l, '-', dotted(l->a, x.prefix, f->key),
			     extent(l->a, f, part, unit_of[x.depth]));
}

static void diff_objects(struct lines *l, const struct json *from, const struct json *to)
{
	struct level *todo;
	size_t n = 0, room = 1;

	/* At most one map per database and per table. */
	for (const struct json *db = to->child; db; db = db->next) {
		const struct json *tables = json_get(db, "Table");

		room += 1 + (tables ? tables->n : 0);
	}
	todo = arena_array(l->a, struct level, room);
	todo[n++] = (struct level){from, to, "", 0};
	for (size_t i = 0; i < n; i++)
		diff_map(l, todo[i], todo, &n);
}

static const char *hide(void *ctx, struct arena *a, const char *text)
{
	(void)ctx;
	(void)a;
	(void)text;
	return "(secret)";
}

static const struct json *hidden(struct arena *a, const struct attr_def *at, const char *text)
{
	text = attr_redact(a, at, text, hide, NULL);
	return text ? json_parse(a, text, strlen(text), NULL) : NULL;
}

/* Objects that are merged: keys that only the service has are its own. Compared as they are, shown
 * without secrets. */
static void diff_members(struct lines *l, const struct attr_def *at, const char *from_text,
                         const char *to_text, const struct json *from, const struct json *to)
{
	const struct json *shown_from = hidden(l->a, at, from_text),
			  *shown = hidden(l->a, at, to_text);

	shown = shown ? shown->child : NULL;
	for (const struct json *t = to->child; t && shown; t = t->next, shown = shown->next) {
		const struct json *f = json_get(from, t->key), *old = json_get(shown_from, t->key);

		if (!f || !old)
			line(l, '+', t->key, arena_printf(l->a, ": %s", value_text(l->a, shown)));
		else if (!json_equal(f, t) && !compare_scalar(l->a, t, f))
			line(l, '~', t->key,
			     arena_printf(l->a, ": %s -> %s", value_text(l->a, old),
			                  value_text(l->a, shown)));
	}
	/* Of tags `from` has our own alone, and what is dropped is removed. */
	for (const struct json *f = from->child; at->kind == AK_TAGS && f; f = f->next)
		if (!json_get(to, f->key))
			line(l, '-', f->key, NULL);
}

static const struct json *parameter(const struct json *list, const char *module, const char *name)
{
	for (const struct json *p = list->child; p; p = p->next)
		if (text_eq(json_str(p, "module"), module) && text_eq(json_str(p, "name"), name))
			return json_get(p, "value");
	return NULL;
}

static void diff_parameters(struct lines *l, const struct json *from, const struct json *to)
{
	for (const struct json *t = to->child; t; t = t->next) {
		const char *module = json_text(l->a, t, "module"),
			   *name = json_text(l->a, t, "name");
		const struct json *value = json_get(t, "value"), *old;
		const char *what;

		if (!module || !name || !value)
			continue;
		what = arena_printf(l->a, "%s %s", module, name);
		old = parameter(from, module, name);
		if (!old)
			line(l, '+', what, arena_printf(l->a, ": %s", value_text(l->a, value)));
		else if (!text_eq(compare_text(l->a, old), compare_text(l->a, value)))
			line(l, '~', what,
			     arena_printf(l->a, ": %s -> %s", value_text(l->a, old),
			                  value_text(l->a, value)));
	}
}

static const struct json *side(struct arena *a, const struct attr_def *at, const char *text)
{
	enum json_type type = at->kind == AK_LIST ? JSON_ARRAY : JSON_OBJECT;
	const struct json *v = NULL;

	if (text)
		v = at->route == ROUTE_OBJECTS ? compare_objects(a, text)
		                               : json_parse(a, text, strlen(text), NULL);
	return v && v->type == type ? v : json_new(a, type);
}

char *attr_json_diff(struct arena *a, const struct attr_def *at, const char *from, const char *to,
                     size_t max)
{
	struct lines l = {.a = a, .max = max};
	const struct json *f = side(a, at, from), *t = side(a, at, to);

	buf_init(&l.out, LINE_MAX * (max + 1));
	if (at->kind == AK_LIST)
		diff_parameters(&l, f, t);
	else if (at->route == ROUTE_OBJECTS)
		diff_objects(&l, f, t);
	else
		diff_members(&l, at, from, to, f, t);
	return finish(&l);
}
