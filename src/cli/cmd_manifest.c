/* validate, explain, version: no network, no state. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/load.h"
#include "model/batch.h"

#ifndef DTSBATCH_VERSION
#define DTSBATCH_VERSION "0.0.0"
#endif

int cmd_validate(struct context *c)
{
	struct loaded l;
	struct err e = {0};
	size_t jobs = 0;

	if (load_batch(&l, &c->a, &c->o, false, &c->ui, &e))
		return cmd_fail(c, &e);
	for (size_t i = 0; i < l.b.n; i++)
		jobs += l.b.v[i].type == &type_job;
	if (c->ui.json) {
		struct json *o = ui_line(&c->ui, "valid");

		ui_int(&c->ui, o, "resources", (int64_t)l.b.n);
		ui_int(&c->ui, o, "warnings", (int64_t)l.d.warnings);
		ui_emit(&c->ui, o);
	} else if (!c->ui.quiet) {
		ui_out(&c->ui, "%s: valid, %zu resource%s (%zu job%s), %zu warning%s\n",
		       ui_safe(&c->ui, l.title, 0), l.b.n, l.b.n == 1 ? "" : "s", jobs,
		       jobs == 1 ? "" : "s", l.d.warnings, l.d.warnings == 1 ? "" : "s");
	}
	return cmd_written(c);
}

/* ---- explain --------------------------------------------------------------- */

/* Text broken at blanks, each line behind `indent` blanks. */
static void wrapped(struct ui *u, const char *text, size_t indent)
{
	size_t width = u->width > 110 ? 110 : u->width, col = indent;

	ui_out(u, "%*s", (int)indent, "");
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, " ");

		if (col > indent && col + n + 1 > width) {
			ui_out(u, "\n%*s", (int)indent, "");
			col = indent;
		}
		if (col > indent) {
			ui_out(u, " ");
			col++;
		}
		ui_out(u, "%.*s", (int)n, p);
		col += n;
		p += n;
		while (*p == ' ')
			p++;
	}
	ui_out(u, "\n");
}

static void meta_rows(struct ui *u, const struct meta_key *rows)
{
	for (const struct meta_key *k = rows; k->key; k++)
		ui_out(u, "  %-18s %s%s%s\n", k->key, k->values, k->def ? "; default " : "",
		       k->def ? k->def : "");
}

static int explain_all(struct context *c)
{
	struct ui *u = &c->ui;

	ui_out(u, "Types\n");
	for (size_t i = 0; types[i]; i++)
		ui_out(u, "  %-26s %s\n", types[i]->name, types[i]->doc);
	ui_out(u, "\nSettings of [dtsbatch]\n");
	meta_rows(u, setting_keys);
	ui_out(u, "\nLifecycle keys of any resource section\n");
	meta_rows(u, lifecycle_keys);
	ui_out(u,
	       "\nValues\n"
	       "  ${TYPE.NAME.id}       id of another resource; orders the work\n"
	       "  ${TYPE.NAME.KEY}      any key of another resource\n"
	       "  ${var.x} ${region} ${each}\n"
	       "  ${env:X}              environment variable\n"
	       "  ${file:PATH}          content of a file, one final line end cut\n"
	       "  ${cred:NAME}          file in $CREDENTIALS_DIRECTORY\n"
	       "  $${                   a literal ${\n"
	       "  @PATH                 JSON value from a file beside the manifest\n"
	       "\n`dtsbatch explain TYPE` lists the keys of a type, `dtsbatch explain TYPE.KEY` or `explain KEY` is the manual of one.\n");
	return cmd_written(c);
}

static const char *need_text(const struct attr_def *at)
{
	return at->flags & A_REQUIRED                          ? "required"
	       : at->when && text_starts(at->when, "required") ? "sometimes"
	                                                       : "optional";
}

static const char *sent_as(struct ui *u, const struct attr_def *at)
{
	const struct api_param *p =
		at->param && at->create ? api_param(at->create, at->param) : NULL;

	return p ? arena_printf(&u->a, "%s of %s, in the %s", at->param, api_def(at->create)->name,
	                        p->body ? "form body" : "query")
	         : NULL;
}

static const char *read_back(const struct attr_def *at)
{
	return at->from == READ_NEVER || (at->flags & A_NOREAD)
	               ? "never: compared with the state, not verifiable"
	               : at->read;
}

