/* remote_rules - the rules of a running hub: `atamo rules list` and `rules test` without CONFIG. */
#ifndef HUB_CLI_REMOTE_RULES_H
#define HUB_CLI_REMOTE_RULES_H

#include "cli/cli.h"

enum exit_code remote_rules_list(const struct cli_line *line);
enum exit_code remote_rules_test(const struct cli_line *line);

#endif
