/*
 * Where the four files are, and whether this is a place that can keep them.
 */
#include "store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sys.h"
#include "base/text.h"

#define SUFFIX ".state.json"
#define SIM_SUFFIX ".sim.state.json"
#define LINKS_MAX 40

enum { MAGIC_FUSE = 0x65735546, MAGIC_NFS = 0x6969, MAGIC_9P = 0x01021997 };
#define MAGIC_CIFS 0xff534d42UL
#define MAGIC_SMB2 0xfe534d42UL

/* FUSE file systems that lock and rename as a disk does. All others may be object stores. */
static const char *const good_fuse[] = {
	"virtiofs",  "fuseblk",        "fuse.fuse-overlayfs", "fuse.glusterfs", "fuse.juicefs",
	"fuse.ceph", "fuse.ceph-fuse", "fuse.grpcfuse",       "fuse.osxfs",     "fuse.portal",
};

/* path without suffix, then tail. path is known to end in suffix. */
static char *with_tail(struct arena *a, const char *path, const char *suffix, const char *tail)
{
	return arena_printf(a, "%.*s%s", (int)(strlen(path) - strlen(suffix)), path, tail);
}

static const char *suffix_of(const char *path)
{
	return text_ends(path, SIM_SUFFIX) ? SIM_SUFFIX : text_ends(path, SUFFIX) ? SUFFIX : "";
}

char *state_sim_path(struct arena *a, const char *path)
{
	return with_tail(a, path, suffix_of(path), SIM_SUFFIX);
}

char *state_world_path(struct arena *a, const char *path)
{
	return with_tail(a, path, suffix_of(path), ".sim.world.json");
}

static char *dir_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return arena_strdup(a, ".");
	return arena_strndup(a, path, slash == path ? 1 : (size_t)(slash - path));
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Follows links until a name that is none; it need not exist. */
static const char *follow(struct arena *a, const char *path, struct err *e)
{
	for (int i = 0; i < LINKS_MAX; i++) {
		char to[PATH_MAX];
		ssize_t n = readlink(path, to, sizeof(to) - 1);

		if (n < 0)
			return path; /* no link, or nothing there: the next step tells */
		to[n] = '\0';
		path = *to == '/' ? arena_strdup(a, to)
		                  : arena_printf(a, "%s/%s", dir_of(a, path), to);
	}
	err_set(e, ERR_STATE_CREATE, "%s: too many symbolic links", path);
	return NULL;
}

int paths_resolve(struct arena *a, const char *given, struct paths *p, struct err *e)
{
	const char *at = follow(a, given, e), *base;
	char real[PATH_MAX];

	*p = (struct paths){0};
	if (!at)
		return -1;
	base = base_of(at);
	if (!text_ends(given, SUFFIX) || !*base_of(given))
		return err_set(e, ERR_USAGE, "the name of a state file ends in %s: %s", SUFFIX,
		               given);
	if (!text_ends(base, SUFFIX))
		return err_set(e, ERR_STATE_CREATE,
		               "%s is a link to %s, whose name does not end in %s", given, at,
		               SUFFIX);
	if (realpath(dir_of(a, at), real)) {
		p->dir = arena_strdup(a, real);
	} else if (errno == ENOENT || errno == ENOTDIR) {
		p->dir = dir_of(a, at);
		p->dir_missing = true;
	} else {
		err_set(e, ERR_STATE_READ, "%s: %s", dir_of(a, at), strerror(errno));
		return -1;
	}
	p->snapshot = arena_printf(a, "%s/%s", strcmp(p->dir, "/") ? p->dir : "", base);
	p->journal = with_tail(a, p->snapshot, SUFFIX, ".state.journal");
	p->key = with_tail(a, p->snapshot, SUFFIX, ".state.key");
	p->lock = with_tail(a, p->snapshot, SUFFIX, ".state.lock");
	p->rescue = with_tail(a, p->snapshot, SUFFIX, ".rescued" SUFFIX);
	return 0;
}

/* Type of the mounted file system with this device number, from mountinfo; NULL: not found. */
static char *mounted_type(struct arena *a, dev_t dev)
{
	char want[32], *found = NULL, *save = NULL, *text;
	struct buf b;

	snprintf(want, sizeof(want), " %u:%u ", major(dev), minor(dev));
	buf_init(&b, (size_t)4 << 20);
	if (sys_read_file("/proc/self/mountinfo", &b) < 0)
		buf_reset(&b);
	text = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *type = strstr(line, " - ");

		if (!type || !strstr(line, want))
			continue;
		type += 3;
		type[strcspn(type, " ")] = '\0';
		found = type; /* the last one is on top */
	}
	return found;
}

static int check_file_system(struct arena *a, const struct paths *p, const char **note,
                             struct err *e)
{
	struct statfs fs;
	struct stat st;
	const char *type;

