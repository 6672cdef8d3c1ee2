/* kv - key-value state of agents, in the space "kv" of the store.
 *
 * Happy path: a key is put behind the names of agent and tenant, each with a NUL; reads go to the
 * store at once, on the caller's thread; writes go into the action's outbox and take effect with
 * its outcome. It fails if the action was settled, or names and key are too long together.
 */
#include "flow/kv.h"

#include "flow/commit.h"
#include "flow/host.h"
#include "flow/outbox.h"

#include <string.h>

/* A key as it is in the store. */
struct scope {
    size_t own; /* bytes before the agent's part */
    size_t size;
    char key[ATAMO_KEY_MAX];
};

static int append(struct scope *scope, atamo_bytes text, size_t nul)
{
    if (text.size + nul > sizeof scope->key - scope->size)
        return ATAMO_TOO_LARGE;
    memcpy(scope->key + scope->size, text.data, text.size);
    scope->size += text.size;
    if (nul > 0)
        scope->key[scope->size++] = '\0';
    return ATAMO_OK;
}

static int open_scope(const atamo_host *host, atamo_action handle, atamo_bytes key,
                      struct scope *scope)
{
    const struct flow *flow = host_flow(host);
    const struct action *action = actions_find(&flow->actions, handle);
    int status;

    if (action == NULL)
        return ATAMO_GONE;
    scope->size = 0;
    status = append(scope, atamo_text(instance_of(host)->name), 1);
    if (status == ATAMO_OK)
        status = append(scope, message_attribute(action->message, ATAMO_TENANT), 1);
    scope->own = scope->size;
    return status == ATAMO_OK ? append(scope, key, 0) : status;
}

static atamo_bytes whole(const struct scope *scope)
{
    return (atamo_bytes){scope->key, scope->size};
}

/* Shows records without the names before their keys. */
struct showing {
    size_t own;
    atamo_record_fn fn;
    void *user;
};

static int show(void *user, const atamo_record *record)
{
    const struct showing *showing = user;
    atamo_record shown = *record;

    shown.key = (atamo_bytes){record->key.data + showing->own, record->key.size - showing->own};
    return showing->fn(showing->user, &shown);
}

static int get(const atamo_host *host, atamo_action action, atamo_bytes key, atamo_record_fn fn,
               void *user)
{
    const struct ledger *ledger = host_flow(host)->ledger;
    struct scope scope;
    struct showing showing = {.fn = fn, .user = user};
    const int status = open_scope(host, action, key, &scope);

    if (status != ATAMO_OK)
        return status;
    showing.own = scope.own;
    return ledger->store->get(ledger->self, atamo_text("kv"), whole(&scope), show, &showing);
}

static int scan(const atamo_host *host, atamo_action action, atamo_bytes prefix, atamo_bytes from,
                atamo_record_fn fn, void *user)
{
    const struct ledger *ledger = host_flow(host)->ledger;
    struct scope first;
    struct scope range;
    struct showing showing = {.fn = fn, .user = user};
    atamo_range wanted = {.size = sizeof wanted, .space = atamo_text("kv")};
    int status = open_scope(host, action, prefix, &range);

    if (status == ATAMO_OK)
        status = open_scope(host, action, from, &first);
    if (status != ATAMO_OK)
        return status;
    showing.own = range.own;
    wanted.prefix = whole(&range);
    wanted.from = whole(&first);
    return ledger->store->scan(ledger->self, &wanted, show, &showing);
}

static int hold(const atamo_host *host, atamo_action action, const atamo_write *write)
{
    struct flow *flow = host_flow(host);
    struct scope scope;
    struct held *held;
    int status;

    if (write->key.size == 0)
        return ATAMO_INVALID;
    if (write->value.size > ATAMO_VALUE_MAX)
        return ATAMO_TOO_LARGE;
    status = open_scope(host, action, write->key, &scope);
    if (status != ATAMO_OK)
        return status;
    held = outbox_take(flow, action, scope.size + write->value.size, &status);
    if (held == NULL)
        return status;
    held->kind = write->kind;
    held->key_size = (uint32_t)scope.size;
    held->expected = write->expected;
    held->value_size = write->value.size;
    memcpy(held->bytes, scope.key, scope.size);
    if (write->value.size > 0)
        memcpy(held->bytes + scope.size, write->value.data, write->value.size);
    outbox_hold(flow, held);
    return ATAMO_OK;
}

static int put(const atamo_host *host, atamo_action action, atamo_bytes key, atamo_bytes value,
               uint64_t expected)
{
    return hold(
        host, action,
        &(atamo_write){.kind = ATAMO_WRITE_PUT, .key = key, .value = value, .expected = expected});
}

static int remove_key(const atamo_host *host, atamo_action action, atamo_bytes key,
                      uint64_t expected)
{
    return hold(
        host, action,
        &(atamo_write){
            .kind = ATAMO_WRITE_DELETE, .key = key, .value = {"", 0}, .expected = expected});
}

static const atamo_kv table = {
    .size = sizeof table,
    .get = get,
    .scan = scan,
    .put = put,
    .remove = remove_key,
};

const atamo_kv *kv_extension(void)
{
    return &table;
}
