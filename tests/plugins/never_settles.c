/* never_settles - takes actions and forgets them. */
#include "broken.h"

static void handle(void *self, atamo_action action)
{
    (void)self;
    (void)action;
}

BROKEN_AGENT(handle);

ATAMO_PLUGIN = {BROKEN_HEAD, .agent = &agent};
