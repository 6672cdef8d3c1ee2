/* asked - requests by id, in a table that grows with them. */
#ifndef HUB_FLOW_ASKED_H
#define HUB_FLOW_ASKED_H

#include "flow/request.h"

struct asked {
    struct request **buckets;
    uint32_t count, size; /* size: a power of two, or 0 */
    uint32_t look;        /* buckets before this one are empty */
};

void asked_close(struct asked *asked);

/* Room for one more: the next asked_add() cannot fail. ATAMO_NO_MEMORY. */
int asked_reserve(struct asked *asked);
void asked_add(struct asked *asked, struct request *request);

/* NULL: there is none. */
struct request *asked_find(const struct asked *asked, uint64_t id);

/* It must be there. */
void asked_remove(struct asked *asked, const struct request *request);

/* Any of them; NULL: there is none. */
struct request *asked_any(struct asked *asked);

#endif
