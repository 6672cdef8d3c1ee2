/* schedule - when does an action get its turn?
 *
 * Happy path: its lane is clear and nobody holds its key, so it is attempted at once. Otherwise it
 * waits: in line behind its key, or in the lane's queue until concurrency, rate, breaker or pause
 * let it through; a record says for what. A lane whose queue is full sheds: the action ends there,
 * with a record and an alert. So one stuck agent costs its own queue and nothing else.
 */
#include "flow/commit.h"

#include "base/hash.h"
#include "flow/flight.h"

uint64_t flow_key(const struct flow *flow, const struct action *action)
{
    const atamo_bytes key = message_attribute(action->message, ATAMO_PARTITIONKEY);
    uint64_t hash;

    if (key.size == 0)
        return 0;
    hash = hash_bytes(flow->node ^ action->message->tenant, key);
    return hash == 0 ? 1 : hash;
}

static void shed(struct flow *flow, struct lane *lane, struct action *action, atamo_reason reason)
{
    atamo_telemetry *record = flow_record_action(flow, ATAMO_STEP_ALERT, action, reason);

    record->value[0] = lane->waiting;
    flow_end(flow, action, ATAMO_STEP_SHED, reason);
}

/* The time at which the lane's gate may open by itself. */
static void set_wake(struct flow *flow, struct lane *lane, int64_t until)
{
    if (until == 0)
        return;
    wheel_stop(&flow->alarms, &lane->wake.timer);
    lane->wake.fn = flow_lane_due;
    wheel_set(&flow->alarms, &lane->wake.timer, until);
}

static void wait_in_queue(struct flow *flow, struct lane *lane, struct action *action,
                          atamo_reason reason)
{
    action_move(action, ACTION_WAITING);
    if (!flow->recovering) /* all of them wait then, and not for long */
        flow_record_action(flow, ATAMO_STEP_SCHEDULED, action, reason);
    lane->waiting++;
    lane_push(lane, action);
}

/* The action holds its key, or has none: attempt it, or let it wait for the lane. */
static void enter_lane(struct flow *flow, struct lane *lane, struct action *action)
{
    atamo_reason reason = ATAMO_REASON_CONCURRENCY;
    int64_t until = 0;

    if (lane_is_clear(lane)) {
        flow_attempt(flow, lane, action);
        return;
    }
    if (lane->first == NULL) {
        reason = lane_gate(lane, flow->now, &until);
        if (reason == ATAMO_REASON_NONE) {
            flow_attempt(flow, lane, action);
            return;
        }
        set_wake(flow, lane, until);
    } else if (lane->paused) {
        reason = ATAMO_REASON_PAUSED;
    } else if (lane->breaker.state != BREAKER_CLOSED) {
        reason = ATAMO_REASON_BREAKER_OPEN;
    } else if (lane->running < lane->settings.concurrency) {
        reason = ATAMO_REASON_RATE_LIMIT;
    }
    wait_in_queue(flow, lane, action, reason);
}

/* Wait behind the key; true if it has to. */
static bool wait_for_key(struct flow *flow, struct lane *lane, struct action *action)
{
    const uint64_t key = flow_key(flow, action);

    if (key == 0)
        return false;
    switch (keys_enter(&lane->keys, key, action)) {
    case KEYS_FREE:
        return false;
    case KEYS_BUSY:
        action_move(action, ACTION_KEYED);
        lane->waiting++;
        flow_record_action(flow, ATAMO_STEP_SCHEDULED, action, ATAMO_REASON_KEY_BUSY);
        return true;
    case KEYS_NO_MEMORY:
        break;
    }
    /* It never held its key, so it must not let go of it either. */
    flow_record_action(flow, ATAMO_STEP_ALERT, action, ATAMO_REASON_NO_MEMORY);
    flow_end(flow, action, ATAMO_STEP_SHED, ATAMO_REASON_NO_MEMORY);
    return true;
}

void flow_enter(struct flow *flow, struct action *action)
{
    struct lane *lane = flow->lanes[action->lane];

    /* What is kept was accepted for good: it waits, however long the line is. */
    if (action->message->kept == 0 && lane->waiting >= lane->settings.queue &&
        !lane_is_clear(lane)) {
        shed(flow, lane, action, ATAMO_REASON_QUEUE_FULL);
        return;
    }
    if (!wait_for_key(flow, lane, action))
        flow_resume(flow, action);
}

void flow_schedule(struct flow *flow, struct action *action)
{
    struct lane *lane = flow->lanes[action->lane];

    if (action->asker != NULL && flow_request_is_too_late(action)) {
        flow_end(flow, action, ATAMO_STEP_CANCELLED, flow_request_reason(action));
        return;
    }
    if (action->asker == NULL || lane->shares == NULL || !flow_share(flow, lane, action))
        flow_enter(flow, action);
}

void flow_schedule_at(struct flow *flow, struct action *action, int64_t due_ns)
{
    struct lane *lane = flow->lanes[action->lane];

    if (wait_for_key(flow, lane, action))
        return;
    lane->backing_off++;
    action_move(action, ACTION_BACKING_OFF);
    wheel_set(&flow->wheel, &action->timer, due_ns);
}

void flow_resume(struct flow *flow, struct action *action)
{
    struct lane *lane = flow->lanes[action->lane];

    if (lane->removed)
        flow_die(flow, lane, action, ATAMO_REASON_AGENT_REMOVED, atamo_text(""));
    else
        enter_lane(flow, lane, action);
}

void flow_pump(struct flow *flow, struct lane *lane)
{
    while (lane->first != NULL) {
        int64_t until;
        struct action *action;

        if (lane->removed) { /* it stood behind a key when the agent went */
            action = lane_pop(lane);
            lane->waiting--;
            flow_die(flow, lane, action, ATAMO_REASON_AGENT_REMOVED, atamo_text(""));
            continue;
        }
        if (lane_gate(lane, flow->now, &until) != ATAMO_REASON_NONE) {
            set_wake(flow, lane, until);
            return;
        }
        action = lane_pop(lane);
        lane->waiting--;
        flow_attempt(flow, lane, action);
    }
}

void flow_ready(struct flow *flow, struct lane *lane)
{
    if (lane->is_ready)
        return;
    lane->is_ready = true;
    lane->next_ready = flow->ready;
    flow->ready = lane;
}

void flow_pump_ready(struct flow *flow)
{
    struct lane *lane = flow->ready;

    flow->ready = lane->next_ready;
    lane->is_ready = false;
    flow_pump(flow, lane);
}

void flow_lane_due(struct flow *flow, struct alarm *alarm)
{
    struct lane *lane = (struct lane *)(void *)((char *)alarm - offsetof(struct lane, wake));

    flow_pump(flow, lane);
}
