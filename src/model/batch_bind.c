/*
 * Keys of sections -> values of attributes. What is the same for all items
 * of a section is worked out once and shared; what refers to attributes of
 * other resources waits for batch_refs.c.
 */
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "model/batch_internal.h"

#define LITERAL_HINT "give it as ${env:NAME}, ${file:PATH} or ${cred:NAME}"

bool is_json(const struct attr_def *at, const struct raw_key *k)
{
	return at->kind == AK_OBJECT || at->kind == AK_LIST ||
	       (at->kind == AK_TAGS && k->n && k->text[0] == '{');
}

/* Looking at a key once ------------------------------------------------------------------------ */

static const char *star(void *ctx, struct arena *a, const char *text)
{
	(void)ctx;
	(void)a;
	(void)text;
	return "***";
}

/* JSON pasted from Terraform, in quotes and with backslashes: show what to write. */
static bool is_quoted_json(struct builder *bd, const struct attr_def *at, const struct raw_key *k)
{
	const char *json = k->text[0] == '"' ? schema_unquote_json(&bd->tmp, k->text, k->n) : NULL;

	if (!json)
		return false;
	json = attr_redact(&bd->tmp, at, json, star, NULL);
	diag_error(bd->d, raw_pos(k, 0), arena_printf(&bd->tmp, "write %s = %s", k->name, json),
	           "%s: a JSON %s is needed, this is a quoted string whose text is JSON", k->name,
	           at->kind == AK_LIST ? "array" : "object");
	return true;
}

static struct tpl *attr_template(struct builder *bd, struct arena *a, const struct attr_def *at,
                                 const struct prep *p, unsigned allowed)
{
	struct tpl *t = tpl_parse(bd, a, p->k, allowed, p->from_file ? "a file name" : "this key");

	if (t && !p->from_file && is_json(at, p->k) && !tpl_json(bd, t))
		return NULL;
	return t;
}

static bool prep_check(struct builder *bd, struct arena *a, const struct attr_def *at,
                       struct prep *p, unsigned allowed)
{
	const struct raw_key *k = p->k;

	if (k->bad)
		return false;
	if ((at->kind == AK_OBJECT || at->kind == AK_LIST || at->kind == AK_TAGS) &&
	    is_quoted_json(bd, at, k))
		return false;
	if (!key_plain(bd, k,
	               false)) /* comments: schema_normalize knows which kinds are wrong anyway */
		return false;
	if (k->continued && (at->flags & (A_SECRET | A_ID)) && k->nspans > 1) {
		diag_error(bd->d, (struct pos){k->pos.file, k->spans[1].line, k->spans[1].col},
		           "an indented line continues the value above it; a key is written `key = "
		           "value`",
		           "%s: %s is never continued over lines", k->name,
		           at->flags & A_SECRET ? "a secret" : "an id");
		return false;
	}
	p->from_file = k->text[0] == '@' &&
	               (at->kind == AK_OBJECT || at->kind == AK_LIST || at->kind == AK_TAGS);
	if (!memchr(k->text, '$', k->n))
		return true;
	if (p->from_file)
		allowed &= ~TPL_BIT(TPL_REF);
	return (p->t = attr_template(bd, a, at, p, allowed)) != NULL;
}

void prep_attr(struct builder *bd, struct arena *a, const struct attr_def *at, struct prep *p,
               unsigned allowed)
{
	if (p->k->n || p->k->bad)
		p->bad = !prep_check(bd, a, at, p, allowed);
}

/* One value ----------------------------------------------------------------------------------- */

/* Given, but wrong: nothing that follows from it is reported. */
static void set_wrong(struct value *out, const struct prep *p)
{
	*out = (struct value){.state = V_UNKNOWN, .pos = raw_pos(p->k, 0)};
}

static void literal_secret(struct builder *bd, struct prep *p, const struct value *v)
{
	if (p->complaints++)
		return;
	if (bd->o->strict)
		diag_error(bd->d, v->pos, LITERAL_HINT, "%s: a secret stands here as plain text",
		           p->k->name);
	else
		diag_warn(bd->d, v->pos, LITERAL_HINT, "%s: a secret stands here as plain text",
		          p->k->name);
}

