/*
 * The acceptance scenarios of the reference provider, and more in their style,
 * as whole lives: created, changed, imported, destroyed. After each move the
 * request log holds the calls that are listed here, with all their parameters,
 * and no other changing call, and the next plan is empty.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "engine_fixture.h"

#define INST "synchronization_instance.default"
#define JOB "synchronization_job.default"
#define BACK "synchronization_job.back" /* the other direction of a pair */

/* ---- manifests ---------------------------------------------------------------- */

/* Sections as "key = value" lines; NULL or "": not in the manifest. */
struct batch_text {
	const char *inst, *job, *back;
};

static const char base_inst[] = "payment_type = PayAsYouGo\n"
				"source_endpoint_engine_name = MySQL\n"
				"source_endpoint_region = cn-hangzhou\n"
				"destination_endpoint_engine_name = MySQL\n"
				"destination_endpoint_region = cn-hangzhou\n"
				"instance_class = small\n"
				"sync_architecture = oneway\n";
static const char base_job[] = "dts_instance_id = ${" INST ".id}\n"
			       "dts_job_name = tf-testAccCase\n"
			       "source_endpoint_instance_type = RDS\n"
			       "source_endpoint_instance_id = rm-source\n"
			       "source_endpoint_engine_name = MySQL\n"
			       "source_endpoint_region = cn-hangzhou\n"
			       "source_endpoint_database_name = test_database\n"
			       "source_endpoint_user_name = test_mysql\n"
			       "source_endpoint_password = ${env:PW}\n"
			       "destination_endpoint_instance_type = RDS\n"
			       "destination_endpoint_instance_id = rm-target\n"
			       "destination_endpoint_engine_name = MySQL\n"
			       "destination_endpoint_region = cn-hangzhou\n"
			       "destination_endpoint_database_name = test_database\n"
			       "destination_endpoint_user_name = test_mysql\n"
			       "destination_endpoint_password = ${env:PW}\n"
			       "db_list = {\"test_database\":{\"name\":\"test_database\",\"all\":"
			       "true,\"state\":\"normal\"}}\n"
			       "structure_initialization = true\n"
			       "data_initialization = true\n"
			       "data_synchronization = true\n";

/* `lines` with the keys of `more` set, or taken out where the value is empty. */
static const char *with(const char *lines, const char *more)
{
	const char *out = lines ? lines : "", *end, *p, *to;

	for (; more && *more; more = end + 1) {
		size_t key = strcspn(more, " ");

		end = strchr(more, '\n');
		assert_non_null(end);
		for (p = out; *p && (strncmp(p, more, key) != 0 || p[key] != ' ');
		     p = strchr(p, '\n') + 1)
			;
		to = *p ? strchr(p, '\n') + 1 : p;
		out = arena_printf(
			&eng_a, "%.*s%s%s", (int)(p - out), out,
			end[-1] == '=' ? "" : arena_strndup(&eng_a, more, (size_t)(end + 1 - more)),
			to);
	}
	return out;
}

static const char *text_of(const struct batch_text *b)
{
	const char *out = "[dtsbatch]\nregion = cn-hangzhou\n";

	if (!text_empty(b->inst))
		out = arena_printf(&eng_a, "%s[" INST "]\n%s", out, b->inst);
	if (!text_empty(b->job))
		out = arena_printf(&eng_a, "%s[" JOB "]\n%s", out, b->job);
	if (!text_empty(b->back))
		out = arena_printf(&eng_a, "%s[" BACK "]\n%s", out, b->back);
	return out;
}

/* ---- ids and calls -------------------------------------------------------------- */

static struct {
	char instance[32], job[32], back[32];
} ids; /* $I, $J, $B; they outlive the records */

static size_t log_mark; /* lines of the request log that were looked at */

static void note_ids(void)
{
	const struct record *i = eng_record(INST), *j = eng_record(JOB), *b = eng_record(BACK);

	if (i)
		snprintf(ids.instance, sizeof ids.instance, "%s", i->id);
	if (j)
		snprintf(ids.job, sizeof ids.job, "%s", j->id);
	if (b)
		snprintf(ids.back, sizeof ids.back, "%s", b->id);
}

static const char *with_ids(const char *text)
{
	const char *out = "";

	for (; *text; text++) {
		if (*text == '$' && text[1])
			out = arena_printf(&eng_a, "%s%s", out,
			                   text[1] == 'I'   ? ids.instance
			                   : text[1] == 'J' ? ids.job
			                                    : ids.back);
		else
			out = arena_printf(&eng_a, "%s%c", out, *text);
		text += *text == '$' && text[1];
	}
	return out;
}

/* "Action Name=value +Name=value": every parameter, + in the body, * any value. RegionId is added. */
static void check_call(const struct json *call, const char *want)
{
	const struct json *part[2] = {json_get(call, "query"), json_get(call, "form")};
	const char *said = json_write_dup(&eng_a, call, false), *word, *eq;
	size_t seen[2] = {1, 0};

	assert_non_null(part[0]);
	assert_non_null(part[1]);
	if (!text_eq(json_str(call, "action"), text_field(&eng_a, want, ' ', 0)))
		fail_msg("wanted %s, the log has %s", want, said);
	if (json_get(call, "status")->i != 200 || json_str(call, "code"))
		fail_msg("refused: %s", said);
	if (!text_eq(json_str(part[0], "RegionId"), "cn-hangzhou"))
		fail_msg("no RegionId in %s", said);
	for (size_t i = 1; (word = text_field(&eng_a, want, ' ', i)); i++) {
		bool body = *word == '+';
		const char *got;

		if (!*word)
			continue;
		eq = strchr(word, '=');
		assert_non_null(eq);
		got = json_str(part[body],
		               arena_strndup(&eng_a, word + body, (size_t)(eq - word) - body));
		seen[body]++;
		if (!got || (strcmp(eq + 1, "*") != 0 && !text_eq(got, with_ids(eq + 1))))
			fail_msg("wanted %s, the log has %s", with_ids(word), said);
	}
	for (size_t i = 0; i < 2; i++)
		if (part[i]->n != seen[i])
			fail_msg("more than wanted (%s) in %s", want, said);
}

