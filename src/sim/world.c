#include "sim/world.h"

#include <string.h>

#include "base/hash.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim/fence.h"
#include "sim/fields.h"
#include "sim/limits.h"
#include "sim/scenario.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define LOCKED_MS (7 * DAY_MS) /* 3.1: then it is released */

static const char *const names[ST__COUNT] = {
	[ST_NONE] = "",
	[ST_NOT_CONFIGURED] = "NotConfigured",
	[ST_NOT_STARTED] = "NotStarted",
	[ST_PRECHECKING] = "Prechecking",
	[ST_PRECHECK_FAILED] = "PrecheckFailed",
	[ST_PRECHECK_PASS] = "PreCheckPass",
	[ST_INITIALIZING] = "Initializing",
	[ST_INITIALIZE_FAILED] = "InitializeFailed",
	[ST_SYNCHRONIZING] = "Synchronizing",
	[ST_MIGRATING] = "Migrating",
	[ST_MIGRATION_FAILED] = "MigrationFailed",
	[ST_STARTING] = "Starting",
	[ST_NORMAL] = "Normal",
	[ST_ABNORMAL] = "Abnormal",
	[ST_FAILED] = "Failed",
	[ST_SUSPENDING] = "Suspending",
	[ST_MODIFYING] = "Modifying",
	[ST_RETRYING] = "Retrying",
	[ST_UPGRADE] = "Upgrade",
	[ST_DOWNGRADE] = "Downgrade",
	[ST_LOCKED] = "Locked",
	[ST_FINISHED] = "Finished",
};

const char *st_name(enum status s)
{
	return names[s];
}

enum status st_parse(const char *s)
{
	for (int i = 1; i < ST__COUNT; i++)
		if (strcmp(names[i], s) == 0)
			return (enum status)i;
	return ST_NONE;
}

void world_init(struct world *w, struct scenario *sc)
{
	uint8_t salt[16];
	char hex[33];

	memset(w, 0, sizeof(*w));
	arena_init(&w->arena);
	map_init(&w->by_inst, &w->arena);
	map_init(&w->by_job, &w->arena);
	w->sc = sc;
	w->region = "cn-hangzhou";
	w->fence = fence_new();
	w->buckets = buckets_new();
	if (sc->seeded)
		w->rng = sc->seed;
	else
		sys_random(&w->rng, sizeof(w->rng));
	sys_random(salt, sizeof(salt));
	hash_hex(salt, sizeof(salt), hex);
	str_set(&w->salt, hex);
}

static void job_free(struct job *j)
{
	if (j->listed != NULL)
		job_free(j->listed); /* one level: a copy has no copy */
	fields_free(job_fields, job_nfields, j);
	sys_free(j);
}

void world_release(struct world *w)
{
	for (size_t i = 0; i < w->job.n; i++)
		job_free(w->job.v[i]);
	for (size_t i = 0; i < w->inst.n; i++) {
		fields_free(instance_fields, instance_nfields, w->inst.v[i]);
		sys_free(w->inst.v[i]);
	}
	str_set(&w->salt, NULL);
	str_set(&w->last_purchase, NULL);
	fence_free(w->fence);
	buckets_free(w->buckets);
	arena_release(&w->arena);
	memset(w, 0, sizeof(*w));
}

uint64_t world_random(struct world *w)
{
	uint64_t z = (w->rng += 0x9e3779b97f4a7c15u); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int64_t world_after(const struct world *w, int64_t ms)
{
	return w->instant ? w->now_ms : w->now_ms + ms;
}

void world_new_id(struct world *w, char out[16])
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char inst[20] = "dts";

	do {
		for (int i = 0; i < 15; i++)
			out[i] = set[world_random(w) % (i == 0 ? 26 : 36)];
		out[15] = '\0';
		memcpy(inst + 3, out, 16);
	} while (map_get(&w->by_job, out) != MAP_NONE || map_get(&w->by_inst, inst) != MAP_NONE);
}

struct instance *instance_new(struct world *w, const char *id)
{
	struct instance *i = sys_malloc(sizeof(*i));

	memset(i, 0, sizeof(*i));
	str_set(&i->id, id);
	i->created_wall = w->wall_ms;
	map_put(&w->by_inst, arena_strdup(&w->arena, id), (uint32_t)w->inst.n);
	*VEC_PUSH(&w->arena, &w->inst) = i;
	w->changes++;
	return i;
}

