#include "cli/opt.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum opt_kind {
	OK_FLAG,
	OK_TEXT,
	OK_LIST,
	OK_INT,
	OK_COUNT, /* 1 or more */
	OK_DURATION,
	OK_FALSE /* --x=false sets the flag */,
	OK_SCALE,
	OK_EVERY, /* --x or --x=DURATION */
	OK_LATER
};

struct opt_row {
	const char *name, *arg;
	enum opt_kind kind;
	size_t at;
	unsigned on;
	const char *env; /* NULL: none */
	const char *help;
};

#define WATCH_MS                                                                                   \
	10000 /* an account allows 20 list calls a second to all its tools (dts-api.md 8) */
#define WATCH_LEAST_MS 100

#define AT(f) offsetof(struct options, f)

/* clang-format off */
static const struct opt_row rows[] = {
{"--accept-endpoint", NULL, OK_FLAG, AT(accept_endpoint), ON_RUN | ON_IMPORT | ON_STATUS | ON_STATE, NULL, "use the state with another endpoint or region than it records"},
{"--accept-state", NULL, OK_FLAG, AT(accept_state), ON_RUN | ON_IMPORT | ON_STATUS | ON_STATE, NULL, "go on with a state that is older than the one this host wrote last, or gone"},
{"--allow-twins", NULL, OK_FLAG, AT(allow_twins), ON_PLAN | ON_APPLY, NULL, "create jobs though equal ones exist that the state does not know"},
{"--cacert", "FILE", OK_TEXT, AT(cacert), ON_RUN | ON_IMPORT | ON_STATUS | ON_STATE, NULL, "certificates to trust, PEM"},
{"--credentials", "FILE", OK_LATER, 0, ON_RUN | ON_IMPORT | ON_STATUS, NULL, NULL},
{"--deadline", "DUR", OK_DURATION, AT(deadline_ms), ON_RUN, NULL, "begin nothing that cannot end in time (90s, 25m, 2h)"},
{"--detailed-exitcode", NULL, OK_FLAG, AT(detailed_exitcode), ON_PLAN | ON_APPLY, NULL, "exit 2 when there are changes"},
{"--dry-run", NULL, OK_FLAG, AT(dry_run), ON_APPLY | ON_DESTROY | ON_IMPORT, NULL, "show what would be done, and do nothing"},
{"--endpoint", "URL", OK_TEXT, AT(endpoint), ON_RUN | ON_IMPORT | ON_STATUS | ON_STATE, NULL, "host name or http(s)://HOST[:PORT] of the service"},
{"--exclude", "ADDR", OK_LIST, AT(excludes), ON_RUN, NULL, "leave out this address and what needs it (glob, repeatable)"},
{"--fail-fast", NULL, OK_FLAG, AT(fail_fast), ON_RUN, NULL, "begin nothing new after the first failure"},
{"--file", "MANIFEST", OK_LIST, AT(files), ON_MANIFEST, NULL, "a manifest or directory, like an argument"},
{"--help", NULL, OK_FLAG, AT(help), ON_ALL, NULL, "this text"},
{"--insecure-http", NULL, OK_FLAG, AT(insecure_http), ON_RUN | ON_IMPORT | ON_STATUS | ON_STATE, NULL, "allow plain HTTP beyond loopback"},
{"--json", NULL, OK_FLAG, AT(json), ON_ALL, NULL, "JSON Lines on stdout, diagnostics too"},
{"--keep-going", NULL, OK_FLAG, AT(keep_going), ON_RUN, NULL, "a failure blocks only what needs it (default)"},
{"--keys", "ID:SECRET", OK_TEXT, AT(keys), ON_SIMULATOR, NULL, "the key pair that is accepted (default: that of the environment)"},
{"--lock-timeout", "DUR", OK_DURATION, AT(lock_timeout_ms), ON_RUN | ON_IMPORT | ON_STATE, NULL, "wait so long for another run (default 0)"},
{"--log", "FILE", OK_TEXT, AT(log), ON_SIMULATOR, NULL, "request log, JSON Lines"},
{"--max-changes", "N", OK_INT, AT(max_changes), ON_RUN, NULL, "stop before the first write if the plan has more changes"},
{"--max-deletes", "N", OK_INT, AT(max_deletes), ON_RUN, NULL, "likewise for deletions and replacements"},
{"--max-gone", "N", OK_INT, AT(max_gone), ON_RUN, NULL, "likewise for recorded resources that are gone on the service"},
{"--metrics", "FILE", OK_LATER, 0, ON_RUN, NULL, NULL},
{"--out", "FILE", OK_TEXT, AT(out), ON_PLAN, NULL, "save the plan; `apply FILE` does exactly that"},
{"--parallelism", "N", OK_COUNT, AT(parallelism), ON_RUN, NULL, "at most N changing calls in flight (default 32)"},
{"--port", "N", OK_INT, AT(port), ON_SIMULATOR, NULL, "port on 127.0.0.1 (default: any free one)"},
{"--profile", "P", OK_LATER, 0, ON_RUN | ON_IMPORT | ON_STATUS, NULL, NULL},
{"--prune", NULL, OK_FLAG, AT(prune), ON_PLAN | ON_APPLY, NULL, "delete recorded resources whose section has vanished"},
{"--quiet", NULL, OK_FLAG, AT(quiet), ON_RUN | ON_IMPORT | ON_STATE | ON_VALIDATE, NULL, "silence unless something changed or failed"},
{"--refresh", "false", OK_FALSE, AT(no_refresh), ON_PLAN, NULL, "false: plan offline, trusting the state"},
{"--region", "R", OK_TEXT, AT(region), ON_MANIFEST, "DTSBATCH_REGION", "region, before that of the manifest"},
{"--replace", "ADDR", OK_LIST, AT(replaces), ON_PLAN | ON_APPLY, NULL, "replace this resource (glob, repeatable)"},
{"--report", "FILE", OK_LATER, 0, ON_RUN, NULL, NULL},
{"--resolve", "HOST:PORT:ADDR", OK_LATER, 0, ON_RUN, NULL, NULL},
{"--scenario", "FILE", OK_TEXT, AT(scenario), ON_SIMULATOR, NULL, "what goes wrong, and when (src/sim/README.md)"},
{"--simulate", NULL, OK_FLAG, AT(simulate), ON_RUN | ON_IMPORT | ON_STATE | ON_STATUS | ON_VALIDATE, NULL, "against the built-in simulator, with a state and a world of its own"},
{"--state", "FILE", OK_TEXT, AT(state), ON_MANIFEST, "DTSBATCH_STATE", "state file, X.state.json"},
{"--strict", NULL, OK_FLAG, AT(strict), ON_VALIDATE | ON_RUN, NULL, "literal secrets are errors"},
{"--target", "ADDR", OK_LIST, AT(targets), ON_RUN, NULL, "only this address and what it needs (glob, repeatable)"},
{"--time-scale", "X", OK_SCALE, AT(time_scale), ON_SIMULATOR, NULL, "X service seconds per second; 0: everything at once (default 1)"},
{"--var", "K=V", OK_LIST, AT(vars), ON_MANIFEST, NULL, "set a variable (repeatable)"},
{"--verbose", NULL, OK_FLAG, AT(verbose), ON_RUN | ON_IMPORT | ON_STATUS | ON_STATE, NULL, "show every request, secrets masked"},
{"--watch", "DUR", OK_EVERY, AT(watch_ms), ON_STATUS, NULL, "again and again, every 10s or DUR, until interrupted"},
{"--world", "FILE", OK_TEXT, AT(world), ON_SIMULATOR, NULL, "world file, loaded and saved"},
{"--yes", NULL, OK_FLAG, AT(yes), ON_RUN | ON_IMPORT | ON_STATE, "DTSBATCH_YES", "do not ask"},
};
/* clang-format on */
#define NROWS (sizeof rows / sizeof *rows)

