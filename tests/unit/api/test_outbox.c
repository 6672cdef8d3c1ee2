/* What an agent writes and emits takes effect with the outcome of its action: once, or not at all.
 * The agent "book" counts events in the hub's store; the agent "echo" hears of what it emitted. */
#include "fixture.h"

#include <atamo/kv.h>

#include <stdatomic.h>
#include <unistd.h>

static char folder[64];

struct book {
    const atamo_host *host;
    const atamo_kv *kv;
};

static struct {
    _Atomic int emitted_seen, attempts;
    char text[256]; /* what the action "read" saw */
} seen;

struct value {
    uint64_t version;
    char text[32];
};

static int note_value(void *user, const atamo_record *record)
{
    struct value *value = user;

    value->version = record->version;
    (void)snprintf(value->text, sizeof value->text, "%.*s", (int)record->value.size,
                   record->value.data);
    return 0;
}

static int note_key(void *user, const atamo_record *record)
{
    char *text = user;
    const size_t used = strlen(text);

    (void)snprintf(text + used, 200 - used, "%.*s=%.*s ", (int)record->key.size, record->key.data,
                   (int)record->value.size, record->value.data);
    return 0;
}

/* One more in "count", if nobody was quicker. */
static void count(struct book *book, atamo_action action)
{
    struct value value = {.version = ATAMO_KV_NONE, .text = "0"};
    const int status = book->kv->get(book->host, action, atamo_text("count"), note_value, &value);
    char next[32];

    assert_true(status == ATAMO_OK || status == ATAMO_NOT_FOUND);
    (void)snprintf(next, sizeof next, "%ld", strtol(value.text, NULL, 10) + 1);
    assert_int_equal(
        book->kv->put(book->host, action, atamo_text("count"), atamo_text(next), value.version),
        ATAMO_OK);
}

static void emit(struct book *book, atamo_action action, uint64_t delay_ms)
{
    atamo_event_draft draft = atamo_draft("counted");

    draft.data = atamo_text("1");
    draft.delay_ms = delay_ms;
    assert_int_equal(book->host->emit(book->host, action, &draft), ATAMO_OK);
}

static void handle(void *self, atamo_action action)
{
    struct book *book = self;
    const atamo_host *host = book->host;
    const atamo_bytes what = host->body(host, action);
    atamo_action_info info = {.size = sizeof info};

    assert_int_equal(host->info(host, action, &info), ATAMO_OK);
    atomic_fetch_add(&seen.attempts, 1);
    if (strcmp(what.data, "\"count\"") == 0) {
        count(book, action);
        emit(book, action, 0);
    } else if (strcmp(what.data, "\"later\"") == 0) {
        emit(book, action, 300);
    } else if (strcmp(what.data, "\"read\"") == 0) {
        seen.text[0] = '\0';
        assert_int_equal(
            book->kv->scan(host, action, atamo_text(""), atamo_text(""), note_key, seen.text),
            ATAMO_OK);
    } else if (strcmp(what.data, "\"forget\"") == 0) {
        assert_int_equal(book->kv->remove(host, action, atamo_text("count"), ATAMO_KV_ANY),
                         ATAMO_OK);
    } else { /* "retry" or "fail" on the first attempt */
        count(book, action);
        emit(book, action, 0);
        if (info.attempt == 1 && strcmp(what.data, "\"retry\"") == 0) {
            atamo_retry(host, action, 1, "not yet");
            return;
        }
        if (strcmp(what.data, "\"fail\"") == 0) {
            atamo_fail(host, action, "never");
            return;
        }
    }
    atamo_done(host, action);
}

static int create(const atamo_host *host, void **self)
{
    struct book *book = calloc(1, sizeof *book);

    if (book == NULL)
        return ATAMO_NO_MEMORY;
    book->host = host;
    book->kv = host->extension(host, ATAMO_KV_EXTENSION);
    *self = book;
    if (book->kv != NULL)
        return ATAMO_OK;
    free(book);
    return host->refuse(host, "it needs a hub with a store");
}

static void handle_echo(void *self, atamo_action action)
{
    atomic_fetch_add(&seen.emitted_seen, 1);
    atamo_done(self, action);
}

