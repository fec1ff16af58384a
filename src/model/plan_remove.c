/* What becomes of a record whose section is gone or that is to be destroyed. */
#include <string.h>

#include "base/text.h"
#include "model/plan_internal.h"

/* Will the instance this job lives on stay recorded after the run? Then the paid instance is emptied, not released. */
static bool instance_stays(const struct planner *pl, const struct record *job)
{
	uint32_t k = text_empty(job->instance_id) ? MAP_NONE
	                                          : map_get(&pl->rec_by_instance, job->instance_id);
	const struct record *inst;

	if (k == MAP_NONE)
		return false;
	inst = pl->recs->v[k];
	if (pl->o->destroy)
		return !planner_record_picked(pl, inst) || inst->protect || inst->destroy_forgets;
	/* its section may have another name now (`was`) */
	if (pl->section_of[k] != RES_NONE)
		return !pl->b->v[pl->section_of[k]].life.absent;
	return !pl->o->prune || inst->protect;
}

bool plan_two_way(const struct record *r)
{
	int i = attr_find(r->type,
	                  r->type == &type_job ? "synchronization_direction" : "sync_architecture");

	return i >= 0 && r->attrs[i] &&
	       (r->type == &type_job || text_ieq(r->attrs[i], "bidirectional"));
}

static void delete_steps(struct planner *pl, struct op *op, const struct record *r)
{
	plan_step_add(op, DO_VERIFY);
	if (r->type == &type_job && instance_stays(pl, r)) {
		plan_step_add(op, DO_RESET);
		op->impact = 0; /* not the resync of a replacement: nothing follows the reset */
		plan_note(pl, op,
		          "its instance stays: the job is reset, the instance is still billed");
		return;
	}
	plan_step_add(op, DO_DELETE);
	plan_step_add(op, DO_WAIT_GONE);
	if (r->type == &type_job && text_empty(r->instance_id)) {
		plan_note(pl, op, "a free job: nothing was bought for it");
		op->impact &= ~(unsigned)IMPACT_STOPS_PAYING;
	} else if (r->type == &type_job && !plan_two_way(r)) {
		plan_note(pl, op, "releases instance %s", r->instance_id);
	}
}

void plan_delete(struct planner *pl, struct op *op, bool explicit_destroy)
{
	const struct record *r = op->have;
	uint32_t k = map_get(&pl->b->by_address, r->address);
	/* What the manifest says today counts beside what the last apply recorded. */
	const struct lifecycle *life = k == MAP_NONE ? NULL : &pl->b->v[k].life;

	if (planner_is_gone(pl, r, op->seen)) {
		op->kind = OP_FORGET;
		op->why = "already gone on the service";
		return;
	}
	if (r->destroy_forgets || (life && life->destroy_forgets)) {
		op->kind = OP_FORGET;
		op->why = "on_destroy = forget";
		return;
	}
	op->kind = OP_DELETE;
	if (!op->why)
		op->why = explicit_destroy ? "destroy" : "its section was removed (--prune)";
	delete_steps(pl, op, r);
	if (life && life->protect)
		op->refused = "protected: `protect = true` forbids it";
	else if (r->protect)
		op->refused = "protected: `protect = true` is recorded; apply it as false first";
	plan_refuse_prepaid(op);
	plan_refuse_locked(pl, op);
}

static bool among(const char *const *files, size_t n, const char *file)
{
	for (size_t k = 0; k < n; k++)
		if (text_eq(files[k], file))
			return true;
	return false;
}

/* A section vanishes from a file that is read; one in a file that is not may stand there still. NULL: it is read. */
static const char *unseen_file(const struct planner *pl, const struct record *r)
{
	if (among(pl->o->missing_files, pl->o->nmissing_files, r->file))
		return arena_printf(
			pl->a,
			"%s, which held its section, is missing: nothing of it is pruned "
			"(`destroy --target` deletes it)",
			r->file);
	if (among(pl->o->unread_files, pl->o->nunread_files, r->file))
		return arena_printf(
			pl->a,
			"%s, which held its section, exists but was not named: nothing of it is "
			"pruned (name it, too; `destroy --target` deletes it)",
			r->file);
	return NULL;
}

/* What was said to stay gone has lost its section: nothing is left to decide, unless the section is only out of sight. */
static bool may_forget(const struct planner *pl, const struct record *r)
{
	return r->gone_ms > 0 && planner_is_gone(pl, r, planner_find(pl, r)) && !unseen_file(pl, r);
}

void plan_orphans(struct planner *pl)
{
	for (size_t i = 0; i < pl->recs->n; i++) {
		const struct record *r = pl->recs->v[i];
		struct op *op;

		if (pl->section_of[i] != RES_NONE && !pl->o->destroy)
			continue;
		if (!planner_record_picked(pl, r)) {
			pl->p->left_out++;
			continue;
		}
		pl->p->recorded++;
		if (!pl->o->destroy && !pl->o->prune && !may_forget(pl, r)) {
			*VEC_PUSH(pl->a, &pl->orphans) = r->address;
			continue;
		}
		op = planner_op(pl, r->address, r->type);
		op->have = r;
		op->seen = planner_find(pl, r);
		pl->del_of[i] = (uint32_t)pl->ops.n - 1;
		plan_delete(pl, op, pl->o->destroy);
		if (!pl->o->destroy && !op->refused && op->kind == OP_DELETE)
			op->refused = unseen_file(pl, r);
		if (!pl->o->destroy && !op->refused && op->kind == OP_DELETE && pl->wanted_by[i])
			op->refused = arena_printf(
				pl->a,
				"%s stands in its place: if it is the same job, rename it there; else `dtsbatch destroy "
				"--target` deletes it",
				pl->wanted_by[i]);
		plan_notice(pl, op);
	}
}
