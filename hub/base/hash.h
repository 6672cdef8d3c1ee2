/* hash - 64 bits from bytes, for look-up tables inside one process.
 *
 * Seeded, so that nobody outside can choose keys that collide. Not for anything that is stored or
 * sent, and not for secrets.
 */
#ifndef HUB_BASE_HASH_H
#define HUB_BASE_HASH_H

#include <atamo/status.h>

#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_wide;

/* Multiply to 128 bits and fold: one round of mixing. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    const hash_wide product = (hash_wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_load(const char *data, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, data, size);
    return word;
}

static inline uint64_t hash_bytes(uint64_t seed, atamo_bytes bytes)
{
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    const char *at = bytes.data;
    size_t left = bytes.size;
    uint64_t hash = seed ^ (bytes.size * k);

    for (; left >= 8; at += 8, left -= 8)
        hash = hash_mix(hash ^ hash_load(at, 8), k);
    if (left > 0)
        hash = hash_mix(hash ^ hash_load(at, left), k);
    return hash_mix(hash, UINT64_C(0xd6e8feb86659fd93));
}

#endif
