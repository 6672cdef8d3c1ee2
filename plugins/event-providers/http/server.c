/* server - the thread that speaks HTTP.
 *
 * Happy path: poll; let the library read, call handlers and write; let the hub's clients call back,
 * which answers exchanges and wakes streams; let the library write those. Twice a second: time
 * limits, pings, what was kept long enough.
 *
 * Starting fails when an address is taken, when it could be reached from elsewhere and nobody is
 * asked who he is, or for want of descriptors or memory; the host is told why. At the end every
 * open exchange is answered, with 503 if it has to be, before connections are closed.
 */
#include "server.h"

#include "agents.h"
#include "dead.h"
#include "errand.h"
#include "guard.h"
#include "history.h"
#include "inquiry.h"
#include "posting.h"
#include "telemetry.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 500,
    DISPATCH_US = 2000,
    CLOSE_MS = 1000,
    HEADER_BYTES = 24 * 1024,
    ROUNDS_MAX = 4,
    PATIENT_MS = 1,
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void server_wake(struct server *server)
{
    const uint64_t one = 1;

    if (write(server->wake_fd, &one, sizeof one) < 0)
        return; /* its counter is full: it is awake */
}

/* --- the loop */

static void run_daemons(struct server *server)
{
    server->resumed = false;
    server->patient = 0;
    for (size_t i = 0; i < server->listener_count; i++)
        (void)MHD_run(server->daemons[i]);
    if (server->submitted)
        server->control->wake(server->client);
    server->submitted = false;
}

static int timeout_ms(const struct server *server)
{
    int64_t least = server->next_tick_ms - server->now_ms;
    int64_t stream = telemetry_due(server);

    if (stream < least)
        least = stream;
    for (size_t i = 0; i < server->listener_count; i++) {
        MHD_UNSIGNED_LONG_LONG ms;

        if (MHD_get_timeout(server->daemons[i], &ms) == MHD_YES && (int64_t)ms < least)
            least = (int64_t)ms;
    }
    if (least <= 0 && server->patient > 0)
        return PATIENT_MS; /* the library would look at those that wait again and again */
    return least < 0 ? 0 : (int)least;
}

static void sleep_until_news(const struct server *server)
{
    struct pollfd polled[SERVER_LISTENERS_MAX + 3];
    nfds_t count = 0;
    uint64_t ignored;

    polled[count++] = (struct pollfd){.fd = server->wake_fd, .events = POLLIN};
    polled[count++] = (struct pollfd){.fd = server->control->fd(server->client), .events = POLLIN};
    polled[count++] = (struct pollfd){.fd = server->control->fd(server->watcher), .events = POLLIN};
    for (size_t i = 0; i < server->listener_count; i++) {
        const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(server->daemons[i], MHD_DAEMON_INFO_EPOLL_FD);

        polled[count++] = (struct pollfd){.fd = info->epoll_fd, .events = POLLIN};
    }
    if (poll(polled, count, timeout_ms(server)) > 0 && (polled[0].revents & POLLIN) != 0 &&
        read(server->wake_fd, &ignored, sizeof ignored) < 0)
        return;
}

static void tick(struct server *server)
{
    const int64_t ms = server->now_ms - server->next_tick_ms + TICK_MS;

    server->next_tick_ms = server->now_ms + TICK_MS;
    guard_sweep(server);
    agents_tick(server);
    dead_tick(server, ms);
    inquiries_tick(server);
    telemetry_tick(server);
}

static void look_around(struct server *server)
{
    server->now_ms = monotonic_ms();
    server->now_ns = server->host->now(server->host);
    if (server->now_ms >= server->next_tick_ms)
        tick(server);
    (void)server->control->dispatch(server->watcher, DISPATCH_US, NULL);
    (void)server->control->dispatch(server->client, DISPATCH_US, NULL);
    errands_finish(server);
    telemetry_flush(server);
    /* What was answered goes out now, unless answering makes more and more to answer. */
    for (int round = 0; round == 0 || (server->resumed && round < ROUNDS_MAX); round++)
        run_daemons(server);
}

/* The hub stops: streams end, who waits is told so. */
static void say_goodbye(struct server *server)
{
    const int64_t until = monotonic_ms() + CLOSE_MS;

    for (struct exchange *exchange = server->exchanges, *next; exchange != NULL; exchange = next) {
        next = exchange->next;
        if (exchange->handled)
            exchange_problem(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "the hub is stopping");
        exchange_wake(exchange);
    }
    while (server->exchanges != NULL && monotonic_ms() < until) {
        look_around(server);
        (void)poll(NULL, 0, 1);
    }
}

static void *serve(void *argument)
{
    struct server *server = argument;

    while (!atomic_load(&server->stopping)) {
        sleep_until_news(server);
        look_around(server);
    }
    say_goodbye(server);
    return NULL;
}

/* --- start */

