/*
 * The rehearsal: `--simulate` beside a real state begins with what that state knows. The real
 * files are read, never written.
 */
#ifndef CLI_REHEARSE_H
#define CLI_REHEARSE_H

#include "cli/session.h"

/* When there is a real state and neither a simulated one nor a world: s->rehearsed and s->seed.
 * Before the simulator starts. */
int rehearse_open(struct session *s, struct err *e);
/* The records into the simulated state; says so. After the simulator has its world, so that a
 * state never stands without one. */
int rehearse_begin(struct session *s, struct err *e);
/* The world as the records have it: text in the format of src/sim/README.md. */
const char *rehearse_world(struct arena *a, const struct record *const *recs, size_t n,
                           int64_t now_ms);

#endif
