#include "model/record.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

static const char *const step_names[] = {
	[STEP_CONFIGURED_FREE] = "configured-free",
	[STEP_BOUGHT] = "bought",
	[STEP_CONFIGURED] = "configured",
	[STEP_RESET] = "reset",
	[STEP_DONE] = "done",
};

static const char *const origin_names[] = {
	[ORIGIN_CREATED] = "created",
	[ORIGIN_IMPORTED] = "imported",
	[ORIGIN_ADOPTED] = "adopted",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *record_step_name(enum record_step s)
{
	return step_names[s];
}

const char *origin_name(enum origin o)
{
	return origin_names[o];
}

bool record_step_parse(const char *name, enum record_step *out)
{
	for (size_t i = 0; i < COUNT(step_names); i++) {
		if (text_eq(name, step_names[i])) {
			*out = (enum record_step)i;
			return true;
		}
	}
	return false;
}

bool origin_parse(const char *name, enum origin *out)
{
	for (size_t i = 0; i < COUNT(origin_names); i++) {
		if (text_eq(name, origin_names[i])) {
			*out = (enum origin)i;
			return true;
		}
	}
	return false;
}

struct record *record_new(struct arena *a, const char *address, const struct type_def *t)
{
	struct record *r = arena_new(a, struct record);

	r->address = arena_strdup(a, address);
	r->type = t;
	r->id = "";
	r->attrs = arena_array(a, const char *, t->nattrs);
	r->step = STEP_DONE;
	return r;
}

struct record *record_copy(struct arena *a, const struct record *r)
{
	return record_place(arena_alloc(a, record_size(r)), r);
}

static size_t text_bytes(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

size_t record_size(const struct record *r)
{
	size_t n = sizeof(*r) + (r->type->nattrs + r->ndeps) * sizeof(char *);

	n += text_bytes(r->address) + text_bytes(r->id) + text_bytes(r->instance_id) +
	     text_bytes(r->job_id);
	n += text_bytes(r->region) + text_bytes(r->file) + text_bytes(r->status) +
	     text_bytes(r->extra);
	for (size_t i = 0; i < r->type->nattrs; i++)
		n += text_bytes(r->attrs[i]);
	for (size_t i = 0; i < r->ndeps; i++)
		n += text_bytes(r->deps[i]);
	return n;
}

static const char *place_text(char **at, const char *s)
{
	char *to = *at;
	size_t n = text_bytes(s);

	if (!s)
		return NULL;
	memcpy(to, s, n);
	*at += n;
	return to;
}

struct record *record_place(void *mem, const struct record *r)
{
	struct record *c = mem;
	const char **ptrs = (const char **)(void *)(c + 1);
	char *at = (char *)(ptrs + r->type->nattrs + r->ndeps);

	*c = *r;
	c->attrs = ptrs;
	c->deps = ptrs + r->type->nattrs;
	c->address = place_text(&at, r->address);
	c->id = place_text(&at, r->id);
	c->instance_id = place_text(&at, r->instance_id);
	c->job_id = place_text(&at, r->job_id);
	c->region = place_text(&at, r->region);
	c->file = place_text(&at, r->file);
	c->status = place_text(&at, r->status);
	c->extra = place_text(&at, r->extra);
	for (size_t i = 0; i < r->type->nattrs; i++)
		c->attrs[i] = place_text(&at, r->attrs[i]);
	for (size_t i = 0; i < r->ndeps; i++)
		c->deps[i] = place_text(&at, r->deps[i]);
	return c;
}

bool record_reverse(const struct record *r)
{
	int i = attr_find(r->type, "synchronization_direction");

	return i >= 0 && text_ieq(r->attrs[i], "Reverse");
}

bool record_equal(const struct record *x, const struct record *y)
{
	if (x->type != y->type || x->origin != y->origin || x->step != y->step ||
	    x->ndeps != y->ndeps)
		return false;
	if (x->protect != y->protect || x->destroy_forgets != y->destroy_forgets ||
	    x->paused_by_us != y->paused_by_us || x->leaving != y->leaving)
		return false;
	if (x->created_ms != y->created_ms || x->status_since_ms != y->status_since_ms ||
	    x->gone_ms != y->gone_ms)
		return false;
	if (!text_eq(x->address, y->address) || !text_eq(x->id, y->id) ||
	    !text_eq(x->instance_id, y->instance_id) || !text_eq(x->job_id, y->job_id) ||
	    !text_eq(x->region, y->region) || !text_eq(x->file, y->file) ||
	    !text_eq(x->status, y->status) || !text_eq(x->extra, y->extra))
		return false;
	for (size_t i = 0; i < x->type->nattrs; i++) {
		if (!text_eq(x->attrs[i], y->attrs[i]) ||
		    attr_in(&x->left, i) != attr_in(&y->left, i))
			return false;
	}
	for (size_t i = 0; i < x->ndeps; i++) {
		if (!text_eq(x->deps[i], y->deps[i]))
			return false;
	}
	return true;
}
