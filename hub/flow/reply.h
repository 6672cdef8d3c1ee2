/* reply - what an agent responded, and who gets it.
 *
 * A response is copied once, into a payload that all who get it share; each of them gets a reply, a
 * small record with its own sequence. The first one's record lies in the payload itself, so that a
 * response with one receiver is one piece of memory. On the hub's own thread it comes from the
 * flow's pool of blocks, elsewhere from malloc. Whoever lets go of the last reference frees it.
 */
#ifndef HUB_FLOW_REPLY_H
#define HUB_FLOW_REPLY_H

#include "base/blocks.h"

#include <atamo/action.h>

#include <stdbool.h>

struct request;
struct payload;

struct reply {
    struct block block;                 /* first: its link is that of lists of replies, too */
    struct reply *before, *same_bucket; /* while it is held back: flow/backlog.h */
    struct request *request;
    struct payload *payload; /* NULL: END, and PART without a text */
    uint64_t sequence;
    uint64_t lost; /* replies left out right before it... */
    uint64_t told; /* ...of which auditors know */
    uint32_t agent, rule;
    uint32_t kind; /* enum atamo_reply_kind */
    int32_t status;
};

struct payload {
    struct reply reply; /* first: of the first one who gets it */
    _Atomic uint32_t refs;
    uint32_t size, key_size;
    bool is_taken;                   /* the first reply is given away; hub's thread */
    uint8_t kind;                    /* enum atamo_response_kind */
    struct payload *earlier, *later; /* in a result: flow/result.h; hub's thread */
    atamo_action action;
    double progress;
    char bytes[]; /* body NUL key NUL */
};

static inline atamo_bytes payload_body(const struct payload *payload)
{
    return (atamo_bytes){payload->bytes, payload->size};
}

static inline atamo_bytes payload_key(const struct payload *payload)
{
    return (atamo_bytes){payload->bytes + payload->size + 1, payload->key_size};
}

/* Does the reply count as one that waits? END and PART do not. */
static inline bool reply_counts(const struct reply *reply)
{
    return reply->kind == ATAMO_RESPONSE_DATA || reply->kind == ATAMO_RESPONSE_PROGRESS;
}

static inline struct reply *reply_next(const struct reply *reply)
{
    return (struct reply *)(void *)reply->block.link.next;
}

/* A copy of the response with one reference; `blocks` is the pool of the calling thread, or NULL.
 * NULL without memory. */
struct payload *payload_make(struct blocks *blocks, atamo_action action,
                             const atamo_response *response);

/* A record for one more who gets it, with a reference of its own; `payload` may be NULL. Its fields
 * but `payload` are the caller's to fill. NULL without memory. [hub thread] */
struct reply *reply_make(struct blocks *blocks, struct payload *payload);

/* Memory on its way home. */
struct reply_memory {
    struct block *newest, *oldest;
};

/* Let go of a reply, or of a reference to a payload; then send home what is free. [any] */
void reply_release(struct reply *reply, struct reply_memory *memory);
void payload_release(struct payload *payload, struct reply_memory *memory);
void reply_memory_return(struct reply_memory *memory);

/* One reference more. [hub thread] */
static inline struct payload *payload_ref(struct payload *payload)
{
    atomic_fetch_add_explicit(&payload->refs, 1, memory_order_relaxed);
    return payload;
}

#endif
