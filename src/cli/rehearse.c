#include "cli/rehearse.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/sys.h"
#include "base/text.h"

/* ---- what a record says ---------------------------------------------------------- */

/* The records of one instance; any of them may be missing. */
struct bought {
	const char *id;
	const struct record *inst, *forward, *reverse;
};

static const char *attr(const struct record *r, const char *key)
{
	int i = r ? attr_find(r->type, key) : -1;

	return i >= 0 ? r->attrs[i] : NULL;
}

/* Of the purchase: the instance's record knows best, else the job that was bought with it. */
static const char *of_purchase(const struct bought *b, const char *key)
{
	const char *v = attr(b->inst, key);

	if (!v)
		v = attr(b->forward, key);
	return v ? v : attr(b->reverse, key);
}

static const char * or (const char *v, const char *otherwise)
{
	return text_empty(v) ? otherwise : v;
}

/* ---- JSON of the world -------------------------------------------------------------- */

static void put(struct arena *a, struct json *o, const char *key, const char *value)
{
	if (!text_empty(value))
		json_add(o, key, json_new_str(a, value));
}

static void put_flag(struct arena *a, struct json *o, const char *key, const char *value)
{
	if (text_eq(value, "true"))
		json_add(o, key, json_new_bool(a, true));
}

static void put_number(struct arena *a, struct json *o, const char *key, const char *value)
{
	int64_t n;

	if (value && text_int(value, 0, INT64_MAX / 2, &n))
		json_add(o, key, json_new_int(a, n));
}

/* Id of a job nobody recorded; the same in every rehearsal. */
static const char *made_up_id(struct arena *a, const char *instance, const char *direction)
{
	const char *text = arena_printf(a, "%s %s", instance, direction);

	return arena_printf(a, "r%014" PRIx64,
	                    hash_fnv1a(text, strlen(text)) & UINT64_C(0xffffffffffffff));
}

static const char *mask(void *ctx, struct arena *a, const char *text)
{
	(void)ctx;
	(void)a;
	(void)text;
	return "***"; /* as the service shows it: not compared */
}

static void put_reserve(struct arena *a, struct json *o, const struct record *r)
{
	const char *text = attr(r, "reserve");

	if (text)
		put(a, o, "reserved",
		    attr_redact(a, &r->type->attrs[attr_of(r->type, "reserve")], text, mask, NULL));
}

static void put_endpoint(struct arena *a, struct json *o, const struct record *r, const char *side)
{
	/* member of the world, key of the manifest */
	static const char *const names[][2] = {{"type", "instance_type"},
	                                       {"engine", "engine_name"},
	                                       {"instance", "instance_id"},
	                                       {"region", "region"},
	                                       {"ip", "ip"},
	                                       {"port", "port"},
	                                       {"sid", "oracle_sid"},
	                                       {"database", "database_name"},
	                                       {"user", "user_name"},
	                                       {"owner", "owner_id"},
	                                       {"role", "role"}};
	const char *reserve = attr(r, "reserve"),
		   *ssl = attr(r, arena_printf(a, "%s_endpoint_ssl", side));
	struct json *j = reserve ? json_parse(a, reserve, strlen(reserve), NULL) : NULL;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		put(a, o, arena_printf(a, "%s.%s", side, names[i][0]),
		    attr(r, arena_printf(a, "%s_endpoint_%s", side, names[i][1])));
	if (!ssl && j)
		ssl = json_text(a, j, side[0] == 's' ? "srcSSL" : "destSSL");
	put(a, o, arena_printf(a, "%s.ssl", side), or (ssl, "0"));
}

static void put_alarm(struct arena *a, struct json *o, const struct record *r, const char *kind)
{
	const char *notice = attr(r, arena_printf(a, "%s_notice", kind));

	if (notice)
		put(a, o, arena_printf(a, "alarm.%s.state", kind),
		    text_eq(notice, "true") ? "Y" : "N");
	put(a, o, arena_printf(a, "alarm.%s.phone", kind),
	    attr(r, arena_printf(a, "%s_phone", kind)));
	if (text_eq(kind, "delay"))
		put_number(a, o, "alarm.delay.delay_s", attr(r, "delay_rule_time"));
}

