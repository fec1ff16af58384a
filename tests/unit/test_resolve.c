/*
 * Name resolution against a scripted server on loopback: one family, server or
 * search domain that fails must not spoil another's answer (case a26).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sys.h"
#include "base/text.h"
#include "remote/resolve.h"

enum { SAY_NOTHING = -1, SAY_ADDRESS = -2, SAY_TRUNCATED = -3, SAY_GARBAGE = -4 };

struct server {
	int fd;
	unsigned port;
	pthread_t thread;
	int (*say)(const char *name, int type); /* rcode, or one of SAY_ */
	int asked[2];                           /* A, AAAA */
	char names[2048];
};

static size_t question(const uint8_t *q, char *name, int *type)
{
	size_t i = 12, k = 0;

	while (q[i]) {
		memcpy(name + k, q + i + 1, q[i]);
		k += q[i];
		name[k++] = '.';
		i += q[i] + 1u;
	}
	name[k ? k - 1 : 0] = '\0';
	*type = q[i + 2];
	return i + 5;
}

static void answer(struct server *s, const uint8_t *q, const struct sockaddr *to, socklen_t len)
{
	static const uint8_t a4[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 127, 0, 0, 2};
	static const uint8_t a6[] = {0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 30, 0, 16, 0xfd, 0,
	                             0,    0,  0, 0,  0, 0, 0, 0, 0, 0,  0, 0,  0,    1};
	/* An alias in front: the address stands under another name. */
	static const uint8_t alias[] = {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 1, 'x', 0xc0, 12};
	uint8_t r[600] = {0};
	char name[300];
	int type, what;
	size_t n = question(q, name, &type);

	s->asked[type == 28]++;
	snprintf(s->names + strlen(s->names), sizeof s->names - strlen(s->names), "%s ", name);
	what = s->say(name, type);
	if (what == SAY_NOTHING)
		return;
	memcpy(r, q, n);
	r[2] = what == SAY_TRUNCATED ? 0x83 : 0x81;
	r[3] = (uint8_t)(0x80 | (what > 0 ? what : 0));
	r[7] = 0;
	if (what == SAY_ADDRESS || what == SAY_TRUNCATED) {
		r[7] = 2;
		memcpy(r + n, alias, sizeof alias);
		n += sizeof alias;
		memcpy(r + n, type == 28 ? a6 : a4, type == 28 ? sizeof a6 : sizeof a4);
		n += type == 28 ? sizeof a6 : sizeof a4;
	} else if (what == SAY_GARBAGE) { /* counts and lengths that lie */
		r[7] = 200;
		r[n++] = 0xc0;
		r[n++] = 12;
		r[n++] = 0;
	}
	sendto(s->fd, r, n, 0, to, len);
}

static void *server_main(void *arg)
{
	struct server *s = arg;
	uint8_t q[512];

	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(s->fd, q, sizeof q, 0, (struct sockaddr *)&from, &len);

		if (n < 17)
			return NULL;
		answer(s, q, (struct sockaddr *)&from, len);
	}
}

/* All servers of one test share a port, on 127.0.0.1, .2 ... */
static void server_start(struct server *s, unsigned host, unsigned port,
                         int (*say)(const char *, int))
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host),
	                        .sin_port = htons((uint16_t)port)};
	socklen_t n = sizeof a;

	memset(s, 0, sizeof *s);
	s->say = say;
	s->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
	getsockname(s->fd, (struct sockaddr *)&a, &n);
	s->port = ntohs(a.sin_port);
	pthread_create(&s->thread, NULL, server_main, s);
}

