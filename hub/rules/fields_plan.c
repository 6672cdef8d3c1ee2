/* fields_plan - which parts of events the rules of a set look at.
 *
 * Happy path: fields are collected in a list, found again by name through a hash table; sealing
 * turns the paths below "data" into a trie and sorts the others into attributes and extensions.
 * The one failure besides an empty path is no memory; everything lies in the caller's arena.
 */
#include "rules/fields_plan.h"

#include "rules/hash.h"

#include <assert.h>
#include <string.h>

struct field_plan *field_plan_new(struct arena *arena)
{
    struct field_plan *plan = arena_alloc(arena, sizeof *plan);

    if (plan != NULL)
        plan->arena = arena;
    return plan;
}

static bool same(atamo_bytes a, atamo_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* The name of a path. Patterns of event-ruler know paths by their dotted names only, and an empty
 * first step vanishes there; for templates every step counts, so theirs are parted by NUL. */
static atamo_bytes join(struct arena *arena, const atamo_bytes *path, size_t depth, char separator)
{
    size_t size = 0;
    char *name;

    for (size_t i = 0; i < depth; i++)
        size += path[i].size + 1;
    name = arena_alloc(arena, size + 1);
    if (name == NULL)
        return (atamo_bytes){NULL, 0};
    size = 0;
    for (size_t i = 0; i < depth; i++) {
        if (i > 0 && (size > 0 || separator == '\0'))
            name[size++] = separator;
        if (path[i].size > 0)
            memcpy(name + size, path[i].data, path[i].size);
        size += path[i].size;
    }
    return (atamo_bytes){name, size};
}

static uint32_t *name_slot(const struct field_plan *plan, atamo_bytes name, enum field_use use)
{
    uint32_t at = (uint32_t)hash_bytes(name.data, name.size, use);

    for (;; at++) {
        uint32_t *slot = &plan->names[at & (plan->name_room - 1)];

        if (*slot == 0 || (plan->fields[*slot - 1].use == use && !plan->fields[*slot - 1].extra &&
                           same(plan->fields[*slot - 1].name, name)))
            return slot;
    }
}

static int grow(struct field_plan *plan)
{
    const uint32_t room = plan->room == 0 ? 32 : plan->room * 2;
    struct plan_field *fields = arena_array(plan->arena, room, sizeof *fields);
    uint32_t *names = arena_array(plan->arena, (size_t)room * 2, sizeof *names);

    if (fields == NULL || names == NULL)
        return ATAMO_NO_MEMORY;
    if (plan->count > 0)
        memcpy(fields, plan->fields, plan->count * sizeof *fields);
    plan->fields = fields;
    plan->room = room;
    plan->names = names;
    plan->name_room = room * 2;
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!fields[i].extra)
            *name_slot(plan, fields[i].name, fields[i].use) = i + 1;
    }
    return ATAMO_OK;
}

static int split(struct arena *arena, struct plan_field *field)
{
    const char *at = field->name.data;
    const char *end = at + field->name.size;

    field->depth = 1;
    for (const char *c = at; c < end; c++)
        field->depth += *c == '.';
    field->steps = arena_array(arena, field->depth, sizeof *field->steps);
    if (field->steps == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < field->depth; i++) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *stop = dot == NULL ? end : dot;

        field->steps[i] = (atamo_bytes){at, (size_t)(stop - at)};
        at = stop + (dot != NULL);
    }
    return ATAMO_OK;
}

static int copy_steps(struct arena *arena, struct plan_field *field, const atamo_bytes *path,
                      size_t depth)
{
    field->depth = depth;
    field->steps = arena_array(arena, depth, sizeof *field->steps);
    if (field->steps == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < depth; i++) {
        field->steps[i] = arena_copy(arena, path[i]);
        if (field->steps[i].data == NULL)
            return ATAMO_NO_MEMORY;
    }
    return ATAMO_OK;
}

static void classify(struct plan_field *field)
{
    field->attribute = -1;
    field->in_data = same(field->steps[0], atamo_text("data"));
    if (field->depth > 1)
        return;
    for (int i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++) {
        if (same(field->steps[0], atamo_text(atamo_attribute_name((atamo_attribute)i))))
            field->attribute = i;
    }
}

int field_plan_add(struct field_plan *plan, const atamo_bytes *path, size_t depth,
                   enum field_use use, uint32_t *field)
{
    struct plan_field made = {.use = use};
    uint32_t *slot;
    int status;

