#include "lab.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sys.h"
#include "base/text.h"

#define SECRET_ONE "Zq7secretSOURCE%+/x"
#define SECRET_TWO "Zq7secretTARGET\"\\y"
#define SECRET_THREE "Zq7secretNEW&=z"
#define KEY_ONE "Zq7secretKEY0123456789abcdef"
#define KEY_TWO "Zq7secretKEYfedcba9876543210"

/*
 * Service time runs 20 times as fast as real time, and the program's polling with it: lists lag 100 ms, which is long
 * for it: a crashed run and its successor are closer together than that.
 */
#define TIME_SCALE 20.0
#define POLL_SCALE "0.05"
#define SERVICE_LAG                                                                                \
	"[timing]\nlist_lag = 2s\nprecheck = 1s\nprecheck_pass = 200ms\ninitializing = 2s\n"       \
	"suspending = 1s\nresume = 1s\nmodifying = 1s\nupgrade = 1s\n"
#define SECOND_KEY "[auth]\nkeys = second-key:" KEY_TWO "\n"
/* An unharmed run takes half a second; but fsync has been seen to take more than 15 s on a busy disk. */
#define HUNG_MS 120000

const struct party parties[PARTIES] = {
	{"m.ini", "s.state.json", "first-key", KEY_ONE},
	{"m2.ini", "s2.state.json", "second-key", KEY_TWO},
};

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "lab: %s %s: %s\n", what, detail, strerror(errno));
	exit(1);
}

char *lab_path(struct lab *l, const char *name)
{
	return arena_printf(&l->a, "%s/%s", l->dir, name);
}

static void write_file(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		die("cannot write", path);
	close(fd);
}

void lab_write(const struct lab *l, const char *name, const char *text)
{
	char path[600];

	snprintf(path, sizeof path, "%s/%s", l->dir, name);
	write_file(path, text, strlen(text));
}

void lab_each_file(const char *dir, void (*f)(const char *path, const char *name, void *arg),
                   void *arg)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[1200];

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.'))
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		f(path, e->d_name, arg);
	}
	closedir(d);
}

static void remove_one(const char *path, const char *name, void *arg)
{
	(void)name;
	(void)arg;
	unlink(path);
}

static void copy_one(const char *path, const char *name, void *arg)
{
	struct buf b;
	char to[1200];

	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(path, &b) == 0) {
		snprintf(to, sizeof to, "%s/%s", (const char *)arg, name);
		write_file(to, buf_str(&b), b.n);
	}
	buf_release(&b);
}

void lab_keep_base(struct lab *l, const char *base_dir)
{
	snprintf(l->base, sizeof l->base, "%s", base_dir);
	mkdir(base_dir, 0700);
	lab_each_file(base_dir, remove_one, NULL);
	remove(lab_path(l, "requests.jsonl"));
	remove(lab_path(l, "out"));
	lab_each_file(l->dir, copy_one, l->base);
}

void lab_reset(struct lab *l)
{
	lab_each_file(l->dir, remove_one, NULL);
	if (l->base[0])
		lab_each_file(l->base, copy_one, l->dir);
}

struct json *lab_json(struct lab *l, const char *dir, const char *name)
{
	struct buf b;
	struct json *j = NULL;

	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(arena_printf(&l->a, "%s/%s", dir, name), &b) == 0)
		j = json_parse(&l->a, arena_strndup(&l->a, buf_str(&b), b.n), b.n, NULL);
	buf_release(&b);
	return j;
}

size_t lab_file_count(struct lab *l, const char *name, const char *text)
{
	struct buf b;
	size_t n = 0, at = 0;
	const char *hit;

	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(lab_path(l, name), &b))
		buf_reset(&b);
	while (at < b.n && (hit = memmem(b.p + at, b.n - at, text, strlen(text)))) {
		at = (size_t)(hit - b.p) + strlen(text);
		n++;
	}
	buf_release(&b);
	return n;
}

bool lab_file_has(struct lab *l, const char *name, const char *text)
{
	return lab_file_count(l, name, text) > 0;
}

