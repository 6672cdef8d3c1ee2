/* notify - what systemd wants to know of a service: sd_notify(3).
 *
 * Happy path: the environment names a socket; states are datagrams to it. Elsewhere nothing
 * happens. A datagram that cannot be sent is left out: the service does not depend on being
 * watched.
 */
#include "cli/notify.h"

#include "base/clock.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody here sets variables */
}

/* WATCHDOG_USEC, if it is meant for this process. */
static int64_t watchdog_ns(void)
{
    const char *us = environment("WATCHDOG_USEC");
    const char *pid = environment("WATCHDOG_PID");

    if (us == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoll(us, NULL, 10) * NS_PER_US / 2;
}

void notify_open(struct notify *notify)
{
    const char *path = environment("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t size = path == NULL ? 0 : strlen(path);

    *notify = (struct notify){.fd = -1};
    if (size == 0 || size >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, size);
    if (address.sun_path[0] == '@')
        address.sun_path[0] = '\0'; /* an abstract name */
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd >= 0 && connect(notify->fd, (const struct sockaddr *)&address,
                                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) != 0)
        notify_close(notify);
    if (notify->fd >= 0)
        notify->alive_ns = watchdog_ns();
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        (void)close(notify->fd);
    notify->fd = -1;
}

void notify_say(const struct notify *notify, const char *state)
{
    if (notify->fd >= 0 && send(notify->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return;
}

void notify_alive(struct notify *notify, atamo_hub *hub)
{
    const int64_t now = clock_monotonic();
    atamo_stats stats = {.size = sizeof stats};

    if (notify->alive_ns == 0 || now - notify->told_ns < notify->alive_ns)
        return;
    if (atamo_stats_get(hub, NULL, &stats) != ATAMO_OK) /* waits for the hub's thread */
        return;
    notify->told_ns = now;
    notify_say(notify, "WATCHDOG=1");
}

bool notify_is_journal(int fd)
{
    const char *stream = environment("JOURNAL_STREAM");
    struct stat status;
    char *end;
    unsigned long long device;

    if (stream == NULL || fstat(fd, &status) != 0)
        return false;
    device = strtoull(stream, &end, 10);
    return *end == ':' && device == status.st_dev && strtoull(end + 1, NULL, 10) == status.st_ino;
}
