/* yaml_keys - no key of a map may be there twice.
 *
 * The keys are sorted by text and then by place, so equal ones lie side by side with the first one
 * in front. Sorting, unlike hashing, has no input that makes it slow. It fails only without memory.
 */
#include "yaml/yaml_keys.h"

#include <stdlib.h>
#include <string.h>

static int compare_text(const struct yaml_node *a, const struct yaml_node *b)
{
    const size_t size = a->text.size < b->text.size ? a->text.size : b->text.size;
    const int order = memcmp(a->text.data, b->text.data, size);

    if (order != 0)
        return order;
    return (a->text.size > b->text.size) - (a->text.size < b->text.size);
}

static int compare(const void *a, const void *b)
{
    const struct yaml_node *left = *(const struct yaml_node *const *)a;
    const struct yaml_node *right = *(const struct yaml_node *const *)b;
    const int order = compare_text(left, right);

    if (order != 0)
        return order;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return (left->column > right->column) - (left->column < right->column);
}

static void report(const struct yaml_node *key, const struct yaml_node *first,
                   struct problems *problems)
{
    const int shown = key->text.size < 80 ? (int)key->text.size : 80;

    (void)problems_add(problems, yaml_place(key),
                       "the key \"%.*s\" is already at line %u, column %u of this map", shown,
                       key->text.data, first->line, first->column);
}

int yaml_keys_check(const struct yaml_node *map, struct problems *problems)
{
    const struct yaml_node **sorted;
    const struct yaml_node *first;

    if (map->count < 2)
        return ATAMO_OK;
    sorted = malloc(map->count * sizeof *sorted);
    if (sorted == NULL)
        return ATAMO_NO_MEMORY;
    memcpy(sorted, map->keys, map->count * sizeof *sorted);
    qsort(sorted, map->count, sizeof *sorted, compare);
    first = sorted[0];
    for (size_t i = 1; i < map->count; i++) {
        if (sorted[i]->kind == YAML_TEXT && first->kind == YAML_TEXT &&
            compare_text(sorted[i], first) == 0)
            report(sorted[i], first, problems);
        else
            first = sorted[i];
    }
    free(sorted);
    return ATAMO_OK;
}
