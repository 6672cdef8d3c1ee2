/* The exec agent through a real hub, with real Python and Node workers. */
#include "unit/api/fixture.h"

static struct fixture *open_exec(const char *command, const char *more)
{
    char yaml[4096];

    (void)snprintf(
        yaml, sizeof yaml,
        "plugins: {path: %s/lib/atamo/plugins}\n"
        "agents:\n"
        "  w: {plugin: exec, retry: {attempts: 4, base: 1ms, max: 2ms},\n"
        "      config: {command: %s, directory: %s/tests/clients, restart_delay: 10ms %s}}\n"
        "rules:\n"
        "  - {id: echo, on: echo, then: {agent: w, action: echo}}\n"
        "  - {id: fail, on: fail, then: {agent: w, action: fail}}\n"
        "  - {id: retry, on: retry, then: {agent: w, action: retry}}\n"
        "  - {id: die, on: die, then: {agent: w, action: die}}\n"
        "  - {id: raise, on: raise, then: {agent: w, action: raise}}\n"
        "  - {id: garbage, on: garbage, then: {agent: w, action: garbage}}\n"
        "  - {id: env, on: environment, then: {agent: w, action: environment}}\n",
        ATAMO_BUILD_DIR, command, ATAMO_SOURCE_DIR, more);
    return fixture_open(yaml, NULL, 0);
}

static const char python[] = "[python3, python/echo.py]";

static void finish(struct fixture *fixture, size_t messages)
{
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == messages);
}

static void test_a_python_worker_performs_many_actions_at_once(void **state)
{
    struct fixture *fixture = open_exec(python, ", workers: 2");

    (void)state;
    for (int i = 0; i < 1000; i++)
        fixture_submit(fixture, "echo", "{\"n\":\n 1}", "");
    finish(fixture, 1000);
    assert_int_equal(fixture_stats(fixture).done, 1000);
    fixture_close(fixture);
}

static void ask(struct fixture *fixture, const char *type, const char *data)
{
    atamo_event_draft draft = atamo_draft(type);

    draft.data = atamo_text(data);
    assert_int_equal(
        atamo_request(fixture->client, &draft, NULL, fixture_take_replies, fixture, NULL),
        ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture->reply_count > 0 &&
                               fixture->replies[fixture->reply_count - 1].kind == ATAMO_REPLY_END);
}

static void test_a_python_worker_answers_with_a_response(void **state)
{
    struct fixture *fixture = open_exec(python, "");

    (void)state;
    ask(fixture, "echo", "{\"n\": \"\\u00e9\"}");
    assert_int_equal(fixture->reply_count, 2);
    assert_string_equal(fixture->replies[0].body, "{\"n\": \"\\u00e9\"}");
    fixture_close(fixture);
}

static void test_a_node_worker_answers_with_a_response(void **state)
{
    struct fixture *fixture = open_exec("[node, node/echo.mjs]", "");

    (void)state;
    ask(fixture, "echo", "{\"n\":[1,2]}");
    assert_int_equal(fixture->reply_count, 2);
    assert_string_equal(fixture->replies[0].body, "{\"n\":[1,2]}");
    fixture_close(fixture);
}

static void test_outcomes_and_exceptions_reach_the_hub(void **state)
{
    struct fixture *fixture = open_exec(python, "");
    atamo_dead_letter letter = {.size = sizeof letter};

    (void)state;
    fixture_submit(fixture, "fail", "{}", "");
    finish(fixture, 1);
    fixture_submit(fixture, "retry", "{}", "");
    finish(fixture, 2);
    fixture_submit(fixture, "raise", "{}", "");
    finish(fixture, 3);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_RETRY, 0), 2);
    assert_int_equal(atamo_dead_next(fixture->hub, 0, &letter), ATAMO_OK);
    assert_string_equal(letter.text, "as you wish");
    assert_int_equal(atamo_dead_next(fixture->hub, letter.id, &letter), ATAMO_OK);
    assert_string_equal(letter.text, "ValueError: odd");
    fixture_close(fixture);
}

