/* client - one thread of the embedding program: it submits, asks, and hears back.
 *
 * Happy path: a submission is copied into the client's port; replies come back on its outlet and
 * telemetry in its tap, and atamo_dispatch() hands them out in batches. Everything that is taken
 * from the program is refused at once with a status if it cannot be taken; nothing here waits for
 * the hub but opening, closing and changing what is watched.
 */
#include "api/hub_inside.h"

#include "flow/deliver.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLIES_PER_CALL = 256, WATCH_RING = 16384, DEFAULT_TIMEOUT_MS = 30000 };

struct atamo_client {
    struct outlet outlet; /* first: aligned */
    atamo_hub *hub;
    struct port *port;
    struct request *requests;   /* open ones, by `client_next` */
    struct stack_node *pending; /* replies taken from the outlet, oldest first */
    struct tap *tap;            /* NULL: does not watch */
    atamo_telemetry_fn watch_fn;
    void *watch_user;
    bool dispatching;
};

struct client_call {
    atamo_client *client;
    struct request *request;
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

/* --- close */

/* [hub thread] Everything that the hub knows of the client goes; its requests end. */
static void disconnect(void *argument)
{
    struct client_call *call = argument;
    atamo_client *client = call->client;
    struct flow *flow = &client->hub->flow;

    client->port->room = NULL;
    flow_retire_port(flow, client->port);
    while (client->outlet.first != NULL)
        flow_request_cancel(flow, client->outlet.first);
    if (client->tap != NULL)
        journal_remove(&flow->journal, client->tap);
    (void)flow_settle_here(flow);
    flow_tell_news(flow); /* the list must not name a client that goes */
}

static void free_reply(atamo_client *client, struct reply *reply)
{
    struct request *request = reply->request;
    struct request **at = &client->requests;

    if (reply->kind != ATAMO_REPLY_END) {
        free(reply);
        return;
    }
    while (*at != request)
        at = &(*at)->client_next;
    *at = request->client_next;
    free(reply);
    free(request);
}

void atamo_client_close(atamo_client *client)
{
    struct client_call call = {.client = client};
    struct stack_node *node;

    if (client == NULL)
        return;
    assert(!client->dispatching);
    flow_call(&client->hub->flow, disconnect, &call);
    for (int round = 0; round < 2; round++) {
        node = round == 0 ? client->pending : stack_take_in_order(&client->outlet.replies);
        while (node != NULL) {
            struct stack_node *next = node->next;

            free_reply(client, (struct reply *)(void *)node);
            node = next;
        }
    }
    assert(client->requests == NULL);
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

static struct request *make_request(atamo_client *client, const atamo_request_options *options,
                                    atamo_reply_fn fn, void *user)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->end = calloc(1, sizeof *request->end + REQUEST_WHY + 1);
    if (request->end == NULL) {
        free(request);
        return NULL;
    }
    request->outlet = &client->outlet;
    request->fn = fn;
    request->user = user;
    request->timeout_ms =
        options == NULL || options->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : options->timeout_ms;
    request->until_accepted = has_flag(options, ATAMO_UNTIL_ACCEPTED);
    request->detached = has_flag(options, ATAMO_DETACHED);
    return request;
}

int atamo_request(atamo_client *client, const atamo_event_draft *draft,
                  const atamo_request_options *options, atamo_reply_fn fn, void *user,
                  uint64_t *request)
{
    struct request *made = make_request(client, options, fn, user);
    int status;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    status = submit(client, draft, made, &made->id);
    if (status != ATAMO_OK) {
        free(made->end);
        free(made);
        return status;
    }
    made->client_next = client->requests;
    client->requests = made;
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

/* [hub thread] It may have ended, or still wait in the port's ring: then its timeout or its actions
 * end it, and no callback follows anyway. */
static void cancel(void *argument)
{
    struct client_call *call = argument;
    struct flow *flow = &call->client->hub->flow;
    struct request *request = call->client->outlet.first;

    while (request != NULL && request != call->request)
        request = request->next;
    if (request != NULL)
        flow_request_cancel(flow, request);
    (void)flow_settle_here(flow);
}

int atamo_cancel(atamo_client *client, uint64_t id)
{
    struct client_call call = {.client = client};
    struct request *request = client->requests;

    while (request != NULL && request->id != id)
        request = request->client_next;
    if (request == NULL || request->fn == NULL)
        return ATAMO_NOT_FOUND;
    request->fn = NULL;
    call.request = request;
    flow_call(&client->hub->flow, cancel, &call);
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

/* --- dispatch */

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

static void fill_reply(const atamo_client *client, const struct reply *from, atamo_reply *reply)
{
    const struct names *names = client->hub->names;

    reply->request = from->request->id;
    reply->kind = from->kind;
    reply->status = from->status;
    reply->sequence = from->sequence;
    reply->agent = names_text(names, from->agent);
    reply->rule = names_text(names, from->rule);
    reply->body = (atamo_bytes){from->bytes, from->size};
    reply->progress = from->progress;
}

/* Hand out replies that go to the same function and user, up to a batch. Returns how many were
 * taken off the list; those of cancelled requests are only freed. */
static size_t dispatch_replies(atamo_client *client)
{
    atamo_reply batch[REPLIES_PER_CALL];
    struct reply *taken[REPLIES_PER_CALL];
    atamo_reply_fn fn = NULL;
    void *user = NULL;
    size_t count = 0;
    size_t given = 0;

    while (client->pending != NULL && count < REPLIES_PER_CALL) {
        struct reply *reply = (struct reply *)(void *)client->pending;
        const struct request *request = reply->request;

        if (request->fn != NULL && given > 0 && (request->fn != fn || request->user != user))
            break;
        client->pending = client->pending->next;
        taken[count++] = reply;
        if (request->fn == NULL)
            continue;
        fn = request->fn;
        user = request->user;
        fill_reply(client, reply, &batch[given++]);
    }
    if (given > 0)
        fn(batch, given, user);
    for (size_t i = 0; i < count; i++)
        free_reply(client, taken[i]);
    atomic_fetch_sub_explicit(&client->outlet.waiting, (uint32_t)count, memory_order_relaxed);
    return count;
}

static size_t dispatch_telemetry(atamo_client *client)
{
    const atamo_telemetry *records;
    uint64_t lost = 0;
    size_t count;

    if (client->tap == NULL)
        return 0;
    count = tap_read(client->tap, &records, &lost);
    if (count == 0)
        return 0;
    client->watch_fn(records, count, lost, client->watch_user);
    if (client->tap != NULL)
        tap_release(client->tap, count);
    return count;
}

static bool has_more(atamo_client *client)
{
    if (client->pending != NULL || !stack_empty(&client->outlet.replies))
        return true;
    return client->tap != NULL && !tap_rest(client->tap, TAP_ASLEEP);
}

size_t atamo_dispatch(atamo_client *client, uint32_t budget_us, int *more)
{
    const int64_t until = clock_monotonic() + (int64_t)budget_us * NS_PER_US;
    size_t total = 0;
    size_t count;

    client->dispatching = true;
    outlet_quiet(&client->outlet);
    do {
        if (client->pending == NULL)
            client->pending = stack_take_in_order(&client->outlet.replies);
        count = dispatch_replies(client);
        count += dispatch_telemetry(client);
        total += count;
    } while (count > 0 && (budget_us == 0 || clock_monotonic() < until));
    client->dispatching = false;
    if (has_more(client)) {
        outlet_signal(&client->outlet);
        count = 1;
    } else {
        count = 0;
    }
    if (more != NULL)
        *more = count > 0;
    return total;
}

int atamo_wait(atamo_client *client, uint32_t timeout_ms)
{
    struct pollfd poller = {.fd = client->outlet.bell.fd, .events = POLLIN};
    const int result = poll(&poller, 1, timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);

    if (result > 0)
        return ATAMO_OK;
    return result < 0 && errno != EINTR ? ATAMO_IO : ATAMO_TIMEOUT;
}
