/* request - the lines that a worker reads. README.md says what is in them. */
#ifndef EXEC_REQUEST_H
#define EXEC_REQUEST_H

#include "buffer.h"
#include "settings.h"

#include <atamo/json.h>

#include <stdbool.h>

struct request_writer {
    const atamo_host *host;
    const atamo_json *json;
    atamo_json_reader *reader; /* to tell JSON from other bytes */
    enum event_part event;
    size_t max_line;
};

/* Add the line of an action; *is_feed: its client wants updates until it cancels. ATAMO_TOO_LARGE:
 * over max_line; ATAMO_GONE: there is no such action; ATAMO_NO_MEMORY. On failure the buffer's
 * content has not changed. */
int request_add(const struct request_writer *writer, struct buffer *buffer, atamo_action action,
                uint64_t id, bool *is_feed);

/* Add the line that says that an action is not wanted any more. ATAMO_NO_MEMORY. */
int request_add_cancel(const struct request_writer *writer, struct buffer *buffer, uint64_t id,
                       const char *reason);

#endif
