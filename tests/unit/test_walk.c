/*
 * The walk over all arguments. One row per argument: the request that carries
 * it at creation (parameter, value, position), what a change sends, what its
 * removal means, and what the plan says when the service was changed behind
 * our back. The rows are counted against the reference document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "engine_fixture.h"

#define JOB "synchronization_job.a"
#define INST "synchronization_instance.a"

/* ---- the manifest ---------------------------------------------------------- */

struct kv {
	const char *key, *value;
};

struct section {
	struct kv v[80];
	size_t n;
};

/* An instance section and a job section of one name; either may be absent. */
struct couple {
	struct section inst, job;
	const char *more; /* further text at the end; NULL: none */
};

/* value NULL or "": the key goes. */
static void put(struct section *s, const char *key, const char *value)
{
	size_t i = 0;

	while (i < s->n && !text_eq(s->v[i].key, key))
		i++;
	if (text_empty(value)) {
		if (i < s->n)
			s->v[i] = s->v[--s->n];
		return;
	}
	s->v[i] = (struct kv){key, value};
	s->n += i == s->n;
}

static const char *get(const struct section *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (text_eq(s->v[i].key, key))
			return s->v[i].value;
	return NULL;
}

/* "key=value" lines; "-" empties the section. */
static void put_lines(struct section *s, const char *lines)
{
	const char *eq, *end;

	for (; lines && *lines; lines = *end ? end + 1 : end) {
		end = lines + strcspn(lines, "\n");
		if (*lines == '-') {
			s->n = 0;
			continue;
		}
		eq = strchr(lines, '=');
		put(s, arena_strndup(&eng_a, lines, (size_t)(eq - lines)),
		    arena_strndup(&eng_a, eq + 1, (size_t)(end - eq - 1)));
	}
}

static const char *section_text(const struct section *s, const char *address)
{
	const char *out = s->n ? arena_printf(&eng_a, "[%s]\n", address) : "";

	for (size_t i = 0; i < s->n; i++)
		out = arena_printf(&eng_a, "%s%s = %s\n", out, s->v[i].key, s->v[i].value);
	return out;
}

static const char *text_of(const struct couple *p)
{
	return arena_printf(&eng_a, "[dtsbatch]\nregion = cn-hangzhou\n%s%s%s",
	                    section_text(&p->inst, INST), section_text(&p->job, JOB),
	                    p->more ? p->more : "");
}

static const char base_inst[] = "payment_type=PayAsYouGo\n"
				"source_endpoint_engine_name=MySQL\n"
				"source_endpoint_region=cn-hangzhou\n"
				"destination_endpoint_engine_name=MySQL\n"
				"destination_endpoint_region=cn-hangzhou\n"
				"instance_class=small\n";
static const char base_job[] = "dts_instance_id=${" INST ".id}\n"
			       "dts_job_name=walk\n"
			       "source_endpoint_instance_type=RDS\n"
			       "source_endpoint_instance_id=rm-a\n"
			       "source_endpoint_engine_name=MySQL\n"
			       "source_endpoint_region=cn-hangzhou\n"
			       "source_endpoint_user_name=u\n"
			       "source_endpoint_password=${env:PW}\n"
			       "destination_endpoint_instance_type=RDS\n"
			       "destination_endpoint_instance_id=rm-b\n"
			       "destination_endpoint_engine_name=MySQL\n"
			       "destination_endpoint_region=cn-hangzhou\n"
			       "destination_endpoint_user_name=u\n"
			       "destination_endpoint_password=${env:PW}\n"
			       "structure_initialization=true\n"
			       "data_initialization=true\n"
			       "data_synchronization=true\n"
			       "status=Synchronizing\n"
			       "db_list={\"a\":{\"name\":\"a\",\"all\":true}}\n";

/* ---- the rows ------------------------------------------------------------------ */

enum how {
	IN_PLACE, /* by the calls of `calls` */
	ENDPOINT, /* so after endpoint_change = same-data, else a replacement */
	REPLACE,  /* by a replacement, after replace = allowed */
	RECORDED, /* the value matters at the purchase only: nothing is sent, the plan says so */
	INVALID,  /* the other value is a mistake in the manifest */
	SPECIAL,  /* by a function of its own */
};

struct row {
	const char *key;
	const char *inst, *job; /* what differs from the base; "-": no such section */
	const char *v1;         /* created with; NULL: as in the base */
	const char *
		where; /* "ConfigureDtsJob query SourceEndpointIP"; "": see `first`; NULL: nothing carries it */
	const char *wire; /* its value there; NULL: v1 */
	const char *v2;
	enum how how;
	const char *
		calls; /* calls of the change, one a line: "ModifyDtsJobName DtsJobId=$J +FormParam=..." */
	const char *needed; /* error when the key is missing; NULL: it may go */
	const char *
		field; /* of the world; "i." in front: of the instance; NULL: the service keeps it nowhere */
	const char *server; /* other value there; NULL: nobody can change it there */
	const char *shown;  /* how the plan shows that; NULL: as it is */
	const char *first;  /* the whole call that carries it at creation */
	void (*special)(const struct row *r, struct couple *p);
	bool unseen; /* no answer tells it */
	const char *
		later; /* calls when v2 is added to what exists; NULL: as calls; AS_IS: it is so without them */
};

#define AS_IS "as it is"
#define NOTHING ""    /* recorded, but it has a meaning at creation only */
#define NEVER "never" /* the service does not create it without */

#define CONF "ConfigureDtsJob query "
#define CONF_BODY "ConfigureDtsJob form "
#define BUY "CreateDtsInstance query "
#define IDS "DtsJobId=$J DtsInstanceId=$I "
#define RENEW_SRC "ModifyDtsJobEndpoint " IDS "Endpoint=src "
#define RENEW_DEST "ModifyDtsJobEndpoint " IDS "Endpoint=dest "
#define RESERVED "ModifyDtsJob " IDS "ClientToken=* +ModifyTypeEnum=UPDATE_RESERVED +Reserved="
#define DB(x) "{\"" x "\":{\"name\":\"" x "\",\"all\":true}}"
#define PARAM(m, v)                                                                                \
	"{\"module\":\"" m "\",\"name\":\"sink.batch.size.maximum\",\"value\":\"" v "\"}"
#define CHECK(n) "{\"fullDataCheck\":true,\"fullCheckModel\":\"1\",\"fullCheckRatio\":\"" n "\"}"
#define TAG(v)                                                                                     \
	"TagResources ResourceId.1=$I ResourceType=ALIYUN::DTS::INSTANCE Tag.1.Key=team Tag.1.Value=" v

#define SRC_EXPRESS                                                                                \
	"source_endpoint_instance_type=EXPRESS\nsource_endpoint_instance_id=vpc-1\n"               \
	"source_endpoint_ip=10.0.0.1\nsource_endpoint_port=3306\n"
#define DEST_EXPRESS                                                                               \
	"destination_endpoint_instance_type=EXPRESS\ndestination_endpoint_instance_id=vpc-2\n"     \
	"destination_endpoint_ip=10.0.1.1\ndestination_endpoint_port=3306\n"
#define POSTGRES                                                                                   \
	"source_endpoint_engine_name=POSTGRESQL\nsource_endpoint_database_name=app\n"              \
	"destination_endpoint_engine_name=POSTGRESQL\ndestination_endpoint_database_name=app\n"
#define POSTGRES_INST                                                                              \
	"source_endpoint_engine_name=PostgreSQL\ndestination_endpoint_engine_name=PostgreSQL\n"
#define GREENPLUM                                                                                    \
	"destination_endpoint_instance_type=GREENPLUM\ndestination_endpoint_engine_name=GREENPLUM\n" \
	"destination_endpoint_database_name=app\n"
/* Configured first, bought after its precheck: no instance section. */
#define FREE "dts_instance_id=\npayment_type=PayAsYouGo\ninstance_class=small\n"
#define PREPAID "payment_type=Subscription\npayment_duration=1\npayment_duration_unit=Month\n"
#define FREE_PREPAID "dts_instance_id=\n" PREPAID

static void walk_instance_id(const struct row *r, struct couple *p);
static void walk_direction(const struct row *r, struct couple *p);
static void walk_incremental(const struct row *r, struct couple *p);
static void walk_class(const struct row *r, struct couple *p);
static void walk_user(const struct row *r, struct couple *p);
static void walk_status(const struct row *r, struct couple *p);
static void drop_reserve_key(const struct row *r, struct couple *p);
static void drop_parameter(const struct row *r, struct couple *p);
static void drop_tag(const struct row *r, struct couple *p);
static void forgotten_with_its_job(const struct row *r, struct couple *p);
static void no_way_back(const struct row *r, struct couple *p);

/* clang-format off */

