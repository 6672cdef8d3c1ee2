/* running - a hub that runs in the foreground.
 *
 * Happy path: open the hub from the configuration, wait for signals and for the hub to be idle with
 * all event providers finished, let what runs finish within a limit, close it. A configuration that
 * is wrong starts nothing; one that is wrong at a reload changes nothing.
 */
#include "cli/running.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { LOOK_MS = 20, CLOSE_LIMIT_MS = 10000, BUDGET_US = 4000 };

/* For the journal a line begins with its priority: sd-daemon(3). */
static void log_line(void *user, int level, const char *instance, const char *line)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    static const char *const priorities[] = {"<7>", "<6>", "<4>", "<3>"};
    const struct running *running = user;
    const struct cli_colours *colours = &running->colours;
    const char *const paint[] = {colours->dim, "", colours->yellow, colours->red};
    const int at = level < 0 ? 0 : level > ATAMO_LOG_ERROR ? ATAMO_LOG_ERROR : level;

    if (at <= ATAMO_LOG_DEBUG)
        return;
    if (running->to_journal)
        (void)fprintf(stderr, "%s%s: %s\n", priorities[at], instance, line);
    else
        (void)fprintf(stderr, "%s%-5s%s %s: %s\n", paint[at], names[at], colours->reset, instance,
                      line);
}

static int watch_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* As many descriptors as this process may have: a service has a connection for each client. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int running_open(struct running *running)
{
    const atamo_settings settings = {.size = sizeof settings,
                                     .flags = ATAMO_SPIN,
                                     .config_path = running->path,
                                     .log = log_line,
                                     .log_user = running};
    atamo_report *report = NULL;
    int status;

    raise_limit();
    notify_open(&running->notify);
    running->to_journal = notify_is_journal(STDERR_FILENO);
    running->colours = cli_colours(stderr);
    running->signals = watch_signals();
    status = atamo_open(&settings, &running->hub, &report);
    cli_show_report(report, running->path);
    atamo_report_free(report);
    if (status == ATAMO_OK) {
        notify_say(&running->notify, "READY=1");
        return ATAMO_OK;
    }
    cli_say("%s: not started", running->name);
    (void)close(running->signals);
    notify_close(&running->notify);
    return status;
}

static void hear(const atamo_telemetry *records, size_t count, uint64_t lost, void *user)
{
    struct running *running = user;

    (void)lost;
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i])) {
        unmatched_take(&running->unmatched, &records[i]);
        alerts_take(&running->alerts, running->hub, &records[i]);
    }
}

/* The hub is never held up: some records may be missed. Without a client the summary has less to
 * say and the log no alerts; the hub runs all the same. */
void running_watch(struct running *running)
{
    running->alerts = (struct alerts){.log = log_line, .log_user = running};
    if (atamo_client_open(running->hub, &running->client) != ATAMO_OK)
        running->client = NULL;
    else
        (void)atamo_watch_telemetry(running->client, ATAMO_WATCH_DROP, hear, running);
}

void running_reload(struct running *running)
{
    atamo_report *report = NULL;
    int status;

    notify_say(&running->notify, "RELOADING=1");
    status = atamo_reload(running->hub, running->path, (atamo_bytes){NULL, 0}, &report);
    cli_show_report(report, running->path);
    if (status == ATAMO_OK)
        cli_say("reloaded %s", running->name);
    else
        cli_say("%s was refused; the hub goes on as before", running->name);
    atamo_report_free(report);
    notify_say(&running->notify, "READY=1");
}

static void take_signals(struct running *running)
{
    struct signalfd_siginfo info;

    while (read(running->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            running_reload(running);
        else
            running->stopped = true;
    }
}

/* Sleep until a signal comes, or for LOOK_MS; telemetry is taken meanwhile. */
static void look(struct running *running)
{
    const int64_t end = clock_monotonic() + (int64_t)LOOK_MS * NS_PER_MS;
    struct pollfd polls[] = {
        {.fd = running->signals, .events = POLLIN},
        {.fd = running->client == NULL ? -1 : atamo_fd(running->client), .events = POLLIN},
        {.fd = running->changed == NULL ? -1 : running->news, .events = POLLIN}};

    for (int64_t now = end - (int64_t)LOOK_MS * NS_PER_MS; now < end; now = clock_monotonic()) {
        if (poll(polls, 3, (int)((end - now + NS_PER_MS - 1) / NS_PER_MS)) <= 0)
            return;
        if ((polls[1].revents & POLLIN) != 0)
            (void)atamo_dispatch(running->client, BUDGET_US, NULL);
        if ((polls[2].revents & POLLIN) != 0 && running->changed != NULL)
            running->changed(running);
        if ((polls[0].revents & POLLIN) != 0) {
            take_signals(running);
            return;
        }
    }
}

/* Let what runs finish; another signal ends the patience. */
static void finish(struct running *running)
{
    const int64_t end = clock_monotonic() + (int64_t)atamo_stop_limit(running->hub) * NS_PER_MS;

    notify_say(&running->notify, "STOPPING=1");
    running->stopped = false;
    while (clock_monotonic() < end && !running->stopped) {
        atamo_stats stats = {.size = sizeof stats};

        if (atamo_stats_get(running->hub, NULL, &stats) == ATAMO_OK &&
            (stats.in_flight == 0 || (stats.durable && stats.running == 0))) {
            running->finished = true;
            return;
        }
        look(running);
    }
}

void running_wait(struct running *running)
{
    const int64_t start = clock_monotonic();

    while (!running->stopped &&
           (running->for_ms < 0 || clock_monotonic() - start < running->for_ms * NS_PER_MS)) {
        if (atamo_wait_idle(running->hub, 0) == ATAMO_OK)
            break;
        notify_alive(&running->notify, running->hub);
        look(running);
    }
    finish(running);
}

int running_close(struct running *running)
{
    /* What has not ended in time gets no second one. */
    const int status = atamo_close(running->hub, running->finished ? CLOSE_LIMIT_MS : 0);

    (void)close(running->signals);
    notify_close(&running->notify);
    return status;
}
