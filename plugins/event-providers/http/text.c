/* text - a text that grows, and JSON written into it.
 *
 * Happy path: bytes are appended, room doubles. A string that is not UTF-8 is mended on its way
 * into JSON: each bad byte becomes U+FFFD, so that what goes out is always JSON. Fails for want of
 * memory only, and then says so in `failed`.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

char *text_reserve(struct text *text, size_t size)
{
    if (text->failed)
        return NULL;
    if (text->size + size > text->room) {
        const size_t room = (text->size + size) * 2 > 256 ? (text->size + size) * 2 : 256;
        char *grown = realloc(text->data, room);

        if (grown == NULL) {
            text->failed = true;
            return NULL;
        }
        text->data = grown;
        text->room = room;
    }
    return text->data + text->size;
}

void text_add(struct text *text, const char *bytes, size_t size)
{
    char *at = size == 0 ? NULL : text_reserve(text, size);

    if (at == NULL)
        return;
    memcpy(at, bytes, size);
    text->size += size;
}

void text_put(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_print(struct text *text, const char *format, ...)
{
    va_list list;
    char *at;
    int size;

    va_start(list, format);
    size =
        vsnprintf(NULL, 0, format, list); /* NOLINT(clang-analyzer-valist.Uninitialized): it is */
    va_end(list);
    at = size < 0 ? NULL : text_reserve(text, (size_t)size + 1);
    if (at == NULL)
        return;
    va_start(list, format);
    (void)vsnprintf(at, (size_t)size + 1, format, list);
    va_end(list);
    text->size += (size_t)size;
}

/* --- JSON */

/* How many bytes the UTF-8 character at `at` has (RFC 3629); 0: it is none. */
static size_t utf8_size(const unsigned char *at, size_t left)
{
    const unsigned char first = at[0];
    const size_t size = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                                       : 4;

    if (size == 0 || first > 0xf4 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) ||
        (first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] > 0x8f))
        return 0;
    return size;
}

bool text_is_utf8(atamo_bytes bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t left = bytes.size;

    while (left > 0) {
        const size_t size = utf8_size(at, left);

        if (size == 0)
            return false;
        at += size;
        left -= size;
    }
    return true;
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void quote(struct text *text, atamo_bytes value)
{
    const unsigned char *at = (const unsigned char *)value.data;
    size_t left = value.size;

    text_add(text, "\"", 1);
    while (left > 0) {
        size_t size = 0;

        while (size < left && is_plain(at[size]))
            size++;
        text_add(text, (const char *)at, size);
        at += size;
        left -= size;
        if (left == 0)
            break;
        size = utf8_size(at, left);
        if (size == 0)
            text_put(text, "\xef\xbf\xbd");
        else if (size == 1 && (*at == '"' || *at == '\\'))
            text_print(text, "\\%c", *at);
        else if (size == 1)
            text_print(text, "\\u%04x", *at);
        else
            text_add(text, (const char *)at, size);
        at += size == 0 ? 1 : size;
        left -= size == 0 ? 1 : size;
    }
    text_add(text, "\"", 1);
}

static void begin(struct text *text, const char *name)
{
    if (text->comma)
        text_add(text, ",", 1);
    text->comma = true;
    if (name == NULL)
        return;
    quote(text, atamo_text(name));
    text_add(text, ":", 1);
}

void text_open(struct text *text, const char *name, char bracket)
{
    begin(text, name);
    text_add(text, &bracket, 1);
    text->comma = false;
}

void text_close(struct text *text, char bracket)
{
    text_add(text, &bracket, 1);
    text->comma = true;
}

void text_bytes(struct text *text, const char *name, atamo_bytes value)
{
    begin(text, name);
    quote(text, value);
}

void text_string(struct text *text, const char *name, const char *value)
{
    text_bytes(text, name, atamo_text(value));
}

void text_uint(struct text *text, const char *name, uint64_t value)
{
    begin(text, name);
    text_print(text, "%llu", (unsigned long long)value);
}

void text_bool(struct text *text, const char *name, bool value)
{
    begin(text, name);
    text_put(text, value ? "true" : "false");
}

void text_number(struct text *text, const char *name, double value)
{
    begin(text, name);
    text_print(text, "%.6g", value);
}

void text_raw(struct text *text, const char *name, atamo_bytes json)
{
    begin(text, name);
    text_add(text, json.data, json.size);
}
