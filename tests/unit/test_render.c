/* What people and machines see, rendered into buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "batch_fixture.h"
#include "cli/render.h"

static struct bfx f;
static struct ui u;
static struct plan p;
static struct inventory inv;

static const struct fx_pair env[] = {
	{"SRC", "source-5ecret"}, {"DST", "target-5ecret"}, {NULL, NULL}};

#define MANIFEST                                                                                   \
	"[dtsbatch]\nregion = cn-hangzhou\n"                                                       \
	"[synchronization_instance.i]\n"                                                           \
	"payment_type = PayAsYouGo\nsource_endpoint_engine_name = MySQL\n"                         \
	"source_endpoint_region = ${region}\ndestination_endpoint_engine_name = MySQL\n"           \
	"destination_endpoint_region = ${region}\ninstance_class = small\n"                        \
	"[synchronization_job.j]\n"                                                                \
	"dts_instance_id = ${synchronization_instance.i.id}\n"                                     \
	"dts_job_name = 订单\nsource_endpoint_instance_type = RDS\n"                             \
	"source_endpoint_instance_id = rm-a\nsource_endpoint_engine_name = MySQL\n"                \
	"source_endpoint_region = ${region}\nsource_endpoint_user_name = u\n"                      \
	"source_endpoint_password = ${env:SRC}\ndestination_endpoint_instance_type = RDS\n"        \
	"destination_endpoint_instance_id = rm-b\ndestination_endpoint_engine_name = MySQL\n"      \
	"destination_endpoint_region = ${region}\ndestination_endpoint_user_name = u\n"            \
	"destination_endpoint_password = ${env:DST}\nstructure_initialization = true\n"            \
	"data_initialization = true\ndata_synchronization = true\n"                                \
	"db_list = {\"shop\":{\"name\":\"shop\",\"all\":true}}\n"

static int setup(void **state)
{
	struct plan_opts o = {.refresh = true};
	struct record_list recs = {0};

	(void)state;
	bfx_init(&f);
	f.env = env;
	bfx_batch(&f, MANIFEST);
	ui_init(&u, -1, -1);
	inventory_init(&inv, &f.a);
	plan_make(&p, &f.a, &f.b, &recs, &inv, &o, &f.d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ui_release(&u);
	bfx_release(&f);
	return 0;
}

static const struct plan_head head = {
	.command = "plan", .title = "m.ini", .region = "cn-hangzhou", .simulated = true};

static bool out_has(const char *text)
{
	return strstr(buf_str(&u.out), text) != NULL;
}

static bool err_has(const char *text)
{
	return strstr(buf_str(&u.err), text) != NULL;
}

static const struct op *op_of(const char *address)
{
	for (size_t i = 0; i < p.n; i++)
		if (text_eq(p.ops[i].address, address))
			return &p.ops[i];
	fail_msg("no %s", address);
	return NULL;
}

static void plan_for_people(void **state)
{
	(void)state;
	render_plan(&u, &p, &head);
	assert_true(out_has("dtsbatch plan: m.ini  (region cn-hangzhou, simulated)\n"));
	assert_true(out_has("  + synchronization_instance.i  create            pays\n"));
	assert_true(out_has("dts_job_name                        \"订单\"\n"));
	assert_true(out_has("dts_instance_id                     (known after apply)\n"));
	assert_true(out_has("source_endpoint_password            (secret)\n"));
	assert_true(out_has("Plan: 2 to create, 0 to update, 0 to delete; 0 unchanged.\n"));
	assert_false(out_has("5ecret"));
	assert_false(out_has("\x1b"));
	assert_false(out_has(" \n"));
	assert_int_equal(u.err.n, 0);
}

/* A change of what exists: from nothing, of protection, and what hangs on a refusal. */
static void plan_of_changes(void **state)
{
	struct change c[] = {{.attr = (uint16_t)attr_of(&type_job, "dedicated_cluster_id"),
	                      .to = "dtscluster-1"},
	                     {.attr = (uint16_t)attr_of(&type_job, "source_endpoint_password"),
	                      .from = "(secret)",
	                      .to = "(secret)",
	                      .not_verifiable = true},
	                     {.attr = (uint16_t)attr_of(&type_job, "data_check_configure"),
	                      .from = "{\"fullCheckRatio\":\"10\"}",
	                      .to = "{\"fullCheckRatio\":\"20\"}",
	                      .not_verifiable = true}};
	struct op ops[] = {{.kind = OP_UPDATE,
	                    .address = "synchronization_job.j",
	                    .type = &type_job,
	                    .changes = c,
	                    .nchanges = 3,
	                    .protect = PROTECT_OFF},
	                   {.kind = OP_REPLACE,
	                    .address = "synchronization_job.k",
	                    .type = &type_job,
	                    .impact = IMPACT_REPLACE,
	                    .blocked_by = "synchronization_instance.k"},
	                   {.kind = OP_REPLACE,
	                    .address = "synchronization_instance.k",
	                    .type = &type_instance,
	                    .impact = IMPACT_REPLACE,
	                    .refused = "no"}};
	struct plan q = {.ops = ops, .n = 3};

	(void)state;
	plan_count(&q);
	render_plan(&u, &q, &head);
	assert_true(out_has("dedicated_cluster_id      (not set) -> \"dtscluster-1\"\n"));
	assert_true(out_has("source_endpoint_password  (secret) -> (secret)  (not verifiable)\n"));
	assert_true(out_has("data_check_configure      ~ fullCheckRatio: \"10\" -> \"20\"\n"
	                    "                                (not verifiable)\n"));
	assert_true(out_has("protect                   true -> false\n"));
	assert_true(out_has("not done: synchronization_instance.k is not allowed\n"));
	assert_true(out_has("Plan: 0 to create, 1 to update, 0 to delete; 0 unchanged.\n"));
	assert_false(out_has("Impact:"));
	assert_true(out_has("1 change is not allowed (see above), 1 more hangs on that.\n"));
	buf_reset(&u.out);
	u.json = true;
	render_plan(&u, &q, &head);
	assert_true(out_has("{\"key\":\"protect\",\"from\":\"true\",\"to\":\"false\"}"));
	assert_true(out_has("\"blocked_by\":\"synchronization_instance.k\""));
	assert_true(out_has("\"refused\":1,\"blocked\":1"));
}

