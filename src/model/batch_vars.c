/*
 * [variables], --var and the region. They may use each other, so they are
 * expanded in dependency order; a circle is an error. Variable 0 is the
 * region: it may use variables, and they may use it.
 */
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "model/batch_internal.h"

#define REGION 0

static bool is_name(const char *s)
{
	return *s && strlen(s) <= MANIFEST_NAME_MAX &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
	               '\0';
}

static void collect_block(struct builder *bd, const struct block *blk)
{
	for (size_t i = 0; i < blk->n; i++) {
		const struct raw_key *k = &blk->keys[i];
		uint32_t have = map_get(&bd->var_at, k->name);

		if (have != MAP_NONE) {
			diag_twice(bd, k, bd->vars.v[have].k->pos);
			continue;
		}
		if (!is_name(k->name)) {
			diag_error(bd->d, k->pos, "a name has letters, digits, `_` and `-`",
			           "`%s` is no name of a variable", k->name);
			continue;
		}
		map_put(&bd->var_at, k->name, (uint32_t)bd->vars.n);
		*VEC_PUSH(&bd->tmp, &bd->vars) =
			(struct var){.name = k->name, .k = k, .bad = !key_plain(bd, k, true)};
	}
}

/* --var NAME=VALUE: the value is text, taken as it is. Later ones win. */
static void collect_options(struct builder *bd)
{
	static const struct pos nowhere;

	for (size_t i = 0; i < bd->o->nvars; i++) {
		const char *opt = bd->o->vars[i], *eq = strchr(opt, '=');
		const char *name = eq ? arena_strndup(bd->a, opt, (size_t)(eq - opt)) : opt;
		uint32_t at;

		if (!eq || !is_name(name)) {
			diag_error(bd->d, nowhere, "write --var NAME=VALUE",
			           "--var %s: not of the form NAME=VALUE",
			           text_safe_dup(&bd->tmp, name, 60));
			continue;
		}
		at = map_get(&bd->var_at, name);
		if (at == MAP_NONE) {
			at = (uint32_t)bd->vars.n;
			map_put(&bd->var_at, name, at);
			*VEC_PUSH(&bd->tmp, &bd->vars) = (struct var){.name = name};
		}
		struct var *v = &bd->vars.v[at];
		v->bad = false;
		v->k = NULL;
		v->text = arena_strdup(bd->a, eq + 1);
	}
}

static void add_dependencies(struct builder *bd, uint32_t from, const struct tpl *t)
{
	for (size_t i = 0; t && i < t->n; i++) {
		const struct tpl_part *p = &t->v[i];
		uint32_t to = p->kind == TPL_REGION ? REGION
		              : p->kind == TPL_VAR  ? map_get(&bd->var_at, p->s)
		                                    : MAP_NONE;

		if (to != MAP_NONE)
			add_edge(bd, from, to, tpl_pos(t, p));
		for (size_t j = 0; p->sub && j < p->sub->n; j++) { /* names hold no further names */
			const struct tpl_part *q = &p->sub->v[j];
			to = q->kind == TPL_REGION ? REGION
			     : q->kind == TPL_VAR  ? map_get(&bd->var_at, q->s)
			                           : MAP_NONE;
			if (to != MAP_NONE)
				add_edge(bd, from, to, tpl_pos(t, p));
		}
	}
}

static const char *shown_name(const struct var *v)
{
	return *v->name ? v->name : "region";
}

static void report_circle(struct builder *bd, const struct graph *g)
{
	uint32_t *path;
	size_t n = graph_cycle(g, &bd->tmp, &path);
	struct buf b;

	if (!n)
		return;
	buf_init(&b, 4096);
	for (size_t i = 0; i <= n; i++)
		buf_printf(&b, "%s%s", i ? " -> " : "", shown_name(&bd->vars.v[path[i % n]]));
	diag_error(bd->d, bd->vars.v[path[0]].k ? bd->vars.v[path[0]].k->pos : (struct pos){0},
	           NULL, "variables refer to each other in a circle: %s", buf_str(&b));
	buf_release(&b);
}

static void expand_one(struct builder *bd, struct var *v)
{
	struct scope sc = {.region = bd->vars.v[REGION].text, .may_miss = v != &bd->vars.v[REGION]};

	if (!v->k || v->bad)
		return;
	if (!v->t) {
		v->text = v->k->text;
		return;
	}
	v->bad = !expand(bd, v->t, &sc);
	v->missing = bd->res.missing;
	v->missing_env = bd->res.missing_env;
	v->secret = bd->res.secret;
	v->sourced = bd->res.sourced;
	if (v == &bd->vars.v[REGION] && !v->bad)
		v->bad = !no_secret(bd, &bd->res, v->k);
	if (v->bad || v->missing)
		return;
	v->text = v->secret ? secret_dup(buf_str(&bd->res.text), bd->res.text.n)
	                    : arena_strndup(bd->a, buf_str(&bd->res.text), bd->res.text.n);
}

