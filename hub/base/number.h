/* number - the number of a message, and the UUID that stands for it.
 *
 * A number says when and where the message came in: 42 bits of Unix milliseconds, 10 bits of
 * client, 12 bits of count. So each client can number its own messages without asking anybody,
 * numbers sort by time, and the id of an event whose client gave none need not be stored: it is a
 * UUID version 7 (RFC 9562) made of the number and of 52 bits that belong to the hub.
 */
#ifndef HUB_BASE_NUMBER_H
#define HUB_BASE_NUMBER_H

#include <atamo/status.h>

#include <stdint.h>

enum { NUMBER_CLIENT_BITS = 10, NUMBER_COUNT_BITS = 12, NUMBER_CLIENTS = 1 << NUMBER_CLIENT_BITS };

/* Who gives out numbers: one for each client. */
struct number_source {
    uint64_t last;   /* milliseconds and count, without the client */
    uint32_t client; /* below NUMBER_CLIENTS */
};

/* The next number. A client that makes more than 4,096 a millisecond borrows from the next one. */
static inline uint64_t number_next(struct number_source *source, int64_t now_ns)
{
    const uint64_t clock = (uint64_t)(now_ns / 1000000) << NUMBER_COUNT_BITS;
    uint64_t count_mask = (UINT64_C(1) << NUMBER_COUNT_BITS) - 1;

    source->last = clock > source->last ? clock : source->last + 1;
    return (source->last & ~count_mask) << NUMBER_CLIENT_BITS |
           (uint64_t)source->client << NUMBER_COUNT_BITS | (source->last & count_mask);
}

/* When a message came in, by its number: Unix ns, in whole milliseconds. */
static inline int64_t number_time(uint64_t number)
{
    return (int64_t)(number >> (NUMBER_CLIENT_BITS + NUMBER_COUNT_BITS)) * 1000000;
}

/* The UUID of a number in the hub with this `node` (52 bits used): 36 characters and a NUL. */
void number_to_uuid(uint64_t number, uint64_t node, char uuid[37]);

/* The number in a UUID that this node made; 0 for any other text. */
uint64_t number_from_uuid(atamo_bytes uuid, uint64_t node);

#endif
