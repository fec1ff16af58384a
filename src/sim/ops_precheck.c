/* Precheck items: state, skip, shield (dts-api.md 4, 19). */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/items.h"
#include "sim/ops.h"

static const struct json *failed_row(const struct json *list, const char *item)
{
	for (const struct json *f = list != NULL ? list->child : NULL; f != NULL; f = f->next)
		if (text_eq(json_str(f, "item"), item))
			return f;
	return NULL;
}

static struct json *progress_row(struct call *c, const struct job *j, const struct item *it,
                                 const struct json *failed, int order)
{
	struct json *o = json_new(c->a, JSON_OBJECT);
	const char *state = precheck_state(j), *shown = "Success";
	const struct json *f = NULL;

	if (text_eq(state, "NotStarted"))
		shown = "NotStarted";
	else if (text_eq(state, "Checking"))
		shown = "Checking";
	else
		f = failed_row(failed, it->name);
	if (f != NULL)
		shown = json_true(json_get(f, "warning")) ? "Warning" : "Failed";
	put(c, o, "Item", it->name);
	put(c, o, "Names", arena_printf(c->a, "%s_DETAIL", it->name));
	put(c, o, "State", shown);
	put(c, o, "ErrMsg", f != NULL ? arena_printf(c->a, "CHECK__ERROR_%s", it->name + 6) : "");
	put(c, o, "ErrDetail", f != NULL ? json_str(f, "message") : "");
	put(c, o, "RepairMethod", f != NULL ? json_str(f, "repair") : "");
	put_bool(c, o, "CanSkip", it->can_skip);
	put_bool(c, o, "Skip", item_in(j->skipped, it->name));
	put(c, o, "IgnoreFlag", item_in(j->skipped, it->name) ? "Y" : "N");
	put_int(c, o, "OrderNum", order);
	put(c, o, "JobId", j->id);
	json_add(o, "Logs", json_new(c->a, JSON_ARRAY));
	return o;
}

static void progress(struct call *c, const char *state, struct json *list, int64_t total,
                     int64_t page, int64_t errors)
{
	put(c, c->out, "State", state);
	put_int(c, c->out, "Total", total);
	put_int(c, c->out, "TotalRecordCount", total);
	put_int(c, c->out, "PageNumber", page);
	put_int(c, c->out, "PageRecordCount", (int64_t)list->n);
	put_int(c, c->out, "ErrorItem", errors);
	put_int(c, c->out, "ErrorAnalysisItem", 0);
	json_add(c->out, "JobProgress", list);
	json_add(c->out, "AnalysisJobProgress", json_new(c->a, JSON_ARRAY));
}

static void precheck_rows(struct call *c, const struct job *j)
{
	const char *text = shown_items(j);
	struct json *failed = text != NULL ? json_parse(c->a, text, strlen(text), NULL) : NULL;
	struct json *list = json_new(c->a, JSON_ARRAY), *o;
	int64_t page = arg_int(c, "PageNo", 1), size = arg_int(c, "PageSize", 20), errors = 0;
	int64_t k = 0;

	for (size_t i = 0; i < ncheck_items; i++, k++) {
		o = progress_row(c, j, &check_items[i], failed, (int)i + 1);
		errors += text_eq(json_str(o, "State"), "Failed");
		if (k >= (page - 1) * size && k < page * size)
			json_add(list, NULL, o);
	}
	progress(c, precheck_state(j), list, (int64_t)ncheck_items, page, errors);
}

int op_precheck_status(struct call *c)
{
	int64_t n;
	struct job *j;

	if (arg(c, "PageNo") != NULL && !text_int(arg(c, "PageNo"), 1, 100000, &n))
		return call_bad(c, "PageNo");
	if (arg(c, "PageSize") != NULL && !text_int(arg(c, "PageSize"), 1, 1000, &n))
		return call_bad(c, "PageSize");
	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	put(c, c->out, "JobId", j->id);
	put_text(c, c->out, "JobName", j->name);
	put(c, c->out, "Code", arg(c, "JobCode"));
	if (strcmp(arg(c, "JobCode"), "01") == 0) {
		precheck_rows(c, j);
	} else {
		progress(c, job_running(j) ? "Finished" : "NotStarted", json_new(c->a, JSON_ARRAY),
		         0, arg_int(c, "PageNo", 1), 0);
	}
	json_add(c->out, "SubDistributedJobStatus", json_new(c->a, JSON_ARRAY));
	read_ends(c, j);
	return 0;
}

