/* atamo/auditor.h - the role of a plugin that is told about every step of every message's path. */
#ifndef ATAMO_AUDITOR_H
#define ATAMO_AUDITOR_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

struct atamo_auditor {
    uint32_t size;  /* sizeof(atamo_auditor) */
    uint32_t flags; /* none yet */

    /* Take `count` records, a record and its text always in the same call. `lost` records were
     * dropped before these because this auditor was too slow and its policy is `drop`; with `block`
     * (the default) the hub waits and `lost` is 0. The batch belongs to the hub: copy what you
     * keep. A status other than ATAMO_OK is logged and counted; the records are not given again.
     * [auditor] */
    int (*records)(void *self, const atamo_telemetry *records, size_t count, uint64_t lost);

    /* There is nothing more to take just now: a good moment to write out. May be NULL. [auditor] */
    void (*idle)(void *self);
};

#ifdef __cplusplus
}
#endif

#endif
