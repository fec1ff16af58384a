/*
 * Conditions of dts-api.md 11.1 for a job. A value that is not known yet, or
 * an enum word we do not know, triggers nothing: no follow-up errors that
 * guess what was meant.
 */
#include <string.h>

#include "base/json.h"
#include "model/types/check.h"

struct check {
	const struct batch *b;
	const struct resource *r;
	struct diag *d;
	struct arena *a;
	const struct json *reserve; /* NULL: not given */
	bool reserve_open;          /* given, but holds ids that are not known yet: not judged */
};

/* The keys of one endpoint. */
struct side {
	bool source;
	const char *word;
	const char *type, *engine, *id, *region, *ip, *port, *sid, *database, *user, *owner, *role,
		*ssl;
	const char *reserve_cen, *reserve_arch, *reserve_ssl;
};

#define SIDE(is_source, p, w, short)                                                               \
	{                                                                                          \
		.source = is_source, .word = w, .type = p "_instance_type",                        \
		.engine = p "_engine_name", .id = p "_instance_id", .region = p "_region",         \
		.ip = p "_ip", .port = p "_port", .sid = p "_oracle_sid",                          \
		.database = p "_database_name", .user = p "_user_name", .owner = p "_owner_id",    \
		.role = p "_role", .ssl = p "_ssl", .reserve_cen = short "InstanceId",             \
		.reserve_arch = short "EngineArchType", .reserve_ssl = short "SSL",                \
	}

static const struct side source = SIDE(true, "source_endpoint", "source", "src");
static const struct side dest = SIDE(false, "destination_endpoint", "destination", "dest");

static bool type_is(const struct check *c, const struct side *s, const char *const *list)
{
	const char *type = res_get(c->r, s->type);

	for (; type && *list; list++)
		if (text_ieq(type, *list))
			return true;
	return false;
}

static bool engine_is(const struct check *c, const struct side *s, const char *name)
{
	const char *engine = res_get(c->r, s->engine);

	return engine && engine_same(engine, name);
}

static bool type_known(const struct check *c, const struct side *s)
{
	const char *type = res_get(c->r, s->type);

	return instance_type_is_cloud(type) || instance_type_is_selfmanaged(type);
}

static void missing(const struct check *c, const char *key, const char *why_key)
{
	if (has(c->r, key))
		return;
	diag_error(c->d, c->r->pos, NULL, "%s: %s is missing: %s = %s needs it", c->r->address, key,
	           why_key, res_get(c->r, why_key));
}

/* ---- reserve ---- */

static void read_reserve(struct check *c)
{
	const char *text = res_get(c->r, "reserve");

	c->reserve_open = has(c->r, "reserve") && !text;
	c->reserve = text ? json_parse(c->a, text, strlen(text), NULL) : NULL;
}

/* Text of a reserve key: "" when absent or no scalar. */
static const char *reserve_text(const struct check *c, const char *key)
{
	const struct json *v = json_get(c->reserve, key);

	if (!v)
		return "";
	if (v->type == JSON_STRING)
		return v->s;
	return v->type == JSON_NUMBER || v->type == JSON_BOOL ? json_write_dup(c->a, v, false) : "";
}

static bool reserve_lacks(const struct check *c, const char *key)
{
	return !c->reserve_open && !*reserve_text(c, key);
}

static void need_reserve(const struct check *c, const char *key, const char *why_key)
{
	if (reserve_lacks(c, key))
		diag_error(c->d, where(c->r, "reserve"), NULL,
		           "%s: reserve lacks `%s`: %s = %s needs it", c->r->address, key, why_key,
		           res_get(c->r, why_key));
}

/* Documented as required, missing in nearly all public configurations: said, never refused. */
static void note_table_mode(const struct check *c)
{
	if (reserve_lacks(c, "targetTableMode"))
		diag_remark(
			c->d, where(c->r, "reserve"),
			"\"0\": the precheck reports it; \"2\": the table is used as it is",
			"reserve without targetTableMode: the service decides what happens when a "
			"target table exists");
}

