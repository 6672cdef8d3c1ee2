/* unmatched - the last messages that no rule matched, found in the telemetry as it passes. The
 * latest are kept, as the hub knows the reasons of recent messages only.
 */
#include "cli/unmatched.h"

static void take(const atamo_telemetry *records, size_t count, uint64_t lost, void *user)
{
    struct unmatched *unmatched = user;

    (void)lost;
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i]))
        if (records[i].step == ATAMO_STEP_EVALUATED && records[i].value[0] == 0)
            unmatched->last[unmatched->count++ % UNMATCHED_KEPT] = records[i].message;
}

int unmatched_watch(struct unmatched *unmatched, atamo_client *client)
{
    *unmatched = (struct unmatched){0};
    return atamo_watch_telemetry(client, ATAMO_WATCH_DROP, take, unmatched);
}

uint64_t unmatched_at(const struct unmatched *unmatched, size_t index)
{
    const uint64_t kept = unmatched->count < UNMATCHED_KEPT ? unmatched->count : UNMATCHED_KEPT;

    return index < kept ? unmatched->last[(unmatched->count - kept + index) % UNMATCHED_KEPT] : 0;
}
