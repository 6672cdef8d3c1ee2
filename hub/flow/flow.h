/* flow - the way of every message: admit, evaluate, schedule, attempt, settle, deliver.
 *
 * One flow is one hub's inside. It belongs to one thread, the hub's; other threads reach it only
 * through ports (events in), two stacks (settlements and responses in) and calls. Each step is a
 * file of that name; flow_turn() lets everything that is there take its steps once.
 *
 * Memory: a message is one block that lives until its last action ended; an action is one slot.
 * After warm-up a turn takes nothing from malloc unless a template renders a body or something
 * fails.
 */
#ifndef HUB_FLOW_FLOW_H
#define HUB_FLOW_FLOW_H

#include "base/clock.h"
#include "base/names.h"
#include "base/random.h"
#include "base/wheel.h"
#include "flow/alarm.h"
#include "flow/asked.h"
#include "flow/bell.h"
#include "flow/generation.h"
#include "flow/lane.h"
#include "flow/port.h"
#include "rules/index.h"
#include "telemetry/journal.h"

#include <atamo/hub.h>

#include <pthread.h>

enum {
    FLOW_LANES_MAX = 4096,
    FLOW_TENANTS_MAX = 1024,
    FLOW_ACTIONS_MAX = 1024,    /* that one event may cause */
    FLOW_LOCAL_MAX = 4096,      /* events from plugins on the hub's own thread, not admitted yet */
    FLOW_BATCH = 64,            /* events taken from one port in a turn */
    FLOW_STUCK_NS = 1000000000, /* an agent that settles nothing for so long is stuck */
    FLOW_RECENT_RECORDS = 8192, /* kept for `why` */
    FLOW_LEARNED_MAX = 65536,   /* event types and users that only events name */
};

/* What happened, for one tenant. In flight and open actions follow by subtraction. */
struct flow_counters {
    uint64_t accepted, refused, finished;
    uint64_t actions, done, dead, shed, cancelled, expired;
    uint64_t attempts, retries, unmatched, rules_failed;
    uint64_t duplicates;
    uint64_t parked; /* actions in the store only */
    uint64_t away;   /* messages in the store only */
};

/* Something to be run on the hub's thread between two turns. */
struct inlet; /* flow/inlet.h */
struct ledger;

struct flow_call {
    struct stack_node link;
    void (*fn)(void *argument);
    void *argument;
};

/* What the hub's thread is doing in a plugin, for the watchdog. */
struct flow_watch {
    _Atomic(const struct instance *) who; /* NULL: nothing */
    _Atomic(const char *) what;
    _Atomic uint64_t turns; /* changes with every call */
};

struct flow {
    struct clock clock;
    struct names *names;
    struct random random;
    uint64_t node; /* of this hub's UUIDs */
    int64_t now;   /* of this turn, Unix ns */
    pthread_t thread;
    _Atomic bool threaded; /* `thread` is set: the flow has a thread of its own */
    _Atomic bool giving_up;
    bool refusing;         /* stop: admit nothing new */
    bool recovering;       /* the store is being read: no attempt begins */
    struct ledger *ledger; /* of a durable hub: flow/commit.h; NULL: everything is in memory only */

    struct generation *current;
    struct field_scratch *scratch;
    struct index_scratch *index_scratch;
    struct lane *lanes[FLOW_LANES_MAX];
    uint32_t lane_count;

    struct journal journal;
    struct flow_watch watch;

    /* in */
    struct bell bell;
    struct port *ports[NUMBER_CLIENTS];
    uint32_t port_count;
    struct port *retired_ports;
    _Atomic bool chores; /* there is something for flow_chores() */
    uint32_t next_port;
    struct stack settled;
    struct stack responses;
    struct stack held;   /* for the outboxes of actions */
    struct stack hungry; /* requests whose clients have taken something */
    struct stack calls;
    struct stack_node *settled_here; /* settled on this thread, newest first */
    struct blocks blocks;            /* of events that plugins submit on this thread */
    struct number_source numbers;
    struct inlet *inlets; /* of event providers */
    struct message *local_first, *local_last;
    uint32_t local_count;

