/* Every condition of dts-api.md 11.1 seen failing, and none firing on a sound batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "model/batch.h"
#include "model/schema.h"

#define RESOURCES 8

static struct arena arena;
static struct diag diag;
static struct batch batch;

static const char job_base[] =
	"dts_instance_id=dtsabc\ndts_job_name=j\ndata_initialization=true\ndata_synchronization=true\n"
	"structure_initialization=true\ndb_list={\"a\":{\"name\":\"a\",\"all\":true}}\n"
	"reserve={\"targetTableMode\":\"0\"}\n"
	"source_endpoint_instance_type=RDS\nsource_endpoint_engine_name=MySQL\n"
	"source_endpoint_instance_id=rm-1\nsource_endpoint_region=cn-hangzhou\n"
	"source_endpoint_user_name=u\nsource_endpoint_password=p\n"
	"destination_endpoint_instance_type=RDS\ndestination_endpoint_engine_name=MySQL\n"
	"destination_endpoint_instance_id=rm-2\ndestination_endpoint_region=cn-hangzhou\n"
	"destination_endpoint_user_name=u\ndestination_endpoint_password=p\n";
static const char instance_base[] =
	"payment_type=PayAsYouGo\nsource_endpoint_engine_name=MySQL\n"
	"source_endpoint_region=cn-hangzhou\ndestination_endpoint_engine_name=MySQL\n"
	"destination_endpoint_region=cn-hangzhou\ninstance_class=small\nsync_architecture=oneway\n";

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	diag_init(&diag, &arena);
	batch = (struct batch){.a = &arena, .region = "cn-hangzhou"};
	batch.v = arena_array(&arena, struct resource, RESOURCES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

/* Line n of `text` stands at line n+1 of the file, the header at line 1. "key=" takes a key away,
 * "key=?" makes it unknown. */
static void fill(struct resource *r, const char *text, unsigned line)
{
	const char *item;

	for (size_t i = 0; (item = text_field(&arena, text, '\n', i)); i++, line++) {
		size_t eq = strcspn(item, "=");
		struct value *v;

		if (!*item)
			continue;
		v = &r->vals[attr_of(r->type, arena_strndup(&arena, item, eq))];
		*v = (struct value){.state = V_SET,
		                    .s = arena_strdup(&arena, item + eq + 1),
		                    .pos = {"x.ini", line, 1}};
		if (!*v->s)
			*v = (struct value){.state = V_UNSET};
		else if (!strcmp(v->s, "?"))
			*v = (struct value){.state = V_UNKNOWN, .pos = v->pos};
	}
}

static struct resource *add(const struct type_def *t, const char *name, const char *more)
{
	struct resource *r = &batch.v[batch.n++];

	*r = (struct resource){.address = arena_printf(&arena, "%s.%s", t->name, name),
	                       .type = t,
	                       .name = name,
	                       .pos = {"x.ini", 1, 1},
	                       .region = "cn-hangzhou",
	                       .instance = RES_NONE};
	r->vals = arena_array(&arena, struct value, t->nattrs);
	fill(r, t == &type_job ? job_base : instance_base, 2);
	fill(r, more, 101);
	return r;
}

static const char *all_text(void)
{
	const char *s = "";

	for (size_t i = 0; i < diag.n; i++)
		s = arena_printf(&arena, "%s%u: %s\n", s, diag.v[i].pos.line, diag.v[i].msg);
	return s;
}

static void check(const struct resource *r)
{
	diag_init(&diag, &arena);
	r->type->check(&batch, r, &diag);
}

/* Exactly one finding of that level; line 0: at the header. */
static void one(enum diag_level level, const char *more, unsigned line, const char *word)
{
	size_t n = batch.n;

	check(add(&type_job, "j", more));
	batch.n = n;
	if (diag.n != 1 || diag.v[0].level != level || !strstr(diag.v[0].msg, word) ||
	    diag.v[0].pos.line != (line ? line : 1))
		fail_msg("%s\nwanted one of level %d with \"%s\" at %u, got: %s", more, (int)level,
		         word, line, all_text());
}

static void error(const char *more, unsigned line, const char *word)
{
	one(DIAG_ERROR, more, line, word);
}

static void warning(const char *more, unsigned line, const char *word)
{
	one(DIAG_WARNING, more, line, word);
}

static void none(const char *more)
{
	size_t n = batch.n;

	check(add(&type_job, "j", more));
	batch.n = n;
	if (diag.n)
		fail_msg("%s\nwanted nothing, got: %s", more, all_text());
}

static void test_sound(void **state)
{
	(void)state;
	none("");
	check(add(&type_instance, "i", ""));
	assert_int_equal(diag.n, 0);
}