static void check_autostart(const struct check *c)
{
	const char *mode = reserve_text(c, "autoStartModulesAfterConfig");

	if (is(c->r, "status", "Suspending") && is(c->r, "auto_start", "true"))
		diag_error(
			c->d, where(c->r, "auto_start"), "keep one of them",
			"%s: auto_start = true starts the job, status = Suspending wants it at rest",
			c->r->address);

	if (is(c->r, "status", "Suspending") && (text_ieq(mode, "all") || text_ieq(mode, "auto")))
		diag_error(c->d, where(c->r, "reserve"), "take the key out of reserve",
		           "%s: reserve says autoStartModulesAfterConfig = %s, but status = "
		           "Suspending wants a job that does not start",
		           c->r->address, mode);
}

/* ---- endpoints ---- */

static void check_address(const struct check *c, const struct side *s)
{
	static const char *const by_ip[] = {"OTHER", "EXPRESS", "DG", "CEN", NULL};
	static const char *const by_id[] = {"ECS", "EXPRESS", "DG", "CEN", NULL};
	static const char *const cen[] = {"CEN", NULL}, *const odps[] = {"ODPS", NULL};
	const char *type = res_get(c->r, s->type);

	if (instance_type_is_cloud(type)) {
		if (!type_is(c, s, odps)) /* a MaxCompute project is named by the database name */
			missing(c, s->id, s->type);
		missing(c, s->region, s->type);
	}
	if (instance_type_is_selfmanaged(type))
		missing(c, s->port, s->type);
	if (type_is(c, s, by_ip))
		missing(c, s->ip, s->type);
	if (type_is(c, s, by_id))
		missing(c, s->id, s->type);
	if (type_is(c, s, cen))
		need_reserve(c, s->reserve_cen, s->type);
}

static void check_engine(const struct check *c, const struct side *s)
{
	static const char *const postgres_like[] = {"POSTGRESQL", "POLARDB_O", "POLARDB_PG",
	                                            "MONGODB", NULL};
	static const char *const dest_only[] = {"GREENPLUM", "ODPS", NULL};
	static const char *const as_own[] = {"OTHER", "EXPRESS", NULL};

	for (size_t i = 0; postgres_like[i]; i++)
		if (engine_is(c, s, postgres_like[i]))
			missing(c, s->database, s->engine);
	for (size_t i = 0; !s->source && dest_only[i]; i++)
		if (engine_is(c, s, dest_only[i]))
			missing(c, s->database, s->engine);
	if (engine_is(c, s, "MONGODB"))
		need_reserve(c, s->reserve_arch, s->engine);
	if (engine_is(c, s, "ORACLE") && !has(c->r, s->sid))
		diag_warn(c->d, c->r->pos, NULL,
		          "%s: %s is missing: an Oracle %s needs it unless it is a RAC",
		          c->r->address, s->sid, s->word);
	if (engine_is(c, s, "POLARDB_O") && type_known(c, s) && !type_is(c, s, as_own))
		diag_error(c->d, where(c->r, s->type), NULL,
		           "%s: %s must be OTHER or EXPRESS for %s = %s", c->r->address, s->type,
		           s->engine, res_get(c->r, s->engine));
}

static void check_account(const struct check *c, const struct side *s)
{
	if (has(c->r, s->owner) && !has(c->r, s->role))
		diag_error(c->d, where(c->r, s->owner), NULL, "%s: %s needs %s", c->r->address,
		           s->owner, s->role);
	if (has(c->r, s->role) && !has(c->r, s->owner))
		diag_warn(c->d, where(c->r, s->role), NULL, "%s: %s has no effect without %s",
		          c->r->address, s->role, s->owner);
	if (s->source || !has(c->r, s->owner) || !res_get(c->r, s->type) ||
	    !res_get(c->r, s->engine))
		return;
	if (!is(c->r, s->type, "RDS") || !engine_is(c, s, "MYSQL"))
		diag_warn(c->d, where(c->r, s->owner), NULL,
		          "%s: %s is documented for an RDS MySQL destination", c->r->address,
		          s->owner);
}

