/* admit - may this event come in?
 *
 * Happy path: its type is known, its user may submit it, it has not expired or been passed around
 * in a circle; it is counted, recorded and goes on to be evaluated, now or when its delay is over.
 * Otherwise it is refused with a reason, and that is its end. Data is parsed here, once, if some
 * rule or the type's template looks inside; evaluate uses the same values.
 */
#include "flow/commit.h"
#include "flow/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool listed(const atamo_bytes *list, size_t count, atamo_bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].size == name.size && memcmp(list[i].data, name.data, name.size) == 0)
            return true;
    return false;
}

/* The type's users and groups; nobody listed means everybody. */
static bool may_submit(const struct flow *flow, const struct event_type *type,
                       const struct message *message)
{
    const atamo_bytes user = message_attribute(message, ATAMO_USER);
    const struct identity *identity;

    if (type->user_count == 0 && type->group_count == 0)
        return true;
    if (user.size > 0 && listed(type->users, type->user_count, user))
        return true;
    identity = identities_find(flow->current->identities, user);
    for (size_t i = 0; identity != NULL && i < identity->group_count; i++)
        if (listed(type->groups, type->group_count, identity->groups[i]))
            return true;
    return false;
}

static uint32_t tenant_of(struct flow *flow, const struct message *message)
{
    const atamo_bytes tenant = message_attribute(message, ATAMO_TENANT);
    uint32_t name;

    if (tenant.size == 0)
        return 0;
    name = names_find(flow->names, tenant);
    for (uint32_t i = 1; name != 0 && i < flow->tenant_count; i++)
        if (flow->tenants[i] == name)
            return i;
    if (flow->tenant_count == FLOW_TENANTS_MAX)
        return FLOW_TENANTS_MAX - 1; /* the last one stands for all further tenants */
    name = names_add(flow->names, tenant);
    if (name == 0)
        return 0;
    flow->tenants[flow->tenant_count] = name;
    return flow->tenant_count++;
}

static void record_id(struct flow *flow, const struct message *message)
{
    const atamo_bytes id = message_attribute(message, ATAMO_ID);

    if (id.size > 0)
        journal_text(&flow->journal, id);
}

static enum field_need need_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TEXT:
        return NEED_TEXT;
    case FIELD_NUMBER:
        return NEED_NUMBER;
    case FIELD_TRUE:
    case FIELD_FALSE:
        return NEED_BOOL;
    case FIELD_OBJECT:
        return NEED_OBJECT;
    case FIELD_ARRAY:
        return NEED_ARRAY;
    case FIELD_MISSING:
    case FIELD_NULL:
        break;
    }
    return NEED_ANY;
}

/* The first field that the type requires and the event does not have, or NULL. */
static const struct required_field *missing_field(const struct flow *flow,
                                                  const struct event_type *type)
{
    for (size_t i = 0; i < type->required_count; i++) {
        const struct required_field *required = &type->required[i];
        const enum field_kind kind = fields_whole(flow->scratch, required->field).kind;

        if (kind == FIELD_MISSING ||
            (required->need != NEED_ANY && required->need != need_of(kind)))
            return required;
    }
    return NULL;
}

atamo_reason flow_judge(struct flow *flow, const struct message *message, atamo_bytes *text)
{
    const struct event_type *type =
        event_types_find(flow->current->types, message_attribute(message, ATAMO_TYPE));
    const bool follows = (message->flags & MESSAGE_FOLLOWS) != 0;
    const struct required_field *missing;
    const char *problem;
    int status;

    *text = message_attribute(message, ATAMO_TYPE);
    if (flow->refusing && !follows)
        return ATAMO_REASON_STOPPING;
    if (message->request != NULL && message->request->is_unwanted &&
        !request_listens(message->request))
        return ATAMO_REASON_CLIENT;
    if (flow_store_refuses(flow) && !follows)
        return ATAMO_REASON_STORE;
    if (type == NULL && !event_types_open(flow->current->types))
        return ATAMO_REASON_UNKNOWN_TYPE;
    if (type != NULL && !may_submit(flow, type, message)) {
        *text = message_attribute(message, ATAMO_USER);
        return ATAMO_REASON_DENIED;
    }
    if (message->hops > flow->current->hub.hop_limit)
        return ATAMO_REASON_HOP_LIMIT;
    status = flow_match(flow, message, &problem);
    if (status == ATAMO_OK && type != NULL && type->needs_data)
        status = fields_data(flow->scratch, &problem);
    if (status != ATAMO_OK) {
        *text = atamo_text(problem);
        return status == ATAMO_NO_MEMORY ? ATAMO_REASON_NO_MEMORY : ATAMO_REASON_MALFORMED;
    }
    missing = type == NULL ? NULL : missing_field(flow, type);
    if (missing == NULL)
        return ATAMO_REASON_NONE;
    *text = missing->path;
    return ATAMO_REASON_MISSING_FIELD;
}

