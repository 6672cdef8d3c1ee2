/* instances - agents, auditors, event providers and rule providers.
 *
 * Happy path of each entry: its keys are read, its plugin is found (among the embedding program's
 * own, or loaded), the plugin's options are checked, and an instance is made, or the one of the
 * previous generation is used again because nothing about it has changed.
 */
#include "config/config_inside.h"

#include "base/hash.h"
#include "flow/pool.h"
#include "plugin/loader.h"
#include "plugin/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a plugin must be to stand in a section. */
enum role { ROLE_AGENT, ROLE_AUDITOR, ROLE_EVENT_PROVIDER, ROLE_RULE_PROVIDER };

static const char *const role_names[] = {"an agent", "an auditor", "an event provider",
                                         "a rule provider"};

static bool plays(const atamo_plugin *plugin, enum role role)
{
    switch (role) {
    case ROLE_AGENT:
        return plugin->agent != NULL;
    case ROLE_AUDITOR:
        return plugin->auditor != NULL;
    case ROLE_EVENT_PROVIDER:
        return plugin->event_provider != NULL;
    default:
        return plugin->rule_provider != NULL;
    }
}

static int find_plugin(struct building *building, const struct yaml_node *node,
                       struct loaded_plugin *loaded, void **context)
{
    const struct config_context *with = building->context;

    *context = NULL;
    for (size_t i = 0; i < with->plugin_count; i++) {
        if (strcmp(with->plugins[i].plugin->id, node->text.data) != 0)
            continue;
        *context = with->plugins[i].context;
        *loaded = (struct loaded_plugin){with->plugins[i].plugin,
                                         (uint64_t)(uintptr_t)with->plugins[i].plugin};
        return loader_check(loaded->plugin, node->text.data, yaml_place(node), building->problems);
    }
    return loader_load(node->text.data, building->path, yaml_place(node), building->problems,
                       loaded);
}

/* The instance of that name in the previous generation, whatever its section. */
static struct instance *find_previous(const struct building *building, enum role role,
                                      const char *name)
{
    const struct generation *old = building->context->previous;

    if (old == NULL)
        return NULL;
    if (role == ROLE_AGENT)
        for (size_t i = 0; i < old->agent_count; i++)
            if (strcmp(old->agents[i].name.data, name) == 0)
                return old->agents[i].instance;
    if (role == ROLE_AUDITOR)
        for (size_t i = 0; i < old->auditor_count; i++)
            if (strcmp(old->auditors[i].name.data, name) == 0)
                return old->auditors[i].instance;
    if (role == ROLE_EVENT_PROVIDER)
        for (size_t i = 0; i < old->event_provider_count; i++)
            if (strcmp(old->event_providers[i].name.data, name) == 0)
                return old->event_providers[i].instance;
    if (role == ROLE_RULE_PROVIDER)
        for (size_t i = 0; i < old->rule_provider_count; i++)
            if (strcmp(old->rule_providers[i].name.data, name) == 0)
                return old->rule_providers[i].instance;
    return NULL;
}

/* Does this depth of building run code of plugins in this role? */
static bool is_created(const struct building *building, enum role role)
{
    return building->context->depth == CONFIG_WHOLE || role == ROLE_RULE_PROVIDER;
}

/* The plugin and config of one entry, as an instance; *instance stays NULL if something is wrong.
 */
static int build_instance(struct building *building, const struct section *section,
                          const char *name, enum role role, uint64_t extra,
                          struct instance **instance)
{
    const struct yaml_node *plugin = section_get(section, "plugin");
    const struct yaml_node *options_node = section_get(section, "config");
    struct instance *previous = find_previous(building, role, name);
    struct loaded_plugin loaded;
    struct options *options = NULL;
    struct instance *made = NULL;
    void *context;
    uint64_t fingerprint;
    int status;

