/* turn - let everything that is there take its steps once.
 *
 * Order of a turn: calls from other threads, settlements and responses, timers, new events, then
 * what was written is sent out. Settlements come before new events, so that a full hub empties.
 * After each event the settlements that its inline agents made at once are looked at while it is
 * still in cache. New events are taken only while the hub has room and no auditor is about to block
 * it.
 */
#include "flow/commit.h"
#include "flow/deliver.h"
#include "flow/flow.h"
#include "flow/inlet.h"
#include "flow/park.h"
#include "flow/pool.h"
#include "rules/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PRESSED_LOOK_NS = 200000 };

int flow_open(struct flow *flow, struct names *names, const struct clock *clock, uint64_t seed)
{
    int status;

    memset(flow, 0, sizeof *flow);
    flow->clock = *clock;
    flow->names = names;
    flow->random.state = seed;
    flow->node = random_next(&flow->random);
    flow->now = clock_now(clock);
    flow->tenant_count = 1;
    stack_init(&flow->settled);
    stack_init(&flow->responses);
    stack_init(&flow->held);
    stack_init(&flow->hungry);
    stack_init(&flow->calls);
    blocks_init(&flow->blocks);
    wheel_init(&flow->wheel, flow->now);
    wheel_init(&flow->alarms, flow->now);
    flow->bell.fd = -1;
    status = bell_open(&flow->bell);
    if (status == ATAMO_OK)
        status = actions_open(&flow->actions);
    if (status == ATAMO_OK)
        status = field_scratch_open(&flow->scratch);
    if (status == ATAMO_OK)
        status = index_scratch_open(&flow->index_scratch);
    if (status == ATAMO_OK)
        status = journal_open(&flow->journal, FLOW_RECENT_RECORDS, &flow->giving_up);
    if (status != ATAMO_OK)
        flow_close(flow);
    return status;
}

void flow_close(struct flow *flow)
{
    for (uint32_t i = 0; i < flow->lane_count; i++) {
        flow_close_shares(flow, flow->lanes[i]);
        lane_close(flow->lanes[i]);
        free(flow->lanes[i]);
    }
    asked_close(&flow->left);
    free(flow->recent);
    journal_close(&flow->journal);
    index_scratch_close(flow->index_scratch);
    field_scratch_close(flow->scratch);
    actions_close(&flow->actions);
    blocks_close(&flow->blocks);
    bell_close(&flow->bell);
    memset(flow, 0, sizeof *flow);
}

static size_t run_calls(struct flow *flow)
{
    struct stack_node *node = stack_take_in_order(&flow->calls);
    size_t count = 0;

    while (node != NULL) {
        struct flow_call *call = (struct flow_call *)(void *)node;

        node = node->next; /* the caller may free the call as soon as it has run */
        call->fn(call->argument);
        count++;
    }
    return count;
}

/* Settlements are taken first and looked at second: a response that was given before a settlement
 * is then there, and goes out before the request ends. */
static size_t take_answers(struct flow *flow)
{
    struct stack_node *settled = stack_take_in_order(&flow->settled);
    struct stack_node *response = stack_take_in_order(&flow->responses);
    size_t count = 0;

    while (response != NULL) {
        struct stack_node *next = response->next;

        flow_deliver(flow, (struct payload *)(void *)response);
        response = next;
        count++;
    }
    while (settled != NULL) {
        struct stack_node *next = settled->next;

        flow_settle(flow, action_of(settled));
        count += 1 + flow_settle_here(flow);
        settled = next;
    }
    return count + flow_settle_here(flow);
}

static size_t fire_timers(struct flow *flow)
{
    struct timer *timer;
    size_t count = 0;

    wheel_advance(&flow->wheel, flow->now);
    for (timer = wheel_pop(&flow->wheel); timer != NULL; timer = wheel_pop(&flow->wheel)) {
        flow_action_due(flow,
                        (struct action *)(void *)((char *)timer - offsetof(struct action, timer)));
        count += 1 + flow_settle_here(flow);
    }
    wheel_advance(&flow->alarms, flow->now);
    for (timer = wheel_pop(&flow->alarms); timer != NULL; timer = wheel_pop(&flow->alarms)) {
        struct alarm *alarm = (struct alarm *)(void *)timer;

        alarm->fn(flow, alarm);
        count += 1 + flow_settle_here(flow);
    }
    return count;
}

/* Is some agent's queue nearly full while the agent is at work? Then new events wait at the door
 * instead of being shed. An agent that has not settled anything for a while is stuck: its queue
 * sheds, and the others go on. */
static bool waits_for_agent(const struct flow *flow)
{
    if (flow->ledger != NULL)
        return false; /* what is too much for an agent waits in the store */
    for (uint32_t i = 0; i < flow->lane_count; i++) {
        const struct lane *lane = flow->lanes[i];
        const uint32_t queue = lane->settings.queue;
        const uint32_t spare = queue / 4 < FLOW_BATCH ? queue / 4 : FLOW_BATCH;

        if (lane->waiting > 0 && lane->waiting >= queue - spare &&
            flow->now - lane->moved_at < FLOW_STUCK_NS)
            return true;
    }
    return false;
}

/* How many more messages may be in memory, at most a batch. */
static uint32_t room(const struct flow *flow)
{
    const uint64_t limit = flow->current == NULL ? 0 : flow->current->hub.max_messages;
    const uint64_t in_memory = flow->in_flight - flow->away;

    if (in_memory >= limit || waits_for_agent(flow) || flow_gathers_enough(flow))
        return 0;
    return limit - in_memory < FLOW_BATCH ? (uint32_t)(limit - in_memory) : (uint32_t)FLOW_BATCH;
}

