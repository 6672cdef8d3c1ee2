/* breaker - after several failures in a row, leave an agent alone for a while.
 *
 * Closed: everything goes through. After `failures` failed attempts in a row it opens: nothing goes
 * through for `open_ns`. Then it is half open: one attempt goes through; if that succeeds it
 * closes, if it fails it opens again. The caller brings the time.
 */
#ifndef HUB_FLOW_BREAKER_H
#define HUB_FLOW_BREAKER_H

#include "flow/generation.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_HALF_OPEN, BREAKER_OPEN };

struct breaker {
    enum breaker_state state;
    uint32_t failures; /* in a row */
    bool trying;       /* half open: the one attempt is under way */
    int64_t until;     /* open: when it becomes half open */
};

/* May an attempt begin now? If not and the breaker is open, ask again at `until`. */
static inline bool breaker_allows(struct breaker *breaker, int64_t now)
{
    if (breaker->state == BREAKER_CLOSED)
        return true;
    if (breaker->state == BREAKER_OPEN && now >= breaker->until) {
        breaker->state = BREAKER_HALF_OPEN;
        breaker->trying = false;
    }
    return breaker->state == BREAKER_HALF_OPEN && !breaker->trying;
}

/* An attempt begins. */
static inline void breaker_begin(struct breaker *breaker)
{
    breaker->trying = breaker->state == BREAKER_HALF_OPEN;
}

/* An attempt ended well or not. True if the breaker opened or closed by that. */
static inline bool breaker_note(struct breaker *breaker, const struct breaker_policy *policy,
                                bool good, int64_t now)
{
    const enum breaker_state before = breaker->state;

    if (policy->failures == 0)
        return false;
    if (good) {
        *breaker = (struct breaker){.state = BREAKER_CLOSED};
        return before != BREAKER_CLOSED;
    }
    breaker->failures++;
    if (before == BREAKER_OPEN ||
        (before == BREAKER_CLOSED && breaker->failures < policy->failures))
        return false;
    breaker->state = BREAKER_OPEN;
    breaker->trying = false;
    breaker->until = now + (int64_t)policy->open_ns;
    return true;
}

#endif
