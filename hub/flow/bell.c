/* bell - wake a thread that sleeps on a descriptor. Striking cannot fail: an eventfd that is
 * readable already stays so. */
#include "flow/bell.h"

#include <atamo/status.h>

#include <sys/eventfd.h>
#include <unistd.h>

int bell_open(struct bell *bell)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return ATAMO_IO;
    bell->fd = fd;
    atomic_init(&bell->sleeping, false);
    return ATAMO_OK;
}

void bell_close(struct bell *bell)
{
    if (bell->fd >= 0)
        (void)close(bell->fd);
    bell->fd = -1;
}

void bell_strike(struct bell *bell)
{
    const uint64_t one = 1;
    const ssize_t written = write(bell->fd, &one, sizeof one);

    (void)written;
}

uint64_t bell_quiet(struct bell *bell)
{
    uint64_t count;

    return read(bell->fd, &count, sizeof count) == (ssize_t)sizeof count ? count : 0;
}
