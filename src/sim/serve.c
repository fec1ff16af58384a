#include "sim/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sys.h"
#include "sim/handle.h"
#include "sim/request.h"

#define CONNECTIONS_MAX 128
#define HEADERS_MAX 128
#define BODY_MAX ((size_t)8 << 20)
/* Request line and headers of one connection: DbList may come in the query. */
#define POOL_BYTES ((size_t)4 << 20)
#define IDLE_MS 1000

struct exchange {
	char *target;
	struct buf body;
	struct sim_header headers[HEADERS_MAX];
	size_t nheaders;
	struct sim_response out;
	bool handled, waiting;
	int64_t due_ms; /* monotonic; when a delayed answer goes out */
	struct MHD_Connection *conn;
	struct exchange *next; /* of those that wait */
};

struct server {
	struct MHD_Daemon *daemon;
	server_fn *fn;
	server_idle_fn *idle;
	void *ctx;
	int port;
	bool closing;
	struct exchange *waiting;
};

/* The raw target: the signature is over what was sent, not over what the library makes of it. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *conn)
{
	struct exchange *x = sys_malloc(sizeof(*x));
	size_t n = strlen(uri) + 1;

	(void)cls;
	memset(x, 0, sizeof(*x));
	x->conn = conn;
	x->target = sys_malloc(n);
	memcpy(x->target, uri, n);
	buf_init(&x->body, BODY_MAX);
	buf_init(&x->out.body, (size_t)1 << 30);
	buf_init(&x->out.log, (size_t)64 << 20);
	return x;
}

static void on_done(void *cls, struct MHD_Connection *conn, void **state,
                    enum MHD_RequestTerminationCode why)
{
	struct server *s = cls;
	struct exchange *x = *state, **p;

	(void)conn;
	(void)why;
	if (x == NULL)
		return;
	for (p = &s->waiting; *p != NULL; p = &(*p)->next)
		if (*p == x) {
			*p = x->next;
			break;
		}
	buf_release(&x->body);
	buf_release(&x->out.body);
	buf_release(&x->out.log);
	sys_free(x->target);
	sys_free(x);
	*state = NULL;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                 const char *value)
{
	struct exchange *x = cls;

	(void)kind;
	if (x->nheaders == HEADERS_MAX)
		return MHD_NO;
	x->headers[x->nheaders].name = key;
	x->headers[x->nheaders++].value = value != NULL ? value : "";
	return MHD_YES;
}

/* First half of the body, then the connection breaks. */
static ssize_t half_reader(void *cls, uint64_t pos, char *to, size_t max)
{
	struct buf *b = cls;
	size_t half = b->n / 2, n;

	if (pos >= half)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = half - (size_t)pos < max ? half - (size_t)pos : max;
	memcpy(to, b->p + pos, n);
	return (ssize_t)n;
}

static void add_headers(struct MHD_Response *r, const struct sim_response *out)
{
	char text[64];
	time_t now = (time_t)((sys_wall_ms() + out->clock_offset_ms) / 1000);
	struct tm tm;

	MHD_add_response_header(r, "Content-Type", out->type);
	if (out->request_id[0] != '\0')
		MHD_add_response_header(r, "x-acs-request-id", out->request_id);
	if (out->retry_after_ms > 0) {
		snprintf(text, sizeof(text), "%lld", (long long)out->retry_after_ms);
		MHD_add_response_header(r, "x-acs-retry-after", text);
	}
	gmtime_r(&now, &tm); /* our own Date: the scenario may set the clock off */
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	MHD_add_response_header(r, "Date", text);
}

static enum MHD_Result send_answer(struct MHD_Connection *conn, struct exchange *x)
{
	struct MHD_Response *r;
	enum MHD_Result rc;

	if (x->out.cut == CUT_ALL)
		return MHD_NO; /* closes the connection */
	if (x->out.cut == CUT_HALF)
		r = MHD_create_response_from_callback(x->out.body.n, 4096, half_reader,
		                                      &x->out.body, NULL);
	else
		r = MHD_create_response_from_buffer(x->out.body.n,
		                                    (void *)(uintptr_t)buf_str(&x->out.body),
		                                    MHD_RESPMEM_MUST_COPY);
	if (r == NULL)
		return MHD_NO;
	add_headers(r, &x->out);
	rc = MHD_queue_response(conn, (unsigned)x->out.status, r);
	MHD_destroy_response(r);
	return rc;
}

