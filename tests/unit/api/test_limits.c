/* What holds actions back, and what becomes of those that cannot wait: rate, concurrency, keys,
 * breaker, pause, full queues, expiry, loops, a full hub, event types. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

/* An agent that keeps what it is given until the test lets go, or fails while it is told to. */
struct keeper {
    const atamo_host *host;
    pthread_mutex_t lock;
    atamo_action held[4096];
    size_t count;
    _Atomic bool keeps, fails;
    _Atomic int handled;
};

static void keep(void *self, atamo_action action)
{
    const atamo_host *host = self;
    struct keeper *keeper = host->context(host);

    atomic_fetch_add(&keeper->handled, 1);
    keeper->host = host;
    if (atomic_load(&keeper->fails))
        atamo_retry(host, action, 0, "broken");
    else if (!atomic_load(&keeper->keeps))
        atamo_done(host, action);
    else {
        (void)pthread_mutex_lock(&keeper->lock);
        keeper->held[keeper->count++] = action;
        (void)pthread_mutex_unlock(&keeper->lock);
    }
}

/* Settle all that is held, from the test's own thread. */
static void let_go(struct keeper *keeper)
{
    atomic_store(&keeper->keeps, false);
    (void)pthread_mutex_lock(&keeper->lock);
    if (keeper->count > 0)
        keeper->host->settle(keeper->host, keeper->held, NULL, keeper->count);
    keeper->count = 0;
    (void)pthread_mutex_unlock(&keeper->lock);
}

static void emit_again(void *self, atamo_action action)
{
    const atamo_host *host = self;
    atamo_event_draft draft = atamo_draft("loop");

    assert_int_equal(host->emit(host, action, &draft), ATAMO_OK);
    atamo_done(host, action);
}

static const atamo_agent keeping = {.size = sizeof keeping, .handle = keep};
static const atamo_plugin keeper_plugin = {
    ATAMO_PLUGIN_HEAD,          .id = "keeper",    .version = "1",
    .summary = "keeps actions", .agent = &keeping,
};
static const atamo_agent looping = {.size = sizeof looping, .handle = emit_again};
static const atamo_plugin loop_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "loop", .version = "1", .summary = "emits what it is given",
    .agent = &looping,
};

static struct keeper keeper;

static struct fixture *open_keeper(const char *agent, const char *more)
{
    const atamo_registration plugins[] = {{&keeper_plugin, &keeper}, {&loop_plugin, NULL}};
    char yaml[2048];

    memset(&keeper, 0, sizeof keeper);
    assert_int_equal(pthread_mutex_init(&keeper.lock, NULL), 0);
    (void)snprintf(yaml, sizeof yaml,
                   "agents: {a: {plugin: keeper, %s}, other: {plugin: loop}}\n"
                   "rules:\n  - {id: r, on: x, then: {agent: a, action: do}}\n%s",
                   agent, more);
    return fixture_open(yaml, plugins, 2);
}

static void submit(struct fixture *fixture, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fixture_submit(fixture, "x", "{}", "");
}

static void test_no_more_run_at_once_than_the_limit(void **state)
{
    struct fixture *fixture = open_keeper("concurrency: 3", "");

    (void)state;
    atomic_store(&keeper.keeps, true);
    submit(fixture, 10);
    FIXTURE_UNTIL(fixture,
                  fixture_count(fixture, ATAMO_STEP_SCHEDULED, ATAMO_REASON_CONCURRENCY) == 7);
    assert_int_equal(fixture_stats(fixture).running, 3);
    assert_int_equal(fixture_stats(fixture).waiting, 7);
    let_go(&keeper);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 10);
    fixture_close(fixture);
}

static void test_a_full_queue_sheds_with_an_alert_and_nothing_is_lost_silently(void **state)
{
    struct fixture *fixture = open_keeper("concurrency: 1, queue: 2", "");
    atamo_stats stats;

    (void)state;
    atomic_store(&keeper.keeps, true);
    submit(fixture, 10);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_SHED, ATAMO_REASON_QUEUE_FULL) == 7);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_ALERT, ATAMO_REASON_QUEUE_FULL), 7);
    let_go(&keeper);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 10);
    stats = fixture_stats(fixture);
    assert_int_equal(stats.done, 3);
    assert_int_equal(stats.shed, 7);
    fixture_close(fixture);
}

