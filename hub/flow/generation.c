/* generation - freeing one configuration. Compiled rules go first, because their providers must
 * still be there; then this generation's hold on instances; then its memory. */
#include "flow/generation.h"

#include <stdlib.h>

static void release_rules(const struct generation *generation)
{
    for (size_t i = 0; i < generation->rule_count; i++) {
        const struct rule *rule = &generation->rules[i];

        if (rule->provider != NULL && rule->provider_rule != NULL &&
            rule->provider->release != NULL)
            rule->provider->release(rule->provider_self, rule->provider_rule);
    }
}

static void leave(struct instance *instance)
{
    if (instance != NULL && --instance->refs == 0)
        instance_close(instance);
}

void generation_free(struct generation *generation)
{
    if (generation == NULL)
        return;
    release_rules(generation);
    for (size_t i = 0; i < generation->agent_count; i++)
        leave(generation->agents[i].instance);
    for (size_t i = 0; i < generation->auditor_count; i++)
        leave(generation->auditors[i].instance);
    for (size_t i = 0; i < generation->event_provider_count; i++)
        leave(generation->event_providers[i].instance);
    for (size_t i = 0; i < generation->rule_provider_count; i++)
        leave(generation->rule_providers[i].instance);
    if (generation->store != NULL)
        leave(generation->store->instance);
    tokens_unref(generation->tokens);
    arena_close(&generation->arena);
    free(generation);
}