static const char *const shorts[][2] = {
	{"-f", "--file"}, {"-h", "--help"}, {"-q", "--quiet"}, {"-v", "--verbose"}, {"-y", "--yes"},
};

/* The name that a short one stands for. */
static const char *long_name(const char *word)
{
	for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
		if (text_eq(word, shorts[i][0]))
			return shorts[i][1];
	return word;
}

/* "-f, " before the name it stands for, or as many blanks. */
static const char *short_of(const char *name)
{
	for (size_t i = 0; i < sizeof shorts / sizeof *shorts; i++)
		if (text_eq(name, shorts[i][1]))
			return shorts[i][0];
	return NULL;
}

static const struct opt_row *find(const char *name, size_t n)
{
	for (size_t i = 0; i < NROWS; i++)
		if (strlen(rows[i].name) == n && !memcmp(rows[i].name, name, n))
			return &rows[i];
	return NULL;
}

static int unknown(const char *word, unsigned command, const char *command_name, struct err *e)
{
	const char *names[NROWS], *near;
	size_t n = 0;

	for (size_t i = 0; i < NROWS; i++)
		if ((rows[i].on & command) && rows[i].kind != OK_LATER)
			names[n++] = rows[i].name;
	near = text_nearest(word, names, n);
	err_set(e, ERR_USAGE, "unknown option %s", word);
	return near ? err_hint(e, "did you mean %s?", near)
	            : err_hint(e, "`dtsbatch %s --help` lists them", command_name);
}

