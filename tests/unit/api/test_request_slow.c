/* Clients that are slow: agents are held up, or replies are left out and counted, as the client
 * asked for; never more waits than it said. */
#include "requests.h"

static const char yaml[] = "agents: {a: {plugin: actor}, b: {plugin: actor}, p: {plugin: pooled}}\n"
                           "rules:\n"
                           "  - {id: one, on: one, then: {agent: a, action: hold}}\n"
                           "  - {id: two, on: two, then: [{agent: a, action: hold},\n"
                           "     {agent: b, action: hold}]}\n"
                           "  - {id: pool, on: pool, then: {agent: p, action: hold}}\n";

static struct stage *stage;
static struct ear *ear;

static int open_stage(void **state)
{
    (void)state;
    stage = stage_open(yaml);
    ear = ear_open(stage);
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    ear_close(ear);
    stage_close(stage);
    return 0;
}

static void ask(const char *type, uint32_t slow, uint32_t queue, uint32_t flags)
{
    atamo_request_options options = {
        .slow = slow, .queue = queue, .flags = flags, .timeout_ms = UINT32_MAX};

    (void)ear_ask(ear, type, &options);
}

/* One that is numbered, and about a key if that is not NULL. */
static int say(size_t held, int number, const char *key)
{
    char text[16];
    int status;

    (void)snprintf(text, sizeof text, "%d", number);
    status = key == NULL ? held_say(stage_held(stage, held), text)
                         : held_say_about(stage_held(stage, held), key, text);
    stage_settle_down(stage);
    return status;
}

static int body_of(size_t reply)
{
    return fixture_number(ear->replies[reply].body);
}

static void end(size_t held)
{
    held_done(stage_held(stage, held));
    ear_hear(stage, ear);
}

static void test_block_holds_the_agent_up_and_loses_nothing(void **state)
{
    int sent = 0;

    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 4, 0);
    for (int round = 1; round <= 5; round++) {
        while (say(0, sent, NULL) == ATAMO_OK)
            sent++;
        assert_int_equal(sent, 4 * round);
        assert_int_equal(say(0, sent, NULL), ATAMO_BUSY);
        ear_hear(stage, ear);
        stage_settle_down(stage);
        assert_int_equal(stage_held(stage, 0)->rooms, round);
    }
    end(0);
    assert_int_equal(ear->count, 21);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(body_of(i), i);
    assert_gaps_are_counted(ear);
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(stage_stats(stage).replies_lost, 0);
}

static void test_agents_of_one_request_share_its_queue(void **state)
{
    (void)state;
    ask("two", ATAMO_SLOW_BLOCK, 2, 0);
    (void)stage_held(stage, 1);
    assert_int_equal(say(0, 0, NULL), ATAMO_OK);
    assert_int_equal(say(0, 1, NULL), ATAMO_OK);
    assert_int_equal(say(0, 2, NULL), ATAMO_BUSY);
    assert_int_equal(say(1, 2, NULL), ATAMO_BUSY);
    ear_hear(stage, ear);
    stage_settle_down(stage);
    assert_int_equal(stage_held(stage, 0)->rooms, 1);
    assert_int_equal(stage_held(stage, 1)->rooms, 1);
    end(0);
    end(1);
    assert_ended(ear, ATAMO_OK, "");
}

static void test_the_end_finds_room_where_nothing_else_does(void **state)
{
    (void)state;
    ask("two", ATAMO_SLOW_BLOCK, 1, ATAMO_PARTS);
    (void)stage_held(stage, 1);
    assert_int_equal(say(0, 0, NULL), ATAMO_OK);
    assert_int_equal(say(1, 0, NULL), ATAMO_BUSY);
    held_done(stage_held(stage, 0));
    held_done(stage_held(stage, 1));
    stage_settle_down(stage);
    assert_int_equal(stage_stats(stage).requests, 0);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 4);
    assert_gaps_are_counted(ear);
    assert_ended(ear, ATAMO_OK, "");
}

