/*
 * The life of a job on the service clock: who starts what, how long it takes, what lists show
 * meanwhile.
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
#include "base/text.h"
#include "sim_fixture.h"

static const struct json *row(struct fx *f, const char *job)
{
	fx_call(f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "PageSize", "100",
	        NULL);
	for (const struct json *o = json_get(f->j, "DtsJobList")->child; o; o = o->next)
		if (text_eq(json_str(o, "DtsJobId"), job))
			return o;
	return NULL;
}

static const char *listed(struct fx *f, const char *job)
{
	const struct json *o = row(f, job);

	return o ? json_str(o, "Status") : "absent";
}

/* 3.2 A: configuration starts everything; each status lasts its time. */
static void test_flow_a(void **st)
{
	static const struct {
		int64_t pass_ms;
		const char *detail, *list;
	} steps[] = {
		{0, "Prechecking", "NotConfigured"},
		{1999, "Prechecking", "NotConfigured"},
		{1, "Prechecking", "Prechecking"},
		{2999, "Prechecking", "Prechecking"},
		{1, "PreCheckPass", "PreCheckPass"},
		{1000, "Initializing", "Initializing"},
		{9999, "Initializing", "Initializing"},
		{1, "synchronizing", "Synchronizing"},
		{86400000, "synchronizing", "Synchronizing"},
	};
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	assert_string_equal(fx_status(&f, f.job), "NotConfigured"); /* Detail is immediate */
	assert_string_equal(listed(&f, f.job), "absent");           /* lists lag */
	fx_pass(&f, 2000);
	assert_string_equal(listed(&f, f.job), "NotConfigured");
	fx_configure(&f, NULL);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		fx_pass(&f, steps[i].pass_ms);
		assert_string_equal(fx_status(&f, f.job), steps[i].detail);
		assert_string_equal(listed(&f, f.job), steps[i].list);
	}
	fx_release(&f);
}

static void test_no_auto_start(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, "{\"autoStartModulesAfterConfig\":\"none\"}");
	fx_pass(&f, 3600000);
	assert_string_equal(fx_status(&f, f.job), "NotStarted");
	fx_configure(&f,
	             /* again before the first start: allowed */
	             "{\"autoStartModulesAfterConfig\":\"none\"}");
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_status(&f, f.job), "Prechecking");
	fx_pass(&f, 16000);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_release(&f);
}

/* 3.2 B: configured first, found by name, prechecked for nothing, bought, started. */
static void test_flow_b(void **st)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_configure_pairs(v);
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	assert_int_equal(fx_callv(&f, "ConfigureDtsJob", v, n), 200);
	f.job = arena_strdup(&f.mine, fx_get(&f, "DtsJobId"));
	assert_string_equal(fx_get(&f, "DtsInstanceId"), "");
	fx_pass(&f, 3000);
	assert_string_equal(json_str(row(&f, f.job), "DtsInstanceID"), "");
	assert_string_equal(listed(&f, f.job), "NotStarted"); /* autoStart has no effect here */
	assert_null(json_get(row(&f, f.job), "PayType"));
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	fx_pass(&f, 3600000);
	assert_string_equal(fx_status(&f, f.job), "PreCheckPass"); /* and no further */
	assert_int_equal(fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL), 403);
	assert_string_equal(fx_code(&f), "DTS.Msg.OperationDenied.NotPurchased");
	fx_call(&f, "CreateDtsInstance", "JobId", f.job, "PayType", "PostPaid", "InstanceClass",
	        "medium", NULL);
	assert_string_equal(fx_get(&f, "JobId"), f.job);
	assert_string_equal(fx_get(&f, "InstanceId"), arena_printf(&f.mine, "dts%s", f.job));
	assert_string_equal(fx_status(&f, f.job), "PreCheckPass"); /* without AutoStart it waits */
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_status(&f, f.job), "Initializing");
	fx_pass(&f, 10000);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	assert_string_equal(fx_get(&f, "DtsJobClass"), "medium");
	/* a second purchase for the job is impossible */
	assert_int_equal(
		fx_call(&f, "CreateDtsInstance", "JobId", f.job, "PayType", "PostPaid", NULL), 403);
	assert_int_equal(f.w.inst.n, 1);
	fx_release(&f);
}

