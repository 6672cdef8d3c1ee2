/* rule_test - what would the rules of a configuration make of this event?
 *
 * Happy path: the configuration is built with its rules only, the event becomes a message as in a
 * hub, every rule is explained, and those that match make their actions into the result: rendered
 * from templates, or proposed by their provider. A rule whose template misses a path or whose
 * provider fails makes none of its actions, and its reason says so. It uses a flow of its own for
 * what rule providers may ask of their host; the flow never takes a turn.
 */
#include "config/rule_test_inside.h"

#include "flow/host.h"
#include "model/cloudevent.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void log_to_stderr(void *user, int level, const char *instance, const char *line)
{
    (void)user;
    if (level >= ATAMO_LOG_WARN)
        (void)fprintf(stderr, "%s: %s\n", instance, line);
}

static int build(struct rule_test *test, const struct rule_test_settings *settings,
                 struct problems *problems)
{
    struct atamo_host host = *host_table();
    const struct config_context context = {
        .depth = CONFIG_RULES_ONLY,
        .names = test->names,
        .plugin_path = settings->plugin_path,
        .plugins = settings->plugins,
        .plugin_count = settings->plugin_count,
        .host = &host,
        .hub = &test->services,
    };
    struct config *config = NULL;
    int status = config_read(&settings->source, problems, &config);

    host.propose = rule_test_propose;
    if (status == ATAMO_OK)
        status = config_build(config, &context, problems, &test->generation);
    config_free(config);
    return status;
}

int rule_test_open(const struct rule_test_settings *settings, struct problems *problems,
                   struct rule_test **test)
{
    struct rule_test *made = aligned_alloc(64, (sizeof *made + 63) / 64 * 64);
    struct clock clock;
    int status = ATAMO_NO_MEMORY;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    memset(made, 0, sizeof *made);
    clock_system(&clock);
    made->names = names_open();
    if (made->names != NULL)
        status = flow_open(&made->flow, made->names, &clock, 1);
    made->flow_is_open = status == ATAMO_OK;
    made->services.flow = &made->flow;
    made->services.log.fn = log_to_stderr;
    if (status == ATAMO_OK)
        status = cloudevent_reader_open(&made->reader);
    if (status == ATAMO_OK)
        status = build(made, settings, problems);
    if (status != ATAMO_OK) {
        rule_test_close(made);
        return status;
    }
    made->flow.current = made->generation;
    *test = made;
    return ATAMO_OK;
}

void rule_test_close(struct rule_test *test)
{
    if (test == NULL)
        return;
    generation_free(test->generation);
    cloudevent_reader_close(test->reader);
    if (test->flow_is_open)
        flow_close(&test->flow);
    names_close(test->names);
    free(test);
}

/* --- the event */

static int make_actions(struct trial *trial, struct rule_test_rule *told)
{
    const size_t before = trial->result->action_count;
    const char *failed = NULL;
    const int status = rule_test_actions(trial, &failed);

    if (failed == NULL)
        return status;
    trial->result->action_count = before;
    told->reason = failed;
    return status;
}

static int explain_rules(struct trial *trial)
{
    struct flow *flow = &trial->test->flow;
    const struct generation *generation = trial->test->generation;
    const struct index_who who = flow_who(flow, trial->message);
    int status = ATAMO_OK;

    for (size_t i = 0; i < generation->rule_count && status == ATAMO_OK; i++) {
        struct rule_test_rule *told = &trial->result->rules[trial->result->rule_count++];
        struct index_reason reason;

        status = index_explain(generation->index, (uint32_t)i, flow->scratch, &flow->event, &who,
                               &reason);
        if (status == ATAMO_NO_MEMORY)
            return status;
        told->id = names_text(trial->test->names, generation->rules[i].id);
        told->matched = status == ATAMO_OK && reason.matched;
        told->reason = arena_copy(&trial->result->arena, atamo_text(reason.text)).data;
        if (told->reason == NULL)
            return ATAMO_NO_MEMORY;
        trial->rule = &generation->rules[i];
        status = told->matched ? make_actions(trial, told) : ATAMO_OK;
    }
    return status;
}

