#include "sim/fault.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/ops.h"
#include "sim/scenario.h"
#include "sim/world.h"

static bool chance(struct world *w, struct fault *f)
{
	uint64_t r;

	if (f->probability <= 0)
		return true;
	if (f->seeded) { /* repeatable whatever else happens */
		f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
		r = f->seed >> 11;
	} else {
		r = world_random(w) >> 11;
	}
	return (double)r / (double)(UINT64_C(1) << 53) < f->probability;
}

static bool fires(struct world *w, struct fault *f)
{
	f->seen++;
	if (f->seen <= f->after)
		return false;
	if (f->nth > 0 && f->seen - f->after != f->nth)
		return false;
	if (f->every > 0 && (f->seen - f->after) % f->every != 0)
		return false;
	if (f->count > 0 && f->fired >= f->count)
		return false;
	if (!chance(w, f))
		return false;
	f->fired++;
	return true;
}

struct fault *fault_pick(struct call *c)
{
	struct fault *f, *hit = NULL;
	const char *v;

	for (size_t i = 0; i < c->w->sc->fault.n; i++) {
		f = &c->w->sc->fault.v[i];
		if (c->action == NULL || !glob_list(f->action, c->action))
			continue;
		if (f->match_name != NULL) {
			v = arg(c, f->match_name);
			if (v == NULL || !text_glob(f->match_glob, v))
				continue;
		}
		if (fires(c->w, f) && hit == NULL)
			hit = f;
	}
	return hit;
}

bool fault_effect(const struct fault *f)
{
	if (f->effect >= 0)
		return f->effect == 1;
	switch (f->what) {
	case DO_CUT_AFTER:
	case DO_HALF:
	case DO_GARBAGE:
	case DO_HTML:
	case DO_DELAY:
	case DO_HANG:
		return true;
	default:
		return false;
	}
}

const char *fault_name(const struct fault *f)
{
	static const char *const names[] = {"",          "cut-before", "cut-after", "half",
	                                    "garbage",   "html",       "status",    "code",
	                                    "body-code", "delay",      "hang",      "lost-effect"};

	return names[f->what];
}

void stranger_buys(struct world *w, const struct instance *of, bool configure)
{
	struct instance *i;
	char id[16], name[32];
	struct job *j;

	world_new_id(w, id);
	snprintf(name, sizeof name, "dts%s", id);
	i = instance_new(w, name);
	str_set(&i->region, of->region);
	str_set(&i->type, of->type);
	str_set(&i->src_engine, of->src_engine);
	str_set(&i->src_region, of->src_region);
	str_set(&i->dst_engine, of->dst_engine);
	str_set(&i->dst_region, of->dst_region);
	str_set(&i->pay_type, of->pay_type);
	str_set(&i->cls, of->cls);
	str_set(&i->arch, of->arch);
	str_set(&i->group, of->group);
	i->expire_wall = of->expire_wall;
	i->expire_ms = of->expire_ms;
	i->databases = of->databases;
	i->stranger = true;
	j = job_blank(w, id, i, false);
	if (text_eq(i->arch, "bidirectional")) {
		world_new_id(w, id);
		job_blank(w, id, i, true);
	}
	if (!configure)
		return;
	snprintf(name, sizeof name, "stranger-%s", j->id);
	str_set(&j->name, name);
	j->data_init = j->data_sync = j->structure_init = true;
	job_start_precheck(w, j, true);
}

void stranger_acts(struct call *c)
{
	struct scenario *sc = c->w->sc;
	const struct instance *of;

	if (sc->stranger_after == NULL || !glob_list(sc->stranger_after, c->action))
		return;
	if (sc->stranger_max > 0 && sc->stranger_bought >= sc->stranger_max)
		return;
	sc->stranger_seen++;
	if (sc->stranger_every > 0 && sc->stranger_seen % sc->stranger_every != 0)
		return;
	if (sc->stranger_probability > 0 &&
	    (double)(world_random(c->w) >> 11) / (double)(UINT64_C(1) << 53) >=
	            sc->stranger_probability)
		return;
	of = world_instance(c->w, c->w->last_purchase);
	if (of == NULL)
		return;
	sc->stranger_bought++;
	stranger_buys(c->w, of, sc->stranger_configures); /* a live owner configures at once */
}
