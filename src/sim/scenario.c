#include "sim/scenario.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim/items.h"

#define SCENARIO_MAX_BYTES (1 << 20)

enum key_type { K_TEXT, K_INT, K_DUR, K_RATE, K_BOOL, K_OWN };

struct key_def {
	const char *section, *key; /* section "fault.": rows [fault.NAME] */
	enum key_type type;
	size_t off;
};

#define S(s, k, t, m)                                                                              \
	{                                                                                          \
		s, k, t, offsetof(struct scenario, m)                                              \
	}
#define F(k, t, m)                                                                                 \
	{                                                                                          \
		"fault.", k, t, offsetof(struct fault, m)                                          \
	}
#define P(k, t, m)                                                                                 \
	{                                                                                          \
		"precheck.", k, t, offsetof(struct precheck_row, m)                                \
	}
#define T(k, t, m)                                                                                 \
	{                                                                                          \
		"stale-failure.", k, t, offsetof(struct stale_row, m)                              \
	}
#define L(k, t, m)                                                                                 \
	{                                                                                          \
		"life.", k, t, offsetof(struct life_row, m)                                        \
	}
static const struct key_def keys[] = {
	S("timing", "precheck", K_DUR, precheck_ms),
	S("timing", "precheck_pass", K_DUR, pass_ms),
	S("timing", "initializing", K_DUR, init_ms),
	S("timing", "suspending", K_DUR, suspend_ms),
	S("timing", "resume", K_DUR, resume_ms),
	S("timing", "modifying", K_DUR, modify_ms),
	S("timing", "upgrade", K_DUR, upgrade_ms),
	S("timing", "finished", K_DUR, finished_ms),
	S("timing", "list_lag", K_DUR, lag_ms),
	S("limits", "off", K_BOOL, limits_off),
	S("limits", "list", K_RATE, list_rate),
	S("limits", "detail", K_RATE, detail_rate),
	S("limits", "read", K_RATE, read_rate),
	S("limits", "write", K_RATE, write_rate),
	S("limits", "retry_after", K_DUR, retry_after_ms),
	S("limits", "any_page_size", K_BOOL, any_page_size),
	S("auth", "skew", K_DUR, skew_ms),
	S("auth", "clock_offset", K_OWN, clock_offset_ms),
	S("auth", "fence", K_BOOL, fence),
	S("auth", "fence_window", K_DUR, fence_ms),
	S("auth", "keys", K_OWN, keys),
	S("auth", "inactive", K_TEXT, inactive),
	S("auth", "token", K_TEXT, token),
	S("auth", "token_uses", K_INT, token_uses),
	S("auth", "deny", K_TEXT, deny),
	S("service", "lenient", K_BOOL, lenient),
	S("service", "strict_modules", K_BOOL, strict_modules),
	S("service", "partial_batch", K_BOOL, partial_batch),
	S("service", "errcode_on_success", K_BOOL, errcode_on_success),
	S("service", "seed", K_OWN, seed),
	S("stranger", "after", K_TEXT, stranger_after),
	S("stranger", "every", K_INT, stranger_every),
	S("stranger", "max", K_INT, stranger_max),
	S("stranger", "probability", K_RATE, stranger_probability),
	S("stranger", "configure", K_BOOL, stranger_configures),
	F("action", K_TEXT, action),
	F("match", K_OWN, match_name),
	F("nth", K_INT, nth),
	F("every", K_INT, every),
	F("count", K_INT, count),
	F("after", K_INT, after),
	F("probability", K_RATE, probability),
	F("seed", K_OWN, seed),
	F("do", K_OWN, what),
	F("message", K_TEXT, message),
	F("effect", K_OWN, effect),
	F("retry_after", K_DUR, retry_after_ms),
	P("job", K_TEXT, job),
	P("item", K_TEXT, item),
	P("times", K_INT, times),
	P("message", K_TEXT, message),
	P("repair", K_TEXT, repair),
	P("warning", K_BOOL, warning),
	T("job", K_TEXT, job),
	T("reads", K_OWN, reads),
	T("on", K_OWN, on_start),
	T("times", K_INT, times),
	L("job", K_TEXT, job),
	L("course", K_TEXT, course),
	L("times", K_INT, times),
};

