/*
 * Breaks dtsbatch in every way the operator's manual promises to survive and
 * counts what is wrong afterwards. The table at the end is the proof: only
 * faults that struck are counted in it.
 *
 *   fault BINARY DIR [--long] [--jobs N]
 *
 * LAB_ONLY=TEXT takes only trials whose name holds TEXT, LAB_ONLY==NAME the one of that name, LAB_TALK=1 names each,
 * LAB_STOP=1 stops at the first bad one and leaves its files.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/text.h"
#include "batch.h"
#include "lab.h"

enum class {
	KILLS,
	REPLIES,
	REPLY_KILLS,
	LATE,
	READS,
	SECONDS,
	DESTROYED,
	DISK,
	ALLOC,
	SIGNALS,
	STOPPED,
	TOGETHER,
	CLASS__COUNT
};
static const char *const class_names[CLASS__COUNT] = {
	"kill at a system call",   "lost or broken reply",
	"broken reply, then kill", "reply after the time-out",
	"broken reply of a read",  "second state beside, broken",
	"lost, killed, destroyed", "disk error, short write",
	"allocation failure",      "signal",
	"stopped beyond patience", "runs started together"};

/* ---- what the batch does, found by running it unharmed --------------------------- */

enum { ACTIONS_MAX = 40, NTH_MAX = 12, SYSCALLS_MAX = 24 };

struct tally {
	char name[48];
	size_t n; /* calls that every unharmed run makes */
};

struct survey {
	struct tally action[ACTIONS_MAX];
	size_t nactions;
	struct tally syscall[SYSCALLS_MAX];
	size_t nsyscalls;
};

/* What must be in it, and how often at least: else the proof has a hole. */
static const struct {
	const char *action;
	size_t n;
} required[] = {{"CreateDtsInstance", 4},
                {"ConfigureDtsJob", 7},
                {"StartDtsJob*", 1},
                {"SuspendDtsJob*", 1},
                {"ModifyDtsJobName", 1},
                {"ModifyDtsJob", 2},
                {"ModifyDtsJobEndpoint", 1},
                {"ModifyDtsJobPassword", 1},
                {"ModifyDtsJobConfig", 1},
                {"TransferInstanceClass", 2},
                {"TransferPayType", 1},
                {"UpgradeTwoWay", 1},
                {"ConvertInstanceResourceGroup", 1},
                {"CreateJobMonitorRule", 1},
                {"ResetDtsJob", 2},
                {"TagResources", 1},
                {"UntagResources", 1},
                {"DeleteDtsJob*", 1}};

/* ---- trials ------------------------------------------------------------------------ */

struct trial {
	enum class k;
	char what[112], scenario[400], inject[80], fault[40];
	struct run_spec run;
	int pair; /* the call whose reply is broken: action * NTH_MAX + nth - 1; -1: none */
	enum strange strange_before; /* buys before the first call */
	bool lags, second, others, destroy, fault_build;
	bool asks; /* `adopt = ask`: as where others leave bare instances about */
	int runs;  /* TOGETHER: so many; STOPPED: a second one while the first is stopped */
};

struct shared {
	struct verdict_counts c[CLASS__COUNT];
	size_t kills;   /* runs that really died of SIGKILL */
	size_t replies; /* replies of mutating calls that were really lost, broken or late */
	size_t struck[ACTIONS_MAX * NTH_MAX], struck_killed[ACTIONS_MAX];
};

struct plan {
	struct trial *v;
	size_t n, cap;
	bool longer;
	const char *only; /* LAB_ONLY */
	struct survey survey;
};

struct work {
	struct lab l;
	struct shared *sh; /* this worker's own */
	const struct plan *p;
	atomic_size_t *next; /* index of the next trial, of all workers */
	const char *fault_binary;
};

/* Of its name alone, so that a trial taken alone (LAB_ONLY) is the same trial. */
static unsigned name_hash(const char *s)
{
	unsigned h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h >> 8;
}

static struct trial *trial_new(struct plan *p, enum class k, const char *what)
{
	struct trial *t;

	if (p->only && (*p->only == '=' ? strcmp(what, p->only + 1) : !strstr(what, p->only)))
		return NULL;
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 256;
		p->v = sys_realloc(p->v, p->cap * sizeof *p->v);
	}
	t = &p->v[p->n];
	*t = (struct trial){.k = k, .pair = -1, .lags = name_hash(what) % 4 != 3};
	p->n++;
	snprintf(t->what, sizeof t->what, "%s", what);
	/* Throttling now and then, not always. */
	snprintf(t->scenario, sizeof t->scenario, "%s",
	         name_hash(what) / 4 % 8 ? "[limits]\noff = true\n" : "");
	return t;
}

