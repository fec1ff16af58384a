/* A run: its options, limits, notes, end. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/text.h"
#include "run/run_internal.h"

/* Starting rates per second and account (dts-api.md 8): 80 % of the documented figures for reads; for writes nothing is
 * published, so they start high enough to be useful and give way at the first throttling. */
static const struct rate start_rates[RATE__COUNT] = {
	[RATE_LIST] = {.per_s = 16, .min_per_s = 1, .max_per_s = 19},
	[RATE_DETAIL] = {.per_s = 32, .min_per_s = 1, .max_per_s = 38},
	[RATE_READ] = {.per_s = 30, .min_per_s = 1, .max_per_s = 60},
	[RATE_WRITE] = {.per_s = 100, .min_per_s = 1, .max_per_s = 500},
};

struct run *run_new(const struct run_opts *o)
{
	struct run *r = sys_malloc(sizeof *r);

	*r = (struct run){.o = *o};
	arena_init(&r->a);
	for (int k = 0; k < RATE__COUNT; k++) {
		r->rate[k] = start_rates[k];
		r->rate[k].tokens = r->rate[k].per_s / 4 + 1;
		r->rate[k].filled_ms = sys_now_ms();
	}
	if (r->o.parallelism <= 0)
		r->o.parallelism = 32;
	if (r->o.poll_scale <= 0)
		r->o.poll_scale = 1;
	if (r->o.timeout_scale <= 0)
		r->o.timeout_scale = 1;
	r->begun_ms = sys_now_ms();
	r->last_answer_ms = r->begun_ms;
	if (o->seed)
		r->random_state = o->seed;
	else
		sys_random(&r->random_state, sizeof r->random_state);
	return r;
}

void run_free(struct run *r)
{
	if (!r)
		return;
	timers_release(&r->timers);
	arena_release(&r->a);
	sys_free(r);
}

const struct run_stats *run_stats(const struct run *r)
{
	return &r->stats;
}

int run_signal(const struct run *r)
{
	return r->stop_signal;
}

void run_rest(struct run *r)
{
	if (r->calls_open)
		BUG("%zu calls are under way", r->calls_open);
	arena_reset(&r->a);
	r->before = NULL;
	r->dead = false;
	r->fatal = (struct err){0};
}

void run_state(struct run *r, struct state *s)
{
	r->o.state = s;
}

uint32_t run_random(struct run *r)
{
	/* splitmix64: jitter needs no more */
	uint64_t z = (r->random_state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)(z >> 32);
}

int64_t run_server_ms(const struct run *r)
{
	return sys_wall_ms() + r->clock_offset_ms;
}

void run_event(struct run *r, struct event *ev)
{
	ev->elapsed_ms = sys_now_ms() - r->begun_ms;
	if (r->o.obs.event)
		r->o.obs.event(r->o.obs.ctx, ev);
}

void run_note(struct run *r, const struct op *op, const char *fmt, ...)
{
	char text[1024];
	struct event ev = {.kind = EV_NOTE, .op = op, .text = text};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	run_event(r, &ev);
}

void run_ask_hint(const struct run *r, struct err *e, const struct purchase *p)
{
	bool one = p->found != NULL;

	err_hint(
		e,
		"%s`dtsbatch import '%s' %s%s` takes %s; `dtsbatch state forget-intent '%s'%s` says "
		"that %s ours",
		p->arrived != ARRIVED_YES ? ""
		: one ? "the purchase did arrive, so unless it was deleted, it is paid for by you. "
		      : "the purchase did arrive, so one of them is paid for by you. ",
		p->address, one ? p->found->instance_id : "ID",
		r->o.again_import ? r->o.again_import : "", one ? "it" : "one of them", p->address,
		r->o.again_state ? r->o.again_state : "", one ? "it is not" : "none is");
}

void run_fail(struct run *r, enum err_code code, const char *fmt, ...)
{
	char text[sizeof r->fatal.msg];
	va_list ap;

	if (r->dead)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(&r->fatal, code, "%s", text);
	r->dead = true;
}

static void look_for_signal(struct run *r)
{
	struct pollfd p = {.fd = r->o.signal_fd, .events = POLLIN};
	unsigned char sig;

	if (r->o.signal_fd < 0 || r->stop_signal)
		return;
	if (poll(&p, 1, 0) == 1 && read(p.fd, &sig, 1) == 1)
		r->stop_signal = sig;
}

bool run_stopping(const struct run *r)
{
	look_for_signal((struct run *)(uintptr_t)r);
	return r->dead || r->stop_signal || r->finishing;
}
