/*
 * Hooks of the JSON rows. Unknown members pass unchanged everywhere: the
 * published lists are incomplete (dts-api.md 14, 15).
 */
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "model/normalize.h"
#include "model/types/types.h"

#define OLD_SHOWN_MAX 2000

struct walk {
	struct arena *a;
	const struct attr_def *at;
	const char *text;
	const struct value_source *src;
	struct diag *d;
	size_t states; /* `state` members left out */
	bool ok;
};

/* ---- db_list ---- */

static struct json *text_node(struct arena *a, const struct json *from, const char *key,
                              const char *otherwise)
{
	const char *s = json_str(from, key);

	return json_new_str(a, text_empty(s) ? otherwise : s);
}

static struct json *old_table(struct arena *a, const struct json *t, const char *name)
{
	struct json *out = json_new(a, JSON_OBJECT);
	const struct json *cols = json_get(t, "ColumnIncludes");
	struct json *column;

	json_add(out, "name", text_node(a, t, "NewTableName", name));
	json_add(out, "all", json_new_bool(a, !cols || !cols->n));
	if (!text_empty(json_str(t, "FilterCondition")))
		json_add(out, "filter", json_new_str(a, json_str(t, "FilterCondition")));
	if (!cols || !cols->n)
		return out;
	column = json_new(a, JSON_OBJECT);
	for (const struct json *c = cols->child; c; c = c->next) {
		const char *cname = json_str(c, "ColumnName");
		struct json *o = json_new(a, JSON_OBJECT);

		if (!cname || json_get(column, cname))
			continue;
		json_add(o, "name", text_node(a, c, "NewColumnName", cname));
		json_add(column, cname, o);
	}
	json_add(out, "column", column);
	return out;
}

/* The array of ConfigureSynchronizationJob in today's form; NULL when it is something else. */
static struct json *from_old_format(struct arena *a, const struct json *list)
{
	struct json *out = json_new(a, JSON_OBJECT);

	for (const struct json *e = list->child; e; e = e->next) {
		const char *db = json_str(e, "DBName"), *schema = json_str(e, "SchemaName");
		const struct json *tables = json_get(e, "TableIncludes");
		const char *key = text_empty(schema) ? db : schema;
		struct json *o, *map;

		if (text_empty(key) || json_get(out, key))
			return NULL;
		o = json_new(a, JSON_OBJECT);
		json_add(o, "name",
		         text_node(a, e, key == db ? "NewDBName" : "NewSchemaName", key));
		json_add(o, "all", json_new_bool(a, !tables || !tables->n));
		if (tables && tables->n) {
			map = json_new(a, JSON_OBJECT);
			for (const struct json *t = tables->child; t; t = t->next) {
				const char *name = json_str(t, "TableName");

				if (name && !json_get(map, name))
					json_add(map, name, old_table(a, t, name));
			}
			json_add(o, "Table", map);
		}
		json_add(out, key, o);
	}
	return out->n ? out : NULL;
}

static void report_old_format(const struct walk *w, const struct json *list)
{
	const struct json *now = from_old_format(w->a, list);
	const char *shown = now ? json_write_dup(w->a, now, false) : NULL;

	if (!now) {
		diag_error(w->d, source_pos(w->src, 0),
		           "for example {\"shop\": {\"name\": \"shop\", \"all\": true}}",
		           "%s: an object keyed by database is needed, not an array", w->at->key);
		return;
	}
	diag_error(w->d, source_pos(w->src, 0),
	           arena_printf(w->a, "the same selection: %.*s%s", OLD_SHOWN_MAX, shown,
	                        strlen(shown) > OLD_SHOWN_MAX ? "..." : ""),
	           "%s: this is the object list of the older call ConfigureSynchronizationJob (an "
	           "array with DBName); an object "
	           "keyed by database is needed",
	           w->at->key);
}

static struct pos key_pos(const struct walk *w, const char *key)
{
	return source_pos(w->src, normalize_key_off(w->text, key));
}

/* The next level inside an object: what was read and its copy, filled by the caller. */
struct part {
	struct json *from, *to;
};

/* `tables` for `Table`: would pass as an unknown member and select nothing. */
static void warn_near(const struct walk *w, const char *key, const char *part)
{
	size_t n = strlen(part), len = strlen(key);

	if (!strcmp(key, part) || len < n || len > n + 1 ||
	    !text_ieq(arena_strndup(w->a, key, n), part))
		return;
	if (key[n] && key[n] != 's')
		return;
	diag_warn(w->d, key_pos(w, key), arena_printf(w->a, "did you mean `%s`?", part),
	          "%s: the service knows no `%s`", w->at->key, text_safe_dup(w->a, key, 60));
}

/* A copy of one database, table or column without the service's `state`. name: member that holds
 * the next level, or NULL. */
static struct json *level_copy(struct walk *w, struct json *in, const char *name, struct part *part)
{
	struct json *out = json_new(w->a, JSON_OBJECT), *next;

	*part = (struct part){0};
	if (in->type != JSON_OBJECT) {
		diag_error(w->d, key_pos(w, in->key), NULL,
		           "%s: the value of `%s` must be an object", w->at->key,
		           text_safe_dup(w->a, in->key, 60));
		w->ok = false;
		return out;
	}
	for (struct json *m = in->child; m; m = next) {
		next = m->next;
		if (!strcmp(m->key, "state")) {
			w->states++;
			continue;
		}
		if (name)
			warn_near(w, m->key, name);
		if (!name || strcmp(m->key, name)) {
			m->next = NULL;
			json_add(out, m->key, m);
			continue;
		}
		if (m->type != JSON_OBJECT) {
			diag_error(w->d, key_pos(w, m->key), NULL, "%s: `%s` must be an object",
			           w->at->key, name);
			w->ok = false;
			continue;
		}
		*part = (struct part){m, json_new(w->a, JSON_OBJECT)};
		json_add(out, m->key, part->to);
	}
	return out;
}

