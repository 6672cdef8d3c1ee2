/* http - events, requests and telemetry over HTTP; the hub's face for programs and people.
 *
 * The plugin's table and life. What it does is in server.c, which call does what in routes.c. It
 * needs the extension "atamo.control/1", which a hub offers and a simulation does not: without it
 * the instance is there and does nothing.
 */
#include "server.h"

#include <stdlib.h>

static const atamo_option options[] = {
    {.name = "listen",
     .type = ATAMO_OPTION_LIST,
     .fallback = "127.0.0.1:8080",
     .about = "Addresses: 127.0.0.1:8080, [::1]:8080 or unix:/path; port 0 takes a free one."},
    {.name = "hosts",
     .type = ATAMO_OPTION_LIST,
     .about = "Further names of this service that a Host header may have."},
    {.name = "tls_certificate",
     .type = ATAMO_OPTION_TEXT,
     .fallback = "",
     .about = "A file with the certificate and those that vouch for it, PEM: then it speaks "
              "HTTPS. Read again when it changes."},
    {.name = "tls_key",
     .type = ATAMO_OPTION_TEXT,
     .fallback = "",
     .about = "The file with the certificate's key, PEM."},
    {.name = "max_body",
     .type = ATAMO_OPTION_SIZE,
     .fallback = "4MiB",
     .min = 1024,
     .max = 64 << 20,
     .about = "The largest body of a request."},
    {.name = "max_connections",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "12000",
     .min = 1,
     .max = 100000,
     .about = "Connections at once; more wait until one is closed."},
    {.name = "max_connections_per_address",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "12000",
     .min = 1,
     .max = 100000,
     .about = "Connections at once from one address."},
    {.name = "idle_timeout",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "60s",
     .min = 1000,
     .max = 3600000,
     .about = "A connection on which nothing moves for so long is closed."},
    {.name = "header_timeout",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "60s",
     .min = 1000,
     .max = 3600000,
     .about =
         "A connection that has not sent the headers of a request so long after it was opened, "
         "or after the request before, is closed."},
    {.name = "body_timeout",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "60s",
     .min = 1000,
     .max = 3600000,
     .about = "How long the body of a request may take to come."},
    {.name = "rate",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "0",
     .max = 10000000,
     .about = "Calls a second of each token, or of each address where no tokens are asked for; "
              "more are answered 429. 0: no limit."},
    {.name = "access_log",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "changes",
     .choices = "none|changes|all",
     .about = "Which calls become telemetry: those that change something, or were refused to "
              "somebody; all; none."},
    {.name = "history",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "65536",
     .min = 1024,
     .max = 1 << 24,
     .about = "Telemetry records to remember, for streams that resume and for paths of messages."},
    {.name = "keep",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "5m",
     .min = 1000,
     .max = 86400000,
     .about = "How long the results of a request are stored after its end, and a feed that nobody "
              "reads from goes on. A request may say otherwise."},
    {.name = "max_requests",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "10000",
     .min = 1,
     .max = 1000000,
     .about = "Requests whose results are stored at once."},
    {.name = "max_results",
     .type = ATAMO_OPTION_SIZE,
     .fallback = "256MiB",
     .min = 1 << 20,
     .max = INT64_C(1) << 40,
     .about = "How much is stored of the results of all requests; then the oldest go."},
};

static int create(const atamo_host *host, void **self)
{
    struct server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return ATAMO_NO_MEMORY;
    server->host = host;
    server->wake_fd = -1;
    server->control = host->extension(host, ATAMO_CONTROL_EXTENSION);
    server->access = host->extension(host, ATAMO_ACCESS_EXTENSION);
    server->is_local = true;
    server->json = host->extension(host, ATAMO_JSON_EXTENSION);
    *self = server;
    return ATAMO_OK;
}

static int start(void *self)
{
    struct server *server = self;

    if (server->control == NULL || server->json == NULL) {
        atamo_log(server->host, ATAMO_LOG_WARN, "this host has no hub to speak for");
        return ATAMO_OK;
    }
    server->hub = server->control->hub(server->host);
    return server_start(server);
}

static void drain(void *self)
{
    struct server *server = self;

    if (server->hub != NULL)
        server_stop(server);
    server->hub = NULL;
}

static void destroy(void *self)
{
    drain(self);
    free(self);
}

static const atamo_event_provider event_provider = {.size = sizeof event_provider};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,      .id = "http",
    .version = "1.0.0",     .summary = "Events, requests and telemetry over HTTP.",
    ATAMO_OPTIONS(options), .create = create,
    .start = start,         .drain = drain,
    .destroy = destroy,     .event_provider = &event_provider,
};
