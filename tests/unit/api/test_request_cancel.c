/* A client that goes: it cancels a request, or closes, at every point of the request's life. What
 * waits or runs for it alone is cancelled, and no callback follows. */
#include "requests.h"

static const char in_memory[] = "hub: {max_messages: 3}\n";

static const char in_a_store[] =
    "hub: {max_messages: 3}\n"
    "store: {plugin: " ATAMO_BUILD_DIR "/lib/atamo/plugins/memory.so}\n";

static const char yaml[] =
    "%s"
    "agents:\n"
    "  a: {plugin: actor, retry: {attempts: 5, base: 1s, max: 1s}}\n"
    "  b: {plugin: actor, concurrency: 1}\n"
    "  p: {plugin: pooled, workers: 2, retry: {attempts: 1000, base: 1ms, max: 1ms}}\n"
    "rules:\n"
    "  - {id: one, on: one, then: {agent: a, action: hold}}\n"
    "  - {id: single, on: single, then: {agent: b, action: hold}}\n"
    "  - {id: again, on: again, then: {agent: a, action: again}}\n"
    "  - {id: pool, on: pool, then: {agent: p, action: hold}}\n"
    "  - {id: echo, on: echo, then: {agent: a, action: echo}}\n";

static struct stage *open_stage(const char *kind)
{
    char text[2048];

    (void)snprintf(text, sizeof text, yaml, kind);
    return stage_open(text);
}

/* One whose time has come, on a client that stays. */
static void occupy(struct stage *stage, struct ear *other, const char *type, size_t count)
{
    const size_t before = atomic_load(&stage->held_count);
    atamo_request_options never = {.timeout_ms = UINT32_MAX};
    atamo_event_draft draft = atamo_draft(type);

    draft.source = atamo_text("/test");
    draft.partitionkey = atamo_text("the key");
    never.size = sizeof never;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            atamo_request(other->client, &draft, &never, ear_listen, other, &other->request),
            ATAMO_OK);
    (void)stage_held(stage, before);
    stage_settle_down(stage);
}

static void ask_with_key(struct ear *ear, const char *type)
{
    atamo_event_draft draft = atamo_draft(type);

    draft.source = atamo_text("/test");
    draft.partitionkey = atamo_text("the key");
    assert_int_equal(atamo_request(ear->client, &draft, NULL, ear_listen, ear, &ear->request),
                     ATAMO_OK);
}

/* --- points in a request's life */

static void wait_before_admission(struct stage *stage, struct ear *ear, struct ear *other)
{
    const atamo_event_draft draft = atamo_draft("one");

    for (int i = 0; i < 3; i++)
        assert_int_equal(atamo_submit(other->client, &draft, NULL), ATAMO_OK);
    (void)stage_held(stage, 2);
    (void)ear_ask(ear, "one", NULL);
}

static void wait_in_the_queue(struct stage *stage, struct ear *ear, struct ear *other)
{
    occupy(stage, other, "single", 1);
    (void)ear_ask(ear, "single", NULL);
    stage_settle_down(stage);
    assert_int_equal(stage_stats(stage).waiting, 1);
}

static void wait_behind_the_key(struct stage *stage, struct ear *ear, struct ear *other)
{
    occupy(stage, other, "one", 1);
    ask_with_key(ear, "one");
    stage_settle_down(stage);
    assert_int_equal(stage_stats(stage).waiting, 1);
}

static void back_off(struct stage *stage, struct ear *ear, struct ear *other)
{
    (void)other;
    (void)ear_ask(ear, "again", NULL);
    stage_settle_down(stage);
    assert_int_equal(stage_stats(stage).waiting, 1);
    assert_int_equal(stage_stats(stage).attempts, 1);
}

static void run_inline(struct stage *stage, struct ear *ear, struct ear *other)
{
    (void)other;
    (void)ear_ask(ear, "one", NULL);
    assert_int_equal(held_say(stage_held(stage, 0), "not dispatched"), ATAMO_OK);
}

static void run_in_a_pool(struct stage *stage, struct ear *ear, struct ear *other)
{
    (void)other;
    (void)ear_ask(ear, "pool", NULL);
    assert_int_equal(held_say(stage_held(stage, 0), "not dispatched"), ATAMO_OK);
}

static void be_settled_at_this_moment(struct stage *stage, struct ear *ear, struct ear *other)
{
    (void)other;
    (void)ear_ask(ear, "pool", NULL);
    held_done(stage_held(stage, 0));
}

static void have_the_end_on_its_way(struct stage *stage, struct ear *ear, struct ear *other)
{
    (void)other;
    (void)ear_ask(ear, "echo", NULL);
    stage_settle_down(stage);
    assert_int_equal(stage_stats(stage).finished, 1);
}

static void hold_replies_back(struct stage *stage, struct ear *ear, struct ear *other)
{
    atamo_request_options options = {.queue = 2, .slow = ATAMO_SLOW_OLDEST};

    (void)other;
    (void)ear_ask(ear, "one", &options);
    for (int i = 0; i < 10; i++)
        assert_int_equal(held_say(stage_held(stage, 0), "more"), ATAMO_OK);
    held_done(stage_held(stage, 0));
    stage_settle_down(stage);
}

