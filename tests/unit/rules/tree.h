/* tree - configuration trees made from JSON text, for tests that need one without a file.
 *
 * Numbers keep the characters they were written with. One header for several tests, so everything
 * is static inline.
 */
#ifndef TESTS_UNIT_RULES_TREE_H
#define TESTS_UNIT_RULES_TREE_H

#include "yaml/yaml.h"
#include "json/json.h"

#include <assert.h>
#include <string.h>

static inline struct yaml_node *tree_scalar(struct arena *arena, const struct json_document *d,
                                            uint32_t at)
{
    static const enum yaml_kind kinds[] = {
        [JSON_NULL] = YAML_NULL,     [JSON_FALSE] = YAML_BOOL, [JSON_TRUE] = YAML_BOOL,
        [JSON_NUMBER] = YAML_NUMBER, [JSON_TEXT] = YAML_TEXT,  [JSON_OBJECT] = YAML_MAP,
        [JSON_ARRAY] = YAML_LIST,
    };
    const enum json_kind kind = json_kind_of(d, at);
    struct yaml_node *node = arena_alloc(arena, sizeof *node);

    assert(node != NULL);
    node->kind = kinds[kind];
    node->line = 1;
    node->column = d->nodes[at].at + 1;
    node->truth = kind == JSON_TRUE;
    node->text = arena_copy(arena, kind == JSON_TEXT ? json_text(d, at) : json_raw(d, at));
    if (kind == JSON_NUMBER) {
        node->integral = json_int64(node->text, &node->integer);
        (void)json_double(node->text, &node->number);
    }
    node->count = json_count(d, at);
    node->items = arena_array(arena, node->count + 1, sizeof(struct yaml_node *));
    node->keys = arena_array(arena, node->count + 1, sizeof(struct yaml_node *));
    assert(node->text.data != NULL && node->items != NULL && node->keys != NULL);
    return node;
}

/* Children are made before their parents, last first; `made` holds them by node number. */
static inline const struct yaml_node *tree_of(struct arena *arena, const struct json_document *d,
                                              uint32_t root)
{
    struct yaml_node **made = arena_array(arena, d->count, sizeof(struct yaml_node *));

    assert(made != NULL);
    for (uint32_t at = json_next(d, root); at-- > root;) {
        const bool object = json_kind_of(d, at) == JSON_OBJECT;
        size_t i = 0;

        made[at] = tree_scalar(arena, d, at);
        for (uint32_t child = at + 1; made[at]->count > 0 && child < json_next(d, at); i++) {
            made[at]->keys[i] = made[child];
            child += object;
            made[at]->items[i] = made[child];
            child = json_next(d, child);
        }
    }
    return made[root];
}

#endif
