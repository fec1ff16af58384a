/* What a result means: the table of dts-api.md 7 and design.md 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "remote/retry.h"

static struct reply_facts refusal(int status, const char *code)
{
	return (struct reply_facts){
		.status = status, .code = code, .readable = true, .retry_after_ms = -1};
}

static void test_codes(void **state)
{
	static const struct {
		int status;
		const char *code;
		enum verdict read, write, never;
		enum err_code err;
	} t[] = {
		{400, "Throttling", VERDICT_RETRY, VERDICT_RETRY, VERDICT_RETRY, ERR_LATER},
		{400, "Throttling.User", VERDICT_RETRY, VERDICT_RETRY, VERDICT_RETRY, ERR_LATER},
		{200, "Throttling.Api.Concurrency", VERDICT_RETRY, VERDICT_RETRY, VERDICT_RETRY,
	         ERR_LATER},
		{400, "Rejected.Throttling", VERDICT_RETRY, VERDICT_RETRY, VERDICT_RETRY,
	         ERR_LATER},
		{400, "SignatureNonceUsed", VERDICT_RETRY, VERDICT_LOOK, VERDICT_LOOK, ERR_FAILED},
		{503, "ServiceUnavailable", VERDICT_RETRY, VERDICT_LOOK, VERDICT_LOOK, ERR_LATER},
		{500, "ServiceUnavailableTemporary", VERDICT_RETRY, VERDICT_LOOK, VERDICT_LOOK,
	         ERR_LATER},
		{500, "InternalError", VERDICT_RETRY, VERDICT_LOOK, VERDICT_LOOK, ERR_FAILED},
		{200, "InternalError", VERDICT_RETRY, VERDICT_LOOK, VERDICT_LOOK, ERR_FAILED},
		{500, "Something.New", VERDICT_RETRY, VERDICT_LOOK, VERDICT_LOOK, ERR_FAILED},
		{502, NULL, VERDICT_RETRY, VERDICT_LOOK, VERDICT_LOOK, ERR_FAILED},
		{400, "Something.New", VERDICT_FAIL, VERDICT_FAIL, VERDICT_FAIL, ERR_FAILED},
		{403, "Something.New", VERDICT_FAIL, VERDICT_FAIL, VERDICT_FAIL, ERR_FAILED},
		{200, NULL, VERDICT_FAIL, VERDICT_FAIL, VERDICT_FAIL, ERR_FAILED},
		{400, "InvalidTimeStamp.Expired", VERDICT_CLOCK, VERDICT_CLOCK, VERDICT_CLOCK,
	         ERR_DENIED},
		{403, "InvalidSecurityToken.Expired", VERDICT_REFRESH, VERDICT_REFRESH,
	         VERDICT_REFRESH, ERR_DENIED},
		{400, "InvalidSecurityToken.Malformed", VERDICT_DENIED, VERDICT_DENIED,
	         VERDICT_DENIED, ERR_DENIED},
		{404, "InvalidAccessKeyId.NotFound", VERDICT_DENIED, VERDICT_DENIED, VERDICT_DENIED,
	         ERR_DENIED},
		{400, "SignatureDoesNotMatch", VERDICT_DENIED, VERDICT_DENIED, VERDICT_DENIED,
	         ERR_DENIED},
		{403, "NoPermission", VERDICT_DENIED, VERDICT_DENIED, VERDICT_DENIED, ERR_DENIED},
		{403, "Forbidden.RAM", VERDICT_DENIED, VERDICT_DENIED, VERDICT_DENIED, ERR_DENIED},
		{403, "Forbidden.InstanceNotFound", VERDICT_GONE, VERDICT_GONE, VERDICT_GONE,
	         ERR_FAILED},
		{200, "InvalidJobId", VERDICT_GONE, VERDICT_GONE, VERDICT_GONE, ERR_FAILED},
		{403, "AssumeRoleFail", VERDICT_FAIL, VERDICT_FAIL, VERDICT_FAIL, ERR_FAILED},
		{403, "OperationDenied.JobStatusModifying", VERDICT_RETRY, VERDICT_BUSY,
	         VERDICT_BUSY, ERR_FAILED},
		{403, "ModifyDenied.JobStatusNotRunning", VERDICT_RETRY, VERDICT_BUSY, VERDICT_BUSY,
	         ERR_FAILED},
		{403, "CheckJobFailed.ServerUnAvailable", VERDICT_RETRY, VERDICT_BUSY, VERDICT_BUSY,
	         ERR_FAILED},
		{403, "SQLExecuteError", VERDICT_RETRY, VERDICT_BUSY, VERDICT_BUSY, ERR_FAILED},
		{403, "LXBuyError", VERDICT_MONEY, VERDICT_MONEY, VERDICT_MONEY, ERR_FAILED},
		{403, "LXCreateOrderError", VERDICT_MONEY, VERDICT_MONEY, VERDICT_MONEY,
	         ERR_FAILED},
		{403, "LXCreateOrder.NotFoundPricePlan", VERDICT_MONEY, VERDICT_MONEY,
	         VERDICT_MONEY, ERR_FAILED},
		{403, "LXPayOrder.InsufficientBalance", VERDICT_MONEY, VERDICT_MONEY, VERDICT_MONEY,
	         ERR_FAILED},
		{403, "UpdateJob.OperationDenied.InitStatus", VERDICT_FAIL, VERDICT_FAIL,
	         VERDICT_FAIL, ERR_FAILED},
		{400, "MissingParameter", VERDICT_FAIL, VERDICT_FAIL, VERDICT_FAIL, ERR_FAILED},
		{429, "TooManyRequests", VERDICT_RETRY, VERDICT_RETRY, VERDICT_RETRY, ERR_LATER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct reply_facts f = refusal(t[i].status, t[i].code);

		if (retry_verdict(&f, REPEAT_READ) != t[i].read ||
		    retry_verdict(&f, REPEAT_SAFE) != t[i].write ||
		    retry_verdict(&f, REPEAT_LOOK) != t[i].write ||
		    retry_verdict(&f, REPEAT_NEVER) != t[i].never)
			fail_msg("%d %s", t[i].status, t[i].code ? t[i].code : "(no code)");
		if (retry_err_code(&f) != t[i].err)
			fail_msg("%d %s: exit class %s", t[i].status, t[i].code ? t[i].code : "",
			         err_name(retry_err_code(&f)));
	}
}

static void test_net(void **state)
{
	static const struct {
		enum net_result net;
		enum verdict read, write;
		enum err_code err;
	} t[] = {
		{NET_RESOLVE, VERDICT_UNREACHABLE, VERDICT_UNREACHABLE, ERR_UNREACHABLE},
		{NET_TLS, VERDICT_UNREACHABLE, VERDICT_UNREACHABLE, ERR_UNREACHABLE},
		{NET_CONNECT, VERDICT_RETRY, VERDICT_RETRY, ERR_UNREACHABLE},
		{NET_SENT_UNKNOWN, VERDICT_RETRY, VERDICT_LOOK, ERR_UNREACHABLE},
		{NET_TOO_BIG, VERDICT_FAIL, VERDICT_LOOK, ERR_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct reply_facts f = {.net = t[i].net, .retry_after_ms = -1};

		assert_int_equal(retry_verdict(&f, REPEAT_READ), t[i].read);
		for (int r = REPEAT_SAFE; r <= REPEAT_NEVER; r++)
			assert_int_equal(retry_verdict(&f, (enum api_repeat)r), t[i].write);
		assert_int_equal(retry_err_code(&f), t[i].err);
	}
}

/* Not from DTS: nobody knows what DTS did. */
static void test_foreign(void **state)
{
	static const int statuses[] = {200, 302, 403, 404, 429, 502, 504};

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		struct reply_facts f = {.status = statuses[i], .retry_after_ms = -1};

		assert_int_equal(retry_verdict(&f, REPEAT_READ), VERDICT_RETRY);
		assert_int_equal(retry_verdict(&f, REPEAT_NEVER), VERDICT_LOOK);
		assert_int_equal(retry_verdict(&f, REPEAT_SAFE), VERDICT_LOOK);
		assert_int_equal(retry_err_code(&f), ERR_UNREACHABLE);
		assert_non_null(retry_hint(&f));
	}
}

