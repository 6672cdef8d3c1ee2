/* dispatch - hand out what has come for a client, in batches, on the thread that asks for it.
 *
 * Happy path: the replies on the outlet are taken at once; those that go to the same function and
 * user make one call, and what was handed out counts as taken. Then telemetry, and so on until
 * nothing is left or the time is over. Needs no memory and cannot fail.
 */
#include "api/client.h"

enum { REPLIES_PER_CALL = 256 };

/* Forget a reply; with END its request, too. */
void client_free_reply(struct reply *reply, struct reply_memory *memory)
{
    struct request *request = reply->kind == ATAMO_REPLY_END ? reply->request : NULL;

    reply_release(reply, memory);
    request_unref(request);
}

static void fill_reply(const atamo_client *client, const struct reply *from, atamo_reply *reply)
{
    const struct names *names = client->hub->names;
    const struct request *request = from->request;
    const struct payload *payload = from->payload;

    *reply = (atamo_reply){
        .request = request->id,
        .kind = from->kind,
        .status = from->status,
        .sequence = from->sequence,
        .agent = names_text(names, from->agent),
        .rule = names_text(names, from->rule),
        .body = {"", 0},
        .user = request->user,
        .key = {"", 0},
        .lost = from->lost,
    };
    if (payload != NULL) {
        reply->body = payload_body(payload);
        reply->key = payload_key(payload);
        reply->progress = payload->progress;
    } else if (from->kind == ATAMO_REPLY_END) {
        reply->body = atamo_text(request->why);
        reply->done = request->parts_done;
        reply->actions = request->part_count;
    }
}

/* Replies that are handed out together. */
struct batch {
    struct reply *taken[REPLIES_PER_CALL];
    atamo_reply given[REPLIES_PER_CALL];
    size_t taken_count, given_count;
    atamo_reply_fn fn;
    void *user;
};

/* Those that go to the same function and user, and those of cancelled requests in between. */
static void fill_batch(atamo_client *client, struct batch *batch)
{
    while (client->pending != NULL && batch->taken_count < REPLIES_PER_CALL) {
        struct reply *reply = client->pending;
        struct request *request = reply->request;

        if (request->fn != NULL && batch->given_count > 0 &&
            (request->fn != batch->fn || request->user != batch->user))
            return;
        client->pending = reply_next(reply);
        batch->taken[batch->taken_count++] = reply;
        request_ref(request); /* the callback may leave it to the hub */
        if (reply->kind == ATAMO_REPLY_END)
            asked_remove(&client->asked, request);
        if (request->fn == NULL)
            continue;
        batch->fn = request->fn;
        batch->user = request->user;
        fill_reply(client, reply, &batch->given[batch->given_count++]);
    }
}

/* Is it still this client's, to go on with? The callback may have left it, and another client may
 * have taken it up: then only its references and counts are anybody's. */
static bool is_ours(const atamo_client *client, const struct request *request)
{
    return asked_find(&client->asked, request->id) == request && request->fn != NULL;
}

/* `count` replies of the request have been handed out. */
static void count_taken(atamo_client *client, struct request *request, uint32_t count)
{
    if (count == 0)
        return;
    if (request_has(request, ATAMO_BY_HAND) && is_ours(client, request))
        request->handed += count;
    else
        request_taken(&client->hub->flow, request, count);
}

static void free_batch(atamo_client *client, struct batch *batch)
{
    struct reply_memory memory = {NULL, NULL};
    uint32_t run = 0;

    for (size_t i = 0; i < batch->taken_count; i++) {
        struct reply *reply = batch->taken[i];
        struct request *request = reply->request;

        run += reply_counts(reply);
        if (i + 1 == batch->taken_count || batch->taken[i + 1]->request != request) {
            count_taken(client, request, run);
            run = 0;
        }
        client_free_reply(reply, &memory);
        request_unref(request);
    }
    reply_memory_return(&memory);
}

/* Returns how many were taken off the list; those of cancelled requests are only freed. */
static size_t dispatch_replies(atamo_client *client)
{
    struct batch batch;

    batch.taken_count = batch.given_count = 0;
    batch.fn = NULL;
    batch.user = NULL;
    fill_batch(client, &batch);
    if (batch.given_count > 0)
        batch.fn(batch.given, batch.given_count, batch.user);
    free_batch(client, &batch);
    return batch.taken_count;
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
            client->pending = outlet_take(&client->outlet);
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
