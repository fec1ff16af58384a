/* Changes of an existing job (dts-api.md 3.3, 4, 17). */
#include "sim/ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/configure.h"
#include "sim/fields.h"
#include "sim/scenario.h"
#include "sim/world.h"

#define TOKEN_MAX 64

static int modifiable(struct call *c, const struct job *j)
{
	switch (j->status) {
	case ST_SYNCHRONIZING:
		return 0;
	case ST_MODIFYING:
		return call_state(c, "DTS.Msg.OperationDenied.JobStatusModifying");
	case ST_INITIALIZING:
	case ST_PRECHECKING:
	case ST_PRECHECK_PASS:
		return call_state(c, "DTS.Msg.CheckStatus.InvalidInitStatus");
	default:
		return call_state(c, "DTS.Msg.ModifyDenied.JobStatusNotRunning");
	}
}

/*
 * ClientToken: the same token with the same request is the same call; with another one a mistake.
 */
static int check_token(struct call *c, const struct job *j, const char *hash, bool *repeated)
{
	const char *token = arg(c, "ClientToken");

	*repeated = false;
	if (token == NULL)
		return 0;
	if (strlen(token) > TOKEN_MAX)
		return call_bad(c, "ClientToken");
	for (const char *p = token; *p != '\0'; p++)
		if ((unsigned char)*p >= 128)
			return call_bad(c, "ClientToken");
	if (!text_eq(j->token, token))
		return 0;
	if (!text_eq(j->token_hash, hash))
		return call_bad(c, "ClientToken");
	*repeated = true;
	return 0;
}

static void request_hash(struct call *c, char hex[65])
{
	static const char *const names[] = {
		"DbList",
		"FileOssUrl",
		"ModifyTypeEnum",
		"Reserved",
		"DtsInstanceId",
		"DtsJobId",
		"SynchronizationDirection",
		"StructureInitialization",
		"DataInitialization",
		"DataSynchronization",
		"EtlOperatorColumnReference",
		"FilterTableName",
	};
	uint8_t d[32];
	struct buf b;

	buf_init(&b, 4 << 20);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		buf_printf(&b, "%s=%s\n", names[i], str_or(arg(c, names[i])));
	hash_sha256(buf_str(&b), b.n, d);
	hash_hex(d, sizeof(d), hex);
	buf_release(&b);
}

static void answer_modify(struct call *c, const char *job_id)
{
	put(c, c->out, "DtsJobId", job_id);
	put(c, c->out, "Status", "200"); /* the HTTP code, not that of the job (1.1) */
}

static int update_reserved(struct call *c, struct job *j)
{
	struct json *sent = parse_object(c, arg(c, "Reserved"));
	const char *ssl;

	if (arg(c, "Reserved") == NULL)
		return call_missing(c, "Reserved");
	if (sent == NULL)
		return call_bad(c, "Reserved");
	if (configure_check_update(c, j, sent) != 0)
		return -1;
	if (modifiable(c, j) != 0)
		return -1;
	job_touch(c->w, j);
	str_set(&j->reserved, reserved_from(c, j->reserved, sent, j));
	ssl = json_key_text(c, sent, "srcSSL");
	if (ssl != NULL)
		str_set(&j->src.ssl, ssl);
	ssl = json_key_text(c, sent, "destSSL");
	if (ssl != NULL)
		str_set(&j->dst.ssl, ssl);
	answer_modify(c, arena_strdup(c->a, j->id));
	c->effect = true;
	return 0;
}

/* The whole list is replaced; a sub-task works on it while the job is Modifying. */
static int replace_objects(struct call *c, struct job *j)
{
	const char *objects;
	char id[16];

	if (objects_from(c, &objects) != 0 || modifiable(c, j) != 0)
		return -1;
	job_touch(c->w, j);
	world_new_id(c->w, id);
	str_set(&j->sub_job, id);
	job_set_status(c->w, j, ST_MODIFYING);
	str_set(&j->pending_db, objects);
	j->pending_file = objects == NULL;
	job_queue(c->w, j, ST_SYNCHRONIZING, c->w->sc->modify_ms);
	answer_modify(c, arena_strdup(c->a, id)); /* the id of the sub-task, not of the job */
	c->effect = true;
	return 0;
}

