/* Options: rows, values, environment, suggestions, help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/opt.h"

static struct arena a;
static struct options o;
static struct err e;
static const char *env_yes, *env_state, *env_region;

static int setup(void **state)
{
	(void)state;
	arena_init(&a);
	env_yes = env_state = env_region = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&a);
	return 0;
}

static const char *fake_env(void *ctx, const char *name)
{
	(void)ctx;
	if (text_eq(name, "DTSBATCH_YES"))
		return env_yes;
	if (text_eq(name, "DTSBATCH_STATE"))
		return env_state;
	if (text_eq(name, "DTSBATCH_REGION"))
		return env_region;
	return NULL;
}

/* Words separated by blanks. */
static int parse(unsigned command, const char *line)
{
	char *argv[32], *copy = arena_strdup(&a, line);
	int argc = 0;

	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	memset(&e, 0, sizeof e);
	return opt_parse(&o, &a, argc, argv, command, "apply", fake_env, &e);
}

static void options_stand_anywhere(void **state)
{
	(void)state;
	assert_int_equal(
		parse(ON_APPLY, "a.ini --yes b.ini --state=x.state.json c.ini --parallelism 7"), 0);
	assert_int_equal(o.args.n, 3);
	assert_string_equal(o.args.v[0], "a.ini");
	assert_string_equal(o.args.v[2], "c.ini");
	assert_true(o.yes);
	assert_string_equal(o.state, "x.state.json");
	assert_int_equal(o.parallelism, 7);
}

static void nothing_given_is_told_apart_from_zero(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_APPLY, ""), 0);
	assert_int_equal(o.max_deletes, -1);
	assert_int_equal(o.max_gone, -1);
	assert_int_equal(o.deadline_ms, -1);
	assert_null(o.state);
	assert_int_equal(parse(ON_APPLY, "--max-deletes 0"), 0);
	assert_int_equal(o.max_deletes, 0);
}

static void durations_and_numbers(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_APPLY, "--deadline 25m --lock-timeout=90s"), 0);
	assert_int_equal(o.deadline_ms, 25 * 60 * 1000);
	assert_int_equal(o.lock_timeout_ms, 90 * 1000);
	assert_int_equal(parse(ON_APPLY, "--deadline soon"), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.msg, "soon"));
	assert_int_equal(parse(ON_STATUS, ""), 0);
	assert_int_equal(o.watch_ms, -1);
	/* its value is attached or absent: what follows is an argument */
	assert_int_equal(parse(ON_STATUS, "--watch 1m"), 0);
	assert_int_equal(o.watch_ms, 10000);
	assert_int_equal(o.args.n, 1);
	assert_int_equal(parse(ON_STATUS, "--watch=1m"), 0);
	assert_int_equal(o.watch_ms, 60000);
	assert_int_equal(parse(ON_STATUS, "--watch="), -1);
	assert_int_equal(parse(ON_STATUS, "--watch=0s"), -1);
	assert_int_equal(parse(ON_PLAN, "--watch"), -1);
	assert_int_equal(parse(ON_APPLY, "--parallelism -3"), -1);
	assert_int_equal(parse(ON_APPLY, "--parallelism 1x"), -1);
	assert_int_equal(parse(ON_APPLY, "--parallelism 0"), -1);
	assert_int_equal(parse(ON_APPLY, "--max-deletes 99999999999999999999"), -1);
}

static void lists_keep_their_order(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_APPLY, "--target a.b --var x=1 --target=c.* --var y= -f m.ini"),
	                 0);
	assert_int_equal(o.targets.n, 2);
	assert_string_equal(o.targets.v[1], "c.*");
	assert_int_equal(o.vars.n, 2);
	assert_string_equal(o.vars.v[1], "y=");
	assert_int_equal(o.files.n, 1);
	assert_string_equal(o.files.v[0], "m.ini");
}

static void refresh_false(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_PLAN, "--refresh=false"), 0);
	assert_true(o.no_refresh);
	assert_int_equal(parse(ON_PLAN, "--refresh=true"), 0);
	assert_false(o.no_refresh);
	assert_int_equal(parse(ON_PLAN, "--refresh=maybe"), -1);
}