static void check_user(const struct check *c, const struct side *s)
{
	static const char *const with_user[] = {"MYSQL",      "PolarDB",    "POLARDB_O",
	                                        "POLARDB_PG", "POLARDBX20", "POSTGRESQL",
	                                        "MSSQL",      "ORACLE",     NULL};
	bool none = engine_is(c, s, "REDIS") || engine_is(c, s, "KAFKA");

	if (!s->source && none && has(c->r, s->user))
		diag_warn(c->d, where(c->r, s->user), NULL, "%s: a %s destination takes no %s",
		          c->r->address, res_get(c->r, s->engine), s->user);
	for (size_t i = 0; with_user[i] && !has(c->r, s->user); i++)
		if (engine_is(c, s, with_user[i])) {
			diag_warn(c->d, c->r->pos, NULL,
			          "%s: %s is not set; a %s %s needs an account in most cases",
			          c->r->address, s->user, res_get(c->r, s->engine), s->word);
			return;
		}
}

static void check_ssl(const struct check *c, const struct side *s)
{
	const char *ssl = res_get(c->r, s->ssl), *other = reserve_text(c, s->reserve_ssl);

	if (!ssl)
		return;
	if (*other && strcmp(other, ssl) != 0)
		diag_warn(c->d, where(c->r, s->ssl), NULL,
		          "%s: %s = %s overrides %s = %s in reserve", c->r->address, s->ssl, ssl,
		          s->reserve_ssl, other);
	if (!strcmp(ssl, "3") &&
	    (s->source || (res_get(c->r, s->engine) && !engine_is(c, s, "KAFKA"))))
		diag_warn(c->d, where(c->r, s->ssl), NULL,
		          "%s: %s = 3 (SCRAM-SHA-256) is for a Kafka destination", c->r->address,
		          s->ssl);
	if (!strcmp(ssl, "1") && instance_type_is_selfmanaged(res_get(c->r, s->type)) &&
	    !is(c->r, s->type, "ECS"))
		diag_warn(c->d, where(c->r, s->ssl), NULL,
		          "%s: %s = 1 is for cloud databases and ECS", c->r->address, s->ssl);
}

static void check_kafka(const struct check *c)
{
	static const char *const needed[] = {"destTopic", "kafkaRecordFormat", NULL};
	static const char *const as_own[] = {"ECS", "EXPRESS", NULL}, *const kafka[] = {"KAFKA",
	                                                                                NULL};

	if (!engine_is(c, &dest, "KAFKA"))
		return;
	for (size_t i = 0; needed[i]; i++)
		need_reserve(c, needed[i], dest.engine);
	if (!has(c->r, dest.ssl))
		need_reserve(c, "destSSL", dest.engine);
	if (reserve_lacks(c, "destVersion"))
		diag_warn(
			c->d, where(c->r, "reserve"), NULL,
			"%s: reserve lacks `destVersion`, which is documented as required for Kafka",
			c->r->address);
	if (type_is(c, &dest, kafka))
		diag_warn(c->d, where(c->r, dest.type), NULL,
		          "%s: the documented types of a Kafka destination are ECS and EXPRESS",
		          c->r->address);
	else if (type_known(c, &dest) && !type_is(c, &dest, as_own))
		diag_error(c->d, where(c->r, dest.type), NULL,
		           "%s: %s must be ECS or EXPRESS for a Kafka destination", c->r->address,
		           dest.type);
	if (is(c->r, "structure_initialization", "true"))
		diag_error(c->d, where(c->r, "structure_initialization"), NULL,
		           "%s: structure_initialization must be false for a Kafka destination",
		           c->r->address);
}

/* ---- alarms ---- */

static void check_alarms(const struct check *c)
{
	static const char *const phones[] = {"delay_phone", "error_phone"};

	if (is(c->r, "delay_notice", "true"))
		missing(c, "delay_rule_time", "delay_notice");
	for (size_t i = 0; i < 2; i++)
		if (has(c->r, phones[i]) && c->r->region && !text_starts(c->r->region, "cn-"))
			diag_warn(c->d, where(c->r, phones[i]), NULL,
			          "%s: %s works on the China site only, the region is %s",
			          c->r->address, phones[i], c->r->region);
}

/* ---- purchase and instance ---- */

static void check_bought(const struct check *c)
{
	const struct type_def *t = c->r->type;

	for (size_t i = 0; i < t->nattrs; i++)
		if ((t->attrs[i].flags & A_PURCHASE) && has(c->r, t->attrs[i].key))
			diag_error(
				c->d, where(c->r, t->attrs[i].key),
				"put it into the section of the instance",
				"%s: %s belongs to the purchase, but this job has a dts_instance_id",
				c->r->address, t->attrs[i].key);
}

