/*
 * X.state.lock. The lock is the kernel's, on a file that is never renamed
 * and never removed; it dies with its holder. What the file says about the
 * holder is for people only.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sys.h"
#include "base/text.h"

#define POLL_MS 100
#define HOLDER_MAX 512

enum got { GOT_IT, GOT_BUSY, GOT_ERROR };

static enum got try_lock(int fd)
{
	int rc;
#ifdef F_OFD_SETLK
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	do
		rc = fcntl(fd, F_OFD_SETLK, &fl);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return GOT_IT;
	if (errno == EAGAIN || errno == EACCES)
		return GOT_BUSY;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return GOT_ERROR;
#endif
	do
		rc = flock(fd, LOCK_EX | LOCK_NB);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return GOT_IT;
	return errno == EWOULDBLOCK ? GOT_BUSY : GOT_ERROR;
}

/*
 * "pid 12 on host since 2026-...: apply /etc/dtsbatch", as the holder wrote it; made safe for a
 * terminal.
 */
static void read_holder(const char *path, struct buf *out)
{
	struct buf raw;

	buf_init(&raw, HOLDER_MAX);
	(void)sys_read_file(path, &raw);
	while (raw.n && raw.p[raw.n - 1] == '\n')
		raw.n--;
	if (raw.n)
		text_safe(out, raw.p, raw.n, 300);
	else
		buf_puts(out, "an unknown process");
	buf_release(&raw);
}

static void write_holder(int fd, const char *command)
{
	char host[65] = "", utc[21], line[HOLDER_MAX];
	int n;

	gethostname(host, sizeof(host) - 1);
	text_utc(sys_wall_ms() / 1000, utc);
	n = snprintf(line, sizeof(line), "process %ld on %s since %s: %s\n", (long)getpid(), host,
	             utc, command ? command : "dtsbatch");
	if (n >= (int)sizeof(line)) {
		n = (int)sizeof(line);
		line[n - 1] = '\n';
	}
	/* For the message only: a full disk is noticed where it matters. */
	if (sys_ftruncate(fd, 0) == 0)
		(void)sys_write_all(fd, line, (size_t)n);
}

static int busy(struct err *e, const struct paths *p, int64_t timeout_ms)
{
	struct buf who;

	buf_init(&who, 4 * HOLDER_MAX);
	read_holder(p->lock, &who);
	err_set(e, ERR_LATER, "%s is locked by %s", p->snapshot, buf_str(&who));
	buf_release(&who);
	err_subject(e, p->snapshot);
	if (timeout_ms > 0)
		return err_hint(e, "it was not released within --lock-timeout; try again later");
	return err_hint(e, "try again later, or wait for it with --lock-timeout (for example 5m)");
}

static int open_lock(const struct paths *p, int *fd, struct err *e)
{
	struct stat st;

	*fd = sys_open(p->lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (*fd < 0) {
		int err = errno;

		err_set(e, access(p->snapshot, F_OK) == 0 ? ERR_STATE_WRITE : ERR_STATE_CREATE,
		        "%s: cannot open the lock file: %s", p->lock, strerror(err));
		err_subject(e, p->lock);
		if (err == EACCES || err == EPERM)
			return err_hint(
				e,
				"the directory %s (and the files of the state in it) must be "
				"writable by uid %u",
				p->dir, (unsigned)geteuid());
		if (err == EROFS)
			return err_hint(
				e,
				"put the state on a file system that can be written: --state FILE");
		return -1;
	}
	if (fstat(*fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(*fd);
		err_set(e, ERR_STATE_WRITE, "%s is no regular file", p->lock);
		return -1;
	}
	return 0;
}

/* Somebody may have removed the file between our open and our lock; then we hold nothing. */
bool lock_holds(const struct paths *p, int fd)
{
	struct stat a, b;

	return stat(p->lock, &a) == 0 && fstat(fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int no_locks(struct err *e, const struct paths *p, int err)
{
	err_set(e, ERR_STATE_WRITE, "%s: this file system has no working locks: %s", p->lock,
	        strerror(err));
	err_subject(e, p->lock);
	return err_hint(e, "put the state on a local disk: --state FILE; on NFS the lock service "
	                   "must run");
}

int lock_take(const struct paths *p, const struct state_opts *o, int *fd, struct err *e)
{
	int64_t until = sys_boot_ms() + o->lock_timeout_ms;

	for (;;) {
		struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
		enum got got;

		if (open_lock(p, fd, e) < 0)
			return -1;
		got = try_lock(*fd);
		if (got == GOT_ERROR) {
			int err = errno;

			close(*fd);
			return no_locks(e, p, err);
		}
		if (got == GOT_IT && lock_holds(p, *fd))
			break;
		close(*fd);
		if (got == GOT_IT)
			continue;
		/* A signal ends the waiting: the handler cannot reach us here. */
		if (sys_boot_ms() >= until || nanosleep(&pause, NULL) < 0)
			return busy(e, p, o->lock_timeout_ms);
	}
	write_holder(*fd, o->command);
	return 0;
}

bool lock_holder(const struct paths *p, struct buf *out)
{
	bool held = false;
#ifdef F_OFD_GETLK
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = sys_open(p->lock, O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0)
		return false;
	held = fcntl(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;
	close(fd);
	if (held)
		read_holder(p->lock, out);
#else
	(void)p;
	(void)out;
#endif
	return held;
}

void lock_drop(int fd)
{
	if (fd < 0)
		return;
	(void)sys_ftruncate(fd, 0);
	/* By name, not by closing: a forked child may still have the descriptor. */
#ifdef F_OFD_SETLK
	{
		struct flock fl = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

		(void)fcntl(fd, F_OFD_SETLK, &fl);
	}
#endif
	(void)flock(fd, LOCK_UN);
	close(fd);
}
