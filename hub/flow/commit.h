/* commit - what a durable hub writes before it goes on.
 *
 * An event and the actions that rules made of it are committed before any of them is scheduled; an
 * action that is done is committed before its key and its place in the message go on. So after a
 * crash everything that was acknowledged is there, and what an agent had done and nobody had
 * written is done once more, under the same idempotency key. Retries and dead letters are written
 * without waiting.
 *
 * One commit is with the store at a time; meanwhile the next one gathers. All of it belongs to the
 * hub's thread but the store's `done`, which only posts a call.
 */
#ifndef HUB_FLOW_COMMIT_H
#define HUB_FLOW_COMMIT_H

#include "flow/flow.h"

#include <atamo/store.h>

struct commit;
struct history; /* flow/history.h */
struct parking; /* flow/park.h */

struct ledger {
    struct flow *flow;
    const struct atamo_store *store;
    void *self;
    struct commit *gathering;
    struct commit *committing; /* handed to the store, or to be handed to it again; NULL: none */
    struct commit *spare;
    uint64_t handed;   /* commits that were handed over, and */
    uint64_t finished; /* those of them that the store has answered */
    struct history *history;
    struct parking *parking;
    struct message *duplicates, *duplicates_last; /* of events in commits that are not finished */
    uint32_t duplicate_count;
    uint64_t place;    /* the last event's */
    int64_t resume_at; /* hand the commit over again then, Unix ns; 0: it is handed over */
    bool full, broken; /* the store takes nothing: for the moment, for ever */
    bool handing_back; /* the hub stops: what is open stays in the store */
    bool stopped;      /* nothing is handed over any more */
};

/* Keep events in this store from now on, and take up what is in it. The lanes of the configuration
 * must be there. ATAMO_NO_MEMORY, or the store's failure; *damaged counts rows that were left alone
 * because they could not be read. [hub thread] */
int flow_keep_in(struct flow *flow, const struct atamo_store *store, void *self, uint64_t *damaged);

/* The store is about to be closed: hand nothing over any more. Then, when it is: forget it. [hub
 * thread]
 */
void flow_keep_stop(struct flow *flow);
void flow_keep_end(struct flow *flow);

/* An event that nothing is left to do for: its rows go. */
void flow_keep_nothing(struct flow *flow, const struct message *message);

/* Does the store outlive the process? */
bool flow_outlives(const struct flow *flow);

/* The hub stops: what is cancelled from now on stays in the store for the next start. [hub thread]
 */
void flow_hand_back(struct flow *flow);

/* Is everything written? [hub thread] */
bool flow_is_kept(const struct flow *flow);

/* Does the store refuse new events now? [hub thread] */
bool flow_store_refuses(const struct flow *flow);

/* How many events are in commits that are not finished. */
size_t flow_committing(const struct flow *flow);

/* Is so much gathered behind the commit that is with the store that new events had better wait? */
bool flow_gathers_enough(const struct flow *flow);

/* Hand what was gathered to the store, if it is free. The end of every turn. */
size_t flow_commit(struct flow *flow);

/* When flow_commit() has something to do by itself; INT64_MAX: not. */
int64_t flow_commit_due(const struct flow *flow);

/* The event and its actions are committed, then the actions are scheduled. `put_off`: it has none
 * yet.
 */
void flow_keep(struct flow *flow, struct message *message, struct action **actions, uint32_t count,
               bool put_off);

/* An action that is done: committed, then it ends. False if there is no memory: it ends now. */
bool flow_keep_done(struct flow *flow, struct action *action);

/* --- duplicate.c */

/* Was the same event accepted within the window? Then it is told so, now or when the first one is
 * safe; else its id is remembered. */
bool flow_is_duplicate(struct flow *flow, struct message *message);

/* The event was not accepted after all. */
void flow_forget_id(struct flow *flow, const struct message *message);

/* A commit has been answered: so may be duplicates of its events. */
void flow_answer_duplicates(struct flow *flow);

/* --- keep.c */

/* It has ended otherwise, or its dead letter is dropped. */
void flow_keep_ended(struct flow *flow, const struct action *action);

/* It backs off until its timer, or begins anew with attempt 0. */
void flow_keep_retry(struct flow *flow, const struct action *action, int64_t due_ns);

void flow_keep_dead(struct flow *flow, const struct action *action, atamo_reason reason,
                    atamo_bytes text);

#endif
