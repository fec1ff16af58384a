#include "sim/ops.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/world.h"

/* dts-api.md 2: supported regions, those of older lists, and the alias. */
static const char *const regions[] = {
	"cn-hangzhou",
	"cn-shanghai",
	"cn-qingdao",
	"cn-beijing",
	"cn-zhangjiakou",
	"cn-huhehaote",
	"cn-wulanchabu",
	"cn-shenzhen",
	"cn-heyuan",
	"cn-guangzhou",
	"cn-chengdu",
	"cn-hongkong",
	"ap-southeast-1",
	"ap-southeast-2",
	"ap-southeast-3",
	"ap-southeast-5",
	"ap-southeast-6",
	"ap-southeast-7",
	"ap-northeast-1",
	"ap-northeast-2",
	"ap-south-1",
	"us-west-1",
	"us-east-1",
	"eu-central-1",
	"eu-west-1",
	"me-central-1",
	"me-east-1",
	"cn-hangzhou-finance",
	"cn-shanghai-finance-1",
	"cn-shenzhen-finance-1",
	"cn-beijing-finance-1",
	"cn-north-2-gov-1",
	"cn-zhangbei",
};

bool region_known(const char *region)
{
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (strcmp(regions[i], region) == 0)
			return true;
	return false;
}

int cls_rank(const char *cls)
{
	static const char *const order[] = {"micro",   "small",   "medium",  "large",  "xlarge",
	                                    "2xlarge", "4xlarge", "6xlarge", "8xlarge"};

	if (text_eq(cls, "xxlarge"))
		return 5;
	for (int i = 0; i < (int)(sizeof(order) / sizeof(order[0])); i++)
		if (text_eq(cls, order[i]))
			return i;
	return -1;
}

void log_job(struct call *c, const struct job *j)
{
	c->job = arena_strdup(c->a, j->id);
	if (j->instance != NULL)
		c->instance = arena_strdup(c->a, j->instance);
}

int find_instance(struct call *c, const char *id, struct instance **out)
{
	struct instance *i = world_instance(c->w, id);

	if (i == NULL || i->gone_ms != 0 || !text_eq(i->region, c->region))
		return call_gone(c);
	c->instance = arena_strdup(c->a, i->id);
	*out = i;
	return 0;
}

int find_job_id(struct call *c, const char *id, struct job **out)
{
	struct job *j = world_job(c->w, id);

	if (j == NULL || j->gone_ms != 0 || !text_eq(j->region, c->region))
		return call_gone(c);
	log_job(c, j);
	*out = j;
	return 0;
}

struct job *instance_job(struct world *w, const struct instance *i, bool reverse)
{
	return world_job(w, reverse ? i->reverse : i->forward);
}

int find_job(struct call *c, const char *instance_param, bool released, struct job **out)
{
	const char *jid = arg(c, "DtsJobId"), *iid = arg(c, instance_param);
	const char *dir = arg(c, "SynchronizationDirection");
	struct instance *i;
	struct job *j;

	if (jid == NULL && iid == NULL)
		return call_missing(c, "DtsJobId");
	if (iid != NULL) {
		i = world_instance(c->w, iid);
		if (i == NULL || (i->gone_ms != 0 && !released) || !text_eq(i->region, c->region))
			return call_gone(c);
		c->instance = arena_strdup(c->a, i->id);
		/* 3.5: Reverse only means something on a bidirectional instance. */
		if (text_eq(dir, "Reverse") && !text_eq(i->arch, "bidirectional"))
			return call_bad(c, "SynchronizationDirection");
		j = jid != NULL ? world_job(c->w, jid)
		                : instance_job(c->w, i, text_eq(dir, "Reverse"));
		if (j != NULL && !text_eq(j->instance, i->id))
			j = NULL;
	} else {
		j = world_job(c->w, jid);
	}
	if (j == NULL || (j->gone_ms != 0 && !released) || !text_eq(j->region, c->region))
		return call_gone(c);
	if (dir != NULL && !text_eq(dir, j->dir)) {
		/* The other job of the pair is meant; a one-way job has none. */
		i = job_instance(c->w, j);
		if (i == NULL || !text_eq(i->arch, "bidirectional"))
			return call_bad(c, "SynchronizationDirection");
		return call_gone(c);
	}
	log_job(c, j);
	*out = j;
	return 0;
}

struct job *job_blank(struct world *w, const char *id, struct instance *i, bool reverse)
{
	struct job *j = job_new(w, id);

	str_set(&j->instance, i->id);
	str_set(&j->dir, reverse ? "Reverse" : "Forward");
	str_set(&j->name, i->id); /* a default name exists before configuration (11) */
	str_set(&j->type, i->type);
	str_set(&j->region, i->region);
	str_set(&j->group, i->group);
	/* Read back right after the purchase (10): engines and regions as bought. */
	str_set(&j->src.engine, reverse ? i->dst_engine : i->src_engine);
	str_set(&j->src.region, reverse ? i->dst_region : i->src_region);
	str_set(&j->dst.engine, reverse ? i->src_engine : i->dst_engine);
	str_set(&j->dst.region, reverse ? i->src_region : i->dst_region);
	str_set(reverse ? &i->reverse : &i->forward, id);
	return j;
}
