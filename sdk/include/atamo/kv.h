/* atamo/kv.h - state that an agent keeps in the hub's store: the extension "atamo.kv/1".
 *
 *     const atamo_kv *kv = host->extension(host, ATAMO_KV_EXTENSION);
 *     ...
 *     kv->get(host, action, atamo_text("balance"), note, &seen);
 *     kv->put(host, action, atamo_text("balance"), value, seen.version);
 *     atamo_done(host, action);
 *
 * Keys belong to one agent (as the configuration names it) and one tenant (of the action's event):
 * no other agent and no other tenant sees them. Writes are held until the action is settled. If it
 * is done they are committed together with that outcome and the events that the action emitted: all
 * of it takes effect, once, or nothing does. With any other outcome, or when a version was not as
 * expected, nothing takes effect. Reads see what is committed, not what this action has put.
 *
 * A version that is not as expected makes the attempt fail with ATAMO_REASON_CONFLICT, and the
 * action is tried again as its retry policy says. Actions with the same partition key never run
 * into each other; elsewhere a conflict is how two actions that read and write one key take turns.
 *
 * A hub without a store does not offer this extension: host->extension() returns NULL.
 */
#ifndef ATAMO_KV_H
#define ATAMO_KV_H

#include "atamo/store.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATAMO_KV_EXTENSION "atamo.kv/1"

/* `expected` of a write: any version will do; the key must not be there. */
#define ATAMO_KV_ANY  UINT64_C(0)
#define ATAMO_KV_NONE UINT64_MAX

typedef struct atamo_kv {
    uint32_t size; /* sizeof(atamo_kv) */
    uint32_t reserved;

    /* Show the key's record to `fn`, once. ATAMO_NOT_FOUND, ATAMO_GONE (the action was settled),
     * ATAMO_TOO_LARGE, ATAMO_DAMAGED, ATAMO_IO. Reads memory or disk: for [worker] rather than
     * [loop]. [any] */
    int (*get)(const atamo_host *host, atamo_action action, atamo_bytes key, atamo_record_fn fn,
               void *user);

    /* Show the records whose keys begin with `prefix`, ascending, from `from` on (empty: the
     * first), until fn returns non-zero. Within fn the hub must not be called. [any] */
    int (*scan)(const atamo_host *host, atamo_action action, atamo_bytes prefix, atamo_bytes from,
                atamo_record_fn fn, void *user);

    /* Set the key, or delete it, when the action is done. `expected`: the version the key must have
     * then (from atamo_record), ATAMO_KV_ANY or ATAMO_KV_NONE. Key and value are copied.
     * ATAMO_TOO_LARGE: over 1,024 writes and events in one action, a value over ATAMO_VALUE_MAX, or
     * agent, tenant and key over 398 bytes in all. ATAMO_GONE, ATAMO_INVALID (no key),
     * ATAMO_NO_MEMORY. [any] */
    int (*put)(const atamo_host *host, atamo_action action, atamo_bytes key, atamo_bytes value,
               uint64_t expected);
    int (*remove)(const atamo_host *host, atamo_action action, atamo_bytes key, uint64_t expected);
} atamo_kv;

#ifdef __cplusplus
}
#endif

#endif
