/* keep - what a durable hub writes of an event and its actions.
 *
 * Happy path: an event becomes one row with the actions that rules made of it; an action that ends
 * while others are open becomes a mark beside it; the last one takes all rows of its event with it.
 * Rows are added to the commit that gathers. Without memory an event is shed before anybody was
 * told that it is safe; an end that cannot be written is written by nobody, and the action is done
 * once more after a crash.
 */
#include "flow/commit_inside.h"

#include <assert.h>
#include <string.h>

/* A row with room for `size` bytes of value, which stay where they are until the next row; NULL
 * without memory. */
static char *add_row(struct commit *commit, uint32_t kind, enum space space, uint64_t place,
                     uint16_t ordinal, size_t size)
{
    struct row *row;

    if (!commit_reserve(&commit->rows, &commit->row_room, commit->row_count + 1,
                        sizeof *commit->rows) ||
        !commit_reserve(&commit->bytes, &commit->room, commit->size + size + 1, 1))
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

bool commit_mark(struct commit *commit, struct message *message, uint16_t ordinal,
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

void commit_shed(struct flow *flow, struct message *message, struct action *const *actions,
                 uint32_t count)
{
    message->kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        flow_record_action(flow, ATAMO_STEP_ALERT, actions[i], ATAMO_REASON_STORE);
        flow_end(flow, actions[i], ATAMO_STEP_SHED, ATAMO_REASON_STORE);
    }
}

void commit_let_go(struct flow *flow, struct message *message)
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
    struct commit *commit = commit_gathering(ledger);

    if (message->kept == 0)
        message->kept = ++ledger->place;
    message->kept_open = (uint16_t)count;
    if (commit == NULL ||
        !commit_reserve(&commit->events, &commit->event_room, commit->event_count + 1,
                        sizeof *commit->events) ||
        !commit_reserve((void *)&commit->actions, &commit->action_room,
                        commit->action_count + count, sizeof(struct action *)) ||
        !(count == 0 && !put_off ? delete_event(commit, message)
                                 : put_event(commit, message, actions, count, put_off))) {
        commit_shed(flow, message, actions, count);
        commit_let_go(flow, message);
        return;
    }
    commit->events[commit->event_count++] = (struct kept_event){message, count, put_off};
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
    struct commit *commit = flow->ledger == NULL ? NULL : commit_gathering(flow->ledger);

    if (commit == NULL || !commit_reserve((void *)&commit->ends, &commit->end_room,
                                          commit->end_count + 1, sizeof(struct action *)))
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
