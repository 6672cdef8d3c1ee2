/* cached - a hub whose agent has a cache, and whose clock is the test's. */
#ifndef TESTS_UNIT_API_CACHED_H
#define TESTS_UNIT_API_CACHED_H

#include "asker.h"
#include "desk.h"

static _Atomic int64_t clock_ns;

static inline int64_t now(void *user)
{
    (void)user;
    return atomic_load(&clock_ns);
}

static inline int set_up(void **state)
{
    (void)state;
    desk_clear();
    atomic_store(&clock_ns, INT64_C(1800000000000000000));
    return 0;
}

static const char durably[] = "store: {plugin: " ATAMO_BUILD_DIR "/lib/atamo/plugins/memory.so}\n";
static bool durable;

static inline const char *configuration(const char *cache, const char *more)
{
    static char yaml[1024];

    (void)snprintf(
        yaml, sizeof yaml,
        "%sagents: {a: {plugin: desk, cache: %s, retry: {attempts: 2, base: 1ms, max: 1ms}"
        "%s}}\n"
        "rules:\n"
        "  - {id: look, on: look, then: {agent: a, action: look}}\n"
        "  - {id: find, on: find, then: {agent: a, action: find}}\n"
        "  - {id: one, on: twice, then: {agent: a, action: look}}\n"
        "  - {id: two, on: twice, then: {agent: a, action: look}}\n",
        durable ? durably : "", cache, more);
    return yaml;
}

static inline struct fixture *open_with(const char *cache, const char *more)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    atamo_settings settings = {.size = sizeof settings,
                               .plugins = desk_registration,
                               .plugin_count = 1,
                               .now = now,
                               .log = fixture_quiet};

    assert_non_null(fixture);
    settings.config = atamo_text(configuration(cache, more));
    assert_int_equal(atamo_open(&settings, &fixture->hub, NULL), ATAMO_OK);
    assert_int_equal(atamo_client_open(fixture->hub, &fixture->client), ATAMO_OK);
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, fixture_take_records, fixture),
                     ATAMO_OK);
    return fixture;
}

/* Let time pass, and the hub see it: what it is asked second it looks at with a new time. */
static inline void pass(struct fixture *fixture, int64_t ms)
{
    atomic_fetch_add(&clock_ns, ms * 1000000);
    (void)fixture_stats(fixture);
    (void)fixture_stats(fixture);
}

static inline atamo_agent_state agent(const struct fixture *fixture)
{
    atamo_agent_state state = {.size = sizeof state};

    assert_int_equal(atamo_agent_get(fixture->hub, 0, &state), ATAMO_OK);
    return state;
}

/* Ask, and wait until the hub has looked at it. */
static inline void ask(struct fixture *fixture, struct asker *asker, const char *data,
                       const char *user)
{
    const uint64_t before = fixture_stats(fixture).accepted;

    asker_ask(asker, fixture->client, "look", data, user, NULL);
    FIXTURE_UNTIL(fixture, fixture_stats(fixture).accepted == before + 1);
}

static inline void wait_end(struct fixture *fixture, const struct asker *asker)
{
    FIXTURE_UNTIL(fixture, asker->has_ended);
}

static inline void assert_answered(const struct asker *asker, const char *bodies)
{
    assert_true(asker->has_ended);
    assert_int_equal(asker->status, ATAMO_OK);
    assert_string_equal(asker->bodies, bodies);
}

#endif
