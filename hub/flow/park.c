/* park - actions that wait in the store.
 *
 * Happy path: an action beyond its lane's queue gives its slot back; what is left of it is a number
 * in its lane and one in its message. When the last action of a message that is in memory has
 * ended, the message leaves, too. A lane that runs low reads on from the first place that it has
 * parked: a few rows of events and the marks beside them, in which it finds its own actions again.
 *
 * A message of which a part is parked can be found by its place, so that what is read again joins
 * what is still in memory; it can be found until everything about it is written. Without memory
 * what is parked waits a little longer; to park takes none, for what it needs is there since the
 * event was gathered.
 */
#include "flow/park.h"

#include "flow/commit_inside.h"
#include "flow/recover.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 4096,
    SPARE_MAX = 1024,
    ROWS = 64,           /* read at once: a turn must not take long, */
    LOOK_MAX = 4096,     /* of so many that are looked at, */
    ROWS_BYTES = 4 << 20 /* and of so many bytes */
};

/* A message in memory of which something is, or may be taken to be, parked. */
struct partial {
    struct message *message;
    struct partial *next; /* in its bucket */
    uint16_t parked;      /* actions */
    bool away;            /* nothing of it is in memory but what others hold: a dead letter */
};

struct parking {
    struct partial *buckets[BUCKETS];
    struct partial *spare; /* for events that are being committed: then nothing may fail */
    size_t spare_count;
};

struct parking *parking_open(void)
{
    return calloc(1, sizeof(struct parking));
}

static void free_list(struct partial *partial)
{
    while (partial != NULL) {
        struct partial *next = partial->next;

        free(partial);
        partial = next;
    }
}

