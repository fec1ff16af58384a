#include "sim/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim/world.h"

#define J(n, t, m)                                                                                 \
	{                                                                                          \
		n, t, offsetof(struct job, m)                                                      \
	}
#define EP(p, m)                                                                                   \
	J(p ".type", F_STR, m.type), J(p ".engine", F_STR, m.engine),                              \
		J(p ".instance", F_STR, m.instance), J(p ".region", F_STR, m.region),              \
		J(p ".ip", F_STR, m.ip), J(p ".port", F_STR, m.port), J(p ".sid", F_STR, m.sid),   \
		J(p ".database", F_STR, m.db), J(p ".user", F_STR, m.user),                        \
		J(p ".owner", F_STR, m.owner), J(p ".role", F_STR, m.role),                        \
		J(p ".password_hash", F_STR, m.password), J(p ".ssl", F_STR, m.ssl)
#define RULE(p, i)                                                                                 \
	J(p ".state", F_STR, rule[i].state), J(p ".phone", F_STR, rule[i].phone),                  \
		J(p ".delay_s", F_I64, rule[i].delay_s), J(p ".notice", F_I64, rule[i].notice),    \
		J(p ".period", F_I64, rule[i].period), J(p ".times", F_I64, rule[i].times)

const struct field job_fields[] = {
	J("id", F_STR, id),
	J("instance", F_STR, instance),
	J("direction", F_STR, dir),
	J("name", F_STR, name),
	J("type", F_STR, type),
	J("region", F_STR, region),
	J("resource_group", F_STR, group),
	J("status", F_STATUS, status),
	J("next", F_TURNS, next),
	J("structure_initialization", F_BOOL, structure_init),
	J("data_initialization", F_BOOL, data_init),
	J("data_synchronization", F_BOOL, data_sync),
	EP("source", src),
	EP("destination", dst),
	J("db_list", F_STR, db_object),
	J("reserved", F_STR, reserved),
	J("data_check", F_STR, data_check),
	J("checkpoint", F_STR, checkpoint),
	J("bis_label", F_STR, bis_label),
	J("dedicated_cluster", F_STR, cluster),
	J("parameters", F_STR, params),
	J("dynamic_config", F_STR, dynamic),
	J("du_limit", F_I64, du_limit),
	RULE("alarm.delay", RULE_DELAY),
	RULE("alarm.error", RULE_ERROR),
	RULE("alarm.full_timeout", RULE_FULL),
	J("failed_items", F_STR, failed_items),
	J("skipped_items", F_STR, skipped),
	J("prechecks", F_I64, prechecks),
	J("stale_reads", F_I64, stale_reads),
	J("stale_items", F_STR, stale_items),
	J("stale_status", F_STATUS, stale_status),
	J("created_wall_ms", F_I64, created_wall),
	J("begun_wall_ms", F_I64, begun_wall),
	J("finished_wall_ms", F_I64, finished_wall),
	J("hidden_until_ms", F_I64, hidden_until_ms),
	J("locked_from", F_STATUS, locked_from),
	J("suspended_ms", F_I64, suspended_ms),
	J("gone_ms", F_I64, gone_ms),
	J("stopped", F_BOOL, stopped),
	J("past_resuming", F_BOOL, past_resuming),
	J("pending_db_list", F_STR, pending_db),
	J("pending_file", F_BOOL, pending_file),
	J("sub_job", F_STR, sub_job),
	J("client_token", F_STR, token),
	J("client_token_hash", F_STR, token_hash),
};
const size_t job_nfields = sizeof(job_fields) / sizeof(job_fields[0]);

#define I(n, t, m)                                                                                 \
	{                                                                                          \
		n, t, offsetof(struct instance, m)                                                 \
	}
const struct field instance_fields[] = {
	I("id", F_STR, id),
	I("region", F_STR, region),
	I("type", F_STR, type),
	I("source_engine", F_STR, src_engine),
	I("source_region", F_STR, src_region),
	I("destination_engine", F_STR, dst_engine),
	I("destination_region", F_STR, dst_region),
	I("pay_type", F_STR, pay_type),
	I("class", F_STR, cls),
	I("pending_class", F_STR, pending_cls),
	I("architecture", F_STR, arch),
	I("resource_group", F_STR, group),
	I("tags", F_STR, tags),
	I("forward", F_STR, forward),
	I("reverse", F_STR, reverse),
	I("databases", F_I64, databases),
	I("created_wall_ms", F_I64, created_wall),
	I("expire_wall_ms", F_I64, expire_wall),
	I("expire_ms", F_I64, expire_ms),
	I("gone_ms", F_I64, gone_ms),
	I("stranger", F_BOOL, stranger),
};
const size_t instance_nfields = sizeof(instance_fields) / sizeof(instance_fields[0]);

const char *str_or(const char *s)
{
	return s != NULL ? s : "";
}

void str_set(char **p, const char *s)
{
	char *copy = NULL;
	size_t n;

	if (s != NULL && *s != '\0') { /* copied first: s may be *p */
		n = strlen(s) + 1;
		copy = sys_malloc(n);
		memcpy(copy, s, n);
	}
	sys_free(*p);
	*p = copy;
}

#define AT(T, obj, f) ((T *)(void *)((char *)(obj) + (f)->off))
#define CAT(T, obj, f) ((const T *)(const void *)((const char *)(obj) + (f)->off))

