/*
 * Records and intents as JSON: one line in the snapshot, the same text in
 * the journal.
 *
 * {"address":..., "type":..., "id":..., "instance_id":..., "job_id":...,
 *  "origin":"created|imported|adopted", "step":"done|...", "region":...,
 *  "file":..., "protect":true, "destroy_forgets":true, "paused_by_us":true, "leaving":true,
 *  "created":TIME, "updated":TIME, "status":..., "status_since":TIME,
 *  "gone":TIME, "deps":[...], "left":[KEY, ...], "attrs":{...}}
 *
 * Absent members are unset, false or unknown. TIME is UTC with milliseconds.
 * An attribute that is a JSON value stands there as such if writing it anew
 * gives back the very same text, else as a string. Members of "attrs" that
 * this version does not know belong to a newer one and are kept.
 */
#include "store/internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#define TIME_MAX_MS INT64_C(253402300799999) /* the year 9999 */

/* A dozen of these a record, and records are written often: no format string. */
static void put_key(struct buf *out, const char *comma, const char *key)
{
	buf_puts(out, comma);
	buf_putc(out, '"');
	buf_puts(out, key);
	buf_puts(out, "\":");
}

void encode_member(struct buf *out, const char *key, const char *value)
{
	if (!value)
		return;
	put_key(out, ",", key);
	json_write_str(out, value);
}

static void encode_time(struct buf *out, const char *key, int64_t ms)
{
	char utc[21];

	if (ms <= 0 || ms > TIME_MAX_MS)
		return;
	text_utc(ms / 1000, utc);
	buf_printf(out, ",\"%s\":\"%.19s.%03dZ\"", key, utc, (int)(ms % 1000));
}

static void encode_flag(struct buf *out, const char *key, bool on)
{
	if (!on)
		return;
	put_key(out, ",", key);
	buf_puts(out, "true");
}

/* Is the text a JSON object or array that can stand in the file as one without losing anything? */
static bool embeddable(struct arena *scratch, const char *text)
{
	struct json *v;

	if (text[0] != '{' && text[0] != '[')
		return false;
	v = json_parse(scratch, text, strlen(text), NULL);
	return v && strcmp(json_write_dup(scratch, v, false), text) == 0;
}

static void encode_attrs(struct buf *out, struct arena *scratch, const struct record *r)
{
	const char *comma = "";

	buf_puts(out, ",\"attrs\":{");
	for (size_t i = 0; i < r->type->nattrs; i++) {
		const struct attr_def *at = &r->type->attrs[i];
		const char *v = r->attrs[i];

		if (!v)
			continue;
		/* The last barrier: a secret that is no fingerprint never reaches the disk. */
		if ((at->flags & A_SECRET) && !text_starts(v, STORE_MARK))
			continue;
		put_key(out, comma, at->key);
		if ((at->kind == AK_OBJECT || at->kind == AK_LIST) && embeddable(scratch, v))
			buf_puts(out, v);
		else
			json_write_str(out, v);
		comma = ",";
	}
	if (r->extra && strlen(r->extra) > 2) { /* "{...}" without its braces */
		buf_puts(out, comma);
		buf_add(out, r->extra + 1, strlen(r->extra) - 2);
	}
	buf_putc(out, '}');
}

static void encode_left(struct buf *out, const struct record *r)
{
	const char *comma = ",\"left\":[";

	for (size_t i = 0; i < r->type->nattrs; i++) {
		if (!attr_in(&r->left, i))
			continue;
		buf_puts(out, comma);
		json_write_str(out, r->type->attrs[i].key);
		comma = ",";
	}
	if (strlen(comma) == 1)
		buf_putc(out, ']');
}