static void more_scenario(struct trial *t, const char *text)
{
	size_t n = strlen(t->scenario);

	snprintf(t->scenario + n, sizeof t->scenario - n, "%s", text);
}

/* Spread evenly and repeatably: what varies from trial to trial. */
static unsigned dice(size_t a, size_t b, size_t c)
{
	uint64_t x = (a * 1000003u + b) * 998244353u + c * 7919u + 12345u;

	x ^= x >> 31;
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(x >> 33);
}

/*
 * A purchase that was answered by an error, and a run that did not live to write that down: with a bare equal instance of
 * somebody else's beside it, nothing tells this from a purchase that went well. That is what `adopt = ask` is for.
 */
static bool undecidable(const struct trial *t)
{
	return t->run.kill_struck && strstr(t->scenario, "action = CreateDtsInstance") &&
	       (strstr(t->scenario, "do = status:") || strstr(t->scenario, "do = code:") ||
	        strstr(t->scenario, "do = body-code:")) &&
	       !strstr(t->scenario, "effect");
}

/* Somebody else buys equal instances: before the first call, after one of ours, or at any moment; some configure at once. */
static void strangers(struct trial *t, unsigned roll)
{
	bool bare = roll % 6 >= 2 && roll % 6 <= 4;
	int moment = (int)(roll / 6 % 300);

	t->asks = bare && undecidable(t);
	t->others = t->others || roll % 6 != 0;
	switch (roll % 6) {
	case 1:
		more_scenario(
			t,
			"[stranger]\nafter = CreateDtsInstance\nevery = 2\nmax = 3\nconfigure = true\n");
		break;
	case 2:
		more_scenario(t, "[stranger]\nafter = CreateDtsInstance\nevery = 2\nmax = 2\n");
		break;
	case 3:
		t->strange_before = STRANGE_BARE;
		t->run.strange = STRANGE_OWNER;
		break;
	case 4:
		t->run.strange = STRANGE_BARE;
		break;
	case 5:
		t->strange_before = STRANGE_OWNER;
		t->run.strange = STRANGE_OWNER;
		break;
	default:
		break;
	}
	t->run.strange_after_ms = moment;
}

/* ---- kills at system calls ----------------------------------------------------------- */

#define DISK_CALLS                                                                                 \
	"write,writev,pwrite64,fdatasync,fsync,rename,open,openat,ftruncate,fallocate,unlink,close"
#define TRACED DISK_CALLS ",sendto,recvfrom,connect,socket,poll,ppoll,fcntl"

static void plan_kills(struct plan *p)
{
	size_t most = p->longer ? 75 : 4;

	for (size_t i = 0; i < p->survey.nsyscalls; i++) {
		const struct tally *s = &p->survey.syscall[i];
		size_t n = s->n < most ? s->n : most;

		for (size_t j = 0; j < n; j++) {
			size_t k = n < s->n ? 1 + j * s->n / n + dice(i, j, 1) % (s->n / n) : 1 + j;
			struct trial *t;
			char what[112];

			snprintf(what, sizeof what, "kill at %s #%zu", s->name, k);
			t = trial_new(p, KILLS, what);
			if (!t)
				continue;
			snprintf(t->inject, sizeof t->inject, "inject=%s:signal=KILL:when=%zu",
			         s->name, k);
			t->run.trace = s->name;
			strangers(t, dice(i, j, 2));
		}
	}
}

/* ---- replies --------------------------------------------------------------------------- */

/* Before the effect and after it: a gateway may give up on a call that goes on behind it. */
static const char *const replies[] = {"cut-before",
                                      "cut-after",
                                      "half",
                                      "garbage",
                                      "html",
                                      "status:502",
                                      "status:502\neffect = yes",
                                      "status:504\neffect = yes",
                                      "code:ServiceUnavailable:503",
                                      "code:ServiceUnavailable:503\neffect = yes",
                                      "code:InternalError:500",
                                      "code:InternalError:500\neffect = yes",
                                      "body-code:InternalError",
                                      "body-code:InternalError\neffect = yes",
                                      "code:Throttling.User:400"};
enum { REPLY_KINDS = sizeof replies / sizeof *replies };
/* With TIMEOUT_SCALE time-outs are 0.3 and 1.2 s. */
#define TIMEOUT_SCALE "0.02"
static const char *const late[] = {"hang", "hang\neffect = no", "delay:1500ms"};

