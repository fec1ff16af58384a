/*
 * Reading what exists: list pages (100 rows a call), single reads where the
 * list does not carry something or may lag behind.
 */
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/run_internal.h"

#define PAGE_ROWS 100
#define FEW_IDS 3      /* up to so many instances are read one by one */
#define FRESH_MS 20000 /* a list may lag behind what was changed so recently */
#define FRESH_MAX 20 /* of more than these, only those are read whose row contradicts the record */
#define CONFIRM_MAX                                                                                \
	100 /* of records that have settled, so many are read before they count as gone */

/* ---- list pages ---------------------------------------------------------- */

static void page_call(struct page_read *p, unsigned page);

static void page_end(struct page_read *p)
{
	if (p->open == 0) {
		if (!p->failed) {
			p->inv->complete = true;
			p->inv->server_ms = run_server_ms(p->r);
		}
		p->done(p);
	}
}

static void page_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct page_read *p = c->owner;
	const struct json *rows = NULL;
	size_t count = 0, total = 0;

	p->open--;
	if (v != VERDICT_OK || !dts_page(reply, &rows, &count, &total)) {
		if (v == VERDICT_OK)
			run_fail(p->r, ERR_FAILED,
			         "DescribeDtsJobs: the answer contradicts itself");
		else if (!p->r->dead && !p->r->stop_signal)
			reply_err(&p->r->fatal, c->api, reply), p->r->dead = true;
		p->failed = true;
		page_end(p);
		return;
	}
	for (const struct json *row = rows ? rows->child : NULL; row; row = row->next)
		inventory_add_row(p->inv, row);
	if (p->first) {
		size_t pages = (total + PAGE_ROWS - 1) / PAGE_ROWS;
		struct event ev = {.kind = EV_REFRESH, .done = 1, .total = pages};

		p->first = false;
		p->total = total;
		if (!p->status)
			p->r->total_rows = total;
		run_event(p->r, &ev);
		for (unsigned n = 2; n <= pages; n++)
			page_call(p, n);
	}
	page_end(p);
}

static void page_call(struct page_read *p, unsigned page)
{
	struct call *c = call_new(p->r, API_DESCRIBE_DTS_JOBS, page_done, p);

	c->into = p->inv->a; /* the rows live as long as the inventory */
	dts_encode_list(&c->req, &c->a, p->region, page, NULL, p->with_objects);
	if (p->status)
		dts_param(&c->req, "Status", p->status);
	p->open++;
	call_start(c);
}

void page_read_start(struct page_read *p)
{
	p->first = true;
	p->failed = false;
	p->open = 0;
	page_call(p, 1);
}

static void set_flag(struct page_read *p)
{
	*(bool *)p->owner = true;
}

bool run_list(struct run *r, const char *region, const char *status, bool with_objects,
              struct inventory *inv)
{
	bool ended = false;
	struct page_read p = {.r = r,
	                      .region = region,
	                      .status = status,
	                      .with_objects = with_objects,
	                      .inv = inv,
	                      .done = set_flag,
	                      .owner = &ended};

	page_read_start(&p);
	while (!ended)
		run_turn(r, INT64_MAX);
	return !p.failed;
}

/* ---- single reads ---------------------------------------------------------- */

static void detail_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct detail_read *d = c->owner;
	struct observed o;

	if (v == VERDICT_OK && reply->root) {
		observed_read(&o, d->into ? d->into : &c->a, reply->root, d->reverse);
		d->released = status_class(o.status) == SC_GONE;
		d->done(d, d->released ? NULL : &o, true);
		return;
	}
	if (d->needed && v != VERDICT_GONE && !d->r->dead && !d->r->stop_signal) {
		reply_err(&d->r->fatal, c->api, reply);
		d->r->dead = true;
	}
	d->done(d, NULL, v == VERDICT_GONE);
}

void detail_read_start(struct detail_read *d)
{
	struct call *c = call_new(d->r, API_DESCRIBE_DTS_JOB_DETAIL, detail_done, d);

	d->released = false;
	c->into = d->into;
	dts_encode_detail(&c->req, &c->a, d->region, d->job_id ? NULL : d->instance_id, d->job_id,
	                  d->reverse);
	call_start(c);
}

