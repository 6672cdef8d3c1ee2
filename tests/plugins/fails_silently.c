/* fails_silently - create() fails and does not say why. */
#include "broken.h"

static int create(const atamo_host *host, void **self)
{
    (void)host;
    (void)self;
    return ATAMO_INVALID;
}

BROKEN_AGENT(broken_done);

ATAMO_PLUGIN = {BROKEN_HEAD, .create = create, .agent = &agent};
