/* memory - a store that is gone with the process: for tests, and to try agents that keep state.
 *
 * Happy path: a batch is copied into entries, its versions are compared, and it takes effect at
 * once, under a lock; `done` is called before write() returns. A batch that does not fit into
 * `max_size` is refused as a whole. It promises ATAMO_MEMORY and nothing more.
 */
#include "map.h"

#include <atamo/inline.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = ATAMO_SPACE_MAX + 1 + ATAMO_KEY_MAX };

struct store {
    pthread_rwlock_t lock;
    struct map map;
    size_t max_size;
    uint64_t version; /* the last one given */
};

static int create(const atamo_host *host, void **self)
{
    struct store *store = calloc(1, sizeof *store);

    if (store == NULL || pthread_rwlock_init(&store->lock, NULL) != 0) {
        free(store);
        return ATAMO_NO_MEMORY;
    }
    store->max_size = (size_t)host->integer(host, "max_size");
    store->map.random = host->random(host);
    *self = store;
    return ATAMO_OK;
}

static void destroy(void *self)
{
    struct store *store = self;

    map_close(&store->map);
    (void)pthread_rwlock_destroy(&store->lock);
    free(store);
}

/* "space NUL key"; its size. */
static size_t full_key(char *out, atamo_bytes space, atamo_bytes key)
{
    memcpy(out, space.data, space.size);
    out[space.size] = '\0';
    if (key.size > 0)
        memcpy(out + space.size + 1, key.data, key.size);
    return space.size + 1 + key.size;
}

/* --- writing */

static int check_write(const atamo_write *write)
{
    if ((write->kind != ATAMO_WRITE_PUT && write->kind != ATAMO_WRITE_DELETE) ||
        write->space.size == 0 || write->key.size == 0 ||
        memchr(write->space.data, '\0', write->space.size) != NULL)
        return ATAMO_INVALID;
    if (write->space.size > ATAMO_SPACE_MAX || write->key.size > ATAMO_KEY_MAX ||
        write->value.size > ATAMO_VALUE_MAX)
        return ATAMO_TOO_LARGE;
    return ATAMO_OK;
}

/* Has the key the version that it must have? */
static bool as_expected(const struct store *store, const atamo_write *write)
{
    char key[KEY_MAX];
    const struct entry *entry;

    if (write->expected == 0)
        return true;
    entry = map_get(&store->map, (atamo_bytes){key, full_key(key, write->space, write->key)});
    return entry == NULL ? write->expected == UINT64_MAX : write->expected == entry->version;
}

/* Entries for all that is put, in order; false without memory: there are none. */
static bool make_entries(struct store *store, const atamo_write *writes, size_t count,
                         struct entry **entries, size_t *bytes)
{
    char key[KEY_MAX];

    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t size = full_key(key, writes[i].space, writes[i].key);

        entries[i] = NULL;
        if (writes[i].kind == ATAMO_WRITE_DELETE)
            continue;
        entries[i] = map_make(&store->map, (atamo_bytes){key, size}, writes[i].value);
        if (entries[i] == NULL) {
            while (i-- > 0)
                free(entries[i]);
            return false;
        }
        *bytes += map_cost(size, writes[i].value.size);
    }
    return true;
}

static void apply(struct store *store, const atamo_write *writes, size_t count,
                  struct entry **entries)
{
    char key[KEY_MAX];

    for (size_t i = 0; i < count; i++) {
        if (entries[i] == NULL) {
            map_delete(&store->map,
                       (atamo_bytes){key, full_key(key, writes[i].space, writes[i].key)});
            continue;
        }
        entries[i]->version = ++store->version;
        map_put(&store->map, entries[i]);
    }
}

/* What the batch frees: entries that it replaces or deletes. */
static size_t gives_back(const struct store *store, const atamo_write *writes, size_t count)
{
    char key[KEY_MAX];
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        const struct entry *entry =
            map_get(&store->map, (atamo_bytes){key, full_key(key, writes[i].space, writes[i].key)});

        if (entry != NULL)
            bytes += map_cost(entry->key_size, entry->value_size);
    }
    return bytes;
}

