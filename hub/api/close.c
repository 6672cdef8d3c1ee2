/* close - the end of a hub, and waiting for it to have nothing to do.
 *
 * Happy path: nothing new is admitted, what is in flight finishes within the limit, every plugin is
 * drained and destroyed, then the threads end and the memory goes. What does not finish in time is
 * cancelled with a record; what does not let go even then is left behind, and said so.
 */
#include "api/hub_inside.h"

#include "flow/commit.h"

#include <stdlib.h>
#include <time.h>

#include "flow/inlet.h"
#include "flow/outbox.h"
#include "flow/request.h"

static void give_number(void *user, uint32_t client)
{
    hub_give_client(user, client);
}

struct chores {
    atamo_hub *hub;
    struct generation *retired;
};

static void take_chores(void *argument)
{
    struct chores *chores = argument;

    chores->retired = flow_chores(&chores->hub->flow, give_number, chores->hub);
}

void hub_free_retired(atamo_hub *hub)
{
    struct chores chores = {hub, NULL};

    flow_call(&hub->flow, take_chores, &chores);
    while (chores.retired != NULL) {
        struct generation *next = chores.retired->retired;

        generation_free(chores.retired);
        chores.retired = next;
    }
}

/* --- idle */

struct idle_call {
    atamo_hub *hub;
    bool idle;
};

/* Providers are asked first: what one has submitted before it finished is then seen in its port. */
static void read_idle(void *argument)
{
    struct idle_call *call = argument;
    struct flow *flow = &call->hub->flow;

    call->idle = true;
    for (struct inlet *inlet = flow->inlets; inlet != NULL && call->idle; inlet = inlet->next) {
        (void)pthread_mutex_lock(&inlet->lock);
        call->idle = inlet->finished || inlet->closed;
        (void)pthread_mutex_unlock(&inlet->lock);
    }
    for (uint32_t i = 0; i < flow->port_count && call->idle; i++)
        call->idle = ring_count(&flow->ports[i]->ring) == 0;
    call->idle = call->idle && flow->in_flight == 0 && flow->local_count == 0 && flow_is_kept(flow);
}

/* `before` is called on the hub's thread before each look; NULL: nothing is. */
static int wait_idle(atamo_hub *hub, uint32_t timeout_ms, void (*before)(void *hub))
{
    const int64_t until = clock_monotonic() + (int64_t)timeout_ms * NS_PER_MS;
    struct idle_call call = {hub, false};
    struct timespec moment = {0, 200L * NS_PER_US};

    for (;;) {
        if (before != NULL)
            flow_call(&hub->flow, before, hub);
        flow_call(&hub->flow, read_idle, &call);
        if (call.idle)
            return ATAMO_OK;
        if (clock_monotonic() >= until)
            return ATAMO_TIMEOUT;
        (void)nanosleep(&moment, NULL);
        if (moment.tv_nsec < 10L * NS_PER_MS)
            moment.tv_nsec *= 2;
    }
}

int atamo_wait_idle(atamo_hub *hub, uint32_t timeout_ms)
{
    return wait_idle(hub, timeout_ms, NULL);
}

/* --- close */

static void refuse_new(void *argument)
{
    atamo_hub *hub = argument;

    hub->flow.refusing = true;
    for (struct inlet *inlet = hub->flow.inlets; inlet != NULL; inlet = inlet->next)
        inlet_shut(inlet);
    flow_end_feeds(&hub->flow);
}

static void cancel_all(void *argument)
{
    atamo_hub *hub = argument;

    flow_cancel_all(&hub->flow, ATAMO_REASON_STOPPING);
}

static void say_stopped(void *argument)
{
    atamo_hub *hub = argument;

    flow_record_hub(&hub->flow, ATAMO_REASON_STOPPED, 0, "");
    journal_flush(&hub->flow.journal);
}

/* Give back every message that is only kept: for `why`, as a dead letter, by the generation. */
static void forget_all(void *argument)
{
    atamo_hub *hub = argument;
    struct flow *flow = &hub->flow;

    outbox_gather(flow);
    flow_forget_left(flow);
    flow_forget_recent(flow);
    while (flow->dead_first != NULL)
        (void)flow_dead_drop(flow, flow->dead_first->death.serial);
    if (flow->current != NULL)
        flow_generation_unref(flow, flow->current);
    flow->current = NULL;
}

static void free_all(atamo_hub *hub)
{
    flow_close(&hub->flow);
    names_close(hub->names);
    free(hub->plugins);
    free(hub->plugin_path);
    free(hub->config_path);
    token_slot_close(&hub->tokens);
    (void)pthread_mutex_destroy(&hub->control);
    free(hub);
}

static void stop_waiting(void *argument)
{
    atamo_hub *hub = argument;

    flow_stop_waiting(&hub->flow);
}

/* Let what runs finish, or cancel it. */
static int come_to_rest(atamo_hub *hub, uint32_t limit_ms)
{
    int status;

    flow_call(&hub->flow, refuse_new, hub);
    status = wait_idle(hub, limit_ms, stop_waiting);
    if (status != ATAMO_OK)
        flow_call(&hub->flow, cancel_all, hub);
    return status;
}

uint32_t atamo_stop_limit(atamo_hub *hub)
{
    uint64_t ms;

    (void)pthread_mutex_lock(&hub->control);
    ms = hub->latest->hub.stop_ns / NS_PER_MS;
    (void)pthread_mutex_unlock(&hub->control);
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

int atamo_close(atamo_hub *hub, uint32_t limit_ms)
{
    int status = ATAMO_OK;

    (void)pthread_mutex_lock(&hub->control);
    if (hub->latest != NULL) {
        const uint32_t grace = limit_ms > 2000 ? limit_ms : 2000;

        status = come_to_rest(hub, limit_ms);
        flow_call(&hub->flow, say_stopped, hub);
        if (hub_stop(hub, hub->latest, grace) != ATAMO_OK)
            status = ATAMO_TIMEOUT;
    }
    (void)pthread_mutex_unlock(&hub->control);
    keeper_stop(hub->keeper);
    atomic_store(&hub->flow.giving_up, true);
    flow_call(&hub->flow, forget_all, hub);
    hub_free_retired(hub);
    loop_stop(&hub->loop);
    if (status == ATAMO_TIMEOUT && hub->flow.actions.live > 0)
        return status; /* somebody is still in the hub's memory: it stays */
    free_all(hub);
    return status;
}