/* The changing calls since the last time are these, one a line, and no others. */
static void check_calls(const char *want)
{
	size_t n, len;
	struct json **all = eng_log(&n);

	for (; log_mark < n; log_mark++) {
		const char *action = json_str(all[log_mark], "action");

		if (text_starts(action, "Describe") || text_starts(action, "List"))
			continue;
		if (!want || !*want)
			fail_msg("sent without need: %s",
			         json_write_dup(&eng_a, all[log_mark], false));
		len = strcspn(want, "\n");
		check_call(all[log_mark], arena_strndup(&eng_a, want, len));
		want += len + (want[len] == '\n');
	}
	if (want && *want)
		fail_msg("not sent: %s", want);
}

/* ---- plans and runs --------------------------------------------------------------- */

static struct result *plan(const struct batch_text *b)
{
	return eng_run(text_of(b), ENG_PRUNE);
}

static void check_clean(const struct batch_text *b)
{
	struct result *r = plan(b);

	for (size_t i = 0; i < r->p.n; i++)
		if (r->p.ops[i].kind != OP_NOOP || r->p.ops[i].nchanges || r->p.ops[i].refused)
			fail_msg("the plan wants %s of %s (%s)", op_kind_name(r->p.ops[i].kind),
			         r->p.ops[i].address,
			         r->p.ops[i].nchanges
			                 ? r->p.ops[i].type->attrs[r->p.ops[i].changes[0].attr].key
			                 : "");
	check_calls("");
}

/* The operation of this address; all others are "no change". */
static const struct op *only_op(const struct batch_text *b, const char *address)
{
	struct result *r = plan(b);
	const struct op *found = NULL;

	for (size_t i = 0; i < r->p.n; i++)
		if (text_eq(r->p.ops[i].address, address))
			found = &r->p.ops[i];
		else if (r->p.ops[i].kind != OP_NOOP)
			fail_msg("the plan wants %s of %s", op_kind_name(r->p.ops[i].kind),
			         r->p.ops[i].address);
	if (!found)
		fail_msg("%s is not in the plan", address);
	check_calls("");
	return found;
}

static const struct op *op_in(struct result *r, const char *address)
{
	for (size_t i = 0; i < r->p.n; i++)
		if (text_eq(r->p.ops[i].address, address))
			return &r->p.ops[i];
	fail_msg("%s is not in the plan", address);
	return NULL;
}

static bool says(const char *text, const char *part)
{
	return text && strstr(text, part);
}

static const struct change *change_of(const struct op *op, const char *key)
{
	for (size_t i = 0; i < op->nchanges; i++)
		if (text_eq(op->type->attrs[op->changes[i].attr].key, key))
			return &op->changes[i];
	fail_msg("the plan does not show %s of %s", key, op->address);
	return NULL;
}

/* One change is shown, of this key; behind: somebody else made it. */
static void check_shown(const struct op *op, const char *key, const char *from, const char *to,
                        bool behind)
{
	const struct change *c = change_of(op, key);

	assert_int_equal(op->nchanges, 1);
	if (!text_eq(c->from, from) || !text_eq(c->to, to))
		fail_msg("%s: %s -> %s is shown as %s -> %s", key, from, to,
		         c->from ? c->from : "nothing", c->to ? c->to : "nothing");
	assert_int_equal(c->behind, behind);
}

/* Refused by the plan, and by the run without a call. */
static void check_refused(const struct batch_text *b, const char *address, const char *why)
{
	const struct op *op = op_in(plan(b), address);
	struct result *r;

	if (!says(op->refused, why))
		fail_msg("refusal of %s: %s", address, op->refused ? op->refused : "none");
	r = eng_apply(text_of(b));
	assert_true(r->bad > 0);
	if (!says(r->notes, why))
		fail_msg("the run does not say why: %s", r->notes);
	check_calls("");
}

static void apply(const struct batch_text *b, const char *calls)
{
	struct result *r = eng_apply(text_of(b));

	ASSERT_DONE(r);
	note_ids();
	check_calls(calls);
	check_clean(b);
}

static size_t live_instances(void)
{
	const struct json *list = json_get(eng_control("world"), "instances");
	size_t n = 0;

	for (const struct json *i = list->child; i; i = i->next)
		n += !json_get(i, "gone_ms") || json_get(i, "gone_ms")->i == 0;
	return n;
}

static void forget_state(void)
{
	unlink(eng_file("s.state.json"));
	unlink(eng_file("s.state.journal"));
	assert_null(eng_record(INST));
	assert_null(eng_record(JOB));
}

