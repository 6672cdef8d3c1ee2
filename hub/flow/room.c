/* room - clients that have taken something: what was held back follows, and agents that were told
 * to wait go on.
 *
 * Happy path: nobody is held up, and nothing here is called but the count of what was taken.
 * Whoever holds something back, or waits for room, says that the request is hungry; whoever makes
 * room then puts it on the flow's stack, once, and the hub looks at it in its next turn. Needs no
 * memory and cannot fail.
 */
#include "flow/backlog.h"
#include "flow/flow.h"
#include "flow/request.h"

void request_ask_for_more(struct flow *flow, struct request *request)
{
    if (atomic_exchange(&request->asks, true))
        return;
    request_ref(request);
    stack_push(&flow->hungry, &request->link, &request->link);
    bell_ring(&flow->bell);
}

static void feed_hungry(struct flow *flow, struct request *request)
{
    if (atomic_load(&request->hungry) && atomic_exchange(&request->hungry, false))
        request_ask_for_more(flow, request);
}

void request_taken(struct flow *flow, struct request *request, uint32_t count)
{
    atomic_fetch_sub(&request->out, count);
    atomic_fetch_sub(&request->waiting, count);
    feed_hungry(flow, request);
}

void request_untake(struct flow *flow, struct request *request)
{
    atomic_fetch_sub(&request->waiting, 1);
    feed_hungry(flow, request);
}

void request_cut(struct flow *flow, struct request *request)
{
    request->is_cut = true;
    request_ask_for_more(flow, request);
}

/* Not at once: this may be the call of an agent that responds. */
static void end_cut(struct flow *flow, struct request *request)
{
    if (request->is_cut && request->message != NULL)
        flow_request_end_early(flow, request, ATAMO_FULL, ATAMO_REASON_CLIENT,
                               "the client is too slow for what it shares with others");
}

void flow_call_room(struct flow *flow, struct request *request)
{
    for (uint32_t i = 0; i < request->part_count; i++) {
        struct action *action = actions_slot(&flow->actions, request->parts[i].handle);

        if (action == NULL || action_state(action) != ACTION_RUNNING ||
            !atomic_exchange(&action->wants_room, false))
            continue;
        if (ATAMO_HAS(action->instance->plugin->agent, room)) {
            flow_watch_begin(flow, action->instance, "room()");
            action->instance->plugin->agent->room(action->instance->self, action_handle(action));
            flow_watch_end(flow);
        }
    }
}

size_t flow_feed(struct flow *flow)
{
    struct stack_node *node = stack_take_in_order(&flow->hungry);
    size_t count = 0;

    while (node != NULL) {
        struct request *request = (struct request *)(void *)node;

        node = node->next; /* it may be pushed again from here on */
        atomic_store(&request->asks, false);
        end_cut(flow, request);
        flow_give_held(flow, request);
        flow_call_room(flow, request);
        request_unref(request);
        count++;
    }
    return count;
}
