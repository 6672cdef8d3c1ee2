/* yaml_scalar - which type a plain scalar is, by YAML 1.2's core schema.
 *
 * Source: YAML 1.2.2, section 10.3.2 (https://yaml.org/spec/1.2.2/#1032-tag-resolution). So `yes`,
 * `on` and `1:30` are text, as JSON people expect, and `012` is twelve.
 */
#ifndef HUB_YAML_YAML_SCALAR_H
#define HUB_YAML_YAML_SCALAR_H

#include "yaml/yaml.h"

#include <locale.h>

/* Set the node's kind and value from its text. `c_locale` is the "C" locale: an embedding program
 * may have chosen one with decimal commas. ATAMO_INVALID if the text is a number that cannot be
 * had; *reason then says why, and the kind is YAML_NUMBER. */
int yaml_scalar_resolve(struct yaml_node *node, locale_t c_locale, const char **reason);

#endif