    if (plugin == NULL || plugin->kind != YAML_TEXT) {
        (void)problems_add(building->problems, yaml_place(section->map),
                           "%s needs \"plugin\": the id of a plugin, or its file", name);
        return ATAMO_OK;
    }
    if (find_plugin(building, plugin, &loaded, &context) != ATAMO_OK)
        return ATAMO_OK;
    if (!plays(loaded.plugin, role)) {
        (void)problems_add(building->problems, yaml_place(plugin), "plugin \"%s\" is not %s",
                           loaded.plugin->id, role_names[role]);
        return ATAMO_OK;
    }
    status = options_build(loaded.plugin, options_node, yaml_place(plugin), building->problems,
                           &options);
    if (status != ATAMO_OK)
        return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
    fingerprint = hash_mix(loaded.fingerprint ^ extra, options_fingerprint(options) | 1);
    if (previous != NULL && previous->fingerprint == fingerprint) {
        options_free(options);
        previous->refs++;
        *instance = previous;
        return ATAMO_OK;
    }
    status = instance_open(loaded.plugin, options, name, building->context->host, &made);
    if (status != ATAMO_OK) {
        options_free(options);
        return status;
    }
    made->hub = building->context->hub;
    made->context = context;
    made->fingerprint = fingerprint;
    made->refs = 1;
    *instance = made;
    if (is_created(building, role))
        (void)instance_create(made, yaml_place(plugin), building->problems);
    return ATAMO_OK;
}

/* "100/s", or {per_second: 100, burst: 20}. */
static void read_rate(struct building *building, const struct section *section,
                      struct agent_settings *agent)
{
    static const char *const keys[] = {"per_second", "burst", NULL};
    const struct yaml_node *node = section_get(section, "rate");
    char *end = NULL;
    long rate;

    if (node == NULL)
        return;
    if (node->kind == YAML_MAP) {
        const struct section inner = section_open(node, "rate", keys, building->problems);

        section_integer(&inner, "per_second", 1, 1000000000, &agent->rate);
        agent->burst = agent->rate < 1 ? 1 : agent->rate;
        if (agent->burst > 1000000)
            agent->burst = 1000000;
        section_integer(&inner, "burst", 1, 1000000, &agent->burst);
        return;
    }
    rate = strtol(node->text.data == NULL ? "" : node->text.data, &end, 10);
    if (node->kind != YAML_TEXT || strcmp(end, "/s") != 0 || rate < 1 || rate > 1000000) {
        (void)problems_add(building->problems, yaml_place(node),
                           "\"rate\" is expected as 100/s, or {per_second: 100, burst: 20}");
        return;
    }
    agent->rate = (uint32_t)rate;
    agent->burst = (uint32_t)rate;
}

static void read_retry(struct building *building, const struct section *section,
                       struct agent_settings *agent)
{
    static const char *const retry_keys[] = {"attempts", "base", "max", NULL};
    static const char *const breaker_keys[] = {"failures", "open_for", NULL};
    const struct section retry =
        section_open(section_get(section, "retry"), "retry", retry_keys, building->problems);
    const struct section breaker =
        section_open(section_get(section, "breaker"), "breaker", breaker_keys, building->problems);

    agent->retry = (struct retry_policy){5, UINT64_C(200000000), UINT64_C(60000000000)};
    section_integer(&retry, "attempts", 1, 65000, &agent->retry.attempts);
    section_duration(&retry, "base", &agent->retry.base_ns);
    section_duration(&retry, "max", &agent->retry.max_ns);
    agent->breaker.open_ns = UINT64_C(10000000000);
    section_integer(&breaker, "failures", 1, 1000000, &agent->breaker.failures);
    section_duration(&breaker, "open_for", &agent->breaker.open_ns);
}

static void read_limits(struct building *building, const struct section *section,
                        struct agent_settings *agent)
{
    static const char *const modes[] = {"inline", "pool", NULL};
    const uint32_t own =
        agent->instance == NULL ? (uint32_t)ATAMO_INLINE : agent->instance->plugin->agent->mode;
    uint32_t mode = own;

