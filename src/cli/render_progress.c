#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/render.h"

#define REDRAW_MS 100

void progress_init(struct progress *pr, struct ui *u)
{
	*pr = (struct progress){.ui = u};
}

void progress_plan(struct progress *pr, struct arena *a, const struct plan *p)
{
	pr->p = p;
	pr->rows = arena_array(a, struct progress_row, p->n + 1);
}

static const char *seconds(struct ui *u, int64_t ms)
{
	return arena_printf(&u->a, "%3" PRId64 ".%" PRId64 "s", ms / 1000, ms % 1000 / 100);
}

static const char *const result_names[] = {"pending", "done", "failed", "blocked", "deferred", "decision needed"};
static const enum tint result_tints[] = {TINT_NONE, TINT_GREEN, TINT_RED, TINT_YELLOW, TINT_YELLOW, TINT_RED};

/* ---- the live table --------------------------------------------------------- */

static void table_clear(struct progress *pr)
{
	if (pr->lines)
		ui_err(pr->ui, "\x1b[%uA\x1b[J", pr->lines);
	pr->lines = 0;
}

static void table_draw(struct progress *pr, const struct event *ev)
{
	struct ui *u = pr->ui;
	unsigned room = u->height > 6 ? u->height - 4 : 3;
	size_t hidden = 0;

	for (size_t i = 0; i < pr->p->n; i++) {
		const struct progress_row *r = &pr->rows[i];
		size_t cells = u->width > 70 ? u->width - 50 : 24;

		if (!r->active)
			continue;
		if (pr->lines >= room) {
			hidden++;
			continue;
		}
		ui_err(u, "  %s  %s  %s %s\n", ui_pad(u, ui_safe(u, pr->p->ops[i].address, cells), cells),
		       ui_pad(u, r->verb ? r->verb : "", 16), ui_pad(u, ui_safe(u, r->status, 16), 16),
		       seconds(u, ev->elapsed_ms - r->since_ms));
		pr->lines++;
	}
	ui_err(u, "  %zu of %zu done%s, %s\n", ev->done, ev->total,
	       hidden ? arena_printf(&u->a, ", %zu more under way", hidden) : "", seconds(u, ev->elapsed_ms));
	pr->lines++;
	pr->drawn_ms = ev->elapsed_ms;
}

/* ---- lines ---------------------------------------------------------------------- */

