/* The world file: JSON, one object a line, readable and editable by hand. */
#ifndef SIM_PERSIST_H
#define SIM_PERSIST_H

struct buf;
struct err;
struct world;

void world_write(struct world *w, struct buf *out); /* also the answer of /_sim/world */
/* Atomic; the old file is untouched on failure. */
int world_save(struct world *w, const char *path, struct err *e);
/* No file: an empty world. A damaged or foreign file: ERR_STATE_READ. */
int world_load(struct world *w, const char *path, struct err *e);

#endif
