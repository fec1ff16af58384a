#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/render.h"

#define VALUE_CELLS 60
#define DIFF_LINES 12

static const struct {
	const char *mark;
	enum tint tint;
	const char *verb;
} looks[OP__COUNT] = {
	[OP_NOOP] = {" ", TINT_NONE, "no change"},
	[OP_CREATE] = {"+", TINT_GREEN, "create"},
	[OP_RESUME] = {"+", TINT_GREEN, "resume creation"},
	[OP_ADOPT] = {"<", TINT_CYAN, "import"},
	[OP_UPDATE] = {"~", TINT_YELLOW, "update in place"},
	[OP_REPLACE] = {"!", TINT_RED, "replace"},
	[OP_DELETE] = {"-", TINT_RED, "delete"},
	[OP_FORGET] = {"x", TINT_DIM, "forget"},
	[OP_MOVE] = {">", TINT_CYAN, "move"},
};

bool plan_is_empty(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].kind != OP_NOOP || p->ops[i].refused)
			return false;
	return true;
}

static const char *impact_text(struct ui *u, unsigned bits)
{
	const char *s = "";

	for (unsigned b = 0; b < 7; b++)
		if (bits & (1u << b))
			s = arena_printf(&u->a, "%s%s%s", s, *s ? ", " : "", impact_name(b));
	return s;
}

static size_t address_cells(const struct plan *p)
{
	size_t w = 24;

	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].kind != OP_NOOP && text_width(p->ops[i].address) > w)
			w = text_width(p->ops[i].address);
	return w > 56 ? 56 : w;
}

static size_t key_cells(const struct op *op)
{
	size_t w = 16;

	for (size_t i = 0; i < op->nchanges; i++)
		if (strlen(op->type->attrs[op->changes[i].attr].key) > w)
			w = strlen(op->type->attrs[op->changes[i].attr].key);
	return w;
}

static const char *quoted(struct ui *u, const struct attr_def *at, const char *v)
{
	const char *safe = ui_safe(u, v, VALUE_CELLS);
	bool plain = v[0] == '(' || at->kind == AK_BOOL || at->kind == AK_INT ||
	             at->kind == AK_ENUM || at->kind == AK_OBJECT || at->kind == AK_LIST ||
	             at->kind == AK_TAGS;

	return plain ? safe : arena_printf(&u->a, "\"%s\"", safe);
}

static void json_lines(struct ui *u, const struct attr_def *at, const struct change *c,
                       size_t indent)
{
	char *text = attr_json_diff(&u->a, at, c->from, c->to, DIFF_LINES);
	bool first = true;

	for (char *line = text; line && *line;) {
		char *end = strchr(line, '\n');
		enum tint t = line[0] == '+' ? TINT_GREEN : line[0] == '-' ? TINT_RED : TINT_YELLOW;

		if (end)
			*end = 0;
		if (*line)
			ui_out(u, "%*s%s\n", first ? 0 : (int)indent, "",
			       ui_tint(u, false, t,
			               ui_safe(u, line,
			                       u->width > indent + 20 ? u->width - indent : 60)));
		first = false;
		line = end ? end + 1 : NULL;
	}
	if (first)
		ui_out(u, "%s\n", quoted(u, at, c->to ? c->to : "(none)"));
}

static bool has_members(const struct attr_def *at)
{
	return at->kind == AK_OBJECT || at->kind == AK_LIST || at->kind == AK_TAGS;
}

static void change_line(struct ui *u, const struct op *op, const struct change *c, size_t cells)
{
	const struct attr_def *at = &op->type->attrs[c->attr];
	bool fresh = op->kind == OP_CREATE, unsure = c->not_verifiable && !fresh;
	bool lines = !fresh && c->from && c->to && has_members(at);

	ui_out(u, "      %s  ", ui_pad(u, at->key, cells));
	if (lines) {
		json_lines(u, at, c, cells + 8);
	} else if (fresh) {
		ui_out(u, "%s\n", quoted(u, at, c->to ? c->to : "(none)"));
	} else {
		ui_out(u, "%s -> %s%s%s\n", quoted(u, at, c->from ? c->from : "(not set)"),
		       quoted(u, at, c->to ? c->to : "(none)"), unsure ? "  " : "",
		       unsure ? ui_tint(u, false, TINT_DIM, "(not verifiable)") : "");
	}
	if (lines && unsure)
		ui_out(u, "      %*s  %s\n", (int)cells, "",
		       ui_tint(u, false, TINT_DIM, "(not verifiable)"));
	if (c->behind)
		ui_out(u, "      %*s  %s\n", (int)cells, "",
		       ui_tint(u, false, TINT_DIM, "changed on the service since the last apply"));
	if (c->note)
		ui_out(u, "      %*s  %s\n", (int)cells, "",
		       ui_tint(u, false, TINT_DIM, ui_safe(u, c->note, 0)));
}

