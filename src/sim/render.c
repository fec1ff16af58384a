/* What a read returns (dts-api.md 4.1 and dts-api/responses.json). */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/items.h"
#include "sim/ops.h"
#include "sim/world.h"

enum status shown_status(const struct job *j)
{
	return j->stale_reads != 0 ? j->stale_status : j->status;
}

const char *shown_items(const struct job *j)
{
	return j->stale_reads != 0 && j->stale_items != NULL ? j->stale_items : j->failed_items;
}

void read_ends(struct call *c, struct job *j)
{
	if (j->stale_reads > 0) {
		j->stale_reads--;
		c->w->changes++;
	}
	if (j->stale_reads == 0 && j->stale_items != NULL)
		str_set(&j->stale_items, NULL);
}

/* How far a job has come, for the states of its modules. */
static int stage(enum status s)
{
	switch (s) {
	case ST_NONE:
	case ST_NOT_CONFIGURED:
	case ST_NOT_STARTED:
		return 0;
	case ST_PRECHECKING:
		return 1;
	case ST_PRECHECK_FAILED:
		return 2;
	case ST_PRECHECK_PASS:
	case ST_STARTING:
		return 3;
	case ST_INITIALIZING:
		return 4;
	case ST_INITIALIZE_FAILED:
		return 5;
	default:
		return 6;
	}
}

const char *precheck_state(const struct job *j)
{
	static const char *const by_stage[] = {"NotStarted", "Checking", "Failed",  "Finished",
	                                       "Finished",   "Finished", "Finished"};

	return by_stage[stage(shown_status(j))];
}

static struct json *module(struct call *c, const char *state, const char *progress)
{
	struct json *o = json_new(c->a, JSON_OBJECT);

	put(c, o, "Status", state);
	put(c, o, "Percent",
	    text_eq(state, "NotStarted")  ? "0"
	    : text_eq(state, "Migrating") ? "50"
	                                  : "100");
	if (progress != NULL)
		put(c, o, "Progress", progress);
	put(c, o, "ErrorMessage",
	    text_eq(state, "Failed")
	            ? "The task has failed for a long time and cannot be recovered."
	            : "");
	return o;
}

static const char *init_state(enum status s, bool wanted)
{
	if (!wanted || stage(s) < 4)
		return "NotStarted";
	return stage(s) == 4 ? "Migrating" : stage(s) == 5 ? "Failed" : "Finished";
}

static const char *sync_state(enum status s, bool wanted)
{
	if (!wanted || stage(s) < 6)
		return "NotStarted";
	switch (s) {
	case ST_FAILED:
	case ST_MIGRATION_FAILED:
	case ST_ABNORMAL:
		return "Failed";
	case ST_SUSPENDING:
		return "Suspending";
	case ST_FINISHED:
		return "Finished";
	case ST_RETRYING:
		return "Migrating";
	default:
		return "Catched";
	}
}

static struct json *precheck(struct call *c, const struct job *j)
{
	struct json *o = json_new(c->a, JSON_OBJECT), *list = json_new(c->a, JSON_ARRAY), *d;
	const char *text = shown_items(j), *state = precheck_state(j);
	struct json *failed = text != NULL ? json_parse(c->a, text, strlen(text), NULL) : NULL;
	bool over = text_eq(state, "Failed") || text_eq(state, "Finished");

	put(c, o, "Status", state);
	put(c, o, "Percent", over ? "100" : text_eq(state, "Checking") ? "50" : "0");
	put(c, o, "ErrorMessage", "");
	for (const struct json *f = failed != NULL && over ? failed->child : NULL; f != NULL;
	     f = f->next) {
		if (json_true(json_get(f, "warning")))
			continue;
		d = json_new(c->a, JSON_OBJECT);
		put(c, d, "CheckItem", json_str(f, "item"));
		put(c, d, "CheckItemDescription",
		    arena_printf(c->a, "%s_DETAIL", json_str(f, "item")));
		put(c, d, "CheckResult", "Failed");
		put(c, d, "FailedReason", json_str(f, "message"));
		put(c, d, "RepairMethod", json_str(f, "repair"));
		json_add(list, NULL, d);
	}
	json_add(o, "Detail", list);
	return o;
}

static const char *ssl_enum(const struct endpoint *e)
{
	if (text_eq(e->ssl, "3"))
		return "ENABLE_ONLY_4_KAFKA_SCRAM_SHA_256";
	if (text_eq(e->ssl, "1"))
		return text_ieq(e->engine, "MONGODB") ? "ENABLE_ONLY_4_MONGODB_ALTAS"
		                                      : "ENABLE_WITH_CERTIFICATE";
	return "DISABLE";
}

