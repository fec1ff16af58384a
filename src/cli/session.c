#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/rehearse.h"
#include "remote/dts.h"
#include "sim/sim.h"

#ifndef DTSBATCH_BUILD_TIME
#define DTSBATCH_BUILD_TIME 0
#endif

#define SIM_KEY_ID "simulated-key"
#define SIM_KEY_SECRET "simulated-secret"
#define SIM_SCALE                                                                                  \
	4.0 /* a first run takes a few seconds: long enough to be seen, short enough to be liked */
#define SETTLE_MS (5 * 60000)
#define RESPONSE_MAX ((size_t)64 << 20)

static double env_number(const char *name, double otherwise)
{
	double d;

	return opt_scale(getenv(name), &d) ? d : otherwise;
}

/* ---- the simulator child ------------------------------------------------------ */

static int sim_read_port(int fd, int *port, struct err *e)
{
	char line[600];
	int64_t value = 0;
	size_t n = 0;
	ssize_t r;

	while (n < sizeof line - 1 && (r = read(fd, line + n, sizeof line - 1 - n)) > 0)
		n += (size_t)r;
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	if (text_starts(line, "ERR "))
		return err_set(e, ERR_STATE_READ, "%s", line + 4);
	if (text_int(line, 1, 65535, &value))
		*port = (int)value;
	return *port > 0 ? 0 : err_set(e, ERR_FAILED, "the simulator did not start");
}

static int sim_begin(struct session *s, struct err *e)
{
	struct sim_opts o = {
		.key_id = SIM_KEY_ID, .key_secret = SIM_KEY_SECRET, .region = s->region};
	int ready[2], life[2], port = 0;

	/* Beside the real state file, also when its name is a link. */
	o.world_path = state_world_path(&s->c->a, state_path(s->state));
	o.time_scale = env_number("DTSBATCH_SIM_SCALE", SIM_SCALE);
	o.scenario_path = getenv("DTSBATCH_SIM_SCENARIO");
	o.log_path = getenv("DTSBATCH_SIM_LOG");
	o.discard = !s->writes;
	o.seed = s->seed;
	if (pipe(ready) || pipe(life))
		return err_set(e, ERR_FAILED, "no pipe for the simulator: %s", strerror(errno));
	ui_flush(&s->c->ui);
	s->sim = fork();
	if (s->sim < 0)
		return err_set(e, ERR_FAILED, "no process for the simulator: %s", strerror(errno));
	if (s->sim == 0) {
		close(ready[0]);
		close(life[1]);
		state_detach(s->state);
		s->c->leave(sim_run_child(&o, ready[1], life[0]));
		BUG("the simulator outlived its end");
	}
	close(ready[1]);
	close(life[0]);
	s->sim_life = life[1];
	if (sim_read_port(ready[0], &port, e)) {
		close(ready[0]);
		return -1;
	}
	close(ready[0]);
	s->endpoint_url = arena_printf(&s->c->a, "http://127.0.0.1:%d", port);
	s->one_endpoint = true;
	s->host = arena_printf(&s->c->a, "127.0.0.1:%d", port);
	s->loopback = true;
	return 0;
}

static void sim_end(struct session *s)
{
	int status;

	if (s->sim <= 0)
		return;
	close(s->sim_life);
	while (waitpid(s->sim, &status, 0) < 0 && errno == EINTR)
		;
	s->sim = 0;
}

/* ---- where ------------------------------------------------------------------------ */

/* Every region has its host, unless one was named for all: then it had better be one place. */
static int check_regions(struct session *s, struct err *e)
{
	const struct batch *b = &s->l.b;

	for (size_t i = 0; i < b->n; i++) {
		const char *region = b->v[i].region;

		if (!region || text_eq(region, s->region))
			continue;
		if (!s->one_endpoint && !dts_region_host(region, false)) {
			err_set(e, ERR_MANIFEST, "%s: no endpoint is known for the region %s",
			        b->v[i].address, region);
			return err_hint(
				e, "name one: --endpoint HOST, or `endpoint = HOST` in [dtsbatch]");
		}
		if (s->one_endpoint && !s->loopback) {
			ui_warning(
				&s->c->ui,
				"%s lies in %s, but the endpoint %s was named for all: lists that are "
				"asked at the host of another region are empty",
				b->v[i].address, region, s->host);
			break;
		}
	}
	return 0;
}

