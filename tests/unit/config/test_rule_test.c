#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rule_test.h"
#include "unit/config/plugins.h"

struct fixture {
    struct problems problems;
    struct plugin_counts counts;
    atamo_registration plugins[PLUGIN_COUNT];
    struct rule_test *test;
    struct rule_test_result result;
    char why[RULE_TEST_WHY];
};

static const char shop[] =
    "users: {anna: {groups: [sales], tenant: acme}, ben: {groups: [support]}}\n"
    "events:\n"
    "  order.created: {required: [subject, {data.total: number}], allow: {groups: [sales]}}\n"
    "  note: {}\n"
    "agents: {mail: {plugin: worker}, ledger: {plugin: blocker}}\n"
    "rule_providers: {voice: {plugin: speaker}}\n"
    "rules:\n"
    "  - id: big\n"
    "    on: order.*\n"
    "    when: {data: {total: [{numeric: ['>=', 100]}]}}\n"
    "    then:\n"
    "      - {agent: mail, action: send, as: accounting,\n"
    "         with: {to: '${data.email}', subject: 'Order ${subject}', total: '${data.total}'}}\n"
    "      - {agent: ledger, action: post}\n"
    "  - {id: support, on: note, for: {groups: [support]}, then: []}\n"
    "  - {id: said, on: note, provider: voice, say: hello}\n"
    "  - {id: broken, on: note, provider: voice, say: fail}\n";

static int open_shop(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct rule_test_settings settings = {.source = {.text = atamo_text(shop)}};

    if (f == NULL)
        return -1;
    problems_init(&f->problems);
    plugins_fill(f->plugins, &f->counts);
    settings.plugins = f->plugins;
    settings.plugin_count = PLUGIN_COUNT;
    *state = f;
    if (rule_test_open(&settings, &f->problems, &f->test) != ATAMO_OK) {
        for (size_t i = 0; i < f->problems.count; i++)
            print_error("%u:%u %s\n", f->problems.list[i].place.line,
                        f->problems.list[i].place.column, f->problems.list[i].text);
        return -1;
    }
    return 0;
}

static int close_shop(void **state)
{
    struct fixture *f = *state;

    rule_test_result_close(&f->result);
    rule_test_close(f->test);
    problems_close(&f->problems);
    if (f->counts.created != f->counts.destroyed || f->counts.compiled != f->counts.released)
        return -1;
    free(f);
    return 0;
}

static void try_event(struct fixture *f, const char *json)
{
    rule_test_result_close(&f->result);
    assert_int_equal(rule_test_run(f->test, atamo_text(json), &f->result, f->why), ATAMO_OK);
}

static void assert_bytes(atamo_bytes bytes, const char *expected)
{
    assert_int_equal(bytes.size, strlen(expected));
    assert_memory_equal(bytes.data, expected, bytes.size);
}

static void test_a_matching_rule_shows_its_actions_with_rendered_bodies(void **state)
{
    struct fixture *f = *state;

    try_event(f, "{\"type\":\"order.created\",\"user\":\"anna\",\"subject\":\"7\","
                 "\"data\":{\"total\":120,\"email\":\"a@b.example\"}}");
    assert_null(f->result.refused);
    assert_true(f->result.rules[0].matched);
    assert_int_equal(f->result.action_count, 2);
    assert_bytes(f->result.actions[0].rule, "big");
    assert_bytes(f->result.actions[0].agent, "mail");
    assert_bytes(f->result.actions[0].action, "send");
    assert_bytes(f->result.actions[0].as, "accounting");
    assert_bytes(f->result.actions[0].body,
                 "{\"to\":\"a@b.example\",\"subject\":\"Order 7\",\"total\":120}");
    assert_bytes(f->result.actions[1].as, "anna");
    assert_bytes(f->result.actions[1].body, "{\"total\":120,\"email\":\"a@b.example\"}");
}

static void test_a_rule_that_does_not_match_says_which_clause_failed(void **state)
{
    struct fixture *f = *state;

    try_event(f, "{\"type\":\"order.created\",\"user\":\"anna\",\"subject\":\"7\","
                 "\"data\":{\"total\":80}}");
    assert_false(f->result.rules[0].matched);
    assert_non_null(strstr(f->result.rules[0].reason, "data.total is 80"));
    assert_non_null(strstr(f->result.rules[0].reason, "100"));
    assert_int_equal(f->result.action_count, 0);
}

