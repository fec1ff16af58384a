/*
 * Between the words of a manifest and those of the service: what is sent for
 * a value, what an answer means, and what of a JSON value may be written down.
 */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "model/compare.h"
#include "model/schema.h"

/* PREPAY and POSTPAY are the spelling of the billing calls (dts-api.md 1.4). */
static const char *const pay_words[][2] = {
	{"PostPaid", "PayAsYouGo"},
	{"PrePaid", "Subscription"},
	{"POSTPAY", "PayAsYouGo"},
	{"PREPAY", "Subscription"},
};

/* dts-api.md 11; both spellings of ATLAS, and one answer cuts the E of CERTIFICATE. */
static const char *const ssl_words[][2] = {
	{"DISABLE", "0"},
	{"ENABLE_WITH_CERTIFICATE", "1"},
	{"ENABLE_WITH_CERTIFICAT", "1"},
	{"ENABLE_ONLY_4_MONGODB_ALTAS", "1"},
	{"ENABLE_ONLY_4_MONGODB_ATLAS", "1"},
	{"ENABLE_ONLY_4_KAFKA_SCRAM_SHA_256", "3"},
};

const char *attr_wire(struct arena *a, const struct attr_def *at, const char *value)
{
	(void)a;
	if (value && at->route == ROUTE_PAYTYPE)
		for (size_t i = 0; i < 2; i++)
			if (text_ieq(value, pay_words[i][1]))
				return pay_words[i][0];
	return value;
}

/* ---- reading ---- */

static const char *translate(const char *word, const char *const (*words)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_ieq(word, words[i][0]))
			return words[i][1];
	return word;
}

static const char *read_scalar(struct arena *a, const struct attr_def *at, const struct json *row)
{
	const char *s = json_text(a, row, at->read);

	if (text_empty(s))
		return NULL;
	if (at->route == ROUTE_PAYTYPE)
		return translate(s, pay_words, sizeof pay_words / sizeof pay_words[0]);
	if (at->route == ROUTE_RESERVED && at->kind == AK_ENUM)
		return translate(s, ssl_words, sizeof ssl_words / sizeof ssl_words[0]);
	if (at->kind == AK_BOOL)
		return text_ieq(s, "true") ? "true" : text_ieq(s, "false") ? "false" : s;
	return s;
}

/* DbObject, Reserved: JSON in a string, or (undocumented, but harmless) the JSON itself. */
static const char *read_json(struct arena *a, const struct attr_def *at, const struct json *row)
{
	const struct json *v = json_path(row, at->read);

	if (v && v->type == JSON_STRING)
		v = json_parse(a, v->s, strlen(v->s), NULL);
	return v && v->type == JSON_OBJECT ? json_write_dup(a, v, false) : NULL;
}

/* `read` is TYPE.FIELD. No rule of that type is the same as one that is switched off. */
static const char *read_rule(struct arena *a, const struct attr_def *at, const struct json *answer)
{
	const struct json *rules = json_get(answer, "MonitorRules");
	const char *field = strchr(at->read, '.') + 1;
	const char *type = arena_strndup(a, at->read, (size_t)(field - 1 - at->read));
	const char *s = NULL;

	if (!rules)
		return NULL;
	for (const struct json *r = rules->child; r; r = r->next)
		if (text_ieq(json_str(r, "Type"), type)) {
			s = json_text(a, r, field);
			break;
		}
	if (at->kind == AK_BOOL)
		return text_ieq(s, "Y") || text_ieq(s, "true") ? "true" : "false";
	return text_empty(s) ? NULL : s;
}

