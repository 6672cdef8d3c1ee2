/* rules - GET /v1/rules: which rules run, where they are written, and how often they matched. */
#include "routes.h"
#include "server.h"

void rules_list(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_rule_state state = {.size = sizeof state};
    atamo_stats stats = {.size = sizeof stats};
    struct text text = {0};

    (void)server->control->stats_get(server->hub, NULL, &stats);
    text_open(&text, NULL, '{');
    text_uint(&text, "generation", stats.generation);
    text_open(&text, "rules", '[');
    for (size_t i = 0; server->control->rule_get(server->hub, i, &state) == ATAMO_OK; i++) {
        text_open(&text, NULL, '{');
        text_string(&text, "id", state.id);
        text_string(&text, "provider", state.provider);
        text_string(&text, "file", state.file);
        text_uint(&text, "line", state.line);
        text_bool(&text, "editable", false);
        text_uint(&text, "hits", state.hits);
        text_uint(&text, "last_match_us", (uint64_t)(state.last_match_ns / 1000));
        text_close(&text, '}');
    }
    text_close(&text, ']');
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}
