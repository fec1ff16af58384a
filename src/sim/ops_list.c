/* DescribeDtsJobs and its traps (dts-api.md 4, 21), CountJobByCondition. */
#include "sim/ops.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"

struct filter {
	const char *region, *job_type, *job, *instance, *status, *group, *label, *cluster,
		*db_instance;
	const char *src_product, *dst_product, *type, *params;
	const struct json *tags;
	bool none; /* a filter that nothing can pass */
};

struct hit {
	const struct job *job;
	struct job *live;
	const struct instance *inst;
};

static bool contains_icase(const char *s, const char *part)
{
	size_t n = strlen(part);

	for (; *s != '\0'; s++)
		if (strncasecmp(s, part, n) == 0)
			return true;
	return n == 0;
}

static bool tags_match(struct call *c, const struct filter *f, const struct instance *i)
{
	struct json *have = i != NULL ? parse_object(c, i->tags) : NULL;
	const char *key, *value;

	for (const struct json *t = f->tags->child; t != NULL; t = t->next) {
		key = json_str(t, "key");
		value = json_str(t, "value");
		if (key == NULL || json_get(have, key) == NULL)
			return false;
		if (value != NULL && !text_eq(json_get(have, key)->s, value))
			return false;
	}
	return true;
}

/* The job of the other direction as lists show it; NULL: none. */
static const struct job *reverse_of(struct call *c, const struct instance *i)
{
	struct job *r = i != NULL ? world_job(c->w, i->reverse) : NULL;

	return r != NULL ? job_as_listed(c->w, r) : NULL;
}

static bool search_matches(struct call *c, const struct filter *f, const struct hit *h)
{
	const struct job *r;

	if (f->type == NULL)
		return true;
	if (strcmp(f->type, "instance") == 0)
		return text_eq(h->job->instance, f->params);
	if (strcmp(f->type, "srcRds") == 0)
		return text_eq(h->job->src.instance, f->params);
	if (strcmp(f->type, "rds") == 0)
		return text_eq(h->job->dst.instance, f->params);
	/* name: fuzzy (2, 21) */
	if (contains_icase(str_or(h->job->name), f->params))
		return true;
	r = reverse_of(c, h->inst);
	return r != NULL && contains_icase(str_or(r->name), f->params);
}

static bool matches(struct call *c, const struct filter *f, const struct hit *h)
{
	const struct job *j = h->job, *r;

	if (!text_eq(j->region, f->region))
		return false;
	/* An unconfigured job knows its type from the purchase. */
	if (!text_eq(j->type, f->job_type))
		return false;
	if (f->status != NULL && strcmp(st_name(shown_status(j)), f->status) != 0)
		return false;
	if (f->instance != NULL && !text_eq(j->instance, f->instance))
		return false;
	if (f->job != NULL && !text_eq(j->id, f->job)) {
		r = reverse_of(c, h->inst);
		if (r == NULL || !text_eq(r->id, f->job))
			return false;
	}
	if (f->group != NULL && !text_eq(h->inst != NULL ? h->inst->group : j->group, f->group))
		return false;
	if (f->label != NULL && !text_eq(j->bis_label, f->label))
		return false;
	if (f->cluster != NULL && !text_eq(j->cluster, f->cluster))
		return false;
	if (f->db_instance != NULL && !text_eq(j->src.instance, f->db_instance) &&
	    !text_eq(j->dst.instance, f->db_instance))
		return false;
	/* 1.4: the two descriptions are swapped; so are the filters here. */
	if (f->src_product != NULL && !text_ieq(j->dst.engine, f->src_product))
		return false;
	if (f->dst_product != NULL && !text_ieq(j->src.engine, f->dst_product))
		return false;
	if (!search_matches(c, f, h))
		return false;
	return f->tags == NULL || tags_match(c, f, h->inst);
}

static int filter_init(struct call *c, struct filter *f)
{
	const char *tags = arg(c, "Tags");
	const struct job *j;

	memset(f, 0, sizeof(*f));
	f->region = arg(c, "Region") != NULL ? arg(c, "Region") : arg(c, "RegionId");
	if (f->region == NULL) /* the help page requires Region */
		return call_missing(c, "Region");
	if (!region_known(f->region))
		return call_bad(c, "Region");
	f->job_type = arg(c, "JobType") != NULL ? arg(c, "JobType") : "MIGRATION"; /* the trap */
	f->job = arg(c, "DtsJobId");
	f->instance = arg(c, "DtsInstanceId");
	f->status = arg(c, "Status");
	f->group = arg(c, "ResourceGroupId");
	f->label = arg(c, "DtsBisLabel");
	f->cluster = arg(c, "DedicatedClusterId");
	f->db_instance = arg(c, "InstanceId");
	f->src_product = arg(c, "SrcProductType");
	f->dst_product = arg(c, "DestProductType");
	f->type = arg(c, "Type");
	f->params = arg(c, "Params");
	f->none = arg(c, "GroupId") != NULL; /* no job here has a parent task */
	if (f->type != NULL && strcmp(f->type, "instance") != 0 && strcmp(f->type, "name") != 0 &&
	    strcmp(f->type, "srcRds") != 0 && strcmp(f->type, "rds") != 0) /* e.g. a job type (7) */
		return call_fail(c, 400, "InvalidParameter",
		                 "The Input Parameter Type is not valid.");
	if (f->type != NULL && f->params == NULL)
		return call_missing(c, "Params");
	if (tags != NULL) {
		f->tags = json_parse(c->a, tags, strlen(tags), NULL);
		if (f->tags == NULL || f->tags->type != JSON_ARRAY)
			return call_bad(c, "Tags");
	}
	if (f->job != NULL) {
		j = world_job(c->w, f->job);
		if (j == NULL || !text_eq(j->region, f->region))
			return call_state(c, "InvalidJobId");
	}
	return 0;
}

