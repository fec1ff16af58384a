#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"

enum call {
	CALL_OPEN,
	CALL_WRITE,
	CALL_FSYNC,
	CALL_RENAME,
	CALL_FTRUNCATE,
	CALL_UNLINK,
	CALL_ALLOC
};
enum fate { FATE_LIVE, FATE_FAIL, FATE_SHORT, FATE_KILL_BEFORE, FATE_KILL_HALF, FATE_KILL_AFTER };

#ifdef DTSBATCH_FAULTS

static const char *const call_names[] = {"open",      "write",  "fsync", "rename",
                                         "ftruncate", "unlink", "alloc"};

static const struct fault_kind {
	const char *name;
	enum fate fate;
	int err;
} fault_kinds[] = {
	{"ENOSPC", FATE_FAIL, ENOSPC},    {"EIO", FATE_FAIL, EIO},
	{"EDQUOT", FATE_FAIL, EDQUOT},    {"EROFS", FATE_FAIL, EROFS},
	{"short", FATE_SHORT, ENOSPC},    {"kill-before", FATE_KILL_BEFORE, 0},
	{"kill-half", FATE_KILL_HALF, 0}, {"kill-after", FATE_KILL_AFTER, 0},
};

/* The one armed fault. */
static struct {
	bool ready; /* the environment was looked at */
	int call;   /* enum call, -1: any, -2: none */
	unsigned long k, count;
	const struct fault_kind *what;
	bool forever;
} fault = {.call = -2};

