/*
 * Transport over one curl_multi. libcurl calls on_ready() when a connection
 * stands and nothing of the request is written yet: that is how what was
 * surely not sent is told apart from what may have been (http_result.c).
 */
#include "remote/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/sys.h"
#include "base/text.h"
#include "remote/http_internal.h"

#define CONNECTIONS_MAX 64
#define CONNECT_TIMEOUT_MS 10000
#define HAPPY_EYEBALLS_MS 200
#define SLOW_CONNECT_MS 150 /* longer than this: the first family did not answer */
#define DEFAULT_TIMEOUT_MS 60000
#define SPARE_FDS 32 /* for files, pipes and the simulator */
#define USER_AGENT "dtsbatch"

struct queue {
	struct transfer *head, *tail;
};

struct http {
	CURLM *multi;
	struct http_opts o;
	struct url home; /* the endpoint, and how it is reached */
	struct proxy home_proxy;
	size_t max_active, active, held;
	struct queue waiting; /* for a name or a place */
	struct transfer *running;
	struct target *targets;
	struct trust *trust;
	int pipe[2]; /* lookups write */
	CURL *idle[CONNECTIONS_MAX];
	size_t nidle;
};

/* ---- lists ----------------------------------------------------------------- */

static void queue_push(struct queue *q, struct transfer *t)
{
	t->next = NULL;
	if (q->tail)
		q->tail->next = t;
	else
		q->head = t;
	q->tail = t;
}

static struct transfer *queue_pop(struct queue *q)
{
	struct transfer *t = q->head;

	q->head = t->next;
	if (!q->head)
		q->tail = NULL;
	return t;
}

static void running_remove(struct http *h, struct transfer *t)
{
	struct transfer **at = &h->running;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	h->active--;
}

static void transfer_free(struct transfer *t)
{
	if (t->easy) {
		/* The pool keeps what is costly: handles, not settings. */
		curl_easy_reset(t->easy);
		if (t->h->nidle < CONNECTIONS_MAX)
			t->h->idle[t->h->nidle++] = t->easy;
		else
			curl_easy_cleanup(t->easy);
	}
	curl_slist_free_all(t->headers);
	hash_wipe(t->address, strlen(t->address)); /* passwords travel in the query */
	sys_free(t->address);
	buf_release(&t->answer);
	t->h->held--;
	sys_free(t);
}

/* ---- what libcurl tells ----------------------------------------------------- */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)size; /* always 1 */
	buf_add(&t->answer, p, n);
	t->too_big = t->answer.over;
	return t->too_big ? 0 : n;
}

static bool header(const char *line, size_t n, const char *name, char *out, size_t max)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
		return false;
	line += k + 1;
	n -= k + 1;
	while (n && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	while (n && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	snprintf(out, max, "%.*s", (int)(n < max ? n : max - 1), line);
	return true;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	char seconds[16];
	int64_t s;

	(void)size;
	if (n > 5 && !strncmp(p, "HTTP/", 5)) { /* after "100 Continue" the real one begins */
		t->type[0] = t->date[0] = t->request_id[0] = t->retry_after[0] = '\0';
		return n;
	}
	if (header(p, n, "Content-Type", t->type, sizeof t->type) ||
	    header(p, n, "Date", t->date, sizeof t->date) ||
	    header(p, n, "x-acs-request-id", t->request_id, sizeof t->request_id) ||
	    header(p, n, "x-acs-retry-after", t->retry_after, sizeof t->retry_after))
		return n;
	/* The common header is in seconds; the gateway's own wins, wherever it stands. */
	if (header(p, n, "Retry-After", seconds, sizeof seconds) && !t->retry_after[0] &&
	    text_int(seconds, 0, 86400, &s))
		snprintf(t->retry_after, sizeof t->retry_after, "%lld", (long long)s * 1000);
	return n;
}

/* A connection stands; nothing of the request is written yet. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's signature */
static int on_ready(void *arg, char *peer_ip, char *local_ip, int peer_port, int local_port)
{
	struct transfer *t = arg;
	curl_off_t took = 0;
	bool v6 = strchr(peer_ip, ':') != NULL;

	(void)local_ip;
	(void)local_port;
	/* A kept connection died under it: libcurl would write the same bytes, nonce and all, a second time. */
	if (t->ready && t->once)
		return CURL_PREREQFUNC_ABORT;
	t->ready = true;
	snprintf(t->peer, sizeof t->peer, v6 ? "[%s]:%d" : "%s:%d", peer_ip, peer_port);
	/* A family that does not answer is waited for once per run, not once per connection. */
	curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &took);
	if (took >= SLOW_CONNECT_MS * 1000)
		target_prefer(t->target, v6);
	return CURL_PREREQFUNC_OK;
}

