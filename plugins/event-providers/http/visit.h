/* visit - connections, and how long they may take to ask. */
#ifndef HTTP_VISIT_H
#define HTTP_VISIT_H

#include "exchange.h"

/* The functions that the HTTP library calls; `user` is the server. */
enum MHD_Result visit_accept(void *user, const struct sockaddr *address, socklen_t size);
void visit_notify(void *user, struct MHD_Connection *connection, void **place,
                  enum MHD_ConnectionNotificationCode what);

/* The headers of a request are there; its body; it was answered, and another may follow. */
void visit_began(const struct exchange *exchange);
void visit_complete(const struct exchange *exchange);
void visit_answered(const struct server *server, struct MHD_Connection *connection);

/* End connections that take too long to send a request. */
void visit_sweep(struct server *server);

#endif
