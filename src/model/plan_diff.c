/*
 * Attribute by attribute: wanted against observed (or, where the service does
 * not tell, against the record). Rules: design.md 4.
 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/plan_internal.h"

static const char *redact_mark(void *ctx, struct arena *a, const char *text)
{
	(void)ctx;
	(void)a;
	(void)text;
	return "(secret)";
}

static const char *shown(struct planner *pl, const struct attr_def *at, const char *value,
                         bool secret)
{
	if (!value)
		return NULL;
	if (secret)
		return "(secret)";
	if (at->kind == AK_OBJECT || at->kind == AK_LIST)
		return attr_redact(pl->a, at, value, redact_mark, NULL);
	return value;
}

const char *plan_fingerprint(struct arena *a, const uint8_t *fp_key, const char *secret)
{
	uint8_t mac[32];
	char hex[65];

	if (!fp_key || !secret)
		return NULL;
	hash_hmac_sha256(fp_key, 32, secret, strlen(secret), mac);
	hash_hex(mac, sizeof mac, hex);
	return arena_printf(a, FP_MARK "%s", hex);
}

const char *plan_wanted_class(const struct batch *b, uint32_t res)
{
	const struct resource *r = &b->v[res];
	const char *cls = res_get(r, "instance_class");

	if (cls || r->type != &type_instance)
		return cls;
	/* The section's users follow it in the graph; the first job that names a class decides. */
	for (uint32_t i = b->graph.in_at[res]; i < b->graph.in_at[res + 1]; i++) {
		const struct resource *job = &b->v[b->graph.in[i]];

		if (job->type == &type_job && job->instance == res) {
			cls = res_get(job, "instance_class");
			if (cls)
				return cls;
		}
	}
	return NULL;
}

static const struct json *answer_of(const struct observed *seen, enum read_from from)
{
	if (!seen)
		return NULL;
	switch (from) {
	case READ_LIST:
	case READ_TAGS:
		return seen->row;
	case READ_DETAIL:
		return seen->detail;
	case READ_MONITOR:
		return seen->monitor;
	case READ_CONFIG:
		return seen->config;
	case READ_NEVER:
		break;
	}
	return NULL;
}

static void add_key(struct planner *pl, const char **list, const char *key)
{
	*list = *list ? arena_printf(pl->a, "%s, %s", *list, key) : key;
}

/* Ways of access that ModifyDtsJobEndpoint knows (dts-api.md 18): another end cannot be changed in place. */
static bool end_is_movable(const struct resource *r, bool source)
{
	static const char *const words[] = {"RDS",   "PolarDB", "MONGODB", "GREENPLUM",
	                                    "KAFKA", "ECS",     "EXPRESS", "OTHER"};
	const char *type = res_get(r, source ? "source_endpoint_instance_type"
	                                     : "destination_endpoint_instance_type");

	for (size_t i = 0; type && i < sizeof words / sizeof *words; i++)
		if (text_ieq(type, words[i]))
			return true;
	return !type;
}

static void note_route(struct planner *pl, const struct op *op, struct diff *df,
                       const struct attr_def *at, const char *from, const char *to)
{
	const struct resource *r = &pl->b->v[op->want];
	enum route route = at->route;
	bool source = at->flags & A_SOURCE;

	if (route == ROUTE_ENDPOINT && !end_is_movable(r, source)) {
		df->fixed_end = source ? "source" : "destination";
		route = ROUTE_REPLACE;
	} else if (route == ROUTE_ENDPOINT && !r->life.endpoint_same_data) {
		add_key(pl, &df->endpoint_keys, at->key);
		route = ROUTE_REPLACE;
	} else if (route == ROUTE_TWOWAY && !(text_ieq(to, "bidirectional"))) {
		route = ROUTE_REPLACE; /* there is no way back */
	}
	if (route == ROUTE_REPLACE) {
		df->replace = true;
		add_key(pl, &df->replace_keys, at->key);
		return;
	}
	if (route == ROUTE_NONE)
		return;
	if (route == ROUTE_CLASS && class_rank(from) >= 0 && class_rank(to) >= 0 &&
	    class_rank(to) < class_rank(from))
		df->lower_class = true;
	if (route == ROUTE_PASSWORD) {
		df->src = df->src || source;
		df->dest = df->dest || !source;
	}
	if (route == ROUTE_ENDPOINT) {
		df->ep_src = df->ep_src || source;
		df->ep_dest = df->ep_dest || !source;
	}
	df->routes |= 1u << route;
}

