/* waiting - clients that wait for the responses of an inquiry: long polls and streams.
 *
 * Happy path: a long poll is answered when there is a response that it has not seen, or the end, or
 * when its time is over. A stream writes what it has not written yet, one frame after the other,
 * then the end; in between it pings, which is also how a client that has gone is noticed.
 */
#include "inquiry_inside.h"

#include <stdlib.h>
#include <string.h>

enum { PING_MS = 15000 };

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

void inquiry_answer(struct exchange *exchange, const struct inquiry *inquiry, uint64_t after)
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

bool inquiry_has_more(const struct inquiry *inquiry, uint64_t after)
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

struct waiter *inquiry_wait(struct exchange *exchange, struct inquiry *inquiry, uint64_t after)
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
void inquiry_tell(struct inquiry *inquiry)
{
    for (struct waiter *waiter = inquiry->waiters, *next; waiter != NULL; waiter = next) {
        struct exchange *exchange = waiter->exchange;

        next = waiter->next;
        if (waiter->streams) {
            exchange_wake(exchange);
        } else if (inquiry_has_more(inquiry, waiter->after)) {
            inquiry_answer(exchange, inquiry, waiter->after);
            stop_waiting(exchange);
        }
    }
}

void inquiry_tick(struct inquiry *inquiry)
{
    const int64_t now = inquiry->server->now_ms;

    for (struct waiter *waiter = inquiry->waiters, *next; waiter != NULL; waiter = next) {
        struct exchange *exchange = waiter->exchange;

        next = waiter->next;
        if (waiter->streams && now - waiter->written_ms >= PING_MS) {
            exchange_wake(exchange);
        } else if (!waiter->streams && now >= waiter->deadline_ms) {
            inquiry_answer(exchange, inquiry, waiter->after);
            stop_waiting(exchange);
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

void inquiry_stream(struct waiter *waiter)
{
    waiter->streams = true;
    exchange_stream(waiter->exchange, "text/event-stream", read_stream);
}
