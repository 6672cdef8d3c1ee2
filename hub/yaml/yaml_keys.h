/* yaml_keys - no key of a map may be there twice. */
#ifndef HUB_YAML_YAML_KEYS_H
#define HUB_YAML_YAML_KEYS_H

#include "yaml/yaml.h"

/* Add a problem for every key that is a repetition. Takes n log n comparisons. ATAMO_OK also with
 * duplicates, or ATAMO_NO_MEMORY. */
int yaml_keys_check(const struct yaml_node *map, struct problems *problems);

#endif