struct job *job_new(struct world *w, const char *id)
{
	struct job *j = sys_malloc(sizeof(*j));

	memset(j, 0, sizeof(*j));
	str_set(&j->id, id);
	str_set(&j->dir, "Forward");
	j->status = ST_NOT_CONFIGURED;
	j->created_wall = w->wall_ms;
	if (!w->instant)
		j->hidden_until_ms = w->now_ms + w->sc->lag_ms;
	map_put(&w->by_job, arena_strdup(&w->arena, id), (uint32_t)w->job.n);
	*VEC_PUSH(&w->arena, &w->job) = j;
	w->changes++;
	return j;
}

struct instance *world_instance(struct world *w, const char *id)
{
	uint32_t at = id != NULL ? map_get(&w->by_inst, id) : MAP_NONE;
	struct instance *i;

	if (at == MAP_NONE)
		return NULL;
	i = w->inst.v[at];
	instance_settle(w, i);
	if (i->gone_ms != 0 && (w->instant || w->now_ms >= i->gone_ms + w->sc->finished_ms))
		return NULL;
	return i;
}

bool job_forgotten(const struct world *w, const struct job *j)
{
	return j->gone_ms != 0 && (w->instant || w->now_ms >= j->gone_ms + w->sc->finished_ms);
}

struct job *world_job(struct world *w, const char *id)
{
	uint32_t at = id != NULL ? map_get(&w->by_job, id) : MAP_NONE;
	struct job *j;

	if (at == MAP_NONE)
		return NULL;
	j = w->job.v[at];
	if (job_forgotten(w, j))
		return NULL;
	job_settle(w, j);
	return job_forgotten(w, j) ? NULL : j; /* it may have expired long ago */
}

struct instance *job_instance(struct world *w, const struct job *j)
{
	uint32_t at = j->instance != NULL ? map_get(&w->by_inst, j->instance) : MAP_NONE;

	return at != MAP_NONE ? w->inst.v[at] : NULL;
}

bool job_running(const struct job *j)
{
	return j->status == ST_SYNCHRONIZING || j->status == ST_MIGRATING || j->status == ST_NORMAL;
}

enum status job_run_status(const struct job *j)
{
	if (text_eq(j->type, "MIGRATION") || text_eq(j->type, "CHECK"))
		return ST_MIGRATING;
	return text_eq(j->type, "SUBSCRIBE") ? ST_NORMAL : ST_SYNCHRONIZING;
}

/* What a turn brings with it: the change that was under way becomes visible now. */
static void turn_apply(struct world *w, struct job *j, enum status to, int64_t at_ms)
{
	struct instance *i = job_instance(w, j);

	if (j->status == ST_MODIFYING && (j->pending_db != NULL || j->pending_file)) {
		str_set(&j->db_object, j->pending_db);
		str_set(&j->pending_db, NULL);
		j->pending_file = false;
	}
	if (j->status == ST_UPGRADE && i != NULL && i->pending_cls != NULL) {
		str_set(&i->cls, i->pending_cls);
		str_set(&i->pending_cls, NULL);
	}
	j->status = to;
	j->past_resuming = false;
	j->locked_from = ST_NONE;
	j->suspended_ms = to == ST_SUSPENDING ? (at_ms > 0 ? at_ms : 1) : 0;
	if (to == ST_FINISHED)
		j->finished_wall = w->wall_ms;
}

static void release_job(struct world *w, struct job *j, int64_t at_ms)
{
	if (j->gone_ms != 0)
		return;
	job_touch(w, j);
	job_set_status(w, j, ST_FINISHED);
	j->gone_ms = at_ms > 0 ? at_ms : 1;
}

static void release_instance(struct world *w, struct instance *i, int64_t at_ms)
{
	struct job *f, *r;

	i->gone_ms = at_ms > 0 ? at_ms : 1; /* first: settling a job settles its instance */
	f = world_job(w, i->forward);
	r = world_job(w, i->reverse);
	if (f != NULL)
		release_job(w, f, at_ms);
	if (r != NULL)
		release_job(w, r, at_ms);
	w->changes++;
}

/* What was under way waits behind the lock: nothing of it is lost, nothing goes on. */
static void lock_job(struct world *w, struct job *j, bool lock)
{
	if (lock && j->status != ST_LOCKED && j->status != ST_FINISHED) {
		j->locked_from = j->status;
		j->status = ST_LOCKED;
		w->changes++;
	} else if (!lock && j->locked_from != ST_NONE) {
		j->status = j->locked_from;
		j->locked_from = ST_NONE;
		w->changes++;
	}
}

