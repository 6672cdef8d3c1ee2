/* base64 - bytes as text and back. Reading is strict: no white space, whole groups, padding at the
 * end only, and no bits that would be lost.
 */
#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(atamo_bytes bytes, char *text)
{
    const unsigned char *from = (const unsigned char *)bytes.data;

    for (size_t at = 0; at < bytes.size; at += 3, text += 4) {
        const size_t left = bytes.size - at;
        const unsigned group = (unsigned)from[at] << 16 |
                               (left > 1 ? (unsigned)from[at + 1] << 8 : 0) |
                               (left > 2 ? (unsigned)from[at + 2] : 0);

        text[0] = alphabet[group >> 18];
        text[1] = alphabet[group >> 12 & 63];
        text[2] = '=';
        text[3] = '=';
        if (left > 1)
            text[2] = alphabet[group >> 6 & 63];
        if (left > 2)
            text[3] = alphabet[group & 63];
    }
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

bool base64_read(atamo_bytes text, char *bytes, size_t *size)
{
    size_t digits = text.size;
    unsigned bits = 0;
    unsigned count = 0;
    size_t used = 0;

    if (text.size % 4 != 0)
        return false;
    while (digits > 0 && text.size - digits < 2 && text.data[digits - 1] == '=')
        digits--;
    for (size_t at = 0; at < digits; at++) {
        const int value = value_of(text.data[at]);

        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[used++] = (char)(unsigned char)(bits >> count);
            bits &= (1u << count) - 1;
        }
    }
    *size = used;
    return bits == 0;
}
