/* lane - one agent's actions: who waits, who runs, and what holds them back.
 *
 * A lane outlives configurations: it is found by the agent's name, and a new configuration gives it
 * new settings and perhaps a new instance while its queue stays. It belongs to the hub's thread.
 */
#ifndef HUB_FLOW_LANE_H
#define HUB_FLOW_LANE_H

#include "base/bucket.h"
#include "flow/action.h"
#include "flow/alarm.h"
#include "flow/breaker.h"
#include "flow/generation.h"
#include "flow/keys.h"

#include <atamo/hub.h>

struct pool;   /* flow/pool.h */
struct shares; /* flow/shares.h */

struct lane_counters {
    uint64_t done, retries, dead, shed, cancelled, expired, attempts;
    uint64_t cache_hits, cache_stale, cache_joins, cache_misses, cache_evicted;
    uint64_t latency_sum_us;
    uint64_t latency[ATAMO_LATENCY_BUCKETS]; /* settled attempts by how long they took: hub.h */
};

/* Where an action is in the store: the event's place, then its ordinal. */
struct position {
    uint64_t place;
    uint32_t ordinal;
};

struct lane {
    struct agent_settings settings;  /* of the newest generation that has this agent */
    const struct atamo_agent *agent; /* the instance's role */
    struct pool *pool;               /* NULL: inline */
    uint16_t number;                 /* place in the flow's list */
    bool paused;
    bool removed; /* the newest generation does not have it: it only finishes what it holds */
    uint32_t running;
    uint32_t waiting; /* in the queue or in line for a key */
    uint32_t backing_off;
    uint64_t parked;              /* that wait in the store: flow/park.h */
    struct position first_parked; /* where the first of them is, or one before it */
    struct position latest;       /* the last that came into memory */
    int64_t moved_at;             /* when its agent last settled something */
    bool is_ready;                /* in the flow's list of lanes to pump */
    struct lane *next_ready;
    struct action *first, *last; /* the queue, linked by `link` */
    struct keys keys;
    struct breaker breaker;
    struct bucket bucket;       /* if settings.rate > 0 */
    struct alarm wake;          /* when the rate or the breaker lets the next one through */
    struct shares *shares;      /* NULL: each action is attempted for itself */
    struct shares *next_shares; /* those of the configuration that is being swapped in */
    struct lane_counters counters;
};

/* A lane with these settings. `number` is its place in the list. */
void lane_open(struct lane *lane, uint16_t number, const struct agent_settings *settings);
void lane_close(struct lane *lane);

/* Take over the settings of a new generation; queue and counters stay. */
void lane_update(struct lane *lane, const struct agent_settings *settings);

/* What holds the next attempt back now: ATAMO_REASON_NONE, or why; *until is the time at which to
 * ask again, 0: when something ends or somebody resumes. Takes a token of the rate limit if NONE.
 */
atamo_reason lane_gate(struct lane *lane, int64_t now, int64_t *until);

/* Nothing can hold an attempt back: no limit of rate, no breaker, no queue. Cheaper than the gate.
 */
static inline bool lane_is_clear(const struct lane *lane)
{
    return lane->first == NULL && lane->running < lane->settings.concurrency && !lane->paused &&
           lane->settings.rate == 0 && lane->breaker.state == BREAKER_CLOSED;
}

/* The queue. */
void lane_push(struct lane *lane, struct action *action);
void lane_push_front(struct lane *lane, struct action *action);
struct action *lane_pop(struct lane *lane);
void lane_remove(struct lane *lane, struct action *action);

#endif