/* A lost state, and every section names its id: nothing is changed, all is known again. */
static void import(const struct batch_text *b)
{
	static const char *const addresses[] = {INST, JOB, BACK};
	struct batch_text named = *b;
	size_t n = 2 + (b->back != NULL);
	struct result *r;

	forget_state();
	named.inst = with(b->inst, with_ids("import_id = $I\n"));
	named.job = with(b->job, with_ids("import_id = $J\n"));
	if (b->back)
		named.back = with(b->back, with_ids("import_id = $B\n"));
	r = plan(&named);
	assert_int_equal(r->p.count[OP_ADOPT], n);
	assert_int_equal(r->p.n, n);
	for (size_t i = 0; i < n; i++)
		if (op_in(r, addresses[i])->nsteps || op_in(r, addresses[i])->refused)
			fail_msg("the import of %s is not an import alone", addresses[i]);
	r = eng_apply(text_of(&named));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.mutating, 0);
	check_calls("");
	assert_string_equal(eng_record(INST)->id, ids.instance);
	assert_string_equal(eng_record(JOB)->id, ids.job);
	assert_string_equal(eng_record(JOB)->instance_id, ids.instance);
	if (b->back)
		assert_string_equal(eng_record(BACK)->id, ids.back);
	check_clean(b);
	check_clean(&named);
}

static void destroy(const struct batch_text *b, const char *calls)
{
	struct result *r = eng_run(text_of(b), ENG_APPLY | ENG_DESTROY);

	ASSERT_DONE(r);
	check_calls(calls);
	assert_int_equal(live_instances(), 0);
	assert_null(eng_record(INST));
	assert_null(eng_record(JOB));
	assert_null(eng_record(BACK));
}

/* ---- the calls of a life ------------------------------------------------------------ */

#define BOUGHT                                                                                     \
	"CreateDtsInstance Type=SYNC PayType=PostPaid InstanceClass=small "                        \
	"SyncArchitecture=oneway SourceRegion=cn-hangzhou DestinationRegion=cn-hangzhou "          \
	"DestinationEndpointEngineName=MySQL SourceEndpointEngineName="
#define DEST                                                                                       \
	" DestinationEndpointInstanceType=RDS DestinationEndpointInstanceID=rm-target "            \
	"DestinationEndpointEngineName=MySQL DestinationEndpointRegion=cn-hangzhou "               \
	"DestinationEndpointDataBaseName=test_database DestinationEndpointUserName=test_mysql "    \
	"DestinationEndpointPassword=***"
#define SOURCE                                                                                     \
	" SourceEndpointInstanceType=RDS SourceEndpointInstanceID=rm-source "                      \
	"SourceEndpointEngineName=MySQL SourceEndpointRegion=cn-hangzhou "                         \
	"SourceEndpointDatabaseName=test_database SourceEndpointUserName=test_mysql "              \
	"SourceEndpointPassword=***"
#define MODES " StructureInitialization=true DataInitialization=true DataSynchronization=true"
#define DB(x) "{\"" x "\":{\"name\":\"" x "\",\"all\":true}}"
#define CONFIGURED                                                                                 \
	"ConfigureDtsJob JobType=SYNC DtsInstanceId=$I DtsJobName=tf-testAccCase" MODES DEST
#define CREATED BOUGHT "MySQL\n" CONFIGURED SOURCE " +DbList=" DB("test_database")
#define IDS "DtsJobId=$J DtsInstanceId=$I "
#define DELETED "DeleteDtsJob DtsJobId=$J DtsInstanceId=$I JobType=SYNC"
#define RESERVED "ModifyDtsJob " IDS "ClientToken=* +ModifyTypeEnum=UPDATE_RESERVED +Reserved="
#define PARAMETER(v)                                                                               \
	"[{\"module\":\"07\",\"name\":\"sink.batch.size.maximum\",\"value\":\"" v "\"}]"

struct move {
	const char *inst, *job; /* keys that change; NULL: none */
	const char *calls;      /* NULL: it means the same, so there is nothing to do */
	unsigned impact;        /* of the one operation that there is */
	const char *refused;    /* part of the reason; then the keys change back */
};

struct scene {
	const char *inst, *job; /* beside the base */
	const char *created;    /* calls */
	struct move moves[12];
};

static void live(const struct scene *s)
{
	struct batch_text b = {with(base_inst, s->inst), with(base_job, s->job), NULL};

	eng_start(NULL, 0);
	apply(&b, s->created);
	assert_int_equal(live_instances(), 1);
	for (const struct move *m = s->moves; m->inst || m->job; m++) {
		struct batch_text next = {with(b.inst, m->inst), with(b.job, m->job), NULL};
		const struct op *op = only_op(&next, m->inst ? INST : JOB);

		if (!m->calls && !m->refused) {
			b = next;
			check_clean(&b);
			apply(&b, "");
			continue;
		}
		if (op->impact != m->impact)
			fail_msg("%s%s: impact %#x instead of %#x", m->inst ? m->inst : "",
			         m->job ? m->job : "", op->impact, m->impact);
		if (m->refused) {
			check_refused(&next, op->address, m->refused);
			check_clean(&b);
			continue;
		}
		assert_int_equal(op->kind, OP_UPDATE);
		b = next;
		apply(&b, m->calls);
	}
	import(&b);
	assert_int_equal(live_instances(), 1);
	destroy(&b, DELETED);
	eng_stop();
}

/* ---- scenes of the reference ---------------------------------------------------------- */

/* Two MySQL databases; the name, then runtime parameters come, change and go. */
static const struct scene basic = {
	.created = CREATED,
	.moves = {
		{.job = "dts_job_name = tf-testAccCase1\n",
                 .calls = "ModifyDtsJobName DtsJobId=$J DtsJobName=tf-testAccCase1",
                 .impact = IMPACT_ONLINE},
		{.job = "job_parameters = " PARAMETER("128") "\n",
                 .calls = "ModifyDtsJobConfig DtsJobId=$J Parameters=" PARAMETER("128"),
                 .impact = IMPACT_ONLINE},
		{.job = "job_parameters = " PARAMETER("256") "\n",
                 .calls = "ModifyDtsJobConfig DtsJobId=$J Parameters=" PARAMETER("256"),
                 .impact = IMPACT_ONLINE},
		{.job = "job_parameters = []\n",
                 .calls = "ModifyDtsJobConfig DtsJobId=$J Parameters=" PARAMETER("32"),
                 .impact = IMPACT_ONLINE},
		{.job = "dts_job_name = tf-testAccCase\njob_parameters = " PARAMETER("64") "\n",
                 .calls = "ModifyDtsJobName DtsJobId=$J DtsJobName=tf-testAccCase\n"
                          "ModifyDtsJobConfig DtsJobId=$J Parameters=" PARAMETER("64"),
                 .impact = IMPACT_ONLINE},
	}};

