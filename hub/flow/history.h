/* history - the steps of every message, in the store: what `atamo trace` reads.
 *
 * Records are committed with the state they describe: a commit takes all that was recorded until
 * then as one chunk (store/chunk.h), and the end of an action that is done is written with the rows
 * that it changes, before the record goes out. What changes no state (refusals, attempts) goes with
 * the next commit, or by itself after a moment. Old chunks go by age and size.
 */
#ifndef HUB_FLOW_HISTORY_H
#define HUB_FLOW_HISTORY_H

#include "flow/dedupe.h"
#include "flow/series.h"
#include "store/chunk.h"

struct history {
    struct flow *flow;
    struct chunk_writer chunk;
    struct series journal; /* space "journal": chunks */
    struct series seen;    /* space "seen": ids of events, see dedupe.h */
    struct dedupe *dedupe; /* NULL: none */
    int64_t since;         /* when the oldest record came that is not handed over; 0: none */
};

/* Begin where the store ends, with the ids that were seen. ATAMO_NO_MEMORY, or the store's failure.
 */
int history_open(struct flow *flow, struct history **history);
void history_close(struct history *history);

/* An action that ends with the commit that gathers. */
void history_done(struct history *history, const struct action *action);

/* Must what is recorded be written now, even if nothing else is? */
bool history_is_due(const struct history *history);
int64_t history_due(const struct history *history);

/* Is nothing left to be written? */
bool history_is_kept(const struct history *history);

/* Add all that is recorded to the commit, which is about to be handed over. */
void history_keep(struct history *history, struct commit *commit);

#endif
