/*
 * X.state.json, the snapshot. JSON with a fixed layout, so that it diffs and
 * merges by line:
 *
 *   {
 *   "format_version":1,
 *   "lineage":"<32 hex>",            random, at creation
 *   "serial":7,                      one more with each snapshot
 *   "dtsbatch_version":"...",
 *   "simulated":false,
 *   "account":..., "region":..., "endpoint":...,   a line each, if known
 *   "key_check":"<16 hex>",          tells whether X.state.key is the one
 *   "folded":{"journal":"<16 hex>","seq":12},      the journal in here
 *   "next_intent":3,
 *   "orphans_told":"<hex>",          if any: state_orphans()
 *   "files":[...],
 *   "intents":[
 *   {...},                           open ones, one per line
 *   ],
 *   "resources":[
 *   {...}                            one per line, sorted by address
 *   ],
 *   "crc32c":"<8 hex>"
 *   }
 *
 * The check sum covers every byte before its own line. The first two lines
 * and the last two stay what they are in every later format, so that "newer"
 * and "damaged" can be told apart.
 */
#include "store/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#define HEAD_1 "{\n\"format_version\":"
#define TRAILER_1 "\"crc32c\":\""
#define TRAILER_2 "\"\n}\n"
#define TRAILER_LEN (sizeof(TRAILER_1) - 1 + 8 + sizeof(TRAILER_2) - 1)

static void line_member(struct buf *out, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(out, "\"%s\":", key);
	json_write_str(out, value);
	buf_puts(out, ",\n");
}

static void write_head(struct buf *out, const struct content *c)
{
	buf_printf(out, HEAD_1 "%d,\n", STORE_FORMAT);
	line_member(out, "lineage", c->lineage);
	buf_printf(out, "\"serial\":%" PRIu64 ",\n", c->serial);
	line_member(out, "dtsbatch_version", DTSBATCH_VERSION);
	buf_printf(out, "\"simulated\":%s,\n", c->simulated ? "true" : "false");
	line_member(out, "account", c->home.account);
	line_member(out, "region", c->home.region);
	line_member(out, "endpoint", c->home.endpoint);
	line_member(out, "key_check", c->key_check[0] ? c->key_check : NULL);
	if (c->folded_id[0])
		buf_printf(out, "\"folded\":{\"journal\":\"%s\",\"seq\":%" PRIu64 "},\n",
		           c->folded_id, c->folded_seq);
	buf_printf(out, "\"next_intent\":%" PRIu64 ",\n", c->next_intent);
	line_member(out, "orphans_told", c->orphans);
	buf_puts(out, "\"files\":[");
	for (size_t i = 0; i < c->nfiles; i++) {
		if (i)
			buf_putc(out, ',');
		json_write_str(out, c->files[i]);
	}
	buf_puts(out, "],\n");
}

void snapshot_write(struct buf *out, struct content *c)
{
	struct arena scratch;
	size_t n;
	const struct record *const *list = content_list(c, &n);

	arena_init(&scratch);
	write_head(out, c);
	buf_puts(out, "\"intents\":[\n");
	for (size_t i = 0; i < c->intents.n; i++) {
		buf_puts(out, i ? ",\n{" : "{");
		encode_intent_members(out, &c->intents.v[i].i);
		buf_putc(out, '}');
	}
	buf_puts(out, c->intents.n ? "\n],\n\"resources\":[\n" : "],\n\"resources\":[\n");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_puts(out, ",\n");
		encode_record(out, &scratch, list[i]);
		arena_reset(&scratch);
	}
	buf_puts(out, n ? "\n],\n" : "],\n");
	buf_printf(out, TRAILER_1 "%08x" TRAILER_2, hash_crc32c(0, out->p, out->n));
	arena_release(&scratch);
}

size_t snapshot_covered(const char *p, size_t n)
{
	const char *t = p + n - TRAILER_LEN;

	if (n < TRAILER_LEN || memcmp(t, TRAILER_1, sizeof(TRAILER_1) - 1) != 0 ||
	    memcmp(p + n - (sizeof(TRAILER_2) - 1), TRAILER_2, sizeof(TRAILER_2) - 1) != 0)
		return 0;
	return n - TRAILER_LEN;
}

