/*
 * Section headers -> settings, defaults and addresses. After this every
 * resource has its index, so that references can be looked up.
 */
#include <string.h>

#include "base/text.h"
#include "model/batch_internal.h"

#define WORDS_MAX 8
#define SHOWN_CELLS 60

/* Named in design.md 2, made by a later version. */
static const char *const later_types[] = {"migration_instance", "migration_job",
                                          "subscription_job",   "job_monitor_rule",
                                          "consumer_channel",   NULL};

const char *nearest_of(struct builder *bd, const char *word, const char *const *names, size_t n)
{
	/* Past the limit nothing is shown, so nothing is sought: a broken file must not cost a
	 * search per line. */
	return bd->d->errors > DIAG_MAX ? NULL : text_nearest(word, names, n);
}

size_t type_index(const struct type_def *t)
{
	size_t i = 0;

	while (types[i] != t)
		i++;
	return i;
}

static size_t type_names(const char *names[16])
{
	size_t n = 0;

	for (; n < 16 && types[n]; n++)
		names[n] = types[n]->name;
	return n;
}

/* Headers ------------------------------------------------------------------------------------- */

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static bool is_name(const char *s)
{
	size_t n = 0;

	while (word_char(s[n]))
		n++;
	return n && !s[n] && n <= MANIFEST_NAME_MAX;
}

static const char *without_prefix(const char *type)
{
	static const char *const prefixes[] = {"alicloud_dts_", "alicloud_", "dts_"};

	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (text_starts(type, prefixes[i]))
			return type + strlen(prefixes[i]);
	return type;
}

/* The type that was probably meant, or NULL. */
static const char *type_meant(struct builder *bd, const char *word)
{
	const char *names[16];
	size_t n = type_names(names);
	const char *bare = without_prefix(word);

	if (type_find(bare))
		return bare;
	for (size_t i = 0; i < n; i++)
		if (text_ieq(bare, names[i]) || text_ieq(bare, types[i]->label))
			return names[i];
	return nearest_of(bd, bare, names, n);
}

/* "[TYPE.NAME]" as it should have been written, from whatever words a header holds; NULL: no
 * idea. */
static const char *header_meant(struct builder *bd, const char *h)
{
	const char *words[WORDS_MAX];
	size_t n = 0, at = 0;

	while (*h && n < WORDS_MAX) {
		size_t len = 0;
		while (word_char(h[len]))
			len++;
		if (len)
			words[n++] = arena_strndup(&bd->tmp, h, len);
		h += len + (h[len] ? 1 : 0);
	}
	if (n && (text_ieq(words[0], "resource") || text_ieq(words[0], "data")))
		at++;
	if (n == 1 && (text_ieq(words[0], "dtsbatch") || text_ieq(words[0], "settings") ||
	               text_ieq(words[0], "global") || text_ieq(words[0], "default") ||
	               text_nearest(words[0], (const char *const[]){"dtsbatch"}, 1)))
		return "[dtsbatch]";
	if (n == 1 &&
	    text_nearest(words[0], (const char *const[]){"variables", "variable", "vars", "var"},
	                 4))
		return "[variables]";
	if (at + 2 <= n &&
	    text_nearest(words[at], (const char *const[]){"defaults", "default"}, 2)) {
		const char *type = type_meant(bd, words[at + 1]);
		return type ? arena_printf(&bd->tmp, "[defaults.%s]", type) : NULL;
	}
	const char *type = at < n ? type_meant(bd, words[at]) : NULL;
	if (!type)
		return NULL;
	return at + 1 < n && is_name(words[at + 1])
	               ? arena_printf(&bd->tmp, "[%s.%s]", type, words[at + 1])
	               : arena_printf(&bd->tmp, "[%s.NAME]", type);
}

static void bad_header(struct builder *bd, const struct block *blk, const char *msg)
{
	const char *meant = bd->d->errors > DIAG_MAX ? NULL : header_meant(bd, blk->header);

	diag_error(bd->d, blk->pos,
	           meant ? arena_printf(&bd->tmp, "write %s", meant)
	                 : "sections are [dtsbatch], [variables], [defaults.TYPE] and [TYPE.NAME]",
	           "[%s]: %s", text_safe_dup(&bd->tmp, blk->header, SHOWN_CELLS), msg);
}

static const char *unknown_type(struct builder *bd, const char *type)
{
	for (size_t i = 0; later_types[i]; i++)
		if (text_eq(without_prefix(type), later_types[i]))
			return arena_printf(&bd->tmp, "%s is not in this version", later_types[i]);
	if (without_prefix(type) != type && type_find(without_prefix(type)))
		return "types are written without the prefix of the Terraform provider";
	return arena_printf(&bd->tmp, "unknown type %s",
	                    text_safe_dup(&bd->tmp, type, SHOWN_CELLS));
}

