/* lane - one agent's actions: who waits, who runs, and what holds them back.
 *
 * The queue is a list through the actions, so pushing cannot fail; how long it may get is checked
 * where actions are scheduled.
 */
#include "flow/lane.h"

#include <assert.h>

void lane_open(struct lane *lane, uint16_t number, const struct agent_settings *settings)
{
    *lane = (struct lane){.number = number};
    keys_init(&lane->keys);
    lane_update(lane, settings);
}

void lane_close(struct lane *lane)
{
    assert(!timer_is_set(&lane->wake.timer) && lane->shares == NULL && lane->next_shares == NULL);
    keys_close(&lane->keys);
}

void lane_update(struct lane *lane, const struct agent_settings *settings)
{
    const bool new_rate =
        lane->settings.rate != settings->rate || lane->settings.burst != settings->burst;

    lane->settings = *settings;
    lane->agent = settings->instance->plugin->agent;
    lane->pool = settings->instance->role;
    lane->removed = false;
    if (new_rate && settings->rate > 0)
        bucket_init(&lane->bucket, settings->rate, settings->burst);
    if (settings->breaker.failures == 0)
        lane->breaker = (struct breaker){.state = BREAKER_CLOSED};
}

atamo_reason lane_gate(struct lane *lane, int64_t now, int64_t *until)
{
    int64_t wait;

    *until = 0;
    if (lane->paused)
        return ATAMO_REASON_PAUSED;
    if (!breaker_allows(&lane->breaker, now)) {
        if (lane->breaker.state == BREAKER_OPEN)
            *until = lane->breaker.until;
        return ATAMO_REASON_BREAKER_OPEN;
    }
    if (lane->running >= lane->settings.concurrency)
        return ATAMO_REASON_CONCURRENCY;
    if (lane->settings.rate > 0) {
        wait = bucket_take(&lane->bucket, now);
        if (wait > 0) {
            *until = now + wait;
            return ATAMO_REASON_RATE_LIMIT;
        }
    }
    return ATAMO_REASON_NONE;
}

void lane_push(struct lane *lane, struct action *action)
{
    action->link.next = NULL;
    if (lane->last == NULL)
        lane->first = action;
    else
        lane->last->link.next = &action->link;
    lane->last = action;
}

void lane_push_front(struct lane *lane, struct action *action)
{
    action->link.next = lane->first == NULL ? NULL : &lane->first->link;
    lane->first = action;
    if (lane->last == NULL)
        lane->last = action;
}

struct action *lane_pop(struct lane *lane)
{
    struct action *action = lane->first;

    if (action == NULL)
        return NULL;
    lane->first = action_of(action->link.next);
    if (lane->first == NULL)
        lane->last = NULL;
    return action;
}

void lane_remove(struct lane *lane, struct action *action)
{
    struct action *before = NULL;
    struct action *at = lane->first;

    assert(action != NULL);
    while (at != action) {
        assert(at != NULL);
        before = at;
        at = action_of(at->link.next);
    }
    if (before == NULL)
        lane->first = action_of(action->link.next);
    else
        before->link.next = action->link.next;
    if (lane->last == action)
        lane->last = before;
}
