/* Which call is meant by method and path, and what stands for the * in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../plugins/event-providers/http/pages.h"
#include "../../../plugins/event-providers/http/routes.h"

#include <stdio.h>
#include <string.h>

/* --- the calls, which say that they were meant, and what the routes want of exchanges */

static const char *meant;

#define CALL(name)                       \
    void name(struct exchange *exchange) \
    {                                    \
        (void)exchange;                  \
        meant = #name;                   \
    }

CALL(events_post)
CALL(events_get)
CALL(events_why)
CALL(requests_post)
CALL(requests_get)
CALL(requests_stream)
CALL(requests_delete)
CALL(telemetry_get)
CALL(stats_get)
CALL(agents_get)
CALL(agents_pause)
CALL(agents_resume)
CALL(agents_drain)
CALL(rules_list)
CALL(rules_show)
CALL(rules_versions)
CALL(rules_put)
CALL(rules_delete)
CALL(rules_rollback)
CALL(rules_test)
CALL(dead_list)
CALL(dead_show)
CALL(dead_replay)
CALL(dead_replay_many)
CALL(dead_drop)
CALL(health_get)
CALL(ready_get)
CALL(metrics_get)
CALL(openapi_get)
CALL(pages_get)

bool pages_has(const char *path)
{
    return strcmp(path, "/") == 0;
}

static unsigned answered;
static char allow[128];

void exchange_problem(struct exchange *exchange, unsigned status, const char *format, ...)
{
    (void)exchange;
    (void)format;
    answered = status;
}

void exchange_set(struct exchange *exchange, const char *name, const char *value)
{
    (void)exchange;
    assert_string_equal(name, "Allow");
    (void)snprintf(allow, sizeof allow, "%s", value);
}

/* --- tests */

/* NOLINTNEXTLINE(readability-non-const-parameter): the exchange has it */
static bool find(struct exchange *exchange, const char *method, char *target)
{
    *exchange = (struct exchange){.target = target};
    answered = 0;
    meant = "";
    allow[0] = '\0';
    if (!routes_find(exchange, method)) {
        assert_true(answered != 0);
        return false;
    }
    assert_int_equal(answered, 0);
    exchange->route->handle(exchange);
    return true;
}

static void expect(const char *method, const char *path, const char *call, const char *id)
{
    struct exchange exchange;
    char target[2048];

    (void)snprintf(target, sizeof target, "%s", path);
    assert_true(find(&exchange, method, target));
    assert_string_equal(meant, call);
    assert_string_equal(exchange.id, id);
}

static void refuse(const char *method, const char *path, unsigned status)
{
    struct exchange exchange;
    char target[2048];

    (void)snprintf(target, sizeof target, "%s", path);
    assert_false(find(&exchange, method, target));
    assert_int_equal(answered, status);
}

static void test_calls_are_found_by_method_and_path(void **state)
{
    (void)state;
    expect("POST", "/v1/events", "events_post", "");
    expect("POST", "/v1/events?wait=5s", "events_post", "");
    expect("GET", "/v1/events/x", "events_get", "x");
    expect("GET", "/v1/events/x/why?a=/b", "events_why", "x");
    expect("GET", "/v1/requests/x/stream", "requests_stream", "x");
    expect("DELETE", "/v1/requests/x", "requests_delete", "x");
    expect("POST", "/v1/agents/a:b:pause", "agents_pause", "a:b");
    expect("POST", "/v1/dead-letters:replay?rate=1", "dead_replay_many", "");
    expect("POST", "/v1/dead-letters/7:replay", "dead_replay", "7");
    expect("GET", "/health#top", "health_get", "");
    expect("GET", "/?theme=dark", "pages_get", "/");
}

static void test_head_is_a_get(void **state)
{
    (void)state;
    expect("HEAD", "/health", "health_get", "");
    expect("HEAD", "/v1/events/x", "events_get", "x");
    refuse("HEAD", "/v1/events", 405);
}

static void test_names_are_decoded_after_the_path_was_taken_apart(void **state)
{
    (void)state;
    expect("GET", "/v1/events/a%2fb", "events_get", "a/b");
    expect("GET", "/v1/events/%2e%2e", "events_get", "..");
    expect("GET", "/v1/events/x%2Fwhy", "events_get", "x/why");
    expect("GET", "/v1/events/a%3fb%23", "events_get", "a?b#");
    expect("GET", "/v1/events/%2541", "events_get", "%41");
}

static void test_names_that_cannot_be_are_refused(void **state)
{
    char path[2048] = "/v1/events/";
    char id[EXCHANGE_ID_MAX];
    const size_t start = strlen(path);

    (void)state;
    refuse("GET", "/v1/events/%", 400);
    refuse("GET", "/v1/events/%4", 400);
    refuse("GET", "/v1/events/%zz", 400);
    refuse("GET", "/v1/events/a%00b", 400);
    memset(id, 'a', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    memcpy(path + start, id, sizeof id);
    expect("GET", path, "events_get", id);
    memcpy(path + start + sizeof id - 1, "a", 2);
    refuse("GET", path, 400);
    path[start] = '\0';
    for (size_t i = 0; i < sizeof id - 1; i++)
        memcpy(path + start + 3 * i, "%61", 4);
    expect("GET", path, "events_get", id);
    memcpy(path + start + 3 * (sizeof id - 1), "%61", 4);
    refuse("GET", path, 400);
}

static void test_what_is_nowhere_is_not_found(void **state)
{
    static const char *const paths[] = {
        "",           "/v1",         "/v1/",           "/v1/events/",       "/v1/events//why",
        "*",          "//health",    "/health/",       "/HEALTH",           "/healthy",
        "/v1/stats/", "/v1%2fstats", "/v1/events/a/b", "/v1/agents/:pause", "/v1/agents/x:stop",
        "health",     "/he%61lth",   "/../health",     "?/health",          "/v1/events/a/why/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        refuse("GET", paths[i], 404);
}

static void test_other_methods_are_told_which_there_are(void **state)
{
    (void)state;
    refuse("GET", "/v1/events", 405);
    assert_string_equal(allow, "POST");
    refuse("PATCH", "/v1/requests/x", 405);
    assert_string_equal(allow, "GET, DELETE");
    refuse("get", "/health", 405);
    assert_string_equal(allow, "GET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_found_by_method_and_path),
        cmocka_unit_test(test_head_is_a_get),
        cmocka_unit_test(test_names_are_decoded_after_the_path_was_taken_apart),
        cmocka_unit_test(test_names_that_cannot_be_are_refused),
        cmocka_unit_test(test_what_is_nowhere_is_not_found),
        cmocka_unit_test(test_other_methods_are_told_which_there_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
