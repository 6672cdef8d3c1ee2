/* The same event twice: accepted once within the window, told so when the first is safe. */
#include "fixture.h"

#include <stdatomic.h>
#include <unistd.h>

static char folder[64];
static _Atomic int handled;
static _Atomic int64_t clock_ns;

static int64_t now(void *user)
{
    (void)user;
    return atomic_load(&clock_ns);
}

static void handle(void *self, atamo_action action)
{
    atomic_fetch_add(&handled, 1);
    atamo_done(self, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "work", .version = "1", .summary = "works", .agent = &agent,
};

static struct fixture *live(const char *hub)
{
    static const atamo_registration registration = {&plugin, NULL};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    atamo_settings settings = {.size = sizeof settings,
                               .plugins = &registration,
                               .plugin_count = 1,
                               .now = now,
                               .log = fixture_quiet};
    char yaml[1024];

    (void)snprintf(yaml, sizeof yaml,
                   "hub: {mode: durable%s}\n"
                   "store: {plugin: %s/lib/atamo/plugins/lmdb.so, config: {path: %s/store}}\n"
                   "agents: {a: {plugin: work}}\n"
                   "rules: [{id: r, on: x, then: {agent: a, action: do}}]\n",
                   hub, ATAMO_BUILD_DIR, folder);
    settings.config = atamo_text(yaml);
    assert_non_null(fixture);
    assert_int_equal(atamo_open(&settings, &fixture->hub, NULL), ATAMO_OK);
    assert_int_equal(atamo_client_open(fixture->hub, &fixture->client), ATAMO_OK);
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, fixture_take_records, fixture),
                     ATAMO_OK);
    return fixture;
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&handled, 0);
    atomic_store(&clock_ns, INT64_C(1800000000000000000));
    (void)snprintf(folder, sizeof folder, "/tmp/atamo-dedupe-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command); /* NOLINT(concurrency-mt-unsafe): no hub runs */
}

static atamo_event_draft event(const char *source, const char *id)
{
    atamo_event_draft draft = atamo_draft("x");

    draft.source = atamo_text(source);
    draft.id = atamo_text(id);
    return draft;
}

static void submit(struct fixture *fixture, const atamo_event_draft *draft)
{
    assert_int_equal(atamo_submit(fixture->client, draft, NULL), ATAMO_OK);
}

/* So many events came to an end of any kind. */
static void wait_for(struct fixture *fixture, size_t count)
{
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) +
                                   fixture_count(fixture, ATAMO_STEP_DUPLICATE, 0) +
                                   fixture_count(fixture, ATAMO_STEP_REFUSED, 0) ==
                               count);
}

static const atamo_telemetry *first_of(const struct fixture *fixture, atamo_step step)
{
    for (size_t i = 0; i < fixture->record_count; i++)
        if (fixture->records[i].step == step)
            return &fixture->records[i];
    fail_msg("no such record");
    return NULL;
}

static void test_the_same_source_and_id_is_accepted_once_and_named(void **state)
{
    struct fixture *fixture = live("");
    atamo_event_draft draft = event("/shop", "7");

    (void)state;
    for (int i = 0; i < 5; i++)
        submit(fixture, &draft);
    draft = event("/other", "7");
    submit(fixture, &draft);
    draft = event("/shop", "");
    submit(fixture, &draft);
    submit(fixture, &draft);
    wait_for(fixture, 8);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DUPLICATE, 0), 4);
    assert_int_equal(first_of(fixture, ATAMO_STEP_DUPLICATE)->value[0],
                     first_of(fixture, ATAMO_STEP_ADMITTED)->message);
    assert_int_equal(atomic_load(&handled), 4);
    assert_int_equal(fixture_stats(fixture).duplicates, 4);
    fixture_close(fixture);
}

