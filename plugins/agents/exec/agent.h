/* agent - one instance: what its files share. Everything but the inbox belongs to the plugin's own
 * thread once that runs. */
#ifndef EXEC_AGENT_H
#define EXEC_AGENT_H

#include "flights.h"
#include "inbox.h"
#include "request.h"
#include "settling.h"
#include "worker.h"

struct agent {
    const atamo_host *host;
    const atamo_json *json;
    struct settings settings;
    struct request_writer writer; /* holds the reader of JSON too */
    struct inbox inbox;
    struct flights flights;
    struct settling settling;
    struct worker *workers; /* settings.workers of them */
    int epoll;
    int64_t now; /* monotonic ns, at the beginning of this turn */
    bool draining;
    int64_t drain_until; /* then what is still running is handed back */
    pthread_t thread;
    bool has_thread;
};

/* The end of one action: it is settled, and forgotten. */
void agent_settle(struct agent *agent, struct flight *flight, uint32_t kind,
                  uint64_t retry_after_ms, atamo_bytes reason);

/* Hand back all that a worker has, to be tried again. */
void agent_hand_back(struct agent *agent, struct worker *worker, const char *reason);

/* The plugin's own thread: argument is the agent. Returns when the inbox was shut and all workers
 * have ended. */
void *agent_run(void *argument);

#endif