/* What the reference document lists, in its order. */
static const struct row reference[] = {
	{.key = "dts_instance_id", .where = CONF "DtsInstanceId", .wire = "$I", .how = SPECIAL, .special = walk_instance_id,
	 .needed = "dts_instance_id is missing"},
	{.key = "dts_job_name", .where = CONF "DtsJobName", .v2 = "renamed", .calls = "ModifyDtsJobName DtsJobId=$J DtsJobName=renamed",
	 .needed = "dts_job_name is missing", .field = "name", .server = "elsewhere"},
	{.key = "data_initialization", .where = CONF "DataInitialization", .v2 = "false", .how = REPLACE,
	 .needed = "data_initialization is missing", .field = "data_initialization", .server = "true"},
	{.key = "data_synchronization", .where = CONF "DataSynchronization", .v2 = "false", .how = SPECIAL,
	 .needed = "data_synchronization is missing", .field = "data_synchronization", .server = "false", .special = walk_incremental},
	{.key = "structure_initialization", .where = CONF "StructureInitialization", .v2 = "false", .how = REPLACE,
	 .needed = "structure_initialization is missing", .field = "structure_initialization", .server = "true"},
	{.key = "db_list", .where = CONF_BODY "DbList", .v2 = DB("b"), .calls = "ModifyDtsJob " IDS "ClientToken=* +DbList=" DB("b"),
	 .needed = "db_list is missing", .field = "db_list", .server = DB("c")},
	{.key = "synchronization_direction", .inst = "sync_architecture=bidirectional\n", .v1 = "Reverse",
	 .where = CONF "SynchronizationDirection", .how = SPECIAL, .special = walk_direction},
	{.key = "instance_class", .inst = "instance_class=\n", .v1 = "small", .where = BUY "InstanceClass", .how = SPECIAL,
	 .special = walk_class},
	{.key = "checkpoint", .v1 = "1735660800", .where = CONF "Checkpoint", .v2 = "1735660900", .how = REPLACE, .unseen = true,
	 .field = "checkpoint", .server = "1735669999", .later = NOTHING},
	{.key = "reserve", .v1 = "{\"targetTableMode\":\"2\",\"maxRetryTime\":\"600\"}", .where = CONF_BODY "Reserve",
	 .v2 = "{\"targetTableMode\":\"0\",\"maxRetryTime\":\"600\"}", .calls = RESERVED "{\"targetTableMode\":\"0\"}",
	 .field = "reserved", .server = "{\"targetTableMode\":\"2\",\"maxRetryTime\":\"600\"}", .special = drop_reserve_key, .later = RESERVED "{\"targetTableMode\":\"0\",\"maxRetryTime\":\"600\"}"},
	{.key = "source_endpoint_instance_type", .where = CONF "SourceEndpointInstanceType", .v2 = "PolarDB", .how = ENDPOINT,
	 .calls = RENEW_SRC "EndpointInstanceType=polardb EndpointInstanceId=rm-a EndpointRegionId=cn-hangzhou",
	 .needed = "source_endpoint_instance_type is missing", .field = "source.type", .server = "MONGODB"},
	{.key = "source_endpoint_engine_name", .where = CONF "SourceEndpointEngineName", .v2 = "MARIADB", .how = REPLACE,
	 .needed = "source_endpoint_engine_name is missing", .field = "source.engine", .server = "MSSQL"},
	{.key = "source_endpoint_instance_id", .where = CONF "SourceEndpointInstanceID", .v2 = "rm-c", .how = ENDPOINT,
	 .calls = RENEW_SRC "EndpointInstanceType=rds EndpointInstanceId=rm-c EndpointRegionId=cn-hangzhou",
	 .needed = "source_endpoint_instance_id is missing", .field = "source.instance", .server = "rm-d"},
	{.key = "source_endpoint_region", .where = CONF "SourceEndpointRegion", .v2 = "cn-beijing", .how = ENDPOINT,
	 .calls = RENEW_SRC "EndpointInstanceType=rds EndpointInstanceId=rm-a EndpointRegionId=cn-beijing",
	 .needed = "source_endpoint_region is missing", .field = "source.region", .server = "cn-shanghai"},
	{.key = "source_endpoint_ip", .job = SRC_EXPRESS, .v1 = "10.0.0.1", .where = CONF "SourceEndpointIP", .v2 = "10.0.0.2",
	 .how = ENDPOINT, .calls = RENEW_SRC "EndpointInstanceType=express EndpointInstanceId=vpc-1 EndpointRegionId=cn-hangzhou "
	 "EndpointIp=10.0.0.2 EndpointPort=3306", .needed = "source_endpoint_ip is missing", .field = "source.ip", .server = "10.0.0.3"},
	{.key = "source_endpoint_port", .job = SRC_EXPRESS, .v1 = "3306", .where = CONF "SourceEndpointPort", .v2 = "3307",
	 .how = ENDPOINT, .calls = RENEW_SRC "EndpointInstanceType=express EndpointInstanceId=vpc-1 EndpointRegionId=cn-hangzhou "
	 "EndpointIp=10.0.0.1 EndpointPort=3307", .needed = "source_endpoint_port is missing", .field = "source.port", .server = "3308"},
	{.key = "source_endpoint_oracle_sid", .job = SRC_EXPRESS "source_endpoint_engine_name=ORACLE\n",
	 .inst = "source_endpoint_engine_name=oracle\n", .v1 = "ORCL", .where = CONF "SourceEndpointOracleSID", .v2 = "PROD",
	 .how = REPLACE, .field = "source.sid", .server = "TEST", .later = NEVER},
	{.key = "source_endpoint_database_name", .inst = POSTGRES_INST, .job = POSTGRES, .v1 = "app",
	 .where = CONF "SourceEndpointDatabaseName", .v2 = "crm", .how = ENDPOINT,
	 .calls = RENEW_SRC "EndpointInstanceType=rds EndpointInstanceId=rm-a EndpointRegionId=cn-hangzhou Database=crm",
	 .needed = "source_endpoint_database_name is missing", .field = "source.database", .server = "dw"},
	{.key = "source_endpoint_user_name", .where = CONF "SourceEndpointUserName", .v2 = "v", .how = SPECIAL,
	 .calls = "ModifyDtsJobPassword " IDS "Endpoint=src UserName=v Password=***", .field = "source.user", .server = "w",
	 .special = walk_user, .later = RENEW_SRC "EndpointInstanceType=rds EndpointInstanceId=rm-a EndpointRegionId=cn-hangzhou "
	 "ModifyAccount=true Username=v Password=***"},
	{.key = "source_endpoint_password", .where = CONF "SourceEndpointPassword", .wire = "***", .v2 = "${env:PW2}",
	 .calls = "ModifyDtsJobPassword " IDS "Endpoint=src UserName=u Password=***", .field = "source.password_hash",
	 .server = "00", .unseen = true},
	{.key = "source_endpoint_owner_id", .job = "source_endpoint_role=reader\n", .v1 = "1200000000000017",
	 .where = CONF "SourceEndpointOwnerID", .v2 = "1200000000000018", .how = ENDPOINT,
	 .calls = RENEW_SRC "EndpointInstanceType=rds EndpointInstanceId=rm-a EndpointRegionId=cn-hangzhou "
	 "AliyunUid=1200000000000018 RoleName=reader", .field = "source.owner", .server = "1200000000000019"},
	{.key = "source_endpoint_role", .job = "source_endpoint_owner_id=1200000000000017\n", .v1 = "reader",
	 .where = CONF "SourceEndpointRole", .v2 = "writer", .how = ENDPOINT,
	 .calls = RENEW_SRC "EndpointInstanceType=rds EndpointInstanceId=rm-a EndpointRegionId=cn-hangzhou "
	 "AliyunUid=1200000000000017 RoleName=writer", .needed = "source_endpoint_owner_id needs source_endpoint_role",
	 .field = "source.role", .server = "other"},
	{.key = "destination_endpoint_instance_type", .where = CONF "DestinationEndpointInstanceType", .v2 = "PolarDB", .how = ENDPOINT,
	 .calls = RENEW_DEST "EndpointInstanceType=polardb EndpointInstanceId=rm-b EndpointRegionId=cn-hangzhou",
	 .needed = "destination_endpoint_instance_type is missing", .field = "destination.type", .server = "MONGODB"},
	{.key = "destination_endpoint_engine_name", .where = CONF "DestinationEndpointEngineName", .v2 = "MARIADB", .how = REPLACE,
	 .needed = "destination_endpoint_engine_name is missing", .field = "destination.engine", .server = "MSSQL"},
	{.key = "destination_endpoint_instance_id", .where = CONF "DestinationEndpointInstanceID", .v2 = "rm-c", .how = ENDPOINT,
	 .calls = RENEW_DEST "EndpointInstanceType=rds EndpointInstanceId=rm-c EndpointRegionId=cn-hangzhou",
	 .needed = "destination_endpoint_instance_id is missing", .field = "destination.instance", .server = "rm-d"},
	{.key = "destination_endpoint_region", .job = DEST_EXPRESS, .where = CONF "DestinationEndpointRegion", .v2 = "cn-beijing",
	 .how = ENDPOINT, .calls = RENEW_DEST "EndpointInstanceType=express EndpointInstanceId=vpc-2 EndpointRegionId=cn-beijing "
	 "EndpointIp=10.0.1.1 EndpointPort=3306", .field = "destination.region", .server = "cn-shanghai"},
	{.key = "destination_endpoint_ip", .job = DEST_EXPRESS, .v1 = "10.0.1.1", .where = CONF "DestinationEndpointIP", .v2 = "10.0.1.2",
	 .how = ENDPOINT, .calls = RENEW_DEST "EndpointInstanceType=express EndpointInstanceId=vpc-2 EndpointRegionId=cn-hangzhou "
	 "EndpointIp=10.0.1.2 EndpointPort=3306", .needed = "destination_endpoint_ip is missing", .field = "destination.ip",
	 .server = "10.0.1.3"},
	{.key = "destination_endpoint_port", .job = DEST_EXPRESS, .v1 = "3306", .where = CONF "DestinationEndpointPort", .v2 = "3307",
	 .how = ENDPOINT, .calls = RENEW_DEST "EndpointInstanceType=express EndpointInstanceId=vpc-2 EndpointRegionId=cn-hangzhou "
	 "EndpointIp=10.0.1.1 EndpointPort=3307", .needed = "destination_endpoint_port is missing", .field = "destination.port",
	 .server = "3308"},
	{.key = "destination_endpoint_database_name", .inst = "destination_endpoint_engine_name=Greenplum\n", .job = GREENPLUM,
	 .v1 = "app", .where = CONF "DestinationEndpointDataBaseName", .v2 = "dw", .how = ENDPOINT,
	 .calls = RENEW_DEST "EndpointInstanceType=greenplum EndpointInstanceId=rm-b EndpointRegionId=cn-hangzhou Database=dw",
	 .needed = "destination_endpoint_database_name is missing", .field = "destination.database", .server = "lake"},
	{.key = "destination_endpoint_user_name", .where = CONF "DestinationEndpointUserName", .v2 = "v", .how = SPECIAL,
	 .calls = "ModifyDtsJobPassword " IDS "Endpoint=dest UserName=v Password=***", .field = "destination.user", .server = "w",
	 .special = walk_user, .later = RENEW_DEST "EndpointInstanceType=rds EndpointInstanceId=rm-b EndpointRegionId=cn-hangzhou "
	 "ModifyAccount=true Username=v Password=***"},
	{.key = "destination_endpoint_password", .where = CONF "DestinationEndpointPassword", .wire = "***", .v2 = "${env:PW2}",
	 .calls = "ModifyDtsJobPassword " IDS "Endpoint=dest UserName=u Password=***", .field = "destination.password_hash",
	 .server = "00", .unseen = true},
	{.key = "destination_endpoint_oracle_sid", .job = DEST_EXPRESS "destination_endpoint_engine_name=ORACLE\n",
	 .inst = "destination_endpoint_engine_name=oracle\n", .v1 = "ORCL", .where = CONF "DestinationEndpointOracleSID", .v2 = "PROD",
	 .how = REPLACE, .field = "destination.sid", .server = "TEST", .later = NEVER},
	{.key = "delay_notice", .job = "delay_rule_time=60\n", .v1 = "true", .where = CONF "DelayNotice", .v2 = "false",
	 .calls = "CreateJobMonitorRule DtsJobId=$J Type=delay State=N DelayRuleTime=60", .field = "alarm.delay.state", .server = "Y",
	 .shown = "true", .later = AS_IS},
	{.key = "delay_phone", .job = "delay_notice=true\ndelay_rule_time=60\n", .v1 = "13800000001", .where = CONF "DelayPhone",
	 .v2 = "13800000001,13800000002", .calls = "CreateJobMonitorRule DtsJobId=$J Type=delay State=Y "
	 "Phone=13800000001,13800000002 DelayRuleTime=60", .field = "alarm.delay.phone", .server = "13800000003"},
	{.key = "delay_rule_time", .job = "delay_notice=true\n", .v1 = "60", .where = CONF "DelayRuleTime", .v2 = "90",
	 .calls = "CreateJobMonitorRule DtsJobId=$J Type=delay State=Y DelayRuleTime=90",
	 .needed = "delay_rule_time is missing", .field = "alarm.delay.delay_s", .server = "120"},
	{.key = "error_notice", .v1 = "true", .where = CONF "ErrorNotice", .v2 = "false",
	 .calls = "CreateJobMonitorRule DtsJobId=$J Type=error State=N", .field = "alarm.error.state", .server = "Y", .shown = "true", .later = AS_IS},
	{.key = "error_phone", .job = "error_notice=true\n", .v1 = "13800000001", .where = CONF "ErrorPhone",
	 .v2 = "13800000001,13800000002", .calls = "CreateJobMonitorRule DtsJobId=$J Type=error State=Y "
	 "Phone=13800000001,13800000002", .field = "alarm.error.phone", .server = "13800000003"},
	{.key = "status", .v1 = "Suspending", .where = CONF_BODY "Reserve", .wire = "{\"autoStartModulesAfterConfig\":\"none\"}",
	 .how = SPECIAL, .special = walk_status},
	{.key = "dedicated_cluster_id", .inst = "-", .job = FREE, .v1 = "dtscluster-1", .where = CONF "DedicatedClusterId",
	 .v2 = "dtscluster-2", .calls = "ModifyDtsJobDedicatedCluster DedicatedClusterId=dtscluster-2 DtsJobIds=[\"$J\"]",
	 .field = "dedicated_cluster", .server = "dtscluster-3"},
	{.key = "data_check_configure", .v1 = CHECK("20"), .where = CONF "DataCheckConfigure", .v2 = CHECK("30"), .how = REPLACE,
	 .field = "data_check", .server = CHECK("40"), .unseen = true},
	{.key = "source_endpoint_vswitch_id", .v1 = "vsw-1", .where = CONF "SourceEndpointVSwitchID", .v2 = "vsw-2", .how = REPLACE,
	 .unseen = true, .special = forgotten_with_its_job},
	{.key = "destination_endpoint_owner_id", .job = "destination_endpoint_role=reader\n", .v1 = "1200000000000017",
	 .where = CONF "DestinationEndpointOwnerID", .v2 = "1200000000000018", .how = ENDPOINT,
	 .calls = RENEW_DEST "EndpointInstanceType=rds EndpointInstanceId=rm-b EndpointRegionId=cn-hangzhou "
	 "AliyunUid=1200000000000018 RoleName=reader", .field = "destination.owner", .server = "1200000000000019"},
	{.key = "destination_endpoint_role", .job = "destination_endpoint_owner_id=1200000000000017\n", .v1 = "reader",
	 .where = CONF "DestinationEndpointRole", .v2 = "writer", .how = ENDPOINT,
	 .calls = RENEW_DEST "EndpointInstanceType=rds EndpointInstanceId=rm-b EndpointRegionId=cn-hangzhou "
	 "AliyunUid=1200000000000017 RoleName=writer", .needed = "destination_endpoint_owner_id needs destination_endpoint_role",
	 .field = "destination.role", .server = "other"},
	{.key = "dts_bis_label", .v1 = "normal", .where = CONF "DtsBisLabel", .v2 = "online", .how = REPLACE, .field = "bis_label",
	 .server = "normal"},
};