/* Paused, resumed, each password with the pause or the start of that moment. */
static const struct scene passwords = {
	.job = "status = Synchronizing\n",
	.created = CREATED,
	.moves = {
		{.job = "status = Suspending\n",
                 .calls = "SuspendDtsJob DtsJobId=$J DtsInstanceId=$I",
                 .impact = IMPACT_PAUSE},
		{.job = "status = Synchronizing\n",
                 .calls = "StartDtsJob DtsJobId=$J DtsInstanceId=$I",
                 .impact = IMPACT_ONLINE},
		{.job = "source_endpoint_password = ${env:PW2}\nstatus = Suspending\n",
                 .calls = "ModifyDtsJobPassword " IDS
                          "Endpoint=src UserName=test_mysql Password=***\n"
                          "SuspendDtsJob DtsJobId=$J DtsInstanceId=$I",
                 .impact = IMPACT_ONLINE | IMPACT_PAUSE},
		{.job = "source_endpoint_password = ${env:PW}\nstatus = Synchronizing\n",
                 .calls = "ModifyDtsJobPassword " IDS
                          "Endpoint=src UserName=test_mysql Password=***\n"
                          "StartDtsJob DtsJobId=$J DtsInstanceId=$I",
                 .impact = IMPACT_ONLINE},
		{.job = "destination_endpoint_password = ${env:PW2}\n",
                 .calls = "ModifyDtsJobPassword " IDS
                          "Endpoint=dest UserName=test_mysql Password=***",
                 .impact = IMPACT_ONLINE},
	}};

static const struct scene polardb = {
	.inst = "source_endpoint_engine_name = PolarDB\n",
	.job = "source_endpoint_instance_type = PolarDB\n"
	       "source_endpoint_instance_id = pc-source\n"
	       "source_endpoint_engine_name = PolarDB\n"
	       "source_endpoint_user_name = test_polardb\n"
	       "db_list = {\"tfaccountpri_0\":{\"name\":\"tfaccountpri_0\",\"all\":true,"
	       "\"state\":\"normal\"}}\n",
	.created = BOUGHT
	"PolarDB\n" CONFIGURED " SourceEndpointInstanceType=PolarDB "
	"SourceEndpointInstanceID=pc-source "
	"SourceEndpointEngineName=PolarDB SourceEndpointRegion=cn-hangzhou "
	"SourceEndpointDatabaseName=test_database SourceEndpointUserName=test_polardb "
	"SourceEndpointPassword=*** +DbList=" DB("tfaccountpri_0"),
	.moves = {{.job = "dts_job_name = tf-testAccCase1\n",
                   .calls = "ModifyDtsJobName DtsJobId=$J DtsJobName=tf-testAccCase1",
                   .impact = IMPACT_ONLINE}}};

/* The whole list is sent; one that means the same is no change. */
static const struct scene objects = {
	.created = CREATED,
	.moves = {
		{.job = "db_list = {\"test_database\": {\"state\": \"normal\", \"all\": true, "
                        "\"name\": \"test_database\"}}\n"},
		{.job = "db_list = {\"test_database\":{\"all\":true,\"name\":\"test_database\"},"
                        "\"crm\":{\"name\":\"crm2\",\"all\":false,"
                        "\"Table\":{\"t\":{\"name\":\"t2\",\"all\":true}}}}\n",
                 .calls = "ModifyDtsJob " IDS
                          "ClientToken=* +DbList={\"test_database\":{\"all\":true,\"name\":"
                          "\"test_database\"},\"crm\":{\"name\":\"crm2\",\"all\":false,"
                          "\"Table\":{\"t\":{\"name\":\"t2\",\"all\":true}}}}",
                 .impact = IMPACT_ONLINE},
		{.job = "db_list = " DB("test_database") "\n",
                 .calls = "ModifyDtsJob " IDS "ClientToken=* +DbList=" DB("test_database"),
                 .impact = IMPACT_ONLINE},
	}};

static const struct scene ssl = {
	.job = "source_endpoint_ssl = 1\ndestination_endpoint_ssl = 0\n",
	.created = CREATED " +Reserve={\"srcSSL\":\"1\",\"destSSL\":\"0\"}",
	.moves = {
		{.job = "source_endpoint_ssl = 0\n",
                 .calls = RESERVED "{\"srcSSL\":\"0\"}",
                 .impact = IMPACT_ONLINE},
		{.job = "destination_endpoint_ssl = 1\n",
                 .calls = RESERVED "{\"destSSL\":\"1\"}",
                 .impact = IMPACT_ONLINE},
		{.job = "source_endpoint_ssl = 1\n",
                 .calls = RESERVED "{\"srcSSL\":\"1\"}",
                 .impact = IMPACT_ONLINE},
		{.job = "source_endpoint_ssl = 0\ndestination_endpoint_ssl = 0\n",
                 .calls = RESERVED "{\"srcSSL\":\"0\",\"destSSL\":\"0\"}",
                 .impact = IMPACT_ONLINE},
	}};

