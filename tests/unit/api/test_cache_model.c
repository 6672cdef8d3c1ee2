/* The cache under load: clients on their own threads ask, cancel and come back, the agent answers,
 * fails and retries on several threads, time passes in leaps, and the configuration is reloaded
 * meanwhile. Whatever happens, a simple model holds: nobody gets an answer that is older than the
 * configuration allows, or of an agent's instance that had gone before the question; answers of one
 * instance never go back; and no question that nobody cancels is with one instance twice at once.
 */
#include "fixture.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum {
    KEYS = 8,
    CLIENTS = 3,
    ROUNDS = 1500,
    RELOADS = 16,
    INSTANCES = RELOADS + 2,
    TTL_MS = 1000,
    STALE_MS = 1000,
    SLACK_MS = 500, /* the time that passes by itself while an answer arrives */
};

static _Atomic int64_t clock_ns;
static _Atomic unsigned made;    /* instances */
static _Atomic unsigned current; /* an instance at least as new answers new questions */
static _Atomic unsigned running[INSTANCES][KEYS];
static _Atomic uint64_t versions[KEYS];
static _Atomic uint64_t calls, twice, failures;

static int64_t now(void *user)
{
    (void)user;
    return atomic_load(&clock_ns);
}

/* Time does not leap while an answer is on its way: it counts from its arrival on. */
static pthread_rwlock_t on_the_way = PTHREAD_RWLOCK_INITIALIZER;

static void leap(atamo_hub *hub, int64_t ms)
{
    atamo_agent_state state = {.size = sizeof state};

    (void)pthread_rwlock_wrlock(&on_the_way);
    /* The second look is after all that was there before the first. */
    for (int i = 0; i < 2; i++)
        (void)atamo_agent_get(hub, 0, &state);
    atomic_fetch_add(&clock_ns, ms * 1000000);
    (void)pthread_rwlock_unlock(&on_the_way);
}

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- the agent */

struct exchange {
    const atamo_host *host;
    unsigned number;
};

static int create(const atamo_host *host, void **self)
{
    struct exchange *exchange = malloc(sizeof *exchange);

    if (exchange == NULL)
        return ATAMO_NO_MEMORY;
    exchange->host = host;
    exchange->number = atomic_fetch_add(&made, 1) + 1;
    *self = exchange;
    return ATAMO_OK;
}

static void destroy(void *self)
{
    free(self);
}

static void respond(const struct exchange *exchange, atamo_action action, unsigned attempt,
                    unsigned key, uint64_t version)
{
    char body[96];

    (void)snprintf(body, sizeof body, "%u %u %u %" PRIu64 " %" PRId64, exchange->number, attempt,
                   key, version, atomic_load(&clock_ns));
    (void)atamo_respond(exchange->host, action, atamo_text(body));
}

static void handle(void *self, atamo_action action)
{
    const struct exchange *exchange = self;
    atamo_action_info info = {.size = sizeof info};
    unsigned key;
    uint64_t version, chance;

    (void)pthread_rwlock_rdlock(&on_the_way);
    if (exchange->host->info(exchange->host, action, &info) != ATAMO_OK) {
        (void)pthread_rwlock_unlock(&on_the_way);
        return;
    }
    key = (unsigned)strtoul(info.body.data, NULL, 10);
    chance = exchange->host->random(exchange->host);
    atomic_fetch_add(&calls, 1);
    /* One that began before a reload may have another attempt beside the first of a new one. */
    if (info.attempt == 1 && atomic_fetch_add(&running[exchange->number][key], 1) > 0)
        atomic_fetch_add(&twice, 1);
    version = atomic_fetch_add(&versions[key], 1) + 1;
    respond(exchange, action, info.attempt, key, version);
    for (uint64_t i = chance % 20; i > 0; i--)
        (void)sched_yield();
    respond(exchange, action, info.attempt, key, version);
    if (info.attempt == 1)
        atomic_fetch_sub(&running[exchange->number][key], 1);
    if (chance % 19 == 0)
        atomic_fetch_add(&failures, 1);
    if (chance % 19 == 0)
        atamo_fail(exchange->host, action, "no");
    else if (chance % 23 == 0)
        atamo_retry(exchange->host, action, 0, "later");
    else
        atamo_done(exchange->host, action);
    (void)pthread_rwlock_unlock(&on_the_way);
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_POOL, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "exchange",   .version = "1", .summary = "answers with versions",
    .create = create,  .destroy = destroy, .agent = &agent};
