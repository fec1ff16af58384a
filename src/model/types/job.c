/*
 * synchronization_job: what is copied from where to where (dts-api.md 11),
 * and the purchase keys of a job that is configured before it is bought
 * (3.2 B). Every A_SEED row stands in the reference document.
 */
#include "model/types/types.h"

#define SOURCE_ENGINES                                                                             \
	"MYSQL|MARIADB|PolarDB|POLARDB_O|POLARDB_PG|POLARDBX10|POLARDBX20|ORACLE|POSTGRESQL|"      \
	"MSSQL|MONGODB|DB2|"                                                                       \
	"AS400|DMSPOLARDB|HBASE|TERADATA|TiDB|REDIS"
#define DEST_ENGINES                                                                               \
	"MYSQL|MARIADB|PolarDB|POLARDB_O|POLARDB_PG|POLARDBX10|POLARDBX20|ORACLE|POSTGRESQL|"      \
	"MSSQL|ADS|ADB20|"                                                                         \
	"ADB30|MONGODB|GREENPLUM|KAFKA|DATAHUB|DB2|AS400|ODPS|Tablestore|ELK|REDIS"
#define SOURCE_TYPES                                                                               \
	"RDS|PolarDB|REDIS|DISTRIBUTED_POLARDBX10|POLARDBX20|MONGODB|DISTRIBUTED_DMSLOGICDB|"      \
	"OTHER|ECS|EXPRESS|"                                                                       \
	"CEN|DG"
#define DEST_TYPES                                                                                 \
	"RDS|PolarDB|DISTRIBUTED_POLARDBX10|POLARDBX20|REDIS|ADS|MONGODB|GREENPLUM|DATAHUB|ELK|"   \
	"Tablestore|ODPS|"                                                                         \
	"KAFKA|OTHER|ECS|EXPRESS|CEN|DG"

#define CONF API_CONFIGURE_DTS_JOB
#define BUY API_CREATE_DTS_INSTANCE
#define SRC (A_SEED | A_SOURCE)
#define DEST (A_SEED | A_DEST)

