/*
 * Breaks dtsbatch in every way the operator's manual promises to survive and
 * counts what is wrong afterwards. The table at the end is the proof.
 *
 *   fault BINARY DIR [--long] [--jobs N]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "lab.h"

#define HEAD "[dtsbatch]\nregion = cn-hangzhou\nsettle = 300ms\n"
#define INSTANCE(name)                                                                             \
	"[synchronization_instance." name "]\npayment_type = PayAsYouGo\n"                         \
	"source_endpoint_engine_name = MySQL\nsource_endpoint_region = ${region}\n"                \
	"destination_endpoint_engine_name = MySQL\ndestination_endpoint_region = ${region}\n"      \
	"instance_class = small\nsync_architecture = oneway\n"
#define JOB(name, jobname, table, label)                                                                  \
	"[synchronization_job." name "]\n"                                                                \
	"dts_instance_id = ${synchronization_instance." name ".id}\ndts_job_name = " jobname "\n"         \
	"source_endpoint_instance_type = RDS\nsource_endpoint_instance_id = rm-source01\n"                \
	"source_endpoint_engine_name = MySQL\nsource_endpoint_region = ${region}\n"                       \
	"source_endpoint_user_name = sync\nsource_endpoint_password = ${env:SOURCE_PASSWORD}\n"           \
	"destination_endpoint_instance_type = RDS\ndestination_endpoint_instance_id = rm-target01\n"      \
	"destination_endpoint_engine_name = MySQL\ndestination_endpoint_region = ${region}\n"             \
	"destination_endpoint_user_name = sync\ndestination_endpoint_password = ${env:TARGET_PASSWORD}\n" \
	"structure_initialization = true\ndata_initialization = true\ndata_synchronization = true\n"      \
	"replace = allowed\ndts_bis_label = " label "\nstatus = Synchronizing\n"                          \
	"db_list = {\"shop\": {\"name\": \"shop\", \"all\": false, \"Table\": {\"" table                  \
	"\": {\"name\": \"" table "\", \"all\": true}}}}\n"

/* Before: a, b, c and an instance without job. After: a renamed and with another table, b replaced, c removed, e and f new. */
static const char before[] = HEAD INSTANCE("a") JOB("a", "a", "t1", "normal") INSTANCE("b")
	JOB("b", "b", "t1", "normal") INSTANCE("c") JOB("c", "c", "t1", "normal") INSTANCE("d");
static const char after[] = HEAD INSTANCE("a") JOB("a", "a-renamed", "t2", "normal") INSTANCE("b")
	JOB("b", "b", "t1", "online") INSTANCE("d") INSTANCE("e") JOB("e", "e", "t1", "normal")
		INSTANCE("f") JOB("f", "f", "t1", "normal");

static const char *const apply_args[] = {"apply",         "--yes", "--prune",
                                         "--max-deletes", "9",     "--state",
                                         "s.state.json",  "m.ini", NULL};
static const struct wanted want = {{"synchronization_instance.a", "synchronization_instance.b",
                                    "synchronization_instance.d", "synchronization_instance.e",
                                    "synchronization_instance.f"},
                                   5};

enum class { KILLS, REPLIES, REPLY_KILLS, DISK, ALLOC, SIGNALS, TOGETHER, CLASS__COUNT };
static const char *const class_names[CLASS__COUNT] = {
	"kill at a system call",   "lost or broken reply",
	"broken reply, then kill", "disk error",
	"allocation failure",      "signal",
	"runs started together"};

struct shared {
	struct verdict_counts c[CLASS__COUNT];
	size_t kills; /* runs that really died of SIGKILL */
};

struct work {
	struct lab l;
	struct shared *sh; /* this worker's own */
	int worker, workers;
	size_t serial; /* trial number, the same in every worker */
	const char *fault_binary;
	bool longer;
};

static bool mine(struct work *w)
{
	return (int)(w->serial++ % (size_t)w->workers) == w->worker;
}

static void begin(struct work *w, const char *scenario)
{
	lab_reset(&w->l);
	lab_start(&w->l, scenario);
}

