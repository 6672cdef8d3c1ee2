/* instance - one running plugin: its table, its options, its `self`, its host table.
 *
 * Happy path: opened with a table and checked options, created, started, drained, closed. create()
 * and start() may fail: what the plugin said with refuse() becomes the problem's sentence, and
 * closing undoes exactly what was done.
 */
#include "plugin/instance.h"

#include "plugin/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int instance_open(const atamo_plugin *plugin, struct options *options, const char *name,
                  const struct atamo_host *host, struct instance **instance)
{
    struct instance *made = calloc(1, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    made->name = strdup(name);
    if (made->name == NULL) {
        free(made);
        return ATAMO_NO_MEMORY;
    }
    made->host = *host;
    made->plugin = plugin;
    made->options = options;
    *instance = made;
    return ATAMO_OK;
}

static int report(struct instance *instance, int status, const char *call, struct place place,
                  struct problems *problems)
{
    (void)problems_add(problems, place, "%s: plugin \"%s\" failed in %s: %s", instance->name,
                       instance->plugin->id, call,
                       instance->refusal != NULL ? instance->refusal : atamo_status_text(status));
    return status;
}

int instance_create(struct instance *instance, struct place place, struct problems *problems)
{
    int status;

    assert(instance->state == INSTANCE_OPENED);
    instance->self = &instance->host;
    if (instance->plugin->create != NULL) {
        status = instance->plugin->create(&instance->host, &instance->self);
        if (status != ATAMO_OK)
            return report(instance, status, "create()", place, problems);
    }
    instance->state = INSTANCE_CREATED;
    return ATAMO_OK;
}

int instance_start(struct instance *instance, struct place place, struct problems *problems)
{
    int status;

    assert(instance->state == INSTANCE_CREATED);
    if (instance->plugin->start != NULL) {
        status = instance->plugin->start(instance->self);
        if (status != ATAMO_OK)
            return report(instance, status, "start()", place, problems);
    }
    instance->state = INSTANCE_STARTED;
    return ATAMO_OK;
}

void instance_drain(struct instance *instance)
{
    if (instance->state != INSTANCE_STARTED)
        return;
    if (instance->plugin->drain != NULL)
        instance->plugin->drain(instance->self);
    instance->state = INSTANCE_DRAINED;
}

void instance_close(struct instance *instance)
{
    if (instance == NULL)
        return;
    instance_drain(instance);
    if (instance->state != INSTANCE_OPENED && instance->plugin->destroy != NULL)
        instance->plugin->destroy(instance->self);
    options_free((struct options *)(uintptr_t)instance->options);
    free(instance->refusal);
    free(instance->name);
    free(instance);
}
