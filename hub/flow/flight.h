/* flight - one action at work for all requests that ask the same.
 *
 * The first one leads: its action is attempted as any other. Those that come while it is under way
 * join: they hear what it has responded so far, and what it responds from then on, and end as it
 * ends. A leader whose client goes away works on as long as anybody else waits for it. What was
 * answered is kept for a while, if the agent's configuration says so (flow/shares.h).
 *
 * All of it belongs to the hub's thread.
 */
#ifndef HUB_FLOW_FLIGHT_H
#define HUB_FLOW_FLIGHT_H

#include "flow/request.h"
#include "flow/result.h"

#include <atamo/telemetry.h>

struct lane;
struct shares;

struct flight {
    struct shares *shares; /* NULL: nobody can join any more */
    struct flight *next;   /* in the shares' table */
    uint64_t hash;
    struct part *leader;
    struct part *first, *last; /* that have joined */
    uint32_t joined;
    bool is_orphan;        /* its own client does not wait for it any more */
    struct result *result; /* so far; NULL: nobody can join any more */
    size_t key_size;
    char key[];
};

/* An action that is about to be scheduled, and whose client wants responses. True: it needs no
 * attempt of its own, it has joined another one or was answered. */
bool flow_share(struct flow *flow, struct lane *lane, struct action *action);

/* An attempt of it begins. */
void flight_begin(struct flight *flight);

/* Its agent has responded. */
void flight_deliver(struct flow *flow, struct flight *flight, struct payload *payload);

/* Its leader has ended so: who has joined ends as well. */
void flight_land(struct flow *flow, struct flight *flight, atamo_step step, atamo_reason reason,
                 atamo_bytes why);

/* Its own client does not wait for this part any more: is it wanted all the same? */
bool flight_is_wanted(struct part *part);

/* Does the work of a part whose request is over go on, for others or for what is kept? */
static inline bool flight_goes_on(const struct part *part)
{
    return part->flight != NULL && (part->is_over || part->flight->joined > 0);
}

/* A part that has joined leaves; nothing happens if it has left. Whoever leaves as the last one
 * takes an orphan with him. False: it has left before, and is about to end. */
bool flight_leave(struct flow *flow, struct part *part, atamo_reason reason);

/* May a client that is slow and should hold up the agent fall behind instead, because what it
 * lacks is kept anyway? */
static inline bool flight_keeps_all(const struct flight *flight)
{
    return flight->result != NULL && flight->result->latest == NULL;
}

/* Nobody can join any more. */
void flight_shut(struct flight *flight);

#endif
