/* posting - POST /v1/events: events on their way into the hub, and the answer.
 *
 * Happy path: each event is submitted as a request that ends when it is accepted: let in, and in a
 * durable hub on stable storage. When the last one has ended, the exchange is answered 202. With
 * ?wait= the request ends with the message, and the answer tells how its actions ended.
 *
 * A refused event is the answer's problem; of a batch each event has its own. If the client goes
 * away, its events go on, and nobody is told.
 */
#include "posting.h"

#include "draft.h"
#include "history.h"
#include "routes.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_MAX_MS = 300000, LATE_MS = 200, ACCEPT_MS = 20000 };

struct posting {
    struct posting *next, *previous; /* of all that are open */
    struct server *server;
    struct exchange *exchange; /* NULL: its client has gone */
    bool batch;
    uint64_t wait_ms; /* 0: until it is accepted */
    int64_t begun_ms;
    int64_t finishing_ms; /* the end is known, its steps are waited for since; 0: not */
    size_t count, open;
    struct item {
        struct posting *posting;
        uint64_t message;
        char *id;     /* as the client gave it; NULL: it did not */
        char *detail; /* how it ended, in words; NULL: nothing to say */
        int status;
    } items[];
};

/* --- life */

static void close_posting(struct posting *posting)
{
    if (posting->previous != NULL)
        posting->previous->next = posting->next;
    else
        posting->server->postings = posting->next;
    if (posting->next != NULL)
        posting->next->previous = posting->previous;
    for (size_t i = 0; i < posting->count; i++) {
        free(posting->items[i].id);
        free(posting->items[i].detail);
    }
    free(posting);
}

/* The exchange ends, answered or not. */
static void leave(struct exchange *exchange)
{
    struct posting *posting = exchange->work;

    exchange->work = NULL;
    posting->exchange = NULL;
    if (posting->open == 0)
        close_posting(posting);
}

static struct posting *open_posting(struct exchange *exchange, size_t count)
{
    struct server *server = exchange->server;
    struct posting *posting = calloc(1, sizeof *posting + count * sizeof *posting->items);

    if (posting == NULL)
        return NULL;
    posting->server = server;
    posting->exchange = exchange;
    posting->begun_ms = server->now_ms;
    posting->count = count;
    posting->next = server->postings;
    if (server->postings != NULL)
        server->postings->previous = posting;
    server->postings = posting;
    exchange->work = posting;
    exchange->drop = leave;
    return posting;
}

void postings_close(struct server *server)
{
    while (server->postings != NULL)
        close_posting(server->postings);
}

/* --- the answer */

static bool is_taken(const struct item *item)
{
    return item->status == ATAMO_OK || item->status == ATAMO_EXISTS;
}

enum { URL_MAX = 64 };

static const char url_start[] = "/v1/events/";

/* Where the path of its message is: of a duplicate, that of the first. */
static void write_url(const struct item *item, char url[URL_MAX])
{
    const struct server *server = item->posting->server;
    char *uuid = url + sizeof url_start - 1;

    memcpy(url, url_start, sizeof url_start);
    server->control->message_id(server->hub, item->message, uuid);
    if (item->status == ATAMO_EXISTS && item->detail != NULL && strlen(item->detail) == 36)
        memcpy(uuid, item->detail, 37);
}

/* Asked for once: the hub stays what it is. */
static bool is_durable(struct server *server)
{
    atamo_stats stats = {.size = sizeof stats};

    if (server->durability == DURABILITY_UNKNOWN &&
        server->control->stats_get(server->hub, NULL, &stats) == ATAMO_OK)
        server->durability = stats.durable != 0 ? DURABILITY_SYNCED : DURABILITY_MEMORY;
    return server->durability == DURABILITY_SYNCED;
}

static void put_receipt(struct text *text, const struct item *item)
{
    const bool duplicate = item->status == ATAMO_EXISTS;
    char url[URL_MAX];
    const char *uuid = url + sizeof url_start - 1;

    write_url(item, url);
    text_string(text, "id", item->id != NULL ? item->id : uuid);
    text_string(text, "message", uuid);
    text_string(text, "durability", is_durable(item->posting->server) ? "synced" : "memory");
    text_bool(text, "duplicate", duplicate);
    text_string(text, "status_url", url);
}