static void test_flow_b_auto_start(void **st)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_configure_pairs(v);
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_callv(&f, "ConfigureDtsJob", v, n);
	f.job = arena_strdup(&f.mine, fx_get(&f, "DtsJobId"));
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	fx_call(&f, "CreateDtsInstance", "JobId", f.job, "PayType", "PostPaid", "AutoStart", "true",
	        NULL);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_release(&f);
}

static void test_pause(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 16000);
	fx_call(&f, "SuspendDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_status(&f, f.job), "synchronizing"); /* accepted, not done */
	fx_pass(&f, 2000);
	assert_string_equal(fx_status(&f, f.job), "Suspending");
	assert_int_equal(fx_call(&f, "SuspendDtsJob", "DtsJobId", f.job, NULL), 200); /* harmless */
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	fx_pass(&f, 2000);
	assert_string_equal(fx_status(&f, f.job), "synchronizing"); /* without a new precheck */
	assert_int_equal(fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL),
	                 200); /* the provider does that */
	assert_false(f.rs.effect);
	fx_call(&f, "SuspendDtsJob", "DtsJobId", f.job, NULL);
	fx_pass(&f, 7 * INT64_C(86400000) + 1000);
	assert_string_equal(fx_status(&f, f.job), "Suspending");
	fx_pass(&f, 2000);
	assert_string_equal(fx_status(&f, f.job), "Failed"); /* 3.6 */
	fx_release(&f);
}

/* 3.6: what was paused for more than seven days is not resumed by anything; a reset begins anew. */
static void test_pause_too_long(void **st)
{
	static const char *const starts[][2] = {{"StartDtsJob", "DtsJobId"},
	                                        {"StartDtsJobs", "DtsJobIds"}};
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 16000);
	fx_call(&f, "SuspendDtsJob", "DtsJobId", f.job, NULL);
	fx_pass(&f, 8 * INT64_C(86400000));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(fx_call(&f, starts[i][0], starts[i][1], f.job, NULL), 403);
		assert_string_equal(fx_code(&f), "InvalidJobStatus");
		assert_string_equal(fx_status(&f, f.job), "Failed");
	}
	fx_call(&f, "ResetDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_code(&f), "");
	fx_configure(&f, NULL);
	fx_call(&f, "DescribeDtsJobDetail", "DtsInstanceID", f.instance, NULL);
	assert_string_equal(fx_get(&f, "Status"), "Prechecking");
	fx_release(&f);
}

static void test_objects(void **st)
{
	struct fx f;
	char *first;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 16000);
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "ClientToken", "t1", "DbList",
	        "{\"b\":{\"name\":\"b\"}}", NULL);
	first = arena_strdup(&f.mine, fx_get(&f, "DtsJobId"));
	assert_string_not_equal(first, f.job); /* the sub-task's id */
	assert_string_equal(fx_get(&f, "Status"), "200");
	/* the same token and request again: the same answer, even while Modifying */
	assert_int_equal(fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "ClientToken",
	                         "t1", "DbList", "{\"b\":{\"name\":\"b\"}}", NULL),
	                 200);
	assert_string_equal(fx_get(&f, "DtsJobId"), first);
	assert_false(f.rs.effect);
	assert_string_equal(fx_status(&f, f.job), "Modifying");
	assert_non_null(strstr(fx_get(&f, "DbObject"), "\"shop\"")); /* not yet */
	fx_pass(&f, 4000);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	assert_string_equal(fx_get(&f, "DbObject"),
	                    "{\"b\":{\"name\":\"b\",\"state\":\"normal\"}}");
	/* a filter may hold what it may not end in, and words that begin like a sub-select */
	assert_int_equal(
		fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "DbList",
	                "{\"b\":{\"Table\":{\"t\":{\"filter\":\"a=';' and (selected=1) and "
	                "b<>'(select'\"}}}}",
	                NULL),
		200);
	assert_true(f.rs.effect);
	fx_pass(&f, 4000);
	/* the token with another request is a mistake */
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "ClientToken", "t1", "DbList",
	        "{\"c\":{}}", NULL);
	assert_string_equal(fx_code(&f), "InvalidParameterValid");
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "ClientToken", "t1", "DbList",
	        "{\"b\":{\"name\":\"b\"}}", "DataInitialization", "true", NULL);
	assert_string_equal(fx_code(&f), "InvalidParameterValid");
	fx_release(&f);
}

