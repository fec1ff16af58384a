/*
 * String -> uint32 hash map, open addressing. Keys are not copied: they must
 * outlive the map. Memory comes from the arena given at init.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define MAP_NONE UINT32_MAX

struct map {
	struct arena *a;
	struct map_slot *slot;
	size_t n, cap;
};

void map_init(struct map *m, struct arena *a);
uint32_t map_get(const struct map *m, const char *key); /* MAP_NONE if absent */
/* Sets key; returns the former value or MAP_NONE. Value MAP_NONE is not allowed. */
uint32_t map_put(struct map *m, const char *key, uint32_t value);

#endif
