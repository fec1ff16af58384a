#include "sim/limits.h"

#include <string.h>

#include "base/hash.h"
#include "base/sys.h"

#define SLOTS 256 /* regions share a slot only when there are more than that */

struct bucket {
	double tokens;
	int64_t wall;
	bool begun;
};

struct bucket *buckets_new(void)
{
	struct bucket *b = sys_malloc(sizeof(*b) * SLOTS * RATE__COUNT);

	memset(b, 0, sizeof(*b) * SLOTS * RATE__COUNT);
	return b;
}

void buckets_free(struct bucket *b)
{
	sys_free(b);
}

bool bucket_take(struct bucket *b, const char *region, enum rate_class c, double per_second,
                 int64_t now_wall)
{
	double depth = per_second < 1 ? 1 : per_second; /* one second's worth */

	b += (hash_fnv1a(region, strlen(region)) % SLOTS) * RATE__COUNT + (size_t)c;
	if (!b->begun) {
		b->begun = true;
		b->tokens = depth;
	} else if (now_wall > b->wall) {
		b->tokens += (double)(now_wall - b->wall) * per_second / 1000;
		if (b->tokens > depth)
			b->tokens = depth;
	}
	b->wall = now_wall;
	if (b->tokens < 1)
		return false;
	b->tokens -= 1;
	return true;
}
