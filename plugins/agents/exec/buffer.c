/* buffer - bytes that grow at the end and are taken from the front. Growing doubles; the one
 * failure is memory, and then nothing has changed. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST = 16384 };

bool buffer_reserve(struct buffer *buffer, size_t size)
{
    size_t room = buffer->room == 0 ? BUFFER_FIRST : buffer->room;
    char *data;

    if (buffer->start > 0 && buffer->room - buffer->end < size) {
        memmove(buffer->data, buffer->data + buffer->start, buffer_size(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    if (buffer->room - buffer->end >= size)
        return true;
    while (room - buffer->end < size)
        room *= 2;
    data = realloc(buffer->data, room);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->room = room;
    return true;
}

bool buffer_put(struct buffer *buffer, const char *data, size_t size)
{
    if (!buffer_reserve(buffer, size))
        return false;
    memcpy(buffer->data + buffer->end, data, size);
    buffer->end += size;
    return true;
}

bool buffer_put_text(struct buffer *buffer, const char *text)
{
    return buffer_put(buffer, text, strlen(text));
}

bool buffer_put_base64(struct buffer *buffer, atamo_bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (!buffer_reserve(buffer, (bytes.size + 2) / 3 * 4))
        return false;
    for (size_t at = 0; at < bytes.size; at += 3) {
        const size_t left = bytes.size - at < 3 ? bytes.size - at : 3;
        char *out = buffer->data + buffer->end;
        uint32_t group = 0;

        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < left ? (unsigned char)bytes.data[at + i] : 0u);
        memset(out, '=', 4);
        for (size_t i = 0; i <= left; i++)
            out[i] = digits[group >> (18 - 6 * i) & 63];
        buffer->end += 4;
    }
    return true;
}

void buffer_take(struct buffer *buffer, size_t size)
{
    buffer->start += size;
    if (buffer->start == buffer->end) {
        buffer->start = 0;
        buffer->end = 0;
    }
}

bool buffer_line(const struct buffer *buffer, atamo_bytes *line)
{
    const char *from = buffer->data + buffer->start;
    const char *end = buffer_size(buffer) == 0 ? NULL : memchr(from, '\n', buffer_size(buffer));

    if (end == NULL)
        return false;
    *line = (atamo_bytes){from, (size_t)(end - from)};
    return true;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
