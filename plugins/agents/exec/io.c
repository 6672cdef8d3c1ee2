/* io - the plugin's own thread: feeds workers, hears them, starts them again.
 *
 * Happy path of a round: take what the hub queued and give each action to the running worker that
 * has the fewest; write to whoever reads; read answers and settle; sleep in poll(). A worker that
 * ends has its actions handed back to be tried again, and is started anew after a delay that
 * doubles; one that ran well for a while begins with the short delay again. A worker that does not
 * read costs only what it was given.
 */
#include "exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TO_WORKER_MAX = 4 << 20, READ_AT_ONCE = 262144, RAN_WELL_MS = 10000, SLEEP_MAX_MS = 1000 };

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- jobs */

static void settle_done(struct exec *exec)
{
    if (exec->done_count > 0)
        exec->host->settle(exec->host, exec->done, NULL, exec->done_count);
    exec->done_count = 0;
}

struct job *exec_find_job(struct exec *exec, int worker, uint64_t id)
{
    const uint32_t slot = (uint32_t)id;
    struct job *job = slot < exec->job_count ? &exec->jobs[slot] : NULL;

    return job != NULL && job->worker == worker && job->serial == id >> 32 ? job : NULL;
}

void exec_end_job(struct exec *exec, struct job *job, const atamo_outcome *outcome)
{
    const atamo_action action = job->action;

    exec->workers[job->worker].jobs--;
    exec->open_jobs--;
    job->worker = -1;
    job->next_free = exec->free_job;
    exec->free_job = (uint32_t)(job - exec->jobs);
    if (outcome != NULL) {
        exec->host->settle(exec->host, &action, outcome, 1);
        return;
    }
    exec->done[exec->done_count++] = action;
    if (exec->done_count == sizeof exec->done / sizeof exec->done[0])
        settle_done(exec);
}

static void hand_back(struct exec *exec, atamo_action action, const char *reason)
{
    atamo_retry(exec->host, action, 0, reason);
}

/* All jobs of a worker, with the reason why. */
static void hand_back_jobs(struct exec *exec, int worker, const char *reason)
{
    const atamo_outcome outcome = {
        .size = sizeof outcome, .kind = ATAMO_RETRY, .reason = atamo_text(reason)};

    for (uint32_t i = 0; i < exec->job_count && exec->workers[worker].jobs > 0; i++)
        if (exec->jobs[i].worker == worker)
            exec_end_job(exec, &exec->jobs[i], &outcome);
}

/* --- workers */

static void start_worker(struct exec *exec, int index)
{
    struct worker *worker = &exec->workers[index];

    if (child_start(&worker->child, &exec->settings) != ATAMO_OK) {
        atamo_log(exec->host, ATAMO_LOG_ERROR, "cannot start worker %d", index + 1);
        worker->restart_at = now_ms() + worker->delay;
        return;
    }
    worker->started_at = now_ms();
    worker->malformed = 0;
}

static void worker_ended(struct exec *exec, int index, int status)
{
    struct worker *worker = &exec->workers[index];
    char how[64];
    char reason[96];

    child_say(status, how, sizeof how);
    (void)snprintf(reason, sizeof reason, "worker %s", how);
    if (now_ms() - worker->started_at > RAN_WELL_MS)
        worker->delay = exec->restart_delay;
    worker->restart_at = now_ms() + worker->delay;
    atamo_log(exec->host, ATAMO_LOG_WARN, "worker %d %s; it is started again in %lld ms", index + 1,
              how, (long long)worker->delay);
    worker->delay =
        worker->delay * 2 < exec->restart_delay_max ? worker->delay * 2 : exec->restart_delay_max;
    hand_back_jobs(exec, index, reason);
}

static void kill_worker(struct exec *exec, int index, const char *why)
{
    struct worker *worker = &exec->workers[index];

    atamo_log(exec->host, ATAMO_LOG_WARN, "worker %d %s: it is ended", index + 1, why);
    (void)kill(-worker->child.pid, SIGKILL);
    worker_ended(exec, index, child_end(&worker->child, 1000));
}

/* The running worker with the fewest jobs that has room; -1: none. */
static int choose_worker(const struct exec *exec)
{
    int best = -1;

    for (uint32_t i = 0; i < exec->worker_count; i++) {
        const struct worker *worker = &exec->workers[i];

        if (worker->child.pid == 0 || worker->jobs >= exec->in_flight ||
            buffer_size(&worker->child.to) > TO_WORKER_MAX)
            continue;
        if (best < 0 || worker->jobs < exec->workers[best].jobs)
            best = (int)i;
    }
    return best;
}

