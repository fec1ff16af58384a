/*
 * The life of a state: open, change, flush, fold, close. Formats stand in
 * snapshot.c and journal.c, what counts after a crash in load.c.
 *
 * Only a new journal is ever written to. state_open(STATE_WRITE) folds what
 * a dead run left behind before it makes its own journal, so no tail of
 * another process is ever continued.
 */
#include "store/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "store/state_internal.h"

void state_warn(struct state *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*VEC_PUSH(&s->a, &s->warnings) = arena_vprintf(&s->a, fmt, ap);
	va_end(ap);
}

/* ---- reading what is known ---- */

const char *state_holder(const struct state *s, struct arena *a)
{
	struct buf who;
	const char *text = NULL;

	buf_init(&who, 2048);
	if (s->lock_fd < 0 && lock_holder(&s->p, &who))
		text = arena_strdup(a, buf_str(&who));
	buf_release(&who);
	return text;
}

bool state_exists(const struct state *s)
{
	return s->exists;
}

uint64_t state_serial(const struct state *s)
{
	return s->c.serial;
}

const char *state_lineage(const struct state *s)
{
	return s->c.lineage;
}

const char *state_path(const struct state *s)
{
	return s->p.snapshot;
}

const uint8_t *state_fp_key(const struct state *s)
{
	return s->have_key ? s->key : NULL;
}

const struct state_home *state_home(const struct state *s)
{
	return &s->c.home;
}

const char *const *state_files(const struct state *s, size_t *n)
{
	*n = s->c.nfiles;
	return s->c.files;
}

const char *state_orphans(const struct state *s)
{
	return s->c.orphans;
}

const char *const *state_warnings(const struct state *s, size_t *n)
{
	*n = s->warnings.n;
	return s->warnings.v;
}

const struct record *state_get(const struct state *s, const char *address)
{
	return content_get(&s->c, address);
}

const struct record *const *state_list(struct state *s, size_t *n)
{
	return content_list(&s->c, n);
}

bool state_dirty(const struct state *s)
{
	return s->pend.n > 0;
}

bool state_changed(const struct state *s)
{
	return s->changed;
}

uint64_t state_bytes_written(const struct state *s)
{
	return s->written + s->j.written;
}

const struct intent *state_intents(const struct state *s, size_t *n)
{
	return content_open_intents((struct content *)&s->c, n);
}

char *state_record_json(struct arena *a, const struct record *r)
{
	struct buf b;
	char *text;

	buf_init(&b, STORE_FILE_MAX);
	encode_record(&b, a, r);
	text = arena_strndup(a, b.p, b.n);
	buf_release(&b);
	return text;
}

/* ---- changing ---- */

/* Begins a journal record; NULL: nothing is accepted any more. */
static struct buf *begin(struct state *s, size_t *from, const char *op)
{
	if (s->mode != STATE_WRITE)
		BUG("a state that was opened for reading is written");
	s->changed = true;
	if (s->failed)
		return NULL;
	*from = s->pend.text.n;
	buf_printf(&s->pend.text, "{\"op\":\"%s\"", op);
	return &s->pend.text;
}

static void finish(struct state *s, size_t from)
{
	buf_putc(&s->pend.text, '}');
	pending_end(&s->pend, from);
}

void state_put(struct state *s, const struct record *r)
{
	struct buf *b;
	size_t from;

	if (!content_put(&s->c, r))
		return;
	b = begin(s, &from, "put");
	if (!b)
		return;
	buf_puts(b, ",\"record\":");
	encode_record(b, &s->scratch, r);
	arena_reset(&s->scratch);
	finish(s, from);
}

void state_del(struct state *s, const char *address)
{
	struct buf *b;
	size_t from;
	char *kept = arena_strdup(&s->scratch, address); /* it may stand in the record that goes */

	if (content_del(&s->c, address) && (b = begin(s, &from, "del"))) {
		encode_member(b, "address", kept);
		finish(s, from);
	}
	arena_reset(&s->scratch);
}

void state_set_home(struct state *s, const struct state_home *h)
{
	struct buf *b;
	size_t from;

	if (!content_set_home(&s->c, h) || !(b = begin(s, &from, "home")))
		return;
	encode_member(b, "account", s->c.home.account);
	encode_member(b, "region", s->c.home.region);
	encode_member(b, "endpoint", s->c.home.endpoint);
	finish(s, from);
}

