/* history - the latest steps of all messages, remembered for whoever asks.
 *
 * Happy path: a step and the records with its text are copied into the ring in one piece; where it
 * would not fit before the ring's end, fillers go first. Beside each record stands the place of the
 * one before it with the same hash, as in a dictionary coder: a walk along these finds the steps of
 * a message until it leaves the ring. The only failure is memory, at the start.
 */
#include "history.h"

#include <stdlib.h>
#include <string.h>

enum { FILLER = 0xfffe, GAP = 0xffff, WALK_MAX = 65536 };

struct beside {
    uint64_t step;     /* its number; 0: it continues another */
    uint64_t previous; /* place, from 1, of the one before with the same hash; 0: none */
    uint64_t same_id;  /* the same for steps that tell an event's id */
};

struct history {
    atamo_telemetry *ring;
    struct beside *beside;
    uint64_t *messages; /* by hash: the latest place, from 1 */
    uint64_t *ids;
    uint64_t mask;
    uint64_t end;  /* records ever written */
    uint64_t last; /* number of the latest step */
};

static void *array(size_t count, size_t size)
{
    return calloc(count, size);
}

struct history *history_open(size_t count)
{
    struct history *history = calloc(1, sizeof *history);
    size_t size = 1024;

    if (history == NULL)
        return NULL;
    while (size < count)
        size *= 2;
    history->mask = size - 1;
    history->ring = array(size, sizeof *history->ring);
    history->beside = array(size, sizeof *history->beside);
    history->messages = array(size, sizeof *history->messages);
    history->ids = array(size, sizeof *history->ids);
    if (history->ring == NULL || history->beside == NULL || history->messages == NULL ||
        history->ids == NULL) {
        history_close(history);
        return NULL;
    }
    return history;
}

void history_close(struct history *history)
{
    if (history == NULL)
        return;
    free(history->ring);
    free(history->beside);
    free(history->messages);
    free(history->ids);
    free(history);
}

/* Fibonacci hashing: message numbers differ in their low and middle bits. */
static uint64_t *bucket_of_message(const struct history *history, uint64_t message)
{
    return &history->messages[((message * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & history->mask];
}

/* FNV-1a; ids are short, and a bad spread only makes walks longer. */
static uint64_t *bucket_of_id(const struct history *history, atamo_bytes id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < id.size; i++)
        hash = (hash ^ (unsigned char)id.data[i]) * UINT64_C(0x100000001b3);
    return &history->ids[(hash ^ (hash >> 32)) & history->mask];
}

/* Is a place, from 1, still in the ring? */
static bool is_there(const struct history *history, uint64_t place)
{
    return place != 0 && place + history->mask >= history->end;
}

static bool tells_id(const atamo_telemetry *record)
{
    return record->text > 0 &&
           (record->step == ATAMO_STEP_ADMITTED || record->step == ATAMO_STEP_RECOVERED);
}

static void put(struct history *history, const atamo_telemetry *record, uint64_t step)
{
    const uint64_t at = history->end & history->mask;

    history->ring[at] = *record;
    history->beside[at] = (struct beside){.step = step};
    history->end++;
}

static void link_message(struct history *history, uint64_t place, uint64_t message)
{
    uint64_t *bucket = bucket_of_message(history, message);

    history->beside[(place - 1) & history->mask].previous = *bucket;
    *bucket = place;
}

static void link_id(struct history *history, uint64_t place)
{
    const atamo_telemetry *record = &history->ring[(place - 1) & history->mask];
    char id[1024];
    uint64_t *bucket;

    (void)atamo_telemetry_text(record, id, sizeof id);
    bucket = bucket_of_id(history, atamo_text(id));
    history->beside[(place - 1) & history->mask].same_id = *bucket;
    *bucket = place;
}

/* A step and its text lie in one piece. */
static void add_span(struct history *history, const atamo_telemetry *record, size_t span)
{
    static const atamo_telemetry filler = {.step = FILLER};
    uint64_t place;

    while ((history->end & history->mask) + span > history->mask + 1)
        put(history, &filler, 0);
    place = history->end + 1;
    put(history, record, ++history->last);
    for (size_t i = 1; i < span; i++)
        put(history, &record[i], 0);
    if (record->message != 0)
        link_message(history, place, record->message);
    if (tells_id(record))
        link_id(history, place);
}

void history_add(struct history *history, const atamo_telemetry *records, size_t count,
                 uint64_t lost)
{
    size_t i = 0;

    if (lost > 0) {
        const atamo_telemetry gap = {.step = GAP, .value = {lost, 0}};

        history->last += lost - 1; /* numbers say how many steps there were */
        add_span(history, &gap, 1);
    }
    while (i < count) {
        size_t span = atamo_telemetry_span(&records[i]);

        if (span > count - i || span > history->mask)
            span = 1;
        add_span(history, &records[i], span);
        i += span;
    }
}

static uint64_t first_place(const struct history *history)
{
    return history->end > history->mask + 1 ? history->end - history->mask - 1 : 0;
}

uint64_t history_newest(const struct history *history)
{
    return history->last;
}

uint64_t history_oldest(const struct history *history)
{
    for (uint64_t place = first_place(history); place < history->end; place++)
        if (history->beside[place & history->mask].step != 0)
            return history->beside[place & history->mask].step;
    return history->last + 1;
}

/* The first place, from 0, whose step is not before `number`: numbers grow with places, fillers and
 * texts have none and belong to the step before them. */
static uint64_t place_of(const struct history *history, uint64_t number)
{
    uint64_t low = first_place(history);
    uint64_t high = history->end;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint64_t step = 0;

        while (middle < high && (step = history->beside[middle & history->mask].step) == 0)
            middle++;
        if (middle < high && step < number)
            low = middle + 1;
        else
            high = low + (high - low) / 2;
    }
    while (low < history->end && history->beside[low & history->mask].step < number)
        low++;
    return low;
}