static void check_configure_first(const struct check *c)
{
	const struct type_def *t = c->r->type;
	bool any = false;

	for (size_t i = 0; i < t->nattrs; i++)
		any = any || ((t->attrs[i].flags & A_PURCHASE) && has(c->r, t->attrs[i].key));
	if (!any) {
		diag_error(c->d, c->r->pos,
		           "dts_instance_id = ${synchronization_instance.NAME.id}; or payment_type "
		           "and the other purchase keys, and the "
		           "job is bought after its precheck",
		           "%s: dts_instance_id is missing", c->r->address);
		return;
	}
	if (!has(c->r, "payment_type"))
		diag_error(
			c->d, c->r->pos, NULL,
			"%s: payment_type is missing: a job without dts_instance_id is bought with it",
			c->r->address);
	if (is(c->r, "sync_architecture", "bidirectional"))
		diag_error(c->d, where(c->r, "sync_architecture"),
		           "give the pair a synchronization_instance section",
		           "%s: a bidirectional instance cannot be bought for a job",
		           c->r->address);
	if (is(c->r, "synchronization_direction", "Reverse"))
		diag_error(c->d, where(c->r, "synchronization_direction"),
		           "give the pair a synchronization_instance section",
		           "%s: a Reverse job needs a bidirectional instance", c->r->address);
	check_payment(c->r, c->d);
}

static void check_cluster(const struct check *c)
{
	const char *from = res_get(c->r, source.region), *to = res_get(c->r, dest.region);

	if (has(c->r, "dedicated_cluster_id") && from && to && !text_eq(from, to))
		diag_warn(c->d, where(c->r, "dedicated_cluster_id"), NULL,
		          "%s: a dedicated cluster serves jobs within one region, this one goes "
		          "from %s to %s",
		          c->r->address, from, to);
}

static void check_match(const struct check *c, const struct resource *inst, const struct side *s)
{
	const char *mine = res_get(c->r, s->engine), *bought = res_get(inst, s->engine);
	const char *region = res_get(c->r, s->region), *paid = res_get(inst, s->region);

	if (mine && bought && !engine_same(mine, bought))
		diag_warn(c->d, where(c->r, s->engine), NULL,
		          "%s: %s is %s, but %s was bought for %s", c->r->address, s->engine, mine,
		          inst->address, bought);
	if (!region || !paid || text_eq(region, paid))
		return;
	if (!s->source && instance_type_is_cloud(res_get(c->r, s->type)))
		diag_error(c->d, where(c->r, s->region), NULL,
		           "%s: %s is %s, but that of %s is %s; they must be equal", c->r->address,
		           s->region, region, inst->address, paid);
	else
		diag_warn(c->d, where(c->r, s->region), NULL, "%s: %s is %s, but that of %s is %s",
		          c->r->address, s->region, region, inst->address, paid);
}

static bool copies(const struct resource *r)
{
	return is(r, "structure_initialization", "true") || is(r, "data_initialization", "true");
}

/* Another job of the same instance that comes before this one (lower index) and has that direction;
 * NULL: none. */
static const struct resource *sibling(const struct check *c, bool reverse, bool before)
{
	const struct graph *g = &c->b->graph;
	uint32_t inst = c->r->instance;

	if (g->n != c->b->n || !g->in_at)
		return NULL; /* the batch has mistakes that kept it from becoming a graph */
	for (uint32_t i = g->in_at[inst]; i < g->in_at[inst + 1]; i++) {
		const struct resource *o = &c->b->v[g->in[i]];

		if (o == c->r || o->type != &type_job || o->instance != inst ||
		    (before && o > c->r))
			continue;
		if (is(o, "synchronization_direction", "Reverse") == reverse)
			return o;
	}
	return NULL;
}

