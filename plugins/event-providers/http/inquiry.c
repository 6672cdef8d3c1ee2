/* inquiry - requests whose responses are kept for clients that come and go.
 *
 * Happy path: the event is submitted as a request; each reply is added to the inquiry's list and
 * whoever waits is woken: a long poll, or a stream, which writes what it has not written yet. After
 * the END reply everything is kept for a while. An inquiry that nobody asks for any more goes at its
 * time; one that is cancelled ends at once and hears nothing more.
 */
#include "inquiry.h"

#include "draft.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 4096,
    RESPONSES_MAX = 10000,
    BYTES_MAX = 16 << 20,
    WAIT_MAX_MS = 300000,
    TIMEOUT_MAX_MS = 24 * 3600 * 1000,
    PING_MS = 15000,
};

struct response {
    struct response *next;
    uint64_t sequence;
    uint32_t kind;
    bool is_json;
    double progress;
    char *agent, *rule, *body; /* one malloc, with the response */
    size_t size;
};

/* An exchange that waits for responses. */
struct waiter {
    struct waiter *next, *previous;
    struct inquiry *inquiry;
    struct exchange *exchange;
    uint64_t after;      /* the last sequence that it has */
    int64_t deadline_ms; /* of a long poll */
    int64_t written_ms;  /* of a stream: when something went out last */
    bool streams, ended;
    struct text frame; /* of a stream: what does not fit */
    size_t sent;
};

struct inquiry {
    struct inquiry *next; /* in its bucket */
    struct server *server;
    uint64_t message;
    char uuid[37];
    const char *state;
    char *detail;
    struct response *first, *last;
    struct waiter *waiters;
    size_t count, bytes;
    uint64_t lost;
    int64_t forget_ms; /* 0: it is open */
};

struct inquiries {
    struct inquiry *buckets[BUCKETS];
    size_t count, most;
    int64_t keep_ms;
    atamo_json_reader *reader;
    const atamo_json *json;
};

/* --- life */

struct inquiries *inquiries_open(struct server *server)
{
    struct inquiries *inquiries = calloc(1, sizeof *inquiries);

    if (inquiries == NULL)
        return NULL;
    inquiries->most = (size_t)server->host->integer(server->host, "max_requests");
    inquiries->keep_ms = server->host->integer(server->host, "keep");
    inquiries->json = server->json;
    if (server->json->open(server->host, &inquiries->reader) != ATAMO_OK) {
        free(inquiries);
        return NULL;
    }
    return inquiries;
}

static void free_oldest(struct inquiry *inquiry)
{
    struct response *response = inquiry->first;

    inquiry->first = response->next;
    if (inquiry->first == NULL)
        inquiry->last = NULL;
    inquiry->count--;
    inquiry->bytes -= response->size;
    free(response);
}

static void free_inquiry(struct inquiry *inquiry)
{
    while (inquiry->first != NULL)
        free_oldest(inquiry);
    free(inquiry->detail);
    free(inquiry);
}

