/* rule_test_actions - the actions that a rule makes of an event, on paper.
 *
 * Happy path: each entry of `then:` is rendered, or the rule's provider proposes. Where a path is
 * missing or the provider fails, *failed says so in the result's arena and the rule's actions so
 * far are the caller's to drop. The status is ATAMO_OK even then; only memory can fail.
 */
#include "config/rule_test_inside.h"

#include "rules/template.h"
#include "json/write.h"

#include <string.h>

static atamo_bytes keep(struct trial *trial, atamo_bytes text)
{
    return arena_copy(&trial->result->arena, text);
}

static int keep_body(struct trial *trial, atamo_bytes json, atamo_bytes *kept)
{
    *kept = keep(trial, json);
    return kept->data == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

/* The data as JSON: what an action without `with:` shows as its body. */
static int data_as_json(struct trial *trial, atamo_bytes *json)
{
    const atamo_bytes data = message_data(trial->message);
    const size_t room = data.size * 6 + 3; /* every byte may become \u00XX */
    struct json_writer writer;
    char *text;

    if ((trial->message->flags & MESSAGE_JSON) != 0)
        return keep_body(trial, data.size > 0 ? data : atamo_text("null"), json);
    text = arena_alloc(&trial->result->arena, room);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    json_writer_init(&writer, text, room);
    json_put_text(&writer, data);
    *json = (atamo_bytes){text, writer.size};
    return ATAMO_OK;
}

static struct rule_test_action *new_action(struct trial *trial)
{
    struct rule_test_result *result = trial->result;

    return result->action_count == TEST_ACTIONS_MAX ? NULL
                                                    : &result->actions[result->action_count++];
}

/* The agent of that name, or NULL. */
static const struct agent_settings *find_agent(const struct generation *generation,
                                               atamo_bytes name)
{
    for (size_t i = 0; i < generation->agent_count; i++) {
        const struct agent_settings *agent = &generation->agents[i];

        if (agent->name.size == name.size && memcmp(agent->name.data, name.data, name.size) == 0)
            return agent;
    }
    return NULL;
}

int rule_test_propose(const atamo_host *host, void *evaluation, const void *argument)
{
    struct trial *trial = evaluation;
    const atamo_proposal *proposal = argument;
    const struct agent_settings *agent = find_agent(trial->test->generation, proposal->agent);
    struct rule_test_action *action;

    (void)host;
    if (agent == NULL || proposal->action.size == 0)
        return ATAMO_NOT_FOUND;
    action = new_action(trial);
    if (action == NULL)
        return ATAMO_NO_MEMORY;
    action->rule = names_text(trial->test->names, trial->rule->id);
    action->agent = agent->name;
    action->action = keep(trial, proposal->action);
    action->as = keep(trial, proposal->as.size > 0 ? proposal->as
                                                   : message_attribute(trial->message, ATAMO_USER));
    if (action->action.data == NULL || action->as.data == NULL)
        return ATAMO_NO_MEMORY;
    return proposal->body.size == 0 ? data_as_json(trial, &action->body)
                                    : keep_body(trial, proposal->body, &action->body);
}

static int render(struct trial *trial, const struct template *template, atamo_bytes *body,
                  const char **failed)
{
    struct rule_test *test = trial->test;
    const char *problem = "";
    atamo_bytes missing = {"", 0};
    char *text = NULL;
    size_t size = 0;
    int status = fields_data(test->flow.scratch, &problem);

    if (status == ATAMO_OK)
        status = template_render(template, test->flow.scratch, NULL, 0, &size, &missing);
    else
        missing = atamo_text(problem);
    if (status == ATAMO_TOO_LARGE) {
        text = arena_alloc(&trial->result->arena, size);
        if (text == NULL)
            return ATAMO_NO_MEMORY;
        status = template_render(template, test->flow.scratch, text, size, &size, &missing);
    }
    if (status == ATAMO_OK) {
        *body = (atamo_bytes){text, size};
        return ATAMO_OK;
    }
    *failed = arena_printf(&trial->result->arena, "%s%.*s",
                           status == ATAMO_NOT_FOUND ? "a template needs a field that is missing: "
                                                     : "the data is not JSON: ",
                           (int)missing.size, missing.data);
    return *failed == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

static int make_listed(struct trial *trial, const char **failed)
{
    const struct rule_test *test = trial->test;

    for (uint32_t i = 0; i < trial->rule->action_count; i++) {
        const struct rule_action *plan = &trial->rule->actions[i];
        struct rule_test_action *action = new_action(trial);
        int status;

        if (action == NULL) {
            *failed = "too many actions";
            return ATAMO_OK;
        }
        action->rule = names_text(test->names, plan->rule);
        action->agent = names_text(test->names, plan->agent);
        action->action = names_text(test->names, plan->type);
        action->as = plan->as != 0 ? names_text(test->names, plan->as)
                                   : keep(trial, message_attribute(trial->message, ATAMO_USER));
        if (action->as.data == NULL)
            return ATAMO_NO_MEMORY;
        status = plan->body == NULL ? data_as_json(trial, &action->body)
                                    : render(trial, plan->body, &action->body, failed);
        if (status != ATAMO_OK || *failed != NULL)
            return status;
    }
    return ATAMO_OK;
}

static int make_proposed(struct trial *trial, const char **failed)
{
    const struct rule *rule = trial->rule;
    char why[256] = "";
    const int status =
        rule->provider->evaluate(rule->provider_self, rule->provider_rule,
                                 (const atamo_event *)(const void *)trial->message, trial, why);

    why[sizeof why - 1] = '\0';
    if (status != ATAMO_OK)
        *failed = arena_printf(&trial->result->arena, "the rule provider failed: %s",
                               why[0] != '\0' ? why : atamo_status_text(status));
    return status != ATAMO_OK && *failed == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

int rule_test_actions(struct trial *trial, const char **failed)
{
    return trial->rule->provider != NULL ? make_proposed(trial, failed)
                                         : make_listed(trial, failed);
}
