/* cancel - end actions that nobody wants any more, wherever they are.
 *
 * What waits is taken out of its line; what an agent holds is abandoned: the agent is told and
 * still owes an answer, but the action has ended. Needs no memory but a slot for the record of what
 * is abandoned; without one the action ends when its agent answers.
 */
#include "flow/commit.h"
#include "flow/flight.h"
#include "flow/park.h"
#include "flow/request.h"

#include <assert.h>

static void cancel_running(struct flow *flow, struct action *action, atamo_reason reason)
{
    struct action *heir = flow_copy_action(flow, action);

    if (heir == NULL)
        return;
    if (!action_abandon(action)) {
        flow_drop_copy(flow, heir, action); /* it was settled at this moment: that counts */
        return;
    }
    wheel_stop(&flow->wheel, &action->timer);
    flow_tell_cancel(action, reason);
    flow_end(flow, heir, ATAMO_STEP_CANCELLED, reason);
}

void flow_cancel_action(struct flow *flow, struct action *action, atamo_reason reason)
{
    struct lane *lane = flow->lanes[action->lane];

    switch (action_state(action)) {
    case ACTION_RUNNING:
        cancel_running(flow, action, reason);
        return;
    case ACTION_WAITING:
        lane_remove(lane, action);
        lane->waiting--;
        break;
    case ACTION_KEYED:
        keys_remove(&lane->keys, flow_key(flow, action), action);
        lane->waiting--;
        break;
    case ACTION_JOINED:
        if (!flight_leave(flow, request_part(action), reason))
            return; /* it was answered, and is being written */
        break;
    case ACTION_BACKING_OFF:
        lane->backing_off--;
        break;
    default:
        return; /* it has ended, or is about to */
    }
    flow_end(flow, action, ATAMO_STEP_CANCELLED, reason);
}

void flow_stop_waiting(struct flow *flow)
{
    const uint32_t count = flow->actions.count;

    if (!flow_outlives(flow))
        return;
    flow_hand_back(flow);
    flow_leave_parked(flow);
    flow_end_delays(flow, ATAMO_REASON_STOPPING);
    for (uint32_t slot = 0; slot < count; slot++) {
        struct action *action = actions_at(&flow->actions, slot);

        if (action->message != NULL && action->message->kept != 0 &&
            action_state(action) != ACTION_RUNNING)
            flow_cancel_action(flow, action, ATAMO_REASON_STOPPING);
    }
}

void flow_cancel_all(struct flow *flow, atamo_reason reason)
{
    flow_hand_back(flow);
    flow_leave_parked(flow);
    flow_end_delays(flow, reason);
    for (uint32_t slot = 0; slot < flow->actions.count; slot++) {
        struct action *action = actions_at(&flow->actions, slot);

        if (action->message != NULL)
            flow_cancel_action(flow, action, reason);
    }
}
