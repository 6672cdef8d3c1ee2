/* instance_build - an instance of a plugin, for one entry of the configuration. */
#ifndef HUB_CONFIG_INSTANCE_BUILD_H
#define HUB_CONFIG_INSTANCE_BUILD_H

#include "config/config_inside.h"

/* What a plugin must be to stand in a section. */
enum role { ROLE_AGENT, ROLE_AUDITOR, ROLE_EVENT_PROVIDER, ROLE_RULE_PROVIDER, ROLE_STORE };

/* An entry of agents:, auditors: and so on. */
struct entry {
    enum role role;
    const char *name;
    const struct yaml_node *plugin;  /* as written; NULL: missing */
    const struct yaml_node *options; /* `config:`, or NULL */
    uint64_t settings; /* a hash of settings that an instance cannot change while it runs */
};

/* An instance that waits to be created. */
struct opened {
    struct opened *next;
    struct instance *instance;
    struct place place;
};

/* *instance is left NULL if something is wrong with the entry. ATAMO_NO_MEMORY. */
int instance_build(struct building *building, const struct entry *entry,
                   struct instance **instance);

/* Create all that were opened. Who fails is in the problems: ATAMO_INVALID, ATAMO_NO_MEMORY. */
int instances_create(struct building *building);

#endif
