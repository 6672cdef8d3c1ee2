/* json_extension - "atamo.json/1" for plugins, over the JSON floor. */
#ifndef HUB_PLUGIN_JSON_EXTENSION_H
#define HUB_PLUGIN_JSON_EXTENSION_H

#include <atamo/json.h>

/* The table; it needs no host and lives for ever. */
const atamo_json *json_extension(void);

#endif
