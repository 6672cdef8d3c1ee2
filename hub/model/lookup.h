/* lookup - from texts to numbers: an open hash table in an arena.
 *
 * For tables that are built with a configuration and read afterwards. The texts are borrowed. One
 * thread builds; then any number may read.
 */
#ifndef HUB_MODEL_LOOKUP_H
#define HUB_MODEL_LOOKUP_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct lookup_slot {
    atamo_bytes text; /* data NULL: free */
    uint32_t number;
};

struct lookup {
    struct arena *arena;
    struct lookup_slot *slots;
    size_t mask;
    size_t count;
    uint64_t seed;
};

/* Empty, with room for `expected` texts; more are fine. ATAMO_NO_MEMORY. */
int lookup_init(struct lookup *lookup, struct arena *arena, size_t expected);

/* ATAMO_EXISTS if the text is there already: its number stays. ATAMO_NO_MEMORY. */
int lookup_add(struct lookup *lookup, atamo_bytes text, uint32_t number);

/* False, and *number untouched, if the text is not there. */
bool lookup_find(const struct lookup *lookup, atamo_bytes text, uint32_t *number);

#endif
