/* shares - the results that one agent's requests share: those that are kept, and those under way.
 *
 * Level 2 of the caches (level 1 is the event provider's: results by request). A result answers who
 * asks for the same: tenant, acting user (or all users of the tenant), action type, body by its
 * meaning, and whether a feed is wanted. How long is the agent's `cache:` configuration.
 *
 * Belongs to a lane and to the hub's thread. A flight that is under way outlives it.
 */
#ifndef HUB_FLOW_SHARES_H
#define HUB_FLOW_SHARES_H

#include "base/cache.h"
#include "flow/alarm.h"
#include "flow/generation.h"
#include "flow/result.h"

struct action;
struct flight;
struct flow;
struct lane;

enum { SHARES_BODY_MAX = 65536 };

struct shares {
    struct sharing_policy policy;
    struct lane *lane;
    struct cache results; /* of struct result */
    struct canonical *canonical;
    struct flight **flights; /* by key */
    uint32_t flight_count, flight_size;
    size_t held;      /* bytes of results under way */
    uint64_t evicted; /* of them so many have been told */
    struct alarm upkeep;
    char *key; /* the one that was looked for last */
    size_t key_size, key_room;
    uint64_t hash;
};

/* ATAMO_NO_MEMORY. */
int shares_open(struct shares **shares, struct lane *lane, const struct sharing_policy *policy);

/* Flights go on, but nobody can join them. NULL is fine. */
void shares_close(struct flow *flow, struct shares *shares);

/* Make out the key of an action: what the other functions look for. False: it shares with nobody,
 * because its body is too large or there is no memory. */
bool shares_look_for(struct flow *flow, struct shares *shares, const struct action *action);

/* What is kept, fresh or stale; NULL: nothing. */
struct cache_entry *shares_find(struct shares *shares, int64_t now);

/* Keep the result of a flight of these shares. */
void shares_keep(struct flow *flow, struct flight *flight, int64_t fresh_ns, int64_t stale_ns);

/* The flight under way; NULL: none. */
struct flight *shares_flight(const struct shares *shares);

/* Add a flight, and take it out again. False: there is no memory. */
bool shares_add(struct shares *shares, struct flight *flight);
void shares_remove(struct shares *shares, struct flight *flight);

/* The largest that one result may be. */
static inline size_t shares_most(const struct shares *shares)
{
    return (size_t)(shares->policy.max_bytes / 8);
}

#endif