/* The other way to give the list (4): a file in OSS, which is not read here. */
static void test_objects_by_file(void **st)
{
	static const char url[] = "http://lists.oss-cn-hangzhou.aliyuncs.com/objects.json";
	struct fx f;
	char *sub;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 16000);
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "FileOssUrl", url, "ClientToken",
	        "t1", NULL);
	assert_string_equal(fx_code(&f), "");
	assert_string_equal(fx_get(&f, "Status"), "200");
	assert_true(f.rs.effect);
	sub = arena_strdup(&f.mine, fx_get(&f, "DtsJobId"));
	assert_string_not_equal(sub, "");
	assert_string_not_equal(sub, f.job); /* the sub-task's id, as with DbList */
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "FileOssUrl", url, "ClientToken",
	        "t1", NULL);
	assert_string_equal(fx_get(&f, "DtsJobId"), sub);
	assert_false(f.rs.effect);
	assert_string_equal(fx_status(&f, f.job), "Modifying");
	assert_non_null(strstr(fx_get(&f, "DbObject"), "shop"));
	fx_pass(&f, 4000);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	assert_string_equal(fx_get(&f, "DbObject"), ""); /* as after a configuration by file */
	fx_release(&f);
}

static void test_reserved(void **st)
{
	struct json *r;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(
		&f,
		"{\"targetTableMode\":\"0\",\"maxRetryTime\":43200,\"srcSslCaCert\":\"EXAMPLE-cert\"}");
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "ModifyTypeEnum",
	        "UPDATE_RESERVED", "Reserved", "{\"srcSSL\":\"1\",\"targetTableMode\":\"2\"}",
	        NULL);
	assert_string_equal(fx_code(&f), "");
	fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_get(&f, "SourceEndpoint.SslSolutionEnum"),
	                    "ENABLE_WITH_CERTIFICATE");
	r = json_parse(&f.a, fx_get(&f, "Reserved"), strlen(fx_get(&f, "Reserved")), NULL);
	assert_string_equal(json_str(r, "targetTableMode"), "2"); /* overwritten */
	assert_string_equal(json_str(r, "srcSSL"), "1");          /* added */
	assert_int_equal(json_get(r, "maxRetryTime")->i, 43200);  /* never removed */
	assert_string_equal(json_str(r, "useJobTask"), "1");      /* the server's own */
	assert_null(strstr(buf_str(&f.rs.body), "EXAMPLE"));
	/* 11: SSL for cloud instances and ECS only, also when the source has moved meanwhile */
	fx_call(&f, "ModifyDtsJobEndpoint", "DtsJobId", f.job, "Endpoint", "src",
	        "EndpointInstanceType", "other", "EndpointIp", "192.0.2.9", "EndpointPort", "3306",
	        NULL);
	assert_string_equal(fx_code(&f), "");
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "ModifyTypeEnum",
	        "UPDATE_RESERVED", "Reserved", "{\"srcSSL\":\"1\"}", NULL);
	assert_string_equal(fx_get(&f, "DynamicMessage"), "Reserved.srcSSL");
	fx_release(&f);
}

