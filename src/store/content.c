/*
 * The state in memory: records by address, open intents, head.
 *
 * Each record is one heap block, because a run replaces every record a few
 * times: in an arena the old copies would stay until the end. The blocks
 * that were read at the start are kept until the content goes, since a plan
 * points at them while it is carried out.
 */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"

void content_init(struct content *c)
{
	*c = (struct content){.next_intent = 1, .stale_list = true};
	arena_init(&c->a);
	arena_init(&c->ia);
	map_init(&c->by_address, &c->a);
}

void content_release(struct content *c)
{
	for (size_t i = 0; i < c->slots.n; i++) {
		sys_free(c->slots.v[i].r);
		sys_free(c->slots.v[i].loaded);
	}
	sys_free(c->list);
	sys_free(c->view);
	arena_release(&c->a);
	arena_release(&c->ia);
	*c = (struct content){0};
}

static struct record *block_of(const struct record *r)
{
	return record_place(sys_malloc(record_size(r)), r);
}

static void let_go(const struct content *c, struct slot *s)
{
	if (s->from_load && !c->loading)
		s->loaded = s->r;
	else
		sys_free(s->r);
	s->from_load = c->loading;
	s->r = NULL;
}

bool content_put(struct content *c, const struct record *r)
{
	uint32_t at = map_get(&c->by_address, r->address);
	struct slot *s;
	struct record *block;

	if (at == MAP_NONE) {
		s = VEC_PUSH(&c->a, &c->slots);
		s->address = arena_strdup(&c->a, r->address);
		s->from_load = c->loading;
		map_put(&c->by_address, s->address, (uint32_t)(c->slots.n - 1));
		s->r = block_of(r);
		c->stale_list = true;
		return true;
	}
	s = &c->slots.v[at];
	if (s->r && record_equal(s->r, r))
		return false;
	block = block_of(r); /* first: r may be the very record that goes */
	if (s->r)
		let_go(c, s);
	else
		c->stale_list = true;
	s->r = block;
	s->from_load = c->loading;
	if (!c->stale_list)
		c->list[s->pos] = s->r;
	return true;
}

bool content_del(struct content *c, const char *address)
{
	uint32_t at = map_get(&c->by_address, address);

	if (at == MAP_NONE || !c->slots.v[at].r)
		return false;
	let_go(c, &c->slots.v[at]);
	c->slots.v[at].from_load = false;
	c->stale_list = true;
	return true;
}

const struct record *content_get(const struct content *c, const char *address)
{
	uint32_t at = map_get(&c->by_address, address);

	return at == MAP_NONE ? NULL : c->slots.v[at].r;
}

static int by_address(const void *x, const void *y)
{
	const struct record *const *a = x, *const *b = y;

	return strcmp((*a)->address, (*b)->address);
}

const struct record *const *content_list(struct content *c, size_t *n)
{
	if (c->stale_list) {
		c->nlist = 0;
		if (c->cap_list < c->slots.n) {
			c->cap_list = c->slots.n + c->slots.n / 2;
			c->list = sys_realloc(c->list, c->cap_list * sizeof(void *));
		}
		for (size_t i = 0; i < c->slots.n; i++) {
			if (c->slots.v[i].r)
				c->list[c->nlist++] = c->slots.v[i].r;
		}
		if (c->nlist)
			qsort(c->list, c->nlist, sizeof(void *), by_address);
		for (size_t i = 0; i < c->nlist; i++)
			c->slots.v[map_get(&c->by_address, c->list[i]->address)].pos = (uint32_t)i;
		c->stale_list = false;
	}
	*n = c->nlist;
	return c->list;
}

static const char *keep(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : NULL;
}

bool content_set_home(struct content *c, const struct state_home *h)
{
	if (text_eq(h->account, c->home.account) && text_eq(h->region, c->home.region) &&
	    text_eq(h->endpoint, c->home.endpoint))
		return false;
	c->home = (struct state_home){keep(&c->a, h->account), keep(&c->a, h->region),
	                              keep(&c->a, h->endpoint)};
	return true;
}

static int by_text(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;

	return strcmp(*a, *b);
}

