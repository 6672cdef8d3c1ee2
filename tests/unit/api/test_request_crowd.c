/* A thousand clients on the feed of one agent, and one of them never reads: the others miss nothing
 * that they would have had without it, and what waits for it is bounded. */
#include "fixture.h"

#include <malloc.h>
#include <pthread.h>

static const char yaml[] = "hub: {max_messages: 2000}\n"
                           "agents: {prices: {plugin: ticker, concurrency: 2000}}\n"
                           "rules: [{id: tick, on: tick, then: {agent: prices, action: say}}]\n";

enum { SUBSCRIBERS = 1000, CLIENTS = 8, PRICES = 150, PRICE_SIZE = 512 };

struct ticker {
    const atamo_host *host;
    pthread_mutex_t lock;
    atamo_action actions[SUBSCRIBERS];
    bool is_held_up[SUBSCRIBERS];
    int next[SUBSCRIBERS]; /* the price that is due */
    size_t count;
};

static struct ticker ticker = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void take_subscriber(void *self, atamo_action action)
{
    (void)pthread_mutex_lock(&ticker.lock);
    ticker.host = self;
    ticker.actions[ticker.count++] = action;
    (void)pthread_mutex_unlock(&ticker.lock);
}

static void drop_subscriber(void *self, atamo_action action, uint32_t reason)
{
    assert_int_equal(reason, ATAMO_REASON_CLIENT);
    atamo_done(self, action);
}

/* All prices up to this one that the subscriber has room for. Under the lock. */
static void say_prices(size_t subscriber, int newest)
{
    char price[PRICE_SIZE];

    memset(price, ' ', sizeof price);
    for (int *next = &ticker.next[subscriber]; *next <= newest; ++*next) {
        int status;

        (void)snprintf(price, sizeof price, "%d", *next);
        price[strlen(price)] = ' ';
        status = atamo_respond_about(ticker.host, ticker.actions[subscriber], atamo_text("EUR"),
                                     (atamo_bytes){price, sizeof price});
        ticker.is_held_up[subscriber] = status == ATAMO_BUSY;
        if (status != ATAMO_OK)
            return;
    }
}

static int newest_price;

static void go_on(void *self, atamo_action action)
{
    (void)self;
    (void)pthread_mutex_lock(&ticker.lock);
    for (size_t i = 0; i < ticker.count; i++)
        if (ticker.actions[i] == action)
            say_prices(i, newest_price);
    (void)pthread_mutex_unlock(&ticker.lock);
}

static const atamo_agent ticking = {
    .size = sizeof ticking, .handle = take_subscriber, .cancel = drop_subscriber, .room = go_on};
static const atamo_plugin ticker_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "ticker", .version = "1", .summary = "says prices", .agent = &ticking,
};

struct subscriber {
    uint64_t request, sequence, lost, heard;
    int newest;
};

struct crowd {
    atamo_client *clients[CLIENTS], *deaf;
    struct subscriber subscribers[SUBSCRIBERS];
};

static void note_price(const atamo_reply *replies, size_t count, void *user)
{
    struct subscriber *subscriber = user;

    for (size_t i = 0; i < count; i++) {
        subscriber->sequence += replies[i].lost + 1;
        assert_int_equal(replies[i].sequence, subscriber->sequence);
        if (replies[i].kind != ATAMO_REPLY_DATA)
            continue;
        subscriber->heard++;
        assert_true(fixture_number(replies[i].body.data) > subscriber->newest);
        subscriber->newest = fixture_number(replies[i].body.data);
    }
}

static void subscribe_all(struct crowd *crowd, uint32_t slow)
{
    const atamo_request_options options = {
        .size = sizeof options, .flags = ATAMO_FEED, .slow = slow, .queue = 64};
    const atamo_event_draft draft = atamo_draft("tick");

    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        struct subscriber *subscriber = &crowd->subscribers[i];

        subscriber->newest = -1;
        assert_int_equal(atamo_request(i == 0 ? crowd->deaf : crowd->clients[i % CLIENTS], &draft,
                                       &options, note_price, subscriber, &subscriber->request),
                         ATAMO_OK);
    }
}

static void dispatch_all(const struct crowd *crowd)
{
    for (size_t i = 0; i < CLIENTS; i++)
        (void)atamo_dispatch(crowd->clients[i], 0, NULL);
}

/* Prices come; whoever is held up is told so by room(). */
static void tick(int price)
{
    (void)pthread_mutex_lock(&ticker.lock);
    newest_price = price;
    for (size_t i = 0; i < ticker.count; i++)
        if (!ticker.is_held_up[i])
            say_prices(i, price);
    (void)pthread_mutex_unlock(&ticker.lock);
}

