/* fake - the life of a fake host: open, create, start, drain, destroy, close.
 *
 * Happy path: the plugin's table is checked as the loader checks it, its options are built from the
 * configuration, the host table is filled in, and each step calls the plugin's function. Opening
 * fails as loading a configuration fails, with a line for each problem. What is left open at
 * destroy() is misuse.
 */
#include "plugin/fake.h"

#include "base/clock.h"
#include "plugin/loader.h"
#include "plugin/options.h"

#include <assert.h>
#include <stdlib.h>

/* 2026-01-01T00:00:00Z */
#define FAKE_EPOCH_NS (INT64_C(1767225600) * NS_PER_S)

enum { FAKE_LAST_WAIT_MS = 2000 };

/* --- opening */

static int find_plugin(const atamo_test_settings *settings, struct problems *problems,
                       const atamo_plugin **plugin)
{
    const struct place nowhere = {NULL, 0, 0};
    struct loaded_plugin loaded = {NULL, 0};
    char path[8192];
    int status;

    if (settings->plugin != NULL) {
        *plugin = settings->plugin;
        return loader_check(settings->plugin, "the plugin", nowhere, problems);
    }
    if (settings->file == NULL || !loader_path(NULL, path, sizeof path))
        return problems_add(problems, nowhere, "neither a plugin nor a file is given");
    status = loader_load(settings->file, path, nowhere, problems, &loaded);
    *plugin = loaded.plugin;
    return status;
}

static int build_options(const atamo_plugin *plugin, const char *config, struct problems *problems,
                         struct options **options)
{
    const struct yaml_options yaml = {.file = "config"};
    const struct yaml_node *node = NULL;
    struct arena arena;
    int status = ATAMO_OK;

    arena_init(&arena);
    if (config != NULL)
        status = yaml_parse(&arena, atamo_text(config), &yaml, problems, &node);
    if (status == ATAMO_OK)
        status = options_build(plugin, node, (struct place){"config", 0, 0}, problems, options);
    arena_close(&arena);
    return status;
}

/* All problems, one a line. */
static void write_why(const struct problems *problems, int status, char *why)
{
    size_t used = 0;

    if (problems->count == 0)
        (void)snprintf(why, ATAMO_TEST_WHY, "%s", atamo_status_text(status));
    for (size_t i = 0; i < problems->count && used < ATAMO_TEST_WHY; i++) {
        const struct problem *problem = &problems->list[i];
        char place[64] = "";

        if (problem->place.line > 0)
            (void)snprintf(place, sizeof place, "%s:%u:%u: ", problem->place.file,
                           problem->place.line, problem->place.column);
        used += (size_t)snprintf(why + used, ATAMO_TEST_WHY - used, "%s%s%s", i == 0 ? "" : "\n",
                                 place, problem->text);
    }
}

