/* check_roles - what rule providers, auditors and event providers are given, and a little work of
 * any role for the checks of life.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_RECORDS = 2000, CHECK_SOME_MS = 300, CHECK_EVENTS = 64 };

/* --- rules */

static const char *rule_of(const struct check *check)
{
    return check->rule != NULL ? check->rule : "{\"id\":\"check\",\"on\":\"check.event\"}";
}

static void *compile(const struct check *check, atamo_test_host *host)
{
    void *rule = NULL;
    int status;

    check_at(check, "compile()");
    status = atamo_test_compile(host, rule_of(check), &rule);
    if (status == ATAMO_OK)
        return rule;
    if (atamo_test_refusal(host)[0] == '\0')
        check_fail(check,
                   "compile() failed (%s) without saying why: return atamo_refuse(host, ...)",
                   atamo_status_text(status));
    else if (check->rule != NULL)
        check_fail(check, "compile() failed: %s", atamo_test_refusal(host));
    else
        check_note(check,
                   "not evaluated: it refuses the sample rule (%.200s); give one with --rule",
                   atamo_test_refusal(host));
    return NULL;
}

static bool same(atamo_bytes a, atamo_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* Evaluate twice: the same event must give the same proposals. */
static void evaluate_twice(const struct check *check, atamo_test_host *host, void *rule,
                           const atamo_event_draft *draft)
{
    char why[256] = "";
    const int status = atamo_test_evaluate(host, rule, draft, why);
    const size_t count = atamo_test_proposal_count(host);
    atamo_proposal first = {.size = 0};
    atamo_proposal second = {.size = 0};

    if (status != ATAMO_OK && why[0] == '\0')
        check_fail(check, "evaluate() failed (%s) without a sentence in `why`",
                   atamo_status_text(status));
    (void)atamo_test_proposal(host, 0, &first);
    if (atamo_test_evaluate(host, rule, draft, NULL) != status ||
        atamo_test_proposal_count(host) != count)
        check_fail(check, "evaluate() is not pure: the same event gave another result");
    else if (count > 0 && atamo_test_proposal(host, 0, &second) == ATAMO_OK &&
             !(same(first.agent, second.agent) && same(first.body, second.body)))
        check_fail(check, "evaluate() is not pure: the same event gave another proposal");
}

void check_rules_evaluate(const struct check *check)
{
    static const char *const data[] = {"{\"text\":\"hello\",\"n\":1}", "", "null",
                                       "not JSON at all", "{\"a\":{\"b\":[1,2,{\"c\":null}]}}"};
    atamo_test_host *host = check_run(check);
    void *rule = host == NULL ? NULL : compile(check, host);
    void *broken = NULL;

    if (host == NULL)
        return;
    check_at(check, "evaluate()");
    for (size_t i = 0; rule != NULL && i < sizeof data / sizeof data[0]; i++) {
        atamo_event_draft draft = atamo_draft("check.event");

        draft.data = atamo_text(data[i]);
        evaluate_twice(check, host, rule, &draft);
    }
    check_at(check, "release()");
    if (rule != NULL)
        atamo_test_release(host, rule);
    check_at(check, "compile() of a rule with a key that it cannot know");
    if (atamo_test_compile(host, "{\"id\":\"check\",\"on\":\"x\",\"no_such_key_\":1}", &broken) ==
        ATAMO_OK) {
        check_fail(check, "compile() takes a key that it cannot know: refuse it with its name");
        atamo_test_release(host, broken);
    }
    check_close(check, host);
}

/* --- telemetry */

/* The path of one message, with records of each kind. */
static void tell_path(atamo_test_host *host, uint64_t message, size_t text_size)
{
    char text[1024];
    const uint32_t agent = atamo_test_name(host, "mail");
    const uint32_t rule = atamo_test_name(host, "big-orders");
    const uint32_t type = atamo_test_name(host, "order.created");

    memset(text, 'x', sizeof text);
    text[text_size < sizeof text ? text_size : sizeof text - 1] = '\0';
    for (int step = ATAMO_STEP_ADMITTED; step < ATAMO_STEP_COUNT; step++) {
        atamo_telemetry record = {.step = (uint16_t)step,
                                  .reason = (uint16_t)(step == ATAMO_STEP_DEAD ? 43 : 0),
                                  .attempt = 1,
                                  .message = step == ATAMO_STEP_HUB ? 0 : message,
                                  .type = type,
                                  .rule = rule,
                                  .agent = agent};

        record.action = step >= ATAMO_STEP_SCHEDULED && step <= ATAMO_STEP_EXPIRED ? message : 0;
        if (step != ATAMO_STEP_REFUSED && step != ATAMO_STEP_FINISHED)
            (void)atamo_test_record(host, &record, text_size == 0 ? NULL : text);
    }
    (void)atamo_test_record(
        host, &(atamo_telemetry){.step = ATAMO_STEP_FINISHED, .message = message}, NULL);
}

static void deliver(const struct check *check, atamo_test_host *host, uint64_t lost)
{
    int status;

    check_at(check, "records()");
    status = atamo_test_deliver(host, lost);
    if (status != ATAMO_OK)
        check_fail(check, "records() returned %s", atamo_status_text(status));
    check_at(check, "idle()");
    atamo_test_idle(host);
}

void check_auditor_records(const struct check *check)
{
    static const size_t sizes[] = {0, 1, 60, 61, 512};
    atamo_test_host *host = check_run(check);
    uint64_t message = 1;

    if (host == NULL)
        return;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tell_path(host, message++, sizes[i]);
        deliver(check, host, 0);
    }
    for (int i = 0; i < CHECK_RECORDS; i++)
        tell_path(host, message++, 36);
    deliver(check, host, 0);
    tell_path(host, message++, 0);
    deliver(check, host, 5);
    /* Numbers that no name and no message has, and an end without a beginning. */
    (void)atamo_test_record(host,
                            &(atamo_telemetry){.step = ATAMO_STEP_COUNT + 7,
                                               .reason = 999,
                                               .message = UINT64_MAX,
                                               .agent = UINT32_MAX},
                            NULL);
    (void)atamo_test_record(
        host, &(atamo_telemetry){.step = ATAMO_STEP_FINISHED, .message = UINT64_MAX}, NULL);
    deliver(check, host, 0);
    check_close(check, host);
}

