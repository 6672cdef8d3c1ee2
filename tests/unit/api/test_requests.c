/* Requests: who answers, how many answers are wanted, how they end and what END says. */
#include "requests.h"

static const char yaml[] =
    "agents:\n"
    "  a: {plugin: actor, retry: {attempts: 3, base: 1s, max: 1s}}\n"
    "  b: {plugin: actor}\n"
    "  c: {plugin: actor}\n"
    "rules:\n"
    "  - {id: first, on: [three, pair], then: {agent: a, action: hold}}\n"
    "  - {id: second, on: [three, pair], then: {agent: b, action: hold}}\n"
    "  - {id: third, on: three, then: {agent: c, action: hold}}\n"
    "  - {id: mixed, on: mixed, then: [{agent: a, action: echo}, {agent: b, action: fail}]}\n"
    "  - {id: one, on: one, then: {agent: a, action: hold, deadline: 30d}}\n"
    "  - {id: elsewhere, on: elsewhere, then: {agent: a, action: elsewhere}}\n"
    "  - {id: quick, on: quick, then: [{agent: a, action: echo}, {agent: b, action: hold}]}\n"
    "  - {id: late, on: late, then: [{agent: a, action: hold, deadline: 10s, retry: {attempts: "
    "1}},\n"
    "     {agent: b, action: hold, deadline: 1h}]}\n";

static void test_all_agents_answer_and_the_end_says_how_many(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);

    (void)state;
    assert_true(ear_ask(ear, "three", NULL) != 0);
    assert_int_equal(held_say(stage_held(stage, 1), "from b"), ATAMO_OK);
    assert_int_equal(stage_held(stage, 1)->flags, ATAMO_WANTS_RESPONSES);
    held_done(stage_held(stage, 1));
    assert_int_equal(held_say(stage_held(stage, 0), "from a"), ATAMO_OK);
    held_done(stage_held(stage, 0));
    ear_hear(stage, ear);
    assert_int_equal(ear->ends, 0);
    held_done(stage_held(stage, 2));
    ear_hear(stage, ear);
    assert_heard(ear, 0, ATAMO_REPLY_DATA, "b", "from b");
    assert_string_equal(ear->replies[0].rule, "second");
    assert_heard(ear, 1, ATAMO_REPLY_DATA, "a", "from a");
    assert_string_equal(ear->replies[1].rule, "first");
    assert_int_equal(ear->count, 3);
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(ear->replies[2].done, 3);
    assert_int_equal(ear->replies[2].actions, 3);
    assert_gaps_are_counted(ear);
    ear_close(ear);
    stage_close(stage);
}

static void test_the_first_answer_is_enough_and_the_other_agents_are_cancelled(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.answers = 1};

    (void)state;
    (void)ear_ask(ear, "three", &options);
    assert_int_equal(held_say(stage_held(stage, 2), "from c"), ATAMO_OK);
    held_done(stage_held(stage, 2));
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 2);
    assert_heard(ear, 0, ATAMO_REPLY_DATA, "c", "from c");
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(ear->replies[1].done, 1);
    assert_int_equal(ear->replies[1].actions, 3);
    assert_int_equal(stage_held(stage, 0)->cancelled, ATAMO_REASON_ENOUGH);
    assert_int_equal(stage_held(stage, 1)->cancelled, ATAMO_REASON_ENOUGH);
    assert_int_equal(stage_stats(stage).cancelled, 2);
    ear_close(ear);
    stage_close(stage);
}

static void test_an_agent_that_settles_at_once_spares_those_behind_it(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.answers = 1};

    (void)state;
    (void)ear_ask(ear, "quick", &options);
    ear_hear(stage, ear);
    assert_heard(ear, 0, ATAMO_REPLY_DATA, "a", "{}");
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(stage_stats(stage).cancelled, 1);
    ear_close(ear);
    stage_close(stage);
}

