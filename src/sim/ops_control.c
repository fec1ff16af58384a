/* Start, suspend, stop, reset, delete: single and in batches (dts-api.md 3.3, 4). */
#include "sim/ops.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/scenario.h"
#include "sim/world.h"

#define BATCH_MAX 10
#define LONG_GONE (-(INT64_C(1) << 60))

/* Scenario [stale-failure.*]: the failure of the time before lingers, or the start is swallowed. */
static bool stale_begins(struct call *c, struct job *j, bool reset, enum status old)
{
	struct stale_row *r;

	if (old != ST_PRECHECK_FAILED && old != ST_FAILED && old != ST_INITIALIZE_FAILED)
		return false;
	for (size_t i = 0; i < c->w->sc->stale.n; i++) {
		r = &c->w->sc->stale.v[i];
		if (!(reset ? r->on_reset : r->on_start) || !glob_list(r->job, str_or(j->name)))
			continue;
		if (r->times != 0 && r->fired >= r->times)
			continue;
		r->fired++;
		j->stale_status = old;
		if (j->failed_items != NULL)
			str_set(&j->stale_items, j->failed_items);
		j->stale_reads = r->reads;
		return r->reads < 0;
	}
	return false;
}

static int start_job(struct call *c, struct job *j)
{
	enum status old = j->status;

	if (j->past_resuming)
		return call_state(c, "InvalidJobStatus");
	switch (j->status) {
	case ST_NOT_CONFIGURED:
	case ST_LOCKED:
	case ST_FINISHED:
		return call_state(c, "InvalidJobStatus");
	case ST_PRECHECK_PASS:
		if (j->instance == NULL) /* past the precheck it costs money */
			return call_state(c, "DTS.Msg.OperationDenied.NotPurchased");
		if (j->next.n > 0)
			return 0;
		job_touch(c->w, j);
		job_start_modules(c->w, j, true);
		break;
	case ST_NOT_STARTED:
	case ST_PRECHECK_FAILED:
		job_touch(c->w, j);
		if (stale_begins(c, j, false, old))
			break;
		job_start_precheck(c->w, j, j->instance != NULL);
		break;
	case ST_FAILED:
	case ST_MIGRATION_FAILED:
	case ST_INITIALIZE_FAILED:
	case ST_ABNORMAL:
	case ST_SUSPENDING:
		job_touch(c->w, j);
		if (stale_begins(c, j, false, old))
			break;
		/* 3.3: resumes without a new precheck; full phases go on where they were. */
		job_start_modules(c->w, j, old == ST_INITIALIZE_FAILED);
		break;
	default: /* it runs, or is about to: the provider starts such jobs all the time (13) */
		return 0;
	}
	c->effect = true;
	return 0;
}

static int suspend_job(struct call *c, struct job *j)
{
	if (j->status == ST_SUSPENDING || text_eq(j->type, "SUBSCRIBE"))
		return 0; /* 3.6: on a change-tracking job it answers success and does nothing */
	if (!job_running(j) && j->status != ST_INITIALIZING)
		return call_state(c, j->status == ST_MODIFYING
		                             ? "DTS.Msg.OperationDenied.JobStatusModifying"
		                             : "InvalidJobStatus");
	job_touch(c->w, j);
	j->next.n = 0;
	job_queue(c->w, j, ST_SUSPENDING, c->w->sc->suspend_ms);
	c->effect = true;
	return 0;
}

static int stop_job(struct call *c, struct job *j)
{
	if (!job_running(j)) /* 3.3 */
		return call_state(c, "InvalidJobStatus");
	job_touch(c->w, j);
	j->next.n = 0;
	j->stopped = true;
	job_queue(c->w, j, ST_FINISHED, c->w->sc->suspend_ms);
	c->effect = true;
	return 0;
}

/* 3.6: what is paid in advance is not released by the API. */
static int releasable(struct call *c, const struct instance *i)
{
	if (i == NULL || !text_eq(i->pay_type, "PrePaid"))
		return 0;
	return call_fail(c, 403, "OperationDenied",
	                 "A PrePaid instance cannot be released; unsubscribe it in the console.");
}

/* Releases what was bought (3.7). Reverse job: only that link. */
static int delete_job(struct call *c, struct job *j)
{
	struct instance *i = job_instance(c->w, j);

	if (releasable(c, i) != 0)
		return -1;
	if (i == NULL || text_eq(j->dir, "Reverse"))
		job_release(c->w, j);
	else
		instance_release(c->w, i);
	c->effect = true;
	return 0;
}

static int single(struct call *c, int (*act)(struct call *, struct job *))
{
	struct job *j;

	if (find_job(c, "DtsInstanceId", false, &j) != 0)
		return -1;
	return act(c, j);
}

int op_start(struct call *c)
{
	return single(c, start_job);
}

int op_suspend(struct call *c)
{
	return single(c, suspend_job);
}

int op_stop(struct call *c)
{
	return single(c, stop_job);
}

int op_delete(struct call *c)
{
	return single(c, delete_job);
}

static int batch_ids(struct call *c, struct job **v, size_t *n)
{
	const char *list = arg(c, "DtsJobIds");
	char *id;

	/* 1.4: comma separated here, a JSON array only in ModifyDtsJobDedicatedCluster. */
	if (list[0] == '[')
		return call_bad(c, "DtsJobIds");
	for (*n = 0; (id = text_field(c->a, list, ',', *n)) != NULL; (*n)++) {
		if (*n == BATCH_MAX || id[0] == '\0')
			return call_bad(c, "DtsJobIds");
		v[*n] = world_job(c->w, id);
		if (v[*n] == NULL || v[*n]->gone_ms != 0 || !text_eq(v[*n]->region, c->region))
			v[*n] = NULL;
	}
	return 0;
}

