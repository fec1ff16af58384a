/*
 * Control operations below /_sim/, for tests: look at the world and change it behind the client's
 * back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/fault.h"
#include "sim/fields.h"
#include "sim/handle.h"
#include "sim/persist.h"
#include "sim/scenario.h"
#include "sim/world.h"

static void reply(struct sim_response *out, int status, const char *text)
{
	buf_reset(&out->body);
	buf_puts(&out->body, "{\"ok\": ");
	buf_puts(&out->body, status == 200 ? "true" : "false");
	buf_puts(&out->body, ", \"message\": ");
	json_write_str(&out->body, text);
	buf_puts(&out->body, "}\n");
	out->status = status;
}

/* ?job=ID&field=F&value=V or ?instance=ID&...: fields as in the world file. */
static void do_set(struct world *w, const struct params *p, struct sim_response *out)
{
	const char *field = params_get(p, "field"), *value = params_get(p, "value");
	struct job *j = world_job(w, params_get(p, "job"));
	struct instance *i = world_instance(w, params_get(p, "instance"));
	bool ok;

	if (j == NULL && i == NULL) {
		reply(out, 404, "no such job or instance");
		return;
	}
	if (field == NULL || value == NULL) {
		reply(out, 400, "field and value are needed");
		return;
	}
	if (j != NULL && strcmp(field, "status") == 0) {
		j->next.n = 0; /* it stays what it was made */
		j->past_resuming = false;
	}
	if (j != NULL && strcmp(field, "status") == 0 && st_parse(value) == ST_SUSPENDING)
		j->suspended_ms = w->now_ms;
	ok = j != NULL ? fields_set(job_fields, job_nfields, j, field, value)
	               : fields_set(instance_fields, instance_nfields, i, field, value);
	w->changes++;
	reply(out, ok ? 200 : 400, ok ? "set" : "no such field, or a wrong value");
}

static void do_delete(struct world *w, const struct params *p, struct sim_response *out)
{
	struct instance *i = world_instance(w, params_get(p, "instance"));
	struct job *j = world_job(w, params_get(p, "job"));

	if (i == NULL && j == NULL) {
		reply(out, 404, "no such job or instance");
		return;
	}
	if (i != NULL)
		instance_release(w, i);
	else
		job_release(w, j);
	if (text_eq(params_get(p, "forget"), "true")) { /* not even Finished is left */
		if (i != NULL)
			i->gone_ms = -(INT64_C(1) << 60);
		for (size_t k = 0; k < w->job.n; k++)
			if (w->job.v[k] == j ||
			    (i != NULL && text_eq(w->job.v[k]->instance, i->id)))
				w->job.v[k]->gone_ms = -(INT64_C(1) << 60);
	}
	w->changes++;
	reply(out, 200, "released");
}

/* ?like=INSTANCE, default the last bought one; &configure=true. */
static void do_stranger(struct world *w, const struct params *p, struct sim_response *out)
{
	const char *like = params_get(p, "like");
	const struct instance *of = world_instance(w, like != NULL ? like : w->last_purchase);

	if (of == NULL) {
		reply(out, 404, "no such instance");
		return;
	}
	stranger_buys(w, of, text_eq(params_get(p, "configure"), "true"));
	w->changes++;
	reply(out, 200, "bought");
}

static void do_scenario(struct world *w, const struct sim_request *rq, struct sim_response *out)
{
	struct scenario *fresh = w->spare;
	struct err e = {0};

	if (w->spare == NULL) {
		reply(out, 400, "this world has a fixed scenario");
		return;
	}
	scenario_init(fresh);
	if (scenario_parse(fresh, "POST", rq->body, rq->body_n, &e) != 0) {
		scenario_release(fresh);
		reply(out, 400, e.msg);
		return;
	}
	scenario_release(w->sc);
	w->spare = w->sc;
	w->sc = fresh;
	reply(out, 200, "scenario in force");
}

bool control_handle(struct world *w, struct arena *a, const struct sim_request *rq,
                    const struct params *p, struct sim_response *out)
{
	const char *what = p->path + strlen("/_sim/"), *s = params_get(p, "seconds");
	int64_t n;

	(void)a;
	out->type = "application/json";
	out->status = 200;
	if (strcmp(what, "world") == 0) {
		world_write(w, &out->body);
	} else if (strcmp(what, "set") == 0) {
		do_set(w, p, out);
	} else if (strcmp(what, "delete") == 0) {
		do_delete(w, p, out);
	} else if (strcmp(what, "stranger") == 0) {
		do_stranger(w, p, out);
	} else if (strcmp(what, "advance") == 0) {
		if (s == NULL || !text_int(s, 0, 366 * 86400, &n)) {
			reply(out, 400, "seconds are needed");
		} else {
			w->advance_ms += n * 1000;
			reply(out, 200, "advanced");
		}
	} else if (strcmp(what, "scenario") == 0) {
		do_scenario(w, rq, out);
	} else if (strcmp(what, "ping") == 0) {
		reply(out, 200, "dtsbatch simulator");
	} else {
		reply(out, 404, "world, set, delete, stranger, advance, scenario, ping");
	}
	return true;
}