static const char *name_hint(struct builder *bd, const char *type, const char *name)
{
	char *better = arena_strdup(&bd->tmp, name);
	bool any = false;

	for (char *p = better; *p; p++) {
		any = any || word_char(*p);
		if (!word_char(*p))
			*p = '-';
	}
	if (!any || strlen(better) > MANIFEST_NAME_MAX)
		return "a name has letters, digits, `_` and `-`, 1 to 64 of them";
	return arena_printf(&bd->tmp,
	                    "a name has letters, digits, `_` and `-`, 1 to 64 of them: [%s.%s]",
	                    type, better);
}

/* TYPE.NAME of a header; NULL when reported. */
static const struct type_def *header_type(struct builder *bd, const struct block *blk,
                                          const char **name)
{
	const char *h = blk->header;
	size_t dot = 0, bad;
	const struct type_def *t;

	while (word_char(h[dot]))
		dot++;
	if (!dot || h[dot] != '.') {
		bad_header(bd, blk,
		           !*h      ? "a section needs a name"
		           : h[dot] ? "a section is written [TYPE.NAME], without quotes"
		                    : "unknown section");
		return NULL;
	}
	*name = h + dot + 1;
	const char *type = arena_strndup(&bd->tmp, h, dot);
	t = type_find(type);
	if (!t) {
		bad_header(bd, blk, unknown_type(bd, type));
		return NULL;
	}
	if (is_name(*name))
		return t;
	for (bad = 0; word_char((*name)[bad]);)
		bad++;
	if (!**name)
		bad_header(bd, blk, "the name is missing");
	else if (!(*name)[bad])
		diag_error(bd->d, blk->pos, NULL,
		           "[%s.%s]: name of %zu bytes; a name has at most %d", type,
		           text_safe_dup(&bd->tmp, *name, SHOWN_CELLS), bad, MANIFEST_NAME_MAX);
	else if ((*name)[bad] == '[')
		diag_error(
			bd->d, blk->pos,
			"write `for_each = ITEM, ...` in one section; its resources then have such "
			"addresses",
			"[%s]: the items of a section have no section of their own",
			text_safe_dup(&bd->tmp, h, SHOWN_CELLS));
	else
		diag_error(bd->d, blk->pos, name_hint(bd, type, *name), "[%s]: `%s` is no name",
		           text_safe_dup(&bd->tmp, h, SHOWN_CELLS),
		           text_safe_dup(&bd->tmp, *name, SHOWN_CELLS));
	return NULL;
}

/* Keys ---------------------------------------------------------------------------------------- */

/* The only key that ends in "_word", or NULL: people leave the beginning out (class for
 * instance_class). */
static const char *longer_key(const struct type_def *t, const char *word)
{
	const char *found = NULL;
	size_t n = strlen(word);

	for (size_t i = 0; i < t->nattrs; i++) {
		size_t len = strlen(t->attrs[i].key);

		if (len <= n + 1 || t->attrs[i].key[len - n - 1] != '_' ||
		    strcmp(t->attrs[i].key + len - n, word) != 0)
			continue;
		if (found)
			return NULL;
		found = t->attrs[i].key;
	}
	return found;
}

void unknown_key(struct builder *bd, const struct type_def *t, const struct raw_key *k,
                 struct prep *slots)
{
	const char **names = arena_array(&bd->tmp, const char *, t->nattrs + bd->nlife);
	const char *near;
	size_t n = 0;

	for (; n < t->nattrs; n++)
		names[n] = t->attrs[n].key;
	for (size_t i = 0; lifecycle_keys[i].key; i++)
		names[n++] = lifecycle_keys[i].key;
	for (size_t i = 0; types[i]; i++)
		if (types[i] != t && attr_find(types[i], k->name) >= 0) {
			diag_error(
				bd->d, k->pos,
				arena_printf(&bd->tmp, "it belongs to [%s.NAME]", types[i]->name),
				"%s has no key %s", t->name, k->name);
			return;
		}
	near = nearest_of(bd, k->name, names, n);
	if (!near)
		near = longer_key(t, k->name);
	int row = setting_keys[0].key ? meta_find(setting_keys, k->name) : -1;
	const char *hint =
		near ? arena_printf(&bd->tmp, "did you mean %s?", near)
		: row >= 0
			? "it belongs to [dtsbatch]"
			: arena_printf(&bd->tmp, "`dtsbatch explain %s` lists the keys", t->name);
	diag_error(bd->d, k->pos, hint, "%s has no key %s", t->name, k->name);
	/* The key that was meant is there, only misspelt: it is not missing, too. */
	int i = near && slots ? attr_find(t, near) : -1;
	if (i >= 0 && !slots[i].k)
		slots[i] = (struct prep){.k = k, .bad = true};
}

