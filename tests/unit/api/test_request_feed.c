/* Feeds: what is there, then updates, until every agent has ended its part, the client cancels or
 * the hub closes. */
#include "requests.h"

#include <atamo/control.h>

static const char yaml[] =
    "agents:\n"
    "  a: {plugin: actor, retry: {attempts: 1}}\n"
    "  b: {plugin: actor}\n"
    "rules:\n"
    "  - {id: one, on: one, then: {agent: a, action: hold, deadline: 10s}}\n"
    "  - {id: two, on: two, then: [{agent: a, action: hold}, {agent: b, action: hold}]}\n"
    "  - {id: again, on: again, then: {agent: a, action: hold, retry: {attempts: 3}}}\n";

static void ask_feed(struct ear *ear, const char *type, uint32_t flags, uint32_t timeout_ms)
{
    atamo_request_options options = {.flags = ATAMO_FEED | flags, .timeout_ms = timeout_ms};

    (void)ear_ask(ear, type, &options);
}

static void test_updates_follow_what_is_there_until_every_agent_has_ended_its_part(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);

    (void)state;
    ask_feed(ear, "two", ATAMO_PARTS, 0);
    assert_int_equal(stage_held(stage, 1)->flags, ATAMO_WANTS_RESPONSES | ATAMO_WANTS_FEED);
    assert_int_equal(held_say(stage_held(stage, 0), "all there is"), ATAMO_OK);
    assert_int_equal(held_say(stage_held(stage, 1), "all of b"), ATAMO_OK);
    ear_hear(stage, ear);
    stage_advance(stage, INT64_C(3600) * 1000);
    assert_int_equal(stage_stats(stage).feeds, 1);
    assert_int_equal(held_say(stage_held(stage, 0), "an update"), ATAMO_OK);
    held_done(stage_held(stage, 0));
    ear_hear(stage, ear);
    assert_heard(ear, 2, ATAMO_REPLY_DATA, "a", "an update");
    assert_heard(ear, 3, ATAMO_REPLY_PART, "a", "");
    assert_int_equal(ear->ends, 0);
    held_done(stage_held(stage, 1));
    ear_hear(stage, ear);
    assert_heard(ear, 4, ATAMO_REPLY_PART, "b", "");
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(stage_stats(stage).feeds, 0);
    assert_gaps_are_counted(ear);
    ear_close(ear);
    stage_close(stage);
}

static void test_the_client_ends_a_feed_and_its_agents_are_told(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);

    (void)state;
    ask_feed(ear, "two", 0, 0);
    assert_int_equal(held_say(stage_held(stage, 0), "first"), ATAMO_OK);
    (void)stage_held(stage, 1);
    ear_hear(stage, ear);
    assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_OK);
    assert_int_equal(stage_held(stage, 0)->cancelled, ATAMO_REASON_CLIENT);
    assert_int_equal(stage_held(stage, 1)->cancelled, ATAMO_REASON_CLIENT);
    assert_int_equal(held_say(stage_held(stage, 0), "too late"), ATAMO_GONE);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 1);
    ear_close(ear);
    stage_close(stage);
}

/* An interface to the hub, whose client is there while the hub closes. */
struct door {
    struct ear ear;
    const atamo_control *control;
};

static int door_start(void *self)
{
    const atamo_host *host = self;
    struct door *door = host->context(host);

    door->control = host->extension(host, ATAMO_CONTROL_EXTENSION);
    host->finished(host);
    return door->control->client_open(door->control->hub(host), &door->ear.client);
}

static void door_drain(void *self)
{
    const atamo_host *host = self;
    struct door *door = host->context(host);

    while (door->control->dispatch(door->ear.client, 0, NULL) > 0)
        continue;
    door->control->client_close(door->ear.client);
}

static const atamo_event_provider door_provider = {.size = sizeof door_provider};
static const atamo_plugin door_plugin = {
    ATAMO_PLUGIN_HEAD,
    .id = "door",
    .version = "1",
    .summary = "listens",
    .start = door_start,
    .drain = door_drain,
    .event_provider = &door_provider,
};

