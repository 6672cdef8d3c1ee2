/* evaluate - which rules match, and what actions do they make?
 *
 * Happy path: the index answers with the numbers of the rules that match; each rule's actions are
 * made, or its provider proposes them; then they are scheduled one by one. A rule whose template
 * misses a field, or whose provider fails, makes none of its actions and raises an alert; the
 * others go on. An event that no rule matches is finished at once, and its record says so.
 *
 * All actions are made before the first is attempted, so the record of the evaluation comes first.
 */
#include "flow/commit.h"
#include "flow/request.h"
#include "rules/index.h"
#include "rules/template.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One evaluation under way: what a rule provider's host->propose() gets as `evaluation`. */
struct evaluation {
    struct flow *flow;
    struct message *message;
    const struct rule *rule;
    uint32_t count;
    int refused; /* status of the provider's first proposal that could not be taken */
    char refusal[192];
    struct action *actions[FLOW_ACTIONS_MAX];
};

static const char too_many[] = "no memory, or more than 1024 actions for one event";

void flow_fill_event(struct flow *flow, const struct message *message)
{
    struct rule_event *event = &flow->event;

    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++)
        event->attributes[i] = message_attribute(message, i);
    event->extensions = flow->extensions;
    event->extension_count =
        message->extension_count == 0 ? 0 : message_extensions(message, flow->extensions);
    event->data = message_data(message);
    event->data_room = event->data.size + MESSAGE_JSON_ROOM;
    event->data_is_json = (message->flags & MESSAGE_JSON) != 0;
}

struct index_who flow_who(const struct flow *flow, const struct message *message)
{
    struct index_who who = {.user = message_attribute(message, ATAMO_USER),
                            .tenant = message_attribute(message, ATAMO_TENANT)};
    const struct identity *identity =
        who.user.size == 0 ? NULL : identities_find(flow->current->identities, who.user);

    if (identity != NULL) {
        who.groups = identity->groups;
        who.group_count = identity->group_count;
        if (who.tenant.size == 0)
            who.tenant = identity->tenant;
    }
    return who;
}

int flow_match(struct flow *flow, const struct message *message, const char **problem)
{
    const struct index_who who = flow_who(flow, message);
    struct index_result result;
    int status;

    flow->matched = NULL;
    flow_fill_event(flow, message);
    status = index_match(flow->current->index, flow->index_scratch, flow->scratch, &flow->event,
                         &who, &result);
    if (status != ATAMO_OK) {
        *problem = result.problem != NULL ? result.problem : atamo_status_text(status);
        return status;
    }
    flow->matched = message;
    flow->matches = result.rules;
    flow->match_count = result.count;
    return ATAMO_OK;
}

/* Is there a client that wants to hear what its actions respond? */
static bool wants_answers(const struct message *message)
{
    return message->request != NULL && !request_has(message->request, ATAMO_UNTIL_ACCEPTED);
}

/* A new action of the message; NULL if there is no memory, or too many. */
static struct action *make_action(struct evaluation *evaluation, const struct rule_action *plan)
{
    struct message *message = evaluation->message;
    struct action *action;

    if (evaluation->count == FLOW_ACTIONS_MAX)
        return NULL;
    action = actions_take(&evaluation->flow->actions);
    if (action == NULL)
        return NULL;
    action->message = message;
    action->plan = plan;
    action->lane = (uint16_t)evaluation->flow->current->agents[plan->agent_index].lane;
    action->ordinal = ++message->actions;
    if (wants_answers(message) && !request_add_part(message->request, action)) {
        message->actions--;
        action_move(action, ACTION_FREE);
        actions_give(&evaluation->flow->actions, action);
        return NULL;
    }
    message->open++;
    flow_counters_of(evaluation->flow, message)->actions++;
    evaluation->actions[evaluation->count++] = action;
    return action;
}

/* Take back the actions of a rule that failed: they were never seen. */
static void unmake(struct evaluation *evaluation, uint32_t keep)
{
    while (evaluation->count > keep) {
        struct action *action = evaluation->actions[--evaluation->count];

        evaluation->message->open--;
        evaluation->message->actions--;
        flow_counters_of(evaluation->flow, evaluation->message)->actions--;
        request_drop_part(action);
        action_move(action, ACTION_FREE);
        actions_give(&evaluation->flow->actions, action);
    }
}

