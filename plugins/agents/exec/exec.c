/* exec - an agent in any language: long-lived processes that speak JSON lines.
 *
 * Happy path: create() reads the configuration and allocates everything, start() starts the
 * plugin's own thread (agent.c), handle_batch() leaves actions in its inbox. drain() returns when
 * every action is settled and every process has ended, which takes at most twice the grace.
 * create() refuses a command that cannot be run; later failures are in the log and in the reasons
 * of what is tried again.
 */
#include "agent.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* --- work */

static void handle_batch(void *self, const atamo_action *actions, size_t count)
{
    struct agent *agent = self;

    for (size_t i = inbox_push(&agent->inbox, actions, count); i < count; i++)
        atamo_retry(agent->host, actions[i], 0, "too many actions wait for a worker");
}

static void cancel(void *self, atamo_action action, uint32_t reason)
{
    struct agent *agent = self;

    inbox_hint(&agent->inbox, INBOX_CANCEL, action, reason);
}

static void room(void *self, atamo_action action)
{
    struct agent *agent = self;

    inbox_hint(&agent->inbox, INBOX_ROOM, action, 0);
}

/* --- life */

static int open_workers(struct agent *agent)
{
    const struct settings *settings = &agent->settings;

    agent->workers = calloc(settings->workers, sizeof *agent->workers);
    if (agent->workers == NULL)
        return ATAMO_NO_MEMORY;
    for (uint32_t i = 0; i < settings->workers; i++)
        worker_init(agent, &agent->workers[i], i + 1);
    return flights_open(&agent->flights, settings->workers * settings->in_flight + settings->queue);
}

static int open_epoll(struct agent *agent)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_MAX};

    agent->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (agent->epoll < 0)
        return ATAMO_IO;
    if (epoll_ctl(agent->epoll, EPOLL_CTL_ADD, agent->inbox.wake, &event) != 0) {
        (void)close(agent->epoll);
        return ATAMO_IO;
    }
    return ATAMO_OK;
}

static int open_reader(struct agent *agent)
{
    agent->json = agent->host->extension(agent->host, ATAMO_JSON_EXTENSION);
    if (agent->json == NULL)
        return atamo_refuse(agent->host, "needs a hub with the extension %s", ATAMO_JSON_EXTENSION);
    agent->writer = (struct request_writer){.host = agent->host,
                                            .json = agent->json,
                                            .event = agent->settings.event,
                                            .max_line = agent->settings.max_line};
    return agent->json->open(agent->host, &agent->writer.reader);
}

static int create(const atamo_host *host, void **self)
{
    struct agent *agent = calloc(1, sizeof *agent);
    int status;

    if (agent == NULL)
        return ATAMO_NO_MEMORY;
    agent->host = host;
    settling_init(&agent->settling, host);
    status = settings_read(host, &agent->settings);
    if (status != ATAMO_OK)
        goto fail;
    status = open_reader(agent);
    if (status != ATAMO_OK)
        goto fail_settings;
    status = open_workers(agent);
    if (status != ATAMO_OK)
        goto fail_workers;
    status = inbox_open(&agent->inbox, agent->settings.queue);
    if (status != ATAMO_OK)
        goto fail_workers;
    status = open_epoll(agent);
    if (status != ATAMO_OK)
        goto fail_inbox;
    *self = agent;
    return ATAMO_OK;
fail_inbox:
    inbox_close(&agent->inbox);
fail_workers:
    flights_close(&agent->flights);
    free(agent->workers);
    agent->json->close(agent->writer.reader);
fail_settings:
    settings_close(&agent->settings);
fail:
    free(agent);
    return status;
}

static int start(void *self)
{
    struct agent *agent = self;
    sigset_t all;
    sigset_t before;
    int failed;

    /* The thread takes no signals: those are the program's, and SIGPIPE is nobody's. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&agent->thread, NULL, agent_run, agent);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return atamo_refuse(agent->host, "no thread could be started");
    agent->has_thread = true;
    return ATAMO_OK;
}

static void drain(void *self)
{
    struct agent *agent = self;

    if (!agent->has_thread)
        return;
    inbox_shut(&agent->inbox);
    (void)pthread_join(agent->thread, NULL);
    agent->has_thread = false;
}

static void destroy(void *self)
{
    struct agent *agent = self;

    drain(agent);
    (void)close(agent->epoll);
    inbox_close(&agent->inbox);
    flights_close(&agent->flights);
    for (uint32_t i = 0; i < agent->settings.workers; i++)
        worker_close(&agent->workers[i]);
    free(agent->workers);
    agent->json->close(agent->writer.reader);
    settings_close(&agent->settings);
    free(agent);
}

static const atamo_agent role = {
    .size = sizeof role,
    .mode = ATAMO_INLINE,
    .handle_batch = handle_batch,
    .cancel = cancel,
    .room = room,
};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    .id = "exec",
    .version = "1.0.0",
    .summary = "Agents in any language: long-lived processes that speak JSON lines.",
    .options = settings_options,
    .option_count = SETTINGS_OPTION_COUNT,
    .option_stride = sizeof(atamo_option),
    .create = create,
    .start = start,
    .drain = drain,
    .destroy = destroy,
    .agent = &role,
};