static void test_a_quorum_counts_those_that_are_done_and_not_those_that_failed(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.answers = 2};

    (void)state;
    (void)ear_ask(ear, "three", &options);
    atamo_fail(stage_held(stage, 0)->host, stage_held(stage, 0)->action, "no");
    held_done(stage_held(stage, 1));
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 0);
    held_done(stage_held(stage, 2));
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
    assert_int_equal(ear->replies[0].status, ATAMO_OK);
    assert_int_equal(ear->replies[0].done, 2);
    assert_int_equal(ear->replies[0].actions, 3);
    ear_close(ear);
    stage_close(stage);
}

static void test_a_quorum_that_is_not_reached_ends_with_the_last_agent(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.answers = 2};

    (void)state;
    (void)ear_ask(ear, "pair", &options);
    held_done(stage_held(stage, 0));
    atamo_fail(stage_held(stage, 1)->host, stage_held(stage, 1)->action, "no");
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_IO, "no");
    assert_int_equal(ear->replies[0].done, 1);
    assert_int_equal(ear->replies[0].actions, 2);
    ear_close(ear);
    stage_close(stage);
}

static void test_a_failure_is_told_with_its_reason_at_the_end(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);

    (void)state;
    (void)ear_ask(ear, "mixed", NULL);
    ear_hear(stage, ear);
    assert_heard(ear, 0, ATAMO_REPLY_DATA, "a", "{}");
    assert_ended(ear, ATAMO_IO, "it cannot be done");
    assert_int_equal(ear->replies[1].done, 1);
    ear_close(ear);
    stage_close(stage);
}

static void test_each_part_tells_its_end_if_it_is_asked_to(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.flags = ATAMO_PARTS, .answers = 1};

    (void)state;
    (void)ear_ask(ear, "three", &options);
    atamo_fail(stage_held(stage, 1)->host, stage_held(stage, 1)->action, "b cannot");
    ear_hear(stage, ear);
    assert_heard(ear, 0, ATAMO_REPLY_PART, "b", "b cannot");
    assert_string_equal(ear->replies[0].rule, "second");
    assert_int_equal(ear->replies[0].status, ATAMO_IO);
    assert_int_equal(held_say(stage_held(stage, 2), "c can"), ATAMO_OK);
    held_done(stage_held(stage, 2));
    ear_hear(stage, ear);
    assert_heard(ear, 1, ATAMO_REPLY_DATA, "c", "c can");
    assert_heard(ear, 2, ATAMO_REPLY_PART, "c", "");
    assert_int_equal(ear->replies[2].status, ATAMO_OK);
    assert_int_equal(ear->count, 4);
    assert_ended(ear, ATAMO_OK, "b cannot");
    assert_gaps_are_counted(ear);
    ear_close(ear);
    stage_close(stage);
}

static void test_what_a_thread_said_before_the_agent_was_done_is_heard(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);

    (void)state;
    (void)ear_ask(ear, "elsewhere", NULL);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 2);
    assert_heard(ear, 0, ATAMO_REPLY_DATA, "a", "from a thread");
    assert_ended(ear, ATAMO_OK, "");
    ear_close(ear);
    stage_close(stage);
}

static void test_an_attempt_that_is_tried_again_is_no_end_of_a_part(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.flags = ATAMO_PARTS, .timeout_ms = UINT32_MAX};

    (void)state;
    (void)ear_ask(ear, "one", &options);
    atamo_retry(stage_held(stage, 0)->host, stage_held(stage, 0)->action, 0, "not yet");
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 0);
    stage_advance(stage, 5000);
    assert_int_equal(stage_held(stage, 1)->attempt, 2);
    held_done(stage_held(stage, 1));
    ear_hear(stage, ear);
    assert_heard(ear, 0, ATAMO_REPLY_PART, "a", "");
    assert_ended(ear, ATAMO_OK, "");
    ear_close(ear);
    stage_close(stage);
}

