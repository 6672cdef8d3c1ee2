/* Requests that share: they join an identical one under way, or are answered from what is kept.
 */
#include "cached.h"

static void test_ten_thousand_identical_requests_are_one_call_to_the_agent(void **state)
{
    enum { COUNT = 10000 };
    struct fixture *fixture = open_with("{}", ", queue: 10");
    struct asker *askers = calloc(COUNT, sizeof *askers);

    (void)state;
    assert_non_null(askers);
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, NULL, NULL), ATAMO_OK);
    for (size_t i = 0; i < COUNT; i++)
        asker_ask(&askers[i], fixture->client, "look", "{\"id\":7}", "zoe", NULL);
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).accepted == COUNT);
    assert_int_equal(desk_count(), 1);
    desk_answer(0, "seven");
    for (size_t i = 0; i < COUNT; i++) {
        wait_end(fixture, &askers[i]);
        assert_answered(&askers[i], "seven");
    }
    assert_int_equal(agent(fixture).attempts, 1);
    assert_int_equal(agent(fixture).cache_joins, COUNT - 1);
    assert_int_equal(fixture_stats(fixture).done, COUNT);
    free(askers);
    fixture_close(fixture);
}

static void test_who_asks_the_same_in_other_words_joins_and_who_asks_another_thing_does_not(
    void **state)
{
    struct fixture *fixture = open_with("{}", "");
    struct asker askers[5];

    (void)state;
    ask(fixture, &askers[0], "{\"a\": 1, \"b\": [2.0]}", "zoe");
    ask(fixture, &askers[1], "{\"b\":[2],\"a\":1e0}", "zoe");
    assert_int_equal(desk_count(), 1);
    ask(fixture, &askers[2], "{\"a\":2,\"b\":[2]}", "zoe");
    ask(fixture, &askers[3], "{\"a\":1,\"b\":[2]}", "yan");
    asker_ask(&askers[4], fixture->client, "find", "{\"a\":1,\"b\":[2]}", "zoe", NULL);
    FIXTURE_UNTIL(fixture, desk_count() == 4);
    for (size_t i = 0; i < 4; i++)
        desk_answer(i, desk_at(i).user);
    for (size_t i = 0; i < 5; i++)
        wait_end(fixture, &askers[i]);
    assert_answered(&askers[1], "zoe");
    assert_answered(&askers[3], "yan");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 5);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_SCHEDULED, ATAMO_REASON_JOINED), 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DONE, ATAMO_REASON_SHARED), 1);
    fixture_close(fixture);
}

static void test_users_of_a_tenant_share_if_the_scope_says_so(void **state)
{
    struct fixture *fixture = open_with("{scope: tenant}", "");
    struct asker askers[2];

    (void)state;
    ask(fixture, &askers[0], "1", "zoe");
    ask(fixture, &askers[1], "1", "yan");
    assert_int_equal(desk_count(), 1);
    desk_answer(0, "x");
    wait_end(fixture, &askers[0]);
    wait_end(fixture, &askers[1]);
    assert_answered(&askers[1], "x");
    fixture_close(fixture);
}

static void test_who_comes_late_hears_what_was_said_and_then_the_rest_in_order(void **state)
{
    struct fixture *fixture = open_with("{}", "");
    struct asker askers[2];
    struct desk_action action;

    (void)state;
    ask(fixture, &askers[0], "1", "zoe");
    desk_respond(0, "a");
    desk_respond(0, "b");
    action = desk_at(0);
    for (int i = 1; i <= 5; i++)
        assert_int_equal(atamo_progress(action.host, action.handle, i / 10.0, "so far"), ATAMO_OK);
    FIXTURE_UNTIL(fixture, askers[0].data + askers[0].progress == 7);
    ask(fixture, &askers[1], "1", "zoe");
    desk_answer(0, "c");
    wait_end(fixture, &askers[0]);
    wait_end(fixture, &askers[1]);
    assert_answered(&askers[0], "a b c");
    assert_answered(&askers[1], "a b c");
    assert_int_equal(askers[1].progress, 1);
    fixture_close(fixture);
}

static void test_a_result_answers_until_its_time_is_over(void **state)
{
    struct fixture *fixture = open_with("{ttl: 10s}", "");
    struct asker askers[3];

    (void)state;
    ask(fixture, &askers[0], "1", "zoe");
    desk_answer(0, "old");
    wait_end(fixture, &askers[0]);
    pass(fixture, 9000);
    ask(fixture, &askers[1], "1", "zoe");
    wait_end(fixture, &askers[1]);
    assert_answered(&askers[1], "old");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DONE, ATAMO_REASON_CACHED) == 1);
    pass(fixture, 2000);
    ask(fixture, &askers[2], "1", "zoe");
    assert_int_equal(desk_count(), 2);
    desk_answer(1, "new");
    wait_end(fixture, &askers[2]);
    assert_answered(&askers[2], "new");
    assert_int_equal(agent(fixture).cache_hits, 1);
    assert_int_equal(agent(fixture).cache_misses, 2);
    fixture_close(fixture);
}