/* A status that was on its way has arrived: nothing in the world would move it on. */
static const char *status_of(const struct record *r)
{
	enum job_status s = status_parse(r->status);

	if (r->step == STEP_BOUGHT || r->step == STEP_RESET)
		return status_name(ST_NOT_CONFIGURED);
	if (r->step == STEP_CONFIGURED_FREE)
		return status_name(s == ST_PRECHECK_PASS ? s : ST_NOT_STARTED);
	if (r->status && s != ST_INITIALIZING && status_class(s) != SC_MOVING &&
	    status_class(s) != SC_GONE)
		return status_name(s);
	return status_name(text_eq(attr(r, "status"), "Suspending") ? ST_SUSPENDING
	                                                            : ST_SYNCHRONIZING);
}

static struct json *job_head(struct arena *a, const char *id, const char *instance,
                             const char *direction, const char *region)
{
	struct json *o = json_new(a, JSON_OBJECT);

	put(a, o, "id", id);
	put(a, o, "instance", instance);
	put(a, o, "direction", direction);
	put(a, o, "type", "SYNC");
	put(a, o, "region", region);
	return o;
}

static struct json *job_json(struct arena *a, const struct record *r)
{
	struct json *o = job_head(a, or (r->job_id, r->id), r->instance_id,
	                          record_reverse(r) ? "Reverse" : "Forward", r->region);

	put(a, o, "name", attr(r, "dts_job_name"));
	put(a, o, "resource_group", or (attr(r, "resource_group_id"), "rg-default"));
	put(a, o, "status", status_of(r));
	put_flag(a, o, "structure_initialization", attr(r, "structure_initialization"));
	put_flag(a, o, "data_initialization", attr(r, "data_initialization"));
	put_flag(a, o, "data_synchronization", attr(r, "data_synchronization"));
	put_endpoint(a, o, r, "source");
	put_endpoint(a, o, r, "destination");
	put(a, o, "db_list", attr(r, "db_list"));
	put_reserve(a, o, r);
	put(a, o, "data_check", attr(r, "data_check_configure"));
	put(a, o, "checkpoint", attr(r, "checkpoint"));
	put(a, o, "bis_label", or (attr(r, "dts_bis_label"), "normal"));
	put(a, o, "dedicated_cluster", attr(r, "dedicated_cluster_id"));
	put(a, o, "parameters", attr(r, "job_parameters"));
	put_alarm(a, o, r, "delay");
	put_alarm(a, o, r, "error");
	json_add(o, "created_wall_ms", json_new_int(a, r->created_ms));
	json_add(o, "begun_wall_ms", json_new_int(a, r->created_ms));
	return o;
}

/* A bought job that no section configures. */
static struct json *blank_job(struct arena *a, const struct bought *b, bool reverse,
                              const char *region)
{
	const char *ends[] = {"source", "destination"};
	const char *id = !reverse && b->inst ? b->inst->job_id : NULL;
	struct json *o = job_head(a, or (id, made_up_id(a, b->id, reverse ? "Reverse" : "Forward")),
	                          b->id, reverse ? "Reverse" : "Forward", region);

	put(a, o, "name", b->id);
	put(a, o, "status", status_name(ST_NOT_CONFIGURED));
	for (int i = 0; i < 2; i++) {
		const char *from = ends[reverse ? 1 - i : i];

		put(a, o, arena_printf(a, "%s.engine", ends[i]),
		    of_purchase(b, arena_printf(a, "%s_endpoint_engine_name", from)));
		put(a, o, arena_printf(a, "%s.region", ends[i]),
		    of_purchase(b, arena_printf(a, "%s_endpoint_region", from)));
	}
	return o;
}

static void add_bought(struct arena *a, const struct bought *b, struct json *instances,
                       struct json *jobs)
{
	const struct record *any = b->inst ? b->inst : b->forward ? b->forward : b->reverse;
	const char *pay = of_purchase(b, "payment_type");
	bool two_way = b->reverse || text_ieq(of_purchase(b, "sync_architecture"), "bidirectional");
	struct json *o = json_new(a, JSON_OBJECT),
		    *f = b->forward ? job_json(a, b->forward) : blank_job(a, b, false, any->region),
		    *r = b->reverse ? job_json(a, b->reverse)
	                 : two_way  ? blank_job(a, b, true, any->region)
	                            : NULL;