static _Noreturn void die_now(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static _Noreturn void bad_spec(const char *spec)
{
	dprintf(2, "DTSBATCH_FAULT: cannot read \"%s\"\n", spec);
	_exit(64);
}

/* The enum call of a name, -1 for "any", -2 for none. */
static int call_named(const char *word)
{
	for (size_t i = 0; i < sizeof call_names / sizeof *call_names; i++)
		if (strcmp(word, call_names[i]) == 0)
			return (int)i;
	return strcmp(word, "any") == 0 ? -1 : -2;
}

void sys_fault_arm(const char *spec)
{
	char copy[80], *rest = copy, *word[4], *end;
	size_t n = 0;

	memset(&fault, 0, sizeof fault);
	fault.ready = true;
	fault.call = -2;
	if (!spec || !*spec)
		return;
	snprintf(copy, sizeof copy, "%s", spec);
	while (n < 4 && rest)
		word[n++] = strsep(&rest, ":");
	if (n < 3 || rest || (n == 4 && strcmp(word[3], "forever") != 0))
		bad_spec(spec);
	fault.call = call_named(word[0]);
	fault.k = strtoul(word[1], &end, 10);
	for (size_t i = 0; i < sizeof fault_kinds / sizeof *fault_kinds; i++)
		if (strcmp(word[2], fault_kinds[i].name) == 0)
			fault.what = &fault_kinds[i];
	fault.forever = n == 4;
	if (fault.call == -2 || !fault.k || *end || !fault.what)
		bad_spec(spec);
}

/* So that a loop over K knows when K went past the last call. */
static void fault_note(enum call c)
{
	const char *path = getenv("DTSBATCH_FAULT_LOG");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%s %lu %s\n", call_names[c], fault.count, fault.what->name);
	close(fd);
}

/* Counts the call and tells what becomes of it; FATE_FAIL has set errno. */
static enum fate fault_enter(enum call c)
{
	if (!fault.ready)
		sys_fault_arm(getenv("DTSBATCH_FAULT"));
	if (fault.call == -2 || (fault.call >= 0 && fault.call != (int)c))
		return FATE_LIVE;
	fault.count++;
	if (fault.count != fault.k && !(fault.forever && fault.count > fault.k))
		return FATE_LIVE;
	fault_note(c);
	if (fault.what->fate == FATE_KILL_BEFORE)
		die_now();
	errno = fault.what->err;
	if (c != CALL_WRITE && fault.what->fate == FATE_SHORT)
		return FATE_FAIL; /* only a write has a half */
	if (c != CALL_WRITE && fault.what->fate == FATE_KILL_HALF)
		return FATE_KILL_AFTER;
	return fault.what->fate;
}

static void fault_leave(enum fate f)
{
	if (f == FATE_KILL_AFTER || f == FATE_KILL_HALF)
		die_now();
}

#else

static inline enum fate fault_enter(enum call c)
{
	(void)c;
	return FATE_LIVE;
}

static inline void fault_leave(enum fate f)
{
	(void)f;
}

#endif

/* Nothing better is left to do with a failure to write these. */
static void last_words(const char *s)
{
	ssize_t n = write(2, s, strlen(s));

	(void)n;
}

void sys_die_oom(void)
{
	last_words("dtsbatch: out of memory\n");
	_exit(1);
}

void *sys_malloc(size_t n)
{
	enum fate f = fault_enter(CALL_ALLOC);
	void *p = f == FATE_FAIL ? NULL : malloc(n ? n : 1);

	if (!p)
		sys_die_oom();
	fault_leave(f);
	return p;
}

void *sys_realloc(void *old, size_t n)
{
	enum fate f = fault_enter(CALL_ALLOC);
	void *p = f == FATE_FAIL ? NULL : realloc(old, n ? n : 1);

	if (!p)
		sys_die_oom();
	fault_leave(f);
	return p;
}

void sys_free(void *p)
{
	free(p);
}

/* A closed fd 0, 1 or 2 would hand its number to our file, and what somebody prints would land
 * in it. */
static int above_std(int fd)
{
	int up, saved;

	if (fd < 0 || fd > 2)
		return fd;
	up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	saved = errno;
	close(fd);
	errno = saved;
	return up;
}

int sys_open(const char *path, int flags, mode_t mode)
{
	enum fate f = fault_enter(CALL_OPEN);
	int fd;

	if (f == FATE_FAIL)
		return -1;
	do
		fd = open(path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	fd = above_std(fd);
	fault_leave(f);
	return fd;
}

int sys_write_all(int fd, const void *p, size_t n)
{
	enum fate f = fault_enter(CALL_WRITE);
	bool half = f == FATE_SHORT || f == FATE_KILL_HALF;
	const char *s = p;

	if (f == FATE_FAIL)
		return -1;
	if (half)
		n /= 2;
	while (n) {
		ssize_t w = write(fd, s, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		s += w;
		n -= (size_t)w;
	}
	fault_leave(f);
	if (half) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
}

static int synced(int fd, int (*sync)(int))
{
	enum fate f = fault_enter(CALL_FSYNC);
	int rc;

	if (f == FATE_FAIL)
		return -1;
	do
		rc = sync(fd);
	while (rc < 0 && errno == EINTR);
	fault_leave(f);
	return rc;
}

int sys_fdatasync(int fd)
{
	return synced(fd, fdatasync);
}

int sys_fsync(int fd)
{
	return synced(fd, fsync);
}

int sys_ftruncate(int fd, off_t len)
{
	enum fate f = fault_enter(CALL_FTRUNCATE);
	int rc;

	if (f == FATE_FAIL)
		return -1;
	do
		rc = ftruncate(fd, len);
	while (rc < 0 && errno == EINTR);
	fault_leave(f);
	return rc;
}

int sys_rename(const char *from, const char *to)
{
	enum fate f = fault_enter(CALL_RENAME);
	int rc;

	if (f == FATE_FAIL)
		return -1;
	rc = rename(from, to);
	fault_leave(f);
	return rc;
}

int sys_unlink(const char *path)
{
	enum fate f = fault_enter(CALL_UNLINK);
	int rc;

	if (f == FATE_FAIL)
		return -1;
	rc = unlink(path);
	fault_leave(f);
	return rc;
}

static void close_keeping_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

int sys_fsync_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd, rc;

	if (!slash) {
		memcpy(dir, ".", 2);
	} else {
		size_t n = slash == path ? 1 : (size_t)(slash - path);

		if (n >= sizeof dir) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	fd = sys_open(dir, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return -1;
	rc = sys_fsync(fd);
	/* Some network and FUSE file systems have no such call for directories. */
	if (rc < 0 && (errno == EINVAL || errno == ENOTSUP))
		rc = 0;
	close_keeping_errno(fd);
	return rc;
}

int sys_read_file(const char *path, struct buf *out)
{
	size_t start = out->n;
	int fd = sys_open(path, O_RDONLY, 0);
	char chunk[16384];
	ssize_t r;

	if (fd < 0)
		return -1;
	do {
		r = read(fd, chunk, sizeof chunk); /* of a directory: EISDIR */
		if (r > 0)
			buf_add(out, chunk, (size_t)r);
	} while ((r > 0 && !out->over) || (r < 0 && errno == EINTR));
	if (r > 0) {
		errno = EFBIG;
		r = -1;
	}
	close_keeping_errno(fd);
	hash_wipe(chunk, sizeof chunk); /* it may have been a credentials file */
	if (r < 0 && out->p) {
		out->n = start;
		out->p[start] = '\0';
	}
	return r < 0 ? -1 : 0;
}

int sys_replace_file(const char *path, mode_t mode, const void *p, size_t n)
{
	char temp[PATH_MAX];
	uint8_t id[4];
	char hex[9];
	int fd, len;

	sys_random(id, sizeof id);
	hash_hex(id, sizeof id, hex);
	len = snprintf(temp, sizeof temp, "%s.tmp-%s", path, hex);
	if (len < 0 || (size_t)len >= sizeof temp) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = sys_open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
	if (fd < 0)
		return -1;
	/* The umask may have taken bits that the replaced file had. */
	if (fchmod(fd, mode) < 0)
		errno = 0;
	if (sys_write_all(fd, p, n) < 0 || sys_fsync(fd) < 0) {
		close_keeping_errno(fd);
		goto drop;
	}
	if (close(fd) < 0 && errno != EINTR)
		goto drop;
	if (sys_rename(temp, path) < 0)
		goto drop;
	return sys_fsync_dir_of(path);
drop:
	len = errno;
	sys_unlink(temp);
	errno = len;
	return -1;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0) {
		last_words("dtsbatch: the kernel has no such clock\n");
		_exit(1);
	}
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t sys_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t sys_boot_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int64_t sys_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

void sys_random(void *p, size_t n)
{
	char *s = p;

	while (n) {
		ssize_t r = getrandom(s, n, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			last_words("dtsbatch: the kernel gives no random bytes\n");
			_exit(1);
		}
		s += r;
		n -= (size_t)r;
	}
}

void sys_guard_std_fds(void)
{
	int fd;

	/* open() gives the lowest free number, so this fills the holes from below. Nothing can be
	 * written to it: a plan that nobody could read must not look like one that was read. */
	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}
