/* buffer - bytes that grow, up to a limit: what comes from a hub has no size that it promised.
 *
 * Happy path: the bytes are copied behind those that are there; the memory doubles when it is full.
 * What is over the limit, or has no memory, is refused, and the buffer is as it was.
 */
#include "cli/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1024 };

int buffer_add(struct buffer *buffer, atamo_bytes bytes, size_t most)
{
    size_t room = buffer->room == 0 ? ROOM_FIRST : buffer->room;
    char *grown = buffer->data;

    if (buffer->size > most || bytes.size > most - buffer->size)
        return ATAMO_TOO_LARGE;
    while (room < buffer->size + bytes.size + 1)
        room *= 2;
    if (room != buffer->room)
        grown = realloc(buffer->data, room);
    if (grown == NULL)
        return ATAMO_NO_MEMORY;
    buffer->data = grown;
    buffer->room = room;
    if (bytes.size > 0)
        memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
    buffer->size += bytes.size;
    buffer->data[buffer->size] = '\0';
    return ATAMO_OK;
}

void buffer_empty(struct buffer *buffer)
{
    buffer->size = 0;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.data = NULL};
}

atamo_bytes buffer_bytes(const struct buffer *buffer)
{
    return buffer->size == 0 ? atamo_text("") : (atamo_bytes){buffer->data, buffer->size};
}
