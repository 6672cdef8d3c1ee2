/* telemetry - GET /v1/telemetry: every step of every message as a stream of server-sent events.
 *
 * Happy path: records come into the history; every few milliseconds the streams are woken, and each
 * writes the steps from where it stands, as many as its connection takes. One that is too slow
 * finds that the history has gone on, and is told how many steps it has missed; nothing waits for
 * it.
 */
#include "telemetry.h"

#include "history.h"
#include "posting.h"
#include "routes.h"

#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 20, PING_MS = 15000, FILTER_MAX = 128 };

enum filter { BY_TYPE, BY_AGENT, BY_RULE, BY_USER, BY_MESSAGE, BY_STEP, FILTERS };

static const char *const filter_names[FILTERS] = {"type", "agent",   "rule",
                                                  "user", "message", "step"};

/* A stream. */
struct watch {
    struct watch *next, *previous;
    struct exchange *exchange;
    struct history_reader reader;
    char filters[FILTERS][FILTER_MAX]; /* "": all */
    uint64_t message;
    int64_t written_ms;
    struct text frame; /* what did not fit */
    size_t sent;
};

void telemetry_take(const atamo_telemetry *records, size_t count, uint64_t lost, void *user)
{
    struct server *server = user;

    history_add(server->history, records, count, lost);
    if (!server->has_news && server->watches != NULL)
        server->flush_at_ms = server->now_ms + FLUSH_MS;
    server->has_news = true;
}

int64_t telemetry_due(const struct server *server)
{
    if (!server->has_news || server->watches == NULL)
        return INT64_MAX;
    return server->flush_at_ms - server->now_ms;
}

void telemetry_flush(struct server *server)
{
    if (!server->has_news)
        return;
    postings_look(server);
    if (server->watches != NULL && server->now_ms < server->flush_at_ms)
        return;
    server->has_news = false;
    for (struct watch *watch = server->watches; watch != NULL; watch = watch->next)
        exchange_wake(watch->exchange);
}

void telemetry_tick(struct server *server)
{
    for (struct watch *watch = server->watches; watch != NULL; watch = watch->next)
        if (server->now_ms - watch->written_ms >= PING_MS)
            exchange_wake(watch->exchange);
}

/* --- what a stream wants */

static bool is_named(const struct server *server, uint32_t name, const char *wanted)
{
    return wanted[0] == '\0' || strcmp(server->control->name(server->hub, name).data, wanted) == 0;
}

static bool is_wanted(const struct watch *watch, const atamo_telemetry *record)
{
    const struct server *server = watch->exchange->server;
    const char *step = watch->filters[BY_STEP];

    return (watch->message == 0 || record->message == watch->message) &&
           (step[0] == '\0' || strcmp(atamo_step_name(record->step), step) == 0) &&
           is_named(server, record->type, watch->filters[BY_TYPE]) &&
           is_named(server, record->agent, watch->filters[BY_AGENT]) &&
           is_named(server, record->rule, watch->filters[BY_RULE]) &&
           is_named(server, record->user, watch->filters[BY_USER]);
}

/* --- writing */

static void put_step(struct watch *watch, const atamo_telemetry *record)
{
    const struct server *server = watch->exchange->server;
    struct text *frame = &watch->frame;
    size_t room = 512;
    size_t size;
    char *at;

    text_print(frame, "id: %llu\nevent: step\ndata: {",
               (unsigned long long)(watch->reader.wanted - 1));
    for (;;) {
        at = text_reserve(frame, room);
        if (at == NULL)
            return;
        size = server->control->step_json(server->hub, record, 1, at, room);
        if (size <= room)
            break;
        room = size;
    }
    frame->size += size;
    text_put(frame, "}\n\n");
}

/* Make the next frame; false: there is nothing. */
static bool next_frame(struct watch *watch)
{
    const struct server *server = watch->exchange->server;
    struct text *frame = &watch->frame;
    const atamo_telemetry *record;
    uint64_t lost = 0;

    frame->size = 0;
    watch->sent = 0;
    while (frame->size == 0 &&
           (record = history_next(server->history, &watch->reader, &lost)) != NULL) {
        if (lost > 0)
            text_print(frame, "event: gap\ndata: {\"lost\":%llu}\n\n", (unsigned long long)lost);
        if (is_wanted(watch, record))
            put_step(watch, record);
    }
    if (frame->size == 0 && server->now_ms - watch->written_ms >= PING_MS)
        text_put(frame, ": ping\n\n");
    return frame->size > 0 && !frame->failed;
}

static ssize_t read_watch(struct exchange *exchange, char *out, size_t size)
{
    struct watch *watch = exchange->work;
    size_t written = 0;

    if (atomic_load(&exchange->server->stopping))
        return -1;
    while (written < size) {
        size_t count = watch->frame.size - watch->sent;

        if (count == 0) {
            if (!next_frame(watch))
                break;
            continue;
        }
        count = count < size - written ? count : size - written;
        memcpy(out + written, watch->frame.data + watch->sent, count);
        watch->sent += count;
        written += count;
    }
    if (written > 0)
        watch->written_ms = exchange->server->now_ms;
    return watch->frame.failed ? -1 : (ssize_t)written;
}

/* --- the call */

static void stop_watching(struct exchange *exchange)
{
    struct watch *watch = exchange->work;

    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        exchange->server->watches = watch->next;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    text_free(&watch->frame);
    free(watch);
}

/* False: it cannot be, and the exchange is answered. */
static bool read_filters(struct exchange *exchange, struct watch *watch)
{
    const struct server *server = exchange->server;
    const char *id;

    for (size_t i = 0; i < FILTERS; i++) {
        const char *wanted = exchange_argument(exchange, filter_names[i]);

        if (wanted == NULL)
            continue;
        if (strlen(wanted) >= FILTER_MAX) {
            exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "\"%s\" is too long", filter_names[i]);
            return false;
        }
        memcpy(watch->filters[i], wanted, strlen(wanted) + 1);
    }
    id = watch->filters[BY_MESSAGE];
    if (id[0] == '\0')
        return true;
    watch->message = server->control->message_number(server->hub, id);
    if (watch->message == 0)
        watch->message = history_find(server->history, atamo_text(id));
    if (watch->message == 0)
        exchange_problem(exchange, MHD_HTTP_NOT_FOUND, "no message \"%s\" is known", id);
    return watch->message != 0;
}

/* The number of the first step that it wants. */
static uint64_t begin_of(const struct exchange *exchange)
{
    const struct history *history = exchange->server->history;
    const char *last = exchange_header(exchange, "Last-Event-ID");
    const char *since = exchange_argument(exchange, "since");

    if (last == NULL && (since == NULL || strcmp(since, "oldest") != 0))
        return history_newest(history) + 1;
    if (last == NULL || strtoull(last, NULL, 10) > history_newest(history))
        return history_oldest(history); /* of another life of the hub: all is new */
    return strtoull(last, NULL, 10) + 1;
}

void telemetry_get(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL) {
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return;
    }
    watch->exchange = exchange;
    if (!read_filters(exchange, watch)) {
        free(watch);
        return;
    }
    watch->reader = history_read_from(server->history, begin_of(exchange));
    watch->written_ms = server->now_ms;
    watch->next = server->watches;
    if (server->watches != NULL)
        server->watches->previous = watch;
    server->watches = watch;
    exchange->work = watch;
    exchange->drop = stop_watching;
    text_put(&watch->frame, ": hello\n\n"); /* so that the client sees at once that it hears */
    exchange_stream(exchange, "text/event-stream", read_watch);
}
