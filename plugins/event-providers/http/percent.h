/* percent - percent-encoding undone (RFC 3986, 2.1). */
#ifndef HTTP_PERCENT_H
#define HTTP_PERCENT_H

#include <atamo/status.h>

#include <stdbool.h>

/* Decode into `out`, which has room for as many bytes. Returns the size. A % that is followed by no
 * two digits stays as it is, and *bad is set. */
size_t percent_decode(atamo_bytes text, char *out, bool *bad);

#endif
