/* percent - percent-encoding undone. */
#include "percent.h"

static int hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

size_t percent_decode(atamo_bytes text, char *out, bool *bad)
{
    size_t size = 0;

    *bad = false;
    for (size_t i = 0; i < text.size; i++) {
        const bool escape = text.data[i] == '%';
        const int high = escape && i + 2 < text.size ? hex(text.data[i + 1]) : -1;
        const int low = high < 0 ? -1 : hex(text.data[i + 2]);

        *bad |= escape && low < 0;
        out[size] = text.data[i];
        if (low >= 0) {
            out[size] = (char)(unsigned char)(high * 16 + low);
            i += 2;
        }
        size++;
    }
    return size;
}
