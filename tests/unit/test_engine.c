/*
 * The engine against the simulator in one process: manifest text in, world
 * changed, state written. What the program does around it (options, output)
 * is tested end to end in tests/e2e.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "model/batch.h"
#include "model/plan.h"
#include "run/exec.h"
#include "sim/sim.h"

static char dir[128];
static struct arena A;
static struct sim *sim;
static bool talk;

struct result {
	struct plan p;
	enum op_result res[64];
	enum err_code worst;
	struct err e;
	size_t bad;
	struct run_stats stats;
	char notes[8192];
};

static const char *env(void *ctx, const char *name)
{
	(void)ctx;
	if (text_eq(name, "ALIBABA_CLOUD_ACCESS_KEY_ID"))
		return "test-id";
	if (text_eq(name, "ALIBABA_CLOUD_ACCESS_KEY_SECRET"))
		return "test-secret";
	return text_eq(name, "PW") ? "pass-word-1" : text_eq(name, "PW2") ? "pass-word-2" : NULL;
}

static int no_read(void *ctx, const char *file, const char *path, bool cred, struct buf *out, struct err *e)
{
	(void)ctx;
	(void)file;
	(void)cred;
	(void)out;
	return err_set(e, ERR_MANIFEST, "no file %s", path);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct result *r = ctx;
	size_t n = strlen(r->notes);

	if (ev->kind == EV_NOTE || ev->kind == EV_RETRY || (ev->kind == EV_OP_DONE && ev->err))
		snprintf(r->notes + n, sizeof r->notes - n, "%s: %s\n", ev->op ? ev->op->address : "-",
		         ev->text && ev->kind != EV_OP_DONE ? ev->text : ev->err ? ev->err->msg : "");
	if (talk)
		fprintf(stderr, "# %lld %s kind %d step %s status %s %s\n", (long long)ev->elapsed_ms,
		        ev->op ? ev->op->address : "-", ev->kind, ev->kind == EV_STEP ? step_def(ev->step)->verb : "",
		        ev->text ? ev->text : "", ev->err ? ev->err->msg : "");
}

static void start(const char *scenario, double scale)
{
	struct sim_opts o = {.key_id = "test-id", .key_secret = "test-secret", .time_scale = scale};
	struct err e = {0};

	o.world_path = arena_printf(&A, "%s/w.json", dir);
	o.log_path = arena_printf(&A, "%s/log", dir);
	if (scenario) {
		o.scenario_path = arena_printf(&A, "%s/scenario", dir);
		assert_int_equal(sys_replace_file(o.scenario_path, 0600, scenario, strlen(scenario)), 0);
	}
	if (sim_start(&sim, &o, &e))
		fail_msg("%s", e.msg);
}

static void stop(void)
{
	struct err e = {0};

	if (sim && sim_stop(sim, &e))
		fail_msg("%s", e.msg);
	sim = NULL;
}

static struct result *engine(const char *text, bool destroy, bool prune, bool apply)
{
	struct result *out = arena_new(&A, struct result);
	struct manifest m;
	struct batch b;
	struct diag d;
	struct inputs in = {.env = env, .read = no_read};
	struct batch_opts bo = {.in = &in};
	struct state_opts so = {.path = arena_printf(&A, "%s/s.state.json", dir), .command = "test",
	                        .mode = apply ? STATE_WRITE : STATE_READ};
	struct state *st;
	struct inventory inv;
	struct plan_opts po = {.destroy = destroy, .prune = prune, .refresh = true, .now_ms = sys_wall_ms()};
	struct record_list recs;
	struct transport net;
	struct http_opts ho = {.max_connections = 16, .max_response_bytes = 64u << 20, .env = env};
	struct run_opts ro = {.region = "cn-hangzhou", .deadline_ms = -1, .settle_ms = 800, .signal_fd = -1, .poll_scale = 0.02};
	struct run *run;
	int sig;

	manifest_init(&m, &A);
	diag_init(&d, &A);
	manifest_parse(&m, "t.ini", text, strlen(text), &d);
	batch_build(&b, &A, &m, &bo, &d);
	for (size_t i = 0; i < d.n; i++)
		if (d.v[i].level == DIAG_ERROR)
			fail_msg("%u: %s", d.v[i].pos.line, d.v[i].msg);
	if (state_open(&st, &so, &out->e))
		fail_msg("%s", out->e.msg);
	ro.endpoint_url = ho.endpoint = arena_printf(&A, "http://127.0.0.1:%d", sim_port(sim));
	ro.host = arena_printf(&A, "127.0.0.1:%d", sim_port(sim));
	if (http_open(&net, &ho, &out->e) || cred_load(&ro.cred, env, NULL, &out->e))
		fail_msg("%s", out->e.msg);
	ro.net = &net;
	ro.state = st;
	ro.batch = &b;
	ro.obs = (struct observer){out, on_event};
	run = run_new(&ro);
	inventory_init(&inv, &A);
	recs.v = state_list(st, &recs.n);
	if (run_refresh(run, &b, &recs, &inv, &out->e))
		fail_msg("refresh: %s", out->e.msg);
	if (apply && run_recover(run, &inv, &out->e) && out->e.code != ERR_DECISION)
		fail_msg("recover: %s", out->e.msg);
	recs.v = state_list(st, &recs.n);
	po.fp_key = state_fp_key(st);
	plan_make(&out->p, &A, &b, &recs, &inv, &po, &d);
	if (apply)
		out->bad = run_apply(run, &out->p, out->res, &out->worst, &sig, &out->e);
	out->stats = *run_stats(run);
	run_free(run);
	net.close(net.ctx);
	if (state_close(st, &out->e))
		fail_msg("close: %s", out->e.msg);
	return out;
}

static struct result *apply(const char *text)
{
	return engine(text, false, true, true);
}

static size_t changes(const char *text)
{
	struct result *r = engine(text, false, true, false);

	for (size_t i = 0; i < r->p.n; i++)
		for (size_t k = 0; talk && k < r->p.ops[i].nchanges; k++)
			fprintf(stderr, "# %s %s: %s -> %s\n", r->p.ops[i].address,
			        r->p.ops[i].type->attrs[r->p.ops[i].changes[k].attr].key, r->p.ops[i].changes[k].from,
			        r->p.ops[i].changes[k].to);
	return r->p.n - r->p.count[OP_NOOP];
}

static struct json *world(void)
{
	struct buf b;
	struct json *j;

	buf_init(&b, 64u << 20);
	assert_int_equal(sys_read_file(arena_printf(&A, "%s/w.json", dir), &b), 0);
	j = json_parse(&A, arena_strndup(&A, buf_str(&b), b.n), b.n, NULL);
	buf_release(&b);
	assert_non_null(j);
	return j;
}

static size_t live_instances(void)
{
	size_t n = 0;
	const struct json *list = json_get(world(), "instances");

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

#define ASSERT_DONE(r)                                                                             \
	do {                                                                                       \
		if ((r)->bad)                                                                      \
			fail_msg("%zu not done: %s", (r)->bad, (r)->notes);                        \
	} while (0)

static void a_whole_life(void **s)
{
	const char *one = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "");
	const char *two = HEAD INSTANCE("a", "") JOBX("a", "a", "a2", "crm", "PW2", RUNNING "instance_class = small\n");
	struct result *r;

	(void)s;
	start(NULL, 0);
	r = apply(one);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 1);
	assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], 1);
	assert_int_equal(r->stats.by_action[API_START_DTS_JOB] + r->stats.by_action[API_START_DTS_JOBS], 0);
	assert_int_equal(changes(one), 0);
	r = apply(two);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_MODIFY_DTS_JOB_NAME], 1);
	assert_int_equal(r->stats.by_action[API_MODIFY_DTS_JOB_PASSWORD], 1);
	assert_int_equal(r->stats.by_action[API_MODIFY_DTS_JOB], 1);
	assert_int_equal(r->stats.mutating, 3);
	assert_int_equal(changes(two), 0);
	r = apply(HEAD INSTANCE("a", "") JOBX("a", "a", "a2", "crm", "PW2", "status = Suspending\n"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.mutating, 1);
	r = apply(two);
	ASSERT_DONE(r);
	r = apply(HEAD INSTANCE("a", "") JOBX("a", "a", "a2", "crm", "PW2", RUNNING "instance_class = small\n"
	                                      "reserve = {\"targetTableMode\": \"2\"}\nsource_endpoint_ssl = 1\n"));
	ASSERT_DONE(r);
	r = engine(two, true, false, true);
	ASSERT_DONE(r);
	stop();
	assert_int_equal(live_instances(), 0);
}

static void with_time_and_lag(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "") INSTANCE("b", "") JOB("b", "b", "shop", "");

	(void)s;
	start(NULL, 20);
	ASSERT_DONE(apply(text));
	assert_int_equal(changes(text), 0);
	ASSERT_DONE(apply(HEAD INSTANCE("a", "") JOB("a", "a9", "crm", "") INSTANCE("b", "") JOB("b", "b", "shop", "")));
	ASSERT_DONE(engine(text, true, false, true));
	stop();
	assert_int_equal(live_instances(), 0);
}

static void job_goes_instance_stays(void **s)
{
	(void)s;
	start(NULL, 0);
	ASSERT_DONE(apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "")));
	ASSERT_DONE(apply(HEAD INSTANCE("a", "")));
	ASSERT_DONE(apply(HEAD INSTANCE("a", "") JOB("a", "again", "shop", "")));
	stop();
	assert_int_equal(live_instances(), 1);
}

static void replacement_keeps_the_instance(void **s)
{
	struct result *r;

	(void)s;
	start(NULL, 0);
	ASSERT_DONE(apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "dts_bis_label = normal\n")));
	r = apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "dts_bis_label = online\nreplace = allowed\n"));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 0);
	assert_int_equal(r->stats.by_action[API_RESET_DTS_JOB], 1);
	assert_int_equal(changes(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "dts_bis_label = online\n")), 0);
	stop();
	assert_int_equal(live_instances(), 1);
}

static void created_suspended_is_never_started(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOBX("a", "a", "a", "shop", "PW", "status = Suspending\n");
	struct result *r;

	(void)s;
	start(NULL, 0);
	r = apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.mutating, 2);
	assert_int_equal(changes(text), 0);
	stop();
}

static void precheck_fails_with_items(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "");
	struct result *r;

	(void)s;
	start("[precheck.x]\njob = a\nitem = CHECK_BINLOG_ON\ntimes = 1\nmessage = binlog is off\n", 20);
	r = apply(text);
	assert_int_equal(r->bad, 1);
	assert_non_null(strstr(r->notes, "precheck failed"));
	/* mended on the database: the next run starts it, buys nothing, loses nothing */
	r = apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 0);
	stop();
	assert_int_equal(live_instances(), 1);
}

