#include "cli/cmd.h"

#include <string.h>

#include "base/text.h"
#include "cli/load.h"

struct command {
	const char *name, *args;
	unsigned bit;
	int (*run)(struct context *c); /* NULL: not in this version */
	const char *help;
};

/* clang-format off */
static const struct command commands[] = {
{"validate",  "[MANIFEST...]", ON_VALIDATE, cmd_validate, "check manifests offline"},
{"plan",      "[MANIFEST...]", ON_PLAN, cmd_plan, "show what apply would do"},
{"apply",     "[MANIFEST... | PLAN]", ON_APPLY, cmd_apply, "make DTS match"},
{"destroy",   "[MANIFEST...]", ON_DESTROY, cmd_destroy, "delete what the state tracks, in reverse order"},
{"status",    "[MANIFEST...]", ON_STATUS, cmd_status, "show the tracked jobs as they are now"},
{"import",    "ADDRESS ID", ON_IMPORT, cmd_import, "take an existing instance or job over"},
{"state",     "list | show ADDRESS | rm ADDRESS | mv ADDRESS NEW | verify | forget-intent ADDRESS | rebuild [MANIFEST...]", ON_STATE, cmd_state, "look into the state file, mend it"},
{"explain",   "[TYPE[.KEY]]", ON_EXPLAIN, cmd_explain, "manual of every type, key and setting"},
{"simulator", "", ON_SIMULATOR, cmd_simulator, "serve the built-in DTS simulator on 127.0.0.1"},
{"version",   "", ON_VERSION, cmd_version, "version of the program and its libraries"},
{"fmt", NULL, 0, NULL, NULL},
{"graph", NULL, 0, NULL, NULL},
{"doctor", NULL, 0, NULL, NULL},
{"export", NULL, 0, NULL, NULL},
{"completion", NULL, 0, NULL, NULL},
};
/* clang-format on */
#define NCOMMANDS (sizeof commands / sizeof *commands)

int cmd_fail(struct context *c, const struct err *e)
{
	if (*e->msg)
		ui_error(&c->ui, e);
	ui_flush(&c->ui);
	return err_exit_status(e->code);
}

int cmd_written(struct context *c)
{
	ui_flush(&c->ui);
	return c->ui.out_broken ? err_exit_status(ERR_FAILED) : 0;
}

static void help_text(struct context *c)
{
	ui_out(&c->ui, "usage: dtsbatch COMMAND [OPTIONS] [ARGUMENTS]\n\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (commands[i].run)
			ui_out(&c->ui, "  %-11s%s\n", commands[i].name, commands[i].help);
	ui_out(&c->ui, "\nOptions (`dtsbatch COMMAND --help` lists those of one command):\n\n");
	opt_help(&c->ui.out, ON_ALL);
	ui_out(&c->ui,
	       "\nNo MANIFEST means `.`; a directory means all its *.ini. Exit status: 0 done, 1 failed, 2 changes exist,\n"
	       "3 partial, 4 a decision is needed, 64 usage, 65 manifest, 69 unreachable, 73/74 state not written, 75 later,\n"
	       "77 not allowed or wrong account, 78 state unreadable, 128+n stopped by signal n.\n");
}

/* Called without a command: talk, not data. */
static int help_unasked(struct context *c)
{
	help_text(c);
	ui_err(&c->ui, "%s", buf_str(&c->ui.out));
	buf_reset(&c->ui.out);
	ui_flush(&c->ui);
	return err_exit_status(ERR_USAGE);
}

static int help_all(struct context *c)
{
	help_text(c);
	return cmd_written(c);
}

static int help_one(struct context *c, const struct command *cmd)
{
	ui_out(&c->ui, "usage: dtsbatch %s [OPTIONS] %s\n\n%s\n\n", cmd->name, cmd->args,
	       cmd->help);
	opt_help(&c->ui.out, cmd->bit);
	return cmd_written(c);
}

static const struct command *find(const char *word)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (text_eq(commands[i].name, word))
			return &commands[i];
	return NULL;
}

static int unknown_command(struct context *c, const char *word)
{
	const char *names[NCOMMANDS], *near;
	struct err e = {0};
	size_t n = 0;

	for (size_t i = 0; i < NCOMMANDS; i++)
		if (commands[i].run)
			names[n++] = commands[i].name;
	near = text_nearest(word, names, n);
	err_set(&e, ERR_USAGE, "unknown command %s", word);
	err_hint(&e, near ? "did you mean %s?" : "`dtsbatch --help` lists the commands", near);
	return cmd_fail(c, &e);
}

/* Also the answer to a wrong command line shall be readable for whoever asked for JSON. */
static bool asks_for_json(int argc, char **argv)
{
	for (int i = 2; i < argc && !text_eq(argv[i], "--"); i++)
		if (text_eq(argv[i], "--json"))
			return true;
	return false;
}

int cmd_main(struct context *c, int argc, char **argv)
{
	const struct command *cmd;
	struct err e = {0};
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word)
		return help_unasked(c);
	if (text_eq(word, "help") && argc > 2 && argv[2][0] != '-')
		return (cmd = find(argv[2])) && cmd->run ? help_one(c, cmd)
		                                         : unknown_command(c, argv[2]);
	if (text_eq(word, "--help") || text_eq(word, "-h") || text_eq(word, "help"))
		return help_all(c);
	c->ui.json = asks_for_json(argc, argv);
	if (text_eq(word, "--version"))
		word = "version";
	cmd = find(word);
	if (!cmd)
		return unknown_command(c, word);
	if (!cmd->run) {
		err_set(&e, ERR_USAGE, "%s is not in this version", word);
		return cmd_fail(c, &e);
	}
	c->command = cmd->name;
	if (opt_parse(&c->o, &c->a, argc - 2, argv + 2, cmd->bit, cmd->name, os_env, &e))
		return cmd_fail(c, &e);
	c->ui.json = c->o.json;
	c->ui.quiet = c->o.quiet;
	c->ui.verbose = c->o.verbose;
	c->ui.notes = (cmd->bit & (ON_VALIDATE | ON_PLAN)) || c->o.verbose || c->o.dry_run ||
	              c->o.simulate;
	return c->o.help ? help_one(c, cmd) : cmd->run(c);
}
