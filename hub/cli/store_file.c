/* store_file - the store of a configuration, opened by a command.
 *
 * Happy path: the configuration is read as far as its store; the plugin's instance is created with
 * `read_only` set as the command needs it, and started. It fails as the plugin says: no such file,
 * or a hub that has it open while the command wants to write.
 */
#include "cli/store_file.h"

#include "cli/cli.h"
#include "flow/host.h"
#include "plugin/options.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct setting {
    struct problems problems;
    struct flow flow; /* for the clock and the names that a plugin may ask for */
    struct host_services services;
    struct generation *generation;
};

static void log_line(void *user, int level, const char *instance, const char *line)
{
    (void)user;
    if (level > ATAMO_LOG_INFO)
        cli_say("%s: %s", instance, line);
}

static int note_node(void *user, const atamo_record *record)
{
    uint64_t *node = user;

    if (record->value.size == sizeof *node)
        memcpy(node, record->value.data, sizeof *node);
    return 0;
}

static int build(struct setting *inner, const char *config, const struct config_context *context)
{
    const struct config_source source = {.path = config};
    struct config *read = NULL;
    int status = config_read(&source, &inner->problems, &read);

    if (status == ATAMO_OK)
        status = config_build(read, context, &inner->problems, &inner->generation);
    config_free(read);
    return status;
}

static int start(struct setting *inner)
{
    return instance_start(inner->generation->store->instance, (struct place){NULL, 0, 0},
                          &inner->problems);
}

/* The instance of the configured store, not started. */
static int make(struct setting **made, const char *config, const struct config_option *options,
                size_t count)
{
    struct setting *inner = calloc(1, sizeof *inner);
    struct config_context context = {
        .depth = CONFIG_STORE,
        .store_options = options,
        .store_option_count = count,
        .host = host_table(),
    };

    *made = inner;
    if (inner == NULL)
        return ATAMO_NO_MEMORY;
    problems_init(&inner->problems);
    clock_system(&inner->flow.clock);
    inner->services = (struct host_services){.flow = &inner->flow, .log = {log_line, NULL}};
    inner->flow.names = names_open();
    context.names = inner->flow.names;
    context.hub = &inner->services;
    return inner->flow.names == NULL ? ATAMO_NO_MEMORY : build(inner, config, &context);
}

static const char *configured_path(const struct setting *inner)
{
    return options_text(inner->generation->store->instance->options, "path").data;
}

int store_file_path(const char *config, char path[STORE_PATH_MAX])
{
    struct store_file file = {.store = NULL};
    int status = make(&file.inner, config, NULL, 0);

    if (file.inner == NULL)
        return status;
    cli_show_problems(&file.inner->problems, config);
    if (status == ATAMO_OK &&
        snprintf(path, STORE_PATH_MAX, "%s", configured_path(file.inner)) >= STORE_PATH_MAX)
        status = ATAMO_TOO_LARGE;
    store_file_close(&file);
    return status;
}

int store_file_open(struct store_file *file, const char *config, const char *path,
                    enum store_use use)
{
    const struct config_option options[] = {
        {"read_only", use == STORE_READ ? "true" : "false"},
        {"path", path},
    };
    struct setting *inner;
    int status = make(&inner, config, options, path == NULL ? 1 : 2);

    *file = (struct store_file){.inner = inner};
    if (inner == NULL)
        return status;
    /* A hub makes a store that is not there; a command has nothing to do in it. */
    if (status == ATAMO_OK && access(configured_path(inner), F_OK) != 0) {
        (void)problems_add(&inner->problems, (struct place){NULL, 0, 0}, "there is no store at %s",
                           configured_path(inner));
        status = ATAMO_NOT_FOUND;
    }
    if (status == ATAMO_OK)
        status = start(inner);
    cli_show_problems(&inner->problems, config);
    if (status != ATAMO_OK) {
        store_file_close(file);
        return status;
    }
    file->store = inner->generation->store->instance->plugin->store;
    file->self = inner->generation->store->instance->self;
    (void)file->store->get(file->self, atamo_text("hub"), atamo_text("node"), note_node,
                           &file->node);
    return ATAMO_OK;
}

void store_file_close(struct store_file *file)
{
    struct setting *inner = file->inner;

    if (inner == NULL)
        return;
    if (inner->generation != NULL)
        generation_free(inner->generation);
    names_close(inner->flow.names);
    problems_close(&inner->problems);
    free(inner);
    file->inner = NULL;
}

/* --- writing */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool has_answer;
    int status;
};

/* [any] */
static void answer(void *user, int status)
{
    struct waiting *waiting = user;

    (void)pthread_mutex_lock(&waiting->lock);
    waiting->status = status;
    waiting->has_answer = true;
    (void)pthread_cond_signal(&waiting->answered);
    (void)pthread_mutex_unlock(&waiting->lock);
}

int store_file_write(const struct store_file *file, const atamo_write *writes, size_t count)
{
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .answered = PTHREAD_COND_INITIALIZER};
    int status = file->store->write(file->self, writes, count, answer, &waiting);

    if (status != ATAMO_OK)
        return status;
    (void)pthread_mutex_lock(&waiting.lock);
    while (!waiting.has_answer)
        (void)pthread_cond_wait(&waiting.answered, &waiting.lock);
    (void)pthread_mutex_unlock(&waiting.lock);
    return waiting.status;
}
