/* atamo/store.h - the role of a plugin that keeps dead letters and key-value state.
 *
 * A store works in batches: the hub gathers what must be written together into one transaction and
 * hands it over; `done` is called once, when all of it is as safe as the store's durability says,
 * or nothing of it is there.
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

/* One write. `space` keeps kinds of things apart ("dead", "kv/mail/acme"); keys sort bytewise. */
typedef struct atamo_write {
    uint32_t size; /* sizeof(atamo_write) */
    uint32_t kind; /* enum atamo_write_kind */
    atamo_bytes space;
    atamo_bytes key;   /* 1 to 400 bytes */
    atamo_bytes value; /* at most 16 MiB */
    uint64_t expected; /* version the key must have; 0: any; UINT64_MAX: must not exist */
} atamo_write;

/* One thing read. `version` grows with every put of that key. */
typedef struct atamo_record {
    atamo_bytes key;
    atamo_bytes value;
    uint64_t version;
} atamo_record;

struct atamo_store {
    uint32_t size;       /* sizeof(atamo_store) */
    uint32_t durability; /* enum atamo_durability: the most it can promise */

    /* Write all or nothing, in order. `done(user, status)` follows exactly once, on any thread,
     * also within this call: ATAMO_OK, ATAMO_CONFLICT (a version was not as expected), ATAMO_IO,
     * ATAMO_NO_MEMORY. Returns ATAMO_OK if `done` will be called, ATAMO_BUSY if the store's queue
     * is full. What the writes point at may be reused after the return. [loop] */
    int (*write)(void *self, const atamo_write *writes, size_t count,
                 void (*done)(void *user, int status), void *user);

    /* Read one key. The record is valid until the next call on this thread. ATAMO_NOT_FOUND. [any]
     */
    int (*get)(void *self, atamo_bytes space, atamo_bytes key, atamo_record *record);

    /* Visit the keys from `from` on, ascending, that begin with `prefix`, until fn returns non-zero
     * or `limit` were seen. [any] */
    int (*scan)(void *self, atamo_bytes space, atamo_bytes prefix, atamo_bytes from, size_t limit,
                int (*fn)(void *user, const atamo_record *record), void *user);
};

#ifdef __cplusplus
}
#endif

#endif
