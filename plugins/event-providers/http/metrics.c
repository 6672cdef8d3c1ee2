/* metrics - GET /metrics: the hub's books, agents and rules in the text format of Prometheus
 * (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4).
 */
#include "agents.h"
#include "inquiry.h"
#include "routes.h"

#include <inttypes.h>
#include <string.h>

static void put_head(struct text *text, const char *name, const char *type, const char *help)
{
    text_print(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_single(struct text *text, const char *name, const char *type, const char *help,
                       uint64_t value)
{
    put_head(text, name, type, help);
    text_print(text, "%s %" PRIu64 "\n", name, value);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void put_label(struct text *text, const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\\' || *at == '"')
            text_print(text, "\\%c", *at);
        else if (*at == '\n')
            text_put(text, "\\n");
        else
            text_add(text, at, 1);
    }
}

static void put_labelled(struct text *text, const char *name, const char *label, const char *value,
                         uint64_t number)
{
    text_print(text, "%s{%s=\"", name, label);
    put_label(text, value);
    text_print(text, "\"} %" PRIu64 "\n", number);
}

/* --- the hub */

static void put_hub(struct text *text, const atamo_stats *stats)
{
    const struct {
        const char *name, *help;
        uint64_t value;
    } ends[] = {
        {"done", "", stats->done},       {"dead", "", stats->dead},
        {"shed", "", stats->shed},       {"cancelled", "", stats->cancelled},
        {"expired", "", stats->expired},
    };

    put_single(text, "atamo_messages_accepted_total", "counter", "Events that were accepted.",
               stats->accepted);
    put_single(text, "atamo_messages_refused_total", "counter", "Events that were refused.",
               stats->refused);
    put_single(text, "atamo_messages_duplicate_total", "counter",
               "Events that came again and were not accepted twice.", stats->duplicates);
    put_single(text, "atamo_messages_finished_total", "counter",
               "Messages all of whose actions have ended.", stats->finished);
    put_single(text, "atamo_messages_unmatched_total", "counter", "Events that no rule matched.",
               stats->unmatched);
    put_single(text, "atamo_messages_in_flight", "gauge", "Messages that are not finished.",
               stats->in_flight);
    put_single(text, "atamo_actions_total", "counter", "Actions that rules made.", stats->actions);
    put_head(text, "atamo_actions_ended_total", "counter", "Actions by how they ended.");
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        put_labelled(text, "atamo_actions_ended_total", "end", ends[i].name, ends[i].value);
    put_single(text, "atamo_actions_waiting", "gauge", "Actions that wait for an attempt.",
               stats->waiting);
    put_single(text, "atamo_actions_running", "gauge", "Actions that agents hold.", stats->running);
    put_single(text, "atamo_attempts_total", "counter", "Attempts.", stats->attempts);
    put_single(text, "atamo_retries_total", "counter", "Attempts that are to be made again.",
               stats->retries);
    put_single(text, "atamo_rules_failed_total", "counter",
               "Rules that matched and could make no action.", stats->rules_failed);
    put_single(text, "atamo_dead_letters", "gauge", "Dead letters that are kept.",
               stats->dead_letters);
    put_single(text, "atamo_telemetry_records_total", "counter", "Telemetry records.",
               stats->records);
    put_single(text, "atamo_telemetry_records_lost_total", "counter",
               "Telemetry records that an auditor lost.", stats->records_lost);
    put_single(text, "atamo_requests_open", "gauge", "Requests that have not ended.",
               stats->requests);
    put_single(text, "atamo_feeds_open", "gauge", "Of them feeds.", stats->feeds);
    put_single(text, "atamo_replies_total", "counter", "Replies that clients were given.",
               stats->replies);
    put_single(text, "atamo_replies_lost_total", "counter",
               "Replies that were left out because a client was slow.", stats->replies_lost);
    put_single(text, "atamo_rules", "gauge", "Rules that run.", stats->rules);
    put_single(text, "atamo_configuration_generation", "gauge",
               "How often the configuration was read.", stats->generation);
}

/* --- agents */

struct figure {
    const char *name, *type, *help;
    size_t offset; /* of a uint64_t in the state */
};

static void put_figure(struct text *text, const struct server *server, const struct figure *figure)
{
    atamo_agent_state state = {.size = sizeof state};

    put_head(text, figure->name, figure->type, figure->help);
    for (size_t i = 0; server->control->agent_get(server->hub, i, &state) == ATAMO_OK; i++) {
        uint64_t value;

        memcpy(&value, (const char *)&state + figure->offset, sizeof value);
        put_labelled(text, figure->name, "agent", state.name, value);
    }
}

static void put_histogram(struct text *text, const atamo_agent_state *state)
{
    uint64_t count = 0;

    for (size_t i = 0; i + 1 < ATAMO_LATENCY_BUCKETS; i++) {
        count += state->latency[i];
        text_put(text, "atamo_agent_attempt_seconds_bucket{agent=\"");
        put_label(text, state->name);
        text_print(text, "\",le=\"%.6f\"} %" PRIu64 "\n", (double)(UINT64_C(1) << i) / 1e6, count);
    }
    text_put(text, "atamo_agent_attempt_seconds_bucket{agent=\"");
    put_label(text, state->name);
    text_print(text, "\",le=\"+Inf\"} %" PRIu64 "\natamo_agent_attempt_seconds_sum{agent=\"",
               agent_settled(state));
    put_label(text, state->name);
    text_print(text, "\"} %.6f\natamo_agent_attempt_seconds_count{agent=\"",
               (double)state->latency_sum_us / 1e6);
    put_label(text, state->name);
    text_print(text, "\"} %" PRIu64 "\n", agent_settled(state));
}

static void put_agents(struct text *text, const struct server *server)
{
    static const struct figure figures[] = {
        {"atamo_agent_queued", "gauge", "Actions that wait for the agent in memory.",
         offsetof(atamo_agent_state, queued)},
        {"atamo_agent_parked", "gauge", "Actions that wait for the agent in the store.",
         offsetof(atamo_agent_state, parked)},
        {"atamo_agent_running", "gauge", "Actions that the agent holds.",
         offsetof(atamo_agent_state, running)},
        {"atamo_agent_done_total", "counter", "Actions that the agent has done.",
         offsetof(atamo_agent_state, done)},
        {"atamo_agent_retries_total", "counter", "Attempts of the agent to be made again.",
         offsetof(atamo_agent_state, retries)},
        {"atamo_agent_dead_total", "counter", "Actions of the agent that died.",
         offsetof(atamo_agent_state, dead)},
        {"atamo_agent_shed_total", "counter", "Actions that the agent's queue had no room for.",
         offsetof(atamo_agent_state, shed)},
        {"atamo_agent_cache_hits_total", "counter", "Actions answered from the agent's cache.",
         offsetof(atamo_agent_state, cache_hits)},
        {"atamo_agent_cache_stale_total", "counter", "Of them those while it was being refreshed.",
         offsetof(atamo_agent_state, cache_stale)},
        {"atamo_agent_cache_joins_total", "counter",
         "Actions that joined an identical one under way.",
         offsetof(atamo_agent_state, cache_joins)},
        {"atamo_agent_cache_misses_total", "counter",
         "Actions that found nothing in the agent's cache.",
         offsetof(atamo_agent_state, cache_misses)},
        {"atamo_agent_cache_evicted_total", "counter",
         "Results that left the agent's cache for want of room or of age.",
         offsetof(atamo_agent_state, cache_evicted)},
        {"atamo_agent_cache_entries", "gauge", "Results that the agent's cache holds.",
         offsetof(atamo_agent_state, cache_entries)},
        {"atamo_agent_cache_bytes", "gauge", "How much that is.",
         offsetof(atamo_agent_state, cache_bytes)},
    };
    atamo_agent_state state = {.size = sizeof state};

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        put_figure(text, server, &figures[i]);
    put_head(text, "atamo_agent_breaker_open", "gauge",
             "1 if the agent's circuit breaker lets nothing through.");
    for (size_t i = 0; server->control->agent_get(server->hub, i, &state) == ATAMO_OK; i++)
        put_labelled(text, "atamo_agent_breaker_open", "agent", state.name, state.breaker == 2);
    put_head(text, "atamo_agent_paused", "gauge", "1 if the agent is paused.");
    for (size_t i = 0; server->control->agent_get(server->hub, i, &state) == ATAMO_OK; i++)
        put_labelled(text, "atamo_agent_paused", "agent", state.name, state.paused);
    put_head(text, "atamo_agent_attempt_seconds", "histogram",
             "How long attempts took that the agent has settled.");
    for (size_t i = 0; server->control->agent_get(server->hub, i, &state) == ATAMO_OK; i++)
        put_histogram(text, &state);
}

static void put_rules(struct text *text, const struct server *server)
{
    atamo_rule_state state = {.size = sizeof state};

    put_head(text, "atamo_rule_hits_total", "counter",
             "Events that the rule matched since it was loaded.");
    for (size_t i = 0; server->control->rule_get(server->hub, i, &state) == ATAMO_OK; i++)
        put_labelled(text, "atamo_rule_hits_total", "rule", state.id, state.hits);
    put_head(text, "atamo_rule_action_seconds", "summary",
             "From an event's coming in until an action of the rule was done.");
    for (size_t i = 0; server->control->rule_get(server->hub, i, &state) == ATAMO_OK; i++) {
        text_put(text, "atamo_rule_action_seconds_sum{rule=\"");
        put_label(text, state.id);
        text_print(text, "\"} %.6f\n", (double)state.took_us / 1e6);
        put_labelled(text, "atamo_rule_action_seconds_count", "rule", state.id, state.done);
    }
}

static void put_server(struct text *text, const struct server *server)
{
    const struct inquiries_figures figures = inquiries_figures(server->inquiries);
    char class[] = "0xx";

    put_head(text, "atamo_http_answers_total", "counter", "Answers by the class of their status.");
    for (size_t i = 1; i < sizeof server->answered / sizeof server->answered[0]; i++) {
        class[0] = (char)('0' + i);
        put_labelled(text, "atamo_http_answers_total", "class", class, server->answered[i]);
    }
    put_single(text, "atamo_http_connections", "gauge", "Connections.", server->visit_count);
    put_single(text, "atamo_http_requests_stored", "gauge",
               "Requests that are known, open or with their results.", figures.count);
    put_single(text, "atamo_http_readers", "gauge", "Streams of a request's replies.",
               figures.readers);
    put_single(text, "atamo_http_results_bytes", "gauge", "Results that are stored.",
               figures.bytes);
    put_single(text, "atamo_http_results_dropped_total", "counter",
               "Results that made room for others.", figures.dropped);
}

void metrics_get(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_stats stats = {.size = sizeof stats};
    const int status = server->control->stats_get(server->hub, NULL, &stats);
    struct text text = {0};

    if (status != ATAMO_OK) {
        exchange_failed(exchange, status, "");
        return;
    }
    put_hub(&text, &stats);
    put_agents(&text, server);
    put_rules(&text, server);
    put_server(&text, server);
    exchange_send(exchange, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &text);
}