static void collect_defaults(struct builder *bd, const struct block *blk)
{
	const struct type_def *t = type_find(blk->header + strlen("defaults."));

	if (!t) {
		bad_header(bd, blk, "unknown type");
		return;
	}
	struct defaults *df = &bd->defs[type_index(t)];
	for (size_t i = 0; i < blk->n; i++) {
		const struct raw_key *k = &blk->keys[i];
		int at = attr_find(t, k->name), row = meta_find(lifecycle_keys, k->name);
		struct prep *p = at >= 0 ? &df->attrs[at] : row >= 0 ? &df->life[row] : NULL;

		if (!p)
			unknown_key(bd, t, k, NULL);
		else if (p->k)
			diag_twice(bd, k, p->k->pos);
		else if (at < 0 && !lifecycle_keys[row].defaults)
			diag_error(bd->d, k->pos, "write it in the section it is meant for",
			           "%s cannot stand in [%s]", k->name, blk->header);
		else if (at >= 0)
			p->k = k, prep_attr(bd, &bd->tmp, &t->attrs[at], p, ~0u);
		else
			p->k = k;
	}
}

/* Resources ----------------------------------------------------------------------------------- */

static const struct raw_key *block_key(const struct block *blk, const char *name)
{
	for (size_t i = 0; i < blk->n; i++)
		if (!strcmp(blk->keys[i].name, name))
			return &blk->keys[i];
	return NULL;
}

static void add_section(struct builder *bd, const struct block *blk)
{
	const char *name;
	const struct type_def *t = header_type(bd, blk, &name);

	if (!t)
		return;
	uint32_t have = map_get(&bd->section_at, blk->header);
	if (have != MAP_NONE) {
		struct pos first = bd->sections.v[have].blk->pos;
		diag_error(bd->d, blk->pos, "join them, or rename one",
		           "[%s] is given twice; the first one stands at %s:%u:%u", blk->header,
		           first.file, first.line, first.col);
		return;
	}
	struct section s = {.blk = blk,
	                    .type = t,
	                    .name = name,
	                    .base = blk->header,
	                    .count = 1,
	                    .first = (uint32_t)bd->b->n};
	const struct raw_key *each = block_key(blk, "for_each");
	if (each && (each->n || each->bad)) {
		s.repeated = true;
		s.items = each_items(bd, each, &s.count);
		s.broken = !s.items;
	}
	if (bd->b->n + s.count > MANIFEST_RESOURCES_MAX) {
		if (bd->b->n <= MANIFEST_RESOURCES_MAX)
			diag_error(bd->d, blk->pos, "split the batch",
			           "more than %d resources in one batch", MANIFEST_RESOURCES_MAX);
		bd->b->n = MANIFEST_RESOURCES_MAX + 1; /* said once; nothing is added any more */
		return;
	}
	map_put(&bd->section_at, s.base, (uint32_t)bd->sections.n);
	*VEC_PUSH(&bd->tmp, &bd->sections) = s;
	bd->b->n += s.count;
}

static void name_resources(struct builder *bd)
{
	struct batch *b = bd->b;
	uint32_t n = 0;

	b->v = arena_array(b->a, struct resource, b->n + 1);
	for (size_t i = 0; i < bd->sections.n; i++) {
		struct section *s = &bd->sections.v[i];

		for (uint32_t k = 0; k < s->count; k++, n++) {
			struct resource *r = &b->v[n];
			r->type = s->type;
			r->name = s->name;
			r->each = s->repeated ? s->items[k] : NULL;
			r->address =
				s->repeated ? arena_printf(b->a, "%s[\"%s\"]", s->base, s->items[k])
					    : s->base;
			r->file = s->blk->pos.file;
			r->pos = s->blk->pos;
			r->instance = RES_NONE;
			r->vals = arena_array(b->a, struct value, s->type->nattrs);
			map_put(&b->by_address, r->address, n);
		}
	}
	b->n = n;
}

void sections_collect(struct builder *bd)
{
	for (size_t i = 0; i < bd->m->n; i++) {
		const struct block *blk = &bd->m->v[i];
		const char *h = blk->header;

		if (!h || !strcmp(h, "dtsbatch") || !strcmp(h, "variables"))
			continue;
		if (text_starts(h, "defaults."))
			collect_defaults(bd, blk);
		else
			add_section(bd, blk);
	}
	name_resources(bd);
}
