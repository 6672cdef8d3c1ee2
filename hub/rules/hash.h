/* hash - a fast hash of short texts and of numbers, for tables that are built from configuration.
 * Events only look things up, so nobody outside can fill a chain.
 */
#ifndef HUB_RULES_HASH_H
#define HUB_RULES_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_wide;

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    const hash_wide product = (hash_wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_word(const char *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof word);
    return word;
}

static inline uint64_t hash_half(const char *data)
{
    uint32_t word;

    memcpy(&word, data, sizeof word);
    return word;
}

static inline uint64_t hash_number(uint64_t number, uint64_t seed)
{
    return hash_mix(number ^ 0x9e3779b97f4a7c15u, seed ^ 0xd6e8feb86659fd93u);
}

static inline uint64_t hash_bytes(const char *data, size_t size, uint64_t seed)
{
    uint64_t sum = hash_number(size, seed);

    for (; size > 16; data += 16, size -= 16)
        sum = hash_mix(hash_word(data) ^ 0xa0761d6478bd642fu, hash_word(data + 8) ^ sum);
    if (size >= 8)
        return hash_mix(hash_word(data) ^ 0xe7037ed1a0b428dbu, hash_word(data + size - 8) ^ sum);
    if (size >= 4)
        return hash_mix(hash_half(data) ^ 0xe7037ed1a0b428dbu, hash_half(data + size - 4) ^ sum);
    if (size > 0) {
        const uint64_t word = (uint64_t)(unsigned char)data[0] << 16 |
                              (uint64_t)(unsigned char)data[size / 2] << 8 |
                              (unsigned char)data[size - 1];

        return hash_mix(word ^ 0xe7037ed1a0b428dbu, sum);
    }
    return sum;
}

#endif
