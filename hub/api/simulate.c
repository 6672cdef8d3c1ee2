/* simulate - days of a hub's life in seconds.
 *
 * Happy path: the configuration is built without creating its agents, each gets a stand-in; then
 * time jumps from one thing that is due to the next: an event, a timer of the flow, an answer of a
 * stand-in. Between the jumps the flow takes its turns and the journal is written out. What fails
 * is the configuration, memory, or the journal's file.
 */
#include "api/simulate.h"

#include "config/config.h"
#include "flow/flow.h"
#include "flow/host.h"
#include "flow/inlet.h"
#include "json/write.h"

#include <stdlib.h>
#include <string.h>

enum {
    START_S = 1767225600, /* 2026-01-01T00:00:00Z */
    TAP_RECORDS = 1 << 18,
    DELAY_LEAST_MS = 2,
    DELAY_SPREAD_MS = 200,
    RETRY_PER_1000 = 30,
    FAIL_PER_1000 = 3,
};

/* An answer that a stand-in will give. */
struct answer {
    struct timer timer; /* first */
    const atamo_host *host;
    atamo_action action;
    uint32_t kind;
};

struct world {
    const struct simulation *simulation;
    int64_t now;
    struct flow *flow;
    struct names *names;
    struct host_services services;
    struct random chance;
    struct wheel answers;
    struct inlet *inlet;
    struct tap tap;
    const char *at; /* rest of the events */
    size_t left;
    uint64_t submitted, total, bad;
    int status;
};

static int64_t world_now(void *context)
{
    return ((const struct world *)context)->now;
}

static void log_line(void *user, int level, const char *instance, const char *line)
{
    (void)user;
    if (level >= ATAMO_LOG_WARN)
        (void)fprintf(stderr, "%s: %s\n", instance, line);
}

/* --- stand-ins */

static void stand_in(void *self, atamo_action action)
{
    const atamo_host *host = self;
    struct world *world = host->context(host);
    struct answer *answer = calloc(1, sizeof *answer);
    const uint64_t luck = random_below(&world->chance, 1000);
    const int64_t delay = DELAY_LEAST_MS + (int64_t)random_below(&world->chance, DELAY_SPREAD_MS);

    if (answer == NULL) {
        atamo_retry(host, action, 0, "no memory");
        return;
    }
    answer->host = host;
    answer->action = action;
    answer->kind = luck < FAIL_PER_1000                    ? (uint32_t)ATAMO_FAIL
                   : luck < FAIL_PER_1000 + RETRY_PER_1000 ? (uint32_t)ATAMO_RETRY
                                                           : (uint32_t)ATAMO_DONE;
    wheel_set(&world->answers, &answer->timer, world->now + delay * NS_PER_MS);
}

static const atamo_agent stand_in_agent = {.size = sizeof stand_in_agent, .handle = stand_in};
static const atamo_plugin stand_in_plugin = {
    ATAMO_PLUGIN_HEAD,        .id = "simulated",
    .version = "1.0.0",       .summary = "answers by chance, from a seed",
    .agent = &stand_in_agent,
};

static int replace_agents(struct world *world, struct generation *generation,
                          struct problems *problems)
{
    for (size_t i = 0; i < generation->agent_count; i++) {
        struct agent_settings *settings = &generation->agents[i];
        struct instance *instance = NULL;

        if (instance_open(&stand_in_plugin, NULL, settings->name.data, host_table(), &instance) !=
            ATAMO_OK)
            return ATAMO_NO_MEMORY;
        instance->hub = &world->services;
        instance->context = world;
        instance->refs = 1;
        (void)instance_create(instance, (struct place){NULL, 0, 0}, problems);
        instance_close(settings->instance);
        settings->instance = instance;
        settings->mode = ATAMO_INLINE;
    }
    return ATAMO_OK;
}

static size_t give_answers(struct world *world)
{
    struct timer *timer;
    size_t count = 0;

    wheel_advance(&world->answers, world->now);
    for (timer = wheel_pop(&world->answers); timer != NULL;
         timer = wheel_pop(&world->answers), count++) {
        struct answer *answer = (struct answer *)(void *)timer;

        atamo_settle(answer->host, answer->action, answer->kind, 0,
                     answer->kind == ATAMO_DONE ? NULL : "simulated failure");
        free(answer);
    }
    return count;
}

/* --- events */

