/* pool - worker threads of one agent that may block.
 *
 * The hub's thread pushes handles into a bounded ring; workers claim them from its front, several
 * at a time when many wait, and call the agent. Settlements come back like anybody's. A lane never
 * has more actions running than the ring holds.
 */
#ifndef HUB_FLOW_POOL_H
#define HUB_FLOW_POOL_H

#include "plugin/instance.h"

#include <atamo/action.h>

struct pool;

enum { POOL_RING = 4096, POOL_WORKERS_MAX = 256, POOL_CLAIM = 64 };

/* Start `workers` threads. ATAMO_NO_MEMORY, ATAMO_IO (no more threads). */
int pool_open(struct instance *instance, uint32_t workers, struct pool **pool);

/* Hand one action over; there must be room. Workers are woken by pool_wake(). [hub thread] */
void pool_push(struct pool *pool, atamo_action action);

/* Wake as many workers as there is work for. [hub thread] */
void pool_wake(struct pool *pool);

/* Let workers finish what they are at and end; what is still in the ring is not worked on. False if
 * some did not end within `limit_ms`: then nothing is freed, and the instance must not be
 * destroyed. */
bool pool_close(struct pool *pool, uint32_t limit_ms);

#endif
