#include "model/batch.h"

#include <string.h>

#include "base/text.h"
#include "model/batch_internal.h"

#define SAME_MAX 3 /* complaints of one kind at one place, over the items of a section */

/* The first item that lacks a key, or NULL: usually all of them or none. */
static const struct resource *lacking(const struct builder *bd, const struct section *s,
                                      size_t attr)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (bd->b->v[s->first + i].vals[attr].state == V_UNSET)
			return &bd->b->v[s->first + i];
	return NULL;
}

/* Required keys that are absent, once for each section. */
static void check_required(struct builder *bd, const struct section *s)
{
	for (size_t i = 0; i < s->type->nattrs; i++) {
		const struct attr_def *at = &s->type->attrs[i];
		const struct resource *r = at->flags & A_REQUIRED ? lacking(bd, s, i) : NULL;

		if (!r)
			continue;
		const char *hint =
			at->kind == AK_ENUM
				? arena_printf(&bd->tmp,
		                               "`dtsbatch explain %s.%s` lists what it can be",
		                               s->type->name, at->key)
				: arena_printf(&bd->tmp, "add %s = ... (%s)", at->key,
		                               attr_kind_text(&bd->tmp, at));
		if (r == &bd->b->v[s->first])
			diag_error(bd->d, s->blk->pos, hint, "[%s]: %s is missing", s->base,
			           at->key);
		else
			diag_error(bd->d, s->blk->pos, hint, "%s: %s is empty for this item",
			           r->address, at->key);
	}
}

/* Class of a pair: it may stand in the job, in its instance section or in both, but not in two
 * ways. */
static void check_class(struct builder *bd, const struct resource *r)
{
	const struct value *mine = res_val(r, "instance_class"), *other;

	if (mine->state == V_SET && text_ieq(mine->s, "xxlarge"))
		diag_warn(
			bd->d, mine->pos, "write 2xlarge",
			"instance_class: xxlarge is an old name of 2xlarge, which the service may not sell");
	if (r->instance == RES_NONE) /* only jobs have one, and both types have a class */
		return;
	other = res_val(&bd->b->v[r->instance], "instance_class");
	if (mine->state != V_SET || other->state != V_SET || text_ieq(mine->s, other->s))
		return;
	if (class_rank(mine->s) >= 0 && class_rank(mine->s) == class_rank(other->s))
		return;
	diag_error(bd->d, mine->pos, "keep one of them, best in the instance section",
	           "instance_class: %s here, but %s in [%s] at %s:%u:%u",
	           text_safe_dup(&bd->tmp, mine->s, 40), text_safe_dup(&bd->tmp, other->s, 40),
	           bd->b->v[r->instance].address, other->pos.file, other->pos.line, other->pos.col);
}

/* A remark that the items before earned, too. */
static bool said_of_place(struct builder *bd, const struct diag_item *it)
{
	struct diag_item *old = bd->d->n ? &bd->d->v[bd->d->n - 1] : NULL;

	if (!old || !it->alone || !old->alone || old->pos.line != it->pos.line ||
	    old->pos.col != it->pos.col || !text_eq(old->pos.file, it->pos.file) ||
	    !text_eq(old->msg, it->msg))
		return false;
	old->more++;
	return true;
}

/* One diagnostic of another list, unless enough of its kind from the same place are there
 * already. */
static void pass_on(struct builder *bd, const struct diag_item *it, struct diag_item *last,
                    size_t *same)
{
	bool again;

	if (said_of_place(bd, it))
		return;
	again = last->msg && last->level == it->level && last->pos.line == it->pos.line &&
	        last->pos.col == it->pos.col;

	*same = again ? *same + 1 : 1;
	*last = *it;
	if (*same > SAME_MAX) {
		bd->d->errors += it->level == DIAG_ERROR;
		return;
	}
	if (it->level == DIAG_ERROR)
		diag_error(bd->d, it->pos, it->hint, "%s", it->msg);
	else if (it->level == DIAG_WARNING)
		diag_warn(bd->d, it->pos, it->hint, "%s", it->msg);
	else if (it->alone)
		diag_remark(bd->d, it->pos, it->hint, "%s", it->msg);
	else
		diag_note(bd->d, it->pos, it->hint, "%s", it->msg);
}

static void check_items(struct builder *bd, const struct section *s)
{
	struct diag_item last = {0};
	size_t same = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		const struct resource *r = &bd->b->v[s->first + i];
		struct diag own;

		if (r->life.absent || !s->type->check)
			continue;
		if (!s->repeated) {
			s->type->check(bd->b, r, bd->d);
			continue;
		}
		arena_reset(&bd->norm);
		diag_init(&own, &bd->norm);
		s->type->check(bd->b, r, &own);
		for (size_t k = 0; k < own.n; k++)
			pass_on(bd, &own.v[k], &last, &same);
	}
}

