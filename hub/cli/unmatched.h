/* unmatched - which were the last messages that no rule matched? Belongs to one client. */
#ifndef HUB_CLI_UNMATCHED_H
#define HUB_CLI_UNMATCHED_H

#include <atamo/hub.h>

enum { UNMATCHED_KEPT = 3 };

struct unmatched {
    uint64_t last[UNMATCHED_KEPT]; /* numbers of messages, a ring */
    uint64_t count;                /* seen in all */
};

/* Look at all telemetry from now on, without ever holding the hub up: some may be missed. The
 * client is dispatched by the caller. Status of atamo_watch_telemetry(). */
int unmatched_watch(struct unmatched *unmatched, atamo_client *client);

/* The i-th of those kept, oldest first; 0 past the last. */
uint64_t unmatched_at(const struct unmatched *unmatched, size_t index);

#endif
