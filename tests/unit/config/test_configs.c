/* The configurations that come with Atamo are good, and their tests of rules pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rule_suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIGS ATAMO_SOURCE_DIR "/configs"
#define PLUGINS ATAMO_BUILD_DIR "/lib/atamo/plugins"

static void print_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        print_error("%s:%u:%u: %s\n", problems->list[i].place.file, problems->list[i].place.line,
                    problems->list[i].place.column, problems->list[i].text);
}

/* Without the plugins, in a build of this test alone, there is nothing to try. */
static void need_plugins(void)
{
    static const char *const names[] = {"exec", "file", "flaky", "log", "stdin", "trace"};
    char path[4096];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s.so", PLUGINS, names[i]);
        if (access(path, R_OK) != 0)
            skip();
    }
}

static struct rule_test *open_config(const char *path)
{
    const struct rule_test_settings settings = {.source = {.path = path}, .plugin_path = PLUGINS};
    struct rule_test *test = NULL;
    struct problems problems;

    problems_init(&problems);
    (void)rule_test_open(&settings, &problems, &test);
    print_problems(&problems);
    assert_int_equal(problems.count, 0); /* no warnings either */
    problems_close(&problems);
    assert_non_null(test);
    return test;
}

static void test_the_smallest_configuration_is_good(void **state)
{
    (void)state;
    need_plugins();
    rule_test_close(open_config(CONFIGS "/minimal/atamo.yaml"));
}

struct tally {
    size_t files, tests, failed;
};

static int run_file(void *user, const char *file)
{
    const struct rule_test_settings settings = {.plugin_path = PLUGINS};
    struct tally *tally = user;
    struct rule_suite_result result = {0};
    struct problems problems;
    int status;

    problems_init(&problems);
    status = rule_suite_run(file, &settings, &problems, &result);
    print_problems(&problems);
    problems_close(&problems);
    if (status != ATAMO_OK)
        return status;
    if (result.failed > 0)
        (void)rule_suite_write_text(&result, stderr);
    tally->files++;
    tally->tests += result.count;
    tally->failed += result.failed;
    rule_suite_result_close(&result);
    return ATAMO_OK;
}

static void test_the_rules_of_the_quick_start_pass_their_tests(void **state)
{
    struct tally tally = {0};

    (void)state;
    need_plugins();
    assert_int_equal(rule_suite_find(CONFIGS "/quickstart", run_file, &tally), ATAMO_OK);
    assert_int_equal(tally.files, 2);
    assert_int_equal(tally.tests, 15);
    assert_int_equal(tally.failed, 0);
}

static void test_the_events_of_the_quick_start_make_the_actions_that_they_should(void **state)
{
    struct rule_test *test;
    FILE *file = fopen(CONFIGS "/quickstart/events.jsonl", "r");
    char why[RULE_TEST_WHY];
    char *line = NULL;
    size_t room = 0;
    size_t events = 0;
    size_t refused = 0;
    size_t actions = 0;

    (void)state;
    assert_non_null(file);
    need_plugins();
    test = open_config(CONFIGS "/quickstart/atamo.yaml");
    for (ssize_t size = getline(&line, &room, file); size > 0; size = getline(&line, &room, file)) {
        struct rule_test_result result;

        assert_int_equal(rule_test_run(test, (atamo_bytes){line, (size_t)size}, &result, why),
                         ATAMO_OK);
        events++;
        refused += result.refused != NULL;
        actions += result.action_count;
        rule_test_result_close(&result);
    }
    /* Counted by a script over events.jsonl, without any code of the hub. */
    assert_int_equal(events, 50);
    assert_int_equal(refused, 3);
    assert_int_equal(actions, 39);
    free(line);
    assert_int_equal(fclose(file), 0);
    rule_test_close(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_smallest_configuration_is_good),
        cmocka_unit_test(test_the_rules_of_the_quick_start_pass_their_tests),
        cmocka_unit_test(test_the_events_of_the_quick_start_make_the_actions_that_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
