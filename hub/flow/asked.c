/* asked - requests by id. A table without memory to grow is slower, not wrong; only the first
 * buckets can be missing. */
#include "flow/asked.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

enum { SMALLEST = 16 };

void asked_close(struct asked *asked)
{
    assert(asked->count == 0);
    free((void *)asked->buckets);
    *asked = (struct asked){0};
}

static struct request **bucket_of(const struct asked *asked, uint64_t id)
{
    return &asked->buckets[hash_mix(id, UINT64_C(0x9e3779b97f4a7c15)) & (asked->size - 1)];
}

static bool grow(struct asked *asked)
{
    const struct asked before = *asked;
    struct asked grown = {.count = before.count,
                          .size = before.size == 0 ? SMALLEST : 2 * before.size};

    grown.buckets = calloc(grown.size, sizeof(struct request *));
    if (grown.buckets == NULL)
        return false;
    for (uint32_t i = 0; i < before.size; i++) {
        struct request *request = before.buckets[i];

        while (request != NULL) {
            struct request *next = request->same_bucket;
            struct request **bucket = bucket_of(&grown, request->id);

            request->same_bucket = *bucket;
            *bucket = request;
            request = next;
        }
    }
    free((void *)before.buckets);
    *asked = grown;
    return true;
}

int asked_reserve(struct asked *asked)
{
    if (asked->count >= asked->size && !grow(asked) && asked->size == 0)
        return ATAMO_NO_MEMORY;
    return ATAMO_OK;
}

void asked_add(struct asked *asked, struct request *request)
{
    struct request **bucket = bucket_of(asked, request->id);
    const uint32_t place = (uint32_t)(bucket - asked->buckets);

    request->same_bucket = *bucket;
    *bucket = request;
    asked->count++;
    asked->look = place < asked->look ? place : asked->look;
}

struct request *asked_find(const struct asked *asked, uint64_t id)
{
    struct request *request = asked->size == 0 ? NULL : *bucket_of(asked, id);

    while (request != NULL && request->id != id)
        request = request->same_bucket;
    return request;
}

void asked_remove(struct asked *asked, const struct request *request)
{
    struct request **at = bucket_of(asked, request->id);

    while (*at != request)
        at = &(*at)->same_bucket;
    *at = request->same_bucket;
    asked->count--;
}

struct request *asked_any(struct asked *asked)
{
    if (asked->count == 0)
        return NULL;
    while (asked->buckets[asked->look] == NULL)
        asked->look++;
    return asked->buckets[asked->look];
}
