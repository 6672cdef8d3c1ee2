/* worker - one of the processes that perform the actions, through all its restarts. */
#ifndef EXEC_WORKER_H
#define EXEC_WORKER_H

#include "lines.h"
#include "process.h"
#include "quota.h"

struct agent;

/*  DOWN -> UP -> ENDING -> DOWN ...          and from any, when the agent stops, to OFF at last */
enum worker_state {
    WORKER_DOWN,   /* will be started at `due` */
    WORKER_UP,     /* takes actions */
    WORKER_ENDING, /* was asked to end, or seems to; SIGTERM at `due`, SIGKILL at `kill_at` */
    WORKER_OFF     /* has ended for good */
};

struct worker {
    struct process process;
    struct buffer requests; /* lines on their way to it */
    struct lines answers;
    struct lines errors;   /* stderr */
    uint32_t number;       /* from 1 */
    uint32_t generation;   /* of the process, so that an event of an earlier one is noticed */
    uint32_t held;         /* actions that it has: running and overdue */
    uint32_t garbage;      /* bad lines in a row */
    uint32_t state;        /* enum worker_state */
    uint32_t parts;        /* of the line in hand: what has been done before the host was busy */
    bool wants_to_write;   /* epoll says when its pipe has room */
    bool was_told;         /* SIGTERM was sent */
    int64_t stalled_until; /* the host was busy: go on then; 0: not stalled */
    int64_t went_on;       /* when it was heard again after that */
    int64_t started;
    int64_t due;
    int64_t kill_at;
    int64_t delay;         /* before the next restart */
    char why[PROCESS_WHY]; /* it is ended; "": it ended by itself */
    struct quota said;     /* lines of its own in the log */
    struct quota scolded;  /* lines about it in the log */
};

/* Monotonic ns: never. */
#define WORKER_NEVER INT64_MAX

void worker_init(struct agent *agent, struct worker *worker, uint32_t number);

/* Free its memory. The process must have ended. */
void worker_close(struct worker *worker);

/* May it be given another action now? */
bool worker_has_room(const struct agent *agent, const struct worker *worker);

/* Write to it what its pipe takes. */
void worker_flush(struct agent *agent, struct worker *worker);

/* One of its descriptors is ready: the low byte of the event's number says which. */
void worker_event(struct agent *agent, struct worker *worker, uint64_t event, uint32_t ready);

/* Do what is due; *next becomes the earlier of itself and when something is due again. */
void worker_tick(struct agent *agent, struct worker *worker, int64_t *next);

/* End it: its stdin is closed at once, SIGTERM comes after `patience` and SIGKILL after the grace.
 * With no patience at all it is not listened to any more and loses its actions now. `why` is ""
 * if that is the natural end. */
void worker_end(struct agent *agent, struct worker *worker, const char *why, int64_t patience);

/* The worker and its generation in an event's number. */
static inline uint32_t worker_of_event(uint64_t event)
{
    return (uint32_t)(event >> 8) & 0xffffff;
}

#endif
