/* waiting - clients that wait for the responses of an inquiry: long polls and streams.
 *
 * Happy path: a long poll is answered when there is a response that it has not seen, or the end, or
 * when its time is over. A stream writes what it has not written yet, some frames at a time, then
 * the end; in between it pings, which is also how a client that has gone is noticed. Each reader
 * has its own place: what was dropped since then is told as `lost` with the next response.
 */
#include "inquiry_inside.h"

#include <stdlib.h>
#include <string.h>

enum { PING_MS = 15000, CHUNK = 16 * 1024 };

/* --- writing */

/* An object that is JSON already, with what was lost before it. */
static void put_result(struct text *text, const struct result *result, uint64_t after)
{
    const uint64_t lost = result->sequence - after - 1;
    const atamo_bytes json = result_json(result);

    text_open(text, NULL, '{');
    if (lost > 0)
        text_uint(text, "lost", lost);
    text_raw(text, NULL, (atamo_bytes){json.data + 1, json.size - 2});
    text_close(text, '}');
}

static void put_state(struct text *text, const struct inquiry *inquiry, uint64_t lost)
{
    text_string(text, "request_id", inquiry->uuid);
    text_string(text, "state", inquiry->state);
    if (inquiry->detail != NULL)
        text_string(text, "detail", inquiry->detail);
    if ((inquiry->wish.options.flags & ATAMO_FEED) != 0)
        text_bool(text, "feed", true);
    if (lost > 0)
        text_uint(text, "lost", lost);
    if (inquiry->forget_ms != 0 && inquiry->actions > 0) {
        text_uint(text, "done", inquiry->done);
        text_uint(text, "actions", inquiry->actions);
    }
}

/* Those that are missing between that one and the last one. */
static uint64_t lost_in_all(const struct inquiry *inquiry, uint64_t after)
{
    const uint64_t last = inquiry->sequence - (inquiry->forget_ms != 0 ? 1 : 0);
    uint64_t stored = 0;

    for (const struct result *result = results_after(&inquiry->results, after); result != NULL;
         result = result->next)
        stored++;
    return last > after ? last - after - stored : 0;
}

