/* A hub as an embedding program sees it: events in, actions performed, replies and telemetry out.
 */
#include "fixture.h"

/* An agent that does what the action's type says. */
static void obey(void *self, atamo_action action)
{
    const atamo_host *host = self;
    atamo_action_info info = {.size = sizeof info};

    assert_int_equal(host->info(host, action, &info), ATAMO_OK);
    if (strcmp(info.type.data, "echo") == 0)
        atamo_answer(host, action, info.body);
    else if (strcmp(info.type.data, "fail") == 0)
        atamo_fail(host, action, "it cannot be done");
    else if (strcmp(info.type.data, "retry") == 0)
        atamo_retry(host, action, 0, "not now");
    else if (strcmp(info.type.data, "third-time") == 0 && info.attempt < 3)
        atamo_retry(host, action, 1, "not yet");
    else if (strcmp(info.type.data, "emit") == 0) {
        atamo_event_draft draft = atamo_draft("follow.up");

        assert_int_equal(host->emit(host, action, &draft), ATAMO_OK);
        atamo_done(host, action);
    } else if (strcmp(info.type.data, "hold") != 0)
        atamo_done(host, action);
}

/* What is held is let go when nobody needs it any more. */
static void let_go(void *self, atamo_action action, uint32_t reason)
{
    assert_int_not_equal(reason, ATAMO_REASON_NONE);
    atamo_done(self, action);
}

static const atamo_agent obedient = {.size = sizeof obedient, .handle = obey, .cancel = let_go};
static const atamo_plugin inline_plugin = {
    ATAMO_PLUGIN_HEAD,  .id = "obedient", .version = "1", .summary = "does as it is told",
    .agent = &obedient,
};
static const atamo_agent pooled = {.size = sizeof pooled, .mode = ATAMO_POOL, .handle = obey};
static const atamo_plugin pool_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "pooled", .version = "1", .summary = "does as it is told, on threads",
    .agent = &pooled,
};
static const atamo_registration plugins[] = {{&inline_plugin, NULL}, {&pool_plugin, NULL}};

static const char basic[] =
    "agents:\n"
    "  a: {plugin: obedient, retry: {attempts: 3, base: 1ms, max: 2ms}}\n"
    "  p: {plugin: pooled, workers: 2, retry: {attempts: 3, base: 1ms, max: 2ms}}\n"
    "rules:\n"
    "  - {id: both, on: both, then: [{agent: a, action: echo}, {agent: p, action: echo}]}\n"
    "  - {id: fail, on: fail, then: {agent: a, action: fail}}\n"
    "  - {id: retry, on: retry, then: {agent: p, action: retry}}\n"
    "  - {id: third, on: third, then: {agent: a, action: third-time}}\n"
    "  - {id: emit, on: emit, then: {agent: a, action: emit}}\n"
    "  - {id: follow, on: follow.up, then: {agent: a, action: done}}\n"
    "  - {id: hold, on: hold, then: {agent: a, action: hold, deadline: 20ms}}\n"
    "  - {id: big, on: order, when: {data: {total: [{numeric: ['>=', 100]}]}},\n"
    "     then: {agent: a, action: echo, with: {sum: '${data.total}', who: 'to ${data.name}'}}}\n";

static struct fixture *open_basic(void)
{
    return fixture_open(basic, plugins, 2);
}

static void test_an_event_reaches_every_agent_of_its_rule(void **state)
{
    struct fixture *fixture = open_basic();

    (void)state;
    fixture_submit(fixture, "both", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_ATTEMPT, 0), 2);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DONE, 0), 2);
    assert_int_equal(fixture_stats(fixture).done, 2);
    fixture_close(fixture);
}

static void test_an_event_that_no_rule_matches_is_finished_and_counted(void **state)
{
    struct fixture *fixture = open_basic();

    (void)state;
    fixture_submit(fixture, "nothing", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_stats(fixture).unmatched, 1);
    fixture_close(fixture);
}

static void test_a_request_hears_the_responses_and_then_the_end(void **state)
{
    struct fixture *fixture = open_basic();
    atamo_event_draft draft = atamo_draft("both");
    uint64_t request = 0;

    (void)state;
    draft.data = atamo_text("{\"n\":1}");
    assert_int_equal(
        atamo_request(fixture->client, &draft, NULL, fixture_take_replies, fixture, &request),
        ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture->reply_count == 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(fixture->replies[i].request == request);
        assert_int_equal(fixture->replies[i].sequence, i + 1);
    }
    assert_string_equal(fixture->replies[0].body, "{\"n\":1}");
    assert_int_equal(fixture->replies[2].kind, ATAMO_REPLY_END);
    assert_int_equal(fixture->replies[2].status, ATAMO_OK);
    fixture_close(fixture);
}

