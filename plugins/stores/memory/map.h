/* map - keys to values, in order, in memory: a skip list (W. Pugh, 1990).
 *
 * Entries are made first and put in second, so that a batch of changes cannot fail in the middle.
 * No locks: the caller has them.
 */
#ifndef STORES_MEMORY_MAP_H
#define STORES_MEMORY_MAP_H

#include <atamo/store.h>

enum { MAP_LEVELS = 20 };

struct entry {
    uint64_t version;
    size_t key_size, value_size;
    char *bytes; /* key, then value; part of this block */
    uint32_t levels;
    struct entry *next[];
};

struct map {
    struct entry *first[MAP_LEVELS];
    uint64_t random;
    size_t bytes; /* of all entries, with what they take beside keys and values */
};

/* An entry that is in no map; free() it, or put it in. NULL without memory. */
struct entry *map_make(struct map *map, atamo_bytes key, atamo_bytes value);

static inline atamo_bytes entry_key(const struct entry *entry)
{
    return (atamo_bytes){entry->bytes, entry->key_size};
}

static inline atamo_bytes entry_value(const struct entry *entry)
{
    return (atamo_bytes){entry->bytes + entry->key_size, entry->value_size};
}

/* What an entry takes. */
size_t map_cost(size_t key, size_t value);

/* The entry with that key; NULL if there is none. */
struct entry *map_get(const struct map *map, atamo_bytes key);

/* The first entry that is not before the key; NULL: the end. */
struct entry *map_from(const struct map *map, atamo_bytes key);

/* Put an entry in; one with the same key gives way and is freed. */
void map_put(struct map *map, struct entry *entry);

/* Take the entry with that key out, if there is one, and free it. */
void map_delete(struct map *map, atamo_bytes key);

/* Free everything. */
void map_close(struct map *map);

#endif