    section_choice(section, "run", modes, &mode);
    if (own == ATAMO_POOL && mode == ATAMO_INLINE)
        (void)problems_add(building->problems, yaml_place(section_get(section, "run")),
                           "this plugin may block, so it cannot run inline");
    agent->mode = mode;
    agent->workers = mode == ATAMO_POOL ? 4 : 0;
    section_integer(section, "workers", 1, POOL_WORKERS_MAX, &agent->workers);
    if (mode != ATAMO_POOL && agent->workers > 0)
        (void)problems_add(building->problems, yaml_place(section_get(section, "workers")),
                           "\"workers\" is for agents with run: pool");
    agent->concurrency = mode == ATAMO_POOL ? 1024 : 4096;
    section_integer(section, "concurrency", 1, mode == ATAMO_POOL ? POOL_RING : 1000000,
                    &agent->concurrency);
    agent->queue = 10000;
    section_integer(section, "queue", 0, 16000000, &agent->queue);
    agent->deadline_ns = UINT64_C(30000000000);
    section_duration(section, "deadline", &agent->deadline_ns);
    read_rate(building, section, agent);
    read_retry(building, section, agent);
}

static int build_agent(struct building *building, const struct yaml_node *key,
                       const struct yaml_node *node, struct agent_settings *agent)
{
    static const char *const keys[] = {"plugin",      "config",  "run",  "workers",
                                       "concurrency", "queue",   "rate", "deadline",
                                       "retry",       "breaker", NULL};
    const char *what = arena_printf(building->arena, "agent \"%s\"", key->text.data);
    const struct section section =
        section_open(node, what == NULL ? "agent" : what, keys, building->problems);
    uint64_t extra = 0;
    const struct yaml_node *workers = section_get(&section, "workers");
    const struct yaml_node *run = section_get(&section, "run");
    int status;

    agent->name = build_copy(building, key->text);
    agent->name_id = names_add(building->context->names, key->text);
    if (agent->name.data == NULL || agent->name_id == 0)
        return ATAMO_NO_MEMORY;
    /* A pool belongs to its instance: with another number of workers it is another instance. */
    if (workers != NULL)
        extra = hash_bytes(2, workers->text);
    if (run != NULL)
        extra ^= hash_bytes(3, run->text);
    status = section.map == NULL ? ATAMO_OK
                                 : build_instance(building, &section, agent->name.data, ROLE_AGENT,
                                                  extra, &agent->instance);
    if (section.map == NULL)
        (void)problems_add(building->problems, yaml_place(key), "agent \"%s\" needs \"plugin\"",
                           key->text.data);
    if (status == ATAMO_OK)
        read_limits(building, &section, agent);
    return status;
}

static int build_auditor(struct building *building, const struct yaml_node *key,
                         const struct yaml_node *node, struct auditor_settings *auditor)
{
    static const char *const keys[] = {"plugin", "config", "when_slow", "ring", NULL};
    static const char *const policies[] = {"block", "drop", NULL};
    const struct section section = section_open(node, key->text.data, keys, building->problems);
    uint32_t policy = SLOW_BLOCK;
    uint32_t ring = 16384;

    auditor->name = build_copy(building, key->text);
    if (auditor->name.data == NULL)
        return ATAMO_NO_MEMORY;
    section_choice(&section, "when_slow", policies, &policy);
    section_integer(&section, "ring", 1024, 1 << 24, &ring);
    if ((ring & (ring - 1)) != 0)
        (void)problems_add(building->problems, yaml_place(section_get(&section, "ring")),
                           "\"ring\" must be a power of two");
    auditor->when_slow = (enum slow_policy)policy;
    auditor->ring = ring;
    if (section.map == NULL)
        return ATAMO_OK;
    return build_instance(building, &section, auditor->name.data, ROLE_AUDITOR,
                          (uint64_t)policy << 32 | ring, &auditor->instance);
}