	put(a, o, "id", b->id);
	put(a, o, "region", any->region);
	put(a, o, "type", "SYNC");
	put(a, o, "source_engine", or (of_purchase(b, "source_endpoint_engine_name"), "MySQL"));
	put(a, o, "source_region", of_purchase(b, "source_endpoint_region"));
	put(a, o, "destination_engine",
	    or (of_purchase(b, "destination_endpoint_engine_name"), "MySQL"));
	put(a, o, "destination_region", of_purchase(b, "destination_endpoint_region"));
	put(a, o, "pay_type", text_ieq(pay, "Subscription") ? "PrePaid" : "PostPaid");
	put(a, o, "class", or (of_purchase(b, "instance_class"), "small"));
	put(a, o, "architecture", two_way ? "bidirectional" : "oneway");
	put(a, o, "resource_group", or (of_purchase(b, "resource_group_id"), "rg-default"));
	put(a, o, "tags", of_purchase(b, "tags"));
	put(a, o, "forward", json_str(f, "id"));
	put(a, o, "reverse", r ? json_str(r, "id") : NULL);
	put_number(a, o, "databases", or (of_purchase(b, "database_count"), "1"));
	json_add(o, "created_wall_ms", json_new_int(a, any->created_ms));
	json_add(instances, NULL, o);
	json_add(jobs, NULL, f);
	if (r)
		json_add(jobs, NULL, r);
}

const char *rehearse_world(struct arena *a, const struct record *const *recs, size_t n,
                           int64_t now_ms)
{
	struct json *world = json_new(a, JSON_OBJECT), *instances = json_new(a, JSON_ARRAY),
		    *jobs = json_new(a, JSON_ARRAY);
	struct bought *v = arena_array(a, struct bought, n + 1);
	struct map by_id;
	uint32_t k, bought = 0;

	map_init(&by_id, a);
	for (size_t i = 0; i < n; i++) {
		const struct record *r = recs[i];

		if (r->gone_ms > 0)
			continue;
		if (text_empty(r->instance_id)) { /* configured first, not bought yet */
			json_add(jobs, NULL, job_json(a, r));
			continue;
		}
		k = map_get(&by_id, r->instance_id);
		if (k == MAP_NONE) {
			k = bought++;
			map_put(&by_id, r->instance_id, k);
			v[k].id = r->instance_id;
		}
		*(r->type == &type_instance ? &v[k].inst
		  : record_reverse(r)       ? &v[k].reverse
		                            : &v[k].forward) = r;
	}
	for (k = 0; k < bought; k++)
		add_bought(a, &v[k], instances, jobs);
	json_add(world, "dtsbatch_world", json_new_int(a, 1));
	json_add(world, "now_ms", json_new_int(a, now_ms));
	json_add(world, "wall_ms", json_new_int(a, now_ms));
	json_add(world, "instances", instances);
	json_add(world, "jobs", jobs);
	return json_write_dup(a, world, false);
}

/* ---- a session that is one ------------------------------------------------------------ */

int rehearse_open(struct session *s, struct err *e)
{
	struct arena *a = &s->c->a;
	struct state_opts so = {.path = s->l.named_state, .mode = STATE_READ};
	const struct record *const *v;
	size_t n;

	if (state_exists(s->state) || text_eq(s->l.named_state, s->l.state_path) ||
	    access(s->l.named_state, F_OK) ||
	    !access(state_world_path(a, state_path(s->state)), F_OK))
		return 0;
	if (state_open(&s->rehearsed, &so, e)) {
		if (e->code == ERR_STATE_READ && !*e->hint)
			err_hint(e, "a rehearsal begins with the real state; name another one with "
			            "--state to simulate without it");
		return -1;
	}
	v = state_list(s->rehearsed, &n);
	s->seed = n ? rehearse_world(a, v, n, sys_wall_ms()) : NULL;
	return 0;
}

int rehearse_begin(struct session *s, struct err *e)
{
	struct diag d;
	size_t n, open;
	int rc = 0;

	if (!s->rehearsed)
		return 0;
	state_list(s->rehearsed, &n);
	state_intents(s->rehearsed, &open);
	if (n) {
		rc = state_copy(s->state, s->rehearsed, e);
		diag_init(&d, &s->c->a);
		diag_note(&d, (struct pos){0}, NULL,
		          "a rehearsal: the simulation begins with the %zu resources of %s "
		          "(serial %" PRIu64 "), which is not touched",
		          n, s->l.named_state, state_serial(s->rehearsed));
		if (open)
			diag_note(&d, (struct pos){0}, NULL,
			          "%zu call%s of an earlier run without an answer yet, which the "
			          "rehearsal leaves out",
			          open, open == 1 ? " is" : "s are");
		if (!rc)
			ui_diag(&s->c->ui, &d);
	}
	state_abandon(s->rehearsed);
	s->rehearsed = NULL;
	return rc;
}
