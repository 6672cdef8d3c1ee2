/* flood - an agent of the test's own that says a lot, and a hub with it.
 *
 * An event `flood` whose data is a number is answered with as many responses, by a thread of the
 * hub's pool, as fast as the hub takes them. When the
 * hub says that nobody needs them any more it stops at once.
 */
#ifndef TESTS_EMBED_FLOOD_H
#define TESTS_EMBED_FLOOD_H

#include "expect.h"

#include <atamo/atamo.h>

#include <stdatomic.h>

enum { LIMIT_MS = 20000, FLOOD_SIZE_MAX = 4096 };

struct flood {
    size_t size; /* of each response; 0: as long as its number */
    atomic_ulong said;
    atomic_uint begun, ended, gone; /* actions; gone: of those that ended, not wanted any more */
    atomic_bool is_held;            /* the last response was not taken yet */
};

/* Open a hub with it; `settings` may bring a clock, or be NULL. NULL after saying why. */
atamo_hub *flood_open(struct flood *flood, const atamo_settings *settings);

/* A client, or NULL after saying why. */
atamo_client *flood_client(atamo_hub *hub);

/* Ask for `count` responses; 0: it is refused, which is said. */
uint64_t flood_ask(atamo_client *client, unsigned long count, const atamo_request_options *options,
                   atamo_reply_fn fn, void *user);

#endif