/* Switched on where nothing was said before, and off again by the section. */
static const struct scene ssl_later = {
	.job = "destination_endpoint_ssl = 1\n",
	.created = CREATED " +Reserve={\"destSSL\":\"1\"}",
	.moves = {
		{.job = "source_endpoint_ssl = 0\n"},
		{.job = "source_endpoint_ssl = 1\n",
                 .calls = RESERVED "{\"srcSSL\":\"1\"}",
                 .impact = IMPACT_ONLINE},
		{.job = "destination_endpoint_ssl =\nsource_endpoint_ssl =\n"},
		{.job = "destination_endpoint_ssl = 0\n",
                 .calls = RESERVED "{\"destSSL\":\"0\"}",
                 .impact = IMPACT_ONLINE},
	}};

static const struct scene nat_vswitches = {
	.job = "src_primary_vswitch_id = vsw-s1\nsrc_secondary_vswitch_id = vsw-s2\n"
	       "dest_primary_vswitch_id = vsw-d1\ndest_secondary_vswitch_id = vsw-d2\n",
	.created = CREATED " SrcPrimaryVswId=vsw-s1 SrcSecondaryVswId=vsw-s2 "
			   "DestPrimaryVswId=vsw-d1 DestSecondaryVswId=vsw-d2",
	.moves = {
		{.job = "src_primary_vswitch_id = vsw-s3\n",
                 .impact = IMPACT_REPLACE | IMPACT_RESYNC,
                 .refused = "only a replacement can change src_primary_vswitch_id"},
		{.job = "dts_job_name = tf-testAccCase1\n",
                 .calls = "ModifyDtsJobName DtsJobId=$J DtsJobName=tf-testAccCase1",
                 .impact = IMPACT_ONLINE},
	}};

/* ---- further scenes ------------------------------------------------------------------- */

#define MOVED "ModifyDtsJobEndpoint " IDS "EndpointRegionId=cn-hangzhou Database=test_database "

static const struct scene endpoint = {
	.created = CREATED,
	.moves = {
		{.job = "source_endpoint_instance_id = rm-other\n",
                 .impact = IMPACT_REPLACE | IMPACT_RESYNC,
                 .refused = "endpoint_change = same-data"},
		{.job = "destination_endpoint_instance_id = rm-else\n",
                 .impact = IMPACT_REPLACE | IMPACT_RESYNC,
                 .refused = "replace = allowed"},
		{.job = "source_endpoint_instance_id = rm-other\n"
                        "endpoint_change = same-data\n",
                 .calls = MOVED "Endpoint=src EndpointInstanceType=rds "
                                "EndpointInstanceId=rm-other",
                 .impact = IMPACT_OFFSET},
		{.job = "source_endpoint_instance_type = PolarDB\n"
                        "source_endpoint_instance_id = pc-moved\n"
                        "destination_endpoint_instance_id = rm-else\n",
                 .calls = MOVED "Endpoint=src EndpointInstanceType=polardb "
                                "EndpointInstanceId=pc-moved\n" MOVED
                                "Endpoint=dest EndpointInstanceType=rds "
                                "EndpointInstanceId=rm-else",
                 .impact = IMPACT_OFFSET},
	}};

static const struct scene resource_group = {
	.inst = "resource_group_id = rg-a\n",
	.created = BOUGHT "MySQL ResourceGroupId=rg-a\n" CONFIGURED SOURCE
			  " +DbList=" DB("test_database"),
	.moves = {{.inst = "resource_group_id = rg-b\n",
                   .calls = "ConvertInstanceResourceGroup ResourceId=$I NewResourceGroupId=rg-b",
                   .impact = IMPACT_ONLINE}}};

#define OWNERS                                                                                     \
	"source_endpoint_owner_id = 1200000000000017\nsource_endpoint_role = reader\n"             \
	"destination_endpoint_owner_id = 1200000000000018\ndestination_endpoint_role = writer\n"

static const struct scene cross_account = {
	.job = OWNERS,
	.created = CREATED " SourceEndpointOwnerID=1200000000000017 SourceEndpointRole=reader "
			   "DestinationEndpointOwnerID=1200000000000018 "
			   "DestinationEndpointRole=writer",
	.moves = {
		{.job = "source_endpoint_role = reader2\n",
                 .impact = IMPACT_REPLACE | IMPACT_RESYNC,
                 .refused = "only a replacement can change source_endpoint_role"},
		{.job = "endpoint_change = same-data\nsource_endpoint_role = reader2\n",
                 .calls = MOVED "Endpoint=src EndpointInstanceType=rds "
                                "EndpointInstanceId=rm-source AliyunUid=1200000000000017 "
                                "RoleName=reader2",
                 .impact = IMPACT_OFFSET},
		{.job = "destination_endpoint_owner_id = 1200000000000019\n"
                        "destination_endpoint_role = writer2\n",
                 .calls = MOVED "Endpoint=dest EndpointInstanceType=rds "
                                "EndpointInstanceId=rm-target AliyunUid=1200000000000019 "
                                "RoleName=writer2",
                 .impact = IMPACT_OFFSET},
		{.job = "dts_job_name = tf-testAccCase1\n",
                 .calls = "ModifyDtsJobName DtsJobId=$J DtsJobName=tf-testAccCase1",
                 .impact = IMPACT_ONLINE},
	}};

#define PREPAID "payment_type = Subscription\npayment_duration = 1\npayment_duration_unit = Month\n"