static CURLcode on_ssl(CURL *easy, void *ssl_config, void *arg)
{
	struct transfer *t = arg;

	(void)easy;
	if (!t->h->trust)
		return CURLE_SSL_CACERT_BADFILE;
	trust_apply(t->h->trust, ssl_config, &t->tls);
	return CURLE_OK;
}

/* ---- starting ---------------------------------------------------------------- */

static void set_tls(struct transfer *t)
{
	CURL *c = t->easy;

	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL); /* ours are put in by on_ssl */
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_ssl);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, t);
}

static void set_route(struct transfer *t)
{
	CURL *c = t->easy;

	curl_easy_setopt(c, CURLOPT_RESOLVE, t->target->resolve);
	/* We chose; libcurl does not look at the environment. */
	curl_easy_setopt(c, CURLOPT_NOPROXY, "");
	curl_easy_setopt(c, CURLOPT_PROXY, t->proxy.used ? t->proxy.url : "");
	if (t->proxy.user) {
		curl_easy_setopt(c, CURLOPT_PROXYUSERNAME, t->proxy.user);
		curl_easy_setopt(c, CURLOPT_PROXYPASSWORD, t->proxy.password);
	}
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, (long)HAPPY_EYEBALLS_MS);
	curl_easy_setopt(
		c, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(t->timeout_ms < CONNECT_TIMEOUT_MS ? t->timeout_ms : CONNECT_TIMEOUT_MS));
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	if (t->fresh) { /* or libcurl would repeat it by itself (style.md 4b) */
		curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	}
}

static void set_request(struct transfer *t)
{
	CURL *c = t->easy;

	curl_easy_setopt(c, CURLOPT_URL, t->address);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(c, CURLOPT_USERAGENT, USER_AGENT);
	if (t->body) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, t->body);
	}
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(c, CURLOPT_PRIVATE, t);
}

static void transfer_start(struct http *h, struct transfer *t)
{
	t->easy = h->nidle ? h->idle[--h->nidle] : curl_easy_init();
	if (!t->easy)
		sys_die_oom();
	t->begun_ms = sys_now_ms();
	set_request(t);
	set_route(t);
	set_tls(t);
	t->next = h->running;
	h->running = t;
	h->active++;
	if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK)
		BUG("curl_multi_add_handle");
}

/* Starts what has its name resolved and finds a place; hands over what cannot be resolved. */
static struct transfer *start_waiting(struct http *h)
{
	struct queue rest = {0};
	struct transfer *lost = NULL;

	for (struct target *g = h->targets; g; g = g->next)
		target_poll(g);
	while (h->waiting.head) {
		struct transfer *t = queue_pop(&h->waiting);

		if (t->target->state == UNKNOWN) {
			t->next = lost;
			lost = t;
		} else if (t->target->state == KNOWN && h->active < h->max_active) {
			transfer_start(h, t);
		} else {
			queue_push(&rest, t);
		}
	}
	h->waiting = rest;
	return lost;
}

/* ---- results ------------------------------------------------------------------ */

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

typedef void (*done_fn)(void *arg, const struct http_res *r);

static void deliver(struct transfer *t, enum net_result net, done_fn done, void *arg)
{
	long status = 0;
	struct http_res r = {.user = t->user, .net = net};

	if (net == NET_OK) {
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		r.status = (int)status;
		r.body = buf_str(&t->answer);
		r.body_n = t->answer.n;
		r.content_type = or_null(t->type);
		r.request_id = or_null(t->request_id);
		r.retry_after = or_null(t->retry_after);
	} else {
		r.net_text = t->text;
	}
	r.date = or_null(t->date);
	r.elapsed_ms = t->begun_ms ? sys_now_ms() - t->begun_ms : 0;
	done(arg, &r);
	transfer_free(t);
}

