/* plan, apply, destroy, import: one path; they differ in what they ask of the plan and in
 * whether it is executed. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/rebuild.h"
#include "cli/saved_plan.h"
#include "cli/session.h"
#include "model/guard.h"

enum mode { MODE_PLAN, MODE_APPLY, MODE_DESTROY, MODE_IMPORT };

struct job {
	enum mode mode;
	struct session s;
	struct plan p;
	struct plan_opts po;
	const struct saved_plan *saved; /* NULL: apply of manifests */
	bool only_imports;              /* whatever else the sections would want */
	bool together;                  /* imports: all of them or none */
	size_t vanished;                /* open purchases without a section */
	enum err_code asked;            /* a question that is open whatever else happens */
	struct err e;
};

static bool executes(const struct job *j)
{
	return j->mode != MODE_PLAN && !j->s.c->o.dry_run;
}

static bool is_read_now(const struct job *j, const struct stat *st)
{
	const struct batch *b = &j->s.l.b;
	struct stat now;

	for (size_t i = 0; i < b->nfiles; i++)
		if (stat(b->files[i], &now) == 0 && now.st_dev == st->st_dev &&
		    now.st_ino == st->st_ino)
			return true;
	return false;
}

/*
 * Files that held a recorded section and are not read now: gone (a disk that is not mounted), or not named this time. The records
 * tell, not the list of the last run: what one run has seen missing is missing for the next one, too.
 */
static void unseen_files(struct job *j)
{
	struct arena *a = &j->s.c->a;
	const struct record_list *recs = &j->s.recs;
	const char **missing = arena_array(a, const char *, recs->n + 1);
	const char **unread = arena_array(a, const char *, recs->n + 1);
	size_t nmissing = 0, nunread = 0;
	struct map seen;
	struct stat st;

	map_init(&seen, a);
	for (size_t i = 0; i < recs->n; i++) {
		const char *file = recs->v[i]->file;

		if (text_empty(file) || map_put(&seen, file, 1) != MAP_NONE)
			continue;
		if (stat(file, &st) != 0)
			missing[nmissing++] = file;
		else if (!is_read_now(j, &st))
			unread[nunread++] = file;
	}
	j->po.missing_files = missing;
	j->po.nmissing_files = nmissing;
	j->po.unread_files = unread;
	j->po.nunread_files = nunread;
}

/* A plan beside a run sees half of what that does. */
static void beside_a_run(struct job *j)
{
	const char *holder = executes(j) ? NULL : state_holder(j->s.state, &j->s.c->a);

	j->po.under_way = holder != NULL;
	if (holder)
		ui_warning(&j->s.c->ui,
		           "a run is under way (%s): what it has not done yet is in this plan",
		           holder);
}

static void unsettled(struct job *j)
{
	struct arena *a = &j->s.c->a;
	size_t n, buys = 0, others = 0;
	const struct intent *v = state_intents(j->s.state, &n);
	const char **bought = arena_array(a, const char *, n + 1);
	const char **sent = arena_array(a, const char *, n + 1);

	for (size_t i = 0; i < n; i++)
		if (text_eq(v[i].action, "CreateDtsInstance"))
			bought[buys++] = arena_strdup(a, v[i].address);
		else
			sent[others++] = arena_strdup(a, v[i].address);
	j->po.unsettled = bought;
	j->po.nunsettled = buys;
	j->po.sent = sent;
	j->po.nsent = others;
	for (size_t i = 0; !executes(j) && !j->po.under_way && i < buys; i++) {
		bool destroys = j->mode == MODE_DESTROY;

		if (!destroys && map_get(&j->s.l.b.by_address, bought[i]) != MAP_NONE)
			continue; /* its section's line says so */
		j->vanished += !destroys;
		ui_warning(
			&j->s.c->ui, "%s: the answer of its purchase was lost%s", bought[i],
			destroys
				? ": destroy looks for the instance first"
				: ", and its section is gone: the next apply looks for the instance and records it");
	}
}

static bool matches_any(const struct session *s, const char *pattern)
{
	for (size_t i = 0; i < s->l.b.n; i++)
		if (text_glob(pattern, s->l.b.v[i].address))
			return true;
	for (size_t i = 0; i < s->recs.n; i++)
		if (text_glob(pattern, s->recs.v[i]->address))
			return true;
	return false;
}

