/* options_schema - a plugin's options as a JSON Schema, for editors and for help. */
#ifndef HUB_PLUGIN_OPTIONS_SCHEMA_H
#define HUB_PLUGIN_OPTIONS_SCHEMA_H

#include "json/write.h"

#include <atamo/plugin.h>

/* Write the schema (https://json-schema.org/draft/2020-12) of the `config:` map of this plugin: one
 * object. The table must have passed loader_check(). */
void options_schema(const atamo_plugin *plugin, struct json_writer *writer);

#endif