int op_modify(struct call *c)
{
	bool reserved = text_eq(arg(c, "ModifyTypeEnum"), "UPDATE_RESERVED"), repeated;
	char hash[65];
	struct job *j;

	if (find_job(c, "DtsInstanceId", false, &j) != 0)
		return -1;
	if (text_eq(j->type, "MIGRATION"))
		return call_state(c, "UnSupportedTaskType");
	request_hash(c, hash);
	if (check_token(c, j, hash, &repeated) != 0)
		return -1;
	if (repeated) {
		answer_modify(c, reserved || j->sub_job == NULL ? j->id : j->sub_job);
		return 0;
	}
	if ((reserved ? update_reserved(c, j) : replace_objects(c, j)) != 0)
		return -1;
	if (arg(c, "ClientToken") != NULL) {
		str_set(&j->token, arg(c, "ClientToken"));
		str_set(&j->token_hash, hash);
	}
	return 0;
}

int op_modify_name(struct call *c)
{
	struct job *j;

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	job_touch(c->w, j);
	str_set(&j->name, arg(c, "DtsJobName"));
	c->effect = true;
	return 0;
}

int op_modify_password(struct call *c)
{
	const char *side = arg(c, "Endpoint");
	struct endpoint *e;
	char hash[65];
	struct job *j;

	if (!text_eq(side, "src") && !text_eq(side, "dest"))
		return call_bad(c, "Endpoint");
	if (find_job(c, "DtsInstanceId", false, &j) != 0)
		return -1;
	if (j->status == ST_NOT_CONFIGURED || j->status == ST_FINISHED)
		return call_state(c, "InvalidJobStatus");
	e = text_eq(side, "src") ? &j->src : &j->dst;
	world_hash_password(c->w, arg(c, "Password"), hash);
	if (text_eq(e->password, hash)) /* 4: must differ from the current one */
		return call_fail(
			c, 400, "InvalidParameter",
			"The Input Parameter Password is not valid: it equals the current one.");
	job_touch(c->w, j);
	str_set(&e->password, hash);
	str_set(&e->user, arg(c, "UserName"));
	c->effect = true;
	return 0;
}

static int check_new_endpoint(struct call *c)
{
	const char *type = arg(c, "EndpointInstanceType");
	bool address = text_ieq(type, "express") || text_ieq(type, "other");
	int64_t n;

	if (address || text_ieq(type, "ecs")) {
		if (arg(c, "EndpointPort") == NULL ||
		    !text_int(arg(c, "EndpointPort"), 1, 65535, &n))
			return call_bad(c, "EndpointPort");
	}
	if (address && arg(c, "EndpointIp") == NULL)
		return call_bad(c, "EndpointIp");
	if (!text_ieq(type, "other") && arg(c, "EndpointInstanceId") == NULL)
		return call_bad(c, "EndpointInstanceId");
	if (!address && !text_ieq(type, "ecs") && arg(c, "EndpointRegionId") == NULL)
		return call_bad(c, "EndpointRegionId");
	if (arg(c, "EndpointRegionId") != NULL && !region_known(arg(c, "EndpointRegionId")))
		return call_bad(c, "EndpointRegionId");
	if (!arg_true(c, "ModifyAccount")) {
		if (arg(c, "Username") != NULL)
			return call_bad(c, "Username");
		if (arg(c, "Password") != NULL)
			return call_bad(c, "Password");
	} else if (arg(c, "Username") == NULL || arg(c, "Password") == NULL) {
		return call_missing(c, arg(c, "Username") == NULL ? "Username" : "Password");
	}
	return configure_check_owner(c, "AliyunUid", "RoleName");
}

