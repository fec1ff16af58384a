/*
 * The engine against the simulator in one process: manifest text in, world
 * changed, state written. For test_engine and test_walk; one simulator at a
 * time, in a directory of its own.
 */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/plan.h"
#include "run/exec.h"

struct json;

extern struct arena eng_a; /* lives from setup to teardown */

/* Outcome of one run. */
struct result {
	struct plan p;
	enum op_result res[64];
	enum err_code worst;
	struct err e;
	size_t bad;
	struct run_stats stats;
	char notes[8192];
	char hints[2048]; /* of what failed */
};

enum { ENG_APPLY = 1, ENG_DESTROY = 2, ENG_PRUNE = 4, ENG_HOSTS = 8 };

int eng_setup(void **state); /* also for the group: TALK=1 in the environment prints what happens */
int eng_teardown(void **state);
const char *eng_file(const char *name); /* in the directory: w.json, log, s.state.json ... */

/* scale: as in sim_opts; 0: everything at once. */
void eng_start(const char *scenario, double scale);
/*
 * eng_start(), then the run in a process that is killed at the k-th thing it reports: a step, a status, a request answered. False:
 * it ended before.
 */
bool eng_start_killed(const char *scenario, double scale, const char *text, unsigned k);
void eng_stop(void);
void eng_fresh(void); /* stop, and begin with nothing: no world, no state, no log */

/* Manifest text -> plan, and with ENG_APPLY the run. Fails the test at a mistake in the manifest. */
struct result *eng_run(const char *text, unsigned flags);
/* The environment of the run, from setup to teardown; the texts are not copied. */
void eng_env(const char *name, const char *value);
/* Everything that is said of the manifest, sorted: "LINE:COLUMN LEVEL MESSAGE[ | HINT]", one a line. */
const char *eng_said(const char *text);
/* All errors of the manifest, one a line; "" when there are none. */
const char *eng_errors(const char *text);
struct result *eng_apply(const char *text); /* with --prune */
size_t eng_changes(const char *text); /* operations of the plan that are more than "no change" */

/* The state is lost, the world goes on. */
void eng_forget_state(void);

/* The world file: as of the last stop. */
struct json *eng_world(void);
/* A control operation of the running simulator, "set?job=...": its answer. */
struct json *eng_control(const char *path);
/* Lines of the request log so far; each is one object. */
struct json **eng_log(size_t *n);
/* What the state file holds of a resource; NULL: nothing. */
const struct record *eng_record(const char *address);
/* Whole file, or "" when it is not there. */
const char *eng_text(const char *name);

#define ASSERT_DONE(r)                                                                             \
	do {                                                                                       \
		if ((r)->bad)                                                                      \
			fail_msg("%zu not done: %s", (r)->bad, (r)->notes);                        \
	} while (0)

#endif
