/* rule_suite - unit tests of rules, in YAML beside the rules.
 *
 * Happy path: the file is read, its configuration is opened once for all tests, each test's event
 * is tried and what came of it is compared with what was expected; the first difference is the
 * failure. A file with mistakes, or a configuration that cannot be used, runs nothing.
 */
#include "config/rule_suite.h"

#include "base/clock.h"
#include "config/config_inside.h"
#include "config/format.h"
#include "config/rule_suite_compare.h"

#include <stdarg.h>
#include <string.h>

/* A file under way. */
struct suite {
    struct rule_suite_result *result;
    struct problems *problems;
    struct rule_test *test;
    struct json_parser *parser;
};

/* One test under way. */
struct attempt {
    struct suite *suite;
    struct arena *arena;
    struct format_case *wanted;
    struct format_expect expect;
    const struct rule_test_result *got;
    struct rule_suite_case *told;
};

__attribute__((format(printf, 2, 3))) static int fail(struct attempt *attempt, const char *format,
                                                      ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    attempt->told->failure = arena_copy(attempt->arena, atamo_text(text)).data;
    return attempt->told->failure == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

/* "true", or words that the reason must contain. */
static int compare_refusal(struct attempt *attempt)
{
    const struct yaml_node *refused = attempt->expect.refused;
    const char *reason = attempt->got->refused;
    const bool wanted = refused != NULL && (refused->kind == YAML_TEXT ||
                                            (refused->kind == YAML_BOOL && refused->truth));

    if (reason == NULL)
        return wanted ? fail(attempt, "the event is taken, expected that it is refused") : ATAMO_OK;
    if (!wanted)
        return fail(attempt, "the event is refused: %s", reason);
    if (refused->kind == YAML_TEXT && strstr(reason, refused->text.data) == NULL)
        return fail(attempt, "the event is refused: %s; expected: %s", reason, refused->text.data);
    return ATAMO_OK;
}

static bool is_listed(const struct key_texts *texts, atamo_bytes text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (texts->list[i].size == text.size &&
            memcmp(texts->list[i].data, text.data, text.size) == 0)
            return true;
    return false;
}

/* The rules that match are those of the list, all and no others. */
static int compare_rules(struct attempt *attempt)
{
    const struct rule_test_result *got = attempt->got;
    const struct key_texts *wanted = &attempt->expect.rules;
    size_t met = 0;

    if (wanted->node == NULL)
        return ATAMO_OK;
    for (size_t i = 0; i < got->rule_count; i++) {
        const struct rule_test_rule *rule = &got->rules[i];
        const bool listed = is_listed(wanted, rule->id);

        if (rule->matched && !listed)
            return fail(attempt, "rule %s matches, not expected", rule->id.data);
        if (!rule->matched && listed)
            return fail(attempt, "rule %s does not match: %s", rule->id.data, rule->reason);
        met += listed;
    }
    return met < wanted->count ? fail(attempt, "a rule of the list does not exist") : ATAMO_OK;
}

static int compare_text(struct attempt *attempt, size_t number, const char *key, atamo_bytes wanted,
                        atamo_bytes got)
{
    if (wanted.size == 0 ||
        (wanted.size == got.size && memcmp(wanted.data, got.data, got.size) == 0))
        return ATAMO_OK;
    return fail(attempt, "action %zu: %s is \"%s\", expected \"%s\"", number, key, got.data,
                wanted.data);
}

static int compare_body(struct attempt *attempt, size_t number, const struct yaml_node *wanted,
                        atamo_bytes got)
{
    const char *difference = NULL;
    int status;

    if (wanted == NULL)
        return ATAMO_OK;
    status = rule_suite_compare(attempt->arena, attempt->suite->parser, "body", wanted, got,
                                &difference);
    if (status == ATAMO_OK && difference != NULL)
        status = fail(attempt, "action %zu: %s", number, difference);
    return status;
}

static int compare_action(struct attempt *attempt, size_t number, const struct yaml_node *node,
                          const struct rule_test_action *got)
{
    struct format_expected_action wanted;
    int status =
        keys_read(attempt->arena, &format_expected_action, node, attempt->suite->problems, &wanted);
    const struct {
        const char *key;
        atamo_bytes wanted, got;
    } texts[] = {
        {"rule", wanted.rule, got->rule},
        {"agent", wanted.agent, got->agent},
        {"action", wanted.action, got->action},
        {"as", wanted.as, got->as},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (status == ATAMO_OK && attempt->told->failure == NULL)
            status = compare_text(attempt, number, texts[i].key, texts[i].wanted, texts[i].got);
    if (status == ATAMO_OK && attempt->told->failure == NULL)
        status = compare_body(attempt, number, wanted.body, got->body);
    return status;
}

/* An action that nobody expected, or a rule that should have made one: what helps most. */
static int fail_count(struct attempt *attempt, size_t wanted)
{
    const struct rule_test_result *got = attempt->got;

    if (got->action_count > wanted)
        return fail(attempt, "%zu actions, expected %zu; action %zu is %s %s, from rule %s",
                    got->action_count, wanted, wanted + 1, got->actions[wanted].agent.data,
                    got->actions[wanted].action.data, got->actions[wanted].rule.data);
    for (size_t i = 0; i < got->rule_count; i++)
        if (!got->rules[i].matched || got->action_count == 0)
            return fail(attempt, "%zu actions, expected %zu; rule %s: %s", got->action_count,
                        wanted, got->rules[i].id.data, got->rules[i].reason);
    return fail(attempt, "%zu actions, expected %zu", got->action_count, wanted);
}

static int compare_actions(struct attempt *attempt)
{
    const struct yaml_node *wanted = attempt->expect.actions;
    const struct rule_test_result *got = attempt->got;
    int status = ATAMO_OK;

    if (wanted == NULL)
        return ATAMO_OK;
    for (size_t i = 0; i < wanted->count && i < got->action_count; i++)
        if (status == ATAMO_OK && attempt->told->failure == NULL)
            status = compare_action(attempt, i + 1, wanted->items[i], &got->actions[i]);
    if (status == ATAMO_OK && attempt->told->failure == NULL && wanted->count != got->action_count)
        status = fail_count(attempt, wanted->count);
    return status;
}

static int compare(struct attempt *attempt)
{
    int (*const comparisons[])(struct attempt *) = {compare_refusal, compare_rules,
                                                    compare_actions};
    int status = keys_read(attempt->arena, &format_expect, attempt->wanted->expect,
                           attempt->suite->problems, &attempt->expect);

    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++)
        if (status == ATAMO_OK && attempt->told->failure == NULL)
            status = comparisons[i](attempt);
    return status;
}

static int run_case(struct suite *suite, const struct yaml_node *node, struct rule_suite_case *told)
{
    struct arena *arena = &suite->result->arena;
    struct rule_test_result got = {0};
    struct format_case wanted;
    struct attempt attempt = {
        .suite = suite, .arena = arena, .wanted = &wanted, .got = &got, .told = told};
    char why[RULE_TEST_WHY] = "";
    atamo_bytes json;
    int status = keys_read(arena, &format_case, node, suite->problems, &wanted);

    told->name = wanted.name.size > 0 ? wanted.name.data : "a test without a name";
    told->place = yaml_place(node);
    if (status != ATAMO_OK || wanted.event == NULL || wanted.expect == NULL)
        return status; /* said in the problems */
    json = yaml_to_json(arena, wanted.event);
    if (json.data == NULL)
        return ATAMO_NO_MEMORY;
    status = rule_test_run(suite->test, json, &got, why);
    if (status == ATAMO_NO_MEMORY)
        return status;
    status = status == ATAMO_OK ? compare(&attempt) : fail(&attempt, "no event: %s", why);
    rule_test_result_close(&got);
    suite->result->failed += told->failure != NULL;
    return status;
}

static int run_cases(struct suite *suite, const struct yaml_node *tests)
{
    struct rule_suite_result *result = suite->result;
    const int64_t begin = clock_monotonic();
    int status = ATAMO_OK;

    result->cases = arena_array(&result->arena, tests->count, sizeof *result->cases);
    if (result->cases == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < tests->count && status == ATAMO_OK; i++)
        status = run_case(suite, tests->items[i], &result->cases[result->count++]);
    result->ns = (uint64_t)(clock_monotonic() - begin);
    return status != ATAMO_OK ? status : problems_status(suite->problems);
}

static int open_config(struct suite *suite, atamo_bytes config,
                       const struct rule_test_settings *settings)
{
    const char *slash = strrchr(suite->result->file, '/');
    struct rule_test_settings full = *settings;

    full.source.path =
        config.data[0] == '/' || slash == NULL
            ? config.data
            : arena_printf(&suite->result->arena, "%.*s/%s", (int)(slash - suite->result->file),
                           suite->result->file, config.data);
    if (full.source.path == NULL)
        return ATAMO_NO_MEMORY;
    return rule_test_open(&full, suite->problems, &suite->test);
}

static int run_file(struct suite *suite, const char *path,
                    const struct rule_test_settings *settings)
{
    struct arena *arena = &suite->result->arena;
    const struct yaml_options options = {.file = path};
    const struct yaml_node *root = NULL;
    struct format_suite file;
    atamo_bytes content = {NULL, 0};
    int status = config_read_text(arena, path, suite->problems, &content);

    suite->result->file = arena_copy(arena, atamo_text(path)).data;
    if (suite->result->file == NULL)
        return ATAMO_NO_MEMORY;
    if (status == ATAMO_OK)
        status = yaml_parse(arena, content, &options, suite->problems, &root);
    if (status != ATAMO_OK)
        return status;
    if (root == NULL)
        return problems_add(suite->problems, (struct place){path, 0, 0},
                            "a file of tests is empty");
    status = keys_read(arena, &format_suite, root, suite->problems, &file);
    if (status == ATAMO_OK)
        status = problems_status(suite->problems);
    if (status == ATAMO_OK)
        status = open_config(suite, file.config, settings);
    if (status == ATAMO_OK && file.tests != NULL)
        status = run_cases(suite, file.tests);
    return status;
}

int rule_suite_run(const char *path, const struct rule_test_settings *settings,
                   struct problems *problems, struct rule_suite_result *result)
{
    struct rule_suite_result made = {0};
    struct suite suite = {.result = &made, .problems = problems};
    int status;

    arena_init(&made.arena);
    status = json_parser_open(&suite.parser);
    if (status == ATAMO_OK)
        status = run_file(&suite, path, settings);
    json_parser_close(suite.parser);
    rule_test_close(suite.test);
    if (status != ATAMO_OK) {
        arena_close(&made.arena);
        return status;
    }
    *result = made;
    return ATAMO_OK;
}

void rule_suite_result_close(struct rule_suite_result *result)
{
    arena_close(&result->arena);
    memset(result, 0, sizeof *result);
}
