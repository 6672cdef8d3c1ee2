/* identities - the table of users.
 *
 * Happy path: the identities are copied into the arena, with a hash table over the users' names.
 * The one failure is memory. Texts and group lists are borrowed from whoever builds the table: they
 * live in the same arena.
 */
#include "access/identities.h"

#include "model/lookup.h"

#include <string.h>

struct identities {
    struct identity *list;
    struct lookup users;
};

int identities_build(struct arena *arena, const struct identity *list, size_t count,
                     const struct identities **table)
{
    struct identities *made = arena_alloc(arena, sizeof *made);

    if (made == NULL || lookup_init(&made->users, arena, count) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    made->list = arena_array(arena, count, sizeof *made->list);
    if (made->list == NULL)
        return ATAMO_NO_MEMORY;
    if (count > 0)
        memcpy(made->list, list, count * sizeof *list);
    for (size_t i = 0; i < count; i++)
        if (lookup_add(&made->users, made->list[i].user, (uint32_t)i) == ATAMO_NO_MEMORY)
            return ATAMO_NO_MEMORY;
    *table = made;
    return ATAMO_OK;
}

const struct identity *identities_find(const struct identities *table, atamo_bytes user)
{
    uint32_t number;

    return lookup_find(&table->users, user, &number) ? &table->list[number] : NULL;
}
