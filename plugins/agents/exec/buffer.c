/* buffer - bytes that come in at the end and leave at the front.
 *
 * Happy path: the memory is there; what has left at the front makes room again when everything is
 * gone, or when there is not enough room at the end. Fails only for want of memory, and then
 * nothing has changed. Who fills it sees to it that it stays bounded.
 */
#include "buffer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 4096 };

int buffer_reserve(struct buffer *buffer, size_t size)
{
    const size_t used = buffer_size(buffer);
    size_t room = buffer->room < ROOM_FIRST ? ROOM_FIRST : buffer->room;
    char *data;

    if (buffer->room - buffer->tail >= size)
        return ATAMO_OK;
    if (used > 0 && buffer->head > 0)
        memmove(buffer->data, buffer->data + buffer->head, used);
    buffer->head = 0;
    buffer->tail = used;
    if (buffer->room - used >= size)
        return ATAMO_OK;
    while (room - used < size)
        room *= 2;
    data = realloc(buffer->data, room);
    if (data == NULL)
        return ATAMO_NO_MEMORY;
    buffer->data = data;
    buffer->room = room;
    return ATAMO_OK;
}

int buffer_add(struct buffer *buffer, const char *data, size_t size)
{
    const int status = buffer_reserve(buffer, size);

    if (status != ATAMO_OK)
        return status;
    if (size == 0)
        return ATAMO_OK;
    assert(buffer->data != NULL);
    memcpy(buffer->data + buffer->tail, data, size);
    buffer->tail += size;
    return ATAMO_OK;
}

void buffer_drop(struct buffer *buffer, size_t size)
{
    assert(size <= buffer_size(buffer));
    buffer->head += size;
    if (buffer->head == buffer->tail) {
        buffer->head = 0;
        buffer->tail = 0;
    }
}

void buffer_close(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