struct members {
	size_t n;
};

static const char *note_member(void *ctx, struct arena *a, const char *text)
{
	struct members *m = ctx;

	(void)a;
	m->n++;
	secret_dup(text, strlen(text)); /* so that it is masked wherever the service repeats it */
	return "***";
}

/* Passwords and certificates inside a JSON value. `plain` gets the text without them. */
static size_t secret_members(struct builder *bd, const struct attr_def *at, const char *text,
                             const char **plain)
{
	struct members m = {0};

	*plain = text;
	if (at->kind != AK_OBJECT || !(at->flags & A_MERGE))
		return 0;
	*plain = attr_redact(&bd->norm, at, text, note_member, &m);
	return m.n;
}

static bool complains(struct builder *bd, struct prep *p, size_t errors, size_t warnings)
{
	if (bd->d->errors == errors && bd->d->warnings == warnings)
		return false;
	if (p->complaints < 250)
		p->complaints++;
	return true;
}

/* schema_normalize, silent once a key has complained for several items of its section. hides: the
 * text is secret, and messages about short values quote them. */
static const char *normalize(struct builder *bd, const struct attr_def *at, struct prep *p,
                             const char *text, size_t n, const struct value_source *src, bool hides)
{
	struct diag quiet;
	struct diag *d = bd->d;
	size_t errors = d->errors, warnings = d->warnings;
	const char *s;

	bool secret = hides && at->kind != AK_STR && at->kind != AK_OBJECT && at->kind != AK_LIST;

	if (p->complaints >= 3 || secret) {
		diag_init(&quiet, &bd->norm);
		s = schema_normalize(&bd->norm, at, text, n, src, &quiet);
		if (!s && secret && !p->complaints++)
			diag_error(d, value_pos(src, 0), NULL,
			           "%s: the secret file does not hold %s", at->key,
			           attr_kind_text(&bd->norm, at));
		else
			d->errors += quiet.errors;
		return s;
	}
	s = schema_normalize(&bd->norm, at, text, n, src, d);
	complains(bd, p, errors, warnings);
	return s;
}

/* Ids of things have no place in numbers, flags and fixed words. */
static bool takes_ids(const struct attr_def *at)
{
	return at->kind == AK_STR || at->kind == AK_OBJECT || at->kind == AK_LIST ||
	       at->kind == AK_TAGS;
}

static void set_unknown(struct builder *bd, const struct attr_def *at, struct prep *p,
                        const char *text, struct value *out)
{
	unsigned n;

	if (!takes_ids(at)) {
		if (!p->complaints++)
			diag_error(bd->d, out->pos, NULL,
			           "%s: an id that is known after apply cannot stand here",
			           p->k->name);
		set_wrong(out, p);
		return;
	}
	out->state = V_UNKNOWN;
	out->parts = expand_parts(bd, &bd->res, text, &n);
	out->nparts = n & 0x7fffffffu;
}

/* text with EXPAND_MISSING replaced by a made-up value. */
static const char *made_up(struct builder *bd, const char *text)
{
	struct buf b;
	const char *m;

	buf_init(&b, MANIFEST_VALUE_MAX);
	while ((m = strstr(text, EXPAND_MISSING))) {
		buf_add(&b, text, (size_t)(m - text));
		buf_puts(&b, "made-up-by-simulate");
		text = m + strlen(EXPAND_MISSING);
	}
	buf_puts(&b, text);
	text = arena_strdup(&bd->norm, buf_str(&b));
	buf_release(&b);
	return text;
}

/* A secret was missing. True: go on with *text, for there is a made-up one. */
static bool set_missing(struct builder *bd, const struct attr_def *at, struct prep *p,
                        const char **text, struct value *out)
{
	const char *plain;
	struct result *r = &bd->res;
	bool env = r->missing_env && !(at->flags & A_SECRET);

	secret_members(bd, at, *text, &plain);
	if (env && strstr(plain, EXPAND_MISSING)) { /* not in a secret place: nothing excuses it */
		if (!p->complaints++)
			diag_error(bd->d, r->missing_pos, NULL, "%s: %s", p->k->name, r->missing);
		set_wrong(out, p);
		return false;
	}
	if (bd->o->simulate) {
		note_made_up(bd, p, r->missing_pos, p->k->name, r->missing);
		*text = made_up(bd, *text);
		r->secret = r->sourced = r->made_up = true;
		return true;
	}
	out->state = V_MISSING;
	out->missing = r->missing;
	out->pos = r->missing_pos;
	out->secret = true;
	bd->b->missing_secrets = true;
	return false;
}