static void test_class(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 16000);
	fx_call(&f, "TransferInstanceClass", "DtsJobId", f.job, "InstanceClass", "large",
	        "OrderType", "UPGRADE", NULL);
	assert_string_equal(fx_get(&f, "ChargeType"), "POSTPAY");
	assert_string_equal(fx_status(&f, f.job), "Upgrade");
	assert_string_equal(fx_get(&f, "DtsJobClass"), "small");
	fx_pass(&f, 5000);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	assert_string_equal(fx_get(&f, "DtsJobClass"), "large");
	assert_int_equal(fx_call(&f, "TransferInstanceClass", "DtsJobId", f.job, "InstanceClass",
	                         "large", "OrderType", "UPGRADE", NULL),
	                 403);
	fx_release(&f);
}

static void test_pay(void **st)
{
	char *end;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_call(&f, "TransferPayType", "DtsJobId", f.job, "ChargeType", "PrePaid", "Period",
	        "Month", "BuyCount", "2", NULL);
	end = arena_strdup(&f.mine, fx_get(&f, "EndTime"));
	fx_call(&f, "RenewInstance", "DtsJobId", f.job, "ChargeType", "PREPAY", NULL);
	assert_int_equal(text_utc_parse(fx_get(&f, "EndTime")) - text_utc_parse(end), 30 * 86400);
	fx_call(&f, "DescribeDtsInstanceDetail", "DtsInstanceId", f.instance, NULL);
	assert_string_equal(fx_get(&f, "DtsInstanceStatus.PayType"), "PREPAY"); /* 1.4 */
	fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_get(&f, "PayType"), "PrePaid");
	fx_release(&f);
}

/* 3.7: Finished for a while, then not found; a list that lags on top. */
static void test_release(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 16000);
	fx_call(&f, "DeleteDtsJob", "DtsInstanceId", f.instance,
	        NULL); /* by the instance id alone */
	assert_string_equal(fx_code(&f), "");
	assert_string_equal(fx_status(&f, f.job), "Finished");
	assert_string_equal(listed(&f, f.job), "Synchronizing");
	fx_pass(&f, 2000);
	assert_string_equal(listed(&f, f.job), "Finished");
	fx_call(&f, "DescribeDtsInstanceDetail", "DtsInstanceId", f.instance, NULL);
	assert_string_equal(fx_get(&f, "DtsInstanceStatus.Status"), "finished");
	fx_call(&f, "DeleteDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_code(&f), "Forbidden.InstanceNotFound");
	fx_pass(&f, 58000);
	assert_string_equal(fx_status(&f, f.job), "Forbidden.InstanceNotFound");
	assert_string_equal(listed(&f, f.job), "absent");
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "DtsJobId",
	        f.job, NULL);
	assert_string_equal(fx_code(&f), "InvalidJobId");
	fx_release(&f);
}

static void test_reset(void **st)
{
	const char *fresh;
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 16000);
	fx_call(&f, "ResetDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_code(&f), "");
	assert_null(json_get(f.j, "DtsJobId")); /* the new id is not told */
	assert_string_equal(fx_status(&f, f.job), "Forbidden.InstanceNotFound");
	fx_call(&f, "DescribeDtsJobDetail", "DtsInstanceID", f.instance, NULL);
	assert_string_equal(fx_get(&f, "Status"), "NotConfigured");
	fresh = arena_strdup(&f.mine, fx_get(&f, "DtsJobId"));
	assert_string_not_equal(fresh, f.job);
	assert_string_equal(listed(&f, f.job), "Synchronizing"); /* lists still show the old one */
	assert_string_equal(listed(&f, fresh), "absent");
	fx_pass(&f, 2000);
	assert_string_equal(listed(&f, f.job), "absent");
	assert_string_equal(listed(&f, fresh), "NotConfigured");
	fx_configure(&f, NULL); /* the instance is still there */
	assert_string_equal(fx_get(&f, "DtsJobId"), fresh);
	assert_int_equal(f.w.inst.n, 1);
	fx_release(&f);
}

