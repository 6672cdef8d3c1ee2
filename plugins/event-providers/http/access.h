/* access - who did what through this service, as telemetry. */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include "exchange.h"

/* Monotonic microseconds. */
uint64_t access_clock(void);

/* The exchange is answered with its status: tell, if that is wanted. */
void access_tell(const struct exchange *exchange);

#endif
