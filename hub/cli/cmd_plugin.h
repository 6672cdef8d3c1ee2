/* cmd_plugin - the commands for those who write plugins. */
#ifndef HUB_CLI_CMD_PLUGIN_H
#define HUB_CLI_CMD_PLUGIN_H

#include "cli/cli.h"

/* plugin new KIND NAME [--dir DIR]: write the project of a plugin into DIR/NAME. Nothing is ever
 * overwritten. */
enum exit_code cmd_plugin_new(const struct cli_line *line);

/* plugin check FILE [--config TEXT] [--rule JSON] [--json]: run atamo-plugin-check, which lies
 * beside this program. Returns only if that fails. */
enum exit_code cmd_plugin_check(const struct cli_line *line);

#endif
