/* limiter - how many calls a second each client may make. */
#ifndef HTTP_LIMITER_H
#define HTTP_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

enum { LIMITER_SETS = 1024, LIMITER_WAYS = 4 };

struct limiter {
    uint64_t rate; /* calls a second; 0: no limit */
    struct allowance {
        uint64_t key;  /* who; 0: nobody */
        double left;   /* calls that may come now */
        int64_t at_ms; /* when that was so */
    } sets[LIMITER_SETS][LIMITER_WAYS];
};

/* A call of this client, now. False: it is one too many. As many as come in a second may come at
 * once. Clients beyond LIMITER_SETS * LIMITER_WAYS push out those that were quiet the longest. */
bool limiter_take(struct limiter *limiter, uint64_t key, int64_t now_ms);

/* A key for bytes. */
uint64_t limiter_key(const void *bytes, uint64_t size);

#endif
