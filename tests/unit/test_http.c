/* The transport against a scripted server on loopback: above all, what was surely not sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/sys.h"
#include "base/text.h"
#include "remote/http.h"

/* ---- server ------------------------------------------------------------------ */

enum act {
	ACT_ANSWER, /* text, keep the connection */
	ACT_CLOSE,  /* after the request, without a byte */
	ACT_CUT,    /* half of text, then close */
	ACT_SILENT, /* until the test ends */
	ACT_DROP,   /* answer, then close although keep-alive was promised */
};

struct server {
	int fd;
	unsigned port;
	pthread_t thread;
	enum act act;
	const char *text;
	atomic_int accepted, requests, links;
	atomic_bool stop;
	pthread_mutex_t lock;
	char last[4096];
};

static size_t read_request(int fd, char *buf, size_t max)
{
	size_t n = 0;

	while (n < max - 1) {
		ssize_t k = recv(fd, buf + n, max - 1 - n, 0);
		char *end, *len;

		if (k <= 0)
			return 0;
		n += (size_t)k;
		buf[n] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (!end)
			continue;
		len = strcasestr(buf, "content-length:");
		if (!len || len > end || n >= (size_t)(end + 4 - buf) + (size_t)atoi(len + 15))
			return n;
	}
	return n;
}

static void serve_one(struct server *s, int fd)
{
	char request[sizeof s->last]; /* links run side by side */

	while (read_request(fd, request, sizeof request)) {
		size_t n = s->text ? strlen(s->text) : 0;

		pthread_mutex_lock(&s->lock);
		memcpy(s->last, request, sizeof request);
		pthread_mutex_unlock(&s->lock);
		s->requests++;
		if (s->act == ACT_CLOSE)
			break;
		if (s->act == ACT_SILENT) {
			while (!s->stop)
				usleep(10000);
			break;
		}
		send(fd, s->text, s->act == ACT_CUT ? n - 3 : n, MSG_NOSIGNAL);
		if (s->act == ACT_CUT || s->act == ACT_DROP)
			break;
	}
	close(fd);
}

struct link {
	struct server *s;
	int fd;
};

static void *link_main(void *arg)
{
	struct link *l = arg;

	serve_one(l->s, l->fd);
	l->s->links--;
	free(l);
	return NULL;
}

static void *server_main(void *arg)
{
	struct server *s = arg;

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		struct link *l;
		pthread_t t;

		if (fd < 0)
			return NULL;
		s->accepted++;
		s->links++;
		l = malloc(sizeof *l);
		*l = (struct link){s, fd};
		pthread_create(&t, NULL, link_main, l);
		pthread_detach(t);
	}
}

static void server_start(struct server *s, enum act act, const char *text)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;

	memset(s, 0, sizeof *s);
	s->act = act;
	s->text = text;
	pthread_mutex_init(&s->lock, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(s->fd, 64), 0);
	getsockname(s->fd, (struct sockaddr *)&a, &n);
	s->port = ntohs(a.sin_port);
	pthread_create(&s->thread, NULL, server_main, s);
}

static void server_stop(struct server *s)
{
	s->stop = true;
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	while (s->links) /* they end with the client's connections */
		usleep(1000);
}

#define OK_TEXT                                                                                    \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Wed, 25 Nov 2026 17:12:00 "    \
	"GMT\r\nx-acs-request-id: RID\r\nx-acs-retry-after: 250\r\nContent-Length: 2\r\n\r\n{}"

/* ---- client ------------------------------------------------------------------ */

static const char *const *environment; /* name, value, ..., NULL */

static const char *env(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; environment && environment[i]; i += 2)
		if (!strcmp(environment[i], name))
			return environment[i + 1];
	return NULL;
}

struct got {
	size_t n;
	enum net_result net;
	int status;
	char text[1500], body[64], type[64], date[64], id[64], after[64];
	void *user;
};

