/* crashes_in_drain - aborts when it is drained. */
#include "broken.h"

#include <stdlib.h>

static void drain(void *self)
{
    (void)self;
    abort();
}

BROKEN_AGENT(broken_done);

ATAMO_PLUGIN = {BROKEN_HEAD, .drain = drain, .agent = &agent};
