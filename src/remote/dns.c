/* A small stub resolver: A and AAAA of one complete name from the servers of resolv.conf. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "base/text.h"
#include "remote/resolve.h"

#define PACKET_MAX 512
#define REPLY_MAX 4096
#define CONF_MAX ((size_t)64 << 10)
#define DEFAULT_TIMEOUT_MS 3000
#define MAX_TIMEOUT_MS 5000
#define OTHER_FAMILY_MS 300 /* how long the second family may be late (design.md 5: 0.5 s) */
#define SLICE_MS 100        /* how soon a stop is seen */

enum { TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1 };

/* ---- resolv.conf ----------------------------------------------------------- */

static char *word(char **line)
{
	char *s = *line + strspn(*line, " \t\r"), *end;

	if (!*s || *s == '#' || *s == ';')
		return NULL;
	end = s + strcspn(s, " \t\r");
	*line = *end ? end + 1 : end;
	*end = '\0';
	return s;
}

static void take_option(struct dns_conf *c, const char *o)
{
	if (!strncmp(o, "timeout:", 8)) {
		long s = strtol(o + 8, NULL, 10);

		c->timeout_ms = s < 1                       ? 1000
		                : s > MAX_TIMEOUT_MS / 1000 ? MAX_TIMEOUT_MS
		                                            : (int)s * 1000;
	} else if (!strncmp(o, "attempts:", 9)) {
		long n = strtol(o + 9, NULL, 10);

		c->attempts = n < 1 ? 1 : n > 3 ? 3 : (int)n;
	}
}

static void take_line(struct dns_conf *c, char *line)
{
	char *key = word(&line), *w;

	if (!key)
		return;
	if (!strcmp(key, "nameserver")) {
		w = word(&line);
		if (w && c->nservers < SERVERS_MAX && strlen(w) < sizeof c->server[0])
			snprintf(c->server[c->nservers++], sizeof c->server[0], "%s", w);
	} else if (!strcmp(key, "search") || !strcmp(key, "domain")) {
		for (c->nsearch = 0; (w = word(&line)) && c->nsearch < SEARCH_MAX;)
			if (strlen(w) < sizeof c->search[0])
				snprintf(c->search[c->nsearch++], sizeof c->search[0], "%s", w);
	} else if (!strcmp(key, "options")) {
		while ((w = word(&line)))
			take_option(c, w);
	}
}

void dns_conf_read(struct dns_conf *c, const char *path)
{
	struct buf b;
	char *line, *next;

	*c = (struct dns_conf){.timeout_ms = DEFAULT_TIMEOUT_MS, .attempts = 2, .port = 53};
	buf_init(&b, CONF_MAX);
	c->found = !sys_read_file(path, &b);
	for (line = b.p; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		take_line(c, line);
	}
	buf_release(&b);
	if (!c->nservers) /* as every C library does */
		snprintf(c->server[c->nservers++], sizeof c->server[0], "127.0.0.1");
}

/* ---- packets ---------------------------------------------------------------- */

struct question {
	uint16_t id, type;
	uint8_t packet[PACKET_MAX];
	size_t n;
	enum { ASKING, ENDED } state;
	enum dns_outcome outcome;
	unsigned server;  /* asked last */
	unsigned sent;    /* how many packets */
	unsigned refused; /* bit per server that cannot answer it */
	int64_t due_ms;   /* when the next server is asked */
};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* False when the name cannot stand in a packet. */
static bool question_make(struct question *q, const char *name, uint16_t type)
{
	static const uint8_t head[10] = {1, 0, 0, 1}; /* recursion desired, one question */
	size_t at = 12;

	*q = (struct question){.type = type, .outcome = DNS_SILENT};
	sys_random(&q->id, sizeof q->id);
	put16(q->packet, q->id);
	memcpy(q->packet + 2, head, sizeof head);
	while (*name) {
		size_t n = strcspn(name, ".");

		if (!n || n > 63 || at + n + 6 > 12 + 255 + 4)
			return false;
		q->packet[at++] = (uint8_t)n;
		memcpy(q->packet + at, name, n);
		at += n;
		name += n;
		name += *name == '.';
	}
	q->packet[at++] = 0;
	put16(q->packet + at, type);
	put16(q->packet + at + 2, CLASS_IN);
	q->n = at + 4;
	return true;
}

/* Past a name at `at`, or 0. */
static size_t skip_name(const uint8_t *p, size_t n, size_t at)
{
	while (at < n) {
		if (p[at] >= 0xc0)
			return at + 2 <= n ? at + 2 : 0;
		if (p[at] > 63)
			return 0;
		if (!p[at])
			return at + 1;
		at += (size_t)p[at] + 1;
	}
	return 0;
}

/* The question comes back as it was asked, in any case of letters. */
static bool same_question(const struct question *q, const uint8_t *p, size_t n)
{
	if (n < q->n || get16(p) != q->id || !(p[2] & 0x80) || get16(p + 4) != 1)
		return false;
	for (size_t i = 12; i < q->n; i++)
		if (tolower(p[i]) != tolower(q->packet[i]))
			return false;
	return true;
}

