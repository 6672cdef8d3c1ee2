/* cache - values by key, bounded by number, bytes and age.
 *
 * A value is fresh for a time, then stale for a time, then expired: nobody gets it any more. When
 * there is no room, expired values go first, then the one that nobody has used for longest. Every
 * operation takes constant time: the table grows by one bucket a value, and entries wait for their
 * age in lists of like lifetime, so no operation pays for many others.
 *
 * Keys are copied, values belong to the cache until it gives them to `drop`, once each: when they
 * are replaced, removed, evicted, expired or cleared. `drop` must not call the cache it is called
 * from. The caller brings the time, which does not go back. Belongs to one thread; may not move in
 * memory while it is open.
 */
#ifndef HUB_BASE_CACHE_H
#define HUB_BASE_CACHE_H

#include <atamo/status.h>

#include <stdbool.h>
#include <stdint.h>

enum { CACHE_AGES = 168, CACHE_AGE_WORDS = (CACHE_AGES + 63) / 64 };

struct cache_limits {
    size_t max_entries;
    size_t max_bytes; /* of values, keys and what the cache itself needs for each */
};

struct cache_link {
    struct cache_link *next, *previous;
};

/* Lasts until the value is dropped. Only the first four fields are for the user. */
struct cache_entry {
    atamo_bytes key;
    void *value;
    int64_t fresh_until; /* before this time it is fresh */
    int64_t stale_until; /* from this time on it is expired; never before fresh_until */

    struct cache_link use; /* the latest used first */
    struct cache_link age; /* of one lifetime class, the oldest first */
    struct cache_entry *chain;
    uint64_t hash;
    size_t cost; /* all bytes that are counted for it */
    unsigned age_class;
    char key_bytes[];
};

struct cache_bucket {
    struct cache_entry *first;
};

struct cache_segment {
    struct cache_bucket *buckets; /* NULL: none was needed yet */
};

/* The user reads the counters and `next_due`. */
struct cache {
    size_t entries;
    size_t bytes;
    uint64_t evicted; /* values that were dropped for room */
    uint64_t expired; /* values that were dropped because of their age */
    int64_t next_due; /* cache_age() has nothing to do before; INT64_MAX: nothing at all */

    struct cache_limits limits;
    void (*drop)(void *user, void *value);
    void *user;
    struct cache_segment *segments;
    size_t segment_count;
    size_t buckets;
    struct cache_link used;
    struct cache_link ages[CACHE_AGES];
    uint64_t has_age[CACHE_AGE_WORDS]; /* which lists of `ages` hold something */
};

/* What is put. */
struct cache_item {
    uint64_t hash; /* of the key, well mixed: hash_bytes() */
    atamo_bytes key;
    void *value;
    size_t bytes;     /* of the value; the cache adds the key's and its own */
    int64_t fresh_ns; /* how long it is fresh; at least 0 */
    int64_t stale_ns; /* and how long stale after that; at least 0 */
};

/* Empty, with what it needs to begin: some 4 KB and 8 bytes for each 512 entries that are possible.
 * ATAMO_NO_MEMORY. */
int cache_open(struct cache *cache, struct cache_limits limits,
               void (*drop)(void *user, void *value), void *user);

/* Drop everything and free all memory. */
void cache_close(struct cache *cache);

/* Drop everything, however long that takes. The counters of what was evicted and expired stay. */
void cache_clear(struct cache *cache);

/* The entry with this key if it is fresh or stale: from now on the latest used. NULL if there is
 * none; one that is expired is dropped. */
struct cache_entry *cache_find(struct cache *cache, uint64_t hash, atamo_bytes key, int64_t now);

/* Put a value in the place of what is there with this key, if something is. ATAMO_TOO_LARGE if it
 * does not fit even alone, ATAMO_NO_MEMORY: then nothing was changed and the value stays the
 * caller's. The key may be that of an entry of this cache. */
int cache_put(struct cache *cache, const struct cache_item *item, int64_t now);

void cache_remove(struct cache *cache, struct cache_entry *entry);

/* Drop up to `most` entries that are expired, and return how many. Who calls this now and then gets
 * the memory back without look-ups: at most a quarter of its lifetime and a millisecond after an
 * entry has expired. */
size_t cache_age(struct cache *cache, int64_t now, size_t most);

static inline bool cache_is_fresh(const struct cache_entry *entry, int64_t now)
{
    return now < entry->fresh_until;
}

/* What is counted for a value of `bytes` with a key of `key_size`; SIZE_MAX if it is more. */
size_t cache_cost(size_t key_size, size_t bytes);

#endif
