/*
 * Transport: requests in, results out, over one curl_multi. One thread; the
 * caller drives it with transport_wait(). tests/unit/fake.c has another
 * implementation of the same interface.
 */
#ifndef REMOTE_HTTP_H
#define REMOTE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

/* What the network did. The order of severity matters to retry.c. */
enum net_result {
	NET_OK,      /* an HTTP answer arrived whole */
	NET_RESOLVE, /* name resolution failed: nothing was sent */
	NET_CONNECT, /* no connection (refused, unreachable, proxy refused, time-out while connecting): nothing was sent */
	NET_TLS,     /* certificate or handshake: nothing was sent */
	NET_SENT_UNKNOWN, /* broken or timed out after the request may have been written: outcome unknown */
	NET_TOO_BIG, /* answer over the ceiling */
};

struct http_req {
	const char *url;            /* without query */
	const char *query;          /* encoded, may be "" */
	const char *const *headers; /* "Name: value", n of them, in the order to send */
	size_t nheaders;
	const char *body; /* NULL: none. Must live until the result */
	size_t body_n;
	bool fresh; /* a new connection that is not reused: libcurl must not resend it (style.md 4b) */
	bool once; /* may be written at most once, also where a kept connection dies under it: then NET_SENT_UNKNOWN */
	int timeout_ms;
	void *user;
};

struct http_res {
	void *user;
	enum net_result net;
	const char *net_text; /* for people: "connection refused (127.0.0.2:9)"; NULL when NET_OK */
	int status;
	const char *body;
	size_t body_n;
	const char *content_type, *date, *request_id, *retry_after; /* headers, NULL if absent */
	int64_t elapsed_ms;
};

struct transport {
	void *ctx;
	/* Takes the request (strings are copied except body). */
	void (*submit)(void *ctx, const struct http_req *r);
	/* Waits up to timeout_ms (-1: for ever) for results or a wake-up; calls back for each result (strings valid during the
	 * call only). Returns the number of results. wake_fd readability ends the wait. */
	size_t (*wait)(void *ctx, int64_t timeout_ms, int wake_fd,
	               void (*done)(void *arg, const struct http_res *r), void *arg);
	size_t (*in_flight)(void *ctx);
	void (*close)(void *ctx);
};

struct http_opts {
	const char *endpoint;   /* http(s)://HOST[:PORT] */
	const char *cacert;     /* --cacert, NULL: SSL_CERT_FILE, system paths, embedded bundle */
	bool insecure_http;     /* allow plain HTTP beyond loopback */
	size_t max_connections; /* at most 64, less by RLIMIT_NOFILE */
	size_t max_response_bytes;
	const char *(*env)(void *ctx, const char *name);
	void *env_ctx;
	int64_t build_time_s; /* a clock older than this is named as ours in certificate errors */
};

int http_open(struct transport *t, const struct http_opts *o, struct err *e);
/* "dts.cn-hangzhou.aliyuncs.com" | "http://127.0.0.1:8080" -> full endpoint URL and Host header text. ERR_USAGE if it is no host. */
int http_endpoint(struct arena *a, const char *given, const char **url, const char **host,
                  bool *loopback, struct err *e);

#endif
