/* host - what the hub does for its plugins: the functions of the host table.
 *
 * Happy path: a plugin passes its host pointer, which is the instance; from there it is one step to
 * the options or to the flow. Most of these may be called from any thread: they only read what does
 * not change, or hand something to the hub's thread. A handle that is stale gives nothing.
 */
#include "flow/host.h"

#include "flow/access.h"
#include "flow/deliver.h"
#include "flow/kv.h"
#include "flow/outbox.h"
#include "plugin/json_extension.h"
#include "plugin/options.h"

#include <stdlib.h>

/* --- configuration */

static atamo_bytes host_text(const atamo_host *host, const char *option)
{
    return options_text(instance_of(host)->options, option);
}

static int64_t host_integer(const atamo_host *host, const char *option)
{
    return options_integer(instance_of(host)->options, option);
}

static double host_number(const atamo_host *host, const char *option)
{
    return options_number(instance_of(host)->options, option);
}

static size_t host_count(const atamo_host *host, const char *option)
{
    return options_count(instance_of(host)->options, option);
}

static atamo_bytes host_key_at(const atamo_host *host, const char *option, size_t index)
{
    return options_key_at(instance_of(host)->options, option, index);
}

static atamo_bytes host_text_at(const atamo_host *host, const char *option, size_t index)
{
    return options_text_at(instance_of(host)->options, option, index);
}

static atamo_bytes host_instance(const atamo_host *host)
{
    return atamo_text(instance_of(host)->name);
}

static void *host_context(const atamo_host *host)
{
    return instance_of(host)->context;
}

/* --- talk, time, chance */

static void host_log(const atamo_host *host, int level, const char *line)
{
    const struct log_sink *log = &host_services_of(host)->log;

    log->fn(log->user, level, instance_of(host)->name, line);
}

static int host_refuse(const atamo_host *host, const char *why)
{
    struct instance *instance = instance_of(host);

    free(instance->refusal);
    instance->refusal = strdup(why);
    return ATAMO_INVALID;
}

static int64_t host_now(const atamo_host *host)
{
    return clock_now(&host_flow(host)->clock);
}

static uint64_t host_random(const atamo_host *host)
{
    struct random random;

    random.state = atomic_fetch_add_explicit(&host_services_of(host)->random,
                                             UINT64_C(0x9e3779b97f4a7c15), memory_order_relaxed);
    return random_next(&random);
}

/* --- actions */

static uint32_t wants_of(const struct request *request)
{
    return (uint32_t)ATAMO_WANTS_RESPONSES |
           (request_has(request, ATAMO_FEED) ? (uint32_t)ATAMO_WANTS_FEED : 0);
}

static void fill_info(const struct flow *flow, const struct action *action, atamo_action_info *info)
{
    const struct message *message = action->message;

    info->attempt = action_attempt(action);
    info->attempts = action->attempts;
    info->flags = action->asker == NULL ? 0 : wants_of(action->asker);
    info->event = (const atamo_event *)(const void *)message;
    info->message = message->number;
    info->deadline_ns = action->timer.due;
    info->type = names_text(flow->names, action->plan->type);
    info->agent = names_text(flow->names, action->plan->agent);
    info->rule = names_text(flow->names, action->plan->rule);
    info->user = action->plan->as != 0 ? names_text(flow->names, action->plan->as)
                                       : message_attribute(message, ATAMO_USER);
    info->tenant = message_attribute(message, ATAMO_TENANT);
    info->body = action_body(action);
    info->idempotency_key = action_idempotency_key(action);
}

static int host_info(const atamo_host *host, atamo_action handle, atamo_action_info *info)
{
    const struct flow *flow = host_flow(host);
    const struct action *action = actions_find(&flow->actions, handle);
    atamo_action_info full = {.size = info->size};

    if (action == NULL)
        return ATAMO_GONE;
    fill_info(flow, action, &full);
    memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
    return ATAMO_OK;
}

static const atamo_event *host_event(const atamo_host *host, atamo_action handle)
{
    const struct action *action = actions_find(&host_flow(host)->actions, handle);

    return action == NULL ? NULL : (const atamo_event *)(const void *)action->message;
}

static atamo_bytes host_body(const atamo_host *host, atamo_action handle)
{
    const struct action *action = actions_find(&host_flow(host)->actions, handle);

    return action == NULL ? (atamo_bytes){"", 0} : action_body(action);
}

