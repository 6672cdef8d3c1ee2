/* http_client - one small face over libcurl: a call with an answer, and a stream of events.
 *
 * Happy path: one handle is kept, so that questions that follow each other share a connection; each
 * sets it up anew, adds its headers, and gathers the answer's body or feeds it to the reader of
 * events. Redirects are not followed: a token goes to nobody but the hub that was named. A hub on
 * this machine is asked without any proxy. What changes something is sent once, whatever happens.
 * What fails below HTTP is a status and a sentence; what a hub answers is an answer, also if it is
 * a refusal. A stream that is silent for longer than the hub's pings allow is a connection that was
 * lost.
 */
#include "cli/http_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_MS = 10000, CALL_MS = 30000, SILENT_S = 45, URL_MAX = 8192 };

struct http_client {
    CURL *curl;
    char *base; /* what paths are added to */
    char *socket;
    char *authorization; /* "Authorization: Bearer ..."; NULL: none */
    char *cacert;
    bool is_local;
    bool (*stop)(void *user);
    void *stop_user;
    char reason[CURL_ERROR_SIZE];
};

/* One call while it is under way. */
struct exchange {
    struct http_client *client;
    struct http_answer *answer;
    struct sse *sse; /* NULL: no stream */
    bool is_stream;
    int status; /* why bytes were not taken */
};

/* --- open, close */

static char *joined(const char *first, const char *second)
{
    const size_t size = strlen(first) + strlen(second) + 1;
    char *text = malloc(size);

    if (text != NULL)
        (void)snprintf(text, size, "%s%s", first, second);
    return text;
}

static bool is_local(const char *url)
{
    static const char *const hosts[] = {"127.", "localhost", "[::1]"};
    const char *host = strstr(url, "://");

    for (size_t i = 0; host != NULL && i < sizeof hosts / sizeof hosts[0]; i++)
        if (strncasecmp(host + 3, hosts[i], strlen(hosts[i])) == 0)
            return true;
    return false;
}

static bool copy_settings(struct http_client *client, const struct http_settings *settings)
{
    static const char scheme[] = "unix:";
    const bool is_socket = strncmp(settings->url, scheme, sizeof scheme - 1) == 0;
    size_t size;

    client->base = joined(is_socket ? "http://localhost" : settings->url, "");
    if (is_socket)
        client->socket = joined(settings->url + sizeof scheme - 1, "");
    if (settings->token != NULL)
        client->authorization = joined("Authorization: Bearer ", settings->token);
    if (settings->cacert != NULL)
        client->cacert = joined(settings->cacert, "");
    if (client->base == NULL || (is_socket && client->socket == NULL) ||
        (settings->token != NULL && client->authorization == NULL) ||
        (settings->cacert != NULL && client->cacert == NULL))
        return false;
    client->is_local = is_socket || is_local(client->base);
    for (size = strlen(client->base); size > 0 && client->base[size - 1] == '/'; size--)
        client->base[size - 1] = '\0';
    return true;
}

int http_open(const struct http_settings *settings, struct http_client **client)
{
    struct http_client *made = calloc(1, sizeof *made);

    *client = made;
    if (made != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        made->curl = curl_easy_init();
        if (made->curl != NULL && copy_settings(made, settings))
            return ATAMO_OK;
        http_close(made);
    } else {
        free(made);
    }
    *client = NULL;
    return ATAMO_NO_MEMORY;
}

void http_close(struct http_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_global_cleanup();
    free(client->base);
    free(client->socket);
    free(client->authorization);
    free(client->cacert);
    free(client);
}

void http_stop_when(struct http_client *client, bool (*stop)(void *user), void *user)
{
    client->stop = stop;
    client->stop_user = user;
}

const char *http_reason(const struct http_client *client)
{
    return client->reason;
}

void http_answer_free(struct http_answer *answer)
{
    buffer_free(&answer->body);
}

/* --- what libcurl calls */

/* The type that libcurl wants: curl_write_callback. */
static size_t take_bytes(char *bytes, /* NOLINT(readability-non-const-parameter) */
                         size_t size, size_t count, void *user)
{
    struct exchange *exchange = user;
    const atamo_bytes piece = {bytes, size * count};
    long code = 0;
    const char *type = NULL;

    (void)curl_easy_getinfo(exchange->client->curl, CURLINFO_RESPONSE_CODE, &code);
    (void)curl_easy_getinfo(exchange->client->curl, CURLINFO_CONTENT_TYPE, &type);
    exchange->is_stream = exchange->sse != NULL && code == 200 && type != NULL &&
                          strncasecmp(type, "text/event-stream", 17) == 0;
    if (exchange->is_stream)
        exchange->status = sse_feed(exchange->sse, piece);
    else
        exchange->status = buffer_add(&exchange->answer->body, piece, HTTP_ANSWER_MAX);
    return exchange->status == ATAMO_OK ? piece.size : 0;
}

