/* What auditors may do to a hub, and what they may not: one that is slow, that refuses records,
 * that never comes back; and a callback that holds the hub's thread up. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* An auditor that the test can stop within a call. */
struct listener {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool shut;
    _Atomic int status; /* what records() returns */
    _Atomic uint64_t seen, lost, calls;
};

static int listen(void *self, const atamo_telemetry *records, size_t count, uint64_t lost)
{
    const atamo_host *host = self;
    struct listener *listener = host->context(host);

    atomic_fetch_add(&listener->calls, 1);
    (void)pthread_mutex_lock(&listener->lock);
    while (listener->shut)
        (void)pthread_cond_wait(&listener->opened, &listener->lock);
    (void)pthread_mutex_unlock(&listener->lock);
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i]))
        if (records[i].step != ATAMO_STEP_TEXT)
            atomic_fetch_add(&listener->seen, 1);
    atomic_fetch_add(&listener->lost, lost);
    return listener->status;
}

static const atamo_auditor listening = {.size = sizeof listening, .records = listen};
static const atamo_plugin one_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "one", .version = "1", .summary = "listens", .auditor = &listening,
};
static const atamo_plugin two_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "two", .version = "1", .summary = "listens too", .auditor = &listening,
};

/* An agent that is done at once, or holds the hub's thread up for as long as it is told. */
struct worker {
    _Atomic uint64_t handled;
    _Atomic bool blocks;
};

static void work(void *self, atamo_action action)
{
    const atamo_host *host = self;
    struct worker *worker = host->context(host);

    while (atomic_load(&worker->blocks))
        ;
    atomic_fetch_add(&worker->handled, 1);
    atamo_done(host, action);
}

static const atamo_agent working = {.size = sizeof working, .handle = work};
static const atamo_plugin work_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "work", .version = "1", .summary = "works", .agent = &working,
};

static struct listener one, two;
static struct worker worker;

static void set_up_listener(struct listener *listener)
{
    memset(listener, 0, sizeof *listener);
    assert_int_equal(pthread_mutex_init(&listener->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&listener->opened, NULL), 0);
}

static void shut_gate(struct listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    listener->shut = true;
    (void)pthread_mutex_unlock(&listener->lock);
}

static void open_gate(struct listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    listener->shut = false;
    (void)pthread_cond_broadcast(&listener->opened);
    (void)pthread_mutex_unlock(&listener->lock);
}

/* A hub whose only listeners are the two auditors: the fixture's own watching would be a third. */
static struct fixture *open_audited(const char *when_slow, const char *blocked_after)
{
    const atamo_registration plugins[] = {
        {&one_plugin, &one}, {&two_plugin, &two}, {&work_plugin, &worker}};
    struct fixture *fixture;
    char yaml[512];

    set_up_listener(&one);
    set_up_listener(&two);
    memset(&worker, 0, sizeof worker);
    (void)snprintf(yaml, sizeof yaml,
                   "hub: {blocked_after: %s}\n"
                   "agents: {a: {plugin: work}}\n"
                   "auditors:\n  one: {plugin: one, ring: 1024, when_slow: %s}\n"
                   "  two: {plugin: two, ring: 1024, when_slow: block}\n"
                   "rules: [{id: r, on: x, then: {agent: a, action: do}}]\n",
                   blocked_after, when_slow);
    fixture = fixture_open(yaml, plugins, 3);
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, NULL, NULL), ATAMO_OK);
    return fixture;
}

/* Submit events for as long as the hub takes them, at most `count`; returns how many it took. */
static size_t submit_what_fits(struct fixture *fixture, size_t count)
{
    const atamo_event_draft draft = atamo_draft("x");

    for (size_t i = 0; i < count; i++)
        if (atamo_submit(fixture->client, &draft, NULL) != ATAMO_OK)
            return i;
    return count;
}

static void wait_for(_Atomic uint64_t *value, uint64_t wanted)
{
    const int64_t end = fixture_clock_ms() + FIXTURE_LIMIT_MS;

    while (atomic_load(value) < wanted) {
        const struct timespec moment = {0, 1000000};

        assert_true(fixture_clock_ms() < end);
        (void)nanosleep(&moment, NULL);
    }
}

static void test_a_slow_auditor_that_blocks_holds_the_hub_back_and_loses_nothing(void **state)
{
    struct fixture *fixture;
    size_t taken;
    uint64_t handled;

    (void)state;
    fixture = open_audited("block", "1m");
    shut_gate(&one);
    taken = submit_what_fits(fixture, 100000);
    assert_in_range(taken, 1, 99999); /* the hub was full at last */
    handled = atomic_load(&worker.handled);
    assert_true(handled < taken); /* most of it waits at the door */
    open_gate(&one);
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    assert_int_equal(fixture_stats(fixture).done, taken);
    assert_int_equal(fixture_stats(fixture).records_lost, 0);
    fixture_close(fixture);
    assert_int_equal(one.lost, 0);
    assert_int_equal(one.seen, two.seen);
    assert_true(one.seen >= 5 * taken); /* every step of every message */
}

