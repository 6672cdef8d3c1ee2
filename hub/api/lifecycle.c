/* lifecycle - start what is new in a generation, end what nothing uses any more.
 *
 * Happy path of a start: agents with their pools, rule providers, auditors with their threads,
 * event providers last. Happy path of an end: event providers first, so that nothing new comes;
 * then agents, which may finish what they hold; auditors last, so that they hear of everything. An
 * agent that does not let go in time is left alone, never destroyed under a thread that is still in
 * it.
 */
#include "api/hub_inside.h"

#include "flow/commit.h"
#include "flow/inlet.h"
#include "flow/pool.h"

#include <stdlib.h>
#include <time.h>

enum { STORE_GRACE_MS = 2000 };

static const struct place nowhere = {NULL, 0, 0};

/* --- calls on the hub's thread */

struct port_call {
    struct flow *flow;
    struct port *port;
    struct inlet *inlet;
    struct tap *tap;
    int status;
};

static void add_port(void *argument)
{
    struct port_call *call = argument;

    call->status = flow_add_port(call->flow, call->port);
}

static void attach(void *argument)
{
    struct port_call *call = argument;

    inlet_attach(call->inlet);
}

static void detach(void *argument)
{
    struct port_call *call = argument;

    inlet_detach(call->inlet);
}

static void close_inlet(void *argument)
{
    struct port_call *call = argument;

    inlet_close(call->inlet);
}

static void add_tap(void *argument)
{
    struct port_call *call = argument;

    call->status = journal_add(&call->flow->journal, call->tap);
}

static void remove_tap(void *argument)
{
    struct port_call *call = argument;

    journal_remove(&call->flow->journal, call->tap);
}

/* --- start */

static int open_inlet(atamo_hub *hub, struct instance *instance, uint64_t max_data)
{
    struct port_call call = {.flow = &hub->flow};
    uint32_t client = 0;
    struct inlet *inlet = NULL;
    int status = hub_take_client(hub, &client);

    if (status != ATAMO_OK)
        return status;
    status = inlet_open(&hub->flow, client, max_data, &inlet);
    if (status != ATAMO_OK) {
        hub_give_client(hub, client);
        return status;
    }
    inlet->instance = instance;
    inlet->provider = instance->plugin->event_provider;
    instance->inlet = inlet;
    call.port = inlet->port;
    flow_call(&hub->flow, add_port, &call);
    return call.status;
}

static int start_agent(atamo_hub *hub, struct generation *generation,
                       struct agent_settings *settings, struct problems *problems)
{
    struct instance *instance = settings->instance;
    int status = open_inlet(hub, instance, generation->hub.max_data);

    if (status == ATAMO_OK)
        status = instance_start(instance, nowhere, problems);
    if (status == ATAMO_OK && settings->mode == ATAMO_POOL)
        status = pool_open(instance, settings->workers, (struct pool **)&instance->role);
    return status;
}

static int start_auditor(atamo_hub *hub, struct auditor_settings *settings,
                         struct problems *problems)
{
    struct port_call call = {.flow = &hub->flow};
    struct audit *audit = NULL;
    int status = instance_start(settings->instance, nowhere, problems);

    if (status == ATAMO_OK)
        status = audit_start(settings, &audit);
    if (status != ATAMO_OK)
        return status;
    *audit_next(audit) = hub->audits;
    hub->audits = audit;
    call.tap = audit_tap(audit);
    flow_call(&hub->flow, add_tap, &call);
    return call.status;
}

static int start_provider(atamo_hub *hub, const struct generation *generation,
                          struct instance *instance, struct problems *problems)
{
    struct port_call call = {.flow = &hub->flow};
    int status = open_inlet(hub, instance, generation->hub.max_data);

    if (status == ATAMO_OK)
        status = instance_start(instance, nowhere, problems);
    if (status != ATAMO_OK)
        return status;
    call.inlet = instance->inlet;
    flow_call(&hub->flow, attach, &call);
    return ATAMO_OK;
}

/* Is it new, that is: created and not started yet? */
static bool is_new(const struct instance *instance)
{
    return instance->state == INSTANCE_CREATED;
}

