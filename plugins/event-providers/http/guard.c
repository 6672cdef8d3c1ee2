/* guard - requests that must not be served.
 *
 * Happy path: the headers are visited once; lengths, hosts and names are looked at; Host and Origin
 * are compared, so that a page of somebody else's, or a name that was made to point here, cannot
 * use a browser of this machine (CSRF, DNS rebinding). What is wrong is answered, and the
 * connection closed.
 */
#include "guard.h"

#include "server.h"
#include "visit.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

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

    visit_began(exchange);
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
