/* keep - what a durable hub writes of an event and its actions.
 *
 * Happy path: an event becomes one row with the actions that rules made of it; an action that ends
 * while others are open becomes a mark beside it; the last one takes all rows of its event with it.
 * Rows are added to the commit that gathers. Without memory an event is shed before anybody was
 * told that it is safe; an end that cannot be written is written by nobody, and the action is done
 * once more after a crash.
 */
#include "base/hash.h"
#include "flow/commit_inside.h"
#include "flow/history.h"
#include "flow/park.h"
#include "flow/request.h"

#include <assert.h>
#include <string.h>

char *commit_add(struct commit *commit, uint32_t kind, enum space space, atamo_bytes key,
                 size_t size)
{
    struct row *row;
    char *at;

    if (!commit_reserve(&commit->rows, &commit->row_room, commit->row_count + 1,
                        sizeof *commit->rows) ||
        !commit_reserve(&commit->bytes, &commit->room, commit->size + key.size + size, 1))
        return NULL;
    row = &commit->rows[commit->row_count++];
    *row = (struct row){.kind = kind,
                        .space = space,
                        .key_size = (uint32_t)key.size,
                        .offset = commit->size,
                        .size = size};
    at = commit->bytes + commit->size;
    memcpy(at, key.data, key.size);
    commit->size += key.size + size;
    return at + key.size;
}

char *commit_add_numbered(struct commit *commit, uint32_t kind, enum space space, uint64_t number,
                          size_t size)
{
    char key[ROW_KEY_EVENT];

    row_event_key(key, number);
    return commit_add(commit, kind, space, (atamo_bytes){key, sizeof key}, size);
}

static char *add_action(struct commit *commit, uint32_t kind, uint64_t place, uint16_t ordinal,
                        size_t size)
{
    char key[ROW_KEY_ACTION];

    row_action_key(key, place, ordinal);
    return commit_add(commit, kind, SPACE_ACTION, (atamo_bytes){key, sizeof key}, size);
}

/* Whoever reads its row again must find the message in memory until the mark is in the store. */
static void hold_partial(struct commit *commit, struct message *message)
{
    if ((message->flags & MESSAGE_PARTIAL) == 0 ||
        !commit_reserve((void *)&commit->held, &commit->held_room, commit->held_count + 1,
                        sizeof(struct message *)))
        return;
    message->refs++;
    commit->held[commit->held_count++] = message;
}

bool commit_mark(struct commit *commit, struct message *message, uint16_t ordinal,
                 const struct row_mark *mark)
{
    char *out =
        add_action(commit, ATAMO_WRITE_PUT, message->kept, ordinal, row_put_mark(NULL, mark));

    if (out == NULL)
        return false;
    (void)row_put_mark(out, mark);
    message->flags |= MESSAGE_MARKED;
    hold_partial(commit, message);
    return true;
}

bool commit_make_room(struct commit *commit, size_t count, size_t bytes)
{
    return commit_reserve(&commit->rows, &commit->row_room, commit->row_count + count,
                          sizeof *commit->rows) &&
           commit_reserve(&commit->bytes, &commit->room, commit->size + bytes, 1) &&
           commit_reserve(&commit->events, &commit->event_room, commit->event_count + count,
                          sizeof *commit->events);
}

/* --- key-value state of agents */

static uint32_t *bucket_of(struct commit *commit, atamo_bytes key)
{
    return &commit->kv[hash_bytes(0, key) % COMMIT_BUCKETS];
}

void commit_put_kv(struct commit *commit, uint32_t kind, atamo_bytes key, atamo_bytes value)
{
    uint32_t *bucket = bucket_of(commit, key);
    char *out = commit_add(commit, kind, SPACE_KV, key, value.size);

    assert(out != NULL);
    memcpy(out, value.data, value.size);
    commit->rows[commit->row_count - 1].same_bucket = *bucket;
    *bucket = (uint32_t)commit->row_count;
}

bool commit_writes_kv(const struct commit *commit, atamo_bytes key)
{
    uint32_t at = commit == NULL ? 0 : commit->kv[hash_bytes(0, key) % COMMIT_BUCKETS];

    while (at != 0) {
        const struct row *row = &commit->rows[at - 1];

        if (row->key_size == key.size &&
            memcmp(commit->bytes + row->offset, key.data, key.size) == 0)
            return true;
        at = row->same_bucket;
    }
    return false;
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
    out = commit_add_numbered(commit, ATAMO_WRITE_PUT, SPACE_EVENT, message->kept, size);
    if (out == NULL)
        return false;
    out += row_put_event(out, message, (uint16_t)count, put_off);
    for (uint32_t i = 0; i < count; i++) {
        const struct row_action action = row_of(flow, actions[i]);

        out += row_put_action(out, &action);
    }
    return true;
}

