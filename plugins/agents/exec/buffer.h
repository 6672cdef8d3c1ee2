/* buffer - bytes that grow at the end and are taken from the front. */
#ifndef EXEC_BUFFER_H
#define EXEC_BUFFER_H

#include <atamo/status.h>

#include <stdbool.h>

struct buffer {
    char *data;
    size_t start; /* first byte not taken */
    size_t end;
    size_t room;
};

static inline size_t buffer_size(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

/* Make room for `size` more bytes behind the end. False without memory. */
bool buffer_reserve(struct buffer *buffer, size_t size);

/* Append; false, and nothing was appended, without memory. */
bool buffer_put(struct buffer *buffer, const char *data, size_t size);
bool buffer_put_text(struct buffer *buffer, const char *text);

/* Append `bytes` in base64 (RFC 4648, section 4), without quotes. */
bool buffer_put_base64(struct buffer *buffer, atamo_bytes bytes);

/* Take `size` bytes off the front. */
void buffer_take(struct buffer *buffer, size_t size);

/* The first line without its line break; false if none is complete. Take size + 1 afterwards. */
bool buffer_line(const struct buffer *buffer, atamo_bytes *line);

void buffer_free(struct buffer *buffer);

#endif
