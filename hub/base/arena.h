/* arena - memory that is freed all at once.
 *
 * For things that are built once, read often and dropped together: a parsed configuration, a
 * compiled rule set. Blocks double in size, so that a large set costs few mallocs and freeing it
 * takes microseconds.
 *
 * Not locked: one thread builds; afterwards any number may read what was built.
 */
#ifndef HUB_BASE_ARENA_H
#define HUB_BASE_ARENA_H

#include <atamo/status.h>

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes handed out of the newest block */
    size_t total;               /* bytes taken from malloc in all */
};

/* Start empty; takes no memory yet. */
void arena_init(struct arena *arena);

/* Free everything that was handed out. The arena is empty again and may be used again. */
void arena_close(struct arena *arena);

/* Zeroed memory, aligned for any type. NULL if there is none. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same for `count` things of `size` bytes; NULL also if the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy followed by a NUL. `data` of the result is NULL if there is no memory. */
atamo_bytes arena_copy(struct arena *arena, atamo_bytes bytes);

/* printf into the arena; NULL if there is no memory. */
__attribute__((format(printf, 2, 3))) const char *arena_printf(struct arena *arena,
                                                               const char *format, ...);

#endif
