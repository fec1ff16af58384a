/* status: the tracked jobs as they are now, once or again and again (--watch). */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/map.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/session.h"
#include "model/plan.h"

#define HOUR_MS 3600000LL
#define WARNINGS_MAX 3

struct row {
	const char *address, *instance_id, *job_id, *status, *delay, *progress, *cls, *billing;
	int64_t since_ms; /* at least since; 0: not known */
	bool job;
	const char *warnings[WARNINGS_MAX];
	size_t nwarnings;
};

/* What one look at the service gave; all of it lives in a. */
struct view {
	struct arena a;
	struct inventory inv;
	struct row *rows; /* in the order of the records: by address */
	size_t n;
	struct map by_address;
};

struct watching {
	struct session *s;
	struct view views[2], *now, *before; /* before: NULL at first */
	unsigned cells;                      /* of the address column */
	unsigned lines;                      /* of the table on the terminal */
	bool state_gone;                     /* and it has been said */
};

/* ---- rows ----------------------------------------------------------------------------- */

/* How far the phase that the job is in has come. */
static const char *progress_of(struct arena *a, const struct observed *o)
{
	static const struct {
		const char *member, *name;
		enum job_status in;
	} phases[] = {{"PrecheckStatus", "precheck", ST_PRECHECKING},
	              {"StructureInitializationStatus", "schema", ST_INITIALIZING},
	              {"DataInitializationStatus", "data", ST_INITIALIZING}};

	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
		const struct json *m = json_get(o->row, phases[i].member);
		const char *percent = m ? json_text(a, m, "Percent") : NULL;

		if (phases[i].in != o->status || text_empty(percent) || text_eq(percent, "100") ||
		    text_ieq(json_str(m, "Status"), "NotStarted"))
			continue;
		return arena_printf(a, "%s %s%%", phases[i].name, percent);
	}
	return NULL;
}

static void warn(struct row *r, const char *text)
{
	if (r->nwarnings < WARNINGS_MAX)
		r->warnings[r->nwarnings++] = text;
}

static const char *suspended(const struct watching *w, const struct row *r,
                             const struct record *rec, const struct observed *o)
{
	struct arena *a = &w->now->a;
	int64_t age = r->since_ms > 0 ? sys_wall_ms() - r->since_ms : 0;
	const char *fate = age > 7 * 24 * HOUR_MS ? "past 7 days the service turns it to failed"
	                   : age > 6 * HOUR_MS
	                           ? "past 6 hours it may not start again, past 7 days it fails"
	                           : "past 6 hours it may not start, past 7 days it fails";

	return arena_printf(a, "suspended: still billed, still reads the source's log; %s; %s",
	                    fate,
	                    plan_release_text(a, &w->s->recs, rec, o, load_words(a, &w->s->c->o)));
}

/* What is to be known about it: the same as in a plan. */
static void add_warnings(const struct watching *w, struct row *r, const struct record *rec,
                         const struct observed *o)
{
	struct arena *a = &w->now->a;
	uint32_t k = map_get(&w->s->l.b.by_address, rec->address);
	bool left_alone = r->job && (k == MAP_NONE || !res_get(&w->s->l.b.v[k], "status"));

	if (r->job && o->status == ST_SUSPENDING)
		warn(r, suspended(w, r, rec, o));
	if (r->job && o->status == ST_LOCKED)
		warn(r, STATUS_LOCKED_TEXT);
	if (o->expire_s > 0 && text_ieq(o->pay_type, "PrePaid"))
		warn(r, plan_expiry_text(a, o, sys_wall_ms()));
	if (r->job && status_class(o->status) == SC_FAILED)
		warn(r, plan_failure_text(a, o, left_alone));
}

static const struct row *row_before(const struct watching *w, const char *address)
{
	uint32_t i = w->before ? map_get(&w->before->by_address, address) : MAP_NONE;

	return i == MAP_NONE ? NULL : &w->before->rows[i];
}

/* What the record tells of a status holds while it is the same; of a change we have seen we know the time. */
static int64_t since_of(const struct watching *w, const struct record *rec, const struct row *r,
                        const struct observed *o)
{
	const struct row *old = row_before(w, r->address);

	if (old && !text_ieq(old->status, r->status))
		return sys_wall_ms();
	if (old && old->since_ms > 0)
		return old->since_ms;
	if (!o)
		return rec->gone_ms;
	return rec->status && status_parse(rec->status) == o->status ? rec->status_since_ms : 0;
}

