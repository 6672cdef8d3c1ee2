/* settle - an attempt has ended: done, another one later, or the end.
 *
 * Happy path: the agent said done; the action is recorded, its slot is free, whoever waited for its
 * key or its place goes on. If it failed and may be tried again, it backs off for a random part of
 * a doubling interval (full jitter), or as long as the agent asked. Otherwise it becomes a dead
 * letter and an alert is raised. A message whose last action has ended is finished.
 *
 * An answer to an attempt that had been abandoned only frees the slot that the agent still held.
 */
#include "flow/commit.h"
#include "flow/flight.h"
#include "flow/outbox.h"
#include "flow/park.h"
#include "flow/request.h"

#include <assert.h>

static atamo_bytes note_text(const struct action *action)
{
    if (action->note == NULL)
        return (atamo_bytes){"", 0};
    return (atamo_bytes){action->note->text, action->note->size};
}

void flow_forget(struct flow *flow, struct action *action)
{
    struct message *message = action->message;

    action_move(action, ACTION_FREE);
    actions_give(&flow->actions, action);
    flow_message_unref(flow, message);
}

/* Whoever waits behind this action's key may go on: into the queue, for the next pump. */
static void leave_key(struct flow *flow, struct lane *lane, const struct action *action)
{
    const uint64_t key = flow_key(flow, action);
    struct action *next = key == 0 ? NULL : keys_leave(&lane->keys, key);

    if (next == NULL)
        return;
    action_move(next, ACTION_WAITING);
    lane_push(lane, next);
    flow_ready(flow, lane);
}

void flow_close_one(struct flow *flow, struct message *message)
{
    assert(message->open > 0);
    if (--message->open == 0 && !flow_leave(flow, message))
        flow_finish(flow, message);
}

static void count_end(struct flow *flow, struct lane *lane, const struct message *message,
                      atamo_step step)
{
    struct flow_counters *counters = flow_counters_of(flow, message);

    switch (step) {
    case ATAMO_STEP_DONE:
        counters->done++;
        lane->counters.done++;
        break;
    case ATAMO_STEP_SHED:
        counters->shed++;
        lane->counters.shed++;
        break;
    case ATAMO_STEP_CANCELLED:
        counters->cancelled++;
        lane->counters.cancelled++;
        break;
    case ATAMO_STEP_EXPIRED:
        counters->expired++;
        lane->counters.expired++;
        break;
    default:
        assert(step == ATAMO_STEP_DEAD);
        counters->dead++;
        lane->counters.dead++;
        break;
    }
}

/* Does the action hold its key? Not if it stands in line for it, or never came as far. */
static bool holds_key(const struct action *action, atamo_step step)
{
    return action_state(action) != ACTION_KEYED && action_state(action) != ACTION_JOINED &&
           !((step == ATAMO_STEP_SHED || step == ATAMO_STEP_CANCELLED) &&
             action_state(action) == ACTION_CREATED && action_attempt(action) == 0);
}

/* How long after its event came in an action of a rule that runs was done. */
static void count_rule(struct flow *flow, const struct action *action)
{
    const uint32_t number = action->plan->rule_number;
    const int64_t ns = flow->now - number_time(action->message->number);
    struct rule_seen *seen;

    if (number == 0 || action->message->generation != flow->current)
        return;
    seen = &flow->current->seen[number - 1];
    seen->done++;
    seen->took_us += ns > 0 ? (uint64_t)ns / NS_PER_US : 0;
}

/* What the client is told of an action that ended so. */
static int status_of(atamo_step step)
{
    switch (step) {
    case ATAMO_STEP_DONE:
        return ATAMO_OK;
    case ATAMO_STEP_CANCELLED:
        return ATAMO_GONE;
    default:
        return ATAMO_IO;
    }
}

/* The client of one that has an asker hears of it, and so do those that have joined it. */
static void tell_end(struct flow *flow, struct action *action, atamo_step step, atamo_reason reason,
                     atamo_bytes why)
{
    struct flight *flight;

    flow_request_part_over(flow, action, status_of(step), why);
    flight = request_part(action)->flight;
    if (flight != NULL)
        flight_land(flow, flight, step, reason, why);
}

void flow_end(struct flow *flow, struct action *action, atamo_step step, atamo_reason reason)
{
    struct lane *lane = flow->lanes[action->lane];
    struct message *message = action->message;

    if (message->kept != 0 && step != ATAMO_STEP_DONE)
        flow_keep_ended(flow, action);
    flow_record_action(flow, step, action, reason);
    count_end(flow, lane, message, step);
    if (step == ATAMO_STEP_DONE)
        count_rule(flow, action);
    if (action->asker != NULL)
        tell_end(flow, action, step, reason,
                 atamo_text(step == ATAMO_STEP_DONE ? "" : atamo_reason_text(reason)));
    wheel_stop(&flow->wheel, &action->timer);
    if (holds_key(action, step))
        leave_key(flow, lane, action);
    action_move(action, ACTION_FREE);
    actions_give(&flow->actions, action);
    flow_close_one(flow, message);
}

