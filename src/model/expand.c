/*
 * Templates -> text: literal parts and what the references stand for. Ids
 * that are known after apply are put in as marks (a DEL, a number, a DEL:
 * no JSON writer touches them), so that the text can be checked and
 * normalized like any other before it is broken into parts.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/batch_internal.h"

#define MARK '\x7f'
#define MADE_UP "made-up-by-simulate"
#define SHIFT_INSERTED                                                                             \
	(1u << 31) /* in value_source.shift: all of the inserted text maps to this place */

void result_init(struct result *r)
{
	buf_init(&r->text, MANIFEST_VALUE_MAX);
}

static void result_begin(struct result *r)
{
	buf_reset(&r->text);
	r->shift.n = r->ids.n = r->inserted.n = 0;
	r->bad = r->secret = r->sourced = r->missing_env = r->made_up = false;
	r->missing = NULL;
}

struct pos value_pos(const struct value_source *s, size_t off)
{
	if (s->from_file) {
		unsigned line = 1;
		const char *start = s->text;

		for (size_t i = 0; i < off && s->text[i]; i++)
			if (s->text[i] == '\n') {
				line++;
				start = s->text + i + 1;
			}
		return (struct pos){s->from_file, line,
		                    text_column(start, (size_t)(s->text + off - start))};
	}
	if (!s->key)
		return (struct pos){0};
	size_t lo = 0, hi = s->nshift;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->shift[2 * mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	if (!s->nshift)
		return raw_pos(s->key, off);
	uint32_t raw = s->shift[2 * lo + 1];
	return raw_pos(s->key,
	               raw & SHIFT_INSERTED ? raw & ~SHIFT_INSERTED : raw + off - s->shift[2 * lo]);
}

/* Sources ------------------------------------------------------------------------------------- */

const char *path_beside(struct builder *bd, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (*path == '/' || !slash)
		return arena_strdup(bd->a, path);
	return arena_printf(bd->a, "%.*s/%s", (int)(slash - file), file, path);
}

static const char *file_of(const struct tpl *t)
{
	return t->k->pos.file;
}

/* Content of a secret file: one final line end goes, all else is kept, with a warning where it
 * looks like an accident. */
static void source_fill(struct builder *bd, struct source *s, const struct tpl *t,
                        const struct tpl_part *p, const char *path)
{
	struct buf *b = &bd->file;
	size_t n = b->n;
	struct pos pos = tpl_pos(t, p);
	const char *key = t->k->name, *kind = p->kind == TPL_CRED ? "credential" : "file";

	s->bad = true;
	if (b->over || n > MANIFEST_VALUE_MAX) {
		diag_error(bd->d, pos, NULL, "%s: %s %s holds more than 1 MiB", key, kind, path);
		return;
	}
	if (n && b->p[n - 1] == '\n')
		n -= n > 1 && b->p[n - 2] == '\r' ? 2 : 1;
	if (!n) {
		diag_error(bd->d, pos, "write the secret into it", "%s: %s %s is empty", key, kind,
		           path);
		return;
	}
	if (memchr(b->p, 0, n)) {
		diag_error(bd->d, pos, NULL, "%s: %s %s holds a NUL byte", key, kind, path);
		return;
	}
	if (text_utf8_bad(b->p, n) < n) {
		diag_error(bd->d, pos, "encode it, for example in base64, if it is no text",
		           "%s: %s %s is no valid UTF-8", key, kind, path);
		return;
	}
	if (memchr(b->p, '\n', n) || memchr(b->p, '\r', n))
		diag_warn(bd->d, pos,
		          "one final line end is cut off, everything else belongs to the secret",
		          "%s: %s %s holds a further line end", key, kind, path);
	if (n >= 3 && !memcmp(b->p, "\xef\xbb\xbf", 3))
		diag_warn(bd->d, pos, "it belongs to the secret; save the file without it",
		          "%s: %s %s begins with a byte order mark", key, kind, path);
	s->bad = false;
	s->text = secret_dup(b->p, n);
}

static const struct source *source_get(struct builder *bd, const struct tpl *t,
                                       const struct tpl_part *p, const char *path)
{
	bool cred = p->kind == TPL_CRED;
	const char *id =
		arena_printf(&bd->tmp, "%c%s\n%s", cred ? 'c' : 'f', cred ? "" : file_of(t), path);
	uint32_t at = map_get(&bd->source_at, id);
	struct err e = {0};

	if (at != MAP_NONE)
		return &bd->sources.v[at];
	struct source *s = VEC_PUSH(&bd->tmp, &bd->sources);
	map_put(&bd->source_at, id, (uint32_t)(bd->sources.n - 1));
	buf_reset(&bd->file);
	bd->file.over = false;
	if (bd->o->in->read(bd->o->in->ctx, file_of(t), path, cred, &bd->file, &e))
		s->missing = *e.msg ? arena_strdup(bd->a, e.msg)
		                    : arena_printf(bd->a, "%s %s cannot be read",
		                                   cred ? "credential" : "file", path);
	else
		source_fill(bd, s, t, p, path);
	buf_release(&bd->file); /* wipes */
	buf_init(&bd->file, MANIFEST_VALUE_MAX + 16);
	return s;
}

/* Inserting ----------------------------------------------------------------------------------- */

static void shift(struct builder *bd, struct result *r, uint32_t raw)
{
	*VEC_PUSH(&bd->tmp, &r->shift) = (uint32_t)r->text.n;
	*VEC_PUSH(&bd->tmp, &r->shift) = raw;
}

/* text as the reference p stands for it; escaped inside a JSON string. */
static void insert(struct builder *bd, struct result *r, const struct tpl_part *p,
                   const struct scope *sc, const char *text, bool secret)
{
	shift(bd, r, p->off | SHIFT_INSERTED);
	if (!sc->json || !p->quoted) {
		buf_puts(&r->text, text);
	} else {
		buf_reset(&bd->esc);
		json_write_str(&bd->esc, text);
		buf_add(&r->text, bd->esc.p + 1, bd->esc.n - 2);
		if (secret)
			*VEC_PUSH(&bd->tmp, &r->inserted) =
				secret_dup(bd->esc.p + 1, bd->esc.n - 2);
	}
	r->secret = r->secret || secret;
}

static bool complain(struct builder *bd, const struct scope *sc, struct result *r, struct pos pos,
                     const char *hint, const char *key, const char *msg)
{
	r->bad = true;
	if (sc->p && sc->p->complaints >= 3) { /* the same for every item of a section */
		bd->d->errors++;
		return false;
	}
	if (sc->p)
		sc->p->complaints++;
	diag_error(bd->d, pos, hint, "%s: %s", key, msg);
	return false;
}

void note_made_up(struct builder *bd, struct prep *p, struct pos pos, const char *key,
                  const char *why)
{
	if (p && p->notes++ >= 3) { /* the same for every item of a section */
		p->notes = 3;
		return;
	}
	diag_remark(bd->d, pos, NULL, "%s: %s; the simulation goes on with a made-up value", key,
	            why);
}

/* A secret that is not there. env: an environment variable, which need not be a secret. */
static bool missing(struct builder *bd, struct result *r, const struct tpl *t,
                    const struct tpl_part *p, const struct scope *sc, const char *why, bool env)
{
	struct pos pos = tpl_pos(t, p);

	if (!sc->may_miss)
		return complain(bd, sc, r, pos, NULL, t->k->name, why);
	if (bd->o->simulate && (!env || sc->secret)) {
		note_made_up(bd, sc->p, pos, t->k->name, why);
		insert(bd, r, p, sc, secret_dup(MADE_UP, strlen(MADE_UP)), true);
		r->sourced = r->made_up = true;
		return true;
	}
	if (!r->missing) {
		r->missing = why;
		r->missing_pos = pos;
	}
	r->missing_env = r->missing_env || env;
	insert(bd, r, p, sc, EXPAND_MISSING, false);
	return true;
}

static void mark_id(struct builder *bd, struct result *r, const struct tpl_part *p,
                    const struct scope *sc, uint32_t target, enum computed what)
{
	char mark[24];

	snprintf(mark, sizeof mark, "%cI%zu%c", MARK, r->ids.n, MARK);
	*VEC_PUSH(&bd->tmp, &r->ids) = (struct part){.target = target, .what = what};
	insert(bd, r, p, sc, mark, false);
}

/* Copies a value that itself waits for ids. */
static void insert_unknown(struct builder *bd, struct result *r, const struct tpl_part *p,
                           const struct scope *sc, const struct value *v)
{
	for (unsigned i = 0; i < v->nparts; i++)
		if (v->parts[i].lit)
			insert(bd, r, p, sc, v->parts[i].lit, v->secret);
		else
			mark_id(bd, r, p, sc, v->parts[i].target, v->parts[i].what);
}

static bool expand_ref(struct builder *bd, struct result *r, const struct tpl *t,
                       const struct tpl_part *p, const struct scope *sc)
{
	uint32_t target = ref_target(bd, t, p, sc);

	if (target == RES_NONE)
		return false;
	if (p->comp != COMP_NONE) {
		mark_id(bd, r, p, sc, target, (enum computed)p->comp);
		return true;
	}
	const struct resource *res = &bd->b->v[target];
	const struct value *v = &res->vals[attr_of(res->type, p->attr)];
	switch (v->state) {
	case V_SET:
		insert(bd, r, p, sc, v->s, v->secret);
		r->sourced = r->sourced || v->secret;
		return true;
	case V_MISSING:
		return missing(bd, r, t, p, sc, v->missing, false);
	case V_UNKNOWN:
		insert_unknown(bd, r, p, sc, v);
		return v->nparts > 0; /* else it is wrong, which has been said */
	case V_UNSET:
		break;
	}
	uint32_t at =
		map_get(&bd->section_at, arena_printf(&bd->tmp, "%s.%s", p->type->name, p->s));
	if (bd->sections.v[at]
	            .blk->broken) /* it may have stood in the part that could not be read */
		return false;
	if (!strcmp(p->attr, "dts_instance_id")) { /* bought for this job: known after apply */
		mark_id(bd, r, p, sc, target, COMP_INSTANCE_ID);
		return true;
	}
	return complain(
		bd, sc, r, tpl_pos(t, p),
		arena_printf(&bd->tmp, "set it there (%s:%u)", res->pos.file, res->pos.line),
		t->k->name, arena_printf(&bd->tmp, "%s has no %s", res->address, p->attr));
}

static bool expand_var(struct builder *bd, struct result *r, const struct tpl *t,
                       const struct tpl_part *p, const struct scope *sc)
{
	uint32_t i = map_get(&bd->var_at, p->s);
	const char **names, *near;

	if (i != MAP_NONE) {
		struct var *v = &bd->vars.v[i];

		v->used = true;
		if (v->bad)
			return false;
		if (v->missing)
			return missing(bd, r, t, p, sc, v->missing, v->missing_env);
		insert(bd, r, p, sc, v->text, v->secret);
		r->sourced = r->sourced || v->sourced;
		return true;
	}
	names = arena_array(&bd->tmp, const char *, bd->vars.n);
	for (size_t k = 1; k < bd->vars.n; k++)
		names[k - 1] = bd->vars.v[k].name;
	near = bd->vars.n > 1 ? nearest_of(bd, p->s, names, bd->vars.n - 1) : NULL;
	return complain(bd, sc, r, tpl_pos(t, p),
	                near ? arena_printf(&bd->tmp, "did you mean ${var.%s}?", near)
	                     : "define it in [variables] or with --var",
	                t->k->name,
	                arena_printf(&bd->tmp, "there is no variable %s",
	                             text_safe_dup(&bd->tmp, p->s, 60)));
}

/* Why an environment variable gives nothing; worded once for each. */
static const char *why_unset(struct builder *bd, const char *name, const char *value)
{
	uint32_t at = map_get(&bd->unset, name);

	if (at == MAP_NONE) {
		at = (uint32_t)bd->why_unset.n;
		map_put(&bd->unset, arena_strdup(&bd->tmp, name), at);
		*VEC_PUSH(&bd->tmp, &bd->why_unset) = arena_printf(
			bd->a, "environment variable %s is %s", text_safe_dup(&bd->tmp, name, 60),
			value ? "empty" : "not set");
	}
	return bd->why_unset.v[at];
}

/* Most of the environment is no secret; what is named like one is, wherever it is put. SECRETS_DIR names a place. */
static bool env_is_secret(const char *name)
{
	static const char *const places[] = {"_FILE", "_DIR",  "_PATH", "_NAME",
	                                     "_ID",   "_USER", "_HOST", "_URL"};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (text_ends(name, places[i]))
			return false;
	return attr_secret_member(name);
}

static bool expand_env(struct builder *bd, struct result *r, const struct tpl *t,
                       const struct tpl_part *p, const struct scope *sc, const char *name)
{
	const char *v = bd->o->in->env(bd->o->in->ctx, name);

	/* Build systems hand an absent secret over as empty. */
	if (!v || (!*v && sc->may_miss))
		return missing(bd, r, t, p, sc, why_unset(bd, name, v), true);
	if (text_utf8_bad(v, strlen(v)) < strlen(v))
		return complain(
			bd, sc, r, tpl_pos(t, p), NULL, t->k->name,
			arena_printf(&bd->tmp, "environment variable %s is no valid UTF-8", name));
	insert(bd, r, p, sc, v, env_is_secret(name));
	r->sourced = true;
	return true;
}

static bool expand_into(struct builder *bd, struct result *r, const struct tpl *t,
                        const struct scope *sc);

bool no_secret(struct builder *bd, const struct result *r, const struct raw_key *k)
{
	if (r->secret)
		diag_error(bd->d, raw_pos(k, 0), NULL, "%s: a secret cannot stand here", k->name);
	return !r->secret;
}

const char *expand_sub(struct builder *bd, const struct tpl *sub, const struct scope *sc)
{
	struct scope in = {.each = sc->each, .region = sc->region, .p = sc->p};

	if (sub->n == 1 && sub->v[0].kind == TPL_EACH && sc->each)
		return sc->each;
	if (!expand_into(bd, &bd->sub, sub, &in) || !no_secret(bd, &bd->sub, sub->k))
		return NULL;
	return arena_strndup(&bd->tmp, buf_str(&bd->sub.text), bd->sub.text.n);
}

/* Name of a source: plain, or with references in it. */
static const char *source_name(struct builder *bd, const struct tpl_part *p, const struct scope *sc)
{
	return p->sub ? expand_sub(bd, p->sub, sc) : p->s;
}

static bool expand_part(struct builder *bd, struct result *r, const struct tpl *t,
                        const struct tpl_part *p, const struct scope *sc)
{
	const struct source *src;
	const char *name;

	switch (p->kind) {
	case TPL_LIT:
		shift(bd, r, p->off);
		buf_add(&r->text, p->s, p->n);
		return true;
	case TPL_EACH:
		if (!sc->each)
			return complain(bd, sc, r, tpl_pos(t, p),
			                "it is the item of a for_each in the same section",
			                t->k->name, "${each} stands in a section without for_each");
		insert(bd, r, p, sc, sc->each, false);
		return true;
	case TPL_REGION:
		if (!sc->region)
			return complain(
				bd, sc, r, tpl_pos(t, p),
				"set region in [dtsbatch], give --region or set DTSBATCH_REGION",
				t->k->name, "there is no region");
		insert(bd, r, p, sc, sc->region, false);
		return true;
	case TPL_VAR:
		return expand_var(bd, r, t, p, sc);
	case TPL_ENV:
		name = source_name(bd, p, sc);
		return name && expand_env(bd, r, t, p, sc, name);
	case TPL_FILE:
	case TPL_CRED:
		name = source_name(bd, p, sc);
		if (!name)
			return false;
		src = source_get(bd, t, p, name);
		if (src->bad)
			return false;
		if (src->missing)
			return missing(bd, r, t, p, sc, src->missing, false);
		insert(bd, r, p, sc, src->text, true);
		r->sourced = true;
		return true;
	case TPL_REF:
		break;
	}
	return expand_ref(bd, r, t, p, sc);
}

static bool expand_into(struct builder *bd, struct result *r, const struct tpl *t,
                        const struct scope *sc)
{
	result_begin(r);
	for (size_t i = 0; i < t->n; i++)
		if (!expand_part(bd, r, t, &t->v[i], sc))
			r->bad = true;
	if (r->text.over) {
		r->text.over = false;
		complain(bd, sc, r, raw_pos(t->k, 0), NULL, t->k->name,
		         "the value is longer than 1 MiB with its references filled in");
	}
	return !r->bad;
}

bool expand(struct builder *bd, const struct tpl *t, const struct scope *sc)
{
	return expand_into(bd, &bd->res, t, sc);
}

const char *expand_text(struct builder *bd, const struct raw_key *k, const struct tpl *t,
                        const struct scope *sc)
{
	if (!t)
		return k->text;
	if (!expand(bd, t, sc) || !no_secret(bd, &bd->res, k))
		return NULL;
	return arena_strndup(bd->a, buf_str(&bd->res.text), bd->res.text.n);
}

/* The id a mark at m stands for, or -1: the byte was in the text. *end: the mark's last byte. */
static int64_t mark_number(struct builder *bd, const struct result *r, const char *m,
                           const char **end)
{
	int64_t n;

	*end = m[1] == 'I' ? strchr(m + 1, MARK) : NULL;
	if (!*end || *end - m > 20 || !r->ids.n)
		return -1;
	return text_int(arena_strndup(&bd->tmp, m + 2, (size_t)(*end - m - 2)), 0,
	                (int64_t)r->ids.n - 1, &n)
	               ? n
	               : -1;
}

const struct part *expand_parts(struct builder *bd, const struct result *r, const char *text,
                                unsigned *nparts)
{
	VEC(struct part) v = {0};
	const char *from = text, *end;

	for (const char *m = strchr(text, MARK); m; m = strchr(m, MARK)) {
		int64_t n = mark_number(bd, r, m, &end);

		if (n < 0) {
			m++;
			continue;
		}
		if (m > from)
			VEC_PUSH(bd->a, &v)->lit = arena_strndup(bd->a, from, (size_t)(m - from));
		*VEC_PUSH(bd->a, &v) = r->ids.v[n];
		m = from = end + 1;
	}
	if (*from)
		VEC_PUSH(bd->a, &v)->lit = arena_strdup(bd->a, from);
	*nparts = (unsigned)v.n;
	return v.v;
}
