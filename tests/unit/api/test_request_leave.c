/* Requests that a client leaves, or that are left by one that closes, and that somebody takes up:
 * what was not handed out waits, for as long as it was said. */
#include "requests.h"

static const char yaml[] = "agents: {a: {plugin: actor}, b: {plugin: actor}}\n"
                           "hub: {max_messages: 2}\n"
                           "rules:\n"
                           "  - {id: one, on: one, then: {agent: a, action: hold}}\n"
                           "  - {id: echo, on: echo, then: {agent: a, action: echo}}\n";

static struct stage *stage;
static struct ear *ear, *other;

static int open_stage(void **state)
{
    (void)state;
    stage = stage_open(yaml);
    ear = ear_open(stage);
    other = ear_open(stage);
    return 0;
}

static void close_ear(struct ear **which)
{
    if ((*which)->client != NULL)
        atamo_client_close((*which)->client);
    free(*which);
    *which = NULL;
}

static int close_stage(void **state)
{
    (void)state;
    close_ear(&ear);
    close_ear(&other);
    stage_close(stage);
    return 0;
}

static void ask(const char *type, uint32_t slow, uint32_t queue, uint32_t flags)
{
    atamo_request_options options = {
        .slow = slow, .queue = queue, .flags = flags, .keep_ms = 1000, .timeout_ms = UINT32_MAX};

    (void)ear_ask(ear, type, &options);
}

static int say(int number, const char *key)
{
    char text[16];
    int status;

    (void)snprintf(text, sizeof text, "%d", number);
    status = key == NULL ? held_say(stage_held(stage, 0), text)
                         : held_say_about(stage_held(stage, 0), key, text);
    stage_settle_down(stage);
    return status;
}

static int attach(struct ear *who)
{
    const int status = atamo_attach(who->client, ear->request, ear_listen, who);

    who->request = ear->request;
    return status;
}

static void leave(void)
{
    assert_int_equal(atamo_leave(ear->client, ear->request), ATAMO_OK);
}

static void end(void)
{
    held_done(stage_held(stage, 0));
    stage_settle_down(stage);
}

static void test_another_client_takes_up_what_waits_and_what_comes(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 0, 0);
    (void)say(0, NULL);
    ear_hear(stage, ear);
    (void)say(1, NULL); /* on its way to the client that leaves */
    leave();
    (void)say(2, NULL); /* while nobody listens */
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
    assert_int_equal(attach(other), ATAMO_OK);
    (void)say(3, NULL);
    end();
    ear_hear(stage, other);
    assert_int_equal(other->count, 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(other->replies[i].sequence, i + 2);
        assert_int_equal(fixture_number(other->replies[i].body), i + 1);
        assert_true(other->replies[i].request == ear->request);
    }
    assert_ended(other, ATAMO_OK, "");
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
}

static void test_whoever_left_it_may_take_it_up_again(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 0, 0);
    for (int i = 0; i < 5; i++) {
        (void)say(i, NULL);
        leave();
        assert_int_equal(attach(ear), ATAMO_OK);
    }
    end();
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 6);
    assert_gaps_are_counted(ear);
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(stage_stats(stage).replies, 5);
}

static void test_one_that_has_ended_can_still_be_taken_up(void **state)
{
    (void)state;
    ask("echo", ATAMO_SLOW_BLOCK, 0, 0);
    stage_settle_down(stage);
    leave();
    stage_advance(stage, 900);
    assert_int_equal(attach(other), ATAMO_OK);
    ear_hear(stage, other);
    assert_int_equal(other->count, 2);
    assert_gaps_are_counted(other);
    assert_ended(other, ATAMO_OK, "");
    assert_int_equal(attach(ear), ATAMO_NOT_FOUND);
}

static void test_a_client_that_closes_leaves_what_is_to_be_kept(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 0, 0);
    (void)say(0, NULL);
    ear_hear(stage, ear);
    (void)say(1, NULL);
    atamo_client_close(ear->client);
    ear->client = NULL;
    assert_int_equal(stage_held(stage, 0)->cancelled, 0);
    assert_int_equal(attach(other), ATAMO_OK);
    end();
    ear_hear(stage, other);
    assert_int_equal(other->count, 2);
    assert_heard(other, 0, ATAMO_REPLY_DATA, "a", "1");
    assert_ended(other, ATAMO_OK, "");
}

static void test_only_what_has_a_time_to_be_kept_can_be_left(void **state)
{
    (void)state;
    (void)ear_ask(ear, "one", NULL);
    assert_int_equal(atamo_leave(ear->client, ear->request), ATAMO_UNSUPPORTED);
    assert_int_equal(atamo_leave(ear->client, ear->request + 1), ATAMO_NOT_FOUND);
    assert_int_equal(atamo_leave(other->client, ear->request), ATAMO_NOT_FOUND);
    assert_int_equal(attach(other), ATAMO_NOT_FOUND);
    (void)stage_held(stage, 0);
    end();
    ear_hear(stage, ear);
    assert_int_equal(atamo_leave(ear->client, ear->request), ATAMO_NOT_FOUND);
}

