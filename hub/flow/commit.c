/* commit - what a durable hub writes before it goes on.
 *
 * Happy path: steps of the flow add rows to the commit that gathers and put their actions on its
 * lists; the turn's end hands it to the store; when the store has synced it, the lists go on:
 * events are scheduled, done actions end.
 *
 * A store without room keeps the commit waiting and refuses new events until it takes it. A store
 * that fails in any other way is broken: new events are refused, those of this commit are shed with
 * an alert, done actions end in memory; what was committed before is still there for the next
 * start.
 */
#include "flow/commit.h"

#include "store/row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FULL_PAUSE_NS = 200000000, BUSY_PAUSE_NS = 1000000 };

enum space { SPACE_EVENT, SPACE_ACTION };

/* One row to write; its value lies in the commit's bytes. */
struct row {
    uint32_t kind; /* enum atamo_write_kind */
    enum space space;
    char key[ROW_KEY_ACTION];
    size_t offset, size;
};

struct kept_event {
    struct message *message;
    uint32_t count; /* of its actions, in the list of actions */
    bool put_off;
};

struct commit {
    struct flow_call call; /* first */
    struct ledger *ledger;
    int status;
    struct row *rows;
    size_t row_count, row_room;
    char *bytes;
    size_t size, room;
    struct kept_event *events;
    size_t event_count, event_room;
    struct action **actions;
    size_t action_count, action_room;
    struct action **ends;
    size_t end_count, end_room;
    atamo_write *writes;
    size_t write_room;
};

/* --- growing lists */

static bool reserve(void *list, size_t *room, size_t count, size_t size)
{
    void *old;
    void *grown;

    if (count <= *room)
        return true;
    memcpy(&old, list, sizeof old);
    grown = realloc(old, (count * 2 + 64) * size);
    if (grown == NULL)
        return false;
    memcpy(list, &grown, sizeof grown);
    *room = count * 2 + 64;
    return true;
}

static struct commit *gathering(struct ledger *ledger)
{
    struct commit *commit = ledger->gathering;

    if (commit != NULL)
        return commit;
    commit = ledger->spare != NULL ? ledger->spare : calloc(1, sizeof *commit);
    ledger->spare = NULL;
    if (commit == NULL)
        return NULL;
    commit->ledger = ledger;
    ledger->gathering = commit;
    return commit;
}

static void empty(struct commit *commit)
{
    commit->row_count = 0;
    commit->size = 0;
    commit->event_count = 0;
    commit->action_count = 0;
    commit->end_count = 0;
}

static void free_commit(struct commit *commit)
{
    if (commit == NULL)
        return;
    free(commit->rows);
    free(commit->bytes);
    free(commit->events);
    free(commit->actions);
    free(commit->ends);
    free(commit->writes);
    free(commit);
}

/* A row with room for `size` bytes of value, which stay where they are until the next row; NULL
 * without memory. */
static char *add_row(struct commit *commit, uint32_t kind, enum space space, uint64_t place,
                     uint16_t ordinal, size_t size)
{
    struct row *row;

    if (!reserve(&commit->rows, &commit->row_room, commit->row_count + 1, sizeof *commit->rows) ||
        !reserve(&commit->bytes, &commit->room, commit->size + size + 1, 1))
        return NULL;
    row = &commit->rows[commit->row_count++];
    *row = (struct row){.kind = kind, .space = space, .offset = commit->size, .size = size};
    row_action_key(row->key, place, ordinal);
    commit->size += size;
    return commit->bytes + row->offset;
}

static bool delete_row(struct commit *commit, enum space space, uint64_t place, uint16_t ordinal)
{
    return add_row(commit, ATAMO_WRITE_DELETE, space, place, ordinal, 0) != NULL;
}

static bool put_mark(struct commit *commit, struct message *message, uint16_t ordinal,
                     const struct row_mark *mark)
{
    char *out = add_row(commit, ATAMO_WRITE_PUT, SPACE_ACTION, message->kept, ordinal,
                        row_put_mark(NULL, mark));

    if (out == NULL)
        return false;
    (void)row_put_mark(out, mark);
    message->flags |= MESSAGE_MARKED;
    return true;
}

