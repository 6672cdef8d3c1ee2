/* build - from the tree to a generation.
 *
 * Happy path: settings of the hub, event types, users, instances of plugins, then the rules, which
 * name all of these. Each part adds what is wrong with it and goes on, so that one run finds
 * everything; if anything was wrong the generation is freed, and the instances that it made with
 * it.
 */
#include "config/config_inside.h"

#include <stdlib.h>

atamo_bytes build_copy(struct building *building, atamo_bytes text)
{
    return arena_copy(building->arena, text);
}

int build_hub(struct building *building)
{
    static const char *const keys[] = {
        "mode",   "max_messages", "max_clients",   "hop_limit", "dead_letters",
        "recent", "stop_limit",   "blocked_after", "max_data",  NULL};
    static const char *const modes[] = {"stateless", NULL};
    struct hub_settings *hub = &building->generation->hub;
    const struct section section =
        section_open(section_get(&building->root, "hub"), "hub", keys, building->problems);
    uint32_t mode = 0;

    *hub = (struct hub_settings){
        .max_messages = 100000,
        .max_clients = 64,
        .hop_limit = 16,
        .dead_letters = 10000,
        .recent = 256,
        .stop_ns = UINT64_C(10000000000),
        .blocked_ns = UINT64_C(500000000),
        .max_data = 16 << 20,
    };
    section_choice(&section, "mode", modes, &mode);
    section_integer(&section, "max_messages", 1, 100000000, &hub->max_messages);
    section_integer(&section, "max_clients", 1, 1000, &hub->max_clients);
    section_integer(&section, "hop_limit", 0, 1000, &hub->hop_limit);
    section_integer(&section, "dead_letters", 0, 10000000, &hub->dead_letters);
    section_integer(&section, "recent", 0, 1000000, &hub->recent);
    section_duration(&section, "stop_limit", &hub->stop_ns);
    section_duration(&section, "blocked_after", &hub->blocked_ns);
    section_size(&section, "max_data", &hub->max_data);
    if (hub->max_data > 64 << 20)
        (void)problems_add(building->problems, yaml_place(section_get(&section, "max_data")),
                           "\"max_data\" of hub is over 64MiB");
    return ATAMO_OK;
}

static int build_all(struct building *building)
{
    int (*const parts[])(struct building *) = {build_hub, build_types, build_users, build_instances,
                                               build_rules};
    int status = ATAMO_OK;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == ATAMO_OK; i++)
        status = parts[i](building);
    return status != ATAMO_OK ? status : problems_status(building->problems);
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
        building->root = (struct section){config->root, "the configuration", problems};
        status = build_all(building);
    }
    free(building);
    if (status != ATAMO_OK) {
        generation_free(made);
        return status;
    }
    *generation = made;
    return ATAMO_OK;
}
