/* result - what an agent has responded to one action, kept for others who ask the same.
 *
 * Of a request that ends: all data, in order, and the latest progress. Of a feed: the latest of
 * each key, so that whoever comes late can load and then follow. Payloads are shared with those who
 * got them, not copied. Counted references; all of it belongs to the hub's thread.
 */
#ifndef HUB_FLOW_RESULT_H
#define HUB_FLOW_RESULT_H

#include "base/cache.h"
#include "flow/reply.h"

enum { RESULT_WHY = 256 };

struct result {
    uint32_t refs;
    bool has_failed;
    struct payload *first, *last; /* linked by `later`, oldest first */
    struct payload *progress;     /* the latest; NULL: none */
    size_t bytes;                 /* all that is counted for it */
    struct cache *latest;         /* of a feed: by key; else NULL */
    int64_t retry_at;             /* it is stale and could not be had anew: not before, Unix ns */
    char why[RESULT_WHY];         /* if it has failed */
};

/* With one reference; `feed` are the limits of a feed's, or NULL. NULL without memory. */
struct result *result_make(const struct cache_limits *feed);

/* How an action failed. NULL without memory. */
struct result *result_make_failed(atamo_bytes why);

static inline struct result *result_ref(struct result *result)
{
    result->refs++;
    return result;
}

/* NULL is fine. */
void result_unref(struct result *result);

/* Forget what is in it. */
void result_clear(struct result *result);

/* How far it had come is no news when it is done. */
void result_forget_progress(struct result *result);

/* One response more. False: it is not in it, for want of memory or because it is too large for the
 * limits of a feed; then the result is not complete. */
bool result_add(struct result *result, struct payload *payload, int64_t now);

#endif