static void give(struct exec *exec, int worker, atamo_action action)
{
    struct job *job = &exec->jobs[exec->free_job];

    exec->free_job = job->next_free;
    job->action = action;
    job->serial++;
    job->worker = worker;
    job->deadline = exec->timeout == 0 ? 0 : now_ms() + exec->timeout;
    exec->workers[worker].jobs++;
    exec->open_jobs++;
    if (!exec_write_job(exec, &exec->workers[worker].child.to, job)) {
        const atamo_outcome outcome = {
            .size = sizeof outcome, .kind = ATAMO_RETRY, .reason = atamo_text("no memory")};

        exec_end_job(exec, job, &outcome);
    }
}

static void take_queue(struct exec *exec)
{
    int worker = choose_worker(exec);

    while (worker >= 0) {
        atamo_action action = 0;

        (void)pthread_mutex_lock(&exec->lock);
        if (exec->head != exec->tail)
            action = exec->queue[exec->head++ % EXEC_QUEUE];
        (void)pthread_mutex_unlock(&exec->lock);
        if (action == 0)
            return;
        give(exec, worker, action);
        worker = choose_worker(exec);
    }
}

/* --- cancels and time limits */

static void cancel_job(struct exec *exec, atamo_action action)
{
    for (uint32_t i = 0; i < exec->job_count; i++) {
        const struct job *job = &exec->jobs[i];

        if (job->worker < 0 || job->action != action)
            continue;
        (void)exec_write_cancel(exec, &exec->workers[job->worker].child.to, exec_job_id(exec, job));
        return;
    }
}

static void take_cancels(struct exec *exec)
{
    for (;;) {
        atamo_action action = 0;

        (void)pthread_mutex_lock(&exec->lock);
        if (exec->cancel_head != exec->cancel_tail)
            action = exec->cancelled[exec->cancel_head++ % EXEC_QUEUE];
        (void)pthread_mutex_unlock(&exec->lock);
        if (action == 0)
            return;
        cancel_job(exec, action);
    }
}

/* The workers that held a job past its time; returns when the next time limit is. */
static int64_t check_deadlines(struct exec *exec)
{
    const int64_t now = now_ms();
    int64_t next = INT64_MAX;

    for (uint32_t i = 0; exec->timeout > 0 && i < exec->job_count; i++) {
        const struct job *job = &exec->jobs[i];

        if (job->worker < 0)
            continue;
        if (job->deadline <= now)
            kill_worker(exec, job->worker, "held an action past its time limit");
        else if (job->deadline < next)
            next = job->deadline;
    }
    return next;
}

/* --- pipes */

static void write_to(struct exec *exec, int index)
{
    struct child *child = &exec->workers[index].child;

    while (buffer_size(&child->to) > 0) {
        const ssize_t written =
            write(child->in, child->to.data + child->to.start, buffer_size(&child->to));

        if (written <= 0)
            return; /* full, or it has ended: its stdout will say so */
        buffer_take(&child->to, (size_t)written);
    }
}