static int find_endpoint(struct session *s, struct err *e)
{
	const struct options *o = &s->c->o;
	const char *given = o->endpoint ? o->endpoint : s->l.b.set.endpoint;

	s->one_endpoint = given != NULL;
	if (!given) {
		if (!s->region) {
			err_set(e, ERR_MANIFEST, "no region");
			return err_hint(e, "`region = cn-hangzhou` in [dtsbatch], or --region");
		}
		given = dts_region_host(s->region, false);
		if (!given) {
			err_set(e, ERR_MANIFEST, "no endpoint is known for the region %s",
			        s->region);
			return err_hint(
				e, "name it: --endpoint HOST, or `endpoint = HOST` in [dtsbatch]");
		}
	}
	if (http_endpoint(&s->c->a, given, &s->endpoint_url, &s->host, &s->loopback, e))
		return -1;
	if (text_starts(s->endpoint_url, "http://") && !s->loopback && !o->insecure_http) {
		err_set(e, ERR_USAGE, "%s is plain HTTP: keys and passwords would travel readable",
		        s->endpoint_url);
		return err_hint(e, "use https, or allow it with --insecure-http");
	}
	return check_regions(s, e);
}

/* The public and VPC hosts of a region count as one; so does every loopback port. */
static const char *home_endpoint(const struct session *s)
{
	const char *pub = s->region ? dts_region_host(s->region, false) : NULL;
	const char *vpc = s->region ? dts_region_host(s->region, true) : NULL;

	if (s->loopback)
		return "loopback";
	if (text_eq(s->host, pub) || text_eq(s->host, vpc) || text_eq(s->host, "dts.aliyuncs.com"))
		return "documented";
	return s->host;
}

static int check_home(struct session *s, struct err *e)
{
	const struct state_home *h = state_home(s->state);
	bool other_region = h->region && s->region && !text_eq(h->region, s->region);
	bool other_endpoint = h->endpoint && !text_eq(h->endpoint, s->home_endpoint);

	if ((other_region || other_endpoint) && !s->c->o.accept_endpoint) {
		err_subject(e, state_path(s->state));
		err_set(e, ERR_DENIED, "the state belongs to %s %s, this run goes to %s",
		        other_region ? "region" : "endpoint",
		        other_region ? h->region : h->endpoint, other_region ? s->region : s->host);
		return err_hint(
			e, "everything would look gone there; if it is meant, --accept-endpoint");
	}
	return 0;
}

void session_settle_home(struct session *s)
{
	const struct state_home *h = state_home(s->state);
	struct state_home now = {
		.account = h->account, .region = s->region, .endpoint = s->home_endpoint};

	if (!text_eq(h->region, now.region) || !text_eq(h->endpoint, now.endpoint))
		state_set_home(s->state, &now);
}

/* ---- opening ------------------------------------------------------------------------- */

static int open_state(struct session *s, struct err *e)
{
	const struct options *o = &s->c->o;
	struct state_opts so = {.path = s->l.state_path,
	                        .mode = s->writes ? STATE_WRITE : STATE_READ,
	                        .simulated = o->simulate,
	                        .last = s->rebuilds       ? LAST_PASSED
	                                : o->accept_state ? LAST_ACCEPTED
	                                                  : LAST_HEEDED,
	                        .command = s->c->command};
	const char *const *w;
	size_t n;

	so.lock_timeout_ms = o->lock_timeout_ms >= 0           ? o->lock_timeout_ms
	                     : s->l.b.set.lock_timeout_ms >= 0 ? s->l.b.set.lock_timeout_ms
	                                                       : 0;
	so.reserve = 65536 + s->l.b.n * 4096;
	if (state_open(&s->state, &so, e))
		return -1;
	w = state_warnings(s->state, &n);
	for (size_t i = 0; i < n; i++)
		ui_warning(&s->c->ui, "%s", w[i]);
	return 0;
}

