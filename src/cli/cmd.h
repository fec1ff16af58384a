/* Commands: one row each (cmd.c); each function returns the exit status. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/opt.h"
#include "cli/ui.h"

struct context {
	struct ui ui;
	struct arena a;
	struct options o;
	const char *command; /* word, e.g. "apply" */
	int signal_fd;       /* a byte per signal; -1: none */
	void (*leave)(int);  /* _exit: where a forked child ends; only main.c ends processes */
};

/* Parse and run. argv as main's. */
int cmd_main(struct context *c, int argc, char **argv);
/* Print e unless it was printed already (empty text) and give its exit status. */
int cmd_fail(struct context *c, const struct err *e);

/* The end of a command whose output is its work: 1 when it could not be written. */
int cmd_written(struct context *c);

int cmd_validate(struct context *c);
int cmd_explain(struct context *c);
int cmd_version(struct context *c);
int cmd_plan(struct context *c);
int cmd_apply(struct context *c);
int cmd_destroy(struct context *c);
int cmd_import(struct context *c);
int cmd_status(struct context *c);
int cmd_state(struct context *c);
int cmd_state_rebuild(struct context *c);
int cmd_simulator(struct context *c);

#endif
