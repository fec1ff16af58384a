/* Does what the service has satisfy what the manifest wants? Rules of design.md 4, facts of
 * dts-api.md 14, 15, 17, 18. */
#include "model/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "model/record.h"
#include "model/schema.h"
#include "model/status.h"

/* ---- scalars ---- */

static bool is_number(const char *s, double *out)
{
	char *end;

	if (!*s || s[strspn(s, "0123456789+-.eE")])
		return false;
	*out = strtod(s, &end);
	return !*end;
}

static bool text_same(const char *x, const char *y)
{
	double dx, dy;

	if (!strcmp(x, y))
		return true;
	return is_number(x, &dx) && is_number(y, &dy) && !(dx < dy) && !(dx > dy);
}

/* The service takes 64 and "64" alike and answers as it likes. */
bool compare_scalar(struct arena *a, const struct json *x, const struct json *y)
{
	const char *tx = json_scalar(a, x), *ty = json_scalar(a, y);

	if (!tx || !ty)
		return tx == ty && x->type == y->type;
	if (x->type == JSON_BOOL || y->type == JSON_BOOL)
		return text_ieq(tx, ty);
	/* Two texts are what they are: "010" is not "10". */
	return x->type == JSON_STRING && y->type == JSON_STRING ? !strcmp(tx, ty)
	                                                        : text_same(tx, ty);
}

static struct json *parse(struct arena *a, const char *text, enum json_type type)
{
	struct json *v = json_parse(a, text, strlen(text), NULL);

	return v && v->type == type ? v : NULL;
}

/* ---- db_list: exact, after one form for both ---- */

static bool is_blank(const struct json *v)
{
	return v->type == JSON_NULL || (v->type == JSON_STRING && !*v->s) ||
	       (v->type == JSON_OBJECT && !v->n);
}

/* m leaves the tree it was read in; its neighbours there are no longer of interest. */
static void move(struct json *to, struct json *m)
{
	m->next = NULL;
	json_add(to, m->key, m);
}

/*
 * One database, table or column without what goes without saying (dts-api.md 15): the service's
 * `state`, a `name` equal to the key, members that are null or empty. `all` is spelled out: absent,
 * it is true unless a selection (part) stands beside it, which is how the published examples read.
 * The selection is returned in *sub and not copied.
 */
static struct json *level_canon(struct arena *a, struct json *in, const char *part,
                                struct json **sub)
{
	struct json *out = json_new(a, JSON_OBJECT), *next;
	const struct json *all = NULL;

	*sub = NULL;
	for (struct json *m = in->child; m; m = next) {
		next = m->next;
		if (!strcmp(m->key, "state") || is_blank(m))
			continue;
		if (!strcmp(m->key, "name") && m->type == JSON_STRING && text_eq(m->s, in->key))
			continue;
		if (part && !strcmp(m->key, part) && m->type == JSON_OBJECT)
			*sub = m;
		else if (part && !strcmp(m->key, "all"))
			all = m;
		else
			move(out, m);
	}
	if (part)
		json_add(out, "all", json_new_bool(a, all ? json_true(all) : !*sub));
	return out;
}

/* Copies the members of a map one level down; those that are no object stay as they are. */
static struct json *tables_canon(struct arena *a, struct json *tables)
{
	struct json *out = json_new(a, JSON_OBJECT), *next, *next_column;

	for (struct json *t = tables->child; t; t = next) {
		struct json *columns, *copy, *map, *none;

		next = t->next;
		if (t->type != JSON_OBJECT) {
			move(out, t);
			continue;
		}
		copy = level_canon(a, t, "column", &columns);
		json_add(out, t->key, copy);
		if (!columns)
			continue;
		map = json_new(a, JSON_OBJECT);
		for (struct json *c = columns->child; c; c = next_column) {
			next_column = c->next;
			if (c->type == JSON_OBJECT)
				json_add(map, c->key, level_canon(a, c, NULL, &none));
			else
				move(map, c);
		}
		json_add(copy, "column", map);
	}
	return out;
}

struct json *compare_objects(struct arena *a, const char *text)
{
	struct json *in = parse(a, text, JSON_OBJECT), *out, *next;

	if (!in)
		return NULL;
	out = json_new(a, JSON_OBJECT);
	for (struct json *db = in->child; db; db = next) {
		struct json *tables, *copy;

		next = db->next;
		if (db->type != JSON_OBJECT) {
			move(out, db);
			continue;
		}
		copy = level_canon(a, db, "Table", &tables);
		json_add(out, db->key, copy);
		if (tables)
			json_add(copy, "Table", tables_canon(a, tables));
	}
	return out;
}