static void take_address(struct dns_result *out, uint16_t type, const uint8_t *data)
{
	struct address *a = &out->v[out->n];

	if (out->n == RESOLVE_MAX)
		return;
	a->v6 = type == TYPE_AAAA;
	if (inet_ntop(a->v6 ? AF_INET6 : AF_INET, data, a->text, sizeof a->text))
		out->n++;
}

/*
 * All records of the asked type count, whatever name they stand under: with
 * aliases in between the last name differs from the asked one.
 */
static size_t take_answers(const struct question *q, const uint8_t *p, size_t n,
                           struct dns_result *out)
{
	size_t at = q->n, count = get16(p + 6), before = out->n;

	while (count--) {
		unsigned len;

		at = skip_name(p, n, at);
		if (!at || n - at < 10)
			break;
		len = get16(p + at + 8);
		if (n - at - 10 < len)
			break;
		if (get16(p + at) == q->type && get16(p + at + 2) == CLASS_IN &&
		    len == (q->type == TYPE_A ? 4u : 16u))
			take_address(out, q->type, p + at + 10);
		at += 10 + len;
	}
	return out->n - before;
}

/* ---- asking ----------------------------------------------------------------- */

struct asking {
	const struct dns_conf *c;
	struct question q[2];
	int fd[SERVERS_MAX];
	struct dns_result *out;
};

static bool server_address(const struct dns_conf *c, size_t i, struct sockaddr_storage *ss,
                           socklen_t *len)
{
	struct sockaddr_in *v4 = (void *)ss;
	struct sockaddr_in6 *v6 = (void *)ss;
	char text[64], *scope;

	memset(ss, 0, sizeof *ss);
	snprintf(text, sizeof text, "%s", c->server[i]);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)c->port);
		*len = sizeof *v4;
		return true;
	}
	scope = strchr(text, '%');
	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)c->port);
	v6->sin6_scope_id = scope ? if_nametoindex(scope) : 0;
	*len = sizeof *v6;
	return true;
}

/* Connected: only that server's packets come in, and a closed port is told at once. */
static int server_open(const struct dns_conf *c, size_t i, int kind)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	if (!server_address(c, i, &ss, &len))
		return -1;
	fd = socket(ss.ss_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&ss, len) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void question_end(struct question *q, enum dns_outcome o)
{
	q->state = ENDED;
	q->outcome = o;
}

/* To the next server, round after round; ends the question when all had their chances. */
static void question_send(struct asking *x, struct question *q)
{
	while (q->sent < x->c->nservers * (unsigned)x->c->attempts) {
		unsigned s = q->sent++ % (unsigned)x->c->nservers;

		if (q->refused >> s & 1)
			continue;
		q->server = s;
		if (x->fd[s] < 0)
			x->fd[s] = server_open(x->c, s, SOCK_DGRAM);
		if (x->fd[s] < 0 || send(x->fd[s], q->packet, q->n, MSG_NOSIGNAL) < 0)
			continue;
		q->due_ms = sys_now_ms() + x->c->timeout_ms;
		return;
	}
	question_end(q, q->outcome);
}

static const char *rcode_name(unsigned rcode)
{
	static const char *const names[] = {"no error", "FORMERR", "SERVFAIL",
	                                    "NXDOMAIN", "NOTIMP",  "REFUSED"};

	return rcode < sizeof names / sizeof names[0] ? names[rcode] : "an error";
}

static bool tcp_all(int fd, uint8_t *p, size_t n, bool out, int64_t until)
{
	while (n) {
		struct pollfd pf = {.fd = fd, .events = out ? POLLOUT : POLLIN};
		int64_t left = until - sys_now_ms();
		ssize_t k;

		if (left <= 0 || poll(&pf, 1, (int)left) <= 0)
			return false;
		k = out ? send(fd, p, n, MSG_NOSIGNAL) : recv(fd, p, n, 0);
		if (k <= 0 && !(k < 0 && (errno == EAGAIN || errno == EINTR)))
			return false;
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		}
	}
	return true;
}

/* The same question over TCP, for an answer that was cut short. Its length, or 0. */
static size_t tcp_ask(const struct asking *x, const struct question *q, size_t server,
                      uint8_t *reply)
{
	int64_t until = sys_now_ms() + x->c->timeout_ms;
	uint8_t packet[PACKET_MAX + 2], len[2];
	int fd = server_open(x->c, server, SOCK_STREAM);
	size_t n = 0;

	if (fd < 0)
		return 0;
	put16(packet, (unsigned)q->n);
	memcpy(packet + 2, q->packet, q->n);
	if (tcp_all(fd, packet, q->n + 2, true, until) && tcp_all(fd, len, 2, false, until)) {
		n = get16(len);
		if (n > REPLY_MAX || !tcp_all(fd, reply, n, false, until))
			n = 0;
	}
	close(fd);
	return n;
}