static void test_actions_of_a_worker_that_dies_are_tried_again(void **state)
{
    struct fixture *fixture = open_exec(python, "");
    bool said = false;

    (void)state;
    fixture_submit(fixture, "die", "{}", "");
    finish(fixture, 1);
    assert_int_equal(fixture_stats(fixture).done, 1);
    for (size_t i = 0; i < fixture->record_count; i++)
        said = said || strcmp(fixture->texts[i], "worker exited with status 3") == 0;
    assert_true(said);
    fixture_close(fixture);
}

static void test_garbage_does_no_harm(void **state)
{
    struct fixture *fixture = open_exec(python, "");

    (void)state;
    fixture_submit(fixture, "garbage", "{}", "");
    finish(fixture, 1);
    assert_int_equal(fixture_stats(fixture).done, 1);
    fixture_close(fixture);
}

static void test_a_worker_that_never_answers_is_ended(void **state)
{
    struct fixture *fixture = open_exec("[sleep, '1000']", ", timeout: 20ms, stop_grace: 50ms");

    (void)state;
    fixture_submit(fixture, "echo", "{}", "");
    finish(fixture, 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DEAD, ATAMO_REASON_ATTEMPTS), 1);
    fixture_close(fixture);
}

static void test_data_that_is_not_json_travels_in_base64(void **state)
{
    struct fixture *fixture = open_exec(python, "");
    atamo_event_draft draft = atamo_draft("echo");

    (void)state;
    draft.flags = ATAMO_DATA_BINARY;
    draft.datacontenttype = atamo_text("application/octet-stream");
    draft.data = (atamo_bytes){"\0\n\xff", 3};
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    finish(fixture, 1);
    assert_int_equal(fixture_stats(fixture).done, 1);
    fixture_close(fixture);
}

static void test_a_worker_sees_only_the_environment_it_is_given(void **state)
{
    struct fixture *fixture = open_exec(python, ", environment: {TOKEN: abc}");

    (void)state;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread reads the environment now */
    assert_int_equal(setenv("ATAMO_TEST_SECRET", "x", 1), 0);
    ask(fixture, "environment", "{}");
    assert_string_equal(fixture->replies[0].body,
                        "{\"TOKEN\": \"abc\", \"ATAMO_TEST_SECRET\": null}");
    fixture_close(fixture);
}

static void test_a_command_that_cannot_be_found_is_refused(void **state)
{
    char yaml[512];
    atamo_settings settings = {.size = sizeof settings, .log = fixture_quiet};
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;

    (void)state;
    (void)snprintf(yaml, sizeof yaml,
                   "plugins: {path: %s/lib/atamo/plugins}\n"
                   "agents: {w: {plugin: exec, config: {command: no-such-program}}}\n",
                   ATAMO_BUILD_DIR);
    settings.config = atamo_text(yaml);
    assert_int_equal(atamo_open(&settings, &hub, &report), ATAMO_INVALID);
    assert_non_null(strstr(atamo_report_at(report, 0).text, "no-such-program"));
    atamo_report_free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_python_worker_performs_many_actions_at_once),
        cmocka_unit_test(test_a_python_worker_answers_with_a_response),
        cmocka_unit_test(test_a_node_worker_answers_with_a_response),
        cmocka_unit_test(test_outcomes_and_exceptions_reach_the_hub),
        cmocka_unit_test(test_actions_of_a_worker_that_dies_are_tried_again),
        cmocka_unit_test(test_garbage_does_no_harm),
        cmocka_unit_test(test_a_worker_that_never_answers_is_ended),
        cmocka_unit_test(test_data_that_is_not_json_travels_in_base64),
        cmocka_unit_test(test_a_worker_sees_only_the_environment_it_is_given),
        cmocka_unit_test(test_a_command_that_cannot_be_found_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
