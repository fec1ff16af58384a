/* Shared by exec.c, task_step.c and task_wait.c. */
#ifndef RUN_EXEC_INTERNAL_H
#define RUN_EXEC_INTERNAL_H

#include "run/run_internal.h"

enum task_state { TASK_WAITING /* for what it depends on */, TASK_READY, TASK_RUNNING, TASK_ENDED };

/* Why a running task watches the service. */
enum look {
	LOOK_LEGAL,  /* until the step's call is legal */
	LOOK_AFTER,  /* until the step's effect is there */
	LOOK_EFFECT, /* the answer was lost: is the effect there? */
	LOOK_VERIFY, /* before a delete */
	LOOK_FIND,   /* the job id was stale: find it by instance and direction */
};

struct task {
	struct exec *x;
	const struct op *op;
	uint32_t idx;
	enum task_state state;
	enum op_result result;
	uint32_t waits;      /* dependencies not ended */
	uint32_t blocked_by; /* op index of a dependency that did not end well; RES_NONE */
	unsigned step;
	struct record *rec; /* working copy; NULL: nothing exists yet */
	const char **vals;  /* wanted values, ids resolved; NULL until needed */
	const char *region;
	enum job_status status; /* last seen */
	char raw[48];
	bool two_way, reverse;
	bool acting; /* a call of this step is under way or done: EV_STEP was sent */
	/* watching */
	enum look look;
	struct watch watch;
	bool step_moved; /* a moving status was seen since the call of this step */
	bool moved; /* a moving or running status was seen since our last start/configure/reset */
	bool old_failure;  /* it had failed before that: a failure may be the old one */
	int64_t issued_ms; /* of what makes a job start: since when a failure may be news */
	int64_t sent_ms;   /* the call of this step; 0: none */
	int64_t lost_ms;   /* when the answer of the current call was missed */
	bool again;        /* an order without effect was sent once more */
	bool restarted, skipped;
	enum job_status busy_status;
	unsigned looks, unknowns, busy, stale;
	unsigned
		contradicted; /* looks after the settling time that show nothing of an answered order */
	int64_t step_ms, op_ms;
	bool single;          /* no batch: the batch failed */
	uint64_t open_intent; /* of the call whose answer was lost */
	struct purchase buy;
	struct adoption adoption;
	bool adopting;              /* the instance was found, not answered: origin adopted */
	const char *free_name;      /* of the free job that was asked for last */
	struct name_read free_look; /* for it, when the answer was lost */
	char token[65]; /* ClientToken of ModifyDtsJob: one per change, the same for repeats */
	struct err err;
	struct precheck_failure *items;
	size_t nitems;
	struct timer timer;
	struct task *next; /* in a batch group or a list */
};

#define BATCH_IDS                                                                                  \
	10 /* DeleteDtsJobs takes 10; for the others nothing is published (dts-api.md 8) */

#define TRY_AGAIN_MS 3000 /* after an answer that says "not now" to what makes something */
#define JOIN_MS 30        /* so long a call waits for others to share a batch with */

struct joins {
	struct task *head, *tail;
	size_t n;
	int64_t first_ms;
};

struct exec {
	struct run *r;
	const struct plan *p;
	const struct batch *b;
	struct arena *a;
	const struct inventory *inv; /* as refreshed: what was there before the first purchase */
	struct task *tasks;
	uint32_t *task_of; /* resource -> op index or RES_NONE */
	uint32_t *ready;   /* heap of task indices: longest remaining path first, then plan order */
	size_t nready;
	uint32_t *height;
	size_t open;              /* tasks not ended */
	size_t done, total;       /* of those that have something to do */
	struct joins joins[3];    /* start, suspend, delete */
	struct timer joins_timer; /* wakes the loop; run_ready flushes */
	bool fail_stop;           /* --fail-fast: no new steps */
	VEC(struct task *) settling;
	struct timer settle_timer;
	bool settle_busy;
	struct inventory settle1, settle2;
	struct page_read settle_page;
	const char *settle_region;
};

/* exec.c */
void task_advance(struct task *t);               /* the current step is done: go on */
void task_end(struct task *t, enum op_result r); /* err set before when it failed */
/* Keeps the hint that t->err was given before. */
void task_fail(struct task *t, enum err_code c, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *exec_lookup(void *ctx, uint32_t res, enum computed what);
void task_saw(struct task *t, const struct observed *o); /* remember status; report changes */
void task_put(struct task *t);                           /* record into the journal buffer */
/* The recorded instance that the recorded job lives on; NULL: it has no record of its own. */
const struct record *task_instance(const struct task *t);
void settle_add(struct task *t);                        /* its purchase waits for settlement */
bool exec_may_begin(const struct task *t, enum step s); /* deadline */

/* task_step.c */
void step_begin(struct task *t);
void step_issue(struct task *t);
/* The effect of the current step is there (answer or looked up): record it and go on to its wait. o may be NULL. */
void step_effect(struct task *t, const char *instance_id, const char *job_id);
void joins_flush(struct exec *x);
void restart_done(struct call *c, const struct dts_reply *reply, enum verdict v);
void record_apply(
	struct task *t,
	enum step s); /* attributes carried by step s are now as wanted; STEP__COUNT: all */

/* task_wait.c */
void task_watch(struct task *t, enum look why, bool now);
bool task_configures_again(const struct task *t);
bool task_overdue(struct task *t); /* then it has failed */
bool step_resumes(enum step s);    /* an open intent of an earlier run is looked for first */
bool step_is_ordered(enum step s); /* done when its effect is seen, not when it is answered */
/* The free job may exist, its id is not known: looked for by its name. */
void task_find_free(struct task *t);
int64_t task_timeout_ms(const struct task *t);
const char *task_region(const struct task *t);
/* Is the current step about what goes, so that the section's own references are not its? */
bool task_removes(const struct task *t);
bool task_reverse(
	const struct task
		*t); /* is the job that the current step is about the Reverse one of a pair? */

#endif