static void test_nobody_hears_of_a_duplicate_before_the_first_is_safe(void **state)
{
    struct fixture *fixture = live("");
    const atamo_event_draft draft = event("/shop", "7");
    size_t committed = 0;

    (void)state;
    submit(fixture, &draft);
    submit(fixture, &draft);
    wait_for(fixture, 2);
    while (fixture->records[committed].step != ATAMO_STEP_COMMITTED)
        committed++;
    for (size_t i = 0; i < committed; i++)
        assert_int_not_equal(fixture->records[i].step, ATAMO_STEP_DUPLICATE);
    fixture_close(fixture);
}

static void test_ids_are_remembered_over_a_restart_and_for_as_long_as_the_window(void **state)
{
    const atamo_event_draft draft = event("/shop", "7");
    struct fixture *fixture = live(", dedupe: 1m");

    (void)state;
    submit(fixture, &draft);
    wait_for(fixture, 1);
    fixture_close(fixture);
    fixture = live(", dedupe: 1m");
    submit(fixture, &draft);
    wait_for(fixture, 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DUPLICATE, 0), 1);
    atomic_fetch_add(&clock_ns, INT64_C(61000000000));
    submit(fixture, &draft);
    wait_for(fixture, 2);
    assert_int_equal(atomic_load(&handled), 2);
    fixture_close(fixture);
    fixture = live(", dedupe: 0s");
    submit(fixture, &draft);
    wait_for(fixture, 1);
    assert_int_equal(atomic_load(&handled), 3);
    fixture_close(fixture);
}

static void test_an_idempotency_key_counts_instead_of_the_id(void **state)
{
    const atamo_extension_attribute key = {atamo_text("idempotencykey"), atamo_text("pay-1")};
    struct fixture *fixture = live("");
    atamo_event_draft draft = event("/shop", "1");

    (void)state;
    draft.extensions = &key;
    draft.extension_count = 1;
    submit(fixture, &draft);
    draft.id = atamo_text("2");
    submit(fixture, &draft);
    draft.user = atamo_text("ada"); /* a key of hers is another one */
    submit(fixture, &draft);
    wait_for(fixture, 3);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DUPLICATE, 0), 1);
    assert_int_equal(atomic_load(&handled), 2);
    fixture_close(fixture);
}

static void test_only_so_many_are_remembered_and_the_oldest_give_way(void **state)
{
    struct fixture *fixture = live(", dedupe_max: 100");
    char id[16];

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 150; i++) {
            atamo_event_draft draft;

            (void)snprintf(id, sizeof id, "%d", i);
            draft = event("/shop", id);
            submit(fixture, &draft);
        }
    wait_for(fixture, 300);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DUPLICATE, 0), 0);
    for (int i = 149; i >= 50; i--) {
        atamo_event_draft draft;

        (void)snprintf(id, sizeof id, "%d", i);
        draft = event("/shop", id);
        submit(fixture, &draft);
    }
    wait_for(fixture, 400);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_DUPLICATE, 0), 100);
    fixture_close(fixture);
}

static void test_a_request_that_comes_again_is_answered_with_the_first_ones_id(void **state)
{
    const atamo_event_draft draft = event("/shop", "7");
    struct fixture *fixture = live("");
    char uuid[37];

    (void)state;
    submit(fixture, &draft);
    assert_int_equal(
        atamo_request(fixture->client, &draft, NULL, fixture_take_replies, fixture, NULL),
        ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture->reply_count == 1);
    assert_int_equal(fixture->replies[0].status, ATAMO_EXISTS);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_ADMITTED, 0) == 1);
    atamo_message_id(fixture->hub, first_of(fixture, ATAMO_STEP_ADMITTED)->message, uuid);
    assert_string_equal(fixture->replies[0].body, uuid);
    fixture_close(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_same_source_and_id_is_accepted_once_and_named),
        TEST(test_nobody_hears_of_a_duplicate_before_the_first_is_safe),
        TEST(test_ids_are_remembered_over_a_restart_and_for_as_long_as_the_window),
        TEST(test_an_idempotency_key_counts_instead_of_the_id),
        TEST(test_only_so_many_are_remembered_and_the_oldest_give_way),
        TEST(test_a_request_that_comes_again_is_answered_with_the_first_ones_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