__attribute__((format(printf, 2, 3))) static int refuse(struct trial *trial, const char *format,
                                                        ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    trial->result->refused = arena_copy(&trial->result->arena, atamo_text(text)).data;
    return trial->result->refused == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

static int evaluate(struct trial *trial)
{
    struct rule_test *test = trial->test;
    struct rule_test_result *result = trial->result;
    atamo_bytes text;
    const atamo_reason reason = flow_judge(&test->flow, trial->message, &text);

    if (reason == ATAMO_REASON_NO_MEMORY)
        return ATAMO_NO_MEMORY;
    if (reason != ATAMO_REASON_NONE)
        return refuse(trial, reason == ATAMO_REASON_DENIED ? "%s: user \"%s\"" : "%s: %s",
                      atamo_reason_text(reason), text.data);
    result->rules =
        arena_array(&result->arena, test->generation->rule_count, sizeof *result->rules);
    result->actions = arena_array(&result->arena, TEST_ACTIONS_MAX, sizeof *result->actions);
    if (result->rules == NULL || result->actions == NULL)
        return ATAMO_NO_MEMORY;
    return explain_rules(trial);
}

static int write_event(struct trial *trial)
{
    const uint64_t node = trial->test->flow.node;
    const size_t size = cloudevent_write(trial->message, node, NULL, 0);
    char *text = arena_alloc(&trial->result->arena, size + 1);

    if (text == NULL)
        return ATAMO_NO_MEMORY;
    (void)cloudevent_write(trial->message, node, text, size);
    trial->result->event = (atamo_bytes){text, size};
    return ATAMO_OK;
}

/* Put the members that a CloudEvent must have in front of an object that leaves them out. */
static int complete(struct arena *arena, atamo_bytes json, atamo_bytes *completed)
{
    size_t at = 0;
    size_t next;
    const char *text;

    while (at < json.size && strchr(" \t\r\n", json.data[at]) != NULL)
        at++;
    if (at == json.size || json.data[at] != '{')
        return ATAMO_OK; /* reading says what is wrong */
    next = at + 1;
    while (next < json.size && strchr(" \t\r\n", json.data[next]) != NULL)
        next++;
    text = arena_printf(arena, "{\"specversion\":\"1.0\"%s%.*s",
                        next < json.size && json.data[next] == '}' ? "" : ",",
                        (int)(json.size - at - 1), json.data + at + 1);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    *completed = atamo_text(text);
    return ATAMO_OK;
}

static int read_event(struct rule_test *test, struct rule_test_result *result, atamo_bytes json,
                      atamo_event_draft *draft, char why[RULE_TEST_WHY])
{
    const atamo_event_draft none = {.size = sizeof none};
    int status = cloudevent_read(test->reader, json, &none, draft, why);

    if (status == ATAMO_OK && draft->type.size == 0) {
        status = complete(&result->arena, json, &json);
        if (status == ATAMO_OK)
            status = cloudevent_read(test->reader, json, NULL, draft, why);
    }
    return status;
}

int rule_test_run(struct rule_test *test, atamo_bytes json, struct rule_test_result *result,
                  char why[RULE_TEST_WHY])
{
    const struct message_origin origin = {
        .number = 1,
        .now_ns = clock_now(&test->flow.clock),
        .max_data = test->generation->hub.max_data,
    };
    struct rule_test_result made = {0};
    struct trial trial = {.test = test, .result = &made};
    struct message *message = NULL;
    const char *reason = "no memory";
    atamo_event_draft draft;
    int status;

    arena_init(&made.arena);
    if (json.size > JSON_BYTES_MAX) {
        (void)snprintf(why, RULE_TEST_WHY, "over 16 MiB");
        return ATAMO_TOO_LARGE;
    }
    status = read_event(test, &made, json, &draft, why);
    if (status == ATAMO_OK) {
        status = message_build(&test->flow.blocks, &draft, &origin, &message, &reason);
        if (status != ATAMO_OK)
            (void)snprintf(why, RULE_TEST_WHY, "%s", reason);
    }
    trial.message = message;
    if (status == ATAMO_OK)
        status = write_event(&trial);
    if (status == ATAMO_OK)
        status = evaluate(&trial);
    if (message != NULL) {
        message->refs = 0;
        message_release(message);
        blocks_give(&message->block);
    }
    if (status != ATAMO_OK) {
        arena_close(&made.arena);
        return status;
    }
    *result = made;
    return ATAMO_OK;
}

void rule_test_result_close(struct rule_test_result *result)
{
    arena_close(&result->arena);
    memset(result, 0, sizeof *result);
}
