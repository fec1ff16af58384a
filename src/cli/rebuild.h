/*
 * state rebuild: which job of the account is which section. By name, exactly, and engines,
 * regions and direction; instances through their jobs alone, because unconfigured ones look
 * alike. What is not certain is left to the user.
 */
#ifndef CLI_REBUILD_H
#define CLI_REBUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "model/plan.h"

struct ui;

struct rebuild {
	struct arena *a;
	struct batch *b;
	const struct record_list *recs;
	const struct inventory *inv;
	struct rebuild_row {
		bool lacks; /* a section without a record: the question is open */
		bool fixed; /* its import_id stands in the manifest */
		const struct observed **fits;
		size_t nfits;
		uint32_t rival; /* another section that the only candidate fits, too; or RES_NONE */
		const struct observed *is; /* the answer; NULL: none */
	} * rows;                          /* by resource */
	size_t found, ambiguous, missing;
};

/* Which sections are asked about. Until they have an answer they want to be imported from
 * nowhere, so that the account's list is read. recs: as the state has them. */
void rebuild_begin(struct rebuild *rb, struct arena *a, struct batch *b,
                   const struct record_list *recs);
/* Looks into the inventory and sets the import_id of what is certain. */
void rebuild_match(struct rebuild *rb, const struct inventory *inv);
/* What was left, and why. */
void rebuild_show(const struct rebuild *rb, struct ui *u);
/* A plan that imports and does nothing else. together: when one import is refused, the others are not done either. */
void rebuild_only_imports(struct plan *p, bool together);

#endif
