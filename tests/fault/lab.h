/*
 * A laboratory for breaking dtsbatch: the simulator lives in this process (it
 * survives whatever dies), the program under test is run as a child against
 * it, and afterwards world, states, request log and plans are compared
 * (judge.c).
 *
 * Two parties work in one account, each with a manifest, a state and a key of
 * its own; strangers buy beside them.
 */
#ifndef TESTS_LAB_H
#define TESTS_LAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "sim/sim.h"

enum { WANT_MAX = 64 };
struct wanted {
	const char *addresses[WANT_MAX]; /* NULL-terminated */
	size_t instances;                /* how many of them are instances */
};

enum { FIRST, SECOND, PARTIES };
struct party {
	const char *manifest, *state, *key_id, *key_secret;
};
extern const struct party parties[PARTIES];

/*
 * A process that reads a state file as fast as it changes, as somebody else might at any instant. Not a thread: the
 * simulator lives in this process, and the JSON reader serves one thread at a time. Lies in shared memory.
 */
struct watcher {
	/* 0: idle; else the number of the watch that is wanted, that goes on */
	atomic_int want, is;
	atomic_int pace_us; /* how long it sleeps between two looks */
	size_t bad;         /* valid while `is` is 0 */
	char path[300], why[160];
};

struct lab {
	const char *binary; /* absolute */
	char dir[256];
	char base[256]; /* prepared states and world, copied for each trial; "" for none */
	struct sim *sim;
	int port;
	size_t fair; /* so many lines of the request log are judged by what is sent again; SIZE_MAX: all */
	size_t log_seen; /* bytes of the request log that were looked at */
	bool struck;     /* what they showed, see lab_struck() */
	struct watcher *watch[PARTIES];
	int watches;
	pid_t watchers[PARTIES];
	struct arena a;
};

/* What a trial left behind, after the clean rerun. Only size_t: counts are added up blindly. */
struct verdict_counts {
	size_t trials, failed;
	size_t injected; /* faults that struck */
	size_t missed;   /* trials whose fault found nothing to strike */
	size_t duplicates, orphans, foreign, lost, unclean, invalid, secrets, stuck;
	size_t decisions; /* exit 4 with an open question: allowed only where somebody else makes it one */
};

void lab_init(struct lab *l, const char *binary, const char *dir);
void lab_release(struct lab *l);
void lab_write(const struct lab *l, const char *name, const char *text);
char *lab_path(struct lab *l, const char *name);
/* NULL if there is none. */
struct json *lab_json(struct lab *l, const char *dir, const char *name);
/* Fresh directory content: from base, or empty. */
void lab_reset(struct lab *l);
void lab_keep_base(struct lab *l, const char *base_dir);
/* The simulator and the watchers of both states begin. lags: lists are behind, statuses take their time. */
void lab_start(struct lab *l, const char *scenario, bool lags);
void lab_stop(struct lab *l); /* the world is saved as w.json */
/* From now on nothing goes wrong. */
void lab_calm(struct lab *l);
/* One request to the simulator's control path; the answer's body in the lab's arena. */
char *lab_control(struct lab *l, const char *path, const char *post);
/* Has the request log shown a fault that struck since the start? */
bool lab_struck(struct lab *l);

enum strange { STRANGE_NONE, STRANGE_BARE, STRANGE_OWNER }; /* OWNER: configures at once */

struct run_spec {
	const char *const *args; /* NULL-terminated, after the program name */
	int party;
	const char *trace;  /* system calls to trace, as strace wants them; NULL: no strace */
	const char *inject; /* with trace: strace -e inject=... */
	const char *fault;  /* DTSBATCH_FAULT (fault build only) */
	const char *binary; /* NULL: the lab's */
	const char *timeout_scale; /* DTSBATCH_TIMEOUT_SCALE; NULL: none */
	const char *out;           /* file for the output, made anew; NULL: "out", appended */
	/* what happens to it while it runs, in ms; each at most once: */
	int kill_after_ms;        /* > 0: SIGKILL so long after the start */
	int kill_after_strike_ms; /* >= 0 with kill_struck: so long after a fault struck */
	int signal, signal2, signal_after_ms;
	enum strange strange; /* somebody buys so long after the start */
	int strange_after_ms;
	bool kill_struck;
};

struct run_end {
	int status;             /* exit status, or 128+signal */
	bool hung;              /* ended by the lab, because it would not end */
	bool killed, signalled; /* it died of our SIGKILL; it was alive when our signal came */
};

pid_t lab_spawn(struct lab *l, const struct run_spec *s);
struct run_end lab_wait(struct lab *l, const struct run_spec *s, pid_t pid);
struct run_end lab_run(struct lab *l, const struct run_spec *s);
int lab_cmd(struct lab *l, int party, const char *const *args);
void lab_stranger(struct lab *l, enum strange how);
/* How often does the file in the lab's directory hold this text? */
size_t lab_file_count(struct lab *l, const char *name, const char *text);
bool lab_file_has(struct lab *l, const char *name, const char *text);
void lab_each_file(const char *dir, void (*f)(const char *path, const char *name, void *arg),
                   void *arg);
void lab_nap(int ms);

/* What a trial is judged by. */
struct expectation {
	const char *what; /* its name, for the report */
	bool second;      /* the second party worked, too */
	bool others;      /* somebody bought beside it: a question (exit 4) is legitimate */
	bool destroy;     /* the first party's batch is destroyed in the end, not applied */
};
/* Reruns once, answers the questions that are asked as an operator would who sees everything, compares, stops the
 * simulator. Adds to c; true when all is well. */
bool lab_verify(struct lab *l, const struct expectation *x, struct verdict_counts *c);

extern const char *const apply_args[PARTIES][16];

#endif
