/* action - what one agent shall do, and the table that holds them all.
 *
 * An action lives in a slot of a table whose chunks never move, so that a handle (generation and
 * slot) can be looked up from any thread and a stale one is noticed. One atomic word holds
 * generation, attempt, outcome and state. The hub's thread makes every move but one: RUNNING ->
 * SETTLED (or ABANDONED -> LATE) is made by whichever thread settles, and only the first one
 * succeeds.
 *
 *     CREATED -> WAITING -> RUNNING -> SETTLED -> DONE (free) | BACKING_OFF | DEAD
 *           \-> JOINED (free)   \-> ABANDONED (deadline; a copy goes on) -> LATE (free)
 */
#ifndef HUB_FLOW_ACTION_H
#define HUB_FLOW_ACTION_H

#include "base/stack.h"
#include "base/wheel.h"
#include "model/message.h"
#include "rules/rule.h"

#include <atamo/action.h>

#include <stdatomic.h>

enum action_state {
    ACTION_FREE,
    ACTION_CREATED,
    ACTION_WAITING,     /* in its lane's queue */
    ACTION_KEYED,       /* behind another action with the same key */
    ACTION_BACKING_OFF, /* until its timer */
    ACTION_JOINED,      /* what another one responds answers it, too: flow/flight.h */
    ACTION_RUNNING,     /* the agent has it */
    ACTION_SETTLED,     /* the agent has answered; the hub's thread will look at it */
    ACTION_ABANDONED,   /* the agent still has it, but its answer does not matter any more */
    ACTION_LATE,        /* ...and has answered now */
    ACTION_DEAD,        /* kept as a dead letter */
};

struct instance;
struct request; /* flow/request.h */

/* A rendered body, or what a rule provider proposed. One malloc. */
struct action_body {
    struct rule_action plan; /* of a proposal: the action's plan points here */
    uint32_t refs;           /* slots that use it; owned by the hub's thread */
    uint32_t size;
    char bytes[];
};

/* What an agent said of an attempt, beside the kind. One malloc; kept while the action lives. */
struct action_note {
    uint64_t retry_after_ms;
    uint32_t size;
    char text[];
};

struct action {
    _Atomic uint64_t word;  /* generation 32 | attempt 16 | outcome 8 | state 8 */
    struct stack_node link; /* in a queue, or on its way back from the agent */
    struct message *message;
    const struct rule_action *plan;
    struct action_body *body;  /* NULL: the event's data */
    struct instance *instance; /* that has it, once it was attempted */
    struct action_note *note;  /* NULL: the agent said nothing */
    struct stack_node *outbox; /* what shall take effect if it is done, newest first */
    struct request *asker;     /* whose client wants responses; a reference, or NULL */
    union {
        struct timer timer; /* deadline, or end of back-off */
        struct {
            uint64_t serial; /* grows with every death */
            int64_t at;      /* Unix ns */
            uint64_t reason; /* enum atamo_reason */
        } death;             /* ACTION_DEAD */
    };
    int64_t began; /* its attempt, Unix ns */
    uint32_t slot;
    uint16_t lane;
    uint16_t ordinal;        /* from 1, within its message: its identity in telemetry */
    uint16_t attempts;       /* how many it may have, set with each attempt */
    _Atomic uint16_t held;   /* things that this attempt has put into its outbox */
    _Atomic bool holds;      /* its agent is held up when the client's queue is full */
    _Atomic bool wants_room; /* its agent was told to wait */
    bool is_fed;             /* a feed has had its first response: no deadline any more */
};

enum { ACTION_CHUNK = 1024, ACTION_CHUNKS_MAX = 16384 };

struct actions {
    _Atomic(struct action *) *chunks;
    uint32_t count;       /* slots ever used */
    struct action *spare; /* free slots, linked */
    uint64_t live;        /* slots in use */
};

int actions_open(struct actions *actions);
void actions_close(struct actions *actions);

/* The action that a link belongs to; NULL for NULL. */
static inline struct action *action_of(struct stack_node *node)
{
    return node == NULL ? NULL
                        : (struct action *)(void *)((char *)node - offsetof(struct action, link));
}

/* The slot of that number, below `count`. [hub thread] */
static inline struct action *actions_at(const struct actions *actions, uint32_t slot)
{
    return &atomic_load_explicit(&actions->chunks[slot / ACTION_CHUNK],
                                 memory_order_relaxed)[slot % ACTION_CHUNK];
}

/* A slot in state CREATED with everything else 0; NULL without memory. [hub thread] */
struct action *actions_take(struct actions *actions);

/* Free the slot, with body and note; its handles are stale from now on. [hub thread] */
void actions_give(struct actions *actions, struct action *action);

/* The action of a handle if it is still that action and the agent has it, else NULL. [any] */
struct action *actions_find(const struct actions *actions, atamo_action handle);

/* The action of a handle whatever its state, NULL if the handle is stale. [hub thread] */
struct action *actions_slot(const struct actions *actions, atamo_action handle);

static inline enum action_state action_state(const struct action *action)
{
    return (enum action_state)(atomic_load_explicit(&action->word, memory_order_acquire) & 0xff);
}

static inline unsigned action_attempt(const struct action *action)
{
    return (atomic_load_explicit(&action->word, memory_order_relaxed) >> 16) & 0xffff;
}

static inline unsigned action_outcome(const struct action *action)
{
    return (atomic_load_explicit(&action->word, memory_order_relaxed) >> 8) & 0xff;
}

/* The handle for the agent: generation and slot. */
static inline atamo_action action_handle(const struct action *action)
{
    const uint64_t word = atomic_load_explicit(&action->word, memory_order_relaxed);

    return (word & ~UINT64_C(0xffffffff)) | action->slot;
}

/* Move to another state; the table of allowed moves is checked. [hub thread] */
void action_move(struct action *action, enum action_state state);

/* Count one more attempt, or begin again at none. [hub thread] */
void action_set_attempt(struct action *action, unsigned attempt);

/* RUNNING -> SETTLED or ABANDONED -> LATE with an outcome; false if it was neither, or the handle
 * is stale: then nothing happened. [any] */
bool action_claim(struct action *action, atamo_action handle, unsigned outcome);

/* RUNNING -> ABANDONED; false if the agent has just settled it. [hub thread] */
bool action_abandon(struct action *action);

/* What the agent shall work on. */
static inline atamo_bytes action_body(const struct action *action)
{
    if (action->body != NULL && action->body->size > 0)
        return (atamo_bytes){action->body->bytes, action->body->size};
    return message_data(action->message);
}

/* The same for every attempt, different for every action: mixed from message number and ordinal. */
uint64_t action_idempotency_key(const struct action *action);

#endif
