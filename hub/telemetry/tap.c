/* tap - telemetry records on their way to one listener.
 *
 * Happy path: the writer copies a batch behind the tail and publishes it; the reader takes all up
 * to the tail or the ring's end. Where a span would straddle the end, the writer fills up with
 * empty text records, which readers skip. Opening can fail for want of memory, nothing else.
 */
#include "telemetry/tap.h"

#include "base/number.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RIPE_MAX = 8192 };

int tap_open(struct tap *tap, uint32_t capacity, enum tap_policy policy)
{
    atamo_telemetry *records;

    assert(capacity >= TAP_CAPACITY_MIN && (capacity & (capacity - 1)) == 0);
    records = aligned_alloc(64, capacity * sizeof *records);
    if (records == NULL)
        return ATAMO_NO_MEMORY;
    memset(tap, 0, sizeof *tap);
    tap->records = records;
    tap->mask = capacity - 1;
    tap->policy = policy;
    return ATAMO_OK;
}

void tap_close(struct tap *tap)
{
    free(tap->records);
    tap->records = NULL;
}

uint32_t tap_room(struct tap *tap)
{
    const uint32_t tail = atomic_load_explicit(&tap->tail, memory_order_relaxed);

    tap->head_seen = atomic_load_explicit(&tap->head, memory_order_acquire);
    return tap->mask + 1 - (tail - tap->head_seen);
}

static bool is_own(const struct tap *tap, const atamo_telemetry *record)
{
    return (record->message >> NUMBER_COUNT_BITS) % NUMBER_CLIENTS == tap->client;
}

/* Copy one span to the tail, past the ring's end if it would straddle it. */
static uint32_t put_span(struct tap *tap, uint32_t tail, const atamo_telemetry *span, size_t count)
{
    const uint32_t left = tap->mask + 1 - (tail & tap->mask);

    if (count > left) {
        memset(&tap->records[tail & tap->mask], 0, left * sizeof *span);
        tail += left;
    }
    memcpy(&tap->records[tail & tap->mask], span, count * sizeof *span);
    return tail + (uint32_t)count;
}

static uint32_t put_all(struct tap *tap, uint32_t tail, const atamo_telemetry *records,
                        size_t count)
{
    if (!tap->own_only && (tail & tap->mask) + count <= tap->mask) {
        memcpy(&tap->records[tail & tap->mask], records, count * sizeof *records);
        return tail + (uint32_t)count;
    }
    for (size_t i = 0; i < count;) {
        const size_t span = atamo_telemetry_span(&records[i]);

        assert(i + span <= count);
        if (!tap->own_only || is_own(tap, &records[i]))
            tail = put_span(tap, tail, &records[i], span);
        i += span;
    }
    return tail;
}

bool tap_write(struct tap *tap, const atamo_telemetry *records, size_t count)
{
    const uint32_t tail = atomic_load_explicit(&tap->tail, memory_order_relaxed);
    /* At most one span is moved past the end, so at most that much is filled up. */
    const size_t need = count * 2 < tap->mask ? count * 2 : count;

    if (tap->mask + 1 - (tail - tap->head_seen) < need && tap_room(tap) < need) {
        if (tap->policy == TAP_BLOCK)
            return false;
        tap->lost += count;
        atomic_fetch_add_explicit(&tap->lost_total, count, memory_order_relaxed);
        return true;
    }
    if (tap->lost > 0) {
        atomic_fetch_add_explicit(&tap->lost_handed, tap->lost, memory_order_relaxed);
        tap->lost = 0;
    }
    atomic_store_explicit(&tap->tail, put_all(tap, tail, records, count), memory_order_release);
    return true;
}

void tap_wake(struct tap *tap)
{
    if (tap->wake != NULL && atomic_load_explicit(&tap->rest, memory_order_relaxed) != TAP_AWAKE &&
        atomic_exchange(&tap->rest, TAP_AWAKE) != TAP_AWAKE)
        tap->wake(tap->wake_user);
}

static bool is_ripe(struct tap *tap)
{
    const uint32_t capacity = tap->mask + 1;
    const uint32_t ripe = capacity / 4 < RIPE_MAX ? capacity / 4 : RIPE_MAX;
    const uint32_t tail = atomic_load_explicit(&tap->tail, memory_order_relaxed);

    return tail - tap->head_seen >= ripe && capacity - tap_room(tap) >= ripe;
}

void tap_tell(struct tap *tap)
{
    atomic_thread_fence(memory_order_seq_cst);
    switch (atomic_load_explicit(&tap->rest, memory_order_relaxed)) {
    case TAP_DOZING:
        if (is_ripe(tap))
            tap_wake(tap);
        break;
    case TAP_ASLEEP:
        tap_wake(tap);
        break;
    default:
        break;
    }
}

size_t tap_read(struct tap *tap, const atamo_telemetry **records, uint64_t *lost)
{
    const uint32_t head = atomic_load_explicit(&tap->head, memory_order_relaxed);
    const uint32_t tail = atomic_load_explicit(&tap->tail, memory_order_acquire);
    const uint32_t left = tap->mask + 1 - (head & tap->mask);
    const uint64_t handed = atomic_load_explicit(&tap->lost_handed, memory_order_relaxed);

    if (tail == head)
        return 0;
    *lost = handed - tap->lost_taken;
    tap->lost_taken = handed;
    *records = &tap->records[head & tap->mask];
    return tail - head < left ? tail - head : left;
}

void tap_release(struct tap *tap, size_t count)
{
    const uint32_t head = atomic_load_explicit(&tap->head, memory_order_relaxed);

    atomic_store_explicit(&tap->head, head + (uint32_t)count, memory_order_release);
}

bool tap_rest(struct tap *tap, enum tap_rest rest)
{
    atomic_store(&tap->rest, (uint8_t)rest);
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&tap->tail, memory_order_acquire) ==
           atomic_load_explicit(&tap->head, memory_order_relaxed);
}

void tap_awake(struct tap *tap)
{
    atomic_store_explicit(&tap->rest, TAP_AWAKE, memory_order_relaxed);
}