/* A subscription cannot be destroyed by the API: it is made pay-as-you-go before. */
static void payment_type(void **state)
{
	struct batch_text b = {base_inst, base_job, NULL};
	const struct op *op;
	struct result *r;

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	b.inst = with(b.inst, PREPAID);
	op = only_op(&b, INST);
	assert_int_equal(op->impact, IMPACT_ONLINE | IMPACT_PAYS);
	apply(&b, "TransferPayType DtsJobId=$J ChargeType=PrePaid Period=Month BuyCount=1");
	import(&b);
	r = eng_run(text_of(&b), ENG_APPLY | ENG_DESTROY);
	assert_int_equal(r->bad, 2);
	if (!says(r->notes, "prepaid: the API cannot delete it"))
		fail_msg("refusal: %s", r->notes);
	check_calls("");
	assert_int_equal(live_instances(), 1);
	b.inst = with(b.inst, "payment_type = PayAsYouGo\npayment_duration =\n"
	                      "payment_duration_unit =\n");
	op = only_op(&b, INST);
	check_shown(op, "payment_type", "Subscription", "PayAsYouGo", false);
	apply(&b, "TransferPayType DtsJobId=$J ChargeType=PostPaid");
	destroy(&b, DELETED);
	eng_stop();
}

/* One direction becomes two, and the second is configured on the same instance. */
static void two_way(void **state)
{
	struct batch_text b = {base_inst, base_job, NULL};
	const struct op *op;

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	b.inst = with(b.inst, "sync_architecture = bidirectional\n");
	op = only_op(&b, INST);
	assert_int_equal(op->impact, IMPACT_ONLINE | IMPACT_PAYS);
	check_shown(op, "sync_architecture", "oneway", "bidirectional", false);
	apply(&b, "UpgradeTwoWay InstanceId=$I InstanceClass=small");
	b.job = with(b.job, "synchronization_direction = Forward\n");
	b.back = with(base_job, "synchronization_direction = Reverse\ndts_job_name = back\n"
	                        "data_initialization = false\n"
	                        "structure_initialization = false\n");
	apply(&b, "ConfigureDtsJob JobType=SYNC DtsInstanceId=$I DtsJobName=back "
	          "SynchronizationDirection=Reverse StructureInitialization=false "
	          "DataInitialization=false DataSynchronization=true" SOURCE DEST
	          " +DbList=" DB("test_database"));
	assert_int_equal(live_instances(), 1);
	assert_string_not_equal(ids.back, ids.job);
	b.back = with(b.back, "dts_job_name = back2\n");
	apply(&b, "ModifyDtsJobName DtsJobId=$B DtsJobName=back2");
	import(&b);
	b.inst = with(b.inst, "sync_architecture = oneway\n");
	assert_true(says(eng_errors(text_of(&b)), "Reverse needs sync_architecture"));
	b.inst = with(b.inst, "sync_architecture = bidirectional\n");
	destroy(&b,
	        "DeleteDtsJob DtsJobId=$B DtsInstanceId=$I JobType=SYNC SynchronizationDirection=Reverse\n"
	        "DeleteDtsJob DtsJobId=$J DtsInstanceId=$I JobType=SYNC SynchronizationDirection=Forward");
	eng_stop();
}

/* ---- changed on the service ------------------------------------------------------------- */

static void set_job(const char *field, const char *value)
{
	eng_control(arena_printf(&eng_a, "set?job=%s&field=%s&value=%s", ids.job, field, value));
}

static void renamed_elsewhere(void **state)
{
	struct batch_text b = {base_inst, base_job, NULL};

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	set_job("name", "elsewhere");
	check_shown(only_op(&b, JOB), "dts_job_name", "elsewhere", "tf-testAccCase", true);
	apply(&b, "ModifyDtsJobName DtsJobId=$J DtsJobName=tf-testAccCase");
	destroy(&b, DELETED);
	eng_stop();
}

static void suspended_elsewhere(void **state)
{
	struct batch_text b = {base_inst, with(base_job, "status = Synchronizing\n"), NULL};
	struct batch_text open = {base_inst, base_job, NULL};

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	set_job("status", "Suspending");
	check_clean(&open); /* a section without status leaves that to others */
	check_shown(only_op(&b, JOB), "status", "Suspending", "Synchronizing", true);
	apply(&b, "StartDtsJob DtsJobId=$J DtsInstanceId=$I");
	destroy(&b, DELETED);
	eng_stop();
}

static void delete_pair(void)
{
	eng_control(arena_printf(&eng_a, "delete?instance=%s", ids.instance));
	assert_int_equal(live_instances(), 0);
}

/* on_gone = recreate, which is the default: bought and configured again. */
static void gone_is_recreated(void **state)
{
	struct batch_text b = {base_inst, base_job, NULL};
	char old[sizeof ids.instance];
	struct result *r;

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	snprintf(old, sizeof old, "%s", ids.instance);
	delete_pair();
	b.inst = with(b.inst, "on_gone = recreate\n");
	r = plan(&b);
	assert_int_equal(r->p.gone, 2);
	assert_int_equal(op_in(r, INST)->kind, OP_CREATE);
	assert_int_equal(op_in(r, JOB)->kind, OP_CREATE);
	assert_string_equal(op_in(r, JOB)->why, "gone on the service");
	assert_true(op_in(r, INST)->impact & IMPACT_PAYS);
	apply(&b, CREATED);
	assert_string_not_equal(ids.instance, old);
	assert_int_equal(live_instances(), 1);
	destroy(&b, DELETED);
	eng_stop();
}