static void check_region(struct builder *bd)
{
	struct var *v = &bd->vars.v[REGION];

	if (v->text && !*v->text)
		v->text = NULL;
	if (v->text && v->text[strspn(v->text, "abcdefghijklmnopqrstuvwxyz0123456789-")]) {
		diag_error(bd->d, v->k ? raw_pos(v->k, 0) : (struct pos){0},
		           "a region is an id such as cn-hangzhou", "`%s` is no region",
		           text_safe_dup(&bd->tmp, v->text, 60));
		v->text = NULL;
		v->bad = true;
	}
	bd->b->region = v->text;
}

/* A --var that nothing declares or uses is a slip of the pen. */
void vars_check_options(struct builder *bd)
{
	for (size_t i = 0; i < bd->o->nvars; i++) {
		const char *eq = strchr(bd->o->vars[i], '=');
		const char *name =
			eq ? arena_strndup(&bd->tmp, bd->o->vars[i], (size_t)(eq - bd->o->vars[i]))
			   : NULL;
		uint32_t at = name ? map_get(&bd->var_at, name) : MAP_NONE;
		const char **names = arena_array(&bd->tmp, const char *, bd->vars.n);
		size_t n = 0;

		if (at == MAP_NONE || bd->vars.v[at].used)
			continue;
		for (size_t k = 1; k < bd->vars.n; k++)
			if (k != at)
				names[n++] = bd->vars.v[k].name;
		const char *near = nearest_of(bd, name, names, n);
		diag_error(bd->d, (struct pos){0},
		           near ? arena_printf(&bd->tmp, "did you mean %s?", near) : NULL,
		           "--var %s: no section declares or uses this variable", name);
		bd->vars.v[at].used = true; /* once */
	}
}

void vars_build(struct builder *bd)
{
	struct graph g;
	uint32_t *order;
	bool *done;
	int row = meta_find(setting_keys, "region");

	struct var region = {.name = "", .k = bd->settings[row]};
	if (bd->o->region)
		region = (struct var){.name = "", .text = bd->o->region};
	else if (region.k)
		region.bad = !key_plain(bd, region.k, true);
	*VEC_PUSH(&bd->tmp, &bd->vars) = region;
	for (size_t i = 0; i < bd->m->n; i++)
		if (text_eq(bd->m->v[i].header, "variables"))
			collect_block(bd, &bd->m->v[i]);
	for (size_t i = 1; i < bd->vars.n; i++)
		bd->vars.v[i].used = true; /* declared: --var may set it without any use */
	collect_options(bd);

	for (uint32_t i = 0; i < bd->vars.n; i++) {
		struct var *v = &bd->vars.v[i];
		if (!v->k || v->bad || !memchr(v->k->text, '$', v->k->n))
			continue;
		v->t = tpl_parse(bd, &bd->tmp, v->k,
		                 i == REGION ? TPL_PLAIN & ~TPL_BIT(TPL_REGION)
		                             : TPL_PLAIN | TPL_SECRETS,
		                 i == REGION ? "the region" : "a variable");
		v->bad = !v->t;
		add_dependencies(bd, i, v->t);
	}
	struct edge *e = arena_array(&bd->tmp, struct edge, bd->edges.n + 1);
	for (size_t i = 0; i < bd->edges.n; i++)
		e[i] = (struct edge){bd->edges.v[i].from, bd->edges.v[i].to};
	graph_build(&g, &bd->tmp, (uint32_t)bd->vars.n, e, bd->edges.n);
	bd->edges.n = 0;
	order = arena_array(&bd->tmp, uint32_t, bd->vars.n);
	memset(order, 0xff, bd->vars.n * sizeof *order);
	done = arena_array(&bd->tmp, bool, bd->vars.n);
	if (!graph_order(&g, &bd->tmp, order))
		report_circle(bd, &g);
	/* In a circle the order is cut short: what is not in it stays bad. */
	for (size_t i = 0; i < bd->vars.n && order[i] != MAP_NONE; i++) {
		done[order[i]] = true;
		expand_one(bd, &bd->vars.v[order[i]]);
		if (order[i] == REGION)
			check_region(bd);
	}
	for (size_t i = 0; i < bd->vars.n; i++)
		bd->vars.v[i].bad = bd->vars.v[i].bad || !done[i];
}
