/* Files, descriptors and clocks; with -DDTSBATCH_FAULTS also every fault in sys_replace_file(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/sys.h"

static char dir[] = "/tmp/test_base_sys.XXXXXX";
static char path[64];

static int setup(void **st)
{
	(void)st;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/file", dir);
	return 0;
}

/* The number of files in dir; deletes those whose name holds "tmp-" if asked. */
static int files(bool drop_temps)
{
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (drop_temps && strstr(e->d_name, "tmp-"))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return n;
}

static int teardown(void **st)
{
	(void)st;
	unlink(path);
	return rmdir(dir);
}

static void assert_content(const char *want)
{
	struct buf b;

	buf_init(&b, 1u << 20);
	assert_int_equal(sys_read_file(path, &b), 0);
	assert_string_equal(buf_str(&b), want);
	buf_release(&b);
}

static void test_replace(void **st)
{
	struct stat s;
	mode_t old = umask(077);

	(void)st;
	assert_int_equal(sys_replace_file(path, 0644, "one", 3), 0);
	assert_content("one");
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0644); /* the umask does not matter */
	assert_int_equal(sys_replace_file(path, 0600, "", 0), 0);
	assert_content("");
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	assert_int_equal(files(false), 1);
	assert_int_equal(sys_replace_file("/nonexistent/file", 0600, "x", 1), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(sys_replace_file(dir, 0600, "x", 1), -1); /* a directory stands there */
	assert_int_equal(errno, EISDIR);
	assert_int_equal(files(false), 1);
	umask(old);
}

