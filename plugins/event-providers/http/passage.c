/* passage - the way of a request through the service.
 *
 * Happy path: the headers are checked before the first byte of the body is taken, the route is
 * found, who asks may use it, the body is gathered, the handler is called. An answer that comes
 * later resumes the connection, which lets the library call once more. A request that is refused
 * early is answered at once and its connection closed, so that nothing behind it is taken for
 * another request.
 *
 * What can fail: memory (the connection is closed), the client (it goes away, which the library
 * notices only when it writes; so what a handler holds lives until then).
 */
#include "passage.h"

#include "access.h"
#include "caller.h"
#include "guard.h"
#include "routes.h"
#include "server.h"
#include "visit.h"

#include <stdlib.h>
#include <string.h>

enum { PATIENT_MAX = 512, PATIENCE_MS = 5 };

void *passage_begin(void *user, const char *target, struct MHD_Connection *connection)
{
    struct server *server = user;
    struct exchange *exchange = calloc(1, sizeof *exchange);

    if (exchange == NULL)
        return NULL;
    exchange->target = strdup(target);
    if (exchange->target == NULL) {
        free(exchange);
        return NULL;
    }
    exchange->server = server;
    exchange->connection = connection;
    exchange->next = server->exchanges;
    if (server->exchanges != NULL)
        server->exchanges->previous = exchange;
    server->exchanges = exchange;
    server->started++;
    return exchange;
}

void passage_end(void *user, struct MHD_Connection *connection, void **place,
                 enum MHD_RequestTerminationCode how)
{
    struct server *server = user;
    struct exchange *exchange = *place;

    (void)how;
    visit_answered(server, connection);
    if (exchange == NULL)
        return;
    *place = NULL;
    exchange->ended = true;
    if (exchange->drop != NULL)
        exchange->drop(exchange);
    if (exchange->previous != NULL)
        exchange->previous->next = exchange->next;
    else
        server->exchanges = exchange->next;
    if (exchange->next != NULL)
        exchange->next->previous = exchange->previous;
    if (exchange->response != NULL)
        MHD_destroy_response(exchange->response);
    text_free(&exchange->body);
    free(exchange->target);
    free(exchange);
}

/* Hand the answer to the library. */
static enum MHD_Result answer(struct exchange *exchange)
{
    struct MHD_Response *response = exchange->response;
    enum MHD_Result result;

    exchange->response = NULL;
    exchange->server->answered[exchange->status / 100 < 6 ? exchange->status / 100 : 0]++;
    access_tell(exchange);
    result = MHD_queue_response(exchange->connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Before the body: may it be served at all? */
static enum MHD_Result begin(struct exchange *exchange, const char *method, const char *version)
{
    exchange->begun = true;
    exchange->begun_us = access_clock();
    exchange->method = method;
    if (guard_request(exchange, method, version) && routes_find(exchange, method) &&
        caller_check(exchange))
        return MHD_YES;
    MHD_add_response_header(exchange->response, MHD_HTTP_HEADER_CONNECTION, "close");
    return answer(exchange);
}

static enum MHD_Result gather(struct exchange *exchange, const char *data, size_t *size)
{
    const struct server *server = exchange->server;

    if (exchange->response == NULL && exchange->body.size + *size > server->max_body)
        exchange_problem(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than %llu bytes",
                         (unsigned long long)server->max_body);
    if (exchange->response == NULL)
        text_add(&exchange->body, data, *size);
    *size = 0;
    return MHD_YES;
}

static void handle(struct exchange *exchange)
{
    exchange->handled = true;
    exchange->handled_ms = exchange->server->now_ms;
    visit_complete(exchange);
    if (exchange->body.failed)
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
    else
        exchange->route->handle(exchange);
}

/* Taking a connection out of the library's set and putting it back costs four system calls: one
 * that will be answered in a moment stays, and is looked at in every round. */
static enum MHD_Result wait_for_answer(struct exchange *exchange)
{
    struct server *server = exchange->server;

    if (exchange->brief && server->patient < PATIENT_MAX &&
        server->now_ms - exchange->handled_ms < PATIENCE_MS) {
        server->patient++;
        return MHD_YES;
    }
    exchange->suspended = true;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): eight parameters, as the library has it */
enum MHD_Result passage_go_on(void *user, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **place)
{
    struct exchange *exchange = *place;

    (void)user;
    (void)connection;
    (void)url;
    if (exchange == NULL)
        return MHD_NO;
    if (!exchange->begun)
        return begin(exchange, method, version);
    if (*size > 0)
        return gather(exchange, data, size);
    if (exchange->response == NULL && !exchange->handled)
        handle(exchange);
    exchange->suspended = false;
    return exchange->response != NULL ? answer(exchange) : wait_for_answer(exchange);
}