static void switch_endpoint(struct call *c, struct endpoint *e)
{
	char hash[65];

	str_set(&e->type, arg(c, "EndpointInstanceType"));
	str_set(&e->instance, arg(c, "EndpointInstanceId"));
	str_set(&e->ip, arg(c, "EndpointIp"));
	str_set(&e->port, arg(c, "EndpointPort"));
	if (arg(c, "EndpointRegionId") != NULL)
		str_set(&e->region, arg(c, "EndpointRegionId"));
	if (arg(c, "Database") != NULL)
		str_set(&e->db, arg(c, "Database"));
	str_set(&e->owner, arg(c, "AliyunUid"));
	str_set(&e->role, arg(c, "RoleName"));
	if (arg_true(c, "ModifyAccount")) {
		str_set(&e->user, arg(c, "Username"));
		world_hash_password(c->w, arg(c, "Password"), hash);
		str_set(&e->password, hash);
	}
}

int op_modify_endpoint(struct call *c)
{
	struct job *j;

	if (find_job(c, "DtsInstanceId", false, &j) != 0 || check_new_endpoint(c) != 0)
		return -1;
	if (j->status == ST_MODIFYING)
		return call_state(c, "DTS.Msg.OperationDenied.JobStatusModifying");
	if (!job_running(j) && j->status != ST_SUSPENDING)
		return call_state(c, "InvalidJobStatus");
	if (arg_true(c, "DryRun")) /* precheck only */
		return 0;
	job_touch(c->w, j);
	switch_endpoint(c, text_eq(arg(c, "Endpoint"), "src") ? &j->src : &j->dst);
	if (job_running(j)) {
		job_set_status(c->w, j, ST_MODIFYING);
		job_queue(c->w, j, job_run_status(j), c->w->sc->modify_ms);
	}
	c->effect = true;
	return 0;
}

/* 17: only while the module runs: 03 the full phase, 04 migration, 07 synchronization, 60 Kafka. */
static bool module_runs(const struct call *c, const struct job *j, const char *module)
{
	if (strcmp(module, "03") == 0)
		return j->status == ST_INITIALIZING ||
		       (!c->w->sc->strict_modules && j->data_init && job_running(j));
	if (strcmp(module, "04") == 0)
		return j->status == ST_MIGRATING;
	if (strcmp(module, "07") == 0)
		return j->status == ST_SYNCHRONIZING;
	return strcmp(module, "60") == 0 && job_running(j) && text_ieq(j->dst.engine, "KAFKA");
}

static bool same_param(const struct json *a, const char *module, const char *name)
{
	return text_eq(json_str(a, "module"), module) && text_eq(json_str(a, "name"), name);
}

static struct json *param_entry(struct call *c, const struct json *p, const char **bad)
{
	const char *value = json_key_text(c, p, "value"), *module = json_str(p, "module"),
		   *name = json_str(p, "name");
	struct json *o = json_new(c->a, JSON_OBJECT);

	*bad = module == NULL ? "module" : name == NULL ? "name" : value == NULL ? "value" : NULL;
	if (*bad != NULL)
		return NULL;
	json_add(o, "module", json_new_str(c->a, module));
	json_add(o, "name", json_new_str(c->a, name));
	json_add(o, "value", json_new_str(c->a, value));
	return o;
}

int op_modify_config(struct call *c)
{
	const char *text = arg(c, "Parameters"), *bad;
	struct json *list = json_parse(c->a, text, strlen(text), NULL),
		    *out = json_new(c->a, JSON_ARRAY), *o;
	struct json *old;
	struct job *j;
	bool again;

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	if (list == NULL || list->type != JSON_ARRAY || list->n == 0)
		return call_bad(c, "Parameters");
	for (const struct json *p = list->child; p != NULL; p = p->next) {
		o = param_entry(c, p, &bad);
		if (o == NULL ||
		    !param_valid(json_str(o, "module"), json_str(o, "name"), json_str(o, "value")))
			return call_bad(c, "Parameters");
		if (!module_runs(c, j, json_str(o, "module")))
			return call_state(c, "InvalidTaskStatus");
		json_add(out, NULL, o);
	}
	old = j->params != NULL ? json_parse(c->a, j->params, strlen(j->params), NULL) : NULL;
	for (const struct json *p = old != NULL ? old->child : NULL; p != NULL; p = p->next) {
		again = false;
		for (const struct json *q = list->child; q != NULL; q = q->next)
			again = again || same_param(q, json_str(p, "module"), json_str(p, "name"));
		if (!again)
			json_add(out, NULL, json_clone(c->a, p));
	}
	job_touch(c->w, j);
	str_set(&j->params, json_write_dup(c->a, out, false));
	c->effect = true;
	return 0;
}