static void runtime_parameters_converge(void **s)
{
#define PARAMS(v) "job_parameters = [{\"module\": \"07\", \"name\": \"sink.batch.size.maximum\", \"value\": " v "}]\n"
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", PARAMS("\"128\""));
	struct result *r;

	(void)s;
	start(NULL, 0);
	r = apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_MODIFY_DTS_JOB_CONFIG], 1);
	assert_int_equal(changes(text), 0);
	assert_int_equal(changes(HEAD INSTANCE("a", "") JOB("a", "a", "shop", PARAMS("128"))), 0);
	r = apply(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "job_parameters = []\n"));
	ASSERT_DONE(r);
	assert_int_equal(changes(HEAD INSTANCE("a", "") JOB("a", "a", "shop", "job_parameters = []\n")), 0);
	stop();
}

static void two_way_pair(void **s)
{
	const char *text = HEAD INSTANCE("p", "sync_architecture = bidirectional\n")
	    JOBX("f", "p", "fwd", "shop", "PW", RUNNING "synchronization_direction = Forward\n")
	        JOBX("r", "p", "rev", "shop", "PW", RUNNING "synchronization_direction = Reverse\n");
	const char *other = HEAD INSTANCE("p", "sync_architecture = bidirectional\n")
	    JOBX("f", "p", "fwd", "shop", "PW", RUNNING "synchronization_direction = Forward\n")
	        JOBX("r", "p", "rev", "crm", "PW", RUNNING "synchronization_direction = Reverse\n");
	struct result *r;

	(void)s;
	start(NULL, 0);
	r = apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 1);
	assert_int_equal(r->stats.by_action[API_CONFIGURE_DTS_JOB], 2);
	assert_int_equal(changes(text), 0);
	assert_int_equal(changes(other), 1);
	ASSERT_DONE(apply(other));
	assert_int_equal(changes(other), 0);
	ASSERT_DONE(engine(other, true, false, true));
	stop();
	assert_int_equal(live_instances(), 0);
}

