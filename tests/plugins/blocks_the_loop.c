/* blocks_the_loop - an inline agent that sleeps. */
#include "broken.h"

#include <time.h>

static void handle(void *self, atamo_action action)
{
    const struct timespec pause = {0, 300000000L};

    (void)nanosleep(&pause, NULL);
    broken_done(self, action);
}

BROKEN_AGENT(handle);

ATAMO_PLUGIN = {BROKEN_HEAD, .agent = &agent};
