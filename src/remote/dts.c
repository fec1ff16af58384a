/* A call's parameters, and the calls that are no step of an operation. */
#include "remote/dts.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "remote/dts_internal.h"

#define TAG_RESOURCE "ALIYUN::DTS::INSTANCE"

void dts_call_init(struct dts_call *c, struct arena *a, enum api_action action, const char *region)
{
	*c = (struct dts_call){.action = action, .a = a, .region = region};
	dts_param(c, "RegionId", region);
}

static bool in_body(enum api_action action, const char *name)
{
	const struct api_param *row = api_param(action, name);

	if (row)
		return row->body;
	BUG("%s has no parameter %s", api_def(action)->name, name);
}

void dts_put(struct dts_call *c, const char *name, const char *value)
{
	bool body = in_body(c->action, name);
	struct pair **v = body ? &c->form : &c->query;
	size_t *n = body ? &c->nform : &c->nquery;
	size_t *cap = body ? &c->cap_form : &c->cap_query;

	for (size_t i = 0; i < *n; i++)
		if (!strcmp((*v)[i].name, name)) {
			(*v)[i].value = value;
			return;
		}
	if (*n == *cap)
		*v = arena_vec_grow(c->a, *v, cap, sizeof **v);
	(*v)[(*n)++] = (struct pair){name, value};
}

void dts_param(struct dts_call *c, const char *name, const char *value)
{
	if (!text_empty(value))
		dts_put(c, name, value);
	else
		in_body(c->action, name); /* our own misspellings show even without a value */
}

void dts_param_list(struct dts_call *c, const char *name, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dts_param(c, arena_printf(c->a, "%s.%zu", name, i + 1), values[i]);
}

void dts_encode_list(struct dts_call *out, struct arena *a, const char *region, unsigned page,
                     const char *instance_id, bool with_objects)
{
	dts_call_init(out, a, API_DESCRIBE_DTS_JOBS, region);
	dts_param(out, "Region", region);
	/* The default is MIGRATION (dts-api.md 4). */
	dts_param(out, "JobType", "SYNC");
	dts_param(out, "PageSize", arena_printf(a, "%d", DTS_PAGE_ROWS));
	dts_param(out, "PageNumber", arena_printf(a, "%u", page));
	/* Oldest first: what is bought meanwhile does not move rows between pages. */
	dts_param(out, "OrderColumn", "CreateTime");
	dts_param(out, "OrderDirection", "ASC");
	dts_param(out, "DtsInstanceId", instance_id);
	if (!with_objects)
		dts_param(out, "WithoutDbList", "true");
}

void dts_encode_detail(struct dts_call *out, struct arena *a, const char *region,
                       const char *instance_id, const char *job_id, bool reverse)
{
	dts_call_init(out, a, API_DESCRIBE_DTS_JOB_DETAIL, region);
	dts_param(out, "DtsJobId", job_id);
	if (text_empty(job_id))
		dts_param(out, "DtsInstanceID", instance_id);
	if (reverse)
		dts_param(out, "SynchronizationDirection", "Reverse");
}

static void by_job(struct dts_call *out, struct arena *a, enum api_action action,
                   const char *region, const char *job_id)
{
	dts_call_init(out, a, action, region);
	dts_param(out, "DtsJobId", job_id);
}

void dts_encode_config(struct dts_call *out, struct arena *a, const char *region,
                       const char *job_id)
{
	by_job(out, a, API_DESCRIBE_DTS_JOB_CONFIG, region, job_id);
}

void dts_encode_monitor(struct dts_call *out, struct arena *a, const char *region,
                        const char *job_id)
{
	by_job(out, a, API_DESCRIBE_JOB_MONITOR_RULE, region, job_id);
}

void dts_encode_precheck(struct dts_call *out, struct arena *a, const char *region,
                         const char *job_id)
{
	by_job(out, a, API_DESCRIBE_PRE_CHECK_STATUS, region, job_id);
	dts_param(out, "JobCode", "01"); /* the precheck itself */
	dts_param(out, "StructType", "before");
	dts_param(out, "PageNo", "1");
	dts_param(out, "PageSize", "100"); /* at most about 20 items (dts-api.md 8) */
}

void dts_encode_tags(struct dts_call *out, struct arena *a, const char *region,
                     const char *const *instance_ids, size_t n, const char *next_token)
{
	dts_call_init(out, a, API_LIST_TAG_RESOURCES, region);
	dts_param(out, "ResourceType", TAG_RESOURCE);
	dts_param_list(out, "ResourceId", instance_ids, n);
	dts_param(out, "NextToken", next_token);
}

void dts_tag_init(struct dts_call *out, struct arena *a, const char *region,
                  const char *instance_id)
{
	dts_call_init(out, a, API_TAG_RESOURCES, region);
	dts_param(out, "ResourceType", TAG_RESOURCE);
	dts_param_list(out, "ResourceId", &instance_id, 1);
}

void dts_tag_add(struct dts_call *out, size_t nth, const char *key, const char *value)
{
	dts_put(out, arena_printf(out->a, "Tag.%zu.Key", nth), key);
	dts_put(out, arena_printf(out->a, "Tag.%zu.Value", nth), value); /* may be empty */
}

void dts_encode_tag(struct dts_call *out, struct arena *a, const char *region,
                    const char *instance_id, const char *key, const char *value)
{
	dts_tag_init(out, a, region, instance_id);
	dts_tag_add(out, 1, key, value);
}

void dts_encode_untag(struct dts_call *out, struct arena *a, const char *region,
                      const char *instance_id, const char *const *keys, size_t n)
{
	dts_call_init(out, a, API_UNTAG_RESOURCES, region);
	dts_param(out, "ResourceType", TAG_RESOURCE);
	dts_param_list(out, "ResourceId", &instance_id, 1);
	dts_param_list(out, "TagKey", keys, n);
}

void dts_encode_skip(struct dts_call *out, struct arena *a, const char *region, const char *job_id,
                     const char *const *items, size_t n)
{
	struct json *item = json_new(a, JSON_ARRAY), *name = json_new(a, JSON_ARRAY);

	by_job(out, a, API_SKIP_PRE_CHECK, region, job_id);
	for (size_t i = 0; i < n; i++) {
		json_add(item, NULL, json_new_str(a, items[i]));
		json_add(name, NULL, json_new_str(a, arena_printf(a, "%s_DETAIL", items[i])));
	}
	dts_param(out, "Skip", "true");
	dts_param(out, "SkipPreCheckItems", json_write_dup(a, item, false));
	dts_param(out, "SkipPreCheckNames", json_write_dup(a, name, false));
}
