/* @ID@ - an auditor that counts records and logs the count at the end. */
#include <atamo/atamo.h>

#include <stdio.h>
#include <stdlib.h>

struct state {
    const atamo_host *host;
    unsigned long long seen, lost;
};

static int create(const atamo_host *host, void **self)
{
    struct state *mine = calloc(1, sizeof *mine);

    if (mine == NULL)
        return ATAMO_NO_MEMORY;
    mine->host = host;
    *self = mine;
    return ATAMO_OK;
}

static int records(void *self, const atamo_telemetry *batch, size_t count, uint64_t lost)
{
    struct state *mine = self;

    /* A record may be followed by the pieces of its text: span counts both. */
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&batch[i]))
        mine->seen++;
    mine->lost += lost;
    return ATAMO_OK;
}

static void destroy(void *self)
{
    struct state *mine = self;
    char line[96];

    (void)snprintf(line, sizeof line, "%llu records, %llu lost", mine->seen, mine->lost);
    mine->host->log(mine->host, ATAMO_LOG_INFO, line);
    free(mine);
}

static const atamo_auditor auditor = {.size = sizeof auditor, .records = records};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD, .id = "@ID@",       .version = "0.1.0",  .summary = "Counts records.",
    .create = create,  .destroy = destroy, .auditor = &auditor,
};
