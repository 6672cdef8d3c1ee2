/* remote_dead - the dead letters of a running hub: the commands of `atamo dead` without CONFIG. */
#ifndef HUB_CLI_REMOTE_DEAD_H
#define HUB_CLI_REMOTE_DEAD_H

#include "cli/cli.h"

enum exit_code remote_dead_list(const struct cli_line *line);
enum exit_code remote_dead_show(const struct cli_line *line);

/* Let them begin anew, or forget them. */
enum exit_code remote_dead_change(const struct cli_line *line, bool drops);

#endif
