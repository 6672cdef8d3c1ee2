/* cancel - a program that does not want to hear any more: after atamo_cancel() no callback follows,
 * wherever it was called and whatever was on its way. The program says what is not so and exits
 * with 1, or is silent and exits with 0.
 */
#include "flood.h"

#include <stdbool.h>

enum { ROUNDS = 60, MANY = 1000, FEW = 20, QUEUE = 2 * MANY };

/* One request, and who hears its replies. */
struct listener {
    atamo_client *client;
    uint64_t request;
    size_t replies, ends, late;
    size_t enough;           /* after so many it cancels; 0: never */
    struct listener *others; /* and these with it */
    size_t other_count;
    bool is_cancelled;
};

static void cancel(struct listener *listener)
{
    if (listener->is_cancelled)
        return;
    expect(atamo_cancel(listener->client, listener->request) == ATAMO_OK, "it is cancelled");
    expect(atamo_cancel(listener->client, listener->request) == ATAMO_NOT_FOUND, "once");
    listener->is_cancelled = true;
}

static void hear(const atamo_reply *replies, size_t count, void *user)
{
    struct listener *listener = user;

    listener->late += listener->is_cancelled;
    listener->replies += count;
    listener->ends += replies[count - 1].kind == ATAMO_REPLY_END;
    if (listener->enough == 0 || listener->replies < listener->enough || listener->is_cancelled)
        return;
    if (listener->ends == 0)
        cancel(listener);
    for (size_t i = 0; i < listener->other_count; i++)
        cancel(&listener->others[i]);
}

static void ask(struct listener *listener, atamo_client *client, size_t enough)
{
    const atamo_request_options options = {.size = sizeof options, .queue = QUEUE};

    *listener = (struct listener){.client = client, .enough = enough};
    listener->request = flood_ask(client, MANY, &options, hear, listener);
}

static void expect_silence(const struct listener *listener)
{
    expect(listener->is_cancelled, "the request was cancelled");
    expect(listener->late == 0, "no callback follows");
    expect(listener->ends == 0, "not even the end");
}

/* Everything that may still come has come after this. */
static void hear_all(atamo_hub *hub, atamo_client *client)
{
    (void)atamo_dispatch(client, 0, NULL);
    expect(atamo_wait_idle(hub, LIMIT_MS) == ATAMO_OK, "the hub is idle");
    (void)atamo_dispatch(client, 0, NULL);
}

static void close_all(atamo_hub *hub, atamo_client *client)
{
    atamo_client_close(client);
    expect(atamo_close(hub, LIMIT_MS) == ATAMO_OK, "the hub closes");
}

static void test_no_callback_follows_a_cancel_while_responses_arrive(void)
{
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    atamo_client *client = flood_client(hub);
    struct listener listener;

    for (size_t round = 0; round < ROUNDS; round++) {
        ask(&listener, client, 0);
        while (listener.replies < round)
            if (atamo_wait(client, LIMIT_MS) == ATAMO_OK)
                (void)atamo_dispatch(client, 1, NULL);
        if (listener.ends > 0)
            continue;
        cancel(&listener);
        hear_all(hub, client);
        expect_silence(&listener);
    }
    close_all(hub, client);
}

static void test_no_callback_follows_a_cancel_while_replies_wait(void)
{
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    atamo_client *client = flood_client(hub);
    struct listener listener;

    ask(&listener, client, 0);
    expect(atamo_wait_idle(hub, LIMIT_MS) == ATAMO_OK, "all was said");
    cancel(&listener);
    hear_all(hub, client);
    expect_silence(&listener);
    expect(listener.replies == 0, "nothing was heard at all");
    close_all(hub, client);
}