/* One row per instance: the forward job, the reverse job nested in it (3.5). */
static bool candidate(struct call *c, struct job *j, struct hit *h)
{
	job_settle(c->w, j);
	if (job_forgotten(c->w, j))
		return false;
	h->live = j;
	h->job = job_as_listed(c->w, j);
	if (h->job == NULL)
		return false;
	h->inst = job_instance(c->w, h->job);
	return !text_eq(j->dir, "Reverse");
}

/* With a job or instance id there is nothing to search. */
static struct job *only_candidate(struct call *c, const struct filter *f)
{
	struct instance *i;
	struct job *j;

	if (f->instance != NULL) {
		i = world_instance(c->w, f->instance);
		return i != NULL ? world_job(c->w, i->forward) : NULL;
	}
	j = world_job(c->w, f->job);
	if (j != NULL && text_eq(j->dir, "Reverse")) {
		i = job_instance(c->w, j);
		j = i != NULL ? world_job(c->w, i->forward) : NULL;
	}
	return j;
}

static size_t collect(struct call *c, const struct filter *f, struct hit **out)
{
	struct hit *v, h;
	struct job *one;
	size_t n = 0;

	if (f->none)
		return 0;
	if (f->job != NULL || f->instance != NULL) {
		one = only_candidate(c, f);
		*out = v = arena_array(c->a, struct hit, 1);
		if (one != NULL && candidate(c, one, &h) && matches(c, f, &h))
			v[n++] = h;
		return n;
	}
	*out = v = arena_array(c->a, struct hit, c->w->job.n + 1);
	for (size_t k = 0; k < c->w->job.n; k++)
		if (candidate(c, c->w->job.v[k], &h) && matches(c, f, &h))
			v[n++] = h;
	return n;
}

static int by_finish(const void *a, const void *b)
{
	const struct job *x = ((const struct hit *)a)->job, *y = ((const struct hit *)b)->job;

	return (x->finished_wall > y->finished_wall) - (x->finished_wall < y->finished_wall);
}

static int by_du(const void *a, const void *b)
{
	const struct job *x = ((const struct hit *)a)->job, *y = ((const struct hit *)b)->job;

	return (x->du_limit > y->du_limit) - (x->du_limit < y->du_limit);
}

/* Rows are in order of creation as they come. */
static void order(struct call *c, struct hit *v, size_t n)
{
	const char *column = arg(c, "OrderColumn");
	struct hit t;

	if (text_eq(column, "FinishTime"))
		qsort(v, n, sizeof(*v), by_finish);
	else if (text_eq(column, "duLimit"))
		qsort(v, n, sizeof(*v), by_du);
	if (!text_eq(arg(c, "OrderDirection"), "DESC"))
		return;
	for (size_t i = 0; i < n / 2; i++) {
		t = v[i];
		v[i] = v[n - 1 - i];
		v[n - 1 - i] = t;
	}
}

static struct json *row(struct call *c, const struct hit *h)
{
	struct json *o = render_list_item(c, h->inst, h->job, false);
	const struct job *r = reverse_of(c, h->inst);

	if (r != NULL) {
		json_add(o, "ReverseJob", render_list_item(c, h->inst, r, true));
		read_ends(c, world_job(c->w, h->inst->reverse));
	}
	read_ends(c, h->live);
	return o;
}

int op_list(struct call *c)
{
	int64_t page = arg_int(c, "PageNumber", 1), size = arg_int(c, "PageSize", 20);
	struct json *list = json_new(c->a, JSON_ARRAY);
	struct hit *v = NULL;
	struct filter f;
	size_t n, from;

	if (page < 1)
		return call_bad(c, "PageNumber");
	if (size < 1)
		return call_bad(c, "PageSize");
	if (filter_init(c, &f) != 0)
		return -1;
	n = collect(c, &f, &v);
	order(c, v, n);
	from = (size_t)(page - 1) * (size_t)size;
	for (size_t i = from; i < n && i < from + (size_t)size; i++)
		json_add(list, NULL, row(c, &v[i]));
	put_int(c, c->out, "PageNumber", page);
	put_int(c, c->out, "PageRecordCount", (int64_t)list->n);
	put_int(c, c->out, "TotalRecordCount", (int64_t)n);
	json_add(c->out, "DtsJobList", list);
	json_add(c->out, "EtlDemoList", json_new(c->a, JSON_ARRAY));
	return 0;
}

int op_count(struct call *c)
{
	struct hit *v = NULL;
	struct filter f;

	if (filter_init(c, &f) != 0)
		return -1;
	f.src_product = f.dst_product = NULL;
	put_int(c, c->out, "TotalRecordCount", (int64_t)collect(c, &f, &v));
	return 0;
}
