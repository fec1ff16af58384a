/* Shared by the parts of the engine (run/ only). */
#ifndef RUN_RUN_INTERNAL_H
#define RUN_RUN_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "remote/dts.h"
#include "run/exec.h"

/* ---- timers: binary heap of due times, monotonic ms -------------------- */

struct timer {
	int64_t due_ms;
	void (*fire)(struct timer *t);
	void *arg;
	size_t pos; /* 1 + index in the heap; 0: not set */
};
struct timers {
	struct timer **v;
	size_t n, cap;
};
void timer_set(struct timers *ts, struct timer *t, int64_t due_ms); /* moves it when already set */
void timer_clear(struct timers *ts, struct timer *t);
int64_t timers_next(const struct timers *ts);        /* INT64_MAX: none */
bool timers_fire(struct timers *ts, int64_t now_ms); /* all that are due; false when none was */
void timers_release(struct timers *ts);

/* ---- calls: one API request with its retries ---------------------------- */

struct call;
/* The final word on a call. The call and the reply's memory are released after return. */
typedef void (*call_done)(struct call *c, const struct dts_reply *reply, enum verdict v);

struct call {
	struct run *r;
	struct arena a;     /* everything of this call; released with it */
	struct arena *into; /* where the answer's tree goes; NULL: a */
	struct dts_call req;
	const struct api_def *api;
	enum api_repeat repeat;
	call_done done;
	void *owner;
	const char *address;       /* for the intent and messages; NULL: reads */
	const struct json *detail; /* of the intent; NULL: none */
	uint64_t intent;           /* 0: none (reads, or no state) */
	unsigned attempt;
	bool refreshed; /* clock corrected or credential refreshed once */
	bool fresh;
	bool fixed_nonce; /* a fence read: sent once, with the nonce given, and never again */
	int64_t begun_ms;
	char nonce[33];
	const char *body;
	struct timer timer;
	struct call *next; /* in a queue */
};

struct call_queue {
	struct call *head, *tail;
	size_t n;
};

struct call *call_new(struct run *r, enum api_action action, call_done done, void *owner);
/* Takes the encoded req and sends when limits allow. Mutating calls are journaled first. */
void call_start(struct call *c);
/* Close the call's intent; no-op without one. */
void call_outcome(struct call *c, enum outcome o, const char *note);

/* ---- rate limits --------------------------------------------------------- */

struct rate {
	double per_s, min_per_s, max_per_s, tokens;
	int64_t filled_ms;
};

/* refresh.c: reads all list pages into inv. */
struct page_read {
	struct run *r;
	const char *region, *status; /* status: filter or NULL */
	bool with_objects;
	struct inventory *inv;
	void (*done)(struct page_read *p); /* inv is filled; failed tells */
	void *owner;
	size_t total, open;
	bool failed, first;
};
void page_read_start(struct page_read *p);
/* The same, waiting. False (and run_fail) when it did not arrive whole. */
bool run_list(struct run *r, const char *region, const char *status, bool with_objects,
              struct inventory *inv);
/* One DescribeDtsJobDetail: done gets the observed job, or NULL when it is surely not there; ok false: no answer. o lives during
 * the call only. */
struct detail_read {
	struct run *r;
	const char *region, *instance_id, *job_id; /* job_id NULL: by instance and direction */
	bool reverse;
	bool needed;        /* the run ends without an answer */
	struct arena *into; /* where the answer lives; NULL: during the call only */
	bool released;      /* o is NULL, and the service said why: it was released */
	void (*done)(struct detail_read *d, const struct observed *o, bool ok);
	void *owner;
};
void detail_read_start(struct detail_read *d);
/* Reads the records of these addresses one by one into inv: what the list says of them may be old. False: see run_refresh. */
bool run_confirm(struct run *r, struct inventory *inv, const char *const *addresses, size_t n);

/* Looks for a job by its exact name. done gets it, or NULL when it is not listed (lists lag); ok false: no answer. */
struct name_read {
	struct run *r;
	const char *region, *name;
	struct arena *into; /* where the answer lives; NULL: during the call only */
	void (*done)(struct name_read *n, const struct observed *o, bool ok);
	void *owner;
};
void name_read_start(struct name_read *n);

/* ---- the poller ------------------------------------------------------------ */

struct watch {
	struct run *r;
	const char *instance_id, *job_id;
	bool reverse;
	bool by_instance; /* the job id is not known or stale: look by instance and direction */
	bool alone;       /* read by itself: lists show what was */
	bool expects_gone; /* old enough to be in every list, so two lists in a row that lack it are enough */
	bool released; /* seen() got NULL because the service said that it was released */
	/* Called with what was seen; NULL: not there (released). Returns true to end the watch. */
	bool (*seen)(struct watch *w, const struct observed *o);
	void (*silence)(struct watch *w); /* a read of it had no answer; may end the watch */
	void *owner;
	const char *region;
	struct detail_read detail;
	int64_t since_ms, next_ms;
	unsigned absent; /* lists in a row that lacked it */
	bool busy, active;
	struct watch *prev, *next;
};
void watch_add(struct run *r, struct watch *w);
void watch_end(struct watch *w);

/* ---- the run ---------------------------------------------------------------- */

enum { QUEUE_READ, QUEUE_WRITE, QUEUE__COUNT };

struct settle; /* settle.c */
struct exec;   /* exec.c */

