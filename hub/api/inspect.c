/* inspect - look at a running hub: numbers, agents, dead letters, why.
 *
 * Each is a call that runs on the hub's thread between two turns, so that what it answers is
 * consistent. Copies go out; nothing of the hub's memory does.
 */
#include "api/hub_inside.h"

#include "config/rulebook.h"
#include "flow/commit.h"
#include "flow/shares.h"

#include <stdio.h>
#include <string.h>

/* Copy as much of a struct as the caller's version of it has. */
static void copy_out(void *to, const void *from, size_t size)
{
    uint32_t room;

    memcpy(&room, to, sizeof room);
    memcpy((char *)to + sizeof room, (const char *)from + sizeof room,
           (room < size ? room : size) - sizeof room);
}

struct inspect_call {
    atamo_hub *hub;
    const char *name;
    void *out;
    size_t index;
    uint64_t id;
    int value;
    int status;
};

/* --- numbers */

static void add_counters(const struct flow_counters *counters, atamo_stats *stats)
{
    stats->accepted += counters->accepted;
    stats->refused += counters->refused;
    stats->finished += counters->finished;
    stats->actions += counters->actions;
    stats->done += counters->done;
    stats->dead += counters->dead;
    stats->shed += counters->shed;
    stats->cancelled += counters->cancelled;
    stats->expired += counters->expired;
    stats->attempts += counters->attempts;
    stats->retries += counters->retries;
    stats->unmatched += counters->unmatched;
    stats->rules_failed += counters->rules_failed;
    stats->duplicates += counters->duplicates;
}

static void read_stats(void *argument)
{
    struct inspect_call *call = argument;
    const struct flow *flow = &call->hub->flow;
    atamo_stats *stats = call->out;

    call->status = call->name == NULL ? ATAMO_OK : ATAMO_NOT_FOUND;
    for (uint32_t i = 0; i < flow->tenant_count; i++) {
        const atamo_bytes tenant = names_text(flow->names, flow->tenants[i]);

        if (call->name != NULL && strcmp(call->name, tenant.data) != 0)
            continue;
        add_counters(&flow->counters[i], stats);
        call->status = ATAMO_OK;
    }
    for (uint32_t i = 0; i < flow->lane_count; i++)
        stats->running += flow->lanes[i]->running;
    stats->in_flight = flow->in_flight;
    stats->waiting = stats->actions - stats->done - stats->dead - stats->shed - stats->cancelled -
                     stats->expired;
    if (call->name != NULL)
        stats->in_flight = stats->accepted - stats->finished;
    stats->running = stats->running < stats->waiting ? stats->running : stats->waiting;
    stats->waiting -= stats->running;
    stats->clients = flow->port_count;
    stats->stale_settles = atomic_load(&flow->stale_settles);
    stats->records = flow->journal.records;
    stats->dead_letters = flow->dead_count;
    stats->rules = flow->current == NULL ? 0 : flow->current->rule_count;
    stats->generation = flow->current == NULL ? 0 : flow->current->number;
    stats->durable = flow_outlives(flow);
    stats->refusing = flow->refusing             ? ATAMO_REASON_STOPPING
                      : flow_store_refuses(flow) ? ATAMO_REASON_STORE
                                                 : ATAMO_REASON_NONE;
    stats->requests = flow->request_count;
    stats->feeds = flow->feed_count;
    stats->replies = flow->replies;
    stats->replies_lost = flow->replies_lost;
}

/* The list of auditors changes while the hub is being reloaded or closed, and whoever does that may
 * wait for the caller: then the last sum stands. */
static uint64_t records_lost(atamo_hub *hub)
{
    uint64_t lost = 0;

    if (pthread_mutex_trylock(&hub->control) != 0)
        return atomic_load(&hub->records_lost);
    for (struct audit *audit = hub->audits; audit != NULL; audit = *audit_next(audit))
        lost += audit_lost(audit);
    atomic_store(&hub->records_lost, lost);
    (void)pthread_mutex_unlock(&hub->control);
    return lost;
}

