/* routes - which call is meant by method and path.
 *
 * Happy path: the path, as it came, is compared with each pattern; what stands for the * is decoded
 * only then, so that an encoded slash or dot is a part of a name and never of the path. Otherwise:
 * 404, or 405 with the methods that there are.
 */
#include "routes.h"

#include "pages.h"
#include "percent.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

static const struct route routes[] = {
    {"POST", "/v1/events", ATAMO_SCOPE_EVENTS_WRITE, events_post},
    {"GET", "/v1/events/*", ATAMO_SCOPE_TELEMETRY_READ, events_get},
    {"GET", "/v1/events/*/why", ATAMO_SCOPE_TELEMETRY_READ, events_why},
    {"GET", "/v1/telemetry", ATAMO_SCOPE_TELEMETRY_READ, telemetry_get},
    {"GET", "/v1/stats", ATAMO_SCOPE_TELEMETRY_READ, stats_get},
    {"GET", "/v1/agents", ATAMO_SCOPE_TELEMETRY_READ, agents_get},
    {"POST", "/v1/agents/*:pause", ATAMO_SCOPE_AGENTS_MANAGE, agents_pause},
    {"POST", "/v1/agents/*:resume", ATAMO_SCOPE_AGENTS_MANAGE, agents_resume},
    {"POST", "/v1/agents/*:drain", ATAMO_SCOPE_AGENTS_MANAGE, agents_drain},
    {"GET", "/v1/rules", ATAMO_SCOPE_RULES_READ, rules_list},
    {"POST", "/v1/rules:test", ATAMO_SCOPE_RULES_READ, rules_test},
    {"GET", "/v1/rules/*", ATAMO_SCOPE_RULES_READ, rules_show},
    {"GET", "/v1/rules/*/versions", ATAMO_SCOPE_RULES_READ, rules_versions},
    {"POST", "/v1/rules/*:rollback", ATAMO_SCOPE_RULES_WRITE, rules_rollback},
    {"PUT", "/v1/rules/*", ATAMO_SCOPE_RULES_WRITE, rules_put},
    {"DELETE", "/v1/rules/*", ATAMO_SCOPE_RULES_WRITE, rules_delete},
    {"POST", "/v1/requests", ATAMO_SCOPE_REQUESTS_WRITE, requests_post},
    {"GET", "/v1/requests/*", ATAMO_SCOPE_REQUESTS_WRITE, requests_get},
    {"GET", "/v1/requests/*/stream", ATAMO_SCOPE_REQUESTS_WRITE, requests_stream},
    {"DELETE", "/v1/requests/*", ATAMO_SCOPE_REQUESTS_WRITE, requests_delete},
    {"GET", "/v1/dead-letters", ATAMO_SCOPE_TELEMETRY_READ, dead_list},
    {"POST", "/v1/dead-letters:replay", ATAMO_SCOPE_DEAD_MANAGE, dead_replay_many},
    {"GET", "/v1/dead-letters/*", ATAMO_SCOPE_TELEMETRY_READ, dead_show},
    {"POST", "/v1/dead-letters/*:replay", ATAMO_SCOPE_DEAD_MANAGE, dead_replay},
    {"DELETE", "/v1/dead-letters/*", ATAMO_SCOPE_DEAD_MANAGE, dead_drop},
    {"GET", "/health", 0, health_get},
    {"GET", "/ready", 0, ready_get},
    {"GET", "/metrics", ATAMO_SCOPE_TELEMETRY_READ, metrics_get},
    {"GET", "/openapi.json", 0, openapi_get},
};

static const struct route page = {"GET", "", 0, pages_get};

/* Does a path of that size look like the pattern? What stands for the * goes to *part. */
static bool is_like(const char *pattern, const char *path, size_t size, atamo_bytes *part)
{
    const char *star = strchr(pattern, '*');
    const size_t before = star == NULL ? strlen(pattern) : (size_t)(star - pattern);
    const size_t after = star == NULL ? 0 : strlen(star + 1);

    *part = (atamo_bytes){"", 0};
    if (size < before + after || strncmp(path, pattern, before) != 0)
        return false;
    if (star == NULL)
        return size == before;
    if (memcmp(path + size - after, star + 1, after) != 0)
        return false;
    *part = (atamo_bytes){path + before, size - before - after};
    return part->size > 0 && memchr(part->data, '/', part->size) == NULL;
}

/* Undo percent-encoding. False: it is badly done, is too long, or holds a NUL. */
static bool decode(atamo_bytes part, char id[EXCHANGE_ID_MAX])
{
    char decoded[3 * EXCHANGE_ID_MAX];
    bool bad;
    size_t size;

    if (part.size >= sizeof decoded)
        return false;
    size = percent_decode(part, decoded, &bad);
    if (bad || size >= EXCHANGE_ID_MAX || memchr(decoded, '\0', size) != NULL)
        return false;
    memcpy(id, decoded, size);
    id[size] = '\0';
    return true;
}

static bool take(struct exchange *exchange, const struct route *route, atamo_bytes part)
{
    exchange->route = route;
    if (decode(part, exchange->id))
        return true;
    exchange_problem(exchange, MHD_HTTP_BAD_REQUEST,
                     "the name in the path is too long or badly encoded");
    return false;
}

/* Is there a file of the console at that path, as it came? */
static bool is_page(struct exchange *exchange, size_t size)
{
    if (size >= EXCHANGE_ID_MAX)
        return false;
    memcpy(exchange->id, exchange->target, size);
    exchange->id[size] = '\0';
    exchange->route = &page;
    return pages_has(exchange->id);
}

bool routes_find(struct exchange *exchange, const char *method)
{
    const size_t size = strcspn(exchange->target, "?#");
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    char allowed[64] = "";
    atamo_bytes part;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const size_t used = strlen(allowed);

        if (!is_like(routes[i].path, exchange->target, size, &part))
            continue;
        if (strcmp(routes[i].method, wanted) == 0)
            return take(exchange, &routes[i], part);
        (void)snprintf(allowed + used, sizeof allowed - used, "%s%s", used > 0 ? ", " : "",
                       routes[i].method);
    }
    if (allowed[0] == '\0' && strcmp(wanted, "GET") == 0 && is_page(exchange, size))
        return true;
    if (allowed[0] != '\0') {
        exchange_set(exchange, MHD_HTTP_HEADER_ALLOW, allowed);
        exchange_problem(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "this takes %s", allowed);
    } else {
        exchange_problem(exchange, MHD_HTTP_NOT_FOUND, "there is nothing at %.*s",
                         (int)(size < 200 ? size : 200), exchange->target);
    }
    return false;
}
