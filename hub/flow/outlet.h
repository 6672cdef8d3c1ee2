/* outlet - where one client hears from the hub: a stack of replies and a descriptor.
 *
 * The hub's thread pushes replies and, once a turn, makes the descriptor readable; the client's
 * thread takes all of them at once. What a slow client does not take is held back before it comes
 * here: flow/backlog.h.
 */
#ifndef HUB_FLOW_OUTLET_H
#define HUB_FLOW_OUTLET_H

#include "base/stack.h"
#include "flow/bell.h"
#include "flow/reply.h"

struct flow;

struct outlet {
    struct stack replies;
    _Atomic bool signalled;   /* the descriptor is readable, or about to be */
    struct bell bell;         /* its descriptor is the client's */
    struct outlet *next_news; /* hub thread: list of those with news in this turn */
    bool has_news;
    void (*_Atomic wakeup)(void *user); /* atamo_on_wakeup() */
    void *_Atomic wakeup_user;
};

int outlet_open(struct outlet *outlet);
void outlet_close(struct outlet *outlet);

/* There is something for the client: make its descriptor readable. [any] */
void outlet_signal(struct outlet *outlet);

/* From now on news make the descriptor readable again. [client] */
void outlet_quiet(struct outlet *outlet);

/* Hand a reply to the client; it hears of it at the end of the turn. [hub thread] */
void outlet_push(struct flow *flow, struct outlet *outlet, struct reply *reply);

/* All replies that wait, oldest first. [client] */
struct reply *outlet_take(struct outlet *outlet);

/* Make descriptors readable of clients that got replies in this turn: once for all of them. */
void flow_tell_news(struct flow *flow);

#endif