static void protect_line(struct ui *u, const struct op *op, size_t cells)
{
	if (op->protect != PROTECT_AS_IS)
		ui_out(u, "      %s  %s\n", ui_pad(u, "protect", cells),
		       op->protect == PROTECT_ON ? "false -> true" : "true -> false");
}

static void op_text(struct ui *u, const struct op *op, size_t cells)
{
	const char *impact = impact_text(u, op->impact);
	size_t kc = key_cells(op);

	if (*impact && (op->refused || op->blocked_by))
		impact = arena_printf(&u->a, "would be: %s", impact);
	ui_out(u, "  %s %s  ", ui_tint(u, false, looks[op->kind].tint, looks[op->kind].mark),
	       ui_tint(u, false, TINT_BOLD, ui_pad(u, ui_safe(u, op->address, 0), cells)));
	if (*impact)
		ui_out(u, "%s  %s\n", ui_pad(u, looks[op->kind].verb, 16),
		       ui_tint(u, false, TINT_DIM, impact));
	else
		ui_out(u, "%s\n", looks[op->kind].verb);
	if (op->why && !text_eq(op->why, "destroy")) /* the command says so */
		ui_out(u, "      %s\n", ui_safe(u, op->why, 0));
	if (op->released_by)
		ui_out(u, "      released with %s\n", ui_safe(u, op->released_by, 0));
	for (size_t i = 0; i < op->nchanges; i++)
		change_line(u, op, &op->changes[i], kc);
	protect_line(u, op, kc);
	for (size_t i = 0; i < op->nnotes; i++)
		ui_out(u, "      %s\n", ui_tint(u, false, TINT_DIM, ui_safe(u, op->notes[i], 0)));
	if (op->refused)
		ui_out(u, "      %s %s\n", ui_tint(u, false, TINT_RED, "not allowed:"),
		       ui_safe(u, op->refused, 0));
	else if (op->blocked_by)
		ui_out(u, "      %s %s is not allowed\n", ui_tint(u, false, TINT_RED, "not done:"),
		       ui_safe(u, op->blocked_by, 0));
}

