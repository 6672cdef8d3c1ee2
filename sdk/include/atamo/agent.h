/* atamo/agent.h - the role of a plugin that performs actions. */
#ifndef ATAMO_AGENT_H
#define ATAMO_AGENT_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the hub runs it. Configuration may ask for more care (`run: pool`), never for less. */
typedef enum atamo_agent_mode {
    ATAMO_INLINE = 0, /* handle() is called on [loop] and never blocks; it may settle there and
                         then, or later from any thread */
    ATAMO_POOL = 1    /* handle() is called on [worker] and may block; `workers` of them at once */
} atamo_agent_mode;

struct atamo_agent {
    uint32_t size; /* sizeof(atamo_agent) */
    uint32_t mode; /* enum atamo_agent_mode */

    /* Perform one action. [loop] or [worker], by mode. */
    void (*handle)(void *self, atamo_action action);

    /* Perform several. May be NULL: then handle() is called for each; may stand alone. */
    void (*handle_batch)(void *self, const atamo_action *actions, size_t count);

    /* Nobody needs this action any more: its deadline passed, its client is gone, the hub stops;
     * `reason` is an ATAMO_REASON_*. A hint: the settlement is still due, whatever it says. May be
     * NULL. Always [loop], also for ATAMO_POOL: must not block. Settle here only what no thread of
     * yours is at: what you have of an action is gone with its settlement. A thread hears
     * ATAMO_GONE from respond() instead, and settles. */
    void (*cancel)(void *self, atamo_action action, uint32_t reason);

    /* respond() said ATAMO_BUSY for this action, and now there is room again. A hint; it may come
     * late, when the action is settled already. May be NULL: then try again after a while. Always
     * [loop]. */
    void (*room)(void *self, atamo_action action);
};

#ifdef __cplusplus
}
#endif

#endif
