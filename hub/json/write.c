/* write - JSON text into a buffer of fixed size.
 *
 * Happy path: runs of bytes that need no escape are copied whole. The one failure, a full buffer,
 * shows in the status at the end; until then sizes are only counted.
 */
#include "json/write.h"
#include "json/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void json_writer_init(struct json_writer *writer, char *data, size_t room)
{
    *writer = (struct json_writer){.room = room};
    writer->data = data;
}

int json_writer_status(const struct json_writer *writer)
{
    return writer->size <= writer->room ? ATAMO_OK : ATAMO_TOO_LARGE;
}

static void put(struct json_writer *writer, const char *data, size_t size)
{
    if (size > 0 && writer->size <= writer->room && size <= writer->room - writer->size)
        memcpy(writer->data + writer->size, data, size);
    writer->size += size;
}

static void begin_value(struct json_writer *writer)
{
    if (writer->comma)
        put(writer, ",", 1);
    writer->comma = true;
}

void json_open_object(struct json_writer *writer)
{
    begin_value(writer);
    put(writer, "{", 1);
    writer->comma = false;
}

void json_close_object(struct json_writer *writer)
{
    put(writer, "}", 1);
    writer->comma = true;
}

void json_open_array(struct json_writer *writer)
{
    begin_value(writer);
    put(writer, "[", 1);
    writer->comma = false;
}

void json_close_array(struct json_writer *writer)
{
    put(writer, "]", 1);
    writer->comma = true;
}

void json_put_name(struct json_writer *writer, atamo_bytes name)
{
    json_put_text(writer, name);
    put(writer, ":", 1);
    writer->comma = false;
}

static void put_control(struct json_writer *writer, unsigned char c)
{
    static const char letters[] = "btn?fr"; /* 0x08 to 0x0d; 0x0b has no letter */
    char text[7];

    if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
        text[0] = '\\';
        text[1] = letters[c - 0x08];
        put(writer, text, 2);
        return;
    }
    (void)snprintf(text, sizeof text, "\\u%04x", c);
    put(writer, text, 6);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void escape_utf8(struct json_writer *writer, atamo_bytes text)
{
    size_t from = 0;

    for (size_t i = 0; i < text.size; i++) {
        const unsigned char c = (unsigned char)text.data[i];

        if (!needs_escape(c))
            continue;
        put(writer, text.data + from, i - from);
        from = i + 1;
        if (c < 0x20) {
            put_control(writer, c);
        } else {
            put(writer, "\\", 1);
            put(writer, text.data + i, 1);
        }
    }
    if (text.size > from)
        put(writer, text.data + from, text.size - from);
}

/* The size of the UTF-8 sequence that starts here, 0 if none does. */
static size_t sequence_size(const char *text, size_t size)
{
    for (size_t n = 1; n <= 4 && n <= size; n++) {
        if (scan_is_utf8(text, n))
            return n;
    }
    return 0;
}

void json_put_escaped(struct json_writer *writer, atamo_bytes text)
{
    size_t at = 0;

    if (text.size == 0)
        return;
    if (scan_is_utf8(text.data, text.size)) {
        escape_utf8(writer, text);
        return;
    }
    while (at < text.size) {
        const size_t size = sequence_size(text.data + at, text.size - at);

        if (size == 0)
            put(writer, "\\ufffd", 6);
        else
            escape_utf8(writer, (atamo_bytes){text.data + at, size});
        at += size == 0 ? 1 : size;
    }
}

void json_put_text(struct json_writer *writer, atamo_bytes text)
{
    begin_value(writer);
    put(writer, "\"", 1);
    json_put_escaped(writer, text);
    put(writer, "\"", 1);
}

void json_put_int(struct json_writer *writer, int64_t value)
{
    char text[24];
    const int size = snprintf(text, sizeof text, "%" PRId64, value);

    begin_value(writer);
    put(writer, text, (size_t)size);
}

void json_put_uint(struct json_writer *writer, uint64_t value)
{
    char text[24];
    const int size = snprintf(text, sizeof text, "%" PRIu64, value);

    begin_value(writer);
    put(writer, text, (size_t)size);
}

void json_put_bool(struct json_writer *writer, bool value)
{
    begin_value(writer);
    put(writer, value ? "true" : "false", value ? 4 : 5);
}

void json_put_null(struct json_writer *writer)
{
    begin_value(writer);
    put(writer, "null", 4);
}

void json_put_raw(struct json_writer *writer, atamo_bytes json)
{
    begin_value(writer);
    put(writer, json.data, json.size);
}

void json_put_bytes(struct json_writer *writer, atamo_bytes bytes)
{
    put(writer, bytes.data, bytes.size);
}
