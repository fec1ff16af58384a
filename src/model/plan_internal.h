/* Shared by the parts of the planner; nobody else includes it. */
#ifndef MODEL_PLAN_INTERNAL_H
#define MODEL_PLAN_INTERNAL_H

#include "base/arena.h"
#include "model/plan.h"

struct planner {
	struct plan *p;
	struct arena *a;
	const struct batch *b;
	const struct record_list *recs;
	const struct inventory *inv;
	const struct plan_opts *o;
	struct diag *d;
	struct map rec_by_addr;       /* address -> index in recs */
	struct map rec_by_instance;   /* instance id -> index in recs of the instance */
	const struct record **have;   /* by resource: its record (also under the former address) */
	const struct observed **seen; /* by resource */
	bool *picked;                 /* by resource: selected by --target/--exclude */
	uint32_t *op_of;              /* by resource: op index or RES_NONE */
	uint32_t *del_of;             /* by record: index of its delete/forget op or RES_NONE */
	uint32_t *section_of;         /* by record: the resource that stands for it, or RES_NONE */
	uint32_t *
		job_first; /* by resource: op of the job that must run before this instance is changed, or RES_NONE */
	const char *
		*wanted_by; /* by record of a job: address of the section that is refused for it */
	size_t pauses;      /* suspended jobs so far */
	VEC(struct edge) edges; /* over ops */
	VEC(struct op) ops;
	VEC(const char *) orphans;
};

/* Ids known while planning: of records whose thing exists and stays. */
const char *planner_lookup(void *ctx, uint32_t res, enum computed what);
/* The row on the service a record stands for; stale job ids are found again by instance and direction. */
const struct observed *planner_find(const struct planner *pl, const struct record *r);
bool planner_is_gone(const struct planner *pl, const struct record *r, const struct observed *seen);

bool planner_matches(const char *const *globs, size_t n, const char *address);
/* Is the record among those that --target and --exclude leave? */
bool planner_record_picked(const struct planner *pl, const struct record *r);
/* A new operation, valid until the next one is made. */
struct op *planner_op(struct planner *pl, const char *address, const struct type_def *type);

/* plan_section.c */
void plan_section(struct planner *pl, uint32_t i);
/* A subscription cannot be deleted by the API; emptying it (ResetDtsJob) is no deletion. */
void plan_refuse_prepaid(struct op *op);
/* ResetDtsJob is refused while the instance is locked. */
void plan_refuse_locked(struct planner *pl, struct op *op);

/* plan_remove.c */
void plan_delete(struct planner *pl, struct op *op, bool explicit_destroy);
bool plan_two_way(const struct record *r);
void plan_orphans(struct planner *pl);

/* plan_order.c. Instances that take a change only while their job runs come after it. */
void plan_order_resting(struct planner *pl);
/* Builds the graph of the plan. False: instances that wait for their jobs close a circle. */
bool plan_order(struct planner *pl);
void plan_refuse_job_first(struct planner *pl);
/* No instance is bought for jobs that will not be made. */
void plan_refuse_useless(struct planner *pl);
/* Nothing takes an instance away from a job that stays. */
void plan_guard_instances(struct planner *pl);

/* Note of a change that is only written down. */
#define PLAN_NOTE_RECORDED "has a meaning at creation only; recorded, nothing is sent"

/* plan_diff.c: fills op->changes; sets of what they need. */
struct diff {
	bool replace;              /* a change that only a replacement can make */
	const char *replace_keys;  /* "a, b" */
	const char *endpoint_keys; /* endpoint changes without the promise: replacement, too */
	const char
		*fixed_end; /* "source", "destination": of a type that cannot be moved in place */
	const char *impossible; /* a change that the service takes in no way, and why */
	bool lower_class;
	uint32_t routes;      /* bit per route that must be walked */
	bool untag;           /* tags of ours are to be removed */
	bool src, dest;       /* ROUTE_PASSWORD: which ends */
	bool ep_src, ep_dest; /* ROUTE_ENDPOINT: which ends */
};
void plan_diff(struct planner *pl, struct op *op, struct diff *df);
/* Notes for keys that were recorded and are taken out of the section: the service keeps their values. Once: see record.left. */
void plan_left(struct planner *pl, struct op *op);
/* All set values, as changes from nothing: for creates. */
void plan_list_values(struct planner *pl, struct op *op);

/* plan_twins.c: jobs that are to be created though an equal one, unknown to the state, exists. */
void plan_twins(struct planner *pl);

/* plan_steps.c: from kind and diff to steps and impact. */
void plan_steps_create(struct planner *pl, struct op *op);
void plan_steps_resume(struct planner *pl, struct op *op, const struct diff *df);
void plan_steps_update(struct planner *pl, struct op *op, const struct diff *df);
void plan_steps_replace(struct planner *pl, struct op *op, const struct diff *df);
void plan_step_add(struct op *op, enum step s);
bool plan_has_step(const struct op *op, enum step s);
/* Parameters of a job that was never started and shall rest are no change yet: a creation leaves them for the start, too. */
void plan_defer_parameters(struct planner *pl, struct op *op, struct diff *df);
/* A job that never ran takes everything but its purchase by being configured once more (dts-api.md 3.3). */
bool plan_reconfigurable(const struct op *op);
/* Has the op a step that the service takes only while the job runs (dts-api.md 3.3)? */
bool plan_needs_run(const struct op *op);
/* A failed job that nobody paused, whose instance is to be changed in a way that needs it running: it is started again. */
bool plan_wakes(const struct planner *pl, const struct op *op);
/* Do the steps of this job's op, which does not run now, make it run? */
bool plan_runs_after(const struct planner *pl, const struct op *op);
/* One sentence for a refusal: what a job in the status seen keeps the service from taking. */
const char *plan_why_not_running(struct planner *pl, const struct observed *seen);
void plan_note(struct planner *pl, struct op *op, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* plan_count.c. Money goes to the one operation that buys or releases; blocked_by is set from the graph of the plan. */
void plan_money(struct planner *pl);
void plan_blocked(struct planner *pl);
/* plan_notice.c: failed or locked, suspended since, prepaid expiry. */
void plan_notice(struct planner *pl, struct op *op);

#endif
