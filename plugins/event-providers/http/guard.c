/* guard - who may come in, with what, and how long it may take.
 *
 * Happy path: the headers are visited once; lengths, hosts and names are looked at; Host and Origin
 * are compared, so that a page of somebody else's, or a name that was made to point here, cannot
 * use a browser of this machine (CSRF, DNS rebinding). A connection has a limited time to send its
 * headers, and then its body, however slowly the bytes come.
 */
#include "guard.h"

#include "routes.h"
#include "server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum phase { PHASE_HEADERS, PHASE_BODY, PHASE_WORK };

/* A connection. */
struct visit {
    struct visit *next, *previous;
    int fd;
    enum phase phase;
    int64_t since_ms;
};

/* --- connections */

enum MHD_Result guard_accept(void *user, const struct sockaddr *address, socklen_t size)
{
    const struct server *server = user;

    (void)address;
    (void)size;
    return atomic_load(&server->stopping) ? MHD_NO : MHD_YES;
}

static struct visit *visit_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? NULL : info->socket_context;
}

static void visit_begin(struct server *server, struct MHD_Connection *connection, void **place)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct visit *visit = calloc(1, sizeof *visit);

    *place = visit;
    if (visit == NULL || info == NULL)
        return; /* it has no time limit of its own, but that of the library */
    visit->fd = info->connect_fd;
    visit->since_ms = server->now_ms;
    visit->next = server->visits;
    if (server->visits != NULL)
        server->visits->previous = visit;
    server->visits = visit;
    server->visit_count++;
}

static void visit_end(struct server *server, struct visit *visit)
{
    if (visit->previous != NULL)
        visit->previous->next = visit->next;
    else
        server->visits = visit->next;
    if (visit->next != NULL)
        visit->next->previous = visit->previous;
    server->visit_count--;
    free(visit);
}

void guard_connection(void *user, struct MHD_Connection *connection, void **place,
                      enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        visit_begin(user, connection, place);
    else if (*place != NULL)
        visit_end(user, *place);
}

static void enter(const struct server *server, struct MHD_Connection *connection, enum phase phase)
{
    struct visit *visit = visit_of(connection);

    if (visit == NULL)
        return;
    visit->phase = phase;
    visit->since_ms = server->now_ms;
}

void guard_complete(const struct exchange *exchange)
{
    enter(exchange->server, exchange->connection, PHASE_WORK);
}

void guard_ended(const struct server *server, struct MHD_Connection *connection)
{
    enter(server, connection, PHASE_HEADERS);
}

void guard_sweep(struct server *server)
{
    for (struct visit *visit = server->visits; visit != NULL; visit = visit->next) {
        const int64_t ms = server->now_ms - visit->since_ms;

        if ((visit->phase == PHASE_HEADERS && ms > server->header_ms) ||
            (visit->phase == PHASE_BODY && ms > server->body_ms))
            (void)shutdown(visit->fd, SHUT_RDWR); /* the library sees its end, and closes it */
    }
}

/* --- headers */

struct headers {
    unsigned lengths, codings, hosts;
    const char *end;   /* of the line before, in the library's memory; NULL: not looked at */
    const char *wrong; /* what is wrong with one of them; NULL: nothing */
};

/* Version 0.9.75 of the library cuts a header at a NUL, leaves out one without a name, and reads
 * "Content-Length: 5", continued in a second line " x", as "Content-Lengthx: 5": the body is then
 * taken for the next request. It reads headers in place, so what it took is compared with where it
 * stood: each line begins two bytes, CR LF, behind the one before. */
static bool reads_in_place(void)
{
    return strcmp(MHD_get_version(), "0.9.75") == 0;
}

static bool is_whole_line(struct headers *headers, const char *name, size_t name_size,
                          const char *value, size_t size)
{
    const char *before = headers->end;
    const char *at = name + name_size + 1;

    if (before == NULL)
        return true;
    headers->end = value + size;
    if ((uintptr_t)name != (uintptr_t)before + 2 || (uintptr_t)value < (uintptr_t)at)
        return false;
    while (at < value && (*at == ' ' || *at == '\t'))
        at++;
    return at == value;
}

/* Is there nothing but an empty line behind the last header? */
static bool is_whole(const struct exchange *exchange, const struct headers *headers,
                     const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return headers->end == NULL || info == NULL ||
           (uintptr_t)headers->end + 4 == (uintptr_t)method + info->header_size;
}

/* A name is a token (RFC 9110, 5.6.2). */
static bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (isalnum((unsigned char)text[i]) == 0 &&
            (text[i] == '\0' || strchr("!#$%&'*+-.^_`|~", text[i]) == NULL))
            return false;
    return size > 0;
}

static bool is_digits(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return size > 0;
}

/* No control characters but tabs (RFC 9110, 5.5). */
static bool is_field_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 127)
            return false;
    return true;
}

