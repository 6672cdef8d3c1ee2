/* closing - a program that goes while responses are on their way: first its clients, then the hub,
 * at any moment. No callback follows, agents stop, the hub closes in time. The program says what
 * is not so and exits with 1, or is silent and exits with 0.
 */
#include "flood.h"

#include <pthread.h>

enum { ROUNDS = 100, REQUESTS = 4, CLIENTS = 2 };

static const unsigned long endless = (unsigned long)-1;

/* A client and how often it was called. */
struct party {
    pthread_t thread;
    atamo_hub *hub;
    atamo_client *client;
    size_t replies, enough;
};

static void hear(const atamo_reply *replies, size_t count, void *user)
{
    struct party *party = user;

    (void)replies;
    expect(party->client != NULL, "no callback follows when the client is closed");
    party->replies += count;
}

static void join_in(struct party *party)
{
    const atamo_request_options options = {
        .size = sizeof options, .flags = ATAMO_FEED, .queue = 64};

    party->client = flood_client(party->hub);
    for (unsigned i = 0; i < REQUESTS; i++)
        (void)flood_ask(party->client, endless, &options, hear, party);
}

static void leave(struct party *party)
{
    atamo_client *client = party->client;

    while (party->replies < party->enough && atamo_wait(client, LIMIT_MS) == ATAMO_OK)
        (void)atamo_dispatch(client, 1, NULL);
    party->client = NULL;
    atamo_client_close(client);
}

static void close_hub(atamo_hub *hub, const struct flood *flood)
{
    expect(atamo_close(hub, LIMIT_MS) == ATAMO_OK, "the hub closes in time");
    expect(atomic_load(&flood->ended) == atomic_load(&flood->begun), "no agent is left at work");
    expect(atomic_load(&flood->gone) == atomic_load(&flood->begun), "each has heard to stop");
}

static void test_clients_and_hub_may_close_while_responses_are_on_their_way(void)
{
    for (size_t round = 0; round < ROUNDS && expect_count(0) == 0; round++) {
        struct flood flood = {0};
        atamo_hub *hub = flood_open(&flood, NULL);
        struct party first = {.hub = hub, .enough = round * 7};
        struct party second = {.hub = hub, .enough = round % 3};

        join_in(&first);
        join_in(&second);
        leave(&first);
        leave(&second);
        close_hub(hub, &flood);
    }
}

static void *take_part(void *argument)
{
    join_in(argument);
    leave(argument);
    return NULL;
}

static void test_clients_of_several_threads_may_close_at_once(void)
{
    for (size_t round = 0; round < ROUNDS / 4 && expect_count(0) == 0; round++) {
        struct flood flood = {0};
        struct party parties[CLIENTS];
        atamo_hub *hub = flood_open(&flood, NULL);

        for (size_t i = 0; i < CLIENTS; i++) {
            parties[i] = (struct party){.hub = hub, .enough = round * 10};
            expect(pthread_create(&parties[i].thread, NULL, take_part, &parties[i]) == 0,
                   "a thread starts");
        }
        for (size_t i = 0; i < CLIENTS; i++)
            (void)pthread_join(parties[i].thread, NULL);
        close_hub(hub, &flood);
    }
}

static void test_a_client_that_never_took_anything_may_close(void)
{
    struct flood flood = {0};
    struct party party = {.hub = flood_open(&flood, NULL)};

    join_in(&party);
    while (!atomic_load(&flood.is_held))
        (void)atamo_wait(party.client, 1);
    leave(&party);
    expect(party.replies == 0, "nothing was handed out");
    close_hub(party.hub, &flood);
}

static void test_a_request_that_is_kept_ends_with_the_hub(void)
{
    const atamo_request_options options = {
        .size = sizeof options, .flags = ATAMO_FEED, .queue = 64, .keep_ms = UINT32_MAX};
    struct flood flood = {0};
    struct party party = {.hub = flood_open(&flood, NULL), .enough = 100};

    party.client = flood_client(party.hub);
    (void)flood_ask(party.client, endless, &options, hear, &party);
    leave(&party);
    expect(atomic_load(&flood.ended) == 0, "its agent goes on");
    close_hub(party.hub, &flood);
}

int main(void)
{
    test_clients_and_hub_may_close_while_responses_are_on_their_way();
    test_clients_of_several_threads_may_close_at_once();
    test_a_client_that_never_took_anything_may_close();
    test_a_request_that_is_kept_ends_with_the_hub();
    return expect_failures();
}
