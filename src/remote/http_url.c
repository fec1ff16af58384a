/* Addresses: what an endpoint may look like, and which proxy a request takes. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/text.h"
#include "remote/http_internal.h"

/* ---- parsing -------------------------------------------------------------- */

static bool host_is_name(const char *h)
{
	size_t label = 0;

	for (; *h; h++) {
		if (*h == '.') {
			if (!label)
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)*h) && *h != '-' && *h != '_')
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0;
}

bool url_is_address(const char *host)
{
	struct in6_addr a;

	return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

bool url_is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return text_ieq(host, "localhost");
}

/* "HOST[:PORT]" up to any of "/?#" or the end; port stays as it is when absent. */
static const char *authority(const char *s, char host[HOST_MAX], unsigned *port)
{
	const char *end = s + strcspn(s, "/?#"), *colon, *stop;
	struct in6_addr v6;
	int64_t p;
	char digits[6];

	if (*s == '[') {
		stop = memchr(s, ']', (size_t)(end - s));
		if (!stop || stop - s - 1 >= HOST_MAX || stop == s + 1)
			return NULL;
		snprintf(host, HOST_MAX, "%.*s", (int)(stop - s - 1), s + 1);
		if (inet_pton(AF_INET6, host, &v6) != 1)
			return NULL;
		colon = stop + 1;
	} else {
		colon = memchr(s, ':', (size_t)(end - s));
		stop = colon ? colon : end;
		if (stop == s || stop - s >= HOST_MAX)
			return NULL;
		snprintf(host, HOST_MAX, "%.*s", (int)(stop - s), s);
		if (host[stop - s - 1] ==
		    '.') /* complete already: TLS names have no dot at the end */
			host[stop - s - 1] = '\0';
		if (!host_is_name(host))
			return NULL;
		colon = stop;
	}
	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (colon == end)
		return end;
	if (*colon != ':' || end - colon - 1 > 5)
		return NULL;
	snprintf(digits, sizeof digits, "%.*s", (int)(end - colon - 1), colon + 1);
	if (!text_int(digits, 1, 65535, &p))
		return NULL;
	*port = (unsigned)p;
	return end;
}

static const char *scheme(const char *text, const char *name)
{
	size_t n = strlen(name);

	return !strncasecmp(text, name, n) && !strncmp(text + n, "://", 3) ? text + n + 3 : NULL;
}

bool url_parse(const char *text, struct url *out)
{
	const char *s = scheme(text, "https");

	out->tls = s != NULL;
	if (!s)
		s = scheme(text, "http");
	if (!s)
		return false;
	out->port = out->tls ? 443 : 80;
	out->rest = authority(s, out->host, &out->port);
	return out->rest != NULL;
}

int http_endpoint(struct arena *a, const char *given, const char **url, const char **host,
                  bool *loopback, struct err *e)
{
	const char *text = strstr(given, "://") ? given : arena_printf(a, "https://%s", given);
	const char *name;
	struct url u;

	if (!url_parse(text, &u) || (*u.rest && strcmp(u.rest, "/") != 0)) {
		err_set(e, ERR_USAGE, "\"%s\" is no endpoint", text_safe_dup(a, given, 80));
		return err_hint(
			e, "a host such as dts.cn-hangzhou.aliyuncs.com, with a port if need be; "
			   "http://127.0.0.1:8080 for a simulator");
	}
	name = strchr(u.host, ':') ? arena_printf(a, "[%s]", u.host) : arena_strdup(a, u.host);
	/* As in the Host header: libcurl leaves out a default port, so it is signed without it. */
	*host = u.port == (u.tls ? 443 : 80) ? name : arena_printf(a, "%s:%u", name, u.port);
	*url = arena_printf(a, "%s://%s", u.tls ? "https" : "http", *host);
	*loopback = url_is_loopback(u.host);
	return 0;
}

/* ---- proxies -------------------------------------------------------------- */

static const char *get(env_fn env, void *ctx, const char *name)
{
	const char *v = env ? env(ctx, name) : NULL;

	return text_empty(v) ? NULL : v;
}

/* Answers of a proxy about credentials of this machine would be those of another machine. */
static bool is_metadata(const char *host)
{
	return !strcmp(host, "100.100.100.200") || text_starts(host, "169.254.");
}

static bool in_network(const char *host, const char *entry)
{
	char net[64];
	const char *slash = strchr(entry, '/');
	struct in_addr h, n;
	int64_t bits;

	if (!slash || (size_t)(slash - entry) >= sizeof net || !text_int(slash + 1, 0, 32, &bits))
		return false;
	snprintf(net, sizeof net, "%.*s", (int)(slash - entry), entry);
	if (inet_pton(AF_INET, host, &h) != 1 || inet_pton(AF_INET, net, &n) != 1)
		return false;
	return bits == 0 || (ntohl(h.s_addr ^ n.s_addr) >> (32 - bits)) == 0;
}

