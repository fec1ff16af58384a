#include "sim/configure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/ops.h"
#include "sim/world.h"

#define PHONES_MAX 10
#define NUMBER_MAX 9007199254740991 /* 16: of a limit */

const struct side side_source = {
	.type = "SourceEndpointInstanceType",
	.engine = "SourceEndpointEngineName",
	.instance = "SourceEndpointInstanceID",
	.region = "SourceEndpointRegion",
	.ip = "SourceEndpointIP",
	.port = "SourceEndpointPort",
	.sid = "SourceEndpointOracleSID",
	.db = "SourceEndpointDatabaseName",
	.user = "SourceEndpointUserName",
	.password = "SourceEndpointPassword",
	.owner = "SourceEndpointOwnerID",
	.role = "SourceEndpointRole",
	.ssl_key = "srcSSL",
	.cen_key = "srcInstanceId",
	.mongo_key = "srcEngineArchType",
	.oracle_key = "srcOracleType",
	.source = true,
};
const struct side side_destination = {
	.type = "DestinationEndpointInstanceType",
	.engine = "DestinationEndpointEngineName",
	.instance = "DestinationEndpointInstanceID",
	.region = "DestinationEndpointRegion",
	.ip = "DestinationEndpointIP",
	.port = "DestinationEndpointPort",
	.sid = "DestinationEndpointOracleSID",
	.db = "DestinationEndpointDataBaseName",
	.user = "DestinationEndpointUserName",
	.password = "DestinationEndpointPassword",
	.owner = "DestinationEndpointOwnerID",
	.role = "DestinationEndpointRole",
	.ssl_key = "destSSL",
	.cen_key = "destInstanceId",
	.mongo_key = "destEngineArchType",
	.oracle_key = "destOracleType",
	.source = false,
};