/* A store is opened with the hub and stays: what is in flight is in this one. */
static int start_store(const atamo_hub *hub, const struct generation *generation,
                       struct problems *problems)
{
    const struct generation *before = hub->latest;
    struct instance *instance = generation->store == NULL ? NULL : generation->store->instance;

    if (before != NULL && (before->store == NULL ? NULL : before->store->instance) != instance)
        return problems_add(problems, nowhere,
                            "the store cannot be changed while the hub runs: start it again");
    if (instance == NULL || !is_new(instance))
        return ATAMO_OK;
    return instance_start(instance, nowhere, problems);
}

static int start_all(atamo_hub *hub, struct generation *generation, struct problems *problems)
{
    int status = start_store(hub, generation, problems);

    for (size_t i = 0; i < generation->auditor_count && status == ATAMO_OK; i++)
        if (is_new(generation->auditors[i].instance))
            status = start_auditor(hub, &generation->auditors[i], problems);
    for (size_t i = 0; i < generation->agent_count && status == ATAMO_OK; i++)
        if (is_new(generation->agents[i].instance))
            status = start_agent(hub, generation, &generation->agents[i], problems);
    for (size_t i = 0; i < generation->rule_provider_count && status == ATAMO_OK; i++)
        if (is_new(generation->rule_providers[i].instance))
            status = instance_start(generation->rule_providers[i].instance, nowhere, problems);
    for (size_t i = 0; i < generation->event_provider_count && status == ATAMO_OK; i++)
        if (is_new(generation->event_providers[i].instance))
            status =
                start_provider(hub, generation, generation->event_providers[i].instance, problems);
    return status;
}

int hub_start(atamo_hub *hub, struct generation *generation, struct problems *problems)
{
    const int status = start_all(hub, generation, problems);

    if (status != ATAMO_OK && problems->errors == 0)
        (void)problems_add(problems, nowhere, "the configuration cannot be started: %s",
                           atamo_status_text(status));
    return status;
}

/* --- end */

static void pause_a_moment(void)
{
    const struct timespec moment = {0, 2L * NS_PER_MS};

    (void)nanosleep(&moment, NULL);
}

struct running_call {
    const struct instance *instance;
    uint32_t running;
};

static void read_running(void *argument)
{
    struct running_call *call = argument;

    call->running = call->instance->running;
}

/* Wait until the agent holds no action any more. */
static bool wait_for_agent(atamo_hub *hub, const struct instance *instance, int64_t until)
{
    struct running_call call = {instance, 0};

    for (;;) {
        flow_call(&hub->flow, read_running, &call);
        if (call.running == 0)
            return true;
        if (clock_monotonic() >= until)
            return false;
        pause_a_moment();
    }
}

static void drop_inlet(atamo_hub *hub, struct instance *instance)
{
    struct port_call call = {.flow = &hub->flow, .inlet = instance->inlet};

    if (instance->inlet == NULL)
        return;
    inlet_shut(instance->inlet);
    if (instance->plugin->event_provider != NULL)
        flow_call(&hub->flow, detach, &call);
}

/* After the instance is destroyed nobody submits through it any more. */
static void free_inlet(atamo_hub *hub, struct inlet *inlet)
{
    struct port_call call = {.flow = &hub->flow, .inlet = inlet};

    if (inlet != NULL)
        flow_call(&hub->flow, close_inlet, &call);
}

static void end_instance(atamo_hub *hub, struct instance *instance)
{
    struct inlet *inlet = instance->inlet;

    instance_close(instance);
    free_inlet(hub, inlet);
}

/* Keep what cannot be ended; its plugin must not be destroyed while a thread is in it. */
static int give_up_on(atamo_hub *hub, struct instance *instance)
{
    hub->services.log.fn(hub->services.log.user, ATAMO_LOG_ERROR, instance->name,
                         "does not let go of its work: left alone, not destroyed");
    return ATAMO_TIMEOUT;
}

struct leave_call {
    struct flow *flow;
    const struct instance *instance;
};