void commit_shed(struct flow *flow, struct message *message, struct action *const *actions,
                 uint32_t count)
{
    message->kept = 0;
    if (message->request != NULL)
        flow_request_ended(flow, message, ATAMO_FULL,
                           atamo_text(atamo_reason_text(ATAMO_REASON_STORE)));
    for (uint32_t i = 0; i < count; i++) {
        flow_record_action(flow, ATAMO_STEP_ALERT, actions[i], ATAMO_REASON_STORE);
        flow_end(flow, actions[i], ATAMO_STEP_SHED, ATAMO_REASON_STORE);
    }
}

void commit_let_go(struct flow *flow, struct message *message)
{
    flow_close_one(flow, message);
}

/* All of its rows go. */
static bool delete_event(struct commit *commit, const struct message *message)
{
    bool good =
        commit_add_numbered(commit, ATAMO_WRITE_DELETE, SPACE_EVENT, message->kept, 0) != NULL;

    if ((message->flags & MESSAGE_MARKED) != 0)
        for (uint16_t i = 1; i <= message->actions && good; i++)
            good = add_action(commit, ATAMO_WRITE_DELETE, message->kept, i, 0) != NULL;
    return good;
}

void flow_keep(struct flow *flow, struct message *message, struct action **actions, uint32_t count,
               bool put_off)
{
    struct ledger *ledger = flow->ledger;
    struct commit *commit = commit_gathering(ledger);
    const bool again = message->kept != 0;
    const bool promised = again || (message->flags & MESSAGE_FOLLOWS) != 0;

    if (message->kept == 0)
        message->kept = ++ledger->place;
    message->kept_open = (uint16_t)count;
    if (commit == NULL || !flow_may_park(flow, flow_committing(flow) + 1) ||
        !commit_reserve(&commit->events, &commit->event_room, commit->event_count + 1,
                        sizeof *commit->events) ||
        !commit_reserve((void *)&commit->actions, &commit->action_room,
                        commit->action_count + count, sizeof(struct action *)) ||
        !(count == 0 && !put_off ? delete_event(commit, message)
                                 : put_event(commit, message, actions, count, put_off))) {
        message->open += put_off; /* it was not evaluated: nobody holds it */
        commit_shed(flow, message, actions, count);
        commit_let_go(flow, message);
        return;
    }
    message->flags &= (uint8_t)~MESSAGE_FOLLOWS;
    commit->events[commit->event_count++] =
        (struct kept_event){message, count, commit->row_count - 1, put_off, again, promised};
    for (uint32_t i = 0; i < count; i++)
        commit->actions[commit->action_count++] = actions[i];
}

void flow_keep_nothing(struct flow *flow, const struct message *message)
{
    struct commit *commit = commit_gathering(flow->ledger);

    if (commit != NULL)
        (void)delete_event(commit, message);
}

bool flow_keep_done(struct flow *flow, struct action *action)
{
    struct message *message = action->message;
    struct commit *commit = commit_gathering(flow->ledger);

    if (commit == NULL || !commit_reserve((void *)&commit->ends, &commit->end_room,
                                          commit->end_count + 1, sizeof(struct action *)))
        return false;
    assert(message->kept_open > 0);
    if (--message->kept_open == 0 && !delete_event(commit, message))
        return false;
    commit->ends[commit->end_count++] = action;
    history_done(flow->ledger->history, action);
    return true;
}

void flow_keep_ended(struct flow *flow, const struct action *action)
{
    static const struct row_mark ended = {.state = ROW_ENDED, .text = {"", 0}};
    struct message *message = action->message;
    struct commit *commit;

    if (flow->ledger == NULL || flow->ledger->handing_back || flow->ledger->broken)
        return;
    commit = commit_gathering(flow->ledger);
    if (commit == NULL)
        return;
    assert(message->kept_open > 0);
    if (--message->kept_open == 0)
        (void)delete_event(commit, message);
    else
        (void)commit_mark(commit, message, action->ordinal, &ended);
}

void flow_keep_retry(struct flow *flow, const struct action *action, int64_t due_ns)
{
    const struct row_mark mark = {.state = ROW_BACKING_OFF,
                                  .attempts = (uint16_t)action_attempt(action),
                                  .at_ns = due_ns,
                                  .wait_ns = due_ns - flow->now,
                                  .text = {"", 0}};
    struct commit *commit = flow->ledger == NULL ? NULL : commit_gathering(flow->ledger);

    if (commit != NULL)
        (void)commit_mark(commit, action->message, action->ordinal, &mark);
}

void flow_keep_dead(struct flow *flow, const struct action *action, atamo_reason reason,
                    atamo_bytes text)
{
    const struct row_mark mark = {.state = ROW_DEAD,
                                  .reason = (uint8_t)reason,
                                  .attempts = (uint16_t)action_attempt(action),
                                  .at_ns = flow->now,
                                  .text = text};
    struct commit *commit = flow->ledger == NULL ? NULL : commit_gathering(flow->ledger);

    if (commit != NULL)
        (void)commit_mark(commit, action->message, action->ordinal, &mark);
}
