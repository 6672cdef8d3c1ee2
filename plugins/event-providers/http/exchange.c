/* exchange - one HTTP request and its answer.
 *
 * Happy path: the headers are checked before the first byte of the body is taken, the route is
 * found, the body is gathered, the handler is called. An answer that comes later resumes the
 * connection, which lets the library call once more. A request that is refused early is answered at
 * once and its connection closed, so that nothing behind it is taken for another request.
 *
 * What can fail: memory (the connection is closed), the client (it goes away, which the library
 * notices only when it writes; so what a handler holds lives until then).
 */
#include "exchange.h"

#include "access.h"
#include "caller.h"
#include "guard.h"
#include "routes.h"
#include "server.h"
#include "visit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BLOCK = 32 * 1024, PATIENT_MAX = 512, PATIENCE_MS = 5 };

void *exchange_open(void *user, const char *target, struct MHD_Connection *connection)
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

void exchange_close(void *user, struct MHD_Connection *connection, void **place,
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

/* --- the way of a request */

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
enum MHD_Result exchange_go_on(void *user, struct MHD_Connection *connection, const char *url,
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

/* --- what was asked */

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *exchange_argument(const struct exchange *exchange, const char *name)
{
    const char *value =
        MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

bool exchange_count(struct exchange *exchange, const char *name, uint64_t most, uint64_t fallback,
                    uint64_t *count)
{
    const char *text = exchange_argument(exchange, name);
    char *end;

    *count = fallback;
    if (text == NULL)
        return true;
    *count = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && *count <= most)
        return true;
    exchange_problem(exchange, MHD_HTTP_BAD_REQUEST,
                     "\"%s\" is \"%.40s\", expected a number up to %llu", name, text,
                     (unsigned long long)most);
    return false;
}

bool exchange_duration(struct exchange *exchange, const char *name, uint64_t most,
                       uint64_t fallback, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const char *text = exchange_argument(exchange, name);
    char *end;
    uint64_t number;

    *ms = fallback;
    if (text == NULL)
        return true;
    number = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (text[0] < '0' || text[0] > '9' || strcmp(end, units[i].unit) != 0 ||
            number > most / units[i].ms)
            continue;
        *ms = number * units[i].ms;
        return true;
    }
    exchange_problem(exchange, MHD_HTTP_BAD_REQUEST,
                     "\"%s\" is \"%.40s\", expected a duration such as 250ms or 5s, at most %llus",
                     name, text, (unsigned long long)(most / 1000));
    return false;
}

/* --- the answer */

void exchange_set(struct exchange *exchange, const char *name, const char *value)
{
    if (exchange->header_count == EXCHANGE_HEADERS_MAX)
        return;
    exchange->headers[exchange->header_count].name = name;
    (void)snprintf(exchange->headers[exchange->header_count].value,
                   sizeof exchange->headers[0].value, "%s", value);
    exchange->header_count++;
}

/* The connection is to be looked at again. */
static void resume(struct exchange *exchange)
{
    exchange->server->resumed = true;
    if (exchange->suspended)
        MHD_resume_connection(exchange->connection);
}

static void put_response(struct exchange *exchange, unsigned status, const char *type,
                         struct MHD_Response *response)
{
    if (response == NULL || exchange->response != NULL) {
        if (response != NULL)
            MHD_destroy_response(response);
        return;
    }
    if (type != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (size_t i = 0; i < exchange->header_count; i++)
        (void)MHD_add_response_header(response, exchange->headers[i].name,
                                      exchange->headers[i].value);
    exchange->status = status;
    exchange->response = response;
    resume(exchange);
}

void exchange_send(struct exchange *exchange, unsigned status, const char *type, struct text *text)
{
    struct MHD_Response *response;

    if (exchange->ended || text->failed) {
        const bool failed = text->failed;

        text_free(text);
        if (!exchange->ended && failed)
            exchange_send_empty(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }
    response = MHD_create_response_from_buffer(text->size, text->data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        text_free(text);
    *text = (struct text){0};
    put_response(exchange, status, type, response);
}

void exchange_send_json(struct exchange *exchange, unsigned status, struct text *text)
{
    exchange_send(exchange, status, "application/json", text);
}

void exchange_send_bytes(struct exchange *exchange, const char *type, const void *data, size_t size)
{
    put_response(
        exchange, MHD_HTTP_OK, type,
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)data, MHD_RESPMEM_PERSISTENT));
}

void exchange_send_empty(struct exchange *exchange, unsigned status)
{
    put_response(
        exchange, status, NULL,
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT));
}

void exchange_problem(struct exchange *exchange, unsigned status, const char *format, ...)
{
    struct text text = {0};
    char detail[512];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(detail, sizeof detail, format, list);
    va_end(list);
    text_open(&text, NULL, '{');
    text_string(&text, "type", "about:blank");
    text_string(&text, "title", MHD_get_reason_phrase_for(status));
    text_uint(&text, "status", status);
    text_string(&text, "detail", detail);
    text_close(&text, '}');
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS)
        exchange_set(exchange, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    exchange_send(exchange, status, "application/problem+json", &text);
}

unsigned exchange_status(int status)
{
    static const struct {
        int status;
        unsigned http;
    } table[] = {
        {ATAMO_BUSY, MHD_HTTP_TOO_MANY_REQUESTS},
        {ATAMO_INVALID, MHD_HTTP_UNPROCESSABLE_CONTENT},
        {ATAMO_NOT_FOUND, MHD_HTTP_NOT_FOUND},
        {ATAMO_EXISTS, MHD_HTTP_CONFLICT},
        {ATAMO_DENIED, MHD_HTTP_FORBIDDEN},
        {ATAMO_GONE, MHD_HTTP_GONE},
        {ATAMO_TIMEOUT, MHD_HTTP_GATEWAY_TIMEOUT},
        {ATAMO_TOO_LARGE, MHD_HTTP_CONTENT_TOO_LARGE},
        {ATAMO_UNSUPPORTED, MHD_HTTP_NOT_IMPLEMENTED},
        {ATAMO_CONFLICT, MHD_HTTP_PRECONDITION_FAILED},
        {ATAMO_CLOSED, MHD_HTTP_SERVICE_UNAVAILABLE},
        {ATAMO_FULL, MHD_HTTP_SERVICE_UNAVAILABLE},
        {ATAMO_IO, MHD_HTTP_SERVICE_UNAVAILABLE},
        {ATAMO_NO_MEMORY, MHD_HTTP_SERVICE_UNAVAILABLE},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].status == status)
            return table[i].http;
    return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

void exchange_failed(struct exchange *exchange, int status, const char *what)
{
    exchange_problem(exchange, exchange_status(status), "%s",
                     what[0] != '\0' ? what : atamo_status_text(status));
}

/* --- streams */

struct stream {
    struct exchange *exchange;
    exchange_read read;
};

static ssize_t read_stream(void *user, uint64_t position, char *out, size_t size)
{
    const struct stream *stream = user;
    struct exchange *exchange = stream->exchange;
    ssize_t count;

    (void)position;
    count = stream->read(exchange, out, size);
    if (count > 0)
        return count;
    if (count < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    exchange->suspended = true;
    MHD_suspend_connection(exchange->connection);
    return 0;
}

void exchange_stream(struct exchange *exchange, const char *type, exchange_read read)
{
    struct stream *stream = malloc(sizeof *stream);
    struct MHD_Response *response;

    if (stream == NULL) {
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return;
    }
    stream->exchange = exchange;
    stream->read = read;
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                                 stream, free);
    if (response == NULL) {
        free(stream);
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return;
    }
    exchange_set(exchange, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    exchange_set(exchange, "X-Accel-Buffering", "no");
    put_response(exchange, MHD_HTTP_OK, type, response);
}

void exchange_wake(struct exchange *exchange)
{
    if (!exchange->suspended)
        return;
    exchange->suspended = false;
    exchange->server->resumed = true;
    MHD_resume_connection(exchange->connection);
}