/* --- adding */

static struct row_action row_of(const struct flow *flow, const struct action *action)
{
    const struct rule_action *plan = action->plan;

    return (struct row_action){
        .ordinal = action->ordinal,
        .attempts = (uint16_t)(plan->attempts < UINT16_MAX ? plan->attempts : UINT16_MAX),
        .deadline_ns = plan->deadline_ns,
        .rule = names_text(flow->names, plan->rule),
        .type = names_text(flow->names, plan->type),
        .agent = names_text(flow->names, plan->agent),
        .as = names_text(flow->names, plan->as),
        .body = action_body(action),
        .has_body = action->body != NULL && action->body->size > 0,
    };
}

static bool put_event(struct commit *commit, const struct message *message,
                      struct action *const *actions, uint32_t count, bool put_off)
{
    const struct flow *flow = commit->ledger->flow;
    size_t size = row_put_event(NULL, message, (uint16_t)count, put_off);
    char *out;

    for (uint32_t i = 0; i < count; i++) {
        const struct row_action action = row_of(flow, actions[i]);

        size += row_put_action(NULL, &action);
    }
    out = add_row(commit, ATAMO_WRITE_PUT, SPACE_EVENT, message->kept, 0, size);
    if (out == NULL)
        return false;
    out += row_put_event(out, message, (uint16_t)count, put_off);
    for (uint32_t i = 0; i < count; i++) {
        const struct row_action action = row_of(flow, actions[i]);

        out += row_put_action(out, &action);
    }
    return true;
}

/* An event that could not be kept: its actions end, nobody was told that it is safe. */
static void shed(struct flow *flow, struct message *message, struct action *const *actions,
                 uint32_t count)
{
    message->kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        flow_record_action(flow, ATAMO_STEP_ALERT, actions[i], ATAMO_REASON_STORE);
        flow_end(flow, actions[i], ATAMO_STEP_SHED, ATAMO_REASON_STORE);
    }
}

/* The hold of flow_evaluate() ends. */
static void let_go(struct flow *flow, struct message *message)
{
    if (--message->open == 0)
        flow_finish(flow, message);
}

/* All of its rows go. */
static bool delete_event(struct commit *commit, const struct message *message)
{
    bool good = delete_row(commit, SPACE_EVENT, message->kept, 0);

    if ((message->flags & MESSAGE_MARKED) != 0)
        for (uint16_t i = 1; i <= message->actions && good; i++)
            good = delete_row(commit, SPACE_ACTION, message->kept, i);
    return good;
}

void flow_keep(struct flow *flow, struct message *message, struct action **actions, uint32_t count,
               bool put_off)
{
    struct ledger *ledger = flow->ledger;
    struct commit *commit = gathering(ledger);

    if (message->kept == 0)
        message->kept = ++ledger->place;
    message->kept_open = (uint16_t)count;
    if (commit == NULL ||
        !reserve(&commit->events, &commit->event_room, commit->event_count + 1,
                 sizeof *commit->events) ||
        !reserve((void *)&commit->actions, &commit->action_room, commit->action_count + count,
                 sizeof(struct action *)) ||
        !(count == 0 && !put_off ? delete_event(commit, message)
                                 : put_event(commit, message, actions, count, put_off))) {
        shed(flow, message, actions, count);
        let_go(flow, message);
        return;
    }
    commit->events[commit->event_count++] = (struct kept_event){message, count, put_off};
    for (uint32_t i = 0; i < count; i++)
        commit->actions[commit->action_count++] = actions[i];
}

void flow_keep_nothing(struct flow *flow, const struct message *message)
{
    struct commit *commit = gathering(flow->ledger);

    if (commit != NULL)
        (void)delete_event(commit, message);
}

bool flow_keep_done(struct flow *flow, struct action *action)
{
    struct message *message = action->message;
    struct commit *commit = flow->ledger == NULL ? NULL : gathering(flow->ledger);

    if (commit == NULL || !reserve((void *)&commit->ends, &commit->end_room, commit->end_count + 1,
                                   sizeof(struct action *)))
        return false;
    assert(message->kept_open > 0);
    if (--message->kept_open == 0 && !delete_event(commit, message))
        return false;
    commit->ends[commit->end_count++] = action;
    return true;
}