static bool sum_matches(const char *p, size_t n, char crc[9])
{
	size_t covered = snapshot_covered(p, n);

	if (!covered)
		return false;
	snprintf(crc, 9, "%08x", hash_crc32c(0, p, covered));
	return memcmp(crc, p + covered + sizeof(TRAILER_1) - 1, 8) == 0;
}

/* The number in the second line, or -1 when the text does not begin like a snapshot. */
static long format_of(const char *p, size_t n)
{
	size_t at = sizeof(HEAD_1) - 1;
	long v = 0;

	if (n <= at || memcmp(p, HEAD_1, at) != 0 || p[at] < '0' || p[at] > '9')
		return -1;
	for (; at < n && p[at] >= '0' && p[at] <= '9' && v < 100000000; at++)
		v = v * 10 + (p[at] - '0');
	return v;
}

/* ---- reading ---- */

struct lines {
	const char *p;
	size_t n, at, line; /* line: number of the last one given out */
};

/* The next line without its LF; false at the end. */
static bool next_line(struct lines *l, const char **s, size_t *n)
{
	const char *lf;

	if (l->at >= l->n)
		return false;
	*s = l->p + l->at;
	lf = memchr(*s, '\n', l->n - l->at);
	*n = lf ? (size_t)(lf - *s) : l->n - l->at;
	l->at += *n + 1;
	l->line++;
	return true;
}

static bool line_is(const char *s, size_t n, const char *want)
{
	return n == strlen(want) && memcmp(s, want, n) == 0;
}

static int wrong_layout(struct err *e, const struct lines *l)
{
	return err_set(e, ERR_STATE_READ, "line %zu: not the layout of a state file", l->line);
}

static int read_head_object(struct content *c, struct arena *a, const struct json *h, struct err *e)
{
	const struct json *files = json_get(h, "files"), *sim = json_get(h, "simulated");
	const struct json *folded = json_get(h, "folded");
	struct state_home home = {json_str(h, "account"), json_str(h, "region"),
	                          json_str(h, "endpoint")};

	if (!decode_hex(h, "lineage", 32, c->lineage) || !decode_u64(h, "serial", &c->serial) ||
	    !c->serial)
		return err_set(e, ERR_STATE_READ, "the head has no valid lineage or serial");
	if (!sim || sim->type != JSON_BOOL || !decode_u64(h, "next_intent", &c->next_intent) ||
	    !files)
		return err_set(e, ERR_STATE_READ,
		               "the head lacks \"simulated\", \"next_intent\" or \"files\"");
	if (json_get(h, "key_check") && !decode_hex(h, "key_check", 16, c->key_check))
		return err_set(e, ERR_STATE_READ, "the head has no valid \"key_check\"");
	if (folded && (!decode_hex(folded, "journal", 16, c->folded_id) ||
	               !decode_u64(folded, "seq", &c->folded_seq)))
		return err_set(e, ERR_STATE_READ, "the head has no valid \"folded\"");
	c->simulated = sim->b;
	content_set_home(c, &home);
	content_set_orphans(c, json_str(h, "orphans_told"));
	{
		struct json op = {.type = JSON_OBJECT},
			    what = {.type = JSON_STRING, .s = "files", .key = "op"};
		struct json list = *files;

		list.key = "files";
		list.next = NULL;
		what.next = &list;
		op.child = &what;
		op.n = 2;
		return content_apply(c, a, &op, e);
	}
}

/* Lines up to "intents":[ are one object without its end. */
static int read_head(struct content *c, struct arena *a, struct lines *l, struct err *e)
{
	const char *s;
	size_t n;
	char *text;
	struct json *h;
	struct json_err je;

	while (next_line(l, &s, &n)) {
		if (line_is(s, n, "\"intents\":[") || line_is(s, n, "\"intents\":[],"))
			break;
		if (l->line > 1 && (n < 2 || s[n - 1] != ','))
			return wrong_layout(e, l);
	}
	if (l->at >= l->n || l->line < 3)
		return wrong_layout(e, l);
	n = (size_t)(s - l->p);
	text = arena_strndup(a, l->p, n);
	text[n - 2] = '}'; /* the comma */
	h = json_parse(a, text, n, &je);
	if (!h)
		return err_set(e, ERR_STATE_READ, "the head: %s", je.msg);
	return read_head_object(c, a, h, e);
}

