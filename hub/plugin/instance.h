/* instance - one running plugin: its table, its options, its `self`, its host table.
 *
 * The life is opened -> created -> started -> drained -> closed. The host table is filled in by
 * whoever makes the instance: the hub's flow, or a test. Life-cycle calls never overlap.
 */
#ifndef HUB_PLUGIN_INSTANCE_H
#define HUB_PLUGIN_INSTANCE_H

#include "base/problems.h"

#include <atamo/agent.h>
#include <atamo/auditor.h>
#include <atamo/event_provider.h>
#include <atamo/plugin.h>
#include <atamo/rule_provider.h>

#include <stdbool.h>

struct options; /* plugin/options.h */

enum instance_state {
    INSTANCE_OPENED,
    INSTANCE_CREATED,
    INSTANCE_STARTED,
    INSTANCE_DRAINED,
};

struct instance {
    struct atamo_host host; /* first: a host pointer is an instance pointer */
    const atamo_plugin *plugin;
    const struct options *options;
    void *self;
    void *context; /* host->context() */
    void *hub;     /* the flow that serves host calls */
    void *role;    /* what the flow keeps for it: an agent's pool, an auditor's thread... */
    void *inlet;   /* through which it submits events */
    char *name;
    char *refusal;        /* what refuse() said last; NULL if nothing */
    uint64_t fingerprint; /* of plugin file and options: equal means it need not be restarted */
    uint32_t refs;        /* generations that use it */
    bool keeps;           /* its hub has a store */
    uint32_t running;     /* actions that it holds; owned by the hub's thread */
    enum instance_state state;
};

/* Make an instance; nothing of the plugin runs yet. The instance owns `options` from now on (freed
 * with options_free()); `host` is copied. ATAMO_NO_MEMORY. */
int instance_open(const atamo_plugin *plugin, struct options *options, const char *name,
                  const struct atamo_host *host, struct instance **instance);

/* Run create() or start(). On failure the sentence is added to `problems` at `place`, with the
 * plugin's own words. */
int instance_create(struct instance *instance, struct place place, struct problems *problems);
int instance_start(struct instance *instance, struct place place, struct problems *problems);

/* Run drain(), if it was started and not drained yet. */
void instance_drain(struct instance *instance);

/* drain() if due, destroy(), free. NULL is nothing. */
void instance_close(struct instance *instance);

/* The instance behind a host pointer. */
static inline struct instance *instance_of(const atamo_host *host)
{
    return (struct instance *)(uintptr_t)host;
}

#endif