static void two_way(struct fx *f)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_buy_pairs(v);

	fx_set(v, &n, "SyncArchitecture", "bidirectional");
	fx_callv(f, "CreateDtsInstance", v, n);
	f->instance = arena_strdup(&f->mine, fx_get(f, "InstanceId"));
	f->job = arena_strdup(&f->mine, fx_get(f, "JobId"));
	fx_configure(f, NULL);
	n = fx_configure_pairs(v);
	fx_set(v, &n, "DtsInstanceId", f->instance);
	fx_set(v, &n, "SynchronizationDirection", "Reverse");
	fx_set(v, &n, "DtsJobName", "back");
	assert_int_equal(fx_callv(f, "ConfigureDtsJob", v, n), 200);
	f->reverse = arena_strdup(&f->mine, fx_get(f, "DtsJobId"));
}

static void test_two_way(void **st)
{
	const struct json *o;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	two_way(&f);
	assert_string_not_equal(f.reverse, f.job);
	o = row(&f, f.job);
	assert_string_equal(json_str(o, "DtsJobDirection"), "Forward");
	assert_string_equal(json_str(o, "ReverseJob.DtsJobId"),
	                    f.reverse); /* nested, not a row of its own */
	assert_null(json_path(o, "ReverseJob.TagList"));
	assert_null(json_path(o, "ReverseJob.JobType"));
	assert_null(row(&f, f.reverse));
	fx_call(&f, "DescribeDtsJobDetail", "DtsInstanceID", f.instance, NULL);
	assert_string_equal(fx_get(&f, "DtsJobId"), f.job);
	fx_call(&f, "DescribeDtsJobDetail", "DtsInstanceID", f.instance, "SynchronizationDirection",
	        "Reverse", NULL);
	assert_string_equal(fx_get(&f, "DtsJobId"), f.reverse);
	/* 13 #14: without direction the objects go to the forward job */
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "DbList", "{\"x\":{}}", NULL);
	fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", f.reverse, NULL);
	assert_non_null(strstr(fx_get(&f, "DbObject"), "shop"));
	/* only the reverse link goes */
	fx_call(&f, "DeleteDtsJob", "DtsJobId", f.reverse, NULL);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	assert_null(json_get(row(&f, f.job), "ReverseJob"));
	fx_call(&f, "DeleteDtsJob", "DtsJobId", f.job, NULL);
	fx_call(&f, "DeleteSynchronizationJob", "SynchronizationJobId", f.instance, NULL);
	assert_string_equal(fx_code(&f), "InvalidJobId");
	fx_release(&f);
}

static void test_upgrade_two_way(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_call(&f, "UpgradeTwoWay", "InstanceId", f.instance, "InstanceClass", "small", NULL);
	assert_string_equal(fx_code(&f), "");
	assert_string_equal(json_str(row(&f, f.job), "ReverseJob.Status"), "NotConfigured");
	assert_string_equal(json_str(row(&f, f.job), "DtsJobClass"), "small");
	fx_release(&f);

	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_call(&f, "UpgradeTwoWay", "InstanceId", f.instance, "InstanceClass", "large", NULL);
	assert_string_equal(json_str(row(&f, f.job), "DtsJobClass"), "large");
	fx_release(&f);
}

