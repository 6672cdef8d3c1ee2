/* random - a small generator for jitter and simulation, never for secrets.
 *
 * SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): one
 * addition and three mixes a number, any seed is good, the same seed gives the same numbers.
 */
#ifndef HUB_BASE_RANDOM_H
#define HUB_BASE_RANDOM_H

#include <stdint.h>

__extension__ typedef unsigned __int128 random_wide;

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to bound - 1; 0 for bound 0. The bias is below 2^-32 for bounds below 2^32. */
static inline uint64_t random_below(struct random *random, uint64_t bound)
{
    return (uint64_t)((random_wide)random_next(random) * bound >> 64);
}

#endif