static void leave_agent(void *argument)
{
    struct leave_call *call = argument;

    flow_leave_agent(call->flow, call->instance);
}

static int end_agent(atamo_hub *hub, struct instance *instance, int64_t until)
{
    const int64_t left = until - clock_monotonic();
    struct leave_call call = {&hub->flow, instance};

    flow_call(&hub->flow, leave_agent, &call);
    instance_drain(instance);
    if (!wait_for_agent(hub, instance, until))
        return give_up_on(hub, instance);
    if (instance->role != NULL &&
        !pool_close(instance->role, left > 0 ? (uint32_t)(left / NS_PER_MS) + 1000 : 1000))
        return give_up_on(hub, instance);
    drop_inlet(hub, instance);
    end_instance(hub, instance);
    return ATAMO_OK;
}

static int end_auditor(atamo_hub *hub, struct instance *instance, uint32_t limit_ms)
{
    struct audit **at = &hub->audits;
    struct port_call call = {.flow = &hub->flow};

    while (*at != NULL && audit_instance(*at) != instance)
        at = audit_next(*at);
    if (*at != NULL) {
        struct audit *audit = *at;

        *at = *audit_next(audit);
        call.tap = audit_tap(audit);
        flow_call(&hub->flow, remove_tap, &call);
        if (!audit_stop(audit, limit_ms))
            return give_up_on(hub, instance);
    }
    end_instance(hub, instance);
    return ATAMO_OK;
}

/* One user less; true if that was the last one and the caller shall end it. */
static bool leave(struct instance **place)
{
    struct instance *instance = *place;

    if (instance == NULL)
        return false;
    *place = NULL;
    return --instance->refs == 0;
}

static void end_providers(atamo_hub *hub, struct generation *old)
{
    for (size_t i = 0; i < old->event_provider_count; i++) {
        struct instance *instance = old->event_providers[i].instance;

        if (!leave(&old->event_providers[i].instance))
            continue;
        drop_inlet(hub, instance);
        end_instance(hub, instance);
    }
}

struct store_call {
    struct flow *flow;
    bool kept;
};

static void read_kept(void *argument)
{
    struct store_call *call = argument;

    call->kept = flow_is_kept(call->flow);
}

static void stop_keeping(void *argument)
{
    struct store_call *call = argument;

    flow_keep_stop(call->flow);
}

static void end_keeping(void *argument)
{
    struct store_call *call = argument;

    flow_keep_end(call->flow);
}

/* Let the last commits be written, then close the store. What it does not take in time is written
 * in the next life: its actions are done once more. */
static void end_store(atamo_hub *hub, struct instance *instance, int64_t until)
{
    struct store_call call = {.flow = &hub->flow};

    for (;;) {
        flow_call(&hub->flow, read_kept, &call);
        if (call.kept || clock_monotonic() >= until)
            break;
        pause_a_moment();
    }
    flow_call(&hub->flow, stop_keeping, &call);
    end_instance(hub, instance);
    flow_call(&hub->flow, end_keeping, &call);
}

int hub_stop(atamo_hub *hub, struct generation *old, uint32_t limit_ms)
{
    const int64_t until = clock_monotonic() + (int64_t)limit_ms * NS_PER_MS;
    int status = ATAMO_OK;

    end_providers(hub, old);
    for (size_t i = 0; i < old->agent_count; i++) {
        struct instance *instance = old->agents[i].instance;

        if (leave(&old->agents[i].instance) && end_agent(hub, instance, until) != ATAMO_OK)
            status = ATAMO_TIMEOUT;
    }
    if (old->store != NULL) {
        struct instance *instance = old->store->instance;

        if (leave(&old->store->instance))
            end_store(hub, instance, until + (int64_t)STORE_GRACE_MS * NS_PER_MS);
    }
    for (size_t i = 0; i < old->auditor_count; i++) {
        struct instance *instance = old->auditors[i].instance;

        if (leave(&old->auditors[i].instance) && end_auditor(hub, instance, limit_ms) != ATAMO_OK)
            status = ATAMO_TIMEOUT;
    }
    return status;
}
