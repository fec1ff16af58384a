/* What the service makes of the two JSON parameters: DbList (dts-api.md 15) and Reserve (14). */
#include "sim/ops.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/world.h"

#define DB_LIST_MAX (1 << 20) /* 8: 1 MB including filters */

struct json *parse_object(struct call *c, const char *text)
{
	struct json *o = text != NULL ? json_parse(c->a, text, strlen(text), NULL) : NULL;

	return o != NULL && o->type == JSON_OBJECT ? o : NULL;
}

/*
 * The server's copy of one object: its members in the other order and a
 * "state" of its own. Members that hold further objects are replaced by the
 * caller's `inner`.
 */
static struct json *with_state(struct call *c, const struct json *o, const char *inner_key,
                               struct json *inner)
{
	struct json *out = json_new(c->a, JSON_OBJECT);
	const struct json **v = arena_array(c->a, const struct json *, o->n + 1), *m;
	size_t n = 0;

	for (m = o->child; m != NULL; m = m->next)
		if (strcmp(m->key, "state") != 0)
			v[n++] = m;
	while (n > 0) {
		m = v[--n];
		if (inner != NULL && strcmp(m->key, inner_key) == 0)
			json_add(out, m->key, inner);
		else
			json_add(out, m->key, json_clone(c->a, m));
	}
	json_add(out, "state", json_new_str(c->a, "normal"));
	return out;
}

/*
 * The members of a map ("column" of a table, "Table" of a database), each made by `each`; NULL:
 * one is no object.
 */
static struct json *map_each(struct call *c, const struct json *map,
                             struct json *(*each)(struct call *, const struct json *))
{
	struct json *out = json_new(c->a, JSON_OBJECT), *one;
	const struct json **v = arena_array(c->a, const struct json *, map->n + 1);
	size_t n = 0;

	for (const struct json *m = map->child; m != NULL; m = m->next)
		v[n++] = m;
	while (n > 0) {
		one = v[n - 1]->type == JSON_OBJECT ? each(c, v[n - 1]) : NULL;
		if (one == NULL)
			return NULL;
		json_add(out, v[--n]->key, one);
	}
	return out;
}

static struct json *column_copy(struct call *c, const struct json *column)
{
	return with_state(c, column, "", NULL);
}

static struct json *inner_copy(struct call *c, const struct json *o, const char *key,
                               struct json *(*each)(struct call *, const struct json *))
{
	const struct json *map = json_get(o, key);
	struct json *inner = NULL;

