/*
 * Configure first, pay later (dts-api.md 3.2 B): the free job, its precheck, the
 * purchase for it. Whatever is refused, lost or killed on the way: nothing is paid
 * before the precheck passed, nothing is made twice, and no free job is left over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "engine_fixture.h"

#define ADDRESS "synchronization_job.a"
#define NO_SECTION "[dtsbatch]\nregion = cn-hangzhou\n"
#define FREE_X(db, more)                                                                           \
	NO_SECTION "[" ADDRESS "]\npayment_type = PayAsYouGo\ninstance_class = small\n"            \
		   "sync_architecture = oneway\n"                                                  \
		   "dts_job_name = orders\nsource_endpoint_instance_type = RDS\n"                  \
		   "source_endpoint_instance_id = rm-a\nsource_endpoint_engine_name = MySQL\n"     \
		   "source_endpoint_region = ${region}\nsource_endpoint_user_name = u\n"           \
		   "source_endpoint_password = ${env:PW}\ndestination_endpoint_instance_type = "   \
		   "RDS\n"                                                                         \
		   "destination_endpoint_instance_id = rm-b\n"                                     \
		   "destination_endpoint_engine_name = MySQL\n"                                    \
		   "destination_endpoint_region = ${region}\ndestination_endpoint_user_name = u\n" \
		   "destination_endpoint_password = ${env:PW}\nstructure_initialization = true\n"  \
		   "data_initialization = true\ndata_synchronization = true\n"                     \
		   "db_list = {\"" db "\": {\"name\": \"" db "\", \"all\": true}}\n" more
#define FREE(db) FREE_X(db, "status = Synchronizing\n")

static size_t alive(const char *what)
{
	const struct json *list = json_get(eng_control("world"), what);
	size_t n = 0;

	for (const struct json *i = list->child; i; i = i->next)
		n += !json_get(i, "gone_ms") || json_get(i, "gone_ms")->i == 0;
	return n;
}

/* So many instances and jobs exist; the only one is bought, has its final name and is recorded as done. */
static void check_left(size_t instances, size_t jobs)
{
	assert_int_equal(alive("instances"), instances);
	assert_int_equal(alive("jobs"), jobs);
}

static void check_well(const char *text)
{
	const struct record *r = eng_record(ADDRESS);
	const struct json *jobs = json_get(eng_control("world"), "jobs");
	const struct json *job = NULL;

	assert_non_null(r);
	assert_int_equal(r->step, STEP_DONE);
	assert_true(!text_empty(r->instance_id));
	for (const struct json *j = jobs->child; j; j = j->next)
		if (text_eq(json_str(j, "id"), r->job_id))
			job = j;
	assert_non_null(job);
	assert_string_equal(json_str(job, "name"), "orders");
	assert_int_equal(eng_changes(text), 0);
}

static void says(const struct result *r, const char *part)
{
	if (!strstr(r->notes, part))
		fail_msg("\"%s\" is not said: %s", part, r->notes);
}

/* Everything goes well: one configuration, one purchase, nothing else that costs. */
static void the_straight_way(void **s)
{
	const char *paused = FREE_X("shop", "status = Suspending\n");
	struct result *r;

	(void)s;
	eng_start(NULL, 20);
	r = eng_apply(FREE("shop"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], 1);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 1);
	check_well(FREE("shop"));
	check_left(1, 1);
	ASSERT_DONE(eng_run(FREE("shop"), ENG_APPLY | ENG_DESTROY));
	check_left(0, 0);
	/* bought, never started, and that is how it stays */
	r = eng_apply(paused);
	ASSERT_DONE(r);
	check_well(paused);
	check_left(1, 1);
	ASSERT_DONE(eng_apply(FREE("shop")));
	check_well(FREE("shop"));
	eng_stop();
}

#define FAILS(times)                                                                               \
	"[precheck.x]\njob = orders~*\nitem = CHECK_BINLOG_ON\ntimes = " times                     \
	"\nmessage = binlog "                                                                      \
	"is off\n"

static void failed_precheck(const char *times)
{
	struct result *r;

	eng_start(arena_printf(&eng_a, FAILS("%s"), times), 20);
	r = eng_apply(FREE("shop"));
	assert_int_equal(r->bad, 1);
	says(r, "the precheck failed");
	says(r, "item CHECK_BINLOG_ON: ");
	says(r, "binlog is off");
	assert_non_null(strstr(r->hints, "nothing was bought and nothing is to pay"));
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 0);
	assert_int_equal(eng_record(ADDRESS)->step, STEP_CONFIGURED_FREE);
	check_left(0, 1);
}

/* Mended on the database: the very same job is checked again and bought. */
static void precheck_fails_before_the_purchase(void **s)
{
	const char *job;
	struct result *r;

	(void)s;
	failed_precheck("1");
	job = eng_record(ADDRESS)->job_id;
	r = eng_apply(FREE("shop"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], 0);
	assert_string_equal(eng_record(ADDRESS)->job_id, job);
	check_well(FREE("shop"));
	check_left(1, 1);
	eng_stop();
}

