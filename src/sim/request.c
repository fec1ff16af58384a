#include "sim/request.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

const char *request_header(const struct sim_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->nheaders; i++)
		if (text_ieq(rq->headers[i].name, name))
			return rq->headers[i].value;
	return NULL;
}

static const char *decode(struct arena *a, struct params *out, const char *s, size_t n)
{
	struct buf b;
	const char *text;

	if (memchr(s, '%', n) == NULL && memchr(s, '+', n) == NULL && memchr(s, '\0', n) == NULL) {
		if (text_utf8_bad(s, n) != n)
			out->broken = true;
		return arena_strndup(a, s, n);
	}
	buf_init(&b, n + 1);
	if (!text_unpercent(&b, s, n, true) || memchr(buf_str(&b), '\0', b.n) != NULL ||
	    text_utf8_bad(buf_str(&b), b.n) != b.n)
		out->broken = true;
	text = arena_strndup(a, buf_str(&b), b.n);
	buf_release(&b);
	return text;
}

static size_t count_pairs(const char *s, size_t n)
{
	size_t k = 1;

	for (size_t i = 0; i < n; i++)
		k += s[i] == '&';
	return k;
}

static void split(struct arena *a, struct params *out, const char *s, size_t n, bool form)
{
	const char *end = s + n, *amp, *eq;

	for (; s < end; s = amp + 1) {
		amp = memchr(s, '&', (size_t)(end - s));
		if (amp == NULL)
			amp = end;
		if (amp == s)
			continue;
		eq = memchr(s, '=', (size_t)(amp - s));
		out->v[out->n].name = decode(a, out, s, (size_t)((eq != NULL ? eq : amp) - s));
		out->v[out->n].value =
			eq != NULL ? decode(a, out, eq + 1, (size_t)(amp - eq - 1)) : "";
		out->v[out->n++].form = form;
	}
}

void request_params(const struct sim_request *rq, struct arena *a, struct params *out)
{
	const char *q = strchr(rq->target, '?'), *type = request_header(rq, "content-type");
	size_t qn = q != NULL ? strlen(q + 1) : 0;
	bool form = type != NULL && text_starts(type, "application/x-www-form-urlencoded");

	memset(out, 0, sizeof(*out));
	out->path = arena_strndup(a, rq->target,
	                          q != NULL ? (size_t)(q - rq->target) : strlen(rq->target));
	out->v = arena_array(a, struct pair,
	                     (q != NULL ? count_pairs(q + 1, qn) : 0) +
	                             (form ? count_pairs(rq->body, rq->body_n) : 0) + 1);
	if (q != NULL)
		split(a, out, q + 1, qn, false);
	if (form && rq->body_n > 0)
		split(a, out, rq->body, rq->body_n, true);
}

const char *params_get(const struct params *p, const char *name)
{
	const char *found = NULL;
	bool form = false;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].name, name) != 0 || (form && !p->v[i].form))
			continue;
		found = p->v[i].value;
		form = p->v[i].form;
	}
	return found;
}
