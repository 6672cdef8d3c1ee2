/* inquiry - requests whose responses are kept for clients that come and go.
 *
 * Each is known by the UUID of its message. Responses are kept until some time after the end; when
 * there are too many of them the oldest go, and are counted.
 */
#ifndef HTTP_INQUIRY_H
#define HTTP_INQUIRY_H

#include "server.h"

struct inquiries *inquiries_open(struct server *server); /* NULL without memory */
void inquiries_close(struct inquiries *inquiries);       /* NULL is fine */

/* Answer who has waited long enough, forget what was kept long enough. */
void inquiries_tick(struct server *server);

#endif