/* 4: three limits are known; -1 lifts one. */
static bool limits_valid(struct call *c, const char *text)
{
	static const char *const known[] = {"dts.datamove.blaster.qps.max",
	                                    "dts.datamove.source.rps.max",
	                                    "dts.datamove.source.bps.max"};
	struct json *o = parse_object(c, text);
	const char *v;
	bool ok = o != NULL;
	int64_t n;

	for (const struct json *m = ok ? o->child : NULL; ok && m != NULL; m = m->next) {
		ok = false;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			ok = ok || strcmp(known[i], m->key) == 0;
		v = json_key_text(c, o, m->key);
		ok = ok && v != NULL && text_int(v, -1, INT64_MAX / 2, &n);
	}
	return ok;
}

int op_modify_dynamic(struct call *c)
{
	const char *list = arg(c, "ConfigList");
	struct job *j;

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	if (list != NULL && !limits_valid(c, list))
		return call_bad(c, "ConfigList");
	if (text_eq(arg(c, "JobCode"), "03") && arg(c, "EnableLimit") == NULL)
		return call_missing(c, "EnableLimit");
	if (text_eq(arg(c, "JobCode"), "03") && !arg_true(c, "EnableLimit"))
		return call_bad(c, "EnableLimit");
	if (job_run_status(j) == ST_MIGRATING ? text_eq(arg(c, "JobCode"), "07")
	                                      : text_eq(arg(c, "JobCode"), "04"))
		return call_state(c, "InvalidTaskStatus"); /* the job has no such module */
	if (!job_running(j) && j->status != ST_INITIALIZING)
		return call_state(c, "InvalidJobStatus");
	job_touch(c->w, j);
	str_set(&j->dynamic, list);
	c->effect = true;
	return 0;
}

int op_modify_cluster(struct call *c)
{
	const char *ids = arg(c, "DtsJobIds"), *cluster = arg(c, "DedicatedClusterId");
	struct json *list = ids != NULL ? json_parse(c->a, ids, strlen(ids), NULL) : NULL;
	struct job *j;

	if (ids == NULL || cluster == NULL)
		return call_missing(c, ids == NULL ? "DtsJobIds" : "DedicatedClusterId");
	if (list == NULL || list->type != JSON_ARRAY || list->n == 0)
		return call_bad(c, "DtsJobIds"); /* JSON here, commas elsewhere (1.4) */
	for (const struct json *v = list->child; v != NULL; v = v->next) {
		if (v->type != JSON_STRING)
			return call_bad(c, "DtsJobIds");
		if (find_job_id(c, v->s, &j) != 0)
			return -1;
		if (j->src.region != NULL && j->dst.region != NULL &&
		    !text_eq(j->src.region, j->dst.region)) /* 3.2: no cross-region jobs there */
			return call_bad(c, "DedicatedClusterId");
	}
	for (const struct json *v = list->child; v != NULL; v = v->next) {
		j = world_job(c->w, v->s);
		job_touch(c->w, j);
		str_set(&j->cluster, cluster);
	}
	c->effect = true;
	return 0;
}

int op_modify_du(struct call *c)
{
	int64_t limit = arg_int(c, "DuLimit", 0);
	struct job *j;

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	if (limit < 1)
		return call_bad(c, "DuLimit");
	if (j->cluster == NULL) /* only means something on a dedicated cluster */
		return call_state(c, "UnSupportedTaskType");
	job_touch(c->w, j);
	j->du_limit = limit;
	c->effect = true;
	return 0;
}
