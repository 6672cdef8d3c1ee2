/* exec - what the files of this plugin share: an instance, its workers, its jobs. */
#ifndef EXEC_EXEC_H
#define EXEC_EXEC_H

#include "child.h"

#include <atamo/agent.h>
#include <atamo/json.h>

#include <pthread.h>

enum {
    EXEC_QUEUE = 65536,
    EXEC_WORKERS_MAX = 64,
    EXEC_IN_FLIGHT_MAX = 4096,
    EXEC_MALFORMED_MAX = 10
};

/* An action that a worker has. Its id on the wire is serial and slot. */
struct job {
    atamo_action action;
    uint32_t serial;  /* changes with each use of the slot */
    int worker;       /* -1: free */
    int64_t deadline; /* monotonic ms; 0: none */
    uint32_t next_free;
};

struct worker {
    struct child child;
    uint32_t jobs;
    uint32_t malformed; /* lines in a row */
    int64_t started_at; /* monotonic ms */
    int64_t restart_at; /* not running: when to start it again */
    int64_t delay;      /* the next restart's */
};

struct exec {
    const atamo_host *host;
    const atamo_json *json;
    atamo_json_reader *reader;
    struct child_settings settings;
    char **command;
    char **environment;
    uint32_t worker_count, in_flight;
    int64_t timeout, restart_delay, restart_delay_max, stop_grace; /* ms */
    size_t max_line;

    pthread_t thread;
    bool has_thread;
    int wake; /* eventfd */
    pthread_mutex_t lock;
    atamo_action *queue; /* ring of EXEC_QUEUE; guarded by `lock`, as the rest of this block */
    uint32_t head, tail;
    atamo_action *cancelled; /* ring of EXEC_QUEUE */
    uint32_t cancel_head, cancel_tail;
    bool sleeping, draining, closing;

    struct worker workers[EXEC_WORKERS_MAX]; /* from here on: the I/O thread's */
    struct job *jobs;
    uint32_t job_count, free_job, open_jobs;
    atamo_action done[64]; /* settled together */
    size_t done_count;
};

/* io.c: the plugin's thread. */
void *exec_io(void *argument);

/* protocol.c: lines to and from workers. */

/* Append the line that hands a job to its worker. False without memory or if the action is gone. */
bool exec_write_job(struct exec *exec, struct buffer *to, const struct job *job);
bool exec_write_cancel(struct exec *exec, struct buffer *to, uint64_t id);

/* Take one line of a worker. False if it is malformed. */
bool exec_read_line(struct exec *exec, int worker, atamo_bytes line);

/* Give a line of a worker's stderr to the log, by its level prefix. */
void exec_log_line(struct exec *exec, atamo_bytes line);

static inline uint64_t exec_job_id(const struct exec *exec, const struct job *job)
{
    return (uint64_t)job->serial << 32 | (uint64_t)(job - exec->jobs);
}

/* The job of an id on the wire that this worker has, or NULL. */
struct job *exec_find_job(struct exec *exec, int worker, uint64_t id);

/* End a job: its action is settled, its slot is free. */
void exec_end_job(struct exec *exec, struct job *job, const atamo_outcome *outcome);

#endif
