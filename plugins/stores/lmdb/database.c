/* database - the LMDB environment.
 *
 * Happy path: lock the owner file, open the environment without a subfolder, make or find the
 * table, read the format's version from the record with the empty space. Transactions are LMDB's
 * own; this file turns its errors into statuses. It fails if another hub has the store, if the file
 * is no store or one of another format, or if the system refuses.
 *
 * LMDB documents (lmdb.h, mdb_env_set_mapsize) that the map may be resized only while no
 * transaction of the process is active: readers hold `map` shared, growing holds it alone.
 */
#include "database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { READERS_MAX = 1024, MODE = 0600 };

#define MAP_FIRST ((size_t)64 << 20)
#define STRETCH   ((size_t)4 << 20)

static const char format_key[] = "\0format";
static const char format_value[] = "atamo store 1";

int database_status(int error)
{
    switch (error) {
    case MDB_SUCCESS:
        return ATAMO_OK;
    case MDB_NOTFOUND:
    case ENOENT:
        return ATAMO_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ATAMO_FULL;
    case ENOMEM:
        return ATAMO_NO_MEMORY;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return ATAMO_DAMAGED;
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return ATAMO_INVALID;
    case MDB_READERS_FULL:
        return ATAMO_BUSY;
    default:
        return ATAMO_IO;
    }
}

/* --- opening */

static int fail(int status, char *why, const char *path, const char *text)
{
    (void)snprintf(why, DATABASE_WHY, "%.300s: %.200s", path, text);
    return status;
}

/* Two hubs on one store would overwrite each other's idea of what is in flight. */
static int take_lock(struct database *database, const char *path, char *why)
{
    char name[4096];
    char text[128];

    if (snprintf(name, sizeof name, "%s-owner", path) >= (int)sizeof name)
        return fail(ATAMO_INVALID, why, path, "the path is too long");
    database->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, MODE);
    if (database->lock < 0)
        return fail(ATAMO_IO, why, name, strerror_r(errno, text, sizeof text));
    if (flock(database->lock, LOCK_EX | LOCK_NB) == 0)
        return ATAMO_OK;
    return fail(ATAMO_EXISTS, why, path, "another hub has this store open");
}

static int open_table(struct database *database, bool read_only)
{
    MDB_txn *txn;
    int error = mdb_txn_begin(database->env, NULL, read_only ? MDB_RDONLY : 0, &txn);

    if (error != MDB_SUCCESS)
        return error;
    error = mdb_dbi_open(txn, NULL, 0, &database->table);
    if (error != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return error;
    }
    return mdb_txn_commit(txn);
}

struct found {
    char text[64];
    uint64_t version;
};

static int note_found(void *user, const atamo_record *record)
{
    struct found *found = user;

    (void)snprintf(found->text, sizeof found->text, "%.*s", (int)record->value.size,
                   record->value.data);
    found->version = record->version;
    return 0;
}

static const atamo_bytes format_record = {format_key, sizeof format_key - 1};

static int write_format(struct database *database)
{
    MDB_txn *txn;
    const int status = database_begin(database, &txn);

    return status == ATAMO_OK ? database_commit(database, txn) : status;
}

static int check_format(struct database *database, const struct database_settings *settings,
                        char *why)
{
    struct found found = {"", 0};
    MDB_stat stat;
    int status = database_get(database, format_record, 1, note_found, &found);

    if (status == ATAMO_OK && strcmp(found.text, format_value) == 0) {
        database->version = found.version;
        return ATAMO_OK;
    }
    if (status == ATAMO_OK)
        return fail(ATAMO_INVALID, why, settings->path,
                    "the store is of a version that this program does not know");
    if (status != ATAMO_NOT_FOUND)
        return fail(status, why, settings->path, "the record of the format is damaged");
    if (mdb_env_stat(database->env, &stat) != MDB_SUCCESS || stat.ms_entries > 0)
        return fail(ATAMO_INVALID, why, settings->path, "an LMDB file, but not a store of Atamo");
    if (settings->read_only)
        return fail(ATAMO_NOT_FOUND, why, settings->path, "the store is empty");
    status = write_format(database);
    return status == ATAMO_OK
               ? ATAMO_OK
               : fail(status, why, settings->path, "the format could not be written");
}