/* The instance is there, empty, as after a reset in the console: the job alone is made again. */
static void reset_elsewhere(void **state)
{
	struct batch_text b = {base_inst, base_job, NULL}, other = b;
	const struct op *op;

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	set_job("status", "NotConfigured");
	op = only_op(&b, JOB);
	assert_int_equal(op->kind, OP_CREATE);
	assert_string_equal(op->why, "gone on the service");
	other.job = with(base_job, "on_gone = fail\n");
	check_refused(&other, JOB, "gone on the service, and on_gone = fail");
	assert_string_equal(eng_record(JOB)->id, ids.job);
	other.job = with(base_job, "on_gone = forget\n");
	assert_true(op_in(plan(&other), JOB)->stays_gone);
	ASSERT_DONE(eng_apply(text_of(&other)));
	check_calls("");
	assert_true(eng_record(JOB)->gone_ms > 0);
	assert_string_equal(eng_record(INST)->id, ids.instance);
	apply(&b, CONFIGURED SOURCE " +DbList=" DB("test_database"));
	destroy(&b, DELETED);
	eng_stop();
}

/* One direction of a pair is released; the other one, and the instance, stay as they are. */
static void deleted_elsewhere(void **state)
{
	struct batch_text b = {with(base_inst, "sync_architecture = bidirectional\n"),
	                       with(base_job, "synchronization_direction = Forward\n"),
	                       with(base_job, "synchronization_direction = Reverse\n"
	                                      "data_initialization = false\n"
	                                      "structure_initialization = false\n")};
	static const char bought[] =
		"CreateDtsInstance Type=SYNC PayType=PostPaid InstanceClass=small "
		"SyncArchitecture=bidirectional SourceRegion=cn-hangzhou "
		"DestinationRegion=cn-hangzhou DestinationEndpointEngineName=MySQL "
		"SourceEndpointEngineName=MySQL\n";
	static const char forward[] = CONFIGURED SOURCE
		" SynchronizationDirection=Forward +DbList=" DB("test_database") "\n";
	static const char reverse[] =
		"ConfigureDtsJob JobType=SYNC DtsInstanceId=$I DtsJobName=tf-testAccCase "
		"SynchronizationDirection=Reverse StructureInitialization=false "
		"DataInitialization=false DataSynchronization=true" SOURCE DEST
		" +DbList=" DB("test_database");
	const struct op *op;

	(void)state;
	eng_start(NULL, 0);
	apply(&b, arena_printf(&eng_a, "%s%s%s", bought, forward, reverse));
	eng_control(arena_printf(&eng_a, "delete?job=%s&forget=true", ids.back));
	op = only_op(&b, BACK);
	assert_int_equal(op->kind, OP_CREATE);
	assert_string_equal(op->why, "gone on the service");
	assert_int_equal(live_instances(), 1);
	/* and nothing of the direction that is gone */
	destroy(&b, DELETED " SynchronizationDirection=Forward");
	eng_stop();
}

static void gone_is_refused(void **state)
{
	struct batch_text b = {with(base_inst, "on_gone = fail\n"),
	                       with(base_job, "on_gone = fail\n"), NULL};

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	delete_pair();
	check_refused(&b, INST, "gone on the service, and on_gone = fail");
	check_refused(&b, JOB, "gone on the service, and on_gone = fail");
	assert_string_equal(eng_record(INST)->id, ids.instance);
	assert_string_equal(eng_record(JOB)->id, ids.job);
	destroy(&b, "");
	eng_stop();
}

/* Gone for good: said, remembered, not bought again, whatever the number of runs. */
static void gone_is_forgotten(void **state)
{
	struct batch_text b = {with(base_inst, "on_gone = forget\n"),
	                       with(base_job, "on_gone = forget\n"), NULL},
			  stubborn = b, none = {NULL, NULL, NULL};
	struct result *r;
	const char *before;

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	delete_pair();
	r = plan(&b);
	assert_int_equal(r->p.gone, 2);
	assert_int_equal(r->p.marked, 2);
	assert_int_equal(r->p.count[OP_NOOP], 2);
	assert_non_null(strstr(op_in(r, INST)->notes[0], "on_gone = forget: not created again"));
	ASSERT_DONE(eng_apply(text_of(&b)));
	check_calls("");
	assert_true(eng_record(INST)->gone_ms > 0);
	assert_true(eng_record(JOB)->gone_ms > 0);
	assert_int_equal(live_instances(), 0);
	before = eng_text("s.state.json");
	r = eng_apply(text_of(&b)); /* known: no news, no guard, nothing written */
	ASSERT_DONE(r);
	assert_int_equal(r->p.gone, 0);
	assert_int_equal(r->p.marked, 0);
	assert_string_equal(eng_text("s.state.json"), before);
	check_calls("");
	/* its job is not bought an instance for, neither the old one nor a new one */
	stubborn.job = base_job;
	check_refused(&stubborn, JOB, "its instance " INST " is gone on the service");
	/* the section goes: a plain forget, without --prune */
	r = eng_run(text_of(&none), ENG_APPLY);
	ASSERT_DONE(r);
	assert_int_equal(r->p.count[OP_FORGET], 2);
	assert_int_equal(r->p.norphans, 0);
	check_calls("");
	assert_null(eng_record(INST));
	assert_null(eng_record(JOB));
	/* and a section written again is a new one */
	apply(&b, CREATED);
	destroy(&b, DELETED);
	eng_stop();
}

/* What was believed to be gone is there again: lists lag, people restore. */
static void gone_and_back(void **state)
{
	struct batch_text b = {base_inst, with(base_job, "on_gone = forget\n"), NULL};

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	set_job("status", "NotConfigured");
	ASSERT_DONE(eng_apply(text_of(&b)));
	assert_true(eng_record(JOB)->gone_ms > 0);
	set_job("status", "Synchronizing");
	apply(&b, "");
	assert_int_equal(eng_record(JOB)->gone_ms, 0);
	/* recreate, said later, brings back what stayed gone */
	set_job("status", "NotConfigured");
	ASSERT_DONE(eng_apply(text_of(&b)));
	b.job = base_job;
	apply(&b, CONFIGURED SOURCE " +DbList=" DB("test_database"));
	assert_int_equal(eng_record(JOB)->gone_ms, 0);
	destroy(&b, DELETED);
	eng_stop();
}