static struct change *push_change(struct planner *pl, struct op *op, size_t attr)
{
	struct change *c;

	/* Room for every attribute once: there are at most ATTR_MAX. */
	if (!op->changes)
		op->changes = arena_array(pl->a, struct change, op->type->nattrs);
	c = &op->changes[op->nchanges++];
	*c = (struct change){.attr = (uint16_t)attr};
	return c;
}

struct mark_ctx {
	const uint8_t *key;
};

static const char *fp_mark(void *ctx, struct arena *a, const char *text)
{
	const struct mark_ctx *m = ctx;
	const char *fp = plan_fingerprint(a, m->key, text);

	return fp ? fp : FP_MARK;
}

static const char *masked(void *ctx, struct arena *a, const char *text)
{
	(void)ctx;
	(void)a;
	(void)text;
	return "***";
}

/* Objects to which members are added one by one, and that may hold secret ones which the service does not show (reserve). */
static bool has_own_members(const struct attr_def *at)
{
	return at->kind == AK_OBJECT && (at->flags & A_MERGE);
}

/* Does the record have the secret members that `seen` (may be NULL) does not show? */
static bool members_agree(const struct planner *pl, const struct attr_def *at, const char *want,
                          const char *recorded, const char *seen)
{
	struct mark_ctx m = {pl->o->fp_key};
	const char *marked = attr_redact(pl->a, at, want, fp_mark, &m);

	return text_eq(marked, want) || attr_secrets_held(marked, recorded, seen);
}

/* What the record holds, as text comparable with `want`. */
static bool record_agrees(const struct planner *pl, const struct attr_def *at,
                          const struct value *v, const char *want, const char *recorded)
{
	if (!recorded)
		return false;
	if (v->secret) { /* without the key nothing can be said, so nothing is changed */
		const char *fp = plan_fingerprint(pl->a, pl->o->fp_key, want);

		return !fp || text_eq(fp, recorded) || text_eq(recorded, FP_MARK);
	}
	if (has_own_members(at))
		return attr_satisfied(at, want, attr_redact(pl->a, at, recorded, masked, NULL)) &&
		       members_agree(pl, at, want, recorded, NULL);
	return attr_satisfied(at, want, recorded);
}

/* Was the record written by an apply of a section? What recovery puts together from an answer knows ids alone. */
static bool applied_once(const struct op *op)
{
	for (size_t i = 0; op->have && i < op->type->nattrs; i++)
		if (op->have->attrs[i])
			return true;
	return false;
}

/* Is this what the service does when nothing is said? */
static bool by_default(const struct op *op, const struct attr_def *at, const char *want)
{
	if (at->route == ROUTE_TWOWAY && op->seen && op->seen->two_way)
		return text_ieq(want, "bidirectional");
	return attr_satisfied(at, want, at->def ? at->def : at->kind == AK_BOOL ? "false" : NULL);
}

/* No answer shows the value. What no apply has recorded was never sent, so it is a change; an import takes the section's word. */
static bool unseen_agrees(const struct planner *pl, const struct op *op, const struct attr_def *at,
                          const struct value *v, const char *want, const char *recorded)
{
	if (recorded)
		return record_agrees(pl, at, v, want, recorded);
	if (v->secret && !pl->o->fp_key)
		return true;
	/* Configuring on a bought instance did not carry it, whoever sent that. */
	if ((at->flags & A_FREE) && op->have && op->have->step != STEP_DONE)
		return false;
	return !applied_once(op) || by_default(op, at, want);
}

/* Parameters that we applied once and the manifest dropped: they return to their default. */
static bool dropped_parameters(const struct attr_def *at, const char *want, const char *recorded)
{
	return recorded && want && at->route == ROUTE_PARAMS &&
	       !attr_satisfied(at, recorded, want) && attr_satisfied(at, want, recorded);
}

