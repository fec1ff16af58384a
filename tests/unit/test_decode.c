/* Answers: both failure shapes, the texts, and everything that is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "remote/dts.h"

static struct dts_reply decode(enum api_action action, int status, const char *body)
{
	struct http_res res = {.status = status,
	                       .body = body,
	                       .body_n = strlen(body),
	                       .content_type = "application/json"};
	struct dts_reply r;

	dts_decode(&r, &a, action, &res);
	return r;
}

static void test_success(void **state)
{
	static const char *const bodies[] = {
		"{\"RequestId\":\"R\",\"HttpStatusCode\":200,\"Success\":true}",
		"{\"RequestId\":\"R\",\"HttpStatusCode\":\"200\",\"Success\":\"true\"}",
		"{\"RequestId\":\"R\",\"Success\":\"True\",\"ErrCode\":\"InternalError\",\"ErrMessage\":\"The request ...\"}",
		"{\"RequestId\":\"R\"}",
		"{\"RequestId\":\"R\",\"Success\":null,\"Code\":\"200\"}",
		"{\"RequestId\":\"R\",\"Code\":\"OK\"}",
		"{\"RequestId\":\"R\",\"Success\":true,\"ErrCode\":\"\",\"ErrMessage\":\"\",\"DynamicMessage\":\"\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct dts_reply r = decode(API_START_DTS_JOB, 200, bodies[i]);

		if (!r.facts.readable || !r.facts.success || r.code || !r.root)
			fail_msg("%s", bodies[i]);
		assert_string_equal(r.request_id, "R");
	}
}

static void test_ids(void **state)
{
	struct dts_reply r = decode(
		API_CREATE_DTS_INSTANCE, 200,
		"{\"RequestId\":\"R\",\"InstanceId\":\"dtsx\",\"JobId\":\"x\",\"Success\":\"true\"}");

	(void)state;
	assert_string_equal(r.instance_id, "dtsx");
	assert_string_equal(r.job_id, "x");
	r = decode(
		API_CONFIGURE_DTS_JOB, 200,
		"{\"RequestId\":\"R\",\"DtsInstanceId\":\"\",\"DtsJobId\":\"y\",\"Success\":true}");
	assert_true(r.facts.success);
	assert_string_equal(r.job_id, "y");
	/* What a success promises must be there. */
	r = decode(API_CREATE_DTS_INSTANCE, 200, "{\"RequestId\":\"R\",\"Success\":\"true\"}");
	assert_false(r.facts.readable);
	assert_null(r.root);
	assert_non_null(strstr(r.raw, "InstanceId"));
	r = decode(API_CONFIGURE_DTS_JOB, 200, "{\"RequestId\":\"R\",\"Success\":true}");
	assert_false(r.facts.readable);
	/* That of ModifyDtsJob may be a sub task's: not taken. */
	r = decode(
		API_MODIFY_DTS_JOB, 200,
		"{\"RequestId\":\"R\",\"Success\":true,\"DtsJobId\":\"sub\",\"Status\":\"200\"}");
	assert_true(r.facts.success);
	assert_null(r.job_id);
}