bool opt_scale(const char *text, double *out)
{
	char *end;
	double d;

	if (!text || !*text || text[strspn(text, "0123456789.")])
		return false;
	d = strtod(text, &end);
	if (*end || d > 1e9)
		return false;
	*out = d;
	return true;
}

static int set_number(const struct opt_row *r, void *field, const char *value, struct err *e)
{
	int64_t ms, most = r->at == AT(port) ? 65535 : INT32_MAX;

	switch (r->kind) {
	case OK_INT:
	case OK_COUNT:
		if (text_int(value, r->kind == OK_COUNT, most, field))
			return 0;
		return err_set(e, ERR_USAGE, "%s takes a whole number%s, not \"%s\"", r->name,
		               r->kind == OK_COUNT ? ", 1 or more" : "", value);
	case OK_DURATION:
		ms = text_duration_ms(value);
		if (ms < 0)
			return err_set(e, ERR_USAGE,
			               "%s takes a duration such as 90s, 25m or 2h, not \"%s\"",
			               r->name, value);
		*(int64_t *)field = ms;
		return 0;
	case OK_EVERY:
		ms = value ? text_duration_ms(value) : WATCH_MS;
		if (ms < WATCH_LEAST_MS)
			return err_set(e, ERR_USAGE,
			               "%s takes a pause such as 10s or 1m, not \"%s\"", r->name,
			               value);
		*(int64_t *)field = ms;
		return 0;
	case OK_SCALE:
		if (opt_scale(value, field))
			return 0;
		return err_set(e, ERR_USAGE, "%s takes a number, 0 or more, not \"%s\"", r->name,
		               value);
	default:
		break;
	}
	return 0;
}

static int apply_row(struct options *o, struct arena *a, const struct opt_row *r, const char *value,
                     struct err *e)
{
	void *field = (char *)o + r->at;
	struct opt_list *list = field;

	switch (r->kind) {
	case OK_FLAG:
		if (value && !text_eq(value, "true") && !text_eq(value, "1"))
			return err_set(e, ERR_USAGE, "%s takes no value", r->name);
		*(bool *)field = true;
		return 0;
	case OK_FALSE:
		if (value && !text_eq(value, "false") && !text_eq(value, "true"))
			return err_set(e, ERR_USAGE, "%s takes true or false", r->name);
		*(bool *)field = text_eq(value, "false");
		return 0;
	case OK_TEXT:
		if (text_empty(value))
			return err_set(e, ERR_USAGE, "%s needs a value", r->name);
		*(const char **)field = value;
		return 0;
	case OK_LIST:
		if (text_empty(value))
			return err_set(e, ERR_USAGE, "%s needs a value", r->name);
		*VEC_PUSH(a, list) = value;
		return 0;
	case OK_LATER:
		return err_set(e, ERR_USAGE, "%s is not in this version", r->name);
	default:
		return set_number(r, field, value, e);
	}
}

