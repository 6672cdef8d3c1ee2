/* message - an event inside the hub: one block of memory from submission to the last action's end.
 *
 * Layout of a block: this header, the attributes one after another each with a NUL, the extension
 * attributes as name NUL value NUL, then the data with a NUL and JSON slack behind it. Nothing but
 * the header's bookkeeping ever changes after message_build(); any thread may read the rest.
 *
 * References are counted without atomics: the hub's thread owns the count, and gives the block back
 * to the pool it came from.
 */
#ifndef HUB_MODEL_MESSAGE_H
#define HUB_MODEL_MESSAGE_H

#include "base/blocks.h"

#include <atamo/event.h>

#include <stdbool.h>

enum {
    MESSAGE_ATTRIBUTES_MAX = 60000, /* bytes of all attributes together */
    MESSAGE_EXTENSIONS_MAX = 64,
    MESSAGE_JSON_ROOM =
        16, /* readable bytes behind the data, a NUL first: the JSON parser borrows it */
};

enum message_flag {
    MESSAGE_JSON = 1u << 0,    /* the data is JSON, or says so */
    MESSAGE_BINARY = 1u << 1,  /* the data is bytes */
    MESSAGE_LOCAL = 1u << 2,   /* came from a plugin on the hub's own thread */
    MESSAGE_MARKED = 1u << 3,  /* the store has records of single actions, too */
    MESSAGE_PARTIAL = 1u << 5, /* some of its actions may be in the store only: flow/park.h */
    MESSAGE_FOLLOWS = 1u << 4, /* takes effect with the outcome of the action that emitted it */
    MESSAGE_UNWANTED = 1u << 6, /* its request ended before its rules were evaluated */
};

struct generation;
struct request;

struct message {
    struct block block; /* first */
    uint64_t number;
    struct generation *generation; /* set when it is evaluated */
    struct request *request;       /* the client that waits, or NULL */
    _Atomic(char *) id_text;       /* id of an event without one, made when somebody asks */
    int64_t expires_ns;            /* 0: never */
    int64_t due_ns;                /* 0: at once; replaced by submission time when admitted */
    uint64_t cause;                /* number of the message whose action emitted this; 0: none */
    uint64_t kept;                 /* where it is in the store; 0: it is not */
    uint32_t refs;
    uint32_t open;      /* actions that have not ended, and one while it is evaluated */
    uint32_t type_name; /* set when it is admitted */
    uint32_t tenant;    /* name; set when it is admitted */
    uint32_t data_size;
    uint16_t actions;   /* made so far: the next one's ordinal */
    uint16_t good;      /* ended done */
    uint16_t kept_open; /* actions that have not ended in the store */
    uint16_t hops;      /* how many events caused it, one after the other */
    uint8_t flags;
    uint8_t extension_count;
    uint16_t extension_size; /* bytes of all extension attributes */
    uint16_t
        ends[ATAMO_ATTRIBUTE_COUNT]; /* where each attribute ends in `text`, its NUL included */
    char text[];
};

/* What goes into a message beside the draft. */
struct message_origin {
    uint64_t number;
    uint64_t cause;
    int64_t now_ns; /* for delay_ms */
    uint64_t max_data;
    uint16_t hops;
};

/* Copy a draft into a block. ATAMO_INVALID or ATAMO_TOO_LARGE with a sentence in *why (static),
 * ATAMO_NO_MEMORY. Thread: the owner of `blocks`. */
int message_build(struct blocks *blocks, const atamo_event_draft *draft,
                  const struct message_origin *origin, struct message **message, const char **why);

static inline atamo_bytes message_attribute(const struct message *message, unsigned attribute)
{
    const unsigned from = attribute == 0 ? 0 : message->ends[attribute - 1];

    if (message->ends[attribute] == from)
        return (atamo_bytes){"", 0};
    return (atamo_bytes){message->text + from, message->ends[attribute] - from - 1u};
}

static inline atamo_bytes message_data(const struct message *message)
{
    const char *end = message->text + message->ends[ATAMO_ATTRIBUTE_COUNT - 1];

    return (atamo_bytes){end + message->extension_size, message->data_size};
}

/* The extension attributes, written to `list` of MESSAGE_EXTENSIONS_MAX; returns how many. */
size_t message_extensions(const struct message *message, atamo_extension_attribute *list);

/* The event's id: the client's, or the UUID of the number in the hub with this node. [any] */
atamo_bytes message_id(const struct message *message, uint64_t node);

/* The message as bytes for a store: how many, and written to `out`. */
size_t message_stored_size(const struct message *message);
void message_store(const struct message *message, char *out);

/* The message again, in a block of its own with one reference. ATAMO_DAMAGED if the bytes are none,
 * ATAMO_NO_MEMORY. Thread: the owner of `blocks`. */
int message_restore(struct blocks *blocks, atamo_bytes stored, struct message **message);

/* Free what the block holds apart from itself. [hub thread] */
void message_release(struct message *message);

#endif
