/* The row engine's own rows: looking attributes up, telling families apart, checking and
 * documenting the tables. */
#include "model/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

int attr_find(const struct type_def *t, const char *key)
{
	size_t lo = 0, hi = t->nattrs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(t->attrs[mid].key, key);

		if (c == 0)
			return (int)mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}

size_t attr_of(const struct type_def *t, const char *key)
{
	int i = attr_find(t, key);

	if (i < 0)
		BUG("%s has no attribute %s", t->name, key);
	return (size_t)i;
}

/* ---- families and ranks ---- */

int class_rank(const char *cls)
{
	static const char *const ladder[] = {"micro",   "small",   "medium",  "large",  "xlarge",
	                                     "2xlarge", "4xlarge", "6xlarge", "8xlarge"};

	if (!cls)
		return -1;
	for (size_t i = 0; i < sizeof ladder / sizeof ladder[0]; i++)
		if (text_ieq(cls, ladder[i]))
			return (int)i;
	return text_ieq(cls, "xxlarge") ? 5 : -1; /* old name of 2xlarge (dts-api.md 18) */
}

static bool one_of(const char *word, const char *const *list)
{
	for (; word && *list; list++)
		if (text_ieq(word, *list))
			return true;
	return false;
}

bool instance_type_is_cloud(const char *type)
{
	static const char *const list[] = {"RDS",
	                                   "PolarDB",
	                                   "REDIS",
	                                   "MONGODB",
	                                   "DISTRIBUTED_POLARDBX10",
	                                   "POLARDBX20",
	                                   "ADS",
	                                   "GREENPLUM",
	                                   "DATAHUB",
	                                   "Tablestore",
	                                   "ODPS",
	                                   "ELK",
	                                   "DISTRIBUTED_DMSLOGICDB",
	                                   "KAFKA",
	                                   NULL};

	return one_of(type, list);
}

bool instance_type_is_selfmanaged(const char *type)
{
	static const char *const list[] = {"OTHER", "ECS", "EXPRESS", "DG", "CEN", NULL};

	return one_of(type, list);
}

/*
 * Spellings of one engine (dts-api.md 18): purchase, configuration, describe calls and what users
 * copy. Engines whose spellings differ in case only need no row. MariaDB has no name of its own in
 * the purchase.
 */
static const char *engine_family(const char *name)
{
	static const char *const alias[][2] = {
		{"DRDS", "POLARDBX20"}, {"POLARDBX10", "POLARDBX20"}, {"MARIADB", "MYSQL"},
		{"ADB20", "ADS"},       {"ELASTICSEARCH", "ELK"},     {"MAXCOMPUTE", "ODPS"},
		{"SQLSERVER", "MSSQL"}, {"ADBPG", "GREENPLUM"},       {"POSTGRES", "POSTGRESQL"},
	};

	/* The first letter decides nearly always; a batch asks this some twenty times a job. */
	for (size_t i = 0; i < sizeof alias / sizeof alias[0]; i++)
		if ((name[0] & ~0x20) == alias[i][0][0] && text_ieq(name, alias[i][0]))
			return alias[i][1];
	return name;
}

bool engine_same(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return text_ieq(a, b) || text_ieq(engine_family(a), engine_family(b));
}

bool engine_equal(const char *a, const char *b)
{
	static const char *const own[] = {"MARIADB", "POLARDBX10"};

	for (size_t i = 0; a && b && i < sizeof own / sizeof own[0]; i++)
		if (text_ieq(a, own[i]) != text_ieq(b, own[i]) && !text_ieq(a, "DRDS") &&
		    !text_ieq(b, "DRDS"))
			return false;
	return engine_same(a, b);
}

/* ---- the tables check themselves ---- */

static const char *kind_fits(const struct attr_def *at, const struct api_param *p)
{
	switch (at->kind) {
	case AK_BOOL:
		return p->type == 'B' ? NULL : "a boolean for a parameter that is none";
	case AK_INT: /* the service takes ports and checkpoints as strings */
		return p->type == 'I' || p->type == 'S'
		               ? NULL
		               : "a whole number for a parameter that takes none";
	case AK_TAGS:
		return p->type == 'L' ? NULL : "tags for a parameter that is no list";
	default:
		return p->type == 'S' ? NULL : "text for a parameter that is no string";
	}
}

static const char *row_fault(const struct attr_def *at)
{
	const struct api_param *p;

	if (text_empty(at->doc) || at->doc[strlen(at->doc) - 1] != '.')
		return "its doc string is empty or no sentence";
	if ((at->param == NULL) != (at->create == API_NONE))
		return "parameter and action must both be given or both be absent";
	if ((at->kind == AK_ENUM) != (at->values != NULL))
		return "values belong to enums, and enums need them";
	if ((at->from == READ_NEVER) != (at->read == NULL))
		return "a place to read from needs a path, and the other way round";
	if ((at->flags & A_SECRET) && (!(at->flags & A_NOREAD) || at->from != READ_NEVER))
		return "a secret cannot be read back";
	if ((at->flags & A_NOREAD) && at->from != READ_NEVER)
		return "it is marked as never returned but says where it is returned";
	if ((at->flags & A_SOURCE) && (at->flags & A_DEST))
		return "it belongs to both endpoints";
	if (at->min > at->max)
		return "its range is empty";
	if (at->route < 0 || at->route >= ROUTE__COUNT)
		return "its route does not exist";
	if (!at->param)
		return NULL;
	p = api_param(at->create, at->param);
	if (!p)
		return "its action has no such parameter";
	return kind_fits(at, p);
}