static void test_success(void **state)
{
	struct reply_facts f = {
		.status = 200, .readable = true, .success = true, .retry_after_ms = -1};

	(void)state;
	assert_int_equal(retry_verdict(&f, REPEAT_NEVER), VERDICT_OK);
	f.success = false;
	f.status = 400;
	f.code = "New.Limit"; /* a refusal that asks to be repeated */
	f.retry_after_ms = 700;
	assert_int_equal(retry_verdict(&f, REPEAT_NEVER), VERDICT_RETRY);
	assert_int_equal(retry_pause_ms(&f, 0, 0), 700);
}

static void test_pause(void **state)
{
	struct reply_facts lost = {.net = NET_SENT_UNKNOWN, .retry_after_ms = -1};
	struct reply_facts slow = refusal(400, "Throttling.User");

	(void)state;
	assert_int_equal(retry_pause_ms(&lost, 0, 0), 100);
	assert_int_equal(retry_pause_ms(&lost, 0, UINT32_MAX), 500);
	assert_int_equal(retry_pause_ms(&lost, 1, UINT32_MAX), 1000);
	assert_int_equal(retry_pause_ms(&lost, 1, UINT32_MAX / 2), 500);
	assert_int_equal(retry_pause_ms(&lost, 60, UINT32_MAX), 20000);
	assert_int_equal(retry_pause_ms(&slow, 0, UINT32_MAX), 1000);
	assert_int_equal(retry_pause_ms(&slow, 60, UINT32_MAX), 30000);
	slow.retry_after_ms = 0;
	assert_int_equal(retry_pause_ms(&slow, 9, UINT32_MAX), 100);
	slow.retry_after_ms = 10000000;
	assert_int_equal(retry_pause_ms(&slow, 0, 0), 120000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),   cmocka_unit_test(test_net),
		cmocka_unit_test(test_foreign), cmocka_unit_test(test_success),
		cmocka_unit_test(test_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