void scenario_init(struct scenario *sc)
{
	memset(sc, 0, sizeof(*sc));
	arena_init(&sc->a);
	sc->precheck_ms = 5000;
	sc->pass_ms = 1000;
	sc->init_ms = 10000;
	sc->suspend_ms = 2000;
	sc->resume_ms = 2000;
	sc->modify_ms = 4000;
	sc->upgrade_ms = 5000;
	sc->finished_ms = 60000;
	sc->lag_ms = 2000;
	sc->list_rate = 20; /* dts-api.md 8: the two documented figures; the others are ours */
	sc->detail_rate = 40;
	sc->read_rate = 100;
	sc->write_rate = 50;
	sc->skew_ms = 15 * 60 * 1000;
	sc->fence = true;
	sc->fence_ms = 15 * 60 * 1000;
}

void scenario_release(struct scenario *sc)
{
	arena_release(&sc->a);
	memset(sc, 0, sizeof(*sc));
}

bool glob_list(const char *globs, const char *word)
{
	char one[256];
	size_t n;

	for (const char *p = globs; p != NULL && *p != '\0'; p += *p == ',') {
		p += strspn(p, " ");
		n = strcspn(p, ",");
		if (n < sizeof(one)) {
			memcpy(one, p, n);
			while (n > 0 && one[n - 1] == ' ')
				n--;
			one[n] = '\0';
			if (text_glob(one, word))
				return true;
		}
		p += strcspn(p, ",");
	}
	return false;
}

struct reader {
	struct scenario *sc;
	struct err *e;
	const char *file;
	unsigned line;
	char section[64]; /* "fault." for [fault.x] */
	void *row;        /* the struct that keys of this section go to */
};

static int wrong(struct reader *r, const char *what, const char *text)
{
	return err_set(r->e, ERR_USAGE, "%s:%u: %s: %s", r->file, r->line, what, text);
}

struct do_row {
	const char *word;
	enum fault_do what;
};
static const struct do_row dos[] = {
	{"cut-before", DO_CUT_BEFORE},
	{"cut-after", DO_CUT_AFTER},
	{"half", DO_HALF},
	{"garbage", DO_GARBAGE},
	{"html", DO_HTML},
	{"status", DO_STATUS},
	{"code", DO_CODE},
	{"body-code", DO_BODY_CODE},
	{"delay", DO_DELAY},
	{"hang", DO_HANG},
	{"lost-effect", DO_LOST_EFFECT},
};

/* do = code:Throttling.User:400 | body-code:CODE | status:502 | delay:3s | hang ... */
static int read_do(struct reader *r, struct fault *f, const char *value)
{
	char *head = text_field(&r->sc->a, value, ':', 0),
	     *arg = text_field(&r->sc->a, value, ':', 1);
	char *third = text_field(&r->sc->a, value, ':', 2);
	int64_t n;

	for (size_t i = 0; head != NULL && i < sizeof(dos) / sizeof(dos[0]); i++)
		if (strcmp(dos[i].word, head) == 0)
			f->what = dos[i].what;
	if (f->what == DO_NONE)
		return wrong(r, "unknown kind of fault", value);
	if (f->what == DO_STATUS) {
		if (arg == NULL || !text_int(arg, 100, 599, &n))
			return wrong(r, "a status needs a number, as in status:502", value);
		f->http = (int)n;
	} else if (f->what == DO_CODE || f->what == DO_BODY_CODE) {
		if (arg == NULL)
			return wrong(r, "a code is missing, as in code:Throttling.User:400", value);
		f->code = arg;
		if (third != NULL && !text_int(third, 200, 599, &n))
			return wrong(r, "HTTP status expected behind the code", value);
		f->http = third != NULL ? (int)n : 0;
	} else if (f->what == DO_DELAY) {
		f->delay_ms = arg != NULL ? text_duration_ms(arg) : -1;
		if (f->delay_ms < 0)
			return wrong(r, "a duration is missing, as in delay:3s", value);
	}
	return 0;
}

static int read_seed(struct reader *r, uint64_t *seed, bool *seeded, const char *value)
{
	int64_t n;

	if (!text_int(value, 0, INT64_MAX, &n))
		return wrong(r, "not a number", value);
	*seed = (uint64_t)n;
	*seeded = true;
	return 0;
}

