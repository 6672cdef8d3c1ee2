/* help - what the program says about itself, made from the table of commands. */
#ifndef HUB_CLI_HELP_H
#define HUB_CLI_HELP_H

#include "cli/cli.h"

void help_all(FILE *stream);
void help_command(const struct cli_command *command, FILE *stream);

/* Say that there is no such command, and which is near. `words` are what was typed. */
enum exit_code help_unknown(size_t count, const char *const *words);

#endif
