/* unmatched - which were the last messages that no rule matched? */
#ifndef HUB_CLI_UNMATCHED_H
#define HUB_CLI_UNMATCHED_H

#include <atamo/hub.h>

enum { UNMATCHED_KEPT = 3 };

struct unmatched {
    uint64_t last[UNMATCHED_KEPT]; /* numbers of messages, a ring */
    uint64_t count;                /* seen in all */
};

/* One record of the telemetry. */
void unmatched_take(struct unmatched *unmatched, const atamo_telemetry *record);

/* The i-th of those kept, oldest first; 0 past the last. */
uint64_t unmatched_at(const struct unmatched *unmatched, size_t index);

#endif
