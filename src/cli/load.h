/*
 * MANIFEST arguments -> files -> batch, with the real environment and files. Also the names of
 * state and world.
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "base/diag.h"
#include "cli/opt.h"
#include "model/batch.h"

struct err;
struct ui;

struct loaded {
	struct arena *a;
	struct manifest m;
	struct batch b;
	struct diag d;
	const char *title;       /* how the user named it */
	const char *named_state; /* X.state.json as named, also with --simulate */
	const char *state_path;  /* X.state.json, or X.sim.state.json with --simulate */
};

const char *os_env(void *ctx, const char *name); /* getenv */

/* Reads and builds; prints diagnostics. 0; -1 with e: ERR_MANIFEST (already printed: e->msg
 * empty), ERR_USAGE ... */
int load_batch(struct loaded *l, struct arena *a, const struct options *o, bool want_state,
               struct ui *ui, struct err *e);
/* Is everything there that the command line names as a manifest? ERR_MANIFEST. */
int load_exists(const struct options *o, struct err *e);
/* The words of this command line that another command on the same state needs, each after a blank: manifests, --state,
 * --simulate. */
const char *load_words(struct arena *a, const struct options *o);
/* Only the state's name (state list, state rm): manifests are looked for, not read. */
int load_state_path(struct loaded *l, struct arena *a, const struct options *o, struct err *e);

#endif