static void init_locks(struct atamo_test_host *host)
{
    pthread_condattr_t attributes;

    (void)pthread_mutex_init(&host->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&host->room_came, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static int make_host(const atamo_test_settings *settings, const atamo_plugin *plugin,
                     struct atamo_test_host **host)
{
    struct atamo_test_host *made = calloc(1, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    arena_init(&made->arena);
    made->instance =
        arena_copy(&made->arena,
                   atamo_text(settings->instance == NULL ? "test" : settings->instance))
            .data;
    made->names = names_open();
    if (made->instance == NULL || made->names == NULL || fake_loop_open(&made->loop) != ATAMO_OK) {
        names_close(made->names);
        arena_close(&made->arena);
        free(made);
        return ATAMO_NO_MEMORY;
    }
    init_locks(made);
    fake_fill_base(&made->table);
    fake_fill_actions(&made->table);
    fake_fill_events(&made->table);
    blocks_init(&made->blocks);
    made->plugin = plugin;
    made->context = settings->context;
    made->flags = settings->flags;
    made->test_thread = pthread_self();
    made->refusal = "";
    made->now_ns = settings->now_ns == 0 ? FAKE_EPOCH_NS : settings->now_ns;
    made->random.state = settings->seed;
    made->respond_room = SIZE_MAX;
    made->submit_room = SIZE_MAX;
    *host = made;
    return ATAMO_OK;
}

int atamo_test_open(const atamo_test_settings *settings, atamo_test_host **host, char *why)
{
    struct problems *problems = malloc(sizeof *problems);
    const atamo_plugin *plugin = NULL;
    struct options *options = NULL;
    int status;

    if (problems == NULL)
        return ATAMO_NO_MEMORY;
    problems_init(problems);
    status = find_plugin(settings, problems, &plugin);
    assert(status != ATAMO_OK || plugin != NULL);
    if (status == ATAMO_OK)
        status = build_options(plugin, settings->config, problems, &options);
    if (status == ATAMO_OK)
        status = make_host(settings, plugin, host);
    if (status == ATAMO_OK)
        (*host)->options = options;
    else
        options_free(options);
    if (status != ATAMO_OK && why != NULL)
        write_why(problems, status, why);
    problems_close(problems);
    free(problems);
    return status;
}

/* --- life */

static void say(const struct atamo_test_host *host, const char *call, int status)
{
    if ((host->flags & ATAMO_TEST_QUIET) == 0)
        (void)fprintf(stderr, "plugin \"%s\": %s failed: %s\n", host->plugin->id, call,
                      host->refusal[0] != '\0' ? host->refusal : atamo_status_text(status));
}

static void set_state(struct atamo_test_host *host, enum fake_state state)
{
    fake_lock(host);
    host->state = state;
    fake_unlock(host);
}

int atamo_test_create(atamo_test_host *host)
{
    int status = ATAMO_OK;

    if (host->state != FAKE_OPENED)
        return ATAMO_INVALID;
    host->self = &host->table;
    if (host->plugin->create != NULL)
        status = host->plugin->create(&host->table, &host->self);
    if (status == ATAMO_OK)
        set_state(host, FAKE_CREATED);
    else
        say(host, "create()", status);
    return status;
}

int atamo_test_start(atamo_test_host *host)
{
    int status = ATAMO_OK;

    if (host->state != FAKE_CREATED)
        return ATAMO_INVALID;
    if (host->plugin->start != NULL)
        status = host->plugin->start(host->self);
    if (status == ATAMO_OK)
        set_state(host, FAKE_STARTED);
    else
        say(host, "start()", status);
    return status;
}

int atamo_test_drain(atamo_test_host *host)
{
    if (host->state != FAKE_STARTED)
        return ATAMO_INVALID;
    fake_lock(host);
    host->draining = true;
    (void)pthread_cond_broadcast(&host->room_came);
    fake_unlock(host);
    if (host->plugin->drain != NULL)
        host->plugin->drain(host->self);
    set_state(host, FAKE_DRAINED);
    return ATAMO_OK;
}

static void check_settled(const struct atamo_test_host *host)
{
    for (size_t i = 0; i < host->actions.count; i++) {
        const struct fake_action *action = host->actions.items[i];

        if (action->state == FAKE_GIVEN)
            fake_misuse(host,
                        "action %zu (%s) was never settled; each needs exactly one settle(), "
                        "also after cancel() and drain()",
                        i + 1, action->info.type.data);
    }
}

int atamo_test_destroy(atamo_test_host *host)
{
    if (host->state != FAKE_CREATED && host->state != FAKE_DRAINED)
        return ATAMO_INVALID;
    if (host->unsettled > 0)
        (void)atamo_test_wait_settled(host, 0, FAKE_LAST_WAIT_MS);
    check_settled(host);
    if (host->plugin->destroy != NULL)
        host->plugin->destroy(host->self);
    set_state(host, FAKE_DESTROYED);
    fake_loop_leftovers(host);
    return ATAMO_OK;
}

static void free_events(struct atamo_test_host *host)
{
    for (size_t i = 0; i < host->messages.count; i++) {
        struct message *message = host->messages.items[i];

        message->refs = 0;
        message_release(message);
        blocks_give(&message->block);
    }
    blocks_close(&host->blocks);
    cloudevent_reader_close(host->reader);
    free(host->messages.items);
    free(host->events.items);
}

size_t atamo_test_close(atamo_test_host *host)
{
    size_t misuses;

    if (host == NULL)
        return 0;
    (void)atamo_test_drain(host);
    (void)atamo_test_destroy(host);
    misuses = host->misuses.count;
    fake_loop_close(&host->loop);
    for (size_t i = 0; i < host->actions.count; i++)
        free(((struct fake_action *)host->actions.items[i])->responses.items);
    free(host->actions.items);
    free_events(host);
    free(host->misuses.items);
    free(host->lines.items);
    free(host->cells.items);
    free(host->held.items);
    free(host->tokens.items);
    free(host->proposals.items);
    free(host->batch);
    names_close(host->names);
    options_free(host->options);
    (void)pthread_cond_destroy(&host->room_came);
    (void)pthread_mutex_destroy(&host->lock);
    arena_close(&host->arena);
    free(host);
    return misuses;
}

atamo_test_host *atamo_test_run(const atamo_plugin *plugin, const char *config)
{
    const atamo_test_settings settings = {
        .size = sizeof settings, .plugin = plugin, .config = config};
    atamo_test_host *host = NULL;
    char why[ATAMO_TEST_WHY];

    if (atamo_test_open(&settings, &host, why) != ATAMO_OK) {
        (void)fprintf(stderr, "%s\n", why);
        return NULL;
    }
    if (atamo_test_create(host) == ATAMO_OK && atamo_test_start(host) == ATAMO_OK)
        return host;
    (void)atamo_test_close(host);
    return NULL;
}
