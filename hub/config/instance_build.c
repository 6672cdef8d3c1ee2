/* instance_build - an instance of a plugin, for one entry of the configuration.
 *
 * Happy path: the plugin is found among the embedding program's own, or loaded; it plays the role
 * that is asked of it; its options are right; and an instance is opened, or that of the previous
 * generation is used again because nothing about it has changed. What is wrong is in `problems`,
 * and then there is no instance.
 *
 * Opened instances are created when everything else of the configuration has been found good, so
 * that a mistake somewhere runs no plugin's code. Rule providers are created at once: they have
 * rules to compile.
 */
#include "config/instance_build.h"

#include "base/hash.h"
#include "plugin/loader.h"
#include "plugin/options.h"

#include <string.h>

static const char *const role_names[] = {"an agent", "an auditor", "an event provider",
                                         "a rule provider", "a store"};

static bool plays(const atamo_plugin *plugin, enum role role)
{
    switch (role) {
    case ROLE_AGENT:
        return plugin->agent != NULL;
    case ROLE_AUDITOR:
        return plugin->auditor != NULL;
    case ROLE_EVENT_PROVIDER:
        return plugin->event_provider != NULL;
    case ROLE_STORE:
        return plugin->store != NULL;
    default:
        return plugin->rule_provider != NULL;
    }
}

static int find_plugin(struct building *building, const struct yaml_node *node,
                       struct loaded_plugin *loaded, void **context)
{
    const struct config_context *with = building->context;
    const char *name = node->text.data;

    *context = NULL;
    for (size_t i = 0; i < with->plugin_count; i++) {
        if (strcmp(with->plugins[i].plugin->id, name) != 0)
            continue;
        *context = with->plugins[i].context;
        *loaded = (struct loaded_plugin){with->plugins[i].plugin,
                                         (uint64_t)(uintptr_t)with->plugins[i].plugin};
        return loader_check(loaded->plugin, name, yaml_place(node), building->problems);
    }
    if (strchr(name, '/') != NULL && name[0] != '/')
        name = arena_printf(&building->scratch, "%s%s", building->config->folder, name);
    if (name == NULL)
        return ATAMO_NO_MEMORY;
    return loader_load(name, building->path, yaml_place(node), building->problems, loaded);
}

/* The instance of that name and role in the previous generation, or NULL. */
static struct instance *find_previous(const struct generation *old, enum role role,
                                      const char *name)
{
    const struct provider_settings *providers;
    size_t count;

    if (old == NULL)
        return NULL;
    for (size_t i = 0; role == ROLE_AGENT && i < old->agent_count; i++)
        if (strcmp(old->agents[i].name.data, name) == 0)
            return old->agents[i].instance;
    for (size_t i = 0; role == ROLE_AUDITOR && i < old->auditor_count; i++)
        if (strcmp(old->auditors[i].name.data, name) == 0)
            return old->auditors[i].instance;
    if (role == ROLE_STORE)
        return old->store == NULL ? NULL : old->store->instance;
    providers = role == ROLE_EVENT_PROVIDER ? old->event_providers : old->rule_providers;
    count = role == ROLE_EVENT_PROVIDER ? old->event_provider_count : old->rule_provider_count;
    for (size_t i = 0; role >= ROLE_EVENT_PROVIDER && i < count; i++)
        if (strcmp(providers[i].name.data, name) == 0)
            return providers[i].instance;
    return NULL;
}

static int open_instance(struct building *building, const struct entry *entry,
                         const struct loaded_plugin *loaded, struct options *options,
                         struct instance **instance)
{
    const struct config_context *context = building->context;
    const uint64_t fingerprint =
        hash_mix(loaded->fingerprint ^ entry->settings, options_fingerprint(options) | 1);
    struct instance *previous = find_previous(context->previous, entry->role, entry->name);
    struct instance *made = NULL;
    int status;

    if (previous != NULL && previous->fingerprint == fingerprint) {
        options_free(options);
        previous->refs++;
        *instance = previous;
        return ATAMO_OK;
    }
    status = instance_open(loaded->plugin, options, entry->name, context->host, &made);
    if (status != ATAMO_OK) {
        options_free(options);
        return status;
    }
    made->hub = context->hub;
    made->keeps = building->top.store != NULL;
    made->fingerprint = fingerprint;
    made->refs = 1;
    *instance = made;
    return ATAMO_OK;
}

/* Remember to create it at the end; rule providers are created now. */
static int enlist(struct building *building, const struct entry *entry, struct instance *instance)
{
    struct opened *opened;

    if (instance->state != INSTANCE_OPENED)
        return ATAMO_OK; /* of the previous generation */
    if (entry->role == ROLE_RULE_PROVIDER) {
        const int status = instance_create(instance, yaml_place(entry->plugin), building->problems);

        return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
    }
    opened = arena_alloc(&building->scratch, sizeof *opened);
    if (opened == NULL)
        return ATAMO_NO_MEMORY;
    *opened = (struct opened){building->opened, instance, yaml_place(entry->plugin)};
    building->opened = opened;
    return ATAMO_OK;
}

int instance_build(struct building *building, const struct entry *entry, struct instance **instance)
{
    struct loaded_plugin loaded;
    struct options *options = NULL;
    void *context;
    int status;

    if (entry->plugin == NULL)
        return ATAMO_OK; /* said already */
    if (entry->plugin->kind != YAML_TEXT) {
        (void)problems_add(building->problems, yaml_place(entry->plugin),
                           "\"plugin\" is %s, expected the id of a plugin, or its file",
                           yaml_kind_name(entry->plugin->kind));
        return ATAMO_OK;
    }
    status = find_plugin(building, entry->plugin, &loaded, &context);
    if (status != ATAMO_OK)
        return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
    if (!plays(loaded.plugin, entry->role)) {
        (void)problems_add(building->problems, yaml_place(entry->plugin), "plugin \"%s\" is not %s",
                           loaded.plugin->id, role_names[entry->role]);
        return ATAMO_OK;
    }
    status = options_build(loaded.plugin, entry->options, yaml_place(entry->plugin),
                           building->problems, &options);
    if (status != ATAMO_OK)
        return status == ATAMO_NO_MEMORY ? status : ATAMO_OK;
    status = open_instance(building, entry, &loaded, options, instance);
    if (status != ATAMO_OK)
        return status;
    (*instance)->context = context;
    return enlist(building, entry, *instance);
}

int instances_create(struct building *building)
{
    int status = ATAMO_OK;

    for (const struct opened *at = building->opened; at != NULL && status != ATAMO_NO_MEMORY;
         at = at->next)
        status = instance_create(at->instance, at->place, building->problems);
    return status == ATAMO_NO_MEMORY ? status : problems_status(building->problems);
}