static void plan_with_colours(void **state)
{
	(void)state;
	u.out_color = true;
	render_plan(&u, &p, &head);
	assert_true(out_has("\x1b[32m+\x1b[0m"));
}

/* Each line is one strict JSON object with a version and a type. */
static void check_lines(size_t at_least)
{
	size_t n = 0;
	char *text = arena_strdup(&f.a, buf_str(&u.out));

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), n++) {
		struct json *o = json_parse(&f.a, line, strlen(line), NULL);

		assert_non_null(o);
		assert_int_equal(json_get(o, "v")->i, 1);
		assert_non_null(json_str(o, "type"));
	}
	assert_true(n >= at_least);
}

static void plan_for_machines(void **state)
{
	(void)state;
	u.json = true;
	render_plan(&u, &p, &head);
	check_lines(3);
	assert_true(out_has("\"type\":\"plan\",\"unchanged\":0,\"create\":2"));
	assert_false(out_has("5ecret"));
	assert_int_equal(u.err.n, 0);
}

static void foreign_text_is_made_safe(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_FAILED, "the service said \x1b[2J\x07 and more");
	err_subject(&e, "synchronization_job.j");
	err_hint(&e, "do \x1b]0;x");
	ui_error(&u, &e);
	assert_true(err_has("error: synchronization_job.j: the service said \\x1b[2J"));
	assert_false(err_has("\x1b"));
	assert_false(err_has("\x07"));
}

static void a_subject_is_said_once(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_STATE_READ, "x.state.json: damaged");
	err_subject(&e, "x.state.json");
	ui_error(&u, &e);
	assert_string_equal(buf_str(&u.err), "error: x.state.json: damaged\n");
}

