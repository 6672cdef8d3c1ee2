/* cmd_rules - what the rules of a configuration are, and what they would make of an event.
 *
 * Happy path: the configuration is opened for trying: plugins are loaded, rules compiled, nothing
 * is started. Without CONFIG a running hub is asked (remote_rules). Mistakes are shown with their
 * places.
 */
#include "cli/remote.h"
#include "cli/remote_rules.h"
#include "config/rule_test.h"

#include <stdlib.h>

/* Open the configuration for trying; problems are shown. */
static int open_test(const char *path, struct rule_test **test)
{
    const struct rule_test_settings settings = {.source = {.path = path}};
    struct problems *problems = malloc(sizeof *problems);
    int status;

    if (problems == NULL)
        return ATAMO_NO_MEMORY;
    problems_init(problems);
    status = rule_test_open(&settings, problems, test);
    cli_show_problems(problems, path);
    problems_close(problems);
    free(problems);
    return status;
}

static int try_event(const struct cli_line *line, struct rule_test *test, atamo_bytes event)
{
    struct rule_test_result result;
    char why[RULE_TEST_WHY] = "";
    int status = rule_test_run(test, event, &result, why);

    if (status != ATAMO_OK) {
        cli_say("%s: %s", cli_value(line, "event"), why);
        return status;
    }
    status = cli_value(line, "json") != NULL ? rule_test_write_json(&result, stdout)
                                             : rule_test_write_text(&result, stdout);
    rule_test_result_close(&result);
    return status;
}

enum exit_code cmd_rules_test(const struct cli_line *line)
{
    const char *path = cli_value(line, "event");
    struct rule_test *test = NULL;
    atamo_bytes event = {NULL, 0};
    int status;

    if (path == NULL) {
        cli_say("atamo rules test needs --event FILE");
        return EXIT_USAGE;
    }
    if (line->count == 0)
        return remote_rules_test(line);
    if (!remote_is_absent(line))
        return EXIT_USAGE;
    status = open_test(line->arguments[0], &test);
    if (status == ATAMO_OK)
        status = cli_read_file(path, &event);
    if (status == ATAMO_OK)
        status = try_event(line, test, event);
    free((char *)(uintptr_t)event.data);
    rule_test_close(test);
    return cli_exit(status);
}

/* Ids are letters, digits and punctuation that JSON takes as it is. */
static void print_ids(const struct rule_test_result *result, bool json)
{
    for (size_t i = 0; i < result->rule_count; i++) {
        if (json)
            (void)printf("%s{\"id\":\"%s\"}", i == 0 ? "[" : ",", result->rules[i].id.data);
        else
            (void)printf("%s\n", result->rules[i].id.data);
    }
    if (json)
        (void)printf("%s\n", result->rule_count == 0 ? "[]" : "]");
}

enum exit_code cmd_rules_list(const struct cli_line *line)
{
    static const char event[] = "{\"type\":\"atamo.none\"}";
    struct rule_test *test = NULL;
    struct rule_test_result result;
    char why[RULE_TEST_WHY];
    int status;

    if (line->count == 0)
        return remote_rules_list(line);
    if (!remote_is_absent(line))
        return EXIT_USAGE;
    status = open_test(line->arguments[0], &test);
    if (status == ATAMO_OK)
        status = rule_test_run(test, atamo_text(event), &result, why);
    if (status == ATAMO_OK) {
        print_ids(&result, cli_value(line, "json") != NULL);
        rule_test_result_close(&result);
    }
    rule_test_close(test);
    return cli_exit(status);
}