	if (map != NULL) {
		inner = map->type == JSON_OBJECT ? map_each(c, map, each) : NULL;
		if (inner == NULL)
			return NULL;
	}
	return with_state(c, o, key, inner);
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static const char *skip_blanks(const char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* 15: a condition without sub-selects and without a trailing ";"; texts stand in single quotes. */
static bool filter_valid(const struct json *filter)
{
	const char *p, *word, *s = filter->s;
	bool quoted = false;
	size_t n;

	if (filter->type != JSON_STRING)
		return false;
	for (n = strlen(s); n > 0 && is_blank(s[n - 1]);)
		n--;
	if (n > 0 && s[n - 1] == ';')
		return false;
	for (p = s; *p != '\0'; p++) {
		if (*p == '\'')
			quoted = !quoted;
		word = skip_blanks(p + 1);
		if (!quoted && *p == '(' && strncasecmp(word, "select", 6) == 0 &&
		    (is_blank(word[6]) || strchr("('*\"`", word[6]) != NULL))
			return false;
	}
	return true;
}

static struct json *table_copy(struct call *c, const struct json *table)
{
	const struct json *filter = json_get(table, "filter");

	if (filter != NULL && !filter_valid(filter))
		return NULL;
	return inner_copy(c, table, "column", column_copy);
}

static struct json *database_copy(struct call *c, const struct json *db)
{
	return inner_copy(c, db, "Table", table_copy);
}

const char *db_object_from(struct call *c, const char *db_list)
{
	struct json *o = strlen(db_list) <= DB_LIST_MAX ? parse_object(c, db_list) : NULL;
	struct json *out = o != NULL ? map_each(c, o, database_copy) : NULL;

	return out != NULL ? json_write_dup(c->a, out, false) : NULL;
}

int objects_from(struct call *c, const char **objects)
{
	const char *list = arg(c, "DbList"), *url = arg(c, "FileOssUrl");

	*objects = NULL;
	if (list == NULL && url == NULL)
		return call_missing(c, "DbList");
	if (url != NULL && !text_starts(url, "http://") && !text_starts(url, "https://"))
		return call_bad(c, "FileOssUrl");
	if (list == NULL)
		return 0;
	*objects = db_object_from(c, list);
	return *objects != NULL ? 0 : call_bad(c, "DbList");
}

const char *json_key_text(struct call *c, const struct json *o, const char *key)
{
	const struct json *v = o != NULL ? json_get(o, key) : NULL;

	if (v == NULL || v->type == JSON_NULL)
		return NULL;
	if (v->type == JSON_STRING)
		return v->s[0] != '\0' ? v->s : NULL;
	return json_write_dup(c->a, v, false);
}

static bool contains_icase(const char *s, const char *part)
{
	size_t n = strlen(part);

	for (; *s != '\0'; s++)
		if ((*s | 0x20) == part[0] && strncasecmp(s, part, n) == 0)
			return true;
	return false;
}

/* Keys whose value is a secret wherever they stand: in parameters and inside Reserve (14.2). */
bool secret_key_name(const char *name)
{
	static const char *const parts[] = {"password",   "passwd",     "secret",
	                                    "cacert",     "clientcert", "clientkey",
	                                    "privatekey", "sslcert",    "sslkey"};

	if (text_eq(name, "Signature") || text_eq(name, "SecurityToken") ||
	    text_eq(name, "BearerToken"))
		return true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (contains_icase(name, parts[i]))
			return true;
	return false;
}

void hide_secrets(struct arena *a, struct json *o, const char *instead)
{
	VEC(struct json *) todo = {0};
	struct json *v;

	*VEC_PUSH(a, &todo) = o;
	while (todo.n > 0) {
		v = todo.v[--todo.n];
		for (struct json *m = v->child; m != NULL; m = m->next) {
			if (m->key != NULL && secret_key_name(m->key)) {
				m->type = JSON_STRING;
				m->s = instead;
				m->child = m->last = NULL;
				m->n = 0;
			} else if (m->child != NULL) {
				*VEC_PUSH(a, &todo) = m;
			}
		}
	}
}

/* 14.2 "added by the server": the superset that a reader gets back. */
static void add_server_keys(struct call *c, struct json *out, const struct job *j)
{
	static const struct {
		const char *key, *value;
	} added[] = {
		{"srcHostPorts", ""},
		{"SourceEngineVersion", "8.0.28"},
		{"srcNetType", "VPC"},
		{"destNetType", "VPC"},
		{"srcVpcNetMappingInst", "192.0.2.1:3306"},
		{"destVpcNetMappingInst", "192.0.2.2:3306"},
		{"useJobTask", "1"},
	};

	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		if (json_get(out, added[i].key) == NULL)
			json_add(out, added[i].key, json_new_str(c->a, added[i].value));
	if (text_ieq(j->src.engine, "ORACLE") && json_get(out, "srcOracleType") == NULL)
		json_add(out, "srcOracleType", json_new_str(c->a, "sid"));
}

const char *reserved_from(struct call *c, const char *former, const struct json *sent,
                          const struct job *j)
{
	struct json *out = json_new(c->a, JSON_OBJECT), *old = parse_object(c, former);
	const struct json *m;

	if (sent != NULL)
		for (m = sent->child; m != NULL; m = m->next)
			json_add(out, m->key, json_clone(c->a, m));
	hide_secrets(c->a, out, "******");
	if (old != NULL) /* UPDATE_RESERVED adds and overwrites, it never removes */
		for (m = old->child; m != NULL; m = m->next)
			if (json_get(out, m->key) == NULL)
				json_add(out, m->key, json_clone(c->a, m));
	add_server_keys(c, out, j);
	return json_write_dup(c->a, out, false);
}
