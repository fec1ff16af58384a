/*
 * The world of the simulator: instances, jobs and their life cycle. All times
 * called *_ms without more are milliseconds of the service clock, which runs
 * `scale` times as fast as real time; *_wall are real time. Progress is
 * computed when somebody looks (job_settle), never by timers.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"

struct buf;
struct err;
struct fence;
struct scenario;

/* dts-api.md 3.1 */
enum status {
	ST_NONE,
	ST_NOT_CONFIGURED,
	ST_NOT_STARTED,
	ST_PRECHECKING,
	ST_PRECHECK_FAILED,
	ST_PRECHECK_PASS,
	ST_INITIALIZING,
	ST_INITIALIZE_FAILED,
	ST_SYNCHRONIZING,
	ST_MIGRATING,
	ST_MIGRATION_FAILED,
	ST_STARTING,
	ST_NORMAL,
	ST_ABNORMAL,
	ST_FAILED,
	ST_SUSPENDING,
	ST_MODIFYING,
	ST_RETRYING,
	ST_UPGRADE,
	ST_DOWNGRADE,
	ST_LOCKED,
	ST_FINISHED,
	ST__COUNT
};
const char *st_name(enum status s);  /* as the list spells it */
enum status st_parse(const char *s); /* ST_NONE if unknown; case counts */

#define TURNS_MAX 12
struct turn {
	int64_t at_ms;
	enum status to;
};
struct turns {
	struct turn v[TURNS_MAX];
	size_t n;
};

struct endpoint {
	char *type, *engine, *instance, *region, *ip, *port, *sid, *db, *user, *owner, *role;
	char *password; /* salted hash */
	char *ssl;      /* "0" "1" "3" */
};

enum rule_type { RULE_DELAY, RULE_ERROR, RULE_FULL, RULE__COUNT };
struct rule {
	char *state, *phone; /* state NULL: no such rule */
	int64_t delay_s, notice, period, times;
};

struct job {
	char *id, *instance, *dir, *name, *type, *region, *group;
	enum status status;
	struct turns next;
	struct endpoint src, dst;
	struct rule rule[RULE__COUNT];
	bool structure_init, data_init, data_sync;
	char *db_object, *reserved, *data_check, *checkpoint, *bis_label, *cluster;
	char *params;  /* changed runtime parameters: [{"module","name","value"}] */
	char *dynamic; /* last ConfigList */
	int64_t du_limit;
	char *stale_items;
	char *failed_items;  /* of the last precheck: [{"item","message","repair"}] */
	char *skipped;       /* "ITEM,ITEM" */
	int64_t prechecks;   /* how many were run, for [precheck.*] times */
	int64_t stale_reads; /* reads that still show stale_status; -1: for ever */
	enum status stale_status;
	int64_t created_wall, begun_wall, finished_wall;
	int64_t hidden_until_ms;       /* a fresh job is not in the lists yet */
	enum status locked_from;       /* Locked by expiry: what a renewal leads back to */
	int64_t suspended_ms, gone_ms; /* gone_ms: released; visible as Finished for a while */
	bool stopped;
	bool past_resuming; /* Failed because it was paused too long (3.6): nothing starts it */
	bool pending_file;  /* objects come from a file that is not read here */
	char *pending_db, *sub_job, *token, *token_hash;
	struct job *listed; /* what lists show until listed_until_ms */
	int64_t listed_until_ms;
};

struct instance {
	char *id, *region, *type, *src_engine, *src_region, *dst_engine, *dst_region;
	char *pay_type, *cls, *arch, *group, *tags, *pending_cls;
	char *forward, *reverse; /* job ids; NULL: none (any more) */
	int64_t created_wall, databases;
	int64_t expire_wall, expire_ms; /* the same moment: as answers tell it, as it comes */
	int64_t gone_ms;
	bool stranger; /* bought by somebody else (scenario) */
};

struct bucket;

struct world {
	struct arena arena; /* ids and indexes */
	VEC(struct instance *) inst;
	VEC(struct job *) job;
	struct map by_inst, by_job;
	struct scenario *sc, *spare; /* spare: room for the next one, NULL if it may not change */
	int64_t advance_ms;          /* service time added by hand (/_sim/advance) */
	struct fence *fence;
	struct bucket *buckets;
	uint64_t rng;
	char *salt;
	const char *key_id, *key_secret, *region;
	bool instant;            /* time scale 0 */
	int64_t now_ms, wall_ms; /* of the request being handled */
	char *last_purchase;     /* instance id: what a stranger buys, too */
	int64_t requests;
	uint64_t token_hash; /* the security token in use, and how often it was seen */
	int64_t token_used;
	uint64_t changes; /* counts effects; the saver compares */
	uint64_t lists;   /* bumped whenever anything a list shows may have changed */
};

void world_init(struct world *w, struct scenario *sc);
void world_release(struct world *w);
uint64_t world_random(struct world *w); /* from the world's own seed */
int64_t world_after(const struct world *w,
                    int64_t ms); /* now + ms, or now when everything is immediate */

struct instance *instance_new(struct world *w, const char *id);
struct job *job_new(struct world *w, const char *id);
void world_new_id(struct world *w, char out[16]); /* 15 characters, unused */
/* NULL if unknown or forgotten. A released object is found until it is forgotten (3.7). */
struct instance *world_instance(struct world *w, const char *id);
struct job *world_job(struct world *w, const char *id);              /* settled */
struct instance *job_instance(struct world *w, const struct job *j); /* NULL: not purchased */

/* 3.6: locks what expired, releases what stayed so, unlocks what was renewed. */
void instance_settle(struct world *w, struct instance *i);
void job_settle(struct world *w, struct job *j);
/* Call before changing anything a list shows: lists go on showing the former state for the lag. */
void job_touch(struct world *w, struct job *j);
/* A reset: for the lag, lists show the old job in the place of the fresh one. */
void job_list_as(struct world *w, struct job *fresh, const struct job *old);
const struct job *job_as_listed(struct world *w, struct job *j);
bool job_forgotten(const struct world *w, const struct job *j);
void job_set_status(struct world *w, struct job *j,
                    enum status s); /* at once, nothing queued behind */
void job_queue(struct world *w, struct job *j, enum status s,
               int64_t after_ms);      /* after the last queued turn */
bool job_running(const struct job *j); /* Synchronizing, Migrating, Normal */
enum status job_run_status(const struct job *j);
/* Precheck, then everything behind it; stops at PreCheckPass when not purchased (3.2 B). */
void job_start_precheck(struct world *w, struct job *j, bool go_on);
void job_start_modules(struct world *w, struct job *j, bool initialize);
void job_release(struct world *w, struct job *j);
void instance_release(struct world *w, struct instance *i);
void world_hash_password(const struct world *w, const char *password, char out[65]);

#endif
