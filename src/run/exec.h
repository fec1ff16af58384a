/*
 * The engine: refreshes the inventory, settles open intents, executes a plan.
 * One thread, one event loop; a waiting operation costs memory only. Reports
 * through the observer; prints nothing.
 */
#ifndef RUN_EXEC_H
#define RUN_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/plan.h"
#include "remote/cred.h"
#include "remote/http.h"
#include "store/state.h"

enum op_result {
	RES_PENDING,
	RES_DONE,
	RES_FAILED,
	RES_BLOCKED /* by a failed dependency */,
	RES_DEFERRED /* deadline, signal */,
	RES_DECISION /* the user must decide */
};

/* Progress events, in order of happening. Strings live during the call only. */
struct event {
	enum event_kind {
		EV_REFRESH, /* page of pages read */
		EV_STEP,    /* an op begins a step */
		EV_STATUS,  /* a waiting op's raw status changed */
		EV_OP_DONE, /* with result and, on failure, err */
		EV_RETRY,   /* a call will be repeated: text says why and when */
		EV_NOTE,    /* anything worth a line: adoption, settlement, throttling */
		EV_CALL,    /* --verbose: a request was sent / answered, secrets masked */
		EV_TICK,    /* nothing happened, time passed: only with observer.tick_ms */
	} kind;
	const struct op *op; /* NULL: not about one op */
	size_t index;        /* op index */
	enum step step;
	const char *verb; /* EV_STEP: what is done instead of the step; NULL: the step */
	enum op_result result;
	const char *text; /* status, reason, note */
	unsigned tries;   /* EV_RETRY: without any answer so far; 0: the service answered */
	const struct err *err;
	const struct precheck_failure {
		const char *item, *message, *repair, *explain;
		bool can_skip, never_skip; /* as the service says; neither: it says nothing */
	} * items;                         /* EV_OP_DONE after a failed precheck */
	size_t nitems;
	const char *skips;  /* with them: what skip_precheck says already; NULL: nothing */
	size_t done, total; /* ops finished so far / to do */
	int64_t elapsed_ms;
};

struct observer {
	void *ctx;
	void (*event)(void *ctx, const struct event *ev);
	int64_t tick_ms; /* > 0: hear of something at least this often during run_apply */
};

struct run_opts {
	const char *region, *endpoint_url, *host;
	bool one_endpoint; /* it was named, and serves every region; else the others have hosts of their own */
	const char *account_hint;
	/* What commands named in hints need behind them to find the same manifest and state; NULL: nothing. */
	const char *again_import, *again_state;
	struct credential cred;
	struct transport *net;
	struct state *state; /* NULL for read-only commands without state */
	const struct batch *batch;
	struct observer obs;
	int64_t parallelism; /* mutating calls in flight */
	int64_t deadline_ms; /* -1: none; from run_init */
	int64_t settle_ms;   /* server time after which absence counts */
	bool adopt_ask, fail_fast, verbose;
	bool destroys;     /* nothing is made by this run: recovery settles every open purchase */
	double poll_scale; /* 1; --simulate shortens the polling intervals */
	int signal_fd;     /* a byte arrives per signal (main.c's pipe); -1: none */
	uint32_t seed;     /* 0: from the kernel */
	/* 1; tests shorten the time-outs of calls */
	double timeout_scale;
};

struct run_stats {
	size_t calls, mutating, retries;
	size_t by_action[API__COUNT];
	int64_t refresh_ms, apply_ms;
	uint64_t journal_bytes;
	size_t undecided; /* questions that recovery left to the user */
};

struct run;
struct run *run_new(const struct run_opts *o);
void run_free(struct run *r);

/* Reads what exists: list pages or single reads, whichever is fewer, for the regions and ids of batch and records; then the single reads that
 * some attributes need (detail, monitor rules, runtime parameters). b NULL: only to look, in lists that may lag by seconds; no single reads but
 * of records that they lack. */
int run_refresh(struct run *r, const struct batch *b, const struct record_list *recs,
                struct inventory *inv, struct err *e);
/* Settles every open intent of the state by looking (design.md 6), before any planning. ERR_DECISION when the user must decide. inv is current, and is brought up to date with what was found. */
int run_recover(struct run *r, struct inventory *inv, struct err *e);
/* Executes. results: p->n entries. Returns the number of ops not RES_DONE; *worst is the ranked error code. Signals: *sig is the first signal, 0 none. */
size_t run_apply(struct run *r, const struct plan *p, enum op_result *results, enum err_code *worst,
                 int *sig, struct err *e);
const struct run_stats *run_stats(const struct run *r);
/* The first signal that arrived; 0: none. */
int run_signal(const struct run *r);
/* For who refreshes again and again: gives back the memory of the last refresh (not its inventory) and forgets its failure.
 * All its calls have ended when run_refresh() returns. */
void run_rest(struct run *r);
/* The state was opened anew. */
void run_state(struct run *r, struct state *s);

#endif