static const char *wanted_text(struct planner *pl, const struct op *op, size_t i)
{
	const struct resource *r = &pl->b->v[op->want];
	const struct attr_def *at = &op->type->attrs[i];

	if (at->route == ROUTE_CLASS) {
		if (op->type == &type_job && r->instance != RES_NONE)
			return NULL; /* its instance section carries the class of the pair */
		return plan_wanted_class(pl->b, op->want);
	}
	return batch_text(pl->a, &r->vals[i], planner_lookup, pl);
}

size_t plan_dropped_keys(struct arena *a, const char *recorded, const char *wanted,
                         const char *const **keys)
{
	const struct json *r = recorded ? json_parse(a, recorded, strlen(recorded), NULL) : NULL;
	const struct json *w = wanted ? json_parse(a, wanted, strlen(wanted), NULL) : NULL;
	const char **v = arena_array(a, const char *, r ? r->n + 1 : 1);
	size_t n = 0;

	for (const struct json *m = r ? r->child : NULL; m; m = m->next)
		if (m->key && !json_get(w, m->key))
			v[n++] = m->key;
	*keys = v;
	return n;
}

/* The record has what is wanted, the service has something else. A creation that was interrupted is not done changing it itself. */
static bool made_behind(const struct op *op, bool recorded)
{
	return recorded && op->have && op->have->step == STEP_DONE;
}

static const struct json *parameter(struct arena *a, const struct json *list, const char *module,
                                    const char *name, const char *module_key, const char *name_key)
{
	for (const struct json *p = list ? list->child : NULL; p; p = p->next)
		if (text_eq(json_text(a, p, module_key), module) &&
		    text_eq(json_text(a, p, name_key), name))
			return p;
	return NULL;
}

/* The wanted parameters, with those that we set and the manifest dropped at their defaults; *any: there is one. */
static const char *back_to_default(struct planner *pl, const struct json *config,
                                   const char *recorded, const char *want, bool *any)
{
	const struct json *had =
		recorded ? json_parse(pl->a, recorded, strlen(recorded), NULL) : NULL;
	struct json *out = json_parse(pl->a, want, strlen(want), NULL);

	*any = false;
	for (const struct json *p = had ? had->child : NULL; out && p; p = p->next) {
		const char *module = json_text(pl->a, p, "module"),
			   *name = json_text(pl->a, p, "name"), *def;
		const struct json *now = parameter(pl->a, json_get(config, "Parameters"), module,
		                                   name, "Module", "Name");
		struct json *o;

		def = now ? json_text(pl->a, now, "DefaultValue") : NULL;
		if (!def || parameter(pl->a, out, module, name, "module", "name") ||
		    text_eq(def, json_text(pl->a, now, "RunningValue")))
			continue;
		o = json_new(pl->a, JSON_OBJECT);
		json_add(o, "module", json_new_str(pl->a, module));
		json_add(o, "name", json_new_str(pl->a, name));
		json_add(o, "value", json_new_str(pl->a, def));
		json_add(out, NULL, o);
		*any = true;
	}
	return *any ? json_write_dup(pl->a, out, false) : want;
}

static void diff_status(struct planner *pl, struct op *op, struct diff *df, size_t i,
                        const char *want)
{
	const char *recorded = op->have ? op->have->attrs[i] : NULL;
	struct change *c;

	if (!op->seen || status_satisfies(op->seen->status, want) ||
	    status_approaches(op->seen->status, want))
		return;
	c = push_change(pl, op, i);
	c->from = op->seen->raw_status;
	c->to = want;
	c->behind = made_behind(op, text_eq(recorded, want)) &&
	            status_class(op->seen->status) != SC_MOVING;
	df->routes |= 1u << ROUTE_STATUS;
}

static void diff_parameters(struct planner *pl, struct op *op, struct diff *df, size_t i,
                            const char *want, const char *seen)
{
	const struct attr_def *at = &op->type->attrs[i];
	const char *recorded = op->have ? op->have->attrs[i] : NULL, *to;
	bool same = attr_satisfied(at, want, seen), dropped;
	struct change *c;

	to = back_to_default(pl, op->seen->config, recorded, want, &dropped);
	if (same && !dropped)
		return;
	c = push_change(pl, op, i);
	c->from = seen;
	c->to = to;
	c->behind = !same && made_behind(op, attr_satisfied(at, want, recorded));
	if (dropped)
		c->note = "what is taken out goes back to the service's default";
	df->routes |= 1u << ROUTE_PARAMS;
}

