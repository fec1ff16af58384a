/*
 * Recovery: every intent that an earlier run left open is settled by looking,
 * never by repeating (design.md 6). What only compares attributes (rename,
 * objects ...) needs nothing here: the plan reads the truth anyway. What this
 * run works on stays open until its task has looked for it, so that waiting
 * holds nothing else up (task_step.c resumes_purchase, resumes_call).
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/run_internal.h"

#define LOOK_MS 1000 /* between two looks at what an earlier run sent */

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

static struct record *new_record(struct run *r, const char *address)
{
	const struct type_def *t = type_of(&r->a, address);
	struct record *rec = t ? record_new(&r->a, address, t) : NULL;

	if (rec)
		rec->created_ms = sys_wall_ms();
	return rec;
}

static struct record *record_for(struct run *r, const char *address)
{
	const struct record *have = state_get(r->o.state, address);

	return have ? record_copy(&r->a, have) : new_record(r, address);
}

static const char *no_id(void *ctx, uint32_t res, enum computed what)
{
	(void)ctx;
	(void)res;
	(void)what;
	return NULL;
}

/* What the lost call carried is in the record, as if it had been answered: by the word of the section, as for an import. */
static void record_carried(struct run *r, struct record *rec, enum step s)
{
	const struct batch *b = r->o.batch;
	uint32_t k = b ? map_get(&b->by_address, rec->address) : MAP_NONE;
	const char **applied = arena_array(&r->a, const char *, rec->type->nattrs);

	if (k == MAP_NONE)
		return;
	plan_applied(&r->a, b, &b->v[k], state_fp_key(r->o.state), no_id, NULL, applied);
	for (size_t i = 0; i < rec->type->nattrs; i++)
		if (step_carries(&rec->type->attrs[i], s) && applied[i] && !rec->attrs[i])
			rec->attrs[i] = applied[i];
}

/* Of something that was just bought: of what had the address before, it has nothing but the words of the user. */
static struct record *record_anew(struct run *r, const char *address)
{
	const struct record *have = state_get(r->o.state, address);
	struct record *rec = new_record(r, address);

	if (rec && have) {
		rec->protect = have->protect;
		rec->destroy_forgets = have->destroy_forgets;
	}
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

static bool settled(const struct run *r, const struct intent *i)
{
	return run_server_ms(r) >= call_end_ms(r, i->wall_ms, api_find(i->action)) + r->o.settle_ms;
}

/* Between two looks. False: it will not change any more, or nobody waits any longer. */
static bool wait_for_more(struct run *r, const struct intent *i)
{
	int64_t until = sys_now_ms() + (int64_t)(LOOK_MS * r->o.poll_scale) + 10;

	if (settled(r, i))
		return false;
	while (sys_now_ms() < until && !run_stopping(r))
		run_turn(r, until);
	return !run_stopping(r);
}

/* Does this run work on the section, so that its task looks for what an earlier run sent? */
static bool worked_on(const struct run *r, const char *address)
{
	uint32_t k = r->o.batch ? map_get(&r->o.batch->by_address, address) : MAP_NONE;

	return k != MAP_NONE && !r->o.destroys && !r->o.batch->v[k].life.absent &&
	       !r->o.batch->v[k].life.import_id;
}

/* ConfigureDtsJob on a bought instance. */
static enum outcome settle_configure(const struct recovery *v, const struct intent *i)
{
	struct run *r = v->r;
	const char *instance = json_str(i->detail, "instance"), *name = json_str(i->detail, "name");
	const char *region = json_str(i->detail, "region");
	bool reverse = json_get(i->detail, "reverse") != NULL, there = false;
	struct record *rec;
	struct look l;

