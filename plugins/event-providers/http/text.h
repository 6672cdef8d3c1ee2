/* text - a text that grows, and JSON written into it.
 *
 * Without memory it stays as it was and says so at the end: `failed`. Commas are put by themselves.
 */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <atamo/json.h>

#include <stdbool.h>

struct text {
    char *data;
    size_t size, room;
    bool failed; /* something is missing: there was no memory */
    bool comma;  /* the next JSON value needs one before it */
};

void text_free(struct text *text);

/* Room for `size` more bytes at text->data + text->size; NULL without memory. The caller adds what
 * it wrote to `size`. */
char *text_reserve(struct text *text, size_t size);
void text_add(struct text *text, const char *bytes, size_t size);
void text_put(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_print(struct text *text, const char *format, ...);

/* Is it UTF-8 (RFC 3629) as a whole? */
bool text_is_utf8(atamo_bytes bytes);

/* JSON. `name` NULL: an element of an array, or the whole. */
void text_open(struct text *text, const char *name, char bracket);
void text_close(struct text *text, char bracket);
void text_bytes(struct text *text, const char *name, atamo_bytes value);
void text_string(struct text *text, const char *name, const char *value);
void text_uint(struct text *text, const char *name, uint64_t value);
void text_bool(struct text *text, const char *name, bool value);
void text_number(struct text *text, const char *name, double value);
/* A value, or members, that are JSON already. */
void text_raw(struct text *text, const char *name, atamo_bytes json);

#endif
