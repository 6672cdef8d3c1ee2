/* commit - what a durable hub writes before it goes on.
 *
 * Happy path: steps of the flow add rows to the commit that gathers and put their actions on its
 * lists; the turn's end hands it to the store; when the store has synced it, the lists go on:
 * events are scheduled, done actions end.
 *
 * A store without room keeps the commit waiting and refuses new events until it takes it. A store
 * that fails in any other way is broken: new events are refused, those of this commit are shed with
 * an alert, and no attempt begins any more; what was committed before is still there for the next
 * start.
 */
#include "flow/commit_inside.h"
#include "flow/history.h"
#include "flow/park.h"
#include "flow/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FULL_PAUSE_NS = 200000000, BUSY_PAUSE_NS = 1000000, ENOUGH_BYTES = 4 << 20 };

bool commit_reserve(void *list, size_t *room, size_t count, size_t size)
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

struct commit *commit_gathering(struct ledger *ledger)
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
    memset(commit->kv, 0, sizeof commit->kv);
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
    free(commit->held);
    free(commit->writes);
    free(commit);
}

/* --- handing over */

/* Those that ended while others of their event stay open. */
static void mark_ends(struct commit *commit)
{
    static const struct row_mark ended = {.state = ROW_ENDED, .text = {"", 0}};

    for (size_t i = 0; i < commit->end_count; i++) {
        struct message *message = commit->ends[i]->message;

        if (message->kept_open > 0)
            (void)commit_mark(commit, message, commit->ends[i]->ordinal, &ended);
    }
}

atamo_bytes commit_space(enum space space)
{
    static const char *const names[] = {"event", "action", "kv", "journal", "seen", "hub"};

    return atamo_text(names[space]);
}

