/*
 * Options: one row each (opt.c). Help, parsing and the check whether a command takes an option
 * come from the rows.
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct err;

struct opt_list {
	const char **v;
	size_t n, cap;
};

struct options {
	const char *state, *region, *endpoint, *cacert, *out;
	const char *world, *log, *scenario, *keys;
	bool yes, quiet, verbose, json, detailed_exitcode, prune, strict, simulate, insecure_http,
		accept_endpoint, accept_state, allow_twins, fail_fast, keep_going, dry_run, help,
		no_refresh;
	int64_t parallelism, max_changes, max_deletes, max_gone, deadline_ms, lock_timeout_ms,
		watch_ms, port; /* -1: not given */
	double time_scale;      /* -1: not given */
	struct opt_list targets, excludes, replaces, vars, files,
		args; /* args: what is no option */
};

/* Bits for the commands that take an option. */
enum {
	ON_VALIDATE = 1,
	ON_PLAN = 2,
	ON_APPLY = 4,
	ON_DESTROY = 8,
	ON_IMPORT = 16,
	ON_STATE = 32,
	ON_EXPLAIN = 64,
	ON_VERSION = 128,
	ON_SIMULATOR = 256,
	ON_STATUS = 512,
	ON_RUN = ON_PLAN | ON_APPLY | ON_DESTROY,
	ON_MANIFEST = ON_VALIDATE | ON_RUN | ON_IMPORT | ON_STATE | ON_STATUS,
	ON_ALL = 1023,
};

/* argv[0..argc) after the command word. ERR_USAGE with a suggestion. env: DTSBATCH_YES, _STATE,
 * _REGION fill what is not given. */
int opt_parse(struct options *o, struct arena *a, int argc, char **argv, unsigned command,
              const char *command_name, const char *(*env)(void *ctx, const char *name),
              struct err *e);
/* A time scale: a plain decimal number, 0 or more. */
bool opt_scale(const char *text, double *out);
/* Aligned help of the options a command takes (ON_ALL: all), appended to out. */
struct buf;
void opt_help(struct buf *out, unsigned command);

#endif
