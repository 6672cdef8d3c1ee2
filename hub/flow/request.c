/* request - the life of a request, from admission to END.
 *
 * Happy path: its message is let in, its actions become its parts, each part that ends is counted,
 * and with the last one, or the last that is wanted, the END reply goes out. A request whose time
 * is over or that is cancelled ends before, and takes with it what runs for it alone. One that its
 * client has left waits among those that were left, for a while.
 *
 * END cannot fail: its reply is a part of the request. Without memory for a part the rule that made
 * the action fails, and says so.
 */
#include "flow/request.h"

#include "flow/backlog.h"
#include "flow/flight.h"
#include "flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_MS = 30000, LEFT_MAX = 65536 };

/* --- making */

static bool makes_sense(const struct request *request)
{
    const uint32_t feed_only = ATAMO_UNTIL_ACCEPTED | ATAMO_FEED;

    return (request->flags & feed_only) != feed_only && request->slow <= ATAMO_SLOW_LATEST &&
           request->queue <= UINT16_MAX;
}

static void read_options(struct request *request, const atamo_request_options *options)
{
    atamo_request_options known = {0};

    if (options != NULL)
        memcpy(&known, options, options->size < sizeof known ? options->size : sizeof known);
    request->flags = known.flags;
    request->answers = known.answers;
    request->slow = known.slow;
    request->keep_ms = known.keep_ms;
    request->queue = known.queue != 0 ? known.queue : (uint32_t)REQUEST_QUEUE;
    if (known.timeout_ms != 0)
        request->timeout_ms = known.timeout_ms;
    else
        request->timeout_ms =
            request_has(request, ATAMO_FEED) ? UINT32_MAX : (uint32_t)DEFAULT_TIMEOUT_MS;
}