/* Arguments of a job beyond it: newer ones of the provider, and those of a purchase made for a job. */
static const struct row newer[] = {
	{.key = "source_endpoint_ssl", .v1 = "1", .where = CONF_BODY "Reserve", .wire = "{\"srcSSL\":\"1\"}", .v2 = "0",
	 .calls = RESERVED "{\"srcSSL\":\"0\"}", .field = "source.ssl", .server = "1", .later = AS_IS},
	{.key = "destination_endpoint_ssl", .v1 = "1", .where = CONF_BODY "Reserve", .wire = "{\"destSSL\":\"1\"}", .v2 = "0",
	 .calls = RESERVED "{\"destSSL\":\"0\"}", .field = "destination.ssl", .server = "1", .later = AS_IS},
	{.key = "job_parameters", .v1 = "[" PARAM("07", "128") "]", .where = "",
	 .first = "ModifyDtsJobConfig DtsJobId=$J Parameters=[" PARAM("07", "128") "]", .v2 = "[" PARAM("07", "256") "]",
	 .calls = "ModifyDtsJobConfig DtsJobId=$J Parameters=[" PARAM("07", "256") "]", .field = "parameters",
	 .server = "[" PARAM("07", "99") "]", .special = drop_parameter},
	{.key = "src_primary_vswitch_id", .v1 = "vsw-1", .where = CONF "SrcPrimaryVswId", .v2 = "vsw-2", .how = REPLACE, .unseen = true},
	{.key = "src_secondary_vswitch_id", .v1 = "vsw-1", .where = CONF "SrcSecondaryVswId", .v2 = "vsw-2", .how = REPLACE,
	 .unseen = true},
	{.key = "dest_primary_vswitch_id", .v1 = "vsw-1", .where = CONF "DestPrimaryVswId", .v2 = "vsw-2", .how = REPLACE,
	 .unseen = true},
	{.key = "dest_secondary_vswitch_id", .v1 = "vsw-1", .where = CONF "DestSecondaryVswId", .v2 = "vsw-2", .how = REPLACE,
	 .unseen = true},
	{.key = "auto_pay", .inst = "-", .job = FREE, .v1 = "false", .where = BUY "AutoPay", .v2 = "true", .how = RECORDED,
	 .unseen = true},
	{.key = "auto_start", .inst = "-", .job = FREE, .v1 = "true", .where = BUY "AutoStart", .v2 = "false", .how = RECORDED,
	 .unseen = true, .later = AS_IS},
	{.key = "compute_unit", .inst = "-", .job = FREE, .v1 = "2", .where = BUY "ComputeUnit", .v2 = "4", .how = REPLACE,
	 .unseen = true},
	{.key = "database_count", .inst = "-", .job = FREE, .v1 = "1", .where = BUY "DatabaseCount", .v2 = "2", .how = REPLACE,
	 .unseen = true},
	{.key = "payment_duration", .inst = "-", .job = FREE_PREPAID, .v1 = "1", .where = BUY "UsedTime", .v2 = "2", .how = RECORDED,
	 .needed = "payment_duration is missing", .unseen = true},
	{.key = "payment_duration_unit", .inst = "-", .job = FREE_PREPAID, .v1 = "Month", .where = BUY "Period", .v2 = "Year",
	 .how = RECORDED, .needed = "payment_duration_unit is missing", .unseen = true},
	{.key = "payment_type", .inst = "-", .job = FREE "payment_duration=1\npayment_duration_unit=Month\n", .v1 = "PayAsYouGo",
	 .where = BUY "PayType", .wire = "PostPaid", .v2 = "Subscription",
	 .calls = "TransferPayType DtsJobId=$J ChargeType=PrePaid Period=Month BuyCount=1", .needed = "payment_type is missing",
	 .field = "i.pay_type", .server = "PostPaid", .shown = "PayAsYouGo"},
	{.key = "quantity", .inst = "-", .job = FREE, .v1 = "1", .where = BUY "Quantity", .v2 = "2", .how = INVALID,
	 .calls = "quantity", .unseen = true},
	{.key = "resource_group_id", .inst = "-", .job = FREE, .v1 = "rg-a", .where = BUY "ResourceGroupId", .v2 = "rg-b",
	 .calls = "ConvertInstanceResourceGroup ResourceId=$I NewResourceGroupId=rg-b", .field = "i.resource_group", .server = "rg-c"},
	{.key = "sync_architecture", .inst = "-", .job = FREE, .v1 = "oneway", .where = BUY "SyncArchitecture", .v2 = "bidirectional",
	 .how = INVALID, .calls = "cannot be bought for a job", .unseen = true},
	{.key = "tags", .inst = "-", .job = FREE, .v1 = "{\"team\":\"a\"}", .where = "", .first = TAG("a"), .v2 = "{\"team\":\"b\"}",
	 .calls = TAG("b"), .field = "i.tags", .server = "{\"team\":\"z\"}", .special = drop_tag},
};

