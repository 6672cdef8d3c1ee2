/* delay - events that wait for their due time before rules are evaluated.
 *
 * Happy path: an event with a due time in the future gets an alarm; when it rings the event goes
 * on. Without memory for the alarm it goes on at once. When the hub stops, what still waits is let
 * go, with an alert that says so; in a durable hub it stays in the store.
 */
#include "flow/flow.h"

#include <stdlib.h>

struct delayed {
    struct alarm alarm; /* first */
    struct message *message;
    struct delayed *next, **at; /* in the flow's list */
};

static struct message *take_out(struct flow *flow, struct delayed *delayed)
{
    struct message *message = delayed->message;

    *delayed->at = delayed->next;
    if (delayed->next != NULL)
        delayed->next->at = delayed->at;
    free(delayed);
    flow->delayed--;
    return message;
}

static void delay_over(struct flow *flow, struct alarm *alarm)
{
    flow_evaluate(flow, take_out(flow, (struct delayed *)(void *)alarm));
}

bool flow_put_off(struct flow *flow, struct message *message)
{
    struct delayed *delayed;

    if (message->due_ns <= flow->now)
        return false;
    delayed = calloc(1, sizeof *delayed);
    if (delayed == NULL)
        return false;
    delayed->alarm.fn = delay_over;
    delayed->message = message;
    delayed->next = flow->delays;
    delayed->at = &flow->delays;
    if (flow->delays != NULL)
        flow->delays->at = &delayed->next;
    flow->delays = delayed;
    flow->delayed++;
    flow_record(flow, ATAMO_STEP_DELAYED, message)->value[0] = (uint64_t)message->due_ns;
    wheel_set(&flow->alarms, &delayed->alarm.timer, message->due_ns);
    return true;
}

void flow_leave_delayed(struct flow *flow, struct message *message, atamo_reason reason)
{
    flow_record(flow, ATAMO_STEP_ALERT, message)->reason = (uint16_t)reason;
    flow_finish(flow, message);
}

void flow_end_delays(struct flow *flow, atamo_reason reason)
{
    while (flow->delays != NULL) {
        struct delayed *delayed = flow->delays;
        struct message *message;

        wheel_stop(&flow->alarms, &delayed->alarm.timer);
        message = take_out(flow, delayed);
        flow_leave_delayed(flow, message, reason);
    }
}
