/* deliver - what agents respond, on its way to the client that asked.
 *
 * Happy path: a response gets its number in the request's sequence, a record, and a place on the
 * client's stack; the client's descriptor becomes readable. When the message has ended, the END
 * reply, which was made together with the request and so cannot fail, follows. If the client has
 * gone or has cancelled, replies are freed here.
 */
#include "flow/deliver.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

int outlet_open(struct outlet *outlet)
{
    memset(outlet, 0, sizeof *outlet);
    stack_init(&outlet->replies);
    return bell_open(&outlet->bell);
}

void outlet_close(struct outlet *outlet)
{
    bell_close(&outlet->bell);
}

void outlet_signal(struct outlet *outlet)
{
    void (*wakeup)(void *user);

    if (atomic_exchange(&outlet->signalled, true))
        return;
    bell_strike(&outlet->bell);
    wakeup = atomic_load(&outlet->wakeup);
    if (wakeup != NULL)
        wakeup(atomic_load(&outlet->wakeup_user));
}

void outlet_quiet(struct outlet *outlet)
{
    int64_t due = 0; /* strikes that belong to flags taken down, and have not been heard */

    /* Whoever sets the flag strikes the bell right after: do not miss that, or it would stay
     * readable with nobody to quiet it. While we wait the flag may be set again, and two strikes
     * be heard as one: then it is taken down, too, or nobody would strike any more. */
    do {
        due += atomic_exchange(&outlet->signalled, false) ? 1 : 0;
        if (due > 0) {
            due -= (int64_t)bell_quiet(&outlet->bell);
            if (due > 0)
                (void)sched_yield();
        }
    } while (due != 0);
}

static void push(struct flow *flow, struct outlet *outlet, struct reply *reply)
{
    atomic_fetch_add_explicit(&outlet->waiting, 1, memory_order_relaxed);
    stack_push(&outlet->replies, &reply->link, &reply->link);
    if (outlet->has_news)
        return;
    outlet->has_news = true;
    outlet->next_news = flow->news;
    flow->news = outlet;
}

void flow_tell_news(struct flow *flow)
{
    while (flow->news != NULL) {
        struct outlet *outlet = flow->news;

        flow->news = outlet->next_news;
        outlet->has_news = false;
        outlet_signal(outlet);
    }
}

static void list_add(struct request *request)
{
    struct outlet *outlet = request->outlet;

    request->previous = NULL;
    request->next = outlet->first;
    if (outlet->first != NULL)
        outlet->first->previous = request;
    outlet->first = request;
}

static void list_remove(struct request *request)
{
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        request->outlet->first = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
}

/* The client hears no more; what it caused is cancelled, unless it only listened. */
static void end_early(struct flow *flow, struct request *request, int status, const char *why)
{
    struct message *message = request->message;
    const bool listens = request->detached || request->until_accepted;

    message->refs++; /* cancelling may end it */
    if (message->request == request)
        flow_request_ended(flow, message, status, atamo_text(why));
    if (!listens)
        flow_cancel_message(flow, message, ATAMO_REASON_CLIENT);
    flow_message_unref(flow, message);
}

static void timed_out(struct flow *flow, struct alarm *alarm)
{
    struct request *request =
        (struct request *)(void *)((char *)alarm - offsetof(struct request, timeout));

    end_early(flow, request, ATAMO_TIMEOUT, "the request's time is over");
}

void flow_request_admitted(struct flow *flow, struct message *message)
{
    struct request *request = message->request;

    if (request->until_accepted && flow->ledger == NULL) {
        flow_request_ended(flow, message, ATAMO_OK, atamo_text(""));
        return;
    }
    request->message = message;
    list_add(request);
    request->timeout.fn = timed_out;
    if (request->timeout_ms != UINT32_MAX)
        wheel_set(&flow->alarms, &request->timeout.timer,
                  flow->now + (int64_t)request->timeout_ms * NS_PER_MS);
}

void flow_request_committed(struct flow *flow, struct message *message)
{
    if (message->request->until_accepted)
        flow_request_ended(flow, message, ATAMO_OK, atamo_text(""));
}

void flow_request_action_failed(struct flow *flow, struct message *message, atamo_bytes text)
{
    struct request *request = message->request;
    const size_t size = text.size < REQUEST_WHY ? text.size : REQUEST_WHY - 1;

    (void)flow;
    if (request->why[0] != '\0')
        return;
    memcpy(request->why, text.data, size);
    request->why[size] = '\0';
}

void flow_request_finished(struct flow *flow, struct message *message)
{
    int status = message->good == message->actions ? ATAMO_OK : ATAMO_IO;

    if (message->actions == 0 && !message->request->until_accepted)
        status = ATAMO_NOT_FOUND;
    flow_request_ended(flow, message, status, atamo_text(""));
}

void flow_request_ended(struct flow *flow, struct message *message, int status, atamo_bytes text)
{
    struct request *request = message->request;
    struct reply *end = request->end;
    atamo_telemetry *record;

    message->request = NULL;
    if (request->message != NULL) {
        wheel_stop(&flow->alarms, &request->timeout.timer);
        list_remove(request);
    }
    end->request = request;
    end->kind = ATAMO_REPLY_END;
    end->status = status;
    end->sequence = ++request->sequence;
    if (text.size > 0 || request->why[0] != '\0') {
        const atamo_bytes why = text.size > 0 ? text : atamo_text(request->why);

        end->size = (uint32_t)(why.size < REQUEST_WHY ? why.size : REQUEST_WHY - 1);
        memcpy(end->bytes, why.data, end->size);
    }
    end->bytes[end->size] = '\0';
    if (!request->until_accepted) { /* else there was nothing to deliver but a receipt */
        record = flow_record(flow, ATAMO_STEP_DELIVERED, message);
        record->value[0] = request->sequence;
        record->value[1] = 1;
    }
    push(flow, request->outlet, end);
}

void flow_request_cancel(struct flow *flow, struct request *request)
{
    if (request->message != NULL)
        end_early(flow, request, ATAMO_GONE, "cancelled by the client");
}

void flow_deliver(struct flow *flow, struct reply *reply)
{
    const struct action *action = actions_slot(&flow->actions, reply->action);
    struct request *request = action == NULL ? NULL : action->message->request;
    atamo_telemetry *record;

    if (action != NULL) {
        record = flow_record_action(flow, ATAMO_STEP_RESPONDED, action, ATAMO_REASON_NONE);
        record->value[0] = reply->size;
        record->value[1] = request == NULL ? 0 : request->sequence + 1;
    }
    if (request == NULL) {
        free(reply); /* nobody asked, or nobody waits any more */
        return;
    }
    reply->request = request;
    reply->agent = action->plan->agent;
    reply->rule = action->plan->rule;
    reply->sequence = ++request->sequence;
    push(flow, request->outlet, reply);
}