static const char *api_fault(enum api_action a, const char **param)
{
	const struct api_def *def = api_def(a);

	*param = "";
	if (text_empty(def->name) || !def->nparams || def->timeout_ms <= 0)
		return "the row is incomplete";
	if (def->repeat == REPEAT_NEVER && !def->fresh)
		return "a call that is never repeated needs a fresh connection";
	for (size_t i = 0; i < def->nparams; i++) {
		*param = def->params[i].name;
		if (i && strcmp(def->params[i - 1].name, def->params[i].name) >= 0)
			return "the parameter is out of order";
		if (!strchr("SBIDL", def->params[i].type))
			return "the parameter's type is unknown";
		if (def->params[i].required && !def->params[i].advised)
			return "the parameter is required but not advised";
	}
	return NULL;
}

const char *schema_check(void)
{
	static char msg[256];
	const char *fault, *param;

	for (int a = API_NONE + 1; a < API__COUNT; a++) {
		fault = api_fault((enum api_action)a, &param);
		if (fault) {
			(void)snprintf(msg, sizeof msg, "action %s %s: %s",
			               api_def((enum api_action)a)->name, param, fault);
			return msg;
		}
	}
	for (size_t t = 0; types[t]; t++) {
		const struct type_def *type = types[t];

		for (size_t i = 0; i < type->nattrs; i++) {
			const struct attr_def *at = &type->attrs[i];

			fault = row_fault(at);
			if (i && strcmp(type->attrs[i - 1].key, at->key) >= 0)
				fault = "it is out of order";
			if (type->nattrs > ATTR_MAX)
				fault = "the type has more than ATTR_MAX attributes";
			if (fault) {
				(void)snprintf(msg, sizeof msg, "%s.%s: %s", type->name, at->key,
				               fault);
				return msg;
			}
		}
	}
	return NULL;
}

/* ---- documentation ---- */

const char *route_text(enum route r)
{
	static const char *const text[ROUTE__COUNT] = {
		[ROUTE_REPLACE] = "only by replacement",
		[ROUTE_NONE] = "meant for the creation; a change sends nothing",
		[ROUTE_NAME] = "in place (ModifyDtsJobName)",
		[ROUTE_PASSWORD] =
			"in place (ModifyDtsJobPassword; a user name alone: ModifyDtsJobEndpoint)",
		[ROUTE_OBJECTS] = "in place (ModifyDtsJob)",
		[ROUTE_RESERVED] = "in place (ModifyDtsJob, UPDATE_RESERVED)",
		[ROUTE_PARAMS] = "in place (ModifyDtsJobConfig)",
		[ROUTE_CLASS] = "in place, upwards only (TransferInstanceClass)",
		[ROUTE_STATUS] = "in place (StartDtsJob, SuspendDtsJob)",
		[ROUTE_DELAY] = "in place (CreateJobMonitorRule)",
		[ROUTE_ERROR] = "in place (CreateJobMonitorRule)",
		[ROUTE_ENDPOINT] = "in place if endpoint_change = same-data (ModifyDtsJobEndpoint)",
		[ROUTE_PAYTYPE] = "in place (TransferPayType)",
		[ROUTE_TWOWAY] = "in place, oneway to bidirectional only (UpgradeTwoWay)",
		[ROUTE_CLUSTER] = "in place (ModifyDtsJobDedicatedCluster)",
		[ROUTE_GROUP] = "in place (ConvertInstanceResourceGroup)",
		[ROUTE_TAGS] = "in place (TagResources, UntagResources)",
	};

	if ((unsigned)r >= ROUTE__COUNT)
		BUG("route_text(%d)", (int)r);
	return text[r];
}

static char *enum_text(struct arena *a, const char *values)
{
	struct buf b;
	char *s;

	buf_init(&b, 4096);
	for (const char *p = values; *p; p++) {
		if (*p == '|')
			buf_puts(&b, ", ");
		else
			buf_putc(&b, *p);
	}
	s = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return s;
}

char *attr_kind_text(struct arena *a, const struct attr_def *at)
{
	switch (at->kind) {
	case AK_STR:
		return arena_strdup(a, at->flags & A_SECRET ? "secret text" : "text");
	case AK_BOOL:
		return arena_strdup(a, "true or false");
	case AK_INT:
		if (!at->min && !at->max)
			return arena_strdup(a, "whole number");
		if (at->min == at->max)
			return arena_printf(a, "the number %" PRId64, at->min);
		return arena_printf(a, "whole number, %" PRId64 " to %" PRId64, at->min, at->max);
	case AK_ENUM:
		return enum_text(a, at->values);
	case AK_OBJECT:
		return arena_strdup(a, "JSON object");
	case AK_LIST:
		return arena_strdup(a, "JSON array");
	case AK_PHONES:
		return arena_strdup(a, "comma-separated phone numbers");
	case AK_TAGS:
		return arena_strdup(a, "comma-separated key=value pairs");
	}
	BUG("kind %d", (int)at->kind);
}

/* A '|' would end the cell. */
static void cell(struct buf *b, const char *s)
{
	for (; s && *s; s++) {
		if (*s == '|')
			buf_putc(b, '\\');
		buf_putc(b, *s);
	}
	buf_puts(b, " | ");
}

char *schema_markdown(struct arena *a, const struct type_def *t)
{
	struct buf b;
	char *s;

	buf_init(&b, 1u << 20);
	buf_puts(&b, "| Key | Value | Default | Change | Meaning |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < t->nattrs; i++) {
		const struct attr_def *at = &t->attrs[i];

		buf_printf(&b, "| `%s`%s | ", at->key, at->flags & A_REQUIRED ? " (required)" : "");
		cell(&b, attr_kind_text(a, at));
		cell(&b, at->def ? at->def : "");
		cell(&b, route_text(at->route));
		buf_puts(&b, at->doc);
		if (at->when)
			buf_printf(&b, " (%s)", at->when);
		buf_puts(&b, " |\n");
	}
	s = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return s;
}