static int open_env(struct database *database, const struct database_settings *settings)
{
    const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (settings->read_only ? MDB_RDONLY : 0) |
                           (settings->syncs ? 0 : MDB_NOSYNC);
    int error = mdb_env_create(&database->env);

    if (error == MDB_SUCCESS)
        error = mdb_env_set_maxreaders(database->env, READERS_MAX);
    if (error == MDB_SUCCESS)
        error = mdb_env_set_mapsize(database->env, database->map_size);
    if (error == MDB_SUCCESS)
        error = mdb_env_open(database->env, settings->path, flags, MODE);
    if (error == MDB_SUCCESS)
        error = open_table(database, settings->read_only);
    return error;
}

int database_open(struct database *database, const struct database_settings *settings, char *why)
{
    MDB_envinfo info;
    int status = ATAMO_OK;
    int error;

    memset(database, 0, sizeof *database);
    database->lock = -1;
    database->map_max = settings->max_size;
    database->map_size = MAP_FIRST < settings->max_size ? MAP_FIRST : settings->max_size;
    if (pthread_rwlock_init(&database->map, NULL) != 0)
        return fail(ATAMO_NO_MEMORY, why, settings->path, "no memory");
    if (!settings->read_only)
        status = take_lock(database, settings->path, why);
    if (status == ATAMO_OK) {
        error = open_env(database, settings);
        status = database_status(error);
        if (status != ATAMO_OK)
            (void)fail(status, why, settings->path, mdb_strerror(error));
    }
    if (status == ATAMO_OK && mdb_env_info(database->env, &info) == MDB_SUCCESS)
        database->map_size = info.me_mapsize;
    if (status == ATAMO_OK)
        status = check_format(database, settings, why);
    if (status != ATAMO_OK)
        database_close(database);
    return status;
}

void database_close(struct database *database)
{
    if (database->env != NULL)
        mdb_env_close(database->env);
    database->env = NULL;
    if (database->lock >= 0)
        (void)close(database->lock);
    database->lock = -1;
    (void)pthread_rwlock_destroy(&database->map);
}

/* --- writing */

int database_begin(struct database *database, MDB_txn **txn)
{
    return database_status(mdb_txn_begin(database->env, NULL, 0, txn));
}

int database_expect(const struct database *database, MDB_txn *txn, atamo_bytes key,
                    uint64_t expected)
{
    MDB_val name = database_val(key);
    MDB_val value;
    const int error = mdb_get(txn, database->table, &name, &value);

    if (error == MDB_NOTFOUND)
        return expected == UINT64_MAX ? ATAMO_OK : ATAMO_CONFLICT;
    if (error != MDB_SUCCESS)
        return database_status(error);
    return record_open(key, database_bytes(&value)).version == expected ? ATAMO_OK : ATAMO_CONFLICT;
}

int database_put(struct database *database, MDB_txn *txn, atamo_bytes key, atamo_bytes value)
{
    MDB_val name = database_val(key);
    MDB_val room = {RECORD_HEAD + value.size, NULL};
    const int error = mdb_put(txn, database->table, &name, &room, MDB_RESERVE);

    if (error != MDB_SUCCESS)
        return database_status(error);
    memcpy((char *)room.mv_data + RECORD_HEAD, value.data, value.size);
    record_seal(key, room.mv_data, value.size, ++database->version);
    return ATAMO_OK;
}

int database_delete(const struct database *database, MDB_txn *txn, atamo_bytes key)
{
    MDB_val name = database_val(key);
    const int error = mdb_del(txn, database->table, &name, NULL);

    return error == MDB_NOTFOUND ? ATAMO_OK : database_status(error);
}

int database_commit(struct database *database, MDB_txn *txn)
{
    /* The record of the format has the highest version, so that none is given out twice. */
    const int status = database_put(database, txn, format_record, atamo_text(format_value));

    if (status == ATAMO_OK)
        return database_status(mdb_txn_commit(txn));
    mdb_txn_abort(txn);
    return status;
}

static int set_map(struct database *database, size_t size)
{
    int status;

    (void)pthread_rwlock_wrlock(&database->map);
    status = database_status(mdb_env_set_mapsize(database->env, size));
    (void)pthread_rwlock_unlock(&database->map);
    return status;
}

int database_grow(struct database *database)
{
    const size_t larger =
        database->map_size < database->map_max / 2 ? database->map_size * 2 : database->map_max;
    int status;

    if (larger == database->map_size)
        return ATAMO_FULL;
    status = set_map(database, larger);
    if (status == ATAMO_OK)
        database->map_size = larger;
    return status;
}

int database_stretch(struct database *database)
{
    return set_map(database, database->map_size + database->map_size / 8 + STRETCH);
}

void database_relax(struct database *database)
{
    (void)set_map(database,
                  database->map_size); /* LMDB never makes it smaller than what is in use */
}
