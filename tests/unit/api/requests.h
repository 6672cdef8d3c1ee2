/* requests - a hub, agents that the test plays itself, and ears that note every reply.
 *
 * An agent of action type "hold" keeps what it is given until the test answers for it, from the
 * test's own thread; "echo" answers with the body at once, "fail" fails, "again" wants to be tried
 * again, "elsewhere" responds from a thread and is done here. Time stands still but for
 * requests_advance(). Nothing here sleeps: requests_settle_down() returns when the hub has looked
 * at all that was said before. */
#ifndef TESTS_UNIT_API_REQUESTS_H
#define TESTS_UNIT_API_REQUESTS_H

#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { HELD_MAX = 4096, HEARD_MAX = 20000, EAR_BODY = 40 };

/* One action that an agent holds. */
struct held {
    atamo_action action;
    const atamo_host *host;
    char agent[16];
    uint32_t flags, attempt;
    uint64_t message;           /* the request's number */
    _Atomic uint32_t cancelled; /* the reason */
    _Atomic uint32_t rooms;     /* how often room() was called */
};

struct stage {
    atamo_hub *hub;
    _Atomic int64_t now_ns;
    _Atomic bool settles_on_cancel; /* what is cancelled is settled there and then */
    _Atomic size_t held_count;
    struct held held[HELD_MAX];
};

struct heard {
    uint64_t request, sequence, lost;
    uint32_t kind, done, actions;
    int32_t status;
    double progress;
    char agent[16], rule[16], key[24], body[EAR_BODY];
};

/* What one listener has heard. */
struct ear {
    struct heard replies[HEARD_MAX];
    size_t count, ends, batches;
    void (*then)(struct ear *ear); /* called at the end of each batch; NULL: nothing */
    atamo_client *client;
    uint64_t request;
    int status;
};

/* --- the agents' side */

/* The newest: another attempt has the same handle. */
static inline struct held *stage_find(struct stage *stage, atamo_action action)
{
    for (size_t i = atomic_load(&stage->held_count); i > 0; i--)
        if (stage->held[i - 1].action == action)
            return &stage->held[i - 1];
    return NULL;
}

/* For a thread of the agent's. */
struct errand {
    const atamo_host *host;
    atamo_action action;
};

static inline void *stage_run_errand(void *argument)
{
    const struct errand *errand = argument;

    (void)atamo_respond(errand->host, errand->action, atamo_text("from a thread"));
    return NULL;
}

static inline void stage_respond_elsewhere(const atamo_host *host, atamo_action action)
{
    struct errand errand = {host, action};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, stage_run_errand, &errand), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    atamo_done(host, action);
}

static inline void stage_handle(void *self, atamo_action action)
{
    const atamo_host *host = self;
    struct stage *stage = host->context(host);
    atamo_action_info info = {.size = sizeof info};

    assert_int_equal(host->info(host, action, &info), ATAMO_OK);
    if (strcmp(info.type.data, "echo") == 0) {
        atamo_answer(host, action, info.body);
    } else if (strcmp(info.type.data, "fail") == 0) {
        atamo_fail(host, action, "it cannot be done");
    } else if (strcmp(info.type.data, "again") == 0) {
        atamo_retry(host, action, 1000, "not now");
    } else if (strcmp(info.type.data, "elsewhere") == 0) {
        stage_respond_elsewhere(host, action);
    } else {
        const size_t place = atomic_load(&stage->held_count);
        struct held *held = &stage->held[place];

        assert_true(place < HELD_MAX);
        *held = (struct held){.action = action, .host = host, .flags = info.flags};
        held->attempt = info.attempt;
        held->message = info.message;
        (void)snprintf(held->agent, sizeof held->agent, "%s", info.agent.data);
        atomic_store(&stage->held_count, place + 1);
    }
}

static inline void stage_cancel(void *self, atamo_action action, uint32_t reason)
{
    const atamo_host *host = self;
    struct stage *stage = host->context(host);
    struct held *held = stage_find(stage, action);

    if (held != NULL)
        atomic_store(&held->cancelled, reason);
    if (held == NULL || atomic_load(&stage->settles_on_cancel))
        atamo_done(host, action);
}

