/*
 * Text of a manifest -> wire form, kind by kind. Every mistake is reported at
 * the byte it stands at; values of secret rows are never quoted in a message.
 */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/text.h"
#include "model/batch.h"
#include "model/compare.h"
#include "model/normalize.h"
#include "model/schema.h"

#define SHOWN_CELLS 60
#define PHONES_MAX 10
#define TAGS_MAX 20

#define NO_COMMENTS                                                                                \
	"there are no inline comments: everything after `=` belongs to the value; give the "       \
	"comment its own line"

struct pos source_pos(const struct value_source *src, size_t off)
{
	if (!src || (!src->key && !src->from_file))
		return (struct pos){0};
	return value_pos(src, off);
}

size_t schema_inline_comment(const char *text, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		if ((text[i] == ' ' || text[i] == '\t') &&
		    (text[i + 1] == ';' || text[i + 1] == '#'))
			return i + 1;
	return SIZE_MAX;
}

/* The same, but only where the manifest itself has it: inserted text may hold what it likes. */
static size_t written_comment(const char *text, size_t n, const struct value_source *src)
{
	if (src && src->from_file)
		return SIZE_MAX;
	if (src && src->key && schema_inline_comment(src->key->text, src->key->n) == SIZE_MAX)
		return SIZE_MAX;
	return schema_inline_comment(text, n);
}

static const char *show(struct arena *a, const char *text)
{
	return text_safe_dup(a, text, SHOWN_CELLS);
}

/* ---- booleans and numbers ---- */

static const char *normalize_bool(struct arena *a, const struct attr_def *at, const char *text,
                                  size_t n, const struct value_source *src, struct diag *d)
{
	static const char *const yes[] = {"true", "yes", "on", "1", "y", "t", "enable", "enabled"};
	static const char *const no[] = {"false", "no", "off",     "0",
	                                 "n",     "f",  "disable", "disabled"};
	const char *hint = "write true or false";

	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return text;
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (text_ieq(text, yes[i]))
			hint = "booleans are `true` or `false`: write `true`";
		if (text_ieq(text, no[i]))
			hint = "booleans are `true` or `false`: write `false`";
	}
	if (written_comment(text, n, src) != SIZE_MAX)
		hint = NO_COMMENTS;
	diag_error(d, source_pos(src, 0), hint, "%s: `%s` is neither `true` nor `false`", at->key,
	           show(a, text));
	return NULL;
}

static const char *normalize_int(struct arena *a, const struct attr_def *at, const char *text,
                                 size_t n, const struct value_source *src, struct diag *d)
{
	bool bounded = at->min || at->max;
	const char *hint = "write decimal digits only, without unit";
	int64_t v;

	if (!text_int(text, INT64_MIN, INT64_MAX, &v)) {
		if (written_comment(text, n, src) != SIZE_MAX)
			hint = NO_COMMENTS;
		diag_error(d, source_pos(src, 0), hint, "%s: `%s` is no whole number", at->key,
		           show(a, text));
		return NULL;
	}
	if (bounded && (v < at->min || v > at->max)) {
		diag_error(d, source_pos(src, 0), NULL,
		           "%s: %s is not within %" PRId64 " to %" PRId64, at->key, text, at->min,
		           at->max);
		return NULL;
	}
	return text;
}

/* ---- enums ---- */

#define ENUM_MAX 64

static size_t split_values(struct arena *a, const char *values, const char **out)
{
	size_t n = 0;

	for (const char *p = values; n < ENUM_MAX;) {
		size_t len = strcspn(p, "|");

		out[n++] = arena_strndup(a, p, len);
		if (!p[len])
			break;
		p += len + 1;
	}
	return n;
}

