/* atamo/telemetry.h - one record for each step of each message's path.
 *
 * Records have 64 bytes for ever; kinds and reasons are added at the end, fields are not. A record
 * with text (an event's id, why an attempt failed) is followed at once, in the same batch, by
 * ATAMO_STEP_TEXT records that hold the bytes: see atamo_telemetry_text().
 */
#ifndef ATAMO_TELEMETRY_H
#define ATAMO_TELEMETRY_H

#include "atamo/status.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The steps, in the order of a message's life. "T" marks a terminal step of an action, "M" of a
 * message. What the other fields hold is said at each; a field that is not named is 0. */
typedef enum atamo_step {
    ATAMO_STEP_TEXT = 0,      /* continues the record before it: struct atamo_telemetry_piece */
    ATAMO_STEP_ADMITTED = 1,  /* type, user; value[0] bytes of data, value[1] causing message; text:
                                 id,  where the client gave one */
    ATAMO_STEP_REFUSED = 2,   /* M type, reason; text: what was wrong */
    ATAMO_STEP_DELAYED = 3,   /* value[0] due, Unix ns */
    ATAMO_STEP_EVALUATED = 4, /* value[0] rules that matched, value[1] actions made */
    ATAMO_STEP_RULE_FAILED = 5, /* rule, reason; text: why. The other rules go on */
    ATAMO_STEP_SCHEDULED = 6,  /* rule, agent, type (of action), reason: what it waits for. Only for
                                  actions that have to wait */
    ATAMO_STEP_ATTEMPT = 7,    /* rule, agent, type (of action), attempt */
    ATAMO_STEP_RESPONDED = 8,  /* rule, agent, attempt; value[0] bytes, value[1] sequence */
    ATAMO_STEP_DONE = 9,       /* T rule, agent, attempt */
    ATAMO_STEP_RETRY = 10,     /* rule, agent, attempt, reason; value[0] due, Unix ns; text: why */
    ATAMO_STEP_DEAD = 11,      /* T rule, agent, attempt, reason; text: why */
    ATAMO_STEP_SHED = 12,      /* T rule, agent, reason */
    ATAMO_STEP_CANCELLED = 13, /* T rule, agent, reason */
    ATAMO_STEP_EXPIRED = 14,   /* T rule, agent, reason */
    ATAMO_STEP_ALERT = 15,     /* agent or rule, reason: a person should look; text: why */
    ATAMO_STEP_EMITTED = 16,   /* agent; value[0] number of the follow-up event's message */
    ATAMO_STEP_DELIVERED = 17, /* value[0] responses taken by the client, value[1] 1 if the last */
    ATAMO_STEP_FINISHED =
        18, /* M every action has ended; value[0] ended done, value[1] otherwise */
    ATAMO_STEP_REPLAYED =
        19,              /* agent, action: a dead letter is tried again; value[0] the old action */
    ATAMO_STEP_HUB = 20, /* about the hub itself; reason, agent; text: what happened */
    ATAMO_STEP_COMMITTED =
        21, /* event and actions are on stable storage; value[0] its place there */
    ATAMO_STEP_RECOVERED = 22, /* type; found in the store at the start; value[0] its place there;
                                  text: id, where the client gave one */
    ATAMO_STEP_DUPLICATE = 23, /* M type; value[0] the message that was accepted first and is on
                                  stable storage; text: the id */
    ATAMO_STEP_ACCESS =
        24, /* somebody used an interface of the hub: user; value[0] what came of it,
               such as an HTTP status, value[1] how long it took, us; text: what */
    ATAMO_STEP_DROPPED = 25, /* responses that a slow client did not take were dropped; rule, agent
                                of the one before which; value[0] how many */
    ATAMO_STEP_COUNT
} atamo_step;