/* "code:X\neffect = yes" as one word. */
static void reply_name(char *out, size_t n, const char *reply)
{
	const char *nl = strchr(reply, '\n');

	snprintf(out, n, "%.*s%s", nl ? (int)(nl - reply) : (int)strlen(reply), reply,
	         !nl                 ? ""
	         : strstr(nl, "yes") ? " after the effect"
	                             : " before the effect");
}

/* Bought, and answered by an error of the service: to the program this looks as if somebody else had bought, so it asks (README.md). */
static bool denies_purchase(const char *action, const char *reply)
{
	bool error = strstr(reply, "code:") || text_starts(reply, "status:502");

	return text_eq(action, "CreateDtsInstance") && error && strstr(reply, "effect");
}

static struct trial *reply_trial(struct plan *p, enum class k, size_t action, size_t nth,
                                 const char *reply, const char *more)
{
	char what[112], name[64], fault[256];
	struct trial *t;

	reply_name(name, sizeof name, reply);
	snprintf(what, sizeof what, "%s #%zu %s%s", p->survey.action[action].name, nth, name, more);
	t = trial_new(p, k, what);
	if (!t)
		return NULL;
	snprintf(fault, sizeof fault, "[fault.x]\naction = %s\nnth = %zu\ncount = 1\ndo = %s\n",
	         p->survey.action[action].name, nth, reply);
	more_scenario(t, fault);
	t->pair = (int)(action * NTH_MAX + nth - 1);
	t->others = denies_purchase(p->survey.action[action].name, reply);
	return t;
}

static void then_kill(struct trial *t, int ms)
{
	t->run.kill_struck = true;
	t->run.kill_after_strike_ms = ms;
}

static bool reads(const char *action)
{
	return text_starts(action, "Describe") || text_starts(action, "List");
}

static void replies_of(struct plan *p, size_t a, size_t nth)
{
	static const int kill_ms[] = {0, 4, 20, 75};
	size_t times = p->longer ? 2 : 1, kills = p->longer ? 4 : 1;
	char more[40];

	for (size_t r = 0; r < REPLY_KINDS; r++) {
		for (size_t i = 0; i < times && (p->longer || (r + a + nth) % 7 == 0); i++) {
			struct trial *t =
				reply_trial(p, REPLIES, a, nth, replies[r], i ? " again" : "");

			if (t)
				strangers(t, dice(a * NTH_MAX + nth, r, 3 + i));
		}
		for (size_t i = 0; i < kills && (p->longer || (r + a + nth) % 7 == 3); i++) {
			int ms = kill_ms[p->longer ? i : (a + nth) % 4];
			struct trial *t;

			snprintf(more, sizeof more, ", %d ms later a kill", ms);
			t = reply_trial(p, REPLY_KILLS, a, nth, replies[r], more);
			if (!t)
				continue;
			then_kill(t, ms);
			strangers(t, dice(a * NTH_MAX + nth, r, 7 + i));
		}
	}
}

static void late_of(struct plan *p, size_t a, size_t nth)
{
	for (size_t r = 0; r < 3; r++)
		for (int killed = 0; killed < 2; killed++) {
			struct trial *t;

			if (!p->longer && (r + a + nth) % 6 != (killed ? 5 : 0))
				continue;
			/* killed while it waits for the answer */
			t = reply_trial(p, LATE, a, nth, late[r],
			                killed ? ", 150 ms later a kill" : "");
			if (!t)
				continue;
			t->run.timeout_scale = TIMEOUT_SCALE;
			if (killed)
				then_kill(t, 150);
			strangers(t, dice(a * NTH_MAX + nth, r, 11 + (size_t)killed));
		}
}

static void plan_replies(struct plan *p)
{
	for (size_t a = 0; a < p->survey.nactions; a++)
		for (size_t nth = 1; nth <= p->survey.action[a].n && nth <= NTH_MAX; nth++) {
			if (!reads(p->survey.action[a].name)) {
				replies_of(p, a, nth);
				late_of(p, a, nth);
				continue;
			}
			for (size_t r = 0; r < REPLY_KINDS; r++) {
				struct trial *t;

				if (strstr(replies[r], "effect") || (!p->longer && (r + nth) % 12))
					continue;
				t = reply_trial(p, READS, a, nth, replies[r], "");
				if (t)
					strangers(t, dice(a * NTH_MAX + nth, r, 13));
			}
		}
}

