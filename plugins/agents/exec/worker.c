/* worker - one of the processes that perform the actions.
 *
 * Happy path: started; lines go in and come out in large pieces; when the agent stops its stdin is
 * closed and it ends by itself. What goes wrong ends it: it exits, closes a stream, writes garbage,
 * or holds an action far past its time. Then its actions are handed back and it is started again
 * after a delay that doubles each time, until it has run well for a while. Nothing here waits: a
 * worker that does not read, or does not want to end, costs the others nothing.
 */
#include "worker.h"

#include "hearing.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { REQUESTS_MAX = 256 * 1024 }; /* bytes on their way to one worker, and one line more */
enum { SAID_PER_SECOND = 1000, SCOLDED_PER_SECOND = 10 };
enum { RAN_WELL = 10, REST_READS = 64 };
enum stream { STREAM_IN, STREAM_OUT, STREAM_ERR, STREAM_WATCH };

/* How long a process that has closed a stream may take to exit: its status says more. */
static const int64_t closing_patience_ns = 100000000;

static const int64_t look_again_ns = 100000000;

/* --- descriptors */

static int watch(const struct agent *agent, const struct worker *worker, int operation, int fd,
                 enum stream stream, uint32_t what)
{
    struct epoll_event event = {.events = what};

    event.data.u64 =
        (uint64_t)worker->generation << 32 | (uint64_t)(worker->number - 1) << 8 | (uint64_t)stream;
    return epoll_ctl(agent->epoll, operation, fd, &event);
}

