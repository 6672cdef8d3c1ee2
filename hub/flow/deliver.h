/* deliver - what agents respond, on its way to the clients that asked. */
#ifndef HUB_FLOW_DELIVER_H
#define HUB_FLOW_DELIVER_H

#include "flow/request.h"

/* May the agent that has this action respond now? False: its client's queue is full; room() of the
 * agent will be called. [any] */
bool deliver_may_respond(struct action *action);

/* It does not respond after all. [any] */
void deliver_take_back(struct action *action);

/* A response of an agent; its reference is given away. [hub thread] */
void flow_deliver(struct flow *flow, struct payload *payload);

#endif
