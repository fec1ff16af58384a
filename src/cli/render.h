/* How plans, progress and results look: for people and as JSON Lines. Output through ui.h only. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "cli/ui.h"
#include "model/plan.h"
#include "run/exec.h"

struct plan_head {
	const char *command, *title, *region;
	bool simulated;
};

/* The plan with every change and its impact, then the totals. */
void render_plan(struct ui *u, const struct plan *p, const struct plan_head *h);
bool plan_is_empty(const struct plan *p);

/* Progress: a live table on a terminal, one line per change of state elsewhere, JSON Lines with
 * --json. */
struct progress {
	struct ui *ui;
	const struct plan *p;
	struct progress_row {
		const char *verb;
		char status[32];
		int64_t since_ms;
		bool active;
	} * rows;         /* by op */
	uint32_t *active; /* ops under way, in the order in which they began */
	size_t nactive;
	unsigned lines;     /* of the live table on the screen now */
	unsigned cells;     /* of the widest address */
	size_t done, total; /* operations */
	bool no_pages;      /* pages that were read are no news */
	int64_t drawn_ms;
	size_t said; /* lines about a service that does not answer, and of --verbose retries */
	int64_t said_ms;
	struct buf held;   /* lines that scroll with the next drawing */
	struct buf failed; /* said once more at the end */
};
void progress_init(struct progress *pr, struct ui *u);
/* Before run_apply: the plan whose operations the events name. */
void progress_plan(struct progress *pr, struct arena *a, const struct plan *p);
void progress_event(void *ctx, const struct event *ev); /* an observer; ctx: struct progress */
void progress_end(struct progress *pr); /* takes the live table away, lists what failed */
void progress_release(struct progress *pr);

struct summary {
	const struct plan *p;
	const enum op_result *results;
	const struct run_stats *stats;
	const char *state_path;
	uint64_t serial;
	bool unsaved;    /* the state file does not hold what was done */
	bool in_journal; /* but its journal does */
	bool destroy;
};
void render_summary(struct ui *u, const struct summary *s);

#endif
