/* backlog - replies that a client is too slow to take.
 *
 * Happy path: the client keeps up, and every reply goes straight to its outlet. A client that wants
 * the latest only is given nothing new before it has taken all it has, so that what it gets then is
 * the latest. Holding back needs no memory but for the table of keys, without which the oldest is
 * dropped instead.
 */
#include "flow/backlog.h"

#include "base/hash.h"
#include "flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_MAX = 256 };

/* How many may be pushed and not taken. */
static uint32_t window(const struct request *request)
{
    const uint32_t half = (request->queue + 1) / 2;

    if (request->slow == ATAMO_SLOW_BLOCK)
        return request->queue;
    return half < WINDOW_MAX ? half : (uint32_t)WINDOW_MAX;
}

static bool has_room(const struct request *request)
{
    return atomic_load(&request->out) < window(request);
}

/* May this reply be pushed? Whoever wants the latest only must have taken all that he has. */
static bool may_push(const struct request *request, const struct reply *reply)
{
    if (!reply_counts(reply))
        return true;
    return request->slow == ATAMO_SLOW_LATEST ? atomic_load(&request->out) == 0 : has_room(request);
}

/* --- by key */

static uint64_t key_hash(const struct reply *reply)
{
    return hash_bytes((uint64_t)reply->kind << 32 | reply->agent, payload_key(reply->payload));
}

/* Progress stands for itself: the newer one of an agent is the one that counts. */
static bool has_key(const struct reply *reply)
{
    return reply->payload != NULL && reply_counts(reply) &&
           (reply->kind == ATAMO_REPLY_PROGRESS || reply->payload->key_size > 0);
}

static bool is_same(const struct reply *a, const struct reply *b)
{
    return a->kind == b->kind && a->agent == b->agent && a->rule == b->rule &&
           a->payload->key_size == b->payload->key_size &&
           memcmp(payload_key(a->payload).data, payload_key(b->payload).data,
                  a->payload->key_size) == 0;
}

static struct reply **bucket_of(const struct backlog *backlog, const struct reply *reply)
{
    return &backlog->by_key[key_hash(reply) % REQUEST_BUCKETS];
}

/* --- the list */

static void count_in(struct backlog *backlog, struct reply *reply)
{
    backlog->count += reply_counts(reply);
    if (backlog->by_key != NULL && has_key(reply)) {
        struct reply **bucket = bucket_of(backlog, reply);

        reply->same_bucket = *bucket;
        *bucket = reply;
    }
}

static void append(struct backlog *backlog, struct reply *reply)
{
    reply->block.link.next = NULL;
    reply->before = backlog->last;
    if (backlog->last == NULL)
        backlog->first = reply;
    else
        backlog->last->block.link.next = &reply->block.link;
    backlog->last = reply;
    count_in(backlog, reply);
}

static void take_out(struct backlog *backlog, struct reply *reply)
{
    struct reply *next = reply_next(reply);

    if (backlog->by_key != NULL && has_key(reply)) {
        struct reply **at = bucket_of(backlog, reply);

        while (*at != reply)
            at = &(*at)->same_bucket;
        *at = reply->same_bucket;
    }
    if (reply->before == NULL)
        backlog->first = next;
    else
        reply->before->block.link.next = next == NULL ? NULL : &next->block.link;
    if (next == NULL)
        backlog->last = reply->before;
    else
        next->before = reply->before;
    backlog->count -= reply_counts(reply);
}

/* It is left out: the one behind it says so. */
static void leave_out(struct flow *flow, struct request *request, struct reply *reply)
{
    struct reply *next = reply_next(reply);
    struct reply_memory memory = {NULL, NULL};

    assert(next != NULL && reply_counts(reply));
    next->lost += reply->lost + 1;
    next->told += reply->told;
    request->lost++;
    flow->replies_lost++;
    take_out(&request->backlog, reply);
    atomic_fetch_sub(&request->waiting, 1);
    reply_release(reply, &memory);
    reply_memory_return(&memory);
}

/* Another one of the same key that waits. It was held back before this one was. */
static struct reply *find_same(const struct backlog *backlog, const struct reply *reply)
{
    struct reply *other = NULL;

    if (backlog->by_key != NULL && has_key(reply))
        other = reply->same_bucket;
    while (other != NULL && !is_same(other, reply))
        other = other->same_bucket;
    return other;
}