static void server_stop(struct server *s)
{
	struct sockaddr_in a;
	socklen_t n = sizeof a;

	getsockname(s->fd, (struct sockaddr *)&a, &n);
	sendto(s->fd, "", 0, 0, (struct sockaddr *)&a, n); /* too short: the thread ends */
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static int both(const char *name, int type)
{
	(void)name;
	(void)type;
	return SAY_ADDRESS;
}

static int refuses_aaaa(const char *name, int type)
{
	(void)name;
	return type == 28 ? 4 : SAY_ADDRESS;
}

static int fails_aaaa(const char *name, int type)
{
	(void)name;
	return type == 28 ? 2 : SAY_ADDRESS;
}

static int silent_aaaa(const char *name, int type)
{
	(void)name;
	return type == 28 ? SAY_NOTHING : SAY_ADDRESS;
}

static int silent(const char *name, int type)
{
	(void)name;
	(void)type;
	return SAY_NOTHING;
}

static int servfail(const char *name, int type)
{
	(void)name;
	(void)type;
	return 2;
}

static int nxdomain(const char *name, int type)
{
	(void)name;
	return type == 28 ? 4 : 3;
}

static int truncated(const char *name, int type)
{
	(void)name;
	(void)type;
	return SAY_TRUNCATED;
}

static int garbage(const char *name, int type)
{
	(void)name;
	(void)type;
	return SAY_GARBAGE;
}

static int only_region(const char *name, int type)
{
	if (text_ends(name, "corp.test"))
		return 2;
	if (!strcmp(name, "dts.region.test"))
		return type == 28 ? 4 : SAY_ADDRESS;
	return 3;
}

static void conf_of(struct dns_conf *c, const struct server *s, size_t nservers)
{
	*c = (struct dns_conf){.timeout_ms = 200,
	                       .attempts = 2,
	                       .port = s->port,
	                       .found = true,
	                       .nservers = nservers};
	for (size_t i = 0; i < nservers; i++)
		snprintf(c->server[i], sizeof c->server[i], "127.0.0.%zu", i + 1);
}

static void ask_one(int (*say)(const char *, int), struct dns_result *r, struct server *s)
{
	atomic_bool stop = false;
	struct dns_conf c;

	server_start(s, 0, 0, say);
	conf_of(&c, s, 1);
	dns_ask(&c, "dts.region.test", r, &stop);
	server_stop(s);
}

static void test_families(void **state)
{
	static int (*const says[])(const char *, int) = {refuses_aaaa, fails_aaaa, silent_aaaa};
	struct dns_result r;
	struct server s;

	(void)state;
	ask_one(both, &r, &s);
	assert_int_equal(r.outcome, DNS_FOUND);
	assert_int_equal(r.n, 2);
	for (size_t i = 0; i < 3; i++) {
		int64_t begun = sys_now_ms();

		ask_one(says[i], &r, &s);
		assert_int_equal(r.outcome, DNS_FOUND);
		assert_int_equal(r.n, 1);
		assert_string_equal(r.v[0].text, "127.0.0.2");
		assert_false(r.v[0].v6);
		assert_int_equal(s.asked[0], 1); /* one question per type */
		assert_int_equal(s.asked[1], 1);
		assert_true(sys_now_ms() - begun < 1000);
	}
}

static void test_outcomes(void **state)
{
	struct dns_result r;
	struct server s;

	(void)state;
	ask_one(nxdomain, &r, &s);
	assert_int_equal(r.outcome, DNS_ABSENT);
	ask_one(servfail, &r, &s);
	assert_int_equal(r.outcome, DNS_FAILED);
	assert_string_equal(r.detail, "SERVFAIL from 127.0.0.1");
	assert_int_equal(s.asked[0], 1); /* that server is not asked again */
	ask_one(silent, &r, &s);
	assert_int_equal(r.outcome, DNS_SILENT);
	assert_int_equal(s.asked[0], 2); /* a packet may get lost */
	ask_one(garbage, &r, &s);
	assert_int_equal(r.n, 0);
	ask_one(truncated, &r, &s); /* nobody listens on TCP: what is there is taken */
	assert_int_equal(r.outcome, DNS_FOUND);
	assert_string_equal(r.v[0].text, "127.0.0.2");
}

/* The first server fails or is silent: the second one's answer counts. */
static void test_servers(void **state)
{
	static int (*const bad[])(const char *, int) = {servfail, silent};
	atomic_bool stop = false;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct server first, second;
		struct dns_result r;
		struct dns_conf c;

		server_start(&first, 0, 0, bad[i]);
		server_start(&second, 1, first.port, both);
		conf_of(&c, &first, 2);
		dns_ask(&c, "dts.region.test", &r, &stop);
		assert_int_equal(r.outcome, DNS_FOUND);
		assert_int_equal(r.n, 2);
		assert_int_equal(second.asked[0], 1);
		server_stop(&first);
		server_stop(&second);
	}
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"", "a..b", ".a",
		"a1234567890123456789012345678901234567890123456789012345678901234.test"};
	struct dns_conf c = {
		.nservers = 1, .timeout_ms = 10, .attempts = 1, .port = 9, .server = {"127.0.0.1"}};
	atomic_bool stop = false;
	char longest[400];

	(void)state;
	memset(longest, 'a', sizeof longest);
	for (size_t i = 30; i < sizeof longest; i += 31)
		longest[i] = '.';
	longest[sizeof longest - 1] = '\0';
	for (size_t i = 0; i < 5; i++) {
		struct dns_result r;

		dns_ask(&c, i < 4 ? bad[i] : longest, &r, &stop);
		assert_int_equal(r.n, 0);
	}
}

