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
	struct arena *a;
	struct observed o;
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

static bool look_at(struct run *r, const char *region, const char *instance, const char *job,
                    bool reverse, struct look *l)
{
	struct detail_read d = {.r = r,
	                        .region = region ? region : r->o.region,
	                        .instance_id = instance,
	                        .job_id = text_empty(instance) ? job : NULL,
	                        .reverse = reverse,
	                        .into = &r->a,
	                        .done = look_done,
	                        .owner = l};

	*l = (struct look){.a = &r->a};
	detail_read_start(&d);
	while (!l->ended)
		run_turn(r, INT64_MAX);
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
static enum outcome settle_configure(struct run *r, const struct intent *i)
{
	const char *instance = json_str(i->detail, "instance"), *name = json_str(i->detail, "name");
	const char *region = json_str(i->detail, "region");
	struct record *rec;
	struct look l;

	if (!look_at(r, region, instance, NULL, json_get(i->detail, "reverse") != NULL, &l))
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

struct name_look {
	bool ended, ok;
	const char *name;
	const struct json *row;
	size_t matches;
};

static void name_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct name_look *n = c->owner;
	const struct json *rows = NULL;
	size_t count, total;

	n->ended = true;
	n->ok = v == VERDICT_OK && dts_page(reply, &rows, &count, &total);
	for (const struct json *row = rows ? rows->child : NULL; n->ok && row; row = row->next)
		if (text_eq(json_str(row, "DtsJobName"),
		            n->name)) { /* the service's search is fuzzy */
			n->row = row;
			n->matches++;
		}
}

static void wait_settled(struct run *r, int64_t since_ms)
{
	while (run_server_ms(r) < since_ms + r->o.settle_ms && !run_stopping(r))
		run_turn(r, sys_now_ms() + 200);
}

/* ConfigureDtsJob without instance: the free job has a name of its own (design.md 5). */
static enum outcome settle_free(struct run *r, const struct intent *i)
{
	const char *region = json_str(i->detail, "region");
	struct name_look n = {.name = json_str(i->detail, "name")};
	struct call *c;
	struct record *rec;
	struct observed o;

	wait_settled(r, i->wall_ms);
	if (run_stopping(r))
		return OUTCOME_UNKNOWN;
	c = call_new(r, API_DESCRIBE_DTS_JOBS, name_done, &n);
	c->into = &r->a;
	dts_encode_list(&c->req, &c->a, region ? region : r->o.region, 1, NULL, false);
	dts_param(&c->req, "Type", "name");
	dts_param(&c->req, "Params", n.name);
	call_start(c);
	while (!n.ended)
		run_turn(r, INT64_MAX);
	if (!n.ok)
		return OUTCOME_UNKNOWN;
	if (!n.row)
		return OUTCOME_FAILED;
	rec = record_for(r, i->address);
	if (!rec)
		return OUTCOME_DONE;
	observed_read(&o, &r->a, n.row, false);
	put_ids(r, rec, &o, STEP_CONFIGURED_FREE, region);
	run_note(r, NULL, "%s: free job %s of an earlier run found by its name", i->address,
	         o.job_id);
	return OUTCOME_DONE;
}

static enum outcome settle_reset(struct run *r, const struct intent *i)
{
	const char *instance = json_str(i->detail, "instance"),
		   *region = json_str(i->detail, "region");
	struct look l;
	struct record *rec;

	if (!look_at(r, region, instance, NULL, json_get(i->detail, "reverse") != NULL, &l))
		return OUTCOME_UNKNOWN;
	if (!l.found || l.o.status != ST_NOT_CONFIGURED)
		return OUTCOME_FAILED;
	rec = state_get(r->o.state, i->address) ? record_for(r, i->address) : NULL;
	if (rec)
		put_ids(r, rec, &l.o, STEP_RESET, region);
	return OUTCOME_DONE;
}

/* A purchase for the free job of a configure-first creation. */
static enum outcome settle_buy_job(struct run *r, const struct intent *i)
{
	const char *job = json_str(i->detail, "job"), *region = json_str(i->detail, "region");
	struct record *rec = record_for(r, i->address);
	struct look l;

	if (!look_at(r, region, NULL, job, false, &l))
		return OUTCOME_UNKNOWN;
	if (l.found && *l.o.instance_id && rec) {
		put_ids(r, rec, &l.o, STEP_CONFIGURED, region);
		run_note(r, NULL, "%s: instance %s was bought by an earlier run for its job",
		         i->address, l.o.instance_id);
		return OUTCOME_DONE;
	}
	wait_settled(r, i->wall_ms);
	return run_stopping(r) ? OUTCOME_UNKNOWN : OUTCOME_FAILED;
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

static enum outcome settle(struct run *r, const struct intent *i, struct err *e)
{
	if (text_eq(i->action, "CreateDtsInstance")) {
		if (json_str(i->detail, "job"))
			return settle_buy_job(r, i);
		if (state_get(r->o.state, i->address))
			return OUTCOME_DONE;
		return still_wanted(r, i->address) ? OUTCOME_UNKNOWN : settle_orphan(r, i, e);
	}
	if (text_eq(i->action, "ConfigureDtsJob"))
		return text_empty(json_str(i->detail, "instance")) ? settle_free(r, i)
		                                                   : settle_configure(r, i);
	if (text_eq(i->action, "ResetDtsJob"))
		return settle_reset(r, i);
	return OUTCOME_DONE; /* the plan compares what it changed */
}

int run_recover(struct run *r, struct inventory *inv, struct err *e)
{
	size_t n, k = 0;
	const struct intent *open = state_intents(r->o.state, &n);
	struct intent *v = arena_array(&r->a, struct intent, n + 1);

	(void)inv;
	for (size_t i = 0; i < n; i++) { /* copies: settling changes the list */
		v[i] = open[i];
		v[i].address = arena_strdup(&r->a, open[i].address);
		v[i].action = arena_strdup(&r->a, open[i].action);
		v[i].detail = open[i].detail ? json_clone(&r->a, open[i].detail)
		                             : json_new(&r->a, JSON_OBJECT);
	}
	for (; k < n && !run_stopping(r); k++) {
		enum outcome o = settle(r, &v[k], e);

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