void lab_nap(int ms)
{
	nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

/* ---- the watcher ------------------------------------------------------------- */

static const char *state_trouble(const struct buf *b)
{
	const struct json *o, *version;
	struct arena a;
	const char *why = NULL;

	arena_init(&a);
	o = json_parse(&a, buf_str(b), b->n, NULL);
	version = o ? json_get(o, "format_version") : NULL;
	if (!o)
		why = "no JSON";
	else if (!version || version->i != 1 || !json_get(o, "resources") || !json_get(o, "crc32c"))
		why = "not of a known format";
	arena_release(&a);
	return why;
}

static void watch_once(struct watcher *w, struct stat *last)
{
	struct stat st;
	const char *why = NULL;
	struct buf b;

	if (stat(w->path, &st) == 0 && st.st_ino == last->st_ino && st.st_size == last->st_size &&
	    !memcmp(&st.st_mtim, &last->st_mtim, sizeof st.st_mtim))
		return;
	buf_init(&b, (size_t)1 << 28);
	why = sys_read_file(w->path, &b) ? "not there" : state_trouble(&b);
	if (why) {
		w->bad++;
		snprintf(w->why, sizeof w->why, "%s (%zu bytes)", why, b.n);
	}
	buf_release(&b);
	*last = st;
}

/* The other side; ends with the process that began it. */
static _Noreturn void watch_main(struct watcher *w)
{
	pid_t parent = getppid();
	struct stat last = {0};

	while (getppid() == parent) {
		int want = atomic_load(&w->want), is = atomic_load(&w->is);

		if (want && want != is) {
			memset(&last, 0, sizeof last);
			w->bad = 0;
		}
		if (want || is)
			watch_once(w, &last); /* a last time after the end */
		atomic_store(&w->is, want);
		nanosleep(&(struct timespec){0,
		                             (long)(want ? atomic_load(&w->pace_us) : 5000) * 1000},
		          NULL);
	}
	_exit(0);
}

static void watch_new(struct lab *l, int party)
{
	struct watcher *w =
		mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (w == MAP_FAILED)
		die("memory for", "a watcher");
	snprintf(w->path, sizeof w->path, "%s/%s", l->dir, parties[party].state);
	l->watch[party] = w;
	l->watchers[party] = fork();
	if (l->watchers[party] == 0)
		watch_main(w);
}

static void watch_turn(struct watcher *w, int want)
{
	/* Every fifth trial it hardly sleeps; all the time would cost more than the trials. */
	atomic_store(&w->pace_us, want % 5 ? 4000 : 200);
	atomic_store(&w->want, want);
	while (atomic_load(&w->is) != want)
		nanosleep(&(struct timespec){0, 500000}, NULL);
}

/* ---- a lab ------------------------------------------------------------------------ */

void lab_init(struct lab *l, const char *binary, const char *dir)
{
	memset(l, 0, sizeof *l);
	l->binary = binary;
	snprintf(l->dir, sizeof l->dir, "%s", dir);
	mkdir(dir, 0700);
	arena_init(&l->a);
	for (int i = 0; i < PARTIES; i++)
		watch_new(l, i);
}

void lab_release(struct lab *l)
{
	if (l->sim)
		lab_stop(l);
	for (int i = 0; i < PARTIES; i++) {
		kill(l->watchers[i], SIGKILL);
		waitpid(l->watchers[i], NULL, 0);
	}
	arena_release(&l->a);
}

/* ---- the simulator -------------------------------------------------------------- */

void lab_start(struct lab *l, const char *scenario, bool lags)
{
	struct sim_opts o = {.world_path = lab_path(l, "w.json"),
	                     .log_path = lab_path(l, "requests.jsonl"),
	                     .key_id = "first-key",
	                     .key_secret = KEY_ONE,
	                     .time_scale = lags ? TIME_SCALE : 0,
	                     .region = "cn-hangzhou"};
	struct err e = {0};

	/* In front of what may end in a section of its own. */
	lab_write(l, "scenario.ini",
	          arena_printf(&l->a, SERVICE_LAG SECOND_KEY "%s", scenario ? scenario : ""));
	o.scenario_path = lab_path(l, "scenario.ini");
	if (sim_start(&l->sim, &o, &e)) {
		fprintf(stderr, "lab: simulator: %s\n", e.msg);
		exit(1);
	}
	unlink(o.scenario_path); /* it holds a key, which is to be found nowhere */
	l->port = sim_port(l->sim);
	l->log_seen = 0;
	l->struck = false;
	l->fair = SIZE_MAX;
	l->watches++;
	for (int i = 0; i < PARTIES; i++) /* what is not there can only begin to be */
		if (access(lab_path(l, parties[i].state), F_OK) == 0)
			watch_turn(l->watch[i], l->watches);
}

void lab_stop(struct lab *l)
{
	struct err e = {0};

	for (int i = 0; i < PARTIES; i++)
		watch_turn(l->watch[i], 0);
	if (l->sim && sim_stop(l->sim, &e)) {
		fprintf(stderr, "lab: simulator: %s\n", e.msg);
		exit(1);
	}
	l->sim = NULL;
}

char *lab_control(struct lab *l, const char *path, const char *post)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)l->port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *req = arena_printf(
		     &l->a, "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n\r\n%s",
		     post ? "POST" : "GET", path, post ? strlen(post) : 0, post ? post : ""),
	     *body;
	struct buf b;
	char chunk[4096];
	ssize_t n;

	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) || write(fd, req, strlen(req)) < 0)
		die("control", path);
	buf_init(&b, (size_t)1 << 26);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	body = strstr(buf_str(&b), "\r\n\r\n");
	body = arena_strdup(&l->a, body ? body + 4 : "");
	buf_release(&b);
	return body;
}