void encode_record(struct buf *out, struct arena *scratch, const struct record *r)
{
	buf_puts(out, "{\"address\":");
	json_write_str(out, r->address);
	encode_member(out, "type", r->type->name);
	encode_member(out, "id", r->id ? r->id : "");
	encode_member(out, "instance_id", r->instance_id);
	encode_member(out, "job_id", r->job_id);
	encode_member(out, "origin", origin_name(r->origin));
	encode_member(out, "step", record_step_name(r->step));
	encode_member(out, "region", r->region);
	encode_member(out, "file", r->file);
	encode_flag(out, "protect", r->protect);
	encode_flag(out, "destroy_forgets", r->destroy_forgets);
	encode_flag(out, "paused_by_us", r->paused_by_us);
	encode_flag(out, "leaving", r->leaving);
	encode_time(out, "created", r->created_ms);
	encode_time(out, "updated", r->updated_ms);
	encode_member(out, "status", r->status);
	encode_time(out, "status_since", r->status_since_ms);
	encode_time(out, "gone", r->gone_ms);
	buf_puts(out, ",\"deps\":[");
	for (size_t i = 0; i < r->ndeps; i++) {
		if (i)
			buf_putc(out, ',');
		json_write_str(out, r->deps[i]);
	}
	buf_putc(out, ']');
	encode_left(out, r);
	encode_attrs(out, scratch, r);
	buf_putc(out, '}');
}

static int64_t decode_time(const char *s)
{
	int64_t sec = text_utc_parse(s), ms = 0, unit = 100;

	if (sec < 0)
		return 0;
	s = strchr(s, '.');
	for (size_t i = 1; s && i <= 3 && s[i] >= '0' && s[i] <= '9'; i++, unit /= 10)
		ms += (s[i] - '0') * unit;
	return sec * 1000 + ms;
}

struct decoding {
	struct arena *a;
	struct record *r;
	struct buf extra;
	const char *wrong; /* key of the first member that is wrong */
};

static const char *text_of(struct decoding *d, const struct json *m)
{
	if (m->type == JSON_STRING)
		return m->s;
	d->wrong = m->key;
	return "";
}

static bool flag_of(struct decoding *d, const struct json *m)
{
	if (m->type != JSON_BOOL)
		d->wrong = m->key;
	return m->b;
}

static int64_t time_of(struct decoding *d, const struct json *m)
{
	int64_t ms = decode_time(text_of(d, m));

	if (ms <= 0)
		d->wrong = m->key;
	return ms;
}

static void decode_deps(struct decoding *d, const struct json *list)
{
	if (list->type != JSON_ARRAY) {
		d->wrong = list->key;
		return;
	}
	d->r->deps = arena_array(d->a, const char *, list->n + 1);
	for (const struct json *m = list->child; m; m = m->next) {
		if (m->type != JSON_STRING)
			d->wrong = list->key;
		else
			d->r->deps[d->r->ndeps++] = m->s;
	}
}

/* Keys of a newer version say nothing here: their values are kept as they came. */
static void decode_left(struct decoding *d, const struct json *list)
{
	if (list->type != JSON_ARRAY)
		d->wrong = list->key;
	for (const struct json *m = list->type == JSON_ARRAY ? list->child : NULL; m; m = m->next) {
		int i = m->type == JSON_STRING ? attr_find(d->r->type, m->s) : -1;

		if (m->type != JSON_STRING)
			d->wrong = list->key;
		else if (i >= 0)
			attr_add(&d->r->left, (size_t)i);
	}
}

static void decode_attrs(struct decoding *d, const struct json *obj)
{
	if (obj->type != JSON_OBJECT) {
		d->wrong = obj->key;
		return;
	}
	for (const struct json *m = obj->child; m; m = m->next) {
		int i = attr_find(d->r->type, m->key);

		if (i < 0) {
			buf_putc(&d->extra, d->extra.n ? ',' : '{');
			json_write_str(&d->extra, m->key);
			buf_putc(&d->extra, ':');
			json_write(&d->extra, m, false);
		} else if (m->type == JSON_STRING) {
			d->r->attrs[i] = m->s;
		} else if (m->type == JSON_OBJECT || m->type == JSON_ARRAY) {
			d->r->attrs[i] = json_write_dup(d->a, m, false);
		} else {
			d->wrong = m->key;
		}
	}
	if (d->extra.n) {
		buf_putc(&d->extra, '}');
		d->r->extra = arena_strndup(d->a, d->extra.p, d->extra.n);
	}
}