void state_set_files(struct state *s, const char *const *files, size_t n)
{
	struct buf *b;
	size_t from;

	if (!content_set_files(&s->c, files, n) || !(b = begin(s, &from, "files")))
		return;
	buf_puts(b, ",\"files\":[");
	for (size_t i = 0; i < s->c.nfiles; i++) {
		if (i)
			buf_putc(b, ',');
		json_write_str(b, s->c.files[i]);
	}
	buf_putc(b, ']');
	finish(s, from);
}

void state_set_orphans(struct state *s, const char *digest)
{
	struct buf *b;
	size_t from;

	if (!content_set_orphans(&s->c, digest) || !(b = begin(s, &from, "orphans")))
		return;
	encode_member(b, "digest", s->c.orphans);
	finish(s, from);
}

static void note_intent(struct state *s, const struct intent *i)
{
	struct buf *b;
	size_t from;

	content_add_intent(&s->c, i);
	b = begin(s, &from, "intent");
	if (!b)
		return;
	buf_putc(b, ',');
	encode_intent_members(b, i);
	finish(s, from);
}

uint64_t state_intent(struct state *s, const struct intent *i)
{
	struct intent mine = *i;

	mine.id = s->c.next_intent;
	note_intent(s, &mine);
	return mine.id;
}

/* Read again, an intent takes the place of the one with its id. */
void state_amend(struct state *s, uint64_t id, const struct json *detail)
{
	const struct open_intent *open = content_intent(&s->c, id);
	struct intent mine;

	if (!open || open->closing)
		return;
	mine = open->i;
	mine.detail = detail;
	note_intent(s, &mine);
}

void state_outcome(struct state *s, uint64_t id, enum outcome o, const char *note)
{
	static const char *const names[] = {
		[OUTCOME_DONE] = "done",
		[OUTCOME_FAILED] = "failed",
		[OUTCOME_UNKNOWN] = "unknown",
		[OUTCOME_FORGOTTEN] = "forgotten",
	};
	struct open_intent *i = content_intent(&s->c, id);
	struct buf *b;
	size_t from;

	if (!i || i->closing)
		return;
	if (o != OUTCOME_UNKNOWN)
		i->closing = true;
	b = begin(s, &from, "outcome");
	if (!b)
		return;
	buf_printf(b, ",\"id\":%" PRIu64 ",\"outcome\":\"%s\"", id, names[o]);
	encode_member(b, "note", note);
	finish(s, from);
}

/* ---- making durable ---- */

/* Calls that may have been sent and whose outcome is not on disk. */
static void list_open(const struct state *s, struct buf *out)
{
	size_t shown = 0, open = 0;

	for (size_t i = 0; i < s->c.intents.n; i++) {
		const struct open_intent *o = &s->c.intents.v[i];

		if (!o->durable)
			continue;
		open++;
		if (out->n > 500)
			continue;
		buf_printf(out, "%s%" PRIu64 " (%s %s)", shown++ ? ", " : "", o->i.id, o->i.action,
		           o->i.address);
	}
	if (open > shown)
		buf_printf(out, " and %zu more", open - shown);
}

/* The first failure stays: nothing more is accepted, and each later call says the same. */
static int fail(struct state *s, struct err *e)
{
	struct buf open;

	if (!s->failed) {
		s->failed = true;
		buf_init(&open, 2000);
		list_open(s, &open);
		s->why = *e;
		if (open.n)
			err_set(&s->why, e->code,
			        "%s; open calls whose outcome is not recorded: %s", e->msg,
			        buf_str(&open));
		if (!s->why.subject[0])
			err_subject(&s->why, s->p.journal);
		if (!e->hint[0])
			err_hint(&s->why,
			         "nothing more was sent. Make room or repair the disk, then run "
			         "again: what was "
			         "recorded is kept, and open calls are settled first");
		else
			err_hint(&s->why, "%s", e->hint);
		buf_release(&open);
	}
	*e = s->why;
	return -1;
}

static int write_key(struct state *s, const struct mark *m, struct err *e)
{
	if (key_write(s->p.key, s->key, m, e) < 0)
		return -1;
	s->mark = *m;
	s->key_on_disk = true;
	s->written += m->lineage[0] ? 140 : 65;
	return 0;
}

int state_remember(struct state *s, const char *journal, struct err *e)
{
	struct mark m = {.serial = s->c.serial};

	/* A simulation costs nothing, and is begun anew by removing its files. */
	if (s->c.simulated && s->key_on_disk)
		return 0;
	if (s->key_on_disk && strcmp(s->mark.journal, journal) == 0 &&
	    strcmp(s->mark.lineage, s->c.lineage) == 0)
		return 0;
	if (!s->c.simulated) {
		snprintf(m.lineage, sizeof(m.lineage), "%s", s->c.lineage);
		snprintf(m.journal, sizeof(m.journal), "%s", journal);
	}
	return write_key(s, &m, e);
}