static const atamo_registration plugins[] = {{&plugin, NULL}};

static const char *configuration(unsigned workers, const char *cache)
{
    static char yaml[512];

    (void)snprintf(yaml, sizeof yaml,
                   "agents: {a: {plugin: exchange, workers: %u, retry: {attempts: 9, base: 1us,"
                   " max: 1us},\n"
                   "  cache: {%s}}}\n"
                   "rules: [{id: r, on: look, then: {agent: a, action: look}}]\n",
                   workers, cache);
    return yaml;
}

static const char cache[] = "ttl: 1s, stale: 1s, negative_ttl: 100ms, max_entries: 6";

/* --- a client and its model */

struct customer {
    atamo_hub *hub;
    atamo_client *client;
    bool cancels;
    uint64_t seed;
    uint64_t seen[INSTANCES][KEYS]; /* the newest version of each instance that it has been told */
    /* The question: */
    unsigned key, instance_before;
    int64_t asked_at;
    bool has_ended;
    int32_t status;
    uint64_t last_version, answers, cut;
    uint64_t too_old, wrong_key, gone, backwards, halves; /* what must not happen */
};

static void check(struct customer *customer, const char *body)
{
    char *at = NULL;
    const unsigned instance = (unsigned)strtoul(body, &at, 10);
    const unsigned attempt = (unsigned)strtoul(at, &at, 10);
    const unsigned key = (unsigned)strtoul(at, &at, 10);
    const uint64_t version = strtoull(at, &at, 10);
    const int64_t answered_at = strtoll(at, &at, 10);

    if (*at != '\0' || answered_at == 0 || instance >= INSTANCES || key >= KEYS) {
        customer->wrong_key++;
        return;
    }
    customer->wrong_key += key != customer->key;
    customer->gone += instance < customer->instance_before;
    customer->too_old +=
        answered_at < customer->asked_at - (int64_t)(TTL_MS + STALE_MS + SLACK_MS) * 1000000;
    if (attempt == 1) {
        customer->backwards += version < customer->seen[instance][key];
        customer->seen[instance][key] = version;
    }
    customer->answers++;
    customer->last_version = version;
}

static void take(const atamo_reply *replies, size_t count, void *user)
{
    struct customer *customer = user;

    for (size_t i = 0; i < count; i++) {
        if (replies[i].kind == ATAMO_REPLY_END) {
            customer->status = replies[i].status;
            customer->has_ended = true;
        } else {
            check(customer, replies[i].body.data);
        }
    }
}

static void ask(struct customer *customer)
{
    atamo_event_draft draft = atamo_draft("look");
    char data[8];
    uint64_t request = 0;
    const uint64_t chance = next(&customer->seed);

    customer->key = (unsigned)(chance >> 8) % KEYS;
    customer->has_ended = false;
    customer->answers = 0;
    (void)snprintf(data, sizeof data, "%u", customer->key);
    draft.data = atamo_text(data);
    draft.user = atamo_text("zoe");
    customer->instance_before = atomic_load(&current);
    customer->asked_at = atomic_load(&clock_ns);
    while (atamo_request(customer->client, &draft, NULL, take, customer, &request) == ATAMO_BUSY)
        (void)atamo_wait(customer->client, 10);
    if (customer->cancels && chance % 11 == 0) {
        (void)atamo_cancel(customer->client, request);
        return;
    }
    while (!customer->has_ended) {
        (void)atamo_wait(customer->client, 10);
        (void)atamo_dispatch(customer->client, 0, NULL);
    }
    customer->halves += customer->status == ATAMO_OK && customer->answers % 2 != 0;
}

static void *shop(void *user)
{
    struct customer *customer = user;

    for (int i = 0; i < ROUNDS; i++) {
        ask(customer);
        if (next(&customer->seed) % 8 == 0)
            leap(customer->hub, (int64_t)(next(&customer->seed) % 500));
    }
    return NULL;
}

/* --- time, so that those that back off have their turn */

static _Atomic bool ticks;

static void *tick(void *user)
{
    struct timespec moment = {0, 1000000};

    (void)user;
    while (atomic_load(&ticks)) {
        (void)nanosleep(&moment, NULL);
        atomic_fetch_add(&clock_ns, 1000000);
    }
    return NULL;
}