static bool objects_same(struct arena *a, const char *wanted, const char *seen)
{
	const struct json *w = compare_objects(a, wanted), *s = compare_objects(a, seen);

	/* Sorted text instead of a walk: lists of 20,000 tables would make every look-up by name
	 * count. */
	return w && s && !strcmp(json_write_dup(a, w, true), json_write_dup(a, s, true));
}

/* ---- reserve: what is wanted must hold, the rest is the service's business ---- */

struct pair {
	const struct json *want, *seen;
};

struct pairs {
	struct arena *a;
	VEC(struct pair) todo;
};

static void push(struct pairs *p, const struct json *want, const struct json *seen)
{
	struct pair *x = VEC_PUSH(p->a, &p->todo);

	*x = (struct pair){want, seen};
}

static bool is_masked(const struct json *v)
{
	return v->type == JSON_STRING && *v->s && !v->s[strspn(v->s, "*")];
}

/* Members of a wanted object: each must be there, except secrets the service keeps to itself. */
static bool push_members(struct pairs *p, const struct json *want, const struct json *seen)
{
	for (const struct json *m = want->child; m; m = m->next) {
		const struct json *other = json_get(seen, m->key);

		if (attr_secret_member(m->key) && (!other || is_masked(other)))
			continue;
		if (!other)
			return false;
		push(p, m, other);
	}
	return true;
}

static bool push_elements(struct pairs *p, const struct json *want, const struct json *seen)
{
	const struct json *s = seen->child;

	if (want->n != seen->n)
		return false;
	for (const struct json *w = want->child; w; w = w->next, s = s->next)
		push(p, w, s);
	return true;
}

static bool pair_holds(struct pairs *p, struct pair x)
{
	/* Some members come back as text that holds the JSON we sent. */
	if ((x.want->type == JSON_OBJECT || x.want->type == JSON_ARRAY) &&
	    x.seen->type == JSON_STRING)
		x.seen = parse(p->a, x.seen->s, x.want->type);
	if (!x.seen)
		return false;
	if (x.want->type == JSON_OBJECT && x.seen->type == JSON_OBJECT)
		return push_members(p, x.want, x.seen);
	if (x.want->type == JSON_ARRAY && x.seen->type == JSON_ARRAY)
		return push_elements(p, x.want, x.seen);
	return compare_scalar(p->a, x.want, x.seen);
}

static bool object_holds(struct arena *a, const char *wanted, const char *seen)
{
	struct pairs p = {.a = a};
	const struct json *w = parse(a, wanted, JSON_OBJECT), *s = parse(a, seen, JSON_OBJECT);

	if (!w || !s)
		return false;
	push(&p, w, s);
	while (p.todo.n)
		if (!pair_holds(&p, p.todo.v[--p.todo.n]))
			return false;
	return true;
}

/* ---- secrets that no answer shows: the record has their fingerprints ---- */

#define LOST "\"" FP_MARK "\""

/* Fingerprints made without the key, or whose key was lost, tell nothing. */
static bool fingerprints_agree(struct arena *a, const struct json *want, const struct json *had)
{
	const char *w = json_write_dup(a, want, true), *h = had ? json_write_dup(a, had, true) : "";

	return !strcmp(w, h) || strstr(w, LOST) || (had && strstr(h, LOST));
}

/* want, seen: a pair as above; had: what the record has in this place. */
struct hidden {
	const struct json *want, *seen, *had;
};

bool attr_secrets_held(const char *marked, const char *recorded, const char *seen)
{
	struct arena a;
	VEC(struct hidden) todo = {0};
	bool held = true;

	arena_init(&a);
	*VEC_PUSH(&a, &todo) =
		(struct hidden){json_parse(&a, marked, strlen(marked), NULL),
	                        seen ? json_parse(&a, seen, strlen(seen), NULL) : NULL,
	                        recorded ? json_parse(&a, recorded, strlen(recorded), NULL) : NULL};
	while (held && todo.n) {
		struct hidden x = todo.v[--todo.n];
		const struct json *s, *h, *s_at, *h_at; /* elements of arrays side by side */

		if (x.want && x.seen && x.want->type != x.seen->type && x.seen->type == JSON_STRING)
			x.seen = parse(&a, x.seen->s, x.want->type);
		s_at = x.seen ? x.seen->child : NULL;
		h_at = x.had ? x.had->child : NULL;
		for (const struct json *m = x.want ? x.want->child : NULL; m && held; m = m->next) {
			s = m->key ? json_get(x.seen, m->key) : s_at;
			h = m->key ? json_get(x.had, m->key) : h_at;
			s_at = s_at ? s_at->next : NULL;
			h_at = h_at ? h_at->next : NULL;
			if (m->key && attr_secret_member(m->key)) {
				if (!s || is_masked(s))
					held = fingerprints_agree(&a, m, h);
			} else if (m->child) {
				*VEC_PUSH(&a, &todo) = (struct hidden){m, s, h};
			}
		}
	}
	arena_release(&a);
	return held;
}