/* Why: a closed list. */
typedef enum atamo_reason {
    ATAMO_REASON_NONE = 0,
    /* an event is refused */
    ATAMO_REASON_UNKNOWN_TYPE = 1,
    ATAMO_REASON_MISSING_FIELD = 2,
    ATAMO_REASON_MALFORMED = 3,
    ATAMO_REASON_TOO_LARGE = 4,
    ATAMO_REASON_DENIED = 5,
    ATAMO_REASON_HOP_LIMIT = 6,
    ATAMO_REASON_STOPPING = 7,
    ATAMO_REASON_HUB_FULL = 8,
    /* an action waits */
    ATAMO_REASON_RATE_LIMIT = 20,
    ATAMO_REASON_CONCURRENCY = 21,
    ATAMO_REASON_KEY_BUSY = 22,
    ATAMO_REASON_BREAKER_OPEN = 23,
    ATAMO_REASON_PAUSED = 24,
    ATAMO_REASON_BACK_OFF = 25,
    ATAMO_REASON_NOT_STARTED = 26,
    ATAMO_REASON_PARKED = 27, /* in the store: the agent has enough to do in memory */
    ATAMO_REASON_JOINED =
        28, /* an identical action is under way: its result is for this one, too */
    /* an action ends, or an attempt did */
    ATAMO_REASON_FAILED = 40,    /* the agent says: for good */
    ATAMO_REASON_TRANSIENT = 41, /* the agent says: try again */
    ATAMO_REASON_DEADLINE = 42,
    ATAMO_REASON_ATTEMPTS = 43, /* ran out of attempts */
    ATAMO_REASON_EXPIRED = 44,
    ATAMO_REASON_QUEUE_FULL = 45,
    ATAMO_REASON_CLIENT = 46, /* the client cancelled, or is gone */
    ATAMO_REASON_AGENT_REMOVED = 47,
    ATAMO_REASON_DEAD_LETTERS_FULL = 48,
    ATAMO_REASON_NO_MEMORY = 49,
    ATAMO_REASON_STORE = 50,    /* the store has no room, or has failed */
    ATAMO_REASON_CONFLICT = 51, /* a key had not the version that the agent expected */
    ATAMO_REASON_CACHED = 52,   /* done: answered from the agent's cache */
    ATAMO_REASON_STALE = 53,    /* done: answered from the cache while that is being refreshed */
    ATAMO_REASON_SHARED = 54,   /* done or dead: as the identical action was that it had joined */
    ATAMO_REASON_ENOUGH = 55,   /* cancelled: the client has as many answers as it wanted */
    ATAMO_REASON_FEED_END = 56, /* cancelled: feeds end with the hub */
    /* a rule made no action */
    ATAMO_REASON_TEMPLATE = 60, /* a field that its template needs is missing */
    ATAMO_REASON_PROVIDER = 61, /* the rule provider failed */
    ATAMO_REASON_UNKNOWN_AGENT = 62,
    /* about the hub */
    ATAMO_REASON_STARTED = 80,
    ATAMO_REASON_STOPPED = 81,
    ATAMO_REASON_RELOADED = 82,
    ATAMO_REASON_RELOAD_REFUSED = 83,
    ATAMO_REASON_BLOCKED = 84,      /* a callback holds a loop up; text names plugin and callback */
    ATAMO_REASON_LOST_RECORDS = 85, /* an auditor lost value[0] records */
    ATAMO_REASON_BREAKER_OPENED = 86,
    ATAMO_REASON_BREAKER_CLOSED = 87,
    ATAMO_REASON_RESUMED = 88,
    ATAMO_REASON_STALE_SETTLE = 89, /* an agent settled an action that had ended */
    ATAMO_REASON_EVICTED = 90       /* value[0] results left an agent's cache for want of room */
} atamo_reason;

/* One record. */
typedef struct atamo_telemetry {
    uint16_t step;    /* enum atamo_step */
    uint16_t reason;  /* enum atamo_reason */
    uint16_t attempt; /* from 1 */
    uint16_t text;    /* bytes of text in the records that follow */
    int64_t time_ns;  /* Unix nanoseconds by the hub's clock */
    uint64_t message; /* number of the message; 0: the hub itself */
    uint64_t action;  /* the action's handle */
    uint32_t type;    /* names: ask the host's name() */
    uint32_t rule;
    uint32_t agent;
    uint32_t user;
    uint64_t value[2];
} atamo_telemetry;

enum { ATAMO_PIECE_BYTES = 60 };

/* What an ATAMO_STEP_TEXT record looks like. */
typedef struct atamo_telemetry_piece {
    uint16_t step; /* ATAMO_STEP_TEXT */
    uint16_t size; /* bytes used in this piece */
    char bytes[ATAMO_PIECE_BYTES];
} atamo_telemetry_piece;

/* How many records this one occupies, itself included. */
static inline size_t atamo_telemetry_span(const atamo_telemetry *record)
{
    return 1u + ((size_t)record->text + ATAMO_PIECE_BYTES - 1u) / ATAMO_PIECE_BYTES;
}

/* Copy the text of a record into `buffer`, cut to `capacity` - 1 bytes, with a NUL. `record` must
 * stand in its batch. Returns the bytes copied. */
static inline size_t atamo_telemetry_text(const atamo_telemetry *record, char *buffer,
                                          size_t capacity)
{
    size_t done = 0;

    while (done < record->text && capacity > done + 1) {
        const atamo_telemetry_piece *piece =
            (const atamo_telemetry_piece *)(const void *)(record + 1 + done / ATAMO_PIECE_BYTES);
        size_t take = piece->size;

        if (take > capacity - 1 - done)
            take = capacity - 1 - done;
        memcpy(buffer + done, piece->bytes, take);
        done += take;
        if (take < ATAMO_PIECE_BYTES)
            break;
    }
    if (capacity > 0)
        buffer[done] = '\0';
    return done;
}