/* Returns the exit status of the broken run. */
static int trial(struct work *w, enum class k, const char *scenario, struct run_spec *s,
                 bool strangers, const char *what)
{
	struct verdict_counts *c = &w->sh->c[k];
	int rc;

	if (getenv("LAB_ONLY") && !strstr(what, getenv("LAB_ONLY")))
		return 128 + SIGKILL;
	begin(w, scenario);
	s->args = apply_args;
	rc = lab_run(&w->l, s);
	c->trials++;
	if (!lab_verify(&w->l, apply_args, &want, strangers, c, what) && getenv("LAB_STOP"))
		exit(1);
	if (getenv("LAB_TALK"))
		fprintf(stderr, "%d %s: rc %d\n", w->worker, what, rc);
	arena_reset(&w->l.a);
	return rc;
}

static const char stranger[] =
	"[stranger]\nafter = CreateDtsInstance\nevery = 2\nmax = 3\nconfigure = true\n";
static const char bare_stranger[] = "[stranger]\nafter = CreateDtsInstance\nevery = 2\nmax = 2\n";

static void kills(struct work *w)
{
	static const char *const calls[] = {"write",
	                                    "fdatasync",
	                                    "fsync",
	                                    "rename",
	                                    "openat,open",
	                                    "sendto",
	                                    "recvfrom",
	                                    "connect",
	                                    "socket",
	                                    "poll,ppoll",
	                                    "ftruncate,fallocate",
	                                    "pwrite64,writev",
	                                    "fcntl",
	                                    "unlink",
	                                    "close"};
	size_t step = w->longer ? 1 : 13;

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		for (size_t k = 1; k < 2000; k += step) {
			char inject[128], what[160];
			struct run_spec s = {.inject = inject};
			int rc;

			snprintf(inject, sizeof inject, "inject=%s:signal=KILL:when=%zu", calls[i],
			         k);
			snprintf(what, sizeof what, "kill at %s #%zu", calls[i], k);
			if (!mine(w))
				continue;
			rc = trial(w, KILLS, k % 2 ? stranger : "", &s, k % 2, what);
			if (rc != 128 + SIGKILL)
				break; /* the run ended unharmed: there is no k-th call */
			w->sh->c[KILLS].injected++;
			w->sh->kills++;
		}
		w->serial = 0; /* workers leave the inner loop at different k */
	}
}

static const char *const actions[] = {
	"CreateDtsInstance", "ConfigureDtsJob", "ModifyDtsJobName",
	"ModifyDtsJob",      "ResetDtsJob",     "DeleteDtsJob*",
	"StartDtsJob*",      "DescribeDtsJobs", "DescribeDtsJobDetail"};
static const char *const replies[] = {"cut-before",
                                      "cut-after",
                                      "half",
                                      "garbage",
                                      "html",
                                      "status:502",
                                      "status:504",
                                      "code:ServiceUnavailable:503",
                                      "code:InternalError:500",
                                      "body-code:InternalError",
                                      "code:Throttling.User:400"};

static void one_reply(struct work *w, size_t a, size_t r, size_t nth, int kill_ms)
{
	enum class k = kill_ms ? REPLY_KILLS : REPLIES;
	struct run_spec s = {.kill_after_ms = kill_ms};
	bool with_stranger = (a + r + nth) % 2;
	char scenario[512], what[160];
	int rc;

	if (!mine(w))
		return;
	snprintf(scenario, sizeof scenario,
	         "[fault.x]\naction = %s\nnth = %zu\ncount = 1\ndo = %s\n%s", actions[a], nth,
	         replies[r], with_stranger ? (r % 2 ? stranger : bare_stranger) : "");
	snprintf(what, sizeof what, "%s #%zu %s%s", actions[a], nth, replies[r],
	         kill_ms ? " then kill" : "");
	rc = trial(w, k, scenario, &s, with_stranger, what);
	w->sh->c[k].injected++;
	w->sh->kills += kill_ms && rc == 128 + SIGKILL;
}

