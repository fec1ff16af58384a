#include "engine_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "model/batch.h"
#include "sim/sim.h"

struct arena eng_a;

static char dir[128];
static struct sim *sim;
static bool talk;
static unsigned dies_at; /* 0: lives */
static int port_told;    /* in a child: of the parent's simulator */

#define ENV_MAX 16

static struct {
	const char *name, *value;
} environment[ENV_MAX];
static size_t nenv;

void eng_env(const char *name, const char *value)
{
	size_t i = 0;

	while (i < nenv && !text_eq(environment[i].name, name))
		i++;
	assert_true(i < ENV_MAX);
	environment[i].name = name;
	environment[i].value = value;
	nenv += i == nenv;
}

static const char *env(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < nenv; i++)
		if (text_eq(environment[i].name, name))
			return environment[i].value;
	return NULL;
}

static int no_read(void *ctx, const char *file, const char *path, bool cred, struct buf *out,
                   struct err *e)
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

	if (dies_at && --dies_at == 0)
		_exit(9);
	if (ev->kind == EV_NOTE || ev->kind == EV_RETRY || (ev->kind == EV_OP_DONE && ev->err))
		snprintf(r->notes + n, sizeof r->notes - n, "%s: %s\n",
		         ev->op ? ev->op->address : "-",
		         ev->text && ev->kind != EV_OP_DONE ? ev->text
		         : ev->err                          ? ev->err->msg
		                                            : "");
	if (ev->kind == EV_OP_DONE && ev->err)
		snprintf(r->hints + strlen(r->hints), sizeof r->hints - strlen(r->hints), "%s\n",
		         ev->err->hint);
	for (size_t i = 0; i < ev->nitems; i++) {
		n = strlen(r->notes);
		snprintf(r->notes + n, sizeof r->notes - n, "item %s: %s\n", ev->items[i].item,
		         ev->items[i].message);
	}
	if (talk)
		fprintf(stderr, "# %lld %s kind %d step %s status %s %s\n",
		        (long long)ev->elapsed_ms, ev->op ? ev->op->address : "-", ev->kind,
		        ev->kind == EV_STEP ? step_def(ev->step)->verb : "",
		        ev->text ? ev->text : "", ev->err ? ev->err->msg : "");
}

const char *eng_file(const char *name)
{
	return arena_printf(&eng_a, "%s/%s", dir, name);
}

void eng_start(const char *scenario, double scale)
{
	struct sim_opts o = {.key_id = "test-id", .key_secret = "test-secret", .time_scale = scale};
	struct err e = {0};

	o.world_path = eng_file("w.json");
	o.log_path = eng_file("log");
	if (scenario) {
		o.scenario_path = eng_file("scenario");
		assert_int_equal(
			sys_replace_file(o.scenario_path, 0600, scenario, strlen(scenario)), 0);
	}
	if (sim_start(&sim, &o, &e))
		fail_msg("%s", e.msg);
}

void eng_stop(void)
{
	struct err e = {0};

	if (sim && sim_stop(sim, &e))
		fail_msg("%s", e.msg);
	sim = NULL;
}

static void read_batch(struct batch *b, struct diag *d, const char *text)
{
	struct manifest *m = arena_new(&eng_a, struct manifest);
	struct inputs *in = arena_new(&eng_a, struct inputs);
	struct batch_opts bo = {.in = in};

	*in = (struct inputs){.env = env, .read = no_read};
	manifest_init(m, &eng_a);
	diag_init(d, &eng_a);
	manifest_parse(m, "t.ini", text, strlen(text), d);
	batch_build(b, &eng_a, m, &bo, d);
}

const char *eng_said(const char *text)
{
	static const char *const levels[] = {
		[DIAG_NOTE] = "note", [DIAG_WARNING] = "warning", [DIAG_ERROR] = "error"};
	const char *out = "";
	struct batch b;
	struct diag d;

	read_batch(&b, &d, text);
	diag_sort(&d);
	for (size_t i = 0; i < d.n; i++)
		out = arena_printf(&eng_a, "%s%u:%u %s %s%s%s\n", out, d.v[i].pos.line,
		                   d.v[i].pos.col, levels[d.v[i].level], d.v[i].msg,
		                   d.v[i].hint ? " | " : "", d.v[i].hint ? d.v[i].hint : "");
	return out;
}

const char *eng_errors(const char *text)
{
	const char *out = "";
	struct batch b;
	struct diag d;

	read_batch(&b, &d, text);
	for (size_t i = 0; i < d.n; i++)
		if (d.v[i].level == DIAG_ERROR)
			out = arena_printf(&eng_a, "%s%u: %s\n", out, d.v[i].pos.line, d.v[i].msg);
	return out;
}

static const char *kept(const char *text)
{
	return text ? arena_strdup(&eng_a, text) : NULL;
}

