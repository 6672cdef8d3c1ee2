/* attempt - hand an action to its agent.
 *
 * Happy path: an inline agent is called there and then, while the message is in the cache; an agent
 * with a pool finds the action in the pool's ring. Either settles by calling the host, and nothing
 * of that is looked at before the agent's call has returned. An event that has expired meanwhile is
 * not attempted; a deadline that passes ends the attempt for the hub, while the agent, told by
 * cancel(), still owes its answer.
 */
#include "flow/flight.h"
#include "flow/flow.h"
#include "flow/pool.h"
#include "flow/request.h"

#include <assert.h>

static int64_t deadline_of(const struct flow *flow, const struct lane *lane,
                           const struct action *action)
{
    const uint64_t own = action->plan->deadline_ns;
    const uint64_t after = own != 0 ? own : lane->settings.deadline_ns;
    const int64_t expires = action->message->expires_ns;
    int64_t deadline = after == 0 ? 0 : flow->now + (int64_t)after;

    if (expires != 0 && (deadline == 0 || expires < deadline))
        deadline = expires;
    return deadline;
}

static void call_inline(struct flow *flow, const struct lane *lane, atamo_action handle)
{
    const struct instance *instance = lane->settings.instance;

    flow_watch_begin(flow, instance, "handle()");
    if (lane->agent->handle != NULL)
        lane->agent->handle(instance->self, handle);
    else
        lane->agent->handle_batch(instance->self, &handle, 1);
    flow_watch_end(flow);
}

static bool is_expired(const struct flow *flow, const struct action *action)
{
    const int64_t expires = action->message->expires_ns;

    return expires != 0 && expires <= flow->now;
}

/* Its agent may respond from now on. */
static void begin_answers(struct action *action)
{
    const struct part *part = request_part(action);

    if (part->flight != NULL)
        flight_begin(part->flight);
    atomic_store_explicit(&action->holds,
                          action->asker->slow == ATAMO_SLOW_BLOCK && !part->is_over &&
                              (part->flight == NULL || part->flight->joined == 0),
                          memory_order_relaxed);
    atomic_store_explicit(&action->wants_room, false, memory_order_relaxed);
}

void flow_attempt(struct flow *flow, struct lane *lane, struct action *action)
{
    const int64_t deadline = deadline_of(flow, lane, action);
    atamo_action handle;

    if (is_expired(flow, action)) {
        flow_end(flow, action, ATAMO_STEP_EXPIRED, ATAMO_REASON_EXPIRED);
        return;
    }
    action_set_attempt(action, action_attempt(action) + 1);
    flow_record_action(flow, ATAMO_STEP_ATTEMPT, action, ATAMO_REASON_NONE);
    flow_counters_of(flow, action->message)->attempts++;
    lane->counters.attempts++;
    lane->running++;
    action->instance = lane->settings.instance;
    action->instance->running++;
    breaker_begin(&lane->breaker);
    /* What the agent may ask for from another thread is written before it has the action. */
    action->attempts = (uint16_t)flow_attempts(lane, action);
    action->is_fed = false;
    if (action->asker != NULL)
        begin_answers(action);
    if (flow->ledger != NULL)
        atomic_store_explicit(&action->held, 0, memory_order_relaxed);
    action->timer.due = deadline;
    action->began = flow->now;
    action_move(action, ACTION_RUNNING);
    handle = action_handle(action);
    if (lane->pool != NULL) {
        if (deadline != 0)
            wheel_set(&flow->wheel, &action->timer, deadline);
        pool_push(lane->pool, handle);
        return;
    }
    call_inline(flow, lane, handle);
    /* Most have settled by now and need no timer. */
    if (deadline != 0 && !action->is_fed && action_state(action) == ACTION_RUNNING)
        wheel_set(&flow->wheel, &action->timer, deadline);
}

/* Body and message are shared from now on; both are counted. */
struct action *flow_copy_action(struct flow *flow, const struct action *old)
{
    struct action *action = actions_take(&flow->actions);

    if (action == NULL)
        return NULL;
    action->message = old->message;
    action->plan = old->plan;
    action->body = old->body;
    action->lane = old->lane;
    action->ordinal = old->ordinal;
    old->message->refs++;
    if (old->body != NULL)
        old->body->refs++;
    action_set_attempt(action, action_attempt(old));
    if (old->asker != NULL) {
        action->asker = old->asker;
        request_ref(action->asker);
        request_part(action)->handle = action_handle(action);
    }
    return action;
}

void flow_drop_copy(struct flow *flow, struct action *copy, const struct action *old)
{
    if (old->asker != NULL)
        request_part(old)->handle = action_handle(old);
    flow_forget(flow, copy);
}

/* Its deadline has passed while the agent has it: the hub goes on without waiting for the answer.
 */
static void deadline_passed(struct flow *flow, struct action *action)
{
    struct lane *lane = flow->lanes[action->lane];
    struct action *heir = flow_copy_action(flow, action);
    const struct failure late = {.reason = ATAMO_REASON_DEADLINE};

    if (heir == NULL || !action_abandon(action)) {
        /* No memory: look again later. Or it was settled at this very moment: that counts. */
        if (heir == NULL)
            wheel_set(&flow->wheel, &action->timer, flow->now + NS_PER_S);
        else
            flow_drop_copy(flow, heir, action);
        return;
    }
    flow_tell_cancel(action, ATAMO_REASON_DEADLINE);
    if (is_expired(flow, heir))
        flow_end(flow, heir, ATAMO_STEP_EXPIRED, ATAMO_REASON_EXPIRED);
    else
        flow_failed(flow, lane, heir, &late);
}

void flow_tell_cancel(const struct action *action, atamo_reason reason)
{
    const struct instance *instance = action->instance;

    if (instance->plugin->agent->cancel != NULL)
        instance->plugin->agent->cancel(instance->self, action_handle(action), (uint32_t)reason);
}

void flow_action_due(struct flow *flow, struct action *action)
{
    if (action_state(action) != ACTION_BACKING_OFF) {
        deadline_passed(flow, action);
        return;
    }
    assert(flow->lanes[action->lane]->backing_off > 0);
    flow->lanes[action->lane]->backing_off--;
    flow_resume(flow, action);
}