static void test_a_rate_limit_spreads_attempts_over_time(void **state)
{
    struct fixture *fixture = open_keeper("rate: {per_second: 100, burst: 2}", "");
    int64_t first = 0;
    int64_t last = 0;

    (void)state;
    submit(fixture, 12);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 12);
    for (size_t i = 0; i < fixture->record_count; i++) {
        if (fixture->records[i].step != ATAMO_STEP_ATTEMPT)
            continue;
        first = first == 0 ? fixture->records[i].time_ns : first;
        last = fixture->records[i].time_ns;
    }
    /* Two at once, then ten at 10 ms each. */
    assert_true(last - first >= INT64_C(95000000));
    fixture_close(fixture);
}

static void test_a_paused_agent_holds_its_actions_until_it_is_resumed(void **state)
{
    struct fixture *fixture = open_keeper("queue: 100", "");

    (void)state;
    assert_int_equal(atamo_agent_pause(fixture->hub, "a", 1), ATAMO_OK);
    assert_int_equal(atamo_agent_pause(fixture->hub, "nobody", 1), ATAMO_NOT_FOUND);
    submit(fixture, 5);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_SCHEDULED, ATAMO_REASON_PAUSED) == 5);
    assert_int_equal(atomic_load(&keeper.handled), 0);
    assert_int_equal(atamo_agent_pause(fixture->hub, "a", 0), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 5);
    fixture_close(fixture);
}

static void test_the_breaker_opens_after_failures_and_closes_again(void **state)
{
    struct fixture *fixture =
        open_keeper("retry: {attempts: 50, base: 1ms, max: 2ms}, breaker: {failures: 3, "
                    "open_for: 30ms}",
                    "");

    (void)state;
    atomic_store(&keeper.fails, true);
    submit(fixture, 1);
    FIXTURE_UNTIL(fixture,
                  fixture_count(fixture, ATAMO_STEP_HUB, ATAMO_REASON_BREAKER_OPENED) >= 1);
    assert_int_equal(atomic_load(&keeper.handled), 3);
    atomic_store(&keeper.fails, false);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_HUB, ATAMO_REASON_BREAKER_CLOSED), 1);
    assert_int_equal(atomic_load(&keeper.handled), 4);
    assert_int_equal(fixture_stats(fixture).done, 1);
    fixture_close(fixture);
}

static void test_an_event_that_expires_while_it_waits_is_not_attempted(void **state)
{
    struct fixture *fixture = open_keeper("concurrency: 1", "");
    atamo_event_draft draft = atamo_draft("x");

    (void)state;
    atomic_store(&keeper.keeps, true);
    submit(fixture, 1);
    draft.expires_at_ms = 1000; /* long ago */
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_ATTEMPT, 0) == 1);
    let_go(&keeper);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_EXPIRED, 0) == 1);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 2);
    assert_int_equal(fixture_stats(fixture).expired, 1);
    fixture_close(fixture);
}

static void test_a_delayed_event_waits_for_its_time(void **state)
{
    struct fixture *fixture = open_keeper("queue: 10", "");
    atamo_event_draft draft = atamo_draft("x");

    (void)state;
    draft.delay_ms = 40;
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DELAYED, 0), 1);
    assert_true(fixture->records[fixture->record_count - 1].time_ns - fixture->records[1].time_ns >
                INT64_C(35000000));
    fixture_close(fixture);
}

static void test_a_circle_of_events_is_broken_by_the_hop_limit(void **state)
{
    struct fixture *fixture =
        open_keeper("queue: 10", "  - {id: circle, on: loop, then: {agent: other, action: again}}\n"
                                 "hub: {hop_limit: 5}\n");

    (void)state;
    fixture_submit(fixture, "loop", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_REFUSED, ATAMO_REASON_HOP_LIMIT) == 1);
    assert_int_equal(fixture_stats(fixture).accepted, 6);
    fixture_close(fixture);
}

static void test_a_full_hub_answers_busy_and_takes_more_when_it_has_room(void **state)
{
    struct fixture *fixture = open_keeper("concurrency: 4096", "hub: {max_messages: 10}\n");
    atamo_event_draft draft = atamo_draft("x");
    size_t taken = 0;

    (void)state;
    atomic_store(&keeper.keeps, true);
    while (atamo_submit(fixture->client, &draft, NULL) == ATAMO_OK) {
        taken++;
        assert_true(taken < 100000);
    }
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight == 10);
    let_go(&keeper);
    FIXTURE_UNTIL(fixture, atamo_submit(fixture->client, &draft, NULL) == ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == taken + 1);
    fixture_close(fixture);
}

