/* inquiry - requests whose responses are stored for clients that come and go.
 *
 * Each is known by the UUID of its message. It is forgotten some time after its end, or when it is
 * open and nobody has read from it for so long: then what it caused is cancelled, too.
 */
#ifndef HTTP_INQUIRY_H
#define HTTP_INQUIRY_H

#include "server.h"

struct inquiries *inquiries_open(struct server *server); /* NULL without memory */
void inquiries_close(struct inquiries *inquiries);       /* NULL is fine */

/* Answer who has waited long enough, forget what was stored long enough. */
void inquiries_tick(struct server *server);

/* Tell the hub what readers have taken in this round. */
void inquiries_settle(struct server *server);

/* How many there are, the bytes that are stored of them, and what has been dropped. */
struct inquiries_figures {
    uint64_t count, readers, bytes, dropped;
};
struct inquiries_figures inquiries_figures(const struct inquiries *inquiries);

#endif