static void test_failures(void **state)
{
	static const struct {
		int status;
		const char *body, *code, *message;
	} t[] = {
		{403,
	         "{\"RequestId\":\"R\",\"HostId\":\"h\",\"Code\":\"LXBuyError\",\"Message\":\"Buy instance error.ARREARAGE\"}",
	         "LXBuyError", "Buy instance error.ARREARAGE"},
		{200,
	         "{\"RequestId\":\"R\",\"HttpStatusCode\":200,\"Success\":false,\"ErrCode\":\"InvalidParameter\",\"ErrMessage\":\"The Value of Input "
	         "Parameter %s is not valid.\",\"DynamicMessage\":\"DtsJobId\"}",
	         "InvalidParameter", "The Value of Input Parameter DtsJobId is not valid."},
		{200,
	         "{\"RequestId\":\"R\",\"Success\":\"false\",\"ErrCode\":\"DTS.Msg.OperationDenied.JobStatusModifying\",\"ErrMessage\":\"busy\"}",
	         "OperationDenied.JobStatusModifying", "busy"},
		{403,
	         "{\"RequestId\":\"R\",\"Code\":\"DTS.Msg.Throttling.User\",\"Message\":\"slow\"}",
	         "Throttling.User", "slow"},
		{200, "{\"RequestId\":\"R\",\"Code\":\"Forbidden.RAM\",\"Message\":\"no\"}",
	         "Forbidden.RAM", "no"},
		{200,
	         "{\"RequestId\":\"R\",\"Success\":false,\"Code\":\"500\",\"ErrCode\":\"X.Y\",\"ErrMessage\":\"e\",\"DynamicMessage\":\"more\"}",
	         "X.Y", "e (more)"},
		{400, "{\"requestId\":\"R\",\"code\":\"MissingParameter\",\"message\":\"m\"}",
	         "MissingParameter", "m"},
		{500, "{\"RequestId\":\"R\",\"Message\":\"m\"}", NULL, "m"},
		{200, "{\"RequestId\":\"R\",\"Success\":false}", NULL, NULL},
		{200,
	         "{\"RequestId\":\"R\",\"HttpStatusCode\":\"403\",\"ErrCode\":\"A\",\"ErrMessage\":\"b\"}",
	         "A", "b"},
		{403,
	         "{\"RequestId\":\"R\",\"Code\":\"C\",\"Message\":\"d %s e\",\"DynamicMessage\":\"null\"}",
	         "C", "d %s e"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct dts_reply r = decode(API_START_DTS_JOB, t[i].status, t[i].body);

		assert_true(r.facts.readable);
		assert_false(r.facts.success);
		if (!text_eq(r.code, t[i].code) || !text_eq(r.facts.code, t[i].code) ||
		    !text_eq(r.message, t[i].message))
			fail_msg("%s: %s, %s", t[i].body, r.code ? r.code : "-",
			         r.message ? r.message : "-");
		assert_string_equal(r.request_id, "R");
	}
}

static void test_no_answer(void **state)
{
	static const struct {
		int status;
		const char *body;
	} t[] = {
		{200, ""},
		{200, "<html><body>Please log in</body></html>"},
		{502, "Bad Gateway"},
		{200, "{\"RequestId\":\"R\",\"Success\":true"},
		{200, "{\"RequestId\":\"R\",\"Success\":true}x"},
		{200, "{\"RequestId\":\"R\",\"RequestId\":\"S\",\"Success\":true}"},
		{200, "{\"RequestId\":\"R\",\"Success\":true,\"n\":9007199254740993}"},
		{200, "[]"},
		{200, "{}"},
		{200, "{\"Success\":true}"},
		{200, "{\"RequestId\":\"R\",\"Success\":\"perhaps\"}"},
		{200, "{\"RequestId\":\"R\",\"Success\":1}"},
		{403, "{\"RequestId\":\"R\",\"Success\":true}"},
		{200, "{\"RequestId\":\"R\",\"Success\":true,\"HttpStatusCode\":500}"},
		{302, "{\"RequestId\":\"R\",\"Success\":true}"},
		{100, "{\"RequestId\":\"R\",\"Success\":true}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct dts_reply r = decode(API_START_DTS_JOB, t[i].status, t[i].body);

		if (r.facts.readable || r.facts.success || r.root || r.code || !r.raw)
			fail_msg("%d %s", t[i].status, t[i].body);
	}
}

/* At most 80 printable characters, control characters escaped, secrets masked. */
static void test_excerpt(void **state)
{
	struct dts_reply r;
	char long_text[500];
	const char *at;

	(void)state;
	secret_dup("hunter22secret", 14);
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	r = decode(API_START_DTS_JOB, 503,
	           arena_printf(&a, "<html>\n\n  <b>hunter22secret</b>\x1b[31m %s", long_text));
	assert_null(strstr(r.raw, "hunter22"));
	assert_null(strchr(r.raw, '\x1b'));
	assert_non_null(
		strstr(r.raw, "HTTP 503, application/json: <html> <b>***</b>\\x1b[31m xxx"));
	at = strstr(r.raw, "<html>");
	assert_true(text_width(at) <= 80);
	/* A password quoted by the service, as it stands and encoded. */
	r = decode(
		API_START_DTS_JOB, 400,
		"{\"RequestId\":\"R\",\"Code\":\"C\",\"Message\":\"string to sign Password=hunter22secret&x\"}");
	assert_string_equal(r.message, "string to sign Password=***&x");
	r = decode(
		API_DESCRIBE_DTS_JOB_DETAIL, 200,
		"{\"RequestId\":\"R\",\"DtsJobId\":\"j\",\"ErrorMessage\":\"access denied hunter22secret\",\"DbObject\":\"hunter22secret\"}");
	assert_string_equal(json_str(r.root, "ErrorMessage"), "access denied ***");
	assert_string_equal(json_str(r.root, "DbObject"),
	                    "hunter22secret"); /* compared, never shown raw */
}

static void test_transport(void **state)
{
	struct http_res res = {.net = NET_CONNECT, .net_text = "connection refused (127.0.0.2:9)"};
	struct dts_reply r;

	(void)state;
	dts_decode(&r, &a, API_START_DTS_JOB, &res);
	assert_int_equal(r.facts.net, NET_CONNECT);
	assert_false(r.facts.readable);
	assert_string_equal(r.raw, "connection refused (127.0.0.2:9)");
	res = (struct http_res){
		.status = 400,
		.body = "{\"RequestId\":\"R\",\"Code\":\"Throttling\",\"Message\":\"m\"}",
		.retry_after = "1500",
		.request_id = "H"};
	res.body_n = strlen(res.body);
	dts_decode(&r, &a, API_START_DTS_JOB, &res);
	assert_int_equal(r.facts.retry_after_ms, 1500);
	res.retry_after = "soon";
	dts_decode(&r, &a, API_START_DTS_JOB, &res);
	assert_int_equal(r.facts.retry_after_ms, -1);
	res.body = "oops";
	res.body_n = 4;
	dts_decode(&r, &a, API_START_DTS_JOB, &res);
	assert_string_equal(r.request_id, "H"); /* of the header */
}

static const char *page(size_t rows, long long told, long long total, long long number)
{
	struct buf b;
	char *s;

	buf_init(&b, 1 << 20);
	buf_printf(
		&b,
		"{\"RequestId\":\"R\",\"Success\":true,\"PageNumber\":%lld,\"PageRecordCount\":%lld,\"TotalRecordCount\":%lld,\"DtsJobList\":[",
		number, told, total);
	for (size_t i = 0; i < rows; i++)
		buf_printf(&b, "%s{\"DtsJobId\":\"j%zu\"}", i ? "," : "", i);
	buf_puts(&b, "]}");
	s = arena_strdup(&a, buf_str(&b));
	buf_release(&b);
	return s;
}

static void test_pages(void **state)
{
	static const struct {
		size_t rows;
		long long told, total, number;
		bool good;
	} t[] = {
		{0, 0, 0, 1, true},
		{1, 1, 1, 1, true},
		{100, 100, 250, 1, true},
		{100, 100, 250, 2, true},
		{50, 50, 250, 3, true},
		{0, 0, 250, 4, true},
		{0, 0, 250, 99, true},
		{99, 99, 250, 1, false},
		{100, 99, 250, 1, false},
		{0, 0, 3, 1, false},
		{3, 3, 2, 1, false},
		{51, 51, 250, 3, false},
		{1, 1, -1, 1, false},
		{1, 1, 1, 0, false},
		{100, 100, 100, 1, true},
		{0, 0, 100, 2, true},
		{0, 0, 0, 9007199254740991LL, true},
	};
	const struct json *rows;
	size_t n, total;
	struct dts_reply r;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		r = decode(API_DESCRIBE_DTS_JOBS, 200,
		           page(t[i].rows, t[i].told, t[i].total, t[i].number));
		if (r.facts.readable != t[i].good)
			fail_msg("%zu rows of %lld on page %lld: %s", t[i].rows, t[i].total,
			         t[i].number, r.raw ? r.raw : "taken");
		assert_int_equal(dts_page(&r, &rows, &n, &total), t[i].good);
		if (t[i].good) {
			assert_int_equal(n, t[i].rows);
			assert_int_equal(total, t[i].total);
		}
	}
	r = decode(API_DESCRIBE_DTS_JOBS, 200, "{\"RequestId\":\"R\",\"TotalRecordCount\":0}");
	assert_true(dts_page(&r, &rows, &n, &total));
	r = decode(API_DESCRIBE_DTS_JOBS, 200,
	           "{\"RequestId\":\"R\",\"TotalRecordCount\":1,\"DtsJobList\":[{}]}");
	assert_false(r.facts.readable);
	r = decode(
		API_DESCRIBE_DTS_JOBS, 200,
		"{\"RequestId\":\"R\",\"TotalRecordCount\":1,\"DtsJobList\":{\"a\":{\"DtsJobId\":\"x\"}}}");
	assert_false(r.facts.readable);
	r = decode(API_DESCRIBE_DTS_JOBS, 200, "{\"RequestId\":\"R\",\"DtsJobList\":[]}");
	assert_false(r.facts.readable);
}

static void test_precheck(void **state)
{
	static const char body[] =
		"{\"RequestId\":\"R\",\"State\":\"Failed\",\"JobProgress\":["
		"{\"Item\":\"CHECK_CONN_SRC\",\"State\":\"Success\"},"
		"{\"Item\":\"CHECK_SAME_OBJ\",\"State\":\"Failed\",\"ErrMsg\":\"CHECK__ERROR_SAME_OBJ\",\"ErrDetail\":\"orders\",\"RepairMethod\":\"rename\",\"CanSkip\":\"true\"},"
		"{\"Item\":\"CHECK_SQL_MODE\",\"State\":\"Warning\"},"
		"{\"Names\":\"CHECK_ODD_DETAIL\",\"State\":\"failed\",\"CanSkip\":false}],"
		"\"SubDistributedJobStatus\":[{\"JobProgress\":[{\"Item\":\"CHECK_SAME_OBJ\",\"State\":\"Failed\"},{\"Item\":\"CHECK_FK\",\"State\":\"Failed\",\"ErrDetail\":\"d\"}]}]}";
	struct dts_reply r = decode(API_DESCRIBE_PRE_CHECK_STATUS, 200, body);
	struct precheck_item *v;
	size_t n = dts_precheck_items(&a, r.root, &v);

	(void)state;
	assert_int_equal(n, 3);
	assert_string_equal(v[0].item, "CHECK_SAME_OBJ");
	assert_string_equal(v[0].message, "CHECK__ERROR_SAME_OBJ: orders");
	assert_string_equal(v[0].repair, "rename");
	assert_true(v[0].can_skip && !v[0].never_skip);
	assert_string_equal(v[1].item, "CHECK_ODD_DETAIL");
	assert_null(v[1].message);
	assert_true(!v[1].can_skip && v[1].never_skip);
	assert_true(!v[2].can_skip && !v[2].never_skip);
	assert_string_equal(v[2].message, "d");
	assert_int_equal(dts_precheck_items(&a, NULL, &v), 0);
	assert_non_null(dts_precheck_explain("CHECK_SAME_OBJ"));
	assert_ptr_equal(dts_precheck_explain("CHECK_SAME_OBJ_DETAIL"),
	                 dts_precheck_explain("CHECK_SAME_OBJ"));
	assert_null(dts_precheck_explain("CHECK_NEW"));
	assert_null(dts_precheck_explain(NULL));
	assert_null(dts_precheck_explain(""));
}

/* Every item the documentation names is explained (dts-api.md 19). */
static void test_explained(void **state)
{
	static const char *const items[] = {"CHECK_CONN_SRC",
	                                    "CHECK_CONN_DEST",
	                                    "CHECK_AUTH_SRC",
	                                    "CHECK_AUTH_DEST",
	                                    "CHECK_BINLOG_ON",
	                                    "CHECK_BINLOG_MODE",
	                                    "CHECK_BINLOG_ROW_IMAGE",
	                                    "CHECK_BINLOG_EXIST",
	                                    "CHECK_SERVER_ID",
	                                    "CHECK_ENGINE",
	                                    "CHECK_MYSQL_PASSOWRD_FORMAT",
	                                    "CHECK_SRC",
	                                    "CHECK_SAME_OBJ",
	                                    "CHECK_SAME_USER",
	                                    "CHECK_SQL_MODE",
	                                    "CHECK_TOPOLOGY",
	                                    "CHECK_DEST_TABLE_EMPTY"};

	(void)state;
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
		if (!dts_precheck_explain(items[i]))
			fail_msg("%s", items[i]);
}

static void test_regions(void **state)
{
	(void)state;
	assert_string_equal(dts_region_host("cn-hangzhou", false), "dts.cn-hangzhou.aliyuncs.com");
	assert_string_equal(dts_region_host("cn-fujian", false), "dts.aliyuncs.com");
	assert_string_equal(dts_region_host("ap-southeast-1", false),
	                    "dts.ap-southeast-1.aliyuncs.com");
	assert_string_equal(dts_region_host("ap-southeast-1", true),
	                    "dts-vpc.ap-southeast-1.aliyuncs.com");
	assert_ptr_equal(dts_region_host("cn-zhangbei", false),
	                 dts_region_host("cn-zhangjiakou", false));
	assert_null(dts_region_host("cn-nowhere", false));
	assert_null(dts_region_host(NULL, false));
	assert_true(dts_region_known("us-west-1"));
	assert_false(dts_region_known("US-WEST-1"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_success),   T(test_ids),       T(test_failures), T(test_no_answer),
		T(test_excerpt),   T(test_transport), T(test_pages),    T(test_precheck),
		T(test_explained), T(test_regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
