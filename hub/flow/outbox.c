/* outbox - what an agent wants to take effect together with the outcome.
 *
 * Happy path: a thread of the plugin fills a `held` and pushes it on a stack; before a settlement
 * is looked at, the hub's thread sorts the stack into the outboxes of the actions; an action that
 * is done has its outbox checked and put into the commit that ends it. Follow-up events are
 * admitted then, and their rules evaluated when the commit is safe.
 *
 * Versions are compared here, not by the store: one key that has changed must fail its own action
 * and not everybody's commit. A key that is about to be written by a commit under way has changed.
 * It fails with the action's attempt: for want of memory, or on such a conflict.
 */
#include "flow/outbox.h"

#include "flow/commit_inside.h"

#include <stdlib.h>
#include <string.h>

struct held *outbox_take(struct flow *flow, atamo_action action, size_t size, int *status)
{
    struct action *found = actions_find(&flow->actions, action);
    struct held *held;

    if (found == NULL) {
        *status = ATAMO_GONE;
        return NULL;
    }
    if (atomic_load_explicit(&found->held, memory_order_relaxed) >= OUTBOX_MAX) {
        *status = ATAMO_TOO_LARGE;
        return NULL;
    }
    held = malloc(sizeof *held + size);
    if (held == NULL) {
        *status = ATAMO_NO_MEMORY;
        return NULL;
    }
    atomic_fetch_add_explicit(&found->held, 1, memory_order_relaxed);
    *held = (struct held){.action = action, .attempt = action_attempt(found)};
    return held;
}

static void let_go(struct flow *flow, struct held *held)
{
    if (held->message != NULL)
        flow_message_unref(flow, held->message);
    free(held);
}

/* [hub thread] */
static void sort_in(struct flow *flow, struct held *held)
{
    struct action *action = actions_slot(&flow->actions, held->action);

    if (action == NULL || action_attempt(action) != held->attempt ||
        (action_state(action) != ACTION_RUNNING && action_state(action) != ACTION_SETTLED)) {
        let_go(flow, held);
        return;
    }
    held->link.next = action->outbox;
    action->outbox = &held->link;
}

void outbox_hold(struct flow *flow, struct held *held)
{
    if (flow_is_here(flow))
        sort_in(flow, held);
    else
        stack_push(&flow->held, &held->link, &held->link);
}

void outbox_gather(struct flow *flow)
{
    struct stack_node *node = stack_take_in_order(&flow->held);

    while (node != NULL) {
        struct stack_node *next = node->next;

        sort_in(flow, (struct held *)(void *)node);
        node = next;
    }
}

void outbox_empty(struct flow *flow, struct action *action)
{
    while (action->outbox != NULL) {
        struct stack_node *node = action->outbox;

        action->outbox = node->next;
        let_go(flow, (struct held *)(void *)node);
    }
}

static int note_version(void *user, const atamo_record *record)
{
    uint64_t *version = user;

    *version = record->version;
    return 0;
}

/* Has the key the version that the agent saw? */
static int check_version(const struct ledger *ledger, const struct held *held)
{
    const atamo_bytes key = {held->bytes, held->key_size};
    uint64_t version = UINT64_MAX;
    int status;

    if (held->message != NULL || held->expected == 0)
        return ATAMO_OK;
    if (commit_writes_kv(ledger->gathering, key) || commit_writes_kv(ledger->committing, key))
        return ATAMO_CONFLICT;
    status = ledger->store->get(ledger->self, atamo_text("kv"), key, note_version, &version);
    if (status != ATAMO_OK && status != ATAMO_NOT_FOUND)
        return status;
    return version == held->expected ? ATAMO_OK : ATAMO_CONFLICT;
}

int outbox_check(struct flow *flow, const struct action *action)
{
    const struct ledger *ledger = flow->ledger;
    struct commit *commit;
    size_t rows = 0;
    size_t bytes = 0;
    int status = ATAMO_OK;

    for (const struct stack_node *node = action->outbox; node != NULL; node = node->next) {
        const struct held *held = (const struct held *)(const void *)node;

        rows++;
        bytes += held->message != NULL ? row_put_event(NULL, held->message, 0, true) + ROW_KEY_EVENT
                                       : held->key_size + held->value_size;
        if (status == ATAMO_OK)
            status = check_version(ledger, held);
    }
    if (status != ATAMO_OK)
        return status;
    commit = commit_gathering(flow->ledger);
    return commit != NULL && commit_make_room(commit, rows, bytes) ? ATAMO_OK : ATAMO_NO_MEMORY;
}

static void keep_event(struct flow *flow, const struct action *action, struct message *message)
{
    flow_record_action(flow, ATAMO_STEP_EMITTED, action, ATAMO_REASON_NONE)->value[0] =
        message->number;
    message->flags |= MESSAGE_FOLLOWS;
    flow_admit(flow, message);
}

void outbox_keep(struct flow *flow, struct action *action)
{
    struct stack_node *oldest = NULL;

    while (action->outbox != NULL) {
        struct stack_node *node = action->outbox;

        action->outbox = node->next;
        node->next = oldest;
        oldest = node;
    }
    while (oldest != NULL) {
        struct held *held = (struct held *)(void *)oldest;
        const char *value = held->bytes + held->key_size;

        oldest = oldest->next;
        if (held->message != NULL)
            keep_event(flow, action, held->message);
        else
            commit_put_kv(flow->ledger->gathering, held->kind,
                          (atamo_bytes){held->bytes, held->key_size},
                          (atamo_bytes){value, held->value_size});
        free(held);
    }
}