	if (statfs(p->dir, &fs) < 0 || stat(p->dir, &st) < 0)
		return 0; /* what follows tells */
	switch ((unsigned long)fs.f_type & 0xffffffffUL) {
	case MAGIC_NFS:
	case MAGIC_CIFS:
	case MAGIC_SMB2:
	case MAGIC_9P:
		*note = arena_printf(
			a,
			"%s is on a network file system: the state is safe there only if its "
			"server keeps locks "
			"and syncs for real",
			p->snapshot);
		return 0;
	case MAGIC_FUSE:
		break;
	default:
		return 0;
	}
	type = mounted_type(a, st.st_dev);
	for (size_t i = 0; type && i < sizeof(good_fuse) / sizeof(good_fuse[0]); i++) {
		if (strcmp(type, good_fuse[i]) == 0)
			return 0;
	}
	err_set(e, access(p->snapshot, F_OK) == 0 ? ERR_STATE_WRITE : ERR_STATE_CREATE,
	        "%s is on a file system of type %s, which may have neither locks nor atomic "
	        "rename (an object store mounted "
	        "as a directory)",
	        p->snapshot, type ? type : "fuse");
	err_subject(e, p->snapshot);
	return err_hint(e, "put the state on a local disk or a block volume: --state FILE");
}

static bool is_mount_point(const struct paths *p, const struct stat *st)
{
	struct stat dir;
#ifdef STATX_ATTR_MOUNT_ROOT
	struct statx sx;

	if (statx(AT_FDCWD, p->snapshot, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx) == 0 &&
	    (sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#endif
	return stat(p->dir, &dir) == 0 && dir.st_dev != st->st_dev;
}

/*
 * Each file of ours that exists must be a plain file of this user: rename would make it one and
 * lock its owner out.
 */
static int check_file(const char *path, struct stat *st, bool *there, struct err *e)
{
	*there = lstat(path, st) == 0;
	if (!*there)
		return 0;
	if (S_ISDIR(st->st_mode)) {
		err_set(e, ERR_STATE_CREATE, "%s is a directory", path);
		err_subject(e, path);
		return err_hint(
			e,
			"give the name of a file that ends in %s (a container volume that names "
			"a missing file is "
			"made a directory: mount the directory instead)",
			SUFFIX);
	}
	if (!S_ISREG(st->st_mode)) {
		err_set(e, ERR_STATE_CREATE, "%s is no regular file (mode %o)", path,
		        (unsigned)st->st_mode);
		err_subject(e, path);
		return -1;
	}
	if (st->st_uid != geteuid()) {
		err_set(e, ERR_STATE_WRITE,
		        "%s belongs to another user (uid %u, mode %04o); this runs as uid %u", path,
		        (unsigned)st->st_uid, (unsigned)(st->st_mode & 07777), (unsigned)geteuid());
		err_subject(e, path);
		return err_hint(e, "run as uid %u, or hand the file over: chown %u %s",
		                (unsigned)st->st_uid, (unsigned)geteuid(), path);
	}
	return 0;
}

int paths_check(struct arena *a, const struct paths *p, const char **note, struct err *e)
{
	const char *const files[] = {p->snapshot, p->journal, p->key, p->lock};
	struct stat st;
	bool there;

	*note = NULL;
	if (p->dir_missing) {
		err_set(e, ERR_STATE_CREATE, "%s: the directory %s does not exist", p->snapshot,
		        p->dir);
		err_subject(e, p->snapshot);
		return err_hint(e, "create it: mkdir -p %s", p->dir);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (check_file(files[i], &st, &there, e) < 0)
			return -1;
		if (!i && there && is_mount_point(p, &st)) {
			err_set(e, ERR_STATE_WRITE,
			        "%s (owner uid %u, mode %04o) is a mount point of its own, so it "
			        "cannot be replaced in one step",
			        p->snapshot, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
			err_subject(e, p->snapshot);
			return err_hint(e, "mount the directory that holds it instead of the file");
		}
	}
	return check_file_system(a, p, note, e);
}

/* NAME.tmp-XXXXXXXX of one of our files */
static bool is_temp_of(const char *name, const char *file)
{
	size_t n = strlen(file);

	return strncmp(name, file, n) == 0 && strncmp(name + n, ".tmp-", 5) == 0 &&
	       strlen(name + n + 5) == 8 && strspn(name + n + 5, "0123456789abcdef") == 8;
}

void paths_sweep(const struct paths *p)
{
	DIR *d = opendir(p->dir);
	const struct dirent *de;

	while (d && (de = readdir(d))) {
		char path[PATH_MAX];

		if (!is_temp_of(de->d_name, base_of(p->snapshot)) &&
		    !is_temp_of(de->d_name, base_of(p->journal)) &&
		    !is_temp_of(de->d_name, base_of(p->key)))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", p->dir, de->d_name) < (int)sizeof(path))
			(void)sys_unlink(path);
	}
	if (d)
		closedir(d);
}