static bool takes_value(const struct opt_row *r)
{
	return r->kind != OK_FLAG && r->kind != OK_FALSE && r->kind != OK_EVERY;
}

static int env_rows(struct options *o, struct arena *a, unsigned command,
                    const char *(*env)(void *ctx, const char *name), const bool *given,
                    struct err *e)
{
	for (size_t i = 0; i < NROWS; i++) {
		const char *v = rows[i].env && (rows[i].on & command) && !given[i]
		                        ? env(NULL, rows[i].env)
		                        : NULL;

		if (text_empty(v) ||
		    (rows[i].kind == OK_FLAG && !text_eq(v, "1") && !text_eq(v, "true")))
			continue;
		if (apply_row(o, a, &rows[i], v, e))
			return err_ctx(e, "%s", rows[i].env);
	}
	return 0;
}

int opt_parse(struct options *o, struct arena *a, int argc, char **argv, unsigned command,
              const char *command_name, const char *(*env)(void *ctx, const char *name),
              struct err *e)
{
	bool given[NROWS] = {false}, only_args = false;

	*o = (struct options){.parallelism = -1,
	                      .max_changes = -1,
	                      .max_deletes = -1,
	                      .max_gone = -1,
	                      .deadline_ms = -1,
	                      .lock_timeout_ms = -1,
	                      .watch_ms = -1,
	                      .port = -1,
	                      .time_scale = -1};
	for (int i = 0; i < argc; i++) {
		const char *word = long_name(argv[i]), *eq = strchr(word, '='), *value = NULL;
		size_t n = eq ? (size_t)(eq - word) : strlen(word);
		const struct opt_row *r;

		if (only_args || word[0] != '-' || text_eq(word, "-")) {
			*VEC_PUSH(a, &o->args) = word;
			continue;
		}
		if (text_eq(word, "--")) {
			only_args = true;
			continue;
		}
		r = find(word, n);
		if (!r)
			return unknown(arena_strndup(a, word, n), command, command_name, e);
		if (!(r->on & command)) {
			err_set(e, ERR_USAGE, "%s takes no option %s", command_name, r->name);
			return err_hint(e, "`dtsbatch %s --help` lists its options", command_name);
		}
		if (eq)
			value = eq + 1;
		else if (takes_value(r) && ++i >= argc)
			return err_set(e, ERR_USAGE, "%s needs a value (%s)", r->name, r->arg);
		else if (takes_value(r))
			value = argv[i];
		if (apply_row(o, a, r, value, e))
			return -1;
		given[r - rows] = true;
	}
	return env_rows(o, a, command, env, given, e);
}

/* Between an option and its argument, and behind it. */
static const char *around(const struct opt_row *r, bool behind)
{
	if (!r->arg)
		return "";
	if (r->kind == OK_EVERY)
		return behind ? "]" : "[=";
	return behind ? "" : r->kind == OK_FALSE ? "=" : " ";
}

void opt_help(struct buf *out, unsigned command)
{
	for (size_t i = 0; i < NROWS; i++) {
		const char *arg, *brief;
		size_t n;

		if (!(rows[i].on & command) || rows[i].kind == OK_LATER)
			continue;
		arg = rows[i].arg ? rows[i].arg : "";
		n = strlen(rows[i].name) + strlen(arg) + strlen(around(&rows[i], false)) +
		    strlen(around(&rows[i], true));
		brief = short_of(rows[i].name);
		buf_printf(out, "  %s%s%s%s%s%s%*s%s", brief ? brief : "  ", brief ? ", " : "  ",
		           rows[i].name, around(&rows[i], false), arg, around(&rows[i], true),
		           n < 24 ? (int)(26 - n) : 2, "", rows[i].help);
		if (rows[i].env)
			buf_printf(out, " [%s]", rows[i].env);
		buf_putc(out, '\n');
	}
}
