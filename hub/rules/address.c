/* address - IP addresses and CIDR ranges.
 *
 * Reading is strict and bounded; what is no address is simply text. Nothing here allocates.
 */
#include "rules/address.h"

#include <string.h>

enum { V4_TEXT_MAX = 15, V6_GROUPS = 8 };

static bool read_v4(atamo_bytes text, struct address *address)
{
    unsigned value = 0;
    int digits = 0;
    int part = 0;

    if (text.size > V4_TEXT_MAX)
        return false;
    for (size_t i = 0; i <= text.size; i++) {
        const char c = (char)(i < text.size ? text.data[i] : '.');

        if (c >= '0' && c <= '9') {
            value = value * 10 + (unsigned)(c - '0');
            digits++;
        } else if (c != '.' || digits == 0 || value > 255 || part == 4) {
            return false;
        } else {
            address->bytes[part++] = (unsigned char)value;
            value = 0;
            digits = 0;
        }
    }
    address->size = 4;
    return part == 4;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Groups into `groups`; *gap is where "::" stood, -1 without one. Returns their number or -1. */
static int read_groups(atamo_bytes text, unsigned groups[V6_GROUPS], int *gap)
{
    int count = 0;
    size_t at = 0;

    *gap = -1;
    if (text.size >= 1 && text.data[0] == ':' && (text.size < 2 || text.data[1] != ':'))
        return -1;
    while (at < text.size) {
        unsigned value = 0;
        int digits = 0;

        if (text.data[at] == ':' && at + 1 < text.size && text.data[at + 1] == ':') {
            if (*gap >= 0)
                return -1;
            *gap = count;
            at += 2;
            continue;
        }
        if (text.data[at] == ':' && (count == 0 || *gap == count || ++at == text.size))
            return -1;
        for (; at < text.size && hex_value(text.data[at]) >= 0; at++, digits++)
            value = value << 4 | (unsigned)hex_value(text.data[at]);
        if (digits == 0 || digits > 4 || count == V6_GROUPS)
            return -1;
        groups[count++] = value;
    }
    return count;
}

static bool read_v6(atamo_bytes text, struct address *address)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    unsigned groups[V6_GROUPS];
    int gap;
    const int count = read_groups(text, groups, &gap);

    if (text.size < 2 || count < 0 || (gap < 0 && count != V6_GROUPS) ||
        (gap >= 0 && count >= V6_GROUPS))
        return false;
    memset(address->bytes, 0, sizeof address->bytes);
    for (int i = 0; i < count; i++) {
        const size_t to = (size_t)(gap >= 0 && i >= gap ? V6_GROUPS - count + i : i);

        address->bytes[2 * to] = (unsigned char)(groups[i] >> 8);
        address->bytes[2 * to + 1] = (unsigned char)groups[i];
    }
    address->size = 16;
    if (memcmp(address->bytes, mapped, sizeof mapped) == 0) {
        memmove(address->bytes, address->bytes + 12, 4);
        address->size = 4;
    }
    return true;
}

bool address_read(atamo_bytes text, struct address *address)
{
    if (text.size < 2 || text.size > 45)
        return false;
    if (memchr(text.data, ':', text.size) != NULL)
        return read_v6(text, address);
    return read_v4(text, address);
}

/* The number after the slash, -1 if it is none. */
static int read_bits(atamo_bytes text)
{
    const size_t sign = text.size > 1 && text.data[0] == '+';
    int value = 0;

    if (text.size == 0 || text.size > 6)
        return -1;
    for (size_t i = sign; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

const char *address_read_range(atamo_bytes text, struct address_range *range)
{
    const char *slash = memchr(text.data, '/', text.size);
    const size_t size = slash == NULL ? 0 : (size_t)(slash - text.data);
    int bits;

    while (text.size > size + 1 && text.data[text.size - 1] == '/')
        text.size--; /* event-ruler does not mind slashes at the end */
    if (slash == NULL)
        return "an address, '/' and the number of its fixed bits, as in 10.0.0.0/8";
    if (!address_read((atamo_bytes){text.data, size}, &range->low))
        return "an IPv4 or IPv6 address before the '/'";
    bits = read_bits((atamo_bytes){slash + 1, text.size - size - 1});
    if (bits < 0 || bits >= range->low.size * 8)
        return range->low.size == 4 ? "0 to 31 bits after the '/'" : "0 to 127 bits after the '/'";
    range->high = range->low;
    for (int bit = bits; bit < range->low.size * 8; bit++) {
        const unsigned char mask = (unsigned char)(0x80 >> bit % 8);

        range->low.bytes[bit / 8] &= (unsigned char)~mask;
        range->high.bytes[bit / 8] |= mask;
    }
    return NULL;
}

bool address_in_range(const struct address *address, const struct address_range *range)
{
    const size_t common = address->size < range->low.size ? address->size : range->low.size;
    const int low = memcmp(address->bytes, range->low.bytes, common);
    const int high = memcmp(address->bytes, range->high.bytes, common);

    if (address->size < range->low.size)
        return low > 0 && high < 0;
    return low >= 0 && high <= 0;
}