int state_forget_journal(struct state *s, struct err *e)
{
	struct mark m = {0};

	if (s->c.serial && s->c.folded_id[0]) {
		m.serial = s->c.serial - 1;
		memcpy(m.lineage, s->c.lineage, sizeof(m.lineage));
		memcpy(m.journal, s->c.folded_id, sizeof(m.journal));
	}
	return write_key(s, &m, e);
}

/* An empty state that is removed is no loss. Should this not be written, the mark names what was folded. */
static void forget_empty(struct state *s)
{
	struct mark none = {0};
	struct err e;
	size_t n;

	content_list(&s->c, &n);
	if (s->mark.lineage[0] && !n && !s->c.intents.n)
		(void)write_key(s, &none, &e);
}

/* Left alone: whoever replaced it had a reason. */
static int replaced_snapshot(const struct state *s, struct err *e)
{
	struct file_id now;

	file_id_take(&now, s->p.snapshot);
	err_set(e, ERR_STATE_WRITE, "%s was %s by somebody else while this run had it locked",
	        s->p.snapshot, now.there ? "changed" : "removed");
	err_subject(e, s->p.snapshot);
	if (!now.there)
		return err_hint(
			e,
			"what this run did is in the journal %s; see what removed it, restore the "
			"file as it was, then run again",
			s->p.journal);
	return err_hint(
		e,
		"it is left as it is, and so is the journal %s; see what changed it (a checkout?), "
		"restore the file as it was, then run again",
		s->p.journal);
}

int state_fold(struct state *s, const char *journal, uint64_t seq, struct err *e)
{
	struct content *c = &s->c;
	struct buf b;
	int rc = 0;

	if (!file_id_same(&s->snap_id, s->p.snapshot))
		return replaced_snapshot(s, e);
	if (state_remember(s, journal, e) < 0)
		return -1;
	snprintf(c->folded_id, sizeof(c->folded_id), "%s", journal);
	c->folded_seq = seq;
	c->serial++;
	buf_init(&b, STORE_FILE_MAX);
	snapshot_write(&b, c);
	if (b.over)
		rc = err_set(e, ERR_STATE_WRITE, "%s would be larger than %zu bytes", s->p.snapshot,
		             STORE_FILE_MAX);
	else if (sys_replace_file(s->p.snapshot, 0600, b.p, b.n) < 0)
		rc = state_io_error(e, s->p.snapshot, "write");
	if (!rc) {
		snprintf(s->base, sizeof(s->base), "%08" PRIx32,
		         hash_crc32c(0, b.p, snapshot_covered(b.p, b.n)));
		s->snap_bytes = b.n;
		s->written += b.n;
		s->exists = true;
		s->changed = false;
	}
	/* Also after a failure: if only the sync of the directory failed, the new file stands. */
	file_id_take(&s->snap_id, s->p.snapshot);
	buf_release(&b);
	if (!rc)
		forget_empty(s);
	return rc;
}

/*
 * Large journals are folded while the run goes on. Each fold costs at most what was written to
 * the journal since the last.
 */
static int fold_if_large(struct state *s, struct err *e)
{
	size_t limit = 4 * s->snap_bytes > s->fold_min ? 4 * s->snap_bytes : s->fold_min;
	struct err why;
	bool ours;

	if (s->j.pos <= limit || s->j.pos <= s->fold_after)
		return 0;
	ours = file_id_same(&s->snap_id, s->p.snapshot);
	if (state_fold(s, s->j.id, s->j.seq, &why) < 0) {
		if (!ours) {
			*e = why;
			return -1;
		}
		/* A full disk: the journal is whole and goes on; closing tries again and reports. */
		s->fold_after = 2 * s->j.pos;
		return 0;
	}
	journal_close(&s->j);
	s->journal_used = false;
	return journal_create(&s->j, &s->c, s->base, s->reserve, e);
}

int state_flush(struct state *s, struct err *e)
{
	if (s->failed)
		return fail(s, e);
	if (!s->pend.n)
		return 0;
	if (state_remember(s, s->j.id, e) < 0 || journal_append(&s->j, &s->pend, e) < 0)
		return fail(s, e);
	s->journal_used = true;
	s->pend.n = 0;
	buf_reset(&s->pend.text);
	content_durable(&s->c);
	if (fold_if_large(s, e) < 0)
		return fail(s, e);
	return 0;
}

/* ---- the end ---- */

