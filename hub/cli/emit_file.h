/* emit_file - submit the events of a file. */
#ifndef HUB_CLI_EMIT_FILE_H
#define HUB_CLI_EMIT_FILE_H

#include "cli/remote.h"

/* Each line is a CloudEvent in JSON; "-" is stdin. Says how many were accepted, and which not and
 * why: EXIT_INVALID if there are any of those. */
enum exit_code emit_file(struct remote *remote, const char *path);

#endif
