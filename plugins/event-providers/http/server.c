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
#include "history.h"
#include "inquiry.h"
#include "posting.h"
#include "telemetry.h"
#include "visit.h"

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
    for (size_t i = 0; i < server->door_count; i++)
        door_run(&server->doors[i]);
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
    for (size_t i = 0; i < server->door_count; i++) {
        const int64_t ms = door_timeout_ms(&server->doors[i]);

        if (ms >= 0 && ms < least)
            least = ms;
    }
    if (least <= 0 && server->patient > 0)
        return PATIENT_MS; /* the library would look at those that wait again and again */
    return least < 0 ? 0 : (int)least;
}

static void sleep_until_news(const struct server *server)
{
    struct pollfd polled[SERVER_DOORS_MAX * DOOR_FDS_MAX + 3];
    nfds_t count = 0;
    uint64_t ignored;

    polled[count++] = (struct pollfd){.fd = server->wake_fd, .events = POLLIN};
    polled[count++] = (struct pollfd){.fd = server->control->fd(server->client), .events = POLLIN};
    polled[count++] = (struct pollfd){.fd = server->control->fd(server->watcher), .events = POLLIN};
    for (size_t i = 0; i < server->door_count; i++) {
        int fds[DOOR_FDS_MAX];
        const size_t some = door_fds(&server->doors[i], fds);

        for (size_t k = 0; k < some; k++)
            polled[count++] = (struct pollfd){.fd = fds[k], .events = POLLIN};
    }
    if (poll(polled, count, timeout_ms(server)) > 0 && (polled[0].revents & POLLIN) != 0 &&
        read(server->wake_fd, &ignored, sizeof ignored) < 0)
        return;
}

/* New files are taken over when they are what they should be; until then the old ones do. */
static void renew_certificate(struct server *server)
{
    char why[CERTIFICATE_WHY] = "it is none, or its key does not fit";
    bool good;

    if (!certificate_is_wanted(&server->certificate) ||
        !certificate_has_changed(&server->certificate))
        return;
    good = certificate_read(&server->certificate, why) == ATAMO_OK;
    for (size_t i = 0; i < server->door_count && good; i++)
        good = door_renew(&server->doors[i], server);
    if (good)
        atamo_log(server->host, ATAMO_LOG_INFO, "a new certificate");
    else if (!server->certificate_is_bad)
        atamo_log(server->host, ATAMO_LOG_WARN, "the new certificate is not taken: %s", why);
    server->certificate_is_bad = !good;
}

static void tick(struct server *server)
{
    const int64_t ms = server->now_ms - server->next_tick_ms + TICK_MS;

    server->next_tick_ms = server->now_ms + TICK_MS;
    visit_sweep(server);
    renew_certificate(server);
    for (size_t i = 0; i < server->door_count; i++)
        door_tidy(&server->doors[i]);
    agents_tick(server);
    postings_tick(server);
    dead_tick(server, ms);
    inquiries_tick(server);
    telemetry_tick(server);
    postings_look(server);
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
    inquiries_settle(server);
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

/* Providers start before the hub has its rules: whoever connects meanwhile waits. */
static void wait_for_hub(const struct server *server)
{
    atamo_stats stats = {.size = sizeof stats};

    while (!atomic_load(&server->stopping) &&
           server->control->stats_get(server->hub, NULL, &stats) == ATAMO_OK &&
           stats.generation == 0)
        (void)poll(NULL, 0, 1);
}

static void *serve(void *argument)
{
    struct server *server = argument;

    wait_for_hub(server);
    while (!atomic_load(&server->stopping)) {
        sleep_until_news(server);
        look_around(server);
    }
    say_goodbye(server);
    return NULL;
}

/* --- start */

static int read_certificate(struct server *server)
{
    const atamo_host *host = server->host;
    struct certificate *certificate = &server->certificate;
    char why[CERTIFICATE_WHY];

    certificate->paths[0] = host->text(host, "tls_certificate").data;
    certificate->paths[1] = host->text(host, "tls_key").data;
    if ((certificate->paths[0][0] == '\0') != (certificate->paths[1][0] == '\0'))
        return atamo_refuse(host, "tls_certificate and tls_key go together");
    if (!certificate_is_wanted(certificate) || certificate_read(certificate, why) == ATAMO_OK)
        return ATAMO_OK;
    return atamo_refuse(host, "%s", why);
}

static int open_doors(struct server *server)
{
    const atamo_host *host = server->host;
    const size_t count = host->count(host, "listen");
    int status = read_certificate(server);

    if (count > SERVER_DOORS_MAX)
        return atamo_refuse(host, "more than %d addresses to listen on", (int)SERVER_DOORS_MAX);
    for (size_t i = 0; i < count && status == ATAMO_OK; i++) {
        status = door_open(&server->doors[i], server, host->text_at(host, "listen", i).data);
        server->door_count += status == ATAMO_OK;
    }
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
    const char *scheme = certificate_is_wanted(&server->certificate) ? "https://" : "http://";

    for (size_t i = 0; i < server->door_count; i++) {
        const struct listener *listener = &server->doors[i].listener;

        atamo_log(server->host, ATAMO_LOG_INFO, "listening on %s%s",
                  listener->path != NULL ? "" : scheme, listener->name);
    }
}

static enum access_log access_log_of(atamo_bytes choice)
{
    return strcmp(choice.data, "none") == 0  ? ACCESS_NONE
           : strcmp(choice.data, "all") == 0 ? ACCESS_ALL
                                             : ACCESS_CHANGES;
}

int server_start(struct server *server)
{
    const atamo_host *host = server->host;
    int status;

    server->now_ms = monotonic_ms();
    server->now_ns = host->now(host);
    server->next_tick_ms = server->now_ms;
    server->max_body = (uint64_t)host->integer(host, "max_body");
    server->header_ms = host->integer(host, "header_timeout");
    server->body_ms = host->integer(host, "body_timeout");
    server->limiter.rate = (uint64_t)host->integer(host, "rate");
    server->access_log = access_log_of(host->text(host, "access_log"));
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
    status = open_doors(server);
    if (status == ATAMO_OK)
        status = start_thread(server);
    if (status == ATAMO_OK)
        say_where(server);
    return status;
}

/* --- end */

void server_stop(struct server *server)
{
    const atamo_control *control = server->control;

    atomic_store(&server->stopping, true);
    if (server->has_thread) {
        server_wake(server);
        (void)pthread_join(server->thread, NULL);
        server->has_thread = false;
    }
    for (size_t i = 0; i < server->door_count; i++)
        door_close(&server->doors[i]);
    server->door_count = 0;
    certificate_close(&server->certificate);
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