static void copy(char *out, size_t n, const char *s)
{
	snprintf(out, n, "%s", s ? s : "(null)");
}

static void on_done(void *arg, const struct http_res *r)
{
	struct got *g = arg;

	g->n++;
	g->net = r->net;
	g->status = r->status;
	g->user = r->user;
	copy(g->text, sizeof g->text, r->net_text);
	copy(g->body, sizeof g->body, r->body);
	copy(g->type, sizeof g->type, r->content_type);
	copy(g->date, sizeof g->date, r->date);
	copy(g->id, sizeof g->id, r->request_id);
	copy(g->after, sizeof g->after, r->retry_after);
}

static void open_at(struct transport *t, const char *endpoint, size_t max)
{
	struct http_opts o = {.endpoint = endpoint,
	                      .insecure_http = true,
	                      .max_connections = 8,
	                      .max_response_bytes = max,
	                      .env = env};
	struct err e = {0};

	if (http_open(t, &o, &e))
		fail_msg("%s", e.msg);
}

static void ask(struct transport *t, const char *url, bool fresh, int timeout_ms, struct got *g)
{
	static const char *const headers[] = {"x-acs-action: Test", "Accept: application/json"};
	struct http_req r = {.url = url,
	                     .query = "A=b%20c",
	                     .headers = headers,
	                     .nheaders = 2,
	                     .body = "",
	                     .fresh = fresh,
	                     .timeout_ms = timeout_ms,
	                     .user = g};
	int64_t until = sys_now_ms() + 20000;

	memset(g, 0, sizeof *g);
	t->submit(t->ctx, &r);
	while (!g->n && sys_now_ms() < until)
		t->wait(t->ctx, 1000, -1, on_done, g);
	assert_int_equal(g->n, 1);
	assert_ptr_equal(g->user, g);
	assert_int_equal(t->in_flight(t->ctx), 0);
}

static const char *url_of(const struct server *s)
{
	static char url[64];

	snprintf(url, sizeof url, "http://127.0.0.1:%u", s->port);
	return url;
}

/* ---- tests ------------------------------------------------------------------- */

static void test_answer(void **state)
{
	struct server s;
	struct transport t;
	struct got g;

	(void)state;
	server_start(&s, ACT_ANSWER, OK_TEXT);
	open_at(&t, url_of(&s), 1 << 20);
	ask(&t, url_of(&s), false, 10000, &g);
	assert_int_equal(g.net, NET_OK);
	assert_int_equal(g.status, 200);
	assert_string_equal(g.body, "{}");
	assert_string_equal(g.type, "application/json");
	assert_string_equal(g.date, "Wed, 25 Nov 2026 17:12:00 GMT");
	assert_string_equal(g.id, "RID");
	assert_string_equal(g.after, "250");
	assert_ptr_equal(strstr(s.last, "POST /?A=b%20c HTTP/1.1\r\n"), s.last);
	assert_null(strcasestr(s.last, "expect:"));
	assert_null(strcasestr(s.last, "content-type:"));
	assert_non_null(strcasestr(s.last, "content-length: 0"));
	assert_non_null(strstr(s.last, "x-acs-action: Test"));
	/* Kept alive for ordinary calls, never for those that must not be repeated. */
	ask(&t, url_of(&s), false, 10000, &g);
	assert_int_equal(s.accepted, 1);
	ask(&t, url_of(&s), true, 10000, &g);
	ask(&t, url_of(&s), true, 10000, &g);
	assert_int_equal(s.accepted, 3);
	ask(&t, url_of(&s), false, 10000, &g);
	assert_int_equal(s.accepted, 3);
	t.close(t.ctx);
	server_stop(&s);
}

