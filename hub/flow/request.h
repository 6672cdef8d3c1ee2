/* request - an event whose client wants to hear what comes of it: its life from admission to END.
 *
 * The client's thread makes it and submits it with its event. From then on its state belongs to the
 * hub's thread; what the client's thread may touch is said below. Its actions are its parts: when
 * enough of them have ended, or its time is over, or the client cancels, the END reply goes out,
 * and what is not wanted any more is cancelled.
 *
 * References: the client's, until it has taken the END reply or left the request to the hub; one of
 * each action; one while it is on its way to be fed. Whoever lets go of the last one frees it.
 */
#ifndef HUB_FLOW_REQUEST_H
#define HUB_FLOW_REQUEST_H

#include "flow/alarm.h"
#include "flow/outlet.h"
#include "model/message.h"

#include <atamo/hub.h>
#include <atamo/telemetry.h>

struct flow;
struct flight; /* flow/flight.h */
struct action;

enum { REQUEST_WHY = 256, REQUEST_BUCKETS = 64, REQUEST_QUEUE = 1024, REQUEST_PARTS = 2 };

/* One of its actions. Does not move any more when the first of them is scheduled. */
struct part {
    atamo_action handle;
    bool is_over;               /* it counts as ended for the client */
    struct flight *flight;      /* that it leads or has joined; NULL: none */
    struct part *next, *before; /* in the flight's list of those that joined */
    uint32_t loaded;            /* replies that did not wait when the client began to follow it */
    struct request *request;
};

/* Replies that are held back, oldest first. */
struct backlog {
    struct reply *first, *last;
    uint32_t count;        /* of them that count as waiting */
    struct reply **by_key; /* REQUEST_BUCKETS lists, made when they are needed */
};

struct request {
    struct stack_node link; /* on its way to be fed */
    _Atomic uint32_t refs;
    _Atomic uint32_t waiting; /* replies that agents have given and the client has not taken */
    _Atomic uint32_t out;     /* of them those that were pushed to the outlet */
    _Atomic bool hungry;      /* whoever takes some asks for more: something is held back */
    _Atomic bool asks;        /* it is on its way to be fed */
    _Atomic bool is_over;     /* the END reply is given; agents are held up no more */

    /* What the client asked for; never changes. */
    uint64_t id;         /* the message's number */
    uint32_t flags;      /* ATAMO_UNTIL_ACCEPTED... */
    uint32_t timeout_ms; /* UINT32_MAX: none */
    uint32_t answers, slow, queue, keep_ms;

    /* The client's thread; the hub's while nobody has it. */
    atamo_reply_fn fn; /* NULL: cancelled, no callback follows */
    void *user;
    uint32_t handed;             /* ATAMO_BY_HAND: replies handed out and not said to be taken */
    struct request *same_bucket; /* in a table by id: flow/asked.h */

    /* The hub's thread. */
    struct outlet *outlet;           /* the client's; NULL: nobody has it */
    struct message *message;         /* while it is in flight */
    struct request *next, *previous; /* the flow's open ones */
    struct alarm timeout, forget;
    struct part *parts; /* by ordinal - 1; most requests have few: those are here */
    struct part first_parts[REQUEST_PARTS];
    uint32_t part_count, part_room, parts_over, parts_done;
    uint64_t sequence, lost;
    bool has_failed_rule;
    bool is_unwanted;   /* cancelled: the client hears END and nothing else */
    bool is_cut;        /* it is too slow: the client hears what it has, and END */
    bool is_refreshing; /* an action works on although its part is over */
    struct backlog backlog;
    char why[REQUEST_WHY]; /* the first failure, for the END reply */
    struct reply end;      /* the END reply, so that it cannot fail */
};

static inline bool request_has(const struct request *request, uint32_t flag)
{
    return (request->flags & flag) != 0;
}

/* A feed is for who listens: there is nothing to be kept for another life. */
static inline bool message_is_feed(const struct message *message)
{
    return message->request != NULL && request_has(message->request, ATAMO_FEED);
}

