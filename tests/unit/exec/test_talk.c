/* What a worker is told, and what the hub hears of its answers. */
#include "fake.h"

static const struct fake_option python[] = {FAKE_PYTHON, {0}};
static const struct fake_option node[] = {FAKE_NODE, {0}};

static void check_outcomes(const struct fake_option *options, const char *odd)
{
    struct fake *fake = fake_start(options);
    const struct fake_action *echo = fake_do(fake, "echo", "{\"n\":\r\n [1,\n2]}");
    const struct fake_action *empty = fake_do(fake, "echo", "");
    const struct fake_action *failed = fake_do(fake, "fail", "{}");
    const struct fake_action *again = fake_do(fake, "retry", "{}");
    const struct fake_action *raised = fake_do(fake, "raise", "{}");

    fake_finish(fake);
    assert_int_equal(echo->kind, ATAMO_DONE);
    assert_int_equal(echo->responses, 1);
    assert_int_equal(empty->kind, ATAMO_DONE);
    assert_int_equal(failed->kind, ATAMO_FAIL);
    assert_string_equal(failed->reason, "as you wish");
    assert_int_equal(again->kind, ATAMO_RETRY);
    assert_string_equal(again->reason, "not yet");
    assert_int_equal(again->retry_after_ms, 1);
    assert_int_equal(raised->kind, ATAMO_FAIL);
    assert_string_equal(raised->reason, odd);
    fake_end(fake);
}

static void test_a_python_worker_ends_actions_in_every_way(void **state)
{
    (void)state;
    check_outcomes(python, "ValueError: odd");
}

static void test_a_node_worker_ends_actions_in_every_way(void **state)
{
    (void)state;
    check_outcomes(node, "RangeError: odd");
}

static void check_parts(const struct fake_option *options, unsigned busy)
{
    struct fake *fake = fake_start(options);
    const struct fake_action *parts;

    fake->busy = busy;
    parts = fake_do(fake, "parts", "{}");
    fake_finish(fake);
    assert_int_equal(parts->kind, ATAMO_DONE);
    assert_int_equal(parts->progresses, 1);
    assert_int_equal(parts->responses, 2);
    assert_non_null(strstr(parts->response, "2"));
    assert_int_equal(fake->emitted, 1);
    assert_string_equal(fake->emitted_type, "followed");
    fake_end(fake);
}

static void test_responses_progress_and_events_come_before_the_end(void **state)
{
    (void)state;
    check_parts(python, 0);
    check_parts(node, 0);
}

static void test_nothing_is_lost_or_doubled_while_the_hub_is_busy(void **state)
{
    (void)state;
    check_parts(python, 7);
}

static void test_an_event_carries_its_attributes(void **state)
{
    struct fake *fake = fake_start(python);

    (void)state;
    (void)fake_do(fake, "parts", "{}");
    fake_finish(fake);
    assert_string_equal(fake->emitted_subject, "s-1");
    assert_string_equal(fake->emitted_data, "{\"from\": \"0000000000000abc\"}");
    fake_end(fake);
}

static void test_many_actions_are_in_flight_and_end_in_any_order(void **state)
{
    static const struct fake_option threads[] = {
        {.name = "command", .items = {"python3", FAKE_CLIENTS "/python/echo.py", "8"}},
        {.name = "workers", .number = 2},
        {0},
    };
    struct fake *fake = fake_start(threads);

    (void)state;
    for (int i = 0; i < 2000; i++)
        (void)fake_do(fake, "quick", "{}");
    fake_finish(fake);
    for (size_t i = 0; i < fake->action_count; i++)
        assert_int_equal(fake->actions[i].kind, ATAMO_DONE);
    fake_end(fake);
}

