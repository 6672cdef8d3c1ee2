#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rule_suite.h"
#include "unit/config/files.h"
#include "unit/config/plugins.h"

struct fixture {
    struct problems problems;
    struct plugin_counts counts;
    atamo_registration plugins[PLUGIN_COUNT];
    struct rule_test_settings settings;
    struct rule_suite_result result;
    struct files files;
    char found[1024];
};

static const char hub[] = "agents: {mail: {plugin: worker}}\n"
                          "rules:\n"
                          "  - id: large\n"
                          "    on: order\n"
                          "    when: {data: {total: [{numeric: ['>', 10]}]}}\n"
                          "    then: {agent: mail, action: send, with: {n: '${data.total}', \n"
                          "           list: [1, {a: x, b: y}], text: 'a ${subject}'}}\n";

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (f == NULL || !files_open(&f->files))
        return -1;
    problems_init(&f->problems);
    plugins_fill(f->plugins, &f->counts);
    f->settings.plugins = f->plugins;
    f->settings.plugin_count = PLUGIN_COUNT;
    files_write(&f->files, "hub.yaml", hub);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    rule_suite_result_close(&f->result);
    problems_close(&f->problems);
    files_close(&f->files);
    free(f);
    return 0;
}

/* Run a file with one test, whose event and expectation are these. */
static const char *failure_of(struct fixture *f, const char *event, const char *expect)
{
    char text[2048];

    (void)snprintf(text, sizeof text,
                   "config: hub.yaml\ntests:\n  - {name: it, event: %s, expect: %s}\n", event,
                   expect);
    files_write(&f->files, "one.test.yaml", text);
    rule_suite_result_close(&f->result);
    assert_int_equal(rule_suite_run(files_path(&f->files, "one.test.yaml"), &f->settings,
                                    &f->problems, &f->result),
                     ATAMO_OK);
    assert_int_equal(f->result.count, 1);
    assert_int_equal(f->result.failed, f->result.cases[0].failure != NULL);
    return f->result.cases[0].failure;
}

static const char order[] = "{type: order, subject: s, data: {total: 11}}";

static void test_an_action_needs_only_the_keys_that_matter(void **state)
{
    struct fixture *f = *state;

    assert_null(failure_of(f, order, "{actions: [{agent: mail}]}"));
    assert_null(failure_of(f, order, "{actions: [{rule: large, action: send, body: {n: 11}}]}"));
    assert_null(failure_of(f, order, "{actions: [{body: {list: [1, {b: y}]}}]}"));
    assert_null(failure_of(f, order, "{}"));
}

static void test_a_difference_is_told_with_its_path(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(failure_of(f, order, "{actions: [{body: {n: 12}}]}"),
                        "action 1: body.n is 11, expected 12");
    assert_string_equal(failure_of(f, order, "{actions: [{body: {list: [1, {b: z}]}}]}"),
                        "action 1: body.list[1].b is \"y\", expected \"z\"");
    assert_string_equal(failure_of(f, order, "{actions: [{body: {list: [1]}}]}"),
                        "action 1: body.list is [1,{\"a\":\"x\",\"b\":\"y\"}], expected [1]");
    assert_string_equal(failure_of(f, order, "{actions: [{body: {m: 1}}]}"),
                        "action 1: body.m is missing, expected 1");
    assert_string_equal(failure_of(f, order, "{actions: [{body: {n: '11'}}]}"),
                        "action 1: body.n is 11, expected \"11\"");
    assert_string_equal(failure_of(f, order, "{actions: [{agent: male}]}"),
                        "action 1: agent is \"mail\", expected \"male\"");
}

static void test_actions_must_be_all_and_no_more(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(failure_of(f, order, "{actions: []}"),
                        "1 actions, expected 0; action 1 is mail send, from rule large");
    assert_non_null(strstr(failure_of(f, "{type: order, data: {total: 3}}", "{actions: [{}]}"),
                           "0 actions, expected 1; rule large: data.total is 3"));
    assert_null(failure_of(f, "{type: order, data: {total: 3}}", "{actions: []}"));
}

static void test_rules_that_match_are_compared_as_a_set(void **state)
{
    struct fixture *f = *state;

    assert_null(failure_of(f, order, "{rules: large}"));
    assert_null(failure_of(f, order, "{rules: [large]}"));
    assert_string_equal(failure_of(f, order, "{rules: []}"), "rule large matches, not expected");
    assert_string_equal(failure_of(f, order, "{rules: [large, small]}"),
                        "a rule of the list does not exist");
    assert_non_null(strstr(failure_of(f, "{type: x}", "{rules: large}"),
                           "rule large does not match: type is x"));
}