/* Is secret text outside of the members that are hidden anyway? Then all of the value is secret. */
static bool leaks(struct builder *bd, const char *plain)
{
	for (size_t i = 0; i < bd->res.inserted.n; i++)
		if (*bd->res.inserted.v[i] && strstr(plain, bd->res.inserted.v[i]))
			return true;
	return false;
}

/* From expanded text to the value. `expanded`: bd->res belongs to it. text is in memory that
 * does not last, unless `lasts`. */
static void finish(struct builder *bd, const struct attr_def *at, struct prep *p, const char *text,
                   size_t n, bool lasts, bool expanded, const struct value_source *src,
                   struct value *out)
{
	const struct result *r = &bd->res;
	bool json = is_json(at, p->k) || p->from_file;
	const char *plain, *s = text;

	if (!n)
		return; /* absent */
	/* A plain text with something missing in it is not complete yet, so its row cannot judge
	 * it. */
	if (!(expanded && (r->ids.n || r->missing) && !json))
		s = normalize(bd, at, p, text, n, src, expanded && r->secret);
	if (!s) {
		set_wrong(out, p);
		return;
	}
	if (expanded && r->missing && !set_missing(bd, at, p, &s, out))
		return;
	if (expanded && r->ids.n) {
		set_unknown(bd, at, p, s, out);
		return;
	}
	size_t members = secret_members(bd, at, s, &plain);
	out->secret =
		(at->flags & A_SECRET) || (expanded && r->secret && (!json || leaks(bd, plain)));
	out->state = V_SET;
	out->made_up = expanded && r->made_up && (at->flags & A_SECRET);
	if (out->secret)
		out->s = secret_dup(s, strlen(s));
	else
		out->s = s == text && lasts ? s : arena_strdup(bd->a, s);
	if ((at->flags & A_SECRET || members) && !(expanded && r->sourced))
		literal_secret(bd, p, out);
}

static void bind_file(struct builder *bd, const struct attr_def *at, struct prep *p,
                      const char *path, struct value *out)
{
	struct err e = {0};
	struct buf *b = &bd->file;
	struct value_source src = {.key = p->k, .from_file = path_beside(bd, p->k->pos.file, path)};

	buf_reset(b);
	b->over = false;
	if (!*path || bd->o->in->read(bd->o->in->ctx, p->k->pos.file, path, false, b, &e) ||
	    b->over || b->n > MANIFEST_VALUE_MAX) {
		set_wrong(out, p);
		if (!p->complaints++)
			diag_error(
				bd->d, out->pos, "paths are relative to the manifest", "%s: %s",
				p->k->name,
				*e.msg  ? e.msg
				: *path ? arena_printf(&bd->tmp, "%s holds more than 1 MiB", path)
					: "the name of the file is missing");
		return;
	}
	src.text = buf_str(b);
	size_t bom = b->n >= 3 && !memcmp(src.text, "\xef\xbb\xbf", 3) ? 3 : 0;
	src.text += bom;
	size_t n = b->n - bom;
	while (n && strchr(" \t\r\n", src.text[n - 1]))
		n--;
	if (!n) {
		set_wrong(out, p);
		if (!p->complaints++)
			diag_error(bd->d, out->pos, NULL, "%s: %s is empty", p->k->name, path);
		return;
	}
	finish(bd, at, p, arena_strndup(&bd->norm, src.text, n), n, false, false, &src, out);
}

static struct good *good_of(struct builder *bd, const struct attr_def *at)
{
	for (size_t i = 0; i < sizeof bd->good / sizeof bd->good[0] && types[i]; i++)
		if (at >= types[i]->attrs && at < types[i]->attrs + types[i]->nattrs)
			return &bd->good[i][at - types[i]->attrs];
	return NULL;
}

