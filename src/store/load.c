/*
 * Putting snapshot and journal together. No file is touched here, so that
 * fuzzing and the proofs can run over bytes.
 *
 * The snapshot is the base, and the journal counts on top of it if
 *   - it extends this very snapshot (serial and check sum), or
 *   - it is the one the snapshot has swallowed: a run died between writing
 *     the snapshot and removing the journal. Records after the point up to
 *     which it was swallowed count; the others are in the snapshot.
 * A journal alone, extending serial 0, is a state, too: the first run died.
 * Any other journal may be ignored only if everything in it stands in the
 * snapshot anyway.
 */
#include "store/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

struct names {
	const char *snap, *jour;
};

static int refuse(struct err *e, const struct names *nm)
{
	err_subject(e, nm->jour);
	return err_hint(
		e,
		"restore the %s that belongs to the journal (or remove the journal, if what its "
		"run did shall be "
		"forgotten); `dtsbatch state verify` shows what is in it",
		nm->snap);
}

/* A journal that does not extend this snapshot: is everything in it there all the same? */
static int must_be_contained(struct content *c, const struct image *snap, const struct image *jour,
                             const struct names *nm, const struct load *ld, struct err *e)
{
	struct content both;
	char crc[9];
	bool same;
	int rc;

	if (ld->ji.serial > c->serial) {
		err_set(e, ERR_STATE_READ,
		        "%s has serial %" PRIu64 ", but its journal extends serial %" PRIu64
		        ": the state file was replaced by an older one",
		        nm->snap, c->serial, ld->ji.serial);
		return refuse(e, nm);
	}
	if (!ld->ji.records)
		return 0;
	content_init(&both);
	rc = snapshot_parse(&both, snap->p, snap->n, nm->snap, crc, e);
	if (!rc)
		rc = journal_replay(&both, jour->p, &ld->ji, nm->jour, e);
	same = !rc && content_equal(c, &both);
	content_release(&both);
	if (rc < 0 || same)
		return rc;
	err_set(e, ERR_STATE_READ,
	        "%s holds records of a run that died, and %s (serial %" PRIu64
	        ") is not the state file that this run had (serial %" PRIu64
	        "): it was replaced since",
	        nm->jour, nm->snap, c->serial, ld->ji.serial);
	return refuse(e, nm);
}

static int journal_alone(struct content *c, const struct names *nm, const struct load *ld,
                         struct err *e)
{
	if (ld->ji.serial) {
		err_set(e, ERR_STATE_READ,
		        "%s does not exist, but its journal does and extends serial %" PRIu64
		        ": the state file was removed",
		        nm->snap, ld->ji.serial);
		return refuse(e, nm);
	}
	memcpy(c->lineage, ld->ji.lineage, sizeof(c->lineage));
	memcpy(c->key_check, ld->ji.key_check, sizeof(c->key_check));
	c->simulated = ld->ji.simulated;
	return 0;
}

static bool extends(const struct content *c, const struct load *ld)
{
	if (strcmp(c->folded_id, ld->ji.id) == 0)
		return true;
	return c->serial == ld->ji.serial && strcmp(ld->base, ld->ji.base) == 0;
}

int load_images(struct content *c, const struct image *snap, const struct image *jour,
                const char *snap_name, const char *jour_name, struct load *out, struct err *e)
{
	struct names nm = {snap_name, jour_name};
	struct load ld = {0};

	if (snap->present && snapshot_parse(c, snap->p, snap->n, snap_name, ld.base, e) < 0)
		return -1;
	if (!jour->present) {
		ld.exists = snap->present;
		*out = ld;
		return 0;
	}
	if (journal_scan(jour->p, jour->n, jour_name, &ld.ji, e) < 0)
		return -1;
	ld.torn = ld.ji.torn;
	if (!snap->present) {
		if (journal_alone(c, &nm, &ld, e) < 0)
			return -1;
	} else if (strcmp(c->lineage, ld.ji.lineage) != 0 || c->simulated != ld.ji.simulated) {
		err_set(e, ERR_STATE_READ,
		        "%s belongs to another state (lineage %s) than %s (lineage %s)", jour_name,
		        ld.ji.lineage, snap_name, c->lineage);
		return refuse(e, &nm);
	} else if (!extends(c, &ld)) {
		*out = ld;
		out->exists = true;
		return must_be_contained(c, snap, jour, &nm, &ld, e);
	}
	if (strcmp(c->folded_id, ld.ji.id) == 0 && ld.ji.seq <= c->folded_seq) {
		ld.exists = true;
		*out = ld;
		return 0;
	}
	if (ld.ji.records && ld.ji.key_check[0] && strcmp(c->key_check, ld.ji.key_check) != 0) {
		/*
		 * That run began with a new key; what the snapshot holds was made with the old
		 * one.
		 */
		ld.stripped = content_drop_fingerprints(c) > 0;
		memcpy(c->key_check, ld.ji.key_check, sizeof(c->key_check));
	}
	if (journal_replay(c, jour->p, &ld.ji, jour_name, e) < 0)
		return -1;
	if (c->next_intent < ld.ji.next_intent)
		c->next_intent = ld.ji.next_intent;
	ld.exists = snap->present || ld.ji.records;
	ld.replayed = ld.ji.records > 0;
	*out = ld;
	return 0;
}
