/*
 * The simulator over real sockets: keep-alive, chunked bodies, cut and late answers, the child,
 * the files.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim/auth.h"
#include "sim/sim.h"
#include "sim_fixture.h"

#include "base/hash.h"

static int dial(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* A signed request target (V1, everything in the query), for POST. */
static char *target(struct arena *a, const char *action, const char *rest)
{
	static int count;
	struct sim_request rq = {.method = "POST", .body = ""};
	struct params p;
	struct buf b;
	char stamp[21], b64[32], *t, *sts;
	uint8_t d[20];

	text_utc(sys_wall_ms() / 1000, stamp);
	t = arena_printf(a,
	                 "/?Action=%s&Version=2020-01-01&Format=JSON&AccessKeyId=" FX_KEY
	                 "&SignatureMethod=HMAC-SHA1"
	                 "&SignatureVersion=1.0&SignatureNonce=h%d-%d&Timestamp=%s%s",
	                 action, (int)getpid(), ++count, stamp, rest);
	rq.target = t;
	request_params(&rq, a, &p);
	sts = auth_v1_string(a, &rq, &p);
	hash_hmac_sha1(FX_SECRET "&", strlen(FX_SECRET) + 1, sts, strlen(sts), d);
	hash_base64(d, sizeof(d), b64);
	buf_init(&b, 256);
	text_percent(&b, b64, strlen(b64));
	t = arena_printf(a, "%s&Signature=%s", t, buf_str(&b));
	buf_release(&b);
	return t;
}

static void send_text(int fd, const char *s)
{
	assert_int_equal(sys_write_all(fd, s, strlen(s)), 0);
}

/* One answer with Content-Length into b; false: the connection ended early. */
static bool answer(int fd, struct buf *b, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	const char *end, *len;
	char chunk[4096];
	ssize_t n;

	buf_reset(b);
	for (;;) {
		end = strstr(buf_str(b), "\r\n\r\n");
		len = strstr(buf_str(b), "Content-Length: ");
		if (end && len && strlen(end + 4) >= (size_t)atoi(len + 16))
			return true;
		if (poll(&p, 1, wait_ms) <= 0)
			return false;
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0)
			return false;
		buf_add(b, chunk, (size_t)n);
	}
}

static char *request(struct arena *a, const char *action, const char *rest)
{
	return arena_printf(a, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
	                    target(a, action, rest));
}

#define BUY                                                                                        \
	"&RegionId=cn-hangzhou&Type=SYNC&SourceRegion=cn-hangzhou&DestinationRegion=cn-hangzhou&PayType=PostPaid"

struct served {
	struct sim *s;
	struct arena a;
	struct buf b;
	char dir[64], *scenario, *log, *world;
};

static void serve(struct served *v, const char *scenario, double scale)
{
	struct sim_opts o = {.key_id = FX_KEY, .key_secret = FX_SECRET, .time_scale = scale};
	struct err e = {0};

	memset(v, 0, sizeof(*v));
	arena_init(&v->a);
	buf_init(&v->b, 1 << 20);
	strcpy(v->dir, "/tmp/sim-http-XXXXXX");
	assert_non_null(mkdtemp(v->dir));
	v->scenario = arena_printf(&v->a, "%s/s.ini", v->dir);
	v->log = arena_printf(&v->a, "%s/log", v->dir);
	v->world = arena_printf(&v->a, "%s/world", v->dir);
	assert_int_equal(sys_replace_file(v->scenario, 0600, scenario, strlen(scenario)), 0);
	o.scenario_path = v->scenario;
	o.log_path = v->log;
	o.world_path = v->world;
	if (sim_start(&v->s, &o, &e) != 0)
		fail_msg("%s", e.msg);
	assert_in_range(sim_port(v->s), 1, 65535);
}