static int read_intent(struct content *c, struct arena *a, const struct json *v, struct err *e)
{
	struct intent i;

	if (decode_intent(a, v, &i, e) < 0)
		return -1;
	content_add_intent(c, &i);
	return 0;
}

static int read_resource(struct content *c, struct arena *a, const struct json *v, struct err *e)
{
	const struct record *r = decode_record(a, v, e);

	if (!r)
		return -1;
	if (content_get(c, r->address))
		return err_set(e, ERR_STATE_READ, "%.200s stands in the file twice", r->address);
	content_put(c, r);
	return 0;
}

/* The elements of a list, one per line, up to and with the line "],". */
static int read_list(struct content *c, struct arena *a, struct lines *l,
                     int (*element)(struct content *, struct arena *, const struct json *,
                                    struct err *),
                     struct err *e)
{
	const char *s;
	size_t n;
	bool more = true;

	while (next_line(l, &s, &n)) {
		struct json_err je;
		struct json *v;

		if (line_is(s, n, "],"))
			return 0;
		if (!more || n < 2)
			return wrong_layout(e, l);
		more = s[n - 1] == ',';
		v = json_parse(a, s, more ? n - 1 : n, &je);
		if (!v)
			return err_set(e, ERR_STATE_READ, "line %zu: %s", l->line, je.msg);
		if (element(c, a, v, e) < 0)
			return err_ctx(e, "line %zu", l->line);
		arena_reset(a);
	}
	return wrong_layout(e, l);
}

static int read_text(struct content *c, const char *p, size_t n, struct arena *a, struct err *e)
{
	struct lines l = {.p = p, .n = n};
	const char *s;
	size_t len;

	if (read_head(c, a, &l, e) < 0)
		return -1;
	arena_reset(a);
	if (read_list(c, a, &l, read_intent, e) < 0)
		return -1;
	if (!next_line(&l, &s, &len) || !line_is(s, len, "\"resources\":["))
		return wrong_layout(e, &l);
	if (read_list(c, a, &l, read_resource, e) < 0)
		return -1;
	return l.at == n ? 0 : wrong_layout(e, &l);
}

static int refuse(struct err *e, const char *p, size_t n, const char *name)
{
	struct arena a;
	struct diag d;

	arena_init(&a);
	diag_init(&d, &a);
	snapshot_diagnose(&d, p, n, name);
	if (!d.n) {
		err_set(e, ERR_STATE_READ, "%s: damaged", name);
	} else if (d.v[0].pos.line) {
		err_set(e, ERR_STATE_READ, "%s: line %u: %s", name, d.v[0].pos.line, d.v[0].msg);
	} else {
		err_set(e, ERR_STATE_READ, "%s: %s", name, d.v[0].msg);
	}
	err_subject(e, name);
	if (d.n && d.v[0].hint)
		err_hint(e, "%s", d.v[0].hint);
	arena_release(&a);
	return -1;
}

int snapshot_parse(struct content *c, const char *p, size_t n, const char *name, char *crc,
                   struct err *e)
{
	struct arena a;
	int rc;

	if (!sum_matches(p, n, crc) || format_of(p, n) != STORE_FORMAT)
		return refuse(e, p, n, name);
	arena_init(&a);
	c->loading = true;
	rc = read_text(c, p, snapshot_covered(p, n), &a, e);
	c->loading = false;
	arena_release(&a);
	if (rc < 0) {
		err_ctx(e, "%s", name);
		err_subject(e, name);
		err_hint(e,
		         "the file is left as it is; `dtsbatch state verify` says what is wrong");
	}
	return rc;
}
