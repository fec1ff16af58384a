#include "model/inventory.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

void inventory_init(struct inventory *inv, struct arena *a)
{
	*inv = (struct inventory){.a = a};
	map_init(&inv->by_job, a);
	map_init(&inv->by_instance, a);
	map_init(&inv->by_reverse, a);
}

static const char *text_or(struct arena *a, const struct json *row, const char *path,
                           const char *otherwise)
{
	const char *s = json_text(a, row, path);

	return s ? s : otherwise;
}

static int64_t row_time(const struct json *row, const char *path)
{
	const char *s = json_str(row, path);

	return text_empty(s) ? -1 : text_utc_parse(s);
}

void observed_read(struct observed *o, struct arena *a, const struct json *row, bool reverse)
{
	const char *direction = json_str(row, "DtsJobDirection");
	const char *error = json_str(row, "ErrorMessage");

	if (!direction)
		direction = json_str(row, "SynchronizationDirection");
	*o = (struct observed){
		.instance_id = text_or(a, row, "DtsInstanceID", ""),
		.job_id = text_or(a, row, "DtsJobId", ""),
		.name = text_or(a, row, "DtsJobName", ""),
		.raw_status = text_or(a, row, "Status", ""),
		.cls = json_text(a, row, "DtsJobClass"),
		.pay_type = json_text(a, row, "PayType"),
		.created_s = row_time(row, "CreateTime"),
		.expire_s = row_time(row, "ExpireTime"),
		.row = row,
		.error = text_empty(error) ? NULL : error,
	};
	o->status = status_parse(o->raw_status);
	o->reverse = reverse || text_ieq(direction, "Reverse");
	o->two_way = o->reverse || !text_empty(direction) || json_get(row, "ReverseJob") != NULL;
}

static void add_one(struct inventory *inv, const struct json *row, bool reverse, bool two_way)
{
	struct observed o;
	struct observed *stored;

	observed_read(&o, inv->a, row, reverse);
	o.two_way = o.two_way || two_way;
	if (status_class(o.status) ==
	    SC_GONE) { /* soft delete: still listed, not there (dts-api.md 3.7) */
		inv->finished++;
		return;
	}
	if (*o.job_id && map_get(&inv->by_job, o.job_id) != MAP_NONE)
		return; /* pages overlap when rows move between two requests */
	if (inv->n == inv->cap) {
		size_t cap = inv->cap ? inv->cap * 2 : 64;

		inv->v =
			arena_grow(inv->a, inv->v, inv->cap * sizeof *inv->v, cap * sizeof *inv->v);
		inv->cap = cap;
	}
	stored = arena_new(inv->a, struct observed);
	*stored = o;
	inv->v[inv->n] = stored;
	if (*o.job_id)
		map_put(&inv->by_job, stored->job_id, (uint32_t)inv->n);
	if (*o.instance_id)
		map_put(o.reverse ? &inv->by_reverse : &inv->by_instance, stored->instance_id,
		        (uint32_t)inv->n);
	inv->n++;
}

void inventory_add_row(struct inventory *inv, const struct json *row)
{
	const struct json *reverse = json_get(row, "ReverseJob");
	bool has_reverse = reverse && reverse->type == JSON_OBJECT && reverse->n > 0;

	add_one(inv, row, false, has_reverse);
	if (has_reverse)
		add_one(inv, reverse, true, true);
}

void inventory_renew(struct inventory *inv, struct observed *known, const struct json *row)
{
	const struct json *listed;
	struct json *merged;
	uint32_t at;
	bool two_way;

	if (!known) {
		inventory_add_row(inv, row);
		return;
	}
	listed = known->row;
	two_way = known->two_way;
	at = *known->job_id ? map_get(&inv->by_job, known->job_id) : MAP_NONE;
	merged = json_clone(inv->a, row);
	observed_read(known, inv->a, merged, known->reverse);
	known->two_way = known->two_way ||
	                 two_way; /* the answer about one job may not tell; no way leads back */
	for (const struct json *m = listed->child; m; m = m->next)
		if (!json_get(merged, m->key))
			json_add(merged, m->key, json_clone(inv->a, m));
	if (at == MAP_NONE)
		return;
	if (*known->job_id)
		map_put(&inv->by_job, known->job_id, at);
	if (*known->instance_id)
		map_put(known->reverse ? &inv->by_reverse : &inv->by_instance, known->instance_id,
		        at);
}

static struct observed *lookup(const struct inventory *inv, const struct map *m, const char *id)
{
	uint32_t i = text_empty(id) ? MAP_NONE : map_get(m, id);

	return i == MAP_NONE ? NULL : inv->v[i];
}

struct observed *inventory_job(const struct inventory *inv, const char *job_id)
{
	return lookup(inv, &inv->by_job, job_id);
}

struct observed *inventory_instance(const struct inventory *inv, const char *instance_id,
                                    bool reverse)
{
	return lookup(inv, reverse ? &inv->by_reverse : &inv->by_instance, instance_id);
}
