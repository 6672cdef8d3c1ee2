/* map - keys to values, in order, in memory. Only making an entry can fail. */
#include "map.h"

#include <stdlib.h>
#include <string.h>

size_t map_cost(size_t key, size_t value)
{
    return sizeof(struct entry) + 2 * sizeof(struct entry *) + key + value;
}

/* Half of the entries have one level, a quarter two... */
static uint32_t pick_levels(struct map *map)
{
    uint32_t levels = 1;

    map->random = map->random * 6364136223846793005u + 1442695040888963407u;
    for (uint64_t bits = map->random >> 32; (bits & 1) != 0 && levels < MAP_LEVELS; bits >>= 1)
        levels++;
    return levels;
}

struct entry *map_make(struct map *map, atamo_bytes key, atamo_bytes value)
{
    const uint32_t levels = pick_levels(map);
    struct entry *entry =
        malloc(sizeof *entry + levels * sizeof(struct entry *) + key.size + value.size);

    if (entry == NULL)
        return NULL;
    entry->version = 0;
    entry->levels = levels;
    entry->key_size = key.size;
    entry->value_size = value.size;
    entry->bytes = (char *)&entry->next[levels];
    memcpy(entry->bytes, key.data, key.size);
    if (value.size > 0)
        memcpy(entry->bytes + key.size, value.data, value.size);
    return entry;
}

static int compare(atamo_bytes a, atamo_bytes b)
{
    const int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* At each level the link that leads to the first entry that is not before the key. */
static void find_links(struct map *map, atamo_bytes key, struct entry **links[MAP_LEVELS])
{
    struct entry **row = map->first;

    for (int level = MAP_LEVELS - 1; level >= 0; level--) {
        while (row[level] != NULL && compare(entry_key(row[level]), key) < 0)
            row = row[level]->next;
        links[level] = &row[level];
    }
}

struct entry *map_from(const struct map *map, atamo_bytes key)
{
    struct entry *const *row = map->first;

    for (int level = MAP_LEVELS - 1; level >= 0; level--)
        while (row[level] != NULL && compare(entry_key(row[level]), key) < 0)
            row = row[level]->next;
    return row[0];
}

struct entry *map_get(const struct map *map, atamo_bytes key)
{
    struct entry *entry = map_from(map, key);

    return entry != NULL && compare(entry_key(entry), key) == 0 ? entry : NULL;
}

void map_put(struct map *map, struct entry *entry)
{
    struct entry **links[MAP_LEVELS];

    map_delete(map, entry_key(entry));
    find_links(map, entry_key(entry), links);
    for (uint32_t level = 0; level < entry->levels; level++) {
        entry->next[level] = *links[level];
        *links[level] = entry;
    }
    map->bytes += map_cost(entry->key_size, entry->value_size);
}

void map_delete(struct map *map, atamo_bytes key)
{
    struct entry **links[MAP_LEVELS];
    struct entry *entry;

    find_links(map, key, links);
    entry = *links[0];
    if (entry == NULL || compare(entry_key(entry), key) != 0)
        return;
    for (uint32_t level = 0; level < entry->levels; level++)
        *links[level] = entry->next[level];
    map->bytes -= map_cost(entry->key_size, entry->value_size);
    free(entry);
}

void map_close(struct map *map)
{
    struct entry *entry = map->first[0];

    while (entry != NULL) {
        struct entry *next = entry->next[0];

        free(entry);
        entry = next;
    }
}
