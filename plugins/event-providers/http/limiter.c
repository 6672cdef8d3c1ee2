/* limiter - how many calls a second each client may make.
 *
 * Happy path: the client's allowance is found in its set, grown by the time that has passed, and
 * one is taken. Memory is fixed: a client that is pushed out begins with a full allowance, so the
 * limit can be missed by somebody with thousands of addresses, and never hits an innocent one.
 */
#include "limiter.h"

#include <stddef.h>

uint64_t limiter_key(const void *bytes, uint64_t size)
{
    const unsigned char *at = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (uint64_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash == 0 ? 1 : hash;
}

/* The client's place, or that of who was quiet the longest. */
static struct allowance *find(struct limiter *limiter, uint64_t key, int64_t now_ms)
{
    struct allowance *set = limiter->sets[(key ^ (key >> 32)) % LIMITER_SETS];
    struct allowance *oldest = &set[0];

    for (size_t i = 0; i < LIMITER_WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key == 0 || (oldest->key != 0 && set[i].at_ms < oldest->at_ms))
            oldest = &set[i];
    }
    *oldest = (struct allowance){.key = key, .left = (double)limiter->rate, .at_ms = now_ms};
    return oldest;
}

bool limiter_take(struct limiter *limiter, uint64_t key, int64_t now_ms)
{
    const double rate = (double)limiter->rate;
    struct allowance *mine;

    if (limiter->rate == 0)
        return true;
    mine = find(limiter, key, now_ms);
    mine->left += (double)(now_ms - mine->at_ms) * rate / 1000.0;
    mine->left = mine->left < rate ? mine->left : rate;
    mine->at_ms = now_ms;
    if (mine->left < 1)
        return false;
    mine->left -= 1;
    return true;
}