/* Lists and details spell one status in two ways, which is no news. */
static const char *shown_status(const struct observed *o)
{
	return o->status == ST_UNKNOWN ? o->raw_status : status_name(o->status);
}

/* Does a run that is under way, or died, make the job anew? */
static bool being_reset(const struct watching *w, const struct record *rec)
{
	size_t n;
	const struct intent *v = state_intents(w->s->state, &n);

	for (size_t i = 0; i < n; i++)
		if (text_eq(v[i].address, rec->address) && text_eq(v[i].action, "ResetDtsJob"))
			return true;
	return false;
}

static void fill_row(const struct watching *w, struct row *r, const struct record *rec)
{
	struct arena *a = &w->now->a;
	bool emptied;
	const struct observed *o = plan_seen(&w->now->inv, rec, &emptied);
	const char *left = NULL;

	if (emptied && !being_reset(w, rec)) {
		left = arena_printf(a, "its instance %s is there, empty and billed",
		                    o->instance_id);
		o = NULL;
	}

	*r = (struct row){.address = arena_strdup(a, rec->address),
	                  .job = rec->type == &type_job,
	                  .instance_id =
	                          rec->instance_id ? arena_strdup(a, rec->instance_id) : NULL,
	                  .job_id = rec->job_id ? arena_strdup(a, rec->job_id) : NULL,
	                  .status = o ? shown_status(o) : "gone"};
	r->since_ms = since_of(w, rec, r, o);
	if (left)
		warn(r, left);
	if (!o)
		return;
	r->delay = json_text(a, o->row, "Delay");
	r->progress = progress_of(a, o);
	r->cls = o->cls;
	r->billing =
		attr_read(a, &type_instance.attrs[attr_of(&type_instance, "payment_type")], o->row);
	add_warnings(w, r, rec, o);
}

static bool same(const char *x, const char *y)
{
	return text_eq(x ? x : "", y ? y : "");
}

/* A job that does not carry anything over answers with -1. */
static const char *delay_text(const struct row *r)
{
	return r->delay && text_starts(r->delay, "-") ? "unknown" : r->delay;
}

/* A delay moves all the time: to people alone it is no change. */
static bool row_same(const struct row *x, const struct row *y, bool with_delay)
{
	if (!text_ieq(x->status, y->status) || !same(x->progress, y->progress) ||
	    !same(x->cls, y->cls) || !same(x->billing, y->billing) || x->nwarnings != y->nwarnings)
		return false;
	for (size_t i = 0; i < x->nwarnings; i++)
		if (!text_eq(x->warnings[i], y->warnings[i]))
			return false;
	return !with_delay || same(x->delay, y->delay);
}

/* ---- drawing ---------------------------------------------------------------------------- */

static const char *since_text(struct ui *u, const struct row *r)
{
	char when[21] = "";

	if (r->since_ms > 0)
		text_utc(r->since_ms / 1000, when);
	return arena_strdup(&u->a, when);
}

static const char *cell(struct ui *u, const char *text, size_t cells)
{
	return ui_pad(u, text ? ui_safe(u, text, cells) : "", cells);
}

/* The cells of one line; the last one is as long as it is. */
static const char *line_of(const struct watching *w, const struct row *r, const char *since)
{
	struct ui *u = &w->s->c->ui;
	const char *line, *more = "";
	size_t n;

	for (size_t i = 0; i < r->nwarnings; i++)
		more = arena_printf(&u->a, "%s%s%s", more, i ? "; " : "",
		                    ui_safe(u, r->warnings[i], 0));
	line = arena_printf(&u->a, "%s  %s  %s  %s  %s  %s  %s  %s", cell(u, r->address, w->cells),
	                    cell(u, r->status, 16), ui_pad(u, since, 20), cell(u, delay_text(r), 8),
	                    cell(u, r->progress, 13), cell(u, r->cls, 8), cell(u, r->billing, 12),
	                    more);
	for (n = strlen(line); n && line[n - 1] == ' '; n--)
		;
	return arena_strndup(&u->a, line, n);
}

static const char *head_line(const struct watching *w)
{
	static const struct row head = {.address = "ADDRESS",
	                                .status = "STATUS",
	                                .delay = "DELAY",
	                                .progress = "PROGRESS",
	                                .cls = "CLASS",
	                                .billing = "BILLING",
	                                .warnings = {"WARNINGS"},
	                                .nwarnings = 1};

	return line_of(w, &head, "SINCE AT LEAST");
}

