/* Opening a state: lock, read, repair, reserve. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/sys.h"
#include "store/state_internal.h"

#define READ_TRIES 200 /* while a run is writing */
#define DAMAGE_TRIES 3

int state_io_error(struct err *e, const char *path, const char *what)
{
	err_set(e, ERR_STATE_WRITE, "%s: cannot %s: %s", path, what, strerror(errno));
	err_subject(e, path);
	return -1;
}

void file_id_take(struct file_id *id, const char *path)
{
	struct stat st;

	*id = (struct file_id){0};
	if (stat(path, &st) == 0)
		*id = (struct file_id){true, st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

bool file_id_same(const struct file_id *id, const char *path)
{
	struct file_id now;

	file_id_take(&now, path);
	return now.there == id->there && now.dev == id->dev && now.ino == id->ino &&
	       now.size == id->size && now.mtime.tv_sec == id->mtime.tv_sec &&
	       now.mtime.tv_nsec == id->mtime.tv_nsec;
}

int file_read(const char *path, struct buf *b, struct image *img, struct err *e)
{
	buf_reset(b);
	*img = (struct image){.p = ""};
	if (sys_read_file(path, b) == 0) {
		*img = (struct image){buf_str(b), b->n, true};
		return 0;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	err_set(e, ERR_STATE_READ, "%s: cannot read: %s", path, strerror(errno));
	err_subject(e, path);
	return -1;
}

static void nap(long ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000L};

	nanosleep(&t, NULL);
}

struct reading {
	struct buf snap, jour;
	struct image snap_img, jour_img;
	bool moved; /* a run replaced a file while we read */
};

static int read_both(struct state *s, struct reading *r, struct err *e)
{
	struct file_id jour;

	file_id_take(&s->snap_id, s->p.snapshot);
	file_id_take(&jour, s->p.journal);
	if (file_read(s->p.snapshot, &r->snap, &r->snap_img, e) < 0 ||
	    file_read(s->p.journal, &r->jour, &r->jour_img, e) < 0)
		return -1;
	{
		struct file_id now;

		/* The journal may grow while we read; it must not be another one. */
		file_id_take(&now, s->p.journal);
		r->moved = !file_id_same(&s->snap_id, s->p.snapshot) || now.there != jour.there ||
		           now.ino != jour.ino || now.dev != jour.dev;
	}
	return 0;
}

/*
 * With the lock held one look is enough. Without it, a look into the middle of a fold or of a
 * write is taken again.
 */
static int load(struct state *s, struct load *ld, struct err *e)
{
	struct reading r;
	int rc = -1, damage = 0;

	buf_init(&r.snap, STORE_FILE_MAX);
	buf_init(&r.jour, STORE_FILE_MAX);
	for (int tries = 0; tries < READ_TRIES; tries++) {
		rc = read_both(s, &r, e);
		if (rc < 0)
			break;
		if (s->mode == STATE_READ && r.moved) {
			rc = err_set(e, ERR_LATER, "%s: a run keeps replacing it", s->p.snapshot);
			nap(2);
			continue;
		}
		content_release(&s->c);
		content_init(&s->c);
		rc = load_images(&s->c, &r.snap_img, &r.jour_img, s->p.snapshot, s->p.journal, ld,
		                 e);
		if (rc == 0 || s->mode == STATE_WRITE || !r.jour_img.present ||
		    ++damage >= DAMAGE_TRIES)
			break;
		nap(5);
	}
	s->snap_bytes = r.snap_img.n;
	buf_release(&r.snap);
	buf_release(&r.jour);
	return rc;
}

static int check_kind(const struct state *s, const struct state_opts *o, struct err *e)
{
	if (!s->exists || s->c.simulated == o->simulated)
		return 0;
	if (s->c.simulated) {
		err_set(e, ERR_STATE_READ, "%s is the state of a simulation", s->p.snapshot);
		err_hint(e, "use it with --simulate, or name the state of the real service with "
		            "--state FILE");
	} else {
		err_set(e, ERR_STATE_READ,
		        "%s is the state of the real service; --simulate must not touch it",
		        s->p.snapshot);
		err_hint(e, "a simulation keeps its own state in X.sim.state.json");
	}
	err_subject(e, s->p.snapshot);
	return -1;
}

/*
 * The key of the fingerprints. When it is not the one that made them, they cannot be compared:
 * they are dropped, so that nothing looks like a rotated password, and fingerprints of the key
 * from now on take their place.
 */
static void settle_key(struct state *s)
{
	static const char *const why[] = {[KEY_ABSENT] = "is missing",
	                                  [KEY_GOOD] = "is another one than before",
	                                  [KEY_BROKEN] = "is damaged"};
	enum key_state st = s->key_state;
	char check[17] = "";
	size_t dropped;

	s->have_key = s->key_on_disk = st == KEY_GOOD;
	if (st != KEY_GOOD && s->mode == STATE_WRITE) {
		sys_random(s->key, sizeof(s->key));
		s->have_key = true;
	}
	if (s->have_key && s->c.lineage[0])
		key_check(s->key, s->c.lineage, check);
	if (s->c.key_check[0] && strcmp(check, s->c.key_check) != 0) {
		dropped = content_drop_fingerprints(&s->c);
		if (dropped) {
			state_warn(s,
			           "the key of the secret fingerprints %s (%s): %zu secrets cannot "
			           "be verified this time",
			           why[st], s->p.key, dropped);
			s->changed = true;
		}
		if (s->mode == STATE_READ)
			s->have_key = false;
	}
	if (s->mode == STATE_WRITE)
		memcpy(s->c.key_check, check, sizeof(check));
}

/* Before a new lineage is made up: that nothing is there may be the news. */
static int heed_mark(struct state *s, const struct load *ld, struct err *e)
{
	struct err why = {0};

	if (s->last != LAST_HEEDED || s->c.simulated ||
	    mark_check(&s->mark, &s->c, ld, &s->p, &why) == 0)
		return 0;
	if (s->mode == STATE_WRITE) {
		*e = why;
		return -1;
	}
	state_warn(s, "%s; %s", why.msg, why.hint);
	return 0;
}

/* A file beside the state that holds what a run could not save in its place. */
static int heed_rescue(struct state *s, struct err *e)
{
	struct file_id id;

	file_id_take(&id, s->p.rescue);
	if (!id.there)
		return 0;
	if (s->mode == STATE_READ) {
		state_warn(s, "%s holds what an earlier run could not save in %s", s->p.rescue,
		           s->p.snapshot);
		return 0;
	}
	err_set(e, ERR_STATE_READ, "%s holds what an earlier run could not save in %s", s->p.rescue,
	        s->p.snapshot);
	err_subject(e, s->p.rescue);
	return err_hint(
		e,
		"look at both with `dtsbatch state list --state FILE`; move the one that is complete "
		"to %s, the other away, then run again",
		s->p.snapshot);
}

static int load_all(struct state *s, const struct state_opts *o, struct load *ld, struct err *e)
{
	/* The mark first: a run that writes meanwhile makes the files newer than it, never older. */
	if (heed_rescue(s, e) < 0 || key_read(s->p.key, s->key, &s->mark, &s->key_state, e) < 0 ||
	    load(s, ld, e) < 0)
		return -1;
	s->exists = ld->exists;
	memcpy(s->base, ld->base, sizeof(s->base));
	s->changed = ld->replayed || ld->stripped;
	if (check_kind(s, o, e) < 0 || heed_mark(s, ld, e) < 0)
		return -1;
	if (s->mode == STATE_WRITE && !s->c.lineage[0]) {
		uint8_t id[16];

		sys_random(id, sizeof(id));
		hash_hex(id, sizeof(id), s->c.lineage);
	}
	s->c.simulated = o->simulated;
	if (s->mode == STATE_WRITE && ld->torn)
		state_warn(s,
		           "the last write of a run that died was incomplete (%zu bytes of %s); it "
		           "is dropped, since nothing had "
		           "been sent on the strength of it",
		           ld->torn, s->p.journal);
	settle_key(s);
	return 0;
}

static int open_for_writing(struct state *s, const struct state_opts *o, struct err *e)
{
	const char *note;
	struct load ld;

	if (paths_check(&s->a, &s->p, &note, e) < 0 || lock_take(&s->p, o, &s->lock_fd, e) < 0)
		return -1;
	if (note)
		state_warn(s, "%s", note);
	if (load_all(s, o, &ld, e) < 0)
		return -1;
	paths_sweep(&s->p);
	/*
	 * What a dead run left in its journal goes into the snapshot before a new journal takes
	 * its place.
	 */
	if (ld.replayed && state_fold(s, ld.ji.id, ld.ji.seq, e) < 0)
		return -1;
	/* A journal without news makes way: nobody must miss it later. */
	if (s->mark.lineage[0] && strcmp(ld.ji.id, s->mark.journal) == 0 &&
	    strcmp(s->c.folded_id, s->mark.journal) != 0 && state_forget_journal(s, e) < 0)
		return -1;
	if (journal_create(&s->j, &s->c, s->base, o->reserve, e) < 0) {
		if (!s->exists)
			e->code = ERR_STATE_CREATE;
		if (!e->hint[0])
			/* Another state beside one that exists would buy everything once more. */
			err_hint(
				e,
				s->exists || ld.replayed
					? "nothing was sent. Make room for the journal of the run; another --state would know "
					  "nothing of what this one holds"
					: "nothing was sent. Make room for the journal of the run, or put the state elsewhere: "
					  "--state FILE");
		return -1;
	}
	return 0;
}

int state_open(struct state **out, const struct state_opts *o, struct err *e)
{
	struct state *s = sys_malloc(sizeof(*s));
	struct err why = {.code = ERR_FAILED}; /* e stays untouched when a second try succeeds */
	struct load ld;
	int rc;

	*s = (struct state){.mode = o->mode,
	                    .last = o->last,
	                    .lock_fd = -1,
	                    .reserve = o->reserve,
	                    .fold_min = o->fold_min ? o->fold_min : FOLD_MIN};
	arena_init(&s->a);
	arena_init(&s->scratch);
	content_init(&s->c);
	buf_init(&s->pend.text, STORE_FILE_MAX);
	s->j.fd = -1;
	rc = paths_resolve(&s->a, o->path, &s->p, &why);
	s->j.path = s->p.journal;
	if (!rc && o->mode == STATE_WRITE)
		rc = open_for_writing(s, o, &why);
	else if (!rc)
		rc = load_all(s, o, &ld, &why);
	if (rc < 0) {
		state_abandon(s);
		*e = why;
		return -1;
	}
	*out = s;
	return 0;
}
