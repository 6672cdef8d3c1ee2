/* schema - the JSON Schema of the configuration, made from the tables of format.h.
 *
 * For editors: configs/atamo.schema.json is this text, laid out; a test compares them. It fits all
 * files of a configuration: the configuration itself, files of rules, and files of rule tests.
 */
#ifndef HUB_CONFIG_SCHEMA_H
#define HUB_CONFIG_SCHEMA_H

#include "base/arena.h"

/* JSON text in the arena, draft 2020-12. `data` is NULL without memory. */
atamo_bytes schema_write(struct arena *arena);

#endif