int atamo_stats_get(atamo_hub *hub, const char *tenant, atamo_stats *stats)
{
    atamo_stats full = {0};
    struct inspect_call call = {.hub = hub, .name = tenant, .out = &full};

    flow_call(&hub->flow, read_stats, &call);
    full.records_lost = records_lost(hub);
    if (call.status == ATAMO_OK)
        copy_out(stats, &full, sizeof full);
    return call.status;
}

/* --- agents */

static void read_cache(const struct lane *lane, atamo_agent_state *state)
{
    state->cache_hits = lane->counters.cache_hits;
    state->cache_stale = lane->counters.cache_stale;
    state->cache_joins = lane->counters.cache_joins;
    state->cache_misses = lane->counters.cache_misses;
    state->cache_evicted = lane->counters.cache_evicted;
    if (lane->shares == NULL)
        return;
    state->cache_evicted += lane->shares->results.evicted - lane->shares->evicted;
    state->cache_entries = lane->shares->results.entries;
    state->cache_bytes = lane->shares->results.bytes + lane->shares->held;
}

static void read_agent(void *argument)
{
    struct inspect_call *call = argument;
    const struct flow *flow = &call->hub->flow;
    atamo_agent_state *state = call->out;
    const struct lane *lane;

    call->status = ATAMO_NOT_FOUND;
    if (flow->current == NULL || call->index >= flow->current->agent_count)
        return;
    lane = flow->lanes[flow->current->agents[call->index].lane];
    state->paused = lane->paused;
    state->breaker = (uint32_t)lane->breaker.state;
    state->mode = lane->settings.mode;
    (void)snprintf(state->name, sizeof state->name, "%s", lane->settings.name.data);
    (void)snprintf(state->plugin, sizeof state->plugin, "%s",
                   lane->settings.instance == NULL ? "" : lane->settings.instance->plugin->id);
    state->queued = lane->waiting + lane->backing_off;
    state->running = lane->running;
    state->done = lane->counters.done;
    state->retries = lane->counters.retries;
    state->dead = lane->counters.dead;
    state->shed = lane->counters.shed;
    state->attempts = lane->counters.attempts;
    state->parked = lane->parked;
    state->concurrency = lane->settings.concurrency;
    state->latency_sum_us = lane->counters.latency_sum_us;
    memcpy(state->latency, lane->counters.latency, sizeof state->latency);
    read_cache(lane, state);
    call->status = ATAMO_OK;
}

int atamo_agent_get(atamo_hub *hub, size_t index, atamo_agent_state *state)
{
    atamo_agent_state full = {0};
    struct inspect_call call = {.hub = hub, .index = index, .out = &full};

    flow_call(&hub->flow, read_agent, &call);
    if (call.status == ATAMO_OK)
        copy_out(state, &full, sizeof full);
    return call.status;
}

static void pause_agent(void *argument)
{
    struct inspect_call *call = argument;
    struct flow *flow = &call->hub->flow;

    call->status = ATAMO_NOT_FOUND;
    for (uint32_t i = 0; i < flow->lane_count; i++) {
        struct lane *lane = flow->lanes[i];

        if (lane->removed || strcmp(lane->settings.name.data, call->name) != 0)
            continue;
        lane->paused = call->value != 0;
        flow_record_hub(flow, call->value != 0 ? ATAMO_REASON_PAUSED : ATAMO_REASON_RESUMED,
                        lane->settings.name_id, "");
        flow_ready(flow, lane);
        call->status = ATAMO_OK;
    }
}

int atamo_agent_pause(atamo_hub *hub, const char *agent, int paused)
{
    struct inspect_call call = {.hub = hub, .name = agent, .value = paused};

    flow_call(&hub->flow, pause_agent, &call);
    return call.status;
}

/* --- rules */