/* Read what there is; false at the end of the stream. */
static bool read_from(int fd, struct buffer *buffer)
{
    ssize_t size;

    if (!buffer_reserve(buffer, READ_AT_ONCE))
        return true; /* no memory now: it waits in the pipe */
    size = read(fd, buffer->data + buffer->end, READ_AT_ONCE);
    if (size > 0)
        buffer->end += (size_t)size;
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

static void take_lines(struct exec *exec, int index)
{
    struct worker *worker = &exec->workers[index];
    atamo_bytes line;

    while (worker->child.pid != 0 && buffer_line(&worker->child.from, &line)) {
        if (exec_read_line(exec, index, line))
            worker->malformed = 0;
        else
            worker->malformed++;
        buffer_take(&worker->child.from, line.size + 1);
    }
    settle_done(exec);
    if (worker->child.pid == 0)
        return;
    if (worker->malformed >= EXEC_MALFORMED_MAX)
        kill_worker(exec, index, "does not speak the protocol");
    else if (buffer_size(&worker->child.from) > exec->max_line)
        kill_worker(exec, index, "wrote a line over max_line");
}

static void take_errors(struct exec *exec, int index)
{
    struct buffer *errors = &exec->workers[index].child.errors;
    atamo_bytes line;

    while (buffer_line(errors, &line)) {
        exec_log_line(exec, line);
        buffer_take(errors, line.size + 1);
    }
    if (buffer_size(errors) > exec->max_line)
        buffer_take(errors, buffer_size(errors));
}

static void serve_worker(struct exec *exec, int index, const struct pollfd *polled)
{
    struct child *child = &exec->workers[index].child;
    int status = 0;

    if ((polled[2].revents & (POLLIN | POLLHUP)) != 0) {
        if (!read_from(child->err, &child->errors)) {
            (void)close(child->err);
            child->err = -1;
        }
        take_errors(exec, index);
    }
    if ((polled[1].revents & (POLLIN | POLLHUP)) != 0) {
        const bool open = read_from(child->out, &child->from);

        take_lines(exec, index);
        if (!open && child->pid != 0) {
            status = child_end(child, 1000);
            worker_ended(exec, index, status);
            return;
        }
    }
    if (child->pid != 0 && (polled[0].revents & (POLLOUT | POLLERR)) != 0)
        write_to(exec, index);
}

/* --- the thread */

static int poll_timeout(struct exec *exec, int64_t next)
{
    const int64_t now = now_ms();
    int64_t timeout;

    for (uint32_t i = 0; i < exec->worker_count; i++)
        if (exec->workers[i].child.pid == 0 && exec->workers[i].restart_at < next)
            next = exec->workers[i].restart_at;
    timeout = next - now;
    return timeout < 0 ? 0 : timeout > SLEEP_MAX_MS ? SLEEP_MAX_MS : (int)timeout;
}

static void wait_and_serve(struct exec *exec, int64_t next)
{
    struct pollfd polled[1 + 3 * EXEC_WORKERS_MAX];
    uint64_t count;
    bool idle;

    polled[0] = (struct pollfd){.fd = exec->wake, .events = POLLIN};
    for (uint32_t i = 0; i < exec->worker_count; i++) {
        const struct child *child = &exec->workers[i].child;
        const bool running = child->pid != 0;
        struct pollfd *of = &polled[1 + 3 * i];

        of[0] = (struct pollfd){.fd = running && buffer_size(&child->to) > 0 ? child->in : -1,
                                .events = POLLOUT};
        of[1] = (struct pollfd){.fd = running ? child->out : -1, .events = POLLIN};
        of[2] = (struct pollfd){.fd = running ? child->err : -1, .events = POLLIN};
    }
    (void)pthread_mutex_lock(&exec->lock);
    idle = (exec->head == exec->tail || choose_worker(exec) < 0) &&
           exec->cancel_head == exec->cancel_tail && !exec->closing;
    exec->sleeping = idle;
    (void)pthread_mutex_unlock(&exec->lock);
    (void)poll(polled, 1 + 3 * exec->worker_count, idle ? poll_timeout(exec, next) : 0);
    (void)pthread_mutex_lock(&exec->lock);
    exec->sleeping = false;
    (void)pthread_mutex_unlock(&exec->lock);
    if ((polled[0].revents & POLLIN) != 0 && read(exec->wake, &count, sizeof count) < 0)
        return;
    for (uint32_t i = 0; i < exec->worker_count; i++)
        if (exec->workers[i].child.pid != 0)
            serve_worker(exec, (int)i, &polled[1 + 3 * i]);
}

static void start_due(struct exec *exec)
{
    for (uint32_t i = 0; i < exec->worker_count; i++)
        if (exec->workers[i].child.pid == 0 && exec->workers[i].restart_at <= now_ms())
            start_worker(exec, (int)i);
}

/* Nothing new; what workers hold may finish for a while, then all is handed back. */
static bool should_end(struct exec *exec, int64_t *give_up_at)
{
    bool draining;

    (void)pthread_mutex_lock(&exec->lock);
    draining = exec->draining || exec->closing;
    (void)pthread_mutex_unlock(&exec->lock);
    if (!draining)
        return false;
    if (*give_up_at == 0)
        *give_up_at = now_ms() + exec->stop_grace;
    return exec->open_jobs == 0 || now_ms() >= *give_up_at;
}

static void hand_back_queue(struct exec *exec)
{
    (void)pthread_mutex_lock(&exec->lock);
    while (exec->head != exec->tail) {
        const atamo_action action = exec->queue[exec->head++ % EXEC_QUEUE];

        (void)pthread_mutex_unlock(&exec->lock);
        hand_back(exec, action, "the agent stops");
        (void)pthread_mutex_lock(&exec->lock);
    }
    (void)pthread_mutex_unlock(&exec->lock);
}

void *exec_io(void *argument)
{
    struct exec *exec = argument;
    int64_t give_up_at = 0;

    while (!should_end(exec, &give_up_at)) {
        const int64_t next = check_deadlines(exec);

        start_due(exec);
        take_cancels(exec);
        if (give_up_at == 0)
            take_queue(exec);
        else
            hand_back_queue(exec);
        for (uint32_t i = 0; i < exec->worker_count; i++)
            if (exec->workers[i].child.pid != 0)
                write_to(exec, (int)i);
        wait_and_serve(exec, give_up_at == 0 || give_up_at > next ? next : give_up_at);
    }
    hand_back_queue(exec);
    for (uint32_t i = 0; i < exec->worker_count; i++) {
        hand_back_jobs(exec, (int)i, "the agent stops");
        (void)child_end(&exec->workers[i].child, (int)exec->stop_grace);
    }
    settle_done(exec);
    return NULL;
}
