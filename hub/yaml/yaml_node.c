/* yaml_node - looking into a parsed document. Nothing here can fail. */
#include "yaml/yaml.h"

#include <string.h>

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    const size_t size = strlen(key);

    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (map->keys[i]->text.size == size && memcmp(map->keys[i]->text.data, key, size) == 0)
            return map->items[i];
    }
    return NULL;
}

struct place yaml_place(const struct yaml_node *node)
{
    return (struct place){node->file, node->line, node->column};
}

const char *yaml_kind_name(enum yaml_kind kind)
{
    switch (kind) {
    case YAML_NULL:
        return "null";
    case YAML_BOOL:
        return "true or false";
    case YAML_NUMBER:
        return "a number";
    case YAML_TEXT:
        return "text";
    case YAML_LIST:
        return "a list";
    case YAML_MAP:
        return "a map";
    }
    return "something unknown";
}
