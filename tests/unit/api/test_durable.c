/* A durable hub: what it has accepted is dealt with, whatever happens to the process in between.
 * Each test has a store of its own; "the next life" is another hub on the same store. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/atamo-durable-XXXXXX");
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

/* An agent that does as the body says: "done", "retry", "fail", "hold". It writes each attempt to a
 * pipe, if there is one. */
enum { QUEUE_KEYS = 100 };

struct seen {
    _Atomic int attempts, first_attempts;
    _Atomic bool holds, fails;
    _Atomic int last[QUEUE_KEYS]; /* number of a long queue, by key */
    _Atomic bool out_of_order;
    _Atomic int others; /* of another agent */
    uint64_t keys[4096];
    char bodies[4096][16];
    int pipe;
};

static struct seen seen;

/* A reason is bytes: a NUL in it must not lead anybody astray, also after a restart. */
static void fail_with_bytes(const atamo_host *host, atamo_action action)
{
    static const char reason[] =
        "it cannot be done\0 by anybody, whoever tries, and however long it takes";
    const atamo_outcome outcome = {
        .size = sizeof outcome, .kind = ATAMO_FAIL, .reason = {reason, sizeof reason - 1}};

    host->settle(host, &action, &outcome, 1);
}

static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self;
    atamo_action_info info = {.size = sizeof info};
    int number;

    assert_int_equal(host->info(host, action, &info), ATAMO_OK);
    number = atomic_fetch_add(&seen.attempts, 1) % 4096;
    if (strcmp(info.body.data, "\"other\"") == 0)
        atomic_fetch_add(&seen.others, 1);
    if (info.body.size > 1000 && info.body.data[0] == '"') {
        const int place = (int)strtol(info.body.data + 1, NULL, 10);

        _Atomic int *last = &seen.last[place % QUEUE_KEYS];

        if (place >= QUEUE_KEYS && place != atomic_load(last) + QUEUE_KEYS)
            atomic_store(&seen.out_of_order, true);
        atomic_store(last, place);
    }
    if (info.attempt == 1)
        atomic_fetch_add(&seen.first_attempts, 1);
    seen.keys[number] = info.idempotency_key;
    (void)snprintf(seen.bodies[number], sizeof seen.bodies[0], "%.*s", (int)info.body.size,
                   info.body.data);
    if (seen.pipe > 0)
        (void)!write(seen.pipe, seen.bodies[number], sizeof seen.bodies[0]);
    if (atomic_load(&seen.holds))
        return;
    if (atomic_load(&seen.fails))
        fail_with_bytes(host, action);
    else if (strstr(seen.bodies[number], "retry") != NULL)
        atamo_retry(host, action, 50, "not yet");
    else
        atamo_done(host, action);
}

/* What was held is let go when the hub stops. */
static void let_go(void *self, atamo_action action, uint32_t reason)
{
    (void)reason;
    atamo_done(self, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = handle, .cancel = let_go};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "work", .version = "1", .summary = "works", .agent = &agent,
};

/* An event provider that has one event as soon as it is asked. */
static bool produced;

static size_t produce(void *self, size_t budget)
{
    const atamo_host *host = self;
    atamo_event_draft draft = atamo_draft("x");
    size_t taken = 0;

    (void)budget;
    draft.data = atamo_text("early");
    if (produced)
        return 0;
    produced = host->submit(host, &draft, 1, &taken, NULL) == ATAMO_OK;
    if (produced)
        host->finished(host);
    return taken;
}

static const atamo_event_provider provider = {.size = sizeof provider, .produce = produce};
static const atamo_plugin provider_plugin = {
    ATAMO_PLUGIN_HEAD,           .id = "early", .version = "1", .summary = "has an event at once",
    .event_provider = &provider,
};

static struct fixture *live_with(const char *agent_settings, const char *store, const char *more)
{
    static const atamo_registration plugins[] = {{&plugin, NULL}, {&provider_plugin, NULL}};
    char yaml[1024];

    (void)snprintf(yaml, sizeof yaml,
                   "hub: {mode: durable}\n"
                   "store: {plugin: %s/lib/atamo/plugins/lmdb.so, config: {path: %s/store%s}}\n"
                   "agents: {a: {plugin: work, %s}}\n"
                   "rules: [{id: r, on: x, then: {agent: a, action: do}}]\n%s",
                   ATAMO_BUILD_DIR, folder, store, agent_settings, more);
    return fixture_open(yaml, plugins, 2);
}

