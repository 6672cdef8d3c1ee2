/* dead - replays of many dead letters, which go on by themselves. */
#ifndef HTTP_DEAD_H
#define HTTP_DEAD_H

#include "server.h"

/* `ms` have passed since the last time. */
void dead_tick(struct server *server, int64_t ms);
void dead_close(struct server *server);

#endif
