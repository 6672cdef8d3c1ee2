/* base64 - RFC 4648, section 4. Decoding is strict: padding is needed, other characters refused. */
#include "model/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_group(const char *bytes, size_t size, char out[4])
{
    uint32_t group = 0;

    for (size_t i = 0; i < 3; i++)
        group = group << 8 | (i < size ? (unsigned char)bytes[i] : 0u);
    for (int i = 3; i >= 0; i--, group >>= 6)
        out[i] = alphabet[group & 63];
    if (size < 3)
        out[3] = '=';
    if (size < 2)
        out[2] = '=';
}

static int value_of(char c)
{
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);

    return at == NULL ? -1 : (int)(at - alphabet);
}

int base64_decode(atamo_bytes text, char *out, size_t *size)
{
    size_t padding = 0;
    size_t done = 0;

    if (text.size % 4 != 0)
        return ATAMO_INVALID;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    for (size_t at = 0; at < text.size; at += 4) {
        uint32_t group = 0;

        for (size_t i = at; i < at + 4; i++) {
            const int value = i >= text.size - padding ? 0 : value_of(text.data[i]);

            if (value < 0)
                return ATAMO_INVALID;
            group = group << 6 | (uint32_t)value;
        }
        out[done++] = (char)(group >> 16);
        out[done++] = (char)(group >> 8);
        out[done++] = (char)group;
    }
    *size = done - padding;
    return ATAMO_OK;
}