static int read_keys(struct reader *r, const char *value)
{
	struct key_row *k;
	char *one, *colon;

	for (size_t i = 0; (one = text_field(&r->sc->a, value, ',', i)) != NULL; i++) {
		colon = strchr(one, ':');
		if (colon == NULL)
			return wrong(r, "a key is written ID:SECRET", "");
		*colon = '\0';
		k = VEC_PUSH(&r->sc->a, &r->sc->keys);
		k->id = one;
		k->secret = colon + 1;
	}
	return 0;
}

static int read_own(struct reader *r, const char *key, const char *value)
{
	struct fault *f = r->row;
	struct stale_row *t = r->row;
	const char *v = arena_strdup(&r->sc->a, value);
	char *eq;
	int64_t n;

	if (strcmp(key, "do") == 0)
		return read_do(r, f, v);
	if (strcmp(key, "match") == 0) {
		eq = strchr(v, '=');
		if (eq == NULL)
			return wrong(r, "match is written Param=glob", value);
		*eq = '\0';
		f->match_name = v;
		f->match_glob = eq + 1;
		return 0;
	}
	if (strcmp(key, "effect") == 0) {
		if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
			return wrong(r, "yes or no expected", value);
		f->effect = v[0] == 'y';
		return 0;
	}
	if (strcmp(key, "seed") == 0)
		return r->section[0] == 'f' ? read_seed(r, &f->seed, &f->seeded, v)
		                            : read_seed(r, &r->sc->seed, &r->sc->seeded, v);
	if (strcmp(key, "keys") == 0)
		return read_keys(r, v);
	if (strcmp(key, "clock_offset") == 0) {
		n = text_duration_ms(v[0] == '-' ? v + 1 : v);
		if (n < 0)
			return wrong(r, "not a duration", value);
		r->sc->clock_offset_ms = v[0] == '-' ? -n : n;
		return 0;
	}
	if (strcmp(key, "reads") == 0) {
		if (strcmp(v, "forever") == 0)
			n = -1;
		else if (!text_int(v, 1, 1000000, &n))
			return wrong(r, "a number of reads or forever expected", value);
		t->reads = n;
		return 0;
	}
	/* on = start | reset | start,reset */
	t->on_start = glob_list(v, "start");
	t->on_reset = glob_list(v, "reset");
	return t->on_start || t->on_reset ? 0 : wrong(r, "start or reset expected", value);
}

static int read_value(struct reader *r, const struct key_def *k, const char *value)
{
	char *at = (char *)r->row + k->off, *end;
	int64_t n;
	double d;

	switch (k->type) {
	case K_TEXT:
		*(const char **)(void *)at = arena_strdup(&r->sc->a, value);
		return 0;
	case K_INT:
		if (!text_int(value, 0, INT64_MAX / 2, &n))
			return wrong(r, "not a number", value);
		*(int64_t *)(void *)at = n;
		return 0;
	case K_DUR:
		n = text_duration_ms(value);
		if (n < 0)
			return wrong(r, "not a duration", value);
		*(int64_t *)(void *)at = n;
		return 0;
	case K_RATE:
		d = strtod(value, &end);
		if (end == value || *end != '\0' || d < 0)
			return wrong(r, "not a number", value);
		*(double *)(void *)at = d;
		return 0;
	case K_BOOL:
		if (strcmp(value, "true") == 0 || strcmp(value, "on") == 0)
			*(bool *)(void *)at = true;
		else if (strcmp(value, "false") == 0 || strcmp(value, "off") == 0)
			*(bool *)(void *)at = false;
		else
			return wrong(r, "true or false expected", value);
		return 0;
	case K_OWN:
		break;
	}
	return read_own(r, k->key, value);
}

static int read_shape(struct reader *r, const char *code, const char *value)
{
	struct shape_row *s = VEC_PUSH(&r->sc->a, &r->sc->shape);

	s->code = arena_strdup(&r->sc->a, code);
	s->prefix = text_ends(value, "+prefix");
	s->form = text_starts(value, "http") ? 'A' : text_starts(value, "body") ? 'B' : 0;
	return s->form != 0 ? 0
	                    : wrong(r, "http, body, http+prefix or body+prefix expected", value);
}

