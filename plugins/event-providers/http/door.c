/* door - an address that the service listens on, with the HTTP library behind it.
 *
 * Happy path: the socket is bound, the library gets it, with a certificate unless it is a Unix
 * socket. For a new certificate a second instance gets a copy of the socket's descriptor, and only
 * when that has started the first one stops accepting. Fails if the address is taken, or could be
 * reached from elsewhere while nobody is asked who he is; if the library does not start, which with
 * TLS means that certificate and key are not what they should be.
 */
#include "door.h"

#include "passage.h"
#include "server.h"
#include "visit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_BYTES = 24 * 1024 };

static void log_library(void *user, const char *format, va_list list)
{
    const struct server *server = user;
    char line[512];

    (void)vsnprintf(line, sizeof line, format, list);
    line[strcspn(line, "\n")] = '\0';
    server->host->log(server->host, ATAMO_LOG_DEBUG, line);
}

static struct MHD_Daemon *start_daemon(const struct door *door, struct server *server, int fd)
{
    const atamo_host *host = server->host;
    const bool tls = certificate_is_wanted(&server->certificate) && door->listener.path == NULL;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate.texts[0]},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, server->certificate.texts[1]},
        {MHD_OPTION_END, 0, NULL},
    };

    if (!tls)
        secure[0].option = MHD_OPTION_END;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (tls ? (unsigned)MHD_USE_TLS : 0),
        0, visit_accept, server, passage_go_on, server, MHD_OPTION_EXTERNAL_LOGGER, log_library,
        server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, passage_begin, server,
        MHD_OPTION_NOTIFY_COMPLETED, passage_end, server, MHD_OPTION_NOTIFY_CONNECTION,
        visit_notify, server, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)host->integer(host, "max_connections"), MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)host->integer(host, "max_connections_per_address"), MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(host->integer(host, "idle_timeout") / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADER_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, secure,
        MHD_OPTION_END);
}

static bool asks_for_tokens(const struct server *server)
{
    return server->access != NULL && server->access->required(server->host) != 0;
}

int door_open(struct door *door, struct server *server, const char *address)
{
    char why[LISTEN_WHY];

    *door = (struct door){.listener = {.fd = -1}};
    if (listener_open(&door->listener, address, why) != ATAMO_OK)
        return atamo_refuse(server->host, "%s", why);
    server->is_local &= door->listener.local;
    if (!door->listener.local && !asks_for_tokens(server)) {
        listener_close(&door->listener);
        return atamo_refuse(server->host,
                            "%s can be reached from other machines, but anybody may use this "
                            "service: configure tokens, or listen on 127.0.0.1",
                            address);
    }
    door->daemon = start_daemon(door, server, door->listener.fd);
    if (door->daemon != NULL)
        return ATAMO_OK;
    listener_close(&door->listener);
    return atamo_refuse(server->host, "%s: %s", address,
                        certificate_is_wanted(&server->certificate)
                            ? "the certificate and its key are none, or do not fit together"
                            : "the HTTP library does not start");
}

/* --- at work */

void door_run(struct door *door)
{
    (void)MHD_run(door->daemon);
    for (size_t i = 0; i < DOOR_OLD_MAX; i++)
        if (door->old[i] != NULL)
            (void)MHD_run(door->old[i]);
}

static int epoll_of(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

size_t door_fds(const struct door *door, int fds[DOOR_FDS_MAX])
{
    size_t count = 0;

    fds[count++] = epoll_of(door->daemon);
    for (size_t i = 0; i < DOOR_OLD_MAX; i++)
        if (door->old[i] != NULL)
            fds[count++] = epoll_of(door->old[i]);
    return count;
}

static int64_t shorter(int64_t ms, struct MHD_Daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG own;

    if (daemon == NULL || MHD_get_timeout(daemon, &own) != MHD_YES)
        return ms;
    return ms < 0 || (int64_t)own < ms ? (int64_t)own : ms;
}

int64_t door_timeout_ms(const struct door *door)
{
    int64_t ms = shorter(-1, door->daemon);

    for (size_t i = 0; i < DOOR_OLD_MAX; i++)
        ms = shorter(ms, door->old[i]);
    return ms;
}

/* --- a new certificate */

bool door_renew(struct door *door, struct server *server)
{
    struct MHD_Daemon *daemon = NULL;
    size_t place = 0;
    int fd;

    if (door->listener.path != NULL)
        return true; /* a Unix socket speaks without */
    door_tidy(door);
    while (place < DOOR_OLD_MAX && door->old[place] != NULL)
        place++;
    fd = place == DOOR_OLD_MAX ? -1 : fcntl(door->listener.fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        daemon = start_daemon(door, server, fd);
    if (daemon == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    (void)close(MHD_quiesce_daemon(door->daemon));
    door->old[place] = door->daemon;
    door->daemon = daemon;
    door->listener.fd = fd;
    return true;
}

void door_tidy(struct door *door)
{
    for (size_t i = 0; i < DOOR_OLD_MAX; i++) {
        if (door->old[i] == NULL ||
            MHD_get_daemon_info(door->old[i], MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
                    ->num_connections > 0)
            continue;
        MHD_stop_daemon(door->old[i]);
        door->old[i] = NULL;
    }
}

void door_close(struct door *door)
{
    for (size_t i = 0; i < DOOR_OLD_MAX; i++)
        if (door->old[i] != NULL)
            MHD_stop_daemon(door->old[i]);
    MHD_stop_daemon(door->daemon);
    door->listener.fd = -1; /* the library has closed it */
    listener_close(&door->listener);
}
