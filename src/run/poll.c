/*
 * The shared poller: one place reads status for everything that waits. Each
 * watch has its own interval (0.5 s, then a tenth of its age, at most 15 s);
 * those that are due together are read by list pages or one by one, whichever
 * is fewer calls.
 */
#include "base/sys.h"
#include "base/text.h"
#include "run/run_internal.h"

#define POLL_FIRST_MS 500
#define POLL_MAX_MS 15000
#define ABSENT_TWICE 2 /* lists in a row that lack it, before it is read by itself */

static void poll_fire(struct timer *t);
static void round_done(struct page_read *p);

static int64_t interval_ms(const struct watch *w, int64_t now)
{
	int64_t ms = (now - w->since_ms) / 10;
	int64_t first = (int64_t)(POLL_FIRST_MS * w->r->o.poll_scale);
	int64_t most = (int64_t)(POLL_MAX_MS * w->r->o.poll_scale);

	if (ms > most)
		ms = most;
	if (ms < first)
		ms = first;
	return ms < 10 ? 10 : ms;
}

static void arm(struct run *r)
{
	int64_t next = INT64_MAX;

	for (const struct watch *w = r->watches; w; w = w->next)
		if (!w->busy && w->next_ms < next)
			next = w->next_ms;
	if (next == INT64_MAX || r->listing) {
		timer_clear(&r->timers, &r->poll_timer);
		return;
	}
	r->poll_timer.fire = poll_fire;
	r->poll_timer.arg = r;
	if (!r->poll_timer.pos || r->poll_timer.due_ms != next)
		timer_set(&r->timers, &r->poll_timer, next);
}

void watch_add(struct run *r, struct watch *w)
{
	w->r = r;
	w->since_ms = sys_now_ms();
	w->next_ms = w->next_ms ? w->next_ms : w->since_ms + interval_ms(w, w->since_ms);
	w->absent = 0;
	w->busy = false;
	w->active = true;
	w->prev = NULL;
	w->next = r->watches;
	if (w->next)
		w->next->prev = w;
	r->watches = w;
	r->nwatches++;
	if (!r->poll_timer.pos || w->next_ms < r->poll_timer.due_ms)
		arm(r);
}

void watch_end(struct watch *w)
{
	if (!w->active)
		return;
	if (w->prev)
		w->prev->next = w->next;
	else
		w->r->watches = w->next;
	if (w->next)
		w->next->prev = w->prev;
	w->active = false;
	w->next_ms = 0;
	w->r->nwatches--;
}

static void deliver(struct watch *w, const struct observed *o, bool released)
{
	int64_t now = sys_now_ms();

	if (!w->active)
		return;
	w->absent = 0;
	w->released = released;
	w->next_ms = now + interval_ms(w, now);
	if (w->seen(w, o))
		watch_end(w);
}

static void one_done(struct detail_read *d, const struct observed *o, bool ok)
{
	struct watch *w = d->owner;

	w->busy = false;
	if (ok)
		deliver(w, o, d->released);
	else if (w->active)
		w->next_ms = sys_now_ms() + interval_ms(w, sys_now_ms());
	if (!ok && w->active)
		w->silence(w);
	arm(w->r);
}

static void read_one(struct watch *w)
{
	w->busy = true;
	w->detail = (struct detail_read){.r = w->r,
	                                 .region = w->region,
	                                 .instance_id = w->instance_id,
	                                 .job_id = w->by_instance ? NULL : w->job_id,
	                                 .reverse = w->reverse,
	                                 .done = one_done,
	                                 .owner = w};
	detail_read_start(&w->detail);
}

/* Lists lag, so one that lacks it proves nothing: it is read by itself, unless two lists are proof enough. */
static void listed(struct watch *w, const struct observed *o)
{
	int64_t now = sys_now_ms();

	if (!w->active)
		return;
	if (o)
		deliver(w, o, false);
	else if (++w->absent < ABSENT_TWICE)
		w->next_ms = now + interval_ms(w, now);
	else if (w->expects_gone)
		deliver(w, NULL, false);
	else
		read_one(w);
}

static void round_done(struct page_read *p)
{
	struct run *r = p->r;
	struct watch *next;

	r->listing = false;
	for (struct watch *w = r->watches; w && !p->failed; w = next) {
		const struct observed *o;

		next = w->next; /* the callback may end this one, no other */
		if (w->busy || w->alone || !text_eq(w->region, p->region))
			continue;
		o = w->by_instance ? NULL : inventory_job(p->inv, w->job_id);
		if (!o)
			o = inventory_instance(p->inv, w->instance_id, w->reverse);
		listed(w, o);
	}
	arena_reset(&r->round_arena);
	arm(r);
}

/* Watches that are due now, and those that will be before long: one list serves them all but those that are read by themselves. */
static size_t count_due(const struct run *r, int64_t now, int64_t soon, size_t *near,
                        const char **region)
{
	size_t due = 0;

	*near = 0;
	for (const struct watch *w = r->watches; w; w = w->next) {
		if (w->busy || w->alone)
			continue;
		if (w->next_ms <= now) {
			due++;
			*region = w->region;
		}
		*near += w->next_ms <= soon;
	}
	return due;
}

static void read_due(struct run *r, int64_t now, bool alone)
{
	for (struct watch *w = r->watches; w; w = w->next)
		if (!w->busy && w->next_ms <= now && (w->alone || !alone))
			read_one(w);
}

static void read_list(struct run *r, const char *region)
{
	if (!r->round_arena.head)
		arena_init(&r->round_arena);
	inventory_init(&r->round_inv, &r->round_arena);
	r->round = (struct page_read){
		.r = r, .region = region, .inv = &r->round_inv, .done = round_done};
	r->listing = true;
	page_read_start(&r->round);
}

static void poll_fire(struct timer *t)
{
	struct run *r = t->arg;
	int64_t now = sys_now_ms() + 20;
	size_t near, due, pages = (r->total_rows + r->nwatches / 2) / 100 + 1;
	const char *region = NULL;

	if (run_stopping(r))
		return;
	due = count_due(r, now, now + (int64_t)(POLL_FIRST_MS * r->o.poll_scale), &near, &region);
	/* Whichever is fewer calls; reads that pile up behind their rate are a list's worth, too. */
	if (due && (near > pages + 2 || r->queue[QUEUE_READ].n > pages + 2)) {
		read_due(r, now, true);
		read_list(r, region);
		return;
	}
	read_due(r, now, false);
	arm(r);
}