static void test_alarms(void **state)
{
	struct resource *r;

	(void)state;
	error("delay_notice=true", 0, "delay_rule_time is missing");
	none("delay_notice=true\ndelay_rule_time=30\ndelay_phone=13800000001");
	none("delay_notice=false\nerror_notice=true");
	r = add(&type_job, "x", "delay_phone=13800000001");
	r->region = "eu-central-1";
	check(r);
	assert_int_equal(diag.warnings, 1);
	assert_int_equal(diag.v[0].pos.line, 101);
}

#define SELF(t)                                                                                    \
	"source_endpoint_instance_type=" t                                                         \
	"\nsource_endpoint_region=\nsource_endpoint_instance_id=vpc-1\n"                           \
	"source_endpoint_ip=1.2.3.4\nsource_endpoint_port=3306\n"

static void test_addresses(void **state)
{
	(void)state;
	none(SELF("OTHER") "source_endpoint_instance_id=");
	none(SELF("ECS") "source_endpoint_ip=");
	none(SELF("express"));
	none(SELF("DG"));
	error(SELF("OTHER") "source_endpoint_port=", 0, "source_endpoint_port is missing");
	error(SELF("ECS") "source_endpoint_port=", 0, "source_endpoint_port is missing");
	error(SELF("OTHER") "source_endpoint_ip=", 0, "source_endpoint_ip is missing");
	error(SELF("DG") "source_endpoint_ip=", 0, "source_endpoint_ip is missing");
	error(SELF("ECS") "source_endpoint_instance_id=", 0,
	      "source_endpoint_instance_id is missing");
	error(SELF("EXPRESS") "source_endpoint_instance_id=", 0,
	      "source_endpoint_instance_id is missing");
	error(SELF("CEN"), 8, "reserve lacks `srcInstanceId`");
	none(SELF("CEN") "reserve={\"targetTableMode\":\"0\",\"srcInstanceId\":\"cen-1\"}");
	none(SELF("CEN") "reserve=?");
	error("destination_endpoint_instance_id=", 0,
	      "destination_endpoint_instance_id is missing");
	error("destination_endpoint_region=", 0, "destination_endpoint_region is missing");
	none("destination_endpoint_instance_id=?");
	/* An unknown type: nothing is guessed from it. */
	none("destination_endpoint_instance_type=others\ndestination_endpoint_region=\ndestination_"
	     "endpoint_instance_id=");
}

static void test_engines(void **state)
{
	(void)state;
	error("source_endpoint_engine_name=POSTGRESQL", 0,
	      "source_endpoint_database_name is missing");
	error("source_endpoint_engine_name=POLARDB_PG", 0,
	      "source_endpoint_database_name is missing");
	error("destination_endpoint_engine_name=GREENPLUM\ndestination_endpoint_instance_type="
	      "GREENPLUM",
	      0, "destination_endpoint_database_name is missing");
	error("destination_endpoint_engine_name=ODPS\ndestination_endpoint_instance_type="
	      "ODPS\ndestination_endpoint_instance_id=",
	      0, "destination_endpoint_database_name is missing");
	none("source_endpoint_engine_name=PolarDB\nsource_endpoint_database_name=x");
	error("source_endpoint_engine_name=MONGODB\nsource_endpoint_database_name=x", 8,
	      "reserve lacks `srcEngineArchType`");
	error("destination_endpoint_engine_name=mongodb\ndestination_endpoint_database_name=x", 8,
	      "reserve lacks `destEngineArchType`");
	none("source_endpoint_engine_name=MONGODB\nsource_endpoint_database_name=x\n"
	     "reserve={\"targetTableMode\":\"0\",\"srcEngineArchType\":1}");
	warning("source_endpoint_engine_name=ORACLE", 0, "source_endpoint_oracle_sid is missing");
	error("source_endpoint_engine_name=POLARDB_O\nsource_endpoint_database_name=x", 9,
	      "must be OTHER or EXPRESS");
	none(SELF(
		"OTHER") "source_endpoint_engine_name=POLARDB_O\nsource_endpoint_database_name=x");
}

static void test_accounts(void **state)
{
	(void)state;
	error("destination_endpoint_owner_id=1200000000000029", 101,
	      "needs destination_endpoint_role");
	warning("source_endpoint_role=r", 101, "no effect without source_endpoint_owner_id");
	none("source_endpoint_role=r\nsource_endpoint_owner_id=1200000000000029");
	none("destination_endpoint_role=r\ndestination_endpoint_owner_id=1200000000000029");
	warning("destination_endpoint_role=r\ndestination_endpoint_owner_id=12\ndestination_"
	        "endpoint_instance_type=PolarDB",
	        102, "documented for an RDS MySQL destination");
	warning("destination_endpoint_engine_name=Redis\ndestination_endpoint_instance_type=Redis",
	        19, "takes no");
	none("destination_endpoint_engine_name=Redis\ndestination_endpoint_instance_type="
	     "Redis\ndestination_endpoint_user_name=");
	warning("source_endpoint_user_name=", 0, "needs an account");
}