static void test_progress_comes_between_the_responses(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    const struct held *held;

    (void)state;
    (void)ear_ask(ear, "one", NULL);
    held = stage_held(stage, 0);
    assert_int_equal(atamo_progress(held->host, held->action, 0.25, "a quarter"), ATAMO_OK);
    assert_int_equal(held_say_about(held, "EUR", "1.1"), ATAMO_OK);
    assert_int_equal(atamo_progress(held->host, held->action, 1, ""), ATAMO_OK);
    held_done(held);
    ear_hear(stage, ear);
    assert_heard(ear, 0, ATAMO_REPLY_PROGRESS, "a", "a quarter");
    assert_true(ear->replies[0].progress == 0.25);
    assert_heard(ear, 1, ATAMO_REPLY_DATA, "a", "1.1");
    assert_string_equal(ear->replies[1].key, "EUR");
    assert_heard(ear, 2, ATAMO_REPLY_PROGRESS, "a", "");
    assert_ended(ear, ATAMO_OK, "");
    assert_gaps_are_counted(ear);
    ear_close(ear);
    stage_close(stage);
}

static void test_when_the_time_is_over_the_agents_are_cancelled(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.timeout_ms = 500};

    (void)state;
    (void)ear_ask(ear, "pair", &options);
    held_done(stage_held(stage, 0));
    stage_advance(stage, 498);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 0);
    stage_advance(stage, 3); /* a timer may be a tick late */
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_TIMEOUT, "the request's time is over");
    assert_int_equal(ear->replies[0].done, 1);
    assert_int_equal(ear->replies[0].actions, 2);
    assert_int_equal(stage_held(stage, 1)->cancelled, ATAMO_REASON_CLIENT);
    ear_close(ear);
    stage_close(stage);
}

static void test_a_request_has_half_a_minute_if_it_does_not_say(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    struct ear *patient = ear_open(stage);
    atamo_request_options never = {.timeout_ms = UINT32_MAX};

    (void)state;
    (void)ear_ask(ear, "one", NULL);
    (void)ear_ask(patient, "one", &never);
    (void)stage_held(stage, 1);
    stage_advance(stage, 29998);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 0);
    stage_advance(stage, 3); /* a timer may be a tick late */
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_TIMEOUT, "the request's time is over");
    stage_advance(stage, INT64_C(86400) * 1000);
    ear_hear(stage, patient);
    assert_int_equal(patient->count, 0);
    held_done(stage_held(stage, 1));
    ear_hear(stage, patient);
    assert_ended(patient, ATAMO_OK, "");
    ear_close(ear);
    ear_close(patient);
    stage_close(stage);
}

static void test_who_only_listens_cancels_nothing_when_the_time_is_over(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.timeout_ms = 500, .flags = ATAMO_DETACHED};

    (void)state;
    (void)ear_ask(ear, "one", &options);
    (void)stage_held(stage, 0);
    stage_advance(stage, 500);
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_TIMEOUT, "the request's time is over");
    assert_int_equal(stage_held(stage, 0)->cancelled, 0);
    assert_int_equal(held_say(stage_held(stage, 0), "nobody hears"), ATAMO_OK);
    held_done(stage_held(stage, 0));
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
    assert_int_equal(stage_stats(stage).done, 1);
    ear_close(ear);
    stage_close(stage);
}

static void test_who_only_listens_to_the_first_lets_the_others_finish(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.answers = 1, .flags = ATAMO_DETACHED};

    (void)state;
    (void)ear_ask(ear, "three", &options);
    held_done(stage_held(stage, 1));
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_OK, "");
    held_done(stage_held(stage, 0));
    held_done(stage_held(stage, 2));
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
    assert_int_equal(stage_stats(stage).done, 3);
    ear_close(ear);
    stage_close(stage);
}

static void test_acceptance_alone_ends_a_request_that_waits_for_no_more(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.flags = ATAMO_UNTIL_ACCEPTED};

    (void)state;
    (void)ear_ask(ear, "one", &options);
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(stage_held(stage, 0)->flags, 0);
    held_done(stage_held(stage, 0));
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
    ear_close(ear);
    stage_close(stage);
}

static void test_a_request_that_no_rule_matches_says_so(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);

    (void)state;
    (void)ear_ask(ear, "nothing", NULL);
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_NOT_FOUND, "");
    assert_int_equal(ear->replies[0].actions, 0);
    ear_close(ear);
    stage_close(stage);
}

