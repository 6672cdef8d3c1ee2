/* cmd_run - run a hub until its input ends, or until it is stopped.
 *
 * Happy path: open the hub from the configuration, wait for signals and for the hub to be idle with
 * all event providers finished, close it within its limit, print the summary. SIGHUP reloads;
 * SIGINT and SIGTERM stop gracefully, a second one at once. A configuration that is wrong starts
 * nothing.
 */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/summary.h"
#include "plugin/quantity.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { LOOK_MS = 20, STOP_LIMIT_MS = 10000, BUDGET_US = 4000 };

struct running {
    atamo_hub *hub;
    const char *path;
    int signals; /* descriptor */
    bool stopped;
    int64_t for_ms;       /* --for; -1: no limit */
    atamo_client *client; /* to see which messages match no rule; NULL: nobody looks */
    struct unmatched unmatched;
};

static void log_line(void *user, int level, const char *instance, const char *line)
{
    const struct cli_colours *colours = user;
    const char *const paint[] = {colours->dim, "", colours->yellow, colours->red};
    const char *const names[] = {"debug", "info", "warn", "error"};
    const int at = level < 0 ? 0 : level > ATAMO_LOG_ERROR ? ATAMO_LOG_ERROR : level;

    if (at > ATAMO_LOG_DEBUG)
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

static void reload(struct running *running)
{
    atamo_report *report = NULL;
    const int status = atamo_reload(running->hub, running->path, (atamo_bytes){NULL, 0}, &report);

    cli_show_report(report, running->path);
    if (status == ATAMO_OK)
        cli_say("reloaded %s", running->path);
    else
        cli_say("%s was refused; the hub goes on as before", running->path);
    atamo_report_free(report);
}

static void take_signals(struct running *running)
{
    struct signalfd_siginfo info;

    while (read(running->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reload(running);
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
        {.fd = running->client == NULL ? -1 : atamo_fd(running->client), .events = POLLIN}};

    for (int64_t now = end - (int64_t)LOOK_MS * NS_PER_MS; now < end; now = clock_monotonic()) {
        if (poll(polls, 2, (int)((end - now + NS_PER_MS - 1) / NS_PER_MS)) <= 0)
            return;
        if ((polls[1].revents & POLLIN) != 0)
            (void)atamo_dispatch(running->client, BUDGET_US, NULL);
        if ((polls[0].revents & POLLIN) != 0) {
            take_signals(running);
            return;
        }
    }
}

/* Until all input has ended and nothing is in flight, a signal, or --for. */
static void wait_for_end(struct running *running)
{
    const int64_t start = clock_monotonic();

    while (!running->stopped &&
           (running->for_ms < 0 || clock_monotonic() - start < running->for_ms * NS_PER_MS)) {
        if (atamo_wait_idle(running->hub, 0) == ATAMO_OK)
            return;
        look(running);
    }
}

/* Let what runs finish; another signal ends the patience. */
static void finish(struct running *running)
{
    const int64_t end = clock_monotonic() + (int64_t)STOP_LIMIT_MS * NS_PER_MS;

    running->stopped = false;
    while (clock_monotonic() < end && !running->stopped) {
        atamo_stats stats = {.size = sizeof stats};

        if (atamo_stats_get(running->hub, NULL, &stats) == ATAMO_OK &&
            (stats.in_flight == 0 || (stats.durable && stats.running == 0)))
            return;
        look(running);
    }
}

static bool read_for(const struct cli_line *line, int64_t *ms)
{
    const char *text = cli_value(line, "for");
    int64_t ns;

    *ms = -1;
    if (text == NULL)
        return true;
    if (quantity_duration(atamo_text(text), &ns) != ATAMO_OK) {
        cli_say("--for %s: expected a duration such as 10s or 5m", text);
        return false;
    }
    *ms = ns / 1000000;
    return true;
}

static int open_hub(struct running *running, struct cli_colours *colours)
{
    const atamo_settings settings = {.size = sizeof settings,
                                     .flags = ATAMO_SPIN,
                                     .config_path = running->path,
                                     .log = log_line,
                                     .log_user = colours};
    atamo_report *report = NULL;
    const int status = atamo_open(&settings, &running->hub, &report);

    cli_show_report(report, running->path);
    atamo_report_free(report);
    if (status != ATAMO_OK)
        cli_say("%s: not started", running->path);
    return status;
}

/* Without it the summary has less to say; the hub runs all the same. */
static void watch(struct running *running)
{
    if (atamo_client_open(running->hub, &running->client) != ATAMO_OK)
        running->client = NULL;
    else
        (void)unmatched_watch(&running->unmatched, running->client);
}

/* Say what was done; the figures go to *stats. */
static int sum_up(struct running *running, const struct cli_line *line, atamo_stats *stats)
{
    struct summary summary = {.hub = running->hub,
                              .path = running->path,
                              .stats = {.size = sizeof summary.stats},
                              .unmatched = &running->unmatched};
    int status;

    if (running->client != NULL) {
        (void)atamo_dispatch(running->client, 0, NULL);
        atamo_client_close(running->client);
    }
    status = atamo_stats_get(running->hub, NULL, &summary.stats);
    *stats = summary.stats;
    if (status == ATAMO_OK && cli_value(line, "json") != NULL)
        return summary_write_json(&summary, stdout);
    if (status == ATAMO_OK && cli_value(line, "quiet") == NULL)
        summary_print(&summary, stderr);
    return status;
}

enum exit_code cmd_run(const struct cli_line *line)
{
    struct cli_colours colours = cli_colours(stderr);
    struct running running = {.path = line->arguments[0]};
    atamo_stats stats;
    int status, closed;

    if (!read_for(line, &running.for_ms))
        return EXIT_USAGE;
    running.signals = watch_signals();
    status = open_hub(&running, &colours);
    if (status != ATAMO_OK) {
        (void)close(running.signals);
        return cli_exit(status);
    }
    if (cli_value(line, "quiet") == NULL)
        watch(&running);
    wait_for_end(&running);
    finish(&running);
    status = sum_up(&running, line, &stats);
    closed = atamo_close(running.hub, running.stopped ? 0 : STOP_LIMIT_MS);
    (void)close(running.signals);
    if (status != ATAMO_OK || closed != ATAMO_OK)
        return cli_exit(status != ATAMO_OK ? status : closed);
    if (cli_value(line, "strict") != NULL && stats.dead + stats.shed + stats.rules_failed > 0)
        return EXIT_FAILED;
    return EXIT_OK;
}