/* Arguments of a synchronization_instance. */
static const struct row instance[] = {
	{.key = "auto_pay", .job = "-", .v1 = "false", .where = BUY "AutoPay", .v2 = "true", .how = RECORDED, .unseen = true},
	{.key = "auto_start", .job = "-", .v1 = "true", .where = BUY "AutoStart", .v2 = "false", .how = RECORDED, .unseen = true, .later = AS_IS},
	{.key = "compute_unit", .job = "-", .v1 = "2", .where = BUY "ComputeUnit", .v2 = "4", .how = REPLACE, .unseen = true},
	{.key = "database_count", .job = "-", .inst = "source_endpoint_engine_name=DRDS\n", .v1 = "1", .where = BUY "DatabaseCount",
	 .v2 = "2", .how = REPLACE, .unseen = true},
	{.key = "destination_endpoint_engine_name", .job = "-", .where = BUY "DestinationEndpointEngineName", .v2 = "ADB30",
	 .how = REPLACE, .needed = "destination_endpoint_engine_name is missing", .field = "destination.engine", .server = "MSSQL"},
	{.key = "destination_endpoint_region", .job = "-", .where = BUY "DestinationRegion", .v2 = "cn-beijing", .how = REPLACE,
	 .needed = "destination_endpoint_region is missing", .field = "destination.region",
	 .server = "cn-shanghai"},
	{.key = "instance_class", .v1 = "small", .where = BUY "InstanceClass", .how = SPECIAL, .special = walk_class},
	{.key = "payment_duration", .job = "-", .inst = PREPAID, .v1 = "1", .where = BUY "UsedTime", .v2 = "2", .how = RECORDED,
	 .needed = "payment_duration is missing", .unseen = true},
	{.key = "payment_duration_unit", .job = "-", .inst = PREPAID, .v1 = "Month", .where = BUY "Period", .v2 = "Year",
	 .how = RECORDED, .needed = "payment_duration_unit is missing", .unseen = true},
	{.key = "payment_type", .inst = "payment_duration=1\npayment_duration_unit=Month\n", .v1 = "PayAsYouGo",
	 .where = BUY "PayType", .wire = "PostPaid", .v2 = "Subscription",
	 .calls = "TransferPayType DtsJobId=$J ChargeType=PrePaid Period=Month BuyCount=1", .needed = "payment_type is missing",
	 .field = "i.pay_type", .server = "PostPaid", .shown = "PayAsYouGo"},
	{.key = "quantity", .job = "-", .v1 = "1", .where = BUY "Quantity", .v2 = "2", .how = INVALID, .calls = "quantity",
	 .unseen = true},
	{.key = "resource_group_id", .job = "-", .v1 = "rg-a", .where = BUY "ResourceGroupId", .v2 = "rg-b",
	 .calls = "ConvertInstanceResourceGroup ResourceId=$I NewResourceGroupId=rg-b", .field = "i.resource_group", .server = "rg-c"},
	{.key = "source_endpoint_engine_name", .job = "-", .where = BUY "SourceEndpointEngineName", .v2 = "PolarDB", .how = REPLACE,
	 .needed = "source_endpoint_engine_name is missing", .field = "source.engine", .server = "MSSQL"},
	{.key = "source_endpoint_region", .job = "-", .where = BUY "SourceRegion", .v2 = "cn-beijing", .how = REPLACE,
	 .needed = "source_endpoint_region is missing", .field = "source.region", .server = "cn-shanghai"},
	{.key = "sync_architecture", .v1 = "oneway", .where = BUY "SyncArchitecture", .v2 = "bidirectional",
	 .calls = "UpgradeTwoWay InstanceId=$I InstanceClass=small", .field = "i.architecture", .server = "oneway", .unseen = true,
	 .special = no_way_back},
	{.key = "tags", .job = "-", .v1 = "{\"team\":\"a\"}", .where = "", .first = TAG("a"), .v2 = "{\"team\":\"b\"}",
	 .calls = TAG("b"), .field = "i.tags", .server = "{\"team\":\"z\"}", .special = drop_tag},
};
/* clang-format on */

#define COUNT(t) (sizeof t / sizeof *t)

static const struct row *find_row(const struct type_def *t, const char *key)
{
	for (size_t i = 0; t == &type_instance && i < COUNT(instance); i++)
		if (text_eq(instance[i].key, key))
			return &instance[i];
	for (size_t i = 0; t == &type_job && i < COUNT(reference); i++)
		if (text_eq(reference[i].key, key))
			return &reference[i];
	for (size_t i = 0; t == &type_job && i < COUNT(newer); i++)
		if (text_eq(newer[i].key, key))
			return &newer[i];
	return NULL;
}

static bool of_instance(const struct row *r)
{
	return r >= instance && r < instance + COUNT(instance);
}

static const char *address(const struct row *r)
{
	return of_instance(r) ? INST : JOB;
}

static const struct type_def *type_of(const struct row *r)
{
	return of_instance(r) ? &type_instance : &type_job;
}

static struct section *section_of(const struct row *r, struct couple *p)
{
	return of_instance(r) ? &p->inst : &p->job;
}

#define FAIL(r, ...)                                                                               \
	fail_msg("%s.%s: %s", type_of(r)->label, (r)->key, arena_printf(&eng_a, __VA_ARGS__))

/* ---- world and log --------------------------------------------------------------- */

static const char *id_now(bool instance_id)
{
	const struct record *rec = eng_record(JOB);

	if (!rec)
		rec = eng_record(INST);
	return !rec ? "" : instance_id ? rec->instance_id : rec->job_id;
}

/* $I and $J become the ids of this moment. */
static const char *with_ids(const char *text)
{
	const char *out = "";

	for (; *text; text++)
		if (*text == '$' && (text[1] == 'I' || text[1] == 'J'))
			out = arena_printf(&eng_a, "%s%s", out, id_now(*++text == 'I'));
		else
			out = arena_printf(&eng_a, "%s%c", out, *text);
	return out;
}

static bool field_of_instance(const char **field)
{
	bool yes = text_starts(*field, "i.");

	*field += yes ? 2 : 0;
	return yes;
}

static const char *world_get(const char *field)
{
	bool inst = field_of_instance(&field);
	const struct json *list = json_get(eng_control("world"), inst ? "instances" : "jobs"), *v;

	for (const struct json *o = list->child; o; o = o->next)
		if (text_eq(json_str(o, "id"), id_now(inst))) {
			for (v = o->child; v; v = v->next)
				if (text_eq(v->key, field))
					return v->type == JSON_STRING
					               ? v->s
					               : json_write_dup(&eng_a, v, false);
			return "";
		}
	fail_msg("no such object in the world");
	return NULL;
}

/* A field that is absent in the world reads as "": booleans are false then, and numbers 0. */
static void world_set(const char *field, const char *value)
{
	struct buf b;
	bool inst = field_of_instance(&field);

	buf_init(&b, 1 << 20);
	text_percent(&b, value, strlen(value));
	eng_control(arena_printf(&eng_a, "set?%s=%s&field=%s&value=%s", inst ? "instance" : "job",
	                         id_now(inst), field, buf_str(&b)));
	buf_release(&b);
}

static void world_restore(const char *field, const char *value)
{
	bool truth = strstr(field, "initialization") || strstr(field, "synchronization");

	world_set(field, *value ? value : truth ? "false" : "");
}