static void answer_one(struct posting *posting)
{
    const struct item *item = &posting->items[0];
    struct exchange *exchange = posting->exchange;
    struct text text = {0};
    char url[URL_MAX];

    if (!is_taken(item)) {
        exchange_failed(exchange, item->status, item->detail == NULL ? "" : item->detail);
        return;
    }
    write_url(item, url);
    exchange_set(exchange, MHD_HTTP_HEADER_LOCATION, url);
    text_open(&text, NULL, '{');
    put_receipt(&text, item);
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_ACCEPTED, &text);
}

static void put_result(struct text *text, const struct item *item, bool failed)
{
    text_open(text, NULL, '{');
    if (is_taken(item))
        put_receipt(text, item);
    else if (item->id != NULL)
        text_string(text, "id", item->id);
    if (failed)
        text_uint(text, "status",
                  is_taken(item) ? MHD_HTTP_ACCEPTED : exchange_status(item->status));
    if (!is_taken(item))
        text_string(text, "detail",
                    item->detail != NULL ? item->detail : atamo_status_text(item->status));
    text_close(text, '}');
}

static void answer_batch(struct posting *posting)
{
    struct text text = {0};
    size_t refused = 0;

    for (size_t i = 0; i < posting->count; i++)
        refused += !is_taken(&posting->items[i]);
    text_open(&text, NULL, '{');
    if (refused > 0) {
        text_string(&text, "type", "about:blank");
        text_string(&text, "title", "Some events were refused");
        text_uint(&text, "status", MHD_HTTP_UNPROCESSABLE_CONTENT);
        text_uint(&text, "refused", refused);
    }
    text_open(&text, "events", '[');
    for (size_t i = 0; i < posting->count; i++)
        put_result(&text, &posting->items[i], refused > 0);
    text_close(&text, ']');
    text_close(&text, '}');
    exchange_send(posting->exchange,
                  refused > 0 ? MHD_HTTP_UNPROCESSABLE_CONTENT : MHD_HTTP_ACCEPTED,
                  refused > 0 ? "application/problem+json" : "application/json", &text);
}

/* --- ?wait=: how the actions ended */

enum { FATES_MAX = 256 };

struct fates {
    const struct server *server;
    atamo_telemetry list[FATES_MAX];
    char texts[FATES_MAX][128];
    size_t count;
    bool finished;
};

static void take_step(void *user, const atamo_telemetry *record)
{
    struct fates *fates = user;
    size_t at = 0;

    fates->finished |= record->step == ATAMO_STEP_FINISHED;
    if (record->action == 0 || record->step == ATAMO_STEP_ALERT ||
        record->step == ATAMO_STEP_RESPONDED)
        return;
    while (at < fates->count && fates->list[at].action != record->action)
        at++;
    if (at == FATES_MAX)
        return;
    fates->count += at == fates->count;
    fates->list[at] = *record;
    (void)atamo_telemetry_text(record, fates->texts[at], sizeof fates->texts[at]);
}

static void put_fate(struct text *text, const struct fates *fates, size_t at)
{
    const struct server *server = fates->server;
    const atamo_telemetry *record = &fates->list[at];

    text_open(text, NULL, '{');
    text_uint(text, "ordinal", record->action);
    text_bytes(text, "rule", server->control->name(server->hub, record->rule));
    text_bytes(text, "agent", server->control->name(server->hub, record->agent));
    text_bytes(text, "action", server->control->name(server->hub, record->type));
    if (record->user != 0)
        text_bytes(text, "user", server->control->name(server->hub, record->user));
    text_string(text, "state", atamo_step_name(record->step));
    text_uint(text, "attempt", record->attempt);
    text_string(text, "reason",
                fates->texts[at][0] != '\0' ? fates->texts[at] : atamo_reason_text(record->reason));
    text_close(text, '}');
}

static const char *state_of(int status)
{
    switch (status) {
    case ATAMO_OK:
        return "done";
    case ATAMO_NOT_FOUND:
        return "unmatched";
    case ATAMO_TIMEOUT:
        return "open";
    default:
        return "failed";
    }
}

static void answer_outcome(struct posting *posting, const struct fates *fates)
{
    const struct item *item = &posting->items[0];
    struct text text = {0};
    char uuid[37];

    posting->server->control->message_id(posting->server->hub, item->message, uuid);
    text_open(&text, NULL, '{');
    text_string(&text, "id", item->id != NULL ? item->id : uuid);
    text_string(&text, "message", uuid);
    text_string(&text, "state", state_of(item->status));
    if (item->detail != NULL)
        text_string(&text, "detail", item->detail);
    text_open(&text, "actions", '[');
    for (size_t i = 0; i < fates->count; i++)
        put_fate(&text, fates, i);
    text_close(&text, ']');
    text_close(&text, '}');
    exchange_send_json(posting->exchange, MHD_HTTP_OK, &text);
}

