/* number - the UUID of a message number, and back.
 *
 * RFC 9562, 5.7: 48 bits of Unix milliseconds, the version, 12 bits (here: client and the count's
 * top two), the variant, 62 bits (here: the count's low ten and the node's 52). Nothing can fail; a
 * text that is not such a UUID gives 0.
 */
#include "base/number.h"

#include <string.h>

enum { LOW_BITS = 10, NODE_BITS = 52 };

static void put_hex(char *to, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value >>= 4)
        to[i] = "0123456789abcdef"[value & 15];
}

void number_to_uuid(uint64_t number, uint64_t node, char uuid[37])
{
    const uint64_t ms = number >> (NUMBER_CLIENT_BITS + NUMBER_COUNT_BITS);
    const uint64_t a = (number >> LOW_BITS) & 0xfff;
    const uint64_t b = (number & 0x3ff) << NODE_BITS | (node & ((UINT64_C(1) << NODE_BITS) - 1));

    put_hex(uuid, ms >> 16, 8);
    put_hex(uuid + 9, ms & 0xffff, 4);
    put_hex(uuid + 14, 0x7000 | a, 4);
    put_hex(uuid + 19, 0x8000 | b >> 48, 4);
    put_hex(uuid + 24, b & ((UINT64_C(1) << 48) - 1), 12);
    uuid[8] = uuid[13] = uuid[18] = uuid[23] = '-';
    uuid[36] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint64_t number_from_uuid(atamo_bytes uuid, uint64_t node)
{
    char check[37];
    uint64_t ms = 0;
    uint64_t a = 0;
    uint64_t low = 0;
    uint64_t number;

    if (uuid.size != 36)
        return 0;
    for (int i = 0; i < 13; i++)
        if (i != 8)
            ms = ms << 4 | (uint64_t)(hex_value(uuid.data[i]) & 15);
    for (int i = 15; i < 18; i++)
        a = a << 4 | (uint64_t)(hex_value(uuid.data[i]) & 15);
    for (int i = 19; i < 23; i++)
        low = low << 4 | (uint64_t)(hex_value(uuid.data[i]) & 15);
    low = (low & 0x3fff) >> (NODE_BITS - 48);
    number = ms << (NUMBER_CLIENT_BITS + NUMBER_COUNT_BITS) | a << LOW_BITS | low;
    number_to_uuid(number, node, check);
    return memcmp(check, uuid.data, 36) == 0 ? number : 0;
}
