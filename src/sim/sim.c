#include "sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/sys.h"
#include "sim/fields.h"
#include "sim/handle.h"
#include "sim/persist.h"
#include "sim/scenario.h"
#include "sim/serve.h"
#include "sim/world.h"

#define SAVE_EVERY_MS 1000
#define SAVE_SHARE 20 /* saving takes at most a twentieth of the time */

struct sim {
	struct world w;
	struct scenario sc[2];
	struct arena a; /* of the request being handled */
	struct server *server;
	char *world_path, *key_id, *key_secret, *region;
	double scale;
	bool durable, discard;
	int log_fd, stop[2];
	pthread_t thread;
	int64_t base_real, base_now; /* monotonic and service time at the start */
	uint64_t saved_changes;
	int64_t saved_ms, save_took_ms;
};

/* The service clock; with scale 0 it goes on like a real one, but nothing waits for it. */
static int64_t service_now(const struct sim *s)
{
	double scale = s->scale > 0 ? s->scale : 1;

	return s->base_now + (int64_t)((double)(sys_boot_ms() - s->base_real) * scale) +
	       s->w.advance_ms;
}

static int save(struct sim *s, struct err *e)
{
	int64_t begun = sys_now_ms();
	int rc;

	if (s->world_path == NULL || s->discard)
		return 0;
	s->w.now_ms = service_now(s);
	s->w.wall_ms = sys_wall_ms();
	rc = world_save(&s->w, s->world_path, e);
	s->saved_changes = s->w.changes;
	s->saved_ms = sys_now_ms();
	s->save_took_ms = s->saved_ms - begun;
	return rc;
}

static void on_request(void *ctx, struct sim_request *rq, struct sim_response *out)
{
	struct sim *s = ctx;
	struct err e = {0};

	rq->now_ms = service_now(s);
	rq->wall_ms = sys_wall_ms();
	arena_reset(&s->a);
	sim_handle(&s->w, &s->a, rq, out);
	out->clock_offset_ms = s->w.sc->clock_offset_ms;
	if (s->durable && s->w.changes != s->saved_changes && save(s, &e) != 0)
		fprintf(stderr, "simulator: %s\n", e.msg);
	if (s->log_fd >= 0 && out->log.n > 0) {
		buf_putc(&out->log, '\n');
		if (sys_write_all(s->log_fd, buf_str(&out->log), out->log.n) != 0) {
			fprintf(stderr, "simulator: request log: %s\n", strerror(errno));
			close(s->log_fd);
			s->log_fd = -1;
		}
	}
}

static void on_idle(void *ctx)
{
	struct sim *s = ctx;
	int64_t pause = s->save_took_ms * SAVE_SHARE > SAVE_EVERY_MS ? s->save_took_ms * SAVE_SHARE
	                                                             : SAVE_EVERY_MS;
	struct err e = {0};

	if (s->w.changes == s->saved_changes || sys_now_ms() - s->saved_ms < pause)
		return;
	if (save(s, &e) != 0)
		fprintf(stderr, "simulator: %s\n", e.msg);
}

static void sim_free(struct sim *s)
{
	if (s->server != NULL)
		server_close(s->server);
	if (s->log_fd >= 0)
		close(s->log_fd);
	for (int i = 0; i < 2; i++)
		if (s->stop[i] >= 0)
			close(s->stop[i]);
	world_release(&s->w);
	scenario_release(&s->sc[0]);
	scenario_release(&s->sc[1]);
	arena_release(&s->a);
	str_set(&s->world_path, NULL);
	str_set(&s->key_id, NULL);
	str_set(&s->key_secret, NULL);
	str_set(&s->region, NULL);
	sys_free(s);
}

static int load_world(struct sim *s, const struct sim_opts *o, struct err *e)
{
	if (s->world_path != NULL && (o->seed == NULL || access(s->world_path, F_OK) == 0))
		return world_load(&s->w, s->world_path, e);
	if (o->seed == NULL)
		return 0;
	if (world_parse(&s->w, o->seed, strlen(o->seed), "the seed", e) != 0)
		return -1;
	/* At once: whoever handed it over goes on to rely on it. */
	return s->world_path != NULL && !s->discard ? world_save(&s->w, s->world_path, e) : 0;
}

