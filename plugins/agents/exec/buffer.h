/* buffer - bytes that come in at the end and leave at the front. Belongs to one thread. */
#ifndef EXEC_BUFFER_H
#define EXEC_BUFFER_H

#include <atamo/status.h>

struct buffer {
    char *data;
    size_t head; /* first byte that is still wanted */
    size_t tail; /* behind the last byte */
    size_t room;
};

/* Make sure that `size` bytes may be written at data + tail. ATAMO_NO_MEMORY. */
int buffer_reserve(struct buffer *buffer, size_t size);

/* Add a copy of the bytes. ATAMO_NO_MEMORY. */
int buffer_add(struct buffer *buffer, const char *data, size_t size);

/* The first `size` bytes are not wanted any more. */
void buffer_drop(struct buffer *buffer, size_t size);

/* Free the memory; the buffer is empty and may be used again. */
void buffer_close(struct buffer *buffer);

static inline size_t buffer_size(const struct buffer *buffer)
{
    return buffer->tail - buffer->head;
}

#endif