/* [under the lock] */
static int commit(struct store *store, const atamo_write *writes, size_t count)
{
    struct entry **entries;
    size_t bytes;
    size_t freed;
    int status = ATAMO_OK;

    for (size_t i = 0; i < count; i++)
        if (!as_expected(store, &writes[i]))
            return ATAMO_CONFLICT;
    entries = calloc(count + 1, sizeof(struct entry *));
    if (entries == NULL || !make_entries(store, writes, count, entries, &bytes)) {
        free(entries);
        return ATAMO_NO_MEMORY;
    }
    /* What is replaced or deleted makes room: a full store can be emptied. */
    freed = gives_back(store, writes, count);
    if (bytes > freed && store->map.bytes + (bytes - freed) > store->max_size)
        status = ATAMO_FULL;
    if (status == ATAMO_OK)
        apply(store, writes, count, entries);
    else
        for (size_t i = 0; i < count; i++)
            free(entries[i]);
    free(entries);
    return status;
}

static int write_batch(void *self, const atamo_write *writes, size_t count,
                       void (*done)(void *user, int status), void *user)
{
    struct store *store = self;
    int status = ATAMO_OK;

    for (size_t i = 0; i < count && status == ATAMO_OK; i++)
        status = check_write(&writes[i]);
    if (status != ATAMO_OK)
        return status;
    (void)pthread_rwlock_wrlock(&store->lock);
    status = commit(store, writes, count);
    (void)pthread_rwlock_unlock(&store->lock);
    done(user, status);
    return ATAMO_OK;
}

/* --- reading */

static atamo_record record_of(const struct entry *entry, size_t strip)
{
    const atamo_bytes key = entry_key(entry);

    return (atamo_record){.key = {key.data + strip, key.size - strip},
                          .value = entry_value(entry),
                          .version = entry->version};
}

static int get(void *self, atamo_bytes space, atamo_bytes key, atamo_record_fn fn, void *user)
{
    struct store *store = self;
    char name[KEY_MAX];
    const struct entry *entry;

    if (space.size > ATAMO_SPACE_MAX || key.size > ATAMO_KEY_MAX)
        return ATAMO_NOT_FOUND;
    (void)pthread_rwlock_rdlock(&store->lock);
    entry = map_get(&store->map, (atamo_bytes){name, full_key(name, space, key)});
    if (entry != NULL) {
        const atamo_record record = record_of(entry, space.size + 1);

        (void)fn(user, &record);
    }
    (void)pthread_rwlock_unlock(&store->lock);
    return entry == NULL ? ATAMO_NOT_FOUND : ATAMO_OK;
}

static bool begins_with(atamo_bytes text, atamo_bytes prefix)
{
    return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

static bool comes_before(atamo_bytes a, atamo_bytes b)
{
    const int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order < 0 || (order == 0 && a.size < b.size);
}

static int scan(void *self, const atamo_range *range, atamo_record_fn fn, void *user)
{
    struct store *store = self;
    char prefix_bytes[KEY_MAX];
    char from_bytes[KEY_MAX];
    atamo_bytes prefix = {prefix_bytes, 0};
    atamo_bytes from = {from_bytes, 0};
    const struct entry *entry;
    uint64_t left = range->limit == 0 ? UINT64_MAX : range->limit;

    if (range->space.size > ATAMO_SPACE_MAX || range->prefix.size > ATAMO_KEY_MAX ||
        range->from.size > ATAMO_KEY_MAX)
        return ATAMO_INVALID;
    prefix.size = full_key(prefix_bytes, range->space, range->prefix);
    from.size = full_key(from_bytes, range->space, range->from);
    (void)pthread_rwlock_rdlock(&store->lock);
    entry = map_from(&store->map, comes_before(from, prefix) ? prefix : from);
    for (; entry != NULL && left > 0 && begins_with(entry_key(entry), prefix);
         entry = entry->next[0], left--) {
        const atamo_record record = record_of(entry, range->space.size + 1);

        if (fn(user, &record) != 0)
            break;
    }
    (void)pthread_rwlock_unlock(&store->lock);
    return ATAMO_OK;
}

static const atamo_option options[] = {
    {.name = "max_size",
     .type = ATAMO_OPTION_SIZE,
     .fallback = "256MiB",
     .min = 1 << 16,
     .max = INT64_C(1) << 40,
     .about = "how much it may hold"},
};

static const atamo_store store_role = {
    .size = sizeof store_role,
    .durability = ATAMO_MEMORY,
    .write = write_batch,
    .get = get,
    .scan = scan,
};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "memory",
    .version = "1.0.0",
    .summary = "keeps state in memory: gone with the process",
    .create = create,
    .destroy = destroy,
    .store = &store_role,
};
