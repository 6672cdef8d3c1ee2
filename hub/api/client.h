/* client - what a client of the hub is made of; for the files that make up its functions.
 */
#ifndef HUB_API_CLIENT_H
#define HUB_API_CLIENT_H

#include "api/hub_inside.h"

struct atamo_client {
    struct outlet outlet; /* first: aligned */
    atamo_hub *hub;
    struct port *port;
    struct asked asked;    /* requests whose END has not been handed out */
    struct reply *pending; /* taken from the outlet, oldest first */
    struct tap *tap;       /* NULL: does not watch */
    atamo_telemetry_fn watch_fn;
    void *watch_user;
    bool dispatching;
};

/* Forget a reply; with END its request, too. [client] */
void client_free_reply(struct reply *reply, struct reply_memory *memory);

#endif