static bool has_room(const struct flow *flow)
{
    return room(flow) > 0;
}

static size_t take_local(struct flow *flow)
{
    const uint32_t most = room(flow);
    size_t count = 0;

    while (flow->local_first != NULL && count < most) {
        struct message *message = flow->local_first;

        flow->local_first = (struct message *)(void *)message->block.link.next;
        if (flow->local_first == NULL)
            flow->local_last = NULL;
        flow->local_count--;
        flow_admit(flow, message);
        (void)flow_settle_here(flow);
        count++;
    }
    return count;
}

static void tell_room(struct port *port)
{
    if (!atomic_load_explicit(&port->hungry, memory_order_relaxed))
        return;
    atomic_store(&port->hungry, false);
    if (port->room != NULL)
        port->room(port->room_user);
}

static size_t take_port(struct flow *flow, struct port *port)
{
    const uint32_t most = room(flow);
    uint32_t count = ring_count(&port->ring);

    if (count > most)
        count = most;
    for (uint32_t i = 0; i < count; i++) {
        struct message *message = ring_at(&port->ring, i);

        if (i + 1 < count)
            __builtin_prefetch(ring_at(&port->ring, i + 1));
        flow_admit(flow, message);
        (void)flow_settle_here(flow);
    }
    if (count > 0) {
        ring_release(&port->ring, count);
        tell_room(port);
    }
    return count;
}

/* One batch from each port in turn, beginning behind the one that was first the last time. */
static size_t take_events(struct flow *flow)
{
    size_t count = 0;

    if (!has_room(flow) || journal_pressed(&flow->journal))
        return 0;
    count += inlets_produce(flow, FLOW_BATCH);
    count += take_local(flow);
    for (uint32_t i = 0; i < flow->port_count && has_room(flow); i++)
        count += take_port(flow, flow->ports[(flow->next_port + i) % flow->port_count]);
    if (flow->port_count > 0)
        flow->next_port = (flow->next_port + 1) % flow->port_count;
    return count;
}

static void wake_pools(struct flow *flow)
{
    for (uint32_t i = 0; i < flow->lane_count; i++)
        if (flow->lanes[i]->pool != NULL)
            pool_wake(flow->lanes[i]->pool);
}

size_t flow_turn(struct flow *flow)
{
    size_t count;

    flow->now = clock_now(&flow->clock);
    flow->journal.now = flow->now;
    count = run_calls(flow);
    count += take_answers(flow);
    count += flow_feed(flow);
    count += fire_timers(flow);
    count += flow_unpark(flow);
    count += take_events(flow);
    count += flow_commit(flow);
    flow_tell_news(flow);
    wake_pools(flow);
    flow_return_blocks(flow);
    journal_flush(&flow->journal);
    journal_tell(&flow->journal);
    return count;
}

int64_t flow_next_due(struct flow *flow)
{
    const int64_t action = wheel_next(&flow->wheel);
    const int64_t other = wheel_next(&flow->alarms);
    const int64_t produce = inlets_next(flow);
    const int64_t timer = action < other ? action : other;
    const int64_t commit = flow_commit_due(flow);
    const int64_t ask = produce < commit ? produce : commit;
    const int64_t due = timer < ask ? timer : ask;
    const int64_t look = flow->now + PRESSED_LOOK_NS;

    /* A slow listener does not say when it has made room. */
    return look < due && journal_pressed(&flow->journal) ? look : due;
}

bool flow_is_held(struct flow *flow)
{
    return journal_pressed(&flow->journal) || waits_for_agent(flow);
}

bool flow_has_work(struct flow *flow)
{
    if (!stack_empty(&flow->calls) || !stack_empty(&flow->settled) ||
        !stack_empty(&flow->responses) || !stack_empty(&flow->hungry))
        return true;
    if (!has_room(flow) || journal_pressed(&flow->journal))
        return false;
    for (uint32_t i = 0; i < flow->port_count; i++)
        if (ring_count(&flow->ports[i]->ring) > 0)
            return true;
    return flow->local_first != NULL;
}

/* A call that somebody waits for. */
struct waiting_call {
    struct flow_call call; /* first */
    void (*fn)(void *argument);
    void *argument;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool has_run;
};

static void run_waiting(void *argument)
{
    struct waiting_call *waiting = argument;

    waiting->fn(waiting->argument);
    (void)pthread_mutex_lock(&waiting->lock);
    waiting->has_run = true;
    (void)pthread_cond_signal(&waiting->done);
    (void)pthread_mutex_unlock(&waiting->lock);
}

void flow_post(struct flow *flow, struct flow_call *call)
{
    stack_push(&flow->calls, &call->link, &call->link);
    bell_ring(&flow->bell);
}

void flow_call(struct flow *flow, void (*fn)(void *argument), void *argument)
{
    struct waiting_call waiting = {.fn = fn, .argument = argument};

    if (flow_is_here(flow)) {
        fn(argument);
        return;
    }
    waiting.call.fn = run_waiting;
    waiting.call.argument = &waiting;
    (void)pthread_mutex_init(&waiting.lock, NULL);
    (void)pthread_cond_init(&waiting.done, NULL);
    flow_post(flow, &waiting.call);
    (void)pthread_mutex_lock(&waiting.lock);
    while (!waiting.has_run)
        (void)pthread_cond_wait(&waiting.done, &waiting.lock);
    (void)pthread_mutex_unlock(&waiting.lock);
    (void)pthread_cond_destroy(&waiting.done);
    (void)pthread_mutex_destroy(&waiting.lock);
}
