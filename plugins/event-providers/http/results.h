/* results - what is stored for clients that are away or slow: the responses of each request, and
 * how much that is of all of them.
 *
 * A request's policy says what happens beyond its `queue`: the oldest goes, or the one that a newer
 * one stands for, or (block) nothing does and the hub holds its agents up. Readers notice by the
 * sequence numbers that something went. All costs constant time, but for looking up a place.
 */
#ifndef HTTP_RESULTS_H
#define HTTP_RESULTS_H

#include <atamo/hub.h>

#include <stdbool.h>

enum { RESULTS_BYTES_MAX = 16 << 20, RESULTS_BUCKETS = 256 };

struct result {
    struct result *next, *previous; /* of its request, by sequence */
    struct result *newer, *older;   /* of all that may go, if it may */
    struct result *same;            /* in its bucket */
    struct results *of;
    uint64_t sequence;
    uint32_t kind; /* enum atamo_reply_kind */
    uint32_t refs; /* one of its request, and one of each reader in the middle of it */
    bool may_go;
    bool is_keyed; /* stands in a bucket */
    size_t key_size, size;
    char bytes[]; /* what it stands for; then its JSON */
};

/* Of one request. */
struct results {
    struct results_pool *pool;
    struct result *first, *last;
    struct result *untaken; /* block: the first one that no reader has taken; NULL: none */
    struct result **by_key; /* RESULTS_BUCKETS lists, made when they are needed */
    uint32_t slow;          /* enum atamo_slow */
    uint32_t most;
    size_t count; /* of those that count as waiting */
    size_t bytes, untaken_bytes;
};

/* Of all requests. */
struct results_pool {
    struct result *oldest, *newest; /* of those that may go */
    size_t bytes, most;
    uint64_t dropped;
};

void results_open(struct results *results, struct results_pool *pool, uint32_t slow, uint32_t most);
void results_close(struct results *results);

/* Store a reply as this JSON. ATAMO_NO_MEMORY; ATAMO_FULL: with block, it would be more than may be
 * stored. */
int results_add(struct results *results, const atamo_reply *reply, atamo_bytes json);

/* Readers have taken all up to that one. Returns how many more that are that count as waiting. */
uint32_t results_taken(struct results *results, uint64_t sequence);

/* The first one after that; NULL: there is none. */
const struct result *results_after(const struct results *results, uint64_t sequence);

/* After which number the last `count` begin. */
uint64_t results_before_last(const struct results *results, uint64_t count);

/* It stays, though its request may drop it, until whoever holds it lets go. It counts as stored. */
struct result *result_hold(const struct result *result);
void result_let_go(struct result *result);

/* Its JSON: an object. */
atamo_bytes result_json(const struct result *result);

/* Does so much wait for readers that no further request is to be taken? */
bool results_are_full(const struct results_pool *pool);

#endif