/* Both parties buy at once; one of them, whichever comes, loses an answer. */
static void plan_seconds(struct plan *p)
{
	static const char *const acts[] = {"CreateDtsInstance", "ConfigureDtsJob", "TagResources"};

	for (size_t i = 0; i < 3; i++)
		for (size_t a = 0; a < p->survey.nactions; a++) {
			if (!text_eq(p->survey.action[a].name, acts[i]))
				continue;
			for (size_t nth = 1; nth <= 6; nth++)
				for (size_t r = 0; r < REPLY_KINDS; r++)
					for (int killed = 0; killed < 2; killed++) {
						struct trial *t;

						if (!p->longer && (r + nth + i) % 15 != 0)
							continue;
						t = reply_trial(p, SECONDS, a, nth, replies[r],
						                killed ? " beside, then a kill"
						                       : " beside");
						if (!t)
							continue;
						t->second = t->others = true;
						if (killed)
							then_kill(t, (int)(dice(nth, r, 17) % 40));
					}
		}
}

/* What is bought and not recorded must be destroyed with the rest. */
static void plan_destroyed(struct plan *p)
{
	for (size_t a = 0; a < p->survey.nactions; a++)
		for (size_t nth = 1; nth <= 4; nth++)
			for (size_t r = 0; r < REPLY_KINDS; r++) {
				struct trial *t;

				if ((!text_eq(p->survey.action[a].name, "CreateDtsInstance") &&
				     !text_eq(p->survey.action[a].name, "ConfigureDtsJob")) ||
				    (!p->longer && (r + nth * 3) % 15 != 0))
					continue;
				t = reply_trial(p, DESTROYED, a, nth, replies[r],
				                ", killed, destroyed");
				if (!t)
					continue;
				t->destroy = true;
				then_kill(t, (int)(dice(nth, r, 19) % 12));
				strangers(t, dice(nth, r, 23));
			}
}

/* ---- disk, memory, signals -------------------------------------------------------------- */

static void disk_trial(struct plan *p, const char *call, const char *error, size_t k, bool for_ever)
{
	char what[112];
	struct trial *t;

	snprintf(what, sizeof what, "%s #%zu%s %s", call, k, for_ever ? " and all later" : "",
	         error);
	t = trial_new(p, DISK, what);
	if (!t)
		return;
	if (text_eq(error, "short")) { /* only our own wrapper can shorten a write */
		t->fault_build = true;
		snprintf(t->fault, sizeof t->fault, "%s:%zu:short%s", call, k,
		         for_ever ? ":forever" : "");
	} else {
		t->run.trace = call;
		snprintf(t->inject, sizeof t->inject, "inject=%s:error=%s:when=%zu%s", call, error,
		         k, for_ever ? "+" : "");
	}
	strangers(t, dice(k, name_hash(what), 29));
}

static void plan_disk(struct plan *p)
{
	static const char *const calls[] = {"write",  "fdatasync", "fsync",    "rename",
	                                    "openat", "ftruncate", "fallocate"};
	static const char *const errors[] = {"ENOSPC", "EIO", "EDQUOT", "EROFS", "short"};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		for (size_t e = 0; e < 5; e++)
			for (size_t k = 1; k <= 12; k++)
				for (int for_ever = 0; for_ever < 2; for_ever++) {
					if (e == 4 && i != 0)
						continue;
					if (!p->longer && dice(i * 5 + e, k, (size_t)for_ever) % 24)
						continue;
					disk_trial(p, calls[i], errors[e], k, for_ever);
				}
}

/* Dense at first, then ever wider: a run makes some thousands of them. */
static void plan_allocations(struct plan *p)
{
	for (size_t k = 1; k < 20000; k += 1 + k / (p->longer ? 40 : 3)) {
		char what[112];
		struct trial *t;

		snprintf(what, sizeof what, "allocation #%zu fails", k);
		t = trial_new(p, ALLOC, what);
		if (!t)
			continue;
		t->fault_build = true;
		snprintf(t->fault, sizeof t->fault, "alloc:%zu:ENOSPC", k);
		strangers(t, dice(k, 0, 31));
	}
}

static void plan_signals(struct plan *p)
{
	static const int sigs[][2] = {{SIGTERM, 0}, {SIGINT, 0}, {SIGHUP, 0}, {SIGTERM, SIGINT}};

	for (size_t i = 0; i < 4; i++)
		for (int ms = 4; ms < 300; ms += p->longer ? 6 : 60) {
			char what[112];
			struct trial *t;

			snprintf(what, sizeof what, "signal %d%s after %d ms", sigs[i][0],
			         sigs[i][1] ? " and another" : "", ms);
			t = trial_new(p, SIGNALS, what);
			if (!t)
				continue;
			t->run.signal = sigs[i][0];
			t->run.signal2 = sigs[i][1];
			t->run.signal_after_ms = ms;
			strangers(t, dice(i, (size_t)ms, 37));
		}
}

