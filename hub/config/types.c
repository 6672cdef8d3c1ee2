/* types - event types and users. The fields that a type requires are asked of the field plan here,
 * so the plan is made here too. */
#include "config/config_inside.h"

#include <string.h>

static enum field_need need_of(struct building *building, const struct yaml_node *node)
{
    static const char *const needs[] = {"any", "text", "number", "boolean", "object", "array"};
    enum { NEEDS = sizeof needs / sizeof needs[0] };

    for (uint32_t i = 0; i < NEEDS; i++)
        if (strcmp(needs[i], node->text.data) == 0)
            return (enum field_need)i;
    build_unknown(building, yaml_place(node), "kind of field", node->text,
                  keys_nearest(building->problems, node->text, needs, NEEDS));
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

static int build_fields(struct building *building, const struct yaml_node *required,
                        struct event_type *type)
{
    struct required_field *fields = arena_array(building->arena, required->count, sizeof *fields);
    int status = fields == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;

    for (size_t i = 0; i < required->count && status == ATAMO_OK; i++) {
        status = build_required(building, required->items[i], &fields[i]);
        type->needs_data = type->needs_data || fields[i].in_data;
    }
    type->required = fields;
    type->required_count = required->count;
    return status;
}

static int build_type(struct building *building, const struct yaml_node *key,
                      const struct yaml_node *node, struct event_type *type)
{
    struct format_event event;
    struct format_scope allow;
    int status = build_read(building, &format_event, node, &event);

    type->name = build_copy(building, key->text);
    type->name_id = names_add(building->context->names, key->text);
    if (type->name.data == NULL || type->name_id == 0)
        return ATAMO_NO_MEMORY;
    if (status == ATAMO_OK)
        status = build_read(building, &format_allow, event.allow, &allow);
    if (status == ATAMO_OK)
        status = build_texts(building, &allow.users, &type->users, &type->user_count);
    if (status == ATAMO_OK)
        status = build_texts(building, &allow.groups, &type->groups, &type->group_count);
    if (status == ATAMO_OK && event.required != NULL)
        status = build_fields(building, event.required, type);
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
    const struct yaml_node *events = building->top.events;
    const size_t room = events == NULL ? 0 : events->count;
    struct event_type *types = arena_array(building->arena, room, sizeof *types);
    bool open = events == NULL;
    size_t count = 0;
    int status = ATAMO_OK;

    building->generation->plan = field_plan_new(building->arena);
    if (building->generation->plan == NULL || types == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < room && status == ATAMO_OK; i++) {
        if (strcmp(events->keys[i]->text.data, "*") == 0)
            open = is_open(building, events->items[i]);
        else
            status = build_type(building, events->keys[i], events->items[i], &types[count++]);
    }
    if (status != ATAMO_OK)
        return status;
    return event_types_build(building->arena, types, count, open, &building->generation->types);
}

static int build_user(struct building *building, const struct yaml_node *key,
                      const struct yaml_node *node, struct identity *identity)
{
    struct format_user user;
    int status = build_read(building, &format_user, node, &user);

    identity->user = build_copy(building, key->text);
    identity->tenant = build_copy(building, user.tenant);
    if (identity->user.data == NULL || identity->tenant.data == NULL)
        return ATAMO_NO_MEMORY;
    if (status == ATAMO_OK)
        status = build_texts(building, &user.groups, &identity->groups, &identity->group_count);
    return status;
}

int build_users(struct building *building)
{
    const struct yaml_node *users = building->top.users;
    const size_t count = users == NULL ? 0 : users->count;
    struct identity *list = arena_array(building->arena, count, sizeof *list);
    int status = list == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;

    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = build_user(building, users->keys[i], users->items[i], &list[i]);
    if (status != ATAMO_OK)
        return status;
    return identities_build(building->arena, list, count, &building->generation->identities);
}
