/* deliver - what agents respond, on its way to the clients that asked.
 *
 * Happy path: a response gets a record and goes to the request of its action, where it gets its
 * number and waits to be taken. An agent whose client has a full queue is told to wait before
 * anything is copied. If nobody asked, or nobody waits any more, the response is freed here;
 * without memory for the reply's record it is counted as lost.
 */
#include "flow/deliver.h"

#include "flow/backlog.h"
#include "flow/flight.h"
#include "flow/flow.h"

bool deliver_may_respond(struct action *action)
{
    struct request *request = action->asker;

    if (request == NULL)
        return true;
    if (atomic_load(&action->holds) && atomic_load(&request->waiting) >= request->queue &&
        !atomic_load(&request->is_over)) {
        atomic_store(&action->wants_room, true);
        atomic_store(&request->hungry, true);
        /* What the client took meanwhile it took without a word. */
        if (atomic_load(&action->holds) && atomic_load(&request->waiting) >= request->queue &&
            !atomic_load(&request->is_over))
            return false;
        atomic_store(&action->wants_room, false);
    }
    atomic_fetch_add(&request->waiting, 1);
    return true;
}

void deliver_take_back(struct flow *flow, struct action *action)
{
    if (action->asker != NULL)
        request_untake(flow, action->asker);
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

/* One who asked gets the response; it counts as waiting already. */
static void give(struct flow *flow, const struct action *action, struct payload *payload)
{
    struct request *request = action->asker;
    struct reply *reply = reply_make(&flow->blocks, payload);

    if (reply == NULL) {
        request_untake(flow, request);
        request->end.lost++;
        flow->replies_lost++;
        return;
    }
    reply->agent = action->plan->agent;
    reply->rule = action->plan->rule;
    flow_give(flow, request, reply);
}

void deliver_to(struct flow *flow, struct part *part, struct payload *payload)
{
    atomic_fetch_add(&part->request->waiting, 1);
    give(flow, actions_slot(&flow->actions, part->handle), payload);
}

bool deliver_is_behind(const struct part *part)
{
    const struct request *request = part->request;

    return request->slow == ATAMO_SLOW_BLOCK && !flight_keeps_all(part->flight) &&
           request_given(request) >= (uint64_t)request->queue + part->loaded;
}

/* Whoever leads others and is too slow does not hold up the agent, so he cannot have it all. */
static bool is_behind(const struct action *action)
{
    const struct part *part = request_part(action);

    return part->flight != NULL && !atomic_load(&action->holds) && deliver_is_behind(part);
}

/* To the one who asked, and to those who share what he gets. */
static void share_out(struct flow *flow, struct action *action, struct payload *payload,
                      bool is_wanted)
{
    struct request *asker = action->asker;
    const struct part *part = request_part(action);

    stop_deadline(flow, action);
    if (is_wanted && is_behind(action)) {
        request_cut(flow, asker);
        is_wanted = false;
    }
    if (is_wanted)
        give(flow, action, payload);
    else
        request_untake(flow, asker); /* nobody waits any more */
    if (part->flight != NULL && part->handle == payload->action)
        flight_deliver(flow, part->flight, payload);
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
    if (asker != NULL)
        share_out(flow, action, payload, is_wanted);
    payload_release(payload, &memory);
    reply_memory_return(&memory);
}
