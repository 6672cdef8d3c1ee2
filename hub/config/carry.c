/* carry - which rule of the generation before is the same one, so that its counters go on.
 *
 * Rules are found again by their ids, here and not when the generation is swapped in: that is done
 * on the hub's own thread. Without memory the counters begin anew.
 */
#include "config/config_inside.h"

#include <stdlib.h>

struct places {
    uint32_t *slots; /* places in the older list, from 1; 0: free */
    size_t mask;
};

static size_t slot_of(const struct places *places, const struct rule *rules, uint32_t id)
{
    size_t at = id & places->mask;

    while (places->slots[at] != 0 && rules[places->slots[at] - 1].id != id)
        at = (at + 1) & places->mask;
    return at;
}

void carry_counters(struct building *building)
{
    const struct generation *before = building->context->previous;
    struct generation *generation = building->generation;
    struct places places = {.mask = 15};

    if (before == NULL || before->rule_count == 0)
        return;
    while (places.mask < before->rule_count * 2)
        places.mask = places.mask * 2 + 1;
    places.slots = calloc(places.mask + 1, sizeof *places.slots);
    if (places.slots == NULL)
        return;
    for (size_t i = 0; i < before->rule_count; i++)
        places.slots[slot_of(&places, before->rules, before->rules[i].id)] = (uint32_t)i + 1;
    for (size_t i = 0; i < generation->rule_count; i++)
        generation->seen[i].before =
            places.slots[slot_of(&places, before->rules, generation->rules[i].id)];
    free(places.slots);
}