/* Mended in the manifest: the free job is given up, another one is made, nothing is left over. */
static void mended_in_the_manifest(void **s)
{
	const char *job;
	struct result *r;

	(void)s;
	failed_precheck("1");
	job = eng_record(ADDRESS)->job_id;
	r = eng_apply(FREE("crm"));
	assert_int_equal(r->bad, 1); /* the new one fails its first precheck, too */
	assert_string_not_equal(eng_record(ADDRESS)->job_id, job);
	check_left(0, 1);
	r = eng_apply(FREE("crm"));
	ASSERT_DONE(r);
	check_well(FREE("crm"));
	check_left(1, 1);
	eng_stop();
}

/* A password that was wrong is part of the configuration as well; the name and the class are not. */
static void what_makes_it_anew(void **s)
{
	const char *job;
	struct result *r;

	(void)s;
	failed_precheck("2");
	job = eng_record(ADDRESS)->job_id;
	eng_env("PW", "another-pass-word");
	assert_int_equal(eng_apply(FREE("shop"))->bad, 1);
	assert_string_not_equal(eng_record(ADDRESS)->job_id, job);
	check_left(0, 1);
	job = eng_record(ADDRESS)->job_id;
	assert_int_equal(eng_apply(FREE("shop"))->bad, 1);
	assert_string_equal(eng_record(ADDRESS)->job_id, job);
	r = eng_apply(FREE_X("shop", "status = Synchronizing\ntags = team=a\n"));
	ASSERT_DONE(r);
	assert_string_equal(eng_record(ADDRESS)->job_id, job);
	check_well(FREE_X("shop", "status = Synchronizing\ntags = team=a\n"));
	check_left(1, 1);
	eng_stop();
}

/* The section goes: the free job is deleted, nothing was ever paid. */
static void given_up(void **s)
{
	struct result *r;

	(void)s;
	failed_precheck("0");
	r = eng_run(NO_SECTION, 0);
	assert_int_equal(r->p.norphans, 1);
	r = eng_apply(NO_SECTION);
	ASSERT_DONE(r);
	assert_int_equal(r->p.ops[0].kind, OP_DELETE);
	assert_false(r->p.ops[0].impact & IMPACT_STOPS_PAYING);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 0);
	assert_null(eng_record(ADDRESS));
	check_left(0, 0);
	eng_stop();
}

/* Deleted in the console: it is made anew, whatever on_gone says, as nothing was bought. */
static void deleted_elsewhere(void **s)
{
	struct result *r;

	(void)s;
	failed_precheck("1");
	eng_control(arena_printf(&eng_a, "delete?job=%s&forget=true", eng_record(ADDRESS)->job_id));
	r = eng_apply(FREE_X("shop", "status = Synchronizing\non_gone = forget\n"));
	assert_int_equal(r->bad, 1); /* its own first precheck */
	check_left(0, 1);
	ASSERT_DONE(eng_apply(FREE("shop")));
	check_left(1, 1);
	eng_stop();
}

#define FAULT(action, match, do) "[fault.x]\naction = " action "\n" match "nth = 1\ndo = " do "\n"

/* The free job's name is enough to find it in the same run, and tells that it never arrived. */
static void lost_configuration(void **s)
{
	struct result *r;

	(void)s;
	for (int after = 0; after < 2; after++) {
		eng_start(after ? FAULT("ConfigureDtsJob", "", "cut-after")
		                : FAULT("ConfigureDtsJob", "", "cut-before"),
		          20);
		r = eng_apply(FREE("shop"));
		ASSERT_DONE(r);
		assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], after ? 1 : 2);
		check_well(FREE("shop"));
		check_left(1, 1);
		eng_fresh();
	}
}

/* A job that bears the final name is somebody else's: neither looked at nor taken. */
static void a_namesake_is_left_alone(void **s)
{
	const char *other;
	struct result *r;

	(void)s;
	eng_start("[fault.x]\naction = ConfigureDtsJob\nnth = 2\ndo = cut-after\n", 20);
	ASSERT_DONE(eng_apply(FREE("shop")));
	other = eng_record(ADDRESS)->job_id;
	eng_forget_state();
	r = eng_apply(FREE("shop"));
	ASSERT_DONE(r);
	assert_string_not_equal(eng_record(ADDRESS)->job_id, other);
	check_well(FREE("shop"));
	check_left(2, 2);
	eng_stop();
}

/* The account cannot pay: said so, the free job stays, the next run buys for it. */
static void refused_purchase(void **s)
{
	const char *job;
	struct result *r;

	(void)s;
	eng_start(FAULT("CreateDtsInstance", "", "code:LXBuyError:403"), 20);
	r = eng_apply(FREE("shop"));
	assert_int_equal(r->bad, 1);
	says(r, "LXBuyError");
	assert_non_null(strstr(r->hints, "cannot pay"));
	assert_non_null(strstr(r->hints, "nothing was paid; the free job"));
	assert_int_equal(eng_record(ADDRESS)->step, STEP_CONFIGURED_FREE);
	check_left(0, 1);
	job = eng_record(ADDRESS)->job_id;
	r = eng_apply(FREE("shop"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], 0);
	assert_int_equal(r->stats.by_action[API_START_DTS_JOB], 0); /* it passed its precheck */
	assert_string_equal(eng_record(ADDRESS)->job_id, job);
	check_well(FREE("shop"));
	check_left(1, 1);
	eng_stop();
}

