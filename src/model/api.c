/*
 * The catalogue (dts-api.md 4). Rows are written down from the published
 * metadata and checked against it by tests/unit/test_api.c; parameters are
 * sorted by their bytes.
 *
 * Repeat classes follow dts-api.md 9. UpgradeTwoWay is not in that table; it
 * orders something, so it is treated like the other billing calls. A second
 * ModifyDtsJobPassword is refused ("must differ"), which says that the first
 * one worked: safe. ConfigureDtsJob stands here as it behaves on a bought
 * instance; without one (configure first) each call makes another job, and the
 * encoder raises it to REPEAT_NEVER over a fresh connection.
 */
#include "model/api.h"

#include <string.h>

#include "base/err.h"

#define QUERY false
#define BODY true

static const struct api_param p_create_dts_instance[] = {
	{"AutoPay", 'B', QUERY, false, false},
	{"AutoStart", 'B', QUERY, false, false},
	{"ComputeUnit", 'I', QUERY, false, false},
	{"DatabaseCount", 'I', QUERY, false, false},
	{"DestinationEndpointEngineName", 'S', QUERY, false, false},
	{"DestinationRegion", 'S', QUERY, false, false},
	{"DtsRegion", 'S', QUERY, false, false},
	{"Du", 'I', QUERY, false, false},
	{"FeeType", 'S', QUERY, false, false},
	{"InsightModule", 'B', QUERY, false, false},
	{"InstanceClass", 'S', QUERY, false, false},
	{"JobId", 'S', QUERY, false, false},
	{"MaxDu", 'D', QUERY, false, false},
	{"MinDu", 'D', QUERY, false, false},
	{"PayType", 'S', QUERY, false, true},
	{"Period", 'S', QUERY, false, false},
	{"Quantity", 'I', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SourceEndpointEngineName", 'S', QUERY, false, false},
	{"SourceRegion", 'S', QUERY, false, false},
	{"SyncArchitecture", 'S', QUERY, false, false},
	{"Type", 'S', QUERY, false, false},
	{"UsedTime", 'I', QUERY, false, false},
};

static const struct api_param p_configure_dts_job[] = {
	{"Checkpoint", 'S', QUERY, false, false},
	{"DataCheckConfigure", 'S', QUERY, false, false},
	{"DataInitialization", 'B', QUERY, true, true},
	{"DataSynchronization", 'B', QUERY, true, true},
	{"DbList", 'S', BODY, false, true},
	{"DedicatedClusterId", 'S', QUERY, false, false},
	{"DelayNotice", 'B', QUERY, false, false},
	{"DelayPhone", 'S', QUERY, false, false},
	{"DelayRuleTime", 'I', QUERY, false, false},
	{"DestCaCertificateOssUrl", 'S', QUERY, false, false},
	{"DestCaCertificatePassword", 'S', QUERY, false, false},
	{"DestClientCertOssUrl", 'S', QUERY, false, false},
	{"DestClientKeyOssUrl", 'S', QUERY, false, false},
	{"DestClientPassword", 'S', QUERY, false, false},
	{"DestPrimaryVswId", 'S', QUERY, false, false},
	{"DestSecondaryVswId", 'S', QUERY, false, false},
	{"DestinationEndpointDataBaseName", 'S', QUERY, false, false},
	{"DestinationEndpointEngineName", 'S', QUERY, false, false},
	{"DestinationEndpointIP", 'S', QUERY, false, false},
	{"DestinationEndpointInstanceID", 'S', QUERY, false, false},
	{"DestinationEndpointInstanceType", 'S', QUERY, true, true},
	{"DestinationEndpointOracleSID", 'S', QUERY, false, false},
	{"DestinationEndpointOwnerID", 'S', QUERY, false, false},
	{"DestinationEndpointPassword", 'S', QUERY, false, false},
	{"DestinationEndpointPort", 'S', QUERY, false, false},
	{"DestinationEndpointRegion", 'S', QUERY, false, false},
	{"DestinationEndpointRole", 'S', QUERY, false, false},
	{"DestinationEndpointUserName", 'S', QUERY, false, false},
	{"DisasterRecoveryJob", 'B', QUERY, false, false},
	{"DtsBisLabel", 'S', QUERY, false, false},
	{"DtsInstanceId", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, false},
	{"DtsJobName", 'S', QUERY, true, true},
	{"ErrorNotice", 'B', QUERY, false, false},
	{"ErrorPhone", 'S', QUERY, false, false},
	{"FileOssUrl", 'S', QUERY, false, false},
	{"JobType", 'S', QUERY, true, true},
	{"MaxDu", 'D', QUERY, false, false},
	{"MinDu", 'D', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false},
	{"Reserve", 'S', BODY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SourceEndpointDatabaseName", 'S', QUERY, false, false},
	{"SourceEndpointEngineName", 'S', QUERY, false, false},
	{"SourceEndpointIP", 'S', QUERY, false, false},
	{"SourceEndpointInstanceID", 'S', QUERY, false, false},
	{"SourceEndpointInstanceType", 'S', QUERY, true, true},
	{"SourceEndpointOracleSID", 'S', QUERY, false, false},
	{"SourceEndpointOwnerID", 'S', QUERY, false, false},
	{"SourceEndpointPassword", 'S', QUERY, false, false},
	{"SourceEndpointPort", 'S', QUERY, false, false},
	{"SourceEndpointRegion", 'S', QUERY, false, false},
	{"SourceEndpointRole", 'S', QUERY, false, false},
	{"SourceEndpointUserName", 'S', QUERY, false, false},
	{"SourceEndpointVSwitchID", 'S', QUERY, false, false},
	{"SrcCaCertificateOssUrl", 'S', QUERY, false, false},
	{"SrcCaCertificatePassword", 'S', QUERY, false, false},
	{"SrcClientCertOssUrl", 'S', QUERY, false, false},
	{"SrcClientKeyOssUrl", 'S', QUERY, false, false},
	{"SrcClientPassword", 'S', QUERY, false, false},
	{"SrcPrimaryVswId", 'S', QUERY, false, false},
	{"SrcSecondaryVswId", 'S', QUERY, false, false},
	{"StructureInitialization", 'B', QUERY, true, true},
	{"SynchronizationDirection", 'S', QUERY, false, false},
};

static const struct api_param p_start_dts_job[] = {
	{"DtsInstanceId", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SynchronizationDirection", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_start_dts_jobs[] = {
	{"DtsJobIds", 'S', QUERY, true, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_suspend_dts_job[] = {
	{"DtsInstanceId", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SynchronizationDirection", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_suspend_dts_jobs[] = {
	{"DtsJobIds", 'S', QUERY, true, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_reset_dts_job[] = {
	{"DtsInstanceId", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SynchronizationDirection", 'S', QUERY, false, false},
};

static const struct api_param p_delete_dts_job[] = {
	{"DtsInstanceId", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, true},
	{"JobType", 'S', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SynchronizationDirection", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_delete_dts_jobs[] = {
	{"DtsJobIds", 'S', QUERY, true, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_modify_dts_job[] = {
	{"ClientToken", 'S', QUERY, false, false},
	{"DataInitialization", 'B', QUERY, false, false},
	{"DataSynchronization", 'B', QUERY, false, false},
	{"DbList", 'S', BODY, false, false},
	{"DtsInstanceId", 'S', QUERY, true, true},
	{"DtsJobId", 'S', QUERY, false, false},
	{"EtlOperatorColumnReference", 'S', BODY, false, false},
	{"FileOssUrl", 'S', QUERY, false, false},
	{"FilterTableName", 'S', BODY, false, false},
	{"ModifyTypeEnum", 'S', BODY, false, false},
	{"RegionId", 'S', QUERY, false, false},
	{"Reserved", 'S', BODY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"StructureInitialization", 'B', QUERY, false, false},
	{"SynchronizationDirection", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_modify_dts_job_name[] = {
	{"DtsJobId", 'S', QUERY, true, true},     {"DtsJobName", 'S', QUERY, true, true},
	{"RegionId", 'S', QUERY, false, false},   {"ResourceGroupId", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_modify_dts_job_password[] = {
	{"DtsInstanceId", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, true},
	{"Endpoint", 'S', QUERY, false, true},
	{"Password", 'S', QUERY, false, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SynchronizationDirection", 'S', QUERY, false, false},
	{"UserName", 'S', QUERY, false, true},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_modify_dts_job_endpoint[] = {
	{"AliyunUid", 'S', QUERY, false, false},
	{"Database", 'S', QUERY, false, false},
	{"DryRun", 'B', QUERY, false, false},
	{"DtsInstanceId", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, false},
	{"Endpoint", 'S', QUERY, true, true},
	{"EndpointInstanceId", 'S', QUERY, false, false},
	{"EndpointInstanceType", 'S', QUERY, true, true},
	{"EndpointIp", 'S', QUERY, false, false},
	{"EndpointPort", 'S', QUERY, false, false},
	{"EndpointRegionId", 'S', QUERY, false, false},
	{"ModifyAccount", 'B', QUERY, false, false},
	{"Password", 'S', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"RoleName", 'S', QUERY, false, false},
	{"ShardPassword", 'S', QUERY, false, false},
	{"ShardUsername", 'S', QUERY, false, false},
	{"SynchronizationDirection", 'S', QUERY, false, false},
	{"Username", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_modify_dts_job_config[] = {
	{"DtsJobId", 'S', QUERY, false, true},
	{"Parameters", 'S', QUERY, false, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
};

static const struct api_param p_modify_dts_job_dedicated_cluster[] = {
	{"DedicatedClusterId", 'S', QUERY, false, false},
	{"DtsJobIds", 'S', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
};

static const struct api_param p_transfer_instance_class[] = {
	{"DtsJobId", 'S', QUERY, true, true},          {"InstanceClass", 'S', QUERY, true, true},
	{"OrderType", 'S', QUERY, true, true},         {"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
};

static const struct api_param p_transfer_pay_type[] = {
	{"AutoPay", 'B', QUERY, false, false},       {"BuyCount", 'S', QUERY, false, false},
	{"ChargeType", 'S', QUERY, true, true},      {"DtsJobId", 'S', QUERY, true, true},
	{"InstanceClass", 'S', QUERY, false, false}, {"MaxDu", 'I', QUERY, false, false},
	{"MinDu", 'I', QUERY, false, false},         {"Period", 'S', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false},      {"ResourceGroupId", 'S', QUERY, false, false},
};

static const struct api_param p_upgrade_two_way[] = {
	{"InstanceClass", 'S', QUERY, true, true},
	{"InstanceId", 'S', QUERY, true, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
};

static const struct api_param p_convert_resource_group[] = {
	{"DtsJobId", 'S', QUERY, false, false},  {"NewResourceGroupId", 'S', QUERY, false, true},
	{"RegionId", 'S', QUERY, false, false},  {"ResourceGroupId", 'S', QUERY, false, false},
	{"ResourceId", 'S', QUERY, false, true}, {"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_create_job_monitor_rule[] = {
	{"DelayRuleTime", 'I', QUERY, false, false},   {"DtsJobId", 'S', QUERY, true, true},
	{"NoticeValue", 'I', QUERY, false, false},     {"Period", 'I', QUERY, false, false},
	{"Phone", 'S', QUERY, false, false},           {"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false}, {"State", 'S', QUERY, false, true},
	{"Times", 'I', QUERY, false, false},           {"Type", 'S', QUERY, false, true},
};

static const struct api_param p_skip_pre_check[] = {
	{"DtsJobId", 'S', QUERY, true, true},
	{"JobId", 'S', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"Skip", 'B', QUERY, true, true},
	{"SkipPreCheckItems", 'S', QUERY, false, false},
	{"SkipPreCheckNames", 'S', QUERY, false, false},
};

static const struct api_param p_tag_resources[] = {
	{"RegionId", 'S', QUERY, true, true},   {"ResourceGroupId", 'S', QUERY, false, false},
	{"ResourceId", 'L', QUERY, true, true}, {"ResourceType", 'S', QUERY, false, true},
	{"Tag", 'L', QUERY, true, true},        {"Tag.Key", 'S', QUERY, true, true},
	{"Tag.Value", 'S', QUERY, true, true},
};

static const struct api_param p_untag_resources[] = {
	{"All", 'B', QUERY, false, false},
	{"RegionId", 'S', QUERY, true, true},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"ResourceId", 'L', QUERY, true, true},
	{"ResourceType", 'S', QUERY, false, false},
	{"TagKey", 'L', QUERY, false, false},
};

static const struct api_param p_describe_dts_jobs[] = {
	{"DedicatedClusterId", 'S', QUERY, false, false},
	{"DestProductType", 'S', QUERY, false, false},
	{"DtsBisLabel", 'S', QUERY, false, false},
	{"DtsInstanceId", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, false},
	{"GroupId", 'S', QUERY, false, false},
	{"InstanceId", 'S', QUERY, false, false},
	{"InstanceType", 'S', QUERY, false, false},
	{"JobType", 'S', QUERY, false, false},
	{"OrderColumn", 'S', QUERY, false, false},
	{"OrderDirection", 'S', QUERY, false, false},
	{"PageNumber", 'I', QUERY, false, false},
	{"PageSize", 'I', QUERY, false, false},
	{"Params", 'S', QUERY, false, false},
	{"Region", 'S', QUERY, false, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SrcProductType", 'S', QUERY, false, false},
	{"Status", 'S', QUERY, false, false},
	{"Tags", 'S', QUERY, false, false},
	{"Type", 'S', QUERY, false, false},
	{"WithoutDbList", 'B', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_describe_dts_job_detail[] = {
	{"DtsInstanceID", 'S', QUERY, false, false},
	{"DtsJobId", 'S', QUERY, false, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"SyncSubJobHistory", 'B', QUERY, false, false},
	{"SynchronizationDirection", 'S', QUERY, false, false},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_describe_dts_job_config[] = {
	{"DtsJobId", 'S', QUERY, false, false}, {"ForAcceleration", 'S', QUERY, false, false},
	{"Module", 'S', QUERY, false, false},   {"OwnerId", 'S', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false}, {"ResourceGroupId", 'S', QUERY, false, false},
};

static const struct api_param p_describe_pre_check_status[] = {
	{"DtsJobId", 'S', QUERY, true, true},
	{"JobCode", 'S', QUERY, true, true},
	{"Name", 'S', QUERY, false, false},
	{"PageNo", 'S', QUERY, false, false},
	{"PageSize", 'S', QUERY, false, false},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
	{"StructPhase", 'S', QUERY, false, false},
	{"StructType", 'S', QUERY, false, true},
	{"ZeroEtlJob", 'B', QUERY, false, false},
};

static const struct api_param p_describe_job_monitor_rule[] = {
	{"DtsJobId", 'S', QUERY, true, true},
	{"RegionId", 'S', QUERY, false, false},
	{"ResourceGroupId", 'S', QUERY, false, false},
};

static const struct api_param p_list_tag_resources[] = {
	{"NextToken", 'S', QUERY, false, false},       {"RegionId", 'S', QUERY, true, true},
	{"ResourceGroupId", 'S', QUERY, false, false}, {"ResourceId", 'L', QUERY, false, false},
	{"ResourceType", 'S', QUERY, true, true},      {"Tag", 'L', QUERY, false, false},
	{"Tag.Key", 'S', QUERY, false, false},         {"Tag.Value", 'S', QUERY, false, false},
};

#define P(x) x, sizeof(x) / sizeof((x)[0])
#define NORMAL_MS 15000
#define SLOW_MS                                                                                    \
	60000 /* configuration and orders take long; the vendor's own tool waits 60 s, too */

static const struct api_def defs[API__COUNT] = {
	/*	name, parameters, repeat, rate class, fresh connection, timeout */
	[API_CREATE_DTS_INSTANCE] = {"CreateDtsInstance", P(p_create_dts_instance), REPEAT_NEVER,
                                     RATE_WRITE, true, SLOW_MS},
	[API_CONFIGURE_DTS_JOB] = {"ConfigureDtsJob", P(p_configure_dts_job), REPEAT_LOOK,
                                   RATE_WRITE, false, SLOW_MS},
	[API_START_DTS_JOB] = {"StartDtsJob", P(p_start_dts_job), REPEAT_LOOK, RATE_WRITE, false,
                               NORMAL_MS},
	[API_START_DTS_JOBS] = {"StartDtsJobs", P(p_start_dts_jobs), REPEAT_LOOK, RATE_WRITE, false,
                                NORMAL_MS},
	[API_SUSPEND_DTS_JOB] = {"SuspendDtsJob", P(p_suspend_dts_job), REPEAT_LOOK, RATE_WRITE,
                                 false, NORMAL_MS},
	[API_SUSPEND_DTS_JOBS] = {"SuspendDtsJobs", P(p_suspend_dts_jobs), REPEAT_LOOK, RATE_WRITE,
                                  false, NORMAL_MS},
	[API_RESET_DTS_JOB] = {"ResetDtsJob", P(p_reset_dts_job), REPEAT_NEVER, RATE_WRITE, true,
                               NORMAL_MS},
	[API_DELETE_DTS_JOB] = {"DeleteDtsJob", P(p_delete_dts_job), REPEAT_SAFE, RATE_WRITE, false,
                                NORMAL_MS},
	[API_DELETE_DTS_JOBS] = {"DeleteDtsJobs", P(p_delete_dts_jobs), REPEAT_SAFE, RATE_WRITE,
                                 false, NORMAL_MS},
	[API_MODIFY_DTS_JOB] = {"ModifyDtsJob", P(p_modify_dts_job), REPEAT_SAFE, RATE_WRITE, false,
                                NORMAL_MS},
	[API_MODIFY_DTS_JOB_NAME] = {"ModifyDtsJobName", P(p_modify_dts_job_name), REPEAT_SAFE,
                                     RATE_WRITE, false, NORMAL_MS},
	[API_MODIFY_DTS_JOB_PASSWORD] = {"ModifyDtsJobPassword", P(p_modify_dts_job_password),
                                         REPEAT_SAFE, RATE_WRITE, false, NORMAL_MS},
	[API_MODIFY_DTS_JOB_ENDPOINT] = {"ModifyDtsJobEndpoint", P(p_modify_dts_job_endpoint),
                                         REPEAT_NEVER, RATE_WRITE, true, NORMAL_MS},
	[API_MODIFY_DTS_JOB_CONFIG] = {"ModifyDtsJobConfig", P(p_modify_dts_job_config),
                                       REPEAT_SAFE, RATE_WRITE, false, NORMAL_MS},
	[API_MODIFY_DTS_JOB_DEDICATED_CLUSTER] = {"ModifyDtsJobDedicatedCluster",
                                                  P(p_modify_dts_job_dedicated_cluster),
                                                  REPEAT_LOOK, RATE_WRITE, false, NORMAL_MS},
	[API_TRANSFER_INSTANCE_CLASS] = {"TransferInstanceClass", P(p_transfer_instance_class),
                                         REPEAT_NEVER, RATE_WRITE, true, SLOW_MS},
	[API_TRANSFER_PAY_TYPE] = {"TransferPayType", P(p_transfer_pay_type), REPEAT_NEVER,
                                   RATE_WRITE, true, SLOW_MS},
	[API_UPGRADE_TWO_WAY] = {"UpgradeTwoWay", P(p_upgrade_two_way), REPEAT_NEVER, RATE_WRITE,
                                 true, SLOW_MS},
	[API_CONVERT_RESOURCE_GROUP] = {"ConvertInstanceResourceGroup", P(p_convert_resource_group),
                                        REPEAT_SAFE, RATE_WRITE, false, NORMAL_MS},
	[API_CREATE_JOB_MONITOR_RULE] = {"CreateJobMonitorRule", P(p_create_job_monitor_rule),
                                         REPEAT_SAFE, RATE_WRITE, false, NORMAL_MS},
	[API_SKIP_PRE_CHECK] = {"SkipPreCheck", P(p_skip_pre_check), REPEAT_SAFE, RATE_WRITE, false,
                                NORMAL_MS},
	[API_TAG_RESOURCES] = {"TagResources", P(p_tag_resources), REPEAT_SAFE, RATE_WRITE, false,
                               NORMAL_MS},
	[API_UNTAG_RESOURCES] = {"UntagResources", P(p_untag_resources), REPEAT_SAFE, RATE_WRITE,
                                 false, NORMAL_MS},
	[API_DESCRIBE_DTS_JOBS] = {"DescribeDtsJobs", P(p_describe_dts_jobs), REPEAT_READ,
                                   RATE_LIST, false, NORMAL_MS},
	[API_DESCRIBE_DTS_JOB_DETAIL] = {"DescribeDtsJobDetail", P(p_describe_dts_job_detail),
                                         REPEAT_READ, RATE_DETAIL, false, NORMAL_MS},
	[API_DESCRIBE_DTS_JOB_CONFIG] = {"DescribeDtsJobConfig", P(p_describe_dts_job_config),
                                         REPEAT_READ, RATE_READ, false, NORMAL_MS},
	[API_DESCRIBE_PRE_CHECK_STATUS] = {"DescribePreCheckStatus", P(p_describe_pre_check_status),
                                           REPEAT_READ, RATE_READ, false, NORMAL_MS},
	[API_DESCRIBE_JOB_MONITOR_RULE] = {"DescribeJobMonitorRule", P(p_describe_job_monitor_rule),
                                           REPEAT_READ, RATE_READ, false, NORMAL_MS},
	[API_LIST_TAG_RESOURCES] = {"ListTagResources", P(p_list_tag_resources), REPEAT_READ,
                                    RATE_READ, false, NORMAL_MS},
};

const struct api_def *api_def(enum api_action a)
{
	if (a <= API_NONE || a >= API__COUNT)
		BUG("api_def(%d)", (int)a);
	return &defs[a];
}

/* strcmp of a row's name with a parameter name, as if the latter had no index parts. */
static int compare_name(const char *row, const char *name)
{
	for (;; row++, name++) {
		while (*name == '.' && name[1] >= '0' && name[1] <= '9')
			name += 1 + strspn(name + 1, "0123456789");
		if (*row != *name || !*row)
			return (unsigned char)*row - (unsigned char)*name;
	}
}

const struct api_param *api_param(enum api_action a, const char *name)
{
	const struct api_def *def = api_def(a);
	size_t lo = 0, hi = def->nparams;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare_name(def->params[mid].name, name);

		if (c == 0)
			return &def->params[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

enum api_action api_find(const char *name)
{
	for (int a = API_NONE + 1; a < API__COUNT; a++)
		if (!strcmp(defs[a].name, name))
			return (enum api_action)a;
	return API_NONE;
}
