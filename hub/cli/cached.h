/* cached - how much an agent's cache has saved. */
#ifndef HUB_CLI_CACHED_H
#define HUB_CLI_CACHED_H

#include "cli/answer.h"

/* Of the actions that the cache of the agent at `at` was asked for, the part that it answered or
 * let join another: 0 to 1; -1: it was asked for none. */
double agent_cached(const struct answer *answer, uint32_t at);

#endif
