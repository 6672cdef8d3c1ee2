/* options - a plugin's configuration, checked against the table that the plugin exports.
 *
 * Built once, never changed, read from any thread. Every key must be in the table; every value must
 * be of its type and within its bounds; what is absent takes its fallback. All that is wrong is
 * found in one run, with the place of each.
 */
#ifndef HUB_PLUGIN_OPTIONS_H
#define HUB_PLUGIN_OPTIONS_H

#include "base/problems.h"
#include "yaml/yaml.h"

#include <atamo/plugin.h>

struct options;

/* Check the map `node` (NULL: nothing was configured; `place` is then where that would be) against
 * the plugin's table. ATAMO_INVALID with problems, ATAMO_NO_MEMORY. */
int options_build(const atamo_plugin *plugin, const struct yaml_node *node, struct place place,
                  struct problems *problems, struct options **options);
void options_free(struct options *options); /* NULL is fine */

/* Reading. An option that is not in the table, or is absent and has no fallback, is empty or 0. */
atamo_bytes options_text(const struct options *options, const char *name);
int64_t options_integer(const struct options *options, const char *name);
double options_number(const struct options *options, const char *name);
size_t options_count(const struct options *options, const char *name);
atamo_bytes options_key_at(const struct options *options, const char *name, size_t index);
atamo_bytes options_text_at(const struct options *options, const char *name, size_t index);

/* Is every fallback of the table one that could be written in a configuration? Problems at `place`
 * if not. The rows must have names and known types. */
int options_check_fallbacks(const atamo_plugin *plugin, struct place place,
                            struct problems *problems);

/* A number that differs if any value differs. */
uint64_t options_fingerprint(const struct options *options);

/* The i-th row of a plugin's table, whatever size its rows had when it was compiled. */
const atamo_option *options_row(const atamo_plugin *plugin, size_t index);

#endif
