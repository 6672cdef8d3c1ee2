/* guard - who may come in, with what, and how long it may take.
 *
 * The HTTP library serves some requests that must be refused (RFC 9112): two lengths, a length and
 * a transfer coding, blanks in names of headers, no Host. They are looked for here, before the
 * first byte of a body is used.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "exchange.h"

/* Connections. The functions that the HTTP library calls; `user` is the server. */
enum MHD_Result guard_accept(void *user, const struct sockaddr *address, socklen_t size);
void guard_connection(void *user, struct MHD_Connection *connection, void **place,
                      enum MHD_ConnectionNotificationCode what);

/* End connections that take too long to send a request. */
void guard_sweep(struct server *server);

/* A request: its headers are there. False: it is refused, and answered. */
bool guard_request(struct exchange *exchange, const char *method, const char *version);
/* May who asks use this route? False: answered. */
bool guard_scope(struct exchange *exchange);
/* Its body is there; it has been answered. */
void guard_complete(const struct exchange *exchange);
void guard_ended(const struct server *server, struct MHD_Connection *connection);

#endif