static void event_json(struct progress *pr, const struct event *ev)
{
	static const char *const names[] = {"refresh", "step", "status", "result", "retry", "note", "call"};
	struct ui *u = pr->ui;
	struct json *o = ui_line(u, names[ev->kind]);

	ui_int(u, o, "elapsed_ms", ev->elapsed_ms);
	ui_str(u, o, "address", ev->op ? ev->op->address : NULL);
	if (ev->kind == EV_STEP)
		ui_str(u, o, "step", step_def(ev->step)->verb);
	if (ev->kind == EV_OP_DONE) {
		ui_str(u, o, "result", result_names[ev->result]);
		ui_str(u, o, "action", op_kind_name(ev->op->kind));
	}
	ui_str(u, o, ev->kind == EV_STATUS || ev->kind == EV_STEP || ev->kind == EV_OP_DONE ? "status" : "text",
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

static void failure_text(struct progress *pr, const struct event *ev)
{
	struct ui *u = pr->ui;

	if (ev->err)
		ui_err(u, "      %s\n", ui_safe(u, ev->err->msg, 0));
	for (size_t i = 0; i < ev->nitems; i++) {
		const struct precheck_failure *f = &ev->items[i];

		ui_err(u, "      %s %s%s%s\n", ui_tint(u, true, TINT_RED, ui_safe(u, f->item, 0)),
		       ui_safe(u, f->message ? f->message : "", 0), f->can_skip ? "  (can be skipped: skip_precheck = " : "",
		       f->can_skip ? arena_printf(&u->a, "%s)", ui_safe(u, f->item, 0)) : "");
		if (f->explain)
			ui_err(u, "        %s\n", f->explain);
		if (f->repair)
			ui_err(u, "        remedy: %s\n", ui_safe(u, f->repair, 0));
	}
	if (ev->err && *ev->err->hint)
		ui_err(u, "      %s\n", ui_safe(u, ev->err->hint, 0));
}

static void event_line(struct progress *pr, const struct event *ev)
{
	struct ui *u = pr->ui;
	const char *who = ev->op ? ui_safe(u, ev->op->address, 0) : "";
	const char *sep = ev->op ? ": " : "";

	switch (ev->kind) {
	case EV_REFRESH:
		break;
	case EV_STEP:
		ui_err(u, "%s  %s%s%s\n", seconds(u, ev->elapsed_ms), who, sep, step_def(ev->step)->verb);
		break;
	case EV_STATUS:
		ui_err(u, "%s  %s%s%s\n", seconds(u, ev->elapsed_ms), who, sep, ui_safe(u, ev->text, 0));
		break;
	case EV_OP_DONE:
		ui_err(u, "%s  %s%s%s  (%s)\n", seconds(u, ev->elapsed_ms), who, sep,
		       ui_tint(u, true, result_tints[ev->result], result_names[ev->result]), op_kind_name(ev->op->kind));
		if (ev->result != RES_DONE)
			failure_text(pr, ev);
		break;
	case EV_RETRY:
	case EV_NOTE:
	case EV_CALL:
		ui_err(u, "%s  %s%s%s\n", seconds(u, ev->elapsed_ms), who, sep, ui_safe(u, ev->text ? ev->text : "", 0));
		break;
	}
}

static void update_row(struct progress *pr, const struct event *ev)
{
	struct progress_row *r;

	if (!pr->rows || !ev->op || ev->op < pr->p->ops || ev->op >= pr->p->ops + pr->p->n)
		return;
	r = &pr->rows[ev->op - pr->p->ops];
	if (ev->kind == EV_STEP) {
		r->verb = step_def(ev->step)->verb;
		if (!r->active)
			r->since_ms = ev->elapsed_ms;
		r->active = true;
	}
	if ((ev->kind == EV_STATUS || ev->kind == EV_STEP) && ev->text)
		snprintf(r->status, sizeof r->status, "%s", ev->text);
	if (ev->kind == EV_OP_DONE)
		r->active = false;
}

/* Steps and statuses live in the table; results, notes and failures scroll above it. */
static bool scrolls(const struct event *ev)
{
	return ev->kind == EV_OP_DONE || ev->kind == EV_NOTE || ev->kind == EV_RETRY || ev->kind == EV_CALL;
}

void progress_event(void *ctx, const struct event *ev)
{
	struct progress *pr = ctx;
	struct ui *u = pr->ui;

	if (ev->kind == EV_OP_DONE && ev->result != RES_DONE)
		pr->failures++;
	if (ev->kind == EV_OP_DONE && ev->op->kind == OP_NOOP && ev->result == RES_DONE)
		return;
	if (ev->kind == EV_RETRY && !u->verbose && !u->json)
		return;
	if (u->json) {
		event_json(pr, ev);
		return;
	}
	if (u->quiet && !(ev->kind == EV_OP_DONE))
		return;
	if (!u->err_tty || u->quiet || !pr->rows) {
		event_line(pr, ev);
		ui_flush(u);
		return;
	}
	update_row(pr, ev);
	if (!scrolls(ev) && ev->elapsed_ms - pr->drawn_ms < REDRAW_MS)
		return;
	table_clear(pr);
	if (scrolls(ev))
		event_line(pr, ev);
	table_draw(pr, ev);
	ui_flush(u);
}

void progress_end(struct progress *pr)
{
	if (pr->lines)
		table_clear(pr);
	ui_flush(pr->ui);
}

/* ---- the end ------------------------------------------------------------------------ */

static const char *const past[OP__COUNT] = {
    [OP_CREATE] = "created",   [OP_RESUME] = "resumed", [OP_ADOPT] = "imported",   [OP_UPDATE] = "updated",
    [OP_REPLACE] = "replaced", [OP_DELETE] = "deleted", [OP_FORGET] = "forgotten", [OP_MOVE] = "moved",
};

void render_summary(struct ui *u, const struct summary *s)
{
	size_t done[OP__COUNT] = {0}, bad = 0, left = 0;
	const char *text = "";

	for (size_t i = 0; i < s->p->n; i++) {
		if (s->results[i] == RES_DONE)
			done[s->p->ops[i].kind]++;
		else if (s->results[i] == RES_DEFERRED)
			left++;
		else
			bad++;
	}
	if (u->json) {
		struct json *o = ui_line(u, "summary");

		for (int k = 0; k < OP__COUNT; k++)
			ui_int(u, o, k == OP_NOOP ? "unchanged" : op_kind_name((enum op_kind)k), (int64_t)done[k]);
		ui_int(u, o, "failed", (int64_t)bad);
		ui_int(u, o, "left", (int64_t)left);
		ui_int(u, o, "calls", (int64_t)s->stats->calls);
		ui_int(u, o, "changing_calls", (int64_t)s->stats->mutating);
		ui_int(u, o, "retries", (int64_t)s->stats->retries);
		ui_int(u, o, "duration_ms", s->stats->refresh_ms + s->stats->apply_ms);
		ui_int(u, o, "serial", (int64_t)s->serial);
		ui_str(u, o, "state", s->state_path);
		ui_emit(u, o);
		return;
	}
	for (int k = 1; k < OP__COUNT; k++)
		if (done[k])
			text = arena_printf(&u->a, "%s%s%zu %s", text, *text ? ", " : "", done[k], past[k]);
	ui_err(u, "\n%s %s%s%s%s%zu unchanged. %zu API calls (%zu changing) in %s\n",
	       ui_tint(u, true, bad ? TINT_RED : TINT_GREEN, bad ? "Ended with failures:" : left ? "Stopped:" : "Done:"), text,
	       *text ? ", " : "", bad ? arena_printf(&u->a, "%zu failed, ", bad) : "",
	       left ? arena_printf(&u->a, "%zu left for the next run, ", left) : "", done[OP_NOOP], s->stats->calls,
	       s->stats->mutating, text_duration(&u->a, s->stats->refresh_ms + s->stats->apply_ms));
	ui_err(u, "State: %s (serial %" PRIu64 ")\n", ui_safe(u, s->state_path, 0), s->serial);
	ui_flush(u);
}