static char *lower(struct arena *a, const char *s)
{
	char *l = arena_strdup(a, s);

	for (char *p = l; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return l;
}

/* What was probably meant: another spelling of the engine, another case, or a near miss. */
static const char *enum_meant(struct arena *a, const struct attr_def *at, const char *word,
                              const char *const *names, size_t n)
{
	const char *low[ENUM_MAX];
	const char *near;

	for (size_t i = 0; i < n; i++) {
		if (text_ieq(word, names[i]) ||
		    ((at->flags & A_ENGINE) && engine_same(word, names[i])))
			return names[i];
		low[i] = lower(a, names[i]);
	}
	near = text_nearest(lower(a, word), low, n);
	for (size_t i = 0; near && i < n; i++)
		if (near == low[i])
			return names[i];
	return NULL;
}

static const char *enum_first_word(struct arena *a, const char *text, size_t comment)
{
	size_t n = comment;

	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	return arena_strndup(a, text, n);
}

static const char *normalize_enum(struct arena *a, const struct attr_def *at, const char *text,
                                  size_t n, const struct value_source *src, struct diag *d)
{
	const char *names[ENUM_MAX];
	size_t count = split_values(a, at->values, names);
	size_t comment = written_comment(text, n, src);
	const char *meant, *hint;

	for (size_t i = 0; i < count; i++)
		if (at->flags & A_NOCASE ? text_ieq(text, names[i]) : !strcmp(text, names[i]))
			return text;
	/* The words of the API for the same thing: both are unmistakable. */
	if (at->route == ROUTE_PAYTYPE &&
	    (text_ieq(text, "PostPaid") || text_ieq(text, "PrePaid"))) {
		meant = text_ieq(text, "PostPaid") ? "PayAsYouGo" : "Subscription";
		diag_warn(d, source_pos(src, 0), arena_printf(a, "write %s", meant),
		          "%s: %s is taken as %s", at->key, text, meant);
		return meant;
	}
	meant = enum_meant(a, at, comment == SIZE_MAX ? text : enum_first_word(a, text, comment),
	                   names, count);
	if (comment != SIZE_MAX)
		hint = NO_COMMENTS;
	else if (meant)
		hint = arena_printf(a, "did you mean `%s`?", meant);
	else
		hint = arena_printf(a, "known: %s", attr_kind_text(a, at));
	if (at->flags & A_CLOSED) {
		diag_error(d, source_pos(src, 0), hint, "%s: `%s` is not one of %s", at->key,
		           show(a, text), attr_kind_text(a, at));
		return NULL;
	}
	diag_warn(d, source_pos(src, comment == SIZE_MAX ? 0 : comment), hint,
	          "%s: unknown value `%s`, sent as it is", at->key, show(a, text));
	return text;
}

/* ---- text ---- */

/* Offset of a control character (C0, DEL, C1) or SIZE_MAX. */
static size_t control_at(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			return i;
		if (c == 0xc2 && i + 1 < n && (unsigned char)text[i + 1] >= 0x80 &&
		    (unsigned char)text[i + 1] < 0xa0)
			return i;
	}
	return SIZE_MAX;
}

static const char *normalize_str(struct arena *a, const struct attr_def *at, const char *text,
                                 size_t n, const struct value_source *src, struct diag *d)
{
	size_t comment = written_comment(text, n, src);
	size_t control = at->flags & A_SECRET ? SIZE_MAX : control_at(text, n);

	(void)a;
	if (control != SIZE_MAX) {
		diag_error(d, source_pos(src, control), NULL, "%s: control character 0x%02x",
		           at->key, (unsigned char)text[control]);
		return NULL;
	}
	if (comment != SIZE_MAX)
		diag_warn(d, source_pos(src, comment), NO_COMMENTS,
		          "%s: the `%c` and what follows are part of the value", at->key,
		          text[comment]);
	if (at->max && (int64_t)n > at->max) {
		diag_error(d, source_pos(src, 0), NULL,
		           "%s: %zu bytes, at most %" PRId64 " are allowed", at->key, n, at->max);
		return NULL;
	}
	return text;
}

/* ---- phones ---- */

/* Length of a separator that was meant as a comma, or 0. */
static size_t wrong_comma(const char *p)
{
	static const char *const list[] = {"\xef\xbc\x8c", "\xe3\x80\x81", "\xef\xbc\x9b", ";",
	                                   NULL};

	for (size_t i = 0; list[i]; i++)
		if (text_starts(p, list[i]))
			return strlen(list[i]);
	return 0;
}

/* The 11 digits that were probably meant, or NULL: country code and trunk 0 go, so do hyphens and
 * blanks. */
static const char *phone_meant(struct arena *a, const char *s)
{
	char digits[24];
	size_t n = 0;
	const char *p;

	for (; *s && n < sizeof digits - 1; s++)
		if (*s >= '0' && *s <= '9')
			digits[n++] = *s;
	digits[n] = '\0';
	p = digits;
	if (text_starts(p, "0086"))
		p += 4;
	else if (n > 11 && text_starts(p, "86"))
		p += 2;
	while (*p == '0')
		p++;
	return strlen(p) == 11 ? arena_strdup(a, p) : NULL;
}