static void test_who_waits_for_room_is_told_when_nobody_listens_any_more(void **state)
{
    atamo_request_options options = {.queue = 1, .timeout_ms = 100, .flags = ATAMO_DETACHED};

    (void)state;
    (void)ear_ask(ear, "one", &options);
    assert_int_equal(say(0, 0, NULL), ATAMO_OK);
    assert_int_equal(say(0, 1, NULL), ATAMO_BUSY);
    stage_advance(stage, 101);
    assert_int_equal(stage_held(stage, 0)->rooms, 1);
    assert_int_equal(say(0, 1, NULL), ATAMO_OK);
    assert_int_equal(say(0, 2, NULL), ATAMO_OK);
    end(0);
    assert_int_equal(ear->count, 2);
    assert_ended(ear, ATAMO_TIMEOUT, "the request's time is over");
}

static void test_the_oldest_goes_when_as_many_wait_as_may(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_OLDEST, 8, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(say(0, i, NULL), ATAMO_OK);
    assert_int_equal(stage_stats(stage).replies_lost, 92);
    end(0);
    assert_int_equal(ear->count, 9);
    assert_gaps_are_counted(ear);
    assert_int_equal(ear->replies[8].sequence, 101);
    for (size_t i = 4; i < 8; i++)
        assert_int_equal(body_of(i), 92 + i);
    assert_ended(ear, ATAMO_OK, "");
}

static void test_the_path_of_a_message_says_what_was_dropped(void **state)
{
    char path[65536];
    char uuid[37];
    size_t size;

    (void)state;
    ask("one", ATAMO_SLOW_OLDEST, 8, 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(say(0, i, NULL), ATAMO_OK);
    end(0);
    atamo_message_id(stage->hub, ear->request, uuid);
    assert_int_equal(atamo_trace(stage->hub, uuid, path, sizeof path, &size), ATAMO_OK);
    assert_non_null(
        strstr(path, "\"step\":\"dropped\",\"rule\":\"one\",\"agent\":\"a\",\"count\":12}"));
}

static void test_a_queue_of_one_keeps_the_newest(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_OLDEST, 1, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(say(0, i, NULL), ATAMO_OK);
    end(0);
    assert_gaps_are_counted(ear);
    assert_int_equal(body_of(ear->count - 2), 9);
}

static void test_what_is_lost_right_before_the_end_is_told_with_the_end(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_LATEST, 4, 0);
    (void)say(0, 0, "k");
    (void)say(0, 1, "k");
    (void)say(0, 2, "k");
    end(0);
    assert_int_equal(ear->count, 3);
    assert_int_equal(body_of(1), 2);
    assert_int_equal(ear->replies[1].lost, 1);
    assert_gaps_are_counted(ear);
}

static void test_of_each_key_only_the_newest_waits(void **state)
{
    static const char *const keys[] = {"EUR", "USD", "GBP"};

    (void)state;
    ask("one", ATAMO_SLOW_LATEST, 100, 0);
    (void)say(0, -1, "EUR"); /* goes out at once */
    for (int i = 0; i < 300; i++)
        (void)say(0, i, keys[i % 3]);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 4);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(body_of(i), 296 + i);
        assert_string_equal(ear->replies[i].key, keys[i - 1]);
    }
    (void)say(0, 300, "EUR"); /* there is nothing that it could stand for */
    ear_hear(stage, ear);
    assert_int_equal(body_of(4), 300);
    end(0);
    assert_gaps_are_counted(ear);
    assert_int_equal(ear->replies[5].sequence, 303);
    assert_ended(ear, ATAMO_OK, "");
}

static void test_keys_of_two_agents_are_two(void **state)
{
    (void)state;
    ask("two", ATAMO_SLOW_LATEST, 100, 0);
    (void)stage_held(stage, 1);
    (void)say(0, 0, "first");
    for (int i = 1; i < 10; i++) {
        (void)say(0, i, "k");
        (void)say(1, 10 * i, "k");
    }
    end(0);
    end(1);
    assert_int_equal(ear->count, 4);
    assert_heard(ear, 1, ATAMO_REPLY_DATA, "a", "9");
    assert_heard(ear, 2, ATAMO_REPLY_DATA, "b", "90");
    assert_gaps_are_counted(ear);
}

static void test_the_newest_progress_of_an_agent_counts(void **state)
{
    const struct held *held;

    (void)state;
    ask("one", ATAMO_SLOW_LATEST, 100, 0);
    held = stage_held(stage, 0);
    (void)say(0, 0, NULL);
    for (int i = 1; i <= 10; i++)
        assert_int_equal(atamo_progress(held->host, held->action, i / 10.0, ""), ATAMO_OK);
    end(0);
    assert_int_equal(ear->count, 3);
    assert_true(ear->replies[1].progress == 1.0);
    assert_int_equal(ear->replies[1].lost, 9);
    assert_gaps_are_counted(ear);
}