/* clang-format off */
static const struct attr_def attrs[] = {
/* key, parameter, sent by, changed by, kind, flags, values, min, max, read from, path, default, doc, condition, hook */
{"auto_pay", "AutoPay", BUY, ROUTE_NONE, AK_BOOL, A_PURCHASE | A_NOREAD, NULL, 0, 0, READ_NEVER, NULL, "false",
 "Whether the instance bought for this job is renewed automatically when it expires.", "only without dts_instance_id", NULL},
{"auto_start", "AutoStart", BUY, ROUTE_NONE, AK_BOOL, A_PURCHASE | A_NOREAD, NULL, 0, 0, READ_NEVER, NULL, NULL,
 "Whether the service itself starts the job when it is bought. Not needed: `status` decides what happens after the purchase; "
 "without `status`, false leaves the job at rest.",
 "only without dts_instance_id", NULL},
{"checkpoint", "Checkpoint", CONF, ROUTE_REPLACE, AK_INT, A_SEED | A_NOREAD | A_COMPUTED, NULL, 0, 0, READ_NEVER, NULL, NULL,
 "Position in the source log where the incremental phase begins: seconds since 1970 (10 digits). Used at creation only: given "
 "to a job that exists, it is recorded and not sent; the service moves it on, so it is compared with what was last applied.", NULL, refine_checkpoint},
{"compute_unit", "ComputeUnit", BUY, ROUTE_REPLACE, AK_INT, A_PURCHASE | A_NOREAD, NULL, 2, 1000000, READ_NEVER, NULL, NULL,
 "Size of the ETL computation of the instance bought for this job, in compute units (CU).", "only without dts_instance_id", NULL},
{"data_check_configure", "DataCheckConfigure", CONF, ROUTE_REPLACE, AK_OBJECT, A_SEED | A_NOREAD | A_MERGE, NULL, 0, 0,
 READ_NEVER, NULL, NULL,
 "Data verification as a JSON object: fullDataCheck, incrementalDataCheck, fullCheckModel, ratios, limits and notices.",
 NULL, NULL},
{"data_initialization", "DataInitialization", CONF, ROUTE_REPLACE, AK_BOOL, A_SEED | A_REQUIRED | A_ALWAYS, NULL, 0, 0, READ_LIST,
 "MigrationMode.DataInitialization", NULL,
 "Whether the existing rows are copied before the incremental phase begins (full copy).",
 "of a two-way pair only one direction should copy", NULL},
{"data_synchronization", "DataSynchronization", CONF, ROUTE_REPLACE, AK_BOOL, A_SEED | A_REQUIRED | A_ALWAYS, NULL, 0, 0, READ_LIST,
 "MigrationMode.DataSynchronization", NULL,
 "Whether changes are carried over continuously (incremental phase).", NULL, NULL},
{"database_count", "DatabaseCount", BUY, ROUTE_REPLACE, AK_INT, A_PURCHASE | A_NOREAD, NULL, 1, 1000000, READ_NEVER, NULL, "1",
 "Number of private RDS databases beneath a PolarDB-X 1.0 source, for the purchase.", "only without dts_instance_id", NULL},
{"db_list", "DbList", CONF, ROUTE_OBJECTS, AK_OBJECT, A_SEED | A_REQUIRED, NULL, 0, 1048576, READ_LIST, "DbObject", NULL,
 "What is copied: a JSON object keyed by source database (for PostgreSQL: schema), each with `name` in the destination, `all`, "
 "and `Table` for a selection; at most 1 MB. A change replaces the whole list, and the job goes through Modifying.", NULL,
 refine_db_list},
{"dedicated_cluster_id", "DedicatedClusterId", CONF, ROUTE_CLUSTER, AK_STR, A_SEED | A_ID | A_FREE, NULL, 0, 0, READ_LIST,
 "DedicatedClusterId", NULL, "Dedicated cluster that the job is scheduled on.",
 "both ends in one region; with a dts_instance_id the job is moved there once it is configured", NULL},
{"delay_notice", "DelayNotice", CONF, ROUTE_DELAY, AK_BOOL, A_SEED, NULL, 0, 0, READ_MONITOR, "delay.State", "false",
 "Whether an alarm is raised when the destination lags behind by more than delay_rule_time.", NULL, NULL},
{"delay_phone", "DelayPhone", CONF, ROUTE_DELAY, AK_PHONES, A_SEED, NULL, 0, 0, READ_MONITOR, "delay.Phone", NULL,
 "Mobile numbers that get the delay alarm: mainland numbers of 11 digits, separated by commas, at most 10.",
 "China site only", NULL},
{"delay_rule_time", "DelayRuleTime", CONF, ROUTE_DELAY, AK_INT, A_SEED, NULL, 1, 31536000, READ_MONITOR, "delay.DelayRuleTime", NULL,
 "Delay that raises the alarm, in whole seconds. Below 10 s the ups and downs of network and load raise it by themselves.",
 "required when delay_notice = true", refine_threshold},
{"dest_primary_vswitch_id", "DestPrimaryVswId", CONF, ROUTE_REPLACE, AK_STR, A_DEST | A_ID | A_NOREAD, NULL, 0, 0, READ_NEVER, NULL,
 NULL, "Primary vSwitch on the side of the destination, for connections over a VPC NAT gateway.", NULL, NULL},
{"dest_secondary_vswitch_id", "DestSecondaryVswId", CONF, ROUTE_REPLACE, AK_STR, A_DEST | A_ID | A_NOREAD, NULL, 0, 0, READ_NEVER,
 NULL, NULL, "Secondary vSwitch on the side of the destination, for connections over a VPC NAT gateway.", NULL, NULL},
{"destination_endpoint_database_name", "DestinationEndpointDataBaseName", CONF, ROUTE_ENDPOINT, AK_STR, DEST, NULL, 0, 0, READ_LIST,
 "DestinationEndpoint.DatabaseName", NULL,
 "Database that the destination objects belong to; for MongoDB the authentication database, for MaxCompute the project.",
 "required for PostgreSQL, PolarDB O and PG, AnalyticDB PostgreSQL, MongoDB and MaxCompute", NULL},
{"destination_endpoint_engine_name", "DestinationEndpointEngineName", CONF, ROUTE_REPLACE, AK_ENUM,
 DEST | A_REQUIRED | A_NOCASE | A_ENGINE | A_EXACT, DEST_ENGINES, 0, 0, READ_LIST, "DestinationEndpoint.EngineName", NULL,
 "Engine of the destination database, in the spelling of the job configuration.",
 "KAFKA and MONGODB need further keys in reserve", NULL},
{"destination_endpoint_instance_id", "DestinationEndpointInstanceID", CONF, ROUTE_ENDPOINT, AK_STR, DEST | A_ID, NULL, 0, 0, READ_LIST,
 "DestinationEndpoint.InstanceID", NULL,
 "Id of the destination: the cloud database, or for ECS the server, for DG the gateway, for EXPRESS and CEN the connected VPC.",
 "required except for OTHER", NULL},
{"destination_endpoint_instance_type", "DestinationEndpointInstanceType", CONF, ROUTE_ENDPOINT, AK_ENUM,
 DEST | A_REQUIRED | A_NOCASE, DEST_TYPES, 0, 0, READ_LIST, "DestinationEndpoint.InstanceType", NULL,
 "How the destination is reached: a cloud database by its product, a self-managed one by OTHER (public address), ECS, EXPRESS "
 "(leased line or VPN), CEN, or DG (database gateway).", "OTHER or EXPRESS for POLARDB_O; ECS or EXPRESS for KAFKA", NULL},
{"destination_endpoint_ip", "DestinationEndpointIP", CONF, ROUTE_ENDPOINT, AK_STR, DEST, NULL, 0, 0, READ_LIST,
 "DestinationEndpoint.Ip", NULL, "Address of a self-managed destination.", "required for OTHER, EXPRESS, DG and CEN", NULL},
{"destination_endpoint_oracle_sid", "DestinationEndpointOracleSID", CONF, ROUTE_REPLACE, AK_STR, DEST, NULL, 0, 0, READ_LIST,
 "DestinationEndpoint.OracleSID", NULL, "System identifier (SID) of an Oracle destination.",
 "required for Oracle unless it is a RAC", NULL},
{"destination_endpoint_owner_id", "DestinationEndpointOwnerID", CONF, ROUTE_ENDPOINT, AK_STR, DEST, NULL, 0, 0, READ_DETAIL,
 "DestinationEndpoint.AliyunUid", NULL,
 "Alibaba Cloud account that owns the destination when it is not your own.",
 "needs destination_endpoint_role; documented for an RDS MySQL destination", refine_account},
{"destination_endpoint_password", "DestinationEndpointPassword", CONF, ROUTE_PASSWORD, AK_STR, DEST | A_SECRET | A_NOREAD, NULL, 0, 0,
 READ_NEVER, NULL, NULL,
 "Password of the destination account (for MaxCompute the AccessKey secret). Only a fingerprint is kept; a new value is sent with "
 "ModifyDtsJobPassword.", NULL, NULL},
{"destination_endpoint_port", "DestinationEndpointPort", CONF, ROUTE_ENDPOINT, AK_INT, DEST, NULL, 1, 65535, READ_LIST,
 "DestinationEndpoint.Port", NULL, "Port of a self-managed destination.", "required for OTHER, ECS, EXPRESS, DG and CEN", NULL},
{"destination_endpoint_region", "DestinationEndpointRegion", CONF, ROUTE_ENDPOINT, AK_STR, DEST, NULL, 0, 0, READ_LIST,
 "DestinationEndpoint.Region", NULL, "Region of the destination. It is the region of the instance, too.",
 "required for cloud databases", NULL},
{"destination_endpoint_role", "DestinationEndpointRole", CONF, ROUTE_ENDPOINT, AK_STR, DEST, NULL, 0, 0, READ_DETAIL,
 "DestinationEndpoint.RoleName", NULL,
 "RAM role in the account destination_endpoint_owner_id that trusts yours: the bare name, not an ARN.",
 "required with destination_endpoint_owner_id", refine_role},
{"destination_endpoint_ssl", NULL, API_NONE, ROUTE_RESERVED, AK_ENUM, A_DEST | A_COMPUTED, "0|1|3", 0, 0, READ_LIST,
 "DestinationEndpoint.SslSolutionEnum", "0",
 "Encryption towards the destination: 0 none, 1 SSL, 3 SCRAM-SHA-256 (Kafka). Sent as destSSL in Reserve and overrides that key "
 "of reserve.", "1 for cloud databases and ECS only, 3 for Kafka only", NULL},
{"destination_endpoint_user_name", "DestinationEndpointUserName", CONF, ROUTE_PASSWORD, AK_STR, DEST, NULL, 0, 0, READ_LIST,
 "DestinationEndpoint.UserName", NULL,
 "Database account of the destination (for MaxCompute the AccessKey id). A change is sent together with the password.",
 "none for Redis and Kafka", NULL},
{"dts_bis_label", "DtsBisLabel", CONF, ROUTE_REPLACE, AK_ENUM, A_SEED, "normal|online", 0, 0, READ_LIST, "DtsBisLabel", NULL,
 "Environment label of the job.", NULL, NULL},
{"dts_instance_id", "DtsInstanceId", CONF, ROUTE_REPLACE, AK_STR, A_SEED | A_ID, NULL, 0, 0, READ_LIST, "DtsInstanceID", NULL,
 "The instance that runs the job, usually `${synchronization_instance.NAME.id}`. Without it the job is configured and prechecked "
 "for free and bought afterwards, for which it carries the purchase keys itself.",
 "this, or the purchase keys (payment_type, ...)", NULL},
{"dts_job_name", "DtsJobName", CONF, ROUTE_NAME, AK_STR, A_SEED | A_REQUIRED, NULL, 0, 0, READ_LIST, "DtsJobName", NULL,
 "Name of the job. The service does not require it to be unique.", NULL, NULL},
{"error_notice", "ErrorNotice", CONF, ROUTE_ERROR, AK_BOOL, A_SEED, NULL, 0, 0, READ_MONITOR, "error.State", "false",
 "Whether an alarm is raised when the job fails.", NULL, NULL},
{"error_phone", "ErrorPhone", CONF, ROUTE_ERROR, AK_PHONES, A_SEED, NULL, 0, 0, READ_MONITOR, "error.Phone", NULL,
 "Mobile numbers that get the error alarm: mainland numbers of 11 digits, separated by commas, at most 10.",
 "China site only", NULL},
{"instance_class", "InstanceClass", BUY, ROUTE_CLASS, AK_ENUM, A_SEED | A_COMPUTED, CLASS_VALUES, 0, 0, READ_LIST, "DtsJobClass",
 "small",
 "Performance class, from micro (200 rows/s) over small (2,000), medium (5,000) and large (11,000) to 8xlarge (136,000). "
 "It can only be raised; lowering it takes a ticket with the vendor.",
 "must equal instance_class of its instance section if both are given", NULL},
{"job_parameters", "Parameters", API_MODIFY_DTS_JOB_CONFIG, ROUTE_PARAMS, AK_LIST, A_MERGE, NULL, 0, 0, READ_CONFIG, "Parameters",
 NULL,
 "Runtime parameters as a JSON array of {\"module\", \"name\", \"value\"}; modules: 03 full copy, 07 incremental writer. They are "
 "applied once their module runs; an entry that is taken out goes back to its default, some restart the module.", NULL,
 refine_parameters},
{"payment_duration", "UsedTime", BUY, ROUTE_NONE, AK_INT, A_PURCHASE | A_NOREAD, NULL, 1, 9, READ_NEVER, NULL, NULL,
 "How long a Subscription is paid in advance, in payment_duration_unit: 1 to 9 months, or 1, 2, 3 or 5 years.",
 "required when payment_type = Subscription; only without dts_instance_id", NULL},
{"payment_duration_unit", "Period", BUY, ROUTE_NONE, AK_ENUM, A_PURCHASE | A_NOREAD, "Month|Year", 0, 0, READ_NEVER, NULL, NULL,
 "Unit of payment_duration.", "required when payment_type = Subscription; only without dts_instance_id", NULL},
{"payment_type", "PayType", BUY, ROUTE_PAYTYPE, AK_ENUM, A_PURCHASE, PAY_VALUES, 0, 0, READ_LIST, "PayType", NULL,
 "How the instance bought for this job is paid: PayAsYouGo by the hour from the start of the incremental phase, Subscription in "
 "advance.", "required without dts_instance_id, not allowed with it", NULL},
{"quantity", "Quantity", BUY, ROUTE_NONE, AK_INT, A_PURCHASE | A_NOREAD, NULL, 1, 1, READ_NEVER, NULL, "1",
 "Number of instances to buy for this job: 1 is the only value.", "only without dts_instance_id", NULL},
{"reserve", "Reserve", CONF, ROUTE_RESERVED, AK_OBJECT, A_SEED | A_COMPUTED | A_MERGE, NULL, 0, 0, READ_LIST, "Reserved", NULL,
 "Further settings of the job as a JSON object, such as targetTableMode (\"0\": existing target tables are an error, \"2\": they are "
 "used). The service adds keys of its own, which are ignored; a key once set can be changed but not removed.",
 "keys needed by Kafka, MongoDB and CEN endpoints", refine_reserve},
{"resource_group_id", "ResourceGroupId", BUY, ROUTE_GROUP, AK_STR, A_PURCHASE | A_ID | A_COMPUTED, NULL, 0, 0, READ_LIST,
 "ResourceGroupId", NULL, "Resource group of the instance bought for this job.", "only without dts_instance_id", NULL},
{"source_endpoint_database_name", "SourceEndpointDatabaseName", CONF, ROUTE_ENDPOINT, AK_STR, SRC, NULL, 0, 0, READ_LIST,
 "SourceEndpoint.DatabaseName", NULL,
 "Database that the source objects belong to; for MongoDB the authentication database.",
 "required for PostgreSQL, PolarDB O and PG, and MongoDB", NULL},
{"source_endpoint_engine_name", "SourceEndpointEngineName", CONF, ROUTE_REPLACE, AK_ENUM, SRC | A_REQUIRED | A_NOCASE | A_ENGINE | A_EXACT,
 SOURCE_ENGINES, 0, 0, READ_LIST, "SourceEndpoint.EngineName", NULL,
 "Engine of the source database, in the spelling of the job configuration.", "MONGODB needs further keys in reserve", NULL},
{"source_endpoint_instance_id", "SourceEndpointInstanceID", CONF, ROUTE_ENDPOINT, AK_STR, SRC | A_ID, NULL, 0, 0, READ_LIST,
 "SourceEndpoint.InstanceID", NULL,
 "Id of the source: the cloud database, or for ECS the server, for DG the gateway, for EXPRESS and CEN the connected VPC.",
 "required except for OTHER", NULL},
{"source_endpoint_instance_type", "SourceEndpointInstanceType", CONF, ROUTE_ENDPOINT, AK_ENUM, SRC | A_REQUIRED | A_NOCASE,
 SOURCE_TYPES, 0, 0, READ_LIST, "SourceEndpoint.InstanceType", NULL,
 "How the source is reached: a cloud database by its product, a self-managed one by OTHER (public address), ECS, EXPRESS (leased "
 "line or VPN), CEN, or DG (database gateway).", "OTHER or EXPRESS for POLARDB_O", NULL},
{"source_endpoint_ip", "SourceEndpointIP", CONF, ROUTE_ENDPOINT, AK_STR, SRC, NULL, 0, 0, READ_LIST, "SourceEndpoint.Ip", NULL,
 "Address of a self-managed source.", "required for OTHER, EXPRESS, DG and CEN", NULL},
{"source_endpoint_oracle_sid", "SourceEndpointOracleSID", CONF, ROUTE_REPLACE, AK_STR, SRC, NULL, 0, 0, READ_LIST,
 "SourceEndpoint.OracleSID", NULL, "System identifier (SID) of an Oracle source.", "required for Oracle unless it is a RAC", NULL},
{"source_endpoint_owner_id", "SourceEndpointOwnerID", CONF, ROUTE_ENDPOINT, AK_STR, SRC, NULL, 0, 0, READ_DETAIL,
 "SourceEndpoint.AliyunUid", NULL, "Alibaba Cloud account that owns the source when it is not your own.",
 "needs source_endpoint_role", refine_account},
{"source_endpoint_password", "SourceEndpointPassword", CONF, ROUTE_PASSWORD, AK_STR, SRC | A_SECRET | A_NOREAD, NULL, 0, 0, READ_NEVER,
 NULL, NULL,
 "Password of the source account. Only a fingerprint is kept; a new value is sent with ModifyDtsJobPassword.", NULL, NULL},
{"source_endpoint_port", "SourceEndpointPort", CONF, ROUTE_ENDPOINT, AK_INT, SRC, NULL, 1, 65535, READ_LIST, "SourceEndpoint.Port",
 NULL, "Port of a self-managed source.", "required for OTHER, ECS, EXPRESS, DG and CEN", NULL},
{"source_endpoint_region", "SourceEndpointRegion", CONF, ROUTE_ENDPOINT, AK_STR, SRC, NULL, 0, 0, READ_LIST, "SourceEndpoint.Region",
 NULL, "Region of the source.", "required for cloud databases", NULL},
{"source_endpoint_role", "SourceEndpointRole", CONF, ROUTE_ENDPOINT, AK_STR, SRC, NULL, 0, 0, READ_DETAIL, "SourceEndpoint.RoleName",
 NULL, "RAM role in the account source_endpoint_owner_id that trusts yours: the bare name, not an ARN.",
 "required with source_endpoint_owner_id", refine_role},
{"source_endpoint_ssl", NULL, API_NONE, ROUTE_RESERVED, AK_ENUM, A_SOURCE | A_COMPUTED, "0|1|3", 0, 0, READ_LIST,
 "SourceEndpoint.SslSolutionEnum", "0",
 "Encryption towards the source: 0 none, 1 SSL. Sent as srcSSL in Reserve and overrides that key of reserve.",
 "1 for cloud databases and ECS only, 3 for a Kafka destination only", NULL},
{"source_endpoint_user_name", "SourceEndpointUserName", CONF, ROUTE_PASSWORD, AK_STR, SRC, NULL, 0, 0, READ_LIST,
 "SourceEndpoint.UserName", NULL,
 "Database account of the source. A change is sent together with the password.", "needed in most cases", NULL},
{"source_endpoint_vswitch_id", "SourceEndpointVSwitchID", CONF, ROUTE_REPLACE, AK_STR, SRC | A_ID | A_NOREAD, NULL, 0, 0, READ_NEVER,
 NULL, NULL, "vSwitch of the data delivery link on the side of the source.", NULL, NULL},
{"src_primary_vswitch_id", "SrcPrimaryVswId", CONF, ROUTE_REPLACE, AK_STR, A_SOURCE | A_ID | A_NOREAD, NULL, 0, 0, READ_NEVER, NULL,
 NULL, "Primary vSwitch on the side of the source, for connections over a VPC NAT gateway.", NULL, NULL},
{"src_secondary_vswitch_id", "SrcSecondaryVswId", CONF, ROUTE_REPLACE, AK_STR, A_SOURCE | A_ID | A_NOREAD, NULL, 0, 0, READ_NEVER,
 NULL, NULL, "Secondary vSwitch on the side of the source, for connections over a VPC NAT gateway.", NULL, NULL},
{"status", NULL, API_NONE, ROUTE_STATUS, AK_ENUM, A_SEED | A_COMPUTED | A_CLOSED, "Synchronizing|Suspending", 0, 0, READ_LIST, "Status",
 NULL,
 "Whether the job shall run or be paused. A paused job is still billed and still reads the source's log; after 6 hours it may not "
 "start again, after 7 days it fails. Absent: a new job starts, an existing one is left as it is; only one that has failed is "
 "started again, once its password, an endpoint, its objects or something that needs it running is changed.", NULL, NULL},
{"structure_initialization", "StructureInitialization", CONF, ROUTE_REPLACE, AK_BOOL, A_SEED | A_REQUIRED | A_ALWAYS, NULL, 0, 0,
 READ_LIST, "MigrationMode.StructureInitialization", NULL,
 "Whether databases and tables are created in the destination first (schema copy).",
 "must be false for a Kafka destination; of a two-way pair only one direction should copy", NULL},
{"sync_architecture", "SyncArchitecture", BUY, ROUTE_TWOWAY, AK_ENUM, A_PURCHASE | A_NOREAD, "oneway|bidirectional", 0, 0, READ_NEVER,
 NULL, "oneway",
 "Topology of the instance bought for this job. A bidirectional pair needs an instance section of its own.",
 "only without dts_instance_id, and only oneway", NULL},
{"synchronization_direction", "SynchronizationDirection", CONF, ROUTE_REPLACE, AK_ENUM, A_SEED | A_COMPUTED, "Forward|Reverse", 0, 0,
 READ_LIST, "DtsJobDirection", "Forward",
 "Which job of a two-way pair this is. A Reverse job has source and destination swapped.",
 "only when sync_architecture of its instance is bidirectional", NULL},
{"tags", "Tag", API_TAG_RESOURCES, ROUTE_TAGS, AK_TAGS, A_PURCHASE, NULL, 0, 0, READ_LIST, "TagList", NULL,
 "Tags of the instance bought for this job, as `key=value, key=value`, or as a JSON object when a value has a comma; at most 20.",
 "only without dts_instance_id", NULL},
};
/* clang-format on */

const struct type_def type_job = {
	.name = "synchronization_job",
	.label = "job",
	.doc = "A DTS synchronization job: which objects are copied from which source to which "
	       "destination, and whether it runs.",
	.attrs = attrs,
	.nattrs = sizeof attrs / sizeof attrs[0],
	.check = check_job,
};