/* --- events */

void check_events_submit(const struct check *check)
{
    atamo_test_host *host = check_run(check);

    if (host == NULL)
        return;
    check_at(check, "produce(), or threads that submit");
    (void)atamo_test_wait_events(host, CHECK_EVENTS, CHECK_SOME_MS);
    check_note(check, "%zu events in %d ms", atamo_test_event_count(host), CHECK_SOME_MS);
    check_close(check, host);
}

void check_events_busy(const struct check *check)
{
    atamo_test_host *host = check_run(check);

    if (host == NULL)
        return;
    check_at(check, "produce() while the hub is full");
    atamo_test_submit_limit(host, 0);
    for (int i = 0; i < 8; i++) {
        if (atamo_test_produce(host, CHECK_EVENTS) > 0)
            check_fail(check, "produce() counts events that submit() did not take");
        (void)atamo_test_loop(host, 10);
    }
    check_at(check, "ready()");
    atamo_test_submit_limit(host, SIZE_MAX);
    (void)atamo_test_wait_events(host, CHECK_EVENTS, CHECK_SOME_MS);
    atamo_test_submit_limit(host, 0);
    (void)atamo_test_produce(host, CHECK_EVENTS);
    check_at(check, "drain() while the hub is full");
    check_close(check, host);
}

/* --- any */

void check_work(const struct check *check, atamo_test_host *host)
{
    const atamo_plugin *plugin = atamo_test_plugin(host);
    atamo_action action;
    void *rule;

    if (plugin->agent != NULL) {
        check_at(check, "handle()");
        action = atamo_test_action(host, "check", "{\"text\":\"hello\",\"n\":1}", NULL);
        if (action == 0 || atamo_test_give(host, &action, 1) != ATAMO_OK ||
            atamo_test_wait_settled(host, action, check->limit_ms) != ATAMO_OK)
            check_fail(check, "an action was not settled within %u ms", check->limit_ms);
    }
    if (plugin->auditor != NULL) {
        tell_path(host, 1, 36);
        deliver(check, host, 0);
    }
    if (plugin->rule_provider != NULL) {
        rule = compile(check, host);
        if (rule != NULL)
            atamo_test_release(host, rule);
    }
    if (plugin->event_provider != NULL) {
        check_at(check, "produce()");
        (void)atamo_test_wait_events(host, 1, 20);
    }
}
