/* Shared by http.c and its parts http_*.c; nobody else includes it. */
#ifndef REMOTE_HTTP_INTERNAL_H
#define REMOTE_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "remote/http.h"
#include "remote/resolve.h"

#define HOST_MAX 254

typedef const char *(*env_fn)(void *ctx, const char *name);

/* ---- http_url.c: addresses and proxies ------------------------------------ */

struct url {
	bool tls;
	char host[HOST_MAX]; /* lower case; an IPv6 address without brackets */
	unsigned port;       /* never 0 */
	const char *rest;    /* in the text that was parsed: path and so on */
};
/* False when it is no http or https address. */
bool url_parse(const char *text, struct url *out);
bool url_is_address(const char *host); /* literal IPv4 or IPv6 */
bool url_is_loopback(const char *host);

struct proxy {
	bool used;
	const char *var;         /* the variable it came from */
	char url[HOST_MAX + 32]; /* scheme://host:port, no user */
	char host[HOST_MAX];
	unsigned port;
	const char *user, *password; /* secret memory; NULL: none */
};
/* The proxy for a request to u by the usual variables. -1: a variable holds no proxy address. */
int proxy_choose(struct proxy *out, const struct url *u, env_fn env, void *ctx, struct err *e);

/* ---- http_target.c: names --------------------------------------------------- */

/* A host we connect to: the endpoint's or a proxy's. Looked up once per run. */
struct target {
	struct target *next;
	char host[HOST_MAX];
	unsigned port;
	struct lookup *lookup;
	enum { LOOKING, KNOWN, UNKNOWN } state;
	const struct address *addr;
	size_t naddr;
	const char *text;           /* why UNKNOWN */
	struct curl_slist *resolve; /* NULL: a literal address, nothing to tell libcurl */
	struct curl_slist *former;  /* the list before `ordered`: transfers may still hold it */
	bool ordered;               /* resolve was rewritten for the family that answers */
};

/* The one of that name in *list, or a new one whose lookup has begun; wake_fd gets a byte when it ends. */
struct target *target_of(struct target **list, const char *host, unsigned port, int wake_fd);
void target_poll(struct target *g); /* LOOKING -> KNOWN or UNKNOWN */
void target_free(struct target *g);
/* A family that does not answer is waited for once per run, not once per connection: v6 says which one did. */
void target_prefer(struct target *g, bool v6);
/* "127.0.0.2:9": where it was tried to connect. */
void target_addresses(char *out, size_t n, const struct target *g);

/* ---- http_tls.c: whom to trust --------------------------------------------- */

struct trust;
/* cacert, else SSL_CERT_FILE, else the system's file, else the embedded bundle; parsed once. */
struct trust *trust_open(const char *cacert, env_fn env, void *ctx, struct err *e);
void trust_free(struct trust *t);

/* What was wrong with a certificate, filled while the handshake runs. */
struct tls_report {
	uint32_t flags; /* 0: nothing */
	char subject[160];
	int64_t from_s, to_s;
};
/* ssl_config: the backend's configuration of one connection. rep lives as long as the connection attempt. */
void trust_apply(struct trust *t, void *ssl_config, struct tls_report *rep);
/* Text for people. now_s, build_s: to name our own clock. */
void tls_explain(char *out, size_t n, const struct trust *t, const struct tls_report *rep,
                 const char *host, int64_t now_s, int64_t build_s);

/* ---- http_result.c ---------------------------------------------------------- */

#define HEADER_MAX 256

struct transfer {
	struct transfer *next;
	struct http *h;
	const struct http_opts *o;
	const struct trust *trust;
	struct target *target;
	struct proxy proxy;
	struct url url;
	char *address; /* whole URL */
	struct curl_slist *headers;
	const char *body;
	size_t body_n;
	bool fresh, once;
	int timeout_ms;
	void *user;
	CURL *easy;
	int64_t begun_ms;
	bool ready; /* the request may have been written */
	bool too_big;
	struct buf answer;
	char type[HEADER_MAX], date[HEADER_MAX], request_id[HEADER_MAX], retry_after[32];
	char peer[80];
	struct tls_report tls;
	char error[CURL_ERROR_SIZE];
	char text[1400];
};

enum net_result result_classify(const struct transfer *t, CURLcode code);
/* Fills t->text. */
void result_describe(struct transfer *t, CURLcode code, enum net_result net);

#endif