/* "admitted", "attempt", ...; never NULL. */
static inline const char *atamo_step_name(unsigned step)
{
    static const char *const names[ATAMO_STEP_COUNT] = {
        "text",      "admitted",  "refused",   "delayed",   "evaluated", "rule-failed", "scheduled",
        "attempt",   "responded", "done",      "retry",     "dead",      "shed",        "cancelled",
        "expired",   "alert",     "emitted",   "delivered", "finished",  "replayed",    "hub",
        "committed", "recovered", "duplicate", "access",    "dropped",
    };

    return step < ATAMO_STEP_COUNT ? names[step] : "unknown";
}

/* A short text for a reason, "" for none; never NULL. */
static inline const char *atamo_reason_text(unsigned reason)
{
    static const struct {
        unsigned reason;
        const char *text;
    } texts[] = {
        {ATAMO_REASON_NONE, ""},
        {ATAMO_REASON_UNKNOWN_TYPE, "unknown event type"},
        {ATAMO_REASON_MISSING_FIELD, "required field missing"},
        {ATAMO_REASON_MALFORMED, "malformed"},
        {ATAMO_REASON_TOO_LARGE, "too large"},
        {ATAMO_REASON_DENIED, "not permitted"},
        {ATAMO_REASON_HOP_LIMIT, "hop limit reached"},
        {ATAMO_REASON_STOPPING, "the hub is stopping"},
        {ATAMO_REASON_HUB_FULL, "the hub is full"},
        {ATAMO_REASON_RATE_LIMIT, "rate limit"},
        {ATAMO_REASON_CONCURRENCY, "concurrency limit"},
        {ATAMO_REASON_KEY_BUSY, "an earlier action with the same key is not done"},
        {ATAMO_REASON_BREAKER_OPEN, "circuit breaker open"},
        {ATAMO_REASON_PAUSED, "agent paused"},
        {ATAMO_REASON_BACK_OFF, "back-off before the next attempt"},
        {ATAMO_REASON_NOT_STARTED, "agent not started"},
        {ATAMO_REASON_PARKED, "waits in the store: the agent's queue is full"},
        {ATAMO_REASON_JOINED, "an identical action is under way"},
        {ATAMO_REASON_FAILED, "failed for good"},
        {ATAMO_REASON_TRANSIENT, "failed, may be tried again"},
        {ATAMO_REASON_DEADLINE, "deadline passed"},
        {ATAMO_REASON_ATTEMPTS, "ran out of attempts"},
        {ATAMO_REASON_EXPIRED, "expired"},
        {ATAMO_REASON_QUEUE_FULL, "agent queue full"},
        {ATAMO_REASON_CLIENT, "cancelled by the client"},
        {ATAMO_REASON_AGENT_REMOVED, "agent removed"},
        {ATAMO_REASON_DEAD_LETTERS_FULL, "dead letters full"},
        {ATAMO_REASON_NO_MEMORY, "no memory"},
        {ATAMO_REASON_STORE, "the store takes nothing"},
        {ATAMO_REASON_CONFLICT, "a key was changed meanwhile"},
        {ATAMO_REASON_CACHED, "answered from the cache"},
        {ATAMO_REASON_STALE, "answered from the cache, which is being refreshed"},
        {ATAMO_REASON_SHARED, "as the identical action that it joined"},
        {ATAMO_REASON_ENOUGH, "the client has answers enough"},
        {ATAMO_REASON_FEED_END, "feeds end with the hub"},
        {ATAMO_REASON_TEMPLATE, "template field missing"},
        {ATAMO_REASON_PROVIDER, "rule provider failed"},
        {ATAMO_REASON_UNKNOWN_AGENT, "no such agent"},
        {ATAMO_REASON_STARTED, "started"},
        {ATAMO_REASON_STOPPED, "stopped"},
        {ATAMO_REASON_RELOADED, "configuration reloaded"},
        {ATAMO_REASON_RELOAD_REFUSED, "configuration refused"},
        {ATAMO_REASON_BLOCKED, "a callback holds the loop up"},
        {ATAMO_REASON_LOST_RECORDS, "telemetry records lost"},
        {ATAMO_REASON_BREAKER_OPENED, "circuit breaker opened"},
        {ATAMO_REASON_BREAKER_CLOSED, "circuit breaker closed"},
        {ATAMO_REASON_RESUMED, "agent resumed"},
        {ATAMO_REASON_STALE_SETTLE, "settled after its end"},
        {ATAMO_REASON_EVICTED, "results left the cache"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].reason == reason)
            return texts[i].text;
    return "unknown reason";
}

#ifdef __cplusplus
}
#endif

#endif