static void make_the_agent_wait(struct stage *stage, struct ear *ear, struct ear *other)
{
    atamo_request_options options = {.queue = 1};

    (void)other;
    (void)ear_ask(ear, "one", &options);
    assert_int_equal(held_say(stage_held(stage, 0), "first"), ATAMO_OK);
    stage_settle_down(stage);
    assert_int_equal(held_say(stage_held(stage, 0), "second"), ATAMO_BUSY);
}

static const struct point {
    const char *name;
    void (*reach)(struct stage *stage, struct ear *ear, struct ear *other);
    int is_cancelled; /* an action of it is */
} points[] = {
    {"before admission", wait_before_admission, 0},
    {"in the queue", wait_in_the_queue, 1},
    {"behind the key", wait_behind_the_key, 1},
    {"backing off", back_off, 1},
    {"running inline", run_inline, 1},
    {"running in a pool", run_in_a_pool, 1},
    {"settled at this moment", be_settled_at_this_moment, 0},
    {"the end on its way", have_the_end_on_its_way, 0},
    {"replies held back", hold_replies_back, 0},
    {"the agent waits for room", make_the_agent_wait, 1},
};

enum { POINTS = sizeof points / sizeof points[0] };

/* What others hold ends, too. */
static void end_all(struct stage *stage)
{
    for (size_t i = 0; i < atomic_load(&stage->held_count); i++) {
        atamo_action_info info = {.size = sizeof info};
        const struct held *held = &stage->held[i];

        if (held->host->info(held->host, held->action, &info) == ATAMO_OK)
            held_done(held);
        stage_settle_down(stage);
    }
}

/* Reach the point, let the client go, and see what is left. */
static void go_at(const struct point *point, const char *kind,
                  void (*go)(struct stage *stage, struct ear *ear))
{
    struct stage *stage = open_stage(kind);
    struct ear *ear = ear_open(stage);
    struct ear *other = ear_open(stage);

    print_message("%s\n", point->name);
    point->reach(stage, ear, other);
    go(stage, ear);
    assert_int_equal(ear->count, 0);
    end_all(stage);
    stage_advance(stage, 100000); /* whatever waits for a time has its turn */
    end_all(stage);
    if (ear->client != NULL)
        ear_hear(stage, ear);
    assert_int_equal(ear->count, 0);
    if (point->is_cancelled)
        assert_int_equal(stage_stats(stage).cancelled, 1);
    if (ear->client != NULL)
        atamo_client_close(ear->client);
    free(ear);
    ear_close(other);
    stage_close(stage);
}

static void cancel(struct stage *stage, struct ear *ear)
{
    assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_OK);
    assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_NOT_FOUND);
    ear_hear(stage, ear);
}

static void close_client(struct stage *stage, struct ear *ear)
{
    atamo_client_close(ear->client);
    ear->client = NULL;
    stage_settle_down(stage);
}

static void cancel_and_close(struct stage *stage, struct ear *ear)
{
    assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_OK);
    close_client(stage, ear);
}

static void test_no_callback_follows_a_cancel_at_any_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < POINTS; i++) {
        go_at(&points[i], in_memory, cancel);
        go_at(&points[i], in_a_store, cancel);
    }
}

static void test_a_client_may_close_at_any_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < POINTS; i++) {
        go_at(&points[i], in_memory, close_client);
        go_at(&points[i], in_a_store, close_client);
    }
}

static void test_a_client_may_cancel_and_close_at_any_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < POINTS; i++) {
        go_at(&points[i], in_memory, cancel_and_close);
        go_at(&points[i], in_a_store, cancel_and_close);
    }
}

static void cancel_here(struct ear *ear)
{
    ear->status = atamo_cancel(ear->client, ear->request);
}

static void test_no_callback_follows_a_cancel_from_inside_a_callback(void **state)
{
    struct stage *stage = open_stage(in_memory);
    struct ear *ear = ear_open(stage);

    (void)state;
    ear->then = cancel_here;
    (void)ear_ask(ear, "one", NULL);
    assert_int_equal(held_say(stage_held(stage, 0), "first"), ATAMO_OK);
    ear_hear_until(ear, 1);
    assert_int_equal(ear->status, ATAMO_OK);
    assert_int_equal(stage_held(stage, 0)->cancelled, ATAMO_REASON_CLIENT);
    ear_hear(stage, ear);
    assert_int_equal(ear->batches, 1);
    ear_close(ear);
    stage_close(stage);
}