static void test_read(void **st)
{
	struct buf b;
	char *large = malloc(100000);

	(void)st;
	assert_non_null(large);
	memset(large, 'x', 100000);
	assert_int_equal(sys_replace_file(path, 0600, large, 100000), 0);
	buf_init(&b, 100003);
	buf_puts(&b, "abc");
	assert_int_equal(sys_read_file(path, &b), 0);
	assert_int_equal(b.n, 100003);
	assert_memory_equal(b.p, "abcxxx", 6);
	buf_release(&b);
	buf_init(&b, 100002);
	buf_puts(&b, "abc");
	assert_int_equal(sys_read_file(path, &b), -1);
	assert_int_equal(errno, EFBIG);
	assert_string_equal(buf_str(&b), "abc");
	assert_int_equal(b.n, 3);
	buf_release(&b);
	buf_init(&b, 10);
	assert_int_equal(sys_read_file(dir, &b), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(sys_read_file("/nonexistent/file", &b), -1);
	assert_int_equal(errno, ENOENT);
	buf_release(&b);
	free(large);
}

/* Runs f in a child; its exit status, or 1000 + the signal that ended it. */
static int in_child(int (*f)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int open_without_std(void)
{
	int fd, again;

	close(0);
	close(1);
	close(2);
	fd = sys_open("/dev/null", O_RDONLY, 0);
	if (fd <= 2 || fcntl(fd, F_GETFD) != FD_CLOEXEC)
		return 1;
	if (fcntl(0, F_GETFD) >= 0) /* the low number was given back */
		return 2;
	sys_guard_std_fds();
	for (int i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) < 0)
			return 3;
	again = sys_open("/dev/null", O_RDONLY, 0);
	return again == fd + 1 ? 0 : 4;
}

static void test_descriptors(void **st)
{
	int before = dup(0), after;

	(void)st;
	close(before);
	assert_int_equal(in_child(open_without_std), 0);
	sys_guard_std_fds(); /* all open: changes nothing */
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
	assert_int_equal(sys_open("/nonexistent/file", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
}

/* The kernel takes a part first and refuses the rest afterwards. */
static int write_to_the_limit(void)
{
	struct rlimit five = {5, 5};
	int fd = sys_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &five) < 0 || fd < 0)
		return 1;
	return sys_write_all(fd, "12345678", 8) == 0 ? 2 : errno;
}

static void test_partial_write(void **st)
{
	(void)st;
	assert_int_equal(in_child(write_to_the_limit), EFBIG);
	assert_content("12345");
}

static void test_clocks(void **st)
{
	uint8_t x[32] = {0}, y[32] = {0};
	int64_t now = sys_now_ms(), wall = sys_wall_ms();

	(void)st;
	assert_true(wall / 1000 - (int64_t)time(NULL) <= 1 &&
	            (int64_t)time(NULL) - wall / 1000 <= 1);
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	assert_true(sys_now_ms() - now >= 19);
	assert_true(sys_boot_ms() >= now);
	sys_random(x, sizeof x);
	sys_random(y, sizeof y);
	assert_memory_not_equal(x, y, sizeof x);
}

#ifdef DTSBATCH_FAULTS

static const char *spec;

static int replace_under_fault(void)
{
	int rc;

	sys_fault_arm(spec);
	rc = sys_replace_file(path, 0600, "new content", 11);
	sys_fault_arm(NULL);
	return rc == 0 ? 0 : errno;
}

/* Whatever fails at whatever place: old or new, never between, and no litter. */
static void test_replace_fails(void **st)
{
	static const char *const what[] = {"ENOSPC", "EIO", "short", "EDQUOT:forever"};
	static const char *const before_rename[] = {"open:1", "write:1", "fsync:1", "rename:1"};
	static const char *const after_rename[] = {"open:2", "fsync:2"};
	char text[64];

	(void)st;
	for (size_t w = 0; w < sizeof what / sizeof *what; w++) {
		for (size_t c = 0; c < sizeof before_rename / sizeof *before_rename; c++) {
			sys_replace_file(path, 0600, "old", 3);
			snprintf(text, sizeof text, "%s:%s", before_rename[c], what[w]);
			spec = text;
			assert_int_not_equal(replace_under_fault(), 0);
			assert_content("old");
			assert_int_equal(files(false), 1);
		}
		for (size_t c = 0; c < sizeof after_rename / sizeof *after_rename; c++) {
			sys_replace_file(path, 0600, "old", 3);
			snprintf(text, sizeof text, "%s:%s", after_rename[c], what[w]);
			spec = text;
			assert_int_not_equal(replace_under_fault(), 0);
			assert_content("new content");
			assert_int_equal(files(false), 1);
		}
	}
	spec = "write:1:EIO";
	assert_int_equal(replace_under_fault(), EIO);
	spec = "write:2:EIO"; /* there is no second */
	assert_int_equal(replace_under_fault(), 0);
}

static void test_replace_killed(void **st)
{
	static const char *const what[] = {"kill-before", "kill-after", "kill-half"};
	char text[64];
	int deaths = 0;

	(void)st;
	for (size_t w = 0; w < sizeof what / sizeof *what; w++) {
		for (int k = 1;; k++) {
			struct buf b;
			int end;

			assert_int_equal(sys_replace_file(path, 0600, "old", 3), 0);
			snprintf(text, sizeof text, "any:%d:%s", k, what[w]);
			spec = text;
			end = in_child(replace_under_fault);
			buf_init(&b, 100);
			assert_int_equal(sys_read_file(path, &b), 0);
			assert_true(strcmp(buf_str(&b), "old") == 0 ||
			            strcmp(buf_str(&b), "new content") == 0);
			files(true);
			if (end == 0) {
				assert_string_equal(buf_str(&b), "new content");
				buf_release(&b);
				break;
			}
			buf_release(&b);
			assert_int_equal(end, 1000 + SIGKILL);
			deaths++;
		}
	}
	assert_int_equal(deaths, 3 * 6); /* open write fsync rename, open fsync of the directory */
}

static int starve(void)
{
	sys_fault_arm("alloc:2:ENOSPC");
	sys_free(sys_malloc(1));
	close(2);
	sys_free(sys_malloc(1));
	return 0;
}

static int log_faults(void)
{
	struct buf b;

	setenv("DTSBATCH_FAULT_LOG", path, 1);
	unlink(path);
	sys_fault_arm("open:2:EIO");
	for (int i = 1; i <= 3; i++) {
		int fd = sys_open("/dev/null", O_RDONLY, 0);

		if ((fd < 0) != (i == 2) || (fd < 0 && errno != EIO))
			return 1;
	}
	sys_fault_arm(NULL);
	buf_init(&b, 100);
	sys_read_file(path, &b);
	if (strcmp(buf_str(&b), "open 2 EIO\n") != 0)
		return 2;
	buf_release(&b);
	return 0;
}

static int bad_specs(void)
{
	close(2);
	sys_fault_arm(spec);
	return 0;
}

static void test_faults(void **st)
{
	(void)st;
	assert_int_equal(in_child(starve), 1);
	assert_int_equal(in_child(log_faults), 0);
	spec = "open:0:EIO";
	assert_int_equal(in_child(bad_specs), 64);
	spec = "opne:1:EIO";
	assert_int_equal(in_child(bad_specs), 64);
	spec = "open:1";
	assert_int_equal(in_child(bad_specs), 64);
	spec = "open:1:EXYZ";
	assert_int_equal(in_child(bad_specs), 64);
	spec = "open:1x:EIO";
	assert_int_equal(in_child(bad_specs), 64);
	spec = "open:1:EIO:forever:";
	assert_int_equal(in_child(bad_specs), 64);
	spec = "open:1:EIO:always";
	assert_int_equal(in_child(bad_specs), 64);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace),       cmocka_unit_test(test_read),
		cmocka_unit_test(test_descriptors),   cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_partial_write),
#ifdef DTSBATCH_FAULTS
		cmocka_unit_test(test_replace_fails), cmocka_unit_test(test_replace_killed),
		cmocka_unit_test(test_faults),
#endif
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
