/*
 * Power loss and failing calls, at every call. The file calls of the state are caught here
 * (this program defines them itself) and written down. From each point of that log directories
 * are made as a power cut could have left them: what was synced is there; of the rest any
 * sectors, any sizes, any of the renames. Each must open, hold all that was reported as
 * flushed, and go on.
 */
#include "state_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define VARIANTS 6 /* directories per point of the log */
#define SECTOR 512
#define MAX_FILES 256
#define MAX_FDS 1024

enum ev { EV_LINK, EV_RENAME, EV_UNLINK, EV_WRITE, EV_SIZE, EV_SYNC, EV_SYNC_DIR, EV_ACK };

struct event {
	enum ev kind;
	int file; /* EV_LINK, EV_WRITE, EV_SIZE, EV_SYNC */
	size_t off, n;
	char *data;
	char from[64], to[64];
	unsigned ack; /* steps done so far */
};

static struct event *events;
static size_t nevents, cap_events;
static bool recording;
static int file_of_fd[MAX_FDS];
static int nfiles;
static size_t pos_of_fd[MAX_FDS];
static struct {
	char name[64];
	int file;
} names[MAX_FILES];
static size_t nnames;

static struct event *event(enum ev kind)
{
	if (nevents == cap_events) {
		cap_events = cap_events ? 2 * cap_events : 256;
		events = realloc(events, cap_events * sizeof(*events));
	}
	memset(&events[nevents], 0, sizeof(*events));
	events[nevents].kind = kind;
	return &events[nevents++];
}