static void decode_one(struct decoding *d, const struct json *m)
{
	struct record *r = d->r;
	const char *k = m->key;

	if (!strcmp(k, "address") || !strcmp(k, "type"))
		return; /* read before */
	if (!strcmp(k, "id"))
		r->id = text_of(d, m);
	else if (!strcmp(k, "instance_id"))
		r->instance_id = text_of(d, m);
	else if (!strcmp(k, "job_id"))
		r->job_id = text_of(d, m);
	else if (!strcmp(k, "region"))
		r->region = text_of(d, m);
	else if (!strcmp(k, "file"))
		r->file = text_of(d, m);
	else if (!strcmp(k, "status"))
		r->status = text_of(d, m);
	else if (!strcmp(k, "protect"))
		r->protect = flag_of(d, m);
	else if (!strcmp(k, "destroy_forgets"))
		r->destroy_forgets = flag_of(d, m);
	else if (!strcmp(k, "paused_by_us"))
		r->paused_by_us = flag_of(d, m);
	else if (!strcmp(k, "leaving"))
		r->leaving = flag_of(d, m);
	else if (!strcmp(k, "created"))
		r->created_ms = time_of(d, m);
	else if (!strcmp(k, "updated"))
		r->updated_ms = time_of(d, m);
	else if (!strcmp(k, "status_since"))
		r->status_since_ms = time_of(d, m);
	else if (!strcmp(k, "gone"))
		r->gone_ms = time_of(d, m);
	else if (!strcmp(k, "deps"))
		decode_deps(d, m);
	else if (!strcmp(k, "left"))
		decode_left(d, m);
	else if (!strcmp(k, "attrs"))
		decode_attrs(d, m);
	else if (!strcmp(k, "origin")
	                 ? !origin_parse(text_of(d, m), &r->origin)
	                 : strcmp(k, "step") != 0 || !record_step_parse(text_of(d, m), &r->step))
		d->wrong = k;
}

struct record *decode_record(struct arena *a, const struct json *v, struct err *e)
{
	static const char *const needed[] = {"address", "type", "id", "origin", "step", "attrs"};
	struct decoding d = {.a = a};
	const struct type_def *t;
	const char *name = json_str(v, "type");

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!json_get(v, needed[i])) {
			err_set(e, ERR_STATE_READ, "a resource without \"%s\"", needed[i]);
			return NULL;
		}
	}
	t = name ? type_find(name) : NULL;
	if (!t || text_empty(json_str(v, "address"))) {
		err_set(e, ERR_STATE_READ,
		        "a resource of a type that this version does not know: \"%.80s\"",
		        name ? name : "");
		return NULL;
	}
	d.r = record_new(a, json_str(v, "address"), t);
	buf_init(&d.extra, STORE_FILE_MAX);
	for (const struct json *m = v->child; m; m = m->next)
		decode_one(&d, m);
	buf_release(&d.extra);
	if (d.wrong) {
		err_set(e, ERR_STATE_READ, "%.200s: the member \"%.80s\" is not understood",
		        d.r->address, d.wrong);
		return NULL;
	}
	return d.r;
}

void encode_intent_members(struct buf *out, const struct intent *i)
{
	buf_printf(out, "\"id\":%" PRIu64, i->id);
	encode_member(out, "address", i->address ? i->address : "");
	encode_member(out, "action", i->action ? i->action : "");
	encode_time(out, "time", i->wall_ms);
	encode_member(out, "nonce", i->nonce);
	if (i->detail) {
		buf_puts(out, ",\"detail\":");
		json_write(out, i->detail, false);
	}
}

int decode_intent(struct arena *a, const struct json *v, struct intent *out, struct err *e)
{
	const char *time = json_str(v, "time");
	struct intent i = {.address = json_str(v, "address"), .action = json_str(v, "action")};

	(void)a;
	if (!decode_u64(v, "id", &i.id) || !i.id || !i.address || !i.action)
		return err_set(e, ERR_STATE_READ, "an intent without id, address or action");
	i.nonce = json_str(v, "nonce");
	i.wall_ms = time ? decode_time(time) : 0;
	i.detail = json_get(v, "detail");
	*out = i;
	return 0;
}

bool decode_u64(const struct json *obj, const char *key, uint64_t *out)
{
	const struct json *m = json_get(obj, key);

	if (!m || m->type != JSON_NUMBER || !m->is_int || m->i < 0)
		return false;
	*out = (uint64_t)m->i;
	return true;
}

bool decode_hex(const struct json *obj, const char *key, size_t digits, char *out)
{
	const char *s = json_str(obj, key);

	if (!s || strlen(s) != digits || strspn(s, "0123456789abcdef") != digits)
		return false;
	memcpy(out, s, digits + 1);
	return true;
}
