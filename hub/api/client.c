/* client - one thread of the embedding program: it submits, asks, and hears back.
 *
 * Happy path: a submission is copied into the client's port; replies come back on its outlet and
 * telemetry in its tap, and atamo_dispatch() hands them out: api/dispatch.c. Everything that is
 * taken from the program is refused at once with a status if it cannot be taken; nothing here waits
 * for the hub but opening, closing and changing what is watched.
 */
#include "api/client.h"

#include "flow/backlog.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { WATCH_RING = 16384 };

struct client_call {
    atamo_client *client;
    struct request *request;
    uint64_t id;
    struct tap *tap;
    int status;
};

static void connect_client(void *argument)
{
    struct client_call *call = argument;

    call->status = flow_add_port(&call->client->hub->flow, call->client->port);
}

/* [hub thread] The port has room again. */
static void tell_room(void *user)
{
    outlet_signal(&((atamo_client *)user)->outlet);
}

static int fill_client(atamo_client *client)
{
    atamo_hub *hub = client->hub;
    struct client_call call = {.client = client};
    uint32_t number;
    int status = hub_take_client(hub, &number);

    if (status != ATAMO_OK)
        return status;
    status = port_open(number, &hub->flow.bell, &hub->flow.clock, hub->max_data, &client->port);
    if (status == ATAMO_OK) {
        client->port->room = tell_room;
        client->port->room_user = client;
        flow_call(&hub->flow, connect_client, &call);
        status = call.status;
    }
    if (status != ATAMO_OK)
        hub_give_client(hub, number);
    return status;
}

int hub_open_client(atamo_hub *hub, atamo_client **client)
{
    atamo_client *made = aligned_alloc(64, (sizeof *made + 63) / 64 * 64);
    int status;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    memset(made, 0, sizeof *made);
    made->hub = hub;
    status = outlet_open(&made->outlet);
    if (status == ATAMO_OK)
        status = fill_client(made);
    if (status != ATAMO_OK) {
        port_close(made->port);
        outlet_close(&made->outlet);
        free(made);
        return status;
    }
    *client = made;
    return ATAMO_OK;
}

int atamo_client_open(atamo_hub *hub, atamo_client **client)
{
    int status;

    (void)pthread_mutex_lock(&hub->control);
    status = hub_open_client(hub, client);
    (void)pthread_mutex_unlock(&hub->control);
    return status;
}

/* --- leave and close */

/* [hub thread] Everything that waits to be handed out, newest first. */
static struct reply *take_all(atamo_client *client)
{
    struct reply *lists[] = {client->pending, outlet_take(&client->outlet)};
    struct reply *newest = NULL;

    client->pending = NULL;
    for (size_t i = 0; i < 2; i++) {
        struct reply *reply = lists[i];

        while (reply != NULL) {
            struct reply *next = reply_next(reply);

            reply->block.link.next = newest == NULL ? NULL : &newest->block.link;
            newest = reply;
            reply = next;
        }
    }
    return newest;
}

/* [hub thread] What is for requests that were left goes back to them; the rest waits on. */
static void take_back(atamo_client *client)
{
    struct flow *flow = &client->hub->flow;
    struct reply *reply = take_all(client);

    while (reply != NULL) {
        struct reply *next = reply_next(reply);

        if (reply->request->outlet == NULL) {
            flow_hold_again(flow, reply->request, reply);
        } else {
            reply->block.link.next = client->pending == NULL ? NULL : &client->pending->block.link;
            client->pending = reply;
        }
        reply = next;
    }
}

/* [hub thread] What the program was handed and has not said it is done with counts as taken. */
static int leave_one(atamo_client *client, struct request *request)
{
    struct flow *flow = &client->hub->flow;
    int status;

    asked_remove(&client->asked, request); /* both tables link by the same field */
    status = flow_request_leave(flow, request);
    if (status != ATAMO_OK) {
        asked_add(&client->asked, request);
        return status;
    }
    if (request->handed > 0)
        request_taken(flow, request, request->handed);
    request->handed = 0;
    return ATAMO_OK;
}

static void leave(void *argument)
{
    struct client_call *call = argument;

    call->status = leave_one(call->client, call->request);
    if (call->status == ATAMO_OK)
        take_back(call->client);
}