static void test_one_client_at_a_time_has_a_request(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 0, 0);
    (void)stage_held(stage, 0);
    assert_int_equal(attach(other), ATAMO_NOT_FOUND);
    leave();
    assert_int_equal(atamo_leave(ear->client, ear->request), ATAMO_NOT_FOUND);
    assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_NOT_FOUND);
    assert_int_equal(attach(other), ATAMO_OK);
    assert_int_equal(attach(ear), ATAMO_NOT_FOUND);
    assert_int_equal(atamo_cancel(other->client, other->request), ATAMO_OK);
    assert_int_equal(stage_held(stage, 0)->cancelled, ATAMO_REASON_CLIENT);
    ear_hear(stage, other);
    assert_int_equal(other->count, 0);
}

static void test_leaving_some_does_not_touch_the_others(void **state)
{
    uint64_t requests[60];

    (void)state;
    for (size_t i = 0; i < 60; i++) {
        ask("one", ATAMO_SLOW_BLOCK, 0, 0);
        requests[i] = ear->request;
    }
    for (size_t i = 0; i < 60; i += 2)
        assert_int_equal(atamo_leave(ear->client, requests[i]), ATAMO_OK);
    for (size_t i = 1; i < 60; i += 2)
        assert_int_equal(atamo_cancel(ear->client, requests[i]), ATAMO_OK);
    for (size_t i = 0; i < 60; i += 2) {
        assert_int_equal(atamo_cancel(ear->client, requests[i]), ATAMO_NOT_FOUND);
        assert_int_equal(atamo_attach(other->client, requests[i], ear_listen, other), ATAMO_OK);
    }
    for (size_t i = 0; i < 60; i += 2)
        assert_int_equal(atamo_cancel(other->client, requests[i]), ATAMO_OK);
    ear_hear(stage, ear);
    ear_hear(stage, other);
    assert_int_equal(ear->count + other->count, 0);
}

static void test_what_nobody_takes_up_in_time_is_forgotten_and_its_work_cancelled(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 0, 0);
    (void)say(0, NULL);
    leave();
    stage_advance(stage, 998);
    assert_int_equal(stage_held(stage, 0)->cancelled, 0);
    stage_advance(stage, 3);
    assert_int_equal(stage_held(stage, 0)->cancelled, ATAMO_REASON_CLIENT);
    assert_int_equal(stage_stats(stage).requests, 0);
    assert_int_equal(attach(other), ATAMO_NOT_FOUND);
    stage_advance(stage, 10000); /* nothing rings for it any more */
}

static void test_what_has_ended_is_kept_as_long_again_and_then_forgotten(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 0, 0);
    (void)stage_held(stage, 0);
    leave();
    stage_advance(stage, 900);
    end();
    stage_advance(stage, 900);
    assert_int_equal(attach(other), ATAMO_OK);
    assert_int_equal(atamo_leave(other->client, other->request), ATAMO_OK);
    stage_advance(stage, 1001);
    assert_int_equal(attach(other), ATAMO_NOT_FOUND);
}

static void test_one_that_is_not_let_in_yet_can_be_left_and_forgotten(void **state)
{
    (void)state;
    (void)ear_ask(other, "one", NULL);
    (void)ear_ask(other, "one", NULL);
    (void)stage_held(stage, 1);
    ask("echo", ATAMO_SLOW_BLOCK, 0, 0); /* there is no room for it */
    leave();
    stage_advance(stage, 1001);
    assert_int_equal(attach(ear), ATAMO_NOT_FOUND);
    held_done(stage_held(stage, 0));
    held_done(stage_held(stage, 1));
    stage_settle_down(stage);
    assert_int_equal(stage_stats(stage).done, 2);
    assert_int_equal(stage_stats(stage).refused, 1);
}

static void test_an_agent_that_waits_goes_on_with_the_one_who_takes_it_up(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 2, 0);
    assert_int_equal(say(0, NULL), ATAMO_OK);
    assert_int_equal(say(1, NULL), ATAMO_OK);
    assert_int_equal(say(2, NULL), ATAMO_BUSY);
    leave();
    assert_int_equal(say(2, NULL), ATAMO_BUSY);
    assert_int_equal(attach(other), ATAMO_OK);
    ear_hear(stage, other);
    stage_settle_down(stage);
    assert_int_equal(stage_held(stage, 0)->rooms, 1);
    assert_int_equal(say(2, NULL), ATAMO_OK);
    end();
    ear_hear(stage, other);
    assert_int_equal(other->count, 4);
    assert_gaps_are_counted(other);
}

static void test_what_was_handed_out_and_not_taken_makes_room_when_it_is_left(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 2, ATAMO_BY_HAND);
    assert_int_equal(say(0, NULL), ATAMO_OK);
    assert_int_equal(say(1, NULL), ATAMO_OK);
    assert_int_equal(say(2, NULL), ATAMO_BUSY);
    ear_hear(stage, ear);
    assert_int_equal(stage_held(stage, 0)->rooms, 0);
    leave();
    stage_settle_down(stage);
    assert_int_equal(stage_held(stage, 0)->rooms, 1);
    assert_int_equal(say(2, NULL), ATAMO_OK);
    assert_int_equal(attach(other), ATAMO_OK);
    ear_hear(stage, other);
    assert_int_equal(other->count, 1);
    assert_int_equal(atamo_taken(other->client, other->request, 2), ATAMO_INVALID);
    assert_int_equal(atamo_taken(other->client, other->request, 1), ATAMO_OK);
    end();
}

