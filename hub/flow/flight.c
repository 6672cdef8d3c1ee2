/* flight - who joins an action under way, what they hear, and how they end with it.
 *
 * Happy path: nothing is kept and nothing is under way for the key, so the action leads a flight of
 * its own and is attempted. Others join it, get what it has responded so far, and then each
 * response as it comes. When it is done, its result is kept, and all who joined are done. What is
 * kept answers at once; when it is stale it answers too, and the first one who comes makes it anew.
 *
 * If the leader dies, so does what the others waited for: they hear why, and the dead letter is the
 * leader's alone. If its event expires, the next one leads. An action leads no flight, and works
 * for itself, without memory for one. A result that grows too large is not kept, nor can anybody
 * join from then on; whoever falls behind by more than its queue is then cut off, because one slow
 * client must not hold up the agent for the others.
 */
#include "flow/flight.h"

#include "flow/deliver.h"
#include "flow/flow.h"
#include "flow/shares.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct action *action_of_part(const struct flow *flow, const struct part *part)
{
    return actions_slot(&flow->actions, part->handle);
}

/* --- the list of those that have joined */

static void add(struct flight *flight, struct part *part)
{
    part->flight = flight;
    part->next = NULL;
    part->before = flight->last;
    if (flight->last == NULL)
        flight->first = part;
    else
        flight->last->next = part;
    flight->last = part;
    flight->joined++;
}

static void take_out(struct flight *flight, struct part *part)
{
    if (part->before == NULL)
        flight->first = part->next;
    else
        part->before->next = part->next;
    if (part->next == NULL)
        flight->last = part->before;
    else
        part->next->before = part->before;
    flight->joined--;
    part->flight = NULL;
}

/* --- the result so far */

/* From now on a part may fall behind by its queue, and not by what it has got at once. */
static void begin_to_count(struct part *part)
{
    part->loaded = request_given(part->request);
}

void flight_shut(struct flight *flight)
{
    if (flight->shares == NULL)
        return;
    shares_remove(flight->shares, flight);
    flight->shares->held -= flight->result->bytes;
    flight->shares = NULL;
    result_unref(flight->result);
    flight->result = NULL;
    begin_to_count(flight->leader);
    for (struct part *part = flight->first; part != NULL; part = part->next)
        begin_to_count(part);
}

static void clear_result(struct flight *flight)
{
    if (flight->result == NULL)
        return;
    flight->shares->held -= flight->result->bytes;
    result_clear(flight->result);
    flight->shares->held += flight->result->bytes;
}

static void record(struct flow *flow, struct flight *flight, struct payload *payload)
{
    struct shares *shares = flight->shares;
    struct result *result = flight->result;
    const size_t before = result->bytes;
    bool good = result_add(result, payload, flow->now);

    shares->held += result->bytes - before;
    if (result->latest == NULL)
        good = good && result->bytes <= shares_most(shares) &&
               shares->held <= shares->policy.max_bytes;
    if (!good)
        flight_shut(flight);
}

/* Everything that is in it, to one that comes late. */
static void give_all(struct flow *flow, struct part *part, const struct result *result)
{
    for (struct payload *at = result->first; at != NULL; at = at->later)
        deliver_to(flow, part, at);
    if (result->progress != NULL)
        deliver_to(flow, part, result->progress);
    begin_to_count(part);
}

/* --- lead and join */

static struct flight *make_flight(struct shares *shares, struct part *leader)
{
    const struct cache_limits limits = {shares->policy.max_entries, shares_most(shares)};
    struct flight *flight = malloc(sizeof *flight + shares->key_size);

    if (flight == NULL)
        return NULL;
    *flight = (struct flight){
        .shares = shares, .hash = shares->hash, .leader = leader, .key_size = shares->key_size};
    memcpy(flight->key, shares->key, shares->key_size);
    flight->result = result_make(request_has(leader->request, ATAMO_FEED) ? &limits : NULL);
    if (flight->result != NULL && shares_add(shares, flight))
        return flight;
    result_unref(flight->result);
    free(flight);
    return NULL;
}