static void name_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct name_read *n = c->owner;
	const struct json *rows = NULL;
	struct observed o;
	size_t count, total;
	bool ok = v == VERDICT_OK && dts_page(reply, &rows, &count, &total);

	for (const struct json *row = ok && rows ? rows->child : NULL; row; row = row->next) {
		if (!text_eq(json_str(row, "DtsJobName"), n->name))
			continue; /* the service's search is fuzzy */
		observed_read(&o, n->into ? n->into : &c->a, row, false);
		n->done(n, status_class(o.status) == SC_GONE ? NULL : &o, true);
		return;
	}
	n->done(n, NULL, ok);
}

void name_read_start(struct name_read *n)
{
	struct call *c = call_new(n->r, API_DESCRIBE_DTS_JOBS, name_done, n);

	c->into = n->into;
	dts_encode_list(&c->req, &c->a, n->region, 1, NULL, false);
	dts_param(&c->req, "Type", "name");
	dts_param(&c->req, "Params", n->name);
	call_start(c);
}

/* ---- refresh ----------------------------------------------------------------- */

struct refresh {
	struct run *r;
	struct inventory *inv;
	size_t open;
};

struct extra {
	struct refresh *f;
	struct observed *o; /* to be completed; NULL: a record to confirm */
	const struct record *rec;
	enum api_action action;
	struct detail_read detail;
};

static void extra_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct extra *x = c->owner;
	const struct json *copy = reply->root;

	x->f->open--;
	if (v != VERDICT_OK || !copy) {
		if (!x->f->r->dead && !x->f->r->stop_signal)
			run_note(x->f->r, NULL,
			         "%s of job %s did not answer: what it tells is not compared",
			         c->api->name, x->o->job_id);
		return;
	}
	if (x->action == API_DESCRIBE_DTS_JOB_DETAIL)
		x->o->detail = copy;
	else if (x->action == API_DESCRIBE_JOB_MONITOR_RULE)
		x->o->monitor = copy;
	else
		x->o->config = copy;
}

static void extra_call(struct refresh *f, struct observed *o, const char *region,
                       enum api_action action)
{
	struct extra *x = arena_new(&f->r->a, struct extra);
	struct call *c = call_new(f->r, action, extra_done, x);

	*x = (struct extra){.f = f, .o = o, .action = action};
	c->into = f->inv->a;
	if (action == API_DESCRIBE_DTS_JOB_DETAIL)
		dts_encode_detail(&c->req, &c->a, region, NULL, o->job_id, o->reverse);
	else if (action == API_DESCRIBE_JOB_MONITOR_RULE)
		dts_encode_monitor(&c->req, &c->a, region, o->job_id);
	else
		dts_encode_config(&c->req, &c->a, region, o->job_id);
	f->open++;
	call_start(c);
}

/* A record the list lacks, or whose row may be old: Detail answers at once (dts-api.md 21). */
static void confirm_done(struct detail_read *d, const struct observed *o, bool ok)
{
	struct extra *x = d->owner;
	struct inventory *inv = x->f->inv;
	struct observed *known = x->o;

	x->f->open--;
	if (!ok || !o)
		return;
	/* The directions of the pair were swapped: this is the other job, which the list shows as well. */
	if (known && !text_eq(o->job_id, known->job_id) && inventory_job(inv, o->job_id))
		return;
	inventory_renew(inv, known, o->row);
}

static void confirm(struct refresh *f, const struct record *rec, struct observed *known)
{
	struct extra *x = arena_new(&f->r->a, struct extra);
	*x = (struct extra){.f = f, .o = known, .rec = rec};
	x->detail = (struct detail_read){
		.r = f->r,
		.region = rec->region ? rec->region : f->r->o.region,
		.instance_id = rec->instance_id,
		.done = confirm_done,
		.owner = x,
		.into = f->inv->a,
		.needed = !known, /* silence is no absence: it would be bought again */
		.reverse = record_reverse(rec)};
	if (text_empty(rec->instance_id))
		x->detail.job_id = rec->job_id;
	f->open++;
	detail_read_start(&x->detail);
}

static bool drain(struct refresh *f)
{
	while (f->open && !f->r->dead)
		run_turn(f->r, INT64_MAX);
	while (f->open) /* abandoned calls report, too */
		run_turn(f->r, sys_now_ms() + 50);
	return !f->r->dead && !f->r->stop_signal;
}

