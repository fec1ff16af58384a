/* Runtime parameters as DescribeDtsJobConfig shows them (dts-api.md 4, 17). */
#include "sim/ops.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/world.h"

struct param_row {
	const char *name, *modules, *value;
	int type; /* ValueType: 0 text, 1 number, 2 boolean (ours) */
	bool restart;
	const char *about;
	const char *values; /* of a text: "a|b" */
	int64_t max;        /* of a number; 0: not published */
};

static const struct param_row rows[] = {
	{"source.column.encoding", "03,04,07", "default", 0, true, "character set of the source",
         "default|GB 2312|GBK|GB 18030|UTF-8|UTF-16|UTF-32", 0},
	{"sink.worker.type", "03", "stream", 0, true, "how rows are written", "stream|batch", 0},
	{"sink.bulk.copy.enable", "03", "true", 2, true, "bulk copy", NULL, 0},
	{"sink.batch.size.minimum", "03", "0", 1, false, "rows per batch, at least", NULL, 1024},
	{"sink.batch.size.maximum", "03,04,07", "32", 1, false,
         "rows per batch or merged transactions", NULL, 1024},
	{"source.connection.idle.second", "03,04,07", "60", 1, false,
         "retry time for lost connections", NULL, 86400},
	{"sink.connection.idle.second", "03,04,07", "60", 1, false,
         "retry time for lost connections", NULL, 86400},
	{"trans.hot.merge.enable", "04,07", "false", 2, true, "hot-row merge", NULL, 0},
	{"sink.batch.enable", "04,07", "true", 2, true, "batches of writes", NULL, 0},
	{"source.filter.ddl.enable", "04,07", "false", 2, true, "leave DDL out", NULL, 0},
	{"sink.task.number", "03,04,07,60", "8", 1, false, "writers at once", NULL, 0},
};

static bool in_module(const struct param_row *r, const char *module)
{
	char *const p = strstr(r->modules, module);

	return strlen(module) == 2 && p != NULL;
}

static bool value_valid(const struct param_row *r, const char *value)
{
	int64_t i;

	if (r->type == 1)
		return text_int(value, 0, r->max != 0 ? r->max : INT64_MAX / 2, &i);
	if (r->type == 2)
		return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
	return text_has_field(r->values, '|', value, false);
}

bool param_valid(const char *module, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0 && in_module(&rows[i], module))
			return value_valid(&rows[i], value);
	return false;
}

static const char *changed_value(const struct json *list, const char *module, const char *name)
{
	for (const struct json *p = list != NULL ? list->child : NULL; p != NULL; p = p->next)
		if (text_eq(json_str(p, "module"), module) && text_eq(json_str(p, "name"), name))
			return json_str(p, "value");
	return NULL;
}

static void add_row(struct call *c, struct json *out, const struct param_row *r, const char *module,
                    const char *value)
{
	struct json *o = json_new(c->a, JSON_OBJECT);

	put(c, o, "Module", module);
	put(c, o, "Name", r->name);
	put(c, o, "RunningValue", value != NULL ? value : r->value);
	put(c, o, "DefaultValue", r->value);
	put(c, o, "RecommendValue", r->value);
	put(c, o, "Modifiable", "Yes");
	put(c, o, "ForceRestart", r->restart ? "Yes" : "No");
	put_int(c, o, "ValueType", r->type);
	put(c, o, "CheckingCode", "");
	put(c, o, "Description", r->about);
	json_add(out, NULL, o);
}

int op_job_config(struct call *c)
{
	static const char *const sync_modules[] = {"03", "07"}, *const other[] = {"03", "04"};
	const char *want = arg(c, "Module"), *const * modules;
	struct json *out = json_new(c->a, JSON_ARRAY), *list;
	struct job *j;

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	modules = text_eq(j->type, "SYNC") ? sync_modules : other;
	list = j->params != NULL ? json_parse(c->a, j->params, strlen(j->params), NULL) : NULL;
	for (size_t m = 0; m < 2; m++) {
		if (want != NULL && strcmp(want, modules[m]) != 0)
			continue;
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (in_module(&rows[i], modules[m]))
				add_row(c, out, &rows[i], modules[m],
				        changed_value(list, modules[m], rows[i].name));
	}
	json_add(c->out, "Parameters", out);
	return 0;
}