/* One entry of NO_PROXY: host, domain (with or without a dot in front), network; an optional port. */
static bool excluded_by(const char *entry, const struct url *u)
{
	char e[HOST_MAX];
	const char *colon = strrchr(entry, ':');
	size_t n = strlen(entry), h = strlen(u->host);
	int64_t port = 0;

	if (!strcmp(entry, "*"))
		return true;
	if (colon && colon == strchr(entry, ':') && text_int(colon + 1, 1, 65535, &port))
		n = (size_t)(colon - entry);
	if (port && (unsigned)port != u->port)
		return false;
	if (*entry == '[' && n > 2) {
		entry++;
		n -= 2;
	}
	while (n && (*entry == '*' || *entry == '.')) {
		entry++;
		n--;
	}
	if (!n || n >= sizeof e)
		return false;
	snprintf(e, sizeof e, "%.*s", (int)n, entry);
	if (in_network(u->host, e))
		return true;
	if (h == n)
		return text_ieq(u->host, e);
	return h > n && u->host[h - n - 1] == '.' && text_ieq(u->host + h - n, e);
}

static bool excluded(const char *list, const struct url *u)
{
	char entry[HOST_MAX];

	while (*list) {
		size_t n;

		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n && n < sizeof entry) {
			snprintf(entry, sizeof entry, "%.*s", (int)n, list);
			if (excluded_by(entry, u))
				return true;
		}
		list += n;
	}
	return false;
}

/* A part of user:password, decoded; the spelling of the variable is a secret, too. */
static const char *secret_part(const char *s, size_t n)
{
	struct buf b;
	const char *out;

	buf_init(&b, 4096);
	if (!text_unpercent(&b, s, n, false) || b.over) {
		buf_reset(&b);
		buf_add(&b, s, n < 4096 ? n : 4096);
	}
	secret_dup(s, n);
	out = secret_dup(buf_str(&b), b.n);
	buf_release(&b);
	return out;
}

static const char *proxy_scheme(const char *value, const char **name, unsigned *port)
{
	static const struct {
		const char *given, *name;
		unsigned port;
	} known[] = {
		{"http", "http", 80},
		{"https", "https", 443},
		/* The names are resolved by the proxy, or musl's resolver would have to (resolve.h). */
		{"socks5h", "socks5h", 1080},
		{"socks5", "socks5h", 1080},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const char *rest = scheme(value, known[i].given);

		if (rest) {
			*name = known[i].name;
			*port = known[i].port;
			return rest;
		}
	}
	*name = "http";
	*port = 80;
	return strstr(value, "://") ? NULL : value;
}

static int proxy_parse(struct proxy *out, const char *value, struct err *e)
{
	const char *name, *rest = proxy_scheme(value, &name, &out->port), *at, *end, *colon;

	at = rest ? strrchr(rest, '@') : NULL; /* a password may hold an unescaped @ */
	if (at) {
		colon = memchr(rest, ':', (size_t)(at - rest));
		end = colon ? colon : at;
		out->user = secret_part(rest, (size_t)(end - rest));
		out->password = colon ? secret_part(colon + 1, (size_t)(at - colon - 1)) : "";
		rest = at + 1;
	}
	end = rest ? authority(rest, out->host, &out->port) : NULL;
	if (!end || (*end && strcmp(end, "/") != 0)) {
		err_set(e, ERR_USAGE, "%s holds no proxy address", out->var);
		return err_hint(e, "http://[USER:PASSWORD@]HOST:PORT");
	}
	snprintf(out->url, sizeof out->url, strchr(out->host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
	         name, out->host, out->port);
	out->used = true;
	return 0;
}

int proxy_choose(struct proxy *out, const struct url *u, env_fn env, void *ctx, struct err *e)
{
	static const char *const tls[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	static const char *const plain[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
	const char *no = get(env, ctx, "no_proxy");

	*out = (struct proxy){0};
	no = no ? no : get(env, ctx, "NO_PROXY");
	/* A simulator on this machine is never behind a proxy. */
	if (url_is_loopback(u->host) || is_metadata(u->host) || (no && excluded(no, u)))
		return 0;
	for (size_t i = 0; i < 4; i++) {
		const char *var = u->tls ? tls[i] : plain[i], *value = get(env, ctx, var);

		/* In a CGI program HTTP_PROXY is the client's "Proxy:" header. */
		if (!value || (!strcmp(var, "HTTP_PROXY") && get(env, ctx, "REQUEST_METHOD")))
			continue;
		out->var = var;
		return proxy_parse(out, value, e);
	}
	return 0;
}