/* A misspelt address would otherwise look like a batch in which there is nothing to do. */
static int check_patterns(struct job *j, const char *option, const struct opt_list *list)
{
	const struct session *s = &j->s;
	const char **names = arena_array(&s->c->a, const char *, s->l.b.n + 1), *near;

	for (size_t i = 0; i < s->l.b.n; i++)
		names[i] = s->l.b.v[i].address;
	for (size_t i = 0; i < list->n; i++) {
		if (matches_any(s, list->v[i]))
			continue;
		near = text_nearest(list->v[i], names, s->l.b.n);
		err_set(&j->e, ERR_USAGE, "%s %s matches nothing", option, list->v[i]);
		return near ? err_hint(&j->e, "did you mean %s?", near)
		            : err_hint(&j->e,
		                       "addresses are TYPE.NAME, as in `dtsbatch state list`");
	}
	return 0;
}

static struct plan_source plan_source(const struct job *j)
{
	return (struct plan_source){&j->s.c->o, &j->s.l, j->s.state};
}

/* Before the service is asked for anything. */
static int check_saved(struct job *j)
{
	struct plan_source now = plan_source(j);

	return j->saved ? saved_plan_check_source(j->saved, &j->s.c->a, &now, &j->e) : 0;
}

static int make_plan(struct job *j)
{
	const struct options *o = &j->s.c->o;
	struct session *s = &j->s;
	struct diag d;

	if (check_patterns(j, "--target", &o->targets) ||
	    check_patterns(j, "--exclude", &o->excludes) ||
	    check_patterns(j, "--replace", &o->replaces) ||
	    (!o->no_refresh && session_refresh(s, &j->e)))
		return -1;
	j->po.destroy = j->mode == MODE_DESTROY;
	j->po.prune = o->prune || s->l.b.set.prune == 1;
	j->po.refresh = !o->no_refresh;
	if (!j->po.targets) {
		j->po.targets = o->targets.v;
		j->po.ntargets = o->targets.n;
	}
	j->po.excludes = o->excludes.v;
	j->po.nexcludes = o->excludes.n;
	j->po.replaces = o->replaces.v;
	j->po.nreplaces = o->replaces.n;
	j->po.fp_key = state_fp_key(s->state);
	j->po.now_ms = sys_wall_ms();
	j->po.words = load_words(&s->c->a, o);
	unseen_files(j);
	j->po.allow_twins = o->allow_twins || j->only_imports;
	beside_a_run(j);
	unsettled(j);
	diag_init(&d, &s->c->a);
	plan_make(&j->p, &s->c->a, &s->l.b, &s->recs, &s->inv, &j->po, &d);
	ui_diag(&s->c->ui, &d);
	if (j->only_imports)
		rebuild_only_imports(&j->p, j->together);
	if (d.errors)
		return err_set(&j->e, ERR_MANIFEST, "%s", "");
	return 0;
}

/* What tells one set of orphans from another; NULL: there are none. */
static const char *orphans_digest(struct job *j)
{
	struct buf b;
	uint8_t sum[32];
	char hex[33];

	if (!j->p.norphans)
		return NULL;
	buf_init(&b, (size_t)1 << 30);
	for (size_t i = 0; i < j->p.norphans; i++) /* in the order of the records: sorted */
		buf_printf(&b, "%s\n", j->p.orphans[i]);
	hash_sha256(b.p, b.n, sum);
	buf_release(&b);
	hash_hex(sum, 16, hex);
	return arena_strdup(&j->s.c->a, hex);
}

/* A selection sees some of the orphans only: that says nothing of the set. */
static bool sees_all(const struct job *j)
{
	return !j->po.ntargets && !j->po.nexcludes;
}

/* An orphan stays one until somebody acts: said again every half hour, it would be ignored. */
static bool orphans_are_news(struct job *j)
{
	return j->p.norphans && sees_all(j) &&
	       !text_eq(orphans_digest(j), state_orphans(j->s.state));
}

static bool quiet_about(struct job *j)
{
	return j->s.c->o.quiet && plan_is_empty(&j->p) && !j->p.marked && !orphans_are_news(j);
}

/* They were said, or need not be: not again before the set changes. */
static void remember_orphans(struct job *j)
{
	if (j->mode == MODE_APPLY && sees_all(j))
		state_set_orphans(j->s.state, orphans_digest(j));
}

static void show(struct job *j)
{
	struct context *c = j->s.c;
	struct plan_head h = {.command = c->command,
	                      .title = j->s.l.title,
	                      .region = j->s.region,
	                      .simulated = c->o.simulate};
	struct err smell = {0};

	if (!quiet_about(j))
		render_plan(&c->ui, &j->p, &h);
	if ((!executes(j) || !c->o.yes) && j->mode != MODE_IMPORT && guard_smells(&j->p, &smell))
		ui_warning(&c->ui, "%s", smell.msg);
}

