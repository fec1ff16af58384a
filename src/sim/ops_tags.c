/* Tags of instances and alarm rules of jobs (dts-api.md 4). */
#include "sim/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"

#define RESOURCES_MAX 50
#define TAGS_MAX 20
#define PAGE 50 /* of ListTagResources; the real size is not published */

/* X.1, X.2 ... (or X.1.Key): NULL past the end. An empty value is a value here. */
static const char *list_arg(struct call *c, const char *name, int n, const char *sub)
{
	return params_get(&c->p, arena_printf(c->a, "%s.%d%s%s", name, n, sub != NULL ? "." : "",
	                                      str_or(sub)));
}

static int list_count(struct call *c, const char *name, const char *sub)
{
	int n = 0;

	while (list_arg(c, name, n + 1, sub) != NULL)
		n++;
	return n;
}

static int find_resources(struct call *c, struct instance **v, int *n)
{
	*n = list_count(c, "ResourceId", NULL);
	if (*n > RESOURCES_MAX)
		return call_bad(c, "ResourceId");
	for (int i = 0; i < *n; i++)
		if (find_instance(c, list_arg(c, "ResourceId", i + 1, NULL), &v[i]) != 0)
			return -1;
	return 0;
}

static void touch(struct call *c, struct instance *i)
{
	struct job *j = instance_job(c->w, i, false);

	if (j != NULL)
		job_touch(c->w, j);
	c->w->changes++;
}

int op_tag(struct call *c)
{
	int n, ntags = list_count(c, "Tag", "Key");
	struct instance *v[RESOURCES_MAX] = {NULL};
	struct json *out[RESOURCES_MAX], *old;
	const char *key;

	if (ntags == 0)
		return call_missing(c, "Tag.1.Key");
	if (ntags > TAGS_MAX)
		return call_bad(c, "Tag");
	for (int t = 1; t <= ntags; t++) {
		key = list_arg(c, "Tag", t, "Key");
		if (key[0] == '\0' || strlen(key) > 128 || text_starts(key, "acs:") ||
		    text_starts(key, "aliyun"))
			return call_bad(c, "Tag");
		if (list_arg(c, "Tag", t, "Value") == NULL)
			return call_missing(c, arena_printf(c->a, "Tag.%d.Value", t));
	}
	if (find_resources(c, v, &n) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		out[i] = json_new(c->a, JSON_OBJECT);
		for (int t = 1; t <= ntags; t++)
			if (json_get(out[i], list_arg(c, "Tag", t, "Key")) == NULL)
				json_add(out[i], list_arg(c, "Tag", t, "Key"),
				         json_new_str(c->a, list_arg(c, "Tag", t, "Value")));
		old = parse_object(c, v[i]->tags);
		for (const struct json *m = old != NULL ? old->child : NULL; m != NULL; m = m->next)
			if (json_get(out[i], m->key) == NULL)
				json_add(out[i], m->key, json_clone(c->a, m));
		if (out[i]->n > TAGS_MAX)
			return call_bad(c, "Tag");
	}
	for (int i = 0; i < n; i++) {
		touch(c, v[i]);
		str_set(&v[i]->tags, json_write_dup(c->a, out[i], false));
	}
	c->effect = n > 0;
	return 0;
}

static bool key_listed(struct call *c, const char *key, int nkeys)
{
	for (int t = 1; t <= nkeys; t++)
		if (text_eq(list_arg(c, "TagKey", t, NULL), key))
			return true;
	return false;
}

int op_untag(struct call *c)
{
	int n, nkeys = list_count(c, "TagKey", NULL);
	struct instance *v[RESOURCES_MAX] = {NULL};
	struct json *out, *old;

	if (nkeys > TAGS_MAX)
		return call_bad(c, "TagKey");
	if (nkeys == 0 && !arg_true(c, "All"))
		return call_missing(c, "TagKey");
	if (find_resources(c, v, &n) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		out = json_new(c->a, JSON_OBJECT);
		old = parse_object(c, v[i]->tags);
		for (const struct json *m = old != NULL ? old->child : NULL; m != NULL; m = m->next)
			if (nkeys > 0 && !key_listed(c, m->key, nkeys))
				json_add(out, m->key, json_clone(c->a, m));
		touch(c, v[i]);
		str_set(&v[i]->tags, out->n > 0 ? json_write_dup(c->a, out, false) : NULL);
	}
	c->effect = n > 0;
	return 0;
}

static bool tag_wanted(struct call *c, const struct json *m, int ntags)
{
	const char *value;

	for (int t = 1; t <= ntags; t++) {
		value = list_arg(c, "Tag", t, "Value");
		if (text_eq(list_arg(c, "Tag", t, "Key"), m->key) &&
		    (text_empty(value) || text_eq(value, m->s)))
			return true;
	}
	return ntags == 0;
}

