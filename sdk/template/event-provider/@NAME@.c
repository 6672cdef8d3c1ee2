/* @NAME@ - an event provider that says that time passes.
 *
 * Happy path: the hub asks produce() for events; when the next one is due, it is submitted. A hub
 * that is full is asked again later: what was due meanwhile is not made up for. With `count` it
 * ends by itself.
 */
#include <atamo/event_provider.h>

#include <stdlib.h>

struct beat {
    const atamo_host *host;
    int64_t due_ns;
    int64_t every_ns;
    int64_t left; /* negative: no end */
};

static int create(const atamo_host *host, void **self)
{
    struct beat *beat = calloc(1, sizeof *beat);

    if (beat == NULL)
        return ATAMO_NO_MEMORY;
    beat->host = host;
    beat->every_ns = host->integer(host, "every") * 1000000;
    beat->left = host->integer(host, "count");
    if (beat->left == 0)
        beat->left = -1;
    *self = beat;
    return ATAMO_OK;
}

static size_t produce(void *self, size_t budget)
{
    struct beat *beat = self;
    const int64_t now = beat->host->now(beat->host);
    atamo_event_draft draft = atamo_draft("@NAME@.beat");
    size_t taken = 0;

    if (budget == 0 || beat->left == 0 || now < beat->due_ns)
        return 0;
    draft.source = atamo_text("/@NAME@");
    if (beat->host->submit(beat->host, &draft, 1, &taken, NULL) != ATAMO_OK)
        return 0;
    beat->due_ns = now + beat->every_ns;
    if (beat->left > 0 && --beat->left == 0)
        beat->host->finished(beat->host);
    return taken;
}

static void destroy(void *self)
{
    free(self);
}

static const atamo_option options[] = {
    {.name = "every",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "1s",
     .min = 1,
     .max = 86400000,
     .about = "time between two events"},
    {.name = "count",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "0",
     .min = 0,
     .max = 1000000000,
     .about = "how many events there are in all; 0: no end"},
};

static const atamo_event_provider provider = {.size = sizeof provider, .produce = produce};

ATAMO_PLUGIN = {ATAMO_PLUGIN_HEAD,
                ATAMO_OPTIONS(options),
                .id = "@NAME@",
                .version = "1.0.0",
                .summary = "says that time passes",
                .create = create,
                .destroy = destroy,
                .event_provider = &provider};
