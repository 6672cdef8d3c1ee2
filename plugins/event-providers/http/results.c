/* results - what is stored for clients that are away or slow.
 *
 * Happy path: a result is appended to its request's list, and to that of all results that may go;
 * then those that are too many go: of the request first, of all afterwards. With block a result may
 * go when a reader has taken it, but stays while there is room for bytes: it may be on its way
 * still, in a connection that breaks. The end of an agent's part is told to whoever comes: it goes
 * with its request only. Fails without memory; a table of keys that cannot be made leaves latest as
 * drop-oldest.
 */
#include "results.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void results_open(struct results *results, struct results_pool *pool, uint32_t slow, uint32_t most)
{
    *results = (struct results){.pool = pool, .slow = slow, .most = most};
}

static size_t size_of(const struct result *result)
{
    return sizeof *result + result->key_size + result->size;
}

static bool counts(const struct result *result)
{
    return result->kind != ATAMO_REPLY_PART;
}

/* --- of all */

static void may_go(struct result *result)
{
    struct results_pool *pool = result->of->pool;

    assert(!result->may_go);
    result->may_go = true;
    result->older = pool->newest;
    if (pool->newest == NULL)
        pool->oldest = result;
    else
        pool->newest->newer = result;
    pool->newest = result;
}

static void keep_back(struct result *result)
{
    struct results_pool *pool = result->of->pool;

    if (!result->may_go)
        return;
    assert((result->older == NULL) == (result == pool->oldest));
    result->may_go = false;
    if (result->older == NULL)
        pool->oldest = result->newer;
    else
        result->older->newer = result->newer;
    if (result->newer == NULL)
        pool->newest = result->older;
    else
        result->newer->older = result->older;
}

bool results_are_full(const struct results_pool *pool)
{
    return pool->bytes >= pool->most && pool->oldest == NULL;
}

struct result *result_hold(const struct result *result)
{
    struct result *held = (struct result *)(uintptr_t)result;

    held->refs++;
    return held;
}

void result_let_go(struct result *result)
{
    if (--result->refs > 0)
        return;
    result->of->pool->bytes -= size_of(result);
    free(result);
}

/* --- by key */

