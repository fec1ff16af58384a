#include "base/map.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

struct map_slot {
	const char *key; /* NULL: free */
	uint32_t hash;   /* compared first: a miss rarely reads the key */
	uint32_t value;
};

void map_init(struct map *m, struct arena *a)
{
	*m = (struct map){.a = a};
}

static uint32_t hash_of(const char *key)
{
	uint64_t h = hash_fnv1a(key, strlen(key));

	return (uint32_t)(h ^ h >> 32);
}

/* The slot of key, or the free one where it belongs. cap is a power of two and never full. */
static struct map_slot *find(struct map_slot *slot, size_t cap, const char *key, uint32_t h)
{
	size_t i = h & (cap - 1);

	while (slot[i].key && (slot[i].hash != h || strcmp(slot[i].key, key) != 0))
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

uint32_t map_get(const struct map *m, const char *key)
{
	const struct map_slot *s;

	if (!m->cap)
		return MAP_NONE;
	s = find(m->slot, m->cap, key, hash_of(key));
	return s->key ? s->value : MAP_NONE;
}

static void grow(struct map *m)
{
	size_t cap = m->cap ? m->cap * 2 : 16;
	struct map_slot *slot = arena_array(m->a, struct map_slot, cap);

	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].key)
			*find(slot, cap, m->slot[i].key, m->slot[i].hash) = m->slot[i];
	m->slot = slot;
	m->cap = cap;
}

uint32_t map_put(struct map *m, const char *key, uint32_t value)
{
	uint32_t h = hash_of(key), former;
	struct map_slot *s;

	if (value == MAP_NONE)
		BUG("MAP_NONE is no value");
	if (m->n + 1 > m->cap / 4 * 3)
		grow(m);
	s = find(m->slot, m->cap, key, h);
	if (s->key) {
		former = s->value;
		s->value = value;
		return former;
	}
	*s = (struct map_slot){.key = key, .hash = h, .value = value};
	m->n++;
	return MAP_NONE;
}