static void test_what_has_no_key_stands_for_itself_as_long_as_there_is_room(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_LATEST, 10, 0);
    for (int i = 0; i < 100; i++)
        (void)say(0, i, i % 2 == 0 ? NULL : "k");
    end(0);
    assert_gaps_are_counted(ear);
    assert_true(ear->count <= 11);
    assert_int_equal(body_of(ear->count - 2), 99);
}

static void test_what_is_not_said_to_be_taken_still_waits(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 4, ATAMO_BY_HAND);
    for (int i = 0; i < 4; i++)
        assert_int_equal(say(0, i, NULL), ATAMO_OK);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 4);
    assert_int_equal(say(0, 4, NULL), ATAMO_BUSY);
    assert_int_equal(atamo_taken(ear->client, ear->request, 5), ATAMO_INVALID);
    assert_int_equal(atamo_taken(ear->client, ear->request + 1, 1), ATAMO_NOT_FOUND);
    assert_int_equal(atamo_taken(ear->client, ear->request, 1), ATAMO_OK);
    stage_settle_down(stage);
    assert_int_equal(stage_held(stage, 0)->rooms, 1);
    assert_int_equal(say(0, 4, NULL), ATAMO_OK);
    assert_int_equal(say(0, 5, NULL), ATAMO_BUSY);
    end(0);
    assert_int_equal(atamo_taken(ear->client, ear->request, 1), ATAMO_NOT_FOUND);
    assert_int_equal(ear->count, 6);
    assert_gaps_are_counted(ear);
}

static void test_the_latest_follows_when_all_was_said_to_be_taken(void **state)
{
    (void)state;
    ask("one", ATAMO_SLOW_LATEST, 4, ATAMO_BY_HAND);
    for (int i = 0; i < 10; i++)
        (void)say(0, i, "k");
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
    assert_int_equal(atamo_taken(ear->client, ear->request, 1), ATAMO_OK);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 2);
    assert_int_equal(body_of(1), 9);
    (void)say(0, 10, "k");
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 2);
    end(0);
    assert_int_equal(ear->count, 2); /* the end comes behind what waits */
    assert_int_equal(atamo_taken(ear->client, ear->request, 1), ATAMO_OK);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 4);
    assert_gaps_are_counted(ear);
    assert_ended(ear, ATAMO_OK, "");
}

static void test_one_slow_request_does_not_hold_up_another_of_its_client(void **state)
{
    struct ear *other = ear_open(stage);

    (void)state;
    ask("one", ATAMO_SLOW_BLOCK, 1, ATAMO_BY_HAND);
    (void)stage_held(stage, 0);
    (void)ear_ask(other, "one", NULL);
    (void)stage_held(stage, 1);
    assert_int_equal(say(0, 0, NULL), ATAMO_OK);
    assert_int_equal(say(0, 1, NULL), ATAMO_BUSY);
    for (int i = 0; i < 100; i++)
        assert_int_equal(say(1, i, NULL), ATAMO_OK);
    held_done(stage_held(stage, 1));
    ear_hear(stage, other);
    assert_int_equal(other->count, 101);
    ear_close(other);
    end(0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(test_block_holds_the_agent_up_and_loses_nothing),
        TEST(test_agents_of_one_request_share_its_queue),
        TEST(test_the_end_finds_room_where_nothing_else_does),
        TEST(test_who_waits_for_room_is_told_when_nobody_listens_any_more),
        TEST(test_the_oldest_goes_when_as_many_wait_as_may),
        TEST(test_the_path_of_a_message_says_what_was_dropped),
        TEST(test_a_queue_of_one_keeps_the_newest),
        TEST(test_what_is_lost_right_before_the_end_is_told_with_the_end),
        TEST(test_of_each_key_only_the_newest_waits),
        TEST(test_keys_of_two_agents_are_two),
        TEST(test_the_newest_progress_of_an_agent_counts),
        TEST(test_what_has_no_key_stands_for_itself_as_long_as_there_is_room),
        TEST(test_what_is_not_said_to_be_taken_still_waits),
        TEST(test_the_latest_follows_when_all_was_said_to_be_taken),
        TEST(test_one_slow_request_does_not_hold_up_another_of_its_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
