#include "cli/rebuild.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/ui.h"

#define NOWHERE "?"  /* an id nothing has */
#define OTHERS_MAX 5 /* so many jobs that do not fit are named */

/* ---- which sections ----------------------------------------------------------- */

void rebuild_begin(struct rebuild *rb, struct arena *a, struct batch *b,
                   const struct record_list *recs)
{
	struct map known;

	*rb = (struct rebuild){.a = a, .b = b, .recs = recs};
	rb->rows = arena_array(a, struct rebuild_row, b->n + 1);
	map_init(&known, a);
	for (size_t i = 0; i < recs->n; i++)
		map_put(&known, recs->v[i]->address, 0);
	for (size_t i = 0; i < b->n; i++) {
		struct lifecycle *life = &b->v[i].life;

		rb->rows[i].rival = RES_NONE;
		if (life->absent || map_get(&known, b->v[i].address) != MAP_NONE ||
		    (life->was && map_get(&known, life->was) != MAP_NONE))
			continue;
		rb->rows[i].fixed = life->import_id != NULL;
		rb->rows[i].lacks = !rb->rows[i].fixed;
		rb->found += rb->rows[i].fixed;
		if (rb->rows[i].lacks)
			life->import_id = NOWHERE;
	}
}

/* ---- what fits ------------------------------------------------------------------- */

static const struct record *record_of(const struct rebuild *rb, const char *address)
{
	for (size_t i = 0; i < rb->recs->n; i++)
		if (text_eq(rb->recs->v[i]->address, address))
			return rb->recs->v[i];
	return NULL;
}

static bool is_recorded(const struct rebuild *rb, const struct observed *o)
{
	for (size_t i = 0; i < rb->recs->n; i++) {
		const struct record *r = rb->recs->v[i];

		if (r->type == &type_job &&
		    (text_eq(r->job_id, o->job_id) ||
		     (text_eq(r->instance_id, o->instance_id) && record_reverse(r) == o->reverse)))
			return true;
	}
	return false;
}

/* The instance a section's job must live on, as far as that is known; NULL: not known. */
static const char *wanted_instance(const struct rebuild *rb, const struct resource *r)
{
	const struct record *rec;
	const char *import;

	if (r->instance == RES_NONE)
		return res_get(r, "dts_instance_id");
	rec = record_of(rb, rb->b->v[r->instance].address);
	import = rb->rows[r->instance].fixed ? rb->b->v[r->instance].life.import_id : NULL;
	return rec ? rec->instance_id : import;
}

/* NULL: it fits, apart from the name; else what speaks against it. */
static const char *misfit(const struct rebuild *rb, const struct resource *r,
                          const struct observed *o)
{
	static const char *const keys[] = {"source_endpoint_engine_name", "source_endpoint_region",
	                                   "destination_endpoint_engine_name",
	                                   "destination_endpoint_region"};
	const char *instance = wanted_instance(rb, r);

	if (res_reverse(r) != o->reverse)
		return o->reverse ? "it is the reverse direction" : "it is the forward direction";
	if (instance && !text_eq(instance, o->instance_id))
		return arena_printf(rb->a, "its instance is %s, not %s", o->instance_id, instance);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const struct attr_def *at = &r->type->attrs[attr_of(r->type, keys[i])];
		const char *want = res_get(r, keys[i]), *seen = attr_read(rb->a, at, o->row);

		if (want && seen && !attr_satisfied(at, want, seen))
			return arena_printf(rb->a, "%s is %s, not %s", keys[i], seen, want);
	}
	return NULL;
}

static bool is_candidate(const struct rebuild *rb, const struct observed *o)
{
	return o->status != ST_NOT_CONFIGURED && *o->job_id && *o->instance_id &&
	       !is_recorded(rb, o);
}

static void find_fits(struct rebuild *rb, size_t i)
{
	const struct resource *r = &rb->b->v[i];
	struct rebuild_row *row = &rb->rows[i];
	const char *name = res_get(r, "dts_job_name");

	row->fits = arena_array(rb->a, const struct observed *, rb->inv->n + 1);
	for (size_t k = 0; name && k < rb->inv->n; k++) {
		const struct observed *o = rb->inv->v[k];

		if (text_eq(o->name, name) && is_candidate(rb, o) && !misfit(rb, r, o))
			row->fits[row->nfits++] = o;
	}
}

