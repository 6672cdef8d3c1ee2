/* swap - one configuration takes the place of another, between two events.
 *
 * Happy path: a lane is found or opened for each agent, then everything changes at once: the
 * current generation, the lanes' settings and instances. What was evaluated before keeps its
 * generation until it has ended. Actions of agents that are gone die, with a record that says so.
 * Opening lanes is all that can fail, and it comes first.
 */
#include "flow/flow.h"
#include "flow/shares.h"

#include <assert.h>
#include <stdlib.h>

static struct lane *find_lane(const struct flow *flow, uint32_t name)
{
    for (uint32_t i = 0; i < flow->lane_count; i++)
        if (flow->lanes[i]->settings.name_id == name)
            return flow->lanes[i];
    return NULL;
}

/* A lane for every agent; new ones are empty and harm nobody if the swap fails after all. */
static int open_lanes(struct flow *flow, const struct generation *generation)
{
    for (size_t i = 0; i < generation->agent_count; i++) {
        struct lane *lane;

        if (find_lane(flow, generation->agents[i].name_id) != NULL)
            continue;
        if (flow->lane_count == FLOW_LANES_MAX)
            return ATAMO_TOO_LARGE;
        lane = calloc(1, sizeof *lane);
        if (lane == NULL)
            return ATAMO_NO_MEMORY;
        lane_open(lane, (uint16_t)flow->lane_count, &generation->agents[i]);
        flow->lanes[flow->lane_count++] = lane;
    }
    return ATAMO_OK;
}

static bool is_same_sharing(const struct sharing_policy *a, const struct sharing_policy *b)
{
    return a->is_on == b->is_on && a->per_tenant == b->per_tenant &&
           a->max_entries == b->max_entries && a->max_bytes == b->max_bytes &&
           a->fresh_ns == b->fresh_ns && a->stale_ns == b->stale_ns && a->failed_ns == b->failed_ns;
}

/* What another instance of an agent answered, or under another policy, answers nobody any more. */
static int open_shares(struct flow *flow, const struct generation *generation)
{
    int status = ATAMO_OK;

    for (size_t i = 0; i < generation->agent_count && status == ATAMO_OK; i++) {
        const struct agent_settings *settings = &generation->agents[i];
        struct lane *lane = find_lane(flow, settings->name_id);

        shares_close(flow, lane->next_shares); /* of a swap that failed */
        lane->next_shares = NULL;
        if (settings->sharing.is_on &&
            (lane->shares == NULL || lane->settings.instance != settings->instance ||
             !is_same_sharing(&lane->settings.sharing, &settings->sharing)))
            status = shares_open(&lane->next_shares, lane, &settings->sharing);
    }
    return status;
}

static void change_shares(struct flow *flow, struct lane *lane)
{
    if (lane->settings.sharing.is_on && lane->next_shares == NULL)
        return;
    shares_close(flow, lane->shares);
    lane->shares = lane->next_shares;
    lane->next_shares = NULL;
}

void flow_close_shares(struct flow *flow, struct lane *lane)
{
    shares_close(flow, lane->next_shares);
    shares_close(flow, lane->shares);
    lane->next_shares = NULL;
    lane->shares = NULL;
}

static int size_recent(struct flow *flow, uint32_t size)
{
    struct message **recent;

    flow_forget_recent(flow);
    recent = size == 0 ? NULL : calloc(size, sizeof(struct message *));
    if (size > 0 && recent == NULL)
        return ATAMO_NO_MEMORY;
    free(flow->recent);
    flow->recent = recent;
    flow->recent_size = size;
    flow->recent_next = 0;
    return ATAMO_OK;
}

/* What waits for an agent that is not there any more. Those that back off die when they are due. */
static void end_lane(struct flow *flow, struct lane *lane)
{
    lane->removed = true;
    flow_close_shares(flow, lane);
    while (lane->first != NULL) {
        struct action *action = lane_pop(lane);

        lane->waiting--;
        flow_die(flow, lane, action, ATAMO_REASON_AGENT_REMOVED, atamo_text(""));
    }
}

void flow_leave_agent(struct flow *flow, const struct instance *instance)
{
    for (uint32_t i = 0; i < flow->lane_count; i++) {
        struct lane *lane = flow->lanes[i];

        if (lane->settings.instance != instance)
            continue;
        end_lane(flow, lane);
        lane->settings.instance = NULL;
        lane->pool = NULL;
    }
}

static bool has_agent(const struct generation *generation, uint32_t name)
{
    for (size_t i = 0; i < generation->agent_count; i++)
        if (generation->agents[i].name_id == name)
            return true;
    return false;
}

/* Rules that were there already go on counting. */
static void carry_counters(const struct generation *before, struct generation *generation)
{
    for (size_t i = 0; i < generation->rule_count; i++) {
        struct rule_seen *seen = &generation->seen[i];
        const uint32_t place = seen->before;

        if (place == 0)
            continue;
        *seen = before->seen[place - 1];
        seen->before = place;
    }
}

int flow_swap(struct flow *flow, struct generation *generation)
{
    struct generation *before = flow->current;
    int status = open_lanes(flow, generation);

    if (status == ATAMO_OK)
        status = open_shares(flow, generation);
    if (status == ATAMO_OK)
        status = size_recent(flow, generation->hub.recent);
    if (status != ATAMO_OK)
        return status;
    if (before != NULL)
        carry_counters(before, generation);
    flow->current = generation;
    generation->refs++;
    flow->matched = NULL;
    for (size_t i = 0; i < generation->agent_count; i++) {
        struct agent_settings *settings = &generation->agents[i];
        struct lane *lane = find_lane(flow, settings->name_id);

        settings->lane = lane->number;
        lane_update(lane, settings);
        change_shares(flow, lane);
        flow_ready(flow, lane);
    }
    for (uint32_t i = 0; i < flow->lane_count; i++)
        if (!flow->lanes[i]->removed && !has_agent(generation, flow->lanes[i]->settings.name_id))
            end_lane(flow, flow->lanes[i]);
    if (before != NULL)
        flow_generation_unref(flow, before);
    return ATAMO_OK;
}

void flow_generation_unref(struct flow *flow, struct generation *generation)
{
    assert(generation->refs > 0);
    if (--generation->refs > 0)
        return;
    generation->retired = flow->retired;
    flow->retired = generation;
    atomic_store_explicit(&flow->chores, true, memory_order_relaxed);
}