/* Plain text. Sections repeat each other: what passed for this key a moment ago need not be
 * checked again. */
static void bind_plain(struct builder *bd, const struct attr_def *at, struct prep *p,
                       struct value *out)
{
	const struct raw_key *k = p->k;
	struct value_source src = {.key = k};
	size_t talk = bd->d->errors + bd->d->warnings, n = bd->d->n;
	struct good *g = good_of(bd, at);

	if (g && g->text == k->text) { /* the reader shares equal texts in a row */
		out->state = V_SET;
		out->s = g->s;
		return;
	}
	finish(bd, at, p, k->text, k->n, true, false, &src, out);
	if (g && out->state == V_SET && !out->secret && talk == bd->d->errors + bd->d->warnings &&
	    n == bd->d->n)
		*g = (struct good){k->text, out->s};
}

static void bind_value(struct builder *bd, const struct attr_def *at, struct prep *p,
                       const struct scope *sc, struct value *out)
{
	const struct raw_key *k = p->k;
	struct value_source src = {.key = k};

	*out = (struct value){.state = V_UNSET};
	if (p->bad) {
		set_wrong(out, p);
		return;
	}
	if (!k->n)
		return;
	out->pos = raw_pos(k, 0);
	arena_reset(&bd->norm);
	if (p->t && !expand(bd, p->t, sc)) {
		set_wrong(out, p);
		return;
	}
	if (p->from_file && p->t && !no_secret(bd, &bd->res, k)) {
		set_wrong(out, p);
	} else if (p->from_file) {
		bind_file(bd, at, p,
		          p->t ? arena_strdup(&bd->tmp, buf_str(&bd->res.text) + 1) : k->text + 1,
		          out);
	} else if (p->t) {
		src.shift = bd->res.shift.v;
		src.nshift = bd->res.shift.n / 2;
		finish(bd, at, p, buf_str(&bd->res.text), bd->res.text.n, false, true, &src, out);
	} else {
		bind_plain(bd, at, p, out);
	}
}

/* A section ------------------------------------------------------------------------------------ */

struct binding {
	struct builder *bd;
	const struct section *s;
	struct prep attrs[ATTR_MAX];
	struct prep *use[ATTR_MAX]; /* the section's own, or that of the defaults */
	struct prep life[LIFE_MAX];
	struct prep *use_life[LIFE_MAX];
	/* Sections of a type mostly have the same keys in the same order, and the reader shares
	 * names: look there first. */
	struct guess {
		const struct type_def *type;
		const char *name;
		int at;
	} guess[ATTR_MAX];
};

static int attr_guess(struct binding *bi, size_t i, const char *name)
{
	struct guess *g = &bi->guess[i % ATTR_MAX];

	if (g->name != name || g->type != bi->s->type)
		*g = (struct guess){bi->s->type, name, attr_find(bi->s->type, name)};
	return g->at;
}

static void sort_keys(struct binding *bi)
{
	struct builder *bd = bi->bd;
	const struct section *s = bi->s;
	const struct defaults *df = &bd->defs[type_index(s->type)];
	unsigned allowed = s->repeated ? ~0u : ~TPL_BIT(TPL_EACH);

	memset(bi->attrs, 0, sizeof bi->attrs);
	memset(bi->life, 0, sizeof bi->life);
	for (size_t i = 0; i < s->blk->n; i++) {
		const struct raw_key *k = &s->blk->keys[i];
		int at = attr_guess(bi, i, k->name),
		    row = at < 0 ? meta_find(lifecycle_keys, k->name) : -1;

		if (at >= 0) {
			bi->attrs[at] = (struct prep){.k = k};
			prep_attr(bd, &bd->sec, &s->type->attrs[at], &bi->attrs[at], allowed);
		} else if (row >= 0) {
			bi->life[row] = (struct prep){.k = k};
		} else {
			unknown_key(bd, s->type, k, bi->attrs);
		}
	}
	for (size_t i = 0; i < s->type->nattrs; i++)
		bi->use[i] = bi->attrs[i].k ? &bi->attrs[i] : &df->attrs[i];
	for (size_t i = 0; i < bd->nlife; i++)
		bi->use_life[i] = bi->life[i].k ? &bi->life[i] : &df->life[i];
}

