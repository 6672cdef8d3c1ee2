/* requests - /v1/requests: ask, look, listen, cancel.
 *
 * Happy path: the event is submitted as a request that outlives the exchange; whoever has its id
 * can ask for the responses, again and from anywhere. What is wrong with the event itself is
 * answered at once; what rules refuse is the request's end.
 */
#include "draft.h"
#include "inquiry_inside.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MAX_MS = 300000, LAST_MAX = 10000 };

/* The one that the path names; NULL: there is none, and the exchange is answered. */
static struct inquiry *find(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const uint64_t message = server->control->message_number(server->hub, exchange->id);
    struct inquiry *inquiry = *inquiry_place(server->inquiries, message);

    if (inquiry != NULL && (strcmp(inquiry->user, exchange->user) != 0 ||
                            strcmp(inquiry->tenant, exchange->tenant) != 0))
        inquiry = NULL; /* who is not its owner does not even learn that it is there */
    if (inquiry == NULL || message == 0) {
        exchange_problem(exchange, MHD_HTTP_NOT_FOUND, "no request \"%.64s\" is known",
                         exchange->id);
        return NULL;
    }
    return inquiry;
}

struct asking {
    struct inquiry *inquiry;
    int status;
};

static int ask(void *user, const atamo_event_draft *draft, size_t index)
{
    struct asking *asking = user;
    struct inquiry *inquiry = asking->inquiry;
    const struct server *server = inquiry->server;

    (void)index;
    asking->status = server->control->request(server->client, draft, &inquiry->wish.options,
                                              inquiry_take, inquiry, &inquiry->message);
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

/* Why no further request is taken; NULL: it is. */
static const char *why_full(const struct inquiries *inquiries)
{
    if (inquiries->count >= inquiries->most)
        return "too many requests are kept";
    return results_are_full(&inquiries->pool) ? "too much waits for readers that are slow" : NULL;
}

void requests_post(struct exchange *exchange)
{
    const struct inquiries *inquiries = exchange->server->inquiries;
    struct asking asking = {.status = ATAMO_INVALID};
    const char *full = why_full(inquiries);
    struct wish wish;
    bool batch;

    if (!wish_read(exchange, inquiries->keep_ms, &wish) || drafts_count(exchange, &batch) < 0)
        return;
    if (batch || full != NULL) {
        exchange_problem(exchange, batch ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_TOO_MANY_REQUESTS, "%s",
                         batch ? "a request is a single event" : full);
        return;
    }
    asking.inquiry = inquiry_make(exchange, &wish);
    if (asking.inquiry == NULL) {
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return;
    }
    if (drafts_visit(exchange, ask, &asking) != ATAMO_OK || asking.status != ATAMO_OK) {
        inquiry_free(asking.inquiry);
        if (exchange->response == NULL)
            exchange_failed(exchange, asking.status, draft_fault(asking.status));
        return;
    }
    inquiry_list(asking.inquiry);
    answer_receipt(exchange, asking.inquiry);
}

void requests_get(struct exchange *exchange)
{
    struct inquiry *inquiry = find(exchange);
    struct waiter *waiter;
    uint64_t wait_ms, after, last;

    if (inquiry == NULL || !exchange_duration(exchange, "wait", WAIT_MAX_MS, 0, &wait_ms) ||
        !exchange_count(exchange, "after", UINT64_MAX, 0, &after) ||
        !exchange_count(exchange, "last", LAST_MAX, 0, &last))
        return;
    if (last > 0) { /* only looks: that is no reading */
        inquiry_answer(exchange, inquiry, results_before_last(&inquiry->results, last));
        return;
    }
    inquiry->attended_ms = exchange->server->now_ms;
    if (after > inquiry->acknowledged) {
        inquiry->acknowledged = after;
        inquiry_moved(inquiry);
    }
    if (wait_ms == 0 || inquiry_has_more(inquiry, after)) {
        inquiry_answer(exchange, inquiry, after);
        return;
    }
    waiter = inquiry_wait(exchange, inquiry, after);
    if (waiter != NULL)
        waiter->deadline_ms = exchange->server->now_ms + (int64_t)wait_ms;
}

/* The last one that the client has: a browser tells it in a header when it connects again, which
 * counts for more than the address that it began with. */
static bool read_place(struct exchange *exchange, uint64_t *after)
{
    const char *last = exchange_header(exchange, "Last-Event-ID");
    char *end;

    if (last == NULL || last[0] == '\0')
        return exchange_count(exchange, "after", UINT64_MAX, 0, after);
    *after = strtoull(last, &end, 10);
    if (last[0] >= '0' && last[0] <= '9' && *end == '\0')
        return true;
    exchange_problem(exchange, MHD_HTTP_BAD_REQUEST,
                     "\"Last-Event-ID\" is \"%.40s\", expected a number", last);
    return false;
}

void requests_stream(struct exchange *exchange)
{
    struct inquiry *inquiry = find(exchange);
    struct waiter *waiter;
    uint64_t after;

    if (inquiry == NULL || !read_place(exchange, &after))
        return;
    waiter = inquiry_wait(exchange, inquiry, after);
    if (waiter != NULL)
        inquiry_stream(waiter);
}

void requests_delete(struct exchange *exchange)
{
    struct inquiry *inquiry = find(exchange);

    if (inquiry == NULL)
        return;
    inquiry_cancel(inquiry);
    exchange_send_empty(exchange, MHD_HTTP_NO_CONTENT);
}