static struct fixture *live(const char *agent_settings)
{
    memset(&seen, 0, sizeof seen);
    return live_with(agent_settings, "", "");
}

/* The end of a life, without waiting for what is open. */
static void leave(struct fixture *fixture)
{
    atamo_client_close(fixture->client);
    (void)atamo_close(fixture->hub, 0);
    free(fixture);
}

static size_t first_place(const struct fixture *fixture, atamo_step step)
{
    size_t i = 0;

    while (i < fixture->record_count && fixture->records[i].step != step)
        i++;
    return i;
}

static void test_an_event_is_committed_before_an_agent_hears_of_it(void **state)
{
    struct fixture *fixture = live("");

    (void)state;
    fixture_submit(fixture, "x", "1", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_true(first_place(fixture, ATAMO_STEP_COMMITTED) <
                first_place(fixture, ATAMO_STEP_ATTEMPT));
    fixture_close(fixture);
    fixture = live("");
    assert_int_equal(fixture_stats(fixture).accepted, 0); /* nothing is left of it */
    fixture_close(fixture);
}

static void test_what_a_killed_process_had_accepted_is_done_in_the_next_life(void **state)
{
    struct fixture *fixture;
    uint64_t keys[100];
    char body[16];
    int pipes[2];
    pid_t child;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fixture = live("");
        atomic_store(&seen.holds, true);
        for (int i = 0; i < 100; i++) {
            (void)snprintf(body, sizeof body, "%d", i);
            fixture_submit(fixture, "x", body, "");
        }
        FIXTURE_UNTIL(fixture, atomic_load(&seen.attempts) == 100);
        (void)!write(pipes[1], seen.keys, sizeof keys);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(pipes[0], keys, sizeof keys), sizeof keys);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fixture = live("");
    FIXTURE_UNTIL(fixture, atomic_load(&seen.attempts) == 100);
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    assert_int_equal(fixture_stats(fixture).done, 100);
    assert_memory_equal(seen.keys, keys, sizeof keys); /* in order, under the same keys */
    assert_string_equal(seen.bodies[99], "99");
    fixture_close(fixture);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

static void test_a_stop_leaves_what_is_open_for_the_next_life(void **state)
{
    struct fixture *fixture = live("concurrency: 1");

    (void)state;
    atomic_store(&seen.holds, true);
    for (int i = 0; i < 5; i++)
        fixture_submit(fixture, "x", "1", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_COMMITTED, 0) == 5);
    FIXTURE_UNTIL(fixture, atomic_load(&seen.attempts) == 1);
    leave(fixture);
    fixture = live("");
    FIXTURE_UNTIL(fixture, atomic_load(&seen.attempts) == 5);
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    assert_int_equal(fixture_stats(fixture).done, 5);
    fixture_close(fixture);
}

static void test_attempts_are_counted_over_restarts_until_they_run_out(void **state)
{
    static const char settings[] = "retry: {attempts: 4, base: 1ms, max: 1ms}";
    struct fixture *fixture = live(settings);

    (void)state;
    fixture_submit(fixture, "x", "\"retry\"", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_RETRY, 0) == 2);
    leave(fixture);
    fixture = live(settings);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DEAD, 0) == 1);
    assert_int_equal(seen.attempts, 2);
    assert_int_equal(seen.first_attempts, 0);
    leave(fixture);
}

static void test_a_dead_letter_lives_on_and_can_be_replayed_or_dropped(void **state)
{
    atamo_dead_letter letter = {.size = sizeof letter};
    struct fixture *fixture = live("");

    (void)state;
    atomic_store(&seen.fails, true);
    fixture_submit(fixture, "x", "1", "");
    fixture_submit(fixture, "x", "2", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 2);
    fixture_close(fixture);
    fixture = live("");
    assert_int_equal(atamo_dead_next(fixture->hub, 0, &letter), ATAMO_OK);
    assert_string_equal(letter.text, "it cannot be done");
    assert_string_equal(letter.rule, "r");
    assert_int_equal(letter.attempts, 1);
    assert_int_equal(atamo_dead_replay(fixture->hub, letter.id), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DONE, 0) == 1);
    assert_string_equal(seen.bodies[0], "1");
    assert_int_equal(atamo_dead_next(fixture->hub, letter.id, &letter), ATAMO_OK);
    fixture_close(fixture);
    fixture = live("");
    letter.id = 0;
    assert_int_equal(atamo_dead_next(fixture->hub, 0, &letter), ATAMO_OK);
    assert_int_equal(atamo_dead_drop(fixture->hub, letter.id), ATAMO_OK);
    fixture_close(fixture);
    fixture = live("");
    assert_int_equal(atamo_dead_next(fixture->hub, 0, &letter), ATAMO_NOT_FOUND);
    assert_int_equal(fixture_stats(fixture).accepted, 0);
    fixture_close(fixture);
}