/* --- */

static atamo_hub *open_hub(void)
{
    atamo_settings settings = {.size = sizeof settings,
                               .plugins = plugins,
                               .plugin_count = 1,
                               .now = now,
                               .log = fixture_quiet};
    atamo_hub *hub = NULL;

    atomic_store(&clock_ns, INT64_C(1800000000000000000));
    settings.config = atamo_text(configuration(4, cache));
    assert_int_equal(atamo_open(&settings, &hub, NULL), ATAMO_OK);
    atomic_store(&current, 1);
    return hub;
}

static void reload(atamo_hub *hub, unsigned workers)
{
    struct timespec moment = {0, 5000000};

    (void)nanosleep(&moment, NULL);
    assert_int_equal(atamo_reload(hub, NULL, atamo_text(configuration(workers, cache)), NULL),
                     ATAMO_OK);
    atomic_store(&current, atomic_load(&made));
}

static void assert_model_holds(const struct customer *customer)
{
    assert_int_equal(customer->wrong_key, 0);
    assert_int_equal(customer->too_old, 0);
    assert_int_equal(customer->gone, 0);
    assert_int_equal(customer->backwards, 0);
    assert_int_equal(customer->halves, 0);
}

/* With nothing under way and nothing fresh, nothing is held either. */
static void assert_nothing_is_held(atamo_hub *hub)
{
    const int64_t end = fixture_clock_ms() + FIXTURE_LIMIT_MS;
    atamo_agent_state state = {.size = sizeof state};
    atamo_client *client;

    assert_int_equal(atamo_client_open(hub, &client), ATAMO_OK);
    do {
        atamo_event_draft draft = atamo_draft("nothing");

        assert_true(fixture_clock_ms() < end);
        atomic_fetch_add(&clock_ns, INT64_C(60000000000));
        (void)atamo_submit(client, &draft, NULL); /* so that the hub looks at its clock */
        (void)atamo_wait(client, 1);
        assert_int_equal(atamo_agent_get(hub, 0, &state), ATAMO_OK);
    } while (state.cache_entries > 0 || state.cache_bytes > 0 || state.running > 0);
    atamo_client_close(client);
}

static void go_shopping(bool cancels)
{
    struct customer customers[CLIENTS] = {0};
    pthread_t threads[CLIENTS];
    pthread_t ticker;
    atamo_agent_state seen = {.size = sizeof seen};
    atamo_hub *hub = open_hub();

    atomic_store(&ticks, true);
    assert_int_equal(pthread_create(&ticker, NULL, tick, NULL), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        customers[i].hub = hub;
        customers[i].cancels = cancels;
        customers[i].seed = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
        assert_int_equal(atamo_client_open(hub, &customers[i].client), ATAMO_OK);
        assert_int_equal(pthread_create(&threads[i], NULL, shop, &customers[i]), 0);
    }
    for (unsigned i = 0; i < RELOADS; i++)
        reload(hub, 3 + i % 2);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    atomic_store(&ticks, false);
    assert_int_equal(pthread_join(ticker, NULL), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_model_holds(&customers[i]);
        atamo_client_close(customers[i].client);
    }
    assert_int_equal(atamo_agent_get(hub, 0, &seen), ATAMO_OK);
    assert_true(seen.cache_hits > 0 && seen.cache_stale > 0 && seen.cache_joins > 0);
    assert_true(seen.cache_evicted > 0 && atomic_load(&failures) > 0);
    assert_true(atomic_load(&calls) < (uint64_t)CLIENTS * ROUNDS);
    assert_nothing_is_held(hub);
    assert_int_equal(atamo_close(hub, 5000), ATAMO_OK);
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&made, 0);
    atomic_store(&calls, 0);
    atomic_store(&failures, 0);
    return 0;
}

static void test_answers_are_fresh_enough_of_the_right_agent_and_asked_for_once(void **state)
{
    (void)state;
    go_shopping(false);
    assert_int_equal(atomic_load(&twice), 0);
}

/* What was cancelled may be with the agent still when it is asked for again. */
static void test_answers_are_as_good_when_clients_cancel(void **state)
{
    (void)state;
    go_shopping(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_answers_are_fresh_enough_of_the_right_agent_and_asked_for_once,
                               set_up),
        cmocka_unit_test_setup(test_answers_are_as_good_when_clients_cancel, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