static void finish(struct served *v)
{
	struct err e = {0};

	if (v->s && sim_stop(v->s, &e) != 0)
		fail_msg("%s", e.msg);
	unlink(v->scenario);
	unlink(v->log);
	unlink(v->world);
	rmdir(v->dir);
	buf_release(&v->b);
	arena_release(&v->a);
}

static void test_keep_alive(void **st)
{
	struct served v;
	int fd;

	(void)st;
	serve(&v, "", 0);
	fd = dial(sim_port(v.s));
	for (int i = 0; i < 5; i++) {
		send_text(fd, request(&v.a, "CreateDtsInstance", BUY));
		assert_true(answer(fd, &v.b, 5000));
		assert_non_null(strstr(buf_str(&v.b), "HTTP/1.1 200"));
		assert_non_null(strstr(buf_str(&v.b), "\"Success\":\"true\""));
		assert_non_null(strstr(buf_str(&v.b), "x-acs-request-id: "));
		assert_non_null(strstr(buf_str(&v.b), "\r\nDate: "));
	}
	close(fd);
	/* 64 at once */
	int many[64];
	for (int i = 0; i < 64; i++) {
		many[i] = dial(sim_port(v.s));
		send_text(many[i], request(&v.a, "DescribeDtsJobDetail", "&DtsJobId=nosuch"));
	}
	for (int i = 0; i < 64; i++) {
		assert_true(answer(many[i], &v.b, 5000));
		assert_non_null(strstr(buf_str(&v.b), "HTTP/1.1 4"));
		close(many[i]);
	}
	finish(&v);
}

/* Node sends form bodies in chunks (alibaba-auth.md 1.7). */
static void test_chunked(void **st)
{
	struct served v;
	int fd;

	(void)st;
	serve(&v, "[service]\nlenient = true\n", 0);
	fd = dial(sim_port(v.s));
	/*
	 * the form is part of a V1 signature, so an unsigned pair is noticed: the body did arrive
	 */
	send_text(
		fd,
		arena_printf(
			&v.a,
			"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
			"Transfer-Encoding: chunked\r\n\r\n3\r\nDts\r\n9\r\nJobId=abc\r\n0\r\n\r\n",
			target(&v.a, "DescribeDtsJobDetail", "")));
	assert_true(answer(fd, &v.b, 5000));
	assert_non_null(strstr(buf_str(&v.b), "SignatureDoesNotMatch"));
	assert_non_null(strstr(buf_str(&v.b), "DtsJobId%3Dabc"));
	close(fd);
	finish(&v);
}

