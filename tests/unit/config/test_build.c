/* What a configuration becomes: settings, instances, rules; and what is left after a failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/config/fixture.h"

enum { MS = 1000000 };

static void assert_built(struct build_fixture *f, int status)
{
    for (size_t i = 0; i < f->problems.count; i++)
        print_error("%s:%u:%u: %s\n", f->problems.list[i].place.file,
                    f->problems.list[i].place.line, f->problems.list[i].place.column,
                    f->problems.list[i].text);
    assert_int_equal(status, ATAMO_OK);
}

static void build_good(struct build_fixture *f, const char *text)
{
    assert_built(f, fixture_build(f, text));
}

static void test_an_empty_configuration_is_a_hub_with_defaults(void **state)
{
    struct build_fixture *f = *state;
    const struct hub_settings *hub;

    build_good(f, "");
    hub = &f->generation->hub;
    assert_int_equal(hub->max_messages, 100000);
    assert_int_equal(hub->max_clients, 64);
    assert_int_equal(hub->hop_limit, 16);
    assert_int_equal(hub->dead_letters, 10000);
    assert_int_equal(hub->recent, 256);
    assert_int_equal(hub->stop_ns, UINT64_C(10000) * MS);
    assert_int_equal(hub->blocked_ns, 500 * MS);
    assert_int_equal(hub->max_data, 16 << 20);
    assert_true(event_types_open(f->generation->types));
    assert_int_equal(f->generation->rule_count, 0);
}

static void test_an_agent_has_defaults_for_where_it_runs(void **state)
{
    struct build_fixture *f = *state;
    const struct agent_settings *agents;

    build_good(f, "agents: {a: {plugin: worker}, b: {plugin: blocker}}");
    agents = f->generation->agents;
    assert_int_equal(agents[0].mode, ATAMO_INLINE);
    assert_int_equal(agents[0].workers, 0);
    assert_int_equal(agents[0].concurrency, 4096);
    assert_int_equal(agents[0].queue, 10000);
    assert_int_equal(agents[0].rate, 0);
    assert_int_equal(agents[0].deadline_ns, UINT64_C(30000) * MS);
    assert_int_equal(agents[0].retry.attempts, 5);
    assert_int_equal(agents[0].retry.base_ns, 200 * MS);
    assert_int_equal(agents[0].retry.max_ns, UINT64_C(60000) * MS);
    assert_int_equal(agents[0].breaker.failures, 0);
    assert_int_equal(agents[1].mode, ATAMO_POOL);
    assert_int_equal(agents[1].workers, 4);
    assert_int_equal(agents[1].concurrency, 1024);
}

static void test_an_agent_has_the_settings_that_are_written(void **state)
{
    struct build_fixture *f = *state;
    const struct agent_settings *agent;

    build_good(
        f, "agents:\n"
           "  mail:\n"
           "    {plugin: worker, run: pool, workers: 3, concurrency: 7, queue: 9, rate: 100/s,\n"
           "     deadline: 1h30m, retry: {attempts: 2, base: 1ms, max: 1s}, breaker: {}}\n"
           "  slow: {plugin: worker, rate: {per_second: 5, burst: 50}, deadline: 0,\n"
           "         breaker: {failures: 3, open_for: 2s}}\n");
    agent = &f->generation->agents[0];
    assert_string_equal(agent->name.data, "mail");
    assert_string_equal(names_text(f->names, agent->name_id).data, "mail");
    assert_int_equal(agent->mode, ATAMO_POOL);
    assert_int_equal(agent->workers, 3);
    assert_int_equal(agent->concurrency, 7);
    assert_int_equal(agent->queue, 9);
    assert_int_equal(agent->rate, 100);
    assert_int_equal(agent->burst, 100);
    assert_int_equal(agent->deadline_ns, UINT64_C(5400000) * MS);
    assert_int_equal(agent->retry.attempts, 2);
    assert_int_equal(agent->breaker.failures, 5);
    assert_int_equal(agent->breaker.open_ns, UINT64_C(10000) * MS);
    agent = &f->generation->agents[1];
    assert_int_equal(agent->rate, 5);
    assert_int_equal(agent->burst, 50);
    assert_int_equal(agent->deadline_ns, 0);
    assert_int_equal(agent->breaker.failures, 3);
    assert_int_equal(agent->breaker.open_ns, UINT64_C(2000) * MS);
}

static void test_users_types_auditors_and_providers_are_built(void **state)
{
    struct build_fixture *f = *state;
    const struct event_type *type;
    const struct generation *g;

    build_good(
        f, "users: {anna: {groups: [sales, staff], tenant: acme}}\n"
           "events:\n"
           "  order.created: {required: [subject, data.id, {data.total: number}],\n"
           "                  allow: {groups: sales}}\n"
           "  '*': accept\n"
           "auditors: {a: {plugin: watcher, when_slow: drop, ring: 2048}, b: {plugin: watcher}}\n"
           "event_providers: {in: {plugin: source}}\n");
    g = f->generation;
    assert_int_equal(identities_find(g->identities, atamo_text("anna"))->group_count, 2);
    assert_true(event_types_open(g->types));
    type = event_types_find(g->types, atamo_text("order.created"));
    assert_int_equal(type->required_count, 3);
    assert_true(type->needs_data);
    assert_false(type->required[0].in_data);
    assert_int_equal(type->required[2].need, NEED_NUMBER);
    assert_int_equal(type->group_count, 1);
    assert_null(event_types_find(g->types, atamo_text("*")));
    assert_int_equal(g->auditors[0].when_slow, SLOW_DROP);
    assert_int_equal(g->auditors[0].ring, 2048);
    assert_int_equal(g->auditors[1].when_slow, SLOW_BLOCK);
    assert_int_equal(g->event_provider_count, 1);
    assert_int_equal(f->counts.created, 3);
}

static void test_an_action_may_differ_from_what_its_agent_does(void **state)
{
    struct build_fixture *f = *state;
    const struct rule *rule;

    build_good(f, "agents: {m: {plugin: worker}, n: {plugin: worker}}\n"
                  "rules:\n"
                  "- id: r\n"
                  "  then:\n"
                  "  - {agent: n, action: x, as: u, retry: {attempts: 8}, deadline: 2s, with: {}}\n"
                  "  - {agent: m, action: y, with: '${data}'}\n"
                  "  - {agent: m, action: z}\n");
    rule = &f->generation->rules[0];
    assert_int_equal(rule->action_count, 3);
    assert_int_equal(rule->actions[0].agent_index, 1);
    assert_int_equal(rule->actions[0].attempts, 8);
    assert_int_equal(rule->actions[0].deadline_ns, UINT64_C(2000) * MS);
    assert_string_equal(names_text(f->names, rule->actions[0].as).data, "u");
    assert_non_null(rule->actions[0].body);
    assert_null(rule->actions[1].body); /* exactly ${data}: shared, not copied */
    assert_null(rule->actions[2].body);
    assert_int_equal(rule->actions[2].attempts, 0);
}

