/* lmdb - a store on LMDB: one file, synced commits in groups, readers that block nobody.
 *
 * Happy path: start() opens the file and the committing thread; writes are queued, reads see the
 * last commit. It fails to start if the file cannot be opened, is no store, or another hub has it.
 * While it runs, a full disk refuses writes until there is room; a failed sync refuses all from
 * then on.
 */
#include "writer.h"

#include <atamo/inline.h>

#include <stdlib.h>
#include <string.h>

struct store {
    const atamo_host *host;
    struct database database;
    struct writer writer;
    bool open, writes;
};

static int create(const atamo_host *host, void **self)
{
    struct store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return ATAMO_NO_MEMORY;
    store->host = host;
    *self = store;
    return ATAMO_OK;
}

static int start(void *self)
{
    struct store *store = self;
    const atamo_host *host = store->host;
    const struct database_settings settings = {
        .path = host->text(host, "path").data,
        .max_size = (size_t)host->integer(host, "max_size"),
        .read_only = host->integer(host, "read_only") != 0,
        .syncs = true,
    };
    char why[DATABASE_WHY] = "";
    int status = database_open(&store->database, &settings, why);

    if (status != ATAMO_OK)
        return atamo_refuse(host, "%s", why);
    store->open = true;
    if (settings.read_only)
        return ATAMO_OK;
    status = writer_start(&store->writer, &store->database, (size_t)host->integer(host, "queue"));
    store->writes = status == ATAMO_OK;
    return status == ATAMO_OK
               ? ATAMO_OK
               : atamo_refuse(host, "the committing thread: %s", atamo_status_text(status));
}

static void destroy(void *self)
{
    struct store *store = self;

    if (store->writes)
        writer_stop(&store->writer);
    if (store->open)
        database_close(&store->database);
    free(store);
}

static int write_batch(void *self, const atamo_write *writes, size_t count,
                       void (*done)(void *user, int status), void *user)
{
    struct store *store = self;

    return store->writes ? writer_add(&store->writer, writes, count, done, user) : ATAMO_DENIED;
}

static int get(void *self, atamo_bytes space, atamo_bytes key, atamo_record_fn fn, void *user)
{
    struct store *store = self;
    char name[RECORD_KEY_MAX];

    if (space.size > ATAMO_SPACE_MAX || key.size > ATAMO_KEY_MAX)
        return ATAMO_NOT_FOUND;
    return database_get(&store->database, (atamo_bytes){name, record_key(name, space, key)},
                        space.size + 1, fn, user);
}

static int scan(void *self, const atamo_range *wanted, atamo_record_fn fn, void *user)
{
    struct store *store = self;
    char prefix[RECORD_KEY_MAX];
    char from[RECORD_KEY_MAX];
    struct database_range range = {.strip = wanted->space.size + 1,
                                   .limit = wanted->limit == 0 ? SIZE_MAX : wanted->limit};

    if (wanted->space.size > ATAMO_SPACE_MAX || wanted->prefix.size > ATAMO_KEY_MAX ||
        wanted->from.size > ATAMO_KEY_MAX)
        return ATAMO_INVALID;
    range.prefix = (atamo_bytes){prefix, record_key(prefix, wanted->space, wanted->prefix)};
    range.from = (atamo_bytes){from, record_key(from, wanted->space, wanted->from)};
    if (range.from.size < range.prefix.size ||
        memcmp(range.from.data, range.prefix.data, range.prefix.size) < 0)
        range.from = range.prefix;
    return database_scan(&store->database, &range, fn, user);
}

/* Who looks at damage, and at how far it is. */
struct verifying {
    atamo_record_fn fn;
    atamo_store_progress_fn progress;
    void *user;
};

/* In the file a key is "space NUL key"; people are shown "space/key". */
static int show_damage(void *user, const atamo_record *record)
{
    const struct verifying *verifying = user;
    atamo_record shown = *record;
    char key[RECORD_KEY_MAX];
    char *nul;

    if (shown.key.size > sizeof key)
        shown.key.size = sizeof key;
    memcpy(key, record->key.data, shown.key.size);
    nul = memchr(key, '\0', shown.key.size);
    if (nul != NULL)
        *nul = '/';
    shown.key.data = key;
    return verifying->fn(verifying->user, &shown);
}

static int show_progress(void *user, uint64_t done, uint64_t total)
{
    const struct verifying *verifying = user;

    return verifying->progress == NULL ? 0 : verifying->progress(verifying->user, done, total);
}

static int verify(void *self, atamo_record_fn fn, atamo_store_progress_fn progress, void *user)
{
    struct store *store = self;
    struct verifying verifying = {fn, progress, user};
    const struct database_range all = {
        .limit = SIZE_MAX, .damaged_only = true, .progress = show_progress};

    return database_scan(&store->database, &all, show_damage, &verifying);
}

static int backup(void *self, const char *path, atamo_store_progress_fn progress, void *user)
{
    struct store *store = self;

    return database_copy(&store->database, path, progress, user);
}

static const atamo_option options[] = {
    {.name = "path",
     .type = ATAMO_OPTION_TEXT,
     .flags = ATAMO_OPTION_REQUIRED,
     .about = "the file; made if it is not there"},
    {.name = "max_size",
     .type = ATAMO_OPTION_SIZE,
     .fallback = "1024GiB",
     .min = 1 << 20,
     .max = INT64_C(1) << 46,
     .about = "how large the file may become"},
    {.name = "queue",
     .type = ATAMO_OPTION_SIZE,
     .fallback = "64MiB",
     .min = 1 << 16,
     .max = INT64_C(1) << 32,
     .about = "how much may wait for a commit"},
    {.name = "read_only",
     .type = ATAMO_OPTION_BOOLEAN,
     .fallback = "false",
     .about = "read beside a hub that runs; nothing is written"},
};

static const atamo_store store_role = {
    .size = sizeof store_role,
    .durability = ATAMO_SYNCED,
    .write = write_batch,
    .get = get,
    .scan = scan,
    .verify = verify,
    .backup = backup,
};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "lmdb",
    .version = "1.0.0",
    .summary = "keeps state in one LMDB file, synced before anything is acknowledged",
    .create = create,
    .start = start,
    .destroy = destroy,
    .store = &store_role,
};
