/* The catalogue against the published metadata (tests/vectors/operations), both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "model/api.h"

static struct json *load(struct arena *a, const char *action)
{
	const char *dir = getenv("TEST_VECTORS");
	char *path = arena_printf(a, "%s/operations/%s.json", dir ? dir : "tests/vectors", action);
	FILE *f = fopen(path, "rb");
	struct json_err e = {0};
	struct json *v;
	char *text;
	size_t n;

	if (!f)
		fail_msg("%s cannot be read", path);
	text = arena_alloc(a, 1u << 20);
	n = fread(text, 1, 1u << 20, f);
	fclose(f);
	v = json_parse(a, text, n, &e);
	if (!v)
		fail_msg("%s: %s at %zu", path, e.msg, e.off);
	return v;
}

static char type_letter(const char *type)
{
	static const struct {
		const char *name;
		char letter;
	} map[] = {{"String", 'S'}, {"Boolean", 'B'}, {"Integer", 'I'},
	           {"Long", 'I'},   {"Double", 'D'},  {"RepeatList", 'L'}};

	for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
		if (!strcmp(type, map[i].name))
			return map[i].letter;
	fail_msg("unknown type %s", type);
	return '?';
}

static void compare(enum api_action a, const char *name, const struct json *p)
{
	const struct api_param *mine = api_param(a, name);

	if (!mine)
		fail_msg("%s lacks %s", api_def(a)->name, name);
	assert_string_equal(mine->name, name);
	if (mine->type != type_letter(json_str(p, "type")))
		fail_msg("%s %s: type %c", api_def(a)->name, name, mine->type);
	if (mine->body != !strcmp(json_str(p, "position"), "Body"))
		fail_msg("%s %s: position", api_def(a)->name, name);
	if (mine->required != json_get(p, "required")->b)
		fail_msg("%s %s: required", api_def(a)->name, name);
}

static void test_metadata(void **state)
{
	(void)state;
	for (int i = API_NONE + 1; i < API__COUNT; i++) {
		enum api_action a = (enum api_action)i;
		struct arena arena;
		const struct json *op, *params;
		size_t n = 0;

		arena_init(&arena);
		op = load(&arena, api_def(a)->name);
		assert_string_equal(json_str(op, "name"), api_def(a)->name);
		params = json_get(op, "parameters");
		assert_non_null(params);
		for (const struct json *p = params->child; p; p = p->next) {
			const char *name = json_str(p, "name");
			const struct json *sub = json_get(p, "sub_parameters");

			compare(a, name, p);
			n++;
			for (const struct json *s = sub ? sub->child : NULL; s; s = s->next, n++)
				compare(a, arena_printf(&arena, "%s.%s", name, json_str(s, "name")),
				        s);
		}
		assert_int_equal(n, api_def(a)->nparams);
		arena_release(&arena);
	}
}

static void test_lookup(void **state)
{
	(void)state;
	assert_string_equal(api_param(API_TAG_RESOURCES, "ResourceId.17")->name, "ResourceId");
	assert_string_equal(api_param(API_TAG_RESOURCES, "Tag.2.Key")->name, "Tag.Key");
	assert_null(api_param(API_TAG_RESOURCES, "Tag.2.Colour"));
	assert_null(api_param(API_TAG_RESOURCES, "resourceid"));
	/* The spelling trap of dts-api.md 1.4. */
	assert_non_null(api_param(API_DESCRIBE_DTS_JOB_DETAIL, "DtsInstanceID"));
	assert_null(api_param(API_DESCRIBE_DTS_JOB_DETAIL, "DtsInstanceId"));
	assert_int_equal(api_find("DescribeDtsJobs"), API_DESCRIBE_DTS_JOBS);
	assert_int_equal(api_find("describedtsjobs"), API_NONE);
}

/* design.md 5: calls that libcurl must not resend by itself. */
static void test_never_repeated(void **state)
{
	static const enum api_action never[] = {
		API_CREATE_DTS_INSTANCE,     API_RESET_DTS_JOB,     API_MODIFY_DTS_JOB_ENDPOINT,
		API_TRANSFER_INSTANCE_CLASS, API_TRANSFER_PAY_TYPE, API_UPGRADE_TWO_WAY};
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
		assert_int_equal(api_def(never[i])->repeat, REPEAT_NEVER);
		assert_true(api_def(never[i])->fresh);
	}
	for (int a = API_NONE + 1; a < API__COUNT; a++)
		n += api_def((enum api_action)a)->repeat == REPEAT_NEVER;
	assert_int_equal(n, sizeof never / sizeof never[0]);
	assert_int_equal(api_def(API_CONFIGURE_DTS_JOB)->repeat, REPEAT_LOOK);
	assert_int_equal(api_def(API_CONFIGURE_DTS_JOB)->timeout_ms, 60000);
	for (int a = API_DESCRIBE_DTS_JOBS; a < API__COUNT; a++)
		assert_int_equal(api_def((enum api_action)a)->repeat, REPEAT_READ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_never_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