/*
 * One envelope for all (section 4). Whether one bad id fails all is not
 * documented: by default an unknown id refuses the whole call and a job in
 * the wrong state stops it half way; with partial_batch the good ones happen
 * in any case and the error comes last.
 */
static int batch(struct call *c, int (*act)(struct call *, struct job *))
{
	struct job *v[BATCH_MAX];
	bool partial = c->w->sc->partial_batch;
	int rc = 0;
	size_t n = 0;

	if (batch_ids(c, v, &n) != 0)
		return -1;
	for (size_t i = 0; i < n && !partial; i++)
		if (v[i] == NULL)
			return call_gone(c);
	for (size_t i = 0; i < n; i++) {
		if (v[i] == NULL ? call_gone(c) : act(c, v[i])) {
			rc = -1;
			if (!partial)
				break;
		}
	}
	return rc;
}

int op_start_batch(struct call *c)
{
	return batch(c, start_job);
}

int op_suspend_batch(struct call *c)
{
	return batch(c, suspend_job);
}

int op_stop_batch(struct call *c)
{
	return batch(c, stop_job);
}

int op_delete_batch(struct call *c)
{
	return batch(c, delete_job);
}

/*
 * DeleteSynchronizationJob, DeleteMigrationJob: the id is the instance id, the code for "gone"
 * another one (7).
 */
int op_delete_old(struct call *c)
{
	bool sync = text_eq(c->action, "DeleteSynchronizationJob");
	const char *id = arg(c, sync ? "SynchronizationJobId" : "MigrationJobId");
	struct instance *i = world_instance(c->w, id);
	struct job *j;

	if (i == NULL || i->gone_ms != 0 || !text_eq(i->region, c->region) ||
	    !text_eq(i->type, sync ? "SYNC" : "MIGRATION"))
		return call_state(c, "InvalidJobId");
	c->instance = arena_strdup(c->a, i->id);
	j = instance_job(c->w, i, false);
	if (j != NULL)
		return delete_job(c, j);
	if (releasable(c, i) != 0)
		return -1;
	instance_release(c->w, i);
	c->effect = true;
	return 0;
}

/* The job is deleted and another one made; instance and billing stay (3.3). */
int op_reset(struct call *c)
{
	struct instance *i;
	struct job *j, *fresh;
	char id[16];

	if (find_job(c, "DtsInstanceId", false, &j) != 0)
		return -1;
	i = job_instance(c->w, j);
	if (i == NULL)
		return call_state(c, "DTS.Msg.OperationDenied.NotPurchased");
	if (text_eq(i->type, "MIGRATION"))
		return call_state(c, "UnSupportedTaskType");
	if (j->status == ST_PRECHECKING || j->status == ST_LOCKED || j->status == ST_STARTING)
		return call_state(c, "InvalidJobStatus");
	world_new_id(c->w, id);
	fresh = job_blank(c->w, id, i, text_eq(j->dir, "Reverse"));
	/* [precheck.*] times counts on: it is the same job to its owner. */
	fresh->prechecks = j->prechecks;
	if (j->status == ST_PRECHECK_FAILED)
		str_set(&fresh->failed_items, j->failed_items);
	str_set(&fresh->name, j->name); /* for the globs of the scenario */
	if (stale_begins(c, fresh, true, j->status))
		job_set_status(c->w, fresh, ST_PRECHECK_FAILED);
	str_set(&fresh->name, i->id);
	job_list_as(c->w, fresh, j);
	j->gone_ms = LONG_GONE; /* forgotten at once: the old id is stale (13 #25) */
	c->effect = true;
	return 0;
}

/*
 * A switch-back task: always synchronization, incremental only, prechecks at once, writer idle
 * (4).
 */
int op_create_reverse(struct call *c)
{
	struct instance *i, *of;
	struct job *j, *r;
	char id[16];

	if (find_job_id(c, arg(c, "DtsJobId"), &j) != 0)
		return -1;
	of = job_instance(c->w, j);
	if (of == NULL || text_eq(of->arch, "bidirectional"))
		return call_state(c, "UnSupportedTaskType");
	if (!job_running(j))
		return call_state(c, "InvalidJobStatus");
	world_new_id(c->w, id);
	i = instance_new(c->w, arena_printf(c->a, "dts%s", id));
	str_set(&i->type, "SYNC");
	str_set(&i->region, of->region);
	str_set(&i->src_engine, of->dst_engine);
	str_set(&i->src_region, of->dst_region);
	str_set(&i->dst_engine, of->src_engine);
	str_set(&i->dst_region, of->src_region);
	str_set(&i->pay_type, of->pay_type);
	i->expire_wall = of->expire_wall;
	i->expire_ms = of->expire_ms;
	str_set(&i->cls, of->cls);
	str_set(&i->arch, "oneway");
	str_set(&i->group, of->group);
	world_new_id(c->w, id); /* 2: an instance id unrelated to the job id */
	r = job_blank(c->w, id, i, false);
	str_set(&r->name, arena_printf(c->a, "%s_reverse", str_or(j->name)));
	r->data_sync = true;
	str_set(&r->db_object, j->db_object);
	str_set(&r->src.type, j->dst.type);
	str_set(&r->src.instance, j->dst.instance);
	str_set(&r->dst.type, j->src.type);
	str_set(&r->dst.instance, j->src.instance);
	job_start_precheck(c->w, r, true);
	put(c, c->out, "DtsInstanceId", i->id);
	put(c, c->out, "DtsJobId", r->id);
	c->effect = true;
	return 0;
}
