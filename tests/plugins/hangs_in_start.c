/* hangs_in_start - start() does not return. */
#include "broken.h"

#include <unistd.h>

static int start(void *self)
{
    (void)self;
    for (;;)
        (void)pause();
    return ATAMO_OK;
}

BROKEN_AGENT(broken_done);

ATAMO_PLUGIN = {BROKEN_HEAD, .start = start, .agent = &agent};
