/* record - telemetry records of messages and actions.
 *
 * One place that knows which fields a record has, so that every step fills them alike. Recording
 * cannot fail: the journal waits, or counts what a listener loses.
 */
#include "flow/flow.h"

atamo_telemetry *flow_record(struct flow *flow, atamo_step step, const struct message *message)
{
    atamo_telemetry *record = journal_next(&flow->journal, step);

    record->message = message->number;
    record->type = message->type_name;
    return record;
}

void flow_fill_record(atamo_telemetry *record, const struct action *action)
{
    record->message = action->message->number;
    record->action = action->ordinal;
    record->attempt = (uint16_t)action_attempt(action);
    record->type = action->plan->type;
    record->rule = action->plan->rule;
    record->agent = action->plan->agent;
    record->user = action->plan->as;
}

atamo_telemetry *flow_record_action(struct flow *flow, atamo_step step, const struct action *action,
                                    atamo_reason reason)
{
    atamo_telemetry *record = journal_next(&flow->journal, step);

    flow_fill_record(record, action);
    record->reason = (uint16_t)reason;
    return record;
}

void flow_record_hub(struct flow *flow, atamo_reason reason, uint32_t agent, const char *text)
{
    atamo_telemetry *record = journal_next(&flow->journal, ATAMO_STEP_HUB);

    record->reason = (uint16_t)reason;
    record->agent = agent;
    if (text[0] != '\0')
        journal_text(&flow->journal, atamo_text(text));
}