void inquiry_answer(struct exchange *exchange, const struct inquiry *inquiry, uint64_t after)
{
    const struct result *result = results_after(&inquiry->results, after);
    struct text text = {0};

    text_open(&text, NULL, '{');
    put_state(&text, inquiry, lost_in_all(inquiry, after));
    text_open(&text, "responses", '[');
    for (; result != NULL; result = result->next) {
        put_result(&text, result, after);
        after = result->sequence;
    }
    text_close(&text, ']');
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

bool inquiry_has_more(const struct inquiry *inquiry, uint64_t after)
{
    return inquiry->forget_ms != 0 || results_after(&inquiry->results, after) != NULL;
}

/* --- waiting */

static void stop_waiting(struct exchange *exchange)
{
    struct waiter *waiter = exchange->work;
    struct inquiry *inquiry = waiter->inquiry;

    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        inquiry->waiters = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    inquiry->server->inquiries->readers -= waiter->streams;
    inquiry->attended_ms = inquiry->server->now_ms;
    inquiry_moved(inquiry);
    text_free(&waiter->chunk);
    if (waiter->large != NULL)
        result_let_go(waiter->large);
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
    waiter->after = waiter->written = after;
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
    text_print(frame, "id: %llu\nevent: %s\ndata: ", (unsigned long long)id, event);
    frame->comma = false;
}

static const char *event_of(const struct result *result)
{
    return result->kind == ATAMO_REPLY_DATA       ? "data"
           : result->kind == ATAMO_REPLY_PROGRESS ? "progress"
                                                  : "part";
}

static void put_end(struct waiter *waiter)
{
    const struct inquiry *inquiry = waiter->inquiry;
    const uint64_t last = inquiry->sequence;
    struct text *chunk = &waiter->chunk;

    waiter->ended = true;
    put_frame(chunk, last, "end");
    text_open(chunk, NULL, '{');
    text_uint(chunk, "sequence", last);
    text_string(chunk, "kind", "end");
    put_state(chunk, inquiry, last > waiter->after + 1 ? last - waiter->after - 1 : 0);
    text_close(chunk, '}');
    text_put(chunk, "\n\n");
}

/* One that is too large for a copy of it in each stream: the chunk has what comes before. */
static void put_large(struct waiter *waiter, const struct result *result)
{
    const uint64_t lost = result->sequence - waiter->after - 1;

    put_frame(&waiter->chunk, result->sequence, event_of(result));
    text_put(&waiter->chunk, "{");
    if (lost > 0)
        text_print(&waiter->chunk, "\"lost\":%llu,", (unsigned long long)lost);
    waiter->after = result->sequence;
    waiter->large = result_hold(result);
    waiter->large_sent = 1; /* the bracket */
}

/* Make the next frames; false: there is nothing, or no memory. */
static bool next_chunk(struct waiter *waiter)
{
    const struct inquiry *inquiry = waiter->inquiry;
    const struct result *result = results_after(&inquiry->results, waiter->after);
    struct text *chunk = &waiter->chunk;

    chunk->size = 0;
    waiter->sent = 0;
    if (result != NULL && result->size > CHUNK) {
        put_large(waiter, result);
        return !chunk->failed;
    }
    for (; result != NULL && chunk->size < CHUNK && result->size <= CHUNK; result = result->next) {
        put_frame(chunk, result->sequence, event_of(result));
        put_result(chunk, result, waiter->after);
        text_put(chunk, "\n\n");
        waiter->after = result->sequence;
    }
    if (result == NULL && inquiry->forget_ms != 0 && !waiter->ended)
        put_end(waiter);
    else if (chunk->size == 0 && inquiry->server->now_ms - waiter->written_ms >= PING_MS)
        text_put(chunk, ": ping\n\n");
    return chunk->size > 0 && !chunk->failed;
}

/* The library asks for more: all that it was given has gone out. */
static void note_written(struct waiter *waiter)
{
    if (waiter->large != NULL || waiter->sent < waiter->chunk.size ||
        waiter->written == waiter->after)
        return;
    waiter->written = waiter->after;
    inquiry_moved(waiter->inquiry);
}

static size_t read_large(struct waiter *waiter, char *out, size_t size)
{
    const atamo_bytes json = result_json(waiter->large);
    const size_t rest = json.size - waiter->large_sent;
    const size_t count = rest < size ? rest : size;

    memcpy(out, json.data + waiter->large_sent, count);
    waiter->large_sent += count;
    if (count < rest)
        return count;
    result_let_go(waiter->large);
    waiter->large = NULL;
    waiter->chunk.size = 0;
    waiter->sent = 0;
    text_put(&waiter->chunk, "\n\n");
    return count;
}

static ssize_t read_stream(struct exchange *exchange, char *out, size_t size)
{
    struct waiter *waiter = exchange->work;
    const struct text *chunk = &waiter->chunk;
    size_t count;

    note_written(waiter);
    if (waiter->large != NULL && waiter->sent == chunk->size) {
        waiter->written_ms = exchange->server->now_ms;
        return (ssize_t)read_large(waiter, out, size);
    }
    if (waiter->sent == chunk->size && !next_chunk(waiter))
        return waiter->ended || chunk->failed || atomic_load(&exchange->server->stopping) ? -1 : 0;
    count = chunk->size - waiter->sent < size ? chunk->size - waiter->sent : size;
    memcpy(out, chunk->data + waiter->sent, count);
    waiter->sent += count;
    waiter->written_ms = exchange->server->now_ms;
    return (ssize_t)count;
}

void inquiry_stream(struct waiter *waiter)
{
    waiter->streams = true;
    waiter->inquiry->server->inquiries->readers++;
    inquiry_moved(waiter->inquiry);
    exchange_stream(waiter->exchange, "text/event-stream", read_stream);
}