static int look(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
    const struct http_client *client = user;

    (void)total;
    (void)now;
    (void)up_total;
    (void)up;
    return client->stop != NULL && client->stop(client->stop_user) ? 1 : 0;
}

/* --- a call */

static int status_of(const struct exchange *exchange, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return ATAMO_OK;
    case CURLE_WRITE_ERROR:
        return exchange->status != ATAMO_OK ? exchange->status : ATAMO_IO;
    case CURLE_ABORTED_BY_CALLBACK:
        return ATAMO_GONE;
    case CURLE_OPERATION_TIMEDOUT:
        return ATAMO_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return ATAMO_NO_MEMORY;
    default:
        return ATAMO_IO;
    }
}

/* Add a header; false without memory. */
static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
    char *line = joined(name, value);
    struct curl_slist *longer = line == NULL ? NULL : curl_slist_append(*headers, line);

    free(line);
    if (longer != NULL)
        *headers = longer;
    return longer != NULL;
}

static void set_up(struct http_client *client, struct exchange *exchange, const char *url)
{
    CURL *curl = client->curl;

    curl_easy_reset(curl);
    client->reason[0] = '\0';
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "atamo");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
    if (client->is_local)
        (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (client->socket != NULL)
        (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
    if (client->cacert != NULL)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, client->cacert);
}

static int perform(struct exchange *exchange, const struct curl_slist *headers)
{
    struct http_client *client = exchange->client;
    curl_off_t after = 0;
    CURLcode code;

    (void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    code = curl_easy_perform(client->curl);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &exchange->answer->code);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &after);
    exchange->answer->retry_after_ms = after > 0 ? (int64_t)after * 1000 : -1;
    if (client->reason[0] == '\0')
        (void)snprintf(client->reason, sizeof client->reason, "%s", curl_easy_strerror(code));
    return status_of(exchange, code);
}

/* The whole address; false if it is too long. */
static bool address(const struct http_client *client, const char *path, char url[URL_MAX])
{
    return snprintf(url, URL_MAX, "%s%s", client->base, path) < URL_MAX;
}

static void set_body(CURL *curl, const struct http_call *call)
{
    if (call->method != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
        /* On a connection that was kept libcurl would send it again if that was closed. */
        (void)curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    }
    if (call->content_type == NULL && (call->method == NULL || strcmp(call->method, "POST") != 0))
        return;
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.size > 0 ? call->body.data : "");
}

int http_call(struct http_client *client, const struct http_call *call, struct http_answer *answer)
{
    struct exchange exchange = {.client = client, .answer = answer};
    struct curl_slist *headers = NULL;
    char url[URL_MAX];
    int status = ATAMO_NO_MEMORY;

    *answer = (struct http_answer){.retry_after_ms = -1};
    if (!address(client, call->path, url))
        return ATAMO_TOO_LARGE;
    if (add_header(&headers, "Accept: ", "application/json, application/problem+json") &&
        add_header(&headers, "Expect:", "") &&
        (client->authorization == NULL || add_header(&headers, client->authorization, "")) &&
        add_header(&headers, call->content_type == NULL ? "Content-Type:" : "Content-Type: ",
                   call->content_type == NULL ? "" : call->content_type)) {
        set_up(client, &exchange, url);
        set_body(client->curl, call);
        (void)curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)(CALL_MS + call->wait_ms));
        status = perform(&exchange, headers);
    }
    curl_slist_free_all(headers);
    if (status != ATAMO_OK)
        http_answer_free(answer);
    return status;
}

int http_stream(struct http_client *client, const char *path, const char *after, struct sse *sse,
                struct http_answer *answer)
{
    struct exchange exchange = {.client = client, .answer = answer, .sse = sse};
    struct curl_slist *headers = NULL;
    char url[URL_MAX];
    int status = ATAMO_NO_MEMORY;

    *answer = (struct http_answer){.retry_after_ms = -1};
    if (!address(client, path, url))
        return ATAMO_TOO_LARGE;
    if (add_header(&headers, "Accept: ", "text/event-stream") &&
        (client->authorization == NULL || add_header(&headers, client->authorization, "")) &&
        (after == NULL || add_header(&headers, "Last-Event-ID: ", after))) {
        set_up(client, &exchange, url);
        (void)curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        (void)curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
        status = perform(&exchange, headers);
    }
    curl_slist_free_all(headers);
    if (status != ATAMO_OK)
        http_answer_free(answer);
    return status;
}