/* ---- job_parameters ---- */

static const char *parameter_key(struct arena *a, const struct json *p)
{
	const struct json *module = json_get(p, "module"), *name = json_get(p, "name");
	const char *m = module ? json_scalar(a, module) : NULL;

	return m && name && name->type == JSON_STRING ? arena_printf(a, "%s %s", m, name->s) : NULL;
}

static bool parameters_hold(struct arena *a, const char *wanted, const char *seen)
{
	const struct json *w = parse(a, wanted, JSON_ARRAY), *s = parse(a, seen, JSON_ARRAY);
	const struct json **values;
	struct map by_key;
	uint32_t i = 0;

	if (!w || !s)
		return false;
	map_init(&by_key, a);
	values = arena_array(a, const struct json *, s->n + 1);
	for (const struct json *p = s->child; p; p = p->next) {
		const char *key = parameter_key(a, p);

		values[i] = json_get(p, "value");
		if (key && values[i])
			map_put(&by_key, key, i++);
	}
	for (const struct json *p = w->child; p; p = p->next) {
		const char *key = parameter_key(a, p);
		const struct json *value = json_get(p, "value");
		const char *want = value ? json_scalar(a, value) : NULL, *have;

		i = key ? map_get(&by_key, key) : MAP_NONE;
		if (i == MAP_NONE || !want)
			return false;
		have = json_scalar(a, values[i]);
		if (!have ||
		    !(text_same(want, have) || (value->type == JSON_BOOL && text_ieq(want, have))))
			return false;
	}
	return true;
}

/* ---- lists of numbers, tags ---- */

/* A digit the service hides behind `*` is not held against it. */
static bool phone_same(const char *want, const char *seen)
{
	for (; *want && *seen; want++, seen++)
		if (*want != *seen && *seen != '*')
			return false;
	return !*want && !*seen;
}

static size_t phone_count(const char *list)
{
	size_t n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

static bool phones_same(struct arena *a, const char *wanted, const char *seen)
{
	const char *w, *s;

	if (phone_count(wanted) != phone_count(seen))
		return false;
	for (size_t i = 0; (w = text_field(a, wanted, ',', i)); i++) {
		bool found = false;

		for (size_t k = 0; !found && (s = text_field(a, seen, ',', k)); k++)
			found = phone_same(w, s);
		if (!found)
			return false;
	}
	return true;
}

/* ---- the way in ---- */

/* The service answers what ModifyDtsJobEndpoint sent (dts-api.md 18): a sharded MongoDB has a word of its own there. */
static const char *endpoint_type(const char *type)
{
	return text_ieq(type, "distributed_mongodb") ? "MONGODB" : type;
}

const char *region_name(const char *region)
{
	return text_eq(region, "cn-zhangbei") ? "cn-zhangjiakou" : region;
}

static bool enum_same(const struct attr_def *at, const char *wanted, const char *seen)
{
	if (text_ends(at->key, "_instance_type"))
		return text_ieq(endpoint_type(wanted), endpoint_type(seen));
	if (at->flags & A_ENGINE)
		return at->flags & A_EXACT ? engine_equal(wanted, seen) : engine_same(wanted, seen);
	if (at->route == ROUTE_STATUS)
		return status_satisfies(status_parse(seen), wanted);
	if (at->route == ROUTE_CLASS && class_rank(wanted) >= 0)
		return class_rank(wanted) == class_rank(seen);
	return text_ieq(wanted, seen);
}

bool attr_satisfied(const struct attr_def *at, const char *wanted, const char *seen)
{
	struct arena a;
	bool same = false;

	if (!seen)
		return false;
	if (!strcmp(wanted, seen))
		return true;
	if (at->kind == AK_STR)
		return text_ends(at->key, "_region") &&
		       !strcmp(region_name(wanted), region_name(seen));
	if (at->kind == AK_ENUM)
		return enum_same(at, wanted, seen);
	if (at->kind == AK_INT)
		return text_same(wanted, seen);
	if (at->kind == AK_BOOL)
		return text_ieq(wanted, seen);
	arena_init(&a);
	if (at->kind == AK_PHONES)
		same = phones_same(&a, wanted, seen);
	else if (at->kind == AK_LIST)
		same = parameters_hold(&a, wanted, seen);
	else if (at->route == ROUTE_OBJECTS)
		same = objects_same(&a, wanted, seen);
	else
		same = object_holds(&a, wanted,
		                    seen); /* tags, too: those of others are not ours to judge */
	arena_release(&a);
	return same;
}
