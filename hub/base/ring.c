/* ring - a bounded queue from one thread to one other. Only opening can fail, for want of memory.
 */
#include "base/ring.h"

#include <atamo/status.h>

#include <stdlib.h>

int ring_open(struct ring *ring, uint32_t capacity)
{
    void **slots;

    assert(capacity > 0 && (capacity & (capacity - 1)) == 0);
    slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return ATAMO_NO_MEMORY;
    ring->slots = slots;
    ring->mask = capacity - 1;
    ring->head_seen = 0;
    ring->tail_seen = 0;
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->head, 0);
    return ATAMO_OK;
}

void ring_close(struct ring *ring)
{
    free(ring->slots);
    ring->slots = NULL;
}
