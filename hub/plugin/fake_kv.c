/* fake_kv - the key-value state that a plugin keeps in the hub's store, in memory.
 *
 * Happy path: a write is held with its action; when that is settled as done and every version is as
 * expected, the writes take effect in order. A version that is not makes the outcome a retry, as in
 * the hub. Keys stand in ascending order in one list for each tenant. What is written stays in the
 * host's arena until it is closed.
 */
#include "plugin/fake.h"

#include "base/arena.h"

#include <string.h>

/* A value under a tenant's key. */
struct cell {
    atamo_bytes tenant, key, value;
    uint64_t version; /* 0: deleted */
};

struct held {
    struct fake_action *action;
    atamo_bytes key, value;
    uint64_t expected;
    bool deletes;
};

static bool same(atamo_bytes a, atamo_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* The order of keys: bytewise, a shorter one first. */
static int compare(atamo_bytes a, atamo_bytes b)
{
    const int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static struct cell *find_cell(const struct atamo_test_host *host, atamo_bytes tenant,
                              atamo_bytes key)
{
    for (size_t i = 0; i < host->cells.count; i++) {
        struct cell *cell = host->cells.items[i];

        if (same(cell->tenant, tenant) && same(cell->key, key))
            return cell;
    }
    return NULL;
}

/* Into its place by key. False without memory. */
static bool insert_cell(struct atamo_test_host *host, struct cell *cell)
{
    size_t at;

    if (!fake_list_add(&host->cells, cell))
        return false;
    for (at = host->cells.count - 1; at > 0; at--) {
        const struct cell *before = host->cells.items[at - 1];

        if (compare(before->key, cell->key) <= 0)
            break;
        host->cells.items[at] = host->cells.items[at - 1];
    }
    host->cells.items[at] = cell;
    return true;
}

/* Under the lock. */
static int set_cell(struct atamo_test_host *host, atamo_bytes tenant, atamo_bytes key,
                    atamo_bytes value)
{
    struct cell *cell = find_cell(host, tenant, key);

    if (cell == NULL) {
        cell = arena_alloc(&host->arena, sizeof *cell);
        if (cell == NULL)
            return ATAMO_NO_MEMORY;
        *cell = (struct cell){.tenant = arena_copy(&host->arena, tenant),
                              .key = arena_copy(&host->arena, key)};
        if (cell->tenant.data == NULL || cell->key.data == NULL || !insert_cell(host, cell))
            return ATAMO_NO_MEMORY;
    }
    cell->value = arena_copy(&host->arena, value);
    cell->version = ++host->versions;
    return cell->value.data == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

/* --- the outcome */

static bool as_expected(const struct atamo_test_host *host, const struct held *held)
{
    const struct cell *cell = find_cell(host, held->action->info.tenant, held->key);
    const uint64_t version = cell == NULL || cell->version == 0 ? ATAMO_KV_NONE : cell->version;

    return held->expected == ATAMO_KV_ANY || held->expected == version;
}

static void apply(struct atamo_test_host *host, const struct held *held)
{
    const atamo_bytes tenant = held->action->info.tenant;
    struct cell *cell;

    if (!held->deletes) {
        (void)set_cell(host, tenant, held->key, held->value);
        return;
    }
    cell = find_cell(host, tenant, held->key);
    if (cell != NULL)
        cell->version = 0;
}

void fake_kv_settle(struct atamo_test_host *host, struct fake_action *action)
{
    bool good = action->outcome.kind == ATAMO_DONE;
    size_t kept = 0;

    for (size_t i = 0; i < host->held.count && good; i++) {
        const struct held *held = host->held.items[i];

        good = held->action != action || as_expected(host, held);
    }
    if (!good && action->outcome.kind == ATAMO_DONE) {
        action->outcome.kind = ATAMO_RETRY;
        action->outcome.reason = atamo_text(atamo_reason_text(ATAMO_REASON_CONFLICT));
    }
    for (size_t i = 0; i < host->held.count; i++) {
        const struct held *held = host->held.items[i];

        if (held->action != action)
            host->held.items[kept++] = host->held.items[i];
        else if (good)
            apply(host, held);
    }
    host->held.count = kept;
}

/* --- the extension */

static atamo_record record_of(const struct cell *cell)
{
    return (atamo_record){.key = cell->key, .value = cell->value, .version = cell->version};
}

static int get(const atamo_host *table, atamo_action action, atamo_bytes key, atamo_record_fn fn,
               void *user)
{
    struct atamo_test_host *host = fake_enter(table, "kv get()");
    const struct fake_action *found = fake_given(host, action, "kv get()");
    const struct cell *cell;
    atamo_record record;

    if (found == NULL)
        return ATAMO_GONE;
    fake_lock(host);
    cell = find_cell(host, found->info.tenant, key);
    if (cell != NULL && cell->version != 0)
        record = record_of(cell);
    else
        cell = NULL;
    fake_unlock(host);
    if (cell == NULL)
        return ATAMO_NOT_FOUND;
    (void)fn(user, &record);
    return ATAMO_OK;
}

static bool begins_with(atamo_bytes text, atamo_bytes prefix)
{
    return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

/* The cell at this place if it is in the range; under the lock while it is looked at. */
static bool in_range(const struct atamo_test_host *host, size_t at,
                     const struct fake_action *action, const atamo_bytes range[2],
                     atamo_record *record)
{
    const struct cell *cell = host->cells.items[at];

    if (cell->version == 0 || !same(cell->tenant, action->info.tenant) ||
        !begins_with(cell->key, range[0]) || compare(cell->key, range[1]) < 0)
        return false;
    *record = record_of(cell);
    return true;
}

static int scan(const atamo_host *table, atamo_action action, atamo_bytes prefix, atamo_bytes from,
                atamo_record_fn fn, void *user)
{
    struct atamo_test_host *host = fake_enter(table, "kv scan()");
    const struct fake_action *found = fake_given(host, action, "kv scan()");
    const atamo_bytes range[2] = {prefix, from};
    bool more = found != NULL;

    if (found == NULL)
        return ATAMO_GONE;
    for (size_t i = 0; more; i++) {
        atamo_record record;
        bool hit;

        fake_lock(host);
        more = i < host->cells.count;
        hit = more && in_range(host, i, found, range, &record);
        fake_unlock(host);
        if (hit)
            more = fn(user, &record) == 0;
    }
    return ATAMO_OK;
}

static int hold(const atamo_host *table, atamo_action handle, const struct held *wanted,
                const char *call)
{
    struct atamo_test_host *host = fake_enter(table, call);
    struct fake_action *action = fake_given(host, handle, call);
    struct held *held;
    bool good;

    if (action == NULL)
        return ATAMO_GONE;
    if (wanted->key.size == 0)
        return ATAMO_INVALID;
    if (wanted->key.size > ATAMO_KEY_MAX || wanted->value.size > ATAMO_VALUE_MAX)
        return ATAMO_TOO_LARGE;
    fake_lock(host);
    held = arena_alloc(&host->arena, sizeof *held);
    good = held != NULL;
    if (good) {
        *held = *wanted;
        held->action = action;
        held->key = arena_copy(&host->arena, wanted->key);
        held->value = arena_copy(&host->arena, wanted->value);
        good =
            held->key.data != NULL && held->value.data != NULL && fake_list_add(&host->held, held);
    }
    fake_unlock(host);
    return good ? ATAMO_OK : ATAMO_NO_MEMORY;
}

static int put(const atamo_host *table, atamo_action action, atamo_bytes key, atamo_bytes value,
               uint64_t expected)
{
    return hold(table, action, &(struct held){.key = key, .value = value, .expected = expected},
                "kv put()");
}

static int remove_key(const atamo_host *table, atamo_action action, atamo_bytes key,
                      uint64_t expected)
{
    return hold(table, action,
                &(struct held){.key = key, .value = {"", 0}, .expected = expected, .deletes = true},
                "kv remove()");
}

const atamo_kv *fake_kv_table(void)
{
    static const atamo_kv table = {
        .size = sizeof table, .get = get, .scan = scan, .put = put, .remove = remove_key};

    return &table;
}

/* --- what the test asks */

int atamo_test_kv_put(atamo_test_host *host, const char *tenant, const char *key, const char *value)
{
    int status;

    fake_lock(host);
    status = set_cell(host, atamo_text(tenant), atamo_text(key), atamo_text(value));
    fake_unlock(host);
    return status;
}

atamo_bytes atamo_test_kv_get(const atamo_test_host *host, const char *tenant, const char *key)
{
    atamo_bytes value = {"", 0};
    const struct cell *cell;

    fake_lock(host);
    cell = find_cell(host, atamo_text(tenant), atamo_text(key));
    if (cell != NULL && cell->version != 0)
        value = cell->value;
    fake_unlock(host);
    return value;
}
