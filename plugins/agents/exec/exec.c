/* exec - an agent in any language: long-lived worker processes that speak JSON lines.
 *
 * The hub's thread only puts handles into a bounded queue and wakes the plugin's own thread (io.c),
 * which feeds the workers. Creating refuses a command that cannot be executed; starting fails for
 * want of threads or descriptors.
 */
#include "exec.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* --- work */

static void wake(struct exec *exec)
{
    const uint64_t one = 1;

    if (write(exec->wake, &one, sizeof one) < 0)
        return; /* it is awake already */
}

static void handle_batch(void *self, const atamo_action *actions, size_t count)
{
    struct exec *exec = self;
    size_t taken = 0;
    bool sleeping;

    (void)pthread_mutex_lock(&exec->lock);
    while (taken < count && !exec->draining && exec->tail - exec->head < EXEC_QUEUE)
        exec->queue[exec->tail++ % EXEC_QUEUE] = actions[taken++];
    sleeping = exec->sleeping;
    exec->sleeping = false;
    (void)pthread_mutex_unlock(&exec->lock);
    if (sleeping)
        wake(exec);
    for (; taken < count; taken++)
        atamo_retry(exec->host, actions[taken], 0, "the queue for the workers is full");
}

static void handle(void *self, atamo_action action)
{
    handle_batch(self, &action, 1);
}

static void cancel(void *self, atamo_action action, uint32_t reason)
{
    struct exec *exec = self;

    (void)reason;
    (void)pthread_mutex_lock(&exec->lock);
    if (exec->cancel_tail - exec->cancel_head < EXEC_QUEUE)
        exec->cancelled[exec->cancel_tail++ % EXEC_QUEUE] = action;
    (void)pthread_mutex_unlock(&exec->lock);
    wake(exec);
}

/* --- life */

static void destroy(void *self)
{
    struct exec *exec = self;

    if (exec->has_thread) {
        (void)pthread_mutex_lock(&exec->lock);
        exec->closing = true;
        (void)pthread_mutex_unlock(&exec->lock);
        wake(exec);
        (void)pthread_join(exec->thread, NULL);
    }
    for (size_t i = 0; exec->environment != NULL && exec->environment[i] != NULL; i++)
        free(exec->environment[i]);
    for (size_t i = 0; exec->command != NULL && exec->command[i] != NULL; i++)
        free(exec->command[i]);
    free(exec->environment);
    free(exec->command);
    if (exec->reader != NULL)
        exec->json->close(exec->reader);
    if (exec->wake >= 0)
        (void)close(exec->wake);
    (void)pthread_mutex_destroy(&exec->lock);
    free(exec->cancelled);
    free(exec->queue);
    free(exec->jobs);
    free(exec);
}

/* The program as a path: as it is if it has a '/', else looked up in PATH. */
static char *find_program(const char *name)
{
    const char *path = getenv("PATH");
    char file[PATH_MAX];

    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0 ? strdup(name) : NULL;
    while (path != NULL && *path != '\0') {
        const size_t size = strcspn(path, ":");

        (void)snprintf(file, sizeof file, "%.*s/%s", (int)size, path, name);
        if (access(file, X_OK) == 0)
            return strdup(file);
        path += size + (path[size] == ':');
    }
    return NULL;
}

static int read_command(struct exec *exec)
{
    const size_t count = exec->host->count(exec->host, "command");
    const char *program = exec->host->text_at(exec->host, "command", 0).data;

    if (count == 0 || program[0] == '\0')
        return atamo_refuse(exec->host, "option \"command\" is empty");
    exec->command = calloc(count + 1, sizeof *exec->command);
    if (exec->command == NULL)
        return ATAMO_NO_MEMORY;
    exec->command[0] = find_program(program);
    if (exec->command[0] == NULL)
        return atamo_refuse(exec->host, "cannot find an executable program \"%s\"", program);
    for (size_t i = 1; i < count; i++) {
        exec->command[i] = strdup(exec->host->text_at(exec->host, "command", i).data);
        if (exec->command[i] == NULL)
            return ATAMO_NO_MEMORY;
    }
    exec->settings.command = exec->command;
    return ATAMO_OK;
}

