/*
 * Guards of design.md 3: what a run may do when nobody looked at its plan.
 */
#ifndef MODEL_GUARD_H
#define MODEL_GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct plan;
struct err;

struct guard_opts {
	int64_t max_changes, max_deletes,
		max_gone; /* -1: not set (then the rule of thumb for deletes and gone) */
	bool looked;      /* somebody saw this plan and said yes */
	bool destroy;     /* explicit: no guard on deletions, but one on what is gone */
	bool imported;    /* a single import: no guard on what is gone */
};

/* ERR_DECISION with the numbers and the option that lifts the guard; 0 when the plan may run. */
int guard_check(const struct plan *p, const struct guard_opts *o, struct err *e);

/*
 * More than two and more than a fifth of what is recorded are gone, or all of it: -1 with e, as guard_check() would say it to
 * nobody; 0: no.
 */
int guard_smells(const struct plan *p, struct err *e);

#endif