void flow_keep_ended(struct flow *flow, const struct action *action)
{
    static const struct row_mark ended = {.state = ROW_ENDED, .text = {"", 0}};
    struct message *message = action->message;
    struct commit *commit;

    if (flow->ledger == NULL || flow->ledger->handing_back)
        return;
    commit = gathering(flow->ledger);
    if (commit == NULL)
        return;
    assert(message->kept_open > 0);
    if (--message->kept_open == 0)
        (void)delete_event(commit, message);
    else
        (void)put_mark(commit, message, action->ordinal, &ended);
}

void flow_keep_retry(struct flow *flow, const struct action *action, int64_t due_ns)
{
    const struct row_mark mark = {.state = ROW_BACKING_OFF,
                                  .attempts = (uint16_t)action_attempt(action),
                                  .at_ns = due_ns,
                                  .text = {"", 0}};
    struct commit *commit = flow->ledger == NULL ? NULL : gathering(flow->ledger);

    if (commit != NULL)
        (void)put_mark(commit, action->message, action->ordinal, &mark);
}

void flow_keep_dead(struct flow *flow, const struct action *action, atamo_reason reason,
                    atamo_bytes text)
{
    const struct row_mark mark = {.state = ROW_DEAD,
                                  .reason = (uint8_t)reason,
                                  .attempts = (uint16_t)action_attempt(action),
                                  .at_ns = flow->now,
                                  .text = text};
    struct commit *commit = flow->ledger == NULL ? NULL : gathering(flow->ledger);

    if (commit != NULL)
        (void)put_mark(commit, action->message, action->ordinal, &mark);
}

/* --- handing over */

/* Those that ended while others of their event stay open. */
static void mark_ends(struct commit *commit)
{
    static const struct row_mark ended = {.state = ROW_ENDED, .text = {"", 0}};

    for (size_t i = 0; i < commit->end_count; i++) {
        struct message *message = commit->ends[i]->message;

        if (message->kept_open > 0)
            (void)put_mark(commit, message, commit->ends[i]->ordinal, &ended);
    }
}

static bool list_writes(struct commit *commit)
{
    static const char *const spaces[] = {"event", "action"};

    if (!reserve(&commit->writes, &commit->write_room, commit->row_count, sizeof *commit->writes))
        return false;
    for (size_t i = 0; i < commit->row_count; i++) {
        const struct row *row = &commit->rows[i];

        commit->writes[i] = (atamo_write){
            .size = sizeof(atamo_write),
            .kind = row->kind,
            .space = atamo_text(spaces[row->space]),
            .key = {row->key, row->space == SPACE_EVENT ? ROW_KEY_EVENT : ROW_KEY_ACTION},
            .value = {commit->bytes + row->offset, row->size},
        };
    }
    return true;
}

/* [any] */
static void committed(void *user, int status)
{
    struct commit *commit = user;

    commit->status = status;
    flow_post(commit->ledger->flow, &commit->call);
}

static void hand_over(struct ledger *ledger)
{
    struct commit *commit = ledger->committing;
    int status;

    ledger->resume_at = 0;
    status = list_writes(commit) ? ledger->store->write(ledger->self, commit->writes,
                                                        commit->row_count, committed, commit)
                                 : ATAMO_NO_MEMORY;
    if (status == ATAMO_BUSY || status == ATAMO_NO_MEMORY)
        ledger->resume_at = ledger->flow->now + BUSY_PAUSE_NS;
    else if (status != ATAMO_OK)
        committed(commit, status);
}

/* --- going on */

static void go_on(struct flow *flow, struct commit *commit)
{
    size_t next = 0;

    for (size_t i = 0; i < commit->event_count; i++) {
        const struct kept_event *event = &commit->events[i];
        struct action **actions = commit->actions + next;

        next += event->count;
        flow_record(flow, ATAMO_STEP_COMMITTED, event->message)->value[0] = event->message->kept;
        if (event->put_off && flow_put_off(flow, event->message))
            continue;
        for (uint32_t j = 0; j < event->count; j++)
            flow_schedule(flow, actions[j]);
        if (event->put_off)
            flow_evaluate(flow, event->message);
        else
            let_go(flow, event->message);
    }
}