static void diagnostics(void **state)
{
	struct diag d;

	(void)state;
	diag_init(&d, &f.a);
	for (int i = 0; i < 3; i++)
		diag_note(&d, (struct pos){"m.ini", 7, 1}, NULL, "by the way");
	diag_warn(&d, (struct pos){"m.ini", 3, 9}, "do this", "that is odd");
	ui_diag(&u, &d);
	assert_string_equal(buf_str(&u.err), "m.ini:3:9: warning: that is odd\n    do this\n");
	buf_reset(&u.err);
	u.notes = true;
	ui_diag(&u, &d);
	assert_true(err_has("m.ini:7:1: note: by the way (and 2 more like it)\n"));
	buf_reset(&u.err);
	u.json = true;
	ui_diag(&u, &d);
	assert_true(out_has(
		"{\"v\":1,\"type\":\"diagnostic\",\"level\":\"warning\",\"file\":\"m.ini\",\"line\":3,\"column\":9,"
		"\"message\":\"that is odd\",\"hint\":\"do this\"}\n"));
	check_lines(4);
	buf_reset(&u.out);
	u.quiet = true;
	ui_diag(&u, &d);
	assert_int_equal(u.out.n, 0);
}

static void progress_in_lines(void **state)
{
	struct progress pr;
	struct err e = {0};
	const struct precheck_failure item = {.item = "CHECK_SAME_OBJ",
	                                      .message = "no way there",
	                                      .repair = "open it",
	                                      .can_skip = true};
	const struct op *job = op_of("synchronization_job.j");

	(void)state;
	progress_init(&pr, &u);
	progress_plan(&pr, &f.a, &p);
	progress_event(
		&pr, &(struct event){
			     .kind = EV_STEP, .op = job, .step = DO_CONFIGURE, .elapsed_ms = 1200});
	progress_event(&pr, &(struct event){.kind = EV_TICK, .elapsed_ms = 1300});
	progress_event(&pr, &(struct event){.kind = EV_STATUS,
	                                    .op = job,
	                                    .text = "Prechecking",
	                                    .elapsed_ms = 2400});
	err_set(&e, ERR_FAILED, "the precheck failed");
	progress_event(&pr, &(struct event){.kind = EV_OP_DONE,
	                                    .op = job,
	                                    .result = RES_FAILED,
	                                    .err = &e,
	                                    .items = &item,
	                                    .nitems = 1,
	                                    .elapsed_ms = 65400});
	assert_true(err_has(
		"  1.2s  synchronization_job.j: configure\n  2.4s  synchronization_job.j: Prechecking\n"));
	assert_true(err_has(" 65.4s  synchronization_job.j: failed  (create)\n"));
	assert_false(err_has("no way there"));
	progress_end(&pr);
	assert_true(
		err_has("\nNot done:\n  failed    synchronization_job.j: the precheck failed\n"));
	assert_true(err_has("CHECK_SAME_OBJ  no way there\n"));
	assert_true(err_has("remedy: open it\n"));
	assert_true(err_has("skip_precheck = CHECK_SAME_OBJ\n"));
	assert_int_equal(u.out.n, 0);
	progress_release(&pr);
}

/* What is suggested would let the job start: with what is said already, and only when all that failed may be skipped. */
static void precheck_suggestions(void **state)
{
	static const struct precheck_failure items[] = {
		{.item = "CHECK_SAME_OBJ", .can_skip = true},
		{.item = "CHECK_SRC", .can_skip = true},
		{.item = "CHECK_TOPOLOGY", .never_skip = true},
		{.item = "CHECK_CONN_SRC", .can_skip = true}}; /* not for us to skip */
	const struct {
		size_t from, n;
		const char *skips, *line;
	} rows[] = {
		{0, 2, NULL, "      may be skipped: skip_precheck = CHECK_SAME_OBJ, CHECK_SRC\n"},
		{0, 2, "CHECK_SERVER_ID, CHECK_SRC",
	         "may be skipped: skip_precheck = CHECK_SERVER_ID, CHECK_SRC, CHECK_SAME_OBJ\n"},
		{0, 2, "CHECK_SRC,CHECK_SAME_OBJ", NULL},
		{1, 2, NULL, NULL},
		{1, 3, NULL, NULL},
		{2, 1, "CHECK_TOPOLOGY", "the service does not let it be skipped\n"},
	};
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_FAILED, "the precheck failed");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct progress pr;

		buf_reset(&u.err);
		progress_init(&pr, &u);
		progress_plan(&pr, &f.a, &p);
		progress_event(&pr, &(struct event){.kind = EV_OP_DONE,
		                                    .op = op_of("synchronization_job.j"),
		                                    .result = RES_FAILED,
		                                    .err = &e,
		                                    .items = items + rows[i].from,
		                                    .nitems = rows[i].n,
		                                    .skips = rows[i].skips});
		progress_end(&pr);
		assert_true(rows[i].line ? err_has(rows[i].line) : !err_has("skipped"));
		progress_release(&pr);
	}
}