void inquiries_close(struct inquiries *inquiries)
{
    if (inquiries == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (inquiries->buckets[i] != NULL) {
            struct inquiry *inquiry = inquiries->buckets[i];

            inquiries->buckets[i] = inquiry->next;
            free_inquiry(inquiry);
        }
    inquiries->json->close(inquiries->reader);
    free(inquiries);
}

static struct inquiry **bucket_of(struct inquiries *inquiries, uint64_t message)
{
    return &inquiries->buckets[((message * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % BUCKETS];
}

/* The one that the path names; NULL: there is none, and the exchange is answered. */
static struct inquiry *find(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const uint64_t message = server->control->message_number(server->hub, exchange->id);
    struct inquiry *inquiry = *bucket_of(server->inquiries, message);

    while (inquiry != NULL && inquiry->message != message)
        inquiry = inquiry->next;
    if (inquiry == NULL || message == 0) {
        exchange_problem(exchange, MHD_HTTP_NOT_FOUND, "no request \"%.64s\" is known",
                         exchange->id);
        return NULL;
    }
    return inquiry;
}

/* --- writing */

static void put_response(struct text *text, const struct response *response)
{
    const bool is_data = response->kind == ATAMO_REPLY_DATA;
    const atamo_bytes body = {response->body, response->size};

    text_open(text, NULL, '{');
    text_uint(text, "sequence", response->sequence);
    text_string(text, "kind", is_data ? "data" : "progress");
    text_string(text, "agent", response->agent);
    text_string(text, "rule", response->rule);
    if (!is_data)
        text_number(text, "progress", response->progress);
    if (response->is_json)
        text_raw(text, is_data ? "data" : "text", body);
    else
        text_bytes(text, is_data ? "data" : "text", body);
    text_close(text, '}');
}

static void put_state(struct text *text, const struct inquiry *inquiry)
{
    text_string(text, "request_id", inquiry->uuid);
    text_string(text, "state", inquiry->state);
    if (inquiry->detail != NULL)
        text_string(text, "detail", inquiry->detail);
    if (inquiry->lost > 0)
        text_uint(text, "lost", inquiry->lost);
}

static void answer(struct exchange *exchange, const struct inquiry *inquiry, uint64_t after)
{
    struct text text = {0};

    text_open(&text, NULL, '{');
    put_state(&text, inquiry);
    text_open(&text, "responses", '[');
    for (const struct response *response = inquiry->first; response != NULL;
         response = response->next)
        if (response->sequence > after)
            put_response(&text, response);
    text_close(&text, ']');
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

static bool has_more(const struct inquiry *inquiry, uint64_t after)
{
    return inquiry->forget_ms != 0 || (inquiry->last != NULL && inquiry->last->sequence > after);
}

/* --- waiting */

static void stop_waiting(struct exchange *exchange)
{
    struct waiter *waiter = exchange->work;

    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        waiter->inquiry->waiters = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    text_free(&waiter->frame);
    free(waiter);
    exchange->work = NULL;
    exchange->drop = NULL;
}

static struct waiter *wait_for(struct exchange *exchange, struct inquiry *inquiry, uint64_t after)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);

    if (waiter == NULL) {
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return NULL;
    }
    waiter->inquiry = inquiry;
    waiter->exchange = exchange;
    waiter->after = after;
    waiter->written_ms = exchange->server->now_ms;
    waiter->next = inquiry->waiters;
    if (inquiry->waiters != NULL)
        inquiry->waiters->previous = waiter;
    inquiry->waiters = waiter;
    exchange->work = waiter;
    exchange->drop = stop_waiting;
    return waiter;
}

/* There is something new. */
static void tell(struct inquiry *inquiry)
{
    for (struct waiter *waiter = inquiry->waiters, *next; waiter != NULL; waiter = next) {
        struct exchange *exchange = waiter->exchange;

        next = waiter->next;
        if (waiter->streams) {
            exchange_wake(exchange);
        } else if (has_more(inquiry, waiter->after)) {
            answer(exchange, inquiry, waiter->after);
            stop_waiting(exchange);
        }
    }
}

static void tick(struct inquiry *inquiry)
{
    const int64_t now = inquiry->server->now_ms;

    for (struct waiter *waiter = inquiry->waiters, *next; waiter != NULL; waiter = next) {
        struct exchange *exchange = waiter->exchange;

        next = waiter->next;
        if (waiter->streams && now - waiter->written_ms >= PING_MS) {
            exchange_wake(exchange);
        } else if (!waiter->streams && now >= waiter->deadline_ms) {
            answer(exchange, inquiry, waiter->after);
            stop_waiting(exchange);
        }
    }
}

void inquiries_tick(struct server *server)
{
    struct inquiries *inquiries = server->inquiries;

    for (size_t i = 0; i < BUCKETS; i++) {
        struct inquiry **place = &inquiries->buckets[i];

        while (*place != NULL) {
            struct inquiry *inquiry = *place;

            tick(inquiry);
            if (inquiry->forget_ms == 0 || inquiry->forget_ms > server->now_ms ||
                inquiry->waiters != NULL) {
                place = &inquiry->next;
                continue;
            }
            *place = inquiry->next;
            inquiries->count--;
            free_inquiry(inquiry);
        }
    }
}

/* --- the stream */

static void put_frame(struct text *frame, uint64_t id, const char *event)
{
    if (id > 0)
        text_print(frame, "id: %llu\n", (unsigned long long)id);
    text_print(frame, "event: %s\ndata: ", event);
    frame->comma = false;
}

/* Make the next frame; false: there is nothing. */
static bool next_frame(struct waiter *waiter)
{
    const struct inquiry *inquiry = waiter->inquiry;
    const struct response *response = inquiry->first;
    struct text *frame = &waiter->frame;

    frame->size = 0;
    waiter->sent = 0;
    while (response != NULL && response->sequence <= waiter->after)
        response = response->next;
    if (response != NULL) {
        waiter->after = response->sequence;
        put_frame(frame, response->sequence,
                  response->kind == ATAMO_REPLY_DATA ? "data" : "progress");
        put_response(frame, response);
    } else if (inquiry->forget_ms != 0 && !waiter->ended) {
        waiter->ended = true;
        put_frame(frame, 0, "end");
        text_open(frame, NULL, '{');
        put_state(frame, inquiry);
        text_close(frame, '}');
    } else if (inquiry->server->now_ms - waiter->written_ms >= PING_MS) {
        text_put(frame, ": ping");
    } else {
        return false;
    }
    text_put(frame, "\n\n");
    return !frame->failed;
}

static ssize_t read_stream(struct exchange *exchange, char *out, size_t size)
{
    struct waiter *waiter = exchange->work;
    const struct text *frame = &waiter->frame;
    size_t count;

    if (atomic_load(&exchange->server->stopping))
        return -1;
    if (waiter->sent == frame->size && !next_frame(waiter))
        return waiter->ended || frame->failed ? -1 : 0;
    count = frame->size - waiter->sent < size ? frame->size - waiter->sent : size;
    memcpy(out, frame->data + waiter->sent, count);
    waiter->sent += count;
    waiter->written_ms = exchange->server->now_ms;
    return (ssize_t)count;
}

/* --- responses come in */

static struct response *make_response(const struct inquiry *inquiry, const atamo_reply *reply)
{
    const size_t texts = reply->agent.size + reply->rule.size + reply->body.size + 3;
    const struct inquiries *inquiries = inquiry->server->inquiries;
    struct response *response = malloc(sizeof *response + texts);
    atamo_json_value root;
    char *at;

    if (response == NULL)
        return NULL;
    *response = (struct response){.sequence = reply->sequence,
                                  .kind = reply->kind,
                                  .progress = reply->progress,
                                  .size = reply->body.size};
    at = (char *)(response + 1);
    response->agent = at;
    memcpy(at, reply->agent.data, reply->agent.size);
    at[reply->agent.size] = '\0';
    at += reply->agent.size + 1;
    response->rule = at;
    memcpy(at, reply->rule.data, reply->rule.size);
    at[reply->rule.size] = '\0';
    at += reply->rule.size + 1;
    response->body = at;
    if (reply->body.size > 0)
        memcpy(at, reply->body.data, reply->body.size);
    response->is_json =
        inquiries->json->parse(inquiries->reader, reply->body, &root, NULL) == ATAMO_OK;
    return response;
}

static void add(struct inquiry *inquiry, const atamo_reply *reply)
{
    struct response *response = make_response(inquiry, reply);

    if (response == NULL) {
        inquiry->lost++;
        return;
    }
    if (inquiry->last == NULL)
        inquiry->first = response;
    else
        inquiry->last->next = response;
    inquiry->last = response;
    inquiry->count++;
    inquiry->bytes += response->size;
    while (inquiry->first != inquiry->last &&
           (inquiry->count > RESPONSES_MAX || inquiry->bytes > BYTES_MAX)) {
        free_oldest(inquiry);
        inquiry->lost++;
    }
}

static void end(struct inquiry *inquiry, const char *state, atamo_bytes detail)
{
    inquiry->state = state;
    if (detail.size > 0)
        inquiry->detail = strndup(detail.data, detail.size);
    inquiry->forget_ms = inquiry->server->now_ms + inquiry->server->inquiries->keep_ms;
}

static const char *state_of(int status)
{
    switch (status) {
    case ATAMO_OK:
        return "done";
    case ATAMO_IO:
        return "failed";
    case ATAMO_NOT_FOUND:
        return "unmatched";
    case ATAMO_TIMEOUT:
        return "timeout";
    case ATAMO_GONE:
        return "cancelled";
    case ATAMO_EXISTS:
        return "duplicate";
    default:
        return "refused";
    }
}

static void take_replies(const atamo_reply *replies, size_t count, void *user)
{
    struct inquiry *inquiry = user;

    for (size_t i = 0; i < count; i++) {
        if (replies[i].kind == ATAMO_REPLY_END)
            end(inquiry, state_of(replies[i].status), replies[i].body);
        else
            add(inquiry, &replies[i]);
    }
    tell(inquiry);
}

/* --- the calls */

struct asking {
    struct exchange *exchange;
    struct inquiry *inquiry;
    uint32_t timeout_ms;
    int status;
};

static int ask(void *user, const atamo_event_draft *draft, size_t index)
{
    struct asking *asking = user;
    const struct server *server = asking->exchange->server;
    const atamo_request_options options = {.size = sizeof options,
                                           .timeout_ms = asking->timeout_ms};

    (void)index;
    asking->status = server->control->request(server->client, draft, &options, take_replies,
                                              asking->inquiry, &asking->inquiry->message);
    return ATAMO_OK;
}

static void answer_receipt(struct exchange *exchange, const struct inquiry *inquiry)
{
    struct text text = {0};
    char url[80];

    (void)snprintf(url, sizeof url, "/v1/requests/%s", inquiry->uuid);
    exchange_set(exchange, MHD_HTTP_HEADER_LOCATION, url);
    text_open(&text, NULL, '{');
    text_string(&text, "request_id", inquiry->uuid);
    text_string(&text, "status_url", url);
    (void)snprintf(url, sizeof url, "/v1/requests/%s/stream", inquiry->uuid);
    text_string(&text, "stream_url", url);
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_ACCEPTED, &text);
}

void requests_post(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct asking asking = {.exchange = exchange};
    struct inquiry **bucket;
    uint64_t timeout_ms;
    bool batch;

    if (!exchange_duration(exchange, "timeout", TIMEOUT_MAX_MS, 30000, &timeout_ms) ||
        drafts_count(exchange, &batch) < 0)
        return;
    if (batch || server->inquiries->count >= server->inquiries->most) {
        exchange_problem(exchange, batch ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_TOO_MANY_REQUESTS, "%s",
                         batch ? "a request is a single event" : "too many requests are kept");
        return;
    }
    asking.timeout_ms = (uint32_t)timeout_ms;
    asking.inquiry = calloc(1, sizeof *asking.inquiry);
    if (asking.inquiry == NULL) {
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return;
    }
    asking.inquiry->server = server;
    asking.inquiry->state = "open";
    asking.status = ATAMO_INVALID;
    if (drafts_visit(exchange, ask, &asking) != ATAMO_OK || asking.status != ATAMO_OK) {
        free(asking.inquiry);
        if (exchange->response == NULL)
            exchange_failed(exchange, asking.status, "");
        return;
    }
    server->control->message_id(server->hub, asking.inquiry->message, asking.inquiry->uuid);
    bucket = bucket_of(server->inquiries, asking.inquiry->message);
    asking.inquiry->next = *bucket;
    *bucket = asking.inquiry;
    server->inquiries->count++;
    answer_receipt(exchange, asking.inquiry);
}

void requests_get(struct exchange *exchange)
{
    struct inquiry *inquiry = find(exchange);
    struct waiter *waiter;
    uint64_t wait_ms, after;

    if (inquiry == NULL || !exchange_duration(exchange, "wait", WAIT_MAX_MS, 0, &wait_ms) ||
        !exchange_count(exchange, "after", UINT64_MAX, 0, &after))
        return;
    if (wait_ms == 0 || has_more(inquiry, after)) {
        answer(exchange, inquiry, after);
        return;
    }
    waiter = wait_for(exchange, inquiry, after);
    if (waiter != NULL)
        waiter->deadline_ms = exchange->server->now_ms + (int64_t)wait_ms;
}

void requests_stream(struct exchange *exchange)
{
    struct inquiry *inquiry = find(exchange);
    const char *last = exchange_header(exchange, "Last-Event-ID");
    struct waiter *waiter;

    if (inquiry == NULL)
        return;
    waiter = wait_for(exchange, inquiry, last == NULL ? 0 : strtoull(last, NULL, 10));
    if (waiter == NULL)
        return;
    waiter->streams = true;
    exchange_stream(exchange, "text/event-stream", read_stream);
}

void requests_delete(struct exchange *exchange)
{
    struct inquiry *inquiry = find(exchange);
    const struct server *server = exchange->server;

    if (inquiry == NULL)
        return;
    if (inquiry->forget_ms == 0 &&
        server->control->cancel(server->client, inquiry->message) == ATAMO_OK) {
        end(inquiry, "cancelled", atamo_text("cancelled by the client"));
        tell(inquiry);
    }
    exchange_send_empty(exchange, MHD_HTTP_NO_CONTENT);
}