/* Of the tags that are there, those that the manifest names or named. */
static const char *our_tags(struct planner *pl, const char *want, const char *recorded,
                            const char *there)
{
	const struct json *w = json_parse(pl->a, want, strlen(want), NULL), *r = NULL, *t = NULL;
	struct json *out = json_new(pl->a, JSON_OBJECT);

	if (recorded)
		r = json_parse(pl->a, recorded, strlen(recorded), NULL);
	if (there)
		t = json_parse(pl->a, there, strlen(there), NULL);
	for (const struct json *m = t ? t->child : NULL; m; m = m->next)
		if (json_get(w, m->key) || (r && json_get(r, m->key)))
			json_add(out, m->key, json_clone(pl->a, m));
	return json_write_dup(pl->a, out, true);
}

/* Tags of others are not ours to judge; those that we set and the manifest dropped are removed. */
static void diff_tags(struct planner *pl, struct op *op, struct diff *df, size_t i,
                      const char *want, const char *seen)
{
	const char *recorded = op->have ? op->have->attrs[i] : NULL;
	const char *const *keys;
	bool missing = !attr_satisfied(&op->type->attrs[i], want,
	                               seen       ? seen
	                               : recorded ? recorded
	                                          : "{}");
	bool dropped = plan_dropped_keys(pl->a, recorded, want, &keys) > 0;
	struct change *c;

	if (!missing && !dropped)
		return;
	c = push_change(pl, op, i);
	c->from = our_tags(pl, want, recorded, seen ? seen : recorded);
	c->to = want;
	c->behind = missing && made_behind(op, attr_satisfied(&op->type->attrs[i], want, recorded));
	df->untag = df->untag || dropped;
	if (missing)
		df->routes |= 1u << ROUTE_TAGS;
}

/* Once its job is configured an instance answers with the endpoints of that job; what was bought stands in the record alone. */
static bool covered_by_job(const struct op *op, const struct attr_def *at, const char *recorded)
{
	return op->type == &type_instance && (at->flags & (A_SOURCE | A_DEST)) && recorded &&
	       op->seen->status != ST_NOT_CONFIGURED;
}

/* A position for a job that is long past its beginning: to replace it for that would be a surprise (dts-api.md 13 #16). */
static bool begins_only(const struct attr_def *at, const char *recorded)
{
	return !recorded && text_eq(at->key, "checkpoint");
}

/* Members of reserve that stand in a key of their own, which overrides them: compared there alone. */
static const char *own_reserve(struct planner *pl, const struct resource *r, const char *text)
{
	static const char *const keys[][2] = {{"srcSSL", "source_endpoint_ssl"},
	                                      {"destSSL", "destination_endpoint_ssl"}};
	struct json *in, *out, *next;
	bool any = false;

	if (!text ||
	    (res_val(r, keys[0][1])->state == V_UNSET && res_val(r, keys[1][1])->state == V_UNSET))
		return text;
	in = json_parse(pl->a, text, strlen(text), NULL);
	if (!in || in->type != JSON_OBJECT)
		return text;
	out = json_new(pl->a, JSON_OBJECT);
	for (struct json *m = in->child; m; m = next) {
		bool over = false;

		next = m->next;
		for (size_t i = 0; i < 2; i++)
			over = over || (text_eq(m->key, keys[i][0]) &&
			                res_val(r, keys[i][1])->state != V_UNSET);
		any = any || over;
		m->next = NULL;
		if (!over)
			json_add(out, m->key, m);
	}
	return any ? json_write_dup(pl->a, out, false) : text;
}

/* An id that this run will make. */
static void diff_unknown(struct planner *pl, struct op *op, struct diff *df, size_t i)
{
	const char *recorded = op->have ? op->have->attrs[i] : NULL;
	struct change *c = push_change(pl, op, i);

	c->from = recorded;
	c->to = "(known after apply)";
	note_route(pl, op, df, &op->type->attrs[i], recorded, "");
}