void fields_copy(const struct field *f, size_t n, const void *from, void *to)
{
	for (; n > 0; n--, f++)
		switch (f->type) {
		case F_STR:
			str_set(AT(char *, to, f), *CAT(char *, from, f));
			break;
		case F_I64:
			*AT(int64_t, to, f) = *CAT(int64_t, from, f);
			break;
		case F_BOOL:
			*AT(bool, to, f) = *CAT(bool, from, f);
			break;
		case F_STATUS:
			*AT(enum status, to, f) = *CAT(enum status, from, f);
			break;
		case F_TURNS:
			*AT(struct turns, to, f) = *CAT(struct turns, from, f);
			break;
		}
}

void fields_free(const struct field *f, size_t n, void *obj)
{
	for (; n > 0; n--, f++)
		if (f->type == F_STR)
			str_set(AT(char *, obj, f), NULL);
}

/* "PreCheckPass@6000 Initializing@7000": a line that people can read and edit. */
static void turns_text(struct buf *out, const struct turns *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_printf(out, "%s%s@%lld", i > 0 ? " " : "", st_name(t->v[i].to),
		           (long long)t->v[i].at_ms);
}

static bool turns_parse(const char *s, struct turns *t)
{
	char name[32];
	long long at;
	int used;

	memset(t, 0, sizeof(*t));
	while (sscanf(s, " %31[A-Za-z]@%lld%n", name, &at, &used) == 2) {
		if (t->n == TURNS_MAX || st_parse(name) == ST_NONE)
			return false;
		t->v[t->n].at_ms = at;
		t->v[t->n++].to = st_parse(name);
		s += used;
	}
	return s[strspn(s, " ")] == '\0';
}

static void write_key(struct buf *out, const char *name, bool *first)
{
	if (!*first)
		buf_puts(out, ", ");
	*first = false;
	json_write_str(out, name);
	buf_puts(out, ": ");
}

void fields_write(struct buf *out, const struct field *f, size_t n, const void *obj)
{
	struct buf t;
	bool first = true;

	buf_putc(out, '{');
	for (; n > 0; n--, f++) {
		if (f->type == F_STR && *CAT(char *, obj, f) != NULL) {
			write_key(out, f->name, &first);
			json_write_str(out, *CAT(char *, obj, f));
		} else if (f->type == F_I64 && *CAT(int64_t, obj, f) != 0) {
			write_key(out, f->name, &first);
			buf_printf(out, "%lld", (long long)*CAT(int64_t, obj, f));
		} else if (f->type == F_BOOL && *CAT(bool, obj, f)) {
			write_key(out, f->name, &first);
			buf_puts(out, "true");
		} else if (f->type == F_STATUS && *CAT(enum status, obj, f) != ST_NONE) {
			write_key(out, f->name, &first);
			json_write_str(out, st_name(*CAT(enum status, obj, f)));
		} else if (f->type == F_TURNS && CAT(struct turns, obj, f)->n > 0) {
			write_key(out, f->name, &first);
			buf_init(&t, 4096);
			turns_text(&t, CAT(struct turns, obj, f));
			json_write_str(out, buf_str(&t));
			buf_release(&t);
		}
	}
	buf_putc(out, '}');
}

static const struct field *field_find(const struct field *f, size_t n, const char *name)
{
	for (; n > 0; n--, f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static bool field_read(const struct field *f, const struct json *v, void *to)
{
	switch (f->type) {
	case F_STR:
		if (v->type != JSON_STRING)
			return false;
		str_set(AT(char *, to, f), v->s);
		return true;
	case F_I64:
		if (v->type != JSON_NUMBER || !v->is_int)
			return false;
		*AT(int64_t, to, f) = v->i;
		return true;
	case F_BOOL:
		if (v->type != JSON_BOOL)
			return false;
		*AT(bool, to, f) = v->b;
		return true;
	case F_STATUS:
		if (v->type != JSON_STRING || st_parse(v->s) == ST_NONE)
			return false;
		*AT(enum status, to, f) = st_parse(v->s);
		return true;
	case F_TURNS:
		return v->type == JSON_STRING && turns_parse(v->s, AT(struct turns, to, f));
	}
	return false;
}

bool fields_read(const struct field *f, size_t n, const struct json *obj, void *to,
                 const char **bad)
{
	const struct field *row;
	const struct json *v;

	for (v = obj->child; v != NULL; v = v->next) {
		row = field_find(f, n, v->key);
		if (row == NULL || !field_read(row, v, to)) {
			*bad = v->key;
			return false;
		}
	}
	return true;
}

bool fields_set(const struct field *f, size_t n, void *obj, const char *name, const char *value)
{
	const struct field *row = field_find(f, n, name);
	int64_t i;

	if (row == NULL)
		return false;
	switch (row->type) {
	case F_STR:
		str_set(AT(char *, obj, row), value);
		return true;
	case F_I64:
		if (!text_int(value, INT64_MIN / 2, INT64_MAX / 2, &i))
			return false;
		*AT(int64_t, obj, row) = i;
		return true;
	case F_BOOL:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return false;
		*AT(bool, obj, row) = value[0] == 't';
		return true;
	case F_STATUS:
		if (st_parse(value) == ST_NONE)
			return false;
		*AT(enum status, obj, row) = st_parse(value);
		return true;
	case F_TURNS:
		return turns_parse(value, AT(struct turns, obj, row));
	}
	return false;
}