/* What the plan took from the state outlives it. */
static void keep_plan(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct op *op = &p->ops[i];

		op->address = kept(op->address);
		op->have = op->have ? record_copy(&eng_a, op->have) : NULL;
		for (size_t k = 0; k < op->nchanges; k++) {
			op->changes[k].from = kept(op->changes[k].from);
			op->changes[k].to = kept(op->changes[k].to);
		}
	}
	for (size_t i = 0; i < p->norphans; i++)
		p->orphans[i] = kept(p->orphans[i]);
}

/* As a session does it: what recovery put is replaced by the run, and the plan refers to it for longer. */
static void hold_records(struct record_list *recs, struct state *st)
{
	const struct record *const *v = state_list(st, &recs->n);
	const struct record **copies = arena_array(&eng_a, const struct record *, recs->n + 1);

	for (size_t i = 0; i < recs->n; i++)
		copies[i] = record_copy(&eng_a, v[i]);
	recs->v = copies;
}

static void run_it(struct result *out, struct run *run, struct state *st, const struct batch *b,
                   struct plan_opts *po, bool apply, struct diag *d)
{
	struct inventory *inv = arena_new(&eng_a, struct inventory);
	struct record_list recs;
	int sig;

	inventory_init(inv, &eng_a);
	recs.v = state_list(st, &recs.n);
	if (run_refresh(run, b, &recs, inv, &out->e))
		fail_msg("refresh: %s", out->e.msg);
	if (apply && run_recover(run, inv, &out->e) && out->e.code != ERR_DECISION)
		fail_msg("recover: %s", out->e.msg);
	hold_records(&recs, st);
	po->fp_key = state_fp_key(st);
	plan_make(&out->p, &eng_a, b, &recs, inv, po, d);
	if (apply)
		out->bad = run_apply(run, &out->p, out->res, &out->worst, &sig, &out->e);
	out->stats = *run_stats(run);
	keep_plan(&out->p);
}

/*
 * ENG_HOSTS: every region has its host, as on the net; all of them are the simulator. The Host that was signed is sent along.
 */
static struct {
	struct transport real;
	const char *url;
} hosts;

static void submit_anywhere(void *ctx, const struct http_req *r)
{
	const char *headers[16], *host = strstr(r->url, "://") + 3, *region;
	struct http_req here = *r;

	assert_true(r->nheaders < 16);
	memcpy(headers, r->headers, r->nheaders * sizeof *headers);
	headers[here.nheaders++] = arena_printf(&eng_a, "Host: %s", host);
	here.headers = headers;
	here.url = hosts.url;
	region = strstr(r->query, "RegionId=");
	if (region && !strncmp(region, "RegionId=us-west-1", 18) !=
	                      text_eq(host, "dts.us-west-1.aliyuncs.com"))
		fail_msg("%s was sent to %s", r->query, host);
	hosts.real.submit(ctx, &here);
}

struct result *eng_run(const char *text, unsigned flags)
{
	struct result *out = arena_new(&eng_a, struct result);
	struct batch *b = arena_new(&eng_a, struct batch);
	bool apply = flags & ENG_APPLY;
	struct state_opts so = {.path = eng_file("s.state.json"),
	                        .command = "test",
	                        .mode = apply ? STATE_WRITE : STATE_READ};
	struct plan_opts po = {.destroy = flags & ENG_DESTROY,
	                       .prune = flags & ENG_PRUNE,
	                       .refresh = true,
	                       .now_ms = sys_wall_ms()};
	struct http_opts ho = {.max_connections = 16, .max_response_bytes = 64u << 20, .env = env};
	struct run_opts ro = {.region = "cn-hangzhou",
	                      .deadline_ms = -1,
	                      .settle_ms = 800,
	                      .signal_fd = -1,
	                      .destroys = flags & ENG_DESTROY,
	                      .poll_scale = 0.02};
	const char *bad = eng_errors(text);
	struct transport net;
	struct state *st;
	struct run *run;
	struct diag d;

	if (*bad)
		fail_msg("%s", bad);
	read_batch(b, &d, text);
	if (state_open(&st, &so, &out->e))
		fail_msg("%s", out->e.msg);
	ro.host = arena_printf(&eng_a, "127.0.0.1:%d", sim ? sim_port(sim) : port_told);
	ro.one_endpoint = true;
	ro.endpoint_url = ho.endpoint = arena_printf(&eng_a, "http://%s", ro.host);
	if (http_open(&net, &ho, &out->e) || cred_load(&ro.cred, env, NULL, &out->e))
		fail_msg("%s", out->e.msg);
	if (flags & ENG_HOSTS) {
		hosts.real = net;
		hosts.url = ro.endpoint_url;
		net.submit = submit_anywhere;
		ro.one_endpoint = false;
	}
	ro.net = &net;
	ro.state = st;
	ro.batch = b;
	ro.obs = (struct observer){.ctx = out, .event = on_event};
	ro.verbose = dies_at;
	run = run_new(&ro);
	run_it(out, run, st, b, &po, apply, &d);
	run_free(run);
	net.close(net.ctx);
	if (state_close(st, &out->e))
		fail_msg("close: %s", out->e.msg);
	return out;
}