/* Is what an answer shows, and what it hides, as wanted? */
static bool seen_agrees(const struct planner *pl, const struct op *op, const struct attr_def *at,
                        const char *want, const char *seen, const char *recorded)
{
	if (!attr_satisfied(at, want, seen))
		return false;
	return !has_own_members(at) || (!recorded && !applied_once(op)) ||
	       members_agree(pl, at, want, recorded, seen);
}

/* Which members of the wanted object are to be sent. */
static void list_members(const struct planner *pl, const struct op *op, const struct attr_def *at,
                         const char *want, const char *seen, const char *recorded, struct change *c)
{
	const struct json *all = json_parse(pl->a, want, strlen(want), NULL);

	c->members = arena_array(pl->a, const char *, all ? all->n + 1 : 1);
	for (const struct json *m = all ? all->child : NULL; m; m = m->next) {
		struct json *one = json_new(pl->a, JSON_OBJECT);

		json_add(one, m->key, json_clone(pl->a, m));
		if (!seen_agrees(pl, op, at, json_write_dup(pl->a, one, false), seen, recorded))
			c->members[c->nmembers++] = m->key;
	}
}

static void diff_one(struct planner *pl, struct op *op, struct diff *df, size_t i)
{
	const struct resource *r = &pl->b->v[op->want];
	const struct attr_def *at = &op->type->attrs[i];
	const struct value *v = &r->vals[i];
	const char *recorded = op->have ? op->have->attrs[i] : NULL;
	const char *want, *seen = NULL;
	const struct json *row = answer_of(op->seen, at->from);
	struct change *c;
	bool told; /* an answer speaks of it, were it only by silence */

	if (attr_in(&r->life.ignore, i) || v->state == V_MISSING || (v->made_up && recorded))
		return;
	want = wanted_text(pl, op, i);
	if (!want) {
		if (v->state == V_UNKNOWN)
			diff_unknown(pl, op, df, i);
		return;
	}
	if (at->route == ROUTE_STATUS) {
		diff_status(pl, op, df, i, want);
		return;
	}
	told = row && !(at->flags & A_NOREAD) && !covered_by_job(op, at, recorded);
	if (told)
		seen = attr_read(pl->a, at, row);
	if (at->route == ROUTE_RESERVED && at->kind == AK_OBJECT) {
		want = own_reserve(pl, r, want);
		recorded = own_reserve(pl, r, recorded);
		if (text_eq(want, "{}"))
			return;
	}
	if (at->kind == AK_TAGS) {
		diff_tags(pl, op, df, i, want, seen);
		return;
	}
	if (at->route == ROUTE_PARAMS && seen) {
		diff_parameters(pl, op, df, i, want, seen);
		return;
	}
	if ((seen ? seen_agrees(pl, op, at, want, seen, recorded)
	          : unseen_agrees(pl, op, at, v, want, recorded)) &&
	    !dropped_parameters(at, want, recorded))
		return;
	c = push_change(pl, op, i);
	c->secret = v->secret;
	if (seen && has_own_members(at))
		list_members(pl, op, at, want, seen, recorded, c);
	c->not_verifiable = !told;
	if (c->nmembers && attr_satisfied(at, want, seen)) { /* all that differs is hidden */
		const char *names = NULL;

		for (size_t k = 0; k < c->nmembers; k++)
			add_key(pl, &names, c->members[k]);
		c->not_verifiable = true;
		c->note = arena_printf(pl->a, "%s: not what was applied last", names);
	}
	c->from = shown(pl, at, seen ? seen : recorded, v->secret);
	c->to = shown(pl, at, want, v->secret);
	c->behind = seen && made_behind(op, record_agrees(pl, at, v, want, recorded));
	if (at->route == ROUTE_NONE || begins_only(at, recorded)) {
		c->note = at->route == ROUTE_NONE
		                  ? PLAN_NOTE_RECORDED
		                  : "the job began without it; recorded, nothing is sent: "
		                    "changed once more, it is a replacement";
		return;
	}
	note_route(pl, op, df, at, seen ? seen : recorded, want);
}

/* ModifyDtsJobPassword refuses the password that is in use (dts-api.md 11), so another user with the same
 * password is set by ModifyDtsJobEndpoint, to the same database: no promise is needed for that. */
