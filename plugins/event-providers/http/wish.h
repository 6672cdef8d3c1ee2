/* wish - what a client wants of its request: the arguments of POST /v1/requests. */
#ifndef HTTP_WISH_H
#define HTTP_WISH_H

#include "exchange.h"

#include <atamo/hub.h>

struct wish {
    atamo_request_options options; /* for the hub */
    int64_t keep_ms;               /* how long results are stored after the end */
    int64_t alone_ms;              /* how long it may be open while nobody reads; 0: any time */
};

/* False: something is wrong with the arguments, and the exchange is answered. */
bool wish_read(struct exchange *exchange, int64_t keep_ms, struct wish *wish);

#endif