static bool one_of(const char *v, const char *const *set, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_ieq(v, set[i]))
			return true;
	return false;
}
#define ONE_OF(v, ...)                                                                             \
	one_of((v), (const char *const[]){__VA_ARGS__},                                            \
	       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

bool type_self_managed(const char *type)
{
	return ONE_OF(type, "OTHER", "ECS", "EXPRESS", "CEN", "DG");
}

static int check_mode(struct call *c)
{
	static const char *const flags[] = {"StructureInitialization", "DataInitialization",
	                                    "DataSynchronization"};
	int given = 0, on = 0;

	for (size_t i = 0; i < 3; i++) {
		given += arg(c, flags[i]) != NULL;
		on += arg_true(c, flags[i]);
	}
	/* Provider issue 5054: false has to be sent, too. */
	if (given < 3 || (on == 0 && !text_eq(arg(c, "JobType"), "CHECK")))
		return call_fail(c, 403, "MissingParameter",
		                 "You must specify the parameter MigrationMode");
	if (on > 0 && text_eq(arg(c, "JobType"), "CHECK")) /* 4: all three false for CHECK */
		return call_bad(c, "JobType");
	return 0;
}

static int check_address(struct call *c, const struct side *s, const char *type,
                         const struct json *reserve)
{
	const char *port = arg(c, s->port), *cen;
	int64_t n;

	if (port == NULL)
		return call_bad(c, s->port);
	if (!text_int(port, 1, 65535, &n))
		return call_bad(c, s->port);
	if (ONE_OF(type, "OTHER", "EXPRESS", "DG", "CEN") && arg(c, s->ip) == NULL)
		return call_bad(c, s->ip);
	if (ONE_OF(type, "ECS", "EXPRESS", "DG", "CEN") && arg(c, s->instance) == NULL)
		return call_bad(c, s->instance);
	if (text_ieq(type, "CEN")) {
		cen = json_key_text(c, reserve, s->cen_key);
		if (cen == NULL || !text_starts(cen, "cen-"))
			return call_bad(c, arena_printf(c->a, "Reserve.%s", s->cen_key));
	}
	return 0;
}

int configure_check_owner(struct call *c, const char *owner_param, const char *role_param)
{
	const char *owner = arg(c, owner_param), *role = arg(c, role_param);

	if (owner == NULL)
		return 0;
	if (strspn(owner, "0123456789") != strlen(owner))
		return call_state(c, "DTS.Msg.InvalidParameter.AliyunUidFormat");
	if (role == NULL)
		return call_bad(c, role_param);
	if (strpbrk(role, ":/") != NULL) /* 20: a role name, not an ARN */
		return call_fail(c, 403, "AssumeRoleFail",
		                 "InvalidParameter : Invalid role arn format:%s", role);
	return 0;
}

/* param: Reserve or Reserved, which the answer names. */
static int check_ssl(struct call *c, const struct side *s, const char *type, const char *engine,
                     const struct json *reserve, const char *param)
{
	const char *ssl = json_key_text(c, reserve, s->ssl_key);
	const char *name = arena_printf(c->a, "%s.%s", param, s->ssl_key);
	bool kafka = !s->source && text_ieq(engine, "KAFKA");

	if (ssl == NULL || strcmp(ssl, "0") == 0)
		return 0;
	if (strcmp(ssl, "1") == 0) /* 11: only for cloud instances or ECS; 14.2: Kafka "0", "3" */
		return kafka || (type_self_managed(type) && !text_ieq(type, "ECS"))
		               ? call_bad(c, name)
		               : 0;
	if (strcmp(ssl, "3") == 0) /* SCRAM-SHA-256: Kafka destination only */
		return kafka ? 0 : call_bad(c, name);
	return call_bad(c, name);
}

static bool mongo_arch_known(const char *arch)
{
	return ONE_OF(arch, "0", "1", "2");
}

static int check_engine(struct call *c, const struct side *s, const char *type, const char *engine,
                        const struct json *reserve)
{
	const char *arch = json_key_text(c, reserve, s->mongo_key);
	const char *oracle = json_key_text(c, reserve, s->oracle_key);

	if (text_ieq(engine, "POLARDB_O") && !ONE_OF(type, "OTHER", "EXPRESS"))
		return call_bad(c, s->type);
	if (ONE_OF(engine, "POLARDB_O", "POLARDB_PG", "POSTGRESQL", "MONGODB") &&
	    arg(c, s->db) == NULL)
		return call_bad(c, s->db);
	if (!s->source && ONE_OF(engine, "GREENPLUM", "ODPS") && arg(c, s->db) == NULL)
		return call_bad(c, s->db);
	if (text_ieq(engine, "ORACLE") && arg(c, s->sid) == NULL &&
	    (oracle == NULL || text_ieq(oracle, "sid")))
		return call_bad(c, s->sid);
	if (text_ieq(engine, "MONGODB") && (arch == NULL || !mongo_arch_known(arch)))
		return call_bad(c, arena_printf(c->a, "Reserve.%s", s->mongo_key));
	return 0;
}

/*
 * 14.2: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and the test networks. False: no address at all.
 */
static bool address_is_ip(const char *s, bool *intranet)
{
	unsigned p[4];
	int used = 0;

	if (sscanf(s, "%3u.%3u.%3u.%3u%n", &p[0], &p[1], &p[2], &p[3], &used) != 4 ||
	    s[used] != '\0')
		return false;
	*intranet = p[0] == 10 || (p[0] == 172 && p[1] >= 16 && p[1] < 32) ||
	            (p[0] == 192 && p[1] == 168) || (p[0] == 192 && p[1] == 0 && p[2] == 2) ||
	            p[0] == 100 || p[0] == 127;
	return p[0] < 256 && p[1] < 256 && p[2] < 256 && p[3] < 256;
}

static int check_kafka(struct call *c, const char *type, const struct json *reserve)
{
	static const char *const needed[] = {"destTopic", "destSSL", "kafkaRecordFormat"};
	const char *ip = arg(c, side_destination.ip);
	bool intranet = false;

	if (!ONE_OF(type, "ECS", "EXPRESS", "KAFKA"))
		return call_bad(c, side_destination.type);
	if (arg_true(c, "StructureInitialization"))
		return call_bad(c, "StructureInitialization");
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (json_key_text(c, reserve, needed[i]) == NULL)
			return call_bad(c, arena_printf(c->a, "Reserve.%s", needed[i]));
	if (ip != NULL && !address_is_ip(ip, &intranet))
		return call_state(c, "InvalidParameter.KafkaBrokerInvalid");
	if (ip != NULL && !intranet)
		return call_state(c, "InvalidParameter.KafkaHostInvalid");
	return 0;
}

static int check_side(struct call *c, const struct side *s, const struct json *reserve)
{
	const char *type = arg(c, s->type), *engine = arg(c, s->engine),
		   *region = arg(c, s->region);

	if (engine == NULL)
		engine = "MYSQL";
	if (region != NULL && !region_known(region))
		return call_bad(c, s->region);
	if (type_self_managed(type)) {
		if (check_address(c, s, type, reserve) != 0)
			return -1;
	} else {
		/* MaxCompute is addressed by its project, which is the database name. */
		if (arg(c, s->instance) == NULL && !text_ieq(type, "ODPS"))
			return call_bad(c, s->instance);
		if (region == NULL)
			return call_bad(c, s->region);
	}
	if (check_engine(c, s, type, engine, reserve) != 0 ||
	    configure_check_owner(c, s->owner, s->role) != 0)
		return -1;
	if (!s->source && text_ieq(engine, "KAFKA") && check_kafka(c, type, reserve) != 0)
		return -1;
	return check_ssl(c, s, type, engine, reserve, "Reserve");
}

static int check_phones(struct call *c, const char *param)
{
	const char *list = arg(c, param), *p = list;
	size_t n, count = 0;

	while (p != NULL && *p != '\0') {
		n = strcspn(p, ",");
		if (n != 11 || *p != '1' || strspn(p, "0123456789") < 11 || ++count > PHONES_MAX)
			return call_bad(c, param);
		p += n;
		if (*p == ',' && p[1] == '\0')
			return call_bad(c, param);
		p += *p == ',';
	}
	return 0;
}

static int check_alarms(struct call *c)
{
	const char *rule = arg(c, "DelayRuleTime");

	if (arg_true(c, "DelayNotice") && rule == NULL)
		return call_missing(c, "DelayRuleTime");
	if (rule != NULL && arg_int(c, "DelayRuleTime", 0) < 1)
		return call_bad(c, "DelayRuleTime");
	return check_phones(c, "DelayPhone") != 0 ? -1 : check_phones(c, "ErrorPhone");
}

static bool number_in(struct call *c, const struct json *o, const char *key, int64_t lo, int64_t hi)
{
	const char *v = json_key_text(c, o, key);
	int64_t n;

	return v != NULL && text_int(v, lo, hi, &n);
}

/* What an alarm of the check needs once it is on: how often, how long, how much. */
static bool notice_valid(struct call *c, const struct json *o, const char *name)
{
	if (!json_true(json_get(o, name)))
		return true;
	return number_in(c, o, arena_printf(c->a, "%sTimes", name), 1, NUMBER_MAX) &&
	       number_in(c, o, arena_printf(c->a, "%sPeriod", name), 1, 4) &&
	       number_in(c, o, arena_printf(c->a, "%sValue", name), 0, NUMBER_MAX);
}

static bool full_check_valid(struct call *c, const struct json *o)
{
	static const char *const limits[] = {"fullCheckMaxReadBps", "fullCheckMaxReadRps"};
	const char *model = json_key_text(c, o, "fullCheckModel"),
		   *ends = json_key_text(c, o, "fullCheckReferEndpoint"),
		   *hours = json_key_text(c, o, "checkMaximumHourEnable");

	for (size_t i = 0; i < 2; i++)
		if (json_key_text(c, o, limits[i]) != NULL &&
		    !number_in(c, o, limits[i], 0, NUMBER_MAX))
			return false;
	if (ends != NULL && !text_has_field("all|src|dest", '|', ends, false))
		return false;
	if (model != NULL && !text_has_field("1|2", '|', model, false))
		return false;
	if (text_eq(model, "1") && !number_in(c, o, "fullCheckRatio", 10, 100))
		return false;
	/* Documented as required with sampling, and left out by those who sample all the same. */
	if (hours == NULL || strcmp(hours, "0") == 0)
		return true;
	return strcmp(hours, "1") == 0 && number_in(c, o, "checkMaximumHour", 1, 72);
}

/* 16; the section is about values, so a wrong one is the fault of the whole parameter. */
static int check_data_check(struct call *c)
{
	static const char *const switches[] = {
		"fullDataCheck",
		"incrementalDataCheck",
		"fullCheckFixData",
		"fullCheckErrorNotice",
		"fullCheckValidFailNotice",
		"incrementalCheckErrorNotice",
		"incrementalCheckValidFailNotice",
		"incrementalCheckDelayNotice",
	};
	const char *text = arg(c, "DataCheckConfigure"), *v;
	struct json *o;
	bool ok;

	if (text == NULL)
		return 0;
	o = parse_object(c, text);
	if (o == NULL)
		return call_bad(c, "DataCheckConfigure");
	ok = full_check_valid(c, o) && notice_valid(c, o, "incrementalCheckValidFailNotice") &&
	     notice_valid(c, o, "incrementalCheckDelayNotice");
	for (size_t i = 0; ok && i < sizeof(switches) / sizeof(switches[0]); i++) {
		v = json_key_text(c, o, switches[i]);
		ok = v == NULL || text_has_field("true|false", '|', v, false);
	}
	if (ok && json_true(json_get(o, "fullCheckValidFailNotice")))
		ok = number_in(c, o, "fullCheckNoticeValue", 0, NUMBER_MAX);
	return ok ? 0 : call_bad(c, "DataCheckConfigure");
}

/* 14: keys of which all values are known. Numbers and booleans may stand without quotes. */
static int check_values(struct call *c, const struct json *reserve, const char *param)
{
	static const struct {
		const char *key, *values;
	} known[] = {
		{"targetTableMode", "0|2"},
		{"autoStartModulesAfterConfig", "none|auto|all"},
		{"syncArchitecture", "oneway|bidirectional"},
		{"filterDDL", "true|false"},
		{"conflict", "overwrite|interrupt|ignore"},
		{"etlOperatorCtl", "Y|N"},
		{"triggerMode", "manual|auto"},
		{"anySinkTableEngineType", "innodb|xengine"},
		{"destKafka.compression.type", "lz4|snappy|gzip|none"},
		{"destKafka.acks", "0|1|all"},
		{"destSchemaRegistry", "no|yes"},
	};
	const char *v;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		v = json_key_text(c, reserve, known[i].key);
		if (v != NULL && !text_has_field(known[i].values, '|', v, false))
			return call_bad(c, arena_printf(c->a, "%s.%s", param, known[i].key));
	}
	return 0;
}

