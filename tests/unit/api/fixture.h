/* fixture - a hub in a test: agents written in the test, configuration as text, replies and
 * telemetry collected. All waiting is on the hub's own descriptor, with a limit. */
#ifndef TESTS_UNIT_API_FIXTURE_H
#define TESTS_UNIT_API_FIXTURE_H

#include <atamo/atamo.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { FIXTURE_RECORDS = 60000, FIXTURE_REPLIES = 2000, FIXTURE_LIMIT_MS = 10000 };

struct seen_reply {
    uint64_t request;
    uint32_t kind;
    int32_t status;
    uint64_t sequence;
    char agent[32];
    char body[256];
};

struct fixture {
    atamo_hub *hub;
    atamo_client *client;
    atamo_telemetry records[FIXTURE_RECORDS]; /* without text records */
    char texts[FIXTURE_RECORDS][96];
    size_t record_count;
    struct seen_reply replies[FIXTURE_REPLIES];
    size_t reply_count;
};

static inline void fixture_take_records(const atamo_telemetry *records, size_t count, uint64_t lost,
                                        void *user)
{
    struct fixture *fixture = user;

    assert_int_equal(lost, 0);
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i])) {
        if (records[i].step == ATAMO_STEP_TEXT)
            continue;
        assert_true(fixture->record_count < FIXTURE_RECORDS);
        fixture->records[fixture->record_count] = records[i];
        (void)atamo_telemetry_text(&records[i], fixture->texts[fixture->record_count], 96);
        fixture->record_count++;
    }
}

static inline void fixture_take_replies(const atamo_reply *replies, size_t count, void *user)
{
    struct fixture *fixture = user;

    for (size_t i = 0; i < count; i++) {
        struct seen_reply *seen = &fixture->replies[fixture->reply_count++];

        assert_true(fixture->reply_count <= FIXTURE_REPLIES);
        seen->request = replies[i].request;
        seen->kind = replies[i].kind;
        seen->status = replies[i].status;
        seen->sequence = replies[i].sequence;
        (void)snprintf(seen->agent, sizeof seen->agent, "%s", replies[i].agent.data);
        (void)snprintf(seen->body, sizeof seen->body, "%.*s", (int)replies[i].body.size,
                       replies[i].body.data);
    }
}

static inline void fixture_quiet(void *user, int level, const char *instance, const char *line)
{
    (void)user;
    (void)level;
    (void)instance;
    (void)line;
}

/* Open a hub; fails the test with the configuration's problems if it does not open. */
static inline struct fixture *fixture_open(const char *yaml, const atamo_registration *plugins,
                                           size_t count)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    atamo_settings settings = {.size = sizeof settings,
                               .config = atamo_text(yaml),
                               .plugins = plugins,
                               .plugin_count = count,
                               .log = fixture_quiet};
    atamo_report *report = NULL;
    int status;

    assert_non_null(fixture);
    status = atamo_open(&settings, &fixture->hub, &report);
    for (size_t i = 0; i < atamo_report_count(report); i++)
        print_message("%u:%u: %s\n", atamo_report_at(report, i).line,
                      atamo_report_at(report, i).column, atamo_report_at(report, i).text);
    atamo_report_free(report);
    assert_int_equal(status, ATAMO_OK);
    assert_int_equal(atamo_client_open(fixture->hub, &fixture->client), ATAMO_OK);
    assert_int_equal(atamo_watch_telemetry(fixture->client, 0, fixture_take_records, fixture),
                     ATAMO_OK);
    return fixture;
}

static inline void fixture_close(struct fixture *fixture)
{
    if (fixture->client != NULL)
        atamo_client_close(fixture->client);
    assert_int_equal(atamo_close(fixture->hub, 5000), ATAMO_OK);
    free(fixture);
}

/* How many records of a step (and reason, if not 0) have been seen. */
static inline size_t fixture_count(const struct fixture *fixture, atamo_step step, unsigned reason)
{
    size_t count = 0;

    for (size_t i = 0; i < fixture->record_count; i++)
        count += fixture->records[i].step == step &&
                 (reason == 0 || fixture->records[i].reason == reason);
    return count;
}

static inline void fixture_step_once(struct fixture *fixture)
{
    (void)atamo_wait(fixture->client, 50);
    (void)atamo_dispatch(fixture->client, 0, NULL);
}

/* A number in a text of the test's own. */
static inline int fixture_number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static inline int64_t fixture_clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Dispatch until the condition holds; fails the test after FIXTURE_LIMIT_MS. */
#define FIXTURE_UNTIL(fixture, condition)                                  \
    do {                                                                   \
        const int64_t fixture_end = fixture_clock_ms() + FIXTURE_LIMIT_MS; \
        while (!(condition)) {                                             \
            assert_true(fixture_clock_ms() < fixture_end);                 \
            fixture_step_once(fixture);                                    \
        }                                                                  \
    } while (0)

static inline void fixture_submit(struct fixture *fixture, const char *type, const char *data,
                                  const char *key)
{
    atamo_event_draft draft = atamo_draft(type);

    draft.source = atamo_text("/test");
    draft.data = atamo_text(data);
    draft.partitionkey = atamo_text(key);
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
}

/* accepted = finished + in flight; actions = all their ends + waiting + running. */
static inline atamo_stats fixture_stats(struct fixture *fixture)
{
    atamo_stats stats = {.size = sizeof stats};

    assert_int_equal(atamo_stats_get(fixture->hub, NULL, &stats), ATAMO_OK);
    assert_int_equal(stats.accepted, stats.finished + stats.in_flight);
    assert_int_equal(stats.actions, stats.done + stats.dead + stats.shed + stats.cancelled +
                                        stats.expired + stats.waiting + stats.running);
    return stats;
}

#endif
