/* ports - which ports the flow takes events from, and what becomes of them when their owner goes.
 *
 * A port's blocks are all over the hub, so a port whose owner has gone stays, retired, until the
 * last block has come home. Adding fails when there are as many ports as client numbers.
 */
#include "flow/flow.h"

#include <assert.h>

int flow_add_port(struct flow *flow, struct port *port)
{
    if (flow->port_count == NUMBER_CLIENTS)
        return ATAMO_BUSY;
    flow->ports[flow->port_count++] = port;
    return ATAMO_OK;
}

static void remove_port(struct flow *flow, const struct port *port)
{
    for (uint32_t i = 0; i < flow->port_count; i++) {
        if (flow->ports[i] != port)
            continue;
        flow->ports[i] = flow->ports[--flow->port_count];
        return;
    }
}

void flow_retire_port(struct flow *flow, struct port *port)
{
    uint32_t count;

    remove_port(flow, port);
    for (count = ring_count(&port->ring); count > 0; count = ring_count(&port->ring)) {
        for (uint32_t i = 0; i < count; i++) {
            flow_admit(flow, ring_at(&port->ring, i));
            (void)flow_settle_here(flow);
        }
        ring_release(&port->ring, count);
    }
    port->next_retired = flow->retired_ports;
    flow->retired_ports = port;
    atomic_store_explicit(&flow->chores, true, memory_order_relaxed);
}

struct generation *flow_chores(struct flow *flow, void (*fn)(void *user, uint32_t client),
                               void *user)
{
    struct generation *retired = flow->retired;
    struct port **at = &flow->retired_ports;

    flow->retired = NULL;
    flow_return_blocks(flow);
    while (*at != NULL) {
        struct port *port = *at;

        blocks_collect(&port->blocks);
        if (port->blocks.out > 0) {
            at = &port->next_retired;
            continue;
        }
        *at = port->next_retired;
        fn(user, port->numbers.client);
        port_close(port);
    }
    atomic_store_explicit(&flow->chores, flow->retired_ports != NULL, memory_order_relaxed);
    return retired;
}
