/* access - who did what through this service, as telemetry.
 *
 * Happy path: a call that changes something (but sends an event, which has telemetry of its own)
 * and a call that was refused to somebody become a step with user, method, path, address, status
 * and time. With `access_log: all` every call does. Neither headers nor bodies are told, so no
 * secret is. So that nobody can flood telemetry by being refused, only some of those in a second
 * are told.
 */
#include "access.h"

#include "routes.h"
#include "server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { REFUSED_A_SECOND = 20, TARGET_SHOWN = 300 };

uint64_t access_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static bool is_refused(const struct exchange *exchange)
{
    return exchange->status == MHD_HTTP_UNAUTHORIZED || exchange->status == MHD_HTTP_FORBIDDEN ||
           exchange->status == MHD_HTTP_MISDIRECTED_REQUEST;
}

static bool changes(const struct exchange *exchange)
{
    const struct route *route = exchange->route;

    return route != NULL && strcmp(route->method, "GET") != 0 && route->handle != events_post &&
           route->handle != requests_post;
}

static bool is_wanted(const struct exchange *exchange)
{
    struct server *server = exchange->server;

    if (server->access_log == ACCESS_NONE)
        return false;
    if (!is_refused(exchange))
        return server->access_log == ACCESS_ALL || changes(exchange);
    if (server->now_ms - server->refused_since_ms >= 1000) {
        server->refused_since_ms = server->now_ms;
        server->refused = 0;
    }
    return server->refused++ < REFUSED_A_SECOND;
}

static void put_address(const struct exchange *exchange, char address[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = info == NULL ? NULL : info->client_addr;

    (void)snprintf(address, INET6_ADDRSTRLEN, "unix");
    if (from != NULL && from->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr,
                        address, INET6_ADDRSTRLEN);
    else if (from != NULL && from->sa_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
                        address, INET6_ADDRSTRLEN);
}

void access_tell(const struct exchange *exchange)
{
    const struct server *server = exchange->server;
    char address[INET6_ADDRSTRLEN];
    char what[512];

    if (!is_wanted(exchange))
        return;
    put_address(exchange, address);
    (void)snprintf(what, sizeof what, "%.16s %.*s from %s", exchange->method, TARGET_SHOWN,
                   exchange->target, address);
    (void)server->control->access(server->hub, exchange->user, what, exchange->status,
                                  access_clock() - exchange->begun_us);
}
