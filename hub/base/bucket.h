/* bucket - a token bucket: how often something may happen.
 *
 * The whole state is one instant: when the bucket will be full again (the generic cell rate
 * algorithm, ITU-T I.371). There is no refill timer, nothing drifts, and a bucket that is not used
 * costs nothing. The caller brings the time. Belongs to one thread.
 */
#ifndef HUB_BASE_BUCKET_H
#define HUB_BASE_BUCKET_H

#include <stdint.h>

enum { BUCKET_RATE_MAX = 1000000000, BUCKET_BURST_MAX = 1000000 };

struct bucket {
    int64_t token_ns; /* what one token costs */
    int64_t burst_ns; /* what a full bucket holds */
    int64_t full_at;  /* when it is full again */
};

/* Start full: `rate` tokens a second, `burst` at most at once; both at least 1. */
void bucket_init(struct bucket *bucket, uint32_t rate, uint32_t burst);

/* Take one token: 0, or the nanoseconds to wait before it is worth asking again. */
int64_t bucket_take(struct bucket *bucket, int64_t now);

#endif
