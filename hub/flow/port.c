/* port - where one thread hands events to the hub.
 *
 * Happy path: room in the ring, a block, a copy, a push, and a look whether the hub sleeps. Without
 * room nothing is copied. The bell is rung once a submission; a batch rings it once at its end.
 */
#include "flow/port.h"

int port_open(struct port *port, uint32_t client, struct bell *bell, const struct clock *clock,
              uint64_t max_data)
{
    const int status = ring_open(&port->ring, PORT_RING);

    if (status != ATAMO_OK)
        return status;
    blocks_init(&port->blocks);
    port->numbers = (struct number_source){.client = client};
    port->bell = bell;
    port->clock = clock;
    port->max_data = max_data;
    port->room = NULL;
    port->room_user = NULL;
    atomic_init(&port->hungry, false);
    return ATAMO_OK;
}

void port_close(struct port *port)
{
    ring_close(&port->ring);
    blocks_close(&port->blocks);
}

int port_submit(struct port *port, const atamo_event_draft *draft,
                const struct message_origin *origin, struct request *request, uint64_t *number,
                const char **why)
{
    struct message_origin here = origin == NULL ? (struct message_origin){0} : *origin;
    struct message *message;
    int status;

    if (ring_room(&port->ring) == 0) {
        atomic_store(&port->hungry, true);
        if (ring_room(&port->ring) == 0) {
            *why = "the hub is full";
            return ATAMO_BUSY;
        }
    }
    here.now_ns = clock_now(port->clock);
    here.number = number_next(&port->numbers, here.now_ns);
    here.max_data = port->max_data;
    status = message_build(&port->blocks, draft, &here, &message, why);
    if (status != ATAMO_OK)
        return status;
    message->request = request;
    *number = message->number;
    (void)ring_push(&port->ring, message);
    return ATAMO_OK;
}
