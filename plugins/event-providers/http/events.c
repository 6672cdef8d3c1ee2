/* events - GET /v1/events/{id}: the path of a message, and why it went that way.
 *
 * Happy path: the history still has the message's coming in, and tells the steps. Otherwise the hub
 * is asked, which may have to read its store's journal; that is an errand.
 */
#include "errand.h"
#include "history.h"
#include "routes.h"

#include <stdlib.h>
#include <string.h>

struct path {
    const struct server *server;
    struct text text; /* the steps */
    char type[128], id[512];
    bool whole; /* its coming in is there */
    bool dead, finished;
};

static void put_step(struct path *path, const atamo_telemetry *record)
{
    const struct server *server = path->server;
    size_t room = 512;
    size_t size;
    char *at;

    text_open(&path->text, NULL, '{');
    while ((at = text_reserve(&path->text, room)) != NULL) {
        size = server->control->step_json(server->hub, record, 0, at, room);
        if (size <= room) {
            path->text.size += size;
            break;
        }
        room = size;
    }
    text_close(&path->text, '}');
}

static void take_step(void *user, const atamo_telemetry *record)
{
    struct path *path = user;
    const struct server *server = path->server;

    if (record->step == ATAMO_STEP_ADMITTED || record->step == ATAMO_STEP_REFUSED) {
        path->whole = true;
        (void)strncpy(path->type, server->control->name(server->hub, record->type).data,
                      sizeof path->type - 1);
    }
    if (record->step == ATAMO_STEP_ADMITTED)
        (void)atamo_telemetry_text(record, path->id, sizeof path->id);
    path->finished =
        path->finished || record->step == ATAMO_STEP_FINISHED || record->step == ATAMO_STEP_REFUSED;
    path->dead |= record->step == ATAMO_STEP_DEAD;
    if (record->step == ATAMO_STEP_REPLAYED) {
        path->dead = false;
        path->finished = false;
    }
    put_step(path, record);
}

static void answer(struct exchange *exchange, struct path *path, uint64_t message)
{
    const struct server *server = path->server;
    struct text text = {0};
    char uuid[37];

    server->control->message_id(server->hub, message, uuid);
    text_open(&text, NULL, '{');
    text_string(&text, "id", path->id[0] != '\0' ? path->id : uuid);
    text_string(&text, "message", uuid);
    text_string(&text, "type", path->type);
    text_string(&text, "state", path->dead ? "dead" : path->finished ? "finished" : "in flight");
    text_open(&text, "steps", '[');
    text.comma = false;
    text_add(&text, path->text.data, path->text.size);
    text_close(&text, ']');
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

/* --- errands */

static int ask_trace(struct errand *errand, char *buffer, size_t capacity, size_t *size)
{
    const struct server *server = errand->server;

    return server->control->trace(server->hub, errand->id, buffer, capacity, size);
}

static void fetch_trace(struct errand *errand)
{
    errand_fetch(errand, ask_trace);
}

static int ask_why(struct errand *errand, char *buffer, size_t capacity, size_t *size)
{
    const struct server *server = errand->server;

    return server->control->why(server->hub, errand->id, buffer, capacity, size);
}

static void fetch_why(struct errand *errand)
{
    errand_fetch(errand, ask_why);
}

static void ask_hub(struct exchange *exchange, void (*fetch)(struct errand *errand))
{
    struct errand *errand = errand_make(exchange, fetch, errand_answer);

    if (errand != NULL)
        errand_send(errand);
}

/* --- the calls */

void events_get(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    uint64_t message = server->control->message_number(server->hub, exchange->id);
    struct path path = {.server = server};

    if (message == 0)
        message = history_find(server->history, atamo_text(exchange->id));
    if (message != 0)
        (void)history_visit(server->history, message, take_step, &path);
    if (path.whole && !path.text.failed)
        answer(exchange, &path, message);
    else
        ask_hub(exchange, fetch_trace);
    text_free(&path.text);
}

void events_why(struct exchange *exchange)
{
    ask_hub(exchange, fetch_why);
}