void lab_calm(struct lab *l)
{
	const char *said =
		lab_control(l, "/_sim/scenario", SERVICE_LAG SECOND_KEY "[limits]\noff = true\n");

	if (!strstr(said, "in force"))
		die("control", said);
}

void lab_stranger(struct lab *l, enum strange how)
{
	const char *said;

	if (how == STRANGE_NONE)
		return;
	said = lab_control(
		l, how == STRANGE_OWNER ? "/_sim/stranger?configure=true" : "/_sim/stranger", "");
	if (!strstr(said, "bought"))
		die("stranger", said);
}

/* Whole lines only, each looked at once. */
bool lab_struck(struct lab *l)
{
	static const char mark[] = "\"struck\":true";
	char path[300], chunk[65536];
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "%s/requests.jsonl", l->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = pread(fd, chunk, sizeof chunk, (off_t)l->log_seen)) > 0) {
		const char *end = memrchr(chunk, '\n', (size_t)n);

		if (!end)
			break;
		l->struck =
			l->struck || memmem(chunk, (size_t)(end - chunk), mark, sizeof mark - 1);
		l->log_seen += (size_t)(end - chunk) + 1;
	}
	if (fd >= 0)
		close(fd);
	return l->struck;
}

/* ---- running the program ----------------------------------------------------- */

static void child_env(const struct run_spec *s)
{
	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/nonexistent", 1);
	setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", parties[s->party].key_id, 1);
	setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", parties[s->party].key_secret, 1);
	setenv("SOURCE_PASSWORD", SECRET_ONE, 1);
	setenv("TARGET_PASSWORD", SECRET_TWO, 1);
	setenv("NEW_PASSWORD", SECRET_THREE, 1);
	setenv("DTSBATCH_POLL_SCALE", POLL_SCALE, 1);
	if (s->timeout_scale)
		setenv("DTSBATCH_TIMEOUT_SCALE", s->timeout_scale, 1);
	if (s->fault) {
		setenv("DTSBATCH_FAULT", s->fault, 1);
		setenv("DTSBATCH_FAULT_LOG", "fault.log", 1);
	}
}

enum { ARGS_MAX = 64 };

static void fill_argv(struct lab *l, const struct run_spec *s, const char **argv)
{
	static const char *const tracer[] = {"strace", "-f", "-qqq", "-s", "0", "-o", "strace.log"};
	size_t n = 0;

	if (s->trace) {
		memcpy(argv, tracer, sizeof tracer);
		n = sizeof tracer / sizeof *tracer;
		if (!s->inject || !strstr(s->inject, "signal=")) /* faster, but signals get lost */
			argv[n++] = "--seccomp-bpf";
		argv[n++] = "-e";
		argv[n++] = arena_printf(&l->a, "trace=%s", s->trace);
		if (s->inject) {
			argv[n++] = "-e";
			argv[n++] = s->inject;
		}
	}
	argv[n++] = s->binary ? s->binary : l->binary;
	for (size_t i = 0; s->args[i] && n < ARGS_MAX - 3; i++)
		argv[n++] = s->args[i];
	argv[n++] = "--endpoint";
	argv[n++] = arena_printf(&l->a, "http://127.0.0.1:%d", l->port);
	argv[n] = NULL;
}