static void test_a_stale_result_answers_at_once_and_is_made_anew_once(void **state)
{
    struct fixture *fixture = open_with("{ttl: 1s, stale: 60s}", "");
    struct asker askers[4];

    (void)state;
    ask(fixture, &askers[0], "1", "zoe");
    desk_answer(0, "old");
    wait_end(fixture, &askers[0]);
    pass(fixture, 2000);
    for (size_t i = 1; i < 3; i++) {
        ask(fixture, &askers[i], "1", "zoe");
        wait_end(fixture, &askers[i]); /* the agent has not answered */
        assert_answered(&askers[i], "old");
    }
    assert_int_equal(desk_count(), 2);
    desk_answer(1, "new");
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight == 0);
    ask(fixture, &askers[3], "1", "zoe");
    wait_end(fixture, &askers[3]);
    assert_answered(&askers[3], "new");
    assert_int_equal(desk_count(), 2);
    assert_int_equal(agent(fixture).cache_stale, 2);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DONE, ATAMO_REASON_STALE) == 1);
    fixture_close(fixture);
}

static void test_a_stale_result_that_cannot_be_made_anew_stays_and_the_agent_is_left_alone(
    void **state)
{
    struct fixture *fixture = open_with("{ttl: 1s, stale: 60s, negative_ttl: 5s}", "");
    struct asker asker;

    (void)state;
    ask(fixture, &asker, "1", "zoe");
    desk_answer(0, "old");
    wait_end(fixture, &asker);
    pass(fixture, 2000);
    ask(fixture, &asker, "1", "zoe");
    desk_fail(1, "it is down");
    FIXTURE_UNTIL(fixture, asker.has_ended && fixture_stats(fixture).in_flight == 0);
    assert_answered(&asker, "old");
    pass(fixture, 4000);
    ask(fixture, &asker, "1", "zoe");
    wait_end(fixture, &asker);
    assert_answered(&asker, "old");
    assert_int_equal(desk_count(), 2);
    pass(fixture, 2000);
    ask(fixture, &asker, "1", "zoe");
    assert_int_equal(desk_count(), 3);
    desk_done(2);
    fixture_close(fixture);
}

static void test_a_failure_is_told_to_all_and_answers_for_a_while(void **state)
{
    struct fixture *fixture = open_with("{negative_ttl: 5s}", "");
    struct asker askers[3];

    (void)state;
    ask(fixture, &askers[0], "1", "zoe");
    ask(fixture, &askers[1], "1", "zoe");
    desk_fail(0, "there is no such thing");
    for (size_t i = 0; i < 2; i++)
        wait_end(fixture, &askers[i]);
    ask(fixture, &askers[2], "1", "zoe");
    wait_end(fixture, &askers[2]);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(askers[i].status, ATAMO_IO);
        assert_string_equal(askers[i].why, "there is no such thing");
    }
    assert_int_equal(desk_count(), 1);
    assert_int_equal(fixture_stats(fixture).dead, 1); /* one dead letter, not three */
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 3);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_ALERT, 0), 1);
    pass(fixture, 6000);
    ask(fixture, &askers[2], "1", "zoe");
    assert_int_equal(desk_count(), 2);
    fixture_close(fixture);
}

static void test_who_joined_is_served_by_the_attempt_that_succeeds(void **state)
{
    struct fixture *fixture = open_with("{ttl: 10s}", "");
    struct asker askers[3];

    (void)state;
    ask(fixture, &askers[0], "1", "zoe");
    ask(fixture, &askers[1], "1", "zoe");
    desk_respond(0, "half");
    desk_retry(0, "not now");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_RETRY, 0) == 1);
    pass(fixture, 2);
    fixture_submit(fixture, "nothing", "", "");
    FIXTURE_UNTIL(fixture, desk_count() == 2);
    desk_answer(1, "whole");
    wait_end(fixture, &askers[0]);
    wait_end(fixture, &askers[1]);
    assert_answered(&askers[0], "half whole");
    assert_answered(&askers[1], "half whole");
    ask(fixture, &askers[2], "1", "zoe");
    wait_end(fixture, &askers[2]);
    assert_answered(&askers[2], "whole"); /* what is kept is of the attempt that was done */
    fixture_close(fixture);
}

static void test_the_work_goes_on_as_long_as_anybody_waits_for_it(void **state)
{
    struct fixture *fixture = open_with("{}", "");
    struct asker askers[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        ask(fixture, &askers[i], "1", "zoe");
    assert_int_equal(atamo_cancel(fixture->client, askers[0].request), ATAMO_OK);
    assert_int_equal(atamo_cancel(fixture->client, askers[1].request), ATAMO_OK);
    assert_int_equal(desk_cancelled(), 0);
    desk_answer(0, "x");
    wait_end(fixture, &askers[2]);
    assert_answered(&askers[2], "x");
    assert_int_equal(askers[0].data + askers[1].data, 0);
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight == 0);
    fixture_close(fixture);
}

