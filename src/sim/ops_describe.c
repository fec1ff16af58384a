/* Single reads (dts-api.md 4, 5). */
#include "sim/ops.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"

int op_detail(struct call *c)
{
	struct job *j;

	/*
	 * 4: works by instance id alone, and only here is it DtsInstanceID. Immediate, unlike the
	 * lists.
	 */
	if (find_job(c, "DtsInstanceID", true, &j) != 0)
		return -1;
	render_detail(c, c->out, job_instance(c->w, j), j);
	read_ends(c, j);
	return 0;
}

static struct json *instance_tags(struct call *c, const struct instance *i)
{
	struct json *list = json_new(c->a, JSON_ARRAY), *tags = parse_object(c, i->tags), *t;

	for (const struct json *m = tags != NULL ? tags->child : NULL; m != NULL; m = m->next) {
		t = json_new(c->a, JSON_OBJECT);
		put(c, t, "TagKey", m->key);
		put(c, t, "TagValue", m->s);
		json_add(list, NULL, t);
	}
	return list;
}

/* Undocumented; fields as the provider reads them (5). */
int op_instance_detail(struct call *c)
{
	struct instance *i = world_instance(c->w, arg(c, "DtsInstanceId"));
	struct json *o = json_new(c->a, JSON_OBJECT);
	struct job *j;

	if (i == NULL || !text_eq(i->region, c->region))
		return call_gone(c);
	c->instance = arena_strdup(c->a, i->id);
	j = instance_job(c->w, i, false);
	put(c, o, "DtsInstanceId", i->id);
	put_time(c, o, "CreateTime", i->created_wall);
	put(c, o, "InstanceClass", i->cls);
	put_text(c, o, "InstanceName", j != NULL ? j->name : i->id);
	put(c, o, "PayType", text_eq(i->pay_type, "PrePaid") ? "PREPAY" : "POSTPAY");
	put(c, o, "ResourceGroupId", i->group);
	put(c, o, "Status",
	    i->gone_ms != 0 ? "finished"
	    : j != NULL     ? st_name(shown_status(j))
	                    : "NotConfigured");
	put(c, o, "Type",
	    text_eq(i->type, "SYNC")        ? "sync"
	    : text_eq(i->type, "MIGRATION") ? "migration"
	                                    : "subscribe");
	put_text(c, o, "SourceEndpointEngineType", i->src_engine);
	put_text(c, o, "SourceEndpointRegion", i->src_region);
	put_text(c, o, "DestEndpointEngineType", i->dst_engine);
	put_text(c, o, "DestEndpointRegion", i->dst_region);
	json_add(o, "Tags", instance_tags(c, i));
	json_add(c->out, "DtsInstanceStatus", o);
	return 0;
}

int op_dts_ip(struct call *c)
{
	if (!region_known(arg(c, "SourceEndpointRegion")))
		return call_bad(c, "SourceEndpointRegion");
	if (arg(c, "DestinationEndpointRegion") != NULL &&
	    !region_known(arg(c, "DestinationEndpointRegion")))
		return call_bad(c, "DestinationEndpointRegion");
	put(c, c->out, "DynamicMessage", "192.0.2.0/24,198.51.100.0/24,203.0.113.0/24");
	return 0;
}
