/* cmd_test - run the unit tests of rules that stand in YAML beside them; agents are never started.
 *
 * Files run one after the other; what is wrong with one does not keep the others from running. Exit
 * 0: all passed; 1: some failed; 6: a file or its configuration cannot be used.
 */
#include "cli/cli.h"
#include "config/rule_suite.h"

#include <stdlib.h>
#include <string.h>

enum { SUITES_MAX = 1024 };

struct suites {
    struct rule_suite_result results[SUITES_MAX];
    size_t count;
    bool json;
    size_t cases, failed, unusable;
};

static int run_file(void *user, const char *file)
{
    const struct rule_test_settings settings = {0};
    struct suites *suites = user;
    struct problems *problems = malloc(sizeof *problems);
    struct rule_suite_result *result = &suites->results[suites->count];
    int status;

    if (problems == NULL)
        return ATAMO_NO_MEMORY;
    if (suites->count == SUITES_MAX) {
        free(problems);
        return ATAMO_TOO_LARGE;
    }
    problems_init(problems);
    if (!suites->json)
        (void)printf("%s\n", file);
    status = rule_suite_run(file, &settings, problems, result);
    cli_show_problems(problems, file);
    problems_close(problems);
    free(problems);
    if (status != ATAMO_OK) {
        suites->unusable++;
        return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
    }
    suites->count++;
    suites->cases += result->count;
    suites->failed += result->failed;
    return suites->json ? ATAMO_OK : rule_suite_write_text(result, stdout);
}

static int write_junit(const struct suites *suites, const char *path)
{
    FILE *out = fopen(path, "we");
    int status;

    if (out == NULL) {
        cli_say("cannot write %s", path);
        return ATAMO_IO;
    }
    status = rule_suite_write_junit(suites->results, suites->count, out);
    return fclose(out) == 0 ? status : ATAMO_IO;
}

static int run_all(const struct cli_line *line, struct suites *suites)
{
    const char *junit = cli_value(line, "junit");
    int status = ATAMO_OK;

    if (line->count == 0)
        status = rule_suite_find(".", run_file, suites);
    for (size_t i = 0; i < line->count && status == ATAMO_OK; i++) {
        status = rule_suite_find(line->arguments[i], run_file, suites);
        if (status == ATAMO_NOT_FOUND)
            cli_say("there is no %s", line->arguments[i]);
    }
    if (status == ATAMO_OK && junit != NULL)
        status = write_junit(suites, junit);
    return status;
}

enum exit_code cmd_test(const struct cli_line *line)
{
    struct suites *suites = calloc(1, sizeof *suites);
    enum exit_code code;
    int status;

    if (suites == NULL)
        return EXIT_FAILED;
    suites->json = cli_value(line, "json") != NULL;
    status = run_all(line, suites);
    code = cli_exit(status);
    if (status == ATAMO_OK && suites->cases + suites->unusable == 0) {
        cli_say("no tests found: they are in files that end in .test.yaml");
        code = EXIT_NOT_FOUND;
    } else if (status == ATAMO_OK) {
        if (suites->json)
            status = rule_suite_write_json(suites->results, suites->count, stdout);
        else
            (void)printf("%zu passed, %zu failed\n", suites->cases - suites->failed,
                         suites->failed);
        code = status != ATAMO_OK     ? cli_exit(status)
               : suites->unusable > 0 ? EXIT_INVALID
               : suites->failed > 0   ? EXIT_FAILED
                                      : EXIT_OK;
    }
    for (size_t i = 0; i < suites->count; i++)
        rule_suite_result_close(&suites->results[i]);
    free(suites);
    return code;
}