static uint64_t count_lines(atamo_bytes text)
{
    uint64_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '\n' && i > 0 && text.data[i - 1] != '\n';
    return count + (text.size > 0 && text.data[text.size - 1] != '\n');
}

/* When the next event comes: they are spread evenly. */
static int64_t next_event(const struct world *world)
{
    const int64_t span = (int64_t)world->simulation->days * 86400;

    if (world->left == 0)
        return INT64_MAX;
    return (START_S + span * (int64_t)world->submitted / (int64_t)(world->total + 1)) * NS_PER_S;
}

static void submit_due(struct world *world)
{
    char why[CLOUDEVENT_WHY];

    while (world->left > 0 && next_event(world) <= world->now) {
        const char *end = memchr(world->at, '\n', world->left);
        const size_t size = end == NULL ? world->left : (size_t)(end - world->at);
        int status = ATAMO_OK;

        if (size > 0)
            status = inlet_submit_json(world->inlet, (atamo_bytes){world->at, size}, NULL, why);
        if (status == ATAMO_BUSY)
            return;
        world->bad += status != ATAMO_OK;
        world->submitted += size > 0;
        world->left -= size + (end != NULL);
        world->at += size + (end != NULL);
    }
}

/* --- the journal */

static void put(struct json_writer *writer, const char *name, atamo_bytes text)
{
    if (text.size == 0)
        return;
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, text);
}

static void put_number(struct json_writer *writer, const char *name, uint64_t value)
{
    if (value == 0)
        return;
    json_put_name(writer, atamo_text(name));
    json_put_uint(writer, value);
}

static void write_record(struct world *world, const atamo_telemetry *record)
{
    char line[8192];
    char text[1100];
    char uuid[37];
    struct json_writer writer;

    json_writer_init(&writer, line, sizeof line - 1);
    json_open_object(&writer);
    json_put_name(&writer, atamo_text("t_us"));
    json_put_int(&writer, record->time_ns / NS_PER_US);
    put(&writer, "step", atamo_text(atamo_step_name(record->step)));
    if (record->message != 0) {
        number_to_uuid(record->message, world->flow->node, uuid);
        put(&writer, "message", atamo_text(uuid));
    }
    put_number(&writer, "action", record->action);
    put(&writer, "type", names_text(world->names, record->type));
    put(&writer, "rule", names_text(world->names, record->rule));
    put(&writer, "agent", names_text(world->names, record->agent));
    put_number(&writer, "attempt", record->attempt);
    put(&writer, "reason", atamo_text(atamo_reason_text(record->reason)));
    (void)atamo_telemetry_text(record, text, sizeof text);
    put(&writer, "text", atamo_text(text));
    json_close_object(&writer);
    line[writer.size < sizeof line ? writer.size : sizeof line - 1] = '\0';
    if (fprintf(world->simulation->journal, "%s\n", line) < 0)
        world->status = ATAMO_IO;
}

static void write_journal(struct world *world)
{
    const atamo_telemetry *records;
    uint64_t lost;
    size_t count;

    while ((count = tap_read(&world->tap, &records, &lost)) > 0) {
        for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i]))
            if (records[i].step != ATAMO_STEP_TEXT && world->simulation->journal != NULL)
                write_record(world, &records[i]);
        tap_release(&world->tap, count);
    }
}

/* --- time */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void live(struct world *world)
{
    const int64_t end = (START_S + (int64_t)world->simulation->days * 86400) * (int64_t)NS_PER_S;

    while (world->status == ATAMO_OK) {
        int64_t next;

        do {
            submit_due(world);
            (void)give_answers(world);
        } while (flow_turn(world->flow) > 0);
        write_journal(world);
        next = least(next_event(world),
                     least(flow_next_due(world->flow), wheel_next(&world->answers)));
        if (next > end)
            return;
        world->now = next > world->now ? next : world->now + NS_PER_MS;
    }
}

static void count(const struct world *world, atamo_stats *stats)
{
    const struct flow *flow = world->flow;

    for (uint32_t i = 0; i < flow->tenant_count; i++) {
        const struct flow_counters *counters = &flow->counters[i];

        stats->accepted += counters->accepted;
        stats->refused += counters->refused;
        stats->finished += counters->finished;
        stats->actions += counters->actions;
        stats->done += counters->done;
        stats->dead += counters->dead;
        stats->shed += counters->shed;
        stats->expired += counters->expired;
        stats->attempts += counters->attempts;
        stats->retries += counters->retries;
        stats->unmatched += counters->unmatched;
        stats->rules_failed += counters->rules_failed;
    }
    stats->in_flight = flow->in_flight;
    stats->records = flow->journal.records;
}