/* Its last steps may still be on their way. False: they are. */
static bool finish(struct posting *posting)
{
    const struct item *item = &posting->items[0];
    const struct server *server = posting->server;
    struct fates *fates = calloc(1, sizeof *fates);

    if (fates == NULL) {
        exchange_failed(posting->exchange, ATAMO_NO_MEMORY, "");
        return true;
    }
    fates->server = server;
    (void)history_visit(server->history, item->message, take_step, fates);
    if (!fates->finished && item->status != ATAMO_TIMEOUT &&
        server->now_ms - posting->finishing_ms < LATE_MS) {
        free(fates);
        return false;
    }
    posting->finishing_ms = 0;
    answer_outcome(posting, fates);
    free(fates);
    return true;
}

void postings_look(struct server *server)
{
    for (struct posting *posting = server->postings, *next; posting != NULL; posting = next) {
        next = posting->next;
        if (posting->finishing_ms != 0 && posting->exchange != NULL)
            (void)finish(posting);
    }
}

/* A hub with as much in flight as it may have takes events when others end: nobody waits for that
 * without end. */
void postings_tick(struct server *server)
{
    for (struct posting *posting = server->postings, *next; posting != NULL; posting = next) {
        const int64_t limit = ACCEPT_MS + (int64_t)posting->wait_ms;

        next = posting->next;
        if (posting->exchange != NULL && posting->open > 0 &&
            server->now_ms - posting->begun_ms >= limit)
            exchange_problem(posting->exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                             "the hub is behind: not accepted within %d s, though it may be yet",
                             ACCEPT_MS / 1000);
    }
}

static bool is_outcome(int status)
{
    return status == ATAMO_OK || status == ATAMO_IO || status == ATAMO_NOT_FOUND ||
           status == ATAMO_TIMEOUT;
}

static void answer(struct posting *posting)
{
    if (posting->batch) {
        answer_batch(posting);
    } else if (posting->wait_ms > 0 && is_outcome(posting->items[0].status)) {
        posting->finishing_ms = posting->server->now_ms;
        (void)finish(posting);
    } else {
        answer_one(posting);
    }
}

/* --- into the hub */

static void take_replies(const atamo_reply *replies, size_t count, void *user)
{
    struct item *item = user;
    struct posting *posting = item->posting;

    for (size_t i = 0; i < count; i++) {
        if (replies[i].kind != ATAMO_REPLY_END)
            continue;
        item->status = replies[i].status;
        if (replies[i].body.size > 0)
            item->detail = strndup(replies[i].body.data, replies[i].body.size);
        posting->open--;
    }
    if (posting->open > 0)
        return;
    if (posting->exchange == NULL)
        close_posting(posting);
    else
        answer(posting);
}

static int submit(void *user, const atamo_event_draft *draft, size_t index)
{
    struct posting *posting = user;
    const struct server *server = posting->server;
    struct item *item = &posting->items[index];
    atamo_request_options options = {.size = sizeof options,
                                     .flags = ATAMO_UNTIL_ACCEPTED | ATAMO_MORE};

    if (posting->wait_ms > 0) {
        options.flags = ATAMO_DETACHED | ATAMO_MORE;
        options.timeout_ms = (uint32_t)posting->wait_ms;
    }
    item->posting = posting;
    item->id = draft->id.size > 0 ? strndup(draft->id.data, draft->id.size) : NULL;
    item->status = server->control->request(server->client, draft, &options, take_replies, item,
                                            &item->message);
    if (item->status == ATAMO_INVALID)
        item->detail = strdup(draft_fault(item->status));
    posting->open += item->status == ATAMO_OK;
    posting->server->submitted = true;
    return ATAMO_OK;
}

void events_post(struct exchange *exchange)
{
    struct posting *posting;
    uint64_t wait_ms;
    bool batch;
    int64_t count;

    if (!exchange_duration(exchange, "wait", WAIT_MAX_MS, 0, &wait_ms))
        return;
    count = drafts_count(exchange, &batch);
    if (count < 0)
        return;
    if (batch && wait_ms > 0) {
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "only a single event can be waited for");
        return;
    }
    posting = open_posting(exchange, (size_t)count);
    if (posting == NULL) {
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return;
    }
    posting->batch = batch;
    posting->wait_ms = wait_ms;
    exchange->brief = wait_ms == 0;
    if (drafts_visit(exchange, submit, posting) == ATAMO_OK && posting->open == 0)
        answer(posting);
}
