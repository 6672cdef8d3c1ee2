/* sse - server-sent events, out of bytes that come in any pieces. */
#ifndef HUB_CLI_SSE_H
#define HUB_CLI_SSE_H

#include "cli/buffer.h"

#include <stdbool.h>

/* One event. Its texts last until the function that takes it returns. */
struct sse_event {
    atamo_bytes name; /* "message" if the server gave none */
    atamo_bytes data; /* lines, '\n' between them */
    atamo_bytes id;   /* the last one that was given, also by an earlier event; "": none yet */
};

/* ATAMO_OK, or another status that ends the reading. */
typedef int (*sse_take)(void *user, const struct sse_event *event);

struct sse {
    struct buffer line, data, name, id;
    size_t most; /* bytes of a line, and of one event's data */
    sse_take take;
    void *user;
    bool has_data;
    bool begun;   /* the first line was seen: no byte order mark any more */
    bool skip_lf; /* a CR ended the line: an LF that follows belongs to it */
};

void sse_open(struct sse *sse, size_t most, sse_take take, void *user);
void sse_close(struct sse *sse);

/* Take the next bytes; each event that is complete goes to `take`. ATAMO_TOO_LARGE (a line or an
 * event over the limit), ATAMO_NO_MEMORY, or what `take` returned; then it is over. */
int sse_feed(struct sse *sse, atamo_bytes bytes);

#endif
