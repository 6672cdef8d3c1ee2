/* outbox - what an action's agent wants to take effect together with the outcome.
 *
 * In a durable hub follow-up events and key-value writes are held with the action that made them.
 * If it ends done they are committed in the same transaction as its end, so that they take effect
 * exactly once; any other outcome of the attempt lets them go.
 */
#ifndef HUB_FLOW_OUTBOX_H
#define HUB_FLOW_OUTBOX_H

#include "flow/flow.h"

struct commit;

enum { OUTBOX_MAX = 1024 }; /* things that one attempt may hold */

/* One thing held: a follow-up event, or a key-value write. One malloc. */
struct held {
    struct stack_node link; /* first: on its way to the hub's thread, then in the action's outbox */
    atamo_action action;
    unsigned attempt;
    struct message *message; /* NULL: a write */
    uint32_t kind;           /* enum atamo_write_kind */
    uint32_t key_size;
    uint64_t expected; /* as in atamo_write */
    size_t value_size;
    char bytes[]; /* key, value */
};

/* One more thing for this action's outbox, with room for `size` bytes; NULL and *status:
 * ATAMO_GONE, ATAMO_TOO_LARGE, ATAMO_NO_MEMORY. Then hold it, or free() it. [any] */
struct held *outbox_take(struct flow *flow, atamo_action action, size_t size, int *status);
void outbox_hold(struct flow *flow, struct held *held);

/* Put what has come from other threads into the outboxes. Before any settlement is looked at: what
 * an agent held before it settled is there then. [hub thread] */
void outbox_gather(struct flow *flow);

/* Let go of what the attempt wanted. [hub thread] */
void outbox_empty(struct flow *flow, struct action *action);

/* May the action end done? ATAMO_CONFLICT: a key has not the version that was expected;
 * ATAMO_NO_MEMORY: it cannot be written now; or a failure of the store. [hub thread] */
int outbox_check(struct flow *flow, const struct action *action);

/* All of it into the commit that gathers, which has the room since outbox_check(). [hub thread] */
void outbox_keep(struct flow *flow, struct action *action);

#endif