static void test_no_callback_follows_a_cancel_within_one(void)
{
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    atamo_client *client = flood_client(hub);
    struct listener listener;

    ask(&listener, client, 1);
    expect(atamo_wait_idle(hub, LIMIT_MS) == ATAMO_OK, "all was said");
    hear_all(hub, client);
    expect_silence(&listener);
    expect(listener.replies < MANY, "what is handed out at once is not everything");
    for (size_t round = 1; round < ROUNDS; round++) { /* and while they arrive */
        ask(&listener, client, round);
        while (listener.replies < round && atamo_wait(client, LIMIT_MS) == ATAMO_OK)
            (void)atamo_dispatch(client, 0, NULL);
        hear_all(hub, client);
        if (listener.ends == 0)
            expect_silence(&listener);
    }
    close_all(hub, client);
}

static void test_a_callback_may_cancel_all_requests(void)
{
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    atamo_client *client = flood_client(hub);
    struct listener listeners[FEW];
    size_t heard = 0;

    for (size_t i = 0; i < FEW; i++) {
        ask(&listeners[i], client, 1);
        listeners[i].others = listeners;
        listeners[i].other_count = FEW;
    }
    while (atomic_load(&flood.said) < MANY)
        (void)atamo_wait(client, 1);
    hear_all(hub, client);
    for (size_t i = 0; i < FEW; i++) {
        expect_silence(&listeners[i]);
        heard += listeners[i].replies > 0;
    }
    expect(heard == 1, "one was heard, once");
    close_all(hub, client);
}

static void test_others_are_heard_to_their_end(void)
{
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    atamo_client *client = flood_client(hub);
    struct listener goes;
    struct listener stays;

    ask(&stays, client, 0);
    ask(&goes, client, 1);
    expect(atamo_wait_idle(hub, LIMIT_MS) == ATAMO_OK, "all was said");
    hear_all(hub, client);
    expect_silence(&goes);
    expect(stays.replies == MANY + 1 && stays.ends == 1, "the other one has all of its replies");
    close_all(hub, client);
}

static void test_an_agent_hears_that_its_request_was_cancelled(void)
{
    const atamo_request_options options = {.size = sizeof options, .flags = ATAMO_FEED};
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    atamo_client *client = flood_client(hub);
    struct listener listener = {.client = client};

    listener.request = flood_ask(client, (unsigned long)-1, &options, hear, &listener);
    while (listener.replies < MANY && atamo_wait(client, LIMIT_MS) == ATAMO_OK)
        (void)atamo_dispatch(client, 1, NULL);
    cancel(&listener);
    hear_all(hub, client);
    expect_silence(&listener);
    for (unsigned waited = 0; atomic_load(&flood.gone) == 0 && waited < LIMIT_MS; waited++)
        (void)atamo_wait(client, 1);
    expect(atomic_load(&flood.gone) == 1, "the agent has stopped");
    close_all(hub, client);
}

/* --- telemetry */

struct watcher {
    atamo_client *client;
    unsigned calls;
};

static void watch_once(const atamo_telemetry *records, size_t count, uint64_t lost, void *user)
{
    struct watcher *watcher = user;

    (void)records;
    expect(count > 0 && lost == 0, "there are records");
    watcher->calls++;
    expect(atamo_watch_telemetry(watcher->client, 0, NULL, NULL) == ATAMO_OK, "it is ended");
}

static void test_telemetry_may_be_ended_within_its_callback(void)
{
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    struct watcher watcher = {.client = flood_client(hub)};
    struct listener listener;

    expect(atamo_watch_telemetry(watcher.client, 0, watch_once, &watcher) == ATAMO_OK,
           "it is watched");
    for (unsigned i = 0; i < FEW; i++) {
        ask(&listener, watcher.client, 0);
        hear_all(hub, watcher.client);
        expect(listener.ends == 1, "it has an answer");
    }
    expect(watcher.calls == 1, "no callback follows");
    close_all(hub, watcher.client);
}

int main(void)
{
    test_no_callback_follows_a_cancel_while_responses_arrive();
    test_no_callback_follows_a_cancel_while_replies_wait();
    test_no_callback_follows_a_cancel_within_one();
    test_a_callback_may_cancel_all_requests();
    test_others_are_heard_to_their_end();
    test_an_agent_hears_that_its_request_was_cancelled();
    test_telemetry_may_be_ended_within_its_callback();
    return expect_failures();
}
