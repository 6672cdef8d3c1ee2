/* unmatched - the last messages that no rule matched, found in the telemetry as it passes. The
 * latest are kept, as the hub knows the reasons of recent messages only.
 */
#include "cli/unmatched.h"

void unmatched_take(struct unmatched *unmatched, const atamo_telemetry *record)
{
    if (record->step == ATAMO_STEP_EVALUATED && record->value[0] == 0)
        unmatched->last[unmatched->count++ % UNMATCHED_KEPT] = record->message;
}

uint64_t unmatched_at(const struct unmatched *unmatched, size_t index)
{
    const uint64_t kept = unmatched->count < UNMATCHED_KEPT ? unmatched->count : UNMATCHED_KEPT;

    return index < kept ? unmatched->last[(unmatched->count - kept + index) % UNMATCHED_KEPT] : 0;
}
