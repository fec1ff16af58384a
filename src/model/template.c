/*
 * `${...}` in values: found and taken apart once for each key as written,
 * however many resources use it. One pass: what is inserted later is never
 * looked at again.
 */
#include <string.h>

#include "base/text.h"
#include "model/batch_internal.h"
#include "model/manifest_line.h"

#define SHOWN_CELLS 60

static const char forms[] = "known: ${TYPE.NAME.id} or another key of that section, ${var.NAME}, "
			    "${env:NAME}, ${file:PATH}, ${cred:NAME}, ${region}, ${each}; a plain "
			    "`${` is written `$${`";

struct parser {
	struct builder *bd;
	struct arena *a; /* of the template, and for what is needed on the way */
	const struct raw_key *k;
	unsigned allowed;
	const char *what; /* where we are, for messages */
	VEC(struct tpl_part) v;
};

struct pos tpl_pos(const struct tpl *t, const struct tpl_part *p)
{
	return raw_pos(t->k, p->off);
}

/* Length of `${...}` at off, or 0 when it never ends. Names may hold one more level:
 * ${file:${each}}. */
static size_t ref_len(const char *s, size_t off, size_t to)
{
	size_t depth = 0;

	for (size_t i = off; i < to; i++) {
		if (s[i] == '$' && i + 1 < to && s[i + 1] == '{') {
			depth++;
			i++;
		} else if (s[i] == '}' && !--depth) {
			return i + 1 - off;
		}
	}
	return 0;
}

static bool wrong(struct parser *ps, size_t off, const char *hint, const char *fmt, const char *arg)
{
	const char *shown = text_safe_dup(ps->a, arg, SHOWN_CELLS);

	diag_error(ps->bd->d, raw_pos(ps->k, off), hint, "%s: %s%s%s", ps->k->name, fmt,
	           *arg ? " " : "", shown);
	return false;
}

static bool is_word(const char *s)
{
	return *s &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
	               '\0';
}

/* A hint for what looks like none of the forms. */
static const char *forms_hint(struct parser *ps, const char *inner)
{

	if (is_word(inner) && map_get(&ps->bd->var_at, inner) != MAP_NONE)
		return arena_printf(ps->a, "write ${var.%s}; %s", inner, forms);
	if (is_word(inner) && inner[strcspn(inner, "abcdefghijklmnopqrstuvwxyz")] == '\0')
		return arena_printf(ps->a, "an environment variable is ${env:%s}; %s", inner,
		                    forms);
	if (text_starts(inner, "alicloud_dts_"))
		return arena_printf(ps->a, "write ${%s}, without alicloud_dts_",
		                    inner + strlen("alicloud_dts_"));
	return forms;
}

static bool parse_span(struct parser *ps, size_t from, size_t to, unsigned allowed, bool nested);

/* The text [from, to) as a template of its own. Fixed depth: names hold no names. */
static const struct tpl *parse_nested(struct parser *ps, size_t from, size_t to)
{
	struct parser in = {
		.bd = ps->bd, .a = ps->a, .k = ps->k, .allowed = ps->allowed, .what = ps->what};
	struct tpl *t;

	if (!parse_span(&in, from, to, TPL_BIT(TPL_EACH) | TPL_BIT(TPL_VAR) | TPL_BIT(TPL_REGION),
	                true))
		return NULL;
	t = arena_new(ps->a, struct tpl);
	*t = (struct tpl){.k = ps->k, .v = in.v.v, .n = in.v.n};
	for (size_t i = 0; i < t->n; i++)
		t->has |= TPL_BIT(t->v[i].kind);
	return t;
}

static int computed_of(const struct type_def *type, const char *attr)
{
	if (!strcmp(attr, "id"))
		return COMP_ID;
	if (!strcmp(attr, "job_id") || !strcmp(attr, "dts_job_id"))
		return COMP_JOB_ID;
	if (!strcmp(attr, "status"))
		return COMP_STATUS;
	if (!strcmp(attr, "instance_id") ||
	    (!strcmp(attr, "dts_instance_id") && attr_find(type, attr) < 0))
		return COMP_INSTANCE_ID;
	return COMP_NONE;
}

