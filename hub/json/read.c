/* read - finding things in a parsed document, and what texts and numbers mean.
 *
 * Nothing here can fail but by not finding: member 0 (the root is nobody's member), false for a
 * number that does not fit, JSON_NO_OFFSET for a wrong escape.
 */
#include "json/json.h"
#include "json/scan.h"

#include <string.h>

uint32_t json_member(const struct json_document *document, uint32_t object, atamo_bytes name)
{
    uint32_t found = 0;
    uint32_t end;

    if (json_kind_of(document, object) != JSON_OBJECT)
        return 0;
    end = json_next(document, object);
    for (uint32_t key = object + 1; key < end; key = json_next(document, key + 1)) {
        const atamo_bytes text = json_text(document, key);

        if (text.size == name.size && memcmp(text.data, name.data, name.size) == 0)
            found = key + 1;
    }
    return found;
}

uint32_t json_element(const struct json_document *document, uint32_t array, size_t index)
{
    uint32_t end;

    if (json_kind_of(document, array) != JSON_ARRAY)
        return 0;
    end = json_next(document, array);
    for (uint32_t element = array + 1; element < end; element = json_next(document, element)) {
        if (index-- == 0)
            return element;
    }
    return 0;
}

size_t json_count(const struct json_document *document, uint32_t node)
{
    const enum json_kind kind = json_kind_of(document, node);
    const uint32_t key = kind == JSON_OBJECT;
    size_t count = 0;

    if (kind != JSON_OBJECT && kind != JSON_ARRAY)
        return 0;
    for (uint32_t at = node + 1; at < json_next(document, node); at = json_next(document, at + key))
        count++;
    return count;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {"null",   "false",     "true",    "a number",
                                        "a text", "an object", "an array"};

    return names[kind];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(const char *text, size_t size, size_t at)
{
    while (at < size && is_digit(text[at]))
        at++;
    return at;
}

size_t json_number_size(const char *text, size_t size)
{
    size_t at = size > 0 && text[0] == '-';
    size_t end = skip_digits(text, size, at);

    if (end == at || (text[at] == '0' && end > at + 1))
        return 0;
    if (end < size && text[end] == '.') {
        at = end + 1;
        end = skip_digits(text, size, at);
        if (end == at)
            return 0;
    }
    if (end < size && (text[end] == 'e' || text[end] == 'E')) {
        at = end + 1;
        if (at < size && (text[at] == '+' || text[at] == '-'))
            at++;
        end = skip_digits(text, size, at);
        if (end == at)
            return 0;
    }
    return end;
}

bool json_uint64(atamo_bytes number, uint64_t *value)
{
    uint64_t sum = 0;

    if (number.size == 0 || number.size > 20)
        return false;
    for (size_t i = 0; i < number.size; i++) {
        if (!is_digit(number.data[i]) || __builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(number.data[i] - '0'), &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool json_int64(atamo_bytes number, int64_t *value)
{
    const bool negative = number.size > 0 && number.data[0] == '-';
    uint64_t magnitude;

    if (!json_uint64((atamo_bytes){number.data + negative, number.size - negative}, &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool json_double(atamo_bytes number, double *value)
{
    return scan_double(number.data, number.size, value);
}

/* Four hexadecimal digits, or -1. */
static int32_t hex4(const char *text, size_t size)
{
    int32_t value = 0;

    if (size < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        const char c = text[i];

        if (is_digit(c))
            value = value * 16 + (c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            value = value * 16 + ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static size_t put_utf8(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

/* Decode what follows "\u". Returns the bytes read, 0 if it is wrong. */
static size_t unescape_unicode(const char *text, size_t size, char *out, size_t *written)
{
    const int32_t first = hex4(text, size);
    int32_t second;

    if (first < 0 || (first >= 0xdc00 && first <= 0xdfff))
        return 0;
    if (first < 0xd800 || first > 0xdbff) {
        *written = put_utf8((uint32_t)first, out);
        return 4;
    }
    if (size < 10 || text[4] != '\\' || text[5] != 'u')
        return 0;
    second = hex4(text + 6, size - 6);
    if (second < 0xdc00 || second > 0xdfff)
        return 0;
    *written =
        put_utf8(0x10000u + (((uint32_t)first & 0x3ff) << 10) + ((uint32_t)second & 0x3ff), out);
    return 10;
}

/* The byte that the one-letter escape at `at` stands for, 0 if there is no such escape. */
static char plain_escape(const char *text, size_t size, size_t at)
{
    static const char pairs[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    for (size_t i = 0; at < size && i + 1 < sizeof pairs; i += 2) {
        if (pairs[i] == text[at])
            return pairs[i + 1];
    }
    return 0;
}

size_t json_unescape(const char *text, size_t size, char *out, size_t *bad)
{
    size_t written = 0;
    size_t at = 0;

    while (at < size) {
        size_t more = 1;
        size_t read = 1;

        if (text[at] != '\\') {
            out[written++] = text[at++];
            continue;
        }
        if (at + 1 < size && text[at + 1] == 'u') {
            read = unescape_unicode(text + at + 2, size - at - 2, out + written, &more);
        } else {
            out[written] = plain_escape(text, size, at + 1);
            read = out[written] != '\0';
        }
        if (read == 0) {
            *bad = at;
            return JSON_NO_OFFSET;
        }
        at += (text[at + 1] == 'u' ? 2u : 1u) + read;
        written += more;
    }
    return written;
}