/* Types and users that no configuration names are learnt, up to a limit. */
static uint32_t learn(struct flow *flow, atamo_bytes text)
{
    const uint32_t name = text.size == 0 ? 0 : names_find(flow->names, text);

    if (name != 0 || text.size == 0 || flow->learned == FLOW_LEARNED_MAX)
        return name;
    flow->learned++;
    return names_add(flow->names, text);
}

void flow_name(struct flow *flow, struct message *message)
{
    message->type_name = learn(flow, message_attribute(message, ATAMO_TYPE));
    message->tenant = tenant_of(flow, message);
}

void flow_admit(struct flow *flow, struct message *message)
{
    atamo_bytes text;
    const atamo_reason reason = flow_judge(flow, message, &text);
    atamo_telemetry *record;

    flow_name(flow, message);
    if (reason != ATAMO_REASON_NONE) {
        flow_refuse(flow, message, reason, text);
        return;
    }
    if (!message_is_feed(message) && flow_is_duplicate(flow, message))
        return;
    flow_counters_of(flow, message)->accepted++;
    flow->in_flight++;
    record = flow_record(flow, ATAMO_STEP_ADMITTED, message);
    record->user = learn(flow, message_attribute(message, ATAMO_USER));
    record->value[0] = message->data_size;
    record->value[1] = message->cause;
    record_id(flow, message);
    if (message->request != NULL)
        flow_request_admitted(flow, message);
    if (flow->ledger != NULL && !message_is_feed(message) &&
        (message->due_ns > flow->now || (message->flags & MESSAGE_FOLLOWS) != 0))
        flow_keep(flow, message, NULL, 0, true);
    else if (!flow_put_off(flow, message))
        flow_evaluate(flow, message);
}

void flow_take_up(struct flow *flow, struct message *message)
{
    flow_name(flow, message);
    flow_counters_of(flow, message)->accepted++;
    flow->in_flight++;
    flow_record(flow, ATAMO_STEP_RECOVERED, message)->value[0] = message->kept;
    record_id(flow, message);
}

/* What the client is told of a refusal. */
static int status_of(atamo_reason reason)
{
    switch (reason) {
    case ATAMO_REASON_DENIED:
        return ATAMO_DENIED;
    case ATAMO_REASON_STOPPING:
        return ATAMO_CLOSED;
    case ATAMO_REASON_CLIENT:
        return ATAMO_GONE;
    case ATAMO_REASON_HUB_FULL:
        return ATAMO_BUSY;
    case ATAMO_REASON_STORE:
        return ATAMO_FULL;
    case ATAMO_REASON_NO_MEMORY:
        return ATAMO_NO_MEMORY;
    case ATAMO_REASON_TOO_LARGE:
        return ATAMO_TOO_LARGE;
    default:
        return ATAMO_INVALID;
    }
}

/* A sentence: why, and what. */
static void answer_refusal(struct flow *flow, struct message *message, atamo_reason reason,
                           atamo_bytes text)
{
    char why[REQUEST_WHY];

    (void)snprintf(why, sizeof why, "%s%s%.*s", atamo_reason_text(reason),
                   text.size > 0 ? ": " : "", (int)text.size, text.data);
    flow_request_ended(flow, message, status_of(reason), atamo_text(why));
}

void flow_refuse(struct flow *flow, struct message *message, atamo_reason reason, atamo_bytes text)
{
    flow_counters_of(flow, message)->refused++;
    flow_record(flow, ATAMO_STEP_REFUSED, message)->reason = (uint16_t)reason;
    journal_text(&flow->journal, text);
    if (message->request != NULL)
        answer_refusal(flow, message, reason, text);
    flow_message_unref(flow, message);
}