static const char *read_parameters(struct arena *a, const struct json *answer)
{
	const struct json *list = json_get(answer, "Parameters");
	struct json *out;

	if (!list || list->type != JSON_ARRAY)
		return NULL;
	out = json_new(a, JSON_ARRAY);
	for (const struct json *p = list->child; p; p = p->next) {
		const char *module = json_text(a, p, "Module"), *name = json_text(a, p, "Name");
		const char *value = json_text(a, p, "RunningValue");
		struct json *o;

		if (!module || !name || !value)
			continue;
		o = json_new(a, JSON_OBJECT);
		json_add(o, "module", json_new_str(a, module));
		json_add(o, "name", json_new_str(a, name));
		json_add(o, "value", json_new_str(a, value));
		json_add(out, NULL, o);
	}
	return json_write_dup(a, out, false);
}

static const char *read_tags(struct arena *a, const struct attr_def *at, const struct json *row)
{
	const struct json *list = json_path(row, at->read);
	struct json *out;

	if (!list || list->type != JSON_ARRAY)
		return NULL;
	out = json_new(a, JSON_OBJECT);
	for (const struct json *t = list->child; t; t = t->next) {
		const char *key = json_str(t, "TagKey"), *value = json_text(a, t, "TagValue");

		if (key && !json_get(out, key))
			json_add(out, key, json_new_str(a, value ? value : ""));
	}
	return json_write_dup(a, out, true);
}

const char *attr_read(struct arena *a, const struct attr_def *at, const struct json *row)
{
	if (!row || at->from == READ_NEVER)
		return NULL;
	if (at->from == READ_MONITOR)
		return read_rule(a, at, row);
	if (at->from == READ_CONFIG)
		return read_parameters(a, row);
	if (at->kind == AK_TAGS)
		return read_tags(a, at, row);
	if (at->kind == AK_OBJECT || at->kind == AK_LIST)
		return read_json(a, at, row);
	return read_scalar(a, at, row);
}

/* ---- secrets inside JSON ---- */

bool attr_secret_member(const char *key)
{
	static const char *const parts[] = {"password",   "passwd",      "pwd",        "secret",
	                                    "privatekey", "private_key", "clientkey",  "cert",
	                                    "token",      "accesskey",   "credential", "keystore",
	                                    "sslkey"};
	char low[128];
	size_t n = 0;

	for (; *key && n < sizeof low - 1; key++)
		low[n++] = *key >= 'A' && *key <= 'Z' ? (char)(*key - 'A' + 'a') : *key;
	low[n] = '\0';
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strstr(low, parts[i]))
			return true;
	return false;
}

struct visit {
	struct json *v;
	bool secret;
};

/* Depth first with a stack of our own; whatever stands beneath a secret member is secret. */
static bool redact_tree(struct arena *a, struct json *root,
                        const char *(*mark)(void *, struct arena *, const char *), void *ctx)
{
	VEC(struct visit) todo = {0};
	bool any = false;

	*VEC_PUSH(a, &todo) = (struct visit){root, false};
	while (todo.n) {
		struct visit x = todo.v[--todo.n];

		if (x.secret &&
		    ((x.v->type == JSON_STRING && *x.v->s) || x.v->type == JSON_NUMBER)) {
			x.v->s = mark(ctx, a, json_scalar(a, x.v));
			x.v->type = JSON_STRING;
			any = true;
		}
		for (struct json *c = x.v->child; c; c = c->next)
			*VEC_PUSH(a, &todo) = (struct visit){
				c, x.secret || (c->key && attr_secret_member(c->key))};
	}
	return any;
}

const char *attr_redact(struct arena *a, const struct attr_def *at, const char *value,
                        const char *(*mark)(void *ctx, struct arena *a, const char *text),
                        void *ctx)
{
	struct json *v;

	if (!value)
		return NULL;
	if (at->flags & A_SECRET)
		return mark(ctx, a, value);
	/* Names in an object list are names of tables and columns, also when one is called
	 * `password`. */
	if ((at->kind != AK_OBJECT && at->kind != AK_LIST) || at->route == ROUTE_OBJECTS)
		return value;
	v = json_parse(a, value, strlen(value), NULL);
	if (!v || !redact_tree(a, v, mark, ctx))
		return value;
	return json_write_dup(a, v, false);
}