/* --- beginning and end */

static void number_is_free(void *user, uint32_t client)
{
    (void)user;
    (void)client;
}

static void take_apart(struct world *world)
{
    struct flow *flow = world->flow;
    struct generation *retired;
    struct timer *timer;

    flow_cancel_all(flow, ATAMO_REASON_STOPPING);
    while (flow_turn(flow) > 0)
        continue;
    /* Stand-ins that were abandoned still owe their answers. */
    while (world->answers.count > 0) {
        world->now = wheel_next(&world->answers) + NS_PER_MS;
        (void)give_answers(world);
        while (flow_turn(flow) > 0)
            continue;
    }
    for (timer = wheel_pop(&world->answers); timer != NULL; timer = wheel_pop(&world->answers))
        free(timer);
    flow_forget_recent(flow);
    while (flow->dead_first != NULL)
        (void)flow_dead_drop(flow, flow->dead_first->death.serial);
    if (flow->current != NULL)
        flow_generation_unref(flow, flow->current);
    flow->current = NULL;
    if (world->tap.records != NULL)
        journal_remove(&flow->journal, &world->tap);
    inlet_close(world->inlet);
    retired = flow_chores(flow, number_is_free, NULL);
    while (retired != NULL) {
        struct generation *next = retired->retired;

        generation_free(retired);
        retired = next;
    }
    tap_close(&world->tap);
    flow_close(flow);
}

static int put_in_place(struct world *world, struct problems *problems)
{
    const struct config_source source = {.path = world->simulation->config_path};
    const struct config_context context = {.depth = CONFIG_RULES_ONLY,
                                           .names = world->names,
                                           .host = host_table(),
                                           .hub = &world->services};
    struct generation *generation = NULL;
    struct config *config = NULL;
    int status = config_read(&source, problems, &config);

    if (status == ATAMO_OK)
        status = config_build(config, &context, problems, &generation);
    config_free(config);
    if (status == ATAMO_OK)
        status = replace_agents(world, generation, problems);
    if (status == ATAMO_OK)
        status = inlet_open(world->flow, 1, generation->hub.max_data, &world->inlet);
    if (status == ATAMO_OK)
        status = tap_open(&world->tap, TAP_RECORDS, TAP_BLOCK);
    if (status == ATAMO_OK)
        status = journal_add(&world->flow->journal, &world->tap);
    if (status == ATAMO_OK)
        status = flow_swap(world->flow, generation);
    if (status != ATAMO_OK)
        generation_free(generation);
    return status;
}

static int run_world(struct world *world, struct problems *problems, atamo_stats *stats)
{
    struct clock clock;
    int status;

    clock_custom(&clock, world_now, world);
    status = flow_open(world->flow, world->names, &clock, world->simulation->seed);
    if (status != ATAMO_OK)
        return status;
    wheel_init(&world->answers, world->now);
    world->services.flow = world->flow;
    world->services.log = (struct log_sink){log_line, NULL};
    atomic_store(&world->services.random, world->simulation->seed);
    status = put_in_place(world, problems);
    if (status == ATAMO_OK) {
        live(world);
        count(world, stats);
        status = world->status;
    }
    take_apart(world);
    return status;
}

int simulate_run(const struct simulation *simulation, struct problems *problems, atamo_stats *stats,
                 uint64_t *bad_lines)
{
    struct world *world = calloc(1, sizeof *world);
    int status = ATAMO_NO_MEMORY;

    if (world == NULL)
        return status;
    world->simulation = simulation;
    world->now = (int64_t)START_S * NS_PER_S;
    world->chance.state = simulation->seed ^ UINT64_C(0x5bd1e9955bd1e995);
    world->at = simulation->events.data;
    world->left = simulation->events.size;
    world->total = count_lines(simulation->events);
    world->flow = aligned_alloc(64, (sizeof *world->flow + 63) / 64 * 64);
    world->names = names_open();
    if (world->total > SIMULATE_EVENTS_MAX)
        status = ATAMO_TOO_LARGE;
    else if (world->flow != NULL && world->names != NULL)
        status = run_world(world, problems, stats);
    *bad_lines = world->bad;
    names_close(world->names);
    free(world->flow);
    free(world);
    return status;
}