static uint64_t hash_of(const struct result *result)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (size_t i = 0; i < result->key_size; i++)
        hash = (hash ^ (unsigned char)result->bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static struct result **bucket_of(const struct results *results, const struct result *result)
{
    return &results->by_key[hash_of(result) % RESULTS_BUCKETS];
}

static bool is_same(const struct result *a, const struct result *b)
{
    return a->key_size == b->key_size && memcmp(a->bytes, b->bytes, a->key_size) == 0;
}

/* --- one more, one less */

static void take_out(struct result *result)
{
    struct results *results = result->of;
    struct result *next = result->next;

    assert(results->untaken != result);
    assert((result->previous == NULL) == (result == results->first));
    keep_back(result);
    if (result->is_keyed) {
        struct result **at = bucket_of(results, result);

        while (*at != result)
            at = &(*at)->same;
        *at = result->same;
    }
    if (result->previous == NULL)
        results->first = next;
    else
        result->previous->next = next;
    if (next == NULL)
        results->last = result->previous;
    else
        next->previous = result->previous;
    results->count -= counts(result);
    results->bytes -= size_of(result);
    result_let_go(result);
}

static void drop(struct result *result)
{
    result->of->pool->dropped++;
    take_out(result);
}

void results_close(struct results *results)
{
    results->untaken = NULL;
    while (results->first != NULL)
        take_out(results->first);
    free((void *)results->by_key);
    results->by_key = NULL;
}

/* The one that the newest stands for. */
static struct result *outdated(const struct results *results, const struct result *newest)
{
    struct result *other = newest->same;

    while (other != NULL && !is_same(other, newest))
        other = other->same;
    return newest->is_keyed && results->by_key != NULL ? other : NULL;
}

static struct result *first_to_go(const struct results *results)
{
    struct result *result = results->first;

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed is in no list */
    while (result != NULL && !result->may_go)
        result = result->next;
    return result;
}

static void make_room(struct results *results)
{
    const bool blocks = results->slow == ATAMO_SLOW_BLOCK;
    struct result *going;

    while (((!blocks && results->count > results->most) || results->bytes > RESULTS_BYTES_MAX) &&
           (going = first_to_go(results)) != NULL && going != results->last)
        drop(going);
    while (results->pool->bytes > results->pool->most && results->pool->oldest != NULL)
        drop(results->pool->oldest); /* NOLINT(clang-analyzer-unix.Malloc): as above */
}

/* --- adding */

/* Progress stands for itself: the newer one of an agent is the one that counts. */
static bool has_key(const struct results *results, const atamo_reply *reply)
{
    return results->slow == ATAMO_SLOW_LATEST &&
           (reply->kind == ATAMO_REPLY_PROGRESS ||
            (reply->kind == ATAMO_REPLY_DATA && reply->key.size > 0));
}

static char *put(char *at, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(at, bytes, size);
    return at + size;
}

static struct result *make(struct results *results, const atamo_reply *reply, atamo_bytes json)
{
    const char kind = (char)reply->kind;
    const bool is_keyed = has_key(results, reply);
    const size_t key_size =
        is_keyed ? 1 + reply->agent.size + 1 + reply->rule.size + 1 + reply->key.size : 0;
    struct result *result = malloc(sizeof *result + key_size + json.size);
    char *at;

    if (result == NULL)
        return NULL;
    *result = (struct result){.of = results,
                              .refs = 1,
                              .sequence = reply->sequence,
                              .kind = reply->kind,
                              .key_size = key_size,
                              .size = json.size};
    at = result->bytes;
    if (is_keyed) {
        at = put(at, &kind, 1);
        at = put(at, reply->agent.data, reply->agent.size);
        at = put(at, "", 1);
        at = put(at, reply->rule.data, reply->rule.size);
        at = put(at, "", 1);
        at = put(at, reply->key.data, reply->key.size);
    }
    (void)put(at, json.data, json.size);
    return result;
}

static void append(struct results *results, struct result *result)
{
    result->previous = results->last;
    if (results->last == NULL)
        results->first = result;
    else
        results->last->next = result;
    results->last = result;
    results->count += counts(result);
    results->bytes += size_of(result);
    results->pool->bytes += size_of(result);
}

static void file_by_key(struct results *results, struct result *result)
{
    struct result **bucket;

    if (result->key_size == 0)
        return;
    if (results->by_key == NULL)
        results->by_key = calloc(RESULTS_BUCKETS, sizeof(struct result *));
    if (results->by_key == NULL)
        return;
    bucket = bucket_of(results, result);
    result->same = *bucket;
    *bucket = result;
    result->is_keyed = true;
}

int results_add(struct results *results, const atamo_reply *reply, atamo_bytes json)
{
    struct result *result = make(results, reply, json);
    struct result *other;

    if (result == NULL)
        return ATAMO_NO_MEMORY;
    if (results->slow == ATAMO_SLOW_BLOCK &&
        (results->untaken_bytes + size_of(result) > RESULTS_BYTES_MAX ||
         results_are_full(results->pool))) {
        free(result);
        return ATAMO_FULL;
    }
    append(results, result);
    file_by_key(results, result);
    if (results->slow == ATAMO_SLOW_BLOCK) {
        results->untaken_bytes += size_of(result);
        if (results->untaken == NULL)
            results->untaken = result;
    } else if (counts(result)) {
        may_go(result);
    }
    other = outdated(results, result);
    if (other != NULL)
        drop(other);
    make_room(results);
    return ATAMO_OK;
}

/* --- reading */

uint32_t results_taken(struct results *results, uint64_t sequence)
{
    uint32_t count = 0;

    while (results->untaken != NULL && results->untaken->sequence <= sequence) {
        struct result *result = results->untaken;

        results->untaken = result->next;
        results->untaken_bytes -= size_of(result);
        if (!counts(result))
            continue;
        count++;
        may_go(result);
    }
    make_room(results);
    return count;
}

/* From the end that is nearer: readers mostly want the last ones. */
const struct result *results_after(const struct results *results, uint64_t sequence)
{
    const struct result *first = results->first;
    const struct result *last = results->last;

    if (last == NULL || last->sequence <= sequence)
        return NULL;
    if (first->sequence > sequence)
        return first;
    if (sequence - first->sequence < last->sequence - sequence) {
        while (first->sequence <= sequence)
            first = first->next;
        return first;
    }
    while (last->previous->sequence > sequence)
        last = last->previous;
    return last;
}

uint64_t results_before_last(const struct results *results, uint64_t count)
{
    const struct result *first = results->last;

    if (first == NULL)
        return 0;
    while (--count > 0 && first->previous != NULL)
        first = first->previous;
    return first->sequence - 1;
}

atamo_bytes result_json(const struct result *result)
{
    return (atamo_bytes){result->bytes + result->key_size, result->size};
}