static bool phone_check(struct arena *a, const struct attr_def *at, const char *phone,
                        const struct value_source *src, size_t off, struct diag *d)
{
	const char *meant;

	if (!*phone) {
		diag_error(d, source_pos(src, off), NULL, "%s: a number is missing beside a comma",
		           at->key);
		return false;
	}
	if (strlen(phone) == 11 && strspn(phone, "0123456789") == 11)
		return true;
	meant = phone_meant(a, phone);
	diag_error(d, source_pos(src, off), meant ? arena_printf(a, "write %s", meant) : NULL,
	           "%s: `%s` is no mainland mobile number of 11 digits", at->key, show(a, phone));
	return false;
}

static const char *normalize_phones(struct arena *a, const struct attr_def *at, const char *text,
                                    size_t n, const struct value_source *src, struct diag *d)
{
	char *out = arena_alloc(a, n + 1);
	size_t count = 0, len = 0, start = 0, off = 0;
	bool ok = true;

	for (;;) {
		size_t skip = off < n ? wrong_comma(text + off) : 0;
		size_t from = start, to = off;

		if (off < n && text[off] != ',' && !skip) {
			off++;
			continue;
		}
		while (from < to && (text[from] == ' ' || text[from] == '\t'))
			from++;
		while (to > from && (text[to - 1] == ' ' || text[to - 1] == '\t'))
			to--;
		if (skip) {
			diag_error(d, source_pos(src, off), "separate the numbers by `,` (U+002C)",
			           skip == 3 && (unsigned char)text[off + 1] == 0xbc &&
			                           (unsigned char)text[off + 2] == 0x8c
			                   ? "%s: a fullwidth comma (U+FF0C) separates nothing"
			                   : "%s: this character separates nothing",
			           at->key);
			ok = false;
		}
		ok = phone_check(a, at, arena_strndup(a, text + from, to - from), src, from, d) &&
		     ok;
		if (count++)
			out[len++] = ',';
		memcpy(out + len, text + from, to - from);
		len += to - from;
		if (off >= n)
			break;
		off += skip ? skip : 1;
		start = off;
	}
	out[len] = '\0';
	if (count > PHONES_MAX) {
		diag_error(d, source_pos(src, 0), NULL, "%s: %zu numbers, at most %d are allowed",
		           at->key, count, PHONES_MAX);
		return NULL;
	}
	return ok ? out : NULL;
}

/* ---- tags ---- */

static const char *tags_finish(struct arena *a, const struct attr_def *at, const struct json *obj,
                               const struct value_source *src, struct diag *d)
{
	if (obj->n > TAGS_MAX) {
		diag_error(d, source_pos(src, 0), NULL, "%s: %zu tags, at most %d are allowed",
		           at->key, obj->n, TAGS_MAX);
		return NULL;
	}
	return json_write_dup(a, obj, true);
}

static const char *tags_from_json(struct arena *a, const struct attr_def *at, const char *text,
                                  size_t n, const struct value_source *src, struct diag *d)
{
	struct json *in = normalize_json(a, at, text, n, JSON_OBJECT, src, d);
	struct json *out = json_new(a, JSON_OBJECT);

	if (!in)
		return NULL;
	for (const struct json *m = in->child; m; m = m->next) {
		const char *value = json_scalar(a, m);

		if (!value || !*m->key) {
			diag_error(d, source_pos(src, normalize_key_off(text, m->key)), NULL,
			           "%s: a tag needs a key and a text value", at->key);
			return NULL;
		}
		json_add(out, m->key, json_new_str(a, value));
	}
	return tags_finish(a, at, out, src, d);
}

static const char *normalize_tags(struct arena *a, const struct attr_def *at, const char *text,
                                  size_t n, const struct value_source *src, struct diag *d)
{
	struct json *out = json_new(a, JSON_OBJECT);
	size_t off = 0;

	if (text[0] == '{')
		return tags_from_json(a, at, text, n, src, d);
	while (off <= n) {
		size_t len = strcspn(text + off, ","), from = off, eq;
		const char *item, *key, *value;

		while (from < off + len && text[from] == ' ')
			from++;
		item = arena_strndup(a, text + from, off + len - from);
		eq = strcspn(item, "=");
		key = text_field(a, item, '=', 0);
		if (!item[eq] || text_empty(key)) {
			diag_error(d, source_pos(src, from),
			           "tags are written `key=value, key=value`",
			           "%s: `%s` is no key=value", at->key, show(a, item));
			return NULL;
		}
		if (json_get(out, key)) {
			diag_error(d, source_pos(src, from), NULL, "%s: tag `%s` is given twice",
			           at->key, show(a, key));
			return NULL;
		}
		for (value = item + eq + 1; *value == ' ';)
			value++;
		eq = strlen(value);
		while (eq > 0 && value[eq - 1] == ' ')
			eq--;
		json_add(out, key, json_new_str(a, arena_strndup(a, value, eq)));
		off += len + 1;
	}
	return tags_finish(a, at, out, src, d);
}

