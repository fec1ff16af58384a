#include "sim/configure.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/ops.h"
#include "sim/world.h"

static void fill_side(struct call *c, const struct side *s, struct endpoint *e,
                      const struct json *reserve)
{
	const char *pw = arg(c, s->password), *ssl = json_key_text(c, reserve, s->ssl_key);
	char hash[65];

	str_set(&e->type, arg(c, s->type));
	str_set(&e->engine, arg(c, s->engine) != NULL ? arg(c, s->engine) : "MYSQL");
	str_set(&e->instance, arg(c, s->instance));
	str_set(&e->region, arg(c, s->region));
	str_set(&e->ip, arg(c, s->ip));
	str_set(&e->port, arg(c, s->port));
	str_set(&e->sid, arg(c, s->sid));
	str_set(&e->db, arg(c, s->db));
	str_set(&e->user, arg(c, s->user));
	str_set(&e->owner, arg(c, s->owner));
	str_set(&e->role, arg(c, s->role));
	str_set(&e->ssl, ssl != NULL ? ssl : "0");
	if (pw != NULL)
		world_hash_password(c->w, pw, hash);
	str_set(&e->password, pw != NULL ? hash : NULL);
}

static void fill_alarms(struct call *c, struct job *j)
{
	struct rule *d = &j->rule[RULE_DELAY], *e = &j->rule[RULE_ERROR];

	str_set(&d->state, arg(c, "DelayNotice") == NULL ? NULL
	                   : arg_true(c, "DelayNotice")  ? "Y"
	                                                 : "N");
	str_set(&d->phone, arg(c, "DelayPhone"));
	d->delay_s = arg_int(c, "DelayRuleTime", 0);
	str_set(&e->state, arg(c, "ErrorNotice") == NULL ? NULL
	                   : arg_true(c, "ErrorNotice")  ? "Y"
	                                                 : "N");
	str_set(&e->phone, arg(c, "ErrorPhone"));
}

static void fill_job(struct call *c, struct job *j, const char *objects, const struct json *reserve)
{
	str_set(&j->name, arg(c, "DtsJobName"));
	str_set(&j->type, arg(c, "JobType"));
	j->structure_init = arg_true(c, "StructureInitialization");
	j->data_init = arg_true(c, "DataInitialization");
	j->data_sync = arg_true(c, "DataSynchronization");
	fill_side(c, &side_source, &j->src, reserve);
	fill_side(c, &side_destination, &j->dst, reserve);
	fill_alarms(c, j);
	str_set(&j->db_object, objects);
	str_set(&j->reserved, reserved_from(c, NULL, reserve, j));
	str_set(&j->data_check, arg(c, "DataCheckConfigure"));
	str_set(&j->checkpoint, arg(c, "Checkpoint"));
	str_set(&j->bis_label, arg(c, "DtsBisLabel") != NULL ? arg(c, "DtsBisLabel") : "normal");
	str_set(&j->cluster, arg(c, "DedicatedClusterId"));
	str_set(&j->failed_items, NULL);
}

/* Does the configuration fit what was bought? */
static int check_instance(struct call *c, const struct instance *i, const struct job *j,
                          const struct json *reserve)
{
	const char *type = arg(c, "JobType"), *arch = json_key_text(c, reserve, "syncArchitecture");
	const char *src = arg(c, "SourceEndpointRegion"),
		   *dst = arg(c, "DestinationEndpointRegion");

	if (!text_eq(type, "CHECK") && !text_eq(type, i->type))
		return call_bad(c, "JobType");
	if (arg(c, "DedicatedClusterId") != NULL) /* flow B only (3.2) */
		return call_bad(c, "DedicatedClusterId");
	if (arch != NULL && !text_eq(arch, i->arch))
		return call_bad(c, "Reserve.syncArchitecture");
	if (!text_eq(j->dir, "Reverse")) { /* whether a reverse job swaps its ends is open (22) */
		if (src != NULL && i->src_region != NULL && !text_eq(src, i->src_region))
			return call_bad(c, "SourceEndpointRegion");
		if (dst != NULL && i->dst_region != NULL && !text_eq(dst, i->dst_region))
			return call_bad(c, "DestinationEndpointRegion");
	}
	return 0;
}

static bool auto_start(struct call *c, const struct json *reserve)
{
	const char *v = json_key_text(c, reserve, "autoStartModulesAfterConfig");

	return v == NULL || !text_ieq(v, "none");
}

/* Flow B: a job without an instance; found by its name, costs nothing (3.2 B). */
static int new_job(struct call *c, struct job **out)
{
	const char *dst = arg(c, "DestinationEndpointRegion"),
		   *src = arg(c, "SourceEndpointRegion");
	char id[16];
	struct job *j;

	if (text_eq(arg(c, "SynchronizationDirection"), "Reverse"))
		return call_bad(c, "SynchronizationDirection");
	if (text_eq(arg(c, "JobType"), "CHECK")) /* needs its own purchased instance */
		return call_missing(c, "DtsInstanceId");
	if (dst != NULL && !text_eq(dst, c->region))
		return call_bad(c, "RegionId");
	if (arg(c, "DedicatedClusterId") != NULL && src != NULL && dst != NULL &&
	    !text_eq(src, dst))
		return call_bad(
			c,
			"DedicatedClusterId"); /* 3.2: no cross-region job on a dedicated cluster */
	world_new_id(c->w, id);
	j = job_new(c->w, id);
	str_set(&j->region, c->region);
	str_set(&j->group,
	        arg(c, "ResourceGroupId") != NULL ? arg(c, "ResourceGroupId") : "rg-default");
	*out = j;
	return 0;
}

static int existing_job(struct call *c, const struct json *reserve, struct job **out)
{
	struct instance *i;
	struct job *j;

	if (find_job(c, "DtsInstanceId", false, &j) != 0)
		return -1;
	i = job_instance(c->w, j);
	if (i != NULL && check_instance(c, i, j, reserve) != 0)
		return -1;
	if (j->status != ST_NOT_CONFIGURED && j->status != ST_NOT_STARTED &&
	    j->status != ST_PRECHECK_FAILED)
		return call_state(c, "UpdateJob.OperationDenied.InitStatus");
	*out = j;
	return 0;
}

int op_configure(struct call *c)
{
	struct json *reserve = parse_object(c, arg(c, "Reserve"));
	const char *objects = NULL;
	struct job *j = NULL;

	if (configure_check(c, reserve) != 0)
		return -1;
	if (objects_from(c, &objects) != 0)
		return -1;
	if (arg(c, "DtsInstanceId") != NULL || arg(c, "DtsJobId") != NULL) {
		if (existing_job(c, reserve, &j) != 0)
			return -1;
	} else if (new_job(c, &j) != 0) {
		return -1;
	}
	if (j == NULL)
		return call_gone(c);
	job_touch(c->w, j);
	fill_job(c, j, objects, reserve);
	if (j->instance != NULL && auto_start(c, reserve))
		job_start_precheck(c->w, j, true);
	else
		job_set_status(c->w, j, ST_NOT_STARTED);
	put_text(c, c->out, "DtsInstanceId", j->instance);
	put(c, c->out, "DtsJobId", j->id);
	log_job(c, j);
	c->effect = true;
	return 0;
}