static struct request *find_request(const atamo_client *client, uint64_t id)
{
    struct request *request = asked_find(&client->asked, id);

    return request == NULL || request->fn == NULL ? NULL : request;
}

int atamo_leave(atamo_client *client, uint64_t id)
{
    struct client_call call = {.client = client, .request = find_request(client, id)};

    if (call.request == NULL)
        return ATAMO_NOT_FOUND;
    if (call.request->keep_ms == 0)
        return ATAMO_UNSUPPORTED;
    flow_call(&client->hub->flow, leave, &call);
    return call.status;
}

/* [hub thread] Everything that the hub knows of the client goes; its requests end, or are left. */
static void disconnect(void *argument)
{
    struct client_call *call = argument;
    atamo_client *client = call->client;
    struct flow *flow = &client->hub->flow;
    struct request *request;

    client->port->room = NULL;
    flow_retire_port(flow, client->port);
    while ((request = asked_any(&client->asked)) != NULL) {
        if (request->fn != NULL && request->keep_ms > 0 && leave_one(client, request) == ATAMO_OK)
            continue;
        asked_remove(&client->asked, request);
        request->fn = NULL;
        flow_request_cancel(flow, request);
    }
    (void)flow_settle_here(flow);
    take_back(client);
    if (client->tap != NULL)
        journal_remove(&flow->journal, client->tap);
    flow_tell_news(flow); /* the list must not name a client that goes */
}

void atamo_client_close(atamo_client *client)
{
    struct client_call call = {.client = client};
    struct reply_memory memory = {NULL, NULL};

    if (client == NULL)
        return;
    assert(!client->dispatching);
    flow_call(&client->hub->flow, disconnect, &call);
    while (client->pending != NULL) {
        struct reply *reply = client->pending;

        client->pending = reply_next(reply);
        client_free_reply(reply, &memory);
    }
    reply_memory_return(&memory);
    asked_close(&client->asked);
    if (client->tap != NULL) {
        tap_close(client->tap);
        free(client->tap);
    }
    outlet_close(&client->outlet);
    free(client);
}

/* --- submit */

static int submit(atamo_client *client, const atamo_event_draft *draft, struct request *request,
                  uint64_t *number)
{
    const char *why;

    return port_submit(client->port, draft, NULL, request, number, &why);
}

int atamo_submit(atamo_client *client, const atamo_event_draft *draft, atamo_receipt *receipt)
{
    uint64_t number = 0;
    const int status = submit(client, draft, NULL, &number);

    if (status != ATAMO_OK)
        return status;
    bell_ring(&client->hub->flow.bell);
    if (receipt != NULL) {
        receipt->durability = 1;
        receipt->message = number;
    }
    return ATAMO_OK;
}

int64_t atamo_submit_batch(atamo_client *client, const atamo_event_draft *drafts, size_t count)
{
    uint64_t number;
    int status = ATAMO_OK;
    size_t taken = 0;

    while (taken < count && status == ATAMO_OK) {
        status = submit(client, &drafts[taken], NULL, &number);
        taken += status == ATAMO_OK;
    }
    if (taken == 0)
        return status;
    bell_ring(&client->hub->flow.bell);
    return (int64_t)taken;
}

/* --- requests */

static bool has_flag(const atamo_request_options *options, uint32_t flag)
{
    return options != NULL && ATAMO_HAS(options, flags) && (options->flags & flag) != 0;
}

int atamo_request(atamo_client *client, const atamo_event_draft *draft,
                  const atamo_request_options *options, atamo_reply_fn fn, void *user,
                  uint64_t *request)
{
    struct request *made;
    int status = asked_reserve(&client->asked);

    if (status == ATAMO_OK)
        status = request_make(options, &client->outlet, fn, user, &made);
    if (status != ATAMO_OK)
        return status;
    status = submit(client, draft, made, &made->id);
    if (status != ATAMO_OK) {
        request_unref(made);
        return status;
    }
    asked_add(&client->asked, made);
    if (request != NULL)
        *request = made->id;
    if (!has_flag(options, ATAMO_MORE))
        bell_ring(&client->hub->flow.bell);
    return ATAMO_OK;
}

void atamo_wake(atamo_client *client)
{
    bell_ring(&client->hub->flow.bell);
}

