/* settling - settlements gathered, to be told to the hub in batches. Belongs to one thread. */
#ifndef EXEC_SETTLING_H
#define EXEC_SETTLING_H

#include <atamo/agent.h>

#include <stdbool.h>

enum { SETTLING_BATCH = 256, SETTLING_TEXT = 16 * 1024, SETTLING_REASON = 512 };

struct settling {
    const atamo_host *host;
    size_t count;
    size_t text_used;
    bool plain; /* all are done, with nothing to say */
    atamo_action actions[SETTLING_BATCH];
    atamo_outcome outcomes[SETTLING_BATCH];
    char text[SETTLING_TEXT]; /* the reasons */
};

void settling_init(struct settling *settling, const atamo_host *host);

/* Gather one; the reason is copied. Tells the hub if the batch is full. */
void settling_add(struct settling *settling, atamo_action action, uint32_t kind,
                  uint64_t retry_after_ms, atamo_bytes reason);

/* Tell the hub what has been gathered. */
void settling_flush(struct settling *settling);

#endif
