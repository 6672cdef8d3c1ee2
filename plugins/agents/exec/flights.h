/* flights - the actions that the plugin holds, from their arrival to their end.
 *
 * Each is in one of four lines: waiting for a worker, running in one, fed (a feed that has given
 * its first response, and has all the time it wants), or overdue (its time is up and it has been
 * settled, but the worker has not let go of it). All actions have the same time limit, so each line
 * is in the order of its deadlines. Belongs to one thread.
 */
#ifndef EXEC_FLIGHTS_H
#define EXEC_FLIGHTS_H

#include <atamo/action.h>

#include <stdbool.h>

enum flight_state {
    FLIGHT_FREE,
    FLIGHT_WAITING,
    FLIGHT_RUNNING,
    FLIGHT_FED,
    FLIGHT_OVERDUE,
    FLIGHT_STATES
};

/* Flights per instance: ids have this many bits for the slot. */
enum { FLIGHT_SLOT_BITS = 20 };

struct flight {
    atamo_action action;
    uint64_t id;     /* what the worker knows it by: slot, and a number that grows; never 0 */
    int64_t since;   /* monotonic ns: when it came into its state */
    uint32_t worker; /* who has it, unless it waits */
    uint32_t state;  /* enum flight_state */
    bool is_feed;
    uint32_t next, previous; /* in its line: slots */
    uint32_t chain;          /* of the hash by action: slot */
};

struct flight_line {
    uint32_t first, last; /* slots */
    uint32_t count;
};

struct flights {
    struct flight *slots;
    uint32_t *buckets; /* first slot of each chain */
    uint32_t capacity;
    uint32_t used; /* slots that were ever used */
    uint32_t mask; /* buckets - 1 */
    uint64_t serial;
    struct flight_line lines[FLIGHT_STATES];
};

/* `capacity` below 1 << FLIGHT_SLOT_BITS. ATAMO_NO_MEMORY. */
int flights_open(struct flights *flights, uint32_t capacity);

void flights_close(struct flights *flights);

/* A new one at the end of the waiting line; NULL if there are as many as may be. */
struct flight *flights_add(struct flights *flights, atamo_action action, int64_t now);

/* Move to the end of the line of another state; not to FLIGHT_FREE. */
void flights_move(struct flights *flights, struct flight *flight, enum flight_state state,
                  int64_t now);

/* It has ended; the pointer and the id are not valid any more. */
void flights_remove(struct flights *flights, struct flight *flight);

/* NULL if there is none. */
struct flight *flights_by_id(const struct flights *flights, uint64_t id);
struct flight *flights_by_action(const struct flights *flights, atamo_action action);

/* Walk a line: its first, and what follows a flight there; NULL at the end. */
struct flight *flights_first(const struct flights *flights, enum flight_state state);
struct flight *flights_next(const struct flights *flights, const struct flight *flight);

#endif