static int host_respond(const atamo_host *host, atamo_action handle, const atamo_response *response)
{
    struct flow *flow = host_flow(host);
    struct action *action = actions_find(&flow->actions, handle);
    const bool here = flow_is_here(flow);
    struct payload *payload;

    if (action == NULL || action_state(action) == ACTION_ABANDONED)
        return ATAMO_GONE;
    if (response->body.size > INT32_MAX)
        return ATAMO_TOO_LARGE;
    if (!deliver_may_respond(action))
        return ATAMO_BUSY;
    payload = payload_make(here ? &flow->blocks : NULL, handle, response);
    if (payload == NULL) {
        deliver_take_back(flow, action);
        return ATAMO_NO_MEMORY;
    }
    if (here) {
        flow_deliver(flow, payload);
        return ATAMO_OK;
    }
    stack_push(&flow->responses, &payload->reply.block.link, &payload->reply.block.link);
    bell_ring(&flow->bell);
    return ATAMO_OK;
}

/* What the agent says beside the kind of outcome; without memory it stays unsaid. */
static struct action_note *make_note(const atamo_outcome *outcome)
{
    const size_t size = outcome->reason.size < 512 ? outcome->reason.size : 512;
    struct action_note *note;

    if (size == 0 && outcome->retry_after_ms == 0)
        return NULL;
    note = malloc(sizeof *note + size + 1);
    if (note == NULL)
        return NULL;
    note->retry_after_ms = outcome->retry_after_ms;
    note->size = (uint32_t)size;
    memcpy(note->text, outcome->reason.data, size);
    note->text[size] = '\0';
    return note;
}

/* Take one settlement; NULL if the action had ended already. */
static struct action *settle_one(struct flow *flow, atamo_action handle,
                                 const atamo_outcome *outcome)
{
    struct action *action = actions_slot(&flow->actions, handle);
    const unsigned kind = outcome == NULL ? (unsigned)ATAMO_DONE : outcome->kind;

    if (action == NULL || !action_claim(action, handle, kind))
        return NULL;
    free(action->note); /* of the attempt before */
    action->note = outcome == NULL ? NULL : make_note(outcome);
    return action;
}

static void host_settle(const atamo_host *host, const atamo_action *actions,
                        const atamo_outcome *outcomes, size_t count)
{
    struct flow *flow = host_flow(host);
    const bool here = flow_is_here(flow);
    struct stack_node *newest = NULL;
    struct stack_node *oldest = NULL;

    for (size_t i = 0; i < count; i++) {
        struct action *action =
            settle_one(flow, actions[i], outcomes == NULL ? NULL : &outcomes[i]);

        if (action == NULL) {
            atomic_fetch_add_explicit(&flow->stale_settles, 1, memory_order_relaxed);
            continue;
        }
        action->link.next = newest;
        newest = &action->link;
        if (oldest == NULL)
            oldest = newest;
    }
    if (newest == NULL)
        return;
    /* What a thread of the agent's has said before goes out before. */
    if (here && stack_empty(&flow->responses)) {
        oldest->next = flow->settled_here;
        flow->settled_here = newest;
        return;
    }
    stack_push(&flow->settled, newest, oldest);
    bell_ring(&flow->bell);
}

/* In a durable hub it takes effect with the outcome of the action. */
static int hold_event(const atamo_host *host, atamo_action handle, const atamo_event_draft *draft,
                      const struct message_origin *origin)
{
    struct flow *flow = host_flow(host);
    int status = ATAMO_OK;
    struct held *held = outbox_take(flow, handle, 0, &status);

    if (held == NULL)
        return status;
    status = inlet_build(instance_of(host)->inlet, draft, origin, &held->message);
    if (status != ATAMO_OK) {
        free(held);
        return status;
    }
    outbox_hold(flow, held);
    return ATAMO_OK;
}

static int host_emit(const atamo_host *host, atamo_action handle, const atamo_event_draft *draft)
{
    struct flow *flow = host_flow(host);
    const struct action *action = actions_find(&flow->actions, handle);
    const struct message *message;
    struct message_origin origin = {0};
    atamo_event_draft full = *draft;

    if (action == NULL)
        return ATAMO_GONE;
    message = action->message;
    origin.cause = message->number;
    origin.hops = (uint16_t)(message->hops + 1);
    full.causationid = message_id(message, flow->node);
    full.correlationid = message_attribute(message, ATAMO_CORRELATIONID);
    if (full.correlationid.size == 0)
        full.correlationid = full.causationid;
    if (full.user.size == 0)
        full.user = message_attribute(message, ATAMO_USER);
    if (full.tenant.size == 0)
        full.tenant = message_attribute(message, ATAMO_TENANT);
    if (full.traceparent.size == 0)
        full.traceparent = message_attribute(message, ATAMO_TRACEPARENT);
    if (message->kept != 0)
        return hold_event(host, handle, &full, &origin);
    return inlet_submit(instance_of(host)->inlet, &full, &origin, NULL);
}

