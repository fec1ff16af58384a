#include "remote/sign.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/text.h"

#define ALGORITHM "ACS3-HMAC-SHA256"
#define TEXT_MAX ((size_t)64 << 20) /* of a canonical text; far beyond what any action carries */
#define NO_BODY ""

/* By name alone: pairs joined with '=' would sort differently (alibaba-auth.md 1.2). */
static int by_name(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;
	int c = strcmp(a->name, b->name);

	return c ? c : strcmp(a->value, b->value);
}

static void sort_pairs(struct pair *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof *v, by_name);
}

static char *take(struct arena *a, struct buf *b)
{
	char *s = arena_strndup(a, buf_str(b), b->n);

	buf_release(b);
	return s;
}

char *sign_form(struct arena *a, const struct pair *p, size_t n, size_t *len)
{
	struct buf b;

	buf_init(&b, TEXT_MAX);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(&b, '&');
		text_percent(&b, p[i].name, strlen(p[i].name));
		buf_putc(&b, '=');
		text_percent(&b, p[i].value, strlen(p[i].value));
	}
	if (len)
		*len = b.n;
	return take(a, &b);
}

static char *canonical_query(struct arena *a, const struct sign_request *r)
{
	struct pair *v = arena_array(a, struct pair, r->nquery + 1);

	if (r->nquery)
		memcpy(v, r->query, r->nquery * sizeof *v);
	sort_pairs(v, r->nquery);
	return sign_form(a, v, r->nquery, NULL);
}

/* Leading and trailing blanks do not count, inner ones do. */
static char *trimmed(struct arena *a, const char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n\f\v");
	n = strlen(s);
	while (n && strchr(" \t\r\n\f\v", s[n - 1]))
		n--;
	return arena_strndup(a, s, n);
}

/* Everything that has to be signed, sorted by name; exactly what has to be sent, too. */
static size_t headers(struct arena *a, const struct signature *s, const struct credential *c,
                      const struct sign_request *r, struct pair **out)
{
	struct pair *v = arena_array(a, struct pair, r->nextra + 10);
	size_t n = 0;

	v[n++] = (struct pair){"host", r->host};
	v[n++] = (struct pair){"x-acs-action", r->action};
	v[n++] = (struct pair){"x-acs-version", r->version};
	v[n++] = (struct pair){"x-acs-date", s->date};
	v[n++] = (struct pair){"x-acs-signature-nonce", r->nonce};
	v[n++] = (struct pair){"x-acs-content-sha256", s->body_hash};
	if (r->content_type)
		v[n++] = (struct pair){"content-type", r->content_type};
	if (c->token) {
		v[n++] = (struct pair){"x-acs-accesskey-id", c->id};
		v[n++] = (struct pair){"x-acs-security-token", c->token};
	}
	for (size_t i = 0; i < r->nextra; i++)
		v[n++] = r->extra[i];
	for (size_t i = 0; i < n; i++)
		v[i].value = trimmed(a, v[i].value);
	sort_pairs(v, n);
	*out = v;
	return n;
}

/* Adds v[at..] of one name as a line; values of one name are sorted already. Returns the next. */
static size_t header_line(struct buf *block, struct buf *names, const struct pair *v, size_t n,
                          size_t at)
{
	const char *name = v[at].name;

	if (names->n)
		buf_putc(names, ';');
	buf_puts(names, name);
	buf_puts(block, name);
	buf_putc(block, ':');
	buf_puts(block, v[at].value);
	for (at++; at < n && !strcmp(v[at].name, name); at++) {
		buf_putc(block, ',');
		buf_puts(block, v[at].value);
	}
	buf_putc(block, '\n');
	return at;
}

static const char *hex_sha256(struct arena *a, const char *p, size_t n)
{
	uint8_t sum[32];
	char *hex = arena_alloc(a, 65);

	hash_sha256(p, n, sum);
	hash_hex(sum, sizeof sum, hex);
	return hex;
}

void sign_v3(struct signature *out, struct arena *a, const struct credential *c,
             const struct sign_request *r)
{
	struct buf block, names;
	struct pair *v = NULL;
	uint8_t mac[32];
	char hex[65];
	char *date = arena_alloc(a, 21);
	const char *signed_names;
	size_t n;

	text_utc(r->time_s, date);
	out->date = date;
	out->body_hash = hex_sha256(a, r->body ? r->body : NO_BODY, r->body ? r->body_n : 0);
	out->query = canonical_query(a, r);
	n = headers(a, out, c, r, &v);
	buf_init(&block, TEXT_MAX);
	buf_init(&names, TEXT_MAX);
	for (size_t i = 0; i < n;)
		i = header_line(&block, &names, v, n, i);
	signed_names = take(a, &names);
	/* RPC has one path (alibaba-auth.md 1.1). */
	out->canonical = arena_printf(a, "%s\n/\n%s\n%s\n%s\n%s", r->method, out->query,
	                              take(a, &block), signed_names, out->body_hash);
	out->string_to_sign = arena_printf(a, ALGORITHM "\n%s",
	                                   hex_sha256(a, out->canonical, strlen(out->canonical)));
	hash_hmac_sha256(c->secret, strlen(c->secret), out->string_to_sign,
	                 strlen(out->string_to_sign), mac);
	hash_hex(mac, sizeof mac, hex);
	hash_wipe(mac, sizeof mac);
	out->authorization =
		arena_printf(a, ALGORITHM " Credential=%s,SignedHeaders=%s,Signature=%s", c->id,
	                     signed_names, hex);
}