static void plan_stopped(struct plan *p)
{
	for (int ms = 10; ms < 300; ms += p->longer ? 10 : 90)
		for (int killed = 0; killed < 2; killed++) {
			char what[112];
			struct trial *t;

			snprintf(what, sizeof what, "stopped after %d ms, %s", ms,
			         killed ? "killed" : "continued");
			t = trial_new(p, STOPPED, what);
			if (!t)
				continue;
			t->run.signal_after_ms = ms;
			t->runs = killed;
			strangers(t, dice((size_t)ms, (size_t)killed, 41));
		}
}

static void plan_together(struct plan *p)
{
	for (int n = 2; n <= 10; n += p->longer ? 1 : 8)
		for (int i = 0; i < (p->longer ? 4 : 1); i++) {
			char what[112];
			struct trial *t;

			snprintf(what, sizeof what, "%d runs together (%d)", n, i);
			t = trial_new(p, TOGETHER, what);
			if (!t)
				continue;
			t->runs = n;
			strangers(t, dice((size_t)n, (size_t)i, 43));
		}
}

/* ---- one trial ---------------------------------------------------------------------------- */

static const char *const patience_args[] = {
	"apply", "--yes",   "--prune",      "--max-deletes", "9", "--lock-timeout",
	"300ms", "--state", "s.state.json", "m.ini",         NULL};

/* The first is stopped with the lock; a second one waits, and gives up with 75. Then it goes on, or dies. */
static size_t stop_and_go(struct work *w, const struct trial *t, struct verdict_counts *c)
{
	struct run_spec first = t->run, second = {.args = patience_args, .out = "second"};
	struct run_end end;
	pid_t pid = lab_spawn(&w->l, &first);
	int said;

	lab_nap(t->run.signal_after_ms);
	kill(pid, SIGSTOP);
	said = lab_run(&w->l, &second).status;
	kill(pid, t->runs ? SIGKILL : SIGCONT);
	end = lab_wait(&w->l, &first, pid);
	w->sh->kills += end.killed;
	/* No answer was lost and nobody died: it must end well. */
	if (!t->runs && end.status != 0 && end.status != 75)
		c->stuck++;
	if (said != 0 && said != 75)
		c->stuck++;
	return said == 75;
}

/* One works, the others say who holds the lock (75). Those are the contended ones. */
static size_t all_at_once(struct work *w, const struct trial *t, struct verdict_counts *c)
{
	pid_t pid[16];
	size_t contended = 0;

	for (int i = 0; i < t->runs; i++)
		pid[i] = lab_spawn(&w->l, &t->run);
	for (int i = 0; i < t->runs; i++) {
		int rc = lab_wait(&w->l, &t->run, pid[i]).status;

		if (rc != 0 && rc != 75)
			c->stuck++;
		contended += rc == 75;
	}
	return contended;
}

/* Did the fault strike? The tracer, the fault log, the request log or the death of the process says so. */
static bool struck(struct work *w, const struct trial *t, const struct run_end *end)
{
	switch (t->k) {
	case KILLS:
		return end->killed;
	case REPLIES:
	case LATE:
	case READS:
	case SECONDS:
	case REPLY_KILLS:
	case DESTROYED:
		return lab_struck(&w->l) && (!t->run.kill_struck || end->killed);
	case DISK:
		return t->fault[0] ? lab_file_has(&w->l, "fault.log", "\n")
		                   : lab_file_has(&w->l, "strace.log", "(INJECTED)");
	case ALLOC:
		return lab_file_has(&w->l, "fault.log", "\n");
	case SIGNALS:
		return end->status == 128 + t->run.signal ||
		       (t->run.signal2 && end->status == 128 + t->run.signal2);
	default:
		return false;
	}
}

static void count_reply(struct work *w, const struct trial *t, const struct run_end *end)
{
	if (t->pair < 0 || !lab_struck(&w->l))
		return;
	w->sh->struck[t->pair]++;
	if (reads(w->p->survey.action[t->pair / NTH_MAX].name))
		return;
	w->sh->replies++;
	w->sh->struck_killed[t->pair / NTH_MAX] += t->run.kill_struck && end->killed;
}

