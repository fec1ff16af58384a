/* state list, show, rm, mv, verify, forget-intent, rebuild. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/load.h"
#include "store/state.h"

/* Looked at without a trace: a misspelt name must not leave a lock file behind. */
static int must_exist(const struct state_opts *o, struct err *e)
{
	struct state_opts so = *o;
	struct state *st;
	bool there;

	so.mode = STATE_READ;
	if (state_open(&st, &so, e))
		return -1;
	there = state_exists(st);
	if (!there) {
		err_set(e, ERR_USAGE, "there is no state %s", state_path(st));
		err_hint(e,
		         "name it: --state FILE, or -f MANIFEST for the state beside a manifest");
	}
	state_abandon(st);
	return there ? 0 : -1;
}

static int open_state(struct context *c, struct state **st, bool write, struct err *e)
{
	struct loaded l;
	struct state_opts so = {.mode = write ? STATE_WRITE : STATE_READ,
	                        .simulated = c->o.simulate,
	                        .last = c->o.accept_state ? LAST_ACCEPTED : LAST_HEEDED,
	                        .command = "state"};
	const char *const *w;
	size_t n;

	if (load_state_path(&l, &c->a, &c->o, e))
		return -1;
	so.path = l.state_path;
	so.lock_timeout_ms = c->o.lock_timeout_ms >= 0 ? c->o.lock_timeout_ms : 0;
	if ((write && must_exist(&so, e)) || state_open(st, &so, e))
		return -1;
	w = state_warnings(*st, &n);
	for (size_t i = 0; i < n; i++)
		ui_warning(&c->ui, "%s", w[i]);
	return 0;
}

static int done(struct context *c, struct state *st, int status)
{
	struct err e = {0};

	if (state_close(st, &e))
		return cmd_fail(c, &e);
	ui_flush(&c->ui);
	return c->ui.out_broken && status == 0 ? 1 : status;
}

/* The line of the snapshot inside a line of ours, whose "type" says what it is. */
static void record_json(struct ui *u, const struct record *r)
{
	const char *text = state_record_json(&u->a, r);
	struct json *o = ui_line(u, "record");

	json_add(o, "record", json_parse(&u->a, text, strlen(text), NULL));
	ui_emit(u, o);
}

/* Calls of an earlier run whose outcome is not known; a purchase among them may cost money. */
static void open_questions(struct ui *u, const struct state *st)
{
	size_t n;
	const struct intent *v = state_intents(st, &n);

	for (size_t i = 0; i < n; i++) {
		char when[21] = "";
		struct json *o;

		if (v[i].wall_ms > 0)
			text_utc(v[i].wall_ms / 1000, when);
		if (u->json) {
			o = ui_line(u, "question");
			ui_str(u, o, "address", v[i].address);
			ui_str(u, o, "action", v[i].action);
			ui_str(u, o, "sent", *when ? when : NULL);
			ui_emit(u, o);
		} else {
			ui_out(u, "%s  no answer yet to %s%s%s; the next run settles it, or asks\n",
			       ui_pad(u, ui_safe(u, v[i].address, 0), 44),
			       ui_safe(u, v[i].action, 0), *when ? " of " : "", when);
		}
	}
}

static int state_list_cmd(struct context *c, const char *const *arg)
{
	struct state *st;
	struct err e = {0};
	size_t n;
	const struct record *const *v;

	(void)arg;
	if (open_state(c, &st, false, &e))
		return cmd_fail(c, &e);
	v = state_list(st, &n);
	for (size_t i = 0; i < n; i++) {
		if (c->ui.json) {
			record_json(&c->ui, v[i]);
		} else {
			ui_out(&c->ui, "%s  %s  %s\n",
			       ui_pad(&c->ui, ui_safe(&c->ui, v[i]->address, 0), 44),
			       ui_pad(&c->ui, ui_safe(&c->ui, v[i]->id, 0), 22),
			       v[i]->gone_ms > 0         ? "gone"
			       : v[i]->step == STEP_DONE ? origin_name(v[i]->origin)
			                                 : record_step_name(v[i]->step));
		}
	}
	open_questions(&c->ui, st);
	return done(c, st, 0);
}

static int not_there(struct context *c, struct state *st, const char *address)
{
	struct err e = {0};
	size_t n;
	const struct record *const *v = state_list(st, &n);
	const char **names = arena_array(&c->a, const char *, n + 1), *near;

	for (size_t i = 0; i < n; i++)
		names[i] = v[i]->address;
	near = text_nearest(address, names, n);
	err_set(&e, ERR_USAGE, "%s is not in %s", address, state_path(st));
	if (near)
		err_hint(&e, "did you mean %s?", near);
	return done(c, st, cmd_fail(c, &e));
}

