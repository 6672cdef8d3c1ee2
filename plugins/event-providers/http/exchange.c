/* exchange - one HTTP request and its answer.
 *
 * Happy path: a handler asks for headers and arguments, and answers: with a text, a problem, or a
 * stream, at once or later; then the connection is resumed. A second answer is dropped. Without
 * memory the answer is 500, or the connection is closed.
 */
#include "exchange.h"

#include "server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BLOCK = 32 * 1024 };

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