static void release(struct state *s)
{
	journal_close(&s->j);
	lock_drop(s->lock_fd);
	pending_release(&s->pend);
	content_release(&s->c);
	arena_release(&s->scratch);
	hash_wipe(s->key, sizeof(s->key));
	arena_release(&s->a);
	sys_free(s);
}

/* A journal without records says nothing. Whether the removal reaches the disk does not matter. */
static void drop_journal(struct state *s)
{
	struct file_id id;

	if (s->j.fd < 0)
		return;
	file_id_take(&id, s->p.journal);
	if (id.there && id.dev == s->j.dev && id.ino == s->j.ino)
		(void)sys_unlink(s->p.journal);
}

/* ---- the journal is lost ---- */

/* May the snapshot still be written? Nobody else may have begun to work with it. */
static bool place_is_ours(const struct state *s)
{
	struct file_id jour;

	file_id_take(&jour, s->p.journal);
	return lock_holds(&s->p, s->lock_fd) && !jour.there &&
	       file_id_same(&s->snap_id, s->p.snapshot);
}

static int write_rescue(struct state *s, struct err *e)
{
	struct buf b;
	int rc = 0;

	snprintf(s->c.folded_id, sizeof(s->c.folded_id), "%s", s->j.id);
	s->c.folded_seq = s->j.seq;
	s->c.serial++;
	buf_init(&b, STORE_FILE_MAX);
	snapshot_write(&b, &s->c);
	if (b.over || sys_replace_file(s->p.rescue, 0600, b.p, b.n) < 0)
		rc = state_io_error(e, s->p.rescue, "write");
	buf_release(&b);
	return rc;
}

/* Memory holds all that was done; e becomes the tale of it. */
static int rescue(struct state *s, struct err *e)
{
	bool ours = place_is_ours(s);
	struct err why = {0};

	content_durable(&s->c);
	if ((ours ? state_fold(s, s->j.id, s->j.seq, &why) : write_rescue(s, &why)) < 0) {
		err_set(e, ERR_STATE_WRITE, "%s; nor could it be saved elsewhere: %s", s->why.msg,
		        why.msg);
		err_subject(e, s->p.journal);
		return err_hint(
			e, "what this run made is listed below, and nowhere else: keep that list");
	}
	s->saved = ours;
	err_set(e, ERR_STATE_WRITE,
	        "%s was removed or replaced while this run was writing it: nothing more was sent; all "
	        "that was done is saved in %s (serial %" PRIu64 ")",
	        s->p.journal, ours ? s->p.snapshot : s->p.rescue, s->c.serial);
	err_subject(e, s->p.journal);
	if (ours)
		return err_hint(
			e,
			"something else manages the files of this state (a checkout, a restore, another "
			"program): see which, then run again");
	return err_hint(
		e,
		"somebody else has changed %s meanwhile: see who, make one of both files the state, "
		"take the other away, then run again",
		s->p.snapshot);
}

static int fold_at_end(struct state *s, struct err *e)
{
	int rc = s->changed ? state_fold(s, s->j.id, s->j.seq, e) : 0;

	if (rc < 0 && !e->hint[0]) {
		s->in_journal = true;
		err_hint(e, "everything this run did is kept in %s; make room, then run again",
		         s->p.journal);
	}
	if (!rc && s->last == LAST_ACCEPTED && s->key_on_disk && !s->c.simulated &&
	    strcmp(s->mark.journal, s->c.folded_id) != 0)
		rc = state_forget_journal(s, e);
	return rc;
}

int state_end(struct state *s, struct err *e)
{
	int rc;

	if (s->mode != STATE_WRITE || s->ended)
		return 0;
	s->ended = true;
	rc = state_flush(s, e);
	if (rc < 0 && s->j.lost)
		return rescue(s, e);
	if (!rc)
		rc = fold_at_end(s, e);
	if (!rc)
		drop_journal(s);
	s->saved = !rc;
	return rc;
}

bool state_saved(const struct state *s)
{
	return s->saved;
}

bool state_in_journal(const struct state *s)
{
	return s->in_journal;
}

int state_close(struct state *s, struct err *e)
{
	int rc;

	if (!s)
		return 0;
	rc = state_end(s, e);
	release(s);
	return rc;
}

void state_abandon(struct state *s)
{
	if (!s)
		return;
	if (s->mode == STATE_WRITE && !s->journal_used && !s->failed)
		drop_journal(s);
	release(s);
}

void state_detach(struct state *s)
{
	if (s->j.fd >= 0)
		close(s->j.fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	s->j.fd = s->lock_fd = -1;
}