/* False: there is no memory, it works for itself. */
static bool lead(struct shares *shares, struct part *part)
{
    struct flight *flight = make_flight(shares, part);

    if (flight == NULL)
        return false;
    shares->held += flight->result->bytes;
    part->flight = flight;
    return true;
}

/* Nobody who joins holds up the agent, so the leader's client must not either. */
static void let_go_on(struct flow *flow, const struct flight *flight)
{
    struct action *leader = action_of_part(flow, flight->leader);

    if (leader == NULL || !atomic_exchange(&leader->holds, false))
        return;
    if (atomic_load(&leader->wants_room))
        request_ask_for_more(flow, leader->asker);
}

static void join(struct flow *flow, struct lane *lane, struct flight *flight, struct action *action)
{
    struct part *part = request_part(action);

    lane->counters.cache_joins++;
    flow_record_action(flow, ATAMO_STEP_SCHEDULED, action, ATAMO_REASON_JOINED);
    action_move(action, ACTION_JOINED);
    atomic_store_explicit(&action->holds, false, memory_order_relaxed);
    let_go_on(flow, flight);
    add(flight, part);
    give_all(flow, part, flight->result);
}

/* --- answer from what is kept */

/* It ends without an attempt of its own, as the one did that the result is of. */
static void end_like(struct flow *flow, struct action *action, const struct result *failed,
                     atamo_reason reason)
{
    if (failed == NULL) {
        flow_done_shared(flow, action, reason);
        return;
    }
    flow_request_part_over(flow, action, ATAMO_IO, atamo_text(failed->why));
    flow_end(flow, action, ATAMO_STEP_CANCELLED, reason);
}

static void answer(struct flow *flow, struct action *action, struct result *result,
                   atamo_reason reason)
{
    (void)result_ref(result); /* it may be evicted meanwhile */
    give_all(flow, request_part(action), result);
    action_move(action, ACTION_JOINED);
    end_like(flow, action, result->has_failed ? result : NULL, reason);
    result_unref(result);
}

/* Its client has its answer; the action goes on, to make the result anew. */
static void answer_first(struct flow *flow, struct action *action, const struct result *result)
{
    give_all(flow, request_part(action), result);
    action->asker->is_refreshing = true;
    flow_request_part_over(flow, action, ATAMO_OK, atamo_text(""));
}

bool flow_share(struct flow *flow, struct lane *lane, struct action *action)
{
    struct shares *shares = lane->shares;
    struct part *part = request_part(action);
    struct cache_entry *entry;
    struct flight *flight;
    struct result *result;

    if (!shares_look_for(flow, shares, action))
        return false;
    flight = shares_flight(shares);
    entry = shares_find(shares, flow->now);
    if (entry == NULL && flight == NULL) {
        lane->counters.cache_misses++;
        (void)lead(shares, part);
        return false;
    }
    if (entry == NULL) {
        join(flow, lane, flight, action);
        return true;
    }
    result = entry->value;
    if (cache_is_fresh(entry, flow->now)) {
        lane->counters.cache_hits++;
        answer(flow, action, result, ATAMO_REASON_CACHED);
        return true;
    }
    lane->counters.cache_stale++;
    if (flight != NULL || flow->now < result->retry_at || !lead(shares, part)) {
        answer(flow, action, result, ATAMO_REASON_STALE);
        return true;
    }
    answer_first(flow, action, result);
    return false;
}

/* --- while it is under way */

void flight_begin(struct flight *flight)
{
    clear_result(flight);
}

void flight_deliver(struct flow *flow, struct flight *flight, struct payload *payload)
{
    if (flight->result != NULL)
        record(flow, flight, payload);
    for (struct part *part = flight->first; part != NULL; part = part->next) {
        if (deliver_is_behind(part))
            request_cut(flow, part->request);
        else
            deliver_to(flow, part, payload);
    }
}

