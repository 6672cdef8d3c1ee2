/* settles_twice - ends each action two times. */
#include "broken.h"

static void handle(void *self, atamo_action action)
{
    broken_done(self, action);
    broken_done(self, action);
}

BROKEN_AGENT(handle);

ATAMO_PLUGIN = {BROKEN_HEAD, .agent = &agent};
