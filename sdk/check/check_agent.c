/* check_agent - what agents are given: bodies of all kinds, batches, calls on several threads,
 * cancellation, drain with work in hand, a client that takes no responses.
 *
 * The outcome is the agent's own affair. What counts is that each action is settled exactly once
 * within the limit, and that an inline agent does not hold the loop up.
 */
#include "check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHECK_LARGE = 1 << 20,
    CHECK_BATCH = 64,
    CHECK_THREADS = 4,
    CHECK_EACH = 25,
    CHECK_BLOCKED_MS = 200
};

static const atamo_agent *agent_of(const atamo_test_host *host)
{
    return atamo_test_plugin(host)->agent;
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Give actions as the hub would; an inline agent must come back soon. */
static void give(const struct check *check, atamo_test_host *host, const atamo_action *actions,
                 size_t count)
{
    const int64_t before = now_ms();
    int64_t took;

    check_at(check, count > 1 ? "handle_batch()" : "handle()");
    if (atamo_test_give(host, actions, count) != ATAMO_OK)
        check_fail(check, "the actions could not be given");
    took = now_ms() - before;
    if (agent_of(host)->mode == ATAMO_INLINE && took > CHECK_BLOCKED_MS)
        check_fail(check,
                   "an inline agent held the loop up for %lld ms: work on a thread of its own, or "
                   "declare ATAMO_POOL",
                   (long long)took);
}

static void wait_all(const struct check *check, atamo_test_host *host, const char *which)
{
    check_at(check, which);
    if (atamo_test_wait_settled(host, 0, check->limit_ms) != ATAMO_OK)
        check_fail(check, "not all actions were settled within %u ms (%s)", check->limit_ms, which);
}

/* A failure that says nothing helps nobody. */
static void look_at_outcome(const struct check *check, const atamo_test_host *host,
                            atamo_action action)
{
    atamo_outcome outcome;

    if (atamo_test_settled(host, action, &outcome) == ATAMO_OK && outcome.kind != ATAMO_DONE &&
        outcome.reason.size == 0)
        check_fail(check, "an action was settled with %s without a reason: give one sentence",
                   outcome.kind == ATAMO_FAIL ? "ATAMO_FAIL" : "ATAMO_RETRY");
}

static void try_event(const struct check *check, atamo_test_host *host, const char *which,
                      const atamo_event_draft *draft)
{
    const atamo_action_info info = {.size = sizeof info,
                                    .type = {"check", 5},
                                    .flags = ATAMO_WANTS_RESPONSES,
                                    .body = draft->data};
    const atamo_action action = atamo_test_action_like(host, &info, draft);

    if (action == 0) {
        check_fail(check, "no memory");
        return;
    }
    give(check, host, &action, 1);
    wait_all(check, host, which);
    look_at_outcome(check, host, action);
}

static void try_body(const struct check *check, atamo_test_host *host, const char *which,
                     atamo_bytes body)
{
    atamo_event_draft draft = atamo_draft("check.event");

    draft.id = atamo_text("check-1");
    draft.source = atamo_text("/check");
    draft.data = body;
    try_event(check, host, which, &draft);
}

/* 1 MiB of JSON: one long text. */
static void try_large(const struct check *check, atamo_test_host *host)
{
    char *text = malloc(CHECK_LARGE);

    if (text == NULL)
        return;
    memset(text, 'x', CHECK_LARGE);
    text[0] = '"';
    text[CHECK_LARGE - 1] = '"';
    try_body(check, host, "a body of 1 MiB", (atamo_bytes){text, CHECK_LARGE});
    free(text);
}

static void try_binary(const struct check *check, atamo_test_host *host)
{
    atamo_event_draft draft = atamo_draft("check.event");
    char bytes[256];

    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    draft.flags = ATAMO_DATA_BINARY;
    draft.datacontenttype = atamo_text("application/octet-stream");
    draft.data = (atamo_bytes){bytes, sizeof bytes};
    try_event(check, host, "a body of all 256 bytes", &draft);
}

void check_agent_bodies(const struct check *check)
{
    static const char *const bodies[] = {
        "{\"text\":\"hello\",\"n\":1}",         "", "null", "[1,2,3]", "not JSON at all",
        "{\"text\":\"\\u0000 \\ud83d\\ude00\"}"};
    atamo_test_host *host = check_run(check);
    char which[64];

    if (host == NULL)
        return;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0] && check->shared->count == 0; i++) {
        (void)snprintf(which, sizeof which, "a body of %s",
                       bodies[i][0] == '\0' ? "nothing" : bodies[i]);
        try_body(check, host, which, atamo_text(bodies[i]));
    }
    if (check->shared->count == 0)
        try_large(check, host);
    if (check->shared->count == 0)
        try_binary(check, host);
    check_close(check, host);
}