static void test_migration(void **st)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_buy_pairs(v);
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_set(v, &n, "Type", "migration"); /* the provider writes it so (12) */
	fx_set(v, &n, "SyncArchitecture", NULL);
	fx_callv(&f, "CreateDtsInstance", v, n);
	f.instance = arena_strdup(&f.mine, fx_get(&f, "InstanceId"));
	f.job = arena_strdup(&f.mine, fx_get(&f, "JobId"));
	n = fx_configure_pairs(v);
	fx_set(v, &n, "DtsInstanceId", f.instance);
	fx_set(v, &n, "JobType", "MIGRATION");
	fx_set(v, &n, "DataSynchronization", "false");
	fx_callv(&f, "ConfigureDtsJob", v, n);
	fx_pass(&f, 6000);
	assert_string_equal(fx_status(&f, f.job), "Migrating");
	fx_pass(&f, 10000);
	assert_string_equal(fx_status(&f, f.job), "Finished"); /* complete, still there */
	fx_pass(&f, 3600000);
	assert_string_equal(fx_status(&f, f.job), "Finished");
	fx_release(&f);
}

/* Precheck failures with items; fix, start again; skip what can be skipped. */
static void test_precheck(void **st)
{
	const struct json *d;
	struct fx f;

	(void)st;
	fx_init(&f,
	        "[precheck.conn]\njob = ord*\nitem = CHECK_CONN_SRC\ntimes = 1\nmessage = Access denied\n"
	        "repair = CHECK_ERROR_SRC_CONN_REPAIR1\n"
	        "[precheck.same]\njob = orders\nitem = CHECK_SAME_OBJ\n"
	        "[precheck.warn]\nitem = CHECK_SRC\nwarning = true\n",
	        true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	assert_string_equal(fx_status(&f, f.job), "PrecheckFailed");
	d = json_path(row(&f, f.job), "PrecheckStatus.Detail")->child;
	assert_string_equal(json_str(d, "CheckItem"), "CHECK_CONN_SRC");
	assert_string_equal(json_str(d, "CheckResult"), "Failed");
	assert_string_equal(json_str(d, "FailedReason"), "Access denied");
	assert_string_equal(json_str(d, "RepairMethod"), "CHECK_ERROR_SRC_CONN_REPAIR1");
	fx_call(&f, "DescribePreCheckStatus", "DtsJobId", f.job, "JobCode", "01", "StructType",
	        "before", NULL);
	assert_string_equal(fx_get(&f, "State"), "Failed");
	assert_int_equal(json_get(f.j, "ErrorItem")->i, 2); /* a warning is no error */
	/* the connection is repaired, the object is still there */
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_status(&f, f.job), "PrecheckFailed");
	fx_call(&f, "SkipPreCheck", "DtsJobId", f.job, "Skip", "true", "SkipPreCheckItems",
	        "[\"CHECK_SAME_OBJ\"]", NULL);
	assert_string_equal(fx_code(&f), "");
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	assert_string_equal(fx_get(&f, "ErrorMessage"), "");
	fx_release(&f);
}

