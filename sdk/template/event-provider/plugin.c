/* @ID@ - an event provider that submits a few events and says that it has finished. */
#include <atamo/atamo.h>

#include <stdlib.h>

struct state {
    const atamo_host *host;
    int64_t left;
};

static const atamo_option options[] = {
    {.name = "count",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "3",
     .min = 1,
     .max = 1000000,
     .about = "How many events to submit."},
};

static int create(const atamo_host *host, void **self)
{
    struct state *mine = calloc(1, sizeof *mine);

    if (mine == NULL)
        return ATAMO_NO_MEMORY;
    mine->host = host;
    mine->left = host->integer(host, "count");
    *self = mine;
    return ATAMO_OK;
}

/* Runs on the hub's own thread: must not block. A full hub calls again later. */
static size_t produce(void *self, size_t budget)
{
    struct state *mine = self;
    atamo_event_draft draft = atamo_draft("@ID@.tick");
    size_t sent = 0;

    draft.source = atamo_text("/@ID@");
    draft.data = atamo_text("{\"hello\": true}");
    while (mine->left > 0 && sent < budget) {
        size_t taken = 0;

        if (mine->host->submit(mine->host, &draft, 1, &taken, NULL) != ATAMO_OK)
            return sent;
        sent++;
        if (--mine->left == 0)
            mine->host->finished(mine->host);
    }
    return sent;
}

static const atamo_event_provider provider = {.size = sizeof provider, .produce = produce};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,      .id = "@ID@",
    .version = "0.1.0",     .summary = "Submits a few events.",
    ATAMO_OPTIONS(options), .create = create,
    .destroy = free,        .event_provider = &provider,
};
