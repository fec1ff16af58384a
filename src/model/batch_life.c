/*
 * Lifecycle keys of sections: most are read by their row, a few have a
 * meaning of their own.
 */
#include <string.h>

#include "base/text.h"
#include "model/batch_internal.h"

#define MINUTE_MS ((int64_t)60 * 1000)

struct words {
	struct builder *bd;
	const struct raw_key *k;
	struct value_source src;
	const char *text;
	size_t at;
};

/* The next word of a comma list, or NULL; *off: where it stands in the text. */
static const char *next_word(struct words *w, size_t *off)
{
	while (w->text[w->at]) {
		size_t from = w->at, to = from + strcspn(w->text + from, ",");

		w->at = to + (w->text[to] ? 1 : 0);
		while (from < to && (w->text[from] == ' ' || w->text[from] == '\t'))
			from++;
		while (to > from && (w->text[to - 1] == ' ' || w->text[to - 1] == '\t'))
			to--;
		if (from == to)
			continue;
		*off = from;
		return arena_strndup(&w->bd->tmp, w->text + from, to - from);
	}
	return NULL;
}

static bool set_ignore(struct words *w, struct resource *r)
{
	const struct type_def *t = r->type;
	bool ok = true;
	size_t off;

	for (const char *key; (key = next_word(w, &off));) {
		int i = attr_find(t, key);

		if (i >= 0) {
			attr_add(&r->life.ignore, (size_t)i);
			continue;
		}
		const char **names = arena_array(&w->bd->tmp, const char *, t->nattrs);
		for (size_t k = 0; k < t->nattrs; k++)
			names[k] = t->attrs[k].key;
		const char *near = nearest_of(w->bd, key, names, t->nattrs);
		diag_error(w->bd->d, value_pos(&w->src, off),
		           near ? arena_printf(&w->bd->tmp, "did you mean %s?", near) : NULL,
		           "ignore: %s has no key %s", t->name,
		           text_safe_dup(&w->bd->tmp, key, 60));
		ok = false;
	}
	return ok;
}

static bool set_depends(struct words *w, struct resource *r)
{
	uint32_t self = (uint32_t)(r - w->bd->b->v);
	bool ok = true;
	size_t off;

	for (const char *address; (address = next_word(w, &off));) {
		struct pos pos = value_pos(&w->src, off);
		uint32_t first, n;

		if (!address_range(w->bd, address, pos, &first, &n)) {
			ok = false;
			continue;
		}
		if (n > 1 && r->each) { /* every item upon every item: quadratic, and never meant */
			diag_error(w->bd->d, pos,
			           arena_printf(&w->bd->tmp,
			                        "write %s[\"${each}\"] for the same item", address),
			           "depends_on: %s stands for %u resources", address, n);
			return false;
		}
		for (uint32_t i = 0; i < n; i++)
			add_edge(w->bd, self, first + i, pos);
	}
	return ok;
}

static bool set_was(struct words *w, struct resource *r)
{
	struct builder *bd = w->bd;
	const char *name = w->text, *type = r->type->name;
	size_t n = strlen(type), len;

	if (!strncmp(name, type, n) && name[n] == '.')
		name += n + 1;
	len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	bool item = name[len] == '[' && name[len + 1] == '"' && text_ends(name, "\"]");
	if (!len || len > MANIFEST_NAME_MAX || (name[len] && !item)) {
		diag_error(bd->d, value_pos(&w->src, 0),
		           "write was = OLDNAME; the type stays the same", "was: `%s` is no name",
		           text_safe_dup(&bd->tmp, w->text, 60));
		return false;
	}
	if (item || !r->each)
		r->life.was = arena_printf(bd->a, "%s.%s", type, name);
	else
		r->life.was = arena_printf(bd->a, "%s.%s[\"%s\"]", type, name, r->each);
	return true;
}

static bool set_region(struct words *w, struct resource *r)
{
	if (w->text[strspn(w->text, "abcdefghijklmnopqrstuvwxyz0123456789-")]) {
		diag_error(w->bd->d, value_pos(&w->src, 0), "a region is an id such as cn-hangzhou",
		           "region: `%s` is no region", text_safe_dup(&w->bd->tmp, w->text, 60));
		return false;
	}
	r->region = w->text;
	return true;
}

