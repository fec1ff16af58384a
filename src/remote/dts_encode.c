/*
 * Steps to requests. What a row can say (attribute, parameter, action) comes
 * from the row; here stands only what the service wants besides.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "remote/dts.h"
#include "remote/dts_internal.h"

/* ---- what is wanted ------------------------------------------------------- */

static const char *val(const struct step_input *in, const char *key)
{
	int i = attr_find(in->op->type, key);

	return i < 0 || !in->vals ? NULL : in->vals[i];
}

static const struct attr_def *row_of(const struct step_input *in, const char *key)
{
	return &in->op->type->attrs[attr_of(in->op->type, key)];
}

static const char *wired(struct arena *a, const struct step_input *in, const char *key)
{
	const char *v = val(in, key);

	return v ? attr_wire(a, row_of(in, key), v) : NULL;
}

static bool changed(const struct step_input *in, const char *key)
{
	int attr = attr_find(in->op->type, key);

	for (size_t i = 0; i < in->op->nchanges; i++)
		if (in->op->changes[i].attr == attr)
			return true;
	return false;
}

/* The class belongs to the pair (src/README.md): the section's own, or that of its job. */
static const char *wanted_class(const struct step_input *in)
{
	const char *cls = val(in, "instance_class");

	if (text_empty(cls) && in->b && in->op->want != RES_NONE)
		cls = plan_wanted_class(in->b, in->op->want);
	if (text_empty(cls) && in->op->seen)
		cls = in->op->seen->cls;
	return cls;
}

static bool wants_pause(const struct step_input *in)
{
	return text_ieq(val(in, "status"), "Suspending");
}

static void direction(struct dts_call *c, const struct step_input *in)
{
	if (in->reverse)
		dts_param(c, "SynchronizationDirection", "Reverse");
	else if (in->two_way)
		dts_param(c, "SynchronizationDirection", "Forward");
}

/* Both ids, and the direction where an instance has two jobs. */
static void job_ids(struct dts_call *c, const struct step_input *in)
{
	dts_param(c, "DtsJobId", in->job_id);
	dts_param(c, "DtsInstanceId", in->instance_id);
	direction(c, in);
}

/* All attributes whose row says that this action carries them. */
static void from_rows(struct dts_call *c, const struct step_input *in, bool free)
{
	const struct type_def *t = in->op->type;
	bool prepaid = text_ieq(val(in, "payment_type"), "Subscription");

	for (size_t i = 0; i < t->nattrs; i++) {
		const struct attr_def *at = &t->attrs[i];
		const char *v = in->vals ? in->vals[i] : NULL;

		if (!prepaid && text_starts(at->key, "payment_duration"))
			continue; /* Period: only with PrePaid (dts-api.md 4) */
		if (at->create != c->action || !at->param || (!free && (at->flags & A_FREE)))
			continue;
		if (text_empty(v) && (at->flags & A_ALWAYS))
			v = "false"; /* "You must specify the parameter MigrationMode" otherwise */
		if (!text_empty(v))
			dts_param(c, at->param, attr_wire(c->a, at, v));
	}
}

/* ---- reserve -------------------------------------------------------------- */

static void set_member(struct arena *a, struct json *obj, const char *key, const char *value)
{
	for (struct json *m = obj->child; m; m = m->next)
		if (!strcmp(m->key, key)) {
			m->type = JSON_STRING;
			m->s = value;
			m->child = m->last = NULL;
			m->n = 0;
			return;
		}
	json_add(obj, key, json_new_str(a, value));
}

static struct json *object_of(struct arena *a, const char *text)
{
	struct json *v = text ? json_parse(a, text, strlen(text), NULL) : NULL;

	return v && v->type == JSON_OBJECT ? v : json_new(a, JSON_OBJECT);
}

static const char *const ssl_keys[][2] = {
	{"source_endpoint_ssl", "srcSSL"},
	{"destination_endpoint_ssl", "destSSL"},
};

