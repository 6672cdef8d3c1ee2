/* atamo/action.h - what an agent is asked to do, and how it answers.
 *
 * An action is a handle (slot and generation): a stale one is noticed, never followed. The agent
 * may read an action from the moment it is handed over until it has settled it, on any thread.
 * Every action gets any number of responses and then exactly one settlement, also after cancel().
 */
#ifndef ATAMO_ACTION_H
#define ATAMO_ACTION_H

#include "atamo/event.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t atamo_action;

/* All that there is to know about an action. The host fills as much as `size` allows. */
typedef struct atamo_action_info {
    uint32_t size;            /* sizeof(atamo_action_info), set by the caller */
    uint32_t attempt;         /* from 1 */
    uint32_t attempts;        /* how many it may have in all */
    uint32_t flags;           /* ATAMO_WANTS_RESPONSES */
    const atamo_event *event; /* the event that caused it */
    uint64_t message;         /* that event's message number */
    int64_t deadline_ns;      /* Unix ns; 0: none */
    atamo_bytes type;         /* "send-email": what the rule asked for */
    atamo_bytes agent;        /* the name of the agent in the configuration */
    atamo_bytes rule;         /* id of the rule that made it */
    atamo_bytes user;         /* acts for this user; "" if nobody */
    atamo_bytes tenant;
    atamo_bytes body;         /* JSON text, or the event's data as it came */
    uint64_t idempotency_key; /* the same for every attempt of this action, and for no other */
} atamo_action_info;

enum {
    ATAMO_WANTS_RESPONSES = 1u << 0, /* a client waits; otherwise responses are only counted */
    ATAMO_WANTS_FEED = 1u << 1       /* it wants updates until cancel(): settle when there are no
                                        more to come */
};

/* How an action ended. */
typedef enum atamo_outcome_kind {
    ATAMO_DONE = 1,
    ATAMO_RETRY = 2, /* transient: try again with back-off */
    ATAMO_FAIL = 3   /* permanent: becomes a dead letter */
} atamo_outcome_kind;

typedef struct atamo_outcome {
    uint32_t size;           /* sizeof(atamo_outcome) */
    uint32_t kind;           /* enum atamo_outcome_kind */
    uint64_t retry_after_ms; /* ATAMO_RETRY: not earlier than this; 0: as the back-off says */
    atamo_bytes reason;      /* one sentence for people, cut at 512 bytes; copied */
} atamo_outcome;

/* One response. The body is copied. */
typedef struct atamo_response {
    uint32_t size;    /* sizeof(atamo_response) */
    uint32_t kind;    /* enum atamo_response_kind */
    atamo_bytes body; /* ATAMO_RESPONSE_DATA: any bytes; PROGRESS: a text for people */
    double progress;  /* ATAMO_RESPONSE_PROGRESS: 0..1 */
    /* ATAMO_RESPONSE_DATA: what the response is about ("EUR/USD"): a newer one of the same key
     * stands for it, where a slow client or a late one wants the latest only. "": nothing */
    atamo_bytes key;
} atamo_response;

typedef enum atamo_response_kind {
    ATAMO_RESPONSE_DATA = 1,
    ATAMO_RESPONSE_PROGRESS = 2
} atamo_response_kind;

#ifdef __cplusplus
}
#endif

#endif