	do {
		if (!look_at(v, region, instance, NULL, reverse, &l))
			return OUTCOME_UNKNOWN;
		there = l.found && l.o.status != ST_NOT_CONFIGURED && text_eq(l.o.name, name);
	} while (!there && !worked_on(r, i->address) && wait_for_more(r, i));
	if (!there)
		return settled(r, i) ? OUTCOME_FAILED : OUTCOME_UNKNOWN;
	rec = record_for(r, i->address);
	if (!rec)
		return OUTCOME_DONE;
	record_carried(r, rec, DO_CONFIGURE);
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

/* ConfigureDtsJob without instance: the free job has a name of its own (design.md 5), which is enough to take it at once; that it
 * is not there is believed after the settling time only. */
static enum outcome settle_free(const struct recovery *v, const struct intent *i)
{
	struct run *r = v->r;
	const char *region = json_str(i->detail, "region"), *name = json_str(i->detail, "name");
	struct record *rec;
	struct look l;

	do {
		if (!look_for_name(v, region, name, &l))
			return OUTCOME_UNKNOWN;
	} while (!l.found && wait_for_more(r, i));
	if (!l.found)
		return settled(r, i) ? OUTCOME_FAILED : OUTCOME_UNKNOWN;
	rec = record_for(r, i->address);
	if (!rec)
		return OUTCOME_DONE;
	record_carried(r, rec, DO_CONFIGURE_FREE);
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
		return settled(r, i) ? OUTCOME_FAILED : OUTCOME_UNKNOWN;
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

	do {
		if (!look_at(v, region, NULL, job, false, &l))
			return OUTCOME_UNKNOWN;
	} while (!(l.found && *l.o.instance_id) && wait_for_more(r, i));
	if (!l.found || !*l.o.instance_id || !rec)
		return settled(r, i) ? OUTCOME_FAILED : OUTCOME_UNKNOWN;
	record_carried(r, rec, DO_BUY_JOB);
	put_ids(r, rec, &l.o, STEP_CONFIGURED, region);
	run_note(r, NULL, "%s: instance %s was bought by an earlier run for its job", i->address,
	         l.o.instance_id);
	return OUTCOME_DONE;
}

/* ---- purchases that no task of this run will settle ------------------------------------- */

static void fence_answer(struct fence *f, enum arrived a)
{
	struct purchase *p = f->owner;

	p->arrived = a;
}

static void ask_fence(struct run *r, struct purchase *p)
{
	p->fence.r = r;
	p->fence.region = p->region;
	p->fence.sent_ms = p->sent_ms;
	p->fence.done = fence_answer;
	p->fence.owner = p;
	fence_start(&p->fence);
	while (p->fence.open && !r->dead)
		run_turn(r, INT64_MAX);
}

struct adopting {
	bool ended;
	enum adopted res;
};

static void adopting_done(struct adoption *ad, enum adopted res, const struct dts_reply *reply)
{
	struct adopting *w = ad->owner;

	(void)reply;
	w->ended = true;
	w->res = res;
}

static enum adopted adopt(struct run *r, struct purchase *p)
{
	struct adopting w = {0};
	struct adoption ad = {.r = r,
	                      .address = p->address,
	                      .region = p->region,
	                      .instance_id = p->found->instance_id,
	                      .done = adopting_done,
	                      .owner = &w};
	struct record *rec;