static void row_json(struct ui *u, const struct row *r)
{
	struct json *o = ui_line(u, "status"), *list = json_new(&u->a, JSON_ARRAY);
	const char *since = since_text(u, r);

	ui_str(u, o, "address", r->address);
	ui_str(u, o, "instance_id", r->instance_id);
	ui_str(u, o, "job_id", r->job_id);
	ui_str(u, o, "status", r->status);
	ui_str(u, o, "since", *since ? since : NULL);
	if (r->delay && *r->delay && !r->delay[strspn(r->delay, "0123456789")])
		ui_int(u, o, "delay",
		       strtoll(r->delay, NULL, 10)); /* not carrying anything over: none */
	ui_str(u, o, "progress", r->progress);
	ui_str(u, o, "class", r->cls);
	ui_str(u, o, "billing", r->billing);
	for (size_t i = 0; i < r->nwarnings; i++)
		json_add(list, NULL, json_new_str(&u->a, r->warnings[i]));
	if (list->n)
		json_add(o, "warnings", list);
	ui_emit(u, o);
}

static void print_row(const struct watching *w, const struct row *r)
{
	struct ui *u = &w->s->c->ui;

	if (u->json)
		row_json(u, r);
	else if (r->job) /* an instance shows the status of its job */
		ui_out(u, "%s\n", line_of(w, r, since_text(u, r)));
}

static void print_all(const struct watching *w)
{
	struct ui *u = &w->s->c->ui;

	if (!u->json)
		ui_out(u, "%s\n", head_line(w));
	for (size_t i = 0; i < w->now->n; i++)
		print_row(w, &w->now->rows[i]);
}

static void print_changes(const struct watching *w)
{
	struct ui *u = &w->s->c->ui;
	struct row left;

	for (size_t i = 0; i < w->now->n; i++) {
		const struct row *r = &w->now->rows[i], *old = row_before(w, r->address);

		if (!old || !row_same(old, r, u->json))
			print_row(w, r);
	}
	for (size_t i = 0; i < w->before->n; i++) {
		if (map_get(&w->now->by_address, w->before->rows[i].address) != MAP_NONE)
			continue;
		left = (struct row){.address = w->before->rows[i].address,
		                    .job = w->before->rows[i].job,
		                    .status = "not tracked",
		                    .since_ms = sys_wall_ms()};
		print_row(w, &left);
	}
}

/* In place: up over the old table, new lines over the old ones, the rest cleared; one write. */
static void paint(struct watching *w)
{
	struct ui *u = &w->s->c->ui;
	unsigned room, hidden = 0;

	ui_resize(u);
	room = u->height > 4 ? u->height - 2 : 2;
	if (w->lines)
		ui_out(u, "\x1b[%uA", w->lines);
	ui_out(u, "%s\x1b[K\n", ui_safe(u, head_line(w), u->width - 1));
	w->lines = 1;
	for (size_t i = 0; i < w->now->n; i++) {
		const struct row *r = &w->now->rows[i];

		if (!r->job)
			continue;
		if (w->lines >= room) {
			hidden++;
			continue;
		}
		ui_out(u, "%s\x1b[K\n", ui_safe(u, line_of(w, r, since_text(u, r)), u->width - 1));
		w->lines++;
	}
	if (hidden) {
		ui_out(u, "... and %u more\x1b[K\n", hidden);
		w->lines++;
	}
	ui_out(u, "\x1b[J");
}

static void show(struct watching *w)
{
	struct ui *u = &w->s->c->ui;
	bool live = w->s->c->o.watch_ms >= 0;

	if (live && u->out_tty && !u->json)
		paint(w);
	else if (w->before)
		print_changes(w);
	else
		print_all(w);
	ui_flush(u);
}

/* ---- looking ------------------------------------------------------------------------------ */

/* Other runs may have made or dropped records meanwhile. What cannot be read now is read the next time. */
static void read_state_again(struct watching *w)
{
	struct session *s = w->s;
	struct state_opts so = {.path = s->l.state_path,
	                        .mode = STATE_READ,
	                        .simulated = s->c->o.simulate,
	                        .command = s->c->command};
	struct state *old = s->state, *fresh;
	struct err e = {0}, ignored = {0};

	if (s->seed || state_open(&fresh, &so, &e)) /* a rehearsal's state is nowhere but here */
		return;
	if (state_exists(old) && !state_exists(fresh)) {
		if (!w->state_gone)
			ui_warning(&s->c->ui, "%s is gone: what it held last is shown",
			           state_path(old));
		w->state_gone = true;
		w->lines = 0;
		state_abandon(fresh);
		return;
	}
	w->state_gone = false;
	s->state = fresh;
	run_state(s->run, fresh);
	s->recs.v = state_list(fresh, &s->recs.n);
	state_close(old, &ignored);
}

