/* reading - one record, a range of them, or a copy of all.
 *
 * Happy path: begin a read transaction, which sees one state however long it lasts, and show
 * records where they lie in the map. A record whose checksum does not fit is shown as damaged,
 * without its value, and the visit goes on. If another process made the file larger, a transaction
 * begins with MDB_MAP_RESIZED and the new size is taken over.
 */
#include "database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Begin to read; the map stays where it is until end_read(). */
static int begin_read(struct database *database, MDB_txn **txn)
{
    int error;

    (void)pthread_rwlock_rdlock(&database->map);
    error = mdb_txn_begin(database->env, NULL, MDB_RDONLY, txn);
    if (error == MDB_MAP_RESIZED) {
        (void)pthread_rwlock_unlock(&database->map);
        (void)pthread_rwlock_wrlock(&database->map);
        error = mdb_env_set_mapsize(database->env, 0);
        (void)pthread_rwlock_unlock(&database->map);
        (void)pthread_rwlock_rdlock(&database->map);
        if (error == MDB_SUCCESS)
            error = mdb_txn_begin(database->env, NULL, MDB_RDONLY, txn);
    }
    if (error != MDB_SUCCESS)
        (void)pthread_rwlock_unlock(&database->map);
    return database_status(error);
}

static void end_read(struct database *database, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    (void)pthread_rwlock_unlock(&database->map);
}

/* The key as the reader knows it. */
static atamo_record strip(atamo_record record, size_t size)
{
    if (size < record.key.size) {
        record.key.data += size;
        record.key.size -= size;
    }
    return record;
}

int database_get(struct database *database, atamo_bytes key, size_t space, atamo_record_fn fn,
                 void *user)
{
    MDB_val name = database_val(key);
    MDB_val value;
    MDB_txn *txn;
    int status = begin_read(database, &txn);

    if (status != ATAMO_OK)
        return status;
    status = database_status(mdb_get(txn, database->table, &name, &value));
    if (status == ATAMO_OK) {
        const atamo_record record = strip(record_open(key, database_bytes(&value)), space);

        status = record.status;
        (void)fn(user, &record);
    }
    end_read(database, txn);
    return status;
}

static bool begins_with(atamo_bytes text, atamo_bytes prefix)
{
    return prefix.size == 0 ||
           (text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0);
}

/* Who is shown records, and how many there are in all. */
struct visitor {
    atamo_record_fn fn;
    void *user;
    uint64_t total;
};

/* Show records from the first key on. ATAMO_DAMAGED if one was, to those who look for such. */
static int visit(MDB_cursor *cursor, const struct database_range *range,
                 const struct visitor *visitor)
{
    MDB_val key = database_val(range->from);
    MDB_val value;
    uint64_t seen = 0;
    int status = ATAMO_OK;
    int error =
        mdb_cursor_get(cursor, &key, &value, range->from.size > 0 ? MDB_SET_RANGE : MDB_FIRST);

    for (; error == MDB_SUCCESS && seen < range->limit &&
           begins_with(database_bytes(&key), range->prefix);
         seen++) {
        atamo_record record = record_open(database_bytes(&key), database_bytes(&value));

        record = strip(record, range->strip);
        if (record.status != ATAMO_OK && range->damaged_only)
            status = ATAMO_DAMAGED;
        if ((record.status != ATAMO_OK || !range->damaged_only) &&
            visitor->fn(visitor->user, &record) != 0)
            return status;
        if (range->progress != NULL && seen % 1024 == 0 &&
            range->progress(visitor->user, seen, visitor->total) != 0)
            return ATAMO_GONE;
        error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (range->progress != NULL)
        (void)range->progress(visitor->user, seen, visitor->total);
    return error == MDB_SUCCESS || error == MDB_NOTFOUND ? status : database_status(error);
}

int database_scan(struct database *database, const struct database_range *range, atamo_record_fn fn,
                  void *user)
{
    struct visitor visitor = {fn, user, 0};
    MDB_cursor *cursor;
    MDB_stat stat = {0};
    MDB_txn *txn;
    int status = begin_read(database, &txn);

    if (status != ATAMO_OK)
        return status;
    (void)mdb_stat(txn, database->table, &stat);
    visitor.total = stat.ms_entries;
    status = database_status(mdb_cursor_open(txn, database->table, &cursor));
    if (status == ATAMO_OK) {
        status = visit(cursor, range, &visitor);
        mdb_cursor_close(cursor);
    }
    end_read(database, txn);
    return status;
}

/* --- a copy */

struct copying {
    MDB_env *env;
    int file;
    int error;
    _Atomic bool ended;
};

static void *copy(void *argument)
{
    struct copying *copying = argument;

    copying->error = mdb_env_copyfd2(copying->env, copying->file, MDB_CP_COMPACT);
    if (copying->error == MDB_SUCCESS && fsync(copying->file) != 0)
        copying->error = errno;
    atomic_store(&copying->ended, true);
    return NULL;
}

/* How much there is to copy, about: pages in use. */
static uint64_t bytes_in_use(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;

    if (mdb_env_info(env, &info) != MDB_SUCCESS || mdb_env_stat(env, &stat) != MDB_SUCCESS)
        return 1;
    return (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
}

/* Tell how far it is until it ends; true if it shall be thrown away. */
static bool watch_copy(const struct copying *copying, uint64_t total,
                       atamo_store_progress_fn progress, void *user)
{
    const struct timespec moment = {0, 20000000};
    bool unwanted = false;

    while (!atomic_load(&copying->ended)) {
        struct stat stat;

        if (progress != NULL && !unwanted && fstat(copying->file, &stat) == 0)
            unwanted =
                progress(user, (uint64_t)stat.st_size < total ? (uint64_t)stat.st_size : total,
                         total) != 0;
        (void)nanosleep(&moment, NULL);
    }
    if (progress != NULL && !unwanted)
        unwanted = progress(user, total, total) != 0;
    return unwanted;
}

int database_copy(struct database *database, const char *path, atamo_store_progress_fn progress,
                  void *user)
{
    struct copying copying = {.env = database->env};
    const uint64_t total = bytes_in_use(database->env);
    bool unwanted = false;
    pthread_t thread;
    int status;

    copying.file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (copying.file < 0)
        return errno == EEXIST ? ATAMO_EXISTS : database_status(errno);
    (void)pthread_rwlock_rdlock(&database->map);
    if (pthread_create(&thread, NULL, copy, &copying) == 0) {
        unwanted = watch_copy(&copying, total, progress, user);
        (void)pthread_join(thread, NULL);
    } else {
        (void)copy(&copying);
    }
    (void)pthread_rwlock_unlock(&database->map);
    status = unwanted ? ATAMO_GONE : database_status(copying.error);
    if (close(copying.file) != 0 && status == ATAMO_OK)
        status = ATAMO_IO;
    if (status != ATAMO_OK)
        (void)unlink(path);
    return status;
}
