/*
 * The engine against the simulator in one process: manifest text in, world
 * changed, state written. What the program does around it (options, output)
 * is tested end to end in tests/e2e.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "engine_fixture.h"

static size_t live_instances(void)
{
	size_t n = 0;
	const struct json *list = json_get(eng_world(), "instances");

	for (const struct json *i = list->child; i; i = i->next)
		n += !json_get(i, "gone_ms") || json_get(i, "gone_ms")->i == 0;
	return n;
}

#define HEAD "[dtsbatch]\nregion = cn-hangzhou\n"
#define INSTANCE(name, more)                                                                       \
	"[synchronization_instance." name "]\n"                                                    \
	"payment_type = PayAsYouGo\nsource_endpoint_engine_name = MySQL\n"                         \
	"source_endpoint_region = ${region}\ndestination_endpoint_engine_name = MySQL\n"           \
	"destination_endpoint_region = ${region}\ninstance_class = small\n" more
#define JOBX(name, inst, jobname, db, pw, more)                                                    \
	"[synchronization_job." name "]\n"                                                         \
	"dts_instance_id = ${synchronization_instance." inst ".id}\n"                              \
	"dts_job_name = " jobname "\nsource_endpoint_instance_type = RDS\n"                        \
	"source_endpoint_instance_id = rm-a\nsource_endpoint_engine_name = MySQL\n"                \
	"source_endpoint_region = ${region}\nsource_endpoint_user_name = u\n"                      \
	"source_endpoint_password = ${env:" pw "}\ndestination_endpoint_instance_type = RDS\n"     \
	"destination_endpoint_instance_id = rm-b\ndestination_endpoint_engine_name = MySQL\n"      \
	"destination_endpoint_region = ${region}\ndestination_endpoint_user_name = u\n"            \
	"destination_endpoint_password = ${env:PW}\nstructure_initialization = true\n"             \
	"data_initialization = true\ndata_synchronization = true\n"                                \
	"db_list = {\"" db "\": {\"name\": \"" db "\", \"all\": true}}\n" more
#define RUNNING "status = Synchronizing\n"
#define JOB(name, jobname, db, more) JOBX(name, name, jobname, db, "PW", RUNNING more)

static void a_whole_life(void **s)
{
	const char *one = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "");
	const char *two = HEAD INSTANCE("a", "")
		JOBX("a", "a", "a2", "crm", "PW2", RUNNING "instance_class = small\n");
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	r = eng_apply(one);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 1);
	assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], 1);
	assert_int_equal(
		r->stats.by_action[API_START_DTS_JOB] + r->stats.by_action[API_START_DTS_JOBS], 0);
	assert_int_equal(eng_changes(one), 0);
	r = eng_apply(two);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_MODIFY_DTS_JOB_NAME], 1);
	assert_int_equal(r->stats.by_action[API_MODIFY_DTS_JOB_PASSWORD], 1);
	assert_int_equal(r->stats.by_action[API_MODIFY_DTS_JOB], 1);
	assert_int_equal(r->stats.mutating, 3);
	assert_int_equal(eng_changes(two), 0);
	r = eng_apply(HEAD INSTANCE("a", "")
	                      JOBX("a", "a", "a2", "crm", "PW2", "status = Suspending\n"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.mutating, 1);
	r = eng_apply(two);
	ASSERT_DONE(r);
	r = eng_apply(HEAD INSTANCE("a", "") JOBX(
		"a", "a", "a2", "crm", "PW2",
		RUNNING "instance_class = small\n"
			"reserve = {\"targetTableMode\": \"2\"}\nsource_endpoint_ssl = 1\n"));
	ASSERT_DONE(r);
	r = eng_run(two, ENG_DESTROY | ENG_APPLY);
	ASSERT_DONE(r);
	eng_stop();
	assert_int_equal(live_instances(), 0);
}

static void with_time_and_lag(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "") INSTANCE("b", "")
		JOB("b", "b", "shop", "");

	(void)s;
	eng_start(NULL, 20);
	ASSERT_DONE(eng_apply(text));
	assert_int_equal(eng_changes(text), 0);
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "") JOB("a", "a9", "crm", "") INSTANCE("b", "")
	                              JOB("b", "b", "shop", "")));
	ASSERT_DONE(eng_run(text, ENG_DESTROY | ENG_APPLY));
	eng_stop();
	assert_int_equal(live_instances(), 0);
}

static void job_goes_instance_stays(void **s)
{
	(void)s;
	eng_start(NULL, 0);
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "")));
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "")));
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "") JOB("a", "again", "shop", "")));
	eng_stop();
	assert_int_equal(live_instances(), 1);
}

static void replacement_keeps_the_instance(void **s)
{
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "")
	                              JOB("a", "a", "shop", "dts_bis_label = normal\n")));
	r = eng_apply(HEAD INSTANCE("a", "")
	                      JOB("a", "a", "shop", "dts_bis_label = online\nreplace = allowed\n"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 0);
	assert_int_equal(r->stats.by_action[API_RESET_DTS_JOB], 1);
	assert_int_equal(eng_changes(HEAD INSTANCE("a", "")
	                                     JOB("a", "a", "shop", "dts_bis_label = online\n")),
	                 0);
	eng_stop();
	assert_int_equal(live_instances(), 1);
}

static void created_suspended_is_never_started(void **s)
{
	const char *text =
		HEAD INSTANCE("a", "") JOBX("a", "a", "a", "shop", "PW", "status = Suspending\n");
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	r = eng_apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.mutating, 2);
	assert_int_equal(eng_changes(text), 0);
	eng_stop();
}

static void precheck_fails_with_items(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "");
	struct result *r;

	(void)s;
	eng_start(
		"[precheck.x]\njob = a\nitem = CHECK_BINLOG_ON\ntimes = 1\nmessage = binlog is off\n",
		20);
	r = eng_apply(text);
	assert_int_equal(r->bad, 1);
	assert_non_null(strstr(r->notes, "precheck failed"));
	/* mended on the database: the next run starts it, buys nothing, loses nothing */
	r = eng_apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 0);
	eng_stop();
	assert_int_equal(live_instances(), 1);
}

