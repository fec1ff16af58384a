/*
 * A plan in a file: `plan --out F` writes it, `apply F` does exactly that or nothing. The file
 * names what the plan was made from (state, lineage, serial, manifests and their hash, options),
 * so that it can be made anew and compared. It holds no secrets: of --var only the names, of
 * secret values that they change.
 */
#ifndef CLI_SAVED_PLAN_H
#define CLI_SAVED_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/opt.h"

struct arena;
struct err;
struct json;
struct loaded;
struct plan;
struct state;

struct saved_plan {
	const char *path;                                       /* as the user named it */
	const char *state, *lineage, *hash, *region, *endpoint; /* region, endpoint: NULL */
	uint64_t serial;
	bool simulated, prune;
	struct opt_list manifests, targets, excludes, replaces, vars; /* vars: names only */
	const struct json *changes;
};

/* What a plan was made from. */
struct plan_source {
	const struct options *o;
	const struct loaded *l;
	const struct state *state;
};

/* Told by content, not by name: a regular file that begins with `{`. */
bool saved_plan_looks(const char *path);
/* ERR_MANIFEST: damaged, of another version, something else. */
int saved_plan_read(struct saved_plan *s, struct arena *a, const char *path, struct err *e);
/* The options the plan was made with take the place of those of `apply F`; what contradicts them
 * is ERR_USAGE. */
int saved_plan_options(const struct saved_plan *s, struct arena *a, struct options *o,
                       struct err *e);

/* May F be written? Refuses to replace anything that is no saved plan. */
int saved_plan_may_write(const char *path, struct err *e);
int saved_plan_write(const char *path, struct arena *a, const struct plan_source *from,
                     const struct plan *p, struct err *e);

/* ERR_DECISION, and what has changed since: the state or the manifests ... */
int saved_plan_check_source(const struct saved_plan *s, struct arena *a,
                            const struct plan_source *now, struct err *e);
/* ... or, with both unchanged, the service. */
int saved_plan_check_changes(const struct saved_plan *s, struct arena *a, const struct plan *now,
                             struct err *e);

#endif
