/*
 * `state verify`: says what is wrong with the files of a state and what can
 * be recovered from them. Changes nothing and takes no lock.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "store/state_internal.h"

struct verify {
	struct diag *d;
	struct paths p;
	struct buf snap, jour;
	struct image snap_img, jour_img;
};

static void say(struct diag *d, const char *file, const struct err *e)
{
	struct pos p = {.file = file};

	diag_error(d, p, e->hint[0] ? arena_strdup(d->a, e->hint) : NULL, "%s", e->msg);
}

/* One thing on the service under two addresses: deleting one takes the other away. */
static void same_id_twice(struct verify *v, struct content *c)
{
	struct pos p = {.file = v->p.snapshot};
	struct map ids;
	size_t n;
	const struct record *const *r = content_list(c, &n);

	map_init(&ids, v->d->a);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = *r[i]->id ? map_put(&ids, r[i]->id, i) : MAP_NONE;

		if (k != MAP_NONE)
			diag_error(v->d, p,
			           "keep one: `dtsbatch state rm ADDRESS` forgets the other",
			           "%s and %s are both %s", r[k]->address, r[i]->address, r[i]->id);
	}
}

static void verify_snapshot(struct verify *v)
{
	struct content c;
	struct pos p = {.file = v->p.snapshot};
	struct err e;
	size_t n, open, before = v->d->n;
	char crc[9];

	if (!v->snap_img.present) {
		diag_warn(v->d, p,
		          v->jour_img.present
		                  ? NULL
		                  : "name it with --state FILE, or by the manifest: -f MANIFEST",
		          "there is no state file%s",
		          v->jour_img.present ? ", only a journal" : "");
		return;
	}
	content_init(&c);
	if (snapshot_parse(&c, v->snap_img.p, v->snap_img.n, v->p.snapshot, crc, &e) < 0) {
		snapshot_diagnose(v->d, v->snap_img.p, v->snap_img.n, v->p.snapshot);
		if (v->d->n == before)
			say(v->d, v->p.snapshot, &e);
	} else {
		content_list(&c, &n);
		content_open_intents(&c, &open);
		diag_note(v->d, p, NULL,
		          "sound: serial %" PRIu64 ", lineage %s, %zu resources, %zu open calls",
		          c.serial, c.lineage, n, open);
		same_id_twice(v, &c);
	}
	content_release(&c);
}

/* Whole records of a journal, whatever is around them: each may name a resource that exists. */
static void list_records(struct verify *v)
{
	struct arena a;
	struct pos p = {.file = v->p.journal};
	size_t whole = 0;

	arena_init(&a);
	for (size_t off = 0; off < v->jour_img.n;) {
		struct journal_line l;
		const struct json *op, *r;

		if (!journal_line_at(v->jour_img.p, v->jour_img.n, off, &l)) {
			off++;
			continue;
		}
		whole++;
		op = json_parse(&a, l.json, l.len, NULL);
		r = json_get(op, "record");
		if (r && json_str(r, "address") && json_str(r, "id"))
			diag_note(v->d, p, NULL, "record %" PRIu64 " is whole: %s has the id %s",
			          l.seq, json_str(r, "address"), json_str(r, "id"));
		arena_reset(&a);
		off = l.next;
	}
	diag_note(v->d, p, NULL, "%zu whole records in %zu bytes", whole, v->jour_img.n);
	arena_release(&a);
}

static void verify_journal(struct verify *v)
{
	struct journal_info ji;
	struct pos p = {.file = v->p.journal};
	struct content c;
	struct load ld;
	struct err e;

	if (!v->jour_img.present) {
		if (v->snap_img.present)
			diag_note(v->d, p, NULL,
			          "there is no journal: the last run ended in order");
		return;
	}
	if (journal_scan(v->jour_img.p, v->jour_img.n, v->p.journal, &ji, &e) < 0) {
		say(v->d, v->p.journal, &e);
		list_records(v);
		return;
	}
	diag_note(v->d, p, NULL,
	          "a run is under way or has died: %zu records in %" PRIu64
	          " groups, extending serial %" PRIu64 ", %zu bytes of an unfinished group",
	          ji.records, ji.group, ji.serial, ji.torn);
	content_init(&c);
	if (v->d->errors) {
		list_records(v);
	} else if (load_images(&c, &v->snap_img, &v->jour_img, v->p.snapshot, v->p.journal, &ld,
	                       &e) < 0) {
		say(v->d, v->p.journal, &e);
		list_records(v);
	}
	content_release(&c);
}

/* What no single file tells: the newest state is there, and nothing is left to be answered. */
static void verify_whole(struct verify *v)
{
	struct pos p = {.file = v->p.snapshot};
	struct content c;
	struct load ld;
	struct err e = {0};
	uint8_t key[32];
	enum key_state st;
	struct mark m;
	struct file_id id;
	const struct intent *open;
	size_t n;

	content_init(&c);
	if (load_images(&c, &v->snap_img, &v->jour_img, v->p.snapshot, v->p.journal, &ld, &e) ==
	    0) {
		if (key_read(v->p.key, key, &m, &st, &e) == 0 && !c.simulated &&
		    mark_check(&m, &c, &ld, &v->p, &e) < 0)
			say(v->d, v->p.snapshot, &e);
		hash_wipe(key, sizeof(key));
		open = content_open_intents(&c, &n);
		for (size_t i = 0; i < n; i++)
			diag_warn(v->d, p, NULL,
			          "no answer yet to %s for %s: the next run settles it or asks",
			          open[i].action, open[i].address);
	}
	content_release(&c);
	file_id_take(&id, v->p.rescue);
	if (id.there)
		diag_error(
			v->d, (struct pos){.file = v->p.rescue},
			"look at both with `dtsbatch state list --state FILE`, keep the complete one",
			"holds what an earlier run could not save in %s", v->p.snapshot);
}

int state_verify(const char *path, struct diag *d, struct err *e)
{
	struct verify v = {.d = d};
	int rc;

	buf_init(&v.snap, STORE_FILE_MAX);
	buf_init(&v.jour, STORE_FILE_MAX);
	rc = paths_resolve(d->a, path, &v.p, e);
	if (!rc)
		rc = file_read(v.p.snapshot, &v.snap, &v.snap_img, e);
	if (!rc)
		rc = file_read(v.p.journal, &v.jour, &v.jour_img, e);
	if (!rc) {
		verify_snapshot(&v);
		verify_journal(&v);
		if (!d->errors)
			verify_whole(&v);
	}
	buf_release(&v.snap);
	buf_release(&v.jour);
	return rc;
}
