/* lookup - an open hash table in an arena.
 *
 * Happy path: hash, then step from slot to slot until the text or a free slot is met; at most half
 * of the slots are in use. A table that fills up is copied into one of twice the size; the old
 * slots stay in the arena. The one failure is memory: nothing has changed then.
 */
#include "model/lookup.h"

#include "base/hash.h"

#include <assert.h>

enum { SLOTS_FIRST = 8 };

static struct lookup_slot *slot_of(const struct lookup *lookup, atamo_bytes text)
{
    size_t at = (size_t)hash_bytes(lookup->seed, text) & lookup->mask;

    for (;; at = (at + 1) & lookup->mask) {
        struct lookup_slot *slot = &lookup->slots[at];

        if (slot->text.data == NULL ||
            (slot->text.size == text.size &&
             (text.size == 0 || memcmp(slot->text.data, text.data, text.size) == 0)))
            return slot;
    }
}

int lookup_init(struct lookup *lookup, struct arena *arena, size_t expected)
{
    size_t size = SLOTS_FIRST;

    while (size / 2 < expected)
        size *= 2;
    *lookup = (struct lookup){.arena = arena, .mask = size - 1};
    lookup->slots = arena_array(arena, size, sizeof *lookup->slots);
    if (lookup->slots == NULL)
        return ATAMO_NO_MEMORY;
    /* An address: whoever chooses the texts does not know it. */
    lookup->seed = (uint64_t)(uintptr_t)lookup->slots;
    return ATAMO_OK;
}

static int grow(struct lookup *lookup)
{
    struct lookup larger;

    if (lookup_init(&larger, lookup->arena, lookup->mask + 1) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i <= lookup->mask; i++)
        if (lookup->slots[i].text.data != NULL)
            *slot_of(&larger, lookup->slots[i].text) = lookup->slots[i];
    larger.count = lookup->count;
    *lookup = larger;
    return ATAMO_OK;
}

int lookup_add(struct lookup *lookup, atamo_bytes text, uint32_t number)
{
    struct lookup_slot *slot = slot_of(lookup, text);

    assert(text.data != NULL);
    if (slot->text.data != NULL)
        return ATAMO_EXISTS;
    if (lookup->count + 1 > (lookup->mask + 1) / 2) {
        if (grow(lookup) != ATAMO_OK)
            return ATAMO_NO_MEMORY;
        slot = slot_of(lookup, text);
    }
    *slot = (struct lookup_slot){text, number};
    lookup->count++;
    return ATAMO_OK;
}

bool lookup_find(const struct lookup *lookup, atamo_bytes text, uint32_t *number)
{
    const struct lookup_slot *slot = slot_of(lookup, text);

    if (slot->text.data == NULL)
        return false;
    *number = slot->number;
    return true;
}
