/* keys - who is busy with which partition key, and who waits behind.
 *
 * One table for each lane. A key is held by the first action that comes with it until that action
 * has ended, back-off and further attempts included; later ones wait in line. Keys are compared by
 * a seeded 64-bit hash: two keys that collide are needlessly kept in order, which harms nobody.
 */
#ifndef HUB_FLOW_KEYS_H
#define HUB_FLOW_KEYS_H

#include "flow/action.h"

struct key_entry {
    uint64_t hash;               /* 0: empty */
    struct action *first, *last; /* waiting, linked by `link` */
};

struct keys {
    struct key_entry *entries;
    uint32_t mask;
    uint32_t used;
};

void keys_init(struct keys *keys);
void keys_close(struct keys *keys);

enum keys_answer { KEYS_FREE, KEYS_BUSY, KEYS_NO_MEMORY };

/* Take hold of a key (KEYS_FREE), or stand in line behind who has it (KEYS_BUSY). */
enum keys_answer keys_enter(struct keys *keys, uint64_t hash, struct action *action);

/* Let go of a key. Returns who holds it now, or NULL if nobody waited. */
struct action *keys_leave(struct keys *keys, uint64_t hash);

/* Step out of the line; the action must stand in it. */
void keys_remove(struct keys *keys, uint64_t hash, struct action *action);

#endif
