/* generation - the end of a configuration.
 *
 * What providers compiled goes first, because releasing it is a call into an instance; then each
 * hold on an instance; the arena with everything else last. Nothing here can fail.
 */
#include "flow/generation.h"

#include <assert.h>
#include <stdlib.h>

static void release_rules(const struct generation *generation)
{
    for (size_t i = 0; i < generation->rule_count; i++) {
        const struct rule *rule = &generation->rules[i];

        if (rule->provider_rule != NULL && rule->provider->release != NULL)
            rule->provider->release(rule->provider_self, rule->provider_rule);
    }
}

static void let_go(struct instance *instance)
{
    if (instance == NULL)
        return;
    assert(instance->refs > 0);
    if (--instance->refs == 0)
        instance_close(instance);
}

void generation_free(struct generation *generation)
{
    if (generation == NULL)
        return;
    assert(generation->refs == 0);
    release_rules(generation);
    for (size_t i = 0; i < generation->event_provider_count; i++)
        let_go(generation->event_providers[i].instance);
    for (size_t i = 0; i < generation->rule_provider_count; i++)
        let_go(generation->rule_providers[i].instance);
    for (size_t i = 0; i < generation->agent_count; i++)
        let_go(generation->agents[i].instance);
    for (size_t i = 0; i < generation->auditor_count; i++)
        let_go(generation->auditors[i].instance);
    arena_close(&generation->arena);
    free(generation);
}