struct result *eng_apply(const char *text)
{
	return eng_run(text, ENG_APPLY | ENG_PRUNE);
}

static void run_and_die(int ready, const char *text, unsigned k)
{
	if (read(ready, &port_told, sizeof port_told) != sizeof port_told)
		_exit(1);
	dies_at = k;
	eng_apply(text);
	_exit(0);
}

/* The child is made while there is one thread: a lock that the simulator holds would stay held in it. */
bool eng_start_killed(const char *scenario, double scale, const char *text, unsigned k)
{
	int ready[2], status, at;
	pid_t pid;

	assert_null(sim);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0)
		run_and_die(ready[0], text, k);
	assert_true(pid > 0);
	eng_start(scenario, scale);
	at = sim_port(sim);
	assert_int_equal(write(ready[1], &at, sizeof at), sizeof at);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 9))
		fail_msg("the run that was to be killed at %u ended by itself: %d", k, status);
	return WEXITSTATUS(status) == 9;
}

void eng_forget_state(void)
{
	unlink(eng_file("s.state.json"));
	unlink(eng_file("s.state.journal"));
	unlink(eng_file("s.state.key")); /* another host: this one would remember */
}

size_t eng_changes(const char *text)
{
	struct result *r = eng_run(text, ENG_PRUNE);

	for (size_t i = 0; i < r->p.n; i++)
		for (size_t k = 0; talk && k < r->p.ops[i].nchanges; k++)
			fprintf(stderr, "# %s %s: %s -> %s\n", r->p.ops[i].address,
			        r->p.ops[i].type->attrs[r->p.ops[i].changes[k].attr].key,
			        r->p.ops[i].changes[k].from, r->p.ops[i].changes[k].to);
	return r->p.n - r->p.count[OP_NOOP];
}

const char *eng_text(const char *name)
{
	const char *out = "";
	struct buf b;

	buf_init(&b, 64u << 20);
	if (sys_read_file(eng_file(name), &b) == 0)
		out = arena_strndup(&eng_a, buf_str(&b), b.n);
	buf_release(&b);
	return out;
}

struct json *eng_world(void)
{
	const char *text = eng_text("w.json");
	struct json *j = json_parse(&eng_a, text, strlen(text), NULL);

	assert_non_null(j);
	return j;
}

struct json *eng_control(const char *path)
{
	const char *ask = arena_printf(&eng_a, "GET /_sim/%s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n",
	                               path),
		   *body;
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)sim_port(sim)),
	                         .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct json *j;
	struct buf b;
	char part[4096];
	ssize_t n;

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(write(fd, ask, strlen(ask)), (ssize_t)strlen(ask));
	buf_init(&b, 64u << 20);
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_add(&b, part, (size_t)n);
	close(fd);
	body = strstr(buf_str(&b), "\r\n\r\n");
	assert_non_null(body);
	body = arena_strdup(&eng_a, body + 4);
	buf_release(&b);
	j = json_parse(&eng_a, body, strlen(body), NULL);
	if (!j || (json_get(j, "ok") && !json_true(json_get(j, "ok"))))
		fail_msg("control %s: %s", path, body);
	return j;
}

struct json **eng_log(size_t *n)
{
	const char *line = eng_text("log"), *end;
	VEC(struct json *) v = {0};

	for (; (end = strchr(line, '\n')); line = end + 1) {
		*VEC_PUSH(&eng_a, &v) = json_parse(&eng_a, line, (size_t)(end - line), NULL);
		assert_non_null(v.v[v.n - 1]);
	}
	*n = v.n;
	return v.v;
}

const struct record *eng_record(const char *address)
{
	struct state_opts so = {
		.path = eng_file("s.state.json"), .command = "test", .mode = STATE_READ};
	const struct record *r;
	struct state *st;
	struct err e = {0};

	if (state_open(&st, &so, &e))
		fail_msg("%s", e.msg);
	r = state_get(st, address);
	r = r ? record_copy(&eng_a, r) : NULL;
	if (state_close(st, &e))
		fail_msg("close: %s", e.msg);
	return r;
}

int eng_setup(void **state)
{
	(void)state;
	arena_init(&eng_a);
	snprintf(dir, sizeof dir, "%s/dtsbatch-engine-XXXXXX",
	         getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	talk = getenv("TALK") != NULL;
	nenv = 0;
	eng_env("ALIBABA_CLOUD_ACCESS_KEY_ID", "test-id");
	eng_env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "test-secret");
	eng_env("PW", "pass-word-1");
	eng_env("PW2", "pass-word-2");
	return mkdtemp(dir) ? 0 : -1;
}

static void remove_files(void)
{
	static const char *const files[] = {
		"w.json",          "log",         "scenario",    "s.state.json",
		"s.state.journal", "s.state.key", "s.state.lock"};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(eng_file(files[i]));
}

void eng_fresh(void)
{
	eng_stop();
	remove_files();
}

int eng_teardown(void **state)
{
	(void)state;
	eng_stop();
	remove_files();
	rmdir(dir);
	arena_release(&eng_a);
	return 0;
}
