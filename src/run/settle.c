/*
 * Purchases whose answer was lost (design.md 6, dts-api.md 9.1). The API has
 * no token for a purchase, so what was bought is found by shape and time:
 * instances of one shape that we bought are interchangeable, so it is enough
 * that there are not more of them than open intents.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/run_internal.h"

#define SLACK_MS 5000 /* CreateTime has whole seconds, and clocks differ a little */

/* request parameter -> path in a list row */
static const struct {
	const char *param, *path;
	bool engine;
} shape_rows[] = {
	{"SourceRegion", "SourceEndpoint.Region", false},
	{"DestinationRegion", "DestinationEndpoint.Region", false},
	{"SourceEndpointEngineName", "SourceEndpoint.EngineName", true},
	{"DestinationEndpointEngineName", "DestinationEndpoint.EngineName", true},
	{"InstanceClass", "DtsJobClass", false},
	{"PayType", "PayType", false},
	{"ResourceGroupId", "ResourceGroupId", false},
};
#define NSHAPE (sizeof shape_rows / sizeof *shape_rows)

static bool row_fits(struct arena *a, const struct json *detail, const struct json *row)
{
	for (size_t i = 0; i < NSHAPE; i++) {
		const char *want = json_text(a, detail, shape_rows[i].param);
		const char *have = json_text(a, row, shape_rows[i].path);

		if (!want || !have || !*have)
			continue; /* not said, or not told: no evidence against it */
		if (shape_rows[i].engine ? !engine_same(want, have) : !text_ieq(want, have))
			return false;
	}
	return true;
}

struct json *purchase_shape(struct arena *a, const struct dts_call *call,
                            const struct inventory *inv)
{
	struct json *o = json_new(a, JSON_OBJECT);
	struct json *before = json_new(a, JSON_ARRAY);

	for (size_t i = 0; i < NSHAPE; i++)
		for (size_t k = 0; k < call->nquery; k++)
			if (text_eq(call->query[k].name, shape_rows[i].param))
				json_add(o, shape_rows[i].param,
				         json_new_str(a, arena_strdup(a, call->query[k].value)));
	for (size_t i = 0; inv && i < inv->n; i++)
		if (inv->v[i]->status == ST_NOT_CONFIGURED && row_fits(a, o, inv->v[i]->row))
			json_add(before, NULL, json_new_str(a, inv->v[i]->instance_id));
	json_add(o, "before", before);
	return o;
}

/*
 * An error that the service itself answered (or a server behind it, 500, 502, 503) says that it probably did not buy. An instance
 * that fits is then as likely somebody else's. Cut, late, half and unreadable answers, a proxy's 504 and a nonce that was used
 * say nothing of the kind.
 */
static bool speaks_against(const struct dts_reply *reply)
{
	const struct reply_facts *f = &reply->facts;

	if (f->net != NET_OK)
		return false;
	if (f->readable)
		return !f->success && !text_eq(reply->code, "SignatureNonceUsed");
	return f->status == 500 || f->status == 502 || f->status == 503;
}

void purchase_ended(struct run *r, struct purchase *p, const struct dts_reply *reply)
{
	struct json *d = p->detail ? json_clone(&r->a, p->detail) : json_new(&r->a, JSON_OBJECT);

	json_add(d, "ended", json_new_int(&r->a, run_server_ms(r)));
	if (speaks_against(reply))
		json_add(d, "refused", json_new_bool(&r->a, true));
	p->detail = d;
	state_amend(r->o.state, p->intent, d);
}

void purchase_from_intent(struct run *r, struct purchase *p, const struct intent *i)
{
	const char *region = json_str(i->detail, "region");

	if (!region)
		region = json_str(i->detail, "DestinationRegion");
	*p = (struct purchase){.address = arena_strdup(&r->a, i->address),
	                       .region = arena_strdup(&r->a, region ? region : r->o.region),
	                       .intent = i->id,
	                       .sent_ms = i->wall_ms};
	p->detail = i->detail ? json_clone(&r->a, i->detail) : json_new(&r->a, JSON_OBJECT);
	if (i->nonce)
		snprintf(p->fence.nonce, sizeof p->fence.nonce, "%s", i->nonce);
}