static void log_library(void *user, const char *format, va_list list)
{
    const struct server *server = user;
    char line[512];

    (void)vsnprintf(line, sizeof line, format, list);
    line[strcspn(line, "\n")] = '\0';
    server->host->log(server->host, ATAMO_LOG_DEBUG, line);
}

static struct MHD_Daemon *start_daemon(struct server *server, int fd)
{
    const atamo_host *host = server->host;

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, guard_accept, server,
        exchange_go_on, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, exchange_open, server,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_close, server, MHD_OPTION_NOTIFY_CONNECTION,
        guard_connection, server, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)host->integer(host, "max_connections"), MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)host->integer(host, "max_connections_per_address"), MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(host->integer(host, "idle_timeout") / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADER_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static int open_listener(struct server *server, const char *address)
{
    struct listener *listener = &server->listeners[server->listener_count];
    char why[LISTEN_WHY];

    if (server->listener_count == SERVER_LISTENERS_MAX)
        return atamo_refuse(server->host, "more than %d addresses to listen on",
                            (int)SERVER_LISTENERS_MAX);
    if (listener_open(listener, address, why) != ATAMO_OK)
        return atamo_refuse(server->host, "%s", why);
    server->is_local &= listener->local;
    if (!listener->local &&
        (server->access == NULL || server->access->required(server->host) == 0)) {
        listener_close(listener);
        return atamo_refuse(server->host,
                            "%s can be reached from other machines, but anybody may use this "
                            "service: configure tokens, or listen on 127.0.0.1",
                            address);
    }
    server->daemons[server->listener_count] = start_daemon(server, listener->fd);
    if (server->daemons[server->listener_count] == NULL) {
        listener_close(listener);
        return atamo_refuse(server->host, "the HTTP library does not start on %s", address);
    }
    server->listener_count++;
    return ATAMO_OK;
}

static int open_listeners(struct server *server)
{
    const atamo_host *host = server->host;
    int status = ATAMO_OK;

    for (size_t i = 0; i < host->count(host, "listen") && status == ATAMO_OK; i++)
        status = open_listener(server, host->text_at(host, "listen", i).data);
    return status;
}

static int open_clients(struct server *server)
{
    const atamo_control *control = server->control;
    int status = control->client_open(server->hub, &server->client);

    if (status == ATAMO_OK)
        status = control->client_open(server->hub, &server->watcher);
    if (status == ATAMO_OK)
        status = control->reader_open(&server->reader);
    if (status == ATAMO_OK)
        status =
            control->watch_telemetry(server->watcher, ATAMO_WATCH_DROP, telemetry_take, server);
    return status;
}

static int start_thread(struct server *server)
{
    sigset_t all;
    sigset_t before;
    int result;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&server->thread, NULL, serve, server);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0)
        return ATAMO_IO;
    server->has_thread = true;
    (void)pthread_setname_np(server->thread, "atamo-http");
    return ATAMO_OK;
}

static void say_where(const struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++)
        atamo_log(server->host, ATAMO_LOG_INFO, "listening on %s%s",
                  server->listeners[i].path != NULL ? "" : "http://", server->listeners[i].name);
}

int server_start(struct server *server)
{
    const atamo_host *host = server->host;
    int status;

    server->now_ms = monotonic_ms();
    server->now_ns = host->now(host);
    server->next_tick_ms = server->now_ms;
    server->max_body = (uint64_t)host->integer(host, "max_body");
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->history = history_open((size_t)host->integer(host, "history"));
    server->inquiries = inquiries_open(server);
    server->errands = errands_open(server);
    status = server->wake_fd < 0 || server->history == NULL || server->inquiries == NULL ||
                     server->errands == NULL
                 ? ATAMO_NO_MEMORY
                 : open_clients(server);
    if (status != ATAMO_OK)
        return atamo_refuse(host, "%s", atamo_status_text(status));
    status = open_listeners(server);
    if (status == ATAMO_OK)
        status = start_thread(server);
    if (status == ATAMO_OK)
        say_where(server);
    return status;
}

/* --- end */

static void close_listeners(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        MHD_stop_daemon(server->daemons[i]);
        server->listeners[i].fd = -1; /* the library has closed it */
        listener_close(&server->listeners[i]);
    }
    server->listener_count = 0;
}

void server_stop(struct server *server)
{
    const atamo_control *control = server->control;

    atomic_store(&server->stopping, true);
    if (server->has_thread) {
        server_wake(server);
        (void)pthread_join(server->thread, NULL);
        server->has_thread = false;
    }
    close_listeners(server);
    errands_close(server->errands);
    control->client_close(server->client);
    control->client_close(server->watcher);
    control->reader_close(server->reader);
    postings_close(server);
    dead_close(server);
    inquiries_close(server->inquiries);
    history_close(server->history);
    if (server->wake_fd >= 0)
        (void)close(server->wake_fd);
    server->client = NULL;
    server->watcher = NULL;
    server->reader = NULL;
    server->inquiries = NULL;
    server->history = NULL;
    server->errands = NULL;
    server->wake_fd = -1;
}