static struct guard_opts guards(const struct job *j)
{
	const struct options *o = &j->s.c->o;
	const struct settings *set = &j->s.l.b.set;

	return (struct guard_opts){
		.max_changes = o->max_changes >= 0 ? o->max_changes : set->max_changes,
		.max_deletes = o->max_deletes >= 0 ? o->max_deletes : set->max_deletes,
		.max_gone = o->max_gone >= 0 ? o->max_gone : set->max_gone,
		.destroy = j->mode == MODE_DESTROY,
		.imported = j->mode == MODE_IMPORT};
}

/* A plan says where an apply that nobody watches would stop; that is its business, not the plan's. */
static void show_guard(struct job *j)
{
	struct ui *u = &j->s.c->ui;
	struct guard_opts g = guards(j);
	struct err e = {0};
	struct json *o;

	if ((plan_is_empty(&j->p) && !j->p.marked) || guard_check(&j->p, &g, &e) == 0)
		return;
	if (u->json) {
		o = ui_line(u, "guard");
		ui_str(u, o, "message", e.msg);
		ui_str(u, o, "hint", e.hint);
		ui_emit(u, o);
		return;
	}
	ui_out(u, "`%s --yes` would stop: %s\n", j->mode == MODE_DESTROY ? "destroy" : "apply",
	       ui_safe(u, e.msg, 0));
	if (*e.hint)
		ui_out(u, "    %s\n", ui_safe(u, e.hint, 0));
}

/* 0: go on; 1: the user said no; -1: error. */
static int consent(struct job *j)
{
	struct context *c = j->s.c;
	const struct options *o = &c->o;
	struct guard_opts g = guards(j);

	if (j->saved) {
		g.looked = true; /* that is what the file is for */
	} else if (!o->yes && !plan_is_empty(&j->p)) {
		if (!ui_confirm(&c->ui, j->mode == MODE_DESTROY
		                                ? "\nDestroy all this? Only `yes` goes on: "
		                                : "\nDo this? Only `yes` goes on: "))
			return 1;
		g.looked = true;
	}
	return guard_check(&j->p, &g, &j->e);
}

static void remember_files(struct job *j)
{
	const struct batch *b = &j->s.l.b;
	size_t n;
	const char *const *old = state_files(j->s.state, &n);
	bool same = n == b->nfiles;

	for (size_t i = 0; same && i < n; i++)
		same = text_eq(old[i], b->files[i]);
	if (!same && j->mode == MODE_APPLY && b->nfiles)
		state_set_files(j->s.state, b->files, b->nfiles);
}

/* The ids that this run got, when the state may not have them: they cost money, and stand nowhere else. */
static void show_made(struct job *j)
{
	struct ui *u = &j->s.c->ui;

	for (size_t i = 0; i < j->p.n; i++) {
		const struct op *op = &j->p.ops[i];
		const struct record *r = state_get(j->s.state, op->address);
		struct json *o;

		if (!r || (op->have && text_eq(op->have->id, r->id)))
			continue;
		if (u->json) {
			o = ui_line(u, "made");
			ui_str(u, o, "address", r->address);
			ui_str(u, o, "id", r->id);
			ui_str(u, o, "instance_id", r->instance_id);
			ui_emit(u, o);
		} else {
			ui_err(u, "made: %s  %s  (instance %s)\n", ui_safe(u, r->address, 0),
			       ui_safe(u, r->id, 0), ui_safe(u, r->instance_id, 0));
		}
	}
	ui_flush(u);
}

static int execute(struct job *j)
{
	struct session *s = &j->s;
	enum op_result *results = arena_array(&s->c->a, enum op_result, j->p.n + 1);
	struct summary sum = {.p = &j->p, .results = results, .destroy = j->mode == MODE_DESTROY};
	enum err_code worst = ERR_NONE, asked = err_worse(j->e.code, j->asked);
	struct err end = {0}, late = {0};
	struct run_stats stats;
	int sig = 0;
	bool noisy;

	session_settle_home(s);
	remember_files(j);
	remember_orphans(j);
	progress_plan(&s->progress, &s->c->a, &j->p);
	if (!s->c->ui.json && !s->c->o.quiet)
		ui_err(&s->c->ui, "\n");
	run_apply(s->run, &j->p, results, &worst, &sig, &end);
	progress_end(&s->progress);
	stats = *run_stats(s->run);
	sum.stats = &stats;
	sum.state_path = arena_strdup(&s->c->a, state_path(s->state));
	noisy = !s->c->o.quiet || !plan_is_empty(&j->p) || worst != ERR_NONE;
	if (state_end(s->state, &late)) {
		/* The end tells what the run has told, and what became of it. */
		if (end.code && end.code != late.code)
			ui_error(&s->c->ui, &end);
		end = late;
		worst = err_worse(worst, late.code);
		show_made(j);
	}
	if (end.code)
		ui_error(&s->c->ui, &end);
	sum.serial = state_serial(s->state);
	sum.unsaved = !state_saved(s->state);
	sum.in_journal = state_in_journal(s->state);
	session_close(s, &late);
	if (noisy)
		render_summary(&s->c->ui, &sum);
	if (s->c->o.simulate && noisy && !s->c->ui.json)
		ui_err(&s->c->ui, "Simulated: nothing real was touched. World: %s\n",
		       ui_safe(&s->c->ui, state_world_path(&s->c->a, sum.state_path), 0));
	ui_flush(&s->c->ui);
	if (sig && worst != ERR_NONE)
		return 128 + sig;
	worst = err_worse(worst, asked);
	if (worst == ERR_NONE && s->c->o.detailed_exitcode && !plan_is_empty(&j->p))
		return 2;
	return err_exit_status(worst);
}