void instance_settle(struct world *w, struct instance *i)
{
	const char *const ids[] = {i->forward, i->reverse};
	bool over = i->expire_ms != 0 && w->now_ms >= i->expire_ms;
	uint32_t at;

	if (i->gone_ms != 0)
		return;
	if (over && w->now_ms - i->expire_ms >= LOCKED_MS) {
		release_instance(w, i, i->expire_ms + LOCKED_MS);
		return;
	}
	for (size_t k = 0; k < 2; k++) {
		at = ids[k] != NULL ? map_get(&w->by_job, ids[k]) : MAP_NONE;
		if (at != MAP_NONE && w->job.v[at]->gone_ms == 0)
			lock_job(w, w->job.v[at], over);
	}
}

void job_settle(struct world *w, struct job *j)
{
	struct instance *i = job_instance(w, j);
	size_t done = 0;

	if (i != NULL)
		instance_settle(w, i);
	if (j->locked_from != ST_NONE)
		return;
	while (done < j->next.n && (w->instant || j->next.v[done].at_ms <= w->now_ms)) {
		turn_apply(w, j, j->next.v[done].to, j->next.v[done].at_ms);
		done++;
	}
	if (done > 0) {
		j->next.n -= done;
		memmove(j->next.v, j->next.v + done, j->next.n * sizeof(j->next.v[0]));
		w->changes++;
	}
	/* 3.6: more than seven days of pause make a failure that nothing resumes. */
	if (j->status == ST_SUSPENDING && j->suspended_ms != 0 &&
	    w->now_ms - j->suspended_ms > 7 * DAY_MS) {
		turn_apply(w, j, ST_FAILED, w->now_ms);
		j->past_resuming = true;
	}
}

void job_touch(struct world *w, struct job *j)
{
	w->changes++;
	if (w->instant || w->sc->lag_ms == 0)
		return;
	if (j->listed != NULL && w->now_ms < j->listed_until_ms)
		return; /* the older picture stays until its time is over */
	if (j->listed != NULL)
		job_free(j->listed);
	j->listed = sys_malloc(sizeof(*j->listed));
	memset(j->listed, 0, sizeof(*j->listed));
	fields_copy(job_fields, job_nfields, j, j->listed);
	j->listed_until_ms = w->now_ms + w->sc->lag_ms;
}

void job_list_as(struct world *w, struct job *fresh, const struct job *old)
{
	fresh->hidden_until_ms = 0;
	if (w->instant || w->sc->lag_ms == 0)
		return;
	fresh->listed = sys_malloc(sizeof(*fresh->listed));
	memset(fresh->listed, 0, sizeof(*fresh->listed));
	fields_copy(job_fields, job_nfields, old, fresh->listed);
	fresh->listed_until_ms = w->now_ms + w->sc->lag_ms;
}

const struct job *job_as_listed(struct world *w, struct job *j)
{
	job_settle(w, j);
	if (w->now_ms < j->hidden_until_ms && !w->instant)
		return NULL;
	if (j->listed == NULL)
		return j;
	if (!w->instant && w->now_ms < j->listed_until_ms)
		return j->listed;
	job_free(j->listed);
	j->listed = NULL;
	return j;
}

void job_set_status(struct world *w, struct job *j, enum status s)
{
	j->next.n = 0;
	turn_apply(w, j, s, w->now_ms);
	w->changes++;
}

void job_queue(struct world *w, struct job *j, enum status s, int64_t after_ms)
{
	int64_t base = j->next.n > 0 ? j->next.v[j->next.n - 1].at_ms : w->now_ms;

	if (j->next.n == TURNS_MAX)
		return;
	j->next.v[j->next.n].at_ms = w->instant ? w->now_ms : base + after_ms;
	j->next.v[j->next.n++].to = s;
	job_settle(w, j);
}

void instance_release(struct world *w, struct instance *i)
{
	release_instance(w, i, w->now_ms);
}

void job_release(struct world *w, struct job *j)
{
	release_job(w, j, w->now_ms);
}

void world_hash_password(const struct world *w, const char *password, char out[65])
{
	uint8_t h[32];

	hash_hmac_sha256(w->salt, strlen(w->salt), password, strlen(password), h);
	hash_hex(h, sizeof(h), out);
}
