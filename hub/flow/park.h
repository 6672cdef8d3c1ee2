/* park - actions that wait in the store, because their agent has enough to do in memory.
 *
 * In a durable hub an agent's `queue` is how many of its actions are in memory. What comes beyond
 * that stays where it is anyway, in the store, and its memory is given back; when the agent has
 * room, the next ones are read again, in the order of acceptance. So the length of a queue is
 * bounded by the disk, and one agent that stands still holds up nobody else.
 *
 * From the first parked action of a lane on, all further ones are parked too: a key's order holds.
 */
#ifndef HUB_FLOW_PARK_H
#define HUB_FLOW_PARK_H

#include "flow/flow.h"

struct parking;

struct parking *parking_open(void);
void parking_close(struct parking *parking);

/* Have what it takes to park actions of so many messages. False without memory. */
bool flow_may_park(struct flow *flow, size_t messages);

/* An action that is committed and not scheduled yet: shall it wait in the store? Then its slot is
 * free, and true is the answer. */
bool flow_park(struct flow *flow, struct action *action);

/* The last action of a message that was in memory has ended. True if others are parked: the message
 * leaves memory, and is not finished. */
bool flow_leave(struct flow *flow, struct message *message);

/* Something of a message that may have left is in memory again. False: it had not left. */
bool flow_return(struct flow *flow, struct message *message);

/* The message's memory goes. */
void flow_forget_parked(struct flow *flow, const struct message *message);

/* Read again what agents have room for. Each turn. Returns how many actions. */
size_t flow_unpark(struct flow *flow);

/* The hub stops: nobody waits any more for what is parked. */
void flow_leave_parked(struct flow *flow);

#endif
