/* caller - who asks, and may he? */
#ifndef HTTP_CALLER_H
#define HTTP_CALLER_H

#include "exchange.h"

/* May who asks use the route of the exchange? False: answered. Sets user and tenant. */
bool caller_check(struct exchange *exchange);

#endif
