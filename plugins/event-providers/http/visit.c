/* visit - connections, and how long they may take to ask.
 *
 * Happy path: each connection is in a list with what it does just now: it sends its headers, its
 * body, or waits for an answer. Twice a second those are ended that have taken too long to send,
 * however slowly their bytes come; the library's own limit sees only silence. Without memory a
 * connection has that limit only.
 */
#include "visit.h"

#include "server.h"

#include <stdlib.h>
#include <sys/socket.h>

enum phase { PHASE_HEADERS, PHASE_BODY, PHASE_WORK };

/* A connection. */
struct visit {
    struct visit *next, *previous;
    int fd;
    enum phase phase;
    int64_t since_ms;
};

enum MHD_Result visit_accept(void *user, const struct sockaddr *address, socklen_t size)
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

void visit_notify(void *user, struct MHD_Connection *connection, void **place,
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

void visit_began(const struct exchange *exchange)
{
    enter(exchange->server, exchange->connection, PHASE_BODY);
}

void visit_complete(const struct exchange *exchange)
{
    enter(exchange->server, exchange->connection, PHASE_WORK);
}

void visit_answered(const struct server *server, struct MHD_Connection *connection)
{
    enter(server, connection, PHASE_HEADERS);
}

void visit_sweep(struct server *server)
{
    for (struct visit *visit = server->visits; visit != NULL; visit = visit->next) {
        const int64_t ms = server->now_ms - visit->since_ms;

        if ((visit->phase == PHASE_HEADERS && ms > server->header_ms) ||
            (visit->phase == PHASE_BODY && ms > server->body_ms))
            (void)shutdown(visit->fd, SHUT_RDWR); /* the library sees its end, and closes it */
    }
}
