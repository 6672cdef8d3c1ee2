/* keys - who is busy with which partition key.
 *
 * An open hash table with linear probing that shifts entries back on removal, so it has no
 * tombstones and a key that nobody holds takes no room. Entering fails without memory for a larger
 * table; then nothing was entered.
 */
#include "flow/keys.h"

#include <assert.h>
#include <stdlib.h>

enum { KEYS_FIRST = 16 };

void keys_init(struct keys *keys)
{
    *keys = (struct keys){0};
}

void keys_close(struct keys *keys)
{
    free(keys->entries);
    keys_init(keys);
}

/* Where the hash is, or where it would go. */
static struct key_entry *find(const struct keys *keys, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & keys->mask;

    while (keys->entries[at].hash != 0 && keys->entries[at].hash != hash)
        at = (at + 1) & keys->mask;
    return &keys->entries[at];
}

static bool make_room(struct keys *keys)
{
    const uint32_t capacity = keys->entries == NULL ? 0 : keys->mask + 1;
    const uint32_t larger = capacity == 0 ? KEYS_FIRST : capacity * 2;
    struct keys grown = {.mask = larger - 1, .used = keys->used};

    if (keys->used + 1 <= capacity / 4 * 3)
        return true;
    grown.entries = calloc(larger, sizeof *grown.entries);
    if (grown.entries == NULL)
        return false;
    for (uint32_t i = 0; i < capacity; i++)
        if (keys->entries[i].hash != 0)
            *find(&grown, keys->entries[i].hash) = keys->entries[i];
    free(keys->entries);
    *keys = grown;
    return true;
}

enum keys_answer keys_enter(struct keys *keys, uint64_t hash, struct action *action)
{
    struct key_entry *entry;

    assert(hash != 0);
    if (!make_room(keys))
        return KEYS_NO_MEMORY;
    entry = find(keys, hash);
    if (entry->hash == 0) {
        entry->hash = hash;
        keys->used++;
        return KEYS_FREE;
    }
    action->link.next = NULL;
    if (entry->last == NULL)
        entry->first = action;
    else
        entry->last->link.next = &action->link;
    entry->last = action;
    return KEYS_BUSY;
}

/* Close the gap at `at`: move later entries of the same run back. */
static void remove_at(struct keys *keys, uint32_t at)
{
    uint32_t next = at;

    for (;;) {
        uint32_t wanted;

        next = (next + 1) & keys->mask;
        if (keys->entries[next].hash == 0)
            break;
        wanted = (uint32_t)keys->entries[next].hash & keys->mask;
        if (((next - wanted) & keys->mask) < ((next - at) & keys->mask))
            continue;
        keys->entries[at] = keys->entries[next];
        at = next;
    }
    keys->entries[at] = (struct key_entry){0};
    keys->used--;
}

struct action *keys_leave(struct keys *keys, uint64_t hash)
{
    struct key_entry *entry = find(keys, hash);
    struct action *next = entry->first;

    assert(entry->hash == hash);
    if (next == NULL) {
        remove_at(keys, (uint32_t)(entry - keys->entries));
        return NULL;
    }
    entry->first = action_of(next->link.next);
    if (entry->first == NULL)
        entry->last = NULL;
    return next;
}

void keys_remove(struct keys *keys, uint64_t hash, struct action *action)
{
    struct key_entry *entry = find(keys, hash);
    struct action *before = NULL;
    struct action *at = entry->first;

    assert(entry->hash == hash && action != NULL);
    while (at != action) {
        assert(at != NULL);
        before = at;
        at = action_of(at->link.next);
    }
    if (before == NULL)
        entry->first = action_of(action->link.next);
    else
        before->link.next = action->link.next;
    if (entry->last == action)
        entry->last = before;
}