/* ---- lifecycle keys ------------------------------------------------------------------------ */

/* Neither what others change nor what the section changes there is looked at. */
static void ignored_keys(void **state)
{
	struct batch_text b = {base_inst, with(base_job, "ignore = dts_job_name, db_list\n"), NULL};

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	set_job("name", "elsewhere");
	check_clean(&b);
	apply(&b, "");
	b.job = with(b.job, "dts_job_name = other\ndb_list = " DB("crm") "\n");
	check_clean(&b);
	apply(&b, "");
	b.job = with(b.job, "error_notice = true\n"); /* the rest is compared */
	apply(&b, "CreateJobMonitorRule DtsJobId=$J Type=error State=Y");
	b.job = with(b.job, "ignore =\n");
	assert_int_equal(only_op(&b, JOB)->nchanges, 2);
	apply(&b, "ModifyDtsJobName DtsJobId=$J DtsJobName=other\n"
	          "ModifyDtsJob " IDS "ClientToken=* +DbList=" DB("crm"));
	import(&b);
	destroy(&b, DELETED);
	eng_stop();
}

/* The job goes and the paid instance stays, empty; it takes the job again; then both go. */
static void absent(void **state)
{
	struct batch_text b = {base_inst, base_job, NULL};
	struct batch_text gone = {base_inst, with(base_job, "ensure = absent\n"), NULL};

	(void)state;
	eng_start(NULL, 0);
	apply(&gone, BOUGHT "MySQL"); /* nothing to take away, and no job made */
	assert_null(eng_record(JOB));
	apply(&b, CONFIGURED SOURCE " +DbList=" DB("test_database"));
	assert_int_equal(only_op(&gone, JOB)->kind, OP_DELETE);
	apply(&gone, "ResetDtsJob " IDS);
	assert_null(eng_record(JOB));
	assert_int_equal(live_instances(), 1);
	apply(&b, CONFIGURED SOURCE " +DbList=" DB("test_database"));
	gone.inst = with(base_inst, "ensure = absent\n");
	apply(&gone, DELETED);
	assert_null(eng_record(INST));
	assert_int_equal(live_instances(), 0);
	eng_stop();
}

static void check_destroy_refused(const struct batch_text *b)
{
	struct result *r = eng_run(text_of(b), ENG_APPLY | ENG_DESTROY);

	assert_true(r->bad > 0);
	if (!says(r->notes, "protected"))
		fail_msg("refusal: %s", r->notes);
	check_calls("");
	assert_int_equal(live_instances(), 1);
}

/* Neither destroyed nor pruned nor replaced nor absent, until `protect = false` was applied. */
static void protect(void **state)
{
	struct batch_text b = {with(base_inst, "protect = true\n"),
	                       with(base_job, "protect = true\n"), NULL};
	struct batch_text none = {NULL, NULL, NULL}, next = b;

	(void)state;
	eng_start(NULL, 0);
	apply(&b, CREATED);
	check_destroy_refused(&b);
	check_refused(&none, JOB, "protected");
	check_refused(&none, INST, "protected");
	next.job = with(b.job, "ensure = absent\n");
	check_refused(&next, JOB, "protected");
	next.job = with(b.job, "ensure = absent\nprotect =\n"); /* recorded, so it holds */
	check_refused(&next, JOB, "protected");
	next.job = with(b.job, "data_initialization = false\nreplace = allowed\n");
	check_refused(&next, JOB, "protected");
	b.job = with(b.job,
	             "dts_job_name = tf-testAccCase1\n"); /* a change in place is none of it */
	apply(&b, "ModifyDtsJobName DtsJobId=$J DtsJobName=tf-testAccCase1");
	b.inst = with(b.inst, "protect = false\n");
	apply(&b, "");
	check_destroy_refused(&b); /* the job still holds its instance */
	import(&b);
	check_destroy_refused(&b);
	b.job = with(b.job, "protect =\n");
	apply(&b, "");
	destroy(&b, DELETED);
	eng_stop();
}

/* ---- */

static void scene(void **state)
{
	live(*state);
}

static int setup(void **state)
{
	log_mark = 0;
	memset(&ids, 0, sizeof ids);
	return eng_setup(state);
}

int main(void)
{
#define SCENE(s)                                                                                   \
	{                                                                                          \
		.name = #s, .test_func = scene, .setup_func = setup,                               \
		.teardown_func = eng_teardown, .initial_state = (void *)(uintptr_t)&s              \
	}
#define T(f) cmocka_unit_test_setup_teardown(f, setup, eng_teardown)
	const struct CMUnitTest t[] = {
		SCENE(basic),
		SCENE(passwords),
		SCENE(polardb),
		SCENE(objects),
		SCENE(ssl),
		SCENE(ssl_later),
		SCENE(nat_vswitches),
		SCENE(endpoint),
		SCENE(resource_group),
		SCENE(cross_account),
		T(payment_type),
		T(two_way),
		T(renamed_elsewhere),
		T(suspended_elsewhere),
		T(reset_elsewhere),
		T(deleted_elsewhere),
		T(gone_is_recreated),
		T(gone_is_refused),
		T(gone_is_forgotten),
		T(gone_and_back),
		T(ignored_keys),
		T(absent),
		T(protect),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
