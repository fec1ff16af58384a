#include "sim/persist.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim/fence.h"
#include "sim/fields.h"
#include "sim/scenario.h"
#include "sim/world.h"

#define WORLD_MAX_BYTES ((size_t)1 << 31)
#define FORMAT 1

static bool instance_forgotten(const struct world *w, const struct instance *i)
{
	return i->gone_ms != 0 && (w->instant || w->now_ms >= i->gone_ms + w->sc->finished_ms);
}

void world_write(struct world *w, struct buf *out)
{
	const char *sep = "\n";

	buf_printf(out,
	           "{\"dtsbatch_world\": %d,\n\"now_ms\": %lld, \"wall_ms\": %lld, "
	           "\"requests\": %lld,\n",
	           FORMAT, (long long)w->now_ms, (long long)w->wall_ms, (long long)w->requests);
	buf_puts(out, "\"salt\": ");
	json_write_str(out, w->salt);
	buf_puts(out, ", \"last_purchase\": ");
	json_write_str(out, str_or(w->last_purchase));
	buf_puts(out, ",\n\"instances\": [");
	for (size_t i = 0; i < w->inst.n; i++) {
		instance_settle(w, w->inst.v[i]);
		if (instance_forgotten(w, w->inst.v[i]))
			continue;
		buf_puts(out, sep);
		sep = ",\n";
		fields_write(out, instance_fields, instance_nfields, w->inst.v[i]);
	}
	buf_puts(out, "\n],\n\"jobs\": [");
	sep = "\n";
	for (size_t i = 0; i < w->job.n; i++) {
		if (job_forgotten(w, w->job.v[i]))
			continue;
		job_settle(w, w->job.v[i]);
		buf_puts(out, sep);
		sep = ",\n";
		fields_write(out, job_fields, job_nfields, w->job.v[i]);
	}
	buf_puts(out, "\n],\n\"nonces\": [");
	fence_write(w->fence, out, w->wall_ms, w->sc->fence_ms);
	buf_puts(out, "\n]}\n");
}

int world_save(struct world *w, const char *path, struct err *e)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, WORLD_MAX_BYTES);
	world_write(w, &b);
	if (b.over)
		rc = err_set(e, ERR_STATE_WRITE, "the world is too large for %s", path);
	else if (sys_replace_file(path, 0600, buf_str(&b), b.n) != 0)
		rc = err_set(e, ERR_STATE_WRITE, "cannot write the world %s: %s", path,
		             strerror(errno));
	buf_release(&b);
	return rc;
}

static int bad_world(struct err *e, const char *path, const char *what, const char *detail)
{
	err_set(e, ERR_STATE_READ, "%s: %s%s%s", path, what, detail[0] != '\0' ? ": " : "", detail);
	return err_hint(e, "this is the simulator's world; remove it to begin with an empty one");
}

static int load_instances(struct world *w, const struct json *list, const char *path, struct err *e)
{
	const char *id, *bad = "id";
	struct instance *i;

	for (const struct json *o = list->child; o != NULL; o = o->next) {
		id = o->type == JSON_OBJECT ? json_str(o, "id") : NULL;
		if (id == NULL || map_get(&w->by_inst, id) != MAP_NONE)
			return bad_world(e, path, "an instance without an id, or twice",
			                 str_or(id));
		i = instance_new(w, id);
		if (!fields_read(instance_fields, instance_nfields, o, i, &bad))
			return bad_world(e, path, "an instance with a wrong field", bad);
		if (i->expire_ms == 0 && i->expire_wall != 0) /* written before it counted */
			i->expire_ms = w->now_ms + i->expire_wall - w->wall_ms;
	}
	return 0;
}

static int load_jobs(struct world *w, const struct json *list, const char *path, struct err *e)
{
	const char *id, *bad = "id";
	struct job *j;

	for (const struct json *o = list->child; o != NULL; o = o->next) {
		id = o->type == JSON_OBJECT ? json_str(o, "id") : NULL;
		if (id == NULL || map_get(&w->by_job, id) != MAP_NONE)
			return bad_world(e, path, "a job without an id, or twice", str_or(id));
		j = job_new(w, id);
		j->hidden_until_ms = 0;
		if (!fields_read(job_fields, job_nfields, o, j, &bad))
			return bad_world(e, path, "a job with a wrong field", bad);
	}
	return 0;
}

static int64_t number(const struct json *o, const char *key)
{
	const struct json *v = json_get(o, key);

	return v != NULL && v->type == JSON_NUMBER && v->is_int ? v->i : 0;
}

static int load_parsed(struct world *w, const struct json *o, const char *path, struct err *e)
{
	const struct json *inst = json_get(o, "instances"), *jobs = json_get(o, "jobs"),
			  *n = json_get(o, "nonces");

	if (o->type != JSON_OBJECT || json_get(o, "dtsbatch_world") == NULL)
		return bad_world(e, path, "not a world file of the simulator", "");
	if (number(o, "dtsbatch_world") != FORMAT)
		return bad_world(e, path, "written by another version", "");
	if (inst == NULL || inst->type != JSON_ARRAY || jobs == NULL || jobs->type != JSON_ARRAY)
		return bad_world(e, path, "damaged: instances or jobs are missing", "");
	w->now_ms = number(o, "now_ms");
	w->wall_ms = number(o, "wall_ms");
	w->requests = number(o, "requests");
	if (json_str(o, "salt") != NULL)
		str_set(&w->salt, json_str(o, "salt"));
	str_set(&w->last_purchase, json_str(o, "last_purchase"));
	if (load_instances(w, inst, path, e) != 0 || load_jobs(w, jobs, path, e) != 0)
		return -1;
	for (n = n != NULL ? n->child : NULL; n != NULL; n = n->next)
		if (json_str(n, "nonce") != NULL)
			fence_restore(w->fence, json_str(n, "nonce"), number(n, "wall_ms"));
	return 0;
}

int world_parse(struct world *w, const char *text, size_t n, const char *name, struct err *e)
{
	struct arena a;
	struct json *o;
	struct json_err je;
	int rc;

	arena_init(&a);
	o = json_parse(&a, text, n, &je);
	if (o == NULL)
		rc = bad_world(e, name, "damaged (half-written?)", je.msg);
	else
		rc = load_parsed(w, o, name, e);
	arena_release(&a);
	return rc;
}

int world_load(struct world *w, const char *path, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, WORLD_MAX_BYTES);
	if (sys_read_file(path, &b) == 0)
		rc = world_parse(w, buf_str(&b), b.n, path, e);
	else if (errno == ENOENT)
		rc = 0;
	else
		rc = err_set(e, ERR_STATE_READ, "cannot read the world %s: %s", path,
		             strerror(errno));
	buf_release(&b);
	return rc;
}
