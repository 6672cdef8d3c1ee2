/* bucket - a token bucket. Taking cannot fail; it may only have to wait. */
#include "base/bucket.h"

#include "base/clock.h"

#include <assert.h>

void bucket_init(struct bucket *bucket, uint32_t rate, uint32_t burst)
{
    assert(rate > 0 && rate <= BUCKET_RATE_MAX);
    assert(burst > 0 && burst <= BUCKET_BURST_MAX);

    bucket->token_ns = NS_PER_S / (int64_t)rate;
    bucket->burst_ns = bucket->token_ns * (int64_t)burst;
    bucket->full_at = 0;
}

int64_t bucket_take(struct bucket *bucket, int64_t now)
{
    const int64_t missing = bucket->full_at > now ? bucket->full_at - now : 0;
    const int64_t after = missing + bucket->token_ns;

    if (after > bucket->burst_ns)
        return after - bucket->burst_ns;
    bucket->full_at = now + after;
    return 0;
}