static void test_a_failure_anywhere_leaves_nothing_behind(void **state)
{
    struct build_fixture *f = *state;

    assert_int_equal(fixture_build(f, "agents: {a: {plugin: worker}}\n"
                                      "rule_providers: {v: {plugin: speaker}}\n"
                                      "rules: [{id: x, provider: v, say: hello}, {id: x}]\n"),
                     ATAMO_INVALID);
    assert_null(f->generation);
    assert_int_equal(f->counts.created, 1); /* the rule provider, which had rules to compile */
    assert_int_equal(f->counts.destroyed, 1);
    assert_int_equal(f->counts.compiled, 1);
    assert_int_equal(f->counts.released, 1);
}

static void test_all_agents_that_cannot_be_created_are_told(void **state)
{
    struct build_fixture *f = *state;

    assert_int_equal(fixture_build(f, "agents:\n"
                                      "  a: {plugin: worker, config: {fail: one}}\n"
                                      "  b: {plugin: worker}\n"
                                      "  c: {plugin: worker, config: {fail: two}}\n"),
                     ATAMO_INVALID);
    assert_int_equal(f->problems.errors, 2);
    assert_int_equal(f->counts.created, 1);
    assert_int_equal(f->counts.destroyed, 1);
}

/* Build beside the current generation, as a reload does. */
static int reload(struct build_fixture *f, const char *text, struct generation **next)
{
    const struct config_source source = {.text = atamo_text(text)};

    return fixture_build_from(f, &source, f->generation, next);
}

