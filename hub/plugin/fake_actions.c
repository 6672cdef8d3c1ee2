/* fake_actions - actions that a test makes, and what the agent does with them.
 *
 * Happy path: made, given to the agent, answered, settled once. Handles are numbers from 1 with a
 * mark above, so that any other number is known to be nobody's. What an agent does to an action
 * that it does not hold is misuse, except reading: that answers ATAMO_GONE, as in the hub.
 */
#include "plugin/fake.h"

#include <stdlib.h>
#include <string.h>

#define FAKE_HANDLE_MARK (UINT64_C(0x7e57ac) << 32)

enum { FAKE_DO_MS = 10000, FAKE_REASON_MAX = 512 };

/* Under the lock. */
static struct fake_action *find(const struct atamo_test_host *host, atamo_action handle)
{
    const uint64_t index = (handle & UINT32_MAX) - 1;

    if ((handle & ~(uint64_t)UINT32_MAX) != FAKE_HANDLE_MARK || index >= host->actions.count)
        return NULL;
    return host->actions.items[index];
}

static unsigned long long number_of(atamo_action handle)
{
    return handle & UINT32_MAX;
}

/* --- making */

static bool copy_texts(struct atamo_test_host *host, atamo_action_info *info)
{
    atamo_bytes *const texts[] = {&info->type, &info->agent,  &info->rule,
                                  &info->user, &info->tenant, &info->body};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i]->data == NULL)
            *texts[i] = (atamo_bytes){"", 0};
        *texts[i] = arena_copy(&host->arena, *texts[i]);
        if (texts[i]->data == NULL)
            return false;
    }
    return true;
}

static void set_defaults(const struct atamo_test_host *host, struct fake_action *action,
                         const struct message *event)
{
    atamo_action_info *info = &action->info;

    info->size = sizeof *info;
    info->event = (const atamo_event *)(const void *)event;
    info->message = event->number;
    if (info->attempt == 0)
        info->attempt = 1;
    if (info->attempts == 0)
        info->attempts = 3;
    if (info->type.size == 0)
        info->type = atamo_text("test");
    if (info->agent.size == 0)
        info->agent = atamo_text(host->instance);
    if (info->rule.size == 0)
        info->rule = atamo_text("test-rule");
    if (info->user.size == 0)
        info->user = message_attribute(event, ATAMO_USER);
    if (info->tenant.size == 0)
        info->tenant = message_attribute(event, ATAMO_TENANT);
    if (info->body.size == 0)
        info->body = message_data(event);
    if (info->idempotency_key == 0)
        info->idempotency_key = UINT64_C(0x1de0) << 32 | (host->actions.count + 1);
}

/* Under the lock. */
static atamo_action make(struct atamo_test_host *host, const atamo_action_info *like,
                         const struct message *event)
{
    struct fake_action *action = arena_alloc(&host->arena, sizeof *action);

    if (action == NULL)
        return 0;
    action->info = *like;
    set_defaults(host, action, event);
    action->handle = FAKE_HANDLE_MARK | (host->actions.count + 1);
    if (!copy_texts(host, &action->info) || !fake_list_add(&host->actions, action))
        return 0;
    return action->handle;
}

atamo_action atamo_test_action_like(atamo_test_host *host, const atamo_action_info *info,
                                    const atamo_event_draft *event)
{
    atamo_event_draft draft = atamo_draft("test");
    struct message *message = NULL;
    const char *why = "";
    atamo_action handle = 0;

    draft.source = atamo_text("/test");
    draft.data = info->body;
    if (event != NULL)
        draft = *event;
    fake_lock(host);
    if (fake_message(host, &draft, &message, &why) == ATAMO_OK)
        handle = make(host, info, message);
    fake_unlock(host);
    if (handle == 0)
        (void)fprintf(stderr, "cannot make the action: %s\n", why);
    return handle;
}