static enum MHD_Result look_at_header(void *user, enum MHD_ValueKind kind, const char *name,
                                      size_t name_size, const char *value, size_t size)
{
    struct headers *headers = user;

    (void)kind;
    if (value == NULL) {
        headers->wrong = "a header has no value";
    } else if (!is_token(name, name_size)) {
        headers->wrong = "the name of a header is not a token";
    } else if (!is_whole_line(headers, name, name_size, value, size)) {
        headers->wrong = "a header is not a line of its own";
    } else if (!is_field_value(value, size)) {
        headers->wrong = "a header holds a control character";
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        headers->lengths++;
        if (!is_digits(value, size))
            headers->wrong = "Content-Length is not a number";
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        headers->codings++;
        if (strcasecmp(value, "chunked") != 0)
            headers->wrong = "the only transfer coding is chunked";
    } else if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        headers->hosts++;
    }
    return headers->wrong == NULL ? MHD_YES : MHD_NO;
}

static const char *wrong_with(const struct exchange *exchange, const char *method,
                              const char *version)
{
    struct headers headers = {.end = reads_in_place() ? version + strlen(version) : NULL};

    (void)MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, look_at_header,
                                      &headers);
    if (headers.wrong != NULL)
        return headers.wrong;
    if (!is_whole(exchange, &headers, method))
        return "a header is not a line of its own";
    if (headers.lengths > 1)
        return "more than one Content-Length";
    if (headers.lengths > 0 && headers.codings > 0)
        return "Content-Length and Transfer-Encoding";
    if (headers.codings > 1)
        return "more than one Transfer-Encoding";
    if (headers.hosts > 1 || (headers.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0))
        return "a request has one Host";
    return NULL;
}

/* --- Host and Origin */

static bool is_unix(const struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info == NULL || info->client_addr == NULL || info->client_addr->sa_family == AF_UNIX;
}

/* Numbers cannot be made to point elsewhere; of names only those that are known. */
static bool is_own_name(const struct server *server, const char *host)
{
    const atamo_host *hub = server->host;
    char name[256];
    char *end;
    union {
        struct in_addr in4;
        struct in6_addr in6;
    } address;

    if (snprintf(name, sizeof name, "%s", host) >= (int)sizeof name)
        return false;
    if (name[0] == '[') {
        end = strchr(name, ']');
        if (end == NULL)
            return false;
        *end = '\0';
        return inet_pton(AF_INET6, name + 1, &address) == 1;
    }
    end = strchr(name, ':');
    if (end != NULL)
        *end = '\0';
    if (strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &address) == 1)
        return true;
    for (size_t i = 0; i < hub->count(hub, "hosts"); i++)
        if (strcasecmp(name, hub->text_at(hub, "hosts", i).data) == 0)
            return true;
    return false;
}

/* A browser says where a page came from: only from here may it use this service. */
static bool is_own_page(const struct exchange *exchange, const char *host)
{
    const char *origin = exchange_header(exchange, MHD_HTTP_HEADER_ORIGIN);
    const char *site = exchange_header(exchange, "Sec-Fetch-Site");
    const char *name;

    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return false;
    if (origin == NULL)
        return true;
    name = strstr(origin, "://");
    return name != NULL && strcasecmp(name + 3, host) == 0;
}

/* Who asks first whether to send a body need not be told to send one that is too large. */
static bool expects_too_much(const struct exchange *exchange)
{
    const char *length = exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return length != NULL && exchange_header(exchange, MHD_HTTP_HEADER_EXPECT) != NULL &&
           strtoull(length, NULL, 10) > exchange->server->max_body;
}

bool guard_request(struct exchange *exchange, const char *method, const char *version)
{
    const char *wrong = wrong_with(exchange, method, version);
    const char *host = exchange_header(exchange, MHD_HTTP_HEADER_HOST);

    enter(exchange->server, exchange->connection, PHASE_BODY);
    if (wrong != NULL) {
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "%s", wrong);
        return false;
    }
    if (expects_too_much(exchange)) {
        exchange_problem(exchange, MHD_HTTP_CONTENT_TOO_LARGE,
                         "the body would be larger than %llu bytes",
                         (unsigned long long)exchange->server->max_body);
        return false;
    }
    if (host != NULL && !is_unix(exchange) && !is_own_name(exchange->server, host)) {
        exchange_problem(exchange, MHD_HTTP_MISDIRECTED_REQUEST,
                         "\"%.80s\" is no name of this service: see its option hosts", host);
        return false;
    }
    if (!is_own_page(exchange, host == NULL ? "" : host)) {
        exchange_problem(exchange, MHD_HTTP_FORBIDDEN,
                         "pages from elsewhere may not use this service");
        return false;
    }
    return true;
}

/* --- who asks */

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

bool guard_scope(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    const struct route *route = exchange->route;
    atamo_identity who = {.size = sizeof who};

    if (route->scope == 0)
        return true;
    if (server->access == NULL || server->access->required(server->host) == 0) {
        if (server->is_local)
            return true;
        exchange_problem(exchange, MHD_HTTP_FORBIDDEN,
                         "this can be reached from elsewhere, and no tokens are configured");
        return false;
    }
    if (!know(exchange, &who))
        return false;
    if ((who.scopes & route->scope) == 0) {
        exchange_problem(exchange, MHD_HTTP_FORBIDDEN, "the token does not allow %s",
                         atamo_scope_name(route->scope));
        return false;
    }
    if (who.tenant[0] != '\0' && sees_all(route)) {
        exchange_problem(exchange, MHD_HTTP_FORBIDDEN,
                         "this tells of all tenants, and the token is for one");
        return false;
    }
    return true;
}
