/* wheel - many timers, each set and stopped in constant time.
 *
 * Happy path: a timer goes into the level whose span covers its distance; when the wheel's time
 * reaches that slot its timers either become ready or move to a finer level. Empty slots are
 * skipped by bitmap, so a wheel that slept an hour advances in microseconds. Nothing here can fail.
 */
#include "base/wheel.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

static void list_init(struct timer *head)
{
    head->next = head;
    head->previous = head;
}

static void list_append(struct timer *head, struct timer *timer)
{
    timer->next = head;
    timer->previous = head->previous;
    head->previous->next = timer;
    head->previous = timer;
}

static void list_remove(struct timer *timer)
{
    timer->previous->next = timer->next;
    timer->next->previous = timer->previous;
    timer->next = NULL;
    timer->previous = NULL;
}

void wheel_init(struct wheel *wheel, int64_t now)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->origin = now;
    for (int level = 0; level < WHEEL_LEVELS; level++)
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    list_init(&wheel->ready);
}

/* The tick at which a time has surely passed: rounded up, so that nothing fires early. */
static uint64_t tick_of(const struct wheel *wheel, int64_t due)
{
    if (due <= wheel->origin)
        return 0;
    return ((uint64_t)(due - wheel->origin) + NS_PER_MS - 1) / NS_PER_MS;
}

static void place(struct wheel *wheel, struct timer *timer)
{
    const uint64_t span = UINT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS);
    uint64_t tick = tick_of(wheel, timer->due);
    int level = 0;
    unsigned slot;

    if (tick <= wheel->tick) {
        list_append(&wheel->ready, timer);
        return;
    }
    if (tick - wheel->tick >= span)
        tick = wheel->tick + span - 1;
    /* The level is that of the highest digit in which the two ticks differ. */
    while (level < WHEEL_LEVELS - 1 && (tick ^ wheel->tick) >> (WHEEL_BITS * (level + 1)) != 0)
        level++;
    slot = (unsigned)(tick >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1);
    wheel->used[level][slot / 64] |= UINT64_C(1) << (slot % 64);
    list_append(&wheel->slots[level][slot], timer);
}

void wheel_set(struct wheel *wheel, struct timer *timer, int64_t due)
{
    assert(!timer_is_set(timer));
    if (timer->due != due) /* others may be reading it */
        timer->due = due;
    wheel->count++;
    place(wheel, timer);
}

void wheel_stop(struct wheel *wheel, struct timer *timer)
{
    if (!timer_is_set(timer))
        return;
    list_remove(timer);
    assert(wheel->count > 0);
    wheel->count--;
}

/* Take a slot's timers out and place them again: on a finer level, or ready. */
static void spill(struct wheel *wheel, int level, unsigned slot)
{
    struct timer *head = &wheel->slots[level][slot];
    struct timer list;

    wheel->used[level][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    if (head->next == head)
        return;
    list = *head;
    list.next->previous = &list;
    list.previous->next = &list;
    list_init(head);
    while (list.next != &list) {
        struct timer *timer = list.next;

        list_remove(timer);
        place(wheel, timer);
    }
}

/* The first used slot of a level from `from` on, or WHEEL_SLOTS. */
static unsigned next_used(const struct wheel *wheel, int level, unsigned from)
{
    for (unsigned word = from / 64; word < WHEEL_SLOTS / 64 && from < WHEEL_SLOTS; word++) {
        uint64_t bits = wheel->used[level][word];

        if (word == from / 64)
            bits &= ~UINT64_C(0) << (from % 64);
        if (bits != 0)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return WHEEL_SLOTS;
}

/* The next tick after the wheel's at which some slot must be looked at. */
static uint64_t next_tick(const struct wheel *wheel)
{
    uint64_t best = UINT64_MAX;

    for (int level = 0; level < WHEEL_LEVELS; level++) {
        const int shift = WHEEL_BITS * level;
        const uint64_t here = wheel->tick >> shift;
        const unsigned digit = (unsigned)here & (WHEEL_SLOTS - 1);
        unsigned slot = next_used(wheel, level, digit + 1);
        uint64_t turn = here >> WHEEL_BITS;
        uint64_t tick;

        if (slot == WHEEL_SLOTS && level == WHEEL_LEVELS - 1) {
            slot = next_used(wheel, level, 0); /* the top level wraps around */
            turn++;
        }
        if (slot == WHEEL_SLOTS)
            continue;
        tick = ((turn << WHEEL_BITS) + slot) << shift;
        if (tick < best)
            best = tick;
    }
    return best;
}

void wheel_advance(struct wheel *wheel, int64_t now)
{
    const uint64_t target = now <= wheel->origin ? 0 : (uint64_t)(now - wheel->origin) / NS_PER_MS;

    while (wheel->tick < target) {
        const uint64_t tick = wheel->count == 0 ? UINT64_MAX : next_tick(wheel);

        wheel->tick = tick < target ? tick : target;
        for (int level = WHEEL_LEVELS - 1; tick <= target && level >= 0; level--) {
            const int shift = WHEEL_BITS * level;

            if ((tick & ((UINT64_C(1) << shift) - 1)) == 0)
                spill(wheel, level, (unsigned)(tick >> shift) & (WHEEL_SLOTS - 1));
        }
    }
}

struct timer *wheel_pop(struct wheel *wheel)
{
    struct timer *timer = wheel->ready.next;

    if (timer == &wheel->ready)
        return NULL;
    list_remove(timer);
    wheel->count--;
    return timer;
}

int64_t wheel_next(const struct wheel *wheel)
{
    uint64_t tick;

    if (wheel->ready.next != &wheel->ready)
        return wheel->origin + (int64_t)(wheel->tick * NS_PER_MS);
    if (wheel->count == 0)
        return INT64_MAX;
    tick = next_tick(wheel);
    return tick == UINT64_MAX ? INT64_MAX : wheel->origin + (int64_t)(tick * NS_PER_MS);
}
