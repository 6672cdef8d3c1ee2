/* follow - a stream of events that goes on when its connection is lost. */
#ifndef HUB_CLI_FOLLOW_H
#define HUB_CLI_FOLLOW_H

#include "cli/remote.h"

/* What `take` returns when it has seen enough: then follow() returns EXIT_OK. */
enum { FOLLOW_ENOUGH = ATAMO_CLOSED };

/* Read events from a path until `take` has enough. A connection that is lost is made again, from
 * the last event on; only the first one must succeed. Otherwise says why it ended; EXIT_FAILED
 * without a word if http_stop_when() ended it. */
enum exit_code follow(struct remote *remote, const char *path, sse_take take, void *user);

#endif