static int finish(struct job *j, int status)
{
	struct err end = {0};

	if (session_close(&j->s, &end) && status == 0)
		return cmd_fail(j->s.c, &end);
	ui_flush(&j->s.c->ui);
	return status;
}

static int plan_status(const struct job *j)
{
	struct context *c = j->s.c;

	ui_flush(&c->ui);
	if (c->ui.out_broken)
		return 1;
	if (j->p.refused)
		return 1;
	return c->o.detailed_exitcode && (!plan_is_empty(&j->p) || j->vanished) ? 2 : 0;
}

static int save_plan(struct job *j)
{
	struct context *c = j->s.c;
	struct plan_source from = plan_source(j);
	struct json *o;

	if (saved_plan_write(c->o.out, &c->a, &from, &j->p, &j->e))
		return -1;
	if (c->ui.json) {
		o = ui_line(&c->ui, "saved_plan");
		ui_str(&c->ui, o, "file", c->o.out);
		ui_emit(&c->ui, o);
	} else if (!c->ui.quiet) {
		ui_err(&c->ui, "\nSaved: `dtsbatch apply %s%s` does exactly this, or nothing.\n",
		       c->o.simulate ? "--simulate " : "", ui_safe(&c->ui, c->o.out, 0));
	}
	return 0;
}

/* Every import is refused: the plan has said why. */
static bool nothing_can_be_taken(const struct job *j)
{
	return j->only_imports && j->p.refused && !j->p.count[OP_ADOPT];
}

static int run_job(struct job *j)
{
	struct context *c = j->s.c;
	int rc;

	if (check_saved(j) || make_plan(j) ||
	    (j->saved && saved_plan_check_changes(j->saved, &c->a, &j->p, &j->e)))
		return finish(j, cmd_fail(c, &j->e));
	show(j);
	if (!executes(j))
		show_guard(j);
	if (c->o.out && save_plan(j))
		return finish(j, cmd_fail(c, &j->e));
	if (!executes(j) || nothing_can_be_taken(j))
		return finish(j, plan_status(j));
	/* To believe that much is gone needs the guards, too, although nothing is done. */
	if ((plan_is_empty(&j->p) && !j->p.marked) || (rc = consent(j)) == 0)
		return execute(j);
	if (rc > 0) {
		ui_err(&c->ui, "Nothing was done.\n");
		return finish(j, 1);
	}
	return finish(j, cmd_fail(c, &j->e));
}

/* Said at once, not only on the day when there is something to do: a cron line without --yes is
 * wrong every day. */
static int check_askable(struct job *j, const struct context *c)
{
	if (!executes(j) || j->saved || c->o.yes || (c->ui.err_tty && isatty(0) && !c->ui.json))
		return 0;
	err_set(&j->e, ERR_USAGE, "nobody can be asked here (no terminal)");
	return err_hint(&j->e,
	                "look at `dtsbatch plan`, then run %s with --yes (or DTSBATCH_YES=1)",
	                c->command);
}

static int open_job(struct job *j, struct context *c, enum mode mode,
                    const struct saved_plan *saved, unsigned flags)
{
	*j = (struct job){.mode = mode, .saved = saved};
	j->s.c = c;
	if (executes(j))
		flags |= SESSION_WRITES |
		         (mode == MODE_DESTROY ? SESSION_DESTROYS : SESSION_SECRETS);
	/* A name that is wrong is the more useful message where nobody could be asked either. */
	return load_exists(&c->o, &j->e) || check_askable(j, c) ||
	                       session_open(&j->s, c, flags, &j->e)
	               ? -1
	               : 0;
}