static void test_a_reload_keeps_instances_that_did_not_change(void **state)
{
    struct build_fixture *f = *state;
    struct generation *next = f->generation;

    build_good(f, "agents:\n"
                  "  same: {plugin: worker, config: {size: 2}}\n"
                  "  option: {plugin: worker, config: {size: 2}}\n"
                  "  pool: {plugin: blocker, workers: 2}\n"
                  "  gone: {plugin: worker}\n"
                  "auditors: {a: {plugin: watcher}, ring: {plugin: watcher}}\n");
    assert_built(f,
                 reload(f,
                        "agents:\n"
                        "  option: {plugin: worker, config: {size: 3}}\n"
                        "  pool: {plugin: blocker, workers: 3}\n"
                        "  same: {plugin: worker, config: {size: 2}, queue: 5, retry: {base: 1s}}\n"
                        "auditors: {a: {plugin: watcher}, ring: {plugin: watcher, ring: 1024}}\n",
                        &next));
    assert_ptr_equal(next->agents[2].instance, f->generation->agents[0].instance);
    assert_int_equal(next->agents[2].instance->refs, 2);
    assert_int_equal(next->agents[2].queue, 5);
    assert_ptr_not_equal(next->agents[0].instance, f->generation->agents[1].instance);
    assert_ptr_not_equal(next->agents[1].instance, f->generation->agents[2].instance);
    assert_ptr_equal(next->auditors[0].instance, f->generation->auditors[0].instance);
    assert_ptr_not_equal(next->auditors[1].instance, f->generation->auditors[1].instance);
    assert_int_equal(f->counts.destroyed, 0);
    generation_free(f->generation);
    f->generation = next;
    assert_int_equal(f->counts.destroyed, 4);
}

static void test_a_reload_that_fails_gives_instances_back(void **state)
{
    struct build_fixture *f = *state;
    struct generation *next = NULL;

    build_good(f, "agents: {a: {plugin: worker}}");
    assert_int_equal(reload(f, "agents: {a: {plugin: worker}}\nrules: [{id: ''}]", &next),
                     ATAMO_INVALID);
    assert_null(next);
    assert_int_equal(f->generation->agents[0].instance->refs, 1);
    assert_int_equal(f->counts.destroyed, 0);
}

