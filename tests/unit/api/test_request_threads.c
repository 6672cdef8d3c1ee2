/* Requests under many hands: agents that respond from several threads, clients on threads of their
 * own that cancel, leave and come back, and a hub that closes meanwhile. Run under the thread
 * sanitizer, too. */
#include "fixture.h"

#include "base/random.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LISTENERS = 3, ROUNDS = 150, LEFT = 64, RESPONSES = 40, BELLS = 64 };

static _Atomic int forgotten; /* agents that waited in vain */

static const char yaml[] =
    "agents:\n"
    "  p: {plugin: chatty, workers: 3, concurrency: 64, deadline: 1h}\n"
    "  q: {plugin: chatty, workers: 2, concurrency: 64, deadline: 1h}\n"
    "rules: [{id: r, on: x, then: [{agent: p, action: talk}, {agent: q, action: talk}]}]\n";

/* Calls of room() and cancel(), by action; one bell for several actions wakes too many. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    uint64_t count[BELLS];
} bells = {.lock = PTHREAD_MUTEX_INITIALIZER, .rung = PTHREAD_COND_INITIALIZER};

static uint64_t *bell_of(atamo_action action)
{
    return &bells.count[(action ^ action >> 32) % BELLS];
}

static uint64_t read_bell(atamo_action action)
{
    uint64_t count;

    (void)pthread_mutex_lock(&bells.lock);
    count = *bell_of(action);
    (void)pthread_mutex_unlock(&bells.lock);
    return count;
}

/* The agent has been told to wait: if nobody ever calls it, the test fails. */
static void wait_for_bell(atamo_action action, uint64_t before)
{
    struct timespec until;
    int result = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FIXTURE_LIMIT_MS / 1000;
    (void)pthread_mutex_lock(&bells.lock);
    while (*bell_of(action) == before && result == 0)
        result = pthread_cond_timedwait(&bells.rung, &bells.lock, &until);
    (void)pthread_mutex_unlock(&bells.lock);
    if (result != 0)
        atomic_fetch_add(&forgotten, 1);
}

static void ring(void *self, atamo_action action)
{
    (void)self;
    (void)pthread_mutex_lock(&bells.lock);
    ++*bell_of(action);
    (void)pthread_cond_broadcast(&bells.rung);
    (void)pthread_mutex_unlock(&bells.lock);
}

static void hear_of_cancel(void *self, atamo_action action, uint32_t reason)
{
    (void)reason;
    ring(self, action);
}

/* Says so much, and waits where it is told to. */
static void talk(void *self, atamo_action action)
{
    const atamo_host *host = self;
    char text[16];

    for (int said = 0; said < RESPONSES;) {
        const uint64_t bell = read_bell(action);
        int status;

        (void)snprintf(text, sizeof text, "%d", said);
        status = atamo_respond_about(host, action, atamo_text(said % 2 == 0 ? "a" : "b"),
                                     atamo_text(text));
        if (status == ATAMO_BUSY)
            wait_for_bell(action, bell);
        else
            said++;
    }
    atamo_done(host, action);
}

static const atamo_agent chatty = {.size = sizeof chatty,
                                   .mode = ATAMO_POOL,
                                   .handle = talk,
                                   .cancel = hear_of_cancel,
                                   .room = ring};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "chatty", .version = "1", .summary = "says much", .agent = &chatty,
};

/* Requests that somebody has left, for whoever finds them first. */
struct lost_and_found {
    _Atomic uint64_t slots[LEFT];
};

struct listener {
    pthread_t thread;
    atamo_hub *hub;
    atamo_client *client;
    struct lost_and_found *left;
    struct random random;
    uint64_t request; /* the one that it listens to */
    uint64_t sequence;
    bool is_over, leaves;
    uint64_t ends;
};

static void hear(const atamo_reply *replies, size_t count, void *user)
{
    struct listener *listener = user;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(replies[i].request, listener->request);
        if (listener->sequence != 0) /* else somebody else has heard what was before */
            assert_int_equal(replies[i].sequence, listener->sequence + replies[i].lost + 1);
        listener->sequence = replies[i].sequence;
        listener->is_over = replies[i].kind == ATAMO_REPLY_END;
    }
    listener->ends += listener->is_over;
    if (listener->is_over || random_below(&listener->random, 8) != 0)
        return;
    /* From inside the callback, where it is hardest. */
    listener->is_over = true;
    listener->leaves = random_below(&listener->random, 2) == 0 &&
                       atamo_leave(listener->client, listener->request) == ATAMO_OK;
    if (!listener->leaves)
        assert_int_equal(atamo_cancel(listener->client, listener->request), ATAMO_OK);
}

