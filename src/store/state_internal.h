/* What state.c, open.c and verify.c share. */
#ifndef STORE_STATE_INTERNAL_H
#define STORE_STATE_INTERNAL_H

#include <time.h>

#include "base/err.h"
#include "store/internal.h"

#define FOLD_MIN ((size_t)1 << 20) /* a smaller journal is not folded during a run */

struct file_id {
	bool there;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct state {
	struct arena a, scratch;
	struct content c;
	struct paths p;
	enum state_mode mode;
	int lock_fd;
	struct journal j;
	struct pending pend;
	char base[9]; /* check sum of the snapshot */
	struct file_id snap_id;
	size_t snap_bytes, fold_after, fold_min, reserve;
	uint8_t key[32];
	bool have_key, key_on_disk;
	enum key_state key_state;
	struct mark mark; /* as it stands in the key file */
	enum state_last last;
	bool exists, changed;
	bool journal_used; /* records were committed to j */
	bool failed, ended, saved;
	bool in_journal; /* not folded at the end, but nothing of it is lost */
	struct err why;
	uint64_t written;
	VEC(const char *) warnings;
};

void state_warn(struct state *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The key is on disk, and with it the mark that this journal is being written. */
int state_remember(struct state *s, const char *journal, struct err *e);
/* The mark says what the snapshot is, no journal any more. */
int state_forget_journal(struct state *s, struct err *e);
/* Writes the snapshot. journal, seq: which journal is in it, and up to where. */
int state_fold(struct state *s, const char *journal, uint64_t seq, struct err *e);
int state_io_error(struct err *e, const char *path, const char *what); /* from errno; always -1 */

void file_id_take(struct file_id *id, const char *path);
bool file_id_same(const struct file_id *id, const char *path);
/* The whole file; a missing one is no error. */
int file_read(const char *path, struct buf *b, struct image *img, struct err *e);

#endif