    /* state */
    struct outlet *news;      /* clients that got replies in this turn */
    struct request *requests; /* open ones */
    struct asked left;        /* requests that their clients have left */
    uint64_t request_count, feed_count;
    uint64_t replies, replies_lost;
    struct lane *ready; /* lanes to pump, linked by `next_ready` */
    struct actions actions;
    struct wheel wheel;            /* actions: deadlines and back-off */
    struct wheel alarms;           /* all else */
    const struct message *matched; /* the message that what follows is about */
    const uint32_t *matches;       /* numbers of rules */
    size_t match_count;
    struct rule_event event;
    atamo_extension_attribute extensions[MESSAGE_EXTENSIONS_MAX];
    struct action *dead_first, *dead_last; /* dead letters, oldest first */
    uint32_t dead_count;
    uint64_t dead_serial;
    struct message **recent; /* ring of finished messages, for `why` */
    uint32_t recent_size, recent_next;
    uint64_t in_flight; /* messages */
    uint64_t delayed;   /* of them not evaluated yet */
    uint64_t away;      /* of them in the store only: flow/park.h */
    struct delayed *delays;
    uint32_t tenants[FLOW_TENANTS_MAX];
    uint32_t tenant_count;
    struct flow_counters counters[FLOW_TENANTS_MAX];
    uint32_t learned; /* types and users that no configuration names, added to the names */
    _Atomic uint64_t stale_settles;
    struct generation *retired; /* nothing uses them any more; the keeper frees them */
    struct block *returning_newest, *returning_oldest; /* blocks on their way home */
};

/* Around a call into a plugin on the hub's thread. */
static inline void flow_watch_begin(struct flow *flow, const struct instance *instance,
                                    const char *what)
{
    atomic_store_explicit(&flow->watch.what, what, memory_order_relaxed);
    atomic_store_explicit(&flow->watch.who, instance, memory_order_relaxed);
}

static inline void flow_watch_end(struct flow *flow)
{
    const uint64_t turns = atomic_load_explicit(&flow->watch.turns, memory_order_relaxed);

    atomic_store_explicit(&flow->watch.who, NULL, memory_order_relaxed);
    atomic_store_explicit(&flow->watch.turns, turns + 1, memory_order_relaxed);
}

/* Everything but the configuration. ATAMO_NO_MEMORY, ATAMO_IO. */
int flow_open(struct flow *flow, struct names *names, const struct clock *clock, uint64_t seed);
void flow_close(struct flow *flow);

/* --- turn.c */

/* Let everything take its steps once. Returns how much was done; 0: nothing to do until something
 * comes in or flow_next_due(). */
size_t flow_turn(struct flow *flow);

/* When a timer is due next; INT64_MAX: never. */
int64_t flow_next_due(struct flow *flow);

/* Does the flow take nothing new because an auditor or an agent is behind? */
bool flow_is_held(struct flow *flow);

/* Is there anything that a turn would do? For the moment before sleeping. */
bool flow_has_work(struct flow *flow);

/* Run fn(argument) on the hub's thread and wait until it has run; at once if the flow has no thread
 * or this is it. [any] */
void flow_call(struct flow *flow, void (*fn)(void *argument), void *argument);

/* Is this the hub's thread? [any] */
static inline bool flow_is_here(const struct flow *flow)
{
    return !atomic_load_explicit(&flow->threaded, memory_order_acquire) ||
           pthread_equal(flow->thread, pthread_self()) != 0;
}

/* Run fn(argument) on the hub's thread some time; `call` must last until then. [any] */
void flow_post(struct flow *flow, struct flow_call *call);

/* --- ports.c */

/* Take events from this port from now on. ATAMO_BUSY: too many. [hub thread] */
int flow_add_port(struct flow *flow, struct port *port);

/* Its owner has gone: what is in its ring is admitted, and when its last block is home it is freed
 * and its client number put into the list of free ones. [hub thread] */
void flow_retire_port(struct flow *flow, struct port *port);

/* Free retired ports that have all their blocks; each one's client number is told to `fn`. Hand out
 * the list of retired generations. [hub thread] */