static void unknown_options_are_suggested(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_APPLY, "--paralelism 3"), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.msg, "--paralelism"));
	assert_non_null(strstr(e.hint, "--parallelism"));
	assert_int_equal(parse(ON_APPLY, "--zzzzzzzzzz"), -1);
	assert_non_null(strstr(e.hint, "--help"));
}

static void options_of_another_command(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_VALIDATE, "--deadline 3m"), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.msg, "--deadline"));
}

static void scales(void **state)
{
	double d = -1;

	(void)state;
	assert_true(opt_scale("2.5", &d));
	assert_true(d > 2.4 && d < 2.6);
	assert_true(opt_scale("0", &d));
	assert_false(opt_scale("nan", &d));
	assert_false(opt_scale("inf", &d));
	assert_false(opt_scale("-1", &d));
	assert_false(opt_scale("1.2.3", &d));
	assert_false(opt_scale("99999999999", &d));
	assert_false(opt_scale("", &d));
	assert_false(opt_scale(NULL, &d));
}

static void values_that_are_missing(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_APPLY, "--state"), -1);
	assert_non_null(strstr(e.msg, "--state"));
	assert_int_equal(parse(ON_APPLY, "--state="), -1);
	assert_int_equal(parse(ON_APPLY, "--yes=no"), -1);
}

static void what_is_planned_for_later_says_so(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_APPLY, "--report r.html"), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.msg, "not in this version"));
}

static void after_two_dashes_all_are_arguments(void **state)
{
	(void)state;
	assert_int_equal(parse(ON_APPLY, "--yes -- --state -"), 0);
	assert_int_equal(o.args.n, 2);
	assert_string_equal(o.args.v[0], "--state");
	assert_string_equal(o.args.v[1], "-");
}

static void environment_fills_what_is_not_given(void **state)
{
	(void)state;
	env_yes = "1";
	env_state = "e.state.json";
	env_region = "cn-beijing";
	assert_int_equal(parse(ON_APPLY, "--state o.state.json"), 0);
	assert_true(o.yes);
	assert_string_equal(o.state, "o.state.json");
	assert_string_equal(o.region, "cn-beijing");
	env_yes = "0";
	env_state = "";
	assert_int_equal(parse(ON_APPLY, ""), 0);
	assert_false(o.yes);
	assert_null(o.state);
	/* plan asks nothing, so it ignores the variable */
	env_yes = "1";
	assert_int_equal(parse(ON_PLAN, ""), 0);
}

static void help_is_aligned_and_honest(void **state)
{
	struct buf b;
	size_t column = 0;

	(void)state;
	buf_init(&b, 1 << 20);
	opt_help(&b, ON_APPLY);
	assert_non_null(strstr(buf_str(&b), "--deadline DUR"));
	assert_non_null(strstr(buf_str(&b), "[DTSBATCH_YES]"));
	assert_null(strstr(buf_str(&b), "--report"));
	assert_null(strstr(buf_str(&b), "--port"));
	for (const char *p = buf_str(&b); *p; p = strchr(p, '\n') + 1) {
		const char *gap = strstr(p + 6, "  "); /* behind the short name, or its blanks */
		size_t at = (size_t)(gap - p) + strspn(gap, " ");

		assert_true(!column || at == column);
		column = at;
		assert_true(strcspn(p, "\n") <= 120);
	}
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(options_stand_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_given_is_told_apart_from_zero, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(durations_and_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_keep_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(refresh_false, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_options_are_suggested, setup, teardown),
		cmocka_unit_test_setup_teardown(options_of_another_command, setup, teardown),
		cmocka_unit_test_setup_teardown(scales, setup, teardown),
		cmocka_unit_test_setup_teardown(values_that_are_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_planned_for_later_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(after_two_dashes_all_are_arguments, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(environment_fills_what_is_not_given, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(help_is_aligned_and_honest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
