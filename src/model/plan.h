/*
 * Desired (batch) x recorded (state) x observed (inventory) -> operations.
 * Deterministic and pure: same inputs, same plan, byte for byte.
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/batch.h"
#include "model/graph.h"
#include "model/inventory.h"
#include "model/record.h"

enum op_kind {
	OP_NOOP,
	OP_CREATE,
	OP_RESUME, /* a creation that an earlier run did not finish */
	OP_ADOPT,  /* import_id: take into the state (with the updates that are needed) */
	OP_UPDATE,
	OP_REPLACE,
	OP_DELETE,
	OP_FORGET, /* leave it on the service, drop the record */
	OP_MOVE,   /* was = OLD: record renamed, DTS untouched */
	OP__COUNT
};

/* What an operation does, in order. Table in step.c: name, action, statuses in which it is legal. */
enum step {
	STEP_NONE,
	DO_BUY,            /* CreateDtsInstance */
	DO_CONFIGURE,      /* ConfigureDtsJob on a bought instance */
	DO_CONFIGURE_FREE, /* ConfigureDtsJob without instance (configure first) */
	DO_PRECHECK,       /* StartDtsJob of the free job; waits for PreCheckPass */
	DO_BUY_JOB,        /* CreateDtsInstance(JobId) */
	DO_WAIT_CREATED,   /* until status_satisfies(), first convergence */
	DO_PARAMS,         /* ModifyDtsJobConfig */
	DO_RENAME,
	DO_PASSWORD_SRC,
	DO_PASSWORD_DEST,
	DO_CLASS, /* then waits until Upgrade is over */
	DO_PAYTYPE,
	DO_TWOWAY,
	DO_CLUSTER,
	DO_GROUP,
	DO_TAGS,
	DO_UNTAG,   /* tags that we set and the manifest dropped */
	DO_OBJECTS, /* then waits until Modifying is over */
	DO_RESERVED,
	DO_ENDPOINT_SRC,
	DO_ENDPOINT_DEST,
	DO_DELAY_RULE,
	DO_ERROR_RULE,
	DO_START,   /* then waits for Synchronizing or Initializing */
	DO_SUSPEND, /* then waits for Suspending */
	DO_RESET,   /* ResetDtsJob, waits for NotConfigured, re-resolves the job id */
	DO_VERIFY, /* read ids, name and endpoints again before a delete; gone: the rest is skipped */
	DO_DELETE, /* DeleteDtsJob(s) */
	DO_WAIT_GONE,
	STEP__COUNT
};

struct step_def {
	const char *verb;       /* "rename": for people */
	enum api_action action; /* API_NONE: no call */
	unsigned legal;         /* ST_BIT mask of statuses in which the call is accepted; 0: any */
	unsigned impact;
};
const struct step_def *step_def(enum step s);
enum step route_step(
	enum route r,
	bool source); /* the step that carries a change of this route; STEP_NONE for replace/none */

#define OP_STEPS_MAX 20

struct change {
	uint16_t attr;
	const char *from,
		*to; /* redacted, for people; NULL: absent. "(known after apply)" for unknown ids */
	bool behind; /* the record already held `to`: someone changed the service behind our back */
	bool not_verifiable;
	bool secret;
	bool unsent; /* not by this operation, so not recorded either: a later plan has it again */
	const char *note; /* NULL or e.g. "cannot be removed by the API" */
	const char *
		*members; /* of an object that is sent by members (reserve): the keys that differ */
	size_t nmembers;
};

struct op {
	enum op_kind kind;
	const char *address;
	const struct type_def *type;
	uint32_t want;               /* resource index, RES_NONE: no section */
	const struct record *have;   /* NULL: not in the state */
	const struct observed *seen; /* NULL: not on the service */
	struct change *changes;
	size_t nchanges;
	enum step steps[OP_STEPS_MAX];
	unsigned nsteps;
	unsigned impact; /* IMPACT_ bits */
	const char *why; /* one line: "not in the state", "section removed", ... NULL: evident */
	const char *
		refused; /* the operation is needed but not allowed; text says what would allow it. Not executed */
	const char *const *
		notes; /* further lines for people (suspended since, not verifiable keys, expiry) */
	size_t nnotes;
	const char *
		blocked_by; /* address of a refused operation that this one has to come after: not executed either */
	enum { PROTECT_AS_IS, PROTECT_ON, PROTECT_OFF } protect; /* `protect` is set or lifted */
	const char
		*released_by; /* delete: address of the job whose deletion releases this instance */
	const char *new_id;   /* adopt: id to take */
	bool params_wait;     /* job_parameters are set when the job is started, by a later plan */
	bool as_it_is;        /* adopt: nothing is changed, `changes` says what differs */
	bool stays_gone; /* noop: gone on the service, and on_gone = forget leaves it so; the record says so */
};

