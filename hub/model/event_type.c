/* event_type - the table of registered event types.
 *
 * Happy path: the types are copied into the arena in the order given, with a hash table over their
 * names. The one failure is memory. Names inside a type (required paths, users, groups) are
 * borrowed from whoever builds the table: they live in the same arena.
 */
#include "model/event_type.h"

#include "model/lookup.h"

#include <string.h>

struct event_types {
    struct event_type *list;
    struct lookup names;
    bool open;
};

int event_types_build(struct arena *arena, const struct event_type *types, size_t count, bool open,
                      const struct event_types **table)
{
    struct event_types *made = arena_alloc(arena, sizeof *made);

    if (made == NULL || lookup_init(&made->names, arena, count) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    made->list = arena_array(arena, count, sizeof *made->list);
    if (made->list == NULL)
        return ATAMO_NO_MEMORY;
    if (count > 0)
        memcpy(made->list, types, count * sizeof *types);
    for (size_t i = 0; i < count; i++)
        if (lookup_add(&made->names, made->list[i].name, (uint32_t)i) == ATAMO_NO_MEMORY)
            return ATAMO_NO_MEMORY;
    made->open = open;
    *table = made;
    return ATAMO_OK;
}

const struct event_type *event_types_find(const struct event_types *table, atamo_bytes name)
{
    uint32_t number;

    return lookup_find(&table->names, name, &number) ? &table->list[number] : NULL;
}

bool event_types_open(const struct event_types *table)
{
    return table->open;
}
