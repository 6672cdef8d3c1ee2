/* cache - values by key, bounded by number, bytes and age.
 *
 * Happy path: an entry stands in a chain of the hash table, in the list of use and in the list of
 * its lifetime class. A find follows the chain and moves the entry to the front of use; a put takes
 * expired entries off the lifetime lists, then the last of use, until there is room.
 *
 * The table is one of linear hashing (Litwin, 1980): when there are more entries than buckets, one
 * bucket is split into two. Buckets lie in segments that never move, so no step copies a table.
 *
 * A lifetime class holds the lifetimes between one value and at most five quarters of it. Its list
 * is in order of arrival, which is nearly the order of expiry: who stands behind an entry that
 * lives a little longer is taken off late by at most that quarter. There is no timer and nothing
 * to sort. A timing wheel would be exact, but moves all entries of a coarse slot at once.
 *
 * Fails without memory: cache_open() and cache_put() change nothing then. A table that cannot grow
 * only gets longer chains.
 */
#include "base/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEGMENT = 512, /* buckets; a power of two, a page of pointers */
    SEGMENTS_MAX = 1 << 16,
    ENTRY_SHARE = 24,    /* bytes of bucket and allocator for each entry */
    LIFETIME_SHIFT = 20, /* lifetimes are told apart by about a millisecond */
};

static void list_init(struct cache_link *head)
{
    head->next = head;
    head->previous = head;
}

static bool list_is_empty(const struct cache_link *head)
{
    return head->next == head;
}

static void list_insert(struct cache_link *before, struct cache_link *link)
{
    link->next = before;
    link->previous = before->previous;
    before->previous->next = link;
    before->previous = link;
}

static void list_remove(struct cache_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
}

static struct cache_entry *entry_of_use(struct cache_link *link)
{
    return (struct cache_entry *)(void *)((char *)link - offsetof(struct cache_entry, use));
}

static struct cache_entry *entry_of_age(struct cache_link *link)
{
    return (struct cache_entry *)(void *)((char *)link - offsetof(struct cache_entry, age));
}

/* Lifetimes below four units have a class each, then every power of two has four. */
static unsigned age_class(int64_t lifetime)
{
    const uint64_t units = (uint64_t)lifetime >> LIFETIME_SHIFT;
    unsigned power;

    if (units < 4)
        return (unsigned)units;
    power = 63u - (unsigned)__builtin_clzll(units);
    return 4 * (power - 1) + ((unsigned)(units >> (power - 2)) & 3u);
}

static int64_t add_time(int64_t time, int64_t ns)
{
    int64_t sum;

    assert(ns >= 0);
    return __builtin_add_overflow(time, ns, &sum) ? INT64_MAX : sum;
}

size_t cache_cost(size_t key_size, size_t bytes)
{
    const size_t own = sizeof(struct cache_entry) + ENTRY_SHARE;
    size_t cost;

    if (__builtin_add_overflow(key_size, bytes, &cost) || __builtin_add_overflow(cost, own, &cost))
        return SIZE_MAX;
    return cost;
}

/* The table. */

static struct cache_entry **bucket(const struct cache *cache, size_t at)
{
    assert(at < cache->buckets);
    return &cache->segments[at / SEGMENT].buckets[at % SEGMENT].first;
}

/* The largest power of two that is not more than the number of buckets. */
static size_t whole_part(const struct cache *cache)
{
    return (size_t)1 << (63 - __builtin_clzll(cache->buckets));
}

static struct cache_entry **bucket_of(const struct cache *cache, uint64_t hash)
{
    const size_t whole = whole_part(cache);
    const size_t at = (size_t)hash & (2 * whole - 1);

    return bucket(cache, at < cache->buckets ? at : at - whole);
}