static void wait_for(struct server *s, struct exchange *x)
{
	/* Once answered late, or never until the server closes. */
	x->due_ms = x->out.cut == CUT_HANG ? INT64_MAX : sys_now_ms() + x->out.delay_ms;
	x->waiting = true;
	x->next = s->waiting;
	s->waiting = x;
	MHD_suspend_connection(x->conn);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_n, void **state)
{
	struct server *s = cls;
	struct exchange *x = *state;
	struct sim_request rq;

	(void)url;
	(void)version;
	if (x == NULL)
		return MHD_NO;
	if (x->nheaders == 0) { /* first call: headers only */
		MHD_get_connection_values(conn, MHD_HEADER_KIND, on_header, x);
		if (x->nheaders > 0)
			return MHD_YES;
	}
	if (*data_n > 0) {
		buf_add(&x->body, data, *data_n);
		*data_n = 0;
		return MHD_YES;
	}
	if (!x->handled) {
		x->handled = true;
		if (x->body.over)
			return MHD_NO;
		rq = (struct sim_request){.method = method,
		                          .target = x->target,
		                          .headers = x->headers,
		                          .nheaders = x->nheaders,
		                          .body = buf_str(&x->body),
		                          .body_n = x->body.n};
		s->fn(s->ctx, &rq, &x->out);
		if (x->out.cut == CUT_HANG || x->out.delay_ms > 0) {
			wait_for(s, x);
			return MHD_YES;
		}
	}
	if (x->out.cut == CUT_HANG)
		return MHD_NO; /* the server closes */
	return send_answer(conn, x);
}

/* Our own socket: the library's reason for a failure is that of its cleaning up. A port in use must be an error, so no SO_REUSEPORT. */
static int listen_on(const struct sockaddr *sa, socklen_t n, int *port)
{
	struct sockaddr_in6 bound = {0};
	socklen_t size = sizeof(bound);
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, err;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, sa, n) == 0 && listen(fd, CONNECTIONS_MAX) == 0 &&
	    getsockname(fd, (struct sockaddr *)(void *)&bound, &size) == 0) {
		*port = ntohs(bound.sin6_port); /* the same place in both families */
		return fd;
	}
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static int open_daemon(struct server *s, const struct sockaddr *sa, socklen_t n, const char *host,
                       int port, struct err *e)
{
	int fd = listen_on(sa, n, &s->port);

	if (fd < 0)
		return err_set(e, ERR_UNREACHABLE, "cannot listen on %s:%d: %s", host, port,
		               strerror(errno));
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK |
			(sa->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0u),
		0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, s, MHD_OPTION_NOTIFY_COMPLETED, on_done, s,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)65536, MHD_OPTION_END);
	if (s->daemon == NULL)
		return err_set(e, ERR_UNREACHABLE, "the simulator cannot serve %s:%d", host,
		               s->port);
	return 0;
}

int server_open(struct server **out, const char *host, int port, server_fn *fn,
                server_idle_fn *idle, void *ctx, struct err *e)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	const struct sockaddr *sa;
	socklen_t n = sizeof(a4);
	struct server *s;

	if (inet_pton(AF_INET, host, &a4.sin_addr) == 1)
		sa = (const struct sockaddr *)(const void *)&a4;
	else if (inet_pton(AF_INET6, host, &a6.sin6_addr) == 1)
		sa = (const struct sockaddr *)(const void *)&a6, n = sizeof(a6);
	else
		return err_set(e, ERR_USAGE, "not an address to listen on: %s", host);
	s = sys_malloc(sizeof(*s));
	memset(s, 0, sizeof(*s));
	s->fn = fn;
	s->idle = idle;
	s->ctx = ctx;
	if (open_daemon(s, sa, n, host, port, e) != 0) {
		sys_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

int server_port(const struct server *s)
{
	return s->port;
}

/* Let those go whose time has come; returns the wait for the next one. */
static int64_t resume_due(struct server *s, int64_t now)
{
	struct exchange **p = &s->waiting, *x;
	int64_t wait = IDLE_MS;

	while ((x = *p) != NULL) {
		if (x->due_ms > now && !s->closing) {
			if (x->due_ms - now < wait)
				wait = x->due_ms - now;
			p = &x->next;
			continue;
		}
		*p = x->next;
		x->waiting = false;
		MHD_resume_connection(x->conn);
		wait = 0;
	}
	return wait;
}

void server_loop(struct server *s, int stop_fd)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[2];
	MHD_UNSIGNED_LONG_LONG hint;
	int64_t wait;

	fds[0] = (struct pollfd){.fd = info->epoll_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
	for (;;) {
		wait = resume_due(s, sys_now_ms());
		if (MHD_get_timeout(s->daemon, &hint) == MHD_YES && (int64_t)hint < wait)
			wait = (int64_t)hint;
		if (poll(fds, 2, (int)wait) < 0 && errno != EINTR)
			break;
		if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			break;
		MHD_run(s->daemon);
		s->idle(s->ctx);
	}
}

void server_close(struct server *s)
{
	s->closing = true;
	resume_due(s, 0);
	/* Suspended connections must not be left when the daemon stops. */
	MHD_run(s->daemon);
	MHD_stop_daemon(s->daemon);
	sys_free(s);
}
