/* remote_dead_pages - dead letters of a running hub, page by page. */
#ifndef HUB_CLI_REMOTE_DEAD_PAGES_H
#define HUB_CLI_REMOTE_DEAD_PAGES_H

#include "cli/dead_choice.h"
#include "cli/remote.h"

typedef bool (*remote_dead_take)(void *user, const struct answer *answer, uint32_t letter);

/* Each letter that `choice` is about (not by its ids) goes to `take`, until it returns false:
 * EXIT_FAILED. */
enum exit_code remote_dead_each(struct remote *remote, const struct dead_choice *choice,
                                remote_dead_take take, void *user);

/* "/v1/dead-letters/ID" and a verb, "" or ":replay". */
void remote_dead_path(struct path *path, const char *id, const char *verb);

#endif
