/* @NAME@ - an auditor that counts what happens, and tells at the end.
 *
 * All of its functions but create() and destroy() come on its own thread, one after the other: it
 * needs no lock. It fails only for want of memory.
 */
#include <atamo/auditor.h>

#include <stdlib.h>

struct counts {
    const atamo_host *host;
    uint64_t steps[ATAMO_STEP_COUNT];
    uint64_t lost;
};

static int create(const atamo_host *host, void **self)
{
    struct counts *counts = calloc(1, sizeof *counts);

    if (counts == NULL)
        return ATAMO_NO_MEMORY;
    counts->host = host;
    *self = counts;
    return ATAMO_OK;
}

static int records(void *self, const atamo_telemetry *records, size_t count, uint64_t lost)
{
    struct counts *counts = self;
    char why[256];

    counts->lost += lost;
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i])) {
        const atamo_telemetry *record = &records[i];

        if (record->step < ATAMO_STEP_COUNT)
            counts->steps[record->step]++;
        if (record->step != ATAMO_STEP_DEAD)
            continue;
        (void)atamo_telemetry_text(record, why, sizeof why);
        atamo_log(counts->host, ATAMO_LOG_WARN, "agent %s gave up: %s",
                  counts->host->name(counts->host, record->agent).data, why);
    }
    return ATAMO_OK;
}

static void destroy(void *self)
{
    struct counts *counts = self;

    atamo_log(counts->host, ATAMO_LOG_INFO, "%llu events, %llu actions done, %llu dead, %llu lost",
              (unsigned long long)counts->steps[ATAMO_STEP_ADMITTED],
              (unsigned long long)counts->steps[ATAMO_STEP_DONE],
              (unsigned long long)counts->steps[ATAMO_STEP_DEAD], (unsigned long long)counts->lost);
    free(counts);
}

static const atamo_auditor auditor = {.size = sizeof auditor, .records = records};

ATAMO_PLUGIN = {ATAMO_PLUGIN_HEAD,  .id = "@NAME@",
                .version = "1.0.0", .summary = "counts what happens, and tells at the end",
                .create = create,   .destroy = destroy,
                .auditor = &auditor};
