/* pages - the console: files that were built in, and nothing else.
 *
 * Happy path: the path is looked up in a table, so that none leads elsewhere; the bytes go out as
 * they lie in memory, compressed, with the policy that lets the page load only what comes from
 * here. A browser that has the file already is told so.
 */
#include "pages.h"

#include "console/console.h"

#include <stdio.h>
#include <string.h>

/* Does If-None-Match name this tag? */
static bool has_it(const struct exchange *exchange, const char *tag)
{
    const char *known = exchange_header(exchange, MHD_HTTP_HEADER_IF_NONE_MATCH);

    return known != NULL && strstr(known, tag) != NULL;
}

static bool takes_gzip(const struct exchange *exchange)
{
    const char *codings = exchange_header(exchange, MHD_HTTP_HEADER_ACCEPT_ENCODING);

    return codings != NULL && strstr(codings, "gzip") != NULL;
}

bool pages_has(const char *path)
{
    return console_find(path) != NULL;
}

void pages_get(struct exchange *exchange)
{
    const struct console_file *file = console_find(exchange->id);

    if (!takes_gzip(exchange)) {
        exchange_problem(exchange, MHD_HTTP_NOT_ACCEPTABLE, "the console is compressed: gzip");
        return;
    }
    exchange_set(exchange, MHD_HTTP_HEADER_ETAG, file->etag);
    exchange_set(exchange, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    exchange_set(exchange, "Content-Security-Policy", CONSOLE_POLICY);
    exchange_set(exchange, "X-Content-Type-Options", "nosniff");
    exchange_set(exchange, "Referrer-Policy", "no-referrer");
    if (has_it(exchange, file->etag)) {
        exchange_send_empty(exchange, MHD_HTTP_NOT_MODIFIED);
        return;
    }
    exchange_set(exchange, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    exchange_send_bytes(exchange, file->type, file->data, file->size);
}