bool flight_is_wanted(struct part *part)
{
    struct flight *flight = part->flight;

    if (flight == NULL || flight->leader != part || flight->joined == 0)
        return false;
    flight->is_orphan = true;
    return true;
}

bool flight_leave(struct flow *flow, struct part *part, atamo_reason reason)
{
    struct flight *flight = part->flight;

    if (flight == NULL)
        return false;
    assert(flight->leader != part);
    take_out(flight, part);
    if (flight->joined == 0 && flight->is_orphan)
        flow_cancel_action(flow, action_of_part(flow, flight->leader), reason);
    return true;
}

/* --- its end */

static void keep_failure(struct flow *flow, struct flight *flight, atamo_bytes why)
{
    const int64_t for_ns = (int64_t)flight->shares->policy.failed_ns;
    const struct cache_entry *entry =
        cache_find(&flight->shares->results, flight->hash,
                   (atamo_bytes){flight->key, flight->key_size}, flow->now);
    struct result *failed;

    if (entry != NULL) { /* it is stale, and still better than none */
        ((struct result *)entry->value)->retry_at = flow->now + for_ns;
        return;
    }
    failed = result_make_failed(why);
    if (failed == NULL)
        return;
    flight->shares->held += failed->bytes - flight->result->bytes;
    result_unref(flight->result);
    flight->result = failed;
    shares_keep(flow, flight, for_ns, 0);
}

/* What others may be answered with later. */
static void keep(struct flow *flow, struct flight *flight, atamo_step step, atamo_reason reason,
                 atamo_bytes why)
{
    const struct sharing_policy *policy = &flight->shares->policy;

    if (flight->result->latest != NULL)
        return; /* a feed: nothing of it is news any more */
    if (step == ATAMO_STEP_DONE && policy->fresh_ns > 0) {
        result_forget_progress(flight->result);
        shares_keep(flow, flight, (int64_t)policy->fresh_ns, (int64_t)policy->stale_ns);
    } else if (step == ATAMO_STEP_DEAD && policy->failed_ns > 0 &&
               (reason == ATAMO_REASON_FAILED || reason == ATAMO_REASON_ATTEMPTS)) {
        keep_failure(flow, flight, why);
    }
}

/* Somebody else leads; false: nobody is left. */
static bool hand_over(struct flow *flow, struct flight *flight)
{
    struct part *part;

    while ((part = flight->first) != NULL) {
        struct action *action = action_of_part(flow, part);
        const int64_t expires = action->message->expires_ns;

        take_out(flight, part);
        if (expires != 0 && expires <= flow->now) {
            flow_end(flow, action, ATAMO_STEP_EXPIRED, ATAMO_REASON_EXPIRED);
            continue;
        }
        clear_result(flight);
        flight->leader = part;
        flight->is_orphan = false;
        part->flight = flight;
        action_move(action, ACTION_CREATED);
        flow_enter(flow, action);
        return true;
    }
    return false;
}

void flight_land(struct flow *flow, struct flight *flight, atamo_step step, atamo_reason reason,
                 atamo_bytes why)
{
    struct result failed = {.has_failed = true};
    struct part *part;

    flight->leader->flight = NULL;
    if (step == ATAMO_STEP_EXPIRED && hand_over(flow, flight))
        return;
    if (flight->shares != NULL)
        keep(flow, flight, step, reason, why);
    flight_shut(flight);
    memcpy(failed.why, why.data, why.size < RESULT_WHY ? why.size : RESULT_WHY - 1);
    while ((part = flight->first) != NULL) {
        struct action *action = action_of_part(flow, part);

        take_out(flight, part);
        if (step == ATAMO_STEP_DONE || step == ATAMO_STEP_DEAD)
            end_like(flow, action, step == ATAMO_STEP_DEAD ? &failed : NULL, ATAMO_REASON_SHARED);
        else
            flow_end(flow, action, step, reason);
    }
    free(flight);
}