static void totals(struct ui *u, const struct plan *p)
{
	static const struct {
		enum op_kind kind;
		const char *word;
	} words[] = {{OP_CREATE, "create"}, {OP_RESUME, "resume"},   {OP_ADOPT, "import"},
	             {OP_UPDATE, "update"}, {OP_REPLACE, "replace"}, {OP_DELETE, "delete"},
	             {OP_FORGET, "forget"}, {OP_MOVE, "move"}};
	const char *s = "", *imp = "";

	if (plan_is_empty(p)) {
		if (p->open)
			ui_out(u, "Nothing else to do: %zu purchase%s no answer yet.\n", p->open,
			       p->open == 1 ? " has" : "s have");
		else if (p->count[OP_NOOP])
			ui_out(u, "Nothing to do: %zu resource%s as wanted.\n", p->count[OP_NOOP],
			       p->count[OP_NOOP] == 1 ? " is" : "s are");
		else if (p->left_out)
			ui_out(u, "Nothing to do: --target and --exclude leave nothing in.\n");
		else if (p->norphans)
			ui_out(u,
			       "Nothing to do: nothing is wanted, and what is recorded is orphaned.\n");
		else
			ui_out(u, "Nothing to do: nothing is wanted and nothing is recorded.\n");
		return;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (p->count[words[i].kind] || words[i].kind == OP_CREATE ||
		    words[i].kind == OP_UPDATE || words[i].kind == OP_DELETE)
			s = arena_printf(&u->a, "%s%s%zu to %s", s, *s ? ", " : "",
			                 p->count[words[i].kind], words[i].word);
	ui_out(u, "Plan: %s; %zu unchanged.\n", s, p->count[OP_NOOP]);
	for (unsigned b = 0; b < 7; b++)
		if (p->impact[b])
			imp = arena_printf(&u->a, "%s%s%zu %s", imp, *imp ? ", " : "", p->impact[b],
			                   impact_name(b));
	if (*imp)
		ui_out(u, "Impact: %s.\n", imp);
	if (!p->refused)
		return;
	s = arena_printf(&u->a, "%zu change%s not allowed (see above)", p->refused,
	                 p->refused == 1 ? " is" : "s are");
	if (p->blocked)
		s = arena_printf(&u->a, "%s, %zu more hang%s on that", s, p->blocked,
		                 p->blocked == 1 ? "s" : "");
	ui_out(u, "%s\n", ui_tint(u, false, TINT_RED, arena_printf(&u->a, "%s.", s)));
}

static struct json *change_json(struct ui *u, const struct op *op, const struct change *c)
{
	struct json *o = json_new(&u->a, JSON_OBJECT);

	ui_str(u, o, "key", op->type->attrs[c->attr].key);
	ui_str(u, o, "from", c->from);
	ui_str(u, o, "to", c->to);
	if (c->behind)
		json_add(o, "behind", json_new_bool(&u->a, true));
	if (c->not_verifiable)
		json_add(o, "not_verifiable", json_new_bool(&u->a, true));
	ui_str(u, o, "note", c->note);
	return o;
}

static void notes_json(struct ui *u, struct json *o, const struct op *op)
{
	struct json *list = json_new(&u->a, JSON_ARRAY);

	for (size_t i = 0; i < op->nnotes; i++)
		json_add(list, NULL, json_new_str(&u->a, op->notes[i]));
	json_add(o, "notes", list);
}

/* What is to be known of something that is not changed. */
static void notice_json(struct ui *u, const struct op *op)
{
	struct json *o = ui_line(u, "notice");

	ui_str(u, o, "address", op->address);
	notes_json(u, o, op);
	ui_emit(u, o);
}

static struct json *protect_json(struct ui *u, const struct op *op)
{
	bool on = op->protect == PROTECT_ON;
	struct json *o = json_new(&u->a, JSON_OBJECT);

	ui_str(u, o, "key", "protect");
	ui_str(u, o, "from", on ? "false" : "true");
	ui_str(u, o, "to", on ? "true" : "false");
	return o;
}

static void op_json(struct ui *u, const struct op *op)
{
	struct json *o = ui_line(u, "change"), *list = json_new(&u->a, JSON_ARRAY),
		    *steps = json_new(&u->a, JSON_ARRAY);

	ui_str(u, o, "address", op->address);
	ui_str(u, o, "action", ui_word(u, op_kind_name(op->kind)));
	ui_str(u, o, "impact", impact_text(u, op->impact));
	ui_str(u, o, "why", op->why);
	ui_str(u, o, "refused", op->refused);
	ui_str(u, o, "blocked_by", op->blocked_by);
	ui_str(u, o, "released_by", op->released_by);
	for (size_t i = 0; i < op->nchanges; i++)
		json_add(list, NULL, change_json(u, op, &op->changes[i]));
	if (op->protect != PROTECT_AS_IS)
		json_add(list, NULL, protect_json(u, op));
	json_add(o, "changes", list);
	for (unsigned i = 0; i < op->nsteps; i++)
		json_add(steps, NULL,
		         json_new_str(&u->a, ui_word(u, step_def(op->steps[i])->verb)));
	json_add(o, "steps", steps);
	if (op->nnotes)
		notes_json(u, o, op);
	ui_emit(u, o);
}

static void gone_json(struct ui *u, const struct op *op)
{
	struct json *o = ui_line(u, "gone");
	char since[21];

	ui_str(u, o, "address", op->address);
	if (op->have->gone_ms > 0) {
		text_utc(op->have->gone_ms / 1000, since);
		ui_str(u, o, "since", since);
	}
	ui_emit(u, o);
}

static void plan_json(struct ui *u, const struct plan *p)
{
	struct json *o;

	for (size_t i = 0; i < p->n; i++) {
		if (p->ops[i].kind != OP_NOOP || p->ops[i].refused)
			op_json(u, &p->ops[i]);
		else if (p->ops[i].stays_gone)
			gone_json(u, &p->ops[i]);
		else if (p->ops[i].nnotes)
			notice_json(u, &p->ops[i]);
	}
	for (size_t i = 0; i < p->norphans; i++) {
		o = ui_line(u, "orphan");
		ui_str(u, o, "address", p->orphans[i]);
		ui_emit(u, o);
	}
	o = ui_line(u, "plan");
	for (int k = 0; k < OP__COUNT; k++)
		ui_int(u, o, k == OP_NOOP ? "unchanged" : ui_word(u, op_kind_name((enum op_kind)k)),
		       (int64_t)p->count[k]);
	ui_int(u, o, "refused", (int64_t)p->refused);
	ui_int(u, o, "blocked", (int64_t)p->blocked);
	for (unsigned b = 0; b < 7; b++)
		ui_int(u, o, ui_word(u, arena_printf(&u->a, "impact_%s", impact_name(b))),
		       (int64_t)p->impact[b]);
	ui_emit(u, o);
}

void render_plan(struct ui *u, const struct plan *p, const struct plan_head *h)
{
	size_t cells = address_cells(p);
	bool any = false;

	if (u->json) {
		plan_json(u, p);
		return;
	}
	ui_out(u, "dtsbatch %s: %s  (%s%s%s)\n\n", h->command, ui_safe(u, h->title, 0),
	       h->region ? "region " : "", h->region ? ui_safe(u, h->region, 0) : "",
	       h->simulated ? (h->region ? ", simulated" : "simulated") : "");
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];

		if (op->kind == OP_NOOP && !op->nnotes)
			continue;
		any = true;
		op_text(u, op, cells);
		if (u->out.n > 60000) { /* long plans are written as they are made */
			ui_flush(u);
		}
	}
	if (any)
		ui_out(u, "\n");
	for (size_t i = 0; i < p->norphans; i++)
		ui_out(u,
		       "  orphaned: %s  (its section has vanished; --prune deletes it, `state rm` forgets it)\n",
		       ui_safe(u, p->orphans[i], 0));
	if (p->norphans)
		ui_out(u, "\n");
	totals(u, p);
	ui_flush(u);
}
