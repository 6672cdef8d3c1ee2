/* check_store - a store keeps what it says it keeps: writes, reads, scans, versions, all or
 * nothing. */
#include "check.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

/* One write under way; `done` may come on any thread. */
struct writing {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int calls;
    int status;
};

static void note_done(void *user, int status)
{
    struct writing *writing = user;

    (void)pthread_mutex_lock(&writing->lock);
    writing->calls++;
    writing->status = status;
    (void)pthread_cond_signal(&writing->ended);
    (void)pthread_mutex_unlock(&writing->lock);
}

/* Write and wait; the status that `done` was given. */
static int write_all(const struct check *check, atamo_test_host *host, const atamo_write *writes,
                     size_t count)
{
    struct writing writing = {.status = ATAMO_TIMEOUT};
    struct timespec until;
    int status;

    (void)pthread_mutex_init(&writing.lock, NULL);
    (void)pthread_cond_init(&writing.ended, NULL);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += check->limit_ms / 1000 + 1;
    check_at(check, "write()");
    status = atamo_test_plugin(host)->store->write(atamo_test_self(host), writes, count, note_done,
                                                   &writing);
    (void)pthread_mutex_lock(&writing.lock);
    while (status == ATAMO_OK && writing.calls == 0)
        if (pthread_cond_timedwait(&writing.ended, &writing.lock, &until) != 0)
            break;
    (void)pthread_mutex_unlock(&writing.lock);
    if (status == ATAMO_OK && writing.calls != 1)
        check_fail(check, "write(): done() was called %d times, not once", writing.calls);
    return status == ATAMO_OK ? writing.status : status;
}

static atamo_write put(const char *key, const char *value, uint64_t expected)
{
    return (atamo_write){.size = sizeof(atamo_write),
                         .kind = ATAMO_WRITE_PUT,
                         .space = {"check", 5},
                         .key = atamo_text(key),
                         .value = atamo_text(value),
                         .expected = expected};
}

/* What get() showed, copied. */
struct shown {
    int times;
    uint64_t version;
    char value[64];
    size_t size;
};

static int note_record(void *user, const atamo_record *record)
{
    struct shown *shown = user;

    shown->times++;
    shown->version = record->version;
    shown->size = record->value.size;
    if (record->value.size < sizeof shown->value)
        memcpy(shown->value, record->value.data, record->value.size);
    return 0;
}

static int get(const struct check *check, atamo_test_host *host, const char *key,
               struct shown *shown)
{
    int status;

    memset(shown, 0, sizeof *shown);
    check_at(check, "get()");
    status = atamo_test_plugin(host)->store->get(atamo_test_self(host), atamo_text("check"),
                                                 atamo_text(key), note_record, shown);
    if (shown->times != (status == ATAMO_OK))
        check_fail(check, "get() answered %s and showed a record %d times",
                   atamo_status_text(status), shown->times);
    return status;
}

/* What an earlier check left in a store that outlives its process. */
static void clear(const struct check *check, atamo_test_host *host)
{
    static const char *const keys[] = {"a/1", "a/2", "a/3", "b/1", "v", "w"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const atamo_write gone = {.size = sizeof gone,
                                  .kind = ATAMO_WRITE_DELETE,
                                  .space = {"check", 5},
                                  .key = atamo_text(keys[i])};

        if (write_all(check, host, &gone, 1) != ATAMO_OK)
            check_fail(check, "a key that may not be there could not be deleted");
    }
}

static bool holds(const struct check *check, atamo_test_host *host, const char *key,
                  const char *value)
{
    struct shown shown;

    return get(check, host, key, &shown) == ATAMO_OK && shown.size == strlen(value) &&
           memcmp(shown.value, value, shown.size) == 0;
}

struct seen {
    char keys[64];
};

static int note_key(void *user, const atamo_record *record)
{
    struct seen *seen = user;
    const size_t used = strlen(seen->keys);

    (void)snprintf(seen->keys + used, sizeof seen->keys - used, "%.*s ", (int)record->key.size,
                   record->key.data);
    return 0;
}

static void scan(const struct check *check, atamo_test_host *host, const char *from, size_t limit,
                 const char *expected)
{
    const atamo_range range = {.size = sizeof range,
                               .space = atamo_text("check"),
                               .prefix = atamo_text("a/"),
                               .from = atamo_text(from),
                               .limit = limit};
    struct seen seen = {""};

    check_at(check, "scan()");
    if (atamo_test_plugin(host)->store->scan(atamo_test_self(host), &range, note_key, &seen) !=
        ATAMO_OK)
        check_fail(check, "scan() failed");
    else if (strcmp(seen.keys, expected) != 0)
        check_fail(check, "scan() from \"%s\", limit %zu, saw \"%s\", not \"%s\"", from, limit,
                   seen.keys, expected);
}

