/* A million requests later the hub needs as much memory as before. */
#include "fixture.h"

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { REQUESTS = 20000 };
#else
enum { REQUESTS = 1000000 };
#endif

enum { WARM_UP = 20000, WINDOW = 256, MARGIN = 64 * 1024 };

static const char yaml[] =
    "hub: {dead_letters: 16}\n"
    "agents: {a: {plugin: echo}, b: {plugin: echo}}\n"
    "rules:\n"
    "  - {id: one, on: [one, two], then: {agent: a, action: echo, with: {text: 'n ${data.n}'}}}\n"
    "  - {id: two, on: two, then: {agent: b, action: fail}}\n";

static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self;
    atamo_action_info info = {.size = sizeof info};

    assert_int_equal(host->info(host, action, &info), ATAMO_OK);
    for (int i = 0; i < 3; i++)
        (void)atamo_respond_about(host, action, atamo_text("key"), info.body);
    if (strcmp(info.type.data, "fail") == 0)
        atamo_fail(host, action, "always");
    else
        atamo_done(host, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "echo", .version = "1", .summary = "echoes", .agent = &agent,
};

struct asker {
    atamo_client *client;
    uint64_t asked, ended, replies;
};

static void hear(const atamo_reply *replies, size_t count, void *user)
{
    struct asker *asker = user;

    for (size_t i = 0; i < count; i++)
        asker->ended += replies[i].kind == ATAMO_REPLY_END;
    asker->replies += count;
}

/* Of each kind that there is. */
static void ask_one(struct asker *asker)
{
    static const char *const types[] = {"one", "one", "one", "nothing"};
    const atamo_request_options options = {
        .size = sizeof options,
        .slow = (uint32_t)(asker->asked % 3),
        .queue = 1 + (uint32_t)(asker->asked % 7),
        .answers = asker->asked % 5 == 0,
        .flags = asker->asked % 11 == 0 ? ATAMO_PARTS : 0,
        .keep_ms = asker->asked % 512 == 1 ? 60000 : 0,
    };
    atamo_event_draft draft = atamo_draft(asker->asked % 64 == 7 ? "two" : types[asker->asked % 4]);
    uint64_t request;
    int status;

    draft.data = atamo_text("{\"n\": 17}");
    while ((status = atamo_request(asker->client, &draft, &options, hear, asker, &request)) ==
           ATAMO_BUSY)
        (void)atamo_dispatch(asker->client, 0, NULL);
    assert_int_equal(status, ATAMO_OK);
    if (asker->asked % 512 == 1) {
        assert_int_equal(atamo_leave(asker->client, request), ATAMO_OK);
        assert_int_equal(atamo_attach(asker->client, request, hear, asker), ATAMO_OK);
    } else if (asker->asked % 512 == 2) {
        assert_int_equal(atamo_cancel(asker->client, request), ATAMO_OK);
        asker->ended++;
    }
    asker->asked++;
}

static void ask_many(atamo_hub *hub, struct asker *asker, uint64_t count)
{
    const uint64_t until = asker->asked + count;

    while (asker->asked < until) {
        while (asker->asked < until && asker->asked - asker->ended < WINDOW)
            ask_one(asker);
        (void)atamo_wait(asker->client, 100);
        (void)atamo_dispatch(asker->client, 0, NULL);
    }
    while (asker->ended < asker->asked) {
        (void)atamo_wait(asker->client, 100);
        (void)atamo_dispatch(asker->client, 0, NULL);
    }
    assert_int_equal(atamo_wait_idle(hub, FIXTURE_LIMIT_MS), ATAMO_OK);
}

static size_t memory(void)
{
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void test_memory_after_a_million_requests_is_back_where_it_started(void **state)
{
    const atamo_registration plugins[] = {{&plugin, NULL}};
    const atamo_settings settings = {.size = sizeof settings,
                                     .config = atamo_text(yaml),
                                     .plugins = plugins,
                                     .plugin_count = 1,
                                     .log = fixture_quiet};
    struct asker asker = {0};
    atamo_stats stats = {.size = sizeof stats};
    atamo_hub *hub;
    size_t before;

    (void)state;
    assert_int_equal(atamo_open(&settings, &hub, NULL), ATAMO_OK);
    assert_int_equal(atamo_client_open(hub, &asker.client), ATAMO_OK);
    ask_many(hub, &asker, WARM_UP);
    before = memory();
    ask_many(hub, &asker, REQUESTS);
    print_message("%zu bytes before, %zu after\n", before, memory());
    assert_true(memory() < before + MARGIN);
    assert_int_equal(atamo_stats_get(hub, NULL, &stats), ATAMO_OK);
    assert_int_equal(stats.requests, 0);
    assert_int_equal(stats.accepted, stats.finished);
    atamo_client_close(asker.client);
    assert_int_equal(atamo_close(hub, 5000), ATAMO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_after_a_million_requests_is_back_where_it_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
