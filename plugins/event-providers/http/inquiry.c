/* inquiry - requests whose responses are stored for clients that come and go.
 *
 * Happy path: each reply of the hub becomes a result, and whoever waits is told. After the END
 * reply everything stays for a while, and as long as somebody waits. With slow=block the hub hears
 * what has been taken: what the slowest of those who stream has, or if nobody streams what a poll
 * has acknowledged. Without memory a response is left out, which readers see as a gap; one that may
 * not be left out ends the request.
 */
#include "inquiry_inside.h"

#include <stdlib.h>
#include <string.h>

/* --- life */

struct inquiries *inquiries_open(struct server *server)
{
    struct inquiries *inquiries = calloc(1, sizeof *inquiries);

    if (inquiries == NULL)
        return NULL;
    inquiries->most = (size_t)server->host->integer(server->host, "max_requests");
    inquiries->pool.most = (size_t)server->host->integer(server->host, "max_results");
    inquiries->keep_ms = server->host->integer(server->host, "keep");
    inquiries->json = server->json;
    if (server->json->open(server->host, &inquiries->reader) != ATAMO_OK) {
        free(inquiries);
        return NULL;
    }
    return inquiries;
}

struct inquiry *inquiry_make(const struct exchange *exchange, const struct wish *wish)
{
    struct server *server = exchange->server;
    struct inquiry *inquiry = calloc(1, sizeof *inquiry);

    if (inquiry == NULL)
        return NULL;
    inquiry->server = server;
    inquiry->state = "open";
    inquiry->wish = *wish;
    inquiry->attended_ms = server->now_ms;
    memcpy(inquiry->user, exchange->user, sizeof inquiry->user);
    memcpy(inquiry->tenant, exchange->tenant, sizeof inquiry->tenant);
    results_open(&inquiry->results, &server->inquiries->pool, wish->options.slow,
                 wish->options.queue);
    return inquiry;
}

void inquiry_list(struct inquiry *inquiry)
{
    const struct server *server = inquiry->server;

    server->control->message_id(server->hub, inquiry->message, inquiry->uuid);
    *inquiry_place(server->inquiries, inquiry->message) = inquiry;
    server->inquiries->count++;
}

void inquiry_free(struct inquiry *inquiry)
{
    results_close(&inquiry->results);
    free(inquiry->detail);
    free(inquiry);
}

void inquiries_close(struct inquiries *inquiries)
{
    if (inquiries == NULL)
        return;
    for (size_t i = 0; i < INQUIRY_BUCKETS; i++)
        while (inquiries->buckets[i] != NULL) {
            struct inquiry *inquiry = inquiries->buckets[i];

            inquiries->buckets[i] = inquiry->next;
            inquiry_free(inquiry);
        }
    inquiries->json->close(inquiries->reader);
    text_free(&inquiries->scratch);
    free(inquiries);
}

struct inquiry **inquiry_place(struct inquiries *inquiries, uint64_t message)
{
    const uint64_t hash = (message * UINT64_C(0x9e3779b97f4a7c15)) >> 40;
    struct inquiry **place = &inquiries->buckets[hash % INQUIRY_BUCKETS];

    while (*place != NULL && (*place)->message != message)
        place = &(*place)->next;
    return place;
}

struct inquiries_figures inquiries_figures(const struct inquiries *inquiries)
{
    return (struct inquiries_figures){.count = inquiries->count,
                                      .readers = inquiries->readers,
                                      .bytes = inquiries->pool.bytes,
                                      .dropped = inquiries->pool.dropped};
}

/* --- time */

static bool is_over(const struct inquiry *inquiry)
{
    const int64_t now = inquiry->server->now_ms;

    if (inquiry->waiters != NULL || inquiry->has_moved)
        return false; /* somebody reads from it, or did just now, and the hub is to be told */
    if (inquiry->forget_ms != 0)
        return inquiry->forget_ms <= now;
    return inquiry->wish.alone_ms != 0 && now - inquiry->attended_ms >= inquiry->wish.alone_ms;
}

void inquiries_tick(struct server *server)
{
    struct inquiries *inquiries = server->inquiries;

    for (size_t i = 0; i < INQUIRY_BUCKETS; i++) {
        struct inquiry **place = &inquiries->buckets[i];

        while (*place != NULL) {
            struct inquiry *inquiry = *place;

            inquiry_tick(inquiry);
            if (!is_over(inquiry)) {
                place = &inquiry->next;
                continue;
            }
            if (inquiry->forget_ms == 0)
                (void)server->control->cancel(server->client, inquiry->message);
            *place = inquiry->next;
            inquiries->count--;
            inquiry_free(inquiry);
        }
    }
}

/* --- what readers have taken */

void inquiry_moved(struct inquiry *inquiry)
{
    struct inquiries *inquiries = inquiry->server->inquiries;

    if (inquiry->has_moved || inquiry->wish.options.slow != ATAMO_SLOW_BLOCK)
        return;
    inquiry->has_moved = true;
    inquiry->next_moved = inquiries->moved;
    inquiries->moved = inquiry;
}

