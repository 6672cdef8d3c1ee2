/* backlog - replies that a client is too slow to take.
 *
 * At most `queue` replies wait for a client. They are pushed to its outlet as long as it takes
 * them; what comes beyond is held back here, where the request's policy can still drop or replace
 * it, and follows when the client has taken some. Under ATAMO_SLOW_BLOCK nothing comes beyond,
 * because the agents' respond() says ATAMO_BUSY before. What is left out is counted, told to the
 * client with the next reply, and to auditors.
 */
#ifndef HUB_FLOW_BACKLOG_H
#define HUB_FLOW_BACKLOG_H

#include "flow/request.h"

/* Give a reply, with all its fields but request, sequence and lost, to its request: now or later.
 * [hub thread] */
void flow_give(struct flow *flow, struct request *request, struct reply *reply);

/* Push what may be pushed of what is held back. [hub thread] */
void flow_give_held(struct flow *flow, struct request *request);

/* Hold a reply back that was on its way to the client that left, before all that is held back. [hub
 * thread] */
void flow_hold_again(struct flow *flow, struct request *request, struct reply *reply);

/* Let go of everything but END. [hub thread] */
void flow_drop_held(struct request *request);

#endif