static bool all_have(const struct crowd *crowd, int price)
{
    for (size_t i = 1; i < SUBSCRIBERS; i++)
        if (crowd->subscribers[i].newest < price)
            return false;
    return true;
}

static void hear_prices(atamo_hub *hub, struct crowd *crowd)
{
    const int64_t end = fixture_clock_ms() + 6 * INT64_C(10000);

    for (int price = 0; price < PRICES; price++) {
        tick(price);
        dispatch_all(crowd);
    }
    while (!all_have(crowd, PRICES - 1)) {
        atamo_stats stats = {.size = sizeof stats};

        assert_true(fixture_clock_ms() < end);
        assert_int_equal(atamo_stats_get(hub, NULL, &stats), ATAMO_OK);
        dispatch_all(crowd);
    }
}

/* The one that never read hears at last what waited for it. */
static void hear_the_rest(const struct crowd *crowd, uint32_t slow)
{
    const struct subscriber *deaf = &crowd->subscribers[0];

    (void)atamo_dispatch(crowd->deaf, 0, NULL);
    assert_true(deaf->heard > 0);
    if (slow == ATAMO_SLOW_BLOCK) {
        assert_int_equal(deaf->sequence, deaf->heard);
        assert_true(deaf->heard >= 64);
    } else {
        assert_true(deaf->heard <= 64);
        assert_true(deaf->heard < 64 || slow == ATAMO_SLOW_OLDEST);
    }
}

static bool all_are_there(void)
{
    size_t count;

    (void)pthread_mutex_lock(&ticker.lock);
    count = ticker.count;
    (void)pthread_mutex_unlock(&ticker.lock);
    return count == SUBSCRIBERS;
}

static void serve_a_crowd(uint32_t slow)
{
    const atamo_registration plugins[] = {{&ticker_plugin, NULL}};
    const atamo_settings settings = {.size = sizeof settings,
                                     .config = atamo_text(yaml),
                                     .plugins = plugins,
                                     .plugin_count = 1,
                                     .log = fixture_quiet};
    struct crowd *crowd = calloc(1, sizeof *crowd);
    const size_t before = mallinfo2().uordblks;
    atamo_hub *hub;

    assert_non_null(crowd);
    memset(ticker.next, 0, sizeof ticker.next);
    memset(ticker.is_held_up, 0, sizeof ticker.is_held_up);
    ticker.count = 0;
    assert_int_equal(atamo_open(&settings, &hub, NULL), ATAMO_OK);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(atamo_client_open(hub, &crowd->clients[i]), ATAMO_OK);
    assert_int_equal(atamo_client_open(hub, &crowd->deaf), ATAMO_OK);
    subscribe_all(crowd, slow);
    while (!all_are_there()) {
        atamo_stats stats = {.size = sizeof stats};

        assert_int_equal(atamo_stats_get(hub, NULL, &stats), ATAMO_OK);
    }
    hear_prices(hub, crowd);
    /* What waits is at most 64 prices a subscriber; all that were said are twice that. */
    assert_true(mallinfo2().uordblks - before < (size_t)SUBSCRIBERS * 64 * (PRICE_SIZE + 256));
    hear_the_rest(crowd, slow);
    for (size_t i = 1; i < SUBSCRIBERS; i++)
        if (slow == ATAMO_SLOW_BLOCK)
            assert_int_equal(crowd->subscribers[i].heard, PRICES);
    for (size_t i = 0; i < CLIENTS; i++)
        atamo_client_close(crowd->clients[i]);
    atamo_client_close(crowd->deaf);
    assert_int_equal(atamo_close(hub, 5000), ATAMO_OK);
    free(crowd);
}

static void test_one_that_never_reads_holds_nobody_else_up(void **state)
{
    (void)state;
    serve_a_crowd(ATAMO_SLOW_BLOCK);
}

static void test_one_that_never_reads_misses_the_oldest(void **state)
{
    (void)state;
    serve_a_crowd(ATAMO_SLOW_OLDEST);
}

static void test_one_that_never_reads_gets_the_latest(void **state)
{
    (void)state;
    serve_a_crowd(ATAMO_SLOW_LATEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_never_reads_holds_nobody_else_up),
        cmocka_unit_test(test_one_that_never_reads_misses_the_oldest),
        cmocka_unit_test(test_one_that_never_reads_gets_the_latest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