/* A service that does not answer is told of, once in a while; one call that is repeated is not. */
static void silence_is_told(void **state)
{
	struct progress pr;
	struct event ev = {.kind = EV_RETRY, .text = "DescribeDtsJobs: no answer; again in 1 ms"};

	(void)state;
	progress_init(&pr, &u);
	progress_event(&pr, &ev); /* throttled */
	ev.tries = 1;
	progress_event(&pr, &ev);
	assert_false(err_has("no answer"));
	ev.tries = 2;
	progress_event(&pr, &ev);
	assert_true(err_has("no answer"));
	assert_int_equal(pr.said, 1);
	progress_event(&pr, &ev);
	assert_int_equal(pr.said, 1);
	pr.said_ms -= 60000;
	progress_event(&pr, &ev);
	assert_int_equal(pr.said, 2);
	u.quiet = true;
	pr.said_ms -= 60000;
	buf_reset(&u.err);
	progress_event(&pr, &ev);
	assert_int_equal(u.err.n, 0);
	progress_release(&pr);
}

static void progress_as_json(void **state)
{
	struct progress pr;
	const struct op *job = op_of("synchronization_job.j");

	(void)state;
	u.json = true;
	progress_init(&pr, &u);
	progress_plan(&pr, &f.a, &p);
	progress_event(
		&pr,
		&(struct event){.kind = EV_STEP, .op = job, .step = DO_WAIT_GONE, .elapsed_ms = 5});
	progress_event(&pr, &(struct event){.kind = EV_TICK});
	progress_event(&pr, &(struct event){.kind = EV_OP_DONE, .op = job, .result = RES_DECISION});
	progress_end(&pr);
	check_lines(2);
	assert_true(out_has(
		"\"type\":\"step\",\"elapsed_ms\":5,\"address\":\"synchronization_job.j\",\"step\":\"wait_for_release\""));
	assert_true(out_has("\"result\":\"decision_needed\""));
	assert_int_equal(u.err.n, 0);
	progress_release(&pr);
}

/* Cells of the longest line, escape sequences left out. */
static size_t widest(const char *text)
{
	size_t most = 0;
	struct buf line;

	buf_init(&line, 1 << 16);
	for (const char *s = text;; s++) {
		if (*s == '\x1b') {
			s += strcspn(s, "ABCDEFGHJKm");
			continue;
		}
		if (*s && *s != '\n') {
			buf_putc(&line, *s);
			continue;
		}
		if (text_width(buf_str(&line)) > most)
			most = text_width(buf_str(&line));
		buf_reset(&line);
		if (!*s)
			break;
	}
	buf_release(&line);
	return most;
}

