/* port - where one thread hands events to the hub.
 *
 * Happy path: room in the ring, a block, a copy, a push, and a look whether the hub sleeps. Without
 * room nothing is copied. The bell is rung once a submission; a batch rings it once at its end.
 */
#include "flow/port.h"

#include <stdlib.h>
#include <string.h>

int port_open(uint32_t client, struct bell *bell, const struct clock *clock, uint64_t max_data,
              struct port **port)
{
    struct port *made = aligned_alloc(64, (sizeof *made + 63) / 64 * 64);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    memset(made, 0, sizeof *made);
    if (ring_open(&made->ring, PORT_RING) != ATAMO_OK) {
        free(made);
        return ATAMO_NO_MEMORY;
    }
    blocks_init(&made->blocks);
    made->numbers.client = client;
    made->bell = bell;
    made->clock = clock;
    made->max_data = max_data;
    *port = made;
    return ATAMO_OK;
}

void port_close(struct port *port)
{
    if (port == NULL)
        return;
    ring_close(&port->ring);
    blocks_close(&port->blocks);
    free(port);
}

int port_build(struct port *port, const atamo_event_draft *draft,
               const struct message_origin *origin, struct message **message, const char **why)
{
    struct message_origin here = origin == NULL ? (struct message_origin){0} : *origin;

    here.now_ns = clock_now(port->clock);
    here.number = number_next(&port->numbers, here.now_ns);
    here.max_data = port->max_data;
    return message_build(&port->blocks, draft, &here, message, why);
}

int port_submit(struct port *port, const atamo_event_draft *draft,
                const struct message_origin *origin, struct request *request, uint64_t *number,
                const char **why)
{
    struct message *message;
    int status;

    if (ring_room(&port->ring) == 0) {
        atomic_store(&port->hungry, true);
        if (ring_room(&port->ring) == 0) {
            *why = "the hub is full";
            return ATAMO_BUSY;
        }
    }
    status = port_build(port, draft, origin, &message, why);
    if (status != ATAMO_OK)
        return status;
    message->request = request;
    *number = message->number;
    (void)ring_push(&port->ring, message);
    return ATAMO_OK;
}
