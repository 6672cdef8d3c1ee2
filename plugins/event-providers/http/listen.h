/* listen - sockets to listen on, from texts: "127.0.0.1:8080", "[::1]:8080",
 * "unix:/run/atamo.sock".
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <atamo/plugin.h>

#include <stdbool.h>

enum { LISTEN_NAME = 128, LISTEN_WHY = 256 };

struct listener {
    int fd;
    bool local;             /* only this machine can reach it */
    char name[LISTEN_NAME]; /* with the port that was taken, if 0 was asked for */
    char *path;             /* of a Unix socket, to be removed at the end */
};

/* Bind and listen on the address that the text says. A Unix socket of a hub that has died is
 * replaced. ATAMO_INVALID (no address), ATAMO_EXISTS (somebody listens there), ATAMO_IO; with a
 * sentence in `why`. */
int listener_open(struct listener *listener, const char *text, char why[LISTEN_WHY]);

/* Close and remove a Unix socket; `fd` -1: it was closed by its user. */
void listener_close(struct listener *listener);

#endif