/* Server time; 0: not known, the process died before. */
static int64_t ended_ms(const struct purchase *p)
{
	const struct json *j = json_get(p->detail, "ended");

	return j && j->type == JSON_NUMBER ? j->i : 0;
}

int64_t call_end_ms(const struct run *r, int64_t sent_ms, enum api_action action)
{
	int64_t begun = run_server_ms(r) - (sys_now_ms() - r->begun_ms);
	int64_t longest = sent_ms;

	if (action != API_NONE)
		longest += (int64_t)(api_def(action)->timeout_ms * r->o.timeout_scale);
	return begun < longest ? begun : longest;
}

int64_t purchase_end_ms(const struct run *r, const struct purchase *p)
{
	int64_t ended = ended_ms(p);

	return ended ? ended : call_end_ms(r, p->sent_ms, API_CREATE_DTS_INSTANCE);
}

static bool same_shape(struct arena *a, const struct json *x, const struct json *y)
{
	for (size_t i = 0; i < NSHAPE; i++) {
		const char *p = json_text(a, x, shape_rows[i].param),
			   *q = json_text(a, y, shape_rows[i].param);

		if (!text_ieq(p ? p : "", q ? q : ""))
			return false;
	}
	return true;
}

static bool was_before(const struct json *detail, const char *instance_id)
{
	const struct json *before = json_get(detail, "before");

	for (const struct json *b = before ? before->child : NULL; b; b = b->next)
		if (text_eq(b->s, instance_id))
			return true;
	return false;
}

static bool in_state(const struct run *r, const char *instance_id)
{
	size_t n;
	const struct record *const *v = state_list(r->o.state, &n);

	for (size_t i = 0; i < n; i++)
		if (text_eq(v[i]->instance_id, instance_id))
			return true;
	return false;
}

/* Tagged as somebody else's? */
static bool foreign_tag(const struct run *r, const struct json *row)
{
	const struct json *tags = json_get(row, "TagList");

	for (const struct json *t = tags ? tags->child : NULL; t; t = t->next)
		if (text_eq(json_str(t, "TagKey"), LINEAGE_TAG) &&
		    !text_eq(json_str(t, "TagValue"), state_lineage(r->o.state)))
			return true;
	return false;
}

static bool given_up(const struct run *r, const char *instance_id)
{
	for (size_t i = 0; i < r->given_up.n; i++)
		if (text_eq(r->given_up.v[i], instance_id))
			return true;
	return false;
}

static bool is_candidate(struct run *r, const struct purchase *p, const struct observed *o,
                         const struct inventory *later, int64_t earliest_ms)
{
	const struct observed *again = inventory_instance(later, o->instance_id, false);

	return o->status == ST_NOT_CONFIGURED && !o->reverse && *o->instance_id && again &&
	       again->status == ST_NOT_CONFIGURED && row_fits(&r->a, p->detail, o->row) &&
	       (o->created_s < 0 || o->created_s * 1000 >= earliest_ms - SLACK_MS) &&
	       !was_before(p->detail, o->instance_id) && !in_state(r, o->instance_id) &&
	       !foreign_tag(r, o->row) && !given_up(r, o->instance_id);
}

struct group {
	struct purchase **v;
	size_t n;
	/* of those that may have arrived: no answer, or answered by an error */
	size_t lost, refused;
	const struct observed **found; /* made while one of our calls was under way */
	size_t nfound;
	const struct observed **
		late; /* made after all of them had ended: the gateway may have been slow, but it is no evidence */
	size_t nlate;
};

/* A candidate, with what a person can tell it by in the console. */
static const char *named(struct arena *a, const struct observed *o)
{
	char made[21];

	if (o->created_s < 0)
		return o->instance_id;
	text_utc(o->created_s, made);
	return arena_printf(a, "%s (made %s)", o->instance_id, made);
}