static void test_redirect(void **state)
{
	struct server s;
	struct transport t;
	struct got g;

	(void)state;
	server_start(
		&s, ACT_ANSWER,
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
	open_at(&t, url_of(&s), 1 << 20);
	ask(&t, url_of(&s), false, 10000, &g);
	assert_int_equal(g.net, NET_OK);
	assert_int_equal(g.status, 302);
	assert_int_equal(s.requests, 1);
	t.close(t.ctx);
	server_stop(&s);
}

/* Whatever happens after the connection stands: unknown, and sent once. */
static void test_unknown(void **state)
{
	static const enum act acts[] = {ACT_CLOSE, ACT_CUT, ACT_SILENT};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct server s;
		struct transport t;
		struct got g;

		server_start(&s, acts[i], OK_TEXT);
		open_at(&t, url_of(&s), 1 << 20);
		ask(&t, url_of(&s), true, 1500, &g);
		assert_int_equal(g.net, NET_SENT_UNKNOWN);
		assert_int_equal(s.requests, 1);
		assert_non_null(strstr(g.text, "127.0.0.1:"));
		t.close(t.ctx);
		server_stop(&s);
	}
}

/* A kept connection that dies with the next request on it: libcurl sends again, unless we said `fresh`. */
static void test_no_resend(void **state)
{
	struct server s;
	struct transport t;
	struct got g;

	(void)state;
	server_start(&s, ACT_DROP, OK_TEXT);
	open_at(&t, url_of(&s), 1 << 20);
	ask(&t, url_of(&s), false, 10000, &g);
	assert_int_equal(g.net, NET_OK);
	s.act = ACT_CLOSE;
	ask(&t, url_of(&s), true, 10000, &g);
	assert_int_equal(g.net, NET_SENT_UNKNOWN);
	assert_int_equal(s.requests, 2);
	t.close(t.ctx);
	server_stop(&s);
}

/* The same on a connection that is kept, for what changes something: one copy, and nobody knows. */
static void test_once(void **state)
{
	static const char *const headers[] = {"x-acs-action: Test"};
	struct http_req r = {.headers = headers, .nheaders = 1, .body = "", .timeout_ms = 10000};
	int64_t until = sys_now_ms() + 20000;
	struct server s;
	struct transport t;
	struct got g;

	(void)state;
	for (int once = 0; once < 2; once++) {
		server_start(&s, ACT_ANSWER, OK_TEXT);
		open_at(&t, url_of(&s), 1 << 20);
		ask(&t, url_of(&s), false, 10000, &g);
		assert_int_equal(g.net, NET_OK);
		s.act = ACT_CLOSE;
		memset(&g, 0, sizeof g);
		r.url = url_of(&s);
		r.once = once;
		r.user = &g;
		t.submit(t.ctx, &r);
		while (!g.n && sys_now_ms() < until)
			t.wait(t.ctx, 1000, -1, on_done, &g);
		assert_int_equal(g.net, NET_SENT_UNKNOWN);
		if (once) {
			assert_int_equal(s.requests, 2);
			assert_non_null(strstr(g.text, "closed under the request"));
		} else {
			assert_true(s.requests > 2); /* the trap that `once` is for */
		}
		t.close(t.ctx);
		server_stop(&s);
	}
}

static void test_not_sent(void **state)
{
	struct server s;
	struct transport t;
	struct got g;
	char url[64];

	(void)state;
	server_start(&s, ACT_ANSWER, OK_TEXT);
	snprintf(url, sizeof url, "%s", url_of(&s));
	server_stop(&s); /* nobody listens there now */
	open_at(&t, url, 1 << 20);
	ask(&t, url, true, 10000, &g);
	assert_int_equal(g.net, NET_CONNECT);
	assert_non_null(strstr(g.text, "connection refused (127.0.0.1:"));
	t.close(t.ctx);
}

