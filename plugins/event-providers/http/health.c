/* health - /health: it is alive; /ready: it takes events, or why not; /v1/stats: the books. */
#include "routes.h"
#include "server.h"

void health_get(struct exchange *exchange)
{
    struct text text = {0};

    text_open(&text, NULL, '{');
    text_string(&text, "status", "ok");
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

void ready_get(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_stats stats = {.size = sizeof stats};
    const int status = server->control->stats_get(server->hub, NULL, &stats);
    const char *reason = status != ATAMO_OK    ? atamo_status_text(status)
                         : stats.refusing != 0 ? atamo_reason_text((unsigned)stats.refusing)
                                               : NULL;
    struct text text = {0};

    text_open(&text, NULL, '{');
    text_bool(&text, "ready", reason == NULL);
    if (reason != NULL)
        text_string(&text, "reason", reason);
    text_close(&text, '}');
    exchange_send_json(exchange, reason == NULL ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
                       &text);
}

void stats_get(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_stats stats = {.size = sizeof stats};
    const int status = server->control->stats_get(server->hub, NULL, &stats);
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
        {"t_us", (uint64_t)(server->now_ns / 1000)},
        {"accepted", stats.accepted},
        {"refused", stats.refused},
        {"finished", stats.finished},
        {"in_flight", stats.in_flight},
        {"actions", stats.actions},
        {"done", stats.done},
        {"dead", stats.dead},
        {"shed", stats.shed},
        {"cancelled", stats.cancelled},
        {"expired", stats.expired},
        {"waiting", stats.waiting},
        {"running", stats.running},
        {"attempts", stats.attempts},
        {"retries", stats.retries},
        {"unmatched", stats.unmatched},
        {"rules_failed", stats.rules_failed},
        {"duplicates", stats.duplicates},
        {"dead_letters", stats.dead_letters},
        {"records", stats.records},
        {"records_lost", stats.records_lost},
        {"rules", stats.rules},
        {"generation", stats.generation},
        {"clients", stats.clients},
        {"requests", stats.requests},
        {"feeds", stats.feeds},
        {"replies", stats.replies},
        {"replies_lost", stats.replies_lost},
    };
    struct text text = {0};

    if (status != ATAMO_OK) {
        exchange_failed(exchange, status, "");
        return;
    }
    text_open(&text, NULL, '{');
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        text_uint(&text, figures[i].name, figures[i].value);
    text_bool(&text, "durable", stats.durable != 0);
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}
