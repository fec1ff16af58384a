/*
 * Recovery: every intent that an earlier run left open is settled by looking,
 * never by repeating (design.md 6). What only compares attributes (rename,
 * objects, class ...) needs nothing here: the plan reads the truth anyway. A
 * purchase for a section that is still wanted is settled within the run, so
 * that waiting for it holds nothing else up (task_step.c resumes_purchase).
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/run_internal.h"

struct look {
	bool ended, ok, found;
	struct observed o;
};

/* Where what was seen goes: the plan that follows shall know it. */
struct recovery {
	struct run *r;
	struct inventory *inv;
};

static void look_done(struct detail_read *d, const struct observed *o, bool ok)
{
	struct look *l = d->owner;

	l->ended = true;
	l->ok = ok;
	l->found = o != NULL;
	if (o)
		l->o = *o;
}

/* The lists were read before, and lag: a plan that believed them would do again what was just found. */
static void renew(const struct recovery *v, const struct look *l)
{
	struct observed *known = *l->o.job_id ? inventory_job(v->inv, l->o.job_id) : NULL;

	if (!known && *l->o.instance_id)
		known = inventory_instance(v->inv, l->o.instance_id, l->o.reverse);
	inventory_renew(v->inv, known, l->o.row);
}

static bool look_at(const struct recovery *v, const char *region, const char *instance,
                    const char *job, bool reverse, struct look *l)
{
	struct run *r = v->r;
	struct detail_read d = {.r = r,
	                        .region = region ? region : r->o.region,
	                        .instance_id = instance,
	                        .job_id = text_empty(instance) ? job : NULL,
	                        .reverse = reverse,
	                        .into = v->inv->a,
	                        .done = look_done,
	                        .owner = l};

	*l = (struct look){0};
	detail_read_start(&d);
	while (!l->ended)
		run_turn(r, INT64_MAX);
	if (l->found)
		renew(v, l);
	return l->ok;
}

static const struct type_def *type_of(struct arena *a, const char *address)
{
	const char *dot = strchr(address, '.');

	return dot ? type_find(arena_strndup(a, address, (size_t)(dot - address))) : NULL;
}

static struct record *record_for(struct run *r, const char *address)
{
	const struct record *have = state_get(r->o.state, address);
	const struct type_def *t = type_of(&r->a, address);
	struct record *rec;

	if (have)
		return record_copy(&r->a, have);
	if (!t)
		return NULL;
	rec = record_new(&r->a, address, t);
	rec->origin = ORIGIN_CREATED;
	rec->created_ms = sys_wall_ms();
	return rec;
}

static void put_ids(struct run *r, struct record *rec, const struct observed *o,
                    enum record_step step, const char *region)
{
	rec->instance_id = arena_strdup(&r->a, o->instance_id);
	rec->job_id = arena_strdup(&r->a, o->job_id);
	rec->id = rec->type == &type_job ? rec->job_id : rec->instance_id;
	rec->step = step;
	if (region)
		rec->region = region;
	rec->updated_ms = sys_wall_ms();
	state_put(r->o.state, rec);
}

/* ConfigureDtsJob on a bought instance. */
static enum outcome settle_configure(const struct recovery *v, const struct intent *i)
{
	struct run *r = v->r;
	const char *instance = json_str(i->detail, "instance"), *name = json_str(i->detail, "name");
	const char *region = json_str(i->detail, "region");
	struct record *rec;
	struct look l;

	if (!look_at(v, region, instance, NULL, json_get(i->detail, "reverse") != NULL, &l))
		return OUTCOME_UNKNOWN;
	if (!l.found || l.o.status == ST_NOT_CONFIGURED || !text_eq(l.o.name, name))
		return OUTCOME_FAILED;
	rec = record_for(r, i->address);
	if (!rec)
		return OUTCOME_DONE;
	put_ids(r, rec, &l.o, STEP_CONFIGURED, region);
	run_note(r, NULL, "%s: job %s was configured by an earlier run: taken over", i->address,
	         l.o.job_id);
	return OUTCOME_DONE;
}

