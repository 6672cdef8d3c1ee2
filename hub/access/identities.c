/* identities - who is in which group and tenant.
 *
 * A sorted list in the arena and a binary search. Building fails only for want of memory.
 */
#include "access/identities.h"

#include <stdlib.h>
#include <string.h>

struct identities {
    size_t count;
    struct identity *list; /* sorted by user */
};

static int compare_texts(atamo_bytes a, atamo_bytes b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const int order = memcmp(a.data, b.data, size);

    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

static int compare(const void *a, const void *b)
{
    return compare_texts(((const struct identity *)a)->user, ((const struct identity *)b)->user);
}

int identities_build(struct arena *arena, const struct identity *list, size_t count,
                     const struct identities **table)
{
    struct identities *made = arena_alloc(arena, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    made->list = arena_array(arena, count, sizeof *made->list);
    if (made->list == NULL)
        return ATAMO_NO_MEMORY;
    made->count = count;
    if (count > 0) {
        memcpy(made->list, list, count * sizeof *list);
        qsort(made->list, count, sizeof *made->list, compare);
    }
    *table = made;
    return ATAMO_OK;
}

const struct identity *identities_find(const struct identities *table, atamo_bytes user)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare_texts(table->list[middle].user, user);

        if (order == 0)
            return &table->list[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