static int64_t back_off(struct flow *flow, const struct lane *lane, unsigned attempt)
{
    const struct retry_policy *policy = &lane->settings.retry;
    uint64_t limit = policy->base_ns;

    for (unsigned i = 1; i < attempt && limit < policy->max_ns; i++)
        limit *= 2;
    if (limit > policy->max_ns)
        limit = policy->max_ns;
    return (int64_t)random_below(&flow->random, limit + 1);
}

static void retry_later(struct flow *flow, struct lane *lane, struct action *action,
                        const struct failure *failure)
{
    const int64_t asked = (int64_t)failure->retry_after_ms * NS_PER_MS;
    int64_t wait = back_off(flow, lane, action_attempt(action));
    atamo_telemetry *record;

    if (wait < asked)
        wait = asked;
    record = flow_record_action(flow, ATAMO_STEP_RETRY, action, failure->reason);
    record->value[0] = (uint64_t)(flow->now + wait);
    if (failure->text.size > 0)
        journal_text(&flow->journal, failure->text);
    flow_counters_of(flow, action->message)->retries++;
    lane->counters.retries++;
    lane->backing_off++;
    action_move(action, ACTION_BACKING_OFF);
    wheel_set(&flow->wheel, &action->timer, flow->now + wait);
    if (action->message->kept != 0)
        flow_keep_retry(flow, action, flow->now + wait);
}

void flow_die(struct flow *flow, struct lane *lane, struct action *action, atamo_reason reason,
              atamo_bytes text)
{
    struct message *message = action->message;

    for (int alert = 0; alert < 2; alert++) {
        flow_record_action(flow, alert == 0 ? ATAMO_STEP_DEAD : ATAMO_STEP_ALERT, action, reason);
        if (text.size > 0)
            journal_text(&flow->journal, text);
    }
    count_end(flow, lane, message, ATAMO_STEP_DEAD);
    if (message->kept != 0)
        flow_keep_dead(flow, action, reason, text);
    if (action->asker != NULL)
        tell_end(flow, action, ATAMO_STEP_DEAD, reason,
                 text.size > 0 ? text : atamo_text(atamo_reason_text(reason)));
    leave_key(flow, lane, action);
    message->refs++;              /* the dead letter's, given up by flow_forget() */
    request_unref(action->asker); /* nobody asks for what a dead letter does later */
    action->asker = NULL;
    flow_bury(flow, action, reason);
    flow_close_one(flow, message);
}

static void note_breaker(struct flow *flow, struct lane *lane, const struct action *action,
                         bool good)
{
    if (breaker_note(&lane->breaker, &lane->settings.breaker, good, flow->now))
        flow_record_hub(flow, good ? ATAMO_REASON_BREAKER_CLOSED : ATAMO_REASON_BREAKER_OPENED,
                        action->plan->agent, "");
}

void flow_failed(struct flow *flow, struct lane *lane, struct action *action,
                 const struct failure *failure)
{
    const atamo_bytes text =
        failure->text.size > 0 ? failure->text : atamo_text(atamo_reason_text(failure->reason));

    /* A conflict is nobody's failure: two actions wanted the same key. */
    note_breaker(flow, lane, action, failure->reason == ATAMO_REASON_CONFLICT);
    if (failure->permanent)
        flow_die(flow, lane, action, failure->reason, failure->text);
    else if (action->asker != NULL && flow_request_is_too_late(action))
        flow_end(flow, action, ATAMO_STEP_CANCELLED, flow_request_reason(action));
    else if (action_attempt(action) >= flow_attempts(lane, action))
        flow_die(flow, lane, action, ATAMO_REASON_ATTEMPTS, text);
    else
        retry_later(flow, lane, action, failure);
}

/* What the agent wants to take effect with the outcome cannot: the attempt has failed. */
static void undone(struct flow *flow, struct lane *lane, struct action *action, int status)
{
    const struct failure failure = {
        .reason = status == ATAMO_CONFLICT    ? ATAMO_REASON_CONFLICT
                  : status == ATAMO_NO_MEMORY ? ATAMO_REASON_NO_MEMORY
                                              : ATAMO_REASON_STORE,
        .text = {"", 0},
    };

    flow_failed(flow, lane, action, &failure);
}

/* The end is written, with what shall take effect with it, before anybody hears of it. */
static void done_durably(struct flow *flow, struct lane *lane, struct action *action)
{
    const int status = action->outbox == NULL ? ATAMO_OK : outbox_check(flow, action);

    if (status != ATAMO_OK) {
        outbox_empty(flow, action);
        undone(flow, lane, action, status);
        return;
    }
    outbox_keep(flow, action);
    note_breaker(flow, lane, action, true);
    action->message->good++;
    if (!flow_keep_done(flow, action))
        flow_end(flow, action, ATAMO_STEP_DONE, ATAMO_REASON_NONE);
}