void parking_close(struct parking *parking)
{
    if (parking == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        free_list(parking->buckets[i]);
    free_list(parking->spare);
    free(parking);
}

bool flow_may_park(struct flow *flow, size_t messages)
{
    struct parking *parking = flow->ledger->parking;

    while (parking->spare_count < messages) {
        struct partial *partial = calloc(1, sizeof *partial);

        if (partial == NULL)
            return false;
        partial->next = parking->spare;
        parking->spare = partial;
        parking->spare_count++;
    }
    return true;
}

static struct partial **bucket_of(const struct flow *flow, uint64_t place)
{
    return &flow->ledger->parking->buckets[place % BUCKETS];
}

static struct partial *find(const struct flow *flow, uint64_t place)
{
    struct partial *partial = *bucket_of(flow, place);

    while (partial != NULL && partial->message->kept != place)
        partial = partial->next;
    return partial;
}

/* The message's entry, made of a spare one if there is none. */
static struct partial *enter(struct flow *flow, struct message *message)
{
    struct parking *parking = flow->ledger->parking;
    struct partial **bucket = bucket_of(flow, message->kept);
    struct partial *partial;

    if ((message->flags & MESSAGE_PARTIAL) != 0)
        return find(flow, message->kept);
    partial = parking->spare;
    assert(partial != NULL);
    parking->spare = partial->next;
    parking->spare_count--;
    *partial = (struct partial){.message = message, .next = *bucket};
    *bucket = partial;
    message->flags |= MESSAGE_PARTIAL;
    return partial;
}

void flow_forget_parked(struct flow *flow, const struct message *message)
{
    struct partial **at;
    struct partial *partial;

    if (flow->ledger == NULL || (message->flags & MESSAGE_PARTIAL) == 0)
        return;
    at = bucket_of(flow, message->kept);
    while ((*at)->message != message)
        at = &(*at)->next;
    partial = *at;
    *at = partial->next;
    if (flow->ledger->parking->spare_count >= SPARE_MAX) {
        free(partial);
        return;
    }
    partial->next = flow->ledger->parking->spare;
    flow->ledger->parking->spare = partial;
    flow->ledger->parking->spare_count++;
}

/* --- parking */

static uint32_t load_of(const struct lane *lane)
{
    return lane->waiting + lane->running + lane->backing_off;
}

/* Which of two actions was accepted first? */
static bool is_before(const struct position *a, const struct position *b)
{
    return a->place < b->place || (a->place == b->place && a->ordinal < b->ordinal);
}

/* Must it be parked? What is parked comes behind all that is in memory, or is told apart by a mark
 * or by an entry: or else it would be taken twice when it is read again. An event that was delayed
 * has an early place, and stays in memory. */
static bool must_park(const struct lane *lane, const struct position *position)
{
    if (lane->parked > 0)
        return !is_before(position, &lane->first_parked);
    return load_of(lane) >= lane->settings.queue && is_before(&lane->latest, position);
}

bool flow_park(struct flow *flow, struct action *action)
{
    struct lane *lane = flow->lanes[action->lane];
    struct message *message = action->message;
    const struct position position = {message->kept, action->ordinal};
    struct partial *partial = NULL;
    const bool parks = must_park(lane, &position);

    if (parks && (message->request == NULL || lane->parked > 0))
        partial = enter(flow, message);
    if (!parks || message->request != NULL) { /* a client waits for it */
        if (is_before(&lane->latest, &position) && partial == NULL)
            lane->latest = position;
        return false;
    }
    if (lane->parked++ == 0)
        lane->first_parked = position;
    partial->parked++;
    flow_counters_of(flow, message)->parked++;
    if (!flow->recovering)
        flow_record_action(flow, ATAMO_STEP_SCHEDULED, action, ATAMO_REASON_PARKED);
    action_move(action, ACTION_FREE);
    actions_give(&flow->actions, action);
    message->open--;
    return true;
}

bool flow_leave(struct flow *flow, struct message *message)
{
    struct partial *partial = NULL;

    if (flow->ledger != NULL && (message->flags & MESSAGE_PARTIAL) != 0)
        partial = find(flow, message->kept);
    if (partial == NULL || partial->parked == 0 || flow->ledger->handing_back)
        return false;
    partial->away = true;
    flow->away++;
    flow_counters_of(flow, message)->away++;
    flow_message_unref(flow, message);
    return true;
}

static void come_back(struct flow *flow, struct partial *partial)
{
    partial->away = false;
    partial->message->refs++;
    flow->away--;
    flow_counters_of(flow, partial->message)->away--;
}

bool flow_return(struct flow *flow, struct message *message)
{
    struct partial *partial = NULL;

    if (flow->ledger != NULL && (message->flags & MESSAGE_PARTIAL) != 0)
        partial = find(flow, message->kept);
    if (partial == NULL || !partial->away)
        return false;
    come_back(flow, partial);
    return true;
}

void flow_leave_parked(struct flow *flow)
{
    for (uint32_t i = 0; i < flow->lane_count; i++)
        flow->lanes[i]->parked = 0;
    for (uint32_t i = 0; i < flow->tenant_count; i++) {
        struct flow_counters *counters = &flow->counters[i];

        counters->cancelled += counters->parked;
        counters->finished += counters->away;
        flow->in_flight -= counters->away;
        counters->parked = 0;
        counters->away = 0;
    }
    flow->away = 0;
}

/* --- reading again */

/* A row of an event, copied: while rows are visited the store cannot be asked for marks. */
struct copied {
    uint64_t place;
    size_t size;
    char *bytes;
};

struct reading {
    struct flow *flow;
    struct lane *lane;
    struct copied rows[ROWS];
    size_t count;
    size_t bytes, looked;
    uint64_t last; /* place that was looked at */
    bool more;     /* there are rows behind it */
    size_t taken;
};

/* Is this action of the lane, and was it parked? */
static bool is_wanted(const struct reading *reading, uint64_t place, const struct row_action *row)
{
    const struct lane *lane = reading->lane;
    const atamo_bytes name = names_text(reading->flow->names, lane->settings.name_id);

    return row->agent.size == name.size && memcmp(row->agent.data, name.data, name.size) == 0 &&
           !is_before(&(struct position){place, row->ordinal}, &lane->first_parked);
}

/* Does the row have something for the lane? */
static bool concerns(const struct reading *reading, uint64_t place, atamo_bytes value)
{
    struct row_event event;
    struct row_action row;

    if (row_get_event(value, &event) != ATAMO_OK || event.put_off)
        return false;
    for (uint16_t i = 0; i < event.actions && row_next_action(&event, &row) == ATAMO_OK; i++)
        if (is_wanted(reading, place, &row))
            return true;
    return false;
}

static int copy_row(void *user, const atamo_record *record)
{
    struct reading *reading = user;
    const uint64_t place = row_key_place(record->key);
    struct copied *row = &reading->rows[reading->count];

    if (reading->count == ROWS || reading->bytes > ROWS_BYTES || ++reading->looked > LOOK_MAX) {
        reading->more = true;
        return 1;
    }
    if (record->status == ATAMO_OK && concerns(reading, place, record->value)) {
        *row = (struct copied){place, record->value.size, malloc(record->value.size)};
        if (row->bytes == NULL) {
            reading->more = true;
            return 1;
        }
        memcpy(row->bytes, record->value.data, row->size);
        reading->bytes += row->size;
        reading->count++;
    }
    reading->last = place;
    return 0;
}

static void count_parked(struct partial *partial, struct recovery *recovery, struct row_event event)
{
    struct message *message = partial->message;
    struct row_action row;

    for (uint16_t i = 0; i < event.actions && row_next_action(&event, &row) == ATAMO_OK; i++) {
        const struct row_mark *mark = recovery_find(recovery, message->kept, row.ordinal);

        message->actions = row.ordinal > message->actions ? row.ordinal : message->actions;
        if (mark != NULL)
            message->flags |= MESSAGE_MARKED;
        if (mark != NULL && mark->state == ROW_ENDED) {
            message->good++;
            continue;
        }
        message->kept_open++;
        if (mark == NULL)
            partial->parked++;
    }
}

/* The message of a row, which nothing in memory knows; NULL without memory. */
static struct partial *restore(struct reading *reading, struct recovery *recovery,
                               const struct row_event *event, uint64_t place)
{
    struct flow *flow = reading->flow;
    struct message *message = NULL;
    struct partial *partial;

    if (!flow_may_park(flow, flow_committing(flow) + 1) ||
        message_restore(&flow->blocks, event->message, &message) != ATAMO_OK)
        return NULL;
    message->kept = place;
    flow_name(flow, message);
    partial = enter(flow, message);
    message->generation = flow->current;
    flow->current->refs++;
    count_parked(partial, recovery, *event);
    /* Its reference is that of a message in flight; it was away until now. */
    flow->away--;
    flow_counters_of(flow, message)->away--;
    return partial;
}

static bool take_action(struct reading *reading, struct partial *partial,
                        const struct row_action *row)
{
    struct flow *flow = reading->flow;
    struct lane *lane = reading->lane;
    struct action *action = recovery_make(flow, partial->message, row);

    if (action == NULL)
        return false;
    assert(lane->parked > 0 && partial->parked > 0);
    lane->parked--;
    partial->parked--;
    flow_counters_of(flow, partial->message)->parked--;
    lane->latest = (struct position){partial->message->kept, row->ordinal};
    lane->first_parked = (struct position){partial->message->kept, row->ordinal + UINT32_C(1)};
    flow_schedule(flow, action);
    reading->taken++;
    return true;
}

/* The store may have a commit already that the hub has not heard of: its events are in memory. */
static bool is_under_way(const struct flow *flow, uint64_t place)
{
    const struct commit *commit = flow->ledger->committing;

    for (size_t i = 0; commit != NULL && i < commit->event_count; i++)
        if (commit->events[i].message->kept == place)
            return true;
    return false;
}

/* What the row has for the lane. False without memory: the lane goes on here the next time. */
static bool take_row(struct reading *reading, struct recovery *recovery,
                     const struct copied *copied)
{
    struct flow *flow = reading->flow;
    struct partial *partial = find(flow, copied->place);
    struct row_event event;
    struct row_action row;
    bool good = true;

    if (row_get_event((atamo_bytes){copied->bytes, copied->size}, &event) != ATAMO_OK ||
        (partial != NULL && partial->parked == 0) || is_under_way(flow, copied->place))
        return true; /* it is in memory */
    if (partial == NULL)
        partial = restore(reading, recovery, &event, copied->place);
    else if (partial->away)
        come_back(flow, partial);
    if (partial == NULL)
        return false;
    partial->message->open++; /* it ends here, not in the middle */
    for (uint16_t i = 0; i < event.actions && good; i++) {
        if (row_next_action(&event, &row) != ATAMO_OK)
            break;
        if (is_wanted(reading, copied->place, &row) &&
            recovery_find(recovery, copied->place, row.ordinal) == NULL)
            good = take_action(reading, partial, &row);
    }
    (void)flow_settle_here(flow);
    flow_close_one(flow, partial->message);
    return good;
}

/* The rows that were copied, each with its marks. */
static bool take_rows(struct reading *reading)
{
    struct recovery recovery;
    bool good;

    if (reading->count == 0)
        return true;
    good = recovery_open(&recovery, reading->flow, reading->rows[0].place,
                         reading->rows[reading->count - 1].place) == ATAMO_OK;
    for (size_t i = 0; i < reading->count && good; i++)
        good = take_row(reading, &recovery, &reading->rows[i]);
    recovery_close(&recovery);
    return good;
}

static size_t read_on(struct flow *flow, struct lane *lane)
{
    const struct ledger *ledger = flow->ledger;
    struct reading *reading = calloc(1, sizeof *reading);
    char key[ROW_KEY_EVENT];
    atamo_range range = {.size = sizeof range, .space = atamo_text("event")};
    size_t taken;

    if (reading == NULL)
        return 0;
    *reading = (struct reading){.flow = flow, .lane = lane};
    row_event_key(key, lane->first_parked.place);
    range.from = (atamo_bytes){key, sizeof key};
    if (ledger->store->scan(ledger->self, &range, copy_row, reading) == ATAMO_OK &&
        take_rows(reading)) {
        if (reading->last >= lane->first_parked.place)
            lane->first_parked = (struct position){reading->last + 1, 0};
        if (!reading->more && lane->parked > 0) {
            flow_record_hub(flow, ATAMO_REASON_STORE, lane->settings.name_id,
                            "actions that waited in the store cannot be read");
            lane->parked = 0;
        }
    }
    for (size_t i = 0; i < reading->count; i++)
        free(reading->rows[i].bytes);
    taken = reading->taken + reading->more;
    free(reading);
    return taken;
}

size_t flow_unpark(struct flow *flow)
{
    size_t count = 0;

    if (flow->ledger == NULL || flow->ledger->broken || flow->ledger->stopped)
        return 0;
    for (uint32_t i = 0; i < flow->lane_count; i++) {
        struct lane *lane = flow->lanes[i];

        if (lane->parked > 0 && load_of(lane) <= lane->settings.queue / 2)
            count += read_on(flow, lane);
    }
    return count;
}
