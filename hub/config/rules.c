/* rules - each rule of the configuration, compiled, and the index over all of them.
 *
 * Happy path of a rule: its keys are known, its id is new, its pattern and templates compile, its
 * agents exist; it becomes one entry in the index and one in the generation's list, at the same
 * number. A rule with `provider:` is compiled by that plugin from its JSON instead. Everything
 * wrong with every rule is found in one run.
 */
#include "config/hints.h"
#include "rules/template.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_COMPARED = 256 };

/* An id not seen before: the names of all ids are kept sorted out by their name numbers. */
struct seen {
    uint32_t *slots; /* of names; 0: empty */
    size_t mask;
};

static bool is_new(struct seen *seen, uint32_t name)
{
    size_t at = name & seen->mask;

    while (seen->slots[at] != 0 && seen->slots[at] != name)
        at = (at + 1) & seen->mask;
    if (seen->slots[at] == name)
        return false;
    seen->slots[at] = name;
    return true;
}

static void find_agent(struct building *building, const struct yaml_node *node, atamo_bytes name,
                       struct rule_action *action)
{
    const struct generation *generation = building->generation;
    const char *names[NAMES_COMPARED];
    size_t count = 0;

    for (size_t i = 0; i < generation->agent_count; i++) {
        if (strcmp(generation->agents[i].name.data, name.data) == 0) {
            action->agent = generation->agents[i].name_id;
            action->agent_index = (uint32_t)i;
            return;
        }
        if (count < NAMES_COMPARED)
            names[count++] = generation->agents[i].name.data;
    }
    build_unknown(building, yaml_place(yaml_get(node, "agent")), "agent", name,
                  keys_nearest(building->problems, name, names, count));
}

/* `with:`; exactly ${data} shares the event's data instead of copying it. */
static int build_body(struct building *building, const struct yaml_node *with,
                      struct rule_action *action)
{
    const struct template *body = NULL;
    uint32_t field;
    int status;

    if (with == NULL)
        return ATAMO_OK;
    status = template_compile(building->arena, building->generation->plan, with, building->problems,
                              &body);
    if (status == ATAMO_OK && !template_is_whole(body, &field))
        action->body = body;
    return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
}

static int build_action(struct building *building, uint32_t rule, const struct yaml_node *node,
                        struct rule_action *action)
{
    struct names *names = building->context->names;
    struct format_action read;
    struct format_action_retry retry;
    int status = build_read(building, &format_action, node, &read);

    if (status == ATAMO_OK)
        status = build_read(building, &format_action_retry, read.retry, &retry);
    if (status != ATAMO_OK)
        return status;
    if (read.agent.size > 0)
        find_agent(building, node, read.agent, action);
    hints_user(building, keys_place(node, "as"), read.as);
    action->rule = rule;
    action->type = names_add(names, read.action);
    action->as = names_add(names, read.as);
    if ((read.action.size > 0 && action->type == 0) || (read.as.size > 0 && action->as == 0))
        return ATAMO_NO_MEMORY;
    action->attempts = retry.attempts;
    action->deadline_ns = read.deadline;
    return build_body(building, read.with, action);
}

static int build_then(struct building *building, const struct yaml_node *then, struct rule *rule)
{
    const bool list = then != NULL && then->kind == YAML_LIST;
    const size_t count = list ? then->count : 1;
    struct rule_action *actions;
    int status = ATAMO_OK;

    if (then == NULL)
        return ATAMO_OK; /* a rule that only says that it matched */
    actions = arena_array(building->arena, count, sizeof *actions);
    if (actions == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < count && status == ATAMO_OK; i++) {
        status = build_action(building, rule->id, list ? then->items[i] : then, &actions[i]);
        actions[i].rule_number = (uint32_t)(rule - building->generation->rules) + 1;
    }
    rule->actions = actions;
    rule->action_count = (uint32_t)count;
    return status;
}

static const struct provider_settings *find_provider(struct building *building,
                                                     const struct yaml_node *node, atamo_bytes name)
{
    const struct generation *generation = building->generation;
    const char *names[NAMES_COMPARED];
    size_t count = 0;

    for (size_t i = 0; i < generation->rule_provider_count; i++) {
        if (strcmp(generation->rule_providers[i].name.data, name.data) == 0)
            return &generation->rule_providers[i];
        if (count < NAMES_COMPARED)
            names[count++] = generation->rule_providers[i].name.data;
    }
    build_unknown(building, yaml_place(yaml_get(node, "provider")), "rule provider", name,
                  keys_nearest(building->problems, name, names, count));
    return NULL;
}

static int compile_provided(struct building *building, const struct yaml_node *node,
                            const struct format_rule *read, struct rule *rule)
{
    const struct provider_settings *found = find_provider(building, node, read->provider);
    struct instance *instance = found == NULL ? NULL : found->instance;
    atamo_bytes json;
    int status;

    if (instance == NULL || instance->state == INSTANCE_OPENED)
        return ATAMO_OK; /* said already */
    json = yaml_to_json(&building->scratch, node);
    if (json.data == NULL)
        return ATAMO_NO_MEMORY;
    rule->provider = instance->plugin->rule_provider;
    rule->provider_self = instance->self;
    free(instance->refusal); /* of another rule */
    instance->refusal = NULL;
    status = rule->provider->compile(instance->self, read->id, json, &rule->provider_rule);
    if (status == ATAMO_OK)
        return ATAMO_OK;
    rule->provider_rule = NULL;
    (void)problems_add(building->problems, yaml_place(node), "rule \"%s\": %s", read->id.data,
                       instance->refusal != NULL ? instance->refusal : atamo_status_text(status));
    return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
}

