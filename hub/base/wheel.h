/* wheel - many timers, each set and stopped in constant time.
 *
 * A hierarchical timing wheel (Varghese and Lauck, 1987): four levels of 256 slots, a tick of one
 * millisecond, so 49 days; what is due later is looked at again then. Timers never fire early, and
 * at most one tick late. Timers of the same tick fire in the order in which they were set. Nodes
 * live inside what they time. Belongs to one thread, which brings the time.
 */
#ifndef HUB_BASE_WHEEL_H
#define HUB_BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WHEEL_BITS = 8, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 4 };

struct timer {
    struct timer *next, *previous; /* NULL: not set */
    int64_t due;                   /* Unix ns */
};

struct wheel {
    int64_t origin;                                /* time of tick 0 */
    uint64_t tick;                                 /* all timers up to this tick have fired */
    uint64_t count;                                /* timers that are set */
    struct timer slots[WHEEL_LEVELS][WHEEL_SLOTS]; /* list heads */
    uint64_t used[WHEEL_LEVELS][WHEEL_SLOTS / 64]; /* which slots may hold something */
    struct timer ready;                            /* due, waiting for wheel_pop() */
};

void wheel_init(struct wheel *wheel, int64_t now);

/* Set a timer that is not set. A time that has passed fires at the next wheel_advance(). */
void wheel_set(struct wheel *wheel, struct timer *timer, int64_t due);

/* Stop a timer; nothing happens if it is not set. */
void wheel_stop(struct wheel *wheel, struct timer *timer);

static inline bool timer_is_set(const struct timer *timer)
{
    return timer->next != NULL;
}

/* Move on to `now`: what is due can be popped. */
void wheel_advance(struct wheel *wheel, int64_t now);

/* The next due timer, no longer set; NULL when there is none. */
struct timer *wheel_pop(struct wheel *wheel);

/* A time not later than the next due timer, at most one slot of a level early; INT64_MAX: none. */
int64_t wheel_next(const struct wheel *wheel);

#endif
