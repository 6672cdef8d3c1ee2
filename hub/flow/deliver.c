/* deliver - what agents respond, on its way to the clients that asked.
 *
 * Happy path: a response gets a record and goes to the request of its action, where it gets its
 * number and waits to be taken. An agent whose client has a full queue is told to wait before
 * anything is copied. If nobody asked, or nobody waits any more, the response is freed here;
 * without memory for the reply's record it is counted as lost.
 */
#include "flow/deliver.h"

#include "flow/backlog.h"
#include "flow/flow.h"

bool deliver_may_respond(struct action *action)
{
    struct request *request = action->asker;

    if (request == NULL)
        return true;
    if (action->holds && atomic_load(&request->waiting) >= request->queue &&
        !atomic_load(&request->is_over)) {
        atomic_store(&action->wants_room, true);
        atomic_store(&request->hungry, true);
        /* What the client took meanwhile it took without a word. */
        if (atomic_load(&request->waiting) >= request->queue && !atomic_load(&request->is_over))
            return false;
        atomic_store(&action->wants_room, false);
    }
    atomic_fetch_add(&request->waiting, 1);
    return true;
}

void deliver_take_back(struct action *action)
{
    if (action->asker != NULL)
        atomic_fetch_sub(&action->asker->waiting, 1);
}

/* The action's deadline was for its first response, if it is a feed. */
static void stop_deadline(struct flow *flow, struct action *action)
{
    if (!request_has(action->asker, ATAMO_FEED) || action->is_fed)
        return;
    action->is_fed = true;
    if (action_state(action) == ACTION_RUNNING)
        wheel_stop(&flow->wheel, &action->timer);
}

/* One who asked gets the response; whoever responded has counted it as waiting already. */
static void give(struct flow *flow, struct request *request, const struct action *action,
                 struct payload *payload)
{
    struct reply *reply = reply_make(&flow->blocks, payload);

    if (reply == NULL) {
        atomic_fetch_sub(&request->waiting, 1);
        request->end.lost++;
        flow->replies_lost++;
        return;
    }
    reply->agent = action->plan->agent;
    reply->rule = action->plan->rule;
    flow_give(flow, request, reply);
}

void flow_deliver(struct flow *flow, struct payload *payload)
{
    struct action *action = actions_slot(&flow->actions, payload->action);
    struct request *asker = action == NULL ? NULL : action->asker;
    const bool is_wanted =
        asker != NULL && action->message->request == asker && !request_part(action)->is_over;
    struct reply_memory memory = {NULL, NULL};

    if (action != NULL) {
        atamo_telemetry *record =
            flow_record_action(flow, ATAMO_STEP_RESPONDED, action, ATAMO_REASON_NONE);

        record->value[0] = payload->size;
        record->value[1] = is_wanted ? asker->sequence + 1 : 0;
    }
    if (asker != NULL) {
        stop_deadline(flow, action);
        if (is_wanted)
            give(flow, asker, action, payload);
        else
            atomic_fetch_sub(&asker->waiting, 1); /* nobody waits any more */
    }
    payload_release(payload, &memory);
    reply_memory_return(&memory);
}