/* Split the bucket whose turn it is, if there are more entries than buckets. */
static void grow(struct cache *cache)
{
    const size_t whole = whole_part(cache);
    const size_t added = cache->buckets;
    struct cache_segment *segment;
    struct cache_entry **from;
    struct cache_entry **to;

    if (cache->entries < added || added == cache->segment_count * SEGMENT)
        return;
    segment = &cache->segments[added / SEGMENT];
    if (segment->buckets == NULL)
        segment->buckets = calloc(SEGMENT, sizeof *segment->buckets);
    if (segment->buckets == NULL)
        return;
    cache->buckets++;
    from = bucket(cache, added - whole);
    to = bucket(cache, added);
    while (*from != NULL) {
        if (((*from)->hash & whole) == 0) {
            from = &(*from)->chain;
            continue;
        }
        *to = *from;
        *from = (*from)->chain;
        to = &(*to)->chain;
        *to = NULL;
    }
}

static bool has_key(const struct cache_entry *entry, uint64_t hash, atamo_bytes key)
{
    return entry->hash == hash && entry->key.size == key.size &&
           (key.size == 0 || memcmp(entry->key_bytes, key.data, key.size) == 0);
}

static struct cache_entry *look_up(const struct cache *cache, uint64_t hash, atamo_bytes key)
{
    struct cache_entry *entry = *bucket_of(cache, hash);

    while (entry != NULL && !has_key(entry, hash, key))
        entry = entry->chain;
    return entry;
}

/* Entries. */

static struct cache_entry *entry_new(const struct cache_item *item, int64_t now)
{
    struct cache_entry *entry = malloc(sizeof *entry + item->key.size);

    if (entry == NULL)
        return NULL;
    *entry = (struct cache_entry){
        .key = {entry->key_bytes, item->key.size},
        .value = item->value,
        .fresh_until = add_time(now, item->fresh_ns),
        .stale_until = add_time(add_time(now, item->fresh_ns), item->stale_ns),
        .hash = item->hash,
        .cost = cache_cost(item->key.size, item->bytes),
        .age_class = age_class(add_time(item->fresh_ns, item->stale_ns)),
    };
    if (item->key.size > 0)
        memcpy(entry->key_bytes, item->key.data, item->key.size);
    return entry;
}

static void enter(struct cache *cache, struct cache_entry *entry)
{
    struct cache_entry **chain = bucket_of(cache, entry->hash);
    struct cache_link *ages = &cache->ages[entry->age_class];

    if (list_is_empty(ages) && entry->stale_until < cache->next_due)
        cache->next_due = entry->stale_until;
    entry->chain = *chain;
    *chain = entry;
    list_insert(cache->used.next, &entry->use);
    list_insert(ages, &entry->age);
    cache->has_age[entry->age_class / 64] |= UINT64_C(1) << (entry->age_class % 64);
    cache->entries++;
    cache->bytes += entry->cost;
    assert(cache->entries <= cache->limits.max_entries && cache->bytes <= cache->limits.max_bytes);
}

void cache_remove(struct cache *cache, struct cache_entry *entry)
{
    struct cache_entry **chain = bucket_of(cache, entry->hash);

    while (*chain != entry)
        chain = &(*chain)->chain;
    *chain = entry->chain;
    list_remove(&entry->use);
    list_remove(&entry->age);
    if (list_is_empty(&cache->ages[entry->age_class]))
        cache->has_age[entry->age_class / 64] &= ~(UINT64_C(1) << (entry->age_class % 64));
    assert(cache->entries > 0 && cache->bytes >= entry->cost);
    cache->entries--;
    cache->bytes -= entry->cost;
    cache->drop(cache->user, entry->value);
    free(entry);
}

static void expire(struct cache *cache, struct cache_entry *entry)
{
    cache->expired++;
    cache_remove(cache, entry);
}