static void live_table_fits(void **state)
{
	static const unsigned widths[] = {30, 50, 80, 200};
	const struct op *job = op_of("synchronization_job.j"),
			*inst = op_of("synchronization_instance.i");

	(void)state;
	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		struct progress pr;

		buf_reset(&u.err);
		u.err_tty = true; /* no descriptor behind it, so the size stays as set */
		u.width = widths[i];
		u.height = 8;
		progress_init(&pr, &u);
		progress_plan(&pr, &f.a, &p);
		progress_event(&pr, &(struct event){.kind = EV_STEP,
		                                    .op = inst,
		                                    .step = DO_BUY,
		                                    .total = 2,
		                                    .elapsed_ms = 200});
		progress_event(&pr, &(struct event){.kind = EV_STEP,
		                                    .op = job,
		                                    .step = DO_CONFIGURE,
		                                    .total = 2,
		                                    .elapsed_ms = 400});
		progress_event(&pr, &(struct event){.kind = EV_STATUS,
		                                    .op = job,
		                                    .text = "订单订单订单订单订单订单",
		                                    .total = 2,
		                                    .elapsed_ms = 600});
		assert_int_equal(pr.lines, 3);
		assert_true(widest(buf_str(&u.err)) < widths[i] || widths[i] == 30);
		assert_true(err_has("0 of 2 done"));
		progress_event(&pr, &(struct event){.kind = EV_OP_DONE,
		                                    .op = inst,
		                                    .result = RES_DONE,
		                                    .done = 1,
		                                    .total = 2,
		                                    .elapsed_ms = 601});
		assert_int_equal(pr.lines, 2);
		assert_true(err_has("1 of 2 done"));
		progress_end(&pr);
		assert_int_equal(pr.lines, 0);
		progress_release(&pr);
	}
}

static void summary_counts(void **state)
{
	enum op_result results[2] = {RES_DONE, RES_FAILED};
	struct run_stats stats = {.calls = 12, .mutating = 3, .apply_ms = 2500};
	struct summary s = {.p = &p,
	                    .results = results,
	                    .stats = &stats,
	                    .state_path = "x.state.json",
	                    .serial = 4};

	(void)state;
	assert_int_equal(p.n, 2);
	render_summary(&u, &s);
	assert_true(err_has("1 created, 1 failed, 0 unchanged. 12 API calls (3 changing)"));
	assert_true(err_has("State: x.state.json (serial 4)\n"));
	/* what was not tried because of it did not fail */
	results[0] = RES_BLOCKED;
	render_summary(&u, &s);
	assert_true(err_has("Ended with failures:"));
	assert_true(err_has(" 1 failed, 1 blocked by it, 0 unchanged."));
	/* a question is no failure; what recovery left open counts as well */
	results[0] = RES_DONE;
	results[1] = RES_DECISION;
	stats.undecided = 1;
	stats.calls = 1;
	render_summary(&u, &s);
	assert_true(err_has("Not decided:"));
	assert_true(err_has("1 created, 2 to decide, 0 unchanged. 1 API call (3 changing)"));
	results[1] = RES_FAILED;
	stats.undecided = 0;
	/* a disk that is full at the end */
	s.unsaved = s.in_journal = true;
	results[1] = RES_DONE;
	render_summary(&u, &s);
	assert_true(err_has("In the journal alone:"));
	assert_true(err_has("its journal does, and the next run folds it in"));
	s.in_journal = false;
	render_summary(&u, &s);
	assert_true(err_has("Not recorded:"));
	assert_true(err_has("State: x.state.json does not hold this\n"));
	s.unsaved = false;
	results[1] = RES_FAILED;
	u.json = true;
	render_summary(&u, &s);
	check_lines(1);
	assert_true(out_has("\"create\":1"));
	assert_true(out_has("\"failed\":1"));
	assert_true(out_has("\"undecided\":0"));
	assert_true(out_has("\"blocked\":0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plan_for_people, setup, teardown),
		cmocka_unit_test_setup_teardown(plan_of_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(plan_with_colours, setup, teardown),
		cmocka_unit_test_setup_teardown(plan_for_machines, setup, teardown),
		cmocka_unit_test_setup_teardown(foreign_text_is_made_safe, setup, teardown),
		cmocka_unit_test_setup_teardown(a_subject_is_said_once, setup, teardown),
		cmocka_unit_test_setup_teardown(diagnostics, setup, teardown),
		cmocka_unit_test_setup_teardown(progress_in_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(precheck_suggestions, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(progress_as_json, setup, teardown),
		cmocka_unit_test_setup_teardown(live_table_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(summary_counts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