static void test_a_template_fills_the_body_from_the_event(void **state)
{
    struct fixture *fixture = open_basic();
    atamo_event_draft draft = atamo_draft("order");

    (void)state;
    draft.data = atamo_text("{\"total\": 120.50, \"name\": \"Zo\\u00eb\"}");
    assert_int_equal(
        atamo_request(fixture->client, &draft, NULL, fixture_take_replies, fixture, NULL),
        ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture->reply_count == 2);
    assert_string_equal(fixture->replies[0].body, "{\"sum\":120.50,\"who\":\"to Zo\\u00eb\"}");
    draft.data = atamo_text("{\"total\": 99, \"name\": \"x\"}");
    assert_int_equal(
        atamo_request(fixture->client, &draft, NULL, fixture_take_replies, fixture, NULL),
        ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture->reply_count == 3);
    assert_int_equal(fixture->replies[2].status, ATAMO_NOT_FOUND);
    fixture_close(fixture);
}

static void test_a_rule_whose_template_misses_a_field_fails_with_an_alert(void **state)
{
    struct fixture *fixture = open_basic();

    (void)state;
    fixture_submit(fixture, "order", "{\"total\": 500}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_RULE_FAILED, ATAMO_REASON_TEMPLATE), 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_ALERT, ATAMO_REASON_TEMPLATE), 1);
    fixture_close(fixture);
}

static void test_malformed_data_is_refused_with_a_reason(void **state)
{
    struct fixture *fixture = open_basic();

    (void)state;
    fixture_submit(fixture, "order", "{\"total\": 5,}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_REFUSED, ATAMO_REASON_MALFORMED) == 1);
    assert_int_equal(fixture_stats(fixture).refused, 1);
    fixture_close(fixture);
}

static void test_a_permanent_failure_becomes_a_dead_letter_at_once(void **state)
{
    struct fixture *fixture = open_basic();
    atamo_dead_letter letter = {.size = sizeof letter};

    (void)state;
    fixture_submit(fixture, "fail", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_ATTEMPT, 0), 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DEAD, ATAMO_REASON_FAILED), 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_ALERT, 0), 1);
    assert_int_equal(atamo_dead_next(fixture->hub, 0, &letter), ATAMO_OK);
    assert_string_equal(letter.text, "it cannot be done");
    assert_string_equal(letter.agent, "a");
    assert_int_equal(atamo_dead_next(fixture->hub, letter.id, &letter), ATAMO_NOT_FOUND);
    fixture_close(fixture);
}

static void test_an_action_is_retried_until_attempts_run_out(void **state)
{
    struct fixture *fixture = open_basic();

    (void)state;
    fixture_submit(fixture, "retry", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_ATTEMPT, 0), 3);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_RETRY, ATAMO_REASON_TRANSIENT), 2);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DEAD, ATAMO_REASON_ATTEMPTS), 1);
    fixture_close(fixture);
}

static void test_an_action_that_succeeds_at_the_third_attempt_is_done(void **state)
{
    struct fixture *fixture = open_basic();

    (void)state;
    fixture_submit(fixture, "third", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_stats(fixture).retries, 2);
    assert_int_equal(fixture_stats(fixture).done, 1);
    fixture_close(fixture);
}

static void test_a_dead_letter_can_be_replayed(void **state)
{
    struct fixture *fixture = open_basic();
    atamo_dead_letter letter = {.size = sizeof letter};

    (void)state;
    fixture_submit(fixture, "fail", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(atamo_dead_next(fixture->hub, 0, &letter), ATAMO_OK);
    assert_int_equal(atamo_dead_replay(fixture->hub, letter.id), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 2);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_REPLAYED, 0), 1);
    assert_int_equal(fixture_stats(fixture).dead, 2);
    assert_int_equal(fixture_stats(fixture).dead_letters, 1);
    assert_int_equal(atamo_dead_replay(fixture->hub, letter.id), ATAMO_NOT_FOUND);
    fixture_close(fixture);
}

static void test_a_follow_up_event_names_its_cause(void **state)
{
    struct fixture *fixture = open_basic();
    uint64_t first = 0;

    (void)state;
    fixture_submit(fixture, "emit", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 2);
    for (size_t i = 0; i < fixture->record_count; i++) {
        const atamo_telemetry *record = &fixture->records[i];

        if (record->step != ATAMO_STEP_ADMITTED)
            continue;
        if (first == 0)
            first = record->message;
        else
            assert_true(record->value[1] == first);
    }
    fixture_close(fixture);
}

static void test_a_deadline_ends_an_attempt_that_never_answers(void **state)
{
    struct fixture *fixture = open_basic();

    (void)state;
    fixture_submit(fixture, "hold", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_RETRY, ATAMO_REASON_DEADLINE), 2);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DEAD, ATAMO_REASON_ATTEMPTS), 1);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_HUB, ATAMO_REASON_STALE_SETTLE) == 3);
    assert_int_equal(fixture_stats(fixture).dead, 1);
    fixture_close(fixture);
}

static void test_actions_with_the_same_key_run_in_order(void **state)
{
    struct fixture *fixture = open_basic();
    uint64_t last = 0;

    (void)state;
    for (int i = 0; i < 200; i++)
        fixture_submit(fixture, i % 3 == 0 ? "third" : "both", "{}", "one-key");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 200);
    for (size_t i = 0; i < fixture->record_count; i++) {
        const atamo_telemetry *record = &fixture->records[i];

        if (record->step != ATAMO_STEP_DONE || record->action != 1)
            continue;
        assert_true(record->message > last);
        last = record->message;
    }
    assert_int_equal(fixture_stats(fixture).dead, 0);
    fixture_close(fixture);
}