static void test_as_many_wait_for_nobody_as_for_a_client(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_OLDEST, 8, 0);
    for (int i = 0; i < 50; i++)
        (void)say(i, NULL);
    leave();
    for (int i = 50; i < 100; i++)
        (void)say(i, NULL);
    end();
    assert_int_equal(attach(other), ATAMO_OK);
    ear_hear(stage, other);
    assert_int_equal(other->count, 9);
    assert_gaps_are_counted(other);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(fixture_number(other->replies[i].body), 92 + i);
}

static void test_the_latest_of_each_key_waits_for_who_takes_it_up(void **state)
{
    static const char *const keys[] = {"EUR", "USD"};

    (void)state;
    ask("one", ATAMO_SLOW_LATEST, 8, 0);
    (void)say(-1, "EUR"); /* on its way to the client that leaves */
    (void)say(-2, "EUR");
    leave();
    for (int i = 0; i < 50; i++)
        (void)say(i, keys[i % 2]);
    end();
    assert_int_equal(attach(other), ATAMO_OK);
    ear_hear(stage, other);
    assert_int_equal(other->count, 3);
    assert_heard(other, 0, ATAMO_REPLY_DATA, "a", "48");
    assert_heard(other, 1, ATAMO_REPLY_DATA, "a", "49");
    assert_gaps_are_counted(other);
}

static void test_what_was_on_its_way_gives_way_to_newer_ones_of_its_key(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_LATEST, 8, 0);
    (void)say(0, "EUR"); /* on its way to the client that leaves */
    (void)say(1, "EUR"); /* held back */
    leave();
    assert_int_equal(attach(other), ATAMO_OK);
    end();
    ear_hear(stage, other);
    assert_int_equal(other->count, 2);
    assert_heard(other, 0, ATAMO_REPLY_DATA, "a", "1");
    assert_int_equal(other->replies[0].lost, 1);
}

static void leave_here(struct ear *who)
{
    who->status = atamo_leave(who->client, who->request);
}

static void test_no_callback_follows_when_it_is_left_from_inside_a_callback(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 0, ATAMO_BY_HAND);
    (void)say(0, NULL);
    ear->then = leave_here;
    ear_hear(stage, ear);
    assert_int_equal(ear->status, ATAMO_OK);
    (void)say(1, NULL);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
    assert_int_equal(attach(other), ATAMO_OK);
    end();
    ear_hear(stage, other);
    assert_int_equal(other->count, 2);
    assert_heard(other, 0, ATAMO_REPLY_DATA, "a", "1");
}

static void test_a_hub_that_closes_lets_go_of_what_was_left(void **state)
{
    (void)state;
    ask("echo", ATAMO_SLOW_BLOCK, 0, 0);
    stage_settle_down(stage);
    leave();
    ask("one", ATAMO_SLOW_BLOCK, 0, ATAMO_FEED);
    (void)say(0, NULL);
    leave();
    stage_settle_down(stage);
    assert_int_equal(stage_stats(stage).feeds, 1);
    close_ear(&ear);
    close_ear(&other);
    assert_int_equal(atamo_close(stage->hub, 5000), ATAMO_OK);
    assert_int_equal(stage_held(stage, 0)->cancelled, ATAMO_REASON_FEED_END);
    free(stage);
    assert_int_equal(open_stage(state), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(test_another_client_takes_up_what_waits_and_what_comes),
        TEST(test_whoever_left_it_may_take_it_up_again),
        TEST(test_one_that_has_ended_can_still_be_taken_up),
        TEST(test_a_client_that_closes_leaves_what_is_to_be_kept),
        TEST(test_only_what_has_a_time_to_be_kept_can_be_left),
        TEST(test_one_client_at_a_time_has_a_request),
        TEST(test_leaving_some_does_not_touch_the_others),
        TEST(test_what_nobody_takes_up_in_time_is_forgotten_and_its_work_cancelled),
        TEST(test_what_has_ended_is_kept_as_long_again_and_then_forgotten),
        TEST(test_one_that_is_not_let_in_yet_can_be_left_and_forgotten),
        TEST(test_an_agent_that_waits_goes_on_with_the_one_who_takes_it_up),
        TEST(test_what_was_handed_out_and_not_taken_makes_room_when_it_is_left),
        TEST(test_as_many_wait_for_nobody_as_for_a_client),
        TEST(test_the_latest_of_each_key_waits_for_who_takes_it_up),
        TEST(test_what_was_on_its_way_gives_way_to_newer_ones_of_its_key),
        TEST(test_no_callback_follows_when_it_is_left_from_inside_a_callback),
        TEST(test_a_hub_that_closes_lets_go_of_what_was_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
