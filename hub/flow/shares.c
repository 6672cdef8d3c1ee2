/* shares - look up what may answer an action, and keep what has.
 *
 * Happy path: the key is made in one buffer that is used again, hashed, and looked for among the
 * results kept and the flights under way. A body that is JSON is brought into its canonical form;
 * any other is taken as it is. Without memory nothing is kept and nothing shared, and all goes on
 * as if there were no cache.
 */
#include "flow/shares.h"

#include "base/hash.h"
#include "flow/flight.h"
#include "flow/flow.h"
#include "json/canonical.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FLIGHTS_SMALLEST = 64, AGE_AT_ONCE = 1000, TELL_NS = 1000000000 };

static void drop(void *user, void *value)
{
    (void)user;
    result_unref(value);
}

int shares_open(struct shares **shares, struct lane *lane, const struct sharing_policy *policy)
{
    struct shares *made = calloc(1, sizeof *made);
    const struct cache_limits limits = {policy->max_entries, (size_t)policy->max_bytes};
    int status = made == NULL ? ATAMO_NO_MEMORY : canonical_open(&made->canonical);

    if (status == ATAMO_OK) {
        status = cache_open(&made->results, limits, drop, NULL);
        if (status != ATAMO_OK)
            canonical_close(made->canonical);
    }
    if (status != ATAMO_OK) {
        free(made);
        return ATAMO_NO_MEMORY;
    }
    made->policy = *policy;
    made->lane = lane;
    *shares = made;
    return ATAMO_OK;
}

void shares_close(struct flow *flow, struct shares *shares)
{
    if (shares == NULL)
        return;
    for (uint32_t i = 0; i < shares->flight_size; i++)
        while (shares->flights[i] != NULL)
            flight_shut(shares->flights[i]);
    wheel_stop(&flow->alarms, &shares->upkeep.timer);
    cache_close(&shares->results);
    canonical_close(shares->canonical);
    free((void *)shares->flights);
    free(shares->key);
    free(shares);
}

/* --- the key */

static char *put(char *out, atamo_bytes part)
{
    const uint32_t size = (uint32_t)part.size;

    memcpy(out, &size, sizeof size);
    memcpy(out + sizeof size, part.data, part.size);
    return out + sizeof size + part.size;
}

static bool make_room(struct shares *shares, size_t size)
{
    char *key;

    if (size <= shares->key_room)
        return true;
    key = realloc(shares->key, 2 * size);
    if (key == NULL)
        return false;
    shares->key = key;
    shares->key_room = 2 * size;
    return true;
}

/* The body's canonical text, or the body if it is no JSON. */
static bool put_body(struct shares *shares, const struct action *action, char *at)
{
    const atamo_bytes body = action_body(action);
    const bool is_data = action->body == NULL || action->body->size == 0;
    size_t size = body.size;
    const int status =
        canonical_write(shares->canonical, body,
                        body.size + (is_data ? (size_t)MESSAGE_JSON_ROOM : 0), at + 1, &size);

    if (status != ATAMO_OK && status != ATAMO_INVALID)
        return false;
    *at = status == ATAMO_OK ? 'j' : 'b';
    if (status == ATAMO_INVALID && body.size > 0)
        memcpy(at + 1, body.data, body.size);
    shares->key_size = (size_t)(at + 1 - shares->key) + size;
    return true;
}

bool shares_look_for(struct flow *flow, struct shares *shares, const struct action *action)
{
    const struct rule_action *plan = action->plan;
    const struct index_who who = flow_who(flow, action->message);
    const atamo_bytes none = {"", 0};
    const atamo_bytes as = plan->as != 0 ? names_text(flow->names, plan->as) : who.user;
    const atamo_bytes parts[] = {who.tenant, shares->policy.per_tenant ? none : as,
                                 names_text(flow->names, plan->type)};
    size_t size = action_body(action).size + 2;
    char *at;

    if (size > SHARES_BODY_MAX)
        return false;
    for (size_t i = 0; i < 3; i++)
        size += sizeof(uint32_t) + parts[i].size;
    if (!make_room(shares, size))
        return false;
    at = shares->key;
    *at++ = request_has(action->asker, ATAMO_FEED) ? 'f' : 'o';
    for (size_t i = 0; i < 3; i++)
        at = put(at, parts[i]);
    if (!put_body(shares, action, at))
        return false;
    shares->hash = hash_bytes(flow->node, (atamo_bytes){shares->key, shares->key_size});
    return true;
}