static void test_ceiling(void **state)
{
	struct server s;
	struct transport t;
	struct got g;

	(void)state;
	server_start(&s, ACT_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n123456789012");
	open_at(&t, url_of(&s), 10);
	ask(&t, url_of(&s), false, 10000, &g);
	assert_int_equal(g.net, NET_TOO_BIG);
	t.close(t.ctx);
	server_stop(&s);
}

/* Many at once: more than there are places, each answered once. */
static void test_many(void **state)
{
	static const char *const headers[] = {"Accept: application/json"};
	struct server s;
	struct transport t;
	struct got g = {0};

	(void)state;
	server_start(&s, ACT_ANSWER, OK_TEXT);
	open_at(&t, url_of(&s), 1 << 20);
	for (int i = 0; i < 200; i++) {
		struct http_req r = {.url = url_of(&s),
		                     .query = "",
		                     .headers = headers,
		                     .nheaders = 1,
		                     .body = i % 2 ? "a=b" : "",
		                     .body_n = i % 2 ? 3 : 0,
		                     .fresh = i % 7 == 0,
		                     .timeout_ms = 10000};

		t.submit(t.ctx, &r);
	}
	while (t.in_flight(t.ctx))
		t.wait(t.ctx, 5000, -1, on_done, &g);
	assert_int_equal(g.n, 200);
	assert_int_equal(s.requests, 200);
	t.close(t.ctx);
	server_stop(&s);
}

static void test_wake(void **state)
{
	struct server s;
	struct transport t;
	struct got g = {0};
	int p[2];
	int64_t begun = sys_now_ms();

	(void)state;
	server_start(&s, ACT_SILENT, NULL);
	open_at(&t, url_of(&s), 1 << 20);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(t.wait(t.ctx, -1, p[0], on_done, &g), 0);
	assert_int_equal(t.wait(t.ctx, 50, -1, on_done, &g), 0);
	assert_true(sys_now_ms() - begun < 2000);
	/* Closing with a request under way. */
	t.submit(t.ctx, &(struct http_req){
				.url = url_of(&s), .query = "", .body = "", .timeout_ms = 10000});
	t.wait(t.ctx, 50, -1, on_done, &g);
	assert_int_equal(t.in_flight(t.ctx), 1);
	t.close(t.ctx);
	close(p[0]);
	close(p[1]);
	server_stop(&s);
}

static void test_proxy(void **state)
{
	struct server s;
	struct transport t;
	struct got g;
	char value[128];
	const char *vars[] = {"http_proxy", value, "https_proxy", value, NULL};
	struct arena a;

	(void)state;
	arena_init(&a);
	server_start(&s, ACT_ANSWER, OK_TEXT);
	snprintf(value, sizeof value, "http://joe:p%%40ss-word@127.0.0.1:%u/", s.port);
	environment = vars;
	open_at(&t, "http://dts.region.test", 1 << 20);
	ask(&t, "http://dts.region.test", false, 10000, &g); /* the proxy resolves the name */
	assert_int_equal(g.net, NET_OK);
	assert_ptr_equal(strstr(s.last, "POST http://dts.region.test/?A=b%20c HTTP/1.1"), s.last);
	assert_non_null(strstr(s.last, "Host: dts.region.test\r\n"));
	assert_non_null(strstr(s.last, "Proxy-Authorization: Basic am9lOnBAc3Mtd29yZA=="));
	t.close(t.ctx);
	/* Both spellings of its password are secrets from now on. */
	assert_string_equal(secret_mask(&a, "p%40ss-word p@ss-word"), "*** ***");
	/* Loopback never goes through it. */
	open_at(&t, url_of(&s), 1 << 20);
	ask(&t, url_of(&s), false, 10000, &g);
	assert_ptr_equal(strstr(s.last, "POST /?"), s.last);
	t.close(t.ctx);
	/* A tunnel that is refused has carried nothing. */
	s.text = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
	open_at(&t, "https://dts.region.test", 1 << 20);
	ask(&t, "https://dts.region.test", true, 10000, &g);
	assert_ptr_equal(strstr(s.last, "CONNECT dts.region.test:443 HTTP/1.1"), s.last);
	assert_int_equal(g.net, NET_CONNECT);
	assert_non_null(strstr(g.text, "407"));
	assert_non_null(strstr(g.text, "https_proxy"));
	assert_null(strstr(g.text, "ss-word"));
	t.close(t.ctx);
	server_stop(&s);
	environment = NULL;
	arena_release(&a);
}

static int try_open(const char *endpoint, const char *const *vars, bool insecure, struct err *e)
{
	struct http_opts o = {.endpoint = endpoint,
	                      .insecure_http = insecure,
	                      .max_response_bytes = 1,
	                      .env = env};
	struct transport t;
	int rc;

	environment = vars;
	*e = (struct err){0};
	rc = http_open(&t, &o, e);
	environment = NULL;
	if (!rc)
		t.close(t.ctx);
	return rc;
}

static void test_refusals(void **state)
{
	static const char *const bad_proxy[] = {"http_proxy", "http://joe:topsecret@", NULL};
	static const char *const bad_ca[] = {"SSL_CERT_FILE", "/nowhere/ca.pem", NULL};
	struct err e;

	(void)state;
	assert_int_equal(try_open("http://dts.region.test", NULL, false, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.hint, "--insecure-http"));
	assert_int_equal(try_open("http://127.9.9.9:80", NULL, false, &e), 0);
	assert_int_equal(try_open("http://[::1]:80", NULL, false, &e), 0);
	assert_int_equal(try_open("http://dts.region.test", bad_proxy, true, &e), -1);
	assert_null(strstr(e.msg, "topsecret"));
	assert_non_null(strstr(e.msg, "http_proxy"));
	assert_int_equal(try_open("https://dts.region.test", bad_ca, false, &e), -1);
	assert_non_null(strstr(e.msg, "/nowhere/ca.pem"));
	assert_int_equal(try_open("https://dts.region.test", NULL, false, &e), 0);
}

static void test_endpoint(void **state)
{
	static const struct {
		const char *given, *url, *host;
		bool loopback;
	} good[] = {
		{"dts.cn-hangzhou.aliyuncs.com", "https://dts.cn-hangzhou.aliyuncs.com",
	         "dts.cn-hangzhou.aliyuncs.com", false},
		{"DTS.aliyuncs.com:443", "https://dts.aliyuncs.com", "dts.aliyuncs.com", false},
		{"dts.aliyuncs.com:8443/", "https://dts.aliyuncs.com:8443", "dts.aliyuncs.com:8443",
	         false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080", true},
		{"http://localhost:80", "http://localhost", "localhost", true},
		{"https://[::1]:8080", "https://[::1]:8080", "[::1]:8080", true},
		{"dts.region.test.", "https://dts.region.test", "dts.region.test", false},
	};
	static const char *const bad[] = {"",
	                                  "http://",
	                                  "ftp://h",
	                                  "https://h/path",
	                                  "a b",
	                                  "h:0",
	                                  "h:65536",
	                                  "h:1x",
	                                  "https://u:p@h",
	                                  "[::1",
	                                  "[1]:2",
	                                  "h?x=1",
	                                  "..",
	                                  "-:",
	                                  "h:",
	                                  "h#f",
	                                  "\xe4\xb8\xad.test"};
	const char *url, *host;
	bool loop;
	struct arena a;
	struct err e;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (http_endpoint(&a, good[i].given, &url, &host, &loop, &e))
			fail_msg("%s: %s", good[i].given, e.msg);
		assert_string_equal(url, good[i].url);
		assert_string_equal(host, good[i].host);
		assert_int_equal(loop, good[i].loopback);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (!http_endpoint(&a, bad[i], &url, &host, &loop, &e))
			fail_msg("accepted: \"%s\"", bad[i]);
		assert_int_equal(e.code, ERR_USAGE);
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),   cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_unknown),  cmocka_unit_test(test_no_resend),
		cmocka_unit_test(test_once),     cmocka_unit_test(test_not_sent),
		cmocka_unit_test(test_ceiling),  cmocka_unit_test(test_many),
		cmocka_unit_test(test_wake),     cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
