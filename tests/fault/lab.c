#include "lab.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
#define KEY_SECRET "Zq7secretKEY0123456789abcdef"

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "lab: %s %s: %s\n", what, detail, strerror(errno));
	exit(1);
}

void lab_init(struct lab *l, const char *binary, const char *dir)
{
	memset(l, 0, sizeof *l);
	l->binary = binary;
	snprintf(l->dir, sizeof l->dir, "%s", dir);
	mkdir(dir, 0700);
	arena_init(&l->a);
}

void lab_release(struct lab *l)
{
	if (l->sim)
		lab_stop(l);
	arena_release(&l->a);
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

static void each_file(const char *dir, void (*f)(const char *path, const char *name, void *arg),
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
	each_file(base_dir, remove_one, NULL);
	each_file(l->dir, copy_one, l->base);
}

void lab_reset(struct lab *l)
{
	each_file(l->dir, remove_one, NULL);
	if (l->base[0])
		each_file(l->base, copy_one, l->dir);
}

void lab_start(struct lab *l, const char *scenario)
{
	struct sim_opts o = {.world_path = lab_path(l, "w.json"),
	                     .log_path = lab_path(l, "requests.jsonl"),
	                     .key_id = "lab-key",
	                     .key_secret = KEY_SECRET,
	                     .region = "cn-hangzhou"};
	struct err e = {0};

	lab_write(l, "scenario.ini", scenario ? scenario : "");
	o.scenario_path = lab_path(l, "scenario.ini");
	if (sim_start(&l->sim, &o, &e)) {
		fprintf(stderr, "lab: simulator: %s\n", e.msg);
		exit(1);
	}
	l->port = sim_port(l->sim);
}

void lab_stop(struct lab *l)
{
	struct err e = {0};

	if (l->sim && sim_stop(l->sim, &e)) {
		fprintf(stderr, "lab: simulator: %s\n", e.msg);
		exit(1);
	}
	l->sim = NULL;
}

char *lab_control(struct lab *l, const char *path)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)l->port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *req = arena_printf(&l->a, "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", path), *body;
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

/* ---- running the program ----------------------------------------------------- */

static void child_env(struct lab *l, const struct run_spec *s)
{
	(void)l;
	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/nonexistent", 1);
	setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "lab-key", 1);
	setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", KEY_SECRET, 1);
	setenv("SOURCE_PASSWORD", SECRET_ONE, 1);
	setenv("TARGET_PASSWORD", SECRET_TWO, 1);
	setenv("DTSBATCH_POLL_SCALE", "0.02", 1);
	if (s->fault)
		setenv("DTSBATCH_FAULT", s->fault, 1);
}

static size_t fill_argv(struct lab *l, const struct run_spec *s, const char **argv)
{
	size_t n = 0;

	if (s->inject) {
		argv[n++] = "strace";
		argv[n++] = "-f";
		argv[n++] = "--seccomp-bpf";
		argv[n++] = "-qqq";
		argv[n++] = "-o";
		argv[n++] = "/dev/null";
		if (s->trace_path) {
			argv[n++] = "-P";
			argv[n++] = s->trace_path;
		}
		argv[n++] = "-e";
		argv[n++] = s->inject;
	}
	argv[n++] = s->binary ? s->binary : l->binary;
	for (size_t i = 0; s->args[i]; i++)
		argv[n++] = s->args[i];
	argv[n++] = "--endpoint";
	argv[n++] = arena_printf(&l->a, "http://127.0.0.1:%d", l->port);
	argv[n] = NULL;
	return n;
}

