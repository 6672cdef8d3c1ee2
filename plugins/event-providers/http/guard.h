/* guard - requests that must not be served.
 *
 * The HTTP library serves some that must be refused (RFC 9112): two lengths, a length and a
 * transfer coding, blanks in names of headers, no Host. They are looked for here, before the first
 * byte of a body is used.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "exchange.h"

/* The headers of a request are there. False: it is refused, and answered. */
bool guard_request(struct exchange *exchange, const char *method, const char *version);

#endif