static int load(struct sim *s, const struct sim_opts *o, struct err *e)
{
	int64_t away;
	bool bad = o->scenario_path != NULL && scenario_load(&s->sc[0], o->scenario_path, e) != 0;

	world_init(&s->w, &s->sc[0]); /* seeded by the scenario; of a bad one, to be released */
	if (bad)
		return -1;
	s->w.spare = &s->sc[1];
	s->w.instant = o->time_scale <= 0;
	s->w.now_ms = s->w.wall_ms = sys_wall_ms();
	s->w.key_id = s->key_id;
	s->w.key_secret = s->key_secret;
	if (s->region != NULL)
		s->w.region = s->region;
	if (load_world(s, o, e) != 0)
		return -1;
	/* Service time went on while no simulator ran. */
	away = sys_wall_ms() - s->w.wall_ms;
	s->base_real = sys_boot_ms();
	s->base_now = s->w.now_ms +
	              (int64_t)((double)(away > 0 ? away : 0) * (s->scale > 0 ? s->scale : 1));
	s->saved_changes = s->w.changes;
	return 0;
}

static int sim_open(struct sim **out, const struct sim_opts *o, struct err *e)
{
	struct sim *s = sys_malloc(sizeof(*s));

	memset(s, 0, sizeof(*s));
	s->log_fd = s->stop[0] = s->stop[1] = -1;
	scenario_init(&s->sc[0]);
	scenario_init(&s->sc[1]);
	arena_init(&s->a);
	s->scale = o->time_scale;
	s->durable = o->durable;
	s->discard = o->discard;
	str_set(&s->world_path, o->world_path);
	str_set(&s->key_id, o->key_id);
	str_set(&s->key_secret, o->key_secret);
	str_set(&s->region, o->region);
	if (load(s, o, e) != 0)
		goto fail;
	if (o->log_path != NULL) {
		s->log_fd = sys_open(o->log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		if (s->log_fd < 0) {
			err_set(e, ERR_FAILED, "request log %s: %s", o->log_path, strerror(errno));
			goto fail;
		}
	}
	if (server_open(&s->server, o->host != NULL ? o->host : "127.0.0.1", o->port, on_request,
	                on_idle, s, e) != 0)
		goto fail;
	*out = s;
	return 0;
fail:
	sim_free(s);
	return -1;
}

static void *thread_main(void *arg)
{
	struct sim *s = arg;

	server_loop(s->server, s->stop[0]);
	return NULL;
}

int sim_start(struct sim **out, const struct sim_opts *o, struct err *e)
{
	struct sim *s;
	sigset_t all, old;
	int rc;

	if (sim_open(&s, o, e) != 0)
		return -1;
	if (pipe2(s->stop, O_CLOEXEC) != 0) {
		err_set(e, ERR_FAILED, "pipe: %s", strerror(errno));
		sim_free(s);
		return -1;
	}
	sigfillset(&all); /* signals are for the caller's thread */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, thread_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		err_set(e, ERR_FAILED, "thread: %s", strerror(rc));
		sim_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

int sim_port(const struct sim *s)
{
	return server_port(s->server);
}

int sim_stop(struct sim *s, struct err *e)
{
	int rc;

	if (write(s->stop[1], "x", 1) != 1)
		BUG("the stop pipe of the simulator is broken");
	pthread_join(s->thread, NULL);
	rc = save(s, e);
	sim_free(s);
	return rc;
}

int sim_run_child(const struct sim_opts *o, int ready_fd, int life_fd)
{
	struct err e = {0};
	struct sim *s;
	char line[1100];
	int n, rc;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	rc = sim_open(&s, o, &e);
	n = rc == 0 ? snprintf(line, sizeof(line), "%d\n", sim_port(s))
	            : snprintf(line, sizeof(line), "ERR %s\n", e.msg);
	if (sys_write_all(ready_fd, line, (size_t)n) != 0 && rc == 0) {
		sim_free(s);
		return err_exit_status(ERR_FAILED);
	}
	close(ready_fd);
	if (rc != 0)
		return err_exit_status(e.code);
	server_loop(s->server, life_fd);
	rc = save(s, &e);
	if (rc != 0)
		fprintf(stderr, "simulator: %s\n", e.msg);
	sim_free(s);
	return rc == 0 ? 0 : err_exit_status(e.code);
}
