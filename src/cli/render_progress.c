#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/render.h"

#define REDRAW_MS 100
#define SILENCE_MS 15000 /* between two lines about a service that does not answer */
#define BURST 500        /* operations; more than these are drawn at intervals only */
#define FAILED_MAX ((size_t)4 << 20)

void progress_init(struct progress *pr, struct ui *u)
{
	*pr = (struct progress){.ui = u};
	buf_init(&pr->failed, FAILED_MAX);
	buf_init(&pr->held, FAILED_MAX);
}

void progress_release(struct progress *pr)
{
	buf_release(&pr->failed);
	buf_release(&pr->held);
}

void progress_plan(struct progress *pr, struct arena *a, const struct plan *p)
{
	pr->p = p;
	pr->rows = arena_array(a, struct progress_row, p->n + 1);
	pr->active = arena_array(a, uint32_t, p->n + 1);
	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].kind != OP_NOOP && text_width(p->ops[i].address) > pr->cells)
			pr->cells = (unsigned)text_width(p->ops[i].address);
}

static const char *seconds(struct ui *u, int64_t ms)
{
	return arena_printf(&u->a, "%3" PRId64 ".%" PRId64 "s", ms / 1000, ms % 1000 / 100);
}

static const char *const result_names[] = {"pending", "done",     "failed",
                                           "blocked", "deferred", "decision needed"};
static const enum tint result_tints[] = {TINT_NONE,   TINT_GREEN,  TINT_RED,
                                         TINT_YELLOW, TINT_YELLOW, TINT_RED};

static const char *step_verb(const struct event *ev)
{
	return ev->verb ? ev->verb : step_def(ev->step)->verb;
}

/* ---- the live table --------------------------------------------------------- */

static void table_row(struct progress *pr, const struct progress_row *r, const struct event *ev,
                      unsigned cells)
{
	struct ui *u = pr->ui;
	const char *address = ui_safe(u, pr->p->ops[r - pr->rows].address, cells);
	const char *line = arena_printf(&u->a, "  %s  %s  %s %s", ui_pad(u, address, cells),
	                                ui_pad(u, r->verb ? r->verb : "", 16),
	                                ui_pad(u, ui_safe(u, r->status, 18), 18),
	                                seconds(u, ev->elapsed_ms - r->since_ms));

	/* A line that wraps would make the next "up" too short. */
	ui_err(u, "%s\x1b[K\n", ui_safe(u, line, u->width - 1));
	pr->lines++;
}

/* In place: up over the old table, new text over the old one, the rest cleared. One write, so
 * nothing flickers. */
static void table_draw(struct progress *pr, const struct event *ev, const char *above)
{
	struct ui *u = pr->ui;
	unsigned room, cells, fixed = 2 + 2 + 16 + 2 + 18 + 1 + 7 + 1;
	size_t hidden = 0;

	ui_resize(u);
	room = u->height > 6 ? u->height - 4 : 3;
	cells = u->width > fixed + 16 ? u->width - fixed : 16;
	if (cells > pr->cells)
		cells = pr->cells;
	if (pr->lines)
		ui_err(u, "\x1b[%uA", pr->lines);
	if (*above)
		ui_err(u, "\x1b[J%s", above);
	pr->lines = 0;
	for (size_t i = 0; i < pr->nactive; i++) {
		if (pr->lines >= room)
			hidden++;
		else
			table_row(pr, &pr->rows[pr->active[i]], ev, cells);
	}
	ui_err(u, "  %zu of %zu done%s, %s\x1b[K\n\x1b[J", pr->done, pr->total,
	       hidden ? arena_printf(&u->a, ", %zu more under way", hidden) : "",
	       seconds(u, ev->elapsed_ms));
	pr->lines++;
	pr->drawn_ms = ev->elapsed_ms;
}

/* ---- events ------------------------------------------------------------------- */