static void test_what_is_no_event_fails_its_test(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(failure_of(f, "{data: 1}", "{}"), "no event: the event has no \"type\"");
    assert_string_equal(failure_of(f, order, "{refused: true}"),
                        "the event is taken, expected that it is refused");
}

static void test_mistakes_in_a_file_are_told_with_their_place(void **state)
{
    struct fixture *f = *state;

    files_write(&f->files, "bad.test.yaml",
                "config: hub.yaml\n"
                "tests:\n"
                "  - {name: a, evnt: {}, expect: {}}\n"
                "  - {name: b, event: {type: x}, expect: {action: []}}\n");
    assert_int_equal(rule_suite_run(files_path(&f->files, "bad.test.yaml"), &f->settings,
                                    &f->problems, &f->result),
                     ATAMO_INVALID);
    assert_int_equal(f->problems.count, 3);
    assert_string_equal(f->problems.list[0].text,
                        "unknown key \"evnt\" in a test; did you mean \"event\"?");
    assert_int_equal(f->problems.list[0].place.line, 3);
    assert_int_equal(f->problems.list[0].place.column, 15);
    assert_string_equal(f->problems.list[1].text, "a test needs the key \"event\"");
    assert_string_equal(f->problems.list[2].text,
                        "unknown key \"action\" in \"expect\"; did you mean \"actions\"?");
}

static void test_a_configuration_that_is_not_there_is_told(void **state)
{
    struct fixture *f = *state;

    files_write(&f->files, "lost.test.yaml", "config: nowhere.yaml\ntests: []\n");
    assert_int_equal(rule_suite_run(files_path(&f->files, "lost.test.yaml"), &f->settings,
                                    &f->problems, &f->result),
                     ATAMO_NOT_FOUND);
    assert_true(f->problems.errors > 0);
}

static int note_file(void *user, const char *file)
{
    struct fixture *f = user;
    const size_t used = strlen(f->found);

    (void)snprintf(f->found + used, sizeof f->found - used, "%s ",
                   file + strlen(f->files.folder) + 1);
    return ATAMO_OK;
}

static void test_files_of_tests_are_found_by_name_in_folders_below(void **state)
{
    struct fixture *f = *state;

    files_write(&f->files, "b.test.yaml", "");
    files_write(&f->files, "a/c.test.yaml", "");
    files_write(&f->files, "a/a.yaml", "");
    files_write(&f->files, ".hidden/d.test.yaml", "");
    files_write(&f->files, "c/d/e.test.yaml", "");
    assert_int_equal(rule_suite_find(f->files.folder, note_file, f), ATAMO_OK);
    assert_string_equal(f->found, "a/c.test.yaml b.test.yaml c/d/e.test.yaml ");
    assert_int_equal(rule_suite_find(files_path(&f->files, "none"), note_file, f), ATAMO_NOT_FOUND);
}

static void test_junit_tells_each_test_and_escapes_what_xml_cannot_hold(void **state)
{
    struct fixture *f = *state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    (void)failure_of(f, order, "{actions: [{body: {text: '<&>'}}]}");
    f->result.file = "x.test.yaml";
    f->result.ns = UINT64_C(2034000000);
    assert_int_equal(rule_suite_write_junit(&f->result, 1, out), ATAMO_OK);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites tests=\"1\" failures=\"1\">\n"
        "  <testsuite name=\"x.test.yaml\" tests=\"1\" failures=\"1\" time=\"2.034\">\n"
        "    <testcase name=\"it\" classname=\"x.test.yaml\" file=\"x.test.yaml\" line=\"3\">\n"
        "      <failure message=\"action 1: body.text is &quot;a s&quot;, expected "
        "&quot;&lt;&amp;&gt;&quot;\"/>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_action_needs_only_the_keys_that_matter),
        TEST(test_a_difference_is_told_with_its_path),
        TEST(test_actions_must_be_all_and_no_more),
        TEST(test_rules_that_match_are_compared_as_a_set),
        TEST(test_what_is_no_event_fails_its_test),
        TEST(test_mistakes_in_a_file_are_told_with_their_place),
        TEST(test_a_configuration_that_is_not_there_is_told),
        TEST(test_files_of_tests_are_found_by_name_in_folders_below),
        TEST(test_junit_tells_each_test_and_escapes_what_xml_cannot_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