atamo_action atamo_test_action(atamo_test_host *host, const char *type, const char *body,
                               const atamo_event_draft *event)
{
    const atamo_action_info info = {.size = sizeof info,
                                    .type = atamo_text(type),
                                    .body = atamo_text(body),
                                    .flags = ATAMO_WANTS_RESPONSES};

    return atamo_test_action_like(host, &info, event);
}

/* --- giving */

static int mark_given(struct atamo_test_host *host, const atamo_action *actions, size_t count)
{
    int status = ATAMO_OK;

    fake_lock(host);
    if (host->state != FAKE_STARTED)
        status = ATAMO_INVALID;
    for (size_t i = 0; i < count && status == ATAMO_OK; i++) {
        struct fake_action *action = find(host, actions[i]);

        if (action == NULL || action->state != FAKE_MADE) {
            status = ATAMO_INVALID;
            break;
        }
        action->state = FAKE_GIVEN;
        host->unsettled++;
    }
    fake_unlock(host);
    return status;
}

int atamo_test_give(atamo_test_host *host, const atamo_action *actions, size_t count)
{
    const atamo_agent *agent = host->plugin->agent;
    int status;

    if (agent == NULL)
        return ATAMO_UNSUPPORTED;
    status = mark_given(host, actions, count);
    if (status != ATAMO_OK)
        return status;
    if (agent->handle_batch != NULL && (count > 1 || agent->handle == NULL)) {
        agent->handle_batch(host->self, actions, count);
        return ATAMO_OK;
    }
    for (size_t i = 0; i < count; i++)
        agent->handle(host->self, actions[i]);
    return ATAMO_OK;
}

atamo_action atamo_test_do(atamo_test_host *host, const char *type, const char *body)
{
    const atamo_action action = atamo_test_action(host, type, body, NULL);

    if (action == 0 || atamo_test_give(host, &action, 1) != ATAMO_OK ||
        atamo_test_wait_settled(host, action, FAKE_DO_MS) != ATAMO_OK)
        return 0;
    return action;
}

atamo_action atamo_test_again(atamo_test_host *host, atamo_action action)
{
    const struct fake_action *before;
    atamo_action_info info;
    atamo_action again = 0;

    fake_lock(host);
    before = find(host, action);
    if (before != NULL && before->state == FAKE_SETTLED && before->outcome.kind == ATAMO_RETRY) {
        info = before->info;
        info.attempt++;
        again = make(host, &info, (const struct message *)(const void *)info.event);
    }
    fake_unlock(host);
    return again != 0 && atamo_test_give(host, &again, 1) == ATAMO_OK ? again : 0;
}

void atamo_test_cancel(atamo_test_host *host, atamo_action action, uint32_t reason)
{
    if (host->plugin->agent != NULL && host->plugin->agent->cancel != NULL)
        host->plugin->agent->cancel(host->self, action, reason);
}

/* --- what the agent does */

static int action_info(const atamo_host *table, atamo_action handle, atamo_action_info *info)
{
    const struct atamo_test_host *host = fake_enter(table, "info()");
    const struct fake_action *action;
    atamo_action_info full;

    if (info->size < sizeof(uint32_t) || info->size > 4096) {
        fake_misuse(host, "info() with a size of %u: set it to sizeof(atamo_action_info)",
                    info->size);
        return ATAMO_INVALID;
    }
    fake_lock(host);
    action = find(host, handle);
    if (action != NULL && action->state == FAKE_SETTLED)
        action = NULL;
    if (action != NULL) {
        full = action->info;
        full.size = info->size;
        memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
    }
    fake_unlock(host);
    return action == NULL ? ATAMO_GONE : ATAMO_OK;
}

static const atamo_event *action_event(const atamo_host *table, atamo_action handle)
{
    atamo_action_info info = {.size = sizeof info};

    return action_info(table, handle, &info) == ATAMO_OK ? info.event : NULL;
}

static atamo_bytes action_body(const atamo_host *table, atamo_action handle)
{
    atamo_action_info info = {.size = sizeof info};

    return action_info(table, handle, &info) == ATAMO_OK ? info.body : (atamo_bytes){"", 0};
}