/* ---- what is certain --------------------------------------------------------------- */

/* Two sections that want one job: neither has it. */
static void find_rivals(struct rebuild *rb)
{
	struct map by_job;

	map_init(&by_job, rb->a);
	for (uint32_t i = 0; i < rb->b->n; i++) {
		struct rebuild_row *row = &rb->rows[i];
		uint32_t k;

		if (!row->lacks || row->nfits != 1)
			continue;
		k = map_put(&by_job, row->fits[0]->job_id, i);
		if (k == MAP_NONE)
			continue;
		row->rival = k;
		rb->rows[k].rival = i;
	}
}

/* Through the jobs that live on it, those with a record and those that were found. */
static const struct observed *instance_of(const struct rebuild *rb, uint32_t res, bool *open)
{
	const struct observed *found = NULL;

	for (uint32_t i = 0; i < rb->b->n; i++) {
		const struct resource *job = &rb->b->v[i];
		const struct record *rec;
		const struct observed *o;

		if (job->type != &type_job || job->instance != res)
			continue;
		rec = record_of(rb, job->address);
		o = rec ? inventory_job(rb->inv, rec->job_id) : rb->rows[i].is;
		*open = *open || rb->rows[i].nfits > 1 || rb->rows[i].rival != RES_NONE;
		if (o && found && !text_eq(o->instance_id, found->instance_id)) {
			*open = true;
			return NULL;
		}
		found = o ? o : found;
	}
	return found;
}

static void settle(struct rebuild *rb, uint32_t i, const char *id, bool ambiguous)
{
	rb->b->v[i].life.import_id = id;
	rb->found += id != NULL;
	rb->ambiguous += !id && ambiguous;
	rb->missing += !id && !ambiguous;
}

void rebuild_match(struct rebuild *rb, const struct inventory *inv)
{
	rb->inv = inv;
	for (size_t i = 0; i < rb->b->n; i++)
		if (rb->rows[i].lacks && rb->b->v[i].type == &type_job)
			find_fits(rb, i);
	find_rivals(rb);
	for (uint32_t i = 0; i < rb->b->n; i++) {
		struct rebuild_row *row = &rb->rows[i];

		if (!row->lacks || rb->b->v[i].type != &type_job)
			continue;
		if (row->nfits == 1 && row->rival == RES_NONE)
			row->is = row->fits[0];
		settle(rb, i, row->is ? row->is->job_id : NULL, row->nfits > 0);
	}
	for (uint32_t i = 0; i < rb->b->n; i++) {
		struct rebuild_row *row = &rb->rows[i];
		bool open = false;

		if (!row->lacks || rb->b->v[i].type != &type_instance)
			continue;
		row->is = instance_of(rb, i, &open);
		settle(rb, i, row->is ? row->is->instance_id : NULL, open);
	}
}

/* ---- what is left -------------------------------------------------------------------- */

static void candidate(struct ui *u, struct json *list, const struct observed *o, const char *why)
{
	char created[21] = "";
	struct json *j;

	if (o->created_s > 0)
		text_utc(o->created_s, created);
	if (!list) {
		ui_out(u, "      job %s of %s, \"%s\", %s%s%s%s%s\n", ui_safe(u, o->job_id, 0),
		       ui_safe(u, o->instance_id, 0), ui_safe(u, o->name, 60),
		       ui_safe(u, o->raw_status, 20), *created ? ", created " : "", created,
		       why ? ": " : "", why ? ui_safe(u, why, 0) : "");
		return;
	}
	j = json_new(&u->a, JSON_OBJECT);
	ui_str(u, j, "job_id", o->job_id);
	ui_str(u, j, "instance_id", o->instance_id);
	ui_str(u, j, "name", o->name);
	ui_str(u, j, "status", o->raw_status);
	ui_str(u, j, "created", *created ? arena_strdup(&u->a, created) : NULL);
	ui_str(u, j, "misfit", why);
	json_add(list, NULL, j);
}