static void name_looked(struct name_read *n, const struct observed *o, bool ok)
{
	struct look *l = n->owner;

	l->ended = true;
	l->ok = ok;
	l->found = o != NULL;
	if (o)
		l->o = *o;
}

static bool look_for_name(const struct recovery *v, const char *region, const char *name,
                          struct look *l)
{
	struct run *r = v->r;
	struct name_read n = {.r = r,
	                      .region = region ? region : r->o.region,
	                      .name = name,
	                      .into = v->inv->a,
	                      .done = name_looked,
	                      .owner = l};

	*l = (struct look){0};
	name_read_start(&n);
	while (!l->ended)
		run_turn(r, INT64_MAX);
	if (l->found)
		renew(v, l);
	return l->ok;
}

static void wait_settled(struct run *r, int64_t since_ms)
{
	while (run_server_ms(r) < since_ms + r->o.settle_ms && !run_stopping(r))
		run_turn(r, sys_now_ms() + 200);
}

/* ConfigureDtsJob without instance: the free job has a name of its own (design.md 5), which is enough to take it at once; that it
 * is not there is believed after the settling time only. */
static enum outcome settle_free(const struct recovery *v, const struct intent *i)
{
	struct run *r = v->r;
	const char *region = json_str(i->detail, "region"), *name = json_str(i->detail, "name");
	struct record *rec;
	struct look l;

	if (!look_for_name(v, region, name, &l))
		return OUTCOME_UNKNOWN;
	if (!l.found) {
		wait_settled(r, i->wall_ms);
		if (run_stopping(r) || !look_for_name(v, region, name, &l))
			return OUTCOME_UNKNOWN;
	}
	if (!l.found)
		return OUTCOME_FAILED;
	rec = record_for(r, i->address);
	if (!rec)
		return OUTCOME_DONE;
	put_ids(r, rec, &l.o, STEP_CONFIGURED_FREE, region);
	run_note(r, NULL, "%s: free job %s of an earlier run found by its name", i->address,
	         l.o.job_id);
	return OUTCOME_DONE;
}

static enum outcome settle_reset(const struct recovery *v, const struct intent *i)
{
	struct run *r = v->r;
	const char *instance = json_str(i->detail, "instance"),
		   *region = json_str(i->detail, "region");
	struct look l;
	struct record *rec;

	if (!look_at(v, region, instance, NULL, json_get(i->detail, "reverse") != NULL, &l))
		return OUTCOME_UNKNOWN;
	if (!l.found || l.o.status != ST_NOT_CONFIGURED)
		return OUTCOME_FAILED;
	rec = state_get(r->o.state, i->address) ? record_for(r, i->address) : NULL;
	if (rec)
		put_ids(r, rec, &l.o, STEP_RESET, region);
	return OUTCOME_DONE;
}

/* A purchase for the free job of a configure-first creation. */
static enum outcome settle_buy_job(const struct recovery *v, const struct intent *i)
{
	struct run *r = v->r;
	const char *job = json_str(i->detail, "job"), *region = json_str(i->detail, "region");
	struct record *rec = record_for(r, i->address);
	struct look l;

	if (!look_at(v, region, NULL, job, false, &l))
		return OUTCOME_UNKNOWN;
	if (!l.found || !*l.o.instance_id) {
		wait_settled(r, i->wall_ms);
		if (run_stopping(r) || !look_at(v, region, NULL, job, false, &l))
			return OUTCOME_UNKNOWN;
	}
	if (!l.found || !*l.o.instance_id || !rec)
		return OUTCOME_FAILED;
	put_ids(r, rec, &l.o, STEP_CONFIGURED, region);
	run_note(r, NULL, "%s: instance %s was bought by an earlier run for its job", i->address,
	         l.o.instance_id);
	return OUTCOME_DONE;
}

static bool still_wanted(const struct run *r, const char *address)
{
	uint32_t k = r->o.batch ? map_get(&r->o.batch->by_address, address) : MAP_NONE;

	return k != MAP_NONE && !r->o.batch->v[k].life.absent && !r->o.batch->v[k].life.import_id &&
	       !state_get(r->o.state, address);
}

static void fence_answer(struct fence *f, enum arrived a)
{
	struct purchase *p = f->owner;

	p->arrived = a;
	p->fence.r = NULL; /* answered */
}