bool content_set_files(struct content *c, const char *const *files, size_t n)
{
	const char **v = arena_array(&c->a, const char *, n + 1);
	size_t same = 0;

	if (n)
		memcpy(v, files, n * sizeof(*v));
	qsort(v, n, sizeof(*v), by_text);
	if (n == c->nfiles) {
		while (same < n && strcmp(v[same], c->files[same]) == 0)
			same++;
		if (same == n)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = arena_strdup(&c->a, v[i]);
	c->files = v;
	c->nfiles = n;
	return true;
}

bool content_set_orphans(struct content *c, const char *digest)
{
	if (text_eq(digest, c->orphans))
		return false;
	c->orphans = keep(&c->a, digest);
	return true;
}

static void copy_intent(struct arena *a, struct intent *to, const struct intent *from)
{
	*to = *from;
	to->address = arena_strdup(a, from->address ? from->address : "");
	to->action = arena_strdup(a, from->action ? from->action : "");
	to->nonce = keep(a, from->nonce);
	if (from->detail) {
		/* Through text: json_clone() shares strings, and the caller's may not live long. */
		const char *text = json_write_dup(a, from->detail, false);

		to->detail = json_parse(a, text, strlen(text), NULL);
		if (!to->detail)
			BUG("the detail of an intent cannot be read back: %.200s", text);
	}
}

/*
 * Settled intents leave holes in their arena; when they outweigh the open ones, these move to a
 * new one.
 */
static void pack_intents(struct content *c)
{
	struct arena fresh;
	VEC(struct open_intent) v = {0};

	if (c->ia.used < 65536 || c->ia.used < 4 * c->ia_live)
		return;
	arena_init(&fresh);
	for (size_t i = 0; i < c->intents.n; i++) {
		struct open_intent *to = VEC_PUSH(&fresh, &v);

		*to = c->intents.v[i];
		if (!to->from_load)
			copy_intent(&fresh, &to->i, &c->intents.v[i].i);
	}
	arena_release(&c->ia);
	c->ia = fresh;
	c->ia_live = fresh.used;
	c->intents.v = v.v;
	c->intents.n = v.n;
	c->intents.cap = v.cap;
}

/* Index of the first intent with an id not below: ids only grow. */
static size_t intent_index(const struct content *c, uint64_t id)
{
	size_t lo = 0, hi = c->intents.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->intents.v[mid].i.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void content_add_intent(struct content *c, const struct intent *i)
{
	size_t at = intent_index(c, i->id);
	struct open_intent *to;
	bool durable = c->loading;

	if (at == c->intents.n || c->intents.v[at].i.id != i->id) {
		(void)VEC_PUSH(&c->ia, &c->intents);
		memmove(&c->intents.v[at + 1], &c->intents.v[at],
		        (c->intents.n - 1 - at) * sizeof(c->intents.v[0]));
	} else {
		durable = durable || c->intents.v[at].durable;
	}
	to = &c->intents.v[at];
	*to = (struct open_intent){.durable = durable, .from_load = c->loading};
	/* Those of an earlier run are looked at until they are settled: they stay where they are. */
	copy_intent(c->loading ? &c->a : &c->ia, &to->i, i);
	if (c->next_intent <= i->id)
		c->next_intent = i->id + 1;
}

bool content_close_intent(struct content *c, uint64_t id)
{
	size_t at = intent_index(c, id);

	if (at == c->intents.n || c->intents.v[at].i.id != id)
		return false;
	memmove(&c->intents.v[at], &c->intents.v[at + 1],
	        (c->intents.n - 1 - at) * sizeof(c->intents.v[0]));
	c->intents.n--;
	pack_intents(c);
	return true;
}

void content_durable(struct content *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->intents.n; i++) {
		if (c->intents.v[i].closing)
			continue;
		c->intents.v[i].durable = true;
		c->intents.v[n++] = c->intents.v[i];
	}
	c->intents.n = n;
	pack_intents(c);
}

struct open_intent *content_intent(struct content *c, uint64_t id)
{
	size_t at = intent_index(c, id);

	return at < c->intents.n && c->intents.v[at].i.id == id ? &c->intents.v[at] : NULL;
}

const struct intent *content_open_intents(struct content *c, size_t *n)
{
	size_t open = 0;

	if (c->cap_view < c->intents.n) {
		c->cap_view = 2 * c->intents.n;
		c->view = sys_realloc(c->view, c->cap_view * sizeof(*c->view));
	}
	for (size_t i = 0; i < c->intents.n; i++) {
		if (!c->intents.v[i].closing)
			c->view[open++] = c->intents.v[i].i;
	}
	*n = open;
	return c->view;
}

static bool is_mark(const char *s)
{
	return strncmp(s, STORE_MARK, sizeof(STORE_MARK) - 1) == 0;
}

/* Cuts the hex digits behind each mark: that there was a secret is still known. */
static char *without_marks(struct arena *a, const char *text)
{
	char *out, *to;

	out = to = arena_strdup(a, text);
	while (*text) {
		if (!is_mark(text)) {
			*to++ = *text++;
			continue;
		}
		memcpy(to, STORE_MARK, sizeof(STORE_MARK) - 1);
		to += sizeof(STORE_MARK) - 1;
		text += sizeof(STORE_MARK) - 1;
		text += strspn(text, "0123456789abcdef");
	}
	*to = '\0';
	return out;
}

size_t content_drop_fingerprints(struct content *c)
{
	struct arena a;
	size_t dropped = 0;

	arena_init(&a);
	for (size_t i = 0; i < c->slots.n; i++) {
		const struct record *old = c->slots.v[i].r;
		struct record *r = NULL;

		for (size_t k = 0; old && k < old->type->nattrs; k++) {
			if (!old->attrs[k] || !strstr(old->attrs[k], STORE_MARK))
				continue;
			if (!r)
				r = record_copy(&a, old);
			r->attrs[k] = without_marks(&a, old->attrs[k]);
			dropped += !text_eq(r->attrs[k], old->attrs[k]);
		}
		if (r)
			content_put(c, r);
		arena_reset(&a);
	}
	arena_release(&a);
	return dropped;
}

bool content_equal(struct content *x, struct content *y)
{
	size_t nx, ny;
	const struct record *const *lx = content_list(x, &nx), *const *ly = content_list(y, &ny);

	if (nx != ny || x->intents.n != y->intents.n)
		return false;
	for (size_t i = 0; i < nx; i++) {
		if (!record_equal(lx[i], ly[i]))
			return false;
	}
	for (size_t i = 0; i < x->intents.n; i++) {
		if (x->intents.v[i].i.id != y->intents.v[i].i.id ||
		    !text_eq(x->intents.v[i].i.address, y->intents.v[i].i.address))
			return false;
	}
	return true;
}

static int apply_files(struct content *c, struct arena *scratch, const struct json *op,
                       struct err *e)
{
	const struct json *list = json_get(op, "files");
	const char **v;
	size_t n = 0;

	if (!list || list->type != JSON_ARRAY)
		return err_set(e, ERR_STATE_READ, "\"files\" is not a list");
	v = arena_array(scratch, const char *, list->n + 1);
	for (const struct json *f = list->child; f; f = f->next) {
		if (f->type != JSON_STRING)
			return err_set(e, ERR_STATE_READ,
			               "\"files\" holds something else than names");
		v[n++] = f->s;
	}
	content_set_files(c, v, n);
	return 0;
}

int content_apply(struct content *c, struct arena *scratch, const struct json *op, struct err *e)
{
	const char *what = json_str(op, "op");
	const char *address = json_str(op, "address");
	uint64_t id;

	if (text_eq(what, "put")) {
		const struct record *r = decode_record(scratch, json_get(op, "record"), e);

		if (!r)
			return -1;
		content_put(c, r);
		return 0;
	}
	if (text_eq(what, "del") && address) {
		content_del(c, address);
		return 0;
	}
	if (text_eq(what, "home")) {
		struct state_home h = {json_str(op, "account"), json_str(op, "region"),
		                       json_str(op, "endpoint")};

		content_set_home(c, &h);
		return 0;
	}
	if (text_eq(what, "files"))
		return apply_files(c, scratch, op, e);
	if (text_eq(what, "orphans")) {
		content_set_orphans(c, json_str(op, "digest"));
		return 0;
	}
	if (text_eq(what, "intent")) {
		struct intent i;

		if (decode_intent(scratch, op, &i, e) < 0)
			return -1;
		content_add_intent(c, &i);
		return 0;
	}
	if (text_eq(what, "outcome") && decode_u64(op, "id", &id)) {
		if (!text_eq(json_str(op, "outcome"), "unknown"))
			content_close_intent(c, id);
		return 0;
	}
	if (text_eq(what, "commit"))
		return 0;
	return err_set(e, ERR_STATE_READ, "a record of unknown kind \"%.40s\"", what ? what : "");
}