static void test_a_slow_auditor_that_drops_is_told_how_many_and_the_others_miss_nothing(
    void **state)
{
    struct fixture *fixture;
    const size_t count = 3000;
    atamo_stats stats;

    (void)state;
    fixture = open_audited("drop", "1m");
    shut_gate(&one);
    for (size_t done = 0; done < count; done += submit_what_fits(fixture, count - done))
        assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    assert_int_equal(worker.handled, count); /* nobody waited for it */
    stats = fixture_stats(fixture);
    assert_true(stats.records_lost > 0);
    open_gate(&one);
    wait_for(&one.seen, 1);
    assert_int_equal(submit_what_fits(fixture, 1), 1); /* the next records bring the news */
    wait_for(&one.lost, stats.records_lost);
    fixture_close(fixture);
    assert_int_equal(one.lost, stats.records_lost);
    assert_int_equal(one.seen + one.lost, two.seen);
}

static void test_an_auditor_that_refuses_records_stops_nobody(void **state)
{
    struct fixture *fixture;

    (void)state;
    fixture = open_audited("block", "1m");
    one.status = ATAMO_IO;
    assert_int_equal(submit_what_fits(fixture, 500), 500);
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    assert_int_equal(fixture_stats(fixture).done, 500);
    fixture_close(fixture);
    assert_int_equal(one.seen, two.seen);
    assert_true(one.calls > 1); /* it is asked again */
}

/* In a process of its own: what a thread that never returned may still use is not freed. */
static void close_beside_a_stuck_auditor(void)
{
    struct fixture *fixture = open_audited("drop", "1m");

    shut_gate(&one);
    assert_int_equal(submit_what_fits(fixture, 10), 10);
    wait_for(&one.calls, 1);
    atamo_client_close(fixture->client);
    assert_int_equal(atamo_close(fixture->hub, 200), ATAMO_TIMEOUT);
    open_gate(&one); /* its thread goes on into nothing that was freed */
    wait_for(&one.seen, 1);
    _exit(0);
}

static void test_closing_waits_no_longer_than_its_limit_for_an_auditor_that_never_returns(
    void **state)
{
    const int64_t begin = fixture_clock_ms();
    const pid_t child = fork();
    int status = -1;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        close_beside_a_stuck_auditor();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(fixture_clock_ms() - begin < FIXTURE_LIMIT_MS);
}

static void test_the_watchdog_names_the_plugin_and_the_callback_that_block_the_hub(void **state)
{
    struct fixture *fixture;
    bool named = false;

    (void)state;
    fixture = open_audited("block", "20ms");
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, fixture_take_records, fixture),
                     ATAMO_OK);
    atomic_store(&worker.blocks, true);
    assert_int_equal(submit_what_fits(fixture, 1), 1);
    {
        /* The watchdog looks from outside; how long it takes to notice is what is tested. */
        const struct timespec longer_than_it_allows = {0, 100000000};

        (void)nanosleep(&longer_than_it_allows, NULL);
    }
    atomic_store(&worker.blocks, false);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_HUB, ATAMO_REASON_BLOCKED) == 1);
    for (size_t i = 0; i < fixture->record_count; i++) {
        if (fixture->records[i].reason != ATAMO_REASON_BLOCKED)
            continue;
        named = strcmp(atamo_name(fixture->hub, fixture->records[i].agent).data, "a") == 0;
        assert_non_null(strstr(fixture->texts[i], "work"));
        assert_non_null(strstr(fixture->texts[i], "handle"));
    }
    assert_true(named);
    fixture_close(fixture);
}

static void test_the_watchdog_names_an_auditor_that_is_stuck(void **state)
{
    struct fixture *fixture;

    (void)state;
    fixture = open_audited("drop", "20ms");
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, fixture_take_records, fixture),
                     ATAMO_OK);
    shut_gate(&one);
    assert_int_equal(submit_what_fits(fixture, 1), 1);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_HUB, ATAMO_REASON_BLOCKED) == 1);
    for (size_t i = 0; i < fixture->record_count; i++)
        if (fixture->records[i].reason == ATAMO_REASON_BLOCKED)
            assert_non_null(strstr(fixture->texts[i], "plugin \"one\" has been in records()"));
    open_gate(&one);
    fixture_close(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_watchdog_names_an_auditor_that_is_stuck),
        cmocka_unit_test(test_a_slow_auditor_that_blocks_holds_the_hub_back_and_loses_nothing),
        cmocka_unit_test(
            test_a_slow_auditor_that_drops_is_told_how_many_and_the_others_miss_nothing),
        cmocka_unit_test(test_an_auditor_that_refuses_records_stops_nobody),
        cmocka_unit_test(
            test_closing_waits_no_longer_than_its_limit_for_an_auditor_that_never_returns),
        cmocka_unit_test(test_the_watchdog_names_the_plugin_and_the_callback_that_block_the_hub),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
