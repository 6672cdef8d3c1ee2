/* atamo/store.h - the role of a plugin that keeps what must outlive the process.
 *
 * A store is an ordered map: `space` and key to value, with a version for each. It works in
 * batches: the hub gathers what must be written together into one transaction and hands it over;
 * `done` is called once, when all of it is as safe as the store's durability says, or none of it is
 * there. What events, actions, journals and dead letters look like in it is the hub's business
 * alone.
 *
 * A store that cannot sync must not say ATAMO_SYNCED. After a sync that failed nothing may be
 * acknowledged any more: every later write answers ATAMO_IO until the store is opened again.
 *
 * Threads: write() is called on one thread at a time; get(), scan(), verify() and backup() on any,
 * also at the same time.
 */
#ifndef ATAMO_STORE_H
#define ATAMO_STORE_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum atamo_durability {
    ATAMO_MEMORY = 1, /* gone with the process */
    ATAMO_SYNCED = 2  /* on stable storage when `done` is called */
} atamo_durability;

typedef enum atamo_write_kind {
    ATAMO_WRITE_PUT = 1,   /* key := value */
    ATAMO_WRITE_DELETE = 2 /* key is gone; no error if it was not there */
} atamo_write_kind;

enum { ATAMO_SPACE_MAX = 100, ATAMO_KEY_MAX = 400, ATAMO_VALUE_MAX = 64 << 20 };

/* One write. `space` keeps kinds of things apart ("dead", "kv/mail/acme"); keys sort bytewise. */
typedef struct atamo_write {
    uint32_t size;     /* sizeof(atamo_write) */
    uint32_t kind;     /* enum atamo_write_kind */
    atamo_bytes space; /* 1 to ATAMO_SPACE_MAX bytes, none of them NUL */
    atamo_bytes key;   /* 1 to ATAMO_KEY_MAX bytes */
    atamo_bytes value; /* at most ATAMO_VALUE_MAX bytes */
    uint64_t expected; /* version the key must have before the batch; 0: any; UINT64_MAX: none */
} atamo_write;

/* One thing read. `version` grows with every put of that key and is never 0. */
typedef struct atamo_record {
    atamo_bytes key;
    atamo_bytes value; /* empty if it is damaged */
    uint64_t version;
    int32_t status; /* ATAMO_OK, ATAMO_DAMAGED */
    uint32_t reserved;
} atamo_record;

/* Keys of one space, from `from` on, that begin with `prefix`. */
typedef struct atamo_range {
    uint32_t size; /* sizeof(atamo_range) */
    uint32_t reserved;
    atamo_bytes space;
    atamo_bytes prefix; /* empty: all */
    atamo_bytes from;   /* empty: the first */
    uint64_t limit;     /* of records; 0: none */
} atamo_range;

/* What is shown is valid during the call; another value than 0 ends the visit. The store must not
 * be called from within. */
typedef int (*atamo_record_fn)(void *user, const atamo_record *record);

/* How far long work is; another value than 0 ends it. */
typedef int (*atamo_store_progress_fn)(void *user, uint64_t done, uint64_t total);

struct atamo_store {
    uint32_t size;       /* sizeof(atamo_store) */
    uint32_t durability; /* enum atamo_durability: the most it can promise */

    /* Write all or nothing, in order; batches take effect in the order of the calls. `done(user,
     * status)` follows exactly once and in that order, on any thread, also within this call:
     * ATAMO_OK, ATAMO_CONFLICT (a version was not as expected), ATAMO_FULL (works again when there
     * is room), ATAMO_IO, ATAMO_NO_MEMORY. Returns ATAMO_OK if `done` will be called; ATAMO_BUSY if
     * the store's queue is full, ATAMO_INVALID, ATAMO_TOO_LARGE. What the writes point at may be
     * reused after the return. */
    int (*write)(void *self, const atamo_write *writes, size_t count,
                 void (*done)(void *user, int status), void *user);

    /* Show one key to `fn`, once. ATAMO_NOT_FOUND; ATAMO_DAMAGED, and fn is shown what is left. */
    int (*get)(void *self, atamo_bytes space, atamo_bytes key, atamo_record_fn fn, void *user);

    /* Visit the keys of a range, ascending, until fn returns non-zero. What is seen is one state of
     * the store. */
    int (*scan)(void *self, const atamo_range *range, atamo_record_fn fn, void *user);

    /* Read everything there is and check it. `fn` is shown each damaged record, its key as
     * "space/key". ATAMO_DAMAGED if there was one. May be NULL: nothing can be damaged. */
    int (*verify)(void *self, atamo_record_fn fn, atamo_store_progress_fn progress, void *user);

    /* Copy one state of the store to `path`, which must not be there, while writes go on. May be
     * NULL: there is nothing worth keeping. ATAMO_EXISTS, ATAMO_IO, ATAMO_FULL, ATAMO_GONE (ended
     * by `progress`); then nothing is left at `path`. */
    int (*backup)(void *self, const char *path, atamo_store_progress_fn progress, void *user);
};

#ifdef __cplusplus
}
#endif

#endif
