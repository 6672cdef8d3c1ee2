/* Rules that a plugin evaluates, through a whole hub: what they propose is done, and a provider
 * that fails or proposes nonsense costs its own rule and nothing else. */
#include "fixture.h"

#include <stdatomic.h>

/* What the evaluation of a rule shall do: the rule's key `do`. */
enum doing { PROPOSE, FAIL, NO_AGENT, NO_ACTION, MANY };

static _Atomic int compiled, released;

static int compile(void *self, atamo_bytes id, atamo_bytes json, void **rule)
{
    static const char *const words[] = {"propose", "fail", "no-agent", "no-action", "many"};
    enum doing *doing;

    (void)id;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char pattern[32];

        (void)snprintf(pattern, sizeof pattern, "\"do\":\"%s\"", words[i]);
        if (strstr(json.data, pattern) == NULL)
            continue;
        doing = malloc(sizeof *doing);
        assert_non_null(doing);
        *doing = (enum doing)i;
        *rule = doing;
        atomic_fetch_add(&compiled, 1);
        return ATAMO_OK;
    }
    return atamo_refuse(self, "do: one of propose, fail, no-agent, no-action, many was expected");
}

static int evaluate(void *self, void *rule, const atamo_event *event, void *evaluation, char *why)
{
    const atamo_host *host = self;
    const enum doing doing = *(const enum doing *)rule;
    atamo_proposal proposal = {.size = sizeof proposal,
                               .agent = atamo_text("a"),
                               .action = atamo_text("do"),
                               .body = atamo_text("{\"from\":\"provider\"}")};

    (void)event;
    if (doing == NO_AGENT)
        proposal.agent = atamo_text("nobody");
    if (doing == NO_ACTION)
        proposal.action = atamo_text("");
    (void)host->propose(host, evaluation, &proposal);
    if (doing == FAIL) {
        (void)snprintf(why, 256, "it cannot say");
        return ATAMO_IO;
    }
    for (int i = 0; doing == MANY && i < 100000; i++)
        if (host->propose(host, evaluation, &proposal) != ATAMO_OK)
            break;
    return ATAMO_OK;
}

static void release(void *self, void *rule)
{
    (void)self;
    free(rule);
    atomic_fetch_add(&released, 1);
}

static const atamo_rule_provider providing = {
    .size = sizeof providing, .compile = compile, .evaluate = evaluate, .release = release};
static const atamo_plugin provider_plugin = {
    ATAMO_PLUGIN_HEAD,           .id = "says", .version = "1", .summary = "does as it is told",
    .rule_provider = &providing,
};

static char last_body[64];
static _Atomic int handled;

static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self;

    (void)snprintf(last_body, sizeof last_body, "%s", host->body(host, action).data);
    atomic_fetch_add(&handled, 1);
    atamo_done(host, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = handle};
static const atamo_plugin agent_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "work", .version = "1", .summary = "works", .agent = &agent,
};
static const atamo_registration plugins[] = {{&provider_plugin, NULL}, {&agent_plugin, NULL}};

/* A hub with one rule of the provider's and, if wanted, one of the hub's own for the same events.
 */
static struct fixture *open_provider(const char *doing, bool ours)
{
    char yaml[512];

    atomic_store(&handled, 0);
    atomic_store(&compiled, 0);
    atomic_store(&released, 0);
    (void)snprintf(yaml, sizeof yaml,
                   "agents: {a: {plugin: work}}\nrule_providers: {p: {plugin: says}}\n"
                   "rules:\n  - {id: theirs, provider: p, on: x, do: %s}\n%s",
                   doing, ours ? "  - {id: ours, on: x, then: {agent: a, action: do}}\n" : "");
    return fixture_open(yaml, plugins, 2);
}

static void test_what_a_provider_proposes_is_done(void **state)
{
    struct fixture *fixture = open_provider("propose", false);

    (void)state;
    fixture_submit(fixture, "x", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(handled, 1);
    assert_string_equal(last_body, "{\"from\":\"provider\"}");
    fixture_submit(fixture, "y", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 2);
    assert_int_equal(handled, 1); /* its rule is on x only */
    assert_int_equal(fixture_stats(fixture).unmatched, 1);
    fixture_close(fixture);
    assert_int_equal(compiled, 1);
    assert_int_equal(released, 1);
}

/* The rule fails with a record, its proposals are dropped, the other rule's action is done. */
static void costs_only_its_own_rule(const char *doing, unsigned reason)
{
    struct fixture *fixture = open_provider(doing, true);
    atamo_event_draft draft = atamo_draft("x");
    char text[4096];
    size_t size = 0;
    atamo_stats stats;

    draft.id = atamo_text("e-1");
    assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_FINISHED, 0) == 1);
    assert_int_equal(fixture_count(fixture, ATAMO_STEP_RULE_FAILED, reason), 1);
    assert_int_equal(handled, 1);
    stats = fixture_stats(fixture);
    assert_int_equal(stats.done, 1);
    assert_int_equal(stats.actions, 1);
    assert_int_equal(stats.rules_failed, 1);
    assert_int_equal(atamo_why(fixture->hub, "e-1", text, sizeof text, &size), ATAMO_OK);
    assert_non_null(strstr(text, "theirs"));
    fixture_close(fixture);
}

static void test_a_provider_that_fails_costs_only_its_own_rule(void **state)
{
    (void)state;
    costs_only_its_own_rule("fail", ATAMO_REASON_PROVIDER);
}

static void test_a_proposal_for_an_agent_that_is_not_there_is_told_and_harms_nobody(void **state)
{
    (void)state;
    costs_only_its_own_rule("no-agent", 0);
}

static void test_a_proposal_without_an_action_is_told_and_harms_nobody(void **state)
{
    (void)state;
    costs_only_its_own_rule("no-action", 0);
}

static void test_a_provider_that_proposes_without_end_is_stopped(void **state)
{
    (void)state;
    costs_only_its_own_rule("many", ATAMO_REASON_PROVIDER);
}

static void test_a_rule_that_the_provider_refuses_is_refused_with_its_reason(void **state)
{
    static const char yaml[] = "agents: {a: {plugin: work}}\nrule_providers: {p: {plugin: says}}\n"
                               "rules:\n  - {id: theirs, provider: p, on: x, do: sing}\n";
    const atamo_settings settings = {.size = sizeof settings,
                                     .config = atamo_text(yaml),
                                     .plugins = plugins,
                                     .plugin_count = 2,
                                     .log = fixture_quiet};
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;

    (void)state;
    assert_int_equal(atamo_open(&settings, &hub, &report), ATAMO_INVALID);
    assert_null(hub);
    assert_int_equal(atamo_report_count(report), 1);
    assert_int_equal(atamo_report_at(report, 0).line, 4);
    assert_non_null(strstr(atamo_report_at(report, 0).text, "propose, fail, no-agent"));
    atamo_report_free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_provider_proposes_is_done),
        cmocka_unit_test(test_a_provider_that_fails_costs_only_its_own_rule),
        cmocka_unit_test(test_a_proposal_for_an_agent_that_is_not_there_is_told_and_harms_nobody),
        cmocka_unit_test(test_a_proposal_without_an_action_is_told_and_harms_nobody),
        cmocka_unit_test(test_a_provider_that_proposes_without_end_is_stopped),
        cmocka_unit_test(test_a_rule_that_the_provider_refuses_is_refused_with_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