/* What the user says, with the keys that stand in attributes of their own put over it. */
static struct json *user_reserve(struct arena *a, const struct step_input *in)
{
	struct json *v = object_of(a, val(in, "reserve"));

	for (size_t i = 0; i < 2; i++)
		if (!text_empty(val(in, ssl_keys[i][0])))
			set_member(a, v, ssl_keys[i][1], val(in, ssl_keys[i][0]));
	return v;
}

/* A job that is to rest, or rests and is only configured anew, must not be started by the service. */
static bool stays_at_rest(const struct step_input *in)
{
	const char *status = val(in, "status");

	if (wants_pause(in))
		return true;
	return text_empty(status) && in->op->kind == OP_UPDATE && in->op->seen &&
	       in->op->seen->status == ST_NOT_STARTED;
}

static const char *create_reserve(struct arena *a, const struct step_input *in)
{
	struct json *v = user_reserve(a, in);

	if (stays_at_rest(in))
		set_member(a, v, "autoStartModulesAfterConfig", "none");
	return v->n ? json_write_dup(a, v, false) : NULL;
}

/* Does the plan have this member of reserve changed, under its own key or in the object? */
static bool member_changes(const struct step_input *in, const char *key)
{
	int reserve = attr_find(in->op->type, "reserve");

	for (size_t i = 0; i < 2; i++)
		if (!strcmp(key, ssl_keys[i][1]) && !text_empty(val(in, ssl_keys[i][0])))
			return changed(in, ssl_keys[i][0]);
	for (size_t i = 0; i < in->op->nchanges; i++) {
		const struct change *c = &in->op->changes[i];

		for (size_t k = 0; c->attr == reserve && k < c->nmembers; k++)
			if (!strcmp(c->members[k], key))
				return true;
	}
	return false;
}

/* Keys of the user that differ, never those the service added (design.md 4). */
static const char *changed_reserve(struct arena *a, const struct step_input *in)
{
	const struct json *all = user_reserve(a, in);
	struct json *out = json_new(a, JSON_OBJECT);

	for (const struct json *m = all->child; m; m = m->next)
		if (member_changes(in, m->key))
			json_add(out, m->key, json_clone(a, m));
	/* Nothing to tell apart (it was not read): all of them. */
	return json_write_dup(a, out->n ? out : all, false);
}

/* ---- creation ------------------------------------------------------------- */

static void buy(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	const char *cls;

	dts_call_init(c, a, API_CREATE_DTS_INSTANCE, in->region);
	dts_param(c, "Type", "SYNC");
	from_rows(c, in, false);
	cls = wanted_class(in);
	/* Nothing published names a default of the service; this one is the provider's. */
	dts_param(c, "InstanceClass", text_empty(cls) ? row_of(in, "instance_class")->def : cls);
}

/* For a job that is configured already: JobId stands for engines and regions (dts-api.md 3.2 B). */
static void buy_job(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	buy(c, a, in);
	dts_param(c, "JobId", in->job_id);
	/* Only here AutoStart has an effect; autoStartModulesAfterConfig has none. */
	if (text_empty(val(in, "auto_start")))
		dts_param(c, "AutoStart", wants_pause(in) ? "false" : "true");
}

static void configure(struct dts_call *c, struct arena *a, const struct step_input *in, bool free)
{
	dts_call_init(c, a, API_CONFIGURE_DTS_JOB, in->region);
	dts_param(c, "JobType", "SYNC");
	from_rows(c, in, free);
	dts_param(c, "Reserve", create_reserve(a, in));
	if (free) {
		dts_param(c, "DtsJobName", in->free_name);
		return;
	}
	if (text_empty(val(in, "dts_instance_id"))) {
		/* Configured first, once more: without its ids another free job would be made. */
		dts_param(c, "DtsInstanceId", in->instance_id);
		dts_param(c, "DtsJobId", in->job_id);
	}
	direction(c, in);
}

