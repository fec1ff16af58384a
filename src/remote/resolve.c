#include "remote/resolve.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "base/text.h"

#define HOSTS_MAX ((size_t)16 << 20)

struct lookup {
	atomic_int refs; /* the caller and the thread */
	atomic_bool done, stop;
	int wake_fd;
	char host[254];
	char hosts[256], resolv[256];
	struct address v[RESOLVE_MAX];
	size_t n;
	char text[1024];
};

/* ---- what needs no server --------------------------------------------------- */

static void add(struct lookup *l, const char *text)
{
	struct in6_addr bin;
	bool v6 = inet_pton(AF_INET6, text, &bin) == 1;

	if (l->n == RESOLVE_MAX || (!v6 && inet_pton(AF_INET, text, &bin) != 1))
		return;
	for (size_t i = 0; i < l->n; i++)
		if (text_ieq(l->v[i].text, text))
			return;
	l->v[l->n].v6 = v6;
	snprintf(l->v[l->n++].text, sizeof l->v[0].text, "%s", text);
}

static void hosts_line(struct lookup *l, char *line)
{
	char *save = NULL, *addr, *name;

	line[strcspn(line, "#")] = '\0';
	addr = strtok_r(line, " \t\r", &save);
	while (addr && (name = strtok_r(NULL, " \t\r", &save)))
		if (text_ieq(name, l->host)) {
			add(l, addr);
			return;
		}
}

static void hosts_read(struct lookup *l)
{
	struct buf b;
	char *line, *next;

	buf_init(&b, HOSTS_MAX);
	if (!sys_read_file(l->hosts, &b))
		for (line = b.p; line && *line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			hosts_line(l, line);
		}
	buf_release(&b);
}

/* ---- servers ---------------------------------------------------------------- */

static void take(struct lookup *l, const struct dns_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		add(l, r->v[i].text);
}

static void server_list(char *out, size_t n, const struct dns_conf *c)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < c->nservers && at < n; i++)
		at += (size_t)snprintf(out + at, n - at, "%s%s", i ? ", " : "", c->server[i]);
}

static void explain(struct lookup *l, const struct dns_conf *c, const struct dns_result *r)
{
	char servers[200], where[300];

	server_list(servers, sizeof servers, c);
	snprintf(where, sizeof where,
	         c->found ? "name server%s of %s: %s" : "name server%s (there is no %s): %s",
	         c->nservers > 1 ? "s" : "", l->resolv, servers);
	switch (r->outcome) {
	case DNS_SILENT:
		snprintf(l->text, sizeof l->text, "name resolution: no answer about %s (%s)%s%s",
		         l->host, where, r->detail[0] ? ": " : "", r->detail);
		break;
	case DNS_FAILED:
		snprintf(l->text, sizeof l->text,
		         "name resolution: %s could not be looked up: %s (%s)", l->host, r->detail,
		         where);
		break;
	default:
		snprintf(l->text, sizeof l->text,
		         "name resolution: %s does not exist or has no address: %s (%s)", l->host,
		         r->detail[0] ? r->detail : "no such name", where);
		break;
	}
}

/* With a dot it is complete: as it stands first. Without: the search list first. */
static void ask_servers(struct lookup *l)
{
	bool dotted = strchr(l->host, '.') != NULL;
	struct dns_conf c;
	struct dns_result own = {.outcome = DNS_ABSENT}, r;
	char name[512];

	dns_conf_read(&c, l->resolv);
	if (dotted)
		dns_ask(&c, l->host, &own, &l->stop);
	take(l, &own);
	/* Each domain by itself: one that fails says nothing about the others. */
	for (size_t i = 0; !l->n && own.outcome == DNS_ABSENT && i < c.nsearch; i++) {
		if (atomic_load(&l->stop))
			return;
		snprintf(name, sizeof name, "%s.%s", l->host, c.search[i]);
		dns_ask(&c, name, &r, &l->stop);
		take(l, &r);
		if (r.outcome == DNS_SILENT && i == 0 && !dotted)
			own = r; /* nobody is there: no need to ask a dozen times */
	}
	if (!l->n && !dotted && own.outcome != DNS_SILENT) {
		dns_ask(&c, l->host, &own, &l->stop);
		take(l, &own);
	}
	if (!l->n)
		explain(l, &c, &own);
}

/* ---- order ------------------------------------------------------------------ */

static bool has_route(const struct address *a)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && inet_pton(AF_INET6, a->text, &to.sin6_addr) == 1 &&
	          !connect(fd, (struct sockaddr *)&to, sizeof to); /* sends nothing */

	if (fd >= 0)
		close(fd);
	return ok;
}

/* IPv6 first where there is a route to it; else it is not tried while there is IPv4. */
static void order(struct lookup *l)
{
	struct address out[RESOLVE_MAX] = {{0}};
	size_t n = 0, v6 = 0;
	bool route = false;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].v6 && !v6++)
			route = has_route(&l->v[i]);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].v6 && (route || v6 == l->n))
			out[n++] = l->v[i];
	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].v6)
			out[n++] = l->v[i];
	memcpy(l->v, out, n * sizeof out[0]);
	l->n = n;
}

/* ---- the thread ------------------------------------------------------------- */

static void unref(struct lookup *l)
{
	if (atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	sys_free(l);
}

static void finish(struct lookup *l)
{
	order(l);
	atomic_store(&l->done, true);
	if (l->wake_fd >= 0 && write(l->wake_fd, "", 1) < 0) {
		/* The pipe is full: a byte is there already. */
	}
}

static void *run(void *arg)
{
	struct lookup *l = arg;

	ask_servers(l);
	finish(l);
	unref(l);
	return NULL;
}

/* Signals stay with the main thread. */
static bool thread_start(struct lookup *l)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t id;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(&l->refs, 1);
	ok = !pthread_create(&id, &attr, run, l);
	if (!ok)
		atomic_fetch_sub(&l->refs, 1);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok;
}

struct lookup *lookup_start(const char *host, const char *hosts, const char *resolv, int wake_fd)
{
	struct lookup *l = sys_malloc(sizeof *l);

	memset(l, 0, sizeof *l);
	atomic_init(&l->refs, 1);
	l->wake_fd = wake_fd < 0 ? -1 : fcntl(wake_fd, F_DUPFD_CLOEXEC, 3);
	snprintf(l->host, sizeof l->host, "%s", host);
	snprintf(l->hosts, sizeof l->hosts, "%s", hosts ? hosts : "/etc/hosts");
	snprintf(l->resolv, sizeof l->resolv, "%s", resolv ? resolv : "/etc/resolv.conf");
	add(l, host);
	if (!l->n)
		hosts_read(l);
	if (!l->n && text_ieq(host, "localhost")) { /* RFC 6761: never a question to a server */
		add(l, "127.0.0.1");
		add(l, "::1");
	}
	if (l->n || !thread_start(l)) {
		if (!l->n)
			ask_servers(l);
		finish(l);
	}
	return l;
}

bool lookup_done(const struct lookup *l)
{
	return atomic_load(&l->done);
}

size_t lookup_result(const struct lookup *l, const struct address **v, const char **text)
{
	*v = l->v;
	*text = l->text;
	return l->n;
}

void lookup_free(struct lookup *l)
{
	if (!l)
		return;
	atomic_store(&l->stop, true);
	unref(l);
}