static void check_all(struct builder *bd)
{
	for (size_t k = 0; k < bd->sections.n; k++) {
		const struct section *s = &bd->sections.v[k];

		/* what seems to be missing may have stood in the part that could not be read */
		if (s->blk->broken)
			continue;
		if (s->count && !bd->b->v[s->first].life.absent)
			check_required(bd, s);
		for (uint32_t i = 0; i < s->count; i++)
			check_class(bd, &bd->b->v[s->first + i]);
		check_items(bd, s);
	}
}

static void init(struct builder *bd)
{
	size_t ntypes = 0, nset = 0;

	arena_init(&bd->tmp);
	arena_init(&bd->sec);
	arena_init(&bd->norm);
	map_init(&bd->var_at, &bd->tmp);
	map_init(&bd->section_at, &bd->tmp);
	map_init(&bd->source_at, &bd->tmp);
	map_init(&bd->b->by_address, bd->a);
	result_init(&bd->res);
	result_init(&bd->sub);
	buf_init(&bd->esc, 6 * (size_t)MANIFEST_VALUE_MAX + 2);
	buf_init(&bd->file, MANIFEST_VALUE_MAX + 16);
	map_init(&bd->unset, &bd->tmp);
	while (setting_keys[nset].key)
		nset++;
	while (lifecycle_keys[bd->nlife].key)
		bd->nlife++;
	bd->settings = arena_array(&bd->tmp, const struct raw_key *, nset);
	while (types[ntypes])
		ntypes++;
	bd->defs = arena_array(&bd->tmp, struct defaults, ntypes);
	for (size_t i = 0; i < ntypes; i++) {
		bd->defs[i].attrs = arena_array(&bd->tmp, struct prep, types[i]->nattrs);
		bd->defs[i].life = arena_array(&bd->tmp, struct prep, bd->nlife);
		if (i < sizeof bd->good / sizeof bd->good[0])
			bd->good[i] = arena_array(&bd->tmp, struct good, types[i]->nattrs);
	}
}

void batch_build(struct batch *b, struct arena *a, const struct manifest *m,
                 const struct batch_opts *o, struct diag *d)
{
	struct builder bd = {.b = b, .a = a, .m = m, .o = o, .d = d};

	*b = (struct batch){.a = a, .files = m->files, .nfiles = m->nfiles};
	init(&bd);
	for (size_t i = 0; i < m->n; i++)
		if (text_eq(m->v[i].header, "dtsbatch"))
			settings_collect(&bd, &m->v[i]);
	vars_build(&bd);
	settings_apply(&bd);
	sections_collect(&bd);
	bind_sections(&bd);
	refs_finish(&bd);
	vars_check_options(&bd);
	life_check(&bd);
	check_all(&bd);
	diag_sort(d);
	buf_release(&bd.res.text);
	buf_release(&bd.sub.text);
	buf_release(&bd.esc);
	buf_release(&bd.file);
	arena_release(&bd.norm);
	arena_release(&bd.sec);
	arena_release(&bd.tmp);
}

/* Reading ------------------------------------------------------------------------------------- */

const char *batch_text(struct arena *a, const struct value *v, id_lookup lookup, void *ctx)
{
	struct buf b;
	char *text = NULL;

	if (v->state == V_SET)
		return v->s;
	if (v->state != V_UNKNOWN || !v->nparts)
		return NULL;
	if (v->nparts == 1 && !v->parts[0].lit)
		return lookup(ctx, v->parts[0].target, v->parts[0].what);
	buf_init(&b, 2 * (size_t)MANIFEST_VALUE_MAX);
	for (unsigned i = 0; i < v->nparts; i++) {
		const struct part *p = &v->parts[i];
		const char *s = p->lit ? p->lit : lookup(ctx, p->target, p->what);

		if (!s) {
			buf_release(&b);
			return NULL;
		}
		buf_puts(&b, s);
	}
	text = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return text;
}

/* Checks name the same few dozen keys for every resource, so where the last one of a name was
 * found is tried first. A guess only: the name is compared. */
size_t attr_quick(const struct type_def *t, const char *key)
{
	static struct {
		const struct type_def *type;
		const char *key; /* as an address: most are literals */
		size_t at;
	} memo[1024];
	/* literals lie close together: the multiplication spreads them */
	uint64_t mix = ((uint64_t)(uintptr_t)key ^ (uint64_t)(uintptr_t)t << 20) *
	               UINT64_C(0x9e3779b97f4a7c15);
	size_t slot = mix >> 54;

	/* The linker merges equal literals, which mostly spares the comparison. */
	if (memo[slot].type != t || memo[slot].key != key ||
	    (t->attrs[memo[slot].at].key != key && strcmp(t->attrs[memo[slot].at].key, key) != 0)) {
		memo[slot].at = attr_of(t, key);
		memo[slot].type = t;
		memo[slot].key = key;
	}
	return memo[slot].at;
}

const struct value *res_val(const struct resource *r, const char *key)
{
	return &r->vals[attr_quick(r->type, key)];
}

const char *res_get(const struct resource *r, const char *key)
{
	const struct value *v = res_val(r, key);

	return v->state == V_SET ? v->s : NULL;
}

bool res_reverse(const struct resource *r)
{
	return r->type == &type_job && text_ieq(res_get(r, "synchronization_direction"), "Reverse");
}