static size_t broken_run(struct work *w, const struct trial *t, struct verdict_counts *c)
{
	struct run_spec second = {.args = apply_args[SECOND], .party = SECOND, .out = "beside"};
	struct run_end end;
	pid_t pid = 0;
	size_t n;

	if (t->second)
		pid = lab_spawn(&w->l, &second);
	end = lab_run(&w->l, &t->run);
	if (pid)
		lab_wait(&w->l, &second, pid);
	if (end.hung || end.status == 128 + SIGSEGV || end.status == 128 + SIGABRT ||
	    end.status == 128 + SIGBUS)
		c->stuck++;
	n = struck(w, t, &end);
	w->sh->kills += end.killed;
	count_reply(w, t, &end);
	if (getenv("LAB_TALK"))
		fprintf(stderr, "%s: exit %d%s\n", t->what, end.status, n ? "" : ", not struck");
	return n;
}

/* Where it is not the one that all trials begin with. */
static void write_batch(struct work *w, const struct trial *t)
{
	static const char head[] = "[dtsbatch]\n";
	const char *batch = t->destroy ? batch_destroyable : batch_after;

	if (t->asks)
		batch = arena_printf(&w->l.a, "%sadopt = ask\n%s", head, batch + sizeof head - 1);
	if (t->asks || t->destroy)
		lab_write(&w->l, "m.ini", batch);
}

static void run_trial(struct work *w, struct trial t)
{
	struct verdict_counts *c = &w->sh->c[t.k], was;
	struct expectation x = {
		.what = t.what, .second = t.second, .others = t.others, .destroy = t.destroy};
	size_t n;

	t.run.args = apply_args[FIRST];
	t.run.inject = t.inject[0] ? t.inject : NULL;
	t.run.fault = t.fault[0] ? t.fault : NULL;
	if (t.fault_build && !(t.run.binary = w->fault_binary))
		return;
	lab_reset(&w->l);
	write_batch(w, &t);
	lab_start(&w->l, t.scenario, t.lags);
	lab_stranger(&w->l, t.strange_before);
	was = *c;
	n = t.k == STOPPED    ? stop_and_go(w, &t, c)
	    : t.k == TOGETHER ? all_at_once(w, &t, c)
	                      : broken_run(w, &t, c);
	c->trials++;
	c->injected += n;
	c->missed += n == 0;
	lab_calm(&w->l);
	if (lab_verify(&w->l, &x, c) && c->stuck != was.stuck) { /* the broken run itself was bad */
		c->failed++;
		fprintf(stderr, "lab: %s: the broken run ended wrongly (files in %s)\n", t.what,
		        w->l.dir);
	}
	if (c->failed != was.failed && getenv("LAB_STOP"))
		exit(1);
	arena_reset(&w->l.a);
}

/* ---- the survey ------------------------------------------------------------------------------ */

static void prepare(struct lab *l, const char *base)
{
	lab_reset(l);
	lab_write(l, "m.ini", batch_before);
	lab_write(l, "m2.ini", second_before);
	lab_start(l, "[limits]\noff = true\n", true);
	if (lab_cmd(l, FIRST, apply_args[FIRST]) || lab_cmd(l, SECOND, apply_args[SECOND])) {
		fprintf(stderr, "fault: the preparation failed, see %s/out\n", l->dir);
		exit(1);
	}
	lab_stop(l);
	lab_write(l, "m.ini", batch_after);
	lab_write(l, "m2.ini", second_after);
	lab_keep_base(l, base);
}

static struct tally *tally_of(struct tally *v, size_t *n, size_t max, const char *name, size_t len)
{
	for (size_t i = 0; i < *n; i++)
		if (strlen(v[i].name) == len && !memcmp(v[i].name, name, len))
			return &v[i];
	if (*n == max || len >= sizeof v->name)
		return NULL;
	snprintf(v[*n].name, sizeof v->name, "%.*s", (int)len, name);
	return &v[(*n)++];
}

/* Counts the words between `from` and `to` that begin a line's first `from`. */
static void count_words(struct lab *l, const char *file, const char *from, const char *to,
                        struct tally *v, size_t *n, size_t max)
{
	struct buf b;
	const char *line;

	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(lab_path(l, file), &b))
		buf_reset(&b);
	for (line = buf_str(&b); line && *line; line = strchr(line, '\n'), line += line != NULL) {
		const char *eol = line + strcspn(line, "\n"), *at = line, *end;
		struct tally *t;

		if (*from && !(at = memmem(line, (size_t)(eol - line), from, strlen(from))))
			continue;
		at += strlen(from);
		at += strspn(at, "0123456789 "); /* strace: the process */
		end = at + strcspn(at, to);
		if (end >= eol || end == at || !(*at >= 'A' && *at <= 'z'))
			continue;
		t = tally_of(v, n, max, at, (size_t)(end - at));
		if (t)
			t->n++;
	}
	buf_release(&b);
}