static size_t deliver_unresolved(struct transfer *t, done_fn done, void *arg)
{
	size_t n = 0;

	while (t) {
		struct transfer *next = t->next;

		if (t->proxy.used)
			snprintf(t->text, sizeof t->text, "proxy %s (%s): %s", t->proxy.url,
			         t->proxy.var, t->target->text);
		else
			snprintf(t->text, sizeof t->text, "%s", t->target->text);
		deliver(t, NET_RESOLVE, done, arg);
		t = next;
		n++;
	}
	return n;
}

static size_t deliver_finished(struct http *h, done_fn done, void *arg)
{
	CURLMsg *m;
	size_t n = 0;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		struct transfer *t = NULL;
		enum net_result net;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		net = result_classify(t, code);
		if (net != NET_OK)
			result_describe(t, code, net);
		curl_multi_remove_handle(h->multi, t->easy);
		running_remove(h, t);
		deliver(t, net, done, arg);
		n++;
	}
	return n;
}

/* ---- the interface ------------------------------------------------------------- */

/* Path "/" when the address ends with the host; then the query. */
static char *whole_address(const struct http_req *r, const struct url *u)
{
	size_t n = strlen(r->url) + (r->query ? strlen(r->query) : 0) + 3;
	char *s = sys_malloc(n);

	snprintf(s, n, "%s%s%s%s", r->url, *u->rest ? "" : "/", text_empty(r->query) ? "" : "?",
	         r->query ? r->query : "");
	return s;
}

static struct curl_slist *header_list(const struct http_req *r)
{
	struct curl_slist *l = curl_slist_append(NULL, "Expect:");
	bool typed = false;

	for (size_t i = 0; i < r->nheaders; i++) {
		typed = typed || !strncasecmp(r->headers[i], "Content-Type:", 13);
		l = curl_slist_append(l, r->headers[i]);
	}
	if (!typed) /* or libcurl adds its own, which is not signed */
		l = curl_slist_append(l, "Content-Type:");
	if (!l)
		sys_die_oom();
	return l;
}

/* Once for the endpoint: each look at the variables keeps another copy of their password. */
static void choose_route(struct http *h, struct transfer *t)
{
	struct err e = {0};

	if (t->url.tls == h->home.tls && t->url.port == h->home.port &&
	    !strcmp(t->url.host, h->home.host))
		t->proxy = h->home_proxy;
	else if (proxy_choose(&t->proxy, &t->url, h->o.env, h->o.env_ctx, &e))
		t->proxy = (struct proxy){0}; /* the variable holds no address: straight */
}

static void http_submit(void *ctx, const struct http_req *r)
{
	struct http *h = ctx;
	struct transfer *t = sys_malloc(sizeof *t);

	*t = (struct transfer){.h = h,
	                       .o = &h->o,
	                       .trust = h->trust,
	                       .body = r->body,
	                       .body_n = r->body_n,
	                       .fresh = r->fresh,
	                       .once = r->once,
	                       .timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : DEFAULT_TIMEOUT_MS,
	                       .user = r->user};
	if (!url_parse(r->url, &t->url))
		BUG("no address: %s", r->url);
	choose_route(h, t);
	t->address = whole_address(r, &t->url);
	t->headers = header_list(r);
	buf_init(&t->answer, h->o.max_response_bytes);
	h->held++;
	t->target = t->proxy.used ? target_of(&h->targets, t->proxy.host, t->proxy.port, h->pipe[1])
	                          : target_of(&h->targets, t->url.host, t->url.port, h->pipe[1]);
	queue_push(&h->waiting, t);
}

/* One turn without waiting. Returns the number of results. */
static size_t turn(struct http *h, done_fn done, void *arg)
{
	size_t n = deliver_unresolved(start_waiting(h), done, arg);
	int running;

	if (curl_multi_perform(h->multi, &running) != CURLM_OK)
		BUG("curl_multi_perform");
	n += deliver_finished(h, done, arg);
	return n;
}

static void drain(int fd)
{
	char junk[64];

	while (read(fd, junk, sizeof junk) > 0) {
	}
}