static size_t log_mark; /* lines of the request log that were looked at */

static bool mutating(const struct json *line)
{
	const char *a = json_str(line, "action");

	return !text_starts(a, "Describe") && !text_starts(a, "List");
}

/* The changing calls since the last time; each must have had an answer without fault. */
static struct json **new_calls(size_t *n)
{
	struct json **all = eng_log(n), **out = arena_array(&eng_a, struct json *, *n + 1);
	size_t k = 0;

	for (size_t i = log_mark; i < *n; i++)
		if (mutating(all[i]))
			out[k++] = all[i];
	log_mark = *n;
	*n = k;
	return out;
}

static size_t pairs(const struct json *o)
{
	return o ? o->n : 0;
}

/* One call against its line of the table, all parameters. RegionId goes without saying. */
static void check_call(const struct row *r, const struct json *call, const char *want, size_t len)
{
	const struct json *query = json_get(call, "query"), *form = json_get(call, "form");
	const char *line = arena_strndup(&eng_a, want, len), *word, *eq, *got, *said;
	size_t seen[2] = {1, 0};

	said = json_write_dup(&eng_a, call, false);
	if (!text_eq(json_str(call, "action"), text_field(&eng_a, line, ' ', 0)))
		FAIL(r, "wanted %s, the log has %s", line, said);
	if (!text_eq(json_str(query, "RegionId"), "cn-hangzhou"))
		FAIL(r, "no RegionId in %s", said);
	for (size_t i = 1; (word = text_field(&eng_a, line, ' ', i)); i++) {
		bool body = *word == '+';
		const struct json *v;

		if (!*word)
			continue;
		eq = strchr(word, '=');
		v = json_get(body ? form : query,
		             arena_strndup(&eng_a, word + body, (size_t)(eq - word) - body));
		got = v ? v->s : NULL;
		seen[body]++;
		if (!got || (strcmp(eq + 1, "*") != 0 && !text_eq(got, with_ids(eq + 1))))
			FAIL(r, "wanted %s, the log has %s", with_ids(word), said);
	}
	if (pairs(query) != seen[0] || pairs(form) != seen[1])
		FAIL(r, "more than wanted (%s) in %s", line, said);
}

static void check_calls(const struct row *r, const char *want)
{
	size_t n, i = 0, len;
	struct json **got = new_calls(&n);

	for (; want && *want; want += len + (want[len] == '\n'), i++) {
		len = strcspn(want, "\n");
		if (i == n)
			FAIL(r, "not sent: %s", want);
		check_call(r, got[i], want, len);
	}
	if (i < n)
		FAIL(r, "sent without need: %s", json_write_dup(&eng_a, got[i], false));
}

/* ---- creation ------------------------------------------------------------------- */

static const char *word(const char *text, size_t i)
{
	return text ? text_field(&eng_a, text, ' ', i) : NULL;
}

/* Is there a row of this section for the parameter, in this position? */
static bool explained(const struct section *s, const struct type_def *t, const char *action,
                      const char *position, const char *param)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct row *r = find_row(t, s->v[i].key);

		if (r && text_eq(word(r->where, 0), action) &&
		    text_eq(word(r->where, 1), position) && text_eq(word(r->where, 2), param))
			return true;
	}
	return false;
}

/* Every parameter comes from a key of the manifest or is one that the call always has. */
static void nothing_else(const struct row *r, const struct couple *p, const struct json *call)
{
	static const char *const always[] = {"RegionId",  "JobType",       "Type", "JobId",
	                                     "AutoStart", "InstanceClass", NULL};
	static const char *const positions[] = {"query", "form"};
	const char *action = json_str(call, "action");

	for (size_t i = 0; i < 2; i++)
		for (const struct json *v = json_get(call, positions[i])->child; v; v = v->next) {
			bool known = false;

			for (size_t k = 0; i == 0 && always[k]; k++)
				known = known || text_eq(always[k], v->key);
			known = known ||
			        explained(&p->inst, &type_instance, action, positions[i], v->key) ||
			        explained(&p->job, &type_job, action, positions[i], v->key);
			if (!known)
				FAIL(r, "%s %s %s was sent, no key says so", action, positions[i],
				     v->key);
		}
}

static bool pay_as_you_go(const struct section *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (text_eq(s->v[i].key, "payment_type"))
			return text_eq(s->v[i].value, "PayAsYouGo");
	return false;
}

/* Every key of the manifest that this action carries is there, where its row says. */
static void nothing_less(const struct row *r, const struct section *s, const struct type_def *t,
                         const struct json *call)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct row *o = find_row(t, s->v[i].key);

		if (!o || !text_eq(word(o->where, 0), json_str(call, "action")))
			continue;
		if (text_eq(o->key, "status") && !text_eq(s->v[i].value, "Suspending"))
			continue;
		if (text_starts(o->key, "payment_duration") && pay_as_you_go(s)) {
			if (json_get(json_get(call, word(o->where, 1)), word(o->where, 2)))
				FAIL(r, "%s is sent though nothing is paid in advance", o->key);
			continue;
		}
		if (!json_get(json_get(call, word(o->where, 1)), word(o->where, 2)))
			FAIL(r, "%s is not in %s", o->key, json_write_dup(&eng_a, call, false));
	}
}

static const char *wire_of(const struct row *r, const char *value)
{
	if (r->wire && (text_eq(r->wire, "***") || !value))
		return r->wire;
	return value;
}

/* The row's parameter in one of the calls: value and position; the other position is empty. */
static void check_sent(const struct row *r, const struct couple *p, struct json **got, size_t n,
                       const char *want)
{
	const char *action = word(r->where, 0), *position = word(r->where, 1),
		   *param = word(r->where, 2);
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		const struct json *v;

		if (!text_eq(json_str(got[i], "action"), action))
			continue;
		v = json_get(json_get(got[i], position), param);
		if (!v || !text_eq(v->s, with_ids(want)))
			FAIL(r, "wanted %s=%s in %s, the log has %s", param, want, position,
			     json_write_dup(&eng_a, got[i], false));
		if (json_get(json_get(got[i], text_eq(position, "query") ? "form" : "query"),
		             param))
			FAIL(r, "%s stands in both positions", param);
		nothing_else(r, p, got[i]);
		nothing_less(r, &p->inst, &type_instance, got[i]);
		nothing_less(r, &p->job, &type_job, got[i]);
		found = true;
	}
	if (!found)
		FAIL(r, "%s was not called", action);
}

static const char *secret_text(const char *value)
{
	return text_eq(value, "${env:PW}")    ? "pass-word-1"
	       : text_eq(value, "${env:PW2}") ? "pass-word-2"
	                                      : NULL;
}

/* The password that arrived, by the hash of the simulator. */
static void check_password(const struct row *r, const char *value)
{
	const char *salt = json_str(eng_control("world"), "salt"), *secret = secret_text(value);
	uint8_t mac[32];
	char hex[65];

	hash_hmac_sha256(salt, strlen(salt), secret, strlen(secret), mac);
	hash_hex(mac, sizeof mac, hex);
	if (!text_eq(world_get(r->field), hex))
		FAIL(r, "another password arrived");
}

/* The record holds the value as applied; of a secret it holds the fingerprint alone. */
static void check_recorded(const struct row *r, const char *value)
{
	const struct record *rec = eng_record(address(r));
	const char *have = rec ? rec->attrs[attr_of(type_of(r), r->key)] : NULL;

	if (secret_text(value)) {
		check_password(r, value);
		if (!have || !text_starts(have, "hmac-sha256:") || strlen(have) != 12 + 64)
			FAIL(r, "recorded as %s", have ? have : "nothing");
		if (strstr(eng_text("s.state.json"), secret_text(value)) ||
		    strstr(eng_text("log"), secret_text(value)))
			FAIL(r, "its text stands in the state or in the request log");
		return;
	}
	if (!text_eq(have, value ? with_ids(value) : NULL))
		FAIL(r, "recorded as %s, applied was %s", have ? have : "nothing",
		     value ? value : "nothing");
}

static void check_clean(const struct row *r, const struct couple *p, const char *when)
{
	struct result *res = eng_run(text_of(p), ENG_PRUNE);

	for (size_t i = 0; i < res->p.n; i++)
		if (res->p.ops[i].kind != OP_NOOP || res->p.ops[i].nchanges ||
		    res->p.ops[i].refused)
			FAIL(r, "%s: the plan wants %s of %s (%s)", when,
			     op_kind_name(res->p.ops[i].kind), res->p.ops[i].address,
			     res->p.ops[i].nchanges
			             ? res->p.ops[i].type->attrs[res->p.ops[i].changes[0].attr].key
			             : "");
}

static void apply_done(const struct row *r, const struct couple *p, const char *when)
{
	struct result *res = eng_apply(text_of(p));

	if (res->bad)
		FAIL(r, "%s: %s", when, res->notes);
}

static void create(const struct row *r, struct couple *p)
{
	const char *v1 = get(section_of(r, p), r->key);
	size_t n, k = 0;
	struct json **got;

	apply_done(r, p, "creation");
	got = new_calls(&n);
	if (r->first) {
		while (k < n && !text_eq(json_str(got[k], "action"), word(r->first, 0)))
			k++;
		if (k == n)
			FAIL(r, "not sent at creation: %s", r->first);
		check_call(r, got[k], r->first, strlen(r->first));
	} else {
		check_sent(r, p, got, n, r->wire ? r->wire : v1);
	}
	if (!text_eq(r->key, "dts_instance_id"))
		check_recorded(r, v1);
	check_clean(r, p, "after the creation");
}