static void runtime_parameters_converge(void **s)
{
#define PARAMS(v)                                                                                     \
	"job_parameters = [{\"module\": \"07\", \"name\": \"sink.batch.size.maximum\", \"value\": " v \
	"}]\n"
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", PARAMS("\"128\""));
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	r = eng_apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_MODIFY_DTS_JOB_CONFIG], 1);
	assert_int_equal(eng_changes(text), 0);
	assert_int_equal(eng_changes(HEAD INSTANCE("a", "") JOB("a", "a", "shop", PARAMS("128"))),
	                 0);
	r = eng_apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "job_parameters = []\n"));
	ASSERT_DONE(r);
	assert_int_equal(
		eng_changes(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "job_parameters = []\n")),
		0);
	eng_stop();
}

static void two_way_pair(void **s)
{
	const char *text = HEAD INSTANCE("p", "sync_architecture = bidirectional\n")
		JOBX("f", "p", "fwd", "shop", "PW", RUNNING "synchronization_direction = Forward\n")
			JOBX("r", "p", "rev", "shop", "PW",
	                     RUNNING "synchronization_direction = Reverse\n");
	const char *other = HEAD INSTANCE("p", "sync_architecture = bidirectional\n") JOBX(
		"f", "p", "fwd", "shop", "PW", RUNNING "synchronization_direction = Forward\n")
		JOBX("r", "p", "rev", "crm", "PW", RUNNING "synchronization_direction = Reverse\n");
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	r = eng_apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 1);
	assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], 2);
	assert_int_equal(eng_changes(text), 0);
	assert_int_equal(eng_changes(other), 1);
	ASSERT_DONE(eng_apply(other));
	assert_int_equal(eng_changes(other), 0);
	ASSERT_DONE(eng_run(other, ENG_DESTROY | ENG_APPLY));
	eng_stop();
	assert_int_equal(live_instances(), 0);
}

static void lost_purchase_is_found(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "") INSTANCE("b", "")
		JOB("b", "b", "shop", "");
	struct result *r;

	(void)s;
	eng_start("[fault.x]\naction = CreateDtsInstance\nnth = 1\ndo = cut-after\n", 0);
	r = eng_apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 2);
	assert_int_equal(eng_changes(text), 0);
	eng_stop();
	assert_int_equal(live_instances(), 2);
}

