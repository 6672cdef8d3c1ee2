/* instances - agents, auditors, event providers and rule providers, with their settings.
 *
 * Happy path of each entry: its keys are read by their table, its instance is built, and its
 * settings are put where the flow looks for them; what depends on the plugin's own word (inline or
 * pool) is decided here.
 */
#include "config/instance_build.h"
#include "config/units.h"

#include "base/bucket.h"
#include "base/hash.h"
#include "flow/pool.h"
#include "plugin/loader.h"

#include <atamo/store.h>

#include <stdio.h>
#include <string.h>

enum { POOL_WORKERS = 4, INLINE_CONCURRENCY = 4096, POOL_CONCURRENCY = 1024 };

/* "100/s", or {per_second: 100, burst: 20}. */
static int read_rate(struct building *building, const struct yaml_node *node,
                     struct agent_settings *agent)
{
    struct format_rate rate = {0};
    int64_t per_second = 0;
    int status = ATAMO_OK;

    if (node == NULL)
        return ATAMO_OK;
    if (node->kind == YAML_MAP) {
        status = build_read(building, &format_rate, node, &rate);
    } else if (node->kind == YAML_TEXT && units_rate(node->text, &per_second) == ATAMO_OK &&
               per_second >= 1 && per_second <= BUCKET_RATE_MAX) {
        rate.per_second = (uint32_t)per_second;
    } else {
        (void)problems_add(building->problems, yaml_place(node),
                           "\"rate\" is expected as 100/s, or {per_second: 100, burst: 20}");
    }
    agent->rate = rate.per_second;
    agent->burst = rate.burst != 0                      ? rate.burst
                   : rate.per_second < BUCKET_BURST_MAX ? rate.per_second
                                                        : BUCKET_BURST_MAX;
    return status;
}

static int read_retry(struct building *building, const struct format_agent *read,
                      struct agent_settings *agent)
{
    struct format_retry retry;
    struct format_breaker breaker;
    int status = build_read(building, &format_retry, read->retry, &retry);

    if (status == ATAMO_OK)
        status = build_read(building, &format_breaker, read->breaker, &breaker);
    if (status != ATAMO_OK)
        return status;
    if (retry.max < retry.base)
        (void)problems_add(building->problems, yaml_place(read->retry),
                           "\"max\" of \"retry\" is less than its \"base\"");
    agent->retry = (struct retry_policy){retry.attempts, retry.base, retry.max};
    if (read->breaker != NULL)
        agent->breaker = (struct breaker_policy){breaker.failures, breaker.open_for};
    return ATAMO_OK;
}

static int read_cache(struct building *building, const struct yaml_node *node,
                      struct agent_settings *agent)
{
    struct format_cache cache;
    const int status = node == NULL ? ATAMO_OK : build_read(building, &format_cache, node, &cache);

    if (node == NULL || status != ATAMO_OK)
        return status;
    if (cache.stale > 0 && cache.ttl == 0)
        (void)problems_add(building->problems, keys_place(node, "stale"),
                           "\"stale\" of \"cache\" needs a \"ttl\": nothing is kept without one");
    agent->sharing = (struct sharing_policy){
        .is_on = true,
        .per_tenant = cache.scope == FORMAT_CACHE_TENANT,
        .max_entries = cache.max_entries,
        .max_bytes = cache.max_bytes,
        .fresh_ns = cache.ttl,
        .stale_ns = cache.stale,
        .failed_ns = cache.negative_ttl,
    };
    return ATAMO_OK;
}