	adoption_start(&ad);
	while (!w.ended) {
		if (ad.timer.pos && run_stopping(r)) { /* between two calls */
			timer_clear(&r->timers, &ad.timer);
			return ADOPT_FAILED;
		}
		run_turn(r, sys_now_ms() + 200);
	}
	rec = w.res == ADOPT_OURS ? record_anew(r, p->address) : NULL;
	if (!rec)
		return w.res;
	rec->origin = ORIGIN_ADOPTED;
	record_carried(r, rec, DO_BUY);
	put_ids(r, rec, p->found, STEP_DONE, p->region);
	run_note(r, NULL, "%s: instance %s was bought by a lost call of an earlier run: adopted",
	         p->address, p->found->instance_id);
	return w.res;
}

/* True: done with it, or it stays open for a later run. False: to be looked for once more. */
static bool purchase_decided(struct run *r, struct purchase *p, struct err *e)
{
	switch (p->result) {
	case PURCHASE_DECIDE:
		r->stats.undecided++;
		if (e->code) {
			run_note(r, NULL, "%s: %s", p->address, p->why);
			return true;
		}
		err_set(e, ERR_DECISION, "%s: %s", p->address, p->why);
		run_ask_hint(r, e, p);
		return true;
	case PURCHASE_ADOPT:
		switch (adopt(r, p)) {
		case ADOPT_OURS:
			state_outcome(r->o.state, p->intent, OUTCOME_DONE, "adopted");
			return true;
		case ADOPT_FAILED:
			if (!run_stopping(r) && !e->code)
				err_set(e, ERR_FAILED,
				        "%s: instance %s could not be tagged as ours", p->address,
				        p->found->instance_id);
			return true;
		case ADOPT_TAKEN:
			p->result = PURCHASE_OPEN;
			return false;
		}
		return true;
	default:
		state_outcome(r->o.state, p->intent, OUTCOME_FAILED, "not found after settling");
		return true;
	}
}

/* All of the first one's region are decided together; they leave v unless they are to be looked for again. */
static size_t settle_region(struct run *r, struct purchase **v, size_t n, struct err *e)
{
	struct purchase **here = arena_array(&r->a, struct purchase *, n);
	const char *region = v[0]->region;
	struct inventory one, two;
	size_t nhere = 0, rest = 0;

	for (size_t i = 0; i < n; i++)
		if (text_eq(v[i]->region, region))
			here[nhere++] = v[i];
		else
			v[rest++] = v[i];
	inventory_init(&one, &r->a);
	inventory_init(&two, &r->a);
	if (!run_list(r, region, "NotConfigured", false, &one) ||
	    !run_list(r, region, "NotConfigured", false, &two))
		return 0; /* the run is over */
	purchases_settle(r, here, nhere, &one, &two);
	for (size_t i = 0; i < nhere; i++)
		if (!purchase_decided(r, here[i], e))
			v[rest++] = here[i];
	return rest;
}

/*
 * Bought instances of one shape are interchangeable, so they are counted together, even those that their own tasks would settle.
 */
static void settle_purchases(struct run *r, struct purchase **v, size_t n, struct err *e)
{
	int64_t latest = 0;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		int64_t end = purchase_end_ms(r, v[i]);

		any = any || !worked_on(r, v[i]->address);
		latest = end > latest ? end : latest;
	}
	if (!any)
		return;
	run_note(
		r, NULL,
		"%zu purchase%s of an earlier run ha%s no answer: waiting until the account's list has settled",
		n, n == 1 ? "" : "s", n == 1 ? "s" : "ve");
	for (size_t i = 0; i < n; i++)
		ask_fence(r, v[i]);
	while (run_server_ms(r) < latest + r->o.settle_ms && !run_stopping(r))
		run_turn(r, sys_now_ms() + 200);
	while (n && !run_stopping(r))
		n = settle_region(r, v, n, e);
	if (r->stop_signal && r->o.destroys && !e->code)
		err_set(e, ERR_LATER, "stopped by a signal before the open purchases were settled");
}

static bool is_purchase(const struct intent *i)
{
	return text_eq(i->action, "CreateDtsInstance") && !json_str(i->detail, "job");
}

/* What it bought is recorded when its record is of something that exists: one that is gone is what it was to take the place of. */
static bool is_open_purchase(const struct recovery *v, const struct intent *i)
{
	const struct record *rec = state_get(v->r->o.state, i->address);

	return is_purchase(i) && (!rec || !inventory_instance(v->inv, rec->instance_id, false));
}

/* An import is the answer to the question what became of a purchase. */
static bool being_decided(const struct run *r, const char *address)
{
	uint32_t k = r->o.batch ? map_get(&r->o.batch->by_address, address) : MAP_NONE;

	return k != MAP_NONE && r->o.batch->v[k].life.import_id;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool is_ordered(const struct intent *i)
{
	static const enum api_action orders[] = {API_TRANSFER_INSTANCE_CLASS, API_TRANSFER_PAY_TYPE,
	                                         API_UPGRADE_TWO_WAY, API_MODIFY_DTS_JOB_ENDPOINT};

	for (size_t k = 0; k < sizeof orders / sizeof *orders; k++)
		if (text_eq(i->action, api_def(orders[k])->name))
			return true;
	return false;
}

/* Sent, but not recorded, and still wanted: its task sends it again, and has to know that a refusal may mean that it arrived. */
static bool is_wanted_password(struct run *r, const struct intent *i)
{
	static const char *const keys[] = {"source_endpoint_password",
	                                   "destination_endpoint_password"};
	const char *sent = json_str(i->detail, "password"), *text;
	const struct record *rec = state_get(r->o.state, i->address);
	const struct resource *res;

	if (!sent || !rec || !worked_on(r, i->address))
		return false;
	res = &r->o.batch->v[map_get(&r->o.batch->by_address, i->address)];
	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
		int at = attr_find(res->type, keys[k]);

		if (at < 0 || text_eq(rec->attrs[at], sent))
			continue;
		text = batch_text(&r->a, &res->vals[at], no_id, NULL);
		if (text_eq(plan_fingerprint(&r->a, state_fp_key(r->o.state), text), sent))
			return true;
	}
	return false;
}

static enum outcome settle(const struct recovery *v, const struct intent *i)
{
	if (text_eq(i->action, "CreateDtsInstance"))
		return settle_buy_job(v, i);
	if (text_eq(i->action, "ConfigureDtsJob"))
		return text_empty(json_str(i->detail, "instance")) ? settle_free(v, i)
		                                                   : settle_configure(v, i);
	if (text_eq(i->action, "ResetDtsJob"))
		return settle_reset(v, i);
	/* Its task looks for it and waits (task_step.c resumes_call); later the plan compares what is there. */
	if (is_ordered(i) && !settled(v->r, i))
		return OUTCOME_UNKNOWN;
	if (is_wanted_password(v->r, i))
		return OUTCOME_UNKNOWN;
	return OUTCOME_DONE; /* the plan compares what it changed */
}

int run_recover(struct run *r, struct inventory *inv, struct err *e)
{
	struct recovery rv = {r, inv};
	size_t n, nbuys = 0;
	const struct intent *open = state_intents(r->o.state, &n);
	struct intent *v = arena_array(&r->a, struct intent, n + 1);
	struct purchase **buys = arena_array(&r->a, struct purchase *, n + 1);
	const char **addresses = arena_array(&r->a, const char *, n + 1);

	for (size_t i = 0; i < n; i++) { /* copies: settling changes the list */
		v[i] = open[i];
		v[i].address = addresses[i] = arena_strdup(&r->a, open[i].address);
		v[i].action = arena_strdup(&r->a, open[i].action);
		v[i].detail = open[i].detail ? json_clone(&r->a, open[i].detail)
		                             : json_new(&r->a, JSON_OBJECT);
		if (is_open_purchase(&rv, &v[i]) && !being_decided(r, v[i].address)) {
			buys[nbuys] = arena_new(&r->a, struct purchase);
			purchase_from_intent(r, buys[nbuys++], &open[i]);
		}
	}
	for (size_t k = 0; k < n && !run_stopping(r); k++) {
		enum outcome o = OUTCOME_DONE;

		if (is_open_purchase(&rv, &v[k]))
			continue;
		if (!is_purchase(&v[k]))
			o = settle(&rv, &v[k]);
		if (o != OUTCOME_UNKNOWN)
			state_outcome(r->o.state, v[k].id, o, "settled by looking");
	}
	if (nbuys && !run_stopping(r))
		settle_purchases(r, buys, nbuys, e);
	/* Lists may still show what was before; and what was found now is in none. */
	if (n && !run_stopping(r))
		run_confirm(r, inv, addresses, n);
	if (r->dead) {
		*e = r->fatal;
		return -1;
	}
	if (state_flush(r->o.state, e))
		return -1;
	return e->code ? -1 : 0;
}
