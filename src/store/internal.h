/* What the files of store/ share. Nobody else includes it. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "store/state.h"

struct diag;
struct json;

#ifndef DTSBATCH_VERSION
#define DTSBATCH_VERSION "0.0.0"
#endif

#define STORE_FORMAT 1
#define STORE_FILE_MAX ((size_t)2 << 30) /* a larger file is not ours */
#define STORE_MARK FP_MARK

/* ---- content.c: the state in memory ---- */

struct slot {
	const char *address;   /* lives as long as the content */
	struct record *r;      /* one heap block; NULL: deleted */
	struct record *loaded; /* as read at the start, once replaced: planners still look at it */
	bool from_load;        /* r is that first block */
	uint32_t pos;          /* index in list, while !stale_list */
};

struct open_intent {
	struct intent i;
	bool durable;   /* in a committed group or in the snapshot */
	bool from_load; /* of an earlier run; its texts live as long as the content */
	bool closing;   /* settled, but the outcome is not durable yet */
};

struct content {
	struct arena a; /* addresses, head, list */
	char lineage[33], key_check[17];
	uint64_t serial; /* of the snapshot; 0: there is none */
	bool simulated, loading;
	/* Which journal the snapshot has swallowed, and up to where. */
	char folded_id[17];
	uint64_t folded_seq;
	struct state_home home;
	const char **files;
	size_t nfiles;
	const char *orphans; /* digest of those that were told; NULL: none */
	struct map by_address;
	VEC(struct slot) slots;
	const struct record **list; /* sorted by address */
	size_t nlist, cap_list;
	bool stale_list;
	struct arena ia; /* intents */
	size_t ia_live;  /* bytes of ia when it was last packed */
	VEC(struct open_intent) intents;
	uint64_t next_intent;
	struct intent *view; /* for state_intents() */
	size_t cap_view;
};

void content_init(struct content *c);
void content_release(struct content *c);
/* These return whether anything changed. */
bool content_put(struct content *c, const struct record *r);
bool content_del(struct content *c, const char *address);
bool content_set_home(struct content *c, const struct state_home *h);
bool content_set_files(struct content *c, const char *const *files, size_t n); /* sorts */
bool content_set_orphans(struct content *c, const char *digest);
bool content_close_intent(struct content *c, uint64_t id); /* false: not open */
void content_add_intent(struct content *c,
                        const struct intent *i); /* an id that is there already is replaced */
struct open_intent *content_intent(struct content *c, uint64_t id); /* NULL: not open */
const struct intent *content_open_intents(struct content *c, size_t *n);
void content_durable(struct content *c); /* all intents are on disk now, outcomes too */
const struct record *content_get(const struct content *c, const char *address);
const struct record *const *content_list(struct content *c, size_t *n);
/*
 * Fingerprints made with another key are worth nothing: take them out. Returns how many there
 * were.
 */
size_t content_drop_fingerprints(struct content *c);
/* The same resources and open intents? */
bool content_equal(struct content *x, struct content *y);
/* Apply one journal record. */
int content_apply(struct content *c, struct arena *scratch, const struct json *op, struct err *e);

/* ---- encode.c: records and intents as JSON ---- */

void encode_record(struct buf *out, struct arena *scratch, const struct record *r);
struct record *decode_record(struct arena *a, const struct json *v,
                             struct err *e);                         /* NULL: wrong */
void encode_intent_members(struct buf *out, const struct intent *i); /* "id":..., without braces */
int decode_intent(struct arena *a, const struct json *v, struct intent *out, struct err *e);
void encode_member(struct buf *out, const char *key,
                   const char *value); /* ,"key":"value"; nothing when NULL */
bool decode_u64(const struct json *obj, const char *key, uint64_t *out);
bool decode_hex(const struct json *obj, const char *key, size_t digits,
                char *out); /* digits+1 bytes */

/* ---- snapshot.c ---- */

void snapshot_write(struct buf *out, struct content *c);
/*
 * Parse into an empty content. name is for messages, journal the name of the journal to point
 * to. crc: 9 bytes.
 */
int snapshot_parse(struct content *c, const char *p, size_t n, const char *name, char *crc,
                   struct err *e);
/* Everything that is wrong with the text, line by line. */
void snapshot_diagnose(struct diag *d, const char *p, size_t n, const char *name);
/* Length of the head that the check sum covers, or 0 when the last line is not one. */
size_t snapshot_covered(const char *p, size_t n);

/* ---- journal.c: format, reading ---- */

