/* exits_in_handle - ends the process of the hub. */
#include "broken.h"

#include <unistd.h>

static void handle(void *self, atamo_action action)
{
    (void)self;
    (void)action;
    _exit(3);
}

BROKEN_AGENT(handle);

ATAMO_PLUGIN = {BROKEN_HEAD, .agent = &agent};