static uint64_t taken_by_all(const struct inquiry *inquiry)
{
    uint64_t least = UINT64_MAX;

    for (const struct waiter *waiter = inquiry->waiters; waiter != NULL; waiter = waiter->next)
        if (waiter->streams && waiter->written < least)
            least = waiter->written;
    return least == UINT64_MAX ? inquiry->acknowledged : least;
}

void inquiries_settle(struct server *server)
{
    struct inquiries *inquiries = server->inquiries;

    while (inquiries->moved != NULL) {
        struct inquiry *inquiry = inquiries->moved;
        uint32_t count;

        inquiries->moved = inquiry->next_moved;
        inquiry->has_moved = false;
        count = results_taken(&inquiry->results, taken_by_all(inquiry));
        if (count > 0 && inquiry->forget_ms == 0)
            (void)server->control->taken(server->client, inquiry->message, count);
    }
}

/* --- replies come in */

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
    case ATAMO_CLOSED:
        return "stopped";
    default:
        return "refused";
    }
}

/* JSON has line feeds between its tokens at most; a stream of events has none. */
static void put_json(struct text *text, const char *name, atamo_bytes json)
{
    const size_t before = text->size;

    text_raw(text, name, json);
    for (size_t i = before; i < text->size; i++)
        if (text->data[i] == '\n' || text->data[i] == '\r')
            text->data[i] = ' ';
}

static void put_body(const struct inquiry *inquiry, struct text *text, const char *name,
                     atamo_bytes body)
{
    const struct inquiries *inquiries = inquiry->server->inquiries;
    atamo_json_value root;

    if (inquiries->json->parse(inquiries->reader, body, &root, NULL) == ATAMO_OK)
        put_json(text, name, body);
    else
        text_bytes(text, name, body);
}

static void put_reply(const struct inquiry *inquiry, struct text *text, const atamo_reply *reply)
{
    static const char *const kinds[] = {[ATAMO_REPLY_DATA] = "data",
                                        [ATAMO_REPLY_PROGRESS] = "progress",
                                        [ATAMO_REPLY_PART] = "part"};

    text->size = 0;
    text->comma = false;
    text_open(text, NULL, '{');
    text_uint(text, "sequence", reply->sequence);
    text_string(text, "kind", kinds[reply->kind]);
    text_bytes(text, "agent", reply->agent);
    text_bytes(text, "rule", reply->rule);
    if (reply->key.size > 0)
        text_bytes(text, "key", reply->key);
    if (reply->kind == ATAMO_REPLY_DATA) {
        put_body(inquiry, text, "data", reply->body);
    } else if (reply->kind == ATAMO_REPLY_PROGRESS) {
        text_number(text, "progress", reply->progress);
        put_body(inquiry, text, "text", reply->body);
    } else {
        text_string(text, "state", state_of(reply->status));
        if (reply->body.size > 0)
            text_bytes(text, "detail", reply->body);
    }
    text_close(text, '}');
}

static void end(struct inquiry *inquiry, const char *state, atamo_bytes detail)
{
    inquiry->state = state;
    if (detail.size > 0)
        inquiry->detail = strndup(detail.data, detail.size);
    inquiry->forget_ms = inquiry->server->now_ms + inquiry->wish.keep_ms;
}

/* It ends here, and the hub has no further reply for it. */
static void end_by_itself(struct inquiry *inquiry, const char *state, const char *detail)
{
    const struct server *server = inquiry->server;

    inquiry->sequence++;
    end(inquiry, state, atamo_text(detail));
    (void)server->control->cancel(server->client, inquiry->message);
}

static void add(struct inquiry *inquiry, const atamo_reply *reply)
{
    struct text *scratch = &inquiry->server->inquiries->scratch;
    int status = ATAMO_NO_MEMORY;

    put_reply(inquiry, scratch, reply);
    if (!scratch->failed)
        status = results_add(&inquiry->results, reply, (atamo_bytes){scratch->data, scratch->size});
    else
        text_free(scratch);
    inquiry->sequence = reply->sequence;
    if (status != ATAMO_OK && inquiry->wish.options.slow == ATAMO_SLOW_BLOCK)
        end_by_itself(inquiry, "failed",
                      "its readers are too slow: more waits for them than can be stored");
}

void inquiry_take(const atamo_reply *replies, size_t count, void *user)
{
    struct inquiry *inquiry = user;

    for (size_t i = 0; i < count && inquiry->forget_ms == 0; i++) {
        if (replies[i].kind != ATAMO_REPLY_END) {
            add(inquiry, &replies[i]);
            continue;
        }
        inquiry->sequence = replies[i].sequence;
        inquiry->done = replies[i].done;
        inquiry->actions = replies[i].actions;
        end(inquiry, state_of(replies[i].status), replies[i].body);
    }
    inquiry_tell(inquiry);
}

void inquiry_cancel(struct inquiry *inquiry)
{
    if (inquiry->forget_ms != 0)
        return;
    end_by_itself(inquiry, "cancelled", "cancelled by the client");
    inquiry_tell(inquiry);
}