/* Leave out the one of the same key that waits, and the oldest if there are too many. */
static void make_room(struct flow *flow, struct request *request, const struct reply *newest)
{
    const struct backlog *backlog = &request->backlog;
    const uint32_t out = atomic_load(&request->out);
    const uint32_t most = request->queue > out ? request->queue - out : 1;
    struct reply *other = find_same(backlog, newest);

    if (other != NULL)
        leave_out(flow, request, other);
    for (other = backlog->first; backlog->count > most;) {
        struct reply *next = reply_next(other);

        if (reply_counts(other))
            leave_out(flow, request, other);
        other = next;
    }
}

/* Before the first is held back: who wants the latest needs the table. */
static void prepare(struct request *request)
{
    struct backlog *backlog = &request->backlog;

    if (request->slow == ATAMO_SLOW_LATEST && backlog->by_key == NULL && backlog->first == NULL)
        backlog->by_key = calloc(REQUEST_BUCKETS, sizeof(struct reply *));
}

static void hold(struct flow *flow, struct request *request, struct reply *reply)
{
    prepare(request);
    append(&request->backlog, reply);
    if (request->slow != ATAMO_SLOW_BLOCK && reply_counts(reply))
        make_room(flow, request, reply);
}

/* --- giving */

static void push(struct flow *flow, struct request *request, struct reply *reply)
{
    if (reply->lost > reply->told) {
        atamo_telemetry *record = journal_next(&flow->journal, ATAMO_STEP_DROPPED);

        record->message = request->id;
        record->rule = reply->rule;
        record->agent = reply->agent;
        record->value[0] = reply->lost - reply->told;
        reply->told = reply->lost;
    }
    if (reply_counts(reply)) {
        atomic_fetch_add(&request->out, 1);
        flow->replies++;
    }
    outlet_push(flow, request->outlet, reply);
}

/* Nobody wants it any more. */
static void drop(struct request *request, struct reply *reply)
{
    struct reply_memory memory = {NULL, NULL};

    if (reply_counts(reply))
        atomic_fetch_sub(&request->waiting, 1);
    reply_release(reply, &memory);
    reply_memory_return(&memory);
}

void flow_give(struct flow *flow, struct request *request, struct reply *reply)
{
    reply->request = request;
    if ((request->is_unwanted || request->is_cut) && reply != &request->end) {
        drop(request, reply);
        return;
    }
    reply->sequence = ++request->sequence;
    if (request->outlet != NULL && request->backlog.first == NULL && may_push(request, reply)) {
        push(flow, request, reply);
    } else {
        hold(flow, request, reply);
        if (!atomic_load_explicit(&request->hungry, memory_order_relaxed))
            flow_give_held(flow, request);
    }
}

/* All of it goes, or as much as has room. */
static void push_held(struct flow *flow, struct request *request)
{
    const bool all = request->slow == ATAMO_SLOW_LATEST && atomic_load(&request->out) == 0;

    while (request->backlog.first != NULL) {
        struct reply *reply = request->backlog.first;

        if (!all && !may_push(request, reply))
            return;
        take_out(&request->backlog, reply);
        push(flow, request, reply);
    }
}

void flow_give_held(struct flow *flow, struct request *request)
{
    bool asks = false;

    while (request->outlet != NULL) {
        push_held(flow, request);
        if (request->backlog.first == NULL)
            break;
        /* Whoever takes one from now on asks for more; what was taken just before is seen here. */
        atomic_store(&request->hungry, true);
        if (!may_push(request, request->backlog.first) || !atomic_exchange(&request->hungry, false))
            return;
        asks = true;
    }
    /* The flag may have been an agent's, too, that waits for room. */
    if (asks && request->slow == ATAMO_SLOW_BLOCK)
        request_ask(flow, request);
}

void flow_hold_again(struct flow *flow, struct request *request, struct reply *reply)
{
    struct backlog *backlog = &request->backlog;
    struct reply *next = backlog->first;

    prepare(request);
    reply->before = NULL;
    reply->block.link.next = next == NULL ? NULL : &next->block.link;
    if (next == NULL)
        backlog->last = reply;
    else
        next->before = reply;
    backlog->first = reply;
    count_in(backlog, reply);
    if (!reply_counts(reply))
        return;
    atomic_fetch_sub(&request->out, 1);
    flow->replies--;
    if (find_same(backlog, reply) != NULL)
        leave_out(flow, request, reply); /* the other one is newer */
}

void flow_drop_held(struct request *request)
{
    struct reply *reply = request->backlog.first;

    while (reply != NULL) {
        struct reply *next = reply_next(reply);

        if (reply != &request->end) {
            take_out(&request->backlog, reply);
            drop(request, reply);
        }
        reply = next;
    }
}