static const char *ours(const char *path)
{
	size_t n = strlen(fx_dir);

	return recording && strncmp(path, fx_dir, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

static int *name_slot(const char *name)
{
	for (size_t i = 0; i < nnames; i++) {
		if (strcmp(names[i].name, name) == 0)
			return &names[i].file;
	}
	assert_true(nnames < MAX_FILES);
	snprintf(names[nnames].name, sizeof(names[0].name), "%s", name);
	names[nnames].file = -1;
	return &names[nnames++].file;
}

/* ---- the calls ---- */

int open(const char *path, int flags, ...)
{
	const char *name = ours(path);
	mode_t mode = 0;
	bool made;
	va_list ap;
	int fd;

	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = (mode_t)va_arg(ap, int);
	va_end(ap);
	made = name && (flags & O_CREAT) && access(path, F_OK) != 0;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd < 0 || fd >= MAX_FDS)
		return fd;
	file_of_fd[fd] = -1;
	if (recording && strcmp(path, fx_dir) == 0)
		file_of_fd[fd] = -2;
	if (name) {
		int *slot = name_slot(name);

		if (made) {
			struct event *e = event(EV_LINK);

			*slot = e->file = nfiles++;
			snprintf(e->to, sizeof(e->to), "%s", name);
		}
		file_of_fd[fd] = *slot;
		pos_of_fd[fd] = 0;
	}
	return fd;
}

ssize_t write(int fd, const void *p, size_t n)
{
	ssize_t w = syscall(SYS_write, fd, p, n);

	if (w > 0 && recording && fd < MAX_FDS && file_of_fd[fd] >= 0) {
		struct event *e = event(EV_WRITE);

		e->file = file_of_fd[fd];
		e->off = pos_of_fd[fd];
		e->n = (size_t)w;
		e->data = malloc(e->n);
		memcpy(e->data, p, e->n);
		pos_of_fd[fd] += e->n;
	}
	return w;
}

off_t lseek(int fd, off_t off, int whence)
{
	off_t at = syscall(SYS_lseek, fd, off, whence);

	if (at >= 0 && fd < MAX_FDS)
		pos_of_fd[fd] = (size_t)at;
	return at;
}

static int sync_of(int fd)
{
	if (recording && fd < MAX_FDS && file_of_fd[fd] >= 0)
		event(EV_SYNC)->file = file_of_fd[fd];
	else if (recording && fd < MAX_FDS && file_of_fd[fd] == -2)
		event(EV_SYNC_DIR);
	return 0;
}

int fsync(int fd)
{
	return sync_of(fd);
}

int fdatasync(int fd)
{
	return sync_of(fd);
}

static void size_event(int fd, size_t n)
{
	if (recording && fd < MAX_FDS && file_of_fd[fd] >= 0) {
		struct event *e = event(EV_SIZE);

		e->file = file_of_fd[fd];
		e->n = n;
	}
}

int ftruncate(int fd, off_t n)
{
	size_event(fd, (size_t)n);
	return (int)syscall(SYS_ftruncate, fd, n);
}

static bool no_fallocate;

int fallocate(int fd, int mode, off_t off, off_t n)
{
	if (no_fallocate) {
		errno = EOPNOTSUPP;
		return -1;
	}
	size_event(fd, (size_t)(off + n));
	return (int)syscall(SYS_fallocate, fd, mode, off, n);
}

int rename(const char *from, const char *to)
{
	const char *a = ours(from), *b = ours(to);

	if (a && b) {
		struct event *e = event(EV_RENAME);

		snprintf(e->from, sizeof(e->from), "%s", a);
		snprintf(e->to, sizeof(e->to), "%s", b);
		*name_slot(b) = *name_slot(a);
	}
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
	const char *a = ours(path);

	if (a)
		snprintf(event(EV_UNLINK)->from, 64, "%s", a);
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

/* ---- the work ---- */

#define KEYS 6
static size_t big; /* bytes of the large records */

/*
 * What must be there after `done` steps, and may be there when the next one was begun: version
 * of each record, 0: none.
 */
static void expected(unsigned done, size_t v[KEYS], bool *open)
{
	memset(v, 0, KEYS * sizeof(*v));
	*open = done == 3 || done == 4 || done == 5;
	if (done >= 1)
		v[0] = 1;
	if (done >= 2)
		v[1] = v[2] = 1;
	if (done >= 4)
		v[0] = 2;
	if (done >= 5)
		v[1] = 0;
	if (done >= 6)
		v[3] = 1;
	if (done >= 7)
		v[4] = 1;
	if (done >= 8)
		v[4] = 2;
	if (done >= 9)
		v[5] = 1;
	if (done >= 10)
		v[5] = 2;
}

static int one_step(struct state *s, unsigned k)
{
	struct intent i = {.address = "synchronization_job.z", .action = "CreateDtsInstance"};
	size_t n;
	const struct intent *open;

	switch (k) {
	case 1:
		fx_put(s, 0, 1, 600);
		break;
	case 2:
		fx_put(s, 1, 1, 10);
		fx_put(s, 2, 1, 10);
		break;
	case 3:
		state_intent(s, &i);
		break;
	case 4:
		fx_put(s, 0, 2, 0);
		break;
	case 5:
		state_del(s, "synchronization_job.j00001");
		break;
	case 6:
		open = state_intents(s, &n);
		if (n)
			state_outcome(s, open[0].id, OUTCOME_DONE, NULL);
		fx_put(s, 3, 1, 0);
		break;
	case 7:
	case 8:
		fx_put(s, 4, k - 6, big);
		break;
	default:
		fx_put(s, 5, k - 8, big);
	}
	if (state_flush(s, &fx_err) < 0)
		return -1;
	if (recording)
		event(EV_ACK)->ack = k;
	return 0;
}

/* Runs that end in every way there is. Returns how many steps were flushed. */
static unsigned work(void)
{
	static const unsigned ends[] = {2, 3, 5, 6, 10};
	unsigned done = 0;

	for (size_t run = 0; run < sizeof(ends) / sizeof(ends[0]); run++) {
		struct state *s;

		if (fx_try(&s, STATE_WRITE) < 0)
			return done;
		while (done < ends[run]) {
			if (one_step(s, done + 1) < 0) {
				state_close(s, &fx_err);
				return done;
			}
			done++;
		}
		if (run % 2)
			state_abandon(s); /* as if it died */
		else if (state_close(s, &fx_err) < 0)
			return done;
	}
	return done;
}

static bool holds(struct state *s, unsigned done)
{
	size_t v[KEYS], n, open_n, live = 0;
	bool open;

	expected(done, v, &open);
	state_list(s, &n);
	state_intents(s, &open_n);
	if (open_n != open)
		return false;
	for (size_t i = 0; i < KEYS; i++) {
		const struct record *r =
			state_get(s, arena_printf(&fx, "synchronization_job.j%05zu", i));
		const char *want = arena_printf(&fx, "name-%zu-%zu", i, v[i]);

		live += r != NULL;
		if ((r != NULL) != (v[i] != 0) ||
		    (r && strcmp(r->attrs[attr_of(&type_job, "dts_job_name")], want) != 0))
			return false;
	}
	return live == n;
}

/* Opens what stands in fx_dir twice (to read, to write), and once more after closing. */
static void check_directory(unsigned done, const char *what)
{
	for (int round = 0; round < 3; round++) {
		struct state *s;

		if (fx_try(&s, round == 1 ? STATE_WRITE : STATE_READ) < 0)
			fail_msg("%s, after step %u: %s", what, done, fx_err.msg);
		if (!holds(s, done) && !holds(s, done + 1))
			fail_msg("%s, after step %u: something is lost or invented", what, done);
		fx_close(s);
	}
}

/* ---- the disk after a power cut ---- */

struct file {
	char *p;
	size_t n, cap;
	bool torn; /* not all events were applied */
};

static unsigned seed = 7;

static unsigned rnd(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

static void file_size(struct file *f, size_t n)
{
	if (n > f->cap) {
		f->p = realloc(f->p, n);
		memset(f->p + f->cap, 0, n - f->cap);
		f->cap = n;
	}
	if (n < f->n)
		memset(f->p + n, 0, f->n - n);
	f->n = n;
}

/* chance: of 8 sectors so many reach the disk */
static void file_write(struct file *f, const struct event *e, unsigned chance)
{
	for (size_t a = e->off; a < e->off + e->n;) {
		size_t b = (a / SECTOR + 1) * SECTOR;

		if (b > e->off + e->n)
			b = e->off + e->n;
		if (rnd(8) < chance) {
			if (b > f->n)
				file_size(f, b);
			memcpy(f->p + a, e->data + (a - e->off), b - a);
		}
		a = b;
	}
}

static size_t last_sync(size_t upto, int file)
{
	for (size_t i = upto; i > 0; i--) {
		if (file < 0 ? events[i - 1].kind == EV_SYNC_DIR
		             : events[i - 1].kind == EV_SYNC && events[i - 1].file == file)
			return i;
	}
	return 0;
}

static void build_file(struct file *f, size_t upto, int file, unsigned chance)
{
	size_t synced = last_sync(upto, file);

	for (size_t i = 0; i < upto; i++) {
		const struct event *e = &events[i];
		unsigned c = i < synced ? 8 : chance;

		if (e->file != file)
			continue;
		if (e->kind == EV_WRITE)
			file_write(f, e, c);
		else if (e->kind == EV_SIZE && rnd(8) < c)
			file_size(f, e->n);
	}
}

/*
 * Renames and the like happen in order, but how many of those not synced is open; or any of
 * them.
 */
static void build_directory(size_t upto, unsigned chance)
{
	size_t synced = last_sync(upto, -1);

	nnames = 0;
	for (size_t i = 0; i < upto; i++) {
		const struct event *e = &events[i];

		if (i >= synced && rnd(8) >= chance)
			continue;
		if (e->kind == EV_LINK) {
			*name_slot(e->to) = e->file;
		} else if (e->kind == EV_RENAME && *name_slot(e->from) >= 0) {
			*name_slot(e->to) = *name_slot(e->from);
			*name_slot(e->from) = -1;
		} else if (e->kind == EV_UNLINK) {
			*name_slot(e->from) = -1;
		}
	}
}

static void power_cut(size_t upto, unsigned chance)
{
	fx_empty(fx_dir);
	assert_int_equal(mkdir(fx_dir, 0700), 0);
	build_directory(upto, chance);
	for (size_t i = 0; i < nnames; i++) {
		struct file f = {0};

		if (names[i].file < 0)
			continue;
		build_file(&f, upto, names[i].file, chance);
		fx_write(fx_file(names[i].name), f.n ? f.p : "", f.n);
		free(f.p);
	}
}

static void forget_events(void)
{
	for (size_t i = 0; i < nevents; i++)
		free(events[i].data);
	nevents = nnames = 0;
	nfiles = 0;
}

static void power_loss_everywhere(size_t record_bytes, unsigned variants)
{
	static const unsigned chances[] = {8, 0, 4, 6, 2, 7};
	struct state *s;
	size_t looked = 0;
	unsigned done = 0;

	big = record_bytes;
	recording = true;
	assert_int_equal(work(), 10);
	recording = false;
	s = fx_open(STATE_READ);
	assert_int_equal(state_serial(s), fx_fold_min ? 6 : 5); /* one more fold on the way */
	fx_close(s);
	for (size_t at = 0; at <= nevents; at++) {
		if (at && events[at - 1].kind == EV_ACK)
			done = events[at - 1].ack;
		for (unsigned v = 0; v < variants; v++) {
			char what[64];

			snprintf(what, sizeof(what), "power cut at event %zu of %zu, variant %u",
			         at, nevents, v);
			power_cut(at, chances[v % 6]);
			check_directory(done, what);
			looked++;
		}
		arena_reset(&fx);
	}
	print_message("           %zu events, %zu directories\n", nevents, looked);
	forget_events();
}

static void power_loss(void **state)
{
	(void)state;
	no_fallocate = false;
	power_loss_everywhere(9000, VARIANTS);
}

static void power_loss_while_folding_and_without_fallocate(void **state)
{
	(void)state;
	no_fallocate = true;
	fx_fold_min = 20000;
	power_loss_everywhere(12000, VARIANTS);
	fx_fold_min = 0;
	no_fallocate = false;
}

/* ---- failing calls ---- */

#ifdef DTSBATCH_FAULTS
static void failing_calls(void **state)
{
	static const char *const calls[] = {"open",   "write",     "fsync",
	                                    "rename", "ftruncate", "unlink"};
	static const char *const whats[] = {"ENOSPC",        "EIO",         "EDQUOT:forever",
	                                    "EROFS:forever", "EIO:forever", "short"};
	size_t runs = 0;

	(void)state;
	big = 9000;
	for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
		for (size_t w = 0; w < sizeof(whats) / sizeof(whats[0]); w++) {
			unsigned done = 0, unharmed = 0;

			/*
			 * Until the fault lies behind the last call; a few in between are
			 * without consequence.
			 */
			for (unsigned k = 1; unharmed < 8; k++) {
				char spec[64], kind[24], *colon;

				snprintf(kind, sizeof(kind), "%s", whats[w]);
				colon = strchr(kind, ':');
				if (colon)
					*colon = '\0';
				snprintf(spec, sizeof(spec), "%s:%u:%s%s", calls[c], k, kind,
				         colon ? ":forever" : "");
				fx_empty(fx_dir);
				assert_int_equal(mkdir(fx_dir, 0700), 0);
				memset(&fx_err, 0, sizeof(fx_err));
				sys_fault_arm(spec);
				done = work();
				sys_fault_arm(NULL);
				if (done < 10)
					assert_true(fx_err.code == ERR_STATE_WRITE ||
					            fx_err.code == ERR_STATE_CREATE ||
					            fx_err.code == ERR_STATE_READ);
				check_directory(done, spec);
				runs++;
				arena_reset(&fx);
				unharmed = done == 10 ? unharmed + 1 : 0;
			}
		}
	}
	print_message("           %zu runs\n", runs);
}

static void killed_at_every_call(void **state)
{
	static const char *const whats[] = {"kill-before", "kill-half", "kill-after"};
	size_t runs = 0;

	(void)state;
	big = 9000;
	for (size_t w = 0; w < sizeof(whats) / sizeof(whats[0]); w++) {
		for (unsigned k = 1;; k++) {
			char spec[64];
			unsigned done = 0;
			int progress[2], st;
			pid_t pid;

			snprintf(spec, sizeof(spec), "any:%u:%s", k, whats[w]);
			fx_empty(fx_dir);
			assert_int_equal(mkdir(fx_dir, 0700), 0);
			assert_int_equal(pipe(progress), 0);
			pid = fork();
			if (pid == 0) {
				unsigned d = 0;
				static const unsigned ends[] = {2, 3, 5, 6, 10};

				/*
				 * allocations would be counted, too: only the file calls matter
				 * here
				 */
				sys_fault_arm(spec);
				for (size_t run = 0; run < 5; run++) {
					struct state *s;

					if (fx_try(&s, STATE_WRITE) < 0)
						_exit(1);
					while (d < ends[run]) {
						if (one_step(s, d + 1) < 0)
							_exit(2);
						d++;
						if (syscall(SYS_write, progress[1], &d,
						            sizeof(d)) != sizeof(d))
							_exit(3);
					}
					if (run % 2)
						state_abandon(s);
					else if (state_close(s, &fx_err) < 0)
						_exit(4);
				}
				_exit(0);
			}
			close(progress[1]);
			while (read(progress[0], &st, sizeof(st)) == sizeof(st))
				done = (unsigned)st;
			close(progress[0]);
			assert_int_equal(waitpid(pid, &st, 0), pid);
			check_directory(done, spec);
			runs++;
			arena_reset(&fx);
			if (WIFEXITED(st)) {
				assert_int_equal(WEXITSTATUS(st), 0);
				break;
			}
			k += k /
			     60; /* allocations are calls, too: the later ones in larger steps */
		}
	}
	print_message("           %zu runs\n", runs);
}
#endif

#define T(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(power_loss),
		T(power_loss_while_folding_and_without_fallocate),
#ifdef DTSBATCH_FAULTS
		T(failing_calls),
		T(killed_at_every_call),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
