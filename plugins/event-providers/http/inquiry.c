/* inquiry - requests whose responses are kept for clients that come and go.
 *
 * Happy path: each reply of the hub is added to the inquiry's list, and whoever waits is told.
 * After the END reply everything is kept for a while, and as long as somebody waits. Without memory
 * a response is left out and counted as lost, like one that was dropped because there were too
 * many.
 */
#include "inquiry_inside.h"

#include <stdlib.h>
#include <string.h>

enum { RESPONSES_MAX = 10000, BYTES_MAX = 16 << 20 };

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
    for (size_t i = 0; i < INQUIRY_BUCKETS; i++)
        while (inquiries->buckets[i] != NULL) {
            struct inquiry *inquiry = inquiries->buckets[i];

            inquiries->buckets[i] = inquiry->next;
            free_inquiry(inquiry);
        }
    inquiries->json->close(inquiries->reader);
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

void inquiries_tick(struct server *server)
{
    struct inquiries *inquiries = server->inquiries;

    for (size_t i = 0; i < INQUIRY_BUCKETS; i++) {
        struct inquiry **place = &inquiries->buckets[i];

        while (*place != NULL) {
            struct inquiry *inquiry = *place;

            inquiry_tick(inquiry);
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

void inquiry_end(struct inquiry *inquiry, const char *state, atamo_bytes detail)
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

void inquiry_take(const atamo_reply *replies, size_t count, void *user)
{
    struct inquiry *inquiry = user;

    for (size_t i = 0; i < count; i++) {
        if (replies[i].kind == ATAMO_REPLY_END)
            inquiry_end(inquiry, state_of(replies[i].status), replies[i].body);
        else
            add(inquiry, &replies[i]);
    }
    inquiry_tell(inquiry);
}