static void attr_json(struct ui *u, const struct type_def *t, const struct attr_def *at)
{
	struct json *o = ui_line(u, "key");

	ui_str(u, o, "of", t->name);
	ui_str(u, o, "key", at->key);
	ui_str(u, o, "meaning", at->doc);
	ui_str(u, o, "required", need_text(at));
	ui_str(u, o, "kind", attr_kind_text(&u->a, at));
	ui_str(u, o, "default", at->def);
	ui_str(u, o, "values", at->values);
	ui_str(u, o, "condition", at->when);
	ui_str(u, o, "sent_as", sent_as(u, at));
	ui_str(u, o, "changed", route_text(at->route));
	ui_str(u, o, "read_back", read_back(at));
	json_add(o, "secret", json_new_bool(&u->a, at->flags & A_SECRET));
	ui_emit(u, o);
}

static void meta_json(struct ui *u, const char *of, const struct meta_key *k)
{
	struct json *o = ui_line(u, "key");

	ui_str(u, o, "of", of);
	ui_str(u, o, "key", k->key);
	ui_str(u, o, "meaning", k->doc);
	ui_str(u, o, "values", k->values);
	ui_str(u, o, "default", k->def);
	ui_emit(u, o);
}

/* Everything there is to say, one key a line. */
static int explain_all_json(struct context *c)
{
	for (size_t i = 0; types[i]; i++)
		for (size_t k = 0; k < types[i]->nattrs; k++)
			attr_json(&c->ui, types[i], &types[i]->attrs[k]);
	for (const struct meta_key *k = lifecycle_keys; k->key; k++)
		meta_json(&c->ui, "lifecycle", k);
	for (const struct meta_key *k = setting_keys; k->key; k++)
		meta_json(&c->ui, "dtsbatch", k);
	return cmd_written(c);
}

static int explain_type(struct context *c, const struct type_def *t)
{
	struct ui *u = &c->ui;

	for (size_t i = 0; u->json && i < t->nattrs; i++)
		attr_json(u, t, &t->attrs[i]);
	if (u->json)
		return cmd_written(c);

	ui_out(u, "[%s.NAME]  %s\n\n", t->name, t->doc);
	for (size_t i = 0; i < t->nattrs; i++)
		ui_out(u, "  %-38s %-10s %s\n", t->attrs[i].key, need_text(&t->attrs[i]),
		       route_text(t->attrs[i].route));
	ui_out(u, "\nLifecycle keys: `dtsbatch explain`. One key: `dtsbatch explain %s.KEY`.\n",
	       t->name);
	return cmd_written(c);
}

static void field(struct ui *u, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	ui_out(u, "  %-12s", name);
	if (strlen(text) < 80)
		ui_out(u, "%s\n", text);
	else {
		ui_out(u, "\n");
		wrapped(u, text, 14);
	}
}

static int explain_attr(struct context *c, const struct type_def *t, const struct attr_def *at)
{
	struct ui *u = &c->ui;

	if (u->json) {
		attr_json(u, t, at);
		return cmd_written(c);
	}
	ui_out(u, "%s.%s\n\n", t->name, at->key);
	wrapped(u, at->doc, 2);
	ui_out(u, "\n");
	field(u, "required", at->flags & A_REQUIRED ? "yes" : "no");
	field(u, "type", attr_kind_text(&u->a, at));
	field(u, "default", at->def);
	field(u, "condition", at->when);
	field(u, "sent as", sent_as(u, at));
	field(u, "changed", route_text(at->route));
	field(u, "read back", read_back(at));
	if (at->flags & A_SECRET)
		field(u, "secret", "never stored or shown; the state holds a keyed digest of it");
	return cmd_written(c);
}

static int explain_meta(struct context *c, const struct meta_key *k)
{
	if (c->ui.json) {
		meta_json(&c->ui, "settings", k);
		return cmd_written(c);
	}
	ui_out(&c->ui, "%s\n\n", k->key);
	wrapped(&c->ui, k->doc, 2);
	ui_out(&c->ui, "\n");
	field(&c->ui, "values", k->values);
	field(&c->ui, "default", k->def);
	return cmd_written(c);
}

