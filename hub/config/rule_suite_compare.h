/* rule_suite_compare - is a JSON value what a test expects? */
#ifndef HUB_CONFIG_RULE_SUITE_COMPARE_H
#define HUB_CONFIG_RULE_SUITE_COMPARE_H

#include "yaml/yaml.h"
#include "json/json.h"

/* Compare `json` with `expected`, whose maps may leave out keys. *difference is NULL if it is as
 * expected, else a sentence in the arena that begins with the path in `name`: "body.total is 80,
 * expected 100". ATAMO_NO_MEMORY. */
int rule_suite_compare(struct arena *arena, struct json_parser *parser, const char *name,
                       const struct yaml_node *expected, atamo_bytes json, const char **difference);

#endif