static void check_types(struct building *building, const struct key_texts *on)
{
    for (size_t i = 0; i < on->count; i++) {
        const char *star = strchr(on->list[i].data, '*');

        if (star == NULL || star[1] == '\0')
            continue;
        (void)problems_add(building->problems, yaml_place(on->node),
                           "\"%s\" is no event type: '*' stands at the end only, as in order.*",
                           on->list[i].data);
    }
}

static struct index_names names_of(const struct key_texts *texts)
{
    return (struct index_names){texts->list, texts->count};
}

/* `on` and `for` into the index's words. */
static int read_scope(struct building *building, const struct format_rule *read,
                      struct index_rule *entry)
{
    struct format_scope scope;
    const int status = build_read(building, &format_for, read->scope, &scope);

    entry->types = names_of(&read->on);
    entry->users = names_of(&scope.users);
    entry->groups = names_of(&scope.groups);
    entry->tenants = names_of(&scope.tenants);
    check_types(building, &read->on);
    hints_types(building, &read->on);
    hints_groups(building, &scope.groups);
    return status;
}

/* For people: "order.* invoice.paid". */
static const char *types_text(struct building *building, const struct key_texts *on)
{
    const char *text = "";

    for (size_t i = 0; i < on->count && text != NULL; i++)
        text = arena_printf(building->arena, "%s%s%s", text, i == 0 ? "" : " ", on->list[i].data);
    return text;
}

static int check_id(struct building *building, const struct yaml_node *node, struct seen *seen,
                    atamo_bytes id, struct rule *rule)
{
    rule->id = names_add(building->context->names, id);
    if (id.size == 0)
        return ATAMO_OK; /* said already */
    if (rule->id == 0)
        return ATAMO_NO_MEMORY;
    if (!is_new(seen, rule->id))
        (void)problems_add(building->problems, yaml_place(yaml_get(node, "id")),
                           "there is another rule \"%s\"", id.data);
    return ATAMO_OK;
}

/* Where it is written, for as long as the hub lasts: the tree of the file goes. */
static struct place lasting_place(const struct building *building, const struct yaml_node *node)
{
    struct names *names = building->context->names;
    struct place place = yaml_place(node);

    if (place.file != NULL)
        place.file = names_text(names, names_add(names, atamo_text(place.file))).data;
    return place;
}

static int build_rule(struct building *building, const struct yaml_node *node, struct seen *seen,
                      struct rule *rule)
{
    const bool provided = yaml_get(node, "provider") != NULL;
    struct format_rule read;
    struct index_rule entry = {0};
    int status = build_read(building, provided ? &format_provider_rule : &format_rule, node, &read);

    rule->place = lasting_place(building, node);
    if (status == ATAMO_OK)
        status = check_id(building, node, seen, read.id, rule);
    if (status == ATAMO_OK)
        status = read_scope(building, &read, &entry);
    if (status == ATAMO_OK) {
        rule->on = types_text(building, &read.on);
        status = rule->on == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
    }
    hints_attributes(building, read.when);
    if (status == ATAMO_OK && read.when != NULL)
        status = pattern_compile(building->arena, building->generation->plan, read.when,
                                 building->problems, &entry.pattern);
    if (status == ATAMO_OK || status == ATAMO_INVALID)
        status = provided ? compile_provided(building, node, &read, rule)
                          : build_then(building, read.then, rule);
    return status != ATAMO_OK ? status : index_add(building->index, &entry);
}

int build_rules(struct building *building)
{
    struct generation *generation = building->generation;
    const size_t count = building->config->rule_count;
    struct seen seen = {.mask = 15};
    struct rule_seen *matched = arena_array(building->arena, count, sizeof *matched);
    struct rule *rules;
    int status;

    while (seen.mask < count * 2)
        seen.mask = seen.mask * 2 + 1;
    seen.slots = calloc(seen.mask + 1, sizeof *seen.slots);
    rules = arena_array(building->arena, count, sizeof *rules);
    status =
        seen.slots == NULL || rules == NULL || matched == NULL || hints_gather(building) != ATAMO_OK
            ? ATAMO_NO_MEMORY
            : index_new(building->arena, generation->plan, (uint32_t)count, &building->index);
    if (status == ATAMO_OK && building->config->rules_folder != NULL) {
        generation->rules_folder =
            arena_copy(building->arena, atamo_text(building->config->rules_folder)).data;
        status = generation->rules_folder == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
    }
    for (size_t i = 0; i < count && status == ATAMO_OK; i++) {
        generation->rules = rules;
        generation->seen = matched;
        generation->rule_count = i + 1;
        status = build_rule(building, building->config->rules[i], &seen, &rules[i]);
    }
    free(seen.slots);
    if (status == ATAMO_OK)
        status = field_plan_seal(generation->plan);
    if (status == ATAMO_OK && problems_status(building->problems) == ATAMO_OK)
        status = index_seal(building->index);
    if (status == ATAMO_OK)
        carry_counters(building);
    generation->index = building->index;
    return status;
}