struct plan {
	struct op *
		ops; /* creates and updates in dependency order of the batch, then deletes in reverse order */
	size_t n;
	struct graph graph; /* op -> ops it must come after */
	/* Of what would be done: neither refused nor blocked. */
	size_t count[OP__COUNT];
	size_t impact[7]; /* how many ops have each impact bit */
	size_t refused, blocked;
	const char **orphans; /* recorded, section vanished, not pruned */
	size_t norphans;
	size_t marked;   /* gone, and to stay gone: the record is to say so */
	size_t recorded; /* records looked at */
	size_t known;    /* all records, but for those gone that an earlier run began to delete */
	size_t gone;     /* of them, those that are not on the service */
	size_t open;     /* purchases by an earlier run that have no answer yet */
	size_t left_out; /* sections and records that --target and --exclude leave out */
	size_t twins;    /* jobs to be created whose equal exists already, unknown to the state */
};

struct plan_opts {
	bool destroy; /* everything recorded (or targeted) is to be deleted */
	bool prune;
	bool take_only; /* adopt as it is: `import` and `state rebuild` change nothing on the service */
	bool refresh; /* false: the inventory was not read, trust the records */
	const char *const *targets, *const *excludes, *const *replaces; /* globs */
	size_t ntargets, nexcludes, nreplaces;
	const uint8_t *
		fp_key; /* 32 bytes for secret fingerprints; NULL: lost, secrets are not verifiable */
	int64_t now_ms; /* wall clock */
	const char *const *
		missing_files; /* manifest files that contributed last time and are gone: block pruning of what they held */
	size_t nmissing_files;
	const char *const
		*unread_files; /* likewise, but they exist and are not among those read now */
	size_t nunread_files;
	bool allow_twins; /* say nothing about them */
	const char *const
		*unsettled; /* addresses whose purchase by an earlier run has no answer yet */
	size_t nunsettled;
	const char *
		words; /* of the command line, for commands that are named: " m.ini --state F"; NULL: none */
	const char *const
		*sent; /* addresses of which an earlier run sent something else without an answer */
	size_t nsent;
	bool under_way; /* that run is not an earlier one: it is at work now */
};

struct record_list {
	const struct record *const *v; /* sorted by address */
	size_t n;
};

void plan_make(struct plan *p, struct arena *a, const struct batch *b,
               const struct record_list *recs, const struct inventory *inv,
               const struct plan_opts *o, struct diag *d);
/* The row on the service that a record stands for; NULL: gone. inv must be complete. *emptied: it is the paid instance that was
 * left when the job went. */
const struct observed *plan_seen(const struct inventory *inv, const struct record *r,
                                 bool *emptied);
/* A bought job that was left in PreCheckPass, and is there still: configured first and not started, it rests there (dts-api.md 3.2 B). */
bool plan_rests_checked(const struct op *op);
/* Counts the operations again: after some of them were changed. */
void plan_count(struct plan *p);
const char *op_kind_name(enum op_kind k);
const char *impact_name(
	unsigned
		bit_index); /* online, pause, resync, resume-at-offset, replace, pays, stops-paying */
/* "hmac-sha256:<hex>" of a secret; NULL without a key. */
const char *plan_fingerprint(struct arena *a, const uint8_t *fp_key, const char *secret);
/* Class a pair shall have: the instance section's or else its job's; NULL: not said. */
const char *plan_wanted_class(const struct batch *b, uint32_t res);
/* "the job is Failed: MESSAGE"; left_alone: and what starts it again. */
const char *plan_failure_text(struct arena *a, const struct observed *seen, bool left_alone);
/* When a subscription ends, or ended. seen->expire_s > 0. */
const char *plan_expiry_text(struct arena *a, const struct observed *seen, int64_t now_ms);
/* The command that ends the billing of a suspended job, with its instance (or, prepaid: the console). recs sorted by address. */
const char *plan_release_text(struct arena *a, const struct record_list *recs,
                              const struct record *job, const struct observed *seen,
                              const char *words);
/* Keys of the JSON object `recorded` that `wanted` lacks; both may be NULL. Returns their number. */
size_t plan_dropped_keys(struct arena *a, const char *recorded, const char *wanted,
                         const char *const **keys);
/* Is attribute i recorded for the section r, but taken out of it, with nothing in its place? */
bool plan_is_left(const struct batch *b, const struct resource *r, const struct record *rec,
                  size_t i);
/* The attributes of a record after this op has been applied: wire form, secrets as fingerprints. lookup gives ids. */
void plan_applied(struct arena *a, const struct batch *b, const struct resource *r,
                  const uint8_t *fp_key, id_lookup lookup, void *ctx, const char **attrs);

#endif
