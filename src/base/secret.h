/*
 * The home of secret text. Pages are locked where RLIMIT_MEMLOCK allows
 * (secret_locked() tells), kept out of core dumps and wiped at secret_wipe_all().
 * Out of memory ends the process, as in arena.h.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Copy of n bytes, NUL-terminated, that lives until secret_wipe_all(). */
char *secret_dup(const char *s, size_t n);
bool secret_locked(void);
void secret_wipe_all(void);
/* Make this process unreadable to others: no core file, not dumpable. Call once at start. */
void secret_harden_process(void);
/*
 * Replace every occurrence of every secret handed to secret_dup (raw, percent-encoded once or, as
 * in a string-to-sign, twice, JSON-escaped; only those of 4 bytes or more) in s by "***". For texts of
 * the service that may quote what we sent. Returns s itself when nothing matched.
 */
struct arena;
const char *secret_mask(struct arena *a, const char *s);

#endif
