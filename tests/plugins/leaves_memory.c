/* leaves_memory - takes memory for each instance and never frees it. */
#include "broken.h"

#include <stdlib.h>

struct broken {
    const atamo_host *host;
    char room[1000];
};

static int create(const atamo_host *host, void **self)
{
    struct broken *broken = calloc(1, sizeof *broken);

    if (broken == NULL)
        return ATAMO_NO_MEMORY;
    broken->host = host;
    *self = broken;
    return ATAMO_OK;
}

static void handle(void *self, atamo_action action)
{
    const struct broken *broken = self;

    atamo_done(broken->host, action);
}

BROKEN_AGENT(handle);

ATAMO_PLUGIN = {BROKEN_HEAD, .create = create, .agent = &agent};
