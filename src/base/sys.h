/*
 * The only door to the operating system for what must survive faults: files,
 * clocks, randomness. With -DDTSBATCH_FAULTS (test builds only) the variable
 * DTSBATCH_FAULT="CALL:K:WHAT[:forever]" makes the K-th CALL (open write fsync
 * rename ftruncate unlink alloc any) fail (ENOSPC EIO EDQUOT EROFS; short: half
 * of a write, then ENOSPC) or die (kill-before kill-after; kill-half: after half
 * of a write). DTSBATCH_FAULT_LOG=FILE gets a line for each fault that struck, so
 * a loop over K knows when to end. A product build contains none of this.
 * All functions set errno on failure like their namesakes and retry EINTR.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;

void *sys_malloc(size_t n);           /* never NULL: out of memory is sys_die_oom() */
void *sys_realloc(void *p, size_t n); /* likewise */
void sys_free(void *p);
_Noreturn void sys_die_oom(void); /* message on fd 2, _exit(1) */

int sys_open(const char *path, int flags, mode_t mode); /* always O_CLOEXEC, never returns 0..2 */
int sys_write_all(int fd, const void *p, size_t n);     /* 0 or -1 */
int sys_fdatasync(int fd);
int sys_fsync(int fd);
int sys_ftruncate(int fd, off_t len);
int sys_rename(const char *from, const char *to);
int sys_unlink(const char *path);
int sys_fsync_dir_of(const char *path); /* the directory that holds path */

/* Whole file appended to out (ceiling of out applies: EFBIG). A directory: EISDIR. On failure the
 * content of out is as before, but `over` stays set. */
int sys_read_file(const char *path, struct buf *out);
/* Atomic and durable: O_EXCL temp beside path, write, fsync, rename, fsync of the directory.
 * Symbolic links must be resolved by the caller. On failure the old file is untouched and the temp
 * file is gone; only if the last step, syncing the directory, fails, the new file stands already.
 * The temp is PATH.tmp-XXXXXXXX (a leftover of a killed process may be deleted under the lock).
 * mode is exact, whatever the umask. */
int sys_replace_file(const char *path, mode_t mode, const void *p, size_t n);

int64_t sys_now_ms(void);           /* monotonic */
int64_t sys_boot_ms(void);          /* CLOCK_BOOTTIME: goes on while the machine sleeps */
int64_t sys_wall_ms(void);          /* real time, ms since the epoch */
void sys_random(void *p, size_t n); /* getrandom; dies when the kernel has none */
/* Descriptors 0-2 that are closed are opened on /dev/null: no file of ours becomes "stdout". */
void sys_guard_std_fds(void);

#ifdef DTSBATCH_FAULTS
/* As DTSBATCH_FAULT, counting from here; NULL disarms. For tests. */
void sys_fault_arm(const char *spec);
#endif

#endif
