/*
 * Is this the state that this host wrote last?
 *
 * A snapshot that was put back (a checkout, a backup), or one that is gone
 * with its journal, is sound in itself; what the last run bought since would
 * be bought again. So the first commit of each journal is preceded by a line
 * in the key file: lineage, serial, and id of that journal. What is read
 * afterwards is as new as that if
 *   - the journal is still there (load.c has put it together with what it
 *     extends), or
 *   - the snapshot has swallowed it, or
 *   - the snapshot is further on: another host has gone on from there.
 * Without a key file nothing is remembered, and nothing is refused.
 */
#include "store/internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"

static bool is_newest(const struct mark *m, const struct content *c, const struct load *ld)
{
	if (strcmp(ld->ji.id, m->journal) == 0 || strcmp(c->folded_id, m->journal) == 0)
		return true;
	return c->serial > m->serial + 1;
}

static int gone(const struct mark *m, const struct paths *p, struct err *e)
{
	if (!m->serial)
		return err_set(
			e, ERR_STATE_READ,
			"%s does not exist, and neither does %s, which a first run on this host "
			"had begun: what that run made is not known any more",
			p->snapshot, p->journal);
	return err_set(e, ERR_STATE_READ,
	               "%s does not exist, but this host wrote it before (serial %" PRIu64
	               " or later): what it held is not known any more",
	               p->snapshot, m->serial);
}

static int older(const struct mark *m, const struct content *c, const struct paths *p,
                 struct err *e)
{
	if (c->serial < m->serial)
		return err_set(e, ERR_STATE_READ,
		               "%s is older than the one this host wrote last: serial %" PRIu64
		               ", was %" PRIu64 " or later",
		               p->snapshot, c->serial, m->serial);
	return err_set(
		e, ERR_STATE_READ,
		"%s (serial %" PRIu64 ") lacks what the last run on this host did, which began "
		"with serial %" PRIu64 ": it was replaced by an older one since, or %s was removed",
		p->snapshot, c->serial, m->serial, p->journal);
}

int mark_check(const struct mark *m, const struct content *c, const struct load *ld,
               const struct paths *p, struct err *e)
{
	if (!m->lineage[0])
		return 0;
	if (!c->lineage[0]) {
		gone(m, p, e);
	} else if (strcmp(c->lineage, m->lineage) != 0) {
		err_set(e, ERR_STATE_READ,
		        "%s (lineage %s) is not the state that this host wrote last (lineage %s)",
		        p->snapshot, c->lineage, m->lineage);
	} else if (is_newest(m, c, ld)) {
		return 0;
	} else {
		older(m, c, p, e);
	}
	err_subject(e, p->snapshot);
	return err_hint(
		e,
		"what is lacking would be bought again. Restore the newest one, or let `dtsbatch "
		"state rebuild` find the jobs in the account; --accept-state goes on with what is "
		"there");
}