/* ---- JSON ---- */

const char *schema_unquote_json(struct arena *a, const char *text, size_t n)
{
	const struct json *outer = n && text[0] == '"' ? json_parse(a, text, n, NULL) : NULL;
	const struct json *inner;

	if (!outer || outer->type != JSON_STRING)
		return NULL;
	inner = json_parse(a, outer->s, strlen(outer->s), NULL);
	if (!inner || (inner->type != JSON_OBJECT && inner->type != JSON_ARRAY))
		return NULL;
	return outer->s;
}

size_t normalize_key_off(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = strchr(text, '"'); p; p = strchr(p + 1, '"'))
		if (!strncmp(p + 1, key, n) && p[1 + n] == '"')
			return (size_t)(p - text);
	return 0;
}

struct json *normalize_json_any(struct arena *a, const struct attr_def *at, const char *text,
                                size_t n, const struct value_source *src, struct diag *d)
{
	struct json_err e = {.first_off = SIZE_MAX};
	struct json *v = json_parse(a, text, n, &e);
	const char *unquoted;

	if (!v && e.first_off != SIZE_MAX) {
		struct pos first = source_pos(src, e.first_off);

		diag_error(d, source_pos(src, e.off), NULL,
		           "%s: %s; the first one stands at %s:%u:%u", at->key, e.msg,
		           first.file ? first.file : "?", first.line, first.col);
		return NULL;
	}
	if (!v) {
		diag_error(d, source_pos(src, e.off), NULL, "%s: this is no JSON: %s", at->key,
		           e.msg);
		return NULL;
	}
	unquoted = v->type == JSON_STRING ? schema_unquote_json(a, text, n) : NULL;
	if (unquoted) {
		diag_error(
			d, source_pos(src, 0), arena_printf(a, "write: %s = %s", at->key, unquoted),
			"%s: this is a quoted string whose text is JSON; the JSON itself is needed",
			at->key);
		return NULL;
	}
	return v;
}

bool normalize_json_is(const struct attr_def *at, const struct json *v, int type,
                       const struct value_source *src, struct diag *d)
{
	if ((int)v->type == type)
		return true;
	diag_error(d, source_pos(src, 0), NULL, "%s: a JSON %s is needed", at->key,
	           type == JSON_OBJECT ? "object" : "array");
	return false;
}

struct json *normalize_json(struct arena *a, const struct attr_def *at, const char *text, size_t n,
                            int type, const struct value_source *src, struct diag *d)
{
	struct json *v = normalize_json_any(a, at, text, n, src, d);

	return v && normalize_json_is(at, v, type, src, d) ? v : NULL;
}

/* ---- the way in ---- */

const char *schema_normalize(struct arena *a, const struct attr_def *at, const char *text, size_t n,
                             const struct value_source *src, struct diag *d)
{
	const char *out = NULL;
	const struct json *v;

	switch (at->kind) {
	case AK_STR:
		out = normalize_str(a, at, text, n, src, d);
		break;
	case AK_BOOL:
		out = normalize_bool(a, at, text, n, src, d);
		break;
	case AK_INT:
		out = normalize_int(a, at, text, n, src, d);
		break;
	case AK_ENUM:
		out = normalize_enum(a, at, text, n, src, d);
		break;
	case AK_PHONES:
		out = normalize_phones(a, at, text, n, src, d);
		break;
	case AK_TAGS:
		out = normalize_tags(a, at, text, n, src, d);
		break;
	case AK_OBJECT:
	case AK_LIST:
		if (at->refine) /* sees the text as written, for its positions */
			return at->refine(a, at, text, src, d);
		v = normalize_json(a, at, text, n, at->kind == AK_OBJECT ? JSON_OBJECT : JSON_ARRAY,
		                   src, d);
		return v ? json_write_dup(a, v, false) : NULL;
	}
	return out && at->refine ? at->refine(a, at, out, src, d) : out;
}
