/* flights - the actions that the plugin holds.
 *
 * Happy path: a slot from the free line, a place in the hash by action, the end of the waiting
 * line; then the lines of its states, and back. Slots are joined by numbers, 0 is no slot. An id
 * holds its slot, so an answer finds its flight without a search, and an id of an earlier flight in
 * the same slot is noticed. Everything is allocated when it is opened, and touched when it is used.
 */
#include "flights.h"

#include <assert.h>
#include <stdlib.h>

static uint32_t slot_of(const struct flights *flights, const struct flight *flight)
{
    return (uint32_t)(flight - flights->slots);
}

static void append(struct flights *flights, struct flight *flight, enum flight_state state)
{
    struct flight_line *line = &flights->lines[state];
    const uint32_t slot = slot_of(flights, flight);

    flight->state = state;
    flight->next = 0;
    flight->previous = line->last;
    if (line->last == 0)
        line->first = slot;
    else
        flights->slots[line->last].next = slot;
    line->last = slot;
    line->count++;
}

static void take_out(struct flights *flights, const struct flight *flight)
{
    struct flight_line *line = &flights->lines[flight->state];

    if (flight->previous == 0)
        line->first = flight->next;
    else
        flights->slots[flight->previous].next = flight->next;
    if (flight->next == 0)
        line->last = flight->previous;
    else
        flights->slots[flight->next].previous = flight->previous;
    assert(line->count > 0);
    line->count--;
}

int flights_open(struct flights *flights, uint32_t capacity)
{
    uint32_t buckets = 64;

    assert(capacity > 0 && capacity < 1u << FLIGHT_SLOT_BITS);
    while (buckets < capacity)
        buckets *= 2;
    *flights = (struct flights){.capacity = capacity, .mask = buckets - 1};
    flights->slots = calloc((size_t)capacity + 1, sizeof *flights->slots);
    flights->buckets = calloc(buckets, sizeof *flights->buckets);
    if (flights->slots == NULL || flights->buckets == NULL) {
        flights_close(flights);
        return ATAMO_NO_MEMORY;
    }
    return ATAMO_OK;
}

void flights_close(struct flights *flights)
{
    free(flights->slots);
    free(flights->buckets);
    flights->slots = NULL;
    flights->buckets = NULL;
}

static uint32_t *bucket_of(const struct flights *flights, atamo_action action)
{
    return &flights->buckets[(action * UINT64_C(0x9e3779b97f4a7c15) >> 32) & flights->mask];
}

/* One that was used before, else a new one: so memory is touched only as far as it is needed. */
static struct flight *take_free(struct flights *flights)
{
    struct flight *flight = flights_first(flights, FLIGHT_FREE);

    if (flight != NULL)
        take_out(flights, flight);
    else if (flights->used < flights->capacity)
        flight = &flights->slots[++flights->used];
    return flight;
}

struct flight *flights_add(struct flights *flights, atamo_action action, int64_t now)
{
    struct flight *flight = take_free(flights);
    uint32_t *bucket = bucket_of(flights, action);

    if (flight == NULL)
        return NULL;
    flights->serial++;
    flight->action = action;
    flight->id = flights->serial << FLIGHT_SLOT_BITS | slot_of(flights, flight);
    flight->since = now;
    flight->is_feed = false;
    flight->chain = *bucket;
    *bucket = slot_of(flights, flight);
    append(flights, flight, FLIGHT_WAITING);
    return flight;
}

void flights_move(struct flights *flights, struct flight *flight, enum flight_state state,
                  int64_t now)
{
    assert(flight->state != FLIGHT_FREE && state != FLIGHT_FREE);
    take_out(flights, flight);
    flight->since = now;
    append(flights, flight, state);
}

void flights_remove(struct flights *flights, struct flight *flight)
{
    const uint32_t slot = slot_of(flights, flight);
    uint32_t *at = bucket_of(flights, flight->action);

    assert(flight->state != FLIGHT_FREE);
    while (*at != slot) {
        assert(*at != 0);
        at = &flights->slots[*at].chain;
    }
    *at = flight->chain;
    take_out(flights, flight);
    flight->id = 0;
    append(flights, flight, FLIGHT_FREE);
}

struct flight *flights_by_id(const struct flights *flights, uint64_t id)
{
    const uint64_t slot = id & ((UINT64_C(1) << FLIGHT_SLOT_BITS) - 1);

    if (slot == 0 || slot > flights->capacity || flights->slots[slot].id != id)
        return NULL;
    return &flights->slots[slot];
}

struct flight *flights_by_action(const struct flights *flights, atamo_action action)
{
    uint32_t slot = *bucket_of(flights, action);

    while (slot != 0 && flights->slots[slot].action != action)
        slot = flights->slots[slot].chain;
    return slot == 0 ? NULL : &flights->slots[slot];
}

struct flight *flights_first(const struct flights *flights, enum flight_state state)
{
    const uint32_t slot = flights->lines[state].first;

    return slot == 0 ? NULL : &flights->slots[slot];
}

struct flight *flights_next(const struct flights *flights, const struct flight *flight)
{
    return flight->next == 0 ? NULL : &flights->slots[flight->next];
}
