/* types - event types and users. The fields that a type requires are asked of the field plan here,
 * so the plan is made here too. */
#include "config/config_inside.h"

#include <string.h>

static enum field_need need_of(struct building *building, const struct yaml_node *node)
{
    static const char *const needs[] = {"any",    "text",  "number", "boolean",
                                        "object", "array", NULL};
    for (uint32_t i = 0; needs[i] != NULL; i++)
        if (strcmp(needs[i], node->text.data) == 0)
            return (enum field_need)i;
    (void)section_unknown(building->problems, node, "kind of field", needs, 6);
    return NEED_ANY;
}

/* "data.order.id" asked of the plan. */
static int ask_plan(struct building *building, const struct yaml_node *node,
                    struct required_field *field)
{
    atamo_bytes steps[32];
    size_t depth = 0;
    const char *at = node->text.data;

    field->path = build_copy(building, node->text);
    if (field->path.data == NULL)
        return ATAMO_NO_MEMORY;
    while (depth < 32) {
        const size_t size = strcspn(at, ".");

        steps[depth++] = (atamo_bytes){at, size};
        if (size == 0)
            break;
        at += size;
        if (*at == '\0')
            return field_plan_add(building->generation->plan, steps, depth, FIELD_WHOLE,
                                  &field->field);
        at++;
    }
    (void)problems_add(building->problems, yaml_place(node),
                       "\"%s\" is no path such as subject or data.order.id", node->text.data);
    return ATAMO_OK;
}

/* One entry of `required:`: a path, or {path: kind}. */
static int build_required(struct building *building, const struct yaml_node *node,
                          struct required_field *field)
{
    const struct yaml_node *path = node;
    int status;

    if (node->kind == YAML_MAP && node->count == 1 && node->items[0]->kind == YAML_TEXT) {
        path = node->keys[0];
        field->need = need_of(building, node->items[0]);
    } else if (node->kind != YAML_TEXT) {
        (void)problems_add(building->problems, yaml_place(node),
                           "expected a path, or one path and its kind: {data.total: number}");
        return ATAMO_OK;
    }
    status = ask_plan(building, path, field);
    field->in_data = strncmp(path->text.data, "data", 4) == 0 &&
                     (path->text.data[4] == '\0' || path->text.data[4] == '.');
    return status;
}

static int build_type(struct building *building, const struct yaml_node *key,
                      const struct yaml_node *node, struct event_type *type)
{
    static const char *const keys[] = {"required", "allow", "about", NULL};
    static const char *const allow_keys[] = {"users", "groups", NULL};
    const struct section section = section_open(node, key->text.data, keys, building->problems);
    const struct section allow =
        section_open(section_get(&section, "allow"), "allow", allow_keys, building->problems);
    const struct yaml_node *required = section_get(&section, "required");
    struct required_field *fields;
    int status;

    type->name = build_copy(building, key->text);
    type->name_id = names_add(building->context->names, key->text);
    if (type->name.data == NULL || type->name_id == 0)
        return ATAMO_NO_MEMORY;
    status = section_texts(&allow, "users", building->arena, &type->users, &type->user_count);
    if (status == ATAMO_OK)
        status =
            section_texts(&allow, "groups", building->arena, &type->groups, &type->group_count);
    if (status != ATAMO_OK || required == NULL)
        return status;
    if (required->kind != YAML_LIST) {
        (void)problems_add(building->problems, yaml_place(required),
                           "required is %s, expected a list of paths",
                           yaml_kind_name(required->kind));
        return ATAMO_OK;
    }
    fields = arena_array(building->arena, required->count, sizeof *fields);
    if (fields == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < required->count && status == ATAMO_OK; i++) {
        status = build_required(building, required->items[i], &fields[i]);
        type->needs_data = type->needs_data || fields[i].in_data;
    }
    type->required = fields;
    type->required_count = required->count;
    return status;
}

static bool is_open(struct building *building, const struct yaml_node *node)
{
    if (node->kind == YAML_TEXT && strcmp(node->text.data, "accept") == 0)
        return true;
    if (node->kind != YAML_TEXT || strcmp(node->text.data, "refuse") != 0)
        (void)problems_add(building->problems, yaml_place(node),
                           "\"*\" says what becomes of other types: refuse or accept");
    return false;
}

int build_types(struct building *building)
{
    const struct section section =
        section_open(section_get(&building->root, "events"), "events", NULL, building->problems);
    struct event_type *types;
    bool open = section.map == NULL;
    size_t count = 0;
    int status = ATAMO_OK;

    building->generation->plan = field_plan_new(building->arena);
    types = arena_array(building->arena, open ? 0 : section.map->count, sizeof *types);
    if (building->generation->plan == NULL || types == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; !(section.map == NULL) && i < section.map->count; i++) {
        if (strcmp(section.map->keys[i]->text.data, "*") == 0)
            open = is_open(building, section.map->items[i]);
        else if (status == ATAMO_OK)
            status =
                build_type(building, section.map->keys[i], section.map->items[i], &types[count++]);
    }
    if (status != ATAMO_OK)
        return status;
    return event_types_build(building->arena, types, count, open, &building->generation->types);
}

int build_users(struct building *building)
{
    static const char *const keys[] = {"groups", "tenant", NULL};
    const struct section section =
        section_open(section_get(&building->root, "users"), "users", NULL, building->problems);
    const size_t count = section.map == NULL ? 0 : section.map->count;
    struct identity *list = arena_array(building->arena, count, sizeof *list);
    int status = list == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;

    for (size_t i = 0; i < count && status == ATAMO_OK; i++) {
        const struct section user = section_open(
            section.map->items[i], section.map->keys[i]->text.data, keys, building->problems);
        atamo_bytes tenant = {"", 0};

        section_text(&user, "tenant", &tenant);
        list[i].user = build_copy(building, section.map->keys[i]->text);
        list[i].tenant = build_copy(building, tenant);
        if (list[i].user.data == NULL || list[i].tenant.data == NULL)
            return ATAMO_NO_MEMORY;
        status =
            section_texts(&user, "groups", building->arena, &list[i].groups, &list[i].group_count);
    }
    if (status != ATAMO_OK)
        return status;
    return identities_build(building->arena, list, count, &building->generation->identities);
}