/* ---- change --------------------------------------------------------------------- */

/* The one operation of the plan that does something. */
static const struct op *only_op(const struct row *r, const struct result *res, const char *where)
{
	const struct op *op = NULL;

	for (size_t i = 0; i < res->p.n; i++) {
		if (res->p.ops[i].kind == OP_NOOP)
			continue;
		if (op)
			FAIL(r, "the plan has %s %s besides", op_kind_name(res->p.ops[i].kind),
			     res->p.ops[i].address);
		op = &res->p.ops[i];
	}
	if (!op)
		FAIL(r, "the plan does not see it");
	if (!text_eq(op->address, where))
		FAIL(r, "the plan changes %s", op->address);
	return op;
}

static void check_change(const struct row *r, const struct op *op, const char *from, const char *to,
                         bool behind)
{
	const struct change *c = op->changes;

	if (op->nchanges != 1 || !text_eq(op->type->attrs[c->attr].key, r->key))
		FAIL(r, "%zu changes, the first is of %s", op->nchanges,
		     op->nchanges ? op->type->attrs[c->attr].key : "nothing");
	if (secret_text(to)) {
		from = from ? "(secret)" : NULL;
		to = "(secret)";
	}
	/* What the service tells in JSON is more than what was sent. */
	if ((from && !text_eq(c->from, from) &&
	     !attr_satisfied(&op->type->attrs[c->attr], from, c->from)) ||
	    !text_eq(c->to, to))
		FAIL(r, "the plan shows %s -> %s, wanted %s -> %s", c->from ? c->from : "nothing",
		     c->to, from, to);
	if (c->behind != behind || c->not_verifiable != (r->unseen && !behind))
		FAIL(r, "the plan says behind %d, not verifiable %d", c->behind, c->not_verifiable);
}

static bool says(const char *text, const char *part)
{
	return text && strstr(text, part);
}

/* What only a replacement, or for an endpoint a promise, can do: refused, and nothing is sent. */
static void check_refused(const struct row *r, const struct couple *p, const struct op *op)
{
	struct result *res;

	if (op->kind != OP_REPLACE || !says(op->refused, "replace = allowed") ||
	    !says(op->refused, r->key) || !says(op->refused, address(r)))
		FAIL(r, "kind %s, refusal: %s", op_kind_name(op->kind),
		     op->refused ? op->refused : "none");
	if (says(op->refused, "endpoint_change = same-data") != (r->how == ENDPOINT))
		FAIL(r, "refusal: %s", op->refused);
	res = eng_apply(text_of(p));
	if (res->bad != 1)
		FAIL(r, "the run did not report the refusal");
	check_calls(r, "");
}

static void check_replaced(const struct row *r, struct couple *p, const char *v2)
{
	const char *former = id_now(false), *inst = id_now(true);
	struct json **got;
	size_t n;
	bool bought = type_of(r)->attrs[attr_of(type_of(r), r->key)].flags & A_PURCHASE;
	bool whole = of_instance(r) || bought; /* else the paid instance stays */

	apply_done(r, p, "replacement");
	got = new_calls(&n);
	if (n != (bought ? 5 : 2)) /* configured, checked, bought and named anew */
		FAIL(r, "%zu calls for a replacement", n);
	if (!text_eq(json_str(got[0], "action"), whole ? "DeleteDtsJob" : "ResetDtsJob") ||
	    !text_eq(json_str(json_get(got[0], "query"), "DtsInstanceId"), inst) ||
	    !text_eq(json_str(json_get(got[0], "query"), "DtsJobId"), former))
		FAIL(r, "replaced by %s", json_write_dup(&eng_a, got[0], false));
	check_sent(r, p, got + 1, n - 1, wire_of(r, v2));
	if (text_eq(inst, id_now(true)) == whole)
		FAIL(r, whole ? "the instance is still the old one" : "the instance did not stay");
}

static void change(const struct row *r, struct couple *p)
{
	struct section *s = section_of(r, p);
	const char *v1 = get(s, r->key);
	const struct op *op;

	put(s, r->key, r->v2);
	if (r->how == INVALID) {
		if (!strstr(eng_errors(text_of(p)), r->calls))
			FAIL(r, "%s is accepted, or the error is: %s", r->v2,
			     eng_errors(text_of(p)));
		put(s, r->key, v1);
		return;
	}
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), address(r));
	check_change(r, op, v1, r->v2, false);
	if (r->how == REPLACE || r->how == ENDPOINT) {
		check_refused(r, p, op);
		check_recorded(r, v1);
		put(s, r->how == REPLACE ? "replace" : "endpoint_change",
		    r->how == REPLACE ? "allowed" : "same-data");
		op = only_op(r, eng_run(text_of(p), ENG_PRUNE), address(r));
		if (op->refused || op->kind != (r->how == REPLACE ? OP_REPLACE : OP_UPDATE))
			FAIL(r, "allowed, but %s, %s", op_kind_name(op->kind),
			     op->refused ? op->refused : "not refused");
	}
	if (r->how == REPLACE) {
		check_replaced(r, p, r->v2);
		put(s, "replace", NULL);
	} else {
		if (op->kind != OP_UPDATE || op->refused)
			FAIL(r, "kind %s, refusal: %s", op_kind_name(op->kind),
			     op->refused ? op->refused : "none");
		if (r->how == RECORDED && !says(op->changes->note, "nothing is sent"))
			FAIL(r, "the plan does not say that it has no effect");
		apply_done(r, p, "change");
		check_calls(r, r->how == RECORDED ? "" : with_ids(r->calls));
		put(s, "endpoint_change", NULL);
	}
	check_recorded(r, r->v2);
	check_clean(r, p, "after the change");
}

/* ---- removal and changes behind our back ---------------------------------------------- */

static const char *server_text(const struct row *r)
{
	return r->shown ? r->shown : r->server;
}

/* The plan is empty; does it say of a key that it is no longer managed? */
static void check_said(const struct row *r, const struct couple *p, bool want)
{
	const struct result *res = eng_run(text_of(p), ENG_PRUNE);
	const char *said = NULL;

	check_clean(r, p, "after the removal");
	for (size_t i = 0; i < res->p.n; i++)
		for (size_t k = 0; k < res->p.ops[i].nnotes; k++)
			if (says(res->p.ops[i].notes[k], "taken out"))
				said = res->p.ops[i].notes[k];
	if ((said != NULL) != want || (want && !text_starts(said, r->key)) ||
	    says(said, "pass-word") || says(said, "hmac"))
		FAIL(r, "the plan says: %s", said ? said : "nothing of it");
}

/* A key that is taken out is compared no longer, and the service keeps its value: said once. */
static void removal(const struct row *r, struct couple *p)
{
	struct section *s = section_of(r, p);
	const char *value = get(s, r->key), *before, *was;

	put(s, r->key, NULL);
	if (r->needed) {
		if (!strstr(eng_errors(text_of(p)), r->needed))
			FAIL(r, "without it: %s", eng_errors(text_of(p)));
		put(s, r->key, value);
		return;
	}
	check_said(r, p, true);
	apply_done(r, p, "removal");
	check_calls(r, "");
	check_recorded(r, value);
	check_said(r, p, false);
	before = eng_text("s.state.json");
	apply_done(r, p, "nothing more");
	check_calls(r, "");
	if (!text_eq(before, eng_text("s.state.json")))
		FAIL(r, "its absence wrote the state:\n%s\n%s", before, eng_text("s.state.json"));
	if (r->field && r->server) {
		was = world_get(r->field);
		world_set(r->field, r->server);
		check_clean(r, p, "removed here, changed there");
		world_restore(r->field, was);
	}
	put(s, r->key, value);
	check_clean(r, p, "there again");
}

static void drift(const struct row *r, struct couple *p)
{
	const char *value = get(section_of(r, p), r->key), *was;
	const struct op *op;
	size_t n;

	if (!r->field || !r->server)
		return;
	was = world_get(r->field);
	world_set(r->field, r->server);
	if (r->unseen) {
		check_clean(r, p, "changed where nobody can see it");
		world_restore(r->field, was);
		return;
	}
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), address(r));
	check_change(r, op, server_text(r), value, true);
	if (r->how == REPLACE || r->how == ENDPOINT || r->how == INVALID) {
		check_refused(r, p, op);
		world_restore(r->field, was);
	} else {
		if (op->kind != OP_UPDATE || op->refused)
			FAIL(r, "kind %s, refusal: %s", op_kind_name(op->kind),
			     op->refused ? op->refused : "none");
		apply_done(r, p, "repair");
		new_calls(&n);
		if (n != 1 || !text_eq(world_get(r->field), was))
			FAIL(r, "repaired with %zu calls, now it is %s and was %s", n,
			     world_get(r->field), was);
	}
	check_recorded(r, value);
	check_clean(r, p, "after the repair");
}

/* ---- added to what exists --------------------------------------------------------------- */

static void prepare(const struct row *r, struct couple *p);