static void broken_replies(struct work *w, bool kill_too)
{
	size_t nths = w->longer ? 4 : 1;
	int times = !kill_too ? 1 : w->longer ? 12 : 2;

	for (size_t a = 0; a < sizeof actions / sizeof *actions; a++)
		for (size_t r = 0; r < sizeof replies / sizeof *replies; r++)
			for (size_t nth = 1; nth <= nths; nth++)
				for (int i = 0; i < times; i++)
					one_reply(w, a, r, nth,
					          kill_too ? 4 + i * (w->longer ? 24 : 60) : 0);
}

static void disk_errors(struct work *w)
{
	static const char *const calls[] = {"write",  "fdatasync", "fsync",    "rename",
	                                    "openat", "ftruncate", "fallocate"};
	static const char *const errors[] = {"ENOSPC", "EIO", "EDQUOT", "EROFS"};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		for (size_t e = 0; e < 4; e++)
			for (size_t k = 1; k <= (w->longer ? 12 : 2); k++)
				for (int for_ever = 0; for_ever < 2; for_ever++) {
					char inject[128], what[160];
					struct run_spec s = {.inject = inject};

					if (!mine(w))
						continue;
					/* only what touches our directory */
					s.trace_path = NULL;
					snprintf(inject, sizeof inject,
					         "inject=%s:error=%s:when=%zu%s", calls[i],
					         errors[e], k + (i == 4 ? 6 : 0),
					         for_ever ? "+" : "");
					snprintf(what, sizeof what, "%s #%zu%s %s", calls[i], k,
					         for_ever ? "+" : "", errors[e]);
					trial(w, DISK, "", &s, false, what);
					w->sh->c[DISK].injected++;
				}
}

static void allocations(struct work *w)
{
	size_t step = w->longer ? 1 : 31;

	for (size_t k = 1; w->fault_binary && k < 20000; k += step) {
		char fault[64], what[64];
		struct run_spec s = {.fault = fault, .binary = w->fault_binary};
		int rc;

		snprintf(fault, sizeof fault, "alloc:%zu:ENOSPC", k);
		snprintf(what, sizeof what, "allocation #%zu fails", k);
		if (!mine(w))
			continue;
		rc = trial(w, ALLOC, "", &s, false, what);
		if (rc == 0)
			break;
		w->sh->c[ALLOC].injected++;
	}
	w->serial = 0;
}

static void signals(struct work *w)
{
	static const int sigs[] = {SIGTERM, SIGINT, SIGHUP, SIGSTOP};

	for (size_t i = 0; i < 4; i++)
		for (int ms = 4; ms < (w->longer ? 1200 : 100); ms += w->longer ? 12 : 24) {
			struct run_spec s = {.signal = sigs[i],
			                     .signal_after_ms = ms,
			                     .kill_after_ms = sigs[i] == SIGSTOP ? ms + 200 : 0};
			char what[64];

			snprintf(what, sizeof what, "signal %d after %d ms", sigs[i], ms);
			if (!mine(w))
				continue;
			trial(w, SIGNALS, "", &s, false, what);
			w->sh->c[SIGNALS].injected++;
		}
}

/* Ten at once: one works, the others say who holds the lock (75). */
static void together(struct work *w)
{
	for (int n = 2; n <= 10; n += w->longer ? 1 : 8) {
		struct verdict_counts *c = &w->sh->c[TOGETHER];
		struct run_spec s = {.args = apply_args};
		char what[64];

		if (!mine(w))
			continue;
		begin(w, "");
		for (int i = 0; i < n; i++)
			if (fork() == 0)
				_exit(lab_run(&w->l, &s));
		for (int i = 0; i < n; i++) {
			int status;

			wait(&status);
			if (!WIFEXITED(status) ||
			    (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 75))
				c->stuck++;
		}
		snprintf(what, sizeof what, "%d runs together", n);
		c->trials++;
		c->injected += (size_t)n;
		lab_verify(&w->l, apply_args, &want, false, c, what);
		arena_reset(&w->l.a);
	}
}

