/* What is paid in advance and not renewed: locked, then released (dts-api.md 3.1, 3.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "sim/persist.h"
#include "sim_fixture.h"

#define DAY_MS INT64_C(86400000)

/* A running job on an instance that was paid for one month. */
static void prepaid(struct fx *f, const char *arch)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_buy_pairs(v);

	fx_set(v, &n, "PayType", "PrePaid");
	fx_set(v, &n, "Period", "Month");
	fx_set(v, &n, "UsedTime", "1");
	fx_set(v, &n, "SyncArchitecture", arch);
	assert_int_equal(fx_callv(f, "CreateDtsInstance", v, n), 200);
	f->instance = arena_strdup(&f->mine, fx_get(f, "InstanceId"));
	f->job = arena_strdup(&f->mine, fx_get(f, "JobId"));
	fx_configure(f, NULL);
	fx_pass(f, 3600000);
	assert_string_equal(fx_status(f, f->job), "synchronizing");
}

static size_t rows(struct fx *f)
{
	fx_call(f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", NULL);
	return json_get(f->j, "DtsJobList")->n;
}

static void control(struct fx *f, const char *target)
{
	struct sim_request rq = {.method = "GET", .target = target};

	arena_reset(&f->a);
	assert_int_equal(fx_raw(f, &rq), 200);
}

static void test_locked_then_released(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	prepaid(&f, "oneway");
	fx_pass(&f, 30 * DAY_MS - 3600000 - 1);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_pass(&f, 1);
	assert_string_equal(fx_status(&f, f.job), "Locked");
	fx_call(&f, "DescribeDtsInstanceDetail", "DtsInstanceId", f.instance, NULL);
	assert_string_equal(fx_get(&f, "DtsInstanceStatus.Status"), "Locked");
	fx_pass(&f, 7 * DAY_MS - 1);
	assert_string_equal(fx_status(&f, f.job), "Locked");
	fx_pass(&f, 1);
	assert_string_equal(fx_status(&f, f.job), "Finished"); /* as after any release (3.7) */
	assert_int_equal(
		fx_call(&f, "RenewInstance", "DtsJobId", f.job, "ChargeType", "PREPAY", NULL), 403);
	assert_string_equal(fx_code(&f), "Forbidden.InstanceNotFound");
	fx_pass(&f, 60000);
	assert_string_equal(fx_status(&f, f.job), "Forbidden.InstanceNotFound");
	fx_release(&f);
}

/* The time of the release counts, not that of the first look at it. */
static void test_nobody_looked(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	prepaid(&f, "oneway");
	assert_int_equal(rows(&f), 1);
	fx_pass(&f, 60 * DAY_MS);
	assert_int_equal(rows(&f), 0);
	assert_string_equal(fx_status(&f, f.job), "Forbidden.InstanceNotFound");
	assert_int_equal(
		fx_call(&f, "ModifyDtsJobName", "DtsJobId", f.job, "DtsJobName", "x", NULL), 403);
	assert_int_equal(fx_call(&f, "ListTagResources", "RegionId", "cn-hangzhou", "ResourceType",
	                         "ALIYUN::DTS::INSTANCE", "ResourceId.1", f.instance, NULL),
	                 403);
	fx_release(&f);
}

static void test_what_locked_refuses(void **st)
{
	static const struct {
		const char *action, *name, *value, *name2, *value2, *code;
	} calls[] = {
		{"StartDtsJob", NULL, NULL, NULL, NULL, "InvalidJobStatus"},
		{"SuspendDtsJob", NULL, NULL, NULL, NULL, "InvalidJobStatus"},
		{"StopDtsJob", NULL, NULL, NULL, NULL, "InvalidJobStatus"},
		{"ResetDtsJob", NULL, NULL, NULL, NULL, "InvalidJobStatus"},
		{"DeleteDtsJob", NULL, NULL, NULL, NULL, "OperationDenied"},
		{"TransferInstanceClass", "InstanceClass", "large", "OrderType", "UPGRADE",
	         "InvalidJobStatus"},
		{"TransferPayType", "ChargeType", "PostPaid", NULL, NULL, "InvalidJobStatus"},
		{"CreateReverseDtsJob", NULL, NULL, NULL, NULL, "InvalidJobStatus"},
		{"ModifyDtsJobConfig", "Parameters",
	         "[{\"module\":\"07\",\"name\":\"sink.task.number\",\"value\":\"4\"}]", NULL, NULL,
	         "InvalidTaskStatus"},
		{"ModifyDynamicConfig", "JobCode", "07", NULL, NULL, "InvalidJobStatus"},
	};
	struct fx_pair v[FX_PAIRS];
	size_t n;
	struct fx f;

	(void)st;
	fx_init(&f, "[limits]\noff = true\n", false);
	prepaid(&f, "oneway");
	fx_pass(&f, 31 * DAY_MS);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		n = 0;
		fx_set(v, &n, "DtsJobId", f.job);
		if (calls[i].name != NULL)
			fx_set(v, &n, calls[i].name, calls[i].value);
		if (calls[i].name2 != NULL)
			fx_set(v, &n, calls[i].name2, calls[i].value2);
		fx_callv(&f, calls[i].action, v, n);
		if (strcmp(fx_code(&f), calls[i].code) != 0)
			fail_msg("%s: %s", calls[i].action, buf_str(&f.rs.body));
		assert_false(f.rs.effect);
	}
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "DbList", "{\"b\":{}}", NULL);
	assert_string_equal(fx_code(&f), "DTS.Msg.ModifyDenied.JobStatusNotRunning");
	n = fx_configure_pairs(v);
	fx_set(v, &n, "DtsInstanceId", f.instance);
	fx_callv(&f, "ConfigureDtsJob", v, n);
	assert_string_equal(fx_code(&f), "UpdateJob.OperationDenied.InitStatus");
	assert_string_equal(fx_status(&f, f.job), "Locked");
	fx_release(&f);
}