/* The references of a key are edges of every resource that has it. False: one leads nowhere
 * (reported). */
static bool add_edges(struct builder *bd, const struct prep *p, const struct scope *sc,
                      uint32_t res)
{
	bool ok = true;

	for (size_t i = 0; i < p->t->n; i++) {
		const struct tpl_part *part = &p->t->v[i];

		if (part->kind != TPL_REF)
			continue;
		uint32_t target = ref_target(bd, p->t, part, sc);
		if (target == RES_NONE)
			ok = false;
		else
			add_edge(bd, res, target, tpl_pos(p->t, part));
	}
	return ok;
}

static void wait_for_others(struct builder *bd, struct prep *p, uint32_t res, size_t attr,
                            const char *region)
{
	if (!p->kept) {
		p->kept = arena_new(&bd->tmp, struct prep);
		*p->kept = *p;
		p->kept->t = attr_template(bd, &bd->tmp, &bd->b->v[res].type->attrs[attr], p, ~0u);
	}
	*VEC_PUSH(&bd->tmp, &bd->pends) = (struct pend){.res = res,
	                                                .attr = (uint32_t)attr,
	                                                .next = bd->pend_at[res],
	                                                .p = p->kept,
	                                                .region = region};
	set_wrong(&bd->b->v[res].vals[attr],
	          p); /* so it stays if a circle keeps it from ever being worked out */
	bd->pend_at[res] = (uint32_t)(bd->pends.n - 1);
}

void bind_cached(struct builder *bd, const struct attr_def *at, struct prep *p,
                 const struct scope *sc, bool same, struct value *out)
{
	if (same && p->cached) {
		*out = p->val;
		return;
	}
	struct value v; /* *out must not change under a reference to itself */
	bind_value(bd, at, p, sc, &v);
	*out = v;
	if (same) {
		p->cached = true;
		p->val = v;
	}
}

static void bind_attr(struct binding *bi, size_t i)
{
	struct builder *bd = bi->bd;
	const struct section *s = bi->s;
	const struct attr_def *at = &s->type->attrs[i];
	struct prep *p = bi->use[i];

	if (!p->k)
		return;
	for (uint32_t k = 0; k < s->count; k++) {
		struct resource *r = &bd->b->v[s->first + k];
		struct scope sc = {.each = r->each,
		                   .region = r->region ? r->region : bd->b->region,
		                   .json = is_json(at, p->k),
		                   .may_miss = !p->from_file && (at->flags & (A_SECRET | A_MERGE) ||
		                                                 (p->t && p->t->has & TPL_SECRETS)),
		                   .secret = at->flags & A_SECRET,
		                   .p = p};
		unsigned has = p->t ? p->t->has : 0;
		bool same = !(has & TPL_BIT(TPL_EACH)) && !(has & TPL_BIT(TPL_REGION) && r->region);

		if (p->bad) {
			set_wrong(&r->vals[i], p);
			continue;
		}
		if (has & TPL_BIT(TPL_REF) && !add_edges(bd, p, &sc, s->first + k)) {
			set_wrong(&r->vals[i], p);
			continue;
		}
		if (has & TPL_ATTR) {
			wait_for_others(bd, p, s->first + k, i, r->region);
			continue;
		}
		bind_cached(bd, at, p, &sc, same, &r->vals[i]);
	}
}

void bind_sections(struct builder *bd)
{
	struct binding *bi = arena_new(&bd->tmp, struct binding);

	if (bd->nlife > LIFE_MAX)
		BUG("more lifecycle keys than a section has room for");
	bd->pend_at = arena_array(&bd->tmp, uint32_t, bd->b->n + 1);
	memset(bd->pend_at, 0xff, (bd->b->n + 1) * sizeof *bd->pend_at);
	for (size_t i = 0; i < bd->sections.n; i++) {
		arena_reset(&bd->sec);
		bi->bd = bd;
		bi->s = &bd->sections.v[i];
		sort_keys(bi);
		life_bind(bd, bi->s, bi->use_life);
		for (size_t k = 0; k < bi->s->type->nattrs; k++)
			bind_attr(bi, k);
	}
}