/* The section of the settings by its name, like a type. */
static int explain_settings(struct context *c)
{
	for (const struct meta_key *k = setting_keys; c->ui.json && k->key; k++)
		meta_json(&c->ui, "dtsbatch", k);
	if (c->ui.json)
		return cmd_written(c);
	ui_out(&c->ui, "[dtsbatch]  settings of the batch\n\n");
	meta_rows(&c->ui, setting_keys);
	ui_out(&c->ui, "\nOne key: `dtsbatch explain KEY`.\n");
	return cmd_written(c);
}

static const struct meta_key *find_meta(const char *word)
{
	for (const struct meta_key *k = lifecycle_keys; k->key; k++)
		if (text_eq(k->key, word))
			return k;
	for (const struct meta_key *k = setting_keys; k->key; k++)
		if (text_eq(k->key, word))
			return k;
	return NULL;
}

/* t: the type before the dot, NULL if there is none. */
static int explain_unknown(struct context *c, const char *word, const struct type_def *t)
{
	const char *names[2 * ATTR_MAX + 8], *near;
	const char *key = strchr(word, '.') ? strchr(word, '.') + 1 : word;
	struct err e = {0};
	size_t n = 0;

	for (size_t i = 0; types[i] && n < sizeof names / sizeof *names; i++) {
		names[n++] = types[i]->name;
		for (size_t k = 0; k < types[i]->nattrs && n < sizeof names / sizeof *names; k++)
			names[n++] = types[i]->attrs[k].key;
	}
	near = text_nearest(key, names, n);
	err_set(&e, ERR_USAGE, "nothing is called %s", word);
	if (near)
		err_hint(&e, "did you mean %s?", near);
	else if (t)
		err_hint(&e, "`dtsbatch explain %s` lists its keys", t->name);
	else
		err_hint(&e, "`dtsbatch explain` lists the types");
	return cmd_fail(c, &e);
}

int cmd_explain(struct context *c)
{
	const char *word = c->o.args.n ? c->o.args.v[0] : NULL, *dot;
	const struct type_def *t;
	int i;

	if (!word)
		return c->ui.json ? explain_all_json(c) : explain_all(c);
	dot = strchr(word, '.');
	t = type_find(dot ? arena_strndup(&c->a, word, (size_t)(dot - word)) : word);
	if (t && !dot)
		return explain_type(c, t);
	if (text_eq(word, "dtsbatch"))
		return explain_settings(c);
	if (t && (i = attr_find(t, dot + 1)) >= 0)
		return explain_attr(c, t, &t->attrs[i]);
	for (size_t k = 0; !dot && types[k]; k++)
		if ((i = attr_find(types[k], word)) >= 0)
			return explain_attr(c, types[k], &types[k]->attrs[i]);
	if (find_meta(dot ? dot + 1 : word))
		return explain_meta(c, find_meta(dot ? dot + 1 : word));
	return explain_unknown(c, word, t);
}

/* ---- version ------------------------------------------------------------------ */

static const struct vendor_info {
	const char *name, *version, *origin, *revision;
	int patches;
} vendor_info[] = {
#include "vendor_info.h"
};

int cmd_version(struct context *c)
{
	struct json *libs;
	struct json *o;

	if (!c->ui.json) {
		ui_out(&c->ui, "dtsbatch %s\n", DTSBATCH_VERSION);
		for (size_t i = 0; i < sizeof vendor_info / sizeof *vendor_info; i++)
			ui_out(&c->ui, "  %-14s %-8s %s%s%s\n", vendor_info[i].name,
			       vendor_info[i].version, vendor_info[i].origin,
			       *vendor_info[i].revision ? " " : "", vendor_info[i].revision);
		return cmd_written(c);
	}
	o = ui_line(&c->ui, "version");
	ui_str(&c->ui, o, "version", DTSBATCH_VERSION);
	libs = json_new(&c->ui.a, JSON_ARRAY);
	for (size_t i = 0; i < sizeof vendor_info / sizeof *vendor_info; i++) {
		struct json *l = json_new(&c->ui.a, JSON_OBJECT);

		ui_str(&c->ui, l, "name", vendor_info[i].name);
		ui_str(&c->ui, l, "version", vendor_info[i].version);
		ui_str(&c->ui, l, "origin", vendor_info[i].origin);
		ui_str(&c->ui, l, "revision", vendor_info[i].revision);
		ui_int(&c->ui, l, "patches", vendor_info[i].patches);
		json_add(libs, NULL, l);
	}
	json_add(o, "libraries", libs);
	ui_emit(&c->ui, o);
	return cmd_written(c);
}