static void lost_purchase_is_found(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "") INSTANCE("b", "") JOB("b", "b", "shop", "");
	struct result *r;

	(void)s;
	start("[fault.x]\naction = CreateDtsInstance\nnth = 1\ndo = cut-after\n", 0);
	r = apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 2);
	assert_int_equal(changes(text), 0);
	stop();
	assert_int_equal(live_instances(), 2);
}

static void purchase_that_never_arrived_is_made_again(void **s)
{
	const char *text = HEAD INSTANCE("a", "");
	struct result *r;

	(void)s;
	start("[fault.x]\naction = CreateDtsInstance\nnth = 1\ndo = cut-before\n", 0);
	r = apply(text);
	ASSERT_DONE(r);
	assert_int_equal(r->stats.by_action[API_CREATE_DTS_INSTANCE], 2);
	stop();
	assert_int_equal(live_instances(), 1);
}

static void a_stranger_is_not_adopted(void **s)
{
	const char *text = HEAD INSTANCE("a", "");
	struct result *r;

	(void)s;
	/* ours does not arrive, a stranger buys the same at that moment: the fence forbids to take it */
	start("[fault.x]\naction = CreateDtsInstance\nnth = 1\ndo = cut-before\n"
	      "[stranger]\nafter = CreateDtsInstance\nevery = 1\nmax = 1\n", 0);
	r = apply(text);
	ASSERT_DONE(r);
	assert_int_equal(changes(text), 0);
	stop();
	assert_int_equal(live_instances(), 2);
}