static const atamo_agent book_agent = {
    .size = sizeof book_agent, .mode = ATAMO_POOL, .handle = handle};
static const atamo_agent echo_agent = {.size = sizeof echo_agent, .handle = handle_echo};
static const atamo_plugin book_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "book",    .version = "1",       .summary = "counts",
    .create = create,  .destroy = free, .agent = &book_agent,
};
static const atamo_plugin echo_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "echo", .version = "1", .summary = "hears", .agent = &echo_agent,
};

static const atamo_registration plugins[] = {{&book_plugin, NULL}, {&echo_plugin, NULL}};

static struct fixture *live(const char *settings)
{
    char yaml[1024];

    memset(&seen, 0, sizeof seen);
    (void)snprintf(yaml, sizeof yaml,
                   "hub: {mode: durable}\n"
                   "store: {plugin: %s/lib/atamo/plugins/lmdb.so, config: {path: %s/store}}\n"
                   "agents:\n"
                   "  book: {plugin: book, retry: {attempts: 1000, base: 1ms, max: 5ms}%s}\n"
                   "  other: {plugin: book}\n"
                   "  echo: {plugin: echo}\n"
                   "rules:\n"
                   "- {id: b, on: x, then: {agent: book, action: do}}\n"
                   "- {id: o, on: o, then: {agent: other, action: do}}\n"
                   "- {id: e, on: counted, then: {agent: echo, action: do}}\n",
                   ATAMO_BUILD_DIR, folder, settings);
    return fixture_open(yaml, plugins, 2);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/atamo-outbox-XXXXXX");
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

static void submit_as(struct fixture *fixture, const char *type, const char *data,
                      const char *tenant)
{
    atamo_event_draft draft = atamo_draft(type);

    draft.data = atamo_text(data);
    draft.tenant = atamo_text(tenant);
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
}

static void settle_down(struct fixture *fixture)
{
    FIXTURE_UNTIL(fixture, atamo_wait_idle(fixture->hub, 20) == ATAMO_OK);
}

static const char *read_all(struct fixture *fixture, const char *type, const char *tenant)
{
    settle_down(fixture);
    submit_as(fixture, type, "\"read\"", tenant);
    settle_down(fixture);
    return seen.text;
}

static void test_many_workers_that_write_one_key_count_every_event_exactly_once(void **state)
{
    struct fixture *fixture = live(", workers: 4, concurrency: 8");

    (void)state;
    for (int i = 0; i < 80; i++)
        submit_as(fixture, "x", "\"count\"", "");
    settle_down(fixture);
    assert_int_equal(seen.emitted_seen, 80);
    assert_true(fixture_count(fixture, ATAMO_STEP_RETRY, ATAMO_REASON_CONFLICT) > 0);
    assert_string_equal(read_all(fixture, "x", ""), "count=80 ");
    fixture_close(fixture);
    fixture = live("");
    assert_string_equal(read_all(fixture, "x", ""), "count=80 ");
    fixture_close(fixture);
}

static void test_what_a_failed_attempt_wrote_and_emitted_takes_no_effect(void **state)
{
    struct fixture *fixture = live("");

    (void)state;
    submit_as(fixture, "x", "\"retry\"", "");
    submit_as(fixture, "x", "\"fail\"", "");
    settle_down(fixture);
    assert_int_equal(fixture_stats(fixture).dead, 1);
    assert_string_equal(read_all(fixture, "x", ""), "count=1 ");
    assert_int_equal(seen.emitted_seen, 1);
    fixture_close(fixture);
}

static void test_agents_and_tenants_have_keys_of_their_own(void **state)
{
    struct fixture *fixture = live("");

    (void)state;
    submit_as(fixture, "x", "\"count\"", "acme");
    settle_down(fixture);
    submit_as(fixture, "x", "\"count\"", "acme");
    submit_as(fixture, "x", "\"count\"", "zeta");
    assert_string_equal(read_all(fixture, "x", "acme"), "count=2 ");
    assert_string_equal(read_all(fixture, "x", "zeta"), "count=1 ");
    assert_string_equal(read_all(fixture, "x", ""), "");
    assert_string_equal(read_all(fixture, "o", "acme"), "");
    fixture_close(fixture);
}

static void test_a_deleted_key_is_gone(void **state)
{
    struct fixture *fixture = live("");

    (void)state;
    submit_as(fixture, "x", "\"count\"", "");
    settle_down(fixture);
    submit_as(fixture, "x", "\"forget\"", "");
    assert_string_equal(read_all(fixture, "x", ""), "");
    submit_as(fixture, "x", "\"count\"", "");
    assert_string_equal(read_all(fixture, "x", ""), "count=1 ");
    fixture_close(fixture);
}

static void test_a_delayed_follow_up_waits_over_a_restart(void **state)
{
    struct fixture *fixture = live("");

    (void)state;
    submit_as(fixture, "x", "\"later\"", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DELAYED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_EMITTED, 0), 1);
    atamo_client_close(fixture->client);
    (void)atamo_close(fixture->hub, 0);
    free(fixture);
    fixture = live("");
    FIXTURE_UNTIL(fixture, atomic_load(&seen.emitted_seen) == 1);
    assert_int_equal(seen.attempts, 0); /* the action that emitted it was done before */
    settle_down(fixture);
    fixture_close(fixture);
}

