/* host - what the hub does for its plugins: the functions of the host table. */
#ifndef HUB_FLOW_HOST_H
#define HUB_FLOW_HOST_H

#include "access/tokens.h"
#include "flow/inlet.h"
#include "plugin/instance.h"

/* Where log lines of hub and plugins go. Any thread. */
struct log_sink {
    void (*fn)(void *user, int level, const char *instance, const char *line);
    void *user;
};

/* What the host functions of all instances of one hub share: instance->hub. */
struct host_services {
    struct flow *flow;
    struct log_sink log;
    _Atomic uint64_t random; /* state */
    /* Further extensions, such as the loop; NULL: none. [any] */
    const void *(*extension)(void *user, const char *name);
    void *extension_user;
    void (*finished)(void *user); /* an event provider has finished. [any] */
    void *finished_user;
    struct token_slot *tokens; /* NULL: there are never any */
};

static inline struct host_services *host_services_of(const atamo_host *host)
{
    return instance_of(host)->hub;
}

static inline struct flow *host_flow(const atamo_host *host)
{
    return host_services_of(host)->flow;
}

/* The table to give to new instances. */
const struct atamo_host *host_table(void);

#endif