/* Make `count` actions of one kind. */
static bool make(const struct check *check, atamo_test_host *host, atamo_action *actions,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        actions[i] = atamo_test_action(host, "check", "{\"text\":\"hello\",\"n\":1}", NULL);
        if (actions[i] == 0) {
            check_fail(check, "no memory");
            return false;
        }
    }
    return true;
}

void check_agent_batch(const struct check *check)
{
    atamo_test_host *host = check_run(check);
    atamo_action actions[CHECK_BATCH];

    if (host == NULL)
        return;
    if (make(check, host, actions, CHECK_BATCH)) {
        give(check, host, actions, CHECK_BATCH);
        wait_all(check, host, "a batch of 64");
    }
    check_close(check, host);
}

struct worker {
    atamo_test_host *host;
    atamo_action actions[CHECK_EACH];
    pthread_t thread;
};

static void *work(void *argument)
{
    struct worker *worker = argument;

    for (size_t i = 0; i < CHECK_EACH; i++)
        (void)atamo_test_give(worker->host, &worker->actions[i], 1);
    return NULL;
}

void check_agent_threads(const struct check *check)
{
    atamo_test_host *host = check_run(check);
    struct worker workers[CHECK_THREADS];
    size_t started = 0;

    if (host == NULL)
        return;
    if (agent_of(host)->mode != ATAMO_POOL) {
        check_note(check, "an inline agent: nothing to check");
        check_close(check, host);
        return;
    }
    check_at(check, "handle() on 4 threads at once");
    for (; started < CHECK_THREADS; started++) {
        struct worker *worker = &workers[started];

        worker->host = host;
        if (!make(check, host, worker->actions, CHECK_EACH) ||
            pthread_create(&worker->thread, NULL, work, worker) != 0)
            break;
    }
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(workers[i].thread, NULL);
    wait_all(check, host, "100 actions on 4 threads");
    check_close(check, host);
}

void check_agent_cancel(const struct check *check)
{
    static const uint32_t reasons[] = {ATAMO_REASON_DEADLINE, ATAMO_REASON_CLIENT,
                                       ATAMO_REASON_STOPPING};
    atamo_test_host *host = check_run(check);
    atamo_action actions[CHECK_BATCH];

    if (host == NULL)
        return;
    if (make(check, host, actions, CHECK_BATCH)) {
        for (size_t i = 0; i < CHECK_BATCH; i++) {
            give(check, host, &actions[i], 1);
            check_at(check, "cancel()");
            atamo_test_cancel(host, actions[i], reasons[i % 3]);
        }
        wait_all(check, host, "actions that were cancelled: the settlement is still due");
        check_at(check, "cancel() of an action that was settled before");
        atamo_test_cancel(host, actions[0], ATAMO_REASON_CLIENT);
    }
    check_close(check, host);
}

void check_agent_drain(const struct check *check)
{
    atamo_test_host *host = check_run(check);
    atamo_action actions[CHECK_BATCH];

    if (host == NULL)
        return;
    if (make(check, host, actions, CHECK_BATCH))
        give(check, host, actions, CHECK_BATCH);
    check_at(check, "drain() with work in hand");
    (void)atamo_test_drain(host);
    wait_all(check, host, "after drain(): settle what you hold, or hand it back with ATAMO_RETRY");
    check_close(check, host);
}

void check_agent_slow_client(const struct check *check)
{
    atamo_test_host *host = check_run(check);
    atamo_action actions[2];

    if (host == NULL)
        return;
    if (make(check, host, actions, 2)) {
        atamo_test_respond_limit(host, 0);
        give(check, host, &actions[0], 1);
        (void)atamo_test_wait_settled(host, 0, CHECK_BLOCKED_MS);
        atamo_test_respond_limit(host, SIZE_MAX);
        check_at(check, "room()");
        (void)atamo_test_room(host);
        give(check, host, &actions[1], 1);
        wait_all(check, host, "after respond() said ATAMO_BUSY");
    }
    check_close(check, host);
}