/* a27: right after a restart the old failure is still reported. */
static void test_stale_failure(void **st)
{
	const char *rows = "[precheck.p]\ntimes = 1\n[stale-failure.s]\nreads = 2\non = start\n";
	struct fx f;

	(void)st;
	fx_init(&f, rows, true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	assert_string_equal(fx_status(&f, f.job), "PrecheckFailed");
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(listed(&f, f.job), "PrecheckFailed");
	fx_call(&f, "DescribePreCheckStatus", "DtsJobId", f.job, "JobCode", "01", "StructType",
	        "before", NULL);
	assert_int_equal(json_get(f.j, "ErrorItem")->i, 1); /* with the old items */
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_release(&f);

	fx_init(&f, "[precheck.p]\ntimes = 1\n[stale-failure.s]\nreads = 2\non = reset\n", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_call(&f, "ResetDtsJob", "DtsJobId", f.job, NULL);
	for (int i = 0; i < 3; i++) {
		fx_call(&f, "DescribeDtsJobDetail", "DtsInstanceID", f.instance, NULL);
		assert_string_equal(fx_get(&f, "Status"),
		                    i < 2 ? "PrecheckFailed" : "NotConfigured");
	}
	fx_release(&f);

	fx_init(&f, "[precheck.p]\ntimes = 1\n[stale-failure.s]\nreads = forever\n", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	for (int i = 0; i < 5; i++) { /* the start is swallowed every time */
		fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
		assert_string_equal(fx_status(&f, f.job), "PrecheckFailed");
	}
	fx_release(&f);
}

static void test_own_course(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f,
	        "[life.broken]\njob = orders\ntimes = 1\n"
	        "course = Prechecking:5s PreCheckPass:1s Initializing:3s Retrying:7s InitializeFailed\n",
	        false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	assert_string_equal(fx_status(&f, f.job), "Prechecking");
	fx_pass(&f, 9000);
	assert_string_equal(fx_status(&f, f.job), "Retrying");
	fx_pass(&f, 7000);
	assert_string_equal(fx_status(&f, f.job), "InitializeFailed");
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	fx_pass(&f, 10000);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_release(&f);
}

static void test_batches(void **st)
{
	struct fx f;
	char *a, *b, *inst;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	a = f.job;
	inst = f.instance;
	fx_buy(&f);
	fx_configure(&f, NULL);
	b = f.job;
	fx_call(&f, "SuspendDtsJobs", "DtsJobIds", arena_printf(&f.mine, "%s,%s", a, b), NULL);
	assert_string_equal(fx_status(&f, a), "Suspending");
	assert_string_equal(fx_status(&f, b), "Suspending");
	/* an unknown id refuses the whole call */
	fx_call(&f, "StartDtsJobs", "DtsJobIds", arena_printf(&f.mine, "%s,nosuch", a), NULL);
	assert_string_equal(fx_code(&f), "Forbidden.InstanceNotFound");
	assert_string_equal(fx_status(&f, a), "Suspending");
	f.sc[0].partial_batch = true;
	fx_call(&f, "StartDtsJobs", "DtsJobIds", arena_printf(&f.mine, "nosuch,%s", a), NULL);
	assert_string_equal(fx_code(&f), "Forbidden.InstanceNotFound");
	assert_string_equal(fx_status(&f, a), "synchronizing"); /* and yet */
	fx_call(&f, "DeleteDtsJobs", "DtsJobIds", arena_printf(&f.mine, "%s,%s", a, b), NULL);
	assert_string_equal(fx_code(&f), "");
	assert_int_equal(fx_call(&f, "DescribeDtsJobDetail", "DtsInstanceID", inst, NULL), 403);
	fx_release(&f);
}

static void test_password(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	for (int i = 0; i < 2; i++)
		fx_call(&f, "ModifyDtsJobPassword", "DtsJobId", f.job, "Endpoint", "dest",
		        "UserName", "dts", "Password", "EXAMPLE-new", NULL);
	assert_string_equal(fx_code(&f), "InvalidParameter"); /* the repeat is refused */
	assert_null(strstr(buf_str(&f.rs.log), "EXAMPLE"));
	fx_release(&f);
}

static void test_endpoint(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 16000);
	for (int dry = 1; dry >= 0; dry--) {
		fx_call(&f, "ModifyDtsJobEndpoint", "DtsJobId", f.job, "Endpoint", "src",
		        "EndpointInstanceType", "rds", "EndpointInstanceId", "rm-new",
		        "EndpointRegionId", "cn-hangzhou", "DryRun", dry ? "true" : "false", NULL);
		assert_string_equal(fx_code(&f), "");
		assert_int_equal(f.rs.effect, !dry);
		fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", f.job, NULL);
		assert_string_equal(fx_get(&f, "SourceEndpoint.InstanceID"),
		                    dry ? "rm-source" : "rm-new");
	}
	fx_release(&f);
}

static void test_runtime_parameters(void **st)
{
	size_t changed = 0;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_call(&f, "ModifyDtsJobConfig", "DtsJobId", f.job, "Parameters",
	        "[{\"module\":\"03\",\"name\":\"sink.batch.size.maximum\",\"value\":\"64\"},"
	        "{\"module\":\"07\",\"name\":\"sink.batch.size.maximum\",\"value\":128}]",
	        NULL);
	assert_int_equal(f.rs.status, 200);
	assert_null(json_get(f.j, "Success")); /* 1.1 */
	fx_call(&f, "DescribeDtsJobConfig", "DtsJobId", f.job, NULL);
	assert_null(json_get(f.j, "Success"));
	for (const struct json *o = json_get(f.j, "Parameters")->child; o; o = o->next)
		changed += strcmp(json_str(o, "RunningValue"), json_str(o, "DefaultValue")) != 0;
	assert_int_equal(changed, 2);
	f.sc[0].strict_modules = true; /* the full phase is over */
	fx_call(&f, "ModifyDtsJobConfig", "DtsJobId", f.job, "Parameters",
	        "[{\"module\":\"03\",\"name\":\"sink.task.number\",\"value\":\"4\"}]", NULL);
	assert_string_equal(fx_code(&f), "InvalidTaskStatus");
	fx_release(&f);
}

static void test_alarms_and_tags(void **st)
{
	const struct json *r;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_call(&f, "DescribeJobMonitorRule", "DtsJobId", f.job, NULL);
	assert_int_equal(json_get(f.j, "MonitorRules")->n, 0);
	fx_call(&f, "CreateJobMonitorRule", "DtsJobId", f.job, "Type", "delay", "State", "Y",
	        "DelayRuleTime", "60", NULL);
	fx_call(&f, "CreateJobMonitorRule", "DtsJobId", f.job, "Type", "delay", "State", "N",
	        NULL); /* upsert */
	fx_call(&f, "DescribeJobMonitorRule", "DtsJobId", f.job, NULL);
	r = json_get(f.j, "MonitorRules");
	assert_int_equal(r->n, 1);
	assert_string_equal(json_str(r->child, "State"), "N");
	assert_int_equal(json_get(r->child, "DelayRuleTime")->i, 60);

	fx_call(&f, "TagResources", "RegionId", "cn-hangzhou", "ResourceType",
	        "ALIYUN::DTS::INSTANCE", "ResourceId.1", f.instance, "Tag.1.Key", "owner",
	        "Tag.1.Value", "", "Tag.2.Key", "run", "Tag.2.Value", "7", NULL);
	assert_string_equal(fx_code(&f), "");
	fx_call(&f, "ListTagResources", "RegionId", "cn-hangzhou", "ResourceType",
	        "ALIYUN::DTS::INSTANCE", "ResourceId.1", f.instance, NULL);
	assert_int_equal(json_path(f.j, "TagResources.TagResource")->n, 2);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "Tags",
	        "[{\"key\":\"run\",\"value\":\"7\"}]", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 1);
	fx_call(&f, "UntagResources", "RegionId", "cn-hangzhou", "ResourceId.1", f.instance,
	        "TagKey.1", "run", NULL);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "Tags",
	        "[{\"key\":\"run\",\"value\":\"7\"}]", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 0);
	fx_release(&f);
}

static void test_reverse_task(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_call(&f, "CreateReverseDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_get(&f, "Success"), "true");
	assert_null(
		strstr(fx_get(&f, "DtsInstanceId"), fx_get(&f, "DtsJobId"))); /* 2: unrelated ids */
	assert_int_equal(f.w.inst.n, 2);
	fx_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_a),
		cmocka_unit_test(test_no_auto_start),
		cmocka_unit_test(test_flow_b),
		cmocka_unit_test(test_flow_b_auto_start),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_pause_too_long),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_objects_by_file),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_class),
		cmocka_unit_test(test_pay),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_two_way),
		cmocka_unit_test(test_upgrade_two_way),
		cmocka_unit_test(test_migration),
		cmocka_unit_test(test_precheck),
		cmocka_unit_test(test_stale_failure),
		cmocka_unit_test(test_own_course),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_runtime_parameters),
		cmocka_unit_test(test_alarms_and_tags),
		cmocka_unit_test(test_reverse_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