static void rule_failed(struct evaluation *evaluation, uint32_t rule, atamo_reason reason,
                        atamo_bytes text)
{
    struct flow *flow = evaluation->flow;

    flow_counters_of(flow, evaluation->message)->rules_failed++;
    if (evaluation->message->request != NULL)
        flow_request_rule_failed(evaluation->message->request, text);
    for (int alert = 0; alert < 2; alert++) {
        atamo_telemetry *record = flow_record(
            flow, alert == 0 ? ATAMO_STEP_RULE_FAILED : ATAMO_STEP_ALERT, evaluation->message);

        record->rule = rule;
        record->reason = (uint16_t)reason;
        journal_text(&flow->journal, text);
    }
}

/* Render a template into a body of its own. */
static int render(struct flow *flow, const struct template *template, struct action_body **body,
                  atamo_bytes *missing)
{
    char small[4096];
    char *buffer = small;
    size_t capacity = sizeof small;
    size_t size = 0;
    const char *problem = "";
    int status = fields_data(flow->scratch, &problem);
    struct action_body *made;

    if (status != ATAMO_OK) {
        *missing = atamo_text(problem);
        return status;
    }
    status = template_render(template, flow->scratch, buffer, capacity, &size, missing);

    if (status == ATAMO_TOO_LARGE) {
        buffer = malloc(size);
        if (buffer == NULL)
            return ATAMO_NO_MEMORY;
        capacity = size;
        status = template_render(template, flow->scratch, buffer, capacity, &size, missing);
    }
    if (status == ATAMO_OK) {
        made = malloc(sizeof *made + size + 1);
        if (made == NULL) {
            status = ATAMO_NO_MEMORY;
        } else {
            made->refs = 1;
            made->size = (uint32_t)size;
            memcpy(made->bytes, buffer, size);
            made->bytes[size] = '\0';
            *body = made;
        }
    }
    if (buffer != small)
        free(buffer);
    return status;
}

static atamo_reason failure_reason(int status)
{
    switch (status) {
    case ATAMO_NOT_FOUND:
        return ATAMO_REASON_TEMPLATE;
    case ATAMO_INVALID:
        return ATAMO_REASON_MALFORMED;
    default:
        return ATAMO_REASON_NO_MEMORY;
    }
}

/* The actions that a rule lists. */
static void make_listed(struct evaluation *evaluation, const struct rule *rule)
{
    const uint32_t before = evaluation->count;

    for (uint32_t i = 0; i < rule->action_count; i++) {
        const struct rule_action *plan = &rule->actions[i];
        struct action *action = make_action(evaluation, plan);
        atamo_bytes missing = atamo_text(action == NULL ? too_many : "");
        int status = action == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;

        if (status == ATAMO_OK && plan->body != NULL)
            status = render(evaluation->flow, plan->body, &action->body, &missing);
        if (status == ATAMO_OK)
            continue;
        unmake(evaluation, before);
        rule_failed(evaluation, rule->id, failure_reason(status), missing);
        return;
    }
}

static uint32_t agent_index(const struct generation *generation, atamo_bytes name)
{
    uint32_t i = 0;

    while (i < generation->agent_count &&
           (generation->agents[i].name.size != name.size ||
            memcmp(generation->agents[i].name.data, name.data, name.size) != 0))
        i++;
    return i;
}

/* Why a proposal cannot be taken; empty if it can. */
static void check_proposal(struct evaluation *evaluation, const atamo_proposal *proposal,
                           uint32_t agent)
{
    const struct generation *generation = evaluation->flow->current;
    char *text = evaluation->refusal;

    evaluation->refused = ATAMO_OK;
    if (agent == generation->agent_count) {
        evaluation->refused = ATAMO_NOT_FOUND;
        (void)snprintf(text, sizeof evaluation->refusal,
                       "it proposed an action for the agent \"%.64s\", which there is not",
                       proposal->agent.data);
    } else if (proposal->action.size == 0) {
        evaluation->refused = ATAMO_INVALID;
        (void)snprintf(text, sizeof evaluation->refusal, "it proposed an action without a type");
    } else if (proposal->body.size > generation->hub.max_data) {
        evaluation->refused = ATAMO_TOO_LARGE;
        (void)snprintf(text, sizeof evaluation->refusal,
                       "it proposed a body larger than hub.max_data");
    }
}

/* There is no memory for a proposal, or too many were made. */
static int cannot_take(struct evaluation *evaluation, struct action_body *body)
{
    free(body);
    evaluation->refused = ATAMO_NO_MEMORY;
    (void)snprintf(evaluation->refusal, sizeof evaluation->refusal, "%s", too_many);
    return ATAMO_NO_MEMORY;
}