static void test_broken_answers(void **st)
{
	struct served v;
	int64_t begun;
	int fd;

	(void)st;
	serve(&v,
	      "[fault.cut]\naction = CreateDtsInstance\nnth = 1\ndo = cut-after\n"
	      "[fault.half]\naction = CreateDtsInstance\nnth = 2\ndo = half\n"
	      "[fault.late]\naction = CreateDtsInstance\nnth = 3\ndo = delay:300ms\n"
	      "[fault.never]\naction = CreateDtsInstance\nnth = 4\ndo = hang\n",
	      0);
	fd = dial(sim_port(v.s));
	send_text(fd, request(&v.a, "CreateDtsInstance", BUY));
	assert_false(answer(fd, &v.b, 5000));
	assert_int_equal(v.b.n, 0);
	close(fd);
	fd = dial(sim_port(v.s));
	send_text(fd, request(&v.a, "CreateDtsInstance", BUY));
	assert_false(answer(fd, &v.b, 5000));
	assert_non_null(strstr(buf_str(&v.b), "HTTP/1.1 200"));
	close(fd);
	fd = dial(sim_port(v.s));
	begun = sys_now_ms();
	send_text(fd, request(&v.a, "CreateDtsInstance", BUY));
	assert_true(answer(fd, &v.b, 5000));
	assert_true(sys_now_ms() - begun >= 290);
	send_text(fd, request(&v.a, "CreateDtsInstance", BUY));
	assert_false(answer(fd, &v.b, 200)); /* nothing, and still connected */
	/* others go on meanwhile; all four purchases happened */
	int other = dial(sim_port(v.s));
	send_text(other, "GET /_sim/world HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(answer(other, &v.b, 5000));
	int n = 0;
	for (const char *p = buf_str(&v.b); (p = strstr(p, "\"architecture\"")); p++)
		n++;
	assert_int_equal(n, 4);
	close(other);
	finish(&v); /* with the connection still hanging */
	close(fd);
}

static void test_files(void **st)
{
	struct sim_opts o = {.key_id = FX_KEY, .key_secret = FX_SECRET};
	struct served v;
	struct err e = {0};
	struct sim *s;
	int fd;

	(void)st;
	serve(&v, "", 0);
	fd = dial(sim_port(v.s));
	send_text(fd, request(&v.a, "CreateDtsInstance", BUY));
	assert_true(answer(fd, &v.b, 5000));
	close(fd);
	assert_int_equal(sim_stop(v.s, &e), 0);
	v.s = NULL;
	buf_reset(&v.b);
	assert_int_equal(sys_read_file(v.log, &v.b), 0);
	assert_non_null(strstr(buf_str(&v.b), "\"action\":\"CreateDtsInstance\""));
	buf_reset(&v.b);
	assert_int_equal(sys_read_file(v.world, &v.b), 0);
	assert_non_null(strstr(buf_str(&v.b), "\"pay_type\": \"PostPaid\""));
	/* half of it is no world */
	assert_int_equal(sys_replace_file(v.world, 0600, buf_str(&v.b), v.b.n / 2), 0);
	o.world_path = v.world;
	assert_int_equal(sim_start(&s, &o, &e), -1);
	assert_int_equal(e.code, ERR_STATE_READ);
	finish(&v);
}

/* The child: reports its port, ignores signals, ends with its parent, keeps the world. */
static void test_child(void **st)
{
	struct sim_opts o = {.key_id = FX_KEY, .key_secret = FX_SECRET, .durable = true};
	char path[] = "/tmp/sim-child-XXXXXX", line[1200];
	int ready[2], life[2], fd, status;
	struct arena a;
	struct buf b;
	ssize_t n;
	pid_t pid;

	(void)st;
	close(mkstemp(path));
	unlink(path);
	o.world_path = path;
	arena_init(&a);
	buf_init(&b, 1 << 20);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		assert_int_equal(pipe2(life, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0) {
			close(ready[0]);
			close(life[1]);
			_exit(sim_run_child(&o, ready[1], life[0]));
		}
		close(ready[1]);
		close(life[0]);
		n = read(ready[0], line, sizeof(line) - 1);
		assert_true(n > 1);
		line[n] = '\0';
		close(ready[0]);
		kill(pid, SIGTERM);
		kill(pid, SIGINT);
		kill(pid, SIGHUP);
		fd = dial(atoi(line));
		send_text(fd, request(&a, "CreateDtsInstance", BUY));
		assert_true(answer(fd, &b, 5000));
		assert_int_equal(access(path, R_OK), 0); /* durable: on disk before the answer */
		close(fd);
		close(life[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_int_equal(sys_read_file(path, (buf_reset(&b), &b)), 0);
	int count = 0;
	for (const char *p = buf_str(&b); (p = strstr(p, "\"architecture\"")); p++)
		count++;
	assert_int_equal(count, 2);

	/* a foreign file is reported through the pipe */
	assert_int_equal(sys_replace_file(path, 0600, "hello\n", 6), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(sim_run_child(&o, ready[1], 0));
	close(ready[1]);
	n = read(ready[0], line, sizeof(line) - 1);
	assert_true(n > 4);
	assert_memory_equal(line, "ERR ", 4);
	close(ready[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 78);
	unlink(path);
	buf_release(&b);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),     cmocka_unit_test(test_chunked),
		cmocka_unit_test(test_broken_answers), cmocka_unit_test(test_files),
		cmocka_unit_test(test_child),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