static void give_up(struct flow *flow, struct commit *commit)
{
    size_t next = 0;

    for (size_t i = 0; i < commit->event_count; i++) {
        const struct kept_event *event = &commit->events[i];

        event->message->open += event->put_off; /* it was not evaluated: nobody holds it */
        shed(flow, event->message, commit->actions + next, event->count);
        next += event->count;
        let_go(flow, event->message);
    }
}

static void end_done(struct flow *flow, const struct commit *commit)
{
    for (size_t i = 0; i < commit->end_count; i++) {
        struct lane *lane = flow->lanes[commit->ends[i]->lane];

        flow_end(flow, commit->ends[i], ATAMO_STEP_DONE, ATAMO_REASON_NONE);
        if (lane->first != NULL)
            flow_ready(flow, lane);
    }
}

/* [hub thread] */
static void after_commit(void *argument)
{
    struct commit *commit = argument;
    struct ledger *ledger = commit->ledger;
    struct flow *flow = ledger->flow;
    const int status = commit->status;

    if (status == ATAMO_FULL) {
        if (!ledger->full)
            flow_record_hub(flow, ATAMO_REASON_STORE, 0,
                            "the store has no room: events are refused");
        ledger->full = true;
        ledger->resume_at = flow->now + FULL_PAUSE_NS;
        return;
    }
    if (status != ATAMO_OK && !ledger->broken) {
        flow_record_hub(flow, ATAMO_REASON_STORE, 0,
                        "the store has failed: events are refused until the hub is started again");
        ledger->broken = true;
    }
    ledger->full = false;
    ledger->committing = NULL;
    if (status == ATAMO_OK)
        go_on(flow, commit);
    else
        give_up(flow, commit);
    end_done(flow, commit);
    empty(commit);
    if (ledger->spare == NULL)
        ledger->spare = commit;
    else
        free_commit(commit);
}

size_t flow_commit(struct flow *flow)
{
    struct ledger *ledger = flow->ledger;
    struct commit *commit;

    if (ledger == NULL || ledger->stopped)
        return 0;
    if (ledger->committing != NULL) {
        if (ledger->resume_at == 0 || ledger->resume_at > flow->now)
            return 0;
        hand_over(ledger);
        return 1;
    }
    commit = ledger->gathering;
    if (commit == NULL || (commit->row_count == 0 && commit->end_count == 0))
        return 0;
    mark_ends(commit);
    commit->call.fn = after_commit;
    commit->call.argument = commit;
    ledger->gathering = NULL;
    ledger->committing = commit;
    hand_over(ledger);
    return 1;
}

int64_t flow_commit_due(const struct flow *flow)
{
    const struct ledger *ledger = flow->ledger;

    return ledger == NULL || ledger->resume_at == 0 ? INT64_MAX : ledger->resume_at;
}

void flow_hand_back(struct flow *flow)
{
    if (flow->ledger != NULL)
        flow->ledger->handing_back = true;
}

bool flow_is_kept(const struct flow *flow)
{
    const struct ledger *ledger = flow->ledger;

    return ledger == NULL || (ledger->committing == NULL &&
                              (ledger->gathering == NULL || (ledger->gathering->row_count == 0 &&
                                                             ledger->gathering->end_count == 0)));
}

bool flow_store_refuses(const struct flow *flow)
{
    return flow->ledger != NULL && (flow->ledger->full || flow->ledger->broken);
}

void flow_keep_stop(struct flow *flow)
{
    if (flow->ledger != NULL)
        flow->ledger->stopped = true;
}

void flow_keep_end(struct flow *flow)
{
    struct ledger *ledger = flow->ledger;

    if (ledger == NULL)
        return;
    free_commit(ledger->gathering);
    free_commit(ledger->committing);
    free_commit(ledger->spare);
    free(ledger);
    flow->ledger = NULL;
}
