/* event_type - the kinds of event that a hub takes.
 *
 * An open hash table in the arena, at most half full, built once. Building fails only for want of
 * memory; looking up cannot fail.
 */
#include "model/event_type.h"

#include "base/hash.h"

#include <string.h>

struct event_types {
    bool open;
    uint64_t seed;
    size_t mask;
    const struct event_type **slots;
};

int event_types_build(struct arena *arena, const struct event_type *types, size_t count, bool open,
                      const struct event_types **table)
{
    struct event_types *made = arena_alloc(arena, sizeof *made);
    struct event_type *copies = arena_array(arena, count, sizeof *copies);
    size_t capacity = 4;

    while (capacity < count * 2)
        capacity *= 2;
    if (made == NULL || copies == NULL)
        return ATAMO_NO_MEMORY;
    made->slots = arena_array(arena, capacity, sizeof(void *));
    if (made->slots == NULL)
        return ATAMO_NO_MEMORY;
    made->open = open;
    made->seed = (uint64_t)(uintptr_t)made;
    made->mask = capacity - 1;
    for (size_t i = 0; i < count; i++) {
        size_t at = hash_bytes(made->seed, types[i].name) & made->mask;

        copies[i] = types[i];
        while (made->slots[at] != NULL)
            at = (at + 1) & made->mask;
        made->slots[at] = &copies[i];
    }
    *table = made;
    return ATAMO_OK;
}

const struct event_type *event_types_find(const struct event_types *table, atamo_bytes name)
{
    size_t at = hash_bytes(table->seed, name) & table->mask;

    while (table->slots[at] != NULL) {
        const struct event_type *type = table->slots[at];

        if (type->name.size == name.size && memcmp(type->name.data, name.data, name.size) == 0)
            return type;
        at = (at + 1) & table->mask;
    }
    return NULL;
}

bool event_types_open(const struct event_types *table)
{
    return table->open;
}