/* ---- changes -------------------------------------------------------------- */

static void rename_job(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	dts_call_init(c, a, API_MODIFY_DTS_JOB_NAME, in->region);
	dts_param(c, "DtsJobId", in->job_id);
	dts_param(c, "DtsJobName", val(in, "dts_job_name"));
}

static const char *end_key(struct arena *a, bool source, const char *key)
{
	return arena_printf(a, "%s_endpoint_%s", source ? "source" : "destination", key);
}

static const char *end_val(struct arena *a, const struct step_input *in, bool source,
                           const char *key)
{
	return val(in, end_key(a, source, key));
}

static bool end_moves(struct arena *a, const struct step_input *in, bool source)
{
	static const char *const keys[] = {"instance_type", "instance_id", "region", "ip", "port"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (changed(in, end_key(a, source, keys[i])))
			return true;
	return false;
}

/* What we set once and the manifest no longer says stays, so it is sent along, unless the end is another one now. */
static const char *end_kept(struct arena *a, const struct step_input *in, bool source,
                            const char *key)
{
	const char *full = end_key(a, source, key), *v = val(in, full);

	if (text_empty(v) && in->op->have && !end_moves(a, in, source))
		v = in->op->have->attrs[attr_of(in->op->type, full)];
	return v;
}

/* The user whose password it is: as wanted, else as the service shows it, else as it was set. */
static const char *user_of(struct arena *a, const struct step_input *in, bool source)
{
	const char *key = end_key(a, source, "user_name"), *v = val(in, key);

	if (text_empty(v) && in->op->seen && in->op->seen->row)
		v = attr_read(a, row_of(in, key), in->op->seen->row);
	return text_empty(v) ? end_kept(a, in, source, "user_name") : v;
}

static void password(struct dts_call *c, struct arena *a, const struct step_input *in, bool source)
{
	dts_call_init(c, a, API_MODIFY_DTS_JOB_PASSWORD, in->region);
	job_ids(c, in);
	dts_param(c, "Endpoint", source ? "src" : "dest");
	dts_param(c, "UserName", user_of(a, in, source));
	dts_param(c, "Password", end_val(a, in, source, "password"));
}

static char *lower(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s);

	for (char *p = out; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return out;
}

/* This call spells the ways of access in lower case (dts-api.md 18). */
static const char *endpoint_type(struct arena *a, const struct step_input *in, bool source)
{
	const char *type = end_val(a, in, source, "instance_type");
	const struct json *reserve = object_of(a, val(in, "reserve"));
	const char *arch =
		json_text(a, reserve, source ? "srcEngineArchType" : "destEngineArchType");

	if (text_ieq(type, "MONGODB") && text_eq(arch, "2"))
		return "distributed_mongodb";
	return type ? lower(a, type) : NULL;
}

static void endpoint(struct dts_call *c, struct arena *a, const struct step_input *in, bool source)
{
	dts_call_init(c, a, API_MODIFY_DTS_JOB_ENDPOINT, in->region);
	job_ids(c, in);
	dts_param(c, "Endpoint", source ? "src" : "dest");
	dts_param(c, "EndpointInstanceType", endpoint_type(a, in, source));
	dts_param(c, "EndpointInstanceId", end_val(a, in, source, "instance_id"));
	dts_param(c, "EndpointRegionId", end_val(a, in, source, "region"));
	dts_param(c, "EndpointIp", end_val(a, in, source, "ip"));
	dts_param(c, "EndpointPort", end_val(a, in, source, "port"));
	dts_param(c, "Database", end_kept(a, in, source, "database_name"));
	dts_param(c, "AliyunUid", end_kept(a, in, source, "owner_id"));
	dts_param(c, "RoleName", end_kept(a, in, source, "role"));
	if (!changed(in, end_key(a, source, "user_name")) &&
	    !changed(in, end_key(a, source, "password")))
		return;
	dts_param(c, "ModifyAccount", "true");
	dts_param(c, "Username", user_of(a, in, source));
	dts_param(c, "Password", end_val(a, in, source, "password"));
}

static void modify(struct dts_call *c, struct arena *a, const struct step_input *in, bool objects)
{
	dts_call_init(c, a, API_MODIFY_DTS_JOB, in->region);
	job_ids(c, in);
	dts_param(c, "ClientToken", in->client_token);
	if (objects) {
		dts_param(c, "DbList", val(in, "db_list"));
		return;
	}
	dts_param(c, "ModifyTypeEnum", "UPDATE_RESERVED");
	dts_param(c, "Reserved", changed_reserve(a, in));
}

static void change_class(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	dts_call_init(c, a, API_TRANSFER_INSTANCE_CLASS, in->region);
	dts_param(c, "DtsJobId", in->job_id);
	dts_param(c, "InstanceClass", wanted_class(in));
	dts_param(c, "OrderType", "UPGRADE");
}

static void pay_type(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	const char *charge = wired(a, in, "payment_type");

	dts_call_init(c, a, API_TRANSFER_PAY_TYPE, in->region);
	dts_param(c, "DtsJobId", in->job_id);
	dts_param(c, "ChargeType", charge);
	if (!text_eq(charge, "PrePaid"))
		return;
	dts_param(c, "Period", val(in, "payment_duration_unit"));
	dts_param(c, "BuyCount", val(in, "payment_duration"));
	dts_param(c, "AutoPay", val(in, "auto_pay"));
}

static void two_way(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	dts_call_init(c, a, API_UPGRADE_TWO_WAY, in->region);
	dts_param(c, "InstanceId", in->instance_id);
	dts_param(c, "InstanceClass", wanted_class(in));
}

static void cluster(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	struct json *ids = json_new(a, JSON_ARRAY);

	json_add(ids, NULL, json_new_str(a, in->job_id));
	dts_call_init(c, a, API_MODIFY_DTS_JOB_DEDICATED_CLUSTER, in->region);
	dts_param(c, "DedicatedClusterId", val(in, "dedicated_cluster_id"));
	dts_param(c, "DtsJobIds", json_write_dup(a, ids, false)); /* here, not a comma list */
}

static void group(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	dts_call_init(c, a, API_CONVERT_RESOURCE_GROUP, in->region);
	dts_param(c, "ResourceId", in->instance_id);
	dts_param(c, "NewResourceGroupId", val(in, "resource_group_id"));
}

static void tags(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	const struct json *v = object_of(a, val(in, "tags"));
	size_t n = 0;

	dts_tag_init(c, a, in->region, in->instance_id);
	for (const struct json *t = v->child; t; t = t->next)
		dts_tag_add(c, ++n, t->key, t->type == JSON_STRING ? t->s : "");
	if (in->tag_key)
		dts_tag_add(c, ++n, in->tag_key, in->tag_value);
}

/* Those that we set once and the manifest dropped. */
static void untag(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	const char *const *keys;
	size_t n = plan_dropped_keys(a, in->op->have->attrs[attr_of(in->op->type, "tags")],
	                             val(in, "tags"), &keys);

	dts_encode_untag(c, a, in->region, in->instance_id, keys, n);
}

/* A rule is sent whole: what the manifest does not say is as it is, else as it was set. */
static const char *rule_value(struct arena *a, const struct step_input *in, const char *key)
{
	const char *v = val(in, key);

	if (text_empty(v) && in->op->seen && in->op->seen->monitor)
		v = attr_read(a, row_of(in, key), in->op->seen->monitor);
	/* digits that the service hides cannot be sent */
	if ((text_empty(v) || strchr(v, '*')) && in->op->have)
		v = in->op->have->attrs[attr_of(in->op->type, key)];
	return v && !strchr(v, '*') ? v : NULL;
}

static void rule(struct dts_call *c, struct arena *a, const struct step_input *in, bool delay)
{
	bool on = text_ieq(rule_value(a, in, delay ? "delay_notice" : "error_notice"), "true");

	dts_call_init(c, a, API_CREATE_JOB_MONITOR_RULE, in->region);
	dts_param(c, "DtsJobId", in->job_id);
	dts_param(c, "Type", delay ? "delay" : "error");
	dts_param(c, "State", on ? "Y" : "N");
	dts_param(c, "Phone", rule_value(a, in, delay ? "delay_phone" : "error_phone"));
	if (delay)
		dts_param(c, "DelayRuleTime", rule_value(a, in, "delay_rule_time"));
}

/* ---- runtime parameters --------------------------------------------------- */

static const struct json *array_of(struct arena *a, const char *text)
{
	const struct json *v = text ? json_parse(a, text, strlen(text), NULL) : NULL;

	return v && v->type == JSON_ARRAY ? v : json_new(a, JSON_ARRAY);
}

static bool same_parameter(struct arena *a, const struct json *x, const struct json *y)
{
	return text_eq(json_text(a, x, "module"), json_text(a, y, "module")) &&
	       text_eq(json_text(a, x, "name"), json_text(a, y, "name"));
}

static const struct json *find_parameter(struct arena *a, const struct json *list,
                                         const struct json *p)
{
	for (const struct json *x = list->child; x; x = x->next)
		if (same_parameter(a, x, p))
			return x;
	return NULL;
}

/* The service's default of a parameter that was taken out; NULL: not known, or it runs with it already. */
static const char *default_of(struct arena *a, const struct step_input *in, const struct json *p)
{
	const struct json *config = in->op->seen ? in->op->seen->config : NULL;
	const struct json *list = json_get(config, "Parameters");

	for (const struct json *x = list ? list->child : NULL; x; x = x->next) {
		const char *def = json_text(a, x, "DefaultValue");

		if (text_eq(json_text(a, x, "Module"), json_text(a, p, "module")) &&
		    text_eq(json_text(a, x, "Name"), json_text(a, p, "name")))
			return text_eq(def, json_text(a, x, "RunningValue")) ? NULL : def;
	}
	return NULL;
}

/* Does the job run with this value already? Some parameters restart their module when they are set. */
static bool runs_with(struct arena *a, const struct step_input *in, const struct json *p)
{
	const struct attr_def *at = row_of(in, "job_parameters");
	struct json *one;

	if (!in->op->seen || !in->op->seen->config)
		return false;
	one = json_new(a, JSON_ARRAY);
	json_add(one, NULL, json_clone(a, p));
	return attr_satisfied(at, json_write_dup(a, one, false),
	                      attr_read(a, at, in->op->seen->config));
}

static const char *parameters(struct arena *a, const struct step_input *in)
{
	const struct json *want = array_of(a, val(in, "job_parameters"));
	const char *applied =
		in->op->have ? in->op->have->attrs[attr_of(in->op->type, "job_parameters")] : NULL;
	const struct json *had = array_of(a, applied);
	struct json *out = json_new(a, JSON_ARRAY);

	for (const struct json *p = want->child; p; p = p->next)
		if (!runs_with(a, in, p))
			json_add(out, NULL, json_clone(a, p));
	for (const struct json *p = had->child; p; p = p->next) {
		const char *def = find_parameter(a, want, p) ? NULL : default_of(a, in, p);
		struct json *o;

		if (!def)
			continue;
		o = json_new(a, JSON_OBJECT);
		json_add(o, "module", json_new_str(a, json_text(a, p, "module")));
		json_add(o, "name", json_new_str(a, json_text(a, p, "name")));
		json_add(o, "value", json_new_str(a, def));
		json_add(out, NULL, o);
	}
	return json_write_dup(a, out->n ? out : want, false);
}

static void set_parameters(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	dts_call_init(c, a, API_MODIFY_DTS_JOB_CONFIG, in->region);
	dts_param(c, "DtsJobId", in->job_id);
	dts_param(c, "Parameters", parameters(a, in));
}

/* ---- start, pause, end ---------------------------------------------------- */

static const char *joined(struct arena *a, const struct step_input *in)
{
	char *s = arena_strdup(a, in->job_ids[0]);

	for (size_t i = 1; i < in->njob_ids; i++)
		s = arena_printf(a, "%s,%s", s, in->job_ids[i]);
	return s;
}

static void one_or_many(struct dts_call *c, struct arena *a, const struct step_input *in,
                        enum api_action one, enum api_action many)
{
	if (in->njob_ids) {
		dts_call_init(c, a, many, in->region);
		dts_param(c, "DtsJobIds", joined(a, in));
		return;
	}
	dts_call_init(c, a, one, in->region);
	job_ids(c, in);
}

static void erase(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	if (in->njob_ids) {
		one_or_many(c, a, in, API_DELETE_DTS_JOB, API_DELETE_DTS_JOBS);
		return;
	}
	dts_call_init(c, a, API_DELETE_DTS_JOB, in->region);
	job_ids(c, in); /* Reverse releases the reverse link alone (dts-api.md 3.5) */
	dts_param(c, "JobType", "SYNC");
}

static void precheck(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	dts_call_init(c, a, API_START_DTS_JOB, in->region);
	dts_param(c, "DtsJobId", in->job_id);
}

static void reset(struct dts_call *c, struct arena *a, const struct step_input *in)
{
	dts_call_init(c, a, API_RESET_DTS_JOB, in->region);
	job_ids(c, in);
}

void dts_encode(struct dts_call *out, struct arena *a, enum step s, const struct step_input *in)
{
	switch (s) {
	case DO_BUY:
		buy(out, a, in);
		return;
	case DO_CONFIGURE:
	case DO_CONFIGURE_FREE:
		configure(out, a, in, s == DO_CONFIGURE_FREE);
		return;
	case DO_PRECHECK:
		precheck(out, a, in);
		return;
	case DO_BUY_JOB:
		buy_job(out, a, in);
		return;
	case DO_PARAMS:
		set_parameters(out, a, in);
		return;
	case DO_RENAME:
		rename_job(out, a, in);
		return;
	case DO_PASSWORD_SRC:
	case DO_PASSWORD_DEST:
		password(out, a, in, s == DO_PASSWORD_SRC);
		return;
	case DO_CLASS:
		change_class(out, a, in);
		return;
	case DO_PAYTYPE:
		pay_type(out, a, in);
		return;
	case DO_TWOWAY:
		two_way(out, a, in);
		return;
	case DO_CLUSTER:
		cluster(out, a, in);
		return;
	case DO_GROUP:
		group(out, a, in);
		return;
	case DO_TAGS:
		tags(out, a, in);
		return;
	case DO_UNTAG:
		untag(out, a, in);
		return;
	case DO_OBJECTS:
	case DO_RESERVED:
		modify(out, a, in, s == DO_OBJECTS);
		return;
	case DO_ENDPOINT_SRC:
	case DO_ENDPOINT_DEST:
		endpoint(out, a, in, s == DO_ENDPOINT_SRC);
		return;
	case DO_DELAY_RULE:
	case DO_ERROR_RULE:
		rule(out, a, in, s == DO_DELAY_RULE);
		return;
	case DO_START:
		one_or_many(out, a, in, API_START_DTS_JOB, API_START_DTS_JOBS);
		return;
	case DO_SUSPEND:
		one_or_many(out, a, in, API_SUSPEND_DTS_JOB, API_SUSPEND_DTS_JOBS);
		return;
	case DO_RESET:
		reset(out, a, in);
		return;
	case DO_DELETE:
		erase(out, a, in);
		return;
	case STEP_NONE:
	case DO_WAIT_CREATED:
	case DO_VERIFY:
	case DO_WAIT_GONE:
	case STEP__COUNT:
		break;
	}
	BUG("step %d has no call", (int)s);
}
