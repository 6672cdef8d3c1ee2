/* record - how a record stands in the database. Nothing here can fail but by a checksum that does
 * not fit, which the record then says of itself. */
#include "record.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

size_t record_key(char *out, atamo_bytes space, atamo_bytes key)
{
    assert(space.size <= ATAMO_SPACE_MAX && key.size <= ATAMO_KEY_MAX);
    memcpy(out, space.data, space.size);
    out[space.size] = '\0';
    if (key.size > 0)
        memcpy(out + space.size + 1, key.data, key.size);
    return space.size + 1 + key.size;
}

/* Of everything behind the checksum, and of the key. */
static uint64_t checksum(atamo_bytes key, const char *value, size_t size)
{
    const uint64_t seed = XXH3_64bits(key.data, key.size);

    return XXH3_64bits_withSeed(value + 8, RECORD_HEAD - 8 + size, seed);
}

static void put64(char *at, uint64_t number)
{
    const uint64_t little = htole64(number);

    memcpy(at, &little, sizeof little);
}

static uint64_t get64(const char *at)
{
    uint64_t little;

    memcpy(&little, at, sizeof little);
    return le64toh(little);
}

void record_seal(atamo_bytes key, char *value, size_t size, uint64_t version)
{
    put64(value + 8, version);
    put64(value, checksum(key, value, size));
}

atamo_record record_open(atamo_bytes key, atamo_bytes value)
{
    atamo_record record = {.key = key, .value = {"", 0}, .status = ATAMO_DAMAGED};

    if (value.size < RECORD_HEAD ||
        get64(value.data) != checksum(key, value.data, value.size - RECORD_HEAD))
        return record;
    record.version = get64(value.data + 8);
    record.value = (atamo_bytes){value.data + RECORD_HEAD, value.size - RECORD_HEAD};
    record.status = ATAMO_OK;
    return record;
}
