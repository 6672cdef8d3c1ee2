/* hub - the public face: open, reload, close.
 *
 * Happy path of opening: read and build the configuration, start agents, rule providers and
 * auditors, start the loop with that generation in place, then the event providers. Whatever fails
 * is reported with everything else that was wrong, and what had begun is undone in the opposite
 * order. A reload is the same beside a running hub: only when all that is new has started is it
 * swapped in.
 */
#include "api/control.h"
#include "api/hub_inside.h"

#include "flow/commit.h"
#include "flow/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SPIN_NS = 50 * NS_PER_US };

static void log_to_stderr(void *user, int level, const char *instance, const char *line)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};

    (void)user;
    if (level > ATAMO_LOG_DEBUG)
        (void)fprintf(stderr, "%s: %s: %s\n",
                      levels[level < ATAMO_LOG_ERROR ? level : ATAMO_LOG_ERROR], instance, line);
}

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static int copy_settings(atamo_hub *hub, const atamo_settings *settings)
{
    hub->services.log.fn = settings->log != NULL ? settings->log : log_to_stderr;
    hub->services.log.user = settings->log_user;
    hub->plugin_path = copy_text(settings->plugin_path);
    hub->config_path = copy_text(settings->config_path);
    if ((settings->plugin_path != NULL && hub->plugin_path == NULL) ||
        (settings->config_path != NULL && hub->config_path == NULL))
        return ATAMO_NO_MEMORY;
    if (settings->plugin_count == 0)
        return ATAMO_OK;
    hub->plugins = calloc(settings->plugin_count, sizeof *hub->plugins);
    if (hub->plugins == NULL)
        return ATAMO_NO_MEMORY;
    memcpy(hub->plugins, settings->plugins, settings->plugin_count * sizeof *hub->plugins);
    hub->plugin_count = settings->plugin_count;
    return ATAMO_OK;
}

static uint64_t seed(void)
{
    uint64_t bits = (uint64_t)clock_monotonic();

    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        bits ^= (uint64_t)(uintptr_t)&bits;
    return bits;
}

static void free_hub(atamo_hub *hub)
{
    names_close(hub->names);
    free(hub->plugins);
    free(hub->plugin_path);
    free(hub->config_path);
    token_slot_close(&hub->tokens);
    (void)pthread_mutex_destroy(&hub->control);
    free(hub);
}

static const void *find_extension(void *hub, const char *name)
{
    const void *loop = loop_extension(name);

    (void)hub;
    return loop != NULL ? loop : control_extension(name);
}

/* A hub without a configuration. */
static int make_hub(const atamo_settings *settings, atamo_hub **hub)
{
    atamo_hub *made = aligned_alloc(64, (sizeof *made + 63) / 64 * 64);
    struct clock clock;
    int status;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    memset(made, 0, sizeof *made);
    (void)pthread_mutex_init(&made->control, NULL);
    token_slot_open(&made->tokens);
    made->names = names_open();
    status = made->names == NULL ? ATAMO_NO_MEMORY : copy_settings(made, settings);
    if (settings->now != NULL)
        clock_custom(&clock, settings->now, settings->now_user);
    else
        clock_system(&clock);
    if (status == ATAMO_OK)
        status = flow_open(&made->flow, made->names, &clock, seed());
    if (status != ATAMO_OK) {
        free_hub(made);
        return status;
    }
    made->services.flow = &made->flow;
    made->services.random = seed();
    made->services.extension = find_extension;
    made->services.extension_user = made;
    made->services.tokens = &made->tokens;
    made->clients[0] = 1; /* number 0: events from the hub's own thread */
    *hub = made;
    return ATAMO_OK;
}

int hub_take_client(atamo_hub *hub, uint32_t *number)
{
    for (uint32_t i = 0; i < NUMBER_CLIENTS; i++) {
        const uint64_t bit = UINT64_C(1) << (i % 64);

        if ((hub->clients[i / 64] & bit) != 0)
            continue;
        hub->clients[i / 64] |= bit;
        *number = i;
        return ATAMO_OK;
    }
    return ATAMO_BUSY;
}

