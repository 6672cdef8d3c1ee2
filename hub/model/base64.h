/* base64 - RFC 4648, section 4: the standard alphabet with padding. */
#ifndef HUB_MODEL_BASE64_H
#define HUB_MODEL_BASE64_H

#include <atamo/status.h>

#include <stdint.h>

/* The size of `size` bytes in base64, without a NUL. */
static inline size_t base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

/* Encode three bytes or, at the end, fewer: four characters. */
void base64_group(const char *bytes, size_t size, char out[4]);

/* Decode into `out`, which has room for text.size / 4 * 3 bytes. ATAMO_INVALID if it is not base64.
 */
int base64_decode(atamo_bytes text, char *out, size_t *size);

#endif