static bool set_one(struct builder *bd, const struct meta_key *row, struct prep *p,
                    const char *text, struct resource *r)
{
	static const struct {
		const char *key;
		bool (*set)(struct words *w, struct resource *r);
	} own[] = {{"ignore", set_ignore},
	           {"depends_on", set_depends},
	           {"was", set_was},
	           {"region", set_region}};
	struct words w = {.bd = bd, .k = p->k, .text = text, .src = {.key = p->k}};

	if (p->t) {
		w.src.shift = bd->res.shift.v;
		w.src.nshift = bd->res.shift.n / 2;
	}
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (!strcmp(own[i].key, row->key))
			return own[i].set(&w, r);
	return meta_set(bd, row, p->k, text, &r->life);
}

static void bind_row(struct builder *bd, const struct section *s, const struct meta_key *row,
                     struct prep *p)
{
	const char *text = NULL;
	bool each;

	if (!p->k || p->bad || !p->k->n || !strcmp(row->key, "for_each"))
		return;
	if (!p->t) {
		p->bad = !key_plain(bd, p->k, row->kind == META_TEXT || row->kind == META_LIST);
		if (!p->bad && memchr(p->k->text, '$', p->k->n)) {
			p->t = tpl_parse(bd, &bd->tmp, p->k,
			                 TPL_PLAIN | (s->repeated ? TPL_BIT(TPL_EACH) : 0),
			                 "this key");
			p->bad = !p->t;
		}
		if (p->bad)
			return;
	}
	each = p->t && p->t->has & TPL_BIT(TPL_EACH);
	for (uint32_t i = 0; i < s->count && !p->bad; i++) {
		struct resource *r = &bd->b->v[s->first + i];
		struct scope sc = {
			.each = r->each, .region = r->region ? r->region : bd->b->region, .p = p};

		if (each || !text)
			text = expand_text(bd, p->k, p->t, &sc);
		if (!text)
			p->bad = true;
		else if (*text)
			p->bad = !set_one(bd, row, p, text, r);
	}
}

void life_bind(struct builder *bd, const struct section *s, struct prep *const *life)
{
	int region = meta_find(lifecycle_keys, "region");

	for (uint32_t i = 0; i < s->count; i++) {
		struct lifecycle *l = &bd->b->v[s->first + i].life;
		l->timeout_create_ms = 20 * MINUTE_MS;
		l->timeout_update_ms = 10 * MINUTE_MS;
		l->timeout_delete_ms = 20 * MINUTE_MS;
	}
	bind_row(bd, s, &lifecycle_keys[region], life[region]); /* others may use ${region} */
	for (int i = 0; lifecycle_keys[i].key; i++)
		if (i != region)
			bind_row(bd, s, &lifecycle_keys[i], life[i]);
}

/* Several resources ---------------------------------------------------------------------------- */

static struct pos key_at(const struct section *s, const char *name)
{
	for (size_t i = 0; i < s->blk->n; i++)
		if (!strcmp(s->blk->keys[i].name, name))
			return raw_pos(&s->blk->keys[i], 0);
	return s->blk->pos;
}

/* Two resources that say the same about the past: one record or one thing cannot become two. */
static void check_unique(struct builder *bd, struct map *seen, const struct section *s, uint32_t i,
                         const char *key, const char *text)
{
	const char *id = arena_printf(&bd->tmp, "%s %s %s", key, s->type->name, text);
	uint32_t first = map_put(seen, id, i);

	if (first != MAP_NONE)
		diag_error(bd->d, key_at(s, key), "keep one of them", "%s: %s says the same (%s)",
		           key, bd->b->v[first].address, text_safe_dup(&bd->tmp, text, 60));
}

void life_check(struct builder *bd)
{
	struct map seen;

	map_init(&seen, &bd->tmp);
	for (size_t k = 0; k < bd->sections.n; k++) {
		const struct section *s = &bd->sections.v[k];

		for (uint32_t i = s->first; i < s->first + s->count; i++) {
			const struct lifecycle *l = &bd->b->v[i].life;
			uint32_t old = l->was ? map_get(&bd->b->by_address, l->was) : MAP_NONE;

			if (l->skip_precheck && s->type != &type_job)
				diag_error(bd->d, key_at(s, "skip_precheck"),
				           "put it into the section of its job",
				           "skip_precheck: an instance has no precheck");
			if (l->import_id)
				check_unique(bd, &seen, s, i, "import_id", l->import_id);
			if (l->was)
				check_unique(bd, &seen, s, i, "was", l->was);
			if (old == i)
				diag_error(bd->d, key_at(s, "was"), "remove this key",
				           "was: this is the name of the section itself");
			else if (old != MAP_NONE)
				diag_error(bd->d, key_at(s, "was"),
				           "remove this key, or the old section",
				           "was: [%s] still exists at %s:%u", l->was,
				           bd->b->v[old].pos.file, bd->b->v[old].pos.line);
		}
	}
}