static inline void stage_room(void *self, atamo_action action)
{
    const atamo_host *host = self;
    struct held *held = stage_find(host->context(host), action);

    assert_non_null(held);
    atomic_fetch_add(&held->rooms, 1);
}

static const atamo_agent stage_inline = {.size = sizeof stage_inline,
                                         .handle = stage_handle,
                                         .cancel = stage_cancel,
                                         .room = stage_room};
static const atamo_agent stage_pool = {.size = sizeof stage_pool,
                                       .mode = ATAMO_POOL,
                                       .handle = stage_handle,
                                       .cancel = stage_cancel,
                                       .room = stage_room};
static const atamo_plugin stage_inline_plugin = {
    ATAMO_PLUGIN_HEAD,      .id = "actor", .version = "1", .summary = "is played by the test",
    .agent = &stage_inline,
};
static const atamo_plugin stage_pool_plugin = {
    ATAMO_PLUGIN_HEAD,    .id = "pooled",
    .version = "1",       .summary = "is played by the test, from a thread of its own",
    .agent = &stage_pool,
};

static inline int64_t stage_now(void *user)
{
    const struct stage *stage = user;

    return atomic_load(&stage->now_ns);
}

static inline struct stage *stage_open(const char *yaml)
{
    struct stage *stage = calloc(1, sizeof *stage);
    const atamo_registration plugins[] = {{&stage_inline_plugin, stage},
                                          {&stage_pool_plugin, stage}};
    const atamo_settings settings = {.size = sizeof settings,
                                     .config = atamo_text(yaml),
                                     .plugins = plugins,
                                     .plugin_count = 2,
                                     .now = stage_now,
                                     .now_user = stage,
                                     .log = fixture_quiet};
    atamo_report *report = NULL;
    int status;

    assert_non_null(stage);
    atomic_store(&stage->now_ns, INT64_C(1800000000000000000));
    atomic_store(&stage->settles_on_cancel, true);
    status = atamo_open(&settings, &stage->hub, &report);
    for (size_t i = 0; i < atamo_report_count(report); i++)
        print_message("%u: %s\n", atamo_report_at(report, i).line, atamo_report_at(report, i).text);
    atamo_report_free(report);
    assert_int_equal(status, ATAMO_OK);
    return stage;
}

static inline atamo_stats stage_stats(struct stage *stage)
{
    atamo_stats stats = {.size = sizeof stats};

    assert_int_equal(atamo_stats_get(stage->hub, NULL, &stats), ATAMO_OK);
    return stats;
}

/* The hub has looked at everything that was handed to it before: its first turn takes what is
 * there, and the second begins when the first has ended. */
static inline void stage_settle_down(struct stage *stage)
{
    for (int i = 0; i < 3; i++)
        (void)stage_stats(stage);
}

static inline void stage_advance(struct stage *stage, int64_t ms)
{
    atomic_fetch_add(&stage->now_ns, ms * 1000000);
    stage_settle_down(stage);
}

/* Everything has ended, nothing is left; then the hub is closed. */
static inline void stage_close(struct stage *stage)
{
    atamo_stats stats;

    stage_settle_down(stage);
    stats = stage_stats(stage);
    assert_int_equal(stats.requests, 0);
    assert_int_equal(stats.feeds, 0);
    assert_int_equal(stats.accepted, stats.finished);
    assert_int_equal(stats.actions,
                     stats.done + stats.dead + stats.shed + stats.cancelled + stats.expired);
    assert_int_equal(atamo_close(stage->hub, 5000), ATAMO_OK);
    free(stage);
}

/* The index-th action that was handed over; waits for it. */
static inline struct held *stage_held(struct stage *stage, size_t index)
{
    const int64_t end = fixture_clock_ms() + FIXTURE_LIMIT_MS;

    while (atomic_load(&stage->held_count) <= index) {
        assert_true(fixture_clock_ms() < end);
        (void)stage_stats(stage);
    }
    return &stage->held[index];
}

static inline int held_say(const struct held *held, const char *body)
{
    return atamo_respond(held->host, held->action, atamo_text(body));
}

static inline int held_say_about(const struct held *held, const char *key, const char *body)
{
    return atamo_respond_about(held->host, held->action, atamo_text(key), atamo_text(body));
}

