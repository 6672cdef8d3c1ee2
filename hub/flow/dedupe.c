/* dedupe - events that were accepted a while ago.
 *
 * Happy path: a ring of what was seen, oldest first, and buckets over it; adding one lets go of
 * those whose time is over. The ring grows up to its limit, then the oldest gives way.
 *
 * A stored row: u8 format, i64 time of the newest (Unix ns), then for each event 16 bytes of hash,
 * u64 number and i64 time.
 */
#include "flow/dedupe.h"

#include "base/hash.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1, HEAD_SIZE = 9, ENTRY_SIZE = 32, ROOM_FIRST = 256 };

struct dedupe {
    int64_t window_ns;
    uint32_t max;
    uint64_t seed;
    struct seen *ring; /* place of the n-th ever: n % room */
    uint32_t *buckets; /* `room` of them; places from 1 */
    uint32_t room;     /* a power of two */
    uint64_t first, end, stored;
};

struct dedupe *dedupe_open(int64_t window_ns, uint32_t max, uint64_t seed)
{
    struct dedupe *dedupe = calloc(1, sizeof *dedupe);

    if (dedupe != NULL)
        *dedupe = (struct dedupe){.window_ns = window_ns, .max = max, .seed = seed};
    return dedupe;
}

void dedupe_close(struct dedupe *dedupe)
{
    if (dedupe == NULL)
        return;
    free(dedupe->ring);
    free(dedupe->buckets);
    free(dedupe);
}

void dedupe_set(struct dedupe *dedupe, int64_t window_ns, uint32_t max)
{
    dedupe->window_ns = window_ns;
    dedupe->max = max;
}

/* --- what makes an event the same */

static atamo_bytes idempotency_key(const struct message *message)
{
    atamo_extension_attribute list[MESSAGE_EXTENSIONS_MAX];
    const size_t count = message->extension_count == 0 ? 0 : message_extensions(message, list);

    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name.data, "idempotencykey") == 0)
            return list[i].value;
    return (atamo_bytes){"", 0};
}

bool dedupe_key(const struct dedupe *dedupe, const struct message *message,
                struct identity_key *key)
{
    const atamo_bytes given = idempotency_key(message);
    const bool by_key = given.size > 0;
    const atamo_bytes parts[] = {
        message_attribute(message, ATAMO_TENANT),
        message_attribute(message, by_key ? ATAMO_USER : ATAMO_SOURCE),
        by_key ? given : message_attribute(message, ATAMO_ID),
    };

    if (parts[2].size == 0)
        return false;
    for (unsigned half = 0; half < 2; half++) {
        uint64_t hash = dedupe->seed ^ (half * 2 + by_key + UINT64_C(1));

        for (unsigned i = 0; i < 3; i++)
            hash = hash_bytes(hash, parts[i]);
        key->half[half] = hash;
    }
    return true;
}

static bool same(const struct identity_key *a, const struct identity_key *b)
{
    return a->half[0] == b->half[0] && a->half[1] == b->half[1];
}

/* --- the ring */

static struct seen *at(const struct dedupe *dedupe, uint64_t n)
{
    return &dedupe->ring[n & (dedupe->room - 1)];
}

static uint32_t *bucket_of(const struct dedupe *dedupe, const struct identity_key *key)
{
    return &dedupe->buckets[key->half[0] & (dedupe->room - 1)];
}

static void link_in(struct dedupe *dedupe, uint64_t n)
{
    struct seen *seen = at(dedupe, n);
    uint32_t *bucket = bucket_of(dedupe, &seen->key);

    seen->next = *bucket;
    *bucket = (uint32_t)(n & (dedupe->room - 1)) + 1;
}

static void drop_first(struct dedupe *dedupe)
{
    const struct seen *seen = at(dedupe, dedupe->first);
    const uint32_t place = (uint32_t)(dedupe->first & (dedupe->room - 1)) + 1;
    uint32_t *link = bucket_of(dedupe, &seen->key);

    while (*link != place)
        link = &dedupe->ring[*link - 1].next;
    *link = seen->next;
    dedupe->first++;
    if (dedupe->stored < dedupe->first)
        dedupe->stored = dedupe->first;
}