static int state_show_cmd(struct context *c, const char *const *arg)
{
	const char *address = arg[0];
	struct state *st;
	struct err e = {0};
	const struct record *r;
	const char *text;
	struct json *j;

	if (open_state(c, &st, false, &e))
		return cmd_fail(c, &e);
	r = state_get(st, address);
	if (!r)
		return not_there(c, st, address);
	if (c->ui.json) {
		record_json(&c->ui, r);
		return done(c, st, 0);
	}
	text = state_record_json(&c->a, r);
	j = json_parse(&c->a, text, strlen(text), NULL);
	if (!j)
		BUG("a record is no JSON");
	for (const struct json *m = j->child; m; m = m->next) {
		if (m->type == JSON_OBJECT && text_eq(m->key, "attrs")) {
			for (const struct json *x = m->child; x; x = x->next)
				ui_out(&c->ui, "    %-36s %s\n", x->key,
				       ui_safe(&c->ui,
				               x->type == JSON_STRING
				                       ? x->s
				                       : json_write_dup(&c->a, x, false),
				               0));
			continue;
		}
		ui_out(&c->ui, "%-18s %s\n", m->key,
		       ui_safe(&c->ui,
		               m->type == JSON_STRING ? m->s : json_write_dup(&c->a, m, false), 0));
	}
	return done(c, st, 0);
}

static bool agreed(struct context *c, const char *question, struct err *e)
{
	if (c->o.yes)
		return true;
	if (!c->ui.err_tty || !isatty(0)) {
		err_set(e, ERR_USAGE, "nobody can be asked here (no terminal)");
		err_hint(e, "add --yes (or DTSBATCH_YES=1)");
		return false;
	}
	if (ui_confirm(&c->ui, question))
		return true;
	err_set(e, ERR_FAILED, "nothing was done");
	return false;
}

static int state_rm_cmd(struct context *c, const char *const *arg)
{
	const char *address = arg[0];
	struct state *st;
	struct err e = {0};

	if (open_state(c, &st, true, &e))
		return cmd_fail(c, &e);
	if (!state_get(st, address))
		return not_there(c, st, address);
	if (!agreed(c, "Forget it? It stays on the service and is billed on. Only `yes` goes on: ",
	            &e))
		return done(c, st, cmd_fail(c, &e));
	state_del(st, address);
	if (state_flush(st, &e))
		return done(c, st, cmd_fail(c, &e));
	if (!c->ui.quiet)
		ui_err(&c->ui, "%s is forgotten; it stays on the service.\n",
		       ui_safe(&c->ui, address, 0));
	return done(c, st, 0);
}

/* TYPE.NAME of the same type, as a manifest could have it. */
static int check_new_name(const struct state *st, const struct record *r, const char *to,
                          struct err *e)
{
	size_t n = strlen(r->type->name);

	if (strncmp(to, r->type->name, n) || to[n] != '.' || !to[n + 1] ||
	    to[strcspn(to, " \t\r\n")])
		return err_set(e, ERR_USAGE, "%s is no address like %s.NAME", to, r->type->name);
	if (state_get(st, to)) {
		err_set(e, ERR_USAGE, "%s is in the state already (%s)", to, state_get(st, to)->id);
		return err_hint(e, "`dtsbatch state rm '%s'` forgets it", to);
	}
	return 0;
}

/* Under its new name, and what depends on it knows that. All of it counts at once. */
static int state_mv_cmd(struct context *c, const char *const *arg)
{
	const char *from = arg[0], *to = arg[1];
	struct state *st;
	struct err e = {0};
	size_t n;
	const struct record *const *v;
	struct record **copies;

	if (open_state(c, &st, true, &e))
		return cmd_fail(c, &e);
	if (!state_get(st, from))
		return not_there(c, st, from);
	if (check_new_name(st, state_get(st, from), to, &e))
		return done(c, st, cmd_fail(c, &e));
	v = state_list(st, &n);
	copies = arena_array(&c->a, struct record *, n + 1);
	for (size_t i = 0; i < n; i++) {
		copies[i] = record_copy(&c->a, v[i]);
		if (text_eq(copies[i]->address, from))
			copies[i]->address = to;
		for (size_t k = 0; k < copies[i]->ndeps; k++)
			if (text_eq(copies[i]->deps[k], from))
				copies[i]->deps[k] = to;
	}
	for (size_t i = 0; i < n; i++)
		state_put(st, copies[i]); /* an equal one costs nothing */
	state_del(st, from);
	if (state_flush(st, &e))
		return done(c, st, cmd_fail(c, &e));
	if (!c->ui.quiet)
		ui_err(&c->ui, "%s is %s now; the service is not touched.\n",
		       ui_safe(&c->ui, from, 0), ui_safe(&c->ui, to, 0));
	return done(c, st, 0);
}

