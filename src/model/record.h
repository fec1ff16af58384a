/*
 * What the state file knows of one resource. Values are in an arena of the
 * owner (store/state.c, or the planner for changed copies).
 */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/schema.h"

#define FP_MARK "hmac-sha256:" /* begins the fingerprint of a secret */

enum origin { ORIGIN_CREATED, ORIGIN_IMPORTED, ORIGIN_ADOPTED };

/* How far a creation has come. A run that finds less than STEP_DONE resumes there, it never starts anew. */
enum record_step {
	STEP_CONFIGURED_FREE, /* configure-first: free job exists, not bought */
	STEP_BOUGHT,     /* instance: nothing more to do; job: instance is there, not configured */
	STEP_CONFIGURED, /* ConfigureDtsJob answered; not yet converged once */
	STEP_RESET,      /* ResetDtsJob done, to be configured again */
	STEP_DONE,
};

struct record {
	const char *address;
	const struct type_def *type;
	const char *id;          /* instance id (instance) or job id (job); never NULL */
	const char *instance_id; /* both types */
	const char *job_id;      /* both types; may be NULL */
	enum origin origin;
	enum record_step step;
	const char *region, *file;
	/* As last applied, wire form, by attribute index, NULL: not set. Secrets: FP_MARK "<hex>", or FP_MARK alone when one was
	 * applied whose fingerprint is lost. */
	const char **attrs;
	/* Of these, what a later apply found taken out of the section: the service keeps it, nobody compares it, and it has been said. */
	struct attr_set left;
	const char **deps; /* addresses, direct only */
	size_t ndeps;
	bool protect, destroy_forgets;
	bool leaving;                   /* we sent its deletion: that it is gone is no surprise */
	int64_t created_ms, updated_ms; /* wall clock */
	const char *status;             /* raw, last seen; NULL: never */
	int64_t status_since_ms;        /* since when at least */
	/* Since when it is known to be gone on the service and, by on_gone = forget, shall stay so; 0: it is not. */
	int64_t gone_ms;
	bool paused_by_us; /* a pause of our own that the next run must end */
	const char *
		extra; /* attributes that only a newer version knows: JSON object text, kept as it came; NULL: none */
};

struct record *record_new(struct arena *a, const char *address, const struct type_def *t);
struct record *record_copy(struct arena *a, const struct record *r); /* deep */
/* Is it the Reverse job of a pair, as last applied? */
bool record_reverse(const struct record *r);
/* Same content? Times of writing (updated_ms) do not count. */
bool record_equal(const struct record *x, const struct record *y);
/* A deep copy in one block of record_size() bytes, aligned for any type: what a store that replaces records often needs. */
size_t record_size(const struct record *r);
struct record *record_place(void *mem, const struct record *r);
const char *record_step_name(enum record_step s);
const char *origin_name(enum origin o);
bool record_step_parse(const char *name, enum record_step *out); /* false: unknown */
bool origin_parse(const char *name, enum origin *out);

#endif