static void event_json(struct progress *pr, const struct event *ev)
{
	static const char *const names[] = {"refresh", "step", "status", "result",
	                                    "retry",   "note", "call",   "tick"};
	struct ui *u = pr->ui;
	struct json *o = ui_line(u, names[ev->kind]);

	ui_int(u, o, "elapsed_ms", ev->elapsed_ms);
	ui_str(u, o, "address", ev->op ? ev->op->address : NULL);
	if (ev->kind == EV_STEP)
		ui_str(u, o, "step", ui_word(u, step_verb(ev)));
	if (ev->kind == EV_OP_DONE) {
		ui_str(u, o, "result", ui_word(u, result_names[ev->result]));
		ui_str(u, o, "action", ui_word(u, op_kind_name(ev->op->kind)));
	}
	ui_str(u, o,
	       ev->kind == EV_STATUS || ev->kind == EV_STEP || ev->kind == EV_OP_DONE ? "status"
	                                                                              : "text",
	       ev->text && *ev->text ? ev->text : NULL);
	if (ev->err) {
		ui_str(u, o, "error", ev->err->msg);
		ui_str(u, o, "hint", *ev->err->hint ? ev->err->hint : NULL);
	}
	if (ev->nitems) {
		struct json *list = json_new(&u->a, JSON_ARRAY);

		for (size_t i = 0; i < ev->nitems; i++) {
			struct json *it = json_new(&u->a, JSON_OBJECT);

			ui_str(u, it, "item", ev->items[i].item);
			ui_str(u, it, "message", ev->items[i].message);
			ui_str(u, it, "repair", ev->items[i].repair);
			ui_str(u, it, "explain", ev->items[i].explain);
			json_add(it, "can_skip", json_new_bool(&u->a, ev->items[i].can_skip));
			json_add(list, NULL, it);
		}
		json_add(o, "precheck", list);
	}
	ui_emit(u, o);
}

/* The line that would let the job start: skipping helps only when all that failed may be skipped. */
static void skip_hint(struct ui *u, struct buf *b, const struct event *ev)
{
	const char *list = ev->skips;
	bool more = false;

	for (size_t i = 0; i < ev->nitems; i++) {
		const struct precheck_failure *f = &ev->items[i];

		if (text_has_field(list, ',', f->item, true) && !f->never_skip)
			continue;
		if (!f->can_skip || !lifecycle_takes("skip_precheck", f->item))
			return;
		list = list ? arena_printf(&u->a, "%s, %s", list, f->item) : f->item;
		more = true;
	}
	if (more)
		buf_printf(b, "      may be skipped: skip_precheck = %s\n", ui_safe(u, list, 0));
}

/* Kept for the end of the run, where it is looked for. */
static void keep_failure(struct progress *pr, const struct event *ev)
{
	struct ui *u = pr->ui;
	struct buf *b = &pr->failed;

	buf_printf(b, "  %s  %s: %s\n",
	           ui_tint(u, true, result_tints[ev->result],
	                   arena_printf(&u->a, "%-8s", result_names[ev->result])),
	           ui_safe(u, ev->op->address, 0), ui_safe(u, ev->err ? ev->err->msg : "", 0));
	for (size_t i = 0; i < ev->nitems; i++) {
		const struct precheck_failure *f = &ev->items[i];

		buf_printf(b, "      %s  %s\n", ui_tint(u, true, TINT_RED, ui_safe(u, f->item, 0)),
		           ui_safe(u, f->message, 0));
		if (f->explain)
			buf_printf(b, "          %s\n", f->explain);
		if (!text_empty(f->repair))
			buf_printf(b, "          remedy: %s\n", ui_safe(u, f->repair, 0));
		if (f->never_skip && text_has_field(ev->skips, ',', f->item, true))
			buf_printf(b, "          the service does not let it be skipped\n");
	}
	skip_hint(u, b, ev);
	if (ev->err && *ev->err->hint)
		buf_printf(b, "      %s\n", ui_safe(u, ev->err->hint, 0));
}

/* One line; "" for what only the table shows. */
static const char *event_line(struct progress *pr, const struct event *ev)
{
	struct ui *u = pr->ui;
	const char *who = ev->op ? ui_safe(u, ev->op->address, 0) : "", *sep = ev->op ? ": " : "",
		   *what = "";

	switch (ev->kind) {
	case EV_REFRESH:
	case EV_TICK:
		return "";
	case EV_STEP:
		what = step_verb(ev);
		break;
	case EV_OP_DONE:
		what = arena_printf(
			&u->a, "%s  (%s)",
			ui_tint(u, true, result_tints[ev->result], result_names[ev->result]),
			op_kind_name(ev->op->kind));
		break;
	case EV_STATUS:
	case EV_RETRY:
	case EV_NOTE:
	case EV_CALL:
		what = ui_safe(u, ev->text, 0);
		break;
	}
	return arena_printf(&u->a, "%s  %s%s%s\n", seconds(u, ev->elapsed_ms), who, sep, what);
}

