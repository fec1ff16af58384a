/*
 * A laboratory for breaking dtsbatch: the simulator lives in this process (it
 * survives whatever dies), the program under test is run as a child against
 * it, and afterwards world, state and plan are compared.
 */
#ifndef TESTS_LAB_H
#define TESTS_LAB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "sim/sim.h"

struct lab {
	const char *binary; /* absolute */
	char dir[256];
	char base[256]; /* a prepared state and world, copied for each trial; "" for none */
	struct sim *sim;
	int port;
	struct arena a;
};

/* What a trial left behind, after the clean rerun. */
struct verdict_counts {
	size_t trials, injected;
	size_t duplicates, orphans, foreign, lost, unclean, invalid, secrets, stuck;
	size_t decisions; /* exit 4 with an open question: allowed only where a stranger makes it one */
};

enum { WANT_MAX = 32 };
struct wanted {
	const char *instances[WANT_MAX]; /* addresses */
	size_t n;
};

void lab_init(struct lab *l, const char *binary, const char *dir);
void lab_release(struct lab *l);
void lab_write(const struct lab *l, const char *name, const char *text);
char *lab_path(struct lab *l, const char *name);
/* Fresh directory content: from base, or empty. */
void lab_reset(struct lab *l);
void lab_keep_base(struct lab *l, const char *base_dir);
void lab_start(struct lab *l, const char *scenario);
void lab_stop(struct lab *l); /* the world is saved as w.json */

struct run_spec {
	const char *const *args;     /* NULL-terminated, after the program name */
	const char *inject;          /* strace -e inject=..., NULL: none */
	const char *trace_path;      /* strace -P, NULL: all */
	int kill_after_ms;           /* -1: never: SIGKILL after so long */
	int signal, signal_after_ms; /* another signal */
	const char *fault;           /* DTSBATCH_FAULT (fault build only) */
	const char *binary;          /* NULL: the lab's */
};
/* Exit status, or 128+signal. Output goes to dir/out.N. */
int lab_run(struct lab *l, const struct run_spec *s);
/* Simple form. */
int lab_cmd(struct lab *l, const char *const *args);

/* Reruns until nothing is left to do, then compares; adds to c. Returns true when all is well. */
bool lab_verify(struct lab *l, const char *const *apply_args, const struct wanted *w,
                bool strangers, struct verdict_counts *c, const char *what);

/* One request to the simulator's control path; the body in the lab's arena. */
char *lab_control(struct lab *l, const char *path);

#endif
