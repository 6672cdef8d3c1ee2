/* door - an address that the service listens on, with the HTTP library behind it.
 *
 * A new certificate needs a new instance of the library: the old one lets nobody in any more and
 * serves its connections to their end.
 */
#ifndef HTTP_DOOR_H
#define HTTP_DOOR_H

#include "listen.h"

#include <microhttpd.h>

struct server;

enum { DOOR_OLD_MAX = 4 };

struct door {
    struct listener listener;
    struct MHD_Daemon *daemon;
    struct MHD_Daemon *old[DOOR_OLD_MAX]; /* that serve their last connections */
};

/* Listen on an address; on failure the host was told why. */
int door_open(struct door *door, struct server *server, const char *address);

/* Let the library read, call, write. */
void door_run(struct door *door);

/* The descriptors to wait for, at most DOOR_FDS_MAX, and how long at most; -1: for ever. */
enum { DOOR_FDS_MAX = DOOR_OLD_MAX + 1 };
size_t door_fds(const struct door *door, int fds[DOOR_FDS_MAX]);
int64_t door_timeout_ms(const struct door *door);

/* Go on with the server's new certificate. False: it is none, and the old one goes on. */
bool door_renew(struct door *door, struct server *server);

/* End those that serve nobody any more. */
void door_tidy(struct door *door);

void door_close(struct door *door);

#endif
