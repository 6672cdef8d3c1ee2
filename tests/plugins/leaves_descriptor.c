/* leaves_descriptor - opens something in create() and never closes it. */
#include "broken.h"

#include <fcntl.h>

static int create(const atamo_host *host, void **self)
{
    *self = (void *)(uintptr_t)host;
    return open("/dev/null", O_RDONLY | O_CLOEXEC) < 0 ? ATAMO_IO : ATAMO_OK;
}

BROKEN_AGENT(broken_done);

ATAMO_PLUGIN = {BROKEN_HEAD, .create = create, .agent = &agent};
