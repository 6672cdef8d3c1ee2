/* Order per key with an agent on several threads, some of whose attempts fail: the actions of one
 * key end one after the other in the order of their events, whatever the other keys do. */
#include "fixture.h"

#include <pthread.h>

enum { KEYS = 7, PER_KEY = 60, EVENTS = KEYS * PER_KEY };

struct seen {
    pthread_mutex_t lock;
    int running[KEYS];
    int ended[KEYS]; /* number that each key is at */
    int tries[EVENTS];
    bool overlapped, out_of_order;
};

static struct seen seen;

/* A body is [KEY,NUMBER]. Every fifth fails at its first attempt, every seventh for good. */
static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self;
    char *rest = NULL;
    const long key = strtol(host->body(host, action).data + 1, &rest, 10);
    const long number = strtol(rest + 1, NULL, 10);
    int tries;

    assert_in_range(key, 0, KEYS - 1);
    (void)pthread_mutex_lock(&seen.lock);
    seen.overlapped = seen.overlapped || seen.running[key]++ > 0;
    seen.out_of_order = seen.out_of_order || number != seen.ended[key];
    tries = seen.tries[key * PER_KEY + number]++;
    seen.running[key]--;
    if (number % 7 == 6 || number % 5 != 4 || tries > 0)
        seen.ended[key]++;
    (void)pthread_mutex_unlock(&seen.lock);
    if (number % 7 == 6)
        atamo_fail(host, action, "for good");
    else if (number % 5 == 4 && tries == 0)
        atamo_retry(host, action, 0, "not yet");
    else
        atamo_done(host, action);
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_POOL, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "work", .version = "1", .summary = "works", .agent = &agent,
};

static void test_a_pool_keeps_the_order_of_each_key_through_retries_and_failures(void **state)
{
    static const char yaml[] =
        "agents: {a: {plugin: work, workers: 4, retry: {base: 1ms, max: 3ms, attempts: 5}}}\n"
        "rules: [{id: r, on: x, then: {agent: a, action: do}}]\n";
    const atamo_registration registration = {&plugin, NULL};
    struct fixture *fixture = fixture_open(yaml, &registration, 1);
    atamo_stats stats;

    (void)state;
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    for (int i = 0; i < PER_KEY; i++) {
        for (int key = 0; key < KEYS; key++) {
            char data[32];
            char name[16];

            (void)snprintf(data, sizeof data, "[%d,%d]", key, i);
            (void)snprintf(name, sizeof name, "k%d", key);
            fixture_submit(fixture, "x", data, name);
        }
    }
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == EVENTS);
    stats = fixture_stats(fixture);
    fixture_close(fixture);
    assert_false(seen.overlapped);
    assert_false(seen.out_of_order);
    assert_int_equal(stats.done + stats.dead, EVENTS);
    assert_int_equal(stats.dead, KEYS * (PER_KEY / 7));
    assert_true(stats.retries > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pool_keeps_the_order_of_each_key_through_retries_and_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
