/* buffer - bytes that grow, up to a limit. */
#ifndef HUB_CLI_BUFFER_H
#define HUB_CLI_BUFFER_H

#include <atamo/status.h>

/* All zero is an empty one. A NUL stands behind the bytes as soon as there are any. */
struct buffer {
    char *data;
    size_t size, room;
};

/* Add bytes. ATAMO_TOO_LARGE if there would be more than `most`, ATAMO_NO_MEMORY: then nothing was
 * added. */
int buffer_add(struct buffer *buffer, atamo_bytes bytes, size_t most);

/* Forget the bytes, keep the memory. */
void buffer_empty(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

/* "" if there are none. */
atamo_bytes buffer_bytes(const struct buffer *buffer);

#endif
