/* recover - rows of events made into messages and actions again: at the start, and for park.c. */
#ifndef HUB_FLOW_RECOVER_H
#define HUB_FLOW_RECOVER_H

#include "flow/flow.h"
#include "store/row.h"

struct recovery_mark;

/* What became of the actions of some events. */
struct recovery {
    struct flow *flow;
    struct recovery_mark *marks;
    size_t mark_count, mark_room, next_mark;
    uint64_t to; /* the last place that is asked about */
    uint64_t damaged;
    int status;
};

/* Read the marks of the events from one place to another, both among them. ATAMO_NO_MEMORY, or the
 * store's failure. Close it in any case. */
int recovery_open(struct recovery *recovery, struct flow *flow, uint64_t from, uint64_t to);
void recovery_close(struct recovery *recovery);

/* What became of an action; NULL: nothing yet. Best asked in ascending order. */
const struct row_mark *recovery_find(struct recovery *recovery, uint64_t place, uint16_t ordinal);

/* An action with a plan of its own, as a rule provider's proposal has; the message has one open
 * action more. NULL without memory, or if there is no such agent any more. */
struct action *recovery_make(struct flow *flow, struct message *message,
                             const struct row_action *row);

#endif