/* Is the action the agent's just now? If not, that is misuse. */
static bool holds(const struct atamo_test_host *host, atamo_action handle, const char *call)
{
    const struct fake_action *action;
    int state = -1;

    fake_lock(host);
    action = find(host, handle);
    if (action != NULL)
        state = (int)action->state;
    fake_unlock(host);
    if (state < 0)
        fake_misuse(host, "%s with handle %llu, which is no action's", call,
                    (unsigned long long)handle);
    else if (state == FAKE_MADE)
        fake_misuse(host, "%s for action %llu, which was not handed over", call, number_of(handle));
    else if (state == FAKE_SETTLED)
        fake_misuse(host, "%s for action %llu, which was settled before", call, number_of(handle));
    return state == FAKE_GIVEN;
}

struct fake_action *fake_given(const struct atamo_test_host *host, atamo_action handle,
                               const char *call)
{
    struct fake_action *action;

    if (!holds(host, handle, call))
        return NULL;
    fake_lock(host);
    action = find(host, handle);
    fake_unlock(host);
    return action;
}

/* Under the lock. */
static int keep_response(struct atamo_test_host *host, struct fake_action *action,
                         const atamo_response *response)
{
    const bool has_key = ATAMO_HAS(response, key.data);
    atamo_response *kept = arena_alloc(&host->arena, sizeof *kept);

    if (host->respond_room == 0) {
        action->wants_room = true;
        return ATAMO_BUSY;
    }
    if (kept == NULL)
        return ATAMO_NO_MEMORY;
    *kept = (atamo_response){
        .size = sizeof *kept, .kind = response->kind, .progress = response->progress};
    kept->body = arena_copy(&host->arena, response->body);
    kept->key = arena_copy(&host->arena, has_key ? response->key : (atamo_bytes){"", 0});
    if (kept->body.data == NULL || kept->key.data == NULL ||
        !fake_list_add(&action->responses, kept))
        return ATAMO_NO_MEMORY;
    if (host->respond_room != SIZE_MAX)
        host->respond_room--;
    return ATAMO_OK;
}

static int action_respond(const atamo_host *table, atamo_action handle,
                          const atamo_response *response)
{
    struct atamo_test_host *host = fake_enter(table, "respond()");
    int status;

    if (!holds(host, handle, "respond()"))
        return ATAMO_GONE;
    if (response->size < offsetof(atamo_response, key) ||
        (response->kind != ATAMO_RESPONSE_DATA && response->kind != ATAMO_RESPONSE_PROGRESS)) {
        fake_misuse(host, "respond() with size %u and kind %u; use atamo_respond()", response->size,
                    response->kind);
        return ATAMO_INVALID;
    }
    fake_lock(host);
    status = keep_response(host, find(host, handle), response);
    fake_unlock(host);
    fake_ring(host);
    return status;
}

static bool is_outcome(const atamo_outcome *outcome)
{
    return outcome->size >= sizeof *outcome && outcome->kind >= ATAMO_DONE &&
           outcome->kind <= ATAMO_FAIL;
}

static void settle_one(struct atamo_test_host *host, atamo_action handle,
                       const atamo_outcome *outcome)
{
    static const atamo_outcome done = {.size = sizeof done, .kind = ATAMO_DONE, .reason = {"", 0}};
    struct fake_action *action;

    if (!holds(host, handle, "settle()"))
        return;
    if (outcome != NULL && !is_outcome(outcome))
        fake_misuse(host, "settle() with size %u and kind %u; use atamo_settle()", outcome->size,
                    outcome->kind);
    fake_lock(host);
    action = find(host, handle);
    if (action->state == FAKE_GIVEN) {
        action->outcome = outcome == NULL ? done : *outcome;
        if (action->outcome.reason.size > FAKE_REASON_MAX)
            action->outcome.reason.size = FAKE_REASON_MAX;
        if (action->outcome.reason.size > 0)
            action->outcome.reason = arena_copy(&host->arena, action->outcome.reason);
        if (action->outcome.reason.data == NULL)
            action->outcome.reason = (atamo_bytes){"", 0};
        fake_kv_settle(host, action);
        action->state = FAKE_SETTLED;
        host->unsettled--;
    }
    fake_unlock(host);
}