static int state_forget_cmd(struct context *c, const char *const *arg)
{
	const char *address = arg[0];
	struct state *st;
	struct err e = {0};
	size_t n, k = 0;
	const struct intent *v;
	uint64_t *ids;
	struct json *o;
	bool arrived = false;

	if (open_state(c, &st, true, &e))
		return cmd_fail(c, &e);
	v = state_intents(st, &n);
	ids = arena_array(&c->a, uint64_t, n + 1);
	for (size_t i = 0; i < n; i++)
		if (text_eq(v[i].address, address)) {
			ids[k++] = v[i].id;
			arrived = arrived || json_true(json_get(v[i].detail, "arrived"));
		}
	if (k == 0) {
		err_set(&e, ERR_USAGE, "%s has no open question", address);
		return done(c, st, cmd_fail(c, &e));
	}
	if (arrived &&
	    !c->ui.quiet) /* the fence's answer: the call got there, whether it bought or was refused */
		ui_err(&c->ui,
		       "%s: the purchase did reach the service: unless it was refused there, an instance that nobody "
		       "knows stays billed.\n",
		       ui_safe(&c->ui, address, 0));
	if (!agreed(c,
	            "Say that none of the candidates is ours? The next run buys anew. Only `yes` goes on: ",
	            &e))
		return done(c, st, cmd_fail(c, &e));
	for (size_t i = 0; i < k; i++)
		state_outcome(st, ids[i], OUTCOME_FORGOTTEN, "by the user");
	if (state_flush(st, &e))
		return done(c, st, cmd_fail(c, &e));
	if (c->ui.json) {
		o = ui_line(&c->ui, "forgotten");
		ui_str(&c->ui, o, "address", address);
		ui_int(&c->ui, o, "questions", (int64_t)k);
		ui_emit(&c->ui, o);
	} else if (!c->ui.quiet) {
		ui_err(&c->ui, "%s: the question is closed; the next run buys anew.\n",
		       ui_safe(&c->ui, address, 0));
	}
	return done(c, st, 0);
}

static int state_verify_cmd(struct context *c, const char *const *arg)
{
	struct loaded l;
	struct err e = {0};
	struct diag d;
	struct json *o;

	(void)arg;
	if (load_state_path(&l, &c->a, &c->o, &e))
		return cmd_fail(c, &e);
	diag_init(&d, &c->a);
	if (state_verify(l.state_path, &d, &e))
		return cmd_fail(c, &e);
	c->ui.notes = true; /* what was looked at is the news */
	ui_diag(&c->ui, &d);
	if (!d.errors && c->ui.json) {
		o = ui_line(&c->ui, "verified");
		ui_str(&c->ui, o, "state", l.state_path);
		ui_int(&c->ui, o, "warnings", (int64_t)d.warnings);
		ui_emit(&c->ui, o);
	} else if (!d.errors && !c->ui.quiet) {
		ui_out(&c->ui, "%s: %s\n", ui_safe(&c->ui, l.state_path, 0),
		       d.warnings ? "nothing is damaged" : "good");
	}
	ui_flush(&c->ui);
	return d.errors ? err_exit_status(ERR_STATE_READ) : 0;
}

static int rebuild_cmd(struct context *c, const char *const *arg)
{
	(void)arg;
	c->o.args.v++; /* the rest are manifests */
	c->o.args.n--;
	return cmd_state_rebuild(c);
}

#define ANY_ARGS 99

static const struct {
	const char *verb, *args; /* args: as in the usage */
	size_t n;
	int (*run)(struct context *c, const char *const *arg);
} verbs[] = {
	{"list", "", 0, state_list_cmd},        {"show", " ADDRESS", 1, state_show_cmd},
	{"rm", " ADDRESS", 1, state_rm_cmd},    {"mv", " ADDRESS NEW", 2, state_mv_cmd},
	{"verify", "", 0, state_verify_cmd},    {"forget-intent", " ADDRESS", 1, state_forget_cmd},
	{"rebuild", "", ANY_ARGS, rebuild_cmd},
};

int cmd_state(struct context *c)
{
	const struct opt_list *a = &c->o.args;
	const char *verb = a->n ? a->v[0] : "", *all = "";
	struct err e = {0};

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		all = arena_printf(&c->a, "%s%s%s%s", all, i ? ", " : "", verbs[i].verb,
		                   verbs[i].args);
		if (!text_eq(verb, verbs[i].verb))
			continue;
		if (verbs[i].n == ANY_ARGS || a->n == verbs[i].n + 1)
			return verbs[i].run(c, a->v + 1);
		if (a->n > verbs[i].n + 1)
			err_set(&e, ERR_USAGE, "state %s%s: `%s` is too much", verb, verbs[i].args,
			        text_safe_dup(&c->a, a->v[verbs[i].n + 1], 80));
		else
			err_set(&e, ERR_USAGE, "state %s takes%s", verb, verbs[i].args);
	}
	if (!e.code)
		err_set(&e, ERR_USAGE, "state takes %s", all);
	err_hint(&e, "the file is that of the manifests of `.`, of -f MANIFEST, or --state F");
	return cmd_fail(c, &e);
}
