/* index_ranges - entries whose key is a numeric range, per field.
 *
 * Sorted by lower bound, upper bounds falling among equals; so an event's number has its candidates
 * in front, and blocks whose highest upper bound is too low are skipped, in two levels. Bounds are
 * floats: rounding keeps order, so none is lost, and the entry itself is exact.
 * Fails only without memory.
 */
#include "rules/index_inside.h"

#include <stdlib.h>

struct range_item {
    float low, high;
    struct candidate candidate;
};

static int compare_items(const void *a, const void *b)
{
    const struct range_item *x = a;
    const struct range_item *y = b;

    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    if (x->high != y->high)
        return x->high > y->high ? -1 : 1;
    return (x->candidate.entry > y->candidate.entry) - (x->candidate.entry < y->candidate.entry);
}

/* The highest of each INDEX_BLOCK values. */
static float *summits(struct arena *arena, const float *values, uint32_t count)
{
    float *made = arena_array(arena, count / INDEX_BLOCK + 1, sizeof *made);

    if (made == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (i % INDEX_BLOCK == 0 || values[i] > made[i / INDEX_BLOCK])
            made[i / INDEX_BLOCK] = values[i];
    }
    return made;
}

struct range_list *index_make_ranges(struct arena *arena, const struct test *const *keys,
                                     const struct candidate *candidates, uint32_t count)
{
    struct range_list *list = arena_alloc(arena, sizeof *list);
    struct candidate *sorted = arena_array(arena, count, sizeof *sorted);
    float *low = arena_array(arena, count, sizeof *low);
    float *high = arena_array(arena, count, sizeof *high);
    struct range_item *items = calloc(count + 1u, sizeof *items);

    if (list == NULL || sorted == NULL || low == NULL || high == NULL || items == NULL) {
        free(items);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct range_item){index_float(keys[i]->of.range.low),
                                       index_float(keys[i]->of.range.high), candidates[i]};
    qsort(items, count, sizeof *items, compare_items);
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = items[i].candidate;
        low[i] = items[i].low;
        high[i] = items[i].high;
    }
    free(items);
    *list = (struct range_list){.count = count, .low = low, .high = high, .candidates = sorted};
    list->block_high = summits(arena, high, count);
    if (list->block_high != NULL)
        list->super_high =
            summits(arena, list->block_high, (count + INDEX_BLOCK - 1) / INDEX_BLOCK);
    return list->super_high == NULL ? NULL : list;
}