void hub_give_client(atamo_hub *hub, uint32_t number)
{
    hub->clients[number / 64] &= ~(UINT64_C(1) << (number % 64));
}

int hub_build(atamo_hub *hub, const struct config_source *source, struct problems *problems,
              struct generation **generation)
{
    const struct config_context context = {
        .depth = CONFIG_WHOLE,
        .names = hub->names,
        .plugin_path = hub->plugin_path,
        .plugins = hub->plugins,
        .plugin_count = hub->plugin_count,
        .host = host_table(),
        .hub = &hub->services,
        .previous = hub->latest,
    };
    struct config *config = NULL;
    int status = config_read(source, problems, &config);

    if (status == ATAMO_OK)
        status = config_build(config, &context, problems, generation);
    config_free(config);
    return status;
}

/* What a call on the hub's thread needs to swap a generation in. */
struct swap {
    atamo_hub *hub;
    struct generation *generation;
    int status;
    int kept; /* status of taking up what the store has */
    uint64_t damaged;
};

/* A hub that opens takes up its store in the same call: no event comes in between. */
static void swap_in(void *argument)
{
    struct swap *swap = argument;
    struct flow *flow = &swap->hub->flow;
    const struct instance *store =
        swap->generation->store == NULL ? NULL : swap->generation->store->instance;

    swap->status = flow_swap(flow, swap->generation);
    if (swap->status != ATAMO_OK)
        return;
    flow_record_hub(flow, swap->hub->latest == NULL ? ATAMO_REASON_STARTED : ATAMO_REASON_RELOADED,
                    0, "");
    if (swap->hub->latest == NULL && store != NULL)
        swap->kept = flow_keep_in(flow, store->plugin->store, store->self, &swap->damaged);
}

/* What taking up the store came to. */
static int tell_kept(const struct swap *swap, struct problems *problems)
{
    if (swap->damaged > 0)
        problems_warn(problems, (struct place){NULL, 0, 0},
                      "%llu records of the store are damaged and were left alone",
                      (unsigned long long)swap->damaged);
    if (swap->kept != ATAMO_OK)
        (void)problems_add(problems, (struct place){NULL, 0, 0}, "the store cannot be read: %s",
                           atamo_status_text(swap->kept));
    return swap->kept;
}

/* Where there were no tokens before, they are asked for before anything new starts: what it lets in
 * while the rest starts must not come without. */
static void ask_for_tokens(atamo_hub *hub, const struct generation *generation)
{
    const struct log_sink *log = &hub->services.log;

    if (generation->tokens == NULL)
        return;
    tokens_tell(generation->tokens, (struct tokens_log){log->fn, log->user});
    if (hub->latest == NULL || hub->latest->tokens == NULL)
        token_slot_set(&hub->tokens, generation->tokens);
}

/* Start what is new and make the generation current; on failure nothing has changed. */
int hub_put_in_place(atamo_hub *hub, struct generation *generation, struct problems *problems)
{
    struct generation *before = hub->latest;
    struct swap swap = {.hub = hub, .generation = generation};
    int status;

    hub->max_data = generation->hub.max_data;
    ask_for_tokens(hub, generation);
    status = hub_start(hub, generation, problems);
    generation->number = before == NULL ? 1 : before->number + 1;
    if (status == ATAMO_OK) {
        flow_call(&hub->flow, swap_in, &swap);
        status = swap.status;
        if (status != ATAMO_OK)
            (void)problems_add(problems, (struct place){NULL, 0, 0}, "the hub cannot take it: %s",
                               atamo_status_text(status));
    }
    if (status != ATAMO_OK) {
        (void)hub_stop(hub, generation, 0);
        token_slot_set(&hub->tokens, before == NULL ? NULL : before->tokens);
        generation_free(generation);
        return status;
    }
    hub->latest = generation;
    if (generation->tokens != NULL)
        token_slot_set(&hub->tokens, generation->tokens);
    if (before == NULL)
        return tell_kept(&swap, problems);
    (void)hub_stop(hub, before, (uint32_t)(generation->hub.stop_ns / NS_PER_MS));
    token_slot_set(&hub->tokens, generation->tokens); /* none: not before old providers ended */
    return ATAMO_OK;
}