static void test_included_files_come_in_the_order_of_their_names(void **state)
{
    struct build_fixture *f = *state;
    static const char *const ids[] = {"first", "b", "c1", "c2", "last"};

    files_write(&f->files, "hub.yaml", "rules: [{id: first}, {include: rules/*.yaml}, {id: last}]");
    files_write(&f->files, "rules/c.yaml", "rules:\n- {id: c1}\n- {id: c2}\n");
    files_write(&f->files, "rules/b.yaml", "- {id: b}\n");
    files_write(&f->files, "rules/a.yaml", "# nothing yet\n");
    files_write(&f->files, "rules/b.test.yaml", "config: ../hub.yaml\n");
    assert_built(f, fixture_build_file(f, "hub.yaml"));
    assert_int_equal(f->generation->rule_count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(names_text(f->names, f->generation->rules[i].id).data, ids[i]);
}

static void test_a_mistake_in_an_included_file_names_that_file(void **state)
{
    struct build_fixture *f = *state;
    char expected[256];

    files_write(&f->files, "hub.yaml", "rules: [{include: [one.yaml, two.yaml]}]");
    files_write(&f->files, "one.yaml", "- id: a\n  wen: {}\n");
    files_write(&f->files, "two.yaml", "- {id: b\n");
    assert_int_equal(fixture_build_file(f, "hub.yaml"), ATAMO_INVALID);
    assert_int_equal(f->problems.count, 2);
    (void)snprintf(expected, sizeof expected, "%s/two.yaml", f->files.folder);
    assert_string_equal(f->problems.list[0].place.file, expected);
    (void)snprintf(expected, sizeof expected, "%s/one.yaml", f->files.folder);
    assert_string_equal(f->problems.list[1].place.file, expected);
    assert_int_equal(f->problems.list[1].place.line, 2);
}

static void test_includes_that_cannot_be_are_told(void **state)
{
    struct build_fixture *f = *state;

    files_write(&f->files, "x.test.yaml", "a: b");
    files_write(&f->files, "loop.yaml", "- {include: hub.yaml}\n");
    files_write(&f->files, "text.yaml", "hello");
    files_write(&f->files, "hub.yaml",
                "rules: [{include: none*.yaml}, {include: '*.test.yaml'}, {include: loop.yaml},\n"
                "        {include: text.yaml}, {include: 7}, {include: ., on: x}]");
    assert_int_equal(fixture_build_file(f, "hub.yaml"), ATAMO_INVALID);
    assert_int_equal(f->problems.count, 7);
    assert_non_null(strstr(f->problems.list[0].text, "no file matches"));
    assert_int_equal(f->problems.list[0].place.column, 10);
    assert_non_null(strstr(f->problems.list[1].text, "only tests of rules match"));
    assert_string_equal(f->problems.list[2].text, "a file that is included cannot include others");
    assert_string_equal(f->problems.list[3].text, "a file of rules is text, not a list");
    assert_string_equal(f->problems.list[4].text,
                        "\"include\" is a number, expected text: put it in quotes");
    assert_string_equal(f->problems.list[5].text,
                        "unknown key \"on\" in an include; there is include");
    assert_non_null(strstr(f->problems.list[6].text, "cannot read it"));
}

static void test_a_file_that_is_not_there_has_a_status_of_its_own(void **state)
{
    struct build_fixture *f = *state;

    assert_int_equal(fixture_build_file(f, "none.yaml"), ATAMO_NOT_FOUND);
    assert_int_equal(f->problems.errors, 1);
    assert_int_equal(fixture_build_file(f, "."), ATAMO_IO);
}

static const char *environment(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "SIZE") == 0 ? "4" : NULL;
}

static void test_the_environment_and_the_own_folder_can_be_used(void **state)
{
    struct build_fixture *f = *state;
    const atamo_host *host;

    f->environment = environment;
    files_write(&f->files, "hub.yaml",
                "agents:\n  a:\n    plugin: worker\n    config:\n      size: ${env:SIZE}\n"
                "rules: [{id: 'in ${env:ATAMO_CONFIG_DIR}'}, {id: '${env:OTHER:-other}'}]\n");
    assert_built(f, fixture_build_file(f, "hub.yaml"));
    host = &f->generation->agents[0].instance->host;
    assert_int_equal(host->integer(host, "size"), 4);
    assert_string_equal(names_text(f->names, f->generation->rules[0].id).data + 3, f->files.folder);
    assert_string_equal(names_text(f->names, f->generation->rules[1].id).data, "other");
    assert_int_equal(fixture_build(f, "rules: [{id: '${env:OTHER}'}]"), ATAMO_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_configuration_is_a_hub_with_defaults),
        TEST(test_an_agent_has_defaults_for_where_it_runs),
        TEST(test_an_agent_has_the_settings_that_are_written),
        TEST(test_users_types_auditors_and_providers_are_built),
        TEST(test_an_action_may_differ_from_what_its_agent_does),
        TEST(test_a_failure_anywhere_leaves_nothing_behind),
        TEST(test_all_agents_that_cannot_be_created_are_told),
        TEST(test_a_reload_keeps_instances_that_did_not_change),
        TEST(test_a_reload_that_fails_gives_instances_back),
        TEST(test_included_files_come_in_the_order_of_their_names),
        TEST(test_a_mistake_in_an_included_file_names_that_file),
        TEST(test_includes_that_cannot_be_are_told),
        TEST(test_a_file_that_is_not_there_has_a_status_of_its_own),
        TEST(test_the_environment_and_the_own_folder_can_be_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
