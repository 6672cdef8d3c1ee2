/* loop - the hub's own thread: turns of the flow while there is work, sleep while there is none.
 *
 * After the last work it looks for more for `spin_ns` before it sleeps in libuv, which costs a core
 * for that long but answers in under a microsecond while traffic lasts.
 */
#ifndef HUB_API_LOOP_H
#define HUB_API_LOOP_H

#include "flow/flow.h"

#include <uv.h>

struct loop {
    struct flow *flow;
    uv_loop_t uv;
    pthread_t thread;
    bool has_thread;
    _Atomic bool stopping;
    int64_t spin_ns;
};

/* Prepare and run the thread. ATAMO_IO, ATAMO_NO_MEMORY. */
int loop_start(struct loop *loop, struct flow *flow, int64_t spin_ns);

/* Run the last turns and end the thread; calls that were posted are run. */
void loop_stop(struct loop *loop);

/* The extension "atamo.loop/1", or NULL for another name. */
const void *loop_extension(const char *name);

#endif
