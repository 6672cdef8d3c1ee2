/* ring - a bounded queue from one thread to one other, without locks.
 *
 * Holds pointers. The producer writes slots and publishes them with one store; the consumer takes
 * all that is there with one load. Each side keeps its own copy of the other's position and looks
 * at the shared one only when that copy says full or empty, so that the two cores rarely touch the
 * same cache line.
 */
#ifndef HUB_BASE_RING_H
#define HUB_BASE_RING_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ring {
    void **slots;
    uint32_t mask;                      /* capacity - 1 */
    _Alignas(64) _Atomic uint32_t tail; /* producer's: next slot to write */
    uint32_t head_seen;                 /* producer's copy of head */
    _Alignas(64) _Atomic uint32_t head; /* consumer's: next slot to read */
    uint32_t tail_seen;                 /* consumer's copy of tail */
};

/* `capacity` is a power of two. ATAMO_NO_MEMORY. */
int ring_open(struct ring *ring, uint32_t capacity);
void ring_close(struct ring *ring);

/* How many can be pushed now; exact only in that it never says too much. [producer] */
static inline uint32_t ring_room(struct ring *ring)
{
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    if (tail - ring->head_seen > ring->mask)
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
    return ring->mask + 1 - (tail - ring->head_seen);
}

/* Push one; false if it is full. [producer] */
static inline bool ring_push(struct ring *ring, void *item)
{
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    if (ring_room(ring) == 0)
        return false;
    ring->slots[tail & ring->mask] = item;
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

/* How many can be popped now. [consumer] */
static inline uint32_t ring_count(struct ring *ring)
{
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    if (ring->tail_seen == head)
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return ring->tail_seen - head;
}

/* The i-th item that can be popped; i below ring_count(). [consumer] */
static inline void *ring_at(const struct ring *ring, uint32_t i)
{
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    return ring->slots[(head + i) & ring->mask];
}

/* Give `count` slots back to the producer. [consumer] */
static inline void ring_release(struct ring *ring, uint32_t count)
{
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    atomic_store_explicit(&ring->head, head + count, memory_order_release);
}

#endif