/* A new row for [fault.NAME] and its kin; keys of plain sections go to the scenario itself. */
static int open_section(struct reader *r, const char *head)
{
	struct scenario *sc = r->sc;
	const char *dot = strchr(head, '.');
	const char *name = arena_strdup(&sc->a, dot != NULL ? dot + 1 : "");

	snprintf(r->section, sizeof(r->section), "%.*s", (int)(dot != NULL ? dot - head + 1 : 60),
	         head);
	r->row = sc;
	if (strcmp(r->section, "fault.") == 0) {
		struct fault *f = VEC_PUSH(&sc->a, &sc->fault);

		f->name = name;
		f->action = "*";
		f->effect = -1;
		r->row = f;
	} else if (strcmp(r->section, "precheck.") == 0) {
		struct precheck_row *p = VEC_PUSH(&sc->a, &sc->precheck);

		p->name = name;
		p->job = "*";
		p->item = "CHECK_CONN_SRC";
		p->message = "Original error: Access denied for user";
		p->repair = "CHECK_ERROR_SRC_CONN_REPAIR1";
		r->row = p;
	} else if (strcmp(r->section, "stale-failure.") == 0) {
		struct stale_row *t = VEC_PUSH(&sc->a, &sc->stale);

		t->name = name;
		t->job = "*";
		t->reads = 2;
		t->on_start = true;
		r->row = t;
	} else if (strcmp(r->section, "life.") == 0) {
		struct life_row *l = VEC_PUSH(&sc->a, &sc->life);

		l->name = name;
		l->job = "*";
		l->course = "";
		r->row = l;
	} else if (strcmp(r->section, "errors") != 0) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strcmp(keys[i].section, r->section) == 0)
				return 0;
		return wrong(r, "unknown section", head);
	}
	return 0;
}

static int read_line(struct reader *r, char *line)
{
	char *eq, *end;
	size_t n;

	line += strspn(line, " \t");
	n = strlen(line);
	while (n > 0 && strchr(" \t\r", line[n - 1]) != NULL)
		line[--n] = '\0';
	if (n == 0 || line[0] == ';' || line[0] == '#')
		return 0;
	if (line[0] == '[') {
		end = strrchr(line, ']');
		if (end == NULL || end[1] != '\0')
			return wrong(r, "broken section header", line);
		*end = '\0';
		return open_section(r, line + 1);
	}
	eq = strchr(line, '=');
	if (eq == NULL || r->row == NULL)
		return wrong(r, eq == NULL ? "key = value expected" : "key outside of a section",
		             line);
	for (end = eq; end > line && strchr(" \t", end[-1]) != NULL; end--)
		;
	*end = '\0';
	eq += 1 + strspn(eq + 1, " \t");
	if (strcmp(r->section, "errors") == 0)
		return read_shape(r, line, eq);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].section, r->section) == 0 && strcmp(keys[i].key, line) == 0)
			return read_value(r, &keys[i], eq);
	return wrong(r, "unknown key", line);
}

static int check_rows(struct reader *r)
{
	for (size_t i = 0; i < r->sc->fault.n; i++)
		if (r->sc->fault.v[i].what == DO_NONE)
			return wrong(r, "a fault without 'do'", r->sc->fault.v[i].name);
	for (size_t i = 0; i < r->sc->precheck.n; i++)
		if (item_find(r->sc->precheck.v[i].item) == NULL)
			return wrong(r, "unknown precheck item", r->sc->precheck.v[i].item);
	return 0;
}

int scenario_parse(struct scenario *sc, const char *name, const char *text, size_t n, struct err *e)
{
	struct reader r = {.sc = sc, .e = e, .file = name};
	char *copy = arena_strndup(&sc->a, text, n), *nl;

	for (char *p = copy; p != NULL; p = nl) {
		nl = strchr(p, '\n');
		if (nl != NULL)
			*nl++ = '\0';
		r.line++;
		if (read_line(&r, p) != 0)
			return -1;
	}
	return check_rows(&r);
}

int scenario_load(struct scenario *sc, const char *path, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, SCENARIO_MAX_BYTES);
	if (sys_read_file(path, &b) != 0)
		rc = err_set(e, ERR_USAGE, "scenario %s: %s", path, strerror(errno));
	else
		rc = scenario_parse(sc, path, buf_str(&b), b.n, e);
	buf_release(&b);
	return rc;
}