static void question_answer(struct asking *x, struct question *q, size_t server, const uint8_t *p,
                            size_t n)
{
	unsigned rcode;

	if (p[2] & 2) { /* truncated */
		uint8_t *whole = sys_malloc(REPLY_MAX);
		size_t k = tcp_ask(x, q, server, whole);

		if (k && same_question(q, whole, k) && !(whole[2] & 2))
			question_answer(x, q, server, whole, k); /* once: not truncated any more */
		else if (take_answers(q, p, n, x->out))
			question_end(q, DNS_FOUND); /* a part of them is enough to connect */
		else
			question_send(x, q);
		sys_free(whole);
		return;
	}
	rcode = p[3] & 15u;
	if (rcode == 0)
		question_end(q, take_answers(q, p, n, x->out) ? DNS_FOUND : DNS_ABSENT);
	else if (rcode == 3)
		for (size_t i = 0; i < 2; i++) /* the name itself: true of both types */
			question_end(&x->q[i], DNS_ABSENT);
	if (q->state == ENDED && q->outcome == DNS_FOUND)
		return;
	snprintf(x->out->detail, sizeof x->out->detail, "%s from %s",
	         rcode ? rcode_name(rcode) : "no address", x->c->server[server]);
	if (q->state == ENDED)
		return;
	/* This server cannot or will not; the others are asked at once, this one not again. */
	q->outcome = DNS_FAILED;
	q->refused |= 1u << server;
	if (q->refused == (1u << x->c->nservers) - 1)
		question_end(q, DNS_FAILED);
	else if (q->server == server)
		question_send(x, q);
}

static void server_read(struct asking *x, size_t server)
{
	uint8_t p[REPLY_MAX];
	ssize_t n = recv(x->fd[server], p, sizeof p, 0);

	if (n < 0 && errno != EAGAIN && errno != EINTR) { /* closed port, no route: the next one */
		snprintf(x->out->detail, sizeof x->out->detail, "%s is not reachable",
		         x->c->server[server]);
		for (size_t i = 0; i < 2; i++)
			if (x->q[i].state == ASKING && x->q[i].server == server)
				question_send(x, &x->q[i]);
		return;
	}
	for (size_t i = 0; n >= 12 && i < 2; i++)
		if (x->q[i].state == ASKING && same_question(&x->q[i], p, (size_t)n)) {
			question_answer(x, &x->q[i], server, p, (size_t)n);
			return;
		}
}

/* One family is there: the other one gets a moment only. */
static void hurry(struct asking *x)
{
	int64_t now = sys_now_ms();

	for (size_t i = 0; i < 2; i++) {
		struct question *q = &x->q[i], *other = &x->q[1 - i];

		if (q->state == ENDED && q->outcome == DNS_FOUND && other->state == ASKING) {
			other->sent = UINT32_MAX / 2; /* no further server */
			if (other->due_ms > now + OTHER_FAMILY_MS)
				other->due_ms = now + OTHER_FAMILY_MS;
		}
	}
}

static bool asking_step(struct asking *x)
{
	struct pollfd pf[SERVERS_MAX];
	size_t of[SERVERS_MAX], n = 0;
	int64_t now = sys_now_ms(), due = INT64_MAX;

	for (size_t i = 0; i < 2; i++) {
		if (x->q[i].state == ASKING && x->q[i].due_ms <= now)
			question_send(x, &x->q[i]);
		if (x->q[i].state == ASKING && x->q[i].due_ms < due)
			due = x->q[i].due_ms;
	}
	if (due == INT64_MAX)
		return false;
	for (size_t s = 0; s < x->c->nservers; s++)
		if (x->fd[s] >= 0) {
			pf[n] = (struct pollfd){.fd = x->fd[s], .events = POLLIN};
			of[n++] = s;
		}
	due -= now;
	poll(pf, n, due < 0 ? 0 : due < SLICE_MS ? (int)due + 1 : SLICE_MS);
	for (size_t i = 0; i < n; i++)
		if (pf[i].revents)
			server_read(x, of[i]);
	hurry(x);
	return true;
}

void dns_ask(const struct dns_conf *c, const char *name, struct dns_result *out,
             const atomic_bool *stop)
{
	struct asking x = {.c = c, .out = out};

	*out = (struct dns_result){.outcome = DNS_ABSENT};
	for (size_t s = 0; s < SERVERS_MAX; s++)
		x.fd[s] = -1;
	if (!question_make(&x.q[0], name, TYPE_A) || !question_make(&x.q[1], name, TYPE_AAAA))
		return;
	while (!atomic_load(stop) && asking_step(&x)) {
	}
	for (size_t s = 0; s < SERVERS_MAX; s++)
		if (x.fd[s] >= 0)
			close(x.fd[s]);
	/* The most that is known: found, surely absent, refused, silent. */
	out->outcome = x.q[0].outcome < x.q[1].outcome ? x.q[0].outcome : x.q[1].outcome;
	if (out->n)
		out->outcome = DNS_FOUND;
	else if (out->outcome == DNS_ABSENT &&
	         (x.q[0].outcome != DNS_ABSENT || x.q[1].outcome != DNS_ABSENT))
		out->outcome = x.q[0].outcome > x.q[1].outcome ? x.q[0].outcome : x.q[1].outcome;
}