static struct json *endpoint(struct call *c, const struct endpoint *e, bool detail)
{
	struct json *o = json_new(c->a, JSON_OBJECT);

	put_text(c, o, "SslSolutionEnum", ssl_enum(e));
	put_text(c, o, "OracleSID", e->sid);
	put_text(c, o, "Region", e->region);
	put_text(c, o, "DatabaseName", e->db);
	put_text(c, o, "Ip", e->ip);
	put_text(c, o, "InstanceID", e->instance);
	put_text(c, o, "Port", e->port);
	put_text(c, o, "InstanceType", e->type);
	put_text(c, o, "UserName", e->user);
	put_text(c, o, "EngineName", e->engine);
	if (detail) { /* owner and role only here (4.1) */
		put_text(c, o, "RoleName", e->role);
		put_text(c, o, "AliyunUid", e->owner);
		put_bool(c, o, "CanModifyPassword", true);
	}
	return o;
}

static void mode(struct call *c, struct json *o, const struct job *j, bool detail)
{
	struct json *m = json_new(c->a, JSON_OBJECT), *check = NULL;

	put_bool(c, m, "DataInitialization", j->data_init);
	put_bool(c, m, "DataSynchronization", j->data_sync);
	put_bool(c, m, "StructureInitialization", j->structure_init);
	if (detail) {
		put_bool(c, m, "DataExtractTransformLoad", false);
	} else {
		check = parse_object(c, j->data_check);
		put_bool(c, m, "FullDataCheck", json_true(json_get(check, "fullDataCheck")));
		put_bool(c, m, "IncDataCheck", json_true(json_get(check, "incrementalDataCheck")));
	}
	json_add(o, "MigrationMode", m);
}

static void error_text(struct call *c, struct json *o, enum status s)
{
	struct json *list, *d;
	bool bad = s == ST_FAILED || s == ST_INITIALIZE_FAILED || s == ST_MIGRATION_FAILED ||
	           s == ST_ABNORMAL;

	put(c, o, "ErrorMessage",
	    bad ? "DTS-070211: Connect Source DB failed. cause by [com.mysql.jdbc.exceptions]"
	        : "");
	if (!bad)
		return;
	list = json_new(c->a, JSON_ARRAY);
	d = json_new(c->a, JSON_OBJECT);
	put(c, d, "ErrorCode", "DTS-070211");
	put(c, d, "HelpUrl", "https://help.aliyun.com/zh/dts/");
	json_add(list, NULL, d);
	json_add(o, "ErrorDetails", list);
}

/*
 * Does the checkpoint move? Open (22); here it does while the job runs, InitCheckpoint is what was
 * configured.
 */
static void checkpoint(struct call *c, struct json *o, const struct job *j, bool detail)
{
	const char *first = j->checkpoint;

	if (first == NULL && j->begun_wall != 0)
		first = arena_printf(c->a, "%lld", (long long)(j->begun_wall / 1000));
	put_text(c, o, "Checkpoint",
	         job_running(j) ? arena_printf(c->a, "%lld", (long long)(c->w->wall_ms / 1000))
	                        : first);
	if (detail)
		put_text(c, o, "InitCheckpoint", first);
}

static void common(struct call *c, struct json *o, const struct instance *i, const struct job *j,
                   bool detail)
{
	put_time(c, o, "CreateTime", j->created_wall);
	put_text(c, o, "DtsJobName", j->name);
	put(c, o, "DtsJobId", j->id);
	put_text(c, o, "DtsInstanceID", j->instance);
	if (i != NULL) {
		put(c, o, "DtsJobClass", i->cls);
		put(c, o, "PayType", i->pay_type);
		put_time(c, o, "ExpireTime", i->expire_wall);
		if (text_eq(i->arch, "bidirectional"))
			put(c, o, "DtsJobDirection", j->dir);
	}
	put_time(c, o, "BeginTimestamp", j->begun_wall);
	put_time(c, o, "EndTimestamp", j->finished_wall);
	json_add(o, "DestinationEndpoint", endpoint(c, &j->dst, detail));
	json_add(o, "SourceEndpoint", endpoint(c, &j->src, detail));
	mode(c, o, j, detail);
	if (!arg_true(c, "WithoutDbList"))
		put_text(c, o, "DbObject", j->db_object);
	put_text(c, o, "Reserved", j->reserved);
	put(c, o, "DtsBisLabel", j->bis_label);
	put(c, o, "DedicatedClusterId", j->cluster);
	put(c, o, "ResourceGroupId", i != NULL ? i->group : j->group);
	put(c, o, "ResourceGroupDisplayName", "default resource group");
	checkpoint(c, o, j, detail);
	error_text(c, o, shown_status(j));
}