static void action_settle(const atamo_host *table, const atamo_action *actions,
                          const atamo_outcome *outcomes, size_t count)
{
    struct atamo_test_host *host = fake_enter(table, "settle()");

    for (size_t i = 0; i < count; i++)
        settle_one(host, actions[i], outcomes == NULL ? NULL : &outcomes[i]);
    fake_ring(host);
}

void fake_fill_actions(struct atamo_host *table)
{
    table->info = action_info;
    table->event = action_event;
    table->body = action_body;
    table->respond = action_respond;
    table->settle = action_settle;
}

/* --- what the test asks */

int atamo_test_settled(const atamo_test_host *host, atamo_action action, atamo_outcome *outcome)
{
    const struct fake_action *found;
    int status = ATAMO_NOT_FOUND;

    fake_lock(host);
    found = find(host, action);
    if (found != NULL)
        status = found->state == FAKE_SETTLED ? ATAMO_OK : ATAMO_BUSY;
    if (status == ATAMO_OK && outcome != NULL)
        *outcome = found->outcome;
    fake_unlock(host);
    return status;
}

static bool is_settled(struct atamo_test_host *host, uint64_t action)
{
    size_t unsettled;

    if (action != 0)
        return atamo_test_settled(host, action, NULL) == ATAMO_OK;
    fake_lock(host);
    unsettled = host->unsettled;
    fake_unlock(host);
    return unsettled == 0;
}

int atamo_test_wait_settled(atamo_test_host *host, atamo_action action, uint32_t timeout_ms)
{
    if (action != 0 && atamo_test_settled(host, action, NULL) == ATAMO_NOT_FOUND)
        return ATAMO_NOT_FOUND;
    return fake_until(host, is_settled, action, timeout_ms);
}

size_t atamo_test_response_count(const atamo_test_host *host, atamo_action action)
{
    const struct fake_action *found;
    size_t count;

    fake_lock(host);
    found = find(host, action);
    count = found == NULL ? 0 : found->responses.count;
    fake_unlock(host);
    return count;
}

int atamo_test_response(const atamo_test_host *host, atamo_action action, size_t index,
                        atamo_response *response)
{
    const struct fake_action *found;
    int status = ATAMO_NOT_FOUND;

    fake_lock(host);
    found = find(host, action);
    if (found != NULL && index < found->responses.count) {
        *response = *(const atamo_response *)found->responses.items[index];
        status = ATAMO_OK;
    }
    fake_unlock(host);
    return status;
}

atamo_bytes atamo_test_response_body(const atamo_test_host *host, atamo_action action, size_t index)
{
    atamo_response response = {.body = {"", 0}};

    (void)atamo_test_response(host, action, index, &response);
    return response.body;
}

void atamo_test_respond_limit(atamo_test_host *host, size_t count)
{
    fake_lock(host);
    host->respond_room = count;
    fake_unlock(host);
}

/* The next action from `from` on whose agent is due to be called; 0: none. */
static atamo_action next_to_call(const struct atamo_test_host *host, size_t *from)
{
    atamo_action handle = 0;

    fake_lock(host);
    while (handle == 0 && *from < host->actions.count && host->respond_room > 0) {
        struct fake_action *action = host->actions.items[(*from)++];

        if (action->wants_room && action->state == FAKE_GIVEN)
            handle = action->handle;
        action->wants_room = false;
    }
    fake_unlock(host);
    return handle;
}

size_t atamo_test_room(atamo_test_host *host)
{
    const atamo_agent *agent = host->plugin->agent;
    size_t from = 0;
    size_t count = 0;
    atamo_action action;

    while ((action = next_to_call(host, &from)) != 0) {
        if (agent != NULL && ATAMO_HAS(agent, room))
            agent->room(host->self, action);
        count++;
    }
    return count;
}