static struct observed *row_of(const struct inventory *inv, const struct record *rec)
{
	struct observed *o = rec->type == &type_job ? inventory_job(inv, rec->job_id) : NULL;

	return o ? o : inventory_instance(inv, rec->instance_id, record_reverse(rec));
}

/* Does the row say something else than what we recorded a moment ago? Then it may be an old one. */
static bool contradicts(struct refresh *f, const struct record *rec, const struct observed *o)
{
	if (rec->step != STEP_DONE ||
	    (rec->type == &type_job && !text_eq(rec->job_id, o->job_id)) ||
	    (rec->status && status_parse(rec->status) != o->status))
		return true;
	for (size_t i = 0; i < rec->type->nattrs; i++) {
		const struct attr_def *at = &rec->type->attrs[i];
		const char *seen;

		if (!rec->attrs[i] || at->from != READ_LIST || (at->flags & A_NOREAD))
			continue;
		seen = attr_read(f->inv->a, at, o->row);
		if (seen && !attr_satisfied(at, rec->attrs[i], seen))
			return true;
	}
	return false;
}

/* doubt: also what the list shows, where it may lag. */
static void confirm_records(struct refresh *f, const struct record_list *recs, bool doubt)
{
	int64_t now = sys_wall_ms();
	size_t fresh = 0, missing = 0;

	for (size_t i = 0; i < recs->n; i++)
		if (row_of(f->inv, recs->v[i]) && now - recs->v[i]->updated_ms < FRESH_MS)
			fresh++;
	for (size_t i = 0; i < recs->n; i++) {
		const struct record *rec = recs->v[i];
		struct observed *o = row_of(f->inv, rec);

		if (!o && rec->gone_ms > 0)
			continue; /* known to be gone: the list shows it if it is there again */
		/* A pair is one row: reading it through the job record is enough. */
		if (!o && (missing < CONFIRM_MAX || now - rec->updated_ms < f->r->o.settle_ms)) {
			missing++;
			confirm(f, rec, NULL);
		} else if (o && doubt && now - rec->updated_ms < FRESH_MS &&
		           rec->type == &type_job &&
		           (fresh <= FRESH_MAX || contradicts(f, rec, o))) {
			confirm(f, rec, o);
		}
	}
}

bool run_confirm(struct run *r, struct inventory *inv, const char *const *addresses, size_t n)
{
	struct refresh f = {.r = r, .inv = inv};

	for (size_t i = 0; i < n; i++) {
		const struct record *rec = state_get(r->o.state, addresses[i]);

		if (rec)
			confirm(&f, record_copy(&r->a, rec), row_of(inv, rec));
	}
	return drain(&f);
}

static bool wants(const struct resource *res, enum read_from from)
{
	for (size_t i = 0; i < res->type->nattrs; i++)
		if (res->type->attrs[i].from == from && res->vals[i].state == V_SET &&
		    !attr_in(&res->life.ignore, i) && !(res->type->attrs[i].flags & A_NOREAD))
			return true;
	return false;
}

/* What the list does not carry is read only for resources whose section says something about it. */
static void read_extras(struct refresh *f, const struct batch *b, const struct record_list *recs)
{
	struct map by_addr;

	map_init(&by_addr, &f->r->a);
	for (size_t i = 0; i < recs->n; i++)
		map_put(&by_addr, recs->v[i]->address, (uint32_t)i);
	for (size_t i = 0; b && i < b->n; i++) {
		const struct resource *res = &b->v[i];
		uint32_t k = map_get(&by_addr, res->address);
		struct observed *o = NULL;
		const char *region = res->region ? res->region : f->r->o.region;

		if (k == MAP_NONE && res->life.was)
			k = map_get(&by_addr, res->life.was);
		if (k != MAP_NONE && recs->v[k]->region)
			region = recs->v[k]->region;
		if (k != MAP_NONE)
			o = row_of(f->inv, recs->v[k]);
		else if (res->life.import_id)
			o = inventory_job(f->inv, res->life.import_id);
		if (!o || res->type != &type_job || !*o->job_id || o->status == ST_NOT_CONFIGURED)
			continue;
		if (!o->detail && wants(res, READ_DETAIL))
			extra_call(f, o, region, API_DESCRIBE_DTS_JOB_DETAIL);
		if (!o->monitor && wants(res, READ_MONITOR))
			extra_call(f, o, region, API_DESCRIBE_JOB_MONITOR_RULE);
		if (!o->config && wants(res, READ_CONFIG))
			extra_call(f, o, region, API_DESCRIBE_DTS_JOB_CONFIG);
	}
}

