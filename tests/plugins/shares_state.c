/* shares_state - all instances are one. */
#include "broken.h"

static const atamo_host *the_host;

static int create(const atamo_host *host, void **self)
{
    the_host = host;
    *self = &the_host;
    return ATAMO_OK;
}

static void handle(void *self, atamo_action action)
{
    atamo_done(*(const atamo_host **)self, action);
}

BROKEN_AGENT(handle);

ATAMO_PLUGIN = {BROKEN_HEAD, .create = create, .agent = &agent};