/* A word as a shell takes it. */
static const char *shell_word(struct arena *a, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_./:,=+@%";

	return *word && !word[strspn(word, plain)] ? word : arena_printf(a, "'%s'", word);
}

/* Behind a command of a hint, so that it finds what this run was about. */
static void again(const struct session *s, const char **import, const char **state)
{
	const struct options *o = &s->c->o;
	struct arena *a = &s->c->a;
	const char *ask = o->simulate ? " --simulate" : "", *m = "";

	if (!s->c->ui.err_tty || !isatty(0))
		ask = arena_printf(a, "%s --yes", ask);
	for (size_t i = 0; i < o->args.n + o->files.n; i++)
		m = arena_printf(
			a, "%s -f %s", m,
			shell_word(a, i < o->args.n ? o->args.v[i] : o->files.v[i - o->args.n]));
	if (o->endpoint)
		m = arena_printf(a, "%s --endpoint %s", m, shell_word(a, o->endpoint));
	if (o->region)
		m = arena_printf(a, "%s --region %s", m, shell_word(a, o->region));
	if (o->vars.n)
		m = arena_printf(a, "%s --var ...", m);
	*state = arena_printf(a, " --state %s%s", shell_word(a, s->l.named_state), ask);
	*import = arena_printf(a, "%s%s%s%s", m, o->state ? " --state " : "",
	                       o->state ? shell_word(a, o->state) : "", ask);
}

static int open_run(struct session *s, unsigned flags, struct err *e)
{
	const struct options *o = &s->c->o;
	const struct settings *set = &s->l.b.set;
	struct http_opts ho = {.endpoint = s->endpoint_url,
	                       .cacert = o->cacert,
	                       .insecure_http = o->insecure_http,
	                       .max_connections = 64,
	                       .max_response_bytes = RESPONSE_MAX,
	                       .env = os_env,
	                       .build_time_s = DTSBATCH_BUILD_TIME};
	struct run_opts ro = {.region = s->region,
	                      .endpoint_url = s->endpoint_url,
	                      .host = s->host,
	                      .one_endpoint = s->one_endpoint,
	                      .net = &s->net,
	                      .cred = s->cred,
	                      .state = s->state,
	                      .batch = &s->l.b,
	                      .signal_fd = s->c->signal_fd,
	                      .verbose = o->verbose,
	                      .fail_fast = o->fail_fast,
	                      .destroys = flags & SESSION_DESTROYS,
	                      .poll_scale = 1};
	double scale = env_number("DTSBATCH_SIM_SCALE", SIM_SCALE);

	if (s->sim > 0)
		ro.poll_scale = scale > 0 ? 1 / scale : 0.02;
	if (s->loopback) { /* tests against a simulator with scaled time */
		ro.poll_scale = env_number("DTSBATCH_POLL_SCALE", ro.poll_scale);
		ro.timeout_scale = env_number("DTSBATCH_TIMEOUT_SCALE", 1);
	}
	ro.parallelism = o->parallelism > 0     ? o->parallelism
	                 : set->parallelism > 0 ? set->parallelism
	                                        : 32;
	ro.deadline_ms = o->deadline_ms >= 0 ? o->deadline_ms : set->deadline_ms;
	ro.settle_ms = set->settle_ms >= 0
	                       ? set->settle_ms
	                       : (int64_t)(SETTLE_MS * (s->sim > 0 ? ro.poll_scale : 1));
	again(s, &ro.again_import, &ro.again_state);
	ro.adopt_ask = text_eq(set->adopt, "ask");
	ro.obs = (struct observer){
		.ctx = &s->progress,
		.event = progress_event,
		.tick_ms = s->c->ui.err_tty && !s->c->ui.json && !s->c->ui.quiet ? 500 : 0};
	if (http_open(&s->net, &ho, e))
		return -1;
	s->net_open = true;
	s->run = run_new(&ro);
	return 0;
}

