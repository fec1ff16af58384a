/*
 * synchronization_instance: the purchased thing (dts-api.md 10). Its engine
 * names are those of the purchase; a job spells some of them differently.
 */
#include "model/types/types.h"

#define ENGINES                                                                                    \
	"MySQL|PolarDB|polardb_o|polardb_pg|Redis|DRDS|POLARDBX20|PostgreSQL|odps|oracle|mongodb|" \
	"tidb|ADS|"                                                                                \
	"ADB30|Greenplum|MSSQL|kafka|DataHub|DB2|as400|Tablestore|clickhouse"

#define BUY API_CREATE_DTS_INSTANCE

/* clang-format off */
static const struct attr_def attrs[] = {
/* key, parameter, sent by, changed by, kind, flags, values, min, max, read from, path, default, doc, condition, hook */
{"auto_pay", "AutoPay", BUY, ROUTE_NONE, AK_BOOL, A_NOREAD, NULL, 0, 0, READ_NEVER, NULL, "false",
 "Whether a Subscription instance is renewed automatically when it expires. Despite its name it says nothing about payment.",
 NULL, NULL},
{"auto_start", "AutoStart", BUY, ROUTE_NONE, AK_BOOL, A_NOREAD, NULL, 0, 0, READ_NEVER, NULL, "false",
 "Whether the job starts right after the purchase. The service heeds it only when the purchase is made for a job that is "
 "already configured, so it has no effect in an instance section.", NULL, NULL},
{"compute_unit", "ComputeUnit", BUY, ROUTE_REPLACE, AK_INT, A_NOREAD, NULL, 2, 1000000, READ_NEVER, NULL, NULL,
 "Size of the ETL computation, in compute units (CU), 2 or more.", NULL, NULL},
{"database_count", "DatabaseCount", BUY, ROUTE_REPLACE, AK_INT, A_NOREAD, NULL, 1, 1000000, READ_NEVER, NULL, "1",
 "Number of private RDS databases beneath a PolarDB-X 1.0 source.", "only for a DRDS source", NULL},
{"destination_endpoint_engine_name", "DestinationEndpointEngineName", BUY, ROUTE_REPLACE, AK_ENUM,
 A_REQUIRED | A_NOCASE | A_ENGINE | A_DEST, ENGINES, 0, 0, READ_LIST, "DestinationEndpoint.EngineName", NULL,
 "Engine of the destination database, in the spelling of the purchase (a job may spell it differently: DRDS here is "
 "POLARDBX20 there).", NULL, NULL},
{"destination_endpoint_region", "DestinationRegion", BUY, ROUTE_REPLACE, AK_STR, A_REQUIRED | A_DEST, NULL, 1, 64, READ_LIST,
 "DestinationEndpoint.Region", NULL,
 "Region of the destination database. The instance itself lives in this region.", NULL, NULL},
{"instance_class", "InstanceClass", BUY, ROUTE_CLASS, AK_ENUM, A_COMPUTED, CLASS_VALUES, 0, 0, READ_LIST, "DtsJobClass", "small",
 "Performance class, from micro (200 rows/s) over small (2,000), medium (5,000) and large (11,000) to 8xlarge (136,000). "
 "It can only be raised; lowering it takes a ticket with the vendor. xxlarge is an old name of 2xlarge.",
 "must equal instance_class of its job if both are given", NULL},
{"payment_duration", "UsedTime", BUY, ROUTE_NONE, AK_INT, A_NOREAD, NULL, 1, 9, READ_NEVER, NULL, NULL,
 "How long a Subscription is paid in advance, counted in payment_duration_unit: 1 to 9 months, or 1, 2, 3 or 5 years. "
 "Used at the purchase only; a change renews nothing.", "required when payment_type = Subscription", NULL},
{"payment_duration_unit", "Period", BUY, ROUTE_NONE, AK_ENUM, A_NOREAD, "Month|Year", 0, 0, READ_NEVER, NULL, NULL,
 "Unit of payment_duration.", "required when payment_type = Subscription", NULL},
{"payment_type", "PayType", BUY, ROUTE_PAYTYPE, AK_ENUM, A_REQUIRED, PAY_VALUES, 0, 0, READ_LIST, "PayType", NULL,
 "PayAsYouGo is billed by the hour from the start of the incremental phase until the release; a pause does not stop it. "
 "Subscription is paid in advance and cannot be released by the API.", NULL, NULL},
{"quantity", "Quantity", BUY, ROUTE_NONE, AK_INT, A_NOREAD, NULL, 1, 1, READ_NEVER, NULL, "1",
 "Number of instances to buy. The service sells one at a time, so 1 is the only value.", NULL, NULL},
{"resource_group_id", "ResourceGroupId", BUY, ROUTE_GROUP, AK_STR, A_ID | A_COMPUTED, NULL, 0, 0, READ_LIST, "ResourceGroupId",
 NULL, "Resource group the instance belongs to. Given at the purchase; a later change moves it.", NULL, NULL},
{"source_endpoint_engine_name", "SourceEndpointEngineName", BUY, ROUTE_REPLACE, AK_ENUM,
 A_REQUIRED | A_NOCASE | A_ENGINE | A_SOURCE, ENGINES, 0, 0, READ_LIST, "SourceEndpoint.EngineName", NULL,
 "Engine of the source database, in the spelling of the purchase (a job may spell it differently: DRDS here is POLARDBX20 "
 "there).", NULL, NULL},
{"source_endpoint_region", "SourceRegion", BUY, ROUTE_REPLACE, AK_STR, A_REQUIRED | A_SOURCE, NULL, 1, 64, READ_LIST,
 "SourceEndpoint.Region", NULL, "Region of the source database.", NULL, NULL},
{"sync_architecture", "SyncArchitecture", BUY, ROUTE_TWOWAY, AK_ENUM, A_NOREAD, "oneway|bidirectional", 0, 0, READ_NEVER, NULL,
 "oneway",
 "Topology: oneway has one job, bidirectional has a Forward and a Reverse job. A running pay-as-you-go MySQL to MySQL "
 "instance can be upgraded from oneway to bidirectional; there is no way back.", NULL, NULL},
{"tags", "Tag", API_TAG_RESOURCES, ROUTE_TAGS, AK_TAGS, 0, NULL, 0, 0, READ_LIST, "TagList", NULL,
 "Tags of the instance as `key=value, key=value`, or as a JSON object when a value has a comma; at most 20. Tags set by others "
 "are left alone.", NULL, NULL},
};
/* clang-format on */

const struct type_def type_instance = {
	.name = "synchronization_instance",
	.label = "instance",
	.doc = "A purchased DTS synchronization instance: it carries region, class, billing and tags, "
	       "and holds one job (two "
	       "when bidirectional).",
	.attrs = attrs,
	.nattrs = sizeof attrs / sizeof attrs[0],
	.check = check_instance,
};