static void lost_purchase(void **s)
{
	struct result *r;

	(void)s;
	for (int after = 0; after < 2; after++) {
		eng_start(after ? FAULT("CreateDtsInstance", "", "cut-after")
		                : FAULT("CreateDtsInstance", "", "cut-before"),
		          20);
		r = eng_apply(FREE("shop"));
		ASSERT_DONE(r);
		assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], after ? 1 : 2);
		check_well(FREE("shop"));
		check_left(1, 1);
		eng_fresh();
	}
}

/* Killed at anything it does: the next run ends well, with one job and one instance. */
static void killed_anywhere(void **s)
{
	unsigned k;

	(void)s;
	for (k = 1;; k++) {
		bool killed;
		struct result *r;

		killed = eng_start_killed(NULL, 200, FREE("shop"), k);
		if (killed) {
			r = eng_apply(FREE("shop"));
			if (r->bad)
				fail_msg("killed at %u: %s", k, r->notes);
			if (alive("instances") != 1 || alive("jobs") != 1)
				fail_msg("killed at %u: %zu instances and %zu jobs", k,
				         alive("instances"), alive("jobs"));
		}
		check_well(FREE("shop"));
		eng_fresh();
		if (!killed)
			break;
	}
	assert_true(k > 12); /* it was killed at all */
}

/* And when nobody wants it any more: nothing is left, paid or free. */
static void killed_and_given_up(void **s)
{
	(void)s;
	for (unsigned k = 1;; k++) {
		bool killed;

		killed = eng_start_killed(NULL, 200, FREE("shop"), k);
		if (killed) {
			struct result *r = eng_apply(NO_SECTION);

			if (r->bad || alive("instances") || alive("jobs"))
				fail_msg("killed at %u: %zu instances and %zu jobs are left: %s", k,
				         alive("instances"), alive("jobs"), r->notes);
		}
		eng_fresh();
		if (!killed)
			break;
	}
}

/* The answer of any one call is missed, with or without its effect: in the end there is one job, bought once. */
static void any_answer_lost(void **s)
{
	static const char *const how[] = {"cut-before", "cut-after", "garbage"};
	size_t n;

	(void)s;
	for (unsigned k = 1, calls = 1; k <= calls; k++) {
		for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
			struct result *r;

			eng_start(arena_printf(&eng_a, "[fault.x]\naction = *\nnth = %u\ndo = %s\n",
			                       k, how[i]),
			          200);
			r = eng_apply(FREE("shop"));
			if (r->bad)
				fail_msg("%s of call %u: %s", how[i], k, r->notes);
			eng_log(&n);
			calls = (unsigned)n;
			if (alive("instances") != 1 || alive("jobs") != 1)
				fail_msg("%s of call %u: %zu instances and %zu jobs", how[i], k,
				         alive("instances"), alive("jobs"));
			check_well(FREE("shop"));
			eng_fresh();
		}
	}
}

/* The service's nodes were busy: nothing was made, and it is asked again, not looked for. */
static void busy_is_tried_again(void **s)
{
	struct result *r;

	(void)s;
	eng_start("[fault.x]\naction = ConfigureDtsJob\ncount = 2\ndo = code:SQLExecuteError:403\n"
	          "[fault.y]\naction = CreateDtsInstance\nnth = 1\ndo = code:SQLExecuteError:403\n",
	          2000);
	r = eng_apply(FREE("shop"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], 3);
	assert_true(r->stats.by_action[API_DESCRIBE_DTS_JOB_DETAIL] < 30);
	check_left(1, 1);
	check_well(FREE("shop"));
}

/* Bought with the word not to start it, and no status: that is where it rests. */
static void not_started_and_no_status(void **s)
{
	const char *text = FREE_X("shop", "auto_start = false\n");
	struct result *r;

	(void)s;
	eng_start(NULL, 2000);
	r = eng_apply(text);
	ASSERT_DONE(r);
	assert_int_equal(eng_changes(text), 0);
	assert_string_equal(eng_record(ADDRESS)->status, "PreCheckPass");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, eng_setup, eng_teardown)
	const struct CMUnitTest t[] = {
		T(the_straight_way),
		T(busy_is_tried_again),
		T(not_started_and_no_status),
		T(precheck_fails_before_the_purchase),
		T(mended_in_the_manifest),
		T(what_makes_it_anew),
		T(given_up),
		T(deleted_elsewhere),
		T(lost_configuration),
		T(a_namesake_is_left_alone),
		T(refused_purchase),
		T(lost_purchase),
		T(any_answer_lost),
		T(killed_anywhere),
		T(killed_and_given_up),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