static void route_user_alone(struct planner *pl, const struct op *op, struct diff *df, bool source)
{
	const struct resource *r = &pl->b->v[op->want];
	const char *side = source ? "source" : "destination";
	bool *password = source ? &df->src : &df->dest;
	bool user_only = *password;

	for (size_t i = 0; i < op->nchanges; i++) {
		const struct attr_def *at = &op->type->attrs[op->changes[i].attr];

		if (at->route == ROUTE_PASSWORD && ((at->flags & A_SOURCE) != 0) == source &&
		    (at->flags & A_SECRET))
			user_only = false;
	}
	if (!user_only)
		return;
	if (!end_is_movable(r, source))
		df->impossible = arena_printf(
			pl->a,
			"%s_endpoint_user_name: for an end of this type the service takes another user only with another "
			"password",
			side);
	else if (!res_get(r, arena_printf(pl->a, "%s_endpoint_password", side)))
		df->impossible = arena_printf(
			pl->a,
			"%s_endpoint_user_name: another user is set together with the password: add "
			"%s_endpoint_password",
			side, side);
	*password = false;
	*(source ? &df->ep_src : &df->ep_dest) = true;
	df->routes |= 1u << ROUTE_ENDPOINT;
	if (!df->src && !df->dest)
		df->routes &= ~(1u << ROUTE_PASSWORD);
}

/* An end that moves takes its account along: set before, it would be that of the old database. */
static void route_account_with_end(struct diff *df)
{
	df->src = df->src && !df->ep_src;
	df->dest = df->dest && !df->ep_dest;
	if (!df->src && !df->dest)
		df->routes &= ~(1u << ROUTE_PASSWORD);
}

/* The length of a subscription is sent with the change to one, if never again. */
static void note_payment(const struct op *op, const struct diff *df)
{
	for (size_t i = 0; df->routes & (1u << ROUTE_PAYTYPE) && i < op->nchanges; i++) {
		const char *key = op->type->attrs[op->changes[i].attr].key;

		if (text_starts(key, "payment_duration") || text_eq(key, "auto_pay"))
			op->changes[i].note = "sent with payment_type";
	}
}

static bool is_changed(const struct op *op, size_t attr)
{
	for (size_t i = 0; i < op->nchanges; i++)
		if (op->changes[i].attr == attr)
			return true;
	return false;
}

/* Keeps the changes in the order of the rows, which is that of the keys. */
static void insert_change(struct planner *pl, struct op *op, size_t attr, const char *to)
{
	struct change c = *push_change(pl, op, attr);
	size_t at = op->nchanges - 1;

	c.to = to;
	for (; at > 0 && op->changes[at - 1].attr > attr; at--)
		op->changes[at] = op->changes[at - 1];
	op->changes[at] = c;
}

/* A rule is sent whole: what the service does not have of it yet is set with it, though an alarm that is off is content without. */
static void list_rule(struct planner *pl, struct op *op, const struct diff *df, enum route route)
{
	const struct resource *r = &pl->b->v[op->want];

	if (!(df->routes & (1u << route)) || !op->seen || !op->seen->monitor)
		return;
	for (size_t i = 0; i < op->type->nattrs; i++) {
		const struct attr_def *at = &op->type->attrs[i];
		const char *want;

		if (at->route != route || is_changed(op, i) || attr_in(&r->life.ignore, i))
			continue;
		want = wanted_text(pl, op, i);
		if (want && !attr_read(pl->a, at, op->seen->monitor))
			insert_change(pl, op, i, want);
	}
}

void plan_diff(struct planner *pl, struct op *op, struct diff *df)
{
	*df = (struct diff){0};
	for (size_t i = 0; i < op->type->nattrs; i++)
		diff_one(pl, op, df, i);
	route_user_alone(pl, op, df, true);
	route_user_alone(pl, op, df, false);
	route_account_with_end(df);
	note_payment(op, df);
	list_rule(pl, op, df, ROUTE_DELAY);
	list_rule(pl, op, df, ROUTE_ERROR);
}

