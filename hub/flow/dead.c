/* dead - actions that failed for good, kept in memory for people and for replay.
 *
 * A bounded list, oldest first. When it is full the oldest is given up, with an alert, so that a
 * storm of failures cannot fill the memory. A replay makes a new action of the same message: what
 * is dead stays dead in the records.
 */
#include "flow/commit.h"
#include "flow/park.h"

#include <stdio.h>
#include <string.h>

static struct action *first_after(const struct flow *flow, uint64_t serial)
{
    struct action *action = flow->dead_first;

    while (action != NULL && action->death.serial <= serial)
        action = action_of(action->link.next);
    return action;
}

/* Take a dead letter out of the list; its timer is a timer again. */
static void exhume(struct flow *flow, struct action *action)
{
    struct action *before = NULL;
    struct action *at = flow->dead_first;

    while (at != action) {
        before = at;
        at = action_of(at->link.next);
    }
    if (before == NULL)
        flow->dead_first = action_of(action->link.next);
    else
        before->link.next = action->link.next;
    if (flow->dead_last == action)
        flow->dead_last = before;
    flow->dead_count--;
    action->timer = (struct timer){0};
}

static void drop(struct flow *flow, struct action *action)
{
    exhume(flow, action);
    flow_forget(flow, action);
}

void flow_bury(struct flow *flow, struct action *action, atamo_reason reason)
{
    const uint32_t limit = flow->current->hub.dead_letters;

    action_move(action, ACTION_DEAD);
    action->death.serial = ++flow->dead_serial;
    action->death.at = flow->now;
    action->death.reason = reason;
    action->link.next = NULL;
    if (flow->dead_last == NULL)
        flow->dead_first = action;
    else
        flow->dead_last->link.next = &action->link;
    flow->dead_last = action;
    flow->dead_count++;
    while (flow->dead_count > limit) {
        flow_record_action(flow, ATAMO_STEP_ALERT, flow->dead_first,
                           ATAMO_REASON_DEAD_LETTERS_FULL);
        drop(flow, flow->dead_first);
    }
}

static void copy_text(char *to, size_t capacity, atamo_bytes text)
{
    (void)snprintf(to, capacity, "%.*s", (int)(text.size < capacity ? text.size : capacity - 1),
                   text.data);
}

int flow_dead_next(struct flow *flow, uint64_t after, atamo_dead_letter *letter)
{
    const struct action *action = first_after(flow, after);
    const struct action_note *note;

    if (action == NULL)
        return ATAMO_NOT_FOUND;
    note = action->note;
    letter->attempts = action_attempt(action);
    letter->id = action->death.serial;
    letter->message = action->message->number;
    letter->died_ns = action->death.at;
    letter->reason = (uint32_t)action->death.reason;
    copy_text(letter->event_id, sizeof letter->event_id, message_id(action->message, flow->node));
    copy_text(letter->event_type, sizeof letter->event_type,
              message_attribute(action->message, ATAMO_TYPE));
    copy_text(letter->rule, sizeof letter->rule, names_text(flow->names, action->plan->rule));
    copy_text(letter->agent, sizeof letter->agent, names_text(flow->names, action->plan->agent));
    copy_text(letter->action, sizeof letter->action, names_text(flow->names, action->plan->type));
    copy_text(letter->text, sizeof letter->text,
              note == NULL ? atamo_text(atamo_reason_text(letter->reason))
                           : (atamo_bytes){note->text, note->size});
    return ATAMO_OK;
}

/* A new action like the dead one, of the same message. */
static struct action *revive(struct flow *flow, const struct action *dead)
{
    struct action *action = actions_take(&flow->actions);

    if (action == NULL)
        return NULL;
    action->message = dead->message;
    action->plan = dead->plan;
    action->body = dead->body;
    action->lane = dead->lane;
    /* A store knows an action by its ordinal: there the same one begins anew. */
    action->ordinal = dead->message->kept != 0 ? dead->ordinal : ++dead->message->actions;
    if (dead->body != NULL)
        dead->body->refs++;
    return action;
}

int flow_dead_replay(struct flow *flow, uint64_t id)
{
    struct action *dead = id == 0 ? NULL : first_after(flow, id - 1);
    struct message *message;
    struct action *action;

    if (dead == NULL || dead->death.serial != id)
        return ATAMO_NOT_FOUND;
    if (flow->refusing)
        return ATAMO_CLOSED;
    if (dead->message->actions == UINT16_MAX || flow->lanes[dead->lane]->removed)
        return ATAMO_GONE;
    action = revive(flow, dead);
    if (action == NULL)
        return ATAMO_NO_MEMORY;
    message = dead->message;
    if (message->open == 0 && !flow_return(flow, message)) {
        /* The message is in flight again, as if it were accepted once more. */
        message->refs++;
        flow_counters_of(flow, message)->accepted++;
        flow->in_flight++;
    }
    message->open += 2; /* the action, and until it is scheduled */
    flow_counters_of(flow, message)->actions++;
    flow_record_action(flow, ATAMO_STEP_REPLAYED, action, ATAMO_REASON_NONE)->value[0] =
        dead->ordinal;
    drop(flow, dead);
    if (message->kept != 0)
        flow_keep_retry(flow, action, flow->now);
    flow_schedule(flow, action);
    flow_close_one(flow, message);
    return ATAMO_OK;
}

int flow_dead_drop(struct flow *flow, uint64_t id)
{
    struct action *dead = id == 0 ? NULL : first_after(flow, id - 1);

    if (dead == NULL || dead->death.serial != id)
        return ATAMO_NOT_FOUND;
    if (dead->message->kept != 0)
        flow_keep_ended(flow, dead);
    drop(flow, dead);
    return ATAMO_OK;
}
