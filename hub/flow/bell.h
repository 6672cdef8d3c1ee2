/* bell - wake a thread that sleeps on a descriptor, and only if it sleeps.
 *
 * The sleeper says so before it looks a last time for work; whoever brings work looks at that after
 * he has put it down. Both sides have a full fence between, so one of them always sees the other.
 */
#ifndef HUB_FLOW_BELL_H
#define HUB_FLOW_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bell {
    _Alignas(64) _Atomic bool sleeping;
    int fd; /* an eventfd, readable when it has been rung */
};

/* ATAMO_IO if there are no descriptors left. */
int bell_open(struct bell *bell);
void bell_close(struct bell *bell);

/* Make the descriptor readable. [any] */
void bell_strike(struct bell *bell);

/* Make it unreadable again; returns how often it was struck since the last time. [sleeper] */
uint64_t bell_quiet(struct bell *bell);

/* Work was put down: wake the sleeper if it sleeps. [any] */
static inline void bell_ring(struct bell *bell)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&bell->sleeping, memory_order_relaxed) &&
        atomic_exchange(&bell->sleeping, false))
        bell_strike(bell);
}

/* I am going to sleep: look for work once more after this. [sleeper] */
static inline void bell_doze(struct bell *bell)
{
    atomic_store_explicit(&bell->sleeping, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

/* I am awake. [sleeper] */
static inline void bell_rise(struct bell *bell)
{
    atomic_store_explicit(&bell->sleeping, false, memory_order_relaxed);
}

#endif