static void check_filter(const struct walk *w, const struct json *table)
{
	const char *filter = json_str(table, "filter");
	size_t n = filter ? strlen(filter) : 0;

	if (n && filter[n - 1] == ';')
		diag_warn(w->d, key_pos(w, "filter"), "remove it",
		          "%s: a filter must not end in `;`", w->at->key);
}

static void copy_columns(struct walk *w, const struct part *columns)
{
	struct part none;
	struct json *next;

	for (struct json *c = columns->from ? columns->from->child : NULL; c; c = next) {
		next = c->next;
		json_add(columns->to, c->key, level_copy(w, c, NULL, &none));
	}
}

static void copy_tables(struct walk *w, const struct part *tables)
{
	struct json *next;

	for (struct json *t = tables->from ? tables->from->child : NULL; t; t = next) {
		struct part columns;
		struct json *copy = level_copy(w, t, "column", &columns);

		next = t->next;
		json_add(tables->to, t->key, copy);
		check_filter(w, copy);
		copy_columns(w, &columns);
	}
}

REFINE(refine_db_list)
{
	struct walk w = {a, at, text, src, d, 0, true};
	struct json *in = normalize_json_any(a, at, text, strlen(text), src, d), *out, *next;
	const char *wire;

	if (in && in->type == JSON_ARRAY) {
		report_old_format(&w, in);
		return NULL;
	}
	if (!in || !normalize_json_is(at, in, JSON_OBJECT, src, d))
		return NULL;
	out = json_new(a, JSON_OBJECT);
	for (struct json *db = in->child; db; db = next) {
		struct part tables;

		next = db->next;
		json_add(out, db->key, level_copy(&w, db, "Table", &tables));
		copy_tables(&w, &tables);
	}
	if (!w.ok)
		return NULL;
	if (!out->n) /* seen in the code of others only (dts-api.md 15) */
		diag_warn(
			d, source_pos(src, 0),
			"say what is meant, for example {\"shop\": {\"name\": \"shop\", \"all\": true}}",
			"%s: what the service copies for an empty list is not documented: all, or nothing",
			at->key);
	if (w.states)
		diag_note(d, key_pos(&w, "state"), NULL,
		          "%s: `state` belongs to the service and is left out", at->key);
	wire = json_write_dup(a, out, false);
	if ((int64_t)strlen(wire) > at->max) {
		diag_error(d, source_pos(src, 0), NULL,
		           "%s: %zu bytes, the service takes at most 1 MB", at->key, strlen(wire));
		return NULL;
	}
	return wire;
}

/* ---- reserve ---- */

REFINE(refine_reserve)
{
	struct walk w = {a, at, text, src, d, 0, true};
	struct json *v = normalize_json(a, at, text, strlen(text), JSON_OBJECT, src, d);
	const char *first = NULL;
	size_t n = 0;

	if (!v)
		return NULL;
	for (const struct json *m = v->child; m; m = m->next)
		if (m->type == JSON_NUMBER && !n++)
			first = m->key;
	/* The docs want numbers as text, but the vendor's own samples do not keep to it (dts-api.md
	 * 14). */
	if (n)
		diag_note(
			d, key_pos(&w, first), NULL,
			"%s: the service documents numbers as text: put the value of `%s` in quotes",
			at->key, text_safe_dup(a, first, 60));
	return json_write_dup(a, v, false);
}

/* ---- job_parameters ---- */

static bool module_known(const char *module)
{
	static const char *const list[] = {"03", "04", "07", "60"};

	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
		if (text_eq(module, list[i]))
			return true;
	return false;
}

static bool parameter_check(const struct walk *w, const struct json *p, size_t index,
                            struct map *seen)
{
	static const char *const members[] = {"module", "name", "value"};
	const char *module, *name, *key;

	for (size_t i = 0; i < 3; i++) {
		if (json_text(w->a, p, members[i]))
			continue;
		diag_error(
			w->d, source_pos(w->src, 0),
			"each entry is {\"module\": \"07\", \"name\": \"...\", \"value\": \"...\"}",
			"%s: entry %zu has no `%s`", w->at->key, index + 1, members[i]);
		return false;
	}
	module = json_text(w->a, p, "module");
	name = json_text(w->a, p, "name");
	key = arena_printf(w->a, "%s %s", module, name);
	if (map_put(seen, key, (uint32_t)index) != MAP_NONE) {
		diag_error(w->d, key_pos(w, name), NULL, "%s: `%s` of module %s is given twice",
		           w->at->key, text_safe_dup(w->a, name, 60),
		           text_safe_dup(w->a, module, 20));
		return false;
	}
	if (!module_known(module))
		diag_warn(w->d, key_pos(w, module),
		          "modules: 03 full copy, 04 incremental writer of a migration, 07 "
		          "incremental writer, 60 Kafka",
		          "%s: unknown module `%s`", w->at->key, text_safe_dup(w->a, module, 20));
	return true;
}

REFINE(refine_parameters)
{
	struct walk w = {a, at, text, src, d, 0, true};
	struct json *v = normalize_json(a, at, text, strlen(text), JSON_ARRAY, src, d);
	struct map seen;
	size_t i = 0;
	bool ok = true;

	if (!v)
		return NULL;
	map_init(&seen, a);
	for (const struct json *p = v->child; p; p = p->next, i++)
		ok = parameter_check(&w, p, i, &seen) && ok;
	return ok ? json_write_dup(a, v, false) : NULL;
}