/* What is configured, and a few variables without which hardly any program runs. */
static int read_environment(struct exec *exec)
{
    static const char *const kept[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ"};
    const size_t count = exec->host->count(exec->host, "environment");
    size_t used = 0;
    char text[32768];

    exec->environment = calloc(count + 6, sizeof *exec->environment);
    if (exec->environment == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < count + 5; i++) {
        const char *name =
            i < count ? exec->host->key_at(exec->host, "environment", i).data : kept[i - count];
        const char *value = i < count ? exec->host->text_at(exec->host, "environment", i).data
                                      : getenv(kept[i - count]);

        if (value == NULL)
            continue;
        (void)snprintf(text, sizeof text, "%s=%s", name, value);
        exec->environment[used] = strdup(text);
        if (exec->environment[used++] == NULL)
            return ATAMO_NO_MEMORY;
    }
    exec->settings.environment = exec->environment;
    return ATAMO_OK;
}

static void read_numbers(struct exec *exec)
{
    const atamo_host *host = exec->host;

    exec->worker_count = (uint32_t)host->integer(host, "workers");
    exec->in_flight = (uint32_t)host->integer(host, "in_flight");
    exec->timeout = host->integer(host, "timeout");
    exec->restart_delay = host->integer(host, "restart_delay");
    exec->restart_delay_max = host->integer(host, "restart_delay_max");
    exec->stop_grace = host->integer(host, "stop_grace");
    exec->max_line = (size_t)host->integer(host, "max_line");
    if (host->text(host, "directory").size > 0)
        exec->settings.directory = host->text(host, "directory").data;
}

static int make_tables(struct exec *exec)
{
    exec->job_count = exec->worker_count * exec->in_flight;
    exec->jobs = calloc(exec->job_count, sizeof *exec->jobs);
    exec->queue = calloc(EXEC_QUEUE, sizeof *exec->queue);
    exec->cancelled = calloc(EXEC_QUEUE, sizeof *exec->cancelled);
    if (exec->jobs == NULL || exec->queue == NULL || exec->cancelled == NULL)
        return ATAMO_NO_MEMORY;
    for (uint32_t i = 0; i < exec->job_count; i++) {
        exec->jobs[i].worker = -1;
        exec->jobs[i].next_free = i + 1;
    }
    for (uint32_t i = 0; i < exec->worker_count; i++)
        exec->workers[i].delay = exec->restart_delay;
    return exec->json->open(exec->host, &exec->reader);
}

static int create(const atamo_host *host, void **self)
{
    struct exec *exec = calloc(1, sizeof *exec);
    int status;

    if (exec == NULL)
        return ATAMO_NO_MEMORY;
    exec->host = host;
    exec->json = host->extension(host, ATAMO_JSON_EXTENSION);
    (void)pthread_mutex_init(&exec->lock, NULL);
    exec->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    read_numbers(exec);
    status = exec->json == NULL ? ATAMO_UNSUPPORTED : exec->wake < 0 ? ATAMO_IO : ATAMO_OK;
    if (status == ATAMO_OK)
        status = read_command(exec);
    if (status == ATAMO_OK)
        status = read_environment(exec);
    if (status == ATAMO_OK)
        status = make_tables(exec);
    if (status != ATAMO_OK) {
        destroy(exec);
        return status;
    }
    *self = exec;
    return ATAMO_OK;
}

static int start(void *self)
{
    struct exec *exec = self;
    sigset_t all;
    sigset_t before;
    int result;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&exec->thread, NULL, exec_io, exec);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0)
        return atamo_refuse(exec->host, "no thread for the workers");
    exec->has_thread = true;
    return ATAMO_OK;
}

static void drain(void *self)
{
    struct exec *exec = self;

    (void)pthread_mutex_lock(&exec->lock);
    exec->draining = true;
    (void)pthread_mutex_unlock(&exec->lock);
    wake(exec);
}

static const atamo_option options[] = {
    {.name = "command",
     .type = ATAMO_OPTION_LIST,
     .flags = ATAMO_OPTION_REQUIRED,
     .about = "the program and its arguments; no shell is used"},
    {.name = "workers",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "1",
     .min = 1,
     .max = EXEC_WORKERS_MAX,
     .about = "how many processes"},
    {.name = "in_flight",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "256",
     .min = 1,
     .max = EXEC_IN_FLIGHT_MAX,
     .about = "how many actions one process is given at once"},
    {.name = "timeout",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "0",
     .about = "a process that holds an action longer is killed; 0: no limit but the deadline"},
    {.name = "restart_delay",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "200ms",
     .min = 1,
     .max = 3600000,
     .about = "before a process that ended is started again; doubles each time"},
    {.name = "restart_delay_max",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "30s",
     .min = 1,
     .max = 3600000,
     .about = "the longest restart delay"},
    {.name = "environment",
     .type = ATAMO_OPTION_MAP,
     .about = "variables of the processes, beside PATH, HOME, LANG, LC_ALL and TZ"},
    {.name = "directory", .type = ATAMO_OPTION_TEXT, .about = "working directory of the processes"},
    {.name = "max_line",
     .type = ATAMO_OPTION_SIZE,
     .fallback = "1MiB",
     .min = 1024,
     .max = 64 << 20,
     .about = "the longest line that a process may write"},
    {.name = "stop_grace",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "2s",
     .max = 600000,
     .about = "how long processes may finish when the agent stops"},
};

static const atamo_agent agent = {
    .size = sizeof agent,
    .mode = ATAMO_INLINE,
    .handle = handle,
    .handle_batch = handle_batch,
    .cancel = cancel,
};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "exec",
    .version = "1.0.0",
    .summary = "an agent in any language: processes that speak JSON lines",
    .create = create,
    .start = start,
    .drain = drain,
    .destroy = destroy,
    .agent = &agent,
};
