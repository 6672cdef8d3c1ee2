/* deliver - what agents respond, on its way to the clients that asked. */
#ifndef HUB_FLOW_DELIVER_H
#define HUB_FLOW_DELIVER_H

#include "flow/request.h"

/* May the agent that has this action respond now? False: its client's queue is full; room() of the
 * agent will be called. [any] */
bool deliver_may_respond(struct action *action);

/* It does not respond after all. [any] */
void deliver_take_back(struct flow *flow, struct action *action);

/* Give a response to the client of one more part. [hub thread] */
void deliver_to(struct flow *flow, struct part *part, struct payload *payload);

/* Has the client of a part that shares a flight fallen behind by more than it may? [hub thread] */
bool deliver_is_behind(const struct part *part);

/* A response of an agent; its reference is given away. [hub thread] */
void flow_deliver(struct flow *flow, struct payload *payload);

#endif