static bool ref_attr(struct parser *ps, struct tpl_part *p, size_t off)
{
	static const char *const computed[] = {"id", "job_id", "instance_id", "status"};
	const struct type_def *t = p->type;
	const char **names;
	const char *near;

	p->comp = computed_of(t, p->attr);
	if (p->comp != COMP_NONE || attr_find(t, p->attr) >= 0)
		return true;
	names = arena_array(ps->a, const char *, t->nattrs + 4);
	for (size_t i = 0; i < t->nattrs; i++)
		names[i] = t->attrs[i].key;
	for (size_t i = 0; i < 4; i++)
		names[t->nattrs + i] = computed[i];
	near = nearest_of(ps->bd, p->attr, names, t->nattrs + 4);
	return wrong(ps, off,
	             near ? arena_printf(ps->a, "did you mean %s?", near)
	                  : "a section has its keys, and id, instance_id, job_id and status",
	             arena_printf(ps->a, "%s has no key", t->name), p->attr);
}

/* TYPE.NAME.ATTR or TYPE.NAME["ITEM"].ATTR in [from, to). */
static bool parse_resource(struct parser *ps, struct tpl_part *p, size_t from, size_t to)
{
	const char *s = ps->k->text;
	const char *inner = arena_strndup(ps->a, s + from, to - from);
	size_t dot = strcspn(inner, "."), name = dot + 1, end;
	const char *type = arena_strndup(ps->a, inner, dot);

	if (!inner[dot] || !is_word(type))
		return wrong(ps, p->off, forms_hint(ps, inner), "unknown reference", inner);
	p->type = type_find(type);
	if (!p->type) {
		const char *names[16];
		size_t n = 0;
		for (; n < 16 && types[n]; n++)
			names[n] = types[n]->name;
		const char *near = nearest_of(ps->bd, type, names, n);
		return wrong(ps, p->off,
		             near ? arena_printf(ps->a, "did you mean %s?", near)
		                  : forms_hint(ps, inner),
		             "unknown reference", inner);
	}
	end = name + strcspn(inner + name, ".[");
	p->s = arena_strndup(ps->a, inner + name, end - name);
	p->n = end - name;
	if (!p->n || !inner[end])
		return wrong(ps, p->off, "a reference names a key: ${TYPE.NAME.id}",
		             "incomplete reference", inner);
	if (inner[end] == '[') {
		const char *close = inner[end + 1] == '"' ? strstr(inner + end + 2, "\"]") : NULL;
		for (const char *next; close && (next = strstr(close + 1, "\"]"));)
			close = next;
		if (!close)
			return wrong(ps, p->off,
			             "an item of a repeated section is ${TYPE.NAME[\"ITEM\"].id}",
			             "malformed reference", inner);
		p->sub = parse_nested(ps, from + end + 2, from + (size_t)(close - inner));
		if (!p->sub)
			return false;
		end = (size_t)(close - inner) + 2;
	}
	if (inner[end] != '.' || !is_word(inner + end + 1))
		return wrong(ps, p->off, "a reference names a key: ${TYPE.NAME.id}",
		             "malformed reference", inner);
	p->attr = arena_strdup(ps->a, inner + end + 1);
	return ref_attr(ps, p, p->off);
}

/* ${env:NAME} and its like: `name` is [from, to). */
static bool parse_source(struct parser *ps, struct tpl_part *p, size_t from, size_t to)
{
	const char *s = ps->k->text;

	line_trim(s, &from, &to);
	if (from == to)
		return wrong(ps, p->off, NULL, "a name is missing in this reference", "");
	p->s = arena_strndup(ps->a, s + from, to - from);
	p->n = to - from;
	if (strstr(p->s, "${")) {
		p->sub = parse_nested(ps, from, to);
		return p->sub != NULL;
	}
	return true;
}