int flow_propose(void *evaluation_pointer, const atamo_proposal *proposal)
{
    struct evaluation *evaluation = evaluation_pointer;
    struct flow *flow = evaluation->flow;
    const uint32_t agent = agent_index(flow->current, proposal->agent);
    struct action_body *body;
    struct action *action;

    if (evaluation->refused == ATAMO_OK)
        check_proposal(evaluation, proposal, agent);
    if (evaluation->refused != ATAMO_OK)
        return evaluation->refused;
    body = malloc(sizeof *body + proposal->body.size + 1);
    if (body == NULL)
        return cannot_take(evaluation, NULL);
    body->plan = (struct rule_action){
        .rule = evaluation->rule->id,
        .rule_number = (uint32_t)(evaluation->rule - flow->current->rules) + 1,
        .type = names_add(flow->names, proposal->action),
        .agent = flow->current->agents[agent].name_id,
        .as = names_add(flow->names, proposal->as),
        .agent_index = agent,
        .attempts = proposal->attempts,
    };
    body->refs = 1;
    body->size = (uint32_t)proposal->body.size;
    memcpy(body->bytes, proposal->body.data, proposal->body.size);
    body->bytes[body->size] = '\0';
    action = make_action(evaluation, &body->plan);
    if (action == NULL)
        return cannot_take(evaluation, body);
    action->body = body;
    return ATAMO_OK;
}

/* The actions that a rule's provider proposes. */
static void make_proposed(struct evaluation *evaluation, const struct rule *rule)
{
    const uint32_t before = evaluation->count;
    char why[256] = "";
    int status;

    evaluation->rule = rule;
    evaluation->refused = ATAMO_OK;
    status = rule->provider->evaluate(rule->provider_self, rule->provider_rule,
                                      (const atamo_event *)(const void *)evaluation->message,
                                      evaluation, why);
    if (status == ATAMO_OK && evaluation->refused == ATAMO_OK)
        return;
    unmake(evaluation, before);
    why[sizeof why - 1] = '\0';
    if (status == ATAMO_OK)
        rule_failed(evaluation, rule->id, ATAMO_REASON_PROVIDER, atamo_text(evaluation->refusal));
    else
        rule_failed(evaluation, rule->id, ATAMO_REASON_PROVIDER,
                    atamo_text(why[0] != '\0' ? why : atamo_status_text(status)));
}

static void make_all(struct evaluation *evaluation)
{
    const struct flow *flow = evaluation->flow;

    for (size_t i = 0; i < flow->match_count; i++) {
        const struct rule *rule = &flow->current->rules[flow->matches[i]];
        struct rule_seen *seen = &flow->current->seen[flow->matches[i]];

        seen->hits++;
        seen->last_ns = flow->now;
        if (rule->provider != NULL)
            make_proposed(evaluation, rule);
        else
            make_listed(evaluation, rule);
    }
}

/* A delayed event was matched before others were; its data was found good then. If its request has
 * ended meanwhile, no rule shall match it. */
static void match_again(struct flow *flow, const struct message *message)
{
    const char *problem;

    if ((message->flags & MESSAGE_UNWANTED) != 0)
        flow_record(flow, ATAMO_STEP_CANCELLED, message)->reason = ATAMO_REASON_CLIENT;
    else if (flow_match(flow, message, &problem) == ATAMO_OK)
        return;
    flow->match_count = 0;
}

void flow_evaluate(struct flow *flow, struct message *message)
{
    struct evaluation evaluation; /* its list is filled as far as `count` says */
    atamo_telemetry *record;

    evaluation.flow = flow;
    evaluation.message = message;
    evaluation.rule = NULL;
    evaluation.count = 0;
    if (flow->matched != message)
        match_again(flow, message);
    message->generation = flow->current;
    flow->current->refs++;
    message->open = 1; /* held until all are scheduled */
    make_all(&evaluation);
    flow->matched = NULL;
    record = flow_record(flow, ATAMO_STEP_EVALUATED, message);
    record->value[0] = flow->match_count;
    record->value[1] = evaluation.count;
    if (flow->match_count == 0)
        flow_counters_of(flow, message)->unmatched++;
    if (flow->ledger != NULL && (evaluation.count > 0 || message->kept != 0) &&
        !message_is_feed(message)) {
        flow_keep(flow, message, evaluation.actions, evaluation.count, false);
        return;
    }
    for (uint32_t i = 0; i < evaluation.count; i++)
        flow_schedule(flow, evaluation.actions[i]);
    if (--message->open == 0)
        flow_finish(flow, message);
}
