/* recover - take up what a store has from an earlier life.
 *
 * Happy path: the marks of single actions are read into a list, in order; then the events one after
 * the other, in the order of their acceptance, each with its marks: what has ended is left out,
 * what backs off waits for its time, what is dead is buried again, all else waits in its lane,
 * before any new event comes in. No agent hears of anything until all is read: what an agent emits
 * comes after what was accepted before, and while the store is read it cannot be asked. Rows that
 * cannot be read are counted and left alone: never a reason to refuse the rest.
 */
#include "flow/recover.h"

#include "base/number.h"
#include "flow/commit.h"
#include "flow/history.h"
#include "flow/park.h"

#include "store/row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct recovery_mark {
    uint64_t place;
    uint16_t ordinal;
    struct row_mark mark; /* its text is malloc'ed */
};

/* --- marks */

/* Whatever bytes an agent gave as its reason. NULL without memory. */
static char *copy_text(atamo_bytes text)
{
    char *copy = malloc(text.size + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static int note_mark(void *user, const atamo_record *record)
{
    struct recovery *recovery = user;
    struct recovery_mark mark = {.place = row_key_place(record->key),
                                 .ordinal = row_key_ordinal(record->key)};

    if (mark.place > recovery->to)
        return 1;
    if (record->status != ATAMO_OK || mark.ordinal == 0 ||
        row_get_mark(record->value, &mark.mark) != ATAMO_OK) {
        recovery->damaged++;
        return 0;
    }
    if (recovery->mark_count == recovery->mark_room) {
        const size_t room = recovery->mark_room * 2 + 256;
        struct recovery_mark *grown = realloc(recovery->marks, room * sizeof *grown);

        if (grown == NULL) {
            recovery->status = ATAMO_NO_MEMORY;
            return 1;
        }
        recovery->marks = grown;
        recovery->mark_room = room;
    }
    mark.mark.text.data = copy_text(mark.mark.text);
    if (mark.mark.text.data == NULL) {
        recovery->status = ATAMO_NO_MEMORY;
        return 1;
    }
    recovery->marks[recovery->mark_count++] = mark;
    return 0;
}

const struct row_mark *recovery_find(struct recovery *recovery, uint64_t place, uint16_t ordinal)
{
    /* Back to the event's first, if somebody looks at it once more. */
    while (recovery->next_mark > 0 && recovery->marks[recovery->next_mark - 1].place >= place)
        recovery->next_mark--;
    while (recovery->next_mark < recovery->mark_count) {
        const struct recovery_mark *mark = &recovery->marks[recovery->next_mark];

        if (mark->place == place && mark->ordinal == ordinal)
            return &mark->mark;
        if (mark->place > place || (mark->place == place && mark->ordinal > ordinal))
            return NULL;
        recovery->next_mark++;
    }
    return NULL;
}

/* --- events */

static struct lane *lane_of(const struct flow *flow, uint32_t agent)
{
    for (uint32_t i = 0; i < flow->lane_count; i++)
        if (flow->lanes[i]->settings.name_id == agent)
            return flow->lanes[i];
    return NULL;
}

struct action *recovery_make(struct flow *flow, struct message *message,
                             const struct row_action *row)
{
    const uint32_t agent = names_add(flow->names, row->agent);
    const struct lane *lane = lane_of(flow, agent);
    struct action_body *body = lane == NULL ? NULL : malloc(sizeof *body + row->body.size + 1);
    struct action *action = body == NULL ? NULL : actions_take(&flow->actions);

    if (action == NULL) {
        free(body);
        return NULL;
    }
    body->plan = (struct rule_action){
        .rule = names_add(flow->names, row->rule),
        .type = names_add(flow->names, row->type),
        .agent = agent,
        .as = row->as.size == 0 ? 0 : names_add(flow->names, row->as),
        .attempts = row->attempts,
        .deadline_ns = row->deadline_ns,
    };
    body->refs = 1;
    body->size = row->has_body ? (uint32_t)row->body.size : 0;
    memcpy(body->bytes, row->body.data, body->size);
    body->bytes[body->size] = '\0';
    action->body = body;
    action->plan = &body->plan;
    action->message = message;
    action->lane = lane->number;
    action->ordinal = row->ordinal;
    message->open++;
    return action;
}

static void bury(struct flow *flow, struct action *action, const struct row_mark *mark)
{
    struct action_note *note = malloc(sizeof *note + mark->text.size + 1);

    if (note != NULL && mark->text.size > 0) {
        note->retry_after_ms = 0;
        note->size = (uint32_t)mark->text.size;
        memcpy(note->text, mark->text.data, mark->text.size);
        note->text[note->size] = '\0';
        action->note = note;
    } else {
        free(note);
    }
    action->message->refs++; /* the dead letter's */
    action->message->open--;
    flow_counters_of(flow, action->message)->dead++;
    flow_bury(flow, action, (atamo_reason)mark->reason);
}

/* The clock may have been set back since the time was written: nobody waits longer than he was to.
 */
static int64_t not_later(int64_t due_ns, int64_t limit_ns)
{
    return due_ns < limit_ns ? due_ns : limit_ns;
}

static void take_up(struct flow *flow, struct action *action, const struct row_mark *mark)
{
    if (mark == NULL) {
        if (!flow_park(flow, action))
            flow_schedule(flow, action);
        return;
    }
    action_set_attempt(action, mark->attempts);
    if (mark->state == ROW_DEAD) {
        bury(flow, action, mark);
        return;
    }
    if (mark->attempts == 0) /* a dead letter that somebody let begin anew */
        flow_record_action(flow, ATAMO_STEP_REPLAYED, action, ATAMO_REASON_NONE)->value[0] =
            action->ordinal;
    flow_schedule_at(flow, action, not_later(mark->at_ns, flow->now + mark->wait_ns));
}

/* The actions of an event that have not ended. False if the row breaks off. */
static bool take_actions(struct recovery *recovery, struct row_event *event,
                         struct message *message)
{
    struct flow *flow = recovery->flow;

    for (uint16_t i = 0; i < event->actions; i++) {
        const struct row_mark *mark;
        struct row_action row;
        struct action *action;

        if (row_next_action(event, &row) != ATAMO_OK)
            return false;
        message->actions = row.ordinal > message->actions ? row.ordinal : message->actions;
        mark = recovery_find(recovery, message->kept, row.ordinal);
        if (mark != NULL)
            message->flags |= MESSAGE_MARKED;
        if (mark != NULL && mark->state == ROW_ENDED) {
            message->good++;
            continue;
        }
        action = flow_may_park(flow, flow_committing(flow) + 1) ? recovery_make(flow, message, &row)
                                                                : NULL;
        if (action == NULL)
            return false;
        message->kept_open++;
        flow_counters_of(flow, message)->actions++;
        take_up(flow, action, mark);
    }
    return true;
}

static int take_event(void *user, const atamo_record *record)
{
    struct recovery *recovery = user;
    struct flow *flow = recovery->flow;
    const uint64_t place = row_key_place(record->key);
    struct row_event event;
    struct message *message = NULL;

    flow->ledger->place = place > flow->ledger->place ? place : flow->ledger->place;
    if (record->status != ATAMO_OK || row_get_event(record->value, &event) != ATAMO_OK ||
        message_restore(&flow->blocks, event.message, &message) != ATAMO_OK) {
        recovery->damaged++;
        return 0;
    }
    message->kept = place;
    flow_take_up(flow, message);
    if (event.put_off) {
        const int64_t delay = message->due_ns - number_time(message->number);

        message->due_ns = not_later(message->due_ns, flow->now + (delay > 0 ? delay : 0));
        if (!flow_put_off(flow, message))
            flow_evaluate(flow, message);
        return 0;
    }
    message->generation = flow->current;
    flow->current->refs++;
    message->open = 1; /* held until all are scheduled */
    if (!take_actions(recovery, &event, message)) {
        recovery->damaged++;
        message->kept_open++; /* its rows stay */
    }
    if (message->kept_open == 0)
        flow_keep_nothing(flow, message);
    flow_close_one(flow, message);
    return 0;
}

/* --- all of it */

static int note_node(void *user, const atamo_record *record)
{
    uint64_t *node = user;

    if (record->value.size == sizeof *node)
        memcpy(node, record->value.data, sizeof *node);
    return 0;
}

static void ignore(void *user, int status)
{
    (void)user;
    (void)status;
}

/* The hub's part of every UUID: the same in each life, so that ids can be looked up again. */
static int keep_node(struct flow *flow)
{
    const struct ledger *ledger = flow->ledger;
    const atamo_write write = {.size = sizeof write,
                               .kind = ATAMO_WRITE_PUT,
                               .space = atamo_text("hub"),
                               .key = atamo_text("node"),
                               .value = {(const char *)&flow->node, sizeof flow->node}};
    const int status = ledger->store->get(ledger->self, atamo_text("hub"), atamo_text("node"),
                                          note_node, &flow->node);

    if (status != ATAMO_NOT_FOUND)
        return status;
    return ledger->store->write(ledger->self, &write, 1, ignore, NULL);
}

int recovery_open(struct recovery *recovery, struct flow *flow, uint64_t from, uint64_t to)
{
    const struct ledger *ledger = flow->ledger;
    atamo_range range = {.size = sizeof range, .space = atamo_text("action")};
    char key[ROW_KEY_EVENT];
    int status;

    *recovery = (struct recovery){.flow = flow, .to = to};
    row_event_key(key, from);
    range.from = (atamo_bytes){key, sizeof key};
    status = ledger->store->scan(ledger->self, &range, note_mark, recovery);
    return status == ATAMO_OK ? recovery->status : status;
}

void recovery_close(struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->mark_count; i++)
        free((char *)(uintptr_t)recovery->marks[i].mark.text.data);
    free(recovery->marks);
}

/* Hold all agents back, or let them go on. */
static void hold_lanes(struct flow *flow, bool hold)
{
    flow->recovering = hold;
    for (uint32_t i = 0; i < flow->lane_count; i++) {
        flow->lanes[i]->paused = hold;
        if (!hold)
            flow_ready(flow, flow->lanes[i]);
    }
}

int flow_keep_in(struct flow *flow, const struct atamo_store *store, void *self, uint64_t *damaged)
{
    const atamo_range events = {.size = sizeof events, .space = atamo_text("event")};
    struct recovery recovery = {.flow = flow};
    struct ledger *ledger = calloc(1, sizeof *ledger);
    int status;

    if (ledger == NULL)
        return ATAMO_NO_MEMORY;
    *ledger =
        (struct ledger){.flow = flow, .store = store, .self = self, .parking = parking_open()};
    if (ledger->parking == NULL) {
        free(ledger);
        return ATAMO_NO_MEMORY;
    }
    flow->ledger = ledger;
    flow->now = clock_now(&flow->clock);
    flow->journal.now = flow->now;
    status = keep_node(flow);
    if (status == ATAMO_OK)
        status = history_open(flow, &ledger->history);
    if (status == ATAMO_OK)
        status = recovery_open(&recovery, flow, 0, UINT64_MAX);
    hold_lanes(flow, true);
    if (status == ATAMO_OK)
        status = store->scan(self, &events, take_event, &recovery);
    hold_lanes(flow, false);
    recovery_close(&recovery);
    *damaged = recovery.damaged;
    if (status == ATAMO_OK)
        (void)flow_settle_here(flow); /* now the lanes begin */
    else
        flow_keep_end(flow);
    return status;
}
