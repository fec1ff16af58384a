/*
 * The nonce fence: a signature nonce is refused again for 15 minutes of real
 * time (alibaba-auth.md 1.8). A harmless read signed with the nonce of a
 * purchase therefore tells whether the purchase ever arrived.
 */
#ifndef SIM_FENCE_H
#define SIM_FENCE_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct fence;

struct fence *fence_new(void);
void fence_free(struct fence *f);
/*
 * True: used within window_ms before now. False: now it is used. keep: goes into the world file;
 * those of reads do not, or a long run would fill it.
 */
bool fence_seen(struct fence *f, const char *nonce, int64_t now_wall, int64_t window_ms, bool keep);
/* For the world file: `{"nonce": "...", "wall_ms": N}` objects, one a line, those still refused. */
void fence_write(const struct fence *f, struct buf *out, int64_t now_wall, int64_t window_ms);
void fence_restore(struct fence *f, const char *nonce, int64_t wall_ms);

#endif
