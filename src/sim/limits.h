/* Token buckets per region and class of action (dts-api.md 8), in real time. */
#ifndef SIM_LIMITS_H
#define SIM_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct bucket;

enum rate_class { RATE_LIST, RATE_DETAIL, RATE_READ, RATE_WRITE, RATE__COUNT };

struct bucket *buckets_new(void);
void buckets_free(struct bucket *b);
/* True if one more request of this class may pass now. */
bool bucket_take(struct bucket *b, const char *region, enum rate_class c, double per_second,
                 int64_t now_wall);

#endif
