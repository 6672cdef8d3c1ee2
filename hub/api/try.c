/* try - what would rules make of an event? Nothing fires.
 *
 * Happy path: the configuration is read and built once more, without its agents, with the rules
 * that were given; the event goes through them. Fails if the configuration or the rules are wrong,
 * which the report tells, or the event is none.
 */
#include "api/hub_inside.h"

#include "config/rule_test.h"

#include <stdlib.h>
#include <string.h>

struct trial {
    atamo_hub *hub;
    atamo_bytes rules, event;
    struct problems *problems;
    char *text; /* what came of it, malloc'ed */
    size_t size;
};

static int run(struct trial *trial, struct rule_test *test)
{
    struct rule_test_result result;
    char why[RULE_TEST_WHY] = "";
    FILE *out;
    int status = rule_test_run(test, trial->event, &result, why);

    if (status != ATAMO_OK) {
        (void)problems_add(trial->problems, (struct place){NULL, 0, 0}, "the event: %s", why);
        return status;
    }
    out = open_memstream(&trial->text, &trial->size);
    status = out == NULL ? ATAMO_NO_MEMORY : rule_test_write_json(&result, out);
    if (out != NULL && fclose(out) != 0)
        status = ATAMO_NO_MEMORY;
    rule_test_result_close(&result);
    return status;
}

static int try_rules(struct trial *trial)
{
    const struct rule_test_settings settings = {
        .source = {.path = trial->hub->config_path, .rules = trial->rules},
        .plugin_path = trial->hub->plugin_path,
        .plugins = trial->hub->plugins,
        .plugin_count = trial->hub->plugin_count,
    };
    struct rule_test *test = NULL;
    int status;

    if (trial->hub->config_path == NULL)
        return ATAMO_UNSUPPORTED;
    status = rule_test_open(&settings, trial->problems, &test);
    if (status == ATAMO_OK)
        status = run(trial, test);
    rule_test_close(test);
    return status;
}

/* NOLINTNEXTLINE(readability-function-size): seven parameters, that is the API */
int atamo_rules_try(atamo_hub *hub, atamo_bytes rules, atamo_bytes event, char *buffer,
                    size_t capacity, size_t *size, atamo_report **report)
{
    struct problems *problems = malloc(sizeof *problems);
    struct trial trial = {.hub = hub, .event = event, .problems = problems};
    int status;

    if (report != NULL)
        *report = NULL;
    if (problems == NULL)
        return ATAMO_NO_MEMORY;
    if (rules.size > 0)
        trial.rules = rules;
    problems_init(problems);
    status = try_rules(&trial);
    if (status == ATAMO_OK) {
        *size = trial.size;
        memcpy(buffer, trial.text, trial.size < capacity ? trial.size : capacity);
        status = trial.size <= capacity ? ATAMO_OK : ATAMO_TOO_LARGE;
    }
    hub_report(problems, report);
    problems_close(problems);
    free(problems);
    free(trial.text);
    return status;
}
