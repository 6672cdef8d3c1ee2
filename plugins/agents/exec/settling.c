/* settling - settlements gathered, to be told to the hub in batches.
 *
 * Happy path: most are "done" and nothing else, and a batch of those needs no outcomes at all.
 * Reasons are copied, as they lie in buffers that are used again before the batch is full.
 */
#include "settling.h"

#include <string.h>

void settling_init(struct settling *settling, const atamo_host *host)
{
    settling->host = host;
    settling->count = 0;
    settling->text_used = 0;
    settling->plain = true;
}

static atamo_bytes keep(struct settling *settling, atamo_bytes reason)
{
    char *copy = settling->text + settling->text_used;
    const size_t size = reason.size < SETTLING_REASON ? reason.size : SETTLING_REASON;

    if (size == 0)
        return (atamo_bytes){"", 0};
    memcpy(copy, reason.data, size);
    settling->text_used += size;
    return (atamo_bytes){copy, size};
}

void settling_add(struct settling *settling, atamo_action action, uint32_t kind,
                  uint64_t retry_after_ms, atamo_bytes reason)
{
    atamo_outcome *outcome;

    if (settling->count == SETTLING_BATCH || SETTLING_TEXT - settling->text_used < SETTLING_REASON)
        settling_flush(settling);
    outcome = &settling->outcomes[settling->count];
    settling->actions[settling->count++] = action;
    *outcome = (atamo_outcome){.size = sizeof *outcome,
                               .kind = kind,
                               .retry_after_ms = retry_after_ms,
                               .reason = keep(settling, reason)};
    settling->plain = settling->plain && kind == ATAMO_DONE && reason.size == 0;
}

void settling_flush(struct settling *settling)
{
    if (settling->count > 0)
        settling->host->settle(settling->host, settling->actions,
                               settling->plain ? NULL : settling->outcomes, settling->count);
    settling_init(settling, settling->host);
}