static void deactivate(struct progress *pr, uint32_t op)
{
	for (size_t i = 0; i < pr->nactive; i++) {
		if (pr->active[i] != op)
			continue;
		memmove(&pr->active[i], &pr->active[i + 1],
		        (pr->nactive - i - 1) * sizeof *pr->active);
		pr->nactive--;
		return;
	}
}

static void update_row(struct progress *pr, const struct event *ev)
{
	struct progress_row *r;
	uint32_t k;

	if (!ev->op || ev->op < pr->p->ops || ev->op >= pr->p->ops + pr->p->n)
		return;
	k = (uint32_t)(ev->op - pr->p->ops);
	r = &pr->rows[k];
	if (ev->kind == EV_STEP) {
		r->verb = step_verb(ev);
		if (!r->active) {
			r->since_ms = ev->elapsed_ms;
			pr->active[pr->nactive++] = k;
		}
		r->active = true;
	}
	if ((ev->kind == EV_STATUS || ev->kind == EV_STEP) && ev->text)
		snprintf(r->status, sizeof r->status, "%s", ev->text);
	if (ev->kind == EV_OP_DONE && r->active) {
		r->active = false;
		deactivate(pr, k);
	}
}

/* Steps and statuses live in the table; results, notes and failures scroll above it. */
static bool scrolls(const struct event *ev)
{
	return ev->kind == EV_OP_DONE || ev->kind == EV_NOTE || ev->kind == EV_RETRY ||
	       ev->kind == EV_CALL;
}

static void on_terminal(struct progress *pr, const struct event *ev)
{
	struct ui *u = pr->ui;
	bool soon = ev->elapsed_ms - pr->drawn_ms < REDRAW_MS;

	if (ev->kind == EV_REFRESH) /* a poll; its numbers are pages */
		return;
	update_row(pr, ev);
	if (ev->total) {
		pr->done = ev->done;
		pr->total = ev->total;
	}
	if (scrolls(ev))
		buf_puts(&pr->held, event_line(pr, ev));
	if (soon && (!scrolls(ev) || pr->p->n > BURST))
		return;
	table_draw(pr, ev, buf_str(&pr->held));
	buf_reset(&pr->held);
	ui_flush(u);
}

/* One call that is repeated is nothing to talk about; a service that does not answer at all is, now and then. */
static bool silence_is_news(struct progress *pr, const struct event *ev)
{
	int64_t now = sys_now_ms();

	if (ev->tries < 2 || (pr->said && now - pr->said_ms < SILENCE_MS))
		return false;
	pr->said_ms = now;
	return true;
}

void progress_event(void *ctx, const struct event *ev)
{
	struct progress *pr = ctx;
	struct ui *u = pr->ui;

	if (ev->kind == EV_REFRESH && pr->no_pages)
		return;
	if (ev->kind == EV_OP_DONE && ev->result != RES_DONE && !u->json)
		keep_failure(pr, ev);
	if (ev->kind == EV_OP_DONE && ev->op->kind == OP_NOOP && ev->result == RES_DONE)
		return;
	if ((ev->kind == EV_RETRY && !u->verbose && !u->json && !silence_is_news(pr, ev)) ||
	    (u->quiet && ev->kind != EV_OP_DONE))
		return;
	pr->said += ev->kind == EV_RETRY;
	if (u->json) {
		if (ev->kind != EV_TICK)
			event_json(pr, ev);
		return;
	}
	if (u->err_tty && !u->quiet && pr->rows) {
		on_terminal(pr, ev);
		return;
	}
	ui_err(u, "%s", event_line(pr, ev));
	ui_flush(u);
}

void progress_end(struct progress *pr)
{
	struct ui *u = pr->ui;

	if (pr->lines)
		ui_err(u, "\x1b[%uA\x1b[J", pr->lines);
	pr->lines = 0;
	ui_err(u, "%s", buf_str(&pr->held));
	buf_reset(&pr->held);
	if (pr->failed.n)
		ui_err(u, "\nNot done:\n%s", buf_str(&pr->failed));
	buf_reset(&pr->failed);
	ui_flush(u);
}