/* What depends on where it runs. `node` is the agent's map. */
static void settle_mode(struct building *building, const struct yaml_node *node,
                        const struct format_agent *read, struct agent_settings *agent)
{
    const uint32_t own =
        agent->instance == NULL ? (uint32_t)ATAMO_INLINE : agent->instance->plugin->agent->mode;
    const uint32_t asked = read->run == FORMAT_POOL ? (uint32_t)ATAMO_POOL : (uint32_t)ATAMO_INLINE;
    const bool pool = (read->run == 0 ? own : asked) == ATAMO_POOL;

    if (own == ATAMO_POOL && !pool)
        (void)problems_add(building->problems, keys_place(node, "run"),
                           "plugin \"%s\" may block, so it cannot run inline",
                           agent->instance->plugin->id);
    if (!pool && read->workers != 0 && agent->instance != NULL)
        (void)problems_add(building->problems, keys_place(node, "workers"),
                           "\"workers\" is for agents with run: pool");
    if (pool && read->concurrency > POOL_RING)
        (void)problems_add(building->problems, keys_place(node, "concurrency"),
                           "\"concurrency\" is %u, expected at most %d in a pool",
                           read->concurrency, POOL_RING);
    agent->mode = pool ? ATAMO_POOL : ATAMO_INLINE;
    agent->workers = !pool ? 0 : read->workers != 0 ? read->workers : POOL_WORKERS;
    agent->concurrency = read->concurrency != 0 ? read->concurrency
                         : pool                 ? POOL_CONCURRENCY
                                                : INLINE_CONCURRENCY;
}

static int build_agent(struct building *building, const struct yaml_node *key,
                       const struct yaml_node *node, struct agent_settings *agent)
{
    struct format_agent read;
    struct entry entry = {.role = ROLE_AGENT};
    int status = build_read(building, &format_agent, node, &read);

    agent->name = build_copy(building, key->text);
    agent->name_id = names_add(building->context->names, key->text);
    if (agent->name.data == NULL || agent->name_id == 0)
        return ATAMO_NO_MEMORY;
    entry.name = agent->name.data;
    entry.plugin = read.instance.plugin;
    entry.options = read.instance.config;
    /* A pool belongs to its instance: with another number of workers it is another instance. */
    entry.settings = hash_mix(((uint64_t)read.run << 32) + read.workers + 1, read.workers + 3);
    if (status == ATAMO_OK)
        status = instance_build(building, &entry, &agent->instance);
    settle_mode(building, node, &read, agent);
    agent->queue = read.queue;
    agent->deadline_ns = read.deadline;
    if (status == ATAMO_OK)
        status = read_rate(building, read.rate, agent);
    if (status == ATAMO_OK)
        status = read_cache(building, read.cache, agent);
    return status != ATAMO_OK ? status : read_retry(building, &read, agent);
}

