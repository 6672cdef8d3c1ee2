/* yaml_keys - no key of a map may be there twice.
 *
 * The keys are sorted by text and then by their order in the map, so equal ones lie side by side
 * with the first one in front. Sorting, unlike hashing, has no input that makes it slow. Each entry
 * holds the first bytes of its text, because fetching the texts costs more than comparing them. It
 * fails only without memory.
 */
#include "yaml/yaml_keys.h"

#include <stdlib.h>
#include <string.h>

enum { BEGINNING = 8 };

struct entry {
    uint64_t beginning; /* of the text, most significant byte first, filled up with zeros */
    const struct yaml_node *key;
    size_t size, index;
};

static struct entry entry_of(const struct yaml_node *map, size_t index)
{
    const struct yaml_node *key = map->keys[index];
    struct entry entry = {.key = key, .size = key->text.size, .index = index};

    for (size_t i = 0; i < BEGINNING; i++)
        entry.beginning =
            entry.beginning << 8 | (i < entry.size ? (unsigned char)key->text.data[i] : 0U);
    return entry;
}

static int compare_text(const struct entry *a, const struct entry *b)
{
    const size_t size = a->size < b->size ? a->size : b->size;
    int order = 0;

    if (a->beginning != b->beginning)
        return a->beginning < b->beginning ? -1 : 1;
    if (size > BEGINNING)
        order = memcmp(a->key->text.data, b->key->text.data, size);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    const int order = compare_text(left, right);

    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
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
    struct entry *sorted;
    const struct entry *first;

    if (map->count < 2)
        return ATAMO_OK;
    sorted = malloc(map->count * sizeof *sorted);
    if (sorted == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = entry_of(map, i);
    qsort(sorted, map->count, sizeof *sorted, compare);
    first = &sorted[0];
    for (size_t i = 1; i < map->count; i++) {
        if (sorted[i].key->kind == YAML_TEXT && first->key->kind == YAML_TEXT &&
            compare_text(&sorted[i], first) == 0)
            report(sorted[i].key, first->key, problems);
        else
            first = &sorted[i];
    }
    free(sorted);
    return ATAMO_OK;
}
