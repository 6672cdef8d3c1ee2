/* inlet - a port that all threads of one plugin share.
 *
 * Happy path: lock, copy the draft into the port, unlock, ring the hub's bell. On the hub's own
 * thread: copy the draft into a block of the flow's pool and append it to the flow's list. Refused
 * with ATAMO_BUSY when ring or list is full; the plugin is told when there is room again.
 */
#include "flow/inlet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRODUCE_AGAIN_NS = 10 * NS_PER_MS };

/* [hub thread] The port has room again. */
static void tell_room(void *user)
{
    struct inlet *inlet = user;

    (void)pthread_mutex_lock(&inlet->lock);
    inlet->has_room = true;
    (void)pthread_cond_broadcast(&inlet->room);
    (void)pthread_mutex_unlock(&inlet->lock);
    inlet->ready_due = inlet->provider != NULL && inlet->provider->ready != NULL;
    inlet->produce_at = 0;
}

int inlet_open(struct flow *flow, uint32_t client, uint64_t max_data, struct inlet **inlet)
{
    struct inlet *made = calloc(1, sizeof *made);
    pthread_condattr_t attributes;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    if (port_open(client, &flow->bell, &flow->clock, max_data, &made->port) != ATAMO_OK) {
        free(made);
        return ATAMO_NO_MEMORY;
    }
    made->flow = flow;
    made->port->room = tell_room;
    made->port->room_user = made;
    (void)pthread_mutex_init(&made->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&made->room, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    *inlet = made;
    return ATAMO_OK;
}

void inlet_attach(struct inlet *inlet)
{
    inlet->next = inlet->flow->inlets;
    inlet->flow->inlets = inlet;
}

void inlet_detach(struct inlet *inlet)
{
    struct inlet **at = &inlet->flow->inlets;

    while (*at != NULL && *at != inlet)
        at = &(*at)->next;
    if (*at != NULL)
        *at = inlet->next;
}

static size_t produce(struct flow *flow, struct inlet *inlet, size_t budget)
{
    size_t count;

    if (inlet->provider->produce == NULL || inlet->produce_at > flow->now)
        return 0;
    flow_watch_begin(flow, inlet->instance, "produce()");
    count = inlet->provider->produce(inlet->instance->self, budget);
    flow_watch_end(flow);
    if (count == 0)
        inlet->produce_at = flow->now + PRODUCE_AGAIN_NS;
    return count;
}

size_t inlets_produce(struct flow *flow, size_t budget)
{
    size_t count = 0;

    for (struct inlet *inlet = flow->inlets; inlet != NULL; inlet = inlet->next) {
        if (inlet->ready_due) {
            inlet->ready_due = false;
            flow_watch_begin(flow, inlet->instance, "ready()");
            inlet->provider->ready(inlet->instance->self);
            flow_watch_end(flow);
        }
        count += produce(flow, inlet, budget);
    }
    return count;
}

int64_t inlets_next(const struct flow *flow)
{
    int64_t next = INT64_MAX;

    for (const struct inlet *inlet = flow->inlets; inlet != NULL; inlet = inlet->next)
        if (inlet->provider->produce != NULL && inlet->produce_at < next)
            next = inlet->produce_at;
    return next;
}

void inlet_shut(struct inlet *inlet)
{
    (void)pthread_mutex_lock(&inlet->lock);
    inlet->closed = true;
    (void)pthread_cond_broadcast(&inlet->room);
    (void)pthread_mutex_unlock(&inlet->lock);
}

void inlet_close(struct inlet *inlet)
{
    if (inlet == NULL)
        return;
    cloudevent_reader_close(inlet->reader);
    inlet->port->room = NULL;
    flow_retire_port(inlet->flow, inlet->port);
    (void)pthread_cond_destroy(&inlet->room);
    (void)pthread_mutex_destroy(&inlet->lock);
    free(inlet);
}

/* [hub thread] Into the flow's own list: it is looked at when the plugin's call has returned. */
static int submit_here(struct inlet *inlet, const atamo_event_draft *draft,
                       const struct message_origin *origin, const char **why)
{
    struct flow *flow = inlet->flow;
    struct message_origin here = origin == NULL ? (struct message_origin){0} : *origin;
    struct message *message;
    int status;

    if (flow->local_count == FLOW_LOCAL_MAX) {
        *why = "the hub is full";
        return ATAMO_BUSY;
    }
    here.now_ns = flow->now;
    here.number = number_next(&flow->numbers, flow->now);
    here.max_data = inlet->port->max_data;
    status = message_build(&flow->blocks, draft, &here, &message, why);
    if (status != ATAMO_OK)
        return status;
    message->flags |= MESSAGE_LOCAL;
    message->block.link.next = NULL;
    if (flow->local_last == NULL)
        flow->local_first = message;
    else
        flow->local_last->block.link.next = &message->block.link;
    flow->local_last = message;
    flow->local_count++;
    return ATAMO_OK;
}

int inlet_build(struct inlet *inlet, const atamo_event_draft *draft,
                const struct message_origin *origin, struct message **message)
{
    const char *why;
    int status;

    (void)pthread_mutex_lock(&inlet->lock);
    status = port_build(inlet->port, draft, origin, message, &why);
    (void)pthread_mutex_unlock(&inlet->lock);
    return status;
}

static int submit_locked(struct inlet *inlet, const atamo_event_draft *draft,
                         const struct message_origin *origin, const char **why)
{
    uint64_t number;
    int status;

    if (inlet->closed) {
        *why = "the hub is stopping";
        return ATAMO_CLOSED;
    }
    status = port_submit(inlet->port, draft, origin, NULL, &number, why);
    if (status == ATAMO_BUSY)
        inlet->has_room = false;
    return status;
}

int inlet_submit(struct inlet *inlet, const atamo_event_draft *draft,
                 const struct message_origin *origin, char *why)
{
    const char *said = "";
    int status;

    if (flow_is_here(inlet->flow)) {
        status = submit_here(inlet, draft, origin, &said);
    } else {
        (void)pthread_mutex_lock(&inlet->lock);
        status = submit_locked(inlet, draft, origin, &said);
        (void)pthread_mutex_unlock(&inlet->lock);
        bell_ring(&inlet->flow->bell);
    }
    if (status != ATAMO_OK && why != NULL)
        (void)snprintf(why, CLOUDEVENT_WHY, "%s", said);
    return status;
}

int inlet_submit_json(struct inlet *inlet, atamo_bytes json, const atamo_event_draft *fallback,
                      char *why)
{
    char own[CLOUDEVENT_WHY];
    const char *said = NULL;
    atamo_event_draft draft;
    int status = ATAMO_OK;

    (void)pthread_mutex_lock(&inlet->lock);
    if (inlet->reader == NULL)
        status = cloudevent_reader_open(&inlet->reader);
    if (status == ATAMO_OK)
        status = cloudevent_read(inlet->reader, json, fallback, &draft, why == NULL ? own : why);
    if (status == ATAMO_OK && flow_is_here(inlet->flow))
        status = submit_here(inlet, &draft, NULL, &said);
    else if (status == ATAMO_OK)
        status = submit_locked(inlet, &draft, NULL, &said);
    (void)pthread_mutex_unlock(&inlet->lock);
    bell_ring(&inlet->flow->bell);
    if (said != NULL && status != ATAMO_OK && why != NULL)
        (void)snprintf(why, CLOUDEVENT_WHY, "%s", said);
    return status;
}

int inlet_wait(struct inlet *inlet, uint32_t timeout_ms)
{
    struct timespec until;
    int waited = 0;
    int status;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * NS_PER_MS;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_S;
    }
    (void)pthread_mutex_lock(&inlet->lock);
    while (!inlet->has_room && !inlet->closed && waited != ETIMEDOUT) {
        if (ring_room(&inlet->port->ring) > 0)
            break;
        waited = pthread_cond_timedwait(&inlet->room, &inlet->lock, &until);
    }
    status = inlet->closed ? ATAMO_CLOSED : waited == ETIMEDOUT ? ATAMO_TIMEOUT : ATAMO_OK;
    (void)pthread_mutex_unlock(&inlet->lock);
    return status;
}