/* --- results that are kept */

static void set_upkeep(struct flow *flow, struct shares *shares);

/* Let go of what is too old, and say what had to go for want of room. */
static void keep_up(struct flow *flow, struct alarm *alarm)
{
    struct shares *shares =
        (struct shares *)(void *)((char *)alarm - offsetof(struct shares, upkeep));
    const uint64_t evicted = shares->results.evicted - shares->evicted;

    (void)cache_age(&shares->results, flow->now, AGE_AT_ONCE);
    if (evicted > 0) {
        atamo_telemetry *record = journal_next(&flow->journal, ATAMO_STEP_HUB);

        record->reason = ATAMO_REASON_EVICTED;
        record->agent = shares->lane->settings.name_id;
        record->value[0] = evicted;
        shares->evicted += evicted;
        shares->lane->counters.cache_evicted += evicted;
    }
    set_upkeep(flow, shares);
}

static void set_upkeep(struct flow *flow, struct shares *shares)
{
    int64_t due = shares->results.next_due;

    if (shares->results.evicted > shares->evicted && due > flow->now + TELL_NS)
        due = flow->now + TELL_NS;
    if (timer_is_set(&shares->upkeep.timer)) {
        if (shares->upkeep.timer.due <= due)
            return;
        wheel_stop(&flow->alarms, &shares->upkeep.timer);
    }
    if (due == INT64_MAX)
        return;
    shares->upkeep.fn = keep_up;
    wheel_set(&flow->alarms, &shares->upkeep.timer, due);
}

struct cache_entry *shares_find(struct shares *shares, int64_t now)
{
    return cache_find(&shares->results, shares->hash, (atamo_bytes){shares->key, shares->key_size},
                      now);
}

void shares_keep(struct flow *flow, struct flight *flight, int64_t fresh_ns, int64_t stale_ns)
{
    struct shares *shares = flight->shares;
    const struct cache_item item = {
        .hash = flight->hash,
        .key = {flight->key, flight->key_size},
        .value = result_ref(flight->result),
        .bytes = flight->result->bytes,
        .fresh_ns = fresh_ns,
        .stale_ns = stale_ns,
    };

    if (cache_put(&shares->results, &item, flow->now) != ATAMO_OK)
        result_unref(flight->result);
    set_upkeep(flow, shares);
}

/* --- flights */

struct flight *shares_flight(const struct shares *shares)
{
    struct flight *flight =
        shares->flight_size == 0 ? NULL : shares->flights[shares->hash & (shares->flight_size - 1)];

    while (flight != NULL &&
           (flight->hash != shares->hash || flight->key_size != shares->key_size ||
            memcmp(flight->key, shares->key, shares->key_size) != 0))
        flight = flight->next;
    return flight;
}

/* Without memory the lists get longer. */
static void grow(struct shares *shares)
{
    const uint32_t size =
        shares->flight_size == 0 ? (uint32_t)FLIGHTS_SMALLEST : 2 * shares->flight_size;
    struct flight **flights = calloc(size, sizeof(struct flight *));

    if (flights == NULL)
        return;
    for (uint32_t i = 0; i < shares->flight_size; i++) {
        while (shares->flights[i] != NULL) {
            struct flight *flight = shares->flights[i];

            shares->flights[i] = flight->next;
            flight->next = flights[flight->hash & (size - 1)];
            flights[flight->hash & (size - 1)] = flight;
        }
    }
    free((void *)shares->flights);
    shares->flights = flights;
    shares->flight_size = size;
}

bool shares_add(struct shares *shares, struct flight *flight)
{
    struct flight **at;

    if (shares->flight_count >= shares->flight_size)
        grow(shares);
    if (shares->flight_size == 0)
        return false;
    at = &shares->flights[flight->hash & (shares->flight_size - 1)];
    flight->next = *at;
    *at = flight;
    shares->flight_count++;
    return true;
}

void shares_remove(struct shares *shares, struct flight *flight)
{
    struct flight **at = &shares->flights[flight->hash & (shares->flight_size - 1)];

    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    shares->flight_count--;
}