static bool parse_ref(struct parser *ps, struct tpl_part *p, unsigned allowed, bool nested)
{
	static const struct {
		const char *prefix;
		enum tpl_kind kind;
	} kinds[] = {
		{"env:", TPL_ENV}, {"file:", TPL_FILE}, {"cred:", TPL_CRED}, {"var.", TPL_VAR}};
	const char *s = ps->k->text;
	size_t from = p->off + 2, to = p->off + p->len - 1;

	line_trim(s, &from, &to);
	const char *inner = arena_strndup(ps->a, s + from, to - from);
	p->kind = TPL_REF;
	p->comp = COMP_NONE;
	if (!strcmp(inner, "each"))
		p->kind = TPL_EACH;
	else if (!strcmp(inner, "region"))
		p->kind = TPL_REGION;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (text_starts(inner, kinds[i].prefix)) {
			p->kind = kinds[i].kind;
			from += strlen(kinds[i].prefix);
		}
	/* Before anything nested is looked at: this bounds the depth. */
	if (nested && !(allowed & TPL_BIT(p->kind)))
		return wrong(ps, p->off,
		             "inside a reference only ${each}, ${var.NAME} and ${region} can stand",
		             "this reference cannot stand inside another one:", inner);
	if (p->kind == TPL_REF ? !parse_resource(ps, p, from, to)
	                       : p->kind != TPL_EACH && p->kind != TPL_REGION &&
	                                 !parse_source(ps, p, from, to))
		return false;
	if (!(ps->allowed & TPL_BIT(p->kind)))
		return wrong(
			ps, p->off,
			p->kind == TPL_EACH ? "it is the item of a for_each in the same section"
					    : NULL,
			arena_printf(ps->a, "%s cannot hold this reference:", ps->what), inner);
	return true;
}

static void add_lit(struct parser *ps, size_t off, size_t raw_len, const char *s, size_t n)
{
	if (n)
		*VEC_PUSH(ps->a, &ps->v) = (struct tpl_part){.kind = TPL_LIT,
		                                             .off = (uint32_t)off,
		                                             .len = (uint32_t)raw_len,
		                                             .s = s,
		                                             .n = n};
}

/* Takes [from, to) of the raw text apart. All mistakes in it are reported. */
static bool parse_span(struct parser *ps, size_t from, size_t to, unsigned allowed, bool nested)
{
	const char *s = ps->k->text;
	size_t lit = from;
	bool ok = true;

	for (size_t i = from; i < to;) {
		if (s[i] != '$' || i + 1 >= to) {
			i++;
			continue;
		}
		if (s[i + 1] == '$' && i + 2 < to && s[i + 2] == '{') {
			add_lit(ps, lit, i - lit, s + lit, i - lit);
			add_lit(ps, i, 3, "${", 2);
			i += 3;
			lit = i;
			continue;
		}
		if (s[i + 1] != '{') {
			i++;
			continue;
		}
		size_t len = ref_len(s, i, to);
		if (!len) {
			wrong(ps, i, "end it with `}`, or write `$${` for a plain `${`",
			      "this `${` is never closed", "");
			return false;
		}
		add_lit(ps, lit, i - lit, s + lit, i - lit);
		struct tpl_part p = {.off = (uint32_t)i, .len = (uint32_t)len};
		ok = parse_ref(ps, &p, allowed, nested) && ok;
		*VEC_PUSH(ps->a, &ps->v) = p;
		i += len;
		lit = i;
	}
	add_lit(ps, lit, to - lit, s + lit, to - lit);
	return ok;
}

struct tpl *tpl_parse(struct builder *bd, struct arena *a, const struct raw_key *k,
                      unsigned allowed, const char *what)
{
	struct parser ps = {
		.bd = bd, .a = a, .k = k, .allowed = allowed | TPL_BIT(TPL_LIT), .what = what};
	struct tpl *t;

	if (!parse_span(&ps, 0, k->n, 0, false))
		return NULL;
	t = arena_new(a, struct tpl);
	*t = (struct tpl){.k = k, .v = ps.v.v, .n = ps.v.n};
	for (size_t i = 0; i < t->n; i++) {
		t->has |= TPL_BIT(t->v[i].kind);
		if (t->v[i].sub)
			t->has |= t->v[i].sub->has;
		if (t->v[i].kind == TPL_REF && t->v[i].comp == COMP_NONE)
			t->has |= TPL_ATTR;
	}
	return t;
}

bool tpl_json(struct builder *bd, struct tpl *t)
{
	bool in_string = false, ok = true;

	for (size_t i = 0; i < t->n; i++) {
		struct tpl_part *p = &t->v[i];

		if (p->kind == TPL_LIT) {
			for (size_t j = 0; j < p->n; j++) {
				if (p->s[j] == '"')
					in_string = !in_string;
				else if (p->s[j] == '\\' && in_string)
					j++;
			}
			continue;
		}
		p->quoted = in_string;
		if (!in_string && (t->n > 1 || p->comp > COMP_NONE)) {
			diag_error(bd->d, tpl_pos(t, p),
			           "put it into double quotes; it is inserted escaped",
			           "%s: inside JSON a reference stands in a string", t->k->name);
			ok = false;
		}
	}
	return ok;
}
