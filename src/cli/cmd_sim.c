/* simulator: serve until a signal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/load.h"
#include "sim/sim.h"

static int key_pair(struct context *c, struct sim_opts *o, struct err *e)
{
	const char *keys = c->o.keys, *colon = keys ? strchr(keys, ':') : NULL;

	if (keys) {
		if (!colon || colon == keys || !colon[1])
			return err_set(e, ERR_USAGE, "--keys takes ID:SECRET");
		o->key_id = arena_strndup(&c->a, keys, (size_t)(colon - keys));
		o->key_secret = colon + 1;
		return 0;
	}
	o->key_id = os_env(NULL, "ALIBABA_CLOUD_ACCESS_KEY_ID");
	o->key_secret = os_env(NULL, "ALIBABA_CLOUD_ACCESS_KEY_SECRET");
	if (text_empty(o->key_id) || text_empty(o->key_secret)) {
		err_set(e, ERR_USAGE, "the simulator needs a key pair to accept");
		return err_hint(
			e,
			"--keys ID:SECRET, or ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET");
	}
	return 0;
}

int cmd_simulator(struct context *c)
{
	struct sim_opts o = {.port = c->o.port > 0 ? (int)c->o.port : 0,
	                     .scenario_path = c->o.scenario,
	                     .log_path = c->o.log,
	                     .world_path = c->o.world,
	                     .time_scale = c->o.time_scale >= 0 ? c->o.time_scale : 1};
	struct err e = {0};
	struct sim *sim;
	unsigned char sig;

	if (key_pair(c, &o, &e) || sim_start(&sim, &o, &e))
		return cmd_fail(c, &e);
	if (c->ui.json) {
		struct json *j = ui_line(&c->ui, "simulator");

		ui_int(&c->ui, j, "port", sim_port(sim));
		ui_emit(&c->ui, j);
	} else {
		ui_out(&c->ui, "http://127.0.0.1:%d\n", sim_port(sim));
		ui_err(&c->ui,
		       "The simulator serves until SIGTERM or Ctrl-C. For clients: --endpoint http://127.0.0.1:%d\n",
		       sim_port(sim));
	}
	ui_flush(&c->ui);
	while (read(c->signal_fd, &sig, 1) < 0 && errno == EINTR)
		;
	if (sim_stop(sim, &e))
		return cmd_fail(c, &e);
	return 0;
}