static int find_credential(struct session *s, struct err *e)
{
	if (!s->c->o.simulate)
		return cred_load(&s->cred, os_env, NULL, e);
	s->cred = (struct credential){.id = SIM_KEY_ID,
	                              .secret = secret_dup(SIM_KEY_SECRET, strlen(SIM_KEY_SECRET)),
	                              .expires_s = -1};
	return 0;
}

/* A plan may be reviewed without passwords; what is sent may not lack them. */
static int check_secrets(struct session *s, struct err *e)
{
	const struct batch *b = &s->l.b;
	struct diag d;

	diag_init(&d, &s->c->a);
	for (size_t i = 0; b->missing_secrets && i < b->n; i++)
		for (size_t k = 0; k < b->v[i].type->nattrs; k++)
			if (b->v[i].vals[k].state == V_MISSING)
				diag_error(&d, b->v[i].vals[k].pos,
				           "apply needs every secret; plan and validate do not",
				           "%s: %s", b->v[i].type->attrs[k].key,
				           b->v[i].vals[k].missing);
	ui_diag(&s->c->ui, &d);
	return d.errors ? err_set(e, ERR_MANIFEST, "%s", "") : 0;
}

int session_open(struct session *s, struct context *c, unsigned flags, struct err *e)
{
	*s = (struct session){.c = c,
	                      .writes = flags & SESSION_WRITES,
	                      .rebuilds = flags & SESSION_REBUILDS,
	                      .takes = flags & SESSION_TAKES};
	progress_init(&s->progress, &c->ui);
	if (c->o.simulate && c->o.endpoint) {
		err_set(e, ERR_USAGE,
		        "--simulate serves its own endpoint: --endpoint does not go with it");
		return err_hint(e, "leave out one of the two");
	}
	if (load_batch(&s->l, &c->a, &c->o, true, &c->ui, e))
		return -1;
	s->region = c->o.simulate && !s->l.b.region ? "cn-hangzhou" : s->l.b.region;
	if (((flags & SESSION_SECRETS) && check_secrets(s, e)) ||
	    (!c->o.simulate && find_endpoint(s, e)) || find_credential(s, e) || open_state(s, e) ||
	    (c->o.simulate && (rehearse_open(s, e) || sim_begin(s, e) || rehearse_begin(s, e))))
		return -1;
	s->home_endpoint = home_endpoint(s);
	if (check_home(s, e) || open_run(s, flags, e))
		return -1;
	s->recs.v = state_list(s->state, &s->recs.n);
	inventory_init(&s->inv, &c->a);
	return 0;
}

/* A record that was put in this run is replaced by the next put of its address, and the plan
 * refers to it for longer. */
static void hold_records(struct session *s)
{
	const struct record **copies;

	s->recs.v = state_list(s->state, &s->recs.n);
	if (!state_changed(s->state) && !state_dirty(s->state))
		return;
	copies = arena_array(&s->c->a, const struct record *, s->recs.n + 1);
	for (size_t i = 0; i < s->recs.n; i++)
		copies[i] = record_copy(&s->c->a, s->recs.v[i]);
	s->recs.v = copies;
}

int session_refresh(struct session *s, struct err *e)
{
	if (run_refresh(s->run, &s->l.b, &s->recs, &s->inv, e))
		return -1;
	if (s->writes && !s->takes && run_recover(s->run, &s->inv, e)) {
		if (e->code != ERR_DECISION)
			return -1;
		ui_error(&s->c->ui,
		         e); /* the rest goes on; the open question decides the exit status */
	}
	hold_records(s);
	return 0;
}

int session_close(struct session *s, struct err *e)
{
	int rc = 0;

	progress_release(&s->progress);
	run_free(s->run);
	s->run = NULL;
	if (s->net_open)
		s->net.close(s->net.ctx);
	state_abandon(s->rehearsed);
	if (s->state)
		rc = state_close(s->state, e);
	s->state = NULL;
	sim_end(s);
	return rc;
}