    assert(!plan->sealed);
    if (depth == 0)
        return ATAMO_INVALID;
    if (plan->count == plan->room && grow(plan) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    made.name = join(plan->arena, path, depth, use == FIELD_LEAVES ? '.' : '\0');
    if (made.name.data == NULL)
        return ATAMO_NO_MEMORY;
    slot = name_slot(plan, made.name, use);
    if (*slot == 0) {
        status = use == FIELD_LEAVES ? split(plan->arena, &made)
                                     : copy_steps(plan->arena, &made, path, depth);
        if (status != ATAMO_OK)
            return status;
        classify(&made);
        plan->fields[plan->count] = made;
        *slot = ++plan->count;
    }
    *field = *slot - 1;
    return ATAMO_OK;
}

int field_plan_add_extra(struct field_plan *plan, uint32_t *field)
{
    assert(!plan->sealed);
    if (plan->count == plan->room && grow(plan) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    plan->fields[plan->count] =
        (struct plan_field){.extra = true, .attribute = -1, .name = {"", 0}};
    *field = plan->count++;
    return ATAMO_OK;
}

static inline struct trie_edge *edge_slot(const struct field_plan *plan, uint32_t node,
                                          atamo_bytes key)
{
    uint32_t at = (uint32_t)hash_bytes(key.data, key.size, node);

    for (;; at++) {
        struct trie_edge *edge = &plan->edges[at & plan->edge_mask];

        if (edge->child == 0 || (edge->node == node && same(edge->key, key)))
            return edge;
    }
}

uint32_t plan_child(const struct field_plan *plan, uint32_t node, atamo_bytes key)
{
    if ((plan->nodes[node].sizes >> (key.size & 63) & 1) == 0)
        return 0;
    return edge_slot(plan, node, key)->child;
}

static void add_path(struct field_plan *plan, uint32_t number)
{
    const struct plan_field *field = &plan->fields[number];
    uint32_t node = 1;

    for (size_t i = 1; i < field->depth; i++) {
        struct trie_edge *edge = edge_slot(plan, node, field->steps[i]);

        if (edge->child == 0) {
            *edge = (struct trie_edge){node, plan->node_count, field->steps[i]};
            plan->nodes[node].sizes |= UINT64_C(1) << (field->steps[i].size & 63);
            plan->nodes[plan->node_count++].field = FIELD_NOWHERE;
        }
        node = edge->child;
    }
    plan->nodes[node].field = number;
}

static int make_room(struct field_plan *plan)
{
    size_t steps = 2;
    uint32_t edges = 8;

    for (uint32_t i = 0; i < plan->count; i++)
        steps += plan->fields[i].depth;
    while (edges < steps * 2)
        edges *= 2;
    plan->nodes = arena_array(plan->arena, steps, sizeof *plan->nodes);
    plan->edges = arena_array(plan->arena, edges, sizeof *plan->edges);
    plan->attributes = arena_array(plan->arena, plan->count + 1, sizeof *plan->attributes);
    plan->extensions = arena_array(plan->arena, plan->count + 1, sizeof *plan->extensions);
    if (plan->nodes == NULL || plan->edges == NULL || plan->attributes == NULL ||
        plan->extensions == NULL)
        return ATAMO_NO_MEMORY;
    plan->edge_mask = edges - 1;
    plan->node_count = 2;
    plan->nodes[1].field = FIELD_NOWHERE;
    return ATAMO_OK;
}

int field_plan_seal(struct field_plan *plan)
{
    if (make_room(plan) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct plan_field *field = &plan->fields[i];

        plan->reads_data |= field->in_data;
        if (field->extra || field->use != FIELD_LEAVES)
            continue;
        if (field->in_data) {
            plan->leaves_in_data = true;
            add_path(plan, i);
        } else if (field->attribute >= 0) {
            plan->attributes[plan->attribute_count++] =
                (struct attribute_field){(uint32_t)field->attribute, i};
        } else if (field->depth == 1) {
            plan->extensions[plan->extension_count++] = i;
        }
    }
    plan->sealed = true;
    return ATAMO_OK;
}

uint32_t field_plan_count(const struct field_plan *plan)
{
    return plan->count;
}

bool field_plan_in_data(const struct field_plan *plan, uint32_t field)
{
    return plan->fields[field].in_data;
}

atamo_bytes field_plan_name(const struct field_plan *plan, uint32_t field)
{
    return plan->fields[field].name;
}