/* Is it only listened to? Then nothing is cancelled with it. */
static inline bool request_listens(const struct request *request)
{
    return request_has(request, ATAMO_DETACHED | ATAMO_UNTIL_ACCEPTED);
}

/* One with a reference, the caller's. The options may be NULL. ATAMO_INVALID: they contradict each
 * other; ATAMO_NO_MEMORY. [client] */
int request_make(const atamo_request_options *options, struct outlet *outlet, atamo_reply_fn fn,
                 void *user, struct request **request);

static inline void request_ref(struct request *request)
{
    atomic_fetch_add_explicit(&request->refs, 1, memory_order_relaxed);
}

/* NULL is fine. [any] */
void request_unref(struct request *request);

/* What was held back may follow, and agents that were told to wait may go on: soon. [any] */
void request_ask_for_more(struct flow *flow, struct request *request);

/* `count` replies more were taken. [client] */
void request_taken(struct flow *flow, struct request *request, uint32_t count);

/* One that an agent was let through with does not wait after all: another one may come. [any] */
void request_untake(struct flow *flow, struct request *request);

/* --- the hub's thread */

/* It came in with a message that was let in. One that only waits for that is over if there is no
 * store to wait for. */
void flow_request_admitted(struct flow *flow, struct message *message);

/* The message is as safe as the store promises. */
void flow_request_committed(struct flow *flow, struct message *message);

/* An action of its own more, before it is scheduled; false without memory. Then: it is taken back.
 */
bool request_add_part(struct request *request, struct action *action);
void request_drop_part(struct action *action);

/* The part of an action that has an asker. */
struct part *request_part(const struct action *action);

/* An action has ended for the client; `why` (may be empty) if it was not done. */
void flow_request_part_over(struct flow *flow, struct action *action, int status, atamo_bytes why);

/* The client hears no more but END. What it caused is cancelled, unless it only listened. The
 * caller has a reference. */
void flow_request_end_early(struct flow *flow, struct request *request, int status,
                            atamo_reason reason, const char *why);

/* A rule that matched its message failed, and made nothing. */
void flow_request_rule_failed(struct request *request, atamo_bytes why);

/* The client is too slow for what it shares with others: the request ends, soon. */
void request_cut(struct flow *flow, struct request *request);

/* How many replies it has been given, and its client has not taken. */
static inline uint32_t request_given(const struct request *request)
{
    return atomic_load_explicit(&request->out, memory_order_relaxed) + request->backlog.count;
}

/* Has the request of an action that has one ended, so that nobody wants it to begin, or to be tried
 * again? And why it is cancelled then. */
bool flow_request_is_too_late(const struct action *action);
atamo_reason flow_request_reason(const struct action *action);

/* Its message has finished: the request ends as well as the actions did. */
void flow_request_finished(struct flow *flow, struct message *message);

/* The request is over: send the END reply. */
void flow_request_ended(struct flow *flow, struct message *message, int status, atamo_bytes text);

/* The client does not want it any more: cancel what it caused, hand out nothing but END. */
void flow_request_cancel(struct flow *flow, struct request *request);

/* The client leaves it, with its reference, to whoever takes it up: from now on it has no outlet.
 * ATAMO_FULL: too many are left. Then somebody takes it up, and what waits can be given to him. */
int flow_request_leave(struct flow *flow, struct request *request);
struct request *flow_request_attach(struct flow *flow, uint64_t id, struct outlet *outlet);

/* Agents that were told to wait may go on. */
void flow_call_room(struct flow *flow, struct request *request);

/* Go on with those whose clients have taken something. Returns how many. */
size_t flow_feed(struct flow *flow);

/* The hub stops: feeds end, whoever still listens is told. */
void flow_end_feeds(struct flow *flow);

/* Nobody will take up what was left. */
void flow_forget_left(struct flow *flow);

#endif