/* Twice the room. False without memory. */
static bool grow(struct dedupe *dedupe)
{
    const uint32_t room = dedupe->room == 0 ? ROOM_FIRST : dedupe->room * 2;
    struct seen *ring = malloc(room * sizeof *ring);
    uint32_t *buckets = calloc(room, sizeof *buckets);

    if (ring == NULL || buckets == NULL) {
        free(ring);
        free(buckets);
        return false;
    }
    for (uint64_t n = dedupe->first; n < dedupe->end; n++)
        ring[n & (room - 1)] = *at(dedupe, n);
    free(dedupe->ring);
    free(dedupe->buckets);
    dedupe->ring = ring;
    dedupe->buckets = buckets;
    dedupe->room = room;
    for (uint64_t n = dedupe->first; n < dedupe->end; n++)
        link_in(dedupe, n);
    return true;
}

static bool is_over(const struct dedupe *dedupe, const struct seen *seen, int64_t now)
{
    return seen->at_ns < now - dedupe->window_ns;
}

static struct seen *find(const struct dedupe *dedupe, const struct identity_key *key)
{
    uint32_t place = dedupe->room == 0 ? 0 : *bucket_of(dedupe, key);

    while (place != 0) {
        struct seen *seen = &dedupe->ring[place - 1];

        if (same(&seen->key, key) && !seen->forgotten)
            return seen;
        place = seen->next;
    }
    return NULL;
}

const struct seen *dedupe_find(const struct dedupe *dedupe, const struct identity_key *key,
                               int64_t now)
{
    const struct seen *seen = find(dedupe, key);

    return seen == NULL || is_over(dedupe, seen, now) ? NULL : seen;
}

void dedupe_add(struct dedupe *dedupe, const struct seen *seen, int64_t now)
{
    while (dedupe->end > dedupe->first && (dedupe->end - dedupe->first >= dedupe->max ||
                                           is_over(dedupe, at(dedupe, dedupe->first), now)))
        drop_first(dedupe);
    if (dedupe->max == 0 || (dedupe->end - dedupe->first == dedupe->room && !grow(dedupe)))
        return;
    *at(dedupe, dedupe->end) = *seen;
    link_in(dedupe, dedupe->end++);
}

void dedupe_forget(struct dedupe *dedupe, const struct identity_key *key)
{
    struct seen *seen = find(dedupe, key);

    if (seen != NULL)
        seen->forgotten = true;
}

/* --- rows */

size_t dedupe_size(const struct dedupe *dedupe)
{
    const uint64_t count = dedupe->end - dedupe->stored;

    return count == 0 ? 0 : HEAD_SIZE + (size_t)count * ENTRY_SIZE;
}

static char *put64(char *out, uint64_t number)
{
    number = htole64(number);
    memcpy(out, &number, sizeof number);
    return out + sizeof number;
}

static uint64_t get64(const char *from)
{
    uint64_t number;

    memcpy(&number, from, sizeof number);
    return le64toh(number);
}

void dedupe_store(struct dedupe *dedupe, char *out)
{
    assert(dedupe->end > dedupe->stored);
    *out++ = FORMAT;
    out = put64(out, (uint64_t)at(dedupe, dedupe->end - 1)->at_ns);
    for (; dedupe->stored < dedupe->end; dedupe->stored++) {
        const struct seen *seen = at(dedupe, dedupe->stored);

        out = put64(out, seen->key.half[0]);
        out = put64(out, seen->key.half[1]);
        out = put64(out, seen->forgotten ? 0 : seen->number);
        out = put64(out, (uint64_t)seen->at_ns);
    }
}

int dedupe_restore(struct dedupe *dedupe, atamo_bytes row, int64_t now)
{
    if (row.size < HEAD_SIZE || row.data[0] != FORMAT || (row.size - HEAD_SIZE) % ENTRY_SIZE != 0)
        return ATAMO_DAMAGED;
    for (const char *from = row.data + HEAD_SIZE; from < row.data + row.size; from += ENTRY_SIZE) {
        const struct seen seen = {.key = {{get64(from), get64(from + 8)}},
                                  .number = get64(from + 16),
                                  .at_ns = (int64_t)get64(from + 24)};

        if (seen.number != 0 && !is_over(dedupe, &seen, now))
            dedupe_add(dedupe, &seen, now);
    }
    dedupe->stored = dedupe->end;
    return ATAMO_OK;
}