static void read_rule(void *argument)
{
    struct inspect_call *call = argument;
    const struct generation *current = call->hub->flow.current;
    atamo_rule_state *state = call->out;
    const struct rule *rule;

    call->status = ATAMO_NOT_FOUND;
    if (current == NULL || call->index >= current->rule_count)
        return;
    rule = &current->rules[call->index];
    (void)snprintf(state->id, sizeof state->id, "%s", names_text(call->hub->names, rule->id).data);
    (void)snprintf(state->file, sizeof state->file, "%s",
                   rule->place.file == NULL ? "" : rule->place.file);
    (void)snprintf(state->on, sizeof state->on, "%s", rule->on);
    state->line = rule->place.line;
    state->editable = rulebook_has(current->rules_folder, state->file);
    state->hits = current->seen[call->index].hits;
    state->last_match_ns = current->seen[call->index].last_ns;
    state->done = current->seen[call->index].done;
    state->took_us = current->seen[call->index].took_us;
    for (size_t i = 0; i < current->rule_provider_count; i++)
        if (rule->provider != NULL &&
            current->rule_providers[i].instance->self == rule->provider_self)
            (void)snprintf(state->provider, sizeof state->provider, "%s",
                           current->rule_providers[i].name.data);
    call->status = ATAMO_OK;
}

int atamo_rule_get(atamo_hub *hub, size_t index, atamo_rule_state *state)
{
    atamo_rule_state full = {0};
    struct inspect_call call = {.hub = hub, .index = index, .out = &full};

    flow_call(&hub->flow, read_rule, &call);
    if (call.status == ATAMO_OK)
        copy_out(state, &full, sizeof full);
    return call.status;
}

/* --- dead letters */

static void read_dead(void *argument)
{
    struct inspect_call *call = argument;

    call->status = flow_dead_next(&call->hub->flow, call->id, call->out);
}

int atamo_dead_next(atamo_hub *hub, uint64_t after, atamo_dead_letter *letter)
{
    atamo_dead_letter full = {0};
    struct inspect_call call = {.hub = hub, .id = after, .out = &full};

    flow_call(&hub->flow, read_dead, &call);
    if (call.status == ATAMO_OK)
        copy_out(letter, &full, sizeof full);
    return call.status;
}

static void replay_dead(void *argument)
{
    struct inspect_call *call = argument;

    call->status = flow_dead_replay(&call->hub->flow, call->id);
}

int atamo_dead_replay(atamo_hub *hub, uint64_t id)
{
    struct inspect_call call = {.hub = hub, .id = id};

    flow_call(&hub->flow, replay_dead, &call);
    return call.status;
}

static void drop_dead(void *argument)
{
    struct inspect_call *call = argument;

    call->status = flow_dead_drop(&call->hub->flow, call->id);
}

int atamo_dead_drop(atamo_hub *hub, uint64_t id)
{
    struct inspect_call call = {.hub = hub, .id = id};

    flow_call(&hub->flow, drop_dead, &call);
    return call.status;
}

/* --- why, names */

struct why_call {
    atamo_hub *hub;
    const char *id;
    char *buffer;
    size_t capacity;
    size_t *size;
    int status;
};

static void read_why(void *argument)
{
    struct why_call *call = argument;

    call->status = flow_why(&call->hub->flow, call->id, call->buffer, call->capacity, call->size);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the call writes through them */
int atamo_why(atamo_hub *hub, const char *id, char *buffer, size_t capacity, size_t *size)
{
    struct why_call call = {hub, id, buffer, capacity, size, ATAMO_OK};

    flow_call(&hub->flow, read_why, &call);
    return call.status;
}

atamo_bytes atamo_name(const atamo_hub *hub, uint32_t name)
{
    return names_text(hub->names, name);
}

uint64_t atamo_message_number(const atamo_hub *hub, const char *uuid)
{
    return number_from_uuid(atamo_text(uuid), hub->flow.node);
}

void atamo_message_id(const atamo_hub *hub, uint64_t message, char uuid[37])
{
    number_to_uuid(message, hub->flow.node, uuid);
}