#define KAFKA                                                                                      \
	"destination_endpoint_engine_name=KAFKA\ndestination_endpoint_instance_type="              \
	"ECS\ndestination_endpoint_port=9092\n"                                                    \
	"destination_endpoint_user_name=\nstructure_initialization=false\n"
#define KAFKA_KEYS                                                                                 \
	"\"targetTableMode\":\"0\",\"destTopic\":\"t\",\"kafkaRecordFormat\":\"canal_json\""

static void test_kafka(void **state)
{
	(void)state;
	none(KAFKA "reserve={" KAFKA_KEYS ",\"destSSL\":\"0\",\"destVersion\":\"1.0\"}");
	none(KAFKA "destination_endpoint_ssl=0\nreserve={" KAFKA_KEYS ",\"destVersion\":\"1.0\"}");
	error(KAFKA "reserve={" KAFKA_KEYS ",\"destVersion\":\"1.0\"}", 106,
	      "reserve lacks `destSSL`");
	warning(KAFKA "reserve={" KAFKA_KEYS ",\"destSSL\":\"0\"}", 106, "destVersion");
	error(KAFKA "reserve={\"targetTableMode\":\"0\",\"destSSL\":\"0\",\"destVersion\":\"1.0\","
	            "\"destTopic\":\"t\"}",
	      106, "reserve lacks `kafkaRecordFormat`");
	error(KAFKA "reserve=?\nstructure_initialization=true", 107,
	      "structure_initialization must be false");
	error(KAFKA "reserve=?\ndestination_endpoint_instance_type=RDS", 107,
	      "must be ECS or EXPRESS");
	warning(KAFKA "reserve=?\ndestination_endpoint_instance_type=KAFKA", 107,
	        "ECS and EXPRESS");
}

static void test_reserve(void **state)
{
	(void)state;
	one(DIAG_NOTE, "reserve=", 0, "targetTableMode");
	one(DIAG_NOTE, "reserve={}", 101, "targetTableMode");
	none("reserve=?");
	error("status=Suspending\nreserve={\"targetTableMode\":\"0\","
	      "\"autoStartModulesAfterConfig\":\"auto\"}",
	      102, "does not start");
	none("status=Suspending\nreserve={\"targetTableMode\":\"0\","
	     "\"autoStartModulesAfterConfig\":\"none\"}");
	warning("source_endpoint_ssl=1\nreserve={\"targetTableMode\":\"0\",\"srcSSL\":\"0\"}", 101,
	        "overrides");
	none("source_endpoint_ssl=1\nreserve={\"targetTableMode\":\"0\",\"srcSSL\":1}");
	warning("source_endpoint_ssl=3", 101, "Kafka destination");
	warning(SELF("OTHER") "source_endpoint_instance_id=\nsource_endpoint_ssl=1", 107,
	        "cloud databases and ECS");
}

/* Said once in a batch, not once in each of 2,000 jobs. */
/* Each of them: who shows them counts what is alike. */
static void test_note_each(void **state)
{
	(void)state;
	type_job.check(&batch, add(&type_job, "a", "reserve="), &diag);
	type_job.check(&batch, add(&type_job, "b", "reserve="), &diag);
	assert_int_equal(diag.n, 2);
	assert_string_equal(diag.v[0].msg, diag.v[1].msg);
	assert_true(diag.v[1].level == DIAG_NOTE && diag.v[1].alone);
}

static void test_purchase(void **state)
{
	(void)state;
	error("dts_instance_id=", 0, "dts_instance_id is missing");
	error("dts_instance_id=\ntags={}", 0, "payment_type is missing");
	none("dts_instance_id=\npayment_type=PayAsYouGo\ninstance_class=small\nsync_architecture="
	     "oneway");
	error("payment_type=PayAsYouGo", 101, "belongs to the purchase");
	error("dts_instance_id=\npayment_type=Subscription\npayment_duration=1", 0,
	      "payment_duration_unit is missing");
	error("dts_instance_id=\npayment_type=Subscription\npayment_duration=4\npayment_duration_"
	      "unit=Year",
	      103, "1, 2, 3 or 5");
	none("dts_instance_id=\npayment_type=Subscription\npayment_duration=9\npayment_duration_"
	     "unit=Month");
	warning("dts_instance_id=\npayment_type=PayAsYouGo\npayment_duration=1", 103, "no effect");
	error("dts_instance_id=\npayment_type=PayAsYouGo\nsync_architecture=bidirectional", 103,
	      "bidirectional");
	error("dts_instance_id=\npayment_type=PayAsYouGo\nsynchronization_direction=Reverse", 103,
	      "Reverse");
	warning("dts_instance_id=\npayment_type=PayAsYouGo\ndedicated_cluster_id=c\nsource_"
	        "endpoint_region=cn-beijing",
	        103, "one region");
	error("data_initialization=false\nstructure_initialization=false\ndata_synchronization=false",
	      103, "a job that copies nothing");
	error("data_initialization=false\njob_parameters=[{\"module\":\"03\",\"name\":\"a\",\"value\":\"1\"}]",
	      102, "module 03 is the full copy");
	none("data_initialization=false\njob_parameters=[{\"module\":\"07\",\"name\":\"a\",\"value\":\"1\"}]");
	error("dts_instance_id=\npayment_type=PayAsYouGo\ninstance_class=small\nsync_architecture=oneway\n"
	      "auto_start=true\nstatus=Suspending",
	      105, "wants it at rest");
	warning("dts_instance_id=\npayment_type=PayAsYouGo\ndatabase_count=2", 103, "DRDS");
}

