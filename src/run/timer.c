/* A binary heap of timers; each knows its place, so that moving and clearing are O(log n). */
#include "base/sys.h"
#include "run/run_internal.h"

static void place(struct timers *ts, size_t i, struct timer *t)
{
	ts->v[i] = t;
	t->pos = i + 1;
}

static void sift_up(struct timers *ts, size_t i, struct timer *t)
{
	while (i > 0 && ts->v[(i - 1) / 2]->due_ms > t->due_ms) {
		place(ts, i, ts->v[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i, struct timer *t)
{
	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= ts->n)
			break;
		if (c + 1 < ts->n && ts->v[c + 1]->due_ms < ts->v[c]->due_ms)
			c++;
		if (ts->v[c]->due_ms >= t->due_ms)
			break;
		place(ts, i, ts->v[c]);
		i = c;
	}
	place(ts, i, t);
}

void timer_set(struct timers *ts, struct timer *t, int64_t due_ms)
{
	timer_clear(ts, t);
	if (ts->n == ts->cap) {
		ts->cap = ts->cap ? ts->cap * 2 : 64;
		ts->v = sys_realloc(ts->v, ts->cap * sizeof *ts->v);
	}
	t->due_ms = due_ms;
	sift_up(ts, ts->n++, t);
}

void timer_clear(struct timers *ts, struct timer *t)
{
	struct timer *last;
	size_t i = t->pos;

	if (!i--)
		return;
	t->pos = 0;
	last = ts->v[--ts->n];
	if (last == t)
		return;
	if (i > 0 && ts->v[(i - 1) / 2]->due_ms > last->due_ms)
		sift_up(ts, i, last);
	else
		sift_down(ts, i, last);
}

int64_t timers_next(const struct timers *ts)
{
	return ts->n ? ts->v[0]->due_ms : INT64_MAX;
}

bool timers_fire(struct timers *ts, int64_t now_ms)
{
	bool any = false;

	while (ts->n && ts->v[0]->due_ms <= now_ms) {
		struct timer *t = ts->v[0];

		timer_clear(ts, t);
		t->fire(t);
		any = true;
	}
	return any;
}

void timers_release(struct timers *ts)
{
	sys_free(ts->v);
	*ts = (struct timers){0};
}