static void tag_list(struct call *c, struct json *o, const struct instance *i)
{
	struct json *list = json_new(c->a, JSON_ARRAY), *tags = parse_object(c, i->tags), *t;

	for (const struct json *m = tags != NULL ? tags->child : NULL; m != NULL; m = m->next) {
		t = json_new(c->a, JSON_OBJECT);
		put(c, t, "TagKey", m->key);
		put(c, t, "TagValue", m->s);
		json_add(list, NULL, t);
	}
	json_add(o, "TagList", list);
}

struct json *render_list_item(struct call *c, const struct instance *i, const struct job *j,
                              bool nested)
{
	struct json *o = json_new(c->a, JSON_OBJECT), *perf;
	enum status s = shown_status(j);
	bool migration = text_eq(j->type, "MIGRATION");

	put(c, o, "Status", st_name(s));
	common(c, o, i, j, false);
	json_add(o, "PrecheckStatus", precheck(c, j));
	json_add(o, "StructureInitializationStatus",
	         module(c, init_state(s, j->structure_init), "1"));
	json_add(o, "DataInitializationStatus", module(c, init_state(s, j->data_init), "44755"));
	json_add(o, "DataSynchronizationStatus", module(c, sync_state(s, j->data_sync), "0/0"));
	/* 4.1: milliseconds for migration, seconds for synchronization; 22 #20. */
	put_int(c, o, "Delay", job_running(j) ? (migration ? 300 : 0) : -1);
	perf = json_new(c->a, JSON_OBJECT);
	put(c, perf, "Rps", job_running(j) ? "100" : "0");
	put(c, perf, "Flow", job_running(j) ? "1" : "0");
	json_add(o, "Performance", perf);
	if (nested) /* no TagList, no JobType in a ReverseJob (4.1) */
		return o;
	put(c, o, "JobType", j->type);
	put(c, o, "OriginType", "DTS");
	if (i != NULL)
		tag_list(c, o, i);
	else
		json_add(o, "TagList", json_new(c->a, JSON_ARRAY));
	return o;
}

static struct json *sub_job(struct call *c, const struct job *j)
{
	struct json *o = json_new(c->a, JSON_OBJECT);

	put(c, o, "DtsJobId", j->sub_job);
	put(c, o, "DtsInstanceID", str_or(j->instance));
	put(c, o, "JobType", "subSync");
	put(c, o, "Status", j->status == ST_MODIFYING ? "Migrating" : "Finished");
	json_add(o, "PrecheckStatus", precheck(c, j));
	return o;
}

void render_detail(struct call *c, struct json *o, const struct instance *i, const struct job *j)
{
	enum status s = shown_status(j);
	struct json *subs = json_new(c->a, JSON_ARRAY);

	common(c, o, i, j, true);
	/* 1.4: lower case in Detail, and only this one. */
	put(c, o, "Status", s == ST_SYNCHRONIZING ? "synchronizing" : st_name(s));
	put(c, o, "JobType",
	    text_eq(j->type, "SYNC")        ? "sync"
	    : text_eq(j->type, "MIGRATION") ? "migration"
	                                    : "subscribe");
	put(c, o, "TaskType", "ONLINE");
	if (i != NULL && text_eq(i->arch, "bidirectional"))
		put(c, o, "SynchronizationDirection", j->dir);
	if (i != NULL)
		put_int(c, o, "DatabaseCount", i->databases);
	put(c, o, "GroupId", i != NULL ? i->group : j->group); /* 2: the resource group, too */
	put_time(c, o, "FinishTime", j->finished_wall);
	put_time(c, o, "BootTime", j->begun_wall);
	put_time(c, o, "LastUpdateTime", c->w->wall_ms);
	put_int(c, o, "Delay", job_running(j) ? 0 : -1);
	json_add(o, "DataSynchronizationStatus", module(c, sync_state(s, j->data_sync), "0/0"));
	/* only the running or the latest sub-task unless the history is wanted */
	if (j->sub_job != NULL)
		json_add(subs, NULL, sub_job(c, j));
	json_add(o, "SubSyncJob", subs);
	json_add(o, "SubDistributedJob", json_new(c->a, JSON_ARRAY));
}