static void nap(int ms)
{
	nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

int lab_run(struct lab *l, const struct run_spec *s)
{
	const char *argv[64];
	pid_t pid;
	int status = 0, waited = 0;

	fill_argv(l, s, argv);
	pid = fork();
	if (pid == 0) {
		int fd = open(lab_path(l, "out"), O_WRONLY | O_CREAT | O_APPEND, 0600);
		int null = open("/dev/null", O_RDONLY);

		dup2(null, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		child_env(l, s);
		if (chdir(l->dir))
			_exit(126);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		nap(2);
		waited += 2;
		if (s->signal && waited == s->signal_after_ms - s->signal_after_ms % 2)
			kill(pid, s->signal);
		if (s->kill_after_ms > 0 && waited >= s->kill_after_ms)
			kill(pid, SIGKILL);
		if (waited > 60000) {
			fprintf(stderr, "lab: a run hangs\n");
			kill(pid, SIGKILL);
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int lab_cmd(struct lab *l, const char *const *args)
{
	struct run_spec s = {.args = args};

	return lab_run(l, &s);
}

/* ---- comparing ------------------------------------------------------------------ */

static struct json *load(struct lab *l, const char *name)
{
	struct buf b;
	struct json *j = NULL;

	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(lab_path(l, name), &b) == 0)
		j = json_parse(&l->a, arena_strndup(&l->a, buf_str(&b), b.n), b.n, NULL);
	buf_release(&b);
	return j;
}

struct grep {
	size_t hits;
	bool report;
};

static void grep_file(const char *path, const char *name, void *arg)
{
	static const char *const secrets[] = {"Zq7secretSOURCE", "Zq7secretTARGET", "Zq7secretKEY"};
	struct grep *g = arg;
	struct buf b;

	(void)name;
	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(path, &b) == 0)
		for (size_t i = 0; i < 3; i++)
			if (b.n && memmem(b.p, b.n, secrets[i], strlen(secrets[i]))) {
				g->hits++;
				fprintf(stderr, "lab: secret %zu in %s\n", i, path);
			}
	buf_release(&b);
}

static bool live(const struct json *inst)
{
	const struct json *gone = json_get(inst, "gone_ms");

	return !gone || gone->i == 0;
}

static bool touched(struct lab *l, const struct json *world, const struct json *inst)
{
	const struct json *jobs = json_get(world, "jobs");
	const char *tags = json_str(inst, "tags");

	(void)l;
	if (!live(inst) || (tags && *tags))
		return true;
	for (const struct json *j = jobs ? jobs->child : NULL; j; j = j->next)
		if (text_eq(json_str(j, "instance"), json_str(inst, "id")) &&
		    json_str(j, "status") && !text_ieq(json_str(j, "status"), "NotConfigured") &&
		    !text_starts(json_str(j, "name"), "stranger"))
			return true;
	return false;
}

static const struct json *resource(const struct json *state, const char *address)
{
	const struct json *list = json_get(state, "resources");

	for (const struct json *r = list ? list->child : NULL; r; r = r->next)
		if (text_eq(json_str(r, "address"), address))
			return r;
	return NULL;
}

static bool in_state(const struct json *state, const char *id)
{
	const struct json *list = json_get(state, "resources");

	for (const struct json *r = list ? list->child : NULL; r; r = r->next)
		if (text_eq(json_str(r, "instance_id"), id))
			return true;
	return false;
}

static bool world_has(const struct json *world, const char *id)
{
	const struct json *list = json_get(world, "instances");

	for (const struct json *i = list ? list->child : NULL; i; i = i->next)
		if (text_eq(json_str(i, "id"), id))
			return live(i);
	return false;
}

static void compare(struct lab *l, const struct wanted *w, struct verdict_counts *c)
{
	struct json *world = load(l, "w.json"), *state = load(l, "s.state.json");
	const struct json *list = world ? json_get(world, "instances") : NULL;
	size_t ours = 0;

	if (!state)
		c->invalid++;
	for (const struct json *i = list ? list->child : NULL; i; i = i->next) {
		bool stranger = json_true(json_get(i, "stranger"));
		bool known = state && in_state(state, json_str(i, "id"));

		if (stranger) {
			c->foreign += known || touched(l, world, i);
		} else if (live(i)) {
			ours++;
			c->orphans += !known;
		}
	}
	if (ours > w->n)
		c->duplicates += ours - w->n;
	for (size_t i = 0; i < w->n; i++) {
		const struct json *r = state ? resource(state, w->instances[i]) : NULL;

		if (!r || !world_has(world, json_str(r, "instance_id")))
			c->lost++;
	}
}

bool lab_verify(struct lab *l, const char *const *apply_args, const struct wanted *w,
                bool strangers, struct verdict_counts *c, const char *what)
{
	const char *plan[16] = {"plan", "--detailed-exitcode"};
	struct verdict_counts before = *c;
	struct grep g = {0};
	int rc = -1, clean;
	size_t n = 2;

	for (int i = 0; i < 4 && rc != 0 && rc != 4; i++)
		rc = lab_cmd(l, apply_args);
	for (size_t i = 1; apply_args[i] && n < 15; i++)
		if (!text_eq(apply_args[i], "--yes") && !text_eq(apply_args[i], "--max-deletes") &&
		    !(i > 1 && text_eq(apply_args[i - 1], "--max-deletes")))
			plan[n++] = apply_args[i];
	if (rc == 4 && strangers) {
		c->decisions++;
		lab_stop(l);
		return true;
	}
	clean = rc == 0 ? lab_cmd(l, plan) : -1;
	lab_stop(l);
	if (rc != 0)
		c->stuck++;
	else
		c->unclean += clean != 0;
	compare(l, w, c);
	each_file(l->dir, grep_file, &g);
	c->secrets += g.hits;
	if (memcmp(&before, c, sizeof before) == 0)
		return true;
	fprintf(stderr,
	        "lab: %s: rc %d, plan %d, duplicates %zu orphans %zu foreign %zu lost %zu (files in %s)\n",
	        what, rc, clean, c->duplicates - before.duplicates, c->orphans - before.orphans,
	        c->foreign - before.foreign, c->lost - before.lost, l->dir);
	return false;
}