static void ask_user(struct run *r, const struct group *g, struct purchase *p)
{
	size_t n = g->nfound + g->nlate;
	const char *list = "";

	for (size_t i = 0; i < n && i < 10; i++)
		list = arena_printf(
			&r->a, "%s%s%s", list, i ? ", " : "",
			named(&r->a, i < g->nfound ? g->found[i] : g->late[i - g->nfound]));
	p->result = PURCHASE_DECIDE;
	if (n == 1)
		p->found = g->nfound ? g->found[0] : g->late[0];
	p->why = arena_printf(
		&r->a,
		g->refused ? "a purchase was answered by an error; %zu instance%s could "
			     "be it, or somebody else's: %s"
			   : "the answer of a purchase was lost; %zu instance%s could be it: %s",
		n, n == 1 ? "" : "s", list);
}

static bool was_refused(const struct purchase *p)
{
	return json_get(p->detail, "refused") != NULL;
}

/* Takes what was found for those whose answer was lost: those that surely arrived first, those that surely did not, nothing. */
static void hand_out(struct group *g)
{
	size_t k = 0;

	for (int want = ARRIVED_YES; want >= ARRIVED_UNKNOWN; want--)
		for (size_t i = 0; i < g->n; i++)
			if (g->v[i]->arrived == (enum arrived)want && !was_refused(g->v[i]) &&
			    k < g->nfound) {
				g->v[i]->found = g->found[k++];
				g->v[i]->result = PURCHASE_ADOPT;
			}
}

static void decide_group(struct run *r, struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		bool here = g->v[i]->arrived != ARRIVED_NO;

		g->lost += here && !was_refused(g->v[i]);
		g->refused += here && was_refused(g->v[i]);
	}
	if (g->lost + g->refused ==
	    0) /* the fence says so: whatever stands there is somebody else's */
		g->nfound = g->nlate = 0;
	if (g->nfound > g->lost || (r->o.adopt_ask && g->nfound + g->nlate)) {
		for (size_t i = 0; i < g->n; i++)
			ask_user(r, g, g->v[i]);
		return;
	}
	hand_out(g);
	for (size_t i = 0; i < g->n; i++) {
		if (g->v[i]->result != PURCHASE_OPEN)
			continue;
		if (g->nlate && g->v[i]->arrived != ARRIVED_NO)
			ask_user(r, g, g->v[i]);
		else
			g->v[i]->result = PURCHASE_MISSING;
	}
}

/* Until when our calls of the group were under way; INT64_MAX: nobody knows. */
static int64_t group_end(const struct group *g)
{
	int64_t end = 0;

	for (size_t i = 0; i < g->n; i++) {
		int64_t ms = ended_ms(g->v[i]);

		if (!ms)
			return INT64_MAX;
		end = ms > end ? ms : end;
	}
	return end;
}

static void sort_candidate(struct group *g, const struct observed *o, int64_t end)
{
	if (end != INT64_MAX && o->created_s >= 0 && o->created_s * 1000 > end + SLACK_MS)
		g->late[g->nlate++] = o;
	else
		g->found[g->nfound++] = o;
}

void purchases_settle(struct run *r, struct purchase **v, size_t n, const struct inventory *inv1,
                      const struct inventory *inv2)
{
	bool *taken = arena_array(&r->a, bool, n + 1);

	for (size_t i = 0; i < n; i++) {
		struct group g = {.v = arena_array(&r->a, struct purchase *, n)};
		int64_t earliest = v[i]->sent_ms, end;

		if (taken[i])
			continue;
		for (size_t k = i; k < n; k++)
			if (!taken[k] && text_eq(v[k]->region, v[i]->region) &&
			    same_shape(&r->a, v[k]->detail, v[i]->detail)) {
				taken[k] = true;
				g.v[g.n++] = v[k];
				earliest = v[k]->sent_ms < earliest ? v[k]->sent_ms : earliest;
			}
		g.found = arena_array(&r->a, const struct observed *, inv1->n + 1);
		g.late = arena_array(&r->a, const struct observed *, inv1->n + 1);
		end = group_end(&g);
		for (size_t k = 0; k < inv1->n; k++)
			if (is_candidate(r, g.v[0], inv1->v[k], inv2, earliest))
				sort_candidate(&g, inv1->v[k], end);
		decide_group(r, &g);
	}
}
