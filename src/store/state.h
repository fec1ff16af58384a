/*
 * The state: snapshot (X.state.json), journal (X.state.journal), key
 * (X.state.key), lock (X.state.lock). This module is their only writer.
 * design.md 6; record formats are described at the head of state.c and
 * journal.c.
 *
 * Order of things in a run: state_open(STATE_WRITE) locks, loads, reserves
 * space. state_intent() before a mutating call, state_flush() (one
 * fdatasync for all that was noted since the last), then the call, then
 * state_outcome() and state_put()/state_del(). state_close() folds journal
 * into snapshot. A process that dies anywhere leaves a journal that the next
 * state_open() reads.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/record.h"

struct arena;
struct err;
struct json;
struct state;

enum state_mode {
	STATE_READ,  /* no lock, nothing created; sees up to the last commit */
	STATE_WRITE, /* lock, journal opened, space reserved */
};

struct state_opts {
	const char *path; /* X.state.json as given; links are resolved */
	enum state_mode mode;
	bool simulated;   /* the state must be (or becomes) a simulated one; a mismatch is refused */
	int64_t lock_timeout_ms;
	const char *command; /* for the lock message of a second run */
	size_t reserve;      /* bytes of journal space to reserve before the first call */
};

/* What the state belongs to. NULL: not known. */
struct state_home {
	const char *account, *region, *endpoint;
};

/* An open or settled intent. */
struct intent {
	uint64_t id;          /* unique within the lineage; given by state_intent */
	const char *address;
	const char *action;   /* api name */
	int64_t wall_ms;      /* when noted, by the server's clock as far as known */
	const char *nonce;    /* signature nonce of the (first) send; NULL if not a purchase */
	const struct json *detail; /* purchase: shape and the ids of unconfigured instances seen before; may be NULL */
};

enum outcome { OUTCOME_DONE, OUTCOME_FAILED /* surely without effect */, OUTCOME_UNKNOWN /* stays open */, OUTCOME_FORGOTTEN /* by the user */ };

int state_open(struct state **out, const struct state_opts *o, struct err *e);
/* Fold (STATE_WRITE) and close. After a failed flush nothing is folded and e tells. NULL is fine. */
int state_close(struct state *s, struct err *e);
/* Close without folding: the journal stays as it is. */
void state_abandon(struct state *s);

bool state_exists(const struct state *s); /* a snapshot or journal was there */
uint64_t state_serial(const struct state *s);
const char *state_lineage(const struct state *s);
const char *state_path(const struct state *s); /* resolved */
const uint8_t *state_fp_key(const struct state *s); /* 32 bytes, or NULL: lost */
const struct state_home *state_home(const struct state *s);
void state_set_home(struct state *s, const struct state_home *h); /* journaled */
/* Manifest files that contributed, sorted. */
const char *const *state_files(const struct state *s, size_t *n);
void state_set_files(struct state *s, const char *const *files, size_t n);

const struct record *state_get(const struct state *s, const char *address); /* NULL: none. Valid until the next put of that address */
const struct record *const *state_list(struct state *s, size_t *n);         /* sorted by address; valid until the next put/del */

/* All of these only buffer; state_flush() makes them durable, in order. */
void state_put(struct state *s, const struct record *r); /* copies */
void state_del(struct state *s, const char *address);
uint64_t state_intent(struct state *s, const struct intent *i); /* i->id ignored */
void state_outcome(struct state *s, uint64_t intent, enum outcome o, const char *note);
const struct intent *state_intents(const struct state *s, size_t *n); /* open ones, oldest first */

/* Group commit: everything buffered plus a commit record, one write, one fdatasync. 0 at once when nothing is buffered. After a
 * failure every further call fails the same way, nothing may be sent any more, and e lists the ids of open intents. */
int state_flush(struct state *s, struct err *e);
bool state_dirty(const struct state *s); /* something is buffered */
/* Records changed since the snapshot: whether closing will write. */
bool state_changed(const struct state *s);
uint64_t state_bytes_written(const struct state *s);

/* X.state.json -> X.sim.state.json (and .world.json): names for --simulate. */
char *state_sim_path(struct arena *a, const char *path);
char *state_world_path(struct arena *a, const char *path);

/* One-record JSON object of the snapshot, for `state show`. Secrets are fingerprints. */
char *state_record_json(struct arena *a, const struct record *r);

#endif
