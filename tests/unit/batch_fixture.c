#include "batch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

static const char *find(const struct fx_pair *p, const char *name)
{
	for (; p && p->name; p++)
		if (!strcmp(p->name, name))
			return p->text;
	return NULL;
}

static const char *env(void *ctx, const char *name)
{
	const struct bfx *f = ctx;

	return find(f->env, name);
}

static int read_file(void *ctx, const char *file, const char *path, bool cred, struct buf *out,
                     struct err *e)
{
	struct bfx *f = ctx;
	char name[256];
	const char *text;

	(void)file;
	f->reads++;
	snprintf(name, sizeof name, "%s%s", cred ? "cred:" : "", path);
	text = find(f->files, name);
	if (!text)
		return err_set(e, ERR_MANIFEST, "%s: no such file", path);
	buf_puts(out, text);
	return 0;
}

void bfx_init(struct bfx *f)
{
	static const struct fx_pair pw[] = {{"PW", "s3cret"}, {NULL, NULL}};

	*f = (struct bfx){.env = pw};
	arena_init(&f->a);
	diag_init(&f->d, &f->a);
	manifest_init(&f->m, &f->a);
	f->in = (struct inputs){f, env, read_file};
	f->o.in = &f->in;
}

void bfx_release(struct bfx *f)
{
	arena_release(&f->a);
}

void bfx_parse(struct bfx *f, const char *file, const char *text)
{
	manifest_parse(&f->m, file, text, strlen(text), &f->d);
}

void bfx_build(struct bfx *f)
{
	f->in.ctx = f; /* the fixture may have been copied */
	f->o.in = &f->in;
	batch_build(&f->b, &f->a, &f->m, &f->o, &f->d);
}

void bfx_batch(struct bfx *f, const char *text)
{
	bfx_parse(f, "m.ini", text);
	bfx_build(f);
}

bool bfx_said(const struct bfx *f, enum diag_level level, unsigned line, unsigned col,
              const char *needle)
{
	for (size_t i = 0; i < f->d.n; i++) {
		const struct diag_item *it = &f->d.v[i];

		if (it->level != level || (line && it->pos.line != line) ||
		    (col && it->pos.col != col))
			continue;
		if (strstr(it->msg, needle) || (it->hint && strstr(it->hint, needle)))
			return true;
	}
	return false;
}

void bfx_print(const struct bfx *f)
{
	static const char *const level[] = {"error", "warning", "note"};

	for (size_t i = 0; i < f->d.n; i++) {
		const struct diag_item *it = &f->d.v[i];
		print_error("%s:%u:%u: %s: %s (%s)\n", it->pos.file ? it->pos.file : "-",
		            it->pos.line, it->pos.col, level[it->level], it->msg,
		            it->hint ? it->hint : "");
	}
}

const struct resource *bfx_res(const struct bfx *f, const char *address)
{
	uint32_t i = map_get(&f->b.by_address, address);

	if (i == MAP_NONE)
		fail_msg("no resource %s", address);
	return &f->b.v[i];
}

const struct raw_key *bfx_key(const struct bfx *f, const char *header, const char *name)
{
	for (size_t i = 0; i < f->m.n; i++)
		for (size_t k = 0; text_eq(f->m.v[i].header, header) && k < f->m.v[i].n; k++)
			if (!strcmp(f->m.v[i].keys[k].name, name))
				return &f->m.v[i].keys[k];
	fail_msg("no key %s in [%s]", name, header);
	return NULL;
}
