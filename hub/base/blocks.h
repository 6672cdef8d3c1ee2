/* blocks - memory for messages that one thread fills and another gives back.
 *
 * A pool belongs to one thread, which takes blocks from it. Any thread may give a block back: the
 * owner by putting it on its free list, others by a lock-free stack that the owner empties when its
 * list runs dry. So a block always returns to the cache and the allocator of the thread that fills
 * it next; malloc on one core and free on another costs ten times as much.
 *
 * Sizes are rounded up to multiples of 64 bytes up to BLOCKS_SLAB_MAX and come from slabs that are
 * freed with the pool; larger ones come from malloc each. What a pool has once used it keeps:
 * callers bound how many blocks are out at once.
 */
#ifndef HUB_BASE_BLOCKS_H
#define HUB_BASE_BLOCKS_H

#include "base/stack.h"

#include <stdint.h>

enum { BLOCKS_UNIT = 64, BLOCKS_SLAB_MAX = 16384, BLOCKS_CLASSES = BLOCKS_SLAB_MAX / BLOCKS_UNIT };

/* At the front of every block that is out. The user's data follows it in the block. */
struct block {
    struct stack_node link; /* while it is free, or on its way home */
    struct blocks *home;
    uint32_t size;  /* usable bytes, this header included */
    uint32_t spare; /* the user's */
};

struct slab;

struct blocks {
    struct block *free[BLOCKS_CLASSES];
    struct slab *slabs;
    char *fresh; /* rest of the newest slab */
    size_t fresh_size;
    uint64_t out; /* blocks taken and not known to be home */
    size_t bytes; /* taken from malloc and not returned to it, large blocks not counted */
    _Alignas(64) struct stack returned;
};

void blocks_init(struct blocks *blocks);

/* Free all slabs. Every block must be home, or never be touched again. [owner] */
void blocks_close(struct blocks *blocks);

/* A block of at least `size` bytes, header included, or NULL. Not zeroed past the header. [owner]
 */
struct block *blocks_take(struct blocks *blocks, size_t size);

/* Sort what other threads gave back into the free lists: afterwards `out` is exact. [owner] */
void blocks_collect(struct blocks *blocks);

/* Give a block back. [owner] */
void blocks_give(struct block *block);

/* Give a chain of blocks of one pool back, linked through `link`. [any] */
void blocks_return(struct block *newest, struct block *oldest);

#endif