static inline void held_done(const struct held *held)
{
    atamo_done(held->host, held->action);
}

/* --- the client's side */

static inline void ear_listen(const atamo_reply *replies, size_t count, void *user)
{
    struct ear *ear = user;

    for (size_t i = 0; i < count; i++) {
        const atamo_reply *reply = &replies[i];
        struct heard *heard = &ear->replies[ear->count++];

        assert_true(ear->count <= HEARD_MAX);
        assert_ptr_equal(reply->user, user);
        assert_int_equal(reply->body.data[reply->body.size], '\0');
        *heard = (struct heard){.request = reply->request,
                                .sequence = reply->sequence,
                                .lost = reply->lost,
                                .kind = reply->kind,
                                .done = reply->done,
                                .actions = reply->actions,
                                .status = reply->status,
                                .progress = reply->progress};
        (void)snprintf(heard->agent, sizeof heard->agent, "%s", reply->agent.data);
        (void)snprintf(heard->rule, sizeof heard->rule, "%s", reply->rule.data);
        (void)snprintf(heard->key, sizeof heard->key, "%s", reply->key.data);
        (void)snprintf(heard->body, sizeof heard->body, "%s", reply->body.data);
        ear->ends += reply->kind == ATAMO_REPLY_END;
    }
    ear->batches++;
    if (ear->then != NULL)
        ear->then(ear);
}

static inline struct ear *ear_open(struct stage *stage)
{
    struct ear *ear = calloc(1, sizeof *ear);

    assert_non_null(ear);
    assert_int_equal(atamo_client_open(stage->hub, &ear->client), ATAMO_OK);
    return ear;
}

static inline void ear_close(struct ear *ear)
{
    atamo_client_close(ear->client);
    free(ear);
}

/* Ask; `options` may be NULL. Returns the request. */
static inline uint64_t ear_ask(struct ear *ear, const char *type, atamo_request_options *options)
{
    atamo_event_draft draft = atamo_draft(type);

    draft.data = atamo_text("{}");
    draft.source = atamo_text("/test");
    if (options != NULL)
        options->size = sizeof *options;
    assert_int_equal(atamo_request(ear->client, &draft, options, ear_listen, ear, &ear->request),
                     ATAMO_OK);
    return ear->request;
}

/* Hear what has come until now, and what follows it because it was heard. */
static inline void ear_hear(struct stage *stage, struct ear *ear)
{
    do
        stage_settle_down(stage);
    while (atamo_dispatch(ear->client, 0, NULL) > 0);
}

static inline void ear_hear_until(struct ear *ear, size_t count)
{
    const int64_t end = fixture_clock_ms() + FIXTURE_LIMIT_MS;

    while (ear->count < count) {
        assert_true(fixture_clock_ms() < end);
        (void)atamo_wait(ear->client, 50);
        (void)atamo_dispatch(ear->client, 0, NULL);
    }
}

static inline const struct heard *ear_last(const struct ear *ear)
{
    assert_true(ear->count > 0);
    return &ear->replies[ear->count - 1];
}

static inline void assert_heard(const struct ear *ear, size_t index, uint32_t kind,
                                const char *agent, const char *body)
{
    assert_true(index < ear->count);
    assert_int_equal(ear->replies[index].kind, kind);
    assert_string_equal(ear->replies[index].agent, agent);
    assert_string_equal(ear->replies[index].body, body);
}

/* The last reply, and the only END, says so. */
static inline void assert_ended(const struct ear *ear, int status, const char *why)
{
    const struct heard *last = ear_last(ear);

    assert_int_equal(ear->ends, 1);
    assert_int_equal(last->kind, ATAMO_REPLY_END);
    assert_int_equal(last->status, status);
    assert_string_equal(last->body, why);
}

/* What was heard and what is said to be lost is all that was sent, without holes. */
static inline void assert_gaps_are_counted(const struct ear *ear)
{
    uint64_t sequence = 0;

    for (size_t i = 0; i < ear->count; i++) {
        sequence += ear->replies[i].lost + 1;
        assert_int_equal(ear->replies[i].sequence, sequence);
    }
}

#endif