pid_t lab_spawn(struct lab *l, const struct run_spec *s)
{
	const char *argv[ARGS_MAX];
	const char *out = lab_path(l, s->out ? s->out : "out");
	pid_t pid;

	fill_argv(l, s, argv);
	pid = fork();
	if (pid == 0) {
		int fd = open(out, O_WRONLY | O_CREAT | (s->out ? O_TRUNC : O_APPEND), 0600);
		int null = open("/dev/null", O_RDONLY);

		dup2(null, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		child_env(s);
		if (chdir(l->dir))
			_exit(126);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0)
		die("cannot fork", argv[0]);
	return pid;
}

/* The last lines of a file, for a human. */
static void show_end(const char *path, size_t bytes)
{
	struct buf b;

	buf_init(&b, (size_t)1 << 26);
	if (sys_read_file(path, &b) == 0 && b.n > 0)
		fprintf(stderr, "lab:   %s ends with\n%s\n", path,
		        buf_str(&b) + (b.n > bytes ? b.n - bytes : 0));
	buf_release(&b);
}

static void show_thread(const char *path, const char *name, void *arg)
{
	static const char *const files[] = {"wchan", "syscall", "stat"};
	char file[1300];

	(void)name;
	(void)arg;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(file, sizeof file, "%s/%s", path, files[i]);
		show_end(file, 300);
	}
}

/* A run that would not end: where it stands, before it is killed. */
static void show_hung(struct lab *l, pid_t pid)
{
	char dir[64];

	fprintf(stderr, "lab: a run hangs\n");
	snprintf(dir, sizeof dir, "/proc/%d/task", (int)pid);
	lab_each_file(dir, show_thread, NULL);
	show_end(lab_path(l, "out"), 3000);
	show_end(lab_path(l, "requests.jsonl"), 4000);
}

/* What is due `ms` after the start; each once. */
static void mistreat(struct lab *l, const struct run_spec *s, pid_t pid, int64_t ms,
                     int64_t *struck_ms, bool done[3], struct run_end *end)
{
	if (s->kill_struck && *struck_ms < 0 && lab_struck(l))
		*struck_ms = ms;
	if (s->strange && !done[0] && ms >= s->strange_after_ms) {
		done[0] = true;
		lab_stranger(l, s->strange);
	}
	if (s->signal && !done[1] && ms >= s->signal_after_ms) {
		done[1] = true;
		end->signalled = kill(pid, s->signal) == 0;
		if (s->signal2)
			kill(pid, s->signal2);
	}
	if (!done[2] &&
	    ((s->kill_after_ms > 0 && ms >= s->kill_after_ms) ||
	     (*struck_ms >= 0 && ms >= *struck_ms + s->kill_after_strike_ms) || ms > HUNG_MS)) {
		done[2] = true;
		end->hung = ms > HUNG_MS;
		if (end->hung)
			show_hung(l, pid);
		kill(pid, SIGKILL);
	}
}

struct run_end lab_wait(struct lab *l, const struct run_spec *s, pid_t pid)
{
	struct run_end end = {0};
	bool done[3] = {false};
	int64_t begun = sys_now_ms(), struck_ms = -1;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		mistreat(l, s, pid, sys_now_ms() - begun, &struck_ms, done, &end);
		lab_nap(2);
	}
	end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	end.killed = end.status == 128 + SIGKILL && !end.hung;
	return end;
}

struct run_end lab_run(struct lab *l, const struct run_spec *s)
{
	return lab_wait(l, s, lab_spawn(l, s));
}

int lab_cmd(struct lab *l, int party, const char *const *args)
{
	return lab_run(l, &(struct run_spec){.args = args, .party = party}).status;
}