static void test_instance(void **state)
{
	struct resource *r = add(&type_instance, "i", "destination_endpoint_region=cn-beijing");

	(void)state;
	check(r);
	assert_int_equal(diag.errors, 1);
	assert_int_equal(diag.v[0].pos.line, 101);
	check(add(&type_instance, "p", "payment_type=Subscription"));
	assert_int_equal(diag.errors, 2);
	check(add(&type_instance, "c", "database_count=2"));
	assert_int_equal(diag.warnings, 1);
	check(add(&type_instance, "d", "database_count=2\nsource_endpoint_engine_name=POLARDBX10"));
	assert_int_equal(diag.n, 0);
}

static void pair(const char *instance, const char *job, enum diag_level level, const char *word)
{
	struct resource *r;

	batch.n = 0;
	add(&type_instance, "i", instance);
	r = add(&type_job, "j", job);
	r->instance = 0;
	check(r);
	if (!word && diag.n)
		fail_msg("%s / %s: %s", instance, job, all_text());
	if (word && (diag.n != 1 || diag.v[0].level != level || !strstr(diag.v[0].msg, word)))
		fail_msg("%s / %s: wanted \"%s\", got: %s", instance, job, word, all_text());
}

static void test_pairing(void **state)
{
	(void)state;
	pair("", "", DIAG_NOTE, NULL);
	pair("", "source_endpoint_engine_name=MARIADB", DIAG_NOTE, NULL);
	pair("", "source_endpoint_engine_name=MSSQL", DIAG_WARNING, "was bought for MySQL");
	pair("", "destination_endpoint_region=cn-beijing", DIAG_ERROR, "must be equal");
	pair("", "source_endpoint_region=cn-beijing", DIAG_WARNING, "cn-hangzhou");
	pair("", "synchronization_direction=Reverse", DIAG_ERROR,
	     "needs sync_architecture = bidirectional");
	pair("", "synchronization_direction=Forward", DIAG_WARNING, "is oneway");
	pair("sync_architecture=", "synchronization_direction=Reverse", DIAG_ERROR,
	     "bidirectional");
	pair("sync_architecture=?", "synchronization_direction=Reverse", DIAG_NOTE, NULL);
	pair("sync_architecture=bidirectional", "synchronization_direction=Reverse", DIAG_NOTE,
	     NULL);
}

static void test_two_way(void **state)
{
	static const struct edge edges[] = {{1, 0}, {2, 0}};
	struct resource *forward, *reverse;

	(void)state;
	add(&type_instance, "i", "sync_architecture=bidirectional");
	forward = add(&type_job, "f", "synchronization_direction=Forward");
	reverse = add(&type_job, "r", "synchronization_direction=Reverse");
	forward->instance = reverse->instance = 0;
	graph_build(&batch.graph, &arena, 3, edges, 2);
	check(forward);
	assert_int_equal(diag.n, 0);
	check(reverse);
	assert_int_equal(diag.n, 1);
	assert_int_equal(diag.v[0].level, DIAG_WARNING);
	assert_non_null(strstr(diag.v[0].msg, "only one direction"));
	fill(reverse, "data_initialization=false\nstructure_initialization=false", 201);
	check(reverse);
	assert_int_equal(diag.n, 0);
	fill(reverse, "synchronization_direction=Forward", 203);
	check(reverse);
	assert_int_equal(diag.errors, 1);
	assert_non_null(strstr(diag.v[0].msg, "synchronization_job.f already has this direction"));
	check(forward);
	assert_int_equal(diag.errors, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_sound),    T(test_alarms),   T(test_addresses), T(test_engines),
		T(test_accounts), T(test_kafka),    T(test_reserve),   T(test_note_each),
		T(test_purchase), T(test_instance), T(test_pairing),   T(test_two_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