static void test_one_that_has_ended_cannot_be_cancelled(void **state)
{
    struct stage *stage = open_stage(in_memory);
    struct ear *ear = ear_open(stage);

    (void)state;
    ear->then = cancel_here;
    (void)ear_ask(ear, "echo", NULL);
    ear_hear_until(ear, 2);
    assert_int_equal(ear->status, ATAMO_NOT_FOUND);
    assert_ended(ear, ATAMO_OK, "");
    assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_NOT_FOUND);
    assert_int_equal(atamo_cancel(ear->client, 12345), ATAMO_NOT_FOUND);
    ear_close(ear);
    stage_close(stage);
}

static void test_one_client_cannot_cancel_what_another_has_asked(void **state)
{
    struct stage *stage = open_stage(in_memory);
    struct ear *ear = ear_open(stage);
    struct ear *other = ear_open(stage);

    (void)state;
    (void)ear_ask(ear, "one", NULL);
    (void)stage_held(stage, 0);
    assert_int_equal(atamo_cancel(other->client, ear->request), ATAMO_NOT_FOUND);
    held_done(stage_held(stage, 0));
    ear_hear(stage, ear);
    assert_ended(ear, ATAMO_OK, "");
    ear_close(ear);
    ear_close(other);
    stage_close(stage);
}

static void test_what_is_cancelled_while_it_asks_for_another_attempt_gets_none(void **state)
{
    struct stage *stage = open_stage(in_memory);
    struct ear *ear = ear_open(stage);

    (void)state;
    for (size_t i = 0; i < 50; i++) {
        (void)ear_ask(ear, "pool", NULL);
        (void)stage_held(stage, i);
        atamo_retry(stage_held(stage, i)->host, stage_held(stage, i)->action, 0, "once more");
        assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_OK);
        stage_advance(stage, 10);
        assert_int_equal(stage_stats(stage).in_flight, 0);
        assert_int_equal(atomic_load(&stage->held_count), i + 1);
    }
    ear_close(ear);
    stage_close(stage);
}

static void cancel_one_that_waits(uint32_t flags, uint64_t done)
{
    struct stage *stage = open_stage(in_memory);
    struct ear *ear = ear_open(stage);
    struct ear *other = ear_open(stage);
    atamo_request_options options = {.flags = flags};

    wait_before_admission(stage, other, other);
    (void)ear_ask(ear, "one", &options);
    assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_OK);
    for (size_t i = 0; i < 4 + done; i++) {
        held_done(stage_held(stage, i));
        stage_settle_down(stage);
    }
    ear_hear(stage, ear);
    assert_int_equal(ear->count, 0);
    assert_int_equal(stage_stats(stage).done, 4 + done);
    assert_int_equal(stage_stats(stage).refused, 1 - done);
    ear_close(ear);
    ear_close(other);
    stage_close(stage);
}

static void test_what_is_cancelled_before_it_is_let_in_is_refused(void **state)
{
    (void)state;
    cancel_one_that_waits(0, 0);
}

static void test_what_was_only_listened_to_is_let_in_though_it_is_cancelled(void **state)
{
    (void)state;
    cancel_one_that_waits(ATAMO_DETACHED, 1);
}

static void test_nothing_cancels_what_only_waits_for_acceptance(void **state)
{
    (void)state;
    cancel_one_that_waits(ATAMO_UNTIL_ACCEPTED, 1);
}

static void cancel_one_with_a_delay(const char *kind)
{
    struct stage *stage = open_stage(kind);
    struct ear *ear = ear_open(stage);
    atamo_event_draft draft = atamo_draft("one");

    draft.delay_ms = 5000;
    assert_int_equal(atamo_request(ear->client, &draft, NULL, ear_listen, ear, &ear->request),
                     ATAMO_OK);
    stage_settle_down(stage);
    assert_int_equal(stage_stats(stage).in_flight, 1);
    assert_int_equal(atamo_cancel(ear->client, ear->request), ATAMO_OK);
    stage_advance(stage, 6000);
    assert_int_equal(atomic_load(&stage->held_count), 0);
    ear_close(ear);
    stage_close(stage);
}

static void test_an_event_that_waits_for_its_time_goes_with_its_request(void **state)
{
    (void)state;
    cancel_one_with_a_delay(in_memory);
    cancel_one_with_a_delay(in_a_store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_callback_follows_a_cancel_at_any_point),
        cmocka_unit_test(test_a_client_may_close_at_any_point),
        cmocka_unit_test(test_a_client_may_cancel_and_close_at_any_point),
        cmocka_unit_test(test_no_callback_follows_a_cancel_from_inside_a_callback),
        cmocka_unit_test(test_one_that_has_ended_cannot_be_cancelled),
        cmocka_unit_test(test_one_client_cannot_cancel_what_another_has_asked),
        cmocka_unit_test(test_what_is_cancelled_while_it_asks_for_another_attempt_gets_none),
        cmocka_unit_test(test_what_is_cancelled_before_it_is_let_in_is_refused),
        cmocka_unit_test(test_what_was_only_listened_to_is_let_in_though_it_is_cancelled),
        cmocka_unit_test(test_nothing_cancels_what_only_waits_for_acceptance),
        cmocka_unit_test(test_an_event_that_waits_for_its_time_goes_with_its_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
