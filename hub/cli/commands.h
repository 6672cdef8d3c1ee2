/* commands - the table of all commands; help, completion and usage errors are made from it. */
#ifndef HUB_CLI_COMMANDS_H
#define HUB_CLI_COMMANDS_H

#include "cli/cli.h"

enum { COMMANDS_MAX = 64 };

extern const struct cli_command commands[];
extern const size_t command_count; /* at most COMMANDS_MAX */

/* Options that every command knows. */
extern const struct cli_option common_options[CLI_COMMON_OPTIONS];

/* The command that the first words name, NULL if none; *words is how many words that took. */
const struct cli_command *command_find(size_t count, const char *const *arguments, size_t *words);

#endif