/* Adds (or removes) one item to what later prechecks leave out. Only some items can be skipped. */
static int mark(struct call *c, struct job *j, const char *item, bool skip, const char *param)
{
	const struct item *it = item_find(item);
	char *rest = arena_strdup(c->a, ""), *one;

	if (it == NULL || !it->can_skip)
		return call_bad(c, param);
	for (size_t i = 0;
	     j->skipped != NULL && (one = text_field(c->a, j->skipped, ',', i)) != NULL; i++)
		if (strcmp(one, item) != 0)
			rest = arena_printf(c->a, "%s%s%s", rest, rest[0] != '\0' ? "," : "", one);
	if (skip)
		rest = arena_printf(c->a, "%s%s%s", rest, rest[0] != '\0' ? "," : "", item);
	str_set(&j->skipped, rest);
	return 0;
}

/* JSON array text, or one bare item (samples show both). */
static int mark_all(struct call *c, struct job *j, const char *text, bool skip, const char *param)
{
	struct json *list = text[0] == '[' ? json_parse(c->a, text, strlen(text), NULL) : NULL;

	if (text[0] != '[')
		return mark(c, j, text, skip, param);
	if (list == NULL)
		return call_bad(c, param);
	for (const struct json *v = list->child; v != NULL; v = v->next)
		if (v->type != JSON_STRING || mark(c, j, v->s, skip, param) != 0)
			return c->failed ? -1 : call_bad(c, param);
	return 0;
}

/* SkipPreCheckNames: the items with the suffix _DETAIL. */
static int mark_names(struct call *c, struct job *j, const char *text, bool skip)
{
	struct json *list = text[0] == '[' ? json_parse(c->a, text, strlen(text), NULL) : NULL;
	const char *s;

	if (text[0] == '[' && list == NULL)
		return call_bad(c, "SkipPreCheckNames");
	for (const struct json *v = list != NULL ? list->child : NULL; text != NULL; v = v->next) {
		s = list != NULL ? (v != NULL ? v->s : NULL) : text;
		if (s == NULL || !text_ends(s, "_DETAIL"))
			return call_bad(c, "SkipPreCheckNames");
		if (mark(c, j, arena_strndup(c->a, s, strlen(s) - strlen("_DETAIL")), skip,
		         "SkipPreCheckNames") != 0)
			return -1;
		if (v == NULL || v->next == NULL)
			break;
	}
	return 0;
}

int op_skip(struct call *c)
{
	const char *list = arg(c, "SkipPreCheckItems"), *names = arg(c, "SkipPreCheckNames");
	struct job *j;

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	if (list == NULL && names == NULL)
		return call_missing(c, "SkipPreCheckItems");
	if (list != NULL && mark_all(c, j, list, arg_true(c, "Skip"), "SkipPreCheckItems") != 0)
		return -1;
	if (names != NULL && mark_names(c, j, names, arg_true(c, "Skip")) != 0)
		return -1;
	put(c, c->out, "MigrationJobId", j->id);
	put(c, c->out, "ScheduleJobId", j->id);
	put_text(c, c->out, "SkipItems", list);
	put_text(c, c->out, "SkipNames", names);
	c->w->changes++;
	c->effect = true;
	return 0;
}

int op_shield(struct call *c)
{
	struct instance *i;
	struct job *j;
	char *one;

	if (find_instance(c, arg(c, "DtsInstanceId"), &i) != 0)
		return -1;
	j = instance_job(c->w, i, false);
	if (j == NULL)
		return call_gone(c);
	for (size_t k = 0; (one = text_field(c->a, arg(c, "PrecheckItems"), ',', k)) != NULL; k++)
		if (mark_all(c, j, one, true, "PrecheckItems") != 0)
			return -1;
	c->w->changes++;
	c->effect = true;
	return 0;
}