/* One unharmed run; keep: the counts are the least of all runs. */
static void survey_run(struct lab *l, struct survey *s, bool keep)
{
	struct run_spec r = {.args = apply_args[FIRST], .trace = keep ? NULL : TRACED};
	struct survey now = {0};
	int rc;

	lab_reset(l);
	lab_start(l, "[limits]\noff = true\n", true);
	rc = lab_run(l, &r).status;
	lab_stop(l);
	if (rc) {
		fprintf(stderr, "fault: the unharmed run ended with %d, see %s/out\n", rc, l->dir);
		exit(1);
	}
	count_words(l, "requests.jsonl", "\"action\":\"", "\"", now.action, &now.nactions,
	            ACTIONS_MAX);
	if (!keep) {
		count_words(l, "strace.log", "", "(", now.syscall, &now.nsyscalls, SYSCALLS_MAX);
		*s = now;
		return;
	}
	for (size_t i = 0; i < s->nactions; i++) {
		size_t n = 0;

		for (size_t k = 0; k < now.nactions; k++)
			if (text_eq(now.action[k].name, s->action[i].name))
				n = now.action[k].n;
		if (n < s->action[i].n)
			s->action[i].n = n;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->name, ((const struct tally *)b)->name);
}

/* Returns the number of holes. */
static size_t survey(struct lab *l, struct survey *s)
{
	size_t holes = 0, calls = 0;

	for (int i = 0; i < 4; i++)
		survey_run(l, s, i > 0);
	/* Their order in time varies; the trials of a short run must not. */
	qsort(s->action, s->nactions, sizeof s->action[0], by_name);
	qsort(s->syscall, s->nsyscalls, sizeof s->syscall[0], by_name);
	for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
		size_t n = 0;

		for (size_t k = 0; k < s->nactions; k++)
			if (text_glob(required[i].action, s->action[k].name))
				n += s->action[k].n;
		if (n < required[i].n) {
			printf("FAIL  the batch makes %zu calls of %s, not %zu\n", n,
			       required[i].action, required[i].n);
			holes++;
		}
	}
	for (size_t k = 0; k < s->nactions; k++)
		calls += reads(s->action[k].name) ? 0 : s->action[k].n;
	printf("an unharmed run makes %zu changing calls:", calls);
	for (size_t k = 0; k < s->nactions; k++)
		if (s->action[k].n && !reads(s->action[k].name))
			printf(" %s %zu", s->action[k].name, s->action[k].n);
	printf("\n");
	fflush(stdout);
	return holes;
}

static void worker(struct work *w, const char *dir, int i)
{
	char mine[280];
	size_t k;

	snprintf(mine, sizeof mine, "%s/w%d", dir, i);
	lab_init(&w->l, w->l.binary, mine);
	snprintf(w->l.base, sizeof w->l.base, "%s/base", dir);
	while ((k = atomic_fetch_add(w->next, 1)) < w->p->n)
		run_trial(w, w->p->v[k]);
	lab_release(&w->l);
}

/* ---- the table ----------------------------------------------------------------------------------- */

static void add(void *to, const void *from, size_t bytes)
{
	size_t *t = to;
	const size_t *f = from;

	for (size_t i = 0; i < bytes / sizeof *t; i++)
		t[i] += f[i];
}

static const char explanation[] =
	"injected: faults that struck. A reply counts when the simulator's request log says that the fault made itself felt,\n"
	"a kill or a signal when the program died of it, an error when the tracer or the fault log says that it was returned,\n"
	"a lock when another run was turned away; `missed` are trials whose fault found nothing to strike. After each trial one\n"
	"clean rerun must finish the work, or ask (exit 4) where somebody else bought; `decisions` were answered as by an operator\n"
	"with the console, and the rerun after that must finish. All other columns are what was wrong then and must be 0: bought or\n"
	"ordered twice, bought and not recorded, touched though another's (strangers and a second state file work in the account),\n"
	"recorded and gone, a further plan not empty, a state file not valid at some instant, a run or rerun that ended otherwise.\n";

