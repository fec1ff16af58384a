/*
 * Twins: a job of the same name, endpoints and direction as one that is to be
 * created exists already and no record knows it. Names need not be unique on
 * the service, so it is no error; but it is what a lost or an old state looks
 * like, and the purchase would be the second one.
 */
#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "model/plan_internal.h"

#define WARNED_MAX 3 /* so many are named in full */

struct twins {
	struct planner *pl;
	struct map recorded; /* instance and job ids of records */
	struct map by_name;  /* job name -> first row of that name */
	uint32_t *next;      /* by row */
};

static void know_records(struct twins *t)
{
	map_init(&t->recorded, t->pl->a);
	for (size_t i = 0; i < t->pl->recs->n; i++) {
		const struct record *r = t->pl->recs->v[i];

		if (!text_empty(r->instance_id))
			map_put(&t->recorded, r->instance_id, 1);
		if (!text_empty(r->job_id))
			map_put(&t->recorded, r->job_id, 1);
	}
}

static bool is_recorded(const struct twins *t, const struct observed *o)
{
	return map_get(&t->recorded, o->job_id) != MAP_NONE ||
	       (*o->instance_id && map_get(&t->recorded, o->instance_id) != MAP_NONE);
}

static void know_names(struct twins *t)
{
	const struct inventory *inv = t->pl->inv;

	map_init(&t->by_name, t->pl->a);
	t->next = arena_array(t->pl->a, uint32_t, inv->n + 1);
	for (uint32_t i = 0; i < inv->n; i++) {
		const struct observed *o = inv->v[i];

		t->next[i] = MAP_NONE;
		if (o->status == ST_NOT_CONFIGURED || text_empty(o->name) || is_recorded(t, o))
			continue;
		t->next[i] = map_get(&t->by_name, o->name);
		map_put(&t->by_name, o->name, i);
	}
}

/* Where it reads from and writes to; not who signs in there. */
static bool is_endpoint_key(const char *key)
{
	return (text_starts(key, "source_endpoint_") ||
	        text_starts(key, "destination_endpoint_")) &&
	       !strstr(key, "_user_name") && !strstr(key, "_password");
}

static bool same_ends(struct twins *t, const struct resource *r, const struct observed *o)
{
	if (res_reverse(r) != o->reverse)
		return false;
	for (size_t i = 0; i < r->type->nattrs; i++) {
		const struct attr_def *at = &r->type->attrs[i];
		const char *want, *seen;

		if (at->from != READ_LIST || !is_endpoint_key(at->key))
			continue;
		want = res_get(r, at->key);
		seen = attr_read(t->pl->a, at, o->row);
		if (!text_empty(want) && !text_empty(seen) && !attr_satisfied(at, want, seen))
			return false;
	}
	return true;
}

static const struct observed *twin_of(struct twins *t, const struct resource *r)
{
	const char *name = res_get(r, "dts_job_name");

	for (uint32_t i = name ? map_get(&t->by_name, name) : MAP_NONE; i != MAP_NONE;
	     i = t->next[i])
		if (same_ends(t, r, t->pl->inv->v[i]))
			return t->pl->inv->v[i];
	return NULL;
}

static void warn(struct planner *pl, const struct op *op, const struct observed *o)
{
	if (++pl->p->twins > WARNED_MAX)
		return;
	diag_warn(
		pl->d, pl->b->v[op->want].pos,
		arena_printf(
			pl->a,
			"if it is this one: `dtsbatch import '%s' %s` takes it over, `dtsbatch state "
			"rebuild` all such; if not: --allow-twins",
			op->address, o->job_id),
		"%s is to be created, but job %s of %s has its name, endpoints and direction already and "
		"is not in the state",
		op->address, o->job_id, o->instance_id);
}

void plan_twins(struct planner *pl)
{
	struct twins t = {.pl = pl};
	bool ready = false;

	if (!pl->o->refresh || pl->o->allow_twins)
		return;
	for (size_t i = 0; i < pl->ops.n; i++) {
		struct op *op = &pl->ops.v[i];
		const struct observed *o;

		if (op->kind != OP_CREATE || op->type != &type_job || op->want == RES_NONE ||
		    op->refused)
			continue;
		if (!ready) {
			know_records(&t);
			know_names(&t);
			ready = true;
		}
		o = twin_of(&t, &pl->b->v[op->want]);
		if (!o)
			continue;
		plan_note(pl, op, "job %s of %s is equal and exists already", o->job_id,
		          o->instance_id);
		warn(pl, op, o);
	}
	if (pl->p->twins > WARNED_MAX)
		diag_warn(
			pl->d, (struct pos){0}, "`dtsbatch state rebuild` takes them over",
			"%zu more jobs that are to be created exist already and are not in the state",
			pl->p->twins - WARNED_MAX);
}
