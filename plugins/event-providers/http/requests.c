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

enum { WAIT_MAX_MS = 300000, TIMEOUT_MAX_MS = 24 * 3600 * 1000 };

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
    asking->status = server->control->request(server->client, draft, &options, inquiry_take,
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
    memcpy(asking.inquiry->user, exchange->user, sizeof exchange->user);
    memcpy(asking.inquiry->tenant, exchange->tenant, sizeof exchange->tenant);
    asking.status = ATAMO_INVALID;
    if (drafts_visit(exchange, ask, &asking) != ATAMO_OK || asking.status != ATAMO_OK) {
        free(asking.inquiry);
        if (exchange->response == NULL)
            exchange_failed(exchange, asking.status, draft_fault(asking.status));
        return;
    }
    server->control->message_id(server->hub, asking.inquiry->message, asking.inquiry->uuid);
    *inquiry_place(server->inquiries, asking.inquiry->message) = asking.inquiry;
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
    if (wait_ms == 0 || inquiry_has_more(inquiry, after)) {
        inquiry_answer(exchange, inquiry, after);
        return;
    }
    waiter = inquiry_wait(exchange, inquiry, after);
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
    waiter = inquiry_wait(exchange, inquiry, last == NULL ? 0 : strtoull(last, NULL, 10));
    if (waiter != NULL)
        inquiry_stream(waiter);
}

void requests_delete(struct exchange *exchange)
{
    struct inquiry *inquiry = find(exchange);
    const struct server *server = exchange->server;

    if (inquiry == NULL)
        return;
    if (inquiry->forget_ms == 0 &&
        server->control->cancel(server->client, inquiry->message) == ATAMO_OK) {
        inquiry_end(inquiry, "cancelled", atamo_text("cancelled by the client"));
        inquiry_tell(inquiry);
    }
    exchange_send_empty(exchange, MHD_HTTP_NO_CONTENT);
}
