/* result - responses that are kept for others.
 *
 * Happy path: each response is linked behind the one before it. In a feed the one of the same key
 * is let go when the newer one has its place in the cache of keys. Nothing is allocated but for
 * those keys, which is the one thing that can fail.
 */
#include "flow/result.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void let_go(struct payload *payload)
{
    struct reply_memory memory = {NULL, NULL};

    payload_release(payload, &memory);
    reply_memory_return(&memory);
}

static size_t cost(const struct payload *payload)
{
    return sizeof *payload + payload->size + payload->key_size;
}

static void append(struct result *result, struct payload *payload)
{
    payload->earlier = result->last;
    payload->later = NULL;
    if (result->last == NULL)
        result->first = payload;
    else
        result->last->later = payload;
    result->last = payload_ref(payload);
    result->bytes += cost(payload);
}

/* Also the cache's drop(): a newer one of the same key has come, or there is no room. */
static void take_out(void *user, void *value)
{
    struct result *result = user;
    struct payload *payload = value;

    if (payload->earlier == NULL)
        result->first = payload->later;
    else
        payload->earlier->later = payload->later;
    if (payload->later == NULL)
        result->last = payload->earlier;
    else
        payload->later->earlier = payload->earlier;
    result->bytes -= cost(payload);
    let_go(payload);
}

static bool open_latest(struct result *result, const struct cache_limits *limits)
{
    result->latest = malloc(sizeof *result->latest);
    if (result->latest == NULL)
        return false;
    if (cache_open(result->latest, *limits, take_out, result) == ATAMO_OK)
        return true;
    free(result->latest);
    return false;
}

struct result *result_make(const struct cache_limits *feed)
{
    struct result *result = calloc(1, sizeof *result);

    if (result == NULL)
        return NULL;
    result->refs = 1;
    result->bytes = sizeof *result;
    if (feed != NULL && !open_latest(result, feed)) {
        free(result);
        return NULL;
    }
    return result;
}

struct result *result_make_failed(atamo_bytes why)
{
    struct result *result = result_make(NULL);

    if (result == NULL)
        return NULL;
    result->has_failed = true;
    memcpy(result->why, why.data, why.size < RESULT_WHY ? why.size : RESULT_WHY - 1);
    return result;
}

void result_forget_progress(struct result *result)
{
    if (result->progress != NULL)
        let_go(result->progress);
    result->progress = NULL;
}

void result_clear(struct result *result)
{
    if (result->latest != NULL)
        cache_clear(result->latest);
    while (result->first != NULL)
        take_out(result, result->first);
    result_forget_progress(result);
}

void result_unref(struct result *result)
{
    if (result == NULL || --result->refs > 0)
        return;
    result_clear(result);
    if (result->latest != NULL) {
        cache_close(result->latest);
        free(result->latest);
    }
    free(result);
}

bool result_add(struct result *result, struct payload *payload, int64_t now)
{
    struct cache_item item = {.key = payload_key(payload), .value = payload};

    if (payload->kind == ATAMO_RESPONSE_PROGRESS) {
        result_forget_progress(result);
        result->progress = payload_ref(payload);
        return true;
    }
    append(result, payload);
    if (result->latest == NULL)
        return true;
    item.hash = hash_bytes(0, item.key);
    item.bytes = cost(payload);
    item.fresh_ns = INT64_MAX - now;
    if (cache_put(result->latest, &item, now) == ATAMO_OK)
        return true;
    take_out(result, payload);
    return false;
}