/* -1: go on. */
static int begin(struct job *j, struct context *c, enum mode mode, const struct saved_plan *saved)
{
	return open_job(j, c, mode, saved, mode == MODE_IMPORT ? SESSION_TAKES : 0)
	               ? finish(j, cmd_fail(c, &j->e))
	               : -1;
}

static int run_mode(struct context *c, enum mode mode, const struct saved_plan *saved)
{
	struct job j;
	int rc = begin(&j, c, mode, saved);

	return rc >= 0 ? rc : run_job(&j);
}

int cmd_plan(struct context *c)
{
	struct err e = {0};

	if (c->o.out && c->o.no_refresh) {
		err_set(&e, ERR_USAGE, "a plan that is to be applied needs to look");
		err_hint(&e, "leave --refresh=false out");
	}
	if (e.code || (c->o.out && saved_plan_may_write(c->o.out, &e)))
		return cmd_fail(c, &e);
	return run_mode(c, MODE_PLAN, NULL);
}

int cmd_apply(struct context *c)
{
	struct saved_plan saved;
	struct err e = {0};

	for (size_t i = 0; i < c->o.args.n; i++) {
		if (!saved_plan_looks(c->o.args.v[i]))
			continue;
		if (saved_plan_read(&saved, &c->a, c->o.args.v[i], &e) ||
		    saved_plan_options(&saved, &c->a, &c->o, &e))
			return cmd_fail(c, &e);
		return run_mode(c, MODE_APPLY, &saved);
	}
	return run_mode(c, MODE_APPLY, NULL);
}

int cmd_destroy(struct context *c)
{
	return run_mode(c, MODE_DESTROY, NULL);
}

int cmd_import(struct context *c)
{
	struct job j;
	struct err e = {0};
	static const char *targets[1];
	const char *address;
	uint32_t k;
	int rc;

	if (c->o.args.n != 2) {
		err_set(&e, ERR_USAGE, "import takes an address and an id");
		err_hint(&e, "dtsbatch import synchronization_instance.NAME dts... [-f MANIFEST]");
		return cmd_fail(c, &e);
	}
	address = c->o.args.v[0];
	targets[0] = address;
	c->o.args.n = 0; /* manifests come by -f */
	rc = begin(&j, c, MODE_IMPORT, NULL);
	if (rc >= 0)
		return rc;
	k = map_get(&j.s.l.b.by_address, address);
	if (k == MAP_NONE) {
		err_set(&j.e, ERR_USAGE, "no section [%s] in %s", address, j.s.l.title);
		err_hint(&j.e,
		         "write the section first; the manifests of `.` are read, or those of -f");
	} else if (state_get(j.s.state, address)) {
		err_set(&j.e, ERR_USAGE, "%s is in the state already (%s)", address,
		        state_get(j.s.state, address)->id);
		err_hint(&j.e, "`dtsbatch state rm '%s'` forgets it", address);
	}
	if (j.e.code)
		return finish(&j, cmd_fail(c, &j.e));
	j.s.l.b.v[k].life.import_id = c->o.args.v[1];
	j.only_imports = j.po.take_only = true; /* above all, nothing is bought */
	j.together = true;
	j.po.targets = targets;
	j.po.ntargets = 1;
	return run_job(&j);
}

int cmd_state_rebuild(struct context *c)
{
	struct rebuild rb;
	struct job j;
	const char *path;

	c->command = "state rebuild";
	if (open_job(&j, c, MODE_IMPORT, NULL, SESSION_REBUILDS)) {
		path = j.s.l.state_path;
		if (j.e.code == ERR_STATE_READ && path)
			err_hint(&j.e,
			         "%s%sto rebuild it, move it and its journal away first: `mkdir "
			         "old && mv %.*s.j* old/`",
			         j.e.hint, *j.e.hint ? "; " : "", (int)strlen(path) - 5, path);
		return finish(&j, cmd_fail(c, &j.e));
	}
	rebuild_begin(&rb, &c->a, &j.s.l.b, &j.s.recs);
	if (session_refresh(&j.s, &j.e))
		return finish(&j, cmd_fail(c, &j.e));
	rebuild_match(&rb, &j.s.inv);
	rebuild_show(&rb, &c->ui);
	j.only_imports = j.po.take_only = true;
	j.asked = rb.ambiguous ? ERR_DECISION : ERR_NONE;
	if (rb.found)
		return run_job(&j);
	if (!c->ui.quiet && !c->ui.json)
		ui_out(&c->ui, "Nothing to take over.\n");
	return finish(&j, err_exit_status(j.asked));
}