struct run {
	struct run_opts o;
	struct arena a;
	struct timers timers;
	struct call_queue queue[QUEUE__COUNT]; /* waiting for a token or a place */
	struct call_queue noted;               /* intent buffered: sent after the flush */
	struct rate rate[RATE__COUNT];
	size_t mutating_in_flight, calls_open;
	int64_t clock_offset_ms; /* service minus ours, by the last Date header */
	int64_t sign_offset_ms;  /* put into signatures after the service refused our clock */
	int64_t begun_ms;        /* monotonic */
	int64_t last_answer_ms;  /* monotonic; of the last usable answer */
	bool answered;           /* there was one */
	int stop_signal;
	bool dead;       /* nothing more may be sent: `fatal` says why */
	bool money_stop; /* an order was refused for money: no further purchases */
	struct err fatal;
	struct err
		trouble; /* why the last call is tried again; code 0: nothing since the last good answer */
	struct run_stats stats;
	/* poller */
	struct watch *watches;
	size_t nwatches;
	struct timer poll_timer;
	bool listing; /* a list round is under way */
	struct page_read round;
	struct inventory round_inv;
	struct arena round_arena;
	size_t total_rows; /* rows of the account's list, as far as known */
	struct exec *exec; /* during run_apply */
	const struct inventory
		*before; /* of the last refresh: what existed before the first purchase */
	bool finishing;  /* no new calls: the queues are dropped */
	uint64_t random_state;
	VEC(const char *) given_up; /* instances that another state has adopted */
	char read_nonce[33];        /* of a finished read: the control of the fence */
};

/* One turn: fire timers, send what may be sent, flush the journal, wait for answers (at most until `until_ms`). */
void run_turn(struct run *r, int64_t until_ms);
void run_fail(struct run *r, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool run_stopping(const struct run *r); /* signal, deadline or dead: no new calls */
uint32_t run_random(struct run *r);
int64_t run_server_ms(const struct run *r);
void run_event(struct run *r, struct event *ev);
void run_note(struct run *r, const struct op *op, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "Code: message (RequestId ...)" of a failed reply into e, with hint. */
void reply_err(struct err *e, const struct api_def *api, const struct dts_reply *reply);

/* settle.c: purchases whose answer was lost. */
#define LINEAGE_TAG "dtsbatch:lineage" /* on instances that were adopted: whose they are */
enum arrived { ARRIVED_UNKNOWN, ARRIVED_YES, ARRIVED_NO };

/* fence.c: did a purchase ever reach the gateway? */
struct fence {
	struct run *r;
	const char *region;
	char nonce[33];                                /* of the purchase; "": not known */
	int64_t sent_ms;                               /* server time */
	void (*done)(struct fence *f, enum arrived a); /* may be called from fence_start */
	void *owner;
	bool asked_before; /* fence.c only: an earlier run asked, and its answer is not known */
	bool open;         /* asked and not answered yet: nothing may be decided, nor f be reused */
};
/* What is learned goes into the purchase's open intent, too. f is the `fence` of a struct purchase. */
void fence_start(struct fence *f);

struct purchase {
	struct fence fence;
	enum arrived arrived;
	const char *address, *region;
	uint64_t intent;           /* open intent of the state */
	const struct json *detail; /* shape, before, and how the call ended (purchase_ended) */
	int64_t sent_ms;           /* server time */
	/* result */
	enum { PURCHASE_OPEN, PURCHASE_ADOPT, PURCHASE_MISSING, PURCHASE_DECIDE } result;
	const struct observed *found;
	const char *instance_id, *job_id; /* of the one being adopted */
	const char *why;
};
static inline struct purchase *fence_purchase(const struct fence *f)
{
	return (struct purchase *)(void *)((char *)(uintptr_t)f - offsetof(struct purchase, fence));
}
/* The commands that answer a purchase that is PURCHASE_DECIDE, as a hint. */
void run_ask_hint(const struct run *r, struct err *e, const struct purchase *p);
/* Does the call of step s carry this attribute, so that it is applied once that was answered? STEP__COUNT: every one. */
bool step_carries(const struct attr_def *at, enum step s);
struct json *purchase_shape(struct arena *a, const struct dts_call *call,
                            const struct inventory *inv);
/* How the call ended is part of the evidence: into p->detail, and into the open intent for later runs. */
void purchase_ended(struct run *r, struct purchase *p, const struct dts_reply *reply);
/* Server time until which a call that an earlier run sent may have been under way: its settling time counts from then. That run
 * began before this one did, and no call takes longer than its time-out. */
int64_t call_end_ms(const struct run *r, int64_t sent_ms, enum api_action action);
/* The same of a purchase, or when it ended, if that is known. */
int64_t purchase_end_ms(const struct run *r, const struct purchase *p);
/* Of an open intent, as far as it tells. */
void purchase_from_intent(struct run *r, struct purchase *p, const struct intent *i);
/* Decides all of v at once; inv1 and inv2 are two complete lists taken after the settling time. */
void purchases_settle(struct run *r, struct purchase **v, size_t n, const struct inventory *inv1,
                      const struct inventory *inv2);

/* adopt.c: makes a found instance ours. */
enum adopted {
	ADOPT_OURS,
	ADOPT_TAKEN /* by another state: never again a candidate of this run */,
	ADOPT_FAILED
};
struct adoption {
	struct run *r;
	const char *address, *region, *instance_id;
	/* reply: of the call that failed; lives during the call only */
	void (*done)(struct adoption *ad, enum adopted res, const struct dts_reply *reply);
	void *owner;
	struct timer timer;
};
void adoption_start(struct adoption *ad);

#endif