static void prepare(struct work *w, const char *dir)
{
	char base[300];

	snprintf(base, sizeof base, "%s/base%d", dir, w->worker);
	lab_reset(&w->l);
	lab_write(&w->l, "m.ini", before);
	lab_start(&w->l, "");
	if (lab_cmd(&w->l, apply_args) != 0) {
		fprintf(stderr, "fault: the preparation failed, see %s/out\n", w->l.dir);
		exit(1);
	}
	lab_stop(&w->l);
	lab_write(&w->l, "m.ini", after);
	lab_keep_base(&w->l, base);
}

static void worker(struct work *w, const char *dir)
{
	char mine_dir[280];

	snprintf(mine_dir, sizeof mine_dir, "%s/w%d", dir, w->worker);
	lab_init(&w->l, w->l.binary, mine_dir);
	prepare(w, dir);
	broken_replies(w, false);
	broken_replies(w, true);
	disk_errors(w);
	signals(w);
	together(w);
	w->serial = 0;
	kills(w);
	allocations(w);
	lab_release(&w->l);
}

static void add(struct verdict_counts *to, const struct verdict_counts *from)
{
	size_t *t = (size_t *)to;
	const size_t *f = (const size_t *)from;

	for (size_t i = 0; i < sizeof *to / sizeof *t; i++)
		t[i] += f[i];
}

static int table(const struct shared *sh, int workers)
{
	struct verdict_counts sum = {0};
	size_t passed = 0, failed = 0, kills = 0, replies_broken = 0;

	for (int i = 0; i < workers; i++) {
		kills += sh[i].kills;
		replies_broken += sh[i].c[REPLIES].injected + sh[i].c[REPLY_KILLS].injected;
	}
	printf("%-26s %9s %9s %6s %7s %7s %5s %7s %5s %7s %9s\n", "fault class", "injected",
	       "duplic.", "orphan", "foreign", "lost", "plan", "invalid", "stuck", "secrets",
	       "decisions");
	for (int k = 0; k < CLASS__COUNT; k++) {
		struct verdict_counts c = {0};
		size_t bad;

		for (int i = 0; i < workers; i++)
			add(&c, &sh[i].c[k]);
		add(&sum, &c);
		bad = c.duplicates + c.orphans + c.foreign + c.lost + c.unclean + c.invalid +
		      c.stuck + c.secrets;
		printf("%-26s %9zu %9zu %6zu %7zu %7zu %5zu %7zu %5zu %7zu %9zu\n", class_names[k],
		       c.injected, c.duplicates, c.orphans, c.foreign, c.lost, c.unclean, c.invalid,
		       c.stuck, c.secrets, c.decisions);
		failed += bad > c.trials ? c.trials : bad;
		passed += c.trials - (bad > c.trials ? c.trials : bad);
	}
	printf("%-26s %9zu, of them %zu runs killed and %zu replies lost or broken\n", "all",
	       sum.injected, kills, replies_broken);
	printf("%zu passed, %zu failed\n", passed, failed);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	int workers = 2;
	bool longer = false;
	struct shared *sh;

	if (argc < 3)
		return 64;
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "--long"))
			longer = true;
		if (!strcmp(argv[i], "--jobs") && i + 1 < argc)
			workers = atoi(argv[++i]);
	}
	signal(SIGPIPE, SIG_IGN);
	sh = mmap(NULL, sizeof *sh * (size_t)workers, PROT_READ | PROT_WRITE,
	          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < workers; i++)
		if (fork() == 0) {
			struct work w = {.sh = &sh[i],
			                 .worker = i,
			                 .workers = workers,
			                 .longer = longer,
			                 .fault_binary = getenv("DTSBATCH_FAULT_BINARY")};

			w.l.binary = argv[1];
			worker(&w, argv[2]);
			_exit(0);
		}
	for (int i = 0; i < workers; i++) {
		int status;

		wait(&status);
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			printf("a worker failed\n0 passed, 1 failed\n");
			return 1;
		}
	}
	return table(sh, workers);
}