static void test_options_that_contradict_each_other_are_refused(void **state)
{
    const atamo_request_options wrong[] = {
        {.size = sizeof wrong[0], .flags = ATAMO_UNTIL_ACCEPTED | ATAMO_FEED},
        {.size = sizeof wrong[0], .slow = ATAMO_SLOW_LATEST + 1},
        {.size = sizeof wrong[0], .queue = UINT16_MAX + 1},
    };
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    const atamo_event_draft draft = atamo_draft("one");

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(atamo_request(ear->client, &draft, &wrong[i], ear_listen, ear, NULL),
                         ATAMO_INVALID);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 0);
    assert_int_equal(stage_stats(stage).accepted, 0);
    ear_close(ear);
    stage_close(stage);
}

static void test_a_program_of_an_older_release_gets_the_defaults(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    const atamo_event_draft draft = atamo_draft("three");
    /* What is behind its size is not read. */
    const atamo_request_options old = {
        .size = offsetof(atamo_request_options, answers), .timeout_ms = 700, .answers = 1};

    (void)state;
    assert_int_equal(atamo_request(ear->client, &draft, &old, ear_listen, ear, NULL), ATAMO_OK);
    held_done(stage_held(stage, 0));
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 0);
    (void)stage_held(stage, 2);
    stage_advance(stage, 700);
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_TIMEOUT, "the request's time is over");
    ear_close(ear);
    stage_close(stage);
}

static void test_what_an_agent_says_after_the_end_of_its_part_is_not_heard(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    atamo_request_options options = {.flags = ATAMO_PARTS};

    (void)state;
    atomic_store(&stage->settles_on_cancel, false);
    (void)ear_ask(ear, "late", &options);
    (void)stage_held(stage, 1);
    stage_advance(stage, 10001);
    (void)held_say(stage_held(stage, 0), "too late");
    held_done(stage_held(stage, 0));
    ear_hear(stage, ear);
    assert_heard(ear, 0, ATAMO_REPLY_PART, "a", "deadline passed");
    assert_int_equal(ear->count, 1);
    held_done(stage_held(stage, 1));
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_IO, "deadline passed");
    ear_close(ear);
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_agents_answer_and_the_end_says_how_many),
        cmocka_unit_test(test_the_first_answer_is_enough_and_the_other_agents_are_cancelled),
        cmocka_unit_test(test_an_agent_that_settles_at_once_spares_those_behind_it),
        cmocka_unit_test(test_a_quorum_counts_those_that_are_done_and_not_those_that_failed),
        cmocka_unit_test(test_a_quorum_that_is_not_reached_ends_with_the_last_agent),
        cmocka_unit_test(test_a_failure_is_told_with_its_reason_at_the_end),
        cmocka_unit_test(test_each_part_tells_its_end_if_it_is_asked_to),
        cmocka_unit_test(test_what_a_thread_said_before_the_agent_was_done_is_heard),
        cmocka_unit_test(test_an_attempt_that_is_tried_again_is_no_end_of_a_part),
        cmocka_unit_test(test_progress_comes_between_the_responses),
        cmocka_unit_test(test_when_the_time_is_over_the_agents_are_cancelled),
        cmocka_unit_test(test_a_request_has_half_a_minute_if_it_does_not_say),
        cmocka_unit_test(test_who_only_listens_cancels_nothing_when_the_time_is_over),
        cmocka_unit_test(test_who_only_listens_to_the_first_lets_the_others_finish),
        cmocka_unit_test(test_acceptance_alone_ends_a_request_that_waits_for_no_more),
        cmocka_unit_test(test_a_request_that_no_rule_matches_says_so),
        cmocka_unit_test(test_options_that_contradict_each_other_are_refused),
        cmocka_unit_test(test_a_program_of_an_older_release_gets_the_defaults),
        cmocka_unit_test(test_what_an_agent_says_after_the_end_of_its_part_is_not_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