static void test_a_delayed_event_waits_over_a_restart(void **state)
{
    struct fixture *fixture = live("");
    atamo_event_draft draft = atamo_draft("x");

    (void)state;
    draft.data = atamo_text("7");
    draft.delay_ms = 400;
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DELAYED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_COMMITTED, 0), 1);
    leave(fixture);
    fixture = live("");
    FIXTURE_UNTIL(fixture, atomic_load(&seen.attempts) == 1);
    assert_string_equal(seen.bodies[0], "7");
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    fixture_close(fixture);
}

static void test_the_order_of_a_key_holds_over_a_restart(void **state)
{
    struct fixture *fixture = live("retry: {attempts: 9, base: 20ms, max: 20ms}");

    (void)state;
    atomic_store(&seen.holds, true);
    for (int i = 0; i < 6; i++) {
        char body[16];

        (void)snprintf(body, sizeof body, "%d", i);
        fixture_submit(fixture, "x", body, "key");
    }
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_COMMITTED, 0) == 6);
    leave(fixture);
    fixture = live("");
    FIXTURE_UNTIL(fixture, atomic_load(&seen.attempts) == 6);
    for (int i = 0; i < 6; i++) {
        char body[16];

        (void)snprintf(body, sizeof body, "%d", i);
        assert_string_equal(seen.bodies[i], body);
    }
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    fixture_close(fixture);
}

static void test_the_store_cannot_be_changed_while_the_hub_runs(void **state)
{
    struct fixture *fixture = live("");
    atamo_report *report = NULL;

    (void)state;
    assert_int_equal(atamo_reload(fixture->hub, NULL,
                                  atamo_text("agents: {a: {plugin: work}}\nrules: []\n"), &report),
                     ATAMO_INVALID);
    assert_non_null(strstr(atamo_report_at(report, 0).text, "store cannot be changed"));
    atamo_report_free(report);
    fixture_close(fixture);
}

static void test_an_event_that_comes_while_the_hub_opens_is_kept_like_any_other(void **state)
{
    struct fixture *fixture;

    (void)state;
    memset(&seen, 0, sizeof seen);
    atomic_store(&seen.holds, true);
    fixture = live_with("", "", "event_providers: {e: {plugin: early}}\n");
    FIXTURE_UNTIL(fixture, atomic_load(&seen.attempts) == 1);
    leave(fixture);
    fixture = live("");
    FIXTURE_UNTIL(fixture, atomic_load(&seen.attempts) == 1);
    assert_string_equal(seen.bodies[0], "early");
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    fixture_close(fixture);
}

static void test_a_full_store_refuses_new_events_keeps_the_others_and_takes_more_when_it_can(
    void **state)
{
    static char large[8192];
    struct fixture *fixture;
    atamo_event_draft draft = atamo_draft("x");
    size_t done;

    (void)state;
    memset(&seen, 0, sizeof seen);
    memset(large, '7', sizeof large);
    draft.data = (atamo_bytes){large, sizeof large};
    fixture = live_with("", ", max_size: 16MiB", "");
    assert_int_equal(atamo_agent_pause(fixture->hub, "a", 1), ATAMO_OK);
    FIXTURE_UNTIL(fixture, (atamo_submit(fixture->client, &draft, NULL) == ATAMO_OK ||
                            fixture->record_count > 0) &&
                               fixture_count(fixture, ATAMO_STEP_REFUSED, ATAMO_REASON_STORE) > 0);
    done = fixture_count(fixture, ATAMO_STEP_COMMITTED, 0);
    assert_in_range(done, 100, 2000);
    assert_int_equal(atamo_agent_pause(fixture->hub, "a", 0), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DONE, 0) >= done);
    FIXTURE_UNTIL(fixture, atamo_wait_idle(fixture->hub, 50) == ATAMO_OK);
    fixture_submit(fixture, "x", "after", "");
    FIXTURE_UNTIL(fixture, strcmp(seen.bodies[atomic_load(&seen.attempts) - 1], "after") == 0);
    fixture_close(fixture);
}

/* Memory of the process that is not a file's, in bytes; 0 under a sanitizer, which has much of its
 * own. */