static int build_auditor(struct building *building, const struct yaml_node *key,
                         const struct yaml_node *node, struct auditor_settings *auditor)
{
    struct format_auditor read;
    struct entry entry = {.role = ROLE_AUDITOR};
    const int status = build_read(building, &format_auditor, node, &read);

    auditor->name = build_copy(building, key->text);
    if (auditor->name.data == NULL || status != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    if ((read.ring & (read.ring - 1)) != 0)
        (void)problems_add(building->problems, keys_place(node, "ring"),
                           "\"ring\" is %u, expected a power of two", read.ring);
    auditor->when_slow = read.when_slow == FORMAT_DROP ? SLOW_DROP : SLOW_BLOCK;
    auditor->ring = read.ring;
    entry.name = auditor->name.data;
    entry.plugin = read.instance.plugin;
    entry.options = read.instance.config;
    entry.settings = (uint64_t)read.when_slow << 32 | read.ring;
    return instance_build(building, &entry, &auditor->instance);
}

static int build_provider(struct building *building, const struct key_table *table,
                          const struct yaml_node *key, const struct yaml_node *node,
                          struct provider_settings *provider)
{
    struct format_agent read;
    struct entry entry = {.role = table == &format_rule_provider ? ROLE_RULE_PROVIDER
                                                                 : ROLE_EVENT_PROVIDER};
    const int status = build_read(building, table, node, &read);

    provider->name = build_copy(building, key->text);
    if (provider->name.data == NULL || status != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    entry.name = provider->name.data;
    entry.plugin = read.instance.plugin;
    entry.options = read.instance.config;
    return instance_build(building, &entry, &provider->instance);
}

/* Names are cut nowhere: what has no room in telemetry and tables is refused. */
static void check_names(struct building *building, const struct yaml_node *map)
{
    for (size_t i = 0; map != NULL && i < map->count; i++)
        if (map->keys[i]->text.size == 0 || map->keys[i]->text.size > FORMAT_NAME_MAX)
            (void)problems_add(building->problems, yaml_place(map->keys[i]),
                               "a name has 1 to %d bytes", FORMAT_NAME_MAX);
}

static int build_agents(struct building *building)
{
    struct generation *generation = building->generation;
    const struct yaml_node *map = building->top.agents;
    const size_t count = map == NULL ? 0 : map->count;
    int status = ATAMO_OK;

    generation->agents = arena_array(building->arena, count, sizeof *generation->agents);
    if (generation->agents == NULL)
        return ATAMO_NO_MEMORY;
    generation->agent_count = count;
    check_names(building, map);
    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = build_agent(building, map->keys[i], map->items[i], &generation->agents[i]);
    return status;
}

static int build_auditors(struct building *building)
{
    struct generation *generation = building->generation;
    const struct yaml_node *map = building->top.auditors;
    const size_t count = map == NULL ? 0 : map->count;
    int status = ATAMO_OK;

    generation->auditors = arena_array(building->arena, count, sizeof *generation->auditors);
    if (generation->auditors == NULL)
        return ATAMO_NO_MEMORY;
    generation->auditor_count = count;
    check_names(building, map);
    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = build_auditor(building, map->keys[i], map->items[i], &generation->auditors[i]);
    return status;
}

static int build_providers(struct building *building, const struct key_table *table,
                           const struct yaml_node *map, struct provider_settings **list,
                           size_t *list_count)
{
    const size_t count = map == NULL ? 0 : map->count;
    int status = ATAMO_OK;

    *list = arena_array(building->arena, count, sizeof **list);
    if (*list == NULL)
        return ATAMO_NO_MEMORY;
    *list_count = count;
    check_names(building, map);
    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = build_provider(building, table, map->keys[i], map->items[i], &(*list)[i]);
    return status;
}

/* A value as it would be written. */
static const struct yaml_node *text_node(struct building *building, const char *text)
{
    struct yaml_node *node = arena_alloc(&building->scratch, sizeof *node);

    if (node != NULL)
        *node = (struct yaml_node){
            .kind = strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ? YAML_BOOL : YAML_TEXT,
            .truth = strcmp(text, "true") == 0,
            .text = atamo_text(text)};
    return node;
}

/* The options of the store as somebody asks for them who opens it for himself: a map like the one
 * written, with other values. */
static int override_options(struct building *building, const struct yaml_node **options)
{
    const struct config_context *context = building->context;
    const size_t most = context->store_option_count + (*options == NULL ? 0 : (*options)->count);
    struct yaml_node *map = arena_alloc(&building->scratch, sizeof *map);
    const struct yaml_node **keys =
        arena_array(&building->scratch, most, sizeof(struct yaml_node *));
    const struct yaml_node **items =
        arena_array(&building->scratch, most, sizeof(struct yaml_node *));

    if (context->store_option_count == 0)
        return ATAMO_OK;
    if (map == NULL || keys == NULL || items == NULL)
        return ATAMO_NO_MEMORY;
    *map = (struct yaml_node){.kind = YAML_MAP, .keys = keys, .items = items};
    for (size_t i = 0; *options != NULL && i < (*options)->count; i++) {
        size_t j = 0;

        while (j < context->store_option_count &&
               strcmp((*options)->keys[i]->text.data, context->store_options[j].name) != 0)
            j++;
        if (j < context->store_option_count)
            continue;
        keys[map->count] = (*options)->keys[i];
        items[map->count++] = (*options)->items[i];
    }
    for (size_t j = 0; j < context->store_option_count; j++) {
        keys[map->count] = text_node(building, context->store_options[j].name);
        items[map->count] = text_node(building, context->store_options[j].value);
        if (keys[map->count] == NULL || items[map->count] == NULL)
            return ATAMO_NO_MEMORY;
        map->count++;
    }
    *options = map;
    return ATAMO_OK;
}

/* A hub that calls itself durable has a store that syncs; one that does not call itself so must not
 * look as if it were. */
static void check_durability(struct building *building, const struct instance *store)
{
    const bool syncs = store != NULL && store->plugin->store->durability >= ATAMO_SYNCED;

    if (store == NULL || syncs == building->durable)
        return;
    if (syncs)
        (void)problems_add(building->problems, yaml_place(building->top.store),
                           "only a durable hub has a store like this: hub: {mode: durable}");
    else
        (void)problems_add(building->problems, yaml_place(building->top.store),
                           "a durable hub needs a store that outlives the process, which \"%s\" "
                           "does not",
                           store->plugin->id);
}

/* A durable hub that names no store: a file in the folder where it runs. */
static int default_store(struct building *building, struct entry *entry)
{
    static const char *const names[] = {"path", "atamo.store"};
    struct yaml_node *map = arena_alloc(&building->scratch, sizeof *map);
    const struct yaml_node **nodes = arena_array(&building->scratch, 2, sizeof(struct yaml_node *));

    entry->plugin = text_node(building, "lmdb");
    if (map == NULL || nodes == NULL || entry->plugin == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < 2; i++) {
        nodes[i] = text_node(building, names[i]);
        if (nodes[i] == NULL)
            return ATAMO_NO_MEMORY;
    }
    *map = (struct yaml_node){.kind = YAML_MAP, .count = 1, .keys = &nodes[0], .items = &nodes[1]};
    entry->options = map;
    return ATAMO_OK;
}

/* The store of a durable hub, or one that is gone with the process. */
static int build_store(struct building *building)
{
    struct generation *generation = building->generation;
    struct format_agent read;
    struct entry entry = {.role = ROLE_STORE, .name = "store"};
    int status;

    if (building->top.store == NULL && !building->durable)
        return ATAMO_OK;
    generation->store = arena_array(building->arena, 1, sizeof *generation->store);
    if (generation->store == NULL)
        return ATAMO_NO_MEMORY;
    generation->store->name = atamo_text("store");
    if (building->top.store == NULL) {
        status = default_store(building, &entry);
    } else {
        status = build_read(building, &format_store, building->top.store, &read);
        entry.plugin = read.instance.plugin;
        entry.options = read.instance.config;
    }
    if (status == ATAMO_OK)
        status = override_options(building, &entry.options);
    if (status != ATAMO_OK)
        return status;
    status = instance_build(building, &entry, &generation->store->instance);
    if (status == ATAMO_OK && building->context->depth != CONFIG_STORE)
        check_durability(building, generation->store->instance);
    return status;
}

/* Folders of `plugins: {path: [...]}`, relative to the configuration's file, before all others. */
static int read_plugin_path(struct building *building)
{
    struct format_plugins read;
    const int status = build_read(building, &format_plugins, building->top.plugins, &read);
    char first[4096] = "";
    size_t used = 0;

    for (size_t i = 0; i < read.path.count && used < sizeof first; i++)
        used += (size_t)snprintf(first + used, sizeof first - used, "%s%s:",
                                 read.path.list[i].data[0] == '/' ? "" : building->config->folder,
                                 read.path.list[i].data);
    if (building->context->plugin_path != NULL && used < sizeof first)
        used += (size_t)snprintf(first + used, sizeof first - used, "%s",
                                 building->context->plugin_path);
    if (used >= sizeof first || !loader_path(first, building->path, sizeof building->path))
        (void)problems_add(building->problems, (struct place){NULL, 0, 0},
                           "the plugin path is too long");
    return status;
}

int build_store_alone(struct building *building)
{
    const int status = read_plugin_path(building);

    if (status != ATAMO_OK)
        return status;
    if (building->top.store == NULL && !building->durable)
        (void)problems_add(building->problems, (struct place){NULL, 0, 0},
                           "this configuration has no store: only a durable hub has");
    return build_store(building);
}

int build_instances(struct building *building)
{
    struct generation *generation = building->generation;
    int status = read_plugin_path(building);

    if (status == ATAMO_OK)
        status = build_agents(building);
    if (status == ATAMO_OK)
        status = build_store(building);
    if (status == ATAMO_OK)
        status = build_auditors(building);
    if (status == ATAMO_OK)
        status = build_providers(building, &format_event_provider, building->top.event_providers,
                                 &generation->event_providers, &generation->event_provider_count);
    if (status == ATAMO_OK)
        status = build_providers(building, &format_rule_provider, building->top.rule_providers,
                                 &generation->rule_providers, &generation->rule_provider_count);
    return status;
}