/* --- events */

static const struct message *message_of(const atamo_event *event)
{
    return (const struct message *)(const void *)event;
}

static atamo_bytes host_attribute(const atamo_host *host, const atamo_event *event,
                                  atamo_attribute attribute)
{
    if (attribute == ATAMO_ID)
        return message_id(message_of(event), host_flow(host)->node);
    if ((unsigned)attribute >= ATAMO_ATTRIBUTE_COUNT)
        return (atamo_bytes){"", 0};
    return message_attribute(message_of(event), attribute);
}

static atamo_bytes host_extension_attribute(const atamo_host *host, const atamo_event *event,
                                            const char *name)
{
    atamo_extension_attribute list[MESSAGE_EXTENSIONS_MAX];
    const size_t count = message_extensions(message_of(event), list);

    (void)host;
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name.data, name) == 0)
            return list[i].value;
    return (atamo_bytes){"", 0};
}

static atamo_bytes host_data(const atamo_host *host, const atamo_event *event)
{
    (void)host;
    return message_data(message_of(event));
}

static size_t host_event_json(const atamo_host *host, const atamo_event *event, char *buffer,
                              size_t capacity)
{
    return cloudevent_write(message_of(event), host_flow(host)->node, buffer, capacity);
}

static atamo_bytes host_name(const atamo_host *host, uint32_t name)
{
    return names_text(host_flow(host)->names, name);
}

static void host_message_id(const atamo_host *host, uint64_t message, char uuid[37])
{
    number_to_uuid(message, host_flow(host)->node, uuid);
}

/* --- event providers */

static int host_submit(const atamo_host *host, const atamo_event_draft *drafts, size_t count,
                       size_t *taken, char *why)
{
    struct inlet *inlet = instance_of(host)->inlet;
    int status = ATAMO_OK;
    size_t i = 0;

    for (; i < count && status == ATAMO_OK; i++)
        status = inlet_submit(inlet, &drafts[i], NULL, why);
    *taken = status == ATAMO_OK ? count : i - 1;
    return status;
}

static int host_submit_json(const atamo_host *host, atamo_bytes json,
                            const atamo_event_draft *fallback, char *why)
{
    return inlet_submit_json(instance_of(host)->inlet, json, fallback, why);
}

static int host_wait(const atamo_host *host, uint32_t timeout_ms)
{
    return inlet_wait(instance_of(host)->inlet, timeout_ms);
}

static void host_finished(const atamo_host *host)
{
    const struct host_services *services = host_services_of(host);
    struct inlet *inlet = instance_of(host)->inlet;

    (void)pthread_mutex_lock(&inlet->lock);
    inlet->finished = true;
    (void)pthread_mutex_unlock(&inlet->lock);
    if (services->finished != NULL)
        services->finished(services->finished_user);
}

static int host_propose(const atamo_host *host, void *evaluation, const void *proposal)
{
    (void)host;
    return flow_propose(evaluation, proposal);
}

static const void *host_extension(const atamo_host *host, const char *name)
{
    const struct host_services *services = host_services_of(host);

    if (strcmp(name, ATAMO_JSON_EXTENSION) == 0)
        return json_extension();
    if (strcmp(name, ATAMO_ACCESS_EXTENSION) == 0)
        return access_extension();
    if (strcmp(name, ATAMO_KV_EXTENSION) == 0)
        return instance_of(host)->keeps ? kv_extension() : NULL;
    return services->extension == NULL ? NULL : services->extension(services->extension_user, name);
}

static const struct atamo_host table = {
    .size = sizeof table,
    .abi = ATAMO_ABI,
    .text = host_text,
    .integer = host_integer,
    .number = host_number,
    .count = host_count,
    .key_at = host_key_at,
    .text_at = host_text_at,
    .instance = host_instance,
    .context = host_context,
    .log = host_log,
    .refuse = host_refuse,
    .now = host_now,
    .random = host_random,
    .info = host_info,
    .event = host_event,
    .body = host_body,
    .respond = host_respond,
    .settle = host_settle,
    .emit = host_emit,
    .attribute = host_attribute,
    .extension_attribute = host_extension_attribute,
    .data = host_data,
    .event_json = host_event_json,
    .name = host_name,
    .message_id = host_message_id,
    .submit = host_submit,
    .submit_json = host_submit_json,
    .wait = host_wait,
    .finished = host_finished,
    .propose = host_propose,
    .extension = host_extension,
};

const struct atamo_host *host_table(void)
{
    return &table;
}
