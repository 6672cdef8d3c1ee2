/* build - from the tree to a generation.
 *
 * Happy path: settings of the hub, event types, users, tokens, instances of plugins, then the
 * rules, which name all of these. Each part adds what is wrong with it and goes on, so that one run
 * finds everything; if anything was wrong the generation is freed, and the instances that it made
 * with it.
 */
#include "config/instance_build.h"

#include <stdlib.h>

atamo_bytes build_copy(struct building *building, atamo_bytes text)
{
    return arena_copy(building->arena, text);
}

int build_read(struct building *building, const struct key_table *table,
               const struct yaml_node *map, void *out)
{
    return keys_read(&building->scratch, table, map, building->problems, out);
}

int build_texts(struct building *building, const struct key_texts *texts, const atamo_bytes **list,
                size_t *count)
{
    atamo_bytes *copies = arena_array(building->arena, texts->count, sizeof *copies);

    if (copies == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < texts->count; i++) {
        copies[i] = build_copy(building, texts->list[i]);
        if (copies[i].data == NULL)
            return ATAMO_NO_MEMORY;
    }
    *list = copies;
    *count = texts->count;
    return ATAMO_OK;
}

void build_unknown(struct building *building, struct place place, const char *kind,
                   atamo_bytes name, const char *nearest)
{
    (void)problems_add(building->problems, place, "unknown %s \"%.200s\"%s%s%s", kind, name.data,
                       nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "\"?");
}

int build_hub(struct building *building)
{
    struct format_hub hub;
    const int status = build_read(building, &format_hub, building->top.hub, &hub);

    building->generation->hub = hub.settings;
    building->durable = hub.mode == FORMAT_DURABLE;
    return status;
}

static int build_all(struct building *building)
{
    int (*const parts[])(struct building *) = {build_hub,    build_types,     build_users,
                                               build_access, build_instances, build_rules};
    const enum config_depth depth = building->context->depth;
    int status = build_read(building, &format_top, building->config->root, &building->top);

    if (depth == CONFIG_STORE) {
        status = status == ATAMO_OK ? build_hub(building) : status;
        status = status == ATAMO_OK ? build_store_alone(building) : status;
    } else {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == ATAMO_OK; i++)
            status = parts[i](building);
    }
    if (status == ATAMO_OK)
        status = problems_status(building->problems);
    if (status != ATAMO_OK || depth == CONFIG_RULES_ONLY)
        return status;
    return instances_create(building);
}

int config_build(const struct config *config, const struct config_context *context,
                 struct problems *problems, struct generation **generation)
{
    struct building *building = calloc(1, sizeof *building);
    struct generation *made = calloc(1, sizeof *made);
    int status = ATAMO_NO_MEMORY;

    if (building != NULL && made != NULL) {
        arena_init(&made->arena);
        building->config = config;
        building->context = context;
        building->problems = problems;
        building->generation = made;
        building->arena = &made->arena;
        arena_init(&building->scratch);
        status = build_all(building);
        arena_close(&building->scratch);
    }
    free(building);
    if (status != ATAMO_OK) {
        generation_free(made);
        return status;
    }
    *generation = made;
    return ATAMO_OK;
}
