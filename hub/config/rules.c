/* rules - each rule of the configuration, compiled, and the index over all of them.
 *
 * Happy path of a rule: its keys are known, its id is new, its pattern and templates compile, its
 * agents exist; it becomes one entry in the index and one in the generation's list, at the same
 * number. A rule with `provider:` is compiled by that plugin from its JSON instead. Everything
 * wrong with every rule is found in one run.
 */
#include "config/config_inside.h"
#include "rules/template.h"

#include <stdlib.h>
#include <string.h>

static const char *const rule_keys[] = {"id", "on", "for", "when", "then", "about", NULL};

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

static int find_agent(struct building *building, const struct yaml_node *node,
                      struct rule_action *action)
{
    const struct generation *generation = building->generation;
    const char *names[256];
    size_t count = 0;

    for (size_t i = 0; i < generation->agent_count; i++) {
        if (strcmp(generation->agents[i].name.data, node->text.data) == 0) {
            action->agent = generation->agents[i].name_id;
            action->agent_index = (uint32_t)i;
            return ATAMO_OK;
        }
        if (count < 256)
            names[count++] = generation->agents[i].name.data;
    }
    return section_unknown(building->problems, node, "agent", names, count);
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
    static const char *const keys[] = {"agent", "action", "as", "with", "retry", "deadline", NULL};
    static const char *const retry_keys[] = {"attempts", NULL};
    const struct section section = section_open(node, "then", keys, building->problems);
    const struct section retry =
        section_open(section_get(&section, "retry"), "retry", retry_keys, building->problems);
    const struct yaml_node *agent = section_get(&section, "agent");
    atamo_bytes type = {"", 0};
    atamo_bytes as = {"", 0};

    action->rule = rule;
    if (section.map == NULL)
        return ATAMO_OK;
    section_text(&section, "action", &type);
    section_text(&section, "as", &as);
    section_integer(&retry, "attempts", 1, 65000, &action->attempts);
    section_duration(&section, "deadline", &action->deadline_ns);
    if (agent == NULL || agent->kind != YAML_TEXT)
        (void)problems_add(building->problems, yaml_place(node),
                           "an action needs \"agent\": the name of an agent");
    else
        (void)find_agent(building, agent, action);
    if (type.size == 0)
        (void)problems_add(building->problems, yaml_place(node),
                           "an action needs \"action\": what the agent shall do");
    action->type = names_add(building->context->names, type);
    action->as = names_add(building->context->names, as);
    return build_body(building, section_get(&section, "with"), action);
}