struct generation *flow_chores(struct flow *flow, void (*fn)(void *user, uint32_t client),
                               void *user);

/* --- swap.c */

/* Make a generation the current one; lanes are opened or updated. Fails, changing nothing, without
 * memory or with too many lanes. */
int flow_swap(struct flow *flow, struct generation *generation);

/* The instance is about to go: what still waits for it dies, nothing is handed to it any more. */
void flow_leave_agent(struct flow *flow, const struct instance *instance);

/* One user of a generation less; the last one retires it. */
void flow_generation_unref(struct flow *flow, struct generation *generation);

/* --- admit.c */
void flow_admit(struct flow *flow, struct message *message);

/* Set the names of its type and tenant. */
void flow_name(struct flow *flow, struct message *message);

/* A message that comes from the store: it was admitted in an earlier life. */
void flow_take_up(struct flow *flow, struct message *message);

/* Would it be let in? ATAMO_REASON_NONE, and the rules that match it are known (flow_match()); else
 * *text names what is wrong: the type, the user, the field, or a sentence. */
atamo_reason flow_judge(struct flow *flow, const struct message *message, atamo_bytes *text);

/* The counters of a message's tenant. */
static inline struct flow_counters *flow_counters_of(struct flow *flow,
                                                     const struct message *message)
{
    return &flow->counters[message->tenant];
}

/* Refuse a message before it was accepted, with a sentence for people. */
void flow_refuse(struct flow *flow, struct message *message, atamo_reason reason, atamo_bytes text);

/* --- evaluate.c */
void flow_evaluate(struct flow *flow, struct message *message);

/* Which rules match the message: flow->matches, until the next message is matched. ATAMO_INVALID
 * with a sentence in *problem if its data is not the JSON it says it is. */
int flow_match(struct flow *flow, const struct message *message, const char **problem);

/* Who submitted the message, as the index asks; borrowed from message and generation. */
struct index_who flow_who(const struct flow *flow, const struct message *message);

/* The message as the rules floor sees it: flow->event. */
void flow_fill_event(struct flow *flow, const struct message *message);

/* host->propose(): within a rule provider's evaluate(). */
int flow_propose(void *evaluation_pointer, const atamo_proposal *proposal);

/* --- delay.c */

/* Put off what has a due time; false: it is due, or there is no memory to wait. */
bool flow_put_off(struct flow *flow, struct message *message);

/* The hub stops before the event's time, or before its rules were evaluated: it is let go, with an
 * alert. */
void flow_leave_delayed(struct flow *flow, struct message *message, atamo_reason reason);

/* The hub stops: what waits for its time is let go. */
void flow_end_delays(struct flow *flow, atamo_reason reason);

/* --- schedule.c */

/* An action that was just made: attempt it now, or let it wait in its lane. */
void flow_schedule(struct flow *flow, struct action *action);

/* An action from the store that backs off until then; if its key is held, it waits for that
 * instead. */
void flow_schedule_at(struct flow *flow, struct action *action, int64_t due_ns);

/* An action that waited for its back-off, or that stood behind its key, may go on. */
void flow_resume(struct flow *flow, struct action *action);

/* The lane may be able to begin something: pump it at the next opportunity. */
void flow_ready(struct flow *flow, struct lane *lane);

/* Pump one lane that is ready; there must be one. */
void flow_pump_ready(struct flow *flow);

/* Begin what the lane allows. */
void flow_pump(struct flow *flow, struct lane *lane);

/* The hash of the action's key; 0: it has none. */
uint64_t flow_key(const struct flow *flow, const struct action *action);

/* --- attempt.c */
void flow_attempt(struct flow *flow, struct lane *lane, struct action *action);

/* The same action in another slot, because the agent still reads the old one. NULL without memory.
 */
struct action *flow_copy_action(struct flow *flow, const struct action *old);

/* It is not needed after all: the old one goes on. */
void flow_drop_copy(struct flow *flow, struct action *copy, const struct action *old);

/* Its turn comes when its key and its lane let it through. */
void flow_enter(struct flow *flow, struct action *action);