static void test_a_rule_whose_template_misses_a_field_makes_none_of_its_actions(void **state)
{
    struct fixture *f = *state;

    try_event(f, "{\"type\":\"order.created\",\"user\":\"anna\",\"subject\":\"7\","
                 "\"data\":{\"total\":120}}");
    assert_true(f->result.rules[0].matched);
    assert_string_equal(f->result.rules[0].reason,
                        "a template needs a field that is missing: data.email");
    assert_int_equal(f->result.action_count, 0);
}

static void test_users_and_groups_decide_as_in_a_hub(void **state)
{
    struct fixture *f = *state;

    try_event(f, "{\"type\":\"note\",\"user\":\"ben\"}");
    assert_true(f->result.rules[1].matched);
    try_event(f, "{\"type\":\"note\",\"user\":\"anna\"}");
    assert_false(f->result.rules[1].matched);
}

static void test_a_rule_provider_proposes_and_may_fail_alone(void **state)
{
    struct fixture *f = *state;

    try_event(f, "{\"type\":\"note\"}");
    assert_int_equal(f->result.action_count, 1);
    assert_bytes(f->result.actions[0].rule, "said");
    assert_bytes(f->result.actions[0].body, "{\"say\":\"hello\"}");
    assert_int_equal(f->result.actions[0].as.size, 0);
    assert_string_equal(f->result.rules[3].reason,
                        "the rule provider failed: it does not like note");
}

static void test_agents_are_not_created(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f->counts.created, 1); /* the rule provider */
}

static void test_an_event_that_a_hub_refuses_says_why(void **state)
{
    struct fixture *f = *state;

    try_event(f, "{\"type\":\"order.crated\"}");
    assert_string_equal(f->result.refused, "unknown event type: order.crated");
    try_event(f, "{\"type\":\"order.created\",\"user\":\"ben\"}");
    assert_string_equal(f->result.refused, "not permitted: user \"ben\"");
    try_event(f, "{\"type\":\"order.created\",\"user\":\"anna\",\"subject\":\"7\","
                 "\"data\":{\"total\":\"120\"}}");
    assert_string_equal(f->result.refused, "required field missing: data.total");
    assert_int_equal(f->result.rule_count, 0);
}

static void test_what_is_no_event_is_an_error_with_a_reason(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"", "[]", "{", "{}", "{\"type\":7}", "{\"data\":{}}", "null"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        f->why[0] = '\0';
        assert_int_equal(rule_test_run(f->test, atamo_text(bad[i]), &f->result, f->why),
                         ATAMO_INVALID);
        assert_true(f->why[0] != '\0');
    }
}

static void test_the_json_has_the_shape_that_scripts_read(void **state)
{
    struct fixture *f = *state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    try_event(f, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/t\",\"type\":\"note\"}");
    f->result.rule_count = 1;
    assert_int_equal(rule_test_write_json(&f->result, out), ATAMO_OK);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text,
        "{\"event\":{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/t\",\"type\":\"note\"},"
        "\"rules\":[{\"id\":\"big\",\"matched\":false,\"reason\":"
        "\"type is note, wanted prefix order.\"}],"
        "\"actions\":[{\"rule\":\"said\",\"agent\":\"mail\",\"action\":\"speak\","
        "\"as\":null,\"body\":{\"say\":\"hello\"}}]}\n");
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_matching_rule_shows_its_actions_with_rendered_bodies),
        TEST(test_a_rule_that_does_not_match_says_which_clause_failed),
        TEST(test_a_rule_whose_template_misses_a_field_makes_none_of_its_actions),
        TEST(test_users_and_groups_decide_as_in_a_hub),
        TEST(test_a_rule_provider_proposes_and_may_fail_alone),
        TEST(test_agents_are_not_created),
        TEST(test_an_event_that_a_hub_refuses_says_why),
        TEST(test_what_is_no_event_is_an_error_with_a_reason),
        TEST(test_the_json_has_the_shape_that_scripts_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