static int build_then(struct building *building, const struct section *section, struct rule *rule)
{
    const struct yaml_node *then = section_get(section, "then");
    const bool one = then != NULL && then->kind == YAML_MAP;
    struct rule_action *actions;
    size_t count;
    int status = ATAMO_OK;

    if (then == NULL)
        return ATAMO_OK; /* a rule that only says that it matched */
    if (!one && then->kind != YAML_LIST) {
        (void)problems_add(building->problems, yaml_place(then),
                           "then is %s, expected an action or a list of them",
                           yaml_kind_name(then->kind));
        return ATAMO_OK;
    }
    count = one ? 1 : then->count;
    actions = arena_array(building->arena, count, sizeof *actions);
    if (actions == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = build_action(building, rule->id, one ? then : then->items[i], &actions[i]);
    rule->actions = actions;
    rule->action_count = (uint32_t)count;
    return status;
}

static int find_provider(struct building *building, const struct yaml_node *node,
                         const struct provider_settings **found)
{
    const struct generation *generation = building->generation;
    const char *names[256];
    size_t count = 0;

    for (size_t i = 0; i < generation->rule_provider_count; i++) {
        if (strcmp(generation->rule_providers[i].name.data, node->text.data) == 0) {
            *found = &generation->rule_providers[i];
            return ATAMO_OK;
        }
        if (count < 256)
            names[count++] = generation->rule_providers[i].name.data;
    }
    return section_unknown(building->problems, node, "rule provider", names, count);
}

static int compile_provided(struct building *building, const struct yaml_node *node, atamo_bytes id,
                            const struct yaml_node *provider, struct rule *rule)
{
    const struct provider_settings *found = NULL;
    struct instance *instance;
    atamo_bytes json;
    int status;

    if (find_provider(building, provider, &found) != ATAMO_OK || found->instance == NULL ||
        found->instance->state == INSTANCE_OPENED)
        return ATAMO_OK; /* said already */
    instance = found->instance;
    json = yaml_to_json(building->arena, node);
    if (json.data == NULL)
        return ATAMO_NO_MEMORY;
    rule->provider = instance->plugin->rule_provider;
    rule->provider_self = instance->self;
    status = rule->provider->compile(instance->self, id, json, &rule->provider_rule);
    if (status == ATAMO_OK)
        return ATAMO_OK;
    rule->provider_rule = NULL;
    (void)problems_add(building->problems, yaml_place(node), "rule \"%s\": %s", id.data,
                       instance->refusal != NULL ? instance->refusal : atamo_status_text(status));
    return ATAMO_OK;
}

/* `on` and `for` into the index's words. */
static int read_scope(struct building *building, const struct section *section,
                      struct index_rule *entry)
{
    static const char *const keys[] = {"users", "groups", "tenants", NULL};
    const struct section scope =
        section_open(section_get(section, "for"), "for", keys, building->problems);
    int status =
        section_texts(section, "on", building->arena, &entry->types.names, &entry->types.count);

    if (status == ATAMO_OK)
        status = section_texts(&scope, "users", building->arena, &entry->users.names,
                               &entry->users.count);
    if (status == ATAMO_OK)
        status = section_texts(&scope, "groups", building->arena, &entry->groups.names,
                               &entry->groups.count);
    if (status == ATAMO_OK)
        status = section_texts(&scope, "tenants", building->arena, &entry->tenants.names,
                               &entry->tenants.count);
    return status;
}

static void check_types(struct building *building, const struct section *section,
                        const struct index_names *types)
{
    for (size_t i = 0; i < types->count; i++) {
        const char *star = strchr(types->names[i].data, '*');

        if (types->names[i].size == 0 || (star != NULL && star[1] != '\0'))
            (void)problems_add(building->problems, yaml_place(section_get(section, "on")),
                               "\"%s\" is no event type: expected a type, or a beginning and '*' "
                               "as in order.*",
                               types->names[i].data);
    }
}

static int build_rule(struct building *building, const struct yaml_node *node, struct seen *seen,
                      struct rule *rule)
{
    const struct yaml_node *provider = yaml_get(node, "provider");
    const struct section section =
        section_open(node, "rule", provider == NULL ? rule_keys : NULL, building->problems);
    const struct yaml_node *when = section_get(&section, "when");
    struct index_rule entry = {0};
    atamo_bytes id = {"", 0};
    int status;

    rule->place = yaml_place(node);
    if (section.map == NULL)
        return index_add(building->index, &entry);
    section_text(&section, "id", &id);
    rule->id = names_add(building->context->names, id);
    if (id.size == 0)
        (void)problems_add(building->problems, yaml_place(node), "a rule needs an \"id\"");
    else if (!is_new(seen, rule->id))
        (void)problems_add(building->problems, yaml_place(section_get(&section, "id")),
                           "there is another rule \"%s\"", id.data);
    status = read_scope(building, &section, &entry);
    if (status == ATAMO_OK && provider == NULL && when != NULL)
        status = pattern_compile(building->arena, building->generation->plan, when,
                                 building->problems, &entry.pattern);
    if (status == ATAMO_NO_MEMORY)
        return status;
    check_types(building, &section, &entry.types);
    status = provider == NULL ? build_then(building, &section, rule)
                              : compile_provided(building, node, id, provider, rule);
    return status != ATAMO_OK ? status : index_add(building->index, &entry);
}

int build_rules(struct building *building)
{
    struct generation *generation = building->generation;
    const size_t count = building->config->rule_count;
    struct seen seen = {.mask = 15};
    struct rule *rules;
    int status;

    while (seen.mask < count * 2)
        seen.mask = seen.mask * 2 + 1;
    seen.slots = calloc(seen.mask + 1, sizeof *seen.slots);
    rules = arena_array(building->arena, count, sizeof *rules);
    status = seen.slots == NULL || rules == NULL
                 ? ATAMO_NO_MEMORY
                 : index_new(building->arena, generation->plan, (uint32_t)count, &building->index);
    for (size_t i = 0; i < count && status == ATAMO_OK; i++) {
        generation->rules = rules;
        generation->rule_count = i + 1;
        status = build_rule(building, building->config->rules[i], &seen, &rules[i]);
    }
    free(seen.slots);
    if (status == ATAMO_OK)
        status = field_plan_seal(generation->plan);
    if (status == ATAMO_OK && problems_status(building->problems) == ATAMO_OK)
        status = index_seal(building->index);
    generation->index = building->index;
    return status;
}