bool plan_is_left(const struct batch *b, const struct resource *r, const struct record *rec,
                  size_t i)
{
	if (!rec->attrs[i] || r->vals[i].state != V_UNSET || attr_in(&r->life.ignore, i))
		return false;
	/* The class belongs to the pair: its instance section speaks for both. */
	if (r->type->attrs[i].route == ROUTE_CLASS)
		return r->instance == RES_NONE && !plan_wanted_class(b, (uint32_t)(r - b->v));
	return true;
}

/* What stays on the service of a key that is taken out: as an answer shows it, else as applied; a secret stays one. */
static const char *kept(struct planner *pl, const struct op *op, const struct attr_def *at,
                        const char *applied)
{
	const struct json *row = answer_of(op->seen, at->from);
	const char *seen;

	if (text_starts(applied, FP_MARK) || at->kind == AK_OBJECT || at->kind == AK_LIST ||
	    at->kind == AK_TAGS)
		return "what was set";
	seen = row && !(at->flags & A_NOREAD) ? attr_read(pl->a, at, row) : NULL;
	return seen ? seen : applied;
}

/* Members of an object that can only be added to (A_MERGE): what the manifest no longer says stays on the service. */
static void note_dropped(struct planner *pl, struct op *op, size_t i)
{
	const struct resource *r = &pl->b->v[op->want];
	const struct attr_def *at = &op->type->attrs[i];
	const char *had = op->have->attrs[i], *want, *names = NULL;
	const char *const *keys;
	size_t n;

	if (!has_own_members(at) || !had || text_starts(had, FP_MARK) ||
	    attr_in(&r->life.ignore, i))
		return;
	want = own_reserve(pl, r, wanted_text(pl, op, i));
	n = want ? plan_dropped_keys(pl->a, own_reserve(pl, r, had), want, &keys) : 0;
	for (size_t k = 0; k < n; k++)
		add_key(pl, &names, keys[k]);
	if (names)
		plan_note(pl, op,
		          "%s: taken out of it, the service keeps %s: the API cannot remove it",
		          at->key, names);
}

void plan_left(struct planner *pl, struct op *op)
{
	const struct resource *r = &pl->b->v[op->want];

	if (!op->have || op->have->step != STEP_DONE || op->refused)
		return;
	for (size_t i = 0; i < op->type->nattrs; i++) {
		const struct attr_def *at = &op->type->attrs[i];

		note_dropped(pl, op, i);
		if (!plan_is_left(pl->b, r, op->have, i) || attr_in(&op->have->left, i))
			continue;
		if (at->route == ROUTE_NONE || begins_only(at, NULL))
			plan_note(pl, op, "%s taken out: it had a meaning at creation only",
			          at->key);
		else
			plan_note(pl, op, "%s taken out: no longer managed, the service keeps %s",
			          at->key, kept(pl, op, at, op->have->attrs[i]));
	}
}

void plan_list_values(struct planner *pl, struct op *op)
{
	const struct resource *r = &pl->b->v[op->want];

	for (size_t i = 0; i < op->type->nattrs; i++) {
		const struct attr_def *at = &op->type->attrs[i];
		const struct value *v = &r->vals[i];
		const char *text = batch_text(pl->a, v, planner_lookup, pl);
		struct change *c;

		if (v->state == V_UNSET)
			continue;
		c = push_change(pl, op, i);
		c->secret = v->secret;
		if (v->state == V_MISSING)
			c->to = "(missing secret)";
		else
			c->to = text ? shown(pl, at, text, v->secret) : "(known after apply)";
	}
}

void plan_applied(struct arena *a, const struct batch *b, const struct resource *r,
                  const uint8_t *fp_key, id_lookup lookup, void *ctx, const char **attrs)
{
	struct mark_ctx m = {fp_key};

	for (size_t i = 0; i < r->type->nattrs; i++) {
		const struct attr_def *at = &r->type->attrs[i];
		const struct value *v = &r->vals[i];
		const char *text = batch_text(a, v, lookup, ctx);

		if (!text || attr_in(&r->life.ignore, i))
			continue; /* keeps what the record had */
		if (v->secret)
			attrs[i] = plan_fingerprint(a, fp_key, text);
		else if (at->kind == AK_OBJECT || at->kind == AK_LIST)
			attrs[i] = attr_redact(a, at, text, fp_mark, &m);
		else
			attrs[i] = text;
	}
	(void)b;
}