static void fill_source(const char *path, atamo_bytes text, struct config_source *source)
{
    *source = (struct config_source){.path = path, .text = text};
}

static int start_threads(atamo_hub *hub, const struct generation *generation, int64_t spin_ns)
{
    const int status = loop_start(&hub->loop, &hub->flow, spin_ns);

    if (status != ATAMO_OK)
        return status;
    return keeper_start(hub, (int64_t)generation->hub.blocked_ns, &hub->keeper);
}

static int open_with(const atamo_settings *settings, struct problems *problems, atamo_hub **hub)
{
    struct config_source source;
    struct generation *generation = NULL;
    atamo_hub *made = NULL;
    int status = make_hub(settings, &made);

    if (status != ATAMO_OK)
        return status;
    fill_source(settings->config_path, settings->config, &source);
    (void)pthread_mutex_lock(&made->control);
    status = hub_build(made, &source, problems, &generation);
    if (status == ATAMO_OK) {
        status = start_threads(made, generation, (settings->flags & ATAMO_SPIN) != 0 ? SPIN_NS : 0);
        if (status != ATAMO_OK) {
            (void)problems_add(problems, (struct place){NULL, 0, 0}, "no threads for the hub");
            generation_free(generation);
        }
    }
    if (status == ATAMO_OK)
        status = hub_put_in_place(made, generation, problems);
    (void)pthread_mutex_unlock(&made->control);
    if (status != ATAMO_OK) {
        (void)atamo_close(made, 0);
        return status;
    }
    *hub = made;
    return ATAMO_OK;
}

int atamo_open(const atamo_settings *settings, atamo_hub **hub, atamo_report **report)
{
    struct problems *problems = malloc(sizeof *problems);
    int status;

    if (report != NULL)
        *report = NULL;
    if (problems == NULL)
        return ATAMO_NO_MEMORY;
    problems_init(problems);
    status = open_with(settings, problems, hub);
    hub_report(problems, report);
    problems_close(problems);
    free(problems);
    return status;
}

struct refusal {
    atamo_hub *hub;
    const char *text;
};

static void record_refusal(void *argument)
{
    const struct refusal *refusal = argument;

    flow_record_hub(&refusal->hub->flow, ATAMO_REASON_RELOAD_REFUSED, 0, refusal->text);
}

/* Tell telemetry that a new configuration was refused, with the first thing that was wrong. */
static void note_refusal(atamo_hub *hub, const struct problems *problems)
{
    struct refusal refusal = {hub, problems->count > 0 ? problems->list[0].text : ""};

    flow_call(&hub->flow, record_refusal, &refusal);
}

int atamo_reload(atamo_hub *hub, const char *config_path, atamo_bytes config, atamo_report **report)
{
    struct problems *problems = malloc(sizeof *problems);
    struct generation *generation = NULL;
    struct config_source source;
    int status;

    if (report != NULL)
        *report = NULL;
    if (problems == NULL)
        return ATAMO_NO_MEMORY;
    problems_init(problems);
    fill_source(config_path, config, &source);
    (void)pthread_mutex_lock(&hub->control);
    status = hub_build(hub, &source, problems, &generation);
    if (status == ATAMO_OK)
        status = hub_put_in_place(hub, generation, problems);
    if (status != ATAMO_OK)
        note_refusal(hub, problems);
    hub_free_retired(hub);
    (void)pthread_mutex_unlock(&hub->control);
    hub_report(problems, report);
    problems_close(problems);
    free(problems);
    return status;
}
