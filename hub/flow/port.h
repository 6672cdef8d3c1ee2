/* port - where one thread hands events to the hub.
 *
 * The thread fills blocks of the port's own pool and pushes them into the port's ring; the hub's
 * thread takes them out and, when a message has ended, sends its block home. The ring is bounded: a
 * full one is the hub's way to say busy. Numbers of messages come from the port, so the submitter
 * knows them at once.
 */
#ifndef HUB_FLOW_PORT_H
#define HUB_FLOW_PORT_H

#include "base/blocks.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/ring.h"
#include "flow/bell.h"
#include "model/message.h"

enum { PORT_RING = 4096 };

struct port {
    struct blocks blocks;
    struct ring ring;
    struct number_source numbers;
    struct bell *bell; /* the hub's */
    const struct clock *clock;
    uint64_t max_data;
    _Atomic bool hungry;      /* was refused: tell it when there is room */
    void (*room)(void *user); /* hub thread: there is room again; NULL: nobody asks */
    void *room_user;
    struct port *next_retired; /* hub thread: its owner has gone, blocks are still out */
};

/* `client` is the number that all its messages carry. ATAMO_NO_MEMORY. */
int port_open(uint32_t client, struct bell *bell, const struct clock *clock, uint64_t max_data,
              struct port **port);

/* Nothing of the port may be in the hub any more. NULL is fine. */
void port_close(struct port *port);

/* Copy a draft into a message of this port, with a number of this port. [port's thread] */
int port_build(struct port *port, const atamo_event_draft *draft,
               const struct message_origin *origin, struct message **message, const char **why);

/* Copy a draft into a message and push it; `request` may be NULL. *number is set on success.
 * ATAMO_BUSY, or what message_build() says, with a sentence in *why. [port's thread] */
int port_submit(struct port *port, const atamo_event_draft *draft,
                const struct message_origin *origin, struct request *request, uint64_t *number,
                const char **why);

#endif