static void done(struct flow *flow, struct lane *lane, struct action *action)
{
    if (flow->ledger != NULL && action->message->kept != 0) {
        done_durably(flow, lane, action);
        return;
    }
    note_breaker(flow, lane, action, true);
    action->message->good++;
    flow_end(flow, action, ATAMO_STEP_DONE, ATAMO_REASON_NONE);
}

void flow_done_shared(struct flow *flow, struct action *action, atamo_reason reason)
{
    action->message->good++;
    if (flow->ledger == NULL || action->message->kept == 0 || !flow_keep_done(flow, action))
        flow_end(flow, action, ATAMO_STEP_DONE, reason);
}

/* What the agent held before it settled is in the outbox then, or gone with the outcome. */
static void take_outbox(struct flow *flow, struct action *action)
{
    outbox_gather(flow);
    if (action_state(action) == ACTION_LATE || action_outcome(action) != ATAMO_DONE)
        outbox_empty(flow, action);
}

/* How long the agent had it. */
static void count_latency(struct lane *lane, int64_t ns)
{
    const uint64_t us = ns > 0 ? (uint64_t)ns / NS_PER_US : 0;
    const unsigned bits = us == 0 ? 0 : 64u - (unsigned)__builtin_clzll(us);

    lane->counters.latency_sum_us += us;
    lane->counters
        .latency[bits < ATAMO_LATENCY_BUCKETS ? bits : (unsigned)ATAMO_LATENCY_BUCKETS - 1]++;
}

void flow_settle(struct flow *flow, struct action *action)
{
    struct lane *lane = flow->lanes[action->lane];

    assert(lane->running > 0 && action->instance->running > 0);
    if (flow->ledger != NULL)
        take_outbox(flow, action);
    lane->running--;
    lane->moved_at = flow->now;
    count_latency(lane, flow->now - action->began);
    action->instance->running--;
    wheel_stop(&flow->wheel, &action->timer);
    if (action_state(action) == ACTION_LATE) {
        flow->stale_settles++;
        flow_record_action(flow, ATAMO_STEP_HUB, action, ATAMO_REASON_STALE_SETTLE);
        flow_forget(flow, action);
    } else if (action_outcome(action) == ATAMO_DONE) {
        done(flow, lane, action);
    } else {
        const bool permanent = action_outcome(action) == ATAMO_FAIL;
        const struct failure failure = {
            .reason = permanent ? ATAMO_REASON_FAILED : ATAMO_REASON_TRANSIENT,
            .permanent = permanent,
            .retry_after_ms = action->note == NULL ? 0 : action->note->retry_after_ms,
            .text = note_text(action),
        };

        flow_failed(flow, lane, action, &failure);
    }
    if (lane->first != NULL)
        flow_ready(flow, lane);
}

size_t flow_settle_here(struct flow *flow)
{
    size_t count = 0;

    while (flow->settled_here != NULL || flow->ready != NULL) {
        struct stack_node *node = flow->settled_here;

        if (node == NULL) {
            flow_pump_ready(flow);
            continue;
        }
        flow->settled_here = node->next;
        flow_settle(flow, action_of(node));
        count++;
    }
    return count;
}

void flow_finish(struct flow *flow, struct message *message)
{
    atamo_telemetry *record = flow_record(flow, ATAMO_STEP_FINISHED, message);

    record->value[0] = message->good;
    record->value[1] = (uint64_t)message->actions - message->good;
    flow_counters_of(flow, message)->finished++;
    assert(flow->in_flight > 0);
    flow->in_flight--;
    if (message->request != NULL)
        flow_request_finished(flow, message);
    flow_remember(flow, message);
    flow_message_unref(flow, message);
}

void flow_message_unref(struct flow *flow, struct message *message)
{
    struct block *block = &message->block;

    assert(message->refs > 0);
    if (--message->refs > 0)
        return;
    flow_forget_parked(flow, message);
    message_release(message);
    if (message->generation != NULL)
        flow_generation_unref(flow, message->generation);
    if (block->home == &flow->blocks) {
        blocks_give(block);
        return;
    }
    if (flow->returning_newest != NULL && flow->returning_newest->home != block->home)
        flow_return_blocks(flow);
    block->link.next = flow->returning_newest == NULL ? NULL : &flow->returning_newest->link;
    if (flow->returning_newest == NULL)
        flow->returning_oldest = block;
    flow->returning_newest = block;
}

void flow_return_blocks(struct flow *flow)
{
    if (flow->returning_newest == NULL)
        return;
    blocks_return(flow->returning_newest, flow->returning_oldest);
    flow->returning_newest = NULL;
    flow->returning_oldest = NULL;
}
