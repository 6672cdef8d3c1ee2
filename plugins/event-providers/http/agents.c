/* agents - /v1/agents: how each stands, and pause, resume, drain.
 *
 * Happy path: each agent is asked for its state on the hub's thread. Draining pauses an agent and
 * answers when it holds nothing any more; those that wait are looked at twice a second.
 */
#include "agents.h"

#include "routes.h"

#include <atamo/agent.h>

#include <stdlib.h>
#include <string.h>

enum { DRAIN_MAX_MS = 300000, DRAIN_MS = 30000 };

uint64_t agent_quantile(const atamo_agent_state *state, unsigned percent)
{
    uint64_t count = 0;
    uint64_t seen = 0;

    for (size_t i = 0; i < ATAMO_LATENCY_BUCKETS; i++)
        count += state->latency[i];
    for (size_t i = 0; i < ATAMO_LATENCY_BUCKETS; i++) {
        seen += state->latency[i];
        if (seen > 0 && seen * 100 >= count * percent)
            return UINT64_C(1) << i;
    }
    return 0;
}

uint64_t agent_settled(const atamo_agent_state *state)
{
    uint64_t count = 0;

    for (size_t i = 0; i < ATAMO_LATENCY_BUCKETS; i++)
        count += state->latency[i];
    return count;
}

const char *agent_breaker(const atamo_agent_state *state)
{
    static const char *const names[] = {"closed", "half open", "open"};

    return names[state->breaker < 3 ? state->breaker : 0];
}

/* The buckets that hold something; each under `le_us`. */
static void put_latency(struct text *text, const atamo_agent_state *state)
{
    text_open(text, "latency", '{');
    text_uint(text, "count", agent_settled(state));
    text_uint(text, "sum_us", state->latency_sum_us);
    text_uint(text, "p50_us", agent_quantile(state, 50));
    text_uint(text, "p90_us", agent_quantile(state, 90));
    text_uint(text, "p99_us", agent_quantile(state, 99));
    text_open(text, "buckets", '[');
    for (size_t i = 0; i < ATAMO_LATENCY_BUCKETS; i++) {
        if (state->latency[i] == 0)
            continue;
        text_open(text, NULL, '{');
        text_uint(text, "le_us", UINT64_C(1) << i);
        text_uint(text, "count", state->latency[i]);
        text_close(text, '}');
    }
    text_close(text, ']');
    text_close(text, '}');
}

/* Only of an agent whose cache was ever asked. */
static void put_cache(struct text *text, const atamo_agent_state *state)
{
    if (state->cache_hits + state->cache_joins + state->cache_misses == 0)
        return;
    text_open(text, "cache", '{');
    text_uint(text, "hits", state->cache_hits);
    text_uint(text, "stale", state->cache_stale);
    text_uint(text, "joins", state->cache_joins);
    text_uint(text, "misses", state->cache_misses);
    text_uint(text, "evicted", state->cache_evicted);
    text_uint(text, "entries", state->cache_entries);
    text_uint(text, "bytes", state->cache_bytes);
    text_close(text, '}');
}

static void put_agent(struct text *text, const atamo_agent_state *state)
{
    text_open(text, NULL, '{');
    text_string(text, "id", state->name);
    text_string(text, "plugin", state->plugin);
    text_string(text, "mode", state->mode == ATAMO_POOL ? "pool" : "inline");
    text_string(text, "state", state->paused != 0 ? "paused" : "running");
    text_string(text, "breaker", agent_breaker(state));
    text_uint(text, "queued", state->queued);
    text_uint(text, "parked", state->parked);
    text_uint(text, "running", state->running);
    text_uint(text, "concurrency", state->concurrency);
    text_uint(text, "done", state->done);
    text_uint(text, "retries", state->retries);
    text_uint(text, "dead", state->dead);
    text_uint(text, "shed", state->shed);
    text_uint(text, "attempts", state->attempts);
    put_latency(text, state);
    put_cache(text, state);
    text_close(text, '}');
}

void agents_get(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_agent_state state = {.size = sizeof state};
    struct text text = {0};

    text_open(&text, NULL, '{');
    text_open(&text, "agents", '[');
    for (size_t i = 0; server->control->agent_get(server->hub, i, &state) == ATAMO_OK; i++)
        put_agent(&text, &state);
    text_close(&text, ']');
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

static bool find(const struct server *server, const char *name, atamo_agent_state *state)
{
    for (size_t i = 0; server->control->agent_get(server->hub, i, state) == ATAMO_OK; i++)
        if (strcmp(state->name, name) == 0)
            return true;
    return false;
}

static void answer(struct exchange *exchange, const atamo_agent_state *state)
{
    struct text text = {0};

    put_agent(&text, state);
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

static bool set_paused(struct exchange *exchange, int paused, atamo_agent_state *state)
{
    const struct server *server = exchange->server;

    *state = (atamo_agent_state){.size = sizeof *state};
    if (server->control->agent_pause(server->hub, exchange->id, paused) == ATAMO_OK &&
        find(server, exchange->id, state))
        return true;
    exchange_problem(exchange, MHD_HTTP_NOT_FOUND, "no agent \"%.200s\"", exchange->id);
    return false;
}

void agents_pause(struct exchange *exchange)
{
    atamo_agent_state state;

    if (set_paused(exchange, 1, &state))
        answer(exchange, &state);
}

void agents_resume(struct exchange *exchange)
{
    atamo_agent_state state;

    if (set_paused(exchange, 0, &state))
        answer(exchange, &state);
}

/* --- draining */

struct drain {
    struct drain *next, *previous;
    struct exchange *exchange;
    int64_t deadline_ms;
};

static void stop_draining(struct exchange *exchange)
{
    struct drain *drain = exchange->work;

    if (drain->previous != NULL)
        drain->previous->next = drain->next;
    else
        exchange->server->drains = drain->next;
    if (drain->next != NULL)
        drain->next->previous = drain->previous;
    exchange->work = NULL;
    exchange->drop = NULL;
    free(drain);
}

void agents_tick(struct server *server)
{
    for (struct drain *drain = server->drains, *next; drain != NULL; drain = next) {
        struct exchange *exchange = drain->exchange;
        atamo_agent_state state = {.size = sizeof state};

        next = drain->next;
        if (!find(server, exchange->id, &state))
            exchange_problem(exchange, MHD_HTTP_NOT_FOUND, "the agent has gone");
        else if (state.running == 0)
            answer(exchange, &state);
        else if (server->now_ms >= drain->deadline_ms)
            exchange_problem(exchange, MHD_HTTP_GATEWAY_TIMEOUT,
                             "it is paused, and still holds %llu actions",
                             (unsigned long long)state.running);
        else
            continue;
        stop_draining(exchange);
    }
}

void agents_drain(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct drain *drain;
    atamo_agent_state state;
    uint64_t wait_ms;

    if (!exchange_duration(exchange, "wait", DRAIN_MAX_MS, DRAIN_MS, &wait_ms) ||
        !set_paused(exchange, 1, &state))
        return;
    if (state.running == 0) {
        answer(exchange, &state);
        return;
    }
    drain = calloc(1, sizeof *drain);
    if (drain == NULL) {
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return;
    }
    drain->exchange = exchange;
    drain->deadline_ms = server->now_ms + (int64_t)wait_ms;
    drain->next = server->drains;
    if (server->drains != NULL)
        server->drains->previous = drain;
    server->drains = drain;
    exchange->work = drain;
    exchange->drop = stop_draining;
}