static void ask_fence(struct run *r, struct purchase *p, const struct intent *i)
{
	p->fence = (struct fence){.r = r,
	                          .region = p->region,
	                          .sent_ms = p->sent_ms,
	                          .done = fence_answer,
	                          .owner = p};
	if (i->nonce)
		snprintf(p->fence.nonce, sizeof p->fence.nonce, "%s", i->nonce);
	fence_start(&p->fence);
	while (p->fence.r && !r->dead)
		run_turn(r, INT64_MAX);
}

/* A purchase whose section is gone: nobody would settle it later. */
static enum outcome settle_orphan(struct run *r, const struct intent *i, struct err *e)
{
	struct purchase p = {.address = i->address,
	                     .region = r->o.region,
	                     .intent = i->id,
	                     .detail = i->detail,
	                     .sent_ms = i->wall_ms};
	struct purchase *v[1] = {&p};
	struct inventory one, two;
	struct record *rec;

	ask_fence(r, &p, i);
	wait_settled(r, i->wall_ms);
	inventory_init(&one, &r->a);
	inventory_init(&two, &r->a);
	if (run_stopping(r) || !run_list(r, p.region, "NotConfigured", false, &one) ||
	    !run_list(r, p.region, "NotConfigured", false, &two))
		return OUTCOME_UNKNOWN;
	purchases_settle(r, v, 1, &one, &two);
	if (p.result == PURCHASE_DECIDE) {
		err_set(e, ERR_DECISION, "%s: %s", i->address, p.why);
		err_hint(
			e,
			"`dtsbatch import '%s' ID` takes one of them; `dtsbatch state forget-intent '%s'` says that none "
			"is ours",
			i->address, i->address);
		return OUTCOME_UNKNOWN;
	}
	if (p.result != PURCHASE_ADOPT)
		return OUTCOME_FAILED;
	rec = record_for(r, i->address);
	if (rec) {
		rec->origin = ORIGIN_ADOPTED;
		put_ids(r, rec, p.found, STEP_DONE, p.region);
		run_note(r, NULL,
		         "%s: instance %s was bought by a lost call of an earlier run: adopted",
		         i->address, p.found->instance_id);
	}
	return OUTCOME_DONE;
}

static enum outcome settle(const struct recovery *v, const struct intent *i, struct err *e)
{
	struct run *r = v->r;

	if (text_eq(i->action, "CreateDtsInstance")) {
		if (json_str(i->detail, "job"))
			return settle_buy_job(v, i);
		if (state_get(r->o.state, i->address))
			return OUTCOME_DONE;
		return still_wanted(r, i->address) ? OUTCOME_UNKNOWN : settle_orphan(r, i, e);
	}
	if (text_eq(i->action, "ConfigureDtsJob"))
		return text_empty(json_str(i->detail, "instance")) ? settle_free(v, i)
		                                                   : settle_configure(v, i);
	if (text_eq(i->action, "ResetDtsJob"))
		return settle_reset(v, i);
	return OUTCOME_DONE; /* the plan compares what it changed */
}

int run_recover(struct run *r, struct inventory *inv, struct err *e)
{
	struct recovery rv = {r, inv};
	size_t n, k = 0;
	const struct intent *open = state_intents(r->o.state, &n);
	struct intent *v = arena_array(&r->a, struct intent, n + 1);

	for (size_t i = 0; i < n; i++) { /* copies: settling changes the list */
		v[i] = open[i];
		v[i].address = arena_strdup(&r->a, open[i].address);
		v[i].action = arena_strdup(&r->a, open[i].action);
		v[i].detail = open[i].detail ? json_clone(&r->a, open[i].detail)
		                             : json_new(&r->a, JSON_OBJECT);
	}
	for (; k < n && !run_stopping(r); k++) {
		enum outcome o = settle(&rv, &v[k], e);

		if (o != OUTCOME_UNKNOWN)
			state_outcome(r->o.state, v[k].id, o, "settled by looking");
	}
	if (r->dead) {
		*e = r->fatal;
		return -1;
	}
	if (state_flush(r->o.state, e))
		return -1;
	return e->code ? -1 : 0;
}