static void table_row(const char *name, const struct verdict_counts *c)
{
	printf("%-28s %8zu %7zu %8zu %7zu %8zu %5zu %5zu %8zu %6zu %8zu %10zu\n", name, c->injected,
	       c->missed, c->duplicates, c->orphans, c->foreign, c->lost, c->unclean, c->invalid,
	       c->stuck, c->secrets, c->decisions);
}

/* Which call was broken how often; returns how many never were. */
static size_t calls_table(const struct plan *p, const struct shared *all)
{
	size_t never = 0;

	printf("replies lost, broken or late (and killed after it), by call:\n");
	for (size_t a = 0; a < p->survey.nactions; a++) {
		const struct tally *t = &p->survey.action[a];

		if (!t->n || reads(t->name))
			continue;
		printf("  %-30s", t->name);
		for (size_t nth = 0; nth < t->n && nth < NTH_MAX; nth++) {
			size_t n = all->struck[a * NTH_MAX + nth];

			printf(" #%zu %zu", nth + 1, n);
			never += !n;
		}
		printf(" (killed %zu)\n", all->struck_killed[a]);
	}
	return never;
}

static int table(const struct plan *p, const struct shared *sh, int workers, size_t failed)
{
	struct shared all = {0};
	struct verdict_counts sum = {0};
	size_t never, passed;

	for (int i = 0; i < workers; i++)
		add(&all, &sh[i], sizeof all);
	for (int k = 0; k < CLASS__COUNT; k++)
		add(&sum, &all.c[k], sizeof sum);
	never = calls_table(p, &all);
	printf("\n%-28s %8s %7s %8s %7s %8s %5s %5s %8s %6s %8s %10s\n",
	       "fault class (that struck)", "injected", "missed", "duplic.", "orphans", "foreign",
	       "lost", "plan", "invalid", "stuck", "secrets", "decisions");
	for (int k = 0; k < CLASS__COUNT; k++)
		table_row(class_names[k], &all.c[k]);
	table_row("all", &sum);
	printf("%s", explanation);
	printf("%zu trials, %zu runs killed, %zu replies of changing calls lost, broken or late\n",
	       sum.trials, all.kills, all.replies);
	failed += sum.failed;
	passed = sum.trials - sum.failed;
	if (!p->only && never) {
		printf("FAIL  %zu calls were never struck\n", never);
		failed++;
	}
	if (!p->only && p->longer && (all.kills < 2000 || all.replies < 2000)) {
		printf("FAIL  at least 2000 kills and 2000 broken replies are promised\n");
		failed++;
	}
	printf("%zu passed, %zu failed\n", passed, failed);
	return failed ? 1 : 0;
}

static void plan_all(struct plan *p)
{
	plan_kills(p);
	plan_replies(p);
	plan_seconds(p);
	plan_destroyed(p);
	plan_disk(p);
	plan_allocations(p);
	plan_signals(p);
	plan_stopped(p);
	plan_together(p);
}

static void *shared_memory(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

static int wait_all(int workers)
{
	int bad = 0;

	for (int i = 0; i < workers; i++) {
		int status;

		wait(&status);
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "fault: a worker ended with status %#x\n",
			        (unsigned)status);
			bad++;
		}
	}
	return bad;
}

int main(int argc, char **argv)
{
	struct plan p = {.only = getenv("LAB_ONLY")};
	char dry[280], base[280];
	int workers = 2;
	struct shared *sh;
	atomic_size_t *next;
	struct lab l;
	size_t holes;

	if (argc < 3)
		return 64;
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "--long"))
			p.longer = true;
		if (!strcmp(argv[i], "--jobs") && i + 1 < argc)
			workers = atoi(argv[++i]);
	}
	signal(SIGPIPE, SIG_IGN);
	sh = shared_memory(sizeof *sh * (size_t)workers);
	next = shared_memory(sizeof *next);
	snprintf(dry, sizeof dry, "%s/dry", argv[2]);
	snprintf(base, sizeof base, "%s/base", argv[2]);
	lab_init(&l, argv[1], dry);
	prepare(&l, base);
	holes = survey(&l, &p.survey);
	lab_release(&l);
	plan_all(&p);
	for (int i = 0; i < workers; i++)
		if (fork() == 0) {
			struct work w = {.sh = &sh[i],
			                 .p = &p,
			                 .next = next,
			                 .fault_binary = getenv("DTSBATCH_FAULT_BINARY")};

			w.l.binary = argv[1];
			worker(&w, argv[2], i);
			_exit(0);
		}
	if (wait_all(workers)) {
		printf("a worker failed\n0 passed, 1 failed\n");
		return 1;
	}
	return table(&p, sh, workers, holes);
}