static void test_the_work_is_tried_again_for_those_who_still_wait(void **state)
{
    struct fixture *fixture = open_with("{}", "");
    struct asker askers[2];

    (void)state;
    for (size_t i = 0; i < 2; i++)
        ask(fixture, &askers[i], "1", "zoe");
    assert_int_equal(atamo_cancel(fixture->client, askers[0].request), ATAMO_OK);
    desk_retry(0, "not now");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_RETRY, 0) == 1);
    pass(fixture, 2);
    fixture_submit(fixture, "nothing", "", "");
    FIXTURE_UNTIL(fixture, desk_count() == 2);
    desk_answer(1, "x");
    wait_end(fixture, &askers[1]);
    assert_answered(&askers[1], "x");
    fixture_close(fixture);
}

static void test_the_last_one_who_goes_takes_the_work_with_him(void **state)
{
    struct fixture *fixture = open_with("{}", "");
    struct asker askers[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        ask(fixture, &askers[i], "1", "zoe");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(desk_cancelled(), 0);
        assert_int_equal(atamo_cancel(fixture->client, askers[i].request), ATAMO_OK);
    }
    assert_int_equal(desk_cancelled(), 1);
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight == 0);
    ask(fixture, &askers[0], "1", "zoe");
    assert_int_equal(desk_count(), 2); /* nobody can join what was cancelled */
    fixture_close(fixture);
}

static void test_a_request_whose_rules_ask_twice_for_the_same_gets_both_parts(void **state)
{
    struct fixture *fixture = open_with("{ttl: 1s}", "");
    struct asker asker;

    (void)state;
    asker_ask(&asker, fixture->client, "twice", "1", "zoe", NULL);
    FIXTURE_UNTIL(fixture, desk_count() == 1);
    desk_answer(0, "x");
    wait_end(fixture, &asker);
    assert_answered(&asker, "x x");
    asker_ask(&asker, fixture->client, "twice", "1", "zoe", NULL);
    wait_end(fixture, &asker);
    assert_answered(&asker, "x x");
    asker_ask(&asker, fixture->client, "twice", "2", "zoe", NULL);
    FIXTURE_UNTIL(fixture, desk_count() == 2);
    assert_int_equal(atamo_cancel(fixture->client, asker.request), ATAMO_OK);
    assert_int_equal(desk_cancelled(), 1);
    fixture_close(fixture);
}

static void test_when_the_event_of_the_first_expires_the_next_one_goes_on(void **state)
{
    struct fixture *fixture = open_with("{}", ", concurrency: 1");
    struct asker askers[3];
    atamo_event_draft draft = atamo_draft("look");
    uint64_t number = 0;

    (void)state;
    ask(fixture, &askers[0], "busy", "zoe");
    draft.data = atamo_text("1");
    draft.user = atamo_text("zoe");
    draft.expires_at_ms = atomic_load(&clock_ns) / 1000000 + 1000;
    askers[1] = (struct asker){0};
    assert_int_equal(atamo_request(fixture->client, &draft, NULL, asker_take, &askers[1], &number),
                     ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).accepted == 2);
    ask(fixture, &askers[2], "1", "zoe");
    assert_int_equal(desk_count(), 1);
    pass(fixture, 2000);
    desk_answer(0, "x");
    FIXTURE_UNTIL(fixture, desk_count() == 2);
    desk_answer(1, "y");
    wait_end(fixture, &askers[1]);
    wait_end(fixture, &askers[2]);
    assert_int_equal(askers[1].status, ATAMO_IO);
    assert_answered(&askers[2], "y");
    fixture_close(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ten_thousand_identical_requests_are_one_call_to_the_agent,
                               set_up),
        cmocka_unit_test_setup(
            test_who_asks_the_same_in_other_words_joins_and_who_asks_another_thing_does_not,
            set_up),
        cmocka_unit_test_setup(test_users_of_a_tenant_share_if_the_scope_says_so, set_up),
        cmocka_unit_test_setup(test_who_comes_late_hears_what_was_said_and_then_the_rest_in_order,
                               set_up),
        cmocka_unit_test_setup(test_a_result_answers_until_its_time_is_over, set_up),
        cmocka_unit_test_setup(test_a_stale_result_answers_at_once_and_is_made_anew_once, set_up),
        cmocka_unit_test_setup(
            test_a_stale_result_that_cannot_be_made_anew_stays_and_the_agent_is_left_alone, set_up),
        cmocka_unit_test_setup(test_a_failure_is_told_to_all_and_answers_for_a_while, set_up),
        cmocka_unit_test_setup(test_who_joined_is_served_by_the_attempt_that_succeeds, set_up),
        cmocka_unit_test_setup(test_the_work_goes_on_as_long_as_anybody_waits_for_it, set_up),
        cmocka_unit_test_setup(test_the_work_is_tried_again_for_those_who_still_wait, set_up),
        cmocka_unit_test_setup(test_the_last_one_who_goes_takes_the_work_with_him, set_up),
        cmocka_unit_test_setup(test_a_request_whose_rules_ask_twice_for_the_same_gets_both_parts,
                               set_up),
        cmocka_unit_test_setup(test_when_the_event_of_the_first_expires_the_next_one_goes_on,
                               set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