static void ask(struct listener *listener)
{
    const atamo_event_draft draft = atamo_draft("x");
    struct random *random = &listener->random;
    const atamo_request_options options = {
        .size = sizeof options,
        .slow = (uint32_t)random_below(random, 3),
        .queue = 1 + (uint32_t)random_below(random, 8),
        .answers = random_below(random, 3) == 0,
        .flags = random_below(random, 2) == 0 ? ATAMO_BY_HAND : 0,
        .keep_ms = 20,
        .timeout_ms = 20000,
    };
    int status;

    do
        status =
            atamo_request(listener->client, &draft, &options, hear, listener, &listener->request);
    while (status == ATAMO_BUSY);
    assert_int_equal(status, ATAMO_OK);
    listener->sequence = 0;
}

/* Take up one that somebody has left; false if there is none. */
static bool take_up(struct listener *listener)
{
    struct lost_and_found *left = listener->left;

    listener->request = atomic_exchange(&left->slots[random_below(&listener->random, LEFT)], 0);
    if (listener->request == 0)
        return false;
    listener->sequence = 0;
    return atamo_attach(listener->client, listener->request, hear, listener) == ATAMO_OK;
}

static void leave_or_cancel(struct listener *listener)
{
    listener->leaves = random_below(&listener->random, 2) == 0;
    if (listener->leaves)
        assert_int_equal(atamo_leave(listener->client, listener->request), ATAMO_OK);
    else
        assert_int_equal(atamo_cancel(listener->client, listener->request), ATAMO_OK);
}

/* Listen to the end, or for a while. */
static void listen_to_it(struct listener *listener)
{
    uint64_t turns =
        random_below(&listener->random, 4) == 0 ? random_below(&listener->random, 4) : UINT64_MAX;

    listener->is_over = listener->leaves = false;
    while (!listener->is_over && turns-- > 0) {
        assert_int_equal(atamo_wait(listener->client, FIXTURE_LIMIT_MS), ATAMO_OK);
        (void)atamo_dispatch(listener->client, 0, NULL);
        while (!listener->is_over &&
               atamo_taken(listener->client, listener->request, 1) == ATAMO_OK)
            continue;
    }
    if (!listener->is_over)
        leave_or_cancel(listener);
    if (listener->leaves)
        atomic_store(&listener->left->slots[random_below(&listener->random, LEFT)],
                     listener->request);
}

static void *live(void *argument)
{
    struct listener *listener = argument;

    assert_int_equal(atamo_client_open(listener->hub, &listener->client), ATAMO_OK);
    for (int round = 0; round < ROUNDS; round++) {
        if (!take_up(listener))
            ask(listener);
        listen_to_it(listener);
        if (random_below(&listener->random, 16) == 0) {
            atamo_client_close(listener->client);
            assert_int_equal(atamo_client_open(listener->hub, &listener->client), ATAMO_OK);
        }
    }
    atamo_client_close(listener->client);
    return NULL;
}

static atamo_hub *open_hub(void)
{
    const atamo_registration plugins[] = {{&plugin, NULL}};
    const atamo_settings settings = {.size = sizeof settings,
                                     .config = atamo_text(yaml),
                                     .plugins = plugins,
                                     .plugin_count = 1,
                                     .log = fixture_quiet};
    atamo_hub *hub;

    assert_int_equal(atamo_open(&settings, &hub, NULL), ATAMO_OK);
    return hub;
}

static void test_clients_on_threads_of_their_own_cancel_leave_and_come_back(void **state)
{
    struct listener listeners[LISTENERS];
    struct lost_and_found left = {0};
    atamo_hub *hub = open_hub();
    uint64_t ends = 0;

    (void)state;
    for (size_t i = 0; i < LISTENERS; i++) {
        listeners[i] = (struct listener){.hub = hub, .left = &left, .random = {.state = i + 1}};
        assert_int_equal(pthread_create(&listeners[i].thread, NULL, live, &listeners[i]), 0);
    }
    for (size_t i = 0; i < LISTENERS; i++) {
        assert_int_equal(pthread_join(listeners[i].thread, NULL), 0);
        ends += listeners[i].ends;
    }
    assert_true(ends > LISTENERS * ROUNDS / 8);
    assert_int_equal(forgotten, 0);
    assert_int_equal(atamo_close(hub, FIXTURE_LIMIT_MS), ATAMO_OK);
}

static void test_a_hub_closes_while_agents_talk_to_nobody(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 10; round++) {
        struct lost_and_found left = {0};
        struct listener listener = {
            .hub = open_hub(), .left = &left, .random = {.state = round + 100}};

        assert_int_equal(atamo_client_open(listener.hub, &listener.client), ATAMO_OK);
        for (int i = 0; i < 20; i++)
            ask(&listener);
        atamo_client_close(listener.client); /* leaves them all */
        /* Those that hold their agents up are cancelled: nobody will make room. */
        (void)atamo_close(listener.hub, 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients_on_threads_of_their_own_cancel_leave_and_come_back),
        cmocka_unit_test(test_a_hub_closes_while_agents_talk_to_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
