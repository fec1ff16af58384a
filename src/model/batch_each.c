/*
 * for_each: `a, b, c` or `@FILE` with one item per line. Each item becomes
 * part of an address (TYPE.NAME["a"]), so it is a short text without quotes.
 */
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "model/batch_internal.h"

#define ITEM_MAX 128

struct list {
	struct builder *bd;
	const struct raw_key *k;
	struct value_source src;
	struct map seen; /* item -> offset in text */
	const char *text;
	VEC(const char *) v;
};

static void trim(const char *s, size_t *from, size_t *to)
{
	while (*from < *to && (s[*from] == ' ' || s[*from] == '\t' || s[*from] == '\r'))
		++*from;
	while (*to > *from && (s[*to - 1] == ' ' || s[*to - 1] == '\t' || s[*to - 1] == '\r'))
		--*to;
}

static void mistake(struct list *l, size_t off, const char *hint, const char *fmt, const char *arg)
{
	diag_error(l->bd->d, value_pos(&l->src, off), hint, "for_each: %s `%s`", fmt,
	           text_safe_dup(&l->bd->tmp, arg, 60));
}

static void add_item(struct list *l, size_t from, size_t to)
{
	struct builder *bd = l->bd;
	const char *item = arena_strndup(bd->a, l->text + from, to - from);
	uint32_t first = map_get(&l->seen, item);

	for (size_t i = 0; item[i]; i++)
		if (item[i] == '"' || item[i] == '\\' || (unsigned char)item[i] < 0x20 ||
		    item[i] == 0x7f) {
			mistake(l, from + i,
			        "an item becomes part of an address: no quotes, backslashes or "
			        "control characters",
			        "this character cannot stand in the item", item);
			return;
		}
	if (to - from > ITEM_MAX) {
		mistake(l, from, "an item has at most 128 bytes", "too long:", item);
		return;
	}
	if (first != MAP_NONE) {
		struct pos p = value_pos(&l->src, first);
		diag_error(bd->d, value_pos(&l->src, from), "keep one of them",
		           "for_each: `%s` is given twice; the first one stands at %s:%u:%u",
		           text_safe_dup(&bd->tmp, item, 60), p.file, p.line, p.col);
		return;
	}
	map_put(&l->seen, item, (uint32_t)from);
	*VEC_PUSH(&bd->tmp, &l->v) = item;
}

static void split(struct list *l, char sep, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *end = memchr(l->text + at, sep, n - at);
		size_t next = end ? (size_t)(end - l->text) : n, from = at, to = next;

		trim(l->text, &from, &to);
		if (sep == '\n' && from < to && (l->text[from] == '#' || l->text[from] == ';'))
			to = from; /* a comment, as in the manifest */
		if (from < to)
			add_item(l, from, to);
		else if (sep == ',' && next < n)
			diag_error(l->bd->d, value_pos(&l->src, from < n ? from : n - 1), NULL,
			           "for_each: an item is missing before this comma");
		at = next + 1;
	}
}

/* False: reported. */
static bool read_list(struct list *l, const char *path)
{
	struct builder *bd = l->bd;
	struct buf b;
	struct err e = {0};
	bool ok = false;

	buf_init(&b, MANIFEST_FILE_MAX);
	struct pos pos = value_pos(&l->src, 0);
	if (!*path) {
		diag_error(bd->d, pos, "write @FILE", "for_each: the name of the file is missing");
	} else if (bd->o->in->read(bd->o->in->ctx, l->k->pos.file, path, false, &b, &e) || b.over) {
		diag_error(bd->d, pos, "paths are relative to the manifest", "for_each: %s",
		           *e.msg ? e.msg : arena_printf(&bd->tmp, "%s cannot be read", path));
	} else {
		const char *text = buf_str(&b);
		size_t bom = b.n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0, n = b.n - bom;
		l->text = arena_strndup(&bd->tmp, text + bom, n);
		l->src = (struct value_source){.from_file = path_beside(bd, l->k->pos.file, path),
		                               .text = l->text};
		ok = !memchr(l->text, 0, n) && text_utf8_bad(l->text, n) == n;
		if (!ok)
			diag_error(bd->d, pos, "a list of items is text in UTF-8",
			           "for_each: %s is no text", path);
		else
			split(l, '\n', n);
	}
	buf_release(&b);
	return ok;
}

const char **each_items(struct builder *bd, const struct raw_key *k, uint32_t *n)
{
	struct list l = {.bd = bd, .k = k, .src = {.key = k}};
	struct scope sc = {.region = bd->b->region};
	size_t errors = bd->d->errors;
	const struct tpl *t = NULL;
	bool file = k->n && k->text[0] == '@';

	*n = 0;
	map_init(&l.seen, &bd->tmp);
	if (!key_plain(bd, k, true))
		return NULL;
	if (k->n && k->text[0] == '[') {
		diag_error(bd->d, raw_pos(k, 0), "write for_each = a, b, c",
		           "for_each: a list has no brackets");
		return NULL;
	}
	if (memchr(k->text, '$', k->n)) {
		t = tpl_parse(bd, &bd->tmp, k, TPL_PLAIN, "for_each");
		if (!t || !expand(bd, t, &sc) || !no_secret(bd, &bd->res, k))
			return NULL;
		l.text = arena_strndup(&bd->tmp, buf_str(&bd->res.text), bd->res.text.n);
		l.src.shift =
			bd->res.shift.v; /* bd->res is not used again before the list is split */
		l.src.nshift = bd->res.shift.n / 2;
	} else {
		l.text = k->text;
	}
	if (!file)
		split(&l, ',', strlen(l.text));
	else if (!read_list(&l, l.text + 1))
		return NULL;
	if (bd->d->errors != errors)
		return NULL;
	if (!l.v.n)
		diag_warn(bd->d, raw_pos(k, 0), NULL,
		          "for_each: the list is empty, so this section stands for no resource");
	if (l.v.n > MANIFEST_RESOURCES_MAX) {
		diag_error(bd->d, raw_pos(k, 0), NULL,
		           "for_each: %zu items; a batch has at most %d resources", l.v.n,
		           MANIFEST_RESOURCES_MAX);
		return NULL;
	}
	const char **items = arena_array(bd->a, const char *, l.v.n + 1);
	if (l.v.n)
		memcpy(items, l.v.v, l.v.n * sizeof *items);
	*n = (uint32_t)l.v.n;
	return items;
}
