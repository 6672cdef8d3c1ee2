/* cmd_run - run a hub until its input ends, or until it is stopped.
 *
 * Happy path: open the hub from the configuration, wait for signals and for the hub to be idle with
 * all event providers finished, close it within its limit, print the summary. SIGHUP reloads;
 * SIGINT and SIGTERM stop gracefully, a second one at once. A configuration that is wrong starts
 * nothing.
 */
#include "cli/cli.h"
#include "cli/summary.h"
#include "plugin/quantity.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { LOOK_MS = 20, STOP_LIMIT_MS = 10000 };

struct running {
    atamo_hub *hub;
    const char *path;
    int signals; /* descriptor */
    bool stopped;
    int64_t left_ms; /* --for; -1: no limit */
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

/* Until all input has ended and nothing is in flight, a signal, or --for. */
static void wait_for_end(struct running *running)
{
    struct pollfd poller = {.fd = running->signals, .events = POLLIN};
    int64_t waited = 0;

    while (!running->stopped && (running->left_ms < 0 || waited < running->left_ms)) {
        if (atamo_wait_idle(running->hub, 0) == ATAMO_OK)
            return;
        if (poll(&poller, 1, LOOK_MS) > 0)
            take_signals(running);
        waited += LOOK_MS;
    }
}

/* Let what runs finish; another signal ends the patience. */
static void finish(struct running *running)
{
    struct pollfd poller = {.fd = running->signals, .events = POLLIN};

    running->stopped = false;
    for (int waited = 0; waited < STOP_LIMIT_MS && !running->stopped; waited += LOOK_MS) {
        atamo_stats stats = {.size = sizeof stats};

        if (atamo_stats_get(running->hub, NULL, &stats) == ATAMO_OK && stats.in_flight == 0)
            return;
        if (poll(&poller, 1, LOOK_MS) > 0)
            take_signals(running);
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

enum exit_code cmd_run(const struct cli_line *line)
{
    struct cli_colours colours = cli_colours(stderr);
    struct running running = {.path = line->arguments[0]};
    atamo_settings settings = {.size = sizeof settings,
                               .flags = ATAMO_SPIN,
                               .config_path = running.path,
                               .log = log_line,
                               .log_user = &colours};
    atamo_report *report = NULL;
    atamo_stats stats = {.size = sizeof stats};
    int status;

    if (!read_for(line, &running.left_ms))
        return EXIT_USAGE;
    running.signals = watch_signals();
    status = atamo_open(&settings, &running.hub, &report);
    cli_show_report(report, running.path);
    atamo_report_free(report);
    if (status != ATAMO_OK) {
        cli_say("%s: not started", running.path);
        (void)close(running.signals);
        return cli_exit(status);
    }
    wait_for_end(&running);
    finish(&running);
    (void)atamo_stats_get(running.hub, NULL, &stats);
    if (cli_value(line, "quiet") == NULL)
        summary_print(running.hub, &stats, stderr);
    status = atamo_close(running.hub, running.stopped ? 0 : STOP_LIMIT_MS);
    (void)close(running.signals);
    if (status != ATAMO_OK)
        return cli_exit(status);
    return cli_value(line, "strict") != NULL && stats.dead + stats.rules_failed > 0 ? EXIT_FAILED
                                                                                    : EXIT_OK;
}