static void test_why_tells_matches_failures_and_the_fate_of_actions(void **state)
{
    struct fixture *fixture = open_basic();
    atamo_event_draft draft = atamo_draft("fail");
    char text[8192];
    size_t size = 0;

    (void)state;
    draft.id = atamo_text("my-id");
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(atamo_why(fixture->hub, "my-id", text, sizeof text, &size), ATAMO_OK);
    assert_non_null(strstr(text, "{\"id\":\"fail\",\"matched\":true"));
    assert_non_null(strstr(text, "{\"id\":\"both\",\"matched\":false"));
    assert_non_null(strstr(text, "it cannot be done"));
    assert_int_equal(atamo_why(fixture->hub, "other", text, sizeof text, &size), ATAMO_NOT_FOUND);
    fixture_close(fixture);
}

static void test_a_broken_reload_changes_nothing_and_says_why(void **state)
{
    struct fixture *fixture = open_basic();
    atamo_report *report = NULL;

    (void)state;
    assert_int_equal(atamo_reload(fixture->hub, NULL,
                                  atamo_text("agents: {a: {plugin: obediant}}\nrule: []\n"),
                                  &report),
                     ATAMO_INVALID);
    assert_int_equal(atamo_report_count(report), 2);
    assert_non_null(strstr(atamo_report_at(report, 0).text, "did you mean \"rules\""));
    atamo_report_free(report);
    fixture_submit(fixture, "both", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_stats(fixture).done, 2);
    fixture_close(fixture);
}

static void test_a_reload_under_load_loses_nothing(void **state)
{
    struct fixture *fixture = open_basic();
    int sent = 0;

    (void)state;
    for (int reload = 0; reload < 20; reload++) {
        for (int i = 0; i < 50; i++, sent++)
            fixture_submit(fixture, "both", "{}", "");
        assert_int_equal(atamo_reload(fixture->hub, NULL, atamo_text(basic), NULL), ATAMO_OK);
        fixture_step_once(fixture);
    }
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1000);
    assert_int_equal(fixture_stats(fixture).done, 2000);
    assert_int_equal(fixture_stats(fixture).generation, 21);
    fixture_close(fixture);
}

static void test_a_cancelled_request_calls_back_no_more(void **state)
{
    struct fixture *fixture = open_basic();
    atamo_event_draft draft = atamo_draft("hold");
    uint64_t request = 0;

    (void)state;
    assert_int_equal(
        atamo_request(fixture->client, &draft, NULL, fixture_take_replies, fixture, &request),
        ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_ATTEMPT, 0) == 1);
    assert_int_equal(atamo_cancel(fixture->client, request), ATAMO_OK);
    assert_int_equal(atamo_cancel(fixture->client, request), ATAMO_NOT_FOUND);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_CANCELLED, 0) == 1);
    assert_int_equal(fixture->reply_count, 0);
    fixture_close(fixture);
}

static void test_closing_a_client_with_open_requests_is_safe(void **state)
{
    struct fixture *fixture = open_basic();

    (void)state;
    for (int i = 0; i < 100; i++) {
        atamo_event_draft draft = atamo_draft(i % 2 == 0 ? "both" : "retry");

        assert_int_equal(
            atamo_request(fixture->client, &draft, NULL, fixture_take_replies, fixture, NULL),
            ATAMO_OK);
    }
    atamo_client_close(fixture->client);
    fixture->client = NULL;
    fixture_close(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_reaches_every_agent_of_its_rule),
        cmocka_unit_test(test_an_event_that_no_rule_matches_is_finished_and_counted),
        cmocka_unit_test(test_a_request_hears_the_responses_and_then_the_end),
        cmocka_unit_test(test_a_template_fills_the_body_from_the_event),
        cmocka_unit_test(test_a_rule_whose_template_misses_a_field_fails_with_an_alert),
        cmocka_unit_test(test_malformed_data_is_refused_with_a_reason),
        cmocka_unit_test(test_a_permanent_failure_becomes_a_dead_letter_at_once),
        cmocka_unit_test(test_an_action_is_retried_until_attempts_run_out),
        cmocka_unit_test(test_an_action_that_succeeds_at_the_third_attempt_is_done),
        cmocka_unit_test(test_a_dead_letter_can_be_replayed),
        cmocka_unit_test(test_a_follow_up_event_names_its_cause),
        cmocka_unit_test(test_a_deadline_ends_an_attempt_that_never_answers),
        cmocka_unit_test(test_actions_with_the_same_key_run_in_order),
        cmocka_unit_test(test_why_tells_matches_failures_and_the_fate_of_actions),
        cmocka_unit_test(test_a_broken_reload_changes_nothing_and_says_why),
        cmocka_unit_test(test_a_reload_under_load_loses_nothing),
        cmocka_unit_test(test_a_cancelled_request_calls_back_no_more),
        cmocka_unit_test(test_closing_a_client_with_open_requests_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
