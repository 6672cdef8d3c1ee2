/* The fake host with agents: what a plugin author's test sees. */
#include <atamo/json.h>
#include <atamo/test.h>

#include <pthread.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* An agent that does what the action's type says. */
static void *settle_later(void *argument)
{
    void **pair = argument;

    atamo_done(pair[0], *(atamo_action *)pair[1]);
    return NULL;
}

static void settle_on_a_thread(const atamo_host *host, atamo_action action)
{
    void *pair[2];
    pthread_t thread;

    pair[0] = (void *)(uintptr_t)host;
    pair[1] = &action;
    assert_int_equal(pthread_create(&thread, NULL, settle_later, pair), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void emit(const atamo_host *host, atamo_action action)
{
    atamo_event_draft draft = atamo_draft("greeted");

    draft.data = host->body(host, action);
    if (host->emit(host, action, &draft) == ATAMO_OK)
        atamo_done(host, action);
    else
        atamo_retry(host, action, 50, "the hub is full");
}

/* Two prices; goes on when there is room. */
static void say_prices(const atamo_host *host, atamo_action action)
{
    static const char *const prices[] = {"1.1", "1.2"};
    static size_t next;

    while (next < 2 && atamo_respond_about(host, action, atamo_text("EUR"),
                                           atamo_text(prices[next])) == ATAMO_OK)
        next++;
    if (next < 2)
        return;
    next = 0;
    atamo_done(host, action);
}

static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self;
    atamo_action_info info = {.size = sizeof info};

    assert_int_equal(host->info(host, action, &info), ATAMO_OK);
    switch (info.type.data[0]) {
    case 'a': /* answer */
        atamo_answer(host, action, info.body);
        break;
    case 'e': /* emit */
        emit(host, action);
        break;
    case 'f': /* fail */
        atamo_fail(host, action, "no such thing");
        break;
    case 't': /* on a thread */
        settle_on_a_thread(host, action);
        break;
    case 'd': /* double */
        atamo_done(host, action);
        atamo_done(host, action);
        break;
    case 'u': /* unknown */
        atamo_done(host, 12345);
        atamo_done(host, action);
        break;
    case 'l': /* log */
        atamo_log(host, ATAMO_LOG_WARN, "%s %d", host->text(host, "greeting").data,
                  (int)host->integer(host, "times"));
        atamo_done(host, action);
        break;
    case 'p': /* prices, as many as there is room for */
        say_prices(host, action);
        break;
    default: /* keep */
        break;
    }
}

static const atamo_option options[] = {
    {.name = "greeting", .type = ATAMO_OPTION_TEXT, .fallback = "hello", .about = "what it says"},
    {.name = "times",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "1",
     .min = 1,
     .max = 9,
     .about = "how often"},
};

static void go_on(void *self, atamo_action action)
{
    say_prices(self, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = handle, .room = go_on};

static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD,  ATAMO_OPTIONS(options),  .id = "tested",
    .version = "1.0.0", .summary = "is tested.", .agent = &agent,
};

static atamo_test_host *open_quiet(const atamo_plugin *table, const char *config)
{
    const atamo_test_settings settings = {
        .size = sizeof settings, .flags = ATAMO_TEST_QUIET, .plugin = table, .config = config};
    atamo_test_host *host = NULL;

    assert_int_equal(atamo_test_open(&settings, &host, NULL), ATAMO_OK);
    assert_int_equal(atamo_test_create(host), ATAMO_OK);
    assert_int_equal(atamo_test_start(host), ATAMO_OK);
    return host;
}

static void test_an_action_is_answered_and_done(void **state)
{
    atamo_test_host *host = atamo_test_run(&plugin, NULL);
    const atamo_action action = atamo_test_do(host, "answer", "{\"n\":1}");
    atamo_outcome outcome;

    (void)state;
    assert_int_equal(atamo_test_settled(host, action, &outcome), ATAMO_OK);
    assert_int_equal(outcome.kind, ATAMO_DONE);
    assert_int_equal(atamo_test_response_count(host, action), 1);
    assert_string_equal(atamo_test_response_body(host, action, 0).data, "{\"n\":1}");
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_options_come_from_the_configuration_or_their_fallback(void **state)
{
    atamo_test_host *host = atamo_test_run(&plugin, "greeting: ahoy");
    int level = -1;

    (void)state;
    assert_int_not_equal(atamo_test_do(host, "log", ""), 0);
    assert_string_equal(atamo_test_log(host, 0, &level), "ahoy 1");
    assert_int_equal(level, ATAMO_LOG_WARN);
    assert_int_equal(atamo_test_logged(host, "hoy"), 1);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_wrong_configuration_is_refused_with_every_problem(void **state)
{
    atamo_test_settings settings = {.size = sizeof settings, .plugin = &plugin};
    atamo_test_host *host = NULL;
    char why[ATAMO_TEST_WHY] = "";

    (void)state;
    settings.config = "greting: ahoy\ntimes: 10\n";
    assert_int_equal(atamo_test_open(&settings, &host, why), ATAMO_INVALID);
    assert_null(host);
    assert_non_null(strstr(why, "config:1:1"));
    assert_non_null(strstr(why, "did you mean \"greeting\"?"));
    assert_non_null(strstr(why, "must be from 1 to 9"));
}

static void test_why_an_agent_fails_an_action_is_kept(void **state)
{
    atamo_test_host *host = atamo_test_run(&plugin, NULL);
    const atamo_action action = atamo_test_do(host, "fail", "");
    atamo_outcome outcome;

    (void)state;
    assert_int_equal(atamo_test_settled(host, action, &outcome), ATAMO_OK);
    assert_int_equal(outcome.kind, ATAMO_FAIL);
    assert_string_equal(outcome.reason.data, "no such thing");
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_an_action_may_be_settled_on_another_thread(void **state)
{
    atamo_test_host *host = atamo_test_run(&plugin, NULL);

    (void)state;
    assert_int_not_equal(atamo_test_do(host, "thread", ""), 0);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_follow_up_event_carries_correlation_user_and_cause(void **state)
{
    atamo_test_host *host = atamo_test_run(&plugin, NULL);
    atamo_event_draft draft = atamo_draft("order.created");
    atamo_action action;

    (void)state;
    draft.id = atamo_text("A-1");
    draft.user = atamo_text("ada");
    action = atamo_test_action(host, "emit", "{\"n\":2}", &draft);
    assert_int_equal(atamo_test_give(host, &action, 1), ATAMO_OK);
    assert_int_equal(atamo_test_event_count(host), 1);
    assert_int_equal(atamo_test_event_cause(host, 0), action);
    assert_string_equal(atamo_test_event_text(host, 0, ATAMO_TYPE).data, "greeted");
    assert_string_equal(atamo_test_event_text(host, 0, ATAMO_USER).data, "ada");
    assert_string_equal(atamo_test_event_text(host, 0, ATAMO_CAUSATIONID).data, "A-1");
    assert_string_equal(atamo_test_event_text(host, 0, ATAMO_CORRELATIONID).data, "A-1");
    assert_string_equal(atamo_test_event_data(host, 0).data, "{\"n\":2}");
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_retry_is_given_again_as_the_same_action_with_the_next_attempt(void **state)
{
    atamo_test_host *host = atamo_test_run(&plugin, NULL);
    atamo_outcome outcome;
    atamo_action first;
    atamo_action second;

    (void)state;
    atamo_test_submit_limit(host, 0);
    first = atamo_test_do(host, "emit", "{}");
    assert_int_equal(atamo_test_settled(host, first, &outcome), ATAMO_OK);
    assert_int_equal(outcome.kind, ATAMO_RETRY);
    assert_int_equal(outcome.retry_after_ms, 50);
    atamo_test_submit_limit(host, 1);
    second = atamo_test_again(host, first);
    assert_int_equal(atamo_test_settled(host, second, &outcome), ATAMO_OK);
    assert_int_equal(outcome.kind, ATAMO_DONE);
    assert_int_equal(atamo_test_event_count(host), 1);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_an_agent_that_is_told_to_wait_goes_on_when_there_is_room(void **state)
{
    atamo_test_host *host = atamo_test_run(&plugin, NULL);
    const atamo_action action = atamo_test_action(host, "prices", "", NULL);
    atamo_response response;

    (void)state;
    atamo_test_respond_limit(host, 1);
    assert_int_equal(atamo_test_give(host, &action, 1), ATAMO_OK);
    assert_int_equal(atamo_test_settled(host, action, NULL), ATAMO_BUSY);
    assert_int_equal(atamo_test_room(host), 0); /* there is none */
    atamo_test_respond_limit(host, SIZE_MAX);
    assert_int_equal(atamo_test_room(host), 1);
    assert_int_equal(atamo_test_settled(host, action, NULL), ATAMO_OK);
    assert_int_equal(atamo_test_room(host), 0);
    assert_int_equal(atamo_test_response_count(host, action), 2);
    assert_int_equal(atamo_test_response(host, action, 1, &response), ATAMO_OK);
    assert_string_equal(response.body.data, "1.2");
    assert_string_equal(response.key.data, "EUR");
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_plugin_of_an_older_release_responds_without_a_key(void **state)
{
    atamo_test_host *host = atamo_test_run(&plugin, NULL);
    const atamo_host *table = atamo_test_table(host);
    const atamo_action action = atamo_test_action(host, "keep", "", NULL);
    const atamo_response old = {.size = offsetof(atamo_response, key),
                                .kind = ATAMO_RESPONSE_DATA,
                                .body = atamo_text("hello")};
    atamo_response response;

    (void)state;
    assert_int_equal(atamo_test_give(host, &action, 1), ATAMO_OK);
    assert_int_equal(table->respond(table, action, &old), ATAMO_OK);
    assert_int_equal(atamo_test_response(host, action, 0, &response), ATAMO_OK);
    assert_string_equal(response.body.data, "hello");
    assert_string_equal(response.key.data, "");
    atamo_done(table, action);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_second_settle_is_misuse(void **state)
{
    atamo_test_host *host = open_quiet(&plugin, NULL);

    (void)state;
    (void)atamo_test_do(host, "double", "");
    assert_int_equal(atamo_test_misuse_count(host), 1);
    assert_non_null(strstr(atamo_test_misuse(host, 0), "settled before"));
    assert_int_equal(atamo_test_close(host), 1);
}

static void test_settling_a_handle_that_nobody_gave_is_misuse(void **state)
{
    atamo_test_host *host = open_quiet(&plugin, NULL);

    (void)state;
    (void)atamo_test_do(host, "unknown", "");
    assert_non_null(strstr(atamo_test_misuse(host, 0), "which is no action's"));
    assert_int_equal(atamo_test_close(host), 1);
}

static void test_an_action_that_is_never_settled_is_misuse_at_destroy(void **state)
{
    atamo_test_host *host = open_quiet(&plugin, NULL);
    const atamo_action action = atamo_test_action(host, "keep", "", NULL);

    (void)state;
    assert_int_equal(atamo_test_give(host, &action, 1), ATAMO_OK);
    assert_int_equal(atamo_test_wait_settled(host, action, 1), ATAMO_TIMEOUT);
    assert_int_equal(atamo_test_drain(host), ATAMO_OK);
    assert_int_equal(atamo_test_destroy(host), ATAMO_OK);
    assert_non_null(strstr(atamo_test_misuse(host, 0), "never settled"));
    assert_int_equal(atamo_test_close(host), 1);
}

static void test_a_call_after_destroy_is_misuse(void **state)
{
    atamo_test_host *host = open_quiet(&plugin, NULL);
    const atamo_host *table = atamo_test_table(host);

    (void)state;
    assert_int_equal(atamo_test_drain(host), ATAMO_OK);
    assert_int_equal(atamo_test_destroy(host), ATAMO_OK);
    table->log(table, ATAMO_LOG_INFO, "late");
    assert_string_equal(atamo_test_misuse(host, 0), "log() was called after destroy()");
    assert_int_equal(atamo_test_close(host), 1);
}

static void test_asking_for_an_option_that_is_not_in_the_table_is_misuse(void **state)
{
    atamo_test_host *host = open_quiet(&plugin, NULL);
    const atamo_host *table = atamo_test_table(host);

    (void)state;
    assert_int_equal(table->text(table, "greting").size, 0);
    assert_int_equal(table->integer(table, "greeting"), 0);
    assert_non_null(strstr(atamo_test_misuse(host, 0), "not in the plugin's table"));
    assert_non_null(strstr(atamo_test_misuse(host, 1), "of another type"));
    assert_int_equal(atamo_test_close(host), 2);
}

static void test_the_clock_moves_only_when_told_and_chance_follows_the_seed(void **state)
{
    atamo_test_host *one = open_quiet(&plugin, NULL);
    atamo_test_host *two = open_quiet(&plugin, NULL);
    const atamo_host *first = atamo_test_table(one);
    const atamo_host *second = atamo_test_table(two);
    const int64_t now = first->now(first);

    (void)state;
    atamo_test_advance(one, 1500);
    assert_int_equal(first->now(first) - now, INT64_C(1500000000));
    assert_int_equal(second->now(second), now);
    assert_int_equal(first->random(first), second->random(second));
    assert_int_equal(atamo_test_close(one), 0);
    assert_int_equal(atamo_test_close(two), 0);
}

static void test_steps_of_life_are_refused_out_of_turn(void **state)
{
    const atamo_test_settings settings = {.size = sizeof settings, .plugin = &plugin};
    atamo_test_host *host = NULL;

    (void)state;
    assert_int_equal(atamo_test_open(&settings, &host, NULL), ATAMO_OK);
    assert_int_equal(atamo_test_start(host), ATAMO_INVALID);
    assert_int_equal(atamo_test_drain(host), ATAMO_INVALID);
    assert_int_equal(atamo_test_create(host), ATAMO_OK);
    assert_int_equal(atamo_test_create(host), ATAMO_INVALID);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_the_schema_of_the_options_is_json(void **state)
{
    atamo_test_host *host = open_quiet(&plugin, NULL);
    const atamo_host *table = atamo_test_table(host);
    const atamo_json *json = table->extension(table, ATAMO_JSON_EXTENSION);
    atamo_json_reader *reader = NULL;
    atamo_json_value root;
    atamo_json_value times;
    char text[4096];

    (void)state;
    assert_true(atamo_test_schema(&plugin, text, sizeof text) < sizeof text);
    assert_int_equal(json->open(table, &reader), ATAMO_OK);
    assert_int_equal(json->parse(reader, atamo_text(text), &root, NULL), ATAMO_OK);
    times = json->member(reader, &root, "properties");
    times = json->member(reader, &times, "times");
    assert_int_equal(json->member(reader, &times, "maximum").integer, 9);
    json->close(reader);
    assert_int_equal(atamo_test_close(host), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_action_is_answered_and_done),
        cmocka_unit_test(test_options_come_from_the_configuration_or_their_fallback),
        cmocka_unit_test(test_a_wrong_configuration_is_refused_with_every_problem),
        cmocka_unit_test(test_why_an_agent_fails_an_action_is_kept),
        cmocka_unit_test(test_an_action_may_be_settled_on_another_thread),
        cmocka_unit_test(test_a_follow_up_event_carries_correlation_user_and_cause),
        cmocka_unit_test(test_a_retry_is_given_again_as_the_same_action_with_the_next_attempt),
        cmocka_unit_test(test_an_agent_that_is_told_to_wait_goes_on_when_there_is_room),
        cmocka_unit_test(test_a_plugin_of_an_older_release_responds_without_a_key),
        cmocka_unit_test(test_a_second_settle_is_misuse),
        cmocka_unit_test(test_settling_a_handle_that_nobody_gave_is_misuse),
        cmocka_unit_test(test_an_action_that_is_never_settled_is_misuse_at_destroy),
        cmocka_unit_test(test_a_call_after_destroy_is_misuse),
        cmocka_unit_test(test_asking_for_an_option_that_is_not_in_the_table_is_misuse),
        cmocka_unit_test(test_the_clock_moves_only_when_told_and_chance_follows_the_seed),
        cmocka_unit_test(test_steps_of_life_are_refused_out_of_turn),
        cmocka_unit_test(test_the_schema_of_the_options_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
