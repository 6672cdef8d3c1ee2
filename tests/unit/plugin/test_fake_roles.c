/* The fake host with event providers, rule providers, auditors, and with the loop. */
#include <atamo/loop.h>
#include <atamo/test.h>

#include <pthread.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static atamo_test_host *run_quiet(const atamo_plugin *plugin)
{
    const atamo_test_settings settings = {
        .size = sizeof settings, .flags = ATAMO_TEST_QUIET, .plugin = plugin};
    atamo_test_host *host = NULL;

    assert_int_equal(atamo_test_open(&settings, &host, NULL), ATAMO_OK);
    assert_int_equal(atamo_test_create(host), ATAMO_OK);
    assert_int_equal(atamo_test_start(host), ATAMO_OK);
    return host;
}

/* --- an event provider that counts up to ten, then has finished */

struct counter {
    const atamo_host *host;
    int next;
    int readies;
};

static int count_create(const atamo_host *host, void **self)
{
    struct counter *counter = test_calloc(1, sizeof *counter);

    counter->host = host;
    *self = counter;
    return ATAMO_OK;
}

static void count_destroy(void *self)
{
    test_free(self);
}

static size_t count_produce(void *self, size_t budget)
{
    struct counter *counter = self;
    size_t made = 0;

    while (made < budget && counter->next < 10) {
        atamo_event_draft draft = atamo_draft("tick");
        size_t taken = 0;
        char text[16];

        (void)snprintf(text, sizeof text, "%d", counter->next);
        draft.data = atamo_text(text);
        if (counter->host->submit(counter->host, &draft, 1, &taken, NULL) != ATAMO_OK)
            break;
        counter->next++;
        made++;
    }
    if (counter->next == 10)
        counter->host->finished(counter->host);
    return made;
}

static void count_ready(void *self)
{
    ((struct counter *)self)->readies++;
}

static const atamo_event_provider counting = {
    .size = sizeof counting, .produce = count_produce, .ready = count_ready};

static const atamo_plugin counter_plugin = {
    ATAMO_PLUGIN_HEAD,           .id = "counter",        .version = "1.0.0",
    .summary = "counts.",        .create = count_create, .destroy = count_destroy,
    .event_provider = &counting,
};

