/* agent - the plugin's own thread: between the hub and the workers.
 *
 * Happy path of a turn: take all that is in the inbox, give each action to the worker that has the
 * fewest, write to each worker once, tell the hub of what has ended, sleep until something comes.
 * Actions wait here while no worker has room, in a line that is bounded in number and in time. An
 * action whose time is up is settled and cancelled; a worker that still keeps it after the grace is
 * ended.
 */
#include "agent.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64 };

static int64_t monotonic(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- ends of actions */

void agent_settle(struct agent *agent, struct flight *flight, uint32_t kind,
                  uint64_t retry_after_ms, atamo_bytes reason)
{
    assert(flight->state != FLIGHT_FREE && flight->state != FLIGHT_OVERDUE);
    if (flight->state != FLIGHT_WAITING)
        agent->workers[flight->worker].held--;
    settling_add(&agent->settling, flight->action, kind, retry_after_ms, reason);
    flights_remove(&agent->flights, flight);
}

static void retry(struct agent *agent, struct flight *flight, const char *reason)
{
    agent_settle(agent, flight, ATAMO_RETRY, 0, atamo_text(reason));
}

static void retry_all(struct agent *agent, const struct worker *worker, enum flight_state state,
                      const char *reason)
{
    struct flight *next;

    for (struct flight *at = flights_first(&agent->flights, state); at != NULL && worker->held > 0;
         at = next) {
        next = flights_next(&agent->flights, at);
        if (at->worker == worker->number - 1)
            retry(agent, at, reason);
    }
}

void agent_hand_back(struct agent *agent, struct worker *worker, const char *reason)
{
    struct flight *next;

    retry_all(agent, worker, FLIGHT_RUNNING, reason);
    retry_all(agent, worker, FLIGHT_FED, reason);
    for (struct flight *at = flights_first(&agent->flights, FLIGHT_OVERDUE);
         at != NULL && worker->held > 0; at = next) {
        next = flights_next(&agent->flights, at);
        if (at->worker != worker->number - 1)
            continue;
        worker->held--;
        flights_remove(&agent->flights, at);
    }
    assert(worker->held == 0);
}

/* --- from the inbox */

static void take_action(struct agent *agent, atamo_action action)
{
    if (agent->flights.lines[FLIGHT_WAITING].count >= agent->settings.queue ||
        flights_add(&agent->flights, action, agent->now) == NULL)
        settling_add(&agent->settling, action, ATAMO_RETRY, 0,
                     atamo_text("too many actions wait for a worker"));
}

static void take_cancel(struct agent *agent, const struct inbox_item *item)
{
    struct flight *flight = flights_by_action(&agent->flights, item->action);
    const char *reason = atamo_reason_text(item->reason);

    if (flight == NULL || flight->state == FLIGHT_OVERDUE)
        return;
    if (flight->state == FLIGHT_WAITING) {
        retry(agent, flight, "cancelled while it waited for a worker");
        return;
    }
    if (flight->state == FLIGHT_FED) /* from now on it has as much time as others */
        flights_move(&agent->flights, flight, FLIGHT_RUNNING, agent->now);
    if (agent->workers[flight->worker].process.in >= 0)
        (void)request_add_cancel(&agent->writer, &agent->workers[flight->worker].requests,
                                 flight->id, reason);
}

/* Its worker is heard again. */
static void take_room(struct agent *agent, const struct inbox_item *item)
{
    const struct flight *flight = flights_by_action(&agent->flights, item->action);

    if (flight != NULL && flight->state != FLIGHT_WAITING &&
        agent->workers[flight->worker].stalled_until != 0)
        agent->workers[flight->worker].stalled_until = agent->now;
}

static void take_inbox(struct agent *agent)
{
    const struct inbox_item *items;
    const size_t count = inbox_take(&agent->inbox, &items);

    for (size_t i = 0; i < count; i++) {
        switch ((enum inbox_kind)items[i].kind) {
        case INBOX_WORK:
            take_action(agent, items[i].action);
            break;
        case INBOX_CANCEL:
            take_cancel(agent, &items[i]);
            break;
        case INBOX_ROOM:
            take_room(agent, &items[i]);
            break;
        }
    }
}

/* --- to the workers */

/* The one with the fewest actions that has room for another. */
static struct worker *choose(const struct agent *agent)
{
    struct worker *best = NULL;

    for (uint32_t i = 0; i < agent->settings.workers; i++) {
        struct worker *worker = &agent->workers[i];

        if (worker_has_room(agent, worker) && (best == NULL || worker->held < best->held))
            best = worker;
    }
    return best;
}

static void give(struct agent *agent, struct worker *worker, struct flight *flight)
{
    const int status = request_add(&agent->writer, &worker->requests, flight->action, flight->id,
                                   &flight->is_feed);
    char reason[64];

    switch (status) {
    case ATAMO_OK:
        flight->worker = worker->number - 1;
        worker->held++;
        flights_move(&agent->flights, flight, FLIGHT_RUNNING, agent->now);
        return;
    case ATAMO_TOO_LARGE:
        (void)snprintf(reason, sizeof reason, "its line would be over %zu bytes (max_line)",
                       agent->settings.max_line);
        agent_settle(agent, flight, ATAMO_FAIL, 0, atamo_text(reason));
        return;
    default:
        retry(agent, flight, atamo_status_text(status));
        return;
    }
}

static void give_all(struct agent *agent)
{
    struct flight *flight;
    struct worker *worker;

    while ((flight = flights_first(&agent->flights, FLIGHT_WAITING)) != NULL &&
           (worker = choose(agent)) != NULL)
        give(agent, worker, flight);
}

/* --- time */

static bool is_past(const struct agent *agent, const struct flight *flight, int64_t limit,
                    int64_t *next)
{
    if (flight == NULL)
        return false;
    if (flight->since <= agent->now - limit)
        return true;
    if (flight->since + limit < *next)
        *next = flight->since + limit;
    return false;
}

static void give_up_on(struct agent *agent, struct flight *flight)
{
    struct worker *worker = &agent->workers[flight->worker];
    char reason[64];

    (void)snprintf(reason, sizeof reason, "no answer within %lld ms",
                   (long long)(agent->settings.timeout_ns / 1000000));
    settling_add(&agent->settling, flight->action, ATAMO_RETRY, 0, atamo_text(reason));
    if (worker->process.in >= 0)
        (void)request_add_cancel(&agent->writer, &worker->requests, flight->id, reason);
    flights_move(&agent->flights, flight, FLIGHT_OVERDUE, agent->now);
}

/* What a worker has while it is not heard, as somebody is slow to take what it says, gets its time
 * anew, from when it is heard again at the earliest. */
static bool was_held_up(struct agent *agent, struct flight *flight, int64_t limit)
{
    const struct worker *worker = &agent->workers[flight->worker];

    if (worker->stalled_until == 0 && worker->went_on <= agent->now - limit)
        return false;
    flights_move(&agent->flights, flight, (enum flight_state)flight->state, agent->now);
    return true;
}

static void check_time(struct agent *agent, int64_t *next)
{
    struct flights *flights = &agent->flights;
    struct flight *flight;

    while (is_past(agent, flight = flights_first(flights, FLIGHT_WAITING),
                   agent->settings.timeout_ns, next))
        retry(agent, flight, "no worker had room for it within its time limit");
    while (is_past(agent, flight = flights_first(flights, FLIGHT_RUNNING),
                   agent->settings.timeout_ns, next))
        if (!was_held_up(agent, flight, agent->settings.timeout_ns))
            give_up_on(agent, flight);
    while (is_past(agent, flight = flights_first(flights, FLIGHT_OVERDUE),
                   agent->settings.stop_grace_ns, next))
        if (!was_held_up(agent, flight, agent->settings.stop_grace_ns))
            worker_end(agent, &agent->workers[flight->worker], "kept an action past its time limit",
                       0);
}

/* --- the end */

static void begin_drain(struct agent *agent)
{
    agent->draining = true;
    agent->drain_until = agent->now + agent->settings.stop_grace_ns;
}

/* Nothing new is given out; a worker that has nothing more to do may end. */
static void drain(struct agent *agent, int64_t *next)
{
    const bool is_over = agent->drain_until <= agent->now;
    struct flight *flight;

    while ((flight = flights_first(&agent->flights, FLIGHT_WAITING)) != NULL)
        retry(agent, flight, "the agent stops");
    for (uint32_t i = 0; i < agent->settings.workers; i++) {
        struct worker *worker = &agent->workers[i];

        if (is_over && worker->held > 0)
            agent_hand_back(agent, worker, "the agent stops");
        if (worker->held == 0 && worker->state == WORKER_UP)
            worker_end(agent, worker, "was told to stop", agent->settings.stop_grace_ns / 2 + 1);
    }
    if (!is_over && agent->drain_until < *next)
        *next = agent->drain_until;
}

static bool has_ended(const struct agent *agent)
{
    for (uint32_t i = 0; i < agent->settings.workers; i++)
        if (agent->workers[i].state != WORKER_OFF)
            return false;
    return true;
}

/* --- the thread */

static void serve(struct agent *agent, const struct epoll_event *event)
{
    const uint64_t number = event->data.u64;
    uint64_t count;

    if (number != UINT64_MAX) {
        worker_event(agent, &agent->workers[worker_of_event(number)], number, event->events);
        return;
    }
    while (read(agent->inbox.wake, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

static void sleep_and_serve(struct agent *agent, int64_t next)
{
    struct epoll_event events[EVENTS];
    int64_t ms = next <= agent->now ? 0 : (next - agent->now - 1) / 1000000 + 1;
    int count;

    if (ms > INT32_MAX)
        ms = INT32_MAX;
    if (!inbox_sleep(&agent->inbox))
        ms = 0;
    count = epoll_wait(agent->epoll, events, EVENTS, next == INT64_MAX && ms > 0 ? -1 : (int)ms);
    agent->now = monotonic();
    for (int i = 0; i < count; i++)
        serve(agent, &events[i]);
}

void *agent_run(void *argument)
{
    struct agent *agent = argument;

    agent->now = monotonic();
    while (!has_ended(agent)) {
        int64_t next = INT64_MAX;

        take_inbox(agent);
        if (!agent->draining && inbox_is_shut(&agent->inbox))
            begin_drain(agent);
        check_time(agent, &next);
        if (agent->draining)
            drain(agent, &next);
        for (uint32_t i = 0; i < agent->settings.workers; i++)
            worker_tick(agent, &agent->workers[i], &next);
        if (!agent->draining)
            give_all(agent);
        for (uint32_t i = 0; i < agent->settings.workers; i++)
            worker_flush(agent, &agent->workers[i]);
        settling_flush(&agent->settling);
        if (!has_ended(agent))
            sleep_and_serve(agent, next);
    }
    take_inbox(agent);
    drain(agent, &(int64_t){0});
    settling_flush(&agent->settling);
    return NULL;
}