static void test_a_feed_ends_with_the_hub(void **state)
{
    struct door *door = calloc(1, sizeof *door);
    struct stage *stage = calloc(1, sizeof *stage);
    const atamo_registration plugins[] = {{&stage_inline_plugin, stage}, {&door_plugin, door}};
    const atamo_settings settings = {
        .size = sizeof settings,
        .config = atamo_text("agents: {a: {plugin: actor}}\n"
                             "event_providers: {door: {plugin: door}}\n"
                             "rules: [{id: one, on: one, then: {agent: a, action: hold}}]\n"),
        .plugins = plugins,
        .plugin_count = 2,
        .log = fixture_quiet};

    (void)state;
    assert_non_null(door);
    assert_non_null(stage);
    atomic_store(&stage->settles_on_cancel, true);
    assert_int_equal(atamo_open(&settings, &stage->hub, NULL), ATAMO_OK);
    ask_feed(&door->ear, "one", 0, 0);
    assert_int_equal(held_say(stage_held(stage, 0), "first"), ATAMO_OK);
    stage_settle_down(stage);
    assert_int_equal(atamo_close(stage->hub, 5000), ATAMO_OK);
    assert_int_equal(stage_held(stage, 0)->cancelled, ATAMO_REASON_FEED_END);
    assert_int_equal(door->ear.count, 2);
    assert_ended(&door->ear, ATAMO_CLOSED, "the hub is stopping");
    free(door);
    free(stage);
}

static void test_an_agent_has_its_deadline_for_the_first_response_only(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *slow = ear_open(stage);
    struct ear *good = ear_open(stage);

    (void)state;
    ask_feed(good, "one", 0, 0);
    (void)stage_held(stage, 0);
    ask_feed(slow, "one", 0, 0);
    (void)stage_held(stage, 1);
    stage_advance(stage, 9000);
    assert_int_equal(held_say(stage_held(stage, 0), "in time"), ATAMO_OK);
    stage_settle_down(stage);
    stage_advance(stage, 1001);
    ear_hear(stage, slow);
    assert_ended(slow, ATAMO_IO, "deadline passed");
    stage_advance(stage, INT64_C(86400) * 1000);
    assert_int_equal(held_say(stage_held(stage, 0), "a day later"), ATAMO_OK);
    held_done(stage_held(stage, 0));
    ear_hear(stage, good);
    assert_int_equal(good->count, 3);
    assert_ended(good, ATAMO_OK, "");
    ear_close(slow);
    ear_close(good);
    stage_close(stage);
}

static void test_what_comes_after_a_feed_has_its_deadline_again(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);
    const atamo_event_draft draft = atamo_draft("one");

    (void)state;
    ask_feed(ear, "one", 0, 0);
    assert_int_equal(held_say(stage_held(stage, 0), "first"), ATAMO_OK);
    held_done(stage_held(stage, 0));
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(atamo_submit(ear->client, &draft, NULL), ATAMO_OK);
    (void)stage_held(stage, 1);
    stage_advance(stage, 10001);
    assert_int_equal(stage_held(stage, 1)->cancelled, ATAMO_REASON_DEADLINE);
    ear_close(ear);
    stage_close(stage);
}

static void test_a_feed_may_have_a_time(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);

    (void)state;
    ask_feed(ear, "one", 0, 5000);
    assert_int_equal(held_say(stage_held(stage, 0), "first"), ATAMO_OK);
    stage_settle_down(stage);
    stage_advance(stage, 5001);
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 2);
    assert_ended(ear, ATAMO_TIMEOUT, "the request's time is over");
    ear_close(ear);
    stage_close(stage);
}

static void test_an_agent_that_comes_back_goes_on_with_its_feed(void **state)
{
    struct stage *stage = stage_open(yaml);
    struct ear *ear = ear_open(stage);

    (void)state;
    ask_feed(ear, "again", 0, 0);
    assert_int_equal(held_say(stage_held(stage, 0), "before"), ATAMO_OK);
    atamo_retry(stage_held(stage, 0)->host, stage_held(stage, 0)->action, 0, "connection lost");
    stage_settle_down(stage);
    stage_advance(stage, INT64_C(120) * 1000);
    assert_int_equal(stage_held(stage, 1)->attempt, 2);
    assert_int_equal(held_say(stage_held(stage, 1), "after"), ATAMO_OK);
    held_done(stage_held(stage, 1));
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 3);
    assert_heard(ear, 1, ATAMO_REPLY_DATA, "a", "after");
    assert_ended(ear, ATAMO_OK, "");
    ear_close(ear);
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_updates_follow_what_is_there_until_every_agent_has_ended_its_part),
        cmocka_unit_test(test_the_client_ends_a_feed_and_its_agents_are_told),
        cmocka_unit_test(test_a_feed_ends_with_the_hub),
        cmocka_unit_test(test_an_agent_has_its_deadline_for_the_first_response_only),
        cmocka_unit_test(test_what_comes_after_a_feed_has_its_deadline_again),
        cmocka_unit_test(test_a_feed_may_have_a_time),
        cmocka_unit_test(test_an_agent_that_comes_back_goes_on_with_its_feed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