/* Single list reads by instance id (exact, and with the nested ReverseJob). */
static void instance_done(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct refresh *f = c->owner;
	const struct json *rows = NULL;
	size_t count, total;

	f->open--;
	if (v == VERDICT_GONE)
		return;
	if (v != VERDICT_OK || !dts_page(reply, &rows, &count, &total)) {
		if (!f->r->dead && !f->r->stop_signal)
			reply_err(&f->r->fatal, c->api, reply), f->r->dead = true;
		return;
	}
	for (const struct json *row = rows ? rows->child : NULL; row; row = row->next)
		inventory_add_row(f->inv, row);
}

static void read_instance(struct refresh *f, const struct record *rec)
{
	struct call *c = call_new(f->r, API_DESCRIBE_DTS_JOBS, instance_done, f);

	c->into = f->inv->a;
	dts_encode_list(&c->req, &c->a, rec->region ? rec->region : f->r->o.region, 1,
	                rec->instance_id, true);
	f->open++;
	call_start(c);
}

struct needs {
	VEC(const struct record *) instances; /* the first record of each */
	VEC(const char *) regions;
	bool imports, buys;
};

static void add_region(struct arena *a, struct map *seen, struct needs *n, const char *region)
{
	if (!text_empty(region) && map_put(seen, region, 1) == MAP_NONE)
		*VEC_PUSH(a, &n->regions) = region;
}

static void collect_needs(struct run *r, const struct batch *b, const struct record_list *recs,
                          struct needs *n)
{
	struct map ids, regions, addresses;

	*n = (struct needs){0};
	map_init(&ids, &r->a);
	map_init(&regions, &r->a);
	map_init(&addresses, &r->a);
	add_region(&r->a, &regions, n, r->o.region);
	for (size_t i = 0; i < recs->n; i++) {
		if (!text_empty(recs->v[i]->instance_id) &&
		    map_put(&ids, recs->v[i]->instance_id, 1) == MAP_NONE)
			*VEC_PUSH(&r->a, &n->instances) = recs->v[i];
		add_region(&r->a, &regions, n, recs->v[i]->region);
		map_put(&addresses, recs->v[i]->address, 1);
	}
	for (size_t i = 0; b && i < b->n; i++) {
		const struct resource *res = &b->v[i];

		add_region(&r->a, &regions, n, res->region);
		if (map_get(&addresses, res->address) != MAP_NONE ||
		    (res->life.was && map_get(&addresses, res->life.was) != MAP_NONE))
			continue;
		n->imports = n->imports || res->life.import_id;
		n->buys = n->buys || !res->life.absent;
	}
}

int run_refresh(struct run *r, const struct batch *b, const struct record_list *recs,
                struct inventory *inv, struct err *e)
{
	struct refresh f = {.r = r, .inv = inv};
	int64_t begun = sys_now_ms();
	struct needs n;
	bool ok = true;

	collect_needs(r, b, recs, &n);
	/* Before a purchase the whole list: what is unconfigured tells ours from others' later (design.md 6), what is
	 * configured tells whether the job exists already. */
	if (!n.imports && !n.buys && n.instances.n <= FEW_IDS) {
		for (size_t i = 0; i < n.instances.n; i++)
			read_instance(&f, n.instances.v[i]);
		ok = drain(&f);
	} else {
		for (size_t i = 0; ok && i < n.regions.n; i++)
			ok = run_list(r, n.regions.v[i], NULL, true, inv);
	}
	if (ok) {
		confirm_records(&f, recs, b != NULL);
		ok = drain(&f);
	}
	if (ok) {
		read_extras(&f, b, recs);
		ok = drain(&f);
	}
	r->stats.refresh_ms += sys_now_ms() - begun;
	if (!ok) {
		inv->complete = false;
		if (r->dead)
			*e = r->fatal;
		else
			err_set(e, ERR_FAILED, "stopped by a signal before anything was changed");
		return -1;
	}
	inv->complete = true;
	inv->server_ms = run_server_ms(r);
	r->before = inv;
	return 0;
}
