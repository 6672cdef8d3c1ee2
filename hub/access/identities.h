/* identities - who is in which group and tenant.
 *
 * Built with a configuration, never changed afterwards. A user that is not listed has no groups and
 * no tenant of its own; that is not an error.
 */
#ifndef HUB_ACCESS_IDENTITIES_H
#define HUB_ACCESS_IDENTITIES_H

#include "base/arena.h"

#include <stdint.h>

struct identity {
    atamo_bytes user;
    atamo_bytes tenant; /* size 0: none */
    const atamo_bytes *groups;
    size_t group_count;
};

struct identities;

/* A table of `count` identities with different users, in the arena; copied. ATAMO_NO_MEMORY. */
int identities_build(struct arena *arena, const struct identity *list, size_t count,
                     const struct identities **table);

/* The identity of a user, or NULL. */
const struct identity *identities_find(const struct identities *table, atamo_bytes user);

#endif
