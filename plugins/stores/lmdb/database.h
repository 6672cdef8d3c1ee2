/* database - the LMDB environment: open, its format's version, its map that grows, reading.
 *
 * One ordered table holds everything. The file is used by one process that writes and any number
 * that read. Opening for writing takes a lock on a file beside it, so that two hubs never share a
 * store.
 *
 * Threads: one writes (database_begin() to database_commit()); any read. A read holds the map in
 * its place; growing it waits for reads to end.
 */
#ifndef STORES_LMDB_DATABASE_H
#define STORES_LMDB_DATABASE_H

#include "record.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdbool.h>

enum { DATABASE_WHY = 512 };

struct database {
    MDB_env *env;
    MDB_dbi table;
    pthread_rwlock_t map; /* read: in a read transaction; write: the map is being moved */
    size_t map_size;
    size_t map_max;
    int lock;         /* descriptor of the lock file; -1: opened for reading only */
    uint64_t version; /* the last one given to a record */
};

struct database_settings {
    const char *path; /* of the file; "-lock" and "-owner" stand beside it */
    size_t max_size;  /* of the file */
    bool read_only;
    bool syncs; /* false: commits are not synced, and nothing may be called safe */
};

/* Open, or make if it is not there. ATAMO_OK; ATAMO_EXISTS: another process writes it;
 * ATAMO_INVALID: no store, or of a version that is not known; ATAMO_NOT_FOUND, ATAMO_IO,
 * ATAMO_NO_MEMORY; with a sentence in `why` (DATABASE_WHY bytes). */
int database_open(struct database *database, const struct database_settings *settings, char *why);
void database_close(struct database *database);

/* What an LMDB or system error means. */
int database_status(int error);

static inline MDB_val database_val(atamo_bytes bytes)
{
    return (MDB_val){bytes.size, (void *)(uintptr_t)bytes.data};
}

static inline atamo_bytes database_bytes(const MDB_val *val)
{
    return (atamo_bytes){val->mv_data, val->mv_size};
}

/* --- writing */

/* Begin the one transaction that writes. */
int database_begin(struct database *database, MDB_txn **txn);

/* ATAMO_CONFLICT if the key's version is not `expected` (as in atamo_write). */
int database_expect(const struct database *database, MDB_txn *txn, atamo_bytes key,
                    uint64_t expected);
int database_put(struct database *database, MDB_txn *txn, atamo_bytes key, atamo_bytes value);
int database_delete(const struct database *database, MDB_txn *txn, atamo_bytes key);

/* All of it is on stable storage, or the status says why not. */
int database_commit(struct database *database, MDB_txn *txn);

/* Double the map, after ATAMO_FULL from one of the above; no transaction of this process may be
 * open. ATAMO_FULL: it is as large as it may be. */
int database_grow(struct database *database);

/* Deleting needs some pages before it frees any. Let one transaction that makes room go a little
 * beyond the limit, and take that back afterwards. */
int database_stretch(struct database *database);
void database_relax(struct database *database);

/* --- reading */

/* As atamo_store's; keys in the database begin with `space` and a NUL. */
int database_get(struct database *database, atamo_bytes key, size_t space, atamo_record_fn fn,
                 void *user);
struct database_range {
    atamo_bytes prefix; /* of keys in the database */
    atamo_bytes from;   /* the first key, not before the prefix */
    size_t strip;       /* bytes of a key that are not shown */
    size_t limit;
    bool damaged_only;
    atamo_store_progress_fn progress; /* NULL: nobody asks */
};
int database_scan(struct database *database, const struct database_range *range, atamo_record_fn fn,
                  void *user);

/* Copy one state to a new file. */
int database_copy(struct database *database, const char *path, atamo_store_progress_fn progress,
                  void *user);

#endif
