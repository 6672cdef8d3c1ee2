/* atamo/rule_provider.h - the role of a plugin that evaluates rules of its own kind.
 *
 * A rule with `provider: NAME` is compiled by that provider once per configuration and evaluated
 * for each event whose type and user fit the rule's `on` and `for`.
 */
#ifndef ATAMO_RULE_PROVIDER_H
#define ATAMO_RULE_PROVIDER_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An action that a rule asks for. Unset fields are empty. All is copied. */
typedef struct atamo_proposal {
    uint32_t size;      /* sizeof(atamo_proposal) */
    uint32_t attempts;  /* 0: as the agent is configured */
    atamo_bytes agent;  /* name of an agent in the configuration; required */
    atamo_bytes action; /* action type; required */
    atamo_bytes as;     /* user to act as; empty: the event's */
    atamo_bytes body;   /* JSON text; empty: the event's data */
} atamo_proposal;

struct atamo_rule_provider {
    uint32_t size;  /* sizeof(atamo_rule_provider) */
    uint32_t flags; /* none yet */

    /* Compile one rule. `json` is the rule as written, as a JSON object: {"id", "on", ...and the
     * provider's own keys}. *rule is handed to evaluate() and release(). On failure say why with
     * refuse(); the position is the rule's. Keys that this provider does not know must be refused.
     * [control] */
    int (*compile)(void *self, atamo_bytes id, atamo_bytes json, void **rule);

    /* Evaluate. For each action call host->propose(host, evaluation, &proposal), within this call.
     * A proposal that cannot be taken (no such agent, no action type, a body over hub.max_data,
     * more than 1,024 actions for one event) says so and fails the rule, whatever this call
     * returns. A status other than ATAMO_OK, with a sentence in `why` (capacity 256), fails this
     * rule for this event: its proposals are dropped, an alert is raised, other rules go on. Pure:
     * no effects, no waiting; also called by dry runs. [loop] */
    int (*evaluate)(void *self, void *rule, const atamo_event *event, void *evaluation, char *why);

    /* Free a compiled rule. May be NULL. [control], or a thread of the hub when nothing uses it. */
    void (*release)(void *self, void *rule);
};

#ifdef __cplusplus
}
#endif

#endif
