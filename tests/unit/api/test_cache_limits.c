/* What is kept of an agent's results goes: with the agent's instance, for want of room, with time.
 */
#include "cached.h"

/* Ends when the old instance has let go of its work. */
static void *reload(void *user)
{
    assert_int_equal(atamo_reload(((struct fixture *)user)->hub, NULL,
                                  atamo_text(configuration("{ttl: 1h}", ", run: pool")), NULL),
                     ATAMO_OK);
    return NULL;
}

static bool runs_in_a_pool(const struct fixture *fixture)
{
    return agent(fixture).mode == ATAMO_POOL;
}

static void test_another_instance_of_the_agent_answers_anew(void **state)
{
    struct fixture *fixture = open_with("{ttl: 1h}", "");
    struct asker askers[3];
    pthread_t thread;

    (void)state;
    ask(fixture, &askers[0], "1", "zoe");
    desk_answer(0, "kept");
    wait_end(fixture, &askers[0]);
    ask(fixture, &askers[0], "2", "zoe");
    ask(fixture, &askers[1], "2", "zoe");
    assert_int_equal(pthread_create(&thread, NULL, reload, fixture), 0);
    FIXTURE_UNTIL(fixture, runs_in_a_pool(fixture));
    ask(fixture, &askers[2], "1", "zoe");
    FIXTURE_UNTIL(fixture, desk_count() == 3);
    desk_answer(1, "by the old one");
    assert_int_equal(pthread_join(thread, NULL), 0);
    desk_answer(2, "by the new one");
    for (size_t i = 0; i < 3; i++)
        wait_end(fixture, &askers[i]);
    assert_answered(&askers[1], "by the old one");
    assert_answered(&askers[2], "by the new one");
    ask(fixture, &askers[2], "2", "zoe");
    FIXTURE_UNTIL(fixture, desk_count() == 4); /* what the old one answered is not kept */
    desk_done(3);
    wait_end(fixture, &askers[2]);
    fixture_close(fixture);
}

static void test_what_is_too_much_goes_and_is_told(void **state)
{
    struct fixture *fixture = open_with("{ttl: 1h, max_entries: 2}", "");
    struct asker asker;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char data[16];

        (void)snprintf(data, sizeof data, "%zu", i);
        ask(fixture, &asker, data, "zoe");
        desk_answer(i, "x");
        wait_end(fixture, &asker);
    }
    assert_int_equal(agent(fixture).cache_entries, 2);
    assert_int_equal(agent(fixture).cache_evicted, 1);
    pass(fixture, 2000);
    ask(fixture, &asker, "0", "zoe");
    assert_int_equal(desk_count(), 4);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_HUB, ATAMO_REASON_EVICTED) == 1);
    fixture_close(fixture);
}

static void test_what_was_kept_gives_its_memory_back_when_its_time_is_over(void **state)
{
    struct fixture *fixture = open_with("{ttl: 1s}", "");
    struct asker asker;

    (void)state;
    ask(fixture, &asker, "1", "zoe");
    desk_answer(0, "x");
    wait_end(fixture, &asker);
    assert_int_equal(agent(fixture).cache_entries, 1);
    pass(fixture, 60000);
    fixture_submit(fixture, "nothing", "", "");
    FIXTURE_UNTIL(fixture, agent(fixture).cache_entries == 0);
    assert_int_equal(agent(fixture).cache_bytes, 0);
    fixture_close(fixture);
}

static void test_a_result_that_is_too_large_is_given_but_neither_kept_nor_joined(void **state)
{
    struct fixture *fixture = open_with("{ttl: 1h, max_bytes: 64KiB}", "");
    struct asker askers[3];
    char large[5000];

    (void)state;
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    ask(fixture, &askers[0], "1", "zoe");
    ask(fixture, &askers[1], "1", "zoe");
    desk_respond(0, large);
    desk_respond(0, large);
    FIXTURE_UNTIL(fixture, askers[0].data == 2 && askers[1].data == 2);
    ask(fixture, &askers[2], "1", "zoe");
    FIXTURE_UNTIL(fixture, desk_count() == 2);
    desk_done(0);
    desk_done(1);
    for (size_t i = 0; i < 3; i++)
        wait_end(fixture, &askers[i]);
    assert_int_equal(askers[1].data, 2);
    assert_int_equal(agent(fixture).cache_bytes < 8192, 1);
    fixture_close(fixture);
}

static int set_up_durable(void **state)
{
    durable = true;
    return set_up(state);
}

static int tear_down_durable(void **state)
{
    (void)state;
    durable = false;
    return 0;
}

static void test_in_a_durable_hub_whoever_joined_is_done_when_that_is_written(void **state)
{
    struct fixture *fixture = open_with("{ttl: 10s, negative_ttl: 10s}", "");
    struct asker askers[5];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        ask(fixture, &askers[i], "1", "zoe");
    FIXTURE_UNTIL(fixture, desk_count() == 1 && agent(fixture).cache_joins == 2);
    assert_int_equal(atamo_cancel(fixture->client, askers[2].request), ATAMO_OK);
    desk_answer(0, "x");
    for (size_t i = 0; i < 2; i++) {
        wait_end(fixture, &askers[i]);
        assert_answered(&askers[i], "x");
    }
    ask(fixture, &askers[3], "1", "zoe");
    wait_end(fixture, &askers[3]);
    assert_answered(&askers[3], "x");
    ask(fixture, &askers[4], "2", "zoe");
    FIXTURE_UNTIL(fixture, desk_count() == 2);
    desk_fail(1, "no");
    wait_end(fixture, &askers[4]);
    ask(fixture, &askers[4], "2", "zoe");
    wait_end(fixture, &askers[4]);
    assert_string_equal(askers[4].why, "no");
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight == 0);
    assert_int_equal(fixture_stats(fixture).done, 3);
    assert_int_equal(fixture_stats(fixture).dead, 1);
    fixture_close(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_another_instance_of_the_agent_answers_anew, set_up),
        cmocka_unit_test_setup(test_what_is_too_much_goes_and_is_told, set_up),
        cmocka_unit_test_setup(test_what_was_kept_gives_its_memory_back_when_its_time_is_over,
                               set_up),
        cmocka_unit_test_setup(test_a_result_that_is_too_large_is_given_but_neither_kept_nor_joined,
                               set_up),
        cmocka_unit_test_setup_teardown(
            test_in_a_durable_hub_whoever_joined_is_done_when_that_is_written, set_up_durable,
            tear_down_durable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
