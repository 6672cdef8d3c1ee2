/* base64 - RFC 4648 section 4, with padding. */
#ifndef EXEC_BASE64_H
#define EXEC_BASE64_H

#include <atamo/status.h>

#include <stdbool.h>

static inline size_t base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

/* Write base64_size(bytes.size) characters, no NUL. */
void base64_write(atamo_bytes bytes, char *text);

/* Read into `bytes`, which has room for text.size / 4 * 3. False if it is not base64. */
bool base64_read(atamo_bytes text, char *bytes, size_t *size);

#endif