void check_store_reads(const struct check *check)
{
    const atamo_write writes[] = {put("a/2", "two", 0), put("a/1", "one", 0),
                                  put("b/1", "other", 0), put("a/3", "", 0)};
    const atamo_write gone = {
        .size = sizeof gone, .kind = ATAMO_WRITE_DELETE, .space = {"check", 5}, .key = {"a/2", 3}};
    atamo_test_host *host = check_run(check);
    struct shown record;

    if (host == NULL)
        return;
    clear(check, host);
    if (write_all(check, host, writes, 4) != ATAMO_OK)
        check_fail(check, "four new keys could not be written");
    if (!holds(check, host, "a/1", "one") || !holds(check, host, "a/3", ""))
        check_fail(check, "get() does not give what was written");
    if (get(check, host, "none", &record) != ATAMO_NOT_FOUND)
        check_fail(check, "get() of a key that is not there must be ATAMO_NOT_FOUND");
    scan(check, host, "", 10, "a/1 a/2 a/3 ");
    scan(check, host, "a/2", 10, "a/2 a/3 ");
    scan(check, host, "", 2, "a/1 a/2 ");
    for (int i = 0; i < 2; i++)
        if (write_all(check, host, &gone, 1) != ATAMO_OK)
            check_fail(check, "a key%s could not be deleted", i == 0 ? "" : " that is not there");
    scan(check, host, "", 10, "a/1 a/3 ");
    check_close(check, host);
}

/* Many batches in flight: done() comes in order, and afterwards all of it is there. */
struct order {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int expected, wrong, failed;
};

struct ticket {
    struct order *order;
    int number;
};

static void note_order(void *user, int status)
{
    struct ticket *ticket = user;
    struct order *order = ticket->order;

    (void)pthread_mutex_lock(&order->lock);
    order->wrong += ticket->number != order->expected++;
    order->failed += status != ATAMO_OK;
    (void)pthread_cond_signal(&order->ended);
    (void)pthread_mutex_unlock(&order->lock);
}

static int count_record(void *user, const atamo_record *record)
{
    int *count = user;

    *count += record->status == ATAMO_OK;
    return 0;
}

void check_store_order(const struct check *check)
{
    enum { BATCHES = 500 };
    static struct ticket tickets[BATCHES];
    const atamo_range all = {.size = sizeof all, .space = {"order", 5}};
    struct order order = {.expected = 0};
    atamo_test_host *host = check_run(check);
    const atamo_store *store;
    int count = 0;

    if (host == NULL)
        return;
    store = atamo_test_plugin(host)->store;
    (void)pthread_mutex_init(&order.lock, NULL);
    (void)pthread_cond_init(&order.ended, NULL);
    check_at(check, "write()");
    for (int i = 0; i < BATCHES; i++) {
        const atamo_write kept = {.size = sizeof kept,
                                  .kind = ATAMO_WRITE_PUT,
                                  .space = {"order", 5},
                                  .key = {(const char *)&i, sizeof i},
                                  .value = {"x", 1}};

        tickets[i] = (struct ticket){&order, i};
        if (store->write(atamo_test_self(host), &kept, 1, note_order, &tickets[i]) != ATAMO_OK)
            check_fail(check, "write() refused one of %d small batches", BATCHES);
    }
    (void)pthread_mutex_lock(&order.lock);
    while (order.expected < BATCHES)
        (void)pthread_cond_wait(&order.ended, &order.lock);
    (void)pthread_mutex_unlock(&order.lock);
    if (order.wrong > 0)
        check_fail(check, "done() came %d times out of order", order.wrong);
    if (order.failed > 0)
        check_fail(check, "%d of %d batches failed", order.failed, BATCHES);
    check_at(check, "scan()");
    (void)store->scan(atamo_test_self(host), &all, count_record, &count);
    if (count != BATCHES)
        check_fail(check, "scan() saw %d of %d records", count, BATCHES);
    check_close(check, host);
}

void check_store_versions(const struct check *check)
{
    const atamo_write fresh = put("v", "1", UINT64_MAX);
    atamo_test_host *host = check_run(check);
    atamo_write writes[2];
    struct shown record;
    uint64_t version;

    if (host == NULL)
        return;
    clear(check, host);
    if (write_all(check, host, &fresh, 1) != ATAMO_OK)
        check_fail(check, "a key that must not exist, and does not, could not be written");
    if (write_all(check, host, &fresh, 1) != ATAMO_CONFLICT)
        check_fail(check, "a key that must not exist, and does, must be ATAMO_CONFLICT");
    (void)get(check, host, "v", &record);
    version = record.version;
    writes[0] = put("w", "half", 0);
    writes[1] = put("v", "2", version + 1);
    if (write_all(check, host, writes, 2) != ATAMO_CONFLICT)
        check_fail(check, "a version that is not as expected must be ATAMO_CONFLICT");
    if (get(check, host, "w", &record) != ATAMO_NOT_FOUND || !holds(check, host, "v", "1"))
        check_fail(check, "half of a batch was written: it must be all or nothing");
    writes[1].expected = version;
    if (write_all(check, host, writes, 2) != ATAMO_OK || !holds(check, host, "v", "2"))
        check_fail(check, "a version that is as expected must be written");
    if (get(check, host, "v", &record) == ATAMO_OK && record.version <= version)
        check_fail(check, "the version must grow with every put");
    check_close(check, host);
}
