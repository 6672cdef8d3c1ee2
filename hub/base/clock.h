/* clock - where all time comes from.
 *
 * A hub reads one clock. The system's runs by CLOCK_MONOTONIC from the wall time at which it was
 * opened, so that nobody who sets the wall clock moves a timer; simulations and tests bring their
 * own. Time is in Unix nanoseconds and never goes backwards.
 */
#ifndef HUB_BASE_CLOCK_H
#define HUB_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000 * 1000, NS_PER_S = 1000 * 1000 * 1000 };

struct clock {
    int64_t (*now)(void *context); /* any thread */
    void *context;
    int64_t offset_ns; /* of the system's clock: wall time minus monotonic time at the start */
};

/* The system's clock. */
void clock_system(struct clock *clock);

/* Somebody else's. */
void clock_custom(struct clock *clock, int64_t (*now)(void *context), void *context);

/* Monotonic nanoseconds, for measuring durations of real work. */
int64_t clock_monotonic(void);

static inline int64_t clock_now(const struct clock *clock)
{
    return clock->now == NULL ? clock_monotonic() + clock->offset_ns : clock->now(clock->context);
}

#endif