/* The older call names the instance, also where its job is gone already. */
static void test_paid_is_not_released(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	prepaid(&f, "oneway");
	control(&f, arena_printf(&f.mine, "/_sim/delete?job=%s&forget=true", f.job));
	fx_call(&f, "DeleteSynchronizationJob", "SynchronizationJobId", f.instance, NULL);
	assert_string_equal(fx_code(&f), "OperationDenied");
	assert_false(f.rs.effect);
	fx_release(&f);
}

/* A renewal, by the API or in the console (the control interface), goes on where it was. */
static void test_renewal_unlocks(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	prepaid(&f, "oneway");
	fx_pass(&f, 31 * DAY_MS);
	assert_string_equal(fx_status(&f, f.job), "Locked");
	fx_call(&f, "RenewInstance", "DtsJobId", f.job, "ChargeType", "PREPAY", NULL);
	assert_string_equal(fx_code(&f), "");
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_pass(&f, 29 * DAY_MS); /* counted from the old end */
	assert_string_equal(fx_status(&f, f.job), "Locked");
	control(&f, arena_printf(&f.mine, "/_sim/set?instance=%s&field=expire_ms&value=%lld",
	                         f.instance, (long long)(f.now_ms + DAY_MS)));
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_call(&f, "TransferPayType", "DtsJobId", f.job, "ChargeType", "PostPaid", NULL);
	assert_string_equal(fx_code(&f), "");
	fx_pass(&f, 60 * DAY_MS);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	/* overdue: what is paid afterwards is locked, too, but may be given up */
	control(&f, arena_printf(&f.mine, "/_sim/set?instance=%s&field=expire_ms&value=%lld",
	                         f.instance, (long long)f.now_ms));
	assert_string_equal(fx_status(&f, f.job), "Locked");
	fx_call(&f, "DeleteDtsJob", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_code(&f), "");
	fx_release(&f);
}

/* A world made by hand may know of no end: then there is none before the first renewal. */
static void test_end_unknown(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	control(&f, arena_printf(&f.mine, "/_sim/set?instance=%s&field=pay_type&value=PrePaid",
	                         f.instance));
	fx_pass(&f, 60 * DAY_MS);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_call(&f, "RenewInstance", "DtsJobId", f.job, "ChargeType", "PREPAY", NULL);
	assert_string_equal(fx_status(&f, f.job), "synchronizing");
	fx_pass(&f, 30 * DAY_MS);
	assert_string_equal(fx_status(&f, f.job), "Locked");
	fx_release(&f);
}

/* A pause goes on counting behind the lock. */
static void test_paused_and_locked(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	prepaid(&f, "oneway");
	fx_pass(&f, 29 * DAY_MS);
	fx_call(&f, "SuspendDtsJob", "DtsJobId", f.job, NULL);
	fx_pass(&f, 2 * DAY_MS);
	assert_string_equal(fx_status(&f, f.job), "Locked");
	fx_call(&f, "RenewInstance", "DtsJobId", f.job, "ChargeType", "PREPAY", NULL);
	assert_string_equal(fx_status(&f, f.job), "Suspending");
	fx_pass(&f, 6 * DAY_MS);
	assert_string_equal(fx_status(&f, f.job), "Failed");
	fx_release(&f);
}

/* Both jobs of a pair, a job that was never configured, and a world that was saved meanwhile. */
static void test_pair_and_file(void **st)
{
	struct err e = {0};
	struct fx f, g;
	struct buf b;

	(void)st;
	fx_init(&f, "", false);
	prepaid(&f, "bidirectional");
	fx_pass(&f, 31 * DAY_MS);
	buf_init(&b, 1 << 20);
	f.w.now_ms = f.now_ms;
	world_write(&f.w, &b);
	fx_init(&g, "", false);
	assert_int_equal(world_parse(&g.w, buf_str(&b), b.n, "world", &e), 0);
	g.now_ms = f.now_ms;
	assert_string_equal(fx_status(&g, f.job), "Locked");
	fx_call(&g, "DescribeDtsJobDetail", "DtsInstanceID", f.instance, "SynchronizationDirection",
	        "Reverse", NULL);
	assert_string_equal(fx_get(&g, "Status"), "Locked");
	fx_call(&g, "RenewInstance", "DtsJobId", f.job, "ChargeType", "PREPAY", NULL);
	fx_call(&g, "DescribeDtsJobDetail", "DtsInstanceID", f.instance, "SynchronizationDirection",
	        "Reverse", NULL);
	assert_string_equal(fx_get(&g, "Status"), "NotConfigured");
	assert_string_equal(fx_status(&g, f.job), "synchronizing");
	buf_release(&b);
	fx_release(&f);
	fx_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locked_then_released),
		cmocka_unit_test(test_nobody_looked),
		cmocka_unit_test(test_what_locked_refuses),
		cmocka_unit_test(test_paid_is_not_released),
		cmocka_unit_test(test_renewal_unlocks),
		cmocka_unit_test(test_end_unknown),
		cmocka_unit_test(test_paused_and_locked),
		cmocka_unit_test(test_pair_and_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