static bool list_writes(struct commit *commit)
{
    if (!commit_reserve(&commit->writes, &commit->write_room, commit->row_count,
                        sizeof *commit->writes))
        return false;
    for (size_t i = 0; i < commit->row_count; i++) {
        const struct row *row = &commit->rows[i];

        commit->writes[i] = (atamo_write){
            .size = sizeof(atamo_write),
            .kind = row->kind,
            .space = commit_space(row->space),
            .key = {commit->bytes + row->offset, row->key_size},
            .value = {commit->bytes + row->offset + row->key_size, row->size},
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

/* The hub may have begun to stop while it was written: then it stays in the store. */
static void begin(struct flow *flow, struct action *action)
{
    if (flow->ledger->handing_back)
        flow_end(flow, action, ATAMO_STEP_CANCELLED, ATAMO_REASON_STOPPING);
    else if (!flow_park(flow, action))
        flow_schedule(flow, action);
}

static void go_on(struct flow *flow, struct commit *commit)
{
    size_t next = 0;

    for (size_t i = 0; i < commit->event_count; i++) {
        const struct kept_event *event = &commit->events[i];
        struct action **actions = commit->actions + next;

        next += event->count;
        if (!event->again)
            flow_record(flow, ATAMO_STEP_COMMITTED, event->message)->value[0] =
                event->message->kept;
        if (event->message->request != NULL)
            flow_request_committed(flow, event->message);
        if (event->put_off && flow->ledger->handing_back) {
            flow_leave_delayed(flow, event->message, ATAMO_REASON_STOPPING);
            continue;
        }
        if (event->put_off && flow_put_off(flow, event->message))
            continue;
        for (uint32_t j = 0; j < event->count; j++)
            begin(flow, actions[j]);
        if (event->put_off)
            flow_evaluate(flow, event->message);
        else
            commit_let_go(flow, event->message);
    }
}

static void give_up_event(struct flow *flow, const struct kept_event *event,
                          struct action *const *actions)
{
    event->message->open += event->put_off; /* it was not evaluated: nobody holds it */
    flow_forget_id(flow, event->message);
    commit_shed(flow, event->message, actions, event->count);
    commit_let_go(flow, event->message);
}

static void give_up(struct flow *flow, struct commit *commit)
{
    size_t next = 0;

    for (size_t i = 0; i < commit->event_count; i++) {
        give_up_event(flow, &commit->events[i], commit->actions + next);
        next += commit->events[i].count;
    }
}

static void end_all(struct flow *flow, const struct commit *commit, atamo_step step,
                    atamo_reason reason)
{
    for (size_t i = 0; i < commit->end_count; i++) {
        struct lane *lane = flow->lanes[commit->ends[i]->lane];

        flow_end(flow, commit->ends[i], step, reason);
        if (lane->first != NULL)
            flow_ready(flow, lane);
    }
}

/* Nothing that is done from now on can be written: no attempt begins any more. Were it otherwise, a
 * successor would be done before what the next life does once more, and the order of a key broken.
 */
static void stand_still(struct flow *flow)
{
    flow_record_hub(flow, ATAMO_REASON_STORE, 0,
                    "the store has failed: nothing is done until the hub is started again");
    flow->ledger->broken = true;
    for (uint32_t i = 0; i < flow->lane_count; i++)
        flow->lanes[i]->paused = true;
}

/* The events that nobody was told of give way; those that were promised stay in the commit. */
static void shed_new(struct flow *flow, struct commit *commit)
{
    size_t kept = 0;
    size_t next = 0;
    size_t kept_actions = 0;

    for (size_t i = 0; i < commit->event_count; i++) {
        const struct kept_event event = commit->events[i];

        if (event.promised) {
            memmove(commit->actions + kept_actions, commit->actions + next,
                    event.count * sizeof(struct action *));
            kept_actions += event.count;
            commit->events[kept++] = event;
        } else {
            commit->rows[event.row].kind = ATAMO_WRITE_DELETE;
            give_up_event(flow, &event, commit->actions + next);
        }
        next += event.count;
    }
    commit->event_count = kept;
    commit->action_count = kept_actions;
    /* Neither is the history of these events worth the room that there is not, nor may their ids be
     * remembered. */
    for (size_t i = 0; i < commit->row_count; i++)
        if (commit->rows[i].space == SPACE_JOURNAL || commit->rows[i].space == SPACE_SEEN)
            commit->rows[i].kind = ATAMO_WRITE_DELETE;
}

/* There is no room. What has ended, with its outcome, is still to be written, and makes room. */
static void without_room(struct flow *flow, struct commit *commit)
{
    struct ledger *ledger = flow->ledger;
    const size_t events = commit->event_count;

    if (!ledger->full)
        flow_record_hub(flow, ATAMO_REASON_STORE, 0, "the store has no room: events are refused");
    ledger->full = true;
    shed_new(flow, commit);
    ledger->resume_at = flow->now + (commit->event_count < events ? 1 : FULL_PAUSE_NS);
}

/* Those whose marks are written now need not be found any more. */
static void let_messages_go(struct flow *flow, struct commit *commit)
{
    for (size_t i = 0; i < commit->held_count; i++)
        flow_message_unref(flow, commit->held[i]);
    commit->held_count = 0;
}

/* [hub thread] */
static void after_commit(void *argument)
{
    struct commit *commit = argument;
    struct ledger *ledger = commit->ledger;
    struct flow *flow = ledger->flow;
    const int status = commit->status;

    if (status == ATAMO_FULL) {
        without_room(flow, commit);
        return;
    }
    if (status != ATAMO_OK && !ledger->broken)
        stand_still(flow);
    ledger->full = false;
    ledger->committing = NULL;
    if (status == ATAMO_OK) {
        go_on(flow, commit);
        end_all(flow, commit, ATAMO_STEP_DONE, ATAMO_REASON_NONE);
    } else {
        give_up(flow, commit);
        end_all(flow, commit, ATAMO_STEP_CANCELLED, ATAMO_REASON_STORE);
    }
    ledger->finished++;
    flow_answer_duplicates(flow);
    let_messages_go(flow, commit);
    empty(commit);
    if (ledger->spare == NULL)
        ledger->spare = commit;
    else
        free_commit(commit);
}

static bool gathers_nothing(const struct ledger *ledger)
{
    const struct commit *commit = ledger->gathering;

    return commit == NULL || (commit->row_count == 0 && commit->end_count == 0);
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
    journal_flush(&flow->journal);
    if (gathers_nothing(ledger) && !history_is_due(ledger->history))
        return 0;
    commit = commit_gathering(ledger);
    if (commit == NULL)
        return 0;
    mark_ends(commit);
    history_keep(ledger->history, commit);
    ledger->handed++;
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

    if (ledger == NULL || ledger->stopped)
        return INT64_MAX;
    if (ledger->committing == NULL)
        return history_due(ledger->history);
    return ledger->resume_at == 0 ? INT64_MAX : ledger->resume_at;
}

bool flow_outlives(const struct flow *flow)
{
    return flow->ledger != NULL && flow->ledger->store->durability >= ATAMO_SYNCED;
}

void flow_hand_back(struct flow *flow)
{
    if (flow_outlives(flow))
        flow->ledger->handing_back = true;
}

bool flow_is_kept(const struct flow *flow)
{
    const struct ledger *ledger = flow->ledger;

    if (ledger == NULL)
        return true;
    return ledger->committing == NULL && gathers_nothing(ledger) &&
           (!ledger->handing_back || history_is_kept(ledger->history));
}

size_t flow_committing(const struct flow *flow)
{
    const struct ledger *ledger = flow->ledger;

    return (ledger->gathering == NULL ? 0 : ledger->gathering->event_count) +
           (ledger->committing == NULL ? 0 : ledger->committing->event_count);
}

bool flow_gathers_enough(const struct flow *flow)
{
    const struct ledger *ledger = flow->ledger;

    return ledger != NULL && ledger->committing != NULL && ledger->gathering != NULL &&
           ledger->gathering->size >= ENOUGH_BYTES;
}

bool flow_store_refuses(const struct flow *flow)
{
    return flow->ledger != NULL && (flow->ledger->full || flow->ledger->broken);
}

void flow_keep_stop(struct flow *flow)
{
    if (flow->ledger == NULL)
        return;
    flow->ledger->stopped = true;
    flow_answer_duplicates(flow);
}

void flow_keep_end(struct flow *flow)
{
    struct ledger *ledger = flow->ledger;

    if (ledger == NULL)
        return;
    free_commit(ledger->gathering);
    free_commit(ledger->committing);
    free_commit(ledger->spare);
    history_close(ledger->history);
    parking_close(ledger->parking);
    free(ledger);
    flow->ledger = NULL;
}