static void purchase_that_never_arrived_is_made_again(void **s)
{
	const char *text = HEAD INSTANCE("a", "");
	struct result *r;

	(void)s;
	eng_start("[fault.x]\naction = CreateDtsInstance\nnth = 1\ndo = cut-before\n", 0);
	r = eng_apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 2);
	eng_stop();
	assert_int_equal(live_instances(), 1);
}

static void a_stranger_is_not_adopted(void **s)
{
	const char *text = HEAD INSTANCE("a", "");
	struct result *r;

	(void)s;
	/* ours does not arrive, a stranger buys the same at that moment: the fence forbids to take it */
	eng_start("[fault.x]\naction = CreateDtsInstance\nnth = 1\ndo = cut-before\n"
	          "[stranger]\nafter = CreateDtsInstance\nevery = 1\nmax = 1\n",
	          0);
	r = eng_apply(text);
	ASSERT_DONE(r);
	assert_int_equal(eng_changes(text), 0);
	eng_stop();
	assert_int_equal(live_instances(), 2);
}

static void too_many_candidates_need_a_decision(void **s)
{
	struct result *r;

	(void)s;
	eng_start("[fault.x]\naction = CreateDtsInstance\nnth = 1\ndo = cut-after\n"
	          "[stranger]\nafter = CreateDtsInstance\nevery = 1\nmax = 1\n",
	          0);
	r = eng_apply(HEAD INSTANCE("a", ""));
	assert_int_equal(r->bad, 1);
	assert_int_equal(r->worst, ERR_DECISION);
	eng_stop();
	assert_int_equal(live_instances(), 2);
}

static void import_plans_clean(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "");
	struct result *r;
	const struct json *i;

	(void)s;
	eng_start(NULL, 0);
	ASSERT_DONE(eng_apply(text));
	eng_stop();
	i = json_get(eng_world(), "instances")->child;
	unlink(eng_file("s.state.json"));
	unlink(eng_file("s.state.journal"));
	unlink(eng_file("s.state.key"));
	eng_start(NULL, 0);
	r = eng_apply(arena_printf(&eng_a,
	                           HEAD INSTANCE("a", "import_id = %s\n")
	                                   JOB("a", "a", "shop", "import_id = %s\n"),
	                           json_str(i, "id"), json_str(i, "forward")));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.mutating, 0);
	assert_int_equal(eng_changes(text), 0);
	eng_stop();
	assert_int_equal(live_instances(), 1);
}

#define MANY(status)                                                                               \
	INSTANCE("a", "")                                                                          \
	JOBX("a", "a", "a", "shop", "PW", status)                                                  \
	INSTANCE("b", "")                                                                          \
	JOBX("b", "b", "b", "shop", "PW", status)                                                  \
	INSTANCE("c", "") JOBX("c", "c", "c", "shop", "PW", status)

/* One call pauses three jobs, one deletes them, one page reads them all. */
static void few_calls(void **s)
{
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	ASSERT_DONE(eng_apply(HEAD MANY(RUNNING)));
	r = eng_apply(HEAD MANY("status = Suspending\n"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_SUSPEND_DTS_JOBS], 1);
	assert_int_equal(r->stats.mutating, 1);
	r = eng_run(HEAD MANY("status = Suspending\n") INSTANCE("d", ""), 0);
	assert_int_equal(r->stats.by_action[API_DESCRIBE_DTS_JOB_CONFIG], 0);
	assert_true(r->stats.calls <= 7);
	r = eng_run(HEAD MANY("status = Suspending\n"), ENG_APPLY | ENG_DESTROY);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_DELETE_DTS_JOBS], 1);
	eng_stop();
	assert_int_equal(live_instances(), 0);
}

/* Somebody reset and configured the job in the console: its id is another one, the instance tells (dts-api.md 13 #25). */
static void a_stale_job_id_is_found_again(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "");
	const struct record *r;
	struct json *i;

	(void)s;
	eng_start(NULL, 0);
	ASSERT_DONE(eng_apply(text));
	eng_stop();
	i = json_get(eng_world(), "instances")->child
	            ? (struct json *)(uintptr_t)json_get(eng_world(), "instances")->child
	            : NULL;
	assert_non_null(i);
	{ /* the world file is meant to be edited by hand */
		const char *world = eng_text("w.json"), *old = json_str(i, "forward"), *p;
		char *copy = arena_strdup(&eng_a, world);

		assert_int_equal(strlen(old), 15);
		for (char *q = copy; (q = strstr(q, old)); q += 15) {
			p = q - 3; /* not the instance id, which contains it */
			if (q >= copy + 3 && strncmp(p, "dts", 3) != 0)
				memcpy(q, "zzzzzzzzzzzzzzz", 15);
		}
		assert_int_equal(sys_replace_file(eng_file("w.json"), 0600, copy, strlen(copy)), 0);
	}
	eng_start(NULL, 0);
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "") JOB("a", "renamed", "shop", "")));
	r = eng_record("synchronization_job.a");
	assert_string_equal(r->id, "zzzzzzzzzzzzzzz");
	assert_int_equal(eng_changes(HEAD INSTANCE("a", "") JOB("a", "renamed", "shop", "")), 0);
	eng_stop();
	assert_int_equal(live_instances(), 1);
}