static void test_what_a_provider_submits_is_there_to_look_at(void **state)
{
    atamo_test_host *host = atamo_test_run(&counter_plugin, NULL);

    (void)state;
    assert_int_equal(atamo_test_wait_finished(host, 1000), ATAMO_OK);
    assert_int_equal(atamo_test_event_count(host), 10);
    assert_string_equal(atamo_test_event_text(host, 9, ATAMO_TYPE).data, "tick");
    assert_string_equal(atamo_test_event_data(host, 9).data, "9");
    assert_int_equal(atamo_test_event_text(host, 9, ATAMO_ID).size, 36);
    assert_int_equal(atamo_test_event_data(host, 10).size, 0);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_full_hub_says_busy_and_then_that_it_has_room(void **state)
{
    atamo_test_host *host = atamo_test_run(&counter_plugin, NULL);
    const struct counter *counter = atamo_test_self(host);

    (void)state;
    atamo_test_submit_limit(host, 3);
    assert_int_equal(atamo_test_produce(host, 64), 3);
    assert_int_equal(atamo_test_produce(host, 64), 0);
    assert_int_equal(counter->readies, 0);
    atamo_test_submit_limit(host, SIZE_MAX);
    assert_int_equal(atamo_test_wait_events(host, 10, 1000), ATAMO_OK);
    assert_int_equal(counter->readies, 1);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_json_is_an_event_or_the_data_of_one(void **state)
{
    atamo_test_host *host = atamo_test_run(&counter_plugin, NULL);
    const atamo_host *table = atamo_test_table(host);
    const atamo_event_draft fallback = atamo_draft("plain");
    char why[256] = "";

    (void)state;
    assert_int_equal(
        table->submit_json(table,
                           atamo_text("{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"/s\","
                                      "\"type\":\"t\",\"data\":[1]}"),
                           NULL, why),
        ATAMO_OK);
    assert_int_equal(table->submit_json(table, atamo_text("{\"n\":1}"), &fallback, why), ATAMO_OK);
    assert_int_equal(table->submit_json(table, atamo_text("{oops"), &fallback, why), ATAMO_INVALID);
    assert_string_not_equal(why, "");
    assert_string_equal(atamo_test_event_text(host, 0, ATAMO_ID).data, "7");
    assert_string_equal(atamo_test_event_text(host, 1, ATAMO_TYPE).data, "plain");
    assert_int_equal(atamo_test_close(host), 0);
}

static void *wait_for_room(void *table)
{
    const atamo_host *host = table;

    return (void *)(intptr_t)host->wait(host, 10000);
}

static int wait_while(atamo_test_host *host, void (*act)(atamo_test_host *host))
{
    pthread_t thread;
    void *status = NULL;

    atamo_test_submit_limit(host, 0);
    assert_int_equal(
        pthread_create(&thread, NULL, wait_for_room, (void *)(uintptr_t)atamo_test_table(host)), 0);
    act(host);
    assert_int_equal(pthread_join(thread, &status), 0);
    return (int)(intptr_t)status;
}

static void give_room(atamo_test_host *host)
{
    atamo_test_submit_limit(host, 1);
}

static void drain(atamo_test_host *host)
{
    assert_int_equal(atamo_test_drain(host), ATAMO_OK);
}

static void test_a_thread_that_waits_for_room_is_woken_by_room_and_by_the_end(void **state)
{
    atamo_test_host *host = atamo_test_run(&counter_plugin, NULL);

    (void)state;
    assert_int_equal(wait_while(host, give_room), ATAMO_OK);
    assert_int_equal(wait_while(host, drain), ATAMO_CLOSED);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_draft_without_its_size_is_misuse(void **state)
{
    atamo_test_host *host = run_quiet(&counter_plugin);
    const atamo_host *table = atamo_test_table(host);
    const atamo_event_draft draft = {.type = {"t", 1}};
    size_t taken = 9;

    (void)state;
    assert_int_equal(table->submit(table, &draft, 1, &taken, NULL), ATAMO_INVALID);
    assert_int_equal(taken, 0);
    assert_int_equal(atamo_test_close(host), 1);
}

/* --- a rule provider that proposes what the event's data says */

static int echo_compile(void *self, atamo_bytes id, atamo_bytes json, void **rule)
{
    const atamo_host *host = self;

    (void)id;
    if (strstr(json.data, "oops") != NULL)
        return atamo_refuse(host, "key \"oops\" is unknown");
    *rule = self;
    return ATAMO_OK;
}

static int echo_evaluate(void *self, void *rule, const atamo_event *event, void *evaluation,
                         char *why)
{
    const atamo_host *host = self;
    atamo_proposal proposal = {.size = sizeof proposal};

    (void)rule;
    proposal.agent = host->data(host, event);
    proposal.action = atamo_text("echo");
    if (proposal.agent.size == 0) {
        (void)snprintf(why, 256, "the event has no data");
        return ATAMO_INVALID;
    }
    return host->propose(host, evaluation, &proposal);
}

static const atamo_rule_provider echoing = {
    .size = sizeof echoing, .compile = echo_compile, .evaluate = echo_evaluate};

static const atamo_plugin echo_plugin = {
    ATAMO_PLUGIN_HEAD,         .id = "echo", .version = "1.0.0", .summary = "echos.",
    .rule_provider = &echoing,
};

static void test_a_rule_is_compiled_and_its_proposals_are_kept(void **state)
{
    atamo_test_host *host = atamo_test_run(&echo_plugin, NULL);
    atamo_event_draft draft = atamo_draft("t");
    atamo_proposal proposal;
    void *rule = NULL;
    char why[256] = "";

    (void)state;
    draft.data = atamo_text("mail");
    assert_int_equal(atamo_test_compile(host, "{\"id\":\"r\"}", &rule), ATAMO_OK);
    assert_int_equal(atamo_test_evaluate(host, rule, &draft, why), ATAMO_OK);
    assert_int_equal(atamo_test_proposal_count(host), 1);
    assert_int_equal(atamo_test_proposal(host, 0, &proposal), ATAMO_OK);
    assert_string_equal(proposal.agent.data, "mail");
    draft.data.size = 0;
    assert_int_equal(atamo_test_evaluate(host, rule, &draft, why), ATAMO_INVALID);
    assert_string_equal(why, "the event has no data");
    assert_int_equal(atamo_test_proposal_count(host), 0);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_why_a_rule_is_refused_is_kept(void **state)
{
    atamo_test_host *host = atamo_test_run(&echo_plugin, NULL);
    void *rule = NULL;

    (void)state;
    assert_int_equal(atamo_test_compile(host, "{\"id\":\"r\",\"oops\":1}", &rule), ATAMO_INVALID);
    assert_string_equal(atamo_test_refusal(host), "key \"oops\" is unknown");
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_proposal_outside_of_evaluate_is_misuse(void **state)
{
    atamo_test_host *host = run_quiet(&echo_plugin);
    const atamo_host *table = atamo_test_table(host);
    const atamo_proposal proposal = {.size = sizeof proposal};

    (void)state;
    assert_int_equal(table->propose(table, host, &proposal), ATAMO_INVALID);
    assert_int_equal(atamo_test_close(host), 1);
}

/* --- an auditor that remembers the last text */

static char last_text[256];
static uint64_t last_lost;

static int note_records(void *self, const atamo_telemetry *records, size_t count, uint64_t lost)
{
    (void)self;
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i]))
        (void)atamo_telemetry_text(&records[i], last_text, sizeof last_text);
    last_lost = lost;
    return ATAMO_OK;
}

static const atamo_auditor noting = {.size = sizeof noting, .records = note_records};

static const atamo_plugin note_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "note", .version = "1.0.0", .summary = "notes.", .auditor = &noting,
};

static void test_records_reach_the_auditor_with_their_text(void **state)
{
    atamo_test_host *host = atamo_test_run(&note_plugin, NULL);
    const atamo_host *table = atamo_test_table(host);
    atamo_telemetry record = {.step = ATAMO_STEP_DEAD, .message = 1};
    const char *text = "a text that needs more than sixty bytes, so that it is cut into two pieces";

    (void)state;
    record.agent = atamo_test_name(host, "mail");
    assert_string_equal(table->name(table, record.agent).data, "mail");
    assert_int_equal(atamo_test_record(host, &record, NULL), ATAMO_OK);
    assert_int_equal(atamo_test_record(host, &record, text), ATAMO_OK);
    assert_int_equal(atamo_test_deliver(host, 3), ATAMO_OK);
    assert_string_equal(last_text, text);
    assert_int_equal(last_lost, 3);
    assert_int_equal(atamo_test_close(host), 0);
}

/* --- the loop */

struct looped {
    int pipe[2];
    int reads, ticks, posts;
};

static void on_read(void *user, uint32_t events)
{
    struct looped *looped = user;
    char byte;

    assert_int_equal(events & ATAMO_READABLE, ATAMO_READABLE);
    assert_int_equal(read(looped->pipe[0], &byte, 1), 1);
    looped->reads++;
}

static void on_tick(void *user)
{
    ((struct looped *)user)->ticks++;
}

static void on_post(void *user)
{
    ((struct looped *)user)->posts++;
}

static void test_the_loop_watches_descriptors_and_runs_posted_calls(void **state)
{
    atamo_test_host *host = atamo_test_run(&note_plugin, NULL);
    const atamo_host *table = atamo_test_table(host);
    const atamo_loop *loop = table->extension(table, ATAMO_LOOP_EXTENSION);
    struct looped looped = {.reads = 0};
    atamo_watch *watch = NULL;

    (void)state;
    assert_int_equal(pipe(looped.pipe), 0);
    assert_int_equal(loop->watch(table, looped.pipe[0], ATAMO_READABLE, on_read, &looped, &watch),
                     ATAMO_OK);
    assert_int_equal(write(looped.pipe[1], "x", 1), 1);
    assert_int_equal(atamo_test_loop(host, 1000), 1);
    assert_int_equal(loop->change(table, watch, 0), ATAMO_OK);
    assert_int_equal(write(looped.pipe[1], "x", 1), 1);
    assert_int_equal(atamo_test_loop(host, 0), 0);
    assert_int_equal(loop->change(table, watch, ATAMO_READABLE), ATAMO_OK);
    assert_int_equal(loop->post(table, on_post, &looped), ATAMO_OK);
    while (looped.reads < 2 || looped.posts < 1)
        (void)atamo_test_loop(host, 1000);
    loop->unwatch(table, watch);
    (void)close(looped.pipe[0]);
    (void)close(looped.pipe[1]);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_timers_follow_the_virtual_clock(void **state)
{
    atamo_test_host *host = atamo_test_run(&note_plugin, NULL);
    const atamo_host *table = atamo_test_table(host);
    const atamo_loop *loop = table->extension(table, ATAMO_LOOP_EXTENSION);
    struct looped looped = {.reads = 0};
    atamo_timer *timer = NULL;

    (void)state;
    assert_int_equal(loop->timer(table, 100, 50, on_tick, &looped, &timer), ATAMO_OK);
    atamo_test_advance(host, 99);
    assert_int_equal(looped.ticks, 0);
    atamo_test_advance(host, 101);
    assert_int_equal(looped.ticks, 3);
    loop->stop_timer(table, timer);
    atamo_test_advance(host, 1000);
    assert_int_equal(looped.ticks, 3);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_a_timer_left_behind_is_misuse(void **state)
{
    atamo_test_host *host = run_quiet(&note_plugin);
    const atamo_host *table = atamo_test_table(host);
    const atamo_loop *loop = table->extension(table, ATAMO_LOOP_EXTENSION);
    atamo_timer *timer = NULL;

    (void)state;
    assert_int_equal(loop->timer(table, 100, 0, on_tick, NULL, &timer), ATAMO_OK);
    assert_int_equal(atamo_test_close(host), 1);
}

/* --- bearer tokens */

static void test_tokens_are_those_that_the_test_gave_out(void **state)
{
    atamo_test_host *host = atamo_test_run(&counter_plugin, NULL);
    const atamo_host *table = atamo_test_table(host);
    const atamo_access *access = table->extension(table, ATAMO_ACCESS_EXTENSION);
    const atamo_identity anna = {
        .size = sizeof anna, .scopes = ATAMO_SCOPE_EVENTS_WRITE, .user = "anna", .tenant = "acme"};
    atamo_identity who = {.size = sizeof who};

    (void)state;
    assert_int_equal(access->required(table), 0);
    assert_int_equal(access->check(table, atamo_text("a"), &who), ATAMO_UNSUPPORTED);
    assert_int_equal(atamo_test_token(host, "a", &anna), ATAMO_OK);
    assert_int_equal(access->required(table), 1);
    assert_int_equal(access->check(table, atamo_text("a"), &who), ATAMO_OK);
    assert_string_equal(who.user, "anna");
    assert_string_equal(who.tenant, "acme");
    assert_int_equal(who.scopes, ATAMO_SCOPE_EVENTS_WRITE);
    assert_int_equal(access->check(table, atamo_text("b"), &who), ATAMO_DENIED);
    assert_int_equal(atamo_test_token(host, "a", NULL), ATAMO_OK);
    assert_int_equal(access->check(table, atamo_text("a"), &who), ATAMO_DENIED);
    assert_int_equal(access->required(table), 1);
    assert_int_equal(atamo_test_close(host), 0);
}

static void test_an_identity_without_its_size_is_misuse(void **state)
{
    atamo_test_host *host = run_quiet(&counter_plugin);
    const atamo_host *table = atamo_test_table(host);
    const atamo_access *access = table->extension(table, ATAMO_ACCESS_EXTENSION);
    atamo_identity who = {.size = 0};

    (void)state;
    assert_int_equal(access->check(table, atamo_text("a"), &who), ATAMO_INVALID);
    assert_int_equal(atamo_test_close(host), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_provider_submits_is_there_to_look_at),
        cmocka_unit_test(test_a_full_hub_says_busy_and_then_that_it_has_room),
        cmocka_unit_test(test_json_is_an_event_or_the_data_of_one),
        cmocka_unit_test(test_a_thread_that_waits_for_room_is_woken_by_room_and_by_the_end),
        cmocka_unit_test(test_a_draft_without_its_size_is_misuse),
        cmocka_unit_test(test_a_rule_is_compiled_and_its_proposals_are_kept),
        cmocka_unit_test(test_why_a_rule_is_refused_is_kept),
        cmocka_unit_test(test_a_proposal_outside_of_evaluate_is_misuse),
        cmocka_unit_test(test_records_reach_the_auditor_with_their_text),
        cmocka_unit_test(test_the_loop_watches_descriptors_and_runs_posted_calls),
        cmocka_unit_test(test_timers_follow_the_virtual_clock),
        cmocka_unit_test(test_a_timer_left_behind_is_misuse),
        cmocka_unit_test(test_tokens_are_those_that_the_test_gave_out),
        cmocka_unit_test(test_an_identity_without_its_size_is_misuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