static void cancel(void *argument)
{
    struct client_call *call = argument;
    struct flow *flow = &call->client->hub->flow;

    flow_request_cancel(flow, call->request);
    (void)flow_settle_here(flow);
}

int atamo_cancel(atamo_client *client, uint64_t id)
{
    struct client_call call = {.client = client, .request = find_request(client, id)};

    if (call.request == NULL)
        return ATAMO_NOT_FOUND;
    call.request->fn = NULL;
    flow_call(&client->hub->flow, cancel, &call);
    return ATAMO_OK;
}

static void attach(void *argument)
{
    struct client_call *call = argument;
    atamo_client *client = call->client;

    call->request = flow_request_attach(&client->hub->flow, call->id, &client->outlet);
}

/* [hub thread] */
static void give_held(void *argument)
{
    struct client_call *call = argument;

    flow_give_held(&call->client->hub->flow, call->request);
}

int atamo_attach(atamo_client *client, uint64_t id, atamo_reply_fn fn, void *user)
{
    struct client_call call = {.client = client, .id = id};

    if (asked_reserve(&client->asked) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    flow_call(&client->hub->flow, attach, &call);
    if (call.request == NULL)
        return ATAMO_NOT_FOUND;
    call.request->fn = fn;
    call.request->user = user;
    asked_add(&client->asked, call.request);
    flow_call(&client->hub->flow, give_held, &call);
    return ATAMO_OK;
}

int atamo_taken(atamo_client *client, uint64_t id, uint32_t count)
{
    struct request *request = find_request(client, id);

    if (request == NULL)
        return ATAMO_NOT_FOUND;
    if (count > request->handed)
        return ATAMO_INVALID;
    request->handed -= count;
    request_taken(&client->hub->flow, request, count);
    return ATAMO_OK;
}

/* --- telemetry */

static void replace_tap(void *argument)
{
    struct client_call *call = argument;
    struct journal *journal = &call->client->hub->flow.journal;

    call->status = ATAMO_OK;
    if (call->client->tap != NULL)
        journal_remove(journal, call->client->tap);
    if (call->tap != NULL)
        call->status = journal_add(journal, call->tap);
}

/* [hub thread] */
static void wake_client(void *user)
{
    outlet_signal(user);
}

static struct tap *make_tap(atamo_client *client, uint32_t flags)
{
    struct tap *tap = aligned_alloc(64, (sizeof *tap + 63) / 64 * 64);

    if (tap == NULL)
        return NULL;
    if (tap_open(tap, WATCH_RING, (flags & ATAMO_WATCH_DROP) != 0 ? TAP_DROP : TAP_BLOCK) !=
        ATAMO_OK) {
        free(tap);
        return NULL;
    }
    tap->own_only = (flags & ATAMO_WATCH_OWN) != 0;
    tap->client = client->port->numbers.client;
    tap->wake = wake_client;
    tap->wake_user = &client->outlet;
    (void)tap_rest(tap, TAP_ASLEEP);
    return tap;
}

int atamo_watch_telemetry(atamo_client *client, uint32_t flags, atamo_telemetry_fn fn, void *user)
{
    struct client_call call = {.client = client};

    if (fn != NULL) {
        call.tap = make_tap(client, flags);
        if (call.tap == NULL)
            return ATAMO_NO_MEMORY;
    }
    flow_call(&client->hub->flow, replace_tap, &call);
    if (client->tap != NULL) {
        tap_close(client->tap);
        free(client->tap);
    }
    client->tap = call.tap;
    client->watch_fn = fn;
    client->watch_user = user;
    return call.status;
}

/* --- to wait for in a main loop */

int atamo_fd(const atamo_client *client)
{
    return client->outlet.bell.fd;
}

void atamo_on_wakeup(atamo_client *client, void (*fn)(void *user), void *user)
{
    atomic_store(&client->outlet.wakeup, NULL);
    atomic_store(&client->outlet.wakeup_user, user);
    atomic_store(&client->outlet.wakeup, fn);
}

int atamo_wait(atamo_client *client, uint32_t timeout_ms)
{
    struct pollfd poller = {.fd = client->outlet.bell.fd, .events = POLLIN};
    const int result = poll(&poller, 1, timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);

    if (result > 0)
        return ATAMO_OK;
    return result < 0 && errno != EINTR ? ATAMO_IO : ATAMO_TIMEOUT;
}
