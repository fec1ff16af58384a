/*
 * Snapshot and journal as untrusted bytes. The first byte chooses: raw (check sums as they come,
 * so mostly the refusals run) or sealed (check sums and line prefixes are put right first, so
 * the bytes reach what lies behind them). A line "%%" parts snapshot and journal; without it
 * there is no journal. What loads is walked, written and must load again as the same.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void seal_snapshot(struct buf *out, const char *p, size_t n)
{
	size_t covered = snapshot_covered(p, n);

	buf_add(out, p, covered ? covered : n);
	buf_printf(out, "\"crc32c\":\"%08" PRIx32 "\"\n}\n", hash_crc32c(0, out->p, out->n));
}

/* Each line is the JSON of a record; "{}" alone ends a group. */
static void seal_journal(struct buf *out, const char *p, size_t n)
{
	const char *end = p + n;
	uint64_t seq = 0, group = 0;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p), at = out->n;
		const char *text = p;
		char crc[9];

		if (len == 2 && memcmp(p, "{}", 2) == 0) {
			text = "{\"op\":\"commit\"}";
			len = strlen(text);
		}
		buf_printf(out, "00000000 %08" PRIu64 " %08" PRIu64 " %010zu %08zu ", seq, group,
		           len + JOURNAL_PREFIX + 1, len);
		buf_add(out, text, len);
		snprintf(crc, sizeof(crc), "%08" PRIx32,
		         hash_crc32c(0, out->p + at + 9, out->n - at - 9));
		memcpy(out->p + at, crc, 8);
		buf_putc(out, '\n');
		group += !seq || text != p;
		seq++;
		p = lf ? lf + 1 : end;
	}
}

static void walk(struct content *c)
{
	struct buf text;
	struct content again;
	struct err e;
	char crc[9];
	size_t n;
	const struct record *const *list = content_list(c, &n);

	for (size_t i = 0; i < n; i++) {
		if (content_get(c, list[i]->address) != list[i])
			abort();
		if (i && strcmp(list[i - 1]->address, list[i]->address) >= 0)
			abort();
	}
	if (!c->serial)
		c->serial = 1; /* a journal alone becomes a snapshot when it is folded */
	buf_init(&text, STORE_FILE_MAX);
	snapshot_write(&text, c);
	content_init(&again);
	if (snapshot_parse(&again, text.p, text.n, "again", crc, &e) < 0 ||
	    !content_equal(c, &again)) {
		fprintf(stderr, "%s\n%s\n", e.msg, text.p);
		abort();
	}
	content_drop_fingerprints(&again);
	content_release(&again);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data, *cut;
	struct image snap = {0}, jour = {0};
	struct buf a, b;
	struct content c;
	struct load ld;
	struct err e;
	bool sealed;

	if (!n)
		return 0;
	sealed = *p++ == 's';
	n--;
	cut = n >= 4 ? memmem(p, n, "\n%%\n", 4) : NULL;
	snap = (struct image){p, cut ? (size_t)(cut + 1 - p) : n, true};
	if (cut)
		jour = (struct image){cut + 4, n - (size_t)(cut + 4 - p), true};
	if (snap.n <= 1)
		snap.present = false;
	buf_init(&a, STORE_FILE_MAX);
	buf_init(&b, STORE_FILE_MAX);
	if (sealed) {
		seal_snapshot(&a, snap.p, snap.n);
		snap.p = buf_str(&a);
		snap.n = a.n;
		seal_journal(&b, jour.p ? jour.p : "", jour.n);
		jour.p = buf_str(&b);
		jour.n = b.n;
	}
	content_init(&c);
	if (load_images(&c, &snap, &jour, "x.state.json", "x.state.journal", &ld, &e) == 0) {
		if (ld.exists)
			walk(&c);
	} else {
		struct arena ar;
		struct diag d;

		if (e.code != ERR_STATE_READ || !e.msg[0])
			abort();
		arena_init(&ar);
		diag_init(&d, &ar);
		snapshot_diagnose(&d, snap.p, snap.n, "x.state.json");
		arena_release(&ar);
	}
	content_release(&c);
	buf_release(&a);
	buf_release(&b);
	return 0;
}