/* ---- the end ------------------------------------------------------------------------ */

static const char *const past[OP__COUNT] = {
	[OP_CREATE] = "created",   [OP_RESUME] = "resumed",   [OP_ADOPT] = "imported",
	[OP_UPDATE] = "updated",   [OP_REPLACE] = "replaced", [OP_DELETE] = "deleted",
	[OP_FORGET] = "forgotten", [OP_MOVE] = "moved",
};

void render_summary(struct ui *u, const struct summary *s)
{
	size_t done[OP__COUNT] = {0}, bad = 0, blocked = 0, left = 0, asked = s->stats->undecided;
	const char *text = "", *what;

	for (size_t i = 0; i < s->p->n; i++) {
		if (s->results[i] == RES_DONE)
			done[s->p->ops[i].kind]++;
		else if (s->results[i] == RES_DEFERRED)
			left++;
		else if (s->results[i] == RES_BLOCKED)
			blocked++;
		else if (s->results[i] == RES_DECISION)
			asked++;
		else
			bad++;
	}
	if (u->json) {
		struct json *o = ui_line(u, "summary");

		for (int k = 0; k < OP__COUNT; k++)
			ui_int(u, o,
			       k == OP_NOOP ? "unchanged"
			                    : ui_word(u, op_kind_name((enum op_kind)k)),
			       (int64_t)done[k]);
		ui_int(u, o, "failed", (int64_t)bad);
		ui_int(u, o, "undecided", (int64_t)asked);
		ui_int(u, o, "blocked", (int64_t)blocked);
		ui_int(u, o, "left", (int64_t)left);
		ui_int(u, o, "calls", (int64_t)s->stats->calls);
		ui_int(u, o, "changing_calls", (int64_t)s->stats->mutating);
		ui_int(u, o, "retries", (int64_t)s->stats->retries);
		ui_int(u, o, "state_bytes", (int64_t)s->stats->journal_bytes);
		ui_int(u, o, "duration_ms", s->stats->refresh_ms + s->stats->apply_ms);
		if (!s->unsaved)
			ui_int(u, o, "serial", (int64_t)s->serial);
		json_add(o, "saved", json_new_bool(&u->a, !s->unsaved));
		ui_str(u, o, "state", s->state_path);
		ui_emit(u, o);
		return;
	}
	for (int k = 1; k < OP__COUNT; k++)
		if (done[k])
			text = arena_printf(&u->a, "%s%s%zu %s", text, *text ? ", " : "", done[k],
			                    past[k]);
	what = bad || (blocked && !asked) ? "Ended with failures:"
	       : s->in_journal            ? "In the journal alone:"
	       : s->unsaved               ? "Not recorded:"
	       : asked                    ? "Not decided:"
	       : left                     ? "Stopped:"
	                                  : "Done:";
	ui_err(u, "\n%s %s%s%s%s%s%s%zu unchanged. %zu API call%s (%zu changing) in %s\n",
	       ui_tint(u, true, bad || blocked || asked || s->unsaved ? TINT_RED : TINT_GREEN,
	               what),
	       text, *text ? ", " : "", bad ? arena_printf(&u->a, "%zu failed, ", bad) : "",
	       asked ? arena_printf(&u->a, "%zu to decide, ", asked) : "",
	       blocked ? arena_printf(&u->a, "%zu blocked by %s, ", blocked,
	                              bad + asked == 1 ? "it" : "them")
	               : "",
	       left ? arena_printf(&u->a, "%zu left for the next run, ", left) : "", done[OP_NOOP],
	       s->stats->calls, s->stats->calls == 1 ? "" : "s", s->stats->mutating,
	       text_duration(&u->a, s->stats->refresh_ms + s->stats->apply_ms));
	if (!s->unsaved)
		ui_err(u, "State: %s (serial %" PRIu64 ")\n", ui_safe(u, s->state_path, 0),
		       s->serial);
	else
		ui_err(u, "State: %s does not hold this%s\n", ui_safe(u, s->state_path, 0),
		       s->in_journal ? " yet; its journal does, and the next run folds it in" : "");
	ui_flush(u);
}