/* What no apply has recorded and no answer shows is not there: it takes the way of a change. */
static void add_later(const struct row *r, struct couple *p)
{
	struct section *s = section_of(r, p);
	bool noted = r->how == RECORDED || text_eq(r->later, NOTHING);
	bool replaces = r->how == REPLACE && !noted;
	const struct op *op;

	put(s, r->key, r->v2);
	if (text_eq(r->later, AS_IS)) {
		check_clean(r, p, "added, but so by default");
		return;
	}
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), address(r));
	check_change(r, op, NULL, r->v2, false);
	if (r->unseen && op->changes->from)
		FAIL(r, "it was never set, but was %s", op->changes->from);
	if (replaces || r->how == ENDPOINT) {
		check_refused(r, p, op);
		put(s, replaces ? "replace" : "endpoint_change",
		    replaces ? "allowed" : "same-data");
	}
	if (replaces) {
		check_replaced(r, p, r->v2);
		put(s, "replace", NULL);
	} else {
		if (noted && !says(op->changes->note, "nothing is sent"))
			FAIL(r, "the plan does not say that it has no effect");
		apply_done(r, p, "added later");
		check_calls(r, noted ? "" : with_ids(r->later ? r->later : r->calls));
		put(s, "endpoint_change", NULL);
	}
	check_recorded(r, r->v2);
	check_clean(r, p, "after it was added");
}

static void walk_later(const struct row *r)
{
	struct couple p;

	if (r->needed || r->how == INVALID || (r->how == SPECIAL && !r->later) ||
	    text_eq(r->later, NEVER))
		return;
	prepare(r, &p);
	put(section_of(r, &p), r->key, NULL);
	eng_start(NULL, 0);
	apply_done(r, &p, "creation without it");
	check_clean(r, &p, "after the creation without it");
	new_calls(&(size_t){0});
	add_later(r, &p);
	eng_stop();
}

/* ---- one row -------------------------------------------------------------------------- */

static void prepare(const struct row *r, struct couple *p)
{
	*p = (struct couple){0};
	put_lines(&p->inst, base_inst);
	put_lines(&p->job, base_job);
	put_lines(&p->inst, r->inst);
	put_lines(&p->job, r->job);
	if (r->v1)
		put(section_of(r, p), r->key, r->v1);
	log_mark = 0;
}

static void walk(const struct row *r)
{
	struct couple p;

	prepare(r, &p);
	eng_start(NULL, 0);
	create(r, &p);
	if (r->how == SPECIAL) {
		r->special(r, &p);
	} else {
		change(r, &p);
		removal(r, &p);
		drift(r, &p);
		if (r->special)
			r->special(r, &p);
	}
	eng_stop();
}

/* ---- those that are like no other ------------------------------------------------------ */

/* Another instance: a replacement; the old one stays, empty and billed. */
static void walk_instance_id(const struct row *r, struct couple *p)
{
	const struct op *op;
	const char *a, *b;
	size_t n;
	struct json **got;

	if (!text_eq(eng_record(JOB)->attrs[attr_of(&type_job, r->key)], id_now(true)))
		FAIL(r, "not recorded");
	p->more = arena_printf(&eng_a, "%s", section_text(&p->inst, "synchronization_instance.b"));
	apply_done(r, p, "a second instance");
	new_calls(&n);
	a = eng_record(INST)->id;
	b = eng_record("synchronization_instance.b")->id;
	put(&p->job, r->key, "${synchronization_instance.b.id}");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, a, b, false);
	check_refused(r, p, op);
	put(&p->job, "replace", "allowed");
	apply_done(r, p, "replacement");
	got = new_calls(&n);
	if (n != 2 || !text_eq(json_str(got[0], "action"), "ResetDtsJob") ||
	    !text_eq(json_str(json_get(got[0], "query"), "DtsInstanceId"), a))
		FAIL(r, "%zu calls, the first is %s", n, json_write_dup(&eng_a, got[0], false));
	check_sent(r, p, got + 1, 1, b);
	put(&p->job, "replace", NULL);
	if (!text_eq(eng_record(JOB)->attrs[attr_of(&type_job, r->key)], b) ||
	    !text_eq(eng_record(JOB)->instance_id, b))
		FAIL(r, "the record did not move");
	check_clean(r, p, "after the move");
	removal(r, p);
	/* The service never moves a job; it can only take the instance away. */
	eng_control(arena_printf(&eng_a, "delete?instance=%s&forget=true", b));
	for (size_t i = 0; i < eng_run(text_of(p), ENG_PRUNE)->p.n; i++) {
		struct result *res = eng_run(text_of(p), ENG_PRUNE);

		if ((res->p.ops[i].kind == OP_CREATE) == text_eq(res->p.ops[i].address, INST))
			FAIL(r, "gone, but %s %s", op_kind_name(res->p.ops[i].kind),
			     res->p.ops[i].address);
	}
}

/* The other direction is another job of the pair: a replacement. */
static void walk_direction(const struct row *r, struct couple *p)
{
	const char *reverse = id_now(false);
	const struct op *op;
	struct json **got;
	size_t n;

	put(&p->job, r->key, "Forward");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "Reverse", "Forward", false);
	check_refused(r, p, op);
	put(&p->job, "replace", "allowed");
	apply_done(r, p, "replacement");
	got = new_calls(&n);
	if (n != 2 || !text_eq(json_str(got[0], "action"), "ResetDtsJob") ||
	    !text_eq(json_str(json_get(got[0], "query"), "DtsJobId"), reverse) ||
	    !text_eq(json_str(json_get(got[0], "query"), "SynchronizationDirection"), "Reverse"))
		FAIL(r, "%zu calls, the first is %s", n, json_write_dup(&eng_a, got[0], false));
	check_sent(r, p, got + 1, 1, "Forward");
	put(&p->job, "replace", NULL);
	check_recorded(r, "Forward");
	check_clean(r, p, "after the replacement");
	put(&p->job, r->key, NULL);
	check_clean(r, p, "after the removal");
	put(&p->job, r->key, "Forward");
	/* ReverseTwoWayDirection swaps the directions of a pair: its other job is not taken for this one. */
	reverse = world_get("i.reverse");
	world_set("i.forward", reverse);
	world_set("i.reverse", id_now(false));
	eng_control(arena_printf(&eng_a, "set?job=%s&field=direction&value=Forward", reverse));
	world_set("direction", "Reverse");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "Reverse", "Forward", true);
	check_refused(r, p, op);
}

/* Like any replacement, but a synchronization without its incremental phase ends by itself, so that one stays unstarted. */
static void walk_incremental(const struct row *r, struct couple *p)
{
	const struct op *op;
	struct json **got;
	size_t n;

	removal(r, p);
	world_set(r->field, "false");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "false", "true", true);
	if (!says(op->refused, "replace = allowed") || !says(op->refused, r->key))
		FAIL(r, "refusal: %s", op->refused ? op->refused : "none");
	world_set(r->field, "true");
	put(&p->job, r->key, r->v2);
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "true", "false", false);
	if (!says(op->refused, "replace = allowed") || !says(op->refused, r->key))
		FAIL(r, "refusal: %s", op->refused ? op->refused : "none");
	put(&p->job, "status", "Suspending");
	put(&p->job, "replace", "allowed");
	apply_done(r, p, "replacement");
	got = new_calls(&n);
	if (n != 2 || !text_eq(json_str(got[0], "action"), "ResetDtsJob"))
		FAIL(r, "%zu calls, the first is %s", n, json_write_dup(&eng_a, got[0], false));
	check_sent(r, p, got + 1, 1, "false");
	check_recorded(r, "false");
	put(&p->job, "replace", NULL);
	check_clean(r, p, "after the replacement");
}

/* The class belongs to the pair and goes up only, whichever section says it. */
static void walk_class(const struct row *r, struct couple *p)
{
	struct section *s = section_of(r, p);
	const struct op *op;

	put(s, r->key, "medium");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), INST);
	check_change(r, op, "small", "medium", false);
	if (op->kind != OP_UPDATE || op->refused || !(op->impact & IMPACT_PAYS))
		FAIL(r, "kind %s, impact %u", op_kind_name(op->kind), op->impact);
	apply_done(r, p, "change");
	check_calls(r, "TransferInstanceClass DtsJobId=$J InstanceClass=medium OrderType=UPGRADE");
	check_clean(r, p, "after the change");
	check_recorded(r, "medium");
	if (!text_eq(eng_record(INST)->attrs[attr_of(&type_instance, r->key)], "medium"))
		FAIL(r, "the instance is recorded with another class");
	removal(r, p);
	world_set("i.class", "micro");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), INST);
	check_change(r, op, "micro", "medium", true);
	apply_done(r, p, "repair");
	check_calls(r, "TransferInstanceClass DtsJobId=$J InstanceClass=medium OrderType=UPGRADE");
	check_clean(r, p, "after the repair");
	world_set("i.class", "large"); /* raised by hand: there is no way down */
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), INST);
	if (!says(op->refused, "can only rise"))
		FAIL(r, "lowering is not refused");
	eng_apply(text_of(p));
	check_calls(r, "");
}

/* The password call refuses the password that is in use (dts-api.md 11): with a new password the name travels with it, alone it is a
 * change of the account at the same database. */