static void test_a_worker_is_told_everything_about_an_action(void **state)
{
    static const char expected[] =
        "\"action\": \"whole\", \"agent\": \"mail\", \"rule\": \"big \\\"orders\\\"\", "
        "\"user\": \"anna\", \"attempt\": 1, \"attempts\": 5, \"key\": \"0000000000000abc\", "
        "\"deadline_ms\": 1700000000000, \"wants_responses\": true, "
        "\"event\": {\"id\": \"A-1\", \"type\": \"order.made\"}, \"body\": {\"a\": \"b\"}}";
    struct fake *fake = fake_start(python);
    const struct fake_action *whole = fake_do(fake, "whole", "{\"a\":\"b\"}");

    (void)state;
    fake_finish(fake);
    assert_non_null(strstr(whole->response, expected));
    fake_end(fake);
}

static void test_the_event_can_be_left_out_or_sent_whole(void **state)
{
    static const struct fake_option none[] = {
        FAKE_PYTHON, {.name = "event", .items = {"none"}}, {0}};
    static const struct fake_option full[] = {
        FAKE_PYTHON, {.name = "event", .items = {"full"}}, {0}};
    struct fake *fake = fake_start(none);
    const struct fake_action *whole = fake_do(fake, "whole", "{}");

    (void)state;
    fake_finish(fake);
    assert_null(strstr(whole->response, "event"));
    fake_end(fake);
    fake = fake_start(full);
    whole = fake_do(fake, "whole", "{}");
    fake_finish(fake);
    assert_non_null(strstr(whole->response, "\"event\": {\"id\": \"A-1\", \"data\": {}}"));
    fake_end(fake);
}

static void test_bytes_that_are_not_json_travel_in_base64(void **state)
{
    static const struct fake_option binary[] = {FAKE_ODD("base64_answer"), {0}};
    static const char expected[] = {0, 1, 2, (char)0xff};
    struct fake *fake = fake_start(python);
    const struct fake_action *action = fake_do_bytes(fake, "bytes", (atamo_bytes){"\0\n\xff{", 4});

    (void)state;
    fake_finish(fake);
    assert_string_equal(action->response, "[0, 10, 255, 123]");
    fake_end(fake);
    fake = fake_start(binary);
    action = fake_do(fake, "any", "{}");
    fake_finish(fake);
    assert_int_equal(action->response_size, sizeof expected);
    assert_memory_equal(action->response, expected, sizeof expected);
    fake_end(fake);
}

static void test_stderr_goes_to_the_log_with_its_levels(void **state)
{
    struct fake *fake = fake_start(python);

    (void)state;
    (void)fake_do(fake, "complain", "{}");
    FAKE_UNTIL(fake, fake_logged(fake, -1, "xxxxx") == 1);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_ERROR, "worker 1: it is odd"), 1);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_WARN, "worker 1: it is strange"), 1);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_DEBUG, "worker 1: it is so"), 1);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_INFO, "worker 1: it is as it is"), 1);
    fake_end(fake);
}

static void test_what_a_handler_prints_does_not_disturb(void **state)
{
    struct fake *fake = fake_start(python);
    const struct fake_action *action = fake_do(fake, "garbage", "{}");

    (void)state;
    fake_finish(fake);
    assert_int_equal(action->kind, ATAMO_DONE);
    fake_end(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_python_worker_ends_actions_in_every_way),
        cmocka_unit_test(test_a_node_worker_ends_actions_in_every_way),
        cmocka_unit_test(test_responses_progress_and_events_come_before_the_end),
        cmocka_unit_test(test_nothing_is_lost_or_doubled_while_the_hub_is_busy),
        cmocka_unit_test(test_an_event_carries_its_attributes),
        cmocka_unit_test(test_many_actions_are_in_flight_and_end_in_any_order),
        cmocka_unit_test(test_a_worker_is_told_everything_about_an_action),
        cmocka_unit_test(test_the_event_can_be_left_out_or_sent_whole),
        cmocka_unit_test(test_bytes_that_are_not_json_travel_in_base64),
        cmocka_unit_test(test_stderr_goes_to_the_log_with_its_levels),
        cmocka_unit_test(test_what_a_handler_prints_does_not_disturb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