static size_t own_memory(void)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    return 0;
#else
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    unsigned long kb = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            kb = strtoul(line + 8, NULL, 10);
    assert_int_equal(fclose(file), 0);
    return (size_t)kb * 1024;
#endif
}

enum { LONG_QUEUE = 40000 };

/* Each event has a kilobyte and a number; every hundredth has the same key. */
static void submit_many(struct fixture *fixture, int from, int to)
{
    static char data[1100];
    char key[16];

    for (int i = from; i < to; i++) {
        atamo_event_draft draft = atamo_draft("x");

        (void)snprintf(data, sizeof data, "\"%d %01000d\"", i, 0);
        draft.data = atamo_text(data);
        (void)snprintf(key, sizeof key, "%d", i % QUEUE_KEYS);
        draft.partitionkey = atamo_text(key);
        while (atamo_submit(fixture->client, &draft, NULL) == ATAMO_BUSY)
            fixture_step_once(fixture);
    }
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight == (uint64_t)to);
}

static void test_a_long_queue_waits_in_the_store_and_holds_up_nobody_else(void **state)
{
    static const char two[] = "agents: {a: {plugin: work, queue: 200}, b: {plugin: work}}\n"
                              "rules: [{id: r, on: x, then: {agent: a, action: do}},\n"
                              "  {id: s, on: y, then: {agent: b, action: do}}]\n";
    static const atamo_registration plugins[] = {{&plugin, NULL}};
    atamo_stats stats;
    struct fixture *fixture;
    size_t before;
    char yaml[1024];

    (void)state;
    memset(&seen, 0, sizeof seen);
    (void)snprintf(yaml, sizeof yaml,
                   "hub: {mode: durable, recent: 0}\n"
                   "store: {plugin: %s/lib/atamo/plugins/lmdb.so, config: {path: %s/store}}\n%s",
                   ATAMO_BUILD_DIR, folder, two);
    for (int life = 0; life < 2; life++) {
        fixture = fixture_open(yaml, plugins, 1);
        assert_int_equal(atamo_watch_telemetry(fixture->client, 0, NULL, NULL), ATAMO_OK);
        assert_int_equal(atamo_agent_pause(fixture->hub, "a", 1), ATAMO_OK);
        if (life == 0)
            submit_many(fixture, 0, LONG_QUEUE / 4);
        before = own_memory();
        if (life == 0)
            submit_many(fixture, LONG_QUEUE / 4, LONG_QUEUE);
        fixture_submit(fixture, "y", "\"other\"", "one");
        FIXTURE_UNTIL(fixture, atomic_load(&seen.others) == life + 1);
        /* Some may be done before the pause, in the second life. */
        FIXTURE_UNTIL(fixture, fixture_stats(fixture).in_flight <= LONG_QUEUE);
        stats = fixture_stats(fixture);
        assert_in_range(stats.waiting, LONG_QUEUE - 1000, LONG_QUEUE);
        assert_true(own_memory() < before + ((size_t)16 << 20)); /* of 30 MB more */
        leave(fixture);
    }
    fixture = fixture_open(yaml, plugins, 1);
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, NULL, NULL), ATAMO_OK);
    FIXTURE_UNTIL(fixture, atamo_wait_idle(fixture->hub, 50) == ATAMO_OK);
    for (int i = 0; i < QUEUE_KEYS; i++)
        assert_int_equal(atomic_load(&seen.last[i]), LONG_QUEUE - QUEUE_KEYS + i);
    assert_false(atomic_load(&seen.out_of_order));
    fixture_close(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_an_event_is_committed_before_an_agent_hears_of_it),
        TEST(test_what_a_killed_process_had_accepted_is_done_in_the_next_life),
        TEST(test_a_stop_leaves_what_is_open_for_the_next_life),
        TEST(test_attempts_are_counted_over_restarts_until_they_run_out),
        TEST(test_a_dead_letter_lives_on_and_can_be_replayed_or_dropped),
        TEST(test_a_delayed_event_waits_over_a_restart),
        TEST(test_the_order_of_a_key_holds_over_a_restart),
        TEST(test_the_store_cannot_be_changed_while_the_hub_runs),
        TEST(test_an_event_that_comes_while_the_hub_opens_is_kept_like_any_other),
        TEST(test_a_long_queue_waits_in_the_store_and_holds_up_nobody_else),
        TEST(test_a_full_store_refuses_new_events_keeps_the_others_and_takes_more_when_it_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
