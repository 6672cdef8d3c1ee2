/* auditing - an auditor's thread: it takes records from its tap and hands them over in batches. */
#ifndef HUB_API_AUDITING_H
#define HUB_API_AUDITING_H

#include "flow/generation.h"
#include "telemetry/tap.h"

struct audit;

/* Start an auditor's thread. The tap is to be added to the journal. ATAMO_NO_MEMORY, ATAMO_IO. */
int audit_start(const struct auditor_settings *settings, struct audit **audit);

struct tap *audit_tap(struct audit *audit);
struct instance *audit_instance(const struct audit *audit);

/* Hand over what the tap still holds, end the thread, free. The tap must be out of the journal.
 * False: the auditor did not return within `limit_ms`; then nothing is freed. */
bool audit_stop(struct audit *audit, uint32_t limit_ms);

/* Records that were lost, batches that the auditor refused. [any] */
uint64_t audit_lost(const struct audit *audit);

/* For how long (ns) the call that is under way has run, if that is longer than `limit_ns` and was
 * not asked about before; else 0. [keeper] */
int64_t audit_stuck_for(struct audit *audit, int64_t limit_ns);

/* The list in which the hub keeps its audits. */
struct audit **audit_next(struct audit *audit);

#endif
