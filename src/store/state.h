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

/* The host remembers which state it wrote last (in X.state.key). What to do when the file is an older one, another one or gone: */
enum state_last {
	LAST_HEEDED,  /* reading: a warning; writing: refused with 78 */
	LAST_PASSED,  /* go on; from the first write on this is the newest. For `state rebuild` */
	LAST_ACCEPTED /* likewise, and it is the newest even if nothing is written */
};

struct state_opts {
	const char *path; /* X.state.json as given; links are resolved */
	enum state_mode mode;
	bool simulated; /* the state must be (or becomes) a simulated one; a mismatch is refused */
	enum state_last last;
	int64_t lock_timeout_ms;
	const char *command; /* for the lock message of a second run */
	size_t reserve;      /* bytes of journal space to reserve before the first call */
	size_t fold_min; /* smallest journal that is folded during a run; 0: 1 MiB. Tests make it small */
};

/* What the state belongs to. NULL: not known. */
struct state_home {
	const char *account, *region, *endpoint;
};

/* An open or settled intent. */
struct intent {
	uint64_t id; /* unique within the lineage; given by state_intent */
	const char *address;
	const char *action; /* api name */
	int64_t wall_ms;    /* when noted, by the server's clock as far as known */
	const char *nonce;  /* signature nonce of the (first) send; NULL if not a purchase */
	const struct json *
		detail; /* purchase: shape and the ids of unconfigured instances seen before; may be NULL */
};

enum outcome {
	OUTCOME_DONE,
	OUTCOME_FAILED /* surely without effect */,
	OUTCOME_UNKNOWN /* stays open */,
	OUTCOME_FORGOTTEN /* by the user */
};

/*
 * Errors: 64 the name does not end in .state.json; 73/74 directory missing, read-only, full, foreign owner, mount point, no locks,
 * object store; 75 locked by another run (which is named); 78 damaged, of a newer format, replaced since a run died, or
 * simulated where a real one is asked for and the other way round.
 */
int state_open(struct state **out, const struct state_opts *o, struct err *e);
/*
 * The end of writing (STATE_WRITE): folds. After a failed flush nothing is folded and e tells; but when the journal was removed or
 * replaced under us, memory is the only place that knows what was done, so it is saved: in X.state.json if that and the lock are
 * still ours, else in X.rescued.state.json, which the next state_open() refuses to overlook. It is -1 all the same.
 */
int state_end(struct state *s, struct err *e);
bool state_saved(const struct state *s); /* after state_end(): X.state.json holds everything */
/* after state_end() that failed: the journal holds everything, and the next run folds it in */
bool state_in_journal(const struct state *s);
/* state_end(), unless that was done, and close. NULL is fine. */
int state_close(struct state *s, struct err *e);
/* Close without folding: the journal stays as it is. */
void state_abandon(struct state *s);

/* Things the user should hear of once (an incomplete last write, a lost key, a network file system); texts live as long as s. */
const char *const *state_warnings(const struct state *s, size_t *n);
/*
 * What is wrong with the files and what can be recovered, as errors and notes with line numbers. No lock, nothing is changed.
 * 0: looked, d->errors tells whether all is well; -1: could not even look.
 */
struct diag;
int state_verify(const char *path, struct diag *d, struct err *e);

/*
 * In a forked child that goes on without the state: gives up its copies of the descriptors, or the lock would outlive a
 * parent that was killed. Nothing else of s may be used there.
 */
void state_detach(struct state *s);

/* The run that holds the lock now, as it is named to a second one; NULL: none. In a, for people. */
const char *state_holder(const struct state *s, struct arena *a);
bool state_exists(const struct state *s); /* a snapshot or journal was there */
uint64_t state_serial(const struct state *s);
const char *state_lineage(const struct state *s); /* 32 hex digits; "" when read and not there */
const char *state_path(const struct state *s);    /* resolved */
/* 32 bytes. NULL: lost, and read only. With STATE_WRITE a lost key is replaced by a new one at the first write. Either way
 * the fingerprints made with the lost one are gone from the records (FP_MARK alone: not verifiable), so nothing looks rotated. */
const uint8_t *state_fp_key(const struct state *s);
const struct state_home *state_home(const struct state *s);
void state_set_home(struct state *s, const struct state_home *h); /* journaled */
/* Manifest files that contributed, sorted. */
const char *const *state_files(const struct state *s, size_t *n);
void state_set_files(struct state *s, const char *const *files, size_t n);

/*
 * Which orphans the user has been told of: a digest the caller makes, NULL when there were none. Under --quiet they are
 * said again only when it changes.
 */
const char *state_orphans(const struct state *s);
void state_set_orphans(struct state *s, const char *digest); /* journaled */

/* NULL: none. Valid until the next put or del of that address; records that state_open() found stay valid until the end. */
const struct record *state_get(const struct state *s, const char *address);
const struct record *const *
state_list(struct state *s, size_t *n); /* sorted by address; valid until the next put/del */

/* All of these only buffer; state_flush() makes them durable, in order. */
void state_put(struct state *s,
               const struct record *r); /* copies; a record equal to the stored one costs nothing */
void state_del(struct state *s, const char *address);
uint64_t state_intent(struct state *s, const struct intent *i); /* i->id ignored */
/* More is known of an open intent: `detail` takes the place of its detail. No-op when it is not open. */
void state_amend(struct state *s, uint64_t intent, const struct json *detail);
void state_outcome(struct state *s, uint64_t intent, enum outcome o, const char *note);
/*
 * Open ones, oldest first. The list is valid until the next state_intent(), state_outcome() or
 * state_flush(); the texts and details of those that state_open() found live to the end.
 */
const struct intent *state_intents(const struct state *s, size_t *n);

/* Group commit: everything buffered plus a commit record, one write, one fdatasync. 0 at once when nothing is buffered. After a
 * failure every further call fails the same way, nothing may be sent any more, and e lists the ids of open intents. */
int state_flush(struct state *s, struct err *e);
bool state_dirty(const struct state *s); /* something is buffered */
/* Records changed since the snapshot: whether closing will write. */
bool state_changed(const struct state *s);
uint64_t state_bytes_written(const struct state *s);

/*
 * Records, files and key of `from` into `to`, which was opened where no state is and to which nothing was written yet. With
 * STATE_WRITE they are durable on return, with STATE_READ they live as long as `to`. Open intents and the home stay behind.
 */
int state_copy(struct state *to, struct state *from, struct err *e);

/* X.state.json (or X.sim.state.json) -> X.sim.state.json, X.sim.world.json: names for --simulate. Links are not followed: take the
 * world's name from state_path(). */
char *state_sim_path(struct arena *a, const char *path);
char *state_world_path(struct arena *a, const char *path);

/* One-record JSON object of the snapshot, for `state show`. Secrets are fingerprints. */
char *state_record_json(struct arena *a, const struct record *r);

#endif