static void test_one_stuck_agent_leaves_the_others_at_work(void **state)
{
    struct fixture *fixture = open_keeper(
        "concurrency: 1, queue: 5",
        "  - {id: fine, on: y, then: {agent: other, action: again}}\nhub: {hop_limit: 0}\n");

    (void)state;
    atomic_store(&keeper.keeps, true);
    submit(fixture, 50);
    for (int i = 0; i < 500; i++)
        fixture_submit(fixture, "y", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DONE, 0) == 500);
    assert_int_equal(fixture_stats(fixture).running, 1);
    let_go(&keeper);
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight == 0);
    fixture_close(fixture);
}

static void test_event_types_refuse_what_they_do_not_know_or_what_is_incomplete(void **state)
{
    struct fixture *fixture =
        open_keeper("queue: 10", "events: {x: {required: [subject, {data.n: number}]}}\n");
    atamo_event_draft draft = atamo_draft("x");

    (void)state;
    fixture_submit(fixture, "unheard.of", "{}", "");
    FIXTURE_UNTIL(fixture,
                  fixture_count(fixture, ATAMO_STEP_REFUSED, ATAMO_REASON_UNKNOWN_TYPE) == 1);
    fixture_submit(fixture, "x", "{\"n\": 1}", "");
    draft.subject = atamo_text("s");
    draft.data = atamo_text("{\"n\": \"one\"}");
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    FIXTURE_UNTIL(fixture,
                  fixture_count(fixture, ATAMO_STEP_REFUSED, ATAMO_REASON_MISSING_FIELD) == 2);
    assert_string_equal(fixture->texts[fixture->record_count - 1], "data.n");
    draft.data = atamo_text("{\"n\": 1}");
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_stats(fixture).refused, 3);
    fixture_close(fixture);
}

static void test_events_that_cannot_be_are_refused_at_once(void **state)
{
    struct fixture *fixture = open_keeper("queue: 10", "hub: {max_data: 1KiB}\n");
    atamo_event_draft draft = atamo_draft("");
    char large[2048] = "";

    (void)state;
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_INVALID);
    draft.type = atamo_text("with\nline break");
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_INVALID);
    draft.type = atamo_text("\xff\xfe");
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_INVALID);
    draft.type = atamo_text("x");
    draft.data = (atamo_bytes){large, sizeof large};
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_TOO_LARGE);
    assert_int_equal(fixture_stats(fixture).accepted, 0);
    fixture_close(fixture);
}

static void test_several_hubs_live_side_by_side(void **state)
{
    struct fixture *one = open_keeper("queue: 10", "");
    const atamo_registration plugins[] = {{&loop_plugin, NULL}};
    struct fixture *two = fixture_open("hub: {hop_limit: 0}\nagents: {b: {plugin: loop}}\n"
                                       "rules: [{id: r, on: x, then: {agent: b, action: do}}]\n",
                                       plugins, 1);

    (void)state;
    submit(one, 5);
    submit(two, 7);
    FIXTURE_UNTIL(one, fixture_count(one, ATAMO_STEP_FINISHED, 0) == 5);
    FIXTURE_UNTIL(two, fixture_count(two, ATAMO_STEP_FINISHED, 0) == 7);
    fixture_close(one);
    fixture_close(two);
}

static void test_a_hub_without_rules_takes_events(void **state)
{
    struct fixture *fixture = fixture_open("{}", NULL, 0);

    (void)state;
    fixture_submit(fixture, "x", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_stats(fixture).unmatched, 1);
    fixture_close(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_more_run_at_once_than_the_limit),
        cmocka_unit_test(test_a_full_queue_sheds_with_an_alert_and_nothing_is_lost_silently),
        cmocka_unit_test(test_a_rate_limit_spreads_attempts_over_time),
        cmocka_unit_test(test_a_paused_agent_holds_its_actions_until_it_is_resumed),
        cmocka_unit_test(test_the_breaker_opens_after_failures_and_closes_again),
        cmocka_unit_test(test_an_event_that_expires_while_it_waits_is_not_attempted),
        cmocka_unit_test(test_a_delayed_event_waits_for_its_time),
        cmocka_unit_test(test_a_circle_of_events_is_broken_by_the_hop_limit),
        cmocka_unit_test(test_a_full_hub_answers_busy_and_takes_more_when_it_has_room),
        cmocka_unit_test(test_one_stuck_agent_leaves_the_others_at_work),
        cmocka_unit_test(test_event_types_refuse_what_they_do_not_know_or_what_is_incomplete),
        cmocka_unit_test(test_events_that_cannot_be_are_refused_at_once),
        cmocka_unit_test(test_several_hubs_live_side_by_side),
        cmocka_unit_test(test_a_hub_without_rules_takes_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
