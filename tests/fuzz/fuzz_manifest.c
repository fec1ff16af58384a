/*
 * Manifest text with the real types: read, bind, and touch every byte of the
 * result. Bytes behind a form feed are the file that `@path` and ${file:}
 * give, and the first byte picks the options. Every message must have a
 * position within the text, and every dependency must point somewhere.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/batch.h"
#include "model/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct extra {
	const char *text;
	size_t n;
};

static volatile size_t sink;

static void check(int ok)
{
	if (!ok)
		abort();
}

static void touch(const char *s)
{
	if (s)
		sink += strlen(s);
}

static const char *env(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == 'X' ? NULL : name[0] == 'Y' ? "" : "a\"\\b";
}

static int read_file(void *ctx, const char *file, const char *path, bool cred, struct buf *out,
                     struct err *e)
{
	const struct extra *x = ctx;

	touch(file);
	if (!x->text || cred)
		return err_set(e, ERR_MANIFEST, "%.100s: no such file", path);
	buf_add(out, x->text, x->n);
	return 0;
}

static const char *lookup(void *ctx, uint32_t res, enum computed what)
{
	const struct batch *b = ctx;

	check(res < b->n && what <= COMP_STATUS);
	return res % 3 ? "dts\"1" : NULL;
}

static void walk_blocks(const struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++) {
		touch(m->v[i].header);
		for (size_t k = 0; k < m->v[i].n; k++) {
			const struct raw_key *key = &m->v[i].keys[k];
			size_t step = key->n / 64 + 1;

			check(strlen(key->text) == key->n &&
			      text_utf8_bad(key->text, key->n) == key->n);
			check(strlen(key->name) > 0 && strlen(key->name) <= MANIFEST_NAME_MAX &&
			      key->nspans > 0);
			for (size_t off = 0; off <= key->n; off += step) {
				struct pos p = raw_pos(key, off);
				check(p.line > 0 && p.col > 0);
			}
		}
	}
}

static void walk_value(const struct batch *b, struct arena *a, const struct value *v)
{
	touch(v->s);
	touch(v->missing);
	check((v->state == V_SET) == (v->s != NULL));
	check((v->state == V_MISSING) == (v->missing != NULL));
	check(v->state == V_UNKNOWN || !v->nparts);
	for (unsigned i = 0; i < v->nparts; i++)
		if (v->parts[i].lit)
			touch(v->parts[i].lit);
		else
			check(v->parts[i].target < b->n);
	touch(batch_text(a, v, lookup, (void *)(uintptr_t)b));
}

static void walk_batch(const struct batch *b, struct arena *a)
{
	check(b->graph.n == b->n);
	for (size_t i = 0; i < b->n; i++) {
		const struct resource *r = &b->v[i];

		check(map_get(&b->by_address, r->address) == i);
		touch(r->region);
		touch(r->each);
		touch(r->life.import_id);
		touch(r->life.was);
		touch(r->life.skip_precheck);
		check(r->instance == RES_NONE || r->instance < b->n);
		for (size_t k = 0; k < r->ndeps; k++)
			check(r->deps[k] < b->n && r->deps[k] != i);
		for (size_t k = 0; k < r->type->nattrs; k++)
			walk_value(b, a, &r->vals[k]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const vars[] = {"v=1", "w=${var.v}"};
	struct arena a;
	struct diag d;
	struct manifest m;
	struct batch b;
	unsigned opts = size ? data[0] : 0;
	const char *text = (const char *)data + (size ? 1 : 0);
	size_t n = size ? size - 1 : 0;
	const char *ff = n ? memchr(text, '\f', n) : NULL;
	struct extra x = {0};

	if (ff) {
		x.text = ff + 1;
		x.n = (size_t)(text + n - x.text);
		n = (size_t)(ff - text);
	}
	struct inputs in = {&x, env, read_file};
	struct batch_opts o = {.in = &in,
	                       .vars = vars,
	                       .nvars = (opts & 3) % 3,
	                       .strict = opts & 4,
	                       .simulate = opts & 8};
	o.region = opts & 16 ? "cn-hangzhou" : NULL;

	/* The reader gets exactly its bytes, so that one too many is seen. */
	char *copy = malloc(n + 1);
	memcpy(copy, text, n);
	copy = realloc(copy, n ? n : 1);
	arena_init(&a);
	diag_init(&d, &a);
	manifest_init(&m, &a);
	manifest_parse(&m, "m.ini", copy, n, &d);
	if (opts & 32)
		manifest_parse(&m, "n.ini", copy, n, &d);
	free(copy);
	walk_blocks(&m);
	batch_build(&b, &a, &m, &o, &d);
	walk_batch(&b, &a);
	for (size_t i = 0; i < d.n; i++) {
		touch(d.v[i].msg);
		touch(d.v[i].hint);
		touch(d.v[i].pos.file);
		check(text_utf8_bad(d.v[i].msg, strlen(d.v[i].msg)) == strlen(d.v[i].msg));
		check(!d.v[i].pos.file || (d.v[i].pos.line && d.v[i].pos.col));
	}
	arena_release(&a);
	secret_wipe_all();
	return 0;
}