static void walk_user(const struct row *r, struct couple *p)
{
	bool source = text_starts(r->key, "source");
	const char *password =
		source ? "source_endpoint_password" : "destination_endpoint_password";
	const struct op *op;

	put(&p->job, r->key, "x");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "u", "x", false);
	if (!(op->impact & IMPACT_OFFSET))
		FAIL(r, "no word of the offset");
	apply_done(r, p, "the name alone");
	check_calls(
		r,
		source ? RENEW_SRC
			"EndpointInstanceType=rds EndpointInstanceId=rm-a EndpointRegionId=cn-hangzhou "
			"ModifyAccount=true Username=x Password=***"
		       : RENEW_DEST
			"EndpointInstanceType=rds EndpointInstanceId=rm-b EndpointRegionId=cn-hangzhou "
			"ModifyAccount=true Username=x Password=***");
	check_recorded(r, "x");
	check_clean(r, p, "after the name alone");
	put(&p->job, r->key, r->v2);
	put(&p->job, password, "${env:PW2}");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	if (op->nchanges != 2 || op->refused || op->kind != OP_UPDATE)
		FAIL(r, "%zu changes", op->nchanges);
	apply_done(r, p, "change");
	check_calls(r, r->calls);
	check_recorded(r, "v");
	check_password(find_row(&type_job, password), "${env:PW2}");
	check_clean(r, p, "after the change");
	removal(r, p);
	world_set(r->field, r->server);
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "w", "v", true);
	if (op->nsteps != 1 || op->steps[0] != (source ? DO_ENDPOINT_SRC : DO_ENDPOINT_DEST))
		FAIL(r, "%u steps", op->nsteps);
}

static void walk_status(const struct row *r, struct couple *p)
{
	const struct op *op;

	if (!text_eq(world_get("status"), "NotStarted"))
		FAIL(r, "it shall not run, but is %s", world_get("status"));
	put(&p->job, r->key, "Synchronizing");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "NotStarted", "Synchronizing", false);
	apply_done(r, p, "start");
	check_calls(r, "StartDtsJob " IDS);
	check_recorded(r, "Synchronizing");
	check_clean(r, p, "after the start");
	removal(r, p);
	world_set("status", "Suspending");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "Suspending", "Synchronizing", true);
	if (!op->nnotes || !says(op->notes[op->nnotes - 1], "still billed"))
		FAIL(r, "the plan does not say what a pause means");
	apply_done(r, p, "repair");
	check_calls(r, "StartDtsJob " IDS);
	check_clean(r, p, "after the repair");
	put(&p->job, r->key, "Suspending");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	check_change(r, op, "Synchronizing", "Suspending", false);
	apply_done(r, p, "pause");
	check_calls(r, "SuspendDtsJob " IDS);
	check_recorded(r, "Suspending");
	check_clean(r, p, "after the pause");
	put(&p->job, r->key, NULL);
	check_clean(r, p, "a pause that is no longer asked for");
}

/* A key once in reserve stays on the service: the plan says so, once. */
static void drop_reserve_key(const struct row *r, struct couple *p)
{
	const struct result *res;
	bool said = false;

	put(&p->job, r->key, "{\"targetTableMode\":\"0\"}");
	res = eng_run(text_of(p), ENG_PRUNE);
	for (size_t i = 0; i < res->p.n; i++) {
		const struct op *op = &res->p.ops[i];

		if (op->kind != OP_NOOP)
			FAIL(r, "what nothing is sent for is a change");
		for (size_t k = 0; k < op->nnotes; k++)
			said = said || says(op->notes[k], "the service keeps maxRetryTime: the "
			                                  "API cannot remove it");
	}
	if (!said)
		FAIL(r, "the plan does not say that the key stays");
	apply_done(r, p, "a key less");
	check_calls(r, "");
	check_recorded(r, "{\"targetTableMode\":\"0\"}");
	check_clean(r, p, "said once");
}

/* A parameter that is taken out goes back to its default. */
static void drop_parameter(const struct row *r, struct couple *p)
{
	const struct op *op;

	put(&p->job, r->key, "[]");
	op = only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB);
	if (!text_eq(attr_json_diff(&eng_a, &type_job.attrs[op->changes->attr], op->changes->from,
	                            op->changes->to, 9),
	             "~ 07 sink.batch.size.maximum: \"256\" -> \"32\"") ||
	    op->changes->behind || !says(op->changes->note, "default"))
		FAIL(r, "the plan shows %s", op->changes->to);
	apply_done(r, p, "an entry less");
	check_calls(r, "ModifyDtsJobConfig DtsJobId=$J Parameters=[" PARAM("07", "32") "]");
	check_recorded(r, "[]");
	check_clean(r, p, "back at the default");
}

/* A job that is configured anew has nothing of a key that its section no longer names. */
static void forgotten_with_its_job(const struct row *r, struct couple *p)
{
	const char *value = get(&p->job, r->key);

	put(&p->job, r->key, NULL);
	put(&p->job, "data_initialization", "false");
	put(&p->job, "replace", "allowed");
	apply_done(r, p, "replacement");
	put(&p->job, "replace", NULL);
	check_recorded(r, NULL);
	new_calls(&(size_t){0});
	put(&p->job, r->key, value);
	check_change(r, only_op(r, eng_run(text_of(p), ENG_PRUNE), JOB), NULL, value, false);
}

static void drop_tag(const struct row *r, struct couple *p)
{
	struct section *s = section_of(r, p);

	put(s, r->key, "{\"stage\":\"x\"}");
	only_op(r, eng_run(text_of(p), ENG_PRUNE), address(r));
	apply_done(r, p, "another tag");
	check_calls(
		r,
		"TagResources ResourceId.1=$I ResourceType=ALIYUN::DTS::INSTANCE Tag.1.Key=stage Tag.1.Value=x\n"
		"UntagResources ResourceId.1=$I ResourceType=ALIYUN::DTS::INSTANCE TagKey.1=team");
	check_recorded(r, "{\"stage\":\"x\"}");
	check_clean(r, p, "after the exchange");
}

static void no_way_back(const struct row *r, struct couple *p)
{
	struct result *res;

	put(&p->inst, r->key, "oneway");
	res = eng_run(text_of(p), ENG_PRUNE); /* the job would go with it */
	if (res->p.refused != 1 || !says(res->p.ops[0].refused, "replace = allowed"))
		FAIL(r, "the way back is not refused");
	if (eng_apply(text_of(p))->bad != 2)
		FAIL(r, "the run did not report the refusal");
	check_calls(r, "");
}

/* ---- tests ------------------------------------------------------------------------- */

static void one(void **state)
{
	walk(*state);
}

static void later(void **state)
{
	walk_later(*state);
}

static int setup_one(void **state)
{
	return eng_setup(state);
}

static int teardown_one(void **state)
{
	return eng_teardown(state);
}

static size_t document(char names[][64], size_t max)
{
	const char *where = getenv("TEST_VECTORS");
	char path[512];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/reference-arguments.txt", where ? where : "tests/vectors");
	f = fopen(path, "r");
	assert_non_null(f);
	while (n < max && fscanf(f, "%63s", names[n]) == 1)
		n++;
	fclose(f);
	return n;
}

/* The rows are the arguments of the document, in its order; the rest of the schema has a row, too. */
static void counted(void **state)
{
	static char names[128][64];
	size_t n = document(names, 128), seeds = 0, rest = 0;

	(void)state;
	for (size_t i = 0; i < type_job.nattrs; i++) {
		bool seed = type_job.attrs[i].flags & A_SEED;

		seeds += seed;
		rest += !seed;
		if (!find_row(&type_job, type_job.attrs[i].key))
			fail_msg("no row for %s", type_job.attrs[i].key);
	}
	for (size_t i = 0; i < type_instance.nattrs; i++)
		if (!find_row(&type_instance, type_instance.attrs[i].key))
			fail_msg("no row for %s", type_instance.attrs[i].key);
	printf("# arguments of the reference: %zu in the document, %zu walked\n", n,
	       COUNT(reference));
	printf("# arguments of a job beyond it: %zu walked; of an instance: %zu walked\n",
	       COUNT(newer), COUNT(instance));
	assert_int_equal(n, COUNT(reference));
	assert_int_equal(n, seeds);
	assert_int_equal(rest, COUNT(newer));
	assert_int_equal(type_instance.nattrs, COUNT(instance));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(names[i], reference[i].key);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest t[1 + 2 * (COUNT(reference) + COUNT(newer) + COUNT(instance))];
	static const struct {
		const struct row *v;
		size_t n;
		const char *of;
	} tables[] = {{reference, COUNT(reference), "job"},
	              {newer, COUNT(newer), "job+"},
	              {instance, COUNT(instance), "instance"}};
	static char names[COUNT(t)][80];
	size_t n = 0;

	t[n++] = (struct CMUnitTest)cmocka_unit_test(counted);
	for (size_t i = 0; i < COUNT(tables); i++)
		for (size_t k = 0; k < 2 * tables[i].n; k++) {
			bool add = k & 1;

			snprintf(names[n], sizeof names[n], "%s.%s%s", tables[i].of,
			         tables[i].v[k / 2].key, add ? " added later" : "");
			if (argc > 1 && !strstr(names[n], argv[1]))
				continue;
			t[n] = (struct CMUnitTest){.name = names[n],
			                           .test_func = add ? later : one,
			                           .setup_func = setup_one,
			                           .teardown_func = teardown_one,
			                           .initial_state =
			                                   (void *)(uintptr_t)&tables[i].v[k / 2]};
			n++;
		}
	return _cmocka_run_group_tests("walk", t, n, NULL, NULL);
}
