/* Many clients on one feed: they share one action of the agent, load what there is and follow, and
 * a slow one harms nobody but itself.
 */
#include "asker.h"
#include "desk.h"

static const char config[] = "agents: {a: {plugin: desk, cache: {scope: tenant}}}\n"
                             "rules: [{id: r, on: prices, then: {agent: a, action: follow}}]\n";

static int set_up(void **state)
{
    (void)state;
    desk_clear();
    return 0;
}

static atamo_request_options feed(uint32_t slow, uint32_t queue)
{
    return (atamo_request_options){
        .size = sizeof(atamo_request_options), .flags = ATAMO_FEED, .slow = slow, .queue = queue};
}

/* Follow, and wait until the hub has looked at it. */
static void follow(struct fixture *fixture, struct asker *asker, atamo_client *client,
                   const atamo_request_options *options)
{
    const uint64_t before = fixture_stats(fixture).accepted;

    asker_ask(asker, client, "prices", "{}", "zoe", options);
    while (fixture_stats(fixture).accepted == before) /* each look lets the hub take a turn */
        continue;
}

static void tell(size_t index, const char *key, const char *body)
{
    assert_int_equal(desk_respond_about(index, key, body), ATAMO_OK);
}

static void test_who_comes_late_loads_the_latest_of_each_key_and_follows(void **state)
{
    const atamo_request_options options = feed(ATAMO_SLOW_BLOCK, 0);
    struct fixture *fixture = fixture_open(config, desk_registration, 1);
    struct asker askers[2];

    (void)state;
    follow(fixture, &askers[0], fixture->client, &options);
    assert_int_equal(desk_at(0).flags & ATAMO_WANTS_FEED, ATAMO_WANTS_FEED);
    tell(0, "gold", "gold=1");
    tell(0, "tin", "tin=1");
    tell(0, "gold", "gold=2");
    FIXTURE_UNTIL(fixture, askers[0].data == 3);
    follow(fixture, &askers[1], fixture->client, &options);
    assert_int_equal(desk_count(), 1);
    tell(0, "tin", "tin=2");
    FIXTURE_UNTIL(fixture, askers[0].data == 4 && askers[1].data == 3);
    assert_string_equal(askers[0].bodies, "gold=1 tin=1 gold=2 tin=2");
    assert_string_equal(askers[1].bodies, "tin=1 gold=2 tin=2");
    desk_done(0);
    FIXTURE_UNTIL(fixture, askers[0].has_ended && askers[1].has_ended);
    assert_int_equal(askers[1].status, ATAMO_OK);
    fixture_close(fixture);
}

static void test_the_feed_goes_on_when_the_first_client_leaves_and_ends_with_the_last(void **state)
{
    const atamo_request_options options = feed(ATAMO_SLOW_BLOCK, 0);
    struct fixture *fixture = fixture_open(config, desk_registration, 1);
    struct asker askers[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        follow(fixture, &askers[i], fixture->client, &options);
    assert_int_equal(atamo_cancel(fixture->client, askers[0].request), ATAMO_OK);
    tell(0, "gold", "1");
    FIXTURE_UNTIL(fixture, askers[1].data == 1 && askers[2].data == 1);
    assert_int_equal(askers[0].data, 0);
    assert_int_equal(atamo_cancel(fixture->client, askers[2].request), ATAMO_OK);
    assert_int_equal(desk_cancelled(), 0);
    assert_int_equal(atamo_cancel(fixture->client, askers[1].request), ATAMO_OK);
    assert_int_equal(desk_cancelled(), 1);
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight == 0);
    fixture_close(fixture);
}

static void test_the_one_client_of_a_feed_holds_up_the_agent_and_a_second_one_ends_that(
    void **state)
{
    const atamo_request_options options = feed(ATAMO_SLOW_BLOCK, 2);
    struct fixture *fixture = fixture_open(config, desk_registration, 1);
    struct asker askers[2];
    atamo_client *other;

    (void)state;
    assert_int_equal(atamo_client_open(fixture->hub, &other), ATAMO_OK);
    follow(fixture, &askers[0], other, &options); /* which is not dispatched */
    tell(0, "a", "1");
    tell(0, "b", "1");
    assert_int_equal(desk_respond_about(0, "c", "1"), ATAMO_BUSY);
    follow(fixture, &askers[1], fixture->client, &options);
    FIXTURE_UNTIL(fixture, desk_rooms() == 1);
    tell(0, "c", "1");
    FIXTURE_UNTIL(fixture, askers[1].data == 3);
    (void)atamo_dispatch(other, 0, NULL);
    assert_int_equal(askers[0].data, 2); /* one too many for it: it hears the end and why */
    assert_int_equal(askers[0].status, ATAMO_FULL);
    atamo_client_close(other);
    desk_done(0);
    FIXTURE_UNTIL(fixture, askers[1].has_ended);
    fixture_close(fixture);
}

