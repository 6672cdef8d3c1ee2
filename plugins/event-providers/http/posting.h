/* posting - events of one POST on their way into the hub. */
#ifndef HTTP_POSTING_H
#define HTTP_POSTING_H

#include "server.h"

/* Look again at postings that wait for the last steps of their message: when there are new ones,
 * and at times, since a step may be lost. */
void postings_look(struct server *server);

/* Answer those that the hub does not take in time. */
void postings_tick(struct server *server);

/* Free those that are left when the hub's client is closed. */
void postings_close(struct server *server);

#endif