/* An alarm is changed by its rule, not by replacing a paid job (dts-api.md 13 #35). */
static void alarms_change_in_place(void **s)
{
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "")));
	r = eng_apply(HEAD INSTANCE("a", "")
	                      JOB("a", "a", "shop", "delay_notice = true\ndelay_rule_time = 30\n"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_JOB_MONITOR_RULE], 1);
	assert_int_equal(r->stats.mutating, 1);
	assert_int_equal(eng_changes(HEAD INSTANCE("a", "") JOB(
				 "a", "a", "shop", "delay_notice = true\ndelay_rule_time = 30\n")),
	                 0);
	eng_stop();
}

/* The class rises in place with one call, and never falls. */
static void the_class_rises(void **s)
{
	const char *large = HEAD
		"[synchronization_instance.a]\npayment_type = PayAsYouGo\n"
		"source_endpoint_engine_name = MySQL\nsource_endpoint_region = ${region}\n"
		"destination_endpoint_engine_name = MySQL\ndestination_endpoint_region = ${region}\n"
		"instance_class = large\n" JOB("a", "a", "shop", "instance_class = large\n");
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "")));
	r = eng_apply(large);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_TRANSFER_INSTANCE_CLASS], 1);
	assert_int_equal(eng_changes(large), 0);
	r = eng_apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", ""));
	assert_int_equal(r->bad, 1);
	assert_int_equal(r->stats.mutating, 0);
	assert_non_null(strstr(r->notes, "only rise"));
	eng_stop();
}

/* Tags of ours come and go; those of others stay. */
static void tags_come_and_go(void **s)
{
	struct result *r;

	(void)s;
	eng_start(NULL, 0);
	r = eng_apply(HEAD INSTANCE("a", "tags = team=a, env=prod\n"));
	ASSERT_DONE(r);
	assert_int_equal(eng_changes(HEAD INSTANCE("a", "tags = team=a, env=prod\n")), 0);
	r = eng_apply(HEAD INSTANCE("a", "tags = team=b\n"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_TAG_RESOURCES], 1);
	assert_int_equal(r->stats.by_action[API_UNTAG_RESOURCES], 1);
	assert_int_equal(eng_changes(HEAD INSTANCE("a", "tags = team=b\n")), 0);
	eng_stop();
}

/* An item on the allow-list is skipped once, and the job goes on. */
static void precheck_items_are_skipped_on_request(void **s)
{
	(void)s;
	eng_start("[precheck.x]\njob = a\nitem = CHECK_SAME_OBJ\nmessage = there already\n", 20);
	ASSERT_DONE(eng_apply(HEAD INSTANCE("a", "")
	                              JOB("a", "a", "shop", "skip_precheck = CHECK_SAME_OBJ\n")));
	eng_stop();
	assert_int_equal(live_instances(), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, eng_setup, eng_teardown)
	const struct CMUnitTest t[] = {
		T(a_whole_life),
		T(with_time_and_lag),
		T(job_goes_instance_stays),
		T(replacement_keeps_the_instance),
		T(created_suspended_is_never_started),
		T(precheck_fails_with_items),
		T(runtime_parameters_converge),
		T(two_way_pair),
		T(lost_purchase_is_found),
		T(purchase_that_never_arrived_is_made_again),
		T(a_stranger_is_not_adopted),
		T(too_many_candidates_need_a_decision),
		T(import_plans_clean),
		T(few_calls),
		T(a_stale_job_id_is_found_again),
		T(alarms_change_in_place),
		T(the_class_rises),
		T(tags_come_and_go),
		T(precheck_items_are_skipped_on_request),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