/* Nobody shares what is kept of the lane's agent any more. */
void flow_close_shares(struct flow *flow, struct lane *lane);

/* Tell the agent that nobody needs its answer any more. */
void flow_tell_cancel(const struct action *action, atamo_reason reason);

/* An action's timer: its deadline has passed, or its back-off is over. */
void flow_action_due(struct flow *flow, struct action *action);

/* A lane's alarm: its rate or its breaker may allow the next one. */
void flow_lane_due(struct flow *flow, struct alarm *alarm);

/* --- settle.c */

/* Look at what an agent has settled. */
void flow_settle(struct flow *flow, struct action *action);

/* Settle what was settled on this thread until nothing is left. Returns how much. */
size_t flow_settle_here(struct flow *flow);

/* How many attempts the action may have. */
static inline uint32_t flow_attempts(const struct lane *lane, const struct action *action)
{
    return action->plan->attempts != 0 ? action->plan->attempts : lane->settings.retry.attempts;
}

/* How an attempt failed. */
struct failure {
    atamo_reason reason;
    bool permanent;
    uint64_t retry_after_ms;
    atamo_bytes text; /* may be empty */
};

/* The attempt failed: another one after a while, or the end. */
void flow_failed(struct flow *flow, struct lane *lane, struct action *action,
                 const struct failure *failure);

/* It has died: a record, an alert, and the dead letters keep it. */
void flow_die(struct flow *flow, struct lane *lane, struct action *action, atamo_reason reason,
              atamo_bytes text);

/* Free an action's slot and its hold on the message; nothing is recorded or counted. */
void flow_forget(struct flow *flow, struct action *action);

/* End an action that does not run: `step` is one of the terminal steps but DEAD and DONE. */
void flow_end(struct flow *flow, struct action *action, atamo_step step, atamo_reason reason);

/* One open action of the message less, or one hold on it. */
void flow_close_one(struct flow *flow, struct message *message);

/* A message has lost its last open action, or will never have one. */
void flow_finish(struct flow *flow, struct message *message);

/* One reference less. */
void flow_message_unref(struct flow *flow, struct message *message);

/* Send blocks home that wait for it. */
void flow_return_blocks(struct flow *flow);

/* It was done as another one was that it shares the result of. */
void flow_done_shared(struct flow *flow, struct action *action, atamo_reason reason);

/* --- cancel.c */

/* End an action that has not ended; an agent that has it is told. */
void flow_cancel_action(struct flow *flow, struct action *action, atamo_reason reason);

/* A durable hub stops: what does not run now stays in the store, nobody waits for it. */
void flow_stop_waiting(struct flow *flow);

/* Cancel everything that is in flight: the hub stops. */
void flow_cancel_all(struct flow *flow, atamo_reason reason);

/* --- why.c */

/* Keep a finished message for `why`; the oldest one kept is let go. */
void flow_remember(struct flow *flow, struct message *message);
void flow_forget_recent(struct flow *flow);

/* The message with that id, the client's or the hub's UUID, if it is in flight or among the last
 * ones that finished. */
const struct message *flow_find(const struct flow *flow, atamo_bytes id);

/* See atamo_why(). */
int flow_why(struct flow *flow, const char *id, char *buffer, size_t capacity, size_t *size);

/* --- dead.c */
void flow_bury(struct flow *flow, struct action *action, atamo_reason reason);
int flow_dead_next(struct flow *flow, uint64_t after, atamo_dead_letter *letter);
int flow_dead_replay(struct flow *flow, uint64_t id);
int flow_dead_drop(struct flow *flow, uint64_t id);

/* --- record.c: telemetry of messages and actions */
atamo_telemetry *flow_record(struct flow *flow, atamo_step step, const struct message *message);
atamo_telemetry *flow_record_action(struct flow *flow, atamo_step step, const struct action *action,
                                    atamo_reason reason);
/* What a record says of an action, but step and reason. */
void flow_fill_record(atamo_telemetry *record, const struct action *action);
void flow_record_hub(struct flow *flow, atamo_reason reason, uint32_t agent, const char *text);

#endif