static void view_begin(struct view *v)
{
	arena_reset(&v->a);
	inventory_init(&v->inv, &v->a);
	map_init(&v->by_address, &v->a);
	v->n = 0;
}

/* Lists alone: one call per hundred jobs, and nothing that only a comparison needs. */
static int look(struct watching *w, struct err *e)
{
	struct session *s = w->s;
	struct view *v = w->now;

	size_t said = s->progress.said;
	int rc;

	view_begin(v);
	rc = run_refresh(s->run, NULL, &s->recs, &v->inv, e);
	if (s->progress.said > said)
		w->lines = 0; /* what was said stands below the table */
	if (rc)
		return -1;
	v->rows = arena_array(&v->a, struct row, s->recs.n + 1);
	for (; v->n < s->recs.n; v->n++) {
		fill_row(w, &v->rows[v->n], s->recs.v[v->n]);
		map_put(&v->by_address, v->rows[v->n].address, (uint32_t)v->n);
		if (v->rows[v->n].job && text_width(v->rows[v->n].address) > w->cells)
			w->cells = (unsigned)text_width(v->rows[v->n].address);
	}
	if (w->cells > 48)
		w->cells = 48;
	return 0;
}

enum paused { PAUSED, PAUSE_SIGNAL, PAUSE_READER_GONE };

static enum paused pause_until(const struct context *c, int64_t until_ms)
{
	struct pollfd p[] = {{.fd = c->signal_fd, .events = POLLIN}, {.fd = c->ui.out_fd}};
	int64_t left;
	int n;

	while ((left = until_ms - sys_now_ms()) > 0) {
		n = poll(p, 2, left > 60000 ? 60000 : (int)left);
		if (n < 0 && errno != EINTR)
			return PAUSE_SIGNAL;
		if (n > 0 && p[0].revents)
			return PAUSE_SIGNAL;
		if (n > 0 && (p[1].revents & POLLERR))
			return PAUSE_READER_GONE;
		if (n > 0) /* POLLHUP of a terminal or socket: the next write tells */
			p[1].fd = -1;
	}
	return PAUSED;
}

/* Will it perhaps be better in a while? */
static bool passing(const struct err *e)
{
	return e->code == ERR_UNREACHABLE || e->code == ERR_LATER || e->code == ERR_FAILED;
}

/* Until a signal (0, that is what was asked for), a reader that is gone, or an error that stays. */
static int watch_on(struct watching *w)
{
	struct context *c = w->s->c;
	int64_t due = sys_now_ms();

	for (;;) {
		struct err e = {0};
		struct view *spare = w->before ? w->before : &w->views[1];

		due += c->o.watch_ms;
		if (due < sys_now_ms())
			due = sys_now_ms();
		switch (pause_until(c, due)) {
		case PAUSE_SIGNAL:
			return 0;
		case PAUSE_READER_GONE:
			return 1;
		case PAUSED:
			break;
		}
		run_rest(w->s->run);
		read_state_again(w);
		w->before = w->now;
		w->now = spare;
		if (look(w, &e)) {
			w->now = w->before; /* what was seen last stands */
			w->before = spare;
			if (run_signal(w->s->run))
				return 0;
			if (!passing(&e))
				return cmd_fail(c, &e);
			ui_warning(&c->ui, "%s: looked for again", e.msg);
			w->lines = 0; /* the warning stands below the table */
			continue;
		}
		show(w);
		if (c->ui.out_broken)
			return 1;
	}
}

static int run_status(struct watching *w)
{
	struct context *c = w->s->c;
	struct err e = {0};

	w->s->progress.no_pages = true;
	if (look(w, &e))
		return c->o.watch_ms >= 0 && run_signal(w->s->run) ? 0 : cmd_fail(c, &e);
	show(w);
	if (c->ui.out_broken)
		return 1;
	return c->o.watch_ms >= 0 ? watch_on(w) : 0;
}

int cmd_status(struct context *c)
{
	struct session s;
	struct watching w = {.s = &s, .cells = sizeof "ADDRESS" - 1};
	struct err e = {0}, end = {0};
	int rc;

	w.now = &w.views[0];
	arena_init(&w.views[0].a);
	arena_init(&w.views[1].a);
	rc = session_open(&s, c, 0, &e) ? cmd_fail(c, &e) : run_status(&w);
	session_close(&s, &end);
	arena_release(&w.views[0].a);
	arena_release(&w.views[1].a);
	return rc;
}
