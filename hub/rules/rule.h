/* rule - from an event to zero or more actions, compiled.
 *
 * Rules are built with a configuration and never changed afterwards. All names are numbers of the
 * hub's name table; agents are numbers of the configuration's agent list.
 */
#ifndef HUB_RULES_RULE_H
#define HUB_RULES_RULE_H

#include "base/problems.h"

#include <atamo/rule_provider.h>

struct template;

/* One entry of `then:`. */
struct rule_action {
    const struct template *body; /* NULL: the event's data as it came */
    uint32_t rule;               /* name */
    uint32_t type;               /* name of the action type */
    uint32_t agent;              /* name of the agent */
    uint32_t as;                 /* name of the user it acts as; 0: the event's */
    uint32_t agent_index;        /* in the configuration's agents */
    uint32_t attempts;           /* 0: as the agent is configured */
    uint32_t rule_number;        /* the rule's place in its configuration, from 1; 0: none there */
    uint64_t deadline_ns;        /* of one attempt; 0: as the agent is configured */
};

struct rule {
    uint32_t id; /* name */
    uint32_t action_count;
    const char *on; /* the types of events that it is for, blanks between them; "": all */
    const struct rule_action *actions; /* none if a provider evaluates it */
    const struct atamo_rule_provider *provider;
    void *provider_self;
    void *provider_rule; /* what compile() gave */
    struct place place;
};

#endif