static void tag_rows(struct call *c, struct json *list, const struct instance *i, int ntags,
                     int64_t *skip)
{
	struct json *tags = parse_object(c, i->tags), *o;

	for (const struct json *m = tags != NULL ? tags->child : NULL; m != NULL; m = m->next) {
		if (!tag_wanted(c, m, ntags) || (*skip)-- > 0 || list->n > PAGE)
			continue;
		o = json_new(c->a, JSON_OBJECT);
		put(c, o, "ResourceId", i->id);
		put(c, o, "ResourceType", "ALIYUN::DTS::INSTANCE");
		put(c, o, "TagKey", m->key);
		put(c, o, "TagValue", m->s);
		json_add(list, NULL, o);
	}
}

/* A page of PAGE rows; NextToken is the number of rows before the next one. */
int op_list_tags(struct call *c)
{
	int n, ntags = list_count(c, "Tag", "Key");
	struct json *list = json_new(c->a, JSON_ARRAY), *page = json_new(c->a, JSON_ARRAY);
	struct json *out = json_new(c->a, JSON_OBJECT), *row;
	struct instance *v[RESOURCES_MAX] = {NULL};
	int64_t from = 0, skip;

	if (arg(c, "NextToken") != NULL && !text_int(arg(c, "NextToken"), 0, INT64_MAX / 2, &from))
		return call_bad(c, "NextToken");
	if (ntags > TAGS_MAX)
		return call_bad(c, "Tag");
	if (find_resources(c, v, &n) != 0)
		return -1;
	if (n == 0 && ntags == 0)
		return call_missing(c, "ResourceId");
	skip = from;
	for (int i = 0; i < n && v[i] != NULL; i++)
		tag_rows(c, list, v[i], ntags, &skip);
	for (size_t i = 0; n == 0 && i < c->w->inst.n; i++) {
		instance_settle(c->w, c->w->inst.v[i]);
		if (c->w->inst.v[i]->gone_ms == 0 && text_eq(c->w->inst.v[i]->region, c->region))
			tag_rows(c, list, c->w->inst.v[i], ntags, &skip);
	}
	for (const struct json *r = list->child; r != NULL && page->n < PAGE; r = r->next) {
		row = json_clone(c->a, r);
		row->key = NULL;
		json_add(page, NULL, row);
	}
	json_add(out, "TagResource", page);
	json_add(c->out, "TagResources", out);
	if (list->n > PAGE)
		put(c, c->out, "NextToken", arena_printf(c->a, "%lld", (long long)(from + PAGE)));
	return 0;
}

static const char *const rule_names[RULE__COUNT] = {"delay", "error", "full_timeout"};

int op_create_rule(struct call *c)
{
	const char *phone = arg(c, "Phone");
	struct rule *r;
	struct job *j;
	char *one;

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	r = &j->rule[RULE_DELAY];
	for (int i = 0; i < RULE__COUNT; i++)
		if (text_eq(arg(c, "Type"), rule_names[i]))
			r = &j->rule[i];
	if (text_eq(arg(c, "Type"), "delay") && text_eq(arg(c, "State"), "Y") &&
	    arg(c, "DelayRuleTime") == NULL)
		return call_missing(c, "DelayRuleTime");
	if (arg(c, "DelayRuleTime") != NULL && arg_int(c, "DelayRuleTime", 0) < 1)
		return call_bad(c, "DelayRuleTime");
	for (size_t i = 0; phone != NULL && (one = text_field(c->a, phone, ',', i)) != NULL; i++)
		if (i >= 10 || strlen(one) != 11 || strspn(one, "0123456789") != 11)
			return call_bad(c, "Phone");
	job_touch(c->w, j);
	str_set(&r->state, arg(c, "State"));
	if (phone != NULL || params_get(&c->p, "Phone") != NULL)
		str_set(&r->phone, phone);
	r->delay_s = arg_int(c, "DelayRuleTime", r->delay_s);
	r->notice = arg_int(c, "NoticeValue", r->notice);
	r->period = arg_int(c, "Period", r->period);
	r->times = arg_int(c, "Times", r->times);
	put(c, c->out, "DtsJobId", j->id);
	c->effect = true;
	return 0;
}

int op_describe_rule(struct call *c)
{
	struct json *list = json_new(c->a, JSON_ARRAY), *o;
	struct job *j;

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	for (int i = 0; i < RULE__COUNT; i++) {
		if (j->rule[i].state == NULL)
			continue;
		o = json_new(c->a, JSON_OBJECT);
		put(c, o, "Type", rule_names[i]);
		put(c, o, "State", j->rule[i].state);
		put_text(c, o, "Phone", j->rule[i].phone);
		if (j->rule[i].delay_s != 0)
			put_int(c, o, "DelayRuleTime", j->rule[i].delay_s);
		put_int(c, o, "NoticeValue", j->rule[i].notice);
		put_int(c, o, "Period", j->rule[i].period);
		put_int(c, o, "Times", j->rule[i].times);
		put(c, o, "JobId", j->id);
		put(c, o, "JobType", "normal");
		json_add(list, NULL, o);
	}
	put(c, c->out, "DtsJobId", j->id);
	json_add(c->out, "MonitorRules", list);
	json_add(c->out, "Topics", json_new(c->a, JSON_ARRAY));
	return 0;
}