/* Drop one entry that is expired; false if none is known to be. */
static bool expire_one(struct cache *cache, int64_t now)
{
    int64_t due = INT64_MAX;

    if (now < cache->next_due)
        return false;
    for (unsigned word = 0; word < CACHE_AGE_WORDS; word++) {
        for (uint64_t bits = cache->has_age[word]; bits != 0; bits &= bits - 1) {
            const unsigned at = word * 64 + (unsigned)__builtin_ctzll(bits);
            struct cache_entry *oldest = entry_of_age(cache->ages[at].next);

            if (oldest->stale_until <= now) {
                expire(cache, oldest);
                return true;
            }
            if (oldest->stale_until < due)
                due = oldest->stale_until;
        }
    }
    cache->next_due = due;
    return false;
}

static void make_room(struct cache *cache, size_t cost, int64_t now)
{
    while (cache->entries == cache->limits.max_entries ||
           cache->limits.max_bytes - cache->bytes < cost) {
        struct cache_entry *last;

        if (expire_one(cache, now))
            continue;
        last = entry_of_use(cache->used.previous);
        if (last->stale_until <= now) {
            expire(cache, last);
            continue;
        }
        cache->evicted++;
        cache_remove(cache, last);
    }
}

/* What the header declares. */

int cache_open(struct cache *cache, struct cache_limits limits,
               void (*drop)(void *user, void *value), void *user)
{
    const size_t by_bytes = limits.max_bytes / cache_cost(0, 0);
    const size_t most = limits.max_entries < by_bytes ? limits.max_entries : by_bytes;
    const size_t segments = most / SEGMENT + 1;
    struct cache opened = {
        .next_due = INT64_MAX,
        .limits = limits,
        .drop = drop,
        .user = user,
        .segment_count = segments < SEGMENTS_MAX ? segments : SEGMENTS_MAX,
        .buckets = SEGMENT,
    };

    opened.segments = calloc(opened.segment_count, sizeof *opened.segments);
    if (opened.segments == NULL)
        return ATAMO_NO_MEMORY;
    opened.segments[0].buckets = calloc(SEGMENT, sizeof *opened.segments[0].buckets);
    if (opened.segments[0].buckets == NULL) {
        free(opened.segments);
        return ATAMO_NO_MEMORY;
    }
    *cache = opened;
    list_init(&cache->used);
    for (unsigned i = 0; i < CACHE_AGES; i++)
        list_init(&cache->ages[i]);
    return ATAMO_OK;
}

void cache_clear(struct cache *cache)
{
    while (!list_is_empty(&cache->used))
        cache_remove(cache, entry_of_use(cache->used.previous));
    cache->next_due = INT64_MAX;
    assert(cache->entries == 0 && cache->bytes == 0);
}

void cache_close(struct cache *cache)
{
    cache_clear(cache);
    for (size_t i = 0; i < cache->segment_count && cache->segments[i].buckets != NULL; i++)
        free(cache->segments[i].buckets);
    free(cache->segments);
}

struct cache_entry *cache_find(struct cache *cache, uint64_t hash, atamo_bytes key, int64_t now)
{
    struct cache_entry *entry = look_up(cache, hash, key);

    if (entry == NULL)
        return NULL;
    if (entry->stale_until <= now) {
        expire(cache, entry);
        return NULL;
    }
    list_remove(&entry->use);
    list_insert(cache->used.next, &entry->use);
    return entry;
}

int cache_put(struct cache *cache, const struct cache_item *item, int64_t now)
{
    const size_t cost = cache_cost(item->key.size, item->bytes);
    struct cache_entry *entry;
    struct cache_entry *old;

    if (cache->limits.max_entries == 0 || cost > cache->limits.max_bytes)
        return ATAMO_TOO_LARGE;
    entry = entry_new(item, now);
    if (entry == NULL)
        return ATAMO_NO_MEMORY;
    old = look_up(cache, item->hash, item->key);
    if (old != NULL)
        cache_remove(cache, old);
    make_room(cache, cost, now);
    grow(cache);
    enter(cache, entry);
    return ATAMO_OK;
}

size_t cache_age(struct cache *cache, int64_t now, size_t most)
{
    size_t dropped = 0;

    while (dropped < most && expire_one(cache, now))
        dropped++;
    return dropped;
}