/* `slow` is the policy of the one that never reads. */
static void share_with_one_that_never_reads(uint32_t slow)
{
    enum { COUNT = 1000, UPDATES = 100, QUEUE = 50 };
    const atamo_request_options quick = feed(ATAMO_SLOW_BLOCK, UPDATES);
    const atamo_request_options never = feed(slow, QUEUE);
    struct fixture *fixture = fixture_open(config, desk_registration, 1);
    struct asker *askers = calloc(COUNT, sizeof *askers);
    size_t last = 0;
    atamo_client *other;
    char body[16];

    assert_non_null(askers);
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, NULL, NULL), ATAMO_OK);
    assert_int_equal(atamo_client_open(fixture->hub, &other), ATAMO_OK);
    for (size_t i = 0; i < COUNT; i++)
        follow(fixture, &askers[i], i == 0 ? other : fixture->client, i == 0 ? &never : &quick);
    for (int i = 0; i < UPDATES; i++) {
        (void)snprintf(body, sizeof body, "%d", i);
        tell(0, i % 2 == 0 ? "even" : "odd", body);
    }
    for (size_t i = 1; i < COUNT; i++)
        FIXTURE_UNTIL(fixture, askers[i].data == UPDATES);
    desk_done(0);
    for (size_t i = 1; i < COUNT; i++)
        FIXTURE_UNTIL(fixture, askers[i].has_ended);
    while (!askers[0].has_ended) {
        assert_true(atamo_wait(other, FIXTURE_LIMIT_MS) == ATAMO_OK);
        (void)atamo_dispatch(other, 0, NULL);
    }
    for (size_t i = 1; i < COUNT; i++) {
        assert_int_equal(askers[i].status, ATAMO_OK);
        assert_int_equal(askers[i].lost, 0);
    }
    if (slow == ATAMO_SLOW_BLOCK) {
        assert_int_equal(askers[0].status, ATAMO_FULL);
        assert_int_equal(askers[0].data, QUEUE);
    } else {
        assert_int_equal(askers[0].status, ATAMO_OK);
        assert_int_equal(askers[0].data + askers[0].lost, UPDATES);
        assert_true(askers[0].data <= QUEUE);
        last = strlen(askers[0].bodies);
        assert_string_equal(askers[0].bodies + last - 5, "98 99");
    }
    free(askers);
    atamo_client_close(other);
    fixture_close(fixture);
}

static void test_one_of_a_thousand_that_never_reads_is_cut_off_alone(void **state)
{
    (void)state;
    share_with_one_that_never_reads(ATAMO_SLOW_BLOCK);
}

static void test_one_of_a_thousand_that_never_reads_loses_the_oldest_alone(void **state)
{
    (void)state;
    share_with_one_that_never_reads(ATAMO_SLOW_OLDEST);
}

static void test_one_of_a_thousand_that_never_reads_keeps_the_latest_of_each_key(void **state)
{
    (void)state;
    share_with_one_that_never_reads(ATAMO_SLOW_LATEST);
}

static void test_a_feed_that_fails_says_why_to_all(void **state)
{
    const atamo_request_options options = feed(ATAMO_SLOW_BLOCK, 0);
    struct fixture *fixture = fixture_open(config, desk_registration, 1);
    struct asker askers[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        follow(fixture, &askers[i], fixture->client, &options);
    tell(0, "gold", "1");
    desk_fail(0, "the exchange is closed");
    for (size_t i = 0; i < 3; i++) {
        FIXTURE_UNTIL(fixture, askers[i].has_ended);
        assert_int_equal(askers[i].status, ATAMO_IO);
        assert_string_equal(askers[i].why, "the exchange is closed");
        assert_int_equal(askers[i].data, 1);
    }
    fixture_close(fixture);
}

static void test_feeds_that_are_shared_end_when_the_hub_stops(void **state)
{
    const atamo_request_options options = feed(ATAMO_SLOW_BLOCK, 0);
    struct fixture *fixture = fixture_open(config, desk_registration, 1);
    struct asker askers[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        follow(fixture, &askers[i], fixture->client, &options);
    atamo_client_close(fixture->client);
    fixture->client = NULL;
    fixture_close(fixture);
    assert_int_equal(desk_cancelled(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_who_comes_late_loads_the_latest_of_each_key_and_follows,
                               set_up),
        cmocka_unit_test_setup(
            test_the_feed_goes_on_when_the_first_client_leaves_and_ends_with_the_last, set_up),
        cmocka_unit_test_setup(
            test_the_one_client_of_a_feed_holds_up_the_agent_and_a_second_one_ends_that, set_up),
        cmocka_unit_test_setup(test_one_of_a_thousand_that_never_reads_is_cut_off_alone, set_up),
        cmocka_unit_test_setup(test_one_of_a_thousand_that_never_reads_loses_the_oldest_alone,
                               set_up),
        cmocka_unit_test_setup(test_one_of_a_thousand_that_never_reads_keeps_the_latest_of_each_key,
                               set_up),
        cmocka_unit_test_setup(test_a_feed_that_fails_says_why_to_all, set_up),
        cmocka_unit_test_setup(test_feeds_that_are_shared_end_when_the_hub_stops, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