static void check_direction(const struct check *c, const struct resource *inst)
{
	const char *direction = res_get(c->r, "synchronization_direction"),
		   *arch = res_get(inst, "sync_architecture");
	bool open = has(inst, "sync_architecture") && !arch;
	bool reverse = text_ieq(direction, "Reverse");
	const struct resource *other;

	if (direction && !open && !text_ieq(arch, "bidirectional")) {
		if (reverse)
			diag_error(c->d, where(c->r, "synchronization_direction"), NULL,
			           "%s: synchronization_direction = Reverse needs "
			           "sync_architecture = bidirectional in %s",
			           c->r->address, inst->address);
		else
			diag_warn(c->d, where(c->r, "synchronization_direction"), "leave it out",
			          "%s: synchronization_direction is for bidirectional instances, "
			          "%s is oneway",
			          c->r->address, inst->address);
	}
	other = sibling(c, reverse, true);
	if (other)
		diag_error(c->d, where(c->r, "dts_instance_id"), NULL,
		           "%s: %s already has this direction of %s", c->r->address, other->address,
		           inst->address);
	/* dts-api.md 3.5 and 22 #7: Alibaba's own examples copy in both directions, so it is no
	 * error. */
	other = reverse ? sibling(c, false, false) : NULL;
	if (other && copies(c->r) && copies(other))
		diag_warn(c->d,
		          where(c->r, is(c->r, "data_initialization", "true")
		                              ? "data_initialization"
		                              : "structure_initialization"),
		          "set data_initialization and structure_initialization to false in the "
		          "Reverse job",
		          "%s: only one direction of a two-way pair should copy schema and data, "
		          "%s does so, too",
		          c->r->address, other->address);
}

static void check_pairing(const struct check *c)
{
	const struct resource *inst;

	if (c->r->instance == RES_NONE || c->r->instance >= c->b->n)
		return;
	inst = &c->b->v[c->r->instance];
	check_match(c, inst, &source);
	check_match(c, inst, &dest);
	check_direction(c, inst);
}

static void check_modes(const struct check *c)
{
	if (is(c->r, "data_initialization", "false") &&
	    is(c->r, "structure_initialization", "false") &&
	    is(c->r, "data_synchronization", "false"))
		diag_error(
			c->d, where(c->r, "data_synchronization"), NULL,
			"%s: all three modes are false: the service refuses a job that copies nothing",
			c->r->address);
}

/* Module 03 is the full copy; its parameters are taken only while it runs (dts-api.md 17). */
static void check_parameters(const struct check *c)
{
	const char *text = res_get(c->r, "job_parameters");
	const struct json *list = text ? json_parse(c->a, text, strlen(text), NULL) : NULL;

	if (!is(c->r, "data_initialization", "false"))
		return;
	for (const struct json *p = list ? list->child : NULL; p; p = p->next)
		if (text_eq(json_text(c->a, p, "module"), "03")) {
			diag_error(
				c->d, where(c->r, "job_parameters"), "take it out",
				"%s: module 03 is the full copy, which data_initialization = false leaves "
				"out: its parameters cannot be set",
				c->r->address);
			return;
		}
}

/* Nothing can be configured on an instance that is to be gone. */
static void check_its_instance(const struct check *c)
{
	if (c->r->instance != RES_NONE && c->b->v[c->r->instance].life.absent)
		diag_error(c->d, where(c->r, "dts_instance_id"),
		           "say ensure = absent here, too, or take it out there",
		           "%s: its instance %s has ensure = absent", c->r->address,
		           c->b->v[c->r->instance].address);
}

void check_job(const struct batch *b, const struct resource *r, struct diag *d)
{
	struct arena a;
	struct check c = {.b = b, .r = r, .d = d, .a = &a};

	arena_init(&a); /* for reserve alone; messages live in the arena of d */
	read_reserve(&c);
	if (has(r, "dts_instance_id"))
		check_bought(&c);
	else
		check_configure_first(&c);
	for (int i = 0; i < 2; i++) {
		const struct side *s = i ? &dest : &source;

		check_address(&c, s);
		check_engine(&c, s);
		check_account(&c, s);
		check_user(&c, s);
		check_ssl(&c, s);
	}
	check_kafka(&c);
	check_alarms(&c);
	check_cluster(&c);
	check_pairing(&c);
	check_modes(&c);
	check_parameters(&c);
	check_its_instance(&c);
	check_autostart(&c);
	note_table_mode(&c);
	arena_release(&a);
}