int request_make(const atamo_request_options *options, struct outlet *outlet, atamo_reply_fn fn,
                 void *user, struct request **request)
{
    struct request *made = calloc(1, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    read_options(made, options);
    if (!makes_sense(made)) {
        free(made);
        return ATAMO_INVALID;
    }
    atomic_init(&made->refs, 1);
    made->outlet = outlet;
    made->fn = fn;
    made->user = user;
    made->parts = made->first_parts;
    made->part_room = REQUEST_PARTS;
    made->end.kind = ATAMO_REPLY_END;
    made->end.request = made;
    *request = made;
    return ATAMO_OK;
}

void request_unref(struct request *request)
{
    if (request == NULL || atomic_fetch_sub_explicit(&request->refs, 1, memory_order_acq_rel) > 1)
        return;
    free((void *)request->backlog.by_key);
    if (request->parts != request->first_parts)
        free(request->parts);
    free(request);
}

/* --- parts */

struct part *request_part(const struct action *action)
{
    assert(action->ordinal > 0 && action->ordinal <= action->asker->part_count);
    return &action->asker->parts[action->ordinal - 1];
}

/* Twice as much room for parts; false without memory. */
static bool grow_parts(struct request *request)
{
    const bool is_first = request->parts == request->first_parts;
    const uint32_t room = request->part_room * 2;
    struct part *parts = realloc(is_first ? NULL : request->parts, room * sizeof *parts);

    if (parts == NULL)
        return false;
    if (is_first)
        memcpy(parts, request->first_parts, sizeof request->first_parts);
    request->parts = parts;
    request->part_room = room;
    return true;
}

bool request_add_part(struct request *request, struct action *action)
{
    if (request->part_count == request->part_room && !grow_parts(request))
        return false;
    assert(action->ordinal == request->part_count + 1);
    request->parts[request->part_count++] =
        (struct part){.handle = action_handle(action), .request = request};
    request_ref(request);
    action->asker = request;
    return true;
}

void request_drop_part(struct action *action)
{
    if (action->asker != NULL)
        action->asker->part_count--;
}

/* Tell the client that this part has ended. */
static void tell_part(struct flow *flow, const struct action *action, int status, atamo_bytes why)
{
    struct request *request = action->asker;
    const atamo_response response = {
        .size = sizeof response, .kind = ATAMO_RESPONSE_DATA, .body = why, .key = {"", 0}};
    struct payload *payload =
        why.size == 0 ? NULL : payload_make(&flow->blocks, action_handle(action), &response);
    struct reply *reply = reply_make(&flow->blocks, payload);
    struct reply_memory memory = {NULL, NULL};

    if (payload != NULL)
        payload_release(payload, &memory);
    if (reply != NULL) {
        reply->kind = ATAMO_REPLY_PART;
        reply->status = status;
        reply->agent = action->plan->agent;
        reply->rule = action->plan->rule;
        flow_give(flow, request, reply);
    }
    reply_memory_return(&memory);
}

static void keep_reason(struct request *request, atamo_bytes why)
{
    const size_t size = why.size < REQUEST_WHY ? why.size : REQUEST_WHY - 1;

    if (request->why[0] != '\0')
        return;
    memcpy(request->why, why.data, size);
    request->why[size] = '\0';
}

/* What runs or waits for this request and nobody else is not wanted any more. */
static void cancel_parts(struct flow *flow, struct request *request, atamo_reason reason)
{
    for (uint32_t i = 0; i < request->part_count; i++) {
        struct part *part = &request->parts[i];
        struct action *action = part->is_over ? NULL : actions_slot(&flow->actions, part->handle);

        if (action != NULL && !flight_is_wanted(part))
            flow_cancel_action(flow, action, reason);
    }
}

void flow_request_end_early(struct flow *flow, struct request *request, int status,
                            atamo_reason reason, const char *why)
{
    struct message *message = request->message;

    message->refs++; /* cancelling may end it */
    flow_request_ended(flow, message, status, atamo_text(why));
    if (!request_listens(request) && message->generation == NULL) {
        message->flags |= MESSAGE_UNWANTED; /* it has no actions yet, and shall have none */
        if (flow->matched == message)
            flow->matched = NULL;
    } else if (!request_listens(request) && message->open > 0) {
        message->open++; /* it ends here, not in the middle */
        cancel_parts(flow, request, reason);
        flow_close_one(flow, message);
    }
    flow_message_unref(flow, message);
}

void flow_request_part_over(struct flow *flow, struct action *action, int status, atamo_bytes why)
{
    struct request *request = action->asker;
    struct part *part = request_part(action);

    if (part->is_over)
        return;
    part->is_over = true;
    if (atomic_load_explicit(&request->is_over, memory_order_relaxed))
        return;
    request->parts_over++;
    request->parts_done += status == ATAMO_OK;
    if (status != ATAMO_OK)
        keep_reason(request, why);
    if (request_has(request, ATAMO_PARTS))
        tell_part(flow, action, status, why);
    if (request->is_refreshing && request->parts_over == request->part_count)
        flow_request_finished(flow, request->message);
    else if (request->answers > 0 && request->parts_done >= request->answers)
        flow_request_end_early(flow, request, ATAMO_OK, ATAMO_REASON_ENOUGH, "");
}

void flow_request_rule_failed(struct request *request, atamo_bytes why)
{
    if (request_has(request, ATAMO_UNTIL_ACCEPTED))
        return; /* it is accepted all the same */
    request->has_failed_rule = true;
    keep_reason(request, why);
}

bool flow_request_is_too_late(const struct action *action)
{
    const struct request *request = action->asker;

    return atomic_load_explicit(&request->is_over, memory_order_relaxed) &&
           !request_has(request, ATAMO_DETACHED) && !flight_goes_on(request_part(action));
}

atamo_reason flow_request_reason(const struct action *action)
{
    return action->asker->end.status == ATAMO_OK ? ATAMO_REASON_ENOUGH : ATAMO_REASON_CLIENT;
}

/* --- its message */

static void timed_out(struct flow *flow, struct alarm *alarm)
{
    struct request *request =
        (struct request *)(void *)((char *)alarm - offsetof(struct request, timeout));

    request_ref(request);
    flow_request_end_early(flow, request, ATAMO_TIMEOUT, ATAMO_REASON_CLIENT,
                           "the request's time is over");
    request_unref(request);
}

static void list_add(struct flow *flow, struct request *request)
{
    request->previous = NULL;
    request->next = flow->requests;
    if (flow->requests != NULL)
        flow->requests->previous = request;
    flow->requests = request;
    flow->request_count++;
    flow->feed_count += request_has(request, ATAMO_FEED);
}

static void list_remove(struct flow *flow, struct request *request)
{
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        flow->requests = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    flow->request_count--;
    flow->feed_count -= request_has(request, ATAMO_FEED);
}

void flow_request_admitted(struct flow *flow, struct message *message)
{
    struct request *request = message->request;

    if (request->is_unwanted) {
        flow_request_ended(flow, message, ATAMO_GONE, atamo_text(""));
        return;
    }
    if (request_has(request, ATAMO_UNTIL_ACCEPTED) && flow->ledger == NULL) {
        flow_request_ended(flow, message, ATAMO_OK, atamo_text(""));
        return;
    }
    request->message = message;
    list_add(flow, request);
    request->timeout.fn = timed_out;
    if (request->timeout_ms != UINT32_MAX)
        wheel_set(&flow->alarms, &request->timeout.timer,
                  flow->now + (int64_t)request->timeout_ms * NS_PER_MS);
}

void flow_request_committed(struct flow *flow, struct message *message)
{
    if (request_has(message->request, ATAMO_UNTIL_ACCEPTED))
        flow_request_ended(flow, message, ATAMO_OK, atamo_text(""));
}

void flow_request_finished(struct flow *flow, struct message *message)
{
    const struct request *request = message->request;
    const bool good = request->parts_done == request->part_count && !request->has_failed_rule;
    int status = good ? ATAMO_OK : ATAMO_IO;

    if (message->actions == 0 && !request->has_failed_rule &&
        !request_has(request, ATAMO_UNTIL_ACCEPTED))
        status = ATAMO_NOT_FOUND;
    flow_request_ended(flow, message, status, atamo_text(""));
}

/* How long one that was left waits to be taken up. */
static void set_forget(struct flow *flow, struct request *request)
{
    wheel_stop(&flow->alarms, &request->forget.timer);
    wheel_set(&flow->alarms, &request->forget.timer,
              flow->now + (int64_t)request->keep_ms * NS_PER_MS);
}

void flow_request_ended(struct flow *flow, struct message *message, int status, atamo_bytes text)
{
    struct request *request = message->request;
    const bool was_let_in = request->message != NULL;

    message->request = NULL;
    if (was_let_in) {
        wheel_stop(&flow->alarms, &request->timeout.timer);
        list_remove(flow, request);
        request->message = NULL;
    }
    if (text.size > 0) {
        request->why[0] = '\0';
        keep_reason(request, text);
    }
    request->end.status = status;
    atomic_store(&request->is_over, true);
    if (!request_has(request, ATAMO_UNTIL_ACCEPTED)) { /* else there was nothing but a receipt */
        atamo_telemetry *record = flow_record(flow, ATAMO_STEP_DELIVERED, message);

        record->value[0] = request->sequence + 1;
        record->value[1] = 1;
    }
    flow_call_room(flow, request);
    if (request->outlet == NULL && request->is_unwanted) {
        if (!was_let_in)
            request_unref(request); /* it was forgotten before that */
        return;
    }
    if (request->outlet == NULL)
        set_forget(flow, request);
    flow_give(flow, request, &request->end); /* the client may free it from here on */
}

void flow_request_cancel(struct flow *flow, struct request *request)
{
    request->is_unwanted = true;
    flow_drop_held(request);
    if (request->message != NULL)
        flow_request_end_early(flow, request, ATAMO_GONE, ATAMO_REASON_CLIENT,
                               "cancelled by the client");
    else
        flow_give_held(flow, request); /* END, if it has ended */
}

void flow_end_feeds(struct flow *flow)
{
    struct request *request = flow->requests;

    while (request != NULL) {
        struct request *next = request->next;

        request_ref(request);
        if (request_has(request, ATAMO_FEED))
            flow_request_end_early(flow, request, ATAMO_CLOSED, ATAMO_REASON_FEED_END,
                                   "the hub is stopping");
        request_unref(request);
        request = next;
    }
}

/* --- left and taken up */

/* One that is not let in yet is named by its message: its reference goes when that ends. */
static void forget(struct flow *flow, struct request *request)
{
    asked_remove(&flow->left, request);
    wheel_stop(&flow->alarms, &request->forget.timer);
    request->is_unwanted = true;
    flow_drop_held(request);
    if (request->message != NULL)
        flow_request_end_early(flow, request, ATAMO_GONE, ATAMO_REASON_CLIENT, "nobody took it up");
    else if (!atomic_load_explicit(&request->is_over, memory_order_relaxed))
        return;
    request_unref(request);
}

static void forget_due(struct flow *flow, struct alarm *alarm)
{
    forget(flow, (struct request *)(void *)((char *)alarm - offsetof(struct request, forget)));
}

int flow_request_leave(struct flow *flow, struct request *request)
{
    if (flow->left.count >= LEFT_MAX || asked_reserve(&flow->left) != ATAMO_OK)
        return ATAMO_FULL;
    request->outlet = NULL;
    request->forget.fn = forget_due;
    asked_add(&flow->left, request);
    set_forget(flow, request);
    return ATAMO_OK;
}

struct request *flow_request_attach(struct flow *flow, uint64_t id, struct outlet *outlet)
{
    struct request *request = asked_find(&flow->left, id);

    if (request == NULL)
        return NULL;
    asked_remove(&flow->left, request);
    wheel_stop(&flow->alarms, &request->forget.timer);
    request->outlet = outlet;
    return request;
}

void flow_forget_left(struct flow *flow)
{
    struct request *request;

    while ((request = asked_any(&flow->left)) != NULL)
        forget(flow, request);
}
