/*
 * X.state.journal, the journal: what happened since the snapshot was
 * written. A journal is made whole by temp file and rename, with its header
 * and a tail of NULs that reserves space, and is only ever appended to by
 * the process that made it; the next one folds it into the snapshot and
 * makes a new one. At rest there is none.
 *
 * One record per line:
 *
 *   9ab01c2d 00000017 00000005 0000000412 00000320 {"op":...}\n
 *   CRC      SEQ      GROUP    REST       LEN      JSON
 *
 * CRC   CRC-32C (hex) of the line from SEQ to the end of JSON.
 * SEQ   0 is the header, then 1, 2, 3 ... without a gap.
 * GROUP 0 is the header, then one more with each group commit.
 * REST  bytes from the start of this line to the end of its group, so that
 *       any line that is whole tells how far the group goes.
 * LEN   bytes of JSON, which holds neither LF nor NUL.
 *
 * Header: {"op":"head","format_version":1,"lineage":..,"serial":..,
 *   "base":"<crc of that snapshot>","journal":"<16 hex, random>",
 *   "simulated":..,"key_check":..,"next_intent":..,"size":..}
 * Records: put, del, home, files, orphans, intent, outcome; a group ends with commit.
 * "size" (header, commit) promises that the file is that long and on disk:
 * a shorter one was cut off.
 *
 * A group is written in one go and synced before the next one is begun, so
 * only the last group can be torn. Torn means: some of its 512-byte sectors,
 * or everything from some byte on, still are NUL. That is dropped, since
 * nothing had been sent on the strength of it. Any other damage (a byte that
 * changed, something missing before a later group, a file shorter than
 * promised) is refused: committed records would be lost without a word.
 */
#include "store/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#define SECTOR 512

static const struct field {
	unsigned at, digits;
} seq_field = {9, 8}, group_field = {18, 8}, rest_field = {27, 10}, len_field = {38, 8};

static bool number_at(const char *p, struct field f, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < f.digits; i++) {
		char ch = p[f.at + i];

		if (ch < '0' || ch > '9')
			return false;
		v = v * 10 + (uint64_t)(ch - '0');
	}
	*out = v;
	return p[f.at + f.digits] == ' ';
}

bool journal_line_at(const char *p, size_t n, size_t off, struct journal_line *l)
{
	uint64_t rest, len;
	const char *s = p + off;
	char crc[9];

	if (n - off < JOURNAL_PREFIX || s[8] != ' ' || !number_at(s, seq_field, &l->seq) ||
	    !number_at(s, group_field, &l->group) || !number_at(s, rest_field, &rest) ||
	    !number_at(s, len_field, &len) || len > n - off - JOURNAL_PREFIX)
		return false;
	l->rest = (size_t)rest;
	l->len = (size_t)len;
	l->json = s + JOURNAL_PREFIX;
	snprintf(crc, sizeof(crc), "%08" PRIx32,
	         hash_crc32c(0, s + 9, JOURNAL_PREFIX - 9 + l->len));
	if (memcmp(crc, s, 8) != 0)
		return false;
	l->next = off + JOURNAL_PREFIX + l->len;
	if (l->next == n || p[l->next] == '\0')
		l->end = 0;
	else
		l->end = p[l->next] == '\n' ? '\n' : -1;
	if (l->next < n)
		l->next++;
	return true;
}

static bool is_commit(const struct journal_line *l)
{
	static const char commit[] = "{\"op\":\"commit\"";

	return l->len >= sizeof(commit) && memcmp(l->json, commit, sizeof(commit) - 1) == 0;
}

/* The length of the file that a commit promises, or what was promised before. */
static size_t promised_size(const struct journal_line *l, size_t before)
{
	static const char key[] = ",\"size\":";
	const char *at = memmem(l->json, l->len, key, sizeof(key) - 1);
	size_t v = 0;

	if (!at)
		return before;
	for (at += sizeof(key) - 1;
	     at < l->json + l->len && *at >= '0' && *at <= '9' && v <= STORE_FILE_MAX; at++)
		v = v * 10 + (size_t)(*at - '0');
	return v;
}

/* Bytes up to the last one that is not NUL. */
static size_t used_length(const char *p, size_t n)
{
	static const char zeros[SECTOR];

	while (n >= SECTOR && memcmp(p + n - SECTOR, zeros, SECTOR) == 0)
		n -= SECTOR; /* reserved space may be large */
	while (n && p[n - 1] == '\0')
		n--;
	return n;
}

/* NULs of p[a, b): 0 none, 1 all, 2 a tail, 3 otherwise. */
static int nuls_in(const char *p, size_t a, size_t b)
{
	const char *first = memchr(p + a, '\0', b - a);

	if (!first)
		return 0;
	if (used_length(p + a, b - a) > (size_t)(first - (p + a)))
		return 3;
	return first == p + a ? 1 : 2;
}

/*
 * Could p[from, to) be a group of which only some sectors, or only the beginning, reached the
 * disk?
 */
static bool torn_write(const char *p, size_t from, size_t to)
{
	bool missing = false;

	for (size_t a = from, b; a < to; a = b) {
		b = (a / SECTOR + 1) * SECTOR;
		if (b > to)
			b = to;
		switch (nuls_in(p, a, b)) {
		case 0:
			break;
		case 1:
			missing = true;
			break;
		case 2:
			return nuls_in(p, b, to) == 1 || b == to;
		default:
			return false;
		}
	}
	return missing;
}

#define NOWHERE SIZE_MAX /* the whole file is meant */

