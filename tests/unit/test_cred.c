/* Credentials from the environment: the key, half a key, somebody else's names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "remote/cred.h"

#define ID "ALIBABA_CLOUD_ACCESS_KEY_ID"
#define SECRET "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
#define TOKEN "ALIBABA_CLOUD_SECURITY_TOKEN"

static const char *env(void *ctx, const char *name)
{
	const char *const *v = ctx;

	for (; *v; v += 2)
		if (!strcmp(v[0], name))
			return v[1];
	return NULL;
}

static int load(struct credential *c, struct err *e, const char *const *vars)
{
	*c = (struct credential){0};
	*e = (struct err){0};
	return cred_load(c, env, (void *)(uintptr_t)vars, e);
}

static void test_good(void **state)
{
	static const char *const key[] = {ID, "LTAIx", SECRET, "s", NULL};
	static const char *const empty[] = {ID, "LTAIx", SECRET, "s", TOKEN, "", NULL};
	static const char *const sts[] = {
		ID, "STS.x", SECRET, "s", TOKEN, "t", "ALICLOUD_ACCESS_KEY", "other", NULL};
	struct credential c;
	struct err e;

	(void)state;
	assert_int_equal(load(&c, &e, key), 0);
	assert_string_equal(c.id, "LTAIx");
	assert_string_equal(c.secret, "s");
	assert_null(c.token);
	assert_string_equal(c.provider, "default/env");
	assert_int_equal(c.expires_s, -1);
	assert_int_equal(load(&c, &e, empty), 0);
	assert_null(c.token);
	assert_int_equal(load(&c, &e, sts), 0);
	assert_string_equal(c.token, "t");
}

static void test_bad(void **state)
{
	static const struct {
		const char *const vars[8];
		const char *said; /* in the message */
		const char *hint;
	} t[] = {
		{{ID, "LTAIx", NULL}, SECRET " is not set", ID},
		{{SECRET, "topsecret", NULL}, ID " is not set", SECRET},
		{{SECRET, "topsecret", ID, "", NULL}, ID " is not set", SECRET},
		{{TOKEN, "t", NULL}, ID " is not set", SECRET},
		{{ID, "STS.x", SECRET, "topsecret", NULL}, TOKEN " is not set", NULL},
		{{ID, "LTAIx", SECRET, "topsecret\n", NULL}, SECRET " contains", NULL},
		{{NULL}, "no credentials", ID},
		{{"ALICLOUD_ACCESS_KEY", "k", "ALICLOUD_SECRET_KEY", "topsecret", NULL},
	         "no credentials",
	         "ALICLOUD_ACCESS_KEY is set"},
	};
	struct credential c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		assert_int_equal(load(&c, &e, t[i].vars), -1);
		assert_int_equal(e.code, ERR_DENIED);
		if (!strstr(e.msg, t[i].said) || (t[i].hint && !strstr(e.hint, t[i].hint)))
			fail_msg("%zu: %s [%s]", i, e.msg, e.hint);
		assert_null(strstr(e.msg, "topsecret"));
		assert_null(strstr(e.hint, "topsecret"));
		assert_null(c.id); /* untouched */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