/* Of the same name but unlike, then alike but of another name. */
static void show_others(const struct rebuild *rb, struct ui *u, struct json *list,
                        const struct resource *r)
{
	const char *name = res_get(r, "dts_job_name");
	size_t shown = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t k = 0; k < rb->inv->n && shown < OTHERS_MAX; k++) {
			const struct observed *o = rb->inv->v[k];
			bool same = text_eq(o->name, name);
			const char *why = same ? misfit(rb, r, o) : "another name";

			if (same != (pass == 0) || !is_candidate(rb, o) ||
			    (!same && misfit(rb, r, o)))
				continue;
			candidate(u, list, o, why);
			shown++;
		}
}

static const char *reason(const struct rebuild *rb, struct ui *u, size_t i)
{
	const struct rebuild_row *row = &rb->rows[i];
	const char *name;

	if (rb->b->v[i].type == &type_instance)
		return "known by its jobs alone, and none of them is certain; an instance without "
		       "a configured job is never guessed";
	if (row->rival != RES_NONE)
		return arena_printf(&u->a, "its only candidate fits %s, too",
		                    rb->b->v[row->rival].address);
	if (row->nfits)
		return arena_printf(&u->a, "%zu jobs fit", row->nfits);
	name = res_get(&rb->b->v[i], "dts_job_name");
	return name ? arena_printf(&u->a, "no job \"%s\" of its engines and regions", name)
	            : "its name is not known yet";
}

static void show_one(const struct rebuild *rb, struct ui *u, size_t i)
{
	const struct resource *r = &rb->b->v[i];
	const struct rebuild_row *row = &rb->rows[i];
	struct json *o = u->json ? ui_line(u, "left") : NULL, *list = NULL;

	if (o) {
		list = json_new(&u->a, JSON_ARRAY);
		ui_str(u, o, "address", r->address);
		ui_str(u, o, "reason", reason(rb, u, i));
	} else {
		ui_out(u, "  ? %s: %s\n", ui_safe(u, r->address, 0),
		       ui_safe(u, reason(rb, u, i), 0));
	}
	for (size_t k = 0; k < row->nfits; k++)
		candidate(u, list, row->fits[k], NULL);
	if (!row->nfits && r->type == &type_job)
		show_others(rb, u, list, r);
	if (o) {
		json_add(o, "candidates", list);
		ui_emit(u, o);
	}
}

void rebuild_show(const struct rebuild *rb, struct ui *u)
{
	bool any = rb->ambiguous || rb->missing;

	if (!u->json && any)
		ui_out(u, "Left for you; `dtsbatch import ADDRESS ID` takes one:\n\n");
	for (size_t i = 0; i < rb->b->n; i++)
		if (rb->rows[i].lacks && !rb->rows[i].is)
			show_one(rb, u, i);
	if (!u->json && any)
		ui_out(u, "\n");
	ui_flush(u);
}

/* ---- the plan --------------------------------------------------------------------------- */

/* The first import that is refused; NULL: none. */
static const char *refused_import(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].new_id && p->ops[i].refused)
			return p->ops[i].address;
	return NULL;
}

void rebuild_only_imports(struct plan *p, bool together)
{
	const char *refused = together ? refused_import(p) : NULL;

	for (size_t i = 0; i < p->n; i++) {
		struct op *op = &p->ops[i];

		if (!op->new_id) /* a replacement that an import would need is one, too: refused */
			*op = (struct op){.kind = OP_NOOP,
			                  .address = op->address,
			                  .type = op->type,
			                  .want = op->want,
			                  .have = op->have,
			                  .seen = op->seen};
		else if (refused && !op->refused)
			op->blocked_by = refused;
	}
	plan_count(p);
	for (size_t i = 0; i < p->n; i++) /* what is nowhere yet is not unchanged */
		if (p->ops[i].kind == OP_NOOP && !p->ops[i].have)
			p->count[OP_NOOP]--;
}
