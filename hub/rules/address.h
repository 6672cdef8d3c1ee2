/* address - IP addresses and CIDR ranges, as event-ruler reads and compares them.
 *
 * An IPv6 address that maps an IPv4 one (::ffff:10.0.0.1 written in hexadecimal) is the IPv4 one.
 * event-ruler compares hexadecimal digits from the left and stops when it is sure, so an IPv6
 * address lies in an IPv4 range if its first 32 bits do, and an IPv4 address lies in an IPv6 range
 * if it is strictly between the first 32 bits of both ends. Kept, so that both engines agree.
 */
#ifndef HUB_RULES_ADDRESS_H
#define HUB_RULES_ADDRESS_H

#include <atamo/status.h>

#include <stdbool.h>

struct address {
    unsigned char bytes[16];
    unsigned char size; /* 4 or 16 */
};

struct address_range {
    struct address low, high; /* both inclusive */
};

/* Dotted decimal, or hexadecimal groups with at most one "::"; no zone, no name. */
bool address_read(atamo_bytes text, struct address *address);

/* "10.0.0.0/24": NULL, or what is wrong with it. */
const char *address_read_range(atamo_bytes text, struct address_range *range);

bool address_in_range(const struct address *address, const struct address_range *range);

#endif
