/* remote_trace - the path of a message, as a running hub tells it. */
#ifndef HUB_CLI_REMOTE_TRACE_H
#define HUB_CLI_REMOTE_TRACE_H

#include "cli/remote.h"

/* atamo trace ID */
enum exit_code remote_trace(const struct cli_line *line);

/* GET /v1/events/ID and what follows: "" or "/why". */
enum exit_code remote_get_event(struct remote *remote, const char *id, const char *what,
                                struct answer *answer);

/* Print the steps of an answer; `action` 0: of all actions. */
void remote_print_steps(const struct answer *answer, int64_t action);

/* Print text in bold, if colour is welcome, then two spaces. */
void remote_print_title(atamo_bytes text);

#endif
