/* caller - who asks, and may he?
 *
 * Happy path: the token is somebody's, it has the scope that the route wants, and its owner has not
 * asked too often. Where no tokens are configured, everybody on this machine may do everything.
 * Otherwise: 401, 403 or 429, with a sentence.
 */
#include "caller.h"

#include "routes.h"
#include "server.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool refuse_stranger(struct exchange *exchange, const char *why)
{
    exchange_set(exchange, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"atamo\"");
    exchange_problem(exchange, MHD_HTTP_UNAUTHORIZED, "%s", why);
    return false;
}

/* Whose token came with it? False: nobody's, and it is answered. */
static bool know(struct exchange *exchange, atamo_identity *who)
{
    const struct server *server = exchange->server;
    const char *header = exchange_header(exchange, MHD_HTTP_HEADER_AUTHORIZATION);

    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
        return refuse_stranger(exchange, "this asks for a token: Authorization: Bearer TOKEN");
    if (server->access->check(server->host, atamo_text(header + 7), who) != ATAMO_OK)
        return refuse_stranger(exchange, "the token is nobody's, or it has expired");
    (void)snprintf(exchange->user, sizeof exchange->user, "%s", who->user);
    (void)snprintf(exchange->tenant, sizeof exchange->tenant, "%s", who->tenant);
    return true;
}

/* What telemetry tells is of all tenants. */
static bool sees_all(const struct route *route)
{
    return (route->scope & (ATAMO_SCOPE_EVENTS_WRITE | ATAMO_SCOPE_REQUESTS_WRITE)) == 0;
}

/* A limit of calls is for each token, or for each address where there are none. */
static uint64_t key_of(const struct exchange *exchange, const atamo_identity *who)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = info == NULL ? NULL : info->client_addr;

    if (who->token_id[0] != '\0')
        return limiter_key(who->token_id, strlen(who->token_id));
    if (from != NULL && from->sa_family == AF_INET)
        return limiter_key(&((const struct sockaddr_in *)(const void *)from)->sin_addr,
                           sizeof(struct in_addr));
    if (from != NULL && from->sa_family == AF_INET6)
        return limiter_key(&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
                           sizeof(struct in6_addr));
    return 1; /* Unix sockets together */
}

static bool may_call_now(struct exchange *exchange, const atamo_identity *who)
{
    struct server *server = exchange->server;

    if (limiter_take(&server->limiter, key_of(exchange, who), server->now_ms))
        return true;
    exchange_problem(exchange, MHD_HTTP_TOO_MANY_REQUESTS, "more than %llu calls a second",
                     (unsigned long long)server->limiter.rate);
    return false;
}

/* May the owner of this token do what the route does? */
static bool is_allowed(struct exchange *exchange, const atamo_identity *who)
{
    const struct route *route = exchange->route;

    if ((who->scopes & route->scope) == 0) {
        exchange_problem(exchange, MHD_HTTP_FORBIDDEN, "the token does not allow %s",
                         atamo_scope_name(route->scope));
        return false;
    }
    if (who->tenant[0] != '\0' && sees_all(route)) {
        exchange_problem(exchange, MHD_HTTP_FORBIDDEN,
                         "this tells of all tenants, and the token is for one");
        return false;
    }
    return true;
}

bool caller_check(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_identity who = {.size = sizeof who};

    if (exchange->route->scope == 0)
        return true;
    if (server->access == NULL || server->access->required(server->host) == 0) {
        if (server->is_local)
            return may_call_now(exchange, &who);
        exchange_problem(exchange, MHD_HTTP_FORBIDDEN,
                         "this can be reached from elsewhere, and no tokens are configured");
        return false;
    }
    return know(exchange, &who) && may_call_now(exchange, &who) && is_allowed(exchange, &who);
}
