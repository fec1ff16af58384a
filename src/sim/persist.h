/* The world file: JSON, one object a line, readable and editable by hand. */
#ifndef SIM_PERSIST_H
#define SIM_PERSIST_H

#include <stddef.h>

struct buf;
struct err;
struct world;

void world_write(struct world *w, struct buf *out); /* also the answer of /_sim/world */
/* Atomic; the old file is untouched on failure. */
int world_save(struct world *w, const char *path, struct err *e);
/* text into an empty world; name is for messages. */
int world_parse(struct world *w, const char *text, size_t n, const char *name, struct err *e);
/* No file: an empty world. A damaged or foreign file: ERR_STATE_READ. */
int world_load(struct world *w, const char *path, struct err *e);

#endif
