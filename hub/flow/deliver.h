/* deliver - what agents respond, on its way to the client that asked.
 *
 * A request is made by the client's thread and belongs to the hub's thread from then on, until its
 * END reply has been handed to the client, who frees it. Replies travel on a stack of the client's;
 * its bell makes the descriptor readable.
 */
#ifndef HUB_FLOW_DELIVER_H
#define HUB_FLOW_DELIVER_H

#include "flow/flow.h"

#include <atamo/hub.h>

struct outlet;

/* One reply on its way. One malloc, freed by the client; the END reply lies in the request. */
struct reply {
    struct stack_node link; /* first */
    struct request *request;
    atamo_action action; /* who responds */
    uint64_t sequence;   /* set by the hub's thread */
    double progress;
    uint32_t kind; /* enum atamo_reply_kind */
    int32_t status;
    uint32_t agent, rule; /* names */
    uint32_t size;
    char bytes[];
};

enum { REQUEST_WHY = 256 };

struct request {
    struct outlet *outlet; /* the client's */
    uint64_t id;           /* the message's number */
    atamo_reply_fn fn;     /* for the client's thread */
    void *user;
    struct request *next, *previous; /* the outlet's open requests; hub's thread */
    struct message *message;         /* while it is in flight */
    struct alarm timeout;
    uint32_t timeout_ms; /* UINT32_MAX: none */
    uint64_t sequence;
    int32_t status;              /* how it will end, if that is known already */
    bool until_accepted;         /* ATAMO_UNTIL_ACCEPTED */
    bool detached;               /* ATAMO_DETACHED */
    char why[REQUEST_WHY];       /* first failure, for the END reply */
    struct request *client_next; /* client's thread: its list of open requests */
    struct reply *end;           /* the END reply, made with the request */
};

/* A client, as the hub's thread sees it. */
enum { OUTLET_REPLIES_MAX = 65536 };

struct outlet {
    struct stack replies;
    _Atomic uint32_t waiting; /* replies pushed and not taken */
    _Atomic bool signalled;   /* the descriptor is readable, or about to be */
    struct bell bell;         /* its descriptor is the client's */
    struct request *first;    /* open requests */
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

/* Make descriptors readable of clients that got replies in this turn: once for all of them. */
void flow_tell_news(struct flow *flow);

/* A request came in with a message that was let in. One that only waits for that is over if there
 * is no store to wait for. */
void flow_request_admitted(struct flow *flow, struct message *message);

/* The message is as safe as the store promises. */
void flow_request_committed(struct flow *flow, struct message *message);

/* An action of the request's message failed for good. */
void flow_request_action_failed(struct flow *flow, struct message *message, atamo_bytes text);

/* Its message has finished: the request ends as well as the actions did. */
void flow_request_finished(struct flow *flow, struct message *message);

/* The request is over: send the END reply. Does nothing if it has been sent. */
void flow_request_ended(struct flow *flow, struct message *message, int status, atamo_bytes text);

/* The client does not want it any more: cancel what it caused. [hub thread] */
void flow_request_cancel(struct flow *flow, struct request *request);

/* A response of an agent, in a reply that the caller gives away. [hub thread] */
void flow_deliver(struct flow *flow, struct reply *reply);

#endif
