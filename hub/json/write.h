/* write - JSON text into a buffer of fixed size.
 *
 * Commas are put by themselves. What does not fit is dropped, but counted: `size` is then what the
 * text would need, so a caller can ask again with a larger buffer. The caller opens and closes
 * objects and arrays in pairs; nothing checks that.
 */
#ifndef HUB_JSON_WRITE_H
#define HUB_JSON_WRITE_H

#include <atamo/status.h>

#include <stdbool.h>
#include <stdint.h>

struct json_writer {
    char *data;
    size_t room;
    size_t size; /* written, or needed if more than room */
    bool comma;  /* the next member or element needs one before it */
};

/* `data` stays the caller's; no NUL is added. */
void json_writer_init(struct json_writer *writer, char *data, size_t room);

/* ATAMO_OK, or ATAMO_TOO_LARGE if the buffer was too small. */
int json_writer_status(const struct json_writer *writer);

void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);

/* The name of the next value. */
void json_put_name(struct json_writer *writer, atamo_bytes name);

/* Text, escaped; bytes that are not UTF-8 become U+FFFD. */
void json_put_text(struct json_writer *writer, atamo_bytes text);
void json_put_int(struct json_writer *writer, int64_t value);
void json_put_uint(struct json_writer *writer, uint64_t value);
void json_put_bool(struct json_writer *writer, bool value);
void json_put_null(struct json_writer *writer);

/* A value that is JSON already. */
void json_put_raw(struct json_writer *writer, atamo_bytes json);

/* Text escaped for the inside of quotes, without the quotes: for building a text out of parts. */
void json_put_escaped(struct json_writer *writer, atamo_bytes text);

/* Bytes as they are, without any comma: a part of a text that is escaped already, or a quote. */
void json_put_bytes(struct json_writer *writer, atamo_bytes bytes);

#endif