static int damaged(struct err *e, const char *name, size_t off, const char *what)
{
	if (off == NOWHERE)
		err_set(e, ERR_STATE_READ, "%s: %s", name, what);
	else
		err_set(e, ERR_STATE_READ, "%s: %s (at byte %zu)", name, what, off + 1);
	err_subject(e, name);
	return err_hint(
		e,
		"the file is left as it is, since records in it may be the only trace of what "
		"exists; "
		"`dtsbatch state verify` says what can be recovered; with both files moved away, `dtsbatch state "
		"rebuild` makes the state again from manifest and account");
}

/* What follows the last committed group: nothing, a torn group, or damage. */
static int scan_tail(const char *p, size_t n, const char *name, struct journal_info *ji,
                     struct err *e)
{
	size_t used = used_length(p, n), group_end = 0;

	if (used <= ji->end)
		return 0;
	for (size_t off = ji->end; off < used;) {
		struct journal_line l;

		if (!journal_line_at(p, n, off, &l)) {
			off++;
			continue;
		}
		if (l.group != ji->group + 1)
			return damaged(e, name, ji->end,
			               "damage before records that were written later");
		if (group_end && group_end != off + l.rest)
			return damaged(e, name, off, "records stand where they were not written");
		group_end = off + l.rest;
		off = l.end == -1 ? l.next - 1 : l.next;
	}
	if (group_end > n)
		return damaged(e, name, n, "the end of the journal is missing");
	if (group_end && !torn_write(p, ji->end, group_end))
		return damaged(e, name, ji->end, "a record has changed since it was written");
	ji->torn = used - ji->end;
	return 0;
}

static int scan_groups(const char *p, size_t n, const char *name, struct journal_info *ji,
                       struct err *e)
{
	uint64_t seq = 0;
	size_t off = ji->first, records = 0;
	struct journal_line l;

	ji->end = ji->first;
	while (off < n && journal_line_at(p, n, off, &l)) {
		if (l.seq != seq + 1 || l.group != ji->group + 1)
			return damaged(e, name, off,
			               "records are missing or stand in the wrong order");
		if (l.end == -1 || (!l.end && !is_commit(&l)))
			break;
		seq = l.seq;
		off = l.next;
		records += !is_commit(&l);
		if (is_commit(&l)) {
			ji->size = promised_size(&l, ji->size);
			ji->seq = seq;
			ji->records = records;
			ji->group = l.group;
			ji->end = off;
		}
	}
	if (n < ji->size)
		return damaged(e, name, n, "the end of the journal is missing");
	return scan_tail(p, n, name, ji, e);
}

static int read_header(const struct json *h, const char *name, struct journal_info *ji,
                       struct err *e)
{
	uint64_t version = 0, size;
	const struct json *sim = json_get(h, "simulated");

	if (!text_eq(json_str(h, "op"), "head") || !decode_u64(h, "format_version", &version) ||
	    !version)
		return damaged(e, name, 0, "the header of the journal is not one");
	if (version > STORE_FORMAT) {
		err_set(e, ERR_STATE_READ,
		        "%s: format_version %" PRIu64
		        " is newer than this dtsbatch understands (%d)",
		        name, version, STORE_FORMAT);
		err_subject(e, name);
		return err_hint(e, "use that version of dtsbatch, or a newer one");
	}
	if (!decode_hex(h, "lineage", 32, ji->lineage) || !decode_hex(h, "journal", 16, ji->id) ||
	    !decode_u64(h, "serial", &ji->serial) ||
	    !decode_u64(h, "next_intent", &ji->next_intent) || !decode_u64(h, "size", &size) ||
	    !sim || sim->type != JSON_BOOL ||
	    (json_get(h, "base") && !decode_hex(h, "base", 8, ji->base)) ||
	    (json_get(h, "key_check") && !decode_hex(h, "key_check", 16, ji->key_check)))
		return damaged(e, name, 0, "the header of the journal lacks something");
	ji->simulated = sim->b;
	ji->size = (size_t)size;
	return 0;
}

int journal_scan(const char *p, size_t n, const char *name, struct journal_info *ji, struct err *e)
{
	struct arena a;
	struct journal_line l;
	struct json *h;
	int rc;

	*ji = (struct journal_info){0};
	if (!used_length(p, n))
		return damaged(e, name, NOWHERE,
		               n ? "the journal holds nothing but NUL bytes"
		                 : "the journal is empty");
	if (!journal_line_at(p, n, 0, &l) || l.end != '\n' || l.seq || l.group)
		return damaged(e, name, 0, "the header of the journal is damaged");
	arena_init(&a);
	h = json_parse(&a, l.json, l.len, NULL);
	rc = h ? read_header(h, name, ji, e)
	       : damaged(e, name, 0, "the header of the journal is damaged");
	arena_release(&a);
	if (rc < 0)
		return rc;
	ji->first = l.next;
	return scan_groups(p, n, name, ji, e);
}

int journal_replay(struct content *c, const char *p, const struct journal_info *ji,
                   const char *name, struct err *e)
{
	struct arena a;
	struct journal_line l;
	int rc = 0;

	arena_init(&a);
	c->loading = true;
	for (size_t off = ji->first; off < ji->end && !rc; off = l.next) {
		struct json_err je;
		struct json *op;

		if (!journal_line_at(p, ji->end, off, &l))
			BUG("a scanned journal line is gone");
		op = json_parse(&a, l.json, l.len, &je);
		if (!op)
			err_set(e, ERR_STATE_READ, "%s", je.msg);
		if (!op || content_apply(c, &a, op, e) < 0) {
			err_ctx(e, "%s: record %" PRIu64, name, l.seq);
			err_subject(e, name);
			rc = err_hint(
				e, "the file is left as it is; `dtsbatch state verify` says what "
				   "can be recovered");
		}
		arena_reset(&a);
	}
	c->loading = false;
	arena_release(&a);
	return rc;
}
