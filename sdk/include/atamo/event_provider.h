/* atamo/event_provider.h - the role of a plugin that is the natural interface for clients.
 *
 * A provider submits events with host->submit() or submit_json(): from threads of its own at any
 * time, or from produce() on the hub's own thread.
 */
#ifndef ATAMO_EVENT_PROVIDER_H
#define ATAMO_EVENT_PROVIDER_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

struct atamo_event_provider {
    uint32_t size;  /* sizeof(atamo_event_provider) */
    uint32_t flags; /* none yet */

    /* The hub has room: submit at most `budget` events now. Returns how many were submitted; after
     * 0 it is not called again until host->submit() succeeded elsewhere or `ready` conditions
     * change, at the latest 10 ms later. The fastest way in: no thread is crossed. May be NULL.
     * [loop] */
    size_t (*produce)(void *self, size_t budget);

    /* After ATAMO_BUSY: there is room again. May be NULL. [loop] */
    void (*ready)(void *self);
};

#ifdef __cplusplus
}
#endif

#endif