/* Closing a descriptor that has no copy also takes it out of the epoll set. */
static void close_stream(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void close_input(struct worker *worker)
{
    close_stream(&worker->process.in);
    buffer_close(&worker->requests);
    worker->wants_to_write = false;
}

static bool watch_all(const struct agent *agent, const struct worker *worker)
{
    const struct process *process = &worker->process;

    return watch(agent, worker, EPOLL_CTL_ADD, process->in, STREAM_IN, 0) == 0 &&
           watch(agent, worker, EPOLL_CTL_ADD, process->out, STREAM_OUT, EPOLLIN) == 0 &&
           watch(agent, worker, EPOLL_CTL_ADD, process->err, STREAM_ERR, EPOLLIN) == 0 &&
           watch(agent, worker, EPOLL_CTL_ADD, process->watch, STREAM_WATCH, EPOLLIN) == 0;
}

/* --- start and end */

void worker_init(struct agent *agent, struct worker *worker, uint32_t number)
{
    *worker = (struct worker){.number = number,
                              .delay = agent->settings.restart_delay_ns,
                              .said.limit = SAID_PER_SECOND,
                              .scolded.limit = SCOLDED_PER_SECOND};
    process_init(&worker->process);
    lines_init(&worker->answers, agent->settings.max_line);
    lines_init(&worker->errors, 1024);
}

void worker_close(struct worker *worker)
{
    process_close(&worker->process);
    buffer_close(&worker->requests);
    lines_close(&worker->answers);
    lines_close(&worker->errors);
}

/* It has ended, or could not be started: plan what comes next, and say it. */
static void plan_restart(struct agent *agent, struct worker *worker, const char *what)
{
    const int64_t longest = agent->settings.restart_delay_max_ns;
    const int64_t lived = worker->started == 0 ? 0 : agent->now - worker->started;

    if (agent->draining) {
        worker->state = WORKER_OFF;
        worker->due = WORKER_NEVER;
        return;
    }
    if (lived / RAN_WELL >= agent->settings.restart_delay_ns)
        worker->delay = agent->settings.restart_delay_ns;
    worker->state = WORKER_DOWN;
    worker->due = agent->now + worker->delay;
    atamo_log(agent->host, ATAMO_LOG_WARN, "worker %u %s; it is started again in %lld ms",
              worker->number, what, (long long)(worker->delay / 1000000));
    worker->delay = worker->delay > longest / 2 ? longest : worker->delay * 2;
}

static void start(struct agent *agent, struct worker *worker)
{
    char why[PROCESS_WHY] = "";

    assert(worker->state == WORKER_DOWN && worker->held == 0);
    worker->started = 0;
    if (process_start(&worker->process, &agent->settings, why) != ATAMO_OK) {
        plan_restart(agent, worker, why);
        return;
    }
    worker->started = agent->now;
    worker->generation++;
    worker->garbage = 0;
    worker->parts = 0;
    worker->stalled_until = 0;
    worker->went_on = 0;
    worker->was_told = false;
    worker->why[0] = '\0';
    worker->state = WORKER_UP;
    if (!watch_all(agent, worker))
        worker_end(agent, worker, "cannot be watched", 0);
}

void worker_end(struct agent *agent, struct worker *worker, const char *why, int64_t patience)
{
    assert(worker->state == WORKER_UP || worker->state == WORKER_ENDING);
    close_input(worker);
    if (patience == 0) {
        char reason[PROCESS_WHY + 16];

        close_stream(&worker->process.out);
        worker->stalled_until = 0;
        (void)snprintf(reason, sizeof reason, "worker %s", why);
        agent_hand_back(agent, worker, reason);
    }
    if (worker->state == WORKER_UP) {
        worker->state = WORKER_ENDING;
        worker->due = agent->now + patience;
        worker->kill_at = agent->now + agent->settings.stop_grace_ns;
        (void)snprintf(worker->why, sizeof worker->why, "%s", why);
    } else if (patience == 0 && !worker->was_told) {
        worker->due = agent->now;
    }
}

/* What is still in its pipes counts, as far as it can be had without waiting. */
static void hear_the_rest(struct agent *agent, struct worker *worker)
{
    for (int i = 0; i < REST_READS && worker->process.out >= 0 && worker->stalled_until == 0; i++) {
        const enum lines_read got = lines_read(&worker->answers, worker->process.out);

        if (!hearing_answers(agent, worker) || got != LINES_READ)
            break;
    }
    for (int i = 0; i < REST_READS && worker->process.err >= 0; i++) {
        const enum lines_read got = lines_read(&worker->errors, worker->process.err);

        hearing_errors(agent, worker, false);
        if (got != LINES_READ)
            break;
    }
    hearing_errors(agent, worker, true);
}

static void reap(struct agent *agent, struct worker *worker)
{
    char how[PROCESS_WHY];
    char what[2 * PROCESS_WHY + 16];

    if (!process_reap(&worker->process, how))
        return;
    hear_the_rest(agent, worker);
    (void)snprintf(what, sizeof what, "worker %s", how);
    agent_hand_back(agent, worker, what);
    worker_close(worker);
    process_init(&worker->process);
    worker->wants_to_write = false;
    worker->stalled_until = 0;
    if (worker->why[0] != '\0')
        (void)snprintf(what, sizeof what, "%s, and %s", worker->why, how);
    plan_restart(agent, worker, worker->why[0] != '\0' ? what : how);
}

/* --- input and output */

bool worker_has_room(const struct agent *agent, const struct worker *worker)
{
    return worker->state == WORKER_UP && worker->held < agent->settings.in_flight &&
           buffer_size(&worker->requests) < REQUESTS_MAX;
}

void worker_flush(struct agent *agent, struct worker *worker)
{
    struct buffer *requests = &worker->requests;

    while (worker->process.in >= 0 && buffer_size(requests) > 0) {
        const ssize_t sent =
            write(worker->process.in, requests->data + requests->head, buffer_size(requests));

        if (sent > 0) {
            buffer_drop(requests, (size_t)sent);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            worker_end(agent, worker, "closed its stdin", closing_patience_ns);
            return;
        }
    }
    if (worker->process.in >= 0 && worker->wants_to_write != (buffer_size(requests) > 0)) {
        worker->wants_to_write = !worker->wants_to_write;
        (void)watch(agent, worker, EPOLL_CTL_MOD, worker->process.in, STREAM_IN,
                    worker->wants_to_write ? (uint32_t)EPOLLOUT : 0);
    }
}

/* Act on what has come; a stalled worker is not read from until it goes on. */
static void hear(struct agent *agent, struct worker *worker)
{
    const bool was_stalled = worker->stalled_until != 0;
    const int fd = worker->process.out;

    worker->stalled_until = 0;
    if (!hearing_answers(agent, worker)) {
        worker_end(agent, worker, "does not speak the protocol", 0);
        return;
    }
    if (worker->stalled_until != 0 && !was_stalled)
        (void)watch(agent, worker, EPOLL_CTL_DEL, fd, STREAM_OUT, 0);
    else if (worker->stalled_until == 0 && was_stalled)
        (void)watch(agent, worker, EPOLL_CTL_ADD, fd, STREAM_OUT, EPOLLIN);
    if (was_stalled)
        worker->went_on = agent->now;
}

static void read_answers(struct agent *agent, struct worker *worker)
{
    const enum lines_read got = lines_read(&worker->answers, worker->process.out);

    if (got == LINES_READ)
        hear(agent, worker);
    if (got != LINES_END)
        return;
    close_stream(&worker->process.out);
    if (worker->state == WORKER_UP)
        worker_end(agent, worker, "closed its stdout", closing_patience_ns);
}

static void read_errors(struct agent *agent, struct worker *worker)
{
    const enum lines_read got = lines_read(&worker->errors, worker->process.err);

    hearing_errors(agent, worker, got == LINES_END);
    if (got == LINES_END)
        close_stream(&worker->process.err);
}

void worker_event(struct agent *agent, struct worker *worker, uint64_t event, uint32_t ready)
{
    if (worker->generation != event >> 32 || worker->process.pid == 0)
        return;
    switch ((enum stream)(event & 0xff)) {
    case STREAM_IN:
        if ((ready & EPOLLERR) != 0 && worker->process.in >= 0)
            worker_end(agent, worker, "closed its stdin", closing_patience_ns);
        else
            worker_flush(agent, worker);
        break;
    case STREAM_OUT:
        if (worker->process.out >= 0 && worker->stalled_until == 0)
            read_answers(agent, worker);
        break;
    case STREAM_ERR:
        if (worker->process.err >= 0)
            read_errors(agent, worker);
        break;
    case STREAM_WATCH:
        reap(agent, worker);
        break;
    }
}

/* --- time */

static void press(struct agent *agent, struct worker *worker)
{
    if (!worker->was_told) {
        char reason[PROCESS_WHY + 16];

        worker->was_told = true;
        worker->due = worker->kill_at;
        process_signal(&worker->process, SIGTERM);
        (void)snprintf(reason, sizeof reason, "worker %s", worker->why);
        agent_hand_back(agent, worker, reason);
        return;
    }
    /* It cannot survive that. Its end is an event, but look too, in case it cannot be watched. */
    worker->due = agent->now + look_again_ns;
    process_signal(&worker->process, SIGKILL);
    reap(agent, worker);
}

void worker_tick(struct agent *agent, struct worker *worker, int64_t *next)
{
    if (worker->state == WORKER_DOWN && agent->draining)
        plan_restart(agent, worker, "");
    if (worker->state == WORKER_DOWN && worker->due <= agent->now)
        start(agent, worker);
    if (worker->stalled_until != 0 && worker->stalled_until <= agent->now)
        hear(agent, worker);
    if (worker->state == WORKER_ENDING && worker->due <= agent->now)
        press(agent, worker);
    if (worker->stalled_until != 0 && worker->stalled_until < *next)
        *next = worker->stalled_until;
    if ((worker->state == WORKER_DOWN || worker->state == WORKER_ENDING) && worker->due < *next)
        *next = worker->due;
}