static int build_provider(struct building *building, const struct yaml_node *key,
                          const struct yaml_node *node, enum role role,
                          struct provider_settings *provider)
{
    static const char *const keys[] = {"plugin", "config", NULL};
    const struct section section = section_open(node, key->text.data, keys, building->problems);

    provider->name = build_copy(building, key->text);
    if (provider->name.data == NULL)
        return ATAMO_NO_MEMORY;
    if (section.map == NULL)
        return ATAMO_OK;
    return build_instance(building, &section, provider->name.data, role, 0, &provider->instance);
}

static const struct yaml_node *open_list(struct building *building, const char *name, size_t *count)
{
    const struct section section =
        section_open(section_get(&building->root, name), name, NULL, building->problems);

    *count = section.map == NULL ? 0 : section.map->count;
    return section.map;
}

static int build_agents(struct building *building)
{
    struct generation *generation = building->generation;
    size_t count;
    const struct yaml_node *map = open_list(building, "agents", &count);
    int status = ATAMO_OK;

    generation->agents = arena_array(building->arena, count, sizeof *generation->agents);
    if (generation->agents == NULL)
        return ATAMO_NO_MEMORY;
    generation->agent_count = count;
    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = build_agent(building, map->keys[i], map->items[i], &generation->agents[i]);
    return status;
}

static int build_auditors(struct building *building)
{
    struct generation *generation = building->generation;
    size_t count;
    const struct yaml_node *map = open_list(building, "auditors", &count);
    int status = ATAMO_OK;

    generation->auditors = arena_array(building->arena, count, sizeof *generation->auditors);
    if (generation->auditors == NULL)
        return ATAMO_NO_MEMORY;
    generation->auditor_count = count;
    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = build_auditor(building, map->keys[i], map->items[i], &generation->auditors[i]);
    return status;
}

static int build_providers(struct building *building, const char *section, enum role role,
                           struct provider_settings **list, size_t *list_count)
{
    size_t count;
    const struct yaml_node *map = open_list(building, section, &count);
    int status = ATAMO_OK;

    *list = arena_array(building->arena, count, sizeof **list);
    if (*list == NULL)
        return ATAMO_NO_MEMORY;
    *list_count = count;
    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = build_provider(building, map->keys[i], map->items[i], role, &(*list)[i]);
    return status;
}

/* Folders of `plugins: {path: [...]}`, relative to the configuration's file, before all others. */
static int read_plugin_path(struct building *building)
{
    static const char *const keys[] = {"path", NULL};
    const struct section section =
        section_open(section_get(&building->root, "plugins"), "plugins", keys, building->problems);
    const atamo_bytes *folders = NULL;
    char first[4096] = "";
    size_t count = 0;
    size_t used = 0;

    if (section_texts(&section, "path", building->arena, &folders, &count) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(first + used, used < sizeof first ? sizeof first - used : 0,
                                 "%s%s:", folders[i].data[0] == '/' ? "" : building->config->folder,
                                 folders[i].data);
    if (building->context->plugin_path != NULL && used < sizeof first)
        used += (size_t)snprintf(first + used, sizeof first - used, "%s",
                                 building->context->plugin_path);
    if (used >= sizeof first || !loader_path(first, building->path, sizeof building->path))
        (void)problems_add(building->problems, (struct place){NULL, 0, 0},
                           "the plugin path is too long");
    return ATAMO_OK;
}

int build_instances(struct building *building)
{
    struct generation *generation = building->generation;
    int status = read_plugin_path(building);

    if (status == ATAMO_OK)
        status = build_agents(building);
    if (status == ATAMO_OK)
        status = build_auditors(building);
    if (status == ATAMO_OK)
        status = build_providers(building, "event_providers", ROLE_EVENT_PROVIDER,
                                 &generation->event_providers, &generation->event_provider_count);
    if (status == ATAMO_OK)
        status = build_providers(building, "rule_providers", ROLE_RULE_PROVIDER,
                                 &generation->rule_providers, &generation->rule_provider_count);
    return status;
}
