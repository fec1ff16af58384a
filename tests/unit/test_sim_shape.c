/* The shape of answers (dts-api/responses.json), and what they never show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sim_fixture.h"

static enum json_type type_of(const struct fx *f, const char *key)
{
	const struct json *v = json_get(f->j, key);

	return v != NULL ? v->type : JSON_NULL;
}

/* Code is the HTTP status: a number in Detail only; elsewhere text, or the code of the sub-job. */
static void test_code(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "[limits]\noff = true\n", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", f.job, NULL);
	assert_int_equal(type_of(&f, "Code"), JSON_NUMBER);
	assert_int_equal(json_get(f.j, "Code")->i, 200);
	assert_string_equal(fx_get(&f, "GroupId"), fx_get(&f, "ResourceGroupId"));
	fx_call(&f, "ModifyDtsJobDedicatedCluster", "DtsJobIds",
	        arena_printf(&f.mine, "[\"%s\"]", f.job), "DedicatedClusterId", "dtscluster_a",
	        NULL);
	assert_string_equal(fx_get(&f, "Code"), "200");
	assert_int_equal(type_of(&f, "HttpStatusCode"), JSON_NUMBER);
	fx_call(&f, "ModifyDtsJobDuLimit", "DtsJobId", f.job, "DuLimit", "2", NULL);
	assert_string_equal(fx_get(&f, "Code"), "200");
	assert_int_equal(type_of(&f, "HttpStatusCode"), JSON_NUMBER);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", NULL);
	assert_int_equal(type_of(&f, "Code"), JSON_NULL);
	fx_release(&f);
}

/* The same members for the modules as for the precheck. */
static void test_precheck_status(void **st)
{
	static const char *const numbers[] = {
		"Total",      "ErrorItem",      "ErrorAnalysisItem", "TotalRecordCount",
		"PageNumber", "PageRecordCount"};
	static const char *const codes[] = {"01", "02", "03", "04"};
	struct fx f;

	(void)st;
	fx_init(&f, "[limits]\noff = true\n", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	for (size_t i = 0; i < 4; i++) {
		fx_call(&f, "DescribePreCheckStatus", "DtsJobId", f.job, "JobCode", codes[i],
		        "StructType", "before", NULL);
		assert_string_equal(fx_get(&f, "Code"), codes[i]);
		for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
			if (type_of(&f, numbers[k]) != JSON_NUMBER)
				fail_msg("%s of %s", numbers[k], codes[i]);
		assert_int_equal(type_of(&f, "JobProgress"), JSON_ARRAY);
		assert_int_equal(type_of(&f, "AnalysisJobProgress"), JSON_ARRAY);
	}
	fx_release(&f);
}

/* 4.1, 14.2: secrets of Reserve are not given back, wherever they stand. */
static void test_secrets(void **st)
{
	struct json *r;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, "{\"srcSslCaCert\":\"EXAMPLE-1\",\"channelInfo\":{\"user\":\"u\","
	                 "\"password\":\"EXAMPLE-2\",\"more\":[{\"clientKeyText\":{\"a\":"
	                 "\"EXAMPLE-3\"}}]}}");
	fx_call(&f, "ModifyDtsJob", "DtsInstanceId", f.instance, "ModifyTypeEnum",
	        "UPDATE_RESERVED", "Reserved", "{\"x\":{\"destPassword\":\"EXAMPLE-4\",\"k\":1}}",
	        NULL);
	assert_string_equal(fx_code(&f), "");
	fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", f.job, NULL);
	assert_null(strstr(buf_str(&f.rs.body), "EXAMPLE"));
	r = json_parse(&f.a, fx_get(&f, "Reserved"), strlen(fx_get(&f, "Reserved")), NULL);
	assert_string_equal(json_str(r, "srcSslCaCert"), "******");
	assert_string_equal(json_str(r, "channelInfo.password"), "******");
	assert_string_equal(json_str(r, "channelInfo.user"), "u");
	assert_string_equal(json_str(json_path(r, "channelInfo.more")->child, "clientKeyText"),
	                    "******");
	assert_string_equal(json_str(r, "x.destPassword"), "******");
	assert_int_equal(json_path(r, "x.k")->i, 1);
	fx_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_precheck_status),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
