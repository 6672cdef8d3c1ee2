/* yaml_env - `${env:NAME}` and `${env:NAME:-default}` inside a scalar, replaced. */
#ifndef HUB_YAML_YAML_ENV_H
#define HUB_YAML_YAML_ENV_H

#include "yaml/yaml.h"

/* Whether the text holds a reference to the environment. `$${env:` is none: it is how templates
 * write a literal `${`. */
bool yaml_env_used(atamo_bytes text);

/* The text with every reference replaced, in the arena. A name without value and default, a name
 * that is none, and a reference without `}` are problems (ATAMO_INVALID), all of them in one run.
 * ATAMO_TOO_LARGE if the result would have more than `limit` bytes. */
int yaml_env_expand(struct arena *arena, const struct yaml_options *options, size_t limit,
                    struct problems *problems, struct yaml_node *node);

#endif