static void too_many_candidates_need_a_decision(void **s)
{
	struct result *r;

	(void)s;
	start("[fault.x]\naction = CreateDtsInstance\nnth = 1\ndo = cut-after\n"
	      "[stranger]\nafter = CreateDtsInstance\nevery = 1\nmax = 1\n", 0);
	r = apply(HEAD INSTANCE("a", ""));
	assert_int_equal(r->bad, 1);
	assert_int_equal(r->worst, ERR_DECISION);
	stop();
	assert_int_equal(live_instances(), 2);
}

static void import_plans_clean(void **s)
{
	const char *text = HEAD INSTANCE("a", "") JOB("a", "a", "shop", "");
	struct result *r;
	const struct json *i;

	(void)s;
	start(NULL, 0);
	ASSERT_DONE(apply(text));
	stop();
	i = json_get(world(), "instances")->child;
	unlink(arena_printf(&A, "%s/s.state.json", dir));
	unlink(arena_printf(&A, "%s/s.state.journal", dir));
	start(NULL, 0);
	r = apply(arena_printf(&A, HEAD INSTANCE("a", "import_id = %s\n") JOB("a", "a", "shop", "import_id = %s\n"),
	                       json_str(i, "id"), json_str(i, "forward")));
	ASSERT_DONE(r);
	assert_int_equal(r->stats.mutating, 0);
	assert_int_equal(changes(text), 0);
	stop();
	assert_int_equal(live_instances(), 1);
}

static int setup(void **s)
{
	(void)s;
	arena_init(&A);
	snprintf(dir, sizeof dir, "%s/dtsbatch-engine-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	talk = getenv("TALK") != NULL;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **s)
{
	static const char *const files[] = {"w.json", "log", "scenario", "s.state.json", "s.state.journal", "s.state.key",
	                                    "s.state.lock"};

	(void)s;
	stop();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(arena_printf(&A, "%s/%s", dir, files[i]));
	rmdir(dir);
	arena_release(&A);
	return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
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
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