static void test_an_agent_that_needs_a_store_is_refused_by_a_hub_without_one(void **state)
{
    atamo_settings settings = {
        .size = sizeof settings,
        .config = atamo_text("agents: {book: {plugin: book}}\n"
                             "rules: [{id: b, on: x, then: {agent: book, action: do}}]\n"),
        .plugins = plugins,
        .plugin_count = 2,
        .log = fixture_quiet,
    };
    atamo_report *report = NULL;
    atamo_hub *hub;

    (void)state;
    assert_int_equal(atamo_open(&settings, &hub, &report), ATAMO_INVALID);
    assert_non_null(strstr(atamo_report_at(report, 0).text, "it needs a hub with a store"));
    atamo_report_free(report);
}

static void test_a_store_in_memory_serves_a_hub_that_does_not_call_itself_durable(void **state)
{
    static const char yaml[] =
        "%s"
        "store: {plugin: " ATAMO_BUILD_DIR "/lib/atamo/plugins/memory.so}\n"
        "agents: {book: {plugin: book, workers: 4, retry: {attempts: 1000, base: 1ms, max: 5ms}},\n"
        "  echo: {plugin: echo}}\n"
        "rules: [{id: b, on: x, then: {agent: book, action: do}},\n"
        "  {id: e, on: counted, then: {agent: echo, action: do}}]\n";
    char text[sizeof yaml + 32];
    atamo_settings settings = {
        .size = sizeof settings, .plugins = plugins, .plugin_count = 2, .log = fixture_quiet};
    atamo_report *report = NULL;
    struct fixture *fixture;
    atamo_hub *hub;

    (void)state;
    (void)snprintf(text, sizeof text, yaml, "hub: {mode: durable}\n");
    settings.config = atamo_text(text);
    assert_int_equal(atamo_open(&settings, &hub, &report), ATAMO_INVALID);
    assert_non_null(strstr(atamo_report_at(report, 0).text, "outlives the process"));
    atamo_report_free(report);
    memset(&seen, 0, sizeof seen);
    (void)snprintf(text, sizeof text, yaml, "");
    fixture = fixture_open(text, plugins, 2);
    for (int i = 0; i < 50; i++)
        submit_as(fixture, "x", "\"count\"", "");
    assert_string_equal(read_all(fixture, "x", ""), "count=50 ");
    assert_int_equal(seen.emitted_seen, 50);
    assert_int_equal(fixture_stats(fixture).durable, 0);
    fixture_close(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_many_workers_that_write_one_key_count_every_event_exactly_once),
        TEST(test_what_a_failed_attempt_wrote_and_emitted_takes_no_effect),
        TEST(test_agents_and_tenants_have_keys_of_their_own),
        TEST(test_a_deleted_key_is_gone),
        TEST(test_a_delayed_follow_up_waits_over_a_restart),
        TEST(test_an_agent_that_needs_a_store_is_refused_by_a_hub_without_one),
        TEST(test_a_store_in_memory_serves_a_hub_that_does_not_call_itself_durable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
