/* refuses_start - start() fails and says why. */
#include "broken.h"

static int start(void *self)
{
    return atamo_refuse(self, "nobody answers at port 7");
}

BROKEN_AGENT(broken_done);

ATAMO_PLUGIN = {BROKEN_HEAD, .start = start, .agent = &agent};