static size_t http_wait(void *ctx, int64_t timeout_ms, int wake_fd, done_fn done, void *arg)
{
	struct http *h = ctx;
	int64_t until = timeout_ms < 0 ? INT64_MAX : sys_now_ms() + timeout_ms;

	for (;;) {
		struct curl_waitfd fd[2] = {{.fd = h->pipe[0], .events = CURL_WAIT_POLLIN},
		                            {.fd = wake_fd, .events = CURL_WAIT_POLLIN}};
		size_t n = turn(h, done, arg);
		int64_t left = until - sys_now_ms();

		if (n)
			return n;
		if (until == INT64_MAX || left > 60000)
			left = 60000;
		if (left < 0)
			left = 0;
		if (curl_multi_poll(h->multi, fd, wake_fd < 0 ? 1 : 2, (int)left, NULL) != CURLM_OK)
			BUG("curl_multi_poll");
		if (fd[0].revents)
			drain(h->pipe[0]);
		if ((wake_fd >= 0 && fd[1].revents) || sys_now_ms() >= until)
			return turn(h, done, arg);
	}
}

static size_t http_in_flight(void *ctx)
{
	return ((struct http *)ctx)->held;
}

static void http_close(void *ctx)
{
	struct http *h = ctx;

	while (h->running) {
		struct transfer *t = h->running;

		curl_multi_remove_handle(h->multi, t->easy);
		running_remove(h, t);
		transfer_free(t);
	}
	while (h->waiting.head)
		transfer_free(queue_pop(&h->waiting));
	while (h->nidle)
		curl_easy_cleanup(h->idle[--h->nidle]);
	curl_multi_cleanup(h->multi);
	while (h->targets) {
		struct target *g = h->targets;

		h->targets = g->next;
		target_free(g);
	}
	trust_free(h->trust);
	close(h->pipe[0]);
	close(h->pipe[1]);
	sys_free(h);
	curl_global_cleanup();
}

/* A connection that is being made may hold two descriptors, one for each family. */
static size_t connections(size_t wanted)
{
	struct rlimit rl;
	size_t n = wanted && wanted < CONNECTIONS_MAX ? wanted : CONNECTIONS_MAX;

	if (!getrlimit(RLIMIT_NOFILE, &rl) && rl.rlim_cur != RLIM_INFINITY) {
		size_t can = rl.rlim_cur > SPARE_FDS ? (size_t)(rl.rlim_cur - SPARE_FDS) / 2 : 0;

		n = can < n ? can : n;
	}
	return n ? n : 1;
}

static void ignore_sigpipe(void)
{
	struct sigaction sa;

	if (!sigaction(SIGPIPE, NULL, &sa) && sa.sa_handler == SIG_DFL) {
		sa.sa_handler = SIG_IGN;
		sigaction(SIGPIPE, &sa, NULL);
	}
}

static int check_endpoint(const struct http_opts *o, struct url *u, struct proxy *p, struct err *e)
{
	if (!url_parse(o->endpoint, u))
		return err_set(e, ERR_USAGE, "\"%s\" is no endpoint", o->endpoint);
	if (!u->tls && !o->insecure_http && !url_is_loopback(u->host)) {
		err_set(e, ERR_USAGE,
		        "plain HTTP to %s would show keys and passwords to the network", u->host);
		return err_hint(e, "use https, or --insecure-http if you mean it");
	}
	return proxy_choose(p, u, o->env, o->env_ctx, e);
}

int http_open(struct transport *t, const struct http_opts *o, struct err *e)
{
	struct trust *trust = NULL;
	struct http *h;
	struct proxy proxy;
	struct url u;
	int wake[2];

	if (check_endpoint(o, &u, &proxy, e))
		return -1;
	if (u.tls || text_starts(proxy.url, "https:")) {
		trust = trust_open(o->cacert, o->env, o->env_ctx, e);
		if (!trust)
			return -1;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		trust_free(trust);
		return err_set(e, ERR_FAILED, "the HTTP library cannot be initialised");
	}
	ignore_sigpipe();
	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0) {
		err_set(e, ERR_FAILED, "no pipe: %s", strerror(errno));
		trust_free(trust);
		curl_global_cleanup();
		return -1;
	}
	h = sys_malloc(sizeof *h);
	*h = (struct http){.o = *o,
	                   .home = u,
	                   .home_proxy = proxy,
	                   .trust = trust,
	                   .pipe = {wake[0], wake[1]},
	                   .max_active = connections(o->max_connections)};
	h->multi = curl_multi_init();
	if (!h->multi)
		sys_die_oom();
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)h->max_active);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->max_active);
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	*t = (struct transport){h, http_submit, http_wait, http_in_flight, http_close};
	return 0;
}