struct history_reader history_read_from(const struct history *history, uint64_t number)
{
    return (struct history_reader){number, place_of(history, number)};
}

const atamo_telemetry *history_next(const struct history *history, struct history_reader *reader,
                                    uint64_t *lost)
{
    const uint64_t first = first_place(history);
    uint64_t place = reader->place > first ? reader->place : first;
    const atamo_telemetry *record;
    uint64_t number;

    while (place < history->end && (history->beside[place & history->mask].step == 0 ||
                                    history->ring[place & history->mask].step == GAP))
        place++;
    reader->place = place;
    if (place == history->end)
        return NULL;
    record = &history->ring[place & history->mask];
    number = history->beside[place & history->mask].step;
    *lost = number > reader->wanted ? number - reader->wanted : 0;
    reader->wanted = number + 1;
    reader->place = place + 1;
    return record;
}

size_t history_visit(const struct history *history, uint64_t message,
                     void (*fn)(void *user, const atamo_telemetry *record), void *user)
{
    uint64_t found[512];
    size_t count = 0;
    size_t walked = 0;
    uint64_t place = *bucket_of_message(history, message);

    while (is_there(history, place) && walked++ < WALK_MAX) {
        const uint64_t at = (place - 1) & history->mask;

        if (history->ring[at].message == message && count < sizeof found / sizeof found[0])
            found[count++] = at;
        place = history->beside[at].previous;
    }
    for (size_t i = count; i-- > 0;)
        fn(user, &history->ring[found[i]]);
    return count;
}

uint64_t history_find(const struct history *history, atamo_bytes id)
{
    uint64_t place = *bucket_of_id(history, id);
    char text[1024];

    for (size_t walked = 0; is_there(history, place) && walked < WALK_MAX; walked++) {
        const uint64_t at = (place - 1) & history->mask;
        const size_t size = atamo_telemetry_text(&history->ring[at], text, sizeof text);

        if (tells_id(&history->ring[at]) && size == id.size && memcmp(text, id.data, size) == 0)
            return history->ring[at].message;
        place = history->beside[at].same_id;
    }
    return 0;
}
