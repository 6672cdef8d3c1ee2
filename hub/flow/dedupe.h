/* dedupe - events that were accepted a while ago, by what makes them the same.
 *
 * Two events are the same if tenant, source and id are, or, where the client gave the extension
 * attribute "idempotencykey", if tenant, user and that key are. Events without either are never the
 * same as another. Ids are kept as 128 bits of a hash whose seed only this hub knows, for as long
 * as the window says, and at most so many; the oldest go first. Hub's thread.
 */
#ifndef HUB_FLOW_DEDUPE_H
#define HUB_FLOW_DEDUPE_H

#include "model/message.h"

#include <stdbool.h>

struct dedupe;

/* What makes an event the same as another. */
struct identity_key {
    uint64_t half[2];
};

/* An event that was seen. */
struct seen {
    struct identity_key key;
    uint64_t number; /* of the message */
    int64_t at_ns;   /* Unix */
    uint64_t serial; /* of the commit that makes it safe */
    uint32_t next;   /* in its bucket, from 1 */
    bool forgotten;  /* it was not accepted after all */
};

/* NULL without memory. */
struct dedupe *dedupe_open(int64_t window_ns, uint32_t max, uint64_t seed);
void dedupe_close(struct dedupe *dedupe);

/* Another window from now on. */
void dedupe_set(struct dedupe *dedupe, int64_t window_ns, uint32_t max);

/* False: the event is not the same as any other. */
bool dedupe_key(const struct dedupe *dedupe, const struct message *message,
                struct identity_key *key);

/* The event that was the same, or NULL. Valid until the next is added. */
const struct seen *dedupe_find(const struct dedupe *dedupe, const struct identity_key *key,
                               int64_t now);

/* It was accepted. Without memory it is not remembered. */
void dedupe_add(struct dedupe *dedupe, const struct seen *seen, int64_t now);

/* It was not, after all. */
void dedupe_forget(struct dedupe *dedupe, const struct identity_key *key);

/* Those that were added since they were last stored, as a row of a series: its size, or 0 if there
 * are none; written to `out`, and stored from then on. */
size_t dedupe_size(const struct dedupe *dedupe);
void dedupe_store(struct dedupe *dedupe, char *out);

/* Take up a row of an earlier life. ATAMO_DAMAGED. */
int dedupe_restore(struct dedupe *dedupe, atamo_bytes row, int64_t now);

#endif