struct journal_info {
	char lineage[33], id[17], base[9],
		key_check[17]; /* base: check sum of the snapshot it extends, "" without */
	uint64_t serial, next_intent;
	bool simulated;
	size_t first;   /* offset of the first record after the header */
	size_t end;     /* behind the last committed group */
	size_t size;    /* length of the file as last promised */
	uint64_t seq;   /* last committed record; 0: none */
	uint64_t group; /* last committed group; 0: none */
	size_t records; /* committed ones that are no commits */
	size_t torn;    /* bytes of an unfinished group that are dropped */
};

struct journal_line {
	uint64_t seq, group;
	size_t rest; /* bytes from the start of this line to the end of its group */
	const char *json;
	size_t len, next; /* of the JSON; offset behind the line */
	int end;          /* '\n', 0: NUL or end of file, -1: another byte */
};

#define JOURNAL_PREFIX 47 /* bytes before the JSON */

int journal_scan(const char *p, size_t n, const char *name, struct journal_info *ji, struct err *e);
bool journal_line_at(const char *p, size_t n, size_t off, struct journal_line *l);
/* Apply all committed records that are not yet in the snapshot. */
int journal_replay(struct content *c, const char *p, const struct journal_info *ji,
                   const char *name, struct err *e);

/* ---- journal_write.c ---- */

struct journal {
	int fd; /* -1: closed */
	const char *path;
	dev_t dev;
	ino_t ino;
	char id[17];
	uint64_t seq, group; /* last written */
	size_t pos, size;    /* end of the last group; reserved length of the file */
	bool lost;           /* somebody removed or replaced the file under us */
	struct buf group_buf;
	uint64_t written; /* bytes, zeros included */
};

struct pending { /* records of the next group: JSON texts one after the other */
	struct buf text;
	size_t *len;
	size_t n, cap;
};

void pending_release(struct pending *p);
/* The record that begins at text offset `from` and ends at its end is complete. */
void pending_end(struct pending *p, size_t from);

/*
 * Replaces whatever stands at j->path by a new journal for c and opens it. base: check sum of
 * the snapshot or "".
 */
int journal_create(struct journal *j, const struct content *c, const char *base, size_t reserve,
                   struct err *e);
int journal_append(struct journal *j, const struct pending *p,
                   struct err *e); /* one group, durable */
void journal_close(struct journal *j);

/* ---- load.c: snapshot and journal put together; no file is touched ---- */

struct image {
	const char *p;
	size_t n;
	bool present;
};

struct load {
	char base[9];  /* check sum of the snapshot, "" without */
	bool replayed; /* the journal held records that the snapshot lacks */
	bool stripped; /* fingerprints of another key were dropped */
	bool exists;
	size_t torn;
	struct journal_info ji;
};

int load_images(struct content *c, const struct image *snap, const struct image *jour,
                const char *snap_name, const char *jour_name, struct load *out, struct err *e);

/* ---- paths.c ---- */

struct paths {
	const char *dir, *snapshot, *journal, *key, *lock;
	const char *rescue; /* X.rescued.state.json: what a run could not save in its place */
	bool dir_missing;
};

int paths_resolve(struct arena *a, const char *given, struct paths *p, struct err *e);
/* Would replacing the snapshot work here? note: text for the user or NULL. */
int paths_check(struct arena *a, const struct paths *p, const char **note, struct err *e);
/* Temporary files of runs that were killed. The lock must be held. */
void paths_sweep(const struct paths *p);

/* ---- lock.c ---- */

/* Takes the lock; *fd is it. The holder's data are written for the message of a second run only. */
int lock_take(const struct paths *p, const struct state_opts *o, int *fd, struct err *e);
/* Is the file that is locked still the one of that name? */
bool lock_holds(const struct paths *p, int fd);
void lock_drop(int fd);
/* Appends who holds the lock; false: nobody, or it cannot be told. Takes nothing, creates nothing. */
bool lock_holder(const struct paths *p, struct buf *out);

/* ---- key.c ---- */

enum key_state { KEY_ABSENT, KEY_GOOD, KEY_BROKEN };
/*
 * What this host began to write last: a journal and the serial that it extends. It stands in the second line of the
 * key file, because that file stays on the host and is no part of what people restore.
 */
struct mark {
	char lineage[33]; /* "": nothing is remembered */
	char journal[17];
	uint64_t serial;
};

int key_read(const char *path, uint8_t key[32], struct mark *m, enum key_state *st, struct err *e);
int key_write(const char *path, const uint8_t key[32], const struct mark *m, struct err *e);
/* A value that tells keys apart and does not give them away. */
void key_check(const uint8_t key[32], const char *lineage, char out[17]);

/* ---- mark.c ---- */

/*
 * Is what was read as new as what the host remembers? -1 with e (ERR_STATE_READ) when it is older, another one, or gone. c before
 * a new lineage is made up; m may be empty.
 */
int mark_check(const struct mark *m, const struct content *c, const struct load *ld,
               const struct paths *p, struct err *e);

#endif