/* ---- files --------------------------------------------------------------------- */

static char dir[] = "/tmp/test_resolve.XXXXXX";

static const char *file(const char *name, const char *text)
{
	static char path[4][64];
	static int next;
	char *p = path[next++ % 4];
	FILE *f;

	snprintf(p, sizeof path[0], "%s/%s", dir, name);
	if (!text)
		return p;
	f = fopen(p, "wb");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return p;
}

static void test_conf(void **state)
{
	struct dns_conf c;

	(void)state;
	dns_conf_read(
		&c,
		file("r",
	             "# nameserver 1.1.1.1\n  nameserver\t10.0.0.1 # x\r\nnameserver fe80::1%lo\nnameserver 10.0.0.3\n"
	             "domain a.test\nsearch b.test  c.test ; d.test\noptions ndots:5 timeout:1 attempts:9 edns0\nnonsense\n"));
	assert_true(c.found);
	assert_int_equal(c.nservers, 3);
	assert_string_equal(c.server[0], "10.0.0.1");
	assert_string_equal(c.server[1], "fe80::1%lo");
	assert_int_equal(c.nsearch, 2);
	assert_string_equal(c.search[1], "c.test");
	assert_int_equal(c.timeout_ms, 1000);
	assert_int_equal(c.attempts, 3);
	dns_conf_read(&c, file("none", NULL));
	assert_false(c.found);
	assert_int_equal(c.nservers, 1);
	assert_string_equal(c.server[0], "127.0.0.1");
}

static struct lookup *look(const char *host, const char *hosts, const char *resolv)
{
	int p[2];
	struct lookup *l;
	struct pollfd pf;

	assert_int_equal(pipe(p), 0);
	l = lookup_start(host, hosts, resolv, p[1]);
	close(p[1]); /* it has its own */
	pf = (struct pollfd){.fd = p[0], .events = POLLIN};
	assert_int_equal(poll(&pf, 1, 20000), 1);
	assert_true(lookup_done(l));
	close(p[0]);
	return l;
}

static void test_lookup(void **state)
{
	const char *hosts = file(
		"hosts",
		"127.0.0.1 localhost\n# 10.0.0.9 dts.region.test\n10.0.0.7\tother DTS.region.test # x\n::2 dts.region.test\n");
	const char *none = file("none", NULL), *resolv = file("r2", "nameserver 192.0.2.1.1\n");
	const struct address *v;
	const char *text;
	struct lookup *l;
	size_t n;

	(void)state;
	/* No question for what a file or the name itself says. */
	l = look("dts.region.test", hosts, none);
	n = lookup_result(l, &v, &text); /* the IPv6 one only where there is a route */
	assert_true(n >= 1);
	assert_string_equal(v[n - 1].text, "10.0.0.7");
	lookup_free(l);
	l = look("10.1.2.3", none, none);
	assert_int_equal(lookup_result(l, &v, &text), 1);
	lookup_free(l);
	l = look("localhost", none, none);
	assert_true(lookup_result(l, &v, &text) >= 1);
	lookup_free(l);
	/* The message has the name, the server and the file. */
	l = look("dts.nowhere.test", none, resolv);
	assert_int_equal(lookup_result(l, &v, &text), 0);
	assert_non_null(strstr(text, "name resolution"));
	assert_non_null(strstr(text, "dts.nowhere.test"));
	assert_non_null(strstr(text, "192.0.2.1.1"));
	assert_non_null(strstr(text, resolv));
	lookup_free(l);
	/* Left alone while it runs. */
	lookup_free(lookup_start("dts.nowhere.test", none, resolv, -1));
}

/* A complete name is not put through the search list; each domain of it stands by itself. */
static void test_search(void **state)
{
	atomic_bool stop = false;
	struct dns_result r;
	struct server s;
	struct dns_conf c;

	(void)state;
	server_start(&s, 0, 0, only_region);
	conf_of(&c, &s, 1);
	dns_ask(&c, "dts.region.test", &r, &stop);
	assert_int_equal(r.outcome, DNS_FOUND);
	assert_string_equal(s.names, "dts.region.test dts.region.test ");
	dns_ask(&c, "dts.corp.test", &r, &stop);
	assert_int_equal(r.outcome, DNS_FAILED);
	dns_ask(&c, "nope.region.test", &r, &stop);
	assert_int_equal(r.outcome, DNS_ABSENT);
	server_stop(&s);
}

static int group_setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(file("r", NULL));
	unlink(file("r2", NULL));
	unlink(file("hosts", NULL));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families), cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_servers),  cmocka_unit_test(test_names),
		cmocka_unit_test(test_conf),     cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_search),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