static int check_rest(struct call *c, const struct json *reserve)
{
	static const char *const unsupported[] = {
		"SrcCaCertificateOssUrl",    "SrcCaCertificatePassword", "SrcClientCertOssUrl",
		"SrcClientKeyOssUrl",        "SrcClientPassword",        "DestCaCertificateOssUrl",
		"DestCaCertificatePassword", "DestClientCertOssUrl",     "DestClientKeyOssUrl",
		"DestClientPassword",
	};
	const char *cp = arg(c, "Checkpoint");

	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
		if (arg(c, unsupported[i]) != NULL) /* 4: "not supported, do not send" */
			return call_bad(c, unsupported[i]);
	if (cp != NULL && (strlen(cp) != 10 || strspn(cp, "0123456789") != 10))
		return call_bad(c, "Checkpoint"); /* unix seconds */
	return check_values(c, reserve, "Reserve");
}

int configure_check(struct call *c, const struct json *reserve)
{
	if (check_mode(c) != 0)
		return -1;
	if (arg(c, "Reserve") != NULL && reserve == NULL)
		return call_bad(c, "Reserve");
	if (arg(c, "DbList") == NULL && arg(c, "FileOssUrl") == NULL)
		return call_missing(c, "DbList");
	if (check_side(c, &side_source, reserve) != 0 ||
	    check_side(c, &side_destination, reserve) != 0)
		return -1;
	if (check_alarms(c) != 0 || check_data_check(c) != 0)
		return -1;
	return check_rest(c, reserve);
}

static int update_side(struct call *c, const struct side *s, const struct endpoint *e,
                       const struct json *sent)
{
	const char *arch = json_key_text(c, sent, s->mongo_key),
		   *cen = json_key_text(c, sent, s->cen_key);

	if (text_ieq(e->engine, "MONGODB") && arch != NULL && !mongo_arch_known(arch))
		return call_bad(c, arena_printf(c->a, "Reserved.%s", s->mongo_key));
	if (text_ieq(e->type, "CEN") && cen != NULL && !text_starts(cen, "cen-"))
		return call_bad(c, arena_printf(c->a, "Reserved.%s", s->cen_key));
	return check_ssl(c, s, str_or(e->type), e->engine, sent, "Reserved");
}

int configure_check_update(struct call *c, const struct job *j, const struct json *sent)
{
	const struct instance *i = job_instance(c->w, j);
	const char *arch = json_key_text(c, sent, "syncArchitecture");

	if (arch != NULL && i != NULL && !text_eq(arch, i->arch))
		return call_bad(c, "Reserved.syncArchitecture");
	if (update_side(c, &side_source, &j->src, sent) != 0 ||
	    update_side(c, &side_destination, &j->dst, sent) != 0)
		return -1;
	return check_values(c, sent, "Reserved");
}
