/* duplicate - the same event once more, within the window.
 *
 * Happy path: an event that was seen is not accepted again; a record names the first one. Whoever
 * sent it may take that as the answer to the second: so it is told only when the first is on stable
 * storage, and if that fails, the second is refused like the first was.
 */
#include "flow/commit.h"
#include "flow/history.h"
#include "flow/request.h"

enum { PENDING_MAX = 4096 };

static struct dedupe *dedupe_of(const struct flow *flow)
{
    return flow->ledger == NULL ? NULL : flow->ledger->history->dedupe;
}

static void tell(struct flow *flow, struct message *message, const struct seen *first)
{
    atamo_telemetry *record = flow_record(flow, ATAMO_STEP_DUPLICATE, message);
    char uuid[37];

    record->value[0] = first->number;
    journal_text(&flow->journal, message_id(message, flow->node));
    flow_counters_of(flow, message)->duplicates++;
    if (message->request != NULL) {
        number_to_uuid(first->number, flow->node, uuid);
        flow_request_ended(flow, message, ATAMO_EXISTS, atamo_text(uuid));
    }
    flow_message_unref(flow, message);
}

static void wait_for_first(struct flow *flow, struct message *message)
{
    struct ledger *ledger = flow->ledger;

    if (ledger->duplicate_count == PENDING_MAX) {
        flow_refuse(flow, message, ATAMO_REASON_HUB_FULL, atamo_text("too many duplicates"));
        return;
    }
    ledger->duplicate_count++;
    message->block.link.next = NULL;
    if (ledger->duplicates_last == NULL)
        ledger->duplicates = message;
    else
        ledger->duplicates_last->block.link.next = &message->block.link;
    ledger->duplicates_last = message;
}

bool flow_is_duplicate(struct flow *flow, struct message *message)
{
    struct dedupe *dedupe = dedupe_of(flow);
    struct seen now = {.number = message->number, .at_ns = flow->now};
    const struct seen *first;

    if (dedupe == NULL || !dedupe_key(dedupe, message, &now.key))
        return false;
    first = dedupe_find(dedupe, &now.key, flow->now);
    if (first == NULL) {
        now.serial = flow->ledger->handed + 1;
        dedupe_add(dedupe, &now, flow->now);
        return false;
    }
    if (first->serial <= flow->ledger->finished) {
        tell(flow, message, first);
        return true;
    }
    if (message->request != NULL)
        flow_request_admitted(flow, message); /* its client may go away meanwhile */
    wait_for_first(flow, message);
    return true;
}

void flow_forget_id(struct flow *flow, const struct message *message)
{
    struct dedupe *dedupe = dedupe_of(flow);
    struct identity_key key;

    if (dedupe != NULL && dedupe_key(dedupe, message, &key))
        dedupe_forget(dedupe, &key);
}

void flow_answer_duplicates(struct flow *flow)
{
    struct ledger *ledger = flow->ledger;
    struct message *message = ledger->duplicates;

    ledger->duplicates = NULL;
    ledger->duplicates_last = NULL;
    ledger->duplicate_count = 0;
    while (message != NULL) {
        struct message *next = (struct message *)(void *)message->block.link.next;
        struct identity_key key;
        const struct seen *first = NULL;

        if (dedupe_key(ledger->history->dedupe, message, &key))
            first = dedupe_find(ledger->history->dedupe, &key, flow->now);
        if (first == NULL)
            flow_refuse(flow, message, ATAMO_REASON_STORE, atamo_text(""));
        else if (first->serial > ledger->finished && !ledger->stopped)
            wait_for_first(flow, message);
        else
            tell(flow, message, first);
        message = next;
    }
}
